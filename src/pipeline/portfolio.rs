//! The portfolio analysis and the strategic roles of every customer.

use rayon::prelude::*;

use super::{
    Ledgers,
    foretold::Foretold,
    results::{Findings, sum_by_customer},
};
use crate::{
    allocate::CostPlan,
    numeric::decimal::{Decimal, divide_half_even},
    portfolio::{
        analysis::{best_way, future_threshold, group},
        roles,
    },
    potential::networking::{PassOn, pass_on},
    schema::{
        costing::{ActivitySetting, Behaviour},
        portfolio::{AnalysisSettings, Portfolio, Roles, WayToServe},
        relations::SHARE_SCALE,
        settings::Settings,
    },
    units::{Minor, QUANTITY_SCALE},
};

/// Customers whose costs are taken at once.
const CUSTOMERS: usize = 65_536;

/// What another world would leave of every customer now, with its name.
pub(super) struct Alternative<'a> {
    pub(super) name: &'a str,
    pub(super) present: Vec<Minor>,
}

/// Economic profit before acquisition cost: of the last 12 whole months or 4 whole quarters, else to date; to date also of who
/// came after them, in the period that `as_of` cuts.
pub(super) fn present_profit(settings: &Settings, found: &Findings) -> Vec<Minor> {
    let (ledgers, margins) = (&found.ledgers, &found.margins);
    let profit = |cell: usize| margins.economic_profit[cell] + margins.economic.acquisition_cost[cell];
    ledgers.sum_where(ledgers.is_present(settings.period), profit)
}

/// Group, best way to serve and roles of every customer.
///
/// * `alternative`: the what-if beside the base, where there is one.
pub(super) fn of(
    settings: &Settings,
    forecast: Option<&Foretold>,
    found: &Findings,
    alternative: Option<&Alternative<'_>>,
) -> Portfolio {
    let setting = &settings.portfolio;
    let present = present_profit(settings, found);
    let growth = found.potentials.growth();
    let future_at_least = setting.analysis.future_at_least.or_else(|| future_threshold(growth?));
    let cut = AnalysisSettings { future_at_least, ..setting.analysis };
    let profits = served(settings, found, &present);
    let (mut ways, other): (Vec<String>, _) =
        (setting.ways_to_serve.iter().map(|way| way.name.clone()).collect(), ways_of(alternative));
    ways.extend(other);
    let best = |row: usize| {
        if present[row] > cut.present_above {
            return None;
        }
        let config = profits.iter().map(|profit| profit[row]);
        let (number, profit) = best_way(present[row], config.chain(alternative.map(|other| Some(other.present[row]))))?;
        Some((number as u16, profit))
    };
    let best_way: Vec<Option<(u16, Minor)>> = (0..present.len()).map(best).collect();
    let group = growth.map(|growth| {
        let of = |row: usize| group(present[row], growth[row], best_way[row].map(|(_, profit)| profit), cut);
        (0..present.len()).map(of).collect()
    });
    let fixed = sum_by_customer(&found.ledgers.facts.first_cell, found.costs.layers.fixed());
    let roles = roles_of(settings, forecast, found, &fixed);
    Portfolio { present, group, best_way, ways, roles }
}

fn ways_of(alternative: Option<&Alternative<'_>>) -> Option<String> {
    alternative.map(|other| other.name.to_owned())
}

/// What each way to serve would leave of every customer, by way; `None` where that leaves 64 bits.
///
/// Costs at unchanged rates: `profit + Σ cost · (1 − factor)` over the activities that a way changes and whose cost would
/// really change, rounded once a customer and way, half to even.
fn served(settings: &Settings, found: &Findings, present: &[Minor]) -> Vec<Vec<Option<Minor>>> {
    let (ledgers, plan) = (&found.ledgers, &found.costs.plan);
    let ways = saved_by_ways(settings, plan);
    if ways.is_empty() {
        return Vec::new();
    }
    let ground = ledgers.ground(settings);
    let is_present = ledgers.is_present(settings.period);
    let first = &ledgers.facts.first_cell;
    let starts: Vec<usize> = (0..present.len()).step_by(CUSTOMERS).collect();
    let parts: Vec<Vec<Vec<i128>>> = starts
        .into_par_iter()
        .map(|start| {
            let customers = start..present.len().min(start + CUSTOMERS);
            let cells = first[customers.start]..first[customers.end];
            let costs = plan.costs_of(&ground, &cells, |number| ways.iter().any(|way| way[number] != 0));
            let mut savings = vec![vec![0_i128; customers.len()]; ways.len()];
            for cell in cells.clone() {
                if !is_present(cell) {
                    continue;
                }
                let at = ledgers.cells.customer[cell] as usize - start;
                for (number, cost) in costs.iter().enumerate() {
                    let Some(cost) = cost else { continue };
                    for (way, saving) in ways.iter().zip(&mut savings) {
                        saving[at] += i128::from(cost[cell - cells.start]) * i128::from(way[number]);
                    }
                }
            }
            savings
        })
        .collect();
    let mut profits: Vec<Vec<Option<Minor>>> = vec![Vec::with_capacity(present.len()); ways.len()];
    for savings in parts {
        for (profits, savings) in profits.iter_mut().zip(savings) {
            let profit = |(saving, present): (i128, &Minor)| {
                Minor::try_from(i128::from(*present) + divide_half_even(saving, i128::from(SHARE_SCALE))).ok()
            };
            let start = profits.len();
            profits.extend(savings.into_iter().zip(&present[start..]).map(profit));
        }
    }
    profits
}

