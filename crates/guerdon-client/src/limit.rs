//! How fast an endpoint is asked: attempts in flight, attempts and tokens per minute, and what the server asks for: pauses,
//! and fewer at once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::endpoint::Endpoint;

/// The gate of one endpoint.
pub(crate) struct Gate {
    permits: Semaphore,
    flow: Mutex<Flow>,
    rates: Option<Mutex<Rates>>,
    paused: Mutex<Option<Instant>>,
}

/// How many may be in flight at present: fewer than the spec allows while the server asks to slow down.
struct Flow {
    most: usize,
    limit: usize,
    /// Permits that are out and beyond the limit: taken back as they return.
    debt: usize,
    /// Answers since the limit last changed.
    answers: usize,
    cut: Option<Instant>,
}

/// Leave to be in flight; given back when dropped.
pub(crate) struct Permit<'a> {
    gate: &'a Gate,
    permit: Option<SemaphorePermit<'a>>,
}

struct Rates {
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
}

impl Gate {
    pub(crate) fn new(endpoint: &Endpoint, now: Instant) -> Self {
        // A second's worth of requests may go out at once; of tokens, which come in lumps, ten seconds' worth.
        let requests = endpoint.requests_per_minute.map(|rate| Bucket::new(rate / 60.0, 1.0, now));
        let tokens = endpoint.tokens_per_minute.map(|rate| Bucket::new(rate / 60.0, 10.0, now));
        let limited = requests.is_some() || tokens.is_some();
        let most = endpoint.concurrency as usize;
        Self {
            permits: Semaphore::new(most),
            flow: Mutex::new(Flow { most, limit: most, debt: 0, answers: 0, cut: None }),
            rates: limited.then(|| Mutex::new(Rates { requests, tokens })),
            paused: Mutex::new(None),
        }
    }

