//! Relevance: how much the completion is about what was asked, by shared words or by recorded embeddings; 0 to 1.
//!
//! # Formula
//!
//! ```text
//! tfidf      Σ_w a_w b_w / (‖a‖ ‖b‖),     a_w = (1 + ln tf_w) · idf_w in the completion, b_w in the query
//! bm25       Σ_w idf_w · tf_w / (tf_w + k1 (1 − b + b · length / average)) / Σ_w idf_w      w over the query's words
//! embedding  max(0, u · v / (‖u‖ ‖v‖))
//! idf_w      ln(1 + (N − n_w + ½) / (n_w + ½)) over the documents of `corpus`, n_w of them with w; 1 without a corpus
//! ```
//!
//! The query is the prompt, or the reference (`against`). Words are runs of letters and digits in lower case, by their stems
//! (Porter's, English); English function words do not count. `length` is that of the completion in words.
//!
//! # When to use it
//!
//! As one part of a reward for open answers: it tells on-topic from off-topic, for nothing. Alone it is gamed at once, by
//! copying the question and by repeating its words: multiply it with `verify.repetition` (`unique_share`) and a term for
//! length, and use `against: reference` for closed questions. `embedding` sees other words for the same thing.
//!
//! # Departures
//!
//! The paper takes the score of a dense retriever, which `embedding` reads from two columns; negative cosines are 0 here. Its
//! mixture is built from several signals in the spec. `bm25` is divided by its least upper bound, so that it ends at 1.
//! Beyond 512 KB of text a rollout stays unscored.
//!
//! # Example
//!
//! ```yaml
//! use: verify.relevance
//! against: auto
//! ```
//!
//! ```
//! use guerdon_verify::verify::relevance::Relevance;
//! let relevance = Relevance::default();
//! let question = "Why do cats purr?";
//! let near = relevance.value("Cats purr when they are content.", question);
//! assert!(near > relevance.value("Dogs bark at strangers.", question));
//! ```
//!
//! # References
//!
//! "Preference-free Alignment Learning with Regularized Relevance Reward", 2024. Robertson and Zaragoza, "The Probabilistic
//! Relevance Framework: BM25 and Beyond", 2009.

mod words;

use std::path::PathBuf;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::words::{Corpus, Counts};
use super::records;

/// Longest text, in bytes.
const LONGEST: usize = 1 << 19;

/// How relevance is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Cosine of weighted word counts.
    #[default]
    Tfidf,
    /// The retrieval score of the completion for the query, over its bound.
    Bm25,
    /// Cosine of two recorded vectors.
    Embedding,
}

/// What the completion must be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// The prompt.
    #[default]
    Prompt,
    /// The reference; of several the best counts.
    Reference,
    /// The reference where there is one, else the prompt.
    Auto,
}

/// Parameters of `verify.relevance`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Relevance {
    /// How relevance is measured. Default `tfidf`.
    pub kind: Kind,
    /// What the completion must be about. Default `prompt`.
    pub against: Against,
    /// A file with documents, one a line, that says how rare words are. Default none: all count alike.
    pub corpus: Option<PathBuf>,
    /// For `bm25`: how soon repetition stops to count, 0 to 100. Default 1.2.
    pub k1: f64,
    /// For `bm25`: how much length counts against the completion, 0 to 1. Default 0.75.
    pub b: f64,
    /// For `bm25`: average length of a completion in words, greater than 0. Default 200.
    pub average: f64,
    /// For `embedding`: column with the completion's vector. Default `embedding`.
    pub own: String,
    /// For `embedding`: column with the query's vector. Default `query_embedding`.
    pub query: String,
}

impl Default for Relevance {
    fn default() -> Self {
        Self {
            kind: Kind::Tfidf,
            against: Against::Prompt,
            corpus: None,
            k1: 1.2,
            b: 0.75,
            average: 200.0,
            own: "embedding".into(),
            query: "query_embedding".into(),
        }
    }
}

impl Params for Relevance {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("k1", self.k1, 0.0, 100.0)?;
        ParamError::in_range("b", self.b, 0.0, 1.0)?;
        ParamError::positive("average", self.average)?;
        records::named("own", &self.own)?;
        records::named("query", &self.query)
    }
}

/// The built signal: parameters and how rare words are.
struct Judge {
    params: Relevance,
    corpus: Corpus,
}

