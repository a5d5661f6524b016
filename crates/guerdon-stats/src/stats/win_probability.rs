//! Win probability of a policy over the reference policy from logged comparisons: direct, by importance, doubly robust.
//!
//! # Formula
//!
//! ```text
//! direct: ½·Σ_a E_{y∼π} g(y, Y_a)          ips: ½·[w(Y1)·Z + w(Y2)·(1 − Z)],  w = π/π_ref
//! dr: direct + ½·Σ_a (−1)^{a−1}·w(Y_a)·(Z − g(Y1, Y2))
//! ```
//!
//! `g(y, y')` is the model's probability that y beats y', `Z` 1 if the first of the pair won. The doubly robust value is right
//! if either `g` or `π_ref` is.
//!
//! # When to use it
//!
//! To value a new policy on old comparisons without asking again. With large ratios `clip` them; the estimate is then biased
//! towards the direct one.
//!
//! # Departures
//!
//! Weights of comparisons allow exact expectations. The direct form needs the policy's probabilities over all candidates of a
//! prompt.
//!
//! # Example
//!
//! ```yaml
//! use: stats.win_probability
//! kind: dr
//! ```
//!
//! ```
//! use guerdon_stats::stats::win_probability::Kind;
//! assert_eq!(Kind::default(), Kind::Dr);
//! ```
//!
//! # References
//!
//! Xu et al., "Doubly Robust Alignment for Large Language Models", 2025.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::{at_least, check, finite};

/// Which estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// By the preference model alone.
    Direct,
    /// By importance weights alone.
    Ips,
    /// Doubly robust.
    #[default]
    Dr,
}

/// Parameters of `stats.win_probability`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WinProbability {
    /// Which estimate. Default `dr`.
    pub kind: Kind,
    /// Ratios are cut to [1/clip, clip], clip at least 1; default none.
    pub clip: Option<f64>,
}

impl Params for WinProbability {
    fn validate(&self) -> Result<(), ParamError> {
        self.clip.map_or(Ok(()), |c| ParamError::in_range("clip", c, 1.0, f64::MAX))
    }
}

/// One logged comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// Index of the first candidate.
    pub first: usize,
    /// Index of the second candidate.
    pub second: usize,
    /// Share of votes for the first, 0 to 1.
    pub first_won: f64,
    /// How often it counts, at least 0. Default 1.
    #[serde(default = "one")]
    pub weight: f64,
}

fn one() -> f64 {
    1.0
}

/// One prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// The new policy's probability of each candidate.
    pub policy: Vec<f64>,
    /// The reference policy's probability of each candidate.
    pub reference: Vec<f64>,
    /// The model's probability that the row's candidate beats the column's.
    pub preference: Vec<Vec<f64>>,
    /// The comparisons, of candidates drawn from the reference policy.
    pub comparisons: Vec<Comparison>,
}

/// Input of `stats.win_probability`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The prompts, at least one.
    pub prompts: Vec<Prompt>,
}

/// Output of `stats.win_probability`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The estimated win probability (unbiased estimates may leave 0 to 1).
    pub win_probability: f64,
    /// Total weight of comparisons.
    pub weight: f64,
    /// Effective number of comparisons under the ratios: (Σw)²/Σw².
    pub effective: f64,
}

impl Prompt {
    fn check(&self) -> Result<(), MethodError> {
        let n = self.policy.len();
        check("policy", &self.policy)?;
        check("reference", &self.reference)?;
        MethodError::same_length(("policy", n), ("reference", self.reference.len()))?;
        MethodError::same_length(("policy", n), ("preference", self.preference.len()))?;
        for row in &self.preference {
            check("preference", row)?;
            MethodError::same_length(("policy", n), ("a row of preference", row.len()))?;
        }
        let shares =
            self.policy.iter().chain(&self.reference).chain(self.preference.iter().flatten());
        if shares.into_iter().any(|p| !(0.0..=1.0).contains(p)) {
            return Err(MethodError::domain("probabilities must lie between 0 and 1"));
        }
        let bad = |c: &&Comparison| {
            c.first >= n
                || c.second >= n
                || !(0.0..=1.0).contains(&c.first_won)
                || !(0.0..=1e100).contains(&c.weight)
        };
        match self.comparisons.iter().find(bad) {
            None => Ok(()),
            Some(c) => Err(MethodError::domain(format!(
                "the comparison {c:?} is out of range for {n} candidates"
            ))),
        }
    }

    fn ratio(&self, y: usize, clip: Option<f64>) -> Result<f64, MethodError> {
        if self.reference[y] <= 0.0 {
            return Err(MethodError::domain(format!(
                "candidate {y} was compared but has reference probability 0"
            )));
        }
        let ratio = self.policy[y] / self.reference[y];
        Ok(clip.map_or(ratio, |c| ratio.clamp(1.0 / c, c)))
    }

