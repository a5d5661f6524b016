//! Numbers of reference implementations, read from the shared golden files; skipped with a message where they are absent.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use guerdon_core::method::Function as _;
use guerdon_rank::fit::{self, Options, Ties};
use guerdon_rank::rank::bradley_terry::{BradleyTerry, Interval};
use guerdon_rank::rank::counting::Counting;
use guerdon_rank::rank::eigen::{Eigen, Orientation};
use guerdon_rank::rank::elo::Elo;
use guerdon_rank::rank::newman::{self, Newman};
use guerdon_rank::rank::pagerank::PageRank;
use guerdon_rank::rank::plackett_luce::{PlackettLuce, Rankings};
use guerdon_rank::rank::trueskill::{TrueSkill, Update};
use guerdon_rank::rank::win_rate::WinRate;
use guerdon_rank::rank::{Rate, elo, log_strengths};
use guerdon_rank::uncertainty::covariance::Covariance;
use guerdon_rank::{Cell, Columns, Comparisons, Counts, Leaderboard, Outcome, read};
use guerdon_stats::order::index;
use serde_json::Value;

fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(path);
    if path.exists() {
        return Some(path);
    }
    #[allow(clippy::print_stderr, reason = "a skipped test says so")]
    {
        eprintln!("skipped: {} is not here", path.display());
    }
    None
}

