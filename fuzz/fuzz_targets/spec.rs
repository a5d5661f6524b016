//! Specs: any text is a spec or a diagnostic that can be shown.
#![no_main]

use guerdon::Spec;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = Spec::from_text("fuzz.yaml", text) {
        assert!(error.to_string().starts_with("error: "));
    }
});
