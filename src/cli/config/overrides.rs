//! `overrides` and `--set`: the config's tree with other values in some places, read as a config of its own.

mod changes;

pub(super) use self::changes::Changes;
use super::{
    error::{Position, Problems},
    sections::{methods, resources, rules},
    suggest::{closest, list, quoted},
    tree::{Key, Node, Scalar, Value},
    walk::Entry,
};
use crate::{
    numeric::decimal::Decimal,
    schema::{scenario::BASE, settings::Settings},
};

/// Parts of the config that a scenario may change: everything after the facts.
pub(super) const PARTS: [&str; 5] = ["activities", "resources", "capital_charge", "commissions", "bad_debt"];

/// Keys of `overrides` that are no parts of the config.
pub(super) const OWN: [&str; 3] = ["name", "prices", "driver_factors"];

/// Name of a scenario that nobody named.
const DEFAULT_NAME: &str = "what_if";

/// Largest factor.
const MAX_FACTOR: i64 = 1_000_000;

/// What `overrides` and `--set` say.
#[derive(Debug)]
pub(super) struct Overridden {
    pub(super) name: String,
    pub(super) paths: Vec<String>,
    pub(super) prices: Vec<(Option<String>, Decimal)>,
    pub(super) driver_factors: Vec<(String, Decimal)>,
    pub(super) changes: Changes,
}

/// Keys of an activity or resource pool whose mappings are by name: a path of `--set` may change one name and keep the others.
const BY_NAME: [&str; 5] = ["driver", "shares", "segments", "to", "budgeted"];

/// Takes `overrides` out of the document, adds `--set`, and lays the changed parts over the rest.
///
/// `None` when nothing is overridden, or something is wrong, which is noted.
///
/// * `sets`: `activities.order_handling.cost=12000.00`, as typed.
/// * `base`: the config without them.
pub(super) fn apply(
    document: &mut Node,
    sets: &[String],
    base: &Settings,
    problems: &mut Problems,
) -> Option<Overridden> {
    let mut over = take(document);
    if over.is_none() && sets.is_empty() {
        return None;
    }
    let over = over.get_or_insert_with(|| Node { at: Position::START, value: Value::Map(Vec::new()) });
    let mut sets = sets.iter().map(|set| parse_set(set, problems)).collect::<Option<Vec<_>>>()?;
    // Another method takes nothing over, wherever it is said.
    sets.sort_by_key(|(path, _)| path.last().is_none_or(|key| key != "method"));
    for (path, value) in sets {
        keep_others(over, document, &path);
        put(over, &path, value);
    }
    let mut read = read(over, problems)?;
    read.changes = changes::take(over, base, problems)?;
    let Value::Map(entries) = std::mem::replace(&mut over.value, Value::Null) else { return None };
    for (key, node) in entries.into_iter().filter(|(key, _)| !OWN.contains(&key.text.as_str())) {
        let joined = above_keys(&key.text).map_or(usize::MAX, |above| above + 1);
        let part = Node { at: node.at, value: Value::Map(vec![(key, node)]) };
        forget_methods(document, &part);
        lay(document, part, joined);
    }
    Some(read)
}

/// Puts what `--set` says among the document's `overrides`.
pub(super) fn add_sets(document: &mut Node, sets: &[String], problems: &mut Problems) {
    for (mut path, mut value) in sets.iter().filter_map(|set| parse_set(set, problems)) {
        path.insert(0, "overrides".to_owned());
        value.at = Position { line: 0, ..Position::START };
        put(document, &path, value);
    }
}

/// `overrides`, taken out of the document.
fn take(document: &mut Node) -> Option<Node> {
    let Value::Map(entries) = &mut document.value else { return None };
    let at = entries.iter().position(|(key, _)| key.text == "overrides")?;
    Some(entries.remove(at).1)
}

