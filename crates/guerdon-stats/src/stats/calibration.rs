//! Calibration of stated probabilities: binned errors, the Brier score and its parts, log loss.
//!
//! # Formula
//!
//! ```text
//! ECE = (Σ_b n_b/N · |ȳ_b − p̄_b|^q)^{1/q}      MCE = max_b |ȳ_b − p̄_b|      Brier = mean (p − y)²
//! debiased (q = 2): Σ_b n_b/N · ((ȳ_b − p̄_b)² − ȳ_b(1 − ȳ_b)/(n_b − 1)), cut at 0, then the root
//! Brier = REL − RES + UNC + WBV − WBC
//! REL = Σ n_b/N·(p̄_b − ȳ_b)², RES = Σ n_b/N·(ȳ_b − ȳ)², UNC = ȳ(1 − ȳ)
//! WBV, WBC = mean of (p − p̄_b)², of 2(p − p̄_b)(y − ȳ_b)
//! ```
//!
//! `p` is the stated probability, `y` the outcome, a bar the mean within bin b.
//!
//! # When to use it
//!
//! To see whether "80 %" means 80 %. Binned errors depend on the bins: compare only like with like, and read the Brier score
//! beside them, which rewards both calibration and resolution. Equal mass suits crowded probabilities.
//!
//! # Departures
//!
//! Bins are [k/B, (k+1)/B), the last closed; `upper_closed` gives (k/B, (k+1)/B] as in Guo et al. Equal mass cuts the
//! sorted list like numpy's `array_split`, ties by their place. The last two terms make the decomposition exact
//! (Stephenson et al. 2008). `sweep` takes the largest number of equal-mass bins with rising outcome rates (Roelofs et
//! al. 2022). Log loss clips p at 1e-15.
//!
//! # Example
//!
//! ```yaml
//! use: stats.calibration
//! bins: 10
//! binning: equal_width
//! ```
//!
//! ```
//! use guerdon_stats::stats::calibration::{Calibration, calibration};
//! let out = calibration(&[0.9, 0.9, 0.1, 0.1], &[true, false, false, false], &Calibration::default()).unwrap();
//! assert!((out.ece - 0.25).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! Brier 1950; Murphy 1973; Stephenson, Coelho and Jolliffe 2008; Guo et al., "On Calibration of Modern Neural Networks",
//! 2017; Kumar, Liang and Ma, "Verified Uncertainty Calibration", 2019; Roelofs et al., "Mitigating Bias in Calibration
//! Error Estimation", 2022.

use guerdon_core::method::{Function, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::auroc;
use crate::moments::{binary, check, check_pair};
use crate::order::{argsort, index};

/// How probabilities are binned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Binning {
    /// Bins of equal width over [0, 1].
    #[default]
    EqualWidth,
    /// Bins of equally many items.
    EqualMass,
    /// The largest number of equal-mass bins whose outcome rates rise; `bins` is not read.
    Sweep,
}

/// Which binned error `ece` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// Mean absolute gap.
    #[default]
    L1,
    /// Root of the mean squared gap.
    L2,
    /// Root of the mean squared gap without the part that chance makes.
    L2Debiased,
    /// Largest gap.
    Max,
}

/// Parameters of `stats.calibration`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Calibration {
    /// Number of bins, 1 to 100,000. Default 10.
    pub bins: usize,
    /// How probabilities are binned. Default `equal_width`.
    pub binning: Binning,
    /// Which binned error `ece` is. Default `l1`.
    pub norm: Norm,
    /// Equal-width bins are closed above instead of below. Default false.
    pub upper_closed: bool,
}

impl Default for Calibration {
    fn default() -> Self {
        Self { bins: 10, binning: Binning::EqualWidth, norm: Norm::L1, upper_closed: false }
    }
}

impl Params for Calibration {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("bins", self.bins as f64, 1.0, 100_000.0)
    }
}

/// Input of `stats.calibration`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Stated probabilities, at least one, 0 to 1.
    pub probabilities: Vec<f64>,
    /// Outcomes: 1 or 0.
    pub outcomes: Vec<f64>,
}

/// One bin that holds something.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bin {
    /// Number of items.
    pub count: usize,
    /// Mean stated probability.
    pub confidence: f64,
    /// Mean outcome.
    pub accuracy: f64,
}

