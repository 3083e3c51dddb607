//! What a scenario changes, by segment.

use super::{
    results::{Results, sum_by_customer},
    tables::integers,
};
use crate::{
    publish::dataset::Values,
    schema::{margins::Margins, settings::Settings},
    units::{Minor, MinorSum},
};

/// Sums of one segment in one world.
#[derive(Clone, Copy, Default)]
struct Sums {
    net_revenue: MinorSum,
    cost: MinorSum,
    profit: MinorSum,
    losing: i64,
}

/// One segment in both worlds.
struct Row {
    segmentation: &'static str,
    name: String,
    customers: i64,
    base: Sums,
    other: Sums,
}

impl Results {
    /// Base, scenario and difference of every segment, and of all customers; no row without a scenario.
    pub(super) fn scenario_columns(&self, settings: &Settings) -> Vec<Values> {
        let rows = self.scenario_rows(settings);
        let text = |of: &dyn Fn(&Row) -> String| Values::Text(rows.iter().map(|row| Some(of(row))).collect());
        let name = settings.scenario.as_ref().map_or_else(String::new, |scenario| scenario.name.clone());
        let mut columns = vec![
            text(&|_| name.clone()),
            text(&|row| row.segmentation.to_owned()),
            text(&|row| row.name.clone()),
            integers(rows.iter().map(|row| row.customers)),
        ];
        let sums: [fn(&Sums) -> MinorSum; 3] = [|sums| sums.net_revenue, |sums| sums.cost, |sums| sums.profit];
        for of in sums {
            columns.push(Values::Sum(rows.iter().map(|row| Some(of(&row.base))).collect()));
            columns.push(Values::Sum(rows.iter().map(|row| Some(of(&row.other))).collect()));
            columns.push(Values::Sum(rows.iter().map(|row| Some(of(&row.other) - of(&row.base))).collect()));
        }
        columns.push(integers(rows.iter().map(|row| row.base.losing)));
        columns.push(integers(rows.iter().map(|row| row.other.losing)));
        columns
    }

    fn scenario_rows(&self, settings: &Settings) -> Vec<Row> {
        let Some(scene) = &self.scene else { return Vec::new() };
        let first = &self.ledgers.facts.first_cell;
        let (base, other) = (by_customer(first, &self.margins), by_customer(first, &scene.margins));
        let tiers: Vec<String> = settings.portfolio.value_tiers.iter().map(|tier| tier.name.clone()).collect();
        let everybody = vec![0; self.ledgers.customers.len()];
        let segmentations: [(&'static str, &[String], &[u16]); 3] = [
            ("all", &["all".to_owned()], &everybody),
            ("segment", &self.ledgers.segment_names, &self.ledgers.segment_of),
            ("value_tier", &tiers, &self.tier),
        ];
        let mut rows = Vec::new();
        for (segmentation, names, of) in segmentations {
            if segmentation == "segment" && self.ledgers.segment.is_none() {
                continue;
            }
            let empty = |name: &String| Row {
                segmentation,
                name: name.clone(),
                customers: 0,
                base: Sums::default(),
                other: Sums::default(),
            };
            let mut own: Vec<Row> = names.iter().map(empty).collect();
            for (customer, segment) in of.iter().enumerate() {
                let row = &mut own[usize::from(*segment)];
                row.customers += 1;
                add(&mut row.base, &base, customer);
                add(&mut row.other, &other, customer);
            }
            rows.append(&mut own);
        }
        rows.sort_by(|a, b| (a.segmentation, &a.name).cmp(&(b.segmentation, &b.name)));
        rows
    }
}

/// Net revenue, cost of every layer, and economic profit of each customer.
fn by_customer(first: &[usize], margins: &Margins) -> [Vec<Minor>; 3] {
    let cost: Vec<Minor> =
        margins.net_revenue.iter().zip(&margins.economic_profit).map(|(revenue, profit)| revenue - profit).collect();
    [&margins.net_revenue, &cost, &margins.economic_profit].map(|column| sum_by_customer(first, column))
}

fn add(sums: &mut Sums, of: &[Vec<Minor>; 3], customer: usize) {
    sums.net_revenue += MinorSum::from(of[0][customer]);
    sums.cost += MinorSum::from(of[1][customer]);
    sums.profit += MinorSum::from(of[2][customer]);
    sums.losing += i64::from(of[2][customer] < 0);
}
