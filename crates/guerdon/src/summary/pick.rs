//! What is kept of a run for people to look at: random samples and the rollouts worth reading.

use guerdon_core::Rollout;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Moments;
use crate::engine::{RowOptions, Scored, output_row};
use crate::spec::Spec;

/// Characters of a prompt or completion that a card keeps.
const TEXT: usize = 4_000;
/// Cards kept per heading.
const CARDS: usize = 6;

/// The value under `name`, made when it is not there yet.
pub(super) fn slot<'a, T: Default>(items: &'a mut Vec<(String, T)>, name: &str) -> &'a mut T {
    let at = items.iter().position(|(n, _)| n == name).unwrap_or_else(|| {
        items.push((name.to_owned(), T::default()));
        items.len() - 1
    });
    &mut items[at].1
}

/// A uniform sample of bounded size: the items whose row number hashes lowest, so that it does not depend on batching.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sample<T> {
    size: usize,
    items: Vec<(u64, u64, T)>,
}

impl<T> Sample<T> {
    /// An empty sample that will hold at most `size` items.
    pub fn new(size: usize) -> Self {
        Self { size, items: Vec::new() }
    }

    /// Offers the item of row `row`.
    pub fn offer(&mut self, row: u64, item: impl FnOnce() -> T) {
        let key = mix(row);
        if self.items.len() == self.size {
            if self.items[0].0 <= key {
                return;
            }
            self.items[0] = (key, row, item());
            self.sift_down();
        } else {
            self.items.push((key, row, item()));
            self.sift_up();
        }
    }

    // The items are a binary heap with the greatest key first.
    fn sift_up(&mut self) {
        let mut at = self.items.len() - 1;
        while at > 0 && self.items[at].0 > self.items[(at - 1) / 2].0 {
            self.items.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    fn sift_down(&mut self) {
        let mut at = 0;
        loop {
            let children = [2 * at + 1, 2 * at + 2].into_iter().filter(|c| *c < self.items.len());
            let Some(largest) = children.max_by_key(|c| self.items[*c].0) else { return };
            if self.items[largest].0 <= self.items[at].0 {
                return;
            }
            self.items.swap(at, largest);
            at = largest;
        }
    }

    /// The items in the order of their rows.
    pub fn items(&self) -> Vec<&T> {
        let mut sorted: Vec<_> = self.items.iter().map(|(_, row, item)| (row, item)).collect();
        sorted.sort_by_key(|(row, _)| **row);
        sorted.into_iter().map(|(_, item)| item).collect()
    }
}

/// The finaliser of `SplitMix64`.
fn mix(row: u64) -> u64 {
    let mut z = row.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A rollout to read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Card {
    /// Why it is shown, in a few words.
    pub why: String,
    /// The prompt, cut to a readable length.
    pub prompt: String,
    /// The completion, cut to a readable length.
    pub completion: String,
    /// The reference.
    pub reference: Value,
    /// The output row.
    pub row: Map<String, Value>,
    /// The signals' explanations.
    pub explanations: Vec<(String, String)>,
}

/// Rollouts worth reading, per heading the strongest few.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Picks {
    /// Heading, and its cards with their keys, strongest first.
    pub headings: Vec<(String, Vec<(f64, Card)>)>,
}

impl Picks {
    /// Offers rollout `i` under every heading. `reward` are the moments of the rewards so far.
    pub(super) fn offer(
        &mut self,
        spec: &Spec,
        scored: &Scored,
        i: usize,
        reward: Option<Moments>,
    ) {
        let rollout = &scored.rollouts[i];
        let own = scored.reward.as_ref().and_then(|c| c.get(i));
        let length = rollout.length();
        if let (Some(own), Some(so_far)) = (own, reward) {
            self.put("Lowest rewards", -own, spec, scored, i, || format!("reward {own:.3}"));
            let spread = so_far.spread().unwrap_or(0.0);
            if own >= so_far.max && spread > 0.0 {
                self.put("Shortest among the best", -length, spec, scored, i, || {
                    format!("reward {own:.3} with length {length}")
                });
                self.put("Longest among the best", length, spec, scored, i, || {
                    format!("reward {own:.3} with length {length}")
                });
            }
        }
        if let Some(advantage) = scored.advantage.as_ref().and_then(|c| c.get(i)) {
            self.put("Greatest advantages", advantage, spec, scored, i, || {
                format!("advantage {advantage:.3}")
            });
        }
        if let Some(gap) = disagreement(scored, i) {
            self.put("Signals disagree", gap, spec, scored, i, || {
                "one signal is at its best, another at its worst".into()
            });
        }
        for (stage, outcomes) in spec.signals.iter().zip(&scored.outcomes) {
            if let Err(reason) = &outcomes[i] {
                self.put(&format!("Unscored by {}", stage.name), 0.0, spec, scored, i, || {
                    reason.to_string()
                });
            }
        }
    }

    fn put(
        &mut self,
        heading: &str,
        key: f64,
        spec: &Spec,
        scored: &Scored,
        i: usize,
        why: impl FnOnce() -> String,
    ) {
        let cards = slot(&mut self.headings, heading);
        // Ties keep the earlier row, so that the picks do not depend on batching.
        let at = cards.partition_point(|(k, _)| *k >= key);
        if at < CARDS {
            cards.insert(at, (key, card(spec, scored, i, why())));
            cards.truncate(CARDS);
        }
    }
}

/// How far apart two 0/1 signals of one rollout stand: only the plain contradiction counts.
fn disagreement(scored: &Scored, i: usize) -> Option<f64> {
    let binary = |o: &guerdon_core::Outcome| {
        o.as_ref().ok().map(guerdon_core::Score::value).filter(|v| *v == 0.0 || *v == 1.0)
    };
    let values: Vec<f64> = scored.outcomes.iter().filter_map(|own| binary(&own[i])).collect();
    (values.contains(&0.0) && values.contains(&1.0)).then_some(1.0)
}

fn card(spec: &Spec, scored: &Scored, i: usize, why: String) -> Card {
    let rollout: &Rollout = &scored.rollouts[i];
    let explanations = spec.signals.iter().zip(&scored.outcomes).filter_map(|(stage, own)| {
        let text = own[i].as_ref().ok()?.explanation.clone()?;
        Some((stage.name.clone(), text))
    });
    Card {
        why,
        prompt: cut(rollout.prompt.last()),
        completion: cut(rollout.text()),
        reference: match &rollout.reference {
            Value::String(text) => cut(text).into(),
            other => other.clone(),
        },
        row: output_row(spec, scored, i, RowOptions::default()),
        explanations: explanations.collect(),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT) {
        None => text.to_owned(),
        Some((at, _)) => format!("{} […]", &text[..at]),
    }
}

#[cfg(test)]
mod tests {
    use super::Sample;

    #[test]
    fn a_sample_is_bounded_and_does_not_depend_on_the_order_of_offers() {
        let mut forward = Sample::new(10);
        (0..1000).for_each(|row| forward.offer(row, || row));
        let mut backward = Sample::new(10);
        (0..1000).rev().for_each(|row| backward.offer(row, || row));
        assert_eq!(forward.items(), backward.items());
        assert_eq!(forward.items().len(), 10);
    }
}
