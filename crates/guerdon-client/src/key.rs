//! The content address of a call: equal keys, equal replies.

use std::fmt;

use guerdon_core::Message;
use guerdon_core::method::Request;
use serde_json::Value;

use crate::endpoint::Endpoint;

/// The content address of a call.
///
/// It covers the endpoint's model and api, every sampling parameter with `extra` and the seed, the whole prompt, the
/// schema and the sample index; not where the endpoint is nor what its key is. The order of fields in `extra` does not
/// matter. The order of fields in a schema does: servers generate them in that order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 bits of the key, for what only needs to differ mostly: jitter, claims.
    pub(crate) fn short(&self) -> u64 {
        self.0.iter().take(8).fold(0, |short, byte| short << 8 | u64::from(*byte))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

/// The part of every key that is the endpoint's.
#[derive(Clone)]
pub(crate) struct Prefix(blake3::Hasher);

impl Prefix {
    pub(crate) fn new(endpoint: &Endpoint) -> Self {
        let mut hash = Fields(blake3::Hasher::new());
        hash.text("guerdon call 1");
        hash.text(endpoint.api.name());
        hash.text(endpoint.identity());
        hash.float(endpoint.top_p);
        hash.integer(endpoint.seed);
        hash.text(if endpoint.api.generates() { structured(endpoint) } else { "" });
        hash.map(&endpoint.extra);
        Self(hash.0)
    }

    /// The key of `request`.
    pub(crate) fn key(&self, endpoint: &Endpoint, request: &Request) -> Key {
        let mut hash = Fields(self.0.clone());
        hash.float(request.temperature.or(endpoint.temperature));
        hash.integer(request.max_tokens.or(endpoint.max_tokens).map(u64::from));
        hash.integer(Some(u64::from(request.top_logprobs)));
        hash.integer(Some(u64::from(request.sample)));
        hash.optional(request.continuation.as_deref());
        hash.optional(request.schema.as_ref().map(Value::to_string).as_deref());
        hash.length(request.messages.len());
        request.messages.iter().for_each(|message| hash.message(message));
        Key(*hash.0.finalize().as_bytes())
    }
}

fn structured(endpoint: &Endpoint) -> &'static str {
    use crate::endpoint::Structured;
    match endpoint.structured {
        Structured::Auto => "auto",
        Structured::On => "on",
        Structured::Off => "off",
    }
}

/// Hashes fields so that no two different sequences of fields hash the same bytes: every text carries its length, every
/// option its presence.
struct Fields(blake3::Hasher);

impl Fields {
    fn length(&mut self, length: usize) {
        self.0.update(&(length as u64).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.0.update(text.as_bytes());
    }

    fn optional(&mut self, text: Option<&str>) {
        self.0.update(&[u8::from(text.is_some())]);
        self.text(text.unwrap_or_default());
    }

    fn integer(&mut self, value: Option<u64>) {
        self.0.update(&[u8::from(value.is_some())]);
        self.0.update(&value.unwrap_or_default().to_le_bytes());
    }

    /// -0 and 0 are one temperature.
    fn float(&mut self, value: Option<f64>) {
        self.integer(value.map(|value| (value + 0.0).to_bits()));
    }

    fn message(&mut self, message: &Message) {
        self.text(&message.role);
        self.text(&message.content);
        self.length(message.tool_calls.len());
        for call in &message.tool_calls {
            self.text(&call.name);
            self.text(&call.arguments.to_string());
        }
    }

    fn map(&mut self, map: &serde_json::Map<String, Value>) {
        let mut keys: Vec<&String> = map.keys().collect();
        keys.sort_unstable();
        self.length(keys.len());
        for key in keys {
            self.text(key);
            self.value(&map[key]);
        }
    }

    /// Depth is bounded where the value was read: by the parser of the spec.
    fn value(&mut self, value: &Value) {
        match value {
            Value::Object(map) => {
                self.0.update(b"{");
                self.map(map);
            }
            Value::Array(items) => {
                self.0.update(b"[");
                self.length(items.len());
                items.iter().for_each(|item| self.value(item));
            }
            scalar => {
                self.0.update(b"=");
                self.text(&scalar.to_string());
            }
        }
    }
}
