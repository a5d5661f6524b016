//! Logic steps: whether each step of a derivation follows from the premises and the steps before it.
//!
//! # Formula
//!
//! ```text
//! step k is valid  iff  premises ∧ (valid steps before k) ∧ ¬ step k  cannot be true
//! all:    score = 1 if every step is valid and the goal is reached, else 0
//! share:  score = (valid steps / steps) · [the goal is reached]
//! ```
//!
//! The goal is the reference, where it is a text: the last step must be valid and equivalent to it. Steps are those of the
//! rollout, which then also get a value each, or the lines of the completion (inside `tag` where one is given). A line may be
//! numbered and may begin with "therefore"; `a, b |- c` derives c from a and b alone, which must be known.
//!
//! Formulas: `not`, `and`, `or`, `xor`, `implies`, `iff` with the usual marks (`~ & | -> <->`, `¬ ∧ ∨ → ↔`, LaTeX). Atoms are
//! names or have names as arguments, `parent(ann, bob)`; an argument that begins with a capital is a variable, and holds for
//! everything that the argument names, so that rules can be written: `parent(X, Y) & parent(Y, Z) -> grandparent(X, Z)`.
//!
//! # When to use it
//!
//! To check derivations, and to label steps for a process reward model with proof instead of opinion.
//!
//! # Departures
//!
//! FoVer asks an SMT solver; here the formulas become clauses and are decided by a search of this project, in a budget of
//! `work` looks at clauses. Rules are instantiated with all names at hand, which decides them exactly as long as there are
//! neither function symbols nor quantifiers within formulas. Steps that the budget does not decide leave the rollout without
//! a score, and so do premises that contradict each other: anything follows from them.
//!
//! # Example
//!
//! ```yaml
//! use: verify.logic_step
//! premises: facts
//! ```
//!
//! ```
//! use guerdon_verify::verify::logic_step::{Step, check};
//! let steps = check(&["p -> q", "p"], &["q", "~p"], 10_000).unwrap();
//! assert_eq!(steps[0], Step::Valid);
//! assert_eq!(steps[1], Step::Invalid("does not follow: p true, q true".into()));
//! ```
//!
//! # References
//!
//! Kamoi et al., "Training Step-Level Reasoning Verifiers with Formal Verification Tools" (FoVer), 2025.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Level, Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::logic::{self, Atom, Found, satisfy};
use super::{passage, records};

/// Most steps that are checked.
const MAX_STEPS: usize = 1000;

/// Most atoms and connectives of all formulas, variables filled in.
const MAX_SIZE: usize = 100_000;

/// From the steps to the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Every step must be valid.
    #[default]
    All,
    /// The share of valid steps.
    Share,
}

/// Parameters of `verify.logic_step`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogicStep {
    /// Column with the premises: a list of formulas, or a text with one per line. Default `premises`.
    pub premises: String,
    /// Read the steps inside the last pair of this tag; empty for the whole completion. Default empty.
    pub tag: String,
    /// How the steps become a score: `all` or `share`. Default `all`.
    pub score: Rule,
    /// The reference is the goal that the last step must reach, where it is a text. Default true.
    pub goal: bool,
    /// Looks at clauses for each step at most, 100 to 1 billion. Default 1 million, some 0.1 s.
    pub work: usize,
}

impl Default for LogicStep {
    fn default() -> Self {
        Self {
            premises: "premises".into(),
            tag: String::new(),
            score: Rule::All,
            goal: true,
            work: 1_000_000,
        }
    }
}

impl Params for LogicStep {
    fn validate(&self) -> Result<(), ParamError> {
        records::named("premises", &self.premises)?;
        passage::tag_name("tag", &self.tag)?;
        ParamError::in_range("work", self.work as f64, 1e2, 1e9)
    }
}

/// What was found of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It follows.
    Valid,
    /// It does not, and why: values that make everything before it true and it false, or what is wrong with its text.
    Invalid(String),
}

type Formula = logic::Formula<Atom>;

