//! JSON Schema of a config, for editors: found by asking the parser, so that there is no second list of keys. A test writes it
//! to `schema.json`, which the command prints, and holds the two together.
//!
//! The parser reads documents that are made of what it asked for in the documents before: every key that it knows gets a
//! value of every kind that it takes, in many mixtures, until nothing new is asked. Where a value was never asked for, the
//! schema allows anything: it may be laxer than the parser, never stricter about keys.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde_json::{Map, Value as Json, json};

use super::{
    Overrides,
    asked::{Asked, Shape},
    error::{Position, Problems},
    overrides::{OWN, PARTS},
    tree::{Key, Node, Scalar, Value, parse},
    walk::Entry,
};

/// Documents about a key that no reader has looked at yet, in one pass.
const TRIES: u32 = 24;

/// What scalars are tried. A name that the user gives is `*`, so that others can refer to it.
const SCALARS: [&str; 9] = ["x", "1", "0.5", "EUR", "1997-01-31", "2 days", "1997-01", "*", "*.csv"];

/// Stands for the user's own names.
const NAME: &str = "*";

/// Parts of the config that others refer to.
const CONTEXT: [&str; 5] = ["inputs", "activities", "drivers", "resources", "forecast"];

/// The schema, as draft 2020-12.
pub(super) fn json_schema(shapes: &BTreeMap<String, Shape>) -> Json {
    let mut schema = of_path("", shapes);
    if let Some(properties) = schema.get_mut("properties").and_then(Json::as_object_mut) {
        let overrides = of_overrides(properties);
        properties.insert("overrides".to_owned(), overrides);
        properties.insert("version".to_owned(), json!({"const": 1}));
    }
    let mut counts = BTreeMap::new();
    count(&schema, &mut counts);
    let mut parts = Map::new();
    share(&mut schema, &counts, &mut parts, true);
    schema["$defs"] = Json::Object(parts);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("whalecurve config");
    schema
}

/// Length of a part that is written once, and referred to.
const SHARED: usize = 150;

/// How often each long part stands in a schema.
fn count(schema: &Json, counts: &mut BTreeMap<String, u32>) {
    if let Json::Object(map) = schema {
        let text = schema.to_string();
        if text.len() > SHARED {
            *counts.entry(text).or_default() += 1;
        }
        map.values().for_each(|value| count(value, counts));
    }
    if let Json::Array(items) = schema {
        for item in items {
            count(item, counts);
        }
    }
}

/// Puts parts that stand several times among the shared ones. A mapping of properties is no schema of its own.
fn share(schema: &mut Json, counts: &BTreeMap<String, u32>, parts: &mut Map<String, Json>, is_schema: bool) {
    let text = schema.to_string();
    match schema {
        Json::Object(map) => {
            map.iter_mut().for_each(|(key, value)| share(value, counts, parts, !is_schema || key != "properties"));
        }
        Json::Array(items) => items.iter_mut().for_each(|item| share(item, counts, parts, true)),
        _ => return,
    }
    if is_schema && schema.is_object() && counts.get(&text).is_some_and(|count| *count > 1) {
        let known = parts.iter().find(|(_, part)| *part == schema).map(|(name, _)| name.clone());
        let name = known.unwrap_or_else(|| {
            let name = format!("part{}", parts.len() + 1);
            parts.insert(name.clone(), schema.clone());
            name
        });
        *schema = json!({"$ref": format!("#/$defs/{name}")});
    }
}

/// What documents made by chance seldom come to: a driver, and drivers that are weighed, wherever something is in proportion to one.
const SELDOM: &str = "
version: 1
activities:
  weighed:
    method: percent
    shares: {north: 100}
    by: {driver: {calls: 1, visits: 2}}
    no_driver: fallback
    fallback: {driver: {calls: 1, visits: 2}}
  single:
    method: percent
    shares: {north: 100}
    by: {driver: calls}
    no_driver: fallback
    fallback: {driver: calls}
  ruled:
    rules:
      - {method: percent, shares: {north: 100}, by: {driver: {calls: 1, visits: 2}}}
      - {method: driver, driver: {calls: 1, visits: 2}, no_driver: fallback, fallback: {driver: {calls: 1, visits: 2}}}
      - {method: percent, shares: {north: 100}, by: {driver: calls}}
      - {method: driver, driver: calls, no_driver: fallback, fallback: {driver: calls}}
";

/// All shapes that the parser asks for.
///
/// * `passes`: how often all that is known is gone through; what a pass finds, the next one goes into.
pub(super) fn explore(seed: u64, passes: u32) -> BTreeMap<String, Shape> {
    let (asked, mut dice) = (Asked::default(), Dice(seed));
    if let Some(seldom) = parse(SELDOM, &|_| None, &mut Problems::default()) {
        ask(&asked, &seldom);
    }
    for _ in 0..passes {
        let shapes = asked.shapes();
        for target in targets(&shapes) {
            let tries = if shapes.contains_key(&target) { 1 } else { TRIES };
            for _ in 0..tries {
                let chain: Vec<&str> = target.split('.').collect();
                ask(&asked, &Grower { shapes: &shapes, dice: &mut dice }.mapping("", &chain));
            }
        }
    }
    let mut shapes = asked.shapes();
    unite_drivers(&mut shapes);
    shapes
}

