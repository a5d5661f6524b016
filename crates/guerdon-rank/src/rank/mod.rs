//! The `rank.*` methods.

/// Makes a method that rates comparisons callable like any other function of the catalogue.
macro_rules! function_of_comparisons {
    ($method:ty) => {
        impl guerdon_core::method::Function for $method {
            type Input = crate::Comparisons;
            type Output = crate::Leaderboard;

            fn call(
                &self,
                input: &crate::Comparisons,
                seed: u64,
            ) -> Result<crate::Leaderboard, guerdon_core::MethodError> {
                crate::rank::Rate::rate(self, input, &input.counts(), seed)
            }
        }
    };
}

pub mod bradley_terry;
pub mod counting;
pub mod eigen;
pub mod elo;
pub mod failure_sensitivity;
pub mod glicko2;
pub mod intransitivity;
pub mod live;
pub mod newman;
pub mod pagerank;
pub mod plackett_luce;
pub mod plan;
pub mod round_robin;
pub mod single_elimination;
pub mod style_bt;
pub mod swiss;
pub mod trueskill;
pub mod win_rate;

use guerdon_core::method::parse;
use guerdon_core::{MethodError, ParamError};
use serde_json::Value;

use crate::uncertainty::bootstrap;
use crate::uncertainty::ranks::{Spread, ranks};
use crate::uncertainty::resample::Resampler;
use crate::{Comparisons, Counts, Leaderboard};

/// A method that rates contestants from comparisons.
pub trait Rate: Send + Sync {
    /// The leaderboard of `all`, whose counts are `counts`. Randomness comes from `seed` alone.
    fn rate(
        &self,
        all: &Comparisons,
        counts: &Counts,
        seed: u64,
    ) -> Result<Leaderboard, MethodError>;
}

/// Reads the parameters of a rating method.
type BuildRate = fn(Value) -> Result<Box<dyn Rate>, ParamError>;

/// The methods that turn comparisons into a leaderboard.
pub const RATERS: &[(&str, BuildRate)] = &[
    ("rank.bradley_terry", |v| Ok(Box::new(parse::<bradley_terry::BradleyTerry>(v)?))),
    ("rank.counting", |v| Ok(Box::new(parse::<counting::Counting>(v)?))),
    ("rank.eigen", |v| Ok(Box::new(parse::<eigen::Eigen>(v)?))),
    ("rank.elo", |v| Ok(Box::new(parse::<elo::Elo>(v)?))),
    ("rank.glicko2", |v| Ok(Box::new(parse::<glicko2::Glicko2>(v)?))),
    ("rank.newman", |v| Ok(Box::new(parse::<newman::Newman>(v)?))),
    ("rank.pagerank", |v| Ok(Box::new(parse::<pagerank::PageRank>(v)?))),
    ("rank.style_bt", |v| Ok(Box::new(parse::<style_bt::StyleBt>(v)?))),
    ("rank.trueskill", |v| Ok(Box::new(parse::<trueskill::TrueSkill>(v)?))),
    ("rank.win_rate", |v| Ok(Box::new(parse::<win_rate::WinRate>(v)?))),
];

/// The rating method called `name` (`rank.elo` or `elo`) with its parameters (`Null` for defaults).
pub fn rater(name: &str, params: Value) -> Result<Box<dyn Rate>, ParamError> {
    let id = if name.contains('.') {
        name.to_owned()
    } else {
        format!("rank.{}", name.replace('-', "_"))
    };
    if let Some((_, build)) = RATERS.iter().find(|(known, _)| *known == id) {
        return build(params);
    }
    let known: Vec<&str> = RATERS.iter().map(|(id, _)| *id).collect();
    let hint = guerdon_core::nearest(&id, known.iter().copied()).map_or_else(
        || format!("there are: {}", known.join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    Err(ParamError::new("method", format!("`{name}` does not rate comparisons; {hint}")))
}

/// A percentile bootstrap over the rows for methods without an interval of their own.
struct Bootstrap<'a> {
    all: &'a Comparisons,
    counts: &'a Counts,
    rounds: usize,
    level: f64,
    seed: u64,
}

impl Bootstrap<'_> {
    /// Adds intervals and ranks to `draft`; nothing when there are no rounds.
    fn add(
        &self,
        draft: &mut crate::report::leaderboard::Draft<'_>,
        method: &(dyn Fn(&Counts) -> Result<Vec<f64>, MethodError> + Sync),
    ) -> Result<(), MethodError> {
        if self.rounds == 0 || self.counts.cells().is_empty() {
            return Ok(());
        }
        let resampler = Resampler::of(self.all, self.counts)?;
        let n = draft.values.len();
        let rounds = bootstrap::of(&resampler, n, self.rounds, self.seed, &|sample| {
            Ok((method(sample)?, false))
        })?;
        draft.intervals = rounds.intervals(self.level).into_iter().map(Some).collect();
        draft.interval = Some(("bootstrap", self.level));
        let spread = Spread::Rounds(rounds);
        draft.best = spread.best(n);
        let component =
            if draft.component.is_empty() { vec![0; n] } else { draft.component.clone() };
        draft.ranks = Some(ranks(&draft.values, &component, &spread, self.level));
        Ok(())
    }
}

/// Methods that spread mass need something to spread it along.
fn needs_comparisons(counts: &Counts) -> Result<(), MethodError> {
    if counts.n() < 2 || counts.cells().is_empty() {
        return Err(MethodError::domain("a rating needs at least two contestants that met"));
    }
    Ok(())
}

/// Checks the parameters of a bootstrap.
fn check_bootstrap(rounds: usize, level: f64) -> Result<(), ParamError> {
    if rounds > 100_000 {
        return Err(ParamError::new(
            "rounds",
            format!("`rounds` must be at most 100000, not {rounds}"),
        ));
    }
    check_level(level)
}

/// Checks a confidence level.
fn check_level(level: f64) -> Result<(), ParamError> {
    if level > 0.0 && level < 1.0 {
        return Ok(());
    }
    Err(ParamError::new(
        "level",
        format!("`level` must lie between 0 and 1, for example 0.95, not {level}"),
    ))
}

/// Natural-log strengths with mean 0 from positive scores; `None` when a score is not positive.
pub fn log_strengths(scores: &[f64]) -> Option<Vec<f64>> {
    if scores.iter().any(|s| !(*s > 0.0 && s.is_finite())) {
        return None;
    }
    let logs: Vec<f64> = scores.iter().map(|s| s.ln()).collect();
    let mean = logs.iter().sum::<f64>() / logs.len().max(1) as f64;
    Some(logs.into_iter().map(|l| l - mean).collect())
}

#[cfg(test)]
mod tests {
    use super::{RATERS, rater};
    use guerdon_core::method::Kind;
    use serde_json::Value;

    #[test]
    fn every_function_over_comparisons_that_gives_a_leaderboard_is_a_rater() {
        let schema = |f: fn() -> guerdon_core::schemars::Schema| {
            serde_json::to_value(f()).unwrap()["title"].clone()
        };
        for method in crate::METHODS {
            let Kind::Function(info, _) = method.def.kind else { continue };
            let rates = schema(info.input) == "Games" && schema(info.output) == "Leaderboard";
            assert_eq!(
                rates,
                RATERS.iter().any(|(id, _)| *id == method.def.id),
                "{}",
                method.def.id
            );
        }
    }

    #[test]
    fn a_name_nearly_right_is_told() {
        assert!(rater("elo", Value::Null).is_ok());
        let error = rater("bradley-tery", Value::Null).err().unwrap().to_string();
        assert!(error.contains("did you mean `rank.bradley_terry`?"), "{error}");
    }
}
