//! Language: the share of the completion that is in the wanted language, or in that of the prompt; 0 to 1.
//!
//! # Formula
//!
//! ```text
//! share = letters in the wanted language / letters
//! score = share,   or with at_least:  1 if share ≥ at_least, else 0
//! ```
//!
//! The text is cut at the ends of sentences and lines, short ones joined with the next. A letter of a script that the
//! language is not written in counts against it; for the others the sentence as a whole is identified where
//! several languages share the script. Code between backticks and mathematics between dollars are left out, as they are in no
//! language.
//!
//! # When to use it
//!
//! With a small weight, against models that reason in another language than they are asked in, or mix two. It says nothing of
//! the content: any text in the language earns it.
//!
//! # Departures
//!
//! DeepSeek-R1 states the share of words in the target language and no more; here letters are counted, which need no word
//! boundaries. 70 languages are told apart (by whatlang, and where it is not sure by whichlang's model of 16 common ones); near relatives such as Danish and Norwegian, or Croatian and
//! Serbian, are confused in short texts. A text without letters earns 0; one beyond
//! 512 KB stays unscored.
//!
//! # Example
//!
//! ```yaml
//! use: verify.language
//! language: de
//! ```
//!
//! ```
//! use guerdon_verify::verify::language::Language;
//! let text = "Das ist ein schöner Tag, und wir gehen in den Park.";
//! assert_eq!(Language::share(text, "de"), Some(1.0));
//! assert_eq!(Language::share(text, "ru"), Some(0.0));
//! ```
//!
//! # References
//!
//! DeepSeek-AI, "DeepSeek-R1: Incentivizing Reasoning Capability in LLMs via Reinforcement Learning", 2025, section 2.3.2.

use std::borrow::Cow;
use std::sync::LazyLock;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored, nearest};
use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::records;
use crate::text::language;

/// Longest text, in bytes.
const LONGEST: usize = 1 << 19;

/// Parameters of `verify.language`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Language {
    /// Code of the wanted language: `de`, `deu`, `zh`. Default none: `column`, else the prompt's language.
    pub language: Option<String>,
    /// Column with the code. Default none.
    pub column: Option<String>,
    /// Score 1 from this share on and 0 below it, above 0 and at most 1. Default none: the share itself.
    pub at_least: Option<f64>,
    /// Leave out code between backticks and mathematics between dollars. Default true.
    pub skip_code: bool,
}

impl Default for Language {
    fn default() -> Self {
        Self { language: None, column: None, at_least: None, skip_code: true }
    }
}

impl Params for Language {
    fn validate(&self) -> Result<(), ParamError> {
        if let Some(code) = &self.language {
            known(code).map_err(|why| ParamError::new("language", why))?;
            if self.column.is_some() {
                return Err(ParamError::new("column", "give `language` or `column`, not both"));
            }
        }
        if let Some(column) = &self.column {
            records::named("column", column)?;
        }
        self.at_least.map_or(Ok(()), |share| {
            ParamError::positive("at_least", share)?;
            ParamError::in_range("at_least", share, 0.0, 1.0)
        })
    }
}

/// The language of a code, or why there is none.
fn known(code: &str) -> Result<whatlang::Lang, String> {
    language::of_code(code).ok_or_else(|| {
        let hint = nearest(code, language::codes())
            .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        format!("no language that is told apart here has the code {code:?}{hint}")
    })
}

static CODE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?s)```.*?(?:```|\z)|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$|\\\[.*?\\\]|\\\(.*?\\\)")
        .ok()
});

impl Language {
    /// The share of `text` in the language of a code, 0 to 1; `None` for a code that is not known. Code is not left out.
    pub fn share(text: &str, code: &str) -> Option<f64> {
        Some(share(text, language::of_code(code)?))
    }

