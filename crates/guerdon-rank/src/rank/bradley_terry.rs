//! Maximum-likelihood strengths from pairwise comparisons, with ties, ridge, anchors and honest intervals.
//!
//! The rating behind most arenas. The likelihood is fitted to the counts per pair, so a million rows cost as much as a
//! thousand once they are added up. Rows may be weighted and clustered (by prompt or annotator).
//!
//! # Formula
//!
//! ```text
//! P(a beats b) = σ(θ_a − θ_b)                                          ties: half (a tie is half a win for either), drop
//! P(a) = p_a / D, P(tie) = ν √(p_a p_b) / D                            ties: davidson, D = p_a + p_b + ν √(p_a p_b)
//! P(a) = p_a / (p_a + κ p_b), P(tie) = (κ² − 1) p_a p_b / ((p_a + κ p_b)(κ p_a + p_b))         ties: rao_kupper
//! maximise  Σ w · ln P(outcome) − (ridge / 2) Σ θ²
//! ```
//!
//! `θ` is the natural-log strength, `p = e^θ`; θ has mean 0 within each group of contestants that met (unless anchored).
//! Intervals: `fisher` is θ ± z·√diag(I⁺) with the information `I`; `sandwich` puts `I⁺ (Σ s sᵀ) I⁺` in its place, `s` being
//! the score of a row or of a cluster; `profile` inverts the likelihood-ratio test; `bootstrap` is the percentile interval
//! over resampled rows (or clusters).
//!
//! # When to use it
//!
//! Whenever every contestant has one strength and the order of the comparisons does not matter. Use `davidson` when ties
//! are frequent: half wins shrink the scale. If preferences run in circles (`rank.intransitivity`), no single strength
//! describes them. A group that never lost to the others has no finite strength: that is an error which names both groups,
//! and `ridge` is the remedy. Groups that never met are rated separately and numbered.
//!
//! # Departures
//!
//! `ridge` is λ in (λ/2)Σθ²; packages that write λΣθ² need half of theirs. With half ties the Fisher interval is too wide
//! (a half win varies less than a coin), so `sandwich` is the default. evalica's scores are e^θ with geometric mean 1 and
//! stop at a change of 1e-6; here Newton's method goes on to rounding error. evalica's `tie_weight` of 0.5 is `ties: half`.
//! Bootstrap rounds in which someone never lost are fitted with a ridge of 0.1 and counted in a warning.
//!
//! # Example
//!
//! ```yaml
//! use: rank.bradley_terry
//! ties: davidson
//! interval: sandwich
//! ```
//!
//! ```
//! use guerdon_rank::rank::{Rate as _, bradley_terry::BradleyTerry};
//! use guerdon_rank::{Comparisons, Outcome};
//! let outcome = vec![Outcome::First, Outcome::First, Outcome::First, Outcome::Second];
//! let all = Comparisons::from_names(&["a"; 4], &["b"; 4], outcome)?;
//! let board = BradleyTerry::default().rate(&all, &all.counts(), 0)?;
//! let gap = board.ratings[0].strength.unwrap() - board.ratings[1].strength.unwrap();
//! assert!((gap - 3_f64.ln()).abs() < 1e-9);
//! # Ok::<(), guerdon_core::MethodError>(())
//! ```
//!
//! # References
//!
//! Bradley and Terry, "Rank analysis of incomplete block designs", 1952; Rao and Kupper, 1967; Davidson, 1970; Ford,
//! "Solution of a ranking problem from binary comparisons", 1957; Hunter, "MM algorithms for generalized Bradley-Terry
//! models", 2004.

use std::collections::BTreeMap;

use guerdon_core::method::Params;
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rate;
use crate::fit::pair::{Model, Ties};
use crate::fit::{self, Fit, Options};
use crate::report::leaderboard::{Draft, Scale, strength};
use crate::uncertainty::bootstrap;
use crate::uncertainty::covariance::Covariance;
use crate::uncertainty::profile;
use crate::uncertainty::ranks::{Spread, ranks};
use crate::uncertainty::resample::Resampler;
use crate::{Comparisons, Counts, Leaderboard};

/// How intervals are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// None.
    None,
    /// From the curvature of the likelihood.
    Fisher,
    /// From the curvature and the scores of the rows or clusters.
    #[default]
    Sandwich,
    /// Percentiles over resampled rows or clusters.
    Bootstrap,
    /// By inverting the likelihood-ratio test.
    Profile,
}

