//! The formats that a schema can ask of texts.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr as _;

use super::pattern;

/// A check of one format.
pub(super) type Check = fn(&str) -> bool;

/// The check of a format by its name; formats without one are annotations.
pub(super) fn named(name: &str) -> Option<Check> {
    Some(match name {
        "date-time" => date_time,
        "date" => date,
        "time" => time,
        "duration" => duration,
        "email" => |text| email(text, false),
        "idn-email" => |text| email(text, true),
        "hostname" => |text| hostname(text, false),
        "idn-hostname" => |text| hostname(text, true),
        "ipv4" => |text| Ipv4Addr::from_str(text).is_ok(),
        "ipv6" => |text| Ipv6Addr::from_str(text).is_ok(),
        "uri" => |text| uri(text, false) && has_scheme(text),
        "uri-reference" => |text| uri(text, false),
        "iri" => |text| uri(text, true) && has_scheme(text),
        "iri-reference" => |text| uri(text, true),
        "uri-template" => template,
        "uuid" => uuid,
        "json-pointer" => pointer,
        "relative-json-pointer" => relative_pointer,
        "regex" => |text| pattern::compile(text).is_ok(),
        _ => return None,
    })
}

/// The number that `text` is, if it has exactly `count` digits.
fn digits(text: &str, count: usize) -> Option<u32> {
    let plain = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn date(text: &str) -> bool {
    let read = || {
        let (year, rest) = text.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        let (year, month, day) = (digits(year, 4)?, digits(month, 2)?, digits(day, 2)?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        (1..=last).contains(&day).then_some(())
    };
    read().is_some()
}

/// Hours and minutes in `hh:mm`.
fn minutes(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// RFC 3339: a leap second is one only at midnight of universal time.
fn time(text: &str) -> bool {
    let read = || {
        let zone_at = text.find(['Z', 'z', '+', '-'])?;
        let (clock, zone) = text.split_at(zone_at);
        let offset = match zone.as_bytes()[0] {
            b'Z' | b'z' => (zone.len() == 1).then_some(0),
            b'+' => minutes(&zone[1..]).map(i64::from),
            _ => minutes(&zone[1..]).map(|m| -i64::from(m)),
        }?;
        let of_day = minutes(clock.get(..5)?)?;
        let seconds = clock[5..].strip_prefix(':')?;
        let (whole, fraction) =
            seconds.split_once('.').map_or((seconds, None), |(w, f)| (w, Some(f)));
        if fraction.is_some_and(|f| f.is_empty() || !f.bytes().all(|b| b.is_ascii_digit())) {
            return None;
        }
        let universal = (i64::from(of_day) - offset).rem_euclid(1440);
        let second = digits(whole, 2)?;
        (second < 60 || (second == 60 && universal == 1439)).then_some(())
    };
    read().is_some()
}

fn date_time(text: &str) -> bool {
    match text.find(['T', 't']) {
        Some(at) => date(&text[..at]) && time(&text[at + 1..]),
        None => false,
    }
}

/// ISO 8601 as RFC 3339 gives it: weeks alone, or date parts in order, then time parts in order.
fn duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else { return false };
    if let Some(weeks) = rest.strip_suffix('W') {
        return !weeks.is_empty() && weeks.bytes().all(|b| b.is_ascii_digit());
    }
    let (days, clock) = rest.split_once('T').map_or((rest, None), |(d, t)| (d, Some(t)));
    let parts = |text: &str, letters: &str| {
        let mut left = letters;
        let mut rest = text;
        while !rest.is_empty() {
            let count = rest.bytes().take_while(u8::is_ascii_digit).count();
            let Some(letter) = rest[count..].chars().next() else { return false };
            let Some(at) = left
                .find(letter)
                .filter(|at| count > 0 && (*at == 0 || left.len() == letters.len()))
            else {
                return false;
            };
            left = &left[at + 1..];
            rest = &rest[count + letter.len_utf8()..];
        }
        true
    };
    parts(days, "YMD")
        && clock.is_none_or(|clock| !clock.is_empty() && parts(clock, "HMS"))
        && !(days.is_empty() && clock.is_none())
}

fn email(text: &str, international: bool) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
    let allowed = |c: char| {
        c.is_ascii_alphanumeric()
            || "!#$%&'*+/=?^_`{|}~-".contains(c)
            || (international && !c.is_ascii())
    };
    let dotted = || local.split('.').all(|part| !part.is_empty() && part.chars().all(allowed));
    let inner = || local[1..local.len() - 1].chars().all(|c| c != '"' && c != '\n');
    let literal = domain.strip_prefix('[').and_then(|d| d.strip_suffix(']'));
    let addressed = |inner: &str| match inner.strip_prefix("IPv6:") {
        Some(six) => Ipv6Addr::from_str(six).is_ok(),
        None => Ipv4Addr::from_str(inner).is_ok(),
    };
    local.len() <= 64
        && if quoted { inner() } else { dotted() }
        && literal.map_or_else(|| hostname(domain, international), addressed)
}

fn hostname(text: &str, international: bool) -> bool {
    let label = |label: &str| {
        let allowed = |c: char| {
            c.is_ascii_alphanumeric()
                || c == '-'
                || (international && !c.is_ascii() && c.is_alphanumeric())
        };
        let reserved =
            label.get(2..4) == Some("--") && !label.to_ascii_lowercase().starts_with("xn--");
        (1..=63).contains(&label.len())
            && label.chars().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
            && !reserved
    };
    let dot =
        |c: char| c == '.' || (international && matches!(c, '\u{3002}' | '\u{ff0e}' | '\u{ff61}'));
    text.len() <= 253 && text.split(dot).all(label)
}

fn has_scheme(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

/// RFC 3986 (RFC 3987 with characters beyond ASCII), a scheme aside.
fn uri(text: &str, international: bool) -> bool {
    let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (path, query) = before.split_once('?').unwrap_or((before, ""));
    let rest =
        if has_scheme(path) { path.split_once(':').map_or("", |(_, rest)| rest) } else { path };
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    // In a reference without a scheme the first segment holds no colon.
    let first = path.split('/').next().unwrap_or("");
    let relative = !has_scheme(before) && authority.is_empty();
    !(relative && first.contains(':'))
        && authority_is_valid(authority, international)
        && spelled(path, ":@/", international)
        && spelled(query, ":@/?", international)
        && spelled(fragment, ":@/?", international)
}

fn authority_is_valid(text: &str, international: bool) -> bool {
    let (user, place) = text.rsplit_once('@').unwrap_or(("", text));
    let (host, port) = match place.rfind(':') {
        Some(at) if !place[at..].contains(']') => (&place[..at], &place[at + 1..]),
        _ => (place, ""),
    };
    let literal = host.strip_prefix('[').map(|host| host.strip_suffix(']').unwrap_or(""));
    let future = |inner: &str| inner.starts_with(['v', 'V']) && inner.contains('.');
    spelled(user, ":", international)
        && port.bytes().all(|b| b.is_ascii_digit())
        && literal.map_or_else(
            || spelled(host, "", international),
            |inner| Ipv6Addr::from_str(inner).is_ok() || future(inner),
        )
}

/// Whether every character is unreserved, a delimiter, one of `also`, or escaped.
fn spelled(text: &str, also: &str, international: bool) -> bool {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let fine = c.is_ascii_alphanumeric()
            || "-._~!$&'()*+,;=".contains(c)
            || also.contains(c)
            || (international && !c.is_ascii() && !c.is_control());
        let escaped =
            c == '%' && (0..2).all(|_| chars.next().is_some_and(|c| c.is_ascii_hexdigit()));
        if !fine && !escaped {
            return false;
        }
    }
    true
}

/// RFC 6570, braces and what stands in them.
fn template(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let Some(inner) = rest[at..].strip_prefix('{') else { return false };
        let Some(end) = inner.find('}') else { return false };
        let names = inner[..end].trim_start_matches(['+', '#', '.', '/', ';', '?', '&']);
        let length = |length: &str| {
            digits(length, length.len()).is_some_and(|n| n < 10_000) && !length.starts_with('0')
        };
        let name = |name: &str| {
            let (name, modifier) = match name.split_once(':') {
                Some((name, prefix)) => (name, length(prefix)),
                None => (name.strip_suffix('*').unwrap_or(name), true),
            };
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '%');
            modifier && name.split('.').all(|part| !part.is_empty() && part.chars().all(allowed))
        };
        if !names.split(',').all(name) {
            return false;
        }
        rest = &inner[end + 1..];
    }
    !text.contains(|c: char| {
        c.is_ascii_control() || matches!(c, ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '|')
    })
}

