//! Glicko-2: ratings with a deviation that grows in idle periods and a volatility.
//!
//! # Formula
//!
//! ```text
//! μ = (r − 1500) / 173.7178, φ = RD / 173.7178,  g(φ) = 1 / √(1 + 3φ²/π²),  E_j = σ(g(φ_j)(μ − μ_j))
//! v = 1 / Σ g(φ_j)² E_j (1 − E_j),  Δ = v Σ g(φ_j)(s_j − E_j)
//! σ' solves  e^x (Δ² − φ² − v − e^x) / (2 (φ² + v + e^x)²) = (x − ln σ²) / τ²,  x = ln σ'²
//! φ* = √(φ² + σ'²),  φ' = 1 / √(1/φ*² + 1/v),  μ' = μ + φ'² Σ g(φ_j)(s_j − E_j)
//! ```
//!
//! All games of a rating period are taken together; who does not play gets φ' = √(φ² + σ²).
//!
//! # When to use it
//!
//! When contestants change or play rarely, and the uncertainty of each rating matters. Periods should hold some 10 to 15
//! games per contestant; `period` cuts the rows into periods, in order.
//!
//! # Departures
//!
//! `strength` divides the rating by 173.7178 and centres it, so that one unit is one natural-log unit between contestants
//! of small deviation. The interval is r ± z·RD. A weight counts a game that often.
//!
//! # Example
//!
//! ```yaml
//! use: rank.glicko2
//! period: 1000
//! ```
//!
//! ```
//! use guerdon_rank::rank::glicko2::{Game, Glicko2, Player};
//! let opponent = |rating, deviation, points| Game { rating, deviation, points, weight: 1.0 };
//! let games = [opponent(1400.0, 30.0, 1.0), opponent(1550.0, 100.0, 0.0), opponent(1700.0, 300.0, 0.0)];
//! let player = Player { rating: 1500.0, deviation: 200.0, volatility: 0.06 };
//! let after = Glicko2::default().after(player, &games);
//! assert!((after.rating - 1464.06).abs() < 0.01 && (after.deviation - 151.52).abs() < 0.01);
//! ```
//!
//! # References
//!
//! Glickman, "Example of the Glicko-2 system", 2012; "Dynamic paired comparison models with stochastic variances", 2001.

use std::f64::consts::PI;

use guerdon_core::method::Params;
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rate;
use crate::fit::pair::sigmoid;
use crate::report::leaderboard::{Draft, Scale};
use crate::{Comparisons, Counts, Leaderboard, Outcome};

/// Rating points per unit of the internal scale.
const POINTS: f64 = 173.7178;

/// Parameters of `rank.glicko2`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Glicko2 {
    /// Rating that everybody starts with, finite; default 1500.
    pub rating: f64,
    /// Deviation that everybody starts with, in rating points, greater than 0; default 350.
    pub deviation: f64,
    /// Volatility that everybody starts with, greater than 0; default 0.06.
    pub volatility: f64,
    /// How much the volatility may change, 0.2 to 1.2 being usual; greater than 0, default 0.5.
    pub tau: f64,
    /// Rows per rating period, at least 1. Default: all rows are one period.
    pub period: Option<usize>,
    /// Level of the interval, between 0 and 1; default 0.95.
    pub level: f64,
}

impl Default for Glicko2 {
    fn default() -> Self {
        Self {
            rating: 1500.0,
            deviation: 350.0,
            volatility: 0.06,
            tau: 0.5,
            period: None,
            level: 0.95,
        }
    }
}

impl Params for Glicko2 {
    fn validate(&self) -> Result<(), ParamError> {
        if !self.rating.is_finite() {
            return Err(ParamError::new(
                "rating",
                format!("`rating` must be finite, not {}", self.rating),
            ));
        }
        for (field, value) in
            [("deviation", self.deviation), ("volatility", self.volatility), ("tau", self.tau)]
        {
            ParamError::positive(field, value)?;
        }
        if self.period == Some(0) {
            return Err(ParamError::new("period", "`period` must be at least 1"));
        }
        super::check_level(self.level)
    }
}

