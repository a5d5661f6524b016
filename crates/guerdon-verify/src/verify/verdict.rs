//! Verdict: the rule reward for a judge's own output, from the verdict or the scores that it writes and the known label.
//!
//! # Formula
//!
//! ```text
//! binary          +1 if the last tag [[A]], [[B]], … of the text is the label's, else −1
//! tail            +1 if the last `window` characters hold the label's tag and no other tag, else −1
//! spct            +1 if the labelled response alone has the highest score, else −1
//! spct_single     +1 if the only score is the label's, else −1
//! consistency     0.5·F + A·(1 + 0.5·C)        A ∈ {0, 1} verdict right, C ∈ {−1, 0, 1}, F ∈ {0, 1} format
//! weighted_pairs  1 − Σ penalty / Σ w           w = 1 + |g_a − g_b|; penalty w if reversed, w/2 if tied, 0 if g_a = g_b
//! c2              0.6·preference + 0.3·rubric + 0.1·format, each 1 or −1; rubric 0 on tasks without one
//! ```
//!
//! The label is the reference: a letter for the first two, `consistency` and `c2`, the index (from 0) of the best response
//! for `spct`, a score for `spct_single`, a list of scores `g` for `weighted_pairs`. Scores are read from the last `[...]` or `\boxed{...}` list of the text.
//! `C` is a column; `F` asks for one think block and one answer block and nothing else. `c2` reads the last `<answer>` and
//! the last `<rubric>` (`helpful` or `misleading`, compared with the column `rubric`) and asks for `<analyze>`, `<rubric>`
//! where there is one, and `<answer>`, with nothing outside and no such tag in the analysis.
//!
//! # When to use it
//!
//! To train a generative judge by reinforcement learning on labelled comparisons.
//!
//! # Departures
//!
//! Σ w runs over all pairs, those that the label ties included. Fewer than two scores are an
//! error, where one reference implementation gives 1.
//!
//! # Example
//!
//! ```yaml
//! use: verify.verdict
//! rule: tail
//! window: 80
//! ```
//!
//! ```
//! use guerdon_verify::verify::verdict::weighted_pairs;
//! assert!((weighted_pairs(&[5.0, 3.0, 1.0], &[4.0, 4.0, 2.0]) - 0.8636).abs() < 1e-4);
//! ```
//!
//! # References
//!
//! Guo et al., "Reward Reasoning Model", 2025 (`binary`); Chen et al., "RM-R1", 2025 (`tail`); Liu et al.,
//! "Inference-Time Scaling for Generalist Reward Modeling", 2025 (`spct`); Zhang et al., "R1-Reward", 2025
//! (`consistency`); Yu et al., "RewardAnything", 2025 (`weighted_pairs`); "C2: Scalable Rubric-Augmented Reward Modeling
//! from Binary Preferences", 2026 (`c2`).

mod c2;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::number::find;
use super::{column, records};
pub use c2::c2;

/// A published rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The last verdict is the label.
    #[default]
    Binary,
    /// The end of the text holds the label's tag alone.
    Tail,
    /// The labelled response alone has the highest score.
    Spct,
    /// The only score is the label's.
    SpctSingle,
    /// Verdict, consistency and format.
    Consistency,
    /// Agreement of scores over pairs, by the labels' distance.
    WeightedPairs,
    /// Preference, verdict on the rubric, and format.
    C2,
}

/// Parameters of `verify.verdict`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Verdict {
    /// A published rule. Default `binary`.
    pub rule: Rule,
    /// The verdict letters. Default `AB`.
    pub choices: String,
    /// For `tail`: characters at the end that count, at least 1. Default 80.
    pub window: usize,
    /// For `consistency`: column with −1, 0 or 1. Default `consistency`.
    pub consistency: String,
    /// For `c2`: column that says `helpful` or `misleading`; absent, null or empty on tasks without a rubric. Default
    /// `rubric_label`.
    pub rubric: String,
}

impl Default for Verdict {
    fn default() -> Self {
        Self {
            rule: Rule::Binary,
            choices: "AB".into(),
            window: 80,
            consistency: "consistency".into(),
            rubric: "rubric_label".into(),
        }
    }
}

impl Params for Verdict {
    fn validate(&self) -> Result<(), ParamError> {
        records::named("consistency", &self.consistency)?;
        records::named("rubric", &self.rubric)?;
        if !(2..=26).contains(&self.choices.chars().count()) {
            return Err(ParamError::new("choices", "`choices` must be 2 to 26 letters"));
        }
        if self.window == 0 {
            return Err(ParamError::new("window", "`window` must be at least 1"));
        }
        Ok(())
    }
}

/// The agreement of `predicted` with the label scores over all pairs, 0 to 1; 1 where the labels give no pair. The two
/// lists have the same length.
pub fn weighted_pairs(labels: &[f64], predicted: &[f64]) -> f64 {
    let (mut penalty, mut whole) = (0.0, 0.0);
    for a in 0..labels.len() {
        for b in 0..a {
            let (gap, own) = (labels[a] - labels[b], predicted[a] - predicted[b]);
            let weight = 1.0 + gap.abs();
            whole += weight;
            if gap != 0.0 && own == 0.0 {
                penalty += weight / 2.0;
            } else if gap * own.signum() < 0.0 {
                penalty += weight;
            }
        }
    }
    if whole > 0.0 { 1.0 - penalty / whole } else { 1.0 }
}