/// What each way to serve saves of each activity's cost, as [`saved`] tells.
pub(super) fn saved_by_ways(settings: &Settings, plan: &CostPlan) -> Vec<Vec<i64>> {
    let ways = settings.portfolio.ways_to_serve.iter();
    let of = |way| plan.activities.iter().map(|activity| saved(way, &activity.name, &activity.setting)).collect();
    ways.map(of).collect()
}

/// What a way saves of an activity's cost, a unit of it being [`SHARE_SCALE`]: nothing of what would not change.
fn saved(way: &WayToServe, name: &str, setting: &ActivitySetting) -> i64 {
    let changes = setting.behaviour == Behaviour::Variable || setting.avoidable;
    let of = |factors: &[(String, Decimal)], name: &str| {
        factors.iter().find(|(known, _)| known == name).map(|found| found.1)
    };
    let factor = of(&way.activities, name).or_else(|| of(&way.drivers, setting.method.driver()?));
    let scaled = factor.filter(|_| changes).and_then(|factor| factor.to_scaled(SHARE_SCALE.ilog10()));
    scaled.map_or(0, |factor| SHARE_SCALE - factor)
}

/// Strategic roles.
///
/// * `fixed`: fixed cost of each customer.
fn roles_of(settings: &Settings, forecast: Option<&Foretold>, found: &Findings, fixed: &[Minor]) -> Roles {
    let setting = &settings.portfolio.roles;
    let Ledgers { facts, relations, .. } = &found.ledgers;
    let per_major = settings.currency.minor_per_major() as f64;
    let high_lifetime_value = forecast.zip(found.value.as_ref()).map(|(forecast, value)| {
        let values: Vec<f64> = forecast.by_customer(&value.expected).iter().map(|value| *value as f64).collect();
        roles::top_share(&values, setting.high_lifetime_value)
    });
    // Everybody who has come is worth 1 to who recommended us to it, and passes the decay of those it brought.
    let influence = relations.referrals.as_ref().and_then(|referrals| {
        let decay = settings.portfolio.networking.decay.to_scaled(SHARE_SCALE.ilog10())?;
        let ones: Vec<i64> =
            found.ledgers.have_come().into_iter().map(|come| i64::from(come) * QUANTITY_SCALE).collect();
        Some(pass_on(referrals, &ones, PassOn { own: SHARE_SCALE, decay }, &found.ledgers.customers.hash)?.received)
    });
    let known = relations.benchmark.is_some() || influence.is_some();
    let benchmark = known.then(|| {
        let flagged = |row: usize| relations.benchmark.as_ref().is_some_and(|flags| flags[row]);
        let copied =
            |row: usize| influence.as_ref().is_some_and(|influence| influence[row] >= setting.benchmark_referrals);
        (0..fixed.len()).map(|row| flagged(row) || copied(row)).collect()
    });
    let inspiration_score =
        relations.inspiring.as_ref().map(|weights| roles::inspiration(weights, &facts.net_revenue, per_major));
    let inspiration = inspiration_score.as_ref().map(|scores| roles::top_share(scores, setting.inspiration));
    let fixed_cost_ratio = roles::fixed_cost_ratio(fixed, &facts.net_revenue);
    let cost_magnet = roles::cost_magnets(fixed, &facts.net_revenue, setting.cost_magnet);
    Roles { high_lifetime_value, benchmark, influence, inspiration, inspiration_score, cost_magnet, fixed_cost_ratio }
}
