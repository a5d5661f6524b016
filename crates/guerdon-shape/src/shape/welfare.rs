//! Mutual welfare: the utilities of several parties become one reward that lifts the worse-off party.
//!
//! # Formula
//!
//! ```text
//! U_p = Σ_k w_pk · s_k + eps
//! geometric  (Π_p U_p)^(1/P)     mean  Σ_p U_p / P     min  the least U_p
//! ```
//!
//! Each of the `P` parties has its own weights on the signals.
//!
//! # When to use it
//!
//! Where an answer serves several interests (user and provider, quality and cost) and none may be traded away: under
//! `geometric` a gain of the party that has less counts for more.
//!
//! # Departures
//!
//! None: the released weights of one task are in the tests. A utility below 0 has no geometric mean: that is an error
//! that names the party.
//!
//! # Example
//!
//! ```yaml
//! use: shape.welfare
//! parties:
//!   user: {quality: 0.8, brevity: 0.2}
//!   model: {format: 0.5, brevity: 0.5}
//! ```
//!
//! ```
//! use guerdon_shape::shape::welfare::Rule;
//! assert!((Rule::Geometric.join(&[0.95, 0.35]) - 0.57663).abs() < 1e-5);
//! ```
//!
//! # References
//!
//! Zhu et al., "`GTAlign`: Game-Theoretic Alignment of LLM Assistants for Mutual Welfare", 2025.

use std::collections::BTreeMap;

use guerdon_core::method::{Params, Scope, Transform};
use guerdon_core::{Column, MethodError, ParamError, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::weights::{Resolved, Weights};

/// How utilities become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Their geometric mean.
    #[default]
    Geometric,
    /// Their mean.
    Mean,
    /// The least of them.
    Min,
}

impl Rule {
    /// The welfare of the parties' utilities; 0 without parties.
    pub fn join(self, utilities: &[f64]) -> f64 {
        let n = utilities.len() as f64;
        match self {
            _ if utilities.is_empty() => 0.0,
            Self::Geometric => utilities.iter().map(|u| u.powf(1.0 / n)).product(),
            Self::Mean => utilities.iter().sum::<f64>() / n,
            Self::Min => utilities.iter().copied().fold(f64::INFINITY, f64::min),
        }
    }
}

/// Parameters of `shape.welfare`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Welfare {
    /// The weights of each party on the signals: numbers or columns. Required.
    pub parties: BTreeMap<String, Weights>,
    /// How utilities become one number. Default `geometric`.
    pub rule: Rule,
    /// Added to every utility. At least 0; default 1e-4.
    pub eps: f64,
}

impl Default for Welfare {
    fn default() -> Self {
        Self { parties: BTreeMap::new(), rule: Rule::Geometric, eps: 1e-4 }
    }
}

impl Params for Welfare {
    fn validate(&self) -> Result<(), ParamError> {
        if self.parties.is_empty() {
            return Err(ParamError::new(
                "parties",
                "`parties` must name at least one party with its weights",
            ));
        }
        for (party, weights) in &self.parties {
            let under = |e: ParamError| {
                let path = std::iter::once("parties".to_owned()).chain(e.path).collect();
                ParamError { path, ..e }
            };
            weights.validate(party).map_err(under)?;
            if weights.moves() {
                return Err(under(ParamError::new(
                    party,
                    "the weights of a party cannot be scheduled",
                )));
            }
        }
        ParamError::in_range("eps", self.eps, 0.0, f64::INFINITY)
    }
}

/// One party's weights and signals.
type Terms<'a> = Vec<(Resolved<'a>, &'a Column)>;

