//! Methods side by side, as columns of `method_comparison`.

use super::compare::{Pair, Scored};
use crate::{publish::dataset::Values, units::MinorSum};

/// One row a pair of methods.
pub(super) fn method_columns(customers: usize, methods: &[Scored], pairs: &[Pair]) -> Vec<Values> {
    type Get<'a, T> = &'a dyn Fn(&Pair) -> T;
    let text = |of: Get<'_, String>| Values::Text(pairs.iter().map(|pair| Some(of(pair))).collect());
    let count = |of: Get<'_, u64>| Values::Integer(pairs.iter().map(|pair| i64::try_from(of(pair)).ok()).collect());
    let sum = |of: Get<'_, Option<MinorSum>>| Values::Sum(pairs.iter().map(of).collect());
    let float = |of: Get<'_, Option<f64>>| Values::Float(pairs.iter().map(of).collect());
    let (a, b) = (|pair: &Pair| &methods[pair.a], |pair: &Pair| &methods[pair.b]);
    vec![
        text(&|pair| a(pair).name.clone()),
        text(&|pair| b(pair).name.clone()),
        count(&|_| customers as u64),
        sum(&|pair| Some(a(pair).cost)),
        sum(&|pair| Some(b(pair).cost)),
        sum(&|pair| Some(pair.found.cost_moved)),
        float(&|pair| pair.found.share_moved),
        count(&|pair| pair.found.sign_changes),
        sum(&|pair| Some(pair.found.sign_change_amount)),
        float(&|pair| pair.found.rank_correlation),
        float(&|pair| pair.found.top_decile_overlap),
        float(&|pair| pair.found.bottom_decile_overlap),
        sum(&|pair| Some(pair.found.change_p99.into())),
        sum(&|pair| Some(pair.found.change_max.into())),
        count(&|pair| a(pair).concentration.losing),
        count(&|pair| b(pair).concentration.losing),
        float(&|pair| a(pair).concentration.peak_share),
        float(&|pair| b(pair).concentration.peak_share),
        float(&|pair| a(pair).concentration.gini),
        float(&|pair| b(pair).concentration.gini),
        float(&|pair| a(pair).concentration.stobachoff),
        float(&|pair| b(pair).concentration.stobachoff),
        float(&|pair| pair.errors.and_then(|errors| errors.mean_percentage_error)),
        sum(&|pair| pair.errors.map(|errors| errors.euclidean_distance.round_ties_even() as i128)),
        float(&|pair| pair.errors.and_then(|errors| errors.relative_distance)),
        float(&|pair| pair.errors.and_then(|errors| errors.share_within_5_percent)),
    ]
}