fn json(path: &str) -> Option<Value> {
    Some(serde_json::from_str(&fs::read_to_string(shared(path)?).unwrap()).unwrap())
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn near(what: &str, mine: &[f64], theirs: &[f64], relative: f64, absolute: f64) {
    assert_eq!(mine.len(), theirs.len(), "{what}");
    for (k, (m, t)) in mine.iter().zip(theirs).enumerate() {
        assert!((m - t).abs() <= absolute + relative * t.abs(), "{what}[{k}]: {m} is not {t}");
    }
}

/// The 20 contestants and 100,000 rows of the golden arena, as counts.
struct Arena {
    golden: Value,
    counts: Counts,
    names: Vec<String>,
}

impl Arena {
    fn read() -> Option<Self> {
        let golden = json("golden/rank/golden_m20_arena.json")?;
        let matrix =
            |key: &str| golden[key].as_array().unwrap().iter().map(numbers).collect::<Vec<_>>();
        let (wins, ties) = (matrix("win_matrix"), matrix("tie_matrix"));
        let pairs = (0..20_u32).flat_map(|a| (a + 1..20).map(move |b| (a, b)));
        let cells = pairs.map(|(a, b)| {
            let (i, j) = (a as usize, b as usize);
            Cell { a, b, wins_a: wins[i][j], wins_b: wins[j][i], ties: ties[i][j] }
        });
        let counts = Counts::from_cells(20, cells);
        Some(Self { golden, counts, names: (0..20).map(|i| format!("m{i:04}")).collect() })
    }

    /// Rows with these counts, in the order of the cells.
    fn rows(&self) -> Comparisons {
        let (mut first, mut second, mut outcome) = (vec![], vec![], vec![]);
        for cell in self.counts.cells() {
            let sides = [
                (cell.wins_a, Outcome::First),
                (cell.wins_b, Outcome::Second),
                (cell.ties, Outcome::Tie),
            ];
            for (count, o) in sides {
                for _ in 0..index(count) {
                    first.push(cell.a);
                    second.push(cell.b);
                    outcome.push(o);
                }
            }
        }
        Comparisons::new(self.names.clone(), first, second, outcome).unwrap()
    }
}

#[test]
fn every_tie_rule_has_the_reference_maximum() {
    let Some(arena) = Arena::read() else { return };
    let check = |ties, key: &str, tie_key: Option<&str>| {
        let options = Options { ties, ..Options::default() };
        let fit = fit::fit(&arena.counts, &arena.names, &options).unwrap();
        let golden = &arena.golden[key];
        near(key, &fit.theta, &numbers(&golden["theta"]), 0.0, 1e-10);
        if let Some(tie_key) = tie_key {
            near(tie_key, &[fit.tau.exp()], &[golden[tie_key].as_f64().unwrap()], 1e-10, 0.0);
            near(
                "negloglik",
                &[-fit.log_likelihood],
                &[golden["negloglik"].as_f64().unwrap()],
                1e-12,
                0.0,
            );
        } else {
            near(
                "loglik",
                &[fit.log_likelihood],
                &[golden["loglik"].as_f64().unwrap()],
                1e-12,
                0.0,
            );
            let fisher = Covariance::fisher(&arena.counts, &fit, &options).unwrap();
            let errors: Vec<f64> = (0..20).map(|i| fisher.error(i)).collect();
            near("fisher_se", &errors, &numbers(&golden["fisher_se"]), 1e-10, 0.0);
        }
    };
    check(Ties::Half, "ref_bt_half_ties", None);
    check(Ties::Drop, "ref_bt_drop_ties", None);
    check(Ties::Davidson, "ref_davidson", Some("nu"));
    check(Ties::RaoKupper, "ref_rao_kupper", Some("kappa"));
}

#[test]
fn sandwich_errors_are_the_reference_ones() {
    let Some(arena) = Arena::read() else { return };
    let (all, options) = (arena.rows(), Options::default());
    let fit = fit::fit(&arena.counts, &arena.names, &options).unwrap();
    let sandwich = Covariance::sandwich(&all, &arena.counts, &fit, &options).unwrap();
    let errors: Vec<f64> = (0..20).map(|i| sandwich.error(i)).collect();
    near(
        "sandwich_se",
        &errors,
        &numbers(&arena.golden["ref_bt_half_ties"]["sandwich_se"]),
        1e-10,
        0.0,
    );
}

#[test]
fn other_packages_agree() {
    let Some(arena) = Arena::read() else { return };
    let fit = fit::fit(&arena.counts, &arena.names, &Options::default()).unwrap();
    near(
        "choix ilsr",
        &fit.theta,
        &numbers(&arena.golden["choix"]["ilsr_pairwise_dense"]),
        0.0,
        1e-9,
    );
    let display: Vec<f64> = fit.theta.iter().map(|t| fit::rating(*t)).collect();
    // FastChat's quasi-Newton search stops a hundredth of a point away.
    near("fastchat", &display, &numbers(&arena.golden["fastchat"]["bt"]), 0.0, 0.02);
    let evalica = &arena.golden["evalica"]["bradley_terry:tolerance=1e-12,limit=10000"]["scores"];
    near("evalica", &fit.theta, &log_strengths(&numbers(evalica)).unwrap(), 0.0, 1e-9);
    let all = arena.rows();
    let by_name = |board: &Leaderboard, value: fn(&guerdon_rank::Rating) -> f64| -> Vec<f64> {
        arena.names.iter().map(|name| value(board.get(name).unwrap())).collect()
    };
    let plain = BradleyTerry::default().rate(&all, &arena.counts, 0).unwrap();
    let golden = &arena.golden["arena_rank"]["plain"];
    // arena-rank stops its search early and adds a small ridge to the curvature.
    near(
        "arena_rank",
        &by_name(&plain, |r| r.rating.unwrap()),
        &numbers(&golden["ratings"]),
        0.0,
        0.02,
    );
    near(
        "arena_rank low",
        &by_name(&plain, |r| r.low.unwrap()),
        &numbers(&golden["rating_lower"]),
        0.0,
        0.05,
    );
    near(
        "arena_rank high",
        &by_name(&plain, |r| r.high.unwrap()),
        &numbers(&golden["rating_upper"]),
        0.0,
        0.05,
    );
    let balanced = BradleyTerry { balance: Some(50.0), ..BradleyTerry::default() };
    let balanced = balanced.rate(&all, &arena.counts, 0).unwrap();
    let golden = &arena.golden["arena_rank"]["reweighted"];
    near(
        "reweighted",
        &by_name(&balanced, |r| r.rating.unwrap()),
        &numbers(&golden["ratings"]),
        0.0,
        0.02,
    );
    near(
        "reweighted low",
        &by_name(&balanced, |r| r.low.unwrap()),
        &numbers(&golden["rating_lower"]),
        0.0,
        0.1,
    );
}

/// The bootstrap of 100 rounds of a reference has Monte-Carlo error of its own: about 7 % of each standard deviation.
#[test]
fn the_bootstrap_spreads_like_the_reference() {
    let Some(arena) = Arena::read() else { return };
    let method =
        BradleyTerry { interval: Interval::Bootstrap, rounds: 1000, ..BradleyTerry::default() };
    let board = method.rate(&arena.rows(), &arena.counts, 1).unwrap();
    let sandwich = numbers(&arena.golden["ref_bt_half_ties"]["sandwich_se"]);
    let golden = numbers(&arena.golden["fastchat"]["bootstrap100"]["sd"]);
    for ((name, sd), error) in arena.names.iter().zip(golden).zip(sandwich) {
        let rating = board.get(name).unwrap();
        let spread = (rating.high.unwrap() - rating.low.unwrap()) / (2.0 * 1.96);
        assert!((spread / sd - 1.0).abs() < 0.35, "{name}: {spread} against {sd}");
        assert!((spread / (error * fit::POINTS_PER_NAT) - 1.0).abs() < 0.12, "{name}");
    }
}

#[test]
fn evalicas_other_methods_on_the_arena() {
    let Some(arena) = Arena::read() else { return };
    let golden = |key: &str| numbers(&arena.golden["evalica"][key]["scores"]);
    let exact = newman::iterate(
        &arena.counts,
        &Newman { preset: newman::Preset::Evalica, ..Newman::default() },
    )
    .unwrap();
    near("newman", &exact.scores, &golden("newman"), 1e-9, 0.0);
    assert_eq!(exact.iterations, 19);
    let settled = newman::iterate(&arena.counts, &Newman::default()).unwrap();
    near(
        "newman settled",
        &settled.scores,
        &golden("newman:tolerance=1e-12,limit=10000"),
        1e-9,
        0.0,
    );
    let all = arena.rows();
    let scores = |method: &dyn Rate| -> Vec<f64> {
        let board = method.rate(&all, &arena.counts, 0).unwrap();
        arena.names.iter().map(|name| board.get(name).unwrap().score).collect()
    };
    near("counting", &scores(&Counting::default()), &golden("counting"), 1e-12, 0.0);
    near("win rate", &scores(&WinRate::default()), &golden("average_win_rate"), 1e-12, 0.0);
    near("pagerank", &scores(&PageRank::default()), &golden("pagerank"), 0.0, 1e-6);
    let eigen =
        Eigen { orientation: Orientation::Losers, tolerance: 1e-6, limit: 100, last_iterate: true };
    near("eigen", &scores(&eigen), &golden("eigen"), 1e-9, 0.0);
}

/// Scores by algorithm and item.
fn golden_csv(path: &str) -> Option<BTreeMap<String, BTreeMap<String, f64>>> {
    let text = fs::read_to_string(shared(path)?).unwrap();
    let mut all: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let (algorithm, rest) = line.split_once(',').unwrap();
        let (item, score) = rest.rsplit_once(',').unwrap();
        let item = item.trim_matches('"').to_owned();
        all.entry(algorithm.to_owned()).or_default().insert(item, score.parse().unwrap());
    }
    Some(all)
}

