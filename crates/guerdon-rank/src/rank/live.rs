//! Ratings that move with every comparison and can be saved and resumed: Elo, Glicko-2 or TrueSkill.
//!
//! # Formula
//!
//! ```text
//! state ← update(state, comparison)      by `rank.elo`, `rank.glicko2` or `rank.trueskill`
//! ```
//!
//! Newcomers start when they are first seen. Glicko-2 updates at the end of each rating period of `glicko2.period` rows
//! (default 100); comparisons of a period that has not ended are kept in the state.
//!
//! # When to use it
//!
//! For a live arena: one comparison at a time, the table at any time. For a finished file `rank.bradley_terry` is better:
//! it does not depend on the order.
//!
//! # Departures
//!
//! The reading's intervals are those of the system (none for Elo).
//!
//! # Example
//!
//! ```yaml
//! use: rank.live
//! system: elo
//! elo: {k: 16}
//! ```
//!
//! ```
//! use guerdon_core::method::Online as _;
//! use guerdon_rank::Outcome;
//! use guerdon_rank::rank::live::{Live, Met};
//! let live = Live::default();
//! let mut state = live.init();
//! live.step(&mut state, &Met { first: "a".into(), second: "b".into(), outcome: Outcome::First, weight: 1.0 })?;
//! assert_eq!(live.read(&state, 0).ratings[0].score, 1002.0);
//! # Ok::<(), guerdon_core::MethodError>(())
//! ```
//!
//! # References
//!
//! Those of `rank.elo`, `rank.glicko2` and `rank.trueskill`.

use guerdon_core::method::{Online, Params};
use guerdon_core::{MethodError, ParamError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::elo::Elo;
use super::glicko2::{Glicko2, Player};
use super::trueskill::{Skill, TrueSkill};
use crate::report::leaderboard::{Draft, Scale};
use crate::{Counts, Leaderboard, Outcome};

/// Most contestants that a state holds.
const MOST: usize = 1_000_000;

/// Which rating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum System {
    /// Elo.
    #[default]
    Elo,
    /// Glicko-2.
    Glicko2,
    /// TrueSkill and its relatives.
    Trueskill,
}

/// Parameters of `rank.live`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Live {
    /// Which rating system. Default: elo.
    pub system: System,
    /// Parameters of Elo; permutations do not apply.
    pub elo: Elo,
    /// Parameters of Glicko-2; the default period is 100 rows here.
    pub glicko2: Glicko2,
    /// Parameters of TrueSkill.
    pub trueskill: TrueSkill,
}

impl Params for Live {
    fn validate(&self) -> Result<(), ParamError> {
        let inside = |name: &str, result: Result<(), ParamError>| {
            result.map_err(|mut error| {
                error.path.insert(0, name.to_owned());
                error
            })
        };
        inside("elo", self.elo.validate())?;
        inside("glicko2", self.glicko2.validate())?;
        inside("trueskill", self.trueskill.validate())
    }
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Met {
    /// The first contestant.
    pub first: String,
    /// The second contestant.
    pub second: String,
    /// Who won.
    pub outcome: Outcome,
    /// How often the comparison counts: finite, at least 0; TrueSkill needs 1. Default 1.
    #[serde(default = "one")]
    pub weight: f64,
}

fn one() -> f64 {
    1.0
}

/// Everything that is remembered.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    names: Vec<String>,
    /// Wins, losses and ties of each.
    records: Vec<[f64; 3]>,
    elo: Vec<f64>,
    players: Vec<Player>,
    skills: Vec<Skill>,
    /// Comparisons of the rating period that has not ended.
    pending: Vec<(usize, usize, Outcome, f64)>,
}

impl State {
    /// Index of `name`, if it was seen.
    fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    fn won(&mut self, winner: usize, loser: usize, weight: f64) {
        self.records[winner][0] += weight;
        self.records[loser][1] += weight;
    }
}

