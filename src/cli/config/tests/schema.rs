//! The JSON Schema of configs, held against the parser and against every config of the project.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use super::*;
use crate::cli::config::{
    resolved,
    schema::{always, explore, json_schema},
};

/// The schema as it is printed.
fn printed() -> Value {
    serde_json::from_str(JSON_SCHEMA).unwrap()
}

/// What is wrong with a value by the printed schema.
fn refused(value: &Value) -> Option<String> {
    let root = printed();
    wrong(&root, &root, value, "")
}

/// The part of JSON Schema that is used.
fn wrong(root: &Value, schema: &Value, value: &Value, path: &str) -> Option<String> {
    if let Some(part) = schema.get("$ref").and_then(Value::as_str) {
        return wrong(root, root.pointer(part.trim_start_matches('#')).unwrap(), value, path);
    }
    if let Some(any) = schema.get("anyOf").and_then(Value::as_array) {
        let mut found: Vec<String> = Vec::new();
        for one in any {
            found.push(wrong(root, one, value, path)?);
        }
        // The deepest one is of the form that was meant.
        return found.into_iter().rev().max_by_key(|what| what.matches('.').count());
    }
    if let Some(only) = schema.get("const") {
        return (only != value).then(|| format!("{path}: not {only}"));
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return (!words.contains(value)).then(|| format!("{path}: {value} is no word of {words:?}"));
    }
    if schema.get("pattern").is_some() && !value.as_str().is_some_and(|text| text.contains("${")) {
        return Some(format!("{path}: no reference"));
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed = match schema.get("type") {
        Some(Value::String(one)) => one == kind,
        Some(Value::Array(several)) => several.iter().any(|one| one == kind),
        _ => true,
    };
    if !allowed {
        return Some(format!("{path}: is {kind}"));
    }
    if let (Some(items), Value::Array(values)) = (schema.get("items"), value) {
        return values.iter().find_map(|value| wrong(root, items, value, path));
    }
    let Value::Object(entries) = value else { return None };
    let missing = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    if let Some(missing) = missing.filter_map(Value::as_str).find(|key| !entries.contains_key(*key)) {
        return Some(format!("{path}.: {missing} is missing"));
    }
    entries.iter().find_map(|(key, value)| {
        let path = format!("{path}.{key}");
        match schema.get("properties").and_then(|known| known.get(key)) {
            Some(known) => wrong(root, known, value, &path),
            None => match schema.get("additionalProperties") {
                Some(Value::Bool(false)) => Some(format!("{path}: unknown key")),
                Some(others) => wrong(root, others, value, &path),
                None => None,
            },
        }
    })
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

fn configs(folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            configs(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.insert(path.display().to_string(), fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_config_of_the_project_is_right_by_the_schema() {
    let mut found = BTreeMap::from([("the full config".to_owned(), super::whole::FULL.to_owned())]);
    configs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets"), &mut found);
    assert!(found.len() > 5, "{}", found.len());
    for (name, text) in found {
        assert_eq!(refused(&yaml(&text)), None, "{name}");
    }
}

#[test]
fn a_config_as_it_is_understood_is_right_by_the_schema() {
    let contracts = "inputs:\n  contracts: {path: c, columns: {customer_id: c, start: s, end: e}}";
    let forecast = "forecast: {horizon: 52w, parameter_uncertainty: '${UNSURE:-true}'}\ncommissions: {rate: 0.1, clawback: true}\n";
    for text in [
        super::whole::FULL.to_owned(),
        format!("{MINIMAL}{forecast}"),
        format!("{}forecast: {{horizon: 52w, model: auto}}\n", MINIMAL.replace("inputs:", contracts)),
        format!(
            "{MINIMAL}portfolio: {{value_tier_cuts: {{best: 10}}, future_at_least: 5}}\nreport: {{write: false}}\n"
        ),
    ] {
        let told = resolved(Utf8Path::new("c.yaml"), &text, &env, &Overrides::default()).unwrap();
        assert_eq!(refused(&yaml(&told)), None, "{told}");
    }
}

#[test]
fn what_the_parser_refuses_as_unknown_or_missing_the_schema_refuses_too() {
    let refused = |text: &str| refused(&yaml(text));
    for (text, what) in [
        ("surprise: 1\n", ".surprise: unknown key"),
        ("outputs: [customer_profits]\n", ".outputs: [\"customer_profits\"] is no word of"),
        ("forecast: {horizon: 52w, modell: bg_nbd}\n", ".forecast.modell: unknown key"),
        ("forecast: {model: bg_nbd}\n", ".forecast.: horizon is missing"),
        ("contract: {transactions: {missing_dates: warn}}\n", ".contract.transactions.missing_dates: unknown key"),
        ("activities: {a: {level: ordr}}\n", ".activities.a.level: \"ordr\" is no word of"),
        ("tests: {t: {dataset: trace, where: x}}\n", ".tests.t"),
        ("limits: {max_row: 5}\n", ".limits.max_row: unknown key"),
        ("overrides: {forecast: {}}\n", ".overrides.forecast: unknown key"),
    ] {
        let told = refused(&format!("{MINIMAL}{text}")).unwrap_or_default();
        assert!(told.starts_with(what), "{text}: {told:?}");
    }
    let table = MINIMAL.replacen("  transactions:", "  transaction: {path: x}\n  transactions:", 1);
    assert!(refused(&table).is_some(), "{table}");
    assert_eq!(refused(MINIMAL), None);
    assert_eq!(refused(&format!("{MINIMAL}period: ${{PERIOD}}\noverrides: {{prices: 1.05}}\n")), None);
}

/// `WHALECURVE_SCHEMA=write` writes the file anew after a key was added.
#[test]
fn the_printed_schema_is_what_the_parser_asks_for_until_nothing_new_comes() {
    let shapes = explore(3, 16);
    let schema = format!("{:#}\n", json_schema(&shapes));
    #[expect(clippy::disallowed_methods, reason = "the file is written where the environment asks for it")]
    if std::env::var("WHALECURVE_SCHEMA").is_ok() {
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/config/schema.json"), &schema).unwrap();
    } else {
        assert!(schema == JSON_SCHEMA, "run this test with WHALECURVE_SCHEMA=write, and read the diff of schema.json");
    }
    // Other documents, not so many of them, ask nothing else.
    let mut new = Vec::new();
    for (path, other) in explore(2, 6) {
        let Some(shape) = shapes.get(&path) else {
            new.push(path);
            continue;
        };
        let keys = other.keys.keys().all(|key| shape.keys.contains_key(key));
        let words = other.words.is_subset(&shape.words);
        let forms = [(other.is_named, shape.is_named), (other.is_list, shape.is_list)];
        let scalars = [(other.is_number, shape.is_number), (other.is_text, shape.is_text)];
        let missed = forms.iter().chain(&scalars).any(|(other, own)| *other && !own);
        // What the schema says must be there is not left out anywhere.
        let strict = always(shape).into_iter().any(|key| !always(&other).contains(&key));
        if !keys || !words || missed || strict {
            new.push(path);
        }
    }
    assert!(new.is_empty(), "{new:?}");
    // A path at every depth: the readers of all sections were reached.
    for path in ["inputs.events.columns.date", "activities.*.rules", "forecast.covariates", "tests.*.error_if.rows"] {
        assert!(shapes.contains_key(path), "{path}");
    }
}
