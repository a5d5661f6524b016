//! Preference as reward: how likely the rollout beats reference rollouts of the same prompt.
//!
//! A learned reward model is trained to rank, so the difference to a reference means more than the raw score, and a
//! bounded curve keeps a policy from chasing ever greater scores.
//!
//! # Formula
//!
//! ```text
//! r'_i = (1 / |R|) · Σ_{j ∈ R} f(k · (r_i − r_j − shift))
//! ```
//!
//! `r_i` is the reward of rollout `i`, `R` its references, `k` the slope, and `f` the curve: `sigmoid` (the logistic
//! function), `tanh`, `arctan`, or `poly5`, the least-squares polynomial of degree five through the logistic function on
//! [−5, 5], 0 and 1 outside. The references are the values of the columns named by `references` (a column may hold one value or a list;
//! at most `max_refs` are taken), or, without any, the other rollouts of the group. A group of one without references
//! gets f(0). With `include_self` the rollout is among its own references: the result is its win probability in the group.
//!
//! # When to use it
//!
//! With unbounded scores of a reward model, under PPO or GRPO. Not with 0/1 rewards: there it only shrinks the spread.
//! `uncentred` and `shift: 3` are control arms of the paper's study; both do worse.
//!
//! # Departures
//!
//! The paper's references are completions of the initial policy; the other rollouts of the group are ours (VPL scales
//! rewards so, the rollout included). The polynomial's coefficients are our least-squares fit at 100 points, which is how
//! the authors' code obtains theirs; that code was read, and its other curves agree.
//!
//! # Example
//!
//! ```yaml
//! use: shape.par
//! references: reference_score
//! ```
//!
//! ```
//! use guerdon_shape::shape::par::Par;
//! let par = Par::default();
//! assert_eq!(par.against(2.0, &[2.0]), 0.5);
//! ```
//!
//! # References
//!
//! Fu et al., "Reward Shaping to Mitigate Reward Hacking in RLHF", 2025, section 4. Poddar et al., "Personalizing
//! Reinforcement Learning from Human Feedback with Variational Preference Learning", 2024 (win probability).

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Groups, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::curve::{poly5, sigmoid};
use super::reference::{References, names};

/// The most comparisons within one group.
const MAX_COMPARISONS: usize = 200_000_000;

/// The bounded curve that a difference goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Curve {
    /// The logistic function, from 0 to 1.
    #[default]
    Sigmoid,
    /// From −1 to 1.
    Tanh,
    /// From −π/2 to π/2.
    Arctan,
    /// A polynomial fitted to the logistic function.
    Poly5,
}

/// Parameters of `shape.par`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Par {
    /// Columns with the scores of reference completions: a name or a list. Default: the other rollouts of the group.
    #[serde(alias = "reference", deserialize_with = "names")]
    pub references: Vec<String>,
    /// The most references of a rollout that count, the first ones. At least 1; default: all.
    pub max_refs: Option<usize>,
    /// The bounded curve. Default `sigmoid`.
    pub curve: Curve,
    /// Slope: the inverse of the score difference that counts as one logit. Greater than 0; default 1.
    pub k: f64,
    /// Taken off every difference, in units of reward. Finite; default 0.
    pub shift: f64,
    /// Whether a rollout counts among its own references within the group. Default false.
    pub include_self: bool,
    /// Whether the curve is applied to the reward itself, without references. Default false.
    pub uncentred: bool,
}

impl Default for Par {
    fn default() -> Self {
        Self {
            references: Vec::new(),
            max_refs: None,
            curve: Curve::Sigmoid,
            k: 1.0,
            shift: 0.0,
            include_self: false,
            uncentred: false,
        }
    }
}

impl Params for Par {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("k", self.k)?;
        ParamError::in_range("shift", self.shift, f64::NEG_INFINITY, f64::INFINITY)?;
        if self.uncentred && !self.references.is_empty() {
            return Err(ParamError::new(
                "uncentred",
                "`uncentred` uses no `references`: give one of the two",
            ));
        }
        self.max_refs
            .map_or(Ok(()), |n| ParamError::in_range("max_refs", n as f64, 1.0, f64::INFINITY))
    }
}

impl Par {
    /// The curve at the difference `d`.
    fn bend(&self, d: f64) -> f64 {
        let z = self.k * (d - self.shift);
        match self.curve {
            Curve::Sigmoid => sigmoid(z),
            Curve::Tanh => z.tanh(),
            Curve::Arctan => z.atan(),
            Curve::Poly5 => poly5(z),
        }
    }

