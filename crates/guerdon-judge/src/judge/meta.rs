//! A second model rewrites the rubric of a judge, item by item, while a policy trains on it.
//!
//! # Formula
//!
//! ```text
//! every `interval` steps, on at most `samples` recent episodes:
//! prescreen   each evaluation is good, ok or bad; where all are good nothing changes
//! analyse     the others, in batches of `batch`: loopholes of the rubric
//! rewrite     each item, once per batch
//! merge       the proposals for an item into one
//! version     + 1
//! ```
//!
//! # When to use it
//!
//! In long training runs on a rubric: a fixed one is learned by heart and exploited. The state is the rubric and its version:
//! feed the result back into the next case, and into the rows' `rubric` column (`{"version", "criteria"}`) for
//! `judge.rubric`; prompts hold the criteria word for word, so cached grades never cross versions. Long intervals let an
//! exploit spread before it is mended.
//!
//! # Departures
//!
//! The meta model changes words only: number, order, weights, scales and gates of the items stay, so that no rewriting can
//! raise the greatest reward. With one batch there is nothing to merge.
//!
//! # Example
//!
//! ```yaml
//! use: judge.meta
//! interval: 10
//! samples: 20
//! ```
//!
//! ```
//! use guerdon_core::method::{Next, Protocol};
//! use guerdon_judge::judge::meta::{Meta, MetaCase};
//!
//! let case: MetaCase = MetaCase { step: 3, version: 5, ..MetaCase::default() };
//! let Ok(Next::Done(same)) = Meta::default().next(&case, &[], 0) else { panic!() };
//! assert_eq!((same.version, same.changed), (5, false)); // step 3 is none of the steps 10, 20, ...
//! ```
//!
//! # References
//!
//! MPO, "Toward Evaluative Thinking: Meta Policy Optimization with Evolving Reward Models", 2025.

use guerdon_core::method::{Case, Next, Params, Protocol, Reply, Request};
use guerdon_core::{ParamError, Text, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Format, Free, Items, Label, Quotes, Read as _};
use crate::fence::Fences;
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::question;
use crate::rubric::{Criteria, Criterion, numbered};
use crate::script::{Pause, Script, converse};

const SYSTEM: &str = include_str!("../../prompts/meta.system.j2");
const SCREEN: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../prompts/meta.screen.user.j2") };
const ANALYSE: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../prompts/meta.analyse.user.j2") };
const REWRITE: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../prompts/meta.rewrite.user.j2") };

/// Parameters of `judge.meta`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Meta {
    /// After how many steps of the policy the rubric is looked at again. Range: 1 to 1 000 000. Default: 10.
    pub interval: u32,
    /// The most episodes that are read, the latest ones. Range: 1 to 100. Default: 20.
    pub samples: u32,
    /// How many episodes are analysed together. Range: 1 to 20. Default: 5.
    pub batch: u32,
    /// The model that rewrites, by its name in the spec. Default: the spec's default.
    pub model: Option<String>,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates in place of the built-in ones that have episodes screened.
    pub screen_prompt: Prompt,
    /// Templates in place of the built-in ones that have episodes analysed.
    pub analyse_prompt: Prompt,
    /// Templates in place of the built-in ones that have items rewritten and proposals merged.
    pub rewrite_prompt: Prompt,
}

/// A rubric in use, and what happened under it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetaCase {
    /// What the policy learns.
    pub task: String,
    /// The rubric.
    pub rubric: Criteria,
    /// Its version.
    pub version: u64,
    /// The policy's step; the rubric is due at multiples of `interval`.
    pub step: u64,
    /// Episodes, the latest last.
    pub episodes: Vec<Episode>,
}

/// A response and what the judge said of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Episode {
    /// What was asked.
    #[serde(default)]
    pub prompt: Text,
    /// The response of the policy.
    pub response: String,
    /// The judge's words and grades.
    pub evaluation: String,
}

