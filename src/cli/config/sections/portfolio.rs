//! `portfolio`: groups of customers. Its larger parts: [`roles`](super::roles).

use std::collections::BTreeSet;

use super::roles;
use crate::{
    cli::config::{
        error::Problems,
        number::decimal,
        suggest::{closest, quoted},
        walk::{Entry, Fields, RATE_DIGITS},
    },
    numeric::decimal::Decimal,
    schema::{
        portfolio::{AnalysisSettings, ClusterScale, ClusterSettings, RfmCuts, TiersBy, WayToServe},
        settings::{NetworkingSettings, PortfolioSettings, ValueTier},
    },
    units::Minor,
};

/// Keys of `portfolio`.
const KEYS: [&str; 13] = [
    "rfm_groups",
    "rfm_cuts",
    "value_tiers",
    "value_tiers_by",
    "value_tier_cuts",
    "networking",
    "present_above",
    "future_at_least",
    "ways_to_serve",
    "roles",
    "credit",
    "segments",
    "clusters",
];

/// Largest factor of a way to serve.
const MAX_FACTOR: u8 = 100;

/// Names that ways to serve may use.
pub(in crate::cli::config) struct Served<'t> {
    /// Activities of the config.
    pub(in crate::cli::config) activities: &'t [&'t str],
    /// Drivers that an activity of the config is in proportion to; `None` when something is wrong with an activity, which is
    /// told there.
    pub(in crate::cli::config) drivers: Option<&'t BTreeSet<&'t str>>,
    /// Whether a table may name more of both.
    pub(in crate::cli::config) table: bool,
}

/// `portfolio`. Money has at most `exponent` digits after the point.
pub(in crate::cli::config) fn read(
    entry: &Entry<'_>,
    exponent: u8,
    served: &Served<'_>,
    problems: &mut Problems,
) -> Option<PortfolioSettings> {
    let fields = entry.fields(&KEYS, problems)?;
    let none = PortfolioSettings::default();
    let money = |entry: &Entry<'_>, problems: &mut Problems| entry.scaled(exponent, "an amount of money", problems);
    let rfm_groups = fields.read_or("rfm_groups", none.rfm_groups, problems, |entry, problems| {
        entry.whole(2, 10, problems).and_then(|groups| u8::try_from(groups).ok())
    });
    let rfm_cuts = fields.read_or("rfm_cuts", None, problems, |entry, problems| {
        if let Some(other) = fields.get("rfm_groups") {
            problems.add(other.key_at(), format!("{} has no effect beside rfm_cuts", quoted(other.path())));
        }
        rfm_cuts(entry, exponent, problems).map(Some)
    });
    let tiers = tiers(&fields, exponent, problems);
    let networking = fields
        .read_or("networking", none.networking, problems, |entry, problems| networking(entry, exponent, problems));
    let present_above = fields.read_or("present_above", none.analysis.present_above, problems, money);
    let future_at_least = fields.read_or("future_at_least", None, problems, |entry, problems| {
        if entry.scalar() == Some("median") { Some(None) } else { money(entry, problems).map(Some) }
    });
    let ways = fields.read_or("ways_to_serve", Vec::new(), problems, |entry, problems| ways(entry, served, problems));
    let roles = fields.read_or("roles", none.roles, problems, roles::read);
    let credit = fields.read_or("credit", none.credit, problems, roles::credit);
    let segments = fields.read_or("segments", Vec::new(), problems, segments);
    let clusters = fields.read_or("clusters", None, problems, |entry, problems| clusters(entry, problems).map(Some));
    let (value_tiers, tiers_by) = tiers?;
    Some(PortfolioSettings {
        rfm_groups: rfm_groups?,
        rfm_cuts: rfm_cuts?,
        value_tiers,
        tiers_by,
        networking: networking?,
        analysis: AnalysisSettings { present_above: present_above?, future_at_least: future_at_least? },
        ways_to_serve: ways?,
        roles: roles?,
        credit: credit?,
        segments: segments?,
        clusters: clusters?,
    })
}

/// `networking`.
fn networking(entry: &Entry<'_>, exponent: u8, problems: &mut Problems) -> Option<NetworkingSettings> {
    let fields = entry.fields(&["new_share", "decay", "acquisition_cost"], problems)?;
    let share = |entry: &Entry<'_>, problems: &mut Problems| entry.exact_rate(1, problems);
    let none = PortfolioSettings::default().networking;
    let new_share = fields.read_or("new_share", none.new_share, problems, share);
    let decay = fields.read_or("decay", none.decay, problems, share);
    let acquisition_cost = fields.read_or("acquisition_cost", None, problems, |entry, problems| {
        entry.scaled(exponent, "an amount of money", problems).map(Some)
    });
    Some(NetworkingSettings { new_share: new_share?, decay: decay?, acquisition_cost: acquisition_cost? })
}

