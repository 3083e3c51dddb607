//! Who gets what under a budget: at most one action a customer, or one bundle of actions, so as to gain the most.
//!
//! A multiple-choice knapsack. What is dearer than the whole budget is no choice. Every customer's other choices are reduced
//! to the steps of their upper hull; the steps of all customers are taken from the one that gains most a unit of cost down,
//! until one does not fit any more. That is the optimum of the relaxation in which an action may be taken in part, so the part
//! of the step that would still fit is the **bound** that no choice can pass; and at every budget at which a step ends, the
//! choice is the optimum itself. What is left of the budget is used twice, and the better of both is the plan: a **core**, the
//! customers whose steps lie next to that one, is decided anew by dynamic programming over all its candidates, and the
//! choices are **filled** up with what still fits, best first; in this order and in the other. Small cases, in which the core
//! holds everybody, are decided exactly.
//!
//! Source: Sinha & Zoltners, The multiple-choice knapsack problem, Operations Research 27 (1979), 503–515 (hull and bound);
//! Pisinger, A minimal algorithm for the multiple-choice knapsack problem, EJOR 83 (1995), 394–410 (core).

use rayon::prelude::*;

use super::hull::{Increment, increments};
use crate::units::{Minor, MinorSum};

/// An action that may be taken for a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Row of the customer.
    pub customer: u32,
    /// Number of the action, or of the [`Bundle`](super::bundle::Bundle) of actions.
    pub action: u32,
    /// What it costs, minor units, `>= 0`.
    pub cost: Minor,
    /// What it is expected to gain, minor units.
    pub gain: Minor,
}

/// A point of the curve of gain against budget.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// What is spent: the budget at which this is the optimum.
    pub spent: MinorSum,
    /// What is gained.
    pub gain: MinorSum,
    /// Customers for whom something is done.
    pub customers: u64,
    /// Gain of the last unit of cost; `None` where nothing was spent on it.
    pub marginal_return: Option<f64>,
}

/// Who gets what.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Rows of the candidates that are chosen, ascending.
    pub chosen: Vec<u32>,
    /// What they cost, at most the budget.
    pub spent: MinorSum,
    /// What they gain.
    pub gain: MinorSum,
    /// What no choice within the budget can pass.
    pub bound: MinorSum,
    /// What another unit of budget would gain: the gain of a unit of cost of the first step that did not fit, or, where only
    /// what is dearer than the whole budget is left, of the best of these; `None` where everything that gains is paid for.
    pub marginal_return: Option<f64>,
    /// The curve, ascending, from what is gained for nothing to everything gained.
    pub curve: Vec<CurvePoint>,
}

/// Points of a curve of very many steps.
const MAX_POINTS: usize = 1_000;

/// Customers of the core, at most.
const CORE: usize = 32;

/// Combinations that the core looks at, at most.
const CORE_STATES: usize = 100_000;

/// Chooses at most one action a customer.
///
/// * `candidates`: those of a customer together. * `budget`: minor units, `>= 0`.
/// * `ties`: a key a customer; of equal steps the one with the smaller key goes first.
#[must_use]
pub fn choose(candidates: &[Candidate], budget: Minor, ties: &[u64]) -> Plan {
    let groups: Vec<std::ops::Range<usize>> = groups(candidates);
    let mut choice = Choice { candidates, groups: &groups, ties, of: vec![None; groups.len()] };
    let all = choice.steps(Minor::MAX);
    let curve = curve(&all);
    let too_dear = candidates.par_iter().any(|candidate| candidate.cost > budget);
    let steps = if too_dear { choice.steps(budget) } else { all };
    let (taken, left) = choice.climb(&steps, budget);
    let split = steps.get(taken);
    let part = split.map_or(0, |step| MinorSum::from(step.gain) * MinorSum::from(left) / MinorSum::from(step.cost));
    let bound = choice.sum(|candidate| candidate.gain) + part;
    if split.is_some() {
        let core = core_of(&choice, &steps, taken);
        let mut other = choice.clone();
        let rest = other.fill(left);
        for (choice, left) in [(&mut choice, left), (&mut other, rest)] {
            let left = choice.decide(&core, left);
            choice.fill(left);
        }
        if other.sum(|candidate| candidate.gain) > choice.sum(|candidate| candidate.gain) {
            choice = other;
        }
    }
    let beyond = || choice.steps(Minor::MAX).first().copied();
    let next = split.copied().or_else(|| if too_dear { beyond() } else { None });
    Plan {
        spent: choice.sum(|candidate| candidate.cost),
        gain: choice.sum(|candidate| candidate.gain),
        bound,
        marginal_return: next.map(|step| step.gain as f64 / step.cost as f64),
        curve,
        chosen: choice.of.iter().flatten().copied().collect(),
    }
}

