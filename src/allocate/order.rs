//! The order in which activities are planned: one in proportion to another's cost comes after it, and so does one that takes its unused
//! capacity.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    costing::Costing,
    refusal::{CostError, PoolError, Refusal},
};
use crate::{
    numeric::decimal::format_minor,
    schema::{
        costing::{ActivitySetting, Basis, NoDriver},
        tables::Activity,
    },
    units::MinorSum,
};

/// Names of the costs that an activity's bases are in proportion to, under any of its rules.
fn needs(setting: &ActivitySetting) -> Vec<String> {
    let mut needs = Vec::new();
    for rule in setting.each_rule() {
        let fallback = match &rule.no_driver {
            Some(NoDriver::Fallback(basis)) => Some(basis),
            _ => None,
        };
        for basis in rule.method.bases().into_iter().chain(fallback) {
            if let Basis::Cost(of) = basis {
                needs.extend(of.iter().cloned());
            }
        }
    }
    needs
}

/// Numbers of the activities, each after those whose cost it needs.
///
/// # Errors
/// [`Refusal::CostLoop`] when activities wait for each other.
pub(super) fn in_order(costing: &Costing<'_>) -> Result<Vec<usize>, CostError> {
    let activities = costing.activities;
    let number: BTreeMap<&str, usize> =
        activities.iter().enumerate().map(|(number, activity)| (activity.name.as_str(), number)).collect();
    // Who comes before whom, each pair once.
    let mut pairs: BTreeSet<(usize, usize)> = BTreeSet::new();
    for (own, Activity { setting, .. }) in activities.iter().enumerate() {
        pairs.extend(needs(setting).iter().filter_map(|name| Some((*number.get(name.as_str())?, own))));
        pairs.extend(setting.unused_to.iter().filter_map(|name| Some((own, *number.get(name.as_str())?))));
    }
    let mut waits_for = vec![0_usize; activities.len()];
    for (_, after) in &pairs {
        waits_for[*after] += 1;
    }
    let mut order = Vec::with_capacity(activities.len());
    let mut ready: Vec<usize> = (0..activities.len()).filter(|number| waits_for[*number] == 0).collect();
    while !ready.is_empty() {
        let mut next = Vec::new();
        for before in ready {
            order.push(before);
            for (_, after) in pairs.range((before, 0)..(before + 1, 0)) {
                waits_for[*after] -= 1;
                if waits_for[*after] == 0 {
                    next.push(*after);
                }
            }
        }
        next.sort_unstable();
        ready = next;
    }
    if order.len() < activities.len() {
        let done: Vec<bool> = waits_for.iter().map(|waits| *waits == 0).collect();
        return Err(circle(costing, &done));
    }
    Ok(order)
}

fn circle(costing: &Costing<'_>, done: &[bool]) -> CostError {
    let waiting: Vec<&Activity> =
        costing.activities.iter().zip(done).filter(|(_, done)| !**done).map(|(activity, _)| activity).collect();
    let through: Vec<String> = waiting.iter().map(|activity| activity.name.clone()).collect();
    let own = costing.pools.iter().filter(|pool| through.contains(&pool.activity));
    let money: MinorSum = own.map(|pool| MinorSum::from(pool.amount)).sum();
    let goes_on = |activity: &&Activity| activity.setting.unused_to.as_ref().is_some_and(|to| through.contains(to));
    let waits = |activity: &&Activity| needs(&activity.setting).iter().any(|cost| through.contains(cost));
    let reason = if waiting.iter().any(goes_on) && !waiting.iter().any(waits) {
        Refusal::UnusedLoop { through }
    } else {
        Refusal::CostLoop { through }
    };
    Box::new(PoolError {
        activity: waiting.first().map(|activity| activity.name.clone()).unwrap_or_default(),
        rule: waiting.first().map(|activity| reason.by(activity, 0)).unwrap_or_default(),
        when: String::new(),
        reason,
        money: format_minor(money, costing.currency.exponent),
        currency: costing.currency.code.clone(),
    })
    .into()
}
