//! Gaussian skills updated game by game: TrueSkill for two players, and the Weng–Lin closed forms.
//!
//! # Formula
//!
//! ```text
//! before each game  σ² ← σ² + τ²
//! trueskill   c² = 2β² + σ_w² + σ_l²,  t = (μ_w − μ_l) / c,  ε = β√2·Φ⁻¹((1 + p_draw) / 2) / c
//!             μ ← μ ± σ²/c · v(t, ε),  σ² ← σ² (1 − σ²/c² · w(t, ε))           v, w of a truncated normal
//! bradley_terry   P = 1 / (1 + e^((μ_b − μ_a)/c)),  μ_a ← μ_a + σ_a²/c · (s − P),  σ_a² ← σ_a² (1 − γ σ_a²/c² · P(1 − P))
//! thurstone_mosteller   as trueskill with ε = 0.1 / c and γ in front of w;  γ = σ / c
//! ```
//!
//! # When to use it
//!
//! When games come one by one and each contestant needs a mean and an uncertainty. Ties are part of the model through the
//! draw margin. The order of the games matters a little.
//!
//! # Departures
//!
//! Games are between two, so that the message passing of the paper has a closed form. The conservative score μ − 3σ is not
//! used for the order: the table is by μ. `strength` is μ minus the mean, divided by 25/6 · √(π/8) · √2, the scale at which
//! a difference of one is about one natural-log unit between contestants without uncertainty. A weight must be 1.
//!
//! # Example
//!
//! ```yaml
//! use: rank.trueskill
//! draw_probability: 0.1
//! ```
//!
//! ```
//! use guerdon_rank::Outcome;
//! use guerdon_rank::rank::trueskill::TrueSkill;
//! let skill = TrueSkill::default();
//! let (a, b) = skill.after(skill.newcomer(), skill.newcomer(), Outcome::First);
//! assert!((a.mu - 29.396).abs() < 1e-3 && (b.mu - 20.604).abs() < 1e-3 && (a.sigma - 7.171).abs() < 1e-3);
//! ```
//!
//! # References
//!
//! Herbrich, Minka and Graepel, "TrueSkill: A Bayesian Skill Rating System", 2006; Weng and Lin, "A Bayesian Approximation
//! Method for Online Ranking", Journal of Machine Learning Research 12, 2011.

use std::f64::consts::{PI, SQRT_2};

use guerdon_core::method::Params;
use guerdon_core::{MethodError, ParamError};
use guerdon_stats::dist::{normal_cdf, normal_quantile};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rate;
use crate::fit::pair::sigmoid;
use crate::report::leaderboard::{Draft, Scale};
use crate::{Comparisons, Counts, Leaderboard, Outcome};

/// Which update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Update {
    /// TrueSkill.
    #[default]
    Trueskill,
    /// Weng–Lin with the logistic model (for two players also its Plackett–Luce form).
    BradleyTerry,
    /// Weng–Lin with the normal model, full pairing.
    ThurstoneMosteller,
    /// Weng–Lin with the normal model, partial pairing: the margin of uncertainty `c` counts double.
    ThurstoneMostellerPartial,
}

/// Parameters of `rank.trueskill`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrueSkill {
    /// Which update. Default: trueskill.
    pub update: Update,
    /// Mean that everybody starts with, finite; default 25.
    pub mu: f64,
    /// Standard deviation that everybody starts with, greater than 0; default 25/3.
    pub sigma: f64,
    /// Standard deviation of a performance about the skill, greater than 0; default 25/6.
    pub beta: f64,
    /// Standard deviation that a skill gains before each game, at least 0; default 25/300.
    pub tau: f64,
    /// Probability of a tie between equals (trueskill only), from 0 to below 1; default 0.1.
    pub draw_probability: f64,
    /// Level of the interval, between 0 and 1; default 0.95.
    pub level: f64,
}

impl Default for TrueSkill {
    fn default() -> Self {
        Self {
            update: Update::Trueskill,
            mu: 25.0,
            sigma: 25.0 / 3.0,
            beta: 25.0 / 6.0,
            tau: 25.0 / 300.0,
            draw_probability: 0.1,
            level: 0.95,
        }
    }
}

