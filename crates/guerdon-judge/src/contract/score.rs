//! A number, or one number per response.

use guerdon_core::Unscored;
use serde_json::{Value, json};

use super::{Format, PREFIX, Quotes, Read, clean, last_line, lead, object, plain, structured};

/// `Score: 7`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The lowest score.
    pub low: f64,
    /// The highest score.
    pub high: f64,
    /// Whether only whole numbers are scores.
    pub whole: bool,
    /// Whether the model answers at once, without reasoning.
    pub direct: bool,
}

/// `Scores: [[7, 6, 4]]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores {
    /// How many.
    pub count: usize,
    /// Each of them.
    pub score: Score,
}

impl Score {
    /// Whole numbers from `low` to `high`, after some reasoning.
    pub fn whole(low: i32, high: i32) -> Self {
        Self { low: low.into(), high: high.into(), whole: true, direct: false }
    }

    /// The score's digits as the reply writes them at its end, and the byte where they begin.
    pub fn place(reply: &str) -> Option<(usize, &str)> {
        let start = reply.to_ascii_lowercase().rfind("score")?;
        let tail = &reply[start..];
        let digit = |c: char| c.is_ascii_digit() || "-.".contains(c);
        let from = tail.find(|c: char| c.is_ascii_digit() || c == '-')?;
        let length = tail[from..].find(|c| !digit(c)).unwrap_or(tail.len() - from);
        Some((start + from, tail[from..from + length].trim_end_matches('.')))
    }

    pub(super) fn range(&self) -> String {
        let kind = if self.whole { "whole number" } else { "number" };
        format!("{kind} from {} to {}", self.low, self.high)
    }

    pub(super) fn recognise_range(text: &str, direct: bool) -> Option<Self> {
        let (kind, range) = text.split_once(" from ")?;
        let (low, high) = range.split_once(" to ")?;
        let whole = kind == "whole number";
        Some(Self { low: low.parse().ok()?, high: high.parse().ok()?, whole, direct })
    }

    pub(super) fn recognise(line: &str) -> Option<Self> {
        let (head, range) = line.split_once(" a line \"Score: N\", N a ")?;
        Self::recognise_range(range, head == lead(true))
    }

    /// A number in range, as a reply writes it: `7`, `7/10`, `7.5`.
    pub(super) fn number(&self, text: &str) -> Result<f64, Unscored> {
        let text = text.trim().trim_end_matches('.').trim();
        let (number, of) =
            text.split_once('/').map_or((text, None), |(n, of)| (n.trim(), Some(of.trim())));
        let value = decimal(number)
            .ok_or_else(|| Unscored::unreadable(format!("{text:?} is not a score")))?;
        let right_scale = of.is_none_or(|of| decimal(of) == Some(self.high));
        let right_kind = !self.whole || value.fract() == 0.0;
        if right_scale && right_kind && (self.low..=self.high).contains(&value) {
            return Ok(value);
        }
        Err(Unscored::unreadable(format!("{text} is not a {}", self.range())))
    }
}

/// A plain decimal number: no exponents, no words such as `inf`.
fn decimal(text: &str) -> Option<f64> {
    let plain = text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit() || b".-+".contains(&b));
    text.parse().ok().filter(|_| plain)
}

impl Format for Score {
    fn instruction(&self) -> String {
        format!("{PREFIX}{} a line \"Score: N\", N a {}", lead(self.direct), self.range())
    }

    fn schema(&self) -> Option<Value> {
        let kind = if self.whole { "integer" } else { "number" };
        Some(object("score", &json!({"type": kind, "minimum": self.low, "maximum": self.high})))
    }
}

impl Read for Score {
    type Answer = f64;

    /// The score in the last line. Another score in a line of its own contradicts it.
    fn read(&self, reply: &str, quotes: &Quotes<'_>) -> Result<f64, Unscored> {
        let text = clean(reply);
        if let Some(score) = structured(&text, "score") {
            return self.number(&score.to_string());
        }
        let value = self.number(last("score", &text, quotes)?)?;
        let others = text.lines().filter_map(|line| keyed("score", plain(line)));
        match others.filter_map(|other| self.number(other).ok()).find(|other| *other != value) {
            Some(other) => Err(Unscored::unreadable(format!(
                "the reply contradicts itself: {other} and {value}"
            ))),
            None => Ok(value),
        }
    }
}

impl Scores {
    pub(super) fn recognise(line: &str) -> Option<Self> {
        let (head, rest) = line.split_once(" a line \"Scores: [[s1, s2, ...]]\": one ")?;
        let (range, rest) = rest.split_once(" for each of the ")?;
        let count = rest.strip_suffix(" responses, in the order shown")?.parse().ok()?;
        Some(Self { count, score: Score::recognise_range(range, head == lead(true))? })
    }

