//! Actions: whether the completion's action has the right kind, place and arguments, or an episode's last state is as it should be.
//!
//! # Formula
//!
//! ```text
//! score = (w_f · F + w_k · K + w_a · K · Π over arguments of the reference) / (w_f + w_k + w_a)
//! F     = the completion holds an action;  K = its kind is the reference's
//! place = 1 in the box, else 0;  graded: exp(−d² / 2s²), d the distance to the box, s half its diagonal
//! text  = 1 if equal, else 0;    soft: F1 of the words
//! state: score = 1 if every path of the reference has its value in the state, else 0;  share: the share that has
//! ```
//!
//! An action is a JSON object (`{"action": "click", "coordinate": [55, 22]}`, tool calls too) or a call (`click(55, 22)`,
//! `type(text='hi')`), in the last `<tag>` or fenced block or anywhere; the last one counts. The reference is written the same
//! way and names a box where the place may vary: `{"action": "click", "box": [40, 10, 80, 30]}`; a list of references allows
//! each of them. Arguments that the reference does not name do not count.
//!
//! With `state` the reference is an object of dotted paths and values, compared with the object in that column: what an
//! environment recorded at the end of an episode. Each path becomes a part of the score.
//!
//! # When to use it
//!
//! For single steps of GUI and tool agents with a reference action; with `state` for whole episodes. Both sides must use the
//! same coordinates.
//!
//! # Departures
//!
//! Mobile-R1's action reward is the default (all or nothing). MagicGUI's is `place: graded` with weights, whose values are not
//! published. A point without a box is hit within `radius`.
//!
//! # Example
//!
//! ```yaml
//! use: verify.action
//! place: graded
//! weights: {format: 1, kind: 1, arguments: 2}
//! ```
//!
//! ```
//! use guerdon_verify::verify::action::{ActionMatch, of_value};
//! use serde_json::json;
//! let reference = of_value(&json!({"action": "click", "box": [40, 10, 80, 30]})).unwrap();
//! let value = |text| ActionMatch::default().value(text, &[reference.clone()]).0;
//! assert_eq!(value("click(80, 30)"), 1.0);
//! assert_eq!(value("long_press(55, 22)"), 0.0);
//! ```
//!
//! # References
//!
//! "Mobile-R1: Towards Interactive Reinforcement Learning for VLM-Based Mobile Agent via Task-Level Rewards", 2025; "MagicGUI:
//! A Foundational Mobile GUI Agent", 2025; "Instrumental Choices", 2026 (scorers of the final state).

mod read;

use std::collections::BTreeMap;

use guerdon_core::method::{Params, Signal};
use guerdon_core::{Outcome, ParamError, Rollout, Score, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::f1::f1;
use super::grounding::Area;
use super::passage::{self, passage};
use super::records;
pub use read::{Action, of_value, read};

/// How a place is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the box or not.
    #[default]
    InBox,
    /// Falling with the distance to the box.
    Graded,
}

/// How a text is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Words {
    /// Equal or not; white space around does not count.
    #[default]
    Exact,
    /// The F1 of its words.
    Soft,
}

/// The weights of the parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// Of holding an action at all; from 0. Default 0.
    pub format: f64,
    /// Of the right kind; from 0. Default 0.
    pub kind: f64,
    /// Of the right kind with the right place and arguments; from 0. Default 1.
    pub arguments: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self { format: 0.0, kind: 0.0, arguments: 1.0 }
    }
}

/// Parameters of `verify.action`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ActionMatch {
    /// How a place is scored: `in_box` or `graded`. Default `in_box`.
    pub place: Place,
    /// How a text is scored: `exact` or `soft`. Default `exact`.
    pub text: Words,
    /// Greatest distance to a reference that is a point, from 0. Default 0.
    pub radius: f64,
    /// Other names of kinds, in lower case. Default: `tap` and `left_click` for `click`, `input` and `input_text` for `type`.
    pub synonyms: BTreeMap<String, String>,
    /// The weights of format, kind and arguments.
    pub weights: Weights,
    /// Read the action inside the last pair of this tag; empty for the whole completion. Default empty.
    pub tag: String,
    /// Column with the last state of an episode, to be compared with the reference. Default none: actions are compared.
    pub state: Option<String>,
    /// With `state`: score the share of the paths instead of all or nothing. Default false.
    pub share: bool,
}

impl Default for ActionMatch {
    fn default() -> Self {
        let synonyms =
            [("tap", "click"), ("left_click", "click"), ("input", "type"), ("input_text", "type")];
        let owned = |(a, b): (&str, &str)| (a.to_owned(), b.to_owned());
        Self {
            place: Place::InBox,
            text: Words::Exact,
            radius: 0.0,
            synonyms: synonyms.into_iter().map(owned).collect(),
            weights: Weights::default(),
            tag: String::new(),
            state: None,
            share: false,
        }
    }
}

