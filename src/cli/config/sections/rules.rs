//! How an activity's cost reaches customers: one rule beside the activity's own keys, or `rules` that follow each other by
//! date.

use super::{
    basis::{self, Known},
    methods,
};
use crate::{
    allocate::{capacity::working_minutes, combination},
    cli::config::{
        error::Problems,
        suggest::quoted,
        walk::{Entry, Fields},
    },
    numeric::decimal::Decimal,
    schema::{
        costing::{ActivitySetting, AllocationRule, Basis, Capacity, Level, Method, Negative, NoDriver, OverUse, Rule},
        period::{PeriodKind, format_day},
    },
    units::Day,
};

/// Keys of a rule beside those of its method and its name.
pub(in crate::cli::config) const KEYS: [&str; 9] = [
    "method",
    "negative",
    "amplification_limit",
    "no_driver",
    "fallback",
    "capacity",
    "over_use",
    "valid_from",
    "valid_to",
];

/// Words of `over_use`.
pub(super) const OVER_USES: [(&str, OverUse); 3] =
    [("error", OverUse::Error), ("over_driven", OverUse::OverDriven), ("rescale", OverUse::Rescale)];

/// A policy's name; what belongs to it stands in a key of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NegativeWord {
    Error,
    Signed,
    Zero,
    Absolute,
    Shift,
    Separate,
}

/// Words of `negative`.
const NEGATIVES: [(&str, NegativeWord); 6] = [
    ("error", NegativeWord::Error),
    ("signed", NegativeWord::Signed),
    ("zero", NegativeWord::Zero),
    ("absolute", NegativeWord::Absolute),
    ("shift", NegativeWord::Shift),
    ("separate", NegativeWord::Separate),
];

/// Amplification that `negative: signed` takes when nobody says otherwise: shares move at most three times the pool.
const AMPLIFICATION_LIMIT: Decimal = Decimal { mantissa: 3, scale: 0 };

#[derive(Clone, Copy, PartialEq, Eq)]
enum NoDriverWord {
    Unassigned,
    Fallback,
    PriorPeriod,
    Even,
    Error,
}

/// Words of `no_driver`.
const NO_DRIVERS: [(&str, NoDriverWord); 5] = [
    ("unassigned", NoDriverWord::Unassigned),
    ("fallback", NoDriverWord::Fallback),
    ("prior_period", NoDriverWord::PriorPeriod),
    ("even", NoDriverWord::Even),
    ("error", NoDriverWord::Error),
];

/// The one rule of an activity, whose keys stand among the activity's own.
pub(super) fn only(
    entry: &Entry<'_>,
    fields: &Fields<'_>,
    known: &Known<'_>,
    problems: &mut Problems,
) -> Option<AllocationRule> {
    let own = rule(fields, problems);
    body(entry, fields, own, known, problems)
}

/// `rules`: a list of rules that follow each other by date.
///
/// * `activity`, `fields`: the activity, beside whose keys no rule stands then.
pub(super) fn several(
    entry: &Entry<'_>,
    activity: &Entry<'_>,
    fields: &Fields<'_>,
    known: &Known<'_>,
    problems: &mut Problems,
) -> Option<Vec<AllocationRule>> {
    let strays = KEYS.into_iter().chain(methods::KEYS).chain(["rule"]);
    let strays: Vec<&Entry<'_>> = strays.filter_map(|key| fields.get(key)).collect();
    for stray in &strays {
        let what = format!("{} stands beside {}", quoted(stray.path()), quoted(entry.path()));
        problems.add_with_hint(stray.key_at(), what, "give each rule its own");
    }
    let keys: Vec<&str> = ["id", "version"].into_iter().chain(KEYS).chain(methods::KEYS).collect();
    let one = |(place, item): (usize, &Entry<'_>), problems: &mut Problems| {
        let own = item.fields(&keys, problems)?;
        let stake = known.stake_under(fields, &own);
        let rule = listed(&own, place, problems);
        body(item, &own, rule, &Known { stake: &stake, ..*known }, problems)
    };
    let items = entry.one_or_more("rules, each with a method", problems)?;
    let read: Vec<_> = items.iter().enumerate().map(|item| one(item, problems)).collect();
    let mut rules = read.into_iter().collect::<Option<Vec<AllocationRule>>>()?;
    let named: Vec<&Rule> = rules.iter().map(|rule| &rule.rule).collect();
    follow(&named, entry, activity, known.stake, problems)?;
    rules.sort_by_key(|rule| rule.rule.valid_from);
    strays.is_empty().then_some(rules)
}