/// Whether `best` alone has the highest of the scores.
pub fn alone_highest(scores: &[f64], best: usize) -> bool {
    let own = scores.get(best);
    own.is_some_and(|own| scores.iter().enumerate().all(|(i, s)| i == best || s < own))
}

/// The numbers of the last bracketed list of a text.
fn scores(text: &str) -> Option<Vec<f64>> {
    let close = text.rfind([']', '}'])?;
    let open = text[..close].rfind(['[', '{'])?;
    let inner = &text[open + 1..close];
    let numbers: Vec<f64> = find(inner).map(|n| n.value).take(257).collect();
    (inner.len() <= 4096 && (1..=256).contains(&numbers.len())).then_some(numbers)
}

fn well_formed(text: &str) -> bool {
    let once = |tag: &str| text.matches(tag).count() == 1;
    let text = text.trim();
    let between = text.split_once("</think>").and_then(|(_, rest)| rest.split_once("<answer>"));
    text.starts_with("<think>")
        && text.ends_with("</answer>")
        && ["<think>", "</think>", "<answer>", "</answer>"].iter().all(|tag| once(tag))
        && between.is_some_and(|(gap, _)| gap.trim().is_empty())
}

impl Verdict {
    fn tags(&self) -> impl Iterator<Item = (char, String)> + '_ {
        self.choices.chars().map(|c| (c, format!("[[{c}]]")))
    }

    /// The letter of the last tag.
    pub fn last(&self, text: &str) -> Option<char> {
        let found = self.tags().filter_map(|(letter, tag)| Some((text.rfind(&tag)?, letter)));
        found.max().map(|(_, letter)| letter)
    }

    /// Whether the end of the text holds the tag of `label` and no other.
    pub fn at_end(&self, text: &str, label: char) -> bool {
        let skip = text.char_indices().rev().nth(self.window - 1).map_or(0, |(at, _)| at);
        self.tags().all(|(letter, tag)| text[skip..].contains(&tag) == (letter == label))
    }

    fn label(&self, rollout: &Rollout) -> Result<char, Unscored> {
        let text = rollout
            .reference_text()
            .ok_or_else(|| Unscored::missing("there is no label: map `reference` in the spec"))?;
        let mut letters = text.trim().chars();
        let letter =
            letters.next().filter(|c| letters.next().is_none() && self.choices.contains(*c));
        letter.ok_or_else(|| {
            Unscored::invalid(format!("the label {text:?} is none of {}", self.choices))
        })
    }

    fn consistent(&self, rollout: &Rollout) -> Outcome {
        let label = self.label(rollout)?;
        let c = records::number_at(rollout, &self.consistency)?;
        if ![-1.0, 0.0, 1.0].contains(&c) {
            return Err(Unscored::invalid(format!(
                "`{}` is {c}, not −1, 0 or 1",
                self.consistency
            )));
        }
        let format = f64::from(u8::from(well_formed(rollout.text())));
        let right = f64::from(u8::from(self.last(rollout.text()) == Some(label)));
        Score::new(0.5 * format + right * (1.0 + 0.5 * c))
    }

    fn c2(&self, rollout: &Rollout) -> Outcome {
        let label = self.label(rollout)?;
        let helpful = match column::lookup(rollout, &self.rubric) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.is_empty() => None,
            Some(Value::String(text)) if text == "helpful" => Some(true),
            Some(Value::String(text)) if text == "misleading" => Some(false),
            Some(other) => {
                let why = format!("`{}` is {other}, not helpful or misleading", self.rubric);
                return Err(Unscored::invalid(why));
            }
        };
        let own = c2::read(rollout.text(), helpful.is_some());
        let rubric = helpful.map(|label| own.helpful == Some(label));
        Score::new(c2(own.answer == Some(label), rubric, own.formed))
    }

    fn pairs(rollout: &Rollout) -> Outcome {
        let labels = records::numbers(&rollout.reference)?;
        if !(2..=256).contains(&labels.len()) {
            return Err(Unscored::invalid("the reference must list 2 to 256 scores"));
        }
        match scores(rollout.text()).filter(|own| own.len() == labels.len()) {
            Some(own) => Score::new(weighted_pairs(&labels, &own)),
            None => Ok(Score::binary(false).because("gives no such list of scores")),
        }
    }
}

fn signed(right: bool) -> Outcome {
    Score::new(if right { 1.0 } else { -1.0 })
}

