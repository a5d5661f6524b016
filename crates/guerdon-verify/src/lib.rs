//! Signals that need no model.

pub mod math;
mod text;
pub mod verify;

include!(concat!(env!("OUT_DIR"), "/registry.rs"));