    fn wanted(&self, rollout: &Rollout) -> Result<whatlang::Lang, Unscored> {
        if let Some(code) = &self.language {
            return known(code).map_err(Unscored::invalid);
        }
        if let Some(column) = &self.column {
            let code = records::value(rollout, column)?.as_str().ok_or_else(|| {
                Unscored::invalid(format!("column `{column}`: expected the code of a language"))
            })?;
            return known(code)
                .map_err(|why| Unscored::invalid(format!("column `{column}`: {why}")));
        }
        let prompt = self.prose(rollout.prompt.last())?;
        language::detect(&prompt).ok_or_else(|| {
            Unscored::abstained(
                "the prompt has no letters to tell its language by: give `language`",
            )
        })
    }

    fn prose<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, Unscored> {
        if text.len() > LONGEST {
            return Err(Unscored::budget(format!("a text of more than {LONGEST} bytes")));
        }
        Ok(match CODE.as_ref().filter(|_| self.skip_code) {
            Some(code) => code.replace_all(text, "\n"),
            None => text.into(),
        })
    }
}

fn share(text: &str, lang: whatlang::Lang) -> f64 {
    let (right, all) = language::share(text, lang);
    if all == 0 { 0.0 } else { right as f64 / all as f64 }
}

impl Signal for Language {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let wanted = self.wanted(rollout)?;
        let share = share(&self.prose(rollout.text())?, wanted);
        let why = format!("{:.0} % {}", share * 100.0, wanted.eng_name());
        let score = match self.at_least {
            Some(least) => Score::binary(share >= least),
            None => Score::new(share)?,
        };
        Ok(score.because(why))
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Language: Signal,
    id: "verify.language",
    papers: [],
    status: Stable,
    laws: [WhitespaceInvariant],
    exempt: [
        CaseInvariant: "Holds on the samples only: some letters become two in capitals, which changes the share.",
        DegenerateEarnsNothing: "The language of a text says nothing of its content: an empty phrase is in a language too.",
        InjectionGainsNothing: "The language of a text says nothing of its content: an injected order is in a language too.",
    ],
    samples: [
        r#"{"prompt": "Was ist die Hauptstadt von Frankreich, und wie viele Menschen leben dort?", "completion": "Die Hauptstadt von Frankreich ist Paris, und dort leben mehr als zwei Millionen Menschen."}"#,
        r#"{"prompt": "Какая столица Франции и сколько там живёт людей?", "completion": "Столица Франции — Париж, там живёт более двух миллионов человек."}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::Language;
    use guerdon_core::Rollout;
    use guerdon_core::method::{Params as _, Signal as _};
    use serde_json::json;

    fn check(params: &Language, prompt: &str, completion: &str, expect: f64) {
        let mut rollout = Rollout::new(prompt, completion, "");
        rollout.columns.insert("lang".into(), json!("fr"));
        let value = params.score(&rollout).unwrap().value();
        assert!((value - expect).abs() < 0.01, "{completion:?}: {value}, not {expect}");
    }

    const ENGLISH: &str = "The sum of two and three is five, because that is how counting works.";

    #[test]
    fn of_the_prompt_of_a_column_or_given() {
        let language = Language::default();
        check(&language, "How much is two and three, and why is that so?", ENGLISH, 1.0);
        check(&language, "Сколько будет два плюс три?", ENGLISH, 0.0);
        check(&language, "Сколько будет два плюс три?", "", 0.0);
        check(&Language { column: Some("lang".into()), ..language.clone() }, "", ENGLISH, 0.0);
        check(&Language { language: Some("en".into()), ..language.clone() }, "", ENGLISH, 1.0);
        assert!(language.score(&Rollout::new("2 + 3?", ENGLISH, "")).is_err());
        assert!(Language { language: Some("xx".into()), ..language }.validate().is_err());
    }

    #[test]
    fn code_is_in_no_language() {
        let text = "Сумма равна пяти: $two + three$, `return five`.\n```\nprint(answer)\n```";
        let russian = Language { language: Some("ru".into()), ..Language::default() };
        check(&russian, "", text, 1.0);
        check(&Language { skip_code: false, ..russian.clone() }, "", text, 0.33);
        check(&Language { at_least: Some(0.3), skip_code: false, ..russian }, "", text, 1.0);
    }
}
