//! The one error type of the crate.

use std::fmt;
use std::path::PathBuf;

/// Why a task was not judged. A candidate's own failure is never an `Error`: it is an
/// [`Outcome`](crate::Outcome).
#[derive(Debug)]
pub struct Error {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Unavailable { what: String, remedy: String },
    Task(String),
    Machinery { doing: &'static str, cause: String },
}

impl Error {
    pub(crate) fn unavailable(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { kind: Kind::Unavailable { what: what.into(), remedy: remedy.into() } }
    }

    pub(crate) fn task(message: impl Into<String>) -> Self {
        Self { kind: Kind::Task(message.into()) }
    }

    pub(crate) fn machinery(doing: &'static str, cause: impl fmt::Display) -> Self {
        Self { kind: Kind::Machinery { doing, cause: cause.to_string() } }
    }

    pub(crate) fn no_tool(tool: &str, path: Option<&PathBuf>) -> Self {
        let place = path.map_or_else(|| "on PATH".to_owned(), |p| format!("at {}", p.display()));
        Self::unavailable(
            format!("`{tool}` was not found {place}"),
            format!("install {tool}, or name its path in the sandbox configuration"),
        )
    }

    /// Isolation, an interpreter or a compiler is missing on this machine; the message names the
    /// remedy. Untrusted code was not run.
    pub fn is_unavailable(&self) -> bool {
        matches!(self.kind, Kind::Unavailable { .. })
    }

    /// The task itself is at fault: a limit out of range, a test that does not compile, a kind of
    /// test that the language does not have.
    pub fn is_task(&self) -> bool {
        matches!(self.kind, Kind::Task(_))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Unavailable { what, remedy } => write!(f, "{what}; {remedy}"),
            Kind::Task(message) => write!(f, "invalid task: {message}"),
            Kind::Machinery { doing, cause } => {
                write!(f, "the sandbox failed while {doing}: {cause}")
            }
        }
    }
}

impl std::error::Error for Error {}

/// The result of this crate's fallible functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
