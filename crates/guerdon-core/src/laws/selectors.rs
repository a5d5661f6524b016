//! Laws of selectors.

use rand::RngExt as _;

use super::bounded;
use super::every::built;
use super::verdict::{Duty, Finding, Pass, Says, Tally, Test, Verdict, judge};
use crate::method::{Build, Candidates, Kind, Selection, Selector};
use crate::seed::{Stream, stream};
use crate::{Law, Method, Unscored};

/// The laws that a selector may claim or be exempt from.
pub(super) const LAWS: &[Law] = &[Law::RelabelEquivariant, Law::MonotoneWinner];

const SEED: u64 = 7;

type Chosen = Result<Selection, Unscored>;

pub(super) fn laws(method: Method) -> Vec<Test> {
    let Kind::Selector(build) = method.kind else { return Vec::new() };
    let case = Case { method, build };
    vec![
        Test::new("total", move || case.total()),
        Test::new("valid_index", move || case.valid_index()),
        Test::new("deterministic", move || case.deterministic()),
        Test::new("nothing_to_choose_abstains", move || case.nothing_abstains()),
        Test::new("one_candidate_is_chosen", move || case.one_is_chosen()),
        Test::new("relabel_equivariant", move || {
            judge(method, Law::RelabelEquivariant, Duty::Claimed, || case.find(relabelled))
        }),
        Test::new("monotone_winner", move || {
            judge(method, Law::MonotoneWinner, Duty::Claimed, || case.find(raised))
        }),
    ]
}

#[derive(Clone, Copy)]
struct Case {
    method: Method,
    build: Build<dyn Selector>,
}

impl Case {
    fn ready(self) -> Result<Box<dyn Selector>, String> {
        built(self.method, self.build)
    }

    fn total(self) -> Verdict {
        let selector = self.ready()?;
        for (name, n, chosen) in
            bounded::each(hostile(), move |c| (c.len(), selector.select(c, SEED)))?
                .into_iter()
                .map(|(name, _, (n, chosen))| (name, n, chosen))
        {
            if let Ok(selection) = chosen {
                sound(&selection, n).map_err(|how| format!("on {name}: {how}"))?;
            }
        }
        Ok(Pass::Held)
    }

    fn valid_index(self) -> Verdict {
        let selector = self.ready()?;
        let mut tally = Tally::default();
        for (k, candidates) in samples().iter().enumerate() {
            if let Ok(selection) = selector.select(candidates, SEED) {
                tally.add(
                    &format!("{k}: {candidates:?}"),
                    sound(&selection, candidates.len()).err(),
                );
            }
        }
        tally.verdict()
    }

    fn deterministic(self) -> Verdict {
        let (first, second) = (self.ready()?, self.ready()?);
        for candidates in samples() {
            let (a, b) = (first.select(&candidates, SEED), second.select(&candidates, SEED));
            if a != b {
                return Err(format!(
                    "two runs with the same seed differ:\n  {a:?}\n  {b:?}\n  on {candidates:?}"
                ));
            }
        }
        Ok(Pass::Held)
    }

    fn nothing_abstains(self) -> Verdict {
        match self.ready()?.select(&Candidates::default(), SEED) {
            Err(_) => Ok(Pass::Held),
            Ok(selection) => {
                Err(format!("there is nothing to choose, but it chooses {selection:?}"))
            }
        }
    }

    fn one_is_chosen(self) -> Verdict {
        let selector = self.ready()?;
        for candidates in samples().iter().filter(|c| c.len() == 1) {
            match selector.select(candidates, SEED) {
                Ok(selection) if selection.index != 0 => {
                    return Err(format!("it chooses {} of one", selection.index));
                }
                _ => {}
            }
        }
        Ok(Pass::Held)
    }

    fn find(
        self,
        law: impl Fn(&dyn Selector, &Candidates, &Selection) -> Says,
    ) -> Result<Finding, String> {
        let selector = self.ready()?;
        let mut tally = Tally::default();
        for candidates in samples() {
            let Ok(selection) = selector.select(&candidates, SEED) else { continue };
            tally.add(&format!("{candidates:?}"), law(selector.as_ref(), &candidates, &selection));
        }
        Ok(tally.finding())
    }
}

fn sound(selection: &Selection, n: usize) -> Result<(), String> {
    if selection.index >= n {
        return Err(format!("candidate {} of {n} is chosen (they count from 0)", selection.index));
    }
    if selection.share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
        return Err(format!("the share {:?} is not between 0 and 1", selection.share));
    }
    match selection.tally.iter().find(|(_, weight)| !weight.is_finite()) {
        Some((answer, weight)) => Err(format!("the weight of {answer:?} is {weight}")),
        None => Ok(()),
    }
}

/// New names that sort the other way round must not change which candidate wins.
fn relabelled(selector: &dyn Selector, candidates: &Candidates, before: &Selection) -> Says {
    if candidates.answers.iter().flatten().count() < 2 {
        return Says::Nothing;
    }
    let turn = |c: char| char::from_u32(0x2000 - u32::from(c).min(0x1000)).unwrap_or(c);
    let rename = |answer: &String| answer.chars().map(turn).collect::<String>();
    let answers = candidates.answers.iter().map(|a| a.as_ref().map(rename)).collect();
    let other = Candidates { answers, ..candidates.clone() };
    match selector.select(&other, SEED) {
        Ok(after) if after.index == before.index => Says::Obeys,
        after => Says::Breaks(describe("with other names for the answers", before, &after)),
    }
}

