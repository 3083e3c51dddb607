//! Cost of customers that comes again: of activities, what goes with products, with orders and with keeping the customer, and of
//! receivables, which goes with sales as products do; what of it ends with the customer, and what another way to serve would save of
//! that.

use rayon::prelude::*;

use super::{portfolio::saved_by_ways, results::Findings};
use crate::{
    allocate::kinds::Kind,
    schema::{costing::Layer, relations::SHARE_SCALE, settings::Settings},
    units::Minor,
};

/// Customers whose costs are taken at once.
const CUSTOMERS: usize = 65_536;

/// Cost of products and receivables, which is within margins, of orders (CM2), and of keeping the customer (CM3 and below).
pub(super) const PARTS: usize = 3;

fn part(layer: Layer) -> usize {
    match layer {
        Layer::Cm1 => 0,
        Layer::Cm2 => 1,
        Layer::Cm3 | Layer::Below => 2,
    }
}

/// What a customer bore of cost that comes again, minor units, part by part.
#[derive(Clone, Default)]
pub(super) struct Recurring {
    /// To date, what stays when the customer goes.
    pub(super) stays: [Minor; PARTS],
    /// To date, what ends with it.
    pub(super) ends: [Minor; PARTS],
    /// The same in the time that its present profit is of; of all time for a customer without a row in it.
    pub(super) present: [Minor; PARTS],
    /// What each way to serve would have saved of that.
    pub(super) saved: Vec<[f64; PARTS]>,
}

/// One row a customer.
///
/// * `is_served`: for whom other ways to serve are looked at.
pub(super) fn recurring(
    settings: &Settings,
    found: &Findings,
    is_served: impl Fn(usize) -> bool + Sync,
) -> Vec<Recurring> {
    let (ledgers, plan) = (&found.ledgers, &found.costs.plan);
    let of = |number: usize| &plan.activities[number];
    let ways = saved_by_ways(settings, plan);
    let ground = ledgers.ground(settings);
    let is_present = ledgers.is_present(settings.period);
    let first = &ledgers.facts.first_cell;
    let charge = &found.margins.economic.capital_charge;
    let starts: Vec<usize> = (0..ledgers.customers.len()).step_by(CUSTOMERS).collect();
    let of_chunk = |start: usize| {
        let customers = start..ledgers.customers.len().min(start + CUSTOMERS);
        let cells = first[customers.start]..first[customers.end];
        let costs = plan.costs_of(&ground, &cells, |number| of(number).setting.recurring);
        let of_customer = |customer: usize| {
            let mut row = Recurring::default();
            // Of one who had no part in that time, all time counts.
            let own = first[customer]..first[customer + 1];
            let all = !own.clone().any(&is_present);
            let counts = |cell: usize| all || is_present(cell);
            for (cell, charge) in own.clone().zip(&charge[own.clone()]) {
                row.ends[0] += charge;
                row.present[0] += if counts(cell) { *charge } else { 0 };
            }
            let served = if is_served(customer) { ways.as_slice() } else { &[] };
            let mut savings = vec![[0_i128; PARTS]; served.len()];
            for (number, costs) in costs.iter().enumerate() {
                let Some(costs) = costs else { continue };
                let (part, all_ends) = (part(of(number).setting.layer), plan.is_all(number, Kind::Avoidable));
                for cell in own.clone() {
                    let cost = costs[cell - cells.start];
                    let ends =
                        if all_ends { cost } else { plan.part_of_kind(number, Kind::Avoidable, &ground, (cell, cost)) };
                    row.stays[part] += cost - ends;
                    row.ends[part] += ends;
                    if counts(cell) {
                        row.present[part] += ends;
                        for (way, saving) in served.iter().zip(&mut savings) {
                            saving[part] += i128::from(ends) * i128::from(way[number]);
                        }
                    }
                }
            }
            row.saved = savings.iter().map(|saving| saving.map(|saving| saving as f64 / SHARE_SCALE as f64)).collect();
            row
        };
        customers.map(of_customer).collect::<Vec<Recurring>>()
    };
    starts.into_par_iter().flat_map_iter(of_chunk).collect()
}
