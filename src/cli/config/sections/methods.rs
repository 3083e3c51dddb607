//! `method` of an activity, and the keys that belong to it.

use super::basis::{self, Known};
use crate::{
    cli::config::{
        error::Problems,
        suggest::quoted,
        walk::{Entry, Fields},
    },
    numeric::decimal::Decimal,
    schema::costing::{Basis, Method},
    units::Minor,
};

/// A method's name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Average,
    Even,
    Revenue,
    Cost,
    Driver,
    TimeDriven,
    Percent,
    FixedAmount,
    StandardRate,
    DualRate,
    Traced,
}

/// Words of `method`.
const METHODS: [(&str, Word); 11] = [
    ("average", Word::Average),
    ("even", Word::Even),
    ("revenue", Word::Revenue),
    ("cost", Word::Cost),
    ("driver", Word::Driver),
    ("time_driven", Word::TimeDriven),
    ("percent", Word::Percent),
    ("fixed_amount", Word::FixedAmount),
    ("standard_rate", Word::StandardRate),
    ("dual_rate", Word::DualRate),
    ("traced", Word::Traced),
];

/// Keys that belong to methods.
pub(in crate::cli::config) const KEYS: [&str; 10] =
    ["driver", "time", "of", "shares", "segments", "each", "by", "rate", "fixed", "budgeted"];

/// A method that need not be there.
type Optional<T> = Option<T>;

/// Keys of an activity's capacity, which is in the unit of its driver quantities.
pub(in crate::cli::config) const OF_CAPACITY: [&str; 3] = ["capacity", "over_use", "unused_to"];

/// Keys of an activity that go with its driver quantities, and have no effect under a method without them.
pub(in crate::cli::config) fn without_effect(method: &str) -> Vec<&'static str> {
    let word = METHODS.iter().find(|(name, _)| *name == method).map(|(_, word)| *word);
    let (signs, missing) = (["negative", "amplification_limit"], ["no_driver", "fallback"]);
    match word {
        Some(Word::Average | Word::Even) => signs.to_vec(),
        Some(Word::DualRate) => missing.to_vec(),
        Some(Word::Percent | Word::FixedAmount | Word::StandardRate) => [&missing[..], &OF_CAPACITY].concat(),
        Some(Word::Traced) => [&signs[..], &missing, &OF_CAPACITY].concat(),
        Some(Word::Revenue | Word::Cost | Word::Driver | Word::TimeDriven) | None => Vec::new(),
    }
}

impl Word {
    fn name(self) -> &'static str {
        METHODS.iter().find(|(_, word)| *word == self).map_or("", |(name, _)| name)
    }

    /// The keys that it uses.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Average | Self::Even | Self::Revenue | Self::Traced => &[],
            Self::Cost => &["of"],
            Self::Driver => &["driver"],
            Self::TimeDriven => &["time"],
            Self::Percent => &["shares", "by"],
            Self::FixedAmount => &["segments", "each", "by"],
            Self::StandardRate => &["driver", "time", "rate"],
            Self::DualRate => &["driver", "time", "fixed", "budgeted"],
        }
    }
}

