//! The sums that must tie between the datasets of an output, read back from its files.
//!
//! * every pool: own + received = sent + allocated + unused + over-driven + under-absorbed + sustained + unassigned
//!   (column `residual` is zero, and so is the sum made anew);
//! * every activity over products and other objects: the same, with what stays in place of what is sustained;
//! * the totals of the pools in the manifest are those of `pool_balance`;
//! * the cost of customers by activity is what their pools have allocated;
//! * `customer_profit_total` is the sum of `customer_profit`, column by column;
//! * the cost in `customer_profit` is the cost in `customer_cost`, and its fixed and avoidable parts are those of the pools.

use std::collections::BTreeMap;

use arrow_array::{Array, Decimal128Array, DictionaryArray, RecordBatch, cast::AsArray, types::Int32Type};
use camino::Utf8PathBuf;
use serde_json::{Map, Value};

use super::{PublishError, columns::each_made};
use crate::schema::outputs::{ColumnType, DATASETS};

/// A dataset of the output.
pub(super) struct Table<'a> {
    pub(super) name: &'a str,
    pub(super) files: Vec<Utf8PathBuf>,
}

/// Sums by group: the texts of some columns.
type Sums = BTreeMap<Vec<String>, i128>;

/// Money of a pool that came, and that became something, with the column `unassigned` of its reasons; the latter of an
/// activity over objects.
const CAME: [&str; 2] = ["own", "received"];
const BECAME: [&str; 8] =
    ["sent", "allocated", "unused", "over_driven", "under_absorbed", "sustained", "unassigned", "residual"];
const OF_OBJECTS: [&str; 8] =
    ["sent", "allocated", "stays", "unused", "over_driven", "under_absorbed", "unassigned", "residual"];

/// Columns of `customer_profit_total`, and of `customer_profit` beside it, that hold money.
fn money() -> impl Iterator<Item = &'static str> {
    let total = DATASETS.iter().filter(|dataset| dataset.name == "customer_profit_total");
    let columns = total.flat_map(|dataset| dataset.columns);
    columns.filter(|column| column.kind == ColumnType::Money).map(|column| column.name)
}

/// Those of them that activities make.
const ACTIVITY_COST: [&str; 4] = ["product_activity_cost", "order_cost", "customer_cost", "below_cost"];

/// Kinds of cost: of customers, and of pools.
const KINDS: [(&str, &str); 2] = [("fixed_cost", "allocated_fixed"), ("avoidable_cost", "allocated_avoidable")];

/// What pools have allocated, and of what kind.
const OF_POOLS: [&str; 3] = ["allocated", KINDS[0].1, KINDS[1].1];

/// Totals of the pools as a manifest tells them, by the column of `pool_balance` that they are of.
fn told(pools: &Map<String, Value>) -> impl Iterator<Item = (String, i128)> {
    let flat = pools.iter().flat_map(|(name, value)| match value {
        Value::Object(reasons) => {
            reasons.iter().map(|(reason, value)| (format!("{name}_{reason}"), value)).collect::<Vec<_>>()
        }
        value => vec![(if name == "cost" { "own".to_owned() } else { name.clone() }, value)],
    });
    flat.filter_map(|(name, value)| Some((name, value.as_str()?.parse().ok()?)))
}

/// How many sums were compared, and for those that differ the dataset and what is wrong.
///
/// * `of_manifest`: totals of the base's pools; empty where none are told.
///
/// # Errors
/// [`PublishError`] of a file that cannot be read.
pub(super) fn reconcile(
    tables: &[Table<'_>],
    of_manifest: &Map<String, Value>,
) -> Result<(usize, Vec<(String, String)>), PublishError> {
    let table = |name: &str| tables.iter().find(|table| table.name == name);
    let (mut sums, mut wrong) = (0, Vec::new());
    let mut tie = |dataset: &str, what: &str, left: &Sums, right: &Sums| {
        for group in left.keys().chain(right.keys().filter(|group| !left.contains_key(*group))) {
            let (left, right) = (left.get(group).unwrap_or(&0), right.get(group).unwrap_or(&0));
            sums += 1;
            if left != right {
                let group = if group.is_empty() { String::new() } else { format!(" of {}", group.join(", ")) };
                wrong.push((dataset.to_owned(), format!("{what}{group}: {left} and {right} minor units")));
            }
        }
    };
    for (name, by, of) in [
        ("pool_balance", &["scenario", "stage", "pool", "period"][..], &BECAME),
        ("product_balance", &["scenario", "activity", "period"], &OF_OBJECTS),
        ("object_balance", &["scenario", "activity", "period"], &OF_OBJECTS),
    ] {
        let Some(balance) = table(name) else { continue };
        let columns = [&CAME[..], of].concat();
        let totals = balance.totals(by, &columns)?;
        let (came, became) = totals.split_at(CAME.len());
        tie(name, "what came and what became of it", &added(came), &added(became));
        let at = columns.iter().position(|column| *column == "residual").unwrap_or(0);
        let residual = by_places(&totals[at], &[0]);
        tie(name, "residual", &residual, &residual.keys().map(|group| (group.clone(), 0)).collect());
    }
    // Every other dataset is read once, each column by the finest groups that are asked for.
    let told: Vec<(String, i128)> = told(of_manifest).collect();
    let names: Vec<&str> = told.iter().map(|(column, _)| column.as_str()).chain(OF_POOLS).collect();
    let pools = table("pool_balance").map(|table| table.named(&["scenario", "stage", "pool"], &names)).transpose()?;
    let costs = table("customer_cost").map(|table| table.named(&["scenario", "activity"], &["amount"])).transpose()?;
    let names: Vec<&str> = money().chain(ACTIVITY_COST).chain(KINDS.map(|(column, _)| column)).collect();
    let cells = table("customer_profit").map(|table| table.named(&["scenario"], &names)).transpose()?;
    let names: Vec<&str> = money().collect();
    let total = table("customer_profit_total").map(|table| table.named(&["scenario"], &names)).transpose()?;
    if let Some(pools) = &pools {
        for (column, total) in &told {
            let sums = by_places(&pools[column.as_str()], &[0]);
            let base = sums.get(&vec!["base".to_owned()]).copied().unwrap_or(0);
            let of = |sum| Sums::from([(Vec::new(), sum)]);
            tie("pool_balance", &format!("{column}, and that of `pools` in the manifest"), &of(base), &of(*total));
        }
        if let Some(costs) = &costs {
            let mut allocated = pools["allocated"].clone();
            allocated.retain(|group, _| group[1] == "activity");
            let allocated = by_places(&allocated, &[0, 2]);
            tie("customer_cost", "amount, and what its pools allocated", &costs["amount"], &allocated);
        }
        if let Some(cells) = &cells {
            for (column, of_pools) in KINDS {
                let what = format!("{column}, and {of_pools} of its pools");
                tie("customer_profit", &what, &cells[column], &by_places(&pools[of_pools], &[0]));
            }
        }
    }
    if let (Some(cells), Some(total)) = (&cells, &total) {
        for column in money() {
            let what = format!("{column}, and its sum in customer_profit");
            tie("customer_profit_total", &what, &total[column], &cells[column]);
        }
    }
    if let (Some(cells), Some(costs)) = (&cells, &costs) {
        let in_profit = added(ACTIVITY_COST.iter().map(|column| &cells[column]));
        let costs = by_places(&costs["amount"], &[0]);
        tie("customer_profit", "cost of activities, and its sum in customer_cost", &in_profit, &costs);
    }
    Ok((sums, wrong))
}

/// The sum of several sums.
fn added<'a>(sums: impl IntoIterator<Item = &'a Sums>) -> Sums {
    let mut all = Sums::new();
    for (group, sum) in sums.into_iter().flatten() {
        *all.entry(group.clone()).or_default() += sum;
    }
    all
}

