//! Several judges, one verdict: by majority, mean, weights or only where all agree; dissent is told as confidence.
//!
//! # Formula
//!
//! ```text
//! comparisons   majority      the verdict of most judges; a tie where several are equally frequent
//!               sum           sign(votes for the first − votes for the second): a tie is no vote
//!               mean          P(·) = mean of the judges' P(·)
//!               weighted      the verdict with the greatest Σ w_j;   w_j given, or ln(a_j/(1 − a_j)) of the accuracy a_j
//!               conservative  a preference only where all judges have the same, else a tie
//! scores        majority: the median · sum · mean · weighted: Σ w_j s_j / Σ w_j · conservative: the minimum
//! confidence    the (weighted) share of judges that give the verdict; of scores, 1 − (max − min)/range
//! ```
//!
//! # When to use it
//!
//! Where judges of different families err independently: three of accuracy .7 reach .784, one at .8 outvotes three at .6 by
//! log-odds. Where their errors are the same, a jury buys nothing and costs three times as much. `conservative` is for data
//! that must be clean: it keeps only what nobody disputes.
//!
//! # Departures
//!
//! A judge without a verdict is no vote and no tie: it counts against `quorum`, and the case is unscored below that. Judges with
//! different scales must be brought to one by `normalise`.
//!
//! # Example
//!
//! ```yaml
//! use: judge.jury
//! judges:
//! - use: judge.pairwise
//!   model: first
//! - use: judge.pairwise
//!   model: second
//! - use: judge.reasoning
//!   model: third
//!   votes: 3
//! aggregate: majority
//! ```
//!
//! ```
//! use guerdon_core::method::Preference;
//! use guerdon_judge::judge::jury::merge;
//!
//! let verdicts = [Preference::FIRST, Preference::FIRST, Preference::SECOND];
//! let (verdict, share) = merge::vote(&verdicts, &[1.0; 3]).unwrap();
//! assert_eq!(verdict, Preference::FIRST);
//! assert!((share - 2.0 / 3.0).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! Arif et al., "The Fellowship of the LLMs: Multi-Agent Workflows for Synthetic Preference Optimization Dataset Generation",
//! 2024. Guo et al., "CritiQ: Mining Data Quality Criteria from Human Preferences", 2025. Yang et al., "MOOSE-Chem2", 2025
//! (several judges).

pub mod merge;

use std::collections::BTreeMap;

use guerdon_core::method::{Case, Form, Judge, Judgement, Next, Params, Part, Preference, Reply};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::judge::genrm::vote;
use crate::panel::{self, Member, Seats};
use crate::script::{Pause, Script, converse};

/// How the judges' verdicts become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// What most say; of scores, the median.
    #[default]
    Majority,
    /// The votes for the first less those for the second, so that a tie is no vote; of scores, their sum.
    Sum,
    /// The mean of probabilities or scores.
    Mean,
    /// By weights.
    Weighted,
    /// Only what nobody disputes; of scores, the minimum.
    Conservative,
}

/// One judge of the jury. Whatever else its entry holds are the parameters of its method.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Juror {
    /// The judge's method.
    #[serde(rename = "use")]
    pub method: String,
    /// The model of the spec that it asks; absent for that of the jury.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Its weight, for `aggregate: weighted`. Positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// Its accuracy on pairs, in place of a weight. Range: above 0.5 to below 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// The parameters of its method.
    #[serde(flatten)]
    pub params: BTreeMap<String, Value>,
}

impl Juror {
    fn weight(&self) -> Option<f64> {
        self.weight.or_else(|| self.accuracy.map(merge::log_odds))
    }