/// A driver is a name, or names with weights, wherever an activity goes by one: documents made by chance may show one of the two.
fn unite_drivers(shapes: &mut BTreeMap<String, Shape>) {
    let is_driver = |path: &&String| path.starts_with("activities.") && path.ends_with(".driver");
    let paths: Vec<String> = shapes.keys().filter(is_driver).cloned().collect();
    let Some(named) = paths.iter().find(|path| shapes[*path].is_named) else { return };
    let weight = join(named, NAME);
    let Some(weight) = shapes.get(&weight).cloned() else { return };
    for path in paths {
        if let Some(shape) = shapes.get_mut(&path) {
            (shape.is_named, shape.is_text) = (true, true);
        }
        shapes.insert(join(&path, NAME), weight.clone());
    }
}

/// Reads a document. Most are wrong in many ways: what is asked of them is what counts.
fn ask(asked: &Asked, document: &Node) {
    asked.begin();
    let (file, flags) = (Utf8Path::new("config.yaml"), Overrides::default());
    let _ = super::settings(file, &Entry::asking(document, asked), (&flags, None), &mut Problems::default());
}

/// Paths of all keys that are known.
fn targets(shapes: &BTreeMap<String, Shape>) -> Vec<String> {
    let of = |(path, shape): (&String, &Shape)| {
        let named = shape.is_named.then_some(NAME);
        let keys = shape.keys.keys().map(String::as_str).chain(named);
        keys.map(|key| join(path, key)).collect::<Vec<_>>()
    };
    let known: Vec<String> = shapes.iter().flat_map(of).collect();
    if known.is_empty() { vec!["version".to_owned()] } else { known }
}

/// Numbers without an end, the same in every run (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides as u64) as usize
    }

    fn one_of<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        if choices.is_empty() { None } else { choices.get(self.below(choices.len())) }
    }
}

/// What a value may be made as.
#[derive(Clone, Copy)]
enum Form {
    Mapping,
    List,
    Word,
    Scalar,
}

/// Makes documents of what is known to be asked.
struct Grower<'a> {
    shapes: &'a BTreeMap<String, Shape>,
    dice: &'a mut Dice,
}

impl Grower<'_> {
    /// A value for a path, made of what is known to be asked of it, and now and then of something else.
    ///
    /// * `chain`: keys that it must lead to, from here on.
    fn value(&mut self, path: &str, chain: &[&str]) -> Node {
        if path == "version" {
            return scalar("1");
        }
        let shape = self.shapes.get(path).cloned().unwrap_or_default();
        if !chain.is_empty() {
            let node = self.mapping(path, chain);
            // A list of mappings has the path of its one mapping.
            return if shape.is_list && self.dice.below(4) > 0 { list(vec![node]) } else { node };
        }
        let mut forms = Vec::new();
        if shape.is_named || !shape.keys.is_empty() {
            forms.push(Form::Mapping);
        }
        if shape.is_list {
            forms.push(Form::List);
        }
        if !shape.words.is_empty() {
            forms.extend([Form::Word, Form::Word]);
        }
        if shape.is_number || shape.is_text {
            forms.push(Form::Scalar);
        }
        if forms.is_empty() || self.dice.below(8) == 0 {
            forms = vec![Form::Mapping, Form::List, Form::Scalar];
        }
        match self.dice.one_of(&forms).copied().unwrap_or(Form::Scalar) {
            Form::Mapping => self.mapping(path, &[]),
            Form::List => {
                let items = 1 + self.dice.below(2);
                let is_mapping = !shape.keys.is_empty() && self.dice.below(2) == 0;
                list(
                    (0..items)
                        .map(|_| if is_mapping { self.mapping(path, &[]) } else { self.scalar(&shape) })
                        .collect(),
                )
            }
            Form::Word | Form::Scalar => self.scalar(&shape),
        }
    }

    /// A scalar: a word that is known, or anything.
    fn scalar(&mut self, shape: &Shape) -> Node {
        let words: Vec<&String> = shape.words.iter().collect();
        match self.dice.one_of(&words) {
            Some(word) if self.dice.below(4) > 0 => scalar(word),
            _ => scalar(self.dice.one_of(&SCALARS).copied().unwrap_or(NAME)),
        }
    }

    /// A mapping with the first key of the chain, what must be there, and some of what may be.
    fn mapping(&mut self, path: &str, chain: &[&str]) -> Node {
        let shape = self.shapes.get(path).cloned().unwrap_or_default();
        let (first, rest) = chain.split_first().map_or((None, chain), |(first, rest)| (Some(*first), rest));
        // Sparse mappings reach readers that stop at what does not go together, fuller ones those that need much.
        let often = [1, 2, 4, 12][self.dice.below(4)];
        let named = shape.is_named.then_some(NAME);
        let mut entries = Vec::new();
        for key in shape.keys.keys().map(String::as_str).chain(named).chain(path.is_empty().then_some("version")) {
            let required =
                shape.keys.get(key).is_some_and(|count| count.documents > 0) || key == "version" || key == NAME;
            let wanted = if path.is_empty() {
                required || self.dice.below(if CONTEXT.contains(&key) { 2 } else { 12 }) == 0
            } else if required {
                self.dice.below(12) > 0
            } else {
                self.dice.below(12) < often && (first.is_none() || self.dice.below(2) == 0)
            };
            let is_there = entries.iter().any(|(known, _): &(Key, Node)| known.text == key);
            if !is_there && (first == Some(key) || wanted) {
                let chain = if first == Some(key) { rest } else { &[] };
                let value = self.value(&join(path, key), chain);
                entries.push((Key { at: Position::START, text: key.to_owned() }, value));
            }
        }
        Node { at: Position::START, value: Value::Map(entries) }
    }
}

