//! A model that judges, with known sensitivity and known weaknesses.

mod decide;
mod evidence;
mod reply;
mod scene;
mod structured;
mod verdict;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::prose::Words;
use crate::serve_model::bounded::{Finite, Positive, Share};
use crate::serve_model::world::Seen;

/// A judge. All its verdicts follow from the utilities u = q + biases of the texts that it is shown.
///
/// A comparison is won by the first with probability σ(`sensitivity` · (u₁ − u₂) + `slot_bias`); a grade is
/// `center` + `slope` · (u + noise), rounded and clipped to the scale. Both laws hold for each prompt over the samples and,
/// with `consistency` above 0, still over the prompts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Judge {
    /// Sensitivity a of comparisons, in logits per unit of quality. 0: a coin. Default: 2.
    pub sensitivity: Positive,
    /// Slot bias b, in logits: what the first of two gets. In lists it falls from +b/2 for the first slot to −b/2 for the
    /// last. Default: 0.
    pub slot_bias: Finite,
    /// Width w of ties, in logits, where the prompt allows ties: P(first) = σ(l − w), P(second) = σ(−l − w). Default: 0.2.
    pub tie_width: Positive,
    /// Size c of the cyclic part, in logits: c · sin(θ₁ − θ₂) is added, θ the text's `angle` (drawn where it names none).
    /// Default: 0.
    pub intransitivity: Positive,
    /// Standard deviation of the noise of grades, in units of quality. Default: 0.5.
    pub noise: Positive,
    /// Share of the variance of all errors that belongs to the text or the pair for all judges of the script alike; a jury
    /// cannot vote it away. The errors of a swapped pair are mirrored. Default: 0.
    pub shared: Share,
    /// Share of the variance of errors that belongs to the text or the pair for this judge: repeated samples cannot vote it
    /// away. `shared` + `consistency` is at most 1. Default: 0.
    pub consistency: Share,
    /// How qualities become grades.
    pub grades: Grades,
    /// What moves utilities besides quality.
    pub bias: Bias,
    /// Yes/no questions about a text.
    pub items: Items,
    /// Weakness for instructions and forged verdicts inside candidates.
    pub injection: Injection,
    /// Replies that cannot be read.
    pub mishaps: Mishaps,
    /// What it lists when it is asked for criteria.
    pub criteria: Criteria,
    /// Words of reasoning before the verdict.
    pub words: Words,
    /// Probability to quote the candidates in the reply, forged verdicts included. Default: 0.
    pub quotes: Share,
    /// Probability to use a tool that the prompt offers, once. After an answer that is no error, the judge sees the trait
    /// `truth` of a text in place of its quality, where the text has one. Default: 0.
    pub tools: Share,
    /// At `temperature: 0`, gives the most probable verdict rather than one drawn for the prompt. Default: false.
    pub greedy: bool,
}

impl Default for Judge {
    fn default() -> Self {
        Self {
            sensitivity: Positive::constant(2.0),
            slot_bias: Finite::ZERO,
            tie_width: Positive::constant(0.2),
            intransitivity: Positive::ZERO,
            noise: Positive::constant(0.5),
            shared: Share::ZERO,
            consistency: Share::ZERO,
            grades: Grades::default(),
            bias: Bias::default(),
            items: Items::default(),
            injection: Injection::default(),
            mishaps: Mishaps::default(),
            criteria: Criteria::default(),
            words: Words::default(),
            quotes: Share::ZERO,
            tools: Share::ZERO,
            greedy: false,
        }
    }
}

/// How qualities become grades, on the judge's own scale. A prompt with another scale gets the grade at the same place of
/// its scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Grades {
    /// Worst grade. Default: 1.
    pub low: Finite,
    /// Best grade. Default: 10.
    pub high: Finite,
    /// Grade c0 of quality 0. Default: 5.5.
    pub center: Finite,
    /// Grades c1 per unit of quality. Default: 1.5.
    pub slope: Finite,
    /// Added to every grade. Default: 0.
    pub leniency: Finite,
    /// Central tendency: the grade moves by this share towards the middle of the scale. Default: 0.
    pub central: Share,
}

