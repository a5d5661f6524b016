//! Mathematical answers: extraction, parsing, equivalence. The first line is the reference, the rest the completion.
#![no_main]

use guerdon_verify::math::{Options, Verdict, equivalent, verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (reference, completion) = text.split_once('\n').unwrap_or((text, text));
    let options = Options::default();
    let _ = verify(reference, completion, &options);
    let (there, back) = (equivalent(reference, completion, &options), equivalent(completion, reference, &options));
    let decided = |v: &Verdict| matches!(v, Verdict::Equal | Verdict::Different);
    if decided(&there) && decided(&back) {
        assert_eq!(there, back, "equality is symmetric");
    }
});