/// `rfm_cuts`: one to nine ascending cuts each.
fn rfm_cuts(entry: &Entry<'_>, exponent: u8, problems: &mut Problems) -> Option<RfmCuts> {
    let fields = entry.fields(&["recency", "frequency", "monetary"], problems)?;
    let cuts = |digits: u8, what: &'static str| {
        move |entry: &Entry<'_>, problems: &mut Problems| {
            let expected = "one to nine ascending numbers, like [30, 90, 180, 365]";
            let items = entry.one_or_more(expected, problems)?;
            let found: Option<Vec<i64>> = items.iter().map(|item| item.scaled(digits, what, problems)).collect();
            let found = found?;
            let rising = found.windows(2).all(|pair| pair[0] < pair[1]);
            if !rising || found.len() > 9 {
                problems.add(entry.at(), format!("{} is not {expected}", quoted(entry.path())));
                return None;
            }
            Some(found)
        }
    };
    let recency = fields.read("recency", problems, cuts(0, "a number of days"));
    let frequency = fields.read("frequency", problems, cuts(0, "a number of purchase days"));
    let monetary = fields.read("monetary", problems, cuts(exponent, "an amount of money"));
    Some(RfmCuts { recency: recency?, frequency: frequency?, monetary: monetary? })
}

/// Value tiers by shares of customers, by shares of value, or by amounts.
fn tiers(fields: &Fields<'_>, exponent: u8, problems: &mut Problems) -> Option<(Vec<ValueTier>, TiersBy)> {
    if let Some(entry) = fields.get("value_tier_cuts") {
        for other in ["value_tiers", "value_tiers_by"].into_iter().filter_map(|key| fields.get(key)) {
            problems.add(other.key_at(), format!("{} has no effect beside value_tier_cuts", quoted(other.path())));
        }
        return cuts(entry, exponent, problems);
    }
    let by = fields.read_or("value_tiers_by", TiersBy::Customers, problems, |entry, problems| {
        let words = [("customers", false), ("value", true)];
        entry.word(&words, problems).map(|value| if value { TiersBy::Value } else { TiersBy::Customers })
    });
    let tiers = fields.read_or("value_tiers", PortfolioSettings::default().value_tiers, problems, shares);
    Some((tiers?, by?))
}

/// Refuses a name that outputs give to another group.
fn refuse_reserved(name: &str, reserved: &str, whose: &str, entry: &Entry<'_>, problems: &mut Problems) {
    if name == reserved {
        let what = format!("{} has a name that outputs give to {whose}", quoted(entry.path()));
        problems.add_with_hint(entry.key_at(), what, "call it otherwise");
    }
}

/// What `segment_migration` calls the group of customers before they come.
const NOT_YET: (&str, &str) = ("not_yet", "customers who have not come yet");

/// `value_tier_cuts`: the least value of each tier, descending.
fn cuts(entry: &Entry<'_>, exponent: u8, problems: &mut Problems) -> Option<(Vec<ValueTier>, TiersBy)> {
    let (mut tiers, mut least): (Vec<ValueTier>, Vec<Minor>) = (Vec::new(), Vec::new());
    let mut complete = true;
    for (name, entry) in entry.named(problems)? {
        refuse_reserved(name, NOT_YET.0, NOT_YET.1, &entry, problems);
        let Some(cut) = entry.scaled(exponent, "an amount of money", problems) else {
            complete = false;
            continue;
        };
        if least.last().is_some_and(|last| *last <= cut) {
            let what = format!("{} is not below the tier before it: name the best tier first", quoted(entry.path()));
            problems.add(entry.at(), what);
            complete = false;
        }
        tiers.push(ValueTier { name: name.to_owned(), share: 0.0 });
        least.push(cut);
    }
    if tiers.is_empty() && complete {
        entry.refuse("a mapping of tiers to the least value of each, like {gold: 1000.00, lead: 0}", None, problems);
        return None;
    }
    complete.then_some((tiers, TiersBy::Cuts(least)))
}

/// `value_tiers`, best first: shares, or `deciles`. The shares are added as decimals: as floats, 0.1 ten times is not 1.
fn shares(entry: &Entry<'_>, problems: &mut Problems) -> Option<Vec<ValueTier>> {
    if entry.scalar() == Some("deciles") {
        return Some((1..=10).map(|n| ValueTier { name: format!("decile_{n:02}"), share: 0.1 }).collect());
    }
    let one = 10_i128.pow(u32::from(RATE_DIGITS));
    let mut tiers = Vec::new();
    let mut sum = Some(0_i128);
    for (name, share) in entry.named(problems)? {
        refuse_reserved(name, NOT_YET.0, NOT_YET.1, &share, problems);
        let scaled = share.scalar().and_then(|text| decimal(text, RATE_DIGITS).ok());
        match share.rate(1, problems).zip(scaled) {
            Some((_, 0)) => {
                problems.add(share.at(), format!("{} is 0: a tier without customers", quoted(share.path())));
                sum = None;
            }
            Some((share, scaled)) => {
                tiers.push(ValueTier { name: name.to_owned(), share });
                sum = sum.map(|sum| sum + scaled);
            }
            None => sum = None,
        }
    }
    let sum = sum?;
    if sum == one {
        return Some(tiers);
    }
    let percent = format!("{:.10}", sum as f64 / one as f64 * 100.0);
    let percent = percent.trim_end_matches('0').trim_end_matches('.');
    problems.add(entry.key_at(), format!("the shares in {} add up to {percent} %, not 100 %", quoted(entry.path())));
    None
}

