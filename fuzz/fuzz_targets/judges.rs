//! Every contract's reader, and every judge and protocol of the room on its sample cases, over any replies. Replies are parted
//! by lines of `---`, and are given in turn; the first one is also appended to every candidate.
#![no_main]

use guerdon_judge::METHODS;
use guerdon_judge::contract::{Answers, Free, Items, Json, Label, Quotes, Read, Score, Scores};
use guerdon_judge::fence::{Fences, find};
use guerdon::core::method::{Case, ErasedProtocol, Judge, Judgement, Kind, Next, Reply, Request, ask};
use guerdon::core::Unscored;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// The most rounds of a conversation, and the most calls in one.
const ROUNDS: usize = 40;
const CALLS: usize = 400;

type Judges = Vec<(&'static str, Box<dyn Judge>, Vec<Case>)>;
type Protocols = Vec<(&'static str, Box<dyn ErasedProtocol>, Vec<Value>)>;

thread_local! {
    static JUDGES: Judges = METHODS.iter().filter_map(|m| match m.kind {
        Kind::Judge(build) => Some((m.id, build(params(m.sample_params)?).ok()?, cases(m.samples))),
        _ => None,
    }).collect();
    static PROTOCOLS: Protocols = METHODS.iter().filter_map(|m| match m.kind {
        Kind::Protocol(_, build) => {
            let cases = m.samples.iter().filter_map(|s| serde_json::from_str(s).ok()).collect();
            Some((m.id, build(params(m.sample_params)?).ok()?, cases))
        }
        _ => None,
    }).collect();
}

fn params(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

fn cases(samples: &[&str]) -> Vec<Case> {
    let case = |sample: &&str| {
        let mut value: Value = serde_json::from_str(sample).ok()?;
        serde_json::from_value(value["case"].take()).ok()
    };
    samples.iter().filter_map(case).collect()
}

fuzz_target!(|text: &str| {
    let replies: Vec<&str> = text.split("\n---\n").collect();
    let first = replies[0];
    readers(first, replies.get(1).copied().unwrap_or_default());
    JUDGES.with(|judges| {
        for (id, judge, cases) in judges {
            for case in cases {
                let mut case = case.clone();
                case.responses.iter_mut().for_each(|response| response.push_str(first));
                if let Ok(told) = converse(&replies, |rounds| ask(judge.as_ref(), &case, rounds, 7)) {
                    sound(id, &told, judge.range(), case.responses.len());
                }
            }
        }
    });
    PROTOCOLS.with(|protocols| {
        for (_, protocol, cases) in protocols {
            for case in cases {
                let _ = converse(&replies, |rounds| protocol.next_json(case, rounds, 7));
            }
        }
    });
});

/// Readers end in a value of their range, or in a reason; what is fenced is found as it was.
fn readers(reply: &str, candidate: &str) {
    let quotes = Quotes::of([candidate]);
    if let Ok(place) = Label::new(["A", "B", "tie"]).read(reply, &quotes) {
        assert!(place < 3);
    }
    if let Ok(score) = Score::whole(-1, 10).read(reply, &quotes) {
        assert!((-1.0..=10.0).contains(&score) && score.fract() == 0.0);
    }
    let scores = Scores { count: 3, score: Score { whole: false, ..Score::whole(0, 1) } };
    if let Ok(all) = scores.read(reply, &quotes) {
        assert!(all.len() == 3 && all.iter().all(|score| (0.0..=1.0).contains(score)));
    }
    if let Ok(all) = Answers::new(3, ["YES", "NO"]).read(reply, &quotes) {
        assert!(all.len() == 3 && all.iter().flatten().all(|word| *word < 2));
    }
    if let Ok(items) = (Items { most: 5 }).read(reply, &quotes) {
        assert!((1..=5).contains(&items.len()));
    }
    let _ = Json::<Judgement>::new().read(reply, &quotes);
    let _ = Free.read(reply, &quotes);
    let fences = Fences::new(&[reply, candidate], 7);
    let prompt = format!("{}\n{}", fences.wrap("response_a", reply), fences.wrap("response_b", candidate));
    let found: Vec<&str> = find(&prompt).into_iter().map(|fenced| fenced.text).collect();
    assert_eq!(found, [reply, candidate]);
}

fn converse<T>(
    replies: &[&str],
    next: impl Fn(&[Vec<Reply>]) -> Result<Next<T>, Unscored>,
) -> Result<T, Unscored> {
    let (mut rounds, mut asked): (Vec<Vec<Reply>>, usize) = (Vec::new(), 0);
    loop {
        match next(&rounds)? {
            Next::Done(told) => return Ok(told),
            Next::Ask(requests) => {
                assert!(!requests.is_empty(), "it asks for nothing");
                rounds.push(answered(&requests, replies, asked));
                asked += requests.len();
                if rounds.len() > ROUNDS || asked > CALLS {
                    return Err(Unscored::budget("enough"));
                }
            }
        }
    }
}

fn answered(requests: &[Request], replies: &[&str], asked: usize) -> Vec<Reply> {
    (0..requests.len()).map(|k| Reply::from(replies[(asked + k) % replies.len()])).collect()
}

fn sound(id: &str, told: &Judgement, range: Option<(f64, f64)>, responses: usize) {
    assert_eq!(told.values.len(), responses, "{id}");
    let (low, high) = range.unwrap_or((f64::MIN, f64::MAX));
    assert!(told.values.iter().all(|v| (low - 1e-9..=high + 1e-9).contains(v)), "{id}: {:?}", told.values);
    assert!(told.confidence.is_none_or(|c| (0.0..=1.0).contains(&c)), "{id}: {:?}", told.confidence);
    assert!(told.preference.is_none_or(|p| (p.first + p.tie + p.second - 1.0).abs() < 1e-9), "{id}");
}
