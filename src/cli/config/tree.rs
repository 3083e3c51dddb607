//! The YAML document as a tree in which every key and value knows its place and its exact text.
//!
//! YAML's own guess at types is not used: a parser that sees `25000.00` hands over a binary float. The tree keeps the
//! characters of the file instead, and readers decide what a text must be. Duplicate keys stay in the tree, so that
//! they are told together with everything else.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{
    Location, Options, Spanned, budget,
    options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy},
};

use super::{
    env,
    error::{Position, Problems},
    secret::looks_secret,
};

/// Largest config that is read, in bytes.
const MAX_BYTES: usize = super::MAX_BYTES as usize;

/// What `init` writes where it cannot know.
const TODO: &str = "TODO";

/// A value of the document.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Where it stands; for an alias, where the alias stands.
    pub(super) at: Position,
    /// What it is.
    pub(super) value: Value,
}

impl Node {
    /// Keys and values of a mapping; none of anything else.
    pub(super) fn entries(&self) -> impl Iterator<Item = &(Key, Self)> {
        match &self.value {
            Value::Map(entries) => entries.as_slice().iter(),
            _ => [].iter(),
        }
    }

    /// The text of a scalar.
    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().find(|(known, _)| known.text == key).map(|(_, node)| node)
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let Value::Map(entries) = &mut self.value else { return None };
        entries.iter_mut().find(|(known, _)| known.text == key).map(|(_, node)| node)
    }

    /// Takes keys out of a mapping.
    pub(super) fn forget(&mut self, mut is_gone: impl FnMut(&str) -> bool) {
        if let Value::Map(entries) = &mut self.value {
            entries.retain(|(key, _)| !is_gone(&key.text));
        }
    }
}

/// What a node is.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// Any scalar, quoted or not.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A mapping in the order of the file, duplicate keys included.
    Map(Vec<(Key, Node)>),
    /// A value whose problem is noted already: its readers stay silent.
    Broken,
}

/// A key of a mapping.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// Where it stands.
    pub(super) at: Position,
    /// Its text.
    pub(super) text: String,
}

/// A scalar's text and where it came from.
#[derive(Clone, Debug)]
pub(super) struct Scalar {
    /// The text, environment references replaced.
    pub(super) text: String,
    /// Variables whose values are part of the text.
    pub(super) variables: Vec<String>,
}

impl Scalar {
    /// Whether messages may show the text, or hint at what it nearly is.
    pub(super) fn is_public(&self) -> bool {
        self.variables.is_empty()
    }
}

/// Parse a config into a tree; `None` when it is no YAML, which is noted with every other problem of its values.
pub(super) fn parse(text: &str, env: &dyn Fn(&str) -> Option<String>, problems: &mut Problems) -> Option<Node> {
    if text.len() > MAX_BYTES {
        problems
            .add(Position::START, format!("the config has {} bytes, more than the {MAX_BYTES} allowed", text.len()));
        return None;
    }
    match serde_saphyr::from_str_with_options::<Raw>(text, options()) {
        Ok(raw) => Some(Builder { text, env, problems }.node(raw)),
        Err(error) => {
            note_yaml_error(&error, problems);
            None
        }
    }
}