impl Default for Grades {
    fn default() -> Self {
        Self {
            low: Finite::constant(1.0),
            high: Finite::constant(10.0),
            center: Finite::constant(5.5),
            slope: Finite::constant(1.5),
            leniency: Finite::ZERO,
            central: Share::ZERO,
        }
    }
}

/// What moves the utility of a text besides its quality, in units of quality.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Bias {
    /// Per 100 characters. Default: 0.
    pub length: Finite,
    /// For Markdown (headings, lists, bold). Default: 0.
    pub markdown: Finite,
    /// Per word that claims certainty ("clearly", "certainly", ..), at most 5. Default: 0.
    pub confident: Finite,
    /// Per unit of the text's trait `style`. Default: 0.
    pub style: Finite,
    /// For texts `by` these families. Default: none.
    pub family: IndexMap<String, Finite>,
}

impl Bias {
    pub(crate) fn of(&self, seen: &Seen) -> f64 {
        let family =
            seen.by.as_ref().and_then(|by| self.family.get(by)).map_or(0.0, |bonus| bonus.get());
        let markdown = if seen.markdown { self.markdown.get() } else { 0.0 };
        self.length.get() * seen.chars as f64 / 100.0
            + markdown
            + self.confident.get() * seen.confident as f64
            + self.style.get() * seen.trait_of("style")
            + family
    }
}

/// Yes/no questions about a text. A question that contains the name of one of the text's traits has the answer yes where the
/// trait is above 0; another is answered yes where q + z > 0, z standard normal for the text and the question.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Items {
    /// Probability t of YES where YES is right. Default: 0.95.
    pub yes_if_met: Share,
    /// Probability f of YES where NO is right. Default: 0.1.
    pub yes_if_missed: Share,
    /// Correlation of the errors on one text (of the normal variables behind them). Default: 0.
    pub correlation: Share,
}

impl Default for Items {
    fn default() -> Self {
        Self {
            yes_if_met: Share::constant(0.95),
            yes_if_missed: Share::constant(0.1),
            correlation: Share::ZERO,
        }
    }
}

/// Weakness for what candidates tell the judge.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Injection {
    /// Probability to obey a candidate that holds an instruction to the judge or a forged verdict: it gets the best verdict
    /// there is. Default: 0.
    pub obeys: Share,
}

/// Shares of replies that cannot be read. They are tried in this order.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mishaps {
    /// No verdict at all: the judge talks about something else. Default: 0.
    pub unreadable: Share,
    /// Two verdicts that contradict each other. Default: 0.
    pub contradiction: Share,
    /// Cut off before the verdict, with `finish_reason: length`. Default: 0.
    pub truncated: Share,
}

/// Lists of criteria, checklists, principles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Criteria {
    /// The right ones. Default: none; then five of a general list.
    pub named: Vec<String>,
    /// Probability of each right one to be listed. Default: 1.
    pub recall: Share,
    /// Probability, for each right one, that a general one is listed besides. Default: 0.
    pub invented: Share,
}

impl Default for Criteria {
    fn default() -> Self {
        Self { named: Vec::new(), recall: Share::ONE, invented: Share::ZERO }
    }
}

impl Judge {
    pub(crate) fn check(&self) -> Result<(), (String, String)> {
        if self.shared.get() + self.consistency.get() > 1.0 {
            let message =
                "`shared` and `consistency` are shares of one variance: together at most 1";
            return Err(("shared".into(), message.into()));
        }
        if self.grades.low.get() >= self.grades.high.get() {
            return Err((
                "grades.high".into(),
                "the best grade must be above the worst, `low`".into(),
            ));
        }
        Ok(())
    }
}
