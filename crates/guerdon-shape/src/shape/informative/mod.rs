//! Designs a reward that teaches fast: few non-zero states, clear margins, and the same best policy as before.
//!
//! # Formula
//!
//! ```text
//! evaluate      I(R) = Σ_s μ(s) Σ_a π(a|s) · A*(s,a) · A_h(s,a | R)
//! adaptive      the R that maximises I(R)
//! invariant_lp  the R that minimises Σ_s,a max(0, margin − A-gap_h(s,a | R)), the gap of the best action over a in h steps
//! both subject to  Q_R(s, π*(s)) − Q_R(s, a) ≥ keep · (Q*(s, π*(s)) − Q*(s, a)),  |R| ≤ most,
//!                  R = 0 outside the states with a reward before and `budget` more, chosen one by one
//! ```
//!
//! `π` is the learner's policy (uniform when not given), `μ` how often it visits each state (discounted, from an even
//! start), `A*` the advantage under the true reward, `A_h` the learner's advantage over `horizon` steps under R, `π*` the
//! best policy. All Q and A are linear in R, so the design is a linear program.
//!
//! # When to use it
//!
//! For tabular tasks (grids, chains, dialogue flows) with sparse rewards, and to measure how informative a hand-made
//! reward is for a given learner. Deep learners are left to the lab.
//!
//! # Departures
//!
//! The thesis has no public code that we could read: a worked number is reproduced, and every design is checked by exact
//! planning. The hinge of `invariant_lp` uses one horizon, the thesis several. States are added greedily.
//!
//! # Example
//!
//! ```yaml
//! use: shape.informative
//! kind: adaptive
//! horizon: 1
//! budget: 3
//! ```
//!
//! ```
//! use guerdon_core::method::Function as _;
//! use guerdon_shape::shape::informative::{Informative, Input, Kind, Mdp};
//! let mdp = Mdp { transitions: vec![vec![vec![0.0], vec![0.0]]], rewards: vec![vec![0.0, -1.0]], gamma: 0.0 };
//! let input = Input { mdp, policy: Vec::new(), reward: vec![vec![1.0, 0.0]] };
//! let evaluate = Informative { kind: Kind::Evaluate, ..Informative::default() };
//! assert_eq!(evaluate.call(&input, 0).unwrap().informativeness, 0.25);
//! ```
//!
//! # References
//!
//! Devidze, "Reward Design for Reinforcement Learning Agents", 2025 (EXPRD, `ExpAdaRD`).

mod mdp;

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use microlp::{ComparisonOp, LinearExpr, OptimizationDirection, Problem, Variable};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use mdp::Linear;
pub use mdp::Mdp;

/// The longest horizon.
const MOST_STEPS: usize = 1000;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Measure the reward that is given.
    Evaluate,
    /// Design the reward that teaches this learner most.
    #[default]
    Adaptive,
    /// Design a reward with clear margins over a short horizon.
    InvariantLp,
}

/// Parameters of `shape.informative`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Informative {
    /// What is done. Default `adaptive`.
    pub kind: Kind,
    /// Steps h that the learner looks ahead. 1 to 1000; default 1.
    pub horizon: usize,
    /// States that get a reward besides those that have one. Default 5.
    pub budget: usize,
    /// Greatest size of a designed reward. Greater than 0; default: the greatest of the true rewards.
    pub most: Option<f64>,
    /// Share of the true margins that is kept. 0 to 1; default 0.5.
    pub keep: f64,
    /// Margin that `invariant_lp` aims at, in units of reward. At least 0; default 1.
    pub margin: f64,
}

impl Default for Informative {
    fn default() -> Self {
        Self { kind: Kind::Adaptive, horizon: 1, budget: 5, most: None, keep: 0.5, margin: 1.0 }
    }
}

impl Params for Informative {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("horizon", self.horizon as f64, 1.0, MOST_STEPS as f64)?;
        ParamError::positive("most", self.most.unwrap_or(1.0))?;
        ParamError::in_range("keep", self.keep, 0.0, 1.0)?;
        ParamError::in_range("margin", self.margin, 0.0, f64::INFINITY)
    }
}

