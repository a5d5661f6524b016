//! Runs the code of the completion on tests, isolated, and scores the share of tests that it passes.
//!
//! The work is done by the crate `guerdon-sandbox`, whose documentation says what is guaranteed: the candidate sees
//! neither the tests nor the expected values, cannot write its verdict, has no network and no file of the host, and
//! ends, with every process it started, at its first limit.
//!
//! # Formula
//!
//! ```text
//! partial         score = passed tests / tests
//! all_or_nothing  score = 1 if every test passed, else 0
//! first_k         score = passed tests among the first k / min(k, tests)
//! ```
//!
//! The code is the last fenced block that names the language; else the last fenced block; else, without any fence, the
//! whole completion. A completion without code scores 0. The shapes of tests that are understood:
//!
//! | shape | mode |
//! |---|---|
//! | list of texts, a text with top-level `assert` lines, `{asserts, setup}`, `{test_list, test_setup_code}` | `assert` |
//! | `{inputs, outputs}`, list of `{input, output}` or `{stdin, stdout}` | `stdio` |
//! | `{fn_name, inputs, outputs}`, list of `{args, expected}` with a name at `entry_point` | `calls` |
//! | a text that defines `check`, `{test, entry_point}`, `{code, entry_point}` | `check` |
//!
//! A text that holds a JSON list or object is read as that.
//!
//! # When to use it
//!
//! For programs with tests: MBPP, HumanEval, APPS, CodeContests, LiveCodeBench and data of the same shapes. `partial`
//! gives weak policies a gradient; `all_or_nothing` is what a benchmark counts, and stops at the first failure.
//! Prefer `stdio` or `calls` where the data allows it: there, the comparison is plain data against plain data.
//!
//! Where the machine does not isolate (no `bwrap`, no user namespaces) or the interpreter is missing, rollouts are
//! unscored with the remedy: never 0, and never run in the open. `unsafe_no_sandbox: true` **runs what a model wrote
//! with your own rights: it can read your keys, delete your files and use your network.** Set it only inside a virtual
//! machine or a container that you can throw away.
//!
//! # Departures
//!
//! - CoCoS and FlowReasoner use the share of tests passed; the raw count that the released CoCoS code uses is that
//!   share times the number of tests.
//! - The output must equal the expected text as a whole; graders that compare line sets, or accept a right prefix, do
//!   more for the candidate.
//! - Returned values are compared with `outputs` as they are. APPS' grader also accepts a value equal to the first
//!   item of a list.
//! - Languages other than Python have `stdio` alone: asserts compiled into the program they judge can be forged.
//!
//! # Example
//!
//! ```yaml
//! use: verify.code_tests
//! tests: test_list
//! score: all_or_nothing
//! limits: {wall_s: 3, memory_mb: 256}
//! ```
//!
//! ```
//! use guerdon_verify::verify::code_tests::code_in;
//! assert_eq!(code_in("So:\n```python\nx = 1\n```\nDone.", "python"), "x = 1\n");
//! ```
//!
//! # References
//!
//! Chen et al., "Evaluating Large Language Models Trained on Code", 2021 (HumanEval); Austin et al., "Program Synthesis
//! with Large Language Models", 2021 (MBPP); Li et al., "Competition-Level Code Generation with AlphaCode", 2022
//! (CodeContests); Cho et al., "Self-Correcting Code Generation Using Small Language Models", 2025 (CoCoS).

mod fence;
mod shapes;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use guerdon_sandbox::{
    Compare, Config, Error, Limits, Runner, Sandbox, Scoring, Task, TestOutcome, builtin_languages,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::column::lookup;
use super::records;
pub use fence::code_in;

/// The kinds of test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Python statements, one test each (MBPP).
    Assert,
    /// A program reads standard input and writes standard output (CodeContests).
    Stdio,
    /// A function is called with JSON values and returns one (LiveCodeBench).
    Calls,
    /// Python code that defines `check(candidate)` (HumanEval).
    Check,
}

