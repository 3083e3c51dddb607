//! The user's SQL over columns: read once, and held against the columns before a row is read.

use std::sync::Arc;

use polars::prelude::*;

use super::plain_reason;

/// Reads an expression; what is divided by zero is null, as in SQL.
///
/// # Errors
/// What is wrong with its SQL.
pub(crate) fn parse(text: &str) -> Result<Expr, String> {
    let expression = polars::sql::sql_expr(text).map_err(|error| without_tree(plain_reason(&error)))?;
    Ok(expression.map_expr(|node| match node {
        // Decimals would stop the scan, and floats go on as infinite.
        Expr::BinaryExpr {
            left,
            op: op @ (Operator::RustDivide | Operator::TrueDivide | Operator::FloorDivide),
            right,
        } => {
            let divisor = Arc::unwrap_or_clone(right);
            let divisor = when(divisor.clone().neq(lit(0))).then(divisor).otherwise(lit(NULL));
            Expr::BinaryExpr { left, op, right: Arc::new(divisor) }
        }
        node => node,
    }))
}

/// A reason without the syntax tree that Polars prints of what it does not know: `expression Exists is not supported`.
fn without_tree(reason: String) -> String {
    match reason.split_once(" {") {
        Some((what, _)) => format!("{what} is not supported"),
        None => reason,
    }
}

/// Whether an expression is true or false of a row with these columns; no row is read.
///
/// * `csv`: whether every column is text because the file is CSV.
///
/// # Errors
/// What is wrong: a column that is not there, types that do not fit.
pub(crate) fn check(expression: &Expr, columns: &Schema, csv: bool) -> Result<(), String> {
    let frame = DataFrame::empty_with_schema(columns).lazy();
    let reason = match frame.select([expression.clone().alias("found")]).collect() {
        Ok(found) if found.columns()[0].dtype() == &DataType::Boolean => return Ok(()),
        Ok(_) => "it is neither true nor false".to_owned(),
        Err(error) => match plain_reason(&error) {
            // The names of a CSV's columns may be the cells of a first row.
            absent if absent.starts_with("no column ") && csv => {
                absent.split("; valid columns").next().unwrap_or_default().to_owned()
            }
            absent if absent.starts_with("no column ") => absent,
            // Without a row there is no cell that the message could hold.
            _ => match error.to_string().lines().next().unwrap_or_default() {
                days if days.starts_with("cannot compare 'date/datetime/time' to a string") => {
                    format!("{days}; write a day as DATE '2024-01-31'")
                }
                reason => reason.to_owned(),
            },
        },
    };
    let text = if csv { "; every column of a CSV file is text, as in CAST(amount AS DOUBLE) > 15" } else { "" };
    Err(format!("{reason}{text}"))
}

/// Whether an expression needs more than the row that it is about; the list of `x IN (1, 2)` is a constant.
pub(crate) fn needs_other_rows(expression: &Expr) -> bool {
    expression.into_iter().any(|node| match node {
        Expr::Agg(AggExpr::Implode { input, .. }) => !matches!(**input, Expr::Literal(_)),
        Expr::Function { function, .. } => OVER_ROWS.contains(&function.to_string().as_str()),
        Expr::Agg(_)
        | Expr::Over { .. }
        | Expr::Len
        | Expr::Sort { .. }
        | Expr::SortBy { .. }
        | Expr::Gather { .. }
        | Expr::Slice { .. }
        | Expr::Filter { .. }
        | Expr::Explode { .. } => true,
        _ => false,
    })
}

/// Functions over several rows that are no aggregates to Polars.
const OVER_ROWS: [&str; 15] = [
    "quantile",
    "pearson_correlation",
    "covariance",
    "n_unique",
    "mode",
    "mode_stable",
    "rank",
    "shift",
    "cum_sum",
    "cum_min",
    "cum_max",
    "cum_count",
    "skew",
    "kurtosis",
    "product",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_constants_is_about_one_row_and_a_quantile_is_not() {
        for text in ["a IN ('web')", "a NOT IN ('web', 'shop')", "b IN (1, 2, 3)", "a LIKE 'w%' AND b BETWEEN 1 AND 2"]
        {
            assert!(!needs_other_rows(&parse(text).unwrap()), "{text}");
        }
        for text in [
            "b > QUANTILE_CONT(b, 0.5)",
            "b > AVG(b)",
            "b > COUNT(*)",
            "b = MAX(b) OVER ()",
            "b > MEDIAN(b)",
            "ROW_NUMBER() OVER () < 5",
            "ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) = 1",
            "RANK() OVER (ORDER BY b) < 3",
            "DENSE_RANK() OVER (PARTITION BY a ORDER BY b) < 3",
            "LAG(b) OVER () > 5",
            "LEAD(b, 2) OVER (ORDER BY a) > 5",
            "FIRST_VALUE(b) OVER (PARTITION BY a ORDER BY b) = b",
            "SUM(b) OVER (ORDER BY a) < 100",
            "COUNT(b) OVER (ORDER BY a) < 100",
            "STDDEV(b) > 1",
            "VARIANCE(b) > 1",
            "CORR(b, b) > 0",
        ] {
            // What is no SQL here is refused as that.
            assert!(!parse(text).is_ok_and(|expression| !needs_other_rows(&expression)), "{text}");
        }
    }

    #[test]
    fn what_is_divided_by_zero_is_null_and_types_are_held_against_the_columns() {
        let frame = df!("a" => ["x", "y"], "b" => [0_i64, 2]).unwrap();
        let flags = frame.clone().lazy().select([parse("10 / b > 2").unwrap().alias("found")]).collect().unwrap();
        let flags: Vec<Option<bool>> = flags.column("found").unwrap().bool().unwrap().iter().collect();
        assert_eq!(flags, [None, Some(true)]);
        let told = |text: &str, csv| check(&parse(text).unwrap(), frame.schema(), csv);
        assert_eq!(told("b > 1 AND a IN ('x')", false), Ok(()));
        assert_eq!(told("b + 1", false), Err("it is neither true nor false".to_owned()));
        let days = df!("d" => [0_i32]).unwrap().lazy().select([col("d").cast(DataType::Date)]).collect().unwrap();
        let of_days = |text: &str| check(&parse(text).unwrap(), days.schema(), false);
        assert_eq!(of_days("d >= DATE '2024-01-31'"), Ok(()));
        assert!(of_days("d >= '2024-01-31'").unwrap_err().ends_with("; write a day as DATE '2024-01-31'"));
        assert_eq!(parse("EXISTS (SELECT 1)").unwrap_err(), "expression Exists is not supported");
        assert_eq!(told("a > 3", false), Err("cannot compare string with numeric type (i32)".to_owned()));
        assert!(told("a > 3", true).unwrap_err().ends_with("as in CAST(amount AS DOUBLE) > 15"));
    }
}
