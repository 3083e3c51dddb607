//! Several actions for one customer.
//!
//! Actions work independently of each other, each with its own probability `p`. Those that work multiply what is left of the
//! loss of customers, the purchases and the cost, and add up in the margin ([`Change`]). With `Δ(S)` the gain when just the
//! actions `S` work, a bundle `B` is expected to gain
//!
//! `G(B) = Σ_{S ⊆ B} Π_{i ∈ S} pᵢ · Π_{i ∈ B∖S} (1 − pᵢ) · Δ(S)`,
//!
//! which is less than its actions gain alone where each does a part of the other's work. An action's part of it is what it adds,
//! averaged over the orders in which they may come:
//!
//! `φᵢ = Σ_{S ⊆ B∖i} |S|! (|B| − |S| − 1)! / |B|! · (G(S ∪ i) − G(S))`, and `Σ φᵢ = G(B)`.
//!
//! Source: Shapley, A value for n-person games, in: Contributions to the theory of games II (1953), 307–317.

use super::effect::{Change, share};
use crate::{
    schema::{
        decisions::{Action, MOST_ACTIONS},
        equity::Part,
    },
    units::Minor,
};

/// Actions that are taken together, or one alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    /// Numbers of the actions, ascending, at most [`MOST_ACTIONS`].
    pub actions: Vec<usize>,
    /// What they cost a customer together.
    pub cost: Minor,
    /// What they change when all of them work.
    pub change: Change,
    /// For each action its part of the expected gain: of each bundle within this one, by its number, the factor of its `Δ`.
    parts: Vec<Vec<(usize, f64)>>,
}

/// All sets of one to `most` actions that have different names and may be for one customer, or `None` where there are more than
/// `limit`; those of one action come first, in its order.
#[must_use]
pub fn bundles(actions: &[Action], most: usize, limit: usize) -> Option<Vec<Bundle>> {
    let mut found: Vec<Vec<usize>> = vec![Vec::new()];
    let mut first = 0;
    for _ in 0..most.min(MOST_ACTIONS) {
        let last = found.len();
        for at in first..last {
            let next = found[at].last().map_or(0, |action| action + 1);
            for action in next..actions.len() {
                if found[at].iter().all(|other| go_together(&actions[*other], &actions[action])) {
                    found.push([&found[at][..], &[action]].concat());
                }
            }
            if found.len() > limit + 1 {
                return None;
            }
        }
        first = last;
    }
    let sets = &found[1..];
    let number = |set: &[usize]| sets.binary_search_by(|other| (other.len(), &other[..]).cmp(&(set.len(), set))).ok();
    let bundle = |set: &Vec<usize>| Bundle {
        actions: set.clone(),
        cost: set.iter().map(|action| actions[*action].cost).sum(),
        change: set.iter().fold(Change::NONE, |change, action| change.and(&Change::from(&actions[*action].effect))),
        parts: (0..set.len()).map(|place| part(actions, set, place, number)).collect(),
    };
    Some(sets.iter().map(bundle).collect())
}

/// Whether two actions may be for one customer, who is in one segment, one channel and one tier.
fn go_together(a: &Action, b: &Action) -> bool {
    let parts = match (a.part, b.part) {
        (Part::Segment(a), Part::Segment(b)) | (Part::Channel(a), Part::Channel(b)) => a == b,
        _ => true,
    };
    let tiers = a.value_tier.zip(b.value_tier).is_none_or(|(a, b)| a == b);
    a.name != b.name && parts && tiers
}

/// The part of the action at a place of a set: factors of the gains of the sets within it.
fn part(
    actions: &[Action],
    set: &[usize],
    place: usize,
    number: impl Fn(&[usize]) -> Option<usize>,
) -> Vec<(usize, f64)> {
    let size = set.len();
    let of = |mask: usize| (0..size).filter(move |at| mask & (1 << at) != 0).map(|at| set[at]);
    let works = |action: usize| share(actions[action].effect.probability);
    // How likely it is that of the actions of one mask just those of another work.
    let likely = |all: usize, work: usize| {
        (0..size)
            .filter(|at| all & (1 << at) != 0)
            .fold(1.0, |likely, at| likely * if work & (1 << at) != 0 { works(set[at]) } else { 1.0 - works(set[at]) })
    };
    let mut factors = vec![0.0; 1 << size];
    for before in (0..1_usize << size).filter(|mask| mask & (1 << place) == 0) {
        let with = before | (1 << place);
        let weight = orders(before.count_ones() as usize, size);
        for (work, factor) in factors.iter_mut().enumerate().skip(1) {
            let gains = |all: usize| if work & !all == 0 { likely(all, work) } else { 0.0 };
            *factor += weight * (gains(with) - gains(before));
        }
    }
    let within = (1..1_usize << size).filter(|mask| factors[*mask] != 0.0);
    within.filter_map(|mask| Some((number(&of(mask).collect::<Vec<_>>())?, factors[mask]))).collect()
}

