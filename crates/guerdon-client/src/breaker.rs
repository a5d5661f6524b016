//! The circuit breaker of an endpoint: after many failures in a row nothing is sent for a while, then one probe.
//!
//! Calls wait for a broken endpoint rather than fail at once, but an endpoint's absence is waited for once, not once per
//! call: when it has been gone for the patience of a call, further calls fail at once until a probe succeeds.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// First and longest time between probes.
const COOL: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(15));

/// How long an endpoint is waited for that never answered: more likely a wrong address than a bad moment.
const NEVER_ANSWERED: Duration = Duration::from_secs(20);

pub(crate) struct Breaker {
    /// Failures in a row that open it; 0 for never.
    after: u32,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    failures: u32,
    answered: bool,
    open: Option<Open>,
}

struct Open {
    since: Instant,
    next_probe: Instant,
    cool: Duration,
    probing: bool,
    cause: String,
}

/// What a call may do.
#[derive(Debug, PartialEq)]
pub(crate) enum Way {
    Free,
    /// This call is the probe.
    Probe,
    Wait(Instant),
    /// The endpoint has been gone for too long; the cause of the last failure.
    Gone(String),
}

/// A call that is let through; a probe that ends without a verdict makes room for the next.
pub(crate) struct Pass<'a> {
    breaker: &'a Breaker,
    probe: bool,
}

impl Breaker {
    pub(crate) fn new(after: u32) -> Self {
        Self { after, state: Mutex::default(), changed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a call may do that has patience for `patience` and until `deadline`.
    fn way(&self, now: Instant, patience: Duration, deadline: Instant) -> Way {
        let mut state = self.state();
        let answered = state.answered;
        let Some(open) = &mut state.open else { return Way::Free };
        if !open.probing && now >= open.next_probe {
            open.probing = true;
            return Way::Probe;
        }
        let patience = if answered { patience } else { patience.min(NEVER_ANSWERED) };
        let end = deadline.min(open.since + patience);
        if now >= end {
            return Way::Gone(open.cause.clone());
        }
        Way::Wait(if open.probing { end } else { open.next_probe.min(end) })
    }

    /// Waits until a call may pass; the error is the cause of the last failure.
    pub(crate) async fn pass(
        &self,
        patience: Duration,
        deadline: Instant,
    ) -> Result<Pass<'_>, String> {
        loop {
            let changed = self.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            match self.way(Instant::now(), patience, deadline) {
                Way::Free => return Ok(Pass { breaker: self, probe: false }),
                Way::Probe => return Ok(Pass { breaker: self, probe: true }),
                Way::Gone(cause) => return Err(cause),
                // Whether the time came or the state changed: the next round looks again.
                Way::Wait(until) => {
                    let _ = tokio::time::timeout_at(until.into(), changed).await;
                }
            }
        }
    }

    fn succeeded(&self) {
        let mut state = self.state();
        state.failures = 0;
        state.answered = true;
        if state.open.take().is_some() {
            drop(state);
            self.changed.notify_waiters();
        }
    }

    fn failed(&self, now: Instant, probe: bool, cause: &str) {
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        let breaks = self.after > 0 && state.failures >= self.after;
        match &mut state.open {
            Some(open) if probe => {
                open.cool = (open.cool * 2).min(COOL.1);
                open.next_probe = now + open.cool;
                open.probing = false;
                cause.clone_into(&mut open.cause);
            }
            None if breaks => {
                let (cool, cause) = (COOL.0, cause.to_owned());
                let next_probe = now + cool;
                state.open = Some(Open { since: now, next_probe, cool, probing: false, cause });
            }
            // Not there yet, or an attempt that began before the breaker opened.
            _ => return,
        }
        drop(state);
        self.changed.notify_waiters();
    }
}

impl Pass<'_> {
    /// The endpoint answered, be it with a refusal.
    pub(crate) fn succeeded(mut self) {
        self.probe = false;
        self.breaker.succeeded();
    }

    /// The endpoint failed.
    pub(crate) fn failed(mut self, cause: &str) {
        self.breaker.failed(Instant::now(), std::mem::take(&mut self.probe), cause);
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if !self.probe {
            return;
        }
        if let Some(open) = &mut self.breaker.state().open {
            open.probing = false;
        }
        self.breaker.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::{Breaker, NEVER_ANSWERED, Way};
    use std::time::{Duration, Instant};

    const LONG: Duration = Duration::from_mins(10);

    fn broken(answered: bool) -> (Breaker, Instant) {
        let (breaker, now) = (Breaker::new(3), Instant::now());
        if answered {
            breaker.succeeded();
        }
        (0..3).for_each(|_| breaker.failed(now, false, "500"));
        (breaker, now)
    }

    #[test]
    fn it_opens_after_failures_in_a_row_only() {
        let (breaker, now) = (Breaker::new(3), Instant::now());
        for _ in 0..5 {
            breaker.failed(now, false, "500");
            breaker.failed(now, false, "500");
            breaker.succeeded();
        }
        assert_eq!(breaker.way(now, LONG, now + LONG), Way::Free);
    }

    #[test]
    fn one_probe_closes_it_or_keeps_it_open() {
        let (breaker, now) = broken(true);
        assert!(matches!(breaker.way(now, LONG, now + LONG), Way::Wait(_)));
        let later = now + Duration::from_secs(1);
        assert_eq!(breaker.way(later, LONG, now + LONG), Way::Probe);
        assert!(matches!(breaker.way(later, LONG, now + LONG), Way::Wait(_)));
        breaker.failed(later, true, "500");
        assert!(matches!(breaker.way(later, LONG, now + LONG), Way::Wait(_)));
        assert_eq!(breaker.way(later + LONG / 2, LONG, now + LONG), Way::Probe);
        breaker.succeeded();
        assert_eq!(breaker.way(later, LONG, now + LONG), Way::Free);
    }

    #[test]
    fn absence_is_waited_for_once() {
        let gone = |answered, after: Duration| {
            let (breaker, now) = broken(answered);
            // A probe is under way, so that this call is none.
            assert_eq!(breaker.way(now + after, LONG, now + 9 * LONG), Way::Probe);
            matches!(breaker.way(now + after, LONG, now + 9 * LONG), Way::Gone(_))
        };
        assert!(gone(true, LONG) && !gone(true, LONG / 2));
        assert!(gone(false, NEVER_ANSWERED) && !gone(false, NEVER_ANSWERED / 2));
    }

    #[test]
    fn a_probe_that_is_given_up_makes_room() {
        let (breaker, now) = broken(true);
        let later = now + Duration::from_secs(1);
        assert_eq!(breaker.way(later, LONG, now + LONG), Way::Probe);
        drop(super::Pass { breaker: &breaker, probe: true });
        assert_eq!(breaker.way(later, LONG, now + LONG), Way::Probe);
    }
}
