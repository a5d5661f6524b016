//! Chats and completions.

use serde_json::{Value, json};

use super::reply::{Content, Reply};
use super::request::Body;
use crate::serve_model::dice::Dice;
use crate::serve_model::draft::{Choice, Draft, Finish, Token, plain};
use crate::serve_model::models::{Mind, Prompt, Ready, Turn};
use crate::serve_model::script::Script;
use crate::serve_model::tokens;

/// When everything was created: replies do not depend on the time.
const CREATED: u64 = 1_700_000_000;
/// Tokens that a message costs besides its text.
const PER_MESSAGE: usize = 4;

/// One sample of a reply.
struct Sample {
    draft: Draft,
    tokens: Vec<Token>,
    count: usize,
}

/// What the samples of one prompt have in common.
struct Asked<'a> {
    name: &'a str,
    model: &'a Ready,
    turns: Vec<Turn>,
    dice: Dice,
}

impl Script {
    fn asked<'a>(&'a self, body: &Body, turns: Vec<Turn>) -> Result<Asked<'a>, Reply> {
        let name = body
            .model
            .as_deref()
            .ok_or_else(|| Reply::bad_param("model", "the call names no `model`"))?;
        let (name, model) = self.models.get_key_value(name).ok_or_else(|| Reply::no_model(name))?;
        let start = self.dice.on("reply").on(name);
        let dice = turns.iter().fold(start, |dice, turn| dice.on(&turn.role).on(&turn.text));
        Ok(Asked { name, model, turns, dice })
    }

    fn sample(
        &self,
        body: &Body,
        asked: &Asked<'_>,
        index: u32,
        alternatives: Option<usize>,
    ) -> Result<Sample, Reply> {
        let (schema, json) = body.format();
        let cold = body.temperature == Some(0.0);
        let sample = if cold {
            0
        } else {
            body.seed.unwrap_or(0).cast_unsigned().wrapping_add(index.into())
        };
        let dice = asked.dice.at(sample);
        let prompt = Prompt { turns: &asked.turns, schema, json, dice, sample, cold };
        let written = asked.model.write(&prompt, &self.world, self.shared());
        let mut draft = written.map_err(|message| Reply::error(400, &message))?;
        draft.stop_at(body.stops());
        draft.limit(body.limit());
        let tokens = alternatives.map_or(Vec::new(), |top| draft.tokens(top, dice.on("tokens")));
        let count = if tokens.is_empty() { tokens::count(&draft.text) } else { tokens.len() };
        Ok(Sample { draft, tokens, count })
    }

    pub(super) fn chat(&self, body: &Body) -> Reply {
        self.try_chat(body).unwrap_or_else(|error| error)
    }

    fn try_chat(&self, body: &Body) -> Result<Reply, Reply> {
        let turns = body.turns();
        if turns.is_empty() {
            return Err(Reply::bad_param("messages", "`messages` must hold at least one message"));
        }
        let asked = self.asked(body, turns)?;
        let alternatives = body.chat_alternatives();
        let samples = (0..body.n.unwrap_or(1)).map(|i| self.sample(body, &asked, i, alternatives));
        let samples = samples.collect::<Result<Vec<_>, _>>()?;
        let prompt = asked.turns.iter().map(|turn| tokens::count(&turn.text) + PER_MESSAGE).sum();
        let usage = (prompt, samples.iter().map(|s| s.count).sum());
        let id = format!(
            "chatcmpl-{:016x}",
            asked.dice.at(body.seed.unwrap_or(0).cast_unsigned()).key()
        );
        if body.stream == Some(true) {
            return Ok(stream(body, asked.name, &id, &samples, usage));
        }
        let choices: Vec<Value> = samples.iter().enumerate().map(|(i, sample)| {
            json!({
                "index": i,
                "message": {"role": "assistant", "content": sample.draft.text},
                "logprobs": alternatives.map(|_| json!({"content": chat_tokens(&sample.tokens)})),
                "finish_reason": sample.draft.finish.name(),
            })
        }).collect();
        let mut reply = json!({
            "id": id, "object": "chat.completion", "created": CREATED, "model": asked.name,
            "choices": choices, "usage": usage_json(usage),
        });
        if let Some(top) = body.prompt_logprobs {
            reply["prompt_logprobs"] = self.prompt_logprobs(&asked, top.min(20) as usize);
        }
        Ok(Reply::json(reply, usage))
    }

    pub(super) fn completions(&self, body: &Body) -> Reply {
        self.try_completions(body).unwrap_or_else(|error| error)
    }

    fn try_completions(&self, body: &Body) -> Result<Reply, Reply> {
        let prompts = body
            .prompt
            .as_ref()
            .ok_or_else(|| Reply::bad_param("prompt", "`prompt` is missing"))?;
        let alternatives = body.completion_alternatives();
        let (mut choices, mut usage, mut name, mut key) = (Vec::new(), (0, 0), "", 0);
        for prompt in prompts.all() {
            let turns = vec![Turn { role: "user".into(), text: prompt.clone() }];
            let asked = self.asked(body, turns)?;
            (name, key) = (asked.name, asked.dice.key());
            usage.0 += tokens::count(prompt);
            let echo = body.echo == Some(true);
            let scored = alternatives.filter(|_| echo).map(|top| self.score(&asked, prompt, top));
            for index in 0..body.n.unwrap_or(1) {
                let sample = if body.limit() == 0 {
                    Sample {
                        draft: Draft { finish: Finish::Length, ..Draft::default() },
                        tokens: Vec::new(),
                        count: 0,
                    }
                } else {
                    self.sample(body, &asked, index, alternatives)?
                };
                usage.1 += sample.count;
                let text =
                    if echo { format!("{prompt}{}", sample.draft.text) } else { sample.draft.text };
                let logprobs = alternatives.map(|_| {
                    completion_tokens(scored.as_deref().unwrap_or_default(), &sample.tokens)
                });
                choices.push(json!({
                    "index": choices.len(), "text": text, "logprobs": logprobs,
                    "finish_reason": sample.draft.finish.name(),
                }));
            }
        }
        let reply = json!({
            "id": format!("cmpl-{key:016x}"), "object": "text_completion", "created": CREATED, "model": name,
            "choices": choices, "usage": usage_json(usage),
        });
        Ok(Reply::json(reply, usage))
    }

    /// The probabilities of the tokens of a given text. The words after a judge's prompt have those of its verdict; other
    /// words are the more probable the better the text is.
    fn score(&self, asked: &Asked<'_>, text: &str, top: usize) -> Vec<Token> {
        let quality = self.world.see_inside(text).quality;
        let certainty = 0.3 + 0.6 * guerdon_stats::dist::normal_cdf(quality);
        let verdict = self.verdict_in(asked, text);
        let dice = asked.dice.on("given");
        match verdict {
            Some(choice) => {
                let draft = Draft {
                    text: text.to_owned(),
                    choices: vec![choice],
                    certainty,
                    ..Draft::default()
                };
                draft.tokens(top, dice)
            }
            None => tokens::split(text)
                .iter()
                .enumerate()
                .map(|(i, t)| plain(t, certainty, top, dice.at(i as u64)))
                .collect(),
        }
    }

    /// The probabilities of the tokens of all messages, in vLLM's form: of each position the prompt's own token first.
    fn prompt_logprobs(&self, asked: &Asked<'_>, top: usize) -> Value {
        let texts: Vec<&str> = asked.turns.iter().map(|turn| turn.text.as_str()).collect();
        let tokens = self.score(asked, &texts.join("\n\n"), top);
        let position = |token: &Token| {
            let own = (token.text.clone(), token.logprob);
            let others = token.top.iter().filter(|(text, _)| *text != token.text).cloned();
            let all = std::iter::once(own).chain(others).enumerate();
            let entries = all.map(|(i, (text, logprob))| {
                // The ids of a vocabulary that is never written down.
                let id = guerdon_core::seed::fnv1a(&text) % 1_000_000;
                (id.to_string(), json!({"logprob": logprob, "rank": i + 1, "decoded_token": text}))
            });
            Value::Object(entries.collect())
        };
        let first = std::iter::once(Value::Null);
        first.chain(tokens.iter().skip(1).map(position)).collect()
    }

    /// The verdict that stands behind a judge's prompt in a text.
    fn verdict_in(&self, asked: &Asked<'_>, text: &str) -> Option<Choice> {
        let Mind::Judge(judge) = &asked.model.mind else { return None };
        let line = text.rfind(guerdon_judge::contract::PREFIX)?;
        let end = line + text[line..].find('\n')?;
        let turns = [Turn { role: "user".into(), text: text[..end].to_owned() }];
        let dice = asked.dice;
        let prompt =
            Prompt { turns: &turns, schema: None, json: false, dice, sample: 0, cold: true };
        let draft = judge.write(&prompt, &self.world, self.shared(), asked.model.dice);
        let mut choice = draft.choices.into_iter().next_back()?;
        let found = choice.options.iter().enumerate().filter_map(|(i, (option, _))| {
            let at = text[end..].rfind(option.as_str())?;
            Some((end + at, option.len(), i))
        });
        let (at, _, chosen) = found.max()?;
        choice.at = at;
        choice.chosen = chosen;
        Some(choice)
    }

    pub(super) fn list(&self) -> Reply {
        let models: Vec<Value> = self
            .models
            .keys()
            .map(|name| json!({"id": name, "object": "model", "created": CREATED, "owned_by": "guerdon-lab"}))
            .collect();
        Reply::json(json!({"object": "list", "data": models}), (0, 0))
    }
}

