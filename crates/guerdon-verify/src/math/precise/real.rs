//! Real numbers with a chosen number of binary digits.

use num_bigint::{BigInt, Sign};
use num_traits::{One as _, Signed as _, ToPrimitive as _, Zero as _};

use super::super::number::Rational;
use super::super::numeric::integer;

/// `mantissa * 2^exponent`. Operations round to the digits of their [`Field`], with an error of a few units in the
/// last place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Real {
    mantissa: BigInt,
    exponent: i64,
}

/// The precision, and the constants that reduce arguments.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) digits: u64,
    pub(crate) pi: Real,
    ln2: Real,
}

/// Halvings of the argument of the exponential before its series.
const HALVINGS: i64 = 8;

impl Real {
    pub(crate) fn zero() -> Self {
        Self { mantissa: BigInt::zero(), exponent: 0 }
    }

    pub(crate) fn int(n: i64) -> Self {
        Self { mantissa: n.into(), exponent: 0 }
    }

    /// A finite double, exactly.
    pub(crate) fn double(x: f64) -> Option<Self> {
        if !x.is_finite() {
            return None;
        }
        let bits = x.to_bits();
        let field = i64::try_from(bits >> 52 & 0x7ff).ok()?;
        let fraction = i64::try_from(bits & ((1 << 52) - 1)).ok()?;
        let (mantissa, exponent) =
            if field == 0 { (fraction, -1074) } else { (fraction | 1 << 52, field - 1075) };
        Some(Self { mantissa: (if x < 0.0 { -mantissa } else { mantissa }).into(), exponent })
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.mantissa.is_zero()
    }

    pub(crate) fn is_negative(&self) -> bool {
        self.mantissa.is_negative()
    }

    pub(crate) fn neg(&self) -> Self {
        Self { mantissa: -&self.mantissa, exponent: self.exponent }
    }

    pub(crate) fn abs(&self) -> Self {
        Self { mantissa: self.mantissa.abs(), exponent: self.exponent }
    }

    /// The exponent of the leading binary digit plus one; very small for zero.
    pub(crate) fn magnitude(&self) -> i64 {
        if self.is_zero() { i64::MIN / 4 } else { self.exponent + bits(&self.mantissa) }
    }

    /// The value times `2^n`.
    pub(crate) fn scaled(mut self, n: i64) -> Self {
        self.exponent += n;
        self
    }

    pub(crate) fn to_f64(&self) -> f64 {
        let shift = (bits(&self.mantissa) - 60).max(0);
        let short = (&self.mantissa >> shift.unsigned_abs()).to_f64().unwrap_or(0.0);
        let exponent = (self.exponent + shift).clamp(-2000, 2000);
        let half = i32::try_from(exponent / 2).unwrap_or(0);
        short * 2f64.powi(half) * 2f64.powi(i32::try_from(exponent).unwrap_or(0) - half)
    }

    /// The largest integer not above the value, when it is short.
    fn floor(&self) -> Option<BigInt> {
        if self.exponent >= 0 {
            return (self.magnitude() < 4096)
                .then(|| &self.mantissa << self.exponent.unsigned_abs());
        }
        Some(&self.mantissa >> self.exponent.unsigned_abs().min(1 << 20))
    }

    pub(crate) fn floored(&self) -> Option<Self> {
        self.floor().map(|mantissa| Self { mantissa, exponent: 0 })
    }

    /// The value as a machine integer, when it is one.
    pub(crate) fn to_integer(&self) -> Option<i64> {
        let floor = self.floor()?;
        let exact = Self { mantissa: floor.clone(), exponent: 0 };
        if self.exponent < 0
            && &exact.mantissa << self.exponent.unsigned_abs().min(1 << 20) != self.mantissa
        {
            return None;
        }
        floor.to_i64()
    }
}

fn bits(n: &BigInt) -> i64 {
    i64::try_from(n.bits()).unwrap_or(i64::MAX / 4)
}

/// `sum (-1)^k / ((2k+1) n^(2k+1))` with alternating signs, or with equal ones: arctangent and its hyperbolic
/// relative of `1/n`, as an integer over `2^digits`.
fn inverse_series(n: u32, digits: u64, alternating: bool) -> BigInt {
    let mut power = (BigInt::one() << digits) / n;
    let square = BigInt::from(n) * n;
    let (mut sum, mut k) = (BigInt::zero(), 0u32);
    while !power.is_zero() {
        let term = &power / (2 * k + 1);
        if alternating && k % 2 == 1 {
            sum -= term;
        } else {
            sum += term;
        }
        power /= &square;
        k += 1;
    }
    sum
}

