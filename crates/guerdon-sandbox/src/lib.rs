//! Runs untrusted code in isolation and judges it by tests that it cannot forge.
//!
//! ```
//! use guerdon_sandbox::{Config, Sandbox, Task, Tests};
//!
//! # fn main() -> guerdon_sandbox::Result<()> {
//! # if !Sandbox::probe(&Config::default()).isolated { return Ok(()) }
//! let sandbox = Sandbox::new(Config::default())?;
//! let tests = Tests::Asserts {
//!     asserts: vec!["assert add(1, 2) == 3".into(), "assert add(1, 1) == 3".into()],
//!     setup: String::new(),
//!     entry_point: None,
//! };
//! let outcome = sandbox.run(&Task::python("def add(a, b): return a + b", tests))?;
//! assert_eq!(outcome.score, 0.5);
//! assert!(outcome.tests[0].is_passed());
//! # Ok(())
//! # }
//! ```
//!
//! # How it works
//!
//! A *worker* is a Python interpreter that is already started, inside a sandbox made by
//! [bubblewrap](https://github.com/containers/bubblewrap). For each piece of work it forks a
//! process and confines it: a pid namespace in which it is process 1 and alone, mounts of its own
//! with an empty /tmp, a user of its own without capabilities, resource limits, no new privileges,
//! a system call filter. So a run costs a fork, not a start. The worker itself never sees source,
//! tests or answers: they travel in descriptors that only the forked processes open, so nothing of
//! one run can be found by the next.
//!
//! Who compares, for each kind of test:
//!
//! - [`Tests::Stdio`]: this process, outside the sandbox. The candidate gets the input alone.
//! - [`Tests::Calls`]: this process. The candidate gets the arguments and returns plain data.
//! - [`Tests::Asserts`], [`Tests::Check`]: a *judge*, a second confined process that executes the
//!   tests. Where they use a name of the candidate, the judge has a stand-in that sends plain data
//!   to the candidate's process and builds plain data from what comes back.
//!   Tests that compare calls with literals leave nothing behind in their judge, so it is kept for
//!   the next run; any other tests get a judge of their own.
//!
//! # What is guaranteed
//!
//! On a machine where [`Sandbox::new`] succeeds without
//! [`unsafe_no_sandbox`](Config::unsafe_no_sandbox):
//!
//! - The candidate cannot read the tests, the expected values, or anything of another run. It
//!   knows the values it is called with, and the names that the tests use.
//! - The candidate cannot write a verdict. All it can send is answers to calls; leaving early,
//!   patching its interpreter, forging messages or ending its process fails the test that waits.
//!   A breach of the protocol is final, whatever the test catches.
//! - An answer is plain data or a stand-in for an object of the candidate. A subclass arrives as
//!   its plain base. A stand-in never equals plain data and takes no part in arithmetic or order
//!   with it, so an object that claims to equal everything earns nothing.
//! - Built-in names in tests are the judge's own, whatever the candidate defines; the exception is
//!   the function under test (`entry_point`, or the one function that every assert calls).
//! - A run ends with all its processes at its first limit, and with this process, even by SIGKILL.
//! - No network, no file of the host but the system's programs and libraries, the interpreter and
//!   [`read_only_paths`](Config::read_only_paths); nothing can be written but the run's own /tmp
//!   and /dev/shm, which vanish with it.
//! - Text hashes and `random` start alike in every run, so that a run is repeatable where time is
//!   not part of it.
//!
//! # What is not
//!
//! - Between two objects of the candidate its own operators decide (`assert Point(1) == Point(1)`),
//!   and so do its `bool`, `len`, `str` and methods for its own objects: no one else could. Tests
//!   that matter compare plain data.
//! - Helpers that the tests call by name belong into `setup` of the tests. A helper that the
//!   candidate defines is the candidate's word.
//! - A test that no right answer is needed for (a loop over an empty result, `except: pass`)
//!   passes here as it does anywhere.
//! - Arguments are copies: a test that expects its list to be changed in place fails. Objects of
//!   classes that the tests define cannot be passed; classes belong into `prelude`.
//! - The total memory of a run's processes is looked at every 50 ms, so it can be exceeded for as
//!   long. Control groups are not used: they need rights that few users have.
//! - The kernel is shared. Whoever fears its flaws runs this in a virtual machine.
//! - The run is process 1 of its namespace: signals that it sends to itself are ignored unless it
//!   handles them, and `abort` shows as signal 11.
//! - Other languages than Python have [`Tests::Stdio`] alone: asserts compiled into the program
//!   they judge can be forged, so they are refused.
//! - With `unsafe_no_sandbox`, verdicts are formed in the same way, but code runs with the rights
//!   of this process: it can read and signal what this process can, the judge included.

mod compare;
mod config;
mod error;
mod host;
mod outcome;
mod probe;
mod run;
mod runner;
mod sandbox;
mod seccomp;
mod task;
mod watch;
mod wire;
mod worker;

pub use config::{Config, Limits};
pub use error::{Error, Result};
pub use outcome::{Outcome, TestOutcome};
pub use probe::Report;
pub use runner::{Runner, builtin, builtin_languages};
pub use sandbox::Sandbox;
pub use task::{CallCase, Compare, Scoring, StdioCase, Task, Tests};
