//! A debate in words over two responses.

use guerdon_core::Unscored;
use guerdon_core::method::{Case, Judgement, Request};

use super::{Debate, Stance, built_in, preference};
use crate::contract::{Format, Free, Quotes, Read};
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::question;
use crate::script::{Pause, Script};
use crate::show::{Show, fences};

const ARGUE: BuiltIn = built_in(include_str!("../../../prompts/debate.argue.user.j2"));
const DECIDE: BuiltIn = built_in(include_str!("../../../prompts/debate.user.j2"));

/// One statement, with the label of its speaker and round.
type Statement = (String, String);

pub(super) fn talk(
    debate: &Debate,
    case: &Case,
    script: &mut Script<'_>,
) -> Result<Judgement, Pause> {
    let hall = Hall { debate, case, show: Show::seeded(script, 2, "debate"), seed: script.seed() };
    let mut statements: Vec<Statement> = Vec::new();
    for round in 1..=debate.rounds {
        let said = script.all(debate.agents as usize, |agent, script| {
            let request = hall.argue(agent, round, &statements)?;
            let quotes = Quotes::none();
            script.read(&request, |reply| Free.read(&reply.text, &quotes))
        })?;
        let label = |agent: usize| format!("{}_round_{round}", agent + 1);
        statements.extend(said.into_iter().enumerate().map(|(agent, text)| (label(agent), text)));
    }
    let request = hall.decide(&statements)?;
    let said = statements.iter().map(|(_, text)| text.as_str());
    let quotes = Quotes::of(case.responses.iter().map(String::as_str).chain(said));
    let format = debate.verdicts();
    let verdict = script.read(&request, |reply| format.read(&reply.text, &quotes))?;
    let mut told = Judgement::verdict(hall.show.preference(preference(verdict)));
    let all: Vec<&str> = statements.iter().map(|(_, text)| text.as_str()).collect();
    told.made.insert("statements".into(), all.into());
    Ok(told)
}

struct Hall<'a> {
    debate: &'a Debate,
    case: &'a Case,
    show: Show,
    seed: u64,
}

impl Hall<'_> {
    fn argue(&self, agent: usize, round: u32, said: &[Statement]) -> Result<Request, Unscored> {
        let assigned = self.debate.stance == Stance::Assigned;
        let side = if assigned { self.show.labels()[agent % 2].as_str() } else { "" };
        let own = [("agent", (agent + 1).to_string()), ("round", round.to_string())];
        let request = self.request(&self.debate.argue_prompt, ARGUE, said, &Free, |fill| {
            own.iter().fold(fill, |fill, (name, value)| fill.value(name, value)).value("side", side)
        })?;
        Ok(self.debate.debater(agent, request))
    }

    fn decide(&self, said: &[Statement]) -> Result<Request, Unscored> {
        let format = self.debate.verdicts();
        let request = self.request(&self.debate.prompt, DECIDE, said, &format, |fill| {
            fill.value("ties", self.debate.ties)
                .value("assigned", self.debate.stance == Stance::Assigned)
        })?;
        Ok(self.debate.decider(request))
    }

    fn request(
        &self,
        prompt: &Prompt,
        built_in: BuiltIn,
        said: &[Statement],
        format: &dyn Format,
        more: impl for<'a> FnOnce(Fill<'a>) -> Fill<'a>,
    ) -> Result<Request, Unscored> {
        let texts: Vec<&str> = said.iter().map(|(_, text)| text.as_str()).collect();
        let labelled: Vec<(String, &str)> =
            said.iter().map(|(label, text)| (label.clone(), text.as_str())).collect();
        let fences = fences(self.case, &texts, self.seed);
        let fill = Fill::new(&fences)
            .text("question", &question(self.case))
            .maybe("reference", self.case.reference.as_deref())
            .texts("statement", &labelled)
            .value("agents", self.debate.agents)
            .value("rounds", self.debate.rounds);
        let fill = self.show.fill(fill, &fences, &self.case.responses);
        prompt.request(built_in, more(fill), format)
    }
}
