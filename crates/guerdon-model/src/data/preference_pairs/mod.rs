//! Makes preference pairs from scored candidates: which response of a prompt is chosen, which is rejected.
//!
//! # Formula
//!
//! ```text
//! best_worst       argmax score over argmin score
//! all              every a, b with score_a − score_b > margin
//! against_best     argmax score over each other one
//! anchored         best of the current model over the worst of the initial model
//! future           best of a future model where it outscores the current best, else the current best; over the worst
//!                  of the initial model
//! cross_language   weak language: translated over native;  strong language: native over translated
//! rewrite          the rewritten answer over the original
//! refined          refined over original, if no aspect falls and one rises
//! ```
//!
//! A pair is dropped if its gap is not greater than `margin` (where both sides have scores), or if its two texts are equal
//! after white space is collapsed.
//!
//! # When to use it
//!
//! Before preference optimisation. Best against worst sharpens at first; as a self-rewarding model improves, its worst samples
//! improve too and the pairs stop differing: anchor the rejected side in the initial model.
//!
//! # Departures
//!
//! RLRF's weights and thresholds are not public; ours is the no-regression rule. Candidates without a score take no part in
//! rules by score; ties go by order.
//!
//! # Example
//!
//! ```yaml
//! use: data.preference_pairs
//! rule: best_worst
//! margin: 0
//! ```
//!
//! ```
//! use guerdon_model::data::preference_pairs::{Candidate, PreferencePairs};
//! let one = |score| Candidate { prompt: "p".into(), score: Some(score), ..Candidate::default() };
//! let pairs = PreferencePairs::default().pairs(&[one(0.2), one(0.9), one(0.5)]);
//! assert_eq!((pairs[0].chosen, pairs[0].rejected), (1, 0));
//! ```
//!
//! # References
//!
//! Wang et al., "Temporal Self-Rewarding Language Models", 2025. Yang et al., "Language Imbalance Driven Rewarding for
//! Multilingual Self-improving", 2024. Jin et al., "The Era of Real-World Human Interaction: RL from User Conversations", 2025.
//! Lee et al., "Reinforcement Learning from Reflective Feedback (RLRF)", 2024. Wang et al., "CREAM: Consistency Regularized
//! Self-Rewarding Language Models", 2024.

mod rules;

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which candidates are paired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The best and the worst.
    #[default]
    BestWorst,
    /// Every two whose scores differ enough.
    All,
    /// The best and each other one.
    AgainstBest,
    /// The current model's best and the initial model's worst.
    Anchored,
    /// As anchored, but a future model's best where it outscores the current best.
    Future,
    /// Native and translated answers in two languages.
    CrossLanguage,
    /// Rewritten and original answers.
    Rewrite,
    /// Refined and original answers, without regression in any aspect.
    Refined,
}

/// Parameters of `data.preference_pairs`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PreferencePairs {
    /// Which candidates are paired. Default `best_worst`.
    pub rule: Rule,
    /// The difference of scores that a pair must exceed, in units of score. At least 0; default 0.
    pub margin: f64,
    /// Whether a prompt with any unscored candidate gives no pair by score. Default false: unscored candidates are left out.
    pub skip_incomplete: bool,
    /// The strong language, for `rule: cross_language`. Default: none.
    pub strong: String,
    /// The weak language, for `rule: cross_language`. Default: none.
    pub weak: String,
}

impl Params for PreferencePairs {
    fn validate(&self) -> Result<(), ParamError> {
        if self.rule == Rule::CrossLanguage && (self.strong.is_empty() || self.strong == self.weak)
        {
            let message =
                "`rule: cross_language` needs two different languages in `strong` and `weak`";
            return Err(ParamError::new("strong", message));
        }
        ParamError::in_range("margin", self.margin, 0.0, f64::MAX)
    }
}

/// Where a candidate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The current model.
    #[default]
    Current,
    /// The model before any training.
    Initial,
    /// A provisional next model.
    Future,
    /// Written in its own language.
    Native,
    /// Translated into it.
    Translated,
    /// Before a rewrite or refinement.
    Original,
    /// After a rewrite.
    Rewritten,
    /// After a refinement.
    Refined,
}

/// A response to a prompt.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Candidate {
    /// Names the prompt.
    pub prompt: String,
    /// The response; may be empty where texts are kept elsewhere.
    pub text: String,
    /// Its score; null where it is unscored.
    pub score: Option<f64>,
    /// Where it comes from.
    pub source: Source,
    /// Its language.
    pub language: String,
    /// Its scores by aspect, in the same order for all candidates of a prompt.
    pub aspects: Vec<f64>,
}

/// Input of `data.preference_pairs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The candidates of all prompts, in any order.
    pub candidates: Vec<Candidate>,
}