impl Welfare {
    fn terms<'a>(&'a self, view: &View<'a>) -> Result<Vec<Terms<'a>>, MethodError> {
        let term = |(name, weight): &'a (String, super::weights::Weight)| {
            Ok((weight.resolve(0, view.frame)?, view.frame.column(name)?))
        };
        self.parties.values().map(|weights| weights.0.iter().map(term).collect()).collect()
    }

    /// The utility of one party in a row; none where a signal or weight is unscored.
    fn utility(&self, terms: &Terms<'_>, row: usize) -> Option<f64> {
        let parts: Option<Vec<f64>> =
            terms.iter().map(|(w, s)| Some(w.get(row)? * s.get(row)?)).collect();
        Some(parts?.iter().sum::<f64>() + self.eps)
    }

    fn check(&self, utilities: &[f64], row: usize) -> Result<(), MethodError> {
        match self
            .parties
            .keys()
            .zip(utilities)
            .find(|(_, u)| self.rule == Rule::Geometric && **u < 0.0)
        {
            Some((party, u)) => Err(MethodError::domain(format!(
                "the utility of `{party}` is {u} in row {row}: a geometric mean needs at least 0; shift the signals, or use `rule: min`"
            ))),
            None => Ok(()),
        }
    }
}

impl Transform for Welfare {
    fn apply(&mut self, view: &View<'_>) -> Result<Column, MethodError> {
        let parties = self.terms(view)?;
        let mut out = Vec::with_capacity(view.frame.rows());
        for row in 0..view.frame.rows() {
            let utilities: Option<Vec<f64>> =
                parties.iter().map(|terms| self.utility(terms, row)).collect();
            if let Some(utilities) = &utilities {
                self.check(utilities, row)?;
            }
            out.push(utilities.map(|u| self.rule.join(&u)));
        }
        Ok(Column::from_options(out))
    }

    fn reads(&self) -> Vec<String> {
        self.parties.values().flat_map(Weights::reads).collect()
    }

    fn scope(&self) -> Scope {
        Scope::Rollout
    }

    fn contributions(&self, view: &View<'_>) -> Vec<(String, Column)> {
        let Ok(parties) = self.terms(view) else { return Vec::new() };
        let column = |terms| {
            Column::from_options((0..view.frame.rows()).map(|row| self.utility(terms, row)))
        };
        self.parties.keys().cloned().zip(parties.iter().map(column)).collect()
    }
}

guerdon_core::method! {
    Welfare: Transform,
    id: "shape.welfare",
    papers: ["gtalign-2025"],
    status: Verified(Worked("released weights: utilities 0.9201 and 0.9401, reward 0.93005")),
    laws: [GroupLocal],
    exempt: [],
    sample_params: r#"{"parties": {"user": {"a": 1.0, "score": 0.5}, "model": {"score": 1.0}}, "rule": "min"}"#,
}

#[cfg(test)]
mod tests {
    use super::{Rule, Welfare};
    use guerdon_core::method::{Params as _, Transform as _};
    use guerdon_core::{Column, Frame, Groups, View};

    #[test]
    fn released_weights_of_a_task() {
        let text = r#"{"parties": {
            "user": {"quality": 0.5, "brief": 0.2, "brief_thought": 0.3},
            "model": {"format": 0.2, "payoff": 0.2, "quality": 0.4, "brief_total": 0.2}}}"#;
        let mut welfare: Welfare = serde_json::from_str(text).unwrap();
        welfare.validate().unwrap();
        let mut frame = Frame::new(Groups::one(1));
        for (name, value) in [
            ("quality", 1.0),
            ("format", 1.0),
            ("payoff", 1.0),
            ("brief", 0.9),
            ("brief_thought", 0.8),
            ("brief_total", 0.7),
        ] {
            frame.insert(name, Column::full(vec![value])).unwrap();
        }
        let view = View { frame: &frame, current: None, seed: 0 };
        assert!((welfare.apply(&view).unwrap().get(0).unwrap() - 0.930_05).abs() < 5e-6);
        let parts: Vec<f64> =
            welfare.contributions(&view).iter().filter_map(|(_, c)| c.get(0)).collect();
        assert!(
            (parts[0] - 0.9401).abs() < 1e-12 && (parts[1] - 0.9201).abs() < 1e-12,
            "{parts:?}"
        );
    }

    #[test]
    fn the_geometric_mean_prefers_balance() {
        let check = |rule: Rule, utilities: [f64; 2], expect: f64| {
            assert!((rule.join(&utilities) - expect).abs() < 5e-6);
        };
        check(Rule::Geometric, [0.6, 0.6], 0.6);
        check(Rule::Geometric, [0.95, 0.35], 0.576_63);
        check(Rule::Mean, [0.95, 0.35], 0.65);
        check(Rule::Min, [0.95, 0.35], 0.35);
    }
}
