//! The config file: YAML in, [`Settings`] out, or everything that is wrong with it at once.
//!
//! `text` → `tree` (places, exact texts, environment references) → `walk` (a cursor that notes problems and goes
//! on) → one reader a section → [`Settings`]. Nothing here reads a file or the environment: the caller hands both in.
//! Only the default `name` of a config given by a relative path asks for the working directory.

mod asked;
mod defaults;
mod env;
mod error;
mod number;
mod overrides;
mod resolved;
#[cfg(test)]
mod schema;
mod secret;
mod sections;
mod suggest;
#[cfg(test)]
mod tests;
mod tree;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use self::{
    error::Problems,
    sections::{
        activities, basis, contract, costs, covariates, decisions, economic, equity, forecast, fx, ids, inputs, limits,
        output_tests, portfolio, report, resources, run,
    },
    walk::{Entry, Fields},
};
pub use self::{
    error::{ConfigErrors, Position, Problem},
    resolved::resolved,
};
use crate::schema::{
    checks::{Freshness, OutputTest},
    costing::{ActivitySetting, ServiceSetting},
    decisions::DecisionSettings,
    equity::EquitySettings,
    fx::FxSettings,
    inputs::{Inputs, Limits},
    location::is_url,
    money::MAX_EXPONENT,
    period::PeriodKind,
    portfolio::PortfolioSettings,
    scenario::Scenario,
    settings::{ForecastSettings, ReportSettings, SMALLEST_GROUP, Settings, TableName},
};
use crate::units::Day;

/// Largest config that is read, in bytes.
pub const MAX_BYTES: u64 = 1 << 20;

/// JSON Schema of configs, for editors.
pub const JSON_SCHEMA: &str = include_str!("schema.json");

/// Key of random streams when nobody gives one.
const DEFAULT_SEED: u64 = 1;

/// Output folder when nobody names one, in the config's folder.
const DEFAULT_OUTPUT: &str = "results";

/// Old versions of an output that may be kept.
const MOST_VERSIONS: u64 = 1_000;

/// Keys of the config.
const KEYS: [&str; 29] = [
    "version",
    "name",
    "currency",
    "as_of",
    "period",
    "seed",
    "output",
    "outputs",
    "keep_versions",
    "spool",
    "inputs",
    "ids",
    "limits",
    "contract",
    "drivers",
    "activities",
    "resources",
    "fx",
    "capital_charge",
    "bad_debt",
    "commissions",
    "forecast",
    "portfolio",
    "equity",
    "decisions",
    "tests",
    "overrides",
    "report",
    "suppress",
];

/// Days in a length of time such as `39w`, `12 months` or `365 days`, from a day to a century.
#[must_use]
pub fn length_of_time(text: &str) -> Option<u32> {
    forecast::days_in(text)
}

/// What the command line says instead of the config.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Output folder, relative to the working directory.
    pub output: Option<Utf8PathBuf>,
    /// Threads of the kernels.
    pub threads: Option<usize>,
    /// Key of every random stream.
    pub seed: Option<u64>,
    /// `path=value`: a scenario beside the base, over that of `overrides`.
    pub sets: Vec<String>,
}

/// Read a config.
///
/// * `path`: the config's file, for messages and for what is relative to its folder. It is not opened.
/// * `text`: its content, at most 1 MiB.
/// * `env`: the environment, for `${NAME}` and `${NAME:-default}` in values.
/// * `overrides`: what the command line said.
///
/// # Errors
/// [`ConfigErrors`] with every problem found, in the order of the file.
pub fn load(
    path: &Utf8Path,
    text: &str,
    env: &dyn Fn(&str) -> Option<String>,
    overrides: &Overrides,
) -> Result<Settings, ConfigErrors> {
    let mut problems = Problems::default();
    // Some editors begin a file with a byte order mark, which is no part of the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let settings = tree::parse(text, env, &mut problems).and_then(|document| {
        let mut base = settings(path, &Entry::root(&document), (overrides, None), &mut problems)?;
        if problems.is_empty() {
            base.scenario = scenario(path, document, overrides, &base, &mut problems);
        }
        Some(base)
    });
    match settings {
        Some(settings) if problems.is_empty() => Ok(settings),
        _ => Err(problems.into_errors(path.to_owned())),
    }
}

