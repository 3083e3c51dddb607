//! The ledger's contract: a batch of lines in, accepted lines and a tally out.
//!
//! `columns` types the batch, `suspects` finds the rows that may break a rule, column by column, and `rows` judges
//! those one by one; all others are accepted as they stand, so that a clean batch is never walked row by row.

mod columns;
mod rows;
mod suspects;
#[cfg(test)]
mod tests;

use polars::prelude::{DataFrame, DataType};

use self::columns::Columns;
use super::{
    ContractError,
    columns::Batch,
    rules::{Rules, Tally},
};
use crate::{
    numeric::{
        decimal::Decimal,
        keys::{KeyIndex, Keys, TextColumn},
    },
    schema::{
        lines::{LineBatch, MAX_DISTINCT_DRIVERS},
        objects::ObjectKeys,
        period::parse_day,
        settings::{DriverMeasure, ReturnsPolicy, Settings, TableName},
        tables::UnitCost,
    },
    units::{Day, Minor, Quantity},
};

const TABLE: TableName = TableName::Transactions;

/// Decimal digits of a [`Quantity`].
const QUANTITY_DIGITS: u32 = 6;

/// What a ledger driver adds to a line or marks on it.
#[derive(Clone, Debug)]
enum Driver {
    Count { filter: Option<String> },
    Sum { column: String, filter: Option<String> },
    Distinct { filter: Option<String> },
}

/// The ledger's contract, ready to judge batches in parallel.
#[derive(Debug)]
pub struct Ledger {
    rules: Rules,
    exponent: u8,
    currency: String,
    /// Whether an amount is quantity × unit price.
    priced: bool,
    as_of: Option<Day>,
    returns: ReturnsPolicy,
    customers: Option<KeyIndex>,
    products: Option<(KeyIndex, Vec<UnitCost>)>,
    drivers: Vec<Driver>,
    object: Option<&'static str>,
    amount_range: (Minor, Minor),
    quantity_range: (Quantity, Quantity),
    date_range: (Day, Day),
}

/// What the contract made of a batch.
#[derive(Debug)]
pub struct Judged {
    /// Lines that go on.
    pub lines: LineBatch,
    /// The object of each of these lines, when another object than the customer is costed.
    pub objects: Option<ObjectKeys>,
    /// Counts, money and rejected rows.
    pub tally: Tally,
    /// Last accepted day; [`NO_DAY`](crate::schema::facts::NO_DAY) without one.
    pub last_day: Day,
}

impl Ledger {
    /// The contract of this run.
    ///
    /// * `customers`: known customers, when a customers table is given.
    /// * `products`: known products and their unit cost, when a products table is given.
    ///
    /// # Errors
    /// [`ContractError::Setting`] when a policy or range cannot hold.
    pub fn new(
        settings: &Settings,
        customers: Option<KeyIndex>,
        products: Option<(KeyIndex, Vec<UnitCost>)>,
    ) -> Result<Self, ContractError> {
        let rules = Rules::new(settings, TABLE);
        let drivers: Vec<Driver> = settings
            .drivers
            .iter()
            .filter(|(_, driver)| driver.is_of_lines())
            .map(|(name, driver)| {
                let filter = driver.filter.as_ref().map(|_| format!("filter:{name}"));
                match &driver.measure {
                    DriverMeasure::Count => Driver::Count { filter },
                    DriverMeasure::Sum(_) => Driver::Sum { column: format!("driver:{name}"), filter },
                    _ => Driver::Distinct { filter },
                }
            })
            .collect();
        if drivers.iter().filter(|driver| matches!(driver, Driver::Distinct { .. })).count() > MAX_DISTINCT_DRIVERS {
            return Err(ContractError::Setting(format!(
                "drivers: at most {MAX_DISTINCT_DRIVERS} count_distinct drivers"
            )));
        }
        let range = |rule: &str, digits: u32| number_range(&rules, rule, digits);
        Ok(Self {
            exponent: settings.currency.exponent,
            currency: settings.currency.code.clone(),
            priced: !settings.inputs.transactions.columns.contains_key("amount"),
            as_of: settings.as_of,
            returns: settings.inputs.returns,
            amount_range: range("amount_range", u32::from(settings.currency.exponent))?,
            quantity_range: range("quantity_range", QUANTITY_DIGITS)?,
            date_range: date_range(&rules)?,
            customers,
            products,
            drivers,
            object: None,
            rules,
        })
    }

    /// Gives every line its object too, from a column of the ledger.
    #[must_use]
    pub fn with_objects(mut self, column: Option<&'static str>) -> Self {
        self.object = column;
        self
    }

    /// The rules, to judge the whole table at the end.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Judges one batch: column by column first, then row by row those rows that may break a rule.
    ///
    /// # Errors
    /// [`ContractError::Column`] when the batch lacks a column.
    pub fn judge(&self, frame: &DataFrame) -> Result<Judged, ContractError> {
        let batch = Batch { table: TABLE.as_str(), frame };
        let mut columns = Columns::read(self, &batch)?;
        let suspects = self.suspects(&mut columns);
        Ok(self.judge_rows(&batch, columns, &suspects))
    }
}

fn number_range(rules: &Rules, rule: &str, digits: u32) -> Result<(i64, i64), ContractError> {
    let Some(setting) = rules.setting(rule) else { return Ok((i64::MIN, i64::MAX)) };
    let read = |bound: &Option<String>, none: i64| match bound {
        None => Ok(none),
        Some(text) => Decimal::parse(text).and_then(|decimal| decimal.to_scaled(digits)).ok_or_else(|| {
            ContractError::Setting(format!("contract.transactions.{rule}: min and max must be plain numbers"))
        }),
    };
    Ok((read(&setting.min, i64::MIN)?, read(&setting.max, i64::MAX)?))
}

fn date_range(rules: &Rules) -> Result<(Day, Day), ContractError> {
    let Some(setting) = rules.setting("date_range") else { return Ok((Day::MIN, Day::MAX)) };
    let bad = || {
        ContractError::Setting("contract.transactions.date_range: min and max must be dates like 1997-09-30".to_owned())
    };
    let read = |bound: &Option<String>, none: Day| match bound {
        None => Ok(none),
        Some(text) => parse_day(text).ok_or_else(bad),
    };
    Ok((read(&setting.min, Day::MIN)?, read(&setting.max, Day::MAX)?))
}

/// The kind of the ledger's ids in `column`, from its type.
#[must_use]
pub fn id_kind(columns: &[(String, DataType)], column: &str) -> Keys {
    let is_text = columns.iter().any(|(name, dtype)| name == column && *dtype == DataType::String);
    if is_text { Keys::Text(TextColumn::default()) } else { Keys::Int(Vec::new()) }
}
