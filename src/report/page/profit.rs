//! Part 3: from sales to economic profit, by segment; what a scenario changes.

use maud::{Markup, html};

use super::{
    Report,
    suppress::hidden,
    table::{figure, nothing, prose, table, untold},
    words::{each, ratio, spoken},
};
use crate::{
    report::{
        bars::{Bar, Bars, Tone},
        number::percent,
    },
    units::MinorSum,
};

/// Revenue, cost and profit to date.
#[derive(Clone, Debug, Default)]
pub(crate) struct Profit {
    /// Sums of `customer_profit_total`: name of a column, money.
    pub(crate) sums: Vec<(&'static str, MinorSum)>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) activities: Vec<Activity>,
    pub(crate) capacities: Vec<Capacity>,
    pub(crate) scenario: Vec<Difference>,
}

/// A row of `segment_value`, with its cost to serve from `concentration`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Segment {
    pub(crate) segmentation: String,
    pub(crate) name: String,
    pub(crate) customers: u64,
    pub(crate) net_revenue: MinorSum,
    pub(crate) cost_to_serve: Option<MinorSum>,
    pub(crate) economic_profit: MinorSum,
    pub(crate) expected_value: Option<MinorSum>,
    /// Quantiles of the simulated total, as in [`Summary`](super::result::Summary).
    pub(crate) quantiles: Vec<(f64, MinorSum)>,
}

/// An activity over all periods, from `pool_balance`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Activity {
    pub(crate) name: String,
    pub(crate) layer: String,
    pub(crate) method: String,
    pub(crate) driver: Option<String>,
    /// Own and received: the sum of what became of it, below.
    pub(crate) cost: MinorSum,
    /// Cost of unused capacity that another activity took.
    pub(crate) sent: MinorSum,
    pub(crate) allocated: MinorSum,
    pub(crate) unused: MinorSum,
    /// Of the other sign: charged beyond the cost.
    pub(crate) over_driven: MinorSum,
    pub(crate) under_absorbed: MinorSum,
    pub(crate) sustained: MinorSum,
    pub(crate) unassigned: MinorSum,
    pub(crate) reason: Option<String>,
}

/// A pool with a capacity over all periods, from `capacity_use`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Capacity {
    pub(crate) pool: String,
    /// Millionths of the driver's unit.
    pub(crate) available: i128,
    pub(crate) used: i128,
    pub(crate) unused_cost: MinorSum,
}

/// A row of `scenario_difference`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Difference {
    pub(crate) scenario: String,
    pub(crate) segmentation: String,
    pub(crate) name: String,
    pub(crate) customers: u64,
    pub(crate) cost: MinorSum,
    pub(crate) economic_profit: MinorSum,
    pub(crate) expected_value: Option<MinorSum>,
}

/// Steps from gross sales to economic profit: column, words, and whether it is a sum of what stands above it.
const STEPS: [(&str, &str, bool); 15] = [
    ("gross_sales", "gross sales", true),
    ("returns", "returns", false),
    ("discount", "discount", false),
    ("net_revenue", "net revenue", true),
    ("product_cost", "product cost", false),
    ("product_activity_cost", "activities on products", false),
    ("cm1", "CM1: product margin", true),
    ("order_cost", "cost of orders", false),
    ("customer_cost", "cost of customers", false),
    ("cm3", "CM3: after cost to serve", true),
    ("below_cost", "cost from above the customer", false),
    ("capital_charge", "capital in receivables", false),
    ("bad_debt", "bad debt", false),
    ("commissions", "commissions", false),
    ("acquisition_cost", "acquisition cost", false),
];

/// Most segments of a segmentation in a picture or table.
const MOST_ROWS: usize = 20;

/// Segmentations that part 3 shows, where the run has them.
const SHOWN: [&str; 5] = ["segment", "channel", "region", "parent", "user_segment"];

