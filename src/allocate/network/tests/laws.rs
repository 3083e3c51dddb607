//! What holds for every network.

use proptest::sample::Index;

use super::*;

fn methods(case: &Case, shuffle: &[Index]) -> Vec<ServiceMethod> {
    let order = shuffled(case.pools(), shuffle);
    vec![ServiceMethod::Direct, AUTOMATIC, step_down(&order), ServiceMethod::Reciprocal]
}

fn shuffled<T>(mut items: Vec<T>, shuffle: &[Index]) -> Vec<T> {
    for at in 0..items.len() {
        let other = shuffle[at % shuffle.len()].index(items.len());
        items.swap(at, other);
    }
    items
}

fn shuffles() -> impl Strategy<Value = Vec<Index>> {
    prop::collection::vec(any::<Index>(), 24)
}

const ANY_MONEY: std::ops::Range<i64> = -1_000_000_000..1_000_000_000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_node_and_the_whole_balance_under_every_method(case in cases(ANY_MONEY), shuffle in shuffles()) {
        for method in methods(&case, &shuffle) {
            let Some(flow) = flow_unless_refused(&case, &method) else { continue };
            prop_assert_eq!(flow.reconcile(), None);
            for (node, row) in flow.nodes.iter().enumerate() {
                prop_assert_eq!(row.own, case.own[node]);
                prop_assert_eq!(row.own + row.received, row.reciprocated);
                prop_assert_eq!(row.reciprocated, row.sent + row.unused + row.unassigned + row.final_cost);
            }
            let ends: i64 = flow.nodes.iter().map(|row| row.unused + row.unassigned + row.final_cost).sum();
            prop_assert_eq!(ends, case.own.iter().sum::<i64>());
        }
    }

    #[test]
    fn cost_without_negatives_never_flows_backwards(case in cases(0..7_i64), shuffle in shuffles(), sign in prop_oneof![Just(1), Just(-1)]) {
        let case = Case { own: case.own.iter().map(|own| sign * own).collect(), ..case };
        for method in methods(&case, &shuffle) {
            let Some(flow) = flow_unless_refused(&case, &method) else { continue };
            prop_assert!(flow.edges.iter().all(|edge| sign * edge.amount >= 0), "{:?}", flow.edges);
            prop_assert!(flow.nodes.iter().all(|row| sign * row.unused >= 0 && sign * row.final_cost >= 0));
        }
    }

    #[test]
    fn an_edge_without_weight_carries_nothing(case in cases(ANY_MONEY), shuffle in shuffles()) {
        for method in methods(&case, &shuffle) {
            let Some(flow) = flow_unless_refused(&case, &method) else { continue };
            prop_assert!(flow.edges.iter().all(|edge| edge.weight > 0 || edge.amount == 0));
        }
    }

    #[test]
    fn a_direct_pool_gives_to_final_nodes_alone(case in cases(ANY_MONEY)) {
        let network = case.network();
        let flow = run(&network, &ServiceMethod::Direct, &case.own);
        for (edge, given) in flow.edges.iter().zip(network.edges()) {
            prop_assert_eq!(edge.weight, if network.is_pool(edge.to) { 0 } else { given.weight });
        }
    }

    #[test]
    fn a_step_down_never_gives_to_a_closed_pool(case in cases(1..1_000_000_000_i64), shuffle in shuffles()) {
        let network = case.network();
        for order in [shuffled(case.pools(), &shuffle), automatic_order(&network)] {
            let place = |node: u32| order.iter().position(|pool| *pool == node);
            let flow = run(&network, &step_down(&order), &case.own);
            for (edge, given) in flow.edges.iter().zip(network.edges()) {
                let closed = place(edge.to).is_some_and(|to| to <= place(edge.from).unwrap());
                prop_assert_eq!(edge.weight, if closed { 0 } else { given.weight });
                prop_assert!(!closed || edge.amount == 0);
            }
        }
    }

    #[test]
    fn the_automatic_order_is_the_books_rule_applied_pool_by_pool(case in cases(0..1_i64)) {
        let mut open = case.pools();
        let mut order = Vec::new();
        while !open.is_empty() {
            let share = |pool: u32| {
                let given = |to: &dyn Fn(u32) -> bool| {
                    case.edges.iter().filter(|e| e.0 == pool && e.1 != pool && to(e.1)).map(|e| e.2).sum::<i64>()
                };
                (given(&|to| open.contains(&to)), given(&|_| true).max(1))
            };
            let mut best = open[0];
            for pool in &open {
                let ((a, b), (c, d)) = (share(*pool), share(best));
                if a * d > c * b {
                    best = *pool;
                }
            }
            order.push(best);
            open.retain(|pool| *pool != best);
        }
        prop_assert_eq!(automatic_order(&case.network()), order);
    }

    #[test]
    fn the_numbering_of_nodes_and_the_order_of_edges_move_no_money(case in cases(ANY_MONEY), nodes in shuffles(), edges in shuffles()) {
        let count = case.own.len();
        // `old[new]` and its inverse; ties go with the node, not with its number.
        let old = shuffled((0..count as u32).collect(), &nodes);
        let new = |node: u32| old.iter().position(|other| *other == node).unwrap() as u32;
        let edge_order = shuffled((0..case.edges.len()).collect(), &edges);
        let there = case.network();
        let turned = |number: &usize| {
            let edge = there.edges()[*number];
            Edge { from: new(edge.from), to: new(edge.to), ..edge }
        };
        let here = Network::new(
            old.iter().map(|node| there.nodes()[*node as usize]).collect(),
            edge_order.iter().map(turned).collect(),
        ).unwrap();
        let own: Vec<i64> = old.iter().map(|node| case.own[*node as usize]).collect();
        let order = automatic_order(&there);
        let order_here: Vec<u32> = order.iter().map(|node| new(*node)).collect();
        for (method, method_here) in [
            (ServiceMethod::Direct, ServiceMethod::Direct),
            (step_down(&order), step_down(&order_here)),
            (ServiceMethod::Reciprocal, ServiceMethod::Reciprocal),
        ] {
            let Some(flow) = flow_unless_refused(&case, &method) else { continue };
            let found = run(&here, &method_here, &own);
            for (row, node) in found.nodes.iter().zip(&old) {
                prop_assert_eq!(row, &flow.nodes[*node as usize]);
            }
            for (edge, number) in found.edges.iter().zip(&edge_order) {
                prop_assert_eq!(edge.amount, flow.edges[*number].amount);
            }
        }
    }

    #[test]
    fn the_scale_of_weights_moves_no_money(case in cases(ANY_MONEY), shuffle in shuffles(), scale in 2..2_000_000_i64) {
        let scaled = Case {
            own: case.own.clone(),
            kept: case.kept.iter().map(|kept| kept * scale).collect(),
            edges: case.edges.iter().map(|(from, to, weight)| (*from, *to, weight * scale)).collect(),
        };
        for method in methods(&case, &shuffle) {
            let Some(flow) = flow_unless_refused(&case, &method) else { continue };
            prop_assert_eq!(run(&scaled.network(), &method, &scaled.own).nodes, flow.nodes);
        }
    }

    #[test]
    fn a_cost_with_the_other_sign_ends_where_the_cost_did(case in cases(0..1_000_000_000_i64), shuffle in shuffles()) {
        let negative: Vec<i64> = case.own.iter().map(|own| -own).collect();
        for method in methods(&case, &shuffle) {
            let Some(flow) = flow_unless_refused(&case, &method) else { continue };
            let found = run(&case.network(), &method, &negative);
            for (a, b) in found.nodes.iter().zip(&flow.nodes) {
                prop_assert_eq!((a.final_cost, a.unused, a.unassigned), (-b.final_cost, -b.unused, -b.unassigned));
            }
        }
    }

    #[test]
    fn absorbed_shares_sum_to_one_and_say_where_the_money_ends(case in cases(0..1_i64), shuffle in shuffles(), source in any::<Index>()) {
        /// A share of a trillion units: a loop of 8 costs some hundred units in the last place of its gross cost.
        const FLOAT: f64 = 1e-12;
        let source = source.index(case.own.len());
        let mut own = vec![0; case.own.len()];
        own[source] = 1_000_000_000_000;
        let case = Case { own, ..case };
        for method in methods(&case, &shuffle) {
            let Some(flow) = flow_unless_refused(&case, &method) else { continue };
            let ends = case.network().plan(&method).unwrap().absorption(source as u32).unwrap();
            prop_assert!((ends.iter().map(|end| end.share).sum::<f64>() - 1.0).abs() < FLOAT);
            let units = (case.edges.len() + case.own.len()) as f64;
            for (number, row) in flow.nodes.iter().enumerate() {
                let found = [(Ending::Final, row.final_cost), (Ending::Unused, row.unused), (Ending::Unassigned, row.unassigned)];
                for (ending, amount) in found {
                    let end = ends.iter().find(|end| (end.node, end.ending) == (number as u32, ending));
                    let share = end.map_or(0.0, |end| end.share);
                    prop_assert!((share * 1e12 - amount as f64).abs() <= units + FLOAT * 1e12, "{number} {share} {amount}");
                }
            }
        }
    }
}