/// Output of `stats.calibration`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The binned error that `norm` names, 0 to 1.
    pub ece: f64,
    /// The largest gap of a bin.
    pub mce: f64,
    /// Brier score, 0 to 1.
    pub brier: f64,
    /// Mean squared gap of the bins (less is better).
    pub reliability: f64,
    /// Spread of the bins' outcomes (more is better).
    pub resolution: f64,
    /// Variance of the outcomes.
    pub uncertainty: f64,
    /// Variance of probabilities within bins.
    pub within_bin_variance: f64,
    /// Twice the covariance of probabilities and outcomes within bins.
    pub within_bin_covariance: f64,
    /// Mean negative log-likelihood, nats.
    pub log_loss: f64,
    /// Area under the ROC curve of the probabilities; null with one class only.
    pub auroc: Option<f64>,
    /// Mean probability minus mean outcome: above 0 is overconfident.
    pub bias: f64,
    /// The bins that hold something, by rising probability: the reliability diagram.
    pub reliability_bins: Vec<Bin>,
}

/// The indices of the items of every bin (none empty).
fn binned(p: &[f64], y: &[bool], params: &Calibration) -> Vec<Vec<usize>> {
    let bins = match params.binning {
        Binning::EqualWidth => by_width(p, params.bins, params.upper_closed),
        Binning::EqualMass => by_mass(&argsort(p), params.bins),
        Binning::Sweep => sweep(&argsort(p), y),
    };
    bins.into_iter().filter(|bin| !bin.is_empty()).collect()
}

fn by_width(p: &[f64], bins: usize, upper_closed: bool) -> Vec<Vec<usize>> {
    let mut out = vec![Vec::new(); bins];
    for (i, p) in p.iter().enumerate() {
        let place = p * bins as f64;
        let at = if upper_closed { index(place.ceil() - 1.0) } else { index(place) };
        out[at.min(bins - 1)].push(i);
    }
    out
}

fn by_mass(order: &[usize], bins: usize) -> Vec<Vec<usize>> {
    let (size, longer) = (order.len() / bins, order.len() % bins);
    let mut rest = order;
    (0..bins)
        .map(|b| {
            let (bin, after) = rest.split_at(size + usize::from(b < longer));
            rest = after;
            bin.to_vec()
        })
        .collect()
}

/// Grows the number of bins while the outcome rates rise from bin to bin.
fn sweep(order: &[usize], y: &[bool]) -> Vec<Vec<usize>> {
    let rate = |bin: &Vec<usize>| bin.iter().filter(|i| y[**i]).count() as f64 / bin.len() as f64;
    let mut best = by_mass(order, 1);
    for bins in 2..=order.len() {
        let cut = by_mass(order, bins);
        if !cut.is_sorted_by(|a, b| rate(a) <= rate(b)) {
            break;
        }
        best = cut;
    }
    best
}

fn binned_error(bins: &[Bin], total: f64, norm: Norm) -> f64 {
    let gap = |b: &Bin| (b.accuracy - b.confidence).abs();
    let mean =
        |f: &dyn Fn(&Bin) -> f64| bins.iter().map(|b| b.count as f64 / total * f(b)).sum::<f64>();
    match norm {
        Norm::L1 => mean(&gap),
        Norm::L2 => mean(&|b| gap(b).powi(2)).sqrt(),
        Norm::L2Debiased => {
            let chance =
                |b: &Bin| b.accuracy * (1.0 - b.accuracy) / (b.count as f64 - 1.0).max(1.0);
            mean(&|b| gap(b).powi(2) - chance(b)).max(0.0).sqrt()
        }
        Norm::Max => bins.iter().map(gap).fold(0.0, f64::max),
    }
}

/// Most items that `sweep`, which cuts again and again, takes.
const SWEEP_LIMIT: usize = 20_000;

