//! Value tiers: by shares of customers, by shares of value, or by amounts.

use std::cmp::Reverse;

use rayon::prelude::*;

use crate::{
    numeric::ranking::{ranking, split_at_ranks, with_rows},
    schema::portfolio::{TiersBy, ValueTier},
    units::{Minor, MinorSum},
};

/// The tier of each customer, as a position in `tiers`.
///
/// Customers are ranked by value, best first, ties by row. By shares of customers the ranks are cut at the cumulated shares;
/// by shares of value (Pareto) a customer is in the first tier whose share of all positive value those before it have not
/// filled, so that who crosses a border is in the better tier, and who has no value is in the last. By amounts a customer is in
/// the first tier whose least value it reaches, else in the last.
///
/// * `tiers`: best first; shares sum to 1.
#[must_use]
pub fn tiers(values: &[Minor], tiers: &[ValueTier], by: &TiersBy) -> Vec<u16> {
    let last = tiers.len().saturating_sub(1);
    if let TiersBy::Cuts(cuts) = by {
        let tier = |value: &Minor| cuts.iter().position(|cut| value >= cut).unwrap_or(last) as u16;
        return values.par_iter().map(tier).collect();
    }
    let by_value = *by == TiersBy::Value;
    let all = if by_value {
        values.iter().map(|value| MinorSum::from((*value).max(0))).sum()
    } else {
        values.len() as MinorSum
    };
    let mut cumulated = 0.0;
    let ends: Vec<MinorSum> = tiers
        .iter()
        .map(|tier| {
            cumulated += tier.share;
            (cumulated * all as f64).round_ties_even() as MinorSum
        })
        .collect();
    let mut tier = vec![last as u16; values.len()];
    if by_value {
        let mut before: MinorSum = 0;
        for (Reverse(value), row) in ranking(values).iter().take_while(|(value, _)| value.0 > 0) {
            tier[*row as usize] = ends.iter().position(|end| before < *end).unwrap_or(last) as u16;
            before += MinorSum::from(*value);
        }
        return tier;
    }
    // Who is in which tier is all that is asked.
    let mut order = with_rows(values);
    let ends = ends.into_iter().map(|end| (end as usize).min(values.len()));
    split_at_ranks(&mut order, ends.clone(), Ord::cmp);
    let mut begin = 0;
    for (number, end) in ends.enumerate() {
        for (_, row) in &order[begin..end] {
            tier[*row as usize] = number as u16;
        }
        begin = end;
    }
    tier
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tiers_by_customers_are_runs_of_the_ranking(
            values in prop::collection::vec(-20_i64..20, 0..60), cuts in prop::collection::vec(0.0..1.0, 0..4),
        ) {
            let mut cuts: Vec<f64> = cuts.into_iter().chain([0.0, 1.0]).collect();
            cuts.sort_by(f64::total_cmp);
            let shares: Vec<ValueTier> = cuts.windows(2).map(|cut| share("", cut[1] - cut[0])).collect();
            let found = tiers(&values, &shares, &TiersBy::Customers);
            let mut order: Vec<usize> = (0..values.len()).collect();
            order.sort_by_key(|row| (Reverse(values[*row]), *row));
            prop_assert!(order.windows(2).all(|pair| found[pair[0]] <= found[pair[1]]));
            for (number, cut) in cuts.windows(2).enumerate() {
                let size = found.iter().filter(|tier| usize::from(**tier) == number).count() as f64;
                prop_assert!((size - (cut[1] - cut[0]) * values.len() as f64).abs() <= 1.0 + 1e-9);
            }
        }
    }

    fn share(name: &str, share: f64) -> ValueTier {
        ValueTier { name: name.to_owned(), share }
    }

    #[test]
    fn tiers_hold_their_share_of_customers_and_ties_go_by_row() {
        let cut = [share("gold", 0.25), share("lead", 0.75)];
        assert_eq!(tiers(&[7, 9, 9, 1, 2, 3, 4, 5], &cut, &TiersBy::Customers), [1, 0, 0, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn a_share_of_value_is_filled_by_the_best_and_who_has_none_comes_last() {
        let cut = [share("vital", 0.8), share("useful", 0.2)];
        // 100 in all: 50, 25 and 15 fill 80, the third across the border.
        assert_eq!(tiers(&[15, 50, 10, -40, 25, 0], &cut, &TiersBy::Value), [0, 0, 1, 1, 0, 1]);
        assert_eq!(tiers(&[-1, 0], &cut, &TiersBy::Value), [1, 1]);
    }

    #[test]
    fn amounts_cut_where_they_are_reached_and_the_last_tier_has_the_rest() {
        let cut = [share("gold", 0.0), share("iron", 0.0), share("lead", 0.0)];
        assert_eq!(tiers(&[100, 99, 10, 9, -5], &cut, &TiersBy::Cuts(vec![100, 10, 0])), [0, 1, 1, 2, 2]);
    }
}
