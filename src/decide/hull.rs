//! The steps by which a customer's gain rises fastest with cost: the upper hull of what may be done for it.

use super::invest::Candidate;
use crate::units::Minor;

/// From one choice for a customer to the next better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Increment {
    /// Row of the candidate that is chosen then.
    pub(super) candidate: u32,
    /// More cost, `>= 0`.
    pub(super) cost: i64,
    /// More gain, `> 0`.
    pub(super) gain: i64,
    /// Whether nothing is done for the customer before.
    pub(super) first: bool,
}

impl Increment {
    /// Compares the gain of a unit of cost: greater is better. What costs nothing is better than anything that does.
    pub(super) fn compare(&self, other: &Self) -> std::cmp::Ordering {
        let (mine, theirs) =
            (i128::from(self.gain) * i128::from(other.cost), i128::from(other.gain) * i128::from(self.cost));
        mine.cmp(&theirs)
    }
}

/// The steps of one customer, best first: their gains of a unit of cost fall strictly.
///
/// * `own`: rows of its candidates. Those that gain nothing, or less than a cheaper mix of others, are left out.
/// * `chosen`: the candidate that the steps go on from; `None` = nothing is done yet.
/// * `left`: what a candidate may cost more than that, minor units, `>= 0`.
pub(super) fn increments(
    candidates: &[Candidate],
    own: std::ops::Range<usize>,
    chosen: Option<u32>,
    left: Minor,
    into: &mut Vec<Increment>,
) {
    let now = chosen.map_or((0, 0), |row| (candidates[row as usize].cost, candidates[row as usize].gain));
    let on = |row: &usize| {
        candidates[*row].gain > now.1 && (now.0..=left.saturating_add(now.0)).contains(&candidates[*row].cost)
    };
    let mut rows: Vec<usize> = own.filter(on).collect();
    rows.sort_unstable_by_key(|row| {
        (candidates[*row].cost, -i128::from(candidates[*row].gain), candidates[*row].action)
    });
    let start = into.len();
    // Cost and gain of the corners so far.
    let mut corners: Vec<(i64, i64)> = vec![now];
    for row in rows {
        let Candidate { cost, gain, .. } = candidates[row];
        if gain <= corners[corners.len() - 1].1 {
            continue;
        }
        let step = |from: (i64, i64)| Increment {
            candidate: row as u32,
            cost: cost - from.0,
            gain: gain - from.1,
            first: false,
        };
        while into.len() > start && !into[into.len() - 1].compare(&step(corners[corners.len() - 1])).is_gt() {
            into.pop();
            corners.pop();
        }
        into.push(step(corners[corners.len() - 1]));
        corners.push((cost, gain));
    }
    if let Some(first) = into.get_mut(start) {
        first.first = chosen.is_none();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(options: &[(i64, i64)]) -> Vec<Increment> {
        let candidate =
            |(action, (cost, gain)): (u32, &(i64, i64))| Candidate { customer: 0, action, cost: *cost, gain: *gain };
        let candidates: Vec<Candidate> = (0..).zip(options).map(candidate).collect();
        let mut found = Vec::new();
        increments(&candidates, 0..candidates.len(), None, Minor::MAX, &mut found);
        found
    }

    #[test]
    fn what_a_mix_of_others_beats_is_no_step() {
        // 20 for 10, 21 for 20 and 60 for 30: the second lies below the line from the first to the third.
        let found = of(&[(20, 21), (10, 20), (30, 60), (40, 60), (5, -1)]);
        assert_eq!(found.iter().map(|step| (step.cost, step.gain)).collect::<Vec<_>>(), [(30, 60)]);
        let found = of(&[(10, 30), (30, 60)]);
        assert_eq!(
            found.iter().map(|step| (step.cost, step.gain, step.first)).collect::<Vec<_>>(),
            [(10, 30, true), (20, 30, false)]
        );
        // What is for nothing is taken first.
        let found = of(&[(0, 5), (10, 30)]);
        assert_eq!(found.iter().map(|step| (step.cost, step.gain)).collect::<Vec<_>>(), [(0, 5), (10, 25)]);
    }

    proptest! {
        #[test]
        fn every_choice_lies_on_or_below_the_steps(options in prop::collection::vec((0..60_i64, -20..90_i64), 1..9)) {
            let steps = of(&options);
            prop_assert!(steps.windows(2).all(|pair| pair[0].compare(&pair[1]).is_gt()));
            for (cost, gain) in &options {
                // What the steps gain for this cost, the last one in part.
                let (mut left, mut most) = (*cost, 0.0);
                for step in &steps {
                    let part = if step.cost <= left { 1.0 } else { left as f64 / step.cost as f64 };
                    most += part * step.gain as f64;
                    left = (left - step.cost).max(0);
                    if part < 1.0 { break; }
                }
                prop_assert!(*gain as f64 <= most + 1e-9, "{} for {}", gain, cost);
            }
        }
    }
}
