//! Weights of several signals: fixed, moving with the training step, or read from a column.

use std::borrow::Cow;
use std::fmt;

use guerdon_core::{Column, Frame, MethodError, ParamError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How a scheduled value moves from its start to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Path {
    /// In equal steps.
    #[default]
    Linear,
    /// Slowly, fast, slowly: half a cosine.
    Cosine,
    /// At once, after `steps` steps.
    Jump,
    /// Ever more slowly: the distance to the end is multiplied by 1/e every `steps` steps and never quite closed.
    Exponential,
}

/// A number that moves with the training step. A step is one batch that the transform has seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// Value before and at step `start`. Finite; default 0.
    pub from: f64,
    /// Value at the end. Finite; default 1.
    pub to: f64,
    /// First step at which it moves, counted from 0. Default 0.
    pub start: u64,
    /// Steps that the way takes. At least 1; default 100.
    pub steps: u64,
    /// How it moves. Default `linear`.
    pub path: Path,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { from: 0.0, to: 1.0, start: 0, steps: 100, path: Path::Linear }
    }
}

impl Schedule {
    /// Checks the ranges.
    pub fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("from", self.from, f64::NEG_INFINITY, f64::INFINITY)?;
        ParamError::in_range("to", self.to, f64::NEG_INFINITY, f64::INFINITY)?;
        ParamError::in_range("steps", self.steps as f64, 1.0, f64::INFINITY)
    }

    /// The value at a step.
    pub fn at(&self, step: u64) -> f64 {
        let moved = step.saturating_sub(self.start) as f64 / self.steps as f64;
        let share = match self.path {
            Path::Exponential => -(-moved).exp_m1(),
            Path::Linear => moved.min(1.0),
            Path::Cosine => (1.0 - (std::f64::consts::PI * moved.min(1.0)).cos()) / 2.0,
            Path::Jump => moved.min(1.0).floor(),
        };
        self.from + (self.to - self.from) * share
    }
}

/// The weight of one signal.
#[derive(Debug, Clone, PartialEq)]
pub enum Weight {
    /// The same for all rollouts and steps.
    Fixed(f64),
    /// Moving with the training step.
    Moving(Schedule),
    /// One per rollout: the value of a column, or 1 minus it.
    Column {
        /// Name of the column.
        name: String,
        /// Whether the weight is 1 minus the column.
        complement: bool,
    },
}

impl Weight {
    /// Reads `column` or `1 - column`.
    fn of_text(text: &str) -> Self {
        let rest = text.strip_prefix('1').and_then(|t| t.trim_start().strip_prefix('-'));
        Self::Column { name: rest.unwrap_or(text).trim().to_owned(), complement: rest.is_some() }
    }

    /// The weight as it is at a step of the run.
    pub fn resolve<'a>(&self, step: u64, frame: &'a Frame) -> Result<Resolved<'a>, MethodError> {
        Ok(match self {
            Self::Fixed(value) => Resolved::Number(*value),
            Self::Moving(schedule) => Resolved::Number(schedule.at(step)),
            Self::Column { name, complement } => Resolved::Column(frame.column(name)?, *complement),
        })
    }
}

/// A weight at one step.
#[derive(Debug, Clone, Copy)]
pub enum Resolved<'a> {
    /// The same for all rows.
    Number(f64),
    /// The column's value, or 1 minus it.
    Column(&'a Column, bool),
}

impl Resolved<'_> {
    /// The weight of a row; none where the column is unscored.
    pub fn get(self, row: usize) -> Option<f64> {
        match self {
            Self::Number(value) => Some(value),
            Self::Column(column, complement) => {
                column.get(row).map(|v| if complement { 1.0 - v } else { v })
            }
        }
    }
}

