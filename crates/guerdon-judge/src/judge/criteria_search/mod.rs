//! Searches criteria on labelled pairs: a manager proposes, workers judge, and accuracy decides what is kept, revised or replaced.
//!
//! # Formula
//!
//! ```text
//! accuracy of a criterion = right / (pairs − unsure), 0 where all are unsure; an unreadable verdict counts as wrong
//! accuracy ≥ upper   kept            lower < accuracy < upper   revised on its wrong pairs
//! accuracy ≤ lower   replaced        after `rounds` rounds what lies between is kept as it is
//! verdict on a pair: the sign of (votes for the first − votes for the second), none at 0
//! ```
//!
//! # When to use it
//!
//! When some thirty labelled pairs exist and nobody can say by which criteria they were labelled. The accuracies are measured on
//! the pairs that chose the criteria and so are too high: measure the result on fresh pairs.
//!
//! # Departures
//!
//! The knowledge base is a list of texts in the case that the manager is shown. Where every verdict of a round is unreadable, the
//! worker has failed, not the criteria: the case is unscored. Every pair is shown in an order drawn by seed.
//!
//! # Example
//!
//! ```yaml
//! use: judge.criteria_search
//! criteria: 10
//! lower: 0.6
//! upper: 0.8
//! rounds: 5
//! ```
//!
//! ```
//! use guerdon_judge::judge::criteria_search::{Side, accuracy, vote};
//!
//! let (a, b, unsure) = (Some(Side::First), Some(Side::Second), None);
//! assert_eq!(vote(&[a, a, b, unsure]), a);
//! assert_eq!(accuracy(6, 10, 2), 0.75);
//! ```
//!
//! # References
//!
//! CritiQ, "Mining Data Quality Criteria from Human Preferences", 2025, and its `critiq/evaluator.py`.

#[cfg(test)]
mod tests;

use guerdon_core::method::{Case, Next, Params, Protocol, Reply, Request};
use guerdon_core::{ParamError, Text, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Items, Label, Quotes, Read as _};
use crate::fence::Fences;
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::question;
use crate::script::{Pause, Script, converse};
use crate::show::{self, Show};

const PROPOSE: BuiltIn = BuiltIn {
    system: include_str!("../../../prompts/criteria.system.j2"),
    user: include_str!("../../../prompts/criteria_search.propose.user.j2"),
};
const JUDGE: BuiltIn = BuiltIn {
    system: include_str!("../../../prompts/judge.system.j2"),
    user: include_str!("../../../prompts/criteria_search.judge.user.j2"),
};
const REVISE: BuiltIn = BuiltIn {
    system: include_str!("../../../prompts/criteria.system.j2"),
    user: include_str!("../../../prompts/criteria_search.revise.user.j2"),
};
/// The most labelled pairs.
const PAIRS: usize = 200;

/// Parameters of `judge.criteria_search`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Search {
    /// How many criteria are sought. Range: 1 to 32. Default: 10.
    pub criteria: u32,
    /// The accuracy up to which a criterion is replaced. Range: 0 to 1. Default: 0.6.
    pub lower: f64,
    /// The accuracy from which on a criterion is kept. Range: `lower` to 1. Default: 0.8.
    pub upper: f64,
    /// How often criteria are judged. Range: 1 to 20. Default: 5.
    pub rounds: u32,
    /// How many pairs the manager is shown, at the beginning and when it revises. Range: 0 to 10. Default: 3.
    pub shown: u32,
    /// The model that proposes and revises, by its name in the spec. Default: the spec's default.
    pub manager: Option<String>,
    /// The model that judges pairs, by its name in the spec. Default: the spec's default.
    pub worker: Option<String>,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates in place of the built-in ones that have criteria proposed.
    pub propose_prompt: Prompt,
    /// Templates in place of the built-in ones that have a pair judged.
    pub judge_prompt: Prompt,
    /// Templates in place of the built-in ones that have a criterion revised.
    pub revise_prompt: Prompt,
}

/// A task and its labelled pairs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SearchCase {
    /// What makes a text good here, as far as one can say.
    pub task: String,
    /// Labelled pairs, 1 to 200.
    pub pairs: Vec<Labelled>,
    /// Criteria that served elsewhere, at most 100.
    pub knowledge: Vec<String>,
}

