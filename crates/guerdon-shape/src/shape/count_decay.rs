//! Divides a reward by how often its kind has been seen: novelty pays, repetition does not.
//!
//! # Formula
//!
//! ```text
//! r'_i = r_i / N_i^p
//! ```
//!
//! `N_i` is how often the text of the column `key` has occurred up to and including rollout `i`: within its group, or with
//! `over: run` since the run began (the counts are saved with it). With `count` instead of `key`, `N_i` stands in a column.
//! Exponent 0 changes nothing.
//!
//! # When to use it
//!
//! With intrinsic rewards (a language model's opinion that an event helps), which an agent otherwise collects in a loop.
//!
//! # Departures
//!
//! None in the formula. Beyond `most` different texts the run forgets no old ones: further new texts count as 1.
//!
//! # Example
//!
//! ```yaml
//! use: shape.count_decay
//! key: caption
//! exponent: 3
//! ```
//!
//! ```
//! use guerdon_shape::shape::count_decay::decayed;
//! assert_eq!(decayed(0.8, 2.0, 3.0), 0.1);
//! ```
//!
//! # References
//!
//! Zheng et al., "Online Intrinsic Rewards for Decision Making Agents from Large Language Model Feedback", 2024 (ONI).

use std::collections::BTreeMap;

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fine::settle;

/// Where occurrences are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// Within the group (an episode).
    #[default]
    Group,
    /// Since the run began.
    Run,
}

/// Parameters of `shape.count_decay`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CountDecay {
    /// Text column whose occurrences are counted. Default `caption`.
    pub key: String,
    /// Column that holds the counts already (at least 1), in place of `key`. Default: none.
    pub count: Option<String>,
    /// The exponent p. At least 0; default 3.
    pub exponent: f64,
    /// Where occurrences are counted. Default `group`.
    pub over: Over,
    /// The most different texts that are remembered. At least 1; default 1 million.
    pub most: usize,
}

impl Default for CountDecay {
    fn default() -> Self {
        Self {
            key: "caption".to_owned(),
            count: None,
            exponent: 3.0,
            over: Over::Group,
            most: 1_000_000,
        }
    }
}

impl Params for CountDecay {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("exponent", self.exponent, 0.0, f64::INFINITY)?;
        ParamError::in_range("most", self.most as f64, 1.0, f64::INFINITY)
    }
}

/// `reward` at its `n`-th occurrence (counts below 1 count as 1).
pub fn decayed(reward: f64, n: f64, exponent: f64) -> f64 {
    reward / n.max(1.0).powf(exponent)
}

impl CountDecay {
    fn transform(self) -> Counter {
        Counter { params: self, counts: BTreeMap::new() }
    }
}

/// `shape.count_decay` in a run: the parameters and the counts.
#[derive(Debug, Clone)]
pub struct Counter {
    params: CountDecay,
    counts: BTreeMap<String, u64>,
}

impl Counter {
    fn occurrence(&mut self, text: &str) -> f64 {
        if let Some(count) = self.counts.get_mut(text) {
            *count += 1;
            return *count as f64;
        }
        if self.counts.len() < self.params.most {
            self.counts.insert(text.to_owned(), 1);
        }
        1.0
    }

    fn by_text(
        &mut self,
        view: &View<'_>,
        current: &Column,
    ) -> Result<Vec<Option<f64>>, MethodError> {
        if current.is_empty() {
            return Ok(Vec::new());
        }
        let texts = view.frame.text(&self.params.key)?;
        let mut out = vec![None; current.len()];
        for range in view.frame.groups.iter() {
            if self.params.over == Over::Group {
                self.counts.clear();
            }
            for row in range {
                if let (Some(reward), Some(text)) = (current.get(row), &texts[row]) {
                    out[row] = Some(decayed(reward, self.occurrence(text), self.params.exponent));
                }
            }
        }
        Ok(out)
    }
}

impl Transform for Counter {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let current = view.current()?;
        let out = match &self.params.count {
            None => self.by_text(view, current)?,
            Some(name) => {
                let counts = view.frame.column(name)?;
                let row = |(row, r): (usize, Option<f64>)| {
                    Some(decayed(r?, counts.get(row)?, self.params.exponent))
                };
                current.iter().enumerate().map(row).collect()
            }
        };
        Ok(settle(current, Column::from_options(out)))
    }

    fn reads(&self) -> Vec<String> {
        vec![self.params.count.clone().unwrap_or_else(|| self.params.key.clone())]
    }

    fn scope(&self) -> Scope {
        match (&self.params.count, self.params.over) {
            (Some(_), _) => Scope::Rollout,
            (None, Over::Group) => Scope::Group,
            (None, Over::Run) => Scope::Batch,
        }
    }

    fn save(&self) -> Value {
        let remembers = self.params.count.is_none() && self.params.over == Over::Run;
        if remembers { serde_json::to_value(&self.counts).unwrap_or_default() } else { Value::Null }
    }

    fn restore(&mut self, state: &Value) -> Result<(), MethodError> {
        if !state.is_null() {
            self.counts = super::state::read(state)?;
        }
        Ok(())
    }
}

guerdon_core::method! {
    CountDecay: StatefulTransform,
    id: "shape.count_decay",
    papers: ["oni-2024"],
    status: Verified(Worked("0.8 at the second occurrence with exponent 3 is 0.1")),
    laws: [GroupLocal],
    exempt: [PermutationEquivariant: "Occurrences are counted in the order of the rollouts."],
    sample_params: r#"{"key": "task"}"#,
}

#[cfg(test)]
mod tests {
    use super::{CountDecay, Over, decayed};
    use guerdon_core::method::Transform as _;
    use guerdon_core::{Column, Frame, Groups, View};

    fn run(over: Over, batches: usize) -> Vec<f64> {
        let mut frame = Frame::new(Groups::one(3));
        frame
            .insert_text("caption", ["key", "door", "key"].map(|t| Some(t.to_owned())).to_vec())
            .unwrap();
        let current = Column::full(vec![8.0; 3]);
        let view = View { frame: &frame, current: Some(&current), seed: 0 };
        let mut counter = CountDecay { over, ..CountDecay::default() }.transform();
        (0..batches)
            .map(|_| counter.apply(&view).unwrap())
            .last()
            .unwrap()
            .iter()
            .flatten()
            .collect()
    }

    #[test]
    fn repetition_is_worth_less() {
        assert_eq!(decayed(0.8, 2.0, 3.0), 0.1);
        assert_eq!(decayed(0.8, 9.0, 0.0), 0.8);
        assert_eq!(run(Over::Group, 2), [8.0, 8.0, 1.0]);
        assert_eq!(run(Over::Run, 2), [8.0 / 27.0, 1.0, 0.125]);
    }
}
