//! Part 2: the whale curve and what lies behind it; the two Paretos and how far they overlap.

use maud::{Markup, html};

use super::{
    Report,
    suppress::coarse,
    table::{figure, nothing, table},
    words::{of_customers, part},
};
use crate::{
    numeric::{
        decimal::divide_half_even,
        ranking::{Ranked, ranking},
    },
    report::{
        number::{count, percent},
        plot::{Plot, Series, Stroke},
        sheet::{Range, Unit},
        whale_curve::WhaleCurvePicture,
    },
    units::MinorSum,
};

/// Who earns the profit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Whales {
    /// Points of the whale curve: customers so far, their profit.
    pub(crate) points: Vec<(u64, MinorSum)>,
    pub(crate) concentration: Option<Concentration>,
    pub(crate) paretos: Option<Paretos>,
}

/// The row of all customers in `concentration`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Concentration {
    pub(crate) gini: Option<f64>,
    pub(crate) stobachoff: Option<f64>,
    pub(crate) carrying: u64,
}

/// Two Paretos: sales, by who buys most, and cost to serve, by who costs most.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paretos {
    /// At each whole percent of the customers, their part of net revenue in thousandths.
    pub(crate) sales: Vec<i64>,
    /// The same of cost to serve.
    pub(crate) cost: Vec<i64>,
    /// Customers of the top fifth by sales, and those of them who are in the top fifth by cost too.
    pub(crate) fifth: u64,
    pub(crate) both: u64,
}

impl Paretos {
    /// Cumulated parts of both, each in its own order, largest first.
    ///
    /// * `sales`, `cost`: minor units, one a customer. `None` unless both sums are positive and there are customers.
    pub(crate) fn of(sales: &[i64], cost: &[i64]) -> Option<Self> {
        let (by_sales, by_cost) = rayon::join(|| ranking(sales), || ranking(cost));
        let fifth = sales.len() / 5;
        let mut is_costly = vec![false; cost.len()];
        by_cost[..fifth].iter().for_each(|(_, row)| is_costly[*row as usize] = true);
        let both = by_sales[..fifth].iter().filter(|(_, row)| is_costly[*row as usize]).count() as u64;
        Some(Self { sales: pareto(&by_sales)?, cost: pareto(&by_cost)?, fifth: fifth as u64, both })
    }
}

/// Thousandths of the sum that each percent of the customers has, in their order.
fn pareto(ranked: &[Ranked]) -> Option<Vec<i64>> {
    let sum = |ranked: &[Ranked]| -> MinorSum { ranked.iter().map(|(value, _)| MinorSum::from(value.0)).sum() };
    let total = sum(ranked);
    if total <= 0 || ranked.is_empty() {
        return None;
    }
    let (mut so_far, mut taken) = (0, 0);
    let parts = (0..=100_usize).map(|percentile| {
        let rank = ranked.len() * percentile / 100;
        so_far += sum(&ranked[taken..rank]);
        taken = rank;
        divide_half_even(so_far * 1000, total) as i64
    });
    Some(parts.collect())
}

impl Report {
    pub(super) fn whale_part(&self) -> Markup {
        let Some(all) = self.summary.as_ref().filter(|_| !self.whales.points.is_empty()) else {
            return nothing("The run did not write `whale_curve`.", "Add it to `outputs` of the config.");
        };
        if !self.tells(all.customers) || all.customers < 2 * self.smallest_group {
            return nothing("There are too few customers for a picture that tells none of them alone.", "");
        }
        let points = coarse(&self.whales.points, self.smallest_group);
        let picture = WhaleCurvePicture {
            id: "whale-curve-picture",
            title: "Cumulative profit, best customer first",
            points: &points,
            peak: self.told_peak(all),
            customers: all.customers,
            losing: all.losing.unwrap_or(0),
            currency: &self.currency,
        };
        html! {
            p {
                "Sorted by what they earned us, the customers up to the peak earn everything; those after it take some of "
                "it back. The further the curve rises above its end, the more some customers pay for others."
            }
            @if let Some(found) = &self.whales.concentration {
                p { (self.carrying_sentence(found, all.customers)) }
            }
            (figure("Whale curve", picture.inline(), &self.whale_table(&points, all.customers)))
            (self.pareto_figure())
        }
    }

