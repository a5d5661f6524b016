//! Scripts: which models a server has, and how they behave.

use std::fs;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::bounded::Share;
use super::dice::Dice;
use super::models::{Mind, Model, Question, Ready, Solver, compile};
use super::server::{Fault, Latency, Limit};
use super::world::{TextEntry, World};

/// A script as it is written: YAML or JSON.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Source {
    /// Seed of everything that is drawn. Default: 0.
    pub seed: u64,
    /// Gives calls without a `seed` that come again, word for word, another sample each time, as a real endpoint does. Which
    /// of them gets which then depends on the order of arrival. Default: false; the same call has the same reply.
    pub fresh: bool,
    /// The key that calls must carry (`Authorization: Bearer KEY`); others get 401. Default: every call is welcome.
    pub key: Option<String>,
    /// The models by name, at least one.
    pub models: IndexMap<String, Model>,
    /// What is known of texts. What stands here goes before a marker in the text (`⟦q=0.83 style=1.2 by=orion⟧`); a text
    /// with neither has a quality drawn from N(0, 1).
    pub texts: Vec<TextEntry>,
    /// A JSONL file with one entry of `texts` per line, beside the script.
    pub texts_file: Option<PathBuf>,
    /// Tools by name, called by `POST /tool/NAME`.
    pub tools: IndexMap<String, Tool>,
    /// Faults of all calls.
    pub faults: Vec<Fault>,
    /// How long calls take. Default: no time.
    pub latency: Option<Latency>,
    /// How often all models together may be called. Default: without limit.
    pub limit: Option<Limit>,
}

/// A tool: a function of text by rules.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tool {
    /// Outputs by the regular expression that the input matches anywhere, tried in order; `$1` and `${name}` stand for what
    /// it captured.
    pub rules: IndexMap<String, String>,
    /// The output where no rule matches. Default: an error 400.
    pub otherwise: Option<String>,
    /// Share of the inputs for which the tool fails with an error 500, always the same ones. Default: 0.
    pub fails: Share,
}

/// What is wrong with a script.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// A file cannot be read.
    #[error("cannot read {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no YAML, or has unknown keys or values out of range; the message says where.
    #[error("{name}: {message}")]
    Syntax {
        /// The file.
        name: String,
        /// What is wrong, with line and column.
        message: String,
    },
    /// What it says does not go together.
    #[error("`{path}`: {message}")]
    Invalid {
        /// Where, as keys.
        path: String,
        /// What is wrong, with the remedy.
        message: String,
    },
}

impl ScriptError {
    fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { path: path.into(), message: message.into() }
    }
}

/// A script that is ready to answer.
#[derive(Debug)]
pub struct Script {
    pub(super) source: Source,
    pub(super) dice: Dice,
    pub(super) world: World,
    pub(super) models: IndexMap<String, Ready>,
    pub(super) tools: IndexMap<String, ReadyTool>,
    /// The faults of all calls, each with its number.
    pub(super) faults: Vec<(usize, Fault)>,
}

/// A tool whose patterns are compiled.
#[derive(Debug)]
pub(super) struct ReadyTool {
    rules: Vec<(regex::Regex, String)>,
    otherwise: Option<String>,
    fails: f64,
    dice: Dice,
}

impl Script {
    /// Reads a script file; files that it names lie beside it.
    pub fn read(path: &Path) -> Result<Self, ScriptError> {
        let text = text(path)?;
        let source = yaml(&text, &path.display().to_string())?;
        Self::new(source, path.parent())
    }

    /// Reads a script from text. It may name files, from the current folder.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        Self::new(yaml(text, "script")?, None)
    }

    /// A script from its source; files that it names lie in `folder`.
    pub fn new(source: Source, folder: Option<&Path>) -> Result<Self, ScriptError> {
        if source.models.is_empty() {
            return Err(ScriptError::invalid("models", "a script needs at least one model"));
        }
        let dice = Dice::new(source.seed);
        let mut entries = source.texts.clone();
        let given = entries.len();
        if let Some(file) = &source.texts_file {
            entries.extend(lines::<TextEntry>(&beside(folder, file))?);
        }
        let world = World::new(source.seed, entries).map_err(|(i, message)| {
            let place = if i < given {
                format!("texts.{i}")
            } else {
                format!("texts_file, line {}", i - given + 1)
            };
            ScriptError::invalid(place, message)
        })?;
        let mut count = 0;
        let faults = numbered("faults", &source.faults, &mut count)?;
        let mut models = IndexMap::new();
        for (name, model) in &source.models {
            let path = format!("models.{name}");
            let mut ready = ready(&source, &path, name, model, folder)?;
            ready.faults = numbered(&format!("{path}.faults"), &model.faults, &mut count)?;
            ready.faults.extend(faults.iter().cloned());
            models.insert(name.clone(), ready);
        }
        let tools =
            source.tools.iter().map(|(name, tool)| Ok((name.clone(), tool.ready(name, dice)?)));
        let tools = tools.collect::<Result<_, ScriptError>>()?;
        Ok(Self { source, dice, world, models, tools, faults })
    }

    /// The script as it was written.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The names of the models.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        self.models.keys().map(String::as_str)
    }

    /// The JSON schema of scripts, for editors.
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Source).to_value()
    }

    /// The streams that all models of the script share.
    pub(super) fn shared(&self) -> Dice {
        self.dice.on("shared")
    }
}

