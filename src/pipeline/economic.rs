//! What stands between CM3 and economic profit: gathered from the side tables, and tied to them.

use std::{collections::BTreeMap, sync::Arc};

use super::Ledgers;
use crate::{
    contract::ContractError,
    facts::acquisition,
    numeric::keys::Keys,
    schema::{
        contract::InputBalance,
        economic::EconomicInputs,
        facts::NO_DAY,
        margins::Margins,
        settings::{Settings, TableName, TableSetting},
        tables::{CustomerTable, Receivable},
    },
    units::Minor,
};

/// What winning each customer cost; empty when the customers table does not say.
///
/// * `ids`: ids of the run's customers; `known`: the customers table.
pub(super) fn acquisition_cost(settings: &Settings, ids: &Keys, known: Option<&CustomerTable>) -> Vec<Minor> {
    let Some(table) = known.filter(|_| has(settings.inputs.customers.as_ref(), "acquisition_cost")) else {
        return Vec::new();
    };
    let cost = |row| table.ids.get(ids.get(row)).and_then(|at| table.acquisition_cost[at as usize]).unwrap_or(0);
    (0..ids.len()).map(cost).collect()
}

impl Ledgers {
    /// Receivables and acquisition cost, each in its cell.
    ///
    /// * `acquisition_cost`: one a customer; empty when nothing is known of it.
    pub(super) fn add_economic(
        &mut self,
        settings: &Settings,
        receivables: Vec<Receivable>,
        acquisition_cost: &[Minor],
    ) {
        let mut placed = Vec::new();
        if !acquisition_cost.is_empty() {
            let last = settings.period.of(self.as_of);
            let cells = Arc::unwrap_or_clone(std::mem::take(&mut self.cells));
            let (cells, found) = acquisition::place(cells, acquisition_cost, last);
            (self.cells, placed) = (cells.into(), found);
        }
        let days = self.cells.first_purchase.iter();
        let first = days.filter(|day| **day != NO_DAY).min().copied().unwrap_or(self.as_of);
        self.economic = EconomicInputs {
            settings: settings.economic.clone(),
            receivables: receivables.into(),
            acquisition_cost: placed.into(),
            kind: settings.period,
            span: self.as_of.saturating_sub(first).saturating_add(1),
        };
    }
}

/// What tables say of write-offs and acquisition cost is what stands in the results, through two independent sums.
///
/// # Errors
/// [`ContractError::Reconciliation`].
pub(super) fn check(
    settings: &Settings,
    balances: &BTreeMap<TableName, InputBalance>,
    margins: &Margins,
) -> Result<(), ContractError> {
    let tied = |name: TableName, what: &'static str, column: &[Minor]| {
        let accepted = balances.get(&name).map_or(0, |balance| balance.accepted.amount);
        let found = column.iter().map(|amount| i128::from(*amount)).sum();
        if accepted == found {
            return Ok(());
        }
        Err(ContractError::Reconciliation { table: name.as_str(), what, left: accepted, right: found })
    };
    if has(settings.inputs.customers.as_ref(), "acquisition_cost") {
        tied(TableName::Customers, "acquisition cost in the results", &margins.economic.acquisition_cost)?;
    }
    // Where losses are expected by grade, write-offs are what grades are made of, and no cost of their own.
    if has(settings.inputs.receivables.as_ref(), "write_off") && settings.economic.bad_debt.is_none() {
        tied(TableName::Receivables, "write-offs in the results", &margins.economic.bad_debt)?;
    }
    Ok(())
}

fn has(table: Option<&TableSetting>, column: &str) -> bool {
    table.is_some_and(|table| table.columns.contains_key(column))
}
