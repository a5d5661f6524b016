//! What goes over the wire, per api.

use guerdon_client::{Api, Client, ErrorKind, Limits, Structured};
use guerdon_core::Message;
use guerdon_core::method::Request;
use serde_json::{Value, json};

use crate::server::{Act, Server, chat, ok, status};
use crate::{client, total};

fn conversation() -> Request {
    let message = |role: &str, content: &str| Message {
        role: role.into(),
        content: content.into(),
        tool_calls: Vec::new(),
    };
    Request::chat(vec![message("user", "q"), message("assistant", "a")])
}

#[tokio::test]
async fn chat_replies_and_their_cost() {
    let server = Server::new(|_| chat("42"));
    let client = client(server.url(), |e| {
        e.price = guerdon_client::Price { input: 1.0, output: 2.0 };
        e.seed = Some(10);
    });
    let request = Request { sample: 3, ..Request::user("6 * 7?") };
    assert_eq!(client.call(&request, "math").await.unwrap().text, "42");
    let seen = &server.seen()[0];
    assert_eq!(seen.line, "POST /v1/chat/completions HTTP/1.1");
    assert_eq!(seen.body["seed"], 13);
    assert!(!seen.headers.contains("authorization"));
    let ledger = client.ledger();
    assert_eq!((ledger.total.calls, ledger.total.attempts, ledger.total.input_tokens), (1, 1, 10));
    assert_eq!(ledger.total.money, 20e-6);
    assert_eq!(
        (ledger.lines[0].tag.as_str(), ledger.lines[0].endpoint.as_str()),
        ("math", "judge")
    );
}

async fn values(api: Api, body: Value, path: &str, request: Request) -> Vec<f64> {
    let server = Server::new(move |_| ok(&body));
    let whole = matches!(api, Api::Openrlhf | Api::Tool);
    let url =
        if whole { format!("http://127.0.0.1:{}/get_reward", server.port) } else { server.url() };
    let client = client(url, |e| e.api = api);
    let reply = client.call(&request, "rm").await.unwrap();
    assert_eq!(server.seen()[0].line, format!("POST {path} HTTP/1.1"));
    reply.values
}

#[tokio::test]
async fn reward_models() {
    let class = json!({"data": [{"label": "LABEL_0", "probs": [0.1, 0.9], "num_classes": 2}]});
    assert_eq!(values(Api::Classify, class, "/classify", Request::user("x")).await, [0.1, 0.9]);
    let pooled = json!({"data": [{"data": [[1.5]]}]});
    assert_eq!(values(Api::Pooling, pooled, "/pooling", conversation()).await, [1.5]);
    let vector = json!({"data": [{"embedding": [-2.0]}]});
    assert_eq!(values(Api::Embeddings, vector, "/v1/embeddings", Request::user("x")).await, [-2.0]);
    let rewards = json!({"rewards": [0.5], "scores": [1.0], "extra_logs": {}});
    assert_eq!(values(Api::Openrlhf, rewards, "/get_reward", conversation()).await, [0.5]);
}

#[tokio::test]
async fn tools_and_completions() {
    let server = Server::new(|seen| match seen.line.split(' ').nth(1) {
        Some("/run") => ok(&json!({"output": format!("ran {}", seen.body["input"])})),
        _ => ok(&json!({"choices": [{"text": seen.body["prompt"], "finish_reason": "length"}]})),
    });
    let tool = client(format!("http://127.0.0.1:{}/run", server.port), |e| {
        (e.api, e.model) = (Api::Tool, String::new());
    });
    assert_eq!(tool.call(&Request::user("1 + 1"), "t").await.unwrap().text, "ran \"1 + 1\"");
    let base = client(server.url(), |e| e.api = Api::Completions);
    let reply = base.call(&conversation(), "t").await.unwrap();
    assert_eq!((reply.text.as_str(), reply.truncated), ("q\n\na", true));
    assert_eq!(total(&base).estimated, 1);
}

#[tokio::test]
async fn a_continuation_is_scored_by_its_tokens() {
    let server = Server::new(|_| {
        ok(
            &json!({"choices": [{"text": "Is it? Yes", "logprobs": {"tokens": ["Is", " it", "?", " Yes"],
            "token_logprobs": [null, -3.0, -1.0, -0.25], "top_logprobs": null, "text_offset": [0, 2, 5, 6]}}]}),
        )
    });
    let client = client(server.url(), |e| e.api = Api::Completions);
    let request = Request { continuation: Some(" Yes".into()), ..Request::user("Is it?") };
    let reply = client.call(&request, "t").await.unwrap();
    assert_eq!(reply.logprobs.iter().map(|t| t.logprob).collect::<Vec<_>>(), [-0.25]);
    let body = &server.seen()[0].body;
    assert_eq!(
        (&body["prompt"], &body["echo"], &body["max_tokens"]),
        (&json!("Is it? Yes"), &json!(true), &json!(0))
    );
}

