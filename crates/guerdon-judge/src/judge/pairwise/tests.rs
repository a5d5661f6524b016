use guerdon_core::method::{
    Case, Judge, Judgement, Next, Params, Preference, Reply, Request, TokenLogProb,
};
use serde_json::{Value, json};

use super::Pairwise;
use crate::fence::find;

fn judge(params: Value) -> Pairwise {
    let judge: Pairwise = serde_json::from_value(params).unwrap();
    judge.validate().unwrap();
    judge
}

fn case() -> Case {
    Case { responses: vec!["good".into(), "bad".into()], ..Case::default() }
}

/// Which response stands at place A.
fn shown(request: &Request) -> String {
    find(&request.messages[1].content)
        .into_iter()
        .find(|f| f.name == "response_a")
        .map(|f| f.text.to_owned())
        .unwrap()
}

/// Runs it: `reply(request, round, is "good" at place A)`.
fn run(
    judge: &Pairwise,
    seed: u64,
    reply: impl Fn(&Request, usize, bool) -> Reply,
) -> (Result<Judgement, String>, usize) {
    let (mut rounds, mut calls) = (Vec::new(), 0);
    loop {
        match judge.next(&case(), &rounds, seed) {
            Ok(Next::Done(told)) => return (Ok(told), calls),
            Err(why) => return (Err(why.to_string()), calls),
            Ok(Next::Ask(requests)) => {
                calls += requests.len();
                let round = rounds.len();
                rounds.push(requests.iter().map(|r| reply(r, round, shown(r) == "good")).collect());
            }
        }
    }
}

fn verdict(params: Value, reply: impl Fn(&Request, usize, bool) -> Reply) -> Preference {
    run(&judge(params), 3, reply).0.unwrap().preference.unwrap()
}

#[test]
fn the_better_one_wins_in_both_orders() {
    let fair = |_: &Request, _: usize, first: bool| if first { "[[A]]" } else { "[[B]]" }.into();
    for order in ["single", "both", "until_consistent"] {
        assert_eq!(verdict(json!({"order": order}), fair), Preference::FIRST, "{order}");
    }
    let five =
        |_: &Request, _: usize, first: bool| if first { "[[A>>B]]" } else { "[[B>A]]" }.into();
    for merge in ["agree", "sum"] {
        assert_eq!(verdict(json!({"scale": "five", "merge": merge}), five), Preference::FIRST);
    }
}

#[test]
fn a_judge_that_likes_a_place_calls_it_a_tie() {
    let biased = |_: &Request, _: usize, _: bool| "[[A]]".into();
    assert_eq!(verdict(json!({}), biased), Preference::TIE);
    let wins = (0..64).filter(|seed| {
        let told = run(&judge(json!({"order": "single"})), *seed, biased).0.unwrap();
        told.preference == Some(Preference::FIRST)
    });
    assert!((16..=48).contains(&wins.count()));
}

#[test]
fn orders_are_asked_until_they_agree() {
    let late = |_: &Request, round: usize, first: bool| {
        if round < 2 || first { "[[A]]" } else { "[[B]]" }.into()
    };
    let (told, calls) = run(&judge(json!({"order": "until_consistent"})), 1, late);
    assert_eq!((told.unwrap().preference, calls), (Some(Preference::FIRST), 6));
    let never = |_: &Request, _: usize, _: bool| "[[B]]".into();
    let run = |fallback: &str| {
        run(&judge(json!({"order": "until_consistent", "fallback": fallback})), 1, never)
    };
    assert!(run("abstain").0.unwrap_err().contains("all 5 attempts"));
    assert_eq!((run("first").0.unwrap().preference, run("first").1), (Some(Preference::FIRST), 10));
    assert_ne!(run("random").0.unwrap().preference, Some(Preference::TIE));
}

/// A reply `[[label]]` with the probabilities of A, B and tie at the label.
fn weighed(label: &str, p: [f64; 3]) -> Reply {
    let token = |text: &str, top: Vec<(String, f64)>| TokenLogProb {
        token: text.to_owned(),
        logprob: -0.1,
        top,
    };
    let names = ["A", "B", "tie"];
    let top = names.iter().zip(p).map(|(name, p)| ((*name).to_owned(), p.ln())).collect();
    Reply {
        text: format!("[[{label}]]"),
        logprobs: vec![token("[[", Vec::new()), token(label, top), token("]]", Vec::new())],
        ..Reply::default()
    }
}

