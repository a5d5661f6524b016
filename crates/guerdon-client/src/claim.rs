//! Claims on calls across processes, so that two of them that share a cache do not pay for the same call at once.
//!
//! On Linux a claim is a lock on one byte, named by the key, of an empty file beside the cache. The kernel drops it when
//! its process dies, however it dies: there are no leases to renew and none to wait out. Elsewhere nothing is claimed: two
//! processes that ask the same at the same moment then both pay.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::key::Key;

pub(crate) struct Claims {
    file: File,
    /// Held by this process, for which the kernel would grant the same lock again. By offset, as the kernel sees them.
    held: Mutex<HashSet<i64>>,
}

/// A claim; given up when dropped.
pub(crate) struct Claim(Arc<Claims>, i64);

impl Claims {
    pub(crate) fn open(cache: &Path) -> io::Result<Self> {
        let mut path = cache.as_os_str().to_owned();
        path.push("-claims");
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(PathBuf::from(path))?;
        Ok(Self { file, held: Mutex::default() })
    }

    fn held(&self) -> MutexGuard<'_, HashSet<i64>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The claim on `key`, unless it is held, here or by another process.
    pub(crate) fn claim(self: &Arc<Self>, key: Key) -> io::Result<Option<Claim>> {
        // Offsets of files are positive; the top bits are spare.
        let at = (key.short() >> 2).cast_signed();
        let mut held = self.held();
        if held.contains(&at) || !lock(&self.file, at)? {
            return Ok(None);
        }
        held.insert(at);
        Ok(Some(Claim(Arc::clone(self), at)))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut held = self.0.held();
        unlock(&self.0.file, self.1);
        held.remove(&self.1);
    }
}

#[cfg(target_os = "linux")]
fn set(file: &File, at: i64, kind: nix::libc::c_int) -> nix::Result<()> {
    use nix::fcntl::{FcntlArg, fcntl};
    let short = |value: nix::libc::c_int| nix::libc::c_short::try_from(value).unwrap_or_default();
    let range = nix::libc::flock {
        l_type: short(kind),
        l_whence: short(nix::libc::SEEK_SET),
        l_start: at,
        l_len: 1,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_OFD_SETLK(&range)).map(|_| ())
}

#[cfg(target_os = "linux")]
fn lock(file: &File, at: i64) -> io::Result<bool> {
    match set(file, at, nix::libc::F_WRLCK) {
        Ok(()) => Ok(true),
        Err(nix::Error::EAGAIN | nix::Error::EACCES) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(target_os = "linux")]
fn unlock(file: &File, at: i64) {
    // Unlocking what is locked cannot fail.
    let _ = set(file, at, nix::libc::F_UNLCK);
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "as on Linux")]
fn lock(_: &File, _: i64) -> io::Result<bool> {
    Ok(true)
}

#[cfg(not(target_os = "linux"))]
fn unlock(_: &File, _: i64) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::Claims;
    use crate::endpoint::Endpoint;
    use crate::key::Prefix;
    use guerdon_core::method::Request;
    use std::sync::Arc;

    #[test]
    fn a_claim_excludes_everyone_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.db");
        let open = || Arc::new(Claims::open(&path).unwrap());
        let (one, two) = (open(), open());
        let endpoint = Endpoint::new("http://h", "m");
        let key = |text: &str| Prefix::new(&endpoint).key(&endpoint, &Request::user(text));
        let held = one.claim(key("a")).unwrap().unwrap();
        assert!(one.claim(key("a")).unwrap().is_none());
        assert!(two.claim(key("a")).unwrap().is_none());
        assert!(two.claim(key("b")).unwrap().is_some());
        drop(held);
        assert!(two.claim(key("a")).unwrap().is_some());
    }
}
