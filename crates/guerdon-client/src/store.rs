//! The cache of a running client: lookups, claims, and one thread that commits what is finished in groups.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use guerdon_core::method::Reply;
use tokio::sync::oneshot;

use crate::cache::{Cache, CacheError, Record};
use crate::claim::{Claim, Claims};
use crate::key::Key;
use crate::ledger::Book;

/// How long finished calls gather before they are committed together, while others are under way.
const GATHER: Duration = Duration::from_millis(2);

/// How long counts without a finished call (hits, failures) may stay out of the file.
const FLUSH: Duration = Duration::from_secs(1);

/// Most calls in one commit.
const MOST: usize = 4096;

type Told = oneshot::Sender<Result<(), CacheError>>;

struct Job {
    record: Record,
    told: Told,
    /// Held until the call is committed, even if nobody waits for it any more.
    _claim: Claim,
}

impl AsRef<Record> for Job {
    fn as_ref(&self) -> &Record {
        &self.record
    }
}

pub(crate) struct Store {
    reader: Mutex<Cache>,
    claims: Arc<Claims>,
    /// Calls that were not in the cache and are not finished.
    flying: Arc<AtomicUsize>,
    jobs: Option<Sender<Job>>,
    writer: Option<JoinHandle<()>>,
}

/// A call that is not in the cache: the claim on it, and its place among those under way.
pub(crate) struct Missing<'a> {
    claim: Claim,
    place: Place<'a>,
}

/// A place among the calls under way; left when dropped.
struct Place<'a>(&'a Store);

/// What a lookup found.
pub(crate) enum Found<'a> {
    Reply(Reply),
    Missing(Missing<'a>),
    /// Another process is at it, or this one is about to commit it.
    Claimed,
}

impl Store {
    pub(crate) fn open(path: &std::path::Path, book: Arc<Book>) -> Result<Self, CacheError> {
        let fail = |message: String| CacheError { path: path.to_owned(), message };
        let writer = Cache::open(path)?;
        let reader = Mutex::new(Cache::open(path)?);
        let claims = Claims::open(path).map_err(|error| {
            fail(format!("the file of claims beside it cannot be opened: {error}"))
        })?;
        let (jobs, queue) = channel();
        let flying = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&flying);
        let thread = std::thread::Builder::new().name("guerdon-cache".into());
        let writer = thread
            .spawn(move || Writer { cache: writer, book, flying: seen }.run(&queue))
            .map_err(|error| fail(format!("no thread for it: {error}")))?;
        Ok(Self {
            reader,
            claims: Arc::new(claims),
            flying,
            jobs: Some(jobs),
            writer: Some(writer),
        })
    }

    /// Looks `key` up; what is missing is claimed.
    pub(crate) fn find(&self, key: Key) -> Result<Found<'_>, CacheError> {
        // The claim comes first: whoever held it has committed the reply by the time it is free.
        let claim = self.claims.claim(key).map_err(|error| self.broken(&error.to_string()))?;
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reply) = reader.get(&key)? {
            return Ok(Found::Reply(reply));
        }
        drop(reader);
        let Some(claim) = claim else { return Ok(Found::Claimed) };
        self.flying.fetch_add(1, Ordering::Relaxed);
        Ok(Found::Missing(Missing { claim, place: Place(self) }))
    }

    pub(crate) fn record(&self, key: Key) -> Result<Option<Record>, CacheError> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner).record(&key)
    }

    fn broken(&self, cause: &str) -> CacheError {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        CacheError { path: reader.path().to_owned(), message: cause.to_owned() }
    }
}

impl Missing<'_> {
    /// Keeps the finished call; returns when it is committed. What was begun is committed even if nobody waits for it.
    pub(crate) async fn keep(self, record: Record) -> Result<(), CacheError> {
        let Self { claim, place } = self;
        let gone = || place.0.broken("the thread that writes it has ended");
        let (told, answer) = oneshot::channel();
        let jobs = place.0.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(Job { record, told, _claim: claim }).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.flying.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has told its callers by dropping their channels.
            let _ = writer.join();
        }
    }
}

struct Writer {
    cache: Cache,
    book: Arc<Book>,
    flying: Arc<AtomicUsize>,
}

impl Writer {
    fn run(mut self, queue: &Receiver<Job>) {
        loop {
            let mut batch = Vec::new();
            match queue.recv_timeout(FLUSH) {
                Ok(job) => batch.push(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if !batch.is_empty() {
                batch.extend(queue.try_iter().take(MOST));
                if batch.len() < self.flying.load(Ordering::Relaxed) {
                    // Sleeping costs less than being woken for every job.
                    std::thread::sleep(GATHER);
                    batch.extend(queue.try_iter().take(MOST));
                }
            }
            self.commit(batch);
        }
        self.commit(Vec::new());
    }

    fn commit(&mut self, batch: Vec<Job>) {
        let unsaved = self.book.take_unsaved();
        if batch.is_empty() && unsaved.is_empty() {
            return;
        }
        let outcome = self.cache.commit(&batch, &self.book.endpoints, &unsaved);
        if outcome.is_err() {
            self.book.put_back(unsaved);
        }
        for job in batch {
            // Whoever does not wait any more needs no word.
            let _ = job.told.send(outcome.clone());
        }
    }
}
