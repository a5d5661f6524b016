//! The cache and the ledger in its file.

use std::path::Path;
use std::time::Duration;

use guerdon_client::{Cache, Client, ClientError, ErrorKind, Limits, Price, Prune};
use guerdon_core::method::Request;
use serde_json::json;

use crate::server::{Server, chat, ok, status};
use crate::{all, numbered, open, total};

fn cached(server: &Server, path: &Path) -> Client {
    open(server.url(), Limits::default(), Some(path), |e| {
        e.price = Price { input: 1.0, output: 1.0 }
    })
}

#[tokio::test]
async fn a_call_is_paid_for_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/calls.db");
    let server = Server::new(|_| chat("42"));
    let first = cached(&server, &path);
    assert!(all(&first, numbered(100)).await.iter().all(Result::is_ok));
    drop(first);
    // Somewhere else now, which changes no key.
    let moved = Server::new(|_| chat("never"));
    let second = cached(&moved, &path);
    let replies = all(&second, numbered(100)).await;
    assert!(replies.iter().all(|reply| reply.as_ref().unwrap().text == "42"));
    assert_eq!((server.count(), moved.count()), (100, 0));
    assert_eq!((total(&second).hits, total(&second).attempts), (100, 0));
    let record = second.record(&numbered(1)[0]).unwrap().unwrap();
    assert!(
        record.request.contains(r#""messages":[{"role":"user","content":"?"}]"#),
        "{}",
        record.request
    );
    drop(second);
    let ledger = Cache::open(&path).unwrap().ledger().unwrap();
    assert_eq!((ledger.total.calls, ledger.total.attempts, ledger.total.hits), (200, 100, 100));
    assert_eq!((ledger.total.input_tokens, ledger.total.money), (1000, 1500e-6));
}

#[tokio::test]
async fn replies_come_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.db");
    let server = Server::new(|seen| {
        let body = json!({"choices": [{"message": {"content": "4\u{0}2 \u{1f600}"}, "finish_reason": "length", "logprobs": {"content":
            [{"token": "4", "logprob": -0.1, "top_logprobs": [{"token": "4", "logprob": -0.1}]}]}}]});
        if seen.nth == 0 { ok(&body) } else { status(500, "asked twice") }
    });
    let request = Request { top_logprobs: 1, ..Request::user("?") };
    let fresh = cached(&server, &path).call(&request, "t").await.unwrap();
    let kept = cached(&server, &path).call(&request, "t").await.unwrap();
    assert_eq!(fresh, kept);
    assert!(kept.truncated && kept.logprobs[0].top.len() == 1);
}

#[tokio::test]
async fn errors_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.db");
    let server = Server::new(|seen| if seen.nth == 0 { status(400, "no") } else { chat("42") });
    let client = cached(&server, &path);
    client.call(&Request::user("?"), "t").await.unwrap_err();
    assert_eq!(client.call(&Request::user("?"), "t").await.unwrap().text, "42");
    drop(client);
    let ledger = Cache::open(&path).unwrap().ledger().unwrap();
    assert_eq!(ledger.total.errors[&ErrorKind::Refused], 1);
}

