//! Fixed replies, for exact tests of protocols.

use indexmap::IndexMap;
use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Prompt;
use crate::serve_model::bounded::Share;
use crate::serve_model::draft::{Draft, Finish};

/// A model whose replies are written down.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scripted {
    /// The rules; the first that matches replies.
    pub rules: Vec<Rule>,
    /// The reply where no rule matches. Default: an error 400 that says so.
    pub otherwise: Option<String>,
}

/// A rule of a scripted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// A regular expression that the last message must match anywhere (`(?s)` is on: `.` matches line breaks). Default:
    /// everything matches.
    #[serde(default)]
    pub when: Option<String>,
    /// A regular expression that the whole conversation must match; its messages stand below each other, each under its role
    /// and a colon. Default: everything matches.
    #[serde(default)]
    pub conversation: Option<String>,
    /// The reply, or one for each sample in turn. `$1` and `${name}` stand for what `when` captured, `$$` for a dollar sign.
    pub reply: Outcome,
    /// Says that the reply was cut off by the length limit. Default: false.
    #[serde(default)]
    pub truncated: bool,
    /// The probabilities of the alternatives to a word of the reply: where the word stands last, it becomes the chosen one of
    /// them. They are scaled to a sum of 1.
    #[serde(default)]
    pub probabilities: IndexMap<String, Share>,
}

/// One reply for all samples, or one for each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Outcome {
    /// The same for every sample.
    Same(String),
    /// Sample `i` (its seed plus its index) gets the `i`-th, cyclically.
    Each(Vec<String>),
}

/// A scripted model whose patterns are compiled.
#[derive(Debug)]
pub(crate) struct Ready {
    rules: Vec<(Option<Regex>, Option<Regex>, Rule)>,
    otherwise: Option<String>,
}

/// Patterns of scripts are small.
const MAX_PATTERN: usize = 1 << 20;

pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .dot_matches_new_line(true)
        .size_limit(MAX_PATTERN)
        .build()
        .map_err(|error| format!("the regular expression `{pattern}` is not valid: {error}"))
}

impl Scripted {
    /// Compiles the patterns; the path of the first bad rule with what is wrong, otherwise.
    pub(crate) fn ready(&self) -> Result<Ready, (String, String)> {
        let mut rules = Vec::with_capacity(self.rules.len());
        for (i, rule) in self.rules.iter().enumerate() {
            let at = |field: &str| format!("rules.{i}.{field}");
            let pattern = |field: &str, text: &Option<String>| {
                text.as_deref().map(compile).transpose().map_err(|error| (at(field), error))
            };
            if matches!(&rule.reply, Outcome::Each(replies) if replies.is_empty()) {
                return Err((at("reply"), "an empty list has no reply".into()));
            }
            let when = pattern("when", &rule.when)?;
            rules.push((when, pattern("conversation", &rule.conversation)?, rule.clone()));
        }
        Ok(Ready { rules, otherwise: self.otherwise.clone() })
    }
}

impl Ready {
    /// The reply, or what to say where no rule matches.
    pub(crate) fn write(&self, prompt: &Prompt<'_>) -> Result<Draft, String> {
        let last = prompt.last();
        for (when, conversation, rule) in &self.rules {
            if conversation
                .as_ref()
                .is_some_and(|pattern| !pattern.is_match(&prompt.conversation()))
            {
                continue;
            }
            let template = rule.reply.of(prompt.sample);
            let text = match when {
                None => Some(template.replace("$$", "$")),
                Some(pattern) => pattern.captures(last).map(|found| {
                    let mut text = String::new();
                    found.expand(template, &mut text);
                    text
                }),
            };
            if let Some(text) = text {
                return Ok(rule.draft(&text));
            }
        }
        let missing = || "no rule of this scripted model matches the last message".to_owned();
        self.otherwise.clone().map(Draft::from).ok_or_else(missing)
    }
}

impl Outcome {
    fn of(&self, sample: u64) -> &str {
        match self {
            Self::Same(text) => text,
            Self::Each(texts) => {
                let n = texts.len().max(1) as u64;
                usize::try_from(sample % n)
                    .ok()
                    .and_then(|i| texts.get(i))
                    .map_or("", String::as_str)
            }
        }
    }
}

impl Rule {
    fn draft(&self, text: &str) -> Draft {
        let total: f64 = self.probabilities.values().map(|p| p.get()).sum();
        let place = self
            .probabilities
            .keys()
            .enumerate()
            .filter_map(|(i, word)| Some((text.rfind(word.as_str())?, i)));
        let mut draft = Draft::default();
        match place.max().filter(|_| total > 0.0) {
            None => drop(draft.push(text)),
            Some((at, chosen)) => {
                let scaled =
                    self.probabilities.iter().map(|(word, p)| (word.clone(), p.get() / total));
                let options: Vec<(String, f64)> = scaled.collect();
                let end = at + options[chosen].0.len();
                draft.push(&text[..at]).choose(options, chosen).push(&text[end..]);
            }
        }
        if self.truncated {
            draft.finish = Finish::Length;
        }
        draft
    }
}