    fn counted(&self, scores: Vec<f64>) -> Result<Vec<f64>, Unscored> {
        if scores.len() == self.count {
            return Ok(scores);
        }
        Err(Unscored::unreadable(format!("{} scores for {} responses", scores.len(), self.count)))
    }
}

impl Format for Scores {
    fn instruction(&self) -> String {
        format!(
            "{PREFIX}{} a line \"Scores: [[s1, s2, ...]]\": one {} for each of the {} responses, in the order shown",
            lead(self.score.direct),
            self.score.range(),
            self.count
        )
    }

    fn schema(&self) -> Option<Value> {
        let kind = if self.score.whole { "integer" } else { "number" };
        let items = json!({"type": kind, "minimum": self.score.low, "maximum": self.score.high});
        let list = json!({"type": "array", "items": items, "minItems": self.count, "maxItems": self.count});
        Some(object("scores", &list))
    }
}

impl Read for Scores {
    type Answer = Vec<f64>;

    /// The scores in the last line, as many as there are responses.
    fn read(&self, reply: &str, quotes: &Quotes<'_>) -> Result<Vec<f64>, Unscored> {
        let text = clean(reply);
        if let Some(Value::Array(scores)) = structured(&text, "scores") {
            let scores = scores.iter().map(|score| self.score.number(&score.to_string()));
            return self.counted(scores.collect::<Result<_, _>>()?);
        }
        let list = last("scores", &text, quotes)?.trim_end_matches('.');
        let inside = list.strip_prefix("[[").and_then(|list| list.strip_suffix("]]"));
        let inside = inside.ok_or_else(|| {
            Unscored::unreadable("the scores do not stand between double brackets")
        })?;
        let scores = inside.split(',').take(self.count + 1).map(|score| self.score.number(score));
        self.counted(scores.collect::<Result<_, _>>()?)
    }
}

/// What stands after `Key:` in the last line, where that is no quote.
fn last<'a>(key: &str, text: &'a str, quotes: &Quotes<'_>) -> Result<&'a str, Unscored> {
    let none = || Unscored::unreadable(format!("the reply does not end with a line `{key}:`"));
    let (start, line) = last_line(text).ok_or_else(none)?;
    let value = keyed(key, line).ok_or_else(none)?;
    let at = start + text[start..].find(line).unwrap_or(0);
    if quotes.cover(text, at, at + line.len()) {
        return Err(Unscored::unreadable("the reply only quotes a score from a candidate"));
    }
    Ok(value)
}

/// `7` of `Score: 7`, `Final score: 7` or `**Score:** 7`.
fn keyed<'a>(key: &str, line: &'a str) -> Option<&'a str> {
    let (name, value) = line.split_once(':')?;
    let name = plain(name).to_ascii_lowercase();
    let named = name.strip_prefix("final ").or(name.strip_prefix("overall ")).unwrap_or(&name);
    (named == key).then(|| plain(value))
}

#[cfg(test)]
mod tests {
    use super::{Quotes, Read, Score, Scores};

    fn score(reply: &str) -> Option<f64> {
        Score::whole(1, 10).read(reply, &Quotes::of(["I say\nScore: 10"])).ok()
    }

    fn scores(reply: &str) -> Option<Vec<f64>> {
        Scores { count: 3, score: Score::whole(1, 10) }.read(reply, &Quotes::none()).ok()
    }

    #[test]
    fn the_last_line_is_the_score() {
        for reply in [
            "Good.\nScore: 7",
            "**Final score: 7/10**",
            "Score:7.\n",
            "**Score:** 7",
            "{\"reasoning\": \"\", \"score\": 7}",
        ] {
            assert_eq!(score(reply), Some(7.0), "{reply}");
        }
    }

    #[test]
    fn what_is_no_score_is_not_read() {
        for reply in [
            "",
            "7",
            "Score: 11",
            "Score: 0",
            "Score: 7.5",
            "Score: 7/100",
            "Score: 1e1",
            "Score: seven",
            "Score: 7\nScore: 8",
            "Score: 7\nor so",
            "Score: NaN",
            "Score: 99999999999999999999999",
            "It says: I say\nScore: 10",
            "> Score: 7",
            "Subscore: 7",
        ] {
            assert_eq!(score(reply), None, "{reply}");
        }
    }

    #[test]
    fn scores_are_counted() {
        assert_eq!(scores("so\nScores: [[7, 6, 4]]"), Some(vec![7.0, 6.0, 4.0]));
        assert_eq!(
            scores("{\"reasoning\": \"\", \"scores\": [7, 6, 4]}"),
            Some(vec![7.0, 6.0, 4.0])
        );
        for reply in
            ["Scores: [[7, 6]]", "Scores: [[7, 6, 4, 1]]", "Scores: 7, 6, 4", "Scores: [[7, 6, x]]"]
        {
            assert_eq!(scores(reply), None, "{reply}");
        }
    }
}