/// A pair with its label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Labelled {
    /// What was asked, where there is a question.
    #[serde(default)]
    pub prompt: Text,
    /// One text.
    pub first: String,
    /// The other.
    pub second: String,
    /// Which is better.
    pub winner: Side,
}

/// One of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The first.
    First,
    /// The second.
    Second,
}

/// Criteria that were found.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Found {
    /// The criteria, best first.
    pub criteria: Vec<Tried>,
    /// Every criterion that was judged, in order.
    pub history: Vec<Tried>,
    /// Share of the labelled pairs that the criteria together decide rightly.
    pub vote_accuracy: f64,
    /// How many of the labelled pairs they do not decide.
    pub undecided: u32,
}

/// A criterion that was judged.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Tried {
    /// Its text.
    pub text: String,
    /// The round, from 1.
    pub round: u32,
    /// Its accuracy.
    pub accuracy: f64,
    /// How many pairs it did not tell apart.
    pub unsure: u32,
    /// How many verdicts could not be read.
    pub unreadable: u32,
    /// What became of it.
    pub fate: Fate,
    /// Its vote on each labelled pair; null where it is unsure or could not be read.
    pub votes: Vec<Option<Side>>,
}

/// What became of a criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Kept.
    Kept,
    /// Revised.
    Revised,
    /// Replaced.
    Replaced,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            criteria: 10,
            lower: 0.6,
            upper: 0.8,
            rounds: 5,
            shown: 3,
            manager: None,
            worker: None,
            retries: 1,
            propose_prompt: Prompt::default(),
            judge_prompt: Prompt::default(),
            revise_prompt: Prompt::default(),
        }
    }
}

impl Params for Search {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("criteria", self.criteria.into(), 1.0, 32.0)?;
        ParamError::in_range("lower", self.lower, 0.0, 1.0)?;
        ParamError::in_range("upper", self.upper, self.lower, 1.0)?;
        ParamError::in_range("rounds", self.rounds.into(), 1.0, 20.0)?;
        ParamError::in_range("shown", self.shown.into(), 0.0, 10.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        self.propose_prompt.validate("propose_prompt")?;
        self.judge_prompt.validate("judge_prompt")?;
        self.revise_prompt.validate("revise_prompt")
    }
}

/// right / (pairs − unsure); 0 where all are unsure.
pub fn accuracy(right: u32, pairs: u32, unsure: u32) -> f64 {
    let decided = pairs.saturating_sub(unsure);
    if decided == 0 { 0.0 } else { f64::from(right) / f64::from(decided) }
}

/// The verdict of several votes on a pair: none where both sides have equally many.
pub fn vote(votes: &[Option<Side>]) -> Option<Side> {
    let count = |side| votes.iter().filter(|vote| **vote == Some(side)).count();
    match count(Side::First).cmp(&count(Side::Second)) {
        std::cmp::Ordering::Greater => Some(Side::First),
        std::cmp::Ordering::Less => Some(Side::Second),
        std::cmp::Ordering::Equal => None,
    }
}

/// A pair in a template.
#[derive(Serialize)]
struct Shown {
    better: String,
    worse: String,
}

impl Search {
    fn talk(&self, case: &SearchCase, script: &mut Script<'_>) -> Result<Found, Pause> {
        case.check()?;
        let mut history: Vec<Tried> = Vec::new();
        let mut open = self.propose(case, &history, self.criteria as usize, script)?;
        for round in 1..=self.rounds {
            let tried = self.judged(case, &open, round, script)?;
            let again: Vec<&Tried> = tried.iter().filter(|t| t.fate == Fate::Revised).collect();
            let replaced = tried.iter().filter(|t| t.fate == Fate::Replaced).count();
            open.clear();
            if round < self.rounds {
                open = self.revise(case, &again, script)?;
            }
            history.extend(tried);
            if round < self.rounds && replaced > 0 {
                open.extend(self.propose(case, &history, replaced, script)?);
            }
            if open.is_empty() {
                break;
            }
        }
        Ok(found(case, history))
    }

