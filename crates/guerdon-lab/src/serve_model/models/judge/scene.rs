//! What a judge understands of a prompt: the format of the reply, the candidates, the criterion, the questions.

use std::sync::LazyLock;

use guerdon_judge::contract::{Contract, Label, PREFIX, Score};
use guerdon_judge::fence;
use regex::Regex;

use super::evidence::Fact;
use crate::serve_model::models::{Prompt, Turn};
use crate::serve_model::world::{Seen, World, pattern};

/// A prompt as a judge sees it.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) contract: Contract,
    /// A rating that is asked for in double brackets.
    pub(crate) bracketed: bool,
    pub(crate) candidates: Vec<Candidate>,
    /// All instructions: what is no candidate, question or reference.
    pub(crate) criterion: String,
    /// Numbered questions.
    pub(crate) items: Vec<String>,
    /// Facts of a debate.
    pub(crate) facts: Vec<Fact>,
    /// The candidate that the model speaks for.
    pub(crate) side: Option<usize>,
    /// The messages without their named parts.
    pub(super) skeleton: String,
    /// Whether the model has said nothing yet.
    pub(super) first: bool,
}

/// A text that is judged.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    /// `a` of `response_a`; empty where there is only one.
    pub(crate) label: String,
    /// What it is called: `response_a`.
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) seen: Seen,
    /// Whether it talks to the judge.
    pub(crate) tampers: bool,
}

/// A named part of a prompt.
pub(super) struct Piece<'a> {
    pub(super) name: String,
    pub(super) text: &'a str,
}

/// Names of fences that hold what is judged.
const JUDGED: [&str; 14] = [
    "response",
    "answer",
    "candidate",
    "completion",
    "solution",
    "text",
    "output",
    "draft",
    "step",
    "summary",
    "argument",
    "breakdown",
    "assistant",
    "reply",
];
/// Names of fences that the criterion does not lie in.
const GIVEN: [&str; 14] = [
    "document",
    "critique",
    "statement",
    "feature",
    "observation",
    "review",
    "question",
    "prompt",
    "reference",
    "instruction",
    "context",
    "source",
    "task",
    "conversation",
];

static TAMPER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)\[\[[^\]\n]{1,12}\]\]|(?-u:\b)(ignore|disregard|forget)(?-u:\b).{0,40}(?-u:\b)(instruction|rule|prompt|above|previous|criteri)",
        r"|(?-u:\b)(you must|please|judge|grader)(?-u:\b).{0,60}(?-u:\b)(choose|pick|prefer|give|rate|grade|score|award|verdict)",
        r"|(?m)^\W*(final |overall )?(score|grade|rating|verdict)\W*[:=]|</?(answer|verdict|score)>"
    ))
});
static ASSISTANT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?s)(?:\[|<\|)The Start of (?:the )?Assistant ?([A-Z0-9]?)'s (?:Answer|Conversation[^\]|]*)(?:\]|\|>)\n?(.*?)\n?(?:\[|<\|)The End of",
    )
});
static TAGGED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"<((?:response|answer|candidate|output|completion)[_ -]?([a-zA-Z0-9]?))>")
});
static RATING: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\[\[(rating|score|\d{1,2})\]\]"));
static BRACKETS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\[\[([A-Za-z][A-Za-z<>= ]{0,11})\]\]"));
static NUMBERED: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^\s*\d{1,3}[.)] +(.+)$"));

impl Scene {
    /// Reads a prompt; `None` where nothing in it asks for a verdict.
    pub(crate) fn of(prompt: &Prompt<'_>, world: &World) -> Option<Self> {
        let turns = || prompt.turns.iter().filter(|turn| turn.role != "assistant");
        let asked = turns().rev().find_map(|turn| Some((turn, Contract::recognise(&turn.text)?)));
        let pieces: Vec<Piece<'_>> = latest(turns());
        let skeleton = skeleton(turns(), &pieces);
        let (contract, bracketed) = match (asked, prompt.schema) {
            (_, Some(schema)) => (Contract::Json(schema.clone()), false),
            (Some((_, contract)), None) => (contract, false),
            (None, None) => guess(&skeleton)?,
        };
        let judged = judged(&pieces);
        let given = |piece: &Piece<'_>| GIVEN.iter().any(|name| piece.name.starts_with(name));
        let told = pieces.iter().zip(&judged).filter(|(piece, judged)| !**judged && !given(piece));
        let told: Vec<&str> = told.map(|(piece, _)| piece.text).collect();
        let candidates = pieces.iter().zip(&judged).filter(|(_, judged)| **judged);
        let criterion = told.join("\n");
        let mut scene = Self {
            contract,
            bracketed,
            candidates: candidates.map(|(piece, _)| Candidate::new(piece, world)).collect(),
            items: numbered(if criterion.is_empty() { &skeleton } else { &criterion }),
            criterion: if criterion.is_empty() { skeleton.clone() } else { criterion },
            facts: Vec::new(),
            side: None,
            skeleton: String::new(),
            first: prompt.turns.iter().all(|turn| turn.role != "assistant"),
        };
        scene.complete(prompt, world);
        scene.learn(&pieces, &skeleton, world);
        scene.skeleton = skeleton;
        Some(scene)
    }