/// Everything about the calibration of `p` (each 0 to 1) against `y`.
pub fn calibration(p: &[f64], y: &[bool], params: &Calibration) -> Result<Output, MethodError> {
    MethodError::same_length(("probabilities", p.len()), ("outcomes", y.len()))?;
    check("probabilities", p)?;
    if let Some(bad) = p.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(MethodError::domain(format!(
            "`probabilities` must lie between 0 and 1, not {bad}"
        )));
    }
    if params.binning == Binning::Sweep && p.len() > SWEEP_LIMIT {
        return Err(MethodError::Budget(format!(
            "`sweep` takes at most {SWEEP_LIMIT} items; use `equal_mass`"
        )));
    }
    let n = p.len() as f64;
    let hit = |i: usize| f64::from(u8::from(y[i]));
    let rate = (0..p.len()).map(hit).sum::<f64>() / n;
    let (mut reliability, mut resolution, mut variance, mut covariance) = (0.0, 0.0, 0.0, 0.0);
    let mut bins = Vec::new();
    for members in binned(p, y, params) {
        let size = members.len() as f64;
        let confidence = members.iter().map(|&i| p[i]).sum::<f64>() / size;
        let accuracy = members.iter().map(|&i| hit(i)).sum::<f64>() / size;
        reliability += size / n * (confidence - accuracy).powi(2);
        resolution += size / n * (accuracy - rate).powi(2);
        for &i in &members {
            variance += (p[i] - confidence).powi(2) / n;
            covariance += 2.0 * (p[i] - confidence) * (hit(i) - accuracy) / n;
        }
        bins.push(Bin { count: members.len(), confidence, accuracy });
    }
    let loss = |i: usize| -(if y[i] { p[i] } else { 1.0 - p[i] }).max(1e-15).ln();
    Ok(Output {
        ece: binned_error(&bins, n, params.norm),
        mce: binned_error(&bins, n, Norm::Max),
        brier: (0..p.len()).map(|i| (p[i] - hit(i)).powi(2)).sum::<f64>() / n,
        reliability,
        resolution,
        uncertainty: rate * (1.0 - rate),
        within_bin_variance: variance,
        within_bin_covariance: covariance,
        log_loss: (0..p.len()).map(loss).sum::<f64>() / n,
        auroc: auroc::auroc(p, y),
        bias: p.iter().sum::<f64>() / n - rate,
        reliability_bins: bins,
    })
}

impl Function for Calibration {
    type Input = Input;
    type Output = Output;

    fn call(&self, input: &Input, _seed: u64) -> Result<Output, MethodError> {
        check_pair(("probabilities", &input.probabilities), ("outcomes", &input.outcomes))?;
        calibration(&input.probabilities, &binary("outcomes", &input.outcomes)?, self)
    }
}

guerdon_core::method! {
    Calibration: Function,
    id: "stats.calibration",
    papers: ["folktexts-2024", "reward-calibration-2024", "rlcr-2025", "none-of-the-above-2025"],
    status: Verified(Reference("scikit-learn brier_score_loss and log_loss; the decomposition identity to 1e-15")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [
        r#"{"probabilities": [0.9, 0.8, 0.3, 0.25], "outcomes": [1, 0, 0, 1]}"#,
        r#"{"probabilities": [0, 1, 0.5], "outcomes": [0, 1, 1]}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{Binning, Calibration, Norm, calibration};

    const P: [f64; 6] = [0.0, 0.15, 0.2, 0.55, 0.9, 1.0];
    const Y: [bool; 6] = [false, false, true, true, true, true];

    #[test]
    fn the_parts_make_the_brier_score() {
        for binning in [Binning::EqualWidth, Binning::EqualMass, Binning::Sweep] {
            let o =
                calibration(&P, &Y, &Calibration { binning, bins: 3, ..Calibration::default() })
                    .unwrap();
            let sum = o.reliability - o.resolution + o.uncertainty + o.within_bin_variance
                - o.within_bin_covariance;
            assert!((o.brier - sum).abs() < 1e-15, "{binning:?}");
        }
    }

    #[test]
    fn edges_belong_where_they_are_said_to() {
        let bins = |upper_closed| {
            let params = Calibration { bins: 2, upper_closed, ..Calibration::default() };
            calibration(&[0.5, 0.6], &[true, true], &params).unwrap().reliability_bins.len()
        };
        assert_eq!((bins(false), bins(true)), (1, 2));
    }

    #[test]
    fn norms_are_ordered_and_chance_is_taken_off() {
        let of = |norm| {
            calibration(&P, &Y, &Calibration { norm, bins: 3, ..Calibration::default() })
                .unwrap()
                .ece
        };
        assert!(of(Norm::L1) <= of(Norm::L2) && of(Norm::L2) <= of(Norm::Max));
        assert!(of(Norm::L2Debiased) <= of(Norm::L2));
    }

    #[test]
    fn impossible_probabilities_are_refused() {
        assert!(calibration(&[1.2], &[true], &Calibration::default()).is_err());
        assert!(calibration(&[], &[], &Calibration::default()).is_err());
    }
}
