//! Consensus: 1 if the rollout's answer is the majority answer of its group, 0 if not.
//!
//! # Formula
//!
//! ```text
//! v = the answer that most rollouts of the source give          share = (its rollouts) / (rollouts with an answer)
//! score = 1 if answer(rollout) ~ v, else 0                        unscored where share < min_share
//! ```
//!
//! The source is the rollout's own side (`own`), the other side (`cross`), or both (`pooled`). Sides are the values of the
//! column `side`: the rollouts of a question and those of its paraphrase stand in one group and differ in that column.
//! `~` is what `equality` says; an answer joins the first class whose earliest member it equals.
//!
//! # When to use it
//!
//! As a label where there is no reference, and the policy is right more often than it is wrong in the same way. A majority
//! that is confidently wrong rewards itself: crossing paraphrases (`source: cross`) makes that rarer.
//!
//! # Departures
//!
//! A tie for the majority leaves the group unscored by default, where published code takes whichever answer its dictionary
//! holds first; `tie: first` takes the answer given earliest. Rollouts without an answer cast no vote and earn 0.
//!
//! # Example
//!
//! ```yaml
//! use: verify.consensus
//! source: cross
//! side: variant
//! ```
//!
//! ```
//! use guerdon_verify::verify::consensus::Consensus;
//! let own = Consensus::default();
//! let answers = ["7", "7", "5", "7"].map(|a| Some(a.to_owned()));
//! let (label, share) = own.majority(&answers.iter().flatten().map(String::as_str).collect::<Vec<_>>()).unwrap();
//! assert_eq!((label, share), ("7", 0.75));
//! ```
//!
//! # References
//!
//! Zhang et al., "Co-Reward: Self-supervised Reinforcement Learning for Large Language Model Reasoning via Contrastive
//! Agreement", 2025; Zuo et al., "TTRL: Test-Time Reinforcement Learning", 2025 (own majority).

use guerdon_core::method::{Params, Scope, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::column::lookup;
use super::records;
use crate::math::{self, Options};

/// Whose majority is the label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// That of the rollout's own side.
    #[default]
    Own,
    /// That of the other sides.
    Cross,
    /// That of all sides together.
    Pooled,
}

/// When two answers are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Equality {
    /// When they are mathematically equal; the answer is what `verify.math` extracts.
    #[default]
    Math,
    /// When they are the same text but for surrounding white space; the answer is the whole completion.
    Exact,
}

/// What happens when two answers have the most votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tie {
    /// There is no label: the rollouts are unscored.
    #[default]
    None,
    /// The answer given earliest is the label.
    First,
}

/// Parameters of `verify.consensus`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Consensus {
    /// Whose majority is the label. Default `own`.
    pub source: Source,
    /// Column that tells the question from its paraphrase. Default none: the group has one side.
    pub side: Option<String>,
    /// Column that holds the answer. Default none: the answer is read from the completion.
    pub answer: Option<String>,
    /// When two answers are the same. Default `math`.
    pub equality: Equality,
    /// Least share of the majority, 0 to 1; below it the rollouts are unscored. Default 0.
    pub min_share: f64,
    /// What happens when two answers have the most votes. Default `none`.
    pub tie: Tie,
}

impl Default for Consensus {
    fn default() -> Self {
        Self {
            source: Source::Own,
            side: None,
            answer: None,
            equality: Equality::Math,
            min_share: 0.0,
            tie: Tie::None,
        }
    }
}

impl Params for Consensus {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("min_share", self.min_share, 0.0, 1.0)?;
        if self.source == Source::Cross && self.side.is_none() {
            return Err(ParamError::new(
                "side",
                "`source: cross` needs `side`, the column that tells a question from its paraphrase",
            ));
        }
        Ok(())
    }
}

/// Most different answers of one group; a vote among more says nothing.
const CLASSES: usize = 256;

/// Longest answer, in bytes, that votes.
const LONGEST: usize = 4096;

impl Consensus {
    /// Whether two answers are the same.
    pub fn equal(&self, a: &str, b: &str) -> bool {
        a == b
            || self.equality == Equality::Math
                && math::equivalent(a, b, &Options::default()).is_equal()
    }

    /// The majority answer among `answers` and its share, 0 to 1; the reason where there is none.
    pub fn majority<'a>(&self, answers: &[&'a str]) -> Result<(&'a str, f64), Unscored> {
        let mut classes: Vec<(&'a str, usize)> = Vec::new();
        for answer in answers {
            match classes.iter().position(|(first, _)| self.equal(answer, first)) {
                Some(known) => classes[known].1 += 1,
                None if classes.len() == CLASSES => {
                    return Err(Unscored::budget(format!("more than {CLASSES} different answers")));
                }
                None => classes.push((answer, 1)),
            }
        }
        let most = classes.iter().map(|(_, votes)| *votes).max();
        let most = most.ok_or_else(|| Unscored::abstained("no rollout of the group answers"))?;
        let mut winners = classes.iter().filter(|(_, votes)| *votes == most);
        let winner = winners.next().map_or("", |(first, _)| first);
        let share = most as f64 / answers.len() as f64;
        if self.tie == Tie::None && winners.next().is_some() {
            return Err(Unscored::abstained(format!("two answers have {most} votes each")));
        }
        if share < self.min_share {
            return Err(Unscored::abstained(format!(
                "the majority has {share:.3} of the votes, less than `min_share`"
            )));
        }
        Ok((winner, share))
    }

    /// The answer of a rollout; `None` where it gives none.
    fn answer(&self, rollout: &Rollout) -> Option<String> {
        let text = match &self.answer {
            Some(column) => records::value(rollout, column).ok().map(plain)?,
            None if self.equality == Equality::Exact => rollout.text().trim().to_owned(),
            None => {
                let options = Options::default();
                math::extract(rollout.text(), &options).first()?.text.trim().to_owned()
            }
        };
        (!text.is_empty() && text.len() <= LONGEST).then_some(text)
    }

    fn side(&self, rollout: &Rollout) -> String {
        let value = self.side.as_deref().and_then(|column| lookup(rollout, column));
        value.map_or_else(String::new, plain)
    }

    fn votes_for(&self, own: &str, voter: &str) -> bool {
        match self.source {
            Source::Own => own == voter,
            Source::Cross => own != voter,
            Source::Pooled => true,
        }
    }
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned())
}

