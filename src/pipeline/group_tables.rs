//! Groups with parameters of their own, their tests, and customers not yet acquired, as columns.

use super::{
    comparison::{end, why},
    forecast::Forecast,
    newcomers::NewCustomers,
    pooled::PooledGroups,
    results::Results,
    worlds::World,
};
use crate::{
    forecast::{groups::Group, likelihood_ratio::LikelihoodRatio, spend_levels::SpendLevel},
    publish::dataset::Values,
    schema::settings::PurchaseKind,
    units::Minor,
};

/// Where each parameter stands in a model; the second numbers are those of Pareto/NBD.
const PARAMETERS: [(Option<usize>, Option<usize>); 6] =
    [(Some(0), Some(0)), (Some(1), Some(1)), (Some(2), None), (Some(3), None), (None, Some(2)), (None, Some(3))];

impl Results {
    fn pooled(&self) -> Option<(&Forecast, &PooledGroups)> {
        self.forecast.as_ref()?.pooled()
    }

    /// Columns of `model_group`.
    pub(super) fn group_columns(&self) -> Vec<Values> {
        let rows: Vec<(&Forecast, &PooledGroups, &Group)> = self
            .pooled()
            .into_iter()
            .flat_map(|(forecast, pooled)| pooled.groups.groups.iter().map(move |group| (forecast, pooled, group)))
            .collect();
        let text = |of: &dyn Fn(&PooledGroups, &Group) -> Option<String>| {
            Values::Text(rows.iter().map(|(_, pooled, group)| of(pooled, group)).collect())
        };
        let whole = |of: &dyn Fn(&Group) -> u64| {
            Values::Integer(rows.iter().map(|(.., group)| Some(of(group) as i64)).collect())
        };
        let float =
            |of: &dyn Fn(&Group) -> Option<f64>| Values::Float(rows.iter().map(|(.., group)| of(group)).collect());
        let mut columns = vec![
            text(&|pooled, _| Some(pooled.by.as_str().to_owned())),
            text(&|_, group| Some(group.name.clone())),
            Values::Text(rows.iter().map(|(forecast, ..)| Some(forecast.kind.as_str().to_owned())).collect()),
            whole(&|group| group.customers),
            whole(&|group| group.repeaters),
            text(&|_, group| Some(end(&group.own).to_owned())),
            text(&|_, group| why(&group.own)),
            float(&|group| Some(group.weight)),
        ];
        for (urn, any_time) in PARAMETERS {
            let place = |forecast: &Forecast| if forecast.kind == PurchaseKind::ParetoNbd { any_time } else { urn };
            let column = |of: &dyn Fn(&Group, usize) -> Option<f64>| {
                Values::Float(rows.iter().map(|(forecast, _, group)| of(group, place(forecast)?)).collect())
            };
            columns.push(column(&|group, at| Some(group.parameters[at])));
            columns.push(column(&|group, at| Some(group.standard_errors?[at])));
            columns.push(column(&|group, at| Some(group.own_parameters?[at])));
        }
        columns.push(float(&|group| Some(group.log_likelihood)));
        columns.push(float(&|group| group.own_log_likelihood));
        let spend = |of: &dyn Fn(&SpendLevel) -> f64| {
            let find = |forecast: &Forecast, group: &Group| Some(of(forecast.levels.as_ref()?.0.find(&group.name)?));
            Values::Float(rows.iter().map(|(forecast, _, group)| find(forecast, group)).collect())
        };
        columns.push(spend(&|group| group.level));
        columns.push(spend(&|group| group.weight));
        columns
    }

    /// Columns of `model_test`.
    pub(super) fn test_columns(&self) -> Vec<Values> {
        let mut rows: Vec<(&'static str, &PooledGroups, LikelihoodRatio, Option<f64>)> = Vec::new();
        if let Some((forecast, pooled)) = self.pooled() {
            let one = forecast.models.purchases.log_likelihood;
            let groups = &pooled.groups;
            rows.extend(groups.pooled.map(|test| ("pooled", pooled, test, one)));
            rows.extend(groups.separate.map(|test| ("separate", pooled, test, one)));
        }
        let float = |of: &dyn Fn(&LikelihoodRatio) -> f64| {
            Values::Float(rows.iter().map(|(_, _, test, _)| Some(of(test))).collect())
        };
        vec![
            Values::Text(rows.iter().map(|(name, ..)| Some((*name).to_owned())).collect()),
            Values::Text(rows.iter().map(|(_, pooled, ..)| Some(pooled.by.as_str().to_owned())).collect()),
            Values::Float(rows.iter().map(|(.., one)| *one).collect()),
            Values::Float(rows.iter().map(|(_, _, test, one)| Some((*one)? + 0.5 * test.statistic)).collect()),
            float(&|test| test.statistic),
            Values::Integer(rows.iter().map(|(_, _, test, _)| Some(i64::from(test.degrees_of_freedom))).collect()),
            float(&|test| test.p_value),
        ]
    }
}

impl World<'_> {
    /// Columns of `new_customer_value`, but the scenario's.
    pub(super) fn new_customer_columns(&self) -> Vec<Values> {
        let per_major = self.settings.currency.minor_per_major() as f64;
        let minor = |value: f64| (value * per_major).round_ties_even() as Minor;
        let all = self.found.value.as_ref().map_or(&[] as &[_], |value| value.new_customers.as_slice());
        let rows: Vec<_> =
            all.iter().flat_map(|of| (0..of.names.len()).map(move |at| (of, at, &of.expected[at]))).collect();
        // Of a few it would tell what each cost.
        let known = |(of, at): (&NewCustomers, usize)| {
            let known = of.acquisition_cost.as_ref()?[at];
            known.mean.filter(|_| known.customers >= self.settings.suppress)
        };
        let cost: Vec<Option<Minor>> = rows.iter().map(|(of, at, _)| known((*of, *at))).collect();
        let value: Vec<Minor> = rows.iter().map(|(.., expected)| minor(expected.value)).collect();
        let net = value.iter().zip(&cost).map(|(value, cost)| Some(value - (*cost)?)).collect();
        vec![
            Values::Text(rows.iter().map(|(of, ..)| Some(of.by.to_owned())).collect()),
            Values::Text(rows.iter().map(|(of, at, _)| Some(of.names[*at].clone())).collect()),
            Values::Integer(rows.iter().map(|(.., expected)| Some(expected.customers as i64)).collect()),
            Values::Float(rows.iter().map(|(.., expected)| Some(expected.purchases)).collect()),
            Values::Scaled(rows.iter().map(|(.., expected)| Some(minor(expected.spend))).collect()),
            Values::Scaled(value.iter().map(|value| Some(*value)).collect()),
            Values::Scaled(value.iter().map(|value| Some((*value).max(0))).collect()),
            Values::Scaled(cost),
            Values::Scaled(net),
        ]
    }
}
