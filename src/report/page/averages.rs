//! Part 4: the cost to serve as it was caused beside the same cost spread over sales, and who is subsidised by whom.

use maud::{Markup, html};

use super::{
    Report,
    table::{figure, nothing, prose, table},
    words::ratio,
};
use crate::{
    numeric::{decimal::divide_half_even, ranking::split_at_ranks},
    report::bars::{Bar, Bars, Tone},
    units::MinorSum,
};

/// Groups of customers by what a unit of sales costs to serve.
const FIFTHS: usize = 5;

/// Traced cost against averaged cost.
///
/// Averaged cost is what ordinary accounts assume: the whole cost to serve in proportion to sales,
/// `averaged[i] = Σ cost · max(sales[i], 0) / Σ max(sales, 0)`, rounded half to even.
#[derive(Clone, Debug, Default)]
pub(crate) struct Averages {
    /// Cost to serve of all customers.
    pub(crate) cost: MinorSum,
    pub(crate) sales: MinorSum,
    /// Cost that averages charge to the wrong customers: `½ Σ |averaged - cost|`.
    pub(crate) moved: MinorSum,
    /// The same where every customer bears as much.
    pub(crate) moved_evenly: MinorSum,
    /// Customers who pay for others under averages.
    pub(crate) payers: u64,
    pub(crate) customers: u64,
    /// Customers who seem to earn a profit under averages but lose money.
    pub(crate) hidden_losers: u64,
    /// Their loss.
    pub(crate) hidden_loss: MinorSum,
    /// Customers who seem to lose money under averages but earn.
    pub(crate) hidden_earners: u64,
    /// Fifths of the customers, cheapest to serve first.
    pub(crate) fifths: Vec<Fifth>,
}

/// A fifth of the customers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fifth {
    pub(crate) customers: u64,
    pub(crate) sales: MinorSum,
    pub(crate) cost: MinorSum,
    pub(crate) averaged: MinorSum,
}

impl Averages {
    /// From columns of customers.
    ///
    /// * `sales`: net revenue, `cost`: cost to serve, `profit`: economic profit; minor units, one a customer.
    ///
    /// `None` without sales or without cost to serve.
    pub(crate) fn of(sales: &[i64], cost: &[i64], profit: &[i64]) -> Option<Self> {
        let total: MinorSum = cost.iter().map(|cost| MinorSum::from(*cost)).sum();
        let base: MinorSum = sales.iter().map(|sales| MinorSum::from((*sales).max(0))).sum();
        if base <= 0 || total <= 0 {
            return None;
        }
        let customers = sales.len() as MinorSum;
        let averaged: Vec<MinorSum> =
            sales.iter().map(|sales| divide_half_even(total * MinorSum::from((*sales).max(0)), base)).collect();
        let moved = |of: &dyn Fn(usize) -> MinorSum| -> MinorSum {
            (0..cost.len()).map(|row| (of(row) - MinorSum::from(cost[row])).abs()).sum::<MinorSum>() / 2
        };
        let mut found = Self {
            cost: total,
            sales: sales.iter().map(|sales| MinorSum::from(*sales)).sum(),
            moved: moved(&|row| averaged[row]),
            moved_evenly: moved(&|_| divide_half_even(total, customers)),
            customers: sales.len() as u64,
            ..Self::default()
        };
        for (row, averaged) in averaged.iter().enumerate() {
            let (cost, profit) = (MinorSum::from(cost[row]), MinorSum::from(profit[row]));
            let seeming = profit + cost - averaged;
            found.payers += u64::from(*averaged > cost);
            if seeming >= 0 && profit < 0 {
                found.hidden_losers += 1;
                found.hidden_loss -= profit;
            }
            found.hidden_earners += u64::from(seeming < 0 && profit >= 0);
        }
        found.fifths = fifths(sales, cost, &averaged);
        Some(found)
    }
}

/// Fifths by cost to serve over sales; customers without sales cost most of all. Ties by the order of the customers.
fn fifths(sales: &[i64], cost: &[i64], averaged: &[MinorSum]) -> Vec<Fifth> {
    let mut order: Vec<usize> = (0..sales.len()).collect();
    // cost / sales as a comparison of products, exact.
    let cheaper = |a: &usize, b: &usize| {
        let (a, b) = (*a, *b);
        let no_sales = (sales[a] <= 0).cmp(&(sales[b] <= 0));
        let left = MinorSum::from(cost[a]) * MinorSum::from(sales[b].max(0));
        let right = MinorSum::from(cost[b]) * MinorSum::from(sales[a].max(0));
        no_sales.then_with(|| left.cmp(&right)).then(a.cmp(&b))
    };
    let cut = |fifth: usize| sales.len() * fifth / FIFTHS;
    // Who is in which fifth is all that is asked.
    split_at_ranks(&mut order, (1..FIFTHS).map(cut), cheaper);
    let group = |fifth: usize| {
        let mut sums = Fifth::default();
        for row in &order[cut(fifth)..cut(fifth + 1)] {
            sums.customers += 1;
            sums.sales += MinorSum::from(sales[*row]);
            sums.cost += MinorSum::from(cost[*row]);
            sums.averaged += averaged[*row];
        }
        sums
    };
    (0..FIFTHS).map(group).filter(|fifth| fifth.customers > 0).collect()
}

const NAMES: [&str; FIFTHS] =
    ["cheapest fifth to serve", "second fifth", "third fifth", "fourth fifth", "dearest fifth to serve"];

