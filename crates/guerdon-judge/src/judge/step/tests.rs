use super::{Aggregate, Ask, Scoring, Step, Value};
use guerdon_core::Unscored;
use guerdon_core::method::{Case, Judge, Judgement, Next, Params, Reply, Request, TokenLogProb};
use serde_json::json;

fn case(steps: usize) -> Case {
    let steps: Vec<String> = (1..=steps).map(|k| format!("claim {k}")).collect();
    Case { prompt: "q".into(), responses: vec![steps.join("\n")], steps, ..Case::default() }
}

fn asked(judge: &Step, case: &Case, rounds: &[Vec<Reply>]) -> Vec<Request> {
    let next = judge.next(case, rounds, 3);
    let Ok(Next::Ask(requests)) = next else { panic!("{next:?}") };
    requests
}

fn told(judge: &Step, case: &Case, rounds: &[Vec<Reply>]) -> Judgement {
    let next = judge.next(case, rounds, 3);
    let Ok(Next::Done(told)) = next else { panic!("{next:?}") };
    told
}

fn texts(requests: &[Request]) -> Vec<&str> {
    requests.iter().map(|r| r.messages.last().unwrap().content.as_str()).collect()
}

#[test]
fn three_readings_become_one_row() {
    let replies = ["1. YES\n2. YES\n3. NO", "1. YES\n2. NO\n3. NO", "1. YES\n2. YES\n3. YES"];
    let round = vec![replies.map(Reply::from).to_vec()];
    let of = |aggregate| {
        let judge = Step { samples: 3, aggregate, ..Step::default() };
        assert_eq!(asked(&judge, &case(3), &[]).len(), 3);
        told(&judge, &case(3), &round)
    };
    let majority = of(Aggregate::StepMajority);
    assert_eq!(majority.steps, [1.0, 1.0, 0.0]);
    assert_eq!(majority.made["first_error"], 2);
    assert_eq!((majority.values[0], majority.confidence), (0.0, Some(2.0 / 3.0)));
    assert_eq!(of(Aggregate::OutcomeMajority).values, [0.0]);
    assert_eq!(of(Aggregate::Plurality).made["first_error"], 1);
    assert_eq!(of(Aggregate::Mean).steps, [1.0, 2.0 / 3.0, 1.0 / 3.0]);
}

#[test]
fn a_critique_of_the_critiques_has_the_last_word() {
    let judge = Step { samples: 2, aggregate: Aggregate::MetaCritique, ..Step::default() };
    let mut rounds: Vec<Vec<Reply>> =
        vec![vec!["ONE\n1. YES\n2. NO".into(), "1. NO\n2. NO".into()]];
    let review = asked(&judge, &case(2), &rounds);
    assert!(texts(&review)[0].contains("ONE\n1. YES"), "{review:?}");
    rounds.push(vec!["The second checker is wrong about step 1.\n1. NO\n2. YES".into()]);
    let merge = asked(&judge, &case(2), &rounds);
    assert!(texts(&merge)[0].contains("second checker is wrong"));
    rounds.push(vec!["1. YES\n2. NO".into()]);
    assert_eq!(told(&judge, &case(2), &rounds).steps, [1.0, 0.0]);
}

#[test]
fn steps_in_turn_end_at_the_first_wrong_one() {
    let judge = Step { ask: Ask::InTurn, unsure: true, value: Value::Prefix, ..Step::default() };
    let mut rounds: Vec<Vec<Reply>> = Vec::new();
    for word in ["[[YES]]", "[[UNSURE]]", "[[NO]]"] {
        let requests = asked(&judge, &case(4), &rounds);
        let text = texts(&requests)[0];
        let shown = (1..=4).filter(|k| text.contains(&format!("claim {k}"))).count();
        assert_eq!(shown, rounds.len() + 1, "only the steps so far are shown");
        rounds.push(vec![word.into()]);
    }
    let told = told(&judge, &case(4), &rounds);
    assert_eq!((told.steps, told.values), (vec![1.0, 1.0, 0.0, 0.0], vec![0.5]));
}

fn token(yes: f64, no: f64) -> Reply {
    let log = (yes.exp() + no.exp()).ln();
    let top = vec![("YES".to_owned(), yes - log), ("NO".to_owned(), no - log)];
    let own = TokenLogProb { token: "YES".into(), logprob: yes - log, top };
    let bracket = |text: &str| TokenLogProb { token: text.into(), logprob: 0.0, top: Vec::new() };
    Reply { logprobs: vec![bracket("[["), own, bracket("]]")], ..Reply::from("[[YES]]") }
}

#[test]
fn probabilities_are_read_and_the_least_is_the_score() {
    let judge = Step { ask: Ask::Each, scoring: Scoring::Probability, ..Step::default() };
    assert_eq!(asked(&judge, &case(1), &[])[0].top_logprobs, 20);
    let one = told(&judge, &case(1), &[vec![token(1.2, -0.3)]]);
    assert!((one.values[0] - 0.817_574).abs() < 1e-6, "{one:?}");
    let logit = |p: f64| token((p / (1.0 - p)).ln(), 0.0);
    let three = told(&judge, &case(3), &[vec![logit(0.9), logit(0.4), logit(0.95)]]);
    assert!((three.values[0] - 0.4).abs() < 1e-12);
    assert!(judge.next(&case(1), &[vec!["[[YES]]".into()], vec!["[[YES]]".into()]], 3).is_err());
}

#[test]
fn evidence_is_chosen_by_words_and_none_is_none() {
    let judge = Step { documents: "docs".into(), top_k: 1, ask: Ask::Each, ..Step::default() };
    let plain = Step { ask: Ask::Each, ..Step::default() };
    let mut with = case(2);
    assert_eq!(asked(&judge, &with, &[]), asked(&plain, &with, &[]));
    with.fields.insert("docs".into(), json!([]));
    assert_eq!(asked(&judge, &with, &[]), asked(&plain, &with, &[]));
    with.fields.insert("docs".into(), json!(["on 1", {"text": "on 2"}, "on cats"]));
    let requests = asked(&judge, &with, &[]);
    let [first, second] = texts(&requests)[..] else { panic!() };
    assert!(first.contains("on 1") && !first.contains("on 2"), "{first}");
    assert!(second.contains("on 2") && !second.contains("on 1"), "{second}");
    with.fields.insert("docs".into(), json!([1]));
    assert!(judge.next(&with, &[], 3).is_err());
}

#[test]
fn the_first_error_is_a_number() {
    let judge = Step { ask: Ask::FirstError, retries: 0, ..Step::default() };
    let label = |reply: &str| -> Result<i64, Unscored> {
        match judge.next(&case(4), &[vec![reply.into()]], 3)? {
            Next::Done(told) => Ok(told.made["first_error"].as_i64().unwrap()),
            Next::Ask(_) => panic!("it asks again"),
        }
    };
    assert_eq!(label("Score: 3"), Ok(2));
    assert_eq!(label("Score: 0"), Ok(-1));
    for reply in ["Score: 5", "Score: -1", "the third", "Score: 2.5"] {
        assert!(label(reply).is_err(), "{reply}");
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let probable = Step { scoring: Scoring::Probability, ..Step::default() };
    assert_eq!(probable.validate().unwrap_err().path, ["scoring"]);
    let several = Step { ask: Ask::Each, samples: 2, ..probable };
    assert_eq!(several.validate().unwrap_err().path, ["aggregate"]);
    assert!(Step::default().next(&case(0), &[], 3).is_err());
    let each = Step { ask: Ask::Each, samples: 64, ..Step::default() };
    assert!(each.next(&case(100), &[], 3).is_err(), "6400 calls");
}
