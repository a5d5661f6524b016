//! The interfaces: what is asked, and what is answered.

mod call;
mod choices;
mod numbers;
mod reply;
mod request;

pub use reply::{Content, Reply};
pub(super) use request::{Call, Route};

use super::script::Script;
use request::Body;

impl Script {
    /// Answers the body of a call, as the server would without its faults: a chat (`messages`), a completion (`prompt`),
    /// rewards or vectors (`input`), or rewards in OpenRLHF's form (`query`).
    pub fn answer(&self, body: &[u8]) -> Reply {
        let body = match Body::read(body) {
            Ok(body) => body,
            Err(reply) => return reply,
        };
        let route = if body.messages.is_some() {
            Route::Chat
        } else if body.prompt.is_some() && body.response.is_none() {
            Route::Completions
        } else if body.input.is_some() {
            Route::Embeddings
        } else {
            Route::Reward
        };
        self.perform(&Call { route, body, name: None })
    }

    /// Answers a call of a path such as `/v1/chat/completions`, as the server would without its faults.
    pub fn answer_at(&self, path: &str, body: &[u8]) -> Reply {
        match Call::read(path, body) {
            Ok(call) => self.perform(&call),
            Err(reply) => reply,
        }
    }

    pub(super) fn perform(&self, call: &Call) -> Reply {
        match call.route {
            Route::Models => self.list(),
            Route::Chat => self.chat(&call.body),
            Route::Completions => self.completions(&call.body),
            Route::Classify | Route::Pooling | Route::Embeddings => self.numbers(call),
            Route::Reward => self.rewards(call),
            Route::Tool => self.tool(call),
        }
    }

    /// The model that a call means: the one that it names, or the only one that fits.
    pub(super) fn model_of(&self, call: &Call) -> Option<&str> {
        let named = call.body.model.as_deref().or(match call.route {
            Route::Reward => call.name.as_deref(),
            _ => None,
        });
        match (named, call.route) {
            (Some(name), _) => self.models.get_key_value(name).map(|(name, _)| name.as_str()),
            (None, Route::Reward) => self.first_reward(),
            _ => None,
        }
    }
}
