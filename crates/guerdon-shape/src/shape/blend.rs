//! The outer loop that learns how to weigh auxiliary rewards, from what they do to the primary return.
//!
//! An inner learner trains on a blend of rewards; this loop changes the blend so that the primary reward (a validation
//! score, say) rises. It learns to use helpful hints and to ignore or invert harmful ones.
//!
//! # Formula
//!
//! ```text
//! reinforce   π = softmax(θ) over compositions;  θ ← θ + lr · mean_j A_j · (e_{c_j} − π),  A_j = (V_j − mean)/(std + 1e-6)
//! evolution   θ_c ← θ_c + lr · (mean value of c − mean of all)
//! random      θ stays; the composition with the best mean value so far is the answer
//! implicit    φ ← φ + lr · dJ/dφ,  dJ/dφ_k = Σ_a π_a·(a_k(a) − ā_k)·r_p(a) / temperature
//! ```
//!
//! `V_j` is the primary return of the inner run with composition `c_j` (one of `compositions`, each a list of weights on
//! the `signals`). `implicit` is for a bandit whose inner optimum is known, π ∝ `exp(Σ_k` `φ_k·a_k` / temperature), `a_k` the
//! reward of each action under signal `k` (the primary one first): implicit differentiation at that optimum gives the
//! gradient above. Read it for the probabilities and the weights to use next; state is explicit.
//!
//! # When to use it
//!
//! When inner runs are cheap (a small model, a simulated world) and hand-set weights are in doubt. With few compositions
//! `random` does nearly as well: compare at equal budget.
//!
//! # Departures
//!
//! DERL's outer learner is a language model that writes compositions; here they are given. Its normalised update is that
//! of group-relative advantages. BARFI differentiates deep learners by Neumann series; here the inner problem is a
//! softmax bandit, where the gradient is exact (checked against finite differences).
//!
//! # Example
//!
//! ```yaml
//! use: shape.blend
//! signals: [outcome, format, steps]
//! compositions: [[1, 0, 0], [1, 0.2, 0], [1, 0.2, 0.5]]
//! ```
//!
//! ```
//! use guerdon_shape::shape::blend::softmax;
//! assert_eq!(softmax(&[0.0, 0.0], 1.0), [0.5, 0.5]);
//! ```
//!
//! # References
//!
//! Cheng et al., "Differentiable Evolutionary Reinforcement Learning", 2025 (DERL). Gupta et al., "Behavior Alignment via Reward
//! Function Optimization", 2023 (BARFI).

use guerdon_core::method::{Online, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::moments;

/// The most signals, compositions or actions.
const MOST: usize = 1000;

/// How the outer loop learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outer {
    /// By policy gradient over compositions.
    #[default]
    Reinforce,
    /// By replicating what does better than the mean.
    Evolution,
    /// Not at all: the control.
    Random,
    /// By the gradient of the primary return at the inner optimum.
    Implicit,
}

/// Parameters of `shape.blend`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Blend {
    /// The rewards that are blended, the primary one first. Required.
    pub signals: Vec<String>,
    /// Lists of weights on the signals among which the outer loop chooses. Required unless `outer: implicit`.
    pub compositions: Vec<Vec<f64>>,
    /// How the outer loop learns. Default `reinforce`.
    pub outer: Outer,
    /// Step size. Greater than 0; default 0.5.
    pub lr: f64,
    /// Temperature of the inner learner, for `implicit`. Greater than 0; default 0.5.
    pub temperature: f64,
    /// Pull of the weights towards their start (primary 1, others 0), for `implicit`. At least 0; default 0.
    pub regulariser: f64,
}

impl Default for Blend {
    fn default() -> Self {
        Self {
            signals: Vec::new(),
            compositions: Vec::new(),
            outer: Outer::Reinforce,
            lr: 0.5,
            temperature: 0.5,
            regulariser: 0.0,
        }
    }
}

