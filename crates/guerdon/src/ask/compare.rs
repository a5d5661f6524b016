//! From judgements to the scores of rollouts.

use std::ops::Range;

use futures_util::StreamExt as _;
use futures_util::stream;
use guerdon_core::method::{Case, Form, Judgement};
use guerdon_core::seed::{fnv1a, stream as random};
use guerdon_core::{Groups, Level, Outcome, Rollout, Score, Unscored};
use rand::seq::SliceRandom as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::record::{self, Turn};
use super::{Models, judge};
use crate::spec::JudgeStage;

/// The most characters of the judge's words that a score keeps.
const WORDS: usize = 4_000;
/// Conversations of one batch that run side by side; the calls within them are bounded by the client.
const SIDE_BY_SIDE: usize = 4_096;

/// With what a judge of two responses compares a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// With other rollouts of its group.
    #[default]
    Group,
    /// With the reference answer.
    Reference,
}

/// A case, and the rows whose responses it holds.
struct Job {
    rows: Vec<usize>,
    case: Case,
}

/// What a judge is to look at.
pub(crate) struct Batch<'a> {
    /// The signal's name.
    pub(crate) name: &'a str,
    /// The judge.
    pub(crate) judge: &'a JudgeStage,
    /// The model that it asks.
    pub(crate) model: Option<&'a str>,
    /// The run's seed.
    pub(crate) seed: u64,
    /// The rollouts.
    pub(crate) rollouts: &'a [Rollout],
    /// How they are grouped.
    pub(crate) groups: &'a Groups,
}

/// The rows whose responses a conversation judged, and what was said in it.
pub(crate) type Told = (Vec<usize>, Vec<Vec<Turn>>);

/// What a judge says of the rollouts of a batch, and its conversations in the order of the batch.
pub(crate) async fn outcomes(models: &dyn Models, batch: &Batch<'_>) -> (Vec<Outcome>, Vec<Told>) {
    let Batch { name, judge: stage, rollouts, groups, .. } = *batch;
    let jobs = jobs(stage, batch.seed, rollouts, groups);
    let ended: Vec<_> = stream::iter(&jobs)
        .map(|job| {
            let seed = batch.seed ^ fnv1a(name) ^ seed_of(rollouts, &job.rows);
            judge(models, batch.model, name, stage.judge.as_ref(), &job.case, seed)
        })
        .buffered(SIDE_BY_SIDE)
        .collect()
        .await;
    let mut given: Vec<Vec<Result<Given, Unscored>>> = vec![Vec::new(); rollouts.len()];
    let mut told = Vec::with_capacity(jobs.len());
    for (job, ended) in jobs.into_iter().zip(ended) {
        let words = record::words(&ended.turns);
        for (k, row) in job.rows.iter().enumerate() {
            let own = ended.result.as_ref().map_err(Clone::clone);
            given[*row].push(own.map(|judgement| Given::of(judgement, k, &words)));
        }
        told.push((job.rows, ended.turns));
    }
    (given.into_iter().map(|own| outcome(stage.judge.form(), own)).collect(), told)
}

/// Seeds hang on the rollouts, not on their places: a run that is repeated or resumed asks the same.
fn seed_of(rollouts: &[Rollout], rows: &[usize]) -> u64 {
    rows.iter().fold(0, |seed: u64, row| seed.rotate_left(7) ^ fnv1a(&rollouts[*row].id))
}

fn jobs(stage: &JudgeStage, seed: u64, rollouts: &[Rollout], groups: &Groups) -> Vec<Job> {
    let of = |rows: Vec<usize>| {
        let case = Case::of(rows.iter().map(|row| &rollouts[*row]));
        Job { rows, case }
    };
    match (stage.judge.form(), stage.against) {
        (Form::Single, _) => (0..rollouts.len()).map(|row| of(vec![row])).collect(),
        (Form::Pair, Against::Reference) => {
            (0..rollouts.len()).map(|row| with_reference(of(vec![row]))).collect()
        }
        (Form::Pair, Against::Group) => {
            let pairs = groups.iter().flat_map(|group| pairs(stage, seed, rollouts, group));
            pairs.map(|(a, b)| of(vec![a, b])).collect()
        }
        (Form::List, _) => groups.iter().map(|group| of(group.collect())).collect(),
    }
}

/// The case of a response and the reference, which the judge must not see as the right answer.
fn with_reference(job: Job) -> Job {
    let Some(reference) = job.case.reference.clone() else { return job };
    let mut case = job.case.clone();
    case.responses.push(reference);
    case.reference = None;
    Job { case, ..job }
}

