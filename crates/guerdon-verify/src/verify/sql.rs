//! SQL: 1 if the completion's query gives the result of the reference query on every database, 0 if not.
//!
//! # Formula
//!
//! ```text
//! score = 1 if for every database D: result(candidate, D) = result(reference, D), else 0
//! ```
//!
//! Results are compared as multisets of rows, and as lists where the reference orders its rows. Null equals null; numbers
//! are equal within `tolerance`, relative above 1. Rows that tie under the reference's `ORDER BY` may stand in any order, and
//! where its `LIMIT` cuts through a tie any of the tied rows will do: the reference is run again without its limit and with
//! the terms of its order as further columns. A `LIMIT` without order takes any rows.
//!
//! The query stands in the last `<tag>` where `tag` is given, there in the last fenced block (of those, the last that is
//! marked `sql`), else it is the whole text.
//!
//! # When to use it
//!
//! For text-to-SQL with a reference query. One database lets wrong queries pass by luck: several (`schema` or `database` may
//! hold lists) make that rare. Where the reference's result is empty any query with an empty result is right, unless
//! `empty: unscored`.
//!
//! # Departures
//!
//! Spider's test suite accepts columns in any order (`columns: permuted`); BIRD compares sets of rows (`duplicates: false`,
//! `order: never`). Ties are recognised where the terms of the order are output columns, or can be made such; in compound
//! and `DISTINCT` queries others cannot, and the reference's own rows are expected.
//!
//! A query is one statement that reads: everything else is denied, random functions and SQLite's inner tables too. It ends
//! after so many steps of SQLite's machine, rows and bytes; the limit in seconds is a second line for steps that are long.
//! Intermediate results beyond 4 MB go to temporary files of SQLite.
//!
//! # Example
//!
//! ```yaml
//! use: verify.sql
//! schema: create_statements
//! columns: permuted
//! ```
//!
//! ```
//! use guerdon_verify::verify::sql::Sql;
//! let setup = "CREATE TABLE t(a, b); INSERT INTO t VALUES (1, 2), (3, 2)";
//! let same = |query| Sql::default().compare("SELECT a FROM t ORDER BY b LIMIT 1", query, &[setup]);
//! assert_eq!(same("SELECT 3"), Ok(None), "both rows tie");
//! assert_eq!(same("SELECT 2").unwrap().as_deref(), Some("database 1: another result"));
//! ```
//!
//! # References
//!
//! "GradeSQL: Outcome Reward Models for Ranking SQL Queries from Large Language Models", 2025; Zhong et al., "Semantic
//! Evaluation for Text-to-SQL with Distilled Test Suites", 2020; Li et al., "Can LLM Already Serve as a Database Interface?"
//! (BIRD), 2023.

mod expect;
mod rows;
mod run;
mod text;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::code_tests::code_in;
use super::{passage, records};
use expect::Expected;
use rows::Rules;
use run::{Database, Source, Stop};

/// When the order of rows counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Where the reference has an `ORDER BY` of its own, not within a part of it.
    #[default]
    Auto,
    /// Never.
    Never,
}

/// Whether the order of columns counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Columns {
    /// It does.
    #[default]
    Strict,
    /// The columns may stand in any order; of more than 50 columns the order counts.
    Permuted,
}

/// What becomes of rows whose reference has an empty result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Empty {
    /// Any query with an empty result is right.
    #[default]
    Compare,
    /// No score, where the result is empty in every database.
    Unscored,
}

/// What one query may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Steps of SQLite's virtual machine, 1000 to 10^10. Default 10 million, about half a second.
    pub steps: u64,
    /// Rows of the result, at least 1. Default 100000.
    pub rows: usize,
    /// Bytes of the result, at least 1. Default 16 million.
    pub bytes: usize,
    /// Bytes of one value, intermediate ones included, 1000 to 1 billion. Default 65536. Values of the database that are
    /// longer cannot be read.
    pub value_bytes: usize,
    /// Seconds, 0.01 to 3600. Default 2.
    pub seconds: f64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            steps: 10_000_000,
            rows: 100_000,
            bytes: 16_000_000,
            value_bytes: 1 << 16,
            seconds: 2.0,
        }
    }
}

/// Parameters of `verify.sql`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sql {
    /// Column with the statements that create and fill the database, or a list of such texts, one per database. Default
    /// `schema`; not read where `database` is given.
    pub schema: String,
    /// Column with the path of a SQLite file, or a list of paths; the files are opened read-only. Default none.
    pub database: Option<String>,
    /// Folder of relative paths. Default: the current one.
    pub root: PathBuf,
    /// Column with the reference query. Default none: the reference.
    pub gold: Option<String>,
    /// Read the query inside the last pair of this tag; empty for the whole completion. Default empty.
    pub tag: String,
    /// Whether the order of rows counts: `auto` or `never`. Default `auto`.
    pub order: Order,
    /// Whether the order of columns counts: `strict` or `permuted`. Default `strict`.
    pub columns: Columns,
    /// Equal rows count as often as they come. Default true.
    pub duplicates: bool,
    /// Rows that tie under the reference's order may take each other's place. Default true.
    pub ties: bool,
    /// Greatest difference of two equal numbers one of which is no integer, relative above 1; 0 to 1. Default 1e-6.
    pub tolerance: f64,
    /// What becomes of rows whose reference has an empty result. Default `compare`.
    pub empty: Empty,
    /// What one query may use; the reference may use ten times as much.
    pub budget: Budget,
}

