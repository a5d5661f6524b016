//! Lean: 1 if Lean 4 checks the completion's proof of the reference's statement, 0 if not.
//!
//! # Formula
//!
//! ```text
//! score = 1 if  the proof holds nothing that is refused
//!           and its theorem, where it states one, is the reference's token for token
//!           and Lean accepts  reference statement + proof + (proof : type of the statement)
//!           and the axioms that the proof rests on are among the allowed ones
//! ```
//!
//! The reference is a theorem (`theorem t (n : Nat) : n + 0 = n := by sorry`; the proof behind it is cut off). The proof
//! stands in the last `<tag>`, there or in the whole completion in the last fenced block (of those, the last that is marked
//! `lean4` or `lean`), else it is the whole text. It is a file that states the theorem again, with lemmas before it, or
//! the part behind `:=`, or a list of tactics.
//!
//! # When to use it
//!
//! As the reward of provers: rule-based and exact, as long as no door is left open. What is refused: `sorry`, `admit`, axioms,
//! native code, macros, notations, elaborators, commands that begin with `#`, options but those for longer search, and
//! whatever `reject` adds.
//!
//! # Departures
//!
//! Leanabell and DeepSeek-Prover compare texts and search for forbidden words. Besides, the statement is here put before the
//! proof under another name, in an environment that the proof cannot have changed; what was proved must have its type,
//! and Lean itself is asked for the axioms. Proofs whose output is longer than 2000 bytes earn 0. Where Lean is not
//! installed, does not isolate, or runs out of time there is no score. This side of the method was tested with Lean's words, not with
//! Lean.
//!
//! # Example
//!
//! ```yaml
//! use: verify.lean
//! header: import Mathlib
//! project: /opt/mathlib4
//! limits: {wall_s: 120, total_wall_s: 130, cpu_s: 120, memory_mb: 8192}
//! ```
//!
//! ```
//! use guerdon_verify::verify::lean::compose;
//! let statement = "theorem t (n : Nat) : n + 0 = n := by sorry";
//! let file = compose("", statement, "by simp", &[]).unwrap();
//! assert!(file.contains("theorem t (n : Nat) : n + 0 = n := by simp"));
//! assert_eq!(compose("", statement, "by sorry", &[]).unwrap_err(), "`sorry` is refused");
//! ```
//!
//! # References
//!
//! "Leanabell-Prover: Posttraining Scaling in Formal Reasoning", 2025; "DeepSeek-Prover-V1.5: Harnessing Proof Assistant
//! Feedback for Reinforcement Learning and Monte-Carlo Tree Search", 2024; "Training Step-Level Reasoning Verifiers with
//! Formal Verification Tools" (FoVer), 2025.

mod text;

use std::path::{Path, PathBuf};

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use guerdon_sandbox::Limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::code_tests::code_in;
use super::external::{Prover, Said, Tool};
use super::kept::Kept;
use super::{passage, records};
use text::{Statement, axioms};

/// Parameters of `verify.lean`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Lean {
    /// Column with the statement. Default none: the reference.
    pub statement: Option<String>,
    /// Lean code before every statement: imports, `open`. Default empty.
    pub header: String,
    /// Read the proof inside the last pair of this tag; empty for the whole completion. Default empty.
    pub tag: String,
    /// Axioms that a proof may rest on. Default `propext`, `Classical.choice`, `Quot.sound`.
    pub allowed: Vec<String>,
    /// Words that are refused besides those that always are. Default none.
    pub reject: Vec<String>,
    /// The `lean` program, version 4. Default: `lean` on PATH.
    pub lean: PathBuf,
    /// Folder of a built Lake project, such as Mathlib, whose libraries can be imported. Default none.
    pub project: Option<PathBuf>,
    /// What one check may use. Default: 60 s, 4096 MiB.
    pub limits: Limits,
    /// Where the machine does not isolate, run Lean all the same, **with your rights**. Default false.
    pub unsafe_no_sandbox: bool,
}

impl Default for Lean {
    fn default() -> Self {
        Self {
            statement: None,
            header: String::new(),
            tag: String::new(),
            allowed: ["propext", "Classical.choice", "Quot.sound"].map(str::to_owned).to_vec(),
            reject: Vec::new(),
            lean: "lean".into(),
            project: None,
            limits: Limits {
                wall_s: 60.0,
                cpu_s: 120,
                total_wall_s: 70.0,
                memory_mb: 4096,
                open_files: 8192,
                ..Limits::default()
            },
            unsafe_no_sandbox: false,
        }
    }
}

impl Params for Lean {
    fn validate(&self) -> Result<(), ParamError> {
        self.statement.as_ref().map_or(Ok(()), |column| records::named("statement", column))?;
        passage::tag_name("tag", &self.tag)?;
        for (field, value, low, high) in [
            ("wall_s", self.limits.wall_s, 0.01, 3600.0),
            ("cpu_s", self.limits.cpu_s as f64, 1.0, 3600.0),
            ("total_wall_s", self.limits.total_wall_s, 0.01, 86_400.0),
            ("memory_mb", self.limits.memory_mb as f64, 32.0, 1_048_576.0),
        ] {
            ParamError::in_range(field, value, low, high).map_err(|mut error| {
                error.path.insert(0, "limits".to_owned());
                error
            })?;
        }
        Ok(())
    }
}

/// The file that Lean checks for a statement and a proof, or why the proof is refused.
pub fn compose(
    header: &str,
    statement: &str,
    proof: &str,
    reject: &[String],
) -> Result<String, String> {
    Statement::read(statement)?.compose(header, proof, reject)
}