/// Checks that no two rules hold on one day, and that no two have one name and version.
pub(super) fn follow(
    rules: &[&Rule],
    entry: &Entry<'_>,
    owner: &Entry<'_>,
    stake: &str,
    problems: &mut Problems,
) -> Option<()> {
    let name = owner.path().rsplit('.').next().unwrap_or_default();
    let told = |rule: &Rule| format!("`{}` version {}", rule.name(name), rule.version);
    let pairs = (0..rules.len()).flat_map(|a| (a + 1..rules.len()).map(move |b| (a, b)));
    let mut sound = Some(());
    for (a, b) in pairs.map(|(a, b)| (rules[a], rules[b])) {
        if let Some(day) = a.overlap(b) {
            let day = format_day(day);
            let what = format!("{}: {} and {} both hold on {day}{stake}", quoted(entry.path()), told(a), told(b));
            problems.add_with_hint(
                entry.key_at(),
                what,
                "end one with valid_to on the day before the other's valid_from",
            );
            sound = None;
        } else if (a.name(name), a.version) == (b.name(name), b.version) {
            let what = format!("{}: {} stands twice{stake}", quoted(entry.path()), told(a));
            problems.add_with_hint(entry.key_at(), what, "give each rule another version");
            sound = None;
        }
    }
    sound
}

/// Method and policies.
///
/// * `rule`: name, version and dates, where they are right.
fn body(
    entry: &Entry<'_>,
    fields: &Fields<'_>,
    rule: Option<Rule>,
    known: &Known<'_>,
    problems: &mut Problems,
) -> Option<AllocationRule> {
    let method = methods::read(fields, known, problems);
    let needs_no_quantity = matches!(method, Some(Method::Share(Basis::Average | Basis::Even) | Method::Traced));
    let negative = negative(needs_no_quantity.then_some(fields).and(method.as_ref()), fields, problems);
    let no_driver = no_driver(fields, known, problems);
    let capacity =
        fields.read_or("capacity", None, problems, |entry, problems| capacity(entry, known, problems).map(Some));
    let over_use = over_use(method.as_ref(), fields, known, problems);
    let (method, negative, no_driver) = (method?, negative?, no_driver?);
    let (capacity, over_use, rule) = (capacity?, over_use?, rule?);
    // A combination does not depend on the level.
    let setting =
        ActivitySetting { negative, no_driver, capacity, over_use, rule, ..ActivitySetting::new(Level::Unit, method) };
    if let Some(wrong) = combination(&setting).or_else(|| without_effect(&setting, known.period)) {
        problems.add(entry.key_at(), format!("{}: {wrong}{}", quoted(entry.path()), known.stake));
        return None;
    }
    Some(setting.into())
}

/// Why a policy for a driver that nobody used would never be asked.
///
/// A capacity of the pools table may be given for some periods alone, and does not forbid one.
fn without_effect(setting: &ActivitySetting, period: PeriodKind) -> Option<&'static str> {
    let capacity = setting.capacity.is_some_and(|capacity| capacity != Capacity::Actual);
    match setting.no_driver {
        None | Some(NoDriver::Unassigned) => None,
        Some(_) if capacity => Some("no_driver has no effect beside a capacity: what nobody uses is unused"),
        Some(NoDriver::PriorPeriod) if period == PeriodKind::Whole => {
            Some("no_driver: prior_period has no effect in a run without periods")
        }
        Some(_) => None,
    }
}