fn uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|g| g.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|g| g.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn pointer(text: &str) -> bool {
    let escapes = |text: &str| text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    (text.is_empty() || text.starts_with('/')) && escapes(text)
}

fn relative_pointer(text: &str) -> bool {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(count);
    count > 0 && (count == 1 || !number.starts_with('0')) && (rest == "#" || pointer(rest))
}

#[cfg(test)]
mod tests {
    use super::named;

    fn check(format: &str, good: &[&str], bad: &[&str]) {
        let holds = named(format).unwrap();
        good.iter().for_each(|text| assert!(holds(text), "{format}: {text:?}"));
        bad.iter().for_each(|text| assert!(!holds(text), "{format}: {text:?}"));
    }

    #[test]
    fn times() {
        check(
            "date",
            &["2024-02-29", "0000-01-01"],
            &["2023-02-29", "2024-13-01", "2024-1-01", "x", ""],
        );
        check(
            "time",
            &["12:00:00Z", "23:59:60Z", "00:29:60+00:30", "12:00:00.5-01:00"],
            &["12:00:00", "24:00:00Z", "12:00:60Z", "12:00:00.Z", "1:00:00Z", "12:00:00+1:00"],
        );
        check(
            "date-time",
            &["2024-02-29T12:00:00Z"],
            &["2024-02-29 12:00:00Z", "2024-02-30T12:00:00Z"],
        );
        check(
            "duration",
            &["P4Y", "PT1M", "P1Y2M3DT4H5M6S", "P2W"],
            &["P", "PT", "P1D2Y", "P1", "1D", "P1H", "PW"],
        );
    }

