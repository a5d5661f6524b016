//! The readers, one per grader.

use std::sync::LazyLock;

use guerdon_core::Unscored;
use guerdon_core::method::Preference;
use regex::Regex;

use super::Said;

/// RM-R1 looks at the last so many characters.
const WINDOW: usize = 80;

/// What stands between a grade and its colon without being seen.
const UNSEEN: &str = r"[\s\u{200b}-\u{200f}\u{2060}-\u{2064}\u{feff}]*";

fn pattern(source: &str) -> Option<Regex> {
    Regex::new(source).ok()
}

fn unreadable<T>(why: &str) -> Result<T, Unscored> {
    Err(Unscored::unreadable(why))
}

fn broken() -> Unscored {
    Unscored::failed("a pattern of this grader is broken")
}

/// The pair's verdict of a letter or a number: the first, the second.
fn side(name: &str) -> Result<Said, Unscored> {
    match name {
        "A" | "a" | "1" => Ok(Said::Pair(Preference::FIRST)),
        "B" | "b" | "2" => Ok(Said::Pair(Preference::SECOND)),
        _ => unreadable("the verdict names neither response"),
    }
}

pub(super) fn arena_hard(reply: &str) -> Result<Said, Unscored> {
    static LABEL: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"\[\[([AB<>=]+)\]\]"));
    let mut labels =
        LABEL.as_ref().ok_or_else(broken)?.captures_iter(reply).map(|c| c.extract::<1>().1[0]);
    let Some(label) = labels.next() else { return unreadable("the reply holds no verdict") };
    if labels.any(|other| other != label) {
        return unreadable("the reply contradicts itself: it holds several verdicts");
    }
    match label {
        "A>B" | "A>>B" => Ok(Said::Pair(Preference::FIRST)),
        "A=B" => Ok(Said::Pair(Preference::TIE)),
        "B>A" | "B>>A" => Ok(Said::Pair(Preference::SECOND)),
        _ => unreadable("the verdict is not offered"),
    }
}

/// The last grade decides, whatever it is, and only then is it checked against what was offered: an earlier one may be
/// injected.
pub(super) fn inspect_grade(reply: &str, offered: &[char]) -> Result<Said, Unscored> {
    static GRADE: LazyLock<Option<Regex>> =
        LazyLock::new(|| pattern(&format!(r"(?i)\bGRADE{UNSEEN}:{UNSEEN}([A-Z])")));
    let pattern = GRADE.as_ref().ok_or_else(broken)?;
    let last = pattern.captures_iter(reply).last().map(|c| c.extract::<1>().1[0]);
    let letter = last.and_then(|text| text.chars().next()).map(|c| c.to_ascii_uppercase());
    match letter {
        Some(letter) if offered.contains(&letter) => Ok(Said::Grade(letter)),
        Some(letter) => unreadable(&format!("the last grade, {letter}, is not offered")),
        None => unreadable("the reply holds no grade"),
    }
}

pub(super) fn prometheus_absolute(reply: &str) -> Result<Said, Unscored> {
    static RESULT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        pattern(
            r"(?i)(?:\[RESULT\]:?|\[SCORE\]|score:?|result:?|score\s+of)\s*[(\[\s]*(\d+)(?:[)\]\s]|/\s*5|\s*out\s*of\s*5)?\s*$",
        )
    });
    let found = RESULT.as_ref().ok_or_else(broken)?.captures(reply).map(|c| c.extract::<1>().1[0]);
    match found.and_then(|digits| digits.parse::<u8>().ok()) {
        Some(score @ 1..=5) => Ok(Said::Number(score.into())),
        Some(_) => unreadable("the score is not between 1 and 5"),
        None => unreadable("the reply does not end with a score"),
    }
}

/// What may stand before the letter.
const RELATIVE: &str =
    r"(?im)(?:\[RESULT\](?:\s+Response)?|\[RESULT:\s*|\[Response\s+|(?:^|\n)Result:?\s*)\s*([AB])";