impl Relevance {
    /// The relevance of `completion` to `query` by shared words, 0 to 1; without a corpus, and never by embeddings.
    pub fn value(&self, completion: &str, query: &str) -> f64 {
        self.with(&Corpus::default(), &Counts::of(completion), query)
    }

    fn signal(self) -> Result<Judge, ParamError> {
        let corpus = match &self.corpus {
            None => Corpus::default(),
            Some(path) => Corpus::read(path).map_err(|error| {
                let message = format!("{} cannot be read: {error}", path.display());
                ParamError::new("corpus", message)
            })?,
        };
        Ok(Judge { params: self, corpus })
    }

    fn with(&self, corpus: &Corpus, own: &Counts, query: &str) -> f64 {
        let query = Counts::of(query);
        match self.kind {
            Kind::Bm25 => self.bm25(corpus, own, &query),
            _ => cosine(
                own.common(&query).map(|(w, a, b)| corpus.weight(w, a) * corpus.weight(w, b)).sum(),
                corpus.square(own),
                corpus.square(&query),
            ),
        }
    }

    fn bm25(&self, corpus: &Corpus, own: &Counts, query: &Counts) -> f64 {
        let length = self.k1 * (1.0 - self.b + self.b * own.length() as f64 / self.average);
        let found = own.common(query).map(|(w, tf, _)| corpus.idf(w) * tf / (tf + length));
        let bound: f64 = query.words().map(|w| corpus.idf(w)).sum();
        if bound > 0.0 { (found.sum::<f64>() / bound).min(1.0) } else { 0.0 }
    }
}

/// A cosine from the product and the squares of the lengths; 0 where one is 0, and at most 1.
fn cosine(product: f64, a: f64, b: f64) -> f64 {
    let lengths = a.sqrt() * b.sqrt();
    if lengths > 0.0 { (product / lengths).clamp(0.0, 1.0) } else { 0.0 }
}

impl Judge {
    fn embedded(&self, rollout: &Rollout) -> Outcome {
        let own = records::numbers_at(rollout, &self.params.own)?;
        let query = records::numbers_at(rollout, &self.params.query)?;
        if own.len() != query.len() {
            let (a, b) = (own.len(), query.len());
            return Err(Unscored::invalid(format!("vectors of {a} and {b} numbers")));
        }
        let unit = |vector: &[f64]| -> Vec<f64> {
            // Scaled, so that no square overflows or vanishes.
            let scale = vector.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
            vector.iter().map(|x| if scale > 0.0 { x / scale } else { 0.0 }).collect()
        };
        let (own, query) = (unit(&own), unit(&query));
        let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(x, y)| x * y).sum() };
        Score::new(cosine(dot(&own, &query), dot(&own, &own), dot(&query, &query)))
    }

    fn shared(&self, rollout: &Rollout) -> Outcome {
        let references = match self.params.against {
            Against::Prompt => Vec::new(),
            _ => rollout.references(),
        };
        if references.is_empty() && self.params.against == Against::Reference {
            return Err(Unscored::missing("there is no reference: map `reference` in the spec"));
        }
        let queries =
            if references.is_empty() { vec![rollout.prompt.last().into()] } else { references };
        let size: usize = queries.iter().map(|q| q.len()).sum();
        if rollout.text().len() > LONGEST || size > LONGEST {
            return Err(Unscored::budget(format!("a text of more than {LONGEST} bytes")));
        }
        let own = Counts::of(rollout.text());
        let values = queries.iter().map(|query| self.params.with(&self.corpus, &own, query));
        Score::new(values.fold(0.0, f64::max))
    }
}

impl Signal for Judge {
    fn score(&self, rollout: &Rollout) -> Outcome {
        match self.params.kind {
            Kind::Embedding => self.embedded(rollout),
            _ => self.shared(rollout),
        }
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }

    fn reads_completion(&self) -> bool {
        self.params.kind != Kind::Embedding
    }
}

guerdon_core::method! {
    Relevance: BuiltSignal,
    id: "verify.relevance",
    papers: ["r3-2024"],
    status: Verified(ClosedForm("cosine and BM25 by hand")),
    laws: [WhitespaceInvariant, CaseInvariant],
    exempt: [
        DegenerateEarnsNothing: "A copy of the question is about the question; the manual says what to multiply with.",
    ],
    samples: [
        r#"{"prompt": "Capital of France?", "completion": "France: the capital"}"#,
    ],
}

#[cfg(test)]
mod tests;