/// From the outcomes of the tests to the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The share of the tests that passed.
    #[default]
    Partial,
    /// 1 if every test passed, else 0; tests after the first failure are not run.
    AllOrNothing,
    /// The share among the first `k` tests; the others are not run.
    FirstK,
}

/// Parameters of `verify.code_tests`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CodeTests {
    /// Column with the tests; `outer.inner` reaches into objects. Default: the rollout's reference.
    pub tests: Option<String>,
    /// The kind of test: `assert`, `stdio`, `calls` or `check`. Default: guessed from the shape of each row's tests.
    pub mode: Option<Mode>,
    /// Language of the code: `python` (default), `cpp`, `rust`, `javascript`, `bash`, or a name of `runners`. All but
    /// `python` take `stdio` tests alone.
    pub language: String,
    /// How the outcomes become a score. Default `partial`.
    pub score: Rule,
    /// The number of tests that `first_k` runs, at least 1. Default: none; required there and refused elsewhere.
    #[schemars(range(min = 1))]
    pub k: Option<u32>,
    /// Column with the name of the function under test, for tests that do not hold it. Default `entry_point`; rows
    /// need not have it unless their kind of test does (`check`, `calls`).
    pub entry_point: String,
    /// Column with Python code that runs before the asserts, where the candidate cannot see it: imports and helpers
    /// of the tests (MBPP's `test_setup_code`). Default: none.
    pub setup: Option<String>,
    /// Column with Python code that runs before the candidate's own, in its process: imports, given classes. The
    /// candidate can read and change it. Default: none.
    pub prelude: Option<String>,
    /// What of a program's output and the expected text must be equal: `lines` (default; white space at line ends
    /// and empty lines at the end do not count) or `words` (any white space counts as one space).
    pub compare: Compare,
    /// Where set, floating-point numbers of `stdio` and `calls` may differ by this much, absolute or relative; 0 to 1.
    /// Default: none, they must be equal.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub float_tolerance: Option<f64>,
    /// What one completion may use.
    pub limits: Limits,
    /// Completions judged at the same time at most, 0 to 1024. 0 (default): two per available core.
    #[schemars(range(max = 1024))]
    pub workers: usize,
    /// Python interpreter, 3.8 or later; its packages can be imported. Default: `python3` on PATH.
    pub python: Option<PathBuf>,
    /// More languages by name: how their code is compiled and run. Default: none.
    pub runners: BTreeMap<String, Runner>,
    /// Where the machine does not isolate, run the model's code all the same, **with your rights**: your files, your
    /// network, your processes are open to it. Default false: such rollouts are unscored.
    pub unsafe_no_sandbox: bool,
}

impl Default for CodeTests {
    fn default() -> Self {
        Self {
            tests: None,
            mode: None,
            language: "python".to_owned(),
            score: Rule::default(),
            k: None,
            entry_point: "entry_point".to_owned(),
            setup: None,
            prelude: None,
            compare: Compare::default(),
            float_tolerance: None,
            limits: Limits::default(),
            workers: 0,
            python: None,
            runners: BTreeMap::new(),
            unsafe_no_sandbox: false,
        }
    }
}

impl Params for CodeTests {
    fn validate(&self) -> Result<(), ParamError> {
        self.check_columns()?;
        self.check_language()?;
        self.check_rule()?;
        in_range("float_tolerance", self.float_tolerance.unwrap_or(0.0), 0.0, 1.0)?;
        in_range("workers", self.workers as f64, 0.0, 1024.0)?;
        check_limits(&self.limits)
    }
}

fn in_range(field: &str, value: f64, low: f64, high: f64) -> Result<(), ParamError> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(ParamError::new(field, format!("`{field}` is {value}; it must be from {low} to {high}")))
}