/// A config is small and flat: limits far above any real one, far below what hurts.
fn options() -> Options {
    serde_saphyr::options! {
        budget: budget! {
            max_depth: 24,
            max_documents: 2,
            max_events: 100_000,
            max_nodes: 50_000,
            max_anchors: 100,
            max_aliases: 1_000,
            max_recorded_anchor_events: 100_000,
            max_recorded_anchor_bytes: MAX_BYTES,
            max_total_scalar_bytes: 4 * MAX_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 100_000,
            max_replay_stack_depth: 8,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::Error,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

fn note_yaml_error(error: &serde_saphyr::Error, problems: &mut Problems) {
    use serde_saphyr::Error;
    let at = error.location().map_or(Position::START, position);
    match error {
        Error::AliasError { error, .. } => note_yaml_error(error, problems),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::RecursiveReferencesRequireWeakTypes { .. } => {
            problems.add(at, "the config is nested, repeated or referred to itself more than any config needs to be");
        }
        Error::MergeKeyNotAllowed { .. } => {
            problems.add_with_hint(at, "merge keys (`<<`) are not read", "write the keys out");
        }
        Error::MultipleDocuments { .. } => {
            problems.add_with_hint(at, "a second YAML document begins here", "a config is one document");
        }
        Error::Message { msg, .. } => problems.add(at, format!("not YAML: {msg}")),
        other => problems.add(at, format!("not YAML: {}", first_sentence(&other.to_string()))),
    }
}

/// The message without the parser's own rendering of the place.
fn first_sentence(message: &str) -> &str {
    message.split_once(" at line").map_or(message, |(sentence, _)| sentence)
}

fn position(location: Location) -> Position {
    Position { line: location.line().max(1), column: location.column().max(1) }
}

/// A node as the parser hands it over.
type Raw = Spanned<RawValue>;

enum RawValue {
    Null,
    /// Text as YAML reads it: quotes and escapes resolved.
    Text(String),
    /// A plain scalar that YAML takes for a number or a boolean: its text is in the file.
    Typed,
    List(Vec<Raw>),
    Map(Vec<(Raw, Raw)>),
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = RawValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<RawValue, E> {
        Ok(RawValue::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<RawValue, E> {
        Ok(RawValue::Typed)
    }

    fn visit_i64<E>(self, _: i64) -> Result<RawValue, E> {
        Ok(RawValue::Typed)
    }

    fn visit_u64<E>(self, _: u64) -> Result<RawValue, E> {
        Ok(RawValue::Typed)
    }

    fn visit_f64<E>(self, _: f64) -> Result<RawValue, E> {
        Ok(RawValue::Typed)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<RawValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(RawValue::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawValue, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Raw>()? {
            entries.push((key, map.next_value()?));
        }
        Ok(RawValue::Map(entries))
    }
}

/// Turns raw nodes into nodes: texts from the file, environment references replaced, credentials refused.
struct Builder<'a> {
    text: &'a str,
    env: &'a dyn Fn(&str) -> Option<String>,
    problems: &'a mut Problems,
}

impl Builder<'_> {
    fn node(&mut self, raw: Raw) -> Node {
        let at = position(raw.referenced);
        let value = match raw.value {
            RawValue::Null => Value::Null,
            RawValue::Text(text) => self.scalar(at, &text),
            RawValue::Typed => self.scalar(at, &self.written(raw.defined)),
            RawValue::List(items) => Value::List(items.into_iter().map(|item| self.node(item)).collect()),
            RawValue::Map(entries) => {
                Value::Map(entries.into_iter().filter_map(|(key, value)| self.entry(key, value)).collect())
            }
        };
        Node { at, value }
    }

    fn entry(&mut self, key: Raw, value: Raw) -> Option<(Key, Node)> {
        let at = position(key.referenced);
        let text = match key.value {
            RawValue::Text(text) => text,
            RawValue::Typed => self.written(key.defined),
            RawValue::Null | RawValue::List(_) | RawValue::Map(_) => {
                self.problems.add(at, "a key must be a word");
                return None;
            }
        };
        if looks_secret(&text) {
            self.note_secret(at);
            return None;
        }
        if text.contains("${") {
            self.problems.add(at, "`${…}` is read in values only, not in keys");
            return None;
        }
        Some((Key { at, text }, self.node(value)))
    }

    fn scalar(&mut self, at: Position, literal: &str) -> Value {
        if looks_secret(literal) {
            self.note_secret(at);
            return Value::Broken;
        }
        if literal == TODO {
            self.problems.add_with_hint(at, "is still TODO", "write in what it is");
            return Value::Broken;
        }
        match env::expand(literal, self.env) {
            Ok(env::Expanded { text, variables }) => Value::Scalar(Scalar { text, variables }),
            Err(error) => {
                self.problems.add_with_hint(at, error.to_string(), error.hint());
                Value::Broken
            }
        }
    }

    fn note_secret(&mut self, at: Position) {
        self.problems.add_with_hint(
            at,
            "looks like a secret, which a config must not hold",
            "take it from the environment: ${NAME}",
        );
    }

    /// The characters of the file at a place, without quotes (`!!int '7'` is a number in quotes).
    fn written(&self, location: Location) -> String {
        let span = location.span();
        let bytes = span.byte_offset().zip(span.byte_len()).and_then(|(start, length)| {
            let start = usize::try_from(start).ok()?;
            self.text.get(start..start + usize::try_from(length).ok()?)
        });
        bytes.unwrap_or_default().trim().trim_matches(['\'', '"']).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalars(node: &Node, into: &mut Vec<(u64, u64, String)>) {
        match &node.value {
            Value::Scalar(scalar) => into.push((node.at.line, node.at.column, scalar.text.clone())),
            Value::List(items) => items.iter().for_each(|item| scalars(item, into)),
            Value::Map(entries) => {
                for (key, value) in entries {
                    into.push((key.at.line, key.at.column, format!("{}:", key.text)));
                    scalars(value, into);
                }
            }
            Value::Null | Value::Broken => into.push((node.at.line, node.at.column, format!("{:?}", node.value))),
        }
    }

    fn flat(text: &str) -> Vec<(u64, u64, String)> {
        let mut problems = Problems::default();
        let mut flat = Vec::new();
        if let Some(node) = parse(text, &|_| None, &mut problems) {
            scalars(&node, &mut flat);
        }
        assert!(problems.is_empty(), "{problems:?}");
        flat
    }

    #[test]
    fn scalars_keep_the_characters_of_the_file_and_their_place() {
        let text = "é: [25000.00, '007', 0x10, 1e999, .inf, true, yes, ~]\n5: &a 0.10\nz: *a\nlong: >\n  one\n  two\n";
        let expected = [
            (1, 1, "é:"),
            (1, 5, "25000.00"),
            (1, 15, "007"),
            (1, 22, "0x10"),
            (1, 28, "1e999"),
            (1, 35, ".inf"),
            (1, 41, "true"),
            (1, 47, "yes"),
            (1, 52, "Null"),
            (2, 1, "5:"),
            (2, 7, "0.10"),
            (3, 1, "z:"),
            (3, 4, "0.10"),
            (4, 1, "long:"),
            (5, 3, "one two\n"),
        ];
        assert_eq!(flat(text), expected.map(|(line, column, text)| (line, column, text.to_owned())));
    }

    #[test]
    fn windows_line_ends_do_not_become_part_of_a_number() {
        assert_eq!(flat("a: 1.50\r\nb: 2\r\n")[1], (1, 4, "1.50".to_owned()));
    }
}
