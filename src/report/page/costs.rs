//! Part 3, continued: cost by activity and what became of it, unused capacity, what stayed unassigned and why.

use maud::{Markup, html};

use super::{
    Report,
    profit::{Activity, Capacity},
    table::{figure, table},
    words::{decimals, ratio, spoken},
};
use crate::{
    report::bars::{Bar, Bars, Tone},
    units::MinorSum,
};

/// A column of costs: heading, money, and whether it stands in the table where it is zero everywhere.
type Column = (&'static str, fn(&Activity) -> MinorSum, bool);

/// The cost of activities, and what became of it.
const BALANCE: [Column; 8] = [
    ("Cost", |activity| activity.cost, true),
    ("Sent on", |activity| activity.sent, false),
    ("Borne by customers", |activity| activity.allocated, true),
    ("Unused", |activity| activity.unused, true),
    ("Over-driven", |activity| activity.over_driven, false),
    ("Under-absorbed", |activity| activity.under_absorbed, false),
    ("Kept above customers", |activity| activity.sustained, true),
    ("Unassigned", |activity| activity.unassigned, true),
];

impl Report {
    pub(super) fn activities(&self) -> Markup {
        let activities = &self.profit.activities;
        if activities.is_empty() {
            return html! {};
        }
        let bars: Vec<Bar> = activities
            .iter()
            .map(|activity| {
                let text = format!("{} · {}", self.money(activity.allocated), activity.basis());
                Bar::of(spoken(&activity.name), activity.allocated, Tone::Quiet, text)
            })
            .collect();
        let picture = Bars {
            id: "activities-picture",
            name: "Cost that customers bear, by activity",
            description: &format!(
                "{} activities; the largest is {} with {}.",
                activities.len(),
                spoken(&activities[0].name),
                self.money(activities[0].allocated)
            ),
            rows: &bars,
            joined: false,
        };
        let balance: Vec<_> =
            BALANCE.iter().filter(|(_, of, always)| *always || activities.iter().any(|one| of(one) != 0)).collect();
        let rows: Vec<Vec<String>> = activities
            .iter()
            .map(|activity| {
                let first = [spoken(&activity.name), activity.layer.clone(), activity.basis()];
                first.into_iter().chain(balance.iter().map(|(_, of, _)| self.money(of(activity)))).collect()
            })
            .collect();
        let mut columns = vec![("Activity", false), ("Margin", false), ("In proportion to", false)];
        columns.extend(balance.iter().map(|(name, ..)| (*name, true)));
        html! {
            (figure("Cost that customers bear, by activity", picture.svg(), &table("Activities", &columns, &rows)))
            (self.unassigned())
        }
    }

    fn unassigned(&self) -> Markup {
        let activities = &self.profit.activities;
        let sum = |of: fn(&Activity) -> MinorSum| activities.iter().map(of).sum::<MinorSum>();
        // What one activity took from another is the other's cost already.
        let cost = sum(|activity| activity.cost - activity.sent);
        let (unused, sustained) = (sum(|activity| activity.unused), sum(|activity| activity.sustained));
        let (over_driven, under_absorbed) = (sum(|one| one.over_driven), sum(|one| one.under_absorbed));
        let left: Vec<&Activity> = activities.iter().filter(|activity| activity.unassigned != 0).collect();
        html! {
            p {
                "Of " (self.money(cost)) " customers bear " (self.money(sum(|activity| activity.allocated)))
                @if unused != 0 { "; " (self.money(unused)) " is capacity that nobody used" }
                @if over_driven != 0 {
                    "; " (self.money(over_driven)) " is over-driven: charged beyond the cost where more was used than the capacity"
                }
                @if under_absorbed != 0 {
                    "; " (self.money(under_absorbed)) " is under-absorbed: neither charged at a standard rate nor traced"
                }
                @if sustained != 0 { "; " (self.money(sustained)) " stays at the level above customers that it sustains" }
                @if left.is_empty() { ". Nothing stayed unassigned." } @else { "." }
            }
            @if !left.is_empty() {
                p class="warning" {
                    (self.money(sum(|activity| activity.unassigned))) " stayed unassigned: "
                    @for (number, activity) in left.iter().enumerate() {
                        @if number > 0 { "; " }
                        (spoken(&activity.name)) " " (self.money(activity.unassigned)) " ("
                        (spoken(activity.reason.as_deref().unwrap_or("no reason given"))) ")"
                    }
                    "."
                }
            }
        }
    }

    pub(super) fn capacities(&self) -> Markup {
        if self.profit.capacities.is_empty() {
            return html! {};
        }
        let bars: Vec<Bar> = self
            .profit
            .capacities
            .iter()
            .map(|pool| {
                let use_of = pool.utilisation();
                let tone = if pool.used > pool.available { Tone::Loss } else { Tone::Gain };
                let text =
                    format!("{} used · {} unused", ratio(pool.used, pool.available), self.money(pool.unused_cost));
                Bar { label: spoken(&pool.pool), from: 0.0, to: use_of, tone, text }
            })
            .collect();
        let rows: Vec<Vec<String>> = self
            .profit
            .capacities
            .iter()
            .map(|pool| {
                let quantity = |value: i128| decimals(Some(value as f64 / 1e6), 0);
                vec![
                    spoken(&pool.pool),
                    quantity(pool.available),
                    quantity(pool.used),
                    ratio(pool.used, pool.available),
                    self.money(pool.unused_cost),
                ]
            })
            .collect();
        let columns =
            [("Pool", false), ("Capacity", true), ("Used", true), ("of it", true), ("Cost of the unused", true)];
        let total: MinorSum = self.profit.capacities.iter().map(|pool| pool.unused_cost).sum();
        let picture = Bars {
            id: "capacity-picture",
            name: "Use of capacity",
            description: &format!("Capacity that nobody used cost {}.", self.money(total)),
            rows: &bars,
            joined: false,
        };
        html! {
            h3 { "Capacity" }
            p { "Capacity that nobody used cost " strong { (self.money(total)) } "." (self.who_pays_unused(total)) }
            (figure("How much of each capacity is used", picture.svg(), &table("Capacity", &columns, &rows)))
        }
    }

    /// Whether anyone is charged for unused capacity, as far as the balances of the activities tell.
    fn who_pays_unused(&self, unused: MinorSum) -> &'static str {
        let activities = &self.profit.activities;
        let sent: MinorSum = activities.iter().map(|activity| activity.sent).sum();
        match activities.iter().any(|activity| activity.sent != 0) {
            _ if activities.is_empty() => "",
            false => " No customer is charged for it.",
            true if sent == unused => " Other activities took it over: it stands in their cost.",
            true => {
                " Other activities took part of it over, which stands in their cost; no customer is charged for the rest."
            }
        }
    }
}

impl Activity {
    /// What it is in proportion to, in words.
    fn basis(&self) -> String {
        match (self.driver.as_deref(), self.method.as_str()) {
            (Some(driver), _) => format!("by {}", spoken(driver)),
            (None, "average" | "even") => "the same for each".to_owned(),
            (None, "traced") => "traced".to_owned(),
            (None, method) => format!("by {}", spoken(method)),
        }
    }
}

impl Capacity {
    fn utilisation(&self) -> f64 {
        if self.available > 0 { self.used as f64 / self.available as f64 } else { 0.0 }
    }
}
