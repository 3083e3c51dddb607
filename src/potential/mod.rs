//! What a customer is good for beside what it has earned: growth, networking, learning.
//!
//! ```
//! use whalecurve::{
//!     potential::networking::{PassOn, pass_on},
//!     schema::relations::{Referral, SHARE_SCALE},
//! };
//!
//! // Customer 0 won customer 1, who won customer 2. Half of what a customer is worth goes to who won it, and half of what
//! // it received goes on.
//! let referral = |referrer, referred| Referral { referred, referrer, date: None, weight: 1_000_000 };
//! let shares = PassOn { own: SHARE_SCALE / 2, decay: SHARE_SCALE / 2 };
//! let flow = pass_on(&[referral(0, 1), referral(1, 2)], &[1_000, 400, 800], shares, &[7, 8, 9]).expect("in range");
//! assert_eq!(flow.received, [400, 400, 0]); // 400/2 + 400/2, 800/2
//! assert_eq!(flow.given, [0, 400, 400]);
//! ```

pub mod growth;
pub mod learning;
pub mod networking;

use crate::{
    numeric::ranking::ranking,
    schema::potentials::{Growth, Networking, Potentials},
    units::Minor,
};

/// Ranks from 1, the largest value first, ties by row.
#[must_use]
pub fn ranks(values: &[Minor]) -> Vec<u32> {
    let mut ranks = vec![0; values.len()];
    for (rank, (_, row)) in (1..).zip(ranking(values)) {
        ranks[row as usize] = rank;
    }
    ranks
}

/// The potentials together: `total = base + growth + networking received − networking given + learning`.
///
/// What customers receive for recommending us others have given: `Σ total = Σ base + Σ growth + Σ learning`.
///
/// * `base`: economic profit to date, one a customer. What is `None` is not known and counts nothing; without `growth` there
///   is no total.
///
/// `None` when a total leaves 64 bits.
#[must_use]
pub fn together(
    base: Vec<Minor>,
    growth: Option<Growth>,
    networking: Option<Networking>,
    learning: Option<Vec<Minor>>,
) -> Option<Potentials> {
    let total = match &growth {
        None => None,
        Some(growth) => {
            let of = |row: usize| {
                let mut total = i128::from(base[row]) + i128::from(growth.total[row]);
                if let Some(networking) = &networking {
                    total += i128::from(networking.received[row]) - i128::from(networking.given[row]);
                }
                total += learning.as_ref().map_or(0, |learning| i128::from(learning[row]));
                Minor::try_from(total).ok()
            };
            Some((0..base.len()).map(of).collect::<Option<Vec<Minor>>>()?)
        }
    };
    Some(Potentials { base, growth, networking, learning, total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_has_rank_one_and_ties_go_by_row() {
        assert_eq!(ranks(&[5, 9, -2, 9]), [3, 1, 4, 2]);
    }

    #[test]
    fn a_total_counts_what_is_known_and_network_value_once() {
        let growth = Growth { total: vec![10, 20], ..Growth::default() };
        let networking = Networking { received: vec![5, 0], given: vec![0, 5], ..Networking::default() };
        let found = together(vec![100, -50], Some(growth), Some(networking), Some(vec![1, 2])).unwrap();
        assert_eq!(found.total, Some(vec![116, -33]));
        assert_eq!(together(vec![100], None, None, Some(vec![1])).unwrap().total, None);
        let large = Growth { total: vec![i64::MAX], ..Growth::default() };
        assert_eq!(together(vec![1], Some(large), None, None), None);
    }
}
