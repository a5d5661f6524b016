//! Says of each follow-up in a conversation what the user did, and makes preference pairs where the user was not content.
//!
//! # Formula
//!
//! ```text
//! for each user turn that follows a reply:  kind ∈ {new, feedback, retry, praise, other}
//! where kind is feedback or retry:          chosen = the reply rewritten with the follow-up in view, rejected = the reply,
//!                                           prompt = the conversation before the reply, without the follow-up
//! ```
//!
//! # When to use it
//!
//! To turn logs of conversations into preference data: users say what was wrong, for nothing. The rewritten answers must be
//! trained without the follow-up in the prompt, or the model learns to wait for it. Complaints come from those who complain:
//! the pairs are no sample of all replies.
//!
//! # Departures
//!
//! The system's classifier and quality filters are not public; here a model is asked, and a rewrite that changes nothing is
//! dropped.
//!
//! # Example
//!
//! ```yaml
//! use: judge.followup_kind
//! rewrite: true
//! ```
//!
//! ```
//! use guerdon_core::method::{Next, Protocol};
//! use guerdon_judge::judge::followup_kind::{Dialogue, FollowupKind, Kind};
//!
//! let turns = serde_json::json!({"messages": [
//!     {"role": "user", "content": "Name a prime."}, {"role": "assistant", "content": "4"},
//!     {"role": "user", "content": "That is none."}]});
//! let dialogue: Dialogue = serde_json::from_value(turns).unwrap();
//! let rounds = [vec!["The user objects.\n[[feedback]]".into()]];
//! let Ok(Next::Done(told)) = FollowupKind::default().next(&dialogue, &rounds, 0) else { panic!() };
//! assert_eq!(told.followups[0].kind, Kind::Feedback);
//! ```
//!
//! # References
//!
//! Jin et al., "The Era of Real-World Human Interaction: RL from User Conversations", 2025.

use guerdon_core::method::{Next, Params, Protocol, Reply, Request};
use guerdon_core::{Message, ParamError, Unscored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Format, Free, Label, Quotes, Read};
use crate::fence::Fences;
use crate::prompt::{BuiltIn, Fill, Prompt};
use crate::script::{Pause, Script, converse};

const SYSTEM: &str = include_str!("../../prompts/judge.system.j2");
const CLASSIFY: BuiltIn =
    BuiltIn { system: SYSTEM, user: include_str!("../../prompts/followup_kind.user.j2") };
const REWRITE: BuiltIn = BuiltIn {
    system: "{{ note }}",
    user: include_str!("../../prompts/followup_kind.rewrite.user.j2"),
};

/// The most follow-ups of a conversation.
const MOST: usize = 200;

/// What a user did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Asked for something else.
    New,
    /// Was not content, and said what should be different.
    Feedback,
    /// Was not content, and wanted another try.
    Retry,
    /// Was content.
    Praise,
    /// None of these.
    Other,
}

const KINDS: [Kind; 5] = [Kind::New, Kind::Feedback, Kind::Retry, Kind::Praise, Kind::Other];

impl Kind {
    /// Whether the user was not content.
    pub fn dissatisfied(self) -> bool {
        matches!(self, Self::Feedback | Self::Retry)
    }
}

/// Parameters of `judge.followup_kind`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FollowupKind {
    /// Whether replies that did not content the user are rewritten, and pairs are made. Default: false.
    pub rewrite: bool,
    /// The model that rewrites. Default: the one that classifies.
    pub writer: Option<String>,
    /// How often an unreadable reply is asked again. Range: 0 to 5. Default: 1.
    pub retries: u32,
    /// Templates of the classification in place of the built-in ones.
    pub prompt: Prompt,
    /// Templates of the rewriting.
    pub rewrite_prompt: Prompt,
}

impl Default for FollowupKind {
    fn default() -> Self {
        Self {
            rewrite: false,
            writer: None,
            retries: 1,
            prompt: Prompt::default(),
            rewrite_prompt: Prompt::default(),
        }
    }
}

impl Params for FollowupKind {
    fn validate(&self) -> Result<(), ParamError> {
        ParamError::in_range("retries", self.retries.into(), 0.0, 5.0)?;
        self.prompt.validate("prompt")?;
        self.rewrite_prompt.validate("rewrite_prompt")
    }
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dialogue {
    /// The messages, oldest first.
    pub messages: Vec<Message>,
}

/// A follow-up and what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Followup {
    /// The place of the user's message in the conversation, from 0.
    pub turn: usize,
    /// What the user did.
    pub kind: Kind,
}

