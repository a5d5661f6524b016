//! A verdict after a debate: over two responses, over one disputed step of a committed transcript, or over revealed evidence.
//!
//! # Formula
//!
//! ```text
//! text         for each round: every debater speaks, having heard all rounds before; then the judge: A, B or tie
//! transcript   commit to steps s_1..s_T (and their hash); the challenger points at one step n, or none;
//!              value = share of the judge's checks of s_n that find it right (1 if none was pointed at)
//! evidence     two arguers reveal L features in turn; the judge sees these only: outcome d ∈ {−1, 0, +1}
//! ```
//!
//! `text` and `evidence` compare two responses, `transcript` values one. `made` holds what was said: `statements`;
//! `steps`, `commitment` (a BLAKE3 hash of the steps) and `challenged` (from 0; −1 for none); `revealed` and `outcome`.
//!
//! # When to use it
//!
//! `text`: where the judge is weaker than the debaters and can check what they point at. `transcript`: where the work is
//! long and a step can be checked by itself: the judge's cost does not grow with the number of steps, and with a challenger
//! who finds the wrong step the verdict is as good as the judge is on one step; `challenge: random` shows what is lost
//! without one. `evidence`: where a decision rests on many facts and few can be looked at; the reward of an arguer for
//! decision 1 is (1 − λ)·r_env + λ·d. A debate of persuasive debaters before a weak judge can be worse than none.
//!
//! # Departures
//!
//! The judge of `evidence` is a model that is asked, in place of one fitted on preferences; arguers that know a linear
//! judge's weights (`weights`) reveal greedily, without calls. The complexity proofs of doubly-efficient debate stay cited.
//!
//! # Example
//!
//! ```yaml
//! use: judge.debate
//! kind: text
//! rounds: 2
//! debaters: [strong]
//! judge: weak
//! ```
//!
//! ```
//! use guerdon_core::method::{Case, Judge, Next, Reply};
//! use guerdon_judge::judge::debate::{Debate, Kind};
//!
//! let judge = Debate { kind: Kind::Transcript, ..Debate::default() };
//! let steps = vec!["17 * 23 = 391".to_owned(), "391 + 1 = 393".to_owned()];
//! let case = Case { responses: vec!["393".into()], steps, ..Case::default() };
//! let rounds = [vec![Reply::from("Score: 2")], vec![Reply::from("391 + 1 is 392.\n[[NO]]")]];
//! let Ok(Next::Done(told)) = judge.next(&case, &rounds, 0) else { panic!() };
//! assert_eq!((told.values, told.made["challenged"].as_i64()), (vec![0.0], Some(1)));
//! ```
//!
//! # References
//!
//! Brown-Cohen, Irving and Piliouras, "Scalable AI Safety via Doubly-Efficient Debate", 2023. "The Fellowship of the LLMs",
//! 2024. Sukovic and Radanovic, "Reward Design for Justifiable Sequential Decision-Making", 2024.

pub mod evidence;
mod text;
pub mod transcript;

use guerdon_core::method::{
    Case, Form, Judge, Judgement, Next, Params, Preference, Reply, Request,
};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::evidence::Reveal;
use crate::contract::Label;
use crate::prompt::{BuiltIn, Prompt};
use crate::script::{Pause, Script, converse};

const SYSTEM: &str = include_str!("../../../prompts/judge.system.j2");

/// What is debated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Which of two responses is better, in words.
    #[default]
    Text,
    /// One step of a committed transcript.
    Transcript,
    /// Two decisions, by facts that are revealed in turn.
    Evidence,
}

/// What a debater speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stance {
    /// Each for a response that it is given, in turn.
    #[default]
    Assigned,
    /// Each for the response that it holds to be better.
    Free,
}

/// Who points at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Challenge {
    /// A model.
    #[default]
    Model,
    /// Chance: a step by seed, as a control without debate.
    Random,
}

