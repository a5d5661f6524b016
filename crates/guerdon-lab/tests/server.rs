//! The server over real HTTP: its interfaces, and that replies are a pure function of the request.

mod http;

use guerdon_lab::serve_model::{Script, Server};
use http::{Client, chat, serve};
use serde_json::{Value, json};

const SCRIPT: &str = r#"
seed: 3
models:
  parrot: {prose: {kind: echo}}
  writer: {prose: {words: {mean: 30}}}
  exact:
    scripted:
      rules:
        - when: "capital of (?<land>\\w+)"
          reply: "I know ${land}: $$5"
        - when: grade
          reply: ["Score: 1", "Score: 2"]
        - when: verdict
          reply: "So [[A]]"
          probabilities: {A: 0.6, B: 0.3, C: 0.1}
  scorer: {reward: {noise: 0}}
  vectors: {embedder: {dimensions: 8}}
texts:
  - {text: "Paris.", quality: 1.5}
tools:
  lookup: {rules: {"(?i)paris": "a city"}}
"#;

fn ask(model: &str, text: &str) -> Value {
    json!({"model": model, "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": text}]})
}

fn with(mut body: Value, more: &Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn models_are_listed_and_unknown_ones_refused() {
    let server = serve(SCRIPT);
    let mut client = Client::new(server.address());
    let list = client.send("GET", "/v1/models", &[], b"").unwrap().json();
    assert_eq!(list["data"][0]["id"], "parrot");
    let refused = client.post("/v1/chat/completions", &ask("nobody", "x")).unwrap();
    assert_eq!(
        (refused.status, refused.json()["error"]["code"].as_str()),
        (404, Some("model_not_found"))
    );
    let refused = client.post("/v1/nothing", &json!({})).unwrap();
    assert_eq!(refused.status, 404);
    let refused = client.send("POST", "/v1/chat/completions", &[], b"{").unwrap();
    assert_eq!(
        (refused.status, refused.json()["error"]["type"].as_str()),
        (400, Some("invalid_request_error"))
    );
    let refused = client.send("GET", "/v1/chat/completions", &[], b"{}").unwrap();
    assert_eq!(refused.status, 405);
    assert_eq!(server.stats().connections, 1, "the connection is kept");
}

#[test]
fn a_chat_has_all_its_parts() {
    let server = serve(SCRIPT);
    let reply = chat(&server, &ask("exact", "What is the capital of France?")).json();
    assert_eq!(
        reply["choices"][0]["message"],
        json!({"role": "assistant", "content": "I know France: $5"})
    );
    assert_eq!(reply["choices"][0]["finish_reason"], "stop");
    assert_eq!((&reply["model"], &reply["object"]), (&json!("exact"), &json!("chat.completion")));
    // "Be kind." is 3 tokens, the question 7; four more for each message.
    assert_eq!(
        reply["usage"],
        json!({"prompt_tokens": 18, "completion_tokens": 7, "total_tokens": 25})
    );
}

#[test]
fn samples_are_named_by_seed_and_index() {
    let server = serve(SCRIPT);
    let said = |more: Value| -> Vec<String> {
        let reply = chat(&server, &with(ask("writer", "Go."), &more)).json();
        reply["choices"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["message"]["content"].as_str().unwrap().to_owned())
            .collect()
    };
    let four = said(json!({"n": 4, "seed": 10}));
    assert_eq!(said(json!({"n": 4, "seed": 10})), four);
    for (i, text) in four.iter().enumerate() {
        assert_eq!(said(json!({"seed": 10 + i}))[0], *text);
    }
    assert_ne!(four[0], four[1]);
    let cold = json!({"temperature": 0, "n": 2, "seed": 4});
    let cold = said(cold);
    assert_eq!(cold[0], cold[1]);
    assert_eq!(said(json!({"temperature": 0, "seed": 5}))[0], cold[0]);
    let grades = chat(&server, &with(ask("exact", "a grade"), &json!({"n": 3}))).json();
    assert_eq!(grades["choices"][2]["message"]["content"], "Score: 1");
    assert_eq!(grades["choices"][1]["message"]["content"], "Score: 2");
}

#[test]
fn lengths_and_stops_cut_the_same_reply() {
    let server = serve(SCRIPT);
    let whole = chat(&server, &ask("writer", "Go.")).said();
    let cut = chat(&server, &with(ask("writer", "Go."), &json!({"max_tokens": 4}))).json();
    assert_eq!(cut["choices"][0]["finish_reason"], "length");
    assert_eq!(cut["usage"]["completion_tokens"], 4);
    let text = cut["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    assert!(whole.starts_with(&text) && text.len() < whole.len());
    let stopped = chat(&server, &with(ask("writer", "Go."), &json!({"stop": "."}))).json();
    assert_eq!(stopped["choices"][0]["finish_reason"], "stop");
    assert_eq!(stopped["choices"][0]["message"]["content"], whole.split('.').next().unwrap());
}

#[test]
fn log_probabilities_are_those_of_the_choice() {
    let server = serve(SCRIPT);
    let reply = chat(
        &server,
        &with(ask("exact", "the verdict"), &json!({"logprobs": true, "top_logprobs": 3})),
    )
    .json();
    let tokens = reply["choices"][0]["logprobs"]["content"].as_array().unwrap();
    let text: String = tokens.iter().map(|t| t["token"].as_str().unwrap()).collect();
    assert_eq!(text, "So [[A]]");
    let verdict = tokens.iter().find(|t| t["token"] == "A").unwrap();
    assert!((verdict["logprob"].as_f64().unwrap() - 0.6_f64.ln()).abs() < 1e-12);
    let top = verdict["top_logprobs"].as_array().unwrap();
    let mass: f64 = top.iter().map(|t| t["logprob"].as_f64().unwrap().exp()).sum();
    assert!((mass - 1.0).abs() < 1e-12);
    assert_eq!(top[1]["token"], "B");
    assert_eq!(top[1]["bytes"], json!([66]));
}

#[test]
fn a_stream_says_the_same() {
    let server = serve(SCRIPT);
    let whole = chat(&server, &ask("writer", "Go.")).json();
    let more = json!({"stream": true, "stream_options": {"include_usage": true}, "logprobs": true});
    let answer = chat(&server, &with(ask("writer", "Go."), &more));
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let text = answer.text();
    let events: Vec<&str> = text.split("\n\n").filter(|event| !event.is_empty()).collect();
    assert_eq!(events.last(), Some(&"data: [DONE]"));
    let events: Vec<Value> = events
        .iter()
        .filter_map(|event| serde_json::from_str(event.strip_prefix("data: ")?).ok())
        .collect();
    let said: String =
        events.iter().filter_map(|e| e["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(Value::from(said), whole["choices"][0]["message"]["content"]);
    assert_eq!(events.last().unwrap()["usage"], whole["usage"]);
    assert_eq!(events[events.len() - 2]["choices"][0]["finish_reason"], "stop");
    assert!(events[1]["choices"][0]["logprobs"]["content"][0]["logprob"].as_f64().unwrap() <= 0.0);
}

#[test]
fn completions_score_given_text() {
    let server = serve(SCRIPT);
    let mut client = Client::new(server.address());
    let body = json!({"model": "parrot", "prompt": "One two.", "max_tokens": 0, "echo": true, "logprobs": 2});
    let reply = client.post("/v1/completions", &body).unwrap().json();
    let choice = &reply["choices"][0];
    assert_eq!(choice["text"], "One two.");
    assert_eq!(choice["logprobs"]["tokens"], json!(["One", " two", "."]));
    assert_eq!(choice["logprobs"]["text_offset"], json!([0, 3, 7]));
    assert_eq!(choice["logprobs"]["token_logprobs"][0], Value::Null);
    assert!(choice["logprobs"]["token_logprobs"][1].as_f64().unwrap() < 0.0);
    assert_eq!(reply["usage"]["completion_tokens"], 0);
    let body = json!({"model": "parrot", "prompt": ["a", "b"], "n": 2});
    let reply = client.post("/v1/completions", &body).unwrap().json();
    assert_eq!(reply["choices"][3]["text"], "b");
}

#[test]
fn rewards_come_in_every_form() {
    let server = serve(SCRIPT);
    let mut client = Client::new(server.address());
    let mut post = |path: &str, body: Value| client.post(path, &body).unwrap().json();
    let wrapped = "User: capital? Assistant: Paris.";
    let raw =
        post("/classify", json!({"model": "scorer", "input": wrapped, "use_activation": false}));
    assert_eq!(raw["data"][0]["probs"], json!([1.5]));
    let squashed = post("/classify", json!({"model": "scorer", "input": [wrapped]}));
    let p = squashed["data"][0]["probs"][0].as_f64().unwrap();
    assert!((p - 1.0 / (1.0 + (-1.5_f64).exp())).abs() < 1e-12);
    assert_eq!(
        post("/pooling", json!({"model": "scorer", "input": wrapped}))["data"][0]["data"],
        json!([1.5])
    );
    let vector = post("/v1/embeddings", json!({"model": "scorer", "input": wrapped}));
    assert_eq!(vector["data"][0]["embedding"], json!([1.5]));
    let vector = post("/v1/embeddings", json!({"model": "vectors", "input": ["a", "b"]}));
    assert_eq!(vector["data"][1]["embedding"].as_array().unwrap().len(), 8);
    let remote = post(
        "/get_reward",
        json!({"query": [wrapped, "Paris."], "prompts": ["", ""], "labels": [null, null]}),
    );
    assert_eq!(remote["rewards"], json!([1.5, 1.5]));
    assert_eq!(
        post("/get_reward/scorer", json!({"prompt": "x", "response": "Paris."})),
        json!(1.5)
    );
    assert_eq!(
        post("/tool/lookup", json!({"input": "where is Paris?"})),
        json!({"output": "a city"})
    );
    assert_eq!(client.post("/tool/lookup", &json!({"input": "x"})).unwrap().status, 400);
    assert_eq!(client.post("/tool/none", &json!({})).unwrap().status, 404);
}

#[test]
fn a_reply_does_not_depend_on_arrival_or_network() {
    let script = || Script::parse(SCRIPT).unwrap();
    let server = Server::start(script()).unwrap();
    let bodies: Vec<Value> = (0..20)
        .map(|i| with(ask("writer", &format!("Text {i}")), &json!({"seed": i % 3})))
        .collect();
    let direct: Vec<Vec<u8>> =
        bodies.iter().map(|body| script().answer(body.to_string().as_bytes()).body()).collect();
    let address = server.address();
    let threads: Vec<_> = (0..4_usize)
        .map(|k| {
            let bodies = bodies.clone();
            std::thread::spawn(move || {
                let mut client = Client::new(address);
                let order = (0..bodies.len()).map(|i| (i * 7 + k * 3) % bodies.len());
                order
                    .map(|i| (i, client.post("/v1/chat/completions", &bodies[i]).unwrap().body))
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    for (i, body) in threads.into_iter().flat_map(|thread| thread.join().unwrap()) {
        assert_eq!(body, direct[i]);
    }
    let stats = server.stats();
    assert_eq!(
        (stats.requests, stats.distinct, stats.repeats, stats.answered_again),
        (80, 20, 60, 60)
    );
    assert_eq!((stats.by_model["writer"], stats.in_flight, stats.connections), (80, 0, 4));
    server.reset();
    assert_eq!(server.stats().requests, 0);
}

#[test]
fn counters_are_served_and_a_stopped_server_is_gone() {
    let server = serve(SCRIPT);
    chat(&server, &ask("parrot", "hello"));
    let mut client = Client::new(server.address());
    let stats = client.send("GET", "/stats", &[], b"").unwrap().json();
    assert_eq!((&stats["requests"], &stats["by_status"]["200"]), (&json!(1), &json!(1)));
    let address = server.address();
    drop(server);
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn the_examples_are_scripts() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/lab");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            let script =
                Script::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(script.models().count() > 0);
            names.push(path.file_stem().unwrap().to_string_lossy().into_owned());
        }
    }
    names.sort();
    assert_eq!(names, ["faults", "judge", "jury", "solver"]);
}
