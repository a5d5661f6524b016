//! Preference pairs from a search tree: siblings of different value, the better one chosen.
//!
//! Siblings share their prefix, so a pair says exactly which step was better there.
//!
//! # Formula
//!
//! ```text
//! (chosen, rejected) = siblings a, b with V_a − V_b > margin
//! V = the node's own value, or the mean of its children's
//! ```
//!
//! `rule: all` takes every such pair of siblings, `best_worst` only the best against the worst of each parent,
//! `against_best` the best against each of the others. Ties in value go by order.
//!
//! # When to use it
//!
//! After a tree search with values from a judge, an environment or rollouts: action pairs (a step on a good path over a tried
//! sibling) and state pairs (the true next state over a wrong one) are the same rule on two trees.
//!
//! # Departures
//!
//! None.
//!
//! # Example
//!
//! ```yaml
//! use: data.tree_pairs
//! rule: against_best
//! margin: 0.1
//! ```
//!
//! ```
//! use guerdon_model::data::tree_pairs::{Node, TreePairs};
//! let node = |parent, value| Node { parent, value };
//! let tree = [node(None, None), node(Some(0), Some(1.0)), node(Some(0), Some(0.0))];
//! let pairs = TreePairs::default().pairs(&tree).unwrap();
//! assert_eq!((pairs[0].parent, pairs[0].chosen, pairs[0].rejected), (0, 1, 2));
//! ```
//!
//! # References
//!
//! Wang et al., "World Modeling Makes a Better Planner: Dual Preference Optimization for Embodied Task Planning", 2025.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which siblings are paired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Every two of them.
    All,
    /// The best and the worst.
    BestWorst,
    /// The best and each other one.
    #[default]
    AgainstBest,
}

/// Parameters of `data.tree_pairs`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TreePairs {
    /// Which siblings are paired. Default `against_best`.
    pub rule: Rule,
    /// The difference of value that a pair must exceed, in units of value. At least 0; default 0.
    pub margin: f64,
}

impl Params for TreePairs {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("margin", self.margin, 0.0, f64::MAX)
    }
}

/// A node; its number is its place in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its parent, which stands before it in the list; null for a root.
    pub parent: Option<usize>,
    /// Its value; null where it follows from its children.
    #[serde(default)]
    pub value: Option<f64>,
}

/// Input of `data.tree_pairs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The nodes, parents before children.
    pub nodes: Vec<Node>,
}

/// A pair of siblings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pair {
    /// The node under which they stand.
    pub parent: usize,
    /// The better one.
    pub chosen: usize,
    /// The worse one.
    pub rejected: usize,
    /// The difference of their values.
    pub gap: f64,
}

/// Output of `data.tree_pairs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The pairs, parents in order.
    pub pairs: Vec<Pair>,
}

/// The most pairs that one tree may give.
const MAX_PAIRS: usize = 1_000_000;

impl TreePairs {
    /// The pairs of a tree whose parents stand before their children.
    pub fn pairs(&self, nodes: &[Node]) -> Result<Vec<Pair>, MethodError> {
        let children = children(nodes)?;
        let values = values(nodes, &children);
        let mut pairs = Vec::new();
        for (parent, own) in children.iter().enumerate() {
            let mut ranked: Vec<(usize, f64)> =
                own.iter().filter_map(|&c| Some((c, values[c]?))).collect();
            ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
            for (a, b) in self.chosen(ranked.len()) {
                let ((chosen, high), (rejected, low)) = (ranked[a], ranked[b]);
                let gap = high - low;
                if gap > self.margin && gap.is_finite() {
                    pairs.push(Pair { parent, chosen, rejected, gap });
                }
                if pairs.len() > MAX_PAIRS {
                    return Err(MethodError::Budget(format!(
                        "the tree gives more than {MAX_PAIRS} pairs"
                    )));
                }
            }
        }
        Ok(pairs)
    }

