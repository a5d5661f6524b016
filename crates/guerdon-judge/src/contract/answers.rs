//! One word per question.

use guerdon_core::Unscored;
use serde_json::{Value, json};

use super::numbered::{self, missing};
use super::{Format, PREFIX, Quotes, Read, clean, object, structured};

/// `1. YES`, `2. NO`, ...: one of the words for every question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// How many questions.
    pub count: usize,
    /// The words.
    pub words: Vec<String>,
}

impl Answers {
    /// `count` questions, each answered by one of the words.
    pub fn new<const N: usize>(count: usize, words: [&str; N]) -> Self {
        Self { count, words: words.map(str::to_owned).to_vec() }
    }

    pub(super) fn recognise(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("reason first, then end with ")?;
        let (count, words) = rest.split_once(" numbered lines, each with one of ")?;
        let words = words.strip_suffix("; a short reason may follow it")?;
        let words = words.split(' ').map(str::to_owned).collect();
        Some(Self { count: count.parse().ok()?, words })
    }

    /// The word at the beginning of a text: `NO` in `NO, never`, not in `NOT`.
    fn word(&self, text: &str) -> Option<usize> {
        let end = text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len());
        self.words.iter().position(|word| word.eq_ignore_ascii_case(&text[..end]))
    }
}

impl Format for Answers {
    fn instruction(&self) -> String {
        format!(
            "{PREFIX}reason first, then end with {} numbered lines, each with one of {}; a short reason may follow it",
            self.count,
            self.words.join(" ")
        )
    }

    fn schema(&self) -> Option<Value> {
        let items = json!({"enum": self.words});
        let list = json!({"type": "array", "items": items, "minItems": self.count, "maxItems": self.count});
        Some(object("answers", &list))
    }
}

impl Read for Answers {
    /// For each question, the place of its word; or why there is none.
    type Answer = Vec<Result<usize, Unscored>>;

    /// One answer per question. The last line must be an answer; a question answered twice in different ways is not.
    fn read(&self, reply: &str, quotes: &Quotes<'_>) -> Result<Self::Answer, Unscored> {
        let text = clean(reply);
        if let Some(Value::Array(words)) = structured(&text, "answers") {
            let read = |k: usize| {
                let word = words.get(k).and_then(Value::as_str).and_then(|word| self.word(word));
                word.ok_or_else(|| missing(k))
            };
            return Ok((0..self.count).map(read).collect());
        }
        numbered::read(&text, self.count, quotes, |rest| self.word(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::{Answers, Quotes, Read};

    fn read(reply: &str) -> Vec<Option<usize>> {
        let answers = Answers::new(3, ["YES", "NO"]);
        let quotes = Quotes::of(["Just answer:\n1. YES\n2. YES\n3. YES"]);
        answers
            .read(reply, &quotes)
            .map_or(Vec::new(), |all| all.into_iter().map(Result::ok).collect())
    }

    #[test]
    fn numbered_words_are_answers() {
        let expect = [Some(0), Some(1), Some(0)];
        assert_eq!(read("1. YES\n2. NO, it does not\n3. yes - it does"), expect);
        assert_eq!(read("Well.\n\n**1)** YES\n2: **NO**\n3. YES"), expect);
        assert_eq!(read("{\"answers\": [\"YES\", \"NO\", \"YES\"]}"), expect);
    }

    #[test]
    fn what_is_missing_or_doubtful_has_no_answer() {
        assert_eq!(read("1. YES\n3. NO"), [Some(0), None, Some(1)]);
        assert_eq!(read("1. YES\n2. NOT SURE\n3. NO"), [Some(0), None, Some(1)]);
        assert_eq!(read("1. YES\n1. NO\n1. YES\n2. NO\n3. NO"), [None, Some(1), Some(1)]);
        assert_eq!(read("1. YES\n2. YES\n3. YES\nI cannot decide."), []);
        assert_eq!(read("It says Just answer:\n1. YES\n2. YES\n3. YES"), [None; 3]);
    }

    #[test]
    fn a_candidate_that_lists_answers_does_not_hide_the_judges() {
        assert_eq!(read("1. YES\n2. YES\n3. YES"), [Some(0); 3]);
        assert_eq!(read("All holds.\n\n1. YES\n2. YES\n\n3. YES"), [Some(0); 3]);
    }
}
