//! The normalisation of final answers of Minerva (Lewkowycz et al., 2022, appendix D).
//!
//! Source: `lm_eval/tasks/minerva_math/utils.py` of github.com/EleutherAI/lm-evaluation-harness (MIT).

use super::super::{Options, Verdict};
use super::text::{last_boxed, unwrap_command};
use super::{same_value, verdict};

const SUBSTITUTIONS: [(&str, &str); 10] = [
    ("an ", ""),
    ("a ", ""),
    (".$", "$"),
    ("\\$", ""),
    ("\\ ", ""),
    (" ", ""),
    ("mbox", "text"),
    (",\\text{and}", ","),
    ("\\text{and}", ","),
    ("\\text{m}", "\\text{}"),
];

const REMOVED: [&str; 41] = [
    "square",
    "ways",
    "integers",
    "dollars",
    "mph",
    "inches",
    "ft",
    "hours",
    "km",
    "units",
    "\\ldots",
    "sue",
    "points",
    "feet",
    "minutes",
    "digits",
    "cents",
    "degrees",
    "cm",
    "gm",
    "pounds",
    "meters",
    "meals",
    "edges",
    "students",
    "childrentickets",
    "multiples",
    "\\text{s}",
    "\\text{.}",
    "\\text{\ns}",
    "\\text{}^2",
    "\\text{}^3",
    "\\text{\n}",
    "\\text{}",
    "\\mathrm{th}",
    "^\\circ",
    "^{\\circ}",
    "\\;",
    ",\\!",
    "{,}",
    "\"",
];

pub(super) fn verify(reference: &str, completion: &str, options: &Options) -> Verdict {
    let Some(answer) = announced(completion) else { return Verdict::NoAnswer };
    let gold = if reference.contains("\\boxed") { last_boxed(reference) } else { Some(reference) };
    match gold {
        Some(gold) => verdict(is_equiv(&normalize(gold), &normalize(answer), options)),
        None => Verdict::BadReference("the box of the reference is not closed".into()),
    }
}

/// What stands between "Final Answer: The final answer is" and one character before " I hope it is correct.". The
/// closing words may be missing at the end.
fn announced(completion: &str) -> Option<&str> {
    let (_, after) = completion.split_once("Final Answer: The final answer is")?;
    let line = after.split('\n').next().unwrap_or(after);
    // The original appends the closing words, then wants any one character before them.
    let end = line.match_indices(" I hope it is correct.").map(|(at, _)| at).find(|at| *at > 0);
    let before = match end {
        Some(end) => &line[..end],
        None if line.len() == after.len() => line.strip_suffix(' ').filter(|s| !s.is_empty())?,
        None => return None,
    };
    let last = before.chars().next_back()?;
    Some(before[..before.len() - last.len_utf8()].trim())
}

/// The normal form of a final answer.
pub(super) fn normalize(answer: &str) -> String {
    normalize_without(answer, &["\\dots"], true)
}

/// verl's copy for DAPO, which does not remove "ft".
pub(super) fn normalize_dapo(answer: &str) -> String {
    normalize_without(answer, &["\\dots"], false)
}

fn normalize_without(answer: &str, more: &[&str], feet: bool) -> String {
    let mut s = answer.rsplit('=').next().unwrap_or(answer).to_owned();
    for (before, after) in SUBSTITUTIONS {
        s = s.replace(before, after);
    }
    for removed in REMOVED.iter().filter(|r| feet || **r != "ft").chain(more) {
        s = s.replace(removed, "");
    }
    s = s.split('\n').map(between_dollars).collect::<Vec<_>>().join("\n");
    for command in ["\\text{", "\\textbf{", "\\overline{"] {
        s = unwrap_command(&s, command, false, true);
    }
    s = unwrap_command(&s, "\\boxed{", true, true);
    s = shorthand(&s, "frac", 2);
    s = shorthand(&s, "sqrt", 1);
    s = s.replace('$', "");
    let digits = s.replace(',', "");
    if !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()) { digits } else { s }
}

/// A line that holds a formula is that formula.
fn between_dollars(line: &str) -> String {
    let mut parts = line.splitn(3, '$');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(inner), Some(_)) => format!("${inner}$"),
        _ => line.to_owned(),
    }
}

/// `fracab` to `frac{a}{b}`, `sqrta` to `sqrt{a}`.
fn shorthand(text: &str, name: &str, arguments: usize) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let body = &rest[at + name.len()..];
        let taken: Vec<char> = body.chars().take(arguments).collect();
        let fits =
            taken.len() == arguments && taken[0] != '{' && taken[1..].iter().all(|c| *c != '\n');
        out.push_str(&rest[..at + name.len()]);
        rest = body;
        if fits {
            for c in taken {
                out.extend(['{', c, '}']);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Equal strings, or formulas of the same value.
pub(super) fn is_equiv(a: &str, b: &str, options: &Options) -> bool {
    a == b || same_value(a, b, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_forms() {
        let check = |text: &str, expected: &str| assert_eq!(normalize(text), expected, "{text}");
        check("x = 5", "5");
        check("100,000", "100000");
        check("\\frac12", "\\frac{1}{2}");
        check("\\sqrt3", "\\sqrt{3}");
        check("the cost is $5$ dollars", "5");
        check("5\\text{ m}", "5");
        check("\\text{Monday}", "Monday");
        check("90^\\circ", "90");
        check("\\boxed{7}", "7");
        check("1,2", "12");
    }

    #[test]
    fn the_announcement_is_needed() {
        let options = Options::default();
        let check = |completion: &str, expected: Verdict| {
            assert_eq!(verify("\\boxed{5}", completion, &options), expected, "{completion}");
        };
        check("Final Answer: The final answer is $5$. I hope it is correct.", Verdict::Equal);
        check("Final Answer: The final answer is $6$. I hope it is correct.", Verdict::Different);
        check("\\boxed{5}", Verdict::NoAnswer);
    }
}
