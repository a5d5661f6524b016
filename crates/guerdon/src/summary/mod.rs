//! What a run says of its rewards: one pass, constant memory, the same numbers on any number of threads.
//!
//! Everything here is part of the saved state of a run: a resumed run ends with the summary of an uninterrupted one.

mod json;
mod moments;
mod pick;
mod table;

use std::collections::BTreeMap;

use guerdon_core::{Column, Outcome};
use serde::{Deserialize, Serialize};

use crate::engine::Scored;
use crate::spec::Spec;

pub use json::to_json;
pub use moments::{Moments, Pair};
pub use pick::{Card, Picks, Sample};
pub use table::render;

/// Points kept for pictures.
const POINTS: usize = 2_000;
/// Groups kept for pictures.
const GROUPS: usize = 400;
/// Distinct values counted one by one; beyond that a column counts as continuous.
const DISTINCT: usize = 24;

/// The summary of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Summary {
    /// Rollouts scored.
    pub rollouts: u64,
    /// Their groups.
    pub groups: u64,
    /// Groups whose scored rollouts all have the same reward, by that reward (its order-preserving bits).
    constant: BTreeMap<u64, u64>,
    /// Groups in which all rollouts gave the same text, of at least two.
    pub duplicate_groups: u64,
    /// Rollouts whose text another rollout of the group gave before.
    pub duplicates: u64,
    /// The signals.
    pub signals: Vec<ColumnSummary>,
    /// The reward, where there is one.
    pub reward: Option<ColumnSummary>,
    /// The advantage, where there is one.
    pub advantage: Option<ColumnSummary>,
    /// Mean contribution of each signal to the reward.
    pub contributions: Vec<(String, Moments)>,
    /// Correlation between every two signals (`i < j`), row by row.
    pub between: Vec<Pair>,
    /// Length of the completions.
    pub length: Moments,
    /// Reward per group in the order of the run, to see jumps: running means over blocks.
    pub course: Vec<Moments>,
    /// Groups per block of `course`; doubles when there are too many blocks.
    course_block: u64,
    /// Sampled rollouts: length, reward.
    pub points: Sample<Point>,
    /// Sampled groups.
    pub group_points: Sample<GroupPoint>,
    /// The rollouts worth reading.
    pub picks: Picks,
    seen_rows: u64,
}

/// One column.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ColumnSummary {
    /// Its name.
    pub name: String,
    /// Its method; empty for reward and advantage.
    pub method: String,
    /// Mean, spread and range of the scored rows.
    pub moments: Moments,
    /// Correlation with length.
    pub with_length: Pair,
    /// Unscored rows by reason, with an example each.
    pub unscored: BTreeMap<String, (u64, String)>,
    /// Counts of distinct values (order-preserving bits), while there are few.
    distinct: Option<BTreeMap<u64, u64>>,
    /// Sampled values, for histograms.
    pub values: Sample<f64>,
}

/// A rollout in a picture.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Point {
    /// Its id.
    pub id: String,
    /// Length of its completion.
    pub length: f64,
    /// Its reward.
    pub reward: f64,
}

/// A group in a picture.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GroupPoint {
    /// Its name.
    pub group: String,
    /// Its rewards, lowest first; `None` where unscored rollouts were left out.
    pub rewards: Vec<f64>,
}

impl ColumnSummary {
    fn new(name: &str, method: &str) -> Self {
        Self {
            name: name.to_owned(),
            method: method.to_owned(),
            moments: Moments::default(),
            with_length: Pair::default(),
            unscored: BTreeMap::new(),
            distinct: Some(BTreeMap::new()),
            values: Sample::new(POINTS),
        }
    }

    fn add(&mut self, row: u64, value: Option<f64>, length: f64) {
        let Some(value) = value else { return };
        self.moments.add(value);
        self.with_length.add(value, length);
        self.values.offer(row, || value);
        if let Some(distinct) = &mut self.distinct {
            *distinct.entry(order_bits(value)).or_default() += 1;
            if distinct.len() > DISTINCT {
                self.distinct = None;
            }
        }
    }

    fn add_reason(&mut self, outcome: &Outcome) {
        if let Err(reason) = outcome {
            let slot = self
                .unscored
                .entry(reason.kind.name().to_owned())
                .or_insert_with(|| (0, reason.detail.clone()));
            slot.0 += 1;
        }
    }

    /// Number of unscored rows.
    pub fn unscored_total(&self) -> u64 {
        self.unscored.values().map(|(n, _)| n).sum()
    }

    /// The distinct values with their counts, lowest first, if there are few.
    pub fn distinct(&self) -> Option<Vec<(f64, u64)>> {
        self.distinct
            .as_ref()
            .map(|d| d.iter().map(|(bits, n)| (from_order_bits(*bits), *n)).collect())
    }
}