impl Interval {
    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Fisher => "fisher",
            Self::Sandwich => "sandwich",
            Self::Bootstrap => "bootstrap",
            Self::Profile => "profile",
        }
    }
}

/// One interval per contestant, in natural-log units.
type Intervals = Vec<Option<(f64, f64)>>;

/// Which algorithm finds the maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Solver {
    /// Newton's method.
    #[default]
    Newton,
    /// The fixed-point iteration: only for `ties: half` or `drop`, without ridge and anchors.
    Mm,
}

/// Parameters of `rank.bradley_terry`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BradleyTerry {
    /// What a tie means. Default: half a win for either side.
    pub ties: Ties,
    /// λ of the penalty (λ/2)·Σθ², at least 0. Default 0: none.
    pub ridge: f64,
    /// Ratings (Elo scale) that are given, by name; all others follow. Default: none, the mean rating is 1000.
    pub anchors: BTreeMap<String, f64>,
    /// Rows of a pair that met n times weigh 1 / max(n, this), so that frequent pairs do not dominate. Default: rows as
    /// they are; arenas that balance pairs use 50.
    pub balance: Option<f64>,
    /// Which algorithm finds the maximum; the result is the same.
    pub solver: Solver,
    /// How intervals are made. Default: sandwich.
    pub interval: Interval,
    /// Level of the intervals and of the decisions about ranks, between 0 and 1; default 0.95.
    pub level: f64,
    /// Rounds of the bootstrap, 1 to 100000; default 200.
    pub rounds: usize,
    /// Most steps of the solver; default 200 (the fixed-point iteration gets a hundred times as many).
    pub limit: usize,
}

impl Default for BradleyTerry {
    fn default() -> Self {
        Self {
            ties: Ties::Half,
            ridge: 0.0,
            anchors: BTreeMap::new(),
            balance: None,
            solver: Solver::Newton,
            interval: Interval::Sandwich,
            level: 0.95,
            rounds: 200,
            limit: 200,
        }
    }
}

impl Params for BradleyTerry {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("ridge", self.ridge, 0.0, f64::INFINITY)?;
        super::check_bootstrap(self.rounds, self.level)?;
        if self.interval == Interval::Bootstrap && self.rounds == 0 {
            return Err(ParamError::new("rounds", "a bootstrap needs `rounds` of at least 1"));
        }
        if let Some(balance) = self.balance {
            ParamError::positive("balance", balance)?;
        }
        if let Some((name, value)) = self.anchors.iter().find(|(_, value)| !value.is_finite()) {
            return Err(ParamError::new(
                "anchors",
                format!("the anchor of `{name}` is {value}: it must be finite"),
            ));
        }
        let plain = matches!(self.ties, Ties::Half | Ties::Drop)
            && self.ridge == 0.0
            && self.anchors.is_empty();
        if self.solver == Solver::Mm && !plain {
            return Err(ParamError::new(
                "solver",
                "`solver: mm` serves `ties: half` or `drop` without ridge and anchors: use `newton`",
            ));
        }
        Ok(())
    }
}

impl BradleyTerry {
    /// The fit alone, without intervals.
    pub fn fit(&self, counts: &Counts, names: &[String]) -> Result<Fit, MethodError> {
        let options = self.options(names)?;
        if self.solver == Solver::Newton {
            return fit::fit(counts, names, &options);
        }
        // The checks and the likelihood come from a fit of one system; only the strengths are found otherwise.
        let mut fit = fit::fit(counts, names, &options)?;
        if fit.components.count > 1 {
            return Err(MethodError::domain(
                "`solver: mm` needs contestants that all met: use `solver: newton`",
            ));
        }
        let seen = fit::seen(counts, self.ties);
        let found = fit::mm::bradley_terry(&seen, 1e-12, self.limit.saturating_mul(100));
        (fit.theta, fit.iterations) = found.ok_or_else(|| {
            MethodError::Budget(
                "the fixed-point iteration did not converge: raise `limit` or use `solver: newton`"
                    .into(),
            )
        })?;
        Ok(fit)
    }

