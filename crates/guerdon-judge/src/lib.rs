//! Protocols that ask a language model: what to ask, and how to read the reply.
//!
//! Nothing here talks to a network. A judge is written as a plain conversation ([`script`]): it asks, reads, and goes on;
//! the engine replays it with the replies it has. What all judges share stands beside them:
//!
//! - [`contract`]: the formats in which a prompt asks for a reply, each with its strict reader;
//! - [`grader`]: how published graders ask and read, for prompts that were written for them;
//! - [`fence`]: how texts of others stand in a prompt so that they cannot break out of their place;
//! - [`rubric`]: criteria, who writes them, how responses are graded on them;
//! - [`prompt`]: the templates, built in and replaceable;
//! - [`script`]: conversations, re-asks, conversations side by side;
//! - [`show`]: responses under labels, in a seeded order, and the way back;
//! - [`panel`]: judges inside a judge;
//! - [`view`]: what a judge is told beside the responses;
//! - [`logprob`]: how likely each verdict was, where the endpoint tells;
//! - [`toolbox`]: tools that a judge may use.
//!
//! Besides [`judge`], the family [`data`] stands here as far as it asks models.

mod bm25;
pub mod contract;
pub mod data;
pub mod fence;
pub mod grader;
pub mod judge;
pub mod logprob;
pub mod panel;
pub mod prompt;
pub mod rubric;
pub mod script;
#[cfg(test)]
mod scripted;
pub mod show;
pub mod toolbox;
pub mod view;

use guerdon_core::Text;
use guerdon_core::method::Case;

/// What was asked, as one text: a conversation is written out with its roles.
pub fn question(case: &Case) -> String {
    match &case.prompt {
        Text::Plain(text) => text.clone(),
        Text::Chat(messages) => {
            let lines = messages.iter().map(|m| format!("[{}]\n{}", m.role, m.content));
            lines.collect::<Vec<_>>().join("\n\n")
        }
    }
}

include!(concat!(env!("OUT_DIR"), "/registry.rs"));
include!(concat!(env!("OUT_DIR"), "/prompts.rs"));

/// The built-in templates of a method, by file name: its own, and the system message that judges share.
pub fn prompts_of(method: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let name = method.split_once('.').map_or(method, |(_, name)| name).to_owned();
    PROMPTS.iter().copied().filter(move |(file, _)| {
        let rest = file.strip_prefix(name.as_str());
        *file == "judge.system.j2" || rest.is_some_and(|rest| rest.starts_with('.'))
    })
}
