//! What changed since an earlier leaderboard.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::leaderboard::Leaderboard;

/// What changed for one contestant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The contestant.
    pub name: String,
    /// Its place before; `None` for a newcomer.
    pub rank_before: Option<usize>,
    /// Its place now; `None` when it is gone.
    pub rank_now: Option<usize>,
    /// Rating (or score, where there is no rating) now minus before; `None` unless it has both.
    pub moved: Option<f64>,
    /// Whether both have intervals and they do not overlap.
    pub clear: bool,
}

/// What changed from `before` to `now`: the present contestants in the order of the table, then those that are gone.
/// Contestants are matched by name; those that did not change are left out.
pub fn changes(before: &Leaderboard, now: &Leaderboard) -> Vec<Change> {
    let of_present = now.ratings.iter().filter_map(|present| {
        let Some(past) = before.get(&present.name) else {
            let name = present.name.clone();
            return Some(Change {
                name,
                rank_before: None,
                rank_now: Some(present.rank),
                moved: None,
                clear: false,
            });
        };
        let moved = match (past.rating, present.rating) {
            (Some(x), Some(y)) => y - x,
            _ => present.score - past.score,
        };
        let apart = |a: Option<f64>, b: Option<f64>| a.zip(b).is_some_and(|(a, b)| a > b);
        let clear = apart(past.low, present.high) || apart(present.low, past.high);
        let changed = past.rank != present.rank || moved.abs() > 1e-9;
        changed.then(|| Change {
            name: present.name.clone(),
            rank_before: Some(past.rank),
            rank_now: Some(present.rank),
            moved: Some(moved),
            clear,
        })
    });
    let gone =
        before.ratings.iter().filter(|past| now.get(&past.name).is_none()).map(|past| Change {
            name: past.name.clone(),
            rank_before: Some(past.rank),
            rank_now: None,
            moved: None,
            clear: false,
        });
    of_present.chain(gone).collect()
}

#[cfg(test)]
mod tests {
    use super::changes;
    use crate::report::leaderboard::{Leaderboard, Rating};

    fn board(rows: &[(&str, usize, f64)]) -> Leaderboard {
        let row = |&(name, rank, rating): &(&str, usize, f64)| Rating {
            name: name.into(),
            rank,
            rating: Some(rating),
            low: Some(rating - 5.0),
            high: Some(rating + 5.0),
            ..Rating::default()
        };
        Leaderboard { ratings: rows.iter().map(row).collect(), ..Leaderboard::default() }
    }

    #[test]
    fn newcomers_leavers_and_movers_are_told() {
        let before = board(&[("a", 1, 1100.0), ("b", 2, 1000.0), ("c", 3, 900.0)]);
        let now = board(&[("b", 1, 1120.0), ("a", 2, 1102.0), ("d", 3, 950.0)]);
        let found = changes(&before, &now);
        let told: Vec<_> =
            found.iter().map(|c| (c.name.as_str(), c.rank_before, c.rank_now, c.clear)).collect();
        let expected = [
            ("b", Some(2), Some(1), true),
            ("a", Some(1), Some(2), false),
            ("d", None, Some(3), false),
            ("c", Some(3), None, false),
        ];
        assert_eq!(told, expected);
        assert!(changes(&now, &now).is_empty());
    }
}
