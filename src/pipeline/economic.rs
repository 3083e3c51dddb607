//! What stands between CM3 and economic profit: gathered from the side tables, and tied to them.

use std::collections::BTreeMap;

use super::{RunError, inputs::SideInputs};
use crate::{
    contract::ContractError,
    facts::acquisition,
    numeric::keys::{KeyTable, Keys},
    schema::{
        contract::InputBalance,
        economic::EconomicInputs,
        facts::{Cells, NO_DAY},
        margins::Margins,
        settings::{Settings, TableName, TableSetting},
        tables::CustomerTable,
    },
    units::{Day, Minor},
};

/// Receivables and acquisition cost, each with its cell.
///
/// * `customers`: ids of the run's customers, and their rows; `known`: the customers table.
///
/// # Errors
/// [`RunError`] of the receivables table.
pub(super) fn gather(
    settings: &Settings,
    inputs: &mut SideInputs<'_>,
    cells: Cells,
    (customers, rows): (&Keys, &KeyTable),
    known: Option<&CustomerTable>,
    as_of: Day,
) -> Result<(Cells, EconomicInputs), RunError> {
    let (cells, receivables) = inputs.receivables(cells, rows)?;
    let (cells, acquisition_cost) = match known.filter(|_| has(settings.inputs.customers.as_ref(), "acquisition_cost"))
    {
        Some(table) => {
            let cost = |row| table.ids.get(customers.get(row)).map_or(0, |at| table.acquisition_cost[at as usize]);
            let cost: Vec<Minor> = (0..customers.len()).map(cost).collect();
            acquisition::place(cells, &cost, settings.period.of(as_of))
        }
        None => (cells, Vec::new()),
    };
    let first = cells.first_purchase.iter().filter(|day| **day != NO_DAY).min().copied().unwrap_or(as_of);
    let inputs = EconomicInputs {
        settings: settings.economic.clone(),
        receivables,
        acquisition_cost,
        kind: settings.period,
        span: as_of.saturating_sub(first).saturating_add(1),
    };
    Ok((cells, inputs))
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
    if has(settings.inputs.receivables.as_ref(), "write_off") {
        tied(TableName::Receivables, "write-offs in the results", &margins.economic.bad_debt)?;
    }
    Ok(())
}

fn has(table: Option<&TableSetting>, column: &str) -> bool {
    table.is_some_and(|table| table.columns.contains_key(column))
}