pub(super) fn usage_json((prompt, completion): (usize, usize)) -> Value {
    json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion})
}

fn chat_tokens(tokens: &[Token]) -> Vec<Value> {
    let entry = |token: &str, logprob: f64| json!({"token": token, "logprob": logprob, "bytes": token.as_bytes()});
    let full = |token: &Token| {
        let mut value = entry(&token.text, token.logprob);
        value["top_logprobs"] = token.top.iter().map(|(t, p)| entry(t, *p)).collect();
        value
    };
    tokens.iter().map(full).collect()
}

/// The four parallel lists of the older interface. The first token of a text has no probability.
fn completion_tokens(given: &[Token], written: &[Token]) -> Value {
    let all = || given.iter().chain(written);
    let first = |i: usize| i == 0 && !given.is_empty();
    let mut at = 0;
    let offsets: Vec<usize> = all()
        .map(|token| {
            at += token.text.chars().count();
            at - token.text.chars().count()
        })
        .collect();
    let logprobs: Vec<Option<f64>> =
        all().enumerate().map(|(i, token)| (!first(i)).then_some(token.logprob)).collect();
    let top: Vec<Option<Value>> = all()
        .enumerate()
        .map(|(i, token)| {
            (!first(i))
                .then(|| token.top.iter().map(|(t, p)| (t.clone(), Value::from(*p))).collect())
        })
        .collect();
    json!({
        "tokens": all().map(|token| token.text.as_str()).collect::<Vec<_>>(),
        "token_logprobs": logprobs,
        "top_logprobs": top,
        "text_offset": offsets,
    })
}

