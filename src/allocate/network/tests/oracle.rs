//! The reciprocal solution in exact rationals, by fraction-free elimination on 128-bit integers.

use super::*;

/// `gross / Σ weight` of every node as numerators over one positive denominator; `None` when a loop is closed.
///
/// Unknowns are cost per unit of weight, so that the matrix `Σ weight(j) · [i = j] − weight(i → j)` is integer.
/// Source: Bareiss, Mathematics of Computation 22 (1968), 565–578.
fn exact_rates(case: &Case) -> Option<(Vec<i128>, i128)> {
    let size = case.own.len();
    let mut matrix = vec![vec![0_i128; size + 1]; size];
    for (from, to, weight) in &case.edges {
        matrix[*to as usize][*from as usize] -= i128::from(*weight);
    }
    for (node, row) in matrix.iter_mut().enumerate() {
        row[node] += total(case, node).max(1);
        row[size] = i128::from(case.own[node]);
    }
    let mut last = 1;
    for k in 0..size {
        let pivot = (k..size).find(|row| matrix[*row][k] != 0)?;
        if pivot != k {
            matrix.swap(pivot, k);
            matrix[k].iter_mut().for_each(|cell| *cell = -*cell);
        }
        for i in (0..size).filter(|i| *i != k) {
            let factor = matrix[i][k];
            for j in 0..=size {
                matrix[i][j] = (matrix[i][j] * matrix[k][k] - factor * matrix[k][j]) / last;
            }
        }
        last = matrix[k][k];
    }
    let sign = last.signum();
    Some((matrix.iter().map(|row| row[size] * sign).collect(), last.abs()))
}

fn total(case: &Case, node: usize) -> i128 {
    let weights = case.edges.iter().filter(|edge| edge.0 as usize == node).map(|edge| i128::from(edge.2));
    weights.sum::<i128>() + i128::from(case.kept[node])
}

/// Up to 5 pools in one loop (a ring and more), up to 3 activities, large money of either sign.
fn loops() -> impl Strategy<Value = Case> {
    (1..6_usize, 1..4_usize).prop_flat_map(|(pools, activities)| {
        let largest: i64 = if pools <= 3 { 400_000_000_000_000_000 } else { 1_000_000_000_000_000 };
        let money = prop_oneof![0..=largest, -largest..=largest, 0..100_i64];
        let nodes = (pools + activities) as u32;
        let ring = prop::collection::vec(1..20_i64, pools);
        let more = prop::collection::btree_map((0..pools as u32, 0..nodes), 1..20_i64, 0..12);
        let exit = (0..pools as u32, pools as u32..nodes, 1..20_i64);
        let kept = prop::collection::vec(prop_oneof![3 => Just(0), 1 => 1..20_i64], pools);
        (prop::collection::vec(money, pools), ring, more, exit, kept).prop_map(
            move |(mut own, ring, mut edges, exit, mut kept)| {
                for (node, weight) in ring.into_iter().enumerate() {
                    edges.insert((node as u32, (node as u32 + 1) % pools as u32), weight);
                }
                edges.insert((exit.0, exit.1), exit.2);
                own.resize(nodes as usize, 0);
                kept.resize(nodes as usize, 0);
                let edges = edges.into_iter().map(|((from, to), weight)| (from, to, weight)).collect();
                Case { own, kept, edges }
            },
        )
    })
}

/// Weights for which the oracle's products stay within 128 bits.
const SMALL: i64 = 10;

/// Rounding and repair move a gross cost by a minor unit a node at most.
fn gross_tolerance(case: &Case) -> i128 {
    case.own.len() as i128
}

/// Remainders are compared on a grid of 2⁻²⁰ units; a taker's sum of some exits is some grid points off.
const REMAINDERS_APART: i128 = 1 << 15;

