//! Equations and inequalities.

use std::borrow::Cow;

use super::super::ast::{Const, Expr, Func, Rel};
use super::super::field;
use super::super::meter::{Outcome, Stop};
use super::super::modular::{self, PRIMES};
use super::super::{Preset, numeric};
use super::{Comparer, set};

/// A chain of equalities as its first and last member: `x = 5 + 6 = 11` states `x = 11`. What is only approximately
/// equal is left out when something exact stands before it, and `x ≈ 11` states `x = 11`.
pub(super) fn reduced(expr: &Expr) -> Cow<'_, Expr> {
    let Expr::Relation(first, rest) = expr else { return Cow::Borrowed(expr) };
    if !rest.iter().all(|(rel, _)| matches!(rel, Rel::Eq | Rel::Approx)) {
        return Cow::Borrowed(expr);
    }
    let last = rest.iter().rfind(|(rel, _)| *rel == Rel::Eq).or_else(|| rest.first());
    let Some((_, last)) = last else { return Cow::Borrowed(expr) };
    if matches!(&rest[..], [(Rel::Eq, _)]) {
        return Cow::Borrowed(expr);
    }
    Cow::Owned(Expr::Relation(first.clone(), vec![(Rel::Eq, last.clone())]))
}

/// An equation whose left side names what its right side is the value of.
pub(super) fn is_assignment(expr: &Expr) -> bool {
    let Expr::Relation(lhs, rest) = expr else { return false };
    let [(Rel::Eq, value)] = &rest[..] else { return false };
    is_label(lhs) || (is_constant(lhs) && is_constant(value))
}

/// A name: symbols, applications, words, and their products, quotients, ratios and absolute values.
pub(super) fn is_label(expr: &Expr) -> bool {
    match expr {
        Expr::Sym(_) | Expr::App(..) | Expr::Text(_) | Expr::Const(Const::E | Const::I) => true,
        Expr::Prod(v) | Expr::Ratio(v, _) | Expr::Tuple(v) | Expr::Call(Func::Abs, v) => {
            v.iter().all(is_label)
        }
        Expr::Quot(p) => is_label(&p.0) && is_label(&p.1),
        Expr::Measure(x, _) => is_label(x),
        Expr::Relation(x, rest) => {
            is_label(x) && rest.iter().all(|(_, y)| is_label(y) || is_constant(y))
        }
        _ => false,
    }
}

/// Names added and subtracted: `a + b - c`.
fn is_sum_of_labels(expr: &Expr) -> bool {
    match expr {
        Expr::Sum(v) => v.iter().all(is_sum_of_labels),
        Expr::Neg(x) => is_sum_of_labels(x),
        other => is_label(other),
    }
}

fn is_constant(expr: &Expr) -> bool {
    !expr.any(&|x| matches!(x, Expr::Sym(_) | Expr::App(..) | Expr::Text(_) | Expr::Bound(..)))
}

fn as_equation(expr: &Expr) -> Option<(&Expr, &Expr)> {
    match expr {
        Expr::Relation(lhs, rest) => match &rest[..] {
            [(Rel::Eq, rhs)] => Some((lhs, rhs)),
            _ => None,
        },
        _ => None,
    }
}

