//! Debate by evidence: two arguers reveal facts in turn, the judge decides by these alone.

use guerdon_core::Unscored;
use guerdon_core::method::{Case, Judgement, Request};
use rand::seq::SliceRandom as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Debate, built_in, preference};
use crate::contract::{Format, Label, Quotes, Read};
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::question;
use crate::script::{Pause, Script};
use crate::show::{Show, fences};

const REVEAL: BuiltIn = built_in(include_str!("../../../prompts/debate.reveal.user.j2"));
const DECIDE: BuiltIn = built_in(include_str!("../../../prompts/debate.evidence.user.j2"));

/// The most facts of a row.
const FACTS: usize = 256;

/// Who reveals facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reveal {
    /// Two arguers in turn, one for each decision.
    #[default]
    Debate,
    /// One arguer, for the decision that the seed shows first: a control without opponent.
    OneSided,
    /// Chance: facts by seed, as a control without arguers.
    Random,
    /// Everything is revealed: a control with the full state.
    All,
}

/// The fact that helps one side most before a linear judge: of those not yet revealed, the greatest contribution for the
/// first decision, the least for the second; the earliest among equals. `contributions`: weight × value per fact, positive in
/// favour of the first.
pub fn favourable(contributions: &[f64], revealed: &[usize], first: bool) -> Option<usize> {
    let gain = |fact: &usize| if first { contributions[*fact] } else { -contributions[*fact] };
    let left = (0..contributions.len()).filter(|fact| !revealed.contains(fact));
    left.reduce(|best, fact| if gain(&fact) > gain(&best) { fact } else { best })
}

/// The reward of an arguer: (1 − λ)·r_env + λ·d, where `outcome` d is 1, 0 or −1.
pub fn reward(environment: f64, outcome: f64, lambda: f64) -> f64 {
    (1.0 - lambda) * environment + lambda * outcome
}

/// A fact: its name and what the prompt says of it.
struct Fact {
    name: String,
    text: String,
}

pub(super) fn talk(
    debate: &Debate,
    case: &Case,
    script: &mut Script<'_>,
) -> Result<Judgement, Pause> {
    let facts = facts(case, &debate.features)?;
    let contributions = contributions(debate, case, &facts)?;
    let show = Show::seeded(script, 2, "debate");
    let court = Court { debate, case, show, facts, contributions };
    let mut revealed = Vec::new();
    while revealed.len() < court.turns() {
        revealed.push(court.next(&revealed, script)?);
    }
    let format = debate.verdicts();
    let prompt = &debate.prompt;
    let request = court.request(prompt, DECIDE, &revealed, &format, script.seed(), |fill| {
        fill.value("ties", debate.ties)
    })?;
    let quotes = court.quotes();
    let verdict =
        script.read(&debate.decider(request), |reply| format.read(&reply.text, &quotes))?;
    let told = court.show.preference(preference(verdict));
    let mut judgement = Judgement::verdict(told);
    let names: Vec<&str> = revealed.iter().map(|fact| court.facts[*fact].name.as_str()).collect();
    judgement.made.insert("revealed".into(), names.into());
    judgement.made.insert("outcome".into(), (told.first - told.second).into());
    Ok(judgement)
}

fn facts(case: &Case, column: &str) -> Result<Vec<Fact>, Unscored> {
    let wrong = || {
        Unscored::invalid(format!("the column `{column}` must hold an object from name to value"))
    };
    let absent = || Unscored::missing(format!("the judge needs facts in the column `{column}`"));
    let map = case.fields.get(column).ok_or_else(absent)?.as_object().ok_or_else(wrong)?;
    if map.len() > FACTS {
        return Err(Unscored::budget(format!("{} facts, at most {FACTS}", map.len())));
    }
    if map.is_empty() {
        return Err(absent());
    }
    let fact = |(name, value): (&String, &Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Fact { name: name.clone(), text: format!("{name}: {text}") }
    };
    Ok(map.iter().map(fact).collect())
}

/// Weight × value of each fact, where the judge is linear; else nothing.
fn contributions(debate: &Debate, case: &Case, facts: &[Fact]) -> Result<Vec<f64>, Unscored> {
    if debate.weights.is_empty() {
        return Ok(Vec::new());
    }
    let number = |column: &str, name: &str| {
        let value = case.fields.get(column).and_then(|map| map.get(name)).and_then(Value::as_f64);
        value.ok_or_else(|| {
            Unscored::missing(format!("the column `{column}` holds no number for {name:?}"))
        })
    };
    let product = |fact: &Fact| {
        let value = number(&debate.weights, &fact.name)? * number(&debate.features, &fact.name)?;
        let huge = || Unscored::invalid(format!("weight × value of {:?} is not finite", fact.name));
        value.is_finite().then_some(value).ok_or_else(huge)
    };
    facts.iter().map(product).collect()
}

struct Court<'a> {
    debate: &'a Debate,
    case: &'a Case,
    show: Show,
    facts: Vec<Fact>,
    contributions: Vec<f64>,
}