pub(super) fn prometheus_relative(reply: &str) -> Result<Said, Unscored> {
    static RESULT: LazyLock<Option<Regex>> =
        LazyLock::new(|| pattern(&format!(r"{RELATIVE}\]?\s*$")));
    let found = RESULT.as_ref().ok_or_else(broken)?.captures(reply).map(|c| c.extract::<1>().1[0]);
    found.map_or_else(|| unreadable("no line of the reply ends with a result"), side)
}

pub(super) fn prometheus_free(reply: &str) -> Result<Said, Unscored> {
    static RESULT: LazyLock<Option<Regex>> =
        LazyLock::new(|| pattern(&format!(r"{RELATIVE}(?:\]|\s|$)")));
    let found = RESULT.as_ref().ok_or_else(broken)?.captures(reply).map(|c| c.extract::<1>().1[0]);
    found.map_or_else(|| unreadable("the reply holds no result"), side)
}

pub(super) fn rm_r1(reply: &str) -> Result<Said, Unscored> {
    let start = reply.char_indices().rev().take(WINDOW).last().map_or(0, |(at, _)| at);
    let tail = &reply[start..];
    let has = |letter| tail.contains(&format!("<answer>[[{letter}]]</answer>"));
    match (has("A"), has("B")) {
        (true, false) => side("A"),
        (false, true) => side("B"),
        (true, true) => unreadable("the reply contradicts itself: both answers stand at its end"),
        (false, false) => unreadable("the reply does not end with an answer tag"),
    }
}

pub(super) fn rrm(reply: &str) -> Result<Said, Unscored> {
    static BOXED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        pattern(r"\\boxed\{\s*(?:\\text\{\s*)?(?:Assistant|Response)?\s*([12AB])\s*\}")
    });
    let last = BOXED.as_ref().ok_or_else(broken)?.captures_iter(reply).last();
    let last = last.map(|c| c.extract::<1>().1[0]);
    last.map_or_else(|| unreadable("the reply holds no boxed verdict"), side)
}

fn first_line(reply: &str) -> &str {
    reply.trim().lines().next().unwrap_or_default().trim()
}

pub(super) fn panda_lm(reply: &str) -> Result<Said, Unscored> {
    match first_line(reply) {
        line if line.eq_ignore_ascii_case("tie") => Ok(Said::Pair(Preference::TIE)),
        line => side(line),
    }
}

pub(super) fn judge_lm(reply: &str) -> Result<Said, Unscored> {
    let line = first_line(reply).replace(',', " ");
    let score = |text: &str| text.parse::<f64>().ok().filter(|score| (0.0..=100.0).contains(score));
    let scores: Vec<Option<f64>> = line.split_whitespace().take(3).map(score).collect();
    match scores.as_slice() {
        [Some(first), Some(second)] => {
            Ok(Said::Scores(vec![("A".to_owned(), *first), ("B".to_owned(), *second)]))
        }
        _ => unreadable("the first line does not hold two scores"),
    }
}

pub(super) fn auto_j(reply: &str) -> Result<Said, Unscored> {
    const KEY: &str = "final decision is ";
    let Some(at) = reply.trim().rfind(KEY) else {
        return unreadable("the reply holds no decision");
    };
    let rest = reply.trim()[at + KEY.len()..].trim().to_ascii_lowercase();
    match rest.as_str() {
        text if text.starts_with("response 1") => side("1"),
        text if text.starts_with("response 2") => side("2"),
        text if text.starts_with("tie") => Ok(Said::Pair(Preference::TIE)),
        _ => unreadable("the decision names neither response"),
    }
}

pub(super) fn mt_bench_rating(reply: &str) -> Result<Said, Unscored> {
    static RATING: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"\[\[(\d+\.?\d*)\]\]"));
    static BACKUP: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"\[(\d+\.?\d*)\]"));
    for pattern in [&RATING, &BACKUP] {
        let pattern = pattern.as_ref().ok_or_else(broken)?;
        let mut all = pattern.captures_iter(reply).map(|c| c.extract::<1>().1[0].parse::<f64>());
        let Some(first) = all.next() else { continue };
        if all.any(|other| other != first) {
            return unreadable("the reply contradicts itself: it holds several ratings");
        }
        return match first {
            Ok(rating) if (1.0..=10.0).contains(&rating) => Ok(Said::Number(rating)),
            _ => unreadable("the rating is not between 1 and 10"),
        };
    }
    unreadable("the reply holds no rating")
}

