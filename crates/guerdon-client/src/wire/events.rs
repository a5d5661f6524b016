//! Server-sent events, where a server streams although it was not asked to: the pieces are put together.

use guerdon_core::method::Reply;
use serde::Deserialize;

use super::chat::{LogProbs, tokens};
use super::lenient::{Content, ErrorWire, UsageWire, first, parse};
use super::{Answer, Fault};

#[derive(Deserialize)]
struct Chunk {
    #[serde(default, deserialize_with = "first")]
    choices: Option<Choice>,
    #[serde(default)]
    usage: Option<UsageWire>,
    #[serde(default)]
    error: Option<ErrorWire>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Option<Delta>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    finish_reason: Option<String>,
    #[serde(default)]
    logprobs: Option<LogProbs>,
}

#[derive(Deserialize)]
struct Delta {
    #[serde(default)]
    content: Content,
}

pub(super) fn read(body: &[u8]) -> Result<Answer, Fault> {
    let mut answer = Answer { reply: Reply::default(), usage: None };
    let mut finished = false;
    for line in body.split(|byte| *byte == b'\n') {
        let Some(data) = line.strip_prefix(b"data:").map(<[u8]>::trim_ascii) else { continue };
        if data == b"[DONE]" {
            finished = true;
            break;
        }
        if !data.is_empty() {
            finished |= add(&mut answer, parse(data)?)?;
        }
    }
    if finished {
        Ok(answer)
    } else {
        Err(Fault::Garbled("the stream of events ends before its end".into()))
    }
}

/// Adds a piece; says whether it was the last one of the text.
fn add(answer: &mut Answer, chunk: Chunk) -> Result<bool, Fault> {
    if let Some(error) = chunk.error {
        return Err(error.fault());
    }
    answer.usage = chunk.usage.and_then(UsageWire::usage).or(answer.usage);
    let Some(choice) = chunk.choices else { return Ok(false) };
    let piece = choice.delta.and_then(|delta| delta.content.0).or(choice.text);
    answer.reply.text.push_str(piece.as_deref().unwrap_or_default());
    answer.reply.logprobs.extend(tokens(choice.logprobs)?);
    answer.reply.truncated |= choice.finish_reason.as_deref() == Some("length");
    Ok(choice.finish_reason.is_some())
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::wire::Fault;

    #[test]
    fn pieces_are_put_together() {
        let body = b"data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\r\n\r\n: ping\r\n\
            data: {\"choices\":[{\"delta\":{\"content\":\"4\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"2\"},\
            \"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";
        let answer = read(body).unwrap();
        assert_eq!(answer.reply.text, "42");
        assert_eq!(answer.usage.map(|usage| usage.input), Some(3));
    }

    #[test]
    fn a_stream_that_breaks_off_is_no_reply() {
        let body = b"data: {\"choices\":[{\"delta\":{\"content\":\"4\"}}]}\n\n";
        assert!(matches!(read(body), Err(Fault::Garbled(_))));
        assert!(matches!(read(b""), Err(Fault::Garbled(_))));
    }
}
