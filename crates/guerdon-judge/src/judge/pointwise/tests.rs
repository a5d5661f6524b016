use guerdon_core::method::{Case, Judge, Judgement, Next, Params, Reply, TokenLogProb};
use serde_json::{Value, json};

use super::Pointwise;

fn judge(params: Value) -> Pointwise {
    let judge: Pointwise = serde_json::from_value(params).unwrap();
    judge.validate().unwrap();
    judge
}

fn run(params: Value, replies: Vec<Reply>) -> Result<Judgement, String> {
    let judge = judge(params);
    let case = Case { responses: vec!["x".into()], ..Case::default() };
    match judge.next(&case, &[replies], 0) {
        Ok(Next::Done(told)) => Ok(told),
        Ok(Next::Ask(requests)) => Err(requests[0].messages.last().unwrap().content.clone()),
        Err(why) => Err(why.to_string()),
    }
}

fn value(params: Value, reply: Reply) -> Result<f64, String> {
    run(params, vec![reply]).map(|told| told.values[0])
}

/// A reply that ends with a grade, with the alternatives at the grade's token.
fn graded(lead: &str, grade: &str, top: &[(&str, f64)], tail: &str) -> Reply {
    let token = |text: &str, top: &[(&str, f64)]| TokenLogProb {
        token: text.to_owned(),
        logprob: -0.1,
        top: top.iter().map(|(text, p)| ((*text).to_owned(), p.ln())).collect(),
    };
    let mut logprobs = vec![token(lead, &[]), token(grade, top)];
    if !tail.is_empty() {
        logprobs.push(token(tail, &[]));
    }
    Reply { text: format!("{lead}{grade}{tail}"), logprobs, ..Reply::default() }
}

#[test]
fn samples_are_averaged() {
    let judge = Pointwise { samples: 2, ..Pointwise::default() };
    let case = Case { responses: vec!["x".into()], ..Case::default() };
    let Ok(Next::Ask(requests)) = judge.next(&case, &[], 0) else { panic!("it asks nothing") };
    assert_eq!(requests.iter().map(|r| r.sample).collect::<Vec<_>>(), [0, 1]);
    let told = run(json!({"samples": 2}), vec!["Score: 4".into(), "Score: 9".into()]).unwrap();
    assert_eq!(told.values, [6.5]);
}

#[test]
fn the_expectation_is_read_from_the_grades_token() {
    let top = [(" 4", 0.5), (" 5", 0.3), (" 3", 0.2), (" four", 0.0)];
    let reply = || graded("Fine: 7 of 9.\nScore:", " 4", &top, "");
    let of = |kind: &str| value(json!({"high": 5, "expectation": kind}), reply()).unwrap();
    assert_eq!(of("none"), 4.0);
    assert!((of("weighted") - 4.1).abs() < 1e-9);
    assert!((of("softmax") - 4.01328).abs() < 5e-6);
    let sure = graded("Score: ", "7", &[("7", 1.0)], "");
    assert_eq!(value(json!({"expectation": "softmax"}), sure), Ok(7.0));
}

#[test]
fn a_grade_cut_into_tokens_or_without_probabilities_is_unscored() {
    let cut = graded("Score: ", "1", &[("1", 0.9), ("7", 0.1)], "0");
    let told = run(json!({"expectation": "weighted"}), vec![cut]).unwrap_err();
    assert!(told.contains("one token each"), "{told}");
    let told = run(json!({"expectation": "weighted"}), vec!["Score: 4".into()]).unwrap_err();
    assert!(told.contains("no log-probabilities"), "{told}");
}

#[test]
fn letters_have_values() {
    let levels = json!({"levels": ["A", "B", "C"], "low": 0, "high": 4});
    assert_eq!(value(levels.clone(), "So so.\n[[B]]".into()), Ok(2.0));
    let own = json!({"levels": ["good", "bad"], "values": [1, -3]});
    assert_eq!(value(own.clone(), "[[bad]]".into()), Ok(-3.0));
    assert_eq!(judge(own).range(), Some((-3.0, 1.0)));
    let reply = graded("[[", "A", &[("A", 0.5), ("B", 0.5)], "]]");
    let expect = json!({"levels": ["A", "B", "C"], "low": 0, "high": 4, "expectation": "weighted"});
    assert!((value(expect, reply).unwrap() - 3.0).abs() < 1e-9);
}

#[test]
fn dimensions_end_in_one_object() {
    let params = || json!({"dimensions": ["accuracy", "clarity"]});
    let reply = "{\"overall\": 1}\nFinal:\n{\"accuracy\": 8, \"clarity\": 6, \"overall\": 7}";
    let told = run(params(), vec![reply.into()]).unwrap();
    assert_eq!(told.values, [7.0]);
    assert_eq!((told.parts[1].name.as_str(), &told.parts[1].values), ("clarity", &vec![Some(6.0)]));
    for reply in [
        "{\"accuracy\": 8, \"clarity\": 6, \"overall\": 7.5}",
        "{\"accuracy\": 8, \"clarity\": 6, \"overall\": 11}",
        "{\"accuracy\": 8, \"clarity\": 6}",
        "{\"accuracy\": 8, \"overall\": 7}",
    ] {
        assert!(
            run(params(), vec![reply.into()]).unwrap_err().contains("could not be read"),
            "{reply}"
        );
    }
}

#[test]
fn published_graders_can_be_used() {
    assert_eq!(value(json!({"reply": "prometheus_absolute"}), "Good. [RESULT] 4".into()), Ok(4.0));
    assert_eq!(value(json!({"reply": "inspect_grade"}), "GRADE: C".into()), Ok(1.0));
    assert_eq!(value(json!({"reply": "mt_bench_rating"}), "Rating: [[8]]".into()), Ok(8.0));
    for (name, params) in [
        ("reply", json!({"reply": "bare_letter"})),
        ("levels", json!({"levels": ["A"]})),
        ("values", json!({"levels": ["A", "B"], "values": [1]})),
        ("dimensions", json!({"dimensions": ["overall"]})),
        ("high", json!({"high": 200, "expectation": "weighted"})),
    ] {
        let judge: Pointwise = serde_json::from_value(params).unwrap();
        assert_eq!(judge.validate().unwrap_err().path, [name]);
    }
}
