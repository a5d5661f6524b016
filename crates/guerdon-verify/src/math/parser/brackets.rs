//! Groups, tuples, intervals, sets, absolute values.

use super::super::ast::{Const, Expr, Func, NamedSet};
use super::super::lexer::Kind;
use super::primary::call;
use super::{Fault, Parsed, Parser};

impl Parser<'_, '_> {
    /// `(...)`, `[...]`, `(...]`, `]...[`. `round`: the left end is open.
    pub(super) fn parenthesis(&mut self, round: bool) -> Parsed {
        let reversed = self.is_mark(b']');
        self.pos += 1;
        let outer =
            (std::mem::take(&mut self.bars), std::mem::replace(&mut self.reversed, reversed));
        let result = self.bracketed(round, reversed);
        (self.bars, self.reversed) = outer;
        result
    }

    fn bracketed(&mut self, round: bool, reversed: bool) -> Parsed {
        if self.is_mark(b')') || self.is_mark(b']') {
            self.pos += 1;
            return Ok(Expr::Tuple(Vec::new()));
        }
        let inner = self.list()?;
        let close = self.closing_bracket();
        let closed_right = close == Some(b']');
        let closed_left = !round && !reversed;
        Ok(match inner {
            Expr::List(parts) if parts.len() == 2 && (closed_left || closed_right || reversed) => {
                let ends: [Expr; 2] = parts.try_into().map_err(|_| Fault::Syntax)?;
                let [lo, hi] = ends;
                Expr::Interval(Box::new((lo, hi)), closed_left, closed_right)
            }
            Expr::List(parts) => Expr::Tuple(parts),
            // `\binom` written as a column in parentheses, or a group around one value.
            other => other,
        })
    }

    /// Consumes the closing bracket; a missing one closes at the end.
    fn closing_bracket(&mut self) -> Option<u8> {
        match self.peek() {
            Some(Kind::Mark(mark @ (b')' | b']' | b'['))) => {
                self.pos += 1;
                Some(*mark)
            }
            _ => None,
        }
    }

    /// `{...}`: invisible in LaTeX, also `{n \choose k}` and `{a \over b}`.
    pub(super) fn group(&mut self) -> Parsed {
        self.pos += 1;
        let bars = std::mem::take(&mut self.bars);
        let result = self.grouped();
        self.bars = bars;
        result
    }

    fn grouped(&mut self) -> Parsed {
        if self.eat_mark(b'}') {
            // An empty group is nothing; `{}^2` and the like keep their neighbours.
            return if self.starts_factor() { self.power() } else { Err(Fault::Syntax) };
        }
        let left = self.list()?;
        let infix = match self.peek() {
            Some(Kind::Command("choose")) => Some(Func::Binomial),
            Some(Kind::Command("over")) => None,
            _ => {
                self.close_group();
                return self.subscripted(left);
            }
        };
        self.pos += 1;
        let right = self.list()?;
        self.close_group();
        Ok(match infix {
            Some(function) => Expr::Call(function, vec![left, right]),
            None => Expr::quot(left, right),
        })
    }

    /// `{u}_1`, `\mathbf{e}_r`: a name in a group with its subscript.
    fn subscripted(&mut self, value: Expr) -> Parsed {
        if !self.is_mark(b'_') {
            return Ok(value);
        }
        match value {
            Expr::Sym(name) => self.symbol(name.into()),
            Expr::Const(Const::E) => self.symbol("e".into()),
            Expr::Const(Const::I) => self.symbol("i".into()),
            other => Ok(other),
        }
    }

    fn close_group(&mut self) {
        // Stray marks before the brace of a group end with it.
        while matches!(self.peek(), Some(Kind::Mark(b'.')))
            && self.peek_at(1) == Some(&Kind::Mark(b'}'))
        {
            self.pos += 1;
        }
        self.eat_mark(b'}');
    }

    /// `\{...\}`: a list of members, or `\{x | condition\}`.
    pub(super) fn set(&mut self) -> Parsed {
        self.pos += 1;
        let bars = std::mem::replace(&mut self.bars, 1);
        let result = self.set_body();
        self.bars = bars;
        result
    }

    fn set_body(&mut self) -> Parsed {
        if self.peek() == Some(&Kind::SetClose) {
            self.pos += 1;
            return Ok(Expr::Named(NamedSet::Empty));
        }
        let first = self.set_members()?;
        let mut members = match first {
            Expr::List(members) => members,
            one => vec![one],
        };
        if self.is_mark(b'|')
            || self.is_command("mid")
            || self.is_command("vert")
            || self.is_mark(b':')
        {
            self.pos += 1;
            let condition = self.list()?;
            self.close_set();
            let subject = members.pop().filter(|_| members.is_empty()).ok_or(Fault::Syntax)?;
            return Ok(Expr::Builder(Box::new((subject, condition))));
        }
        self.close_set();
        if members.len() == 1 && matches!(members[0], Expr::Set(_)) {
            return members.pop().ok_or(Fault::Syntax);
        }
        Ok(Expr::Set(members))
    }

    /// Members, or the subject of a builder: a colon after it is a separator and not a ratio.
    fn set_members(&mut self) -> Parsed {
        let subject = matches!(self.peek(), Some(Kind::Letter(_)))
            && self.peek_at(1) == Some(&Kind::Mark(b':'));
        if subject { self.script() } else { self.list() }
    }

    fn close_set(&mut self) {
        if matches!(self.peek(), Some(Kind::SetClose | Kind::Mark(b'}'))) {
            self.pos += 1;
        }
    }

    /// The content of `|...|` up to its closing bar, which the caller has opened.
    pub(super) fn absolute(&mut self) -> Parsed {
        self.bars += 1;
        let inner = self.list();
        self.bars -= 1;
        let inner = inner?;
        if !self.eat_mark(b'|')
            && !matches!(self.peek(), Some(Kind::Command("rvert" | "vert" | "rVert" | "Vert")))
        {
            return Err(Fault::Syntax);
        }
        if matches!(self.peek(), Some(Kind::Command("rvert" | "vert" | "rVert" | "Vert"))) {
            self.pos += 1;
        }
        Ok(call(Func::Abs, inner))
    }

    /// `\lfloor ... \rfloor` and `\lceil ... \rceil`.
    pub(super) fn rounded(&mut self, function: Func, close: &str) -> Parsed {
        self.pos += 1;
        let inner = self.list()?;
        self.eat_command(close);
        Ok(call(function, inner))
    }

    /// `\langle a, b \rangle`.
    pub(super) fn angle_tuple(&mut self) -> Parsed {
        self.pos += 1;
        let inner = self.list()?;
        self.eat_command("rangle");
        Ok(match inner {
            Expr::List(parts) => Expr::Tuple(parts),
            one => one,
        })
    }
}
