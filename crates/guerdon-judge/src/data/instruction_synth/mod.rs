//! Invents an instruction with constraints that can be met at once, and keeps responses that meet each of its criteria.
//!
//! # Formula
//!
//! ```text
//! slots (domain, kind of request, scenario) → request → constraints → no contradiction left → instruction
//! instruction → atomic criteria c_1..c_m;   a response enters if the judge says YES to all of them
//! ```
//!
//! A judge that finds a met criterion with probability t and is fooled by a violated one with f passes a good response with
//! t^m and one with a single violation with t^(m−1)·f: the odds t/f do not depend on m, the yield falls with it.
//!
//! # When to use it
//!
//! To make training data for following instructions without any seed documents. Atomic validation keeps flawed responses out
//! better than one overall verdict as long as the judge's errors on the criteria are independent. Contradictions that can be
//! counted (`at most 50 words`, `3 paragraphs of 40 words`) are found here; a model looks for others.
//!
//! # Departures
//!
//! The system's prompts are not public and its stages are read from its abstract.
//!
//! # Example
//!
//! ```yaml
//! use: data.instruction_synth
//! constraints: 3
//! responses: 4
//! ```
//!
//! ```
//! use guerdon_core::method::{Next, Protocol};
//! use guerdon_judge::data::instruction_synth::{InstructionSynth, Seed};
//!
//! let own = InstructionSynth { slots: vec!["domain".into()], ..InstructionSynth::default() };
//! let meta = vec!["1. bee-keeping".into()];
//! let Ok(Next::Ask(requests)) = own.next(&Seed::default(), &[meta], 0) else { panic!() };
//! assert!(requests[0].messages.last().unwrap().content.contains("bee-keeping"));
//! ```
//!
//! # References
//!
//! Sun et al., "DecIF: Improving Instruction-Following through Meta-Decomposition", 2025.

pub mod conflict;

use std::collections::BTreeMap;

use guerdon_core::method::{Next, Params, Protocol, Reply, Request};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::conflict::conflict;
use crate::contract::{Answers, Format, Free, Items, Label, Quotes, Read};
use crate::fence::Fences;
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::script::{Pause, Script, converse, sample};

const META: BuiltIn = written(include_str!("../../../prompts/instruction_synth.meta.user.j2"));
const REQUEST: BuiltIn =
    written(include_str!("../../../prompts/instruction_synth.request.user.j2"));
const CONSTRAINTS: BuiltIn =
    written(include_str!("../../../prompts/instruction_synth.constraints.user.j2"));
const CONFLICT: BuiltIn =
    written(include_str!("../../../prompts/instruction_synth.conflict.user.j2"));
const RESOLVE: BuiltIn =
    written(include_str!("../../../prompts/instruction_synth.resolve.user.j2"));
const CRITERIA: BuiltIn =
    written(include_str!("../../../prompts/instruction_synth.criteria.user.j2"));
const CHECK: BuiltIn = BuiltIn {
    system: include_str!("../../../prompts/judge.system.j2"),
    user: include_str!("../../../prompts/instruction_synth.check.user.j2"),
};

const fn written(user: &'static str) -> BuiltIn {
    BuiltIn { system: "{{ note }}", user }
}

/// The most atomic criteria of an instruction.
const CRITERIA_MOST: usize = 24;

/// Parameters of `data.instruction_synth`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InstructionSynth {
    /// What a request is made of, in order; 1 to 12 names. Default: domain, kind of request, scenario.
    pub slots: Vec<String>,
    /// The kinds of constraints. Default: format, length, style, content.
    pub kinds: Vec<String>,
    /// How many constraints are asked for. Range: 1 to 12. Default: 3.
    pub constraints: u32,
    /// How many responses are sampled and judged. Range: 1 to 32. Default: 1.
    pub responses: u32,
    /// The model that invents. Default: the default one.
    pub writer: Option<String>,
    /// The model that responds. Default: the default one.
    pub responder: Option<String>,
    /// The temperature of what is invented and of the responses. Range: 0 to 2. Default: 1.
    pub temperature: f64,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates of the judge in place of the built-in ones.
    pub prompt: Prompt,
    /// Templates of what the writer is asked.
    pub writing: Writing,
}

