//! A model writes the criteria.

use guerdon_core::method::{Case, Request};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Criteria, Criterion};
use crate::contract::{Items, Quotes, Read as _};
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::question;
use crate::script::{Pause, Script, sample};
use crate::show::{self, Show};

const BUILT_IN: BuiltIn = BuiltIn {
    system: include_str!("../../prompts/criteria.system.j2"),
    user: include_str!("../../prompts/criteria.user.j2"),
};

/// How criteria are written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Maker {
    /// The most criteria. Range: 1 to 32. Default: 8.
    pub count: u32,
    /// Principles in words (a constitution, a meta-rubric for this type of question) that the criteria must follow.
    /// Default: none.
    pub meta: String,
    /// The column of the row that holds further principles (a meta-rubric for its type of question), where the row has it;
    /// empty for none. Default: empty.
    pub meta_column: String,
    /// What the criteria are marked with. Default: nothing.
    pub tags: Tags,
    /// The highest grade that responses get on each. Range: 1 to 1000. Default: none, the answers are yes and no.
    pub max: Option<u32>,
    /// The model that writes them, by its name in the spec. Default: the judge itself.
    pub model: Option<String>,
    /// Templates in place of the built-in ones.
    pub prompt: Prompt,
}

/// Marks of criteria.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tags {
    /// None.
    #[default]
    None,
    /// Explicit rules and implicit principles.
    Kinds,
    /// Core, important, highlight; and critical flaws.
    Tiers,
}

/// What the model that writes the criteria is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The question alone: no response can influence them.
    #[default]
    Prompt,
    /// The question and the responses.
    Candidates,
    /// The question, the preferred response and a rejected one.
    Pair,
}

impl Default for Maker {
    fn default() -> Self {
        Self {
            count: 8,
            meta: String::new(),
            meta_column: String::new(),
            tags: Tags::None,
            max: None,
            model: None,
            prompt: Prompt::default(),
        }
    }
}

impl Maker {
    /// Checks the ranges; `field` is the name of the parameter that holds it.
    pub fn validate(&self, field: &str) -> Result<(), ParamError> {
        let own = || {
            ParamError::in_range("count", self.count.into(), 1.0, 32.0)?;
            let max = self.max.unwrap_or(1);
            ParamError::in_range("max", max.into(), 1.0, 1000.0)?;
            self.prompt.validate("prompt")
        };
        own().map_err(|mut error: ParamError| {
            error.path.insert(0, field.to_owned());
            error
        })
    }

    /// Asks for criteria. `preferred` is the place of the preferred response where the source is a pair; `draw` counts the
    /// samples of the same request.
    pub fn make(
        &self,
        case: &Case,
        source: Source,
        preferred: Option<usize>,
        draw: usize,
        script: &mut Script<'_>,
    ) -> Result<Criteria, Pause> {
        let request = sample(&self.request(case, source, preferred, script)?, draw);
        let format = self.format();
        let texts = script.read(&request, |reply| format.read(&reply.text, &Quotes::none()))?;
        let own = |text: &String| Criterion { max: self.max, ..Criterion::tagged(text) };
        let mut criteria = Criteria(texts.iter().map(own).collect());
        criteria
            .validate("criteria")
            .map_err(|error| Unscored::unreadable(format!("the criteria made: {error}")))?;
        criteria.rules_first();
        Ok(criteria)
    }

    /// The principles of the spec and of the row.
    fn principles(&self, case: &Case) -> String {
        let own = Some(self.meta.clone()).filter(|meta| !meta.trim().is_empty());
        own.into_iter().chain(case.text(&self.meta_column)).collect::<Vec<_>>().join("\n")
    }

    fn format(&self) -> Items {
        Items { most: self.count as usize }
    }

    fn request(
        &self,
        case: &Case,
        source: Source,
        preferred: Option<usize>,
        script: &Script<'_>,
    ) -> Result<Request, Unscored> {
        let meta = self.principles(case);
        let fences = show::fences(case, &[&meta], script.seed());
        let mut fill = Fill::new(&fences)
            .text("question", &question(case))
            .maybe("reference", case.reference.as_deref())
            .maybe("meta", Some(meta.as_str()).filter(|meta| !meta.is_empty()))
            .value("tags", self.tags)
            .value("graded", self.max.is_some())
            .value("labelled", source == Source::Pair);
        match source {
            Source::Prompt => fill = fill.value("responses", Vec::<String>::new()),
            Source::Candidates => {
                let show = Show::seeded(script, case.responses.len(), "criteria");
                fill = show.fill(fill, &fences, &case.responses);
            }
            Source::Pair => {
                let (better, worse) = labelled(case, preferred)?;
                let fenced = |name: &str, text: &str| fences.wrap(name, text);
                fill = fill
                    .value("better", fenced("response_better", better))
                    .value("worse", fenced("response_worse", worse));
            }
        }
        let request = self.prompt.request(BUILT_IN, fill, &self.format())?;
        Ok(Request { model: self.model.clone(), ..request })
    }
}

/// The preferred response and the other.
fn labelled(case: &Case, preferred: Option<usize>) -> Result<(&str, &str), Unscored> {
    match (case.responses.as_slice(), preferred) {
        ([first, second], Some(0)) => Ok((first, second)),
        ([first, second], Some(1)) => Ok((second, first)),
        _ => Err(Unscored::missing("a labelled pair has two responses, one of them preferred")),
    }
}
