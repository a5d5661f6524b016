//! A model grades a response on criteria.

use guerdon_core::method::{Case, Request};
use guerdon_core::{Message, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Criterion, numbered};
use crate::contract::{Answers, Format, Grades, Quotes, Read as _};
use crate::fence::Fences;
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::question;
use crate::script::{Pause, Script};
use crate::show;

const BUILT_IN: BuiltIn = BuiltIn {
    system: include_str!("../../prompts/judge.system.j2"),
    user: include_str!("../../prompts/rubric.user.j2"),
};

/// In how many calls a response is graded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// All criteria in one call; those with grades in a second one.
    #[default]
    AtOnce,
    /// One call per criterion, none of which knows of the others.
    PerItem,
    /// One conversation, criterion after criterion.
    Sequential,
}

/// Who grades, and how.
#[derive(Debug, Clone, Copy)]
pub struct Grader<'a> {
    /// In how many calls.
    pub mode: Mode,
    /// Whether a grade above the scale counts as the highest; otherwise it is unreadable.
    pub clip: bool,
    /// The model, by its name in the spec.
    pub model: Option<&'a String>,
    /// Templates.
    pub prompt: &'a Prompt,
}

/// What a response got.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Graded {
    /// For each criterion, 0 to 1.
    pub values: Vec<f64>,
    /// What the judge said.
    pub words: String,
}

impl Grader<'_> {
    /// Grades one response. An item that cannot be read is asked again; then the response has no grades.
    pub fn grade(
        &self,
        case: &Case,
        response: &str,
        criteria: &[Criterion],
        script: &mut Script<'_>,
    ) -> Result<Graded, Pause> {
        let groups = self.groups(criteria);
        let fences = show::fences(case, &[response, &numbered(criteria)], script.seed());
        let shown = Shown { case, response, fences };
        let told = if self.mode == Mode::Sequential {
            self.in_turn(&shown, &groups, script)?
        } else {
            script.all(groups.len(), |k, script| {
                let request = self.request(&shown, &groups[k].items, false)?;
                self.ask(&request, &groups[k].items, response, script)
            })?
        };
        let mut graded = Graded { values: vec![0.0; criteria.len()], words: String::new() };
        for (group, part) in groups.iter().zip(told) {
            for (place, value) in group.places.iter().zip(part.values) {
                graded.values[*place] = value;
            }
            graded.words.push_str(part.words.trim());
            graded.words.push('\n');
        }
        Ok(graded)
    }

    /// The criteria of each call, with their places.
    fn groups<'c>(&self, criteria: &'c [Criterion]) -> Vec<Group<'c>> {
        let mut groups: Vec<Group<'c>> = Vec::new();
        for (place, item) in criteria.iter().enumerate() {
            let same = |group: &&mut Group<'_>| {
                self.mode == Mode::AtOnce && group.items[0].top().is_some() == item.top().is_some()
            };
            match groups.iter_mut().find(same) {
                Some(group) => {
                    group.places.push(place);
                    group.items.push(item);
                }
                None => groups.push(Group { places: vec![place], items: vec![item] }),
            }
        }
        groups
    }

    fn in_turn(
        &self,
        shown: &Shown<'_>,
        groups: &[Group<'_>],
        script: &mut Script<'_>,
    ) -> Result<Vec<Graded>, Pause> {
        let (mut said, mut told): (Vec<Message>, Vec<Graded>) = (Vec::new(), Vec::new());
        for group in groups {
            let mut request = self.request(shown, &group.items, !said.is_empty())?;
            if !said.is_empty() {
                request.messages.retain(|message| message.role != "system");
            }
            said.append(&mut request.messages);
            request.messages.clone_from(&said);
            let graded = self.ask(&request, &group.items, shown.response, script)?;
            let words = graded.words.clone();
            said.push(Message { role: "assistant".into(), content: words, tool_calls: Vec::new() });
            told.push(graded);
        }
        Ok(told)
    }

    fn request(
        &self,
        shown: &Shown<'_>,
        items: &[&Criterion],
        continued: bool,
    ) -> Result<Request, Unscored> {
        let fill = Fill::new(&shown.fences)
            .text("question", &question(shown.case))
            .maybe("reference", shown.case.reference.as_deref())
            .text("response", shown.response)
            .text("criteria", &numbered(items.iter().copied()))
            .value("graded", items[0].top().is_some())
            .value("continued", continued);
        let request = self.prompt.request(BUILT_IN, fill, format(items).as_ref())?;
        Ok(Request { model: self.model.cloned(), ..request })
    }

    fn ask(
        &self,
        request: &Request,
        items: &[&Criterion],
        response: &str,
        script: &mut Script<'_>,
    ) -> Result<Graded, Pause> {
        let quotes = Quotes::of([response]);
        script.read(request, |reply| {
            let values = if items[0].top().is_some() {
                self.graded(&reply.text, items, &quotes)?
            } else {
                answered(&reply.text, items.len(), &quotes)?
            };
            Ok(Graded { values, words: reply.text.clone() })
        })
    }

    /// Each grade divided by its highest.
    fn graded(
        &self,
        text: &str,
        items: &[&Criterion],
        quotes: &Quotes<'_>,
    ) -> Result<Vec<f64>, Unscored> {
        let grades = if self.clip {
            // A grade above the scale is read too, and cut below.
            let wide = Grades::whole(items.len(), 0, 1_000_000).read(text, quotes);
            let plain = scale(items).read(text, quotes);
            match (plain, wide) {
                (Ok(plain), Ok(wide)) => {
                    plain.into_iter().zip(wide).map(|(p, w)| p.or(w)).collect()
                }
                (plain, wide) => plain.or(wide)?,
            }
        } else {
            scale(items).read(text, quotes)?
        };
        let share = |(grade, item): (Result<f64, Unscored>, &&Criterion)| {
            let (grade, top) = (grade?, f64::from(item.top().unwrap_or(1)));
            if grade > top && !self.clip {
                return Err(Unscored::unreadable(format!("{grade} is above {top}")));
            }
            Ok(grade.min(top) / top)
        };
        grades.into_iter().zip(items).map(share).collect()
    }
}

/// What all calls about one response have in common.
struct Shown<'a> {
    case: &'a Case,
    response: &'a str,
    fences: Fences,
}

/// Criteria that are asked about in one call.
struct Group<'a> {
    places: Vec<usize>,
    items: Vec<&'a Criterion>,
}

fn answered(text: &str, count: usize, quotes: &Quotes<'_>) -> Result<Vec<f64>, Unscored> {
    let answers = yes_no(count).read(text, quotes)?;
    answers.into_iter().map(|answer| Ok(if answer? == 0 { 1.0 } else { 0.0 })).collect()
}

fn yes_no(count: usize) -> Answers {
    Answers::new(count, ["YES", "NO"])
}

/// From 0 to the highest grade of any item.
fn scale(items: &[&Criterion]) -> Grades {
    let top = items.iter().filter_map(|item| item.top()).max().unwrap_or(1);
    Grades::whole(items.len(), 0, i32::try_from(top).unwrap_or(i32::MAX))
}

fn format(items: &[&Criterion]) -> Box<dyn Format> {
    if items[0].top().is_some() { Box::new(scale(items)) } else { Box::new(yes_no(items.len())) }
}