/// Templates of what the writer is asked, in place of the built-in ones.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Writing {
    /// What fills the slots.
    pub meta: Prompt,
    /// The request.
    pub request: Prompt,
    /// The constraints.
    pub constraints: Prompt,
    /// Whether they contradict each other.
    pub conflict: Prompt,
    /// Constraints without contradiction.
    pub resolve: Prompt,
    /// The atomic criteria.
    pub criteria: Prompt,
}

impl Writing {
    fn all(&self) -> [(&'static str, &Prompt); 6] {
        [
            ("meta", &self.meta),
            ("request", &self.request),
            ("constraints", &self.constraints),
            ("conflict", &self.conflict),
            ("resolve", &self.resolve),
            ("criteria", &self.criteria),
        ]
    }
}

impl Default for InstructionSynth {
    fn default() -> Self {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            slots: list(&["domain", "kind of request", "scenario"]),
            kinds: list(&["format", "length", "style", "content"]),
            constraints: 3,
            responses: 1,
            writer: None,
            responder: None,
            temperature: 1.0,
            retries: 1,
            prompt: Prompt::default(),
            writing: Writing::default(),
        }
    }
}

impl Params for InstructionSynth {
    fn validate(&self) -> Result<(), ParamError> {
        if self.slots.is_empty() || self.slots.len() > 12 {
            return Err(ParamError::new("slots", "there must be 1 to 12 slots"));
        }
        if self.kinds.is_empty() {
            return Err(ParamError::new("kinds", "`kinds` must name at least one kind"));
        }
        ParamError::in_range("constraints", self.constraints.into(), 1.0, 12.0)?;
        ParamError::in_range("responses", self.responses.into(), 1.0, 32.0)?;
        ParamError::in_range("temperature", self.temperature, 0.0, 2.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        self.prompt.validate("prompt")?;
        for (name, prompt) in self.writing.all() {
            prompt.validate(name).map_err(|mut error| {
                error.path.insert(0, "writing".to_owned());
                error
            })?;
        }
        Ok(())
    }
}

/// Where an instruction begins.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Seed {
    /// Which of many this is: instructions with other numbers differ.
    pub number: u32,
    /// Slots that are fixed, by name.
    pub given: BTreeMap<String, String>,
}

/// A response that was not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Rejected {
    /// The response.
    pub response: String,
    /// The places of the criteria that it fails, from 0.
    pub failed: Vec<usize>,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Made {
    /// What fills the slots, in their order.
    pub meta: Vec<String>,
    /// The request without its constraints.
    pub request: String,
    /// The constraints that remain.
    pub constraints: Vec<String>,
    /// Constraints that were left out since they contradict an earlier one.
    pub contradictions: Vec<String>,
    /// The request with its constraints.
    pub instruction: String,
    /// The atomic criteria.
    pub criteria: Vec<String>,
    /// The responses that meet all criteria.
    pub accepted: Vec<String>,
    /// The others.
    pub rejected: Vec<Rejected>,
}

/// The share of good responses among those that pass, and the share of the good ones that pass, for a judge of `criteria`
/// atomic criteria: true-positive rate `t`, false-positive rate `f` per criterion, `good` the share of good responses, a bad
/// one violating one criterion. With one criterion: an overall verdict.
pub fn purity_and_yield(good: f64, t: f64, f: f64, criteria: i32) -> (f64, f64) {
    let pass = t.powi(criteria);
    let (right, wrong) = (good * pass, (1.0 - good) * t.powi(criteria - 1) * f);
    (right / (right + wrong), pass)
}