/// Where a value stands in a config that was read: `file:line:column`; `None` where the file does not say it.
///
/// * `keys`: from the outermost.
pub(super) fn place(path: &Utf8Path, text: &str, keys: &[&str]) -> Option<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // No key depends on the environment.
    let document = tree::parse(text, &|_| Some(String::new()), &mut Problems::default())?;
    let mut node = &document;
    for key in keys {
        let tree::Value::Map(entries) = &node.value else { return None };
        node = entries.iter().find(|(known, _)| known.text == **key).map(|(_, node)| node)?;
    }
    Some(format!("{path}:{}:{}", node.at.line, node.at.column))
}

/// The config with its `overrides` and `--set` in place, read as a config of its own.
fn scenario(
    path: &Utf8Path,
    mut document: tree::Node,
    command: &Overrides,
    base: &Settings,
    problems: &mut Problems,
) -> Option<Scenario> {
    let said = overrides::apply(&mut document, &command.sets, base, problems)?;
    let changed = settings(path, &Entry::root(&document), (command, Some(base)), problems)?;
    let overrides::Overridden { name, paths: overridden, prices, driver_factors, changes } = said;
    let overrides::Changes { costs, activities } = changes;
    let settings = Box::new(changed);
    Some(Scenario { name, settings, overridden, prices, driver_factors, costs, activities })
}

/// * `base`: the config that a scenario changes.
fn settings(
    path: &Utf8Path,
    root: &Entry<'_>,
    (overrides, base): (&Overrides, Option<&Settings>),
    problems: &mut Problems,
) -> Option<Settings> {
    let mut unknown = Problems::default();
    let fields = root.fields(&KEYS, &mut unknown);
    // The keys of another version are another program's: nothing more can be said about them.
    if let Some(version) = fields.as_ref().and_then(|fields| fields.get("version"))
        && !run::version(version, problems)
    {
        return None;
    }
    problems.append(unknown);
    let fields = fields?;
    fields.require("version", problems);

    let currency = fields.read("currency", problems, run::currency);
    let name = fields.read_or("name", run::default_name(path), problems, run::name);
    let as_of = fields.read_or("as_of", None, problems, |entry, problems| entry.day(problems).map(Some));
    let period = fields.read_or("period", PeriodKind::Whole, problems, run::period);
    let seed = fields.read_or("seed", DEFAULT_SEED, problems, |entry, problems| entry.whole(0, u64::MAX, problems));
    let folder = path.parent().unwrap_or(Utf8Path::new(""));
    let places = places(&fields, folder, overrides, problems);

    let (keep_versions, report, suppress) = beside_the_datasets(&fields, problems);
    let outputs = fields.read_or("outputs", None, problems, |entry, problems| run::outputs(entry, problems).map(Some));

    let ids = fields.read_or("ids", None, problems, ids::read);
    let (tables, inputs) = inputs_of(&fields, problems);
    let exponent = currency.as_ref().map_or(MAX_EXPONENT, |currency| currency.exponent);
    let contract = rules_of_inputs(&fields, &tables, (as_of == Some(None), exponent), problems);
    let tests = tests_of_outputs(&fields, outputs.as_ref(), exponent, problems);
    let drivers = fields
        .read_or("drivers", BTreeMap::new(), problems, |entry, problems| costs::drivers(entry, &tables, problems));
    let (drivers_known, activities_known) = (names(&fields, "drivers"), names(&fields, "activities"));
    let code = currency.as_ref().map_or("", |currency| currency.code.as_str());
    let (drivers_known, activities_known) = (&drivers_known, &activities_known);
    let known = basis::Known {
        tables: &tables,
        pool_capacities: inputs::pool_capacities(inputs.as_ref(), &tables),
        drivers: drivers_known,
        activities: activities_known,
        exponent,
        code,
        stake: "",
        period: period.unwrap_or(PeriodKind::Whole),
    };
    let none = (BTreeMap::new(), ServiceSetting::default());
    let resources =
        fields.read_or("resources", none, problems, |entry, problems| resources::read(entry, &known, problems));
    let mut served = resources::served(fields.get("resources"), fields.get("activities"));
    served.extend(base.into_iter().flat_map(traced_activities));
    let activities = fields.read_or("activities", BTreeMap::new(), problems, |entry, problems| {
        activities::read(entry, &known, &served, problems)
    });
    let fx =
        fields.read_or("fx", FxSettings::default(), problems, |entry, problems| fx::read(entry, &tables, problems));
    let receivables = inputs.as_ref().and_then(|inputs| inputs.receivables.as_ref());
    let all_told = inputs.is_some() || !tables.contains(&TableName::Receivables);
    let economic = economic::read(&fields, receivables, all_told, problems);
    let customers = inputs.as_ref().and_then(|inputs| inputs.customers.as_ref());
    let told = inputs.is_some() || !tables.contains(&TableName::Customers);
    let forecast = fields.read_or("forecast", None, problems, |entry, problems| {
        let known = covariates::known(inputs.as_ref(), &tables);
        let contracts = tables.contains(&TableName::Contracts);
        forecast::read(entry, (customers, told), (known.as_deref(), contracts), problems).map(Some)
    });
    if let (Some(_), Some(forecast), Some(entry)) = (&inputs, &forecast, fields.get("inputs")) {
        covariates::check_use(entry, forecast.as_ref(), problems);
    }
    let portfolio = portfolio_of(&fields, activities.as_ref(), (activities_known, &tables), exponent, problems);
    if let (Some(inputs), Some(period), Some(entry)) = (&inputs, period, fields.get("inputs")) {
        inputs::check_wallet(entry, inputs, period, problems);
    }

    let when = (period.unwrap_or(PeriodKind::Whole), as_of.flatten());
    let (equity, decisions) = ahead(&fields, when, exponent, (&tables, forecast.as_ref()), problems);
    let (output, spool) = places?;
    Some(Settings {
        name: name?,
        currency: currency?,
        as_of: as_of?,
        period: period?,
        seed: overrides.seed.or(seed)?,
        threads: overrides.threads,
        output: output.into_string(),
        outputs: outputs?,
        keep_versions: keep_versions? as u32,
        spool,
        base: if folder.as_str().is_empty() { ".".to_owned() } else { folder.to_string() },
        inputs: inputs?,
        freshness: contract.as_ref()?.1,
        contract: contract?.0,
        tests: tests?,
        ids: ids?,
        drivers: drivers?,
        activities: activities?,
        resources: resources.as_ref()?.0.clone(),
        service: resources?.1,
        fx: fx?,
        economic: economic?,
        forecast: forecast?,
        portfolio: portfolio?,
        equity: equity?,
        decisions: decisions?,
        scenario: None,
        report: report?,
        suppress: suppress?,
    })
}