impl Params for Blend {
    fn validate(&self) -> Result<(), ParamError> {
        let k = self.signals.len();
        if k == 0 || k > MOST {
            return Err(ParamError::new(
                "signals",
                format!("`signals` must name 1 to {MOST} rewards, the primary one first, not {k}"),
            ));
        }
        let n = self.compositions.len();
        if self.outer != Outer::Implicit && n == 0 || n > MOST {
            return Err(ParamError::new(
                "compositions",
                format!("`compositions` must hold 1 to {MOST} lists of weights, not {n}"),
            ));
        }
        if self.compositions.iter().any(|c| c.len() != k || c.iter().any(|w| !w.is_finite())) {
            return Err(ParamError::new(
                "compositions",
                format!("every composition must hold {k} finite weights, one per signal"),
            ));
        }
        ParamError::positive("lr", self.lr)?;
        ParamError::positive("temperature", self.temperature)?;
        ParamError::in_range("regulariser", self.regulariser, 0.0, f64::INFINITY)
    }
}

/// What is remembered: logits of compositions, or weights; and how every composition did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    theta: Vec<f64>,
    sums: Vec<f64>,
    counts: Vec<u64>,
}

/// The primary return of one inner run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// Which composition it trained on, counted from 0.
    pub composition: usize,
    /// Its primary return. Finite.
    pub value: f64,
}

/// One outer step: inner runs, or the rewards of a bandit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Inner runs. Default: none.
    #[serde(default)]
    pub trials: Vec<Trial>,
    /// For `implicit`: the reward of every action under each signal, the primary one first. Default: none.
    #[serde(default)]
    pub rewards: Vec<Vec<f64>>,
}

/// The blend as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// Probability of every composition; empty for `implicit`.
    pub probabilities: Vec<f64>,
    /// The weights on the signals: of the likeliest composition (for `random`: of the best so far), or φ.
    pub weights: Vec<f64>,
}

/// exp(x / temperature), scaled to sum 1.
pub fn softmax(x: &[f64], temperature: f64) -> Vec<f64> {
    let greatest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raw: Vec<f64> = x.iter().map(|v| ((v - greatest) / temperature).exp()).collect();
    let total: f64 = raw.iter().sum();
    raw.iter().map(|v| v / total).collect()
}

/// The probabilities of the actions of a bandit whose learner maximises `Σ_k` `φ_k·r_k` with entropy at `temperature`.
pub fn inner_optimum(rewards: &[Vec<f64>], phi: &[f64], temperature: f64) -> Vec<f64> {
    let actions = rewards.first().map_or(0, Vec::len);
    let blended: Vec<f64> =
        (0..actions).map(|a| rewards.iter().zip(phi).map(|(r, w)| w * r[a]).sum()).collect();
    softmax(&blended, temperature)
}

/// Gradient of the primary return (`rewards[0]`) in φ, at the inner optimum.
pub fn implicit_gradient(rewards: &[Vec<f64>], phi: &[f64], temperature: f64) -> Vec<f64> {
    let pi = inner_optimum(rewards, phi, temperature);
    let mean = |r: &[f64]| pi.iter().zip(r).map(|(p, r)| p * r).sum::<f64>();
    let covariance = |r: &[f64]| {
        let centre = mean(r);
        pi.iter()
            .zip(r)
            .zip(&rewards[0])
            .map(|((p, r), primary)| p * (r - centre) * primary)
            .sum::<f64>()
    };
    rewards.iter().map(|r| covariance(r) / temperature).collect()
}

/// The policy-gradient step of logits `theta` for trials with advantages.
pub fn reinforce(theta: &[f64], trials: &[(usize, f64)]) -> Vec<f64> {
    let pi = softmax(theta, 1.0);
    let n = trials.len().max(1) as f64;
    let mut gradient = vec![0.0; theta.len()];
    for (c, advantage) in trials {
        for (k, g) in gradient.iter_mut().enumerate() {
            *g += advantage / n * (f64::from(u8::from(k == *c)) - pi[k]);
        }
    }
    gradient
}

impl Blend {
    fn learn_from_trials(&self, state: &mut State, trials: &[Trial]) -> Result<(), MethodError> {
        for trial in trials {
            if trial.composition >= self.compositions.len() || !trial.value.is_finite() {
                let (c, n) = (trial.composition, self.compositions.len());
                return Err(MethodError::domain(format!(
                    "a trial has composition {c} (of {n}) and value {}",
                    trial.value
                )));
            }
        }
        for trial in trials {
            state.sums[trial.composition] += trial.value;
            state.counts[trial.composition] += 1;
        }
        let values: Vec<f64> = trials.iter().map(|t| t.value).collect();
        let own = moments(&values, 1);
        let gradient = match self.outer {
            Outer::Reinforce => {
                let advantage =
                    |t: &Trial| (t.composition, (t.value - own.mean) / (own.std + 1e-6));
                reinforce(&state.theta, &trials.iter().map(advantage).collect::<Vec<_>>())
            }
            Outer::Evolution => self.replicate(trials, own.mean),
            Outer::Random | Outer::Implicit => vec![0.0; state.theta.len()],
        };
        self.ascend(state, &gradient)
    }