impl Params for TrueSkill {
    fn validate(&self) -> Result<(), ParamError> {
        if !self.mu.is_finite() {
            return Err(ParamError::new("mu", format!("`mu` must be finite, not {}", self.mu)));
        }
        ParamError::positive("sigma", self.sigma)?;
        ParamError::positive("beta", self.beta)?;
        ParamError::in_range("tau", self.tau, 0.0, f64::INFINITY)?;
        ParamError::in_range("draw_probability", self.draw_probability, 0.0, 0.999_999)?;
        super::check_level(self.level)
    }
}

/// A skill: normal with this mean and standard deviation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Skill {
    /// Mean.
    pub mu: f64,
    /// Standard deviation.
    pub sigma: f64,
}

/// Least share of the variance that a Weng–Lin update leaves.
const KAPPA: f64 = 1e-4;
/// The draw margin of the Weng–Lin normal model.
const MARGIN: f64 = 0.1;

impl TrueSkill {
    /// A contestant that has not played.
    pub fn newcomer(&self) -> Skill {
        Skill { mu: self.mu, sigma: self.sigma }
    }

    /// Both skills after a game.
    pub fn after(&self, a: Skill, b: Skill, outcome: Outcome) -> (Skill, Skill) {
        let wider = |skill: Skill| Skill { sigma: skill.sigma.hypot(self.tau), ..skill };
        let (a, b) = (wider(a), wider(b));
        match self.update {
            Update::BradleyTerry => self.logistic(a, b, outcome),
            _ => self.normal(a, b, outcome),
        }
    }

    fn spread(&self, a: Skill, b: Skill) -> f64 {
        (2.0 * self.beta * self.beta + a.sigma * a.sigma + b.sigma * b.sigma).sqrt()
    }

    fn logistic(&self, a: Skill, b: Skill, outcome: Outcome) -> (Skill, Skill) {
        let c = self.spread(a, b);
        let p = sigmoid((a.mu - b.mu) / c);
        let moved = |skill: Skill, surplus: f64| {
            let share = skill.sigma * skill.sigma / (c * c);
            weng_lin(skill, share * c * surplus, skill.sigma / c * share * p * (1.0 - p))
        };
        (moved(a, outcome.points() - p), moved(b, p - outcome.points()))
    }

    fn normal(&self, a: Skill, b: Skill, outcome: Outcome) -> (Skill, Skill) {
        let double = if self.update == Update::ThurstoneMostellerPartial { 2.0 } else { 1.0 };
        let c = double * self.spread(a, b);
        let margin = match self.update {
            Update::Trueskill => {
                SQRT_2 * self.beta * normal_quantile(0.5 * (1.0 + self.draw_probability))
            }
            _ => MARGIN,
        };
        let t = (a.mu - b.mu) / c;
        let (v, w) = match outcome {
            Outcome::First => beyond(t, margin / c),
            Outcome::Second => {
                let (v, w) = beyond(-t, margin / c);
                (-v, w)
            }
            Outcome::Tie => within(t, margin / c),
        };
        let moved = |skill: Skill, sign: f64| {
            let share = skill.sigma * skill.sigma / (c * c);
            if self.update == Update::Trueskill {
                let kept = (1.0 - share * w).max(KAPPA).sqrt();
                return Skill { mu: skill.mu + sign * share * c * v, sigma: skill.sigma * kept };
            }
            weng_lin(skill, sign * share * c * v, skill.sigma / c * share * w)
        };
        (moved(a, 1.0), moved(b, -1.0))
    }

    /// All skills after all rows of `all`, in order.
    pub fn run(&self, all: &Comparisons) -> Result<Vec<Skill>, MethodError> {
        if all.weight().is_some_and(|weight| weight.iter().any(|w| *w != 1.0)) {
            return Err(MethodError::domain(
                "`rank.trueskill` knows no weights: leave them out or use `rank.elo`",
            ));
        }
        let mut skills = vec![self.newcomer(); all.names().len()];
        for (a, b, outcome, _) in all.rows() {
            (skills[a], skills[b]) = self.after(skills[a], skills[b], outcome);
        }
        Ok(skills)
    }

    /// How far apart means are that are one natural-log unit apart.
    pub(super) fn nats(&self) -> f64 {
        self.beta * SQRT_2 * (PI / 8.0).sqrt()
    }
}

