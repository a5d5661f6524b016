//! Inline pictures of the page.

use std::fmt::Write as _;

use super::leaderboard::{Leaderboard, Rating};
use super::page::escape;
use super::table::number;
use crate::job::Matrix;
use crate::rank::intransitivity::Circles;

/// Width of the plot of ratings, in its own units.
const WIDTH: f64 = 360.0;

/// The common scale of all bars.
pub(super) struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    pub(super) fn of(board: &Leaderboard) -> Self {
        let ends = board.ratings.iter().flat_map(|r| [r.low, r.high, Some(value(r))]).flatten();
        let (low, high) =
            ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
        if low < high {
            let margin = 0.03 * (high - low);
            return Self { low: low - margin, high: high + margin };
        }
        let middle = if low.is_finite() { low } else { 0.0 };
        Self { low: middle - 1.0, high: middle + 1.0 }
    }

    fn x(&self, value: f64) -> f64 {
        WIDTH * (value - self.low) / (self.high - self.low)
    }

    /// Round values that the axis marks.
    fn ticks(&self) -> Vec<f64> {
        let rough = (self.high - self.low) / 4.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|m| m * power)
            .find(|s| *s >= rough)
            .unwrap_or(rough);
        let first = (self.low / step).ceil();
        (0..8_u8).map(|k| (first + f64::from(k)) * step).take_while(|t| *t <= self.high).collect()
    }

    pub(super) fn axis(&self) -> String {
        let mut marks = String::new();
        for tick in self.ticks() {
            let x = self.x(tick).clamp(12.0, WIDTH - 12.0);
            let _ = write!(
                marks,
                "<text x=\"{x:.1}\" y=\"11\" text-anchor=\"middle\">{}</text>",
                number(tick)
            );
        }
        format!("<svg viewBox=\"0 0 {WIDTH} 14\" class=\"axis\" aria-hidden=\"true\">{marks}</svg>")
    }

    pub(super) fn bar(&self, rating: &Rating) -> String {
        let at = self.x(value(rating));
        let mut marks = String::new();
        for tick in self.ticks() {
            let x = self.x(tick);
            let _ = write!(
                marks,
                "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"0\" y2=\"22\"/>"
            );
        }
        let mut label = number(value(rating));
        if let (Some(low), Some(high)) = (rating.low, rating.high) {
            let (from, to) = (self.x(low), self.x(high));
            let _ = write!(
                marks,
                "<rect class=\"range\" x=\"{from:.1}\" y=\"7\" width=\"{:.1}\" height=\"8\" rx=\"4\"/>",
                (to - from).max(1.0)
            );
            label = format!("{} ({} to {})", short(value(rating)), short(low), short(high));
        }
        format!(
            "<svg viewBox=\"0 0 {WIDTH} 22\" role=\"img\"><title>{}: {label}</title>{marks}\
             <circle class=\"dot\" cx=\"{at:.1}\" cy=\"11\" r=\"4.5\"/></svg>",
            escape(&rating.name)
        )
    }
}

fn short(x: f64) -> String {
    if x.abs() >= 10.0 { format!("{x:.1}") } else { format!("{x:.3}") }
}

/// What is plotted: the rating, or the score where there is none.
fn value(rating: &Rating) -> f64 {
    rating.rating.unwrap_or(rating.score)
}

