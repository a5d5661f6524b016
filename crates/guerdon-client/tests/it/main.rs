//! The client against a real server on loopback.

#[path = "../server/mod.rs"]
mod server;

mod cached;
mod failures;
mod hostile;
mod keys;
mod limits;
mod speaks;

use std::collections::BTreeMap;
use std::path::Path;

use guerdon_client::{CallError, Client, Endpoint, Limits, Tally};
use guerdon_core::method::{Reply, Request};

/// A client with one endpoint, whose repetitions are quick.
fn client(url: String, change: impl FnOnce(&mut Endpoint)) -> Client {
    open(url, Limits::default(), None, change)
}

fn open(
    url: String,
    limits: Limits,
    cache: Option<&Path>,
    change: impl FnOnce(&mut Endpoint),
) -> Client {
    let mut endpoint = Endpoint { backoff: 0.01, timeout: 10.0, ..Endpoint::new(url, "m") };
    change(&mut endpoint);
    Client::open(BTreeMap::from([("judge".to_owned(), endpoint)]), limits, cache).unwrap()
}

/// All these calls at once, in their order.
async fn all(client: &Client, requests: Vec<Request>) -> Vec<Result<Reply, CallError>> {
    let calls = requests.into_iter().map(|request| {
        let client = client.clone();
        tokio::spawn(async move { client.call(&request, "test").await })
    });
    let mut replies = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        replies.push(call.await.unwrap());
    }
    replies
}

/// `count` different requests.
fn numbered(count: u32) -> Vec<Request> {
    (0..count).map(|sample| Request { sample, ..Request::user("?") }).collect()
}

fn total(client: &Client) -> Tally {
    client.ledger().total
}