    fn carrying_sentence(&self, found: &Concentration, customers: u64) -> Markup {
        html! {
            @if found.carrying > 0 && self.tells_of(found.carrying, customers) {
                "The best " (count(found.carrying)) " customers" (self.share_of(found.carrying, customers))
                " earn as much as all together. "
            }
            @if let Some(gini) = found.gini {
                "The Gini coefficient of profit is " (super::words::decimals(Some(gini), 2))
                " (0: all earn the same; above 1: losses are large)"
                @if let Some(index) = found.stobachoff { ", the Stobachoff index " (super::words::decimals(Some(index), 2)) }
                "."
            }
        }
    }

    /// The curve in ten steps.
    fn whale_table(&self, points: &[(u64, MinorSum)], customers: u64) -> Markup {
        let total = points.last().map_or(0, |point| point.1);
        let steps = (1..=10).filter_map(|tenth| {
            let rank = customers * tenth / 10;
            points.iter().rev().find(|point| point.0 <= rank)
        });
        let mut rows: Vec<Vec<String>> = Vec::new();
        for (rank, profit) in steps {
            let share = if total > 0 { percent(*profit, total) } else { "–".to_owned() };
            let row = vec![count(*rank), of_customers(*rank, customers), self.money(*profit), share];
            if rows.last() != Some(&row) {
                rows.push(row);
            }
        }
        let columns = [("Best customers", true), ("of all", true), ("Cumulative profit", true), ("of the total", true)];
        table("Whale curve, about every tenth of the customers", &columns, &rows)
    }

    fn pareto_figure(&self) -> Markup {
        let Some(paretos) = &self.whales.paretos else { return html! {} };
        let line = |parts: &[i64]| -> Vec<(f64, f64)> {
            parts.iter().enumerate().map(|(percent, part)| (percent as f64, *part as f64 / 10.0)).collect()
        };
        let highest = paretos.sales.iter().chain(&paretos.cost).max().copied().unwrap_or(1000);
        let at = |parts: &[i64]| part(parts[20] as f64 / 1000.0);
        let (sales, cost) = (at(&paretos.sales), at(&paretos.cost));
        let plot = Plot {
            id: "pareto-picture",
            name: "Two Paretos",
            description: &format!(
                "The 20 % of customers who buy most bring {sales} of net revenue; the 20 % who cost most cause {cost} of \
                 the cost to serve."
            ),
            x: Range { name: "share of customers, each line in its own order", low: 0, high: 100, unit: Unit::Percent },
            y: Range {
                name: "share of the sum",
                low: 0,
                high: MinorSum::from(highest).div_euclid(10).max(100),
                unit: Unit::Percent,
            },
            bands: Vec::new(),
            series: vec![
                Series { name: "net revenue", stroke: Stroke::First, points: line(&paretos.sales) },
                Series { name: "cost to serve", stroke: Stroke::Second, points: line(&paretos.cost) },
                Series { name: "if all were alike", stroke: Stroke::Third, points: vec![(0.0, 0.0), (100.0, 100.0)] },
            ],
        };
        let rows: Vec<Vec<String>> = [5, 10, 20, 30, 50, 80]
            .map(|percentile| {
                let told = |parts: &[i64]| part(parts[percentile] as f64 / 1000.0);
                vec![format!("{percentile} %"), told(&paretos.sales), told(&paretos.cost)]
            })
            .to_vec();
        let columns = [("Top customers", true), ("have of net revenue", true), ("cause of cost to serve", true)];
        html! {
            h3 { "Two different fifths" }
            p {
                "The 20 % of customers who buy most bring " strong { (sales) } " of net revenue. The 20 % who cost most to serve cause "
                strong { (cost) } " of that cost. "
                (of_customers(paretos.both, paretos.fifth)) " of the first are among the second. "
                "(Cost to serve is what stands between product margin and profit: orders, customers, and what is pushed down to them.)"
            }
            (figure("Sales and cost to serve, largest customers first", plot.svg(), &table("Two Paretos", &columns, &rows)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_paretos_have_orders_of_their_own() {
        // Ten customers: the two who buy most bring 60 of 100, the two who cost most cause 80 of 100; one is both.
        let sales = [40, 20, 5, 5, 5, 5, 5, 5, 5, 5];
        let cost = [50, 0, 30, 5, 5, 5, 5, 0, 0, 0];
        let found = Paretos::of(&sales, &cost).unwrap();
        assert_eq!((found.sales[10], found.sales[20], found.sales[100]), (400, 600, 1000));
        assert_eq!((found.cost[10], found.cost[20]), (500, 800));
        assert_eq!((found.fifth, found.both), (2, 1));
        assert!(Paretos::of(&[1, -1], &[1, 1]).is_none());
        assert!(Paretos::of(&[], &[]).is_none());
    }
}
