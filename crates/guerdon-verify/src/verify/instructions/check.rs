//! One instruction: its id, its arguments, and whether a response follows it.

use guerdon_core::{Unscored, nearest};
use serde_json::Value;

use super::{chars, format, keywords, language, sentences, words};

/// The 25 instruction ids.
pub(super) const IDS: [&str; 25] = [
    "change_case:capital_word_frequency",
    "change_case:english_capital",
    "change_case:english_lowercase",
    "combination:repeat_prompt",
    "combination:two_responses",
    "detectable_content:number_placeholders",
    "detectable_content:postscript",
    "detectable_format:constrained_response",
    "detectable_format:json_format",
    "detectable_format:multiple_sections",
    "detectable_format:number_bullet_lists",
    "detectable_format:number_highlighted_sections",
    "detectable_format:title",
    "keywords:existence",
    "keywords:forbidden_words",
    "keywords:frequency",
    "keywords:letter_frequency",
    "language:response_language",
    "length_constraints:nth_paragraph_first_word",
    "length_constraints:number_paragraphs",
    "length_constraints:number_sentences",
    "length_constraints:number_words",
    "punctuation:no_comma",
    "startend:end_checker",
    "startend:quotation",
];

const OPTIONS: [&str; 3] = ["My answer is yes.", "My answer is no.", "My answer is maybe."];

/// An instruction with its arguments.
#[derive(Debug, Clone, Copy)]
pub(super) struct Check<'a> {
    /// The instruction's id, one of [`IDS`].
    pub(super) id: &'a str,
    args: &'a Value,
}

impl<'a> Check<'a> {
    /// The instruction, or the reason why there is none of this id.
    pub(super) fn new(id: &'a str, args: &'a Value) -> Result<Self, Unscored> {
        if IDS.contains(&id) {
            return Ok(Self { id, args });
        }
        let hint =
            nearest(id, IDS).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        Err(Unscored::invalid(format!("no instruction is called `{id}`{hint}")))
    }

    /// Whether `text` follows the instruction. A blank text follows none.
    pub(super) fn follows(&self, text: &str) -> Result<bool, Unscored> {
        if chars::strip(text).is_empty() {
            return Ok(false);
        }
        match self.id.split(':').next().unwrap_or_default() {
            "keywords" => self.keywords(text),
            "length_constraints" => self.length(text),
            "detectable_format" | "detectable_content" => self.format(text),
            "change_case" => self.case(text),
            _ => self.other(text),
        }
    }

    fn keywords(&self, text: &str) -> Result<bool, Unscored> {
        match self.id {
            "keywords:existence" => self.all("keywords", |w| keywords::occurs(text, w, false)),
            "keywords:forbidden_words" => {
                self.all("forbidden_words", |w| keywords::occurs(text, w, true).map(|found| !found))
            }
            "keywords:frequency" => {
                let count = keywords::count(text, chars::strip(self.text("keyword")?))?;
                self.compare(count, "relation", "frequency")
            }
            _ => {
                let count = keywords::count_letter(text, self.text("letter")?);
                self.compare(count, "let_relation", "let_frequency")
            }
        }
    }

    fn length(&self, text: &str) -> Result<bool, Unscored> {
        match self.id {
            "length_constraints:number_words" => {
                self.compare(chars::count_words(text), "relation", "num_words")
            }
            "length_constraints:number_sentences" => {
                self.compare(sentences::split(text).len(), "relation", "num_sentences")
            }
            "length_constraints:number_paragraphs" => {
                Ok(format::paragraphs(text) == Some(self.count("num_paragraphs")?))
            }
            _ => Ok(format::nth_paragraph(
                text,
                self.count("num_paragraphs")?,
                self.count("nth_paragraph")?,
                self.text("first_word")?,
            )),
        }
    }

    fn format(&self, text: &str) -> Result<bool, Unscored> {
        Ok(match self.id {
            "detectable_content:number_placeholders" => {
                format::placeholders(text) >= self.count("num_placeholders")?
            }
            "detectable_content:postscript" => {
                format::postscript(text, chars::strip(self.text("postscript_marker")?))
            }
            "detectable_format:constrained_response" => OPTIONS.iter().any(|o| text.contains(o)),
            "detectable_format:json_format" => format::json(text),
            "detectable_format:multiple_sections" => {
                let word = chars::strip(self.text("section_spliter")?);
                format::sections(text, word)? >= self.count("num_sections")?
            }
            "detectable_format:number_bullet_lists" => {
                format::bullets(text) == self.count("num_bullets")?
            }
            "detectable_format:number_highlighted_sections" => {
                format::highlights(text) >= self.count("num_highlights")?
            }
            _ => format::title(text),
        })
    }

    fn case(&self, text: &str) -> Result<bool, Unscored> {
        match self.id {
            "change_case:english_capital" => Ok(chars::is_upper(text) && language::is(text, "en")?),
            "change_case:english_lowercase" => {
                Ok(chars::is_lower(text) && language::is(text, "en")?)
            }
            _ => self.compare(words::capitals(text), "capital_relation", "capital_frequency"),
        }
    }

    fn other(&self, text: &str) -> Result<bool, Unscored> {
        let own = chars::strip(text);
        Ok(match self.id {
            "language:response_language" => return language::is(text, self.text("language")?),
            "combination:two_responses" => format::two_responses(text),
            "combination:repeat_prompt" => {
                let prompt = chars::strip(self.text("prompt_to_repeat")?).to_lowercase();
                own.to_lowercase().starts_with(&prompt)
            }
            "startend:end_checker" => {
                let phrase = chars::strip(self.text("end_phrase")?).to_lowercase();
                own.trim_matches('"').to_lowercase().ends_with(&phrase)
            }
            "startend:quotation" => own.len() > 1 && own.starts_with('"') && own.ends_with('"'),
            _ => !text.contains(','),
        })
    }

    fn all(
        &self,
        name: &str,
        mut test: impl FnMut(&str) -> Result<bool, Unscored>,
    ) -> Result<bool, Unscored> {
        let words = self.args.get(name).and_then(Value::as_array);
        for word in words.ok_or_else(|| self.bad(name, "a list of words"))? {
            if !test(word.as_str().ok_or_else(|| self.bad(name, "a list of words"))?)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn compare(&self, count: usize, relation: &str, bound: &str) -> Result<bool, Unscored> {
        let bound = self.count(bound)?;
        match self.text(relation)? {
            "less than" => Ok(count < bound),
            "at least" => Ok(count >= bound),
            _ => Err(self.bad(relation, "`less than` or `at least`")),
        }
    }

    fn text(&self, name: &str) -> Result<&'a str, Unscored> {
        self.args.get(name).and_then(Value::as_str).ok_or_else(|| self.bad(name, "a text"))
    }

    /// A count; data frames may turn it into a float.
    fn count(&self, name: &str) -> Result<usize, Unscored> {
        let value = self.args.get(name).and_then(Value::as_f64);
        let whole = value.filter(|v| (0.0..=1e9).contains(v) && v.fract() == 0.0);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and between 0 and 1e9"
        )]
        whole.map(|v| v as usize).ok_or_else(|| self.bad(name, "a whole number"))
    }

    fn bad(&self, name: &str, what: &str) -> Unscored {
        Unscored::invalid(format!("`{}` needs the argument `{name}`: {what}", self.id))
    }
}