fn check_limits(limits: &Limits) -> Result<(), ParamError> {
    for (field, value, low, high) in [
        ("wall_s", limits.wall_s, 0.01, 3600.0),
        ("cpu_s", limits.cpu_s as f64, 1.0, 3600.0),
        ("total_wall_s", limits.total_wall_s, 0.01, 86_400.0),
        ("compile_wall_s", limits.compile_wall_s, 0.01, 3600.0),
        ("memory_mb", limits.memory_mb as f64, 32.0, 1_048_576.0),
        ("processes", limits.processes as f64, 1.0, 65_536.0),
        ("file_mb", limits.file_mb as f64, 0.0, 65_536.0),
        ("open_files", limits.open_files as f64, 16.0, 65_536.0),
        ("output_kb", limits.output_kb as f64, 1.0, 1_048_576.0),
    ] {
        in_range(field, value, low, high).map_err(|mut error| {
            error.path.insert(0, "limits".to_owned());
            error
        })?;
    }
    Ok(())
}

impl CodeTests {
    fn check_columns(&self) -> Result<(), ParamError> {
        records::named("entry_point", &self.entry_point)?;
        let optional = [("tests", &self.tests), ("setup", &self.setup), ("prelude", &self.prelude)];
        for (field, column) in optional {
            column.as_ref().map_or(Ok(()), |column| records::named(field, column))?;
        }
        Ok(())
    }

    fn check_language(&self) -> Result<(), ParamError> {
        if self.language == "python" {
            return Ok(());
        }
        let known = builtin_languages().contains(&self.language.as_str())
            || self.runners.contains_key(&self.language);
        if !known {
            let message = format!(
                "`{}` has no runner; there are python, {}, and what `runners` adds",
                self.language,
                builtin_languages().join(", ")
            );
            return Err(ParamError::new("language", message));
        }
        if self.mode.is_some_and(|mode| mode != Mode::Stdio) {
            return Err(ParamError::new("mode", "languages other than python have `stdio` alone"));
        }
        Ok(())
    }

    fn check_rule(&self) -> Result<(), ParamError> {
        match (self.score, self.k) {
            (Rule::FirstK, None) => Err(ParamError::new("k", "`first_k` needs `k`")),
            (_, Some(0)) => Err(ParamError::new("k", "`k` must be at least 1")),
            (Rule::Partial | Rule::AllOrNothing, Some(_)) => {
                Err(ParamError::new("k", "`k` is for `score: first_k`"))
            }
            _ => Ok(()),
        }
    }

    fn scoring(&self) -> Scoring {
        match self.score {
            Rule::Partial => Scoring::Partial,
            Rule::AllOrNothing => Scoring::AllOrNothing,
            Rule::FirstK => Scoring::FirstK(self.k.unwrap_or(1)),
        }
    }

    fn config(&self) -> Config {
        Config {
            workers: self.workers,
            limits: self.limits.clone(),
            python: self.python.clone(),
            runners: self.runners.clone(),
            unsafe_no_sandbox: self.unsafe_no_sandbox,
            ..Config::default()
        }
    }

    /// The task of a rollout whose code is `source`.
    fn task(&self, rollout: &Rollout, source: String) -> Result<Task, Unscored> {
        let tests = match &self.tests {
            Some(column) => records::value(rollout, column)?,
            None if rollout.reference.is_null() => {
                return Err(Unscored::missing(
                    "there are no tests: map `reference` in the spec, or name their column in `tests`",
                ));
            }
            None => &rollout.reference,
        };
        let reading = shapes::Reading {
            mode: self.mode,
            setup: optional_text(rollout, self.setup.as_deref())?,
            entry_point: lookup(rollout, &self.entry_point).and_then(Value::as_str),
            compare: self.compare,
            float_tolerance: self.float_tolerance,
        };
        Ok(Task {
            prelude: optional_text(rollout, self.prelude.as_deref())?,
            scoring: self.scoring(),
            ..Task::new(self.language.clone(), source, reading.read(tests)?)
        })
    }

    /// The signal; its sandbox starts with the first completion that has code and tests.
    fn signal(self) -> Result<Judge, ParamError> {
        self.validate()?;
        Ok(Judge { params: self, sandbox: OnceLock::new() })
    }
}

