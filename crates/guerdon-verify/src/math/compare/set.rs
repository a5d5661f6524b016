//! Sets of real numbers: intervals, finite sets, unions, and the solutions of inequalities in one unknown.

use super::super::ast::{Expr, NamedSet, Rel, SetOp};
use super::super::meter::{Meter, Outcome, Stop};
use super::super::{Preset, numeric};
use super::{Comparer, relation, scalar};

/// Most intervals of one set.
const MOST_PARTS: usize = 64;

/// An end of an interval: its place on the line, whether it belongs to the set, and how it is written.
#[derive(Debug, Clone)]
struct End {
    at: f64,
    closed: bool,
    value: Option<Expr>,
}

/// Disjoint intervals in ascending order, as far apart as their ends tell.
#[derive(Debug, Clone)]
pub(super) struct Reals {
    parts: Vec<(End, End)>,
}

/// Whether the expression is a set by its notation. A pair in parentheses can be an interval.
pub(super) fn is_setlike(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Interval(..) | Expr::Set(_) | Expr::SetOp(..) | Expr::Named(_) | Expr::Builder(_)
    ) || matches!(expr, Expr::Relation(..)) && relation::has_order(expr)
}

/// The set of an answer, and whose values it holds when inequalities name it. `None` when the answer is no set of
/// reals with ends that can be ordered.
pub(super) fn subject_and_set(
    expr: &Expr,
    meter: &Meter,
) -> Outcome<Option<(Option<Expr>, Reals)>> {
    meter.step(16)?;
    Ok(match expr {
        Expr::Relation(first, rest) => return chain(first, rest, meter),
        Expr::List(parts) => return conjunction(parts, meter),
        Expr::SetOp(SetOp::Union, parts) if parts.iter().any(relation::has_order) => {
            return joined(parts, Reals::union, meter);
        }
        Expr::Builder(pair) => match subject_and_set(&pair.1, meter)? {
            Some((subject, set)) if subject.as_ref().is_none_or(|s| *s == pair.0) => {
                Some((None, set))
            }
            _ => None,
        },
        other => reals(other, meter)?.map(|set| (None, set)),
    })
}

/// Inequalities that all hold; when they contradict each other, the list meant "or".
fn conjunction(parts: &[Expr], meter: &Meter) -> Outcome<Option<(Option<Expr>, Reals)>> {
    let both = joined(parts, Reals::intersection, meter)?;
    if both.as_ref().is_some_and(|(_, set)| set.parts.is_empty()) {
        return joined(parts, Reals::union, meter);
    }
    Ok(both)
}

fn joined(
    parts: &[Expr],
    join: impl Fn(&Reals, &Reals) -> Reals,
    meter: &Meter,
) -> Outcome<Option<(Option<Expr>, Reals)>> {
    let mut total: Option<(Option<Expr>, Reals)> = None;
    if parts.len() > MOST_PARTS {
        return Ok(None);
    }
    for part in parts {
        let Some((subject, set)) = subject_and_set(part, meter)? else { return Ok(None) };
        total = Some(match total {
            None => (subject, set),
            Some((known, sum)) => {
                if known.is_some() && subject.is_some() && known != subject {
                    return Ok(None);
                }
                meter.step((sum.parts.len() * set.parts.len()) as u64)?;
                (known.or(subject), join(&sum, &set))
            }
        });
    }
    Ok(total)
}

/// `lo < x <= hi`, `x > lo`, `x \ne a`.
fn chain(
    first: &Expr,
    rest: &[(Rel, Expr)],
    meter: &Meter,
) -> Outcome<Option<(Option<Expr>, Reals)>> {
    let members: Vec<&Expr> = std::iter::once(first).chain(rest.iter().map(|(_, x)| x)).collect();
    let places: Vec<Option<f64>> =
        members.iter().map(|x| place(x, meter)).collect::<Outcome<_>>()?;
    let mut unknown = places.iter().enumerate().filter(|(_, p)| p.is_none()).map(|(at, _)| at);
    let (Some(at), None) = (unknown.next(), unknown.next()) else { return Ok(None) };
    if !relation::is_label(members[at]) {
        return Ok(None);
    }
    let mut set = Reals::all();
    for (link, (rel, _)) in rest.iter().enumerate() {
        // Each link has the subject on one side, or is a statement about constants.
        let (rel, bound) = match at {
            at if at == link => (*rel, link + 1),
            at if at == link + 1 => (rel.flipped(), link),
            _ => continue,
        };
        let (Some(place), value) = (places[bound], members[bound]) else { return Ok(None) };
        let Some(half) = Reals::half(rel, place, value, meter)? else { return Ok(None) };
        set = set.intersection(&half);
    }
    Ok(Some((Some(members[at].clone()), set)))
}

