//! Reading tests of the shapes that data sets have.

use guerdon_core::Unscored;
use guerdon_sandbox::{CallCase, Compare, StdioCase, Tests};
use serde_json::{Map, Value};

use super::super::records::list;
use super::Mode;

/// What, besides the tests of a row, decides how they are read.
pub(super) struct Reading<'a> {
    /// The kind of test; `None` guesses.
    pub(super) mode: Option<Mode>,
    /// Code before the asserts.
    pub(super) setup: String,
    /// The function under test, where the row names it.
    pub(super) entry_point: Option<&'a str>,
    /// How output is compared.
    pub(super) compare: Compare,
    /// How far floating-point numbers may differ.
    pub(super) float_tolerance: Option<f64>,
}

impl Reading<'_> {
    /// The tests in `value`. A text that holds a JSON list or object is read as that.
    pub(super) fn read(&self, value: &Value) -> Result<Tests, Unscored> {
        let parsed = value.as_str().and_then(json_in);
        let value = parsed.as_ref().unwrap_or(value);
        match self.mode.map_or_else(|| guess(value), Ok)? {
            Mode::Assert => self.asserts(value),
            Mode::Stdio => self.stdio(value),
            Mode::Calls => self.calls(value),
            Mode::Check => self.check(value),
        }
    }

    fn asserts(&self, value: &Value) -> Result<Tests, Unscored> {
        let own = first(value, &["setup", "test_setup_code"]).map_or(Ok(""), text)?;
        let given = first(value, &["asserts", "test_list"]).unwrap_or(value);
        let asserts = match given {
            Value::String(script) => statements(script),
            other => {
                list(other)?.iter().map(|t| text(t).map(str::to_owned)).collect::<Result<_, _>>()?
            }
        };
        if asserts.is_empty() {
            return Err(Unscored::invalid(
                "the text of the tests has no `assert` at the start of a line",
            ));
        }
        let setup = [self.setup.as_str(), own].into_iter().filter(|s| !s.is_empty());
        Ok(Tests::Asserts {
            asserts,
            setup: setup.collect::<Vec<_>>().join("\n"),
            entry_point: self.function(value).ok(),
        })
    }

    fn check(&self, value: &Value) -> Result<Tests, Unscored> {
        let code = text(first(value, &["test", "code", "check"]).unwrap_or(value))?;
        let code = [self.setup.as_str(), code].join("\n");
        Ok(Tests::Check { code, entry_point: self.function(value)? })
    }

    fn stdio(&self, value: &Value) -> Result<Tests, Unscored> {
        let cases = pairs(value)?
            .into_iter()
            .map(|(i, o)| {
                Ok(StdioCase { stdin: stream(i, "stdin")?, stdout: stream(o, "stdout")? })
            })
            .collect::<Result<_, Unscored>>()?;
        let (compare, float_tolerance) = (self.compare, self.float_tolerance);
        Ok(Tests::Stdio { cases, compare, float_tolerance })
    }

    fn calls(&self, value: &Value) -> Result<Tests, Unscored> {
        let cases = pairs(value)?.into_iter().map(call).collect::<Result<_, _>>()?;
        let float_tolerance = self.float_tolerance;
        Ok(Tests::Calls { function: self.function(value)?, cases, float_tolerance })
    }

    fn function(&self, value: &Value) -> Result<String, Unscored> {
        first(value, &["fn_name", "entry_point"])
            .and_then(Value::as_str)
            .or(self.entry_point)
            .map(str::to_owned)
            .ok_or_else(|| {
                Unscored::missing(
                    "the tests do not name the function under test: add `entry_point` to them, or name its column",
                )
            })
    }
}

/// The list or object that a text holds.
fn json_in(text: &str) -> Option<Value> {
    let opens = text.trim_start().starts_with(['[', '{']);
    opens.then(|| serde_json::from_str(text).ok()).flatten()
}

fn guess(value: &Value) -> Result<Mode, Unscored> {
    match value {
        Value::String(script) if script.contains("def check(") => Ok(Mode::Check),
        Value::String(_) => Ok(Mode::Assert),
        Value::Array(items) => match items.first() {
            None => Err(Unscored::missing("the list of tests is empty")),
            Some(Value::String(_)) => Ok(Mode::Assert),
            Some(Value::Object(case)) if is_call(case) => Ok(Mode::Calls),
            Some(Value::Object(_)) => Ok(Mode::Stdio),
            Some(_) => Err(unknown()),
        },
        Value::Object(fields) => guess_object(fields),
        _ => Err(unknown()),
    }
}