impl Live {
    fn index(&self, state: &mut State, name: &str) -> usize {
        if let Some(at) = state.find(name) {
            return at;
        }
        state.names.push(name.to_owned());
        state.records.push([0.0; 3]);
        match self.system {
            System::Elo => state.elo.push(self.elo.initial),
            System::Glicko2 => state.players.push(self.glicko2.newcomer()),
            System::Trueskill => state.skills.push(self.trueskill.newcomer()),
        }
        state.names.len() - 1
    }

    fn check(&self, state: &State, met: &Met) -> Result<(), MethodError> {
        if met.first == met.second || met.first.is_empty() || met.second.is_empty() {
            return Err(MethodError::domain(
                "a comparison needs two contestants with different names",
            ));
        }
        if !met.weight.is_finite() || met.weight < 0.0 {
            return Err(MethodError::domain(format!(
                "the weight is {}: it must be finite and at least 0",
                met.weight
            )));
        }
        if self.system == System::Trueskill && met.weight != 1.0 {
            return Err(MethodError::domain(
                "TrueSkill knows no weights: leave `weight` at 1 or use Elo",
            ));
        }
        if state.names.len() + 2 > MOST {
            return Err(MethodError::Budget(format!(
                "a live rating holds up to {MOST} contestants"
            )));
        }
        let held = match self.system {
            System::Elo => state.elo.len(),
            System::Glicko2 => state.players.len(),
            System::Trueskill => state.skills.len(),
        };
        MethodError::same_length(("names", state.names.len()), ("ratings of this system", held))?;
        MethodError::same_length(("names", state.names.len()), ("records", state.records.len()))
    }

    /// Values, intervals half-widths and scores of all contestants, in natural-log units.
    fn values(&self, state: &State) -> (Vec<f64>, Vec<f64>) {
        let z = guerdon_stats::dist::two_sided_z(0.95);
        match self.system {
            System::Elo => (self.elo.strengths(&state.elo), Vec::new()),
            System::Glicko2 => {
                let unit = crate::fit::POINTS_PER_NAT;
                let ratings: Vec<f64> = state.players.iter().map(|p| p.rating / unit).collect();
                (centred(ratings), state.players.iter().map(|p| z * p.deviation / unit).collect())
            }
            System::Trueskill => {
                let unit = self.trueskill.nats();
                let means: Vec<f64> = state.skills.iter().map(|s| s.mu / unit).collect();
                (centred(means), state.skills.iter().map(|s| z * s.sigma / unit).collect())
            }
        }
    }
}

fn centred(mut values: Vec<f64>) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    for value in &mut values {
        *value -= mean;
    }
    values
}

impl Online for Live {
    type State = State;
    type Event = Met;
    type Reading = Leaderboard;

    fn init(&self) -> State {
        State::default()
    }

    fn step(&self, state: &mut State, met: &Met) -> Result<(), MethodError> {
        self.check(state, met)?;
        let (a, b) = (self.index(state, &met.first), self.index(state, &met.second));
        match met.outcome {
            Outcome::Tie => {
                state.records[a][2] += met.weight;
                state.records[b][2] += met.weight;
            }
            Outcome::First => state.won(a, b, met.weight),
            Outcome::Second => state.won(b, a, met.weight),
        }
        match self.system {
            System::Elo => self.elo.update(&mut state.elo, a, b, met.outcome.points(), met.weight),
            System::Trueskill => {
                (state.skills[a], state.skills[b]) =
                    self.trueskill.after(state.skills[a], state.skills[b], met.outcome);
            }
            System::Glicko2 => {
                state.pending.push((a, b, met.outcome, met.weight));
                if state.pending.len() >= self.glicko2.period.unwrap_or(100) {
                    let games = std::mem::take(&mut state.pending);
                    self.glicko2.period(&mut state.players, &games);
                }
            }
        }
        Ok(())
    }

