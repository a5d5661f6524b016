//! Knockout per prompt, pooled: one bracket per prompt, all matches rated together, no reference answers.
//!
//! # Formula
//!
//! ```text
//! per prompt: bracket of n seeds, n − 1 matches; the greater score wins, the first slot wins ties
//! order: champion, then by the round reached, within a round by the mean score over all matches
//! rating: Bradley–Terry with `ridge` over the matches of all prompts
//! seeding anchor: everybody first meets contestant 0; the score there is the seed value, the anchor's its mean score
//! ```
//!
//! # When to use it
//!
//! When comparisons are dear: n − 1 per prompt (2(n − 1) with anchor seeding) in place of n(n − 1)/2. Strong contestants
//! play more, and against strong ones, where win rates against a fixed anchor saturate. Random pairs of the same number do
//! about as well: the gain is over the anchor.
//!
//! # Departures
//!
//! Where the field is not a power of two the best seeds (with random seeding: random contestants) have byes. In pooled
//! ratings a match counts as won, lost or tied by its scores, although the first slot advances on a tie.
//!
//! # Example
//!
//! ```yaml
//! use: rank.single_elimination
//! seeding: random
//! ```
//!
//! ```
//! use guerdon_core::method::Function as _;
//! use guerdon_rank::rank::single_elimination::SingleElimination;
//! use guerdon_rank::tournament::duels::Duels;
//! let names = ["a", "b", "c"].map(String::from).to_vec();
//! let table = vec![vec![0.0, 1.0, 1.0], vec![0.0, 0.0, 1.0], vec![0.0, 0.0, 0.0]];
//! let out = SingleElimination::default().call(&Duels { names, tables: vec![table] }, 1)?;
//! assert_eq!((out.tournaments[0].order[0].as_str(), out.tournaments[0].matches.len()), ("a", 2));
//! # Ok::<(), guerdon_core::MethodError>(())
//! ```
//!
//! # References
//!
//! Son et al., "Varco Arena: A Tournament Approach to Reference-Free Benchmarking Large Language Models", 2024; "ArenaRL:
//! Scaling RL for Open-Ended Agents via Tournament-based Relative Ranking", 2026.

use guerdon_core::method::{Function, Params};
use guerdon_core::seed::Stream;
use guerdon_core::{MethodError, ParamError, seed};
use rand::seq::SliceRandom as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rate as _;
use super::bradley_terry::BradleyTerry;
use crate::tournament::bracket::{self, Bout};
use crate::tournament::duels::Duels;
use crate::tournament::{Match, Played};
use crate::{Comparisons, Leaderboard, Outcome};

/// Who meets whom first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Seeding {
    /// A random order for each prompt.
    #[default]
    Random,
    /// The order of the names.
    Given,
    /// By the score against contestant 0.
    Anchor,
}

/// Parameters of `rank.single_elimination`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SingleElimination {
    /// Who meets whom first. Default: random.
    pub seeding: Seeding,
    /// The tables hold probabilities and winners are drawn. Default: they hold scores and the greater wins.
    pub draw: bool,
    /// λ of the penalty (λ/2)·Σθ² of the pooled rating, greater than 0; default 0.001.
    pub ridge: f64,
}

impl Default for SingleElimination {
    fn default() -> Self {
        Self { seeding: Seeding::Random, draw: false, ridge: 1e-3 }
    }
}

impl Params for SingleElimination {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::positive("ridge", self.ridge)
    }
}

/// The tournaments of all prompts and the rating over them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Knockout {
    /// The tournament of each prompt.
    pub tournaments: Vec<Played>,
    /// The rating over all matches.
    pub board: Leaderboard,
}

impl SingleElimination {
    fn prompt(&self, duels: &Duels, prompt: usize, rng: &mut Stream) -> (Vec<usize>, Vec<Bout>) {
        let n = duels.names.len();
        let mut seeds: Vec<usize> = (0..n).collect();
        let mut bouts = Vec::new();
        match self.seeding {
            Seeding::Given => {}
            Seeding::Random => seeds.shuffle(rng),
            Seeding::Anchor => {
                for i in 1..n {
                    let scores = duels.meet(prompt, i, 0, self.draw.then_some(&mut *rng));
                    bouts.push(Bout { round: 0, first: i, second: 0, scores });
                }
                seeds = by_anchor(&bouts, n);
            }
        }
        let extra: Vec<(usize, f64)> =
            bouts.iter().flat_map(|b| [(b.first, b.scores.0), (b.second, b.scores.1)]).collect();
        let after = usize::from(!bouts.is_empty());
        let bracket =
            bracket::play(&seeds, |a, b| duels.meet(prompt, a, b, self.draw.then_some(&mut *rng)));
        let order = bracket.order(&seeds, &extra);
        bouts.extend(
            bracket.bouts.into_iter().map(|bout| Bout { round: bout.round + after, ..bout }),
        );
        (order, bouts)
    }
}

/// Seeds by the score against the anchor (contestant 0); the anchor's own value is its mean score.
fn by_anchor(bouts: &[Bout], n: usize) -> Vec<usize> {
    let mut value = vec![0.0; n];
    for bout in bouts {
        value[bout.first] = bout.scores.0;
        value[0] += bout.scores.1 / bouts.len() as f64;
    }
    crate::uncertainty::ranks::order(&value)
}