impl Field {
    pub(crate) fn new(digits: u64) -> Self {
        let long = digits + 64;
        let exponent = -i64::try_from(long).unwrap_or(i64::MAX / 4);
        let atan = |n| inverse_series(n, long, true);
        let atanh = |n| inverse_series(n, long, false);
        Self {
            digits,
            pi: Real { mantissa: atan(5) * 16 - atan(239) * 4, exponent },
            ln2: Real { mantissa: atanh(26) * 18 - atanh(4801) * 2 + atanh(8749) * 8, exponent },
        }
    }

    fn round(&self, mut x: Real) -> Real {
        let extra = bits(&x.mantissa) - self.digits_signed();
        if extra > 0 {
            x.mantissa >>= extra.unsigned_abs();
            x.exponent += extra;
        }
        x
    }

    fn digits_signed(&self) -> i64 {
        i64::try_from(self.digits).unwrap_or(i64::MAX / 4)
    }

    pub(crate) fn rational(&self, q: &Rational) -> Real {
        let (n, d) = (q.numer(), q.denom());
        if d.is_one() {
            return self.round(Real { mantissa: n, exponent: 0 });
        }
        self.div(&Real { mantissa: n, exponent: 0 }, &Real { mantissa: d, exponent: 0 })
    }

    pub(crate) fn add(&self, a: &Real, b: &Real) -> Real {
        if a.is_zero() {
            return b.clone();
        }
        if b.is_zero() {
            return a.clone();
        }
        let (high, low) = if a.exponent >= b.exponent { (a, b) } else { (b, a) };
        let gap = high.exponent - low.exponent;
        // A number far below the last digit of the other changes nothing.
        let distance = high.magnitude() - low.magnitude();
        if distance > self.digits_signed() + 8 {
            return high.clone();
        }
        if -distance > self.digits_signed() + 8 {
            return low.clone();
        }
        let mantissa = (&high.mantissa << gap.unsigned_abs()) + &low.mantissa;
        self.round(Real { mantissa, exponent: low.exponent })
    }

    pub(crate) fn sub(&self, a: &Real, b: &Real) -> Real {
        self.add(a, &b.neg())
    }

    pub(crate) fn mul(&self, a: &Real, b: &Real) -> Real {
        self.round(Real {
            mantissa: &a.mantissa * &b.mantissa,
            exponent: a.exponent.saturating_add(b.exponent),
        })
    }

    /// The divisor is not zero.
    pub(crate) fn div(&self, a: &Real, b: &Real) -> Real {
        let shift = (self.digits_signed() + 8 + bits(&b.mantissa) - bits(&a.mantissa)).max(0);
        let mantissa = (&a.mantissa << shift.unsigned_abs()) / &b.mantissa;
        self.round(Real {
            mantissa,
            exponent: a.exponent.saturating_sub(b.exponent).saturating_sub(shift),
        })
    }

    /// The square root of a number that is not negative.
    pub(crate) fn sqrt(&self, a: &Real) -> Real {
        if a.mantissa.sign() != Sign::Plus {
            return Real::zero();
        }
        let mut shift = (2 * self.digits_signed() + 16 - bits(&a.mantissa)).max(0);
        shift += (a.exponent - shift).rem_euclid(2);
        let mantissa = (&a.mantissa << shift.unsigned_abs()).sqrt();
        self.round(Real { mantissa, exponent: (a.exponent - shift) / 2 })
    }

    /// `None` when the result could not be written down.
    pub(crate) fn exp(&self, x: &Real) -> Option<Real> {
        if x.is_zero() {
            return Some(Real::int(1));
        }
        if x.magnitude() > 20 {
            return None;
        }
        let turns = integer((x.to_f64() / std::f64::consts::LN_2).round());
        let rest = self.sub(x, &self.mul(&self.ln2, &Real::int(turns))).scaled(-HALVINGS);
        let (mut sum, mut term, mut k) = (Real::int(1), Real::int(1), 1);
        while !term.is_zero() && term.magnitude() > -self.digits_signed() - 8 {
            term = self.div(&self.mul(&term, &rest), &Real::int(k));
            sum = self.add(&sum, &term);
            k += 1;
        }
        for _ in 0..HALVINGS {
            sum = self.mul(&sum, &sum);
        }
        Some(sum.scaled(turns))
    }

    /// The natural logarithm of a positive number.
    pub(crate) fn ln(&self, x: &Real) -> Option<Real> {
        if x.is_zero() || x.is_negative() {
            return None;
        }
        let scale = x.magnitude();
        let part = x.clone().scaled(-scale);
        let mut y = Real::double(part.to_f64().ln())?;
        // Halley's iteration triples the digits, of which a double has fifty.
        let mut digits = 48;
        while digits < self.digits_signed() + 8 {
            let e = self.exp(&y)?;
            let step = self.div(&self.sub(&part, &e), &self.add(&part, &e));
            y = self.add(&y, &step.scaled(1));
            digits *= 3;
        }
        Some(self.add(&y, &self.mul(&self.ln2, &Real::int(scale))))
    }