/// `a.b.c=value`; the value is YAML.
fn parse_set(set: &str, problems: &mut Problems) -> Option<(Vec<String>, Node)> {
    let bad = |problems: &mut Problems| {
        let what = format!("--set {} is no assignment", quoted(set));
        problems.add_with_hint(Position::START, what, "write --set activities.order_handling.cost=12000.00");
        None
    };
    let Some((path, value)) = set.split_once('=') else { return bad(problems) };
    let path: Vec<String> = path.split('.').map(|part| part.trim().to_owned()).collect();
    if path.iter().any(String::is_empty) {
        return bad(problems);
    }
    let parsed = super::tree::parse(value, &|_| None, problems)?;
    Some((path, placed_at_start(parsed)))
}

/// Places inside `--set` are no places of the file.
fn placed_at_start(node: Node) -> Node {
    let value = match node.value {
        Value::Map(entries) => {
            let start = |key: Key| Key { at: Position::START, ..key };
            Value::Map(entries.into_iter().map(|(key, node)| (start(key), placed_at_start(node))).collect())
        }
        Value::List(items) => Value::List(items.into_iter().map(placed_at_start).collect()),
        other => other,
    };
    Node { at: Position::START, value }
}

/// Puts a value at a path, making mappings on the way.
fn put(node: &mut Node, path: &[String], value: Node) {
    let Some((first, rest)) = path.split_first() else {
        *node = value;
        return;
    };
    if !matches!(node.value, Value::Map(_)) {
        node.value = Value::Map(Vec::new());
    }
    let Value::Map(entries) = &mut node.value else { return };
    let at = entries.iter().position(|(key, _)| key.text == *first).unwrap_or_else(|| {
        let key = Key { at: Position::START, text: first.clone() };
        entries.push((key, Node { at: Position::START, value: Value::Null }));
        entries.len() - 1
    });
    put(&mut entries[at].1, rest, value);
}

/// How many steps of a path stand before the key of an activity or resource pool; `None` in other sections.
fn above_keys(section: &str) -> Option<usize> {
    [("activities", 2), ("resources", 3)].into_iter().find(|(name, _)| *name == section).map(|(_, above)| above)
}

/// Before a path changes one name of a mapping, `overrides` takes over the names that are there.
fn keep_others(over: &mut Node, document: &Node, path: &[String]) {
    let Some(above) = path.first().and_then(|section| above_keys(section)).filter(|above| path.len() > above + 1)
    else {
        return;
    };
    let own = |node: &Node, path: &[String]| path.iter().try_fold(node, |node, key| node.get(key)).cloned();
    let said = own(over, &path[..above]);
    let is_new = said.is_none_or(|said| said.get("method").is_none() && said.get(&path[above]).is_none());
    if is_new
        && BY_NAME.contains(&path[above].as_str())
        && let Some(known) = own(document, &path[..=above]).filter(|known| matches!(known.value, Value::Map(_)))
    {
        put(over, &path[..=above], known);
    }
}

/// Lays a tree over another: mappings are joined down to the keys of an activity or resource pool, so that half of an old
/// value does not stay; everything else is replaced. A key of an activity or resource pool without a value is taken out.
///
/// * `joined`: how many levels of mappings are joined.
fn lay(base: &mut Node, over: Node, joined: usize) {
    match (&mut base.value, over.value) {
        (Value::Map(entries), Value::Map(others)) if joined > 0 => {
            for (key, node) in others {
                if joined == 1 && matches!(node.value, Value::Null) {
                    entries.retain(|(known, _)| known.text != key.text);
                    continue;
                }
                match entries.iter_mut().find(|(known, _)| known.text == key.text) {
                    Some((_, known)) => lay(known, node, joined - 1),
                    None => entries.push((key, node)),
                }
            }
        }
        (_, value) => *base = Node { at: over.at, value },
    }
}