/// Raising everything that speaks for the winner must keep it (or its answer) the winner.
fn raised(selector: &dyn Selector, candidates: &Candidates, before: &Selection) -> Says {
    if candidates.len() < 2
        || (candidates.scores.is_empty()
            && candidates.step_scores.is_empty()
            && candidates.logprobs.is_empty())
    {
        return Says::Nothing;
    }
    for by in [0.25, 8.0] {
        let mut other = candidates.clone();
        let winner = before.index;
        other.scores.get_mut(winner).into_iter().flatten().for_each(|score| *score += by);
        other.logprobs.get_mut(winner).into_iter().flatten().for_each(|lp| *lp += by);
        other.step_scores.get_mut(winner).into_iter().flatten().for_each(|score| *score += by);
        let after = selector.select(&other, SEED);
        let answer = |i: usize| candidates.answers.get(i).and_then(Option::as_ref);
        let kept = after.as_ref().is_ok_and(|a| {
            a.index == winner || (answer(winner).is_some() && answer(a.index) == answer(winner))
        });
        if !kept {
            return Says::Breaks(describe(
                &format!("with the winner raised by {by}"),
                before,
                &after,
            ));
        }
    }
    Says::Obeys
}

fn describe(what: &str, before: &Selection, after: &Chosen) -> String {
    let after = after
        .as_ref()
        .map_or_else(|why| format!("nothing ({why})"), |a| format!("candidate {}", a.index));
    format!("candidate {} is chosen; {what}, {after}", before.index)
}

/// Seeded random candidates: one to eight of them, with answers, scores, step scores and log-probabilities, or only some.
fn samples() -> Vec<Candidates> {
    let mut rng = stream(0, "candidates");
    (0..60).map(|k| sample(&mut rng, 1 + k % 8, k / 8)).collect()
}

fn sample(rng: &mut Stream, n: usize, variant: usize) -> Candidates {
    let grid = |rng: &mut Stream| f64::from(rng.random_range(-8..9)) / 8.0;
    let mut candidates = Candidates::default();
    for _ in 0..n {
        let named = rng.random_range(0..6) > 0;
        let answer = ["12", "7", "x + 1", "12.0"][rng.random_range(0..4)];
        candidates.answers.push(named.then(|| answer.to_owned()));
        candidates
            .scores
            .push(Some(grid(rng)).filter(|_| variant != 3 || rng.random_range(0..4) > 0));
        candidates.logprobs.push(Some(-f64::from(rng.random_range(1..65)) / 8.0));
        let steps = rng.random_range(1..5);
        candidates
            .step_scores
            .push((0..steps).map(|_| f64::from(rng.random_range(0..9)) / 8.0).collect());
    }
    match variant {
        1 => candidates.scores.clear(),
        2 => candidates.scores.iter_mut().flatten().for_each(|score| *score = 0.5),
        4 => candidates.answers.clear(),
        _ => {}
    }
    candidates
}

fn hostile() -> Vec<(String, Candidates)> {
    let scores = |scores: &[f64]| Candidates {
        scores: scores.iter().map(|s| Some(*s)).collect(),
        ..Candidates::default()
    };
    let answers =
        |texts: Vec<Option<String>>| Candidates { answers: texts, ..Candidates::default() };
    let unequal = Candidates { answers: vec![Some("a".into())], ..scores(&[1.0, 2.0]) };
    let everything = |x: f64| Candidates {
        answers: vec![Some("a".into()), Some("b".into())],
        scores: vec![Some(x), Some(-x)],
        step_scores: vec![vec![x, x], vec![]],
        logprobs: vec![Some(x), None],
    };
    vec![
        ("no candidates".into(), Candidates::default()),
        ("lists of unequal length".into(), unequal),
        ("scores that are not numbers".into(), scores(&[f64::NAN, f64::NAN])),
        ("infinite scores".into(), everything(f64::INFINITY)),
        ("huge scores".into(), everything(f64::MAX)),
        ("denormal scores".into(), everything(5e-324)),
        ("no score at all".into(), Candidates { scores: vec![None; 3], ..Candidates::default() }),
        ("no answer at all".into(), answers(vec![None; 3])),
        ("empty answers".into(), answers(vec![Some(String::new()); 3])),
        ("an answer of 1 MB".into(), answers(vec![Some("9".repeat(1 << 20)), Some("9".into())])),
        (
            "10 000 answers, all different".into(),
            answers((0..10_000).map(|i| Some(i.to_string())).collect()),
        ),
        (
            "10 000 candidates".into(),
            Candidates {
                scores: vec![Some(1.0); 10_000],
                ..answers(vec![Some("a".into()); 10_000])
            },
        ),
        (
            "empty steps".into(),
            Candidates { step_scores: vec![Vec::new(); 3], ..Candidates::default() },
        ),
    ]
}
