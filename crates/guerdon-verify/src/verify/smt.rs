//! SMT: whether the completion is a model of a script, a formula equivalent to the reference, or the right verdict, checked by Z3.
//!
//! # Formula
//!
//! ```text
//! verdict:    score = 1 if the completion says sat or unsat, as the reference or Z3 does, else 0
//! model:      score = 1 if the script with its symbols defined by the completion is satisfiable, else 0
//! equivalent: score = 1 if (not (= reference completion)) is unsatisfiable together with the script, else 0
//! ```
//!
//! The script is SMT-LIB in the column `script`; of it the declarations, definitions and assertions are read. A model gives
//! every declared constant a value, as `(define-fun x () Int 5)`, `(= x 5)` or `((x 5) (y 6))`; its sorts are those of the script.
//! A formula is one term over the script's symbols. Both stand in the last `<tag>`, there or in the whole completion in the last
//! fenced block, or are the whole text. A verdict must stand in the `<tag>` (`answer` by default), or alone on the last line.
//!
//! # When to use it
//!
//! For formal reasoning with a solver's certainty: constraint problems (`model`), formalisation (`equivalent`).
//!
//! # Departures
//!
//! None: there is no published formula. Nothing of a completion reaches Z3 but terms, read and written anew, so that no
//! command can be slipped in. Where Z3 does not decide, runs out of time or is not installed there is no score. A model may
//! use the script's symbols in its terms; one that leaves a constant open earns 0.
//!
//! # Example
//!
//! ```yaml
//! use: verify.smt
//! mode: equivalent
//! script: declarations
//! ```
//!
//! ```
//! use guerdon_verify::verify::smt::compose_model;
//! let script = "(declare-const x Int) (assert (> x 3)) (check-sat)";
//! assert_eq!(
//!     compose_model(script, "(define-fun x () Int 5) ; done").unwrap(),
//!     "(define-fun x () Int 5)\n(assert (> x 3))\n(check-sat)\n"
//! );
//! assert!(compose_model(script, "(define-fun x () Int 5)) (exit)").is_err());
//! ```
//!
//! # References
//!
//! de Moura and Bjørner, "Z3: An Efficient SMT Solver", 2008; Barrett et al., "The SMT-LIB Standard: Version 2.6", 2017.

mod script;

use std::path::PathBuf;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use guerdon_sandbox::Limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::external::{Prover, Said, Tool};
use super::passage::{self, passage};
use super::records;
use script::{Term, commands, declared, model, question, read};

/// What is asked of the completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Whether the script is satisfiable.
    #[default]
    Verdict,
    /// Values that satisfy it.
    Model,
    /// A formula that means the same as the reference.
    Equivalent,
}

/// Parameters of `verify.smt`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Smt {
    /// What is asked of the completion: `verdict`, `model` or `equivalent`. Default `verdict`.
    pub mode: Mode,
    /// Column with the script. Default `script`; `verdict` does not read it where the reference says sat or unsat.
    pub script: String,
    /// The tag that encloses the answer. Default `answer`; for `model` and `equivalent` it need not be there.
    pub tag: String,
    /// The `z3` program. Default: `z3` on PATH.
    pub z3: PathBuf,
    /// Seconds of one run, 0.1 to 3600. Default 10.
    pub seconds: f64,
    /// Memory of one run in MiB, 64 to 1048576. Default 1024.
    pub memory_mb: u64,
    /// Where the machine does not isolate, run Z3 all the same, with your rights. Default false.
    pub unsafe_no_sandbox: bool,
}

impl Default for Smt {
    fn default() -> Self {
        Self {
            mode: Mode::Verdict,
            script: "script".into(),
            tag: "answer".into(),
            z3: "z3".into(),
            seconds: 10.0,
            memory_mb: 1024,
            unsafe_no_sandbox: false,
        }
    }
}

impl Params for Smt {
    fn validate(&self) -> Result<(), ParamError> {
        records::named("script", &self.script)?;
        passage::tag_name("tag", &self.tag)?;
        ParamError::in_range("seconds", self.seconds, 0.1, 3600.0)?;
        ParamError::in_range("memory_mb", self.memory_mb as f64, 64.0, 1_048_576.0)
    }
}

/// The script with its symbols defined by a model; the error says what is wrong with the model.
pub fn compose_model(script: &str, answer: &str) -> Result<String, String> {
    defined(&commands(script)?, answer)
}