fn guess_object(fields: &Map<String, Value>) -> Result<Mode, Unscored> {
    let has = |keys: &[&str]| keys.iter().any(|key| fields.get(*key).is_some_and(|v| !v.is_null()));
    if has(&["fn_name"]) {
        Ok(Mode::Calls)
    } else if has(&["inputs", "input"]) {
        Ok(Mode::Stdio)
    } else if has(&["asserts", "test_list"]) {
        Ok(Mode::Assert)
    } else if has(&["test", "code", "check"]) {
        Ok(Mode::Check)
    } else {
        Err(unknown())
    }
}

fn is_call(case: &Map<String, Value>) -> bool {
    case.contains_key("args") || case.get("testtype").is_some_and(|t| t == "functional")
}

fn unknown() -> Unscored {
    Unscored::invalid(
        "the tests have no known shape: a list of asserts, {inputs, outputs}, a list of {input, output}, \
         {fn_name, inputs, outputs}, or {test, entry_point}",
    )
}

/// The first of `keys` that an object has, null not counted.
fn first<'a>(value: &'a Value, keys: &[&str]) -> Option<&'a Value> {
    keys.iter().find_map(|key| value.get(*key).filter(|v| !v.is_null()))
}

fn text(value: &Value) -> Result<&str, Unscored> {
    value
        .as_str()
        .ok_or_else(|| Unscored::invalid("the tests hold something else where a text belongs"))
}

/// Cuts a script into tests, each ending with an `assert` at the start of a line; a rest belongs to the last one.
fn statements(script: &str) -> Vec<String> {
    let mut tests: Vec<String> = Vec::new();
    let mut pending = String::new();
    let mut in_assert = false;
    for line in script.lines() {
        let starts = line.starts_with("assert");
        let continues = line.starts_with([' ', '\t', ')', ']', '}']) || line.is_empty();
        if starts {
            tests.push(std::mem::take(&mut pending) + line);
        } else if let (true, true, Some(last)) = (in_assert, continues, tests.last_mut()) {
            last.push('\n');
            last.push_str(line);
        } else {
            pending.push_str(line);
            pending.push('\n');
        }
        in_assert = starts || (in_assert && continues);
    }
    if let Some(last) = tests.last_mut().filter(|_| !pending.is_empty()) {
        last.push('\n');
        last.push_str(&pending);
    }
    tests
}

/// Inputs with their outputs, at least one.
fn pairs(value: &Value) -> Result<Vec<(&Value, &Value)>, Unscored> {
    let ends = ["inputs", "input"].iter().zip(["outputs", "output"]);
    for (inputs, outputs) in ends {
        if let (Some(inputs), Some(outputs)) = (value.get(inputs), value.get(outputs)) {
            return zipped(list(inputs)?, list(outputs)?);
        }
    }
    list(first(value, &["cases", "tests"]).unwrap_or(value))?.iter().map(pair).collect()
}

fn zipped<'a>(i: &'a [Value], o: &'a [Value]) -> Result<Vec<(&'a Value, &'a Value)>, Unscored> {
    if i.len() == o.len() {
        return Ok(i.iter().zip(o).collect());
    }
    Err(Unscored::invalid(format!("the tests have {} inputs and {} outputs", i.len(), o.len())))
}

fn pair(case: &Value) -> Result<(&Value, &Value), Unscored> {
    first(case, &["input", "stdin", "args"])
        .zip(first(case, &["output", "stdout", "expected", "expected_output"]))
        .ok_or_else(|| Unscored::invalid("a test has no `input` and `output`"))
}

/// What flows through a stream: a text, a list of lines, or an object that holds it.
fn stream(value: &Value, key: &str) -> Result<String, Unscored> {
    match value.get(key).unwrap_or(value) {
        Value::String(text) => Ok(text.clone()),
        Value::Array(lines) => {
            Ok(lines.iter().map(text).collect::<Result<Vec<_>, _>>()?.join("\n"))
        }
        _ => Err(Unscored::invalid(format!("a test's {key} must be a text or a list of lines"))),
    }
}

