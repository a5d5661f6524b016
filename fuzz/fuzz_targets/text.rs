//! The tokenisers and metrics of texts, and the readers of formats, verdicts and tool calls, over any completion and
//! reference. The input is parted at the first line of `---`; the part behind it is the reference, as JSON where it is that.
#![no_main]

use guerdon_core::Rollout;
use guerdon_core::method::{Kind, Signal};
use guerdon_verify::METHODS;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

/// Methods under the parameters that reach all of their code.
fn settings() -> Vec<(&'static str, Value)> {
    let mut all = Vec::new();
    for tokenize in ["13a", "intl", "char", "none"] {
        all.push(("verify.bleu", json!({"tokenize": tokenize, "smoothing": "floor"})));
    }
    for variant in ["rouge1", "rouge2", "rougeL", "rougeLsum"] {
        all.push(("verify.rouge", json!({"variant": variant, "stem": true})));
    }
    for rule in ["binary", "tail", "spct", "spct_single", "consistency", "weighted_pairs", "c2"] {
        all.push(("verify.verdict", json!({"rule": rule})));
    }
    for preset in ["plain", "think_format", "open_r1", "tag_count", "reasoning_steps"] {
        all.push(("verify.format", json!({"preset": preset})));
    }
    for preset in ["exact", "toolrl", "bfcl"] {
        all.push(("verify.tool_call", json!({"preset": preset})));
    }
    all.extend([
        ("verify.chrf", json!({"word_order": 4, "whitespace": true})),
        ("verify.chrf", json!({"lowercase": true})),
        ("verify.meteor", json!({"synonyms": [["a", "b"], ["b", "c"]]})),
        ("verify.f1", json!({})),
        ("verify.edit_distance", json!({"unit": "words"})),
        ("verify.exact_match", json!({"scope": "anywhere", "preset": "squad"})),
        ("verify.language", json!({"language": "ja"})),
        ("verify.language", json!({})),
        ("verify.relevance", json!({"kind": "bm25", "against": "auto"})),
        ("verify.repetition", json!({"unit": "characters"})),
    ]);
    all
}

thread_local! {
    static SIGNALS: Vec<(&'static str, Box<dyn Signal>)> = settings()
        .into_iter()
        .map(|(id, params)| {
            let method = METHODS.iter().find(|m| m.id == id).expect("a method of the room");
            let Kind::Signal(build) = method.kind else { panic!("{id} is a signal") };
            (id, build(params).expect("parameters of the method"))
        })
        .collect();
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (completion, reference) = text.split_once("\n---\n").unwrap_or((text, text));
    let mut rollout = Rollout::new(reference, completion, reference);
    if let Ok(value) = serde_json::from_str(reference) {
        rollout.reference = value;
    }
    rollout.columns.insert("consistency".into(), json!(1));
    rollout.columns.insert("rubric_label".into(), json!("helpful"));
    rollout.columns.insert("tools".into(), rollout.reference.clone());
    SIGNALS.with(|signals| {
        for (id, signal) in signals {
            let first = signal.score(&rollout);
            if let (Ok(score), Some((low, high))) = (&first, signal.range()) {
                assert!((low..=high).contains(&score.value()), "{id}: {}", score.value());
            }
            // What is kept from call to call must not show.
            assert_eq!(first, signal.score(&rollout), "{id}");
        }
    });
});