impl Default for Sql {
    fn default() -> Self {
        Self {
            schema: "schema".into(),
            database: None,
            root: PathBuf::new(),
            gold: None,
            tag: String::new(),
            order: Order::Auto,
            columns: Columns::Strict,
            duplicates: true,
            ties: true,
            tolerance: 1e-6,
            empty: Empty::Compare,
            budget: Budget::default(),
        }
    }
}

impl Params for Sql {
    fn validate(&self) -> Result<(), ParamError> {
        records::named("schema", &self.schema)?;
        for (field, column) in [("database", &self.database), ("gold", &self.gold)] {
            column.as_ref().map_or(Ok(()), |column| records::named(field, column))?;
        }
        passage::tag_name("tag", &self.tag)?;
        ParamError::in_range("tolerance", self.tolerance, 0.0, 1.0)?;
        for (field, value, low, high) in [
            ("steps", self.budget.steps as f64, 1e3, 1e10),
            ("rows", self.budget.rows as f64, 1.0, 1e12),
            ("bytes", self.budget.bytes as f64, 1.0, 1e12),
            ("value_bytes", self.budget.value_bytes as f64, 1e3, 1e9),
            ("seconds", self.budget.seconds, 0.01, 3600.0),
        ] {
            ParamError::in_range(field, value, low, high).map_err(|mut error| {
                error.path.insert(0, "budget".to_owned());
                error
            })?;
        }
        Ok(())
    }
}

/// Most databases that are kept open between queries.
const MAX_OPEN: usize = 64;

/// Most reference results that a database keeps.
const MAX_RESULTS: usize = 64;

/// An open database with the results of reference queries.
struct Ready {
    database: Database,
    expected: HashMap<String, Arc<Expected>>,
}

/// Open databases that wait for queries.
type Idle = Mutex<Vec<(Source, Ready)>>;

/// The built signal: parameters, and the databases that its rollouts share.
struct Judge {
    params: Sql,
    idle: Idle,
}

impl Sql {
    /// Compares two queries on databases built by scripts: none where the results are equal, else what is not.
    pub fn compare(
        &self,
        gold: &str,
        query: &str,
        scripts: &[&str],
    ) -> Result<Option<String>, Unscored> {
        let sources: Vec<Source> =
            scripts.iter().map(|s| Source::Script((*s).to_owned())).collect();
        let judge = Judge { params: self.clone(), idle: Idle::default() };
        Ok(judge.judge(gold, query, &sources)?.err())
    }

    fn signal(self) -> Result<Judge, ParamError> {
        self.validate()?;
        Ok(Judge { params: self, idle: Idle::default() })
    }

    fn rules(&self, expected: &Expected) -> Rules {
        Rules {
            tolerance: self.tolerance,
            ordered: expected.ordered && self.order == Order::Auto,
            duplicates: self.duplicates,
            permuted: self.columns == Columns::Permuted,
        }
    }

    /// The query in a completion.
    fn candidate(&self, text: &str) -> Result<String, String> {
        if text.len() > passage::MAX_BYTES {
            return Err(format!("longer than {} bytes", passage::MAX_BYTES));
        }
        let inside = if self.tag.is_empty() {
            text
        } else {
            let tag = &self.tag;
            passage::tagged(text, tag).ok_or_else(|| format!("there is no <{tag}>…</{tag}>"))?
        };
        text::statement(&code_in(inside, "sql")).map(str::to_owned)
    }

    fn sources(&self, rollout: &Rollout) -> Result<Vec<Source>, Unscored> {
        let column = self.database.as_ref().unwrap_or(&self.schema);
        let value = records::value(rollout, column)?;
        let read = |value: &Value| {
            let text = value.as_str().ok_or_else(|| {
                Unscored::invalid(format!("column `{column}`: expected a text or a list of texts"))
            })?;
            Ok(match self.database {
                Some(_) => Source::File(self.root.join(text)),
                None => Source::Script(text.to_owned()),
            })
        };
        match value {
            Value::Array(_) => {
                let list = records::list(value).map_err(|why| records::at(column, &why))?;
                if list.len() > 1000 {
                    return Err(Unscored::budget("more than 1000 databases for one row"));
                }
                list.iter().map(read).collect()
            }
            one => Ok(vec![read(one)?]),
        }
    }

    fn gold(&self, rollout: &Rollout) -> Result<String, Unscored> {
        let value = match &self.gold {
            Some(column) => records::value(rollout, column)?,
            None => &rollout.reference,
        };
        let text =
            value.as_str().ok_or_else(|| Unscored::missing("there is no reference query"))?;
        let gold = text::statement(text).map(str::to_owned);
        gold.map_err(|why| Unscored::invalid(format!("the reference query: {why}")))
    }
}