fn is_variable(arg: &str) -> bool {
    arg.starts_with(char::is_uppercase)
}

fn arguments<'f>(formula: &'f Formula, found: &mut BTreeSet<&'f str>) {
    match formula {
        logic::Formula::Truth(_) => {}
        logic::Formula::Atom(atom) => found.extend(atom.args.iter().map(String::as_str)),
        logic::Formula::Not(inner) => arguments(inner, found),
        logic::Formula::Pair(_, pair) => {
            arguments(&pair.0, found);
            arguments(&pair.1, found);
        }
    }
}

/// What is known, in the course of a derivation.
struct Known {
    formulas: Vec<Formula>,
    work: usize,
}

/// Formulas with their variables filled in, and the atoms by number.
#[derive(Default)]
struct Ground {
    atoms: BTreeMap<Atom, u32>,
    formulas: Vec<logic::Formula<u32>>,
    size: usize,
}

impl Ground {
    fn add(&mut self, formula: &Formula, values: &BTreeMap<&str, &str>) -> Result<(), Unscored> {
        self.size += formula.size();
        if self.size > MAX_SIZE {
            return Err(Unscored::budget("the rules have too many instances"));
        }
        let mut atom = |atom: &Atom| {
            let value =
                |arg: &String| (*values.get(arg.as_str()).unwrap_or(&arg.as_str())).to_owned();
            let filled =
                Atom { name: atom.name.clone(), args: atom.args.iter().map(value).collect() };
            let next = u32::try_from(self.atoms.len()).unwrap_or(u32::MAX);
            Ok::<_, Unscored>(logic::Formula::Atom(*self.atoms.entry(filled).or_insert(next)))
        };
        let filled = formula.try_map(&mut atom)?;
        self.formulas.push(filled);
        Ok(())
    }

    /// Adds every instance of a formula over the constants.
    fn add_all(&mut self, formula: &Formula, constants: &[&str]) -> Result<(), Unscored> {
        let mut args = BTreeSet::new();
        arguments(formula, &mut args);
        let variables: Vec<&str> = args.into_iter().filter(|arg| is_variable(arg)).collect();
        let mut chosen = vec![0; variables.len()];
        loop {
            let values = variables.iter().zip(&chosen).map(|(v, c)| (*v, constants[*c])).collect();
            self.add(formula, &values)?;
            // The next choice, counted like a number with one digit per variable.
            let Some(place) = chosen.iter().rposition(|c| c + 1 < constants.len()) else {
                return Ok(());
            };
            chosen[place] += 1;
            chosen[place + 1..].fill(0);
        }
    }

    fn told(&self, values: &[bool]) -> String {
        let name = |atom: &Atom| match atom.args.as_slice() {
            [] => atom.name.clone(),
            args => format!("{}({})", atom.name, args.join(", ")),
        };
        let told = self.atoms.iter().take(12);
        let told = told.map(|(atom, k)| format!("{} {}", name(atom), values[*k as usize]));
        told.collect::<Vec<_>>().join(", ")
    }
}

impl Known {
    /// Values that make all of `from` true and `conclusion` false; none where it follows.
    fn refutation(
        &self,
        from: &[&Formula],
        conclusion: &Formula,
    ) -> Result<Option<String>, Unscored> {
        let mut args = BTreeSet::new();
        from.iter().chain([&conclusion]).for_each(|formula| arguments(formula, &mut args));
        // The variables of a conclusion stand for names that nothing is known of.
        let mut own = BTreeSet::new();
        arguments(conclusion, &mut own);
        let fresh: BTreeMap<&str, String> = own
            .into_iter()
            .filter(|arg| is_variable(arg))
            .map(|arg| (arg, format!("some {arg}")))
            .collect();
        let mut constants: Vec<&str> = args.into_iter().filter(|arg| !is_variable(arg)).collect();
        constants.extend(fresh.values().map(String::as_str));
        if constants.is_empty() {
            constants.push("anything");
        }
        let mut ground = Ground::default();
        for formula in from {
            ground.add_all(formula, &constants)?;
        }
        let values = fresh.iter().map(|(variable, name)| (*variable, name.as_str())).collect();
        ground.add(&Formula::not(conclusion.clone()), &values)?;
        match satisfy(&ground.formulas, ground.atoms.len(), self.work) {
            Found::None => Ok(None),
            Found::Model(values) => Ok(Some(ground.told(&values))),
            Found::Spent => {
                Err(Unscored::budget(format!("{} looks at the clauses of a step", self.work)))
            }
        }
    }

