//! Contracts of two small tables: customers and products; and the customers that other tables name.
//!
//! Batches arrive in any order, so rows are sorted before duplicates are judged.

use std::sync::OnceLock;

use rayon::prelude::*;

use super::{
    ContractError,
    columns::{Batch, NULL, Scale, is_number},
    covariates::{self, Cell},
    rules::Tally,
    small_table::{Input, Slice, demote, split_duplicates},
};
use crate::{
    numeric::{
        decimal::format_minor,
        keys::{Key, KeyIndex, KeyTable, Keys},
    },
    schema::{
        relations::{SHARE_SCALE, Wallet},
        settings::TableName,
        tables::{CustomerTable, ProductTable, UnitCost},
    },
};

/// Why an id is none. A CSV table's ids are read as integers where the ledger has integers.
const MISSING_ID: &str = "the id is null, empty, or not an integer like the ledger's";

type OwnedId = (Vec<u8>, i64);

/// Id, segment, acquisition cost, channel or region, wallet, whether others copy it, covariates.
type CustomerRow = (OwnedId, Option<String>, Option<i64>, Vec<Option<String>>, Option<Wallet>, bool, Vec<Cell>);

fn owned(key: Key<'_>) -> OwnedId {
    match key {
        Key::Int(value) => (Vec::new(), value),
        Key::Text(text) => (text.to_vec(), 0),
    }
}

fn borrowed<'a>(id: &'a OwnedId, kind: &Keys) -> Key<'a> {
    match kind {
        Keys::Int(_) => Key::Int(id.1),
        Keys::Text(_) => Key::Text(&id.0),
    }
}

fn id_text(id: &OwnedId, kind: &Keys) -> String {
    match kind {
        Keys::Int(_) => id.1.to_string(),
        Keys::Text(_) => String::from_utf8_lossy(&id.0).into_owned(),
    }
}

/// Ids of a batch in the ledger's kind. CSV columns are text; they turn into integers when the ledger has integers.
pub(super) fn ids_like(
    slice: &Batch<'_>,
    column: &'static str,
    kind: &Keys,
    csv: bool,
) -> Result<(Keys, Vec<bool>), ContractError> {
    let absent = || ContractError::Column { table: slice.table, column: column.to_owned(), expected: "there" };
    let (keys, mut missing) = slice.keys(column)?.ok_or_else(absent)?;
    match (&keys, kind) {
        (Keys::Int(_), Keys::Int(_)) | (Keys::Text(_), Keys::Text(_)) => Ok((keys, missing)),
        (Keys::Text(texts), Keys::Int(_)) if csv => {
            let parse =
                |i: usize| std::str::from_utf8(texts.get(i)).ok().and_then(|text| text.trim().parse::<i64>().ok());
            let values: Vec<Option<i64>> = (0..texts.len()).map(parse).collect();
            for (missing, value) in missing.iter_mut().zip(&values) {
                *missing |= value.is_none();
            }
            Ok((Keys::Int(values.into_iter().map(Option::unwrap_or_default).collect()), missing))
        }
        (Keys::Text(_), Keys::Int(_)) => {
            Err(ContractError::IdKind { table: slice.table, column, found: "text", expected: "an integer" })
        }
        (Keys::Int(_), Keys::Text(_)) => {
            Err(ContractError::IdKind { table: slice.table, column, found: "an integer", expected: "text" })
        }
    }
}

/// The customers table: ids are unique.
///
/// * `wanted`: columns that put customers into channels or regions, when these are wanted.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`.
pub fn customers(
    input: &Input<'_>,
    kind: &Keys,
    csv: bool,
    wanted: &[&str],
) -> Result<(CustomerTable, Tally), ContractError> {
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, CustomerRow>| {
        let (ids, missing) = ids_like(&slice.batch, "customer_id", kind, csv)?;
        let segments = slice.batch.texts("segment")?;
        let groups = wanted.iter().map(|column| slice.batch.texts(column)).collect::<Result<Vec<_>, _>>()?;
        let costs = slice.batch.numbers("acquisition_cost", input.money())?;
        let wallets = Wallets::new(input, &slice.batch)?;
        let benchmarks = slice.batch.switches("benchmark")?;
        let covariates = covariates::cells(&slice.batch, input.settings, TableName::Customers)?;
        for row in 0..slice.height() {
            let of_row = |column: &Option<Vec<Option<String>>>| column.as_ref().and_then(|texts| texts[row].clone());
            let (segment, group) = (of_row(&segments), groups.iter().map(of_row).collect());
            let cost = costs.as_ref().map(|costs| costs[row]).filter(|cost| *cost != NULL);
            // An unknown cost is none.
            let amount = Some(cost.unwrap_or(0)).filter(|cost| is_number(*cost));
            let verdict = match amount {
                _ if missing[row] => Err(("missing_customer", MISSING_ID)),
                None => Err(("invalid_amount", "the acquisition cost is not a finite number in range")),
                Some(_) => wallets.get(row).and_then(|wallet| {
                    let unclear = ("invalid_flag", "benchmark is neither yes nor no");
                    let copied = benchmarks.as_ref().map_or(Some(false), |flags| flags[row]).ok_or(unclear)?;
                    let covariates = covariates.iter().map(|column| column[row].clone()).collect();
                    Ok((owned(ids.get(row)), segment, cost, group, wallet, copied, covariates))
                }),
            };
            slice.row(row, amount, verdict);
        }
        Ok(())
    })?;
    rows.par_sort_unstable();
    let rows = split_duplicates(
        rows,
        |a, b| a.0 == b.0,
        |row| {
            let mut cells = serde_json::json!({"customer_id": id_text(&row.0, kind), "segment": row.1});
            if input.has("acquisition_cost") {
                cells["acquisition_cost"] =
                    format_minor(row.2.unwrap_or(0).into(), input.settings.currency.exponent).into();
            }
            demote(
                &mut tally,
                &input.rules,
                "duplicate_customer",
                "the customer id stands more than once",
                &cells,
                Some(row.2.unwrap_or(0)),
            );
        },
    );
    input.rules.judge(&tally.balance)?;
    let mut table = CustomerTable {
        ids: KeyTable::new(kind, rows.len()),
        segment: Vec::with_capacity(rows.len()),
        groups: wanted.iter().map(|_| Vec::with_capacity(rows.len())).collect(),
        acquisition_cost: Vec::with_capacity(rows.len()),
        wallet: Vec::with_capacity(rows.len()),
        benchmark: Vec::with_capacity(rows.len()),
        covariates: {
            let cells: Vec<&[Cell]> = rows.iter().map(|row| row.6.as_slice()).collect();
            covariates::columns(input.settings, TableName::Customers, &cells)?
        },
    };
    for (id, segment, cost, groups, wallet, benchmark, _) in rows {
        table.ids.insert(borrowed(&id, kind));
        table.segment.push(segment);
        for (column, group) in table.groups.iter_mut().zip(groups) {
            column.push(group);
        }
        table.acquisition_cost.push(cost);
        table.wallet.push(wallet);
        table.benchmark.push(benchmark);
    }
    Ok((table, tally))
}

