//! Descriptors and messages: memory files, sockets that carry descriptors, framed JSON.

use std::io::{IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, SealFlags, SeekFrom};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

use crate::error::{Error, Result};
use crate::watch::Watch;

/// The most descriptors a message carries.
pub(crate) const MAX_FDS: usize = 8;

/// A memory file that holds `data`, read from its start.
pub(crate) fn memory_file(name: &str, data: &[u8]) -> Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let fd = rustix::fs::memfd_create(name, flags).map_err(failed("making a memory file"))?;
    let mut file = std::fs::File::from(fd);
    file.write_all(data).map_err(|e| Error::machinery("filling a memory file", e))?;
    let fd = OwnedFd::from(file);
    rewind(&fd)?;
    Ok(fd)
}

pub(crate) fn rewind(fd: &OwnedFd) -> Result<()> {
    rustix::fs::seek(fd, SeekFrom::Start(0)).map_err(failed("rewinding a memory file"))?;
    Ok(())
}

/// Makes a memory file unchangeable for whoever holds it.
pub(crate) fn seal(fd: &OwnedFd) -> Result<()> {
    let seals = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(fd, seals).map_err(failed("sealing a memory file"))
}

pub(crate) fn failed(doing: &'static str) -> impl Fn(Errno) -> Error {
    move |e| Error::machinery(doing, e)
}

/// A pair of connected sockets that keep message boundaries.
pub(crate) fn control_pair() -> Result<(OwnedFd, OwnedFd)> {
    pair(SocketType::SEQPACKET)
}

/// A pair of connected stream sockets.
pub(crate) fn stream_pair() -> Result<(OwnedFd, OwnedFd)> {
    pair(SocketType::STREAM)
}

fn pair(kind: SocketType) -> Result<(OwnedFd, OwnedFd)> {
    socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)
        .map_err(failed("making a socket pair"))
}

/// A pipe whose reading end does not block.
pub(crate) fn output_pipe() -> Result<(OwnedFd, OwnedFd)> {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
        .map_err(failed("making a pipe"))?;
    rustix::io::ioctl_fionbio(&read, true).map_err(failed("making a pipe"))?;
    Ok((read, write))
}

pub(crate) fn send_with_fds(socket: &OwnedFd, data: &[u8], fds: &[BorrowedFd<'_>]) -> Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(Error::machinery("sending descriptors", "too many of them"));
    }
    sendmsg(socket, &[IoSlice::new(data)], &mut ancillary, SendFlags::NOSIGNAL)
        .map_err(failed("talking to a warm interpreter"))?;
    Ok(())
}

/// One message and the descriptor that came with it, if one did.
pub(crate) fn receive_with_fd(
    socket: &OwnedFd,
    until: Instant,
) -> Result<(Vec<u8>, Option<OwnedFd>)> {
    if wait_for(&[(socket.as_fd(), PollFlags::IN)], until)?.is_empty() {
        return Err(Error::machinery("waiting for a warm interpreter", "it does not answer"));
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut data = vec![0; 256];
    let flags = RecvFlags::CMSG_CLOEXEC;
    let received = recvmsg(socket, &mut [IoSliceMut::new(&mut data)], &mut ancillary, flags)
        .map_err(failed("talking to a warm interpreter"))?;
    data.truncate(received.bytes);
    let fd = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    Ok((data, fd))
}

/// The indices of the descriptors that are ready; empty once `until` has passed.
pub(crate) fn wait_for(
    watched: &[(BorrowedFd<'_>, PollFlags)],
    until: Instant,
) -> Result<Vec<usize>> {
    let mut fds: Vec<PollFd<'_>> =
        watched.iter().map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) => break,
            Err(Errno::INTR) => {}
            Err(e) => return Err(Error::machinery("waiting for a run", e)),
        }
    }
    Ok((0..fds.len()).filter(|&i| !fds[i].revents().is_empty()).collect())
}

/// What a read of a message came to.
#[derive(Debug)]
pub(crate) enum Received {
    Message(serde_json::Value),
    /// The other side is gone.
    Closed,
    /// The deadline has passed.
    Late,
    /// The processes of the run hold too much memory.
    Heavy,
    /// The other side broke the protocol.
    Broken(String),
    /// The message is larger than a message may be.
    TooLarge,
}

/// Largest message, as in `plain.py`.
const MAX_FRAME: usize = 32 << 20;

/// Sends `message` with its length before it. A full socket whose reader stalls ends the wait at
/// `until`; the reader's fate then shows in the next [`receive`].
pub(crate) fn send(socket: &OwnedFd, message: &serde_json::Value, until: Instant) -> Result<()> {
    let body = message.to_string();
    let size = u32::try_from(body.len())
        .ok()
        .filter(|&n| n as usize <= MAX_FRAME)
        .ok_or_else(|| Error::machinery("calling a candidate", "the arguments are too large"))?;
    let mut data = size.to_be_bytes().to_vec();
    data.extend_from_slice(body.as_bytes());
    let mut rest = data.as_slice();
    while !rest.is_empty() {
        if wait_for(&[(socket.as_fd(), PollFlags::OUT)], until)?.is_empty() {
            return Ok(());
        }
        match rustix::net::send(socket, rest, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            Ok(n) => rest = &rest[n..],
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}

/// The next message, or why there is none.
pub(crate) fn receive(socket: &OwnedFd, until: Instant, watch: &mut Watch) -> Result<Received> {
    let mut prefix = [0; 4];
    if let Some(end) = exactly(socket, &mut prefix, until, watch)? {
        return Ok(end);
    }
    let size = u32::from_be_bytes(prefix) as usize;
    if size > MAX_FRAME {
        return Ok(Received::TooLarge);
    }
    let mut body = vec![0; size];
    if let Some(end) = exactly(socket, &mut body, until, watch)? {
        return Ok(end);
    }
    Ok(match serde_json::from_slice(&body) {
        Ok(message) => Received::Message(message),
        Err(e) => Received::Broken(format!("message is not JSON: {e}")),
    })
}

/// Fills `buffer`; `Some` says why that was not possible.
fn exactly(
    socket: &OwnedFd,
    buffer: &mut [u8],
    until: Instant,
    watch: &mut Watch,
) -> Result<Option<Received>> {
    let mut filled = 0;
    while filled < buffer.len() {
        let next = until.min(watch.next());
        let ready = wait_for(&[(socket.as_fd(), PollFlags::IN)], next)?;
        if watch.is_over() {
            return Ok(Some(Received::Heavy));
        }
        if ready.is_empty() {
            if Instant::now() >= until {
                return Ok(Some(Received::Late));
            }
            continue;
        }
        match rustix::net::recv(socket, &mut buffer[filled..], RecvFlags::DONTWAIT) {
            Ok((0, _)) => return Ok(Some(Received::Closed)),
            Ok((n, _)) => filled += n,
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => return Ok(Some(Received::Closed)),
        }
    }
    Ok(None)
}