    /// New criteria, unlike those tried.
    fn propose(
        &self,
        case: &SearchCase,
        history: &[Tried],
        count: usize,
        script: &mut Script<'_>,
    ) -> Result<Vec<String>, Pause> {
        let list = |texts: &[&str]| {
            let line = |(k, text): (usize, &&str)| format!("{}. {}", k + 1, text.trim());
            texts.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
        };
        let known = list(&history.iter().map(|tried| tried.text.as_str()).collect::<Vec<_>>());
        let knowledge = list(&case.knowledge.iter().map(String::as_str).collect::<Vec<_>>());
        let fences = case.fences(&[&known, &knowledge], script.seed());
        let shown = script.order(case.pairs.len(), "pairs shown");
        let shown = &shown[..case.pairs.len().min(self.shown as usize)];
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let fill = Fill::new(&fences)
            .text("task", &case.task)
            .maybe("known", some(&known).as_deref())
            .maybe("knowledge", some(&knowledge).as_deref())
            .value("pairs", case.shown(shown, &fences))
            .value("count", count);
        let format = Items { most: count };
        let request = self.propose_prompt.request(PROPOSE, fill, &format)?;
        let request = Request { model: self.manager.clone(), ..request };
        script.read(&request, |reply| format.read(&reply.text, &Quotes::none()))
    }

    /// Each criterion, revised on pairs that it gets wrong.
    fn revise(
        &self,
        case: &SearchCase,
        tried: &[&Tried],
        script: &mut Script<'_>,
    ) -> Result<Vec<String>, Pause> {
        let format = Items { most: 1 };
        let revised = script.all(tried.len(), |k, script| {
            let Tried { text, votes, .. } = tried[k];
            let missed =
                |(pair, vote): (&Labelled, &Option<Side>)| vote.is_some_and(|v| v != pair.winner);
            let wrong = case.pairs.iter().zip(votes).map(missed).enumerate();
            let wrong: Vec<usize> = wrong.filter(|(_, missed)| *missed).map(|(k, _)| k).collect();
            let wrong = &wrong[..wrong.len().min(self.shown as usize)];
            let fences = case.fences(&[text], script.seed());
            let fill = Fill::new(&fences)
                .text("task", &case.task)
                .text("criterion", text)
                .value("pairs", case.shown(wrong, &fences));
            let request = self.revise_prompt.request(REVISE, fill, &format)?;
            let request = Request { model: self.manager.clone(), ..request };
            script.read(&request, |reply| format.read(&reply.text, &Quotes::none()))
        })?;
        Ok(revised.into_iter().flatten().collect())
    }

    /// Has every criterion judge every pair.
    fn judged(
        &self,
        case: &SearchCase,
        open: &[String],
        round: u32,
        script: &mut Script<'_>,
    ) -> Result<Vec<Tried>, Pause> {
        let n = case.pairs.len();
        let verdicts = script.each(open.len() * n, |k, script| {
            self.verdict(&case.pairs[k % n], &open[k / n], &format!("pair {k} of {round}"), script)
        })?;
        if let Some(Err(why)) = verdicts.iter().all(Result::is_err).then(|| &verdicts[0]) {
            return Err(Pause::Stop(why.clone()));
        }
        let tried = open.iter().zip(verdicts.chunks(n));
        Ok(tried.map(|(text, verdicts)| self.count(case, text, round, verdicts)).collect())
    }

    fn count(
        &self,
        case: &SearchCase,
        text: &str,
        round: u32,
        verdicts: &[Result<Option<Side>, Unscored>],
    ) -> Tried {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let unreadable = number(verdicts.iter().filter(|v| v.is_err()).count());
        let unsure = number(verdicts.iter().filter(|v| matches!(v, Ok(None))).count());
        let votes: Vec<Option<Side>> =
            verdicts.iter().map(|v| v.as_ref().ok().copied().flatten()).collect();
        let right = case.pairs.iter().zip(&votes).filter(|(p, v)| **v == Some(p.winner)).count();
        let accuracy = accuracy(number(right), number(verdicts.len()), unsure);
        let fate = match accuracy {
            a if a >= self.upper => Fate::Kept,
            a if a <= self.lower => Fate::Replaced,
            _ if round == self.rounds => Fate::Kept,
            _ => Fate::Revised,
        };
        Tried { text: text.to_owned(), round, accuracy, unsure, unreadable, fate, votes }
    }