/// * `without`: a method that uses no quantities.
fn negative(without: Option<&Method>, fields: &Fields<'_>, problems: &mut Problems) -> Option<Negative> {
    let limit = fields.get("amplification_limit");
    let Some(entry) = fields.get("negative") else {
        if let Some(limit) = limit {
            let what = format!("{} has no effect without negative: signed", quoted(limit.path()));
            problems.add(limit.key_at(), what);
            return None;
        }
        return Some(Negative::Error);
    };
    if let Some(method) = without {
        let what = format!("{} has no effect: method {} uses no quantities", quoted(entry.path()), method.as_str());
        problems.add(entry.key_at(), what);
        return None;
    }
    let word = entry.word(&NEGATIVES, problems)?;
    if let Some(limit) = limit.filter(|_| word != NegativeWord::Signed) {
        problems.add(limit.key_at(), format!("{} has no effect without negative: signed", quoted(limit.path())));
        return None;
    }
    let limit = match limit {
        Some(entry) => entry.decimal((1, 1_000_000), problems)?,
        None => AMPLIFICATION_LIMIT,
    };
    Some(match word {
        NegativeWord::Error => Negative::Error,
        NegativeWord::Signed => Negative::Signed { limit },
        NegativeWord::Zero => Negative::Zero,
        NegativeWord::Absolute => Negative::Absolute,
        NegativeWord::Shift => Negative::Shift,
        NegativeWord::Separate => Negative::Separate,
    })
}

/// A policy that need not be there.
type Optional<T> = Option<T>;

