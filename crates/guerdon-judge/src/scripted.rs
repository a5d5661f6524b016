//! For tests: conversations with given replies.

use guerdon_core::Unscored;
use guerdon_core::method::{Case, Judge, Judgement, Next, Protocol, Reply, Request};

pub(crate) const SEED: u64 = 7;

pub(crate) fn case(prompt: &str, responses: &[&str]) -> Case {
    Case {
        prompt: prompt.into(),
        responses: responses.iter().map(|text| (*text).to_owned()).collect(),
        ..Case::default()
    }
}

/// The text of a request.
pub(crate) fn text(request: &Request) -> String {
    request.messages.iter().map(|message| message.content.as_str()).collect::<Vec<_>>().join("\n")
}

/// Runs a judge with a model; what was asked comes back too, round by round.
pub(crate) fn judge(
    judge: &dyn Judge,
    case: &Case,
    model: impl FnMut(&Request) -> String,
) -> (Result<Judgement, Unscored>, Vec<Vec<Request>>) {
    run(|rounds| judge.next(case, rounds, SEED), model)
}

/// Runs a protocol with a model.
pub(crate) fn protocol<P: Protocol>(
    protocol: &P,
    case: &P::Case,
    seed: u64,
    model: impl FnMut(&Request) -> String,
) -> Result<P::Output, Unscored> {
    run(|rounds| protocol.next(case, rounds, seed), model).0
}

fn run<T>(
    next: impl Fn(&[Vec<Reply>]) -> Result<Next<T>, Unscored>,
    mut model: impl FnMut(&Request) -> String,
) -> (Result<T, Unscored>, Vec<Vec<Request>>) {
    let (mut rounds, mut asked) = (Vec::new(), Vec::new());
    loop {
        match next(&rounds) {
            Ok(Next::Done(done)) => return (Ok(done), asked),
            Err(why) => return (Err(why), asked),
            Ok(Next::Ask(requests)) => {
                let replies = requests.iter().map(|r| Reply::from(model(r).as_str())).collect();
                rounds.push(replies);
                asked.push(requests);
                assert!(rounds.len() < 1000, "it goes on asking");
            }
        }
    }
}
