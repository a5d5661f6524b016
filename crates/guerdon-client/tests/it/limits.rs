//! Limits, budgets and single flight.

use std::time::{Duration, Instant};

use guerdon_client::{ErrorKind, Limits, Price};
use guerdon_core::method::Request;

use crate::server::{Server, chat, later, status};
use crate::{all, client, numbered, open, total};

#[tokio::test]
async fn calls_in_flight_are_limited() {
    let server = Server::new(|_| later(20, chat("x")));
    let client = client(server.url(), |e| e.concurrency = 4);
    assert!(all(&client, numbered(40)).await.iter().all(Result::is_ok));
    assert_eq!((server.count(), server.peak()), (40, 4));
    assert!(total(&client).waited > 0.1);
}

#[tokio::test]
async fn requests_per_minute_hold() {
    let server = Server::new(|_| chat("x"));
    let client = client(server.url(), |e| e.requests_per_minute = Some(600.0));
    let start = Instant::now();
    assert!(all(&client, numbered(20)).await.iter().all(Result::is_ok));
    // Ten at once, then ten a second.
    let took = start.elapsed().as_secs_f64();
    assert!((0.95..2.5).contains(&took), "{took}");
}

#[tokio::test]
async fn tokens_per_minute_hold_for_what_was_used() {
    let server = Server::new(|_| chat("x"));
    // 15 tokens a call, 10 seconds' worth at once: 100; the reservation of 1000 is given back.
    let client =
        client(server.url(), |e| (e.tokens_per_minute, e.max_tokens) = (Some(600.0), Some(1000)));
    let start = Instant::now();
    for request in numbered(2) {
        client.call(&Request { max_tokens: Some(20), ..request }, "t").await.unwrap();
    }
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test]
async fn the_cap_on_calls_is_never_overshot() {
    let server =
        Server::new(|seen| if seen.nth == 0 { status(500, "x") } else { later(5, chat("x")) });
    let limits = Limits { calls: Some(5), ..Limits::default() };
    let client = open(server.url(), limits, None, |_| {});
    let replies = all(&client, numbered(20)).await;
    assert_eq!(server.count(), 5);
    assert_eq!(replies.iter().filter(|reply| reply.is_ok()).count(), 4);
    let errors: Vec<_> = replies.into_iter().filter_map(Result::err).collect();
    assert!(errors.iter().all(|error| error.kind == ErrorKind::Budget), "{errors:?}");
    assert!(errors[0].message.contains("all 5 calls"), "{}", errors[0]);
}

#[tokio::test]
async fn caps_on_tokens_and_money_hold() {
    for limits in [
        Limits { tokens: Some(150), ..Limits::default() },
        Limits { money: Some(150e-6), ..Limits::default() },
    ] {
        let server = Server::new(|_| later(2, chat("x")));
        let client = open(server.url(), limits, None, |e| {
            (e.max_tokens, e.price) = (Some(5), Price { input: 1.0, output: 1.0 });
        });
        let replies = all(&client, numbered(40)).await;
        let good = replies.iter().filter(|reply| reply.is_ok()).count();
        // 15 tokens each; the last one is refused because its estimate does not fit.
        assert!((7..=10).contains(&good), "{good}");
        assert!(total(&client).input_tokens + total(&client).output_tokens <= 150);
        assert!(
            replies.iter().filter_map(|r| r.as_ref().err()).all(|e| e.kind == ErrorKind::Budget)
        );
    }
}

#[tokio::test]
async fn identical_calls_are_sent_once() {
    let server = Server::new(|_| later(50, chat("42")));
    let client = client(server.url(), |_| {});
    let replies = all(&client, vec![Request::user("?"); 50]).await;
    assert!(replies.iter().all(|reply| reply.as_ref().unwrap().text == "42"));
    let tally = total(&client);
    assert_eq!((server.count(), tally.calls, tally.attempts, tally.shared), (1, 50, 1, 49));
}