fn with_schema(sample: u32) -> Request {
    Request { sample, schema: Some(json!({"type": "object"})), ..Request::user("?") }
}

#[tokio::test]
async fn a_refused_schema_is_left_out_from_then_on() {
    let server = Server::new(|seen| match seen.body.get("response_format") {
        Some(_) => status(400, "response_format is not supported"),
        None => chat("{}"),
    });
    let auto = client(server.url(), |e| e.retries = 0);
    for sample in 0..2 {
        assert_eq!(auto.call(&with_schema(sample), "t").await.unwrap().text, "{}");
    }
    assert_eq!(server.count(), 3);
    let on = client(server.url(), |e| e.structured = Structured::On);
    assert_eq!(on.call(&with_schema(0), "t").await.unwrap_err().status, Some(400));
}

#[tokio::test]
async fn a_schema_is_not_blamed_for_other_refusals() {
    let server = Server::new(|seen| match seen.nth {
        0 | 1 => status(400, "the prompt is too long"),
        _ => chat("{}"),
    });
    let client = client(server.url(), |_| {});
    assert!(client.call(&with_schema(0), "t").await.unwrap_err().message.contains("too long"));
    client.call(&with_schema(1), "t").await.unwrap();
    assert!(server.seen()[2].body.get("response_format").is_some());
}

#[tokio::test]
async fn a_stream_that_nobody_asked_for_is_read() {
    let events = "data: {\"choices\":[{\"delta\":{\"content\":\"4\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"2\"}}]}\n\ndata: [DONE]\n\n";
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let server = Server::new(move |_| Act::Raw(format!("{head}{events}").into_bytes()));
    let client = client(server.url(), |_| {});
    assert_eq!(client.call(&Request::user("?"), "t").await.unwrap().text, "42");
}

#[tokio::test]
async fn models_are_chosen_by_name() {
    let server = Server::new(|seen| chat(seen.body["model"].as_str().unwrap()));
    let endpoint = |model: &str| guerdon_client::Endpoint::new(server.url(), model);
    let open = |names: &[&str]| {
        let endpoints = names.iter().map(|name| ((*name).to_owned(), endpoint(name))).collect();
        Client::open(endpoints, Limits::default(), None).unwrap()
    };
    let ask =
        |model: Option<&str>| Request { model: model.map(str::to_owned), ..Request::user("?") };
    let two = open(&["solver", "judge"]);
    assert_eq!(two.call(&ask(Some("solver")), "t").await.unwrap().text, "solver");
    let unnamed = two.call(&ask(None), "t").await.unwrap_err();
    assert!(unnamed.kind == ErrorKind::Request && unnamed.message.contains("default"), "{unnamed}");
    let near = two.call(&ask(Some("juge")), "t").await.unwrap_err();
    assert!(near.message.contains("did you mean `judge`?"), "{near}");
    assert_eq!(open(&["default", "x"]).call(&ask(None), "t").await.unwrap().text, "default");
    assert!(open(&[]).call(&ask(None), "t").await.is_err());
}

#[tokio::test]
async fn what_an_api_cannot_do_is_said_before_anything_is_sent() {
    let server = Server::new(|_| chat("x"));
    let client = client(server.url(), |e| e.api = Api::Classify);
    for request in [
        Request { continuation: Some("x".into()), ..Request::user("?") },
        Request { top_logprobs: 1, ..Request::user("?") },
        Request { temperature: Some(f64::NAN), ..Request::user("?") },
        Request::chat(Vec::new()),
    ] {
        assert_eq!(client.call(&request, "t").await.unwrap_err().kind, ErrorKind::Request);
    }
    assert_eq!(server.count(), 0);
}

#[test]
fn a_client_outlives_the_runtime_that_used_it() {
    let server = Server::new(|_| chat("42"));
    let client = client(server.url(), |e| e.retries = 0);
    for request in crate::numbered(3) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let reply = runtime.block_on(client.call(&request, "t"));
        assert_eq!(reply.unwrap().text, "42");
    }
    assert_eq!(server.count(), 3);
}
