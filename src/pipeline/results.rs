//! What a run found out, computed on top of profit: forecast, groups, equity.

use std::ops::Range;

use rayon::prelude::*;

use super::{
    Audit, Clock, Ledgers, RunError,
    decisions::Decisions,
    foretold::{Foretold, Valuation},
    objects::ObjectResults,
    portfolio::Alternative,
    potentials, segmentation,
};
use crate::{
    allocate::CostPlan,
    equity::{self, WhaleCurve, bridge::Steps},
    portfolio,
    schema::{
        costs::LayerCosts,
        facts::NO_DAY,
        margins::Margins,
        period::{Period, PeriodKind},
        portfolio::Portfolio,
        potentials::Potentials,
        segmentation::Segmentation,
        settings::Settings,
    },
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
    /// Portfolio analysis and roles; empty until it is looked ahead.
    pub(super) portfolio: Portfolio,
    /// Every way of putting customers into groups, sorted by name, with its place in the joint totals.
    pub(super) segmentations: Vec<(Segmentation, Option<usize>)>,
    /// What customers are good for; empty until it is looked ahead.
    pub(super) potentials: Potentials,
    pub(super) whale: WhaleCurve,
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
        let bridge = None;
        let (potentials, portfolio, segmentations) = (Potentials::default(), Portfolio::default(), Vec::new());
        Self {
            ledgers,
            costs,
            margins,
            value,
            economic_profit,
            scores,
            tier,
            portfolio,
            segmentations,
            potentials,
            whale,
            bridge,
            objects,
        }
    }

    /// Lifetime values, scores, tiers and joint totals; nothing of them where no dataset tells of groups.
    ///
    /// * `beside`: what is known of the other world.
    ///
    /// # Errors
    /// [`RunError::Forecast`].
    pub(super) fn look_ahead(
        &mut self,
        settings: &Settings,
        forecast: Option<&Foretold>,
        beside: Beside<'_>,
        clock: &mut Clock,
    ) -> Result<(), RunError> {
        if !settings.groups_customers() {
            return Ok(());
        }
        let forecast = forecast.zip(settings.forecast.as_ref());
        self.value = match forecast {
            Some((forecast, _)) => {
                Some(forecast.value(settings, &self.ledgers, (&self.margins, &self.costs.layers), beside.prices)?)
            }
            None => None,
        };
        if let Some(((forecast, _), value)) = forecast.zip(self.value.as_ref()) {
            self.ledgers.check_market(&forecast.by_customer(&value.expected))?;
        }
        clock.start("potential", Some(self.ledgers.customers.len() as u64));
        self.potentials = potentials::of(settings, forecast.map(|(forecast, _)| forecast), self)?;
        clock.start("portfolio", Some(self.ledgers.customers.len() as u64));
        self.scores = scores(settings, &self.ledgers);
        let (tiers, by) = (&settings.portfolio.value_tiers, &settings.portfolio.tiers_by);
        self.tier = match (&self.value, forecast) {
            (Some(value), Some((forecast, _))) => portfolio::tiers(&forecast.by_customer(&value.expected), tiers, by),
            _ => portfolio::tiers(&self.economic_profit, tiers, by),
        };
        let foretold = forecast.map(|(forecast, _)| forecast);
        self.portfolio = super::portfolio::of(settings, foretold, self, beside.alternative);
        self.segmentations = segmentation::of(settings, self);
        self.segmentations.push((self.ledgers.cohort(settings.equity.cohort), None));
        let own = segmentation::own(settings, foretold, self, false)?;
        self.segmentations.extend(own.into_iter().map(|own| (own, None)));
        if let (Some((forecast, setting)), Some(value)) = (forecast, &mut self.value)
            && setting.paths > 0
        {
            let (count, segments) = (tiers.len() as u16, self.ledgers.segment_names.len() as u16);
            let mut segmentations = vec![(self.tier.as_slice(), count), (self.ledgers.segment_of.as_slice(), segments)];
            segmentations.extend(beside.tiers.map(|tier| (tier, count)));
            // Of others, those that are few enough to keep a total of every path.
            let mut more = Vec::new();
            for (segmentation, place) in &mut self.segmentations {
                let wanted = settings.writes("segment_value") && segmentation.groups.len() <= MAX_JOINT;
                if place.is_none() && wanted {
                    *place = Some(segmentations.len() + more.len());
                    let of: Vec<u16> = segmentation.of.iter().map(|group| *group as u16).collect();
                    more.push((of, segmentation.groups.len() as u16));
                }
            }
            segmentations.extend(more.iter().map(|(of, groups)| (of.as_slice(), *groups)));
            forecast.simulate(settings, setting, value, &segmentations, clock)?;
        }
        let late = segmentation::own(settings, foretold, self, true)?;
        self.segmentations.extend(late.into_iter().map(|late| (late, None)));
        self.segmentations.sort_by_key(|(segmentation, _)| segmentation.name);
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
            let money = (&self.margins, &self.costs.layers);
            self.bridge = super::bridge::steps(settings, &self.ledgers, forecast, money, value)?;
        }
        Ok(())
    }
}

