//! From tokens to a tree. A recursive descent with a depth limit and error recovery: unclosed groups close at the
//! end, stray closers are skipped.
//!
//! Precedence, loosest first: lists (`,` `;` "and" "or"), relations, ratios (`:`), set operations, sums, products
//! (also by juxtaposition), signs, powers, postfix marks.

mod brackets;
mod build;
mod commands;
mod functions;
mod measures;
mod primary;

use super::ast::{Expr, Func, NamedSet, Rel, SetOp};
use super::lexer::{self, Kind, Notation, Token};
use super::meter::{Meter, Stop};
use super::vocabulary::{self, WordKind};
use build::{factorial, join, multiply, negate, percent};
use measures::{is_unit_token, push_word};

/// Why a text is not a formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Budget(&'static str),
    Syntax,
}

impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Budget(what) => Self::Budget(what),
            Stop::Undefined => Self::Syntax,
        }
    }
}

pub(crate) type Parsed = Result<Expr, Fault>;

/// A tree, and whether a comma in it was read as a separator of thousands.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) expr: Expr,
    pub(crate) ambiguous_comma: bool,
}

/// Reads `src`.
pub(crate) fn parse(src: &str, notation: Notation, meter: &Meter) -> Result<Reading, Fault> {
    let lexed = lexer::lex(src, notation, meter)?;
    let mut parser = Parser {
        tokens: &lexed.tokens,
        pos: 0,
        depth: 0,
        bars: 0,
        reversed: false,
        notation,
        meter,
    };
    let expr = parser.whole()?;
    Ok(Reading { expr, ambiguous_comma: lexed.ambiguous_comma })
}

struct Parser<'t, 'a> {
    tokens: &'t [Token<'a>],
    pos: usize,
    depth: usize,
    /// Open absolute-value bars: a bar closes the innermost one.
    bars: usize,
    /// Inside `]a, b[`, where `[` closes.
    reversed: bool,
    notation: Notation,
    meter: &'t Meter,
}

impl<'t, 'a> Parser<'t, 'a> {
    // ---- tokens

    fn peek(&self) -> Option<&'t Kind<'a>> {
        self.tokens.get(self.pos).map(|t| &t.kind)
    }

    fn peek_at(&self, ahead: usize) -> Option<&'t Kind<'a>> {
        self.tokens.get(self.pos + ahead).map(|t| &t.kind)
    }

    fn spaced(&self) -> bool {
        self.tokens.get(self.pos).is_some_and(|t| t.spaced)
    }

    fn is_mark(&self, mark: u8) -> bool {
        self.peek() == Some(&Kind::Mark(mark))
    }

    fn eat_mark(&mut self, mark: u8) -> bool {
        let found = self.is_mark(mark);
        self.pos += usize::from(found);
        found
    }

    fn is_command(&self, name: &str) -> bool {
        matches!(self.peek(), Some(Kind::Command(c)) if *c == name)
    }

    fn eat_command(&mut self, name: &str) -> bool {
        let found = self.is_command(name);
        self.pos += usize::from(found);
        found
    }

