//! What takes processes of its own: a run that is killed at any moment pays for no finished call again, two processes share
//! a cache, keys stay where they are, and TLS is checked.
//!
//! The test starts itself as a child. Moments to kill it at come from a seed.

mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use guerdon_client::{Client, Endpoint, Limits};
use guerdon_core::method::Request;
use libtest_mimic::{Arguments, Trial};
use server::{Act, Server, chat, later, status};

const URL: &str = "GUERDON_CLIENT_TEST_URL";
const CACHE: &str = "GUERDON_CLIENT_TEST_CACHE";
const KEY: &str = "GUERDON_CLIENT_TEST_KEY";
const CALLS: usize = 400;
const FLIGHT: u32 = 16;

fn main() -> ExitCode {
    if let Ok(url) = std::env::var(URL) {
        return child(&url);
    }
    let mut trials = vec![
        Trial::test("two_processes_pay_once", || {
            two_processes_pay_once();
            Ok(())
        }),
        Trial::test("keys_stay_where_they_are", || {
            keys_stay_where_they_are();
            Ok(())
        }),
        Trial::test("placeholders_are_no_keys", || {
            placeholders_are_no_keys();
            Ok(())
        }),
        Trial::test("servers_are_checked", || {
            servers_are_checked();
            Ok(())
        }),
    ];
    let killed = |seed| {
        Trial::test(format!("killed::{seed}"), move || {
            killed(seed);
            Ok(())
        })
    };
    trials.extend((0..3).map(killed));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Makes the calls, and writes the number of each to standard output once it has returned.
fn child(url: &str) -> ExitCode {
    let cache = std::env::var_os(CACHE);
    let key_env = std::env::var_os(KEY).map(|_| KEY.to_owned());
    let endpoint = Endpoint { key_env, concurrency: FLIGHT, retries: 0, ..Endpoint::new(url, "m") };
    let endpoints = BTreeMap::from([("judge".to_owned(), endpoint)]);
    let client = match Client::open(endpoints, Limits::default(), cache.as_deref().map(Path::new)) {
        Ok(client) => client,
        Err(error) => {
            say(&format!("{error}\n{error:?}"));
            return ExitCode::FAILURE;
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut calls = tokio::task::JoinSet::new();
        for number in 0..CALLS {
            let client = client.clone();
            calls.spawn(async move {
                match client.call(&Request::user(number.to_string()), "t").await {
                    Ok(reply) => say(&format!("{number} {}", reply.text)),
                    Err(error) => say(&format!("error: {error}\n{error:?}")),
                }
            });
        }
        while calls.join_next().await.is_some() {}
    });
    say(&format!("{client:?}\n{:?}", client.ledger()));
    ExitCode::SUCCESS
}

/// One line, whole and at once.
fn say(text: &str) {
    std::io::stdout().lock().write_all(format!("{text}\n").as_bytes()).unwrap();
}

fn spawn(url: &str, cache: Option<&Path>, variables: &[(&str, &str)]) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(URL, url).stdout(Stdio::piped()).envs(variables.iter().copied());
    if let Some(cache) = cache {
        command.env(CACHE, cache);
    }
    command.spawn().unwrap()
}

/// What a child said until its end.
fn words(child: &mut Child) -> String {
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    child.wait().unwrap();
    said
}

/// The numbers of the calls that a child reported.
fn reported(said: &str) -> BTreeSet<usize> {
    said.lines().filter_map(|line| line.split_once(' ')?.0.parse().ok()).collect()
}

fn killed(seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("calls.db");
    let server = Server::new(|seen| later(4, chat(&seen.text())));
    let mut finished = BTreeSet::new();
    let mut kills = 0;
    loop {
        let mut child = spawn(&server.url(), Some(&cache), &[]);
        // Somewhere within the next hundred requests, and a little later.
        let roll = (seed * 7919 + kills * 104_729) % 997;
        let (goal, delay) = (server.count() as u64 + roll % 100, Duration::from_micros(roll * 9));
        let start = Instant::now();
        while (server.count() as u64) < goal && child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < Duration::from_mins(1), "the child makes no progress");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(delay);
        let _ = child.kill();
        let said = words(&mut child);
        finished.extend(reported(&said));
        // What was reported is in the cache: nothing that is asked from now on is among it.
        std::thread::sleep(Duration::from_millis(20));
        let asked = server.count();
        let before = finished.clone();
        if said.contains("Ledger") {
            break;
        }
        kills += 1;
        let probe = spawn_until(&server, &cache, asked + 5);
        let again = server.seen()[asked..]
            .iter()
            .map(|seen| seen.text().parse().unwrap())
            .collect::<BTreeSet<usize>>();
        assert!(again.is_disjoint(&before), "paid twice: {:?}", again.intersection(&before));
        finished.extend(reported(&probe));
    }
    assert!(kills >= 2, "{kills}");
    assert_eq!(finished.len(), CALLS);
    // Each kill loses at most what was in flight or about to be committed; every round kills twice.
    let lost = (server.count() - CALLS) as u64;
    assert!(lost <= 2 * kills * 2 * u64::from(FLIGHT), "{lost} calls lost in {kills} rounds");
    let before = server.count();
    assert_eq!(reported(&words(&mut spawn(&server.url(), Some(&cache), &[]))).len(), CALLS);
    assert_eq!(server.count(), before);
}

