//! From LaTeX or plain text to tokens. Markup that carries no meaning (spacing, sizes, fonts) disappears here.

mod number;

use super::meter::{Meter, Outcome, Stop};
use super::number::Rational;
use super::vocabulary::{self, WordKind};
use number::scan_number;

/// One token with its place in the source.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind<'a>,
    /// Byte offset of the first byte.
    pub(crate) start: usize,
    /// Whether white space or a spacing command stands before it.
    pub(crate) spaced: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind<'a> {
    /// A number literal; `digits` is the source when it consists of digits alone (a base or a time may follow).
    Number { value: Rational, decimal: bool, digits: Option<&'a str> },
    /// One letter of a run of letters, or a Greek letter.
    Letter(char),
    /// A word of the vocabulary or one that reads like a word.
    Word(&'a str),
    /// The content of `\text{...}` and its like, trimmed.
    Text(&'a str),
    /// A command without its backslash; symbols of Unicode arrive under the name of their command.
    Command(&'a str),
    /// ASCII punctuation that means something.
    Mark(u8),
    /// `\{`.
    SetOpen,
    /// `\}`.
    SetClose,
    /// A row of a matrix ends.
    RowEnd,
}

/// What the lexer found out besides the tokens.
#[derive(Debug)]
pub(crate) struct Lexed<'a> {
    pub(crate) tokens: Vec<Token<'a>>,
    /// A comma was read as a separator of thousands although it could separate two numbers of a list.
    pub(crate) ambiguous_comma: bool,
}

/// Which notations of numbers are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notation {
    /// `1,000` outside brackets is one number, otherwise a list of two.
    pub(crate) group_commas: bool,
    /// `1e5`, `0.\overline{3}` and `101_2` are numbers.
    pub(crate) extended: bool,
}

#[cfg(test)]
impl Notation {
    pub(crate) const ALL: Self = Self { group_commas: true, extended: true };
}

struct Lexer<'a, 'm> {
    src: &'a str,
    pos: usize,
    tokens: Vec<Token<'a>>,
    spaced: bool,
    /// Depth of explicit brackets, inside which a comma separates.
    brackets: usize,
    /// Depth of `\begin`, inside which `\\` ends a row.
    environments: usize,
    /// Digits that the arguments of a `\frac` without braces may still take, one each.
    single_digits: u8,
    notation: Notation,
    ambiguous_comma: bool,
    meter: &'m Meter,
}

/// Splits `src` into tokens.
pub(crate) fn lex<'a>(src: &'a str, notation: Notation, meter: &Meter) -> Outcome<Lexed<'a>> {
    let mut lexer = Lexer {
        src,
        pos: 0,
        tokens: Vec::with_capacity(src.len() / 2 + 4),
        spaced: false,
        brackets: 0,
        environments: 0,
        single_digits: 0,
        notation,
        ambiguous_comma: false,
        meter,
    };
    lexer.run(src.len())?;
    Ok(Lexed { tokens: lexer.tokens, ambiguous_comma: lexer.ambiguous_comma })
}

