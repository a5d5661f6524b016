//! How far a rating can be trusted: intervals, ranks, groups, and what to ask next.

pub mod bootstrap;
pub mod covariance;
pub mod plan;
mod poisson;
pub mod profile;
pub mod ranks;
pub mod resample;