impl Judge {
    fn take(&self, source: &Source) -> Result<Ready, Unscored> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = idle.iter().rposition(|(kept, _)| kept == source) {
            return Ok(idle.remove(at).1);
        }
        drop(idle);
        Ok(Ready { database: Database::open(source)?, expected: HashMap::new() })
    }

    fn give_back(&self, source: &Source, ready: Ready) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() >= MAX_OPEN {
            idle.remove(0);
        }
        idle.push((source.clone(), ready));
    }

    fn expected(&self, ready: &mut Ready, gold: &str) -> Result<Arc<Expected>, Unscored> {
        if let Some(found) = ready.expected.get(gold) {
            return Ok(Arc::clone(found));
        }
        let own = &self.params.budget;
        let budget = Budget {
            steps: own.steps * 10,
            seconds: own.seconds * 10.0,
            value_bytes: own.value_bytes.max(1 << 24),
            ..own.clone()
        };
        let expected = Expected::of(&ready.database, gold, self.params.ties, &budget);
        let expected = Arc::new(expected.map_err(|stop| match stop {
            Stop::Budget(limit) => Unscored::budget(format!("the reference query: {limit}")),
            Stop::Refused(why) => Unscored::invalid(format!("the reference query: {why}")),
        })?);
        if ready.expected.len() >= MAX_RESULTS {
            ready.expected.clear();
        }
        ready.expected.insert(gold.to_owned(), Arc::clone(&expected));
        Ok(expected)
    }

    /// Whether the results are equal on every database; the error says where and how they are not.
    fn judge(
        &self,
        gold: &str,
        query: &str,
        sources: &[Source],
    ) -> Result<Result<(), String>, Unscored> {
        let mut empty = true;
        let mut verdict = Ok(());
        for (i, source) in sources.iter().enumerate() {
            let mut ready = self.take(source)?;
            let expected = self.expected(&mut ready, gold)?;
            empty &= expected.empty;
            if verdict.is_ok() {
                let fault = self.fault(&ready.database, &expected, query);
                verdict = fault.map_or(Ok(()), |why| Err(format!("database {}: {why}", i + 1)));
            }
            self.give_back(source, ready);
            if verdict.is_err() && (!empty || self.params.empty == Empty::Compare) {
                break;
            }
        }
        if empty && self.params.empty == Empty::Unscored {
            return Err(Unscored::abstained("the reference query has an empty result"));
        }
        Ok(verdict)
    }

    /// What is wrong with the candidate's result on one database.
    fn fault(&self, database: &Database, expected: &Expected, query: &str) -> Option<String> {
        let table = match database.query(query, &self.params.budget) {
            Ok(table) => table,
            Err(Stop::Budget(limit)) => return Some(limit),
            Err(Stop::Refused(why)) => return Some(why.chars().take(200).collect()),
        };
        let columns = table.columns.len();
        if columns != expected.columns {
            return Some(format!("{columns} columns instead of {}", expected.columns));
        }
        let rules = self.params.rules(expected);
        (!rules.equal(&expected.runs, &table.rows, columns)).then(|| "another result".to_owned())
    }
}

impl Signal for Judge {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let gold = self.params.gold(rollout)?;
        let sources = self.params.sources(rollout)?;
        let query = match self.params.candidate(rollout.text()) {
            Ok(query) => query,
            Err(why) => return Ok(Score::binary(false).because(why)),
        };
        Ok(match self.judge(&gold, &query, &sources)? {
            Ok(()) => Score::binary(true),
            Err(why) => Score::binary(false).because(why),
        })
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Sql: BuiltSignal,
    id: "verify.sql",
    papers: ["gradesql-2025"],
    status: Verified(Worked("GradeSQL: equal multisets of rows, null equals null, floats to a tolerance")),
    laws: [WhitespaceInvariant],
    exempt: [],
    samples: [
        r#"{"prompt": "How old is Ann?", "completion": "SELECT age FROM p WHERE name = 'Ann'", "reference": "SELECT 30", "schema": "CREATE TABLE p(name TEXT, age INT); INSERT INTO p VALUES ('Ann', 30), ('Bob', 41)"}"#,
        r#"{"prompt": "Who is oldest?", "completion": "```sql\nSELECT name FROM p ORDER BY age DESC LIMIT 1;\n```", "reference": "SELECT name FROM p WHERE age = (SELECT max(age) FROM p)", "schema": "CREATE TABLE p(name TEXT, age INT); INSERT INTO p VALUES ('Ann', 30), ('Bob', 41)"}"#,
        r#"{"prompt": "How many?", "completion": "select sum(1) from p", "reference": "SELECT count(*) FROM p", "schema": ["CREATE TABLE p(a); INSERT INTO p VALUES (1)", "CREATE TABLE p(a); INSERT INTO p VALUES (1), (null)"]}"#,
    ],
}

#[cfg(test)]
mod tests;
