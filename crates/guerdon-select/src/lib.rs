//! Spending reward at test time: choosing among candidates.
//!
//! The methods are in [`select`]. What they share stands beside it: [`ballot`] counts weighted votes over equivalent
//! answers, [`weight`] turns what is known of a candidate into one number.

pub mod ballot;
pub mod select;
pub mod weight;

include!(concat!(env!("OUT_DIR"), "/registry.rs"));
