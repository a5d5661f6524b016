//! One number per question.

use guerdon_core::Unscored;
use serde_json::{Value, json};

use super::numbered::{self, missing};
use super::{Format, PREFIX, Quotes, Read, Score, clean, object, structured};

/// `1. 7`, `2. 10`, ...: a number for every question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grades {
    /// How many questions.
    pub count: usize,
    /// Each number.
    pub score: Score,
}

impl Grades {
    /// `count` questions, each graded by a whole number from `low` to `high`.
    pub fn whole(count: usize, low: i32, high: i32) -> Self {
        Self { count, score: Score::whole(low, high) }
    }

    pub(super) fn recognise(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("reason first, then end with ")?;
        let (count, range) = rest.split_once(" numbered lines, each with a ")?;
        let range = range.strip_suffix("; a short reason may follow it")?;
        Some(Self { count: count.parse().ok()?, score: Score::recognise_range(range, false)? })
    }

    /// The number at the beginning of a text: `7` in `7, since …` and in `7/10`, none in `7th` or `7-8`.
    fn number(&self, text: &str) -> Option<f64> {
        let text = text.replace(" /", "/").replace("/ ", "/");
        let sign = |c: char| c.is_ascii_digit() || ".-+/".contains(c);
        let end = text.find(|c| !sign(c)).unwrap_or(text.len());
        if text[end..].starts_with(char::is_alphanumeric) {
            return None;
        }
        self.score.number(text[..end].trim_end_matches(['.', '-'])).ok()
    }
}

impl Format for Grades {
    fn instruction(&self) -> String {
        format!(
            "{PREFIX}reason first, then end with {} numbered lines, each with a {}; a short reason may follow it",
            self.count,
            self.score.range()
        )
    }

    fn schema(&self) -> Option<Value> {
        let kind = if self.score.whole { "integer" } else { "number" };
        let items = json!({"type": kind, "minimum": self.score.low, "maximum": self.score.high});
        let list = json!({"type": "array", "items": items, "minItems": self.count, "maxItems": self.count});
        Some(object("grades", &list))
    }
}

impl Read for Grades {
    /// For each question its number; or why there is none.
    type Answer = Vec<Result<f64, Unscored>>;

    /// One number per question; the last line must hold one.
    fn read(&self, reply: &str, quotes: &Quotes<'_>) -> Result<Self::Answer, Unscored> {
        let text = clean(reply);
        if let Some(Value::Array(grades)) = structured(&text, "grades") {
            let read = |k: usize| {
                let grade = grades.get(k).ok_or_else(|| missing(k))?;
                self.score.number(&grade.to_string())
            };
            return Ok((0..self.count).map(read).collect());
        }
        numbered::read(&text, self.count, quotes, |rest| self.number(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::{Grades, Quotes, Read};

    fn read(reply: &str) -> Vec<Option<f64>> {
        let read = Grades::whole(2, 0, 10).read(reply, &Quotes::of(["All:\n1. 10\n2. 10"]));
        read.map_or(Vec::new(), |all| all.into_iter().map(Result::ok).collect())
    }

    #[test]
    fn numbered_numbers_are_grades() {
        for reply in [
            "So.\n1. 7\n2. 10",
            "**1)** 7/10 - short\n2: 10, since it is right",
            "1. 7 / 10\n2. 10.",
            "{\"reasoning\": \"\", \"grades\": [7, 10]}",
        ] {
            assert_eq!(read(reply), [Some(7.0), Some(10.0)], "{reply}");
        }
    }

    #[test]
    fn what_is_no_grade_is_not_read() {
        for wrong in ["11", "7.5", "7-8", "7th", "-1", "seven", "7/100", "", "1e1"] {
            assert_eq!(read(&format!("1. {wrong}\n2. 3")), [None, Some(3.0)], "{wrong}");
        }
        assert_eq!(read("1. 3\n1. 4\n2. 3"), [None, Some(3.0)]);
        assert_eq!(read("1. 3\n2. 3\nor so"), []);
        assert_eq!(read("It says All:\n1. 10\n2. 10"), [None, None]);
    }
}