    /// A prompt without marked candidates is about its last message as a whole.
    fn complete(&mut self, prompt: &Prompt<'_>, world: &World) {
        if !self.candidates.is_empty() {
            return;
        }
        let text = prompt.last();
        let seen = world.see_inside(text);
        self.candidates.push(Candidate {
            label: String::new(),
            name: "text".into(),
            text: text.to_owned(),
            seen,
            tampers: false,
        });
    }

    /// Whether the candidates are the steps of one solution.
    pub(crate) fn steps(&self) -> bool {
        self.candidates.iter().all(|candidate| candidate.name.starts_with("step_"))
    }

    /// The candidate of a label, without regard to case.
    pub(crate) fn labelled(&self, label: &str) -> Option<usize> {
        let label = label.to_lowercase();
        let plain = label.trim_start_matches(|c: char| !c.is_alphanumeric());
        let exact = self.candidates.iter().position(|c| !c.label.is_empty() && c.label == plain);
        exact.or_else(|| {
            self.candidates
                .iter()
                .position(|c| c.name == plain || plain.replace(' ', "_") == c.name)
        })
    }
}

/// Which of the parts are judged. Where there are steps, it is the steps.
fn judged(pieces: &[Piece<'_>]) -> Vec<bool> {
    let named = |piece: &Piece<'_>| JUDGED.iter().any(|name| piece.name.starts_with(name));
    let step = |piece: &Piece<'_>| piece.name.starts_with("step_");
    let steps = pieces.iter().any(step);
    pieces.iter().map(|piece| if steps { step(piece) } else { named(piece) }).collect()
}

/// The texts of numbered lines.
fn numbered(text: &str) -> Vec<String> {
    NUMBERED.captures_iter(text).map(|found| found[1].trim().to_owned()).collect()
}

impl Candidate {
    fn new(piece: &Piece<'_>, world: &World) -> Self {
        let label = piece.name.split_once('_').map_or("", |(_, label)| label).to_owned();
        Self {
            label,
            name: piece.name.clone(),
            text: piece.text.to_owned(),
            seen: world.see(piece.text),
            tampers: TAMPER.is_match(piece.text),
        }
    }
}

/// The named parts of all messages; of parts with the same name, the last.
fn latest<'a>(turns: impl Iterator<Item = &'a Turn>) -> Vec<Piece<'a>> {
    let mut pieces: Vec<Piece<'a>> = Vec::new();
    for turn in turns {
        for piece in parts(&turn.text) {
            match pieces.iter_mut().find(|other| other.name == piece.name) {
                Some(other) => *other = piece,
                None => pieces.push(piece),
            }
        }
    }
    pieces
}

/// The named parts of a message: fences, else the marks that other prompts use.
fn parts(text: &str) -> Vec<Piece<'_>> {
    let fenced: Vec<Piece<'_>> = fence::find(text)
        .into_iter()
        .map(|f| Piece { name: f.name.to_owned(), text: f.text })
        .collect();
    if !fenced.is_empty() || text.contains(PREFIX) {
        return fenced;
    }
    let marked = ASSISTANT.captures_iter(text).map(|found| Piece {
        name: format!("response_{}", found[1].to_lowercase()),
        text: found.get(2).map_or("", |part| part.as_str()),
    });
    let marked: Vec<Piece<'_>> = marked.collect();
    if marked.is_empty() { tagged(text) } else { marked }
}

/// Texts between XML tags.
fn tagged(text: &str) -> Vec<Piece<'_>> {
    let found = TAGGED.captures_iter(text).filter_map(|found| {
        let start = found.get(0)?.end();
        let end = start + text[start..].find(&format!("</{}>", &found[1]))?;
        Some(Piece {
            name: format!("response_{}", found[2].to_lowercase()),
            text: text[start..end].trim(),
        })
    });
    found.take(64).collect()
}

/// The messages without their named parts.
fn skeleton<'a>(turns: impl Iterator<Item = &'a Turn>, pieces: &[Piece<'_>]) -> String {
    let mut out = String::new();
    for turn in turns.filter(|turn| turn.role != "system") {
        let mut text = turn.text.clone();
        for piece in pieces.iter().filter(|piece| !piece.text.is_empty()) {
            text = text.replace(piece.text, "");
        }
        out.push_str(&text);
        out.push('\n');
    }
    out
}

/// The format of prompts that are not our own: labels or a rating in double brackets.
fn guess(skeleton: &str) -> Option<(Contract, bool)> {
    if RATING.is_match(skeleton) {
        return Some((Contract::Score(Score::whole(1, 10)), true));
    }
    let mut labels: Vec<String> = Vec::new();
    for found in BRACKETS.captures_iter(skeleton).take(64) {
        if !labels.contains(&found[1].to_owned()) {
            labels.push(found[1].to_owned());
        }
    }
    (labels.len() > 1).then(|| (Contract::Label(Label { labels, direct: false }), false))
}