fn no_driver(fields: &Fields<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Optional<NoDriver>> {
    let word = match fields.get("no_driver") {
        Some(entry) => Some(entry.word(&NO_DRIVERS, problems)?),
        None => None,
    };
    match (word, fields.get("fallback")) {
        (Some(NoDriverWord::Fallback), _) => {
            let entry = fields.require("fallback", problems)?;
            basis::read(entry, known, problems).map(|basis| Some(NoDriver::Fallback(basis)))
        }
        (_, Some(entry)) => {
            problems.add(entry.key_at(), format!("{} has no effect without no_driver: fallback", quoted(entry.path())));
            None
        }
        (None, None) => Some(None),
        (Some(NoDriverWord::Unassigned), None) => Some(Some(NoDriver::Unassigned)),
        (Some(NoDriverWord::PriorPeriod), None) => Some(Some(NoDriver::PriorPeriod)),
        (Some(NoDriverWord::Even), None) => Some(Some(NoDriver::Even)),
        (Some(NoDriverWord::Error), None) => Some(Some(NoDriver::Error)),
    }
}

/// `over_use`, beside a capacity of its own or of the pools table.
///
/// * `method`: `None` when something is wrong with it.
fn over_use(
    method: Option<&Method>,
    fields: &Fields<'_>,
    known: &Known<'_>,
    problems: &mut Problems,
) -> Option<OverUse> {
    let Some(entry) = fields.get("over_use") else { return Some(OverUse::Error) };
    let of_pool = known.pool_capacities && method.is_none_or(Method::takes_capacity);
    if !fields.has("capacity") && !of_pool {
        problems.add(entry.key_at(), format!("{} has no effect without a capacity", quoted(entry.path())));
        return None;
    }
    entry.word(&OVER_USES, problems)
}

/// `capacity`: a quantity (practical), `actual`, or `{practical | normal | budgeted: …}` or
/// `{people, days, hours, share}` in minutes.
pub(super) fn capacity(entry: &Entry<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<Capacity> {
    let quantity = |entry: &Entry<'_>, problems: &mut Problems| {
        let scaled = entry.scaled(6, "a capacity in the driver's unit", problems)?;
        if scaled <= 0 {
            entry.refuse(&format!("a capacity above zero{}", known.stake), None, problems);
            return None;
        }
        Some(i128::from(scaled))
    };
    match entry.scalar() {
        Some("actual") => return Some(Capacity::Actual),
        Some(_) => return quantity(entry, problems).map(Capacity::Practical),
        None => {}
    }
    let kinds = ["practical", "normal", "budgeted", "people", "days", "hours", "share"];
    let fields = entry.fields(&kinds, problems)?;
    if fields.has("people") || fields.has("days") || fields.has("hours") || fields.has("share") {
        return working_time(entry, &fields, known, problems).map(Capacity::Practical);
    }
    let given: Vec<&str> = kinds.into_iter().take(3).filter(|kind| fields.has(kind)).collect();
    let [kind] = given.as_slice() else {
        let what = format!(
            "{} has {} denominators, expected exactly one of practical, normal, budgeted",
            quoted(entry.path()),
            given.len()
        );
        problems.add(entry.key_at(), what);
        return None;
    };
    let quantity = fields.read(kind, problems, quantity)?;
    Some(match *kind {
        "practical" => Capacity::Practical(quantity),
        "normal" => Capacity::Normal(quantity),
        _ => Capacity::Budgeted(quantity),
    })
}

/// `people · days · hours · 60 · share` minutes.
fn working_time(entry: &Entry<'_>, fields: &Fields<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<i128> {
    let mut number =
        |key: &str, high: i64| fields.read(key, problems, |entry, problems| entry.decimal((0, high), problems));
    let (people, days) = (number("people", 10_000_000), number("days", 366_000));
    let (hours, share) = (number("hours", 24), number("share", 1));
    match working_minutes(people?, days?, hours?, share?) {
        Ok(minutes) => Some(i128::from(minutes)),
        Err(error) => {
            problems.add(entry.key_at(), format!("{}: {error}{}", quoted(entry.path()), known.stake));
            None
        }
    }
}

/// `rule`, `valid_from`, `valid_to` beside the keys of an activity or resource pool.
pub(super) fn rule(fields: &Fields<'_>, problems: &mut Problems) -> Option<Rule> {
    let dates = dates(fields, problems);
    let named = fields.read_or("rule", Some((None, 1)), problems, |entry, problems| {
        if entry.scalar().is_some() {
            return Some(Some((Some(entry.text("a rule's name", problems)?.to_owned()), 1)));
        }
        let parts = entry.fields(&["id", "version"], problems)?;
        parts.require("id", problems)?;
        Some(named(&parts, 1, problems))
    });
    let ((id, version), (valid_from, valid_to)) = (named??, dates?);
    Some(Rule { id, version, valid_from, valid_to })
}

/// `id`, `version`, `valid_from`, `valid_to` of a rule in a list: the first one is version 1 unless it says otherwise.
pub(super) fn listed(fields: &Fields<'_>, place: usize, problems: &mut Problems) -> Option<Rule> {
    let (named, dates) = (named(fields, place as u32 + 1, problems), dates(fields, problems));
    let ((id, version), (valid_from, valid_to)) = named.zip(dates)?;
    Some(Rule { id, version, valid_from, valid_to })
}

/// `id` and `version`.
///
/// * `version`: the one of a rule without.
fn named(fields: &Fields<'_>, version: u32, problems: &mut Problems) -> Option<(Option<String>, u32)> {
    let id = fields.read_or("id", None, problems, |entry, problems| {
        entry.text("a rule's name", problems).map(|id| Some(id.to_owned()))
    });
    let version = fields.read_or("version", u64::from(version), problems, |entry, problems| {
        entry.whole(1, u64::from(u32::MAX), problems)
    });
    Some((id?, version? as u32))
}

/// `valid_from` and `valid_to`.
fn dates(fields: &Fields<'_>, problems: &mut Problems) -> Option<(Option<Day>, Option<Day>)> {
    let day = |key: &str, problems: &mut Problems| -> Option<Option<Day>> {
        fields.read_or(key, None, problems, |entry, problems| entry.day(problems).map(Some))
    };
    let (from, to) = (day("valid_from", problems), day("valid_to", problems));
    let (from, to) = (from?, to?);
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        let at = fields.get("valid_to").map_or(fields.at(), Entry::key_at);
        problems.add(at, format!("{} ends before it begins", quoted(fields.path())));
        return None;
    }
    Some((from, to))
}