/// Where a constant lies on the line; `None` for an expression with symbols.
fn place(expr: &Expr, meter: &Meter) -> Outcome<Option<f64>> {
    if let Some(positive) = scalar::infinite_sign(expr) {
        return Ok(Some(if positive { f64::INFINITY } else { f64::NEG_INFINITY }));
    }
    if expr.any(&|x| matches!(x, Expr::Sym(_) | Expr::App(..) | Expr::Text(_) | Expr::Bound(..))) {
        return Ok(None);
    }
    match numeric::evaluate(expr, numeric::Point { seed: 0, signed: false, bound: None }, meter) {
        Ok(value) if value.im == 0.0 => Ok(Some(value.re)),
        Ok(_) | Err(Stop::Undefined) => Ok(None),
        Err(stop) => Err(stop),
    }
}

/// The set that the notation of an expression describes.
fn reals(expr: &Expr, meter: &Meter) -> Outcome<Option<Reals>> {
    match expr {
        Expr::Interval(ends, lo, hi) => Reals::interval(&ends.0, *lo, &ends.1, *hi, meter),
        Expr::Tuple(pair) if pair.len() == 2 => {
            Reals::interval(&pair[0], false, &pair[1], false, meter)
        }
        Expr::Set(points) => {
            let mut set = Reals { parts: Vec::new() };
            for (_, point) in super::plain(points) {
                if set.parts.len() >= MOST_PARTS {
                    return Ok(None);
                }
                let Some(one) = Reals::interval(&point, true, &point, true, meter)? else {
                    return Ok(None);
                };
                set = set.union(&one);
            }
            Ok(Some(set))
        }
        Expr::Named(NamedSet::Reals) => Ok(Some(Reals::all())),
        Expr::Named(NamedSet::Empty) => Ok(Some(Reals { parts: Vec::new() })),
        Expr::SetOp(op, parts) => operation(*op, parts, meter),
        Expr::Relation(..) | Expr::Builder(_) => {
            Ok(subject_and_set(expr, meter)?.map(|(_, set)| set))
        }
        _ => Ok(None),
    }
}

fn operation(op: SetOp, parts: &[Expr], meter: &Meter) -> Outcome<Option<Reals>> {
    if parts.len() > MOST_PARTS {
        return Ok(None);
    }
    let mut total: Option<Reals> = None;
    for part in parts {
        let Some(set) = reals(part, meter)? else { return Ok(None) };
        total = Some(match (total, op) {
            (None, _) => set,
            (Some(sum), SetOp::Union) => sum.union(&set),
            (Some(sum), SetOp::Intersection) => sum.intersection(&set),
            (Some(sum), SetOp::Difference) => sum.intersection(&set.complement()),
        });
        if let Some(sum) = &total {
            meter.step((sum.parts.len() * 8) as u64)?;
        }
    }
    Ok(total)
}

impl End {
    fn infinite(at: f64) -> Self {
        Self { at, closed: false, value: None }
    }
}

impl Reals {
    fn all() -> Self {
        Self { parts: vec![(End::infinite(f64::NEG_INFINITY), End::infinite(f64::INFINITY))] }
    }

    fn interval(
        lo: &Expr,
        lo_closed: bool,
        hi: &Expr,
        hi_closed: bool,
        meter: &Meter,
    ) -> Outcome<Option<Self>> {
        let (Some(a), Some(b)) = (place(lo, meter)?, place(hi, meter)?) else { return Ok(None) };
        let end = |at: f64, closed: bool, value: &Expr| End {
            at,
            closed: closed && at.is_finite(),
            value: at.is_finite().then(|| value.clone()),
        };
        let parts = if a < b || (a == b && lo_closed && hi_closed) {
            vec![(end(a, lo_closed, lo), end(b, hi_closed, hi))]
        } else {
            // A pair that runs downwards is no interval.
            return Ok(None);
        };
        Ok(Some(Self { parts }))
    }

    /// The numbers that stand in a relation to a bound.
    fn half(rel: Rel, at: f64, value: &Expr, meter: &Meter) -> Outcome<Option<Self>> {
        let end = |closed: bool| End { at, closed, value: at.is_finite().then(|| value.clone()) };
        let (low, high) = (End::infinite(f64::NEG_INFINITY), End::infinite(f64::INFINITY));
        meter.step(1)?;
        let parts = match rel {
            Rel::Lt => vec![(low, end(false))],
            Rel::Le => vec![(low, end(true))],
            Rel::Gt => vec![(end(false), high)],
            Rel::Ge => vec![(end(true), high)],
            Rel::Eq => vec![(end(true), end(true))],
            Rel::Ne => vec![(low, end(false)), (end(false), high)],
            _ => return Ok(None),
        };
        Ok(Some(Self { parts }))
    }