/// `size` pools that all serve each other and one of ten activities.
fn dense(size: u32) -> (Network, Vec<i64>) {
    let weight = |from: u32, to: u32| 1 + i64::from(from * 7_919 + to * 104_729) % 1_000_003;
    let mut edges = Vec::new();
    for from in 0..size {
        edges.extend((0..size).map(|to| (from, to, weight(from, to))));
        edges.push((from, size + from % 10, weight(from, size) * 50));
    }
    let own = (0..size + 10).map(|node| if node < size { weight(node, node) * 1_000 - 7 } else { 0 }).collect();
    (network(size + 10, &edges), own)
}

#[test]
fn a_thousand_pools_that_all_serve_each_other_balance_to_the_minor_unit() {
    let (network, own) = dense(1_000);
    let flow = run(&network, &ServiceMethod::Reciprocal, &own);
    assert_eq!(finals(&flow).iter().sum::<i64>(), own.iter().sum::<i64>());
    assert!(flow.edges.iter().all(|edge| edge.amount >= 0));
    assert!(finals(&flow)[1_000..].iter().all(|cost| *cost > 0));
}

#[test]
fn the_rounding_of_a_million_flows_does_not_add_up_in_the_gross_cost() {
    /// Half a minor unit of rounding and one of repair; floats are exact to 10⁻³ here.
    const MINOR_UNITS: f64 = 1.6;
    let (network, own) = dense(1_000);
    let plan = network.plan(&ServiceMethod::Reciprocal).unwrap();
    let [plan::Step::Loop(circle), ..] = &plan.steps[..] else { panic!("one loop, then activities") };
    let entering: Vec<f64> = circle.nodes.iter().map(|node| own[*node as usize] as f64).collect();
    let flow = plan.flow(&own).unwrap();
    for (node, gross) in circle.nodes.iter().zip(circle.gross(&entering).unwrap()) {
        let error = flow.nodes[*node as usize].reciprocated as f64 - gross;
        assert!(error.abs() < MINOR_UNITS, "{node}: {error}");
    }
}

