//! The first pass: how many orders, returns and line weights there are, before anything is written.
//!
//! From its totals every later pass knows how many lines each order has, although none of them keeps an order.

use rayon::prelude::*;

use super::company::SPAN_DAYS;
use super::process::{Customer, Order, Process};

/// Customers that are drawn together; line shares start afresh from a known sum at each chunk.
pub(super) const CHUNK: u64 = 128;

/// Totals of a company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Survey {
    /// Customers.
    pub(super) customers: u64,
    /// Orders of all customers.
    pub(super) orders: u64,
    /// Orders of which a line is returned within the span.
    pub(super) returns: u64,
    /// Ledger lines that are purchases: all lines less the returns.
    purchase_lines: u64,
    /// Sum of all order weights.
    weight: u64,
    /// Sum of order weights before each chunk.
    weight_before: Vec<u64>,
    /// Orders on each day of the ledger.
    pub(super) orders_on: Vec<u64>,
    /// Returns on each day of the ledger.
    pub(super) returns_on: Vec<u64>,
}

/// A mergeable part of the survey: sums of integers, so that the order of merging does not matter.
struct Part {
    weights: Vec<(u64, u64)>,
    orders_on: Vec<u64>,
    returns_on: Vec<u64>,
}

impl Part {
    fn new() -> Self {
        Self { weights: Vec::new(), orders_on: vec![0; SPAN_DAYS], returns_on: vec![0; SPAN_DAYS] }
    }

    fn insert(mut self, process: &Process<'_>, chunk: u64) -> Self {
        let mut weight = 0;
        for index in members(process, chunk) {
            for order in process.orders(&process.customer(index)) {
                weight += order.weight;
                self.orders_on[order.time as usize] += 1;
                if order.returned.is_finite() {
                    self.returns_on[order.returned as usize] += 1;
                }
            }
        }
        self.weights.push((chunk, weight));
        self
    }

    fn combine(mut self, mut other: Self) -> Self {
        self.weights.append(&mut other.weights);
        for (mine, theirs) in [(&mut self.orders_on, &other.orders_on), (&mut self.returns_on, &other.returns_on)] {
            for (sum, count) in mine.iter_mut().zip(theirs) {
                *sum += count;
            }
        }
        self
    }
}

/// Chunks of a company.
pub(super) fn chunks(process: &Process<'_>) -> u64 {
    process.company.scenario.size.customers.div_ceil(CHUNK)
}

/// Indices of the customers of a chunk.
fn members(process: &Process<'_>, chunk: u64) -> std::ops::Range<u64> {
    chunk * CHUNK..((chunk + 1) * CHUNK).min(process.company.scenario.size.customers)
}

impl Survey {
    /// Draws every customer's orders once; `None` when there are more orders than lines to put into them.
    pub(super) fn new(process: &Process<'_>) -> Option<Self> {
        let part = (0..chunks(process))
            .into_par_iter()
            .fold(Part::new, |part, chunk| part.insert(process, chunk))
            .reduce(Part::new, Part::combine);
        let Part { mut weights, orders_on, returns_on } = part;
        weights.sort_unstable();
        let mut weight = 0;
        let mut weight_before = Vec::with_capacity(weights.len());
        for (_, of_chunk) in weights {
            weight_before.push(weight);
            weight += of_chunk;
        }
        let size = process.company.scenario.size;
        let (orders, returns) = (orders_on.iter().sum(), returns_on.iter().sum());
        let purchase_lines = size.transactions.checked_sub(returns).filter(|lines| *lines >= orders)?;
        let customers = size.customers;
        Some(Self { customers, orders, returns, purchase_lines, weight, weight_before, orders_on, returns_on })
    }

    /// Calls `visit` with every order of a chunk's customers, in customer and time order, and after each customer's
    /// last order with its end.
    pub(super) fn visit(&self, process: &Process<'_>, chunk: u64, mut visit: impl FnMut(Visit<'_>)) {
        let mut weight = self.weight_before[chunk as usize];
        for index in members(process, chunk) {
            let customer = process.customer(index);
            let mut orders = process.orders(&customer);
            for order in orders.by_ref() {
                let place = Place { survey: self, before: weight, own: order.weight };
                weight += order.weight;
                visit(Visit::Order { customer: &customer, order: &order, place });
            }
            visit(Visit::End { customer: &customer, dropped: orders.dropped });
        }
    }
}

/// What [`Survey::visit`] comes across.
pub(super) enum Visit<'a> {
    /// An order, and its place among the line shares.
    Order { customer: &'a Customer, order: &'a Order, place: Place<'a> },
    /// The end of a customer's orders, and the time of its dropping out, if it did.
    End { customer: &'a Customer, dropped: Option<f64> },
}

/// Where an order stands in the sum of all weights.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    survey: &'a Survey,
    before: u64,
    own: u64,
}

