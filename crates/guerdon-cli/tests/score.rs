//! `guerdon score` as a user meets it.

mod support;

use serde_json::{Value, json};
use support::{Folder, RECORDED, recorded};

const MATH: &str = "\
rollouts: {completion: completion, reference: gold}
signals:
  correct: {use: verify.math}
  tagged: {use: verify.format, require: [think, answer]}
reward:
  - {use: shape.combine, weights: {correct: 1.0, tagged: 0.1}}
advantage: {use: advantage.grpo, preset: verl}
";

fn math_rows() -> String {
    let row = |group: &str, completion: &str, gold: Value| {
        json!({"group": group, "completion": completion, "gold": gold}).to_string() + "\n"
    };
    row("a", "<think>t</think><answer>$\\boxed{\\frac12}$</answer>", json!("0.5"))
        + &row("a", "\\boxed{3}", json!("0.5"))
        + &row("b", "<think>t</think><answer>4</answer>", json!(4))
        + &row("b", "4", json!(null))
}

#[test]
fn rows_hold_signals_errors_reward_and_advantage() {
    let folder = Folder::new();
    folder.write("s.yaml", MATH).write("r.jsonl", math_rows());
    folder.run("score s.yaml r.jsonl -o out.jsonl").ok().says(&[
        "4 rollouts, 2 groups",
        "1 (missing)",
        "wrote out.jsonl",
    ]);
    let rows = folder.rows("out.jsonl");
    assert_eq!(rows[0]["signals"], json!({"correct": 1.0, "tagged": 1.0}));
    assert_eq!(rows[0]["reward"], json!(1.1));
    assert_eq!(rows[1]["reward"], json!(0.0));
    // (1.1 − 0.55) / (0.7778 + 1e-6), from verl's formula with the sample's standard deviation.
    assert!((rows[0]["advantage"].as_f64().unwrap() - 0.707_105_9).abs() < 1e-6);
    assert_eq!(rows[3]["signals"]["correct"], Value::Null);
    assert!(rows[3]["errors"]["correct"].as_str().unwrap().starts_with("missing: "));
    assert_eq!((&rows[3]["reward"], &rows[3]["advantage"]), (&Value::Null, &Value::Null));
}

#[test]
fn on_error_decides_what_an_unscored_rollout_becomes() {
    for (on_error, expect) in [
        ("null", json!(null)),
        ("\"null\"", json!(null)),
        ("-1", json!(-1.0)),
        ("0.25", json!(0.25)),
    ] {
        let folder = Folder::new();
        folder.write(
            "s.yaml",
            format!("signals: {{r: {{use: verify.column, column: r, on_error: {on_error}}}}}"),
        );
        folder.write("r.jsonl", "{\"r\": 1}\n{\"r\": null}\n");
        folder.run("score s.yaml r.jsonl -o o.jsonl").ok();
        let row = &folder.rows("o.jsonl")[1];
        assert_eq!(row["signals"]["r"], expect, "{on_error}");
        assert!(row["errors"]["r"].is_string());
    }
    let folder = Folder::new();
    folder.write("s.yaml", "signals: {r: {use: verify.column, column: r, on_error: fail}}");
    folder.write("r.jsonl", "{\"r\": 1}\n{\"r\": null, \"id\": \"seven\"}\n");
    folder
        .run("score s.yaml r.jsonl -o o.jsonl")
        .fails(2, &["signal `r` could not score rollout seven", "null"]);
    assert!(!folder.has("o.jsonl"));
}

#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let folder = Folder::new();
    folder.write("s.yaml", RECORDED).write("r.jsonl", recorded(2_000, 8));
    folder.run("score s.yaml r.jsonl -o one.jsonl --threads 1 --report one.html").ok();
    folder.run("score s.yaml r.jsonl -o four.jsonl --threads 4 --report four.html").ok();
    assert_eq!(folder.read("one.jsonl"), folder.read("four.jsonl"));
    assert_eq!(folder.read("one.html"), folder.read("four.html"));
}