    #[test]
    fn addresses() {
        check(
            "email",
            &["a.b+c@d.example", "\"a b\"@d", "a@[127.0.0.1]"],
            &["a", "@b", "a..b@c", "a@-b", "é@b"],
        );
        check("idn-email", &["é@b"], &["é"]);
        check("hostname", &["a.b-c", "xn--a"], &["-a", "a-", "a..b", "", "a_b", "ab--c"]);
        check("ipv4", &["127.0.0.1"], &["127.0.0.01", "1.2.3", "256.0.0.1"]);
        check("ipv6", &["::1", "1::d6:192.168.0.1"], &["12345::", ":2", "1:2"]);
    }

    #[test]
    fn identifiers() {
        check(
            "uri",
            &["http://a/b?c#d", "urn:x", "http://[::1]:8/"],
            &["/a", "a b:c", "http://a b", "http://[a]/", "a:%2"],
        );
        check("uri-reference", &["/a", "#b", ""], &["\\\\a", "#a\\b"]);
        check("iri", &["http://é/ü"], &["é"]);
        check("uri-template", &["a/{b}{?c,d*,e:3}"], &["a/{b", "a}", "{}"]);
        check(
            "uuid",
            &["2EB8AA08-aa98-11ea-b4aa-73b441d16380"],
            &["2eb8aa08aa9811eab4aa73b441d16380"],
        );
        check("json-pointer", &["", "/a~0~1/"], &["a", "/~", "/~2"]);
        check("relative-json-pointer", &["0", "1/a", "0#"], &["01", "-1", "a", "0##"]);
        check("regex", &["a+"], &["a("]);
    }
}