/// Sums of coarser groups: those that are alike in some places of their texts.
fn by_places(sums: &Sums, places: &[usize]) -> Sums {
    let mut all = Sums::new();
    for (group, sum) in sums {
        *all.entry(places.iter().map(|place| group[*place].clone()).collect()).or_default() += sum;
    }
    all
}

impl Table<'_> {
    /// Sums of each of `columns` by the texts of `by`, by its name.
    fn named<'n>(&self, by: &[&str], columns: &[&'n str]) -> Result<BTreeMap<&'n str, Sums>, PublishError> {
        Ok(columns.iter().copied().zip(self.totals(by, columns)?).collect())
    }

    /// Sums of each of `columns` by the texts of `by`, in one reading.
    fn totals(&self, by: &[&str], columns: &[&str]) -> Result<Vec<Sums>, PublishError> {
        let mut sums = vec![Sums::new(); columns.len()];
        for path in &self.files {
            let damaged =
                || PublishError::Damaged { path: path.clone(), what: "a column that must tie is missing".to_owned() };
            let read = by.iter().chain(columns).copied();
            let make = |batch: RecordBatch| of_batch(&batch, by, columns).ok_or_else(damaged);
            each_made(path, read, true, make, |batch| {
                for (sums, of_batch) in sums.iter_mut().zip(batch) {
                    for (group, sum) in of_batch {
                        *sums.entry(group).or_default() += sum;
                    }
                }
                Ok(())
            })?;
        }
        Ok(sums)
    }
}

/// Sums of each column of a batch; `None` when a column is not there or of another type.
fn of_batch(batch: &RecordBatch, by: &[&str], columns: &[&str]) -> Option<Vec<Sums>> {
    let mut groups = Groups { of_row: vec![0; batch.num_rows()], texts: vec![Vec::new()] };
    for name in by {
        groups.split(batch.column_by_name(name)?.as_dictionary_opt::<Int32Type>()?)?;
    }
    let sums = columns.iter().map(|name| {
        let values = batch.column_by_name(name)?.as_any().downcast_ref::<Decimal128Array>()?;
        let mut found = vec![0_i128; groups.texts.len()];
        for (row, group) in groups.of_row.iter().enumerate().filter(|(row, _)| values.is_valid(*row)) {
            found[*group] += values.value(row);
        }
        Some(groups.texts.iter().cloned().zip(found).collect())
    });
    sums.collect()
}

/// The group of every row, and the texts of every group.
struct Groups {
    of_row: Vec<usize>,
    texts: Vec<Vec<String>>,
}

impl Groups {
    /// Tells rows apart by one more text; a text that is null is empty. `None` where the entries are no text.
    fn split(&mut self, column: &DictionaryArray<Int32Type>) -> Option<()> {
        let entries = column.values().as_string_opt::<i32>()?;
        // One place for each group and entry, the last entry being that of nulls: both are few where sums must tie.
        let width = entries.len() + 1;
        let mut numbers = vec![usize::MAX; self.texts.len() * width];
        let mut texts: Vec<Vec<String>> = Vec::new();
        for (row, group) in self.of_row.iter_mut().enumerate() {
            let entry = column.key(row).unwrap_or(entries.len());
            let number = &mut numbers[*group * width + entry];
            if *number == usize::MAX {
                *number = texts.len();
                let text = if entry < entries.len() { entries.value(entry) } else { "" };
                texts.push(self.texts[*group].iter().cloned().chain([text.to_owned()]).collect());
            }
            *group = *number;
        }
        self.texts = texts;
        Some(())
    }
}
