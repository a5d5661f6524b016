//! The laws: common tests over every registered method, one test per method and law.
//!
//! A room runs them from a test without harness (`tests/laws.rs`), and the usual filters work:
//!
//! ```text
//! cargo test -p guerdon-shape --test laws                     # every method of the room
//! cargo test -p guerdon-shape --test laws shape.par           # one method
//! cargo test -p guerdon-shape --test laws ::shift_invariant   # one law
//! ```
//!
//! There are two sorts of laws. What every method of a kind must obey is not claimed; an exemption from it gives a reason,
//! and an exemption that is not needed any more is an error. What only some methods obey is tested **both ways**: a method
//! that claims the law must obey it on every sample, and one that does not must break it on some sample, or say why not.

mod bounded;
mod every;
mod frames;
mod functions;
mod json;
mod judges;
mod online;
mod protocols;
mod samples;
mod selectors;
mod signals;
#[cfg(test)]
mod tests;
mod texts;
#[cfg(test)]
mod toys;
mod transforms;
mod verdict;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::method::Kind;
use crate::{Method, MethodDef};
use verdict::{Pass, Test, Verdict};

/// Runs the laws over `methods` as a test harness and ends the process; call it from a `harness = false` test.
pub fn main(methods: &[Method]) {
    main_with(methods, &[]);
}

/// A method under other parameters than its `sample_params`: a preset, say. The laws of its kind hold there too.
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    /// Names the variant in the tests: `verify.format[tag_count]::total`.
    pub label: &'static str,
    /// Parameters (JSON).
    pub params: &'static str,
    /// Samples that earn the maximum under them, as a method registers them.
    pub samples: &'static [&'static str],
    /// The laws that the variant claims.
    pub laws: &'static [crate::Law],
    /// The laws it is exempt from, with the reason.
    pub exempt: &'static [(crate::Law, &'static str)],
}

impl Variant {
    /// The method with what the variant changes.
    fn of(self, method: Method) -> Method {
        let Self { params, samples, laws, exempt, .. } = self;
        let def = MethodDef { sample_params: params, samples, laws, exempt, ..*method.def };
        // The tests of a process are few, and a method refers to its definition for good.
        Method { def: Box::leak(Box::new(def)), ..method }
    }
}

/// As [`main`], with variants of some of the methods.
pub fn main_with(methods: &[Method], variants: &[(Method, Variant)]) {
    bounded::catch_panics();
    let more = variants.iter().flat_map(|(method, variant)| {
        let name = format!("{}[{}]", method.id, variant.label);
        let tests = laws_of_kind(variant.of(*method)).into_iter();
        tests.map(move |test| (format!("{name}::{}", test.name), test))
    });
    let all = trials(methods).into_iter().chain(more.map(trial)).collect();
    libtest_mimic::run(&Arguments::from_args(), all).exit();
}

fn trials(methods: &[Method]) -> Vec<Trial> {
    tests(methods).into_iter().map(trial).collect()
}

fn trial((name, test): (String, Test)) -> Trial {
    Trial::ignorable_test(name, move || completion(test.run()))
}

/// All tests by name (`shape.par::shift_invariant`).
fn tests(methods: &[Method]) -> Vec<(String, Test)> {
    let mut all = Vec::new();
    for &method in methods {
        let tests = every::laws(method, methods).into_iter().chain(laws_of_kind(method));
        all.extend(tests.map(|test| (format!("{}::{}", method.id, test.name), test)));
    }
    all
}

fn laws_of_kind(method: Method) -> Vec<Test> {
    match method.kind {
        Kind::Signal(_) => signals::laws(method),
        Kind::Transform(_) => transforms::laws(method),
        Kind::Selector(_) => selectors::laws(method),
        Kind::Function(..) => functions::laws(method),
        Kind::Online(..) => online::laws(method),
        Kind::Protocol(..) => protocols::laws(method),
        Kind::Judge(_) => protocols::laws(method).into_iter().chain(judges::laws(method)).collect(),
    }
}

fn completion(verdict: Verdict) -> Result<Completion, Failed> {
    match verdict {
        Ok(Pass::Held) => Ok(Completion::Completed),
        Ok(Pass::Exempt(reason)) => Ok(Completion::ignored_with(format!("exempt: {reason}"))),
        Err(message) => Err(message.into()),
    }
}