impl<'a> Lexer<'a, '_> {
    fn byte(&self, offset: usize) -> u8 {
        self.src.as_bytes().get(self.pos + offset).copied().unwrap_or(0)
    }

    fn rest(&self) -> &'a str {
        &self.src[self.pos..]
    }

    fn push(&mut self, kind: Kind<'a>, len: usize) {
        let token = Token { kind, start: self.pos, spaced: self.spaced };
        self.tokens.push(token);
        self.spaced = false;
        self.pos += len;
    }

    fn skip(&mut self, len: usize) {
        self.pos += len;
        self.spaced = true;
    }

    fn run(&mut self, end: usize) -> Outcome<()> {
        while self.pos < end {
            self.meter.step(1)?;
            let byte = self.byte(0);
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b'~' | b'$' | b'`' | b'"' => {
                    self.dollar_or_space(byte);
                }
                b'0'..=b'9' => self.number()?,
                b'.' if self.byte(1).is_ascii_digit() => self.number()?,
                b'a'..=b'z' | b'A'..=b'Z' => self.letters(),
                b'\\' => self.backslash()?,
                b'{' if self.rest().starts_with("{,}") => self.push(Kind::Mark(b','), 3),
                0..=127 => self.mark(byte),
                _ => self.unicode(),
            }
        }
        Ok(())
    }

    fn dollar_or_space(&mut self, byte: u8) {
        // `$5` in a plain answer is money; a dollar sign with a partner delimits a formula.
        if byte == b'$'
            && self.byte(1).is_ascii_digit()
            && self.pos == 0
            && !self.src[1..].contains('$')
        {
            self.push(Kind::Command("$"), 1);
        } else {
            self.skip(1);
        }
    }

    fn mark(&mut self, byte: u8) {
        self.single_digits = 0;
        match byte {
            b'(' | b'[' => self.brackets += 1,
            b')' | b']' => self.brackets = self.brackets.saturating_sub(1),
            _ => {}
        }
        let two = (byte, self.byte(1));
        match two {
            (b'<', b'=') => self.push(Kind::Command("le"), 2),
            (b'>', b'=') => self.push(Kind::Command("ge"), 2),
            (b'!', b'=') | (b'<', b'>') => self.push(Kind::Command("ne"), 2),
            (b'=', b'=') => self.push(Kind::Mark(b'='), 2),
            (b'*', b'*') => self.push(Kind::Mark(b'^'), 2),
            (b'-', b'>') => self.push(Kind::Command("to"), 2),
            (b'*', _) if self.stray_star() => self.skip(1),
            _ => self.push(Kind::Mark(byte), 1),
        }
    }

    /// Markdown emphasis leaves stars at the ends of an answer.
    fn stray_star(&self) -> bool {
        self.tokens.is_empty() || self.rest().trim_start_matches('*').trim().is_empty()
    }

    fn letters(&mut self) {
        self.single_digits = 0;
        let run = self.rest();
        let len = run.bytes().position(|b| !b.is_ascii_alphabetic()).unwrap_or(run.len());
        let word = &run[..len];
        if len == 1 && matches!(word, "a" | "p" | "A" | "P") && is_meridiem(run) {
            let kind = if word.eq_ignore_ascii_case("a") { "am" } else { "pm" };
            let dotted = if run.as_bytes().get(3) == Some(&b'.') { 4 } else { 3 };
            return self.push(Kind::Word(kind), dotted);
        }
        if len == 1 {
            return self.push(Kind::Letter(char::from(word.as_bytes()[0])), 1);
        }
        if let Some(glued) = self.glued_connective(word) {
            return self.push(Kind::Word(&word[..glued]), glued);
        }
        if vocabulary::is_word(word) {
            return self.push(Kind::Word(word), len);
        }
        let prefix = vocabulary::function_prefix(word);
        if prefix > 0 {
            return self.push(Kind::Word(&word[..prefix]), prefix);
        }
        for byte in word.bytes() {
            self.push(Kind::Letter(char::from(byte)), 1);
        }
    }

    /// `1orx` and `2andy`: a connective that lost its spaces after a digit.
    fn glued_connective(&self, word: &str) -> Option<usize> {
        let after_digit = self.pos > 0 && self.src.as_bytes()[self.pos - 1].is_ascii_digit();
        let len = if word.starts_with("or") {
            2
        } else if word.starts_with("and") {
            3
        } else {
            0
        };
        (after_digit && len > 0).then_some(len)
    }

    fn backslash(&mut self) -> Outcome<()> {
        let next = self.byte(1);
        if next.is_ascii_alphabetic() {
            return self.command(1);
        }
        match next {
            b'\\' => {
                if self.environments == 0 && self.byte(2).is_ascii_alphabetic() && self.doubled() {
                    // Text that was escaped once too often: `\\frac` stands for `\frac`.
                    return self.command(2);
                }
                if self.environments == 0 && matches!(self.byte(2), b'{' | b'}') {
                    self.pos += 1;
                    return self.backslash();
                }
                self.push(Kind::RowEnd, 2);
                self.skip_row_gap();
            }
            b'{' => {
                self.brackets += 1;
                self.push(Kind::SetOpen, 2);
            }
            b'}' => {
                self.brackets = self.brackets.saturating_sub(1);
                self.push(Kind::SetClose, 2);
            }
            b'$' if !self.byte(2).is_ascii_digit() && self.last_is_number() => {
                self.push(Kind::Command("$"), 2);
            }
            b'$' if self.byte(2).is_ascii_digit() || self.byte(2) == b' ' => {
                self.push(Kind::Command("$"), 2);
            }
            b'%' => self.push(Kind::Mark(b'%'), 2),
            b'|' => self.push(Kind::Mark(b'|'), 2),
            b'&' | b'#' | b'_' => self.push(Kind::Mark(next), 2),
            0..=127 => self.skip(2),
            _ => self.skip(1),
        }
        self.pos = self.pos.min(self.src.len());
        Ok(())
    }

    fn last_is_number(&self) -> bool {
        matches!(self.tokens.last(), Some(Token { kind: Kind::Number { .. }, .. }))
    }

    fn skip_row_gap(&mut self) {
        // `\\[2pt]`
        if self.byte(0) == b'[' && self.environments > 0 {
            let gap = self.rest();
            if let Some(end) = gap.bytes().take(12).position(|b| b == b']')
                && gap[1..end].ends_with(['t', 'm', 'x'])
            {
                self.skip(end + 1);
            }
        }
    }

    fn doubled(&self) -> bool {
        let name = self.rest().get(2..).unwrap_or_default();
        let len = name.bytes().position(|b| !b.is_ascii_alphabetic()).unwrap_or(name.len());
        len >= 2 && vocabulary::is_command(&name[..len])
    }

    fn command(&mut self, slashes: usize) -> Outcome<()> {
        let run = &self.src[self.pos + slashes..];
        let len = run.bytes().position(|b| !b.is_ascii_alphabetic()).unwrap_or(run.len());
        let (name, len) = vocabulary::split_command(&run[..len]);
        let total = slashes + len;
        match name {
            "begin" | "end" => self.environment(name, total),
            "frac" | "dfrac" | "tfrac" | "cfrac" => {
                self.push(Kind::Command("frac"), total);
                self.single_digits = 2;
            }
            _ if vocabulary::is_invisible(name) => self.invisible(name, total),
            "operatorname" if self.operator(total) => {}
            _ if vocabulary::is_text(name) => return self.text(total),
            _ => self.push(Kind::Command(name), total),
        }
        Ok(())
    }

    fn invisible(&mut self, name: &str, total: usize) {
        self.skip(total);
        if matches!(name, "left" | "right") && self.byte(0) == b'.' {
            self.skip(1);
        }
        if matches!(
            name,
            "hspace" | "vspace" | "phantom" | "hphantom" | "vphantom" | "label" | "tag"
        ) {
            self.pos += group_len(self.rest());
        }
    }

    /// `\operatorname{arcsin}`: the name of a function, not a text. False for other names.
    fn operator(&mut self, total: usize) -> bool {
        let group = &self.src[self.pos + total..];
        let len = group_len(group);
        let inner = group[..len].trim_matches(['{', '}', ' ', '*']);
        let known = vocabulary::function(inner).is_some();
        if known {
            self.push(Kind::Command(inner), total + len);
        }
        known
    }

    fn environment(&mut self, name: &'a str, total: usize) {
        if name == "begin" {
            self.environments += 1;
        } else {
            self.environments = self.environments.saturating_sub(1);
        }
        let group = &self.src[self.pos + total..];
        let len = group_len(group);
        let inner = group[..len].trim_matches(['{', '}', ' ', '*']);
        if matches!(inner, "array" | "tabular") && name == "begin" {
            let columns = group_len(&group[len..]);
            self.push(Kind::Command("begin"), total);
            self.push(Kind::Text(inner), len + columns);
        } else {
            self.push(Kind::Command(name), total);
            self.push(Kind::Text(inner), len);
        }
    }

    fn text(&mut self, total: usize) -> Outcome<()> {
        self.spaced = true;
        self.pos += total;
        while self.byte(0) == b' ' {
            self.pos += 1;
        }
        let len = group_len(self.rest());
        let raw = &self.rest()[..len];
        let inner = raw.strip_prefix('{').unwrap_or(raw);
        let inner = inner.strip_suffix('}').unwrap_or(inner);
        let content = inner.trim_matches([' ', '~', '\n', '\t']);
        let opens = usize::from(raw.starts_with('{'));
        let mathematical =
            content.bytes().any(|b| b.is_ascii_digit() || matches!(b, b'\\' | b'{' | b'='));
        if mathematical || content.len() < 2 || vocabulary::is_word(content) {
            let end = self.pos + opens + inner.len();
            self.pos += opens;
            self.text_as_formula(content, end)?;
        } else {
            self.push(Kind::Text(content), len);
        }
        Ok(())
    }

    /// A text that holds numbers or a single letter is read like a formula, up to `end`.
    fn text_as_formula(&mut self, content: &'a str, end: usize) -> Outcome<()> {
        self.meter.step(4)?;
        let from = self.tokens.len();
        if content.len() == 1 && content.as_bytes()[0].is_ascii_alphabetic() {
            // A letter in upright type is a unit after a number and a name elsewhere.
            let after_number = self.last_is_number();
            let letter = content.as_bytes()[0];
            if after_number && !matches!(letter, b'e' | b'i' | b'd') {
                self.tokens.push(Token {
                    kind: Kind::Text(content),
                    start: self.pos,
                    spaced: true,
                });
            } else {
                let kind = Kind::Letter(char::from(letter));
                self.tokens.push(Token { kind, start: self.pos, spaced: true });
            }
        } else {
            self.nested(end)?;
        }
        self.pos = end;
        if self.byte(0) == b'}' {
            self.pos += 1;
        }
        if let Some(first) = self.tokens.get_mut(from) {
            first.spaced = true;
        }
        self.spaced = true;
        Ok(())
    }

    fn nested(&mut self, end: usize) -> Outcome<()> {
        // One level is enough for real texts, and bounds the recursion.
        let inner = lex_within(self.src, self.pos, end, self.notation, self.meter)?;
        self.tokens.extend(inner);
        Ok(())
    }

    fn unicode(&mut self) {
        let Some(c) = self.rest().chars().next() else { return };
        let len = c.len_utf8();
        match vocabulary::symbol(c) {
            Some("") => self.skip(len),
            Some(name) => match name {
                "-" | "*" | "/" | ":" | "," | "'" | "(" | ")" | "|" | "%" | "=" | "+" => {
                    self.push(Kind::Mark(name.as_bytes()[0]), len);
                }
                _ => self.push(Kind::Command(name), len),
            },
            None if c.is_whitespace() || c.is_control() => self.skip(len),
            None => self.push(Kind::Letter(c), len),
        }
    }

    // ---- numbers

    fn number(&mut self) -> Outcome<()> {
        if self.single_digits > 0 && self.byte(0).is_ascii_digit() {
            self.single_digits -= 1;
            let digit = i64::from(self.byte(0) - b'0');
            let digits = self.rest().get(..1);
            self.push(Kind::Number { value: Rational::int(digit), decimal: false, digits }, 1);
            return Ok(());
        }
        let text = self.rest();
        let commas = self.notation.group_commas && self.brackets == 0;
        let scan = scan_number(text, Notation { group_commas: commas, ..self.notation });
        self.ambiguous_comma |= scan.ambiguous;
        let value = scan.value(text, self.meter)?;
        let digits = scan.plain.then(|| &text[..scan.len]);
        self.push(
            Kind::Number { value, decimal: scan.fraction > 0 || scan.exponent != 0, digits },
            scan.len,
        );
        if scan.repeating.is_some() || scan.exponent > 0 {
            // A repeating decimal and a positive power of ten are exact.
            if let Some(Token { kind: Kind::Number { value, decimal, .. }, .. }) =
                self.tokens.last_mut()
            {
                *decimal = scan.repeating.is_none() && !value.is_integer();
            }
        }
        Ok(())
    }
}

