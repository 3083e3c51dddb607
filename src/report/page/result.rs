//! Part 1: the result in five lines.

use maud::{Markup, html};

use super::{
    Report,
    suppress::{hidden, tells_peak},
    table::{nothing, table},
    words::{days, of_customers, part, ratio},
};
use crate::units::MinorSum;

/// The whole customer base: a row of `customer_equity`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    pub(crate) customers: u64,
    /// Customers that lose money; `None` where the run does not tell, as they or the others are too few.
    pub(crate) losing: Option<u64>,
    pub(crate) net_revenue: MinorSum,
    pub(crate) cm3: MinorSum,
    pub(crate) economic_profit: MinorSum,
    /// Customers that earn something, and what they earn; `None` where the run does not tell.
    pub(crate) peak: Option<(u64, MinorSum)>,
    pub(crate) horizon_days: Option<u32>,
    pub(crate) expected_value: Option<MinorSum>,
    /// Mean of the simulated customer equity.
    pub(crate) equity: Option<MinorSum>,
    /// Its quantiles: probability and money, ascending.
    pub(crate) quantiles: Vec<(f64, MinorSum)>,
    /// Value of customers still to be won, after what winning them costs.
    pub(crate) planned: Option<MinorSum>,
}

impl Summary {
    /// The widest interval that the run tells: its probability, low and high end.
    pub(crate) fn interval(&self) -> Option<(f64, MinorSum, MinorSum)> {
        let (low, high) = (self.quantiles.first()?, self.quantiles.last()?);
        (low.0 < high.0).then_some((high.0 - low.0, low.1, high.1))
    }
}

/// Customers who are likelier gone than not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Risk {
    /// Customers with P(alive) below one half.
    pub(crate) customers: u64,
    /// Their net revenue to date.
    pub(crate) net_revenue: MinorSum,
    /// Customers with a P(alive) at all.
    pub(crate) known: u64,
}

impl Report {
    pub(super) fn result_part(&self) -> Markup {
        let Some(all) = &self.summary else {
            return nothing("The run did not write `customer_equity`.", "Add it to `outputs` of the config.");
        };
        html! {
            ol class="lines" {
                li { (self.earned_line(all)) }
                li { (self.concentrated_line(all)) }
                li { (self.worth_line(all)) }
                li { (self.risk_line(all)) }
                li { (self.advice_line(all)) }
            }
            (table("The base in numbers", &[("Of the base", false), ("Figure", true)], &self.result_rows(all)))
        }
    }

    fn earned_line(&self, all: &Summary) -> Markup {
        let verb = if all.economic_profit < 0 { "is lost" } else { "is left" };
        let brought = html! {
            "Our " strong { (self.customers(all.customers)) } " brought " strong { (self.money(all.net_revenue)) }
            " of net revenue"
        };
        if all.net_revenue != 0 && all.economic_profit == all.net_revenue {
            return html! { (brought) ". No cost is known, of products or of serving them: all margins here are that revenue." };
        }
        html! {
            (brought) "; after the products and after what serving them costs, "
            strong { (self.money(all.economic_profit.abs())) } " " (verb)
            @if all.net_revenue > 0 { " (" (ratio(all.economic_profit, all.net_revenue)) " of revenue)" } "."
        }
    }

    /// The peak of the whale curve, customers and profit, where it may be told.
    pub(super) fn told_peak(&self, all: &Summary) -> Option<(u64, MinorSum)> {
        let peak = all.peak?;
        tells_peak(all.customers, peak.0, all.losing?, self.smallest_group).then_some(peak)
    }

    fn concentrated_line(&self, all: &Summary) -> Markup {
        html! {
            @if all.losing.is_none() {
                "How many customers lose us money is not told: they, or the others, are too few."
            } @else if let Some(losing) = all.losing.filter(|losing| *losing > 0) {
                strong { (self.some_of(losing, all.customers)) } (self.share_of(losing, all.customers))
                @if losing == 1 && self.tells(1) { " loses" } @else { " lose" } " us money"
                @if let Some((best, profit)) = self.told_peak(all) {
                    ": " strong { (self.money(profit - all.economic_profit)) } " in all"
                    @if all.economic_profit > 0 {
                        ". The best " (of_customers(best, all.customers)) " earn " (self.money(profit))
                        ", " (ratio(profit, all.economic_profit)) " of the profit"
                    }
                }
                "."
            } @else {
                "No customer loses money."
            }
        }
    }

