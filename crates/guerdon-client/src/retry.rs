//! Which failures are worth another attempt, and when.

use std::time::{Duration, SystemTime};

/// What to do after an attempt that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// The same would come back.
    Never,
    /// Worth one of the retries.
    Counted,
    /// The server named the time to come back at: costs no retry.
    AsTold,
    /// The connection was stale: at once, on a fresh one.
    Fresh,
}

/// What a status means for the next attempt. `told` says whether the server named a time, `said` is its message.
pub(crate) fn by_status(status: u16, told: bool, said: &str) -> Again {
    match status {
        // An account without money asks for no patience.
        429 if said.contains("insufficient_quota")
            || said.contains("exceeded your current quota") =>
        {
            Again::Never
        }
        429 if told => Again::AsTold,
        501 | 505 => Again::Never,
        408 | 409 | 425 | 429 | 500.. => Again::Counted,
        _ => Again::Never,
    }
}

/// The longest wait between two attempts that is our own choice.
const MOST: Duration = Duration::from_secs(30);

/// The wait before repetition number `nth` (from 0): twice as long each time, jittered between a half and the whole. The
/// jitter is a function of `seed` and `nth`.
pub(crate) fn backoff(first: Duration, nth: u32, seed: u64) -> Duration {
    let whole = first.saturating_mul(1 << nth.min(20)).min(MOST.max(first));
    let share = mix(seed ^ u64::from(nth)) >> 11;
    whole.mul_f64(0.5 + 0.5 * (share as f64 / (1_u64 << 53) as f64))
}

/// SplitMix64's finaliser.
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Reads `Retry-After`: seconds, or an HTTP date.
pub(crate) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::{Again, backoff, by_status, retry_after};
    use std::time::{Duration, SystemTime};

    #[test]
    fn statuses() {
        for (status, told, again) in [
            (400, false, Again::Never),
            (401, false, Again::Never),
            (404, true, Again::Never),
            (429, true, Again::AsTold),
            (429, false, Again::Counted),
            (500, false, Again::Counted),
            (503, true, Again::Counted),
            (529, false, Again::Counted),
            (302, false, Again::Never),
        ] {
            assert_eq!(by_status(status, told, ""), again, "{status}");
        }
        assert_eq!(by_status(429, true, "You exceeded your current quota"), Again::Never);
    }

    #[test]
    fn waits_double_within_their_jitter_and_are_the_same_again() {
        let first = Duration::from_secs(1);
        for nth in 0..40 {
            let (wait, whole) = (backoff(first, nth, 9), 2_f64.powi(nth.cast_signed()).min(30.0));
            assert!((whole / 2.0..=whole).contains(&wait.as_secs_f64()), "{nth}: {wait:?}");
            assert_eq!(wait, backoff(first, nth, 9));
        }
        assert_ne!(backoff(first, 0, 1), backoff(first, 0, 2));
    }

    #[test]
    fn seconds_and_dates() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(retry_after("2", now), Some(Duration::from_secs(2)));
        assert_eq!(retry_after(" 0.5 ", now), Some(Duration::from_millis(500)));
        assert_eq!(
            retry_after("Sun, 06 Nov 1994 08:50:07 GMT", now),
            Some(Duration::from_secs(30))
        );
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(Duration::ZERO));
        for bad in ["soon", "-1", "inf", "NaN", "1e300", ""] {
            assert_eq!(retry_after(bad, SystemTime::now()), None, "{bad}");
        }
    }
}
