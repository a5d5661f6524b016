//! How long calls take, and how many there may be.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand_distr::{Distribution as _, LogNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::serve_model::bounded::Positive;
use crate::serve_model::dice::Dice;

/// How long a call takes: a log-normal time, and more for every token of the reply.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Latency {
    /// Mean time to the first token, in milliseconds. Default: 0.
    pub mean_ms: Positive,
    /// Standard deviation of its logarithm. Default: 0.
    pub spread: Positive,
    /// Milliseconds per token of the reply. Default: 0.
    pub per_token_ms: Positive,
}

/// The longest wait.
const LONGEST: f64 = 3_600_000.0;

impl Latency {
    /// The time to the first token.
    pub(super) fn first(&self, dice: Dice) -> Duration {
        let (mean, spread) = (self.mean_ms.get(), self.spread.get().min(5.0));
        if mean == 0.0 {
            return Duration::ZERO;
        }
        let law = LogNormal::new(mean.ln() - spread * spread / 2.0, spread);
        milliseconds(law.map_or(mean, |law| law.sample(&mut dice.stream())))
    }

    /// The time for so many tokens.
    pub(super) fn tokens(&self, tokens: usize) -> Duration {
        milliseconds(self.per_token_ms.get() * tokens as f64)
    }
}

fn milliseconds(ms: f64) -> Duration {
    Duration::from_secs_f64(ms.clamp(0.0, LONGEST) / 1000.0)
}

/// How often calls are let in; others get 429.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limit {
    /// Calls per second, in the long run. Default: without limit.
    pub per_second: Option<Positive>,
    /// Calls that may come at once after a rest. Default: one second's worth, at least 1.
    pub burst: Option<Positive>,
    /// Calls at the same time. Default: without limit.
    pub concurrent: Option<u32>,
    /// Seconds of the header `Retry-After`, fractions allowed. Default: until a place is free, in whole seconds.
    pub retry_after: Option<Positive>,
}

/// A token bucket with a door for so many at once.
#[derive(Debug)]
pub(super) struct Bucket {
    limit: Limit,
    level: Mutex<(f64, Instant)>,
    inside: AtomicU32,
}

/// A call that was let in.
#[derive(Debug)]
pub(super) struct Permit<'a>(&'a Bucket);

impl Bucket {
    pub(super) fn new(limit: Limit) -> Self {
        let level = Mutex::new((burst(&limit), Instant::now()));
        Self { limit, level, inside: AtomicU32::new(0) }
    }

    /// Lets a call in, or says after how many seconds it may come again.
    pub(super) fn enter(&self) -> Result<Permit<'_>, f64> {
        let most = self.limit.concurrent.unwrap_or(u32::MAX);
        let entered = self
            .inside
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| (n < most).then_some(n + 1));
        if entered.is_err() {
            return Err(self.told(1.0));
        }
        // Leaves again when the bucket is empty.
        let permit = Permit(self);
        match self.draw(Instant::now()) {
            Some(wait) => Err(self.told(wait.ceil().max(1.0))),
            None => Ok(permit),
        }
    }

    fn told(&self, usual: f64) -> f64 {
        self.limit.retry_after.map_or(usual, Positive::get)
    }

    /// Takes one token, or says how many seconds are missing.
    fn draw(&self, now: Instant) -> Option<f64> {
        let rate = self.limit.per_second?.get();
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let grown = level.0 + rate * now.saturating_duration_since(level.1).as_secs_f64();
        *level = (grown.min(burst(&self.limit)), now);
        if level.0 >= 1.0 {
            level.0 -= 1.0;
            return None;
        }
        Some(if rate > 0.0 { (1.0 - level.0) / rate } else { 3600.0 })
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::AcqRel);
    }
}

fn burst(limit: &Limit) -> f64 {
    let usual = limit.per_second.map_or(1.0, Positive::get);
    limit.burst.map_or(usual, Positive::get).max(1.0)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Bucket, Latency, Limit};
    use crate::serve_model::Positive;
    use crate::serve_model::dice::Dice;

    #[test]
    fn a_bucket_lets_in_what_its_rate_allows() {
        let limit = Limit {
            per_second: Some(Positive::constant(10.0)),
            burst: Some(Positive::constant(3.0)),
            ..Limit::default()
        };
        let bucket = Bucket::new(limit);
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let entered: Vec<bool> = (0..5).map(|_| bucket.draw(at(1)).is_none()).collect();
        assert_eq!(entered, [true, true, true, false, false]);
        assert!(bucket.draw(at(102)).is_none() && bucket.draw(at(102)).is_some());
    }

    #[test]
    fn the_door_opens_when_someone_leaves() {
        let bucket = Bucket::new(Limit { concurrent: Some(1), ..Limit::default() });
        let first = bucket.enter();
        assert!(first.is_ok() && bucket.enter().is_err());
        drop(first);
        assert!(bucket.enter().is_ok());
    }

    #[test]
    fn latency_has_its_mean() {
        let latency = Latency {
            mean_ms: Positive::constant(20.0),
            spread: Positive::constant(0.5),
            per_token_ms: Positive::ONE,
        };
        let total: f64 = (0..4000).map(|i| latency.first(Dice::new(1).at(i)).as_secs_f64()).sum();
        assert!((total / 4000.0 - 0.02).abs() < 0.001, "{total}");
        assert_eq!(latency.tokens(30), Duration::from_millis(30));
    }
}
