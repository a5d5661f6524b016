//! Regular expressions of ECMA-262, as schemas write them, for the linear-time engine of this project.

use std::fmt::Write as _;

use regex::Regex;

/// Largest compiled pattern, in bytes.
const MAX_COMPILED: usize = 1 << 20;

/// White space of ECMA-262, as the inside of a class.
const SPACE: &str = r"\t\n\x0B\x0C\r\x20\xA0\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{FEFF}";

/// The compiled expression, or why there is none.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    regex::RegexBuilder::new(&translated(pattern)?)
        .size_limit(MAX_COMPILED)
        .nest_limit(64)
        .build()
        .map_err(|error| format!("the pattern {pattern:?} is refused: {error}"))
}

/// The pattern in the other notation.
fn translated(pattern: &str) -> Result<String, String> {
    let mut writer = Writer { rest: pattern.chars().collect(), at: 0, out: String::new() };
    writer.all().map_err(|why| format!("the pattern {pattern:?} is refused: {why}"))?;
    Ok(writer.out)
}

struct Writer {
    rest: Vec<char>,
    at: usize,
    out: String,
}

impl Writer {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.get(self.at).copied()?;
        self.at += 1;
        Some(c)
    }

    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn all(&mut self) -> Result<(), String> {
        while let Some(c) = self.next() {
            match c {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '.' => self.out.push_str(r"[^\n\r\u{2028}\u{2029}]"),
                '{' if !self.is_quantifier() => self.out.push_str(r"\{"),
                '(' => self.group()?,
                other => self.out.push(other),
            }
        }
        Ok(())
    }

    /// Of the groups that begin with a question mark only three have a counterpart; flags do not exist.
    fn group(&mut self) -> Result<(), String> {
        self.out.push('(');
        if self.peek() != Some('?') {
            return Ok(());
        }
        let next: String = self.rest[self.at + 1..].iter().take(2).collect();
        match next.chars().next() {
            Some(':') => {}
            Some('<') if !next.ends_with(['=', '!']) => {}
            Some('=' | '!' | '<') => return Err("look-around is not supported".to_owned()),
            _ => return Err("a group begins with an unknown mark".to_owned()),
        }
        Ok(())
    }

    /// Whether what follows an opening brace is `n}`, `n,}` or `n,m}`.
    fn is_quantifier(&self) -> bool {
        let inner: String =
            self.rest[self.at..].iter().take_while(|c| **c != '}').take(16).collect();
        let closed = self.rest.get(self.at + inner.chars().count()) == Some(&'}');
        let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let (low, high) = inner.split_once(',').unwrap_or((&inner, ""));
        closed && !low.is_empty() && number(low) && number(high)
    }

    fn class(&mut self) -> Result<(), String> {
        let negated = self.peek() == Some('^');
        self.at += usize::from(negated);
        if self.peek() == Some(']') {
            self.at += 1;
            // `[^]` is any character, `[]` none.
            self.out.push_str(if negated { r"[\s\S]" } else { r"[^\s\S]" });
            return Ok(());
        }
        self.out.push_str(if negated { "[^" } else { "[" });
        loop {
            match self.next() {
                None => return Err("a class is not closed".to_owned()),
                Some(']') => break,
                Some('\\') => self.escape(true)?,
                // These would be operators on classes.
                Some(c @ ('[' | '&' | '~' | '^')) => self.out.extend(['\\', c]),
                Some('-')
                    if self.peek() == Some('-')
                        || self.peek() == Some(']')
                        || self.out.ends_with('[') =>
                {
                    self.out.push_str(r"\-");
                }
                Some(other) => self.out.push(other),
            }
        }
        self.out.push(']');
        Ok(())
    }

    fn escape(&mut self, in_class: bool) -> Result<(), String> {
        let c = self.next().ok_or("it ends with a backslash")?;
        match c {
            'd' => self.set("0-9", false, in_class),
            'D' => self.set("0-9", true, in_class),
            'w' => self.set("A-Za-z0-9_", false, in_class),
            'W' => self.set("A-Za-z0-9_", true, in_class),
            's' => self.set(SPACE, false, in_class),
            'S' => self.set(SPACE, true, in_class),
            'b' if in_class => self.out.push_str(r"\x08"),
            'b' => self.out.push_str(r"(?-u:\b)"),
            // Between bytes of one character no boundary is looked for.
            'B' => self.out.push_str(r"\B"),
            'n' | 'r' | 't' | 'f' | 'v' => self.out.extend(['\\', c]),
            '0' => self.out.push_str(r"\x00"),
            'c' => self.control()?,
            'x' => self.hexadecimal(2)?,
            'u' => self.unicode()?,
            'p' | 'P' => self.property(c)?,
            '1'..='9' | 'k' => return Err("back-references are not supported".to_owned()),
            other if other.is_ascii_alphanumeric() => {
                return Err(format!("`\\{other}` is no escape"));
            }
            other => self.literal(other),
        }
        Ok(())
    }

    fn set(&mut self, inside: &str, negated: bool, in_class: bool) {
        match (negated, in_class) {
            (false, true) => self.out.push_str(inside),
            (true, _) => self.out.extend(["[^", inside, "]"]),
            (false, false) => self.out.extend(["[", inside, "]"]),
        }
    }

    fn literal(&mut self, c: char) {
        if c.is_ascii_punctuation() {
            self.out.push('\\');
        }
        self.out.push(c);
    }

    fn code(&mut self, code: u32) -> Result<(), String> {
        let c = char::from_u32(code).ok_or("half of a surrogate pair stands alone")?;
        let _ = write!(self.out, r"\u{{{:X}}}", u32::from(c));
        Ok(())
    }

    fn control(&mut self) -> Result<(), String> {
        let letter = self.next().filter(char::is_ascii_alphabetic);
        self.code(u32::from(letter.ok_or("`\\c` needs a letter")?) % 32)
    }

    fn digits(&mut self, count: usize) -> Option<u32> {
        let text: String = self.rest.get(self.at..self.at + count)?.iter().collect();
        let code = u32::from_str_radix(&text, 16).ok()?;
        self.at += count;
        Some(code)
    }

    fn hexadecimal(&mut self, count: usize) -> Result<(), String> {
        let code = self.digits(count).ok_or("an escape lacks its hexadecimal digits")?;
        self.code(code)
    }

    fn unicode(&mut self) -> Result<(), String> {
        if self.peek() == Some('{') {
            self.at += 1;
            let rest = &self.rest[self.at..];
            let count =
                rest.iter().take(9).position(|c| *c == '}').ok_or("`\\u{` is not closed")?;
            self.hexadecimal(count)?;
            self.at += 1;
            return Ok(());
        }
        let first = self.digits(4).ok_or("an escape lacks its hexadecimal digits")?;
        if !(0xD800..0xDC00).contains(&first)
            || self.rest.get(self.at..self.at + 2) != Some(&['\\', 'u'])
        {
            return self.code(first);
        }
        self.at += 2;
        let second = self.digits(4).ok_or("an escape lacks its hexadecimal digits")?;
        if !(0xDC00..0xE000).contains(&second) {
            return Err("half of a surrogate pair stands alone".to_owned());
        }
        self.code(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    }

    fn property(&mut self, c: char) -> Result<(), String> {
        let rest = &self.rest[self.at..];
        let end = rest.iter().take(64).position(|c| *c == '}').filter(|_| rest[0] == '{');
        let end = end.ok_or("a property stands in braces")?;
        let name: String = rest[1..end].iter().collect();
        self.at += end + 1;
        // The other notation knows this one by its general category alone.
        let name = if name == "digit" { "Nd" } else { &name };
        self.out.extend(["\\", &c.to_string(), "{", name, "}"]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::compile;

    fn check(pattern: &str, text: &str, expect: bool) {
        assert_eq!(compile(pattern).unwrap().is_match(text), expect, "{pattern:?} {text:?}");
    }

    #[test]
    fn classes_are_those_of_ecma() {
        check(r"^\d$", "\u{7ec}", false);
        check(r"^\w$", "é", false);
        check(r"^\W$", "é", true);
        check(r"^\s$", "\u{feff}", true);
        check(r"^\S$", "\u{a0}", false);
        check(r"^[\d\s]+$", "1 2", true);
        check(r"^[^\w]$", "-", true);
        check(r"^.$", "\u{2028}", false);
        check(r"^[^]$", "\n", true);
        check("[]", "a", false);
    }

    #[test]
    fn escapes() {
        check(r"^\cC$", "\u{3}", true);
        check(r"^A\u00e9$", "Aé", true);
        check(r"^\uD83D\uDC32$", "🐲", true);
        check(r"^\u{1F432}$", "🐲", true);
        check(r"^\p{Letter}+$", "héé", true);
        check(r"^a\/b\-c$", "a/b-c", true);
        check(r"^[a\-z&&[~]+$", "a-&[~", true);
        check(r"^[--a-]$", "-", true);
    }

    #[test]
    fn braces_that_are_no_quantifiers() {
        check("^{a}$", "{a}", true);
        check("^a{2,3}$", "aaa", true);
        check("^a{,3}$", "a{,3}", true);
    }

    #[test]
    fn what_is_refused() {
        for pattern in
            ["(?=a)", "(?<!a)", r"(a)\1", "[a", "(", r"\", r"\uD800", r"\a", "(?i)a", "(?P<a>b)"]
        {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
        check("^(a*)*b$", &"a".repeat(50_000), false);
    }
}