    fn follows(&self, conclusion: &Formula) -> Result<Option<String>, Unscored> {
        self.refutation(&self.formulas.iter().collect::<Vec<_>>(), conclusion)
    }

    /// Checks a step, and knows it from then on if it is valid.
    fn step(&mut self, text: &str) -> Result<Step, Unscored> {
        let (from, conclusion) = match read(text) {
            Ok(step) => step,
            Err(why) => return Ok(Step::Invalid(why)),
        };
        for premise in &from {
            if let Some(values) = self.follows(premise)? {
                return Ok(Step::Invalid(format!("uses what is not known: {values}")));
            }
        }
        let refutation = if from.is_empty() {
            self.follows(&conclusion)?
        } else {
            self.refutation(&from.iter().collect::<Vec<_>>(), &conclusion)?
        };
        if let Some(values) = refutation {
            return Ok(Step::Invalid(format!("does not follow: {values}")));
        }
        self.formulas.push(conclusion);
        Ok(Step::Valid)
    }
}

/// The premises that a step names, and its conclusion.
fn read(text: &str) -> Result<(Vec<Formula>, Formula), String> {
    let bare = unnumbered(text);
    let parts = bare.split_once("|-").or_else(|| bare.split_once('\u{22a2}'));
    let Some((from, conclusion)) = parts else { return Ok((Vec::new(), logic::parse(bare)?)) };
    let mut premises = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in from.char_indices().chain([(from.len(), ';')]) {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' | ';' if depth == 0 => {
                premises.push(logic::parse(&from[start..at])?);
                start = at + 1;
            }
            _ => {}
        }
    }
    Ok((premises, logic::parse(conclusion)?))
}

/// The line without its number, its bullet and words like "therefore".
fn unnumbered(text: &str) -> &str {
    let mut rest = text.trim().trim_matches(['$', '`', '*']).trim();
    rest = rest
        .strip_prefix(['-', '\u{2022}'])
        .filter(|r| r.starts_with(' '))
        .unwrap_or(rest)
        .trim_start();
    let digits =
        rest.strip_prefix("Step ").unwrap_or(rest).trim_start_matches(|c: char| c.is_ascii_digit());
    if digits.len() < rest.len()
        && let Some(after) = digits.strip_prefix(['.', ')', ':'])
    {
        rest = after.trim_start();
    }
    for word in ["therefore", "hence", "thus", "so", "\u{2234}"] {
        let head = rest.get(..word.len()).filter(|head| head.eq_ignore_ascii_case(word));
        let tail = head.map(|_| &rest[word.len()..]);
        if let Some(tail) = tail.filter(|t| t.starts_with([' ', ',', ':'])) {
            rest = tail.trim_start_matches([' ', ',', ':']);
            break;
        }
    }
    rest.trim_end_matches(['.', ';']).trim()
}

/// Checks steps against premises, each step in `work` looks at clauses.
pub fn check(premises: &[&str], steps: &[&str], work: usize) -> Result<Vec<Step>, Unscored> {
    if steps.len() > MAX_STEPS {
        return Err(Unscored::budget(format!("more than {MAX_STEPS} steps")));
    }
    let mut known = known(premises, work)?;
    steps.iter().map(|step| known.step(step)).collect()
}

