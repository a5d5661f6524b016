//! Compares two texts by breakdowns of each: a fixed chain of questions is answered per text, then the answers are compared.
//!
//! # Formula
//!
//! ```text
//! b(y) = answers of the chain q_1..q_c on y, each with the earlier ones in its context
//! verdict = judge(b(y_1), b(y_2)): first, tie or second
//! calls for n texts: n·c + one per pair
//! ```
//!
//! # When to use it
//!
//! To place texts on a concept (aversion, politeness, rigour) where a direct comparison asks for too much reasoning at once:
//! comparing breakdowns is closer to recognising a pattern. A breakdown depends on its text alone, so that in a tournament
//! each text is broken down once and the cache serves it to all pairs. A text is placed by `rank.bradley_terry` on the
//! verdicts, ties half. With many comparisons per text, aggregation does much of the work that breakdowns do.
//!
//! # Departures
//!
//! The questions of the paper are about one political concept; the default chain is general.
//!
//! # Example
//!
//! ```yaml
//! use: judge.breakdown
//! concept: aversion to the other party
//! questions:
//!   - Which persons or groups does the text speak of?
//!   - What does it say of them, in its own words?
//!   - How strongly does it turn against them?
//! ```
//!
//! ```
//! use guerdon_core::method::{Case, Judge, Next};
//! use guerdon_judge::judge::breakdown::Breakdown;
//!
//! let judge = Breakdown { questions: vec!["Who is spoken of?".into()], ..Breakdown::default() };
//! let case = Case { responses: vec!["x".into(), "y".into()], ..Case::default() };
//! let rounds = [vec!["Nobody.".into(), "Cats.".into()], vec!["[[tie]]".into()]];
//! let Ok(Next::Done(told)) = judge.next(&case, &rounds, 0) else { panic!() };
//! assert_eq!(told.values, [0.5, 0.5]);
//! ```
//!
//! # References
//!
//! Wu et al., "Concept-Guided Chain-of-Thought Prompting for Pairwise Comparison Scoring of Texts with Large Language
//! Models", 2023.

use guerdon_core::method::{
    Case, Form, Judge, Judgement, Next, Params, Preference, Reply, Request,
};
use guerdon_core::{Message, ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Free, Label, Quotes, Read};
use crate::fence::Fences;
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::question;
use crate::script::{Pause, Script, converse};
use crate::show::Show;

const SYSTEM: &str = include_str!("../../prompts/judge.system.j2");
const FIRST: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../prompts/breakdown.user.j2") };
const NEXT: BuiltIn =
    BuiltIn { system: "", user: include_str!("../../prompts/breakdown.next.user.j2") };
const COMPARE: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../prompts/breakdown.compare.user.j2") };

/// The most questions of a chain.
const QUESTIONS: usize = 20;

/// Parameters of `judge.breakdown`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Breakdown {
    /// What the texts are compared on; empty, the default: how well they answer.
    pub concept: String,
    /// The chain of questions that is answered for each text. 1 to 20. Default: what it says, what bears on the matter, how
    /// strongly.
    pub questions: Vec<String>,
    /// Whether the judge may call a tie. Default: true.
    pub ties: bool,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates of the first question in place of the built-in ones. They see the text, not its rival.
    pub breakdown_prompt: Prompt,
    /// Templates of the questions after it.
    pub next_prompt: Prompt,
    /// Templates of the comparison.
    pub prompt: Prompt,
}

impl Default for Breakdown {
    fn default() -> Self {
        let questions = [
            "What does the text say? Summarise it.",
            "What in it bears on the matter, for or against? Name the passages.",
            "How strongly, all in all, and what speaks against that reading?",
        ];
        Self {
            concept: String::new(),
            questions: questions.map(str::to_owned).to_vec(),
            ties: true,
            retries: 1,
            breakdown_prompt: Prompt::default(),
            next_prompt: Prompt::default(),
            prompt: Prompt::default(),
        }
    }
}

impl Params for Breakdown {
    fn validate(&self) -> Result<(), ParamError> {
        if self.questions.is_empty() || self.questions.len() > QUESTIONS {
            let message = format!("there must be 1 to {QUESTIONS} questions");
            return Err(ParamError::new("questions", message));
        }
        if let Some(k) = self.questions.iter().position(|question| question.trim().is_empty()) {
            return Err(ParamError::new("questions", format!("question {} is empty", k + 1)));
        }
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        self.breakdown_prompt.validate("breakdown_prompt")?;
        self.next_prompt.validate("next_prompt")?;
        self.prompt.validate("prompt")
    }
}

impl Breakdown {
    /// The first question on a text. Neither the other text nor the case's seed is in it: all pairs of a text share it.
    fn first(&self, asked: &str, text: &str) -> Result<Request, Unscored> {
        let fences = Fences::new(&[asked, text], 0);
        let fill = Fill::new(&fences)
            .maybe("question", Some(asked).filter(|asked| !asked.trim().is_empty()))
            .text("text", text)
            .value("concept", &self.concept)
            .value("first", &self.questions[0]);
        self.breakdown_prompt.request(FIRST, fill, &Free)
    }

    /// Question `k`, from 0, as a further message.
    fn further(&self, k: usize) -> Result<Message, Unscored> {
        let fences = Fences::new(&[], 0);
        let fill = Fill::new(&fences)
            .value("number", k + 1)
            .value("next", &self.questions[k])
            .value("concept", &self.concept);
        let request = self.next_prompt.request(NEXT, fill, &Free)?;
        let texts: Vec<String> = request.messages.into_iter().map(|m| m.content).collect();
        Ok(message("user", texts.join("\n\n")))
    }

