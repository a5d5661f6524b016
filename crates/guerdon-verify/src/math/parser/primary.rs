//! The smallest parts: numbers, symbols, groups.

use super::super::ast::{Const, Expr, Func};
use super::super::lexer::Kind;
use super::super::number::Rational;
use super::super::vocabulary::{self, WordKind};
use super::{Fault, Parsed, Parser, separator};

/// Letters that name functions when a parenthesis follows directly.
const FUNCTION_LETTERS: &str = "fghFGHPQWTp";

impl<'a> Parser<'_, 'a> {
    /// Whether the next token can begin a factor.
    pub(super) fn starts_factor(&self) -> bool {
        let Some(kind) = self.peek() else { return false };
        match kind {
            Kind::Number { .. } | Kind::Letter(_) | Kind::SetOpen | Kind::Mark(b'(' | b'{') => true,
            Kind::Word(w) | Kind::Text(w) => {
                separator(kind).is_none() && vocabulary::word_kind(w) != Some(WordKind::Meridiem)
            }
            Kind::Mark(b'[') => !self.reversed,
            Kind::Mark(b'|') => self.bars == 0,
            Kind::Mark(b']') => self.reversed_interval(),
            Kind::Command(name) => !self.ends_factor(name) && separator(kind).is_none(),
            Kind::Mark(_) | Kind::SetClose | Kind::RowEnd => false,
        }
    }

    fn ends_factor(&self, name: &str) -> bool {
        vocabulary::relation(name).is_some()
            || matches!(
                name,
                "cdot"
                    | "times"
                    | "div"
                    | "ast"
                    | "bullet"
                    | "pm"
                    | "mp"
                    | "cup"
                    | "cap"
                    | "bigcup"
                    | "bigcap"
                    | "setminus"
                    | "backslash"
                    | "rfloor"
                    | "rceil"
                    | "rvert"
                    | "rVert"
                    | "rangle"
                    | "rbrace"
                    | "end"
                    | "mid"
                    | "choose"
                    | "over"
                    | "mod"
                    | "bmod"
                    | "pmod"
                    | "colon"
                    | "degree"
                    | "^1"
                    | "^2"
                    | "^3"
                    | "not"
                    | "circ"
                    | "prime"
                    | "atop"
            )
            || (matches!(name, "vert" | "Vert") && self.bars > 0)
    }

    /// `]1,2[` at the start of a value.
    fn reversed_interval(&self) -> bool {
        let opens = self.pos == 0
            || matches!(
                self.tokens.get(self.pos - 1).map(|t| &t.kind),
                Some(Kind::Command(_) | Kind::Mark(b'=' | b'{'))
            );
        let rest = &self.tokens[self.pos + 1..];
        let comma = rest.iter().take(24).position(|t| matches!(t.kind, Kind::Mark(b',' | b';')));
        opens
            && comma.is_some_and(|at| {
                rest[at..].iter().take(24).any(|t| matches!(t.kind, Kind::Mark(b'[' | b']')))
            })
    }

    pub(super) fn primary(&mut self) -> Parsed {
        let kind = self.peek().ok_or(Fault::Syntax)?;
        match kind {
            Kind::Number { value, decimal, .. } => self.number(value, *decimal),
            Kind::Letter(c) => self.letter(*c),
            Kind::Word(w) => self.word(w),
            Kind::Text(t) => self.text(t),
            Kind::SetOpen => self.nested(Self::set),
            Kind::Mark(b'(') => self.nested(|p| p.parenthesis(true)),
            Kind::Mark(b'[') => self.nested(|p| p.parenthesis(false)),
            Kind::Mark(b']') => self.nested(|p| p.parenthesis(true)),
            Kind::Mark(b'{') => self.nested(Self::group),
            Kind::Mark(b'|') => {
                self.pos += 1;
                self.nested(Self::absolute)
            }
            Kind::Command(name) => self.nested(|p| p.command(name)),
            Kind::Mark(_) | Kind::SetClose | Kind::RowEnd => Err(Fault::Syntax),
        }
    }

    /// One argument of a command or a script: a group, or a single token.
    pub(super) fn script(&mut self) -> Parsed {
        self.meter.node(1)?;
        match self.peek().ok_or(Fault::Syntax)? {
            Kind::Letter(c) => {
                self.pos += 1;
                Ok(letter_value(*c))
            }
            Kind::Number { value, decimal, .. } => {
                self.pos += 1;
                Ok(literal(value, *decimal))
            }
            Kind::Word(w) if vocabulary::word_kind(w) != Some(WordKind::Function) => {
                self.pos += 1;
                Ok(constant(w).unwrap_or_else(|| Expr::sym(w)))
            }
            Kind::Mark(b'*') => {
                self.pos += 1;
                Ok(Expr::sym("*"))
            }
            _ => self.primary(),
        }
    }

    fn number(&mut self, value: &Rational, decimal: bool) -> Parsed {
        let digits = match self.peek() {
            Some(Kind::Number { digits, .. }) => *digits,
            _ => None,
        };
        self.pos += 1;
        if let Some(digits) = digits {
            if let Some(based) = self.base(digits)? {
                return Ok(if self.notation.extended { based } else { literal(value, decimal) });
            }
            if self.ordinal_suffix() {
                self.pos += 2;
            }
            if let Some(mixed) = self.mixed(value)? {
                return Ok(mixed);
            }
        }
        Ok(literal(value, decimal))
    }

    /// `1st`, `2nd`, `3rd`, `4th`.
    fn ordinal_suffix(&self) -> bool {
        let pair = (self.peek(), self.peek_at(1));
        let (Some(Kind::Letter(a)), Some(Kind::Letter(b))) = pair else { return false };
        let glued = !self.spaced() && !self.tokens[self.pos + 1].spaced;
        let more =
            matches!(self.peek_at(2), Some(Kind::Letter(_)) if !self.tokens[self.pos + 2].spaced);
        glued && !more && ["st", "nd", "rd", "th"].contains(&&*format!("{a}{b}"))
    }

    /// `204_5`, `1101_{2}`, `31_{\text{four}}`.
    fn base(&mut self, digits: &str) -> Result<Option<Expr>, Fault> {
        if !self.is_mark(b'_') {
            return Ok(None);
        }
        self.pos += 1;
        let script = self.nested(Self::script)?;
        let base = match &script {
            Expr::Num(q) => q.to_i64().and_then(|n| u32::try_from(n).ok()),
            Expr::Text(word) => super::super::words::small_number(word),
            _ => None,
        };
        let Some(base) = base.filter(|b| (2..=36).contains(b)) else { return Err(Fault::Syntax) };
        let mut value = Rational::ZERO;
        self.meter.bits(digits.len() as u64 * 6)?;
        for digit in digits.chars() {
            let digit = digit.to_digit(base).ok_or(Fault::Syntax)?;
            let shifted = value.mul(&Rational::int(i64::from(base)), self.meter)?;
            value = shifted.add(&Rational::int(i64::from(digit)), self.meter)?;
        }
        Ok(Some(Expr::Based(value, base)))
    }

    /// `1\frac{1}{2}`: an integer and a fraction of integers directly after it.
    fn mixed(&mut self, whole: &Rational) -> Result<Option<Expr>, Fault> {
        if !self.is_command("frac") {
            return Ok(None);
        }
        let back = self.pos;
        self.pos += 1;
        let parts = (self.nested(Self::script)?, self.nested(Self::script)?);
        if let (Expr::Num(n), Expr::Num(d)) = &parts
            && n.is_integer()
            && d.is_integer()
            && !n.is_negative()
            && !d.is_negative()
        {
            let fraction = Expr::quot(parts.0, parts.1);
            return Ok(Some(Expr::Sum(vec![Expr::Num(whole.clone()), fraction])));
        }
        self.pos = back;
        Ok(None)
    }

    fn letter(&mut self, c: char) -> Parsed {
        self.pos += 1;
        self.symbol(c.to_string())
    }

    /// A symbol with its subscripts and primes, applied when it names a function.
    pub(super) fn symbol(&mut self, mut name: String) -> Parsed {
        let primes = self.pos;
        while self.eat_mark(b'\'') {
            name.push('\'');
        }
        if self.is_mark(b'_') {
            self.pos += 1;
            let from = self.pos;
            self.skip_script();
            name.push('_');
            self.name_of(from, &mut name);
        }
        while self.eat_mark(b'\'') {
            name.push('\'');
        }
        let primed = self.pos > primes;
        if self.applies(&name, primed) {
            return self.nested(|p| {
                let args = p.arguments()?;
                Ok(Expr::App(name.into(), args))
            });
        }
        if name.chars().count() == 1 {
            return Ok(letter_value(name.chars().next().ok_or(Fault::Syntax)?));
        }
        Ok(Expr::Sym(name.into()))
    }

    /// Skips a subscript, which is part of a name: a braced group or one token.
    fn skip_script(&mut self) {
        let mut depth = 0usize;
        while let Some(kind) = self.peek() {
            match kind {
                Kind::Mark(b'{') => depth += 1,
                Kind::Mark(b'}') => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.pos += 1;
            if depth == 0 {
                return;
            }
        }
    }

    /// Whether the parenthesis after the name holds arguments and not a factor.
    fn applies(&self, name: &str, primed: bool) -> bool {
        if !self.is_mark(b'(') || self.spaced() {
            return false;
        }
        if name.contains('\'') || (primed && name.starts_with(|c| FUNCTION_LETTERS.contains(c))) {
            return true;
        }
        let mut letters = name.chars();
        let single = letters.next().filter(|_| letters.next().is_none());
        single.is_some_and(|c| FUNCTION_LETTERS.contains(c)) || (single.is_some() && self.defines())
    }

    /// `u(x) = ...`: a single symbol in the parenthesis and a sign of equality behind it.
    fn defines(&self) -> bool {
        matches!(self.peek_at(1), Some(Kind::Letter(_)))
            && self.peek_at(2) == Some(&Kind::Mark(b')'))
            && self.peek_at(3) == Some(&Kind::Mark(b'='))
    }

    /// Appends the tokens since `from` to a name, without braces and spaces.
    fn name_of(&self, from: usize, name: &mut String) {
        for token in &self.tokens[from..self.pos] {
            match &token.kind {
                Kind::Letter(c) => name.push(*c),
                Kind::Word(w) | Kind::Text(w) => name.push_str(w),
                Kind::Number { value: Rational::Small(n, 1), .. } => name.push_str(&n.to_string()),
                Kind::Number { value, .. } => name.extend([format!("{value:?}")]),
                Kind::Mark(mark) if !matches!(mark, b'{' | b'}') => name.push(char::from(*mark)),
                Kind::Command(c) => match vocabulary::greek(c) {
                    Some(letter) => name.push(letter),
                    None => name.push_str(c),
                },
                Kind::Mark(_) | Kind::SetOpen | Kind::SetClose | Kind::RowEnd => {}
            }
        }
    }

    fn word(&mut self, word: &'a str) -> Parsed {
        if let Some(value) = constant(word) {
            self.pos += 1;
            return Ok(value);
        }
        match word {
            "sqrt" => return self.nested(|p| p.root(2)),
            "cbrt" => return self.nested(|p| p.root(3)),
            _ => {}
        }
        if let Some(function) = vocabulary::function(word) {
            return self.nested(|p| p.function(function));
        }
        self.words()
    }

    fn text(&mut self, text: &'a str) -> Parsed {
        if let Some(function) = vocabulary::function(text) {
            return self.nested(|p| p.function(function));
        }
        if let Some(value) = constant(text) {
            self.pos += 1;
            return Ok(value);
        }
        if self.peek_at(1) == Some(&Kind::Mark(b'_')) {
            self.pos += 1;
            return self.symbol(text.to_owned());
        }
        self.words()
    }

    /// A run of words that no value precedes.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "one of the ways to read a value, which all have one type"
    )]
    fn words(&mut self) -> Parsed {
        let mut text = String::new();
        while let Some(kind @ (Kind::Word(w) | Kind::Text(w))) = self.peek() {
            if separator(kind).is_some() {
                break;
            }
            super::push_word(&mut text, w);
            self.pos += 1;
        }
        Ok(Expr::Text(text.into()))
    }
}

pub(super) fn literal(value: &Rational, decimal: bool) -> Expr {
    if decimal { Expr::Dec(value.clone()) } else { Expr::Num(value.clone()) }
}

/// `e` and `i` are constants, every other letter a symbol.
pub(super) fn letter_value(c: char) -> Expr {
    match c {
        'e' => Expr::Const(Const::E),
        'i' => Expr::Const(Const::I),
        'π' => Expr::Const(Const::Pi),
        c => Expr::Sym(c.to_string().into()),
    }
}

fn constant(word: &str) -> Option<Expr> {
    match word {
        "pi" | "Pi" | "PI" => Some(Expr::Const(Const::Pi)),
        "infinity" | "inf" | "infty" | "oo" | "Infinity" => Some(Expr::Const(Const::Infinity)),
        "DNE" => Some(Expr::Text("dne".into())),
        _ => None,
    }
}

/// A call of one argument.
pub(super) fn call(function: Func, argument: Expr) -> Expr {
    Expr::Call(function, vec![argument])
}
