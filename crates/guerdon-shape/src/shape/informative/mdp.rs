//! Small Markov decision processes as tables, and what is linear in their rewards.

use guerdon_core::MethodError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most pairs of state and action: the work grows with the third power.
pub(super) const MOST_PAIRS: usize = 128;

/// Steps after which nothing further is counted.
const MOST_STEPS: usize = 5000;

/// A decision process with few states and actions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mdp {
    /// Probability of every next state: `transitions[state][action][next]`. Each row sums to 1, or to less where the
    /// episode can end.
    pub transitions: Vec<Vec<Vec<f64>>>,
    /// The reward that is meant: `rewards[state][action]`. Finite.
    pub rewards: Vec<Vec<f64>>,
    /// Discount per step. 0 to below 1.
    pub gamma: f64,
}

/// For every pair of state and action, a number for every pair: how a value there depends on the rewards.
pub(super) type Linear = Vec<Vec<f64>>;

impl Mdp {
    /// Number of states and of actions.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.rewards.len(), self.rewards.first().map_or(0, Vec::len))
    }

    /// Checks shapes, probabilities and the budget.
    pub(super) fn check(&self) -> Result<(), MethodError> {
        let (states, actions) = self.size();
        if states * actions == 0 || states * actions > MOST_PAIRS {
            return Err(MethodError::Budget(format!(
                "{states} states × {actions} actions: 1 to {MOST_PAIRS} pairs are handled"
            )));
        }
        if !(0.0..1.0).contains(&self.gamma) {
            return Err(MethodError::domain(format!(
                "`gamma` must lie between 0 and below 1, not {}",
                self.gamma
            )));
        }
        MethodError::same_length(("transitions", self.transitions.len()), ("rewards", states))?;
        for (s, row) in self.rewards.iter().enumerate() {
            MethodError::same_length(("rewards of a state", row.len()), ("actions", actions))?;
            MethodError::all_finite("reward", row)?;
            MethodError::same_length(
                ("transitions of a state", self.transitions[s].len()),
                ("actions", actions),
            )?;
            for next in &self.transitions[s] {
                MethodError::same_length(("next states", next.len()), ("states", states))?;
                let sum: f64 = next.iter().sum();
                if next.iter().any(|p| !(0.0..=1.0).contains(p)) || sum > 1.0 + 1e-9 {
                    return Err(MethodError::domain(format!(
                        "transitions of state {s} are no probabilities: {next:?}"
                    )));
                }
            }
        }
        Ok(())
    }

    fn pair(&self, state: usize, action: usize) -> usize {
        state * self.size().1 + action
    }

    /// The expected action values of one more step: γ·P·π applied to `after`, plus the step's own reward.
    fn back(&self, after: &Linear, policy: &[Vec<f64>]) -> Linear {
        let (states, actions) = self.size();
        let n = states * actions;
        let value: Vec<Vec<f64>> = (0..states)
            .map(|s| {
                let mut mean = vec![0.0; n];
                for (a, p) in policy[s].iter().enumerate().filter(|(_, p)| **p != 0.0) {
                    mean.iter_mut().zip(&after[self.pair(s, a)]).for_each(|(m, c)| *m += p * c);
                }
                mean
            })
            .collect();
        let mut out = vec![vec![0.0; n]; n];
        for s in 0..states {
            for a in 0..actions {
                let row = &mut out[self.pair(s, a)];
                for (next, p) in
                    self.transitions[s][a].iter().enumerate().filter(|(_, p)| **p != 0.0)
                {
                    row.iter_mut().zip(&value[next]).for_each(|(o, v)| *o += self.gamma * p * v);
                }
                row[s * actions + a] += 1.0;
            }
        }
        out
    }

    /// How the action values of `policy` over `horizon` steps depend on the rewards.
    pub(super) fn q(&self, policy: &[Vec<f64>], horizon: usize) -> Linear {
        let n = self.size().0 * self.size().1;
        let mut q = vec![vec![0.0; n]; n];
        for _ in 0..horizon {
            q = self.back(&q, policy);
        }
        q
    }

    /// Steps after which the discount is below 1e-9: the horizon of "without end".
    pub(super) fn endless(&self) -> usize {
        let left = |steps: usize| self.gamma.powf(steps as f64);
        (1..MOST_STEPS).find(|steps| left(*steps) < 1e-9).unwrap_or(MOST_STEPS)
    }

    /// The best action values under `rewards`, by value iteration.
    pub(super) fn best_q(&self, rewards: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let (states, actions) = self.size();
        let mut q = rewards.to_vec();
        for _ in 0..self.endless() {
            let value: Vec<f64> =
                q.iter().map(|row| row.iter().copied().fold(f64::NEG_INFINITY, f64::max)).collect();
            for s in 0..states {
                for a in 0..actions {
                    let ahead: f64 =
                        self.transitions[s][a].iter().zip(&value).map(|(p, v)| p * v).sum();
                    q[s][a] = rewards[s][a] + self.gamma * ahead;
                }
            }
        }
        q
    }

    /// The first best action of every state.
    pub(super) fn greedy(q: &[Vec<f64>]) -> Vec<usize> {
        q.iter()
            .map(|row| {
                (1..row.len()).fold(0, |best, a| if row[a] > row[best] + 1e-12 { a } else { best })
            })
            .collect()
    }

    /// How often each state is visited under `policy` from an even start, discounted and scaled to sum 1.
    pub(super) fn visits(&self, policy: &[Vec<f64>]) -> Vec<f64> {
        let (states, _) = self.size();
        let mut now = vec![1.0 / states as f64; states];
        let mut total = vec![0.0; states];
        for _ in 0..self.endless() {
            total.iter_mut().zip(&now).for_each(|(t, p)| *t += p);
            let mut next = vec![0.0; states];
            for s in 0..states {
                for (a, p) in policy[s].iter().enumerate() {
                    let moved = self.transitions[s][a].iter().map(|q| self.gamma * now[s] * p * q);
                    next.iter_mut().zip(moved).for_each(|(n, m)| *n += m);
                }
            }
            now = next;
        }
        let sum: f64 = total.iter().sum();
        total.iter().map(|t| t / sum).collect()
    }
}
