//! The ledger's contract: a batch of lines in, accepted lines and a tally out.

use polars::prelude::{DataFrame, DataType};

use super::{
    ContractError,
    columns::{Batch, INVALID, NULL, Scale, is_number},
    rules::{Rules, Tally},
};
use crate::{
    numeric::{
        decimal::Decimal,
        keys::{KeyTable, Keys, TextColumn},
    },
    schema::{
        contract::RejectedRow,
        facts::NO_DAY,
        lines::{LineBatch, MAX_DISTINCT_DRIVERS, PURCHASE},
        objects::ObjectKeys,
        period::parse_day,
        settings::{DriverMeasure, Policy, ReturnsPolicy, Settings, TableName},
    },
    units::{Day, Minor, QUANTITY_SCALE, Quantity},
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
    as_of: Option<Day>,
    returns: ReturnsPolicy,
    customers: Option<KeyTable>,
    products: Option<(KeyTable, Vec<Option<Minor>>)>,
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
    /// Last accepted day; [`NO_DAY`] without one.
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
        customers: Option<KeyTable>,
        products: Option<(KeyTable, Vec<Option<Minor>>)>,
    ) -> Result<Self, ContractError> {
        let rules = Rules::new(settings, TABLE);
        let drivers: Vec<Driver> = settings
            .drivers
            .iter()
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

    /// Judges one batch.
    ///
    /// # Errors
    /// [`ContractError::Column`] when the batch lacks a column.
    pub fn judge(&self, frame: &DataFrame) -> Result<Judged, ContractError> {
        let batch = Batch { table: TABLE.as_str(), frame };
        let rows = Columns::read(self, &batch)?;
        let mut judged = Judged {
            lines: LineBatch::with_capacity(&rows.customer, self.added(), rows.len()),
            objects: rows.object.as_ref().map(|(keys, _)| ObjectKeys { keys: keys.empty_like(), missing: Vec::new() }),
            tally: Tally::default(),
            last_day: NO_DAY,
        };
        for row in 0..rows.len() {
            self.judge_row(&batch, &rows, row, &mut judged);
        }
        Ok(judged)
    }

    fn added(&self) -> usize {
        self.drivers.iter().filter(|driver| !matches!(driver, Driver::Distinct { .. })).count()
    }

    fn judge_row(&self, batch: &Batch<'_>, rows: &Columns, row: usize, judged: &mut Judged) {
        let amount = rows.amount[row];
        let money = is_number(amount).then_some(amount);
        judged.tally.balance.input.add(money.unwrap_or(0));
        let is_return = amount < 0 || rows.quantity[row] < 0;
        let day = rows.day[row];
        let mut unassigned = false;
        let mut product_cost = rows.product_cost.as_ref().map_or(0, |cost| cost[row]);
        let mut broken = |rule: &'static str, reason: &'static str| {
            let policy = self.rules.policy(rule);
            judged.tally.broken(rule, policy, money);
            if policy == Policy::Warn {
                return false;
            }
            let cells = batch.cells(row);
            judged.tally.reject(RejectedRow { table: TABLE, rule, reason, cells, amount: money });
            true
        };
        if amount == NULL && broken("invalid_amount", "the amount is null")
            || amount == INVALID && broken("invalid_amount", "the amount is not a finite number in range")
            || day == NO_DAY && broken("missing_date", "the date is null")
            || self.as_of.is_some_and(|as_of| day > as_of) && broken("after_as_of", "the date is after as_of")
            || rows.foreign.as_ref().is_some_and(|foreign| foreign[row])
                && broken("wrong_currency", "the currency is not the run's")
        {
            return;
        }
        if rows.no_customer[row] {
            if broken("missing_customer", "the customer id is null or empty") {
                return;
            }
            unassigned = true;
        } else if self.customers.as_ref().is_some_and(|known| known.get(rows.customer.get(row)).is_none())
            && broken("unknown_customer", "the customer is not in the customers table")
        {
            return;
        }
        if let Some((known, unit_cost)) = &self.products {
            let cost = rows.product.as_ref().and_then(|(ids, missing)| {
                let id = (!missing[row]).then(|| ids.get(row))?;
                unit_cost[known.get(id)? as usize]
            });
            match cost {
                Some(cost) => product_cost = cost_of(rows.quantity[row], cost),
                None if broken("unknown_product", "the product is not in the products table") => return,
                None => {}
            }
        }
        let driver_is = |what: i64| rows.drivers.iter().any(|driver| driver.at(row) == what);
        let is_null = |value: i64| value == NULL;
        if (is_null(product_cost) || is_null(rows.quantity[row]) || is_null(rows.discount[row]) || driver_is(NULL))
            && broken("missing_value", "a quantity, discount, product cost or driver is null")
        {
            return;
        }
        let in_range = |value: i64, (low, high): (i64, i64)| (low..=high).contains(&value);
        if product_cost == INVALID && broken("invalid_amount", "the product cost is not a finite number in range")
            || rows.discount[row] == INVALID && broken("invalid_amount", "the discount is not a finite number in range")
            || rows.quantity[row] == INVALID && broken("invalid_amount", "the quantity is not a finite number in range")
            || driver_is(INVALID) && broken("invalid_amount", "a driver is not a finite number in range")
            || !in_range(amount, self.amount_range)
                && broken("amount_range", "the amount is outside the accepted range")
            || is_number(rows.quantity[row])
                && !in_range(rows.quantity[row], self.quantity_range)
                && broken("quantity_range", "the quantity is outside the accepted range")
            || !(self.date_range.0..=self.date_range.1).contains(&day)
                && broken("date_range", "the date is outside the accepted range")
        {
            return;
        }
        if is_return && self.returns == ReturnsPolicy::Drop {
            judged.tally.broken("return", Policy::Reject, money);
            let reason = "returns are dropped by configuration";
            let cells = batch.cells(row);
            judged.tally.reject(RejectedRow { table: TABLE, rule: "return", reason, cells, amount: money });
            return;
        }
        if unassigned {
            judged.tally.balance.unassigned.add(amount);
            return;
        }
        judged.tally.balance.accepted.add(amount);
        judged.last_day = judged.last_day.max(day);
        self.accept(rows, row, product_cost, is_return, &mut judged.lines);
        if let (Some(objects), Some((keys, missing))) = (&mut judged.objects, &rows.object) {
            objects.keys.push(keys.get(row));
            objects.missing.push(missing[row]);
        }
    }

    fn accept(&self, rows: &Columns, row: usize, product_cost: i64, is_return: bool, lines: &mut LineBatch) {
        let number = |value: i64| if is_number(value) { value } else { 0 };
        match (&mut lines.customer, &rows.customer) {
            (Keys::Int(ids), Keys::Int(all)) => ids.push(all[row]),
            (ids, all) => ids.push(all.get(row)),
        }
        lines.day.push(rows.day[row]);
        lines.order.push(rows.order[row]);
        lines.amount.push(rows.amount[row]);
        lines.discount.push(number(rows.discount[row]));
        lines.product_cost.push(number(product_cost));
        lines.quantity.push(number(rows.quantity[row]));
        let mut mask = if is_return { 0 } else { PURCHASE };
        let mut added = lines.added.iter_mut();
        let mut bit = PURCHASE;
        for (driver, column) in self.drivers.iter().zip(&rows.drivers) {
            let counts = column.filter.as_ref().is_none_or(|flags| flags[row]);
            if let Driver::Distinct { .. } = driver {
                bit <<= 1;
                mask |= if counts { bit } else { 0 };
            } else if let Some(added) = added.next() {
                let value = column.values.as_ref().map_or(QUANTITY_SCALE, |values| number(values[row]));
                added.push(if counts { value } else { 0 });
            }
        }
        lines.mask.push(mask);
    }
}

