//! Verifiable instructions: whether the completion keeps the constraints that its prompt states, checked by program.
//!
//! # Formula
//!
//! ```text
//! followed_i = 1 if the completion keeps instruction i, else 0          (strict)
//! followed_i = 1 if any of its eight readings keeps instruction i       (loose)
//! score      = min_i followed_i  (all)     or     mean_i followed_i  (share)
//! ```
//!
//! The readings of `loose` are the completion without its first line, without its last, without both, or whole, each
//! with and without its asterisks. A blank reading keeps nothing.
//!
//! # When to use it
//!
//! To train or measure instruction following on prompts with constraints of the 25 kinds of IFEval. `strict` with
//! `share` is the denser training signal; `strict` with `all` is the benchmark's first number. It says nothing of the
//! quality of the answer: combine it with a judge.
//!
//! # Departures
//!
//! Compared with lm-eval's `ifeval` task on 3246 generated responses, strict and loose; where nothing is said below,
//! all verdicts were equal. Languages are identified by other libraries (see `verify.language`): 4 of 352 verdicts on the
//! language and 28 of 768 on English in capitals or lower case differed, nearly all on lists of words that are in no
//! language; of 1274 English sentences the reference misses 22, this method 11. A language that it does not know (Swahili
//! among the benchmark's) leaves the row unscored. Sentences end by Punkt's rules with its abbreviations
//! and sentence starters, but of its 20 000 word statistics only those of 178 frequent words, which decide behind
//! abbreviations and ellipses: none of 624 verdicts differed. JSON must be standard: `NaN` and `Infinity` are refused. A section
//! word is a word and no regular expression. A letter to count may be any character; the reference replaces one that is
//! no letter (`#`, `!`) by a letter drawn at random. Arguments that the reference would draw at random must be given.
//!
//! # Example
//!
//! ```yaml
//! use: verify.instructions
//! mode: strict
//! score: share
//! ```
//!
//! ```
//! use guerdon_verify::verify::instructions::follows;
//! let args = serde_json::json!({"relation": "at least", "num_words": 3});
//! assert_eq!(follows("length_constraints:number_words", &args, "One two three."), Ok(true));
//! assert!(follows("length_constraints:number_word", &args, "One").is_err());
//! ```
//!
//! # References
//!
//! Zhou et al., "Instruction-Following Evaluation for Large Language Models", 2023.

mod chars;
mod check;
mod format;
mod keywords;
mod language;
mod sentences;
mod words;

use std::borrow::Cow;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::check::Check;
use super::records;

/// Longest completion, in bytes.
const LONGEST: usize = 1 << 21;

/// Most instructions of one row.
const MOST: usize = 256;

/// How forgiving the check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The completion as it stands.
    #[default]
    Strict,
    /// Also without its first line, its last line, or its asterisks.
    Loose,
}

/// How the instructions of a prompt make one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Total {
    /// 1 if every instruction is followed, else 0.
    #[default]
    All,
    /// The share of instructions followed.
    Share,
}

/// Parameters of `verify.instructions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Instructions {
    /// Column with the list of instruction ids; `outer.inner` reaches into objects. Default `instruction_id_list`.
    pub instructions: String,
    /// Column with the list of arguments, one object per instruction. Default `kwargs`.
    pub kwargs: String,
    /// How forgiving the check is. Default `strict`.
    pub mode: Mode,
    /// How the instructions of a prompt make one number. Default `all`.
    pub score: Total,
}

impl Default for Instructions {
    fn default() -> Self {
        Self {
            instructions: "instruction_id_list".into(),
            kwargs: "kwargs".into(),
            mode: Mode::Strict,
            score: Total::All,
        }
    }
}

impl Params for Instructions {
    fn validate(&self) -> Result<(), ParamError> {
        records::named("instructions", &self.instructions)?;
        records::named("kwargs", &self.kwargs)
    }
}

/// Whether `text` follows the instruction `id` with the arguments `args`, strictly. Unknown ids and missing arguments
/// are errors.
pub fn follows(id: &str, args: &Value, text: &str) -> Result<bool, Unscored> {
    Check::new(id, args)?.follows(text)
}

/// The readings of a completion that the loose mode tries.
fn readings(text: &str) -> Vec<Cow<'_, str>> {
    let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
    let head = text.rsplit_once('\n').map_or("", |(head, _)| head);
    let both = rest.rsplit_once('\n').map_or("", |(middle, _)| middle);
    let cut = [rest, head, both].map(chars::strip);
    let whole = std::iter::once(text).chain(cut);
    whole.flat_map(|t| [Cow::Borrowed(t), Cow::Owned(t.replace('*', ""))]).collect()
}

