//! Part 8: decisions, with their money.

use maud::{Markup, html};

use super::{
    Report,
    suppress::hidden,
    table::{HIDDEN, figure, nothing, table, untold},
    words::{decimals, of_customers, spoken},
};
use crate::{
    report::{
        number::count,
        plot::{Plot, Series, Stroke},
        sheet::{Range, Unit},
    },
    units::MinorSum,
};

/// What the run advises.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decisions {
    pub(crate) invest: Option<Invest>,
    pub(crate) keep: Vec<Advice>,
    pub(crate) prospects: Vec<Prospects>,
}

impl Decisions {
    /// Customers that lose money and were advised on.
    pub(super) fn advised(&self) -> u64 {
        self.keep.iter().map(|advice| advice.customers).sum()
    }
}

/// Whom to invest in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Invest {
    pub(crate) customers: u64,
    pub(crate) spent: MinorSum,
    pub(crate) gain: MinorSum,
    pub(crate) gain_sd: MinorSum,
    pub(crate) budget: Option<MinorSum>,
    pub(crate) gap: Option<MinorSum>,
    pub(crate) marginal_return: Option<f64>,
    /// Action: customers, spent, gain.
    pub(crate) actions: Vec<(String, u64, MinorSum, MinorSum)>,
    /// Spent, gain.
    pub(crate) curve: Vec<(MinorSum, MinorSum)>,
}

/// What to do with customers that lose money.
#[derive(Clone, Debug, Default)]
pub(crate) struct Advice {
    pub(crate) what: String,
    pub(crate) customers: u64,
    pub(crate) economic_profit: MinorSum,
    /// Worth against ending it with them.
    pub(crate) value: MinorSum,
    pub(crate) with_role: u64,
}

/// Prospects by decision.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prospects {
    pub(crate) decision: String,
    pub(crate) number: u64,
    pub(crate) expected_value: MinorSum,
    pub(crate) acquisition_cost: MinorSum,
}

impl Report {
    pub(super) fn decisions_part(&self) -> Markup {
        let decisions = &self.decisions;
        if decisions.invest.is_none() && decisions.keep.is_empty() && decisions.prospects.is_empty() {
            return nothing(
                "There is nothing to decide here: no forecast, or neither losing customers, actions nor prospects.",
                "`inputs.actions` with a budget, and `inputs.prospects`, ask for decisions.",
            );
        }
        html! {
            @if let Some(invest) = &decisions.invest { (self.invest(invest)) }
            (self.keep())
            (self.prospects())
        }
    }

    fn invest(&self, invest: &Invest) -> Markup {
        let chosen: Vec<_> = invest.actions.iter().filter(|action| action.1 > 0).collect();
        let hidden = hidden(&chosen.iter().map(|action| action.1).collect::<Vec<_>>(), self.smallest_group);
        let rows: Vec<Vec<String>> = chosen
            .iter()
            .zip(&hidden)
            .map(|((action, customers, spent, gain), hidden)| {
                if *hidden {
                    return untold(spoken(action), 5);
                }
                let each = decimals((*spent > 0).then(|| *gain as f64 / *spent as f64), 2);
                vec![spoken(action), count(*customers), self.money(*spent), self.money(*gain), each]
            })
            .collect();
        let columns = [
            ("Action", false),
            ("Customers", true),
            ("Cost", true),
            ("Expected gain", true),
            ("Gain a unit of cost", true),
        ];
        html! {
            h3 { "Whom to invest in" }
            p {
                @if let Some(budget) = invest.budget { "Of a budget of " (self.money(budget)) ", spend " } @else { "Spend " }
                strong { (self.money(invest.spent)) } " on " (self.customers(invest.customers))
                ": expected to gain " strong { (self.money(invest.gain)) }
                " (standard deviation " (self.money(invest.gain_sd)) ")."
                @if let Some(gap) = invest.gap {
                    @if gap == 0 { " No other choice gains more." } @else {
                        " No other choice gains more than " (self.money(gap)) " on top."
                    }
                }
                @if let Some(marginal) = invest.marginal_return {
                    " Another unit of budget would gain " (decimals(Some(marginal), 2)) "."
                }
            }
            (table("Chosen actions", &columns, &rows))
            (self.invest_curve(invest))
        }
    }