fn check_csv(name: &str) {
    let Some(golden) = golden_csv(&format!("golden/rank/{name}-golden.csv")) else { return };
    let Some(path) = shared(&format!("data/preference/{name}.csv")) else { return };
    let all = read::file(&path, &Columns::default()).unwrap().into_comparisons(0.0).unwrap();
    let counts = all.counts();
    let check = |algorithm: &str, method: &dyn Rate, relative: f64, normalise: bool| {
        let board = method.rate(&all, &counts, 0).unwrap();
        let golden = &golden[algorithm];
        assert_eq!(board.ratings.len(), golden.len(), "{name} {algorithm}");
        let sum: f64 = board.ratings.iter().map(|r| r.strength.unwrap_or(0.0).exp()).sum();
        for rating in &board.ratings {
            let mine = if normalise { rating.strength.unwrap().exp() / sum } else { rating.score };
            let theirs = golden[&rating.name];
            let error = (mine - theirs).abs();
            assert!(
                error <= 1e-6 + relative * theirs.abs(),
                "{name} {algorithm} {}: {mine}, {theirs}",
                rating.name
            );
        }
    };
    check("counting", &Counting::default(), 0.0, false);
    check("average_win_rate", &WinRate::default(), 1e-12, false);
    check("elo", &elo::Elo::default(), 1e-12, false);
    check("pagerank", &PageRank::default(), 1e-6, false);
    let eigen =
        Eigen { orientation: Orientation::Losers, tolerance: 1e-6, limit: 100, last_iterate: true };
    check("eigen", &eigen, 1e-9, false);
    // evalica's own test of these two allows 1e-4, since its iteration stops early.
    let plain = BradleyTerry { interval: Interval::None, ..BradleyTerry::default() };
    check("bradley_terry", &plain, 1e-4, true);
    let newman = Newman { preset: newman::Preset::Evalica, ..Newman::default() };
    check("newman", &newman, 1e-4, false);
}

