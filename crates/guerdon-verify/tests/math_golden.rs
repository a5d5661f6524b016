//! The labels of other graders' test suites, and where this engine departs from them.
#![allow(clippy::print_stderr, reason = "a test that skips says so")]

use guerdon_verify::math::{Extract, Options, Preset, Verdict, equivalent, verify};
use serde_json::Value;

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/");

/// The rows of a file of the shared folder; `None`, with a message, when it is absent.
fn rows(path: &str) -> Option<Vec<Value>> {
    let Ok(text) = std::fs::read_to_string(format!("{SHARED}{path}")) else {
        eprintln!("skipped: {path} is not here");
        return None;
    };
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap()
}

/// The places that a configuration of Math-Verify searches, in its order.
fn places(latex: bool, expr: bool, box_first: bool) -> Vec<Extract> {
    let mut places = if box_first {
        vec![Extract::Boxed, Extract::FinalAnswer]
    } else {
        vec![Extract::FinalAnswer, Extract::Boxed]
    };
    if !latex {
        places = vec![Extract::FinalAnswer];
    }
    if latex {
        places.push(Extract::LastLatex);
    }
    if expr {
        places.push(Extract::LastExpression);
    }
    places.push(Extract::Whole);
    places
}

fn math_verify_options(config: &Value, preset: Preset) -> Options {
    let kinds: Vec<&str> =
        config["extract"].as_array().unwrap().iter().map(|k| k.as_str().unwrap()).collect();
    let box_first = config["boxed_match_priority"] == 0;
    Options {
        preset,
        extract: places(kinds.contains(&"latex"), kinds.contains(&"expr"), box_first),
        strict: config["strict"].as_bool().unwrap(),
        float_rounding: u32::try_from(config["float_rounding"].as_u64().unwrap()).unwrap(),
        ..Options::default()
    }
}

fn lighteval_options(config: &Value) -> Options {
    let kinds = config["match_types"].to_string();
    let extract = if kinds.contains("NativeLetters") {
        vec![Extract::Choice]
    } else {
        places(kinds.contains("latex"), kinds.contains("expr"), true)
    };
    let precision = u32::try_from(config["precision"].as_u64().unwrap()).unwrap();
    Options { extract, float_rounding: precision, ..Options::default() }
}

