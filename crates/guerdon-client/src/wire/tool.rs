//! A plain service: text in, text out.

use guerdon_core::method::{Reply, Request};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::lenient::{ErrorWire, parse};
use super::{Answer, Fault, encode};
use crate::endpoint::Endpoint;

#[derive(Serialize)]
struct Body<'a> {
    input: &'a str,
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
}

pub(super) fn write(endpoint: &Endpoint, request: &Request) -> Result<Vec<u8>, String> {
    let input = request.messages.last().map_or("", |message| message.content.as_str());
    encode(&Body { input, extra: &endpoint.extra })
}

#[derive(Deserialize)]
struct ReplyWire {
    #[serde(default)]
    output: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<ErrorWire>,
}

pub(super) fn read(body: &[u8]) -> Result<Answer, Fault> {
    let wire: ReplyWire = parse(body)?;
    if let Some(error) = wire.error {
        return Err(error.fault());
    }
    let output = wire.output.ok_or_else(|| Fault::Shape("the reply has no `output`".into()))?;
    let text = serde_json::from_str(output.get()).unwrap_or_else(|_| output.get().to_owned());
    Ok(Answer { reply: Reply { text, ..Reply::default() }, usage: None })
}

#[cfg(test)]
mod tests {
    use super::{read, write};
    use crate::endpoint::Endpoint;
    use guerdon_core::method::Request;

    #[test]
    fn text_in_text_out() {
        let body = write(&Endpoint::new("http://h/run", ""), &Request::user("1 + 1")).unwrap();
        assert_eq!(body, br#"{"input":"1 + 1"}"#);
        assert_eq!(read(br#"{"output": "2"}"#).unwrap().reply.text, "2");
        assert_eq!(read(br#"{"output": {"sum": 2}}"#).unwrap().reply.text, r#"{"sum": 2}"#);
        assert!(read(br#"{"result": "2"}"#).is_err());
    }
}