#[tokio::test]
async fn files_that_are_no_cache_are_refused_and_left_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let open = |path: &Path| match Client::open([].into(), Limits::default(), Some(path)) {
        Err(ClientError::Cache(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let text = folder.path().join("notes.txt");
    std::fs::write(
        &text,
        "these are notes, and long enough to be read as the head of something else".repeat(20),
    )
    .unwrap();
    assert!(open(&text).contains("is no cache"), "{}", open(&text));
    assert!(std::fs::read_to_string(&text).unwrap().starts_with("these are notes"));
    let foreign = folder.path().join("foreign.db");
    let database = rusqlite::Connection::open(&foreign).unwrap();
    database.execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(open(&foreign).contains("another program's"), "{}", open(&foreign));
    let newer = folder.path().join("newer.db");
    drop(Cache::open(&newer).unwrap());
    rusqlite::Connection::open(&newer).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    assert!(open(&newer).contains("newer Guerdon"), "{}", open(&newer));
    assert!(open(folder.path()).contains("cache "), "{}", open(folder.path()));
}

#[tokio::test]
async fn a_damaged_file_is_an_error_and_no_reply() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.db");
    let server = Server::new(|_| chat(&"long ".repeat(200)));
    let client = cached(&server, &path);
    assert!(all(&client, numbered(200)).await.iter().all(Result::is_ok));
    drop(client);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 4..bytes.len() - 4096;
    bytes[middle].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    let kept = match Client::open(
        [("judge".to_owned(), guerdon_client::Endpoint::new(server.url(), "m"))].into(),
        Limits::default(),
        Some(&path),
    ) {
        Err(error) => return assert!(error.to_string().contains("damaged"), "{error}"),
        Ok(client) => client,
    };
    let replies = all(&kept, numbered(200)).await;
    let errors: Vec<String> =
        replies.into_iter().filter_map(Result::err).map(|e| e.to_string()).collect();
    assert!(errors.iter().any(|error| error.contains("damaged")), "{errors:?}");
}

#[tokio::test]
async fn stats_and_pruning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.db");
    let server = Server::new(|_| chat(&"long ".repeat(1000)));
    let client = cached(&server, &path);
    for request in numbered(20) {
        client.call(&request, "t").await.unwrap();
    }
    drop(client);
    let mut cache = Cache::open(&path).unwrap();
    let before = cache.stats().unwrap();
    assert_eq!((before.total.replies, before.models["m"].input_tokens), (20, 200));
    assert!(before.total.bytes > 100_000 && before.total.oldest > 1_700_000_000);
    assert_eq!(cache.prune(&Prune::default()).unwrap(), 0);
    let hour = Prune { older_than: Some(Duration::from_hours(1)), ..Prune::default() };
    assert_eq!(cache.prune(&hour).unwrap(), 0);
    let half = before.total.bytes / 2;
    assert_eq!(cache.prune(&Prune { max_bytes: Some(half), ..Prune::default() }).unwrap(), 10);
    let after = cache.stats().unwrap();
    assert!(after.total.bytes <= half && after.file_bytes < before.file_bytes, "{after:?}");
    // The newest stay.
    assert!(cache.get(&cached(&server, &path).key(&numbered(20)[19]).unwrap()).unwrap().is_some());
    assert_eq!(cache.prune(&Prune { model: Some("other".into()), ..Prune::default() }).unwrap(), 0);
    assert_eq!(cache.prune(&Prune { model: Some("m".into()), ..Prune::default() }).unwrap(), 10);
    assert_eq!(cache.ledger().unwrap().total.input_tokens, 200);
}

#[tokio::test]
async fn values_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.db");
    let server = Server::new(|_| ok(&json!({"data": [{"embedding": [0.1, -2.5e-300]}]})));
    for _ in 0..2 {
        let client = open(server.url(), Limits::default(), Some(&path), |e| {
            e.api = guerdon_client::Api::Embeddings;
        });
        assert_eq!(client.call(&Request::user("?"), "t").await.unwrap().values, [0.1, -2.5e-300]);
    }
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn what_is_paid_is_kept_although_nobody_waits_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.db");
    let server = Server::new(|_| chat("42"));
    let client = cached(&server, &path);
    for request in numbered(40) {
        let (here, asked) = (client.clone(), request.clone());
        let before = server.count();
        let call = tokio::spawn(async move { here.call(&asked, "t").await });
        while server.count() == before {
            tokio::task::yield_now().await;
        }
        // Somewhere between the reply and its commit.
        let spins = request.sample * 20;
        for _ in 0..spins {
            tokio::task::yield_now().await;
        }
        call.abort();
        let _ = call.await;
        assert_eq!(client.call(&request, "t").await.unwrap().text, "42");
    }
    let ledger = client.ledger().total;
    // Every reply that came was kept: what was asked again had got none.
    assert_eq!((ledger.input_tokens, ledger.attempts), (400, server.count() as u64));
}
