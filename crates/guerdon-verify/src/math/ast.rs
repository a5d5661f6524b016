//! The tree of an answer.

use super::number::Rational;

/// A short name: a symbol, a function, a unit.
pub(crate) type Name = Box<str>;

/// Constants with a value of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Const {
    Pi,
    E,
    I,
    Infinity,
}

/// Functions that can be evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Func {
    Sin,
    Cos,
    Tan,
    Cot,
    Sec,
    Csc,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Asinh,
    Acosh,
    Atanh,
    Exp,
    Ln,
    /// `log(base, x)`.
    Log,
    Abs,
    Floor,
    Ceil,
    /// The real `n`-th root: `root(n, x)`.
    Root,
    Factorial,
    /// `binomial(n, k)`.
    Binomial,
    Gcd,
    Lcm,
    Min,
    Max,
    /// `mod(a, m)` in `0..m`.
    Mod,
    /// Real part, imaginary part, argument.
    Re,
    Im,
    Arg,
}

/// Relation signs. Approximate equality is `Approx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Rel {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Approx,
    In,
    NotIn,
    Subset,
    Congruent,
    /// Any other sign, by the name of its command: parallel, perpendicular, similar, arrow.
    Other(&'static str),
}

impl Rel {
    /// The same statement read from right to left.
    pub(crate) fn flipped(self) -> Self {
        match self {
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
            same => same,
        }
    }

    pub(crate) fn is_order(self) -> bool {
        matches!(self, Self::Lt | Self::Le | Self::Gt | Self::Ge)
    }
}

/// Operations on sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum SetOp {
    Union,
    Intersection,
    Difference,
}

/// Operators that bind a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Binder {
    Sum,
    Product,
    Integral,
    Limit,
}

/// Sets with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum NamedSet {
    Empty,
    Reals,
    Integers,
    Naturals,
    Rationals,
    Complexes,
}

/// A parsed answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    /// An exact number.
    Num(Rational),
    /// A decimal literal: exact in value, but a rounded statement in intent.
    Dec(Rational),
    Const(Const),
    Sym(Name),
    Sum(Vec<Expr>),
    Prod(Vec<Expr>),
    Neg(Box<Expr>),
    /// Numerator, denominator.
    Quot(Box<(Expr, Expr)>),
    /// Base, exponent.
    Pow(Box<(Expr, Expr)>),
    Call(Func, Vec<Expr>),
    /// An unknown function of the given arguments: `f(x, y)`.
    App(Name, Vec<Expr>),
    /// `±x` (`true`) or `∓x` (`false`).
    PlusMinus(bool, Box<Expr>),
    Percent(Box<Expr>),
    /// A value with its unit as written, cleaned of markup.
    Measure(Box<Expr>, Name),
    /// `a : b : c`; the flag says that it is written like a time of day (`4:30`, `12:00`).
    Ratio(Vec<Expr>, bool),
    /// Digits in a base, with the value.
    Based(Rational, u32),
    /// `(a, b, ...)`: the order counts.
    Tuple(Vec<Expr>),
    /// `{a, b, ...}`.
    Set(Vec<Expr>),
    /// `a, b, ...` without brackets.
    List(Vec<Expr>),
    /// Ends and whether each belongs to it.
    Interval(Box<(Expr, Expr)>, bool, bool),
    /// Rows of equal length.
    Matrix(Vec<Vec<Expr>>),
    SetOp(SetOp, Vec<Expr>),
    Named(NamedSet),
    /// `{x | condition}`.
    Builder(Box<(Expr, Expr)>),
    /// `a < b <= c`: the first member, then the signs with theirs.
    Relation(Box<Expr>, Vec<(Rel, Expr)>),
    /// An operator with its bound variable, lower bound, upper bound and body.
    Bound(Binder, Name, Box<[Option<Expr>; 2]>, Box<Expr>),
    /// Words.
    Text(Name),
}

impl Expr {
    pub(crate) const fn int(n: i64) -> Self {
        Self::Num(Rational::int(n))
    }

    pub(crate) fn sym(name: &str) -> Self {
        Self::Sym(name.into())
    }

    pub(crate) fn quot(a: Self, b: Self) -> Self {
        Self::Quot(Box::new((a, b)))
    }

    pub(crate) fn pow(a: Self, b: Self) -> Self {
        Self::Pow(Box::new((a, b)))
    }

