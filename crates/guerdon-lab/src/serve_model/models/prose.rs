//! Words without meaning: what simulated models say around what matters, and a model that says nothing else.

use rand::RngExt as _;
use rand_distr::{Distribution as _, LogNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Prompt;
use crate::serve_model::bounded::Positive;
use crate::serve_model::dice::Dice;
use crate::serve_model::draft::Draft;

/// How many words: log-normal around a mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Words {
    /// Mean number of words. Default: 40.
    pub mean: Positive,
    /// Standard deviation of the logarithm; 0 for always the mean. Default: 0.3.
    pub spread: Positive,
}

impl Default for Words {
    fn default() -> Self {
        Self { mean: Positive::constant(40.0), spread: Positive::constant(0.3) }
    }
}

impl Words {
    pub(crate) const MOST: f64 = 20_000.0;

    pub(crate) fn draw(self, dice: Dice) -> usize {
        let (mean, spread) = (self.mean.get(), self.spread.get().min(5.0));
        // The mean of a log-normal is exp(μ + σ²/2).
        let words = LogNormal::new(mean.max(1e-9).ln() - spread * spread / 2.0, spread)
            .map_or(mean, |law| law.sample(&mut dice.stream()));
        // A count far below 2^53.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=20000"
        )]
        let n = words.round().clamp(0.0, Self::MOST) as usize;
        n
    }
}

/// What a model of prose does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Sentences that read like English and mean little.
    #[default]
    Markov,
    /// The last message, word for word.
    Echo,
}

/// A model that writes text without meaning: load tests, clients, everything that only needs a reply.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Prose {
    /// What it writes. Default: `markov`.
    pub kind: Kind,
    /// How much it writes (`markov`).
    pub words: Words,
}

impl Prose {
    pub(crate) fn write(&self, prompt: &Prompt<'_>) -> Draft {
        match self.kind {
            Kind::Echo => Draft::from(prompt.last().to_owned()),
            Kind::Markov => {
                let words = self.words.draw(prompt.dice.on("words"));
                Draft::from(filler(words, prompt.dice.on("text")))
            }
        }
    }
}

/// Openings, subjects, verbs and endings: any four make a sentence that no reader of verdicts can mistake for one.
const PARTS: [&[&str]; 4] = [
    &[
        "First,",
        "Then",
        "Moreover,",
        "On reflection,",
        "At this point",
        "In short,",
        "Next,",
        "Here",
    ],
    &[
        "the text",
        "the reasoning",
        "this part",
        "the explanation",
        "the middle section",
        "the wording",
        "the idea",
    ],
    &[
        "follows from",
        "rests on",
        "returns to",
        "builds upon",
        "comes back to",
        "leaves aside",
        "touches",
    ],
    &[
        "what was asked.",
        "the earlier steps.",
        "the given facts.",
        "the main point.",
        "its own premises.",
        "the context.",
    ],
];

/// About `words` words, in whole sentences.
pub(crate) fn filler(words: usize, dice: Dice) -> String {
    let mut stream = dice.stream();
    let mut out = String::with_capacity(words * 6);
    let mut n = 0;
    while n < words {
        for part in PARTS {
            let piece = part[stream.random_range(0..part.len())];
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(piece);
            n += piece.split(' ').count();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Dice, Words, filler};
    use crate::serve_model::Positive;

    #[test]
    fn lengths_have_the_mean_that_was_asked_for() {
        let words = Words { mean: Positive::constant(100.0), spread: Positive::constant(0.5) };
        let n = 5000_u64;
        let total: usize = (0..n).map(|i| words.draw(Dice::new(1).at(i))).sum();
        assert!((total as f64 / n as f64 - 100.0).abs() < 3.0, "{total}");
        let text = filler(100, Dice::new(1));
        let count = text.split(' ').count();
        assert!((100..115).contains(&count), "{count}");
        assert_eq!(filler(0, Dice::new(1)), "");
    }
}