    /// Which two of `n` ranked siblings are paired.
    fn chosen(&self, n: usize) -> Vec<(usize, usize)> {
        match self.rule {
            _ if n < 2 => Vec::new(),
            Rule::BestWorst => vec![(0, n - 1)],
            Rule::AgainstBest => (1..n).map(|b| (0, b)).collect(),
            // Beyond the budget the rest is not listed: the first pairs already exceed it.
            Rule::All => {
                (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b))).take(MAX_PAIRS + 1).collect()
            }
        }
    }
}

fn children(nodes: &[Node]) -> Result<Vec<Vec<usize>>, MethodError> {
    let mut children = vec![Vec::new(); nodes.len()];
    for (i, node) in nodes.iter().enumerate() {
        match node.parent {
            Some(parent) if parent < i => children[parent].push(i),
            Some(parent) => {
                let message = format!(
                    "node {i} names node {parent} as its parent, which does not stand before it"
                );
                return Err(MethodError::domain(message));
            }
            None => {}
        }
    }
    Ok(children)
}

/// Each node's own value, or the mean of its children's values.
fn values(nodes: &[Node], children: &[Vec<usize>]) -> Vec<Option<f64>> {
    let mut values: Vec<Option<f64>> = nodes.iter().map(|node| node.value).collect();
    for i in (0..nodes.len()).rev() {
        let below: Vec<f64> = children[i].iter().filter_map(|&c| values[c]).collect();
        if values[i].is_none() && !below.is_empty() {
            values[i] = Some(below.iter().map(|v| v / below.len() as f64).sum());
        }
    }
    values
}

impl Function for TreePairs {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        Ok(Output { pairs: self.pairs(&input.nodes)? })
    }
}

guerdon_core::method! {
    TreePairs: Function,
    id: "data.tree_pairs",
    papers: ["d2po-2025", "srm-rewarding-2024", "tree-rm-2024"],
    status: Verified(Worked("a seven-node tree gives a fixed list of pairs")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"nodes": [{"parent": null}, {"parent": 0}, {"parent": 0}, {"parent": 1, "value": 1}, {"parent": 1, "value": 0},
            {"parent": 2, "value": 0.25}, {"parent": 2, "value": 0}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Node, Rule, TreePairs};

    const PARENTS: [Option<usize>; 7] =
        [None, Some(0), Some(0), Some(1), Some(1), Some(2), Some(2)];
    const VALUES: [Option<f64>; 7] =
        [None, None, None, Some(1.0), Some(0.0), Some(0.25), Some(0.0)];

    fn check(params: &TreePairs, expect: &[(usize, usize, usize)]) {
        let nodes: Vec<Node> =
            PARENTS.into_iter().zip(VALUES).map(|(parent, value)| Node { parent, value }).collect();
        let pairs = params.pairs(&nodes).unwrap();
        let own: Vec<_> = pairs.iter().map(|p| (p.parent, p.chosen, p.rejected)).collect();
        assert_eq!(own, expect);
    }

    #[test]
    fn seven_nodes() {
        check(&TreePairs::default(), &[(0, 1, 2), (1, 3, 4), (2, 5, 6)]);
        check(&TreePairs { margin: 0.3, ..TreePairs::default() }, &[(0, 1, 2), (1, 3, 4)]);
    }

    #[test]
    fn three_siblings_by_each_rule() {
        let node = |value| Node { parent: Some(0), value: Some(value) };
        let nodes = [Node { parent: None, value: None }, node(0.0), node(2.0), node(1.0)];
        let count = |rule| TreePairs { rule, margin: 0.0 }.pairs(&nodes).unwrap().len();
        assert_eq!((count(Rule::All), count(Rule::BestWorst), count(Rule::AgainstBest)), (3, 1, 2));
    }

    #[test]
    fn a_parent_must_stand_before_its_child() {
        assert!(TreePairs::default().pairs(&[Node { parent: Some(0), value: None }]).is_err());
    }
}
