//! What recommending brings: value that is passed from referred customers to their referrers.

use crate::{
    numeric::decimal::divide_half_even,
    schema::relations::{Referral, SHARE_SCALE},
    units::{Minor, MinorSum},
};

/// Shares that a referred customer passes on, in [`SHARE_SCALE`], 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassOn {
    /// Of its own value.
    pub own: i64,
    /// Of what it received from those whom it referred: what is left of a value from one generation to the next.
    pub decay: i64,
}

/// What moved between customers, one row each, in minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// From those whom the customer referred.
    pub received: Vec<Minor>,
    /// To those who referred the customer.
    pub given: Vec<Minor>,
}

/// Value that referred customers pass on to their referrers.
///
/// `given_j = own · value_j + decay · received_j`, half to even, for a customer with a referrer, else 0;
/// `received_i = Σ_j given_j · weight_ij / Σ_i weight_ij`, by largest remainder, ties by hash.
///
/// So a generation further up gets `decay` of what the one below it got from the same customer, and `Σ received = Σ given`
/// exactly: nothing is made, nothing lost, nothing counted twice.
///
/// * `referrals`: without circles, sorted by referred; weights above 0.
/// * `value`: one a customer, minor units, either sign.
/// * `hash`: published hash of every customer, for ties.
///
/// `None` when a sum leaves 64 bits.
///
/// Source: Kumar, Petersen & Leone, Driving profitability by encouraging customer referrals, Journal of Marketing 74 (2010),
/// 1–17, for what a referral brings; passing on over generations is this engine's.
#[must_use]
pub fn pass_on(referrals: &[Referral], value: &[Minor], shares: PassOn, hash: &[u64]) -> Option<Flow> {
    let customers = value.len();
    // Referrals by who was referred.
    let mut first = vec![0_usize; customers + 1];
    // Referred customers of each who have not given yet.
    let mut waiting = vec![0_u32; customers];
    for referral in referrals {
        first[referral.referred as usize + 1] += 1;
        waiting[referral.referrer as usize] += 1;
    }
    for customer in 0..customers {
        first[customer + 1] += first[customer];
    }
    let mut received = vec![0; customers];
    let mut given = vec![0; customers];
    // Whom all those it referred have given to can give itself.
    let referred = |customer: &u32| first[*customer as usize] < first[*customer as usize + 1];
    let mut ready: Vec<u32> =
        (0..customers as u32).filter(|row| waiting[*row as usize] == 0 && referred(row)).collect();
    while let Some(customer) = ready.pop() {
        let row = customer as usize;
        let passed =
            i128::from(value[row]) * i128::from(shares.own) + i128::from(received[row]) * i128::from(shares.decay);
        given[row] = Minor::try_from(divide_half_even(passed, i128::from(SHARE_SCALE))).ok()?;
        let referrers = &referrals[first[row]..first[row + 1]];
        for (referral, part) in referrers.iter().zip(divided(given[row], referrers, hash)?) {
            let referrer = referral.referrer as usize;
            received[referrer] = Minor::checked_add(received[referrer], part)?;
            waiting[referrer] -= 1;
            if waiting[referrer] == 0 && referred(&referral.referrer) {
                ready.push(referral.referrer);
            }
        }
    }
    Some(Flow { received, given })
}