    fn read(&self, state: &State, _seed: u64) -> Leaderboard {
        let (values, half) = self.values(state);
        let counts = Counts::from_cells(state.names.len(), []);
        let mut draft = Draft::new(METHOD.id, &state.names, &counts, values, Scale::Strength);
        draft.intervals =
            half.iter().zip(&draft.values).map(|(h, v)| Some((v - h, v + h))).collect();
        draft.interval = (!half.is_empty()).then_some(("deviation", 0.95));
        draft.scores = Some(match self.system {
            System::Elo => state.elo.clone(),
            System::Glicko2 => state.players.iter().map(|p| p.rating).collect(),
            System::Trueskill => state.skills.iter().map(|s| s.mu).collect(),
        });
        let mut board = draft.finish();
        for rating in &mut board.ratings {
            if let Some(at) = state.find(&rating.name) {
                [rating.wins, rating.losses, rating.ties] = state.records[at];
            }
        }
        board.comparisons = state.records.iter().map(|r| r[0] + 0.5 * r[2]).sum();
        board
    }
}

guerdon_core::method! {
    Live: Online,
    id: "rank.live",
    papers: [],
    status: Verified(ClosedForm("one step at a time equals `rank.elo` and `rank.trueskill` over the file")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"first": "a", "second": "b", "outcome": "first"}"#,
        r#"{"first": "b", "second": "c", "outcome": "tie", "weight": 1.0}"#
    ],
}

#[cfg(test)]
mod tests {
    use super::{Live, Met, State, System};
    use crate::rank::{Rate as _, elo::Elo, glicko2::Glicko2, trueskill::TrueSkill};
    use crate::{Comparisons, Leaderboard, Outcome};
    use guerdon_core::method::Online as _;

    fn games() -> Vec<Met> {
        let names = ["a", "b", "c", "d"];
        let outcomes =
            [Outcome::First, Outcome::Tie, Outcome::Second, Outcome::First, Outcome::First];
        let met = |k: usize| Met {
            first: names[k % 4].into(),
            second: names[(k + 1 + k % 3) % 4].into(),
            outcome: outcomes[k % 5],
            weight: 1.0,
        };
        (0..60).map(met).collect()
    }

    fn file() -> Comparisons {
        let games = games();
        let column =
            |side: fn(&Met) -> &String| games.iter().map(|g| side(g).clone()).collect::<Vec<_>>();
        Comparisons::from_names(
            &column(|g| &g.first),
            &column(|g| &g.second),
            games.iter().map(|g| g.outcome).collect(),
        )
        .unwrap()
    }

    fn run(live: &Live, interrupted: bool) -> Leaderboard {
        let mut state = live.init();
        for (k, game) in games().iter().enumerate() {
            live.step(&mut state, game).unwrap();
            if interrupted && k == 17 {
                let saved = serde_json::to_string(&state).unwrap();
                state = serde_json::from_str::<State>(&saved).unwrap();
            }
        }
        live.read(&state, 0)
    }

    #[test]
    fn step_by_step_is_the_file_and_a_pause_changes_nothing() {
        let all = file();
        for system in [System::Elo, System::Glicko2, System::Trueskill] {
            let glicko2 = Glicko2 { period: Some(20), ..Glicko2::default() };
            let live = Live { system, glicko2: glicko2.clone(), ..Live::default() };
            let board = run(&live, false);
            assert_eq!(board, run(&live, true));
            let batch = match system {
                System::Elo => Elo::default().rate(&all, &all.counts(), 0),
                System::Glicko2 => glicko2.rate(&all, &all.counts(), 0),
                System::Trueskill => TrueSkill::default().rate(&all, &all.counts(), 0),
            }
            .unwrap();
            for rating in &board.ratings {
                let other = batch.get(&rating.name).unwrap();
                assert!((rating.score - other.score).abs() < 1e-9, "{system:?}");
                assert_eq!(
                    (rating.wins, rating.losses, rating.ties),
                    (other.wins, other.losses, other.ties)
                );
            }
            assert_eq!(board.comparisons, 60.0);
        }
    }

    #[test]
    fn bad_comparisons_are_refused() {
        let live = Live { system: System::Trueskill, ..Live::default() };
        let met = |first: &str, weight| Met {
            first: first.into(),
            second: "b".into(),
            outcome: Outcome::Tie,
            weight,
        };
        for bad in [met("b", 1.0), met("", 1.0), met("a", f64::NAN), met("a", -1.0), met("a", 2.0)]
        {
            assert!(live.step(&mut live.init(), &bad).is_err());
        }
    }
}