impl Report {
    pub(super) fn averages_part(&self) -> Markup {
        let Some(found) = &self.averages else {
            return nothing("There is no cost to serve to compare, or no sales.", "Activities in the config give it.");
        };
        let (payers, others) = (found.payers, found.customers - found.payers);
        html! {
            p {
                "Ordinary accounts spread the cost to serve over sales: here " strong { (ratio(found.cost, found.sales)) }
                " of every customer's. So spread, " strong { (self.money(found.moved)) } " ("
                (ratio(found.moved, found.cost)) " of it) would stand with customers who did not cause it: "
                (self.some_of(payers, found.customers)) " would pay for " (self.some_of(others, found.customers)) "."
            }
            p {
                @if found.hidden_losers == 0 {
                    "No customer that loses money would seem to earn."
                } @else {
                    strong { (self.some_of(found.hidden_losers, found.customers)) }
                    (self.share_of(found.hidden_losers, found.customers)) " would seem to earn, and lose money in truth"
                    @if self.tells_of(found.hidden_losers, found.customers) { ": " (self.money(found.hidden_loss)) " in all" }
                    "."
                }
                @if found.hidden_earners > 0 {
                    " " (self.some_of(found.hidden_earners, found.customers)) " would seem to lose money, and earn."
                }
                " Had every customer been charged the same, " (self.money(found.moved_evenly)) " ("
                (ratio(found.moved_evenly, found.cost)) ") would stand with the wrong ones."
            }
            (self.fifths_figure(found))
            p class="quiet" { (prose("`whalecurve compare CONFIG --methods config,average,revenue` compares methods activity by activity.")) }
        }
    }

    fn fifths_figure(&self, found: &Averages) -> Markup {
        if found.fifths.len() < FIFTHS || found.fifths.iter().any(|fifth| !self.tells(fifth.customers)) {
            return html! {};
        }
        let named = || NAMES.iter().zip(&found.fifths);
        let bars: Vec<Bar> = named()
            .map(|(name, fifth)| {
                let subsidy = fifth.cost - fifth.averaged;
                let words = if subsidy < 0 { "paid for others" } else { "paid by others" };
                // What others pay for is a loss to them, hatched.
                let tone = if subsidy < 0 { Tone::Gain } else { Tone::Loss };
                let label = format!("{name}: {} of sales", ratio(fifth.cost, fifth.sales));
                Bar {
                    label,
                    from: 0.0,
                    to: subsidy as f64,
                    tone,
                    text: format!("{} {words}", self.money(subsidy.abs())),
                }
            })
            .collect();
        let rows: Vec<Vec<String>> = named()
            .map(|(name, fifth)| {
                vec![
                    (*name).to_owned(),
                    self.number(fifth.customers),
                    self.money(fifth.sales),
                    self.money(fifth.cost),
                    self.money(fifth.averaged),
                    self.money(fifth.cost - fifth.averaged),
                ]
            })
            .collect();
        let dearest = &found.fifths[FIFTHS - 1];
        let picture = Bars {
            id: "averages-picture",
            name: "Who is subsidised by whom when cost to serve is averaged over sales",
            description: &format!(
                "The dearest fifth of the customers causes {} and would be charged {}.",
                self.money(dearest.cost),
                self.money(dearest.averaged)
            ),
            rows: &bars,
            joined: false,
        };
        let columns = [
            ("Customers by cost to serve over sales", false),
            ("Customers", true),
            ("Net revenue", true),
            ("Caused", true),
            ("Charged by averages", true),
            ("Paid by others", true),
        ];
        figure(
            "Cost to serve that averages would shift, by fifths of the customers",
            picture.svg(),
            &table("Traced cost and averaged cost", &columns, &rows),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_move_cost_from_those_who_cause_it_to_those_who_buy() {
        // By hand: 100 of cost over 1,000 of sales is 10 %: 40, 40, 20, 0 in place of 10, 20, 30, 40.
        let found = Averages::of(&[400, 400, 200, -5], &[10, 20, 30, 40], &[50, 20, -8, -45]).unwrap();
        assert_eq!((found.cost, found.sales, found.moved), (100, 995, 50));
        // Evenly: 25 each in place of 10, 20, 30, 40.
        assert_eq!(found.moved_evenly, 20);
        assert_eq!((found.payers, found.customers), (2, 4));
        // Averaged, the third would have -8 + 30 - 20 = 2, the fourth -45 + 40 - 0 = -5.
        assert_eq!((found.hidden_losers, found.hidden_loss, found.hidden_earners), (1, 8, 0));
    }

    #[test]
    fn fifths_go_from_the_cheapest_to_serve_to_those_without_sales() {
        let sales = [100, 100, 100, 100, 0, 100, 100, 100, 100, 100];
        let cost = [9, 8, 7, 6, 1, 5, 4, 3, 2, 1];
        let found = Averages::of(&sales, &cost, &[0; 10]).unwrap();
        assert_eq!(found.fifths.iter().map(|fifth| fifth.cost).collect::<Vec<_>>(), [3, 7, 11, 15, 10]);
        assert_eq!(found.fifths[4].sales, 100);
        let sum: MinorSum = found.fifths.iter().map(|fifth| fifth.cost).sum();
        assert_eq!(sum, found.cost);
    }

    #[test]
    fn without_sales_or_cost_there_is_nothing_to_compare() {
        assert!(Averages::of(&[0, -1], &[1, 1], &[0, 0]).is_none());
        assert!(Averages::of(&[1], &[0], &[0]).is_none());
        assert!(Averages::of(&[], &[], &[]).is_none());
    }
}