/// An amount in proportion to the weights of the referrals, by largest remainder.
fn divided(amount: Minor, referrals: &[Referral], hash: &[u64]) -> Option<Vec<Minor>> {
    if referrals.len() == 1 {
        return Some(vec![amount]);
    }
    let weights: MinorSum = referrals.iter().map(|referral| MinorSum::from(referral.weight)).sum();
    let size = i128::from(amount.unsigned_abs());
    let mut parts = Vec::with_capacity(referrals.len());
    let mut order = Vec::with_capacity(referrals.len());
    for (at, referral) in referrals.iter().enumerate() {
        let share = size * i128::from(referral.weight);
        parts.push(share / weights);
        order.push((std::cmp::Reverse(share % weights), hash[referral.referrer as usize], at));
    }
    let left = size - parts.iter().sum::<i128>();
    order.sort_unstable();
    for (_, _, at) in order.iter().take(left as usize) {
        parts[*at] += 1;
    }
    let sign = i128::from(amount.signum());
    parts.into_iter().map(|part| Minor::try_from(sign * part).ok()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn referral((referrer, referred, weight): (u32, u32, i64)) -> Referral {
        Referral { referred, referrer, date: None, weight }
    }

    const HALF: i64 = SHARE_SCALE / 2;

    #[test]
    fn several_referrers_share_one_customer_by_weight_to_the_last_cent() {
        let rows = [referral((0, 3, 1)), referral((1, 3, 1)), referral((2, 3, 1))];
        let flow = pass_on(&rows, &[0, 0, 0, 200], PassOn { own: HALF, decay: HALF }, &[5, 9, 1, 0]).unwrap();
        // 100 in three: the odd cent goes to the smallest hash.
        assert_eq!(flow.received, [33, 33, 34, 0]);
        let loss = pass_on(&rows, &[0, 0, 0, -200], PassOn { own: HALF, decay: HALF }, &[5, 9, 1, 0]).unwrap();
        assert_eq!(loss.received, [-33, -33, -34, 0]);
    }

    #[test]
    fn each_generation_further_up_gets_the_decay_of_the_one_below() {
        let rows: Vec<Referral> = (0..4).map(|row| referral((row, row + 1, 1))).collect();
        let shares = PassOn { own: SHARE_SCALE, decay: SHARE_SCALE / 10 };
        let flow = pass_on(&rows, &[0, 0, 0, 0, 10_000], shares, &[0; 5]).unwrap();
        assert_eq!(flow.received, [10, 100, 1_000, 10_000, 0]);
        assert_eq!(flow.given, [0, 10, 100, 1_000, 10_000]);
    }

    #[test]
    fn what_leaves_64_bits_is_refused() {
        let rows = [referral((0, 1, 1)), referral((0, 2, 1))];
        let all = PassOn { own: SHARE_SCALE, decay: 0 };
        assert_eq!(pass_on(&rows, &[0, i64::MAX, i64::MAX], all, &[0; 3]), None);
    }

    proptest! {
        #[test]
        fn what_is_received_was_given_and_rows_in_other_order_move_nothing(
            edges in prop::collection::btree_map((0..12_u32, 0..12_u32), 1..9_i64, 0..30),
            value in prop::collection::vec(-1_000_000..1_000_000_i64, 12), own in 0..=SHARE_SCALE, decay in 0..=SHARE_SCALE,
        ) {
            // From smaller to larger rows: no circle.
            let edges: Vec<(u32, u32, i64)> =
                edges.into_iter().filter(|((a, b), _)| a != b).map(|((a, b), w)| (a.min(b), a.max(b), w)).collect();
            let mut rows: Vec<Referral> = edges.iter().copied().map(referral).collect();
            rows.sort_unstable();
            rows.dedup_by_key(|row| (row.referred, row.referrer));
            let hash: Vec<u64> = (0..12).map(|row| row * 7 % 5).collect();
            let flow = pass_on(&rows, &value, PassOn { own, decay }, &hash).unwrap();
            prop_assert_eq!(flow.received.iter().sum::<i64>(), flow.given.iter().sum::<i64>());
            for row in 0..12_u32 {
                let referred = rows.iter().any(|referral| referral.referred == row);
                prop_assert!(referred || flow.given[row as usize] == 0);
                prop_assert!(rows.iter().any(|referral| referral.referrer == row) || flow.received[row as usize] == 0);
            }
        }

        #[test]
        fn a_better_referred_customer_never_makes_its_referrer_worse(low in -9_999..9_999_i64, more in 0..9_999_i64) {
            let rows = [referral((0, 1, 1)), referral((1, 2, 1))];
            let of = |value: i64| pass_on(&rows, &[0, 50, value], PassOn { own: HALF, decay: HALF }, &[0; 3]).unwrap();
            prop_assert!((0..2).all(|row| of(low + more).received[row] >= of(low).received[row]));
        }
    }
}
