//! What comes next for an explained customer, its group, and why, as text of 80 columns.

use std::fmt::Write as _;

use super::waterfall::wrap;
use crate::{
    pipeline::{
        explanation::{Amount, Explanation},
        story::{Advice, Future, Group, Story},
    },
    report::page::spoken,
};

/// Columns of a line, and of what is indented.
const WIDTH: usize = 80;

/// After the waterfall and the costs.
pub(super) fn text(story: Option<&Story>, explanation: &Explanation) -> String {
    let mut out = String::from("\n");
    let Some(story) = story else {
        paragraph(&mut out, "", "Its future and its group are in the results: run the config, then explain again.");
        return out;
    };
    if story.same_profit == Some(false) {
        let what = format!(
            "The results in {} (as of {}) are of other data or costs than this: run the config again. They say:",
            story.output, story.as_of
        );
        paragraph(&mut out, "", &what);
        out.push('\n');
    }
    if let Some(future) = &story.future {
        tell_future(&mut out, future, &story.as_of, &explanation.currency);
    }
    if let Some(group) = &story.group {
        tell_group(&mut out, group);
    }
    if let Some(advice) = &story.advice {
        tell_advice(&mut out, advice, &explanation.currency);
    }
    out
}

fn tell_future(out: &mut String, future: &Future, as_of: &str, currency: &str) {
    paragraph(out, "", &format!("What comes next, in the {} days after {as_of}", future.horizon_days));
    out.push('\n');
    let bought = future.last_purchase.as_deref().zip(future.frequency).map(|(last, frequency)| {
        let days = frequency + 1;
        let noun = if days == 1 { "day" } else { "days" };
        format!("It bought on {days} {noun}, last on {last}")
    });
    let alive =
        future.p_alive.map(|p_alive| format!("it is still a customer with a probability of {}", percent(p_alive)));
    let sentence: Vec<String> = bought.into_iter().chain(alive).collect();
    if !sentence.is_empty() {
        paragraph(out, "  ", &format!("{}.", capital(&sentence.join("; "))));
    }
    if let Some(purchases) = future.expected_purchases {
        let spend = future.expected_spend.map(|spend| format!(" of {spend:.2} {currency} each")).unwrap_or_default();
        paragraph(
            out,
            "  ",
            &format!(
                "Expected are {purchases:.2} {}{spend}.",
                if future.under_contract { "periods under contract" } else { "purchases" }
            ),
        );
    }
    if let Some((margin, cost)) = future.margin_rate.zip(future.cost_per_purchase) {
        let keeping = future.cost_per_time.map(|cost| format!(", keeping it {cost:.2} a {}", future.time_unit));
        let what = format!(
            "Of a unit of spend {margin:.2} is left before serving; serving a {} costs {cost:.2}{}.",
            if future.under_contract { "period" } else { "purchase" },
            keeping.unwrap_or_default()
        );
        paragraph(out, "  ", &what);
    }
    let loss = future.probability_of_loss.map(|loss| format!("; a loss with {}", percent(loss))).unwrap_or_default();
    let interval = future.interval.as_ref().map(|[(least, low), (most, high)]| {
        format!(", between {} and {} with {}", low.grouped(), high.grouped(), percent(most - least))
    });
    let value = future.expected_value.grouped();
    paragraph(out, "  ", &format!("Expected value {value}{}{loss}.", interval.unwrap_or_default()));
    out.push('\n');
}

fn tell_group(out: &mut String, group: &Group) {
    let name = group.portfolio_group.as_deref().unwrap_or("none without a forecast");
    paragraph(out, "", &format!("Its group: {}", spoken(name)));
    out.push('\n');
    let compared = |amount: Amount, bound: Amount, is: &str, is_not: &str, holds: bool| {
        format!("{} is {} {}", amount.grouped(), if holds { is } else { is_not }, bound.grouped())
    };
    let present = compared(
        group.present_profit,
        group.present_above,
        "above",
        "not above",
        group.present_profit.minor > group.present_above.minor,
    );
    let ahead = group.growth_potential.zip(group.future_at_least).map(|(growth, bound)| {
        format!("; growth potential {}", compared(growth, bound, "at least", "below", growth.minor >= bound.minor))
    });
    paragraph(out, "  ", &format!("Present profit {present}{}.", ahead.unwrap_or_default()));
    if let Some((way, profit)) = group.best_way_to_serve.as_deref().zip(group.profit_if_re_engineered) {
        paragraph(out, "  ", &format!("Served by `{way}` it would earn {}.", profit.grouped()));
    }
    let roles: Vec<String> = group.roles.iter().map(|role| spoken(role)).collect();
    let roles = if roles.is_empty() { "no strategic role".to_owned() } else { format!("roles: {}", roles.join(", ")) };
    paragraph(out, "  ", &format!("Value tier {}, RFM cell {}, {roles}.", group.value_tier, spoken(&group.rfm_cell)));
}

fn tell_advice(out: &mut String, advice: &Advice, currency: &str) {
    let raise = advice.price_rise.filter(|_| advice.advice == "reprice");
    let raise = raise.map(|raise| format!(" by {}", percent(raise))).unwrap_or_default();
    let what = format!(
        "Advice: {}{raise}, worth {} {currency} against ending it.",
        spoken(&advice.advice),
        advice.advice_value.grouped()
    );
    paragraph(out, "  ", &what);
}

fn paragraph(out: &mut String, indent: &str, text: &str) {
    for line in wrap(text, WIDTH - indent.len(), WIDTH - indent.len()) {
        let _ = writeln!(out, "{indent}{line}");
    }
}

fn percent(value: f64) -> String {
    format!("{:.1} %", value * 100.0)
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
