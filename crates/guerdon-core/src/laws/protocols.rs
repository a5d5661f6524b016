//! Laws of protocols: what is asked, and how replies are read, without any model.

use serde_json::Value;

use super::every::built;
use super::json::{lost_number, mutations};
use super::verdict::{Pass, Test, Verdict, short};
use super::{bounded, samples, texts};
use crate::method::{ErasedProtocol, Judgement, Kind, Next, Reply, Request};
use crate::{Method, Unscored};

pub(super) const SEED: u64 = 7;

/// A protocol that asks for more than this, whatever it is told, does not end.
const MAX_REQUESTS: usize = 1000;

/// Replies of more than this many bytes in all are not fed: shorter ones show whether a protocol ends.
const MAX_FED: usize = 1 << 22;

pub(super) fn laws(method: Method) -> Vec<Test> {
    let case = Case { method };
    vec![
        Test::new("samples_ask", move || case.samples_ask()),
        Test::new("deterministic", move || case.deterministic()),
        Test::new("total_on_replies", move || case.total_on_replies()),
        Test::new("total_on_cases", move || case.total_on_cases()),
        Test::new("unreadable_replies_are_unscored", move || case.unreadable()),
        Test::new("prompt_keeps_its_structure", move || case.structure()),
    ]
}

#[derive(Clone, Copy)]
struct Case {
    method: Method,
}

/// How a conversation with one and the same reply ended.
type End = Result<Value, Unscored>;

impl Case {
    fn ready(self) -> Result<Box<dyn ErasedProtocol>, String> {
        match self.method.kind {
            Kind::Protocol(_, build) => built(self.method, build),
            Kind::Judge(build) => Ok(Box::new(built(self.method, build)?)),
            other => Err(format!("a {} is no protocol", other.name())),
        }
    }

    /// The schema of what comes out.
    fn output(self) -> Value {
        match self.method.kind {
            Kind::Protocol(info, _) => (info.output)().to_value(),
            _ => schemars::schema_for!(Judgement).to_value(),
        }
    }

    /// The sample cases; those of a judge stand beside their replies.
    fn cases(self) -> Result<Vec<Value>, String> {
        let judge = matches!(self.method.kind, Kind::Judge(_));
        let own = |mut sample: Value| if judge { sample["case"].take() } else { sample };
        let cases: Vec<Value> = samples::values(self.method)?.into_iter().map(own).collect();
        if cases.is_empty() {
            Err("a protocol needs at least one sample case (JSON) in `samples`".to_owned())
        } else {
            Ok(cases)
        }
    }

    fn samples_ask(self) -> Verdict {
        let protocol = self.ready()?;
        for (k, case) in self.cases()?.iter().enumerate() {
            match bounded::no_panic(|| protocol.next_json(case, &[], SEED))? {
                Ok(Next::Ask(requests)) => {
                    asks_something(&requests).map_err(|how| format!("sample {k}: {how}"))?;
                }
                Ok(Next::Done(output)) => {
                    return Err(format!("sample {k} is done before anything was asked: {output}"));
                }
                Err(why) => return Err(format!("sample {k} is refused: {why}")),
            }
        }
        Ok(Pass::Held)
    }

    fn deterministic(self) -> Verdict {
        let (first, second) = (self.ready()?, self.ready()?);
        for case in self.cases()? {
            let (a, b) = (first.next_json(&case, &[], SEED), second.next_json(&case, &[], SEED));
            if a != b {
                return Err(format!(
                    "two runs with the same seed ask differently:\n  {a:?}\n  {b:?}"
                ));
            }
        }
        Ok(Pass::Held)
    }

    fn total_on_replies(self) -> Verdict {
        let schema = self.output();
        for (k, case) in self.cases()?.into_iter().enumerate() {
            let protocol = self.ready()?;
            let inputs = replies()
                .into_iter()
                .map(|(name, reply)| (format!("sample {k}, answered with {name}"), reply))
                .collect();
            for (name, _, end) in
                bounded::each(inputs, move |reply| converse(protocol.as_ref(), &case, reply))?
            {
                let end = end.map_err(|how| format!("on {name}: {how}"))?;
                if let Some(place) = end.ok().and_then(|output| lost_number(&schema, &output)) {
                    return Err(format!("{place} of the output is not finite on {name}"));
                }
            }
        }
        Ok(Pass::Held)
    }

    fn total_on_cases(self) -> Verdict {
        for (k, case) in self.cases()?.iter().enumerate() {
            let protocol = self.ready()?;
            let inputs = mutations(case)
                .into_iter()
                .map(|(name, case)| (format!("sample {k} with {name}"), case))
                .collect();
            let run = move |case: &Value| converse(protocol.as_ref(), case, &"A".into());
            for (name, _, end) in bounded::each(inputs, run)? {
                end.map_err(|how| format!("on {name}: {how}"))?.ok();
            }
        }
        Ok(Pass::Held)
    }

