use guerdon_core::method::{Case, Judge, Judgement, Next, Params, Reply, Request};
use serde_json::{Value, json};

use super::Genrm;
use crate::fence::find;

const SCORES: [[f64; 3]; 3] = [[7.0, 6.0, 4.0], [8.0, 5.0, 5.0], [4.0, 9.0, 5.0]];

/// Scores each sample as above, whatever the order shown; the meta model likes the first two.
fn reply(request: &Request) -> Reply {
    let text = &request.messages.last().unwrap().content;
    let k = request.sample as usize;
    if text.contains("How far can these scores be trusted") {
        return format!("Score: {}", [9, 8, 2][k]).as_str().into();
    }
    let shown = find(text).into_iter().filter(|f| f.name.starts_with("response"));
    let scores: Vec<String> =
        shown.map(|f| SCORES[k][f.text.parse::<usize>().unwrap()].to_string()).collect();
    format!("Principles.\nScores: [[{}]]", scores.join(", ")).as_str().into()
}

fn run(params: Value, seed: u64) -> (Judgement, Vec<Request>) {
    let judge: Genrm = serde_json::from_value(params).unwrap();
    judge.validate().unwrap();
    let responses = vec!["0".into(), "1".into(), "2".into()];
    let case = Case { responses, ..Case::default() };
    let (mut rounds, mut asked) = (Vec::new(), Vec::new());
    loop {
        match judge.next(&case, &rounds, seed).unwrap() {
            Next::Done(told) => return (told, asked),
            Next::Ask(requests) => {
                rounds.push(requests.iter().map(reply).collect());
                asked.extend(requests);
            }
        }
    }
}

#[test]
fn samples_are_added_whatever_their_order() {
    for seed in 0..5 {
        let (told, asked) = run(json!({"samples": 3}), seed);
        assert_eq!((told.values, asked.len()), (vec![19.0, 20.0, 14.0], 3));
    }
    let orders: Vec<String> = run(json!({"samples": 3}), 1)
        .1
        .iter()
        .map(|r| find(&r.messages[1].content).iter().map(|f| f.text).collect())
        .collect();
    assert!(orders[0] != orders[1] || orders[1] != orders[2], "{orders:?}");
}

#[test]
fn the_meta_model_filters_the_samples() {
    let params = json!({"samples": 3, "filter": "meta", "meta_model": "second"});
    let (told, asked) = run(params, 4);
    assert_eq!(told.values, [15.0, 11.0, 9.0]);
    assert_eq!(asked.iter().filter(|r| r.model.as_deref() == Some("second")).count(), 3);
    assert_eq!(told.made["meta"], json!([9.0, 8.0, 2.0]));
}

#[test]
fn the_majority_of_samples_votes() {
    let (told, _) = run(json!({"samples": 3, "vote": "majority"}), 2);
    assert!((told.values[0] - 2.0 / 3.0).abs() < 1e-12 && told.values[2] == 0.0);
    assert!((told.confidence.unwrap() - 2.0 / 3.0).abs() < 1e-12);
}

#[test]
fn one_response_and_one_against_the_reference() {
    let judge = |what: &str| -> Genrm {
        serde_json::from_value(json!({"what": what, "samples": 1, "shuffle": false})).unwrap()
    };
    let case = Case { responses: vec!["0".into()], reference: Some("1".into()), ..Case::default() };
    let single = judge("single").next(&case, &[vec!["Score: 6".into()]], 0).unwrap();
    assert_eq!(single, Next::Done(told([6.0])));
    let own = judge("against_reference");
    let Ok(Next::Ask(requests)) = own.next(&case, &[], 3) else { panic!("it asks nothing") };
    let rounds = [requests.iter().map(reply).collect()];
    let Ok(Next::Done(compared)) = own.next(&case, &rounds, 3) else { panic!("it is not done") };
    assert_eq!(compared.values, [1.0]);
    assert_eq!(own.range(), Some((-9.0, 9.0)));
}

fn told(values: [f64; 1]) -> Judgement {
    let mut told = Judgement::scores(values.to_vec());
    told.made.insert("samples".into(), json!([values]));
    told
}