    fn params(&self) -> Map<String, Value> {
        self.params.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

/// Parameters of `judge.jury`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Jury {
    /// The judges: each an entry of its own (`use`, `model`, its parameters). All must look at the same number of responses.
    pub judges: Vec<Juror>,
    /// How their verdicts become one. Default: `majority`.
    pub aggregate: Aggregate,
    /// How many judges must have a verdict; absent for all of them.
    pub quorum: Option<u32>,
    /// Whether scores are brought to 0…1 by the range of each judge before they are merged.
    pub normalise: bool,
    /// The judges, built.
    #[serde(skip)]
    seats: Seats,
}

impl Params for Jury {
    fn validate(&self) -> Result<(), ParamError> {
        if self.judges.is_empty() || self.judges.len() > 64 {
            return Err(ParamError::new("judges", "`judges` must name 1 to 64 judges"));
        }
        let members = self.members()?;
        if let Err(other) = panel::form(members) {
            let name = &self.judges[other].method;
            let why = format!(
                "`{name}` looks at {}, the first judge at {}: all must look at the same",
                members[other].judge.form().name(),
                members[0].judge.form().name()
            );
            return Err(at(other, ParamError::new("use", why)));
        }
        for (k, juror) in self.judges.iter().enumerate() {
            self.validate_weight(juror).map_err(|error| at(k, error))?;
        }
        if let Some(quorum) = self.quorum {
            ParamError::in_range("quorum", quorum.into(), 1.0, self.judges.len() as f64)?;
        }
        self.validate_scales(members)
    }
}

/// The error of the `k`-th judge.
fn at(k: usize, error: ParamError) -> ParamError {
    let path = ["judges".to_owned(), k.to_string()].into_iter().chain(error.path).collect();
    ParamError { path, ..error }
}

impl Jury {
    fn validate_weight(&self, juror: &Juror) -> Result<(), ParamError> {
        if let Some(weight) = juror.weight {
            ParamError::positive("weight", weight)?;
        }
        if juror.accuracy.is_some_and(|a| !(a > 0.5 && a < 1.0)) {
            let why = "`accuracy` must be above 0.5 and below 1: a judge at chance has no weight";
            return Err(ParamError::new("accuracy", why));
        }
        if self.aggregate == Aggregate::Weighted && juror.weight().is_none() {
            let why = "`aggregate: weighted` needs a `weight` or an `accuracy` for every judge";
            return Err(ParamError::new("weight", why));
        }
        Ok(())
    }

    fn validate_scales(&self, members: &[Member]) -> Result<(), ParamError> {
        let ranges: Vec<_> = members.iter().map(|member| member.judge.range()).collect();
        let pair = members.first().is_some_and(|member| member.judge.form() == Form::Pair);
        let differ = ranges.iter().any(|range| *range != ranges[0]);
        if !pair && !self.normalise && differ && self.aggregate != Aggregate::Majority {
            let why = "the judges' scales differ: bring them to one with `normalise: true`";
            return Err(ParamError::new("normalise", why));
        }
        if self.normalise && ranges.iter().any(Option::is_none) {
            let why = "`normalise` needs judges whose least and greatest score are known";
            return Err(ParamError::new("normalise", why));
        }
        Ok(())
    }