impl Place<'_> {
    /// Lines of the order: one, and its share of the lines beyond one an order by cumulative rounding,
    /// `⌊E·(w₁+…+wⱼ)/W⌋ − ⌊E·(w₁+…+wⱼ₋₁)/W⌋`, so that all orders together have exactly the lines that there are.
    pub(super) fn lines(self) -> u64 {
        let extra = self.survey.purchase_lines - self.survey.orders;
        let whole = self.survey.weight;
        1 + share(extra, self.before + self.own, whole) - share(extra, self.before, whole)
    }
}

/// `⌊total · part / whole⌋` for `part <= whole`, `whole > 0`.
pub(super) fn share(total: u64, part: u64, whole: u64) -> u64 {
    match total.checked_mul(part) {
        Some(product) => product / whole,
        None => (u128::from(total) * u128::from(part) / u128::from(whole)) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::company::{Company, Population, Scenario, Size};

    fn company(customers: u64, transactions: u64) -> Company {
        let size = Size { customers, transactions };
        Company::new(Scenario { size, seed: 5, population: Population::ByChannel }, 1.0).unwrap()
    }

    #[test]
    fn lines_of_all_orders_and_returns_are_exactly_the_transactions() {
        for (customers, transactions) in [(1, 5), (127, 1_000), (1_000, 12_345), (3_000, 7_777)] {
            let company = company(customers, transactions);
            let process = Process::new(&company);
            let Some(survey) = Survey::new(&process) else { continue };
            let mut lines = survey.returns;
            for chunk in 0..chunks(&process) {
                survey.visit(&process, chunk, |visit| {
                    if let Visit::Order { place, .. } = visit {
                        lines += place.lines();
                    }
                });
            }
            assert_eq!(lines, transactions);
        }
    }

    /// Standard errors allowed between an empirical mean and its theory: left once in 15,000 seeds.
    const STANDARD_ERRORS: f64 = 4.0;

    #[test]
    fn orders_spend_and_dropout_have_the_means_of_the_theory() {
        let company = company(40_000, 400_000);
        let process = Process::new(&company);
        let (mut orders, mut spend) = (Vec::new(), Vec::new());
        for index in 0..40_000 {
            let customer = process.customer(index);
            let mut drawn = process.orders(&customer);
            spend.extend(drawn.by_ref().take(1).map(|order| order.cents(1) as f64 / 100.0));
            orders.push(1.0 + drawn.count() as f64);
        }
        for (name, found, theory) in [("orders", orders, company.orders_per_customer), ("spend", spend, 120.0)] {
            let n = found.len() as f64;
            let mean = found.iter().sum::<f64>() / n;
            let error = (found.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n / n).sqrt();
            assert!((mean - theory).abs() < STANDARD_ERRORS * error, "{name}: {mean} ± {error} is not {theory}");
        }
    }

    #[test]
    fn repeat_purchases_given_rate_and_dropout_have_their_conditional_mean() {
        let company = company(40_000, 400_000);
        let process = Process::new(&company);
        // Σ (X − E[X | λ, p, T]) with E = (1 − e^{−λpT})/p: Fader, Hardie & Lee (2005), equation 8.
        let differences: Vec<f64> = (0..40_000)
            .map(|index| {
                let customer = process.customer(index);
                let weeks = (SPAN_DAYS as f64 - customer.acquired) / 7.0;
                let expected = -libm::expm1(-customer.rate_per_week * customer.dropout * weeks) / customer.dropout;
                let repeats = process.orders(&customer).count() as f64 - 1.0;
                repeats - expected
            })
            .collect();
        let n = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / n;
        let error = (differences.iter().map(|x| x * x).sum::<f64>() / n / n).sqrt();
        assert!(mean.abs() < STANDARD_ERRORS * error, "{mean} ± {error}");
    }

    #[test]
    fn a_first_order_never_ends_a_customer() {
        let company = company(5_000, 50_000);
        let process = Process::new(&company);
        for index in 0..5_000 {
            let customer = process.customer(index);
            let mut orders = process.orders(&customer);
            if orders.by_ref().count() == 1 {
                assert_eq!(orders.dropped, None);
            }
        }
    }

    #[test]
    fn a_share_does_not_overflow() {
        assert_eq!(share(u64::MAX, u64::MAX - 1, u64::MAX), u64::MAX - 1);
        assert_eq!(share(10, 1, 3), 3);
    }
}
