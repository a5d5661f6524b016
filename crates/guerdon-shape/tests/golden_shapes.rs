//! The length penalties and truncation rules of trainers, against values made by the trainers' own code.

use guerdon_core::method::Kind;
use guerdon_core::{Column, Frame, Groups, View};
use serde_json::{Value, json};

const CASES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/golden/advantages/cases.json");

/// The golden cases, or nothing (with a message) where they are not there.
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn cases() -> Option<Vec<Value>> {
    let Ok(text) = std::fs::read_to_string(CASES) else {
        eprintln!("skipped: {CASES} is not there");
        return None;
    };
    let file: Value = serde_json::from_str(&text).unwrap();
    Some(file["cases"].as_array().unwrap().clone())
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// What the method makes of `rewards` with these other columns.
fn shape(id: &str, params: Value, rewards: &[f64], columns: &[(&str, Vec<f64>)]) -> Vec<f64> {
    let method = guerdon_shape::METHODS.iter().find(|m| m.id == id).unwrap();
    let Kind::Transform(build) = method.kind else { panic!("{id} is no transform") };
    let mut frame = Frame::new(Groups::one(rewards.len()));
    for (name, values) in columns {
        frame.insert(name, Column::full(values.clone())).unwrap();
    }
    let current = Column::full(rewards.to_vec());
    let view = View { frame: &frame, current: Some(&current), seed: 0 };
    build(params).unwrap().apply(&view).unwrap().iter().map(|v| v.unwrap()).collect()
}

fn check(name: &str, own: &[f64], expect: &[f64]) {
    assert_eq!(own.len(), expect.len(), "{name}");
    let worst = own.iter().zip(expect).map(|(a, e)| (a - e).abs()).fold(0.0, f64::max);
    assert!(worst < 1e-6, "{name}: {own:?}, not {expect:?}");
}

#[test]
fn overlong_penalties() {
    let Some(cases) = cases() else { return };
    let mut seen = 0;
    for case in cases.iter().filter(|c| c["name"].as_str().unwrap().starts_with("dapo_overlong.")) {
        let given = &case["params"];
        let pick = |names: &[&str]| {
            names.iter().find_map(|n| given.get(*n)).cloned().unwrap_or(json!(1.0))
        };
        let params = json!({
            "preset": case["library"],
            "max": pick(&["max_resp_len", "max_completion_len", "max_new_tokens"]),
            "buffer": pick(&["buffer_len", "soft_punish_cache", "overlong_buffer_len"]),
            "factor": pick(&["penalty_factor", "overlong_penalty_factor"]),
        });
        let lengths = numbers(&case["inputs"]["lengths"]);
        let own = shape(
            "shape.length_penalty",
            params,
            &vec![0.0; lengths.len()],
            &[("length", lengths)],
        );
        check(case["name"].as_str().unwrap(), &own, &numbers(&case["outputs"]["penalty"]));
        seen += 1;
    }
    assert_eq!(seen, 3, "verl, TRL and OpenRLHF");
}

#[test]
fn truncated_answers() {
    let Some(cases) = cases() else { return };
    let mut seen = 0;
    for case in cases.iter().filter(|c| c["function"] == "apply_stop_properly_penalty") {
        let coefficient = case["params"]["coef"].as_f64().unwrap();
        let then = if coefficient < 0.0 {
            json!({"value": coefficient})
        } else {
            json!({"scale": coefficient})
        };
        let params = json!({"when": "truncated", "then": then, "otherwise": {}});
        let truncated = numbers(&case["inputs"]["truncated"]);
        let own = shape(
            "shape.gate",
            params,
            &numbers(&case["inputs"]["rewards"]),
            &[("truncated", truncated)],
        );
        check(case["name"].as_str().unwrap(), &own, &numbers(&case["outputs"]["rewards"]));
        seen += 1;
    }
    assert_eq!(seen, 2);
}

#[test]
fn the_cosine_of_ms_swift() {
    let Some(cases) = cases() else { return };
    let case = cases.iter().find(|c| c["name"] == "cosine.ms_swift").expect("the cosine's case");
    let given = &case["params"];
    let corners = json!({
        "correct_short": given["min_len_value_correct"], "correct_long": given["max_len_value_correct"],
        "wrong_short": given["min_len_value_wrong"], "wrong_long": given["max_len_value_wrong"], "exceeded": null,
    });
    let params = json!({"preset": "ms_swift", "max": given["max_len"], "corners": corners});
    let lengths = numbers(&case["inputs"]["lengths"]);
    for (outcome, reward) in [("correct", 1.0), ("wrong", 0.0)] {
        let rewards = vec![reward; lengths.len()];
        let own =
            shape("shape.length_penalty", params.clone(), &rewards, &[("length", lengths.clone())]);
        check(outcome, &own, &numbers(&case["outputs"][outcome]));
    }
}

/// The penalty per token that verl adds, β times the log-ratio of reference and policy, as a combination of values per token.
#[test]
fn the_penalty_per_token_of_verl() {
    let Some(cases) = cases() else { return };
    let case = cases
        .iter()
        .find(|c| c["name"] == "verl.compute_rewards.f64")
        .expect("verl's token rewards");
    let beta = case["params"]["kl_ratio"].as_f64().unwrap();
    let tokens = |name: &str| numbers(&case["inputs"][name][0]);
    let mut frame = Frame::new(Groups::one(1));
    for (name, key) in [
        ("score", "token_level_scores"),
        ("logprobs", "old_log_prob"),
        ("ref_logprobs", "ref_log_prob"),
    ] {
        let mut column = Column::full(vec![0.0]);
        let values = tokens(key);
        column.fine =
            Some(guerdon_core::Fine::from_rows(guerdon_core::Level::Token, [values.as_slice()]));
        frame.insert(name, column).unwrap();
    }
    let method = guerdon_shape::METHODS.iter().find(|m| m.id == "shape.combine").unwrap();
    let Kind::Transform(build) = method.kind else { panic!("shape.combine is no transform") };
    let mut combine =
        build(json!({"weights": {"score": 1, "logprobs": -beta, "ref_logprobs": beta}})).unwrap();
    let own = combine.apply(&View { frame: &frame, current: None, seed: 0 }).unwrap();
    check("tokens", own.fine.unwrap().row(0), &numbers(&case["outputs"]["token_level_rewards"][0]));
}
