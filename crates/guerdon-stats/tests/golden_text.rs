//! Exact comparison with lighteval's own cases of metrics over samples, on the shared golden files where present.

mod common;

use common::{Check, floats, golden};
use guerdon_stats::labels::Label;
use guerdon_stats::stats::{maj_at_k, mcc, pass_at_k, pass_k, retrieval};
use serde_json::Value;

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|v| v.as_str().unwrap().trim().to_owned()).collect()
}

/// The gold indices, whether one or several.
fn gold(doc: &Value) -> Vec<u64> {
    match &doc["gold_index"] {
        Value::Array(list) => list.iter().map(|v| v.as_u64().unwrap()).collect(),
        one => vec![one.as_u64().unwrap()],
    }
}

/// The first gold text.
fn answer(doc: &Value) -> String {
    texts(&doc["choices"])[usize::try_from(gold(doc)[0]).unwrap()].clone()
}

fn cases(name: &str) -> Option<Vec<Value>> {
    golden(&format!("text/{name}.json")).map(|file| file["test_cases"].as_array().unwrap().clone())
}

/// Samples and right ones among the first `n` answers.
fn sampled(case: &Value, n: u64) -> (u64, u64) {
    let said = texts(&case["model_response"]["text"]);
    let n = usize::try_from(n).unwrap().min(said.len());
    (n as u64, said[..n].iter().filter(|a| **a == answer(&case["doc"])).count() as u64)
}

#[test]
fn pass_at_k_and_stable_pass() {
    let (Some(plain), Some(stable)) = (cases("pass_at_k"), cases("g_pass_at_k")) else { return };
    let mut check = Check::new(0.01);
    for case in &plain {
        let (k, n) = (
            case["metric_params"]["k"].as_u64().unwrap(),
            case["metric_params"]["n"].as_u64().unwrap(),
        );
        let (n, c) = sampled(case, n);
        let expect = case["expected_output"].as_object().unwrap().values().next().unwrap();
        check.given("pass@k", pass_at_k::pass_at_k(n, c, k).unwrap(), expect);
    }
    for case in &stable {
        let (k, n) = (
            case["metric_params"]["k"].as_u64().unwrap(),
            case["metric_params"]["n"].as_u64().unwrap(),
        );
        let (n, c) = sampled(case, n);
        for (key, expect) in case["expected_output"].as_object().unwrap() {
            let got = match key.rsplit_once('_') {
                Some((_, threshold)) => pass_k::g_pass_at_k(n, c, k, threshold.parse().unwrap()),
                None => pass_k::mean_g_pass(n, c, k),
            };
            check.given(key, got.unwrap(), expect);
        }
    }
    check.done(
        plain.len()
            + stable.iter().map(|c| c["expected_output"].as_object().unwrap().len()).sum::<usize>(),
    );
}

#[test]
fn majority_of_k() {
    let Some(cases) = cases("maj_at_k") else { return };
    let mut check = Check::new(0.01);
    for case in &cases {
        let said = texts(&case["model_response"]["text"]);
        let k = usize::try_from(case["metric_params"]["k"].as_u64().unwrap()).unwrap();
        let won = maj_at_k::majority(said[..k].iter().map(|a| Some(a.as_str())));
        let right = f64::from(u8::from(won == Some(answer(&case["doc"]).as_str())));
        check.given(
            "maj@k",
            right,
            case["expected_output"].as_object().unwrap().values().next().unwrap(),
        );
    }
    check.done(4);
}

#[test]
fn ranking_of_choices() {
    let (Some(mrr), Some(recall)) = (cases("mrr"), cases("recall_at_k")) else { return };
    let mut check = Check::new(0.01);
    let relevance = |case: &Value| {
        let right = gold(&case["doc"]);
        let number = case["doc"]["choices"].as_array().unwrap().len() as u64;
        (0..number).map(|i| f64::from(u8::from(right.contains(&i)))).collect::<Vec<_>>()
    };
    for case in &mrr {
        let scores = floats(&case["model_response"]["logprobs"]);
        let got = retrieval::reciprocal_rank(&scores, &relevance(case)).unwrap();
        check.given("mrr", got, &case["expected_output"]["mrr"]);
    }
    for case in &recall {
        let scores = floats(&case["model_response"]["logprobs"]);
        let k = case["metric_params"]["k"].as_f64().unwrap();
        let rank = 1.0 / retrieval::reciprocal_rank(&scores, &relevance(case)).unwrap();
        let hit = f64::from(u8::from(rank <= k + 0.5));
        check.given(
            "recall",
            hit,
            case["expected_output"].as_object().unwrap().values().next().unwrap(),
        );
    }
    check.done(mrr.len() + recall.len());
}

#[test]
fn corpus_classification() {
    let Some(cases) = cases("mcc") else { return };
    let mut check = Check::new(0.01);
    let place = |i: usize| Label::from(i as f64);
    for case in &cases {
        let docs = case["docs"].as_array().unwrap();
        let truth: Vec<Label> =
            docs.iter().map(|d| place(usize::try_from(gold(d)[0]).unwrap())).collect();
        let replies = case["model_responses"].as_array().unwrap();
        let best = |r: &Value| {
            let scores = floats(&r["logprobs"]);
            (0..scores.len()).reduce(|a, b| if scores[b] > scores[a] { b } else { a }).unwrap()
        };
        let said: Vec<Label> = replies.iter().map(|r| place(best(r))).collect();
        let out = mcc::Mcc::default().classify(&said, &truth).unwrap();
        check.given("mcc", out.mcc.unwrap(), &case["expected_output"]);
    }
    check.done(1);
}

#[test]
fn corpus_f1() {
    let (Some(macros), Some(micros)) = (cases("f1_score_macro"), cases("f1_score_micro")) else {
        return;
    };
    let mut check = Check::new(0.1);
    for (files, micro) in [(&macros, false), (&micros, true)] {
        for case in files {
            let docs = case["docs"].as_array().unwrap();
            let replies = case["model_responses"].as_array().unwrap();
            let truth: Vec<Label> = docs.iter().map(|d| Label::from(answer(d).as_str())).collect();
            let said: Vec<Label> =
                replies.iter().map(|r| Label::from(texts(&r["text"])[0].as_str())).collect();
            let out = mcc::Mcc::default().classify(&said, &truth).unwrap();
            let got = if micro { out.accuracy } else { out.macro_f1 };
            check.given("f1", got, &case["expected_output"]);
        }
    }
    check.done(macros.len() + micros.len());
}
