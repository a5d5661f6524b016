//! Head to head: win, tie or loss of one model against another on the same items, by a bootstrap interval of the difference.
//!
//! # Formula
//!
//! ```text
//! interval of mean(a − b), items resampled in pairs; all above 0: win, all below: loss, else tie
//! ```
//!
//! # When to use it
//!
//! For many model-task pairs, where the sign of each difference alone would call half of all noise a win. The rates over pairs
//! follow; groups of pairs go to `stats.regime_table`.
//!
//! # Departures
//!
//! None. An interval that only touches 0 is a tie; identical scores are a tie with the interval [0, 0].
//!
//! # Example
//!
//! ```yaml
//! use: stats.head_to_head
//! rounds: 10000
//! ```
//!
//! ```
//! use guerdon_stats::stats::head_to_head::{HeadToHead, Verdict, judge};
//! let (a, b) = (vec![1.0; 40], vec![0.0; 40]);
//! assert_eq!(judge(&a, &b, &HeadToHead::default(), 0).unwrap().verdict, Verdict::Win);
//! ```
//!
//! # References
//!
//! Jeong et al., "Medical Adaptation of Large Language and Vision-Language Models: Are We Making Progress?", 2024.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::{check_level, check_rounds};
use crate::moments::{at_least, check_pair, finite, mean};
use crate::resample::{Interval, IntervalKind, interval, replicates, weighted_mean};

/// Parameters of `stats.head_to_head`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HeadToHead {
    /// Resamples, 1 to 1,000,000. Default 10000.
    pub rounds: u32,
    /// Confidence level, between 0 and 1. Default 0.95.
    pub level: f64,
}

impl Default for HeadToHead {
    fn default() -> Self {
        Self { rounds: 10_000, level: 0.95 }
    }
}

impl Params for HeadToHead {
    fn validate(&self) -> Result<(), ParamError> {
        check_rounds(self.rounds)?;
        check_level(self.level)
    }
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contest {
    /// Names the comparison.
    pub name: String,
    /// Scores of the first model, at least one, finite.
    pub a: Vec<f64>,
    /// Scores of the second on the same items.
    pub b: Vec<f64>,
}

/// Input of `stats.head_to_head`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The comparisons, at least one.
    pub contests: Vec<Contest>,
}

/// Who is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The first.
    Win,
    /// Cannot be told.
    Tie,
    /// The second.
    Loss,
}

/// The verdict on one comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// Mean of a − b.
    pub difference: f64,
    /// Its interval.
    pub interval: Interval,
    /// Who is better.
    pub verdict: Verdict,
}

/// Output of `stats.head_to_head`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// One entry per comparison.
    pub contests: Vec<Judged>,
    /// Share of wins.
    pub win: f64,
    /// Share of ties.
    pub tie: f64,
    /// Share of losses.
    pub loss: f64,
}

/// Compares two models on the same items.
pub fn judge(a: &[f64], b: &[f64], params: &HeadToHead, seed: u64) -> Result<Judged, MethodError> {
    check_pair(("a", a), ("b", b))?;
    let d: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let difference = finite("difference", mean(&d))?;
    let all = replicates(d.len(), params.rounds, seed, |counts| weighted_mean(&d, counts))?;
    let interval = interval(IntervalKind::Percentile, difference, &all, &[], params.level)
        .unwrap_or(Interval { low: difference, high: difference });
    let verdict = match interval {
        Interval { low, .. } if low > 0.0 => Verdict::Win,
        Interval { high, .. } if high < 0.0 => Verdict::Loss,
        _ => Verdict::Tie,
    };
    Ok(Judged { difference, interval, verdict })
}

impl Function for HeadToHead {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, seed: u64) -> Result<Output, MethodError> {
        at_least("contests", input.contests.len(), 1)?;
        let judged = input.contests.iter().map(|c| judge(&c.a, &c.b, self, seed));
        let contests = judged.collect::<Result<Vec<_>, _>>()?;
        let share =
            |v| contests.iter().filter(|c| c.verdict == v).count() as f64 / contests.len() as f64;
        let (win, tie, loss) = (share(Verdict::Win), share(Verdict::Tie), share(Verdict::Loss));
        Ok(Output { contests, win, tie, loss })
    }
}

guerdon_core::method! {
    HeadToHead: Function,
    id: "stats.head_to_head",
    papers: ["medical-dapt-2024", "medical-dapt-limited-2024"],
    status: Verified(ClosedForm("interval against ±1.96·√((b + c − (b − c)²/n))/n")),
    laws: [],
    exempt: [],
    sample_params: r#"{"rounds": 100}"#,
    samples: [
        r#"{"contests": [{"name": "x", "a": [1, 1, 0], "b": [0, 1, 0]}, {"name": "y", "a": [0, 0], "b": [1, 1]}]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{HeadToHead, Verdict, judge};

    #[test]
    fn the_interval_is_the_closed_form_of_discordant_counts() {
        let (a, b): (Vec<f64>, Vec<f64>) = (0..200)
            .map(|i| match i % 10 {
                0..3 => (1.0, 0.0),
                3 => (0.0, 1.0),
                _ => (1.0, 1.0),
            })
            .unzip();
        let out = judge(&a, &b, &HeadToHead::default(), 0).unwrap();
        let (only_a, only_b, n) = (60.0_f64, 20.0_f64, 200.0_f64);
        let reach = 1.96 * (only_a + only_b - (only_a - only_b).powi(2) / n).sqrt() / n;
        assert!(
            (out.interval.low - (0.2 - reach)).abs() < 0.01
                && (out.interval.high - (0.2 + reach)).abs() < 0.01
        );
    }

    #[test]
    fn swapping_swaps_and_equals_tie() {
        let (a, b) = (vec![1.0; 30], vec![0.0; 30]);
        assert_eq!(judge(&b, &a, &HeadToHead::default(), 0).unwrap().verdict, Verdict::Loss);
        let out = judge(&a, &a, &HeadToHead::default(), 0).unwrap();
        assert_eq!((out.verdict, out.interval.low, out.interval.high), (Verdict::Tie, 0.0, 0.0));
    }
}