    /// Waits until fewer attempts are in flight than may be.
    pub(crate) async fn enter(&self) -> Permit<'_> {
        // The semaphore is never closed.
        Permit { gate: self, permit: self.permits.acquire().await.ok() }
    }

    /// The server refused an attempt that began at `began` because it has too much to do: half as many may be in flight.
    /// All refusals of attempts that were in flight together count once.
    pub(crate) fn throttled(&self, began: Instant) {
        let mut flow = lock(&self.flow);
        if flow.cut.is_some_and(|cut| began < cut) {
            return;
        }
        let limit = (flow.limit / 2).max(1);
        flow.debt += flow.limit - limit;
        (flow.limit, flow.answers, flow.cut) = (limit, 0, Some(Instant::now()));
        flow.debt -= self.permits.forget_permits(flow.debt);
    }

    /// The server answered an attempt: after as many answers as may be in flight, a few more may be.
    pub(crate) fn answered(&self) {
        let mut flow = lock(&self.flow);
        if flow.limit == flow.most {
            return;
        }
        flow.answers += 1;
        if flow.answers < flow.limit {
            return;
        }
        let more = (flow.limit / 8).max(1).min(flow.most - flow.limit);
        let forgiven = more.min(flow.debt);
        flow.debt -= forgiven;
        flow.limit += more;
        flow.answers = 0;
        self.permits.add_permits(more - forgiven);
    }

    /// Waits until the rates allow one more attempt of about `tokens` tokens.
    pub(crate) async fn slot(&self, tokens: u64) {
        let Some(rates) = &self.rates else { return };
        let now = Instant::now();
        let at = {
            let mut rates = lock(rates);
            let request = rates.requests.as_mut().map_or(now, |bucket| bucket.take(1.0, now));
            let tokens =
                rates.tokens.as_mut().map_or(now, |bucket| bucket.take(tokens as f64, now));
            request.max(tokens)
        };
        if at > now {
            tokio::time::sleep_until(at.into()).await;
        }
    }

    /// Corrects what an attempt took: `taken` tokens were counted, it was really `used`.
    pub(crate) fn settle(&self, taken: u64, used: u64) {
        if let Some(bucket) = self.rates.as_ref().map(lock).as_mut().and_then(|r| r.tokens.as_mut())
        {
            bucket.correct(used as f64 - taken as f64);
        }
    }

    /// Nothing goes out before `until`: the server asked for it.
    pub(crate) fn pause(&self, until: Instant) {
        let mut paused = lock(&self.paused);
        *paused = Some(paused.map_or(until, |old| old.max(until)));
    }

    /// Until when nothing goes out, if that is still to come.
    pub(crate) fn paused(&self) -> Option<Instant> {
        let mut paused = lock(&self.paused);
        *paused = paused.filter(|until| *until > Instant::now());
        *paused
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut flow = lock(&self.gate.flow);
        if flow.debt > 0 {
            flow.debt -= 1;
            if let Some(permit) = self.permit.take() {
                permit.forget();
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A token bucket, kept as the time at which it will be full. Whoever takes more than there is goes into debt and is told
/// when the debt is paid; so lumps larger than the bucket pass, too.
struct Bucket {
    per_second: f64,
    depth: Duration,
    full_at: Instant,
}

/// Longest wait that one bucket imposes, so that no rate overflows the clock: a day.
const MOST_WAIT: f64 = 86_400.0;

impl Bucket {
    /// Fills at `per_second` and holds `seconds` worth, at least 1.
    fn new(per_second: f64, seconds: f64, now: Instant) -> Self {
        let depth = Duration::from_secs_f64(seconds.max(1.0 / per_second).min(MOST_WAIT));
        Self { per_second, depth, full_at: now }
    }

    /// Takes `amount`; returns when it may be used.
    fn take(&mut self, amount: f64, now: Instant) -> Instant {
        // The amount may be used once the bucket had room for it: when no more than its depth is missing.
        self.full_at = self.full_at.max(now) + self.seconds(amount);
        let at = self.full_at.checked_sub(self.depth).map_or(now, |at| at.max(now));
        at.min(now + Duration::from_secs_f64(MOST_WAIT))
    }

    /// Takes or gives back the difference; a server that claims absurd usage costs no more than one bucket.
    fn correct(&mut self, amount: f64) {
        let by = self.seconds(amount.abs());
        if amount > 0.0 {
            self.full_at += by.min(self.depth);
        } else {
            self.full_at = self.full_at.checked_sub(by).unwrap_or(self.full_at);
        }
    }

    fn seconds(&self, amount: f64) -> Duration {
        Duration::from_secs_f64((amount / self.per_second).clamp(0.0, MOST_WAIT))
    }
}

#[cfg(test)]
mod tests {
    use super::{Bucket, Gate};
    use crate::endpoint::Endpoint;
    use crate::http::poll_once;
    use std::time::{Duration, Instant};

    /// How many may enter now.
    fn room(gate: &Gate) -> usize {
        let mut permits = Vec::new();
        while let Some(permit) = poll_once(gate.enter()) {
            permits.push(permit);
        }
        permits.len()
    }

    #[test]
    fn a_throttled_endpoint_is_asked_less_at_once_and_then_more_again() {
        let endpoint = Endpoint { concurrency: 16, ..Endpoint::new("http://h", "m") };
        let began = Instant::now();
        let gate = Gate::new(&endpoint, began);
        let flying: Vec<_> = (0..10).filter_map(|_| poll_once(gate.enter())).collect();
        for _ in 0..10 {
            gate.throttled(began);
        }
        assert_eq!(room(&gate), 0);
        drop(flying);
        assert_eq!(room(&gate), 8);
        for _ in 0..3 {
            gate.throttled(Instant::now());
        }
        assert_eq!(room(&gate), 1);
        gate.throttled(Instant::now());
        assert_eq!(room(&gate), 1);
        (0..1 + 2 + 3).for_each(|_| gate.answered());
        assert_eq!(room(&gate), 4);
        (0..1000).for_each(|_| gate.answered());
        assert_eq!(room(&gate), 16);
    }

    #[test]
    fn permits_out_beyond_the_limit_are_forgiven_when_it_grows() {
        let endpoint = Endpoint { concurrency: 4, ..Endpoint::new("http://h", "m") };
        let gate = Gate::new(&endpoint, Instant::now());
        let flying: Vec<_> = (0..4).filter_map(|_| poll_once(gate.enter())).collect();
        gate.throttled(Instant::now());
        (0..100).for_each(|_| gate.answered());
        drop(flying);
        assert_eq!(room(&gate), 4);
    }

    #[test]
    fn a_bucket_lets_a_burst_through_and_then_its_rate() {
        let now = Instant::now();
        let mut bucket = Bucket::new(10.0, 1.0, now);
        let waits: Vec<u128> =
            (0..13).map(|_| (bucket.take(1.0, now) - now).as_millis().div_ceil(100)).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
        let later = now + Duration::from_mins(1);
        assert_eq!(bucket.take(1.0, later), later);
    }

    #[test]
    fn a_slow_bucket_holds_one() {
        let now = Instant::now();
        let mut bucket = Bucket::new(0.1, 1.0, now);
        assert_eq!(bucket.take(1.0, now), now);
        assert_eq!(bucket.take(1.0, now) - now, Duration::from_secs(10));
    }

    #[test]
    fn what_was_not_used_comes_back() {
        let now = Instant::now();
        let mut bucket = Bucket::new(100.0, 10.0, now);
        bucket.take(1000.0, now);
        bucket.correct(-500.0);
        assert_eq!(bucket.take(500.0, now), now);
        assert!(bucket.take(1.0, now) > now);
        assert!(bucket.take(f64::MAX, now) <= now + Duration::from_hours(24));
    }
}
