//! The format rewards of TRL and Open R1, as they are written there.

use std::sync::LazyLock;

use regex::Regex;

/// TRL's `think_format_reward`: the text opens with `<think>`, has no second one, and closes it.
pub(super) fn think(text: &str) -> f64 {
    let rest = text.strip_prefix("<think>");
    one_if(rest.is_some_and(|rest| !rest.contains("<think>") && rest.contains("</think>")))
}

/// Open R1's `format_reward`: a think block at the start, an answer block behind it, each tag on a line of its own, the
/// last one at the end of a line.
pub(super) fn open_r1(text: &str) -> f64 {
    let answer = text
        .strip_prefix("<think>\n")
        .and_then(|rest| rest.split_once("\n</think>\n<answer>\n"))
        .map(|(_, answer)| answer);
    let closes = |answer: &str| {
        answer.split("\n</answer>").skip(1).any(|rest| rest.is_empty() || rest.starts_with('\n'))
    };
    one_if(answer.is_some_and(closes))
}

/// Open R1's `tag_count_reward`: a quarter for each of four tags that stands in the text exactly once.
pub(super) fn tag_count(text: &str) -> f64 {
    let tags = ["<think>\n", "\n</think>\n", "\n<answer>\n", "\n</answer>"];
    tags.iter().filter(|tag| text.matches(**tag).count() == 1).count() as f64 / 4.0
}

static STEP: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"Step \d+:|^\d+\.|\n-|\n\*|First,|Second,|Next,|Finally,").ok());

/// Open R1's `reasoning_steps_reward`: a third for each mark of a step, at most 1.
pub(super) fn reasoning_steps(text: &str) -> f64 {
    let steps = STEP.as_ref().map_or(0, |step| step.find_iter(text).take(3).count());
    steps as f64 / 3.0
}

fn one_if(right: bool) -> f64 {
    f64::from(u8::from(right))
}

#[cfg(test)]
mod tests {
    use super::{open_r1, reasoning_steps, tag_count, think};

    /// Values of the four functions in Python: TRL's and Open R1's.
    #[test]
    fn values_of_the_originals() {
        for (text, expect) in CASES {
            let own = [think(text), open_r1(text), tag_count(text), reasoning_steps(text)];
            let near = own.iter().zip(expect).all(|(a, b)| (a - b).abs() < 1e-15);
            assert!(near, "{text:?}: {own:?} is not {expect:?}");
        }
    }

    const CASES: [(&str, [f64; 4]); 14] = [
        ("", [0.0, 0.0, 0.0, 0.0]),
        ("<think>\na\n</think>\n<answer>\nb\n</answer>", [1.0, 1.0, 1.0, 0.0]),
        ("<think>\na\n</think>\n<answer>\nb\n</answer>\nreward: 1", [1.0, 1.0, 1.0, 0.0]),
        ("<think>\na\n</think>\n<answer>\nb\n</answer> x", [1.0, 0.0, 1.0, 0.0]),
        ("<think>a</think>b", [1.0, 0.0, 0.0, 0.0]),
        ("<think>a</think>b</think>", [1.0, 0.0, 0.0, 0.0]),
        ("<think>a<think>b</think>", [0.0, 0.0, 0.0, 0.0]),
        (" <think>\na\n</think>\n<answer>\nb\n</answer>", [0.0, 0.0, 1.0, 0.0]),
        ("<think>\n\n</think>\n<answer>\n\n</answer>", [1.0, 1.0, 1.0, 0.0]),
        ("<think>\n</think>\n<answer>\n</answer>", [1.0, 0.0, 1.0, 0.0]),
        (
            "<think>\n<think>\na\n</think>\n<answer>\nx\n</answer>\n<answer>\ny\n</answer>",
            [0.0, 1.0, 0.25, 0.0],
        ),
        ("1. First, add.\n- x", [0.0, 0.0, 0.0, 1.0]),
        ("Step 1: a\nStep 12: b\n2. c\n* d", [0.0, 0.0, 0.0, 1.0]),
        ("<think>\na\n</think>\n<answer>\nb\n</answer>c\n</answer>\n", [1.0, 1.0, 0.75, 0.0]),
    ];
}
