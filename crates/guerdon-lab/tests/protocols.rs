//! Every judge of Guerdon, before simulated judges: their prompts are understood, their formats kept, their laws seen
//! through the whole way from prompt to verdict.

use guerdon_core::Unscored;
use guerdon_core::method::{Case, Judge, Judgement, Kind, Next, Reply, ask};
use guerdon_lab::serve_model::Script;
use serde_json::Value;

/// Runs a judge on a case to its end.
fn run(
    script: &Script,
    judge: &dyn Judge,
    case: &Case,
    seed: u64,
    structured: bool,
) -> Result<Judgement, Unscored> {
    let mut rounds: Vec<Vec<Reply>> = Vec::new();
    loop {
        match ask(judge, case, &rounds, seed)? {
            Next::Done(judgement) => return Ok(judgement),
            Next::Ask(requests) => {
                assert!(rounds.len() < 100, "the judge does not end");
                let reply = |r| script.call("judge", r, seed * 1000, structured).unwrap();
                rounds.push(requests.iter().map(reply).collect());
            }
        }
    }
}

fn build(id: &str, params: &Value) -> Box<dyn Judge> {
    let method = guerdon_judge::METHODS.iter().find(|method| method.id == id).unwrap();
    let Kind::Judge(build) = &method.kind else { panic!("{id} is no judge") };
    build(params.clone()).unwrap_or_else(|error| panic!("{id} {params}: {error}"))
}

fn script(judge: &str) -> Script {
    Script::parse(&format!("{{seed: 5, models: {{judge: {{judge: {judge}}}}}}}")).unwrap()
}

/// A pair of texts with these qualities, which no other pair shares.
fn pair(i: usize, first: f64, second: f64) -> Case {
    let text = |side: &str, q: f64| format!("Answer {i} {side}. ⟦q={q}⟧");
    Case {
        prompt: format!("Question {i}?").into(),
        responses: vec![text("one", first), text("two", second)],
        ..Case::default()
    }
}

#[test]
fn every_judge_is_answered_in_its_format() {
    let script = script("{tie_width: 0.5}");
    let mut seen = 0;
    for method in guerdon_judge::METHODS {
        let Kind::Judge(build) = &method.kind else { continue };
        let params = match method.sample_params {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap(),
        };
        let judge = build(params).unwrap();
        for sample in method.samples {
            let sample: Value = serde_json::from_str(sample).unwrap();
            let case: Case = serde_json::from_value(sample["case"].clone()).unwrap();
            for (seed, structured) in [(0, false), (1, false), (2, true)] {
                let told = run(&script, judge.as_ref(), &case, seed, structured);
                let told = told.unwrap_or_else(|reason| panic!("{}: {reason:?}", method.id));
                assert!(told.values.iter().all(|value| value.is_finite()), "{}", method.id);
                seen += 1;
            }
        }
    }
    assert!(seen >= 15, "{seen}");
}