#[test]
fn likelihoods_are_read_from_the_reply() {
    // With the swapped order mapped back: (.55, .25, .20) and (.40, .50, .10) of first, tie, second.
    let reply = |_: &Request, _: usize, first: bool| {
        if first { weighed("A", [0.55, 0.20, 0.25]) } else { weighed("tie", [0.10, 0.40, 0.50]) }
    };
    let params = |tolerance: f64| json!({"merge": "likelihood", "tolerance": tolerance});
    assert_eq!(verdict(params(0.0), reply), Preference::FIRST);
    assert_eq!(verdict(params(0.11), reply), Preference::TIE);
    let soft = verdict(json!({"merge": "likelihood", "give": "probabilities"}), reply);
    assert!((soft.first - 0.475).abs() < 1e-9 && (soft.second - 0.15).abs() < 1e-9, "{soft:?}");
    let bare = |_: &Request, _: usize, _: bool| Reply::from("[[A]]");
    let (told, _) = run(&judge(params(0.0)), 0, bare);
    assert!(told.unwrap_err().contains("no log-probabilities"));
}

#[test]
fn likelihoods_are_read_from_structured_replies() {
    let reply = |_: &Request, _: usize, first: bool| {
        let (label, p) = if first { ("A", [0.6, 0.3, 0.1]) } else { ("B", [0.2, 0.7, 0.1]) };
        let mut reply = weighed(label, p);
        reply.logprobs[0].token = "{\"reasoning\": \"A or B?\", \"verdict\": \"".into();
        reply.logprobs[2].token = "\"}".into();
        reply.text = reply.logprobs.iter().map(|t| t.token.as_str()).collect();
        reply
    };
    let soft = verdict(json!({"merge": "likelihood", "give": "probabilities"}), reply);
    assert!((soft.first - 0.65).abs() < 1e-9 && (soft.second - 0.25).abs() < 1e-9, "{soft:?}");
}

#[test]
fn the_less_surprised_order_decides() {
    let reply = |_: &Request, _: usize, first: bool| {
        let mut reply = weighed("A", [0.5, 0.3, 0.2]);
        reply.logprobs.iter_mut().for_each(|t| t.logprob = if first { -0.1 } else { -0.7 });
        reply
    };
    assert_eq!(verdict(json!({"merge": "perplexity"}), reply), Preference::FIRST);
}

#[test]
fn samples_vote() {
    let reply = |r: &Request, _: usize, first: bool| {
        if (r.sample < 2) == first { "[[A]]" } else { "[[B]]" }.into()
    };
    let (told, calls) = run(&judge(json!({"samples": 3})), 5, reply);
    let told = told.unwrap();
    assert_eq!((told.preference, calls), (Some(Preference::FIRST), 6));
    assert!((told.confidence.unwrap() - 2.0 / 3.0).abs() < 1e-12);
    let soft = verdict(json!({"samples": 3, "give": "probabilities"}), reply);
    assert!((soft.first - 2.0 / 3.0).abs() < 1e-12);
}

#[test]
fn published_graders_can_be_used() {
    let params = json!({"reply": "bare_letter", "ties": "forbidden"});
    let letter = |_: &Request, _: usize, first: bool| if first { "A" } else { " B.\n" }.into();
    assert_eq!(verdict(params.clone(), letter), Preference::FIRST);
    let (told, _) = run(&judge(params), 0, |_, _, _| "Both".into());
    assert!(told.unwrap_err().contains("not one letter"));
    let wrong: Pairwise = serde_json::from_value(json!({"reply": "mt_bench_rating"})).unwrap();
    assert!(wrong.validate().is_err());
}

#[test]
fn who_asked_and_the_languages_are_told() {
    let params = json!({"profile": "reader", "answer_in": "Korean", "reason_in": "English"});
    let judge = judge(params);
    let mut case = case();
    assert!(judge.next(&case, &[], 0).is_err());
    case.fields.insert("reader".into(), "a child of six".into());
    let Ok(Next::Ask(requests)) = judge.next(&case, &[], 0) else { panic!("it asks nothing") };
    let text = &requests[0].messages[1].content;
    assert!(find(text).iter().any(|f| f.name == "profile" && f.text == "a child of six"));
    assert!(text.contains("written in Korean") && text.contains("reasoning in English"), "{text}");
    assert_eq!(judge.reads(), ["reader"]);
}
