//! Doubly-efficient debate: one side is bound to steps, the other points at one, the judge checks it.

use std::ops::Range;

use guerdon_core::Unscored;
use guerdon_core::method::{Case, Judgement, Request};
use rand::RngExt as _;

use super::{Challenge, Debate, built_in};
use crate::contract::{Format, Items, Label, Quotes, Read, Score};
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::question;
use crate::script::{Pause, Script, sample};
use crate::show::fences;

const COMMIT: BuiltIn = built_in(include_str!("../../../prompts/debate.commit.user.j2"));
const CHALLENGE: BuiltIn = built_in(include_str!("../../../prompts/debate.challenge.user.j2"));
const CHECK: BuiltIn = built_in(include_str!("../../../prompts/debate.check.user.j2"));

/// The most steps that a model commits to.
const STEPS: usize = 64;

/// The steps that one side is bound to, and their hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commitment {
    /// The steps.
    pub steps: Vec<String>,
    /// BLAKE3 of the steps, each after its length: 64 hexadecimal digits.
    pub hash: String,
}

impl Commitment {
    /// Binds to steps.
    pub fn to(steps: Vec<String>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for step in &steps {
            hasher.update(&(step.len() as u64).to_le_bytes());
            hasher.update(step.as_bytes());
        }
        Self { hash: hasher.finalize().to_hex().to_string(), steps }
    }

    /// Whether these are the steps.
    pub fn opens(&self, steps: &[String]) -> bool {
        Self::to(steps.to_vec()).hash == self.hash
    }
}

/// The accuracy of a debate where the transcript lies in half of the cases, the challenger points at the lie, and the judge
/// is right on a step with probability `p`: p, whatever the number of steps.
pub fn debate_accuracy(p: f64) -> f64 {
    0.5 * p + 0.5 * p
}

/// The same without a challenger, where the judge checks one random step of `steps`, one of which may be a lie.
pub fn random_step_accuracy(p: f64, steps: u32) -> f64 {
    let hit = 1.0 / f64::from(steps);
    0.5 * p + 0.5 * (p * hit + (1.0 - p) * (1.0 - hit))
}

/// A bound on the probability that the share of `checks` independent checks is off by more than `delta`/2.
pub fn estimate_failure(delta: f64, checks: u32) -> f64 {
    (2.0 * (-f64::from(checks) * delta * delta / 2.0).exp()).min(1.0)
}

pub(super) fn talk(
    debate: &Debate,
    case: &Case,
    script: &mut Script<'_>,
) -> Result<Judgement, Pause> {
    let commitment = commit(debate, case, script)?;
    let court = Court { debate, case, commitment };
    let challenged = court.challenge(script)?;
    let value = match challenged {
        None => 1.0,
        Some(step) => court.check(step, script)?,
    };
    let why = challenged.map_or("no step was disputed".to_owned(), |step| {
        format!("step {} was disputed", step + 1)
    });
    let mut told = Judgement::score(value).because(why);
    let place = challenged.map_or(serde_json::Value::from(-1), serde_json::Value::from);
    told.made.insert("challenged".into(), place);
    told.made.insert("commitment".into(), court.commitment.hash.into());
    told.made.insert("steps".into(), court.commitment.steps.into());
    Ok(told)
}

/// The steps of the row; those that the first debater writes, where it has none.
fn commit(debate: &Debate, case: &Case, script: &mut Script<'_>) -> Result<Commitment, Pause> {
    if !case.steps.is_empty() {
        return Ok(Commitment::to(case.steps.clone()));
    }
    let format = Items { most: STEPS };
    let fences = fences(case, &[], script.seed());
    let fill =
        Fill::new(&fences).text("question", &question(case)).text("response", &case.responses[0]);
    let request = debate.commit_prompt.request(COMMIT, fill, &format)?;
    let quotes = Quotes::none();
    let steps =
        script.read(&debate.debater(0, request), |reply| format.read(&reply.text, &quotes))?;
    Ok(Commitment::to(steps))
}

struct Court<'a> {
    debate: &'a Debate,
    case: &'a Case,
    commitment: Commitment,
}

impl Court<'_> {
    fn challenge(&self, script: &mut Script<'_>) -> Result<Option<usize>, Pause> {
        let count = self.commitment.steps.len();
        if self.debate.challenge == Challenge::Random {
            return Ok(Some(script.stream("challenge").random_range(0..count)));
        }
        let format = Score::whole(0, i32::try_from(count).unwrap_or(i32::MAX));
        let prompt = &self.debate.argue_prompt;
        let request = self.request(prompt, CHALLENGE, (0, 0..count), &format, script.seed())?;
        let quotes = self.quotes();
        let number = script
            .read(&self.debate.debater(1, request), |reply| format.read(&reply.text, &quotes))?;
        Ok((1..=count).find(|step| *step as f64 == number).map(|step| step - 1))
    }

    /// The share of the checks that find the step right.
    fn check(&self, step: usize, script: &mut Script<'_>) -> Result<f64, Pause> {
        let from = step.saturating_sub(self.debate.window as usize);
        let format = Label::new(["YES", "NO"]);
        let prompt = &self.debate.prompt;
        let request =
            self.request(prompt, CHECK, (from, step..step + 1), &format, script.seed())?;
        let request = self.debate.decider(request);
        let quotes = self.quotes();
        let checks = script.all(self.debate.checks as usize, |k, script| {
            script.read(&sample(&request, k), |reply| format.read(&reply.text, &quotes))
        })?;
        let right = checks.iter().filter(|verdict| **verdict == 0).count();
        Ok(right as f64 / checks.len() as f64)
    }

    fn quotes(&self) -> Quotes<'_> {
        Quotes::of(self.case.responses.iter().chain(&self.commitment.steps).map(String::as_str))
    }

    /// A request that shows these steps, and those from a place on before them, only: what the judge reads does not grow
    /// with the transcript.
    fn request(
        &self,
        prompt: &Prompt,
        built_in: BuiltIn,
        (from, shown): (usize, Range<usize>),
        format: &dyn Format,
        seed: u64,
    ) -> Result<Request, Unscored> {
        let (number, start) = (shown.end, shown.start);
        let label = |k: usize| ((k + 1).to_string(), self.commitment.steps[k].as_str());
        let steps: Vec<(String, &str)> = (from..number).map(label).collect();
        let texts: Vec<&str> = steps.iter().map(|(_, text)| *text).collect();
        let fences = fences(self.case, &texts, seed);
        let (before, step) = steps.split_at(start - from);
        let fill = Fill::new(&fences)
            .text("question", &question(self.case))
            .texts("before", before)
            .texts("step", step)
            .value("number", number)
            .value("count", self.commitment.steps.len())
            .value("commitment", &self.commitment.hash);
        prompt.request(built_in, fill, format)
    }
}

#[cfg(test)]
mod tests {
    use super::Commitment;

    #[test]
    fn a_commitment_binds() {
        let steps = |texts: [&str; 2]| texts.map(str::to_owned).to_vec();
        let bound = Commitment::to(steps(["ab", "c"]));
        assert!(bound.opens(&steps(["ab", "c"])));
        assert!(!bound.opens(&steps(["a", "bc"])));
        assert_eq!(bound.hash.len(), 64);
    }
}
