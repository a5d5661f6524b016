//! The tables of the cache's file.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use guerdon_core::method::{Reply, TokenLogProb};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use crate::budget::PICO;
use crate::cache::{Held, Prune, Record};
use crate::key::Key;
use crate::ledger::{Counts, Pages};

pub(crate) const SCHEMA: &str = "
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

/// The reply kept under `key`.
pub(crate) fn reply(connection: &Connection, key: &Key) -> rusqlite::Result<Option<Reply>> {
    let sql = "SELECT text, truncated, detail FROM replies WHERE key = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row([key.as_bytes()], |row| read_reply(row, 0)).optional()
}

/// Everything kept under `key`.
pub(crate) fn record(connection: &Connection, key: &Key) -> rusqlite::Result<Option<Record>> {
    let sql = "SELECT text, truncated, detail, model, endpoint, tag, made, request, input_tokens, output_tokens, pico \
               FROM replies WHERE key = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row([key.as_bytes()], |row| read_record(row, *key)).optional()
}

/// What is held per model.
pub(crate) fn models(connection: &Connection) -> rusqlite::Result<BTreeMap<String, Held>> {
    let mut statement = connection.prepare(
        "SELECT model, count(*), sum(bytes), sum(input_tokens), sum(output_tokens), total(pico), min(made), max(made) \
         FROM replies GROUP BY model",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, read_held(row)?)))?;
    rows.collect()
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

/// Keeps a finished call; one that is there already stays.
pub(crate) fn insert(connection: &Connection, record: &Record) -> rusqlite::Result<()> {
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

/// Adds to the ledger.
pub(crate) fn save(
    connection: &Connection,
    endpoints: &[String],
    pages: &Pages,
) -> rusqlite::Result<()> {
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

/// The names of the endpoints in the ledger, and the counts by tag and endpoint.
pub(crate) fn pages(connection: &Connection) -> rusqlite::Result<(Vec<String>, Pages)> {
    let mut statement =
        connection.prepare("SELECT DISTINCT endpoint FROM ledger ORDER BY endpoint")?;
    let endpoints = statement.query_map([], |row| row.get(0))?;
    let endpoints: Vec<String> = endpoints.collect::<rusqlite::Result<_>>()?;
    let mut statement = connection.prepare("SELECT tag, endpoint, item, count FROM ledger")?;
    let mut rows = statement.query([])?;
    let mut pages = Pages::new();
    while let Some(row) = rows.next()? {
        let (tag, endpoint, item): (String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let page = pages.entry(tag).or_insert_with(|| vec![Counts::default(); endpoints.len()]);
        // Names are sorted as bytes, here and in SQLite.
        if let Ok(at) = endpoints.binary_search(&endpoint) {
            page[at].add_named(&item, row.get(3)?);
        }
    }
    Ok((endpoints, pages))
}

/// Removes replies; returns how many went.
pub(crate) fn delete(connection: &Connection, what: &Prune) -> rusqlite::Result<u64> {
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
