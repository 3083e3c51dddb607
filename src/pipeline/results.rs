//! What a run found out, computed on top of profit: forecast, groups, equity.

use rayon::prelude::*;

use super::{
    Audit, Clock, Ledgers, RunError,
    cuts::Cut,
    decisions::Decisions,
    foretold::{Foretold, Valuation},
    objects::ObjectResults,
    potentials,
};
use crate::{
    allocate::CostPlan,
    equity::{self, WhaleCurve, bridge::Steps},
    portfolio,
    schema::{costs::LayerCosts, margins::Margins, potentials::Potentials, settings::Settings},
    units::Minor,
};

/// Cost of every cell: the plan for any slice of them, and the sums by margin layer.
pub(super) struct Costs {
    pub(super) plan: CostPlan,
    pub(super) layers: LayerCosts,
}

/// Everything that a run found out.
pub struct Results {
    pub(super) audit: Audit,
    /// Fits and expectations of purchases, which every world shares.
    pub(super) forecast: Option<Foretold>,
    /// The run as it is.
    pub(super) base: Findings,
    /// What-if beside the base.
    pub(super) scene: Option<Findings>,
    /// What was decided in the base.
    pub(super) decisions: Decisions,
}

/// What was found out of one world: the run as it is, or under a scenario.
pub(super) struct Findings {
    pub(super) ledgers: Ledgers,
    pub(super) costs: Costs,
    pub(super) margins: Margins,
    /// Lifetime values; `None` without a forecast.
    pub(super) value: Option<Valuation>,
    /// Economic profit of each customer.
    pub(super) economic_profit: Vec<Minor>,
    /// Recency, frequency and monetary score of each customer.
    pub(super) scores: [Vec<u8>; 3],
    /// Value tier of each customer.
    pub(super) tier: Vec<u16>,
    /// What customers are good for; empty until it is looked ahead.
    pub(super) potentials: Potentials,
    pub(super) whale: WhaleCurve,
    /// Cohorts, and channels.
    pub(super) cuts: Vec<Cut>,
    /// The bridge of every customer, where one is wanted.
    pub(super) bridge: Option<Vec<Steps>>,
    /// Products, or what else is costed, with their costs.
    pub(super) objects: Option<ObjectResults>,
}

/// Positions of the segmentations in the joint totals of a simulation.
pub(super) const TIERS: usize = 0;
pub(super) const SEGMENTS: usize = 1;
/// Tiers of the base, in a scenario.
pub(super) const BASE_TIERS: usize = 2;

impl Findings {
    /// Profit alone.
    pub(super) fn new(ledgers: Ledgers, costs: Costs, margins: Margins) -> Self {
        let economic_profit = sum_by_customer(&ledgers.facts.first_cell, &margins.economic_profit);
        let whale = equity::whale_curve(&economic_profit);
        let (value, objects, scores, tier) = (None, None, Default::default(), Vec::new());
        let (cuts, bridge, potentials) = (Vec::new(), None, Potentials::default());
        Self { ledgers, costs, margins, value, economic_profit, scores, tier, potentials, whale, cuts, bridge, objects }
    }

    /// Lifetime values, scores, tiers and joint totals.
    ///
    /// * `base`: tiers of the base, in a scenario, whose totals are kept by them too.
    /// * `prices`: factor on what each customer spends.
    ///
    /// # Errors
    /// [`RunError::Forecast`]; [`RunError::Contract`] for too many cohorts.
    pub(super) fn look_ahead(
        &mut self,
        settings: &Settings,
        forecast: Option<&Foretold>,
        (base, prices): (Option<&[u16]>, Option<&[f64]>),
        clock: &mut Clock,
    ) -> Result<(), RunError> {
        let forecast = forecast.zip(settings.forecast.as_ref());
        self.value = match forecast {
            Some((forecast, _)) => {
                Some(forecast.value(settings, &self.ledgers, (&self.margins, &self.costs.layers), prices)?)
            }
            None => None,
        };
        clock.start("potential", Some(self.ledgers.customers.len() as u64));
        self.potentials = potentials::of(settings, forecast.map(|(forecast, _)| forecast), self)?;
        clock.start("portfolio", Some(self.ledgers.customers.len() as u64));
        let (facts, groups) = (&self.ledgers.facts, settings.portfolio.rfm_groups);
        self.scores = [
            portfolio::scores(&facts.last_purchase, groups),
            portfolio::scores(&facts.purchase_days, groups),
            portfolio::scores(&facts.net_revenue, groups),
        ];
        let tiers = &settings.portfolio.value_tiers;
        self.tier = match (&self.value, forecast) {
            (Some(value), Some((forecast, _))) => portfolio::tiers(&forecast.by_customer(&value.expected), tiers),
            _ => portfolio::tiers(&self.economic_profit, tiers),
        };
        self.cuts = self.ledgers.cuts(settings.equity.cohort, BASE_TIERS + usize::from(base.is_some()))?;
        if let (Some((forecast, setting)), Some(value)) = (forecast, &mut self.value)
            && setting.paths > 0
        {
            let (count, segments) = (tiers.len() as u16, self.ledgers.segment_names.len() as u16);
            let mut segmentations = vec![(self.tier.as_slice(), count), (self.ledgers.segment_of.as_slice(), segments)];
            segmentations.extend(base.map(|tier| (tier, count)));
            segmentations.extend(self.cuts.iter().map(|cut| (cut.of.as_slice(), cut.names.len() as u16)));
            forecast.simulate(settings, setting, value, &segmentations, clock)?;
        }
        Ok(())
    }

    /// The bridge of equity, where the settings ask for one.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn build_bridge(
        &mut self,
        settings: &Settings,
        forecast: Option<&Foretold>,
        clock: &mut Clock,
    ) -> Result<(), RunError> {
        if settings.equity.bridge.is_some()
            && settings.writes("equity_bridge")
            && let (Some(forecast), Some(value)) = (forecast, &self.value)
        {
            clock.start("bridge", Some(self.ledgers.customers.len() as u64));
            self.bridge = forecast.bridge(settings, &self.ledgers, (&self.margins, &self.costs.layers), value)?;
        }
        Ok(())
    }
}

/// Sums of a cell column by customer.
pub(super) fn sum_by_customer(first_cell: &[usize], column: &[i64]) -> Vec<i64> {
    first_cell.par_windows(2).map(|range| column[range[0]..range[1]].iter().sum()).collect()
}