/// Who meets whom in a group: everyone, or `opponents` others each, on a circle in seeded order.
fn pairs(
    stage: &JudgeStage,
    seed: u64,
    rollouts: &[Rollout],
    group: Range<usize>,
) -> Vec<(usize, usize)> {
    let n = group.len();
    let mut order: Vec<usize> = group.clone().collect();
    if let Some(first) = rollouts.get(group.start) {
        order.shuffle(&mut random(seed, &first.group));
    }
    let steps = match stage.opponents {
        Some(k) if (k as usize) < n.saturating_sub(1) => (k as usize).div_ceil(2),
        _ => n / 2,
    };
    let mut pairs = Vec::new();
    for step in 1..=steps {
        // Half way round an even circle every pair would be met twice.
        let starts = if 2 * step == n { step } else { n };
        pairs.extend((0..starts).map(|k| (order[k], order[(k + step) % n])));
    }
    pairs
}

/// What a judgement gives to one of its responses.
#[derive(Debug, Clone)]
struct Given {
    value: f64,
    confidence: Option<f64>,
    steps: Vec<f64>,
    parts: Vec<(String, f64)>,
    words: String,
}

impl Given {
    fn of(judgement: &Judgement, k: usize, words: &str) -> Self {
        let part = |part: &guerdon_core::method::Part| {
            Some((part.name.clone(), part.values.get(k).copied()??))
        };
        let said = [judgement.explanation.as_str(), words];
        let said: Vec<&str> = said.into_iter().filter(|text| !text.is_empty()).collect();
        let mut words = said.join("\n\n");
        words.truncate(words.floor_char_boundary(WORDS));
        Self {
            value: judgement.values.get(k).copied().unwrap_or(f64::NAN),
            confidence: judgement.confidence,
            steps: judgement.steps.clone(),
            parts: judgement.parts.iter().filter_map(part).collect(),
            words,
        }
    }

    fn score(self) -> Outcome {
        let mut score = Score::new(self.value)?;
        score.confidence = self.confidence;
        score.parts = self.parts;
        score.explanation = Some(self.words).filter(|words| !words.is_empty());
        if self.steps.is_empty() { Ok(score) } else { score.with_fine(Level::Step, self.steps) }
    }
}

/// The score of a rollout from all judgements that it took part in: their mean. One that failed fails it, with the reason:
/// a comparison left out would be a comparison forgotten.
fn outcome(form: Form, given: Vec<Result<Given, Unscored>>) -> Outcome {
    let mut given = given.into_iter().collect::<Result<Vec<Given>, Unscored>>()?;
    match given.len() {
        0 => Err(Unscored::missing(format!(
            "the judge looks at {}, and the group has only this one",
            form.name()
        ))),
        1 => given.swap_remove(0).score(),
        n => {
            let mean = given.iter().map(|own| own.value).sum::<f64>() / n as f64;
            let mut score = Score::new(mean)?;
            let words: Vec<String> = given.into_iter().map(|own| own.words).collect();
            let mut words = words.join("\n\n――\n\n");
            words.truncate(words.floor_char_boundary(WORDS));
            score.explanation = Some(words).filter(|words| !words.is_empty());
            Ok(score)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Against, pairs};
    use crate::spec::JudgeStage;
    use guerdon_core::Rollout;

    fn games(n: usize, opponents: Option<u32>) -> (usize, Vec<usize>) {
        let judge = Box::new(guerdon_judge::judge::pointwise::Pointwise::default());
        let stage = JudgeStage { judge, model: None, opponents, against: Against::Group };
        let rollouts = vec![Rollout::new("q", "a", ""); n];
        let met = pairs(&stage, 1, &rollouts, 0..n);
        let mut distinct: Vec<_> = met.iter().map(|(a, b)| (a.min(b), a.max(b))).collect();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), met.len(), "a pair is met twice");
        let each = (0..n).map(|k| met.iter().filter(|(a, b)| *a == k || *b == k).count());
        (met.len(), each.collect())
    }

    #[test]
    fn everyone_meets_everyone_or_as_many_as_asked() {
        assert_eq!(games(1, None), (0, vec![0]));
        assert_eq!(games(2, None), (1, vec![1; 2]));
        assert_eq!(games(4, None), (6, vec![3; 4]));
        assert_eq!(games(5, None), (10, vec![4; 5]));
        assert_eq!(games(8, Some(2)), (8, vec![2; 8]));
        assert_eq!(games(8, Some(4)), (16, vec![4; 8]));
        assert_eq!(games(8, Some(99)), (28, vec![7; 8]));
    }
}
