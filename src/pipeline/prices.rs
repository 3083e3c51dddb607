//! Other prices in a scenario: what customers, and the products or orders that they buy, bring at them.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Ledgers, RunError,
    scenario::{missing, scaled},
};
use crate::{
    allocate::explain::split,
    contract::ContractError,
    facts::{by_price::PriceGroups, customers::roll_up},
    numeric::{
        decimal::{Decimal, power_of_ten},
        keys::KeyIndex,
    },
    schema::{
        facts::Cells, objects::Objects, period::Period, scenario::Scenario, settings::Settings, tables::CustomerTable,
    },
    units::Minor,
};

/// Segment of customers without one.
pub(super) const NO_SEGMENT: &str = "(none)";

/// Factor on what each customer spends; `None` when every price stays.
pub(super) fn factors(ledgers: &Ledgers, scenario: &Scenario) -> Option<Vec<f64>> {
    if scenario.prices.is_empty() {
        return None;
    }
    let factor = |name: &String| scenario.price(name).map_or(1.0, in_floating_point);
    let factors: Vec<f64> = ledgers.segment_names.iter().map(factor).collect();
    Some(ledgers.segment_of.iter().map(|segment| factors[usize::from(*segment)]).collect())
}

fn in_floating_point(factor: Decimal) -> f64 {
    power_of_ten(factor.scale).map_or(0.0, |power| factor.mantissa as f64 / power as f64)
}

/// Customers by price factor, where a scenario's prices differ by segment: objects keep their money apart then.
pub(super) fn groups(settings: &Settings, table: Option<&CustomerTable>) -> Option<PriceGroups> {
    let scenario = settings.scenario.as_ref()?;
    if scenario.prices.is_empty() || scenario.price_of_everybody().is_some() {
        return None;
    }
    let mut groups = PriceGroups::default();
    let mut place = |factor: Option<Decimal>| {
        let factor = factor?;
        let known = groups.factors.iter().position(|known| *known == factor);
        Some(known.unwrap_or_else(|| {
            groups.factors.push(factor);
            groups.factors.len() - 1
        }) as u16)
    };
    let of_segment: BTreeMap<&str, Option<u16>> = table
        .into_iter()
        .flat_map(|table| table.segment.iter().flatten())
        .map(|name| (name.as_str(), scenario.price(name)))
        .collect::<BTreeMap<_, _>>()
        .into_iter()
        .map(|(name, factor)| (name, place(factor)))
        .collect();
    let others = place(scenario.price(NO_SEGMENT));
    let of_row = |segment: &Option<String>| segment.as_ref().map_or(others, |name| of_segment[name.as_str()]);
    groups.group = table.into_iter().flat_map(|table| table.segment.iter().map(of_row)).collect();
    groups.customers = table.map(|table| KeyIndex::new(table.ids.keys()));
    groups.others = others;
    Some(groups)
}

/// Lays a scenario's prices on sales, returns and discount of customers and objects.
///
/// # Errors
/// [`RunError`]: a segment that is not there, or amounts that leave 64 bits.
pub(super) fn change(ledgers: &mut Ledgers, scenario: &Scenario) -> Result<(), RunError> {
    for name in scenario.prices.iter().filter_map(|(name, _)| name.as_ref()) {
        if !ledgers.segment_names.contains(name) {
            return Err(missing("segment", name, &ledgers.segment_names));
        }
    }
    if scenario.prices.is_empty() {
        return Ok(());
    }
    let of_segment: Vec<Option<Decimal>> = ledgers.segment_names.iter().map(|name| scenario.price(name)).collect();
    let segment_of = Arc::clone(&ledgers.segment_of);
    let factor_of = |customer: u32| of_segment[usize::from(segment_of[customer as usize])];
    reprice(Arc::make_mut(&mut ledgers.cells), factor_of)?;
    ledgers.facts = roll_up(&ledgers.cells, ledgers.customers.len())?.into();
    if let Some(objects) = &mut ledgers.objects {
        let objects = Arc::make_mut(objects);
        if let Some(factor) = scenario.price_of_everybody() {
            objects.by_price = vec![(factor, objects.cells.clone())];
        }
        for (factor, of_factor) in std::mem::take(&mut objects.by_price) {
            follow(objects, &of_factor, factor, &ledgers.cells, |customer| factor_of(customer) == Some(factor))?;
        }
    }
    Ok(())
}

