//! References between schemas: resolution of URIs (RFC 3986, section 5) and JSON pointers (RFC 6901).

use std::borrow::Cow;

/// The parts of a URI reference.
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(uri: &'a str) -> Self {
        let (rest, fragment) = cut(uri, '#');
        let (rest, query) = cut(rest, '?');
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let (scheme, rest) = match rest.split_once(':') {
            Some((name, rest)) if !name.is_empty() && name.chars().all(named) => (Some(name), rest),
            _ => (None, rest),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                (Some(&rest[..end]), &rest[end..])
            }
            None => (None, rest),
        };
        Self { scheme, authority, path, query, fragment }
    }

    fn joined(&self, path: &str) -> String {
        let mut out = String::new();
        if let Some(scheme) = self.scheme {
            out.extend([scheme, ":"]);
        }
        if let Some(authority) = self.authority {
            out.extend(["//", authority]);
        }
        out.push_str(path);
        if let Some(query) = self.query {
            out.extend(["?", query]);
        }
        if let Some(fragment) = self.fragment {
            out.extend(["#", fragment]);
        }
        out
    }
}

fn cut(text: &str, mark: char) -> (&str, Option<&str>) {
    text.split_once(mark).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// The URI that `reference` means where `base` is the base URI.
pub(super) fn resolve(base: &str, reference: &str) -> String {
    let (b, mut r) = (Parts::of(base), Parts::of(reference));
    if r.scheme.is_some() {
        return r.joined(&without_dots(r.path));
    }
    r.scheme = b.scheme;
    if r.authority.is_some() {
        return r.joined(&without_dots(r.path));
    }
    r.authority = b.authority;
    if r.path.is_empty() {
        r.query = r.query.or(b.query);
        return r.joined(b.path);
    }
    if r.path.starts_with('/') {
        return r.joined(&without_dots(r.path));
    }
    let folder = match b.path.rfind('/') {
        Some(at) => &b.path[..=at],
        None if b.authority.is_some() => "/",
        None => "",
    };
    r.joined(&without_dots(&format!("{folder}{}", r.path)))
}

fn without_dots(path: &str) -> Cow<'_, str> {
    if !path.split('/').any(|part| part == "." || part == "..") {
        return path.into();
    }
    let mut kept: Vec<&str> = Vec::new();
    let count = path.split('/').count();
    for (i, part) in path.split('/').enumerate() {
        let last = i + 1 == count;
        match part {
            "." if last => kept.push(""),
            "." => {}
            ".." => {
                if kept.last().is_some_and(|part| !part.is_empty()) {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    kept.join("/").into()
}

/// The URI before the fragment, and the fragment without its mark and percent signs.
pub(super) fn split(uri: &str) -> (&str, Cow<'_, str>) {
    let (before, fragment) = cut(uri, '#');
    (before, decoded(fragment.unwrap_or("")))
}

fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return text.into();
    }
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned().into()
}

/// The keys of a JSON pointer, which is empty or begins with a slash.
pub(super) fn pointer(text: &str) -> impl Iterator<Item = String> {
    text.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~"))
}

#[cfg(test)]
mod tests {
    use super::{pointer, resolve, split};

    fn check(reference: &str, expect: &str) {
        assert_eq!(resolve("http://a/b/c/d;p?q", reference), expect, "{reference}");
    }

    #[test]
    fn the_examples_of_rfc_3986() {
        check("g:h", "g:h");
        check("g", "http://a/b/c/g");
        check("./g", "http://a/b/c/g");
        check("g/", "http://a/b/c/g/");
        check("/g", "http://a/g");
        check("//g", "http://g");
        check("?y", "http://a/b/c/d;p?y");
        check("#s", "http://a/b/c/d;p?q#s");
        check("", "http://a/b/c/d;p?q");
        check(".", "http://a/b/c/");
        check("..", "http://a/b/");
        check("../../g", "http://a/g");
        check("../../../g", "http://a/g");
        assert_eq!(resolve("", "item.json"), "item.json");
        assert_eq!(resolve("urn:x:y", "#/a"), "urn:x:y#/a");
    }

    #[test]
    fn fragments_and_pointers() {
        assert_eq!(split("a#/b%25c"), ("a", "/b%c".into()));
        assert_eq!(pointer("/a~1b/~01/").collect::<Vec<_>>(), ["a/b", "~1", ""]);
        assert_eq!(pointer("").count(), 0);
    }
}