/// A row whose label this engine does not follow: the file's row number, and why.
type Departure = (usize, &'static str);

/// Compares every row with its label. Rows that differ must be the departures, and the other way round.
fn check(
    rows: &[Value],
    label: &str,
    departures: &[Departure],
    options: impl Fn(&Value) -> Options,
) {
    let mut wrong = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let verdict = verify(text(row, "gold"), text(row, "pred"), &options(row));
        let agrees = verdict.is_equal() == row[label].as_bool().unwrap();
        if agrees == departures.iter().any(|(row, _)| *row == at) {
            let tail =
                |s: &str| s.chars().skip(s.chars().count().saturating_sub(160)).collect::<String>();
            let (gold, pred) = (tail(text(row, "gold")), tail(text(row, "pred")));
            wrong.push(format!("{at} {verdict:?}, label {}\n  {gold}\n  {pred}", row[label]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const CASES: [Departure; 1] =
    [(125, "1 - 1/e is not 1 + 1/e; the label is an accident of an upright e")];

#[test]
fn math_verify_cases() {
    let Some(rows) = rows("golden/math/math_verify_cases.jsonl") else { return };
    check(&rows, "expected", &CASES, |row| math_verify_options(&row["config"], Preset::Guerdon));
}

#[test]
fn lighteval_cases() {
    let Some(rows) = rows("golden/math/lighteval_cases.jsonl") else { return };
    check(&rows, "expected", &[], |row| lighteval_options(&row["config"]));
}

/// Math-Verify's verdicts that are no labels: what it says on inputs chosen to find its edges.
const PROBES: [Departure; 14] = [
    (13, "1.0e5 is 100000 in scientific notation"),
    (14, "1e5 is 100000 in scientific notation"),
    (
        16,
        "1/2^99 is not 1/2^98: small numbers are compared by their share, not by absolute rounding",
    ),
    (29, "]1,2[ is the open interval (1,2)"),
    (30, "the reals without 1 are x != 1, whichever side is the reference"),
    (45, "1 < x < 2 read from right to left"),
    (46, "two inequalities are the chain that they form"),
    (59, "0.333... is 1/3"),
    (60, "101 in base two is 5"),
    (61, "101 in base two is not one hundred and one"),
    (70, "a decimal comma between dollars is a decimal comma"),
    (73, "the last statement counts, and that is the box"),
    (81, "limits are compared as they are written, not evaluated"),
    (82, "x^x is e^(x ln x) where both are real"),
];

#[test]
fn probes() {
    let Some(rows) = rows("golden/math/math_verify_probes.jsonl") else { return };
    check(&rows, "math_verify_says", &PROBES, |_| Options::default());
}

/// What the preset does not reproduce.
const NOT_REPRODUCED: [Departure; 3] = [
    (29, "]1,2[ cannot be read there; here it is an interval under every preset"),
    (81, "limits are not evaluated"),
    (82, "SymPy does not find x^x = e^(x ln x)"),
];

#[test]
fn the_preset_says_what_math_verify_says() {
    let Some(rows) = rows("golden/math/math_verify_probes.jsonl") else { return };
    let options = Options { preset: Preset::MathVerify, ..Options::default() };
    check(&rows, "math_verify_says", &NOT_REPRODUCED, |_| options.clone());
}

#[test]
fn recorded_completions() {
    let Some(rows) = rows("data/math/math_cot_800_pairs.jsonl") else { return };
    let options = Options::default();
    let mut differing = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let verdict = verify(text(row, "gold"), text(row, "completion"), &options);
        if verdict.is_equal() != row["math_verify_says"].as_bool().unwrap() {
            eprintln!("{at} {verdict:?} {} {}", row["gold"], row["qwen_extracted"]);
            differing.push(at);
        }
        assert!(
            !matches!(verdict, Verdict::Budget(_) | Verdict::BadReference(_)),
            "{at} {verdict:?}"
        );
    }
    // Math-Verify cannot read `4:30 p.m.`; both completions give exactly that time.
    assert_eq!(differing, [8, 9]);
}

/// Every reference of the problem sets equals itself, alone and in a box.
#[test]
fn references_equal_themselves() {
    let options = Options::default();
    for (file, key) in [
        ("aime24", "answer"),
        ("amc23", "answer"),
        ("college_math", "answer"),
        ("gaokao2023en", "answer"),
        ("gsm8k", "answer"),
        ("minerva_math", "solution"),
        ("olympiadbench", "final_answer"),
        ("sat_math", "Answer"),
        ("svamp", "Answer"),
    ] {
        let Some(rows) = rows(&format!("data/math/{file}_test.jsonl")) else { return };
        for (at, row) in rows.iter().enumerate() {
            let answer = match &row[key] {
                Value::String(s) => s.clone(),
                Value::Array(parts) => {
                    parts.iter().map(|p| p.as_str().unwrap()).collect::<Vec<_>>().join(", ")
                }
                other => other.to_string(),
            };
            if answer.is_empty() {
                assert!(matches!(equivalent("", "1", &options), Verdict::BadReference(_)));
                continue;
            }
            assert_eq!(
                equivalent(&answer, &answer, &options),
                Verdict::Equal,
                "{file} {at} {answer}"
            );
            let whole = Options {
                extract: vec![Extract::Boxed, Extract::FinalAnswer, Extract::Whole],
                ..options.clone()
            };
            let verdict = verify(&answer, &answer, &whole);
            assert_eq!(verdict, Verdict::Equal, "{file} {at} {answer}");
            if !answer.contains("boxed") && !answer.contains("####") {
                let verdict =
                    verify(&answer, &format!("So it is $\\boxed{{{answer}}}$."), &options);
                assert_eq!(verdict, Verdict::Equal, "{file} {at} {answer}");
            }
        }
    }
}

/// The Qwen preset extracts and judges as the recorded run of its original did.
#[test]
fn qwen_scores() {
    let Some(rows) = rows("data/math/math_cot_800_pairs.jsonl") else { return };
    let options = Options { preset: Preset::Qwen, ..Options::default() };
    for (at, row) in rows.iter().enumerate() {
        let verdict = verify(text(row, "gold"), text(row, "completion"), &options);
        let same = verdict.is_equal() == row["qwen_score"].as_bool().unwrap();
        assert!(same, "{at} {verdict:?} {} {}", row["gold"], row["qwen_extracted"]);
    }
}