/// A task, a learner, and for `evaluate` a reward.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The task with its true reward.
    pub mdp: Mdp,
    /// The learner's policy: `policy[state][action]`, each row sums to 1. Default: uniform.
    #[serde(default)]
    pub policy: Vec<Vec<f64>>,
    /// The reward to measure, for `evaluate`: `reward[state][action]`. Default: the true one.
    #[serde(default)]
    pub reward: Vec<Vec<f64>>,
}

/// A reward and how much it teaches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The reward: `reward[state][action]`.
    pub reward: Vec<Vec<f64>>,
    /// I(R) for the given learner.
    pub informativeness: f64,
    /// The states with a reward, ascending.
    pub states: Vec<usize>,
    /// Whether the best policy of the true reward is still a best one, by exact planning.
    pub invariant: bool,
}

/// What the design needs to know, worked out once.
struct Task<'a> {
    params: &'a Informative,
    mdp: &'a Mdp,
    best: Vec<usize>,
    gaps: Vec<Vec<f64>>,
    /// How Q of the best policy depends on R.
    best_q: Linear,
    /// How the h-step Q of the best policy depends on R.
    short_q: Linear,
    /// How I depends on R.
    objective: Vec<f64>,
    most: f64,
}

impl<'a> Task<'a> {
    fn new(params: &'a Informative, mdp: &'a Mdp, policy: &[Vec<f64>]) -> Self {
        let q = mdp.best_q(&mdp.rewards);
        let best = Mdp::greedy(&q);
        let (states, actions) = mdp.size();
        let target: Vec<Vec<f64>> = best
            .iter()
            .map(|b| (0..actions).map(|a| f64::from(u8::from(a == *b))).collect())
            .collect();
        let gaps = (0..states)
            .map(|s| q[s].iter().map(|v| (q[s][best[s]] - v).max(0.0)).collect())
            .collect();
        let largest = mdp.rewards.iter().flatten().fold(0.0, |m, r| f64::max(m, r.abs()));
        let mut task = Self {
            params,
            mdp,
            gaps,
            best_q: mdp.q(&target, mdp.endless()),
            short_q: mdp.q(&target, params.horizon),
            objective: Vec::new(),
            most: params.most.unwrap_or(largest),
            best,
        };
        task.objective = task.informativeness(policy);
        task
    }

    /// How I depends on the reward of every pair.
    fn informativeness(&self, policy: &[Vec<f64>]) -> Vec<f64> {
        let (states, actions) = self.mdp.size();
        let visits = self.mdp.visits(policy);
        let q = self.mdp.q(policy, self.params.horizon);
        let mut out = vec![0.0; states * actions];
        for s in 0..states {
            let mean =
                |j: usize| (0..actions).map(|a| policy[s][a] * q[s * actions + a][j]).sum::<f64>();
            let means: Vec<f64> = (0..out.len()).map(mean).collect();
            for a in 0..actions {
                let weight = visits[s] * policy[s][a] * -self.gaps[s][a];
                let row = &q[s * actions + a];
                out.iter_mut()
                    .zip(row.iter().zip(&means))
                    .for_each(|(o, (c, m))| *o += weight * (c - m));
            }
        }
        out
    }

    fn measure(&self, reward: &[Vec<f64>]) -> f64 {
        reward.iter().flatten().zip(&self.objective).map(|(r, o)| r * o).sum()
    }

