//! Guerdon, the reward engine: the spec and what runs it.
//!
//! ```no_run
//! use guerdon::{Scorer, Spec};
//!
//! let spec = Spec::from_path("reward.yaml".as_ref())?;
//! let mut scorer = Scorer::new(spec);
//! let batch = scorer.score_rows(vec![serde_json::json!({"completion": "4", "reference": "4"})])?;
//! println!("{:?}", batch.reward);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod ask;
mod catalogue;
pub mod engine;
pub mod monitors;
pub mod report;
pub mod spec;
pub mod summary;

pub use catalogue::{CallError, ask as converse, call, find, methods, nearest_method};
pub use engine::{RunError, Scored, Scorer};
pub use guerdon_client as client;
pub use guerdon_core as core;
pub use guerdon_io as io;
pub use guerdon_judge as judge;
pub use guerdon_model as model;
pub use guerdon_rank as rank;
pub use guerdon_select as select;
pub use guerdon_shape as shape;
pub use guerdon_stats as stats;
pub use guerdon_verify as verify;
pub use spec::{Spec, SpecError};
