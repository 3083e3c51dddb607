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

#[cfg(test)]
mod tests;

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