    /// The best reward that is zero outside `states`, with its objective; none where the constraints cannot be met.
    fn solve(&self, states: &[usize]) -> Option<(Vec<Vec<f64>>, f64)> {
        let (_, actions) = self.mdp.size();
        let lp = self.params.kind == Kind::InvariantLp;
        let mut problem = Problem::new(OptimizationDirection::Maximize);
        let mut variables: Vec<Option<Variable>> = vec![None; self.objective.len()];
        for s in states {
            let pairs = s * actions..(s + 1) * actions;
            for (variable, own) in variables[pairs.clone()].iter_mut().zip(&self.objective[pairs]) {
                let weight = if lp { 0.0 } else { *own };
                *variable = Some(problem.add_var(weight, (-self.most, self.most)));
            }
        }
        self.constrain(&mut problem, &variables, lp);
        let solution = problem.solve().ok()?.into_solution().ok()?;
        let value = |pair: usize| variables[pair].map_or(0.0, |v| solution.var_value(v));
        let reward = (0..self.mdp.size().0)
            .map(|s| (0..actions).map(|a| value(s * actions + a)).collect())
            .collect();
        Some((reward, solution.objective()))
    }

    fn constrain(&self, problem: &mut Problem, variables: &[Option<Variable>], lp: bool) {
        let (states, actions) = self.mdp.size();
        for s in 0..states {
            for a in (0..actions).filter(|a| *a != self.best[s]) {
                let gap = |q: &Linear| {
                    let (best, other) = (&q[s * actions + self.best[s]], &q[s * actions + a]);
                    let mut row = LinearExpr::empty();
                    for (pair, variable) in variables.iter().enumerate() {
                        if let Some(variable) = variable {
                            row.add(*variable, best[pair] - other[pair]);
                        }
                    }
                    row
                };
                problem.add_constraint(
                    gap(&self.best_q),
                    ComparisonOp::Ge,
                    self.params.keep * self.gaps[s][a],
                );
                if lp {
                    let short = problem.add_var(-1.0, (0.0, f64::INFINITY));
                    let mut row = gap(&self.short_q);
                    row.add(short, 1.0);
                    problem.add_constraint(row, ComparisonOp::Ge, self.params.margin);
                }
            }
        }
    }

    /// Adds states one by one, each time the one that helps most.
    fn design(&self) -> Result<(Vec<Vec<f64>>, Vec<usize>), MethodError> {
        let n = self.mdp.size().0;
        let mut states: Vec<usize> =
            (0..n).filter(|s| self.mdp.rewards[*s].iter().any(|r| *r != 0.0)).collect();
        let infeasible = || {
            MethodError::domain(
                "no reward keeps the best policy with these margins: lower `keep`, or raise `most`",
            )
        };
        let mut found = self.solve(&states).ok_or_else(infeasible)?;
        for _ in 0..self.params.budget {
            let tries = (0..n).filter(|s| !states.contains(s)).filter_map(|s| {
                let more: Vec<usize> = states.iter().copied().chain([s]).collect();
                Some((s, self.solve(&more)?))
            });
            let best =
                tries.reduce(|best, next| if next.1.1 > best.1.1 + 1e-9 { next } else { best });
            match best {
                Some((s, better)) if better.1 > found.1 + 1e-9 => {
                    states.push(s);
                    found = better;
                }
                _ => break,
            }
        }
        Ok((found.0, states))
    }

    fn is_invariant(&self, reward: &[Vec<f64>]) -> bool {
        let q = self.mdp.best_q(reward);
        q.iter().zip(&self.best).all(|(row, best)| row.iter().all(|v| row[*best] >= v - 1e-6))
    }
}

impl Function for Informative {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        input.mdp.check()?;
        let (states, actions) = input.mdp.size();
        let uniform = vec![vec![1.0 / actions as f64; actions]; states];
        let policy = if input.policy.is_empty() { &uniform } else { &input.policy };
        table("policy", policy, states, actions)?;
        if let Some(row) = policy
            .iter()
            .find(|r| r.iter().any(|p| *p < 0.0) || (r.iter().sum::<f64>() - 1.0).abs() > 1e-6)
        {
            return Err(MethodError::domain(format!(
                "a row of `policy` is no distribution: {row:?}"
            )));
        }
        let task = Task::new(self, &input.mdp, policy);
        let reward = if self.kind != Kind::Evaluate {
            task.design()?.0
        } else if input.reward.is_empty() {
            input.mdp.rewards.clone()
        } else {
            input.reward.clone()
        };
        table("reward", &reward, states, actions)?;
        let rewarded = (0..states).filter(|s| reward[*s].iter().any(|r| r.abs() > 1e-12)).collect();
        let informativeness = task.measure(&reward);
        MethodError::all_finite("informativeness", &[informativeness])?;
        Ok(Output {
            informativeness,
            states: rewarded,
            invariant: task.is_invariant(&reward),
            reward,
        })
    }
}

