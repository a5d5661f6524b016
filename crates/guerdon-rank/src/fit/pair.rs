//! The likelihood of one pair: how its wins and ties depend on the difference of strength.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Cell;

/// What a tie means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// Half a win for either side.
    #[default]
    Half,
    /// Nothing: ties are left out.
    Drop,
    /// An outcome of its own with probability ∝ ν·√(`p_a` `p_b`) (Davidson 1970).
    Davidson,
    /// An outcome of its own: the difference stayed below a threshold ln κ (Rao and Kupper 1967).
    RaoKupper,
}

/// Which likelihood is fitted, once ties are dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// P(a) = σ(d); a tie is half a win.
    Logistic,
    /// Davidson with τ = ln ν.
    Davidson,
    /// Rao–Kupper with τ = ln κ > 0.
    RaoKupper,
}

impl Model {
    /// Whether the model has a tie parameter.
    pub fn has_tie_parameter(self) -> bool {
        self != Self::Logistic
    }

    /// Probabilities that `a` wins, that `b` wins and of a tie (0 under `Logistic`), for strength difference `d`.
    pub fn probabilities(self, d: f64, tau: f64) -> [f64; 3] {
        match self {
            Self::Logistic => [sigmoid(d), sigmoid(-d), 0.0],
            Self::Davidson => {
                let top = (0.5 * d.abs()).max(tau);
                let parts = [(0.5 * d - top).exp(), (-0.5 * d - top).exp(), (tau - top).exp()];
                let sum: f64 = parts.iter().sum();
                parts.map(|part| part / sum)
            }
            Self::RaoKupper => {
                let (a, b) = (sigmoid(d - tau), sigmoid(-d - tau));
                [a, b, (1.0 - a - b).max(0.0)]
            }
        }
    }

    /// Log-likelihood of a pair with its derivatives by `d` and `τ`.
    pub fn terms(self, cell: &Cell, d: f64, tau: f64) -> Terms {
        match self {
            Self::Logistic => logistic(cell, d),
            Self::Davidson => davidson(cell, d, tau),
            Self::RaoKupper => rao_kupper(cell, d, tau),
        }
    }

    /// Gradients by `(d, τ)` of one win of `a`, one win of `b`, and one tie.
    pub fn scores(self, d: f64, tau: f64) -> [(f64, f64); 3] {
        let unit = |wins_a, wins_b, ties| {
            let terms = self.terms(&Cell { a: 0, b: 1, wins_a, wins_b, ties }, d, tau);
            (terms.by_d, terms.by_tau)
        };
        [unit(1.0, 0.0, 0.0), unit(0.0, 1.0, 0.0), unit(0.0, 0.0, 1.0)]
    }
}

/// Log-likelihood of a pair, its gradient, and its negated second derivatives, by the strength difference `d` and by the
/// tie parameter `τ`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Terms {
    /// Log-likelihood.
    pub value: f64,
    /// ∂/∂d.
    pub by_d: f64,
    /// ∂/∂τ.
    pub by_tau: f64,
    /// −∂²/∂d².
    pub info_dd: f64,
    /// −∂²/∂d∂τ.
    pub info_dt: f64,
    /// −∂²/∂τ².
    pub info_tt: f64,
}

fn logistic(cell: &Cell, d: f64) -> Terms {
    let (points, total) = (cell.points_a(), cell.total());
    let p = sigmoid(d);
    Terms {
        value: points * ln_sigmoid(d) + (total - points) * ln_sigmoid(-d),
        by_d: points - total * p,
        info_dd: total * p * sigmoid(-d),
        ..Terms::default()
    }
}

