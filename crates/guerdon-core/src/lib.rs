//! The ground of Guerdon: what is rewarded ([`Rollout`]), what comes out ([`Score`]), the tables in between
//! ([`Frame`], [`Column`], [`Groups`]), and the machinery that makes a [`Method`] out of one file.
//!
//! Rooms build on this crate and never on each other. Nothing here reads files, talks to a network or knows a method.

mod error;
mod frame;
#[cfg(feature = "laws")]
pub mod laws;
pub mod method;
mod rollout;
mod score;
pub mod seed;

pub use error::{MethodError, ParamError, nearest};
pub use frame::{Column, Dense, Fine, Frame, Groups, Level, View};
pub use method::{Law, Method, MethodDef, Status};
pub use rollout::{LogProbs, Message, Rollout, Step, Text, ToolCall};
pub use score::{Outcome, Score, Unscored, UnscoredKind};
#[doc(hidden)]
pub use {schemars, serde_json};
