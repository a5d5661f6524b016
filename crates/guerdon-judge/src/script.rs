//! Conversations: a judge asks, reads, and goes on, as if the replies came at once.
//!
//! ```
//! use guerdon_core::method::{Next, Reply, Request};
//! use guerdon_judge::script::{Pause, Script, converse};
//!
//! fn talk(script: &mut Script<'_>) -> Result<usize, Pause> {
//!     let first = script.one(Request::user("Say something."))?.text.clone();
//!     let second = script.one(Request::user(format!("Say more than {first:?}.")))?;
//!     Ok(first.len() + second.text.len())
//! }
//!
//! let run = |rounds: &[Vec<Reply>]| converse(rounds, 1, 0, talk);
//! assert!(matches!(run(&[]), Ok(Next::Ask(_))));
//! let replies = [vec![Reply::from("a")], vec![Reply::from("abc")]];
//! assert_eq!(run(&replies), Ok(Next::Done(4)));
//! ```
//!
//! Behind that is a replay: the conversation is run from its beginning whenever replies have come, and pauses where one is
//! missing. So it must be a pure function of its case, the replies and the seed.

use guerdon_core::method::{Next, Reply, Request};
use guerdon_core::seed::{Stream, stream};
use guerdon_core::{Message, Unscored, UnscoredKind};
use rand::seq::SliceRandom as _;

/// The most bytes of a reply that an error repeats.
const SHOWN: usize = 200;

/// Why a conversation does not go on.
#[derive(Debug, Clone, PartialEq)]
pub enum Pause {
    /// It waits for these replies.
    Ask(Vec<Request>),
    /// It has failed.
    Stop(Unscored),
}

impl From<Unscored> for Pause {
    fn from(reason: Unscored) -> Self {
        Self::Stop(reason)
    }
}

/// A conversation with the replies it has had.
pub struct Script<'a> {
    rounds: &'a [Vec<Reply>],
    at: usize,
    retries: u32,
    seed: u64,
}