impl Params for ActionMatch {
    fn validate(&self) -> Result<(), ParamError> {
        passage::tag_name("tag", &self.tag)?;
        ParamError::in_range("radius", self.radius, 0.0, 1e12)?;
        self.state.as_ref().map_or(Ok(()), |column| records::named("state", column))?;
        let weights = &self.weights;
        let all =
            [("format", weights.format), ("kind", weights.kind), ("arguments", weights.arguments)];
        let within = |mut error: ParamError| {
            error.path.insert(0, "weights".to_owned());
            error
        };
        for (field, weight) in all {
            ParamError::in_range(field, weight, 0.0, 1e9).map_err(within)?;
        }
        if all.iter().map(|(_, weight)| weight).sum::<f64>() == 0.0 {
            return Err(ParamError::new("weights", "a weight must be greater than 0"));
        }
        Ok(())
    }
}

impl ActionMatch {
    fn kind<'a>(&'a self, action: &'a Action) -> &'a str {
        self.synonyms.get(&action.kind).map_or(&action.kind, String::as_str)
    }

    /// The score of a completion against the best of the references, 0 to 1, and what is wrong with it.
    pub fn value(&self, text: &str, references: &[Action]) -> (f64, Option<String>) {
        let action = match passage(text, &self.tag).and_then(read) {
            Ok(action) => action,
            Err(why) => return (0.0, Some(why)),
        };
        let scored = references.iter().map(|reference| self.against(&action, reference));
        let best = scored.reduce(|a, b| if b.0 > a.0 { b } else { a });
        best.unwrap_or((0.0, None))
    }

    fn against(&self, action: &Action, reference: &Action) -> (f64, Option<String>) {
        let (own, wanted) = (self.kind(action), self.kind(reference));
        let Weights { format, kind, arguments } = self.weights;
        let all = format + kind + arguments;
        if own != wanted {
            let short: String = own.chars().take(40).collect();
            return (format / all, Some(format!("`{short}` instead of `{wanted}`")));
        }
        let mut product = 1.0;
        let mut why = None;
        for (name, part) in self.parts(action, reference) {
            product *= part;
            if part < 1.0 && why.is_none() {
                why = Some(format!("not the right {name}"));
            }
        }
        ((format + kind + arguments * product) / all, why)
    }

    /// What the reference asks for, by name, with its score.
    fn parts<'a>(&self, action: &'a Action, reference: &'a Action) -> Vec<(&'a str, f64)> {
        let mut parts = Vec::new();
        if !reference.place.is_empty() {
            parts.push(("place", self.placed(&action.place, &reference.place)));
        }
        let lone = reference.args.len() == 1;
        for (name, wanted) in &reference.args {
            let given = action.args.get(name);
            // An argument without a name is the one that the reference names.
            let unnamed = || if lone { action.args.get("") } else { None };
            let any = || if lone && name.is_empty() { action.args.values().next() } else { None };
            let given = given.or_else(unnamed).or_else(any);
            parts.push((name.as_str(), given.map_or(0.0, |given| self.same(given, wanted))));
        }
        parts
    }

    fn placed(&self, given: &[f64], wanted: &[f64]) -> f64 {
        let point = match *given {
            [x, y] => [x, y],
            [x1, y1, x2, y2] => [f64::midpoint(x1, x2), f64::midpoint(y1, y2)],
            _ => return 0.0,
        };
        let area = match *wanted {
            [x, y] => Area::new([x, y, x, y]),
            [x1, y1, x2, y2] => Area::new([x1, y1, x2, y2]),
            _ => return 0.0,
        };
        if wanted.len() == 2 || self.place == Place::InBox {
            let limit = if wanted.len() == 2 { self.radius } else { 0.0 };
            return f64::from(u8::from(area.distance(point) <= limit));
        }
        area.closeness(point)
    }

    fn same(&self, given: &Value, wanted: &Value) -> f64 {
        match (given, wanted) {
            (Value::String(a), Value::String(b)) if self.text == Words::Soft => f1(a, b),
            (Value::String(a), Value::String(b)) => f64::from(u8::from(a.trim() == b.trim())),
            _ => f64::from(u8::from(passage::equal(given, wanted))),
        }
    }

    /// Compares the last state of an episode with the values that it should have.
    fn stated(&self, state: &Value, wanted: &Map<String, Value>) -> Outcome {
        let holds = |(path, value): (&String, &Value)| {
            let there = passage::at_path(state, path);
            (path.clone(), f64::from(u8::from(there.is_some_and(|v| passage::equal(v, value)))))
        };
        let parts: Vec<(String, f64)> = wanted.iter().take(1000).map(holds).collect();
        let share = parts.iter().map(|(_, part)| part).sum::<f64>() / parts.len() as f64;
        let mut score = Score::new(if self.share { share } else { share.floor() })?;
        if let Some((path, _)) = parts.iter().find(|(_, part)| *part == 0.0) {
            score = score.because(format!("`{path}` has not the value that it should have"));
        }
        score.parts = parts;
        Ok(score)
    }
}

