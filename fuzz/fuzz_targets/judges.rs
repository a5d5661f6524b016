//! Every contract's reader, and a judge or protocol of the room on its sample cases, over any replies. The first character
//! chooses which; replies are parted by lines of `---`, and are given in turn; the first one is also appended to every candidate.
#![no_main]

use guerdon_judge::METHODS;
use guerdon_judge::contract::{Answers, Free, Items, Json, Label, Quotes, Read, Score, Scores};
use guerdon_judge::fence::{Fences, find};
use guerdon_core::method::{Case, ErasedProtocol, Judge, Judgement, Kind, Next, Reply, Request, ask};
use guerdon_core::Unscored;
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
    let Some(choice) = text.chars().next() else { return };
    let replies: Vec<&str> = text[choice.len_utf8()..].split("\n---\n").collect();
    readers(replies[0], replies.get(1).copied().unwrap_or_default());
    let choice = choice as usize;
    JUDGES.with(|judges| {
        if let Some((id, judge, cases)) = judges.get(choice % 64) {
            judged(id, judge.as_ref(), cases, &replies);
        }
    });
    PROTOCOLS.with(|protocols| {
        if let Some((_, protocol, cases)) = (choice % 64).checked_sub(48).and_then(|k| protocols.get(k)) {
            for case in cases {
                let _ = converse(&replies, |rounds| protocol.next_json(case, rounds, 7));
            }
        }
    });
});

fn judged(id: &str, judge: &dyn Judge, cases: &[Case], replies: &[&str]) {
    for case in cases {
        let mut case = case.clone();
        case.responses.iter_mut().for_each(|response| response.push_str(replies[0]));
        if let Ok(told) = converse(replies, |rounds| ask(judge, &case, rounds, 7)) {
            sound(id, &told, judge.range(), case.responses.len());
        }
    }
}

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
