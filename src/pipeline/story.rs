//! A customer's future, its group and why: what the last run of the config wrote of it.

use camino::Utf8Path;
use serde::Serialize;

use super::{
    explanation::{Amount, Explanation, StepKind},
    finished::Finished,
    report::quantiles,
};
use crate::{
    portfolio::analysis::future_threshold,
    publish::{PublishError, folder::MANIFEST},
    schema::{portfolio::Roles, settings::Settings},
    units::Minor,
};

/// What a finished output says of a customer.
#[derive(Debug, Serialize)]
pub struct Story {
    /// Output folder.
    pub output: String,
    /// Day of its run.
    pub as_of: String,
    /// Whether the run has the profit that the explanation has; `None` where it is explained in part or in a scenario.
    pub same_profit: Option<bool>,
    /// What comes next; `None` without a forecast of the customer.
    pub future: Option<Future>,
    /// Its group and what it follows from.
    pub group: Option<Group>,
    /// What to do, of a customer that loses money.
    pub advice: Option<Advice>,
}

/// Forecast of a customer, as in `customer_value`.
#[derive(Debug, Serialize)]
pub struct Future {
    /// Last day with a purchase.
    pub last_purchase: Option<String>,
    /// Purchase days after the first.
    pub frequency: Option<u64>,
    /// Days of the forecast.
    pub horizon_days: u64,
    /// Whether it is one of customers under contract: purchases are then periods that are paid for.
    pub under_contract: bool,
    /// Probability of being alive.
    pub p_alive: Option<f64>,
    /// Purchases to the horizon.
    pub expected_purchases: Option<f64>,
    /// Amount of a purchase, major units.
    pub expected_spend: Option<f64>,
    /// Contribution of a unit of spend.
    pub margin_rate: Option<f64>,
    /// Cost of a purchase, major units.
    pub cost_per_purchase: Option<f64>,
    /// Cost of keeping it for a time unit of the model, major units.
    pub cost_per_time: Option<f64>,
    /// The model's time unit.
    pub time_unit: String,
    /// Discounted contribution to the horizon.
    pub expected_value: Amount,
    /// Lowest and highest quantile of the simulated value with their probabilities.
    pub interval: Option<[(f64, Amount); 2]>,
    /// Probability that the value is negative.
    pub probability_of_loss: Option<f64>,
}

/// Groups of a customer, as in `customer_segment`.
#[derive(Debug, Serialize)]
pub struct Group {
    /// invest, nurture, `re_engineer` or `let_go`.
    pub portfolio_group: Option<String>,
    /// Profit of the last 12 months, or to date.
    pub present_profit: Amount,
    /// It must be above this.
    pub present_above: Amount,
    /// What it may still earn.
    pub growth_potential: Option<Amount>,
    /// It must be at least this.
    pub future_at_least: Option<Amount>,
    /// Another way to serve it.
    pub best_way_to_serve: Option<String>,
    /// Profit under that way.
    pub profit_if_re_engineered: Option<Amount>,
    /// Tier by value.
    pub value_tier: String,
    /// Named cell of recency and frequency.
    pub rfm_cell: String,
    /// Strategic roles.
    pub roles: Vec<&'static str>,
}

/// Advice on a customer that loses money, as in `decision_keep`.
#[derive(Debug, Serialize)]
pub struct Advice {
    /// keep, reprice, `serve_differently` or end.
    pub advice: String,
    /// What that is worth against ending.
    pub advice_value: Amount,
    /// Smallest rise of prices at which it bears its cost.
    pub price_rise: Option<f64>,
}

/// What the config's finished output says of the explained customer; `None` where there is no output, or no such customer.
///
/// # Errors
/// [`PublishError`] of an output that cannot be read.
pub fn story(settings: &Settings, explanation: &Explanation, whole: bool) -> Result<Option<Story>, PublishError> {
    let output = Utf8Path::new(&settings.output);
    if !output.join(MANIFEST).is_file() {
        return Ok(None);
    }
    let finished = Finished::open(output)?;
    let exponent = settings.currency.exponent;
    if finished.currency()?.exponent != exponent {
        return Ok(None);
    }
    let Some(profit) = profit(&finished, &explanation.customer)? else { return Ok(None) };
    let explained = explanation.waterfall.iter().rfind(|step| step.kind == StepKind::Subtotal);
    let Ahead { future, growth, threshold } = ahead(&finished, settings, explanation)?;
    Ok(Some(Story {
        output: output.to_string(),
        as_of: finished.text("as_of"),
        same_profit: explained.filter(|_| whole).map(|step| step.amount.minor == i128::from(profit)),
        future,
        group: group(&finished, settings, explanation, (growth, threshold))?,
        advice: advice(&finished, &explanation.customer, exponent)?,
    }))
}

fn profit(finished: &Finished, customer: &str) -> Result<Option<Minor>, PublishError> {
    let mut found = None;
    finished.each("customer_profit_total", &["customer_id", "economic_profit"], |rows| {
        let (id, profit) = (rows.texts("customer_id")?, rows.scaled("economic_profit")?);
        if let Some(row) = (0..rows.len()).find(|row| id.says(*row, customer)) {
            found = Some(profit.minor(row));
        }
        Ok(())
    })?;
    Ok(found)
}

/// What `customer_value` says.
#[derive(Default)]
struct Ahead {
    future: Option<Future>,
    /// The customer's growth potential.
    growth: Option<Minor>,
    /// From where on a growth potential is a future.
    threshold: Option<Minor>,
}

