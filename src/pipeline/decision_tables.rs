//! Decisions as columns.

use std::{collections::BTreeMap, ops::Range};

use super::{decisions::Judged, investing::Invest, keeping::Kept, results::Results, tables::integers};
use crate::{
    contract::candidates::ALL_ACTIONS,
    decide::keep::Advice,
    publish::{
        PublishError,
        dataset::{Values, Writer, Written},
    },
    schema::{outputs::OutputDataset, portfolio::Roles, settings::Settings},
    units::{Minor, MinorSum},
};

impl Results {
    /// `decision_invest`, row group by row group: there may be millions of candidates.
    pub(super) fn write_invest(
        &self,
        writer: &Writer<'_>,
        spec: &'static OutputDataset,
    ) -> Result<Written, PublishError> {
        let invest = self.decisions.invest.as_ref();
        let rows = invest.map_or(0, |invest| invest.candidates.len());
        let expected = self.base.value.as_ref().zip(self.forecast.as_ref());
        let expected = expected.map(|(value, forecast)| forecast.by_customer(&value.expected)).unwrap_or_default();
        let names = std::sync::Arc::new(invest.map(|invest| invest.labels.clone()).unwrap_or_default());
        let chosen = invest.map_or(&[] as &[_], |invest| invest.plan.chosen.as_slice());
        let is_chosen = |row: usize| chosen.binary_search(&(row as u32)).is_ok();
        writer.write_rows(spec, rows, |rows: Range<usize>| {
            let candidates = invest.map_or(&[] as &[_], |invest| &invest.candidates[rows.clone()]);
            let scaled = |values: Vec<Minor>| Values::Scaled(values.into_iter().map(Some).collect());
            vec![
                Values::Ids(candidates.iter().map(|candidate| candidate.customer).collect()),
                Values::Label(candidates.iter().map(|candidate| candidate.action).collect(), names.clone()),
                scaled(candidates.iter().map(|candidate| candidate.cost).collect()),
                scaled(candidates.iter().map(|candidate| expected[candidate.customer as usize]).collect()),
                scaled(candidates.iter().map(|candidate| candidate.gain).collect()),
                scaled(rows.clone().map(|row| invest.map_or(0, |invest| invest.sd(row))).collect()),
                Values::Float(
                    candidates
                        .iter()
                        .map(|candidate| (candidate.cost > 0).then(|| candidate.gain as f64 / candidate.cost as f64))
                        .collect(),
                ),
                Values::Switch(rows.map(|row| Some(is_chosen(row))).collect()),
            ]
        })
    }

    /// `decision_invest_total`.
    pub(super) fn invest_total_columns(&self, settings: &Settings) -> Vec<Values> {
        let budget = settings.decisions.budget.map(MinorSum::from);
        let rows = self.decisions.invest.as_ref().map(totals).unwrap_or_default();
        let plan = self.decisions.invest.as_ref().map(|invest| &invest.plan);
        let sum = |of: &dyn Fn(&Total) -> MinorSum| Values::Sum(rows.iter().map(|row| Some(of(row))).collect());
        // Only the row of all actions has a budget.
        let of_all =
            |value: Option<MinorSum>| Values::Sum((0..rows.len()).map(|row| value.filter(|_| row == 0)).collect());
        let marginal = plan.and_then(|plan| plan.marginal_return);
        vec![
            Values::Text(rows.iter().map(|row| Some(row.action.clone())).collect()),
            integers(rows.iter().map(|row| row.customers)),
            integers(rows.iter().map(|row| row.candidates)),
            sum(&|row| row.spent),
            sum(&|row| row.gain),
            sum(&|row| row.sd.round_ties_even() as MinorSum),
            of_all(budget),
            of_all(plan.map(|plan| plan.bound)),
            of_all(plan.map(|plan| plan.bound - plan.gain)),
            Values::Float((0..rows.len()).map(|row| marginal.filter(|_| row == 0)).collect()),
        ]
    }

    /// `decision_invest_curve`.
    pub(super) fn invest_curve_columns(&self, settings: &Settings) -> Vec<Values> {
        let curve = self.decisions.invest.as_ref().map_or(&[] as &[_], |invest| invest.plan.curve.as_slice());
        let budget = MinorSum::from(settings.decisions.budget.unwrap_or(0));
        vec![
            Values::Sum(curve.iter().map(|point| Some(point.spent)).collect()),
            Values::Sum(curve.iter().map(|point| Some(point.gain)).collect()),
            integers(curve.iter().map(|point| point.customers as i64)),
            Values::Float(curve.iter().map(|point| point.marginal_return).collect()),
            Values::Switch(curve.iter().map(|point| Some(point.spent <= budget)).collect()),
        ]
    }