fn defined(commands: &[Term], answer: &str) -> Result<String, String> {
    let values = model(answer)?;
    let mut used = 0;
    let mut out = Vec::with_capacity(commands.len());
    for command in commands {
        let Some((name, sorts, sort)) = declared(command) else {
            out.push(command.clone());
            continue;
        };
        let mut of_name = values.iter().filter(|(own, ..)| own == name);
        let (value, again) = (of_name.next(), of_name.next());
        if again.is_some() {
            return Err(format!("`{name}` has two values"));
        }
        let Some((_, params, body)) = value else {
            if sorts.is_empty() {
                return Err(format!("`{name}` has no value"));
            }
            out.push(command.clone());
            continue;
        };
        used += 1;
        let params =
            parameters(params, &sorts).ok_or_else(|| format!("`{name}` has other arguments"))?;
        let head = [Term::word("define-fun"), Term::word(name), params, sort.clone()];
        out.push(Term::list(head.into_iter().chain([body.clone()])));
    }
    if used < values.len() {
        return Err("a symbol is not declared".to_owned());
    }
    if used == 0 {
        return Err("gives no values".to_owned());
    }
    Ok(question(&out))
}

/// The names of a definition's parameters with the sorts of the declaration.
fn parameters(given: &[Term], sorts: &[Term]) -> Option<Term> {
    if given.len() != sorts.len() {
        return None;
    }
    let pair = |(own, sort): (&Term, &Term)| {
        let name = own.parts().first()?.atom()?;
        Some(Term::list([Term::word(name), sort.clone()]))
    };
    given.iter().zip(sorts).map(pair).collect::<Option<Vec<_>>>().map(Term::List)
}

/// The question whether two terms can differ; the error says what is wrong with the second.
fn difference(script: &[Term], reference: &Term, answer: &Term) -> String {
    let same = Term::list([Term::word("="), reference.clone(), answer.clone()]);
    let differ = Term::list([Term::word("not"), same]);
    let mut all = script.to_vec();
    all.push(Term::list([Term::word("assert"), differ]));
    question(&all)
}

/// The one term of a text; `(assert t)` stands for t.
fn term(text: &str) -> Result<Term, String> {
    let terms = read(text)?;
    let [one] = terms.as_slice() else { return Err("is not one formula".to_owned()) };
    match one.parts() {
        [head, inner] if head.atom() == Some("assert") => Ok(inner.clone()),
        _ => Ok(one.clone()),
    }
}

/// The verdict that a word is.
fn verdict(text: &str) -> Option<bool> {
    let word = text.trim().trim_matches(['*', '`', '.', '"', '(', ')']).to_ascii_lowercase();
    match word.as_str() {
        "sat" | "satisfiable" => Some(true),
        "unsat" | "unsatisfiable" => Some(false),
        _ => None,
    }
}

/// The built signal: parameters and the solver.
struct Judge {
    params: Smt,
    prover: Prover,
}

impl Smt {
    fn signal(self) -> Result<Judge, ParamError> {
        self.validate()?;
        let words = ["{program}", "-smt2", "{file}"].map(str::to_owned);
        let tool = Tool {
            name: "z3",
            program: self.z3.clone(),
            remedy: "install Z3 (`apt install z3`, `pip install z3-solver`)",
            file: "main.smt2",
            command: words.to_vec(),
            folders: Vec::new(),
            limits: Limits {
                wall_s: self.seconds,
                cpu_s: whole_seconds(self.seconds),
                total_wall_s: self.seconds + 10.0,
                memory_mb: self.memory_mb,
                ..Limits::default()
            },
            unsafe_no_sandbox: self.unsafe_no_sandbox,
        };
        Ok(Judge { params: self, prover: Prover::new(tool) })
    }

    fn script<'r>(&self, rollout: &'r Rollout) -> Result<&'r str, Unscored> {
        let value = records::value(rollout, &self.script)?;
        value
            .as_str()
            .ok_or_else(|| Unscored::invalid(format!("column `{}`: expected a text", self.script)))
    }

    /// The part of a completion that holds terms.
    fn terms<'t>(&self, text: &'t str) -> Result<&'t str, String> {
        let inside = if self.tag.is_empty() { None } else { passage::tagged(text, &self.tag) };
        passage(inside.unwrap_or(text), "")
    }
}

