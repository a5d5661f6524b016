//! A leaderboard as a text table.

use std::fmt::Write as _;

use super::leaderboard::{Leaderboard, Rating};

type Column = (&'static str, Box<dyn Fn(&Rating) -> String>);

pub(super) fn text(board: &Leaderboard) -> String {
    let columns = columns(board);
    let mut rows = vec![columns.iter().map(|(title, _)| (*title).to_owned()).collect::<Vec<_>>()];
    rows.extend(
        board.ratings.iter().map(|rating| columns.iter().map(|(_, show)| show(rating)).collect()),
    );
    let width =
        |at: usize| rows.iter().map(|row: &Vec<String>| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).enumerate();
        let line: Vec<String> = cells
            .map(
                |(at, (cell, &width))| {
                    if at == 1 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                },
            )
            .collect();
        let _ = writeln!(text, "{}", line.join("  ").trim_end());
    }
    for warning in &board.warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    text
}

fn columns(board: &Leaderboard) -> Vec<Column> {
    let rated = board.ratings.iter().any(|r| r.rating.is_some());
    let any = |has: fn(&Rating) -> bool| board.ratings.iter().any(has);
    let mut columns: Vec<Column> =
        vec![("rank", Box::new(|r| r.rank.to_string())), ("name", Box::new(|r| r.name.clone()))];
    if rated {
        columns.push(("rating", Box::new(|r| r.rating.map_or("-".into(), |x| format!("{x:.1}")))));
    } else {
        columns.push(("score", Box::new(|r| number(r.score))));
    }
    if any(|r| r.low.is_some()) {
        columns.push(("interval", Box::new(move |r| interval(r, rated))));
    }
    if any(|r| r.rank_low.is_some()) {
        columns.push(("places", Box::new(places)));
    }
    columns.push(("wins", Box::new(|r| number(r.wins))));
    columns.push(("losses", Box::new(|r| number(r.losses))));
    if any(|r| r.ties > 0.0) {
        columns.push(("ties", Box::new(|r| number(r.ties))));
    }
    if any(|r| r.group > 0) {
        columns.push(("group", Box::new(|r| (r.group + 1).to_string())));
    }
    columns
}

fn interval(rating: &Rating, rated: bool) -> String {
    match (rating.low, rating.high) {
        (Some(low), Some(high)) if rated => format!("{low:.1} .. {high:.1}"),
        (Some(low), Some(high)) => format!("{} .. {}", number(low), number(high)),
        _ => "-".into(),
    }
}

fn places(rating: &Rating) -> String {
    match (rating.rank_low, rating.rank_high) {
        (Some(low), Some(high)) if low == high => low.to_string(),
        (Some(low), Some(high)) => format!("{low}-{high}"),
        _ => "-".into(),
    }
}

/// Whole numbers as such, others with four decimals.
pub(super) fn number(x: f64) -> String {
    if x.fract() == 0.0 && x.abs() < 1e15 { format!("{x:.0}") } else { format!("{x:.4}") }
}

#[cfg(test)]
mod tests {
    use crate::report::leaderboard::{Leaderboard, Rating};

    #[test]
    fn columns_line_up() {
        let row = |name: &str, rank, rating, low: Option<f64>| Rating {
            name: name.into(),
            rank,
            rating: Some(rating),
            low,
            high: low.map(|l| l + 10.0),
            wins: 3.0,
            ..Rating::default()
        };
        let board = Leaderboard {
            ratings: vec![row("long name", 1, 1050.04, Some(1045.0)), row("x", 10, 950.0, None)],
            warnings: vec!["look".into()],
            ..Leaderboard::default()
        };
        let expected = "rank  name       rating          interval  wins  losses\n   \
                        1  long name  1050.0  1045.0 .. 1055.0     3       0\n  \
                        10  x           950.0                 -     3       0\nwarning: look\n";
        assert_eq!(board.to_text(), expected);
    }
}
