//! The length terms: what a length adds to, or takes off, a reward.

use std::f64::consts::PI;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::moments::moments;
use crate::shape::curve::sigmoid;

/// The form of the length term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Nothing up to `max` − `buffer`, then falling by `factor` per `buffer`.
    Overlong,
    /// Falling by `coefficient` per unit beyond `free`.
    Linear,
    /// By how many standard deviations the length exceeds the mean of the group's correct rollouts.
    Zscore,
    /// Between the shortest (+0.5) and the longest (−0.5) of the group.
    Minmax,
    /// Half a cosine over `max`, between two values for right and two for wrong answers; it replaces the reward.
    Cosine,
    /// Rising up to `turn` · `max`, falling faster beyond.
    TurningPoint,
    /// Falling quickly at first and never by more than `coefficient`.
    Saturating,
}

/// The curve that a z-score goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ZCurve {
    /// The z-score itself: short is rewarded, long is punished.
    Raw,
    /// The logistic function: always a punishment, at most `coefficient`.
    Sigmoid,
    /// Its size: any length unlike the others' is punished.
    Absolute,
}

/// How a wrong rollout is priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wrong {
    /// As a right one.
    Same,
    /// Only punished, never rewarded for its length.
    PunishedOnly,
    /// Not at all.
    Exempt,
}

/// The four corners of the cosine, and what an answer of full length earns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Corners {
    /// Reward of a right answer of length 0.
    pub correct_short: f64,
    /// Reward of a right answer of length `max`.
    pub correct_long: f64,
    /// Reward of a wrong answer of length 0.
    pub wrong_short: f64,
    /// Reward of a wrong answer of length `max`.
    pub wrong_long: f64,
    /// Reward of any answer of length `max` or more; none: the cosine goes on and turns back.
    pub exceeded: Option<f64>,
}

/// Soft overlong punishment of a length; at least −`factor` if `floor`.
pub fn overlong(length: f64, max: f64, buffer: f64, factor: f64, floor: bool) -> f64 {
    let excess = length - (max - buffer);
    if excess <= 0.0 {
        return 0.0;
    }
    // Without a buffer the punishment falls at once.
    let share = if buffer == 0.0 { f64::INFINITY } else { excess / buffer };
    -factor * if floor { share.min(1.0) } else { share }
}

/// Half a cosine from `short` at length 0 to `long` at `max`.
pub fn cosine(length: f64, max: f64, short: f64, long: f64) -> f64 {
    long + (short - long) * (1.0 + (PI * length / max).cos()) / 2.0
}

/// From 0 up to 1 at the share `turn` of `max`, down to −1 at `max`, and on beyond.
pub fn turning_point(length: f64, max: f64, turn: f64) -> f64 {
    let x = length / max;
    if x <= turn {
        1.0 - (1.0 - x / turn).powi(2)
    } else {
        1.0 - 2.0 * ((x - turn) / (1.0 - turn)).powi(2)
    }
}

/// `rate`·L / (1 + `rate`·L), from 0 towards 1.
pub fn saturating(length: f64, rate: f64) -> f64 {
    rate * length / (1.0 + rate * length)
}

/// The z-score of every length by the moments of the lengths that `counts`; 0 where nothing spreads.
pub fn zscores(lengths: &[f64], counts: &[bool], ddof: u8) -> Vec<f64> {
    let counted: Vec<f64> =
        lengths.iter().zip(counts).filter(|(_, c)| **c).map(|(l, _)| *l).collect();
    let own = moments(&counted, ddof);
    let z = |length: &f64| if own.std == 0.0 { 0.0 } else { (length - own.mean) / own.std };
    lengths.iter().map(z).collect()
}

/// 0.5 for the shortest to −0.5 for the longest; 0 where all are equally long.
pub fn minmax(lengths: &[f64]) -> Vec<f64> {
    let least = lengths.iter().copied().fold(f64::INFINITY, f64::min);
    let spread = lengths.iter().copied().fold(f64::NEG_INFINITY, f64::max) - least;
    lengths.iter().map(|l| if spread == 0.0 { 0.0 } else { 0.5 - (l - least) / spread }).collect()
}

impl ZCurve {
    /// The price of a z-score, before the coefficient.
    pub fn bend(self, z: f64) -> f64 {
        match self {
            Self::Raw => z,
            Self::Sigmoid => sigmoid(z),
            Self::Absolute => z.abs(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ZCurve, minmax, overlong, saturating, turning_point, zscores};

    fn check(own: &[f64], expect: &[f64]) {
        assert_eq!(own.len(), expect.len());
        assert!(
            own.iter().zip(expect).all(|(a, e)| (a - e).abs() < 5e-5),
            "{own:?}, not {expect:?}"
        );
    }

    #[test]
    fn group_terms() {
        check(&minmax(&[100.0, 200.0, 300.0, 500.0]), &[0.5, 0.25, 0.0, -0.5]);
        check(&minmax(&[7.0, 7.0]), &[0.0, 0.0]);
        let z = zscores(&[100.0, 200.0, 300.0], &[true; 3], 0);
        let priced: Vec<f64> = z.iter().map(|z| 1.0 - 0.2 * ZCurve::Sigmoid.bend(*z)).collect();
        check(&priced, &[0.9546, 0.9, 0.845_42]);
        check(&zscores(&[5.0, 9.0], &[true, false], 0), &[0.0, 0.0]);
    }

    #[test]
    fn curves() {
        let own = [384.0, 768.0, 1536.0, 2304.0, 3072.0].map(|l| turning_point(l, 3072.0, 0.5));
        check(&own, &[0.4375, 0.75, 1.0, 0.5, -1.0]);
        check(&[saturating(1000.0, 1e-3), saturating(0.0, 1e-3)], &[0.5, 0.0]);
        check(
            &[overlong(101.0, 100.0, 0.0, 1.0, true), overlong(100.0, 100.0, 0.0, 1.0, true)],
            &[-1.0, 0.0],
        );
    }
}
