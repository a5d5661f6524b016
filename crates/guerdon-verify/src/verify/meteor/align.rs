//! METEOR's alignment, as NLTK makes it.

use std::collections::HashMap;

use crate::text::porter;

/// Most lookups of synonyms for one pair of texts.
const MAX_LOOKUPS: usize = 1 << 22;

/// Words that stand for one another, by their stems.
#[derive(Debug, Default)]
pub(super) struct Synonyms {
    groups: Vec<Vec<String>>,
    of: HashMap<String, Vec<usize>>,
}

impl Synonyms {
    pub(super) fn new(groups: &[Vec<String>]) -> Self {
        let mut synonyms = Self::default();
        for (at, group) in groups.iter().enumerate() {
            let mut stems: Vec<String> = group.iter().map(|w| stem(&w.to_lowercase())).collect();
            stems.sort_unstable();
            stems.dedup();
            for stem in &stems {
                synonyms.of.entry(stem.clone()).or_default().push(at);
            }
            synonyms.groups.push(stems);
        }
        synonyms
    }

    fn of(&self, stem: &str) -> impl Iterator<Item = &str> {
        let groups = self.of.get(stem).into_iter().flatten();
        groups.flat_map(|at| self.groups[*at].iter().map(String::as_str))
    }
}

fn stem(word: &str) -> String {
    if word.is_ascii() { porter::stem(word) } else { word.to_owned() }
}

/// Words that are not yet aligned, with their places.
type Left<'a> = Vec<(usize, &'a str)>;

/// Aligned places of both texts, in the order of the first. `None` beyond the budget.
pub(super) fn align(
    own: &[String],
    reference: &[String],
    synonyms: &Synonyms,
) -> Option<Vec<(usize, usize)>> {
    let mut pairs = Vec::new();
    let left = |words: &'_ [String]| (0..words.len()).collect::<Vec<_>>();
    let (mut mine, mut theirs) = (left(own), left(reference));
    equal(own, reference, &mut mine, &mut theirs, &mut pairs);
    let (own, reference) = (stems(own, &mine), stems(reference, &theirs));
    equal(&own, &reference, &mut mine, &mut theirs, &mut pairs);
    if !synonyms.groups.is_empty() {
        let words = mine.iter().map(|at| (*at, own[*at].as_str())).collect();
        let others = theirs.iter().map(|at| (*at, reference[*at].as_str())).collect();
        by_synonym(&words, &others, synonyms, &mut pairs)?;
    }
    pairs.sort_unstable();
    Some(pairs)
}

/// The stems of the words that are left; the others are empty.
fn stems(words: &[String], left: &[usize]) -> Vec<String> {
    let mut stems = vec![String::new(); words.len()];
    left.iter().for_each(|at| stems[*at] = stem(&words[*at]));
    stems
}

/// Aligns equal words, the last ones first, and takes them from what is left.
fn equal(
    own: &[String],
    reference: &[String],
    mine: &mut Vec<usize>,
    theirs: &mut Vec<usize>,
    pairs: &mut Vec<(usize, usize)>,
) {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    theirs.iter().for_each(|at| places.entry(reference[*at].as_str()).or_default().push(*at));
    let mut taken = vec![false; reference.len()];
    let mut still = Vec::new();
    for &at in mine.iter().rev() {
        match places.get_mut(own[at].as_str()).and_then(Vec::pop) {
            Some(other) => {
                taken[other] = true;
                pairs.push((at, other));
            }
            None => still.push(at),
        }
    }
    still.reverse();
    *mine = still;
    theirs.retain(|at| !taken[*at]);
}

/// Aligns words with the last free word of the reference among their synonyms.
fn by_synonym(
    own: &Left<'_>,
    reference: &Left<'_>,
    synonyms: &Synonyms,
    pairs: &mut Vec<(usize, usize)>,
) -> Option<()> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    reference.iter().for_each(|(at, word)| places.entry(*word).or_default().push(*at));
    let mut lookups = 0;
    for (at, word) in own.iter().rev() {
        let mut best: Option<(usize, &str)> = None;
        for other in synonyms.of(word) {
            lookups += 1;
            let last = places.get(other).and_then(|p| p.last()).map(|place| (*place, other));
            best = best.max(last);
        }
        if let Some((place, other)) = best {
            places.get_mut(other)?.pop();
            pairs.push((*at, place));
        }
        if lookups > MAX_LOOKUPS {
            return None;
        }
    }
    Some(())
}

/// Number of runs whose words stand side by side in both texts.
pub(super) fn chunks(pairs: &[(usize, usize)]) -> usize {
    let breaks = pairs.windows(2).filter(|w| w[1] != (w[0].0 + 1, w[0].1 + 1));
    usize::from(!pairs.is_empty()) + breaks.count()
}