/// Activities of a base some of whose cost customers are named with: in a scenario that traces them no more it is their cost.
fn traced_activities(base: &Settings) -> impl Iterator<Item = String> {
    base.activities.iter().filter(|(_, setting)| setting.is_traced()).map(|(name, _)| name.clone())
}

/// `inputs`, whose footers `limits` bounds. Without `inputs` that alone is told, not also what would need each of its tables.
fn inputs_of(fields: &Fields<'_>, problems: &mut Problems) -> (BTreeSet<TableName>, Option<Inputs>) {
    let limits = fields.read_or("limits", Limits::default(), problems, limits::read).unwrap_or_default();
    match fields.require("inputs", problems) {
        Some(entry) => inputs::read(entry, limits, problems),
        None => (TableName::ALL.into_iter().collect(), None),
    }
}

/// `output` and `spool`, which are relative to the config's folder where they are no URL.
fn places(
    fields: &Fields<'_>,
    folder: &Utf8Path,
    overrides: &Overrides,
    problems: &mut Problems,
) -> Option<(Utf8PathBuf, Option<String>)> {
    let output = fields.read_or("output", DEFAULT_OUTPUT, problems, run::output);
    let spool = fields.read_or("spool", None, problems, |entry, problems| run::spool(entry, problems).map(Some));
    let (output, spool): (&str, Option<&str>) = output.zip(spool)?;
    let output = if is_url(output) { Utf8PathBuf::from(output) } else { folder.join(output) };
    let output = overrides.output.clone().unwrap_or(output);
    Some((output, spool.map(|spool| folder.join(spool).into_string())))
}

