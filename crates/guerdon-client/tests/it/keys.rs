//! The content address: what shapes a reply changes it, and nothing else does.

use guerdon_client::{Api, Endpoint, Structured};
use guerdon_core::Message;
use guerdon_core::method::Request;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::client;

fn key(endpoint: &Endpoint, request: &Request) -> String {
    let wanted = endpoint.clone();
    let client = client(endpoint.url.clone(), move |e| *e = wanted);
    client.key(request).unwrap().to_string()
}

fn base() -> (Endpoint, Request) {
    let mut endpoint = Endpoint::new("http://localhost:1/v1", "m");
    endpoint.extra =
        serde_json::from_value(json!({"top_k": 5, "kwargs": {"a": 1, "b": [1, 2]}})).unwrap();
    let request = Request { schema: Some(json!({"a": 1, "b": 2})), ..Request::user("hello") };
    (endpoint, request)
}

type Change = fn(&mut Endpoint, &mut Request);

/// Every change of what shapes a reply, applied to the base.
fn changes() -> Vec<(&'static str, Change)> {
    vec![
        ("model", |e, _| e.model = "n".into()),
        ("api", |e, _| e.api = Api::Completions),
        ("temperature", |e, _| e.temperature = Some(0.0)),
        ("temperature 1", |_, r| r.temperature = Some(1.0)),
        ("top_p", |e, _| e.top_p = Some(0.5)),
        ("max_tokens", |e, _| e.max_tokens = Some(1)),
        ("max_tokens of the request", |_, r| r.max_tokens = Some(2)),
        ("seed", |e, _| e.seed = Some(0)),
        ("seed 1", |e, _| e.seed = Some(1)),
        ("structured", |e, _| e.structured = Structured::Off),
        ("extra", |e, _| drop(e.extra.insert("top_k".into(), json!(6)))),
        ("extra type", |e, _| drop(e.extra.insert("top_k".into(), json!("5")))),
        ("extra list", |e, _| drop(e.extra.insert("kwargs".into(), json!({"a": 1, "b": [2, 1]})))),
        ("no extra", |e, _| e.extra.clear()),
        ("sample", |_, r| r.sample = 1),
        ("top_logprobs", |_, r| r.top_logprobs = 1),
        ("schema", |_, r| r.schema = None),
        ("schema's order", |_, r| r.schema = Some(json!({"b": 2, "a": 1}))),
        ("continuation", |_, r| r.continuation = Some(String::new())),
        ("role", |_, r| r.messages[0].role = "system".into()),
        ("text", |_, r| r.messages[0].content.push(' ')),
        ("messages", |_, r| r.messages.push(r.messages[0].clone())),
    ]
}

#[test]
fn every_parameter_counts() {
    let (endpoint, request) = base();
    let mut keys = vec![("base", key(&endpoint, &request))];
    for (name, change) in changes() {
        let (mut endpoint, mut request) = base();
        change(&mut endpoint, &mut request);
        let key = key(&endpoint, &request);
        assert!(keys.iter().all(|(_, other)| *other != key), "{name}: {keys:?}");
        keys.push((name, key));
    }
}

#[test]
fn where_the_model_is_does_not_count() {
    let (mut endpoint, request) = base();
    let before = key(&endpoint, &request);
    endpoint.url = "http://elsewhere:9/v1".into();
    (endpoint.timeout, endpoint.retries, endpoint.concurrency) = (1.0, 0, 1);
    endpoint.requests_per_minute = Some(1.0);
    endpoint.price.input = 3.0;
    assert_eq!(key(&endpoint, &request), before);
    // A temperature is the same wherever it is named.
    let (mut here, mut there) = (base(), base());
    here.0.temperature = Some(0.5);
    there.1.temperature = Some(0.5);
    assert_eq!(key(&here.0, &here.1), key(&there.0, &there.1));
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(("[a-c]{1,2}", inner), 0..3)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn map() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec(("x[a-c]{1,2}", json_value()), 0..4)
        .prop_map(|pairs| pairs.into_iter().collect())
}

/// The same value with the fields of every object in reverse order.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            map.iter().rev().map(|(k, v)| (k.clone(), reversed(v))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(reversed).collect::<Vec<_>>().into(),
        scalar => scalar.clone(),
    }
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    let message = ("(user|assistant)", "[ab ]{0,4}").prop_map(|(role, content)| Message {
        role,
        content,
        tool_calls: Vec::new(),
    });
    prop::collection::vec(message, 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_fields_does_not_count(extra in map()) {
        let (mut endpoint, request) = base();
        endpoint.extra = extra.clone();
        let before = key(&endpoint, &request);
        endpoint.extra = reversed(&Value::Object(extra)).as_object().unwrap().clone();
        prop_assert_eq!(key(&endpoint, &request), before);
    }

    #[test]
    fn equal_keys_mean_equal_requests(one in messages(), two in messages(), left in map(), right in map()) {
        let of = |messages: &Vec<Message>, extra: &Map<String, Value>| {
            let (mut endpoint, mut request) = base();
            endpoint.extra = extra.clone();
            request.messages = messages.clone();
            key(&endpoint, &request)
        };
        // Equality of JSON objects does not depend on their order.
        prop_assert_eq!(of(&one, &left) == of(&two, &right), one == two && left == right);
    }

    #[test]
    fn numbers_count_to_the_last_bit(temperature in 0.0..2.0_f64, top_p in 0.01..1.0_f64) {
        let of = |temperature: f64, top_p: f64| {
            let (mut endpoint, request) = base();
            (endpoint.temperature, endpoint.top_p) = (Some(temperature), Some(top_p));
            key(&endpoint, &request)
        };
        let here = of(temperature, top_p);
        prop_assert_eq!(&here, &of(temperature, top_p));
        prop_assert_ne!(&here, &of(temperature.next_up(), top_p));
        prop_assert_ne!(&here, &of(temperature, top_p.next_down()));
    }
}