    /// Mean of the curve over the differences to `references`; the curve at 0 without any.
    pub fn against(&self, reward: f64, references: &[f64]) -> f64 {
        if references.is_empty() {
            return self.bend(0.0);
        }
        let sum: f64 = references.iter().map(|r| self.bend(reward - r)).sum();
        sum / references.len() as f64
    }

    /// Every reward against the others of its group. `rewards` has one value per row of `groups`.
    pub fn within_groups(&self, rewards: &[f64], groups: &Groups) -> Result<Vec<f64>, MethodError> {
        let most = self.max_refs.unwrap_or(usize::MAX);
        let mut shaped = Vec::with_capacity(rewards.len());
        for range in groups.iter() {
            let group = &rewards[range];
            let comparisons = group.len().saturating_mul(most.min(group.len()));
            if comparisons > MAX_COMPARISONS {
                let message = format!(
                    "a group of {} rollouts needs {comparisons} comparisons; set `max_refs`",
                    group.len()
                );
                return Err(MethodError::Budget(message));
            }
            shaped.extend((0..group.len()).map(|i| self.one_of(group, i, most)));
        }
        Ok(shaped)
    }

    fn one_of(&self, group: &[f64], i: usize, most: usize) -> f64 {
        let others =
            group.iter().enumerate().filter(|(j, _)| self.include_self || *j != i).take(most);
        let (sum, n) =
            others.fold((0.0, 0), |(sum, n), (_, r)| (sum + self.bend(group[i] - r), n + 1));
        if n == 0 { self.bend(0.0) } else { sum / f64::from(n) }
    }
}

impl Transform for Par {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        if self.uncentred {
            return view.dense(&[], |d| Ok(d.values.iter().map(|r| self.bend(*r)).collect()));
        }
        if self.references.is_empty() {
            return view.dense(&[], |d| self.within_groups(&d.values, &d.groups));
        }
        let references =
            References::of(view, &self.references, self.max_refs.unwrap_or(usize::MAX))?;
        references.map(view.current()?, |reward, list| Ok(self.against(reward, list)))
    }

    fn reads(&self) -> Vec<String> {
        self.references.clone()
    }

    fn scope(&self) -> Scope {
        if self.uncentred || !self.references.is_empty() { Scope::Rollout } else { Scope::Group }
    }
}

guerdon_core::method! {
    Par: Transform,
    id: "shape.par",
    papers: ["par-2025", "vpl-2024"],
    status: Verified(Worked("the study's arms on r = 2 against 0.5, 1 and 3; VPL's win probabilities")),
    laws: [ShiftInvariant, OrderPreserving, GroupLocal],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{Curve, Par};
    use guerdon_core::Groups;

    const REFERENCES: [f64; 3] = [0.5, 1.0, 3.0];

    fn check(par: &Par, expect: f64) {
        let own = par.against(2.0, &REFERENCES);
        assert!((own - expect).abs() < 5e-5, "{par:?}: {own}, not {expect}");
    }

    #[test]
    fn the_arms_of_the_study() {
        check(&Par::default(), 0.6059);
        check(&Par { k: 2.0, ..Par::default() }, 0.6509);
        check(&Par { curve: Curve::Tanh, ..Par::default() }, 0.3017);
        check(&Par { curve: Curve::Arctan, ..Par::default() }, 0.3276);
        check(&Par { shift: 3.0, ..Par::default() }, 0.1065);
        let gap = Par { curve: Curve::Poly5, ..Par::default() }.against(2.0, &REFERENCES) - 0.6059;
        assert!(gap.abs() < 0.018);
    }

    #[test]
    fn win_probability_in_the_group() {
        let par = Par { include_self: true, ..Par::default() };
        let own = par.within_groups(&[2.0, 0.0, -1.0], &Groups::one(3)).unwrap();
        for (a, e) in own.iter().zip([0.777_790, 0.450_087, 0.272_122]) {
            assert!((a - e).abs() < 1e-6, "{own:?}");
        }
    }

    #[test]
    fn a_pair_shares_one() {
        let shaped = Par::default().within_groups(&[3.0, 1.5], &Groups::one(2)).unwrap();
        assert!((shaped[0] + shaped[1] - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_flat_slope_forgets_the_scores() {
        let flat = Par { k: 1e-12, ..Par::default() };
        let shaped = flat.within_groups(&[5.0, -5.0, 1.0], &Groups::one(3)).unwrap();
        assert!(shaped.iter().all(|s| (s - 0.5).abs() < 1e-11));
    }
}