/// A preference pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pair {
    /// Names the prompt.
    pub prompt: String,
    /// Index of the chosen candidate.
    pub chosen: usize,
    /// Index of the rejected candidate.
    pub rejected: usize,
    /// The difference of their scores; null where one is unscored.
    pub gap: Option<f64>,
}

/// Output of `data.preference_pairs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The pairs, prompts in order of first appearance.
    pub pairs: Vec<Pair>,
    /// Number of prompts that give no pair.
    pub skipped: usize,
}

/// The most pairs of one call.
const MAX_PAIRS: usize = 1_000_000;

impl PreferencePairs {
    /// The pairs of all prompts.
    pub fn pairs(&self, candidates: &[Candidate]) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for own in prompts(candidates) {
            pairs.extend(self.of_prompt(candidates, &own));
        }
        pairs
    }

    fn of_prompt<'a>(
        &'a self,
        all: &'a [Candidate],
        own: &[usize],
    ) -> impl Iterator<Item = Pair> + 'a {
        let incomplete = own.iter().any(|&i| all[i].score.is_none());
        let skipped = self.skip_incomplete && incomplete && rules::by_score(self.rule);
        let proposed = if skipped { Vec::new() } else { rules::propose(self, all, own) };
        proposed.into_iter().filter_map(move |(chosen, rejected)| self.pair(all, chosen, rejected))
    }

    /// The pair, unless its sides are too near or the same.
    fn pair(&self, all: &[Candidate], chosen: usize, rejected: usize) -> Option<Pair> {
        let (a, b) = (&all[chosen], &all[rejected]);
        let gap = a.score.zip(b.score).map(|(a, b)| a - b).filter(|gap| gap.is_finite());
        let near = gap.is_some_and(|gap| gap <= self.margin) && rules::by_score(self.rule);
        let same = !a.text.is_empty() && a.text.split_whitespace().eq(b.text.split_whitespace());
        (!near && !same).then(|| Pair { prompt: a.prompt.clone(), chosen, rejected, gap })
    }
}

/// The candidates of each prompt, prompts in order of first appearance.
fn prompts(candidates: &[Candidate]) -> Vec<Vec<usize>> {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut prompts: Vec<Vec<usize>> = Vec::new();
    for (i, candidate) in candidates.iter().enumerate() {
        let number = *numbers.entry(&candidate.prompt).or_insert(prompts.len());
        if number == prompts.len() {
            prompts.push(Vec::new());
        }
        prompts[number].push(i);
    }
    prompts
}

impl Function for PreferencePairs {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        let mut output = Output { pairs: Vec::new(), skipped: 0 };
        for own in prompts(&input.candidates) {
            let before = output.pairs.len();
            output.pairs.extend(self.of_prompt(&input.candidates, &own));
            output.skipped += usize::from(output.pairs.len() == before);
            if output.pairs.len() > MAX_PAIRS {
                return Err(MethodError::Budget(format!(
                    "more than {MAX_PAIRS} pairs: use fewer candidates at a time"
                )));
            }
        }
        Ok(output)
    }
}

