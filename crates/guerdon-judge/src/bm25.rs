//! BM25: which of some documents fit a query best.
//!
//! ```text
//! score(d) = Σ over the query's distinct words w of idf(w)·f·(k1 + 1) / (f + k1·(1 − b + b·|d|/mean length))
//! idf(w)   = ln(1 + (N − n + ½)/(n + ½))
//! ```
//!
//! `f` is how often `w` stands in the document, `n` in how many of the `N` documents it stands, k1 = 1.2, b = 0.75.

use std::collections::{BTreeMap, BTreeSet};

const K1: f64 = 1.2;
const B: f64 = 0.75;

/// The places of the `k` documents that fit the query best, best first; equal ones in their order. Documents that share no
/// word with the query are left out.
pub(crate) fn top(query: &str, documents: &[&str], k: usize) -> Vec<usize> {
    let mut scored: Vec<(usize, f64)> = scores(query, documents).into_iter().enumerate().collect();
    scored.retain(|(_, score)| *score > 0.0);
    scored.sort_by(|a, b| b.1.total_cmp(&a.1));
    scored.into_iter().take(k).map(|(place, _)| place).collect()
}

/// One score per document; at least 0.
fn scores(query: &str, documents: &[&str]) -> Vec<f64> {
    let wanted: BTreeSet<String> = words(query).collect();
    let counts: Vec<(usize, BTreeMap<String, usize>)> =
        documents.iter().map(|document| count(document, &wanted)).collect();
    let total: usize = counts.iter().map(|(length, _)| length).sum();
    let mean = (total as f64 / counts.len().max(1) as f64).max(1.0);
    let held = |word: &String| counts.iter().filter(|(_, own)| own.contains_key(word)).count();
    let idf: BTreeMap<&String, f64> = wanted
        .iter()
        .map(|word| {
            let (all, n) = (counts.len() as f64, held(word) as f64);
            (word, (1.0 + (all - n + 0.5) / (n + 0.5)).ln())
        })
        .collect();
    let score = |(length, own): &(usize, BTreeMap<String, usize>)| {
        let norm = K1 * (1.0 - B + B * *length as f64 / mean);
        own.iter().map(|(word, f)| idf[word] * *f as f64 * (K1 + 1.0) / (*f as f64 + norm)).sum()
    };
    counts.iter().map(score).collect()
}

/// The length of a document in words, and how often it holds each wanted one.
fn count(document: &str, wanted: &BTreeSet<String>) -> (usize, BTreeMap<String, usize>) {
    let (mut length, mut own) = (0, BTreeMap::new());
    for word in words(document) {
        length += 1;
        if wanted.contains(&word) {
            *own.entry(word).or_default() += 1;
        }
    }
    (length, own)
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::{scores, top};

    #[test]
    fn the_formula_is_the_formula() {
        // Two documents of 2 and 4 words; `a` stands in both, `b` twice in the second.
        let found = scores("a b", &["a c", "a b b d"]);
        let idf = |n: f64| (1.0 + (2.0 - n + 0.5) / (n + 0.5)).ln();
        let part = |f: f64, length: f64| f * 2.2 / (f + 1.2 * (0.25 + 0.75 * length / 3.0));
        let expect =
            [idf(2.0) * part(1.0, 2.0), idf(2.0) * part(1.0, 4.0) + idf(1.0) * part(2.0, 4.0)];
        for (a, b) in found.iter().zip(expect) {
            assert!((a - b).abs() < 1e-12, "{found:?} {expect:?}");
        }
    }

    #[test]
    fn the_best_come_first_and_strangers_not_at_all() {
        let documents = ["the dose is 5 mg", "cats sleep", "the dose"];
        assert_eq!(top("Which dose in mg?", &documents, 5), [0, 2]);
        assert_eq!(top("Which dose in mg?", &documents, 1), [0]);
        assert!(top("", &documents, 3).is_empty() && top("x", &[], 3).is_empty());
    }
}