    fn worth_line(&self, all: &Summary) -> Markup {
        let Some((expected, horizon)) = all.expected_value.zip(all.horizon_days) else {
            return html! { "What the base is worth is not known: the run had no forecast." };
        };
        html! {
            "In the next " (days(horizon)) " today's customers are expected to bring "
            strong { (self.money(expected)) } " of discounted contribution after cost to serve"
            @if let Some((probability, low, high)) = all.interval() {
                "; with a probability of " (part(probability)) " between " (self.money(low)) " and " (self.money(high))
            }
            "."
            @if let Some(planned) = all.planned {
                " Customers still to be won, as planned, add " (self.money(planned)) "."
            }
        }
    }

    fn risk_line(&self, all: &Summary) -> Markup {
        let Some(risk) = &self.risk else {
            return html! { "Who is about to leave is not known: the run had no forecast." };
        };
        let told = self.tells_of(risk.customers, risk.known) && self.tells_of(risk.customers, all.customers);
        // Under contract it is known who has left, but where a renewal is open.
        let gone = if self.of_contracts {
            "no longer under contract, or likely not to renew"
        } else {
            "likelier gone than alive"
        };
        html! {
            @if risk.customers == 0 {
                "None of the " (self.customers(risk.known)) " with a " (self.known_by()) " is " (gone) "."
            } @else {
                strong { (self.some_of(risk.customers, risk.known)) }
                @if told { (self.share_of(risk.customers, all.customers)) }
                @if risk.customers == 1 && self.tells(1) { " is " } @else { " are " } (gone)
                @if told && all.net_revenue > 0 {
                    "; they brought " (self.money(risk.net_revenue)) ", " (ratio(risk.net_revenue, all.net_revenue))
                    " of net revenue"
                }
                "."
            }
        }
    }

    fn advice_line(&self, all: &Summary) -> Markup {
        if let Some(invest) = &self.decisions.invest {
            return html! {
                "Spend " strong { (self.money(invest.spent)) } " on " (self.customers(invest.customers)) ": that is expected to gain "
                strong { (self.money(invest.gain)) } "."
            };
        }
        if self.decisions.advised() > 0 {
            let verb = |advice: &str| match advice {
                "reprice" => "raise the prices of",
                "serve_differently" => "serve differently",
                "end" => "end the relationship with",
                _ => "keep",
            };
            let (keep, advised) = (&self.decisions.keep, self.decisions.advised());
            let hidden = hidden(&keep.iter().map(|advice| advice.customers).collect::<Vec<_>>(), self.smallest_group);
            let told: Vec<_> =
                keep.iter().zip(hidden).filter(|(_, hidden)| !hidden).map(|(advice, _)| advice).collect();
            if told.is_empty() {
                return html! { "Part 8 says what to do about the customers that lose money." };
            }
            return html! {
                "Of the "
                @if self.tells_of(advised, all.customers) { (self.customers(advised)) } @else { "customers" }
                " that lose money, "
                @for (number, advice) in told.iter().enumerate() {
                    @if number > 0 { @if number + 1 == told.len() { " and " } @else { ", " } }
                    (verb(&advice.what)) " " strong { (self.number(advice.customers)) }
                }
                ": part 8 says why."
            };
        }
        let known = self.portfolio.groups.iter().any(|group| group.name == "let_go");
        let let_go = self.matrix_groups().into_iter().find(|(group, _)| known && group.name == "let_go");
        html! {
            @match let_go {
                Some((group, true)) if self.tells(group.customers) => {
                    "Some customers neither earn now nor are expected to: look at them first."
                }
                Some((group, _)) => {
                    (self.customers(group.customers)) (self.share_of(group.customers, all.customers))
                    " neither earn now nor are expected to: look at them first."
                }
                None => "No decisions were asked for: a forecast and `decisions` in the config give advice.",
            }
        }
    }

    fn result_rows(&self, all: &Summary) -> Vec<Vec<String>> {
        let row = |name: &str, value: String| vec![name.to_owned(), value];
        let mut rows = vec![
            row("Customers", self.number(all.customers)),
            row("Net revenue", self.money(all.net_revenue)),
            row("CM3: after products and cost to serve", self.money(all.cm3)),
            row("Economic profit", self.money(all.economic_profit)),
            row(
                "Customers that lose money",
                all.losing.map_or_else(|| "–".to_owned(), |losing| self.number_of(losing, all.customers)),
            ),
        ];
        if let Some(expected) = all.expected_value {
            rows.push(row("Expected value to the horizon", self.money(expected)));
        }
        if let Some(equity) = all.equity {
            rows.push(row("Customer equity, mean of the simulation", self.money(equity)));
        }
        rows
    }
}