#[test]
fn keep_carries_the_input_along() {
    let folder = Folder::new();
    folder
        .write("s.yaml", RECORDED)
        .write("r.jsonl", "{\"r\": 1, \"reward\": \"old\", \"note\": [1]}\n");
    folder.run("score s.yaml r.jsonl -o o.jsonl --keep").ok();
    let row = &folder.rows("o.jsonl")[0];
    assert_eq!(
        (&row["note"], &row["input_reward"], &row["reward"]),
        (&json!([1]), &json!("old"), &json!(1.0))
    );
}

#[test]
fn formats_in_and_out_agree() {
    let folder = Folder::new();
    folder.write("s.yaml", RECORDED).write("r.jsonl", recorded(20, 4));
    for name in ["o.jsonl", "o.jsonl.gz", "o.jsonl.zst", "o.parquet"] {
        folder.run(&format!("score s.yaml r.jsonl -o {name} --keep")).ok();
        folder.write("again.yaml", "signals: {r: {use: verify.column, column: reward}, a: {use: verify.column, column: advantage}}");
        let said = folder.run(&format!("score again.yaml {name} --output-format json")).ok().out;
        let summary: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(
            (&summary["rollouts"], &summary["signals"][0]["scored"]),
            (&json!(80), &json!(80)),
            "{name}"
        );
    }
}

