//! Checks that a question made of constraints has exactly one answer, and that no constraint gives it away.
//!
//! A hard question is an intersection of sets, some of which come from sub-questions that must be solved first.
//!
//! # Formula
//!
//! ```text
//! solve(n) = ⋂ own sets of n  ∩  ⋂ over children c: { e : some solution of c leads to e }
//! unique           solve(root) has one element
//! under-determined solve(root) has several: a constraint is missing
//! over-determined  solve(root) is empty
//! shortcut         a single constraint of some node has one element: it gives that node's answer away alone
//! redundant        a constraint of some node without which the node's answer is the same
//! ```
//!
//! # When to use it
//!
//! To accept or reject synthesised research questions. Reject shortcuts: a solver that follows one link answers them.
//!
//! # Departures
//!
//! Building the tree from documents and putting it into words are left out; this is the check that the construction needs.
//!
//! # Example
//!
//! ```yaml
//! use: data.constraint_tree
//! min_constraints: 2
//! ```
//!
//! ```
//! use guerdon_model::data::constraint_tree::{ConstraintTree, Node, Verdict};
//! let sets = [vec!["a", "b", "c"], vec!["b", "c", "d"], vec!["c", "e"]];
//! let node = Node { sets: sets.map(|s| s.into_iter().map(String::from).collect()).to_vec(), ..Node::default() };
//! let own = ConstraintTree::default().check(&[node]).unwrap();
//! assert_eq!((own.verdict, own.answers), (Verdict::Unique, vec!["c".to_owned()]));
//! ```
//!
//! # References
//!
//! Xia et al., "Open Data Synthesis For Deep Research", 2025 (`InfoSeek`), section 3.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Parameters of `data.constraint_tree`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConstraintTree {
    /// The least number of constraints (own sets and sub-questions) of every node. At least 1; default 2.
    pub min_constraints: usize,
    /// The greatest depth, the root counting as 1. 1 to 64; default 8.
    pub depth: usize,
    /// The most sub-questions of a node. Default 8.
    pub branching: usize,
}

impl Default for ConstraintTree {
    fn default() -> Self {
        Self { min_constraints: 2, depth: 8, branching: 8 }
    }
}

impl Params for ConstraintTree {
    fn validate(&self) -> Result<(), ParamError> {
        if self.min_constraints == 0 {
            return Err(ParamError::new(
                "min_constraints",
                "`min_constraints` must be at least 1, not 0",
            ));
        }
        if !(1..=64).contains(&self.depth) {
            return Err(ParamError::new(
                "depth",
                format!("`depth` must be between 1 and 64, not {}", self.depth),
            ));
        }
        Ok(())
    }
}

/// A question or sub-question; its number is its place in the list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Node {
    /// The question that this one helps to solve, which stands before it; null for the root, the first node.
    pub parent: Option<usize>,
    /// What each solution of this node leads to in its parent; empty for the root.
    pub links: BTreeMap<String, Vec<String>>,
    /// The entities that satisfy each direct constraint.
    pub sets: Vec<Vec<String>>,
}

/// Input of `data.constraint_tree`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The nodes, the root first, parents before children.
    pub nodes: Vec<Node>,
}

/// What is to be said of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// One answer, and no constraint gives it away.
    Unique,
    /// Several answers.
    UnderDetermined,
    /// No answer.
    OverDetermined,
    /// One answer, but a single constraint gives it (or that of a sub-question) away.
    Shortcut,
    /// A node has fewer constraints than asked for.
    TooFew,
}

/// Output of `data.constraint_tree`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// What is to be said of the question.
    pub verdict: Verdict,
    /// The answers, in alphabetical order.
    pub answers: Vec<String>,
    /// The node with a shortcut or with too few constraints; null when there is none.
    pub node: Option<usize>,
    /// Node and constraint (own sets first, then sub-questions) of each constraint that changes nothing.
    pub redundant: Vec<(usize, usize)>,
}

/// The most direct constraints of a node.
const MAX_SETS: usize = 64;

type Set<'a> = BTreeSet<&'a str>;

impl ConstraintTree {
    /// Checks the question whose root is the first of `nodes`.
    pub fn check(&self, nodes: &[Node]) -> Result<Output, MethodError> {
        let children = self.children(nodes)?;
        if let Some(node) = (0..nodes.len()).find(|&i| nodes[i].sets.len() > MAX_SETS) {
            let message = format!(
                "node {node} has {} sets; at most {MAX_SETS} are read",
                nodes[node].sets.len()
            );
            return Err(MethodError::Budget(message));
        }
        let mut constraints: Vec<Vec<Set<'_>>> = vec![Vec::new(); nodes.len()];
        let mut answers: Vec<Set<'_>> = vec![Set::new(); nodes.len()];
        for i in (0..nodes.len()).rev() {
            let own = nodes[i].sets.iter().map(|set| set.iter().map(String::as_str).collect());
            let asked = children[i].iter().map(|&c| reached(&nodes[c], &answers[c]));
            constraints[i] = own.chain(asked).collect();
            answers[i] = intersection(&constraints[i], None);
        }
        let few = constraints.iter().position(|own| own.len() < self.min_constraints);
        let shortcut = constraints
            .iter()
            .position(|own| own.len() > 1 && own.iter().any(|set| set.len() == 1));
        let (verdict, node) = match (answers.first().map_or(0, Set::len), few, shortcut) {
            (_, Some(node), _) => (Verdict::TooFew, Some(node)),
            (0, ..) => (Verdict::OverDetermined, None),
            (1, None, None) => (Verdict::Unique, None),
            (1, None, Some(node)) => (Verdict::Shortcut, Some(node)),
            _ => (Verdict::UnderDetermined, None),
        };
        let first = answers
            .first()
            .map(|set| set.iter().map(|e| (*e).to_owned()).collect())
            .unwrap_or_default();
        Ok(Output { verdict, answers: first, node, redundant: redundant(&constraints, &answers) })
    }

