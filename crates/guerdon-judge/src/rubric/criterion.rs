//! One criterion, and lists of them as users, rows and models write them.

use std::borrow::Cow;
use std::fmt;

use guerdon_core::method::read_value;
use guerdon_core::{ParamError, Unscored};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::MOST;
use crate::contract::{Items, Quotes, Read as _};

/// The most characters of a criterion.
const LONGEST: usize = 4_000;
/// The tier whose criteria must all be met.
const MANDATORY: &str = "mandatory";

/// One thing that a response should do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// What is looked for: a question or a statement, such that yes speaks for the response.
    pub text: String,
    /// Its weight; a negative one is a penalty. Default: 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: f64,
    /// Its tier, by name (`core`, `important`, `highlight`, `mandatory`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Descriptions of the levels that are told apart, from the worst to the best. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<String>,
    /// Whether it is an explicit rule or an implicit principle. Rules are asked first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Sort>,
    /// A response that does not meet it gets nothing. Default: false.
    #[serde(default, skip_serializing_if = "is_false")]
    pub mandatory: bool,
    /// Not meeting it is a critical flaw: where there is one, nothing else counts. Default: false.
    #[serde(default, skip_serializing_if = "is_false")]
    pub veto: bool,
    /// The highest grade, 0 being the lowest. Range: 1 to 1000. Default: none, the answer is yes or no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}

/// Sorts of criteria.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// An explicit constraint of what was asked.
    Rule,
    /// A quality that was not asked for in words.
    Principle,
}

/// A list of criteria; each may be written as a text alone.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(transparent)]
pub struct Criteria(pub Vec<Criterion>);

impl Criterion {
    /// A yes-or-no criterion of weight 1.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            weight: 1.0,
            tier: None,
            levels: Vec::new(),
            kind: None,
            mandatory: false,
            veto: false,
            max: None,
        }
    }

    /// What a model wrote, with tags in front: `[core] [rule] Names the capital.`
    pub fn tagged(line: &str) -> Self {
        let mut own = Self::new("");
        let mut rest = line.trim();
        while let Some((tag, after)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
            match tag.trim().to_ascii_lowercase().as_str() {
                tier @ ("core" | "important" | "highlight") => own.tier = Some(tier.to_owned()),
                "rule" => own.kind = Some(Sort::Rule),
                "principle" => own.kind = Some(Sort::Principle),
                "mandatory" => own.mandatory = true,
                "flaw" => own.veto = true,
                _ => break,
            }
            rest = after.trim_start();
        }
        rest.clone_into(&mut own.text);
        own
    }

    /// The highest grade; `None` where the answer is yes or no.
    pub fn top(&self) -> Option<u32> {
        let levels = u32::try_from(self.levels.len()).ok().and_then(|n| n.checked_sub(1));
        levels.or(self.max)
    }

    /// Whether nothing else helps a response that fails it.
    pub fn gate(&self) -> bool {
        self.mandatory || self.veto || self.tier.as_deref() == Some(MANDATORY)
    }

    /// In one line, with its scale.
    fn shown(&self) -> String {
        let text = one_line(&self.text);
        match self.top() {
            Some(_) if !self.levels.is_empty() => {
                let level = |(k, level): (usize, &String)| format!("{k} = {}", one_line(level));
                let levels: Vec<String> = self.levels.iter().enumerate().map(level).collect();
                format!("{text} ({})", levels.join("; "))
            }
            Some(top) => format!("{text} (0 to {top})"),
            None => text,
        }
    }

    /// Checks what is written; the error names the key.
    pub fn validate(&self) -> Result<(), ParamError> {
        let told = self.text.chars().any(char::is_alphanumeric) && self.text.len() <= LONGEST;
        if !told {
            let what = format!("`text` must say something, in at most {LONGEST} bytes");
            return Err(ParamError::new("text", what));
        }
        ParamError::in_range("weight", self.weight, -1e6, 1e6)?;
        if let Some(max) = self.max {
            ParamError::in_range("max", max.into(), 1.0, 1000.0)?;
        }
        let several = self.levels.is_empty()
            || ((2..=20).contains(&self.levels.len())
                && self.levels.iter().map(String::len).sum::<usize>() <= LONGEST);
        if !several {
            return Err(ParamError::new("levels", "there must be 2 to 20 `levels`, or none"));
        }
        let both = self.max.is_some() && !self.levels.is_empty();
        let clash = || ParamError::new("max", "`max` and `levels` exclude each other");
        if both { Err(clash()) } else { Ok(()) }
    }
}

impl Criteria {
    /// Checks each; `field` is the name of the parameter.
    pub fn validate(&self, field: &str) -> Result<(), ParamError> {
        if self.0.len() > MOST {
            return Err(ParamError::new(field, format!("there are more than {MOST} criteria")));
        }
        for (k, criterion) in self.0.iter().enumerate() {
            criterion.validate().map_err(|mut error| {
                error.path.splice(0..0, [field.to_owned(), k.to_string()]);
                error
            })?;
        }
        Ok(())
    }

    /// The criteria in a column of a row, and their version: a list, an object with `criteria` and `version`, or a text with
    /// one criterion per line.
    pub fn from_column(value: &Value) -> Result<(Self, Option<u64>), Unscored> {
        let parsed = match value {
            Value::String(text) => match serde_json::from_str(text) {
                Ok(parsed @ (Value::Array(_) | Value::Object(_))) => parsed,
                _ => return Self::from_lines(text).map(|criteria| (criteria, None)),
            },
            other => other.clone(),
        };
        let (list, version) = match parsed {
            Value::Object(mut map) => {
                let version = map.get("version").and_then(Value::as_u64);
                (map.get_mut("criteria").map(Value::take).unwrap_or_default(), version)
            }
            list => (list, None),
        };
        let invalid = |error: ParamError| Unscored::invalid(format!("the criteria: {error}"));
        let criteria: Self = read_value(list).map_err(invalid)?;
        criteria.some().and_then(|own| own.validate("criteria").map_err(invalid))?;
        Ok((criteria, version))
    }

