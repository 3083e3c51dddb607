//! Whom to keep: what ending each loss-making customer would save, and another way to serve it.

use rayon::prelude::*;

use super::{
    earnings::Earnings,
    foretold::Foretold,
    results::{Findings, sum_by_customer},
};
use crate::{
    decide::keep::{self, Case, Verdict, Way},
    numeric::decimal::divide_half_even,
    schema::{
        costing::Layer,
        costs::{PoolBalance, PoolNode},
        equity::Drivers,
        portfolio::Portfolio,
        settings::Settings,
    },
    units::{Minor, MinorSum},
};

/// Cells whose costs are taken at once.
const CELLS: usize = 65_536;

/// What is advised of a loss-making customer.
pub(super) struct Kept {
    pub(super) customer: u32,
    /// Row in the forecast.
    pub(super) row: usize,
    pub(super) verdict: Verdict,
}

pub(super) fn keep(settings: &Settings, found: &Findings, forecast: &Foretold, drivers: &[Drivers]) -> Vec<Kept> {
    let (ledgers, customers) = (&found.ledgers, forecast.customers());
    let per_major = settings.currency.minor_per_major() as f64;
    let earned = Earnings::new(ledgers, (&found.margins, &found.costs.layers), customers, per_major);
    let stays = stays(settings, found);
    let of_customer = sum_by_customer(&ledgers.facts.first_cell, &stays);
    // What stays is taken off the cost of keeping first.
    let fixed = |row: usize| {
        let (keeping, orders) = (earned.customer_cost[row].max(0.0), earned.order_cost[row].max(0.0));
        let stays = of_customer[customers[row] as usize] as f64 / per_major;
        let of = |stays: f64, cost: f64| if cost > 0.0 { (stays / cost).clamp(0.0, 1.0) } else { 0.0 };
        (of(stays, keeping), of(stays - keeping, orders))
    };
    let (networking, learning) = (found.potentials.networking(), found.potentials.learning.as_deref());
    let major = |known: Option<&[Minor]>, customer: u32| {
        known.map_or(0.0, |column| column[customer as usize] as f64 / per_major)
    };
    let (portfolio, avoidable) = (&found.portfolio, avoidable_cost(settings, found, &stays));
    // Who has left a contract cannot be ended.
    let losing =
        |(row, customer): &(usize, &u32)| found.economic_profit[**customer as usize] < 0 && !forecast.has_left(*row);
    let of = |(row, customer): (usize, &u32)| {
        let (fixed, fixed_orders) = fixed(row);
        let case = Case {
            drivers: drivers[row],
            fixed_orders,
            fixed,
            network: major(networking, *customer),
            learning: major(learning, *customer),
            ways: ways(portfolio, *customer as usize, &avoidable),
            has_role: portfolio.roles.any(*customer as usize),
        };
        Kept { customer: *customer, row, verdict: keep::decide(&case, &settings.decisions.keep) }
    };
    customers.par_iter().enumerate().filter(losing).map(of).collect()
}

/// What each cell bore of cost that comes again and would not have been saved without its customer.
fn stays(settings: &Settings, found: &Findings) -> Vec<Minor> {
    let margins = &found.margins;
    let parts = [&margins.product_activity_cost, &margins.order_cost, &margins.customer_cost, &margins.below_cost];
    let (avoidable, once) = (found.costs.layers.avoidable(), stays_once(settings, found));
    let of = |cell: usize| {
        let all: Minor = parts.iter().map(|part| part[cell]).sum();
        all - avoidable[cell] - once.as_ref().map_or(0, |once| once[cell])
    };
    (0..avoidable.len()).into_par_iter().map(of).collect()
}

/// The same of cost that does not come again: `cost · (1 − avoidable share of the activity)`, half to even; `None` where there
/// is none.
fn stays_once(settings: &Settings, found: &Findings) -> Option<Vec<Minor>> {
    let plan = &found.costs.plan;
    let part = |number: usize| -> Option<(MinorSum, MinorSum)> {
        let own = || plan.balances.iter().filter(|balance| balance.node == PoolNode::Activity(number));
        let sum = |of: fn(&PoolBalance) -> Minor| own().map(|balance| MinorSum::from(of(balance))).sum::<MinorSum>();
        let (borne, avoidable) = (sum(|balance| balance.allocated), sum(|balance| balance.allocated_avoidable));
        (!plan.activities[number].setting.recurring && borne != 0).then_some((borne - avoidable, borne))
    };
    let parts: Vec<Option<(MinorSum, MinorSum)>> = (0..plan.activities.len()).map(part).collect();
    if parts.iter().all(Option::is_none) {
        return None;
    }
    let ground = found.ledgers.ground(settings);
    let starts: Vec<usize> = (0..ground.cells.len()).step_by(CELLS).collect();
    let of_chunk = |start: usize| {
        let rows = start..ground.cells.len().min(start + CELLS);
        let mut once = vec![0; rows.len()];
        for (costs, part) in plan.costs_of(&ground, &rows, |number| parts[number].is_some()).iter().zip(&parts) {
            let Some((costs, (stays, borne))) = costs.as_ref().zip(*part) else { continue };
            for (once, cost) in once.iter_mut().zip(costs) {
                *once += divide_half_even(MinorSum::from(*cost) * stays, borne) as Minor;
            }
        }
        once
    };
    let chunks: Vec<Vec<Minor>> = starts.into_par_iter().map(of_chunk).collect();
    Some(chunks.concat())
}

/// What serving and keeping each customer cost that comes again and ends with it, in the time that its present profit is of.
///
/// * `stays`: of [`stays`].
fn avoidable_cost(settings: &Settings, found: &Findings, stays: &[Minor]) -> Vec<Minor> {
    let (ledgers, margins, layers) = (&found.ledgers, &found.margins, &found.costs.layers);
    let parts = [&margins.order_cost, &margins.customer_cost, &margins.below_cost, &margins.economic.capital_charge];
    let once = [Layer::Cm2, Layer::Cm3, Layer::Below].map(|layer| layers.one_off(layer));
    ledgers.sum_where(ledgers.is_present(settings.period), |cell| {
        let once: Minor = once.iter().flatten().map(|column| column[cell]).sum();
        parts.iter().map(|part| part[cell]).sum::<Minor>() - once - stays[cell]
    })
}

/// The best other way to serve a customer: it saves of the future cost that ends with the customer the share that it would have
/// saved of the present one, all of it at most.
fn ways(portfolio: &Portfolio, customer: usize, avoidable: &[Minor]) -> Vec<Way> {
    let Some((number, profit)) = portfolio.best_way[customer].filter(|_| avoidable[customer] > 0) else {
        return Vec::new();
    };
    let saved = (profit - portfolio.present[customer]) as f64 / avoidable[customer] as f64;
    vec![Way { number: number.into(), cost_factor: (1.0 - saved).max(0.0), purchase_factor: 1.0, cost: 0.0 }]
}
