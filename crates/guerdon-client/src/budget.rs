//! Caps on what a client spends. What an attempt may take is reserved before it and settled after it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::endpoint::Limits;

/// What an attempt takes of the budget. Money is in millionths of a millionth of the currency, so that sums are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cost {
    pub(crate) tokens: u64,
    pub(crate) pico: u64,
}

/// Millionths of a millionth in one unit of the currency.
pub(crate) const PICO: f64 = 1e12;

#[derive(Default)]
struct Spent {
    calls: u64,
    cost: Cost,
    reserved: Cost,
    flying: u64,
}

pub(crate) struct Budget {
    calls: u64,
    most: Cost,
    /// Without caps nothing is counted.
    capped: bool,
    limits: Limits,
    spent: Mutex<Spent>,
    settled: Notify,
}

/// A part of the budget, set aside; when dropped unsettled, the attempt is taken to have cost nothing.
pub(crate) struct Reserved<'a> {
    budget: Option<&'a Budget>,
    cost: Cost,
}

enum Verdict {
    Granted,
    /// It may fit once attempts under way turn out cheaper than reserved.
    Wait,
    Refused(String),
}

impl Budget {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked: 0 to 1e6 units"
    )]
    pub(crate) fn new(limits: Limits) -> Self {
        let pico = limits.money.map_or(u64::MAX, |money| (money * PICO) as u64);
        Self {
            calls: limits.calls.unwrap_or(u64::MAX),
            most: Cost { tokens: limits.tokens.unwrap_or(u64::MAX), pico },
            capped: limits != Limits::default(),
            limits,
            spent: Mutex::default(),
            settled: Notify::new(),
        }
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets aside an attempt of about `cost`, waiting for attempts under way if need be. The error names the cap.
    pub(crate) async fn reserve(&self, cost: Cost) -> Result<Reserved<'_>, String> {
        if !self.capped {
            return Ok(Reserved { budget: None, cost });
        }
        loop {
            let settled = self.settled.notified();
            let mut settled = std::pin::pin!(settled);
            settled.as_mut().enable();
            match self.try_reserve(cost) {
                Verdict::Granted => return Ok(Reserved { budget: Some(self), cost }),
                Verdict::Refused(cap) => return Err(cap),
                Verdict::Wait => settled.await,
            }
        }
    }

    fn try_reserve(&self, cost: Cost) -> Verdict {
        let mut spent = self.spent();
        if spent.calls >= self.calls {
            return Verdict::Refused(format!("all {} calls of the budget are made", self.calls));
        }
        let fits = |spent: u64, reserved: u64, more: u64, most: u64| {
            spent.saturating_add(reserved).saturating_add(more) <= most
        };
        let (paid, held) = (spent.cost, spent.reserved);
        let now = fits(paid.tokens, held.tokens, cost.tokens, self.most.tokens)
            && fits(paid.pico, held.pico, cost.pico, self.most.pico);
        if now {
            spent.calls += 1;
            spent.flying += 1;
            spent.reserved.tokens += cost.tokens;
            spent.reserved.pico += cost.pico;
            return Verdict::Granted;
        }
        let ever = fits(paid.tokens, 0, cost.tokens, self.most.tokens)
            && fits(paid.pico, 0, cost.pico, self.most.pico);
        if ever && spent.flying > 0 {
            Verdict::Wait
        } else {
            Verdict::Refused(self.refusal(paid, cost))
        }
    }

    fn refusal(&self, paid: Cost, cost: Cost) -> String {
        match self.limits.tokens {
            Some(most) if paid.tokens.saturating_add(cost.tokens) > most => format!(
                "{} of the budget's {most} tokens are spent, and this call may take {}",
                paid.tokens, cost.tokens
            ),
            _ => format!(
                "{:.4} of the budget's {:.4} are spent, and this call may take {:.4}",
                paid.pico as f64 / PICO,
                self.most.pico as f64 / PICO,
                cost.pico as f64 / PICO
            ),
        }
    }
}

impl Reserved<'_> {
    /// The attempt took `cost`.
    pub(crate) fn settle(mut self, cost: Cost) {
        self.close(cost);
    }

    fn close(&mut self, cost: Cost) {
        let Some(budget) = self.budget.take() else { return };
        let mut spent = budget.spent();
        spent.flying -= 1;
        spent.reserved.tokens -= self.cost.tokens;
        spent.reserved.pico -= self.cost.pico;
        spent.cost.tokens = spent.cost.tokens.saturating_add(cost.tokens);
        spent.cost.pico = spent.cost.pico.saturating_add(cost.pico);
        drop(spent);
        budget.settled.notify_waiters();
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.close(Cost::default());
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, Cost};
    use crate::endpoint::Limits;
    use crate::http::poll_once;

    fn cost(tokens: u64) -> Cost {
        Cost { tokens, pico: tokens }
    }

    #[test]
    fn calls_are_never_overshot() {
        let budget = Budget::new(Limits { calls: Some(2), ..Limits::default() });
        let first = poll_once(budget.reserve(cost(1))).unwrap();
        drop(first);
        let _second = poll_once(budget.reserve(cost(1))).unwrap();
        assert!(poll_once(budget.reserve(cost(1))).unwrap().is_err());
    }

    #[test]
    fn what_may_fit_later_waits() {
        let budget = Budget::new(Limits { tokens: Some(100), ..Limits::default() });
        let first = poll_once(budget.reserve(cost(80))).unwrap().unwrap();
        assert!(poll_once(budget.reserve(cost(80))).is_none());
        assert!(poll_once(budget.reserve(cost(101))).unwrap().is_err());
        first.settle(cost(10));
        let second = poll_once(budget.reserve(cost(80))).unwrap().unwrap();
        second.settle(cost(80));
        let refusal = poll_once(budget.reserve(cost(11))).unwrap().err().unwrap();
        assert!(refusal.contains("90 of the budget's 100 tokens"), "{refusal}");
    }

    #[test]
    fn money_is_capped() {
        let budget = Budget::new(Limits { money: Some(1e-12 * 5.0), ..Limits::default() });
        poll_once(budget.reserve(cost(5))).unwrap().unwrap().settle(cost(5));
        assert!(poll_once(budget.reserve(cost(1))).unwrap().is_err());
    }
}