fn ahead(finished: &Finished, settings: &Settings, explanation: &Explanation) -> Result<Ahead, PublishError> {
    let horizon_days = finished.manifest["forecast"]["horizon_days"].as_u64();
    let Some(horizon_days) = horizon_days else { return Ok(Ahead::default()) };
    let under_contract = finished.is_of_contracts();
    let exponent = settings.currency.exponent;
    let amount = |minor: i128| Amount { minor, digits: exponent };
    let (names, levels) = quantiles(finished, "customer_value", "lifetime_value_p");
    let floats =
        ["p_alive", "expected_purchases", "expected_spend", "margin_rate", "cost_per_purchase", "cost_per_time"];
    let mut wanted = vec!["customer_id", "last_purchase", "frequency", "expected_value", "growth_potential"];
    wanted.extend(floats.into_iter().chain(["probability_of_loss"]));
    wanted.extend(names.iter().map(String::as_str));
    let (mut future, mut own, mut growth) = (None, None, Vec::new());
    finished.each("customer_value", &wanted, |rows| {
        let (id, potential) = (rows.texts("customer_id")?, rows.scaled("growth_potential")?);
        growth.extend((0..rows.len()).filter_map(|row| potential.at(row)).map(|value| value as Minor));
        let Some(row) = (0..rows.len()).find(|row| id.says(*row, &explanation.customer)) else { return Ok(()) };
        own = potential.at(row).map(|value| value as Minor);
        let Some(expected) = rows.scaled("expected_value")?.at(row) else { return Ok(()) };
        let number = |name: &str| Ok::<_, PublishError>(rows.floats(name)?.at(row));
        let ends = names.first().zip(names.last()).zip(levels.first().zip(levels.last()));
        let interval = match ends {
            Some(((low, high), (least, most))) if least < most => {
                let (low, high) = (rows.scaled(low)?.at(row), rows.scaled(high)?.at(row));
                low.zip(high).map(|(low, high)| [(*least, amount(low)), (*most, amount(high))])
            }
            _ => None,
        };
        future = Some(Future {
            last_purchase: rows.day("last_purchase", row)?,
            frequency: rows.integers("frequency")?.at(row),
            horizon_days,
            under_contract,
            p_alive: number("p_alive")?,
            expected_purchases: number("expected_purchases")?,
            expected_spend: number("expected_spend")?,
            margin_rate: number("margin_rate")?,
            cost_per_purchase: number("cost_per_purchase")?,
            cost_per_time: number("cost_per_time")?,
            time_unit: finished.manifest["forecast"]["time_unit"].as_str().unwrap_or_default().to_owned(),
            expected_value: amount(expected),
            interval,
            probability_of_loss: number("probability_of_loss")?,
        });
        Ok(())
    })?;
    let threshold = settings.portfolio.analysis.future_at_least.or_else(|| future_threshold(&growth));
    Ok(Ahead { future, growth: own, threshold })
}

fn group(
    finished: &Finished,
    settings: &Settings,
    explanation: &Explanation,
    (growth, threshold): (Option<Minor>, Option<Minor>),
) -> Result<Option<Group>, PublishError> {
    let exponent = settings.currency.exponent;
    let amount = |minor: i128| Amount { minor, digits: exponent };
    let texts = ["customer_id", "portfolio_group", "best_way_to_serve", "value_tier", "rfm_cell"];
    let wanted: Vec<&str> =
        texts.into_iter().chain(["present_profit", "profit_if_re_engineered"]).chain(Roles::NAMES).collect();
    let mut found = None;
    finished.each("customer_segment", &wanted, |rows| {
        let id = rows.texts("customer_id")?;
        let Some(row) = (0..rows.len()).find(|row| id.says(*row, &explanation.customer)) else { return Ok(()) };
        let roles = Roles::NAMES.iter().map(|role| Ok(rows.switches(role)?.is_on(row).then_some(*role)));
        let roles = roles.collect::<Result<Vec<_>, PublishError>>()?;
        found = Some(Group {
            portfolio_group: rows.texts("portfolio_group")?.at(row),
            present_profit: amount(rows.scaled("present_profit")?.sum_of(row)),
            present_above: amount(settings.portfolio.analysis.present_above.into()),
            growth_potential: growth.map(|growth| amount(growth.into())),
            future_at_least: threshold.map(|threshold| amount(threshold.into())),
            best_way_to_serve: rows.texts("best_way_to_serve")?.at(row),
            profit_if_re_engineered: rows.scaled("profit_if_re_engineered")?.at(row).map(amount),
            value_tier: rows.texts("value_tier")?.word(row),
            rfm_cell: rows.texts("rfm_cell")?.word(row),
            roles: roles.into_iter().flatten().collect(),
        });
        Ok(())
    })?;
    Ok(found)
}

fn advice(finished: &Finished, customer: &str, exponent: u8) -> Result<Option<Advice>, PublishError> {
    let mut found = None;
    finished.each("decision_keep", &["customer_id", "advice", "advice_value", "price_rise"], |rows| {
        let id = rows.texts("customer_id")?;
        if let Some(row) = (0..rows.len()).find(|row| id.says(*row, customer)) {
            found = Some(Advice {
                advice: rows.texts("advice")?.word(row),
                advice_value: Amount { minor: rows.scaled("advice_value")?.sum_of(row), digits: exponent },
                price_rise: rows.floats("price_rise")?.at(row),
            });
        }
        Ok(())
    })?;
    Ok(found)
}
