//! What a run found out, computed on top of profit: forecast, groups, equity.

use rayon::prelude::*;

use super::{Clock, Ledgers, RunError, foretold::Foretold, objects::ObjectResults, scenario::Scene};
use crate::{
    allocate::CostPlan,
    equity::{self, WhaleCurve},
    portfolio,
    schema::{costs::LayerCosts, margins::Margins, settings::Settings},
    units::Minor,
};

/// Cost of every cell: the plan for any slice of them, and the sums by margin layer.
pub(super) struct Costs {
    pub(super) plan: CostPlan,
    pub(super) layers: LayerCosts,
}

/// Everything that a run found out.
pub struct Results {
    pub(super) ledgers: Ledgers,
    pub(super) costs: Costs,
    pub(super) margins: Margins,
    pub(super) forecast: Option<Foretold>,
    /// Economic profit of each customer.
    pub(super) economic_profit: Vec<Minor>,
    /// Recency, frequency and monetary score of each customer.
    pub(super) scores: [Vec<u8>; 3],
    /// Value tier of each customer.
    pub(super) tier: Vec<u16>,
    pub(super) whale: WhaleCurve,
    /// What-if beside the base.
    pub(super) scene: Option<Scene>,
    /// Products with their costs, when the ledger names them.
    pub(super) products: Option<ObjectResults>,
}

impl Results {
    /// Forecast, portfolio and equity.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn new(
        settings: &Settings,
        ledgers: Ledgers,
        costs: Costs,
        margins: Margins,
        clock: &mut Clock,
    ) -> Result<Self, RunError> {
        let economic_profit = sum_by_customer(&ledgers.facts.first_cell, &margins.economic_profit);
        let mut forecast = match &settings.forecast {
            Some(setting) => Some(Foretold::new(settings, setting, &ledgers, (&margins, &costs.layers), clock)?),
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
        if let (Some(forecast), Some(setting)) = (&mut forecast, &settings.forecast)
            && setting.paths > 0
        {
            let segmentations = [
                (tier.as_slice(), tiers.len() as u16),
                (ledgers.segment_of.as_slice(), ledgers.segment_names.len() as u16),
            ];
            forecast.simulate(settings, setting, segmentations, clock)?;
        }
        clock.start("equity", Some(ledgers.customers.len() as u64));
        let whale = equity::whale_curve(&economic_profit);
        let (scene, products) = (None, None);
        Ok(Self { ledgers, costs, margins, forecast, economic_profit, scores, tier, whale, scene, products })
    }

    /// Profit alone.
    pub(super) fn without_forecast(ledgers: Ledgers, costs: Costs, margins: Margins) -> Self {
        let economic_profit = sum_by_customer(&ledgers.facts.first_cell, &margins.economic_profit);
        let whale = equity::whale_curve(&economic_profit);
        let (forecast, scene, products, scores, tier) = (None, None, None, Default::default(), Vec::new());
        Self { ledgers, costs, margins, forecast, economic_profit, scores, tier, whale, scene, products }
    }
}

/// Sums of a cell column by customer.
pub(super) fn sum_by_customer(first_cell: &[usize], column: &[i64]) -> Vec<i64> {
    first_cell.par_windows(2).map(|range| column[range[0]..range[1]].iter().sum()).collect()
}
