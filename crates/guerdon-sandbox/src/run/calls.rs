//! Function calls with JSON values: this process asks and compares, the candidate answers.

use std::os::fd::{AsFd, OwnedFd};

use serde_json::{Value, json};

use super::Session;
use crate::compare::same_value;
use crate::error::Result;
use crate::outcome::{TestOutcome, head};
use crate::task::CallCase;
use crate::wire::{self, Received};
use crate::worker::Process;

/// A candidate that waits for calls.
struct Server {
    process: Process,
    channel: OwnedFd,
}

/// What came of one exchange.
enum Answer {
    Value(Value),
    /// The candidate lives on and may be asked again.
    Failed(TestOutcome),
    /// The candidate must be ended; the outcome, where it does not depend on how it ends.
    Over(Option<TestOutcome>),
}

impl Session<'_> {
    pub(super) fn calls(
        &mut self,
        cases: &[CallCase],
        function: &str,
        tolerance: Option<f64>,
    ) -> Result<Vec<TestOutcome>> {
        let mut outcomes = Vec::with_capacity(cases.len());
        let mut server = None;
        for case in cases {
            if self.is_decided(&outcomes) {
                break;
            }
            if self.is_over() {
                outcomes.push(TestOutcome::Timeout);
                continue;
            }
            let current = match server.take() {
                Some(server) => server,
                None => match self.serve()? {
                    Ok(server) => server,
                    Err(outcome) => {
                        outcomes.resize(cases.len(), outcome);
                        break;
                    }
                },
            };
            let request = json!({"op": "function", "name": function, "args": plain(&case.args)});
            match self.exchange(&current, &request)? {
                Answer::Value(value) => {
                    outcomes.push(verdict(&value, &case.expected, tolerance));
                    server = Some(current);
                }
                Answer::Failed(outcome) => {
                    outcomes.push(outcome);
                    server = Some(current);
                }
                Answer::Over(outcome) => outcomes.push(self.close(&current, outcome)?),
            }
        }
        if let Some(server) = server {
            self.finish(&server.process)?;
        }
        Ok(outcomes)
    }

    /// A candidate whose code is loaded, or why it cannot be.
    fn serve(&mut self) -> Result<Result<Server, TestOutcome>> {
        let (channel, theirs) = wire::stream_pair()?;
        let process = self.spawn(&self.serve_job(), &[theirs.as_fd()])?;
        self.worker.prepare(1)?;
        drop(theirs);
        let server = Server { process, channel };
        match self.exchange(&server, &json!({"wanted": []}))? {
            Answer::Value(_) => Ok(Ok(server)),
            Answer::Failed(outcome) => {
                self.finish(&server.process)?;
                Ok(Err(outcome))
            }
            Answer::Over(outcome) => Ok(Err(self.close(&server, outcome)?)),
        }
    }

    fn close(&mut self, server: &Server, outcome: Option<TestOutcome>) -> Result<TestOutcome> {
        let ended = self.finish(&server.process)?;
        Ok(outcome.unwrap_or_else(|| self.ended_early(&ended)))
    }

    fn exchange(&self, server: &Server, request: &Value) -> Result<Answer> {
        let deadline = self.test_deadline();
        wire::send(&server.channel, request, deadline)?;
        Ok(match wire::receive(&server.channel, deadline, &mut self.watch())? {
            Received::Message(mut message) => match message["err"].take() {
                Value::Null => answer(message),
                error => Answer::Failed(failure(&error)),
            },
            Received::Closed => Answer::Over(None),
            Received::Late => Answer::Over(Some(TestOutcome::Timeout)),
            Received::Heavy => Answer::Over(Some(TestOutcome::MemoryLimit)),
            Received::TooLarge => Answer::Over(Some(TestOutcome::OutputLimit)),
            Received::Broken(message) => Answer::Over(Some(TestOutcome::Violation { message })),
        })
    }
}

fn answer(message: Value) -> Answer {
    match message {
        Value::Object(mut fields) if fields.contains_key("ok") => {
            Answer::Value(fields.remove("ok").unwrap_or_default())
        }
        _ => {
            let message = "an answer without a value".to_owned();
            Answer::Over(Some(TestOutcome::Violation { message }))
        }
    }
}

fn failure(error: &Value) -> TestOutcome {
    let text = |key: &str| head(error[key].as_str().unwrap_or_default().as_bytes());
    match text("type").as_str() {
        "MemoryError" => TestOutcome::MemoryLimit,
        "Oversize" => TestOutcome::OutputLimit,
        kind => TestOutcome::Exception {
            message: format!("{kind}: {}", text("msg")).trim_end_matches(": ").to_owned(),
        },
    }
}

fn verdict(actual: &Value, expected: &Value, tolerance: Option<f64>) -> TestOutcome {
    if same_value(actual, expected, tolerance) {
        return TestOutcome::Passed;
    }
    TestOutcome::WrongAnswer { detail: head(actual.to_string().as_bytes()) }
}

/// JSON values in the wire form of `plain.py`: only objects differ.
fn plain(values: &[Value]) -> Vec<Value> {
    values.iter().map(plain_value).collect()
}

/// The depth of a JSON value is bounded by its parser.
fn plain_value(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(plain(items)),
        Value::Object(fields) => {
            let pairs: Vec<Value> =
                fields.iter().map(|(k, v)| json!([k, plain_value(v)])).collect();
            json!({"t": "d", "v": pairs})
        }
        other => other.clone(),
    }
}