/// Seconds of processor time: whole, and no fewer than the wall allows.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 3601")]
pub(super) fn whole_seconds(seconds: f64) -> u64 {
    (seconds.ceil() as u64).clamp(1, 3600)
}

fn wrong(why: impl Into<String>) -> Score {
    Score::binary(false).because(why)
}

impl Judge {
    /// Whether Z3 finds the script satisfiable; the inner error is Z3's about the script.
    fn ask(&self, script: &str) -> Result<Result<bool, String>, Unscored> {
        let text = match self.prover.run(script)? {
            Said::Text(text) | Said::Error(text) => text,
        };
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        match first.trim() {
            "sat" => Ok(Ok(true)),
            "unsat" => Ok(Ok(false)),
            "unknown" | "timeout" => Err(Unscored::abstained("z3 does not decide")),
            other => Ok(Err(other.chars().take(200).collect())),
        }
    }

    /// Asks about the reference's own part, after an error that may be its fault.
    fn blame(&self, control: &str, why: String) -> Outcome {
        match self.ask(control)? {
            Ok(_) => Ok(wrong(why)),
            Err(own) => Err(Unscored::invalid(format!("the script: {own}"))),
        }
    }

    fn verdict(&self, rollout: &Rollout) -> Outcome {
        let text = rollout.text();
        let tagged =
            if self.params.tag.is_empty() { None } else { passage::tagged(text, &self.params.tag) };
        let last = text.trim_end().lines().next_back().unwrap_or_default();
        let given = verdict(tagged.unwrap_or(last));
        let known = rollout.reference.as_str().and_then(verdict);
        let right = if let Some(known) = known {
            known
        } else {
            let invalid = |why| Unscored::invalid(format!("the script: {why}"));
            let script = commands(self.params.script(rollout)?).map_err(invalid)?;
            self.ask(&question(&script))?.map_err(invalid)?
        };
        match given {
            None => Ok(wrong("says neither sat nor unsat")),
            Some(given) => Ok(Score::binary(given == right)),
        }
    }

    fn model(&self, rollout: &Rollout) -> Outcome {
        let script = commands(self.params.script(rollout)?);
        let script = script.map_err(|why| Unscored::invalid(format!("the script: {why}")))?;
        let composed = self.params.terms(rollout.text()).and_then(|text| defined(&script, text));
        let composed = match composed {
            Ok(composed) => composed,
            Err(why) => return Ok(wrong(why)),
        };
        match self.ask(&composed)? {
            Ok(true) => Ok(Score::binary(true)),
            Ok(false) => Ok(wrong("an assertion does not hold")),
            Err(why) => self.blame(&question(&script), why),
        }
    }

    fn equivalent(&self, rollout: &Rollout) -> Outcome {
        let script = commands(self.params.script(rollout)?);
        let script = script.map_err(|why| Unscored::invalid(format!("the script: {why}")))?;
        let reference = rollout.reference.as_str();
        let reference =
            reference.ok_or_else(|| Unscored::missing("there is no reference formula"))?;
        let reference = term(reference);
        let reference =
            reference.map_err(|why| Unscored::invalid(format!("the reference: {why}")))?;
        let answer = match self.params.terms(rollout.text()).and_then(term) {
            Ok(answer) => answer,
            Err(why) => return Ok(wrong(why)),
        };
        match self.ask(&difference(&script, &reference, &answer))? {
            Ok(false) => Ok(Score::binary(true)),
            Ok(true) => Ok(wrong("means something else")),
            Err(why) => self.blame(&difference(&script, &reference, &reference), why),
        }
    }
}

impl Signal for Judge {
    fn score(&self, rollout: &Rollout) -> Outcome {
        match self.params.mode {
            Mode::Verdict => self.verdict(rollout),
            Mode::Model => self.model(rollout),
            Mode::Equivalent => self.equivalent(rollout),
        }
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Smt: BuiltSignal,
    id: "verify.smt",
    papers: [],
    status: Verified(Reference("Z3 5.4, where it is installed")),
    laws: [WhitespaceInvariant],
    exempt: [
        CaseInvariant: "Verdicts have no case; the answer tag is written in lower case.",
    ],
    samples: [
        r#"{"prompt": "Can it be?", "completion": "No: <answer>unsat</answer>", "reference": "unsat"}"#,
        r#"{"prompt": "Can it be?", "completion": "It can.\n**Sat**", "reference": "sat"}"#,
    ],
}

#[cfg(test)]
mod tests;
