//! The cache: every finished call, by its key, in one SQLite file that processes can share.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use guerdon_core::method::{Reply, TokenLogProb};
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};
use serde::{Deserialize, Serialize};

use crate::budget::PICO;
use crate::key::Key;
use crate::ledger::{Counts, Ledger, Pages, ledger};

/// "Guer" in ASCII: marks the file as ours.
const APPLICATION: i32 = 0x4775_6572;
const VERSION: i32 = 1;

const SCHEMA: &str = "
CREATE TABLE replies (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    model TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    tag TEXT NOT NULL,
    made INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    pico INTEGER NOT NULL,
    truncated INTEGER NOT NULL,
    request TEXT NOT NULL,
    text TEXT NOT NULL,
    detail TEXT
) STRICT;
CREATE TABLE ledger (
    tag TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    item TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (tag, endpoint, item)
) STRICT, WITHOUT ROWID;
";

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
        // Every commit reaches the disk before a reply is handed out, unless the machine itself fails.
        self.connection.pragma_update(None, "synchronous", "NORMAL")?;
        self.connection.pragma_update(None, "journal_mode", "WAL")?;
        self.connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if number(&transaction, "user_version")? == 0 {
            transaction.execute_batch(SCHEMA)?;
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
        self.query(|connection| {
            let sql = "SELECT text, truncated, detail FROM replies WHERE key = ?1";
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_row([key.as_bytes()], |row| read_reply(row, 0)).optional()
        })
    }

    /// Everything kept under `key`, with the request as it was sent.
    pub fn record(&self, key: &Key) -> Result<Option<Record>, CacheError> {
        self.query(|connection| {
            let sql = "SELECT text, truncated, detail, model, endpoint, tag, made, request, input_tokens, output_tokens, \
                       pico FROM replies WHERE key = ?1";
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_row([key.as_bytes()], |row| read_record(row, *key)).optional()
        })
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
            records.iter().try_for_each(|record| insert(&transaction, record.as_ref()))?;
            save(&transaction, endpoints, pages)?;
            transaction.commit()
        })
    }

    /// What is held.
    pub fn stats(&self) -> Result<Stats, CacheError> {
        let models: BTreeMap<String, Held> = self.query(|connection| {
            let mut statement = connection.prepare(
                "SELECT model, count(*), sum(bytes), sum(input_tokens), sum(output_tokens), total(pico), min(made), \
                 max(made) FROM replies GROUP BY model",
            )?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, read_held(row)?)))?;
            rows.collect()
        })?;
        let file_bytes = std::fs::metadata(&self.path).map_or(0, |data| data.len());
        Ok(Stats { file_bytes, total: sum(models.values()), models })
    }

    /// Everything that was ever asked through this file, and what it cost.
    pub fn ledger(&self) -> Result<Ledger, CacheError> {
        let (endpoints, pages) = self.query(|connection| {
            let mut statement =
                connection.prepare("SELECT DISTINCT endpoint FROM ledger ORDER BY endpoint")?;
            let endpoints: Vec<String> =
                statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            let pages = read_pages(connection, &endpoints)?;
            Ok((endpoints, pages))
        })?;
        Ok(ledger(&pages, &endpoints))
    }

    /// Removes replies and gives their space back; returns how many went.
    pub fn prune(&mut self, what: &Prune) -> Result<u64, CacheError> {
        let removed = self.write(|connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let removed = delete(&transaction, what)?;
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

/// What a reply holds besides its text.
#[derive(Serialize, Deserialize, Default)]
struct Detail {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    logprobs: Vec<TokenLogProb>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<f64>,
}

fn read_reply(row: &Row<'_>, at: usize) -> rusqlite::Result<Reply> {
    let detail: Option<String> = row.get(at + 2)?;
    let detail = match detail {
        None => Detail::default(),
        Some(text) => serde_json::from_str(&text).map_err(|error| {
            let kind = rusqlite::types::Type::Text;
            rusqlite::Error::FromSqlConversionFailure(at + 2, kind, Box::new(error))
        })?,
    };
    let (text, truncated) = (row.get(at)?, row.get(at + 1)?);
    Ok(Reply { text, truncated, logprobs: detail.logprobs, values: detail.values })
}

fn read_record(row: &Row<'_>, key: Key) -> rusqlite::Result<Record> {
    let made: u64 = row.get(6)?;
    let pico: u64 = row.get(10)?;
    Ok(Record {
        key,
        reply: read_reply(row, 0)?,
        model: row.get(3)?,
        endpoint: row.get(4)?,
        tag: row.get(5)?,
        made: UNIX_EPOCH + Duration::from_millis(made),
        request: row.get(7)?,
        input_tokens: row.get(8)?,
        output_tokens: row.get(9)?,
        money: pico as f64 / PICO,
    })
}

fn read_held(row: &Row<'_>) -> rusqlite::Result<Held> {
    let pico: f64 = row.get(5)?;
    let (oldest, newest): (u64, u64) = (row.get(6)?, row.get(7)?);
    Ok(Held {
        replies: row.get(1)?,
        bytes: row.get(2)?,
        input_tokens: row.get(3)?,
        output_tokens: row.get(4)?,
        money: pico / PICO,
        oldest: oldest / 1000,
        newest: newest / 1000,
    })
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

fn insert(connection: &Connection, record: &Record) -> rusqlite::Result<()> {
    let reply = &record.reply;
    let bare = reply.logprobs.is_empty() && reply.values.is_empty();
    let detail = (!bare).then(|| detail(reply)).transpose()?;
    let bytes = record.request.len() + reply.text.len() + detail.as_ref().map_or(0, String::len);
    let made = record.made.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let sql = "INSERT OR IGNORE INTO replies (key, model, endpoint, tag, made, bytes, input_tokens, output_tokens, pico, \
               truncated, request, text, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    connection.prepare_cached(sql)?.execute(params![
        record.key.as_bytes(),
        record.model,
        record.endpoint,
        record.tag,
        i64::try_from(made).unwrap_or(i64::MAX),
        i64::try_from(bytes).unwrap_or(i64::MAX),
        integer(record.input_tokens),
        integer(record.output_tokens),
        pico(record.money),
        reply.truncated,
        record.request,
        reply.text,
        detail,
    ])?;
    Ok(())
}

fn detail(reply: &Reply) -> rusqlite::Result<String> {
    let detail = Detail { logprobs: reply.logprobs.clone(), values: reply.values.clone() };
    serde_json::to_string(&detail)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, as wanted")]
fn pico(money: f64) -> i64 {
    (money * PICO).round() as i64
}

fn save(connection: &Connection, endpoints: &[String], pages: &Pages) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO ledger VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET count = count + excluded.count",
    )?;
    for (tag, row) in pages {
        for (endpoint, counts) in endpoints.iter().zip(row) {
            for (item, count) in counts.items() {
                statement.execute(params![tag, endpoint, item, integer(count)])?;
            }
        }
    }
    Ok(())
}