fn known(premises: &[&str], work: usize) -> Result<Known, Unscored> {
    let parse = |text: &&str| {
        let formula = logic::parse(unnumbered(text));
        formula.map_err(|why| Unscored::invalid(format!("the premise {text:?}: {why}")))
    };
    let formulas = premises.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let known = Known { formulas, work };
    if known.follows(&Formula::Truth(false))?.is_none() {
        return Err(Unscored::invalid("the premises contradict each other"));
    }
    Ok(known)
}

impl LogicStep {
    fn premises<'r>(&self, rollout: &'r Rollout) -> Result<Vec<&'r str>, Unscored> {
        let value = records::value(rollout, &self.premises)?;
        let wrong = || Unscored::invalid(format!("column `{}`: expected formulas", self.premises));
        match value {
            Value::String(text) => Ok(lines(text).collect()),
            Value::Array(list) if list.len() <= MAX_STEPS => {
                list.iter().map(|item| item.as_str().ok_or_else(wrong)).collect()
            }
            _ => Err(wrong()),
        }
    }

    /// Whether the last step says the same as the goal.
    fn is_reached(&self, last: &str, goal: &str) -> Result<bool, Unscored> {
        let goal = logic::parse(unnumbered(goal))
            .map_err(|why| Unscored::invalid(format!("the reference: {why}")))?;
        let Ok((_, last)) = read(last) else { return Ok(false) };
        let nothing = Known { formulas: Vec::new(), work: self.work };
        Ok(nothing.refutation(&[&last], &goal)?.is_none()
            && nothing.refutation(&[&goal], &last)?.is_none())
    }

    fn verdict(&self, rollout: &Rollout, texts: &[&str]) -> Outcome {
        let steps = check(&self.premises(rollout)?, texts, self.work)?;
        let valid = steps.iter().filter(|step| **step == Step::Valid).count();
        let goal = rollout.reference.as_str().filter(|_| self.goal);
        let last = texts.last().copied().unwrap_or_default();
        let reached = match goal {
            Some(goal) => steps.last() == Some(&Step::Valid) && self.is_reached(last, goal)?,
            None => true,
        };
        let share = if steps.is_empty() { 0.0 } else { valid as f64 / steps.len() as f64 };
        let value = match self.score {
            _ if !reached => 0.0,
            Rule::Share => share,
            Rule::All => share.floor(),
        };
        let mut score = Score::new(value)?;
        let fault = steps.iter().enumerate().find_map(|(i, step)| match step {
            Step::Invalid(why) => Some(format!("step {}: {why}", i + 1)),
            Step::Valid => None,
        });
        if let Some(why) = fault.or_else(|| (!reached).then(|| "the goal is not reached".into())) {
            score = score.because(why);
        }
        if rollout.steps.is_empty() {
            return Ok(score);
        }
        let fine = steps.iter().map(|step| f64::from(u8::from(*step == Step::Valid)));
        score.with_fine(Level::Step, fine.collect())
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).take(MAX_STEPS + 1)
}

