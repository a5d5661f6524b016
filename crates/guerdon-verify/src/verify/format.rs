//! Tags: whether the completion is built from the required tags, each once, closed, in order, none inside another.
//!
//! A policy learns quickly to write a tag twice, to leave it open, to leave it empty, or to quote it: each of these is
//! refused.
//!
//! # Formula
//!
//! ```text
//! whole:    score = 1 if every required tag is well formed and the tags stand in order, else 0
//! partial:  score = (number of required tags that are well formed) / (number required); 0 if the order is wrong
//! ```
//!
//! A tag `t` is well formed if `<t>` and `</t>` each occur exactly once, in this order, with more than white space between
//! them, and no other required tag opens or closes between them.
//!
//! # When to use it
//!
//! Beside a correctness signal, with a small weight or as a gate (`shape.gate`), from the first step of training: a format
//! is learnt in tens of steps and then carries no signal.
//!
//! # Departures
//!
//! None in the presets, which give the numbers of the rewards they are named after, whatever the other parameters say:
//! `think_format` is TRL's (1 if the text opens with `<think>`, has no other, and closes it), the others are Open R1's:
//! `open_r1` (a think block, then an answer block, tags on lines of their own; text behind that line passes), `tag_count`
//! (¼ for each of the four tags, with its line ends, that occurs once) and `reasoning_steps` (⅓ for each of up to three
//! marks such as `Step 1:`, a bullet, or `First,`). All four accept empty blocks, and the last two any text between; the
//! other parameters describe formats that cannot be had so cheaply.
//!
//! # Example
//!
//! ```yaml
//! use: verify.format
//! require: [think, answer]
//! ```
//!
//! ```
//! use guerdon_verify::verify::format::Format;
//! let format = Format { require: vec!["think".into(), "answer".into()], ..Format::default() };
//! assert_eq!(format.value("<think>2 + 2</think> <answer>4</answer>"), 1.0);
//! assert_eq!(format.value("<answer>4</answer> <think>2 + 2</think>"), 0.0);
//! ```
//!
//! # References
//!
//! DeepSeek-AI, "DeepSeek-R1: Incentivizing Reasoning Capability in LLMs via Reinforcement Learning", 2025, section 2.2.2. TRL, `think_format_reward`; Open R1, `rewards.py`.

mod presets;

use std::ops::Range;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A published format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// What the other parameters say.
    #[default]
    Plain,
    /// TRL's `think_format_reward`.
    ThinkFormat,
    /// Open R1's `format_reward`.
    OpenR1,
    /// Open R1's `tag_count_reward`.
    TagCount,
    /// Open R1's `reasoning_steps_reward`.
    ReasoningSteps,
}

/// Parameters of `verify.format`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Format {
    /// A published format. Default `plain`.
    pub preset: Preset,
    /// Names of the required tags, in order, without angle brackets. Default `[think, answer]`.
    pub require: Vec<String>,
    /// The tags must stand in the order of `require`. Default true.
    pub ordered: bool,
    /// Only white space may stand outside the tags. Default false.
    pub nothing_outside: bool,
    /// Score the share of well-formed tags instead of all or nothing. Default false.
    pub partial: bool,
}

impl Default for Format {
    fn default() -> Self {
        Self {
            preset: Preset::Plain,
            require: vec!["think".into(), "answer".into()],
            ordered: true,
            nothing_outside: false,
            partial: false,
        }
    }
}

impl Params for Format {
    fn validate(&self) -> Result<(), ParamError> {
        if self.require.is_empty() {
            return Err(ParamError::new("require", "`require` must name at least one tag"));
        }
        for (i, tag) in self.require.iter().enumerate() {
            if tag.is_empty() || tag.contains(['<', '>', '/']) {
                let message = format!("a tag is a name without angle brackets, not {tag:?}");
                return Err(ParamError {
                    path: vec!["require".into(), i.to_string()],
                    message,
                    unknown_key: false,
                });
            }
            if self.require[..i].contains(tag) {
                let message = format!("the tag {tag:?} is named twice");
                return Err(ParamError {
                    path: vec!["require".into(), i.to_string()],
                    message,
                    unknown_key: false,
                });
            }
        }
        Ok(())
    }
}

/// Where a tag stands: from the first byte of `<t>` to the last of `</t>`, and what it encloses.
struct Span {
    whole: Range<usize>,
    inner: Range<usize>,
}

/// The span of `tag` in `text`, if it opens and closes exactly once and encloses more than white space.
fn span(text: &str, tag: &str) -> Option<Span> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let start = only(text, &open)?;
    let end = only(text, &close)?;
    let inner = start + open.len()..end;
    let enclosed = text.get(inner.clone())?;
    (!enclosed.trim().is_empty()).then(|| Span { whole: start..end + close.len(), inner })
}

