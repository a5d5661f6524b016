//! Every signal over any completion: finite scores within the declared range, or a reason. The first line is the reference.
#![no_main]

use guerdon::core::Rollout;
use guerdon::core::method::{Kind, Signal};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static SIGNALS: Vec<(&'static str, Box<dyn Signal>)> = guerdon::methods()
        // Running code and other programs is tested by their own suites: here it would only be slow.
        .filter(|m| !["verify.code_tests", "verify.lean", "verify.smt", "verify.sql", "verify.test_matrix"].contains(&m.id))
        .filter_map(|m| match m.kind {
            Kind::Signal(build) => Some((m.id, build(serde_json::from_str(m.sample_params).ok()?).ok()?)),
            _ => None,
        })
        .collect();
}

fuzz_target!(|text: &str| {
    let (reference, completion) = text.split_once('\n').unwrap_or(("1", text));
    let rollout = Rollout::new("question", completion, reference);
    SIGNALS.with(|signals| {
        for (id, signal) in signals {
            if let (Ok(score), Some((low, high))) = (signal.score(&rollout), signal.range()) {
                assert!((low..=high).contains(&score.value()), "{id}: {}", score.value());
            }
        }
    });
});