/// Checks faults and gives each a number of its own.
fn numbered(
    path: &str,
    faults: &[Fault],
    count: &mut usize,
) -> Result<Vec<(usize, Fault)>, ScriptError> {
    let check = |(i, fault): (usize, &Fault)| {
        fault.check().map_err(|message| ScriptError::invalid(format!("{path}.{i}"), message))?;
        *count += 1;
        Ok((*count, fault.clone()))
    };
    faults.iter().enumerate().map(check).collect()
}

fn ready(
    source: &Source,
    path: &str,
    name: &str,
    model: &Model,
    folder: Option<&Path>,
) -> Result<Ready, ScriptError> {
    let dice = Dice::new(source.seed).on("model").on(name);
    let mut minds = minds(path, model, dice, folder)?;
    let (Some(mind), None) = (minds.pop(), minds.pop()) else {
        let kinds = "`solver`, `judge`, `reward`, `scripted`, `prose` and `embedder`";
        return Err(ScriptError::invalid(path, format!("a model is exactly one of {kinds}")));
    };
    Ok(Ready {
        mind,
        dice,
        faults: Vec::new(),
        latency: model.latency.or(source.latency).unwrap_or_default(),
        limit: model.limit,
    })
}

/// The kinds that a model names.
fn minds(
    path: &str,
    model: &Model,
    dice: Dice,
    folder: Option<&Path>,
) -> Result<Vec<Mind>, ScriptError> {
    let at = |kind: &str, (place, message): (String, String)| {
        ScriptError::invalid(format!("{path}.{kind}.{place}"), message)
    };
    let mut minds = Vec::new();
    if let Some(solver) = &model.solver {
        let ready = solver.ready(questions(solver, folder)?, dice);
        minds.push(Mind::Solver(ready.map_err(|error| at("solver", error))?));
    }
    if let Some(judge) = &model.judge {
        judge.check().map_err(|error| at("judge", error))?;
        minds.push(Mind::Judge(judge.clone()));
    }
    if let Some(scripted) = &model.scripted {
        minds.push(Mind::Scripted(scripted.ready().map_err(|error| at("scripted", error))?));
    }
    if let Some(embedder) = model.embedder {
        embedder.check().map_err(|error| at("embedder", error))?;
        minds.push(Mind::Embedder(embedder));
    }
    minds.extend(model.reward.clone().map(Mind::Reward));
    minds.extend(model.prose.map(Mind::Prose));
    Ok(minds)
}

fn questions(solver: &Solver, folder: Option<&Path>) -> Result<Vec<Question>, ScriptError> {
    let mut questions = solver.questions.clone();
    if let Some(file) = &solver.questions_file {
        questions.extend(lines::<Question>(&beside(folder, file))?);
    }
    Ok(questions)
}

impl Tool {
    fn ready(&self, name: &str, dice: Dice) -> Result<ReadyTool, ScriptError> {
        let rule = |(pattern, output): (&String, &String)| {
            let compiled = compile(pattern)
                .map_err(|message| ScriptError::invalid(format!("tools.{name}.rules"), message))?;
            Ok((compiled, output.clone()))
        };
        let rules = self.rules.iter().map(rule).collect::<Result<_, ScriptError>>()?;
        let dice = dice.on("tool").on(name);
        Ok(ReadyTool { rules, otherwise: self.otherwise.clone(), fails: self.fails.get(), dice })
    }
}

impl ReadyTool {
    /// The output, or status and message of an error.
    pub(super) fn run(&self, input: &str) -> Result<String, (u16, String)> {
        if self.dice.on(input).chance(self.fails) {
            return Err((500, "the tool failed on this input".into()));
        }
        for (pattern, output) in &self.rules {
            if let Some(found) = pattern.captures(input) {
                let mut text = String::new();
                found.expand(output, &mut text);
                return Ok(text);
            }
        }
        self.otherwise.clone().ok_or_else(|| (400, "no rule of this tool matches the input".into()))
    }
}

fn beside(folder: Option<&Path>, file: &Path) -> PathBuf {
    folder.map_or_else(|| file.to_owned(), |folder| folder.join(file))
}

fn text(path: &Path) -> Result<String, ScriptError> {
    fs::read_to_string(path).map_err(|source| ScriptError::File { path: path.to_owned(), source })
}

fn yaml(text: &str, name: &str) -> Result<Source, ScriptError> {
    serde_saphyr::from_str(text)
        .map_err(|error| ScriptError::Syntax { name: name.to_owned(), message: error.to_string() })
}

/// One value per line.
fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, ScriptError> {
    let text = text(path)?;
    let filled = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = |(i, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| ScriptError::Syntax {
            name: path.display().to_string(),
            message: format!("line {}: {error}", i + 1),
        })
    };
    filled.map(read).collect()
}