    fn invest_curve(&self, invest: &Invest) -> Markup {
        let (Some(last), true) = (invest.curve.last(), invest.curve.len() > 2 && self.tells(invest.customers)) else {
            return html! {};
        };
        let highest = invest.curve.iter().map(|point| point.1).max().unwrap_or(0);
        let line = |points: &[(MinorSum, MinorSum)]| -> Vec<(f64, f64)> {
            std::iter::once((0.0, 0.0)).chain(points.iter().map(|point| (point.0 as f64, point.1 as f64))).collect()
        };
        let mut series =
            vec![Series { name: "most expected gain", stroke: Stroke::First, points: line(&invest.curve) }];
        if let Some(budget) = invest.budget.filter(|budget| *budget <= last.0) {
            let upright = vec![(budget as f64, 0.0), (budget as f64, invest.gain as f64)];
            series.push(Series { name: "budget", stroke: Stroke::Second, points: upright });
        }
        let (x, y) = (format!("spent, {}", self.currency.code), format!("expected gain, {}", self.currency.code));
        let plot = Plot {
            id: "invest-picture",
            name: "Expected gain against budget",
            description: &format!("At most {} for {}.", self.money(highest), self.money(last.0)),
            x: Range { name: &x, low: 0, high: last.0, unit: Unit::Money(&self.currency) },
            y: Range { name: &y, low: 0, high: highest, unit: Unit::Money(&self.currency) },
            bands: Vec::new(),
            series,
        };
        let step = (invest.curve.len() / 10).max(1);
        let rows: Vec<Vec<String>> = invest
            .curve
            .iter()
            .step_by(step)
            .map(|(spent, gain)| vec![self.money(*spent), self.money(*gain)])
            .collect();
        let columns = [("Spent", true), ("Expected gain", true)];
        figure("What a budget would gain", plot.svg(), &table("Gain against budget", &columns, &rows))
    }

    fn keep(&self) -> Markup {
        let keep = &self.decisions.keep;
        if keep.is_empty() {
            return html! {};
        }
        let all = self.decisions.advised();
        let who = self.summary.as_ref().map_or_else(|| self.customers(all), |base| self.some_of(all, base.customers));
        let counts: Vec<u64> = keep.iter().map(|advice| advice.customers).collect();
        let hidden = hidden(&counts, self.smallest_group);
        let rows: Vec<Vec<String>> = keep
            .iter()
            .zip(&hidden)
            .map(|(advice, hidden)| {
                let told = |text: String| if *hidden { HIDDEN.to_owned() } else { text };
                vec![
                    spoken(&advice.what),
                    if self.tells(advice.customers) {
                        told(count(advice.customers))
                    } else {
                        self.number(advice.customers)
                    },
                    told(of_customers(advice.customers, all)),
                    told(self.money(advice.economic_profit)),
                    told(self.money(advice.value)),
                    told(self.number(advice.with_role)),
                ]
            })
            .collect();
        let columns = [
            ("Advice", false),
            ("Customers", true),
            ("of those that lose", true),
            ("Profit to date", true),
            ("Worth against ending", true),
            ("with a strategic role", true),
        ];
        html! {
            h3 { "Customers that lose money: keep or end" }
            p {
                "Ending a relationship saves the avoidable part of its cost only; its contribution, what it brings others, and the "
                "fixed cost it absorbs are lost. " strong { (who) } " lost money to date."
            }
            (table("Advice, and what it is worth", &columns, &rows))
        }
    }

    fn prospects(&self) -> Markup {
        let prospects = &self.decisions.prospects;
        if prospects.is_empty() {
            return html! {};
        }
        let rows: Vec<Vec<String>> = prospects
            .iter()
            .map(|row| {
                let told =
                    |amount: MinorSum| if self.tells(row.number) { self.money(amount) } else { HIDDEN.to_owned() };
                vec![
                    spoken(&row.decision),
                    if self.tells(row.number) { count(row.number) } else { self.number(row.number) },
                    told(row.expected_value),
                    told(row.acquisition_cost),
                ]
            })
            .collect();
        let columns =
            [("Decision", false), ("Prospects", true), ("Expected value", true), ("Cost of winning them", true)];
        html! {
            h3 { "Prospects" }
            (table("Prospects, before the first contact", &columns, &rows))
        }
    }
}