/// Sales, returns and discount of customers' cells at other prices.
fn reprice(cells: &mut Cells, factor_of: impl Fn(u32) -> Option<Decimal>) -> Result<(), RunError> {
    let Cells { customer, gross_sales, returns, discount, purchase_revenue, first_day_revenue, .. } = cells;
    for (cell, customer) in customer.iter().enumerate() {
        let Some(factor) = factor_of(*customer) else { continue };
        for column in [&mut *gross_sales, returns, discount, purchase_revenue, first_day_revenue] {
            column[cell] = scaled(column[cell], factor)?;
        }
    }
    Ok(())
}

/// An amount of money of cells that a price moves: to read, and to change.
type Column = (fn(&Cells) -> &Vec<Minor>, fn(&mut Cells) -> &mut Vec<Minor>);

/// What a price moves in the outputs of objects.
const MOVED: [Column; 3] = [
    (|cells| &cells.gross_sales, |cells| &mut cells.gross_sales),
    (|cells| &cells.returns, |cells| &mut cells.returns),
    (|cells| &cells.discount, |cells| &mut cells.discount),
];

/// Lays one factor on what its customers bought, object by object, so that the objects still add up to the customers.
///
/// Each amount times the factor is rounded half to even; what the customers' roundings differ by is spread over the objects
/// in proportion to their amounts, by largest remainder, period by period.
///
/// * `own`: the customers' money by object, at old prices.
/// * `customers`: cells of all customers, at new prices.
fn follow(
    objects: &mut Objects,
    own: &Cells,
    factor: Decimal,
    customers: &Cells,
    is_own: impl Fn(u32) -> bool,
) -> Result<(), RunError> {
    let mut by_period: BTreeMap<Period, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (row, period) in own.period.iter().enumerate() {
        by_period.entry(*period).or_default().0.push(row);
    }
    for (cell, period) in customers.period.iter().enumerate().filter(|(cell, _)| is_own(customers.customer[*cell])) {
        by_period.entry(*period).or_default().1.push(cell);
    }
    let places: Option<Vec<usize>> =
        (0..own.len()).map(|row| place(&objects.cells, own.customer[row], own.period[row])).collect();
    let (left, right) = (own.len() as i128, objects.cells.len() as i128);
    let differs = || ContractError::Reconciliation { table: "transactions", what: "objects by price", left, right };
    let places = places.ok_or_else(differs)?;
    for (of, change) in MOVED {
        let before = of(own);
        for (rows, cells) in by_period.values() {
            let scale = |row: &usize| scaled(before[*row], factor);
            let mut after = rows.iter().map(scale).collect::<Result<Vec<Minor>, RunError>>()?;
            let of_customers: i128 = cells.iter().map(|cell| i128::from(of(customers)[*cell])).sum();
            let left = of_customers - after.iter().map(|amount| i128::from(*amount)).sum::<i128>();
            let left = i64::try_from(left).map_err(|_| RunError::CostTooLarge)?;
            let weights: Vec<i128> = rows.iter().map(|row| i128::from(before[*row].unsigned_abs())).collect();
            for (amount, more) in after.iter_mut().zip(split(left, &weights).unwrap_or_default()) {
                *amount += more;
            }
            for (row, amount) in rows.iter().zip(after) {
                change(&mut objects.cells)[places[*row]] += amount - before[*row];
            }
        }
    }
    Ok(())
}

/// The cell of an object and period; cells are in order of object and period.
fn place(cells: &Cells, object: u32, period: Period) -> Option<usize> {
    let from = cells.customer.partition_point(|other| *other < object);
    (from..cells.len()).take_while(|row| cells.customer[*row] == object).find(|row| cells.period[*row] == period)
}