fn lex_within<'a>(
    src: &'a str,
    pos: usize,
    end: usize,
    notation: Notation,
    meter: &Meter,
) -> Outcome<Vec<Token<'a>>> {
    if meter.depth == 0 {
        return Err(Stop::Budget("depth"));
    }
    let content = &src[pos..end];
    // Texts inside texts lose their command here: what remains has no command that starts another level.
    if content.contains("\\text") || content.contains("\\mathrm") || content.contains("\\mbox") {
        return Ok(vec![Token { kind: Kind::Text(content), start: pos, spaced: true }]);
    }
    let mut inner = lex(content, notation, meter)?.tokens;
    for token in &mut inner {
        token.start += pos;
    }
    Ok(inner)
}

/// The length of the braced group at the start of `text` with its braces; 0 without one. An unclosed group
/// reaches to the end.
pub(crate) fn group_len(text: &str) -> usize {
    if !text.starts_with('{') {
        return 0;
    }
    let (mut depth, mut escaped) = (0usize, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

fn is_meridiem(run: &str) -> bool {
    let bytes = run.as_bytes();
    bytes.len() >= 3 && bytes[1] == b'.' && bytes[2].eq_ignore_ascii_case(&b'm')
}

/// Whether a token is a word of the given kind.
pub(crate) fn is_word(kind: &Kind<'_>, wanted: WordKind) -> bool {
    match kind {
        Kind::Word(w) | Kind::Text(w) => vocabulary::word_kind(w) == Some(wanted),
        Kind::Command(c) => {
            wanted == WordKind::And && matches!(*c, "land" | "wedge")
                || wanted == WordKind::Or && matches!(*c, "lor" | "vee")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Budget;

    fn kinds(src: &str) -> Vec<String> {
        let meter = Meter::new(&Budget::default());
        let lexed = lex(src, Notation::ALL, &meter).unwrap();
        lexed
            .tokens
            .iter()
            .map(|t| match &t.kind {
                Kind::Number { value, .. } => match value {
                    Rational::Small(n, 1) => format!("{n}"),
                    Rational::Small(n, d) => format!("{n}/{d}"),
                    Rational::Big(b) => b.to_string(),
                },
                Kind::Letter(c) => c.to_string(),
                Kind::Word(w) => format!("w:{w}"),
                Kind::Text(t) => format!("t:{t}"),
                Kind::Command(c) => format!("\\{c}"),
                Kind::Mark(b) => char::from(*b).to_string(),
                Kind::SetOpen => "\\{".into(),
                Kind::SetClose => "\\}".into(),
                Kind::RowEnd => "\\\\".into(),
            })
            .collect()
    }

    fn check(src: &str, expected: &str) {
        assert_eq!(kinds(src).join(" "), expected, "{src}");
    }

    #[test]
    fn numbers_of_several_locales() {
        check("7,425,000", "7425000");
        check("1 000", "1000");
        check("12,\\!000,\\!003", "12000003");
        check("11,\\! 111,\\! 111,\\! 100", "11111111100");
        check("14{,}916", "14916");
        check("1.000.000", "1000000");
        check("1.000,50", "2001/2");
        check("1'000", "1000");
        check("32, 349", "32 , 349");
        check("(1,234)", "( 1 , 234 )");
        check("1,22", "1 , 22");
        check(".5", "1/2");
        check("1.20", "6/5");
    }

    #[test]
    fn exponents_and_repeating_decimals() {
        check("1e5", "100000");
        check("1.5e-3", "3/2000");
        check("0.\\overline{3}", "1/3");
        check("0.1(6)", "1/6");
        check("2e", "2 e");
        check("2ex", "2 e x");
    }

    #[test]
    fn markup_disappears() {
        check("\\left( \\frac13 \\right)", "( \\frac 1 3 )");
        check("\\text{4:30 p.m.}", "4 : 30 w:pm");
        check("5\\,\\mathrm{km/h}", "5 t:km/h");
        check("\\\\frac{1}{2}", "\\frac { 1 } { 2 }");
        check("x−1", "x - 1");
        check("$x$", "x");
    }

    #[test]
    fn words_and_letters() {
        check("sinx", "w:sin x");
        check("2pi", "2 w:pi");
        check("1orx", "1 w:or x");
        check("ABC", "A B C");
    }
}
