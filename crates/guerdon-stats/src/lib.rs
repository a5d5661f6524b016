//! Statistics as pure functions with documented conventions.
//!
//! The methods are in [`stats`]. What several of them share, and what other rooms may use without a method, stands in
//! the small modules beside it: probability functions ([`dist`]), labels ([`labels`]), order statistics ([`order`]), moments ([`moments`]),
//! correlation ([`correlation`]) and resampling ([`resample`]).
//!
//! Conventions that hold everywhere: an input outside a function's domain (lengths that differ, a value that is not
//! finite, nothing at all) is an error; a statistic that the data leave undefined (the correlation with a constant) is
//! `None`, never a number; no function returns an infinity or NaN.

pub mod correlation;
pub mod dist;
pub mod labels;
pub mod linalg;
pub mod moments;
pub mod order;
pub mod resample;
pub mod stats;
pub mod tail;

include!(concat!(env!("OUT_DIR"), "/registry.rs"));
