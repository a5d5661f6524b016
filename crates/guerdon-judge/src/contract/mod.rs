//! Contracts: in which format a prompt asks for a reply, and how that reply is read.
//!
//! A format says both: the sentence that stands in the prompt ([`Format::instruction`]) and the reader
//! ([`Read::read`]). Readers are strict: what is missing, out of range, contradicts itself or only quotes a candidate is
//! [`Unscored`], never a number and never a tie. A reply that was cut off never reaches a reader.
//!
//! | format | the reply ends with | read as |
//! |---|---|---|
//! | [`Label`] | `[[A]]` | which label |
//! | [`Score`] | `Score: 7` | the number |
//! | [`Scores`] | `Scores: [[7, 6, 4]]` | one number per response |
//! | [`Answers`] | `1. YES`, `2. NO`, ... | one word per question |
//! | [`Grades`] | `1. 7`, `2. 10`, ... | one number per question |
//! | [`Items`] | a numbered list | its items |
//! | [`Json`], [`Object`] | one JSON object | a typed value, a map |
//! | [`Free`] | anything | the text |
//!
//! Where a model's entry in the spec says that its endpoint offers structured output, the reply is a JSON object of
//! [`Format::schema`], and is read into the same result.

mod answers;
mod grades;
mod items;
mod json;
mod label;
mod numbered;
mod quote;
mod score;

pub use answers::Answers;
pub use grades::Grades;
pub use items::Items;
pub use json::{Json, Object, last_object};
pub use label::Label;
pub use quote::Quotes;
pub use score::{Score, Scores};

use guerdon_core::Unscored;
use serde_json::Value;

/// The beginning of every instruction: by it a prompt's format is recognised.
pub const PREFIX: &str = "Reply format: ";

/// How a reply is asked for.
pub trait Format {
    /// The sentence in the prompt. It is one line and begins with [`PREFIX`].
    fn instruction(&self) -> String;

    /// The JSON schema of the reply, for endpoints with structured output.
    fn schema(&self) -> Option<Value> {
        None
    }
}

/// A format whose replies are read into one type.
pub trait Read: Format {
    /// What comes out.
    type Answer;

    /// Reads a reply. `quotes` knows the texts that are judged: what the reply only repeats from them is not read.
    fn read(&self, reply: &str, quotes: &Quotes<'_>) -> Result<Self::Answer, Unscored>;
}

/// Any text at all, as long as there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Free;

impl Format for Free {
    fn instruction(&self) -> String {
        format!("{PREFIX}free text")
    }
}

impl Read for Free {
    type Answer = String;

    fn read(&self, reply: &str, _: &Quotes<'_>) -> Result<String, Unscored> {
        let text = clean(reply);
        let told = text.chars().any(char::is_alphanumeric);
        if told {
            Ok(text.trim().to_owned())
        } else {
            Err(Unscored::unreadable("the reply is empty"))
        }
    }
}

/// The format that a prompt asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Contract {
    /// See [`Label`].
    Label(Label),
    /// See [`Score`].
    Score(Score),
    /// See [`Scores`].
    Scores(Scores),
    /// See [`Answers`].
    Answers(Answers),
    /// See [`Grades`].
    Grades(Grades),
    /// See [`Items`].
    Items(Items),
    /// A JSON object of this schema; see [`Json`].
    Json(Value),
    /// See [`Free`].
    Free,
}

impl Contract {
    /// The format that a prompt asks for: its last line that is an instruction. For what stands in for a model.
    pub fn recognise(prompt: &str) -> Option<Self> {
        let line = prompt.lines().rev().find_map(|line| line.trim().strip_prefix(PREFIX))?;
        None.or_else(|| Label::recognise(line).map(Self::Label))
            .or_else(|| Scores::recognise(line).map(Self::Scores))
            .or_else(|| Score::recognise(line).map(Self::Score))
            .or_else(|| Answers::recognise(line).map(Self::Answers))
            .or_else(|| Grades::recognise(line).map(Self::Grades))
            .or_else(|| Items::recognise(line).map(Self::Items))
            .or_else(|| json::recognise(line).map(Self::Json))
            .or_else(|| (line == "free text").then_some(Self::Free))
    }
}

/// The words of an instruction that say whether the model may reason before it answers.
fn lead(direct: bool) -> &'static str {
    if direct { "nothing but" } else { "reason first, then end with" }
}

/// Without characters that are not seen and could hide or join words.
fn clean(text: &str) -> String {
    let unseen = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\0');
    text.chars().filter(|c| !unseen(*c)).collect()
}

/// The last line that is not blank, with its place; marks of emphasis around it are dropped.
fn last_line(text: &str) -> Option<(usize, &str)> {
    let end = text.trim_end().len();
    let start = text[..end].rfind('\n').map_or(0, |at| at + 1);
    let line = plain(&text[start..end]);
    (!line.is_empty()).then_some((start, line))
}

/// A line without the marks of emphasis and headings around it.
fn plain(line: &str) -> &str {
    line.trim().trim_matches(|c: char| matches!(c, '*' | '_' | '#' | '`') || c.is_whitespace())
}

/// The value of a key of a structured reply: the whole reply is one JSON object.
fn structured(text: &str, key: &str) -> Option<Value> {
    let text = text.trim();
    if !(text.starts_with('{') && text.ends_with('}')) {
        return None;
    }
    serde_json::from_str::<Value>(text).ok()?.get_mut(key).map(Value::take)
}

/// The schema of a structured reply: an object with the reasoning first.
fn object(key: &str, value: &Value) -> Value {
    serde_json::json!({
        "type": "object",
        "properties": {"reasoning": {"type": "string"}, key: value},
        "required": ["reasoning", key],
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use super::{
        Answers, Contract, Format, Free, Grades, Items, Label, Quotes, Read, Score, Scores,
    };

    #[test]
    fn every_instruction_is_recognised() {
        let check = |format: &dyn Format, contract: Contract| {
            let line = format.instruction();
            assert!(!line.contains('\n'), "{line}");
            let prompt = format!("Reply format: free text\nJudge this.\n{line}\n");
            assert_eq!(Contract::recognise(&prompt), Some(contract), "{line}");
        };
        for direct in [false, true] {
            let label = Label { direct, ..Label::new(["A", "B", "tie"]) };
            check(&label, Contract::Label(label.clone()));
            let score = Score { direct, ..Score::whole(-2, 10) };
            check(&score, Contract::Score(score));
            let scores = Scores { count: 4, score: Score { whole: false, direct, ..score } };
            check(&scores, Contract::Scores(scores));
        }
        let answers = Answers::new(3, ["YES", "NO", "UNSURE"]);
        check(&answers, Contract::Answers(answers.clone()));
        let grades = Grades::whole(3, 0, 10);
        check(&grades, Contract::Grades(grades));
        check(&Items { most: 8 }, Contract::Items(Items { most: 8 }));
        check(&Free, Contract::Free);
        assert_eq!(Contract::recognise("Say something."), None);
    }

    #[test]
    fn free_text_must_say_something() {
        assert_eq!(Free.read(" a ", &Quotes::none()), Ok("a".into()));
        assert!(Free.read(" \u{200b}\n", &Quotes::none()).is_err());
    }
}
