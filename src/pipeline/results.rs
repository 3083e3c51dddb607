//! What a run found out, computed on top of profit: forecast, groups, equity.

use rayon::prelude::*;

use super::{Clock, Ledgers, RunError, forecast::Forecast};
use crate::{
    contract::ContractError,
    equity::{self, WhaleCurve},
    portfolio,
    schema::{costs::CostTable, margins::Margins, settings::Settings},
    units::Minor,
};

/// Everything that a run found out.
pub struct Results {
    pub(super) ledgers: Ledgers,
    pub(super) costs: CostTable,
    pub(super) margins: Margins,
    pub(super) forecast: Option<Forecast>,
    /// Economic profit of each customer.
    pub(super) economic_profit: Vec<Minor>,
    /// Recency, frequency and monetary score of each customer.
    pub(super) scores: [Vec<u8>; 3],
    /// Value tier of each customer.
    pub(super) tier: Vec<u16>,
    /// Names of the customers table's segments.
    pub(super) segments: Vec<String>,
    /// Segment of each customer.
    pub(super) segment: Vec<u16>,
    pub(super) whale: WhaleCurve,
}

/// Segments that joint totals are kept for, at most.
const MAX_SEGMENTS: usize = 200;

impl Results {
    /// Forecast, portfolio and equity.
    ///
    /// # Errors
    /// [`RunError::Forecast`], or [`RunError::Contract`] when there are too many segments.
    pub fn new(
        settings: &Settings,
        ledgers: Ledgers,
        costs: CostTable,
        margins: Margins,
        clock: &mut Clock,
    ) -> Result<Self, RunError> {
        let economic_profit = sum_by_customer(&ledgers.facts.first_cell, &margins.economic_profit);
        let mut forecast = match &settings.forecast {
            Some(setting) => Some(Forecast::new(settings, setting, &ledgers, &margins, clock)?),
            None => None,
        };
        clock.start("portfolio", Some(ledgers.customers.len() as u64));
        let groups = settings.portfolio.rfm_groups;
        let scores = [
            portfolio::scores(&ledgers.facts.last_purchase, groups),
            portfolio::scores(&ledgers.facts.purchase_days, groups),
            portfolio::scores(&ledgers.facts.net_revenue, groups),
        ];
        let tiers = &settings.portfolio.value_tiers;
        let tier = match &forecast {
            Some(forecast) => {
                let value: Vec<Minor> = (0..ledgers.customers.len()).map(|row| forecast.expected_of(row)).collect();
                portfolio::tiers(&value, tiers)
            }
            None => portfolio::tiers(&economic_profit, tiers),
        };
        let (segments, segment) = segment_numbers(&ledgers)?;
        if let (Some(forecast), Some(setting)) = (&mut forecast, &settings.forecast)
            && setting.paths > 0
        {
            let segmentations = [(tier.as_slice(), tiers.len() as u16), (&segment, segments.len() as u16)];
            forecast.simulate(settings, setting, segmentations, clock)?;
        }
        clock.start("equity", Some(ledgers.customers.len() as u64));
        let whale = equity::whale_curve(&economic_profit);
        Ok(Self { ledgers, costs, margins, forecast, economic_profit, scores, tier, segments, segment, whale })
    }
}

/// Sums of a cell column by customer.
pub(super) fn sum_by_customer(first_cell: &[usize], column: &[i64]) -> Vec<i64> {
    first_cell.par_windows(2).map(|range| column[range[0]..range[1]].iter().sum()).collect()
}

/// Names and numbers of the customers table's segments; customers without one are in `(none)`.
fn segment_numbers(ledgers: &Ledgers) -> Result<(Vec<String>, Vec<u16>), RunError> {
    let none = "(none)".to_owned();
    let Some(segment) = &ledgers.segment else { return Ok((vec![none], vec![0; ledgers.customers.len()])) };
    let mut names: Vec<String> = segment.iter().map(|name| name.clone().unwrap_or_else(|| none.clone())).collect();
    names.par_sort_unstable();
    names.dedup();
    if names.len() > MAX_SEGMENTS {
        let what =
            format!("customers: `segment` has {} distinct values, at most {MAX_SEGMENTS} are allowed", names.len());
        return Err(ContractError::Setting(what).into());
    }
    let number = |name: &Option<String>| names.partition_point(|other| other < name.as_ref().unwrap_or(&none)) as u16;
    let numbers = segment.par_iter().map(number).collect();
    Ok((names, numbers))
}