fn list(items: Vec<Node>) -> Node {
    Node { at: Position::START, value: Value::List(items) }
}

fn scalar(text: &str) -> Node {
    Node { at: Position::START, value: Value::Scalar(Scalar { text: text.to_owned(), variables: Vec::new() }) }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The schema of a path.
fn of_path(path: &str, shapes: &BTreeMap<String, Shape>) -> Json {
    let Some(shape) = shapes.get(path) else { return json!({}) };
    let mut any = Vec::new();
    if shape.is_named || !shape.keys.is_empty() {
        any.push(object(path, shape, shapes));
    }
    if !shape.words.is_empty() {
        let words: Vec<Json> = shape.words.iter().map(|word| plain(word)).collect();
        any.push(json!({"enum": words}));
        // A value from the environment.
        any.push(json!({"type": "string", "pattern": "\\$\\{"}));
    }
    if shape.is_text {
        any.push(json!({"type": ["string", "number", "boolean"]}));
    } else if shape.is_number {
        any.push(json!({"type": ["number", "string"]}));
    }
    if shape.is_list {
        let single = if any.is_empty() { json!({}) } else { json!({"anyOf": any}) };
        any.push(json!({"type": "array", "minItems": 1, "items": single}));
    }
    if any.len() == 1 { any.remove(0) } else { json!({"anyOf": any}) }
}

/// A word as YAML reads it.
fn plain(word: &str) -> Json {
    match word {
        "true" => json!(true),
        "false" => json!(false),
        word => json!(word),
    }
}

/// Keys that had to be there whenever the mapping was read.
pub(super) fn always(shape: &Shape) -> Vec<&String> {
    let (all, keys) = (shape.mappings.documents, shape.keys.iter());
    keys.filter(|(_, count)| count.documents > 0 && count.documents >= all).map(|(key, _)| key).collect()
}

fn object(path: &str, shape: &Shape, shapes: &BTreeMap<String, Shape>) -> Json {
    let properties: Map<String, Json> =
        shape.keys.keys().map(|key| (key.clone(), of_path(&join(path, key), shapes))).collect();
    let required = always(shape);
    // One with keys of its own, of whose other names nothing was ever asked, was looked through by a reader that seeks one of the keys.
    let own = join(path, NAME);
    let is_named = shape.is_named && (shape.keys.is_empty() || shapes.contains_key(&own));
    let others = if is_named { of_path(&own, shapes) } else { json!(false) };
    let mut object = json!({"type": ["object", "null"], "additionalProperties": others});
    if path.is_empty() {
        object["type"] = json!("object");
    }
    if !properties.is_empty() {
        object["properties"] = Json::Object(properties);
    }
    if !required.is_empty() {
        object["type"] = json!("object");
        object["required"] = json!(required);
    }
    object
}

/// What a scenario may change: parts of the config, of which less need be there, and what is its own.
fn of_overrides(properties: &Map<String, Json>) -> Json {
    let own = OWN.into_iter().map(|key| (key.to_owned(), json!({})));
    let parts = PARTS.into_iter().map(|part| {
        let mut schema = properties.get(part).cloned().unwrap_or_default();
        loosen(&mut schema);
        (part.to_owned(), schema)
    });
    let properties: Map<String, Json> = own.chain(parts).collect();
    json!({"type": ["object", "null"], "properties": properties, "additionalProperties": false})
}

/// Takes out of a schema that something must be there, and what a cost may be: a scenario has factors, too.
fn loosen(schema: &mut Json) {
    match schema {
        Json::Object(map) => {
            map.remove("required");
            for (key, value) in map.iter_mut() {
                if key == "cost" {
                    *value = json!({});
                } else {
                    loosen(value);
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(loosen),
        _ => {}
    }
}
