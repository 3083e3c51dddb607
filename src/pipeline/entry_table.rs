//! Products as doors, as columns.

use super::{Ledgers, objects::ObjectResults, tables::integers, worlds::World};
use crate::{
    equity::doors::{Door, Role, roles},
    numeric::{decimal::divide_half_even, keys::Keys},
    publish::dataset::Values,
    schema::{facts::NO_DAY, objects::Entries},
    units::{Day, Minor, MinorSum},
};

/// Days within which a second purchase is looked for.
const YEAR: Day = 365;

/// How customers began to buy products.
#[derive(Clone, Debug, Default)]
pub(super) struct ProductEntries {
    /// Customer and product of a first purchase day.
    entered: Vec<(u32, u32)>,
    /// Second purchase day of each customer; [`NO_DAY`] without one.
    second: Vec<Day>,
    /// Different products of each customer.
    pub(super) products: Vec<u32>,
}

impl ProductEntries {
    /// * `ids`: of the customers.
    pub(super) fn new(entries: &Entries, ids: &Keys) -> Self {
        let mut found = Self { entered: Vec::new(), second: vec![NO_DAY; ids.len()], products: vec![0; ids.len()] };
        let mut rows: Vec<(u64, u32)> = (0..ids.len() as u32).map(|row| (ids.get(row as usize).hash(), row)).collect();
        rows.sort_unstable();
        let row_of = |hash: u64| rows.binary_search_by_key(&hash, |row| row.0).ok().map(|at| rows[at].1);
        for customer in &entries.customers {
            if let Some(row) = row_of(customer.hash) {
                found.second[row as usize] = customer.second;
                found.products[row as usize] = customer.products;
            }
        }
        let entered = entries.entered.iter().filter_map(|(hash, product)| Some((row_of(*hash)?, *product)));
        found.entered = entered.collect();
        found
    }
}

/// Sums over the customers who entered through one product.
#[derive(Clone, Copy, Default)]
struct Entered {
    customers: i64,
    expected: MinorSum,
    simulated: MinorSum,
    observed: i64,
    again: i64,
}

impl Entered {
    fn add(&mut self, ledgers: &Ledgers, entries: &ProductEntries, customer: usize) {
        let (first, second) = (ledgers.facts.first_purchase[customer], entries.second[customer]);
        let observed = first != NO_DAY && ledgers.as_of.saturating_sub(first) >= YEAR;
        self.customers += 1;
        self.observed += i64::from(observed);
        self.again += i64::from(observed && second != NO_DAY && second.saturating_sub(first) <= YEAR);
    }
}

impl World<'_> {
    /// `product_entry`.
    pub(super) fn entry_columns(&self, objects: &ObjectResults) -> Vec<Values> {
        let products = objects.objects.rows.ids.len();
        let (ledgers, none) = (&self.found.ledgers, ProductEntries::default());
        let entries = ledgers.ahead.entries.as_ref().unwrap_or(&none);
        let (expected, simulated) = (self.expected_by_customer(), self.simulated_by_customer());
        let mut sums = vec![Entered::default(); products];
        for (customer, product) in &entries.entered {
            let (customer, sum) = (*customer as usize, &mut sums[*product as usize]);
            sum.add(ledgers, entries, customer);
            sum.expected += expected.as_ref().map_or(0, |values| MinorSum::from(values[customer]));
            sum.simulated += simulated.as_ref().map_or(0, |values| MinorSum::from(values[customer]));
        }
        let margin = objects.margin_by_object();
        let door = |(sum, margin): (&Entered, &Minor)| Door {
            margin: *margin,
            entered: sum.customers as u64,
            value: sum.expected,
        };
        let doors: Vec<Door> = sums.iter().zip(&margin).map(door).collect();
        let settings = &self.settings.equity.doors;
        let roles = expected.is_some().then(|| roles(&doors, settings));
        let ranks = expected.is_some().then(|| ranks(&doors, settings.min_customers));
        let money = |told: bool, of: &dyn Fn(&Entered) -> Option<MinorSum>| {
            Values::Sum(sums.iter().map(|sum| of(sum).filter(|_| told)).collect())
        };
        let each = |sum: &Entered| {
            let told = expected.is_some() && sum.customers > 0;
            told.then(|| divide_half_even(sum.expected, sum.customers.into()) as i64)
        };
        let share = |sum: &Entered| (sum.observed > 0).then(|| sum.again as f64 / sum.observed as f64);
        let role = |row: usize| roles.as_ref().map(|roles| Role::as_str(roles[row]).to_owned());
        vec![
            Values::Ids((0..products as u32).collect()),
            Values::Scaled(margin[..products].iter().map(|margin| Some(*margin)).collect()),
            integers(sums.iter().map(|sum| sum.customers)),
            money(expected.is_some(), &|sum| Some(sum.expected)),
            Values::Scaled(sums.iter().map(each).collect()),
            money(simulated.is_some(), &|sum| Some(sum.simulated)),
            integers(sums.iter().map(|sum| sum.observed)),
            integers(sums.iter().map(|sum| sum.again)),
            Values::Float(sums.iter().map(share).collect()),
            Values::Integer((0..products).map(|row| ranks.as_ref().and_then(|ranks| ranks[row])).collect()),
            Values::Text((0..products).map(role).collect()),
        ]
    }
}

/// Rank of every door by the value of a customer who entered through it, from 1; equal ones share theirs.
fn ranks(doors: &[Door], min_customers: u64) -> Vec<Option<i64>> {
    let of = |door: &Door| (door.entered >= min_customers.max(1)).then(|| door.value as f64 / door.entered as f64);
    let values: Vec<Option<f64>> = doors.iter().map(of).collect();
    let mut sorted: Vec<f64> = values.iter().flatten().copied().collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let rank = |value: f64| sorted.partition_point(|other| *other > value) as i64 + 1;
    values.into_iter().map(|value| value.map(rank)).collect()
}
