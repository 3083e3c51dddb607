//! A cursor over the tree: readers ask for what they want and get a value or `None`; what is wrong is noted, with its
//! place, and reading goes on.

use super::{
    asked::{Asked, Shape},
    error::{Position, Problems},
    number::{self, NumberError},
    suggest::{closest, list, quoted},
    tree::{Key, Node, Scalar, Value},
};
use crate::{
    numeric::decimal::Decimal,
    schema::period::{Period, PeriodKind, parse_day},
    units::Day,
};

/// A day whose period shows how periods are written: 1997-03-31.
const EXAMPLE_DAY: Day = 9_951;

/// A value with its path in the config (`inputs.transactions.path`).
#[derive(Clone, Debug)]
pub(super) struct Entry<'t> {
    node: &'t Node,
    key_at: Position,
    path: String,
    asked: Option<&'t Asked>,
}

/// A mapping whose keys are known.
#[derive(Debug)]
pub(super) struct Fields<'t> {
    at: Position,
    path: String,
    entries: Vec<(&'t str, Entry<'t>)>,
    asked: Option<&'t Asked>,
}

impl<'t> Fields<'t> {
    /// The value of a key, when there.
    pub(super) fn get(&self, key: &str) -> Option<&Entry<'t>> {
        self.entries.iter().find(|(name, _)| *name == key).map(|(_, entry)| entry)
    }

    /// Whether a key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The value of a key that must be there.
    pub(super) fn require(&self, key: &str, problems: &mut Problems) -> Option<&Entry<'t>> {
        if let Some(asked) = self.asked {
            asked.note(&self.path, |shape, document| shape.keys.entry(key.to_owned()).or_default().see(document));
        }
        let found = self.get(key);
        if found.is_none() {
            problems.add(self.at, format!("{} is missing", quoted(&join(&self.path, key))));
        }
        found
    }

    /// Read a key that must be there; `None` when something is wrong with it.
    pub(super) fn read<T>(
        &self,
        key: &str,
        problems: &mut Problems,
        read: impl FnOnce(&Entry<'t>, &mut Problems) -> Option<T>,
    ) -> Option<T> {
        let entry = self.require(key, problems)?;
        read(entry, problems)
    }

    /// Read a key that need not be there; `None` when something is wrong with it.
    pub(super) fn read_or<T>(
        &self,
        key: &str,
        default: T,
        problems: &mut Problems,
        read: impl FnOnce(&Entry<'t>, &mut Problems) -> Option<T>,
    ) -> Option<T> {
        self.get(key).map_or(Some(default), |entry| read(entry, problems))
    }

    /// Where the mapping's own key stands.
    pub(super) fn at(&self) -> Position {
        self.at
    }

    /// The mapping's path.
    pub(super) fn path(&self) -> &str {
        &self.path
    }
}

impl<'t> Entry<'t> {
    /// The whole document.
    pub(super) fn root(node: &'t Node) -> Self {
        Self { node, key_at: Position::START, path: String::new(), asked: None }
    }

    /// A value under a key of the document.
    pub(super) fn under(key: &Key, node: &'t Node) -> Self {
        Self { node, key_at: key.at, path: key.text.clone(), asked: None }
    }

    /// The whole document, of which is noted what readers ask.
    #[cfg(test)]
    pub(super) fn asking(node: &'t Node, asked: &'t Asked) -> Self {
        Self { asked: Some(asked), ..Self::root(node) }
    }

    fn note(&self, note: impl FnOnce(&mut Shape)) {
        if let Some(asked) = self.asked {
            asked.note(&self.path, |shape, _| note(shape));
        }
    }

    /// Where the value stands.
    pub(super) fn at(&self) -> Position {
        self.node.at
    }

    /// Where its key stands.
    pub(super) fn key_at(&self) -> Position {
        self.key_at
    }

    /// Its path in the config.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Whether it is a mapping.
    pub(super) fn is_null(&self) -> bool {
        matches!(self.node.value, Value::Null)
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self.node.value, Value::Map(_))
    }

    /// Note that the value is not what was wanted, without repeating what came from the environment.
    pub(super) fn refuse(&self, expected: &str, hint: Option<String>, problems: &mut Problems) {
        // Who refuses a value has looked at it as a scalar.
        self.note(|shape| shape.is_text = true);
        self.refuse_as(expected, hint, problems);
    }

    fn refuse_as(&self, expected: &str, hint: Option<String>, problems: &mut Problems) {
        let found = match &self.node.value {
            Value::Broken => return,
            Value::Null => "has no value".to_owned(),
            Value::List(_) => "is a list".to_owned(),
            Value::Map(_) => "is a mapping".to_owned(),
            Value::Scalar(scalar) if scalar.is_public() && scalar.text.trim().is_empty() => "is empty".to_owned(),
            Value::Scalar(scalar) => format!("is {}", shown(scalar)),
        };
        let subject = if self.path.is_empty() { "the config".to_owned() } else { quoted(&self.path) };
        let what = format!("{subject} {found}, expected {expected}");
        // An empty value's place is wherever the next thing begins: its key is what the user wrote.
        let at = if matches!(self.node.value, Value::Null) { self.key_at } else { self.node.at };
        match hint {
            Some(hint) => problems.add_with_hint(at, what, hint),
            None => problems.add(at, what),
        }
    }

    /// A mapping with these keys and no others. An empty value is an empty mapping.
    pub(super) fn fields(&self, known: &[&str], problems: &mut Problems) -> Option<Fields<'t>> {
        self.note(|shape| known.iter().for_each(|key| _ = shape.keys.entry((*key).to_owned()).or_default()));
        let entries = self.entries(&format!("a mapping with {}", list(known)), problems)?;
        if let Some(asked) = self.asked {
            asked.note(&self.path, |shape, document| shape.mappings.see(document));
        }
        let mut fields = Fields { at: self.key_at, path: self.path.clone(), entries: Vec::new(), asked: self.asked };
        for (key, entry) in entries {
            if known.contains(&key.text.as_str()) {
                fields.entries.push((&key.text, entry));
            } else {
                self.note_unknown(key, known, problems);
            }
        }
        Some(fields)
    }

    fn note_unknown(&self, key: &Key, known: &[&str], problems: &mut Problems) {
        let place = if self.path.is_empty() { String::new() } else { format!(" in {}", quoted(&self.path)) };
        let known_keys = format!("known keys: {}", list(known));
        let hint = match closest(&key.text, known) {
            Some(word) => format!("did you mean `{word}`? {known_keys}"),
            None => known_keys,
        };
        problems.add_with_hint(key.at, format!("unknown key {}{place}", quoted(&key.text)), hint);
    }

    /// A mapping whose keys are the user's own names. An empty value is an empty mapping.
    pub(super) fn named(&self, problems: &mut Problems) -> Option<Vec<(&'t str, Entry<'t>)>> {
        self.note(|shape| shape.is_named = true);
        let mut named = Vec::new();
        for (key, entry) in self.entries("a mapping of names", problems)? {
            if key.text.trim().is_empty() || key.text.trim() != key.text || key.text.contains(char::is_control) {
                let what = format!("a name in {} is empty or has white space around it", quoted(&self.path));
                problems.add(key.at, what);
            }
            named.push((key.text.as_str(), entry));
        }
        Some(named)
    }

    /// The entries of a mapping, each key once.
    fn entries(&self, expected: &str, problems: &mut Problems) -> Option<Vec<(&'t Key, Entry<'t>)>> {
        let entries = match &self.node.value {
            Value::Map(entries) => entries.as_slice(),
            Value::Null => &[],
            _ => {
                self.refuse_as(expected, None, problems);
                return None;
            }
        };
        let mut unique: Vec<(&Key, Entry<'_>)> = Vec::with_capacity(entries.len());
        for (key, node) in entries {
            let path = join(&self.path, &key.text);
            match unique.iter().find(|(first, _)| first.text == key.text) {
                Some((first, _)) => {
                    problems
                        .add(key.at, format!("{} stands here again, first on line {}", quoted(&path), first.at.line));
                }
                None => unique.push((key, Entry { node, key_at: key.at, path, asked: self.asked })),
            }
        }
        Some(unique)
    }

    /// One value or a list of values, at least one.
    pub(super) fn one_or_more(&self, expected: &str, problems: &mut Problems) -> Option<Vec<Entry<'t>>> {
        self.note(|shape| shape.is_list = true);
        match &self.node.value {
            Value::List(items) if !items.is_empty() => {
                let entry =
                    |node: &'t Node| Entry { node, key_at: node.at, path: self.path.clone(), asked: self.asked };
                Some(items.iter().map(entry).collect())
            }
            Value::Scalar(_) => Some(vec![self.clone()]),
            Value::List(_) => {
                problems.add(self.at(), format!("{} is an empty list, expected {expected}", quoted(&self.path)));
                None
            }
            _ => {
                self.refuse_as(expected, None, problems);
                None
            }
        }
    }

    /// A text that is not blank; `expected` says what it should be.
    pub(super) fn text(&self, expected: &str, problems: &mut Problems) -> Option<&'t str> {
        self.note(|shape| shape.is_text = true);
        match &self.node.value {
            Value::Scalar(scalar) if !scalar.text.trim().is_empty() => Some(&scalar.text),
            _ => {
                self.refuse(expected, None, problems);
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)], problems: &mut Problems) -> Option<T> {
        let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
        self.note(|shape| shape.words.extend(names.iter().map(|name| (*name).to_owned())));
        let expected = match names.as_slice() {
            [only] => format!("`{only}`"),
            names => format!("one of {}", list(names)),
        };
        let Value::Scalar(scalar) = &self.node.value else {
            self.refuse_as(&expected, None, problems);
            return None;
        };
        let found = words.iter().find(|(name, _)| *name == scalar.text).map(|(_, value)| *value);
        if found.is_none() {
            let word = if names.len() > 1 { self.closest(&names) } else { None };
            self.refuse_as(&expected, word.map(|word| format!("did you mean `{word}`?")), problems);
        }
        found
    }

    /// A whole number from `low` to `high`.
    pub(super) fn whole(&self, low: u64, high: u64, problems: &mut Problems) -> Option<u64> {
        self.note(|shape| shape.is_number = true);
        let expected = match high {
            u64::MAX => format!("a whole number of 64 bits, {low} or more"),
            high => format!("a whole number from {low} to {high}"),
        };
        let parsed = self.own_scalar().and_then(|text| number::decimal(text, 0).ok());
        let whole = parsed.and_then(|value| u64::try_from(value).ok()).filter(|value| (low..=high).contains(value));
        if whole.is_none() {
            self.refuse_as(&expected, None, problems);
        }
        whole
    }

    /// A number from 0 to `high` with at most [`RATE_DIGITS`] digits after the point, such as a rate or a share.
    pub(super) fn rate(&self, high: u8, problems: &mut Problems) -> Option<f64> {
        self.note(|shape| shape.is_number = true);
        let parsed = self.own_scalar().and_then(|text| Some((text, number::decimal(text, RATE_DIGITS).ok()?)));
        let limit = i128::from(high) * 10_i128.pow(u32::from(RATE_DIGITS));
        let rate = parsed.filter(|(_, scaled)| (0..=limit).contains(scaled)).and_then(|(text, _)| text.parse().ok());
        if rate.is_none() {
            let is_percent = self.own_scalar().is_some_and(|text| text.ends_with('%'));
            self.refuse_as(
                &format!("a number from 0 to {high}, at most {RATE_DIGITS} digits after the point"),
                is_percent.then(|| "write 10 % as 0.10".to_owned()),
                problems,
            );
        }
        rate
    }

    /// [`Self::rate`] as the exact decimal that is written.
    pub(super) fn exact_rate(&self, high: u8, problems: &mut Problems) -> Option<Decimal> {
        self.rate(high, problems)?;
        let mantissa = number::decimal(self.scalar()?, RATE_DIGITS).ok()?;
        Some(Decimal { mantissa, scale: u32::from(RATE_DIGITS) }.normalised())
    }

    /// A decimal number from `low` to `high` with at most [`RATE_DIGITS`] digits after the point, exactly.
    pub(super) fn decimal(&self, range: (i64, i64), problems: &mut Problems) -> Option<Decimal> {
        self.decimal_at_stake(range, "", problems)
    }

    /// The same.
    ///
    /// * `stake`: what the message ends with.
    pub(super) fn decimal_at_stake(
        &self,
        (low, high): (i64, i64),
        stake: &str,
        problems: &mut Problems,
    ) -> Option<Decimal> {
        self.note(|shape| shape.is_number = true);
        let digits = u32::from(RATE_DIGITS);
        let one = 10_i128.pow(digits);
        let parsed = self.own_scalar().and_then(|text| number::decimal(text, RATE_DIGITS).ok());
        let fits = |scaled: &i128| (i128::from(low) * one..=i128::from(high) * one).contains(scaled);
        let Some(mantissa) = parsed.filter(fits) else {
            let expected =
                format!("a number from {low} to {high}, at most {RATE_DIGITS} digits after the point{stake}");
            self.refuse_as(&expected, None, problems);
            return None;
        };
        Some(Decimal { mantissa, scale: digits }.normalised())
    }

    /// A decimal number with at most `digits` digits after the point, times `10^digits`, that fits 64 bits.
    pub(super) fn scaled(&self, digits: u8, what: &str, problems: &mut Problems) -> Option<i64> {
        self.note(|shape| shape.is_number = true);
        let parsed = match self.own_scalar() {
            Some(text) => number::decimal(text, digits),
            None => Err(NumberError::NotANumber),
        };
        let error = match parsed.map(i64::try_from) {
            Ok(Ok(value)) => return Some(value),
            Ok(Err(_)) | Err(NumberError::TooLarge) => format!("{what} of at most {} digits in all", 18),
            Err(NumberError::TooManyDigits) if digits == 0 => format!("{what} without digits after the point"),
            Err(NumberError::TooManyDigits) => format!("{what} with at most {digits} digits after the point"),
            Err(NumberError::NotANumber) => format!("{what}: digits, and a point where a fraction follows"),
        };
        self.refuse_as(&error, None, problems);
        None
    }

    /// A day of the calendar.
    pub(super) fn day(&self, problems: &mut Problems) -> Option<Day> {
        let day = self.scalar().filter(|text| text.len() == "1997-09-30".len()).and_then(parse_day);
        if day.is_none() {
            self.refuse("a date of the calendar like 1997-09-30", None, problems);
        }
        day
    }

    /// The period of a label that is this entry's key.
    pub(super) fn period(&self, label: &str, kind: PeriodKind, problems: &mut Problems) -> Option<Period> {
        let period = kind.parse(label);
        if period.is_none() {
            let what = format!("{} is no period of this run", quoted(&self.path));
            let hint = format!("its periods are written like {}", kind.label(kind.of(EXAMPLE_DAY)));
            problems.add_with_hint(self.key_at, what, hint);
        }
        period
    }

    /// The word that was probably meant; none for a value from the environment, of which it would tell.
    pub(super) fn closest<'k>(&self, known: &[&'k str]) -> Option<&'k str> {
        match &self.node.value {
            Value::Scalar(scalar) if scalar.is_public() => closest(&scalar.text, known),
            _ => None,
        }
    }

    /// The scalar's text, without a note when it is none.
    pub(super) fn scalar(&self) -> Option<&'t str> {
        self.note(|shape| shape.is_text = true);
        self.own_scalar()
    }

    fn own_scalar(&self) -> Option<&'t str> {
        match &self.node.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }
}

/// Digits after the point that a rate or share may have.
pub(super) const RATE_DIGITS: u8 = 12;

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A value in a message: as written, or the variable it came from.
fn shown(scalar: &Scalar) -> String {
    match scalar.variables.as_slice() {
        [] => quoted(&scalar.text),
        variables => {
            let names: Vec<String> = variables.iter().map(|name| format!("${{{name}}}")).collect();
            format!("made from {} (value not shown)", names.join(" and "))
        }
    }
}