/// Checks that a table has a finite number per state and action.
fn table(name: &str, rows: &[Vec<f64>], states: usize, actions: usize) -> Result<(), MethodError> {
    MethodError::same_length((name, rows.len()), ("states", states))?;
    for row in rows {
        MethodError::same_length((name, row.len()), ("actions", actions))?;
        MethodError::all_finite(name, row)?;
    }
    Ok(())
}

guerdon_core::method! {
    Informative: Function,
    id: "shape.informative",
    papers: ["reward-design-thesis-2025"],
    status: Verified(Worked("two actions: informativeness 0.25, 0 for a constant; designs checked by exact planning")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"mdp": {"transitions": [[[0.0], [0.0]]], "rewards": [[0.0, -1.0]], "gamma": 0.0}}"#,
        r#"{"mdp": {"transitions": [[[1, 0], [0, 1]], [[1, 0], [0, 0]]], "rewards": [[0, 0], [0, 1]], "gamma": 0.9}}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Informative, Input, Kind, Mdp};
    use guerdon_core::method::Function as _;

    fn bandit() -> Mdp {
        Mdp {
            transitions: vec![vec![vec![0.0], vec![0.0]]],
            rewards: vec![vec![0.0, -1.0]],
            gamma: 0.0,
        }
    }

    /// Left and right on a line; the reward is for going right at the end.
    fn chain(n: usize) -> Mdp {
        let to = |next: usize| (0..n).map(|s| f64::from(u8::from(s == next))).collect::<Vec<f64>>();
        let transitions = (0..n).map(|s| {
            vec![to(s.saturating_sub(1)), if s + 1 < n { to(s + 1) } else { vec![0.0; n] }]
        });
        let rewards = (0..n).map(|s| vec![0.0, f64::from(u8::from(s + 1 == n))]).collect();
        Mdp { transitions: transitions.collect(), rewards, gamma: 0.9 }
    }

    fn run(params: &Informative, mdp: Mdp, reward: Vec<Vec<f64>>) -> super::Output {
        params.call(&Input { mdp, policy: Vec::new(), reward }, 0).unwrap()
    }

    #[test]
    fn worked_numbers() {
        let evaluate = Informative { kind: Kind::Evaluate, ..Informative::default() };
        assert_eq!(run(&evaluate, bandit(), vec![vec![1.0, 0.0]]).informativeness, 0.25);
        assert_eq!(run(&evaluate, bandit(), vec![vec![1.0, 1.0]]).informativeness, 0.0);
    }

    #[test]
    fn designs_teach_more_and_keep_the_best_policy() {
        let evaluate = Informative { kind: Kind::Evaluate, ..Informative::default() };
        let before = run(&evaluate, chain(6), Vec::new());
        for kind in [Kind::Adaptive, Kind::InvariantLp] {
            let design = run(
                &Informative { kind, budget: 3, ..Informative::default() },
                chain(6),
                Vec::new(),
            );
            assert!(design.invariant && design.states.len() <= 4, "{design:?}");
            assert!(design.informativeness > before.informativeness, "{kind:?}: {design:?}");
        }
    }

    #[test]
    fn what_is_no_process_is_refused() {
        let mut broken = bandit();
        broken.transitions[0][0] = vec![1.5];
        assert!(
            Informative::default()
                .call(&Input { mdp: broken, policy: Vec::new(), reward: Vec::new() }, 0)
                .is_err()
        );
        let empty = Mdp { transitions: Vec::new(), rewards: Vec::new(), gamma: 0.5 };
        assert!(
            Informative::default()
                .call(&Input { mdp: empty, policy: Vec::new(), reward: Vec::new() }, 0)
                .is_err()
        );
    }
}