    fn against(&self, y: usize) -> f64 {
        self.policy.iter().zip(&self.preference).map(|(p, row)| p * row[y]).sum()
    }
}

impl WinProbability {
    fn one(&self, prompt: &Prompt, c: &Comparison) -> Result<(f64, f64), MethodError> {
        if self.kind == Kind::Direct {
            return Ok((f64::midpoint(prompt.against(c.first), prompt.against(c.second)), 1.0));
        }
        let (w1, w2) = (prompt.ratio(c.first, self.clip)?, prompt.ratio(c.second, self.clip)?);
        let value = if self.kind == Kind::Ips {
            f64::midpoint(w1 * c.first_won, w2 * (1.0 - c.first_won))
        } else {
            let residual = c.first_won - prompt.preference[c.first][c.second];
            f64::midpoint(prompt.against(c.first), prompt.against(c.second))
                + (w1 - w2) * residual / 2.0
        };
        Ok((value, f64::midpoint(w1, w2)))
    }
}

impl Function for WinProbability {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        at_least("prompts", input.prompts.len(), 1)?;
        let (mut sum, mut weight, mut ratios, mut squares) = (0.0, 0.0, 0.0, 0.0);
        for prompt in &input.prompts {
            prompt.check()?;
            for c in &prompt.comparisons {
                let (value, ratio) = self.one(prompt, c)?;
                sum += c.weight * value;
                weight += c.weight;
                ratios += c.weight * ratio;
                squares += c.weight * ratio * ratio;
            }
        }
        if weight <= 0.0 {
            return Err(MethodError::domain("there is no comparison with a weight above 0"));
        }
        let effective = if squares > 0.0 { ratios * ratios / squares } else { 0.0 };
        Ok(Output {
            win_probability: finite("win_probability", sum / weight)?,
            weight,
            effective: finite("effective", effective)?,
        })
    }
}

guerdon_core::method! {
    WinProbability: Function,
    id: "stats.win_probability",
    papers: ["drpo-2025"],
    status: Verified(Worked("three responses: truth 0.570565; wrong π_ref: IPS 0.465714; both wrong: DR 0.530714")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"prompts": [{"policy": [0.2, 0.8], "reference": [0.5, 0.5], "preference": [[0.5, 0.3], [0.7, 0.5]], "comparisons": [{"first": 0, "second": 1, "first_won": 0}, {"first": 1, "second": 0, "first_won": 1}]}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Comparison, Input, Kind, Prompt, WinProbability};
    use guerdon_core::method::Function as _;

    const PI: [f64; 3] = [0.2, 0.3, 0.5];
    const REF: [f64; 3] = [0.5, 0.3, 0.2];

    fn bt(i: usize, j: usize) -> f64 {
        1.0 / (1.0 + (-(i as f64 - j as f64) / 2.0).exp())
    }

    /// The exact expectation over pairs drawn from the true reference.
    fn expect(kind: Kind, reference: [f64; 3], g: impl Fn(usize, usize) -> f64) -> f64 {
        let all = (0..3).flat_map(|i| (0..3).map(move |j| (i, j)));
        let comparisons = all
            .map(|(i, j)| Comparison {
                first: i,
                second: j,
                first_won: bt(i, j),
                weight: REF[i] * REF[j],
            })
            .collect();
        let preference = (0..3).map(|i| (0..3).map(|j| g(i, j)).collect()).collect();
        let prompt =
            Prompt { policy: PI.to_vec(), reference: reference.to_vec(), preference, comparisons };
        WinProbability { kind, clip: None }
            .call(&Input { prompts: vec![prompt] }, 0)
            .unwrap()
            .win_probability
    }

    #[test]
    fn one_wrong_part_does_not_matter_to_the_doubly_robust() {
        let (flat, uniform, truth) = (|_, _| 0.5, [1.0 / 3.0; 3], 0.570_565);
        for (kind, reference, wrong_g, value) in [
            (Kind::Direct, REF, false, truth),
            (Kind::Ips, REF, false, truth),
            (Kind::Dr, REF, false, truth),
            (Kind::Direct, REF, true, 0.5),
            (Kind::Dr, REF, true, truth),
            (Kind::Ips, uniform, false, 0.465_714),
            (Kind::Dr, uniform, false, truth),
            (Kind::Dr, uniform, true, 0.530_714),
        ] {
            let got =
                if wrong_g { expect(kind, reference, flat) } else { expect(kind, reference, bt) };
            assert!((got - value).abs() < 1e-6, "{kind:?} {reference:?} {wrong_g}: {got}");
        }
    }
}
