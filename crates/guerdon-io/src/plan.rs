//! From the columns of the data to rollouts: which column is what, decided once per file.

use std::hash::{DefaultHasher, Hash, Hasher};

use guerdon_core::{LogProbs, Message, Rollout, Step, Text, nearest};
use serde_json::{Map, Value};

use crate::error::{Place, Problem, ReadError};
use crate::mapping::{Mapping, Role, Shape};
use crate::value;

type Columns = Map<String, Value>;

const ALL: [Role; 12] = [
    Role::Prompt,
    Role::Completion,
    Role::Reference,
    Role::Group,
    Role::Id,
    Role::Steps,
    Role::Turns,
    Role::ToolCalls,
    Role::Logprobs,
    Role::RefLogprobs,
    Role::Tokens,
    Role::Confidence,
];

#[derive(Debug, Clone)]
struct Source {
    path: String,
    /// Mapped, or guessed from its name.
    explicit: bool,
}

/// Which column is what.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    sources: [Option<Source>; ALL.len()],
    /// The completion is the last message of the assistant in this column.
    conversation: Option<String>,
    /// Whether rows without a completion are refused.
    needs_completion: bool,
}

/// A rollout and what it takes to group it.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) rollout: Rollout,
    pub(crate) line: u64,
    pub(crate) row: u64,
    /// Stands for the group; `None` when the rollout is a group of its own.
    pub(crate) key: Option<u64>,
    /// Where the row stands in the text, in bytes.
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

impl Plan {
    /// Decides from the first rows. `sample` is not empty.
    pub(crate) fn new(
        mapping: &Mapping,
        needs_completion: bool,
        sample: &[&Columns],
        place: &Place,
    ) -> Result<Self, ReadError> {
        let mut sources: [Option<Source>; ALL.len()] = Default::default();
        for role in ALL {
            if let Some(path) = mapping.explicit(role) {
                present(role, path, sample, place)?;
                sources[role as usize] = Some(Source { path: path.to_owned(), explicit: true });
            }
        }
        for role in ALL {
            if sources[role as usize].is_none() {
                sources[role as usize] = guess(role, mapping.preset, sample, &sources);
            }
        }
        let mut plan = Self { sources, conversation: None, needs_completion };
        plan.find_completion(mapping, sample, place)?;
        Ok(plan)
    }

    /// Falls back on the conversation when no column holds the completion.
    fn find_completion(
        &mut self,
        mapping: &Mapping,
        sample: &[&Columns],
        place: &Place,
    ) -> Result<(), ReadError> {
        let chat = mapping.prompt.as_deref().unwrap_or("messages");
        let holds = sample.iter().any(|row| value::at(row, chat).is_some_and(Value::is_array));
        let wanted =
            mapping.preset == Some(Shape::Openai) || self.source(Role::Completion).is_none();
        if wanted && holds && mapping.completion.is_none() {
            self.sources[Role::Prompt as usize] = None;
            self.sources[Role::Completion as usize] = None;
            self.conversation = Some(chat.to_owned());
        }
        let found = self.conversation.is_some() || self.source(Role::Completion).is_some();
        if self.needs_completion && !found {
            return Err(ReadError::NoCompletion { place: place.clone(), known: names(sample) });
        }
        Ok(())
    }

    fn source(&self, role: Role) -> Option<&Source> {
        self.sources[role as usize].as_ref()
    }

    /// Whether groups are inferred from equal prompts.
    pub(crate) fn infers_groups(&self) -> bool {
        self.source(Role::Group).is_none()
    }

    /// Makes a rollout of a row.
    pub(crate) fn rollout(
        &self,
        columns: Columns,
        row: u64,
    ) -> Result<(Rollout, Option<u64>), Problem> {
        let mut rollout = Rollout { id: row.to_string(), ..Rollout::default() };
        self.texts(&columns, &mut rollout)?;
        self.details(&columns, &mut rollout)?;
        if let Some(reference) = self.source(Role::Reference) {
            rollout.reference = value::at(&columns, &reference.path).cloned().unwrap_or_default();
        }
        if let Some(id) = self.read(Role::Id, &columns, value::scalar)? {
            rollout.id = id;
        }
        let key = self.group(&columns, &mut rollout)?;
        rollout.columns = columns;
        Ok((rollout, key))
    }

