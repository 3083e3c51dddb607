//! What a scenario changes, by segment.

use super::{
    results::{BASE_TIERS, Findings, Results, SEGMENTS, TIERS, sum_by_customer},
    tables::integers,
    worlds::World,
};
use crate::{
    equity,
    forecast::{path_totals::PathTotals, predict::WORST_ONE_IN},
    publish::dataset::Values,
    schema::settings::Settings,
    units::{Minor, MinorSum},
};

/// Quantiles of the difference between both worlds.
const INTERVAL: [f64; 2] = [0.05, 0.95];

/// Sums of one segment in one world.
#[derive(Clone, Copy, Default)]
struct Sums {
    net_revenue: MinorSum,
    cost: MinorSum,
    profit: MinorSum,
    losing: i64,
    /// `None` without a forecast.
    expected: Option<MinorSum>,
    /// Mean of the simulated totals; `None` without a simulation.
    equity: Option<MinorSum>,
}

/// One segment in both worlds.
struct Row {
    segmentation: &'static str,
    name: String,
    customers: i64,
    tier_changes: i64,
    base: Sums,
    other: Sums,
    /// Quantiles of the difference, future by future.
    differences: Vec<MinorSum>,
}

/// A way of cutting customers, with the places of its totals in the simulations of the base and of the scenario.
struct Cut<'a> {
    segmentation: &'static str,
    names: &'a [String],
    of: &'a [u16],
    totals: Option<(usize, usize)>,
}

impl Results {
    /// Base, scenario and difference of every segment, and of all customers; no row without a scenario.
    pub(super) fn scenario_columns(&self, settings: &Settings) -> Vec<Values> {
        let worlds = self.worlds(settings);
        let rows = match worlds.as_slice() {
            [base, scene] => rows(settings, base, scene),
            _ => Vec::new(),
        };
        let text = |of: &dyn Fn(&Row) -> String| Values::Text(rows.iter().map(|row| Some(of(row))).collect());
        let name = settings.scenario.as_ref().map_or_else(String::new, |scenario| scenario.name.clone());
        let mut columns = vec![
            text(&|_| name.clone()),
            text(&|row| row.segmentation.to_owned()),
            text(&|row| row.name.clone()),
            integers(rows.iter().map(|row| row.customers)),
        ];
        let pairs = |of: fn(&Sums) -> Option<MinorSum>| {
            let difference = |row: &Row| of(&row.other).zip(of(&row.base)).map(|(other, base)| other - base);
            [
                Values::Sum(rows.iter().map(|row| of(&row.base)).collect()),
                Values::Sum(rows.iter().map(|row| of(&row.other)).collect()),
                Values::Sum(rows.iter().map(difference).collect()),
            ]
        };
        columns.extend(pairs(|sums| Some(sums.net_revenue)));
        columns.extend(pairs(|sums| Some(sums.cost)));
        columns.extend(pairs(|sums| Some(sums.profit)));
        columns.push(integers(rows.iter().map(|row| row.base.losing)));
        columns.push(integers(rows.iter().map(|row| row.other.losing)));
        columns.push(integers(rows.iter().map(|row| row.tier_changes)));
        columns.extend(pairs(|sums| sums.expected));
        columns.extend(pairs(|sums| sums.equity));
        let quantile =
            |number: usize| Values::Sum(rows.iter().map(|row| row.differences.get(number).copied()).collect());
        columns.extend([quantile(0), quantile(1)]);
        columns
    }
}