impl Signal for LogicStep {
    fn score(&self, rollout: &Rollout) -> Outcome {
        if !rollout.steps.is_empty() {
            let texts: Vec<&str> = rollout.steps.iter().map(|step| step.text.as_str()).collect();
            return self.verdict(rollout, &texts);
        }
        match passage::passage(rollout.text(), &self.tag) {
            Ok(text) => self.verdict(rollout, &lines(text).collect::<Vec<_>>()),
            Err(why) => Ok(Score::binary(false).because(why)),
        }
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    LogicStep: Signal,
    id: "verify.logic_step",
    papers: ["fover-2025"],
    status: Verified(Worked("FoVer: from p→q and p, q is valid and ¬p is not; truth tables of all formulas of size 5")),
    laws: [WhitespaceInvariant],
    exempt: [],
    samples: [
        r#"{"prompt": "Is Carl wet?", "completion": "1. rain\n2. Therefore wet(carl)", "reference": "wet(carl)", "premises": ["rain & outside(carl)", "rain & outside(X) -> wet(X)"]}"#,
        r#"{"prompt": "Conclude.", "completion": "p, p -> q |- q", "reference": "q", "premises": "p -> q\np"}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{LogicStep, Rule, Step, check};
    use guerdon_core::method::Signal as _;
    use guerdon_core::{Rollout, UnscoredKind};
    use serde_json::json;

    fn verdicts(premises: &[&str], steps: &[(&str, bool)]) {
        let texts: Vec<&str> = steps.iter().map(|(text, _)| *text).collect();
        let got = check(premises, &texts, 100_000).unwrap();
        for ((text, expect), step) in steps.iter().zip(got) {
            assert_eq!(step == Step::Valid, *expect, "{premises:?} {text}: {step:?}");
        }
    }

    #[test]
    fn propositional_steps() {
        verdicts(
            &["p -> q", "p"],
            &[("q", true), ("~p", false), ("p & q", true), ("p | r", true), ("r", false)],
        );
        verdicts(
            &["a | b", "not a"],
            &[("1. Therefore b.", true), ("* b | c *", true), ("c", false), ("d", false)],
        );
        verdicts(&["p -> q"], &[("~q -> ~p", true), ("q -> p", false), ("p <-> q", false)]);
    }

    #[test]
    fn a_step_may_use_valid_steps_alone() {
        verdicts(&["p"], &[("q", false), ("q & p", false), ("p", true)]);
        verdicts(
            &["p", "p -> q", "r"],
            &[
                ("p, p -> q |- q", true),
                ("r |- q", false),
                ("s ⊢ s", false),
                ("r; q |- q & r", true),
            ],
        );
    }

    #[test]
    fn rules_with_variables() {
        let family =
            ["parent(ann, bob)", "parent(bob, cy)", "parent(X, Y) & parent(Y, Z) -> grand(X, Z)"];
        verdicts(
            &family,
            &[("grand(ann, cy)", true), ("grand(bob, cy)", false), ("grand(X, Y)", false)],
        );
        let chain = ["human(X) -> mortal(X)", "mortal(X) -> old(X)"];
        verdicts(
            &chain,
            &[
                ("human(X) -> old(X)", true),
                ("human(socrates) -> old(socrates)", true),
                ("old(X)", false),
            ],
        );
        verdicts(&["p(X)"], &[("p(a)", true), ("p(Y)", true), ("q(a)", false)]);
    }

    fn score(params: &LogicStep, completion: &str, reference: &str) -> Result<f64, UnscoredKind> {
        let mut rollout = Rollout::new("", completion, reference);
        rollout.columns.insert("premises".into(), json!(["p -> q", "p", "q -> r"]));
        params.score(&rollout).map(|s| s.value()).map_err(|why| why.kind)
    }

    #[test]
    fn scores_and_goals() {
        let all = LogicStep::default();
        assert_eq!(score(&all, "q\nr", "r"), Ok(1.0));
        assert_eq!(score(&all, "q", "r"), Ok(0.0));
        assert_eq!(score(&all, "s\nr", "r"), Ok(0.0));
        assert_eq!(score(&all, "~~r", "r"), Ok(1.0));
        assert_eq!(score(&all, "", "r"), Ok(0.0));
        let share = LogicStep { score: Rule::Share, ..LogicStep::default() };
        assert_eq!(score(&share, "s\nr", "r"), Ok(0.5));
        assert_eq!(score(&share, "q\nq", "r"), Ok(0.0));
        assert_eq!(score(&all, "q", "((("), Err(UnscoredKind::Invalid));
    }

    #[test]
    fn contradictory_premises_and_hard_steps_are_no_score() {
        assert_eq!(check(&["p", "~p"], &["q"], 1000).unwrap_err().kind, UnscoredKind::Invalid);
        let wide = "p(A, B, C, D, E, F, G, H)";
        let facts: Vec<String> = (0..30).map(|i| format!("q(c{i})")).collect();
        let premises: Vec<&str> = facts.iter().map(String::as_str).chain([wide]).collect();
        assert_eq!(check(&premises, &["q(c1)"], 1000).unwrap_err().kind, UnscoredKind::Budget);
    }
}
