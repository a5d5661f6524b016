//! ROUGE: how much of a reference's words the completion has, as n-grams or as a common subsequence; 0 to 1.
//!
//! # Formula
//!
//! ```text
//! P = matches / completion,   R = matches / reference,   F = 2 P R / (P + R)
//! ```
//!
//! Matches are clipped n-gram matches (`rouge1`, `rouge2`), the longest common subsequence of words (`rougeL`), or, line by
//! line, the words of each reference line in the union of its common subsequences with all lines of the completion
//! (`rougeLsum`). Of several references the best F counts.
//!
//! # When to use it
//!
//! For summaries and other long texts with a reference. It rewards wording, not truth.
//!
//! # Departures
//!
//! None from rouge-score 0.1.2, its stemmer included. Sentences are lines for `rougeLsum`, as there by default.
//!
//! # Example
//!
//! ```yaml
//! use: verify.rouge
//! variant: rougeL
//! ```
//!
//! ```
//! use guerdon_verify::verify::rouge::{Rouge, Variant};
//! let rouge = Rouge { variant: Variant::RougeL, ..Rouge::default() };
//! let [precision, recall, f] = rouge.value("the fox jumps", "the quick fox jumps").unwrap();
//! assert_eq!((precision, recall), (1.0, 0.75));
//! assert!((f - 6.0 / 7.0).abs() < 1e-15);
//! ```
//!
//! # References
//!
//! Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004.

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::cut::Cut;
use crate::text::{lcs, ngrams, prepared, references};

/// What is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Variant {
    /// Words.
    #[serde(rename = "rouge1")]
    Rouge1,
    /// Pairs of neighbouring words.
    #[serde(rename = "rouge2")]
    Rouge2,
    /// The longest common subsequence.
    #[default]
    #[serde(rename = "rougeL")]
    RougeL,
    /// The longest common subsequences of lines.
    #[serde(rename = "rougeLsum")]
    RougeLsum,
}

/// Which of the three numbers is the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// F.
    #[default]
    F,
    /// P.
    Precision,
    /// R.
    Recall,
}

/// Parameters of `verify.rouge`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rouge {
    /// What is matched. Default `rougeL`.
    pub variant: Variant,
    /// Which number is the score. Default `f`.
    pub measure: Measure,
    /// Words longer than three letters are compared by their stems (Porter's, English). Default false.
    pub stem: bool,
}

impl Params for Rouge {}

impl Rouge {
    /// Precision, recall and F of `completion` against one reference. `None` beyond the budget of 2³³ compared word pairs
    /// (2²⁴ per pair of lines).
    pub fn value(&self, completion: &str, reference: &str) -> Option<[f64; 3]> {
        if self.variant == Variant::RougeLsum {
            return self.by_lines(completion, reference);
        }
        let n = match self.variant {
            Variant::RougeL | Variant::RougeLsum => 0,
            Variant::Rouge1 => 1,
            Variant::Rouge2 => 2,
        };
        prepared::with_words(|words| {
            words.compare(completion, &[reference], self.cut(), n)?;
            let (own, reference) = (&words.own, &words.refs[0]);
            let matches = match n {
                0 => lcs::length(reference, own, words.symbols())? as u64,
                n => words.grams.matches(own)[n - 1],
            };
            let n = n.max(1);
            Some(measures(matches, ngrams::total(own.len(), n), ngrams::total(reference.len(), n)))
        })
    }

    fn cut(&self) -> Cut {
        Cut::Rouge { stem: self.stem }
    }

    fn by_lines(&self, completion: &str, reference: &str) -> Option<[f64; 3]> {
        let (reference, own): (Vec<&str>, Vec<&str>) =
            (reference.split('\n').collect(), completion.split('\n').collect());
        let lines = [reference.as_slice(), &own].concat();
        prepared::with_words(|words| {
            // All lines are numbered together: a word of the completion alone needs a number as well.
            words.compare("", &lines, self.cut(), 0)?;
            let (reference, own) = words.refs.split_at(reference.len());
            let matches = union_matches(reference, own, words.symbols())?;
            let size = |lines: &[Vec<u32>]| lines.iter().map(Vec::len).sum::<usize>() as u64;
            Some(measures(matches, size(own), size(reference)))
        })
    }
}

