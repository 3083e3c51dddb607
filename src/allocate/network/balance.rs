//! A loop's real flows as integers: the exits first, then the flows inside so that every node balances.

use std::{cmp::Reverse, collections::VecDeque};

use super::{
    reciprocal::{Exit, Link, Loop},
    wide::{GRID, Wide},
};
use crate::units::MinorSum;

/// What leaves a loop by each exit, so that `Σ exit = Σ entering`: largest remainder over the exact amounts of the
/// takers, then of each taker's exits. So every taker's sum and every exit are off by less than one minor unit.
///
/// Amounts are compared on a grid of 2⁻²⁰ minor units: exits that are equal in exact arithmetic are equal here,
/// whatever the order in which floats were added, and go by tie-break, in which takers and givers are sorted.
///
/// `None` when the amounts do not sum to the money that enters.
pub(super) fn exits(circle: &Loop, rates: &[Wide], entering: MinorSum) -> Option<Vec<MinorSum>> {
    let sign = if entering < 0 { -1 } else { 1 };
    let exact = |exit: &Exit| sign * (rates[exit.from] * Wide::from_int(i128::from(exit.weight))).to_grid();
    let takers: Vec<&[Exit]> = circle.exits.chunk_by(|a, b| a.taker == b.taker).collect();
    let sums: Vec<i128> = takers.iter().map(|exits| exits.iter().map(exact).sum()).collect();
    let mut amounts = Vec::with_capacity(circle.exits.len());
    for (exits, sum) in takers.iter().zip(largest_remainder(entering.abs(), &sums)?) {
        let parts: Vec<i128> = exits.iter().map(exact).collect();
        amounts.extend(largest_remainder(sum, &parts)?.iter().map(|amount| sign * amount));
    }
    Some(amounts)
}

/// Amounts on the grid as minor units that sum to `total`: each rounded down, those with the largest remainders up, equal
/// ones in the order given.
///
/// `None` when no rounding of the amounts up or down sums to `total`.
fn largest_remainder(total: MinorSum, exact: &[i128]) -> Option<Vec<MinorSum>> {
    let mut amounts: Vec<MinorSum> = exact.iter().map(|amount| amount.div_euclid(GRID)).collect();
    let left = usize::try_from(total - amounts.iter().sum::<MinorSum>()).ok()?;
    let remainder = |at: usize| exact[at].rem_euclid(GRID);
    let mut order: Vec<usize> = (0..exact.len()).filter(|at| remainder(*at) > 0).collect();
    order.sort_by_key(|at| Reverse(remainder(*at)));
    order.get(..left)?.iter().for_each(|at| amounts[*at] += 1);
    Some(amounts)
}

/// What every link carries: the exact amount rounded, then repaired until `entering + in = out + leaving` at each node.
///
/// Without negative (or without positive) cost no flow turns against its direction.
///
/// * `entering`: per node, from outside and its own.
/// * `leaving`: per node, by all its exits; `Σ leaving = Σ entering`.
pub(super) fn links(circle: &Loop, rates: &[Wide], entering: &[MinorSum], leaving: &[MinorSum]) -> Vec<MinorSum> {
    let exact = |link: &Link| (rates[link.from] * Wide::from_int(i128::from(link.weight))).to_grid();
    let exact: Vec<i128> = circle.links.iter().map(exact).collect();
    let mut amounts = rounded(circle, rates, leaving, &exact);
    let surplus = surplus(circle, &amounts, entering, leaving);
    if surplus.iter().any(|money| *money != 0) {
        along_tree(circle, &exact, surplus, &mut amounts);
    }
    for sign in [1, -1] {
        if entering.iter().all(|money| sign * money >= 0) {
            turn_back(circle, sign, &mut amounts);
        }
    }
    amounts
}

/// Each amount rounded up or down: a node's amounts to its gross cost less its exits, those carried furthest below
/// their exact sum (so far, per taker) first up.
fn rounded(circle: &Loop, rates: &[Wide], leaving: &[MinorSum], exact: &[i128]) -> Vec<MinorSum> {
    let mut amounts: Vec<MinorSum> = exact.iter().map(|amount| amount.div_euclid(GRID)).collect();
    let mut owed = vec![0_i128; circle.nodes.len()];
    let mut start = 0;
    for row in circle.links.chunk_by(|a, b| a.from == b.from) {
        let from = row[0].from;
        let range = start..start + row.len();
        start = range.end;
        let gross = (rates[from] * Wide::from_int(i128::from(circle.totals[from]))).to_grid();
        let inside = (gross + GRID / 2).div_euclid(GRID) - leaving[from];
        let left = inside - amounts[range.clone()].iter().sum::<MinorSum>();
        let part = |at: usize| exact[at].rem_euclid(GRID);
        range.clone().for_each(|at| owed[circle.links[at].to] += part(at));
        let mut order: Vec<usize> = range.filter(|at| part(*at) > 0).collect();
        order.sort_by_key(|at| Reverse(owed[circle.links[*at].to]));
        for at in order.into_iter().take(usize::try_from(left).unwrap_or(0)) {
            amounts[at] += 1;
            owed[circle.links[at].to] -= GRID;
        }
    }
    amounts
}