/// Bouts of several prompts as comparisons, clustered by prompt.
pub(super) fn pooled(names: &[String], bouts: &[Vec<Bout>]) -> Result<Comparisons, MethodError> {
    let (mut first, mut second, mut outcome, mut cluster) = (vec![], vec![], vec![], vec![]);
    let index = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
    for (prompt, bouts) in bouts.iter().enumerate() {
        for bout in bouts {
            first.push(index(bout.first));
            second.push(index(bout.second));
            outcome.push(match bout.scores.0.total_cmp(&bout.scores.1) {
                std::cmp::Ordering::Greater => Outcome::First,
                std::cmp::Ordering::Less => Outcome::Second,
                std::cmp::Ordering::Equal => Outcome::Tie,
            });
            cluster.push(index(prompt));
        }
    }
    Comparisons::new(names.to_vec(), first, second, outcome)?.with_clusters(cluster)
}

/// A tournament with names.
pub(super) fn played(names: &[String], order: &[usize], bouts: &[Bout]) -> Played {
    let named = |bout: &Bout| Match {
        round: bout.round,
        first: names[bout.first].clone(),
        second: names[bout.second].clone(),
        first_score: bout.scores.0,
        second_score: bout.scores.1,
    };
    Played {
        order: order.iter().map(|&i| names[i].clone()).collect(),
        matches: bouts.iter().map(named).collect(),
    }
}

impl Function for SingleElimination {
    type Input = Duels;
    type Output = Knockout;

    fn call(&self, input: &Duels, seed: u64) -> Result<Knockout, MethodError> {
        input.check(self.draw)?;
        let mut tournaments = Vec::with_capacity(input.tables.len());
        let mut all = Vec::with_capacity(input.tables.len());
        for prompt in 0..input.tables.len() {
            let mut rng = seed::stream(seed, &format!("bracket {prompt}"));
            let (order, bouts) = self.prompt(input, prompt, &mut rng);
            tournaments.push(played(&input.names, &order, &bouts));
            all.push(bouts);
        }
        let all = pooled(&input.names, &all)?;
        let method = BradleyTerry { ridge: self.ridge, ..BradleyTerry::default() };
        let board = method.rate(&all, &all.counts(), seed)?;
        Ok(Knockout { tournaments, board: Leaderboard { method: METHOD.id.into(), ..board } })
    }
}

guerdon_core::method! {
    SingleElimination: Function,
    id: "rank.single_elimination",
    papers: ["varco-arena-2024", "arenarl-2026"],
    status: Verified(Worked("8 contestants: pairs 1-8, 4-5, 2-7, 3-6, 7 matches, champion plays 3")),
    laws: [],
    exempt: [],
    samples: [
        r#"{"names": ["a", "b", "c"], "tables": [[[0, 0.8, 0.6], [0.2, 0, 0.7], [0.4, 0.3, 0]], [[0, 0.4, 0.6], [0.6, 0, 0.7], [0.4, 0.3, 0]]]}"#
    ],
}

#[cfg(test)]
mod tests {
    use super::{Seeding, SingleElimination};
    use crate::tournament::duels::Duels;
    use guerdon_core::method::Function as _;

    /// A judge whose scores are the qualities, contestant 0 the best.
    fn perfect(n: usize, prompts: usize) -> Duels {
        let row = |i: usize| vec![(n - i) as f64; n];
        Duels {
            names: (0..n).map(|i| format!("m{i}")).collect(),
            tables: vec![(0..n).map(row).collect(); prompts],
        }
    }

    #[test]
    fn eight_contestants_play_seven_matches_and_the_best_wins() {
        let out = SingleElimination::default().call(&perfect(8, 200), 3).unwrap();
        let mut second = 0;
        for tournament in &out.tournaments {
            assert_eq!((tournament.matches.len(), tournament.order[0].as_str()), (7, "m0"));
            let plays =
                tournament.matches.iter().filter(|m| m.first == "m0" || m.second == "m0").count();
            assert_eq!(plays, 3);
            second += usize::from(tournament.order[1] == "m1");
        }
        // The second best is in the other half with probability 4/7.
        assert!((second as f64 / 200.0 - 4.0 / 7.0).abs() < 0.11, "{second}");
        assert_eq!(out.board.ratings[0].name, "m0");
        assert_eq!(
            SingleElimination::default().call(&perfect(5, 1), 3).unwrap().tournaments[0]
                .matches
                .len(),
            4
        );
    }

    #[test]
    fn anchor_seeding_plays_the_standard_pairs() {
        let method = SingleElimination { seeding: Seeding::Anchor, ..SingleElimination::default() };
        let out = method.call(&perfect(8, 1), 0).unwrap();
        let tournament = &out.tournaments[0];
        assert_eq!(tournament.matches.len(), 14);
        let first: Vec<(&str, &str)> = tournament.matches[7..11]
            .iter()
            .map(|m| (m.first.as_str(), m.second.as_str()))
            .collect();
        assert_eq!(first, [("m0", "m7"), ("m3", "m4"), ("m1", "m6"), ("m2", "m5")]);
        assert_eq!(tournament.order, ["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7"]);
    }

    #[test]
    fn drawn_winners_follow_the_probabilities() {
        let table = vec![vec![0.5, 0.9], vec![0.1, 0.5]];
        let duels = Duels { names: vec!["a".into(), "b".into()], tables: vec![table; 500] };
        let method = SingleElimination { draw: true, ..SingleElimination::default() };
        let out = method.call(&duels, 1).unwrap();
        let won = out.tournaments.iter().filter(|t| t.order[0] == "a").count();
        assert!((420..480).contains(&won), "{won}");
        let wrong = Duels { tables: vec![vec![vec![0.0, 2.0], vec![0.0, 0.0]]], ..duels };
        assert!(method.call(&wrong, 1).is_err());
    }
}
