//! A customer not yet acquired who comes under contract, or who may buy at opportunities.
//!
//! Under contract with renewals the first period is paid for on the first day, and the `j`-th renewal comes up at `t_j`:
//!
//! * periods paid for up to the horizon `1 + Σ_j S(j)`, discounted `1 + Σ_j S(j) e^{−δ t_j}`;
//! * in continuous time the time under contract `∫ S(u) du`, discounted `∫ S(u) e^{−δu} du`, from 0 to the horizon;
//! * contribution: of a period, net of all cost to serve and to keep, times the discounted periods.
//!
//! Who may buy at opportunities makes the first purchase at one, and is as any customer after it (`x = t_x = n = 0`): purchases
//! `1 + E[X]`, opportunities that it lives to see `1 + Σ_j S(j)`, each worth `f_j` at `j`; contribution
//! `c (1 + DET) − u (1 + DALIVE)` at a contribution `c` of a purchase and a cost `u` of keeping a customer for an opportunity.
//!
//! As for purchases at any time ([`newcomer`](super::newcomer)) the first one counts in full, and what follows is counted and
//! discounted from it.
//!
//! ```
//! use whalecurve::forecast::beta_geometric::ShiftedBetaGeometric;
//! use whalecurve::forecast::contract_calendar::ContractCalendar;
//! use whalecurve::forecast::contract_model::ContractModel;
//! use whalecurve::schema::forecasting::Discounting;
//! use whalecurve::schema::renewals::RenewalTerm;
//!
//! // Fader & Hardie (2010): 3.695 discounted years of a new customer at 10 % a year, here of the first century.
//! let model = ContractModel::BetaGeometric(ShiftedBetaGeometric { alpha: 0.704, beta: 1.182 });
//! let calendar = ContractCalendar {
//!     as_of: 0,
//!     term: RenewalTerm::Months(12),
//!     days_per_unit: 365.25,
//!     horizon_days: 36_525,
//!     delta: 1.1_f64.ln(),
//!     discounting: Discounting::Continuous,
//! };
//! assert!((model.newcomer(&calendar)?.discounted_purchases - 3.695).abs() < 0.002);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Source: Fader & Hardie, Customer-Base Valuation in a Contractual Setting, Marketing Science 29 (2010), 85–93, section 2; Fader,
//! Hardie & Shang, Marketing Science 29 (2010), 1086–1108.

use super::beta_geometric::DiscountError;
use super::bg_bb::BgBb;
use super::contract_calendar::ContractCalendar;
use super::contract_model::ContractModel;
use super::contribution::Rates;
use super::newcomer::{NewCustomer, Newcomer};
use super::opportunities::DiscreteHistory;

impl ContractModel {
    /// What is expected of a customer whose contract begins on the calendar's `as_of`.
    ///
    /// Purchases are periods paid for, in continuous time the time under contract, and so is the time alive.
    ///
    /// # Errors
    /// [`DiscountError`] of a rate that is negative or no number.
    pub fn newcomer(&self, calendar: &ContractCalendar) -> Result<Newcomer, DiscountError> {
        let prospect = self.new_prospect(calendar)?;
        let discounted_purchases = prospect.discounted;
        Ok(Newcomer { purchases: prospect.expected, discounted_purchases, discounted_alive_time: discounted_purchases })
    }
}

impl BgBb {
    /// What is expected of a customer whose first purchase is at an opportunity now.
    ///
    /// The time alive is the opportunities that it lives to see, the first one counted.
    ///
    /// * `worth`: what a unit at each opportunity to come is worth.
    #[must_use]
    pub fn newcomer(&self, worth: &[f64]) -> Newcomer {
        let first = DiscreteHistory { opportunities: 0, frequency: 0, recency: 0 };
        let ahead = self.expected(first, worth, None);
        Newcomer {
            purchases: 1.0 + ahead.purchases,
            discounted_purchases: 1.0 + ahead.discounted_purchases,
            discounted_alive_time: 1.0 + ahead.discounted_life,
        }
    }
}

/// What the next customer of each group is expected to bring, by one model for all.
///
/// * `group`: of each customer, below the number of groups.
/// * `spend`, `rates`: of a period or purchase, one row a group, major units.
#[must_use]
pub fn new_customers(newcomer: Newcomer, group: &[u32], spend: &[f64], rates: &Rates) -> Vec<NewCustomer> {
    let mut customers = vec![0; spend.len()];
    for group in group {
        customers[*group as usize] += 1;
    }
    let Newcomer { purchases, discounted_purchases, discounted_alive_time } = newcomer;
    let one = |(group, customers): (usize, u64)| NewCustomer {
        customers,
        purchases,
        spend: spend[group] * purchases,
        value: (rates.margin_rate[group] * spend[group] - rates.order_cost[group]) * discounted_purchases
            - rates.sustaining_rate[group] * discounted_alive_time,
        discounted_purchases,
        discounted_alive_time,
        mean_spend: spend[group],
    };
    customers.into_iter().enumerate().map(one).collect()
}
