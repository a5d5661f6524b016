//! Several batches of questions on their way at once.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesOrdered;

use super::RunError;

/// How often a run that waits shows what it has spent, and looks whether it is to stop.
pub(super) const TICK: Duration = Duration::from_millis(200);
/// Batches on their way at the same time, so that the slowest reply of one does not hold up the others.
const AHEAD: usize = 8;

/// Does `work` on everything that comes in, several at a time; results leave in the order in which the work came. Ends
/// with the input, when nobody listens any more, or when `stop` is set.
pub(super) fn ahead<I, O, F: Future<Output = Result<O, RunError>>>(
    incoming: &Receiver<Result<I, RunError>>,
    outgoing: &SyncSender<Result<O, RunError>>,
    stop: &AtomicBool,
    work: impl Fn(I) -> F,
) {
    match super::asking::runtime() {
        Ok(runtime) => runtime.block_on(drive(incoming, outgoing, stop, work)),
        Err(error) => drop(outgoing.send(Err(error))),
    }
}

async fn drive<I, O, F: Future<Output = Result<O, RunError>>>(
    incoming: &Receiver<Result<I, RunError>>,
    outgoing: &SyncSender<Result<O, RunError>>,
    stop: &AtomicBool,
    work: impl Fn(I) -> F,
) {
    let (mut flying, mut open) = (FuturesOrdered::new(), true);
    while !stop.load(Ordering::Relaxed) {
        while open && flying.len() < AHEAD {
            match next(incoming, flying.is_empty()) {
                Ok(Ok(item)) => flying.push_back(Either::Left(work(item))),
                Ok(Err(error)) => {
                    open = false;
                    flying.push_back(Either::Right(std::future::ready(Err(error))));
                }
                Err(TryRecvError::Disconnected) => open = false,
                Err(TryRecvError::Empty) => break,
            }
        }
        let tick = pin!(tokio::time::sleep(TICK));
        match select(flying.next(), tick).await {
            Either::Left((Some(result), _)) => {
                if outgoing.send(result).is_err() {
                    return;
                }
            }
            Either::Left((None, _)) if !open => return,
            Either::Left((None, _)) | Either::Right(_) => {}
        }
    }
}

/// What comes next; waits for it where there is nothing else to do.
fn next<T>(incoming: &Receiver<T>, idle: bool) -> Result<T, TryRecvError> {
    if !idle {
        return incoming.try_recv();
    }
    incoming.recv_timeout(TICK).map_err(|error| match error {
        RecvTimeoutError::Timeout => TryRecvError::Empty,
        RecvTimeoutError::Disconnected => TryRecvError::Disconnected,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc::sync_channel;
    use std::time::Duration;

    use super::ahead;
    use crate::RunError;

    #[test]
    fn results_leave_in_the_order_of_the_work_and_errors_end_it() {
        let ((send, incoming), (outgoing, results)) = (sync_channel(9), sync_channel(9));
        for k in [40, 10, 0] {
            send.send(Ok(k)).unwrap();
        }
        send.send(Err(RunError::Stopped { rows: 3 })).unwrap();
        ahead(&incoming, &outgoing, &AtomicBool::new(false), |k| async move {
            tokio::time::sleep(Duration::from_millis(k)).await;
            Ok(k)
        });
        drop(outgoing);
        let all: Vec<_> = results.iter().map(Result::ok).collect();
        assert_eq!(all, [Some(40), Some(10), Some(0), None]);
    }
}
