//! Replies of models: any bytes are a reply or a fault, for every api, and numbers in a reply are finite. The first line is
//! the continuation that the reply scores.
#![no_main]

use guerdon::core::method::Request;
use guerdon_client::{Api, wire};
use libfuzzer_sys::fuzz_target;

const APIS: [Api; 7] = [
    Api::Chat,
    Api::Completions,
    Api::Classify,
    Api::Pooling,
    Api::Embeddings,
    Api::Openrlhf,
    Api::Tool,
];

fuzz_target!(|bytes: &[u8]| {
    let cut = bytes.iter().position(|byte| *byte == b'\n');
    let (line, body) = cut.map_or((&b""[..], bytes), |at| (&bytes[..at], &bytes[at + 1..]));
    let mut request = Request::user("prompt");
    for continuation in [None, Some(String::from_utf8_lossy(line).into_owned())] {
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
});