/// The text of a column; empty where no column is named or the row's value is null.
fn optional_text(rollout: &Rollout, column: Option<&str>) -> Result<String, Unscored> {
    match column.map(|column| (column, lookup(rollout, column))) {
        None | Some((_, Some(Value::Null))) => Ok(String::new()),
        Some((_, Some(Value::String(text)))) => Ok(text.clone()),
        Some((column, None)) => records::value(rollout, column).map(|_| String::new()),
        Some((column, Some(_))) => {
            Err(Unscored::invalid(format!("column `{column}`: expected a text")))
        }
    }
}

/// The built signal: parameters and the sandbox that all its rollouts share.
struct Judge {
    params: CodeTests,
    sandbox: OnceLock<Result<Sandbox, Unscored>>,
}

impl Judge {
    fn sandbox(&self) -> Result<&Sandbox, Unscored> {
        let start = || Sandbox::new(self.params.config()).map_err(|error| unscored(&error));
        self.sandbox.get_or_init(start).as_ref().map_err(Clone::clone)
    }
}

impl Signal for Judge {
    fn score(&self, rollout: &Rollout) -> Outcome {
        let source = code_in(rollout.text(), &self.params.language);
        let empty = source.trim().is_empty();
        let task = self.params.task(rollout, source)?;
        if empty {
            return Ok(Score::binary(false).because("the completion holds no code"));
        }
        let sandbox = self.sandbox()?;
        let outcome = sandbox.run(&task).map_err(|error| unscored(&error))?;
        told(&outcome, sandbox.is_isolated())
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

/// A fault of the task is the data's; any other is the machine's.
fn unscored(error: &Error) -> Unscored {
    if error.is_task() {
        return Unscored::invalid(error.to_string());
    }
    Unscored::failed(error.to_string())
}

fn told(outcome: &guerdon_sandbox::Outcome, isolated: bool) -> Outcome {
    let mut score = Score::new(outcome.score)?;
    let mut words = Vec::new();
    for (i, test) in outcome.tests.iter().enumerate() {
        if *test == TestOutcome::NotRun {
            continue;
        }
        score.parts.push((format!("test_{}", i + 1), f64::from(u8::from(test.is_passed()))));
        if !test.is_passed() && words.is_empty() {
            words.push(format!("test {} of {}: {}", i + 1, outcome.tests.len(), why(test)));
        }
    }
    if !isolated {
        words.push("run WITHOUT isolation (`unsafe_no_sandbox`)".to_owned());
    }
    Ok(if words.is_empty() { score } else { score.because(words.join("; ")) })
}

/// Most characters of a candidate's message that an explanation repeats.
const MESSAGE: usize = 300;

fn why(test: &TestOutcome) -> String {
    let with = |what: &str, said: &str| {
        let cut: String = said.chars().take(MESSAGE).collect();
        if cut.is_empty() { what.to_owned() } else { format!("{what}: {cut}") }
    };
    match test {
        TestOutcome::Passed => "passed".to_owned(),
        TestOutcome::WrongAnswer { detail } => with("wrong answer", detail),
        TestOutcome::Exception { message } => with("exception", last_line(message)),
        TestOutcome::Timeout => "out of time".to_owned(),
        TestOutcome::MemoryLimit => "out of memory".to_owned(),
        TestOutcome::OutputLimit => "too much output".to_owned(),
        TestOutcome::Killed { signal } => format!("ended by signal {signal}"),
        TestOutcome::CompileError { message } => with("does not compile", message),
        TestOutcome::Violation { message } => with("tampering", message),
        TestOutcome::NotRun => "not run".to_owned(),
    }
}

/// The line of a traceback that names the exception.
fn last_line(message: &str) -> &str {
    message.trim_end().lines().last().unwrap_or_default()
}

guerdon_core::method! {
    CodeTests: BuiltSignal,
    id: "verify.code_tests",
    papers: ["cocos-2025", "flowreasoner-2025"],
    status: Verified(Reference("the solutions, and mutations of them, of MBPP, HumanEval and CodeContests rows")),
    laws: [WhitespaceInvariant],
    exempt: [],
    sample_params: r#"{"limits": {"wall_s": 1, "cpu_s": 1, "memory_mb": 128}}"#,
    samples: [
        r#"{"prompt": "Write add(a, b).", "completion": "```python\ndef add(a, b):\n    return a + b\n```", "reference": ["assert add(1, 2) == 3", "assert add(-1, 1) == 0"]}"#,
        r#"{"prompt": "Print the sum of the line.", "completion": "print(sum(map(int, input().split())))", "reference": {"inputs": ["1 2\n", "5\n"], "outputs": ["3\n", "5\n"]}}"#,
        r#"{"prompt": "Write twice(x).", "completion": "Here:\n```\nclass Solution:\n    def twice(self, x):\n        return 2 * x\n```", "reference": {"fn_name": "twice", "inputs": [[2], ["ab"]], "outputs": [4, "abab"]}}"#,
        r#"{"prompt": "Write inc(x).", "completion": "```py\ndef inc(x):\n    return x + 1\n```", "reference": {"test": "def check(candidate):\n    assert candidate(1) == 2\n", "entry_point": "inc"}}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{CodeTests, Rule, why};
    use guerdon_core::method::{Signal as _, parse};
    use guerdon_core::{Rollout, UnscoredKind};
    use guerdon_sandbox::TestOutcome;
    use serde_json::{Value, json};

    fn refused(params: Value, at: &str) {
        let error = parse::<CodeTests>(params).expect_err("refused");
        assert_eq!(error.path.join("."), at, "{}", error.message);
    }

    #[test]
    fn ranges_and_combinations() {
        refused(json!({"limits": {"wall_s": 0}}), "limits.wall_s");
        refused(json!({"limits": {"memory_mb": 1}}), "limits.memory_mb");
        refused(json!({"float_tolerance": 2.0}), "float_tolerance");
        refused(json!({"score": "first_k"}), "k");
        refused(json!({"k": 2}), "k");
        refused(json!({"language": "cobol"}), "language");
        refused(json!({"language": "cpp", "mode": "assert"}), "mode");
        refused(json!({"tests": ""}), "tests");
    }

    /// What is decided before any sandbox starts.
    fn early(completion: &str, reference: Value) -> Result<f64, UnscoredKind> {
        let judge = CodeTests::default().signal().unwrap();
        let rollout = Rollout { reference, ..Rollout::new("", completion, "") };
        let outcome = judge.score(&rollout);
        assert!(judge.sandbox.get().is_none(), "no sandbox is needed");
        outcome.map(|score| score.value()).map_err(|why| why.kind)
    }

    #[test]
    fn what_needs_no_sandbox_starts_none() {
        assert_eq!(early("", json!(["assert f() == 1"])), Ok(0.0));
        assert_eq!(early("```python\n```", json!(["assert f() == 1"])), Ok(0.0));
        assert_eq!(early("x = 1", Value::Null), Err(UnscoredKind::Missing));
        assert_eq!(early("x = 1", json!([])), Err(UnscoredKind::Missing));
        assert_eq!(early("x = 1", json!("Paris")), Err(UnscoredKind::Invalid));
        assert_eq!(early("x = 1", json!(7)), Err(UnscoredKind::Invalid));
    }

    #[test]
    fn the_rule_of_the_score() {
        let params = CodeTests { score: Rule::FirstK, k: Some(3), ..CodeTests::default() };
        assert_eq!(params.scoring(), guerdon_sandbox::Scoring::FirstK(3));
    }

    #[test]
    fn a_missing_interpreter_is_no_score_but_a_remedy() {
        let params = CodeTests { python: Some("/no/such/python".into()), ..CodeTests::default() };
        let judge = params.signal().unwrap();
        let reference = json!(["assert f() == 1"]);
        let rollout = Rollout { reference, ..Rollout::new("", "def f(): return 1", "") };
        let why = judge.score(&rollout).unwrap_err();
        assert_eq!(why.kind, UnscoredKind::Failed, "{why}");
        assert!(why.detail.contains("install"), "{why}");
    }

    #[test]
    fn an_explanation_is_short() {
        let message = format!("Traceback\n  File\nValueError: {}", "x".repeat(5000));
        let text = why(&TestOutcome::Exception { message });
        assert!(text.starts_with("exception: ValueError: xxx") && text.len() < 400, "{text}");
    }
}
