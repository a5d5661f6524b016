//! The cache: every finished call, by its key, in one SQLite file that processes can share.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use guerdon_core::method::Reply;
use rusqlite::{Connection, TransactionBehavior};
use serde::{Deserialize, Serialize};

use crate::key::Key;
use crate::ledger::{Ledger, Pages, ledger};
use crate::rows;

/// "Guer" in ASCII: marks the file as ours.
const APPLICATION: i32 = 0x4775_6572;
const VERSION: i32 = 1;

/// Why the cache cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for CacheError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cache {}: {}", self.path.display(), self.message)
    }
}

impl std::error::Error for CacheError {}

/// A finished call.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The content address.
    pub key: Key,
    /// The model's name at its endpoint.
    pub model: String,
    /// The endpoint's name in the spec that asked first.
    pub endpoint: String,
    /// The signal that asked first.
    pub tag: String,
    /// When the reply came.
    pub made: SystemTime,
    /// The request's body as it was sent.
    pub request: String,
    /// The reply.
    pub reply: Reply,
    /// Tokens of the prompt.
    pub input_tokens: u64,
    /// Generated tokens.
    pub output_tokens: u64,
    /// What it cost.
    pub money: f64,
}

/// What the cache holds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Stats {
    /// Bytes of the file on disk, without its journal.
    pub file_bytes: u64,
    /// All models together.
    pub total: Held,
    /// Per model.
    pub models: BTreeMap<String, Held>,
}

/// Replies that the cache holds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Held {
    /// How many.
    pub replies: u64,
    /// Bytes of requests and replies.
    pub bytes: u64,
    /// Tokens of prompts that they took.
    pub input_tokens: u64,
    /// Generated tokens.
    pub output_tokens: u64,
    /// What they cost.
    pub money: f64,
    /// When the oldest came, in seconds since 1970.
    pub oldest: u64,
    /// When the newest came, in seconds since 1970.
    pub newest: u64,
}

/// What to remove. A reply goes that meets any condition; with none set, none goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prune {
    /// Replies older than this.
    pub older_than: Option<Duration>,
    /// Replies of this model.
    pub model: Option<String>,
    /// The oldest replies, until requests and replies take no more bytes than this.
    pub max_bytes: Option<u64>,
}

/// The cache's file. The ledger in it outlives what is pruned.
pub struct Cache {
    path: PathBuf,
    connection: Connection,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("path", &self.path).finish_non_exhaustive()
    }
}

/// How long to wait for another process that writes.
const BUSY: Duration = Duration::from_mins(1);

