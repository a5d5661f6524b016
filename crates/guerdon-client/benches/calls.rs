//! CPU time and throughput of calls against a chat endpoint that is already running. Prints one JSON line.
//!
//!     cargo bench -p guerdon-client --bench calls -- 4096 256 18080          # requests, in flight, port
//!     cargo bench -p guerdon-client --bench calls -- 4096 256 18080 cached   # with a fresh cache that keeps every call
#![expect(clippy::print_stdout, reason = "a measurement prints its result")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use guerdon_client::{Client, Endpoint, Limits};
use guerdon_core::Message;
use guerdon_core::method::Request;
use rustix::time::{ClockId, clock_gettime};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let number = |at: usize| arguments.get(at).and_then(|argument| argument.parse::<u32>().ok());
    let (Some(requests), Some(flight), Some(port)) = (number(0), number(1), number(2)) else {
        println!(
            "arguments: requests, in flight, port, and `cached` for a cache that keeps every call"
        );
        return;
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("calls.db");
    let cache = arguments.get(3).is_some_and(|word| word == "cached").then_some(file.as_path());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(measure(requests, flight, port, cache));
}

async fn measure(requests: u32, flight: u32, port: u32, cache: Option<&Path>) {
    let mut endpoint = Endpoint::new(format!("http://127.0.0.1:{port}/v1"), "dummy");
    (endpoint.temperature, endpoint.max_tokens) = (Some(0.8), Some(256));
    endpoint.concurrency = flight;
    let endpoints = BTreeMap::from([("dummy".to_owned(), endpoint)]);
    let client = Client::open(endpoints, Limits::default(), cache).expect("a client");
    run(&client, 0..flight, flight).await;
    let work = flight..flight + requests;
    let peer = if cache.is_some() { "guerdon, every call kept" } else { "guerdon" };
    report(peer, &client, work.clone(), flight).await;
    if cache.is_some() {
        report("guerdon, out of the cache", &client, work, flight).await;
    }
}

/// Makes the calls and prints what they took.
async fn report(peer: &str, client: &Client, samples: std::ops::Range<u32>, flight: u32) {
    let requests = samples.end - samples.start;
    let (before, start) = (cpu(), Instant::now());
    run(client, samples, flight).await;
    let (took, cpu) = (start.elapsed().as_secs_f64(), cpu() - before);
    let per_s = (f64::from(requests) / took * 10.0).round() / 10.0;
    let each = (cpu / f64::from(requests) * 1e7).round() / 10.0;
    println!(
        "{{\"peer\": \"{peer}\", \"work\": \"{flight} in flight\", \"per_s\": {per_s}, \"cpu_us_per_call\": {each}}}"
    );
}

/// Makes the calls with these sample numbers, `flight` at a time.
async fn run(client: &Client, samples: std::ops::Range<u32>, flight: u32) {
    let next = Arc::new(AtomicU32::new(samples.start));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..flight {
        let (client, next, end) = (client.clone(), Arc::clone(&next), samples.end);
        workers.spawn(async move {
            loop {
                let sample = next.fetch_add(1, Ordering::Relaxed);
                if sample >= end {
                    return;
                }
                let reply = client.call(&request(sample), "bench").await.expect("a reply");
                assert!(reply.text.contains("\\boxed{42}"), "{}", reply.text);
            }
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker.expect("a worker");
    }
}

fn request(sample: u32) -> Request {
    let message = |role: &str, content: String| Message {
        role: role.into(),
        content,
        tool_calls: Vec::new(),
    };
    let system = message("system", "Solve the problem. Put the answer in \\boxed{}.".into());
    let user = message("user", "What is six times seven? ".repeat(10));
    Request { sample, ..Request::chat(vec![system, user]) }
}

/// Seconds of CPU that this process has taken, all threads and the kernel's part included.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
