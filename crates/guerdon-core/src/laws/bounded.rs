//! Calls that may panic or hang, made so that the message names the input.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The longest that one call on a hostile input may take: generous, for a debug build on a busy machine.
pub(super) const LIMIT: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 5 });

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

/// Calls `f` on each of `inputs` (a name and a value) on a thread of its own, each call under [`LIMIT`].
///
/// The outputs, in order; or, at the first panic or overrun, an error that names the input. A call that overruns is
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
        for (name, input) in inputs {
            let output = no_panic(|| f(&input));
            if send.send((name, input, output)).is_err() {
                return;
            }
        }
    });
    let mut outputs = Vec::new();
    for name in &names {
        match receive.recv_timeout(LIMIT) {
            Ok((name, input, Ok(output))) => outputs.push((name, input, output)),
            Ok((_, _, Err(panic))) => return Err(format!("it panics on {name}:\n  {panic}")),
            Err(_) => return Err(format!("it takes longer than {} s on {name}", LIMIT.as_secs())),
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
