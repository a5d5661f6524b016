//! String operations that several graders share, with the meaning that Python gives them.

/// The last `n` characters.
pub(super) fn tail(text: &str, n: usize) -> &str {
    let start = text.char_indices().rev().nth(n.saturating_sub(1)).map_or(0, |(at, _)| at);
    if n == 0 { "" } else { &text[start..] }
}

/// The braced group that begins in `text`: up to the brace that closes the first one. Backslashes escape nothing.
pub(super) fn through_closing_brace(text: &str) -> Option<&str> {
    let mut depth = 0i64;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(&text[..=at]);
                }
            }
            _ => {}
        }
    }
    None
}

/// The content of the last box, as `remove_boxed(last_boxed_only_string(text))` of the MATH data set has it.
/// `\boxed x$` without braces counts when it occurs anywhere. `None` where the original finds nothing or raises.
pub(super) fn last_boxed(text: &str) -> Option<&str> {
    if let Some((_, after)) = text.rsplit_once("\\boxed ") {
        return Some(after.split('$').next().unwrap_or(after));
    }
    let at = text.rfind("\\boxed")?;
    braced_box(&text[at..])
}

/// The content of the last `\boxed{...}`; nothing else is a box.
pub(super) fn last_braced_box(text: &str) -> Option<&str> {
    braced_box(&text[text.rfind("\\boxed{")?..])
}

fn braced_box(text: &str) -> Option<&str> {
    let whole = through_closing_brace(text)?;
    whole.strip_prefix("\\boxed{")?.strip_suffix('}')
}

/// Replaces every `open ... }` by what `keep` makes of its content. The content ends at the first closing brace of
/// the same line, or at the last one when `greedy`.
pub(super) fn unwrap_command(text: &str, open: &str, greedy: bool, keep: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(open) {
        let body = &rest[at + open.len()..];
        let line = &body[..body.find('\n').unwrap_or(body.len())];
        let close = if greedy { line.rfind('}') } else { line.find('}') };
        let Some(close) = close else {
            out.push_str(&rest[..at + open.len()]);
            rest = body;
            continue;
        };
        out.push_str(&rest[..at]);
        if keep {
            out.push_str(&body[..close]);
        }
        rest = &body[close + 1..];
    }
    out.push_str(rest);
    out
}

/// Whether the text is an integer as Python prints it.
pub(super) fn is_plain_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = digits == "0" && digits.len() == text.len() || !digits.starts_with('0');
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && canonical
}

/// `\frac12` to `\frac{1}{2}`, `\frac1{20}` to `\frac{1}{20}`. `None` where the original raises an `IndexError`
/// (`strict`) on a `\frac` that ends the text.
pub(super) fn fix_fracs(text: &str, strict: bool) -> Option<String> {
    let mut parts = text.split("\\frac");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("\\frac");
        let mut chars = part.chars();
        match (chars.next(), chars.next()) {
            (Some('{'), _) => out.push_str(part),
            (Some(a), Some(b)) => {
                let rest = chars.as_str();
                out.extend(['{', a, '}']);
                out.extend(if b == '{' { vec![b] } else { vec!['{', b, '}'] });
                out.push_str(rest);
            }
            (None, _) if strict => return None,
            _ => return Some(text.to_owned()),
        }
    }
    Some(out)
}

/// The part after a single `=` whose left side has at most two characters.
pub(super) fn without_short_label(text: &str) -> &str {
    match text.split_once('=') {
        Some((label, value)) if !value.contains('=') && label.chars().count() <= 2 => value,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes() {
        assert_eq!(last_boxed("a \\boxed{1} b \\boxed{\\frac{1}{2}} c"), Some("\\frac{1}{2}"));
        assert_eq!(last_boxed("$\\boxed 7$ c"), Some("7"));
        assert_eq!(last_boxed("\\boxed{1"), None);
        assert_eq!(last_braced_box("\\boxed 7"), None);
    }

    #[test]
    fn tails_count_characters() {
        assert_eq!(tail("aéz", 2), "éz");
        assert_eq!(tail("ab", 5), "ab");
        assert_eq!(tail("ab", 0), "");
    }

    #[test]
    fn commands_are_unwrapped() {
        assert_eq!(unwrap_command("\\text{a}b\\text{c}", "\\text{", false, true), "abc");
        assert_eq!(unwrap_command("\\boxed{{a}}", "\\boxed{", true, true), "{a}");
        assert_eq!(unwrap_command("\\text{a", "\\text{", false, true), "\\text{a");
    }

    #[test]
    fn fractions_gain_braces() {
        assert_eq!(fix_fracs("\\frac12x", true).as_deref(), Some("\\frac{1}{2}x"));
        assert_eq!(fix_fracs("\\frac1{20}", true).as_deref(), Some("\\frac{1}{20}"));
        assert_eq!(fix_fracs("\\frac", true), None);
    }
}
