//! Replies are read as their graders read them, and expected grades equal the recorded ones.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use guerdon_core::method::{Function, Preference};
use guerdon_judge::grader::{Grader, repaired};
use guerdon_judge::judge::pairwise::merge;
use guerdon_judge::judge::pointwise::expect;
use guerdon_judge::judge::verdict_parse::{Input, VerdictParse};
use serde_json::Value;

#[expect(clippy::print_stderr, reason = "a skipped comparison says so")]
fn shared(path: &str) -> Option<PathBuf> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(path);
    if !shared.exists() {
        eprintln!("skipped: no {}", shared.display());
        return None;
    }
    Some(shared)
}

fn text(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap();
    if path.extension().is_none_or(|e| e != "gz") {
        return String::from_utf8(bytes).unwrap();
    }
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
    text
}

fn lines(path: &Path) -> Vec<Value> {
    text(path).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn list(path: &str) -> Vec<Value> {
    let Some(path) = shared(path) else { return Vec::new() };
    serde_json::from_str(&text(&path)).unwrap()
}

fn label(grader: Grader, reply: &str) -> Option<String> {
    VerdictParse { grader }.call(&Input::of(reply), 0).unwrap().label
}

#[test]
fn arena_hard_replies() {
    let Some(folder) = shared("golden/judge/judge_verdict_parse") else { return };
    let mut read = 0;
    for file in ["haiku_on_claude.jsonl.gz", "o1mini_on_gpt4o.jsonl.gz"] {
        for row in lines(&folder.join(file)) {
            // Long replies are recorded by their end and the labels of the whole.
            let tags: Vec<String> = row["tags"]
                .as_array()
                .unwrap()
                .iter()
                .map(|t| format!("[[{}]]", t.as_str().unwrap()))
                .collect();
            let reply = format!("{}\n{}", tags.join(" "), row["text"].as_str().unwrap());
            let expect = row["decision"].as_str().map(str::to_owned);
            assert_eq!(label(Grader::ArenaHard, &reply), expect, "{row}");
            read += 1;
        }
    }
    assert_eq!(read, 1240);
}

#[test]
fn whole_arena_hard_replies() {
    let Some(folder) = shared("data/judge/judgebench") else { return };
    let mut read = 0;
    for file in [
        "claude-3-5-sonnet-20240620__arena_hard__claude-3-haiku-20240307.jsonl.gz",
        "gpt-4o-2024-05-13__arena_hard__o1-mini-2024-09-12.jsonl.gz",
    ] {
        for row in lines(&folder.join(file)) {
            for judged in row["judgments"].as_array().unwrap() {
                let reply = judged["judgment"]["response"].as_str().unwrap();
                let expect = judged["decision"].as_str().map(str::to_owned);
                assert_eq!(label(Grader::ArenaHard, reply), expect, "{reply}");
                read += 1;
            }
        }
    }
    assert_eq!(read, 1240);
}

#[test]
fn inspect_grades() {
    let cases = list("golden/judge/parsers/inspect_grade.json");
    for case in &cases {
        let grader = if case["partial_credit"] == true {
            Grader::InspectGradePartial
        } else {
            Grader::InspectGrade
        };
        let expect = case["expected"].as_str().map(str::to_owned);
        assert_eq!(label(grader, case["text"].as_str().unwrap()), expect, "{case}");
    }
    assert!(cases.is_empty() || cases.len() == 40);
}

#[test]
fn prometheus_results() {
    let cases = list("golden/judge/parsers/prometheus.json");
    for case in &cases {
        let grader = match case["mode"].as_str().unwrap() {
            "absolute" => Grader::PrometheusAbsolute,
            _ => Grader::PrometheusRelative,
        };
        let said = grader.read(case["text"].as_str().unwrap()).ok();
        let expect = &case["declared"];
        let same = match (expect.as_f64(), expect.as_str()) {
            (Some(number), _) => said.is_some_and(|s| s.number() == Ok(number)),
            (_, Some("A")) => said.is_some_and(|s| s.preference() == Ok(Preference::FIRST)),
            (_, Some(_)) => said.is_some_and(|s| s.preference() == Ok(Preference::SECOND)),
            _ => said.is_none(),
        };
        assert!(same, "{case}");
    }
    assert!(cases.is_empty() || cases.len() == 34);
}

#[test]
fn rewardanything_json() {
    let Some(path) = shared("golden/judge/parsers/rewardanything.json") else { return };
    let golden: Value = serde_json::from_str(&text(&path)).unwrap();
    for case in golden["json_parse"].as_array().unwrap() {
        let object = repaired(case["text"].as_str().unwrap()).unwrap_or_default();
        assert_eq!(Value::Object(object), case["parsed"], "{case}");
    }
}

#[test]
fn trustjudge_expectations() {
    let cases = list("golden/judge/trustjudge/score_expectation.json");
    for case in &cases {
        let scale = case["scale"].as_f64().unwrap();
        let grade = |(text, p): (&String, &Value)| {
            let grade: f64 = text.parse().ok()?;
            (1.0..=scale).contains(&grade).then_some((grade, p.as_f64().unwrap()))
        };
        let grades: Vec<(f64, f64)> =
            case["probs"].as_object().unwrap().iter().filter_map(grade).collect();
        let total: f64 = grades.iter().map(|(_, p)| p).sum();
        let own = expect::weighted(&grades).unwrap() * total;
        assert!((own - case["geval_unnormalised"].as_f64().unwrap()).abs() < 1e-9, "{case}");
        // There, a certain grade is lost; here, it is the grade.
        let certain = grades.iter().find(|(_, p)| *p == 1.0).map(|(grade, _)| *grade);
        let expect = certain.unwrap_or_else(|| case["softmax_weighted_T0_2"].as_f64().unwrap());
        let own = expect::softmax(&grades, 0.2).unwrap();
        assert!((own - expect).abs() < 1e-9, "{own} is not {expect}: {case}");
    }
    assert!(cases.is_empty() || cases.len() == 121);
}

fn sign(decision: &Value) -> f64 {
    match decision.as_str() {
        Some("A>B") => 1.0,
        Some("B>A") => -1.0,
        _ => 0.0,
    }
}

#[test]
fn judgebench_orders_are_summed() {
    for run in list("golden/judge/judgebench/expected.json") {
        let file = format!("golden/judge/judgebench/{}", run["file"].as_str().unwrap());
        let mut counts = [0; 3];
        for pair in lines(&shared(&file).unwrap()) {
            let own = merge::sum(sign(&pair["decisions"][0]), -sign(&pair["decisions"][1]));
            let right = sign(&pair["label"]) * (own.first - own.second);
            counts[if right > 0.0 {
                0
            } else if right < 0.0 {
                1
            } else {
                2
            }] += 1;
        }
        let expect = &run["diagnostics"]["aggregate"];
        let expect = ["correct", "incorrect", "tie"].map(|key| expect[key].as_u64().unwrap());
        assert_eq!(counts, expect, "{}", run["file"]);
    }
}