    /// A reply without any content must end in `Unscored`, never in a verdict.
    fn unreadable(self) -> Verdict {
        let protocol = self.ready()?;
        for case in self.cases()? {
            for reply in ["", " \n", "\u{fffd}\u{fffd}\0"] {
                if let Ok(output) = converse(protocol.as_ref(), &case, &reply.into())? {
                    return Err(format!(
                        "the replies {} give a result instead of `Unscored`: {output}",
                        short(reply)
                    ));
                }
            }
        }
        Ok(Pass::Held)
    }

    /// Delimiter look-alikes in a text of the case must arrive in the prompt without adding a message to it.
    fn structure(self) -> Verdict {
        let protocol = self.ready()?;
        for case in self.cases()? {
            let shape = |case: &Value| match protocol.next_json(case, &[], SEED) {
                Ok(Next::Ask(requests)) => Some(requests.iter().map(roles).collect::<Vec<_>>()),
                _ => None,
            };
            let Some(plain) = shape(&case) else { continue };
            for (pointer, hostile) in injected(&case) {
                if shape(&hostile).is_some_and(|changed| changed != plain) {
                    return Err(format!(
                        "delimiter look-alikes in `{pointer}` change the messages of the request"
                    ));
                }
            }
        }
        Ok(Pass::Held)
    }
}

fn roles(request: &Request) -> Vec<String> {
    request.messages.iter().map(|message| message.role.clone()).collect()
}

/// Copies of a case with look-alikes of delimiters appended to one of its texts.
fn injected(case: &Value) -> Vec<(String, Value)> {
    let mut places = Vec::new();
    texts_of(case, String::new(), &mut places);
    places
        .iter()
        .flat_map(|pointer| {
            texts::INJECTIONS.iter().filter_map(move |(_, injection)| {
                let mut copy = case.clone();
                let place = copy.pointer_mut(pointer)?;
                *place = format!("{}{injection}", place.as_str().unwrap_or_default()).into();
                Some((pointer.clone(), copy))
            })
        })
        .collect()
}

/// The JSON pointers of all texts at most two levels down.
fn texts_of(value: &Value, pointer: String, places: &mut Vec<String>) {
    match value {
        Value::String(_) => places.push(pointer),
        _ if pointer.matches('/').count() > 1 => {}
        Value::Array(items) => {
            for (k, item) in items.iter().enumerate() {
                texts_of(item, format!("{pointer}/{k}"), places);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                texts_of(item, format!("{pointer}/{key}"), places);
            }
        }
        _ => {}
    }
}

pub(super) fn asks_something(requests: &[Request]) -> Result<(), String> {
    match requests.iter().find(|r| r.messages.iter().all(|m| m.content.trim().is_empty())) {
        _ if requests.is_empty() => Err("it asks for an empty set of calls".to_owned()),
        Some(_) => Err("a request has no text".to_owned()),
        None => Ok(()),
    }
}

/// Gives the same reply to everything until the protocol ends.
fn converse(protocol: &dyn ErasedProtocol, case: &Value, reply: &Reply) -> Result<End, String> {
    let (mut rounds, mut asked): (Vec<Vec<Reply>>, usize) = (Vec::new(), 0);
    loop {
        match protocol.next_json(case, &rounds, SEED) {
            Ok(Next::Done(output)) => return Ok(Ok(output)),
            Err(why) => return Ok(Err(why)),
            Ok(Next::Ask(requests)) => {
                asks_something(&requests)?;
                asked += requests.len();
                if asked > MAX_REQUESTS {
                    return Err(format!("it goes on asking after {MAX_REQUESTS} requests"));
                }
                if asked * reply.text.len() > MAX_FED {
                    return Ok(Err(Unscored::budget("enough")));
                }
                rounds.push(vec![reply.clone(); requests.len()]);
            }
        }
    }
}

/// Replies that a protocol must read without a panic and without going on for ever.
fn replies() -> Vec<(String, Reply)> {
    let mut all: Vec<(String, Reply)> =
        texts::hostile().into_iter().map(|(name, text)| (name, text.as_str().into())).collect();
    let soup = "A B C [[A]] [[B]] [[C]] tie yes no score: 7 Score: 11/10 <score>-1</score> \\boxed{3} {\"score\": 5} True False";
    for text in [
        soup,
        "[[A]]",
        "Rating: [[99999999999999999999]]",
        "score: NaN",
        "{\"score\": null}",
        "1",
        "yes",
        "10/10",
    ] {
        all.push((format!("the text {text:?}"), text.into()));
    }
    let truncated =
        Reply { text: "I think the better one is".to_owned(), truncated: true, ..Reply::default() };
    all.push(("a reply cut off by a length limit".to_owned(), truncated));
    all
}