guerdon_core::method! {
    PreferencePairs: Function,
    id: "data.preference_pairs",
    papers: [
        "temporal-srlm-2025",
        "lang-imbalance-2024",
        "rlhi-2025",
        "rlrf-2024",
        "cream-2024",
        "anyprefer-2025",
        "mm-rlhf-2025",
        "dno-2024",
        "flr-2024",
        "cdr-2024",
        "apc-2024",
        "carmo-2024",
        "openrubrics-2025",
        "fellowship-2024",
    ],
    status: Verified(Worked("anchored and future pairs, two languages, rewrites, refinement without regression")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"candidates": [{"prompt": "p", "score": 0.2}, {"prompt": "p", "score": 0.9}, {"prompt": "q", "score": 0.5},
            {"prompt": "p", "score": null}, {"prompt": "q", "score": 0.25}, {"prompt": "p", "score": 0.5}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Candidate, PreferencePairs, Rule, Source};
    use guerdon_core::method::Params as _;

    fn check(params: &PreferencePairs, candidates: &[Candidate], expect: &[(usize, usize)]) {
        let own: Vec<_> = params.pairs(candidates).iter().map(|p| (p.chosen, p.rejected)).collect();
        assert_eq!(own, expect);
    }

    fn rule(rule: Rule) -> PreferencePairs {
        PreferencePairs { rule, ..PreferencePairs::default() }
    }

    fn scored(own: &[(Source, f64)]) -> Vec<Candidate> {
        own.iter()
            .map(|(source, score)| Candidate {
                source: *source,
                score: Some(*score),
                ..Candidate::default()
            })
            .collect()
    }

    #[test]
    fn by_score() {
        let own =
            scored(&[(Source::Current, 0.5), (Source::Current, 0.75), (Source::Current, 0.25)]);
        check(&rule(Rule::BestWorst), &own, &[(1, 2)]);
        check(&rule(Rule::All), &own, &[(1, 0), (1, 2), (0, 2)]);
        check(&rule(Rule::AgainstBest), &own, &[(1, 0), (1, 2)]);
        check(&PreferencePairs { margin: 0.25, ..rule(Rule::AgainstBest) }, &own, &[(1, 2)]);
        check(
            &rule(Rule::BestWorst),
            &scored(&[(Source::Current, 0.5), (Source::Current, 0.5)]),
            &[],
        );
    }

    #[test]
    fn the_first_of_equal_scores_is_chosen() {
        let own = [3.0, 9.0, 5.0, 9.0, 1.0].map(|score| (Source::Current, score));
        check(&rule(Rule::BestWorst), &scored(&own), &[(1, 4)]);
    }

    #[test]
    fn a_prompt_with_missing_scores_may_be_skipped() {
        let mut own =
            scored(&[(Source::Current, 3.0), (Source::Current, 9.0), (Source::Current, 5.0)]);
        own[2].score = None;
        check(&rule(Rule::BestWorst), &own, &[(1, 0)]);
        check(&PreferencePairs { skip_incomplete: true, ..rule(Rule::BestWorst) }, &own, &[]);
    }

    #[test]
    fn all_ranks_give_six_pairs_and_five_with_a_tie() {
        let count = |own: [f64; 4]| {
            rule(Rule::All).pairs(&scored(&own.map(|score| (Source::Current, score)))).len()
        };
        assert_eq!((count([1.0, 2.0, 3.0, 4.0]), count([1.0, 2.0, 2.0, 4.0])), (6, 5));
    }

    #[test]
    fn anchored_in_the_past_and_guided_by_the_future() {
        use Source::{Current, Future, Initial};
        let mut own = scored(&[
            (Current, 8.0),
            (Current, 6.0),
            (Current, 5.0),
            (Initial, 4.0),
            (Initial, 2.0),
            (Future, 9.0),
            (Future, 7.0),
        ]);
        check(&rule(Rule::Future), &own, &[(5, 4)]);
        check(&rule(Rule::Anchored), &own, &[(0, 4)]);
        own[5].score = Some(6.0);
        check(&rule(Rule::Future), &own, &[(0, 4)]);
    }

    fn text(prompt: &str, source: Source, language: &str, text: &str) -> Candidate {
        Candidate {
            prompt: prompt.into(),
            source,
            language: language.into(),
            text: text.into(),
            ..Candidate::default()
        }
    }

    #[test]
    fn two_prompts_in_two_languages_give_four_pairs() {
        use Source::{Native, Translated};
        let params =
            PreferencePairs { strong: "en".into(), weak: "sw".into(), ..rule(Rule::CrossLanguage) };
        let mut own = Vec::new();
        for prompt in ["p", "q"] {
            own.push(text(prompt, Native, "en", "a"));
            own.push(text(prompt, Translated, "en", "b"));
            own.push(text(prompt, Native, "sw", "c"));
            own.push(text(prompt, Translated, "sw", "d"));
        }
        check(&params, &own, &[(0, 1), (3, 2), (4, 5), (7, 6)]);
        own[1].text = " a ".into();
        check(&params, &own, &[(3, 2), (4, 5), (7, 6)]);
        assert!(rule(Rule::CrossLanguage).validate().is_err());
    }

    #[test]
    fn a_rewrite_for_every_complaint() {
        use Source::{Original, Rewritten};
        let own = [
            text("t2", Original, "", "a"),
            text("t2", Rewritten, "", "b"),
            text("t4", Rewritten, "", "d"),
            text("t4", Original, "", "c"),
            text("t5", Original, "", "e"),
        ];
        check(&rule(Rule::Rewrite), &own, &[(1, 0), (2, 3)]);
    }

    #[test]
    fn refinement_must_not_fall_in_any_aspect() {
        let one = |source, aspects: &[f64]| Candidate {
            source,
            aspects: aspects.to_vec(),
            ..Candidate::default()
        };
        let original = one(Source::Original, &[5.0, 2.0, 4.0]);
        check(
            &rule(Rule::Refined),
            &[original.clone(), one(Source::Refined, &[5.0, 4.0, 4.0])],
            &[(1, 0)],
        );
        check(
            &rule(Rule::Refined),
            &[original.clone(), one(Source::Refined, &[5.0, 4.0, 3.0])],
            &[],
        );
        check(&rule(Rule::Refined), &[original.clone(), original], &[]);
    }
}
