//! Orders training prompts by difficulty and domain, in stages.
//!
//! # Formula
//!
//! ```text
//! easy_first   difficulty ascending             hard_first   difficulty descending
//! target       |difficulty − target| ascending
//! ```
//!
//! Domains named in `first` come before all others, in that order; within a domain rank the order above holds, ties go by
//! input order. The ordered prompts are cut into `stages` of equal size (the first ones take the remainder).
//!
//! # When to use it
//!
//! `easy_first` for a policy that rarely succeeds, `target` at a success rate of one half for the most signal, `first` to put
//! domains with exact verifiers before those with learned rewards.
//!
//! # Departures
//!
//! None; Pre-PPO trains mathematics and code first and does not order within them.
//!
//! # Example
//!
//! ```yaml
//! use: data.curriculum
//! kind: easy_first
//! first: [math, code]
//! stages: 3
//! ```
//!
//! ```
//! use guerdon_model::data::curriculum::{Curriculum, Prompt};
//! let prompts = [0.9, 0.1, 0.5].map(|difficulty| Prompt { difficulty, domain: None });
//! assert_eq!(Curriculum::default().order(&prompts), [1, 2, 0]);
//! ```
//!
//! # References
//!
//! Bengio et al., "Curriculum Learning", 2009. Shen et al., "Exploring Data Scaling Trends and Effects in Reinforcement
//! Learning from Human Feedback", 2025 (domains first).

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The order of difficulty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Easy prompts first.
    #[default]
    EasyFirst,
    /// Hard prompts first.
    HardFirst,
    /// Prompts nearest to a difficulty first.
    Target,
    /// The input's order, within each domain rank.
    Given,
}

/// Parameters of `data.curriculum`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Curriculum {
    /// The order of difficulty. Default `easy_first`.
    pub kind: Kind,
    /// The difficulty wanted with `kind: target`, in the unit of the data. Default 0.5.
    pub target: f64,
    /// Domains that come before all others, in this order. Default: none.
    pub first: Vec<String>,
    /// Number of stages. At least 1; default 1.
    pub stages: usize,
}

impl Default for Curriculum {
    fn default() -> Self {
        Self { kind: Kind::EasyFirst, target: 0.5, first: Vec::new(), stages: 1 }
    }
}

impl Params for Curriculum {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("target", self.target, f64::MIN, f64::MAX)?;
        if self.stages == 0 {
            return Err(ParamError::new("stages", "`stages` must be at least 1, not 0"));
        }
        Ok(())
    }
}

/// A prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// How hard it is: greater is harder (one less the success rate, a level, a length).
    pub difficulty: f64,
    /// Its domain.
    #[serde(default)]
    pub domain: Option<String>,
}

/// Input of `data.curriculum`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The prompts.
    pub prompts: Vec<Prompt>,
}

/// Output of `data.curriculum`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Indices of the prompts of each stage, in training order.
    pub stages: Vec<Vec<usize>>,
}

impl Curriculum {
    /// Indices of the prompts in training order.
    pub fn order(&self, prompts: &[Prompt]) -> Vec<usize> {
        let key = |prompt: &Prompt| match self.kind {
            Kind::EasyFirst => prompt.difficulty,
            Kind::HardFirst => -prompt.difficulty,
            Kind::Target => (prompt.difficulty - self.target).abs(),
            Kind::Given => 0.0,
        };
        let rank = |prompt: &Prompt| {
            let own = prompt.domain.as_ref();
            own.and_then(|own| self.first.iter().position(|first| first == own))
                .unwrap_or(self.first.len())
        };
        let mut order: Vec<usize> = (0..prompts.len()).collect();
        order.sort_by(|&a, &b| {
            let (a, b) = (&prompts[a], &prompts[b]);
            rank(a).cmp(&rank(b)).then(key(a).total_cmp(&key(b)))
        });
        order
    }

    /// The order, cut into stages. There are never more stages than prompts (but at least one).
    pub fn staged(&self, prompts: &[Prompt]) -> Vec<Vec<usize>> {
        let order = self.order(prompts);
        let stages = self.stages.min(order.len()).max(1);
        let (size, longer) = (order.len() / stages, order.len() % stages);
        let mut rest = order.into_iter();
        (0..stages).map(|k| rest.by_ref().take(size + usize::from(k < longer)).collect()).collect()
    }
}

impl Function for Curriculum {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        Ok(Output { stages: self.staged(&input.prompts) })
    }
}

guerdon_core::method! {
    Curriculum: Function,
    id: "data.curriculum",
    papers: ["pre-ppo-2025"],
    status: Stable,
    laws: [],
    exempt: [],
    samples: [
        r#"{"prompts": [{"difficulty": 0.9, "domain": "chat"}, {"difficulty": 0.2}, {"difficulty": 0.4, "domain": "math"}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Curriculum, Kind, Prompt};

    fn check(params: &Curriculum, expect: &[&[usize]]) {
        let own = [(0.9, "chat"), (0.2, "code"), (0.4, "math"), (0.6, "chat"), (0.1, "math")];
        let prompts =
            own.map(|(difficulty, domain)| Prompt { difficulty, domain: Some(domain.to_owned()) });
        assert_eq!(params.staged(&prompts), expect);
    }

    #[test]
    fn each_order() {
        check(&Curriculum::default(), &[&[4, 1, 2, 3, 0]]);
        check(&Curriculum { kind: Kind::HardFirst, ..Curriculum::default() }, &[&[0, 3, 2, 1, 4]]);
        check(&Curriculum { kind: Kind::Target, ..Curriculum::default() }, &[&[2, 3, 1, 0, 4]]);
    }

    #[test]
    fn named_domains_come_first() {
        let first = vec!["math".to_owned(), "code".to_owned()];
        check(
            &Curriculum {
                first: first.clone(),
                kind: Kind::Given,
                stages: 2,
                ..Curriculum::default()
            },
            &[&[2, 4, 1], &[0, 3]],
        );
        check(&Curriculum { first, ..Curriculum::default() }, &[&[4, 2, 1, 3, 0]]);
    }

    #[test]
    fn more_stages_than_prompts() {
        assert_eq!(
            Curriculum { stages: 9, ..Curriculum::default() }.staged(&[]),
            vec![Vec::<usize>::new()]
        );
    }
}