impl Serialize for Weight {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fixed(value) => serializer.serialize_f64(*value),
            Self::Moving(schedule) => schedule.serialize(serializer),
            Self::Column { name, complement: false } => serializer.serialize_str(name),
            Self::Column { name, complement: true } => {
                serializer.collect_str(&format_args!("1 - {name}"))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Weight;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, a column (`name` or `1 - name`) or a schedule (`{from, to, start, steps, path}`)")
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Weight, E> {
                Ok(Weight::Fixed(value))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Weight, E> {
                Ok(Weight::Fixed(value as f64))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Weight, E> {
                Ok(Weight::Fixed(value as f64))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Weight, E> {
                Ok(Weight::of_text(text))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Weight, A::Error> {
                Schedule::deserialize(MapAccessDeserializer::new(map)).map(Weight::Moving)
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for Weight {
    fn schema_name() -> Cow<'static, str> {
        "Weight".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let schedule = generator.subschema_for::<Schedule>();
        json_schema!({
            "description": "A number, a column (`name`, or `1 - name`), or a schedule over training steps.",
            "anyOf": [{"type": "number"}, {"type": "string"}, schedule]
        })
    }
}

/// Signals with their weights, in the order of the spec.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weights(pub Vec<(String, Weight)>);

impl Weights {
    /// Every weight the same.
    pub fn equal(names: &[&str], weight: f64) -> Self {
        Self(names.iter().map(|name| ((*name).to_owned(), Weight::Fixed(weight))).collect())
    }

    /// Checks that there is a signal and that every number is finite; `field` names the parameter.
    pub fn validate(&self, field: &str) -> Result<(), ParamError> {
        if self.0.is_empty() {
            let message = format!(
                "`{field}` must name at least one signal, for example `{field}: {{correct: 1.0}}`"
            );
            return Err(ParamError::new(field, message));
        }
        for (name, weight) in &self.0 {
            let checked = match weight {
                Weight::Fixed(value) => {
                    ParamError::in_range(name, *value, f64::NEG_INFINITY, f64::INFINITY)
                }
                Weight::Moving(schedule) => schedule.validate().map_err(|e| under(name, e)),
                Weight::Column { name: column, .. } if column.is_empty() => {
                    Err(ParamError::new(name, format!("the weight of `{name}` must name a column")))
                }
                Weight::Column { .. } => Ok(()),
            };
            checked.map_err(|e| under(field, e))?;
        }
        Ok(())
    }

    /// The names of the signals.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The columns that are read: the signals, then the columns that hold weights.
    pub fn reads(&self) -> Vec<String> {
        let columns = self.0.iter().filter_map(|(_, weight)| match weight {
            Weight::Column { name, .. } => Some(name.clone()),
            _ => None,
        });
        self.names().map(str::to_owned).chain(columns).collect()
    }

    /// Whether any weight moves with the step.
    pub fn moves(&self) -> bool {
        self.0.iter().any(|(_, weight)| matches!(weight, Weight::Moving(_)))
    }
}

/// The error one level further down.
fn under(field: &str, mut error: ParamError) -> ParamError {
    error.path.insert(0, field.to_owned());
    error
}

impl Serialize for Weights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, weight) in &self.0 {
            map.serialize_entry(name, weight)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Weights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Weights;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from signals to weights")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Weights, A::Error> {
                let mut weights = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    weights.push(entry);
                }
                Ok(Weights(weights))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

impl JsonSchema for Weights {
    fn schema_name() -> Cow<'static, str> {
        "Weights".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let weight = generator.subschema_for::<Weight>();
        json_schema!({"description": "Signals with their weights.", "type": "object", "additionalProperties": weight})
    }
}

#[cfg(test)]
mod tests {
    use super::{Path, Schedule, Weight, Weights};

    fn check(path: Path, step: u64, expect: f64) {
        let schedule = Schedule { from: 1.0, to: 3.0, start: 10, steps: 4, path };
        assert!(
            (schedule.at(step) - expect).abs() < 1e-12,
            "{path:?} at {step}: {}",
            schedule.at(step)
        );
    }

    #[test]
    fn schedules_start_and_end_where_they_say() {
        check(Path::Linear, 0, 1.0);
        check(Path::Linear, 12, 2.0);
        check(Path::Linear, 99, 3.0);
        check(Path::Cosine, 11, 2.0 - std::f64::consts::FRAC_1_SQRT_2);
        check(Path::Cosine, 14, 3.0);
        check(Path::Jump, 13, 1.0);
        check(Path::Jump, 14, 3.0);
        check(Path::Exponential, 14, 3.0 - 2.0 * (-1.0_f64).exp());
    }

    #[test]
    fn weights_are_read_and_written_in_order() {
        let text = r#"{"b":1.0,"a":"1 - c","d":"e","f":{"from":0.0,"to":2.0,"start":0,"steps":5,"path":"jump"}}"#;
        let weights: Weights = serde_json::from_str(text).unwrap();
        assert_eq!(weights.names().collect::<String>(), "badf");
        assert_eq!(weights.0[1].1, Weight::Column { name: "c".into(), complement: true });
        assert_eq!(weights.reads(), ["b", "a", "d", "f", "c", "e"]);
        assert_eq!(serde_json::to_string(&weights).unwrap(), text);
    }

    #[test]
    fn mistakes_are_placed() {
        let fails = |text: &str| {
            serde_json::from_str::<Weights>(text).unwrap().validate("weights").unwrap_err().path
        };
        assert_eq!(fails("{}"), ["weights"]);
        assert_eq!(fails(r#"{"a": {"steps": 0}}"#), ["weights", "a", "steps"]);
        assert!(serde_json::from_str::<Weights>(r#"{"a": {"stpes": 1}}"#).is_err());
    }
}