fn weng_lin(skill: Skill, moved: f64, narrowed: f64) -> Skill {
    Skill { mu: skill.mu + moved, sigma: skill.sigma * (1.0 - narrowed).max(KAPPA).sqrt() }
}

fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// Mean shift and variance reduction of a standard normal about `t`, known to exceed `e`.
fn beyond(t: f64, e: f64) -> (f64, f64) {
    let x = t - e;
    let mass = normal_cdf(x);
    // Far out the hazard of the normal tends to −x.
    let v = if mass > 1e-300 { density(x) / mass } else { -x };
    (v, v * (v + x))
}

/// The same, known to lie within ±`e`.
fn within(t: f64, e: f64) -> (f64, f64) {
    // Only the lower tail of the normal is exact far out: the other side is its mirror image.
    if t < 0.0 {
        let (v, w) = within(-t, e);
        return (-v, w);
    }
    let (low, high) = (-e - t, e - t);
    let mass = normal_cdf(high) - normal_cdf(low);
    if mass <= 1e-300 {
        return (e - t, 1.0);
    }
    let v = (density(low) - density(high)) / mass;
    (v, v * v + (high * density(high) - low * density(low)) / mass)
}

impl Rate for TrueSkill {
    fn rate(
        &self,
        all: &Comparisons,
        counts: &Counts,
        _seed: u64,
    ) -> Result<Leaderboard, MethodError> {
        super::needs_comparisons(counts)?;
        let skills = self.run(all)?;
        let means: Vec<f64> = skills.iter().map(|skill| skill.mu).collect();
        MethodError::all_finite("means", &means)?;
        let centre = means.iter().sum::<f64>() / means.len() as f64;
        let values: Vec<f64> = means.iter().map(|mu| (mu - centre) / self.nats()).collect();
        let z = guerdon_stats::dist::two_sided_z(self.level) / self.nats();
        let mut draft = Draft::new(METHOD.id, all.names(), counts, values, Scale::Strength);
        let around = |(skill, s): (&Skill, &f64)| Some((s - z * skill.sigma, s + z * skill.sigma));
        draft.intervals = skills.iter().zip(&draft.values).map(around).collect();
        draft.interval = Some(("deviation", self.level));
        draft.scores = Some(means);
        draft.warnings = all.warnings().to_vec();
        Ok(draft.finish())
    }
}

function_of_comparisons!(TrueSkill);

guerdon_core::method! {
    TrueSkill: Function,
    id: "rank.trueskill",
    papers: [],
    status: Verified(Reference("trueskill 0.4.5 rate_1vs1, openskill 6.2.0 BradleyTerryFull and ThurstoneMosteller")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"first": ["a", "b", "c", "a", "a"], "second": ["b", "c", "a", "c", "b"],
            "outcome": ["first", "tie", "first", "first", "second"]}"#
    ],
}

#[cfg(test)]
mod tests {
    use super::{TrueSkill, Update, beyond, within};
    use crate::{Comparisons, Outcome};

    #[test]
    fn truncated_normals_stay_finite_far_out() {
        for t in [-60.0, -8.0, 0.0, 8.0, 60.0] {
            for (v, w) in [beyond(t, 0.1), within(t, 0.1)] {
                assert!(v.is_finite() && w.is_finite() && w >= -1e-9, "{t} {v} {w}");
            }
        }
    }

    #[test]
    fn a_tie_between_equals_narrows_and_moves_nothing() {
        for update in [Update::Trueskill, Update::BradleyTerry, Update::ThurstoneMosteller] {
            let skill = TrueSkill { update, ..TrueSkill::default() };
            let (a, b) = skill.after(skill.newcomer(), skill.newcomer(), Outcome::Tie);
            assert!((a.mu - 25.0).abs() < 1e-12 && (b.mu - 25.0).abs() < 1e-12);
            assert!(a.sigma < skill.sigma);
        }
    }

    #[test]
    fn weights_are_refused() {
        let all = Comparisons::from_names(&["a"], &["b"], vec![Outcome::First]).unwrap();
        let all = all.with_weights(vec![2.0]).unwrap();
        assert!(TrueSkill::default().run(&all).is_err());
    }
}