/// Runs a child until the server has seen `goal` requests, and kills it.
fn spawn_until(server: &Server, cache: &Path, goal: usize) -> String {
    let mut child = spawn(&server.url(), Some(cache), &[]);
    while server.count() < goal && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let _ = child.kill();
    words(&mut child)
}

fn two_processes_pay_once() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("calls.db");
    let server = Server::new(|seen| later(10, chat(&seen.text())));
    let mut children =
        [spawn(&server.url(), Some(&cache), &[]), spawn(&server.url(), Some(&cache), &[])];
    for child in &mut children {
        assert_eq!(reported(&words(child)).len(), CALLS);
    }
    if cfg!(target_os = "linux") {
        assert_eq!(server.count(), CALLS);
    }
    let ledger = guerdon_client::Cache::open(&cache).unwrap().ledger().unwrap();
    assert_eq!(ledger.total.calls, 2 * CALLS as u64);
    assert_eq!(ledger.total.attempts, server.count() as u64);
}

fn keys_stay_where_they_are() {
    let key = "sk-test-4f9a8b7c6d5e4f3a2b1c";
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("calls.db");
    let server = Server::new(|seen| {
        let key =
            seen.headers.split("authorization: bearer ").nth(1).unwrap_or("no key").lines().next();
        let key = key.unwrap_or_default();
        match seen.nth % 3 {
            0 => status(401, &format!("Incorrect API key provided: {key}")),
            1 => Act::Reply(404, String::new(), format!("<p>{key}</p>")),
            _ => chat(&format!("your key is {key}")),
        }
    });
    let mut child = spawn(&server.url(), Some(&cache), &[(KEY, key)]);
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while lines.read_line(&mut said).unwrap() > 0 {
        assert!(!files(folder.path()).contains(key), "in a file while running");
    }
    child.wait().unwrap();
    assert!(server.seen()[0].headers.contains(key), "the key was sent");
    assert!(
        said.contains("your key is ****") && said.contains("Incorrect API key provided: ****"),
        "{said}"
    );
    assert!(!said.contains(key) && said.contains("Ledger"), "{said}");
    let files = files(folder.path());
    assert!(!files.contains(key) && files.contains("your key is ****"));
}

/// Local servers are given any word as a key; it must not be struck out of replies.
fn placeholders_are_no_keys() {
    let server = Server::new(|_| chat("the list is EMPTY"));
    let said = words(&mut spawn(&server.url(), None, &[(KEY, "EMPTY")]));
    assert!(said.contains("the list is EMPTY"), "{said}");
    assert!(server.seen()[0].headers.contains("authorization: bearer empty"));
}

/// Everything in a folder's files, as text.
fn files(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap();
    let read = |path: &Path| std::fs::read(path).unwrap_or_default();
    entries
        .map(|entry| String::from_utf8_lossy(&read(&entry.unwrap().path())).into_owned())
        .collect()
}

fn servers_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let file = folder.path().join("certificate.pem");
    std::fs::write(&file, certified.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key.into())
        .unwrap();
    let server = Server::start(Some(Arc::new(config).into()), |seen| chat(&seen.text()));
    let url = |host: &str| format!("https://{host}:{}/v1", server.port);
    let trusting = [("SSL_CERT_FILE", file.to_str().unwrap())];
    let said = words(&mut spawn(&url("localhost"), None, &trusting));
    assert_eq!(reported(&said).len(), CALLS, "{said}");
    for (host, variables) in [("127.0.0.1", trusting.as_slice()), ("localhost", &[])] {
        let said = words(&mut spawn(&url(host), None, variables));
        assert!(reported(&said).is_empty() && said.contains("SSL_CERT_FILE"), "{said}");
    }
}
