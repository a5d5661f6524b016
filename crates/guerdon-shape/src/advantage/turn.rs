//! Turn-level advantage: returns over the turns of an episode, with credit per turn or per episode and a norm per role.
//!
//! # Formula
//!
//! ```text
//! r_k ← r_k − beta_k · kl_k                                           beta_1 = kl_first, beta_k = beta for later turns
//! estimator: returns     A_k = Σ_{m ≥ k} gamma^(m − k) · r_m          (credit: turn)
//!                        A_k = Σ_m gamma^m · r_m                      (credit: trajectory)
//! estimator: q_minus_v   A_k = Q_k − V_k
//! A_k ← (A_k − μ) / (σ + eps)                                         with `normalize`
//! ```
//!
//! `r_k` is the reward of turn `k`, `Q_k` and `V_k` a critic's values of the turn taken and of the state before it. `μ` and
//! `σ` are mean and sample standard deviation over all turns of the batch (`pooled`), of the group (`group`), or of the
//! batch's turns in the same role (`role`; the column that `roles` names holds a number per turn). All tokens of a turn
//! share its advantage. `kl_k` is the divergence of turn `k` from the reference policy in nats, read from the column that `kl`
//! names: a great `kl_first` pins the first attempt to the base model (`SCoRe`: 0.1 in its first stage). A reward per rollout counts at the last turn.
//!
//! # When to use it
//!
//! For multi-turn agents, retries and self-correction. `gamma: 0` optimises each turn for itself; `gamma: 1` makes early turns
//! answer for the outcome. Per role where answers and verdicts earn rewards of different rates. `credit: trajectory` invites a
//! policy to fail first and improve later when a bonus pays for improvement: keep `turn`.
//!
//! # Departures
//!
//! The critic of `q_minus_v` is given, not trained. The value per rollout is the mean over its turns.
//!
//! # Example
//!
//! ```yaml
//! use: advantage.turn
//! gamma: 0
//! normalize: role
//! roles: role
//! ```
//!
//! ```
//! use guerdon_shape::advantage::turn::{Credit, returns};
//! assert_eq!(returns(&[0.0, 1.0], 0.5, Credit::Turn), [0.5, 1.0]);
//! assert_eq!(returns(&[0.0, 1.0], 1.0, Credit::Trajectory), [1.0, 1.0]);
//! ```
//!
//! # References
//!
//! Zhou et al., "`ArCHer`: Training Language Model Agents via Hierarchical Multi-Turn RL", 2024. Kumar et al., "Training
//! Language Models to Self-Correct via Reinforcement Learning", 2024 (`SCoRe`). "PAG: Multi-Turn Reinforced LLM
//! Self-Correction with Policy as Generative Verifier", 2025.

use super::rules::{check_std, denominator};
use super::tokens;
use crate::moments::{moments, standardise};
use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Fine, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a turn's advantage is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    /// From the rewards that follow.
    #[default]
    Returns,
    /// From a critic's two values.
    QMinusV,
}

/// What a turn is credited with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Credit {
    /// The rewards from this turn on.
    #[default]
    Turn,
    /// The rewards of the whole episode.
    Trajectory,
}

/// Over what the advantages are brought to mean 0 and standard deviation 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Normalize {
    /// Not at all.
    #[default]
    None,
    /// All turns of the batch.
    Pooled,
    /// All turns of the group.
    Group,
    /// The batch's turns in the same role.
    Role,
}

