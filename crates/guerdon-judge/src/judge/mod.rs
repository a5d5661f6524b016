//! The judges.

pub mod breakdown;
pub mod checklist;
pub mod context;
pub mod criteria;
pub mod debate;
pub mod genrm;
pub mod listwise;
pub mod pairwise;
pub mod pointwise;
pub mod reasoning;
pub mod rubric;
pub mod step;
pub mod tools;
pub mod verdict_parse;