/// What is known of a contestant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Player {
    /// Rating.
    pub rating: f64,
    /// Deviation, in rating points.
    pub deviation: f64,
    /// Volatility.
    pub volatility: f64,
}

/// A game of a period, as the player sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Game {
    /// The opponent's rating before the period.
    pub rating: f64,
    /// The opponent's deviation before the period.
    pub deviation: f64,
    /// Points won, 0 to 1.
    pub points: f64,
    /// How often the game counts.
    pub weight: f64,
}

impl Glicko2 {
    /// A contestant that has not played.
    pub fn newcomer(&self) -> Player {
        Player { rating: self.rating, deviation: self.deviation, volatility: self.volatility }
    }

    /// The player after a period with these games.
    pub fn after(&self, player: Player, games: &[Game]) -> Player {
        let (mu, phi) = ((player.rating - self.rating) / POINTS, player.deviation / POINTS);
        let (mut information, mut surplus) = (0.0, 0.0);
        for game in games {
            let g = 1.0 / (1.0 + 3.0 * (game.deviation / POINTS).powi(2) / (PI * PI)).sqrt();
            let expected = sigmoid(g * (mu - (game.rating - self.rating) / POINTS));
            information += game.weight * g * g * expected * (1.0 - expected);
            surplus += game.weight * g * (game.points - expected);
        }
        if information <= 0.0 {
            let phi = phi.hypot(player.volatility);
            return Player { deviation: phi * POINTS, ..player };
        }
        let v = 1.0 / information;
        let volatility = self.volatility(player.volatility, phi, v, v * surplus);
        let widened = phi * phi + volatility * volatility;
        let phi = 1.0 / (1.0 / widened + information).sqrt();
        let mu = mu + phi * phi * surplus;
        Player { rating: mu * POINTS + self.rating, deviation: phi * POINTS, volatility }
    }

    /// The new volatility, by the Illinois variant of regula falsi on x = ln σ'².
    fn volatility(&self, sigma: f64, phi: f64, v: f64, delta: f64) -> f64 {
        let a = (sigma * sigma).ln();
        let f = |x: f64| {
            let e = x.exp();
            let sum = phi * phi + v + e;
            e * (delta * delta - sum) / (2.0 * sum * sum) - (x - a) / (self.tau * self.tau)
        };
        let excess = delta * delta - phi * phi - v;
        let mut low = a;
        let mut high = if excess > 0.0 { excess.ln() } else { self.below(a, &f) };
        let (mut at_low, mut at_high) = (f(low), f(high));
        for _ in 0..200 {
            if (high - low).abs() <= 1e-12 || at_high == at_low {
                break;
            }
            let next = low + (low - high) * at_low / (at_high - at_low);
            let at_next = f(next);
            if at_next * at_high <= 0.0 {
                (low, at_low) = (high, at_high);
            } else {
                at_low *= 0.5;
            }
            (high, at_high) = (next, at_next);
        }
        (0.5 * low).exp()
    }

    /// The first point a − kτ at which `f` is not negative.
    fn below(&self, a: f64, f: &dyn Fn(f64) -> f64) -> f64 {
        let steps = (1..=1000).map(|k| a - f64::from(k) * self.tau);
        steps.into_iter().find(|x| f(*x) >= 0.0).unwrap_or(a - 1000.0 * self.tau)
    }

    /// All players after one period with these games `(a, b, outcome, weight)`.
    pub fn period(&self, players: &mut [Player], games: &[(usize, usize, Outcome, f64)]) {
        let mut seen: Vec<Vec<Game>> = vec![Vec::new(); players.len()];
        for &(a, b, outcome, weight) in games {
            for (own, other, points) in [(a, b, outcome.points()), (b, a, 1.0 - outcome.points())] {
                let Player { rating, deviation, .. } = players[other];
                seen[own].push(Game { rating, deviation, points, weight });
            }
        }
        for (player, games) in players.iter_mut().zip(&seen) {
            *player = self.after(*player, games);
        }
    }