/// The method, with what belongs to it.
pub(super) fn read(fields: &Fields<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Method> {
    let word = fields.read("method", problems, |entry, problems| entry.word(&METHODS, problems))?;
    named(word, fields, known, problems)
}

/// The method where a key names one or belongs to one; a driver or time alone is the method of that name.
pub(super) fn read_change(fields: &Fields<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Optional<Method>> {
    let alone = match (fields.has("method"), fields.has("driver"), fields.has("time")) {
        (true, ..) => return read(fields, known, problems).map(Some),
        (false, true, false) => Word::Driver,
        (false, false, true) => Word::TimeDriven,
        (false, ..) if KEYS.iter().any(|key| fields.has(key)) => return read(fields, known, problems).map(Some),
        _ => return Some(None),
    };
    named(alone, fields, known, problems).map(Some)
}

fn named(word: Word, fields: &Fields<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Method> {
    let mut strays = false;
    for key in KEYS.into_iter().filter(|key| !word.keys().contains(key)) {
        if let Some(entry) = fields.get(key) {
            stray(word, key, entry, problems);
            strays = true;
        }
    }
    let method = method(word, fields, known, problems);
    if strays { None } else { method }
}

fn stray(word: Word, key: &str, entry: &Entry<'_>, problems: &mut Problems) {
    let what = format!("{} has no effect: method {} uses no {key}", quoted(entry.path()), word.name());
    match key {
        "driver" => problems.add_with_hint(entry.key_at(), what, "write method: driver, or leave the driver out"),
        "time" => problems.add_with_hint(entry.key_at(), what, "write method: time_driven, or leave the time out"),
        _ => problems.add(entry.key_at(), what),
    }
}

fn method(word: Word, fields: &Fields<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Method> {
    Some(match word {
        Word::Average => Method::Share(Basis::Average),
        Word::Even => Method::Share(Basis::Even),
        Word::Revenue => Method::Share(Basis::Revenue),
        Word::Cost => Method::Share(match fields.get("of") {
            Some(entry) => basis::cost(entry, known, problems)?,
            None => Basis::Cost(vec!["product_cost".to_owned()]),
        }),
        Word::Driver => Method::Share(basis::driver(fields.require("driver", problems)?, known, problems)?),
        Word::TimeDriven => Method::Share(basis::time(fields.require("time", problems)?, known, problems)?),
        Word::Percent => Method::Percent {
            shares: shares(fields.require("shares", problems)?, known.stake, problems)?,
            within: by(fields, known, problems)?,
        },
        Word::FixedAmount => fixed_amount(fields, known, problems)?,
        Word::StandardRate => {
            let rate = fields.read("rate", problems, |entry, problems| rate(entry, known, problems));
            Method::StandardRate { basis: quantity(fields, known, problems)?, rate: rate? }
        }
        Word::DualRate => {
            let fixed = fields.read("fixed", problems, |entry, problems| money(entry, known, problems));
            let budgeted = fields.read("budgeted", problems, |entry, problems| basis::driver(entry, known, problems));
            Method::DualRate { actual: quantity(fields, known, problems)?, fixed: fixed?, budgeted: budgeted? }
        }
        Word::Traced => Method::Traced,
    })
}

/// Largest rate in major units a unit.
const MAX_RATE: i64 = 1_000_000_000;

/// A rate that charges something: one of zero or less would take cost back, or leave all of it under-absorbed.
fn rate(entry: &Entry<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Decimal> {
    let rate = entry.decimal((-MAX_RATE, MAX_RATE), problems)?;
    if rate.mantissa <= 0 {
        entry.refuse(&format!("a rate above zero{}", known.stake), None, problems);
        return None;
    }
    Some(rate)
}

fn money(entry: &Entry<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Minor> {
    entry.scaled(known.exponent, "an amount of money", problems)
}

/// `by`, or the same for every customer.
fn by(fields: &Fields<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Basis> {
    fields.read_or("by", Basis::Average, problems, |entry, problems| basis::read(entry, known, problems))
}

/// Exactly one of `driver` and `time`.
fn quantity(fields: &Fields<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Basis> {
    match (fields.get("driver"), fields.get("time")) {
        (None, Some(entry)) => basis::time(entry, known, problems),
        (Some(_), Some(entry)) => {
            problems.add(entry.key_at(), format!("{} stands beside a driver: one of them", quoted(entry.path())));
            None
        }
        (_, None) => basis::driver(fields.require("driver", problems)?, known, problems),
    }
}

fn shares(entry: &Entry<'_>, stake: &str, problems: &mut Problems) -> Option<Vec<(String, Decimal)>> {
    let named = entry.named(problems)?;
    if named.is_empty() {
        problems.add(entry.key_at(), format!("{} names no segment", quoted(entry.path())));
        return None;
    }
    let read: Vec<_> = named
        .iter()
        .map(|(name, entry)| Some(((*name).to_owned(), entry.decimal_at_stake((0, 100), stake, problems)?)))
        .collect();
    let shares: Vec<(String, Decimal)> = read.into_iter().collect::<Option<_>>()?;
    // Twelve digits after the point are enough for any share, and their sum fits.
    let scaled = |share: &Decimal| share.to_scaled(12).unwrap_or(i64::MAX);
    let sum: i128 = shares.iter().map(|(_, share)| i128::from(scaled(share))).sum();
    if sum > 100 * 10_i128.pow(12) {
        let percent = Decimal { mantissa: sum, scale: 12 }.to_string();
        let percent = percent.trim_end_matches('0').trim_end_matches('.');
        let what = format!("{} add up to {percent} %, more than 100 %{stake}", quoted(entry.path()));
        problems.add(entry.key_at(), what);
        return None;
    }
    Some(shares)
}

fn fixed_amount(fields: &Fields<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Method> {
    let segments = fields.read_or("segments", Vec::new(), problems, |entry, problems| {
        let named = entry.named(problems)?;
        let read: Vec<_> =
            named.iter().map(|(name, entry)| Some(((*name).to_owned(), money(entry, known, problems)?))).collect();
        read.into_iter().collect()
    });
    let each = fields.read_or("each", None, problems, |entry, problems| money(entry, known, problems).map(Some));
    if !fields.has("segments") && !fields.has("each") {
        let what = format!("{} has neither segments nor each: nothing is fixed", quoted(fields.path()));
        problems.add(fields.at(), what);
        return None;
    }
    Some(Method::FixedAmount { rest: by(fields, known, problems)?, segments: segments?, each: each? })
}