/// A chat as server-sent events: the role, one event per token, the reason for the end, the usage where it is wanted.
fn stream(body: &Body, model: &str, id: &str, samples: &[Sample], usage: (usize, usize)) -> Reply {
    let chunk = |choices: Value| json!({"id": id, "object": "chat.completion.chunk", "created": CREATED, "model": model, "choices": choices});
    let event = |value: &Value| format!("data: {value}\n\n");
    let one = |index: usize, delta: Value, logprobs: Value, finish: Value| {
        let choice =
            json!({"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish});
        event(&chunk(json!([choice])))
    };
    let mut events = Vec::new();
    for (i, sample) in samples.iter().enumerate() {
        events.push(one(i, json!({"role": "assistant", "content": ""}), Value::Null, Value::Null));
        for (k, text) in tokens::split(&sample.draft.text).into_iter().enumerate() {
            let token = sample.tokens.get(k).map(std::slice::from_ref);
            let logprobs =
                token.map_or(Value::Null, |token| json!({"content": chat_tokens(token)}));
            events.push(one(i, json!({"content": text}), logprobs, Value::Null));
        }
        events.push(one(i, json!({}), Value::Null, sample.draft.finish.name().into()));
    }
    if body.stream_options.as_ref().is_some_and(|options| options.include_usage) {
        let mut last = chunk(json!([]));
        last["usage"] = usage_json(usage);
        events.push(event(&last));
    }
    events.push("data: [DONE]\n\n".into());
    Reply { status: 200, content: Content::Events(events), usage }
}