    fn options(&self, names: &[String]) -> Result<Options, MethodError> {
        let index = |name: &String| {
            names.iter().position(|known| known == name).ok_or_else(|| {
                MethodError::Param(ParamError::new(
                    "anchors",
                    format!("the anchor `{name}` is not among the contestants"),
                ))
            })
        };
        let anchors = self.anchors.iter().map(|(name, value)| Ok((index(name)?, strength(*value))));
        let anchors = anchors.collect::<Result<Vec<_>, MethodError>>()?;
        Ok(Options { ties: self.ties, ridge: self.ridge, anchors, limit: self.limit })
    }

    /// Intervals of the strengths and how they vary together.
    fn spread(
        &self,
        all: &Comparisons,
        counts: &Counts,
        fit: &Fit,
        seed: u64,
    ) -> Result<(Intervals, Spread), MethodError> {
        let options = self.options(all.names())?;
        let normal = |covariance: Covariance| {
            let z = guerdon_stats::dist::two_sided_z(self.level);
            let around = |(i, theta): (usize, &f64)| {
                Some((theta - z * covariance.error(i), theta + z * covariance.error(i)))
            };
            (fit.theta.iter().enumerate().map(around).collect(), Spread::Covariance(covariance))
        };
        Ok(match self.interval {
            Interval::None | Interval::Fisher => normal(Covariance::fisher(counts, fit, &options)?),
            Interval::Sandwich => normal(Covariance::sandwich(all, counts, fit, &options)?),
            Interval::Profile => {
                let intervals = profile::intervals(counts, fit, &options, self.level)?;
                (intervals, Spread::Covariance(Covariance::fisher(counts, fit, &options)?))
            }
            Interval::Bootstrap => {
                let resampler = Resampler::of(all, counts)?;
                let rounds =
                    bootstrap::strengths(&resampler, counts, fit, &options, self.rounds, seed)?;
                (
                    rounds.intervals(self.level).into_iter().map(Some).collect(),
                    Spread::Rounds(rounds),
                )
            }
        })
    }
}

impl Rate for BradleyTerry {
    fn rate(
        &self,
        all: &Comparisons,
        counts: &Counts,
        seed: u64,
    ) -> Result<Leaderboard, MethodError> {
        if let Some(least) = self.balance {
            let balanced = balanced(all, counts, least)?;
            let plain = Self { balance: None, ..self.clone() };
            return plain.rate(&balanced, &balanced.counts(), seed);
        }
        let fit = self.fit(counts, all.names())?;
        let mut draft =
            Draft::new(METHOD.id, all.names(), counts, fit.theta.clone(), Scale::Strength);
        draft.component.clone_from(&fit.components.label);
        draft.fit = numbers(&fit);
        draft.warnings = all.warnings().iter().chain(&fit.warnings).cloned().collect();
        if self.interval != Interval::None {
            let (intervals, spread) = self.spread(all, counts, &fit, seed)?;
            draft.warnings.extend(ridged(&spread));
            draft.intervals = intervals;
            draft.interval = Some((self.interval.name(), self.level));
            draft.best = spread.best(fit.theta.len());
            draft.ranks = Some(ranks(&fit.theta, &fit.components.label, &spread, self.level));
        }
        Ok(draft.finish())
    }
}

fn ridged(spread: &Spread) -> Option<String> {
    let Spread::Rounds(rounds) = spread else { return None };
    (rounds.ridged > 0).then(|| {
        format!(
            "in {} of {} bootstrap rounds someone never lost: they were fitted with a ridge of {}",
            rounds.ridged,
            rounds.len(),
            bootstrap::FALLBACK_RIDGE
        )
    })
}

fn numbers(fit: &Fit) -> BTreeMap<String, f64> {
    let mut numbers = BTreeMap::from([
        ("log_likelihood".to_owned(), fit.log_likelihood),
        ("iterations".to_owned(), fit.iterations as f64),
    ]);
    match fit.model {
        Model::Logistic => {}
        Model::Davidson => drop(numbers.insert("nu".into(), fit.tau.exp())),
        Model::RaoKupper => drop(numbers.insert("kappa".into(), fit.tau.exp())),
    }
    numbers
}

/// The rows with weight 1 / max(n, `least`), `n` the number of rows of their pair.
fn balanced(all: &Comparisons, counts: &Counts, least: f64) -> Result<Comparisons, MethodError> {
    let share: hashbrown::HashMap<(u32, u32), f64> = counts
        .cells()
        .iter()
        .map(|cell| ((cell.a, cell.b), 1.0 / cell.total().max(least)))
        .collect();
    let weight = all.rows().map(|(a, b, _, weight)| {
        let key = (u32::try_from(a.min(b)).unwrap_or(0), u32::try_from(a.max(b)).unwrap_or(0));
        weight * share.get(&key).copied().unwrap_or(0.0)
    });
    let weight = weight.collect();
    all.clone().with_weights(weight)
}

