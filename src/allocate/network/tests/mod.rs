//! Networks of every kind: textbook cases, laws for all methods, and an exact rational oracle.

mod laws;
mod oracle;
mod refusals;
mod textbook;

use proptest::prelude::*;

use super::*;

/// A network of plain nodes; node `i` has tie `i`.
fn network(nodes: u32, edges: &[(u32, u32, i64)]) -> Network {
    with_kept(&vec![0; nodes as usize], edges)
}

fn with_kept(kept: &[i64], edges: &[(u32, u32, i64)]) -> Network {
    let node = |(tie, kept): (usize, &i64)| Node { tie: tie as u64, kept: *kept };
    let edge = |&(from, to, weight): &(u32, u32, i64)| Edge { from, to, weight };
    Network::new(kept.iter().enumerate().map(node).collect(), edges.iter().map(edge).collect()).unwrap()
}

fn run(network: &Network, method: &ServiceMethod, own: &[i64]) -> Flow {
    let flow = network.plan(method).unwrap().flow(own).unwrap();
    assert_eq!(flow.reconcile(), None);
    flow
}

fn step_down(order: &[u32]) -> ServiceMethod {
    ServiceMethod::StepDown { order: Some(order.to_vec()) }
}

const AUTOMATIC: ServiceMethod = ServiceMethod::StepDown { order: None };

fn finals(flow: &Flow) -> Vec<i64> {
    flow.nodes.iter().map(|node| node.final_cost).collect()
}

fn reciprocated(flow: &Flow) -> Vec<i64> {
    flow.nodes.iter().map(|node| node.reciprocated).collect()
}

/// Own cost, kept weights and edges without two from one node to the same.
#[derive(Clone, Debug)]
struct Case {
    own: Vec<i64>,
    kept: Vec<i64>,
    edges: Vec<(u32, u32, i64)>,
}

impl Case {
    fn network(&self) -> Network {
        with_kept(&self.kept, &self.edges)
    }

    fn pools(&self) -> Vec<u32> {
        let network = self.network();
        (0..self.own.len() as u32).filter(|node| network.is_pool(*node)).collect()
    }
}

/// Any graph of up to 8 nodes: chains, loops, self-service, closed loops, pools without weight.
fn cases(own: impl Strategy<Value = i64> + Clone) -> impl Strategy<Value = Case> {
    graphs(own, 1_000)
}

/// * `largest`: no weight reaches it.
fn graphs(own: impl Strategy<Value = i64> + Clone, largest: i64) -> impl Strategy<Value = Case> {
    let weight = prop_oneof![1 => Just(0), 6 => 1..10_i64, 2 => 1..largest];
    let kept = prop_oneof![4 => Just(0), 1 => 1..largest];
    (2..9_usize).prop_flat_map(move |nodes| {
        let ends = (0..nodes as u32, 0..nodes as u32);
        let edges = prop::collection::btree_map(ends, weight.clone(), 0..3 * nodes);
        let own = prop::collection::vec(own.clone(), nodes);
        (own, prop::collection::vec(kept.clone(), nodes), edges).prop_map(|(own, kept, edges)| {
            let edges = edges.into_iter().map(|((from, to), weight)| (from, to, weight)).collect();
            Case { own, kept, edges }
        })
    })
}

/// The flow of a case, unless the reciprocal method rightly refuses it: a loop without an exit, or one so tight that
/// the gross cost of all the money leaves 64 bits.
fn flow_unless_refused(case: &Case, method: &ServiceMethod) -> Option<Flow> {
    let plan = case.network().plan(method).unwrap();
    match plan.flow(&case.own) {
        Ok(flow) => Some(flow),
        Err(NetworkError::LoopWithoutExit { .. }) if *method == ServiceMethod::Reciprocal => None,
        Err(NetworkError::TooCircular { nodes }) => {
            let money: f64 = case.own.iter().map(|own| own.abs() as f64).sum();
            assert!(amplification(&plan, &nodes) * money > 9e18, "{nodes:?}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// The largest gross cost in a loop when one unit enters at every node.
fn amplification(plan: &Plan, nodes: &[u32]) -> f64 {
    let circle = |step: &plan::Step| match step {
        plan::Step::Loop(circle) if circle.members() == nodes => circle.gross(&vec![1.0; nodes.len()]),
        _ => None,
    };
    plan.steps.iter().find_map(circle).unwrap().into_iter().fold(0.0, f64::max)
}
