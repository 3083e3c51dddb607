//! Monte Carlo lifetime value under contract: how long each customer stays, drawn from what is known of its tenure.
//!
//! A path's value is the contribution of a period times what the periods up to its level of chance are worth
//! (`stratified`), which falls as the level rises; so the error of a customer's mean is at most its
//! range over `2n`, not its deviation over `√n`.

use super::contract_calendar::ContractCalendar;
use super::contract_model::{ContractModel, Future};
use super::lifetime::LifetimeError;
use super::simulate::{Segmentation, Simulation};
use super::spells::Ongoing;
use super::stratified::{self, Futures, Strata};
use crate::numeric::philox::Stream;

/// Purpose of this module's random streams.
const PURPOSE: u64 = 0x636f_6e74_7261_6374;

/// What to simulate.
#[derive(Debug, Clone, PartialEq)]
pub struct ContractSettings {
    /// The calendar.
    pub calendar: ContractCalendar,
    /// Models that rule the paths: the fitted one, or one a draw of its parameters.
    pub models: Vec<ContractModel>,
    /// Paths and what is told of them.
    pub strata: Strata,
}

/// One slice a property, one row a customer.
#[derive(Debug, Clone, Copy)]
pub struct ContractCustomers<'a> {
    /// The different contracts that go on, in any order; not one a customer.
    pub contracts: &'a [Ongoing],
    /// Number of the contract that goes on, among `contracts`; `None` for one who has left.
    pub contract: &'a [Option<u32>],
    /// Contribution of a period under contract, major units.
    pub contribution: &'a [f64],
    /// Stable key of the customer, for its random stream.
    pub key: &'a [u64],
}

impl ContractCustomers<'_> {
    fn check(&self) -> Result<(), LifetimeError> {
        let expected = self.contract.len();
        for (column, found) in [("contribution", self.contribution.len()), ("key", self.key.len())] {
            if found != expected {
                return Err(LifetimeError::Length { column, found, expected });
            }
        }
        match self.contribution.iter().position(|contribution| !contribution.is_finite()) {
            Some(row) => Err(LifetimeError::Range { column: "contribution", row, rule: "it must be finite" }),
            None => Ok(()),
        }
    }
}

/// Simulate the lifetime value of every customer under contract; one who has left is worth 0.
///
/// Results depend on the settings and each customer's row alone.
///
/// * `progress`: told the customers done so far, from any thread.
///
/// # Errors
/// [`LifetimeError`] of lengths, of a contribution or discount rate that is no number, of too few paths.
pub fn simulate(
    settings: &ContractSettings,
    customers: &ContractCustomers<'_>,
    segmentations: &[Segmentation<'_>],
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Simulation, LifetimeError> {
    customers.check()?;
    let histories = customers.contract.iter().map(|number| number.map(i64::from)).collect();
    let futures = UnderContract { settings, customers: *customers, histories };
    stratified::simulate(&settings.strata, &futures, segmentations, progress)
}

struct UnderContract<'a> {
    settings: &'a ContractSettings,
    customers: ContractCustomers<'a>,
    /// Number of each customer's contract.
    histories: Vec<Option<i64>>,
}

impl Futures for UnderContract<'_> {
    type Ahead = Future;

    fn histories(&self) -> &[Option<i64>] {
        &self.histories
    }

    fn models(&self) -> usize {
        self.settings.models.len()
    }

    fn ahead(&self, history: i64) -> Result<Vec<Future>, LifetimeError> {
        let ContractSettings { calendar, models, .. } = self.settings;
        if !(calendar.delta.is_finite() && calendar.delta >= 0.0) {
            let rule = "it must be finite and not negative";
            return Err(LifetimeError::Setting { setting: "delta", rule });
        }
        Ok(models.iter().map(|model| model.future(self.customers.contracts[history as usize], calendar)).collect())
    }

    fn value(&self, ahead: &Future, row: usize, level: f64, _: &mut Stream) -> f64 {
        self.customers.contribution[row] * ahead.worth(level)
    }

    fn mean_error(&self, ahead: &Future, row: usize, _: f64, paths: f64) -> f64 {
        self.customers.contribution[row].abs() * (ahead.worth(f64::MIN_POSITIVE) - ahead.worth(1.0)) / (2.0 * paths)
    }

    fn keys(&self) -> &[u64] {
        self.customers.key
    }

    fn purpose(&self) -> u64 {
        PURPOSE
    }
}