/// The folders of compiled libraries of a Lake project.
fn libraries(project: &Path) -> Vec<PathBuf> {
    let built = |package: &Path| {
        let folders = ["lib/lean", "lib"].map(|inner| package.join(".lake/build").join(inner));
        folders.into_iter().find(|folder| folder.is_dir())
    };
    let packages = std::fs::read_dir(project.join(".lake/packages"));
    let mut folders: Vec<PathBuf> = packages
        .into_iter()
        .flatten()
        .filter_map(|entry| built(&entry.ok()?.path()))
        .chain(built(project))
        .collect();
    folders.sort();
    folders
}

/// The built signal: parameters and the prover.
struct Judge {
    params: Lean,
    prover: Prover,
    /// Why no proof can be checked: the project is not there.
    missing: Option<Unscored>,
    /// Whether Lean accepts a statement alone.
    sound: Kept<bool>,
}

impl Lean {
    fn signal(self) -> Result<Judge, ParamError> {
        self.validate()?;
        // Lean writes its errors to standard output; they are wanted where a run fails.
        let script = "out=$(\"$0\" \"$@\"); code=$?; printf '%s\\n' \"$out\"; \
            [ $code -eq 0 ] || printf '%s\\n' \"$out\" >&2; exit $code";
        let mut command = vec!["/usr/bin/env".to_owned()];
        let (mut folders, mut missing) = (Vec::new(), None);
        if let Some(project) = &self.project {
            let paths: Vec<String> =
                libraries(project).iter().map(|p| p.display().to_string()).collect();
            if paths.is_empty() {
                missing = Some(Unscored::failed(format!(
                    "{} holds no built Lake project: run `lake build` there, or change the parameter `project`",
                    project.display()
                )));
            } else {
                command.push(format!("LEAN_PATH={}", paths.join(":")));
                folders.push(project.clone());
            }
        }
        command.extend(["sh", "-c", script, "{program}", "{file}"].map(str::to_owned));
        let tool = Tool {
            name: "lean",
            program: self.lean.clone(),
            remedy: "install Lean 4 (https://lean-lang.org, `elan`)",
            file: "Main.lean",
            command,
            folders,
            limits: self.limits.clone(),
            unsafe_no_sandbox: self.unsafe_no_sandbox,
        };
        Ok(Judge { params: self, prover: Prover::new(tool), missing, sound: Kept::default() })
    }

    fn proof(&self, text: &str) -> Result<String, String> {
        if text.len() > passage::MAX_BYTES {
            return Err(format!("longer than {} bytes", passage::MAX_BYTES));
        }
        let inside = if self.tag.is_empty() {
            text
        } else {
            let tag = &self.tag;
            passage::tagged(text, tag).ok_or_else(|| format!("there is no <{tag}>…</{tag}>"))?
        };
        let named =
            ["lean4", "lean"].into_iter().find(|name| inside.contains(&format!("```{name}")));
        Ok(code_in(inside, named.unwrap_or("lean4")))
    }

    /// What is wrong with the axioms that Lean names.
    fn fault(&self, output: &str, name: &str) -> Option<String> {
        let Some(axioms) = axioms(output, name) else {
            return Some("Lean does not say which axioms the proof rests on".to_owned());
        };
        let foreign = axioms.into_iter().find(|axiom| !self.allowed.contains(axiom))?;
        Some(format!("rests on the axiom `{foreign}`"))
    }
}

impl Judge {
    fn statement(&self, rollout: &Rollout) -> Result<Statement, Unscored> {
        let value = match &self.params.statement {
            Some(column) => records::value(rollout, column)?,
            None => &rollout.reference,
        };
        let text =
            value.as_str().ok_or_else(|| Unscored::missing("there is no statement to prove"))?;
        Statement::read(text).map_err(|why| Unscored::invalid(format!("the statement: {why}")))
    }

    /// Whether Lean can read the statement itself; asked where a proof of it fails.
    fn is_sound(&self, statement: &Statement) -> Result<bool, Unscored> {
        let control = statement.control(&self.params.header);
        let make = || Ok(matches!(self.prover.run(&control)?, Said::Text(_)));
        self.sound.get(&control, make).map(|sound| *sound)
    }
}

impl Signal for Judge {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let statement = self.statement(rollout)?;
        let composed = self
            .params
            .proof(rollout.text())
            .and_then(|proof| statement.compose(&self.params.header, &proof, &self.params.reject));
        let file = match composed {
            Ok(file) => file,
            Err(why) => return Ok(Score::binary(false).because(why)),
        };
        if let Some(missing) = &self.missing {
            return Err(missing.clone());
        }
        match self.prover.run(&file)? {
            Said::Text(output) => Ok(match self.params.fault(&output, &statement.name) {
                None => Score::binary(true),
                Some(why) => Score::binary(false).because(why),
            }),
            Said::Error(_) if !self.is_sound(&statement)? => Err(Unscored::invalid(
                "Lean cannot read the statement; `header` and `project` say what it needs",
            )),
            Said::Error(message) => {
                let short: String = message.chars().take(300).collect();
                Ok(Score::binary(false).because(format!("is no proof: {short}")))
            }
        }
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Lean: BuiltSignal,
    id: "verify.lean",
    papers: ["leanabell-2025", "rmaxts-2024", "fover-2025"],
    status: Preview,
    laws: [],
    exempt: [
        WhitespaceInvariant: "Without samples, which need Lean, nothing can refute it.",
        CaseInvariant: "Without samples, which need Lean, nothing can refute it.",
    ],
}

#[cfg(test)]
mod tests;