function_of_comparisons!(BradleyTerry);

guerdon_core::method! {
    BradleyTerry: Function,
    id: "rank.bradley_terry",
    papers: ["varco-arena-2024", "cgcot-2023"],
    status: Verified(Reference("choix 0.4.1 ilsr_pairwise, evalica 0.4.2 bradley_terry, Newton reference fits with every tie rule")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [
        r#"{"first": ["a", "b", "c", "a", "b", "a", "a"], "second": ["b", "c", "a", "c", "a", "b", "c"],
            "outcome": ["first", "first", "first", "tie", "second", "second", "first"]}"#
    ],
}

#[cfg(test)]
mod tests {
    use super::{BradleyTerry, Interval, Solver};
    use crate::fit::pair::Ties;
    use crate::rank::Rate as _;
    use crate::{Comparisons, Outcome};
    use guerdon_core::method::Params as _;

    fn sample() -> Comparisons {
        use Outcome::{First, Second, Tie};
        let first = ["a", "b", "a", "c", "b", "c", "a", "b", "c", "a"];
        let second = ["b", "c", "c", "a", "a", "b", "b", "c", "a", "c"];
        let outcome = vec![First, First, First, First, First, First, First, Tie, Second, Second];
        Comparisons::from_names(&first, &second, outcome).unwrap()
    }

    #[test]
    fn both_solvers_agree() {
        let all = sample();
        let mm = BradleyTerry { solver: Solver::Mm, ..BradleyTerry::default() };
        let (x, y) = (
            BradleyTerry::default().fit(&all.counts(), all.names()),
            mm.fit(&all.counts(), all.names()),
        );
        assert!(x.unwrap().theta.iter().zip(&y.unwrap().theta).all(|(x, y)| (x - y).abs() < 1e-10));
    }

    #[test]
    fn every_interval_holds_its_estimate() {
        let all = sample();
        for interval in
            [Interval::Fisher, Interval::Sandwich, Interval::Bootstrap, Interval::Profile]
        {
            for ties in [Ties::Half, Ties::Davidson, Ties::RaoKupper] {
                let method = BradleyTerry { ties, interval, ..BradleyTerry::default() };
                let board = method.rate(&all, &all.counts(), 1).unwrap();
                for r in &board.ratings {
                    let (low, high) = (r.low.unwrap(), r.high.unwrap());
                    assert!(
                        low < r.rating.unwrap() && r.rating.unwrap() < high,
                        "{interval:?} {ties:?} {r:?}"
                    );
                    assert!(r.rank_low.unwrap() <= r.rank && r.rank <= r.rank_high.unwrap());
                }
                assert_eq!(board.ties.len(), 1, "three contestants and ten rows decide nothing");
            }
        }
    }

    #[test]
    fn anchors_set_the_scale() {
        let all = sample();
        let anchors = [("b".to_owned(), 1200.0)].into_iter().collect();
        let board = BradleyTerry { anchors, ..BradleyTerry::default() }
            .rate(&all, &all.counts(), 0)
            .unwrap();
        let b = board.get("b").unwrap();
        assert!(
            (b.rating.unwrap() - 1200.0).abs() < 1e-9 && (b.high.unwrap() - 1200.0).abs() < 1e-9
        );
        let unknown = [("z".to_owned(), 1200.0)].into_iter().collect();
        let error = BradleyTerry { anchors: unknown, ..BradleyTerry::default() }.rate(
            &all,
            &all.counts(),
            0,
        );
        assert!(error.unwrap_err().to_string().contains("`z` is not among"));
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let check = |method: BradleyTerry, field: &str| {
            assert_eq!(method.validate().unwrap_err().path, [field]);
        };
        check(BradleyTerry { ridge: -1.0, ..BradleyTerry::default() }, "ridge");
        check(BradleyTerry { level: 95.0, ..BradleyTerry::default() }, "level");
        check(BradleyTerry { solver: Solver::Mm, ridge: 1.0, ..BradleyTerry::default() }, "solver");
        check(BradleyTerry { balance: Some(0.0), ..BradleyTerry::default() }, "balance");
    }
}