#[test]
fn a_single_cent_does_not_flow_backwards_in_a_loop_that_mere_balance_would_turn() {
    // Found by search: one cent at node 6, which balances along the ring only if one edge carries −1.
    let ring = [1, 1, 1, 1, 21, 1, 13, 1, 1, 9];
    let mut edges: Vec<(u32, u32, i64)> = (0..10).zip(ring).map(|(at, weight)| (at, (at + 1) % 10, weight)).collect();
    edges.extend([(4, 8, 4), (4, 9, 16), (5, 10, 3), (6, 0, 22), (9, 10, 8)]);
    let mut own = [0; 11];
    own[6] = 1;
    let flow = run(&network(11, &edges), &ServiceMethod::Reciprocal, &own);
    assert!(flow.edges.iter().all(|edge| edge.amount >= 0), "{:?}", flow.edges);
}

#[test]
fn equal_remainders_of_a_loop_go_to_the_smallest_tie() {
    // Pools 0 and 1 give each other one half, activities 2 and 3 a quarter each.
    let edges = [(0, 1, 2), (0, 2, 1), (0, 3, 1), (1, 0, 2), (1, 2, 1), (1, 3, 1)];
    let with = |ties: [u64; 4], own: [i64; 2]| {
        let nodes = ties.map(|tie| Node { tie, kept: 0 }).to_vec();
        let edges = edges.map(|(from, to, weight)| Edge { from, to, weight }).to_vec();
        let network = Network::new(nodes, edges).unwrap();
        run(&network, &ServiceMethod::Reciprocal, &[own[0], own[1], 0, 0])
    };
    // Half a cent for each activity: by the taker's tie.
    assert_eq!(finals(&with([5, 6, 7, 8], [1, 0]))[2..], [1, 0]);
    assert_eq!(finals(&with([5, 6, 8, 7], [1, 0]))[2..], [0, 1]);
    // A whole cent for each, half from each pool: by the giver's tie.
    let to_first = |flow: Flow| (flow.edges[1].amount, flow.edges[4].amount);
    assert_eq!(to_first(with([5, 6, 7, 8], [1, 1])), (1, 0));
    assert_eq!(to_first(with([6, 5, 7, 8], [1, 1])), (0, 1));
}

#[test]
fn the_number_of_threads_moves_no_money() {
    let (network, own) = dense(300);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&network, &ServiceMethod::Reciprocal, &own))
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn a_long_chain_passes_its_cost_down() {
    let chain: Vec<(u32, u32, i64)> = (0..9_999).map(|node| (node, node + 1, 3)).collect();
    for method in [AUTOMATIC, ServiceMethod::Reciprocal] {
        let flow = run(&network(10_000, &chain), &method, &vec![1; 10_000]);
        assert_eq!(flow.nodes[9_999].final_cost, 10_000);
    }
}