    fn members(&self) -> Result<&[Member], ParamError> {
        self.seats.members(|| {
            let build = |(k, juror): (usize, &Juror)| {
                let judge = panel::build(&juror.method, &juror.params()).map_err(|e| at(k, e))?;
                let same = |other: &&Juror| {
                    (&other.method, &other.model, &other.params)
                        == (&juror.method, &juror.model, &juror.params)
                };
                let copy = self.judges[..k].iter().filter(same).count();
                let copy = u32::try_from(copy).unwrap_or(u32::MAX);
                Ok(Member { judge, model: juror.model.clone(), copy })
            };
            self.judges.iter().enumerate().map(build).collect()
        })
    }

    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        let members = self.members().map_err(|error| Unscored::invalid(error.to_string()))?;
        let told = script
            .each(members.len(), |k, script| members[k].talk(case, k, script))?
            .into_iter()
            .map(|told| told.and_then(|told| self.usable(told, case)))
            .collect::<Vec<_>>();
        let needed = self.quorum.map_or(members.len(), |quorum| quorum as usize);
        let given = told.iter().filter(|told| told.is_ok()).count();
        if given < needed {
            let why = told.iter().find_map(|told| told.as_ref().err());
            let why = why.cloned().unwrap_or_else(|| Unscored::failed("no judge has a verdict"));
            let detail = format!(
                "{given} of {} judges have a verdict, {needed} must: {}",
                members.len(),
                why.detail
            );
            return Err(Unscored { detail, ..why }.into());
        }
        let own: Vec<(usize, &Judgement)> = told
            .iter()
            .enumerate()
            .filter_map(|(k, told)| Some((k, told.as_ref().ok()?)))
            .collect();
        let merged = match self.form() {
            Form::Pair => self.compare(&own),
            _ => Some(self.score(&own, members)),
        };
        let merged = merged.ok_or_else(|| Unscored::failed("the verdicts cannot be merged"))?;
        let parts = told.iter().enumerate().map(|(k, told)| self.part(k, told.as_ref().ok(), case));
        Ok(Judgement { parts: parts.collect(), ..merged })
    }

    /// A judgement of the right shape, with finite values.
    fn usable(&self, told: Judgement, case: &Case) -> Result<Judgement, Unscored> {
        let sound = told.values.len() == case.responses.len()
            && told.values.iter().all(|value| value.is_finite())
            && (self.form() != Form::Pair || told.compared().is_some());
        if sound { Ok(told) } else { Err(Unscored::failed("the judge's values are not usable")) }
    }

    fn part(&self, k: usize, told: Option<&Judgement>, case: &Case) -> Part {
        let juror = &self.judges[k];
        let model = juror.model.as_ref().map_or(String::new(), |model| format!(" {model}"));
        let values = told.map_or_else(
            || vec![None; case.responses.len()],
            |told| told.values.iter().copied().map(Some).collect(),
        );
        Part { name: format!("{} {}{model}", k + 1, juror.method), values }
    }

    fn weights(&self, own: &[(usize, &Judgement)]) -> Vec<f64> {
        let weight = |k: usize| match self.aggregate {
            Aggregate::Weighted => self.judges[k].weight().unwrap_or(1.0),
            _ => 1.0,
        };
        own.iter().map(|(k, _)| weight(*k)).collect()
    }

    fn compare(&self, own: &[(usize, &Judgement)]) -> Option<Judgement> {
        let soft: Vec<Preference> = own.iter().filter_map(|(_, told)| told.compared()).collect();
        let hard: Vec<Preference> = soft.iter().copied().map(merge::hard).collect();
        let weights = self.weights(own);
        let (verdict, share) = match self.aggregate {
            Aggregate::Majority | Aggregate::Weighted => merge::vote(&hard, &weights)?,
            Aggregate::Sum => merge::sum(&hard, &weights)?,
            Aggregate::Conservative => merge::conservative(&hard)?,
            Aggregate::Mean => {
                let mean = merge::mean(&soft, &weights)?;
                (mean, mean.first.max(mean.tie).max(mean.second).clamp(0.0, 1.0))
            }
        };
        Some(Judgement::verdict(verdict).sure(share))
    }

    fn score(&self, own: &[(usize, &Judgement)], members: &[Member]) -> Judgement {
        let unit = |k: usize, value: f64| match members[k].judge.range() {
            Some((low, high)) if high > low => ((value - low) / (high - low)).clamp(0.0, 1.0),
            _ => value,
        };
        let values = |(k, told): &(usize, &Judgement)| -> Vec<f64> {
            let own = told.values.iter();
            own.map(|value| if self.normalise { unit(*k, *value) } else { *value }).collect()
        };
        let scores: Vec<Vec<f64>> = own.iter().map(values).collect();
        let weights = self.weights(own);
        let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
        let merged = match self.aggregate {
            Aggregate::Majority if self.form() == Form::List => vote::majority(&scores),
            Aggregate::Majority => merge::by_response(&scores, merge::median),
            Aggregate::Conservative => merge::by_response(&scores, least),
            Aggregate::Sum => merge::by_response(&scores, |values| values.iter().sum()),
            _ => merge::by_response(&scores, |values| merge::weighted(values, &weights)),
        };
        let told = Judgement::scores(merged);
        let units = own.iter().map(|(k, told)| told.values.iter().map(|v| unit(*k, *v)).collect());
        let units: Vec<Vec<f64>> = units.collect();
        let known = own.iter().all(|(k, _)| members[*k].judge.range().is_some());
        if known { told.sure(harmony(&units)) } else { told }
    }
}