    /// The answers on one text, each under its question.
    fn breakdown(&self, asked: &str, text: &str, script: &mut Script<'_>) -> Result<String, Pause> {
        let (mut request, mut answers) = (self.first(asked, text)?, Vec::new());
        let quotes = Quotes::none();
        for (k, question) in self.questions.iter().enumerate() {
            if k > 0 {
                request.messages.push(self.further(k)?);
            }
            let answer = script.read(&request, |reply| Free.read(&reply.text, &quotes))?;
            request.messages.push(message("assistant", answer.clone()));
            answers.push(format!("{question}\n{answer}"));
        }
        Ok(answers.join("\n\n"))
    }

    fn talk(&self, case: &Case, script: &mut Script<'_>) -> Result<Judgement, Pause> {
        let asked = question(case);
        let breakdowns =
            script.all(2, |k, script| self.breakdown(&asked, &case.responses[k], script))?;
        let texts: Vec<&str> = breakdowns.iter().map(String::as_str).collect();
        let fences = Fences::new(&texts, script.seed());
        let show = Show::seeded(script, 2, "breakdown");
        let labels = ["A", "B"].into_iter().chain(self.ties.then_some("tie"));
        let format = Label { labels: labels.map(str::to_owned).collect(), direct: false };
        let fill = Fill::new(&fences).value("concept", &self.concept).value("ties", self.ties);
        let fill = show.fill(fill, &fences, &breakdowns);
        let request = self.prompt.request(COMPARE, fill, &format)?;
        let quotes = Quotes::of(case.responses.iter().map(String::as_str).chain(texts));
        let verdict = script.read(&request, |reply| format.read(&reply.text, &quotes))?;
        let told = [Preference::FIRST, Preference::SECOND, Preference::TIE][verdict.min(2)];
        let mut judgement = Judgement::verdict(show.preference(told));
        judgement.made.insert("breakdowns".into(), breakdowns.into());
        Ok(judgement)
    }
}

fn message(role: &str, content: String) -> Message {
    Message { role: role.to_owned(), content, tool_calls: Vec::new() }
}

impl Judge for Breakdown {
    fn form(&self) -> Form {
        Form::Pair
    }

    fn next(
        &self,
        case: &Case,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Judgement>, Unscored> {
        converse(rounds, self.retries, seed, |script| self.talk(case, script))
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}

guerdon_core::method! {
    Breakdown: Judge,
    id: "judge.breakdown",
    papers: ["cgcot-2023"],
    status: Verified(ClosedForm("n·c + pairs calls, breakdowns shared by all pairs")),
    laws: [],
    exempt: [],
    samples: [r#"{
        "case": {"prompt": "", "responses": ["They are a disgrace.", "I like the other side well enough."]},
        "replies": [["It speaks of the other side."], ["Of its worth."], ["Not very."], ["Neither is clear.\n[[tie]]"]],
        "values": [0.5, 0.5]
    }"#]
}

#[cfg(test)]
mod tests {
    use super::Breakdown;
    use crate::scripted::{case, judge, text};
    use guerdon_core::method::{Params, Request};

    fn answer(request: &Request) -> String {
        let shown = text(request);
        if shown.contains("Two texts were read") {
            let place = |word: &str| shown.find(word).unwrap_or(usize::MAX);
            return if place("loud") < place("calm") { "[[A]]".into() } else { "[[B]]".into() };
        }
        if shown.contains("shout") { "It is loud.".into() } else { "It is calm.".into() }
    }

    #[test]
    fn the_stronger_breakdown_wins_wherever_it_stands() {
        let own = Breakdown {
            questions: vec!["How?".into(), "How much?".into()],
            ..Breakdown::default()
        };
        for (texts, expect) in [(["shout", "hush"], [1.0, 0.0]), (["hush", "shout"], [0.0, 1.0])] {
            let (told, asked) = judge(&own, &case("", &texts), answer);
            assert_eq!(told.unwrap().values, expect);
            assert_eq!(asked.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
            let second = text(&asked[1][0]);
            assert!(second.contains("It is ") && second.contains("Question 2: How much?"));
            let last = text(&asked[2][0]);
            assert!(!last.contains("shout"), "the judge compares breakdowns, not texts");
        }
    }

    #[test]
    fn a_text_is_broken_down_once_for_all_its_pairs() {
        let own = Breakdown::default();
        let (texts, mut seen, mut calls) = (["shout", "hush", "talk", "sing"], Vec::new(), 0);
        for i in 0..4 {
            for j in i + 1..4 {
                let (told, asked) = judge(&own, &case("", &[texts[i], texts[j]]), |request| {
                    let word = texts.iter().find(|word| text(request).contains(**word));
                    let compared = text(request).contains("Two texts were read");
                    if compared { "[[A]]".into() } else { format!("Of {word:?}.") }
                });
                assert!(told.is_ok());
                for request in asked.concat() {
                    calls += 1;
                    if !seen.contains(&request) {
                        seen.push(request);
                    }
                }
            }
        }
        // 4 texts × 3 questions + 6 pairs, out of 6 × 7 requests.
        assert_eq!((seen.len(), calls), (4 * 3 + 6, 42));
    }

    #[test]
    fn a_chain_needs_questions() {
        for questions in [vec![], vec![" ".to_owned()], vec!["?".to_owned(); 21]] {
            let own = Breakdown { questions, ..Breakdown::default() };
            assert_eq!(own.validate().unwrap_err().path, ["questions"]);
        }
    }
}
