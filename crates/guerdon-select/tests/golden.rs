//! Exact comparison with reference implementations, on the shared golden files where they are present.

use guerdon_core::method::{Candidates, Selector};
use guerdon_select::ballot::{count, tally};
use guerdon_select::select::adaptive_vote::{AdaptiveVote, Rule as Stop, beta_confidence};
use guerdon_select::select::best_of_n::BestOfN;
use guerdon_select::select::rpc::{Rpc, pruned, weights};
use guerdon_select::select::test_matrix::{Rule, TestMatrix, groups};
use guerdon_select::select::vote::Vote;
use guerdon_select::weight::Source;
use serde_json::Value;

/// A golden file; `None`, with a message, when it is absent.
#[allow(clippy::print_stderr, reason = "a test says what it skips")]
fn golden(name: &str) -> Option<Value> {
    let path = format!("{}/../../../shared/golden/search/{name}", env!("CARGO_MANIFEST_DIR"));
    let text =
        std::fs::read_to_string(&path).map_err(|e| eprintln!("skipped: {path}: {e}")).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

fn strings(value: &Value) -> Vec<Option<String>> {
    value.as_array().unwrap().iter().map(|v| Some(v.as_str().unwrap().to_owned())).collect()
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn process_reward_votes() {
    let Some(cases) = golden("prm_vote_cases.json") else { return };
    let vote = |weight| Box::new(Vote { weight, ..Vote::default() }) as Box<dyn Selector>;
    let best = |score| Box::new(BestOfN { score, ..BestOfN::default() }) as Box<dyn Selector>;
    let rules = [
        ("majority_vote", vote(Source::Uniform)),
        ("prm_min_vote", vote(Source::StepsMin)),
        ("prm_last_vote", vote(Source::StepsLast)),
        ("prm_avg_vote", vote(Source::StepsMean)),
        ("prm_min_max", best(Source::StepsMin)),
        ("prm_last_max", best(Source::StepsLast)),
        ("prm_avg_max", best(Source::StepsMean)),
    ];
    let mut run = 0;
    for case in cases.as_array().unwrap() {
        let candidates = Candidates {
            answers: strings(&case["answers"]),
            step_scores: case["scores"].as_array().unwrap().iter().map(floats).collect(),
            ..Candidates::default()
        };
        for (name, rule) in &rules {
            let index = rule.select(&candidates, 0).unwrap().index;
            assert_eq!(
                candidates.answers[index].as_deref(),
                case["out"][name].as_str(),
                "{name}: {case}"
            );
            run += 1;
        }
    }
    assert_eq!(run, 210 * 7);
}

#[test]
fn probability_weighted_consistency() {
    let Some(cases) = golden("rpc_cases.json") else { return };
    let (mut run, mut same) = (0, 0);
    for case in cases.as_array().unwrap() {
        let (answers, logprobs) = (strings(&case["answers"]), floats(&case["mean_logprob"]));
        let p: Vec<f64> = logprobs.iter().map(|l| l.exp()).collect();
        let expect: Vec<usize> = case["pruned"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| usize::try_from(v.as_u64().unwrap()).unwrap())
            .collect();
        let own = pruned(&p, 500);
        same += usize::from(own == expect);
        // Weights are compared on the reference's pruned set, so that the sums are exact whatever the fit.
        let texts = strings(&case["completions"]);
        let weight = |i: usize| {
            let repeated = (0..i).any(|j| {
                texts[j] == texts[i]
                    && logprobs[j] == logprobs[i]
                    && answers[j] == answers[i]
                    && !expect.contains(&j)
            });
            Some(if expect.contains(&i) || repeated { 0.0 } else { p[i] })
        };
        let classes = count(&answers, &(0..p.len()).map(weight).collect::<Vec<_>>());
        let total: f64 = classes.iter().map(|c| c.weight).sum();
        for pair in case["out"]["rpc"]["answers"].as_array().unwrap() {
            let (key, share) = (pair[0].as_str().unwrap(), pair[1].as_f64().unwrap());
            let got = classes.iter().find(|c| c.key == key).map_or(0.0, |c| c.weight / total);
            assert!((got - share).abs() < 1e-9, "{key}: {got} is not {share} in {case}");
            run += 1;
        }
        // The winner of our own fit is the reference's.
        let keyed: Vec<Option<f64>> =
            weights(&logprobs, &Rpc::default()).into_iter().map(Some).collect();
        let best = case["out"]["rpc"]["answers"]
            .as_array()
            .unwrap()
            .iter()
            .max_by(|a, b| a[1].as_f64().partial_cmp(&b[1].as_f64()).unwrap());
        assert_eq!(tally(&count(&answers, &keyed))[0].0, best.unwrap()[0].as_str().unwrap());
    }
    assert!(run >= 60 && same >= 21, "{run} weights, {same} pruned sets");
}

#[test]
fn stop_rules() {
    let Some(file) = golden("adaptive_consistency.json") else { return };
    let mut run = 0;
    for case in file["beta"].as_array().unwrap() {
        let (a, b) = (case[0].as_u64().unwrap(), case[1].as_u64().unwrap());
        assert!((beta_confidence(a, b) - case[3].as_f64().unwrap()).abs() < 1e-10);
        run += 1;
    }
    let of = |rule| AdaptiveVote { rule, ..AdaptiveVote::default() };
    for case in file["dirichlet"].as_array().unwrap() {
        let counts: Vec<u64> =
            case[0].as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect();
        let got = of(Stop::Dirichlet).value(&counts).unwrap();
        assert!((got - case[1].as_f64().unwrap()).abs() < 1e-6, "{counts:?}: {got} against {case}");
        run += 1;
    }
    for (name, rule) in [("entropy", Stop::Entropy), ("majority", Stop::Majority)] {
        for case in file[name].as_array().unwrap() {
            let text = case[0].as_str().unwrap();
            let counts: Vec<u64> =
                ('a'..='e').map(|c| text.chars().filter(|t| *t == c).count() as u64).collect();
            let got = of(rule).value(&counts).unwrap_or(-1.0);
            assert!((got - case[1].as_f64().unwrap()).abs() < 1e-12, "{name} {text}: {got}");
            run += 1;
        }
    }
    assert_eq!(run, 460 + 21 + 14);
}

/// The recorded matrices: rows of passes, multiplicities of solutions and of tests, by task.
#[allow(clippy::print_stderr, reason = "a test says what it skips")]
fn matrices() -> Option<Vec<Value>> {
    let path = format!(
        "{}/../../../shared/data/search/codet_humaneval_codegen16b_matrices.jsonl",
        env!("CARGO_MANIFEST_DIR")
    );
    let text =
        std::fs::read_to_string(&path).map_err(|e| eprintln!("skipped: {path}: {e}")).ok()?;
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn generated_tests() {
    let (Some(file), Some(tasks)) = (golden("codet_b4_humaneval_codegen16b.json"), matrices())
    else {
        return;
    };
    let rules = [
        ("MaxPass", Rule::MaxPass, 0.0),
        ("MBR_exec", Rule::Mbr, 0.0),
        ("CodeT", Rule::Codet, 0.0),
        ("B4(beta0=10000,alpha=1e3)", Rule::B4, 1e4),
        ("B4(beta0=100000,alpha=1e3)", Rule::B4, 1e5),
        ("B4(beta0=1e+06,alpha=1e3)", Rule::B4, 1e6),
    ];
    let (mut run, mut multiple) = (0, 0);
    for task in &tasks {
        let name = task["task_id"].as_str().unwrap();
        let all = task["rows"].as_array().unwrap();
        let alive: Vec<usize> = (0..all.len()).filter(|&i| !all[i].is_null()).collect();
        let row =
            |i: &usize| all[*i].as_str().unwrap().bytes().map(|b| b == b'1').collect::<Vec<_>>();
        let rows: Vec<Vec<bool>> = alive.iter().map(row).collect();
        let counts = |key: &str, of: &[usize]| -> Vec<u32> {
            of.iter().map(|&i| u32::try_from(task[key][i].as_u64().unwrap()).unwrap()).collect()
        };
        if let Some(expect) = file["b4_per_task"].get(name) {
            for (key, rule, beta0) in rules {
                let params =
                    TestMatrix { rule, beta0: f64::max(beta0, 1.0), ..TestMatrix::default() };
                let ranked = groups(&rows, &[], &[], &params).unwrap();
                let got = ranked[0].score;
                let want = expect[key][1].as_f64().unwrap();
                assert!(
                    (got - want).abs() < 1e-6 * want.abs().max(1.0),
                    "{name} {key}: {got} is not {want}"
                );
                let tied =
                    ranked.iter().filter(|g| (g.score - got).abs() <= 1e-9 * got.abs().max(1.0));
                let mut members: Vec<u64> =
                    tied.flat_map(|g| &g.members).map(|&m| alive[m] as u64).collect();
                members.sort_unstable();
                let ids: Vec<u64> = expect[key][0]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|v| v.as_u64().unwrap())
                    .collect();
                // The reference merges groups of equal score, except where it stops at the first.
                let first: Vec<u64> = ranked[0].members.iter().map(|&m| alive[m] as u64).collect();
                assert!(
                    members == ids || first == ids,
                    "{name} {key}: {members:?} are not {ids:?}"
                );
                run += 1;
            }
        }
        if let Some(expect) = file["codet_top_groups"].get(name) {
            let tests: Vec<usize> = (0..rows[0].len()).collect();
            let params = TestMatrix { rule: Rule::Codet, ..TestMatrix::default() };
            let ranked =
                groups(&rows, &counts("freq", &alive), &counts("test_freq", &tests), &params)
                    .unwrap();
            let want = expect[0][2].as_f64().unwrap();
            assert!(
                (ranked[0].score - want).abs() < 1e-6 * want.max(1.0),
                "{name}: {} is not {want}",
                ranked[0].score
            );
            multiple += 1;
        }
    }
    assert_eq!((run, multiple), (114 * 6, 146));
}