/// Another method takes nothing over from the one before it: what belongs to that goes, and so do rules by date. Other
/// rules take nothing over from the one before them, or from one that stood alone.
fn forget_methods(document: &mut Node, over: &Node) {
    for (section, own) in [("activities", &rules::KEYS[..]), ("resources", &resources::SERVICE[..])] {
        let path = if section == "resources" { vec![section, "pools"] } else { vec![section] };
        let said = path.iter().try_fold(over, |node, key| node.get(key));
        for (key, _) in said.into_iter().flat_map(Node::entries).filter(|(_, node)| node.get("rules").is_some()) {
            let before = path.iter().copied().chain([key.text.as_str()]).try_fold(&mut *document, Node::get_mut);
            if let Some(before) = before {
                before.forget(|key| key == "rule" || own.contains(&key) || methods::KEYS.contains(&key));
            }
        }
    }
    let over = over.get("activities").into_iter().flat_map(Node::entries);
    for (key, node) in over.filter(|(_, activity)| activity.get("method").is_some()) {
        if let Some(activity) = document.get_mut("activities").and_then(|activities| activities.get_mut(&key.text)) {
            activity
                .forget(|key| methods::KEYS.contains(&key) || methods::OF_CAPACITY.contains(&key) || key == "rules");
            let method = node.get("method").and_then(Node::scalar).unwrap_or_default();
            let strays = methods::without_effect(method);
            activity.forget(|key| strays.contains(&key));
        }
    }
}

fn read(over: &Node, problems: &mut Problems) -> Option<Overridden> {
    let known: Vec<&str> = OWN.into_iter().chain(PARTS).collect();
    let Value::Map(entries) = &over.value else {
        problems.add(over.at, format!("`overrides` is no mapping with {}", list(&known)));
        return None;
    };
    let mut complete = true;
    for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.text.as_str())) {
        let what = format!("{} cannot be overridden", quoted(&key.text));
        let known_keys = format!("a scenario changes {}", list(&known));
        let hint = closest(&key.text, &known)
            .map_or(known_keys.clone(), |word| format!("did you mean `{word}`? {known_keys}"));
        problems.add_with_hint(key.at, what, hint);
        complete = false;
    }
    let of = |name: &str| entries.iter().find(|(key, _)| key.text == name).map(|(key, node)| Entry::under(key, node));
    let name = of("name").map_or(Some(DEFAULT_NAME), |entry| entry.text("a name of the scenario", problems))?;
    if name == BASE {
        problems.add(over.at, format!("a scenario cannot be named `{BASE}`, which is the run without it"));
        complete = false;
    }
    let factors = |entry: &Entry<'_>, problems: &mut Problems| -> Option<Vec<(String, Decimal)>> {
        let named = entry.named(problems)?;
        let read: Vec<_> = named
            .iter()
            .map(|(name, entry)| Some(((*name).to_owned(), entry.decimal((0, MAX_FACTOR), problems)?)))
            .collect();
        read.into_iter().collect()
    };
    let prices = match of("prices") {
        None => Some(Vec::new()),
        Some(entry) if entry.scalar().is_some() => {
            entry.decimal((0, MAX_FACTOR), problems).map(|factor| vec![(None, factor)])
        }
        Some(entry) => factors(&entry, problems)
            .map(|factors| factors.into_iter().map(|(name, factor)| (Some(name), factor)).collect()),
    };
    let driver_factors = of("driver_factors").map_or(Some(Vec::new()), |entry| factors(&entry, problems));
    let mut paths = Vec::new();
    collect(over, "", &mut paths);
    let (prices, driver_factors) = (prices?, driver_factors?);
    let changes = Changes::default();
    complete.then(|| Overridden { name: name.to_owned(), paths, prices, driver_factors, changes })
}

/// Paths of all values.
fn collect(node: &Node, path: &str, paths: &mut Vec<String>) {
    match &node.value {
        Value::Map(entries) => {
            for (key, node) in entries.iter().filter(|(key, _)| !(path.is_empty() && key.text == "name")) {
                let path = if path.is_empty() { key.text.clone() } else { format!("{path}.{}", key.text) };
                collect(node, &path, paths);
            }
        }
        Value::Scalar(Scalar { .. }) | Value::List(_) | Value::Null | Value::Broken => paths.push(path.to_owned()),
    }
}
