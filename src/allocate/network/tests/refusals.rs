//! What is refused, what is said, and what stays visible.

use super::*;

fn refused(network: &Network, method: &ServiceMethod, own: &[i64]) -> NetworkError {
    network.plan(method).and_then(|plan| plan.flow(own)).unwrap_err()
}

#[test]
fn a_loop_without_exit_is_an_error_that_names_its_nodes_and_the_money() {
    // 0 feeds the loop 3 → 1 → 3 with half of its cost; 2 is an activity.
    let network = network(4, &[(0, 1, 1), (0, 2, 1), (1, 3, 5), (3, 1, 2), (3, 2, 0)]);
    let error = refused(&network, &ServiceMethod::Reciprocal, &[100, 7, 0, -3]);
    assert_eq!(error, NetworkError::LoopWithoutExit { nodes: vec![1, 3], money: 54 });
    assert_eq!(
        error.to_string(),
        "nodes 1, 3 serve only each other, so that their cost of 54 minor units can never leave"
    );
    assert_eq!(error.hint(), Some("let one of these pools serve an activity, or keep unused capacity"));
    // Whether or not money gets there.
    assert_eq!(
        refused(&network, &ServiceMethod::Reciprocal, &[0; 4]),
        NetworkError::LoopWithoutExit { nodes: vec![1, 3], money: 0 }
    );
    let plan = network.plan(&ServiceMethod::Reciprocal).unwrap();
    assert_eq!(plan.absorption(0), Err(NetworkError::EndsInLoop { node: 0, nodes: vec![1, 3] }));
    assert_eq!(plan.absorption(2).unwrap().len(), 1);
}

#[test]
fn a_pool_that_serves_only_itself_is_a_loop_without_exit() {
    let error = refused(&network(2, &[(0, 0, 5)]), &ServiceMethod::Reciprocal, &[10, 0]);
    assert_eq!(error, NetworkError::LoopWithoutExit { nodes: vec![0], money: 10 });
}

#[test]
fn a_long_loop_is_named_by_its_first_nodes() {
    let ring: Vec<(u32, u32, i64)> = (0..100).map(|node| (node, (node + 1) % 100, 1)).collect();
    let error = refused(&network(100, &ring), &ServiceMethod::Reciprocal, &[1; 100]);
    assert_eq!(
        error.to_string(),
        "nodes 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 88 more serve only each other, \
         so that their cost of 100 minor units can never leave"
    );
}

#[test]
fn a_pool_without_weight_keeps_its_cost_as_unassigned() {
    // 0 has a driver that nobody used; 1 and 2 serve each other alone.
    let network = network(4, &[(0, 3, 0), (1, 2, 1), (2, 1, 1), (2, 0, 1)]);
    let unassigned =
        |method| run(&network, &method, &[100, 20, 3, 0]).nodes.iter().map(|node| node.unassigned).collect::<Vec<_>>();
    assert_eq!(unassigned(ServiceMethod::Direct), [100, 20, 3, 0]);
    assert_eq!(unassigned(step_down(&[2, 1, 0])), [102, 21, 0, 0]);
    assert_eq!(unassigned(ServiceMethod::Reciprocal), [123, 0, 0, 0]);
    let ends = network.plan(&ServiceMethod::Reciprocal).unwrap().absorption(1).unwrap();
    assert_eq!(ends, [Absorbed { node: 0, ending: Ending::Unassigned, share: 1.0 }]);
}

#[test]
fn a_step_down_order_names_every_pool_once() {
    let network = network(4, &[(0, 2, 1), (0, 1, 1), (1, 3, 1)]);
    let error = |order: &[u32]| network.plan(&step_down(order)).map(|_| ()).unwrap_err();
    assert_eq!(error(&[0]), NetworkError::OrderMisses { node: 1 });
    assert_eq!(error(&[0, 1, 0]), NetworkError::OrderRepeats { node: 0 });
    assert_eq!(error(&[0, 1, 2]), NetworkError::OrderNotPool { node: 2 });
    assert_eq!(error(&[0, 9, 1]), NetworkError::OrderNotPool { node: 9 });
    assert_eq!(error(&[0]).to_string(), "the step-down order misses node 1, a pool");
}

#[test]
fn a_negative_weight_an_unknown_node_and_a_sum_beyond_64_bits_are_refused() {
    let build = |kept: i64, edges: &[(u32, u32, i64)]| {
        let edges = edges.iter().map(|&(from, to, weight)| Edge { from, to, weight }).collect();
        Network::new(vec![Node { tie: 0, kept }, Node { tie: 1, kept: 0 }], edges).map(|_| ()).unwrap_err()
    };
    let negative = build(0, &[(0, 1, -1)]);
    assert_eq!(negative, NetworkError::NegativeWeight { from: 0, to: 1 });
    assert_eq!(negative.to_string(), "the edge from node 0 to node 1 has a negative weight");
    assert_eq!(build(-1, &[]), NetworkError::NegativeKept { node: 0 });
    assert_eq!(build(0, &[(0, 2, 1)]), NetworkError::UnknownNode { node: 2, nodes: 2 });
    assert_eq!(build(1, &[(0, 1, i64::MAX)]), NetworkError::TooLarge { node: 0 });

    let sink = network(3, &[(0, 2, 1), (1, 2, 1)]);
    let error = refused(&sink, &ServiceMethod::Direct, &[i64::MAX, 1, 0]);
    assert_eq!(error, NetworkError::TooLarge { node: 2 });
    let error = refused(&sink, &ServiceMethod::Direct, &[1]);
    assert_eq!(error, NetworkError::OwnLength { expected: 3, found: 1 });
}

#[test]
fn a_loop_whose_gross_cost_leaves_64_bits_is_refused_not_rounded() {
    // One part in a trillion leaves: gross is 10¹² times the net.
    let tight = |own| {
        let network = network(3, &[(0, 1, 1_000_000_000_000), (1, 0, 999_999_999_999), (1, 2, 1)]);
        network.plan(&ServiceMethod::Reciprocal).unwrap().flow(&[own, 0, 0])
    };
    let flow = tight(1_000_000).unwrap();
    assert_eq!((finals(&flow)[2], flow.nodes[0].reciprocated), (1_000_000, 1_000_000_000_000_000_000));
    assert_eq!(tight(100_000_000), Err(NetworkError::TooCircular { nodes: vec![0, 1] }));
    // Only 10⁻¹⁸ leaves a loop of 20: no float sees what comes round.
    let mut edges: Vec<(u32, u32, i64)> = (0..20).map(|node| (node, (node + 1) % 20, 1)).collect();
    edges.extend((1..20).map(|node| (node, 0, 1_000_000_000_000_000_000)));
    edges[19] = (19, 20, 1);
    let plan = network(21, &edges).plan(&ServiceMethod::Reciprocal).and_then(|plan| plan.flow(&[1; 21]));
    assert_eq!(plan, Err(NetworkError::TooCircular { nodes: (0..20).collect() }));
}

#[test]
fn a_loop_beyond_the_memory_of_the_elimination_is_refused_before_it_is_built() {
    let size = 8_193;
    let mut edges: Vec<(u32, u32, i64)> = (0..size).map(|node| (node, (node + 1) % size, 1)).collect();
    edges.push((0, size, 1));
    let error = network(size + 1, &edges).plan(&ServiceMethod::Reciprocal).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "8193 pools serve each other; the reciprocal method takes 8192 in one loop");
}