/// Runs a conversation as far as the replies go. `retries`: how often an unreadable reply is asked again.
pub fn converse<T>(
    rounds: &[Vec<Reply>],
    retries: u32,
    seed: u64,
    talk: impl FnOnce(&mut Script<'_>) -> Result<T, Pause>,
) -> Result<Next<T>, Unscored> {
    match talk(&mut Script { rounds, at: 0, retries, seed }) {
        Ok(result) => Ok(Next::Done(result)),
        Err(Pause::Ask(requests)) => Ok(Next::Ask(requests)),
        Err(Pause::Stop(reason)) => Err(reason),
    }
}

impl<'a> Script<'a> {
    /// The conversation's seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A random stream of the conversation's own, by name.
    pub fn stream(&self, label: &str) -> Stream {
        stream(self.seed, label)
    }

    /// An order of `n` things, by seed: place `k` shows thing `order[k]`.
    pub fn order(&self, n: usize, label: &str) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(&mut self.stream(label));
        order
    }

    /// Asks, and gives the reply as it is.
    pub fn one(&mut self, request: Request) -> Result<&'a Reply, Pause> {
        let Some(replies) = self.rounds.get(self.at) else {
            return Err(Pause::Ask(vec![request]));
        };
        self.at += 1;
        match replies.as_slice() {
            [reply] => Ok(reply),
            _ => Err(miscounted(1, replies.len())),
        }
    }

    /// Asks and reads; a reply that was cut off or cannot be read is asked again, with the reason, up to `retries` times.
    pub fn read<T>(
        &mut self,
        request: &Request,
        read: impl Fn(&Reply) -> Result<T, Unscored>,
    ) -> Result<T, Pause> {
        let mut asked = request.clone();
        for _ in 0..self.retries {
            let reply = self.one(asked)?;
            match whole(reply).and_then(&read) {
                Ok(value) => return Ok(value),
                // What is not there will not be there the next time.
                Err(reason) if reason.kind != UnscoredKind::Unreadable => {
                    return Err(Pause::Stop(with_reply(&reason, reply)));
                }
                Err(reason) => asked = again(request, reply, &reason),
            }
        }
        let reply = self.one(asked)?;
        whole(reply).and_then(read).map_err(|reason| Pause::Stop(with_reply(&reason, reply)))
    }

    /// A protocol of its own as a part of this conversation, from its first round to its end.
    pub fn follow<T>(
        &mut self,
        next: impl Fn(&[Vec<Reply>], u64) -> Result<Next<T>, Unscored>,
    ) -> Result<T, Pause> {
        let rest = self.rounds.get(self.at..).unwrap_or_default();
        for k in 0.. {
            // It must not see rounds that are not its own: they are shown to it one by one.
            match next(&rest[..k], self.seed)? {
                Next::Done(value) => {
                    self.at += k;
                    return Ok(value);
                }
                Next::Ask(requests) if k == rest.len() => return Err(Pause::Ask(requests)),
                Next::Ask(_) => {}
            }
        }
        Err(Unscored::failed("a protocol does not end").into())
    }

    /// `n` conversations side by side: what they ask in the same round is asked together. Each ends for itself.
    pub fn each<T>(
        &mut self,
        n: usize,
        talk: impl Fn(usize, &mut Script<'_>) -> Result<T, Pause>,
    ) -> Result<Vec<Result<T, Unscored>>, Pause> {
        let mut own: Vec<Vec<Vec<Reply>>> = vec![Vec::new(); n];
        let mut ends: Vec<Option<Result<T, Unscored>>> = (0..n).map(|_| None).collect();
        loop {
            let mut asked = Vec::new();
            for (k, rounds) in own.iter().enumerate() {
                // What has ended is not run again: conversations of different lengths would cost the longest for each.
                if ends[k].is_some() {
                    continue;
                }
                let seed = self.seed;
                match talk(k, &mut Script { rounds, at: 0, retries: self.retries, seed }) {
                    Ok(value) => ends[k] = Some(Ok(value)),
                    Err(Pause::Stop(reason)) => ends[k] = Some(Err(reason)),
                    Err(Pause::Ask(requests)) => asked.push((k, requests)),
                }
            }
            if asked.is_empty() {
                return Ok(ends.into_iter().flatten().collect());
            }
            self.share(&mut own, asked)?;
        }
    }

    /// Like [`Script::each`], but the first failure ends all.
    pub fn all<T>(
        &mut self,
        n: usize,
        talk: impl Fn(usize, &mut Script<'_>) -> Result<T, Pause>,
    ) -> Result<Vec<T>, Pause> {
        Ok(self.each(n, talk)?.into_iter().collect::<Result<Vec<T>, Unscored>>()?)
    }

    /// Hands the next round's replies to the conversations that asked.
    fn share(
        &mut self,
        own: &mut [Vec<Vec<Reply>>],
        asked: Vec<(usize, Vec<Request>)>,
    ) -> Result<(), Pause> {
        let Some(replies) = self.rounds.get(self.at) else {
            return Err(Pause::Ask(asked.into_iter().flat_map(|(_, requests)| requests).collect()));
        };
        self.at += 1;
        let wanted = asked.iter().map(|(_, requests)| requests.len()).sum();
        if replies.len() != wanted {
            return Err(miscounted(wanted, replies.len()));
        }
        let mut rest = replies.as_slice();
        for (k, requests) in asked {
            let (mine, others) = rest.split_at(requests.len());
            own[k].push(mine.to_vec());
            rest = others;
        }
        Ok(())
    }
}

/// The `k`-th sample of a request.
pub fn sample(request: &Request, k: usize) -> Request {
    Request { sample: u32::try_from(k).unwrap_or(u32::MAX), ..request.clone() }
}

fn miscounted(wanted: usize, given: usize) -> Pause {
    Pause::Stop(Unscored::failed(format!("{given} replies to {wanted} requests")))
}

/// A reply that was cut off may have been about to say something else: it is not read.
fn whole(reply: &Reply) -> Result<&Reply, Unscored> {
    if reply.truncated {
        return Err(Unscored::unreadable(
            "the reply was cut off by the length limit: raise `max_tokens`",
        ));
    }
    Ok(reply)
}

/// The same conversation, with the reply and what was wrong with it.
fn again(request: &Request, reply: &Reply, reason: &Unscored) -> Request {
    let message = |role: &str, content: String| Message {
        role: role.to_owned(),
        content,
        tool_calls: Vec::new(),
    };
    let mut request = request.clone();
    request.messages.push(message("assistant", reply.text.clone()));
    let text = format!(
        "Your reply could not be read ({}). Answer again, in the format asked for.",
        reason.detail
    );
    request.messages.push(message("user", text));
    request
}

fn with_reply(reason: &Unscored, reply: &Reply) -> Unscored {
    let text = reply.text.trim();
    let end = text.floor_char_boundary(text.len().saturating_sub(SHOWN));
    let shown = if end == 0 { text.to_owned() } else { format!("…{}", &text[end..]) };
    Unscored { detail: format!("{}; the reply ends {shown:?}", reason.detail), kind: reason.kind }
}

#[cfg(test)]
mod tests {
    use super::{Pause, Script, converse};
    use guerdon_core::Unscored;
    use guerdon_core::method::{Next, Reply, Request};

    fn digit(reply: &Reply) -> Result<u32, Unscored> {
        reply.text.parse().map_err(|_| Unscored::unreadable("no digit"))
    }

    fn sum(script: &mut Script<'_>) -> Result<u32, Pause> {
        let numbers = script.all(3, |k, script| {
            let first = script.read(&Request::user(format!("number {k}")), digit)?;
            // The second of three asks twice.
            let more = if k == 1 { script.read(&Request::user("more"), digit)? } else { 0 };
            Ok(first + more)
        })?;
        Ok(numbers.into_iter().sum())
    }

    fn texts(next: Result<Next<u32>, Unscored>) -> Vec<String> {
        let Ok(Next::Ask(requests)) = next else { panic!("{next:?}") };
        requests.into_iter().map(|r| r.messages.last().unwrap().content.clone()).collect()
    }

    #[test]
    fn conversations_side_by_side_share_their_rounds() {
        let mut rounds: Vec<Vec<Reply>> = Vec::new();
        let run = |rounds: &[Vec<Reply>]| converse(rounds, 1, 0, sum);
        assert_eq!(texts(run(&rounds)), ["number 0", "number 1", "number 2"]);
        rounds.push(vec!["1".into(), "2".into(), "x".into()]);
        let second = texts(run(&rounds));
        assert_eq!((second[0].as_str(), second.len()), ("more", 2));
        assert!(second[1].contains("no digit"), "{second:?}");
        rounds.push(vec!["4".into(), "8".into()]);
        assert_eq!(run(&rounds), Ok(Next::Done(15)));
    }

    #[test]
    fn an_unreadable_reply_is_asked_again_and_then_given_up() {
        let talk = |script: &mut Script<'_>| script.read(&Request::user("?"), digit);
        let cut = Reply { truncated: true, ..Reply::from("7") };
        let rounds = [vec!["x".into()], vec![cut]];
        let Err(reason) = converse(&rounds, 1, 0, talk) else { panic!("it was read") };
        assert!(reason.detail.contains("cut off") && reason.detail.contains("\"7\""), "{reason}");
        assert_eq!(converse(&[vec!["7".into()]], 0, 0, talk), Ok(Next::Done(7)));
    }

    #[test]
    fn a_protocol_can_be_part_of_a_conversation() {
        let talk = |script: &mut Script<'_>| {
            let first = script.follow(|rounds, seed| converse(rounds, 1, seed, sum))?;
            Ok(first + script.read(&Request::user("and"), digit)?)
        };
        let three = || vec!["1".into(), "2".into(), "3".into()];
        let mut rounds = vec![three(), vec!["4".into()]];
        assert_eq!(texts(converse(&rounds, 1, 0, talk)), ["and"]);
        rounds.push(vec!["5".into()]);
        assert_eq!(converse(&rounds, 1, 0, talk), Ok(Next::Done(15)));
    }

    #[test]
    fn a_wrong_number_of_replies_is_an_error() {
        let rounds = [vec!["1".into()]];
        assert!(converse(&rounds, 1, 0, sum).is_err());
    }
}