/// Leaves out constraints that contradict an earlier one in a way that can be counted: those that remain, and the others.
pub fn consistent(constraints: Vec<String>) -> (Vec<String>, Vec<String>) {
    let (mut kept, mut out) = (constraints, Vec::new());
    while let Some((_, later)) = conflict(&kept) {
        out.push(kept.remove(later));
    }
    (kept, out)
}

impl InstructionSynth {
    /// Asks the writer; `fill` adds to the template's values.
    fn write<F: Read>(
        &self,
        (prompt, built_in): (&Prompt, BuiltIn),
        format: &F,
        fill: Fill<'_>,
        script: &mut Script<'_>,
    ) -> Result<F::Answer, Pause> {
        let request = prompt.request(built_in, fill, format as &dyn Format)?;
        let request =
            Request { model: self.writer.clone(), temperature: Some(self.temperature), ..request };
        let quotes = Quotes::none();
        script.read(&request, |reply| format.read(&reply.text, &quotes))
    }

    fn meta(&self, seed: &Seed, script: &mut Script<'_>) -> Result<Vec<String>, Pause> {
        let given: Vec<(String, String)> = seed
            .given
            .iter()
            .take(self.slots.len())
            .enumerate()
            .map(|(k, (slot, text))| ((k + 1).to_string(), format!("{slot}: {text}")))
            .collect();
        let texts: Vec<(String, &str)> =
            given.iter().map(|(k, t)| (k.clone(), t.as_str())).collect();
        let all: Vec<&str> = given.iter().map(|(_, text)| text.as_str()).collect();
        let fences = Fences::new(&all, script.seed());
        let fill = Fill::new(&fences)
            .texts("given", &texts)
            .value("slots", &self.slots)
            .value("number", seed.number);
        let meta = self.write(
            (&self.writing.meta, META),
            &Items { most: self.slots.len() },
            fill,
            script,
        )?;
        if meta.len() < self.slots.len() {
            let reason = format!("{} items for {} slots", meta.len(), self.slots.len());
            return Err(Unscored::unreadable(reason).into());
        }
        Ok(meta)
    }

    fn request(&self, meta: &[String], script: &mut Script<'_>) -> Result<String, Pause> {
        let told: Vec<String> =
            self.slots.iter().zip(meta).map(|(slot, text)| format!("{slot}: {text}")).collect();
        let texts: Vec<(String, &str)> =
            told.iter().enumerate().map(|(k, text)| ((k + 1).to_string(), text.as_str())).collect();
        let all: Vec<&str> = told.iter().map(String::as_str).collect();
        let fences = Fences::new(&all, script.seed());
        self.write(
            (&self.writing.request, REQUEST),
            &Free,
            Fill::new(&fences).texts("meta", &texts),
            script,
        )
    }

    /// Constraints without contradictions, and those that were left out.
    fn constraints(
        &self,
        request: &str,
        script: &mut Script<'_>,
    ) -> Result<(Vec<String>, Vec<String>), Pause> {
        let format = Items { most: self.constraints as usize };
        let fences = Fences::new(&[request], script.seed());
        let fill = Fill::new(&fences)
            .text("request", request)
            .value("count", self.constraints)
            .value("kinds", &self.kinds);
        let (kept, mut out) = consistent(self.write(
            (&self.writing.constraints, CONSTRAINTS),
            &format,
            fill,
            script,
        )?);
        let whole = instruction(request, &kept);
        let fences = Fences::new(&[&whole], script.seed());
        let labels = Label::new(["possible", "contradictory"]);
        let fill = Fill::new(&fences).text("instruction", &whole);
        if self.write((&self.writing.conflict, CONFLICT), &labels, fill, script)? == 0 {
            return Ok((kept, out));
        }
        let list = listed(&kept);
        let fences = Fences::new(&[request, &list], script.seed());
        let fill = Fill::new(&fences).text("request", request).text("constraints", &list);
        let (resolved, again) =
            consistent(self.write((&self.writing.resolve, RESOLVE), &format, fill, script)?);
        out.extend(kept.into_iter().filter(|old| !resolved.contains(old)));
        out.extend(again);
        Ok((resolved, out))
    }

