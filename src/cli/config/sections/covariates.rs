//! `forecast.covariates`: what moves customers' rate and dropout.

use std::collections::BTreeSet;

use crate::{
    cli::config::{
        error::Problems,
        suggest::{list, quoted},
        walk::{Entry, Fields},
    },
    schema::{
        covariates::CovariateSettings,
        forecasting::ModelChoice,
        settings::{ForecastSettings, Inputs, PurchaseKind, TableName},
    },
};

const PARTS: [&str; 2] = ["rate", "dropout"];

/// `forecast.covariates`.
///
/// * `model`: what the forecast says beside them, where it is right.
/// * `known`: their names; `None` when something is wrong with them.
pub(super) fn read(
    entry: &Entry<'_>,
    model: Option<ModelChoice>,
    known: Option<&[&str]>,
    problems: &mut Problems,
) -> Option<CovariateSettings> {
    let fields = entry.fields(&PARTS, problems)?;
    let [rate, dropout] = PARTS.map(|part| names(&fields, part, known, problems));
    if PARTS.iter().all(|part| !fields.has(part)) {
        let what = format!("{} names no covariate", quoted(entry.path()));
        problems.add_with_hint(entry.key_at(), what, "as in: covariates: {rate: [age, country], dropout: [country]}");
        return None;
    }
    if let Some(model) = model.filter(|model| !has_covariates(*model)) {
        let what = format!("{} has no effect on the model `{}`", quoted(entry.path()), model.as_str());
        problems.add_with_hint(
            entry.key_at(),
            what,
            "models with covariates: bg_nbd, mbg_nbd, pareto_nbd, and auto, which tries them",
        );
    }
    Some(CovariateSettings { rate: rate?, dropout: dropout? })
}

/// Names of the covariates; `None` when something is wrong with the table that they are in.
pub(in crate::cli::config) fn known<'a>(
    inputs: Option<&'a Inputs>,
    tables: &BTreeSet<TableName>,
) -> Option<Vec<&'a str>> {
    match &inputs?.customers {
        Some(table) => Some(table.covariates.keys().map(String::as_str).collect()),
        None if tables.contains(&TableName::Customers) => None,
        None => Some(Vec::new()),
    }
}

fn has_covariates(model: ModelChoice) -> bool {
    match model {
        ModelChoice::One(kind) => PurchaseKind::CONTINUOUS.contains(&kind),
        // That a model of contracts or of opportunities knows no covariates is told with its other keys.
        ModelChoice::Auto | ModelChoice::Contract(_) | ModelChoice::BgBb => true,
    }
}

fn names(fields: &Fields<'_>, part: &str, known: Option<&[&str]>, problems: &mut Problems) -> Option<Vec<String>> {
    let Some(entry) = fields.get(part) else { return Some(Vec::new()) };
    let expected = "a covariate of `inputs.customers.covariates`, or a list of them";
    let mut names: Vec<String> = Vec::new();
    let mut complete = true;
    for item in entry.one_or_more(expected, problems)? {
        let Some(name) = item.text(expected, problems) else {
            complete = false;
            continue;
        };
        if names.iter().any(|other| other == name) {
            problems.add(item.at(), format!("{} names one covariate twice", quoted(item.path())));
            complete = false;
        }
        if let Some(known) = known
            && !known.contains(&name)
        {
            let hint = match (item.closest(known), known) {
                (Some(word), _) => format!("did you mean `{word}`?"),
                (None, []) => "name columns of the customers table there, as in: covariates: {age: AGE}".to_owned(),
                (None, known) => format!("known covariates: {}", list(known)),
            };
            item.refuse("a covariate of `inputs.customers.covariates`", Some(hint), problems);
            complete = false;
        }
        names.push(name.to_owned());
    }
    complete.then_some(names)
}

/// What stands under a key.
fn under<'t>(entry: &Entry<'t>, key: &str) -> Option<Entry<'t>> {
    let named = entry.named(&mut Problems::default())?;
    named.into_iter().find(|(name, _)| *name == key).map(|(_, entry)| entry)
}

/// Covariates that no forecast uses are a mistake somewhere, and so are prospects who have some of those that one uses.
///
/// * `inputs`: as in the config.
pub(in crate::cli::config) fn check_use(
    inputs: &Entry<'_>,
    forecast: Option<&ForecastSettings>,
    problems: &mut Problems,
) {
    let wanted = forecast.and_then(|forecast| forecast.covariates.as_ref());
    for table in ["customers", "prospects"] {
        let Some(covariates) = under(inputs, table).and_then(|table| under(&table, "covariates")) else { continue };
        let named = covariates.named(&mut Problems::default()).unwrap_or_default();
        for (name, entry) in &named {
            if !wanted.is_some_and(|covariates| covariates.uses(name)) {
                let what = format!("{} has no effect: `forecast.covariates` does not name it", quoted(entry.path()));
                problems.add(entry.key_at(), what);
            }
        }
        let used = wanted.iter().flat_map(|covariates| covariates.rate.iter().chain(&covariates.dropout));
        for name in used.collect::<BTreeSet<_>>() {
            if !named.iter().any(|(known, _)| known == name) && table == "prospects" {
                let what = format!("{} lacks `{name}`, which `forecast.covariates` names", quoted(covariates.path()));
                problems.add(covariates.key_at(), what);
            }
        }
    }
}
