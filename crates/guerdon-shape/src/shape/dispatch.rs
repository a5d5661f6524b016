//! Each kind of prompt has its own reward: the choice of signal by task, domain or prompt class.
//!
//! # Formula
//!
//! ```text
//! r_i = s_{case(t_i), i}                 t_i the text of the column `by`
//! r_i = the first of `first` that is scored, in order
//! ```
//!
//! A text without a case takes `otherwise`; without one it is an error, as is a missing text: a prompt of unknown kind
//! has no reward rather than a wrong one. With `first` instead of `by` the first signal that could score the rollout
//! counts: a rule where it applies, a learned model elsewhere.
//!
//! # When to use it
//!
//! For mixtures of tasks with different checkers (mathematics, charts, boxes, open text), and to split safety from
//! helpfulness by prompt type, so that refusing everything does not pay. Bring the signals to one scale first, or the
//! tasks with the greatest spread rule the batch: `shape.normalize` with `by`.
//!
//! # Departures
//!
//! None in the mechanism. Papers differ in which signal serves which type: that is the spec's to say.
//!
//! # Example
//!
//! ```yaml
//! use: shape.dispatch
//! by: task
//! cases: {math: answer, chart: number, caption: overlap}
//! ```
//!
//! ```
//! use guerdon_shape::shape::dispatch::Dispatch;
//! let dispatch: Dispatch = serde_json::from_str(r#"{"by": "task", "cases": {"math": "answer"}}"#).unwrap();
//! assert_eq!(dispatch.case("math"), Some("answer"));
//! ```
//!
//! # References
//!
//! Xu et al., "Mixed-R1: Unified Reward Perspective For Reasoning Capability in Multimodal Large Language Models", 2025.
//! Kim et al., "Reasoning as an Adaptive Defense for Safety", 2025 (TARS).

use std::collections::BTreeMap;

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, Fine, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of `shape.dispatch`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Dispatch {
    /// Text column that names the kind of prompt. Required unless `first` is given.
    pub by: Option<String>,
    /// The signal of each kind.
    pub cases: BTreeMap<String, String>,
    /// The signal of all other kinds. Default: another kind is an error.
    pub otherwise: Option<String>,
    /// Signals of which the first that is scored counts. Required unless `by` is given.
    pub first: Vec<String>,
}

impl Params for Dispatch {
    fn validate(&self) -> Result<(), ParamError> {
        match (&self.by, self.first.is_empty()) {
            (Some(_), true) if self.cases.is_empty() => Err(ParamError::new(
                "cases",
                "`cases` must name a signal for at least one text of `by`",
            )),
            (Some(_), true) => Ok(()),
            (None, false) if self.cases.is_empty() && self.otherwise.is_none() => Ok(()),
            (None, false) => {
                Err(ParamError::new("first", "`first` takes no `cases` and no `otherwise`"))
            }
            _ => Err(ParamError::new("by", "give either `by` with `cases`, or `first`")),
        }
    }
}

impl Dispatch {
    /// The signal of a kind of prompt.
    pub fn case(&self, kind: &str) -> Option<&str> {
        self.cases.get(kind).or(self.otherwise.as_ref()).map(String::as_str)
    }

    /// The column that each row takes its value from.
    fn sources<'a>(&self, view: &View<'a>) -> Result<Vec<Option<&'a Column>>, MethodError> {
        let rows = view.frame.rows();
        let Some(by) = &self.by else {
            let columns: Vec<&Column> =
                self.first.iter().map(|n| view.frame.column(n)).collect::<Result<_, _>>()?;
            let first = |row: usize| columns.iter().copied().find(|c| c.get(row).is_some());
            return Ok((0..rows).map(first).collect());
        };
        if rows == 0 {
            return Ok(Vec::new());
        }
        let texts = view.frame.text(by)?;
        let source = |(row, text): (usize, &Option<String>)| {
            let name = text.as_deref().and_then(|kind| self.case(kind));
            let name = name.ok_or_else(|| self.unknown(by, row, text.as_deref()))?;
            view.frame.column(name).map(Some)
        };
        texts.iter().enumerate().map(source).collect()
    }

    fn unknown(&self, by: &str, row: usize, kind: Option<&str>) -> MethodError {
        let cases: Vec<&str> = self.cases.keys().map(String::as_str).collect();
        let found = kind.map_or("nothing".to_owned(), |kind| {
            format!("{:?}", kind.chars().take(60).collect::<String>())
        });
        MethodError::domain(format!(
            "row {row} has {found} in `{by}`, and there is no case for it; cases: {}; add one, or `otherwise`",
            cases.join(", ")
        ))
    }
}

