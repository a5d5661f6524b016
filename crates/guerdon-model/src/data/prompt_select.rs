//! Selects training prompts by the scores of a base model's outputs: the lowest, the highest, or a band.
//!
//! Prompts that the base model does badly on have the most to teach, and their rewards are harder to hack.
//!
//! # Formula
//!
//! ```text
//! z = (s − μ_d) / σ_d           with `normalize: domain`   (population deviation; 0 where σ_d = 0)
//! keep the `share` of prompts with the least (greatest) z, or those with min ≤ s ≤ max
//! ```
//!
//! `s` is a prompt's score, `μ_d` and `σ_d` are mean and deviation of the scores of its domain.
//!
//! # When to use it
//!
//! `lowest` before reinforcement learning (BLEUBERI, Pre-PPO); normalise where domains score on different scales. A band with
//! `max: 0` is the closed-book filter: it drops what the model answers without search.
//!
//! # Departures
//!
//! None. Ties go by input order; prompts without a score are left out.
//!
//! # Example
//!
//! ```yaml
//! use: data.prompt_select
//! kind: lowest
//! normalize: domain
//! share: 0.3333
//! ```
//!
//! ```
//! use guerdon_model::data::prompt_select::{Prompt, PromptSelect};
//! let prompts = [3.0, 1.0].map(|score| Prompt { score: Some(score), domain: None });
//! assert_eq!(PromptSelect { share: 0.5, ..PromptSelect::default() }.select(&prompts), [1]);
//! ```
//!
//! # References
//!
//! Shen et al., "Exploring Data Scaling Trends and Effects in Reinforcement Learning from Human Feedback", 2025 (Pre-PPO).
//! Chang et al., "BLEUBERI: BLEU is a surprisingly effective reward for instruction following", 2025. "Open Data Synthesis
//! For Deep Research", 2025 (`InfoSeek`).

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::moments::moments;
use crate::portion;

/// Which prompts are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Those with the lowest scores.
    #[default]
    Lowest,
    /// Those with the highest scores.
    Highest,
    /// Those with a score between `min` and `max`.
    Band,
}

/// The scale on which prompts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Normalize {
    /// The scores as they are.
    #[default]
    None,
    /// Standard scores within each domain.
    Domain,
}

/// Parameters of `data.prompt_select`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PromptSelect {
    /// Which prompts are wanted. Default `lowest`.
    pub kind: Kind,
    /// The scale on which prompts are compared. Default `none`.
    pub normalize: Normalize,
    /// Share of the prompts to keep with `lowest` and `highest`. Greater than 0, at most 1; default 1/3.
    pub share: f64,
    /// Least score with `kind: band`. Default: none.
    pub min: Option<f64>,
    /// Greatest score with `kind: band`. Default: none.
    pub max: Option<f64>,
}

impl Default for PromptSelect {
    fn default() -> Self {
        Self {
            kind: Kind::Lowest,
            normalize: Normalize::None,
            share: 1.0 / 3.0,
            min: None,
            max: None,
        }
    }
}

impl Params for PromptSelect {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("share", self.share)?;
        ParamError::in_range("share", self.share, 0.0, 1.0)
    }
}

/// A prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// Mean score of a base model's outputs; null where there is none.
    pub score: Option<f64>,
    /// Its domain.
    #[serde(default)]
    pub domain: Option<String>,
}

/// Input of `data.prompt_select`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The prompts.
    pub prompts: Vec<Prompt>,
}

/// Output of `data.prompt_select`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Indices of the selected prompts, ascending.
    pub selected: Vec<usize>,
}

impl PromptSelect {
    /// Indices of the selected prompts, ascending.
    pub fn select(&self, prompts: &[Prompt]) -> Vec<usize> {
        let scored: Vec<usize> =
            (0..prompts.len()).filter(|&i| prompts[i].score.is_some()).collect();
        let scores = self.scale(prompts, &scored);
        let mut selected: Vec<usize> = match self.kind {
            Kind::Band => {
                let within = |s: f64| {
                    self.min.is_none_or(|min| s >= min) && self.max.is_none_or(|max| s <= max)
                };
                (0..scored.len()).filter(|&k| within(scores[k])).collect()
            }
            Kind::Lowest => portion::ascending(&scores),
            Kind::Highest => portion::descending(&scores),
        };
        if self.kind != Kind::Band {
            selected.truncate(portion::count(self.share, scored.len()));
        }
        let mut selected: Vec<usize> = selected.into_iter().map(|k| scored[k]).collect();
        selected.sort_unstable();
        selected
    }

    fn scale(&self, prompts: &[Prompt], scored: &[usize]) -> Vec<f64> {
        let score = |i: usize| prompts[i].score.unwrap_or_default();
        if self.normalize == Normalize::None {
            return scored.iter().map(|&i| score(i)).collect();
        }
        let mut domains: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for &i in scored {
            domains.entry(prompts[i].domain.as_deref().unwrap_or("")).or_default().push(score(i));
        }
        let moments: BTreeMap<&str, (f64, f64)> =
            domains.into_iter().map(|(d, own)| (d, moments(&own).unwrap_or_default())).collect();
        let z = |i: usize| {
            let (mean, std) = moments[prompts[i].domain.as_deref().unwrap_or("")];
            if std > 0.0 { (score(i) - mean) / std } else { 0.0 }
        };
        scored.iter().map(|&i| z(i)).collect()
    }
}

impl Function for PromptSelect {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        Ok(Output { selected: self.select(&input.prompts) })
    }
}

guerdon_core::method! {
    PromptSelect: Function,
    id: "data.prompt_select",
    papers: ["pre-ppo-2025", "bleuberi-2025", "infoseek-2025"],
    status: Verified(Worked("Pre-PPO: two domains of three prompts, with and without normalisation")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"prompts": [{"score": 1, "domain": "a"}, {"score": 2, "domain": "a"}, {"score": 3, "domain": "a"},
            {"score": 10, "domain": "b"}, {"score": 20, "domain": "b"}, {"score": null, "domain": "b"}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Kind, Normalize, Prompt, PromptSelect};

    fn prompts() -> Vec<Prompt> {
        let own = [(1.0, "a"), (2.0, "a"), (3.0, "a"), (10.0, "b"), (20.0, "b"), (30.0, "b")];
        own.iter().map(|(s, d)| Prompt { score: Some(*s), domain: Some((*d).to_owned()) }).collect()
    }

    fn check(params: &PromptSelect, expect: &[usize]) {
        assert_eq!(params.select(&prompts()), expect);
    }

    #[test]
    fn the_lowest_third_of_each_domain() {
        check(&PromptSelect { normalize: Normalize::Domain, ..PromptSelect::default() }, &[0, 3]);
        check(&PromptSelect::default(), &[0, 1]);
        check(&PromptSelect { kind: Kind::Highest, ..PromptSelect::default() }, &[4, 5]);
    }

    #[test]
    fn a_band_is_the_closed_book_filter() {
        let mut own = prompts();
        own[2].score = Some(0.0);
        let closed_book =
            PromptSelect { kind: Kind::Band, max: Some(0.0), ..PromptSelect::default() };
        assert_eq!(closed_book.select(&own), [2]);
    }

    #[test]
    fn unscored_prompts_are_left_out() {
        let mut own = prompts();
        own[0].score = None;
        assert_eq!(
            PromptSelect { share: 1.0, ..PromptSelect::default() }.select(&own),
            [1, 2, 3, 4, 5]
        );
    }
}
