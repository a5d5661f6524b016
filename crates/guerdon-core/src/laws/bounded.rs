//! Calls that may panic or hang, made so that the message names the input.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// The most processor time that one call on a hostile input may take: generous, for a debug build.
pub(super) const LIMIT: Duration = Duration::from_secs(5);

/// The most time by the clock, so that a call which waits or never ends is found, too; a busy machine stays below it.
const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 60 });

thread_local! {
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on panics are not printed where they happen but kept for the message of the law that caught them.
pub(super) fn catch_panics() {
    panic::set_hook(Box::new(|info| {
        LAST_PANIC.with(|last| *last.borrow_mut() = Some(info.to_string()));
    }));
}

/// Calls `f`; a panic becomes an error that says where it happened.
pub(super) fn no_panic<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
        let kept = LAST_PANIC.with(|last| last.borrow_mut().take());
        kept.unwrap_or_else(|| format!("it panicked: {}", payload_text(payload.as_ref())))
    })
}

fn payload_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

/// Processor time that this thread has had so far; time by the clock where the system does not say.
fn spent(start: Instant) -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = stat.and_then(|text| text.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// Calls `f` on each of `inputs` (a name and a value) on a thread of its own, each call within [`LIMIT`].
///
/// The outputs, in order; or, at the first panic or overrun, an error that names the input. A call that does not end is
/// abandoned, not stopped: it ends with the process.
pub(super) fn each<I, O>(
    inputs: Vec<(String, I)>,
    f: impl Fn(&I) -> O + Send + 'static,
) -> Result<Vec<(String, I, O)>, String>
where
    I: Send + 'static,
    O: Send + 'static,
{
    let names: Vec<String> = inputs.iter().map(|(name, _)| name.clone()).collect();
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let start = Instant::now();
        for (name, input) in inputs {
            let before = spent(start);
            let output = no_panic(|| f(&input));
            let took = spent(start).saturating_sub(before);
            if send.send((name, input, output, took)).is_err() {
                return;
            }
        }
    });
    let mut outputs = Vec::new();
    for name in &names {
        match receive.recv_timeout(PATIENCE) {
            Ok((_, _, Err(panic), _)) => return Err(format!("it panics on {name}:\n  {panic}")),
            Ok((_, _, _, took)) if took > LIMIT => {
                let (took, limit) = (took.as_secs_f64(), LIMIT.as_secs());
                return Err(format!(
                    "it takes {took:.1} s on {name}; at most {limit} s are allowed"
                ));
            }
            Ok((name, input, Ok(output), _)) => outputs.push((name, input, output)),
            Err(_) => {
                return Err(format!("it does not end within {} s on {name}", PATIENCE.as_secs()));
            }
        }
    }
    Ok(outputs)
}

#[cfg(test)]
mod tests {
    use super::{each, no_panic};

    fn inputs() -> Vec<(String, u8)> {
        vec![("one".to_owned(), 1), ("two".to_owned(), 2)]
    }

    #[test]
    fn outputs_come_back_in_order() {
        let outputs = each(inputs(), |n| n * 10).unwrap();
        assert_eq!(outputs, [("one".to_owned(), 1, 10), ("two".to_owned(), 2, 20)]);
    }

    #[test]
    fn a_panic_names_its_input() {
        let error = each(inputs(), |n| assert_ne!(*n, 2)).unwrap_err();
        assert!(error.starts_with("it panics on two"), "{error}");
        assert!(no_panic(|| panic!("boom")).unwrap_err().contains("boom"));
    }
}
