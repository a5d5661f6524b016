//! Comparisons to ratings; tournaments.
//!
//! ```text
//! file or columns → Comparisons → Counts → a method of `rank.*` → Leaderboard → table, JSON, HTML page
//! ```
//!
//! * [`Comparisons`]: who met whom and who won, one row each; read by [`read`] or built from columns.
//! * [`Counts`]: the same, added up per pair. Batch methods see only this, so their cost does not grow with the rows.
//! * [`rank`]: the methods, one file each.
//! * [`uncertainty`]: intervals, ranks with their uncertainty, groups, and what to ask next.
//! * [`Leaderboard`] and [`Report`]: what comes out. [`job`] runs several methods over one file.

#![allow(clippy::doc_markdown, reason = "TrueSkill, PageRank and other proper names are not code")]

pub mod comparisons;
pub mod fit;
pub mod graph;
pub mod job;
mod linalg;
pub mod rank;
pub mod report;
pub mod tournament;
pub mod uncertainty;

pub use comparisons::counts::{Cell, Counts};
pub use comparisons::read::{self, Columns};
pub use comparisons::{Comparisons, Outcome};
pub use job::{Job, Report};
pub use report::leaderboard::{Leaderboard, Rating};

include!(concat!(env!("OUT_DIR"), "/registry.rs"));
