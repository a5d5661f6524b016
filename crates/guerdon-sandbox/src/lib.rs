//! Runs untrusted code in isolation and judges it by tests that it cannot forge.

mod compare;
mod config;
mod error;
mod host;
mod outcome;
mod probe;
mod run;
mod runner;
mod sandbox;
mod seccomp;
mod task;
mod watch;
mod wire;
mod worker;

pub use config::{Config, Limits};
pub use error::{Error, Result};
pub use outcome::{Outcome, TestOutcome};
pub use probe::Report;
pub use runner::{Runner, builtin, builtin_languages};
pub use sandbox::Sandbox;
pub use task::{CallCase, Compare, Scoring, StdioCase, Task, Tests};
