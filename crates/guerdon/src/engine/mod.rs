//! What runs a spec: signals on all cores, then the chains, batch by batch.
//!
//! A batch is a number of whole groups. Its result depends on its rollouts, the spec, the seed and the state of online
//! transforms, never on the number of threads.

mod ahead;
mod asking;
mod batch;
mod file;
mod frame;
mod judging;
mod row;

pub use asking::Conversation;
pub use batch::{Scored, Scorer, score_in_order};
pub use file::{FileRun, Finished, Progress, score_file, score_file_with};
pub use judging::{Cards, JudgeRun, Judged, Tally, client, judge_file, judge_rows};
pub use row::{RowOptions, output_row};

use guerdon_core::{MethodError, Unscored};

/// Why a run stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The input cannot be read.
    #[error(transparent)]
    Read(#[from] guerdon_io::ReadError),
    /// The output cannot be written.
    #[error(transparent)]
    Write(#[from] guerdon_io::WriteError),
    /// The models cannot be asked.
    #[error(transparent)]
    Models(#[from] guerdon_client::ClientError),
    /// The system does not let the engine wait for replies.
    #[error("cannot wait for the replies of models: {0}")]
    Runtime(std::io::Error),
    /// The spec does not say which judge is meant.
    #[error("{}", which_judge(.names))]
    WhichJudge {
        /// The judges that there are.
        names: Vec<String>,
    },
    /// A row cannot be written as JSON.
    #[error("a row cannot be written as JSON: {0}")]
    Encode(#[from] serde_json::Error),
    /// A signal with `on_error: fail` could not score a rollout.
    #[error(
        "signal `{signal}` could not score rollout {id}: {reason}. With `on_error: null` the run would go on"
    )]
    Signal {
        /// The signal's name.
        signal: String,
        /// The rollout's id.
        id: String,
        /// Why.
        reason: Unscored,
    },
    /// A transform failed.
    #[error("`{method}` in `{section}` failed: {error}")]
    Transform {
        /// The section of the spec.
        section: &'static str,
        /// The transform's method.
        method: &'static str,
        /// Why.
        error: MethodError,
    },
    /// A method looks at the whole input, and the input is too large for that.
    #[error(
        "`{method}` looks at a whole batch and the input has more than {limit} rollouts: give the batch size that your trainer uses, as `batch: 512` in the spec"
    )]
    BatchTooLarge {
        /// The method.
        method: &'static str,
        /// How many rollouts the engine takes for one batch at most.
        limit: usize,
    },
    /// The run was told to stop; what is done is kept.
    #[error("stopped after {rows} rollouts; run the same command again to go on")]
    Stopped {
        /// Rollouts done.
        rows: u64,
    },
    /// A saved state cannot be used.
    #[error("the saved state of `{what}` cannot be used: {error}. Delete {file} to start anew")]
    State {
        /// Whose state.
        what: String,
        /// Why.
        error: String,
        /// Where it stands.
        file: String,
    },
}

fn which_judge(names: &[String]) -> String {
    if names.is_empty() {
        return "the spec asks no model: give it a `judge` section, for example `judge: {use: judge.pairwise}`".to_owned();
    }
    format!("which judge is meant? There are: {}; name one with `--signal`", names.join(", "))
}