impl Transform for Dispatch {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let sources = self.sources(view)?;
        let mut column =
            Column::from_options(sources.iter().enumerate().map(|(row, s)| s.as_ref()?.get(row)));
        let mut levels = sources.iter().flatten().filter_map(|c| c.fine.as_ref()).map(|f| f.level);
        if let Some(level) = levels.next()
            && levels.all(|other| other == level)
        {
            let inner = sources.iter().enumerate().map(|(row, source)| match source {
                Some(column) => column.fine.as_ref().map_or(&[][..], |fine| fine.row(row)),
                None => &[],
            });
            column.fine = Some(Fine::from_rows(level, inner));
        }
        Ok(column)
    }

    fn reads(&self) -> Vec<String> {
        let named =
            self.by.iter().chain(self.cases.values()).chain(&self.otherwise).chain(&self.first);
        named.cloned().collect()
    }

    fn scope(&self) -> Scope {
        Scope::Rollout
    }
}

guerdon_core::method! {
    Dispatch: Transform,
    id: "shape.dispatch",
    papers: [
        "mixed-r1-2025", "tars-2025", "safework-r1-2025", "pre-ppo-2025", "harmo-2025", "r3-2024", "extrans-2025",
        "urpo-2025",
    ],
    status: Verified(ClosedForm("every row carries the value of its own case, bit for bit")),
    laws: [GroupLocal],
    exempt: [],
    sample_params: r#"{"by": "task", "cases": {"math": "a", "code": "b"}, "otherwise": "score"}"#,
}

#[cfg(test)]
mod tests {
    use super::Dispatch;
    use guerdon_core::method::{Params as _, Transform as _};
    use guerdon_core::{Column, Frame, Groups, MethodError, View};
    use serde_json::{Value, json};

    fn run(params: Value) -> Result<Vec<Option<f64>>, MethodError> {
        let mut frame = Frame::new(Groups::one(3));
        frame.insert("rule", Column::from_options([Some(1.0), None, Some(0.0)])).unwrap();
        frame.insert("model", Column::full(vec![0.4, 0.5, 0.6])).unwrap();
        frame
            .insert_text(
                "task",
                ["harmful", "harmless", "odd"].map(|t| Some(t.to_owned())).to_vec(),
            )
            .unwrap();
        let mut dispatch: Dispatch = serde_json::from_value(params).unwrap();
        dispatch.validate().unwrap();
        Ok(dispatch.apply(&View { frame: &frame, current: None, seed: 0 })?.iter().collect())
    }

    #[test]
    fn every_kind_has_its_signal() {
        let own = run(
            json!({"by": "task", "cases": {"harmful": "rule", "harmless": "model"}, "otherwise": "model"}),
        );
        assert_eq!(own.unwrap(), [Some(1.0), Some(0.5), Some(0.6)]);
    }

    #[test]
    fn an_unknown_kind_is_an_error() {
        let error = run(json!({"by": "task", "cases": {"harmful": "rule", "harmless": "model"}}))
            .unwrap_err();
        assert!(
            error.to_string().starts_with("row 2 has \"odd\" in `task`, and there is no case"),
            "{error}"
        );
    }

    #[test]
    fn the_rule_where_it_applies_the_model_elsewhere() {
        assert_eq!(
            run(json!({"first": ["rule", "model"]})).unwrap(),
            [Some(1.0), Some(0.5), Some(0.0)]
        );
    }
}