impl Comparer<'_> {
    /// Decides when exactly one side is an assignment, or one says `x \in S`.
    pub(super) fn labelled(&self, a: &Expr, b: &Expr) -> Outcome<Option<bool>> {
        match (member_of(a), member_of(b)) {
            (Some(x), Some(y)) => return self.equal(x, y).map(Some),
            (Some(x), None) => return self.equal(x, b).map(Some),
            (None, Some(y)) => return self.equal(a, y).map(Some),
            (None, None) => {}
        }
        match (as_equation(a), as_equation(b)) {
            (Some(_), None) if is_assignment(a) && !is_relation(b) => {
                self.equal(value_of(a), b).map(Some)
            }
            (None, Some(_)) if is_assignment(b) && !is_relation(a) => {
                self.equal(a, value_of(b)).map(Some)
            }
            (None, Some((lhs, rhs)))
                if self.restated && !is_relation(a) && is_constant(a) && is_sum_of_labels(lhs) =>
            {
                self.equal(a, rhs).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Both sides are relations.
    pub(super) fn relations(&self, a: &Expr, b: &Expr) -> Outcome<bool> {
        if let (Some(x), Some(y)) = (as_equation(a), as_equation(b)) {
            return self.equations(x, y);
        }
        if let Some(verdict) = self.as_inequalities(a, b)? {
            return Ok(verdict);
        }
        let (Expr::Relation(x, xs), Expr::Relation(y, ys)) = (a, b) else { return Ok(false) };
        if self.same_chain(x, xs, y, ys)? {
            return Ok(true);
        }
        if self.options.preset == Preset::MathVerify && xs.len() > 1 {
            return Ok(false);
        }
        let (flipped, rest) = flipped(y, ys);
        if self.same_chain(x, xs, &flipped, &rest)? {
            return Ok(true);
        }
        match (&xs[..], &ys[..]) {
            ([(r, x2)], [(s, y2)]) => self.one_inequality((x, *r, x2), (y, *s, y2)),
            _ => Ok(false),
        }
    }

    fn same_chain(
        &self,
        x: &Expr,
        xs: &[(Rel, Expr)],
        y: &Expr,
        ys: &[(Rel, Expr)],
    ) -> Outcome<bool> {
        if xs.len() != ys.len()
            || xs.iter().zip(ys).any(|((r, _), (s, _))| r != s)
            || !self.equal(x, y)?
        {
            return Ok(false);
        }
        for ((_, u), (_, v)) in xs.iter().zip(ys) {
            if !self.equal(u, v)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// `-x > -1` is `x < 1`: the differences are proportional, and the factor's sign turns the sign.
    fn one_inequality(
        &self,
        (a, r, b): (&Expr, Rel, &Expr),
        (c, s, d): (&Expr, Rel, &Expr),
    ) -> Outcome<bool> {
        let ordered = r.is_order() || r == Rel::Ne;
        if !ordered || !(s.is_order() || s == Rel::Ne) {
            return Ok(false);
        }
        let Some(factor) = self.proportion(&difference(a, b), &difference(c, d))? else {
            return Ok(false);
        };
        Ok(if factor > 0.0 { r == s } else { r == s.flipped() })
    }

    fn equations(&self, (a, b): (&Expr, &Expr), (c, d): (&Expr, &Expr)) -> Outcome<bool> {
        let (one, two) = (oriented(a, b), oriented(c, d));
        if let (Some((label, value)), Some((other_label, other_value))) = (one, two) {
            if self.equal(label, other_label)? {
                return self.equal(value, other_value);
            }
            if let Some(renamed) = same_function(label, other_label, other_value) {
                return self.equal(value, &renamed);
            }
            if is_constant(value) && is_constant(other_value) {
                return Ok(!self.options.strict && self.equal(value, other_value)?);
            }
        }
        if [a, b, c, d].into_iter().all(is_constant) {
            // Two calculations: their results count.
            return self.equal(b, d);
        }
        // A solved equation of one unknown is an answer, an unsolved one is not.
        let solved = |e: Option<(&Expr, &Expr)>| {
            e.is_some_and(|(l, v)| matches!(l, Expr::Sym(_)) && is_constant(v))
        };
        if solved(one) != solved(two) {
            return Ok(false);
        }
        Ok(self.proportion(&difference(a, b), &difference(c, d))?.is_some())
    }

    /// The constant factor between two expressions that are not zero, when there is one.
    fn proportion(&self, x: &Expr, y: &Expr) -> Outcome<Option<f64>> {
        let Some(factor) = self.numeric_factor(x, y)? else { return Ok(None) };
        Ok(match self.field_factor(x, y) {
            Some(false) => None,
            _ => Some(factor),
        })
    }

    fn numeric_factor(&self, x: &Expr, y: &Expr) -> Outcome<Option<f64>> {
        let (mut factor, mut points): (Option<f64>, u32) = (None, 0);
        for round in 0..6 {
            let seed = self.options.seed.wrapping_add(0xfac7 + round);
            let at = numeric::Point { seed, signed: round > 2, bound: None };
            let (u, v) = match (
                numeric::evaluate(x, at, self.meter),
                numeric::evaluate(y, at, self.meter),
            ) {
                (Ok(u), Ok(v)) => (u, v),
                (Err(stop @ Stop::Budget(_)), _) | (_, Err(stop @ Stop::Budget(_))) => {
                    return Err(stop);
                }
                _ => continue,
            };
            if u.norm() < 1e-12 || v.norm() < 1e-12 || u.im != 0.0 || v.im != 0.0 {
                continue;
            }
            let ratio = u.re / v.re;
            if factor.is_some_and(|f| (f - ratio).abs() > 1e-9 * f.abs()) {
                return Ok(None);
            }
            factor = Some(ratio);
            points += 1;
        }
        // A factor at one point is no constant.
        Ok(factor.filter(|_| points >= 3))
    }

    /// Whether the quotient is the same at two points of a prime field; `None` outside rational expressions.
    fn field_factor(&self, x: &Expr, y: &Expr) -> Option<bool> {
        let p = PRIMES[0];
        let mut quotients = [0; 2];
        for (round, quotient) in quotients.iter_mut().enumerate() {
            let at = field::Point {
                prime: 0,
                seed: self.options.seed.wrapping_add(0xfac7 + round as u64),
            };
            match (field::evaluate(x, at, self.meter), field::evaluate(y, at, self.meter)) {
                (Ok(u), Ok(v)) if u != 0 && v != 0 => {
                    *quotient = modular::div(u, v, p).unwrap_or(0);
                }
                _ => return None,
            }
        }
        Some(quotients[0] == quotients[1])
    }

    /// Inequalities of one subject against a set, an interval or other inequalities.
    pub(super) fn as_inequalities(&self, a: &Expr, b: &Expr) -> Outcome<Option<bool>> {
        if !(has_order(a) || has_order(b)) {
            return Ok(None);
        }
        // Math-Verify turns relations into sets only for a set in the answer, and reads chains in one direction.
        if self.options.preset == Preset::MathVerify && has_order(b) {
            return Ok(None);
        }
        let (Some(x), Some(y)) =
            (set::subject_and_set(a, self.meter)?, set::subject_and_set(b, self.meter)?)
        else {
            return Ok(None);
        };
        if let (Some(s), Some(t)) = (&x.0, &y.0)
            && self.options.strict
            && !self.equal(s, t)?
        {
            return Ok(None);
        }
        x.1.same(&y.1, self).map(Some)
    }
}

fn is_relation(expr: &Expr) -> bool {
    matches!(expr, Expr::Relation(..))
}

/// Whether the answer speaks of order: inequalities, or lists of them.
pub(super) fn has_order(expr: &Expr) -> bool {
    match expr {
        Expr::Relation(_, rest) => rest.iter().any(|(rel, _)| rel.is_order() || *rel == Rel::Ne),
        Expr::List(v) | Expr::SetOp(_, v) => v.iter().any(has_order),
        Expr::Builder(p) => has_order(&p.1),
        _ => false,
    }
}

/// The set in `x \in S`.
fn member_of(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Relation(subject, rest) if is_label(subject) => match &rest[..] {
            [(Rel::In, set)] => Some(set),
            _ => None,
        },
        _ => None,
    }
}

fn value_of(expr: &Expr) -> &Expr {
    as_equation(expr).map_or(expr, |(_, value)| value)
}

/// The equation with its name on the left.
fn oriented<'e>(lhs: &'e Expr, rhs: &'e Expr) -> Option<(&'e Expr, &'e Expr)> {
    if is_label(lhs) {
        Some((lhs, rhs))
    } else if is_label(rhs) && is_constant(lhs) {
        Some((rhs, lhs))
    } else {
        None
    }
}

fn difference(a: &Expr, b: &Expr) -> Expr {
    Expr::Sum(vec![a.clone(), Expr::Neg(Box::new(b.clone()))])
}

/// `g(t) = value` with the argument renamed to that of `f(x) = ...`, when both define the same function.
fn same_function(label: &Expr, other: &Expr, value: &Expr) -> Option<Expr> {
    let (Expr::App(f, xs), Expr::App(g, ys)) = (label, other) else { return None };
    if f != g || xs.len() != ys.len() {
        return None;
    }
    let mut renames = Vec::new();
    for (x, y) in xs.iter().zip(ys) {
        let (Expr::Sym(_), Expr::Sym(from)) = (x, y) else { return None };
        renames.push((from.clone(), x.clone()));
    }
    Some(value.rename(&|n| renames.iter().find(|(from, _)| **from == *n).map(|(_, to)| to.clone())))
}

/// The chain read from right to left.
fn flipped(first: &Expr, rest: &[(Rel, Expr)]) -> (Expr, Vec<(Rel, Expr)>) {
    let mut values: Vec<&Expr> =
        std::iter::once(first).chain(rest.iter().map(|(_, x)| x)).collect();
    values.reverse();
    let signs = rest.iter().rev().map(|(rel, _)| rel.flipped());
    (values[0].clone(), signs.zip(values[1..].iter().map(|x| (*x).clone())).collect())
}
