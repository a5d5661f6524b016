//! Tree advantage: rollouts that share prefixes form a tree, and each step is credited with the change of value it makes.
//!
//! A node's value is the mean reward of the rollouts below it, so shared prefixes give more evidence per token.
//!
//! # Formula
//!
//! ```text
//! V(n) = mean of r over the rollouts through n         A_k = V(n_k) − V(n_{k−1}) + weight · S(n_{k−1})
//! S(n) = I − beta · (H(w) − I)                         I = h(Σ_c w_c v_c) − Σ_c w_c h(v_c)
//! ```
//!
//! `n_0` is the root of the group and `n_k` the node after step `k`; the column that `path` names holds the steps as ids
//! joined by `/` (`0/2/1`), equal ids under the same parent being the same node. `c` runs over the children of `n` with
//! share `w_c` of the rollouts and success rate `v_c` (rewards clamped to 0 to 1); `H` is the entropy of `w` and `h` the
//! binary entropy, in nats. `S` is added with `bonus: ib`.
//!
//! # When to use it
//!
//! With rollouts sampled as a tree. The steps of a rollout sum to its reward less the group's mean (without bonus), so it is
//! `advantage.grpo` without division, spread over the steps that earned it.
//!
//! # Departures
//!
//! The paper's score is not public: `S` is our reading, diversity of the branches weighed against what they say about
//! success. The value per rollout is `r − μ`.
//!
//! # Example
//!
//! ```yaml
//! use: advantage.tree
//! path: path
//! ```
//!
//! ```
//! use guerdon_shape::advantage::tree::score;
//! let telling = score(&[0.5, 0.5], &[1.0, 0.0], 1.0);
//! assert!((telling - 2.0_f64.ln()).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! "Long Live The Balance: Information Bottleneck Driven Tree-based Policy Optimization", 2026 (IB-TPO).

use std::collections::BTreeMap;

use guerdon_core::Level;
use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Fine, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tokens;
use crate::moments::mean;

/// What a step is paid for besides the change of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bonus {
    /// Nothing.
    #[default]
    None,
    /// The information-bottleneck score of the node it leaves.
    Ib,
}

/// Parameters of `advantage.tree`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tree {
    /// Text column with the steps of each rollout as ids joined by `/`. Default `path`.
    pub path: String,
    /// What a step is paid for besides the change of value. Default `none`.
    pub bonus: Bonus,
    /// Weight of the bonus, in reward per nat. At least 0; default 0.1.
    pub weight: f64,
    /// Price of diversity that says nothing about success. At least 0; default 1.
    pub beta: f64,
}

impl Default for Tree {
    fn default() -> Self {
        Self { path: "path".to_owned(), bonus: Bonus::None, weight: 0.1, beta: 1.0 }
    }
}

impl Params for Tree {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("weight", self.weight, 0.0, f64::MAX)?;
        ParamError::in_range("beta", self.beta, 0.0, f64::MAX)
    }
}

/// The deepest path that is read.
const MAX_DEPTH: usize = 4096;

/// Score of a branching node: `I − beta · (H − I)`, in nats.
///
/// `shares` (summing to 1) and `rates` (0 to 1) have one value per child. Always `0 ≤ I ≤ min(H, ln 2)`.
pub fn score(shares: &[f64], rates: &[f64], beta: f64) -> f64 {
    let pairs = || shares.iter().zip(rates);
    let diversity: f64 = shares.iter().map(|w| entropy_term(*w)).sum();
    let mixed: f64 = pairs().map(|(w, v)| w * v).sum();
    let information =
        binary_entropy(mixed) - pairs().map(|(w, v)| w * binary_entropy(*v)).sum::<f64>();
    information - beta * (diversity - information)
}

fn entropy_term(p: f64) -> f64 {
    if p > 0.0 { -p * p.ln() } else { 0.0 }
}

fn binary_entropy(p: f64) -> f64 {
    entropy_term(p) + entropy_term(1.0 - p)
}

/// The credit of every step of every rollout of one group. `rewards` and `paths` have one value per rollout.
pub fn credits(
    rewards: &[f64],
    paths: &[Vec<&str>],
    bonus: impl Fn(&[f64], &[f64]) -> f64,
) -> Vec<Vec<f64>> {
    let mut credits: Vec<Vec<f64>> =
        paths.iter().map(|path| Vec::with_capacity(path.len())).collect();
    let depth = paths.iter().map(Vec::len).max().unwrap_or(0);
    // Rollouts that went the same way so far, level by level.
    let mut nodes: Vec<Vec<usize>> = vec![(0..paths.len()).collect()];
    for level in 0..depth {
        let mut next = Vec::new();
        for node in nodes {
            let mut children: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
            for &i in node.iter().filter(|i| paths[**i].len() > level) {
                children.entry(paths[i][level]).or_default().push(i);
            }
            let children: Vec<Vec<usize>> = children.into_values().collect();
            let extra = bonus_of(rewards, &children, &bonus);
            let before = value(rewards, &node);
            for child in children {
                let change = value(rewards, &child) - before + extra;
                for &i in &child {
                    credits[i].push(change);
                }
                next.push(child);
            }
        }
        nodes = next;
    }
    credits
}

