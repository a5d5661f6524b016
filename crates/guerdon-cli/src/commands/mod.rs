//! One file per command.

mod bar;
pub(crate) mod cache;
pub(crate) mod check;
pub(crate) mod completions;
mod dry;
pub(crate) mod judge;
pub(crate) mod lab;
pub(crate) mod methods;
pub(crate) mod papers;
pub(crate) mod rank;
pub(crate) mod schema;
pub(crate) mod score;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::ValueEnum;

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// What becomes of a row that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum BadRow {
    /// The run ends with an error.
    #[default]
    Fail,
    /// The row is left out and counted.
    Skip,
}

/// A flag that the first Ctrl-C sets. The second ends the process at once, as it would without us.
fn stop_flag() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let _ = signal_hook::flag::register_conditional_default(signal, Arc::clone(&stop));
        let _ = signal_hook::flag::register(signal, Arc::clone(&stop));
    }
    stop
}