    fn verdict(
        &self,
        pair: &Labelled,
        criterion: &str,
        draw: &str,
        script: &mut Script<'_>,
    ) -> Result<Option<Side>, Pause> {
        let texts = vec![pair.first.clone(), pair.second.clone()];
        let case = Case { prompt: pair.prompt.clone(), responses: texts, ..Case::default() };
        let (show, asked) = (Show::seeded(script, 2, draw), question(&case));
        let fences = show::fences(&case, &[criterion], script.seed());
        let fill = Fill::new(&fences)
            .text("criterion", criterion)
            .maybe("question", (!asked.trim().is_empty()).then_some(asked.as_str()));
        let fill = show.fill(fill, &fences, &case.responses);
        let format = Label::new(["A", "B", "UNSURE"]);
        let request = self.judge_prompt.request(JUDGE, fill, &format)?;
        let request = Request { model: self.worker.clone(), ..request };
        let quotes = Quotes::of([pair.first.as_str(), pair.second.as_str()]);
        let label = script.read(&request, |reply| format.read(&reply.text, &quotes))?;
        let side = |place: &usize| if *place == 0 { Side::First } else { Side::Second };
        Ok(show.order().get(label).map(side))
    }
}

impl SearchCase {
    fn check(&self) -> Result<(), Unscored> {
        if !(1..=PAIRS).contains(&self.pairs.len()) {
            return Err(Unscored::missing(format!("1 to {PAIRS} labelled pairs are needed")));
        }
        if self.knowledge.len() > 100 {
            return Err(Unscored::budget("the knowledge base holds more than 100 criteria"));
        }
        Ok(())
    }

    fn fences(&self, others: &[&str], seed: u64) -> Fences {
        let mut texts = vec![self.task.as_str()];
        texts.extend(self.pairs.iter().flat_map(|pair| [pair.first.as_str(), &pair.second]));
        texts.extend(others);
        Fences::new(&texts, seed)
    }

    fn shown(&self, places: &[usize], fences: &Fences) -> Vec<Shown> {
        let shown = |place: &usize| {
            let pair = &self.pairs[*place];
            let (better, worse) = match pair.winner {
                Side::First => (&pair.first, &pair.second),
                Side::Second => (&pair.second, &pair.first),
            };
            let wrap = |name, text: &str| fences.wrap(name, text);
            Shown { better: wrap("response_better", better), worse: wrap("response_worse", worse) }
        };
        places.iter().map(shown).collect()
    }
}

fn found(case: &SearchCase, history: Vec<Tried>) -> Found {
    let mut criteria: Vec<Tried> =
        history.iter().filter(|tried| tried.fate == Fate::Kept).cloned().collect();
    criteria.sort_by(|a, b| b.accuracy.total_cmp(&a.accuracy));
    let verdict = |k: usize| vote(&criteria.iter().map(|tried| tried.votes[k]).collect::<Vec<_>>());
    let verdicts: Vec<Option<Side>> = (0..case.pairs.len()).map(verdict).collect();
    let right =
        case.pairs.iter().zip(&verdicts).filter(|(pair, v)| **v == Some(pair.winner)).count();
    let undecided = verdicts.iter().filter(|verdict| verdict.is_none()).count();
    Found {
        vote_accuracy: right as f64 / case.pairs.len() as f64,
        undecided: u32::try_from(undecided).unwrap_or(u32::MAX),
        criteria,
        history,
    }
}

impl Protocol for Search {
    type Case = SearchCase;
    type Output = Found;

    fn next(
        &self,
        case: &SearchCase,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Found>, Unscored> {
        converse(rounds, self.retries, seed, |script| self.talk(case, script))
    }
}

guerdon_core::method! {
    Search: Protocol,
    id: "judge.criteria_search",
    papers: ["critiq-2025"],
    status: Verified(Worked("accuracies and votes of CritiQ's evaluator")),
    laws: [],
    exempt: [],
    samples: [r#"{
        "task": "Which web page is better training text?",
        "pairs": [
            {"first": "Click here!!!", "second": "The heart pumps blood.", "winner": "second"},
            {"first": "Water boils at 100 °C at sea level.", "second": "buy buy buy", "winner": "first"}
        ],
        "knowledge": ["Is it free of advertising?"]
    }"#]
}
