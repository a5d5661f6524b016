//! What to ask next: the further comparisons a decision needs, and the next pair worth asking.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::covariance::Covariance;
use super::ranks::order;

/// What further comparisons are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// To know all strengths well.
    Strengths,
    /// To get the order right: pairs whose order is in doubt come first.
    #[default]
    Order,
    /// To know who is best: only pairs with the present leader count.
    Best,
}

/// A pair worth asking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ask {
    /// One contestant, the better by its estimate.
    pub a: usize,
    /// The other.
    pub b: usize,
    /// What one comparison is worth: half the log of the factor by which it narrows the variance of the difference,
    /// times twice the probability that the order is wrong where the order is the goal.
    pub gain: f64,
}

/// The `most` pairs whose comparison is worth most, best first. Only pairs of one component count.
pub fn next_pairs(
    theta: &[f64],
    component: &[usize],
    covariance: &Covariance,
    goal: Goal,
    most: usize,
) -> Vec<Ask> {
    let order = order(theta);
    let mut asks = Vec::new();
    for (place, &a) in order.iter().enumerate() {
        if goal == Goal::Best && place > 0 {
            break;
        }
        let partners = order[place + 1..].iter().filter(|&&b| component[a] == component[b]);
        asks.extend(partners.map(|&b| Ask {
            a,
            b,
            gain: gain(theta[a] - theta[b], covariance.of_difference(a, b), goal),
        }));
    }
    asks.sort_by(|x, y| y.gain.total_cmp(&x.gain));
    asks.truncate(most);
    asks
}

fn gain(difference: f64, variance: f64, goal: Goal) -> f64 {
    let narrowing = 0.5 * (information(difference) * variance).ln_1p();
    if goal == Goal::Strengths || variance == 0.0 {
        return narrowing;
    }
    narrowing * 2.0 * guerdon_stats::dist::normal_sf(difference.abs() / variance.sqrt())
}

/// Information of one comparison about the strength difference: p (1 − p).
fn information(difference: f64) -> f64 {
    crate::fit::pair::sigmoid(difference) * crate::fit::pair::sigmoid(-difference)
}

/// How many further comparisons of two contestants tell them apart: 0 when they are apart already, `None` when their
/// estimates are equal (no number would).
///
/// The estimate is taken as the truth; the difference is to be found significant at `level` with probability `power`.
/// Only comparisons of the pair itself are counted: `n = (1/v_goal − 1/v) / p(1 − p)`,
/// `v_goal = (Δ / (z_{α/2} + z_β))²`.
pub fn needed(difference: f64, variance: f64, level: f64, power: f64) -> Option<u64> {
    if difference == 0.0 {
        return None;
    }
    let z = guerdon_stats::dist::two_sided_z(level);
    if difference.abs() >= z * variance.sqrt() {
        return Some(0);
    }
    let goal = (difference / (z + guerdon_stats::dist::normal_quantile(power))).powi(2);
    let more = (1.0 / goal - 1.0 / variance) / information(difference);
    ceil(more.max(1.0))
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to lie below 2^53"
)]
fn ceil(x: f64) -> Option<u64> {
    (x < 9e15).then(|| x.ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::{Goal, gain, needed};

    #[test]
    fn close_pairs_need_more_and_decided_ones_none() {
        assert_eq!(needed(1.0, 0.01, 0.95, 0.8), Some(0));
        assert_eq!(needed(0.0, 0.01, 0.95, 0.8), None);
        let (near, far) =
            (needed(0.05, 0.1, 0.95, 0.8).unwrap(), needed(0.2, 0.1, 0.95, 0.8).unwrap());
        assert!(near > 10 * far);
        // (1/(0.2/2.8016)² − 10) / 0.2475
        assert_eq!(far, 753);
    }

    #[test]
    fn doubt_makes_a_pair_worth_asking() {
        assert!(gain(0.0, 0.1, Goal::Order) > gain(1.0, 0.1, Goal::Order));
        assert!(gain(0.1, 0.2, Goal::Strengths) > gain(0.1, 0.1, Goal::Strengths));
    }
}
