//! RewardAnything's reply: JSON that may need repair.

use std::sync::LazyLock;

use guerdon_core::Unscored;
use regex::Regex;
use serde_json::{Map, Value};

use super::Said;

/// The most bytes that are repaired.
const LONGEST: usize = 1 << 20;

/// The steps of the repair, in order: quotes around words (an apostrophe inside one stays), bare keys, commas before a
/// closing bracket, the usual misspelling of the key.
const STEPS: [(&str, &str); 6] = [
    (r"([{\[,:]\s*)'", "$1\""),
    (r"'(\s*[:,}\]])", "\"$1"),
    (r"([{,])\s*([A-Za-z0-9_-]+)\s*:", "$1\"$2\":"),
    (r",\s*\}", "}"),
    (r",\s*\]", "]"),
    ("\"best-to-worse\"", "\"best-to-worst\""),
];

/// The JSON object of a reply: as it stands after the reasoning and without code fences, else repaired, else what lies
/// between the first and the last brace.
pub fn repaired(reply: &str) -> Option<Map<String, Value>> {
    static THINK: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?s)<think>.*?</think>").ok());
    let text = THINK.as_ref()?.replace_all(reply.get(..LONGEST).unwrap_or(reply), "");
    let text = text.replace("```json", "").replace("```", "");
    let text = text.trim();
    let cut = || text.get(text.find('{')?..=text.rfind('}')?);
    let read = |text: &str| serde_json::from_str::<Map<String, Value>>(text).ok();
    let mut object = read(text).or_else(|| read(&repair(text)?)).or_else(|| read(cut()?))?;
    if let Some(ranking) = object.remove("best-to-worse") {
        object.entry("best-to-worst").or_insert(ranking);
    }
    Some(object)
}

fn repair(text: &str) -> Option<String> {
    static PATTERNS: LazyLock<Vec<(Option<Regex>, &str)>> =
        LazyLock::new(|| STEPS.iter().map(|(from, to)| (Regex::new(from).ok(), *to)).collect());
    let mut text = text.to_owned();
    for (pattern, to) in PATTERNS.iter() {
        text = pattern.as_ref()?.replace_all(&text, *to).into_owned();
    }
    Some(text)
}

pub(super) fn rewardanything(reply: &str) -> Result<Said, Unscored> {
    let none = || Unscored::unreadable("the reply holds no JSON object with scores");
    let object = repaired(reply).ok_or_else(none)?;
    let scores = object.get("scores").and_then(Value::as_object).ok_or_else(none)?;
    let read = |(name, score): (&String, &Value)| {
        let score = score.as_f64().filter(|score| score.is_finite());
        score.map(|score| (name.clone(), score)).ok_or_else(none)
    };
    Ok(Said::Scores(scores.iter().map(read).collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::repaired;

    #[test]
    fn json_is_repaired_and_apostrophes_stay() {
        for text in [
            "{'scores': {'model-1': 3,}, 'best-to-worse': ['model-1',]}",
            "```json\n{scores: {model-1: 3}, best-to-worst: ['model-1']}\n```",
            "<think>{</think>so {\"scores\": {\"model-1\": 3}, \"best-to-worst\": [\"model-1\"]} it is",
        ] {
            let object = repaired(text).expect(text);
            assert_eq!(object["scores"]["model-1"], 3, "{text}");
            assert_eq!(object["best-to-worst"][0], "model-1", "{text}");
        }
        let kept = repaired("{'why': 'it doesn't say', 'scores': {}}").unwrap();
        assert_eq!(kept["why"], "it doesn't say");
        assert_eq!(repaired("no json"), None);
    }
}
