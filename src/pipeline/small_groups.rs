//! Small groups: the segment datasets leave out what would tell of a few customers, as far as the config wants it (`suppress`).

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde_json::{Value, json};

use super::report;
use crate::{
    publish::dataset::Values,
    report::page::suppress::hidden_beside,
    schema::{
        outputs::OutputDataset,
        quantiles::Quantile,
        settings::{SMALLEST_GROUP, Settings},
    },
    units::QUANTITY_SCALE,
};

/// One way in which the rows of a dataset sum to a total that may be known.
struct Sum {
    /// Columns within whose values they do.
    within: &'static [&'static str],
    /// The columns that name the parts.
    group: &'static [&'static str],
}

/// A dataset of groups.
struct Grouped {
    dataset: &'static str,
    sums: &'static [Sum],
}

/// The segment datasets. Each has a column `customers`; of several rows of a group the smallest count that is not zero counts.
const GROUPED: [Grouped; 10] = [
    Grouped { dataset: "segment_value", sums: &[Sum { within: &["segmentation", "scenario"], group: &["segment"] }] },
    Grouped { dataset: "segment_equity", sums: &[Sum { within: &["segmentation", "scenario"], group: &["segment"] }] },
    Grouped {
        dataset: "segment_measure",
        sums: &[Sum { within: &["segmentation", "measure", "scenario"], group: &["segment"] }],
    },
    Grouped { dataset: "concentration", sums: &[Sum { within: &["segmentation", "scenario"], group: &["segment"] }] },
    Grouped {
        dataset: "scenario_difference",
        sums: &[Sum { within: &["segmentation", "scenario"], group: &["segment"] }],
    },
    // Segments sum to all at every step, and the steps of a segment to its closing equity.
    Grouped {
        dataset: "equity_bridge",
        sums: &[
            Sum { within: &["segmentation", "component"], group: &["segment"] },
            Sum { within: &["segmentation", "segment"], group: &["component"] },
        ],
    },
    Grouped { dataset: "equity_share", sums: &[Sum { within: &["segmentation"], group: &["segment"] }] },
    // Who went from a group, and who came to one, are known from the periods before and after.
    Grouped {
        dataset: "segment_migration",
        sums: &[
            Sum { within: &["segmentation", "period", "next_period", "from", "scenario"], group: &["to"] },
            Sum { within: &["segmentation", "period", "next_period", "to", "scenario"], group: &["from"] },
            // Every way of grouping sums to the same customers.
            Sum { within: &["segmentation", "period", "next_period", "scenario"], group: &["from", "to"] },
        ],
    },
    Grouped { dataset: "model_group", sums: &[Sum { within: &["grouping"], group: &["group"] }] },
    Grouped { dataset: "new_customer_value", sums: &[Sum { within: &["grouping", "scenario"], group: &["group"] }] },
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
        let customers: Vec<u64> = match at("customers") {
            Some(Values::Integer(counts)) => counts.iter().map(|count| count.map_or(0, i64::unsigned_abs)).collect(),
            // A part of a customer is one.
            Some(Values::Scaled(counts)) => {
                let whole = |count: i64| count.unsigned_abs().div_ceil(QUANTITY_SCALE.unsigned_abs());
                counts.iter().map(|count| count.map_or(0, whole)).collect()
            }
            _ => return columns,
        };
        let columns_of = |names: &[&str]| names.iter().filter_map(|name| at(name)).collect::<Vec<&Values>>();
        let sums: Vec<(Vec<&Values>, Vec<&Values>)> =
            grouped.sums.iter().map(|sum| (columns_of(sum.within), columns_of(sum.group))).collect();
        let keep = told_rows(&sums, &customers, self.smallest);
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

/// That the page tells no smaller groups than the datasets, where the config asks for it; `None` where it does not, as it does
/// when it says nothing of the page.
pub(super) fn unheeded(settings: &Settings) -> Option<String> {
    let asked = settings.report.smallest_group;
    let asks = settings.report.write && asked != SMALLEST_GROUP;
    asks.then(|| report::unheeded(asked, settings.suppress))
        .flatten()
        .map(|note| format!("  note: report.html: {note}"))
}

/// Which rows are told.
///
/// * `sums`: each way in which they sum to a total: columns within which they do, and those that name the parts. What one way
///   hides, another may have to hide with something more.
fn told_rows(sums: &[(Vec<&Values>, Vec<&Values>)], customers: &[u64], smallest: u64) -> Vec<bool> {
    let mut told = vec![true; customers.len()];
    loop {
        let before = told.clone();
        for (within, group) in sums {
            hide(within, group, customers, smallest, &mut told);
        }
        if told == before {
            return told;
        }
    }
}

/// Hides rows of one way in which they sum to a total.
fn hide(within: &[&Values], group: &[&Values], customers: &[u64], smallest: u64, told: &mut [bool]) {
    /// Customers, and whether a row is hidden already.
    type Names<'a> = Vec<Option<&'a str>>;
    type Groups<'a> = BTreeMap<Names<'a>, (u64, bool)>;
    fn names<'a>(columns: &[&'a Values], row: usize) -> Names<'a> {
        columns.iter().map(|column| column.text(row)).collect()
    }
    let mut partitions: BTreeMap<Names<'_>, Groups<'_>> = BTreeMap::new();
    for (row, here) in customers.iter().enumerate() {
        let (count, hidden) = partitions.entry(names(within, row)).or_default().entry(names(group, row)).or_default();
        *count = if *count == 0 || *here == 0 { (*count).max(*here) } else { (*count).min(*here) };
        *hidden |= !told[row];
    }
    for groups in partitions.values_mut() {
        let known: Vec<(u64, bool)> = groups.values().copied().collect();
        let counts: Vec<u64> = known.iter().map(|(count, _)| *count).collect();
        let hidden = hidden_beside(&counts, smallest, |group| known[group].1);
        groups.values_mut().zip(hidden).for_each(|((_, known), hidden)| *known = hidden);
    }
    for (row, told) in told.iter_mut().enumerate() {
        let groups = partitions.get(&names(within, row));
        *told = groups.and_then(|groups| groups.get(&names(group, row))).is_some_and(|(_, hidden)| !hidden);
    }
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
        let customers = [100, 4, 26, 70, 60, 40];
        let told = |smallest| told_rows(&[(vec![&by, &scenario], vec![&group])], &customers, smallest);
        assert_eq!(told(10), [true, false, false, true, true, true]);
        assert_eq!(told(4), [true; 6]);
        assert_eq!(told(50), [true, false, false, true, false, false]);
        assert_eq!(told(1000), [false; 6]);
    }

    #[test]
    fn of_a_group_in_several_rows_the_smallest_count_counts_and_nobody_hides_nothing() {
        let by = texts(&["all"; 6]);
        let group = texts(&["a", "a", "b", "b", "c", "c"]);
        let customers = [50, 3, 40, 0, 30, 0];
        let told = |smallest| told_rows(&[(vec![&by], vec![&group])], &customers, smallest);
        assert_eq!(told(10), [false, false, true, true, false, false]);
        assert_eq!(told(3), [true; 6]);
    }

    #[test]
    fn a_way_of_grouping_that_lacks_one_pair_alone_is_told_by_another_and_lacks_two() {
        let from = texts(&["gain", "gain", "loss", "loss"]);
        let to = texts(&["gain", "loss", "gain", "loss"]);
        let by_side = [(vec![&from], vec![&to]), (vec![&to], vec![&from])];
        let customers = [39, 0, 0, 1];
        assert_eq!(told_rows(&by_side, &customers, 10), [true, true, true, false]);
        let [own, other] = by_side;
        assert_eq!(told_rows(&[own, other, (vec![], vec![&from, &to])], &customers, 10), [false, true, true, false]);
    }

    #[test]
    fn a_step_of_a_few_customers_takes_another_step_and_another_segment_with_it() {
        // Steps of two segments and of both: acquired, stayed, closing.
        let by = texts(&["all", "all", "all", "tier", "tier", "tier", "tier", "tier", "tier"]);
        let segment = texts(&["all", "all", "all", "gold", "gold", "gold", "lead", "lead", "lead"]);
        let step = texts(&["acquired", "stayed", "closing"].repeat(3));
        let sums = [(vec![&by, &step], vec![&segment]), (vec![&by, &segment], vec![&step])];
        let told = |customers: [u64; 9]| told_rows(&sums, &customers, 10);
        assert_eq!(told([50, 90, 140, 20, 40, 60, 30, 50, 80]), [true; 9]);
        // Three of gold came: with all who came, those of lead would tell them, as would gold's own sum without those who stayed.
        let [f, t] = [false, true];
        assert_eq!(told([33, 90, 123, 3, 40, 43, 30, 50, 80]), [t, t, t, f, f, t, f, f, t]);
        // Nobody of gold came, so gold's closing equity is that of those who stayed, and goes as well.
        assert_eq!(told([3, 90, 93, 0, 40, 40, 3, 50, 53]), [f, f, t, t, f, f, f, f, f]);
    }
}