/// The flow, if its gross costs fit `i64`; the refusal is checked.
fn flow_unless_too_circular(case: &Case, rates: &[i128], denominator: i128) -> Option<Flow> {
    let fits = |node: usize| (total(case, node) * rates[node] / denominator).abs() <= 9_000_000_000_000_000_000;
    if (0..case.own.len()).all(fits) {
        return Some(run(&case.network(), &ServiceMethod::Reciprocal, &case.own));
    }
    let refused = case.network().plan(&ServiceMethod::Reciprocal).unwrap().flow(&case.own);
    assert!(matches!(refused, Err(NetworkError::TooCircular { .. })), "{refused:?}");
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_exit_of_a_loop_is_the_rational_solution_to_less_than_one_minor_unit(case in loops()) {
        let (rates, denominator) = exact_rates(&case).unwrap();
        let Some(flow) = flow_unless_too_circular(&case, &rates, denominator) else { return Ok(()) };
        for edge in flow.edges.iter().filter(|edge| !case.network().is_pool(edge.to)) {
            let exact = i128::from(edge.weight) * rates[edge.from as usize];
            prop_assert!((i128::from(edge.amount) * denominator - exact).abs() < denominator, "{edge:?}");
        }
        for (node, found) in flow.nodes.iter().enumerate() {
            let exact = i128::from(case.kept[node]) * rates[node];
            prop_assert!((i128::from(found.unused) * denominator - exact).abs() < denominator, "{node} {found:?}");
            // A final node has no weight: the oracle divides its cost by one.
            let exact = if case.network().is_pool(node as u32) { 0 } else { rates[node] };
            prop_assert!((i128::from(found.final_cost) * denominator - exact).abs() < denominator, "{node} {found:?}");
        }
    }

    #[test]
    fn no_taker_is_rounded_up_before_one_with_a_larger_remainder(case in loops()) {
        let (rates, denominator) = exact_rates(&case).unwrap();
        let Some(flow) = flow_unless_too_circular(&case, &rates, denominator) else { return Ok(()) };
        // Rounded up, an amount is off by 1 − remainder; rounded down, by −remainder. So when the larger remainders are
        // up, no two errors are more than one unit apart.
        let mut errors = Vec::new();
        for (node, found) in flow.nodes.iter().enumerate() {
            let weight = if case.network().is_pool(node as u32) { i128::from(case.kept[node]) } else { 1 };
            if weight > 0 {
                let amount = i128::from(found.unused + found.final_cost);
                errors.push(amount * denominator - weight * rates[node]);
            }
        }
        let spread = errors.iter().max().unwrap() - errors.iter().min().unwrap();
        prop_assert!(spread <= denominator + denominator / REMAINDERS_APART, "{spread} / {denominator}");
    }

    #[test]
    fn gross_cost_is_the_rational_solution_to_some_minor_units(case in loops()) {
        let (rates, denominator) = exact_rates(&case).unwrap();
        let Some(flow) = flow_unless_too_circular(&case, &rates, denominator) else { return Ok(()) };
        for node in case.pools() {
            let node = node as usize;
            let exact = total(&case, node) * rates[node];
            let error = (i128::from(flow.nodes[node].reciprocated) * denominator - exact).abs();
            prop_assert!(error <= gross_tolerance(&case) * denominator, "{node}: {error} / {denominator}");
        }
    }

    #[test]
    fn a_loop_is_refused_exactly_when_the_equations_are_singular(case in graphs(0..1_000_i64, SMALL)) {
        let found = flow_unless_refused(&case, &ServiceMethod::Reciprocal);
        prop_assert_eq!(found.is_some(), exact_rates(&case).is_some());
    }

    #[test]
    fn any_network_is_the_rational_solution_to_one_minor_unit_an_edge(case in graphs(-1_000_000..1_000_000_i64, SMALL)) {
        let Some((rates, denominator)) = exact_rates(&case) else { return Ok(()) };
        let flow = run(&case.network(), &ServiceMethod::Reciprocal, &case.own);
        let tolerance = denominator * (case.edges.len() + case.own.len()) as i128;
        for (node, found) in flow.nodes.iter().enumerate().filter(|(node, _)| !case.network().is_pool(*node as u32)) {
            // A final node has no weight: the oracle divides its cost by one.
            prop_assert!((i128::from(found.final_cost) * denominator - rates[node]).abs() < tolerance, "{node}");
        }
    }
}
