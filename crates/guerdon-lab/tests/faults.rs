//! Every fault, as a client meets it.

mod http;

use std::time::{Duration, Instant};

use guerdon_lab::serve_model::Server;
use http::{Answer, Client, serve};
use serde_json::{Value, json};

fn body(text: &str) -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": text}]})
}

fn with(fault: &str) -> Server {
    serve(&format!("{{seed: 2, models: {{m: {{prose: {{kind: echo}}}}}}, faults: [{fault}]}}"))
}

fn ask(server: &Server, body: &Value) -> Option<Answer> {
    Client::new(server.address()).post("/v1/chat/completions", body)
}

#[test]
fn connections_are_dropped_and_bodies_cut() {
    let server = with("{fault: drop}");
    assert_eq!(ask(&server, &body("a")), None);
    let stats = server.stats();
    assert_eq!((stats.by_status["dropped"], stats.faults["drop"], stats.answered), (1, 1, 0));

    let cut = ask(&with("{fault: cut, at: 0.3}"), &body("a")).unwrap();
    assert!(!cut.whole && !cut.body.is_empty() && cut.status == 200);
    let short = ask(&with("{fault: truncate}"), &body("a")).unwrap();
    assert!(short.whole && serde_json::from_slice::<Value>(&short.body).is_err());
    let mut streamed = body("one two three");
    streamed["stream"] = true.into();
    let short = ask(&with("{fault: truncate}"), &streamed).unwrap();
    assert!(short.whole && short.text().contains("one") && !short.text().contains("[DONE]"));
    let cut = ask(&with("{fault: cut}"), &streamed).unwrap();
    assert!(!cut.whole && cut.text().starts_with("data: "));
}

#[test]
fn statuses_come_with_their_headers() {
    let busy = ask(&with("{fault: busy, retry_after: 0.25}"), &body("a")).unwrap();
    assert_eq!(
        (busy.status, busy.header("retry-after"), busy.header("retry-after-ms")),
        (429, Some("0.25"), Some("250"))
    );
    assert_eq!(busy.json()["error"]["type"], "rate_limit_error");
    let busy = ask(&with("{fault: busy}"), &body("a")).unwrap();
    assert_eq!(busy.header("retry-after"), Some("1"));
    let error = ask(&with("{fault: error, status: 503}"), &body("a")).unwrap();
    assert_eq!((error.status, error.header("retry-after")), (503, None));
    assert_eq!(ask(&with("{fault: error}"), &body("a")).unwrap().status, 500);
}

#[test]
fn bodies_are_not_what_they_should_be() {
    let answer = |fault: &str| ask(&with(fault), &body("a")).unwrap();
    assert!(serde_json::from_slice::<Value>(&answer("{fault: malformed}").body).is_err());
    let html = answer("{fault: html}");
    assert!(
        html.header("content-type").unwrap().starts_with("text/html")
            && html.text().contains("<html>")
    );
    assert!(answer("{fault: empty}").body.is_empty());
    assert_eq!(answer("{fault: no_choices}").json()["choices"], json!([]));
    let other = answer("{fault: wrong_model}").json();
    assert_eq!(
        (&other["model"], &other["choices"][0]["message"]["content"]),
        (&json!("another-model"), &json!("a"))
    );
    let huge = answer("{fault: huge, bytes: 3000000}");
    assert!(huge.body.len() >= 3_000_000);
}

