//! Which contestants can be compared at all: components of the graph of comparisons.
//!
//! Two contestants can be compared when a chain of comparisons joins them. The likelihood of a component has a finite
//! maximum exactly when its win graph is strongly connected (Ford 1957): however it is cut in two, each part won at least
//! once (or tied, where a tie counts as half a win) against the other.

use crate::Counts;

/// The component of each contestant, numbered in the order of their first members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Components {
    /// The component of each contestant.
    pub label: Vec<usize>,
    /// How many there are.
    pub count: usize,
}

impl Components {
    /// The members of each component, in order.
    pub fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.count];
        for (i, &label) in self.label.iter().enumerate() {
            members[label].push(i);
        }
        members
    }

    /// Takes from every component its mean, so that each sums to zero.
    pub fn center(&self, values: &mut [f64]) {
        let mut sums = vec![(0.0, 0.0); self.count];
        for (&label, value) in self.label.iter().zip(values.iter()) {
            sums[label].0 += value;
            sums[label].1 += 1.0;
        }
        for (&label, value) in self.label.iter().zip(values) {
            *value -= sums[label].0 / sums[label].1;
        }
    }

    fn numbered(roots: &[usize]) -> Self {
        let mut names = vec![usize::MAX; roots.len()];
        let mut count = 0;
        let label = roots.iter().map(|&root| {
            if names[root] == usize::MAX {
                names[root] = count;
                count += 1;
            }
            names[root]
        });
        let label = label.collect();
        Self { label, count }
    }
}

/// The components of the graph in which two contestants are joined when they met. `merged` groups (anchored contestants)
/// count as one node.
pub fn connected(counts: &Counts, merged: &[usize]) -> Components {
    let mut parent: Vec<usize> = (0..counts.n()).collect();
    for pair in merged.windows(2) {
        join(&mut parent, pair[0], pair[1]);
    }
    for cell in counts.cells() {
        join(&mut parent, cell.a as usize, cell.b as usize);
    }
    let roots: Vec<usize> = (0..counts.n()).map(|i| find(&mut parent, i)).collect();
    Components::numbered(&roots)
}

fn find(parent: &mut [usize], mut i: usize) -> usize {
    while parent[i] != i {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    i
}

fn join(parent: &mut [usize], a: usize, b: usize) {
    let (a, b) = (find(parent, a), find(parent, b));
    parent[a.max(b)] = a.min(b);
}

/// Two groups of contestants of one component of which the first never lost a point to the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Separation {
    /// Those who never lost to the others.
    pub above: Vec<usize>,
    /// The others.
    pub below: Vec<usize>,
}

/// Where the win graph of a connected component is not strongly connected: the groups that it falls into.
/// `None` when every component is strongly connected, so that strengths are finite. A tie counts for both sides.
pub fn separation(counts: &Counts, merged: &[usize]) -> Option<Separation> {
    let graph = Adjacency::of(counts, merged);
    let undirected = connected(counts, merged);
    for members in undirected.members() {
        // The members reachable from one member along wins, and those that reach it.
        let root = members[0];
        let down = graph.reach(root, true);
        let up = graph.reach(root, false);
        let split = |inside: &[bool]| members.iter().partition::<Vec<usize>, _>(|&&i| inside[i]);
        if members.iter().any(|&i| !down[i]) {
            let (below, above) = split(&down);
            return Some(Separation { above, below });
        }
        if members.iter().any(|&i| !up[i]) {
            let (above, below) = split(&up);
            return Some(Separation { above, below });
        }
    }
    None
}

/// Who took points from whom, as lists.
struct Adjacency {
    beat: Vec<Vec<usize>>,
    lost_to: Vec<Vec<usize>>,
}

impl Adjacency {
    fn of(counts: &Counts, merged: &[usize]) -> Self {
        let mut graph =
            Self { beat: vec![Vec::new(); counts.n()], lost_to: vec![Vec::new(); counts.n()] };
        for cell in counts.cells() {
            let (a, b) = (cell.a as usize, cell.b as usize);
            if cell.points_a() > 0.0 {
                graph.edge(a, b);
            }
            if cell.total() - cell.points_a() > 0.0 {
                graph.edge(b, a);
            }
        }
        for pair in merged.windows(2) {
            graph.edge(pair[0], pair[1]);
            graph.edge(pair[1], pair[0]);
        }
        graph
    }

    fn edge(&mut self, winner: usize, loser: usize) {
        self.beat[winner].push(loser);
        self.lost_to[loser].push(winner);
    }

    fn reach(&self, root: usize, along_wins: bool) -> Vec<bool> {
        let lists = if along_wins { &self.beat } else { &self.lost_to };
        let mut seen = vec![false; lists.len()];
        let mut todo = vec![root];
        seen[root] = true;
        while let Some(i) = todo.pop() {
            for &next in &lists[i] {
                if !std::mem::replace(&mut seen[next], true) {
                    todo.push(next);
                }
            }
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::{connected, separation};
    use crate::{Cell, Counts};

    fn wins(n: usize, list: &[(u32, u32)]) -> Counts {
        Counts::from_cells(
            n,
            list.iter().map(|&(a, b)| Cell { a, b, wins_a: 1.0, ..Cell::default() }),
        )
    }

    #[test]
    fn components_are_numbered_by_first_member() {
        let found = connected(&wins(5, &[(3, 1), (0, 4)]), &[]);
        assert_eq!(found.label, [0, 1, 2, 1, 0]);
        assert_eq!(connected(&wins(5, &[(3, 1), (0, 4)]), &[0, 1]).count, 2);
    }

    #[test]
    fn a_cycle_is_not_separated_and_a_chain_is() {
        assert_eq!(separation(&wins(3, &[(0, 1), (1, 2), (2, 0)]), &[]), None);
        let found = separation(&wins(3, &[(0, 1), (1, 2)]), &[]).unwrap();
        assert_eq!((found.above, found.below), (vec![0], vec![1, 2]));
        let found = separation(&wins(3, &[(1, 0), (2, 1)]), &[]).unwrap();
        assert_eq!((found.above, found.below), (vec![1, 2], vec![0]));
    }

    #[test]
    fn a_tie_joins_both_ways() {
        let tie = Cell { a: 0, b: 1, ties: 1.0, ..Cell::default() };
        assert_eq!(separation(&Counts::from_cells(2, [tie]), &[]), None);
    }
}