/// Parameters of `judge.debate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Debate {
    /// What is debated. Default: `text`.
    pub kind: Kind,
    /// `text`: how many debaters. Range: 2 to 8. Default: 2.
    pub agents: u32,
    /// `text`: how often each speaks. Range: 1 to 8. Default: 2.
    pub rounds: u32,
    /// `text`: what a debater speaks for. Default: `assigned`.
    pub stance: Stance,
    /// `text` and `evidence`: whether the judge may call a tie. Default: true.
    pub ties: bool,
    /// `transcript`: who points at a step. Default: `model`.
    pub challenge: Challenge,
    /// `transcript`: how many checks of the disputed step are asked for. Range: 1 to 64. Default: 1.
    pub checks: u32,
    /// `transcript`: how many steps before the disputed one the judge sees. Range: 0 to 20. Default: 2.
    pub window: u32,
    /// `evidence`: the column with the facts: an object from name to value. Default: `features`.
    pub features: String,
    /// `evidence`: how many facts are revealed. Range: 1 to 32. Default: 6.
    pub turns: u32,
    /// `evidence`: who reveals. Default: `debate`.
    pub reveal: Reveal,
    /// `evidence`: the column with the weights of a linear judge: an object from name to number, positive in favour of the
    /// first decision; then the arguers reveal by weight × value and are not asked. Empty, the default: they are models.
    pub weights: String,
    /// The models of the debaters, in turn; of `transcript`: who commits, who challenges. Default: the judge's entry's own.
    pub debaters: Vec<String>,
    /// The model that decides. Default: the default one.
    pub judge: Option<String>,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates of the judge's verdict in place of the built-in ones.
    pub prompt: Prompt,
    /// Templates of a debater's statement, challenge or choice.
    pub argue_prompt: Prompt,
    /// `transcript`: templates of the commitment, where the row has no steps.
    pub commit_prompt: Prompt,
}

impl Default for Debate {
    fn default() -> Self {
        Self {
            kind: Kind::Text,
            agents: 2,
            rounds: 2,
            stance: Stance::Assigned,
            ties: true,
            challenge: Challenge::Model,
            checks: 1,
            window: 2,
            features: "features".into(),
            turns: 6,
            reveal: Reveal::Debate,
            weights: String::new(),
            debaters: Vec::new(),
            judge: None,
            retries: 1,
            prompt: Prompt::default(),
            argue_prompt: Prompt::default(),
            commit_prompt: Prompt::default(),
        }
    }
}

impl Params for Debate {
    fn validate(&self) -> Result<(), ParamError> {
        let range =
            |name, value: u32, low, high| ParamError::in_range(name, value.into(), low, high);
        range("agents", self.agents, 2.0, 8.0)?;
        range("rounds", self.rounds, 1.0, 8.0)?;
        range("checks", self.checks, 1.0, 64.0)?;
        range("window", self.window, 0.0, 20.0)?;
        range("turns", self.turns, 1.0, 32.0)?;
        range("retries", self.retries, 0.0, 5.0)?;
        if self.kind == Kind::Evidence && self.features.is_empty() {
            return Err(ParamError::new("features", "`kind: evidence` needs a column of facts"));
        }
        self.prompt.validate("prompt")?;
        self.argue_prompt.validate("argue_prompt")?;
        self.commit_prompt.validate("commit_prompt")
    }
}

impl Debate {
    /// The request to debater `k`.
    fn debater(&self, k: usize, request: Request) -> Request {
        let model = self.debaters.get(k % self.debaters.len().max(1)).cloned();
        Request { model, ..request }
    }

    fn decider(&self, request: Request) -> Request {
        Request { model: self.judge.clone(), ..request }
    }

    /// The labels of a verdict on two.
    fn verdicts(&self) -> Label {
        let labels = ["A", "B"].into_iter().chain(self.ties.then_some("tie"));
        Label { labels: labels.map(str::to_owned).collect(), direct: false }
    }

    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        match self.kind {
            Kind::Text => text::talk(self, case, script),
            Kind::Transcript => transcript::talk(self, case, script),
            Kind::Evidence => evidence::talk(self, case, script),
        }
    }
}

/// The verdict of the `k`-th label, by places.
fn preference(k: usize) -> Preference {
    [Preference::FIRST, Preference::SECOND, Preference::TIE][k.min(2)]
}

const fn built_in(user: &'static str) -> BuiltIn {
    BuiltIn { system: SYSTEM, user }
}

impl Judge for Debate {
    fn form(&self) -> Form {
        if self.kind == Kind::Transcript { Form::Single } else { Form::Pair }
    }

    fn next(
        &self,
        case: &Case,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Judgement>, Unscored> {
        converse(rounds, self.retries, seed, |script| self.talk(case, script))
    }

    fn models(&self) -> Vec<String> {
        self.debaters.iter().chain(&self.judge).cloned().collect()
    }

    fn reads(&self) -> Vec<String> {
        let columns = [&self.features, &self.weights].into_iter().filter(|name| !name.is_empty());
        columns.filter(|_| self.kind == Kind::Evidence).cloned().collect()
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Debate: Judge,
    id: "judge.debate",
    papers: ["fellowship-2024", "doubly-efficient-debate-2023", "justifiable-rl-2024"],
    status: Verified(ClosedForm("accuracy p of one checked step for every T; greedy revelation is minimax by enumeration")),
    laws: [],
    exempt: [],
    samples: [r#"{
        "case": {"prompt": "What is 2 + 2?", "responses": ["It is four.", "It is five."]},
        "replies": [["It is right."], ["As I said."], ["Neither convinces me.\n[[tie]]"]],
        "values": [0.5, 0.5]
    }"#]
}

#[cfg(test)]
mod tests;