/// How close the judges are on the response on which they differ most: 1 where all say the same. Scores from 0 to 1.
fn harmony(units: &[Vec<f64>]) -> f64 {
    let spread = |values: &[f64]| {
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        most - least
    };
    let widest = merge::by_response(units, spread).into_iter().fold(0.0, f64::max);
    (1.0 - widest).clamp(0.0, 1.0)
}

impl Judge for Jury {
    fn form(&self) -> Form {
        self.members()
            .ok()
            .and_then(|members| members.first())
            .map_or(Form::Single, |m| m.judge.form())
    }

    fn next(
        &self,
        case: &Case,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Judgement>, Unscored> {
        converse(rounds, 0, seed, |script| self.talk(case, script))
    }

    fn models(&self) -> Vec<String> {
        let members = self.members().unwrap_or_default();
        let own = members.iter().flat_map(|m| m.model.clone().into_iter().chain(m.judge.models()));
        unique(own)
    }

    fn reads(&self) -> Vec<String> {
        unique(self.members().unwrap_or_default().iter().flat_map(|member| member.judge.reads()))
    }

    fn range(&self) -> Option<(f64, f64)> {
        let list = self.form() == Form::List && self.aggregate == Aggregate::Majority;
        if list || self.form() == Form::Pair {
            return Some((0.0, 1.0));
        }
        let members = self.members().ok()?;
        let own =
            |member: &Member| if self.normalise { Some((0.0, 1.0)) } else { member.judge.range() };
        let (low, high) = members.iter().map(own).reduce(|all, own| {
            let ((low, high), (a, b)) = all.zip(own)?;
            Some((low.min(a), high.max(b)))
        })??;
        if self.aggregate != Aggregate::Sum {
            return Some((low, high));
        }
        // With a quorum, between that many and all of them are added.
        let (n, least) =
            (members.len() as f64, self.quorum.map_or(members.len() as f64, f64::from));
        Some(((low * n).min(low * least), (high * n).max(high * least)))
    }
}

fn unique(names: impl Iterator<Item = String>) -> Vec<String> {
    names.fold(Vec::new(), |mut all, name| {
        if !all.contains(&name) {
            all.push(name);
        }
        all
    })
}

guerdon_core::method! {
    Jury: Judge,
    id: "judge.jury",
    papers: ["fellowship-2024", "critiq-2025", "moose-chem2-2025"],
    status: Verified(Worked("the catalogue's log-odds and majorities")),
    laws: [],
    exempt: [],
    sample_params: r#"{"judges": [
        {"use": "judge.pairwise", "model": "first", "order": "both"},
        {"use": "judge.reasoning", "model": "second", "votes": 2},
        {"use": "judge.pairwise", "model": "third", "scale": "five"}
    ], "aggregate": "majority"}"#,
    samples: [r#"{
        "case": {"prompt": "What is 2 + 2?", "responses": ["It is four.", "It is five."]},
        "replies": [[
            "The first is right.\n[[A]]", "The second is right.\n[[A]]",
            "It is 4.\n[[B]]", "It is 4.\n[[A]]",
            "Equal.\n[[A=B]]", "Equal.\n[[A=B]]"
        ]],
        "values": [0.5, 0.5]
    }"#]
}

#[cfg(test)]
mod tests;
