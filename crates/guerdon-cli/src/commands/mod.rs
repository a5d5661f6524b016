//! One file per command.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod lab;
pub(crate) mod methods;
pub(crate) mod papers;
pub(crate) mod rank;
pub(crate) mod schema;
pub(crate) mod score;

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