impl Court<'_> {
    fn turns(&self) -> usize {
        match self.debate.reveal {
            Reveal::All => self.facts.len(),
            _ => self.facts.len().min(self.debate.turns as usize),
        }
    }

    /// The next fact to be revealed.
    fn next(&self, revealed: &[usize], script: &mut Script<'_>) -> Result<usize, Pause> {
        let left: Vec<usize> = (0..self.facts.len()).filter(|k| !revealed.contains(k)).collect();
        let place = match self.debate.reveal {
            Reveal::All => return Ok(left[0]),
            Reveal::Random => {
                let mut order: Vec<usize> = (0..self.facts.len()).collect();
                order.shuffle(&mut script.stream("facts"));
                return Ok(order[revealed.len()]);
            }
            Reveal::OneSided => 0,
            Reveal::Debate => revealed.len() % 2,
        };
        let first = self.show.order()[place] == 0;
        match favourable(&self.contributions, revealed, first) {
            Some(fact) => Ok(fact),
            None => self.argue(place, revealed, &left, script),
        }
    }

    fn argue(
        &self,
        place: usize,
        revealed: &[usize],
        left: &[usize],
        script: &mut Script<'_>,
    ) -> Result<usize, Pause> {
        let numbers: Vec<String> = left.iter().map(|fact| (fact + 1).to_string()).collect();
        let format = Label { labels: numbers, direct: false };
        let all: Vec<usize> = (0..self.facts.len()).collect();
        let known: Vec<usize> = revealed.iter().map(|fact| fact + 1).collect();
        let prompt = &self.debate.argue_prompt;
        let request = self.request(prompt, REVEAL, &all, &format, script.seed(), |fill| {
            fill.value("revealed", known)
                .value("side", &self.show.labels()[place])
                .value("left", self.turns() - revealed.len())
        })?;
        let quotes = self.quotes();
        let chosen =
            script.read(&self.debate.debater(place, request), |r| format.read(&r.text, &quotes))?;
        Ok(left[chosen])
    }

    fn quotes(&self) -> Quotes<'_> {
        let facts = self.facts.iter().map(|fact| fact.text.as_str());
        Quotes::of(self.case.responses.iter().map(String::as_str).chain(facts))
    }

    /// A request that shows these facts only.
    fn request(
        &self,
        prompt: &Prompt,
        built_in: BuiltIn,
        shown: &[usize],
        format: &dyn Format,
        seed: u64,
        more: impl for<'a> FnOnce(Fill<'a>) -> Fill<'a>,
    ) -> Result<Request, Unscored> {
        let labelled: Vec<(String, &str)> =
            shown.iter().map(|k| ((k + 1).to_string(), self.facts[*k].text.as_str())).collect();
        let texts: Vec<&str> = labelled.iter().map(|(_, text)| *text).collect();
        let fences = fences(self.case, &texts, seed);
        let fill =
            Fill::new(&fences).text("question", &question(self.case)).texts("feature", &labelled);
        let fill = self.show.fill(fill, &fences, &self.case.responses);
        prompt.request(built_in, more(fill), format)
    }
}

#[cfg(test)]
mod tests {
    use super::{favourable, reward};
    use guerdon_core::seed::stream;
    use rand::RngExt as _;

    /// The revealed sum under perfect play from here on.
    fn minimax(contributions: &[f64], revealed: &mut Vec<usize>, turns: usize) -> f64 {
        if revealed.len() == turns {
            return revealed.iter().map(|fact| contributions[*fact]).sum();
        }
        let first = revealed.len().is_multiple_of(2);
        let mut best = if first { f64::NEG_INFINITY } else { f64::INFINITY };
        for fact in 0..contributions.len() {
            if revealed.contains(&fact) {
                continue;
            }
            revealed.push(fact);
            let value = minimax(contributions, revealed, turns);
            revealed.pop();
            best = if first { best.max(value) } else { best.min(value) };
        }
        best
    }

    #[test]
    fn greedy_revelation_is_perfect_play_before_a_linear_judge() {
        let mut rng = stream(3, "evidence");
        for _ in 0..50 {
            let contributions: Vec<f64> = (0..6).map(|_| rng.random_range(-1.0..1.0)).collect();
            let mut revealed = Vec::new();
            while revealed.len() < 4 {
                let first = revealed.len().is_multiple_of(2);
                revealed.push(favourable(&contributions, &revealed, first).unwrap());
            }
            let greedy: f64 = revealed.iter().map(|fact| contributions[*fact]).sum();
            let perfect = minimax(&contributions, &mut Vec::new(), 4);
            assert!((greedy - perfect).abs() < 1e-12, "{contributions:?}");
        }
    }

    /// How often the verdict of a linear judge on the revealed facts is that on all of them.
    fn agreement(turn: impl Fn(usize) -> Option<bool>) -> f64 {
        let mut rng = stream(4, "agreement");
        let mut same = 0;
        for _ in 0..4_000 {
            let facts: Vec<f64> = (0..10)
                .map(|_| (0..12).map(|_| rng.random_range(-1.0..1.0)).sum::<f64>())
                .collect();
            let mut revealed: Vec<usize> = Vec::new();
            while revealed.len() < 6 {
                let next = match turn(revealed.len()) {
                    Some(first) => favourable(&facts, &revealed, first).unwrap(),
                    None => revealed.len(),
                };
                revealed.push(next);
            }
            let seen: f64 = revealed.iter().map(|fact| facts[*fact]).sum();
            same += usize::from((seen > 0.0) == (facts.iter().sum::<f64>() > 0.0));
        }
        f64::from(u32::try_from(same).unwrap()) / 4_000.0
    }

    #[test]
    fn debate_shows_what_matters() {
        let debate = agreement(|turn| Some(turn % 2 == 0));
        let random = agreement(|_| None);
        let one_sided = agreement(|_| Some(true));
        assert!(debate > random && random > one_sided, "{debate} {random} {one_sided}");
        assert!(
            (random - 0.789).abs() < 0.03 && (one_sided - 0.538).abs() < 0.05,
            "{random} {one_sided}"
        );
    }

    #[test]
    fn the_reward_mixes_world_and_verdict() {
        assert!((reward(0.4, 1.0, 0.25) - 0.55).abs() < 1e-12);
        assert!((reward(0.4, -1.0, 0.25) - 0.05).abs() < 1e-12);
        assert_eq!(favourable(&[1.0], &[0], true), None);
    }
}
