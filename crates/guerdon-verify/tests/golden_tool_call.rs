//! Tool calls score as in ToolRL's reward and in the Berkeley leaderboard's checker on recorded cases of our own.

use guerdon_core::Rollout;
use guerdon_core::method::{Kind, Signal};
use guerdon_verify::METHODS;
use serde_json::{Value, json};

fn cases(preset: &str) -> Vec<Value> {
    let text = include_str!("data/tool_call.jsonl");
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.filter(|row| row["preset"] == preset).collect()
}

fn build(params: Value) -> Box<dyn Signal> {
    let method = METHODS.iter().find(|m| m.def.id == "verify.tool_call").unwrap();
    let Kind::Signal(build) = method.def.kind else { panic!("a signal") };
    build(params).unwrap()
}

fn check(signal: &dyn Signal, case: &Value, expect: &Value) {
    let mut rollout = Rollout::new("", case["completion"].as_str().unwrap(), "");
    rollout.reference = case["reference"].clone();
    rollout.columns.insert("tools".into(), case["tools"].clone());
    let own = signal.score(&rollout).unwrap().value();
    assert!((own - expect.as_f64().unwrap()).abs() < 1e-12, "{own}, not {expect}: {case}");
}

#[test]
fn toolrl_at_every_granularity() {
    for granularity in ["fine", "strict", "intermediate", "coarse"] {
        let signal = build(json!({"preset": "toolrl", "granularity": granularity}));
        for case in cases("toolrl") {
            check(signal.as_ref(), &case, &case["scores"][granularity]);
        }
    }
}

#[test]
fn the_leaderboard_with_types() {
    let signal = build(json!({"preset": "bfcl"}));
    for case in cases("bfcl") {
        check(signal.as_ref(), &case, &case["scores"]["valid"]);
    }
}
