//! `is_equiv` of the MATH data set: equality of strings after normalisation.
//!
//! Source: `modeling/math_equivalence.py` of github.com/hendrycks/math (MIT), the same in verl's
//! `utils/reward_score/math_reward.py`, where the last box of the completion is compared.

use super::super::Verdict;
use super::text::{fix_fracs, is_plain_integer, last_boxed, without_short_label};
use super::verdict;

pub(super) fn verify(reference: &str, completion: &str) -> Verdict {
    let Some(answer) = last_boxed(completion) else { return Verdict::NoAnswer };
    let gold = if reference.contains("\\boxed") { last_boxed(reference) } else { Some(reference) };
    match gold {
        Some(gold) => verdict(is_equiv(answer, gold)),
        None => Verdict::BadReference("the box of the reference is not closed".into()),
    }
}

/// Equality after normalisation, or of the texts themselves where the original's normalisation raises.
pub(super) fn is_equiv(a: &str, b: &str) -> bool {
    match (strip(a), strip(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// The normal form; `None` where the original raises an exception.
pub(super) fn strip(text: &str) -> Option<String> {
    let mut s = text.replace('\n', "").replace("\\!", "").replace("\\\\", "\\");
    s = s.replace("tfrac", "frac").replace("dfrac", "frac");
    s = s.replace("\\left", "").replace("\\right", "");
    s = s.replace("^{\\circ}", "").replace("^\\circ", "").replace("\\$", "");
    s = without_units(&s)?;
    s = s.replace("\\%", "").replace('%', "");
    s = s.replace(" .", " 0.").replace("{.", "{0.");
    if s.is_empty() {
        return Some(s);
    }
    if s.starts_with('.') {
        s.insert(0, '0');
    }
    s = fix_sqrt(without_short_label(&s))?.replace(' ', "");
    s = fix_fracs(&s, true)?;
    if s == "0.5" {
        "\\frac{1}{2}".clone_into(&mut s);
    }
    Some(slash_to_frac(s))
}

/// Everything before `\text{ `, which occurs at most once.
fn without_units(text: &str) -> Option<String> {
    let mut parts = text.split("\\text{ ");
    let first = parts.next().unwrap_or_default().to_owned();
    let more = parts.nth(1).is_some();
    (!more).then_some(first)
}

/// `\sqrt3` to `\sqrt{3}`.
fn fix_sqrt(text: &str) -> Option<String> {
    let mut parts = text.split("\\sqrt");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("\\sqrt");
        let mut chars = part.chars();
        match chars.next()? {
            '{' => out.push_str(part),
            a => {
                out.extend(['{', a, '}']);
                out.push_str(chars.as_str());
            }
        }
    }
    Some(out)
}

fn slash_to_frac(text: String) -> String {
    match text.split_once('/') {
        Some((a, b)) if is_plain_integer(a) && is_plain_integer(b) => {
            format!("\\frac{{{a}}}{{{b}}}")
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs from the documentation of the original's rules.
    #[test]
    fn rules() {
        let check =
            |a: &str, b: &str, expected: bool| assert_eq!(is_equiv(a, b), expected, "{a} {b}");
        check("\\tfrac12", "\\frac{1}{2}", true);
        check("1/2", "\\frac{1}{2}", true);
        check("0.5", "\\dfrac12", true);
        check(".5", "0.5", true);
        check("x=3", "3", true);
        check("abc=3", "3", false);
        check("5\\text{ cm}", "5", true);
        check("\\sqrt3", "\\sqrt{3}", true);
        check("50\\%", "50", true);
        check("90^\\circ", "90", true);
        check("1,000", "1000", false);
        check("2/4", "1/2", false);
        check("\\frac", "\\frac", true);
        check("01/2", "1/2", false);
    }

    #[test]
    fn the_last_box_counts() {
        assert_eq!(verify("\\boxed{2}", "\\boxed{1} \\boxed{2}"), Verdict::Equal);
        assert_eq!(verify("2", "it is 2"), Verdict::NoAnswer);
        assert_eq!(verify("2", "\\boxed{3}"), Verdict::Different);
    }
}