/// `ways_to_serve`: by name, factors on drivers and on activities.
fn ways(entry: &Entry<'_>, served: &Served<'_>, problems: &mut Problems) -> Option<Vec<WayToServe>> {
    let mut ways = Some(Vec::new());
    let drivers: Vec<&str> = served.drivers.into_iter().flatten().copied().collect();
    let any_driver = served.table || served.drivers.is_none();
    for (name, way) in entry.named(problems)? {
        let Some(fields) = way.fields(&["drivers", "activities"], problems) else {
            ways = None;
            continue;
        };
        if !fields.has("drivers") && !fields.has("activities") {
            let hint = "name what changes, as in: phone: {drivers: {visits: 0.2, calls: 1.5}}";
            problems.add_with_hint(way.key_at(), format!("{} changes nothing", quoted(way.path())), hint);
            ways = None;
        }
        let drivers = fields.read_or("drivers", Vec::new(), problems, |entry, problems| {
            factors(entry, &drivers, any_driver, "driver that an activity of the config goes by", problems)
        });
        let activities = fields.read_or("activities", Vec::new(), problems, |entry, problems| {
            factors(entry, served.activities, served.table, "activity of the config", problems)
        });
        match (drivers, activities, &mut ways) {
            (Some(drivers), Some(activities), Some(ways)) => {
                ways.push(WayToServe { name: name.to_owned(), drivers, activities });
            }
            _ => ways = None,
        }
    }
    let mut ways = ways?;
    ways.sort_by(|a, b| a.name.cmp(&b.name));
    Some(ways)
}

/// Factors by name, sorted.
///
/// * `any`: whether there may be others than the known ones.
fn factors(
    entry: &Entry<'_>,
    known: &[&str],
    any: bool,
    what: &str,
    problems: &mut Problems,
) -> Option<Vec<(String, Decimal)>> {
    let mut factors = Some(Vec::new());
    for (name, entry) in entry.named(problems)? {
        if !any && !known.contains(&name) {
            let text = format!("{} is no {what}", quoted(entry.path()));
            match closest(name, known) {
                Some(word) => problems.add_with_hint(entry.key_at(), text, format!("did you mean `{word}`?")),
                None if known.is_empty() => problems.add(entry.key_at(), text),
                None => problems.add_with_hint(entry.key_at(), text, format!("known: {}", known.join(", "))),
            }
        }
        match (entry.exact_rate(MAX_FACTOR, problems), &mut factors) {
            (Some(factor), Some(factors)) => factors.push((name.to_owned(), factor)),
            _ => factors = None,
        }
    }
    let mut factors = factors?;
    factors.sort_by(|a, b| a.0.cmp(&b.0));
    Some(factors)
}

/// `segments`: names with SQL expressions, the first that is true wins.
fn segments(entry: &Entry<'_>, problems: &mut Problems) -> Option<Vec<(String, String)>> {
    let mut segments = Some(Vec::new());
    for (name, entry) in entry.named(problems)? {
        refuse_reserved(name, "(other)", "customers of whom no expression is true", &entry, problems);
        match (entry.text("a SQL expression over output columns that is true or false", problems), &mut segments) {
            (Some(text), Some(segments)) => segments.push((name.to_owned(), text.to_owned())),
            _ => segments = None,
        }
    }
    segments
}

/// `clusters`.
fn clusters(entry: &Entry<'_>, problems: &mut Problems) -> Option<ClusterSettings> {
    let fields = entry.fields(&["clusters", "columns", "scale"], problems)?;
    let clusters = fields.read("clusters", problems, |entry, problems| {
        entry.whole(2, 50, problems).and_then(|clusters| u8::try_from(clusters).ok())
    });
    let columns = fields.read("columns", problems, |entry, problems| {
        let expected = "names of output columns, like [net_revenue, cm3, frequency]";
        let items = entry.one_or_more(expected, problems)?;
        let names: Option<Vec<String>> =
            items.iter().map(|item| item.text(expected, problems).map(str::to_owned)).collect();
        let names = names?;
        for (at, (name, item)) in names.iter().zip(&items).enumerate() {
            if names[..at].contains(name) {
                problems.add(item.at(), format!("{} names `{name}` twice", quoted(entry.path())));
            }
        }
        Some(names)
    });
    let scales = [("standard", ClusterScale::Standard), ("log", ClusterScale::Log), ("rank", ClusterScale::Rank)];
    let scale =
        fields.read_or("scale", ClusterScale::Standard, problems, |entry, problems| entry.word(&scales, problems));
    Some(ClusterSettings { clusters: clusters?, columns: columns?, scale: scale? })
}
