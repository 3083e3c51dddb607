//! `portfolio.roles` and `portfolio.credit`: who is of strategic significance, and how well customers pay.

use crate::{
    cli::config::{error::Problems, suggest::quoted, walk::Entry},
    numeric::decimal::Decimal,
    schema::portfolio::{CreditSettings, RoleSettings},
    units::Quantity,
};

/// Largest factor of a cost magnet.
const MAX_FACTOR: u8 = 100;

/// `roles`.
pub(super) fn read(entry: &Entry<'_>, problems: &mut Problems) -> Option<RoleSettings> {
    let keys = ["high_lifetime_value", "benchmark_referrals", "inspiration", "inspiring", "cost_magnet"];
    let fields = entry.fields(&keys, problems)?;
    let share = |entry: &Entry<'_>, problems: &mut Problems| entry.exact_rate(1, problems);
    let none = RoleSettings::default();
    let high_lifetime_value = fields.read_or("high_lifetime_value", none.high_lifetime_value, problems, share);
    let benchmark_referrals = fields.read_or("benchmark_referrals", none.benchmark_referrals, problems, quantity);
    let inspiration = fields.read_or("inspiration", none.inspiration, problems, share);
    let inspiring = fields.read_or("inspiring", none.inspiring, problems, |entry, problems| {
        let kinds = entry.named(problems)?;
        let kinds: Option<Vec<(String, Quantity)>> =
            kinds.into_iter().map(|(kind, weight)| Some((kind.to_owned(), quantity(&weight, problems)?))).collect();
        let mut kinds = kinds?;
        kinds.sort();
        Some(kinds)
    });
    let cost_magnet = fields
        .read_or("cost_magnet", none.cost_magnet, problems, |entry, problems| entry.exact_rate(MAX_FACTOR, problems));
    Some(RoleSettings {
        high_lifetime_value: high_lifetime_value?,
        benchmark_referrals: benchmark_referrals?,
        inspiration: inspiration?,
        inspiring: inspiring?,
        cost_magnet: cost_magnet?,
    })
}

/// A quantity that is not negative.
fn quantity(entry: &Entry<'_>, problems: &mut Problems) -> Option<Quantity> {
    let found = entry.scaled(6, "a number that is not negative", problems)?;
    if found < 0 {
        entry.refuse("a number that is not negative", None, problems);
        return None;
    }
    Some(found)
}

/// `credit`.
pub(super) fn credit(entry: &Entry<'_>, problems: &mut Problems) -> Option<CreditSettings> {
    let keys = [
        "days_late",
        "overdue_share",
        "disputed_share",
        "write_off_share",
        "worsening",
        "half_life",
        "default_probability",
    ];
    let fields = entry.fields(&keys, problems)?;
    let none = CreditSettings::default();
    let share = |entry: &Entry<'_>, problems: &mut Problems| entry.exact_rate(1, problems);
    let shares = |entry: &Entry<'_>, problems: &mut Problems| rising(entry, share, Decimal::to_float, problems);
    let days_late = fields.read_or("days_late", none.days_late, problems, |entry, problems| {
        rising(entry, |entry, problems| entry.scaled(6, "a number of days", problems), |days| days as f64, problems)
    });
    let overdue_share = fields.read_or("overdue_share", none.overdue_share, problems, shares);
    let disputed_share = fields.read_or("disputed_share", none.disputed_share, problems, shares);
    let write_off_share = fields.read_or("write_off_share", none.write_off_share, problems, shares);
    let worsening = fields.read_or("worsening", none.worsening, problems, |entry, problems| {
        let days = quantity(entry, problems)?;
        above_zero(entry, days > 0, problems).then_some(days)
    });
    let half_life = fields.read_or("half_life", none.half_life, problems, |entry, problems| {
        let periods = entry.exact_rate(MAX_FACTOR, problems)?;
        above_zero(entry, periods.mantissa > 0, problems).then_some(periods)
    });
    let default_probability =
        fields.read_or("default_probability", none.default_probability, problems, |entry, problems| {
            rising(entry, share, Decimal::to_float, problems)
        });
    Some(CreditSettings {
        days_late: days_late?,
        overdue_share: overdue_share?,
        disputed_share: disputed_share?,
        write_off_share: write_off_share?,
        worsening: worsening?,
        half_life: half_life?,
        default_probability: default_probability?,
    })
}

fn above_zero(entry: &Entry<'_>, is: bool, problems: &mut Problems) -> bool {
    if !is {
        entry.refuse("a number above 0", None, problems);
    }
    is
}

/// As many numbers as there are, none smaller than the one before.
fn rising<T: Copy, const N: usize>(
    entry: &Entry<'_>,
    read: impl Fn(&Entry<'_>, &mut Problems) -> Option<T>,
    size: impl Fn(T) -> f64,
    problems: &mut Problems,
) -> Option<[T; N]> {
    let expected = format!("{N} numbers, none smaller than the one before it");
    let items = entry.one_or_more(&expected, problems)?;
    let values: Option<Vec<T>> = items.iter().map(|item| read(item, problems)).collect();
    let values = values?;
    let rises = values.windows(2).all(|pair| size(pair[0]) <= size(pair[1]));
    let found = <[T; N]>::try_from(values).ok().filter(|_| rises);
    if found.is_none() {
        problems.add(entry.at(), format!("{} is not {expected}", quoted(entry.path())));
    }
    found
}