/// 1 if any of the readings follows the instruction, else 0.
fn followed(check: Check<'_>, readings: &[Cow<'_, str>]) -> Result<f64, Unscored> {
    for text in readings {
        if check.follows(text)? {
            return Ok(1.0);
        }
    }
    Ok(0.0)
}

impl Instructions {
    fn total(&self, parts: &[(String, f64)]) -> f64 {
        let sum: f64 = parts.iter().map(|p| p.1).sum();
        let share = sum / parts.len() as f64;
        match self.score {
            Total::Share => share,
            Total::All => share.floor(),
        }
    }
}

impl Signal for Instructions {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let ids = records::list_at(rollout, &self.instructions)?;
        let kwargs = records::list_at(rollout, &self.kwargs)?;
        let text = rollout.text();
        if ids.len() != kwargs.len() {
            let (ids, args) = (ids.len(), kwargs.len());
            return Err(Unscored::invalid(format!("{ids} instructions, but {args} arguments")));
        }
        if text.len() > LONGEST || ids.len() > MOST {
            return Err(Unscored::budget(format!(
                "more than {LONGEST} bytes of text or {MOST} instructions"
            )));
        }
        let readings = match self.mode {
            Mode::Strict => vec![Cow::Borrowed(text)],
            Mode::Loose => readings(text),
        };
        let mut parts = Vec::with_capacity(ids.len());
        for (id, args) in ids.iter().zip(kwargs) {
            let id = id.as_str().ok_or_else(|| Unscored::invalid("an instruction id is a text"))?;
            let followed = followed(Check::new(id, args)?, &readings)?;
            parts.push((id.to_owned(), followed));
        }
        let mut score = Score::new(self.total(&parts))?;
        score.parts = parts;
        Ok(score)
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Instructions: Signal,
    id: "verify.instructions",
    papers: [],
    status: Stable,
    laws: [],
    exempt: [
        WhitespaceInvariant: "Holds on the samples only: an empty line before the text shifts the numbered paragraphs.",
    ],
    samples: [
        r#"{"prompt": "Name the tree. Quote it in lower case.", "completion": "\"it is a birch, and it is the tree that grows by the river\"", "instruction_id_list": ["startend:quotation", "keywords:existence", "change_case:english_lowercase"], "kwargs": [{}, {"keywords": ["birch"]}, {}]}"#,
        r#"{"prompt": "Write two paragraphs.", "completion": "One birch.\n\nTwo birches.", "instruction_id_list": ["length_constraints:nth_paragraph_first_word"], "kwargs": [{"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "two"}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Instructions, Mode, Total};
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;
    use serde_json::json;

    fn row(text: &str) -> Rollout {
        let mut rollout = Rollout::new("", text, "");
        let ids = json!(["punctuation:no_comma", "detectable_format:title"]);
        rollout.columns.insert("instruction_id_list".into(), ids);
        rollout.columns.insert("kwargs".into(), json!([{}, {}]));
        rollout
    }

    fn check(mode: Mode, score: Total, text: &str, expect: f64) {
        let signal = Instructions { mode, score, ..Instructions::default() };
        assert_eq!(signal.score(&row(text)).unwrap().value(), expect, "{text:?}");
    }

    #[test]
    fn all_or_share_strict_or_loose() {
        check(Mode::Strict, Total::All, "<<T>> text", 1.0);
        check(Mode::Strict, Total::All, "<<T>> a, b", 0.0);
        check(Mode::Strict, Total::Share, "<<T>> a, b", 0.5);
        check(Mode::Strict, Total::All, "Sure, here:\n<<T>> text", 0.0);
        check(Mode::Loose, Total::All, "Sure, here:\n<<T>> text", 1.0);
        check(Mode::Loose, Total::Share, "", 0.0);
    }

    #[test]
    fn an_unknown_instruction_names_the_near_one() {
        let mut rollout = row("x");
        rollout.columns.insert("instruction_id_list".into(), json!(["punctuation:no_coma", "x"]));
        let why = Instructions::default().score(&rollout).unwrap_err();
        assert!(why.detail.contains("did you mean `punctuation:no_comma`?"), "{why}");
    }
}
