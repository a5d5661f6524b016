use guerdon_core::method::{Form, Judge, Params, Preference};
use serde_json::{Value, json};

use super::Jury;
use crate::scripted::{case, judge, text};

fn jury(params: Value) -> Jury {
    let jury: Jury = serde_json::from_value(params).unwrap();
    jury.validate().unwrap();
    jury
}

/// Judges by name: `good` and `poor` prefer the first or the second response, `mute` says nothing.
fn model(request: &guerdon_core::method::Request) -> String {
    let text = text(request);
    let first = text.find("one!") < text.find("two!");
    match request.model.as_deref() {
        Some("good") if first => "[[A]]".into(),
        Some("good") => "[[B]]".into(),
        Some("poor") if first => "[[B]]".into(),
        Some("poor") => "[[A]]".into(),
        _ => "I cannot say.".into(),
    }
}

fn verdict(params: Value) -> Result<(Preference, f64), String> {
    let (told, _) = judge(&jury(params), &case("?", &["one!", "two!"]), model);
    let told = told.map_err(|why| why.to_string())?;
    Ok((told.preference.unwrap(), told.confidence.unwrap()))
}

fn pair(model: &str, more: &Value) -> Value {
    let mut juror = json!({"use": "judge.pairwise", "model": model});
    juror.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    juror
}

#[test]
fn weights_can_outvote_a_majority() {
    let judges = json!([
        pair("good", &json!({"accuracy": 0.8})),
        pair("poor", &json!({"accuracy": 0.6})),
        pair("poor", &json!({"accuracy": 0.6})),
        pair("poor", &json!({"accuracy": 0.6})),
    ]);
    let of = |aggregate: &str| verdict(json!({"judges": judges, "aggregate": aggregate})).unwrap();
    assert_eq!(of("majority"), (Preference::SECOND, 0.75));
    assert_eq!(of("weighted").0, Preference::FIRST);
    assert!((of("weighted").1 - 1.386_294 / (1.386_294 + 1.216_395)).abs() < 1e-6);
    assert_eq!(of("conservative").0, Preference::TIE);
    assert_eq!(of("mean").0, Preference { first: 0.25, tie: 0.0, second: 0.75 });
}

#[test]
fn copies_of_a_judge_are_asked_apart() {
    let own = jury(json!({"judges": [pair("good", &json!({})), pair("good", &json!({}))]}));
    let (_, asked) = judge(&own, &case("?", &["one!", "two!"]), model);
    let samples: Vec<u32> = asked[0].iter().map(|request| request.sample).collect();
    assert_eq!(samples, [0, 0, 100_000, 100_000]);
}

#[test]
fn judges_without_a_verdict_count_against_the_quorum() {
    let judges = json!([pair("good", &json!({})), pair("mute", &json!({}))]);
    let all = verdict(json!({"judges": judges})).unwrap_err();
    assert!(all.contains("1 of 2 judges have a verdict, 2 must"), "{all}");
    let one = verdict(json!({"judges": judges, "quorum": 1}));
    assert_eq!(one, Ok((Preference::FIRST, 1.0)));
}

#[test]
fn scores_are_merged_and_dissent_is_told() {
    let grade =
        |model: &str, high: i32| json!({"use": "judge.pointwise", "model": model, "high": high});
    let run = |params: Value| {
        let score = |request: &guerdon_core::method::Request| {
            format!("Score: {}", request.model.as_deref().unwrap_or("1"))
        };
        judge(&jury(params), &case("?", &["one"]), score).0.unwrap()
    };
    let judges = json!([grade("4", 10), grade("7", 10), grade("10", 10)]);
    for (aggregate, value) in [("majority", 7.0), ("mean", 7.0), ("conservative", 4.0)] {
        let told = run(json!({"judges": judges, "aggregate": aggregate}));
        assert_eq!(told.values, [value], "{aggregate}");
        assert!((told.confidence.unwrap() - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(told.parts[2].values, [Some(10.0)]);
    }
    let scales = json!({"judges": [grade("4", 10), grade("4", 5)], "aggregate": "mean"});
    let refused: Jury = serde_json::from_value(scales.clone()).unwrap();
    assert_eq!(refused.validate().unwrap_err().path, ["normalise"]);
    let mut unit = scales;
    unit["normalise"] = true.into();
    assert!((run(unit).values[0] - f64::midpoint(1.0 / 3.0, 0.75)).abs() < 1e-12);
}

#[test]
fn what_is_wrong_in_an_entry_is_told_with_its_place() {
    let refused = |params: Value| {
        let jury: Jury = serde_json::from_value(params).unwrap();
        jury.validate().unwrap_err().path.join(".")
    };
    assert_eq!(refused(json!({})), "judges");
    let unknown = pair("a", &json!({"ordr": "both"}));
    assert_eq!(refused(json!({"judges": [pair("a", &json!({})), unknown]})), "judges.1.ordr");
    let other = json!({"use": "judge.pointwise"});
    assert_eq!(refused(json!({"judges": [pair("a", &json!({})), other]})), "judges.1.use");
    let weightless = json!({"judges": [pair("a", &json!({}))], "aggregate": "weighted"});
    assert_eq!(refused(weightless), "judges.0.weight");
    assert_eq!(jury(json!({"judges": [pair("a", &json!({}))]})).form(), Form::Pair);
}