impl Summary {
    /// The summary of nothing yet.
    pub fn new(spec: &Spec) -> Self {
        let n = spec.signals.len();
        let has_reward = n == 1 || !spec.reward.is_empty();
        Self {
            rollouts: 0,
            groups: 0,
            constant: BTreeMap::new(),
            duplicate_groups: 0,
            duplicates: 0,
            signals: spec
                .signals
                .iter()
                .map(|s| ColumnSummary::new(&s.name, s.method.id))
                .collect(),
            reward: has_reward.then(|| ColumnSummary::new("reward", "")),
            advantage: (!spec.advantage.is_empty()).then(|| ColumnSummary::new("advantage", "")),
            contributions: Vec::new(),
            between: vec![Pair::default(); n * n.saturating_sub(1) / 2],
            length: Moments::default(),
            course: Vec::new(),
            course_block: 1,
            points: Sample::new(POINTS),
            group_points: Sample::new(GROUPS),
            picks: Picks::default(),
            seen_rows: 0,
        }
    }

    /// Adds a batch.
    pub fn add(&mut self, spec: &Spec, scored: &Scored) {
        for i in 0..scored.rollouts.len() {
            self.add_row(scored, i);
            self.picks.offer(spec, scored, i, self.reward.as_ref().map(|r| r.moments));
            self.seen_rows += 1;
        }
        for range in scored.groups.iter() {
            self.add_group(scored, range);
        }
        for (name, column) in &scored.contributions {
            let moments = pick::slot(&mut self.contributions, name);
            column.iter().flatten().for_each(|v| moments.add(v));
        }
        self.rollouts += scored.rollouts.len() as u64;
    }

    fn add_row(&mut self, scored: &Scored, i: usize) {
        let (rollout, row) = (&scored.rollouts[i], self.seen_rows);
        let length = rollout.length();
        self.length.add(length);
        for ((summary, column), outcomes) in
            self.signals.iter_mut().zip(&scored.signals).zip(&scored.outcomes)
        {
            summary.add(row, column.get(i), length);
            summary.add_reason(&outcomes[i]);
        }
        self.add_between(&scored.signals, i);
        let reward = scored.reward.as_ref().and_then(|c| c.get(i));
        if let Some(summary) = &mut self.reward {
            summary.add(row, reward, length);
        }
        if let (Some(summary), Some(column)) = (&mut self.advantage, &scored.advantage) {
            summary.add(row, column.get(i), length);
        }
        if let Some(reward) = reward {
            self.points.offer(row, || Point { id: rollout.id.clone(), length, reward });
        }
    }

    fn add_between(&mut self, signals: &[Column], i: usize) {
        let every_two =
            (0..signals.len()).flat_map(|a| (a + 1..signals.len()).map(move |b| (a, b)));
        for (pair, (a, b)) in self.between.iter_mut().zip(every_two) {
            if let (Some(x), Some(y)) = (signals[a].get(i), signals[b].get(i)) {
                pair.add(x, y);
            }
        }
    }

    fn add_group(&mut self, scored: &Scored, range: std::ops::Range<usize>) {
        self.groups += 1;
        let texts: std::collections::BTreeSet<&str> =
            scored.rollouts[range.clone()].iter().map(guerdon_core::Rollout::text).collect();
        self.duplicates += (range.len() - texts.len()) as u64;
        self.duplicate_groups += u64::from(range.len() > 1 && texts.len() == 1);
        let Some(reward) = &scored.reward else { return };
        let mut rewards: Vec<f64> = range.clone().filter_map(|i| reward.get(i)).collect();
        let Some(first) = rewards.first().copied() else { return };
        if rewards.len() > 1 && rewards.iter().all(|r| *r == first) {
            *self.constant.entry(order_bits(first)).or_default() += 1;
        }
        self.add_to_course(rewards.iter().sum::<f64>() / rewards.len() as f64);
        rewards.sort_by(f64::total_cmp);
        let group = scored.rollouts[range.start].group.clone();
        self.group_points.offer(self.groups, || GroupPoint { group, rewards });
    }

    fn add_to_course(&mut self, mean: f64) {
        if self.course.last().is_none_or(|block| block.count >= self.course_block) {
            if self.course.len() == 200 {
                self.course = self.course.chunks(2).map(|pair| pair[0].merged(&pair[1])).collect();
                self.course_block *= 2;
            }
            self.course.push(Moments::default());
        }
        if let Some(block) = self.course.last_mut() {
            block.add(mean);
        }
    }

    /// Groups whose rollouts all have the same reward: all, those at the lowest reward seen, those at the highest.
    pub fn without_spread(&self) -> (u64, u64, u64) {
        let Some(reward) = &self.reward else { return (0, 0, 0) };
        let all = self.constant.values().sum();
        let at = |value: f64| self.constant.get(&order_bits(value)).copied().unwrap_or(0);
        if reward.moments.min == reward.moments.max {
            return (all, 0, 0);
        }
        (all, at(reward.moments.min), at(reward.moments.max))
    }
}

/// The bits of a float, ordered as the floats are; -0 and 0 are one.
fn order_bits(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn from_order_bits(bits: u64) -> f64 {
    f64::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits })
}

#[cfg(test)]
mod tests {
    use super::{from_order_bits, order_bits};

    #[test]
    fn bits_keep_the_order() {
        let values = [f64::MIN, -1.5, -0.0, 1e-300, 0.5, f64::MAX];
        assert!(values.windows(2).all(|w| order_bits(w[0]) < order_bits(w[1])));
        assert!(values.iter().all(|v| from_order_bits(order_bits(*v)) == *v));
        assert_eq!(order_bits(0.0), order_bits(-0.0));
    }
}
