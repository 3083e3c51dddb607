//! The typed columns of one batch of the ledger.

use super::{Driver, Ledger};
use crate::{
    contract::{
        ContractError,
        columns::{Batch, INVALID, NULL, Scale, is_number},
    },
    numeric::{decimal::Decimal, keys::Keys},
    units::{Day, Minor, Quantity},
};

/// What a ledger driver reads of every line.
pub(super) struct DriverColumn {
    /// The number to add; `None` when the driver counts.
    pub(super) values: Option<Vec<i64>>,
    /// Whether the line counts; `None` when every line does.
    pub(super) filter: Option<Vec<bool>>,
}

impl DriverColumn {
    /// Whether a line counts.
    #[inline]
    pub(super) fn counts(&self, row: usize) -> bool {
        self.filter.as_ref().is_none_or(|flags| flags[row])
    }

    /// The number of a line that counts; 0 where the driver sums none or the line does not count.
    pub(super) fn at(&self, row: usize) -> i64 {
        self.values.as_ref().map_or(0, |values| if self.counts(row) { values[row] } else { 0 })
    }
}

/// The typed columns of one batch. Numbers that are none are `NULL` or `INVALID`.
pub(super) struct Columns {
    pub(super) customer: Keys,
    pub(super) no_customer: Vec<bool>,
    pub(super) day: Vec<Day>,
    pub(super) order: Vec<u64>,
    pub(super) amount: Vec<Minor>,
    pub(super) discount: Vec<Minor>,
    pub(super) quantity: Vec<Quantity>,
    pub(super) product_cost: Vec<Minor>,
    pub(super) product: Option<(Keys, Vec<bool>)>,
    /// The object that is costed, and which rows have none.
    pub(super) object: Option<(Keys, Vec<bool>)>,
    pub(super) foreign: Option<Vec<bool>>,
    pub(super) drivers: Vec<DriverColumn>,
}

impl Columns {
    /// Reads the columns of `batch`; what is not mapped is zero.
    ///
    /// # Errors
    /// [`ContractError::Column`] when the batch lacks a column that every ledger has.
    pub(super) fn read(ledger: &Ledger, batch: &Batch<'_>) -> Result<Self, ContractError> {
        let money = Scale { digits: u32::from(ledger.exponent), integers_are_scaled: true };
        let units = Scale::QUANTITY;
        let absent =
            |column: &str| ContractError::Column { table: batch.table, column: column.to_owned(), expected: "there" };
        let (customer, no_customer) = batch.keys("customer_id")?.ok_or_else(|| absent("customer_id"))?;
        let day = batch.days("date")?.ok_or_else(|| absent("date"))?;
        let order = batch.orders("order_id", &day)?;
        let zeros = || vec![0; day.len()];
        let amount = match batch.numbers("amount", money)? {
            Some(amount) => amount,
            None => priced(batch, ledger.exponent)?.ok_or_else(|| absent("amount"))?,
        };
        let discount = batch.numbers("discount", money)?.unwrap_or_else(zeros);
        let quantity = batch.numbers("quantity", units)?.unwrap_or_else(zeros);
        let product_cost = batch.numbers("product_cost", money)?.unwrap_or_else(zeros);
        let product = if ledger.products.is_some() { batch.keys("product_id")? } else { None };
        let object = ledger.object.map_or(Ok(None), |column| batch.keys(column))?;
        let foreign = batch
            .texts("currency")?
            .map(|codes| codes.iter().map(|code| code.as_deref() != Some(ledger.currency.as_str())).collect());
        let drivers = driver_columns(ledger, batch, units)?;
        Ok(Self {
            customer,
            no_customer,
            day,
            order,
            amount,
            discount,
            quantity,
            product_cost,
            product,
            object,
            foreign,
            drivers,
        })
    }
}

fn driver_columns(ledger: &Ledger, batch: &Batch<'_>, units: Scale) -> Result<Vec<DriverColumn>, ContractError> {
    let mut columns = Vec::with_capacity(ledger.drivers.len());
    for driver in &ledger.drivers {
        let (values, filter) = match driver {
            Driver::Count { filter } | Driver::Distinct { filter } => (None, filter),
            Driver::Sum { column, filter } => (batch.numbers(column, units)?, filter),
        };
        let filter = match filter {
            Some(name) => batch.flags(name)?,
            None => None,
        };
        columns.push(DriverColumn { values, filter });
    }
    Ok(columns)
}

/// Quantity × unit price, exact, then rounded once to minor units, half to even; [`NULL`] where one of them is null.
fn priced(batch: &Batch<'_>, exponent: u8) -> Result<Option<Vec<i64>>, ContractError> {
    let (Some(quantity), Some(price)) =
        (batch.decimals("quantity", 0)?, batch.decimals("unit_price", u32::from(exponent))?)
    else {
        return Ok(None);
    };
    let amount = |(quantity, price): (Option<Decimal>, Option<Decimal>)| {
        let (Some(quantity), Some(price)) = (quantity, price) else { return INVALID };
        let amount = quantity.multiply(price).and_then(|amount| amount.to_scaled(u32::from(exponent)));
        amount.filter(|value| is_number(*value)).unwrap_or(INVALID)
    };
    let mut amounts: Vec<i64> = quantity.into_iter().zip(price).map(amount).collect();
    if amounts.contains(&INVALID) {
        for nulls in ["quantity", "unit_price"].into_iter().filter_map(|column| batch.nulls(column)) {
            amounts.iter_mut().zip(nulls).filter(|(_, null)| *null).for_each(|(amount, _)| *amount = NULL);
        }
    }
    Ok(Some(amounts))
}