    /// The direct parts, in order of writing.
    pub(crate) fn children(&self) -> Vec<&Self> {
        match self {
            Self::Num(_)
            | Self::Dec(_)
            | Self::Const(_)
            | Self::Sym(_)
            | Self::Based(..)
            | Self::Named(_)
            | Self::Text(_) => Vec::new(),
            Self::Sum(v)
            | Self::Prod(v)
            | Self::Call(_, v)
            | Self::App(_, v)
            | Self::Ratio(v, _)
            | Self::Tuple(v)
            | Self::Set(v)
            | Self::List(v)
            | Self::SetOp(_, v) => v.iter().collect(),
            Self::Neg(x) | Self::PlusMinus(_, x) | Self::Percent(x) | Self::Measure(x, _) => {
                vec![x]
            }
            Self::Quot(p) | Self::Pow(p) | Self::Interval(p, ..) | Self::Builder(p) => {
                vec![&p.0, &p.1]
            }
            Self::Matrix(rows) => rows.iter().flatten().collect(),
            Self::Relation(first, rest) => {
                std::iter::once(&**first).chain(rest.iter().map(|(_, x)| x)).collect()
            }
            Self::Bound(_, _, ends, body) => {
                ends.iter().flatten().chain(std::iter::once(&**body)).collect()
            }
        }
    }

    /// The same tree with every direct part replaced by `f` of it.
    pub(crate) fn map(&self, f: &mut impl FnMut(&Self) -> Self) -> Self {
        let mut all = |v: &[Self]| -> Vec<Self> { v.iter().map(&mut *f).collect() };
        match self {
            Self::Sum(v) => Self::Sum(all(v)),
            Self::Prod(v) => Self::Prod(all(v)),
            Self::Call(g, v) => Self::Call(*g, all(v)),
            Self::App(g, v) => Self::App(g.clone(), all(v)),
            Self::Ratio(v, time) => Self::Ratio(all(v), *time),
            Self::Tuple(v) => Self::Tuple(all(v)),
            Self::Set(v) => Self::Set(all(v)),
            Self::List(v) => Self::List(all(v)),
            Self::SetOp(op, v) => Self::SetOp(*op, all(v)),
            Self::Matrix(rows) => Self::Matrix(rows.iter().map(|row| all(row)).collect()),
            Self::Neg(x) => Self::Neg(Box::new(f(x))),
            Self::PlusMinus(up, x) => Self::PlusMinus(*up, Box::new(f(x))),
            Self::Percent(x) => Self::Percent(Box::new(f(x))),
            Self::Measure(x, unit) => Self::Measure(Box::new(f(x)), unit.clone()),
            Self::Quot(p) => Self::quot(f(&p.0), f(&p.1)),
            Self::Pow(p) => Self::pow(f(&p.0), f(&p.1)),
            Self::Interval(p, lo, hi) => Self::Interval(Box::new((f(&p.0), f(&p.1))), *lo, *hi),
            Self::Builder(p) => Self::Builder(Box::new((f(&p.0), f(&p.1)))),
            Self::Relation(first, rest) => Self::Relation(
                Box::new(f(first)),
                rest.iter().map(|(rel, x)| (*rel, f(x))).collect(),
            ),
            Self::Bound(op, var, ends, body) => {
                let ends = [ends[0].as_ref().map(&mut *f), ends[1].as_ref().map(&mut *f)];
                Self::Bound(*op, var.clone(), Box::new(ends), Box::new(f(body)))
            }
            leaf => leaf.clone(),
        }
    }

    /// Whether any node of the tree satisfies the predicate.
    pub(crate) fn any(&self, f: &impl Fn(&Self) -> bool) -> bool {
        f(self) || self.children().into_iter().any(|x| x.any(f))
    }

    /// The names of the symbols in order of first appearance, the first 64 of them.
    pub(crate) fn symbols(&self) -> Vec<&str> {
        const MOST_SYMBOLS: usize = 64;
        fn walk<'a>(x: &'a Expr, out: &mut Vec<&'a str>) {
            if let Expr::Sym(name) = x
                && out.len() < MOST_SYMBOLS
                && !out.contains(&&**name)
            {
                out.push(name);
            }
            for child in x.children() {
                walk(child, out);
            }
        }
        let mut out = Vec::new();
        walk(self, &mut out);
        out
    }

    /// The tree with symbols replaced.
    pub(crate) fn rename(&self, f: &impl Fn(&str) -> Option<Self>) -> Self {
        match self {
            Self::Sym(name) => f(name).unwrap_or_else(|| self.clone()),
            other => other.map(&mut |x| x.rename(f)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_in_order_of_appearance() {
        let x = Expr::Sum(vec![Expr::sym("b"), Expr::pow(Expr::sym("a"), Expr::sym("b"))]);
        assert_eq!(x.symbols(), ["b", "a"]);
    }

    #[test]
    fn rename_reaches_every_leaf() {
        let x = Expr::quot(Expr::sym("x"), Expr::Neg(Box::new(Expr::sym("x"))));
        let y = x.rename(&|n| (n == "x").then(|| Expr::sym("y")));
        assert_eq!(y.symbols(), ["y"]);
    }
}