    fn responses(&self, instruction: &str, script: &mut Script<'_>) -> Result<Vec<String>, Pause> {
        let request = Request {
            model: self.responder.clone(),
            temperature: Some(self.temperature),
            ..Request::user(instruction)
        };
        let quotes = Quotes::none();
        script.all(self.responses as usize, |k, script| {
            script.read(&sample(&request, k), |reply| Free.read(&reply.text, &quotes))
        })
    }

    /// The places of the criteria that a response fails.
    fn failed(
        &self,
        (instruction, criteria, response): (&str, &[String], &str),
        script: &mut Script<'_>,
    ) -> Result<Vec<usize>, Pause> {
        let format = Answers::new(criteria.len(), ["YES", "NO"]);
        let list = listed(criteria);
        let fences = Fences::new(&[instruction, response, &list], script.seed());
        let fill = Fill::new(&fences)
            .text("question", instruction)
            .text("response", response)
            .text("criteria", &list);
        let request = self.prompt.request(CHECK, fill, &format)?;
        let quotes = Quotes::of([response]);
        script.read(&request, |reply| {
            let answers = format.read(&reply.text, &quotes)?;
            let words = answers.into_iter().collect::<Result<Vec<usize>, _>>()?;
            Ok((0..words.len()).filter(|k| words[*k] != 0).collect())
        })
    }

    fn talk(&self, seed: &Seed, script: &mut Script<'_>) -> Result<Made, Pause> {
        let meta = self.meta(seed, script)?;
        let request = self.request(&meta, script)?;
        let (constraints, contradictions) = self.constraints(&request, script)?;
        let instruction = instruction(&request, &constraints);
        let fences = Fences::new(&[&instruction], script.seed());
        let fill = Fill::new(&fences).text("instruction", &instruction);
        let criteria = self.write(
            (&self.writing.criteria, CRITERIA),
            &Items { most: CRITERIA_MOST },
            fill,
            script,
        )?;
        let responses = self.responses(&instruction, script)?;
        let failed = script.all(responses.len(), |k, script| {
            self.failed((&instruction, &criteria, &responses[k]), script)
        })?;
        let (mut accepted, mut rejected) = (Vec::new(), Vec::new());
        for (response, failed) in responses.into_iter().zip(failed) {
            if failed.is_empty() {
                accepted.push(response);
            } else {
                rejected.push(Rejected { response, failed });
            }
        }
        Ok(Made {
            meta,
            request,
            constraints,
            contradictions,
            instruction,
            criteria,
            accepted,
            rejected,
        })
    }
}

/// The request, then its constraints, one per line.
fn instruction(request: &str, constraints: &[String]) -> String {
    let lines: String = constraints.iter().map(|text| format!("\n- {text}")).collect();
    if lines.is_empty() { request.to_owned() } else { format!("{request}\n{lines}") }
}

fn listed(texts: &[String]) -> String {
    let lines = texts.iter().enumerate().map(|(k, text)| format!("{}. {text}", k + 1));
    lines.collect::<Vec<_>>().join("\n")
}

impl Protocol for InstructionSynth {
    type Case = Seed;
    type Output = Made;

    fn next(&self, case: &Seed, rounds: &[Vec<Reply>], seed: u64) -> Result<Next<Made>, Unscored> {
        converse(rounds, self.retries, seed, |script| self.talk(case, script))
    }
}

guerdon_core::method! {
    InstructionSynth: Protocol,
    id: "data.instruction_synth",
    papers: ["decif-2025"],
    status: Verified(Worked("4 of 5 YES is rejected; the planted conflict; purity .877 at every m against .761")),
    laws: [],
    exempt: [],
    samples: [r#"{"number": 3, "given": {"domain": "gardening"}}"#]
}

#[cfg(test)]
mod tests;
