//! Memory of all processes of a run together, which no limit of a single process bounds.
//!
//! Control groups would do this in the kernel, but only where this process may make some; reading
//! how much memory is held works for every user.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Between two looks; also the shortest run that is looked at.
const EVERY: Duration = Duration::from_millis(50);

/// Looks now and then at the processes of one sandbox.
#[derive(Debug)]
pub(crate) struct Watch {
    processes: Option<PathBuf>,
    limit_kb: u64,
    next: Instant,
}

impl Watch {
    /// `processes` is a /proc in which the zygote is process 1 and every other is of the run.
    pub(crate) fn new(processes: Option<PathBuf>, limit_kb: u64) -> Self {
        Self { processes, limit_kb, next: Instant::now() + EVERY }
    }

    /// When to look next.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }

    /// Looks, if it is time to, and says whether the run holds too much.
    pub(crate) fn is_over(&mut self) -> bool {
        if Instant::now() < self.next {
            return false;
        }
        self.next = Instant::now() + EVERY;
        let Some(dir) = &self.processes else { return false };
        // Resident memory counts shared pages for each process, the exact share costs more to read.
        total_kb(dir, resident_kb) > self.limit_kb && total_kb(dir, share_kb) > self.limit_kb
    }
}

fn total_kb(processes: &Path, held: fn(&Path) -> Option<u64>) -> u64 {
    let Ok(entries) = std::fs::read_dir(processes) else { return 0 };
    entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let number = name.to_str().and_then(|n| n.parse::<u32>().ok());
            number.is_some_and(|pid| pid != 1)
        })
        .filter_map(|entry| held(&entry.path()))
        .sum()
}

fn resident_kb(process: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(process.join("statm")).ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * (rustix::param::page_size() as u64 / 1024))
}

/// The process's part of the memory it shares, and all of its own.
fn share_kb(process: &Path) -> Option<u64> {
    let Ok(text) = std::fs::read_to_string(process.join("smaps_rollup")) else {
        return resident_kb(process);
    };
    let line = text.lines().find(|line| line.starts_with("Pss:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