fn value(rewards: &[f64], node: &[usize]) -> f64 {
    mean(&node.iter().map(|&i| rewards[i]).collect::<Vec<_>>())
}

fn bonus_of(
    rewards: &[f64],
    children: &[Vec<usize>],
    bonus: impl Fn(&[f64], &[f64]) -> f64,
) -> f64 {
    let total: usize = children.iter().map(Vec::len).sum();
    let shares: Vec<f64> = children.iter().map(|child| child.len() as f64 / total as f64).collect();
    let rates: Vec<f64> = children
        .iter()
        .map(|child| mean(&child.iter().map(|&i| rewards[i].clamp(0.0, 1.0)).collect::<Vec<_>>()))
        .collect();
    bonus(&shares, &rates)
}

impl Tree {
    fn bonus(&self, shares: &[f64], rates: &[f64]) -> f64 {
        match self.bonus {
            Bonus::Ib if shares.len() > 1 => self.weight * score(shares, rates, self.beta),
            _ => 0.0,
        }
    }
}

fn steps(path: Option<&String>) -> Result<Vec<&str>, MethodError> {
    let steps: Vec<&str> =
        path.map_or("", String::as_str).split('/').filter(|step| !step.is_empty()).collect();
    if steps.len() > MAX_DEPTH {
        return Err(MethodError::Budget(format!(
            "a path has {} steps; at most {MAX_DEPTH} are read",
            steps.len()
        )));
    }
    Ok(steps)
}

impl Transform for Tree {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        view.dense_fine(&[], |d| {
            let texts = if d.rows.is_empty() { &[][..] } else { view.frame.text(&self.path)? };
            let paths: Vec<Vec<&str>> =
                d.rows.iter().map(|&row| steps(texts[row].as_ref())).collect::<Result<_, _>>()?;
            let mut centred = d.values.clone();
            let mut all = Vec::with_capacity(centred.len());
            for range in d.groups.iter() {
                let rewards = &d.values[range.clone()];
                all.extend(credits(rewards, &paths[range.clone()], |w, v| self.bonus(w, v)));
                let mean = mean(rewards);
                centred[range].iter_mut().for_each(|value| *value -= mean);
            }
            let fine = Fine::from_rows(Level::Step, all.iter().map(Vec::as_slice));
            Ok((tokens::sound(centred, &fine), fine))
        })
    }

    fn reads(&self) -> Vec<String> {
        vec![self.path.clone()]
    }

    fn scope(&self) -> Scope {
        Scope::Group
    }
}

guerdon_core::method! {
    Tree: Transform,
    id: "advantage.tree",
    papers: ["ib-tpo-2026", "credit-survey-2026"],
    status: Verified(ClosedForm("credits of a path sum to r − μ; entropies of the two- and four-way nodes")),
    laws: [ShiftInvariant, OrderPreserving, ZeroMean, ConstantGroupZero, GroupLocal],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{credits, score};
    use std::f64::consts::LN_2;

    fn check_score(shares: &[f64], rates: &[f64], expect: (f64, f64)) {
        // With beta 0 the score is I; with beta −1 it would be H: the difference gives both.
        let information = score(shares, rates, 0.0);
        let diversity = 2.0 * information - score(shares, rates, 1.0);
        assert!((diversity - expect.0).abs() < 1e-5 && (information - expect.1).abs() < 1e-5);
        assert!(information >= -1e-15 && information <= diversity.min(LN_2) + 1e-12);
    }

    #[test]
    fn information_of_branches() {
        check_score(&[0.5, 0.5], &[1.0, 0.0], (LN_2, LN_2));
        check_score(&[0.5, 0.5], &[0.5, 0.5], (LN_2, 0.0));
        check_score(&[0.25; 4], &[1.0, 0.5, 0.5, 0.0], (1.38629, 0.34657));
    }

    #[test]
    fn a_step_is_credited_with_the_change_of_value() {
        let paths = [vec!["a", "x"], vec!["a", "y"], vec!["b"], vec!["b"]];
        let own = credits(&[1.0, 0.0, 0.0, 0.0], &paths, |_, _| 0.0);
        assert_eq!(own, [vec![0.25, 0.5], vec![0.25, -0.5], vec![-0.25], vec![-0.25]]);
        assert_eq!(own[0].iter().sum::<f64>(), 0.75);
    }

    #[test]
    fn paths_without_a_shared_step_reduce_to_dr_grpo() {
        let own = credits(&[1.0, 0.0], &[vec!["a"], vec!["b"]], |_, _| 0.0);
        assert_eq!(own, [vec![0.5], vec![-0.5]]);
    }

    #[test]
    fn a_bonus_is_paid_for_leaving_a_branching_node() {
        let own = credits(&[1.0, 0.0], &[vec!["a"], vec!["b"]], |w, v| 0.1 * score(w, v, 1.0));
        assert!((own[0][0] - 0.5 - 0.069_315).abs() < 1e-6);
    }
}
