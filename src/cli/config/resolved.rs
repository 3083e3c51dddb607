//! A config as it is understood: the file with values from the environment and the command line in place, the defaults that a
//! run takes where it says nothing, and where each value came from. It is a config itself.

use std::fmt::Write as _;

use camino::Utf8Path;

use super::{
    ConfigErrors, Overrides,
    defaults::{DefaultValue, defaults},
    error::{Position, Problems},
    load, overrides,
    secret::looks_secret,
    tree::{self, Key, Node, Scalar, Value},
};

/// What stands in place of a value that is secret.
const REDACTED: &str = "***";

/// Parts of names of variables that hold secrets.
const SECRET_NAMES: [&str; 7] = ["PASSWORD", "PASSWD", "PWD", "SECRET", "TOKEN", "KEY", "CREDENTIAL"];

/// The config as YAML, each value with where it came from: the line of the file, the variable, the flag, or `default`.
///
/// # Errors
/// As [`load`].
pub fn resolved(
    path: &Utf8Path,
    text: &str,
    env: &dyn Fn(&str) -> Option<String>,
    flags: &Overrides,
) -> Result<String, ConfigErrors> {
    let settings = load(path, text, env, flags)?;
    let mut problems = Problems::default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Some(mut document) = tree::parse(text, env, &mut problems) else {
        return Err(problems.into_errors(path.to_owned()));
    };
    let mut writer = Writer { file: path.file_name().unwrap_or("config"), text: String::new() };
    overrides::add_sets(&mut document, &flags.sets, &mut problems);
    let output = flags.output.as_ref().map(ToString::to_string);
    for (flag, value) in [("seed", flags.seed.map(|seed| seed.to_string())), ("output", output)] {
        if let Some(value) = value {
            put(&mut document, &[flag], plain(value), Origin::Flag);
        }
    }
    for (place, value) in defaults(&settings) {
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        if find(&document, &place).is_none() {
            put(&mut document, &place, Origin::Default.value(value), Origin::Default);
        }
    }
    if document.get("as_of").is_none() {
        writer.text.push_str("# as_of: day of the last accepted line (default)\n");
    }
    if document.get("outputs").is_none() {
        writer.text.push_str("# outputs: every dataset (default)\n");
    }
    writer.mapping(&document, 0);
    Ok(writer.text)
}

/// Where a value came from that is not in the file: places that no file has.
#[derive(Clone, Copy)]
enum Origin {
    Flag,
    Default,
}

impl Origin {
    fn place(self) -> Position {
        match self {
            Self::Flag => Position { line: 0, column: 1 },
            Self::Default => Position { line: 0, column: 2 },
        }
    }

    fn node(self, text: String) -> Node {
        Node { at: self.place(), value: plain(text) }
    }

    fn value(self, default: DefaultValue) -> Value {
        match default {
            DefaultValue::One(text) => plain(text),
            DefaultValue::List(items) => Value::List(items.into_iter().map(|item| self.node(item)).collect()),
            DefaultValue::Named(entries) => {
                let entry = |(key, text)| (Key { at: self.place(), text: key }, self.node(text));
                Value::Map(entries.into_iter().map(entry).collect())
            }
        }
    }
}

fn plain(text: String) -> Value {
    Value::Scalar(Scalar { text, variables: Vec::new() })
}

fn find<'n>(document: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(document, |node, key| node.get(key))
}

/// Puts a value at a path, replacing what stands there.
fn put(node: &mut Node, path: &[&str], value: Value, origin: Origin) {
    let Some((first, rest)) = path.split_first() else {
        (node.at, node.value) = (origin.place(), value);
        return;
    };
    if !matches!(node.value, Value::Map(_)) {
        node.value = Value::Map(Vec::new());
    }
    let Value::Map(entries) = &mut node.value else { return };
    let at = entries.iter().position(|(key, _)| key.text == *first).unwrap_or_else(|| {
        let key = Key { at: origin.place(), text: (*first).to_owned() };
        entries.push((key, Node { at: origin.place(), value: Value::Null }));
        entries.len() - 1
    });
    put(&mut entries[at].1, rest, value, origin);
}

struct Writer<'a> {
    file: &'a str,
    text: String,
}

impl Writer<'_> {
    fn mapping(&mut self, node: &Node, depth: usize) {
        for (key, value) in node.entries() {
            let _ = write!(self.text, "{:indent$}{}:", "", scalar(&key.text), indent = 2 * depth);
            self.value(value, depth);
        }
    }

    /// What follows a key or the dash of a list.
    fn value(&mut self, node: &Node, depth: usize) {
        match &node.value {
            Value::Map(entries) if !entries.is_empty() => {
                self.text.push('\n');
                self.mapping(node, depth + 1);
            }
            Value::Map(_) => self.text.push_str(" {}\n"),
            Value::List(items) => {
                self.text.push('\n');
                for item in items {
                    let _ = write!(self.text, "{:indent$}-", "", indent = 2 * (depth + 1));
                    self.value(item, depth + 1);
                }
            }
            Value::Scalar(found) => {
                let secret = |name: &String| SECRET_NAMES.iter().any(|part| name.to_uppercase().contains(part));
                let hidden = found.variables.iter().any(secret) || looks_secret(&found.text);
                // A switch is bare, which this program reads as it would in quotes and the schema of configs as what it is.
                let shown = match found.text.as_str() {
                    _ if hidden => scalar(REDACTED),
                    switch @ ("true" | "false") => switch.to_owned(),
                    text => scalar(text),
                };
                let _ = writeln!(self.text, " {shown}  # {}", self.origin(node.at, &found.variables));
            }
            Value::Null | Value::Broken => self.text.push_str(" null\n"),
        }
    }

    fn origin(&self, at: Position, variables: &[String]) -> String {
        if at == Origin::Default.place() {
            return "default".to_owned();
        }
        if at == Origin::Flag.place() {
            return "command line".to_owned();
        }
        let names: String = variables.iter().flat_map(|name| ["${", name, "}, "]).collect();
        format!("{names}{}:{}", self.file, at.line)
    }
}

/// A scalar that YAML and this program read as the same text.
fn scalar(text: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"_./+-".contains(&byte);
    let plain = text.bytes().all(bare) && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if plain && !["null", "true", "false", "yes", "no", "on", "off"].contains(&text.to_lowercase().as_str()) {
        return text.to_owned();
    }
    serde_json::Value::from(text.replace("${", "$${")).to_string()
}
