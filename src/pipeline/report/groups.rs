//! What is said of groups: segments, activities, capacities, the portfolio, decisions.

use std::collections::BTreeMap;

use super::{super::finished::Finished, customers::quantiles};
use crate::{
    publish::PublishError,
    report::page::{
        decisions::{Advice, Decisions, Invest, Prospects},
        portfolio::{Door, Group, Move, Portfolio, Role},
        profit::{Activity, Capacity, Difference, Profit, Segment},
    },
    schema::portfolio::Roles,
    units::MinorSum,
};

/// Segments, activities and capacities over all periods, and the scenario beside the base.
pub(super) fn profit(source: &Finished) -> Result<Profit, PublishError> {
    let mut found = Profit { segments: segments(source)?, activities: activities(source)?, ..Profit::default() };
    found.capacities = capacities(source)?;
    let wanted = [
        "scenario",
        "segmentation",
        "segment",
        "customers",
        "cost_difference",
        "economic_profit_difference",
        "expected_value_difference",
    ];
    source.each("scenario_difference", &wanted, |rows| {
        let (scenario, segmentation) = (rows.texts("scenario")?, rows.texts("segmentation")?);
        let (name, customers) = (rows.texts("segment")?, rows.integers("customers")?);
        let (cost, profit) = (rows.scaled("cost_difference")?, rows.scaled("economic_profit_difference")?);
        let value = rows.scaled("expected_value_difference")?;
        found.scenario.extend((0..rows.len()).map(|row| Difference {
            scenario: scenario.word(row),
            segmentation: segmentation.word(row),
            name: name.word(row),
            customers: customers.count(row),
            cost: cost.sum_of(row),
            economic_profit: profit.sum_of(row),
            expected_value: value.at(row),
        }));
        Ok(())
    })?;
    Ok(found)
}

fn segments(source: &Finished) -> Result<Vec<Segment>, PublishError> {
    let mut costs: BTreeMap<(String, String), MinorSum> = BTreeMap::new();
    source.each("concentration", &["segmentation", "segment", "cost_to_serve"], |rows| {
        let (segmentation, name) = (rows.texts("segmentation")?, rows.texts("segment")?);
        let cost = rows.scaled("cost_to_serve")?;
        costs.extend((0..rows.len()).map(|row| ((segmentation.word(row), name.word(row)), cost.sum_of(row))));
        Ok(())
    })?;
    let (names, levels) = quantiles(source, "segment_value", "lifetime_value_p");
    let mut wanted = vec!["segmentation", "segment", "customers", "net_revenue", "economic_profit", "expected_value"];
    wanted.extend(names.iter().map(String::as_str));
    let mut found = Vec::new();
    source.each("segment_value", &wanted, |rows| {
        let (segmentation, name) = (rows.texts("segmentation")?, rows.texts("segment")?);
        let (customers, revenue) = (rows.integers("customers")?, rows.scaled("net_revenue")?);
        let (profit, expected) = (rows.scaled("economic_profit")?, rows.scaled("expected_value")?);
        let columns = names.iter().map(|name| rows.scaled(name)).collect::<Result<Vec<_>, _>>()?;
        for row in 0..rows.len() {
            let (segmentation, name) = (segmentation.word(row), name.word(row));
            let quantiles = levels.iter().zip(&columns).filter_map(|(level, column)| Some((*level, column.at(row)?)));
            found.push(Segment {
                cost_to_serve: costs.get(&(segmentation.clone(), name.clone())).copied(),
                segmentation,
                name,
                customers: customers.count(row),
                net_revenue: revenue.sum_of(row),
                economic_profit: profit.sum_of(row),
                expected_value: expected.at(row),
                quantiles: quantiles.collect(),
            });
        }
        Ok(())
    })?;
    Ok(found)
}