/// Rows of each customer's candidates.
fn groups(candidates: &[Candidate]) -> Vec<std::ops::Range<usize>> {
    let mut start = 0;
    let own = candidates.chunk_by(|a, b| a.customer == b.customer);
    own.map(|own| {
        start += own.len();
        start - own.len()..start
    })
    .collect()
}

/// What is chosen for every customer with a candidate.
#[derive(Clone)]
struct Choice<'a> {
    candidates: &'a [Candidate],
    groups: &'a [std::ops::Range<usize>],
    /// A key a customer.
    ties: &'a [u64],
    /// Row of the chosen candidate.
    of: Vec<Option<u32>>,
}

impl Choice<'_> {
    fn group(&self, candidate: u32) -> usize {
        self.groups.partition_point(|group| group.end <= candidate as usize)
    }

    fn sum(&self, of: fn(&Candidate) -> Minor) -> MinorSum {
        self.of.iter().flatten().map(|row| MinorSum::from(of(&self.candidates[*row as usize]))).sum()
    }

    /// The steps on from what is chosen to what costs at most `left` more, best first.
    fn steps(&self, left: Minor) -> Vec<Increment> {
        let mut steps: Vec<Increment> = self
            .groups
            .par_chunks(4_096)
            .zip(self.of.par_chunks(4_096))
            .map(|(groups, chosen)| {
                let mut own = Vec::new();
                for (group, chosen) in groups.iter().zip(chosen) {
                    increments(self.candidates, group.clone(), *chosen, left, &mut own);
                }
                own
            })
            .flatten()
            .collect();
        let key = |step: &Increment| {
            let customer = self.candidates[step.candidate as usize].customer;
            (self.ties[customer as usize], step.candidate)
        };
        steps.par_sort_unstable_by(|a, b| b.compare(a).then_with(|| key(a).cmp(&key(b))));
        steps
    }

    /// Takes steps until one does not fit: how many, and what is left of the budget.
    fn climb(&mut self, steps: &[Increment], mut left: Minor) -> (usize, Minor) {
        let mut taken = 0;
        while let Some(step) = steps.get(taken).filter(|step| step.cost <= left) {
            left -= step.cost;
            let group = self.group(step.candidate);
            self.of[group] = Some(step.candidate);
            taken += 1;
        }
        (taken, left)
    }

    /// Takes what still fits until nothing does; returns what is left. What does not fit is left out before the hulls are
    /// made, since it may hide what does.
    fn fill(&mut self, mut left: Minor) -> Minor {
        loop {
            let steps = self.steps(left);
            if steps.is_empty() {
                return left;
            }
            left = self.climb(&steps, left).1;
        }
    }

    /// Cost of what is chosen for some customers.
    fn cost(&self, core: &[usize]) -> Minor {
        core.iter().filter_map(|group| self.of[*group]).map(|row| self.candidates[row as usize].cost).sum()
    }

    /// Decides some customers anew with what is left of the budget, and returns what is left then; the last ones stay as they
    /// are where there would be too many combinations.
    fn decide(&mut self, core: &[usize], left: Minor) -> Minor {
        let mut size = core.len();
        while size > 0 {
            let core = &core[..size];
            let budget = left + self.cost(core);
            match best(self.candidates, core.iter().map(|group| self.groups[*group].clone()), budget.into()) {
                Ok(best) => {
                    core.iter().zip(best).for_each(|(group, row)| self.of[*group] = row);
                    return budget - self.cost(core);
                }
                Err(reached) => size = reached,
            }
        }
        left
    }
}

/// Customers of the steps next to the one that did not fit, nearest first.
fn core_of(choice: &Choice<'_>, steps: &[Increment], split: usize) -> Vec<usize> {
    let mut core: Vec<usize> = Vec::new();
    let mut add = |at: usize| {
        if let Some(step) = steps.get(at) {
            let group = choice.group(step.candidate);
            if core.len() < CORE && !core.contains(&group) {
                core.push(group);
            }
        }
    };
    add(split);
    for distance in 1..=4 * CORE {
        add(split + distance);
        split.checked_sub(distance).into_iter().for_each(&mut add);
    }
    core
}

