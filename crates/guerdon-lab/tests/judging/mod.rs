//! Judges of Guerdon before simulated models, without a network.

#![allow(dead_code, reason = "each test file uses a part of it")]

use guerdon_core::Unscored;
use guerdon_core::method::{Case, Judge, Judgement, Kind, Next, Reply, ask};
use guerdon_lab::serve_model::Script;
use serde_json::Value;

/// Runs a judge on a case to its end. Requests to models that the script does not have go to `judge`.
pub(crate) fn run(
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
                let known = |name: &&String| script.models().any(|model| model == name.as_str());
                let model = |name: &Option<String>| {
                    name.as_ref().filter(known).cloned().unwrap_or_else(|| "judge".into())
                };
                let replies = requests.iter().map(|request| {
                    script.call(&model(&request.model), request, seed * 1000, structured).unwrap()
                });
                rounds.push(replies.collect());
            }
        }
    }
}

/// A judge by its id.
pub(crate) fn build(id: &str, params: &Value) -> Box<dyn Judge> {
    let method = guerdon_judge::METHODS.iter().find(|method| method.id == id).unwrap();
    let Kind::Judge(build) = &method.kind else { panic!("{id} is no judge") };
    build(params.clone()).unwrap_or_else(|error| panic!("{id} {params}: {error}"))
}

/// A script with one judge, which says nothing besides its verdicts.
pub(crate) fn script(judge: &str) -> Script {
    let judge = judge.replacen('{', "{words: {mean: 0}, ", 1);
    Script::parse(&format!("{{seed: 5, models: {{judge: {{judge: {judge}}}}}}}")).unwrap()
}
