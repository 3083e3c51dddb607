//! `equity`: how customers are told by, the bridge between two days, what makes a product a door.

use super::{costs::MAX_RATE_PER_YEAR, run};
use crate::{
    cli::config::{error::Problems, suggest::quoted, walk::Entry},
    schema::{
        equity::{BridgeFrom, BridgeSettings, DoorSettings, EquitySettings},
        period::{PeriodKind, format_day},
        settings::PoolBy,
    },
    units::Day,
};

/// Words of `cohort`.
const COHORTS: [(&str, PoolBy); 3] =
    [("year", PoolBy::CohortYear), ("quarter", PoolBy::CohortQuarter), ("month", PoolBy::CohortMonth)];

/// P(alive) below which a customer is lost when the config does not say.
const LOST_BELOW: f64 = 0.5;

/// `equity`.
///
/// * `period`, `as_of`: of the run.
pub(in crate::cli::config) fn read(
    entry: &Entry<'_>,
    period: PeriodKind,
    as_of: Option<Day>,
    problems: &mut Problems,
) -> Option<EquitySettings> {
    let fields = entry.fields(&["cohort", "bridge", "doors"], problems)?;
    let cohort =
        fields.read_or("cohort", PoolBy::CohortYear, problems, |entry, problems| entry.word(&COHORTS, problems));
    let bridge =
        fields.read_or("bridge", None, problems, |entry, problems| bridge(entry, period, as_of, problems).map(Some));
    let doors = fields.read_or("doors", DoorSettings::default(), problems, doors);
    Some(EquitySettings { cohort: cohort?, bridge: bridge?, doors: doors? })
}

fn bridge(
    entry: &Entry<'_>,
    period: PeriodKind,
    as_of: Option<Day>,
    problems: &mut Problems,
) -> Option<BridgeSettings> {
    let fields = entry.fields(&["from", "discount_rate_per_year", "lost_below"], problems)?;
    let from = fields.read("from", problems, |entry, problems| {
        let is_day = |text: &str| text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let text = entry.text("a date, or the output folder of an earlier run", problems)?;
        if !is_day(text) {
            return run::is_place(entry, text, problems).then(|| BridgeFrom::Run(text.to_owned()));
        }
        let from = entry.day(problems)?;
        if period == PeriodKind::Whole {
            let what = format!(
                "{} needs periods: what customers had cost by then is known by period alone",
                quoted(entry.path())
            );
            problems.add_with_hint(entry.at(), what, "set period to month, quarter or year");
            return None;
        }
        if period.of(from) == period.of(from.saturating_add(1)) {
            let what = format!("{} is not the last day of a period of this run", quoted(entry.path()));
            let last = period.first_day(period.of(from)).map(|day| format_day(day.saturating_sub(1)));
            problems.add_with_hint(entry.at(), what, format!("such a day is {}", last.unwrap_or_default()));
            return None;
        }
        if as_of.is_some_and(|as_of| from >= as_of) {
            problems.add(entry.at(), format!("{} is not before as_of", quoted(entry.path())));
            return None;
        }
        Some(BridgeFrom::Day(from))
    });
    let rate = fields.read_or("discount_rate_per_year", None, problems, |entry, problems| {
        entry.rate(MAX_RATE_PER_YEAR, problems).map(Some)
    });
    let lost_below = fields.read_or("lost_below", LOST_BELOW, problems, |entry, problems| entry.rate(1, problems));
    Some(BridgeSettings { from: from?, discount_rate_per_year: rate?, lost_below: lost_below? })
}

fn doors(entry: &Entry<'_>, problems: &mut Problems) -> Option<DoorSettings> {
    let fields = entry.fields(&["least_profitable", "min_customers"], problems)?;
    let default = DoorSettings::default();
    let least = fields
        .read_or("least_profitable", default.least_profitable, problems, |entry, problems| entry.rate(1, problems));
    let min = fields.read_or("min_customers", default.min_customers, problems, |entry, problems| {
        entry.whole(1, u64::MAX, problems)
    });
    Some(DoorSettings { least_profitable: least?, min_customers: min? })
}
