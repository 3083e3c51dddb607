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

use arrow_array::{Array, Decimal128Array, RecordBatch, StringArray, cast::AsArray};
use camino::Utf8PathBuf;
use serde_json::{Map, Value};

use super::{PublishError, columns::each_batch};
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
        tie(name, "what came and what became of it", &balance.total(by, &CAME)?, &balance.total(by, of)?);
        let residual = balance.total(&["scenario"], &["residual"])?;
        tie(name, "residual", &residual, &residual.keys().map(|group| (group.clone(), 0)).collect());
    }
    if let Some(pools) = table("pool_balance") {
        let (columns, totals): (Vec<String>, Vec<i128>) = told(of_manifest).unzip();
        let sums = pools.totals(&["scenario"], &columns.iter().map(String::as_str).collect::<Vec<_>>())?;
        for ((column, total), sums) in columns.iter().zip(totals).zip(sums) {
            let base = sums.get(&vec!["base".to_owned()]).copied().unwrap_or(0);
            let of = |sum| Sums::from([(Vec::new(), sum)]);
            tie("pool_balance", &format!("{column}, and that of `pools` in the manifest"), &of(base), &of(total));
        }
        if let Some(costs) = table("customer_cost") {
            let mut allocated = pools.total(&["stage", "scenario", "pool"], &["allocated"])?;
            allocated.retain(|group, _| group[0] == "activity");
            let allocated = allocated.into_iter().map(|(group, sum)| (group[1..].to_vec(), sum)).collect();
            let costs = costs.total(&["scenario", "activity"], &["amount"])?;
            tie("customer_cost", "amount, and what its pools allocated", &costs, &allocated);
        }
        if let Some(cells) = table("customer_profit") {
            for (column, of_pools) in KINDS {
                let (cells, pools) = (cells.total(&["scenario"], &[column])?, pools.total(&["scenario"], &[of_pools])?);
                tie("customer_profit", &format!("{column}, and {of_pools} of its pools"), &cells, &pools);
            }
        }
    }
    if let Some(cells) = table("customer_profit") {
        if let Some(total) = table("customer_profit_total") {
            let columns: Vec<&str> = money().collect();
            let (cells, total) = (cells.totals(&["scenario"], &columns)?, total.totals(&["scenario"], &columns)?);
            for ((column, cells), total) in columns.iter().zip(&cells).zip(&total) {
                tie("customer_profit_total", &format!("{column}, and its sum in customer_profit"), total, cells);
            }
        }
        if let Some(costs) = table("customer_cost") {
            let (in_profit, costs) =
                (cells.total(&["scenario"], &ACTIVITY_COST)?, costs.total(&["scenario"], &["amount"])?);
            tie("customer_profit", "cost of activities, and its sum in customer_cost", &in_profit, &costs);
        }
    }
    Ok((sums, wrong))
}

impl Table<'_> {
    /// Sum of all of `columns` by the texts of `by`.
    fn total(&self, by: &[&str], columns: &[&str]) -> Result<Sums, PublishError> {
        let mut all = Sums::new();
        for sums in self.totals(by, columns)? {
            for (group, sum) in sums {
                *all.entry(group).or_default() += sum;
            }
        }
        Ok(all)
    }

    /// Sums of each of `columns` by the texts of `by`, in one reading.
    fn totals(&self, by: &[&str], columns: &[&str]) -> Result<Vec<Sums>, PublishError> {
        let mut sums = vec![Sums::new(); columns.len()];
        for path in &self.files {
            let damaged =
                || PublishError::Damaged { path: path.clone(), what: "a column that must tie is missing".to_owned() };
            each_batch(path, by.iter().chain(columns).copied(), |batch| {
                add(&mut sums, batch, by, columns).ok_or_else(damaged)
            })?;
        }
        Ok(sums)
    }
}

/// Adds a batch, a column to each of the sums; `None` when a column is not there or of another type.
fn add(sums: &mut [Sums], batch: &RecordBatch, by: &[&str], columns: &[&str]) -> Option<()> {
    let texts: Vec<&StringArray> =
        by.iter().map(|name| batch.column_by_name(name)?.as_string_opt::<i32>()).collect::<Option<_>>()?;
    let mut numbers: BTreeMap<Vec<&str>, usize> = BTreeMap::new();
    let mut group: Vec<&str> = Vec::new();
    let mut group_of: Vec<usize> = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        group.clear();
        group.extend(texts.iter().map(|column| column.value(row)));
        let number = numbers.get(group.as_slice()).copied().unwrap_or(numbers.len());
        if number == numbers.len() {
            numbers.insert(group.clone(), number);
        }
        group_of.push(number);
    }
    for (sums, name) in sums.iter_mut().zip(columns) {
        let values = batch.column_by_name(name)?.as_any().downcast_ref::<Decimal128Array>()?;
        let mut found = vec![0_i128; numbers.len()];
        for (row, number) in group_of.iter().enumerate().filter(|(row, _)| values.is_valid(*row)) {
            found[*number] += values.value(row);
        }
        for (group, number) in &numbers {
            *sums.entry(group.iter().map(|text| (*text).to_owned()).collect()).or_default() += found[*number];
        }
    }
    Some(())
}
