//! The common tests over every method of this room.

use guerdon_core::Method;

/// A method that runs code cannot obey a law on a machine that must not run code.
fn runs_here(method: &Method) -> bool {
    method.id != "verify.code_tests"
        || guerdon_sandbox::Sandbox::probe(&guerdon_sandbox::Config::default()).isolated
}

#[allow(clippy::print_stderr, reason = "a skip is reported")]
fn main() {
    let (run, skipped): (Vec<Method>, Vec<Method>) =
        guerdon_verify::METHODS.iter().copied().partition(runs_here);
    for method in skipped {
        eprintln!("skipped: {}, this machine does not isolate untrusted code", method.id);
    }
    guerdon_core::laws::main(&run);
}
