//! Words that tell what a text is about, and how rare they are.

use std::collections::BTreeMap;
use std::path::Path;

use crate::text::porter;

/// English words that stand in texts about anything.
const FUNCTION_WORDS: &str = " a about after all also am an and any are as at be because been before being but by can could did do does done each for from had has have he her here his how i if in into is it its just like many may me might more most much must my no not of off on one or other our out over shall she should so some such than that the their them then there these they this those to too up us very was we were what when where which while who whom whose why will with would you your ";

/// How often each word stands in a text.
#[derive(Debug, Default)]
pub(super) struct Counts {
    counts: BTreeMap<String, f64>,
    length: usize,
}

impl Counts {
    pub(super) fn of(text: &str) -> Self {
        let mut counts = Self::default();
        let lower = text.to_lowercase();
        for word in lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
            counts.length += 1;
            if FUNCTION_WORDS.contains(&format!(" {word} ")) {
                continue;
            }
            let stem = if word.is_ascii() { porter::stem(word) } else { word.to_owned() };
            *counts.counts.entry(stem).or_default() += 1.0;
        }
        counts
    }

    /// Number of words, function words included.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// The different words, in order.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.counts.keys().map(String::as_str)
    }

    /// The words of both with their counts in each.
    pub(super) fn common<'a>(
        &'a self,
        other: &'a Self,
    ) -> impl Iterator<Item = (&'a str, f64, f64)> {
        let both =
            |(word, own): (&'a String, &f64)| Some((word.as_str(), *own, *other.counts.get(word)?));
        self.counts.iter().filter_map(both)
    }
}

/// In how many documents words stand.
#[derive(Debug, Default)]
pub(super) struct Corpus {
    documents: f64,
    with: BTreeMap<String, f64>,
}

impl Corpus {
    /// The documents of a file, one a line.
    pub(super) fn read(path: &Path) -> std::io::Result<Self> {
        let mut corpus = Self::default();
        for line in std::fs::read_to_string(path)?.lines().filter(|line| !line.trim().is_empty()) {
            corpus.documents += 1.0;
            for word in Counts::of(line).counts.into_keys() {
                *corpus.with.entry(word).or_default() += 1.0;
            }
        }
        Ok(corpus)
    }

    /// The weight of a word: rare words weigh more; without documents all weigh 1.
    pub(super) fn idf(&self, word: &str) -> f64 {
        if self.documents == 0.0 {
            return 1.0;
        }
        let with = self.with.get(word).copied().unwrap_or(0.0);
        (1.0 + (self.documents - with + 0.5) / (with + 0.5)).ln()
    }

    /// The weight of a word that stands in a text so often.
    pub(super) fn weight(&self, word: &str, count: f64) -> f64 {
        (1.0 + count.ln()) * self.idf(word)
    }

    /// The sum of the squared weights of a text.
    pub(super) fn square(&self, counts: &Counts) -> f64 {
        counts.counts.iter().map(|(word, count)| self.weight(word, *count).powi(2)).sum()
    }
}
