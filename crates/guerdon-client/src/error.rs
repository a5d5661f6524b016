//! What can go wrong: opening a client, and a call.

use std::fmt;

use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cache::CacheError;

/// Why a client could not be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError {
    /// An entry of `models` (or of the limits) is refused. The path begins with the entry's name.
    Spec(ParamError),
    /// The cache cannot be used.
    Cache(CacheError),
    /// There are no certificates to check servers with.
    Certificates(String),
}

impl ClientError {
    /// `error` in the entry called `name`.
    pub(crate) fn in_entry(name: &str, mut error: ParamError) -> Self {
        error.path.insert(0, name.to_owned());
        Self::Spec(error)
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spec(error) => write!(f, "{}: {}", error.path.join("."), error.message),
            Self::Cache(error) => error.fmt(f),
            Self::Certificates(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for ClientError {}

impl From<CacheError> for ClientError {
    fn from(error: CacheError) -> Self {
        Self::Cache(error)
    }
}

/// The sorts of failed calls; the ledger counts by them.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request does not fit the client: an unknown model, or something that the endpoint's api cannot do.
    Request,
    /// A cap of the budget is reached.
    Budget,
    /// An attempt, or the call, took too long.
    Timeout,
    /// No connection came about, or it broke off.
    Connection,
    /// The server asked to slow down (429) for too long.
    RateLimited,
    /// The server failed (5xx).
    Server,
    /// The server refused the request (4xx).
    Refused,
    /// The reply is no such reply as was asked for.
    Unreadable,
    /// The endpoint failed so often that it was not asked any more.
    Unavailable,
    /// The cache could not be read or written.
    Cache,
}

impl ErrorKind {
    /// The kind as the ledger writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Budget => "budget",
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::RateLimited => "rate_limited",
            Self::Server => "server",
            Self::Refused => "refused",
            Self::Unreadable => "unreadable",
            Self::Unavailable => "unavailable",
            Self::Cache => "cache",
        }
    }

    pub(crate) const ALL: [Self; 10] = [
        Self::Request,
        Self::Budget,
        Self::Timeout,
        Self::Connection,
        Self::RateLimited,
        Self::Server,
        Self::Refused,
        Self::Unreadable,
        Self::Unavailable,
        Self::Cache,
    ];
}

/// Why a call has no reply. Holds no key, whatever the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallError {
    /// The sort of failure.
    pub kind: ErrorKind,
    /// The endpoint's name in the spec; empty where none could be chosen.
    pub endpoint: String,
    /// The last HTTP status, where there was one.
    pub status: Option<u16>,
    /// Attempts made, 0 when the network was not reached.
    pub attempts: u32,
    /// What happened.
    pub message: String,
    /// What to do about it; empty where nothing sensible can be said.
    pub remedy: String,
}

impl CallError {
    pub(crate) fn new(kind: ErrorKind, endpoint: &str, message: impl Into<String>) -> Self {
        Self {
            kind,
            endpoint: endpoint.to_owned(),
            status: None,
            attempts: 0,
            message: message.into(),
            remedy: String::new(),
        }
    }

    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.endpoint.is_empty() {
            write!(f, "model `{}`: ", self.endpoint)?;
        }
        f.write_str(&self.message)?;
        if self.attempts > 1 {
            write!(f, " (after {} attempts)", self.attempts)?;
        }
        if !self.remedy.is_empty() {
            write!(f, "; {}", self.remedy)?;
        }
        Ok(())
    }
}

impl std::error::Error for CallError {}

impl From<CallError> for Unscored {
    fn from(error: CallError) -> Self {
        let detail = error.to_string();
        match error.kind {
            ErrorKind::Timeout => Self::timeout(detail),
            ErrorKind::Budget => Self::budget(detail),
            ErrorKind::Unreadable => Self::unreadable(detail),
            ErrorKind::Request => Self::invalid(detail),
            _ => Self::failed(detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CallError, ErrorKind};
    use guerdon_core::{Unscored, UnscoredKind};

    #[test]
    fn kinds_become_reasons() {
        let reason = |kind| Unscored::from(CallError::new(kind, "judge", "it broke")).kind;
        assert_eq!(reason(ErrorKind::Timeout), UnscoredKind::Timeout);
        assert_eq!(reason(ErrorKind::Budget), UnscoredKind::Budget);
        assert_eq!(reason(ErrorKind::Server), UnscoredKind::Failed);
        assert_eq!(reason(ErrorKind::Unreadable), UnscoredKind::Unreadable);
    }

    #[test]
    fn the_message_names_the_endpoint_and_the_remedy() {
        let error = CallError::new(ErrorKind::Refused, "judge", "404: no such model");
        assert_eq!(
            error.remedy("the server has: a, b").to_string(),
            "model `judge`: 404: no such model; the server has: a, b"
        );
    }
}