/// Activities over all periods, the largest first.
fn activities(source: &Finished) -> Result<Vec<Activity>, PublishError> {
    let texts = ["stage", "pool", "layer", "method", "driver", "unassigned_reason"];
    let money =
        ["own", "received", "sent", "allocated", "unused", "over_driven", "under_absorbed", "sustained", "unassigned"];
    let wanted: Vec<&str> = texts.into_iter().chain(money).collect();
    let mut found: BTreeMap<String, Activity> = BTreeMap::new();
    source.each("pool_balance", &wanted, |rows| {
        let [stage, pool, layer, method, driver, reason] = texts.map(|name| rows.texts(name));
        let (stage, pool, layer, method, driver, reason) = (stage?, pool?, layer?, method?, driver?, reason?);
        let columns = money.iter().map(|name| rows.scaled(name)).collect::<Result<Vec<_>, _>>()?;
        for row in (0..rows.len()).filter(|row| stage.is(*row, "activity")) {
            let entry = found.entry(pool.word(row)).or_insert_with(|| Activity {
                name: pool.word(row),
                layer: layer.word(row),
                method: method.word(row),
                driver: driver.at(row),
                ..Activity::default()
            });
            let sum = |column: usize| columns[column].sum_of(row);
            entry.cost += sum(0) + sum(1);
            entry.sent += sum(2);
            entry.allocated += sum(3);
            entry.unused += sum(4);
            entry.over_driven += sum(5);
            entry.under_absorbed += sum(6);
            entry.sustained += sum(7);
            entry.unassigned += sum(8);
            entry.reason = entry.reason.take().or_else(|| reason.at(row));
        }
        Ok(())
    })?;
    let mut found: Vec<Activity> = found.into_values().collect();
    found.sort_by(|a, b| b.allocated.cmp(&a.allocated).then_with(|| a.name.cmp(&b.name)));
    Ok(found)
}

fn capacities(source: &Finished) -> Result<Vec<Capacity>, PublishError> {
    let mut found: BTreeMap<String, Capacity> = BTreeMap::new();
    source.each("capacity_use", &["pool", "capacity", "used", "unused_cost"], |rows| {
        let pool = rows.texts("pool")?;
        let (capacity, used, cost) = (rows.scaled("capacity")?, rows.scaled("used")?, rows.scaled("unused_cost")?);
        for row in 0..rows.len() {
            let name = pool.word(row);
            let entry = found.entry(name.clone()).or_insert_with(|| Capacity { pool: name, ..Capacity::default() });
            entry.available += capacity.sum_of(row);
            entry.used += used.sum_of(row);
            entry.unused_cost += cost.sum_of(row);
        }
        Ok(())
    })?;
    Ok(found.into_values().collect())
}

/// Portfolio groups, roles, migration, grades and doors.
///
/// * `growth`: growth potential of every customer, in the order of the outputs.
pub(super) fn portfolio(source: &Finished, growth: &[i64]) -> Result<Portfolio, PublishError> {
    let mut found = Portfolio::default();
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    let mut roles = Roles::NAMES.map(|name| Role { name, ..Role::default() });
    let mut known = [false; Roles::NAMES.len()];
    let mut seen = 0;
    let wanted = ["portfolio_group", "present_profit", "profit_if_re_engineered", "protected_by_role"];
    let wanted: Vec<&str> = wanted.into_iter().chain(Roles::NAMES).collect();
    source.each("customer_segment", &wanted, |rows| {
        let (group, present) = (rows.texts("portfolio_group")?, rows.scaled("present_profit")?);
        let other = rows.scaled("profit_if_re_engineered")?;
        let protected = rows.switches("protected_by_role")?;
        let flags = Roles::NAMES.iter().map(|name| rows.switches(name)).collect::<Result<Vec<_>, _>>()?;
        flags.iter().zip(&mut known).for_each(|(flag, known)| *known |= flag.is_known());
        for row in 0..rows.len() {
            found.protected += u64::from(protected.is_on(row));
            for (role, _) in roles.iter_mut().zip(&flags).filter(|(_, flag)| flag.is_on(row)) {
                role.customers += 1;
                role.present_profit += present.sum_of(row);
            }
            let Some(name) = group.at(row) else { continue };
            let entry = groups.entry(name.clone()).or_insert_with(|| Group { name, ..Group::default() });
            entry.customers += 1;
            entry.present_profit += present.sum_of(row);
            entry.growth_potential += growth.get(seen + row).map_or(0, |growth| MinorSum::from(*growth));
            entry.other_way += u64::from(other.at(row).is_some());
            entry.other_profit += other.sum_of(row);
        }
        seen += rows.len();
        Ok(())
    })?;
    found.groups = groups.into_values().collect();
    found.roles = roles.into_iter().zip(known).filter(|(_, known)| *known).map(|(role, _)| role).collect();
    migration(source, &mut found)?;
    grades(source, &mut found)?;
    doors(source, &mut found)?;
    Ok(found)
}