/// `entering + in − out − leaving` of every node.
fn surplus(circle: &Loop, amounts: &[MinorSum], entering: &[MinorSum], leaving: &[MinorSum]) -> Vec<MinorSum> {
    let mut surplus: Vec<MinorSum> = entering.iter().zip(leaving).map(|(enters, leaves)| enters - leaves).collect();
    for (link, amount) in circle.links.iter().zip(amounts) {
        surplus[link.to] += amount;
        surplus[link.from] -= amount;
    }
    surplus
}

/// Moves every surplus over a spanning tree to its root, where the sum is zero.
fn along_tree(circle: &Loop, exact: &[i128], mut surplus: Vec<MinorSum>, amounts: &mut [MinorSum]) {
    for (node, at) in widest_tree(circle, exact).into_iter().rev() {
        let money = std::mem::take(&mut surplus[node]);
        let link = circle.links[at];
        if link.from == node {
            amounts[at] += money;
            surplus[link.to] += money;
        } else {
            amounts[at] -= money;
            surplus[link.from] += money;
        }
    }
}

/// The spanning tree of the largest flows, from node 0: each other node and the link to its parent, parents first.
/// Large flows bear a repair of some minor units best.
///
/// Source: Prim, Bell System Technical Journal 36 (1957), 1389–1401.
fn widest_tree(circle: &Loop, exact: &[i128]) -> Vec<(usize, usize)> {
    let size = circle.nodes.len();
    let mut touching: Vec<Vec<usize>> = vec![Vec::new(); size];
    for (at, link) in circle.links.iter().enumerate() {
        touching[link.from].push(at);
        touching[link.to].push(at);
    }
    let mut inside = vec![false; size];
    let mut widest: Vec<Option<(u128, usize)>> = vec![None; size];
    let mut tree = Vec::with_capacity(size);
    let mut node = 0;
    loop {
        inside[node] = true;
        for at in &touching[node] {
            let link = circle.links[*at];
            let other = if link.from == node { link.to } else { link.from };
            let width = exact[*at].unsigned_abs();
            if widest[other].is_none_or(|best| best.0 < width) {
                widest[other] = Some((width, *at));
            }
        }
        let reached = |other: usize| widest[other].map(|(width, at)| (width, Reverse(other), at));
        let Some((_, Reverse(next), at)) = (0..size).filter(|other| !inside[*other]).filter_map(reached).max() else {
            return tree;
        };
        tree.push((next, at));
        node = next;
    }
}

/// Raises links until none carries money against `sign`: a link below zero is set to zero, and what its ends then
/// miss takes a way round through node 0, which exists in a strongly connected component.
fn turn_back(circle: &Loop, sign: MinorSum, amounts: &mut [MinorSum]) {
    let size = circle.nodes.len();
    let (mut over, mut under) = (vec![0; size], vec![0; size]);
    for (link, amount) in circle.links.iter().zip(amounts.iter_mut()) {
        if sign * *amount < 0 {
            over[link.to] += amount.abs();
            under[link.from] += amount.abs();
            *amount = 0;
        }
    }
    if over.iter().all(|money| *money == 0) {
        return;
    }
    for (node, at) in tree(circle, |link| (link.to, link.from)).into_iter().rev() {
        amounts[at] += sign * over[node];
        over[circle.links[at].to] += over[node];
    }
    for (node, at) in tree(circle, |link| (link.from, link.to)).into_iter().rev() {
        amounts[at] += sign * under[node];
        under[circle.links[at].from] += under[node];
    }
}

/// Nodes in breadth-first order from node 0, each with the link by which it was reached; node 0 is left out.
fn tree(circle: &Loop, ends: impl Fn(&Link) -> (usize, usize)) -> Vec<(usize, usize)> {
    let mut next: Vec<Vec<(usize, usize)>> = vec![Vec::new(); circle.nodes.len()];
    for (at, link) in circle.links.iter().enumerate() {
        let (near, far) = ends(link);
        next[near].push((far, at));
    }
    let mut seen = vec![false; circle.nodes.len()];
    seen[0] = true;
    let mut queue = VecDeque::from([0]);
    let mut tree = Vec::new();
    while let Some(node) = queue.pop_front() {
        for (far, at) in &next[node] {
            if !std::mem::replace(&mut seen[*far], true) {
                tree.push((*far, *at));
                queue.push_back(*far);
            }
        }
    }
    tree
}