impl Signal for Verdict {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let text = rollout.text();
        match self.rule {
            Rule::Binary => signed(self.last(text) == Some(self.label(rollout)?)),
            Rule::Tail => signed(self.at_end(text, self.label(rollout)?)),
            Rule::Consistency => self.consistent(rollout),
            Rule::WeightedPairs => Self::pairs(rollout),
            Rule::C2 => self.c2(rollout),
            Rule::SpctSingle => {
                let label = column::number(&rollout.reference)?;
                signed(scores(text).is_some_and(|s| s == [label]))
            }
            Rule::Spct => {
                let label = rollout.reference_text().and_then(|text| text.trim().parse().ok());
                let best: usize = label.ok_or_else(|| {
                    Unscored::invalid("the reference must be the index of the best response")
                })?;
                signed(scores(text).is_some_and(|s| s.len() > 1 && alone_highest(&s, best)))
            }
        }
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some(match self.rule {
            Rule::Binary | Rule::Tail | Rule::Spct | Rule::SpctSingle | Rule::C2 => (-1.0, 1.0),
            Rule::Consistency => (0.0, 2.0),
            Rule::WeightedPairs => (0.0, 1.0),
        })
    }
}

guerdon_core::method! {
    Verdict: Signal,
    id: "verify.verdict",
    papers: ["deepseek-grm-2025", "rrm-2025", "rm-r1-2025", "r1-reward-2025", "libra-2025", "rewardanything-2025", "c2-2026"],
    status: Verified(Worked("SPCT, RM-R1, R1-Reward, C2 and RewardAnything values of the catalogue")),
    laws: [WhitespaceInvariant],
    exempt: [],
    samples: [
        r#"{"prompt": "Which?", "completion": "Not [[B]] after all: [[A]]", "reference": "A"}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Rule, Verdict, weighted_pairs};
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;
    use serde_json::{Value, json};

    fn check(rule: Rule, completion: &str, reference: &Value, c: i64, expect: f64) {
        let mut rollout =
            Rollout { reference: reference.clone(), ..Rollout::new("", completion, "") };
        rollout.columns.insert("consistency".into(), json!(c));
        let got = Verdict { rule, ..Verdict::default() }.score(&rollout).unwrap().value();
        assert!((got - expect).abs() < 1e-12, "{rule:?} {completion:?}: {got}, not {expect}");
    }

    #[test]
    fn the_end_of_the_text() {
        let a = json!("A");
        check(Rule::Tail, "so <answer>[[A]]</answer>", &a, 0, 1.0);
        check(Rule::Tail, "[[B]] or [[A]]", &a, 0, -1.0);
        check(Rule::Tail, &format!("[[A]]{}", " ".repeat(80)), &a, 0, -1.0);
        check(Rule::Tail, "[[a]]", &a, 0, -1.0);
        check(Rule::Binary, "[[B]] or [[A]]", &a, 0, 1.0);
        check(Rule::Binary, "unreadable", &a, 0, -1.0);
    }

    #[test]
    fn the_labelled_response_must_lead_alone() {
        for (scores, expect) in [
            ("[7, 6, 4]", 1.0),
            ("[8, 5, 5]", 1.0),
            ("\\boxed{4, 9, 5}", -1.0),
            ("[7, 7, 4]", -1.0),
        ] {
            check(Rule::Spct, scores, &json!(0), 0, expect);
        }
    }

    #[test]
    fn verdict_consistency_and_format() {
        let text = "<think>x</think><answer>[[A]]</answer>";
        for (c, expect) in [(1, 2.0), (0, 1.5), (-1, 1.0)] {
            check(Rule::Consistency, text, &json!("A"), c, expect);
        }
        check(Rule::Consistency, text, &json!("B"), 1, 0.5);
        check(Rule::Consistency, "[[A]]", &json!("A"), 0, 1.0);
    }

    #[test]
    fn the_only_score() {
        check(Rule::SpctSingle, "so [7]", &json!(7), 0, 1.0);
        check(Rule::SpctSingle, "so [7, 7]", &json!(7), 0, -1.0);
        check(Rule::SpctSingle, "7", &json!(7), 0, -1.0);
    }

    #[test]
    fn rubric_answer_and_format() {
        let text = "<analyze>x</analyze><rubric>misleading</rubric><answer>A</answer>";
        let mut rollout = Rollout::new("", text, "A");
        let signal = Verdict { rule: Rule::C2, ..Verdict::default() };
        for (label, expect) in [("misleading", 1.0), ("helpful", 0.4), ("", 0.5)] {
            rollout.columns.insert("rubric_label".into(), json!(label));
            assert!((signal.score(&rollout).unwrap().value() - expect).abs() < 1e-12, "{label}");
        }
        rollout.columns.insert("rubric_label".into(), json!("bad"));
        assert!(signal.score(&rollout).is_err());
    }

    #[test]
    fn weighted_agreement() {
        let labels = [5.0, 3.0, 1.0];
        assert!((weighted_pairs(&labels, &[4.0, 4.0, 2.0]) - 0.8636).abs() < 5e-5);
        assert!((weighted_pairs(&labels, &[2.0, 4.0, 2.0]) - 0.5).abs() < 1e-12);
        check(Rule::WeightedPairs, "scores: [5, 3, 1]", &json!([5, 3, 1]), 0, 1.0);
        check(Rule::WeightedPairs, "no scores", &json!([5, 3, 1]), 0, 0.0);
    }
}
