//! LaTeX commands that begin a value.

use super::super::ast::{Binder, Const, Expr, Func, NamedSet};
use super::super::lexer::Kind;
use super::super::vocabulary;
use super::{Fault, Parsed, Parser};

/// Most cells of a matrix.
const MOST_CELLS: usize = 400;

impl<'a> Parser<'_, 'a> {
    /// The command is the current token.
    pub(super) fn command(&mut self, name: &'a str) -> Parsed {
        match name {
            "frac" => {
                self.pos += 1;
                let (a, b) = (self.script()?, self.script()?);
                Ok(Expr::quot(a, b))
            }
            "binom" | "dbinom" | "tbinom" => {
                self.pos += 1;
                let (n, k) = (self.script()?, self.script()?);
                Ok(Expr::Call(Func::Binomial, vec![n, k]))
            }
            "sqrt" => self.root(2),
            "cbrt" => self.root(3),
            "pi" => self.leaf(Expr::Const(Const::Pi)),
            "infty" => self.leaf(Expr::Const(Const::Infinity)),
            "imath" => self.leaf(Expr::Const(Const::I)),
            "emptyset" | "varnothing" => self.leaf(Expr::Named(NamedSet::Empty)),
            "lfloor" => self.rounded(Func::Floor, "rfloor"),
            "lceil" => self.rounded(Func::Ceil, "rceil"),
            "langle" => self.angle_tuple(),
            "lvert" | "vert" | "lVert" | "Vert" => {
                self.pos += 1;
                self.absolute()
            }
            "lbrace" => self.set(),
            "sum" => self.binder(Binder::Sum),
            "prod" => self.binder(Binder::Product),
            "int" => self.binder(Binder::Integral),
            "lim" => self.binder(Binder::Limit),
            "begin" => self.environment(),
            "$" => self.money(),
            "mathbb" => self.blackboard(),
            "boxed" | "fbox" | "overline" | "underline" | "bar" | "vec" | "overrightarrow"
            | "hat" | "widehat" | "tilde" | "dot" | "overleftrightarrow" | "overset"
            | "underset" | "angle" | "triangle" | "neg" | "operatorname" | "ce" | "text" => {
                self.transparent(name)
            }
            _ => self.other(name),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "the arms of a match on commands have one type")]
    fn leaf(&mut self, value: Expr) -> Parsed {
        self.pos += 1;
        Ok(value)
    }

    fn other(&mut self, name: &'a str) -> Parsed {
        if let Some(function) = vocabulary::function(name) {
            return self.function(function);
        }
        if let Some(value) = vulgar_fraction(name) {
            return self.vulgar(value);
        }
        if let Some(set) =
            name.chars().next().filter(|_| name.len() == 1).and_then(vocabulary::named_set)
        {
            return self.leaf(Expr::Named(set));
        }
        self.pos += 1;
        match vocabulary::greek(name) {
            Some(letter) => self.symbol(letter.to_string()),
            None => self.symbol(name.to_owned()),
        }
    }

    fn vulgar(&mut self, (n, d): (i64, i64)) -> Parsed {
        self.leaf(Expr::quot(Expr::int(n), Expr::int(d)))
    }

    /// A decoration: the value is what it decorates, named after it when that is a symbol.
    fn transparent(&mut self, name: &str) -> Parsed {
        self.pos += 1;
        if matches!(name, "overset" | "underset") {
            self.script()?;
        }
        if !self.starts_factor() {
            return Ok(Expr::sym(name));
        }
        let inner = self.script()?;
        Ok(match (name, inner) {
            ("bar" | "hat" | "vec" | "tilde" | "dot", Expr::Sym(symbol)) => {
                Expr::Sym(format!("{name} {symbol}").into())
            }
            (_, inner) => inner,
        })
    }

    /// `\$5`, `€ 3.50`.
    fn money(&mut self) -> Parsed {
        self.pos += 1;
        let value = self.product()?;
        Ok(match value {
            measured @ Expr::Measure(..) => measured,
            value => Expr::Measure(Box::new(value), "$".into()),
        })
    }

    fn blackboard(&mut self) -> Parsed {
        self.pos += 1;
        let braced = self.eat_mark(b'{');
        let Some(Kind::Letter(c)) = self.peek() else { return Err(Fault::Syntax) };
        self.pos += 1;
        if braced {
            self.eat_mark(b'}');
        }
        let Some(set) = vocabulary::named_set(*c) else { return Ok(Expr::sym(&c.to_string())) };
        // Superscripts of number sets (`\mathbb{R}^+`, `\mathbb{Z}_{>0}`) make a set of their own.
        let from = self.pos;
        if self.is_mark(b'^') && matches!(self.peek_at(1), Some(Kind::Mark(b'+' | b'*'))) {
            self.pos = from + 2;
            return Ok(Expr::Text(format!("{set:?}+").to_lowercase().into()));
        }
        Ok(Expr::Named(set))
    }

    // ---- environments

    fn environment(&mut self) -> Parsed {
        self.pos += 1;
        let Some(Kind::Text(name)) = self.peek() else { return Err(Fault::Syntax) };
        self.pos += 1;
        let bars = std::mem::take(&mut self.bars);
        let rows = self.rows();
        self.bars = bars;
        let rows = rows?;
        match *name {
            "pmatrix" | "bmatrix" | "matrix" | "Bmatrix" | "smallmatrix" | "array" => matrix(rows),
            "vmatrix" | "Vmatrix" => matrix(rows).map(|m| super::primary::call(Func::Abs, m)),
            "cases" => Ok(Expr::List(rows.into_iter().map(first_cells).collect())),
            _ => {
                let mut lines: Vec<Expr> = rows.into_iter().flatten().collect();
                if lines.len() == 1 {
                    lines.pop().ok_or(Fault::Syntax)
                } else {
                    Ok(Expr::List(lines))
                }
            }
        }
    }

    fn rows(&mut self) -> Result<Vec<Vec<Expr>>, Fault> {
        let (mut rows, mut row, mut cells) = (Vec::new(), Vec::new(), 0usize);
        loop {
            match self.peek() {
                None => break,
                Some(Kind::Command("end")) => {
                    self.pos += 2;
                    break;
                }
                Some(Kind::Mark(b'&' | b',' | b'.' | b';')) => self.pos += 1,
                Some(Kind::RowEnd) => {
                    self.pos += 1;
                    if !row.is_empty() {
                        rows.push(std::mem::take(&mut row));
                    }
                }
                Some(_) => {
                    cells += 1;
                    if cells > MOST_CELLS {
                        return Err(Fault::Budget("nodes"));
                    }
                    row.push(self.relation()?);
                }
            }
        }
        self.pos = self.pos.min(self.tokens.len());
        if !row.is_empty() {
            rows.push(row);
        }
        Ok(rows)
    }
}

fn matrix(rows: Vec<Vec<Expr>>) -> Parsed {
    let width = rows.first().map_or(0, Vec::len);
    if width == 0 || rows.iter().any(|row| row.len() != width) {
        return Err(Fault::Syntax);
    }
    Ok(Expr::Matrix(rows))
}

/// A line of `cases`: the value and its condition.
fn first_cells(mut row: Vec<Expr>) -> Expr {
    if row.len() == 1 { row.remove(0) } else { Expr::Tuple(row) }
}

fn vulgar_fraction(name: &str) -> Option<(i64, i64)> {
    let (n, d) = name.split_once('/')?;
    Some((n.parse().ok()?, d.parse().ok()?))
}
