//! The readers are total: any bytes are a reply or a fault.

use guerdon_client::{Api, wire};
use guerdon_core::method::Request;
use proptest::prelude::*;

const APIS: [Api; 7] = [
    Api::Chat,
    Api::Completions,
    Api::Classify,
    Api::Pooling,
    Api::Embeddings,
    Api::Openrlhf,
    Api::Tool,
];

const BODIES: [&str; 8] = [
    r#"{"choices": [{"message": {"content": [{"type": "text", "text": "a"}]}, "finish_reason": "stop", "logprobs": {"content": [{"token": "a", "logprob": -1e-3, "top_logprobs": [{"token": "a", "logprob": null}]}]}}], "usage": {"prompt_tokens": 3, "completion_tokens": 1}}"#,
    r#"{"choices": [], "prompt_logprobs": [null, {"7": {"logprob": -3.0, "decoded_token": "b"}}, {"1": {"logprob": -1, "decoded_token": "a"}}]}"#,
    r#"{"choices": [{"text": "ba", "logprobs": {"tokens": ["b", "a"], "token_logprobs": [null, -1], "top_logprobs": [null, {"a": -1}], "text_offset": [0, 1]}}]}"#,
    r#"{"data": [{"label": "x", "probs": [0.5, [0.5]], "data": [[1], 2], "embedding": [1e308]}]}"#,
    r#"{"rewards": [1, true], "scores": [1], "extra_logs": {}}"#,
    r#"{"output": {"a": 1}}"#,
    r#"{"error": {"message": "m", "code": 70000}}"#,
    "data: {\"choices\":[{\"delta\":{\"content\":\"4\"}}]}\n\ndata: [DONE]\n\n",
];

fn read_all(body: &[u8]) {
    let mut request = Request::user("b");
    for continuation in [None, Some("a".to_owned())] {
        request.continuation = continuation;
        for api in APIS {
            for answer in [wire::read(api, &request, body), wire::read_events(api, body)] {
                let Ok(answer) = answer else { continue };
                assert!(answer.reply.values.iter().all(|value| value.is_finite()));
                assert!(answer.reply.logprobs.iter().all(|token| token.logprob.is_finite()));
            }
        }
    }
    assert!(wire::read_error(body).chars().count() <= 401);
}

#[test]
fn good_bodies_and_every_beginning_of_them() {
    for body in BODIES {
        for end in 0..=body.len() {
            read_all(&body.as_bytes()[..end]);
        }
    }
}

#[test]
fn deep_and_long_bodies_end() {
    for unit in [
        "[",
        "{\"data\":",
        "{\"error\":",
        "{\"output\":[",
        "{\"choices\":[",
        "data: ",
        "data:\n",
        "[{},",
    ] {
        read_all(unit.repeat(100_000).as_bytes());
    }
    let many = |item: &str| format!("{{\"choices\": [{}{{}}]}}", item.repeat(200_000));
    read_all(many("{},").as_bytes());
    read_all(many("[],").as_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn changed_bodies(which in 0..BODIES.len(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6)) {
        let mut body = BODIES[which].as_bytes().to_vec();
        for (at, byte, how) in changes {
            let at = at.index(body.len().max(1)).min(body.len().saturating_sub(1));
            match how {
                0 if !body.is_empty() => body[at] = byte,
                1 => body.insert(at, byte),
                _ if !body.is_empty() => drop(body.remove(at)),
                _ => {}
            }
        }
        read_all(&body);
    }
}
