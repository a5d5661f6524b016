//! Exact comparison with reference implementations, on the shared golden files where they are present.

use guerdon_core::method::{Candidates, Selector};
use guerdon_select::select::best_of_n::BestOfN;
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