/// A combination of choices for the customers so far.
#[derive(Clone, Copy)]
struct State {
    cost: MinorSum,
    gain: MinorSum,
    /// State before the last customer.
    before: u32,
    /// Candidate of the last customer.
    choice: Option<u32>,
}

/// The best choice of one candidate or none of each group within a budget; else how many groups were decided when there were
/// too many combinations.
fn best(
    candidates: &[Candidate],
    groups: impl Iterator<Item = std::ops::Range<usize>>,
    budget: MinorSum,
) -> Result<Vec<Option<u32>>, usize> {
    let mut layers: Vec<Vec<State>> = vec![vec![State { cost: 0, gain: 0, before: 0, choice: None }]];
    for (number, group) in groups.enumerate() {
        let last = &layers[number];
        if last.len() * (group.len() + 1) > CORE_STATES {
            return Err(number);
        }
        let mut next: Vec<State> = Vec::with_capacity(last.len() * (group.len() + 1));
        for (before, state) in (0..).zip(last) {
            next.push(State { before, choice: None, ..*state });
            for row in group.clone().filter(|row| candidates[*row].gain > 0) {
                let cost = state.cost + MinorSum::from(candidates[row].cost);
                let gain = state.gain + MinorSum::from(candidates[row].gain);
                if cost <= budget {
                    next.push(State { cost, gain, before, choice: Some(row as u32) });
                }
            }
        }
        next.sort_by_key(|state| (state.cost, -state.gain));
        // A combination that costs more and gains no more than another is none.
        let mut most = -1;
        next.retain(|state| {
            let better = state.gain > most;
            most = most.max(state.gain);
            better
        });
        layers.push(next);
    }
    // Gains ascend with costs: the last one is best.
    let mut at = layers[layers.len() - 1].len() - 1;
    let mut choice = Vec::with_capacity(layers.len() - 1);
    for layer in layers[1..].iter().rev() {
        choice.push(layer[at].choice);
        at = layer[at].before as usize;
    }
    choice.reverse();
    Ok(choice)
}