/// Share of the orders of `size` actions in which just `before` certain ones come before a certain other.
fn orders(before: usize, size: usize) -> f64 {
    let factorial = |n: usize| (1..=n).product::<usize>() as f64;
    factorial(before) * factorial(size - before - 1) / factorial(size)
}

impl Bundle {
    /// Parts of the expected gain, one an action; the rest is zero.
    ///
    /// * `differences`: of each bundle `Δ`, the gain when just its actions work; asked of those within this one alone.
    #[must_use]
    pub fn parts(&self, differences: &[f64]) -> [f64; MOST_ACTIONS] {
        let mut parts = [0.0; MOST_ACTIONS];
        for (part, factors) in parts.iter_mut().zip(&self.parts) {
            *part = factors.iter().map(|(bundle, factor)| factor * differences[*bundle]).sum();
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::decisions::{EFFECT_SCALE, Effect};

    fn action(name: &str, cost: Minor, probability: i64) -> Action {
        let effect = Effect { probability, frequency: cost * 1_000, ..Effect::default() };
        Action { name: name.to_owned(), part: Part::All, value_tier: None, cost, effect, customers: None }
    }

    #[test]
    fn bundles_hold_every_set_of_different_names_once() {
        let actions = [action("a", 1, 0), action("a", 2, 0), action("b", 4, 0), action("c", 8, 0)];
        let sets = |most| {
            let of = |bundle: Bundle| bundle.actions;
            bundles(&actions, most, 100).unwrap().into_iter().map(of).collect::<Vec<_>>()
        };
        assert_eq!(sets(1), [vec![0], vec![1], vec![2], vec![3]]);
        let two = [[0, 2], [0, 3], [1, 2], [1, 3], [2, 3]];
        assert_eq!(sets(2)[4..], two.map(|set| set.to_vec()));
        assert_eq!(sets(3)[9..], [vec![0, 2, 3], vec![1, 2, 3]]);
        assert_eq!(bundles(&actions, 3, 11).unwrap().iter().map(|bundle| bundle.cost).sum::<Minor>(), 15 + 42 + 27);
        assert_eq!(bundles(&actions, 3, 10), None);
        assert!(bundles(&[], 3, 10).unwrap().is_empty());
        // Nobody is in two segments, or tiers.
        let of = |name: &str, part, value_tier| Action { part, value_tier, ..action(name, 1, 0) };
        let apart = [
            of("a", Part::Segment(0), None),
            of("b", Part::Segment(1), None),
            of("c", Part::Channel(1), Some(0)),
            of("d", Part::All, Some(1)),
        ];
        let found: Vec<Vec<usize>> =
            super::bundles(&apart, 2, 100).unwrap().into_iter().map(|bundle| bundle.actions).collect();
        assert_eq!(found[4..], [[0, 2], [0, 3], [1, 2], [1, 3]].map(|set| set.to_vec()));
    }

    #[test]
    fn parts_are_what_each_action_adds_averaged_over_orders() {
        // One half, one quarter; together they gain 10 where each alone gains 8 and 6.
        let actions = [action("a", 1, EFFECT_SCALE / 2), action("b", 2, EFFECT_SCALE / 4)];
        let bundles = bundles(&actions, 2, 100).unwrap();
        let differences = [8.0, 6.0, 10.0];
        let parts = |at: usize| bundles[at].parts(&differences).map(f64::to_bits);
        assert_eq!(parts(0), [4.0, 0.0, 0.0].map(f64::to_bits));
        assert_eq!(parts(1), [1.5, 0.0, 0.0].map(f64::to_bits));
        // 1/2·3/4·8 + 1/2·1/4·6 + 1/8·10 = 5; a adds 4 first, 3.5 second, b 1.5 first, 1 second.
        assert_eq!(parts(2), [3.75, 1.25, 0.0].map(f64::to_bits));
    }

    #[test]
    fn parts_of_three_make_the_expected_gain() {
        let shares = [0.9, 0.4, 0.25];
        let of = |share: f64| (share * EFFECT_SCALE as f64) as i64;
        let actions = [action("a", 1, of(0.9)), action("b", 2, of(0.4)), action("c", 3, of(0.25))];
        let bundles = bundles(&actions, 3, 100).unwrap();
        // Of a, b, c, ab, ac, bc, abc.
        let differences = [5.0, -2.0, 7.0, 9.0, 11.0, 6.0, 12.0];
        let mut expected = 0.0;
        for (bundle, difference) in bundles.iter().zip(differences) {
            let likely: f64 =
                (0..3).map(|at| if bundle.actions.contains(&at) { shares[at] } else { 1.0 - shares[at] }).product();
            expected += likely * difference;
        }
        assert!((bundles[6].parts(&differences).iter().sum::<f64>() - expected).abs() < 1e-12);
    }
}