#[test]
fn slow_bodies_trickle_and_stalled_ones_never_end() {
    let slow = with("{fault: slow, bytes: 2000}");
    let start = Instant::now();
    let answer = ask(&slow, &body("a")).unwrap();
    let took = start.elapsed();
    assert_eq!(answer.said(), "a");
    assert!(took > Duration::from_millis(100), "{took:?}");
    assert_eq!(slow.stats().answered, 1, "it was answered in the end");

    let stall = with("{fault: stall}");
    let mut client = Client::new(stall.address()).timeout(Duration::from_millis(300));
    let answer = client.post("/v1/chat/completions", &body("a")).unwrap();
    assert!(!answer.whole && stall.stats().answered == 0);
    // A server with an open connection stops all the same.
    let start = Instant::now();
    drop(stall);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn faults_are_as_probable_as_told_and_repeat_themselves() {
    let run = || {
        let server = with("{fault: error, probability: 0.3}");
        let mut client = Client::new(server.address());
        let mut statuses = Vec::new();
        for i in 0..400 {
            statuses.push(
                client.post("/v1/chat/completions", &body(&format!("{}", i % 200))).unwrap().status,
            );
        }
        statuses
    };
    let first = run();
    assert_eq!(first, run());
    let failed = first.iter().filter(|status| **status == 500).count();
    let interval = guerdon_stats::stats::proportion_ci::wilson(failed as u64, 400, 0.9999);
    assert!((interval.low..=interval.high).contains(&0.3), "{failed}");
    // A retry has a chance of its own.
    assert_ne!(first[..200], first[200..]);
}

#[test]
fn the_first_attempts_fail_or_every_third() {
    let server = with("{fault: busy, first: 2}");
    let statuses: Vec<u16> = (0..3).map(|_| ask(&server, &body("a")).unwrap().status).collect();
    assert_eq!(statuses, [429, 429, 200]);
    assert_eq!(ask(&server, &body("b")).unwrap().status, 429);
    let stats = server.stats();
    assert_eq!(
        (stats.requests, stats.distinct, stats.repeats, stats.answered, stats.answered_again),
        (4, 2, 2, 1, 0)
    );

    let server = with("{fault: error, every: 3}");
    let statuses: Vec<u16> =
        (0..6).map(|i| ask(&server, &body(&i.to_string())).unwrap().status).collect();
    assert_eq!(statuses, [200, 200, 500, 200, 200, 500]);
}

#[test]
fn a_model_has_faults_of_its_own() {
    let server = serve(
        "{models: {m: {prose: {kind: echo}, faults: [{fault: error, status: 502}]}, n: {prose: {kind: echo}}}, faults: [{fault: busy}]}",
    );
    assert_eq!(ask(&server, &body("a")).unwrap().status, 502);
    let mut other = body("a");
    other["model"] = "n".into();
    assert_eq!(ask(&server, &other).unwrap().status, 429);
}

#[test]
fn limits_and_keys_are_kept() {
    let server = serve("{models: {m: {prose: {kind: echo}, limit: {per_second: 0.5, burst: 2}}}}");
    let answers: Vec<Answer> = (0..3).map(|_| ask(&server, &body("a")).unwrap()).collect();
    assert_eq!(answers.iter().map(|a| a.status).collect::<Vec<_>>(), [200, 200, 429]);
    assert_eq!(answers[2].header("retry-after"), Some("2"));

    let server = serve("{key: secret, models: {m: {prose: {kind: echo}}}}");
    let mut client = Client::new(server.address());
    let text = body("a").to_string();
    let mut send = |headers: &[&str]| {
        client.send("POST", "/v1/chat/completions", headers, text.as_bytes()).unwrap().status
    };
    assert_eq!(send(&[]), 401);
    assert_eq!(send(&["Authorization: Bearer other"]), 401);
    assert_eq!(send(&["Authorization: Bearer secret"]), 200);
}

#[test]
fn only_so_many_are_let_in_at_once() {
    let server = serve(
        "{models: {m: {prose: {kind: echo}}}, limit: {concurrent: 1}, latency: {mean_ms: 300}}",
    );
    let address = server.address();
    let threads: Vec<_> = (0..3)
        .map(|i| {
            std::thread::spawn(move || {
                Client::new(address)
                    .post("/v1/chat/completions", &body(&i.to_string()))
                    .unwrap()
                    .status
            })
        })
        .collect();
    let mut statuses: Vec<u16> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 429, 429]);
    assert!(server.stats().most_in_flight >= 2);
}

#[test]
fn calls_take_their_time() {
    let server =
        serve("{models: {m: {prose: {kind: echo}}}, latency: {mean_ms: 50, per_token_ms: 20}}");
    let start = Instant::now();
    assert_eq!(ask(&server, &body("one two three")).unwrap().status, 200);
    assert!(start.elapsed() >= Duration::from_millis(110));
    let mut streamed = body("one two three");
    streamed["stream"] = true.into();
    let start = Instant::now();
    assert!(ask(&server, &streamed).unwrap().text().ends_with("data: [DONE]\n\n"));
    assert!(start.elapsed() >= Duration::from_millis(110));
}

#[test]
fn unseeded_calls_are_fresh_where_the_script_says_so() {
    let server = serve("{fresh: true, models: {m: {prose: {}}}}");
    let said = |body: &Value| ask(&server, body).unwrap().said();
    assert_ne!(said(&body("a")), said(&body("a")));
    let mut seeded = body("a");
    seeded["seed"] = 1.into();
    assert_eq!(said(&seeded), said(&seeded));
}