#[test]
fn a_stream_in_and_out() {
    use std::io::Write as _;
    use std::process::Stdio;
    let folder = Folder::new();
    folder.write("s.yaml", RECORDED);
    let mut child = folder
        .command("score s.yaml - -o -")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(recorded(3, 2).as_bytes()).unwrap();
    let ran = support::Ran::from(child.wait_with_output().unwrap()).ok();
    assert_eq!(ran.out.lines().count(), 6);
    assert!(ran.err.contains("6 rollouts, 3 groups"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::Stdio;
    let folder = Folder::new();
    folder.write("s.yaml", RECORDED).write("r.jsonl", recorded(5_000, 8));
    let mut child = folder
        .command("score s.yaml r.jsonl -o -")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ran = support::Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

#[test]
fn scattered_groups_are_named_and_gathered_when_asked() {
    let folder = Folder::new();
    let row = |g: &str, r: f64| json!({"group": g, "r": r}).to_string() + "\n";
    folder
        .write("s.yaml", RECORDED)
        .write("r.jsonl", row("a", 1.0) + &row("b", 1.0) + &row("a", 0.0) + &row("b", 0.0));
    folder.run("score s.yaml r.jsonl -o o.jsonl").fails(2, &["--group-scan", "`a`"]);
    assert!(!folder.has("o.jsonl"));
    folder.run("score s.yaml r.jsonl -o o.jsonl --group-scan").ok().says(&["4 rollouts, 2 groups"]);
    let advantages: Vec<f64> =
        folder.rows("o.jsonl").iter().map(|r| r["advantage"].as_f64().unwrap()).collect();
    assert!(
        advantages[0] > 0.7 && advantages[1] < -0.7 && advantages[0] == -advantages[1],
        "{advantages:?}"
    );
}

#[test]
fn bad_rows_stop_the_run_or_are_counted() {
    let cases: [(&[u8], &str); 5] = [
        (b"{\"r\": 1", "broken JSON"),
        (b"{\"r\": NaN}", "NaN is not JSON"),
        (b"[1]", "the row is a list"),
        (b"{\"r\": 1, \"completion\": \"\xff\"}", "invalid UTF-8"),
        (b"{\"r\": 1, \"completion\": 3}", "`completion`"),
    ];
    for (bad, words) in cases {
        let folder = Folder::new();
        let text =
            [b"{\"r\": 1, \"completion\": \"x\"}\n", bad, b"\n{\"r\": 2, \"completion\": \"y\"}\n"]
                .concat();
        folder
            .write("s.yaml", "signals: {r: {use: verify.column, column: r}, n: verify.length}")
            .write("r.jsonl", text);
        folder.run("score s.yaml r.jsonl -o o.jsonl").fails(2, &["r.jsonl:2", words]);
        assert!(!folder.has("o.jsonl"));
        folder
            .run("score s.yaml r.jsonl -o o.jsonl --on-bad-row skip")
            .ok()
            .says(&["2 rollouts", "left out 1 rows"]);
    }
}

#[test]
fn inputs_and_outputs_that_are_not_there() {
    let folder = Folder::new();
    folder.write("s.yaml", RECORDED).write("r.jsonl", recorded(1, 2)).write("empty.jsonl", "");
    folder.run("score s.yaml none.jsonl").fails(2, &["none.jsonl"]);
    folder.run("score none.yaml r.jsonl").fails(2, &["none.yaml", "cannot read the spec"]);
    folder.run("score s.yaml empty.jsonl").fails(2, &["empty.jsonl"]);
    folder.run("score s.yaml r.jsonl -o none/o.jsonl").fails(2, &["none/o.jsonl"]);
    if std::path::Path::new("/dev/full").exists() {
        folder.run("score s.yaml r.jsonl -o /dev/full").fails(2, &["/dev/full"]);
    }
}

#[test]
fn a_group_of_one_has_the_advantage_of_its_preset() {
    let folder = Folder::new();
    folder.write("s.yaml", RECORDED).write("r.jsonl", "{\"r\": 0.5, \"group\": \"x\"}\n");
    folder.run("score s.yaml r.jsonl -o o.jsonl").ok();
    // verl leaves a lone rollout its reward: mean 0, standard deviation 1.
    assert!((folder.rows("o.jsonl")[0]["advantage"].as_f64().unwrap() - 0.5).abs() < 1e-6);
}

#[test]
fn monitors_warn_and_strict_fails() {
    let folder = Folder::new();
    folder.write(
        "s.yaml",
        format!("{RECORDED}monitors: {{mean: {{max: 1}}, duplicates: {{max: 0}}}}\n"),
    );
    folder.write("r.jsonl", recorded(10, 4));
    folder
        .run("score s.yaml r.jsonl")
        .ok()
        .says(&["warning: mean of reward is", "above the greatest value 1"]);
    assert_eq!(folder.run("score s.yaml r.jsonl --strict").code, Some(1));
}

#[test]
fn drift_is_measured_against_an_earlier_summary() {
    let folder = Folder::new();
    folder.write("old.yaml", RECORDED).write("r.jsonl", recorded(10, 4));
    let summary = folder.run("score old.yaml r.jsonl --output-format json").ok().out;
    folder.write("before.json", summary);
    folder.write(
        "s.yaml",
        format!("{RECORDED}monitors: {{drift: {{against: before.json, max: 0.1}}}}\n"),
    );
    assert_eq!(folder.run("score s.yaml r.jsonl --strict").code, Some(0));
    folder.write("r.jsonl", recorded(10, 4).replace("\"r\": ", "\"r\": 9"));
    assert_eq!(folder.run("score s.yaml r.jsonl --strict").code, Some(1));
}

#[test]
fn a_method_that_looks_at_the_whole_input_says_when_it_cannot() {
    let folder = Folder::new();
    folder.write("s.yaml", "signals: {r: {use: verify.column, column: r}}\nadvantage: {use: advantage.grpo, scale: batch}\n");
    folder.write("r.jsonl", recorded(10, 8));
    folder.run("score s.yaml r.jsonl -o o.jsonl").ok();
    folder.write("r.jsonl", recorded(9_000, 8));
    folder.run("score s.yaml r.jsonl -o p.jsonl").fails(2, &["advantage.grpo", "batch: 512"]);
}

#[test]
fn contributions_are_those_of_the_weights_at_work() {
    let folder = Folder::new();
    folder.write(
        "s.yaml",
        "batch: 2\nsignals: {a: {use: verify.column, column: a}, b: {use: verify.column, column: b}}\n\
         reward: {use: shape.combine, weights: {a: {from: 0, to: 1, steps: 2}, b: 1}}\n",
    );
    folder.write(
        "r.jsonl",
        "{\"a\": 1, \"b\": 2, \"group\": 1}\n".repeat(2)
            + &"{\"a\": 1, \"b\": 2, \"group\": 2}\n".repeat(2),
    );
    folder.run("score s.yaml r.jsonl -o o.jsonl").ok();
    for row in folder.rows("o.jsonl") {
        let parts = row["contributions"].as_object().unwrap();
        let sum: f64 = parts.values().filter_map(Value::as_f64).sum();
        assert!((sum - row["reward"].as_f64().unwrap()).abs() < 1e-12, "{row}");
    }
}
