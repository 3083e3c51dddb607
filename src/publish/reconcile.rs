//! The sums that must tie between the datasets of an output, read back from its files.
//!
//! * every pool: own + received = sent + allocated + unused + over-driven + under-absorbed + sustained + unassigned
//!   (column `residual` is zero, and so is the sum made anew);
//! * the cost of customers by activity is what their pools have allocated;
//! * `customer_profit_total` is the sum of `customer_profit`, column by column;
//! * the cost in `customer_profit` is the cost in `customer_cost`.

use std::{collections::BTreeMap, fs::File};

use arrow_array::{Array, ArrayRef, Decimal128Array, RecordBatch, StringArray, cast::AsArray};
use camino::Utf8PathBuf;
use parquet::arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder};

use super::{PublishError, io};

/// A dataset of the output.
pub(super) struct Table<'a> {
    pub(super) name: &'a str,
    pub(super) files: Vec<Utf8PathBuf>,
}

/// Sums by group: the texts of some columns.
type Sums = BTreeMap<Vec<String>, i128>;

/// Money of a pool that came, and that became something, with the column `unassigned` of its reasons.
const CAME: [&str; 2] = ["own", "received"];
const BECAME: [&str; 8] =
    ["sent", "allocated", "unused", "over_driven", "under_absorbed", "sustained", "unassigned", "residual"];

/// Columns of `customer_profit` and of its total.
const MONEY: [&str; 17] = [
    "gross_sales",
    "returns",
    "discount",
    "net_revenue",
    "product_cost",
    "product_activity_cost",
    "cm1",
    "order_cost",
    "cm2",
    "customer_cost",
    "cm3",
    "below_cost",
    "capital_charge",
    "bad_debt",
    "commissions",
    "acquisition_cost",
    "economic_profit",
];

/// Those of them that activities make.
const ACTIVITY_COST: [&str; 4] = ["product_activity_cost", "order_cost", "customer_cost", "below_cost"];

/// How many sums were compared, and for those that differ the dataset and what is wrong.
///
/// # Errors
/// [`PublishError`] of a file that cannot be read.
pub(super) fn reconcile(tables: &[Table<'_>]) -> Result<(usize, Vec<(String, String)>), PublishError> {
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
    if let Some(pools) = table("pool_balance") {
        let by = ["scenario", "stage", "pool", "period"];
        let (came, became) = (pools.total(&by, &CAME)?, pools.total(&by, &BECAME)?);
        tie("pool_balance", "what came and what became of it", &came, &became);
        let residual = pools.total(&["scenario"], &["residual"])?;
        tie("pool_balance", "residual", &residual, &residual.keys().map(|group| (group.clone(), 0)).collect());
        if let Some(costs) = table("customer_cost") {
            let mut allocated = pools.total(&["stage", "scenario", "pool"], &["allocated"])?;
            allocated.retain(|group, _| group[0] == "activity");
            let allocated = allocated.into_iter().map(|(group, sum)| (group[1..].to_vec(), sum)).collect();
            let costs = costs.total(&["scenario", "activity"], &["amount"])?;
            tie("customer_cost", "amount, and what its pools allocated", &costs, &allocated);
        }
    }
    if let Some(cells) = table("customer_profit") {
        if let Some(total) = table("customer_profit_total") {
            for column in MONEY {
                let (cells, total) = (cells.total(&["scenario"], &[column])?, total.total(&["scenario"], &[column])?);
                tie("customer_profit_total", &format!("{column}, and its sum in customer_profit"), &total, &cells);
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
        let mut sums = Sums::new();
        for path in &self.files {
            let parquet = |source| PublishError::Parquet { path: path.clone(), source };
            let file = File::open(path).map_err(io(path))?;
            let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(parquet)?;
            let mask = ProjectionMask::columns(builder.parquet_schema(), by.iter().chain(columns).copied());
            let reader = builder.with_projection(mask).build().map_err(parquet)?;
            for batch in reader {
                let batch = batch.map_err(|error| parquet(error.into()))?;
                let damaged = || PublishError::Damaged {
                    path: path.clone(),
                    what: "a column that must tie is missing".to_owned(),
                };
                add(&mut sums, &batch, by, columns).ok_or_else(damaged)?;
            }
        }
        Ok(sums)
    }
}

/// Adds a batch; `None` when a column is not there or of another type.
fn add(sums: &mut Sums, batch: &RecordBatch, by: &[&str], columns: &[&str]) -> Option<()> {
    let texts: Vec<&StringArray> =
        by.iter().map(|name| batch.column_by_name(name)?.as_string_opt::<i32>()).collect::<Option<_>>()?;
    let decimal = |array: &ArrayRef| array.as_any().downcast_ref::<Decimal128Array>().cloned();
    let values: Vec<Decimal128Array> =
        columns.iter().map(|name| decimal(batch.column_by_name(name)?)).collect::<Option<_>>()?;
    let mut group: Vec<String> = Vec::new();
    let mut open = 0_i128;
    for row in 0..batch.num_rows() {
        let same = row > 0 && texts.iter().zip(&group).all(|(column, text)| column.value(row) == text);
        if !same {
            if row > 0 {
                *sums.entry(std::mem::take(&mut group)).or_default() += open;
            }
            group = texts.iter().map(|column| column.value(row).to_owned()).collect();
            open = 0;
        }
        open += values.iter().filter(|column| column.is_valid(row)).map(|column| column.value(row)).sum::<i128>();
    }
    if batch.num_rows() > 0 {
        *sums.entry(group).or_default() += open;
    }
    Some(())
}
