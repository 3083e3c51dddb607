//! What one row's cost is made of: quantity, rate and pool of every part, and the pools that the money came from.
//! Worked out from the plan for the row that is asked for; nothing here is ever made for all rows.

use std::collections::{BTreeMap, BTreeSet};

use super::{costing::Costing, refusal::CostError, resources, rows::Ground, table::CostPlan};
use crate::{
    schema::{costing::Basis, period::Period},
    units::{Minor, Quantity},
};

/// What a part of a cost goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By<'a> {
    /// The source names the customer.
    Traced,
    /// A quantity of the row.
    Basis(&'a Basis),
    /// The quantity of an earlier period, because nobody used the driver in this one.
    EarlierPeriod,
}

/// One part of a row's cost: `amount = money · quantity / of`, rounded by largest remainder, where `money` may have been
/// rounded before: `rate` is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CostPart<'a> {
    /// Number of the activity.
    pub activity: usize,
    /// Period of the pool; `None` = the whole run.
    pub period: Option<Period>,
    /// What it goes by.
    pub by: By<'a>,
    /// Number of the segment that the money was set apart for.
    pub segment: Option<u16>,
    /// The row's quantity, scaled by 10⁶; zero when the cost is traced.
    pub quantity: Quantity,
    /// What was divided, in minor units.
    pub money: Minor,
    /// The quantity that it was divided by, scaled by 10⁶, with its sign; zero when the cost is traced.
    pub of: i128,
    /// Minor units over quantity scaled by 10⁶; the latter is zero when the cost is traced.
    pub rate: (Minor, i128),
    /// Cost of the row.
    pub amount: Minor,
}

impl CostPlan {
    /// Every part of a row's cost; the parts of an activity sum to its cost in [`CostPlan::chunk`].
    ///
    /// Parts without quantity and cost are left out.
    #[must_use]
    pub fn parts(&self, ground: &Ground<'_>, row: usize) -> Vec<CostPart<'_>> {
        let mut parts = Vec::new();
        for (activity, plan) in self.plans.iter().enumerate() {
            if let Some(traced) = plan.traced.as_ref().map(|column| column[row]).filter(|amount| *amount != 0) {
                let own = ground.cells.period[row];
                let period = plan.traced_periods.binary_search(&own).is_ok().then_some(own);
                let (money, of, quantity, rate) = (traced, 0, 0, (traced, 0));
                let by = By::Traced;
                parts.push(CostPart { activity, period, by, segment: None, quantity, money, of, rate, amount: traced });
            }
            let of_period = plan.by_period.iter().filter(|(period, _)| *period == ground.cells.period[row]);
            let pools = std::iter::once((None, &plan.whole)).chain(of_period.map(|(at, shares)| (Some(*at), shares)));
            for (period, shares) in pools {
                for share in shares {
                    let column = &self.columns[share.column];
                    let Some((quantity, money, of)) = share.terms(column, ground, row) else { continue };
                    let amount = share.cost(column, ground, row);
                    let by = self.bases[share.column].as_ref().map_or(By::EarlierPeriod, By::Basis);
                    let segment = share.segment();
                    let rate = share.rate().unwrap_or((money, of));
                    parts.push(CostPart { activity, period, by, segment, quantity, money, of, rate, amount });
                }
            }
        }
        parts
    }
}

/// Shares of resource pools' own cost that end in activities: activity → (number of the resource pool, share), whatever
/// way the cost took.
pub type Shares = BTreeMap<usize, Vec<(usize, f64)>>;

/// Shares of every period's own cost. One entry, `None`, serves all periods where the weights do not vary.
///
/// # Errors
/// [`CostError::Resources`], [`CostError::Resource`].
pub fn origins(costing: &Costing<'_>, ground: &Ground<'_>) -> Result<BTreeMap<Option<Period>, Shares>, CostError> {
    let mut periods: BTreeSet<Option<Period>> = BTreeSet::from([None]);
    if resources::weights_vary(costing) {
        let own = costing.pools.iter().filter(|pool| costing.resources.contains_key(&pool.activity));
        periods.extend(own.map(|pool| pool.period));
    }
    periods.into_iter().map(|period| Ok((period, resources::absorbed(costing, ground, period)?))).collect()
}

/// Bits of a weight in [`split`]: weight times money fits 128 bits, and so does the sum of the weights.
const WEIGHT_BITS: u32 = 63;

/// Divides an amount in proportion to weights of either sign, by largest remainder, so that the parts sum to it.
///
/// Equal remainders go by the order of the weights. `None` when the weights sum to zero: nothing says who has the amount
/// then.
#[must_use]
pub fn split(amount: Minor, weights: &[i128]) -> Option<Vec<Minor>> {
    let largest = weights.iter().map(|weight| weight.unsigned_abs()).max()?;
    let shift = (u128::BITS - largest.leading_zeros()).saturating_sub(WEIGHT_BITS);
    let total: i128 = weights.iter().map(|weight| weight >> shift).sum();
    let exact = |weight: &i128| i128::from(amount) * (weight >> shift) * total.signum();
    let (whole, rest) = (|value: i128| value.div_euclid(total.abs()), |value: i128| value.rem_euclid(total.abs()));
    if total == 0 {
        return None;
    }
    let mut parts: Vec<i128> = weights.iter().map(|weight| whole(exact(weight))).collect();
    let left = i128::from(amount) - parts.iter().sum::<i128>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(rest(exact(&weights[*at]))));
    for at in order.into_iter().take(usize::try_from(left).unwrap_or(0)) {
        parts[at] += 1;
    }
    parts.into_iter().map(|part| i64::try_from(part).ok()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_amount_is_split_like_a_pool() {
        assert_eq!(split(100, &[1, 1, 1]), Some(vec![34, 33, 33]));
        assert_eq!(split(-100, &[1, 1, 1]), Some(vec![-33, -33, -34]));
        // A credit of a third of the cost: 150 less 50.
        assert_eq!(split(100, &[3, -1]), Some(vec![150, -50]));
        assert_eq!(split(100, &[-3, 1]), Some(vec![150, -50]));
        assert_eq!((split(100, &[5, -5]), split(100, &[])), (None, None));
    }

    proptest! {
        #[test]
        fn the_parts_of_a_split_sum_to_the_amount_and_are_near_their_share(
            amount in any::<i64>(), weights in prop::collection::vec(1..i128::from(i64::MAX), 1..40),
        ) {
            let parts = split(amount, &weights).unwrap();
            prop_assert_eq!(parts.iter().map(|part| i128::from(*part)).sum::<i128>(), i128::from(amount));
            let total: f64 = weights.iter().map(|weight| *weight as f64).sum();
            for (part, weight) in parts.iter().zip(&weights) {
                let exact = amount as f64 * (*weight as f64 / total);
                prop_assert!((*part as f64 - exact).abs() <= 1.0 + exact.abs() * 1e-12);
            }
        }
    }
}