fn rows(settings: &Settings, base: &World<'_>, scene: &World<'_>) -> Vec<Row> {
    let tiers: Vec<String> = settings.portfolio.value_tiers.iter().map(|tier| tier.name.clone()).collect();
    let (ledgers, own_tier) = (&base.found.ledgers, &base.found.tier);
    let everybody = vec![0; ledgers.customers.len()];
    let all = ["all".to_owned()];
    let mut cuts = vec![
        Cut { segmentation: "all", names: &all, of: &everybody, totals: None },
        Cut { segmentation: "value_tier", names: &tiers, of: own_tier, totals: Some((TIERS, BASE_TIERS)) },
    ];
    if ledgers.segment.is_some() {
        let (names, of) = (&ledgers.segment_names, &ledgers.segment_of);
        cuts.push(Cut { segmentation: "segment", names, of, totals: Some((SEGMENTS, SEGMENTS)) });
    }
    let values = [base, scene].map(by_customer);
    let mut rows: Vec<Row> = Vec::new();
    for cut in cuts {
        let mut own: Vec<Row> =
            cut.names.iter().enumerate().map(|(number, name)| cut.row(number, name, base, scene)).collect();
        for (customer, segment) in cut.of.iter().enumerate() {
            let row = &mut own[usize::from(*segment)];
            row.customers += 1;
            row.tier_changes += i64::from(own_tier[customer] != scene.found.tier[customer]);
            add(&mut row.base, &values[0], customer);
            add(&mut row.other, &values[1], customer);
        }
        rows.append(&mut own);
    }
    rows.sort_by(|a, b| (a.segmentation, &a.name).cmp(&(b.segmentation, &b.name)));
    rows
}

impl Cut<'_> {
    /// A segment without its customers: the simulated totals, in which both worlds have the same futures.
    fn row(&self, number: usize, name: &str, base: &World<'_>, scene: &World<'_>) -> Row {
        let paths = |world: &World<'_>, place: fn((usize, usize)) -> usize| -> Option<Vec<MinorSum>> {
            let totals: &[PathTotals] = &world.simulation()?.totals;
            Some(match self.totals {
                Some(places) => totals[place(places)].segment(number).to_vec(),
                None => totals[TIERS].whole(),
            })
        };
        let both = paths(base, |places| places.0).zip(paths(scene, |places| places.1));
        let mean = |paths: &[MinorSum]| equity::distribution(paths, &[], WORST_ONE_IN).map(|found| found.mean);
        let differences = both.as_ref().and_then(|(base, other)| {
            let paths: Vec<MinorSum> = other.iter().zip(base).map(|(other, base)| other - base).collect();
            Some(equity::distribution(&paths, &INTERVAL, WORST_ONE_IN)?.quantiles)
        });
        let sums = |world: &World<'_>, paths: Option<&Vec<MinorSum>>| Sums {
            expected: world.found.value.as_ref().map(|_| 0),
            equity: paths.and_then(|paths| mean(paths)),
            ..Sums::default()
        };
        Row {
            segmentation: self.segmentation,
            name: name.to_owned(),
            customers: 0,
            tier_changes: 0,
            base: sums(base, both.as_ref().map(|both| &both.0)),
            other: sums(scene, both.as_ref().map(|both| &both.1)),
            differences: differences.unwrap_or_default(),
        }
    }
}

/// Money of every customer in one world.
struct OfCustomers {
    net_revenue: Vec<Minor>,
    cost: Vec<Minor>,
    profit: Vec<Minor>,
    expected: Option<Vec<Minor>>,
}

/// Net revenue, cost of every layer, economic profit and expected lifetime value of each customer.
fn by_customer(world: &World<'_>) -> OfCustomers {
    let Findings { ledgers, margins, .. } = world.found;
    let cost: Vec<Minor> =
        margins.net_revenue.iter().zip(&margins.economic_profit).map(|(revenue, profit)| revenue - profit).collect();
    let sum = |column: &[Minor]| sum_by_customer(&ledgers.facts.first_cell, column);
    OfCustomers {
        net_revenue: sum(&margins.net_revenue),
        cost: sum(&cost),
        profit: sum(&margins.economic_profit),
        expected: world.expected_by_customer(),
    }
}

fn add(sums: &mut Sums, of: &OfCustomers, customer: usize) {
    sums.net_revenue += MinorSum::from(of.net_revenue[customer]);
    sums.cost += MinorSum::from(of.cost[customer]);
    sums.profit += MinorSum::from(of.profit[customer]);
    sums.losing += i64::from(of.profit[customer] < 0);
    let expected = of.expected.as_ref().map(|values| MinorSum::from(values[customer]));
    sums.expected = sums.expected.zip(expected).map(|(sum, value)| sum + value);
}
