//! Maximum likelihood for pairwise models: strengths from [`Counts`].
//!
//! Every model of [`Ties`] is fitted by the same damped Newton method. The information matrix is a graph Laplacian; up to
//! a few hundred free contestants it is factored, beyond that the step comes from conjugate gradients, whose cost is the
//! number of pairs that met.

pub mod mm;
mod newton;
pub mod pair;
pub mod refit;
mod system;

use guerdon_core::MethodError;

use crate::Counts;
use crate::graph::{self, Components};
pub use pair::{Model, Ties};

pub(crate) use system::System;

/// Rating points per natural-log unit of strength: 400 / ln 10.
pub const POINTS_PER_NAT: f64 = 400.0 / std::f64::consts::LN_10;

/// The rating (display scale, 1000 = mean) of a natural-log strength.
pub fn rating(strength: f64) -> f64 {
    1000.0 + POINTS_PER_NAT * strength
}

/// What is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// What a tie means.
    pub ties: Ties,
    /// λ of the penalty (λ/2)·Σθ²; 0 for none.
    pub ridge: f64,
    /// Contestants whose natural-log strength is given.
    pub anchors: Vec<(usize, f64)>,
    /// Most Newton steps.
    pub limit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { ties: Ties::Half, ridge: 0.0, anchors: Vec::new(), limit: 200 }
    }
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The likelihood that was fitted.
    pub model: Model,
    /// Natural-log strengths. Mean 0 within each component without anchors.
    pub theta: Vec<f64>,
    /// ln ν (Davidson) or ln κ (Rao–Kupper); 0 otherwise.
    pub tau: f64,
    /// Log-likelihood at the maximum, without the penalty.
    pub log_likelihood: f64,
    /// Largest absolute component of the gradient at the end.
    pub gradient: f64,
    /// Newton steps taken.
    pub iterations: usize,
    /// Which contestants can be compared with each other.
    pub components: Components,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// Fits the strengths to `counts`; `names` serve the messages.
///
/// Errors: nothing to fit; a component whose strengths are not finite (someone never lost to the others) while `ridge` is
/// 0; no convergence.
pub fn fit(counts: &Counts, names: &[String], options: &Options) -> Result<Fit, MethodError> {
    let prepared = prepare(counts, names, options)?;
    let counts = prepared.dropped.as_ref().unwrap_or(counts);
    let system = System::new(counts, prepared.model, options, prepared.components.clone());
    let start = newton::Start::new(&system, options);
    let mut fit = newton::run(&system, start, options.limit)?;
    fit.warnings = prepared.warnings;
    Ok(fit)
}

/// The counts that a fit under `ties` sees: without ties where they are dropped.
pub(crate) fn seen(counts: &Counts, ties: Ties) -> std::borrow::Cow<'_, Counts> {
    if ties == Ties::Drop {
        std::borrow::Cow::Owned(counts.without_ties())
    } else {
        std::borrow::Cow::Borrowed(counts)
    }
}

struct Prepared {
    dropped: Option<Counts>,
    model: Model,
    components: Components,
    warnings: Vec<String>,
}

fn prepare(counts: &Counts, names: &[String], options: &Options) -> Result<Prepared, MethodError> {
    if counts.n() < 2 {
        return Err(MethodError::domain("a rating needs at least two contestants"));
    }
    let dropped = (options.ties == Ties::Drop).then(|| counts.without_ties());
    let used = dropped.as_ref().unwrap_or(counts);
    if used.cells().is_empty() {
        return Err(MethodError::domain(match options.ties {
            Ties::Drop => {
                "no comparison was decided: with `ties: drop` nothing is left; use `ties: half`"
            }
            _ => "there are no comparisons to rate",
        }));
    }
    let merged: Vec<usize> = options.anchors.iter().map(|(i, _)| *i).collect();
    let components = graph::connected(used, &merged);
    let mut warnings = Vec::new();
    if components.count > 1 {
        warnings.push(disconnected(&components, names));
    }
    if options.ridge == 0.0
        && let Some(found) = graph::separation(used, &merged)
    {
        return Err(separated(&found, names));
    }
    Ok(Prepared {
        model: model_for(used, options.ties, &mut warnings),
        dropped,
        components,
        warnings,
    })
}

/// The likelihood for these ties. Without any tie the tie models reduce to the logistic one; with nothing but ties their
/// tie parameter has no finite maximum.
fn model_for(counts: &Counts, ties: Ties, warnings: &mut Vec<String>) -> Model {
    let model = match ties {
        Ties::Half | Ties::Drop => return Model::Logistic,
        Ties::Davidson => Model::Davidson,
        Ties::RaoKupper => Model::RaoKupper,
    };
    let tied = counts.ties();
    if tied == 0.0 {
        warnings.push("there are no ties: the tie parameter is at its lower end".into());
        return Model::Logistic;
    }
    if tied >= counts.total() {
        warnings.push(
            "all comparisons are ties: strengths are equal and the tie parameter is unbounded"
                .into(),
        );
        return Model::Logistic;
    }
    model
}

/// A list of names for a message: the first few and how many more.
pub(crate) fn some_names(indices: &[usize], names: &[String]) -> String {
    let shown: Vec<&str> =
        indices.iter().take(3).map(|&i| names.get(i).map_or("?", String::as_str)).collect();
    match indices.len().saturating_sub(3) {
        0 => format!("{{{}}}", shown.join(", ")),
        more => format!("{{{}, and {more} more}}", shown.join(", ")),
    }
}

