//! Purchase histories of customers, and the counts of equal ones.

use rayon::prelude::*;

use super::{error::ForecastError, summary::Summary};
use crate::{
    schema::{
        facts::{CustomerFacts, NO_DAY},
        purchases::PurchaseLog,
    },
    units::Day,
};

/// Purchase histories of the customers that have one.
#[derive(Clone, Debug, Default)]
pub struct Histories {
    /// Row of each in the customers of the run.
    pub customer: Vec<u32>,
    /// Repeat purchase days x.
    pub frequency: Vec<u32>,
    /// Last − first purchase, days.
    pub recency: Vec<u32>,
    /// `as_of` − first purchase, days.
    pub age: Vec<u32>,
}

impl Histories {
    /// Histories of the purchases up to the end of `as_of`.
    #[must_use]
    pub fn up_to(log: &PurchaseLog, as_of: Day) -> Self {
        let mut histories = Self::default();
        for customer in 0..log.customers() {
            let days = log.of(customer);
            let days = &days[..days.partition_point(|day| *day <= as_of)];
            if let (Some(first), Some(last)) = (days.first(), days.last()) {
                histories.customer.push(customer as u32);
                histories.frequency.push(days.len() as u32 - 1);
                histories.recency.push(last.abs_diff(*first));
                histories.age.push(as_of.abs_diff(*first));
            }
        }
        histories
    }

    /// `Σ ln` of the days between successive purchases, one row a history.
    #[must_use]
    pub fn ln_gaps(&self, log: &PurchaseLog) -> Vec<f64> {
        let gap = |pair: &[Day]| libm::log(f64::from(pair[1].abs_diff(pair[0])));
        let sum = |(customer, frequency): (&u32, &u32)| {
            log.of(*customer as usize)[..=*frequency as usize].windows(2).map(gap).sum()
        };
        self.customer.par_iter().zip(&self.frequency).map(sum).collect()
    }

    /// Each history of a summary once, in its order; of nobody in particular.
    pub(super) fn distinct(summary: &Summary) -> Self {
        let mut histories = Self::default();
        for (history, _) in summary.iter() {
            histories.frequency.push(history.frequency);
            histories.recency.push(history.recency);
            histories.age.push(history.age);
        }
        histories
    }

    /// Histories at the end of `as_of`.
    #[must_use]
    pub fn new(facts: &CustomerFacts, as_of: Day) -> Self {
        let mut histories = Self::default();
        for (row, first) in facts.first_purchase.iter().enumerate().filter(|(_, first)| **first != NO_DAY) {
            histories.customer.push(row as u32);
            histories.frequency.push(facts.purchase_days[row].saturating_sub(1));
            histories.recency.push(facts.last_purchase[row].abs_diff(*first));
            histories.age.push(as_of.abs_diff(*first));
        }
        histories
    }
}

/// Counts of equal histories.
///
/// # Errors
/// [`ForecastError::NoPurchases`], [`ForecastError::Summary`].
pub fn summary_of(histories: &Histories) -> Result<Summary, ForecastError> {
    if histories.customer.is_empty() {
        return Err(ForecastError::NoPurchases);
    }
    let mut summary = Summary::new();
    summary.insert(&histories.frequency, &histories.recency, &histories.age)?;
    Ok(summary)
}