/// The matrix of shares as coloured squares: warm where the row wins, cool where it loses.
pub(super) fn matrix(matrix: &Matrix) -> String {
    let n = matrix.names.len();
    let side = if n <= 25 { 30.0 } else { 18.0 };
    let (left, top) = (190.0, 120.0);
    let (width, height) = (left + side * n as f64 + 60.0, top + side * n as f64 + 4.0);
    let mut marks = String::new();
    for (i, name) in matrix.names.iter().enumerate() {
        let along = side * (i as f64 + 0.5);
        let shown = escape(&cut(name));
        let _ = write!(
            marks,
            "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{shown}</text>",
            left - 8.0,
            top + along + 4.0
        );
        let (x, y) = (left + along, top - 8.0);
        let _ = write!(
            marks,
            "<text x=\"{x:.1}\" y=\"{y:.0}\" transform=\"rotate(-50 {x:.1} {y:.0})\">{shown}</text>"
        );
        for (j, share) in matrix.shares[i].iter().enumerate() {
            let (x, y) = (left + side * j as f64, top + side * i as f64);
            marks.push_str(&square(matrix, (i, j), *share, (x, y), side));
        }
    }
    format!(
        "<div class=\"scroll\"><svg class=\"matrix\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" role=\"img\">\
         <title>Share of points won, row against column</title>{marks}</svg></div>\n"
    )
}

fn square(
    matrix: &Matrix,
    (i, j): (usize, usize),
    share: Option<f64>,
    (x, y): (f64, f64),
    side: f64,
) -> String {
    let inner = side - 2.0;
    let Some(share) = share else {
        let class = if i == j { "self" } else { "none" };
        return format!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{inner:.0}\" height=\"{inner:.0}\" rx=\"3\"/>"
        );
    };
    let class = if share >= 0.5 { "win" } else { "loss" };
    let strength = 0.08 + 0.92 * (2.0 * (share - 0.5).abs()).powf(0.8);
    let mut html = format!(
        "<g><title>{} – {}: {:.1}% of {}</title><rect class=\"{class}\" fill-opacity=\"{strength:.2}\" x=\"{x:.1}\" y=\"{y:.1}\" \
         width=\"{inner:.0}\" height=\"{inner:.0}\" rx=\"3\"/>",
        escape(&matrix.names[i]),
        escape(&matrix.names[j]),
        100.0 * share,
        number(matrix.met[i][j])
    );
    if side > 25.0 {
        let class = if strength > 0.6 { "on" } else { "off" };
        let _ = write!(
            html,
            "<text class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{:.0}</text>",
            x + 0.5 * inner,
            y + 0.5 * inner + 4.0,
            100.0 * share
        );
    }
    html + "</g>"
}

/// A name of at most 24 characters.
fn cut(name: &str) -> String {
    if name.chars().count() <= 24 {
        name.to_owned()
    } else {
        name.chars().take(23).chain(['…']).collect()
    }
}

/// The shares of gradient, curl and harmonic flow as one bar.
pub(super) fn shares(circles: &Circles) -> String {
    let curl = circles.curl.unwrap_or(1.0 - circles.gradient);
    let name = if circles.curl.is_some() { "circles of three" } else { "circles" };
    let parts = [
        ("strength", "gradient", circles.gradient),
        (name, "curl", curl),
        ("longer circles", "harmonic", circles.harmonic.unwrap_or(0.0)),
    ];
    let (mut x, mut bars, mut legend) = (0.0, String::new(), String::new());
    for (name, class, share) in parts {
        let _ = write!(
            bars,
            "<rect class=\"{class}\" x=\"{x:.2}\" y=\"0\" width=\"{:.2}\" height=\"14\"/>",
            700.0 * share
        );
        let _ = write!(legend, "<li><i class=\"{class}\"></i>{name} {:.1}%</li>", 100.0 * share);
        x += 700.0 * share;
    }
    format!(
        "<svg class=\"shares\" viewBox=\"0 0 700 14\" role=\"img\"><title>What explains who beats whom</title>{bars}</svg>\
         <ul class=\"legend\">{legend}</ul>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::{Scale, cut};
    use crate::report::leaderboard::{Leaderboard, Rating};

    #[test]
    fn a_scale_of_nothing_or_of_one_value_is_finite() {
        for ratings in [vec![], vec![Rating { rating: Some(1000.0), ..Rating::default() }]] {
            let scale = Scale::of(&Leaderboard { ratings, ..Leaderboard::default() });
            assert!(scale.x(0.0).is_finite());
            assert!(!scale.ticks().is_empty());
        }
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"x".repeat(30)).chars().count(), 24);
    }
}
