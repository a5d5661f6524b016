//! Keeps the entropy of a policy up: the sampling temperature follows how far it has fallen.
//!
//! # Formula
//!
//! ```text
//! T ← T · (1 + T · ln(H* / H) / (ln V + ln ln V))
//! H*(t) = H₀ · ((1 − floor) · (1 + cos(π·x)) / 2 + floor),   x the share passed of the annealing phase
//! ```
//!
//! `H` is the entropy of the policy in this step (nats per token), `H₀` the mean over the first `init_steps` steps or
//! `target`, `V` the size of the vocabulary. Annealing starts at the share `anneal_from` of `max_steps`; without
//! `max_steps` there is none.
//!
//! # When to use it
//!
//! In long RL runs whose policy becomes deterministic and stops exploring. It changes how rollouts are sampled, so the
//! accuracy of samples falls below that of the policy's best guess.
//!
//! # Departures
//!
//! Checked against the authors' code. An entropy of 0 counts as 1e-9 nats, and the temperature is kept between `least`
//! and `most`: that code has no bounds, and a collapsed policy drives the temperature to infinity.
//!
//! # Example
//!
//! ```yaml
//! use: shape.temperature
//! vocabulary: 151936
//! max_steps: 300
//! ```
//!
//! ```
//! use guerdon_shape::shape::temperature::next;
//! assert!((next(1.0, 2.0, 1.0, 151_936.0) - 1.048101).abs() < 1e-6);
//! ```
//!
//! # References
//!
//! Liao et al., "Enhancing Efficiency and Exploration in Reinforcement Learning for LLMs", 2025 (E3-RL4LLMs).

use guerdon_core::method::{Online, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What stands in for an entropy of 0, in nats.
const LEAST_ENTROPY: f64 = 1e-9;

/// Parameters of `shape.temperature`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Temperature {
    /// Temperature at the start. Greater than 0; default 1.
    pub initial: f64,
    /// Size of the vocabulary V, in tokens. At least 3; default 151936.
    pub vocabulary: f64,
    /// Entropy to hold, in nats. Greater than 0; default: the mean of the first steps.
    pub target: Option<f64>,
    /// Steps that make the target. At least 1; default 1.
    pub init_steps: u64,
    /// Steps of the whole run. At least 1; default: no annealing.
    pub max_steps: Option<u64>,
    /// Share of the run after which the target falls. 0 to 1; default 0.6.
    pub anneal_from: f64,
    /// Share of the target that is left at the end. 0 to 1; default 0.9.
    pub floor: f64,
    /// Lowest temperature. Greater than 0; default 0.1.
    pub least: f64,
    /// Highest temperature. At least `least`; default 10.
    pub most: f64,
}

impl Default for Temperature {
    fn default() -> Self {
        Self {
            initial: 1.0,
            vocabulary: 151_936.0,
            target: None,
            init_steps: 1,
            max_steps: None,
            anneal_from: 0.6,
            floor: 0.9,
            least: 0.1,
            most: 10.0,
        }
    }
}

impl Params for Temperature {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("initial", self.initial)?;
        ParamError::in_range("vocabulary", self.vocabulary, 3.0, f64::INFINITY)?;
        ParamError::positive("target", self.target.unwrap_or(1.0))?;
        ParamError::in_range("init_steps", self.init_steps as f64, 1.0, f64::INFINITY)?;
        ParamError::in_range("max_steps", self.max_steps.unwrap_or(1) as f64, 1.0, f64::INFINITY)?;
        ParamError::in_range("anneal_from", self.anneal_from, 0.0, 1.0)?;
        ParamError::in_range("floor", self.floor, 0.0, 1.0)?;
        ParamError::positive("least", self.least)?;
        ParamError::in_range("most", self.most, self.least, f64::INFINITY)
    }
}

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The temperature in force.
    temperature: f64,
    /// Steps so far.
    steps: u64,
    /// Sum of the entropies of the first steps.
    first: f64,
}

/// One training step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Mean entropy of the policy in this step, in nats per token. At least 0.
    pub entropy: f64,
}

/// What to sample with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// The sampling temperature.
    pub temperature: f64,
    /// The entropy that is held now, in nats; `None` until it is known.
    pub target: Option<f64>,
}

