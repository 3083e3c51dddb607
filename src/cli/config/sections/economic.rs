//! `capital_charge`, `bad_debt` and `commissions`: what stands between CM3 and economic profit.

use std::collections::BTreeMap;

use super::costs::MAX_RATE_PER_YEAR;
use crate::{
    cli::config::{
        error::Problems,
        suggest::quoted,
        walk::{Entry, Fields},
    },
    numeric::decimal::Decimal,
    schema::{
        economic::{BadDebt, CapitalCharge, CommissionBase, Commissions, EconomicSettings, RatePeriod},
        settings::TableSetting,
    },
};

/// Words of `commissions.of`.
const BASES: [(&str, CommissionBase); 3] = [
    ("net_revenue", CommissionBase::NetRevenue),
    ("cm1", CommissionBase::Cm1),
    ("gross_sales", CommissionBase::GrossSales),
];

/// Days until customers pay, at most: five years.
const MAX_DAYS: u64 = 1_826;

/// Columns of the receivables table that make a grade.
const GRADED: [&str; 4] = ["days_late", "overdue", "disputed", "write_off"];

/// What the receivables table gives.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "columns that are mapped or not, each by itself")]
struct Receivables {
    balance: bool,
    write_off: bool,
    probability: bool,
    graded: bool,
}

impl Receivables {
    fn new(setting: Option<&TableSetting>) -> Self {
        let none = BTreeMap::new();
        let columns = setting.map_or(&none, |setting| &setting.columns);
        Self {
            balance: columns.contains_key("balance"),
            write_off: columns.contains_key("write_off"),
            probability: columns.contains_key("default_probability"),
            graded: GRADED.iter().any(|column| columns.contains_key(*column)),
        }
    }
}

/// The three sections.
///
/// * `receivables`: the table as it is mapped.
/// * `known`: whether that is all that is to be said of it: what is wrong with `inputs` is told there.
pub(in crate::cli::config) fn read(
    fields: &Fields<'_>,
    receivables: Option<&TableSetting>,
    known: bool,
    problems: &mut Problems,
) -> Option<EconomicSettings> {
    let given = Receivables::new(receivables);
    let charge = fields.read_or("capital_charge", None, problems, |entry, problems| {
        capital_charge(entry, given, known, problems).map(Some)
    });
    if given.probability && !fields.has("bad_debt") {
        let what = "`inputs.receivables` has default_probability, but there is no bad_debt that takes it";
        problems.add_with_hint(
            fields.at(),
            what,
            "add bad_debt: {loss: 0.6}, with the share of a balance that is lost",
        );
    }
    let days = charge.flatten().and_then(|charge| charge.days);
    let bad_debt = fields
        .read_or("bad_debt", None, problems, |entry, problems| bad_debt(entry, given, days, known, problems).map(Some));
    let commissions =
        fields.read_or("commissions", None, problems, |entry, problems| commissions(entry, problems).map(Some));
    Some(EconomicSettings { capital_charge: charge?, bad_debt: bad_debt?, commissions: commissions? })
}

fn capital_charge(
    entry: &Entry<'_>,
    given: Receivables,
    known: bool,
    problems: &mut Problems,
) -> Option<CapitalCharge> {
    let fields = entry.fields(&["rate_per_year", "rate_per_month", "days"], problems)?;
    if known && !fields.has("days") && !given.balance {
        let hint =
            "the charge is rate × time × average balance; without balances give days: 90, for sales × days / 365";
        let what = if given.write_off {
            format!("{} needs the column balance of inputs.receivables", quoted(entry.path()))
        } else {
            format!("{} needs the table inputs.receivables", quoted(entry.path()))
        };
        problems.add_with_hint(entry.key_at(), what, hint);
    }
    let rate = |entry: &Entry<'_>, problems: &mut Problems| entry.exact_rate(MAX_RATE_PER_YEAR, problems);
    let (rate, every) = match (fields.get("rate_per_year"), fields.get("rate_per_month")) {
        (Some(_), Some(month)) => {
            let what = format!("{} has both rate_per_year and rate_per_month", quoted(entry.path()));
            problems.add_with_hint(month.key_at(), what, "give one of them");
            return None;
        }
        (None, Some(month)) => (rate(month, problems), RatePeriod::Month),
        _ => (fields.read("rate_per_year", problems, rate), RatePeriod::Year),
    };
    let days = fields.read_or("days", None, problems, |entry, problems| days(entry, problems).map(Some));
    Some(CapitalCharge { rate: rate?, every, days: days? })
}

