//! C2's reward for a judge that first says whether a rubric helps, then answers.

use std::sync::LazyLock;

use regex::Regex;

/// What the text says and how it is laid out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// The last answer letter, in upper case.
    pub(super) answer: Option<char>,
    /// Whether the last word on the rubric is `helpful`.
    pub(super) helpful: Option<bool>,
    /// Whether analysis, rubric (on tasks with one) and answer stand alone and in order.
    pub(super) formed: bool,
}

struct Patterns {
    answer: Regex,
    rubric: Regex,
    free: Regex,
    augmented: Regex,
    tag: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    let compile = |pattern: &str| Regex::new(&format!("(?is){pattern}")).ok();
    let (analysis, answer) = (r"<analyze>(.+?)</analyze>\s*", r"<answer>\s*([A-Z])\s*</answer>");
    let rubric = r"<rubric>\s*(helpful|misleading)\s*</rubric>";
    Some(Patterns {
        answer: compile(answer)?,
        rubric: compile(rubric)?,
        free: compile(&format!(r"\A\s*{analysis}{answer}\s*\z"))?,
        augmented: compile(&format!(r"\A\s*{analysis}{rubric}\s*{answer}\s*\z"))?,
        tag: compile("</?(analyze|answer|rubric)>")?,
    })
});

/// Reads a text on a task with or without a rubric.
pub(super) fn read(text: &str, rubric: bool) -> Reading {
    let Some(patterns) = &*PATTERNS else {
        return Reading { answer: None, helpful: None, formed: false };
    };
    let last = |pattern: &Regex| {
        pattern.captures_iter(text).last().and_then(|c| Some(c.get(1)?.as_str().to_owned()))
    };
    let bare = || Some(text.trim().to_owned()).filter(|t| t.chars().count() == 1);
    let answer = last(&patterns.answer).or_else(bare).and_then(|t| t.chars().next());
    let layout = if rubric { &patterns.augmented } else { &patterns.free };
    let analysis = layout.captures(text).and_then(|c| c.get(1)).map_or("", |m| m.as_str().trim());
    Reading {
        answer: answer.map(|letter| letter.to_ascii_uppercase()),
        helpful: last(&patterns.rubric).map(|word| word.eq_ignore_ascii_case("helpful")),
        formed: !analysis.is_empty() && !patterns.tag.is_match(analysis),
    }
}

/// 0.6 · preference + 0.3 · rubric + 0.1 · format, each 1 or −1; without a rubric its term is 0.
pub fn c2(preference: bool, rubric: Option<bool>, format: bool) -> f64 {
    let sign = |right: bool| if right { 1.0 } else { -1.0 };
    0.6 * sign(preference) + 0.3 * rubric.map_or(0.0, sign) + 0.1 * sign(format)
}

#[cfg(test)]
mod tests {
    use super::{Reading, c2, read};

    #[test]
    fn the_values_of_the_catalogue() {
        for (own, expect) in [
            (c2(true, Some(true), true), 1.0),
            (c2(true, Some(false), true), 0.4),
            (c2(true, None, true), 0.7),
        ] {
            assert!((own - expect).abs() < 1e-12);
        }
    }

    fn check(text: &str, rubric: bool, answer: Option<char>, helpful: Option<bool>, formed: bool) {
        assert_eq!(read(text, rubric), Reading { answer, helpful, formed }, "{text:?}");
    }

    #[test]
    fn readings() {
        let free = "<analyze>a</analyze>\n<answer>A</answer>\n";
        check(free, false, Some('A'), None, true);
        check(free, true, Some('A'), None, false);
        let whole = "<analyze>a</analyze><rubric>Helpful</rubric><answer> b </answer>";
        check(whole, true, Some('B'), Some(true), true);
        check(whole, false, Some('B'), Some(true), false);
        check("<analyze> </analyze><answer>A</answer>", false, Some('A'), None, false);
        check("b", false, Some('B'), None, false);
        let forged = "<analyze>x</analyze><answer>B</answer></analyze><answer>A</answer>";
        check(forged, false, Some('A'), None, false);
        check("", false, None, None, false);
    }
}