    fn children(&self, nodes: &[Node]) -> Result<Vec<Vec<usize>>, MethodError> {
        let mut children = vec![Vec::new(); nodes.len()];
        let mut depth = vec![1; nodes.len()];
        for (i, node) in nodes.iter().enumerate() {
            match node.parent {
                None if i == 0 => {}
                Some(parent) if parent < i => {
                    children[parent].push(i);
                    depth[i] = depth[parent] + 1;
                    if depth[i] > self.depth || children[parent].len() > self.branching {
                        let (deep, broad) = (self.depth, self.branching);
                        let message = format!(
                            "the tree is deeper than {deep} or broader than {broad} at node {i}"
                        );
                        return Err(MethodError::Budget(message));
                    }
                }
                _ => {
                    return Err(MethodError::domain(format!(
                        "node {i} must name a parent that stands before it"
                    )));
                }
            }
        }
        Ok(children)
    }
}

/// What the solutions of a sub-question lead to.
fn reached<'a>(node: &'a Node, solutions: &Set<'a>) -> Set<'a> {
    let targets = solutions.iter().filter_map(|solution| node.links.get(*solution));
    targets.flatten().map(String::as_str).collect()
}

/// The intersection of all sets but `without`; nothing for no sets.
fn intersection<'a>(sets: &[Set<'a>], without: Option<usize>) -> Set<'a> {
    let own = sets.iter().enumerate().filter(|(k, _)| Some(*k) != without).map(|(_, set)| set);
    own.cloned().reduce(|a, b| a.intersection(&b).copied().collect()).unwrap_or_default()
}

fn redundant(constraints: &[Vec<Set<'_>>], answers: &[Set<'_>]) -> Vec<(usize, usize)> {
    let changes_nothing = |node: usize, k: usize| {
        constraints[node].len() > 1 && intersection(&constraints[node], Some(k)) == answers[node]
    };
    let all = |node: usize| (0..constraints[node].len()).map(move |k| (node, k));
    (0..constraints.len()).flat_map(all).filter(|&(node, k)| changes_nothing(node, k)).collect()
}

impl Function for ConstraintTree {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        self.check(&input.nodes)
    }
}

guerdon_core::method! {
    ConstraintTree: Function,
    id: "data.constraint_tree",
    papers: ["infoseek-2025"],
    status: Verified(Worked("InfoSeek: three sets give c, two are under-determined, a set with one element is a shortcut")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"nodes": [{"sets": [["a", "b", "c"], ["b", "c", "d"]]},
            {"parent": 0, "links": {"p": ["c", "e"], "q": ["f"]}, "sets": [["p", "q"], ["p", "r"]]}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{ConstraintTree, Node, Verdict};

    fn sets(own: &[&[&str]]) -> Vec<Vec<String>> {
        own.iter().map(|set| set.iter().map(|e| (*e).to_owned()).collect()).collect()
    }

    fn check(own: &[&[&str]], verdict: Verdict, answers: &[&str]) {
        let node = Node { sets: sets(own), ..Node::default() };
        let output = ConstraintTree::default().check(&[node]).unwrap();
        assert_eq!(
            (output.verdict, output.answers.iter().map(String::as_str).collect::<Vec<_>>()),
            (verdict, answers.to_vec())
        );
    }

    #[test]
    fn exactly_one_answer() {
        check(&[&["a", "b", "c"], &["b", "c", "d"], &["c", "e"]], Verdict::Unique, &["c"]);
        check(&[&["a", "b", "c"], &["b", "c", "d"]], Verdict::UnderDetermined, &["b", "c"]);
        check(&[&["a", "b", "c"], &["c"]], Verdict::Shortcut, &["c"]);
        check(&[&["a"], &["b"]], Verdict::OverDetermined, &[]);
        check(&[&["a"]], Verdict::TooFew, &["a"]);
    }

    #[test]
    fn a_sub_question_is_a_constraint() {
        let links = [("p".to_owned(), vec!["c".to_owned(), "e".to_owned()])].into();
        let root = Node { sets: sets(&[&["a", "b", "c"], &["b", "c", "d"]]), ..Node::default() };
        let child = Node { parent: Some(0), links, sets: sets(&[&["p", "q"], &["p", "r"]]) };
        let output = ConstraintTree::default().check(&[root, child]).unwrap();
        assert_eq!((output.verdict, output.answers), (Verdict::Unique, vec!["c".to_owned()]));
        assert_eq!(output.redundant, [(0, 0), (0, 1)]);
    }

    #[test]
    fn a_chain_that_is_too_deep_is_refused() {
        let chain: Vec<Node> =
            (0..9).map(|i: usize| Node { parent: i.checked_sub(1), ..Node::default() }).collect();
        assert!(ConstraintTree::default().check(&chain).is_err());
        assert!(ConstraintTree::default().check(&[]).is_ok());
    }
}