/// A rubric and its version.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Version {
    /// The rubric.
    pub rubric: Criteria,
    /// Its version.
    pub version: u64,
    /// Whether it is a new one.
    pub changed: bool,
    /// How many evaluations were good, ok and bad.
    pub screened: [u32; 3],
    /// What was found to be weak, batch by batch.
    pub analyses: Vec<String>,
}

impl Default for Meta {
    fn default() -> Self {
        Self {
            interval: 10,
            samples: 20,
            batch: 5,
            model: None,
            retries: 1,
            screen_prompt: Prompt::default(),
            analyse_prompt: Prompt::default(),
            rewrite_prompt: Prompt::default(),
        }
    }
}

impl Params for Meta {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("interval", self.interval.into(), 1.0, 1e6)?;
        ParamError::in_range("samples", self.samples.into(), 1.0, 100.0)?;
        ParamError::in_range("batch", self.batch.into(), 1.0, 20.0)?;
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        self.screen_prompt.validate("screen_prompt")?;
        self.analyse_prompt.validate("analyse_prompt")?;
        self.rewrite_prompt.validate("rewrite_prompt")
    }
}

/// What all prompts of a case have in common.
struct Desk<'a> {
    case: &'a MetaCase,
    list: String,
    seed: u64,
}

/// An episode in a template.
#[derive(Serialize)]
struct Shown {
    question: String,
    response: String,
    evaluation: String,
}

impl Desk<'_> {
    fn fences(&self, others: &[&str]) -> Fences {
        let questions: Vec<String> = self.case.episodes.iter().map(Episode::question).collect();
        let mut texts = vec![self.case.task.as_str(), &self.list];
        texts.extend(questions.iter().map(String::as_str));
        texts.extend(self.case.episodes.iter().flat_map(|e| [e.response.as_str(), &e.evaluation]));
        texts.extend(others);
        Fences::new(&texts, self.seed)
    }

    fn fill<'f>(&self, fences: &'f Fences) -> Fill<'f> {
        Fill::new(fences).text("task", &self.case.task).text("criteria", &self.list)
    }
}

impl Episode {
    fn question(&self) -> String {
        question(&Case { prompt: self.prompt.clone(), ..Case::default() })
    }

    fn quotes(&self) -> Quotes<'_> {
        Quotes::of([self.response.as_str(), &self.evaluation])
    }
}

impl Meta {
    fn talk(&self, case: &MetaCase, script: &mut Script<'_>) -> Result<Version, Pause> {
        let same = |screened| Version {
            rubric: case.rubric.clone(),
            version: case.version,
            changed: false,
            screened,
            analyses: Vec::new(),
        };
        if !case.step.is_multiple_of(self.interval.into()) {
            return Ok(same([0; 3]));
        }
        let from = case.check(self.samples as usize)?;
        let desk = Desk { case, list: numbered(&case.rubric.0), seed: script.seed() };
        let episodes: Vec<&Episode> = case.episodes[from..].iter().collect();
        let labels = self.screen(&desk, &episodes, script)?;
        let mut screened = [0; 3];
        labels.iter().for_each(|label| screened[*label] += 1);
        let weak = episodes.iter().zip(&labels).filter(|(_, label)| **label > 0);
        let weak: Vec<&Episode> = weak.map(|(episode, _)| *episode).collect();
        if weak.is_empty() {
            return Ok(same(screened));
        }
        let analyses = self.analyse(&desk, &weak, script)?;
        let rubric = self.rewrite(&desk, &analyses, script)?;
        Ok(Version { rubric, version: case.version + 1, changed: true, screened, analyses })
    }

    /// For each episode 0 (good), 1 (ok) or 2 (bad).
    fn screen(
        &self,
        desk: &Desk<'_>,
        episodes: &[&Episode],
        script: &mut Script<'_>,
    ) -> Result<Vec<usize>, Pause> {
        let format = Label::new(["good", "ok", "bad"]);
        script.all(episodes.len(), |k, script| {
            let fences = desk.fences(&[]);
            let fill = desk
                .fill(&fences)
                .text("question", &episodes[k].question())
                .text("response", &episodes[k].response)
                .text("evaluation", &episodes[k].evaluation);
            let request = self.ask(&self.screen_prompt, SCREEN, fill, &format)?;
            let quotes = episodes[k].quotes();
            script.read(&request, |reply| format.read(&reply.text, &quotes))
        })
    }

