//! Servers and networks that fail.

use std::time::{Duration, Instant, SystemTime};

use guerdon_client::{CallError, Client, ErrorKind};
use guerdon_core::method::Request;
use serde_json::json;

use crate::server::{Act, Server, chat, later, ok, status};
use crate::{all, client, numbered, total};

async fn fails(client: &Client) -> CallError {
    client.call(&Request::user("?"), "t").await.unwrap_err()
}

#[tokio::test]
async fn passing_failures_are_repeated() {
    let server = Server::new(|seen| match seen.nth {
        0 => status(500, "boom"),
        1 => status(503, "busy"),
        2 => Act::Raw(Vec::new()),
        3 => Act::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"choices\"".to_vec()),
        4 => Act::Raw(b"this is not http\r\n\r\n".to_vec()),
        5 => Act::Reply(200, String::new(), "{\"choices\": [".into()),
        _ => chat("42"),
    });
    let client = client(server.url(), |e| e.retries = 5);
    assert_eq!(client.call(&Request::user("?"), "t").await.unwrap().text, "42");
    let tally = total(&client);
    // The third attempt ran into a kept connection that closed: that costs no retry.
    assert_eq!((tally.calls, tally.attempts, tally.retries, tally.errors.len()), (1, 7, 5, 0));
    assert_eq!(tally.faults[&ErrorKind::Server], 2);
    assert_eq!(tally.faults[&ErrorKind::Connection], 2);
    assert_eq!(tally.faults[&ErrorKind::Unreadable], 2);
}

#[tokio::test]
async fn retries_end() {
    let server = Server::new(|_| status(500, "boom"));
    let client = client(server.url(), |e| e.retries = 2);
    let error = fails(&client).await;
    assert_eq!((error.kind, error.status, error.attempts), (ErrorKind::Server, Some(500), 3));
    assert!(
        error
            .to_string()
            .contains("model `judge`: the server answers 500: boom (after 3 attempts)"),
        "{error}"
    );
    assert_eq!((server.count(), total(&client).errors[&ErrorKind::Server]), (3, 1));
}

#[tokio::test]
async fn retry_after_is_obeyed_and_costs_no_retry() {
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(2));
    let server = Server::new(move |seen| match seen.nth {
        0 => Act::Reply(429, "retry-after: 1\r\n".into(), "{}".into()),
        1 => Act::Reply(429, format!("retry-after: {date}\r\n"), "{}".into()),
        _ => chat("42"),
    });
    let client = client(server.url(), |e| e.retries = 0);
    let start = Instant::now();
    assert_eq!(client.call(&Request::user("?"), "t").await.unwrap().text, "42");
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    assert!(total(&client).waited >= 1.0);
}

#[tokio::test]
async fn a_pause_holds_for_all_calls_and_a_long_one_is_not_waited_for() {
    let server = Server::new(|_| Act::Reply(429, "retry-after: 3600\r\n".into(), "{}".into()));
    let client = client(server.url(), |e| e.deadline = 2.0);
    let error = fails(&client).await;
    assert_eq!((error.kind, server.count()), (ErrorKind::RateLimited, 1));
    assert!(error.remedy.contains("requests_per_minute"), "{error}");
}

#[tokio::test]
async fn without_a_time_to_come_back_429_is_a_failure_like_others() {
    let server = Server::new(|_| status(429, "slow down"));
    let client = client(server.url(), |e| e.retries = 2);
    assert_eq!((fails(&client).await.kind, server.count()), (ErrorKind::RateLimited, 3));
}

#[tokio::test]
async fn what_cannot_pass_is_not_repeated() {
    for (act, kind) in [
        (json!({"choices": []}), ErrorKind::Unreadable),
        (json!({"object": "list"}), ErrorKind::Unreadable),
        (json!([1]), ErrorKind::Unreadable),
        (json!({"error": {"code": 400, "message": "too long"}}), ErrorKind::Refused),
    ] {
        let server = Server::new(move |_| ok(&act));
        let client = client(server.url(), |_| {});
        assert_eq!((fails(&client).await.kind, server.count()), (kind, 1));
    }
    for (code, hint) in [(400, "too long"), (401, "key_env"), (413, "too long"), (422, "too long")]
    {
        let server = Server::new(move |_| status(code, "too long"));
        let client = client(server.url(), |_| {});
        let error = fails(&client).await;
        assert_eq!((error.kind, error.status, server.count()), (ErrorKind::Refused, Some(code), 1));
        assert!(error.to_string().contains(hint), "{error}");
    }
}

#[tokio::test]
async fn redirects_are_named() {
    let server = Server::new(|_| {
        Act::Reply(307, "location: https://elsewhere/v1\r\n".into(), String::new())
    });
    let error = fails(&client(server.url(), |_| {})).await;
    assert!(error.to_string().contains("https://elsewhere/v1"), "{error}");
}

