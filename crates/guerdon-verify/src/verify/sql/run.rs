//! Queries in SQLite within limits: read-only, one statement, so many steps, rows and bytes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use guerdon_core::Unscored;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use super::Budget;
use super::rows::{Cell, Row};

/// Steps of the virtual machine between two looks at the budget.
const LOOK: i32 = 100;

/// Where a database comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// Statements that build it in memory.
    Script(String),
    /// A file, opened read-only.
    File(PathBuf),
}

/// Why a query gave no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// A limit was reached: which.
    Budget(String),
    /// SQLite refused or failed: its words.
    Refused(String),
}

/// A result: the names of its columns, and its rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// What is left of the steps and the time of the running query.
#[derive(Debug)]
struct Meter {
    looks: AtomicU64,
    /// Milliseconds after `start` at which the time is over.
    until: AtomicU64,
    start: Instant,
    over: AtomicBool,
}

impl Meter {
    fn allow(&self, steps: u64, seconds: f64) {
        let end = self.start.elapsed() + Duration::from_secs_f64(seconds);
        self.until.store(u64::try_from(end.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.looks.store(steps / u64::from(LOOK.unsigned_abs()) + 1, Ordering::Relaxed);
        self.over.store(false, Ordering::Relaxed);
    }

    /// Takes a look; true ends the query.
    fn look(&self) -> bool {
        let left = self.looks.load(Ordering::Relaxed);
        self.looks.store(left.saturating_sub(1), Ordering::Relaxed);
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let over = left <= 1 || now >= self.until.load(Ordering::Relaxed);
        self.over.fetch_or(over, Ordering::Relaxed);
        over
    }
}

/// A database that queries can read and nothing can change.
#[derive(Debug)]
pub(super) struct Database {
    connection: Connection,
    meter: Arc<Meter>,
}

impl Database {
    /// Opens or builds a database.
    pub(super) fn open(source: &Source) -> Result<Self, Unscored> {
        let opened = match source {
            Source::Script(_) => Connection::open_in_memory(),
            Source::File(path) => open_file(path),
        };
        let named = |error: &rusqlite::Error| match source {
            Source::Script(_) => Unscored::invalid(format!("the script of the database: {error}")),
            Source::File(path) => Unscored::failed(format!(
                "{}: {error}; `database` must name SQLite files, `root` the folder of relative paths",
                path.display()
            )),
        };
        let connection = opened.map_err(|error| named(&error))?;
        let (looks, until) = (AtomicU64::new(0), AtomicU64::new(0));
        let meter = Meter { looks, until, start: Instant::now(), over: AtomicBool::new(false) };
        let mut database = Self { connection, meter: Arc::new(meter) };
        database.prepare(source).map_err(|error| named(&error))?;
        Ok(database)
    }

    fn prepare(&mut self, source: &Source) -> rusqlite::Result<()> {
        let meter = Arc::clone(&self.meter);
        self.connection.progress_handler(LOOK, Some(move || meter.look()))?;
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        self.connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
        self.connection.set_limit(Limit::SQLITE_LIMIT_WORKER_THREADS, 0)?;
        self.meter.allow(200_000_000, 60.0);
        if let Source::Script(script) = source {
            self.connection.authorizer(Some(building))?;
            self.connection.execute_batch(script)?;
        }
        // The caches of sorting and of intermediate tables; what is larger goes to temporary files.
        self.connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)?;
        self.connection.execute_batch("PRAGMA cache_size = -4000; PRAGMA query_only = ON;")?;
        self.connection.authorizer(Some(reading))?;
        for (limit, value) in [
            (Limit::SQLITE_LIMIT_SQL_LENGTH, 1 << 17),
            (Limit::SQLITE_LIMIT_EXPR_DEPTH, 200),
            (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 100),
            (Limit::SQLITE_LIMIT_COLUMN, 500),
            (Limit::SQLITE_LIMIT_VDBE_OP, 200_000),
            (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200),
        ] {
            self.connection.set_limit(limit, value)?;
        }
        Ok(())
    }

    /// The result of one query.
    pub(super) fn query(&self, sql: &str, budget: &Budget) -> Result<Table, Stop> {
        self.meter.allow(budget.steps, budget.seconds);
        let value = i32::try_from(budget.value_bytes).unwrap_or(i32::MAX);
        let result = self
            .connection
            .set_limit(Limit::SQLITE_LIMIT_LENGTH, value)
            .map_err(|error| Stop::Refused(error.to_string()))
            .and_then(|_| self.collect(sql, budget));
        // A query that is cut off by the budget says only that it was interrupted.
        match result {
            Err(Stop::Refused(_)) if self.meter.over.load(Ordering::Relaxed) => Err(Stop::Budget(
                format!("more than {} steps or {} s", budget.steps, budget.seconds),
            )),
            other => other,
        }
    }

    fn collect(&self, sql: &str, budget: &Budget) -> Result<Table, Stop> {
        let refused = |error: rusqlite::Error| Stop::Refused(error.to_string());
        let mut statement = self.connection.prepare(sql).map_err(refused)?;
        if !statement.readonly() || statement.is_explain() != 0 {
            return Err(Stop::Refused("the statement is no query".to_owned()));
        }
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let (mut rows, mut bytes) = (Vec::new(), 0);
        let mut results = statement.query([]).map_err(refused)?;
        while let Some(row) = results.next().map_err(refused)? {
            let cells = (0..columns.len()).map(|i| Ok(Cell::of(row.get_ref(i)?)));
            let row: Row = cells.collect::<rusqlite::Result<_>>().map_err(refused)?;
            bytes += row.iter().map(Cell::size).sum::<usize>();
            if rows.len() == budget.rows {
                return Err(Stop::Budget(format!("more than {} rows", budget.rows)));
            }
            if bytes > budget.bytes {
                return Err(Stop::Budget(format!("more than {} bytes", budget.bytes)));
            }
            rows.push(row);
        }
        drop(results);
        drop(statement);
        Ok(Table { columns, rows })
    }
}

/// A file that no one writes to: SQLite neither locks it nor looks for a journal.
fn open_file(path: &Path) -> rusqlite::Result<Connection> {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() || b"/._-~".contains(b) => uri.push(char::from(*b)),
            b => uri.push_str(&format!("%{b:02X}")),
        }
    }
    uri.push_str("?mode=ro&immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(uri, flags)
}

