//! verl's GSM8K reward: the number after `####`, or the last number, equal as a string.
//!
//! Source: `utils/reward_score/gsm8k.py` of github.com/volcengine/verl (Apache-2.0).

use super::super::Verdict;
use super::text::tail;
use super::verdict;

/// Characters at the end of a completion that are read.
const READ: usize = 300;

pub(super) fn verify(reference: &str, completion: &str, strict: bool) -> Verdict {
    let gold = match after_hashes(reference) {
        Some(gold) => gold,
        None if reference.trim().is_empty() => {
            return Verdict::BadReference("the reference is empty".into());
        }
        None => reference.to_owned(),
    };
    let read = tail(completion, READ);
    let answer = if strict { after_hashes(read) } else { last_number(read) };
    answer.map_or(Verdict::NoAnswer, |answer| verdict(answer == gold))
}

fn in_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'.' | b',')
}

/// The last `#### number`, without commas.
fn after_hashes(text: &str) -> Option<String> {
    text.match_indices("#### ")
        .filter_map(|(at, mark)| number(&text[at + mark.len()..]))
        .last()
        .map(|n| n.replace(',', ""))
}

/// A number at the start of the text: an optional minus, digits, points and commas.
fn number(text: &str) -> Option<&str> {
    let sign = usize::from(text.starts_with('-'));
    let len = text[sign..].bytes().take_while(|b| in_number(*b)).count();
    (len > 0).then(|| &text[..sign + len])
}

/// The last run of digits, points and commas that is more than a point.
fn last_number(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut end = bytes.len();
    let mut last = None;
    loop {
        while end > 0 && !in_number(bytes[end - 1]) {
            end -= 1;
        }
        if end == 0 {
            return last;
        }
        let mut start = end;
        while start > 0 && in_number(bytes[start - 1]) {
            start -= 1;
        }
        if start > 0 && bytes[start - 1] == b'-' {
            start -= 1;
        }
        let found = &text[start..end];
        last = Some(found.to_owned());
        if found != "." {
            return last;
        }
        end = start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict() {
        let check = |completion: &str, expected: Verdict| {
            assert_eq!(verify("1200", completion, true), expected, "{completion}");
        };
        check("so #### 1,200", Verdict::Equal);
        check("#### 1 then #### 1200", Verdict::Equal);
        check("#### 1200.", Verdict::Different);
        check("it is 1200", Verdict::NoAnswer);
        check("#### $1200", Verdict::NoAnswer);
    }

    #[test]
    fn flexible() {
        let check = |completion: &str, expected: Verdict| {
            assert_eq!(verify("18", completion, false), expected, "{completion}");
        };
        check("it is 18 dollars .", Verdict::Equal);
        check("it is 18.", Verdict::Different);
        check("it is -18", Verdict::Different);
        check("none", Verdict::NoAnswer);
    }

    #[test]
    fn a_worked_reference() {
        assert_eq!(verify("2+2\n#### 1,004", "#### 1004", true), Verdict::Equal);
    }
}
