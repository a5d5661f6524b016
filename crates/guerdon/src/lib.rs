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

mod catalogue;
pub mod engine;
pub mod monitors;
pub mod report;
pub mod spec;
pub mod summary;

pub use catalogue::{CallError, call, find, methods, nearest_method};
pub use engine::{RunError, Scored, Scorer};
pub use guerdon_core as core;
pub use guerdon_io as io;
pub use spec::{Spec, SpecError};
