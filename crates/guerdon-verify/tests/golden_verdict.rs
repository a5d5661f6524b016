//! Agreement over pairs equals RewardAnything's on 80 recorded cases, where they are at hand.

use std::collections::BTreeMap;

use guerdon_verify::verify::verdict::weighted_pairs;
use serde_json::Value;

const PATH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/golden/judge/parsers/rewardanything.json"
);

#[test]
#[allow(clippy::print_stderr, reason = "a skip is reported")]
fn equals_rewardanything() {
    let Ok(text) = std::fs::read_to_string(PATH) else {
        eprintln!("skipped: no recorded cases at {PATH}");
        return;
    };
    let golden: Value = serde_json::from_str(&text).unwrap();
    let scores =
        |value: &Value| -> BTreeMap<String, f64> { serde_json::from_value(value.clone()).unwrap() };
    let mut compared = 0;
    for case in golden["pair_penalty"].as_array().unwrap() {
        let (labels, own) = (scores(&case["gt"]), scores(&case["pred"]));
        // The reference compares the names that both have; below two it gives 1.
        let common: Vec<&String> = labels.keys().filter(|name| own.contains_key(*name)).collect();
        if common.len() < 2 {
            continue;
        }
        let of = |all: &BTreeMap<String, f64>| common.iter().map(|n| all[*n]).collect::<Vec<_>>();
        let value = weighted_pairs(&of(&labels), &of(&own));
        assert!((value - case["expected"].as_f64().unwrap()).abs() < 1e-12, "{case}");
        compared += 1;
    }
    assert!(compared > 60, "only {compared} cases were compared");
}