/// Parameters of `advantage.turn`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Turn {
    /// How a turn's advantage is estimated. Default `returns`.
    pub estimator: Estimator,
    /// What a turn is credited with. Default `turn`.
    pub credit: Credit,
    /// Discount per turn, 0 to 1; default 1.
    pub gamma: f64,
    /// Over what the advantages are normalised. Default `none`.
    pub normalize: Normalize,
    /// Column with the divergence of each turn from the reference policy, in nats. Default: none.
    pub kl: Option<String>,
    /// Weight of the first turn's divergence, in reward per nat. At least 0; default 0.1; only used with `kl`.
    pub kl_first: f64,
    /// Weight of later turns' divergences, in reward per nat. At least 0; default 0.01; only used with `kl`.
    pub beta: f64,
    /// Column with the role of each turn, as a number; needed with `normalize: role`. Default `roles`.
    pub roles: String,
    /// Column with the value of each turn taken; needed with `estimator: q_minus_v`. Default `q`.
    pub q: String,
    /// Column with the value of the state before each turn; needed with `estimator: q_minus_v`. Default `v`.
    pub v: String,
    /// Added to the standard deviation. At least 0; default 1e-6.
    pub eps: f64,
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            estimator: Estimator::Returns,
            credit: Credit::Turn,
            gamma: 1.0,
            kl: None,
            kl_first: 0.1,
            beta: 0.01,
            normalize: Normalize::None,
            roles: "roles".to_owned(),
            q: "q".to_owned(),
            v: "v".to_owned(),
            eps: 1e-6,
        }
    }
}

impl Params for Turn {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("gamma", self.gamma, 0.0, 1.0)?;
        ParamError::in_range("kl_first", self.kl_first, 0.0, f64::MAX)?;
        ParamError::in_range("beta", self.beta, 0.0, f64::MAX)?;
        check_std(None, Some(self.eps))
    }
}

/// What each turn of an episode is credited with. `rewards` has one value per turn.
pub fn returns(rewards: &[f64], gamma: f64, credit: Credit) -> Vec<f64> {
    let mut own = rewards.to_vec();
    tokens::returns(&mut own, gamma);
    if let (Credit::Trajectory, Some(&whole)) = (credit, own.first()) {
        own.fill(whole);
    }
    own
}

fn normalise(values: &mut [f64], eps: f64) {
    let m = moments(values, 1);
    standardise(values, m.mean, denominator(m.std, eps));
}

/// Brings the values that share a role to mean 0 and standard deviation 1, in place. `roles` has one value per value.
pub fn normalise_by_role(values: &mut [f64], roles: &[f64], eps: f64) {
    // Adding 0 makes 0 and -0 the same role.
    let bits = |role: f64| (role + 0.0).to_bits();
    let mut kinds: Vec<u64> = roles.iter().map(|role| bits(*role)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut of_kind: Vec<Vec<usize>> = vec![Vec::new(); kinds.len()];
    for (k, role) in roles.iter().enumerate() {
        if let Ok(kind) = kinds.binary_search(&bits(*role)) {
            of_kind[kind].push(k);
        }
    }
    for own in of_kind {
        let mut part: Vec<f64> = own.iter().map(|&k| values[k]).collect();
        normalise(&mut part, eps);
        own.into_iter().zip(part).for_each(|(k, value)| values[k] = value);
    }
}

impl Turn {
    fn raw(&self, view: &View<'_>, d: &guerdon_core::Dense<'_>) -> Result<Fine, MethodError> {
        if self.estimator == Estimator::QMinusV {
            let (mut q, v) = (tokens::column(view, d, &self.q)?, tokens::column(view, d, &self.v)?);
            tokens::same_shape(&q, &v)?;
            q.values.iter_mut().zip(&v.values).for_each(|(q, v)| *q -= v);
            return Ok(q);
        }
        let mut fine = match &d.fine {
            Some(own) => own.clone(),
            None => tokens::single(guerdon_core::Level::Turn, &d.values),
        };
        if let Some(name) = &self.kl {
            let kl = tokens::column(view, d, name)?;
            tokens::same_shape(&fine, &kl)?;
            self.penalise(&mut fine, &kl);
        }
        for i in 0..fine.rows() {
            let own = returns(fine.row(i), self.gamma, self.credit);
            let range = fine.offsets[i]..fine.offsets[i + 1];
            fine.values[range].copy_from_slice(&own);
        }
        Ok(fine)
    }
}

impl Turn {
    /// Takes the weighted divergences off the rewards. Both tables have the same shape.
    fn penalise(&self, rewards: &mut Fine, kl: &Fine) {
        for i in 0..rewards.rows() {
            for (k, t) in (rewards.offsets[i]..rewards.offsets[i + 1]).enumerate() {
                rewards.values[t] -= if k == 0 { self.kl_first } else { self.beta } * kl.values[t];
            }
        }
    }
}

impl Transform for Turn {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let lists = self.reads();
        view.dense_fine(&lists.iter().map(String::as_str).collect::<Vec<_>>(), |d| {
            let mut fine = self.raw(view, d)?;
            match self.normalize {
                Normalize::None => {}
                Normalize::Pooled => normalise(&mut fine.values, self.eps),
                Normalize::Group => {
                    for range in d.groups.iter() {
                        normalise(
                            &mut fine.values[fine.offsets[range.start]..fine.offsets[range.end]],
                            self.eps,
                        );
                    }
                }
                Normalize::Role => {
                    let roles = tokens::column(view, d, &self.roles)?;
                    tokens::same_shape(&fine, &roles)?;
                    normalise_by_role(&mut fine.values, &roles.values, self.eps);
                }
            }
            Ok((tokens::row_means(&fine), fine))
        })
    }

    fn reads(&self) -> Vec<String> {
        let critic =
            [&self.q, &self.v].into_iter().filter(|_| self.estimator == Estimator::QMinusV);
        let roles = std::iter::once(&self.roles).filter(|_| self.normalize == Normalize::Role);
        critic.chain(roles).chain(&self.kl).cloned().collect()
    }

    fn scope(&self) -> Scope {
        match self.normalize {
            Normalize::None => Scope::Rollout,
            Normalize::Group => Scope::Group,
            Normalize::Pooled | Normalize::Role => Scope::Batch,
        }
    }
}