/// Moves between profitable and losing in the last pair of periods.
fn migration(source: &Finished, found: &mut Portfolio) -> Result<(), PublishError> {
    let wanted = ["segmentation", "period", "next_period", "from", "to", "customers", "profit", "next_profit"];
    source.each("segment_migration", &wanted, |rows| {
        let (segmentation, period) = (rows.texts("segmentation")?, rows.texts("period")?);
        let (next, from, to) = (rows.texts("next_period")?, rows.texts("from")?, rows.texts("to")?);
        let (customers, profit) = (rows.integers("customers")?, rows.scaled("profit")?);
        let next_profit = rows.scaled("next_profit")?;
        for row in (0..rows.len()).filter(|row| segmentation.is(*row, "profit")) {
            let pair = (period.word(row), next.word(row));
            // Labels of periods sort by time.
            if found.periods.as_ref().is_none_or(|last| *last < pair) {
                found.migration.clear();
                found.periods = Some(pair.clone());
            }
            if found.periods.as_ref() == Some(&pair) {
                found.migration.push(Move {
                    from: from.word(row),
                    to: to.word(row),
                    customers: customers.count(row),
                    profit: profit.sum_of(row),
                    next_profit: next_profit.sum_of(row),
                });
            }
        }
        Ok(())
    })
}

fn grades(source: &Finished, found: &mut Portfolio) -> Result<(), PublishError> {
    let mut grades: BTreeMap<String, (u64, Option<f64>)> = BTreeMap::new();
    source.each("customer_payment", &["grade", "default_probability"], |rows| {
        let (grade, default) = (rows.texts("grade")?, rows.floats("default_probability")?);
        for row in 0..rows.len() {
            if let Some(name) = grade.at(row) {
                let entry = grades.entry(name).or_insert((0, default.at(row)));
                entry.0 += 1;
            }
        }
        Ok(())
    })?;
    found.grades = grades.into_iter().map(|(grade, (customers, default))| (grade, customers, default)).collect();
    Ok(())
}

/// Products that have a role, by the value of a customer who began with them, best first.
fn doors(source: &Finished, found: &mut Portfolio) -> Result<(), PublishError> {
    let wanted = [
        "product_id",
        "margin",
        "entered_customers",
        "expected_value_per_customer",
        "second_purchase_share",
        "door_rank",
        "role",
    ];
    source.each("product_entry", &wanted, |rows| {
        let (product, margin) = (rows.texts("product_id")?, rows.scaled("margin")?);
        let (customers, value) = (rows.integers("entered_customers")?, rows.scaled("expected_value_per_customer")?);
        let (second, rank) = (rows.floats("second_purchase_share")?, rows.integers("door_rank")?);
        let role = rows.texts("role")?;
        for row in 0..rows.len() {
            let Some(role) = role.at(row) else { continue };
            found.doors.push(Door {
                product: product.word(row),
                role,
                rank: rank.at(row),
                margin: margin.sum_of(row),
                customers: customers.count(row),
                value_each: value.at(row),
                second_purchases: second.at(row),
            });
        }
        Ok(())
    })?;
    // Those without a rank last.
    let place = |door: &Door| door.rank.unwrap_or(u64::MAX);
    found.doors.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.product.cmp(&b.product)));
    Ok(())
}