/// A list holds the arguments; a text holds one JSON value per line, and then the expected text is JSON, too.
fn call((input, output): (&Value, &Value)) -> Result<CallCase, Unscored> {
    match input {
        Value::Array(args) => Ok(CallCase { args: args.clone(), expected: output.clone() }),
        Value::String(lines) => Ok(CallCase {
            args: lines.lines().map(json_value).collect::<Result<_, _>>()?,
            expected: output.as_str().map_or_else(|| Ok(output.clone()), json_value)?,
        }),
        _ => Err(Unscored::invalid("the input of a call must be a list of arguments")),
    }
}

fn json_value(text: &str) -> Result<Value, Unscored> {
    serde_json::from_str(text)
        .map_err(|e| Unscored::invalid(format!("an argument or expected value is not JSON: {e}")))
}

#[cfg(test)]
mod tests {
    use super::{Mode, Reading, statements};
    use guerdon_sandbox::{Compare, Tests};
    use serde_json::{Value, json};

    fn read(value: &Value, mode: Option<Mode>) -> Result<Tests, String> {
        let reading = Reading {
            mode,
            setup: String::new(),
            entry_point: None,
            compare: Compare::Lines,
            float_tolerance: None,
        };
        reading.read(value).map_err(|why| why.detail)
    }

    fn check(value: &Value, kind: &str, count: usize) {
        let tests = read(value, None).unwrap_or_else(|why| panic!("{value}: {why}"));
        assert_eq!(serde_json::to_value(&tests).unwrap()["kind"], kind, "{value}");
        assert_eq!(tests.len(), count, "{value}");
    }

    #[test]
    fn the_kind_is_guessed_from_the_shape() {
        check(&json!(["assert f(1) == 2", "assert f(2) == 3"]), "asserts", 2);
        check(&json!("import math\nassert f(1) == 2\nassert f(2) == 3"), "asserts", 2);
        check(&json!({"test_list": ["assert f() == 1"], "test_setup_code": "x = 1"}), "asserts", 1);
        check(&json!({"inputs": ["1", "2"], "outputs": ["1", "2"]}), "stdio", 2);
        check(&json!({"fn_name": null, "inputs": ["1"], "outputs": ["1"]}), "stdio", 1);
        check(&json!([{"input": "1", "output": "2"}]), "stdio", 1);
        check(&json!([{"input": {"stdin": "1"}, "output": {"stdout": "2"}}]), "stdio", 1);
        check(&json!({"fn_name": "f", "inputs": [[1]], "outputs": [2]}), "calls", 1);
        check(&json!({"fn_name": "f", "inputs": ["1\n[2]"], "outputs": ["3"]}), "calls", 1);
        check(&json!({"test": "def check(f): pass", "entry_point": "f"}), "check", 1);
        check(&json!("[\"assert f() == 1\"]"), "asserts", 1);
    }

    fn refused(value: &Value, mode: Option<Mode>, part: &str) {
        let why = read(value, mode).expect_err("refused");
        assert!(why.contains(part), "{value}: {why}");
    }

    #[test]
    fn what_is_wrong_is_said() {
        refused(&json!("Paris"), None, "no `assert`");
        refused(&json!({"inputs": ["1"], "outputs": []}), None, "empty");
        refused(&json!({"inputs": ["1", "2"], "outputs": ["1"]}), None, "2 inputs and 1 outputs");
        refused(&json!("def check(f): pass"), None, "entry_point");
        refused(&json!({"answer": 1}), None, "no known shape");
        refused(&json!(["a"]), Some(Mode::Stdio), "no `input`");
        refused(&json!({"fn_name": "f", "inputs": ["x"], "outputs": ["1"]}), None, "not JSON");
    }

    #[test]
    fn a_script_is_cut_after_its_asserts() {
        let script = "import math\n\nassert f(\n  1\n) == 2\nx = f(2)\nassert x == 3\nprint(x)\n";
        let expect =
            ["import math\n\nassert f(\n  1\n) == 2", "x = f(2)\nassert x == 3\nprint(x)\n"];
        assert_eq!(statements(script), expect);
        assert!(statements("x = 1").is_empty());
    }
}