fn read_pages(connection: &Connection, endpoints: &[String]) -> rusqlite::Result<Pages> {
    let mut statement = connection.prepare("SELECT tag, endpoint, item, count FROM ledger")?;
    let mut rows = statement.query([])?;
    let mut pages = Pages::new();
    while let Some(row) = rows.next()? {
        let (tag, endpoint, item): (String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let page = pages.entry(tag).or_insert_with(|| vec![Counts::default(); endpoints.len()]);
        if let Ok(at) = endpoints.binary_search(&endpoint) {
            page[at].add_named(&item, row.get(3)?);
        }
    }
    Ok(pages)
}

fn delete(connection: &Connection, what: &Prune) -> rusqlite::Result<u64> {
    let mut removed = 0;
    if let Some(age) = what.older_than {
        let since =
            SystemTime::now().checked_sub(age).and_then(|t| t.duration_since(UNIX_EPOCH).ok());
        let since = i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX);
        removed += connection.execute("DELETE FROM replies WHERE made < ?1", [since])?;
    }
    if let Some(model) = &what.model {
        removed += connection.execute("DELETE FROM replies WHERE model = ?1", [model])?;
    }
    if let Some(most) = what.max_bytes {
        // Ids grow with age: the newest rows are summed up, and what no longer fits goes.
        removed += connection.execute(
            "DELETE FROM replies WHERE id <= (SELECT max(id) FROM (SELECT id, sum(bytes) OVER (ORDER BY id DESC) AS held \
             FROM replies) WHERE held > ?1)",
            [integer(most)],
        )?;
    }
    Ok(removed as u64)
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