/// The actions of a reference: one, or a list any of which is right.
fn references(reference: &Value) -> Result<Vec<Action>, Unscored> {
    let read = |value: &Value| {
        of_value(value).ok_or_else(|| {
            Unscored::invalid(
                "the reference is no action: `{\"action\": \"click\", \"box\": [..]}`",
            )
        })
    };
    match reference {
        Value::Null => {
            Err(Unscored::missing("there is no reference action: map `reference` in the spec"))
        }
        Value::Array(_) => records::list(reference)?.iter().take(1000).map(read).collect(),
        one => Ok(vec![read(one)?]),
    }
}

impl Signal for ActionMatch {
    fn score(&self, rollout: &Rollout) -> Outcome {
        if let Some(column) = &self.state {
            let state = records::value(rollout, column)?;
            let wanted = rollout.reference.as_object().filter(|map| !map.is_empty());
            let wanted = wanted.ok_or_else(|| {
                Unscored::invalid(
                    "the reference must be an object of paths and values of the state",
                )
            })?;
            return self.stated(state, wanted);
        }
        let (value, why) = self.value(rollout.text(), &references(&rollout.reference)?);
        let score = Score::new(value)?;
        Ok(match why {
            Some(why) => score.because(why),
            None => score,
        })
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    ActionMatch: Signal,
    id: "verify.action",
    papers: ["mobile-r1-2025", "magicgui-2025", "instrumental-choices-2026"],
    status: Verified(Worked("click in the box and on its edge 1, another kind 0; 0.9048 at distance 10")),
    laws: [WhitespaceInvariant],
    exempt: [],
    samples: [
        r#"{"prompt": "Press OK.", "completion": "<think>x</think> click(55, 22)", "reference": {"action": "click", "box": [40, 10, 80, 30]}}"#,
        r#"{"prompt": "Greet.", "completion": "{\"action\": \"type\", \"text\": \"Hello\"}", "reference": {"action": "type", "text": "Hello"}}"#,
    ],
}

#[cfg(test)]
mod tests {
    use super::{ActionMatch, Place, Weights, Words, of_value};
    use guerdon_core::Rollout;
    use guerdon_core::method::Signal as _;
    use serde_json::{Value, json};

    fn check(params: &ActionMatch, text: &str, reference: &Value, expect: f64) {
        let got = params.value(text, &[of_value(reference).unwrap()]);
        assert!((got.0 - expect).abs() < 5e-5, "{text} {reference}: {got:?}, not {expect}");
    }

    #[test]
    fn all_or_nothing() {
        let (params, click) =
            (ActionMatch::default(), json!({"action": "click", "box": [40, 10, 80, 30]}));
        check(&params, "click(55, 22)", &click, 1.0);
        check(&params, "tap(80, 30)", &click, 1.0);
        check(&params, "click(81, 30)", &click, 0.0);
        check(&params, "long_press(55, 22)", &click, 0.0);
        check(&params, "click()", &click, 0.0);
        check(&params, "there", &click, 0.0);
        let swipe = json!("swipe(direction='up', 'fast')");
        check(
            &params,
            "swipe(direction='up')",
            &json!({"action": "swipe", "direction": "up"}),
            1.0,
        );
        check(&params, "swipe('up')", &json!({"action": "swipe", "direction": "up"}), 1.0);
        check(&params, "swipe(direction='up')", &swipe, 0.0);
        check(&params, "wait(3)", &json!({"action": "wait", "seconds": 3}), 1.0);
        check(&params, "back()", &json!({"action": "back"}), 1.0);
    }

    #[test]
    fn graded_places_soft_texts_and_weights() {
        let weights = Weights { format: 1.0, kind: 1.0, arguments: 2.0 };
        let params = ActionMatch {
            place: Place::Graded,
            text: Words::Soft,
            weights,
            ..ActionMatch::default()
        };
        let click = json!({"action": "click", "box": [40, 10, 80, 30]});
        check(&params, "click(90, 20)", &click, (2.0 + 2.0 * 0.9048) / 4.0);
        check(&params, "drag(55, 22)", &click, 0.25);
        check(&params, "nothing", &click, 0.0);
        check(
            &params,
            "type(text='red big hat')",
            &json!({"action": "type", "text": "red hat"}),
            (2.0 + 2.0 * 0.8) / 4.0,
        );
        let near = ActionMatch { radius: 5.0, ..ActionMatch::default() };
        check(&near, "click(3, 4)", &json!({"action": "click", "point": [0, 0]}), 1.0);
        check(&near, "click(3, 5)", &json!({"action": "click", "point": [0, 0]}), 0.0);
    }

    #[test]
    fn any_reference_of_a_list_and_the_state_of_an_episode() {
        let mut rollout = Rollout::new("", "scroll(direction='down')", "");
        rollout.reference = json!([{"action": "back"}, {"action": "scroll", "direction": "down"}]);
        assert_eq!(ActionMatch::default().score(&rollout).unwrap().value(), 1.0);
        rollout.reference = json!({"done": true, "log.violations": 0});
        rollout.columns.insert("end".into(), json!({"done": true, "log": {"violations": 1}}));
        let params =
            ActionMatch { state: Some("end".into()), share: true, ..ActionMatch::default() };
        let score = params.score(&rollout).unwrap();
        assert_eq!((score.value(), score.parts.len()), (0.5, 2));
    }
}
