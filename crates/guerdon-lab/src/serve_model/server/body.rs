//! Bodies of answers, whole or spoiled.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use super::shop::Dropped;

/// The wait before a connection breaks: what was sent before must have left.
const FLUSH: Duration = Duration::from_millis(5);

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// As it should.
    Clean,
    /// The connection breaks.
    Broken,
    /// Never.
    Hang,
}

/// A body that is sent frame by frame.
#[derive(Debug)]
pub(super) struct Flow {
    frames: VecDeque<Bytes>,
    /// The same frame so many times more, after the others.
    repeat: (Bytes, u64),
    /// The wait before each frame.
    pace: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    end: End,
    /// The length that the head of the answer claims; `None` for a stream.
    claimed: Option<u64>,
}

impl Flow {
    /// These bytes at once.
    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let claimed = Some(bytes.len() as u64);
        Self { claimed, ..Self::stream([bytes], Duration::ZERO) }
    }

    /// Frame by frame, without a length.
    pub(super) fn stream(frames: impl IntoIterator<Item = Bytes>, pace: Duration) -> Self {
        Self {
            frames: frames.into_iter().filter(|frame| !frame.is_empty()).collect(),
            repeat: (Bytes::new(), 0),
            pace,
            sleep: None,
            end: End::Clean,
            claimed: None,
        }
    }

    /// The beginning of a body of `claimed` bytes, and then another end.
    pub(super) fn partial(start: Bytes, claimed: u64, end: End) -> Self {
        Self { claimed: Some(claimed), end, ..Self::stream([start], Duration::ZERO) }
    }

    /// The same body with another end; a stream keeps no length.
    pub(super) fn ending(self, end: End) -> Self {
        Self { end, ..self }
    }

    /// At least `bytes` bytes: a frame again and again between a beginning and nothing.
    pub(super) fn endless(start: Bytes, frame: Bytes, bytes: u64) -> Self {
        let times = bytes / (frame.len() as u64).max(1) + 1;
        Self { repeat: (frame, times), ..Self::stream([start], Duration::ZERO) }
    }

    /// Slowly, in pieces of `size` bytes.
    pub(super) fn trickle(bytes: &Bytes, size: usize, pace: Duration) -> Self {
        let size = size.max(1);
        let pieces =
            (0..bytes.len()).step_by(size).map(|at| bytes.slice(at..(at + size).min(bytes.len())));
        Self { claimed: Some(bytes.len() as u64), ..Self::stream(pieces, pace) }
    }

    fn next(&mut self) -> Option<Bytes> {
        self.frames.pop_front().or_else(|| {
            self.repeat.1 = self.repeat.1.checked_sub(1)?;
            Some(self.repeat.0.clone())
        })
    }

    /// Waits once for this long.
    fn wait(&mut self, time: Duration, context: &mut Context<'_>) -> Poll<()> {
        let timer = self.sleep.get_or_insert_with(|| Box::pin(sleep(time)));
        ready!(timer.as_mut().poll(context));
        self.sleep = None;
        Poll::Ready(())
    }

    fn is_done(&self) -> bool {
        self.frames.is_empty() && self.repeat.1 == 0
    }
}

impl Body for Flow {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        if self.is_done() {
            return match self.end {
                End::Clean => Poll::Ready(None),
                End::Broken => {
                    ready!(self.wait(FLUSH, context));
                    Poll::Ready(Some(Err(Dropped)))
                }
                End::Hang => Poll::Pending,
            };
        }
        if !self.pace.is_zero() {
            let pace = self.pace;
            ready!(self.wait(pace, context));
        }
        Poll::Ready(self.next().map(|frame| Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_done() && self.end == End::Clean
    }

    fn size_hint(&self) -> SizeHint {
        self.claimed.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