    /// `decision_keep`.
    pub(super) fn keep_columns(&self, settings: &Settings) -> Vec<Values> {
        let (rows, per_major) = (&self.decisions.keep, settings.currency.minor_per_major() as f64);
        let minor = |value: f64| (value * per_major).round_ties_even() as Minor;
        let expected = self.base.value.as_ref().map_or(&[] as &[Minor], |value| &value.expected);
        let money = |of: &dyn Fn(&Kept) -> f64| Values::Scaled(rows.iter().map(|row| Some(minor(of(row)))).collect());
        let maybe =
            |of: &dyn Fn(&Kept) -> Option<f64>| Values::Scaled(rows.iter().map(|row| of(row).map(minor)).collect());
        let potentials = &self.base.potentials;
        let known = |column: Option<&[Minor]>| {
            Values::Scaled(rows.iter().map(|row| column.map(|column| column[row.customer as usize])).collect())
        };
        let ways = &self.base.portfolio.ways;
        let way = |row: &Kept| row.verdict.serve.map(|(number, _)| ways[number as usize].clone());
        let advised = |kept: &Kept| match kept.verdict.advice {
            Advice::Keep => Some(kept.verdict.keep),
            Advice::Reprice => kept.verdict.reprice,
            Advice::Serve => kept.verdict.serve.map(|serve| serve.1),
            Advice::End => Some(0.0),
        };
        vec![
            Values::Ids(rows.iter().map(|row| row.customer).collect()),
            Values::Scaled(rows.iter().map(|row| Some(self.base.economic_profit[row.customer as usize])).collect()),
            Values::Scaled(rows.iter().map(|row| Some(expected[row.row])).collect()),
            money(&|row| row.verdict.contribution),
            money(&|row| row.verdict.avoidable_cost),
            money(&|row| row.verdict.fixed_cost),
            known(potentials.networking()),
            known(potentials.learning.as_deref()),
            money(&|row| row.verdict.keep),
            Values::Float(rows.iter().map(|row| row.verdict.price_rise).collect()),
            maybe(&|row| row.verdict.reprice),
            Values::Text(rows.iter().map(way).collect()),
            maybe(&|row| row.verdict.serve.map(|serve| serve.1)),
            Values::Text(rows.iter().map(|row| roles(&self.base.portfolio.roles, row.customer as usize)).collect()),
            Values::Text(rows.iter().map(|row| Some(row.verdict.advice.as_str().to_owned())).collect()),
            maybe(&advised),
        ]
    }

    /// `decision_prospect`.
    pub(super) fn prospect_columns(&self, settings: &Settings) -> Vec<Values> {
        let (rows, per_major) = (&self.decisions.prospects, settings.currency.minor_per_major() as f64);
        let minor = |value: f64| (value * per_major).round_ties_even() as Minor;
        let known = self.base.ledgers.ahead.candidates.prospects.as_ref();
        let known = known.map_or(&[][..], |prospects| &prospects.rows);
        let money = |of: &dyn Fn(&Judged) -> f64| Values::Scaled(rows.iter().map(|row| Some(minor(of(row)))).collect());
        let after = |row: &Judged| Some(minor(row.judgement.value).saturating_sub(row.cost));
        let decision = |row: &Judged| if row.judgement.accept { "accept" } else { "decline" };
        vec![
            Values::Text(rows.iter().map(|row| Some(known[row.prospect].id.clone())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.by.to_owned())).collect()),
            Values::Text(rows.iter().map(|row| Some(row.group.clone())).collect()),
            money(&|row| row.judgement.revenue),
            money(&|row| row.judgement.value),
            money(&|row| row.judgement.cost_to_serve),
            money(&|row| row.judgement.most_to_pay),
            Values::Scaled(rows.iter().map(|row| Some(row.cost)).collect()),
            Values::Scaled(rows.iter().map(after).collect()),
            Values::Float(rows.iter().map(|row| Some(row.judgement.probability_of_loss)).collect()),
            Values::Text(rows.iter().map(|row| Some(decision(row).to_owned())).collect()),
        ]
    }
}

/// Names of a customer's strategic roles; `None` without one.
fn roles(roles: &Roles, customer: usize) -> Option<String> {
    let own: Vec<&str> = roles.of(customer).collect();
    (!own.is_empty()).then(|| own.join(", "))
}

/// Sums of an action.
#[derive(Clone, Default)]
struct Total {
    action: String,
    customers: i64,
    candidates: i64,
    spent: MinorSum,
    gain: MinorSum,
    sd: f64,
}

/// All actions, then each.
fn totals(invest: &Invest) -> Vec<Total> {
    let named = |name: &String| Total { action: name.clone(), ..Total::default() };
    let mut each: Vec<Total> = invest.actions.iter().map(named).collect();
    for candidate in &invest.candidates {
        // What an action gains alone.
        if let Some(total) = each.get_mut(candidate.action as usize) {
            total.candidates += 1;
        }
    }
    for row in &invest.plan.chosen {
        for (action, gain) in invest.parts(*row as usize) {
            let total = &mut each[action];
            total.customers += 1;
            total.spent += MinorSum::from(invest.cost[action]);
            total.gain += MinorSum::from(gain);
        }
    }
    for (total, uncertainty) in each.iter_mut().zip(&invest.uncertainty) {
        total.sd = total.gain as f64 * uncertainty;
    }
    // An action works better or worse for all its customers alike, in whatever rows it stands; names are independent.
    let mut by_name: BTreeMap<&str, f64> = BTreeMap::new();
    for (name, total) in invest.together.iter().zip(&each) {
        *by_name.entry(name).or_default() += total.sd;
    }
    let variance: f64 = by_name.values().map(|sd| sd * sd).sum();
    let mut customers: Vec<u32> = invest.candidates.iter().map(|candidate| candidate.customer).collect();
    customers.dedup();
    let all = Total {
        action: ALL_ACTIONS.to_owned(),
        customers: invest.plan.chosen.len() as i64,
        candidates: customers.len() as i64,
        spent: invest.plan.spent,
        gain: invest.plan.gain,
        sd: libm::sqrt(variance),
    };
    each.sort_by(|a, b| a.action.cmp(&b.action));
    std::iter::once(all).chain(each).collect()
}
