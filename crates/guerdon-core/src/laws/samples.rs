//! Reading the samples that a method registers.

use serde_json::{Map, Value};

use crate::{LogProbs, Message, Method, Rollout, Step, Text, ToolCall};

/// The parameters that the laws use for a method.
pub(super) fn params(method: Method) -> Result<Value, String> {
    serde_json::from_str(method.sample_params).map_err(|error| {
        format!("`sample_params` is not JSON: {error}\n  {}", method.sample_params)
    })
}

/// The samples as JSON values.
pub(super) fn values(method: Method) -> Result<Vec<Value>, String> {
    let parse = |(k, text): (usize, &&str)| {
        serde_json::from_str(text)
            .map_err(|error| format!("sample {k} is not JSON: {error}\n  {text}"))
    };
    method.samples.iter().enumerate().map(parse).collect()
}

/// The samples as groups of rollouts, the one that earns the maximum first.
///
/// A sample is one rollout, or a list: the first one and the others of its group.
pub(super) fn groups(method: Method) -> Result<Vec<Vec<Rollout>>, String> {
    let read = |(k, value)| match value {
        Value::Array(items) => items.into_iter().map(|item| rollout(k, item)).collect(),
        other => Ok(vec![rollout(k, other)?]),
    };
    values(method)?.into_iter().enumerate().map(read).collect()
}

/// One rollout. Every key is a column as well; what is given under `columns` is added to them.
fn rollout(k: usize, value: Value) -> Result<Rollout, String> {
    let Value::Object(mut fields) = value else {
        return Err(format!("sample {k} must be an object (or a list of objects), not {value}"));
    };
    let mut columns = match fields.remove("columns") {
        Some(Value::Object(columns)) => columns,
        None => Map::new(),
        Some(other) => return Err(format!("sample {k}: `columns` must be an object, not {other}")),
    };
    columns.extend(fields.clone());
    let mut reader = Reader { k, fields };
    Ok(Rollout {
        id: reader.take::<Option<String>>("id")?.unwrap_or_else(|| k.to_string()),
        group: reader.take::<Option<String>>("group")?.unwrap_or_else(|| k.to_string()),
        prompt: reader.take::<Option<Text>>("prompt")?.unwrap_or_default(),
        completion: reader.take::<Option<Text>>("completion")?.unwrap_or_default(),
        steps: reader.steps()?,
        turns: reader.take::<Option<Vec<Message>>>("turns")?.unwrap_or_default(),
        tool_calls: reader.take::<Option<Vec<ToolCall>>>("tool_calls")?.unwrap_or_default(),
        logprobs: reader.take::<Option<LogProbs>>("logprobs")?,
        tokens: reader.take("tokens")?,
        confidence: reader.take("confidence")?,
        reference: reader.fields.remove("reference").unwrap_or_default(),
        columns,
    })
}

struct Reader {
    k: usize,
    fields: Map<String, Value>,
}

impl Reader {
    fn take<T: serde::de::DeserializeOwned>(&mut self, field: &str) -> Result<T, String> {
        let value = self.fields.remove(field).unwrap_or_default();
        serde_json::from_value(value)
            .map_err(|error| format!("sample {}: `{field}`: {error}", self.k))
    }

    /// Steps are texts, or objects with `text` and `label`.
    fn steps(&mut self) -> Result<Vec<Step>, String> {
        let items: Vec<Value> = self.take::<Option<_>>("steps")?.unwrap_or_default();
        let read = |item| match item {
            Value::String(text) => Ok(Step { text, label: None }),
            other => serde_json::from_value(other)
                .map_err(|error| format!("sample {}: `steps`: {error}", self.k)),
        };
        items.into_iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::rollout;
    use serde_json::json;

    #[test]
    fn a_sample_becomes_a_rollout() {
        let sample = json!({"completion": "x", "steps": ["a", {"text": "b", "label": 1}], "gold": 3, "columns": {"t": 1}});
        let rollout = rollout(0, sample).unwrap();
        assert_eq!(rollout.text(), "x");
        assert_eq!((rollout.steps.len(), rollout.steps[1].label), (2, Some(1.0)));
        assert_eq!((&rollout.columns["gold"], &rollout.columns["t"]), (&json!(3), &json!(1)));
    }

    #[test]
    fn a_wrong_sample_names_the_field() {
        assert!(
            rollout(2, json!({"tokens": "many"})).unwrap_err().starts_with("sample 2: `tokens`")
        );
    }
}