impl Signal for Consensus {
    fn score(&self, rollout: &Rollout) -> Outcome {
        self.score_group(std::slice::from_ref(rollout)).swap_remove(0)
    }

    fn score_group(&self, group: &[Rollout]) -> Vec<Outcome> {
        let sides: Vec<String> = group.iter().map(|r| self.side(r)).collect();
        let answers: Vec<Option<String>> = group.iter().map(|r| self.answer(r)).collect();
        let mut labels = std::collections::BTreeMap::new();
        for own in &sides {
            labels.entry(own.as_str()).or_insert_with(|| {
                let voters = answers.iter().zip(&sides).filter(|(_, s)| self.votes_for(own, s));
                self.majority(&voters.filter_map(|(a, _)| a.as_deref()).collect::<Vec<_>>())
            });
        }
        answers
            .iter()
            .zip(&sides)
            .map(|(answer, side)| {
                let (label, share) = labels[side.as_str()].clone()?;
                let right = answer.as_deref().is_some_and(|a| self.equal(a, label));
                let mut score = Score::binary(right).because(format!("the majority says {label}"));
                score.confidence = Some(share);
                Ok(score)
            })
            .collect()
    }

    fn scope(&self) -> Scope {
        Scope::Group
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }

    fn reads_completion(&self) -> bool {
        self.answer.is_none()
    }
}

guerdon_core::method! {
    Consensus: Signal,
    id: "verify.consensus",
    papers: ["co-reward-2025"],
    status: Verified(Worked("Co-Reward: answers of a question and its paraphrase")),
    laws: [WhitespaceInvariant],
    exempt: [],
    samples: [
        r#"[{"completion": "\\boxed{7}"}, {"completion": "so $\\boxed{7.0}$"}, {"completion": "\\boxed{7}"}, {"completion": "\\boxed{5}"}]"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Consensus, Equality, Source, Tie};
    use guerdon_core::Rollout;
    use guerdon_core::method::{Params as _, Signal as _};
    use serde_json::json;

    fn group(answers: &[(&str, &str)]) -> Vec<Rollout> {
        let row = |(side, answer): &(&str, &str)| {
            let mut rollout = Rollout::new("", &format!("\\boxed{{{answer}}}"), "");
            rollout.columns.insert("side".into(), json!(side));
            rollout
        };
        answers.iter().map(row).collect()
    }

    fn check(params: &Consensus, answers: &[(&str, &str)], expect: &[f64]) {
        let scores = params.score_group(&group(answers));
        let values: Vec<f64> = scores.into_iter().map(|s| s.unwrap().value()).collect();
        assert_eq!(values, expect, "{answers:?}");
    }

    const PAIR: [(&str, &str); 8] = [
        ("x", "7"),
        ("x", "7"),
        ("x", "5"),
        ("x", "7"),
        ("y", "5"),
        ("y", "5"),
        ("y", "7"),
        ("y", "5"),
    ];

    #[test]
    fn own_and_crossed_majorities_of_the_paper() {
        let own = Consensus { side: Some("side".into()), ..Consensus::default() };
        check(&own, &PAIR, &[1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0]);
        let cross = Consensus { source: Source::Cross, ..own };
        check(&cross, &PAIR, &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn equality_is_the_checkers_not_the_strings() {
        let math = Consensus::default();
        check(&math, &[("x", "0.5"), ("x", "\\frac{1}{2}"), ("x", "2")], &[1.0, 1.0, 0.0]);
        let exact = Consensus { equality: Equality::Exact, ..math };
        assert!(!exact.equal("0.5", "1/2"));
    }

    #[test]
    fn ties_and_thin_majorities_leave_the_group_unscored() {
        let tied = group(&[("x", "1"), ("x", "2")]);
        assert!(Consensus::default().score_group(&tied).iter().all(Result::is_err));
        check(
            &Consensus { tie: Tie::First, ..Consensus::default() },
            &[("x", "1"), ("x", "2")],
            &[1.0, 0.0],
        );
        let strict = Consensus { min_share: 0.8, ..Consensus::default() };
        assert!(strict.score_group(&group(&PAIR[..4])).iter().all(Result::is_err));
    }

    #[test]
    fn crossing_needs_a_side() {
        assert!(Consensus { source: Source::Cross, ..Consensus::default() }.validate().is_err());
    }
}