    fn replicate(&self, trials: &[Trial], mean: f64) -> Vec<f64> {
        let excess = |c: usize| {
            let own: Vec<f64> =
                trials.iter().filter(|t| t.composition == c).map(|t| t.value - mean).collect();
            own.iter().sum::<f64>() / own.len().max(1) as f64
        };
        (0..self.compositions.len()).map(excess).collect()
    }

    fn learn_from_bandit(
        &self,
        state: &mut State,
        rewards: &[Vec<f64>],
    ) -> Result<(), MethodError> {
        MethodError::same_length(("rewards", rewards.len()), ("signals", self.signals.len()))?;
        let actions = rewards[0].len();
        if actions > MOST {
            return Err(MethodError::Budget(format!(
                "{actions} actions: at most {MOST} are handled"
            )));
        }
        for row in rewards {
            MethodError::same_length(("rewards of a signal", row.len()), ("actions", actions))?;
            MethodError::all_finite("reward", row)?;
        }
        let mut gradient = implicit_gradient(rewards, &state.theta, self.temperature);
        for (k, g) in gradient.iter_mut().enumerate() {
            *g -= self.regulariser * (state.theta[k] - f64::from(u8::from(k == 0)));
        }
        self.ascend(state, &gradient)
    }

    fn ascend(&self, state: &mut State, gradient: &[f64]) -> Result<(), MethodError> {
        let next: Vec<f64> =
            state.theta.iter().zip(gradient).map(|(t, g)| t + self.lr * g).collect();
        MethodError::all_finite("outer step", &next)?;
        MethodError::all_finite("sum of values", &state.sums)?;
        state.theta = next;
        Ok(())
    }

    /// The composition to report, the first of equals.
    fn chosen(&self, state: &State) -> usize {
        let mean = |c: usize| {
            if state.counts[c] == 0 {
                f64::NEG_INFINITY
            } else {
                state.sums[c] / state.counts[c] as f64
            }
        };
        let rank = |c: usize| if self.outer == Outer::Random { mean(c) } else { state.theta[c] };
        (1..state.theta.len()).fold(0, |best, c| if rank(c) > rank(best) { c } else { best })
    }
}

impl Online for Blend {
    type State = State;
    type Event = Event;
    type Reading = Reading;

    fn init(&self) -> State {
        let n = self.compositions.len();
        let theta = match self.outer {
            Outer::Implicit => {
                (0..self.signals.len()).map(|k| f64::from(u8::from(k == 0))).collect()
            }
            _ => vec![0.0; n],
        };
        State { theta, sums: vec![0.0; n], counts: vec![0; n] }
    }

    fn step(&self, state: &mut State, event: &Event) -> Result<(), MethodError> {
        let mut next = state.clone();
        match (self.outer, event.rewards.is_empty()) {
            (Outer::Implicit, false) => self.learn_from_bandit(&mut next, &event.rewards)?,
            (Outer::Implicit, true) => {
                return Err(MethodError::domain(
                    "`outer: implicit` learns from `rewards`, not from trials",
                ));
            }
            (_, true) => self.learn_from_trials(&mut next, &event.trials)?,
            (_, false) => {
                return Err(MethodError::domain(
                    "`rewards` are for `outer: implicit`: give `trials`",
                ));
            }
        }
        *state = next;
        Ok(())
    }

    fn read(&self, state: &State, _seed: u64) -> Reading {
        if self.outer == Outer::Implicit {
            return Reading { probabilities: Vec::new(), weights: state.theta.clone() };
        }
        Reading {
            probabilities: softmax(&state.theta, 1.0),
            weights: self.compositions[self.chosen(state)].clone(),
        }
    }
}