/// The temperature after a step at which the policy's entropy was `entropy` instead of `target`.
pub fn next(temperature: f64, target: f64, entropy: f64, vocabulary: f64) -> f64 {
    let size = vocabulary.ln() + vocabulary.ln().ln();
    temperature * (1.0 + temperature * (target / entropy.max(LEAST_ENTROPY)).ln() / size)
}

impl Temperature {
    /// The entropy to hold at a step, once it is known.
    fn target_at(&self, state: &State) -> Option<f64> {
        let known = state.steps >= self.init_steps;
        let base = self.target.or(known.then(|| state.first / self.init_steps as f64))?;
        let Some(max) = self.max_steps else { return Some(base) };
        let start = (self.anneal_from * max as f64).floor();
        let passed = (state.steps as f64 - start) / (max as f64 - start).max(1.0);
        let fall = f64::midpoint(1.0, (std::f64::consts::PI * passed.clamp(0.0, 1.0)).cos());
        Some(base * ((1.0 - self.floor) * fall + self.floor))
    }
}

impl Online for Temperature {
    type State = State;
    type Event = Event;
    type Reading = Reading;

    fn init(&self) -> State {
        State { temperature: self.initial, steps: 0, first: 0.0 }
    }

    fn step(&self, state: &mut State, event: &Event) -> Result<(), MethodError> {
        if !(event.entropy >= 0.0 && event.entropy.is_finite()) {
            return Err(MethodError::domain(format!(
                "`entropy` must be finite and at least 0, not {}",
                event.entropy
            )));
        }
        if state.steps < self.init_steps {
            state.first += event.entropy;
        } else if let Some(target) = self.target_at(state) {
            let target = target.max(LEAST_ENTROPY);
            state.temperature = next(state.temperature, target, event.entropy, self.vocabulary)
                .clamp(self.least, self.most);
        }
        state.steps += 1;
        Ok(())
    }

    fn read(&self, state: &State, _seed: u64) -> Reading {
        Reading {
            temperature: state.temperature,
            target: self.target_at(state).filter(|t| t.is_finite()),
        }
    }
}

guerdon_core::method! {
    Temperature: Online,
    id: "shape.temperature",
    papers: ["e3-2025"],
    status: Verified(Worked("V = 151936: T = 1 and H*/H = 2 give T = 1.048101")),
    laws: [],
    exempt: [],
    samples: [r#"{"entropy": 1.5}"#, r#"{"entropy": 1.2}"#, r#"{"entropy": 0.8}"#],
}

#[cfg(test)]
mod tests {
    use super::{Event, Temperature, next};
    use guerdon_core::method::Online as _;

    #[test]
    fn worked_number() {
        assert!((next(1.0, 2.0, 1.0, 151_936.0) - 1.048_101).abs() < 1e-6);
        assert_eq!(next(0.7, 1.5, 1.5, 151_936.0), 0.7);
    }

    #[test]
    fn the_first_step_sets_the_target_and_the_last_ones_lower_it() {
        let params = Temperature { max_steps: Some(10), ..Temperature::default() };
        let mut state = params.init();
        assert_eq!(params.read(&state, 0).target, None);
        params.step(&mut state, &Event { entropy: 2.0 }).unwrap();
        assert_eq!(
            (params.read(&state, 0).target, params.read(&state, 0).temperature),
            (Some(2.0), 1.0)
        );
        for _ in 1..10 {
            params.step(&mut state, &Event { entropy: 1.0 }).unwrap();
        }
        assert!((params.read(&state, 0).target.unwrap() - 1.8).abs() < 1e-12);
        assert!(params.read(&state, 0).temperature > 1.3);
    }

    #[test]
    fn a_collapsed_policy_is_met_with_a_bounded_temperature() {
        let params = Temperature::default();
        let mut state = params.init();
        for _ in 0..1000 {
            params.step(&mut state, &Event { entropy: 0.0 }).unwrap();
        }
        assert!(params.read(&state, 0).temperature <= 10.0);
        assert!(params.step(&mut state, &Event { entropy: f64::NAN }).is_err());
    }
}
