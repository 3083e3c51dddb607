//! Small groups: the segment datasets leave out what would tell of a few customers, as far as the config wants it (`suppress`).

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde_json::{Value, json};

use crate::{
    publish::dataset::Values,
    report::page::suppress::hidden,
    schema::{outputs::OutputDataset, quantiles::Quantile},
};

/// A dataset of groups.
struct Grouped {
    dataset: &'static str,
    /// Columns within whose values the groups sum to a total that may be known.
    within: &'static [&'static str],
    /// The column that names the group.
    group: &'static str,
}

/// The segment datasets. Each has a column `customers`; of several rows of a group the smallest count that is not zero counts.
const GROUPED: [Grouped; 11] = [
    Grouped { dataset: "segment_value", within: &["segmentation", "scenario"], group: "segment" },
    Grouped { dataset: "segment_equity", within: &["segmentation", "scenario"], group: "segment" },
    Grouped { dataset: "segment_measure", within: &["segmentation", "measure", "scenario"], group: "segment" },
    Grouped { dataset: "concentration", within: &["segmentation", "scenario"], group: "segment" },
    Grouped { dataset: "scenario_difference", within: &["segmentation", "scenario"], group: "segment" },
    Grouped { dataset: "equity_bridge", within: &["segmentation"], group: "segment" },
    Grouped { dataset: "equity_share", within: &["segmentation"], group: "segment" },
    Grouped {
        dataset: "segment_migration",
        within: &["segmentation", "period", "next_period", "from", "scenario"],
        group: "to",
    },
    Grouped { dataset: "model_group", within: &["grouping"], group: "group" },
    Grouped { dataset: "new_customer_value", within: &["grouping", "scenario"], group: "group" },
    Grouped { dataset: "decision_invest_total", within: &[], group: "action" },
];

/// Which groups are small, and what was left out of which dataset.
pub(super) struct SmallGroups<'a> {
    /// Fewest customers of a group that is told; 1 tells every group.
    smallest: u64,
    quantiles: &'a [Quantile],
    left_out: Mutex<BTreeMap<&'static str, usize>>,
}

impl<'a> SmallGroups<'a> {
    /// * `smallest`: fewest customers of a group that is told; 1 tells every group. * `quantiles`: that have columns.
    pub(super) fn new(smallest: u64, quantiles: &'a [Quantile]) -> Self {
        Self { smallest, quantiles, left_out: Mutex::default() }
    }

    /// The columns without the rows of small groups, nor those of the next smallest where a total would tell the small one.
    pub(super) fn told(&self, spec: &'static OutputDataset, mut columns: Vec<Values>) -> Vec<Values> {
        let grouped = GROUPED.iter().find(|grouped| grouped.dataset == spec.name);
        let Some(grouped) = grouped.filter(|_| self.smallest > 1) else { return columns };
        let names: Vec<String> = spec.columns_of(self.quantiles).into_iter().map(|column| column.name).collect();
        let at = |name: &str| names.iter().position(|other| other == name).and_then(|at| columns.get(at));
        let within: Vec<&Values> = grouped.within.iter().filter_map(|name| at(name)).collect();
        let (Some(group), Some(Values::Integer(customers))) = (at(grouped.group), at("customers")) else {
            return columns;
        };
        let keep = told_rows(&within, group, customers, self.smallest);
        let left_out = keep.iter().filter(|keep| !**keep).count();
        if left_out > 0 {
            self.left_out.lock().unwrap_or_else(PoisonError::into_inner).insert(spec.name, left_out);
            for column in &mut columns {
                column.retain(&keep);
            }
        }
        columns
    }

    /// For the manifest: the limit, and the rows that were left out of each dataset.
    pub(super) fn record(&self) -> Value {
        let left_out = self.left_out.lock().unwrap_or_else(PoisonError::into_inner);
        json!({"smallest_group": self.smallest, "rows_left_out": *left_out})
    }
}

/// What was left out, in words; `None` when nothing was.
///
/// * `record`: of [`SmallGroups::record`].
pub(super) fn note(record: &Value) -> Option<String> {
    let left_out = record["rows_left_out"].as_object().filter(|datasets| !datasets.is_empty())?;
    let datasets: Vec<String> = left_out.iter().map(|(dataset, rows)| format!("{rows} of {dataset}")).collect();
    Some(format!(
        "  note: groups of fewer than {} customers, and what would tell them, are left out, in rows: {}; `suppress: \
         {{smallest_group: 1}}` tells every group",
        record["smallest_group"],
        datasets.join(", ")
    ))
}

/// Which rows are told.
fn told_rows(within: &[&Values], group: &Values, customers: &[Option<i64>], smallest: u64) -> Vec<bool> {
    type Groups<'a> = BTreeMap<Option<&'a str>, u64>;
    let partition = |row: usize| -> Vec<Option<&str>> { within.iter().map(|column| column.text(row)).collect() };
    let mut partitions: BTreeMap<Vec<Option<&str>>, Groups<'_>> = BTreeMap::new();
    for (row, customers) in customers.iter().enumerate() {
        let count = partitions.entry(partition(row)).or_default().entry(group.text(row)).or_default();
        let here = customers.map_or(0, i64::unsigned_abs);
        *count = if *count == 0 || here == 0 { (*count).max(here) } else { (*count).min(here) };
    }
    let told = |groups: &mut Groups<'_>| {
        let counts: Vec<u64> = groups.values().copied().collect();
        groups.values_mut().zip(hidden(&counts, smallest)).for_each(|(count, hidden)| *count = u64::from(!hidden));
    };
    partitions.values_mut().for_each(told);
    (0..customers.len())
        .map(|row| partitions.get(&partition(row)).and_then(|groups| groups.get(&group.text(row))) == Some(&1))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn texts(values: &[&str]) -> Values {
        Values::Text(values.iter().map(|value| Some((*value).to_owned())).collect())
    }

    #[test]
    fn a_small_group_goes_with_the_next_smallest_of_its_own_segmentation() {
        let by = texts(&["all", "tier", "tier", "tier", "channel", "channel"]);
        let scenario = Values::Label(vec![0; 6], Arc::new(vec!["base".to_owned()]));
        let group = texts(&["all", "gold", "iron", "lead", "web", "shop"]);
        let customers = [Some(100), Some(4), Some(26), Some(70), Some(60), Some(40)];
        let told = |smallest| told_rows(&[&by, &scenario], &group, &customers, smallest);
        assert_eq!(told(10), [true, false, false, true, true, true]);
        assert_eq!(told(4), [true; 6]);
        assert_eq!(told(50), [true, false, false, true, false, false]);
        assert_eq!(told(1000), [false; 6]);
    }

    #[test]
    fn of_a_group_in_several_rows_the_smallest_count_counts_and_nobody_hides_nothing() {
        let by = texts(&["all"; 6]);
        let group = texts(&["a", "a", "b", "b", "c", "c"]);
        let customers = [Some(50), Some(3), Some(40), Some(0), Some(30), None];
        assert_eq!(told_rows(&[&by], &group, &customers, 10), [false, false, true, true, false, false]);
        assert_eq!(told_rows(&[&by], &group, &customers, 3), [true; 6]);
    }
}