/// What is known of the other world, where there are two.
#[derive(Clone, Copy, Default)]
pub(super) struct Beside<'a> {
    /// Value tiers of the base, in a scenario, whose totals are kept by them too.
    pub(super) tiers: Option<&'a [u16]>,
    /// Factor on what each customer spends, in a scenario.
    pub(super) prices: Option<&'a [f64]>,
    /// What the scenario would leave of every customer, in the base.
    pub(super) alternative: Option<&'a Alternative<'a>>,
}

/// Groups of a segmentation that joint totals are kept for, at most.
const MAX_JOINT: usize = 200;

/// Recency, frequency and monetary scores, by equal groups or by fixed cuts.
fn scores(settings: &Settings, ledgers: &Ledgers) -> [Vec<u8>; 3] {
    let facts = &ledgers.facts;
    let Some(cuts) = &settings.portfolio.rfm_cuts else {
        let groups = settings.portfolio.rfm_groups;
        return [
            portfolio::scores(&facts.last_purchase, groups),
            portfolio::scores(&facts.purchase_days, groups),
            portfolio::scores(&facts.net_revenue, groups),
        ];
    };
    // The fewer days ago, the better: a cut of 30 days is reached on the day 30 days before `as_of`.
    let mut reached: Vec<i64> = cuts.recency.iter().map(|days| i64::from(ledgers.as_of) - days).collect();
    reached.reverse();
    let last: Vec<i64> = facts.last_purchase.iter().map(|day| i64::from(*day)).collect();
    let bought: Vec<i64> = facts.purchase_days.iter().map(|days| i64::from(*days)).collect();
    [
        portfolio::cut_scores(&last, &reached),
        portfolio::cut_scores(&bought, &cuts.frequency),
        portfolio::cut_scores(&facts.net_revenue, &cuts.monetary),
    ]
}

/// Sums of a cell column by customer.
pub(super) fn sum_by_customer(first_cell: &[usize], column: &[i64]) -> Vec<i64> {
    first_cell.par_windows(2).map(|range| column[range[0]..range[1]].iter().sum()).collect()
}

impl Ledgers {
    /// The same of what is worked out of a cell, over the cells whose period counts.
    pub(super) fn sum_within(
        &self,
        counts: impl Fn(&Period) -> bool + Sync,
        of: impl Fn(usize) -> Minor + Sync,
    ) -> Vec<Minor> {
        self.sum_where(|cell| counts(&self.cells.period[cell]), of)
    }

    /// The same over the cells that count.
    pub(super) fn sum_where(
        &self,
        counts: impl Fn(usize) -> bool + Sync,
        of: impl Fn(usize) -> Minor + Sync,
    ) -> Vec<Minor> {
        let sum = |cells: Range<usize>| cells.filter(|cell| counts(*cell)).map(&of).sum();
        self.facts.first_cell.par_windows(2).map(|range| sum(range[0]..range[1])).collect()
    }

    /// Whether each customer has bought, or had a contract.
    pub(super) fn have_come(&self) -> Vec<bool> {
        let mut come: Vec<bool> = self.facts.first_purchase.iter().map(|day| *day != NO_DAY).collect();
        for contract in self.contracts.iter().flat_map(|contracts| contracts.iter()) {
            come[contract.customer as usize] = true;
        }
        come
    }

    /// Whether a cell is of the present: of the last 12 whole months or 4 whole quarters; any cell where the run's period is
    /// neither, and of a customer who bought first after them.
    pub(super) fn is_present(&self, kind: PeriodKind) -> impl Fn(usize) -> bool + Sync {
        let year = kind.last_year(self.as_of);
        move |cell| {
            year.as_ref().is_none_or(|year| {
                let came = self.facts.first_purchase[self.cells.customer[cell] as usize];
                year.contains(&self.cells.period[cell]) || came != NO_DAY && kind.of(came) >= year.end
            })
        }
    }
}