/// Words of the reference's lines in the union of common subsequences, each at most as often as both texts have it.
fn union_matches(reference: &[Vec<u32>], own: &[Vec<u32>], symbols: usize) -> Option<u64> {
    let sizes = |lines: &[Vec<u32>]| lines.iter().map(Vec::len).sum::<usize>();
    // Every pair of lines costs a table, so their number counts as well.
    let cells = (sizes(reference) + reference.len()).checked_mul(sizes(own) + own.len())?;
    if cells > 1 << 27 {
        return None;
    }
    let count = |lines: &[Vec<u32>]| {
        let mut counts = vec![0_u64; symbols + 1];
        lines.iter().flatten().for_each(|s| counts[*s as usize] += 1);
        counts
    };
    let (mut left, mut own_left) = (count(reference), count(own));
    let mut matches = 0;
    for line in reference {
        let mut hit = vec![false; line.len()];
        for other in own {
            lcs::positions(line, other)?.into_iter().for_each(|at| hit[at] = true);
        }
        for symbol in line.iter().zip(&hit).filter(|(_, hit)| **hit).map(|(s, _)| *s as usize) {
            if left[symbol] > 0 && own_left[symbol] > 0 {
                left[symbol] -= 1;
                own_left[symbol] -= 1;
                matches += 1;
            }
        }
    }
    Some(matches)
}

fn measures(matches: u64, own: u64, reference: u64) -> [f64; 3] {
    let precision = matches as f64 / own.max(1) as f64;
    let recall = matches as f64 / reference.max(1) as f64;
    let sum = precision + recall;
    [precision, recall, if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 }]
}

impl Signal for Rouge {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let mut best: Option<[f64; 3]> = None;
        for reference in references(rollout)? {
            let values = self.value(rollout.text(), &reference).ok_or_else(|| {
                Unscored::budget("completion and reference are too long to be compared")
            })?;
            if best.is_none_or(|b| values[2] > b[2]) {
                best = Some(values);
            }
        }
        let [precision, recall, f] = best.unwrap_or_default();
        Score::new(match self.measure {
            Measure::F => f,
            Measure::Precision => precision,
            Measure::Recall => recall,
        })
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Rouge: Signal,
    id: "verify.rouge",
    papers: [],
    status: Verified(Reference("rouge-score 0.1.2")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [
        InjectionGainsNothing: "Common words such as `the` stand in any text; the gain is their share of the overlap, far from the maximum.",
    ],
    samples: [
        r#"{"prompt": "Sum up.", "completion": "The quick brown fox jumps over the lazy dog", "reference": "The quick brown fox jumps over the lazy dog"}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Rouge, Variant};

    fn check(variant: Variant, completion: &str, reference: &str, expect: (f64, f64)) {
        let rouge = Rouge { variant, ..Rouge::default() };
        let [precision, recall, _] = rouge.value(completion, reference).unwrap();
        assert_eq!((precision, recall), expect, "{variant:?} {completion:?}");
    }

    #[test]
    fn by_hand() {
        check(Variant::Rouge1, "a a b", "a b c d", (2.0 / 3.0, 0.5));
        check(Variant::Rouge2, "a b c", "x a b", (0.5, 0.5));
        check(Variant::RougeL, "c a b", "a b c", (2.0 / 3.0, 2.0 / 3.0));
        check(Variant::RougeL, "", "a", (0.0, 0.0));
    }

    #[test]
    fn the_union_of_lines() {
        // The example of Lin 2004, section 3.2: the union with w1 w2 w6 w7 w8 and w1 w3 w8 w9 w5 is w1 w2 w3 w5.
        let own = "w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5";
        check(Variant::RougeLsum, own, "w1 w2 w3 w4 w5", (0.4, 0.8));
    }
}