#[test]
fn evalicas_golden_files() {
    for name in ["simple", "food", "llmfao"] {
        check_csv(name);
    }
}

#[test]
fn plackett_luce_has_choixs_maximum() {
    let Some(golden) = json("golden/stats/golden_stats.json") else { return };
    let golden = &golden["plackett_luce"];
    let rankings = golden["input"]["rankings_best_first"].as_array().unwrap().iter();
    let rankings =
        rankings.map(|r| r.as_array().unwrap().iter().map(|i| format!("i{i}")).collect()).collect();
    let input = Rankings { rankings, weight: None };
    let check = |ridge: f64, key: &str| {
        let board = PlackettLuce { ridge, ..PlackettLuce::default() }.call(&input, 0).unwrap();
        let mine: Vec<f64> =
            (0..8).map(|i| board.get(&format!("i{i}")).unwrap().strength.unwrap()).collect();
        near(key, &mine, &numbers(&golden["output"][key]), 0.0, 1e-7);
        board.fit["log_likelihood"]
    };
    let value = check(0.0, "ilsr");
    near("loglik", &[value], &[golden["output"]["loglik"].as_f64().unwrap()], 1e-10, 0.0);
    check(0.0, "opt_alpha0");
    check(0.2, "opt_alpha_0_1");
}

#[test]
fn trueskill_and_openskill() {
    let Some(golden) = json("golden/stats/golden_stats.json") else { return };
    let matches =
        golden["trueskill_1v1"]["input"]["matches_x_y_outcome"].as_array().unwrap().clone();
    let check = |update: Update, output: &Value, tolerance: f64| {
        let skill = TrueSkill { update, ..TrueSkill::default() };
        let mut skills = [skill.newcomer(); 4];
        for game in matches.iter().map(numbers) {
            let (a, b) = (index(game[0]), index(game[1]));
            let outcome = [Outcome::Tie, Outcome::First, Outcome::Second][index(game[2])];
            (skills[a], skills[b]) = skill.after(skills[a], skills[b], outcome);
        }
        near("mu", &skills.map(|s| s.mu), &numbers(&output["mu"]), tolerance, 0.0);
        near("sigma", &skills.map(|s| s.sigma), &numbers(&output["sigma"]), tolerance, 0.0);
    };
    // The package's error function is good to 1.2e-7.
    check(Update::Trueskill, &golden["trueskill_1v1"]["output"], 1e-7);
    let openskill = &golden["openskill_1v1"]["output"];
    check(Update::BradleyTerry, &openskill["BradleyTerryFull"], 1e-12);
    check(Update::BradleyTerry, &openskill["PlackettLuce"], 1e-12);
    check(Update::ThurstoneMosteller, &openskill["ThurstoneMostellerFull"], 1e-8);
    check(Update::ThurstoneMostellerPartial, &openskill["ThurstoneMostellerPart"], 1e-8);
}

#[test]
fn elo_of_the_catalogue() {
    let elo = Elo { k: 4.0, ..Elo::default() };
    assert!((elo.expected(1200.0, 1000.0) - 0.7597).abs() < 5e-5);
}
