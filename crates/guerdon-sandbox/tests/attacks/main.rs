//! Attacks on the judge and on the machine: none earns anything, harms or hangs, and the pool still
//! works after each.

#[path = "../common/mod.rs"]
mod common;
mod forgery;
mod machine;

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{asserts, calls, check, letters, limits, sandbox, stdio};
use guerdon_sandbox::{Limits, Sandbox, Task};

/// Where the attacking code stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is asked for `f(2)` and `f(3)` by assert statements.
    Asserts,
    /// It is asked for the same by `check(f)`.
    Check,
    /// It is called as `f(2)` and `f(3)` and the values are compared outside.
    Calls,
    /// It is a program whose output is compared outside.
    Program,
}

/// A name, where the code stands, and the code.
pub(crate) type Attack = (&'static str, Place, &'static str);

/// What honest code would have to know, and no attacker can.
const SECRET: &str = "q7Zk-41";

fn task(place: Place, source: &str) -> Task {
    let first = format!("assert f(2) == {SECRET:?}");
    let second = format!("assert f(3) == [1, {SECRET:?}]");
    match place {
        Place::Asserts => asserts(source, &[&first, &second]),
        Place::Check => {
            let code =
                format!("def check(candidate):\n    {}\n", first.replace("f(", "candidate("));
            check(source, &code, "f")
        }
        Place::Calls => calls(source, "f", &[("[2]", &format!("{SECRET:?}"))]),
        Place::Program => stdio("python", source, &[("2\n", &format!("{SECRET}\n"))]),
    }
}

fn attack_limits() -> Limits {
    Limits { wall_s: 0.6, cpu_s: 1, total_wall_s: 1.2, ..limits() }
}

/// What the attacks try to reach on this machine.
struct Bait {
    listener: TcpListener,
    victim: Child,
}

impl Bait {
    fn lay() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket");
        let victim = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().expect("sleep");
        Self { listener, victim }
    }

    /// The attack's code, with the places of the bait filled in.
    fn fill(&self, source: &str) -> String {
        let port = self.listener.local_addr().expect("bound").port();
        source
            .replace("{port}", &port.to_string())
            .replace("{victim}", &self.victim.id().to_string())
            .replace("{host}", &std::process::id().to_string())
    }

    fn is_untouched(&mut self) -> bool {
        self.listener.accept().is_err() && self.victim.try_wait().is_ok_and(|s| s.is_none())
    }
}

impl Drop for Bait {
    fn drop(&mut self) {
        let _ = self.victim.kill();
        let _ = self.victim.wait();
    }
}

fn honest_work_passes(sandbox: &Sandbox) -> bool {
    let source = format!("def f(x):\n    return {SECRET:?} if x == 2 else [1, {SECRET:?}]\n");
    let program = format!("if input() == '2':\n    print({SECRET:?})\n");
    [Place::Asserts, Place::Calls]
        .iter()
        .all(|&p| sandbox.run(&task(p, &source)).is_ok_and(|o| o.all_passed()))
        && sandbox.run(&task(Place::Program, &program)).is_ok_and(|o| o.all_passed())
}

fn run_all(attacks: &[Attack]) {
    let Some(sandbox) = sandbox() else { return };
    let mut bait = Bait::lay();
    for (name, place, source) in attacks {
        let task = Task { limits: Some(attack_limits()), ..task(*place, &bait.fill(source)) };
        let start = Instant::now();
        let outcome = sandbox.run(&task).unwrap_or_else(|e| panic!("{name}: {e}"));
        let took = start.elapsed();
        assert_eq!(outcome.score, 0.0, "{name} earned a reward: {:?}", outcome.tests);
        assert_eq!(outcome.passed(), 0, "{name}: {}", letters(&outcome.tests));
        assert!(took < Duration::from_secs(10), "{name} took {took:?}");
        assert!(bait.is_untouched(), "{name} reached out of the sandbox");
        assert!(honest_work_passes(sandbox), "after {name} honest work fails");
    }
}

#[test]
fn forged_verdicts_earn_nothing() {
    run_all(forgery::ATTACKS);
}

#[test]
fn attacks_on_the_machine_earn_nothing_and_harm_nothing() {
    run_all(machine::ATTACKS);
}

#[test]
fn there_are_at_least_sixty() {
    let mut names: Vec<_> =
        forgery::ATTACKS.iter().chain(machine::ATTACKS).map(|(name, ..)| name).collect();
    names.sort_unstable();
    names.dedup();
    assert!(names.len() >= 60, "{}", names.len());
    assert_eq!(names.len(), forgery::ATTACKS.len() + machine::ATTACKS.len(), "a name is twice");
}

/// Code that learned the tests of an earlier run would pass here: it searches all it can read for
/// the secret, which the run before had in its tests, and its process in its answers.
#[test]
fn nothing_of_an_earlier_run_can_be_read() {
    let Some(sandbox) = sandbox() else { return };
    let spy = machine::MEMORY_SEARCH;
    for _ in 0..4 {
        assert!(honest_work_passes(sandbox));
        let outcome = sandbox.run(&asserts(spy, &["assert f(2) == 'nothing found'"]));
        let outcome = outcome.expect("a valid task");
        assert!(outcome.all_passed(), "{:?}", outcome.tests);
    }
}
