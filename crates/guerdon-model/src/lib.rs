//! Learned rewards, and the data that rewards and policies are trained on.

pub mod data;
pub mod moments;
pub mod portion;

include!(concat!(env!("OUT_DIR"), "/registry.rs"));