impl Report {
    pub(super) fn profit_part(&self) -> Markup {
        if self.profit.sums.is_empty() {
            return nothing("The run did not write `customer_profit_total`.", "Add it to `outputs` of the config.");
        }
        html! {
            p {
                "Net revenue less the cost of the products is what product accounts show (CM1). What orders and customers "
                "cost to serve comes off next (CM3), then what is owed to capital, credit and the winning of customers."
            }
            (self.waterfall())
            @for segmentation in SHOWN { (self.segments_of(segmentation)) }
            (self.activities())
            (self.capacities())
            (self.what_if())
        }
    }

    fn sum(&self, column: &str) -> MinorSum {
        self.profit.sums.iter().find(|(name, _)| *name == column).map_or(0, |(_, sum)| *sum)
    }

    fn waterfall(&self) -> Markup {
        let mut bars = Vec::new();
        let mut rows = Vec::new();
        let mut level: MinorSum = 0;
        let revenue = self.sum("net_revenue");
        let mut add = |words: &str, from: MinorSum, to: MinorSum, is_sum: bool| {
            let step = to - from;
            let tone = if is_sum { Tone::Total } else { Tone::of(step) };
            let amount = self.money(step);
            let text = if revenue > 0 { format!("{amount} · {}", percent(step, revenue)) } else { amount.clone() };
            bars.push(Bar { label: words.to_owned(), from: from as f64, to: to as f64, tone, text });
            rows.push(vec![words.to_owned(), amount, ratio(step, revenue)]);
        };
        for (column, words, is_sum) in STEPS {
            let sum = self.sum(column);
            if is_sum {
                level = sum;
                add(words, 0, level, true);
            } else if sum != 0 {
                add(words, level, level - sum, false);
                level -= sum;
            }
        }
        add("economic profit", 0, self.sum("economic_profit"), true);
        let picture = Bars {
            id: "waterfall-picture",
            name: "From gross sales to economic profit",
            description: &format!(
                "Net revenue {}, CM1 {}, CM3 {}, economic profit {}.",
                self.money(revenue),
                self.money(self.sum("cm1")),
                self.money(self.sum("cm3")),
                self.money(self.sum("economic_profit")),
            ),
            rows: &bars,
            joined: true,
        };
        let columns = [("Step", false), ("Money", true), ("of net revenue", true)];
        figure("From gross sales to economic profit", picture.svg(), &table("Waterfall", &columns, &rows))
    }

    /// Segments with the most revenue of a segmentation, the rest in one row, small ones hidden.
    fn segments_of(&self, segmentation: &str) -> Markup {
        let all: Vec<&Segment> = self.profit.segments.iter().filter(|row| row.segmentation == segmentation).collect();
        if all.len() < 2 {
            return html! {};
        }
        let mut shown = all.clone();
        shown.sort_by(|a, b| b.net_revenue.cmp(&a.net_revenue).then_with(|| a.name.cmp(&b.name)));
        let rest = shown.split_off(shown.len().min(MOST_ROWS));
        let mut groups: Vec<Segment> = shown.into_iter().cloned().collect();
        if !rest.is_empty() {
            groups.push(together(&format!("({} others)", rest.len()), &rest));
        }
        let counts: Vec<u64> = groups.iter().map(|group| group.customers).collect();
        let hidden = hidden(&counts, self.smallest_group);
        let told = || groups.iter().zip(&hidden).filter(|(_, hidden)| !**hidden).map(|(group, _)| group);
        let bars: Vec<Bar> = told()
            .map(|group| {
                let profit = group.economic_profit;
                let text = format!("{} · {} of revenue", self.money(profit), ratio(profit, group.net_revenue));
                Bar::of(group.name.clone(), profit, Tone::of(profit), text)
            })
            .collect();
        let rows: Vec<Vec<String>> =
            groups.iter().zip(&hidden).map(|(group, hidden)| self.segment_row(group, *hidden)).collect();
        let columns = [
            ("Group", false),
            ("Customers", true),
            ("Net revenue", true),
            ("Cost to serve", true),
            ("Economic profit", true),
            ("a customer", true),
        ];
        let name = spoken(segmentation);
        let best = told().max_by_key(|group| group.economic_profit);
        let worst = told().min_by_key(|group| group.economic_profit);
        let picture = Bars {
            id: &format!("profit-by-{segmentation}"),
            name: &format!("Economic profit by {name}"),
            description: &best.zip(worst).map_or_else(String::new, |(best, worst)| {
                format!(
                    "Most: {} with {}. Least: {} with {}.",
                    best.name,
                    self.money(best.economic_profit),
                    worst.name,
                    self.money(worst.economic_profit)
                )
            }),
            rows: &bars,
            joined: false,
        };
        let data = table(&format!("Profit by {name}"), &columns, &rows);
        figure(&format!("Economic profit by {name}"), picture.svg(), &data)
    }

