//! The policy referees its own group: one critique and a score for every response, in one call.
//!
//! # Formula
//!
//! ```text
//! one reply: s_1 … s_n for the responses in the order shown, low ≤ s ≤ high
//! value_i = mean over `samples` replies, each in an order of its own, of the score of response i
//! ```
//!
//! # When to use it
//!
//! For open instructions in a loop where player and referee are one model: `model` names the policy. The referee itself learns
//! from preference data: `shape.kendall` rewards its scores by their agreement with known ranks. Without such data its taste
//! drifts with the policy.
//!
//! # Departures
//!
//! The order of the responses is drawn by seed. Scores that are missing or cannot be read leave the group unscored; the −1 that
//! the system gives the referee for them belongs to the referee's own reward.
//!
//! # Example
//!
//! ```yaml
//! use: judge.self_referee
//! model: policy
//! ```
//!
//! ```
//! use guerdon_core::method::{Case, Judge, Next};
//! use guerdon_judge::judge::self_referee::SelfReferee;
//!
//! let judge = SelfReferee::default();
//! let responses = ["a", "b", "c"].map(str::to_owned).to_vec();
//! let case = Case { prompt: "?".into(), responses, ..Case::default() };
//! let Ok(Next::Done(told)) = judge.next(&case, &[vec!["Scores: [[5, 5, 5]]".into()]], 0) else { panic!() };
//! assert_eq!(told.values, [5.0, 5.0, 5.0]);
//! ```
//!
//! # References
//!
//! "URPO: A Unified Reward & Policy Optimization Framework for Large Language Models", 2025.

use guerdon_core::method::{Case, Form, Judge, Judgement, Next, Params, Reply, Request};
use guerdon_core::{ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Quotes, Read as _, Score, Scores};
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::question;
use crate::script::{Pause, Script, converse, sample};
use crate::show::{self, Show};

const BUILT_IN: BuiltIn = BuiltIn {
    system: include_str!("../../prompts/judge.system.j2"),
    user: include_str!("../../prompts/self_referee.user.j2"),
};

/// Parameters of `judge.self_referee`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SelfReferee {
    /// The lowest score. Default: 1.
    pub low: i32,
    /// The highest score. Default: 10.
    pub high: i32,
    /// How many replies are asked for and averaged, each in an order of its own. Range: 1 to 64. Default: 1.
    pub samples: u32,
    /// The model that is the policy, by its name in the spec. Default: the spec's default.
    pub model: Option<String>,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates in place of the built-in ones.
    pub prompt: Prompt,
}

impl Default for SelfReferee {
    fn default() -> Self {
        Self { low: 1, high: 10, samples: 1, model: None, retries: 1, prompt: Prompt::default() }
    }
}

impl Params for SelfReferee {
    fn validate(&self) -> Result<(), ParamError> {
        if self.low >= self.high {
            return Err(ParamError::new("high", "`high` must be greater than `low`"));
        }
        ParamError::in_range("samples", self.samples.into(), 1.0, 64.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        self.prompt.validate("prompt")
    }
}

impl SelfReferee {
    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        let told = script.all(self.samples as usize, |k, script| self.scores(case, k, script))?;
        let mean = |i: usize| told.iter().map(|(s, _)| s[i]).sum::<f64>() / told.len() as f64;
        let values = (0..case.responses.len()).map(mean).collect();
        let words: Vec<&str> = told.iter().map(|(_, words)| words.trim()).collect();
        Ok(Judgement::scores(values).because(words.join("\n\n")))
    }

    /// The scores of one reply, by response, and its words.
    fn scores(
        &self,
        case: &Case,
        k: usize,
        script: &mut Script<'_>,
    ) -> Result<(Vec<f64>, String), Pause> {
        let n = case.responses.len();
        let format = Scores { count: n, score: Score::whole(self.low, self.high) };
        let show = Show::seeded(script, n, &format!("referee {k}"));
        let fences = show::fences(case, &[], script.seed());
        let fill = Fill::new(&fences)
            .text("question", &question(case))
            .maybe("reference", case.reference.as_deref())
            .value("low", self.low)
            .value("high", self.high);
        let fill = show.fill(fill, &fences, &case.responses);
        let request = self.prompt.request(BUILT_IN, fill, &format)?;
        let request = sample(&Request { model: self.model.clone(), ..request }, k);
        let quotes = Quotes::of(case.responses.iter().map(String::as_str));
        script.read(&request, |reply| {
            Ok((show.back(&format.read(&reply.text, &quotes)?), reply.text.clone()))
        })
    }
}

impl Judge for SelfReferee {
    fn form(&self) -> Form {
        Form::List
    }

    fn next(
        &self,
        case: &Case,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Judgement>, Unscored> {
        converse(rounds, self.retries, seed, |script| self.talk(case, script))
    }

    fn models(&self) -> Vec<String> {
        self.model.iter().cloned().collect()
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((self.low.into(), self.high.into()))
    }
}

guerdon_core::method! {
    SelfReferee: Judge,
    id: "judge.self_referee",
    papers: ["urpo-2025"],
    status: Stable,
    laws: [],
    exempt: [],
    samples: [r#"{
        "case": {"prompt": "Name a prime.", "responses": ["7", "13"]},
        "replies": [["Both are right.\nScores: [[8, 8]]"]],
        "values": [8, 8]
    }"#]
}

#[cfg(test)]
mod tests {
    use super::SelfReferee;
    use crate::fence::find;
    use crate::scripted::{self, case, text};

    /// Scores a response by its text, whatever its place.
    fn model(request: &guerdon_core::method::Request) -> String {
        let prompt = text(request);
        let shown = find(&prompt).into_iter().filter(|f| f.name.starts_with("response"));
        let scores: Vec<&str> = shown.map(|f| f.text).collect();
        format!("So.\nScores: [[{}]]", scores.join(", "))
    }

    #[test]
    fn scores_find_their_responses() {
        let group = case("q", &["9", "7", "8", "3"]);
        let judge = SelfReferee { samples: 3, ..SelfReferee::default() };
        let (told, asked) = scripted::judge(&judge, &group, model);
        assert_eq!(told.unwrap().values, [9.0, 7.0, 8.0, 3.0]);
        assert!(asked[0].windows(2).any(|two| text(&two[0]) != text(&two[1])));
    }

    #[test]
    fn missing_scores_leave_the_group_unscored() {
        let group = case("q", &["9", "7"]);
        for reply in ["Scores: [[9]]", "Scores: [[9, x]]", "9, 7", "Scores: [[9, 11]]"] {
            let (told, _) = scripted::judge(&SelfReferee::default(), &group, |_| reply.into());
            assert!(told.is_err(), "{reply}");
        }
    }
}