/// `keep_versions`, `report` and `suppress`: what an output has beside its datasets, and what they leave out.
fn beside_the_datasets(
    fields: &Fields<'_>,
    problems: &mut Problems,
) -> (Option<u64>, Option<ReportSettings>, Option<u64>) {
    let keep_versions =
        fields.read_or("keep_versions", 0, problems, |entry, problems| entry.whole(0, MOST_VERSIONS, problems));
    let report = fields.read_or("report", ReportSettings::default(), problems, report::read);
    (keep_versions, report, fields.read_or("suppress", SMALLEST_GROUP, problems, report::suppress))
}

/// Rules of the inputs, and how fresh they must be.
///
/// * `tables`: those that the config names. * `without_day`: whether it has no `as_of`.
fn rules_of_inputs(
    fields: &Fields<'_>,
    tables: &BTreeSet<TableName>,
    (without_day, exponent): (bool, u8),
    problems: &mut Problems,
) -> Option<(contract::Rules, Option<Freshness>)> {
    let contract = fields.read_or("contract", (BTreeMap::new(), None), problems, |entry, problems| {
        contract::read(entry, tables, exponent, problems)
    })?;
    if let (Some(_), true, Some(entry)) = (contract.1, without_day, fields.get("contract")) {
        let what = "`contract.transactions.freshness` needs `as_of`: without it a run looks back from the last line";
        problems.add_with_hint(entry.key_at(), what, "add as_of: ${AS_OF} and let the scheduler set it");
    }
    Some(contract)
}

/// `tests`.
///
/// * `outputs`: those that the config names, where nothing is wrong with them.
fn tests_of_outputs(
    fields: &Fields<'_>,
    outputs: Option<&Option<Vec<String>>>,
    exponent: u8,
    problems: &mut Problems,
) -> Option<BTreeMap<String, OutputTest>> {
    fields.read_or("tests", BTreeMap::new(), problems, |entry, problems| {
        output_tests::read(entry, outputs.and_then(Option::as_deref), exponent, problems)
    })
}

/// `equity` and `decisions`, and whether what they and the forecast need is there.
///
/// * `when`: period and last day of the run. * `known`: tables, and the forecast where nothing is wrong with it.
fn ahead(
    fields: &Fields<'_>,
    (period, as_of): (PeriodKind, Option<Day>),
    exponent: u8,
    (tables, forecast): (&BTreeSet<TableName>, Option<&Option<ForecastSettings>>),
    problems: &mut Problems,
) -> (Option<EquitySettings>, Option<DecisionSettings>) {
    let equity = fields.read_or("equity", EquitySettings::default(), problems, |entry, problems| {
        equity::read(entry, period, as_of, problems)
    });
    let decisions = fields.read_or("decisions", DecisionSettings::default(), problems, |entry, problems| {
        decisions::read(entry, exponent, problems)
    });
    // What is wrong with the forecast is told there.
    if let Some(forecast) = forecast {
        forecast::check_contracts(fields, tables, forecast.as_ref(), problems);
        decisions::check_use(fields, tables, forecast.as_ref(), problems);
    }
    (equity, decisions)
}

/// `portfolio`, which may name activities and their drivers.
fn portfolio_of(
    fields: &Fields<'_>,
    activities: Option<&BTreeMap<String, ActivitySetting>>,
    (known, tables): (&[&str], &BTreeSet<TableName>),
    exponent: u8,
    problems: &mut Problems,
) -> Option<PortfolioSettings> {
    let drivers = activities.map(|activities| activities.values().filter_map(|one| one.method.driver()).collect());
    let table = tables.contains(&TableName::Activities);
    let served = portfolio::Served { activities: known, drivers: drivers.as_ref(), table };
    fields.read_or("portfolio", PortfolioSettings::default(), problems, |entry, problems| {
        portfolio::read(entry, exponent, &served, problems)
    })
}

/// Names in a section, also of those that are not right: what uses one is no second mistake.
fn names<'t>(fields: &Fields<'t>, section: &str) -> Vec<&'t str> {
    let named = fields.get(section).and_then(|entry| entry.named(&mut Problems::default()));
    named.unwrap_or_default().into_iter().map(|(name, _)| name).collect()
}
