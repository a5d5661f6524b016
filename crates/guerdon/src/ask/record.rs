//! What was said in a conversation, for people to read.

use guerdon_core::method::{Reply, Request};
use serde::{Deserialize, Serialize};

/// One request and its reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// What was asked: the exact prompt.
    pub request: Request,
    /// What was answered.
    pub reply: String,
    /// Whether the reply was cut off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

pub(super) fn turns(requests: Vec<Request>, replies: &[Reply]) -> Vec<Turn> {
    let turn = |(request, reply): (Request, &Reply)| Turn {
        request,
        reply: reply.text.clone(),
        truncated: reply.truncated,
    };
    requests.into_iter().zip(replies).map(turn).collect()
}

/// The judge's words: the replies of the last round.
pub(crate) fn words(rounds: &[Vec<Turn>]) -> String {
    let replies = rounds.last().into_iter().flatten().map(|turn| turn.reply.trim());
    replies.filter(|reply| !reply.is_empty()).collect::<Vec<_>>().join("\n\n――\n\n")
}
