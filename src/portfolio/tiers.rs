//! Value tiers: by shares of customers, by shares of value, or by amounts.

use std::cmp::Reverse;

use rayon::prelude::*;

use crate::{
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
    let mut order: Vec<(Reverse<i64>, u32)> =
        values.par_iter().map(|value| Reverse(*value)).zip(0..values.len() as u32).collect();
    order.par_sort_unstable();
    let all = match by {
        TiersBy::Value => order.iter().map(|(value, _)| MinorSum::from(value.0.max(0))).sum(),
        _ => values.len() as MinorSum,
    };
    let mut cumulated = 0.0;
    let ends: Vec<MinorSum> = tiers
        .iter()
        .map(|tier| {
            cumulated += tier.share;
            (cumulated * all as f64).round_ties_even() as MinorSum
        })
        .collect();
    let mut tier = vec![0; values.len()];
    let mut before: MinorSum = 0;
    for (value, row) in order {
        let empty = *by == TiersBy::Value && value.0 <= 0;
        let found = ends.iter().position(|end| before < *end).filter(|_| !empty);
        tier[row as usize] = found.unwrap_or(last) as u16;
        before += if *by == TiersBy::Value { MinorSum::from(value.0.max(0)) } else { 1 };
    }
    tier
}

#[cfg(test)]
mod tests {
    use super::*;

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