    /// Runs `f` one level deeper.
    fn nested<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth >= self.meter.depth.min(96) {
            return Err(Fault::Budget("depth"));
        }
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }

    // ---- the whole answer

    fn whole(&mut self) -> Parsed {
        let mut expr = self.list()?;
        while self.pos < self.tokens.len() {
            // A closer without its opener, or a mark that ends a sentence.
            let stray = matches!(
                self.peek(),
                Some(
                    Kind::Mark(b')' | b']' | b'}' | b'.' | b'?' | b'!' | b'|' | b'&' | b':' | b'=')
                        | Kind::SetClose
                )
            );
            if !stray {
                return Err(Fault::Syntax);
            }
            self.pos += 1;
            if self.pos < self.tokens.len() && self.starts_factor() {
                let more = self.list()?;
                expr = join(expr, more)?;
            }
        }
        Ok(expr)
    }

    /// Members separated by commas, semicolons or connectives.
    fn list(&mut self) -> Parsed {
        let mut items = Vec::new();
        let mut disjunction = false;
        loop {
            disjunction |= self.separators() == Some(WordKind::Or);
            if !self.starts_relation() {
                break;
            }
            items.push(self.relation()?);
            if !self.at_separator() {
                break;
            }
        }
        match items.len() {
            0 => Err(Fault::Syntax),
            1 => items.pop().ok_or(Fault::Syntax),
            _ if disjunction && items.iter().all(is_inequality) => {
                Ok(Expr::SetOp(SetOp::Union, items))
            }
            _ => Ok(Expr::List(items)),
        }
    }

    fn at_separator(&self) -> bool {
        self.peek().is_some_and(|kind| separator(kind).is_some())
    }

    /// Skips separators; `Or` when one of them was an "or".
    fn separators(&mut self) -> Option<WordKind> {
        let mut found = None;
        while let Some(kind) = self.peek().and_then(separator) {
            self.pos += 1;
            if found != Some(WordKind::Or) {
                found = Some(kind);
            }
        }
        found
    }

    fn starts_relation(&self) -> bool {
        self.starts_factor()
            || matches!(self.peek(), Some(Kind::Mark(b'+' | b'-' | b'<' | b'>' | b'=')))
            || matches!(self.peek(), Some(Kind::Command(c)) if matches!(*c, "pm" | "mp") || vocabulary::relation(c).is_some())
    }

    // ---- relations

    fn relation(&mut self) -> Parsed {
        if let Some(rel) = self.eat_relation() {
            // `= 5`, `\approx 3`, `> 2`: the subject is understood.
            let value = self.ratio()?;
            return Ok(match rel {
                Rel::Eq | Rel::Approx => value,
                _ => Expr::Relation(Box::new(Expr::sym("_")), vec![(rel, value)]),
            });
        }
        let first = self.ratio()?;
        let mut rest = Vec::new();
        while let Some(rel) = self.eat_relation() {
            if !self.starts_relation() {
                break;
            }
            rest.push((rel, self.ratio()?));
        }
        Ok(if rest.is_empty() { first } else { Expr::Relation(Box::new(first), rest) })
    }

    fn eat_relation(&mut self) -> Option<Rel> {
        let mut negated = false;
        loop {
            let rel = match self.peek()? {
                Kind::Mark(b'=') => Rel::Eq,
                Kind::Mark(b'<') => Rel::Lt,
                Kind::Mark(b'>') => Rel::Gt,
                Kind::Mark(b'&') if self.depth == 0 => {
                    self.pos += 1;
                    continue;
                }
                Kind::Command("not") => {
                    negated = true;
                    self.pos += 1;
                    continue;
                }
                Kind::Command(name) => vocabulary::relation(name)?,
                _ => return None,
            };
            self.pos += 1;
            return Some(match rel {
                Rel::Eq if negated => Rel::Ne,
                Rel::In if negated => Rel::NotIn,
                rel => rel,
            });
        }
    }

    /// `a : b : c`, also a time of day.
    fn ratio(&mut self) -> Parsed {
        let start = self.pos;
        let first = self.set_expression()?;
        if !(self.is_mark(b':') || self.is_command("colon")) {
            return Ok(self.meridiem(first));
        }
        let mut parts = vec![first];
        while (self.eat_mark(b':') || self.eat_command("colon")) && self.starts_factor() {
            parts.push(self.set_expression()?);
        }
        if parts.len() == 1 {
            return parts.pop().ok_or(Fault::Syntax);
        }
        let time = self.looks_like_time(start);
        Ok(self.meridiem(Expr::Ratio(parts, time)))
    }

    /// "am" or "pm" after a time.
    fn meridiem(&mut self, value: Expr) -> Expr {
        match self.peek() {
            Some(Kind::Word(word) | Kind::Text(word))
                if vocabulary::word_kind(word) == Some(WordKind::Meridiem) =>
            {
                self.pos += 1;
                Expr::Measure(Box::new(value), word.to_ascii_lowercase().into())
            }
            _ => value,
        }
    }

    /// The tokens since `start` are one or two digits, a colon and two digits below sixty.
    fn looks_like_time(&self, start: usize) -> bool {
        let digits = |at: usize| match self.tokens.get(at).map(|t| &t.kind) {
            Some(Kind::Number { digits: Some(d), .. }) => Some(*d),
            _ => None,
        };
        let minutes = |d: &str| d.len() == 2 && d < "60";
        digits(start).is_some_and(|d| d.len() <= 2) && digits(start + 2).is_some_and(minutes)
    }

    // ---- set operations and sums

    fn set_expression(&mut self) -> Parsed {
        let mut left = self.sum()?;
        loop {
            let op = match self.peek() {
                Some(Kind::Command("cup" | "bigcup")) => SetOp::Union,
                Some(Kind::Command("cap" | "bigcap")) => SetOp::Intersection,
                Some(Kind::Command("setminus" | "backslash")) => SetOp::Difference,
                Some(Kind::Letter('U')) if is_set(&left) => SetOp::Union,
                _ => return Ok(left),
            };
            self.pos += 1;
            let right = self.sum()?;
            left = match left {
                Expr::SetOp(same, mut parts) if same == op && op != SetOp::Difference => {
                    parts.push(right);
                    Expr::SetOp(op, parts)
                }
                other => Expr::SetOp(op, vec![other, right]),
            };
        }
    }

    fn sum(&mut self) -> Parsed {
        let mut terms = Vec::new();
        loop {
            let sign = self.signs();
            if !self.starts_factor() {
                break;
            }
            self.meter.node(1)?;
            let term = self.product()?;
            terms.push(match sign {
                Sign::None | Sign::Plus => term,
                Sign::Minus => negate(term),
                Sign::PlusMinus => Expr::PlusMinus(true, Box::new(term)),
                Sign::MinusPlus => Expr::PlusMinus(false, Box::new(term)),
            });
            if !self.at_sign() {
                break;
            }
        }
        match terms.len() {
            0 => Err(Fault::Syntax),
            1 => terms.pop().ok_or(Fault::Syntax),
            2 if is_set(&terms[0]) && matches!(&terms[1], Expr::Neg(x) if is_set(x)) => {
                let Some(Expr::Neg(removed)) = terms.pop() else { return Err(Fault::Syntax) };
                terms.push(*removed);
                Ok(Expr::SetOp(SetOp::Difference, terms))
            }
            _ => Ok(Expr::Sum(terms)),
        }
    }

    fn at_sign(&self) -> bool {
        matches!(self.peek(), Some(Kind::Mark(b'+' | b'-') | Kind::Command("pm" | "mp")))
    }

    /// A run of signs as one.
    fn signs(&mut self) -> Sign {
        let mut sign = Sign::None;
        loop {
            sign = match (self.peek(), sign) {
                (Some(Kind::Mark(b'+')), Sign::None) | (Some(Kind::Mark(b'-')), Sign::Minus) => {
                    Sign::Plus
                }
                (Some(Kind::Mark(b'-')), Sign::None | Sign::Plus) => Sign::Minus,
                (Some(Kind::Command("pm")), _) => Sign::PlusMinus,
                (Some(Kind::Command("mp")), _) => Sign::MinusPlus,
                (Some(Kind::Mark(b'+' | b'-')), s) => s,
                _ => return sign,
            };
            self.pos += 1;
        }
    }

    // ---- products and powers

    fn product(&mut self) -> Parsed {
        let mut value = self.factor()?;
        loop {
            self.meter.node(1)?;
            match self.peek() {
                Some(Kind::Mark(b'*') | Kind::Command("cdot" | "times" | "ast" | "bullet")) => {
                    self.pos += 1;
                    if self.starts_signed_factor() {
                        value = multiply(value, self.factor()?);
                    }
                }
                Some(Kind::Mark(b'/') | Kind::Command("div")) => {
                    self.pos += 1;
                    value = self.division(value)?;
                }
                Some(Kind::Command("mod" | "bmod" | "pmod")) => {
                    self.pos += 1;
                    let modulus = self.factor()?;
                    value = Expr::Call(Func::Mod, vec![value, modulus]);
                }
                Some(kind) if is_unit_token(kind) || self.is_short_unit() => {
                    value = self.unit(value);
                }
                Some(Kind::Command("$")) => {
                    self.pos += 1;
                    value = Expr::Measure(Box::new(value), "$".into());
                }
                Some(Kind::Mark(b'(')) if self.parenthesised_modulus() => {
                    self.pos += 2;
                    let modulus = self.factor()?;
                    self.eat_mark(b')');
                    value = Expr::Call(Func::Mod, vec![value, modulus]);
                }
                Some(Kind::Number { .. }) if ends_in_number(&value) && !self.fraction_follows() => {
                    // Two numbers side by side are no product.
                    return Err(Fault::Syntax);
                }
                _ if self.starts_factor() && !self.stops_product() => {
                    let next = self.factor()?;
                    value = multiply(value, next);
                }
                _ => return Ok(value),
            }
        }
    }

    fn division(&mut self, value: Expr) -> Parsed {
        if !self.starts_signed_factor() {
            return Ok(value);
        }
        // `1 1/2` is a mixed number: the product of an integer and a fraction of integers, separated by a space.
        let divisor = self.factor()?;
        if let Expr::Prod(parts) = &value
            && let [whole @ Expr::Num(a), Expr::Num(b)] = &parts[..]
            && let Expr::Num(d) = &divisor
            && a.is_integer()
            && *b < *d
        {
            let fraction = Expr::quot(Expr::Num(b.clone()), divisor.clone());
            return Ok(Expr::Sum(vec![whole.clone(), fraction]));
        }
        Ok(Expr::quot(value, divisor))
    }

    /// The number here begins the fraction of a mixed number: `1 1/2`.
    fn fraction_follows(&self) -> bool {
        self.peek_at(1) == Some(&Kind::Mark(b'/'))
            && matches!(self.peek_at(2), Some(Kind::Number { .. }))
    }

    fn parenthesised_modulus(&self) -> bool {
        matches!(self.peek_at(1), Some(Kind::Command("mod" | "bmod")))
    }

    /// A letter that joins sets rather than multiplies.
    fn stops_product(&self) -> bool {
        matches!(self.peek(), Some(Kind::Letter('U')))
            && matches!(self.peek_at(1), Some(Kind::Mark(b'(' | b'[') | Kind::SetOpen))
    }

    fn starts_signed_factor(&self) -> bool {
        self.starts_factor() || self.at_sign()
    }

    /// A power with an optional sign: `2 * -3`.
    fn factor(&mut self) -> Parsed {
        match self.signs() {
            Sign::None | Sign::Plus => self.power(),
            Sign::Minus => Ok(negate(self.power()?)),
            Sign::PlusMinus => Ok(Expr::PlusMinus(true, Box::new(self.power()?))),
            Sign::MinusPlus => Ok(Expr::PlusMinus(false, Box::new(self.power()?))),
        }
    }

    fn power(&mut self) -> Parsed {
        self.meter.node(1)?;
        let base = self.postfix()?;
        self.raised(base)
    }

    /// The exponent after `base`, if one follows, then the marks after it.
    fn raised(&mut self, base: Expr) -> Parsed {
        if let Some(Kind::Command(name @ ("^1" | "^2" | "^3"))) = self.peek() {
            self.pos += 1;
            let exponent = i64::from(name.as_bytes()[1] - b'0');
            return Ok(Expr::pow(base, Expr::int(exponent)));
        }
        if !self.eat_mark(b'^') {
            return Ok(base);
        }
        if let Some(marked) = self.superscript_mark(&base) {
            return self.raised(marked);
        }
        let exponent = self.nested(|p| {
            let value = match p.signs() {
                Sign::Minus => negate(p.script()?),
                _ => p.script()?,
            };
            // `x^y^z` is `x^(y^z)`.
            p.raised(value)
        })?;
        let power = Expr::pow(base, exponent);
        self.postfix_marks(power)
    }

    /// `^\circ`, `^{\circ}`, `^\prime`: marks, not exponents.
    fn superscript_mark(&mut self, base: &Expr) -> Option<Expr> {
        let braced = usize::from(self.is_mark(b'{'));
        let Some(Kind::Command(name)) = self.peek_at(braced) else { return None };
        let mut marks = 1;
        while braced == 1 && self.peek_at(braced + marks) == Some(&Kind::Command("prime")) {
            marks += 1;
        }
        let closed = braced == 0 || self.peek_at(1 + marks) == Some(&Kind::Mark(b'}'));
        let marked = match *name {
            "circ" | "degree" if closed => Expr::Measure(Box::new(base.clone()), "deg".into()),
            "prime" if closed => base.clone(),
            _ => return None,
        };
        self.pos += marks + 2 * braced;
        Some(marked)
    }

    fn postfix(&mut self) -> Parsed {
        let value = self.primary()?;
        self.postfix_marks(value)
    }

    fn postfix_marks(&mut self, mut value: Expr) -> Parsed {
        loop {
            match self.peek() {
                Some(Kind::Mark(b'!')) => {
                    self.pos += 1;
                    self.meter.node(1)?;
                    value = factorial(value)?;
                }
                Some(Kind::Mark(b'%')) => {
                    self.pos += 1;
                    value = percent(value);
                }
                Some(Kind::Command("degree")) => {
                    self.pos += 1;
                    value = Expr::Measure(Box::new(value), "deg".into());
                }
                Some(Kind::Mark(b'\'')) => {
                    self.pos += 1;
                }
                Some(kind) if lexer::is_word(kind, WordKind::Percent) => {
                    self.pos += 1;
                    value = percent(value);
                }
                _ => return Ok(value),
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    None,
    Plus,
    Minus,
    PlusMinus,
    MinusPlus,
}

fn ends_in_number(value: &Expr) -> bool {
    let last = match value {
        Expr::Prod(parts) => parts.last().unwrap_or(value),
        other => other,
    };
    matches!(last, Expr::Num(_) | Expr::Dec(_))
}

fn separator(kind: &Kind<'_>) -> Option<WordKind> {
    match kind {
        Kind::Mark(b',' | b';') | Kind::RowEnd | Kind::Command("&" | "semicolon") => {
            Some(WordKind::And)
        }
        kind if lexer::is_word(kind, WordKind::Or) => Some(WordKind::Or),
        kind if lexer::is_word(kind, WordKind::And) => Some(WordKind::And),
        _ => None,
    }
}

fn is_inequality(expr: &Expr) -> bool {
    matches!(expr, Expr::Relation(_, rest) if rest.iter().all(|(rel, _)| rel.is_order() || *rel == Rel::Ne))
}

/// Whether the expression is written as a set.
fn is_set(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Set(_)
            | Expr::Interval(..)
            | Expr::SetOp(..)
            | Expr::Builder(_)
            | Expr::Named(
                NamedSet::Reals
                    | NamedSet::Integers
                    | NamedSet::Naturals
                    | NamedSet::Rationals
                    | NamedSet::Complexes
                    | NamedSet::Empty
            )
    ) || matches!(expr, Expr::Tuple(parts) if parts.len() == 2)
}

#[cfg(test)]
mod tests;
