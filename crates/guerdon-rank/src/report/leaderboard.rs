//! Ratings of all contestants by one method.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Counts;
use crate::fit::{POINTS_PER_NAT, rating};
use crate::uncertainty::ranks::{Ranks, plain};

/// The rating of one contestant.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Rating {
    /// The contestant.
    pub name: String,
    /// Natural-log strength: a difference of 1 is a factor e in the odds. Mean 0 over the contestants of a group without
    /// anchors. `None` for methods that do not model odds.
    #[serde(default)]
    pub strength: Option<f64>,
    /// Rating on the Elo scale: 1000 + 400 · strength / ln 10. `None` where there is no strength.
    #[serde(default)]
    pub rating: Option<f64>,
    /// Lower end of the interval, on the scale of `rating` (of `score` where there is no rating).
    #[serde(default)]
    pub low: Option<f64>,
    /// Upper end of the interval, on the same scale.
    #[serde(default)]
    pub high: Option<f64>,
    /// Place by the estimate, 1 is best; equal estimates share the better place. Within its group.
    pub rank: usize,
    /// Best place that the uncertainty allows.
    #[serde(default)]
    pub rank_low: Option<usize>,
    /// Worst place that the uncertainty allows.
    #[serde(default)]
    pub rank_high: Option<usize>,
    /// The method's own value (points, win rate, Elo, PageRank mass, ...); the strength where it has no other.
    #[serde(default)]
    pub score: f64,
    /// Share of the bootstrap rounds in which it was first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<f64>,
    /// Summed weight of its wins.
    #[serde(default)]
    pub wins: f64,
    /// Summed weight of its losses.
    #[serde(default)]
    pub losses: f64,
    /// Summed weight of its ties.
    #[serde(default)]
    pub ties: f64,
    /// Which group of contestants that met each other it belongs to: 0 is the largest. Ratings of different groups cannot
    /// be compared.
    #[serde(default)]
    pub group: usize,
}

/// Ratings of all contestants by one method, best first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Leaderboard {
    /// The method's id.
    pub method: String,
    /// The contestants: group by group, best first; equal places by name.
    pub ratings: Vec<Rating>,
    /// How the intervals were made: `fisher`, `sandwich`, `bootstrap`, `profile`; `None` without intervals.
    #[serde(default)]
    pub interval: Option<String>,
    /// Level of the intervals, 0 to 1.
    #[serde(default)]
    pub level: Option<f64>,
    /// Groups that cannot be told apart, as names: maximal runs of the table in which no pair is decided.
    #[serde(default)]
    pub ties: Vec<Vec<String>>,
    /// Numbers of the fit by name: `log_likelihood`, `iterations`, `nu`, `kappa`, ...
    #[serde(default)]
    pub fit: BTreeMap<String, f64>,
    /// Summed weight of the comparisons.
    #[serde(default)]
    pub comparisons: f64,
    /// What the user should know.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// What a method's value means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Natural-log strength.
    Strength,
    /// Something else, greater is better.
    Score,
}