fn davidson(cell: &Cell, d: f64, tau: f64) -> Terms {
    let total = cell.total();
    let [a, b, tie] = Model::Davidson.probabilities(d, tau);
    let top = (0.5 * d.abs()).max(tau);
    let ln_sum = top + ((0.5 * d - top).exp() + (-0.5 * d - top).exp() + (tau - top).exp()).ln();
    Terms {
        value: 0.5 * d * (cell.wins_a - cell.wins_b) + tau * cell.ties - total * ln_sum,
        by_d: 0.5 * (cell.wins_a - cell.wins_b) - 0.5 * total * (a - b),
        by_tau: cell.ties - total * tie,
        info_dd: 0.25 * total * (a + b - (a - b) * (a - b)),
        info_dt: -0.5 * total * (a - b) * tie,
        info_tt: total * tie * (1.0 - tie),
    }
}

fn rao_kupper(cell: &Cell, d: f64, tau: f64) -> Terms {
    let (up, down) = (cell.wins_a + cell.ties, cell.wins_b + cell.ties);
    let (x, y) = (d - tau, -d - tau);
    let (not_x, not_y) = (sigmoid(-x), sigmoid(-y));
    let (info_x, info_y) = (up * not_x * sigmoid(x), down * not_y * sigmoid(y));
    // ln(κ² − 1) = ln(e^{2τ} − 1) and its derivatives.
    let small = -(-2.0 * tau).exp_m1();
    let tie_value = 2.0 * tau + small.ln();
    let curvature = 4.0 * (-2.0 * tau).exp() / (small * small);
    Terms {
        value: up * ln_sigmoid(x) + down * ln_sigmoid(y) + zero_times(cell.ties, tie_value),
        by_d: up * not_x - down * not_y,
        by_tau: zero_times(cell.ties, 2.0 / small) - up * not_x - down * not_y,
        info_dd: info_x + info_y,
        info_dt: info_y - info_x,
        info_tt: info_x + info_y + zero_times(cell.ties, curvature),
    }
}

/// `count · value`, and 0 when there is nothing to count even if the value is infinite.
fn zero_times(count: f64, value: f64) -> f64 {
    if count == 0.0 { 0.0 } else { count * value }
}

/// The logistic function 1 / (1 + e^−x).
pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// ln σ(x), without cancellation on either side.
pub(crate) fn ln_sigmoid(x: f64) -> f64 {
    if x > 0.0 { -(-x).exp().ln_1p() } else { x - x.exp().ln_1p() }
}

#[cfg(test)]
mod tests {
    use super::Model;
    use crate::Cell;

    /// The derivatives against differences of the value and of the gradient.
    #[test]
    fn derivatives_are_those_of_the_value() {
        let cell = Cell { a: 0, b: 1, wins_a: 3.0, wins_b: 2.0, ties: 4.0 };
        let h = 1e-6;
        for model in [Model::Logistic, Model::Davidson, Model::RaoKupper] {
            for (d, tau) in [(0.7, 0.4), (-2.0, 0.1), (0.0, 1.3)] {
                let at = model.terms(&cell, d, tau);
                let (right, left) =
                    (model.terms(&cell, d + h, tau), model.terms(&cell, d - h, tau));
                let (up, down) = (model.terms(&cell, d, tau + h), model.terms(&cell, d, tau - h));
                let near = |x: f64, y: f64| {
                    assert!((x - y).abs() < 1e-6 * (1.0 + y.abs()), "{model:?} {x} {y}");
                };
                near((right.value - left.value) / (2.0 * h), at.by_d);
                near((left.by_d - right.by_d) / (2.0 * h), at.info_dd);
                if model.has_tie_parameter() {
                    near((up.value - down.value) / (2.0 * h), at.by_tau);
                    near((down.by_tau - up.by_tau) / (2.0 * h), at.info_tt);
                    near((down.by_d - up.by_d) / (2.0 * h), at.info_dt);
                }
            }
        }
    }

    #[test]
    fn probabilities_sum_to_one_far_out() {
        for model in [Model::Logistic, Model::Davidson, Model::RaoKupper] {
            for d in [-900.0, -1.0, 0.0, 3.0, 900.0] {
                let sum: f64 = model.probabilities(d, 0.5).iter().sum();
                assert!((sum - 1.0).abs() < 1e-12);
            }
        }
    }
}
