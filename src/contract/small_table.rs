//! Tables beside the ledger: batches in any order, judged slice by slice, rows and rejected rows out.

use std::sync::{Mutex, PoisonError, mpsc::Receiver};

use polars::prelude::DataFrame;
use rayon::prelude::*;

use super::{
    ContractError,
    columns::{Batch, Scale},
    owners::Owners,
    rules::{Rules, Tally},
};
use crate::schema::{
    contract::RejectedRow,
    settings::{Policy, Settings, TableName},
};

/// Rows that are judged at a time: their columns stay in cache.
pub const JUDGED_ROWS: usize = 16_384;

/// Rows for which there is room from the start, at most: a footer can promise any number.
const ROWS_FORESEEN: u64 = 1 << 24;

/// What every table beside the ledger needs: the run's settings, its rules, and the batches of its scan.
pub struct Input<'a> {
    pub(super) settings: &'a Settings,
    /// Rules of the table.
    pub rules: Rules,
    columns: Vec<String>,
    rows: Option<u64>,
    batches: Mutex<Option<Receiver<DataFrame>>>,
}

impl<'a> Input<'a> {
    /// * `columns`: that are mapped. * `rows`: how many there are, as far as that is known before. * `batches`: of `table`.
    #[must_use]
    pub fn new(
        settings: &'a Settings,
        table: TableName,
        columns: Vec<String>,
        rows: Option<u64>,
        batches: Receiver<DataFrame>,
    ) -> Self {
        let rules = Rules::new(settings, table);
        Self { settings, rules, columns, rows, batches: Mutex::new(Some(batches)) }
    }

    /// Whether a column is mapped.
    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name == column)
    }

    pub(super) fn money(&self) -> Scale {
        Scale { digits: u32::from(self.settings.currency.exponent), integers_are_scaled: true }
    }

    /// Judges every batch as it comes, its rows in parallel, and gathers what is accepted.
    pub(super) fn gather<T: Send>(
        &self,
        judge: impl Fn(&mut Slice<'_, T>) -> Result<(), ContractError> + Sync,
    ) -> Result<(Vec<T>, Tally), ContractError> {
        let mut accepted = Vec::with_capacity(self.rows.map_or(0, |rows| rows.min(ROWS_FORESEEN) as usize));
        let mut tally = Tally::default();
        let mut batches = self.batches().into_iter().flatten();
        let judged = batches.try_for_each(|frame| {
            for (mut rows, slice) in self.judged(&frame, &judge)? {
                accepted.append(&mut rows);
                tally.combine(slice);
            }
            Ok(())
        });
        // After a mistake the scan goes on to its end, which may be a worse one.
        batches.for_each(drop);
        judged.map(|()| (accepted, tally))
    }

    /// The rows of one batch, judged slice by slice in parallel.
    fn judged<T: Send>(
        &self,
        frame: &DataFrame,
        judge: impl Fn(&mut Slice<'_, T>) -> Result<(), ContractError> + Sync,
    ) -> Result<Vec<(Vec<T>, Tally)>, ContractError> {
        let table = self.rules.table().as_str();
        let starts: Vec<usize> = (0..frame.height()).step_by(JUDGED_ROWS).collect();
        let judged = |start: usize| {
            let frame = &frame.slice(start as i64, JUDGED_ROWS);
            let (batch, accepted) = (Batch { table, frame }, Vec::with_capacity(frame.height()));
            let mut slice = Slice { batch, rules: &self.rules, accepted, tally: Tally::default() };
            judge(&mut slice)?;
            Ok((slice.accepted, slice.tally))
        };
        starts.into_par_iter().map(judged).collect()
    }

    /// Takes the batches that nobody wanted, so that the scan comes to its end.
    pub fn drain(&self) {
        self.batches().into_iter().flatten().for_each(drop);
    }

    fn batches(&self) -> Option<Receiver<DataFrame>> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// One batch while it is judged.
pub(super) struct Slice<'a, T> {
    pub(super) batch: Batch<'a>,
    pub(super) rules: &'a Rules,
    accepted: Vec<T>,
    tally: Tally,
}

impl<T> Slice<'_, T> {
    pub(super) fn height(&self) -> usize {
        self.batch.frame.height()
    }

    pub(super) fn absent(&self, column: &str) -> ContractError {
        ContractError::Column { table: self.batch.table, column: column.to_owned(), expected: "there" }
    }

    /// Judges one row of a table with [`Owners`]: what is accepted of an unknown one is kept apart from the rest.
    pub(super) fn row_of(
        &mut self,
        owners: &Owners<'_>,
        row: usize,
        amount: Option<i64>,
        verdict: Result<T, (&'static str, &'static str)>,
    ) {
        match verdict {
            Ok(value) if owners.rule(row).is_some() => {
                self.set_apart(owners, row, amount);
                self.accepted.push(value);
            }
            verdict => self.row(row, amount, verdict),
        }
    }

    /// Counts an accepted row of an unknown owner.
    pub(super) fn set_apart(&mut self, owners: &Owners<'_>, row: usize, amount: Option<i64>) {
        self.tally.balance.input.add(amount.unwrap_or(0));
        self.tally.balance.unassigned.add(amount.unwrap_or(0));
        if let Some(rule) = owners.rule(row) {
            self.tally.broken(rule, Policy::Warn, amount);
        }
    }

    /// Judges one row: the first broken rule, or the accepted value.
    pub(super) fn row(&mut self, row: usize, amount: Option<i64>, verdict: Result<T, (&'static str, &'static str)>) {
        self.tally.balance.input.add(amount.unwrap_or(0));
        match verdict {
            Ok(value) => {
                self.tally.balance.accepted.add(amount.unwrap_or(0));
                self.accepted.push(value);
            }
            Err((rule, reason)) => {
                // A small table's row that breaks a rule has nothing to stay for: `warn` counts it, and it is set aside too.
                self.tally.broken(rule, self.rules.policy(rule), amount);
                let cells = self.batch.cells(row);
                self.tally.reject(RejectedRow { table: self.rules.table(), rule, reason, cells, amount });
            }
        }
    }
}

/// Sets aside rows that repeat the key of the row before them, in place.
pub(super) fn split_duplicates<T>(
    mut rows: Vec<T>,
    same: impl Fn(&T, &T) -> bool,
    mut duplicate: impl FnMut(&T),
) -> Vec<T> {
    rows.dedup_by(|row, last| {
        let twice = same(last, row);
        if twice {
            duplicate(row);
        }
        twice
    });
    rows
}

/// Moves an accepted row to `rejected` after all.
pub(super) fn demote(
    tally: &mut Tally,
    rules: &Rules,
    rule: &'static str,
    reason: &'static str,
    cells: &serde_json::Value,
    amount: Option<i64>,
) {
    let accepted = &mut tally.balance.accepted;
    accepted.rows -= 1;
    accepted.amount -= i128::from(amount.unwrap_or(0));
    tally.broken(rule, rules.policy(rule), amount);
    tally.reject(RejectedRow { table: rules.table(), rule, reason, cells: cells.to_string(), amount });
}