fn disconnected(components: &Components, names: &[String]) -> String {
    let groups: Vec<String> =
        components.members().iter().take(3).map(|m| some_names(m, names)).collect();
    format!(
        "{} groups never met each other ({}{}): ratings are comparable only within a group",
        components.count,
        groups.join(", "),
        if components.count > 3 { ", ..." } else { "" }
    )
}

fn separated(found: &graph::Separation, names: &[String]) -> MethodError {
    MethodError::domain(format!(
        "{} never lost to {}: their distance has no finite estimate; set `ridge` (for example 0.1), use `ties: half`, or \
         collect comparisons between the two",
        some_names(&found.above, names),
        some_names(&found.below, names)
    ))
}

#[cfg(test)]
mod tests {
    use super::{Options, Ties, fit};
    use crate::{Cell, Counts};

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| char::from(b'A' + u8::try_from(i).unwrap()).to_string()).collect()
    }

    fn cell(a: u32, b: u32, wins_a: f64, wins_b: f64, ties: f64) -> Cell {
        Cell { a, b, wins_a, wins_b, ties }
    }

    /// The catalogue's example: A:B 3–1, B:C 3–1, A:C 4–1, with or without ties 2, 2, 1.
    fn example(tied: f64) -> Counts {
        let cells = [
            cell(0, 1, 3.0, 1.0, 2.0 * tied),
            cell(1, 2, 3.0, 1.0, 2.0 * tied),
            cell(0, 2, 4.0, 1.0, tied),
        ];
        Counts::from_cells(3, cells)
    }

    fn check(counts: &Counts, ties: Ties, theta_a: f64, tie: f64, negative: f64) {
        let fit = fit(counts, &names(3), &Options { ties, ..Options::default() }).unwrap();
        assert!((fit.theta[0] - theta_a).abs() < 5e-5, "{ties:?} {}", fit.theta[0]);
        assert!((fit.tau.exp() - tie).abs() < 5e-5, "{ties:?} {}", fit.tau.exp());
        if negative > 0.0 {
            assert!(
                (-fit.log_likelihood - negative).abs() < 5e-5,
                "{ties:?} {}",
                fit.log_likelihood
            );
        }
        assert!(fit.gradient < 1e-10);
    }

    #[test]
    fn the_worked_example_of_every_tie_rule() {
        check(&example(0.0), Ties::Half, 0.8361, 1.0, 0.0);
        check(&example(1.0), Ties::Half, 0.6043, 1.0, 0.0);
        check(&example(1.0), Ties::Drop, 0.8361, 1.0, 0.0);
        check(&example(1.0), Ties::Davidson, 0.8913, 0.9197, 17.5817);
        check(&example(1.0), Ties::RaoKupper, std::f64::consts::LN_2, 2.0131, 17.5165);
    }

    #[test]
    fn what_never_lost_is_an_error_and_a_ridge_the_remedy() {
        let chain = Counts::from_cells(
            3,
            [cell(0, 1, 1.0, 0.0, 0.0), cell(0, 2, 1.0, 0.0, 0.0), cell(1, 2, 1.0, 0.0, 0.0)],
        );
        let error = fit(&chain, &names(3), &Options::default()).unwrap_err().to_string();
        assert!(error.starts_with("{A} never lost to {B, C}"), "{error}");
        let ridged = fit(&chain, &names(3), &Options { ridge: 0.1, ..Options::default() }).unwrap();
        assert!((ridged.theta[0] - 1.7584).abs() < 5e-5);
    }

    #[test]
    fn groups_that_never_met_are_declared() {
        let counts = Counts::from_cells(4, [cell(0, 1, 2.0, 1.0, 0.0), cell(2, 3, 1.0, 1.0, 0.0)]);
        let fit = fit(&counts, &names(4), &Options::default()).unwrap();
        assert_eq!(fit.components.label, [0, 0, 1, 1]);
        assert!(fit.warnings[0].contains("never met"));
        assert!((fit.theta[0] - 0.5 * 2_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn anchors_hold() {
        let anchored = Options { anchors: vec![(1, 1.0)], ..Options::default() };
        let one = fit(&example(0.0), &names(3), &anchored).unwrap();
        assert!((one.theta[1] - 1.0).abs() < 1e-15);
        assert!((one.theta[0] - one.theta[1] - 0.8361).abs() < 5e-5);
        let two = Options { anchors: vec![(0, 1.0), (2, -1.0)], ..Options::default() };
        let two = fit(&example(0.0), &names(3), &two).unwrap();
        assert_eq!((two.theta[0], two.theta[2]), (1.0, -1.0));
        assert!(two.theta[1].abs() < 1e-12);
    }

    #[test]
    fn extremes_of_ties_are_warned_of() {
        let only = Counts::from_cells(2, [cell(0, 1, 0.0, 0.0, 5.0)]);
        let fit_with =
            |counts: &Counts, ties| fit(counts, &names(2), &Options { ties, ..Options::default() });
        let all = fit_with(&only, Ties::Davidson).unwrap();
        assert_eq!(all.theta, [0.0, 0.0]);
        assert!(all.warnings[0].contains("all comparisons are ties"));
        assert!(fit_with(&only, Ties::Drop).unwrap_err().to_string().contains("ties: half"));
        let none = Counts::from_cells(2, [cell(0, 1, 2.0, 1.0, 0.0)]);
        assert!(fit_with(&none, Ties::RaoKupper).unwrap().warnings[0].contains("no ties"));
    }

    #[test]
    fn too_few_contestants_are_an_error() {
        assert!(fit(&Counts::from_cells(1, []), &names(1), &Options::default()).is_err());
        assert!(fit(&Counts::from_cells(2, []), &names(2), &Options::default()).is_err());
    }
}
