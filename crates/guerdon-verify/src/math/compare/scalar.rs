//! Numbers and expressions: exact first, then a prime field, then numbers with many digits.

use super::super::ast::{Const, Expr, Func};
use super::super::meter::{Outcome, Stop};
use super::super::number::Rational;
use super::super::numeric::{self, Complex};
use super::super::{Preset, Units, calendar, exact, field, precise, units};
use super::Comparer;

/// Two doubles that agree to this share may be the same number; more digits decide.
const SUSPICION: f64 = 1e-9;
/// Binary digits of the decision about numbers of the size of one; larger and smaller ones get more.
const DIGITS: u64 = 256;
/// The field for numbers that are neither huge nor tiny.
static ORDINARY: std::sync::LazyLock<precise::Field> =
    std::sync::LazyLock::new(|| precise::Field::new(DIGITS + 64));
/// Points at which expressions with symbols are compared.
const POINTS: u64 = 3;

impl Comparer<'_> {
    // ---- units

    /// Decides when one side has a unit; `None` when neither has.
    pub(super) fn measured(&self, a: &Expr, b: &Expr) -> Outcome<Option<bool>> {
        match (a, b) {
            (Expr::Measure(x, u), Expr::Measure(y, v)) => {
                self.both_measured((x, u), (y, v)).map(Some)
            }
            (Expr::Measure(x, u), other) | (other, Expr::Measure(x, u)) => {
                if self.options.units == Units::Compare && units::parse(u).is_some() {
                    return Ok(Some(false));
                }
                if let Some(clock) = calendar::clock(x, u) {
                    return Ok(Some(calendar::bare_clock(other) == Some(clock)));
                }
                self.equal(x, other).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn both_measured(&self, (x, u): (&Expr, &str), (y, v): (&Expr, &str)) -> Outcome<bool> {
        if let (Some(s), Some(t)) = (calendar::clock(x, u), calendar::clock(y, v)) {
            return Ok(s == t);
        }
        if u == v || self.options.units == Units::Ignore {
            return self.equal(x, y);
        }
        match (units::parse(u), units::parse(v)) {
            (Some(s), Some(t)) => {
                if s.dimension != t.dimension {
                    return Ok(false);
                }
                let scaled =
                    |x: &Expr, size: Rational| Expr::Prod(vec![x.clone(), Expr::Num(size)]);
                self.equal(&scaled(x, s.size), &scaled(y, t.size))
            }
            _ if self.options.units == Units::Compare => {
                Ok(super::same_words(u, v) && self.equal(x, y)?)
            }
            _ => self.equal(x, y),
        }
    }

    // ---- scalars

    /// Whether two expressions have the same value.
    pub(super) fn scalars(&self, a: &Expr, b: &Expr) -> Outcome<bool> {
        match (a, b) {
            (Expr::Percent(x), Expr::Percent(y)) => self.scalars(x, y),
            (Expr::Percent(x), other) | (other, Expr::Percent(x)) => {
                Ok(self.values(a, b)? || (self.options.bare_percent && self.values(x, other)?))
            }
            (Expr::Ratio(x, s), Expr::Ratio(y, t)) => self.ratios((x, *s), (y, *t)),
            _ => self.values(a, b),
        }
    }

    /// `2:3 = 4:6`; a time of day with a zero in its minutes is no ratio.
    fn ratios(&self, (a, time_a): (&[Expr], bool), (b, time_b): (&[Expr], bool)) -> Outcome<bool> {
        if a.len() != b.len() {
            return Ok(false);
        }
        let clock = |parts: &[Expr], time: bool| {
            time && exact::evaluate(&parts[1], self.meter).is_ok_and(|m| m < Rational::int(10))
        };
        if clock(a, time_a) || clock(b, time_b) {
            return self.pairwise(a, b);
        }
        for at in 1..a.len() {
            let cross = |x: &[Expr], y: &[Expr]| Expr::Prod(vec![x[0].clone(), y[at].clone()]);
            if !self.values(&cross(a, b), &cross(b, a))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn values(&self, a: &Expr, b: &Expr) -> Outcome<bool> {
        if let Some(verdict) = infinities(a, b) {
            return Ok(verdict);
        }
        let decimal = is_decimal(a) || is_decimal(b);
        let refused = match (exact::evaluate(a, self.meter), exact::evaluate(b, self.meter)) {
            (Ok(x), Ok(y)) => return self.rationals(&x, &y, decimal),
            (Err(stop @ Stop::Budget("steps")), _) | (_, Err(stop @ Stop::Budget("steps"))) => {
                return Err(stop);
            }
            (Err(Stop::Budget(what)), _) | (_, Err(Stop::Budget(what))) => Some(what),
            _ => None,
        };
        if let Some(same) = self.in_fields(a, b)?
            && (same || !decimal)
        {
            return Ok(same);
        }
        self.numerically(a, b, decimal, refused)
    }

    fn rationals(&self, x: &Rational, y: &Rational, decimal: bool) -> Outcome<bool> {
        if x == y {
            return Ok(true);
        }
        if self.options.preset == Preset::MathVerify {
            return self.rounded(x, y, decimal);
        }
        if !decimal {
            return Ok(false);
        }
        let difference = x.sub(y, self.meter)?.abs();
        let (x, y) = (x.abs(), y.abs());
        let larger = if x > y { x } else { y };
        let places = i64::from(self.options.float_rounding.min(30));
        let unit = Rational::int(10).pow(-places, self.meter)?;
        let scale = if larger < Rational::ONE { larger.clone() } else { Rational::ONE };
        Ok(difference <= unit.mul(&scale, self.meter)?
            || self.tolerated(difference.to_f64(), larger.to_f64()))
    }

    /// Math-Verify rounds decimals to a number of places whatever their size, and takes differences of exact numbers
    /// below 10^-15 for nothing.
    fn rounded(&self, x: &Rational, y: &Rational, decimal: bool) -> Outcome<bool> {
        if !decimal {
            let tiny = Rational::int(10).pow(-15, self.meter)?;
            return Ok(x.sub(y, self.meter)?.abs() < tiny && !(x.is_integer() && y.is_integer()));
        }
        let scale =
            Rational::int(10).pow(i64::from(self.options.float_rounding.min(30)), self.meter)?;
        // Halves go to the even neighbour.
        let half = Rational::Small(1, 2);
        let round = |v: &Rational| -> Outcome<Rational> {
            let raised = v.mul(&scale, self.meter)?.add(&half, self.meter)?;
            let floor = raised.floor();
            let odd = !floor.mul(&half, self.meter)?.is_integer();
            if odd && floor == raised { floor.sub(&Rational::ONE, self.meter) } else { Ok(floor) }
        };
        Ok(round(x)? == round(y)?)
    }

    /// The tolerances that the caller allows for decimals.
    fn tolerated(&self, difference: f64, larger: f64) -> bool {
        difference <= self.options.absolute_tolerance
            || difference <= self.options.relative_tolerance * larger
    }

    /// `Some` when both are rational expressions of their symbols.
    fn in_fields(&self, a: &Expr, b: &Expr) -> Outcome<Option<bool>> {
        for prime in 0..2 {
            let at = field::Point { prime, seed: self.options.seed.wrapping_add(prime as u64) };
            let pair = (field::evaluate(a, at, self.meter), field::evaluate(b, at, self.meter));
            match pair {
                (Ok(x), Ok(y)) if x == y => {}
                (Ok(_), Ok(_)) => return Ok(Some(false)),
                (Err(Stop::Budget("steps")), _) | (_, Err(Stop::Budget("steps"))) => {
                    return Err(Stop::Budget("steps"));
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(true))
    }

    /// `spent` is the allowance that exact evaluation ran out of.
    fn numerically(
        &self,
        a: &Expr,
        b: &Expr,
        decimal: bool,
        mut spent: Option<&'static str>,
    ) -> Outcome<bool> {
        let free = has_symbols(a) || has_symbols(b);
        let mut compared = 0;
        for round in 0..if free { 2 * POINTS } else { 1 } {
            let signed = round >= POINTS;
            let seed = self.options.seed.wrapping_add(0x5eed + round);
            let at = numeric::Point { seed, signed, bound: None };
            let pair = (numeric::evaluate(a, at, self.meter), numeric::evaluate(b, at, self.meter));
            let (x, y) = match pair {
                (Ok(x), Ok(y)) => (x, y),
                (Err(Stop::Budget(what)), _) | (_, Err(Stop::Budget(what))) => {
                    spent = Some(what);
                    continue;
                }
                _ => continue,
            };
            if signed && !(is_real(x) && is_real(y)) {
                continue;
            }
            let gap = Gap::between(x, y);
            if decimal && self.forgiven(&gap) {
                compared += 1;
                continue;
            }
            // Digits are spent at one point of each sign: a difference that doubles cannot see anywhere shows there.
            let digits = compared == 0 || round == POINTS || !gap.is_close();
            if gap.is_clear() || (digits && !self.confirmed(a, b, at, &gap)?) {
                return Ok(false);
            }
            compared += 1;
        }
        match spent {
            _ if compared > 0 => Ok(true),
            Some(what) => Err(Stop::Budget(what)),
            None => Ok(false),
        }
    }

    /// Whether decimals may differ so much.
    fn forgiven(&self, gap: &Gap) -> bool {
        let places = i32::try_from(self.options.float_rounding.min(30)).unwrap_or(30);
        let rounding = 10f64.powi(-places) * gap.larger.min(1.0);
        gap.difference <= rounding || self.tolerated(gap.difference, gap.larger)
    }

    /// Doubles cannot tell the values apart: more digits decide, as many as the size of the numbers asks for. Where
    /// a function has no precise version, agreement in doubles is all there is.
    fn confirmed(&self, a: &Expr, b: &Expr, at: numeric::Point<'_>, gap: &Gap) -> Outcome<bool> {
        let size = if gap.larger > 0.0 { gap.larger.log2().abs().min(1100.0) } else { 0.0 };
        let wide;
        let field = if size <= 64.0 {
            &*ORDINARY
        } else {
            wide = precise::Field::new(DIGITS + numeric::integer(size).unsigned_abs());
            &wide
        };
        let evaluator = precise::Evaluator { field, point: at, meter: self.meter };
        match (evaluator.value(a), evaluator.value(b)) {
            (Ok(x), Ok(y)) => Ok(precise::agree(field, &x, &y)),
            (Err(Stop::Budget(what)), _) | (_, Err(Stop::Budget(what))) => Err(Stop::Budget(what)),
            _ => Ok(gap.is_close()),
        }
    }
}

/// How far two doubles are apart.
struct Gap {
    difference: f64,
    larger: f64,
}

impl Gap {
    fn between(x: Complex, y: Complex) -> Self {
        let difference = Complex { re: x.re - y.re, im: x.im - y.im }.norm();
        Self { difference, larger: x.norm().max(y.norm()) }
    }

    fn is_close(&self) -> bool {
        self.difference <= SUSPICION * self.larger || self.difference <= 1e-13
    }

    /// The values differ by more than rounding can explain.
    fn is_clear(&self) -> bool {
        self.difference > SUSPICION * self.larger && self.difference > 1e-7
    }
}

fn is_real(x: Complex) -> bool {
    x.im.abs() <= 1e-12 * x.norm()
}

/// `Some` when one side is infinite.
fn infinities(a: &Expr, b: &Expr) -> Option<bool> {
    let (x, y) = (infinite_sign(a), infinite_sign(b));
    (x.is_some() || y.is_some()).then_some(x == y)
}

/// The sign of `±∞` with any positive factor.
pub(super) fn infinite_sign(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::Const(Const::Infinity) => Some(true),
        Expr::Neg(x) => infinite_sign(x).map(|s| !s),
        _ => None,
    }
}

/// Whether a decimal literal occurs: the value is a rounded one.
pub(super) fn is_decimal(expr: &Expr) -> bool {
    expr.any(&|x| matches!(x, Expr::Dec(_)))
}

fn has_symbols(expr: &Expr) -> bool {
    expr.any(&|x| matches!(x, Expr::Sym(_) | Expr::App(..) | Expr::Text(_)))
        || expr.any(&|x| matches!(x, Expr::Bound(..) | Expr::Call(Func::Arg, _)))
}