    fn segment_row(&self, group: &Segment, hidden: bool) -> Vec<String> {
        if hidden {
            return untold(group.name.clone(), 6);
        }
        vec![
            group.name.clone(),
            self.number(group.customers),
            self.money(group.net_revenue),
            self.perhaps(group.cost_to_serve),
            self.money(group.economic_profit),
            self.money(each(group.economic_profit, group.customers)),
        ]
    }

    fn what_if(&self) -> Markup {
        let Some(all) = self.profit.scenario.iter().find(|row| row.segmentation == "all") else { return html! {} };
        let groups: Vec<&Difference> = self.profit.scenario.iter().filter(|row| row.segmentation != "all").collect();
        let is_hidden = |row: &Difference| {
            let beside = || groups.iter().filter(|other| other.segmentation == row.segmentation);
            let counts: Vec<u64> = beside().map(|other| other.customers).collect();
            let at = beside().position(|other| other.name == row.name);
            at.is_some_and(|at| hidden(&counts, self.smallest_group)[at])
        };
        let rows: Vec<Vec<String>> = groups
            .iter()
            .filter(|row| !is_hidden(row))
            .take(MOST_ROWS)
            .map(|row| {
                vec![
                    format!("{}: {}", spoken(&row.segmentation), row.name),
                    self.number(row.customers),
                    self.money(row.cost),
                    self.money(row.economic_profit),
                    self.perhaps(row.expected_value),
                ]
            })
            .collect();
        let columns = [
            ("Group", false),
            ("Customers", true),
            ("Cost", true),
            ("Economic profit", true),
            ("Expected value", true),
        ];
        html! {
            h3 { "What if: " (all.scenario) }
            p {
                "Under this scenario cost changes by " (self.money(all.cost)) ", economic profit by "
                strong { (self.money(all.economic_profit)) }
                @if let Some(value) = all.expected_value { ", and expected value by " strong { (self.money(value)) } } "."
            }
            (table("Scenario less base", &columns, &rows))
            p class="quiet" { (prose("Everything else on this page is the base. `whalecurve explain` tells both for one customer.")) }
        }
    }
}

/// The sum of some segments.
fn together(name: &str, rows: &[&Segment]) -> Segment {
    let sum = |of: fn(&Segment) -> MinorSum| rows.iter().map(|row| of(row)).sum();
    let perhaps = |of: fn(&Segment) -> Option<MinorSum>| rows.iter().map(|row| of(row)).sum();
    Segment {
        segmentation: rows.first().map(|row| row.segmentation.clone()).unwrap_or_default(),
        name: name.to_owned(),
        customers: rows.iter().map(|row| row.customers).sum(),
        net_revenue: sum(|row| row.net_revenue),
        cost_to_serve: perhaps(|row| row.cost_to_serve),
        economic_profit: sum(|row| row.economic_profit),
        expected_value: perhaps(|row| row.expected_value),
        quantiles: Vec::new(),
    }
}