/// Columns of what customers spend with us and with others.
struct Wallets {
    columns: Option<(Vec<i64>, Vec<i64>)>,
}

impl Wallets {
    fn new(input: &Input<'_>, batch: &Batch<'_>) -> Result<Self, ContractError> {
        let wallets = batch.numbers("wallet", input.money())?;
        Ok(Self { columns: wallets.zip(batch.numbers("wallet_probability", share_scale())?) })
    }

    /// The wallet of a row; `None` where either cell is null.
    fn get(&self, row: usize) -> Result<Option<Wallet>, (&'static str, &'static str)> {
        let Some((wallets, probabilities)) = &self.columns else { return Ok(None) };
        match (wallets[row], probabilities[row]) {
            (NULL, _) | (_, NULL) => Ok(None),
            (a_year, _) if a_year < 0 => {
                Err(("invalid_amount", "the wallet is negative or not a finite number in range"))
            }
            (_, probability) if !(0..=SHARE_SCALE).contains(&probability) => {
                Err(("invalid_probability", "the probability to win the wallet is not between 0 and 1"))
            }
            (a_year, probability) => Ok(Some(Wallet { a_year, probability })),
        }
    }
}

/// Probabilities, shares and margins, scaled to [`SHARE_SCALE`].
pub(super) fn share_scale() -> Scale {
    Scale { digits: SHARE_SCALE.ilog10(), integers_are_scaled: false }
}

/// The products table: ids are unique and have a unit cost.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`.
pub fn products(input: &Input<'_>, kind: &Keys, csv: bool) -> Result<(ProductTable, Tally), ContractError> {
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, (OwnedId, UnitCost)>| {
        let (ids, missing) = ids_like(&slice.batch, "product_id", kind, csv)?;
        let exponent = input.settings.currency.exponent;
        let costs = slice.batch.decimals("unit_cost", exponent.into())?.ok_or_else(|| slice.absent("unit_cost"))?;
        for (row, cost) in costs.into_iter().enumerate() {
            let verdict = match cost.and_then(|cost| UnitCost::of(cost, exponent)) {
                _ if missing[row] => Err(("missing_product", MISSING_ID)),
                Some(cost) => Ok((owned(ids.get(row)), cost)),
                None => Err(("invalid_amount", "the unit cost is null or not a finite number in range")),
            };
            slice.row(row, None, verdict);
        }
        Ok(())
    })?;
    rows.par_sort_unstable();
    let rows = split_duplicates(
        rows,
        |a, b| a.0 == b.0,
        |row| {
            let cells = serde_json::json!({"product_id": id_text(&row.0, kind)});
            demote(&mut tally, &input.rules, "duplicate_product", "the product id stands more than once", &cells, None);
        },
    );
    input.rules.judge(&tally.balance)?;
    let mut table = ProductTable { ids: KeyTable::new(kind, rows.len()), unit_cost: Vec::with_capacity(rows.len()) };
    for (id, cost) in rows {
        table.ids.insert(borrowed(&id, kind));
        table.unit_cost.push(cost);
    }
    Ok((table, tally))
}

const UNKNOWN_CUSTOMER: &str = "unknown_customer";

/// The customers of the run, sorted by id; their index is built when a table first asks for one.
pub struct KnownCustomers<'a> {
    ids: &'a Keys,
    index: OnceLock<KeyIndex>,
}

impl<'a> KnownCustomers<'a> {
    /// Nobody has asked yet.
    #[must_use]
    pub fn new(ids: &'a Keys) -> Self {
        Self { ids, index: OnceLock::new() }
    }

    pub(crate) fn keys(&self) -> &Keys {
        self.ids
    }

    fn get(&self, id: Key<'_>) -> Option<u32> {
        self.index.get_or_init(|| KeyIndex::new(self.ids)).get(id)
    }
}

pub(super) fn customer_of(
    ids: &Keys,
    missing: &[bool],
    row: usize,
    customers: &KnownCustomers<'_>,
) -> Result<u32, (&'static str, &'static str)> {
    if missing[row] {
        return Err(("missing_customer", MISSING_ID));
    }
    customers
        .get(ids.get(row))
        .ok_or((UNKNOWN_CUSTOMER, "the customer is neither in the ledger nor in the customers table"))
}
