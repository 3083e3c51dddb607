//! Contracts of what decisions are about: actions and whom they are for, prospects.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::{
    ContractError,
    columns::{Batch, NULL, Scale, is_number},
    covariates::{self, Cell},
    plans::{Broken, GroupNames, Parts, part_cells},
    rules::Tally,
    small_table::{Input, Slice, demote, split_duplicates},
    tables::{KnownCustomers, customer_of, ids_like},
};
use crate::schema::{
    decisions::{Action, EFFECT_SCALE, Effect, Prospect, Prospects},
    settings::TableName,
};

/// Effects and probabilities.
const SHARES: Scale = Scale { digits: EFFECT_SCALE.ilog10(), integers_are_scaled: false };

/// Columns of an action's effect; a null cell has none, a null probability is 1.
struct Effects {
    columns: [Option<Vec<i64>>; 6],
}

impl Effects {
    fn new(batch: &Batch<'_>) -> Result<Self, ContractError> {
        let names = ["retention", "frequency", "margin", "cost_to_serve", "probability", "uncertainty"];
        let mut columns: [Option<Vec<i64>>; 6] = Default::default();
        for (column, name) in columns.iter_mut().zip(names) {
            *column = batch.numbers(name, SHARES)?;
        }
        Ok(Self { columns })
    }

    fn of(&self, row: usize) -> Result<Effect, Broken> {
        let cell = |at: usize, none: i64| match self.columns[at].as_ref().map(|column| column[row]) {
            None | Some(NULL) => none,
            Some(value) => value,
        };
        let effect = Effect {
            retention: cell(0, 0),
            frequency: cell(1, 0),
            margin: cell(2, 0),
            cost_to_serve: cell(3, 0),
            probability: cell(4, EFFECT_SCALE),
            uncertainty: cell(5, 0),
        };
        let Effect { retention, frequency, margin, cost_to_serve, probability, uncertainty } = effect;
        // Ten times as much of anything is no effect but a slip of the pen.
        let relative = |value: i64| (-EFFECT_SCALE..=10 * EFFECT_SCALE).contains(&value);
        if !(0..=EFFECT_SCALE).contains(&probability) {
            Err(("invalid_probability", "the probability is not between 0 and 1"))
        } else if !(-10 * EFFECT_SCALE..=EFFECT_SCALE).contains(&retention) {
            Err(("invalid_effect", "retention is not between -10 and 1: it is the share of the loss that is prevented"))
        } else if !relative(frequency) || !relative(cost_to_serve) {
            Err(("invalid_effect", "frequency or cost_to_serve is not between -1 and 10: it is a relative change"))
        } else if !(-EFFECT_SCALE..=EFFECT_SCALE).contains(&margin) {
            Err(("invalid_effect", "margin is not between -1 and 1: it is a change of what is kept of a unit of sales"))
        } else if !(0..=10 * EFFECT_SCALE).contains(&uncertainty) {
            Err(("invalid_effect", "uncertainty is not between 0 and 10: it is a share of the gain"))
        } else {
            Ok(effect)
        }
    }
}

/// What `decision_invest_total` calls all actions together.
pub const ALL_ACTIONS: &str = "(all)";

/// What may be done for customers.
///
/// * `tiers`: names of the value tiers.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`.
pub fn actions(
    input: &Input<'_>,
    names: GroupNames<'_>,
    tiers: &[&str],
) -> Result<(Vec<Action>, Tally), ContractError> {
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, Action>| {
        let actions = slice.batch.texts("action")?.ok_or_else(|| slice.absent("action"))?;
        let costs = slice.batch.numbers("cost", input.money())?.ok_or_else(|| slice.absent("cost"))?;
        let tier = slice.batch.texts("value_tier")?;
        let (parts, effects) = (Parts::new(&slice.batch)?, Effects::new(&slice.batch)?);
        let tier_of = |row: usize| -> Result<Option<u16>, Broken> {
            let Some(name) = tier.as_ref().and_then(|texts| texts[row].as_deref()).filter(|name| !name.is_empty())
            else {
                return Ok(None);
            };
            let at = tiers.iter().position(|known| *known == name);
            at.map(|at| Some(at as u16)).ok_or(("unknown_group", "no value tier has this name"))
        };
        for row in 0..slice.height() {
            let cost = costs[row];
            let name = actions[row].as_deref().map(str::trim).filter(|name| !name.is_empty());
            let verdict = match name {
                None => Err(("missing_action", "the action has no name")),
                Some(_) if !is_number(cost) || cost < 0 => {
                    Err(("invalid_amount", "the cost is null, negative or not a finite number in range"))
                }
                Some(name) => parts.part(row, names).and_then(|part| {
                    let (value_tier, effect) = (tier_of(row)?, effects.of(row)?);
                    Ok(Action { name: name.to_owned(), part, value_tier, cost, effect, customers: None })
                }),
            };
            slice.row(row, None, verdict);
        }
        Ok(())
    })?;
    rows.par_sort_unstable();
    let same = |a: &Action, b: &Action| (&a.name, a.part, a.value_tier) == (&b.name, b.part, b.value_tier);
    let rows = split_duplicates(rows, same, |row| {
        let mut cells = part_cells(row.part, names);
        cells["action"] = row.name.clone().into();
        cells["value_tier"] = row.value_tier.map(|tier| tiers[usize::from(tier)]).into();
        let reason = "action, segment or channel, and value tier stand more than once";
        demote(&mut tally, &input.rules, "duplicate_key", reason, &cells, None);
    });
    input.rules.judge(&tally.balance)?;
    if rows.iter().any(|row| row.name == ALL_ACTIONS) {
        let what =
            format!("actions: no action may be called `{ALL_ACTIONS}`: decision_invest_total calls all of them so");
        return Err(ContractError::Setting(what));
    }
    Ok((rows, tally))
}