/// A preference pair.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Pair {
    /// The place of the rejected reply in the conversation, from 0.
    pub turn: usize,
    /// The conversation before that reply.
    pub prompt: Vec<Message>,
    /// The rewritten reply.
    pub chosen: String,
    /// The reply.
    pub rejected: String,
}

/// What was found in a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Found {
    /// The follow-ups, in order.
    pub followups: Vec<Followup>,
    /// The pairs, in order; empty without `rewrite`.
    pub pairs: Vec<Pair>,
    /// How many rewrites were dropped since they changed nothing.
    pub unchanged: usize,
}

impl Dialogue {
    /// The places of the user's messages that follow a reply.
    fn followups(&self) -> Vec<usize> {
        let role = |turn: usize| self.messages[turn].role.as_str();
        let follows = |turn: &usize| role(*turn) == "user" && role(*turn - 1) == "assistant";
        (1..self.messages.len()).filter(follows).collect()
    }
}

/// A request about the follow-up at `turn`: what came before, the reply, the follow-up.
fn request(
    dialogue: &Dialogue,
    turn: usize,
    (prompt, built_in): (&Prompt, BuiltIn),
    format: &dyn Format,
    seed: u64,
) -> Result<Request, Unscored> {
    let texts: Vec<&str> =
        dialogue.messages[..=turn].iter().map(|message| message.content.as_str()).collect();
    let fences = Fences::new(&texts, seed);
    let said = |k: usize| {
        let role = dialogue.messages[k].role.as_str();
        let role = if ["user", "assistant", "system"].contains(&role) { role } else { "tool" };
        (format!("{}_{role}", k + 1), texts[k])
    };
    let before: Vec<(String, &str)> = (0..turn - 1).map(said).collect();
    let fill = Fill::new(&fences)
        .texts("turn", &before)
        .text("response", texts[turn - 1])
        .text("followup", texts[turn]);
    prompt.request(built_in, fill, format)
}

impl FollowupKind {
    fn kind(
        &self,
        dialogue: &Dialogue,
        turn: usize,
        script: &mut Script<'_>,
    ) -> Result<Kind, Pause> {
        let format = Label::new(["new", "feedback", "retry", "praise", "other"]);
        let prompt = (&self.prompt, CLASSIFY);
        let request = request(dialogue, turn, prompt, &format, script.seed())?;
        let quotes = Quotes::of(dialogue.messages.iter().map(|m| m.content.as_str()));
        let kind = script.read(&request, |reply| format.read(&reply.text, &quotes))?;
        Ok(KINDS[kind])
    }

    /// The pair of the reply before `turn`; none where the rewrite changes nothing.
    fn pair(
        &self,
        dialogue: &Dialogue,
        turn: usize,
        script: &mut Script<'_>,
    ) -> Result<Option<Pair>, Pause> {
        let prompt = (&self.rewrite_prompt, REWRITE);
        let request = request(dialogue, turn, prompt, &Free, script.seed())?;
        let request = Request { model: self.writer.clone(), ..request };
        let quotes = Quotes::none();
        let chosen = script.read(&request, |reply| Free.read(&reply.text, &quotes))?;
        let rejected = dialogue.messages[turn - 1].content.clone();
        if chosen.split_whitespace().eq(rejected.split_whitespace()) {
            return Ok(None);
        }
        let prompt = dialogue.messages[..turn - 1].to_vec();
        Ok(Some(Pair { turn: turn - 1, prompt, chosen, rejected }))
    }

    fn talk(&self, dialogue: &Dialogue, script: &mut Script<'_>) -> Result<Found, Pause> {
        let turns = dialogue.followups();
        if turns.is_empty() {
            let reason = "the conversation has no user turn that follows a reply";
            return Err(Unscored::missing(reason).into());
        }
        if turns.len() > MOST {
            let reason = format!("{} follow-ups, at most {MOST}", turns.len());
            return Err(Unscored::budget(reason).into());
        }
        let kinds = script.all(turns.len(), |k, script| self.kind(dialogue, turns[k], script))?;
        let followups: Vec<Followup> =
            turns.iter().zip(kinds).map(|(turn, kind)| Followup { turn: *turn, kind }).collect();
        let wanted: Vec<usize> = followups
            .iter()
            .filter(|followup| self.rewrite && followup.kind.dissatisfied())
            .map(|followup| followup.turn)
            .collect();
        let pairs = script.all(wanted.len(), |k, script| self.pair(dialogue, wanted[k], script))?;
        let unchanged = pairs.iter().filter(|pair| pair.is_none()).count();
        Ok(Found { followups, pairs: pairs.into_iter().flatten().collect(), unchanged })
    }
}