/// Quantity (millionths) times unit cost (minor units), half to even; [`INVALID`] when it does not fit.
fn cost_of(quantity: Quantity, unit_cost: Minor) -> Minor {
    if !is_number(quantity) {
        return NULL;
    }
    let product = i128::from(quantity) * i128::from(unit_cost);
    let cost = crate::numeric::decimal::divide_half_even(product, i128::from(QUANTITY_SCALE));
    i64::try_from(cost).ok().filter(|cost| is_number(*cost)).unwrap_or(INVALID)
}

struct DriverColumn {
    values: Option<Vec<i64>>,
    filter: Option<Vec<bool>>,
}

impl DriverColumn {
    /// The number of a line that counts; 0 where the driver sums none or the line does not count.
    fn at(&self, row: usize) -> i64 {
        let counts = self.filter.as_ref().is_none_or(|flags| flags[row]);
        self.values.as_ref().map_or(0, |values| if counts { values[row] } else { 0 })
    }
}

/// The typed columns of one batch.
struct Columns {
    customer: Keys,
    no_customer: Vec<bool>,
    day: Vec<Day>,
    order: Vec<u64>,
    amount: Vec<i64>,
    discount: Vec<i64>,
    quantity: Vec<i64>,
    product_cost: Option<Vec<i64>>,
    product: Option<(Keys, Vec<bool>)>,
    object: Option<(Keys, Vec<bool>)>,
    foreign: Option<Vec<bool>>,
    drivers: Vec<DriverColumn>,
}

impl Columns {
    fn len(&self) -> usize {
        self.day.len()
    }

    fn read(ledger: &Ledger, batch: &Batch<'_>) -> Result<Self, ContractError> {
        let money = Scale { digits: u32::from(ledger.exponent), integers_are_scaled: true };
        let units = Scale { digits: QUANTITY_DIGITS, integers_are_scaled: false };
        let absent =
            |column: &str| ContractError::Column { table: batch.table, column: column.to_owned(), expected: "there" };
        let (customer, no_customer) = batch.keys("customer_id")?.ok_or_else(|| absent("customer_id"))?;
        let day = batch.days("date")?.ok_or_else(|| absent("date"))?;
        let order = batch.orders("order_id", &day)?;
        let zeros = || vec![0; day.len()];
        let quantity = batch.numbers("quantity", units)?;
        let amount = match batch.numbers("amount", money)? {
            Some(amount) => amount,
            None => priced(batch, ledger.exponent)?.ok_or_else(|| absent("amount"))?,
        };
        let discount = batch.numbers("discount", money)?.unwrap_or_else(zeros);
        let product_cost = batch.numbers("product_cost", money)?;
        let product = if ledger.products.is_some() { batch.keys("product_id")? } else { None };
        let object = ledger.object.map_or(Ok(None), |column| batch.keys(column))?;
        let foreign = batch
            .texts("currency")?
            .map(|codes| codes.iter().map(|code| code.as_deref() != Some(ledger.currency.as_str())).collect());
        let drivers = driver_columns(ledger, batch, units)?;
        let quantity = quantity.unwrap_or_else(zeros);
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

/// Quantity × unit price, exact, then rounded once to minor units, half to even.
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
    Ok(Some(quantity.into_iter().zip(price).map(amount).collect()))
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