/// Investments, keep or end, prospects.
pub(super) fn decisions(source: &Finished) -> Result<Decisions, PublishError> {
    Ok(Decisions { invest: invest(source)?, keep: keep(source)?, prospects: prospects(source)? })
}

fn invest(source: &Finished) -> Result<Option<Invest>, PublishError> {
    let mut found: Option<Invest> = None;
    let mut actions = Vec::new();
    let wanted = ["action", "customers", "spent", "gain", "gain_sd", "budget", "gap", "marginal_return"];
    source.each("decision_invest_total", &wanted, |rows| {
        let (action, customers) = (rows.texts("action")?, rows.integers("customers")?);
        let (spent, gain, sd) = (rows.scaled("spent")?, rows.scaled("gain")?, rows.scaled("gain_sd")?);
        let (budget, gap) = (rows.scaled("budget")?, rows.scaled("gap")?);
        let marginal = rows.floats("marginal_return")?;
        for row in 0..rows.len() {
            if action.is(row, "(all)") {
                found = Some(Invest {
                    customers: customers.count(row),
                    spent: spent.sum_of(row),
                    gain: gain.sum_of(row),
                    gain_sd: sd.sum_of(row),
                    budget: budget.at(row),
                    gap: gap.at(row),
                    marginal_return: marginal.at(row),
                    ..Invest::default()
                });
            } else {
                actions.push((action.word(row), customers.count(row), spent.sum_of(row), gain.sum_of(row)));
            }
        }
        Ok(())
    })?;
    let Some(invest) = &mut found else { return Ok(None) };
    invest.actions = actions;
    source.each("decision_invest_curve", &["spent", "gain"], |rows| {
        let (spent, gain) = (rows.scaled("spent")?, rows.scaled("gain")?);
        invest.curve.extend((0..rows.len()).map(|row| (spent.sum_of(row), gain.sum_of(row))));
        Ok(())
    })?;
    Ok(found)
}

/// What can be advised, in the order of the report.
const ADVICE: [&str; 4] = ["keep", "reprice", "serve_differently", "end"];

fn keep(source: &Finished) -> Result<Vec<Advice>, PublishError> {
    let mut found = ADVICE.map(|advice| Advice { what: advice.to_owned(), ..Advice::default() });
    source.each("decision_keep", &["advice", "economic_profit", "advice_value", "roles"], |rows| {
        let (advice, roles) = (rows.texts("advice")?, rows.texts("roles")?);
        let (profit, value) = (rows.scaled("economic_profit")?, rows.scaled("advice_value")?);
        for row in 0..rows.len() {
            let Some(number) = ADVICE.iter().position(|name| advice.is(row, name)) else { continue };
            let entry = &mut found[number];
            entry.customers += 1;
            entry.economic_profit += profit.sum_of(row);
            entry.value += value.sum_of(row);
            entry.with_role += u64::from(roles.at(row).is_some());
        }
        Ok(())
    })?;
    Ok(found.into_iter().filter(|advice| advice.customers > 0).collect())
}

fn prospects(source: &Finished) -> Result<Vec<Prospects>, PublishError> {
    let mut found: BTreeMap<String, Prospects> = BTreeMap::new();
    source.each("decision_prospect", &["decision", "expected_value", "acquisition_cost"], |rows| {
        let decision = rows.texts("decision")?;
        let (value, cost) = (rows.scaled("expected_value")?, rows.scaled("acquisition_cost")?);
        for row in 0..rows.len() {
            let name = decision.word(row);
            let entry =
                found.entry(name.clone()).or_insert_with(|| Prospects { decision: name, ..Prospects::default() });
            entry.number += 1;
            entry.expected_value += value.sum_of(row);
            entry.acquisition_cost += cost.sum_of(row);
        }
        Ok(())
    })?;
    Ok(found.into_values().collect())
}
