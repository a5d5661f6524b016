//! Rubrics: lists of criteria, where they come from, how a response is graded on them, and what the grades add up to.
//!
//! [`Criterion`] is one item. [`Maker`] has a model write them, [`Grader`] has a model apply them, [`total`] and
//! [`balance`] add up what it said.

mod aggregate;
mod criterion;
mod grade;
mod make;

pub use aggregate::{Aggregate, Tiers, balance, standard_tiers, total, weight};
pub use criterion::{Criteria, Criterion, Sort, numbered};
pub use grade::{Graded, Grader, Mode};
pub use make::{Maker, Source, Tags};

/// The most criteria of one rubric.
pub const MOST: usize = 64;