    /// Sine and cosine.
    pub(crate) fn sin_cos(&self, x: &Real) -> Option<(Real, Real)> {
        if x.magnitude() > 40 {
            return None;
        }
        let quarter = self.pi.clone().scaled(-1);
        let turns = integer((x.to_f64() / std::f64::consts::FRAC_PI_2).round());
        let rest = self.sub(x, &self.mul(&quarter, &Real::int(turns)));
        let square = self.mul(&rest, &rest);
        let series = |first: Real, mut k: i64| {
            let (mut sum, mut term) = (first.clone(), first);
            while !term.is_zero() && term.magnitude() > -self.digits_signed() - 8 {
                term = self.div(&self.mul(&term, &square), &Real::int(k * (k + 1))).neg();
                sum = self.add(&sum, &term);
                k += 2;
            }
            sum
        };
        let (sin, cos) = (series(rest, 2), series(Real::int(1), 1));
        Some(match turns.rem_euclid(4) {
            0 => (sin, cos),
            1 => (cos, sin.neg()),
            2 => (sin.neg(), cos.neg()),
            _ => (cos.neg(), sin),
        })
    }

    pub(crate) fn atan(&self, x: &Real) -> Real {
        if x.is_negative() {
            return self.atan(&x.neg()).neg();
        }
        if x.magnitude() > 1 || (x.magnitude() == 1 && !self.sub(x, &Real::int(1)).is_zero()) {
            let rest = self.atan(&self.div(&Real::int(1), x));
            return self.sub(&self.pi.clone().scaled(-1), &rest);
        }
        let mut part = x.clone();
        for _ in 0..3 {
            let root = self.sqrt(&self.add(&Real::int(1), &self.mul(&part, &part)));
            part = self.div(&part, &self.add(&Real::int(1), &root));
        }
        let square = self.mul(&part, &part);
        let (mut sum, mut power, mut k) = (part.clone(), part, 3);
        while !power.is_zero() && power.magnitude() > -self.digits_signed() - 8 {
            power = self.mul(&power, &square).neg();
            sum = self.add(&sum, &self.div(&power, &Real::int(k)));
            k += 2;
        }
        sum.scaled(3)
    }

    /// The angle of a point that is not the origin.
    pub(crate) fn atan2(&self, y: &Real, x: &Real) -> Real {
        if x.is_zero() {
            let quarter = self.pi.clone().scaled(-1);
            return if y.is_negative() { quarter.neg() } else { quarter };
        }
        let angle = self.atan(&self.div(y, x));
        match (x.is_negative(), y.is_negative()) {
            (false, _) => angle,
            (true, false) => self.add(&angle, &self.pi),
            (true, true) => self.sub(&angle, &self.pi),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(field: &Field, a: &Real, b: &Real) -> bool {
        field.sub(a, b).magnitude() < a.magnitude() - field.digits_signed() + 32
    }

    #[test]
    fn functions_undo_each_other() {
        for digits in [192, 320, 1024] {
            let f = Field::new(digits);
            for x in [0.1, 0.75, 1.0, 2.5, 31.4, 0.015, 1e5] {
                let x = Real::double(x).unwrap();
                assert!(close(&f, &f.ln(&f.exp(&x).unwrap()).unwrap(), &x), "{x:?}");
                let root = f.sqrt(&x);
                assert!(close(&f, &f.mul(&root, &root), &x));
                let (s, c) = f.sin_cos(&x).unwrap();
                let one = f.add(&f.mul(&s, &s), &f.mul(&c, &c));
                assert!(close(&f, &one, &Real::int(1)));
                let a = f.atan(&x);
                let (s, c) = f.sin_cos(&a).unwrap();
                assert!(close(&f, &f.div(&s, &c), &x), "{x:?}");
            }
        }
    }

    #[test]
    fn doubles_go_through_unchanged() {
        for x in [0.1, -3.5, 1e300, 5e-324, 0.0] {
            assert_eq!(Real::double(x).unwrap().to_f64(), x);
        }
        assert!(Real::double(f64::NAN).is_none());
    }

    #[test]
    fn integers_are_recognised() {
        assert_eq!(Real::double(12.0).unwrap().to_integer(), Some(12));
        assert_eq!(Real::double(12.5).unwrap().to_integer(), None);
        assert_eq!(Real::double(-0.5).unwrap().floored().unwrap().to_f64(), -1.0);
    }
}