pub(super) fn mt_bench_pair(reply: &str) -> Result<Said, Unscored> {
    let held: Vec<&str> =
        ["A", "B", "C"].into_iter().filter(|l| reply.contains(&format!("[[{l}]]"))).collect();
    match held.as_slice() {
        ["C"] => Ok(Said::Pair(Preference::TIE)),
        [only] => side(only),
        [] => unreadable("the reply holds no verdict"),
        _ => unreadable("the reply contradicts itself: it holds several verdicts"),
    }
}

pub(super) fn bare_letter(reply: &str) -> Result<Said, Unscored> {
    let word = reply.trim();
    match word.strip_suffix('.').unwrap_or(word) {
        letter @ ("A" | "B") => side(letter),
        _ => unreadable("the reply is not one letter"),
    }
}

pub(super) fn alpaca_eval(reply: &str) -> Result<Said, Unscored> {
    match reply.trim() {
        "m" => side("1"),
        "M" => side("2"),
        _ => unreadable("the reply is neither m nor M"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Grader, Said};
    use guerdon_core::method::Preference;

    fn pair(grader: Grader, reply: &str) -> Option<char> {
        match grader.read(reply).ok()?.preference().ok()? {
            Preference::FIRST => Some('A'),
            Preference::TIE => Some('='),
            _ => Some('B'),
        }
    }

    #[test]
    fn pairs_are_read_as_their_graders_do() {
        let tail = format!("<answer>[[A]]</answer>{}", ".".repeat(80));
        for (grader, reply, expect) in [
            (Grader::ArenaHard, "so [[A>>B]] and [[A>>B]]", Some('A')),
            (Grader::ArenaHard, "[[A>>B]] [[A>B]]", None),
            (Grader::ArenaHard, "[[A<B]]", None),
            (Grader::RmR1, "x <answer>[[B]]</answer>", Some('B')),
            (Grader::RmR1, "<answer>[[A]]</answer><answer>[[B]]</answer>", None),
            (Grader::RmR1, &tail, None),
            (Grader::RmR1, "<answer>[[a]]</answer>", None),
            (Grader::Rrm, "\\boxed{Assistant 1} no, \\boxed{\\text{Assistant 2}}", Some('B')),
            (Grader::Rrm, "\\boxed{tie}", None),
            (Grader::PandaLm, "Tie\nbecause", Some('=')),
            (Grader::PandaLm, "12", None),
            (Grader::JudgeLm, "8, 7\nThe first", Some('A')),
            (Grader::JudgeLm, "8 inf", None),
            (Grader::JudgeLm, "well 8 7", None),
            (Grader::AutoJ, "the final decision is Response 2.", Some('B')),
            (Grader::AutoJ, "final decision is both", None),
            (Grader::MtBenchPair, "[[C]]", Some('=')),
            (Grader::MtBenchPair, "[[A]] [[B]]", None),
            (Grader::BareLetter, "B", Some('B')),
            (Grader::BareLetter, " B.\n", Some('B')),
            (Grader::BareLetter, "Both", None),
            (Grader::PrometheusFree, "[RESULT] B, because it is", None),
            (Grader::PrometheusFree, "[RESULT] B because it is", Some('B')),
            (Grader::PrometheusRelative, "[RESULT] B because it is", None),
        ] {
            assert_eq!(pair(grader, reply), expect, "{grader:?}: {reply}");
        }
    }

    #[test]
    fn the_last_grade_counts_even_where_it_is_not_offered() {
        let read = |reply| Grader::InspectGrade.read(reply).ok();
        assert_eq!(read("GRADE: C\nGRADE: N"), None);
        assert_eq!(read("GRADE: N\nGRADE: C"), Some(Said::Grade('C')));
    }

    #[test]
    fn ratings_must_agree() {
        let read = |reply| Grader::MtBenchRating.read(reply).ok();
        assert_eq!(read("[1] says so. [[7]]"), Some(Said::Number(7.0)));
        assert_eq!(read("Rating: [8.5]"), Some(Said::Number(8.5)));
        assert_eq!(read("[[7]] [[8]]"), None);
        assert_eq!(read("[[70]]"), None);
    }
}