    fn texts(&self, columns: &Columns, rollout: &mut Rollout) -> Result<(), Problem> {
        if let Some(path) = &self.conversation {
            return conversation(path, self.needs_completion, columns, rollout);
        }
        rollout.prompt = self.read(Role::Prompt, columns, value::text)?.unwrap_or_default();
        rollout.completion = if self.needs_completion {
            self.require(Role::Completion, columns, value::text)?
        } else {
            self.read(Role::Completion, columns, value::text)?.unwrap_or_default()
        };
        Ok(())
    }

    fn details(&self, columns: &Columns, rollout: &mut Rollout) -> Result<(), Problem> {
        rollout.steps = self.read(Role::Steps, columns, steps)?.unwrap_or_default();
        if let Some(turns) = self.read(Role::Turns, columns, value::messages)? {
            rollout.turns = turns;
        }
        rollout.tool_calls = match self.read(Role::ToolCalls, columns, value::tool_calls)? {
            Some(calls) => calls,
            None => {
                rollout.completion.messages().iter().flat_map(|m| m.tool_calls.clone()).collect()
            }
        };
        let policy = self.read(Role::Logprobs, columns, logprobs)?;
        let reference = self.read(Role::RefLogprobs, columns, logprobs)?;
        if policy.is_some() || reference.is_some() {
            let (policy, reference) = (policy.unwrap_or_default(), reference.unwrap_or_default());
            rollout.logprobs = Some(LogProbs { policy, reference });
        }
        rollout.tokens = self.read(Role::Tokens, columns, tokens)?;
        rollout.confidence = self.read(Role::Confidence, columns, confidence)?;
        Ok(())
    }

    /// Names the group and returns what stands for it.
    fn group(&self, columns: &Columns, rollout: &mut Rollout) -> Result<Option<u64>, Problem> {
        if self.source(Role::Group).is_some() {
            rollout.group = self.require(Role::Group, columns, value::scalar)?;
            return Ok(Some(hash(|h| rollout.group.hash(h))));
        }
        Ok(prompt_key(&rollout.prompt))
    }

    /// The value of an optional column; absent and null are none. A guessed column of another type is none as well, unless
    /// it is the prompt or names the rollout.
    fn read<T>(
        &self,
        role: Role,
        columns: &Columns,
        convert: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(source) = self.source(role) else { return Ok(None) };
        let found = match value::at(columns, &source.path) {
            None | Some(Value::Null) => return Ok(None),
            Some(found) => found,
        };
        match convert(found) {
            Some(value) => Ok(Some(value)),
            None if !source.explicit && role > Role::Id => Ok(None),
            None => Err(mistyped(role, &source.path, Some(found))),
        }
    }

