//! Numbers in the report's sentences.

use super::{Report, suppress::tells_part};
use crate::{
    numeric::decimal::divide_half_even,
    report::number::{count, money, percent, share},
    units::MinorSum,
};

impl Report {
    /// Money of the run's currency.
    pub(super) fn money(&self, amount: MinorSum) -> String {
        unbroken(&money(amount, &self.currency))
    }

    /// Money, or a dash.
    pub(super) fn perhaps(&self, amount: Option<MinorSum>) -> String {
        amount.map_or_else(|| "–".to_owned(), |amount| self.money(amount))
    }

    /// `2,357 customers`, `1 customer`, `no customer`; a number below the smallest group is not told.
    pub(super) fn customers(&self, number: u64) -> String {
        match number {
            0 => "no customer".to_owned(),
            number if number < self.smallest_group => format!("fewer than {} customers", self.smallest_group),
            1 => "1 customer".to_owned(),
            number => format!("{} customers", count(number)),
        }
    }

    /// A number of customers alone, likewise.
    pub(super) fn number(&self, number: u64) -> String {
        if number > 0 && number < self.smallest_group {
            return format!("<{}", self.smallest_group);
        }
        count(number)
    }

    /// Whether a group may be told.
    pub(super) fn tells(&self, customers: u64) -> bool {
        customers == 0 || customers >= self.smallest_group
    }

    /// Whether a part of all customers may be told: neither it nor the others, which it would tell, are too few.
    pub(super) fn tells_of(&self, part: u64, whole: u64) -> bool {
        tells_part(part, whole, self.smallest_group)
    }

    /// A part of all customers in words: `2,357 customers`, `fewer than 10 customers`, `all but fewer than 10 customers`.
    pub(super) fn some_of(&self, part: u64, whole: u64) -> String {
        if self.tells(part) && !self.tells_of(part, whole) {
            return format!("all but fewer than {} customers", self.smallest_group);
        }
        self.customers(part)
    }

    /// The number of a part of all customers alone, likewise: `2,357`, `<10`, `>2,347`.
    pub(super) fn number_of(&self, part: u64, whole: u64) -> String {
        if self.tells(part) && !self.tells_of(part, whole) {
            return format!(">{}", count(whole.saturating_sub(self.smallest_group)));
        }
        self.number(part)
    }

    /// Its share, in brackets; nothing where that would tell how many they are.
    pub(super) fn share_of(&self, part: u64, whole: u64) -> String {
        if part == 0 || !self.tells_of(part, whole) {
            return String::new();
        }
        format!(" ({})", of_customers(part, whole))
    }
}

/// Text that stays on one line.
fn unbroken(text: &str) -> String {
    text.replace(' ', "\u{a0}")
}

/// `part / whole` in percent; a dash where the whole is not positive.
pub(super) fn ratio(part: MinorSum, whole: MinorSum) -> String {
    if whole > 0 { unbroken(&percent(part, whole)) } else { "–".to_owned() }
}

/// A share of customers.
pub(super) fn of_customers(part: u64, whole: u64) -> String {
    if whole == 0 { "–".to_owned() } else { unbroken(&share(part, whole)) }
}

/// A part of one, in percent with a decimal at most.
pub(super) fn part(value: f64) -> String {
    unbroken(&percent((value * 1e6).round_ties_even() as i128, 1_000_000))
}

/// A part of one, or a dash.
pub(super) fn perhaps_part(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), part)
}

/// A number with so many decimals; a dash for none.
pub(super) fn decimals(value: Option<f64>, places: usize) -> String {
    value.filter(|value| value.is_finite()).map_or_else(
        || "–".to_owned(),
        |value| {
            let text = format!("{value:.places$}");
            text.strip_prefix('-').map_or(text.clone(), |digits| format!("−{digits}"))
        },
    )
}

/// `39 weeks`, `1 year`, `273 days`.
pub(super) fn days(days: u32) -> String {
    let of = |number: u32, unit: &str| if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") };
    match days {
        365 | 366 => "year".to_owned(),
        days if days % 365 == 0 && days > 0 => of(days / 365, "year"),
        days if days % 7 == 0 && days > 0 => of(days / 7, "week"),
        days => of(days, "day"),
    }
}

/// Money a customer, half to even.
pub(super) fn each(amount: MinorSum, customers: u64) -> MinorSum {
    if customers == 0 { 0 } else { divide_half_even(amount, i128::from(customers)) }
}

/// A name of ours as a reader sees it: `re_engineer` is `re-engineer`, `not_yet` is `not yet`.
pub(crate) fn spoken(name: &str) -> String {
    match name {
        "re_engineer" => "re-engineer".to_owned(),
        "" => "(none)".to_owned(),
        name => name.replace('_', " "),
    }
}