    fn analyse(
        &self,
        desk: &Desk<'_>,
        weak: &[&Episode],
        script: &mut Script<'_>,
    ) -> Result<Vec<String>, Pause> {
        let batches: Vec<&[&Episode]> = weak.chunks(self.batch as usize).collect();
        script.all(batches.len(), |k, script| {
            let fences = desk.fences(&[]);
            let shown = |episode: &&Episode| Shown {
                question: fences.wrap("question", &episode.question()),
                response: fences.wrap("response", &episode.response),
                evaluation: fences.wrap("evaluation", &episode.evaluation),
            };
            let shown: Vec<Shown> = batches[k].iter().map(shown).collect();
            let fill = desk.fill(&fences).value("episodes", shown);
            let request = self.ask(&self.analyse_prompt, ANALYSE, fill, &Free)?;
            script.read(&request, |reply| Free.read(&reply.text, &Quotes::none()))
        })
    }

    fn rewrite(
        &self,
        desk: &Desk<'_>,
        analyses: &[String],
        script: &mut Script<'_>,
    ) -> Result<Criteria, Pause> {
        let (n, items) = (analyses.len(), &desk.case.rubric.0);
        let proposed = script.all(items.len() * n, |k, script| {
            self.item(desk, k / n, ("analysis", &analyses[k % n]), script)
        })?;
        let merged = script.all(items.len(), |k, script| match &proposed[k * n..(k + 1) * n] {
            [only] => Ok(only.clone()),
            several => {
                let list = numbered(&several.iter().map(Criterion::new).collect::<Vec<_>>());
                self.item(desk, k, ("proposals", &list), script)
            }
        })?;
        let rewritten = |(old, text): (&Criterion, String)| Criterion { text, ..old.clone() };
        let rubric = Criteria(items.iter().zip(merged).map(rewritten).collect());
        let unreadable = |error: ParamError| Unscored::unreadable(error.to_string());
        rubric.validate("rubric").map_err(unreadable)?;
        Ok(rubric)
    }

    /// One item, rewritten after an analysis or merged from proposals.
    fn item(
        &self,
        desk: &Desk<'_>,
        place: usize,
        (name, text): (&str, &str),
        script: &mut Script<'_>,
    ) -> Result<String, Pause> {
        let fences = desk.fences(&[text]);
        let other = if name == "analysis" { "proposals" } else { "analysis" };
        let fill = desk.fill(&fences).text(name, text).value(other, "").value("number", place + 1);
        let format = Items { most: 1 };
        let request = self.ask(&self.rewrite_prompt, REWRITE, fill, &format)?;
        let mut items = script.read(&request, |reply| format.read(&reply.text, &Quotes::none()))?;
        Ok(items.swap_remove(0))
    }

    fn ask(
        &self,
        prompt: &Prompt,
        built_in: BuiltIn,
        fill: Fill<'_>,
        format: &dyn Format,
    ) -> Result<Request, Unscored> {
        let request = prompt.request(built_in, fill, format)?;
        Ok(Request { model: self.model.clone(), ..request })
    }
}

impl MetaCase {
    /// From which episode on they are read.
    fn check(&self, samples: usize) -> Result<usize, Unscored> {
        let invalid = |error: ParamError| Unscored::invalid(error.to_string());
        self.rubric.some()?.validate("rubric").map_err(invalid)?;
        if self.episodes.is_empty() {
            return Err(Unscored::missing("there are no episodes to learn from"));
        }
        if self.version == u64::MAX {
            return Err(Unscored::invalid("there is no greater version"));
        }
        Ok(self.episodes.len().saturating_sub(samples))
    }
}

