//! Columns of the tables of customers and prospects that models may use: numbers or levels.

use std::collections::BTreeSet;

use polars::prelude::DataType;

use super::{ContractError, columns::Batch};
use crate::schema::{
    covariates::{Covariate, CovariateColumn, CovariateKind, CovariateValues, MOST_LEVELS, NO_LEVEL},
    settings::{Settings, TableName},
};

/// One cell, before it is known what its column is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cell {
    /// Null, empty or NaN.
    Nothing,
    /// The bits of a number.
    Number(u64),
    Text(String),
}

fn configured(settings: &Settings, table: TableName) -> impl Iterator<Item = (&String, &CovariateColumn)> {
    settings.inputs.table(table).into_iter().flat_map(|table| &table.covariates)
}

/// The covariates of a batch, one column each, sorted by name.
pub(super) fn cells(batch: &Batch<'_>, settings: &Settings, table: TableName) -> Result<Vec<Vec<Cell>>, ContractError> {
    configured(settings, table).map(|(name, _)| column(batch, name)).collect()
}

fn column(batch: &Batch<'_>, name: &str) -> Result<Vec<Cell>, ContractError> {
    let wrong = |expected| ContractError::Column { table: batch.table, column: name.to_owned(), expected };
    let series = batch.series(&format!("covariate:{name}")).ok_or_else(|| wrong("there"))?;
    if *series.dtype() == DataType::Float64 {
        let numbers = series.f64().map_err(|_| wrong("a number"))?;
        let cell = |number: Option<f64>| match number.filter(|number| !number.is_nan()) {
            Some(number) => Cell::Number(number.to_bits()),
            None => Cell::Nothing,
        };
        return Ok(numbers.iter().map(cell).collect());
    }
    let texts = series.str().map_err(|_| wrong("text"))?;
    let cell = |text: Option<&str>| match text.filter(|text| !text.trim().is_empty()) {
        Some(text) => Cell::Text(text.to_owned()),
        None => Cell::Nothing,
    };
    Ok(texts.iter().map(cell).collect())
}

/// The covariates of all rows.
///
/// * `rows`: the cells of each, in the order of [`cells`].
pub(super) fn columns(
    settings: &Settings,
    table: TableName,
    rows: &[&[Cell]],
) -> Result<Vec<Covariate>, ContractError> {
    let mut wrong = Vec::new();
    let mut found = Vec::new();
    for (place, (name, setting)) in configured(settings, table).enumerate() {
        match values(setting.kind, rows.iter().map(|cells| &cells[place])) {
            Ok(values) => found.push(Covariate { name: name.clone(), values }),
            Err(why) => {
                let table = table.as_str();
                wrong.push(format!("{table}: covariate `{name}` (column `{}`) {why}", setting.column));
            }
        }
    }
    if wrong.is_empty() { Ok(found) } else { Err(ContractError::Setting(wrong.join("\n"))) }
}

/// A column's values, or what is wrong with them.
fn values<'a>(
    kind: Option<CovariateKind>,
    cells: impl ExactSizeIterator<Item = &'a Cell> + Clone,
) -> Result<CovariateValues, String> {
    let numbers: Vec<Option<f64>> = cells.clone().map(number).collect();
    let without = numbers.iter().filter(|number| number.is_none_or(f64::is_infinite)).count();
    let has_numbers = cells.clone().any(|cell| matches!(cell, Cell::Number(_)));
    let all_numbers = without == 0 && cells.clone().any(|cell| *cell != Cell::Nothing);
    if kind == Some(CovariateKind::Number) || kind.is_none() && (has_numbers || all_numbers) {
        if without > 0 {
            return Err(format!("has {without} rows that hold no finite number; `as: category` reads levels"));
        }
        return Ok(CovariateValues::Numbers(numbers.into_iter().map(Option::unwrap_or_default).collect()));
    }
    let level = |cell: &'a Cell| match cell {
        Cell::Text(text) => text.as_str(),
        Cell::Nothing | Cell::Number(_) => NO_LEVEL,
    };
    let names: BTreeSet<&str> = cells.clone().map(level).collect();
    if names.len() > MOST_LEVELS {
        return Err(format!(
            "has {} levels, at most {MOST_LEVELS} are estimated; `as: number` reads numbers",
            names.len()
        ));
    }
    Ok(CovariateValues::levels(&cells.map(level).collect::<Vec<_>>()))
}

/// NaN for nothing, `None` for a text that is no number.
fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Nothing => Some(f64::NAN),
        Cell::Number(bits) => Some(f64::from_bits(*bits)),
        // `inf` and `nan` parse as well: a cell that says so holds no number.
        Cell::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    fn read(kind: Option<CovariateKind>, cells: &[Cell]) -> Result<CovariateValues, String> {
        values(kind, cells.iter())
    }

    #[test]
    fn texts_are_numbers_where_all_are_and_levels_where_the_config_says_so() {
        let codes = [text("1010"), Cell::Nothing, text(" 1020.5 ")];
        let Ok(CovariateValues::Numbers(found)) = read(None, &codes) else { panic!("numbers") };
        assert!((found[0] - 1_010.0).abs() < 1e-9 && found[1].is_nan() && (found[2] - 1_020.5).abs() < 1e-9);
        let levels = CovariateValues::Levels {
            names: vec![" 1020.5 ".to_owned(), NO_LEVEL.to_owned(), "1010".to_owned()],
            level: vec![2, 1, 0],
        };
        assert_eq!(read(Some(CovariateKind::Category), &codes), Ok(levels));
        let mixed = [text("a"), text("2")];
        assert!(matches!(read(None, &mixed), Ok(CovariateValues::Levels { .. })));
        let refused = read(Some(CovariateKind::Number), &mixed).unwrap_err();
        assert_eq!(refused, "has 1 rows that hold no finite number; `as: category` reads levels");
        // A column without a cell has one level.
        let nothing = CovariateValues::Levels { names: vec![NO_LEVEL.to_owned()], level: vec![0, 0] };
        assert_eq!(read(None, &[Cell::Nothing, Cell::Nothing]), Ok(nothing));
    }

    #[test]
    fn infinite_numbers_and_too_many_levels_are_refused() {
        let infinite = [Cell::Number(f64::INFINITY.to_bits()), Cell::Number(1.0_f64.to_bits())];
        assert!(read(None, &infinite).unwrap_err().starts_with("has 1 rows that hold no finite number"));
        assert!(matches!(read(None, &[text("inf"), text("2")]), Ok(CovariateValues::Levels { .. })));
        let many: Vec<Cell> = (0..=MOST_LEVELS).map(|level| text(&format!("l{level}"))).collect();
        let refused = read(None, &many).unwrap_err();
        assert_eq!(refused, "has 101 levels, at most 100 are estimated; `as: number` reads numbers");
    }
}