guerdon_core::method! {
    Blend: Online,
    id: "shape.blend",
    papers: ["derl-2025", "barfi-2023"],
    status: Verified(ClosedForm("the expected outer step equals the gradient by enumeration; the implicit gradient equals finite differences")),
    laws: [],
    exempt: [],
    sample_params: r#"{"signals": ["outcome", "format"], "compositions": [[1, 0], [1, 0.5], [0, 1]]}"#,
    samples: [
        r#"{"trials": [{"composition": 0, "value": 0.5}, {"composition": 1, "value": 0.75}, {"composition": 2, "value": 0.25}]}"#,
        r#"{"trials": [{"composition": 1, "value": 0.8}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Blend, Event, Outer, Trial, implicit_gradient, inner_optimum, reinforce, softmax};
    use guerdon_core::method::Online as _;

    #[test]
    fn the_expected_step_is_the_gradient() {
        let theta = [0.3, -0.7, 0.1, 0.9, 0.0, -0.2];
        let values = [0.2, 0.9, 0.4, 0.1, 0.7, 0.5];
        let pi = softmax(&theta, 1.0);
        let mean: f64 = pi.iter().zip(values).map(|(p, v)| p * v).sum();
        let mut expected = [0.0; 6];
        for c in 0..6 {
            for (e, g) in expected.iter_mut().zip(reinforce(&theta, &[(c, values[c])])) {
                *e += pi[c] * g;
            }
        }
        for k in 0..6 {
            assert!((expected[k] - pi[k] * (values[k] - mean)).abs() < 1e-12);
        }
    }

    #[test]
    fn the_implicit_gradient_is_the_derivative() {
        let rewards = [vec![1.0, 0.0, 0.0], vec![0.0, 2.0, 0.0]];
        let naive = inner_optimum(&rewards, &[1.0, 1.0], 0.5);
        for (own, expect) in naive.iter().zip([0.117, 0.867, 0.016]) {
            assert!((own - expect).abs() < 5e-4, "{naive:?}");
        }
        let phi = [0.8, 0.3];
        let primary = |phi: &[f64]| inner_optimum(&rewards, phi, 0.5)[0];
        let gradient = implicit_gradient(&rewards, &phi, 0.5);
        for k in 0..2 {
            let shifted = |d: f64| {
                let mut moved = phi;
                moved[k] += d;
                primary(&moved)
            };
            assert!((gradient[k] - (shifted(1e-5) - shifted(-1e-5)) / 2e-5).abs() < 1e-6);
        }
    }

    #[test]
    fn bad_hints_are_inverted_and_good_ones_kept() {
        let run = |hint: [f64; 3]| {
            let blend = Blend {
                signals: vec!["primary".into(), "hint".into()],
                outer: Outer::Implicit,
                lr: 0.2,
                ..Blend::default()
            };
            let rewards = vec![vec![1.0, 0.0, 0.0], hint.to_vec()];
            let mut state = blend.init();
            for _ in 0..400 {
                blend
                    .step(&mut state, &Event { trials: Vec::new(), rewards: rewards.clone() })
                    .unwrap();
            }
            let phi = blend.read(&state, 0).weights;
            (phi[1], inner_optimum(&rewards, &phi, 0.5)[0])
        };
        let (good, bad) = (run([1.0, 0.2, 0.0]), run([0.0, 2.0, 0.0]));
        assert!(good.0 > 0.5 && good.1 > 0.97, "{good:?}");
        assert!(bad.0 < 0.0 && bad.1 > 0.95, "{bad:?}");
    }

    #[test]
    fn the_best_composition_is_found() {
        for outer in [Outer::Reinforce, Outer::Evolution, Outer::Random] {
            let compositions = vec![vec![1.0, 0.0], vec![1.0, 0.5], vec![0.0, 1.0]];
            let blend = Blend {
                signals: vec!["a".into(), "b".into()],
                compositions,
                outer,
                ..Blend::default()
            };
            let mut state = blend.init();
            let trials: Vec<Trial> = [0.5, 0.8, 0.1]
                .into_iter()
                .enumerate()
                .map(|(composition, value)| Trial { composition, value })
                .collect();
            for _ in 0..20 {
                blend
                    .step(&mut state, &Event { trials: trials.clone(), rewards: Vec::new() })
                    .unwrap();
            }
            assert_eq!(blend.read(&state, 0).weights, [1.0, 0.5], "{outer:?}");
        }
    }
}
