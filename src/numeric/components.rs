//! Strongly connected components in topological order: the loops of a network, givers before takers.

/// Components of a directed graph, each before all that it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Components {
    /// Nodes, component by component.
    nodes: Vec<u32>,
    /// Where each component starts in `nodes`, and the end of the last.
    starts: Vec<usize>,
}

impl Components {
    /// Finds the components in time linear in nodes and edges, without recursion.
    ///
    /// Node `v`'s successors are `targets[first[v]..first[v + 1]]`.
    ///
    /// * `first`: one a node and one more, ascending.
    /// * `targets`: nodes.
    ///
    /// # Panics
    /// When a target is not a node or `first` leaves `targets`.
    ///
    /// Source: Tarjan, Depth-first search and linear graph algorithms, SIAM J. Comput. 1 (1972), 146–160. A component
    /// is complete when all that it reaches is, so the order of completion, reversed, is topological.
    #[must_use]
    pub fn new(first: &[usize], targets: &[u32]) -> Self {
        let nodes = first.len().saturating_sub(1);
        let mut search = Search {
            first,
            targets,
            number: vec![UNSEEN; nodes],
            low: vec![UNSEEN; nodes],
            seen: 0,
            open: Vec::new(),
            path: Vec::new(),
            found: Self { nodes: Vec::with_capacity(nodes), starts: vec![0] },
        };
        for node in 0..nodes {
            if search.number[node] == UNSEEN {
                search.explore(node as u32);
            }
        }
        search.found.reversed()
    }

    /// The components in topological order, the nodes of each ascending.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.starts.windows(2).map(|bounds| &self.nodes[bounds[0]..bounds[1]])
    }

    fn reversed(self) -> Self {
        let mut turned = Self { nodes: Vec::with_capacity(self.nodes.len()), starts: vec![0] };
        for bounds in self.starts.windows(2).rev() {
            let start = turned.nodes.len();
            turned.nodes.extend_from_slice(&self.nodes[bounds[0]..bounds[1]]);
            turned.nodes[start..].sort_unstable();
            turned.starts.push(turned.nodes.len());
        }
        turned
    }
}

const UNSEEN: u32 = u32::MAX;
/// Number of a node whose component is complete; above every number in use.
const DONE: u32 = u32::MAX - 1;

struct Search<'a> {
    first: &'a [usize],
    targets: &'a [u32],
    /// Order of discovery.
    number: Vec<u32>,
    /// Smallest number reachable through the subtree and one edge back.
    low: Vec<u32>,
    seen: u32,
    /// Nodes whose component is not complete.
    open: Vec<u32>,
    /// The path of the search: node, next successor.
    path: Vec<(u32, usize)>,
    found: Components,
}

impl Search<'_> {
    fn explore(&mut self, root: u32) {
        self.discover(root);
        while let Some((node, next)) = self.path.last_mut() {
            let at = *node as usize;
            if *next < self.first[at + 1] {
                let target = self.targets[*next];
                *next += 1;
                match self.number[target as usize] {
                    UNSEEN => self.discover(target),
                    DONE => {}
                    number => self.low[at] = self.low[at].min(number),
                }
            } else {
                let node = *node;
                self.path.pop();
                self.leave(node);
            }
        }
    }

    fn discover(&mut self, node: u32) {
        self.number[node as usize] = self.seen;
        self.low[node as usize] = self.seen;
        self.seen += 1;
        self.open.push(node);
        self.path.push((node, self.first[node as usize]));
    }

    fn leave(&mut self, node: u32) {
        let low = self.low[node as usize];
        if let Some((parent, _)) = self.path.last() {
            let parent = &mut self.low[*parent as usize];
            *parent = low.min(*parent);
        }
        if low < self.number[node as usize] {
            return;
        }
        while let Some(member) = self.open.pop() {
            self.number[member as usize] = DONE;
            self.found.nodes.push(member);
            if member == node {
                break;
            }
        }
        self.found.starts.push(self.found.nodes.len());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(nodes: usize, edges: &[(u32, u32)]) -> Vec<Vec<u32>> {
        let (mut first, mut targets) = (vec![0], Vec::new());
        for node in 0..nodes as u32 {
            targets.extend(edges.iter().filter(|edge| edge.0 == node).map(|edge| edge.1));
            first.push(targets.len());
        }
        Components::new(&first, &targets).iter().map(<[u32]>::to_vec).collect()
    }

    #[test]
    fn givers_come_before_takers_and_a_loop_stands_together() {
        assert_eq!(of(5, &[(3, 1), (1, 4), (4, 1), (4, 0), (2, 3)]), [vec![2], vec![3], vec![1, 4], vec![0]]);
        assert_eq!(of(0, &[]), Vec::<Vec<u32>>::new());
    }

    #[test]
    fn a_chain_of_a_million_nodes_needs_no_deep_stack() {
        let targets: Vec<u32> = (1..1_000_000).collect();
        let mut first: Vec<usize> = (0..1_000_000).collect();
        first.push(999_999);
        let found = Components::new(&first, &targets);
        assert!(found.iter().flatten().copied().eq(0..1_000_000));
    }

    /// Which nodes each node reaches, itself included (Warshall).
    fn reach(nodes: usize, edges: &[(u32, u32)]) -> Vec<Vec<bool>> {
        let mut reach: Vec<Vec<bool>> = (0..nodes).map(|i| (0..nodes).map(|j| i == j).collect()).collect();
        for edge in edges {
            reach[edge.0 as usize][edge.1 as usize] = true;
        }
        for k in 0..nodes {
            for i in 0..nodes {
                for j in 0..nodes {
                    reach[i][j] |= reach[i][k] && reach[k][j];
                }
            }
        }
        reach
    }

    proptest! {
        #[test]
        fn components_are_mutual_reach_and_no_edge_runs_back(edges in prop::collection::vec((0..9_u32, 0..9_u32), 0..25)) {
            let found = of(9, &edges);
            let reach = reach(9, &edges);
            let mut rank = [usize::MAX; 9];
            for (number, component) in found.iter().enumerate() {
                for node in component {
                    rank[*node as usize] = number;
                }
            }
            prop_assert!(rank.iter().all(|rank| *rank < found.len()));
            for (i, j) in (0..9).flat_map(|i| (0..9).map(move |j| (i, j))) {
                prop_assert_eq!(rank[i] == rank[j], reach[i][j] && reach[j][i]);
                prop_assert!(!reach[i][j] || rank[i] <= rank[j]);
            }
        }
    }
}
