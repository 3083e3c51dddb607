//! What the contract stage says about every input row: accepted, unassigned, or rejected with a reason.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use super::settings::{Policy, TableName};
use crate::units::{Minor, MinorSum};

/// An amount as a number where 64 bits hold it, else as text: readers of JSON lose digits of larger numbers, and `json!` has none.
pub(super) fn wide<S: Serializer>(amount: &MinorSum, serializer: S) -> Result<S::Ok, S::Error> {
    match i64::try_from(*amount) {
        Ok(amount) => serializer.serialize_i64(amount),
        Err(_) => serializer.collect_str(amount),
    }
}

/// A row that broke a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RejectedRow {
    /// Input table.
    pub table: TableName,
    /// Rule that it broke first.
    pub rule: &'static str,
    /// What is wrong, in words.
    pub reason: &'static str,
    /// The mapped cells, as a JSON object of texts.
    pub cells: String,
    /// Money of the row; `None` when it has none that can be read.
    pub amount: Option<Minor>,
}

/// Rows and money in one bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// Rows.
    pub rows: u64,
    /// Money of those rows whose amount can be read, in minor units.
    #[serde(serialize_with = "wide")]
    pub amount: MinorSum,
}

impl Bucket {
    /// Adds one row.
    pub fn add(&mut self, amount: Minor) {
        self.rows += 1;
        self.amount += MinorSum::from(amount);
    }

    /// Adds another bucket.
    pub fn combine(&mut self, other: Self) {
        self.rows += other.rows;
        self.amount += other.amount;
    }
}

/// One table's balance: `input = accepted + unassigned + rejected`, in rows and in money.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InputBalance {
    /// Every row that the scan gave (after `where`).
    pub input: Bucket,
    /// Rows of known customers.
    pub accepted: Bucket,
    /// Rows without a customer that were kept.
    pub unassigned: Bucket,
    /// Rows in the `rejected` dataset.
    pub rejected: Bucket,
    /// Broken rules, also those that only warn: policy, rows and money.
    pub rules: BTreeMap<&'static str, (Policy, Bucket)>,
    /// What was wrong with rejected rows, in words, by rule.
    #[serde(skip)]
    pub reasons: BTreeMap<&'static str, BTreeSet<&'static str>>,
}

impl InputBalance {
    /// Adds another slice's balance.
    pub fn combine(&mut self, other: &Self) {
        self.input.combine(other.input);
        self.accepted.combine(other.accepted);
        self.unassigned.combine(other.unassigned);
        self.rejected.combine(other.rejected);
        for (rule, (policy, bucket)) in &other.rules {
            self.rules.entry(rule).or_insert((*policy, Bucket::default())).1.combine(*bucket);
        }
        for (rule, reasons) in &other.reasons {
            self.reasons.entry(rule).or_default().extend(reasons);
        }
    }

    /// Whether input = accepted + unassigned + rejected.
    #[must_use]
    pub fn is_tied(&self) -> bool {
        let mut sum = self.accepted;
        sum.combine(self.unassigned);
        sum.combine(self.rejected);
        sum == self.input
    }
}

#[cfg(all(test, feature = "engine"))]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_amount_beyond_64_bits_is_text() {
        let bucket = |amount| json!(Bucket { rows: 1, amount })["amount"].clone();
        assert_eq!(bucket(MinorSum::from(i64::MIN)), json!(i64::MIN));
        assert_eq!(bucket(MinorSum::from(i64::MIN) - 1), json!("-9223372036854775809"));
    }
}