/// The position of `needle` if it occurs exactly once.
fn only(text: &str, needle: &str) -> Option<usize> {
    let first = text.find(needle)?;
    let second = text[first + needle.len()..].find(needle);
    second.is_none().then_some(first)
}

impl Format {
    /// The score of `text`, 0 to 1.
    pub fn value(&self, text: &str) -> f64 {
        match self.preset {
            Preset::Plain => self.plain(text),
            Preset::ThinkFormat => presets::think(text),
            Preset::OpenR1 => presets::open_r1(text),
            Preset::TagCount => presets::tag_count(text),
            Preset::ReasoningSteps => presets::reasoning_steps(text),
        }
    }

    fn plain(&self, text: &str) -> f64 {
        let spans: Vec<Option<Span>> = self.require.iter().map(|tag| span(text, tag)).collect();
        let good: Vec<&Span> =
            spans.iter().flatten().filter(|own| stands_alone(own, &spans)).collect();
        let in_order = !self.ordered || good.windows(2).all(|w| w[0].whole.end <= w[1].whole.start);
        let clean = !self.nothing_outside || nothing_outside(text, &good);
        if !in_order || !clean {
            return 0.0;
        }
        let share = good.len() as f64 / self.require.len() as f64;
        if self.partial || good.len() == self.require.len() { share } else { 0.0 }
    }
}

/// Whether no other span touches the inside of `own`.
fn stands_alone(own: &Span, spans: &[Option<Span>]) -> bool {
    spans.iter().flatten().all(|other| {
        other.whole == own.whole
            || other.whole.end <= own.inner.start
            || other.whole.start >= own.inner.end
    })
}

fn nothing_outside(text: &str, spans: &[&Span]) -> bool {
    let mut sorted: Vec<&Range<usize>> = spans.iter().map(|s| &s.whole).collect();
    sorted.sort_by_key(|r| r.start);
    let ends = std::iter::once(0).chain(sorted.iter().map(|r| r.end));
    let starts = sorted.iter().map(|r| r.start).chain(std::iter::once(text.len()));
    ends.zip(starts)
        .all(|(end, start)| text.get(end..start).is_some_and(|gap| gap.trim().is_empty()))
}

impl Signal for Format {
    fn score(&self, rollout: &Rollout) -> Outcome {
        Score::new(self.value(rollout.text()))
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Format: Signal,
    id: "verify.format",
    papers: [],
    status: Verified(Reference("TRL's and Open R1's format rewards")),
    laws: [WhitespaceInvariant],
    exempt: [],
    samples: [
        r#"{"prompt": "2 + 2?", "completion": "<think>two and two</think>\n<answer>4</answer>", "reference": "4"}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Format, Preset};

    fn check(format: &Format, text: &str, expect: f64) {
        assert_eq!(format.value(text), expect, "{text:?}");
    }

    #[test]
    fn well_formed_in_order() {
        let format = Format::default();
        check(&format, "<think>a</think><answer>b</answer>", 1.0);
        check(&format, "Hm. <think>a</think> So: <answer>b</answer> Done.", 1.0);
        check(&format, "<answer>b</answer><think>a</think>", 0.0);
        check(&Format { ordered: false, ..format }, "<answer>b</answer><think>a</think>", 1.0);
    }

    #[test]
    fn forgeries_earn_nothing() {
        let format = Format::default();
        for text in [
            "",
            "<think></think><answer></answer>",
            "<think> \n</think><answer>b</answer>",
            "<think>a<answer>b</think></answer>",
            "<think>a<answer>b</answer></think>",
            "<think>a</think><think>a</think><answer>b</answer>",
            "<think>a</think><answer>b</answer><answer>c</answer>",
            "<think>a<answer>b</answer>",
            "</think>a<think><answer>b</answer>",
            "<THINK>a</THINK><answer>b</answer>",
            "<think >a</think><answer>b</answer>",
        ] {
            check(&format, text, 0.0);
        }
    }

    #[test]
    fn partial_counts_well_formed_tags() {
        let format = Format { partial: true, ..Format::default() };
        check(&format, "<think>a</think> 4", 0.5);
        check(&format, "<answer>b</answer><think>a</think>", 0.0);
    }

    #[test]
    fn nothing_outside_the_tags() {
        let format = Format { nothing_outside: true, ..Format::default() };
        check(&format, "<think>\na\n</think>\n<answer>\nb\n</answer>", 1.0);
        check(&Format { preset: Preset::OpenR1, ..Format::default() }, "<think>", 0.0);
        check(&format, "Sure! <think>\na\n</think>\n<answer>\nb\n</answer>", 0.0);
    }
}