/// For whom in particular actions are: those that the table names are for its customers alone, and for nobody where all rows of
/// an action are rejected.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`.
pub fn action_customers(
    input: &Input<'_>,
    customers: &KnownCustomers<'_>,
    csv: bool,
    actions: &mut [Action],
) -> Result<Tally, ContractError> {
    let mut names: Vec<String> = actions.iter().map(|action| action.name.clone()).collect();
    names.dedup();
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let named: Vec<AtomicBool> = known.iter().map(|_| AtomicBool::new(false)).collect();
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, (u32, u32)>| {
        let (ids, missing) = ids_like(&slice.batch, "customer_id", customers.keys(), csv)?;
        let places = slice.batch.places("action", &known)?.ok_or_else(|| slice.absent("action"))?;
        for (row, place) in places.iter().enumerate() {
            let verdict = match place {
                None => Err(("unknown_action", "the actions table does not hold the action")),
                Some(action) => {
                    named[*action as usize].store(true, Ordering::Relaxed);
                    customer_of(&ids, &missing, row, customers).map(|customer| (*action, customer))
                }
            };
            slice.row(row, None, verdict);
        }
        Ok(())
    })?;
    rows.par_sort_unstable();
    let rows = split_duplicates(
        rows,
        |a, b| a == b,
        |(action, customer)| {
            let id = customers.keys().text(*customer as usize);
            let cells = serde_json::json!({"action": known[*action as usize], "customer_id": id});
            let reason = "action and customer stand more than once";
            demote(&mut tally, &input.rules, "duplicate_key", reason, &cells, None);
        },
    );
    input.rules.judge(&tally.balance)?;
    let mut whom: Vec<Option<Vec<u32>>> = named.into_iter().map(|named| named.into_inner().then(Vec::new)).collect();
    for (action, customer) in rows {
        whom[action as usize].get_or_insert_default().push(customer);
    }
    for action in actions {
        action.customers = known.iter().position(|name| *name == action.name).and_then(|at| whom[at].clone());
    }
    Ok(tally)
}

/// Customers who may be won. A null revenue or cost is that of the customers who the prospect is like.
///
/// # Errors
/// [`ContractError`] of a column or of a rule with policy `error`.
pub fn prospects(input: &Input<'_>, names: GroupNames<'_>) -> Result<(Prospects, Tally), ContractError> {
    let (mut rows, mut tally) = input.gather(|slice: &mut Slice<'_, (Prospect, Vec<Cell>)>| {
        let (ids, missing) = slice.batch.keys("prospect_id")?.ok_or_else(|| slice.absent("prospect_id"))?;
        let revenues = slice.batch.numbers("expected_revenue", input.money())?;
        let costs = slice.batch.numbers("acquisition_cost", input.money())?;
        let parts = Parts::new(&slice.batch)?;
        let covariates = covariates::cells(&slice.batch, input.settings, TableName::Prospects)?;
        let money = |column: &Option<Vec<i64>>, row: usize| {
            let cell = column.as_ref().map(|column| column[row]).filter(|cell| *cell != NULL);
            let broken = cell.is_some_and(|cell| !is_number(cell) || cell < 0);
            if broken {
                Err(("invalid_amount", "a revenue or cost is negative or not a finite number"))
            } else {
                Ok(cell)
            }
        };
        for (row, missing) in missing.iter().enumerate() {
            let verdict = if *missing {
                Err(("missing_prospect", "the id is null or empty"))
            } else {
                money(&revenues, row).and_then(|expected_revenue| {
                    let prospect = Prospect {
                        id: ids.text(row),
                        channel: parts.channel(row, names)?,
                        segment: parts.segment(row, names)?,
                        expected_revenue,
                        acquisition_cost: money(&costs, row)?,
                    };
                    Ok((prospect, covariates.iter().map(|column| column[row].clone()).collect()))
                })
            };
            slice.row(row, None, verdict);
        }
        Ok(())
    })?;
    rows.par_sort_unstable();
    let rows = split_duplicates(
        rows,
        |a, b| a.0.id == b.0.id,
        |row| {
            let cells = serde_json::json!({"prospect_id": row.0.id});
            let reason = "the prospect stands more than once";
            demote(&mut tally, &input.rules, "duplicate_prospect", reason, &cells, None);
        },
    );
    input.rules.judge(&tally.balance)?;
    let cells: Vec<&[Cell]> = rows.iter().map(|row| row.1.as_slice()).collect();
    let attributes = covariates::columns(input.settings, TableName::Prospects, &cells)?;
    Ok((Prospects { rows: rows.into_iter().map(|row| row.0).collect(), attributes }, tally))
}
