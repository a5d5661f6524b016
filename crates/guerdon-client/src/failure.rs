//! Attempts that failed, and what that says of the next.

use std::time::{Duration, SystemTime};

use crate::error::ErrorKind;
use crate::http::{Heard, MOST_BODY, Trouble};
use crate::retry::{Again, by_status, retry_after};
use crate::wire::{self, Fault};

/// An attempt that failed.
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) status: Option<u16>,
    pub(crate) message: String,
    pub(crate) again: Again,
    pub(crate) after: Option<Duration>,
    /// The endpoint is unwell, rather than the request wrong.
    pub(crate) ill: bool,
}

impl Failure {
    /// The endpoint failed in a way that may pass.
    fn ill(message: String) -> Self {
        let (kind, again) = (ErrorKind::Connection, Again::Counted);
        Self { kind, status: None, message, again, after: None, ill: true }
    }

    /// The same would come back, and the endpoint is well.
    fn last(message: String) -> Self {
        Self { again: Again::Never, ill: false, ..Self::ill(message) }
    }

    /// No whole reply within `limit` seconds.
    pub(crate) fn too_slow(shown: &str, limit: f64) -> Self {
        let message = format!("{shown} gave no whole reply within {limit} seconds");
        Self { kind: ErrorKind::Timeout, ..Self::ill(message) }
    }

    /// Nothing whole came back from the endpoint that people know as `shown`.
    pub(crate) fn of_trouble(trouble: Trouble, shown: &str) -> Self {
        match trouble {
            Trouble::Connect(cause) => Self::ill(format!("no connection to {shown}: {cause}")),
            Trouble::Untrusted(cause) => Self::last(format!(
                "{shown} is not trusted ({cause}): name a file with its certificate in SSL_CERT_FILE"
            )),
            Trouble::Dropped(cause) => {
                Self::ill(format!("the connection to {shown} broke off: {cause}"))
            }
            Trouble::Stale => Self {
                again: Again::Fresh,
                ..Self::last(format!("{shown} had closed a connection that was kept"))
            },
            Trouble::Strange(message) => Self { kind: ErrorKind::Unreadable, ..Self::ill(message) },
            Trouble::TooLarge => Self {
                kind: ErrorKind::Unreadable,
                ..Self::last(format!("the reply is larger than {} MB", MOST_BODY >> 20))
            },
        }
    }

    /// A reply of success that is none.
    pub(crate) fn of_fault(fault: Fault, status: u16) -> Self {
        let (kind, status) = (ErrorKind::Unreadable, Some(status));
        match fault {
            Fault::Garbled(message) => Self { kind, status, ..Self::ill(message) },
            Fault::Shape(message) => Self { kind, status, ..Self::last(message) },
            Fault::Service(code, message) => {
                Self::by_code(code.filter(|code| *code >= 400).unwrap_or(500), &message, None)
            }
        }
    }

    /// A reply without success.
    pub(crate) fn refused(heard: &Heard) -> Self {
        let after = heard.retry_after.as_deref().and_then(|v| retry_after(v, SystemTime::now()));
        let said = match &heard.location {
            Some(location) if heard.status.is_redirection() => format!("it points to {location}"),
            _ => wire::read_error(&heard.body),
        };
        Self::by_code(heard.status.as_u16(), &said, after)
    }

    /// Whether the server will have charged for the attempt.
    pub(crate) fn paid(&self) -> bool {
        self.kind == ErrorKind::Unreadable && matches!(self.status, Some(200..=299))
    }

    fn by_code(status: u16, said: &str, after: Option<Duration>) -> Self {
        let kind = match status {
            408 => ErrorKind::Timeout,
            429 => ErrorKind::RateLimited,
            500.. => ErrorKind::Server,
            _ => ErrorKind::Refused,
        };
        let colon = if said.is_empty() { "" } else { ": " };
        Self {
            kind,
            status: Some(status),
            message: format!("the server answers {status}{colon}{said}"),
            again: by_status(status, after.is_some(), said),
            after,
            ill: status >= 500,
        }
    }
}