impl Cache {
    /// Opens the file, or makes it together with its folder.
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|error| fail(path, &format!("the folder cannot be made: {error}")))?;
        }
        let connection = Connection::open(path).map_err(|error| explain(path, &error))?;
        let mut cache = Self { path: path.to_owned(), connection };
        cache.prepare_patiently().map_err(|e| explain(path, &e))?.map_err(|m| fail(path, &m))?;
        Ok(cache)
    }

    /// Two processes that make the file at once may get in each other's way, which SQLite does not wait out by itself.
    fn prepare_patiently(&mut self) -> rusqlite::Result<Result<(), String>> {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
        for _ in 0..100 {
            match self.prepare() {
                Err(error)
                    if matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked)) =>
                {
                    std::thread::sleep(Duration::from_millis(20));
                }
                other => return other,
            }
        }
        self.prepare()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sets the connection up, and the file where it is new. The inner error is a file that is not ours.
    fn prepare(&mut self) -> rusqlite::Result<Result<(), String>> {
        self.connection.busy_timeout(BUSY)?;
        if let Err(message) = self.identify()? {
            return Ok(Err(message));
        }
        // Every commit is on the disk before a reply is handed out: groups of calls share the wait for it.
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        self.connection.pragma_update(None, "journal_mode", "WAL")?;
        self.connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if number(&transaction, "user_version")? == 0 {
            transaction.execute_batch(rows::SCHEMA)?;
            transaction.pragma_update(None, "application_id", APPLICATION)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
        }
        transaction.commit()?;
        Ok(Ok(()))
    }

    fn identify(&self) -> rusqlite::Result<Result<(), String>> {
        let count = "SELECT count(*) FROM sqlite_schema";
        let objects: i64 = self.connection.query_row(count, [], |row| row.get(0))?;
        let application = number(&self.connection, "application_id")?;
        let version = number(&self.connection, "user_version")?;
        Ok(match (application, version) {
            (APPLICATION, ..=VERSION) => Ok(()),
            (APPLICATION, newer) => Err(format!(
                "a newer Guerdon wrote it (format {newer}, this one reads {VERSION}): update Guerdon or name another file"
            )),
            (0, 0) if objects == 0 => Ok(()),
            _ => Err("the file is another program's database: name another file".into()),
        })
    }

    /// The reply kept under `key`.
    pub fn get(&self, key: &Key) -> Result<Option<Reply>, CacheError> {
        self.query(|connection| rows::reply(connection, key))
    }

    /// Everything kept under `key`, with the request as it was sent.
    pub fn record(&self, key: &Key) -> Result<Option<Record>, CacheError> {
        self.query(|connection| rows::record(connection, key))
    }

    /// Keeps a finished call. One that is there already stays.
    pub fn put(&mut self, record: &Record) -> Result<(), CacheError> {
        self.commit(std::slice::from_ref(record), &[], &Pages::new())
    }

    /// Keeps finished calls and adds to the ledger, all or nothing.
    pub(crate) fn commit<R: AsRef<Record>>(
        &mut self,
        records: &[R],
        endpoints: &[String],
        pages: &Pages,
    ) -> Result<(), CacheError> {
        self.write(|connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            records.iter().try_for_each(|record| rows::insert(&transaction, record.as_ref()))?;
            rows::save(&transaction, endpoints, pages)?;
            transaction.commit()
        })
    }

    /// What is held.
    pub fn stats(&self) -> Result<Stats, CacheError> {
        let models = self.query(rows::models)?;
        let file_bytes = std::fs::metadata(&self.path).map_or(0, |data| data.len());
        Ok(Stats { file_bytes, total: sum(models.values()), models })
    }

    /// Everything that was ever asked through this file, and what it cost.
    pub fn ledger(&self) -> Result<Ledger, CacheError> {
        let (endpoints, pages) = self.query(rows::pages)?;
        Ok(ledger(&pages, &endpoints))
    }

    /// Removes replies and gives their space back; returns how many went.
    pub fn prune(&mut self, what: &Prune) -> Result<u64, CacheError> {
        let removed = self.write(|connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let removed = rows::delete(&transaction, what)?;
            transaction.commit()?;
            Ok(removed)
        })?;
        if removed > 0 {
            // Space that cannot be given back now, because another process reads, is used again by later replies.
            let _ = self.connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);");
        }
        Ok(removed)
    }

    fn query<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, CacheError> {
        work(&self.connection).map_err(|error| explain(&self.path, &error))
    }

    fn write<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, CacheError> {
        work(&mut self.connection).map_err(|error| explain(&self.path, &error))
    }
}

impl AsRef<Record> for Record {
    fn as_ref(&self) -> &Record {
        self
    }
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, pragma, |row| row.get(0))
}

fn sum<'a>(models: impl Iterator<Item = &'a Held>) -> Held {
    models.fold(Held::default(), |sum, held| Held {
        replies: sum.replies + held.replies,
        bytes: sum.bytes + held.bytes,
        input_tokens: sum.input_tokens + held.input_tokens,
        output_tokens: sum.output_tokens + held.output_tokens,
        money: sum.money + held.money,
        oldest: if sum.replies == 0 { held.oldest } else { sum.oldest.min(held.oldest) },
        newest: sum.newest.max(held.newest),
    })
}

fn fail(path: &Path, message: &str) -> CacheError {
    CacheError { path: path.to_owned(), message: message.to_owned() }
}

/// SQLite's errors with what to do.
fn explain(path: &Path, error: &rusqlite::Error) -> CacheError {
    use rusqlite::ErrorCode as Code;
    let remedy = match error.sqlite_error_code() {
        Some(Code::NotADatabase) => "the file is no cache: name another file",
        Some(Code::DatabaseCorrupt) => {
            "the file is damaged: move it away, and replies will be asked for again"
        }
        Some(Code::CannotOpen | Code::PermissionDenied | Code::ReadOnly) => {
            "the file must be readable and writable, on a local disk"
        }
        Some(Code::DiskFull) => "the disk is full: make room, or prune the cache",
        Some(Code::DatabaseBusy | Code::DatabaseLocked) => {
            "another process holds the file: let it finish, or name another file"
        }
        _ => "it cannot be used",
    };
    fail(path, &format!("{remedy} ({error})"))
}
