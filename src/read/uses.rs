//! Which columns of its files a table uses, and for what.

use polars::prelude::Expr;

use super::predicate;
use crate::schema::settings::{DriverMeasure, LedgerDriver, TableSetting};

/// A column that the config names.
pub(super) struct Use {
    /// As the files call it.
    pub(super) column: String,
    /// Input table, or `drivers`.
    pub(super) table: &'static str,
    /// Our name of it, the driver's name, or `where`.
    pub(super) role: String,
}

/// The columns that a table maps, that its `where` names, and that ledger drivers count, sum or filter by.
pub(super) fn uses(table: &'static str, setting: &TableSetting, drivers: &[(&str, &LedgerDriver)]) -> Vec<Use> {
    let used =
        |column: &str, table: &'static str, role: &str| Use { column: column.to_owned(), table, role: role.to_owned() };
    let mut uses: Vec<Use> = setting.columns.iter().map(|(role, column)| used(column, table, role)).collect();
    let covariates = setting.covariates.iter();
    uses.extend(covariates.map(|(name, covariate)| used(&covariate.column, "customers", name)));
    uses.extend(named_in(setting.filter.as_deref()).iter().map(|column| used(column, table, "where")));
    for (name, driver) in drivers {
        let measured = match &driver.measure {
            DriverMeasure::Sum(column) => std::slice::from_ref(column),
            DriverMeasure::Time { columns, .. } => columns,
            _ => &[],
        };
        let columns = measured.iter().cloned().chain(named_in(driver.filter.as_deref()));
        uses.extend(columns.map(|column| used(&column, "drivers", name)));
    }
    uses
}

/// Columns that a predicate names; none of one that is no SQL, of which somebody else tells.
fn named_in(text: Option<&str>) -> Vec<String> {
    let Some(Ok(expression)) = text.map(predicate::parse) else { return Vec::new() };
    let names = expression.into_iter().filter_map(|node| match node {
        Expr::Column(name) => Some(name.to_string()),
        _ => None,
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_a_predicate_are_used_wherever_they_stand_in_it() {
        let mut names =
            named_in(Some("a > 1 AND (b IN ('x') OR CAST(c AS BIGINT) = 2) AND NOT coalesce(d, e) IS NULL"));
        names.sort_unstable();
        assert_eq!(names, ["a", "b", "c", "d", "e"]);
        assert_eq!(named_in(Some("a >")), [""; 0]);
    }
}