    fn union(&self, other: &Self) -> Self {
        let mut parts: Vec<(End, End)> = self.parts.iter().chain(&other.parts).cloned().collect();
        parts.sort_by(|x, y| x.0.at.total_cmp(&y.0.at).then(y.0.closed.cmp(&x.0.closed)));
        let mut merged: Vec<(End, End)> = Vec::with_capacity(parts.len());
        for part in parts {
            match merged.last_mut() {
                Some(last) if touches(&last.1, &part.0) => {
                    if beyond(&part.1, &last.1) {
                        last.1 = part.1;
                    }
                }
                _ => merged.push(part),
            }
        }
        Self { parts: merged }
    }

    fn intersection(&self, other: &Self) -> Self {
        let mut parts = Vec::new();
        for (a, b) in &self.parts {
            for (c, d) in &other.parts {
                let low = if c.at > a.at || (c.at == a.at && !c.closed) { c } else { a };
                let high = if beyond(b, d) { d } else { b };
                if low.at < high.at || (low.at == high.at && low.closed && high.closed) {
                    parts.push((low.clone(), high.clone()));
                }
            }
        }
        parts.truncate(MOST_PARTS * 2);
        Self { parts }
    }

    fn complement(&self) -> Self {
        let mut parts = Vec::new();
        let mut low = End::infinite(f64::NEG_INFINITY);
        for (a, b) in &self.parts {
            let high = End { closed: !a.closed, ..a.clone() };
            if low.at < high.at
                || (low.at == high.at && low.closed && high.closed && low.at.is_finite())
            {
                parts.push((low, high));
            }
            low = End { closed: !b.closed, ..b.clone() };
        }
        if low.at < f64::INFINITY {
            parts.push((low, End::infinite(f64::INFINITY)));
        }
        Self { parts }
    }

    /// Whether two sets have the same parts.
    pub(super) fn same(&self, other: &Self, comparer: &Comparer<'_>) -> Outcome<bool> {
        if self.parts.len() != other.parts.len() {
            return Ok(false);
        }
        for ((a, b), (c, d)) in self.parts.iter().zip(&other.parts) {
            if !(same_end(a, c, comparer)? && same_end(b, d, comparer)?) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn same_end(a: &End, b: &End, comparer: &Comparer<'_>) -> Outcome<bool> {
    if a.closed != b.closed {
        return Ok(false);
    }
    match (&a.value, &b.value) {
        (Some(x), Some(y)) => comparer.scalars(x, y),
        _ => Ok(a.at == b.at),
    }
}

/// Whether an interval that begins at `low` continues one that ends at `high`.
fn touches(high: &End, low: &End) -> bool {
    low.at < high.at || (low.at == high.at && (low.closed || high.closed))
}

/// Whether the right end `a` lies beyond the right end `b`.
fn beyond(a: &End, b: &End) -> bool {
    a.at > b.at || (a.at == b.at && a.closed && !b.closed)
}

impl Comparer<'_> {
    /// At least one side is a set by its notation.
    pub(super) fn sets(&self, a: &Expr, b: &Expr) -> Outcome<bool> {
        if self.options.preset == Preset::MathVerify
            && relation::has_order(b) != relation::has_order(a)
            && relation::has_order(b)
        {
            return Ok(false);
        }
        if let (Some((_, x)), Some((_, y))) =
            (subject_and_set(a, self.meter)?, subject_and_set(b, self.meter)?)
        {
            return x.same(&y, self);
        }
        match (a, b) {
            (Expr::Interval(x, l, h), Expr::Interval(y, l2, h2)) => {
                Ok(l == l2 && h == h2 && self.equal(&x.0, &y.0)? && self.equal(&x.1, &y.1)?)
            }
            (Expr::Interval(x, false, false), Expr::Tuple(y))
            | (Expr::Tuple(y), Expr::Interval(x, false, false))
                if y.len() == 2 =>
            {
                Ok(self.equal(&x.0, &y[0])? && self.equal(&x.1, &y[1])?)
            }
            (Expr::Set(x), Expr::Set(y)) => self.unordered(&super::plain(x), &super::plain(y)),
            (Expr::SetOp(o, x), Expr::SetOp(p, y)) if o == p && *o == SetOp::Difference => {
                self.pairwise(x, y)
            }
            (Expr::SetOp(o, x), Expr::SetOp(p, y)) if o == p => {
                self.unordered(&super::plain(x), &super::plain(y))
            }
            (Expr::Named(x), Expr::Named(y)) => Ok(x == y),
            (Expr::Builder(x), Expr::Builder(y)) => {
                Ok(self.equal(&x.0, &y.0)? && self.equal(&x.1, &y.1)?)
            }
            // A set of one member against the member.
            (Expr::Set(x), other) | (other, Expr::Set(x)) if x.len() == 1 => {
                self.equal(&x[0], other)
            }
            _ => Ok(false),
        }
    }
}
