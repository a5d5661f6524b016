//! Every judge of Guerdon before simulated judges: their prompts are understood, their formats kept.

mod judging;

use guerdon_core::method::{Case, Kind};
use guerdon_lab::serve_model::Script;
use judging::{build, run, script};
use serde_json::{Value, json};

#[test]
fn every_judge_is_answered_in_its_format() {
    let words = script("{tie_width: 0.5}");
    let numbers = Script::parse("{models: {judge: {reward: {}}}}").unwrap();
    let mut seen = 0;
    for method in guerdon_judge::METHODS {
        let Kind::Judge(build) = &method.kind else { continue };
        let params = match method.sample_params {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap(),
        };
        let judge = build(params).unwrap();
        // A reward model answers with a number, not with words.
        let script = if method.id == "judge.reward_model" { &numbers } else { &words };
        for sample in method.samples {
            let sample: Value = serde_json::from_str(sample).unwrap();
            let case: Case = serde_json::from_value(sample["case"].clone()).unwrap();
            for (seed, structured) in [(0, false), (1, false), (2, true)] {
                let told = run(script, judge.as_ref(), &case, seed, structured);
                let told = told.unwrap_or_else(|reason| panic!("{}: {reason:?}", method.id));
                assert!(told.values.iter().all(|value| value.is_finite()), "{}", method.id);
                seen += 1;
            }
        }
    }
    assert!(seen >= 15, "{seen}");
}

fn case(responses: &[&str], fields: &Value) -> Case {
    Case {
        prompt: "What is asked?".into(),
        responses: responses.iter().map(|text| (*text).to_owned()).collect(),
        fields: fields.as_object().cloned().unwrap_or_default(),
        ..Case::default()
    }
}

/// What a judge of great sensitivity and without noise must find, whatever the order in which texts are shown.
#[test]
fn a_sharp_judge_finds_the_best() {
    let sharp = script("{sensitivity: 60, noise: 0, items: {yes_if_met: 1, yes_if_missed: 0}}");
    let three = ["So so. ⟦q=0⟧", "Bad. ⟦q=-2⟧", "Good. ⟦q=2⟧"];
    let best = |id: &str, params: &Value, case: &Case| {
        let told = run(&sharp, build(id, params).as_ref(), case, 3, false);
        let values = told.unwrap_or_else(|reason| panic!("{id}: {reason:?}")).values;
        (0..values.len()).max_by(|a, b| values[*a].total_cmp(&values[*b])).unwrap()
    };
    let none = json!({});
    assert_eq!(best("judge.listwise", &none, &case(&three, &none)), 2);
    assert_eq!(best("judge.genrm", &none, &case(&three, &none)), 2);
    for params in [
        json!({}),
        json!({"scale": "five"}),
        json!({"order": "single", "direct": true}),
        json!({"merge": "likelihood"}),
    ] {
        assert_eq!(best("judge.pairwise", &params, &case(&three[1..], &none)), 1, "{params}");
    }
    assert_eq!(best("judge.reasoning", &none, &case(&three[1..], &none)), 1);
    assert_eq!(best("judge.debate", &none, &case(&three[..2], &none)), 0);
}