/// A leaderboard in the making: everything is indexed by contestant.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// The method's id.
    pub method: &'a str,
    /// Names.
    pub names: &'a [String],
    /// The comparisons, for wins, losses and ties.
    pub counts: &'a Counts,
    /// The method's values, by which contestants are placed.
    pub values: Vec<f64>,
    /// What the values mean.
    pub scale: Scale,
    /// The method's own score, where it is not the value.
    pub scores: Option<Vec<f64>>,
    /// Which contestants can be compared; empty when all can.
    pub component: Vec<usize>,
    /// Intervals in units of the values.
    pub intervals: Vec<Option<(f64, f64)>>,
    /// Ranks with their uncertainty.
    pub ranks: Option<Ranks>,
    /// Shares of rounds in which each was first.
    pub best: Option<Vec<f64>>,
    /// Name of the interval and its level.
    pub interval: Option<(&'a str, f64)>,
    /// Numbers of the fit.
    pub fit: BTreeMap<String, f64>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl<'a> Draft<'a> {
    /// A draft with values alone.
    pub fn new(
        method: &'a str,
        names: &'a [String],
        counts: &'a Counts,
        values: Vec<f64>,
        scale: Scale,
    ) -> Self {
        Self {
            method,
            names,
            counts,
            values,
            scale,
            scores: None,
            component: Vec::new(),
            intervals: Vec::new(),
            ranks: None,
            best: None,
            interval: None,
            fit: BTreeMap::new(),
            warnings: Vec::new(),
        }
    }

    /// The finished leaderboard.
    pub fn finish(self) -> Leaderboard {
        let component = if self.component.is_empty() {
            vec![0; self.names.len()]
        } else {
            self.component.clone()
        };
        let group = by_size(&component, self.names);
        let rank = self
            .ranks
            .as_ref()
            .map_or_else(|| plain(&self.values, &component), |ranks| ranks.rank.clone());
        let records = self.counts.records();
        let mut ratings: Vec<Rating> = (0..self.names.len())
            .map(|i| Rating { group: group[i], rank: rank[i], ..self.rating(i, records[i]) })
            .collect();
        ratings.sort_by(|x, y| (x.group, x.rank, &x.name).cmp(&(y.group, y.rank, &y.name)));
        let named = |group: &Vec<usize>| {
            let mut group = group.clone();
            group.sort_by_key(|&i| (rank[i], &self.names[i]));
            group.into_iter().map(|i| self.names[i].clone()).collect()
        };
        Leaderboard {
            method: self.method.to_owned(),
            ratings,
            interval: self.interval.map(|(name, _)| name.to_owned()),
            level: self.interval.map(|(_, level)| level),
            ties: self
                .ranks
                .iter()
                .flat_map(|ranks| &ranks.groups)
                .filter(|g| g.len() > 1)
                .map(named)
                .collect(),
            fit: self.fit,
            comparisons: self.counts.total(),
            warnings: self.warnings,
        }
    }

    fn rating(&self, i: usize, [wins, losses, ties]: [f64; 3]) -> Rating {
        let value = self.values[i];
        let strength = (self.scale == Scale::Strength).then_some(value);
        let shown = |x: f64| if self.scale == Scale::Strength { rating(x) } else { x };
        let interval = self.intervals.get(i).copied().flatten();
        Rating {
            name: self.names[i].clone(),
            strength,
            rating: strength.map(rating),
            low: interval.map(|(low, _)| shown(low)),
            high: interval.map(|(_, high)| shown(high)),
            rank_low: self.ranks.as_ref().map(|ranks| ranks.low[i]),
            rank_high: self.ranks.as_ref().map(|ranks| ranks.high[i]),
            score: self.scores.as_ref().map_or(value, |scores| scores[i]),
            best: self.best.as_ref().map(|best| best[i]),
            wins,
            losses,
            ties,
            ..Rating::default()
        }
    }
}

/// Components renumbered by size, the largest first; equal sizes by their first name.
fn by_size(component: &[usize], names: &[String]) -> Vec<usize> {
    let mut groups: BTreeMap<usize, (usize, &String)> = BTreeMap::new();
    for (label, name) in component.iter().zip(names) {
        let group = groups.entry(*label).or_insert((0, name));
        group.0 += 1;
        group.1 = group.1.min(name);
    }
    let mut order: Vec<(std::cmp::Reverse<usize>, &String, usize)> = groups
        .into_iter()
        .map(|(label, (size, name))| (std::cmp::Reverse(size), name, label))
        .collect();
    order.sort_unstable();
    let place: BTreeMap<usize, usize> =
        order.into_iter().enumerate().map(|(at, (_, _, label))| (label, at)).collect();
    component.iter().map(|label| place[label]).collect()
}

impl Leaderboard {
    /// The rating of the contestant called `name`.
    pub fn get(&self, name: &str) -> Option<&Rating> {
        self.ratings.iter().find(|rating| rating.name == name)
    }

    /// The leaderboard as a text table with a header, warnings last. Ends with a line break.
    pub fn to_text(&self) -> String {
        super::table::text(self)
    }
}

/// Rating points to natural-log strength.
pub fn strength(rating: f64) -> f64 {
    (rating - 1000.0) / POINTS_PER_NAT
}

#[cfg(test)]
mod tests {
    use super::{Draft, Leaderboard, Scale, strength};
    use crate::{Cell, Counts};

    fn board() -> Leaderboard {
        let names = ["a", "b", "c", "d"].map(str::to_owned);
        let cell = |a, b, wins_a| Cell { a, b, wins_a, ..Cell::default() };
        let counts = Counts::from_cells(4, [cell(0, 1, 2.0), cell(2, 3, 1.0)]);
        let mut draft =
            Draft::new("rank.test", &names, &counts, vec![-0.5, 0.5, 1.0, -1.0], Scale::Strength);
        draft.component = vec![1, 1, 0, 0];
        draft.finish()
    }

    #[test]
    fn groups_of_equal_size_go_by_name_and_the_best_comes_first() {
        let board = board();
        let names: Vec<&str> = board.ratings.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["b", "a", "c", "d"]);
        assert_eq!(board.get("c").map(|r| (r.rank, r.group, r.wins)), Some((1, 1, 1.0)));
        assert!((strength(board.ratings[0].rating.unwrap()) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn json_goes_there_and_back() {
        let json = serde_json::to_string(&board()).unwrap();
        assert_eq!(serde_json::from_str::<Leaderboard>(&json).unwrap(), board());
        let least = r#"{"method": "x", "ratings": [{"name": "a", "rank": 1}]}"#;
        assert_eq!(serde_json::from_str::<Leaderboard>(least).unwrap().ratings[0].rating, None);
    }
}
