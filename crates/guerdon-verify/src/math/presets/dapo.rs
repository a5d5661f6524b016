//! DAPO's verifier: Minerva's normalisation of what follows "Answer:", or the exact content of a box.
//!
//! Source: `utils/reward_score/math_dapo.py` of github.com/volcengine/verl (Apache-2.0).

use super::super::Verdict;
use super::minerva::normalize_dapo;
use super::text::{last_braced_box, tail};
use super::verdict;

/// Characters at the end of a completion that are read.
const READ: usize = 300;
/// The same for the strict box.
const READ_BOX: usize = 100;

pub(super) fn verify(reference: &str, completion: &str, strict_box: bool) -> Verdict {
    let read = tail(completion, READ);
    if strict_box {
        return last_braced_box(tail(read, READ_BOX))
            .map_or(Verdict::NoAnswer, |answer| verdict(answer == reference));
    }
    match announced(read) {
        Some(answer) => verdict(normalize_dapo(answer).trim() == normalize_dapo(reference).trim()),
        None => Verdict::NoAnswer,
    }
}

/// The rest of the line after the last "Answer:", in any case, with white space around the colon.
fn announced(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    let (mut from, mut found) = (0, None);
    while let Some(at) = lower[from..].find("answer") {
        let after = from + at + "answer".len();
        from = after;
        let Some(rest) = text[after..].trim_start().strip_prefix(':') else { continue };
        let rest = rest.trim_start();
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        if !line.is_empty() {
            found = Some(line);
            // The search goes on behind the match.
            from = text.len() - rest.len() + line.len();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        let check = |completion: &str, expected: Verdict| {
            assert_eq!(verify("34", completion, false), expected, "{completion}");
        };
        check("so\n\nAnswer: 34", Verdict::Equal);
        check("answer :\n$34$", Verdict::Equal);
        check("Answer: 33\nAnswer: 34", Verdict::Equal);
        check("Answer: 35", Verdict::Different);
        check("\\boxed{34}", Verdict::NoAnswer);
        check(&format!("Answer: 34{}", " x".repeat(200)), Verdict::NoAnswer);
    }

    #[test]
    fn strict_boxes() {
        assert_eq!(verify("34", "\\boxed{34}", true), Verdict::Equal);
        assert_eq!(verify("34", "\\boxed{34.0}", true), Verdict::Different);
        assert_eq!(
            verify("34", &format!("\\boxed{{34}}{}", "x".repeat(100)), true),
            Verdict::NoAnswer
        );
    }
}