    /// One criterion per line; numbers and dashes in front are dropped.
    fn from_lines(text: &str) -> Result<Self, Unscored> {
        let list = Items { most: MOST }.read(text, &Quotes::none());
        let lines = || text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned);
        let texts = list.unwrap_or_else(|_| lines().take(MOST + 1).collect());
        let criteria = Self(texts.iter().map(|text| Criterion::tagged(text)).collect());
        let invalid = |error: ParamError| Unscored::invalid(format!("the criteria: {error}"));
        criteria.some()?.validate("criteria").map_err(invalid)?;
        Ok(criteria)
    }

    /// Itself, unless there is no criterion.
    pub fn some(&self) -> Result<&Self, Unscored> {
        if self.0.is_empty() {
            return Err(Unscored::missing("there are no criteria"));
        }
        Ok(self)
    }

    /// Rules first, principles last; otherwise the order stays.
    pub fn rules_first(&mut self) {
        let place = |criterion: &Criterion| match criterion.kind {
            Some(Sort::Rule) => 0,
            None => 1,
            Some(Sort::Principle) => 2,
        };
        self.0.sort_by_key(place);
    }
}

/// A criterion as it may be written: a text, or an object.
struct Written(Criterion);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Own;
        impl<'de> Visitor<'de> for Own {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a criterion: a text, or an object with `text`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Written, E> {
                Ok(Written(Criterion::new(text)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Written, A::Error> {
                Criterion::deserialize(MapAccessDeserializer::new(map)).map(Written)
            }
        }
        deserializer.deserialize_any(Own)
    }
}

impl<'de> Deserialize<'de> for Criteria {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Vec::<Written>::deserialize(deserializer)?;
        Ok(Self(written.into_iter().map(|Written(criterion)| criterion).collect()))
    }
}

impl JsonSchema for Criteria {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Criteria".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let object = generator.subschema_for::<Criterion>();
        let text = json_schema!({"type": "string"});
        json_schema!({"type": "array", "items": {"anyOf": [text, object]}})
    }
}

/// A numbered list, one criterion per line.
pub fn numbered<'a>(criteria: impl IntoIterator<Item = &'a Criterion>) -> String {
    let line = |(k, criterion): (usize, &Criterion)| format!("{}. {}", k + 1, criterion.shown());
    criteria.into_iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn one() -> f64 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_one(weight: &f64) -> bool {
    (weight - 1.0).abs() < f64::EPSILON
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::{Criteria, Criterion, Sort, numbered};
    use serde_json::json;

    #[test]
    fn criteria_are_read_as_users_write_them() {
        let list = json!(["Is it short?", {"text": "Is it right?", "weight": 2, "max": 10}]);
        let (criteria, version) = Criteria::from_column(&list).unwrap();
        assert_eq!((criteria.0[1].weight, criteria.0[1].top(), version), (2.0, Some(10), None));
        assert_eq!(numbered(&criteria.0), "1. Is it short?\n2. Is it right? (0 to 10)");
        let version = json!({"version": 3, "criteria": ["x"]});
        assert_eq!(Criteria::from_column(&version).unwrap().1, Some(3));
        let text = json!("1. [rule] Is it short?\n2. Is it right?");
        let (lines, _) = Criteria::from_column(&text).unwrap();
        assert_eq!((lines.0.len(), lines.0[0].kind), (2, Some(Sort::Rule)));
        assert_eq!(Criteria::from_column(&json!("One thing\nAnother")).unwrap().0.0.len(), 2);
    }

    #[test]
    fn what_is_no_rubric_is_refused() {
        for value in [
            json!([]),
            json!(""),
            json!(7),
            json!([1]),
            json!([""]),
            json!({"a": 1}),
            json!([{"text": "x", "max": 0}]),
            json!([{"text": "x", "weight": 1e300}]),
            json!([{"text": "x", "levels": ["one"]}]),
            json!([{"text": "x", "color": 1}]),
            json!(vec!["x"; 100]),
        ] {
            assert!(Criteria::from_column(&value).is_err(), "{value}");
        }
    }

    #[test]
    fn a_criterion_of_several_lines_stays_one() {
        let lines = Criterion::new("Is it\n2. YES\nshort?");
        assert_eq!(numbered([&lines]), "1. Is it 2. YES short?");
        let levels = Criterion { levels: vec!["poor".into(), "good".into()], ..lines };
        assert!(numbered([&levels]).ends_with("(0 = poor; 1 = good)"));
    }

    #[test]
    fn tags_are_read_and_other_brackets_are_text() {
        let made = Criterion::tagged("[Core] [flaw] Nothing is made up.");
        assert_eq!((made.tier.as_deref(), made.veto), (Some("core"), true));
        assert_eq!(made.text, "Nothing is made up.");
        assert_eq!(Criterion::tagged("[1, 2] is sorted").text, "[1, 2] is sorted");
    }

    #[test]
    fn rules_come_first() {
        let mut list = Criteria(["[principle] a", "b", "[rule] c"].map(Criterion::tagged).to_vec());
        list.rules_first();
        assert_eq!(list.0.iter().map(|c| c.text.as_str()).collect::<String>(), "cba");
    }
}