/// The curve at the ends of steps: every one, or every k-th and the last.
fn curve(steps: &[Increment]) -> Vec<CurvePoint> {
    let every = steps.len().div_ceil(MAX_POINTS).max(1);
    let mut now = CurvePoint { spent: 0, gain: 0, customers: 0, marginal_return: None };
    // What costs nothing comes first.
    let (for_nothing, steps) = steps.split_at(steps.partition_point(|step| step.cost == 0));
    for step in for_nothing {
        now.gain += MinorSum::from(step.gain);
        now.customers += u64::from(step.first);
    }
    let mut points = vec![now];
    for (number, step) in (1..).zip(steps) {
        now.spent += MinorSum::from(step.cost);
        now.gain += MinorSum::from(step.gain);
        now.customers += u64::from(step.first);
        now.marginal_return = Some(step.gain as f64 / step.cost as f64);
        if number % every == 0 || number == steps.len() {
            points.push(now);
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The most that can be gained, by trying everything.
    fn exhaustive(candidates: &[Candidate], budget: MinorSum) -> MinorSum {
        let Some(first) = candidates.first() else { return 0 };
        let own = candidates.partition_point(|candidate| candidate.customer == first.customer);
        let rest = &candidates[own..];
        let with =
            candidates[..own].iter().filter(|candidate| MinorSum::from(candidate.cost) <= budget).map(|candidate| {
                MinorSum::from(candidate.gain) + exhaustive(rest, budget - MinorSum::from(candidate.cost))
            });
        with.chain([exhaustive(rest, budget)]).max().unwrap()
    }

    fn sorted(options: Vec<(u32, i64, i64)>) -> Vec<Candidate> {
        let mut options = options;
        options.sort_unstable();
        let number = |at: usize| at as u32;
        options
            .iter()
            .enumerate()
            .map(|(at, (customer, cost, gain))| Candidate {
                customer: *customer,
                action: number(at),
                cost: *cost,
                gain: *gain,
            })
            .collect()
    }

    fn keys() -> Vec<u64> {
        (0..200).map(crate::numeric::keys::hash_int).collect()
    }

    #[test]
    fn the_split_step_alone_is_worth_less_than_what_the_core_finds() {
        // Best ratio first would take 60 for 10 and then fit nothing of 50: 100 for 50 is better.
        let candidates = sorted(vec![(0, 10, 60), (1, 50, 100)]);
        let plan = choose(&candidates, 50, &keys());
        assert_eq!((plan.chosen.clone(), plan.gain, plan.bound), (vec![1], 100, 140));
        assert_eq!(plan.marginal_return, Some(2.0));
    }

    #[test]
    fn without_a_budget_only_what_is_for_nothing_is_done() {
        let candidates = sorted(vec![(0, 0, 5), (0, 10, 60), (1, 1, 9)]);
        let plan = choose(&candidates, 0, &keys());
        assert_eq!((plan.chosen, plan.spent, plan.gain, plan.bound), (vec![0], 0, 5, 5));
        // A cent more would buy 9 for it; the curve starts with what is for nothing.
        assert_eq!(plan.marginal_return, Some(9.0));
        let curve: Vec<_> = plan.curve.iter().map(|point| (point.spent, point.gain, point.customers)).collect();
        assert_eq!(curve, [(0, 5, 1), (1, 14, 2), (11, 69, 2)]);
        assert_eq!((plan.curve[0].marginal_return, plan.curve[1].marginal_return), (None, Some(9.0)));
        assert_eq!(choose(&candidates, 11, &keys()).marginal_return, None);
        let nothing = choose(&[], 0, &[]);
        assert_eq!((nothing.gain, nothing.bound, nothing.curve.len()), (0, 0, 1));
    }

    proptest! {
        #[test]
        fn small_cases_are_decided_exactly(
            options in prop::collection::vec((0..6_u32, 0..60_i64, -20..90_i64), 1..18), budget in 0..200_i64,
        ) {
            let candidates = sorted(options);
            let plan = choose(&candidates, budget, &keys());
            prop_assert_eq!(plan.gain, exhaustive(&candidates, MinorSum::from(budget)));
            prop_assert!(plan.spent <= MinorSum::from(budget) && plan.gain <= plan.bound);
            prop_assert!(choose(&candidates, budget + 17, &keys()).gain >= plan.gain);
        }

        #[test]
        fn the_plan_keeps_the_budget_and_one_action_a_customer_below_its_bound(
            options in prop::collection::vec((0..200_u32, 0..500_i64, -20..900_i64), 1..600), budget in 0..30_000_i64,
        ) {
            let candidates = sorted(options);
            let plan = choose(&candidates, budget, &keys());
            prop_assert!(plan.spent <= MinorSum::from(budget));
            prop_assert!(plan.gain <= plan.bound);
            let customers: Vec<u32> = plan.chosen.iter().map(|row| candidates[*row as usize].customer).collect();
            prop_assert!(customers.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(plan.chosen.iter().all(|row| candidates[*row as usize].gain > 0));
            // The curve is concave, and its points lie below no plan.
            prop_assert!(plan.curve.windows(2).all(|pair| pair[0].gain <= pair[1].gain && pair[0].spent <= pair[1].spent));
            let reached = plan.curve.iter().rfind(|point| point.spent <= MinorSum::from(budget)).unwrap();
            prop_assert!(reached.gain <= plan.gain);
            // What can be gained at most never falls with more budget.
            let more = choose(&candidates, budget + 250, &keys());
            prop_assert!(more.bound >= plan.bound);
        }

        #[test]
        fn the_order_of_customers_moves_no_money(
            options in prop::collection::vec((0..40_u32, 1..90_i64, 1..900_i64), 1..90), budget in 0..900_i64, shift in 1..40_u32,
        ) {
            let keys = keys();
            let candidates = sorted(options);
            let plan = choose(&candidates, budget, &keys);
            // Customers get other rows, and keep their keys.
            let turned = |customer: u32| (customer + shift) % 40;
            let mut moved = candidates.clone();
            for candidate in &mut moved {
                candidate.customer = turned(candidate.customer);
            }
            moved.sort_by_key(|candidate| (candidate.customer, candidate.action));
            let of = |row: u32| keys[((row + 40 - shift) % 40) as usize];
            let other = choose(&moved, budget, &(0..40).map(of).collect::<Vec<_>>());
            prop_assert_eq!((plan.gain, plan.spent, plan.bound), (other.gain, other.spent, other.bound));
        }
    }

    #[test]
    fn a_dear_action_does_not_keep_the_budget_from_cheap_ones() {
        // A letter for 20 gains 100 to 499 with each of 400 customers; a visit gains 400 times as much.
        let letters: Vec<(u32, i64, i64)> = (0..400).map(|row| (row, 20, 100 + i64::from(row))).collect();
        let visits = |cost: i64| letters.iter().map(move |(row, _, gain)| (*row, cost, 400 * gain));
        let keys: Vec<u64> = (0..400).map(crate::numeric::keys::hash_int).collect();
        let alone = choose(&sorted(letters.clone()), 5_000, &keys);
        assert_eq!((alone.spent, alone.gain), (5_000, 250 * 499 - 249 * 250 / 2));
        let beyond = choose(&sorted(letters.iter().copied().chain(visits(6_000)).collect()), 5_000, &keys);
        assert_eq!((beyond.spent, beyond.gain, beyond.bound), (alone.spent, alone.gain, alone.bound));
        assert_eq!(beyond.marginal_return, alone.marginal_return);
        // 3,000 for the best customer, and the other 2,000 for a hundred letters.
        let within = choose(&sorted(letters.iter().copied().chain(visits(3_000)).collect()), 5_000, &keys);
        assert_eq!((within.spent, within.gain), (5_000, 400 * 499 + 100 * 498 - 99 * 100 / 2));
    }

    proptest! {
        #[test]
        fn one_more_action_never_lowers_the_gain_of_a_small_case(
            options in prop::collection::vec((0..6_u32, 0..60_i64, 1..90_i64), 1..14),
            more in prop::collection::vec((0..6_u32, 0..300_i64, 1..900_i64), 1..5), budget in 0..200_i64,
        ) {
            let without = choose(&sorted(options.clone()), budget, &keys());
            let candidates = sorted([options, more].concat());
            let with = choose(&candidates, budget, &keys());
            prop_assert!(with.gain >= without.gain && with.gain <= with.bound && with.spent <= MinorSum::from(budget));
            prop_assert_eq!(with.gain, exhaustive(&candidates, MinorSum::from(budget)));
        }

        #[test]
        fn nothing_that_would_gain_more_still_fits(
            options in prop::collection::vec((0..200_u32, 0..500_i64, -20..900_i64), 1..600),
            dear in prop::collection::vec((0..200_u32, 500..9_000_i64, 500..90_000_i64), 0..60), budget in 0..12_000_i64,
        ) {
            let candidates = sorted([options, dear].concat());
            let plan = choose(&candidates, budget, &keys());
            prop_assert!(plan.gain <= plan.bound);
            let left = MinorSum::from(budget) - plan.spent;
            for candidate in &candidates {
                let own = plan.chosen.iter().map(|row| candidates[*row as usize]);
                let (cost, gain) = own
                    .filter(|chosen| chosen.customer == candidate.customer)
                    .fold((0, 0), |_, chosen| (chosen.cost, chosen.gain));
                prop_assert!(candidate.gain <= gain || MinorSum::from(candidate.cost - cost) > left);
            }
        }

        #[test]
        fn what_is_dearer_than_the_budget_changes_nothing(
            options in prop::collection::vec((0..200_u32, 0..500_i64, -20..900_i64), 1..300),
            dear in prop::collection::vec((0..200_u32, 1..9_000_i64, 1..90_000_i64), 1..60), budget in 0..12_000_i64,
        ) {
            let beyond = dear.into_iter().map(|(customer, more, gain)| (customer, budget + more, gain));
            let without = choose(&sorted(options.clone()), budget, &keys());
            let with = choose(&sorted(options.iter().copied().chain(beyond).collect()), budget, &keys());
            prop_assert_eq!((with.spent, with.gain, with.bound), (without.spent, without.gain, without.bound));
            // Another unit of budget goes to what is within it, while some of that is left.
            let within = |row: &(u32, i64, i64)| row.1 <= budget;
            let left = choose(&sorted(options.into_iter().filter(within).collect()), budget, &keys()).marginal_return;
            prop_assert!(left.is_none() || with.marginal_return == left && without.marginal_return == left);
        }
    }

    #[test]
    fn the_gap_of_many_customers_is_a_sliver_of_one_step() {
        let of = |row: u64| {
            let hash = crate::numeric::keys::hash_int(row as i64);
            (row as u32 / 3, 50 + (hash % 1_000) as i64, 100 + ((hash >> 20) % 5_000) as i64)
        };
        let candidates = sorted((0..60_000).map(of).collect());
        let ties: Vec<u64> = (0..20_000).map(crate::numeric::keys::hash_int).collect();
        let plan = choose(&candidates, 1_000_000, &ties);
        let gap = plan.bound - plan.gain;
        assert!(plan.gain > 5_000_000 && (0..=2).contains(&gap), "{gap} of {}", plan.gain);
        assert!(plan.curve.len() <= MAX_POINTS + 2);
    }
}