    /// All players after all rows of `all`, cut into periods.
    pub fn run(&self, all: &Comparisons) -> Vec<Player> {
        let mut players = vec![self.newcomer(); all.names().len()];
        let rows: Vec<_> = all.rows().collect();
        for games in rows.chunks(self.period.unwrap_or(rows.len()).max(1)) {
            self.period(&mut players, games);
        }
        players
    }
}

impl Rate for Glicko2 {
    fn rate(
        &self,
        all: &Comparisons,
        counts: &Counts,
        _seed: u64,
    ) -> Result<Leaderboard, MethodError> {
        super::needs_comparisons(counts)?;
        let players = self.run(all);
        let ratings: Vec<f64> = players.iter().map(|player| player.rating).collect();
        MethodError::all_finite("ratings", &ratings)?;
        let mean = ratings.iter().sum::<f64>() / ratings.len() as f64;
        let strengths: Vec<f64> = ratings.iter().map(|r| (r - mean) / POINTS).collect();
        let z = guerdon_stats::dist::two_sided_z(self.level);
        let mut draft = Draft::new(METHOD.id, all.names(), counts, strengths, Scale::Strength);
        draft.intervals = players
            .iter()
            .zip(&draft.values)
            .map(|(player, s)| {
                Some((s - z * player.deviation / POINTS, s + z * player.deviation / POINTS))
            })
            .collect();
        draft.interval = Some(("deviation", self.level));
        draft.scores = Some(ratings);
        draft.warnings = all.warnings().to_vec();
        Ok(draft.finish())
    }
}

function_of_comparisons!(Glicko2);

guerdon_core::method! {
    Glicko2: Function,
    id: "rank.glicko2",
    papers: [],
    status: Verified(Worked("Glickman's published example: 1464.06, 151.52, 0.05999")),
    laws: [PermutationInvariant],
    exempt: [],
    samples: [
        r#"{"first": ["a", "b", "c", "a", "a"], "second": ["b", "c", "a", "c", "b"],
            "outcome": ["first", "tie", "first", "first", "first"]}"#
    ],
}

#[cfg(test)]
mod tests {
    use super::{Game, Glicko2, Player};
    use crate::{Comparisons, Outcome};

    #[test]
    fn the_published_example() {
        let player = Player { rating: 1500.0, deviation: 200.0, volatility: 0.06 };
        let game = |rating, deviation, points| Game { rating, deviation, points, weight: 1.0 };
        let games = [game(1400.0, 30.0, 1.0), game(1550.0, 100.0, 0.0), game(1700.0, 300.0, 0.0)];
        let after = Glicko2::default().after(player, &games);
        assert!((after.rating - 1464.06).abs() < 0.01, "{after:?}");
        assert!((after.deviation - 151.52).abs() < 0.01);
        assert!((after.volatility - 0.05999).abs() < 1e-5);
    }

    #[test]
    fn idle_players_grow_uncertain() {
        let glicko = Glicko2::default();
        let idle = glicko.after(Player { rating: 1500.0, deviation: 50.0, volatility: 0.06 }, &[]);
        assert!(
            (idle.deviation - (50.0_f64.powi(2) + (0.06 * 173.7178_f64).powi(2)).sqrt()).abs()
                < 1e-9
        );
        assert_eq!(idle.rating, 1500.0);
    }

    #[test]
    fn periods_follow_the_rows() {
        let all = Comparisons::from_names(&["a"; 4], &["b"; 4], vec![Outcome::First; 4]).unwrap();
        let (once, each) = (Glicko2::default(), Glicko2 { period: Some(1), ..Glicko2::default() });
        let (together, apart) = (once.run(&all), each.run(&all));
        assert!(together[0].rating > 1500.0 && apart[0].rating > 1500.0);
        assert_ne!(together[0].rating, apart[0].rating);
    }
}
