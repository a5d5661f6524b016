//! The whole job of `guerdon rank`: one set of comparisons, several methods, one report.

use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::rank::intransitivity::{self, Circles};
use crate::rank::plan::{Plan, Planned};
use crate::rank::{Rate, rater};
use crate::report::changes::{Change, changes};
use crate::report::page;
use crate::{Comparisons, Leaderboard};

/// Up to this many contestants the report holds the matrix of wins.
const MATRIX: usize = 60;

/// The methods to run, in order.
pub struct Job {
    methods: Vec<(String, Box<dyn Rate>)>,
    seed: u64,
}

/// A method that could not rate the comparisons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The method's name, as it was asked for.
    pub method: String,
    /// Why.
    pub error: String,
}

/// Wins between every two contestants, in the order of the first leaderboard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Matrix {
    /// The contestants.
    pub names: Vec<String>,
    /// Share of the points that the row won against the column; `None` where they never met.
    pub shares: Vec<Vec<Option<f64>>>,
    /// How often they met (summed weight).
    pub met: Vec<Vec<f64>>,
}

/// What came out of a job.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The leaderboards, in the order of the methods.
    pub boards: Vec<Leaderboard>,
    /// The methods that failed.
    pub failures: Vec<Failure>,
    /// Wins between every two; `None` for more than 60 contestants.
    pub matrix: Option<Matrix>,
    /// How far the comparisons are from one strength per contestant; `None` for more than 500 contestants.
    pub circles: Option<Circles>,
    /// What further comparisons would decide; `None` for more than 500 contestants.
    pub plan: Option<Planned>,
    /// What changed since the earlier leaderboard, where one was given.
    pub changes: Vec<Change>,
}

impl Job {
    /// A job with these methods (`elo`, `rank.bradley_terry`, ...) and their parameters (`Null` for defaults).
    pub fn new(
        methods: impl IntoIterator<Item = (String, Value)>,
        seed: u64,
    ) -> Result<Self, ParamError> {
        let build = |(name, params): (String, Value)| Ok((name.clone(), rater(&name, params)?));
        let methods = methods.into_iter().map(build).collect::<Result<Vec<_>, ParamError>>()?;
        if methods.is_empty() {
            return Err(ParamError::new(
                "method",
                "a job needs at least one `method`, for example `bradley_terry`",
            ));
        }
        Ok(Self { methods, seed })
    }

    /// Runs all methods. A method that fails is told in the report; only when all fail is the first failure the error.
    pub fn run(
        &self,
        all: &Comparisons,
        before: Option<&Leaderboard>,
    ) -> Result<Report, MethodError> {
        let counts = all.counts();
        let mut report = Report::default();
        let mut first = None;
        for (name, method) in &self.methods {
            match method.rate(all, &counts, self.seed) {
                Ok(board) => report.boards.push(board),
                Err(error) => {
                    report
                        .failures
                        .push(Failure { method: name.clone(), error: error.to_string() });
                    first.get_or_insert(error);
                }
            }
        }
        let Some(board) = report.boards.first() else {
            return Err(first.unwrap_or_else(|| MethodError::domain("there is no method to run")));
        };
        report.matrix = matrix(all, &counts, board);
        report.circles = intransitivity::measure(&counts, all.names(), 10).ok();
        report.plan =
            (counts.n() <= 500).then(|| Plan::default().plan(&counts, all.names()).ok()).flatten();
        report.changes = before.map_or_else(Vec::new, |before| changes(before, board));
        Ok(report)
    }
}

fn matrix(all: &Comparisons, counts: &crate::Counts, board: &Leaderboard) -> Option<Matrix> {
    let names: Vec<String> = board.ratings.iter().map(|rating| rating.name.clone()).collect();
    if names.len() > MATRIX {
        return None;
    }
    let place: Vec<Option<usize>> =
        all.names().iter().map(|name| names.iter().position(|n| n == name)).collect();
    let mut shares = vec![vec![None; names.len()]; names.len()];
    let mut met = vec![vec![0.0; names.len()]; names.len()];
    for cell in counts.cells() {
        let (Some(a), Some(b)) = (place[cell.a as usize], place[cell.b as usize]) else { continue };
        let share = cell.points_a() / cell.total();
        (shares[a][b], shares[b][a]) = (Some(share), Some(1.0 - share));
        (met[a][b], met[b][a]) = (cell.total(), cell.total());
    }
    Some(Matrix { names, shares, met })
}

impl Report {
    /// All leaderboards as text tables, failures last.
    pub fn to_text(&self) -> String {
        let several = self.boards.len() > 1;
        let table = |board: &Leaderboard| {
            if several { format!("{}\n{}", board.method, board.to_text()) } else { board.to_text() }
        };
        let mut text = self.boards.iter().map(table).collect::<Vec<_>>().join("\n");
        for failure in &self.failures {
            text.push_str(&format!("{}: {}\n", failure.method, failure.error));
        }
        text
    }

    /// The report as a page that needs nothing else: HTML with its style and pictures inside. `title` heads it.
    pub fn to_html(&self, title: &str) -> String {
        page::html(self, title)
    }
}

#[cfg(test)]
mod tests {
    use super::Job;
    use crate::{Comparisons, Outcome};
    use serde_json::Value;

    fn sample() -> Comparisons {
        use Outcome::{First, Second, Tie};
        let first = ["<a>", "b", "c", "<a>", "b", "<a>"];
        let second = ["b", "c", "<a>", "c", "<a>", "c"];
        Comparisons::from_names(&first, &second, vec![First, First, Tie, First, Second, Second])
            .unwrap()
    }

    fn job(names: &[&str]) -> Job {
        Job::new(names.iter().map(|n| ((*n).to_owned(), Value::Null)), 1).unwrap()
    }

    #[test]
    fn one_failing_method_does_not_stop_the_others() {
        let sweep = Comparisons::from_names(&["a"], &["b"], vec![Outcome::First]).unwrap();
        let report = job(&["bradley_terry", "elo"]).run(&sweep, None).unwrap();
        assert_eq!((report.boards.len(), report.failures.len()), (1, 1));
        assert!(report.to_text().contains("never lost"));
        assert!(job(&["bradley_terry"]).run(&sweep, None).is_err());
        assert!(Job::new([], 0).is_err());
    }

    #[test]
    fn the_page_is_whole_and_names_cannot_break_out() {
        let all = sample();
        let job = job(&["bradley_terry", "elo", "win_rate"]);
        let before = job.run(&all, None).unwrap().boards.remove(1);
        let report = job.run(&all, Some(&before)).unwrap();
        let html = report.to_html("Mine & yours");
        assert!(html.starts_with("<!doctype html>") && html.trim_end().ends_with("</html>"));
        assert!(
            html.contains("Mine &amp; yours")
                && html.contains("&lt;a&gt;")
                && !html.contains("<a>")
        );
        for outside in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!html.contains(outside), "{outside}");
        }
        assert!(!html.contains("NaN") && !html.contains("inf"));
    }
}