guerdon_core::method! {
    Turn: Transform,
    id: "advantage.turn",
    papers: ["archer-2024", "score-2024", "multi-attempt-2025", "ufo-2025", "pag-2025", "hprl-2023", "progrm-2025"],
    status: Verified(Worked("ArCHer's three-turn game, PAG's norms per role")),
    laws: [GroupLocal],
    exempt: [],
}

#[cfg(test)]
mod tests {
    use super::{Credit, Turn, normalise_by_role, returns};
    use guerdon_core::{Fine, Level};

    /// Value of a three-turn game won by two good turns of which each succeeds with 1/8.
    fn value(turns_left: u32, still_needed: u32) -> f64 {
        match (turns_left, still_needed) {
            (_, 0) => 1.0,
            (0, _) => 0.0,
            (t, n) => value(t - 1, n - 1) / 8.0 + value(t - 1, n) * 7.0 / 8.0,
        }
    }

    #[test]
    fn q_minus_v_of_the_three_turn_game() {
        let (v, good, bad) = (value(3, 2), value(2, 1), value(2, 2));
        assert_eq!(v, 22.0 / 512.0);
        assert!((good - v - 0.19141).abs() < 1e-5 && (bad - v + 0.02734).abs() < 1e-5);
    }

    fn check_roles(values: &[f64], roles: &[f64], expect: &[f64]) {
        let mut own = values.to_vec();
        normalise_by_role(&mut own, roles, 0.0);
        assert!(
            own.iter().zip(expect).all(|(a, e)| (a - e).abs() < 1e-4),
            "{own:?} is not {expect:?}"
        );
    }

    #[test]
    fn answers_and_verdicts_have_their_own_norms() {
        let values = [1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0];
        let roles = [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
        let (hit, miss) = (0.6455, -1.2910);
        check_roles(&values, &roles, &[0.5, -1.5, 0.5, 0.5, hit, hit, hit, miss, miss, hit]);
        check_roles(&values, &[0.0; 10], &[0.6211, -1.4491, 0.6211]);
    }

    #[test]
    fn the_first_attempt_is_pinned_harder() {
        let rows = |own: [f64; 2]| Fine::from_rows(Level::Turn, [&own[..]]);
        let mut rewards = rows([1.0, 1.0]);
        Turn::default().penalise(&mut rewards, &rows([2.0, 2.0]));
        assert_eq!(rewards.values, [0.8, 0.98]);
    }

    #[test]
    fn gamma_zero_reduces_to_the_turn_rewards() {
        assert_eq!(returns(&[0.5, 1.0], 0.0, Credit::Turn), [0.5, 1.0]);
        assert_eq!(returns(&[], 1.0, Credit::Trajectory), Vec::<f64>::new());
    }
}