fn days(entry: &Entry<'_>, problems: &mut Problems) -> Option<u16> {
    entry.whole(0, MAX_DAYS, problems).and_then(|days| u16::try_from(days).ok())
}

fn share(entry: &Entry<'_>, problems: &mut Problems) -> Option<Decimal> {
    entry.exact_rate(1, problems)
}

fn bad_debt(
    entry: &Entry<'_>,
    given: Receivables,
    charge_days: Option<u16>,
    known: bool,
    problems: &mut Problems,
) -> Option<BadDebt> {
    let fields = entry.fields(&["probability", "probability_per_year", "loss", "days", "by_grade"], problems)?;
    let yes_or_no = [("true", true), ("false", false)];
    let by_grade = fields.read_or("by_grade", false, problems, |entry, problems| entry.word(&yes_or_no, problems))?;
    if by_grade {
        return by_grade_alone(entry, &fields, given, known, problems);
    }
    if given.write_off {
        let what = format!(
            "{} expects losses where inputs.receivables has write_off: one loss would count twice",
            quoted(entry.path())
        );
        problems.add_with_hint(entry.key_at(), what, "leave out one of them");
    }
    let loss = fields.read("loss", problems, share);
    let own = fields.read_or("days", None, problems, |entry, problems| days(entry, problems).map(Some));
    let (key, per_year) = match (fields.get("probability"), fields.get("probability_per_year")) {
        (Some(_), Some(year)) => {
            let what = format!("{} has both probability and probability_per_year", quoted(entry.path()));
            problems.add_with_hint(year.key_at(), what, "give one of them");
            return None;
        }
        (None, Some(_)) => ("probability_per_year", true),
        _ => ("probability", false),
    };
    let probability = match fields.get(key) {
        None if given.probability => Some(None),
        None => fields.require(key, problems).map(|_| None),
        Some(entry) => share(entry, problems).map(Some),
    };
    let days = own?.or(charge_days.filter(|_| !given.balance));
    if known && days.is_none() && !given.balance {
        let what = format!("{} needs the column balance of inputs.receivables", quoted(entry.path()));
        let hint = "the loss is probability × loss × balance; without balances give days: 90, for sales × days / 365";
        problems.add_with_hint(entry.key_at(), what, hint);
    }
    if days.is_some() && given.probability {
        let what =
            format!("{} is on days of sales, but inputs.receivables has default_probability", quoted(entry.path()));
        problems.add_with_hint(
            entry.key_at(),
            what,
            "probabilities of the table are for its balances: leave out days, or the column",
        );
    }
    Some(BadDebt { probability: probability?, per_year, loss: loss?, days, by_grade })
}

/// Expected loss by the grade of payment behaviour.
fn by_grade_alone(
    entry: &Entry<'_>,
    fields: &Fields<'_>,
    given: Receivables,
    known: bool,
    problems: &mut Problems,
) -> Option<BadDebt> {
    if let Some(days) = fields.get("days") {
        let what = format!("{} has no effect with by_grade", quoted(days.path()));
        problems.add(days.key_at(), what);
    }
    if let Some(probability) = fields.get("probability") {
        let what = format!("{} has no effect with by_grade", quoted(probability.path()));
        let hint = "probabilities of grades are for a year: give probability_per_year for customers without a grade";
        problems.add_with_hint(probability.key_at(), what, hint);
    }
    if known && (!given.balance || !given.graded || given.probability) {
        let what = format!(
            "{} needs balance and one of days_late, overdue, disputed and write_off of inputs.receivables, and no \
             default_probability",
            quoted(entry.path())
        );
        problems.add_with_hint(entry.key_at(), what, "a grade is made of how a customer has paid");
    }
    let loss = fields.read("loss", problems, share);
    let probability =
        fields.read_or("probability_per_year", None, problems, |entry, problems| share(entry, problems).map(Some));
    Some(BadDebt { probability: probability?, per_year: true, loss: loss?, days: None, by_grade: true })
}

fn commissions(entry: &Entry<'_>, problems: &mut Problems) -> Option<Commissions> {
    let fields = entry.fields(&["rate", "of", "clawback"], problems)?;
    let rate = fields.read("rate", problems, share);
    let of = fields.read_or("of", CommissionBase::NetRevenue, problems, |entry, problems| entry.word(&BASES, problems));
    let clawback = fields.read_or("clawback", false, problems, |entry, problems| {
        entry.word(&[("true", true), ("false", false)], problems)
    });
    Some(Commissions { rate: rate?, of: of?, clawback: clawback? })
}
