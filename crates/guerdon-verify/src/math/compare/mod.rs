//! Whether two parsed answers say the same.
//!
//! The shape decides who compares: scalars ([`scalar`]), relations ([`relation`]), sets of reals ([`set`]); lists,
//! tuples and matrices are compared part by part here.

mod relation;
mod scalar;
mod set;

use std::cell::Cell;

use super::Options;
use super::ast::{Expr, Rel};
use super::meter::{Meter, Outcome, Stop};

/// Most members of lists that are matched without regard to order.
const MOST_MEMBERS: usize = 256;

/// One comparison: the choices and the allowance.
pub(crate) struct Comparer<'o> {
    pub(crate) options: &'o Options,
    pub(crate) meter: &'o Meter,
    /// The second answer may restate the question: `a + b = 25` answers `25`.
    pub(crate) restated: bool,
    level: Cell<usize>,
}

/// Comparisons inside comparisons: parts of parts. The depth of parsed answers keeps them far below.
const DEEPEST: usize = 128;

/// A member of a list and the name that was given to it.
type Member<'e> = (Option<&'e Expr>, std::borrow::Cow<'e, Expr>);

impl<'o> Comparer<'o> {
    pub(crate) fn new(options: &'o Options, meter: &'o Meter, restated: bool) -> Self {
        Self { options, meter, restated, level: Cell::new(0) }
    }

    /// Whether two answers are equal.
    pub(crate) fn equal(&self, a: &Expr, b: &Expr) -> Outcome<bool> {
        self.meter.step(8)?;
        if a == b {
            return Ok(true);
        }
        if self.level.get() >= DEEPEST {
            return Err(Stop::Budget("depth"));
        }
        self.level.set(self.level.get() + 1);
        let verdict = self.by_shape(a, b);
        self.level.set(self.level.get() - 1);
        verdict
    }

    fn by_shape(&self, a: &Expr, b: &Expr) -> Outcome<bool> {
        if let Some(verdict) = self.measured(a, b)? {
            return Ok(verdict);
        }
        let (a, b) = (&*relation::reduced(a), &*relation::reduced(b));
        if is_list(a) || is_list(b) {
            return self.lists(a, b);
        }
        if let Some(verdict) = self.labelled(a, b)? {
            return Ok(verdict);
        }
        match (a, b) {
            (Expr::Tuple(x), Expr::Tuple(y) | Expr::Set(y)) | (Expr::Set(x), Expr::Tuple(y)) => {
                self.pairwise(x, y)
            }
            (Expr::Set(x), Expr::Set(y)) => self.unordered(&plain(x), &plain(y)),
            (Expr::Matrix(x), Expr::Matrix(y)) => self.matrices(x, y),
            (Expr::Relation(..), Expr::Relation(..)) => self.relations(a, b),
            _ if set::is_setlike(a) || set::is_setlike(b) => self.sets(a, b),
            (Expr::Text(x), Expr::Text(y)) => Ok(same_words(x, y)),
            (Expr::Text(x), other) | (other, Expr::Text(x)) => self.words_and(x, other),
            (Expr::Tuple(_) | Expr::Matrix(_) | Expr::Relation(..), _)
            | (_, Expr::Tuple(_) | Expr::Matrix(_) | Expr::Relation(..)) => Ok(false),
            _ => self.scalars(a, b),
        }
    }

    /// Whether two answers are equal when the variables of the second are renamed in order of appearance.
    pub(crate) fn renamed(&self, a: &[Expr], b: &[Expr]) -> bool {
        let (Some(a), Some(b)) = (a.first(), b.first()) else { return false };
        let (to, from) = (a.symbols(), b.symbols());
        if to.len() != from.len() || to == from {
            return false;
        }
        let renamed =
            b.rename(&|name| from.iter().position(|n| *n == name).map(|at| Expr::sym(to[at])));
        self.equal(a, &renamed) == Ok(true)
    }

    /// A word may be a number, or the name of a symbol.
    fn words_and(&self, word: &str, other: &Expr) -> Outcome<bool> {
        if let Some(number) = super::words::number(word) {
            return self.scalars(&Expr::Num(number), other);
        }
        Ok(matches!(other, Expr::Sym(name) if same_words(name, word)))
    }