impl Protocol for FollowupKind {
    type Case = Dialogue;
    type Output = Found;

    fn next(
        &self,
        case: &Dialogue,
        rounds: &[Vec<Reply>],
        seed: u64,
    ) -> Result<Next<Found>, Unscored> {
        converse(rounds, self.retries, seed, |script| self.talk(case, script))
    }
}

guerdon_core::method! {
    FollowupKind: Protocol,
    id: "judge.followup_kind",
    papers: ["rlhi-2025"],
    status: Verified(Worked("six turns with two dissatisfied follow-ups yield two rewrite pairs")),
    laws: [],
    exempt: [],
    samples: [r#"{"messages": [{"role": "user", "content": "Name a prime."}, {"role": "assistant", "content": "4"},
        {"role": "user", "content": "That is none."}]}"#]
}

#[cfg(test)]
mod tests {
    use super::{Dialogue, FollowupKind, Kind};
    use crate::scripted::{SEED, protocol, text};
    use guerdon_core::method::Request;
    use serde_json::json;

    /// Six user turns, two of which are not content.
    fn dialogue() -> Dialogue {
        let users = ["hello", "a poem", "shorter!", "thanks", "again", "bye"];
        let turns = users.iter().enumerate().flat_map(|(k, user)| {
            let reply = json!({"role": "assistant", "content": format!("reply {k}")});
            [json!({"role": "user", "content": user}), reply]
        });
        let messages: Vec<_> = turns.collect();
        serde_json::from_value(json!({ "messages": messages })).unwrap()
    }

    fn answer(request: &Request) -> String {
        let shown = text(request);
        if shown.contains("was not content with it") {
            return "a better reply".into();
        }
        let kind = if shown.contains("\nshorter!\n") && !shown.contains("\nthanks\n") {
            "feedback"
        } else if shown.contains("\nagain\n") && !shown.contains("\nbye\n") {
            "retry"
        } else if shown.contains("\nthanks\n") && !shown.contains("\nagain\n") {
            "praise"
        } else {
            "new"
        };
        format!("[[{kind}]]")
    }

    #[test]
    fn two_complaints_make_two_pairs() {
        let own = FollowupKind { rewrite: true, ..FollowupKind::default() };
        let found = protocol(&own, &dialogue(), SEED, answer).unwrap();
        let kinds: Vec<Kind> = found.followups.iter().map(|f| f.kind).collect();
        assert_eq!(kinds, [Kind::New, Kind::Feedback, Kind::Praise, Kind::Retry, Kind::New]);
        assert_eq!(found.pairs.len(), 2);
        for (pair, (complaint, reply)) in
            found.pairs.iter().zip([("shorter!", "reply 1"), ("again", "reply 3")])
        {
            assert_eq!((pair.chosen.as_str(), pair.rejected.as_str()), ("a better reply", reply));
            assert!(pair.prompt.iter().all(|message| message.content != complaint));
            assert_eq!(pair.prompt.len(), pair.turn);
        }
    }

    #[test]
    fn a_rewrite_that_changes_nothing_is_dropped_and_counted() {
        let own = FollowupKind { rewrite: true, ..FollowupKind::default() };
        let found = protocol(&own, &dialogue(), SEED, |request| {
            let told = answer(request);
            if told.starts_with("[[") { told } else { "reply  1\n".into() }
        });
        let found = found.unwrap();
        assert_eq!((found.pairs.len(), found.unchanged), (1, 1));
        let plain = protocol(&FollowupKind::default(), &dialogue(), SEED, answer).unwrap();
        assert!(plain.pairs.is_empty());
    }

    #[test]
    fn without_a_follow_up_there_is_nothing_to_say() {
        let short = Dialogue { messages: dialogue().messages[..2].to_vec() };
        assert!(protocol(&FollowupKind::default(), &short, SEED, answer).is_err());
    }
}
