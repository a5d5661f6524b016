//! The common tests over every method of this room, and over its presets.

use guerdon_core::Method;
use guerdon_core::laws::Variant;

#[path = "laws/variants.rs"]
mod variants;

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
    let of = |id: &str| *run.iter().find(|m| m.id == id).expect("a variant of a method that runs");
    let variants: Vec<(Method, Variant)> =
        variants::ALL.iter().map(|(id, variant)| (of(id), *variant)).collect();
    guerdon_core::laws::main_with(&run, &variants);
}