impl Protocol for Meta {
    type Case = MetaCase;
    type Output = Version;

    fn next(
        &self,
        case: &MetaCase,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Version>, Unscored> {
        converse(rounds, self.retries, seed, |script| self.talk(case, script))
    }
}

guerdon_core::method! {
    Meta: Protocol,
    id: "judge.meta",
    papers: ["mpo-2025"],
    status: Stable,
    laws: [],
    exempt: [],
    samples: [r#"{
        "task": "Write an essay.",
        "rubric": [{"text": "Does it argue?", "max": 10}, "Is it long?"],
        "version": 2,
        "step": 20,
        "episodes": [{"prompt": "On bees.", "response": "Bees bees bees.", "evaluation": "1. 10\n2. YES"}]
    }"#]
}

#[cfg(test)]
mod tests {
    use super::{Episode, Meta, MetaCase};
    use crate::rubric::{Criteria, Criterion};
    use crate::scripted::{self, text};

    fn case(n: usize) -> MetaCase {
        let episode = |k| Episode {
            prompt: "q".into(),
            response: format!("response {k}"),
            evaluation: "fine".into(),
        };
        let argued = Criterion { max: Some(10), ..Criterion::new("argued?") };
        MetaCase {
            task: "t".into(),
            rubric: Criteria(vec![argued, Criterion::new("long?")]),
            version: 2,
            step: 20,
            episodes: (0..n).map(episode).collect(),
        }
    }

    fn model(verdict: &str, request: &guerdon_core::method::Request) -> String {
        let prompt = text(request);
        if prompt.contains("Was the evaluation good") {
            return format!("[[{verdict}]]");
        }
        if prompt.contains("Which loopholes") {
            return "Length is rewarded.".into();
        }
        let item = if prompt.contains("item 1") { "argued" } else { "to the point" };
        let merged = prompt.contains("Merge them");
        format!("1. {item}, {}", if merged { "merged" } else { "rewritten" })
    }

    /// Scripted replies yield the scripted rubric; scales stay; the version grows.
    #[test]
    fn items_are_rewritten() {
        let new = scripted::protocol(&Meta::default(), &case(3), 0, |r| model("bad", r)).unwrap();
        let texts: Vec<&str> = new.rubric.0.iter().map(|c| c.text.as_str()).collect();
        assert_eq!(texts, ["argued, rewritten", "to the point, rewritten"]);
        assert_eq!((new.rubric.0[0].max, new.version, new.changed), (Some(10), 3, true));
        assert_eq!((new.screened, new.analyses.len()), ([0, 0, 3], 1));
    }

    #[test]
    fn proposals_of_several_batches_are_merged() {
        let new = scripted::protocol(&Meta::default(), &case(8), 0, |r| model("ok", r)).unwrap();
        assert_eq!(new.rubric.0[1].text, "to the point, merged");
        assert_eq!(new.analyses.len(), 2);
    }

    #[test]
    fn nothing_changes_where_all_is_well_or_nothing_is_due() {
        let meta = Meta::default();
        let good = scripted::protocol(&meta, &case(3), 0, |r| model("good", r)).unwrap();
        assert_eq!((good.version, good.changed, good.screened), (2, false, [3, 0, 0]));
        let early = MetaCase { step: 19, ..case(3) };
        let early = scripted::protocol(&meta, &early, 0, |_| panic!("it asks")).unwrap();
        assert_eq!((early.version, early.changed), (2, false));
    }

    #[test]
    fn the_latest_episodes_are_read() {
        let meta = Meta { samples: 1, ..Meta::default() };
        let mut asked = 0;
        scripted::protocol(&meta, &case(5), 0, |request| {
            if text(request).contains("Was the evaluation good") {
                asked += 1;
                assert!(text(request).contains("response 4"));
            }
            model("good", request)
        })
        .unwrap();
        assert_eq!(asked, 1);
    }
}
