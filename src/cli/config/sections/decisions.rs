//! `decisions`: a budget, keeping or ending, prospects; and whether what they need is there.

use std::collections::BTreeSet;

use crate::{
    cli::config::{
        error::Problems,
        suggest::quoted,
        walk::{Entry, Fields},
    },
    schema::{
        decisions::{DecisionSettings, KeepSettings, MOST_ACTIONS},
        settings::{ForecastSettings, TableName},
    },
};

/// Largest rise of prices, relative.
const MAX_PRICE_RISE: u8 = 10;

/// Largest elasticity.
const MAX_ELASTICITY: u8 = 100;

/// `decisions`. Money has at most `exponent` digits after the point.
pub(in crate::cli::config) fn read(
    entry: &Entry<'_>,
    exponent: u8,
    problems: &mut Problems,
) -> Option<DecisionSettings> {
    let fields = entry.fields(&["invest", "keep", "prospects"], problems)?;
    let nothing = DecisionSettings::default();
    let invest = fields.read_or("invest", (nothing.budget, nothing.most_actions), problems, |entry, problems| {
        let fields = entry.fields(&["budget", "most_actions"], problems)?;
        let budget = fields.read("budget", problems, |entry, problems| {
            let budget = entry.scaled(exponent, "an amount", problems)?;
            if budget < 0 {
                problems.add(entry.at(), format!("{} is negative", quoted(entry.path())));
                return None;
            }
            Some(budget)
        });
        let most = fields.read_or("most_actions", nothing.most_actions, problems, |entry, problems| {
            entry.whole(1, MOST_ACTIONS as u64, problems).map(|most| most as usize)
        });
        Some((Some(budget?), most?))
    });
    let keep = fields.read_or("keep", KeepSettings::default(), problems, keep);
    let max_probability_of_loss = fields.read_or("prospects", None, problems, |entry, problems| {
        let fields = entry.fields(&["max_probability_of_loss"], problems)?;
        fields.read_or("max_probability_of_loss", None, problems, |entry, problems| entry.rate(1, problems).map(Some))
    });
    let (budget, most_actions) = invest?;
    Some(DecisionSettings { budget, most_actions, keep: keep?, max_probability_of_loss: max_probability_of_loss? })
}

fn keep(entry: &Entry<'_>, problems: &mut Problems) -> Option<KeepSettings> {
    let keys = ["avoidable_order_cost", "avoidable_customer_cost", "max_price_rise", "price_elasticity"];
    let fields = entry.fields(&keys, problems)?;
    let default = KeepSettings::default();
    let mut rate =
        |key, default, high| fields.read_or(key, default, problems, |entry, problems| entry.rate(high, problems));
    let order = rate("avoidable_order_cost", default.avoidable_order_cost, 1);
    let customer = rate("avoidable_customer_cost", default.avoidable_customer_cost, 1);
    let rise = rate("max_price_rise", default.max_price_rise, MAX_PRICE_RISE);
    let elasticity = rate("price_elasticity", default.price_elasticity, MAX_ELASTICITY);
    Some(KeepSettings {
        avoidable_order_cost: order?,
        avoidable_customer_cost: customer?,
        max_price_rise: rise?,
        price_elasticity: elasticity?,
    })
}

/// Notes plans and decisions without what they are made from.
///
/// * `forecast`: inner `None` where the config has none.
pub(in crate::cli::config) fn check_use(
    config: &Fields<'_>,
    tables: &BTreeSet<TableName>,
    forecast: Option<&ForecastSettings>,
    problems: &mut Problems,
) {
    let known = TableName::ALL.map(TableName::as_str);
    let inside = |section: &str, keys: &[&str], key: &str| {
        config.get(section)?.fields(keys, &mut Problems::default())?.get(key).cloned()
    };
    let table = |name: TableName| inside("inputs", &known, name.as_str());
    let budget = inside("decisions", &["invest", "keep", "prospects"], "invest");
    let bridge = inside("equity", &["cohort", "bridge", "doors"], "bridge");
    if let Some(actions) = table(TableName::Actions).filter(|_| budget.is_none()) {
        let what = format!("{} has no effect: nothing says what may be spent", quoted(actions.path()));
        problems.add_with_hint(actions.key_at(), what, "add decisions: {invest: {budget: 10000.00}}");
    }
    if let Some(budget) = budget.as_ref().filter(|_| !tables.contains(&TableName::Actions)) {
        let what = format!("{} has no effect: `inputs.actions` is missing", quoted(budget.path()));
        let hint = "name what may be done, as in: actions: {path: actions.csv, columns: {action: action, cost: cost, frequency: more_orders}}";
        problems.add_with_hint(budget.key_at(), what, hint);
    }
    if let Some(listed) = table(TableName::ActionCustomers).filter(|_| !tables.contains(&TableName::Actions)) {
        let what = format!("{} has no effect: `inputs.actions` is missing", quoted(listed.path()));
        problems.add(listed.key_at(), what);
    }
    let tables = [TableName::AcquisitionPlan, TableName::Market, TableName::Prospects].map(table);
    let needs = tables.into_iter().chain([budget, bridge]);
    for entry in needs.flatten().filter(|_| forecast.is_none()) {
        let what = format!("{} needs a forecast", quoted(entry.path()));
        problems.add_with_hint(entry.key_at(), what, "add one, as in: forecast: {model: bg_nbd, horizon: 52w}");
    }
}