#[tokio::test]
async fn a_wrong_model_is_told_the_right_ones_once() {
    let server = Server::new(|seen| {
        if seen.line.starts_with("GET /v1/models ") {
            return ok(&json!({"data": [{"id": "alpha"}, {"id": "beta"}]}));
        }
        status(404, "The model `m` does not exist.")
    });
    let client = client(server.url(), |_| {});
    for _ in 0..2 {
        let error = fails(&client).await;
        assert!(error.remedy.contains("the server has: alpha, beta"), "{error}");
        assert_eq!(error.status, Some(404));
    }
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn slow_heads_and_slow_bodies_time_out() {
    for act in [|| later(5000, chat("late")), || Act::Drip(Duration::from_millis(20))] {
        let server = Server::new(move |_| act());
        let client = client(server.url(), |e| (e.timeout, e.retries) = (0.3, 1));
        let start = Instant::now();
        let error = fails(&client).await;
        assert_eq!((error.kind, error.attempts), (ErrorKind::Timeout, 2));
        assert!((0.6..3.0).contains(&start.elapsed().as_secs_f64()), "{:?}", start.elapsed());
        assert!(error.remedy.contains("timeout"), "{error}");
    }
}

#[tokio::test]
async fn the_deadline_bounds_a_call_with_all_its_attempts() {
    let server = Server::new(|_| later(100, status(500, "boom")));
    let client = client(server.url(), |e| (e.deadline, e.retries, e.break_after) = (0.5, 1000, 0));
    let start = Instant::now();
    let error = fails(&client).await;
    assert!(error.message.contains("deadline") || error.kind == ErrorKind::Timeout, "{error}");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test]
async fn bodies_are_bounded() {
    let declared = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n".to_vec();
    let mut endless = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let chunk = [b"100000\r\n".as_slice(), &vec![b' '; 1 << 20], b"\r\n"].concat();
    (0..66).for_each(|_| endless.extend(&chunk));
    for bytes in [declared, endless] {
        let server = Server::new(move |_| Act::Raw(bytes.clone()));
        let error = fails(&client(server.url(), |_| {})).await;
        assert_eq!((error.kind, error.attempts), (ErrorKind::Unreadable, 1));
        assert!(error.message.contains("64 MB"), "{error}");
    }
}

#[tokio::test]
async fn an_encoded_body_is_refused_clearly() {
    let server = Server::new(|_| Act::Reply(200, "content-encoding: gzip\r\n".into(), "x".into()));
    let error = fails(&client(server.url(), |e| e.retries = 0)).await;
    assert!(error.message.contains("gzip"), "{error}");
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_is_replaced() {
    let body = json!({"choices": [{"message": {"content": "42"}}]}).to_string();
    let server = Server::new(move |_| Act::Close(body.clone()));
    let client = client(server.url(), |e| e.retries = 0);
    for request in numbered(20) {
        assert_eq!(client.call(&request, "t").await.unwrap().text, "42");
    }
    assert_eq!(total(&client).retries, 0);
}

#[tokio::test]
async fn a_storm_is_sat_out() {
    let start = Instant::now();
    let storm = Duration::from_millis(1500);
    let server = Server::new(move |seen| match (seen.nth, start.elapsed() < storm) {
        (0, _) => chat("up"),
        (_, true) => status(500, "storm"),
        _ => later(5, chat("42")),
    });
    let client = client(server.url(), |e| (e.retries, e.break_after, e.concurrency) = (3, 8, 64));
    client.call(&Request::user("first"), "t").await.unwrap();
    let replies = all(&client, numbered(200)).await;
    assert!(replies.iter().all(Result::is_ok), "{:?}", replies.iter().find(|r| r.is_err()));
    // The first wave fails, and then one probe at a time.
    let failed = server.count() - 201;
    assert!((8..=64 + 8).contains(&failed), "{failed} attempts failed");
}

#[tokio::test]
async fn an_absent_endpoint_is_waited_for_once() {
    let gone = Server::new(|_| chat("x")).url();
    let client = client(gone, |e| (e.deadline, e.break_after, e.retries) = (0.8, 2, 1));
    let start = Instant::now();
    let first = fails(&client).await;
    assert!(matches!(first.kind, ErrorKind::Connection | ErrorKind::Unavailable), "{first}");
    let errors = all(&client, numbered(50)).await;
    assert!(errors.iter().all(Result::is_err));
    for call in numbered(50) {
        client.call(&call, "t").await.unwrap_err();
    }
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    assert!(total(&client).attempts < 30, "{}", total(&client).attempts);
}