/// What the script of a database may do: anything within the database. Settings are skipped, as dumps have them.
fn building(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Attach { .. } | AuthAction::Detach { .. } | AuthAction::Unknown { .. } => {
            Authorization::Deny
        }
        AuthAction::Function { function_name: "load_extension" } => Authorization::Deny,
        AuthAction::Pragma { .. } => Authorization::Ignore,
        _ => Authorization::Allow,
    }
}

/// Functions that reach outside or give another result every time.
const REFUSED: [&str; 8] = [
    "load_extension",
    "random",
    "randomblob",
    "readfile",
    "writefile",
    "edit",
    "fts3_tokenizer",
    "sqlite_compileoption_get",
];

/// Tables of SQLite's own inside.
const HIDDEN: [&str; 7] = [
    "pragma_",
    "dbstat",
    "sqlite_dbpage",
    "sqlite_stmt",
    "bytecode",
    "tables_used",
    "sqlite_memstat",
];

/// What a query may do: select, read tables, call functions.
fn reading(context: AuthContext<'_>) -> Authorization {
    let allowed = match context.action {
        AuthAction::Select | AuthAction::Recursive => true,
        AuthAction::Read { table_name, .. } => {
            let name = table_name.to_ascii_lowercase();
            !HIDDEN.iter().any(|hidden| name.starts_with(hidden))
        }
        AuthAction::Function { function_name } => {
            !REFUSED.contains(&function_name.to_ascii_lowercase().as_str())
        }
        _ => false,
    };
    if allowed { Authorization::Allow } else { Authorization::Deny }
}