    fn pairwise(&self, a: &[Expr], b: &[Expr]) -> Outcome<bool> {
        if a.len() != b.len() {
            return Ok(false);
        }
        for (x, y) in a.iter().zip(b) {
            if !self.equal(x, y)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn matrices(&self, a: &[Vec<Expr>], b: &[Vec<Expr>]) -> Outcome<bool> {
        if a.len() != b.len() {
            return Ok(false);
        }
        for (x, y) in a.iter().zip(b) {
            if !self.pairwise(x, y)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    // ---- lists

    /// At least one side is a list without brackets, or an expression with `±`.
    fn lists(&self, a: &Expr, b: &Expr) -> Outcome<bool> {
        if let Some(verdict) = self.as_inequalities(a, b)? {
            return Ok(verdict);
        }
        match (a, b) {
            // `1, 2` against `(1, 2)`: the order counts as soon as one side says so.
            (Expr::List(x), Expr::Tuple(y)) | (Expr::Tuple(y), Expr::List(x)) if !has_tuples(x) => {
                return self.pairwise(x, y);
            }
            _ => {}
        }
        let (x, y) = (members(a), members(b));
        if x.len().max(y.len()) > MOST_MEMBERS {
            return Ok(false);
        }
        let (named_x, named_y) = (distinct_names(&x), distinct_names(&y));
        if named_x && named_y {
            return self.by_name(&x, &y);
        }
        let indexed = |m: &[Member<'_>]| {
            m.iter().all(|(n, _)| matches!(n, Some(Expr::Sym(s)) if s.contains('_')))
        };
        if (named_x && !indexed(&x) && x.len() > 1) || (named_y && !indexed(&y) && y.len() > 1) {
            // Values without names stand for the named ones in order.
            return self.in_order(&x, &y);
        }
        self.unordered(&x, &y)
    }

    fn in_order(&self, a: &[Member<'_>], b: &[Member<'_>]) -> Outcome<bool> {
        if a.len() != b.len() {
            return Ok(false);
        }
        for ((_, x), (_, y)) in a.iter().zip(b) {
            if !self.equal(x, y)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn by_name(&self, a: &[Member<'_>], b: &[Member<'_>]) -> Outcome<bool> {
        if a.len() != b.len() {
            return Ok(false);
        }
        for (name, x) in a {
            let Some((_, y)) = b.iter().find(|(other, _)| name == other) else { return Ok(false) };
            if !self.equal(x, y)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Every member of one side equals a member of the other: lists of solutions are sets.
    fn unordered(&self, a: &[Member<'_>], b: &[Member<'_>]) -> Outcome<bool> {
        if a.is_empty() || b.is_empty() || a.len().max(b.len()) > MOST_MEMBERS {
            return Ok(a.is_empty() && b.is_empty());
        }
        let mut matched = vec![false; b.len()];
        for (_, x) in a {
            let mut found = false;
            for (at, (_, y)) in b.iter().enumerate() {
                if (!found || !matched[at]) && self.equal(x, y)? {
                    matched[at] = true;
                    found = true;
                }
            }
            if !found {
                return Ok(false);
            }
        }
        Ok(matched.into_iter().all(|m| m))
    }
}

fn is_list(expr: &Expr) -> bool {
    match expr {
        Expr::List(_) => true,
        Expr::Set(_) | Expr::Tuple(_) | Expr::Matrix(_) | Expr::Interval(..) => false,
        Expr::Relation(_, rest) if relation::is_assignment(expr) => {
            matches!(&rest[..], [(Rel::Eq, value)] if is_list(value))
        }
        other => has_plus_minus(other),
    }
}

fn has_plus_minus(expr: &Expr) -> bool {
    expr.any(&|x| matches!(x, Expr::PlusMinus(..)))
}

fn has_tuples(parts: &[Expr]) -> bool {
    parts.iter().any(|p| matches!(p, Expr::Tuple(_) | Expr::Relation(..) | Expr::Interval(..)))
}

/// Members of a list, a set or a single value, with the names of those that are assignments.
fn members(expr: &Expr) -> Vec<Member<'_>> {
    use std::borrow::Cow;
    match expr {
        Expr::List(parts) | Expr::Set(parts) => parts.iter().flat_map(members).collect(),
        Expr::Relation(name, rest) if relation::is_assignment(expr) => match &rest[..] {
            [.., (_, value)] => {
                members(value).into_iter().map(|(n, v)| (n.or(Some(&**name)), v)).collect()
            }
            [] => Vec::new(),
        },
        other if has_plus_minus(other) => {
            let (upper, lower) = (signed(other, true), signed(other, false));
            vec![(None, Cow::Owned(upper)), (None, Cow::Owned(lower))]
        }
        other => vec![(None, Cow::Borrowed(other))],
    }
}

fn plain(parts: &[Expr]) -> Vec<Member<'_>> {
    parts.iter().flat_map(members).collect()
}

/// The expression with `±` read as its upper or lower sign.
fn signed(expr: &Expr, upper: bool) -> Expr {
    match expr {
        Expr::PlusMinus(plus, x) => {
            let inner = signed(x, upper);
            if *plus == upper { inner } else { Expr::Neg(Box::new(inner)) }
        }
        other => other.map(&mut |x| signed(x, upper)),
    }
}

/// Every member is named and no name comes twice.
fn distinct_names(members: &[Member<'_>]) -> bool {
    members.len() <= 64
        && members.iter().enumerate().all(|(at, (name, _))| {
            name.is_some() && members[..at].iter().all(|(other, _)| other != name)
        })
}

/// Words are equal without regard to case, spaces and punctuation.
pub(crate) fn same_words(a: &str, b: &str) -> bool {
    let clean = |s: &str| -> String {
        s.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let (a, b) = (clean(a), clean(b));
    !a.is_empty() && a == b
}

#[cfg(test)]
mod tests;