#[tokio::test]
async fn failures_are_shared_but_not_kept() {
    let server =
        Server::new(|seen| later(50, if seen.nth == 0 { status(400, "no") } else { chat("42") }));
    let client = client(server.url(), |_| {});
    assert!(all(&client, vec![Request::user("?"); 9]).await.iter().all(Result::is_err));
    assert_eq!(server.count(), 1);
    assert_eq!(client.call(&Request::user("?"), "t").await.unwrap().text, "42");
}

#[tokio::test]
async fn when_the_first_is_given_up_another_takes_over() {
    let server = Server::new(|seen| later(if seen.nth == 0 { 60_000 } else { 5 }, chat("42")));
    let client = client(server.url(), |_| {});
    let spawn = |client: guerdon_client::Client| {
        tokio::spawn(async move { client.call(&Request::user("?"), "t").await })
    };
    let first = spawn(client.clone());
    while server.count() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let second = spawn(client.clone());
    tokio::time::sleep(Duration::from_millis(20)).await;
    first.abort();
    assert_eq!(second.await.unwrap().unwrap().text, "42");
    // The attempt that was given up counts.
    assert_eq!((server.count(), total(&client).attempts), (2, 2));
}

#[tokio::test]
async fn what_comes_out_of_the_cache_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.db");
    let server = Server::new(|_| chat("42"));
    let limits = Limits { calls: Some(1), ..Limits::default() };
    let client = open(server.url(), limits, Some(&path), |_| {});
    for _ in 0..3 {
        assert_eq!(client.call(&Request::user("?"), "t").await.unwrap().text, "42");
    }
    assert_eq!(client.call(&Request::user("!"), "t").await.unwrap_err().kind, ErrorKind::Budget);
}

#[tokio::test]
async fn unreadable_replies_and_absurd_usage_count() {
    let usage = serde_json::json!({"choices": [{"message": {"content": "x"}}], "usage":
        {"prompt_tokens": u64::MAX, "completion_tokens": u64::MAX}});
    let server = Server::new(move |seen| match seen.nth {
        0 => crate::server::ok(&serde_json::json!({"choices": []})),
        _ => crate::server::ok(&usage),
    });
    let limits = Limits { tokens: Some(1 << 30), ..Limits::default() };
    let client = open(server.url(), limits, None, |e| e.tokens_per_minute = Some(1e12));
    let mut errors = Vec::new();
    for request in numbered(3) {
        errors.push(client.call(&request, "t").await.err().map(|error| error.kind));
    }
    assert_eq!(errors, [Some(ErrorKind::Unreadable), None, Some(ErrorKind::Budget)]);
    let tally = total(&client);
    assert_eq!((tally.estimated, tally.attempts), (1, 2));
    assert!(tally.input_tokens > 1 << 39);
}

#[tokio::test]
async fn a_server_that_takes_few_at_once_gets_few_at_once() {
    let flying = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let refused = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (inside, no) = (std::sync::Arc::clone(&flying), std::sync::Arc::clone(&refused));
    let server = Server::new(move |_| {
        use std::sync::atomic::Ordering::SeqCst;
        if inside.fetch_add(1, SeqCst) >= 4 {
            inside.fetch_sub(1, SeqCst);
            no.fetch_add(1, SeqCst);
            return status(429, "too many at once");
        }
        let inside = std::sync::Arc::clone(&inside);
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            inside.fetch_sub(1, SeqCst);
        });
        later(20, chat("42"))
    });
    let client = client(server.url(), |e| (e.concurrency, e.backoff) = (64, 0.05));
    let replies = all(&client, numbered(300)).await;
    assert!(replies.iter().all(Result::is_ok), "{:?}", replies.iter().find(|r| r.is_err()));
    let refused = refused.load(std::sync::atomic::Ordering::SeqCst);
    assert!(refused < 300, "{refused} refusals for 300 calls");
}