    fn require<T>(
        &self,
        role: Role,
        columns: &Columns,
        convert: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, Problem> {
        let path = self.source(role).map_or(role.name(), |source| source.path.as_str());
        self.read(role, columns, convert)?
            .ok_or_else(|| mistyped(role, path, value::at(columns, path)))
    }
}

fn mistyped(role: Role, path: &str, found: Option<&Value>) -> Problem {
    Problem::Column {
        role: role.name(),
        column: path.to_owned(),
        found: found.map_or_else(|| "missing".to_owned(), value::describe),
        expected: role.expects(),
        missing: found.is_none_or(Value::is_null),
    }
}

/// The names of all columns, in order of first appearance.
fn names(sample: &[&Columns]) -> Vec<String> {
    let mut names = Columns::new();
    for name in sample.iter().flat_map(|row| row.keys()) {
        if !names.contains_key(name) {
            names.insert(name.clone(), Value::Null);
        }
    }
    names.into_iter().map(|(name, _)| name).collect()
}

fn present(role: Role, path: &str, sample: &[&Columns], place: &Place) -> Result<(), ReadError> {
    if sample.iter().any(|row| value::at(row, path).is_some()) {
        return Ok(());
    }
    let known = names(sample);
    let near = nearest(path, known.iter().map(String::as_str)).map(Box::from);
    let (column, role, place, known) = (path.into(), role.name(), place.clone(), known.into());
    Err(ReadError::NoColumn { place, role, column, near, known })
}

/// The first usual name that is there, not taken, and whose first value fits (null fits everywhere).
fn guess(
    role: Role,
    preset: Option<Shape>,
    sample: &[&Columns],
    taken: &[Option<Source>],
) -> Option<Source> {
    let free = |path: &str| !taken.iter().flatten().any(|source| source.path == path);
    let usable = |path: &str| {
        let mut values = sample.iter().filter_map(|row| value::at(row, path)).peekable();
        values.peek().is_some()
            && values.find(|v| !v.is_null()).is_none_or(|first| fits(role, first))
    };
    let path = role.usual_names(preset).iter().find(|path| free(path) && usable(path))?;
    Some(Source { path: (*path).to_owned(), explicit: false })
}

fn fits(role: Role, value: &Value) -> bool {
    match role {
        Role::Prompt | Role::Completion => value::text(value).is_some(),
        Role::Reference => true,
        Role::Group | Role::Id => value::scalar(value).is_some(),
        Role::Steps => steps(value).is_some(),
        Role::Turns => value::messages(value).is_some(),
        Role::ToolCalls => value::tool_calls(value).is_some(),
        Role::Logprobs | Role::RefLogprobs => logprobs(value).is_some(),
        Role::Tokens => tokens(value).is_some(),
        Role::Confidence => confidence(value).is_some(),
    }
}

/// Splits a conversation at the last message of the assistant.
fn conversation(
    path: &str,
    needs_completion: bool,
    columns: &Columns,
    rollout: &mut Rollout,
) -> Result<(), Problem> {
    let found = value::at(columns, path);
    let bad = || mistyped(Role::Completion, path, found);
    let mut messages = match found {
        None | Some(Value::Null) if !needs_completion => return Ok(()),
        found => found.and_then(value::messages).ok_or_else(bad)?,
    };
    let is_answer = |m: &Message| m.role == "assistant";
    let Some(last) = messages.iter().rposition(is_answer) else {
        rollout.prompt = Text::Chat(messages);
        return if needs_completion { Err(unanswered(path)) } else { Ok(()) };
    };
    if messages[..last].iter().any(is_answer) {
        rollout.turns.clone_from(&messages);
    }
    messages.truncate(last + 1);
    rollout.completion = Text::Chat(messages.split_off(last));
    rollout.prompt = Text::Chat(messages);
    Ok(())
}

fn unanswered(path: &str) -> Problem {
    Problem::Column {
        role: Role::Completion.name(),
        column: path.to_owned(),
        found: "a conversation without a message of the assistant".to_owned(),
        expected: "one whose last such message is the completion",
        missing: true,
    }
}

fn steps(value: &Value) -> Option<Vec<Step>> {
    value.as_array()?.iter().map(step).collect()
}

fn step(value: &Value) -> Option<Step> {
    match value {
        Value::String(text) => Some(Step { text: text.clone(), label: None }),
        Value::Object(map) => {
            let label = match map.get("label") {
                None | Some(Value::Null) => None,
                Some(Value::Bool(right)) => Some(f64::from(u8::from(*right))),
                Some(label) => Some(label.as_f64()?),
            };
            Some(Step { text: map.get("text")?.as_str()?.to_owned(), label })
        }
        _ => None,
    }
}

fn logprobs(value: &Value) -> Option<Vec<f64>> {
    value.as_array()?.iter().map(|v| v.as_f64().filter(|lp| *lp <= 0.0)).collect()
}

fn tokens(value: &Value) -> Option<u64> {
    match value {
        Value::Array(tokens) => Some(tokens.len() as u64),
        _ => value.as_u64(),
    }
}

fn confidence(value: &Value) -> Option<f64> {
    value.as_f64().filter(|c| (0.0..=1.0).contains(c))
}

/// Stands for a prompt; none for an empty one.
fn prompt_key(prompt: &Text) -> Option<u64> {
    match prompt {
        Text::Plain(text) if text.is_empty() => None,
        Text::Plain(text) => Some(hash(|h| text.hash(h))),
        Text::Chat(messages) if messages.is_empty() => None,
        Text::Chat(messages) => Some(hash(|h| {
            for message in messages {
                (&message.role, &message.content).hash(h);
                for call in &message.tool_calls {
                    (&call.name, call.arguments.to_string()).hash(h);
                }
            }
        })),
    }
}

/// Sixty-four bits: of a million groups, two fall together with a chance of 3e-8.
fn hash(feed: impl FnOnce(&mut DefaultHasher)) -> u64 {
    let mut hasher = DefaultHasher::new();
    feed(&mut hasher);
    hasher.finish()
}
