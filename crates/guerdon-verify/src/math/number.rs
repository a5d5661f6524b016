//! Exact rational numbers: machine words while they fit, big integers beyond.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_integer::Integer as _;
use num_rational::BigRational;
use num_traits::{One as _, Signed as _, ToPrimitive as _};

use super::meter::{Meter, Outcome, Stop};

/// A rational number in lowest terms with a positive denominator.
///
/// Invariant: a value whose numerator and denominator both fit `i64` is always `Small`, so that derived
/// equality and hashing are equality and hashing of values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Rational {
    Small(i64, i64),
    Big(Box<BigRational>),
}

impl Rational {
    pub(crate) const ZERO: Self = Self::Small(0, 1);
    pub(crate) const ONE: Self = Self::Small(1, 1);

    pub(crate) const fn int(n: i64) -> Self {
        Self::Small(n, 1)
    }

    /// `n / d`; `None` when `d` is zero.
    pub(crate) fn ratio(n: i128, d: i128) -> Option<Self> {
        if d == 0 {
            return None;
        }
        let g = gcd(n.unsigned_abs(), d.unsigned_abs());
        let g = i128::try_from(g).ok()?;
        let (mut n, mut d) = (n / g, d / g);
        if d < 0 {
            (n, d) = (n.checked_neg()?, d.checked_neg()?);
        }
        Some(match (i64::try_from(n), i64::try_from(d)) {
            (Ok(n), Ok(d)) => Self::Small(n, d),
            _ => Self::Big(Box::new(BigRational::new_raw(n.into(), d.into()))),
        })
    }

    pub(crate) fn from_big(value: BigRational) -> Self {
        match (value.numer().to_i64(), value.denom().to_i64()) {
            (Some(n), Some(d)) => Self::Small(n, d),
            _ => Self::Big(Box::new(value)),
        }
    }

    pub(crate) fn from_bigint(value: BigInt) -> Self {
        Self::from_big(BigRational::from_integer(value))
    }

    pub(crate) fn to_big(&self) -> BigRational {
        match self {
            Self::Small(n, d) => BigRational::new_raw((*n).into(), (*d).into()),
            Self::Big(b) => (**b).clone(),
        }
    }

    /// `digits * 10^exponent`, the value of a decimal literal. `digits` holds ASCII digits only.
    pub(crate) fn decimal(digits: &str, exponent: i64, meter: &Meter) -> Outcome<Self> {
        let digits = digits.trim_start_matches('0');
        meter.bits(digits.len() as u64 * 10 / 3)?;
        let value = if digits.len() <= 18 {
            Self::int(digits.bytes().fold(0, |n, b| n * 10 + i64::from(b - b'0')))
        } else {
            let bits = digits.len() as u64;
            meter.step(bits * bits / 256 + 16)?;
            Self::from_bigint(BigInt::parse_bytes(digits.as_bytes(), 10).ok_or(Stop::Undefined)?)
        };
        if exponent == 0 {
            return Ok(value);
        }
        value.mul(&Self::int(10).pow(exponent, meter)?, meter)
    }

    pub(crate) fn is_zero(&self) -> bool {
        matches!(self, Self::Small(0, _))
    }

    pub(crate) fn is_one(&self) -> bool {
        matches!(self, Self::Small(1, 1))
    }

    pub(crate) fn is_integer(&self) -> bool {
        match self {
            Self::Small(_, d) => *d == 1,
            Self::Big(b) => b.denom().is_one(),
        }
    }

    pub(crate) fn is_negative(&self) -> bool {
        match self {
            Self::Small(n, _) => *n < 0,
            Self::Big(b) => b.is_negative(),
        }
    }

    /// The value as a machine integer, when it is one.
    pub(crate) fn to_i64(&self) -> Option<i64> {
        match self {
            Self::Small(n, 1) => Some(*n),
            _ => None,
        }
    }

    pub(crate) fn numer(&self) -> BigInt {
        match self {
            Self::Small(n, _) => (*n).into(),
            Self::Big(b) => b.numer().clone(),
        }
    }

    pub(crate) fn denom(&self) -> BigInt {
        match self {
            Self::Small(_, d) => (*d).into(),
            Self::Big(b) => b.denom().clone(),
        }
    }

    /// Bits of the longer of numerator and denominator.
    pub(crate) fn bits(&self) -> u64 {
        match self {
            Self::Small(n, d) => u64::from(
                64 - n.unsigned_abs().leading_zeros().min((*d).unsigned_abs().leading_zeros()),
            ),
            Self::Big(b) => b.numer().bits().max(b.denom().bits()),
        }
    }

    /// The nearest double; infinite when out of range.
    pub(crate) fn to_f64(&self) -> f64 {
        match self {
            Self::Small(n, d) => *n as f64 / *d as f64,
            Self::Big(b) => big_ratio_to_f64(b),
        }
    }

    pub(crate) fn neg(&self) -> Self {
        match self {
            Self::Small(n, d) if *n != i64::MIN => Self::Small(-n, *d),
            other => Self::from_big(-other.to_big()),
        }
    }

    pub(crate) fn abs(&self) -> Self {
        if self.is_negative() { self.neg() } else { self.clone() }
    }

    pub(crate) fn recip(&self) -> Option<Self> {
        match self {
            Self::Small(n, d) => Self::ratio(i128::from(*d), i128::from(*n)),
            Self::Big(b) => Some(Self::from_big(b.recip())),
        }
    }

    pub(crate) fn add(&self, other: &Self, meter: &Meter) -> Outcome<Self> {
        if let (Self::Small(a, b), Self::Small(c, d)) = (self, other) {
            let (a, b, c, d) = (i128::from(*a), i128::from(*b), i128::from(*c), i128::from(*d));
            if let Some(sum) = (a * d).checked_add(c * b).and_then(|n| Self::ratio(n, b * d)) {
                return Ok(sum);
            }
        }
        self.charge(other, meter)?;
        Ok(Self::from_big(self.to_big() + other.to_big()))
    }

    pub(crate) fn sub(&self, other: &Self, meter: &Meter) -> Outcome<Self> {
        self.add(&other.neg(), meter)
    }

    pub(crate) fn mul(&self, other: &Self, meter: &Meter) -> Outcome<Self> {
        if let (Self::Small(a, b), Self::Small(c, d)) = (self, other) {
            let (n, d) = (i128::from(*a) * i128::from(*c), i128::from(*b) * i128::from(*d));
            if let Some(product) = Self::ratio(n, d) {
                return Ok(product);
            }
        }
        self.charge(other, meter)?;
        Ok(Self::from_big(self.to_big() * other.to_big()))
    }

    pub(crate) fn div(&self, other: &Self, meter: &Meter) -> Outcome<Self> {
        self.mul(&other.recip().ok_or(Stop::Undefined)?, meter)
    }

    /// An integer power, refused before it is computed when the result would be too long.
    pub(crate) fn pow(&self, exponent: i64, meter: &Meter) -> Outcome<Self> {
        if exponent == 0 || self.is_one() {
            return Ok(Self::ONE);
        }
        if self.is_zero() {
            return if exponent > 0 { Ok(Self::ZERO) } else { Err(Stop::Undefined) };
        }
        if *self == Self::int(-1) {
            return Ok(Self::int(if exponent % 2 == 0 { 1 } else { -1 }));
        }
        let magnitude = exponent.unsigned_abs();
        let bits = self.bits().saturating_mul(magnitude);
        meter.bits(bits)?;
        meter.step(1 + (bits / 64).pow(2))?;
        let base = if exponent < 0 { self.recip().ok_or(Stop::Undefined)? } else { self.clone() };
        let power = u32::try_from(magnitude).map_err(|_| Stop::Budget("bits"))?;
        if let Self::Small(n, d) = base
            && let (Some(n), Some(d)) = (n.checked_pow(power), d.checked_pow(power))
        {
            return Ok(Self::Small(n, d));
        }
        let base = base.to_big();
        Ok(Self::from_big(BigRational::new_raw(base.numer().pow(power), base.denom().pow(power))))
    }

    /// `n!`, refused before it is computed when the result would be too long.
    pub(crate) fn factorial(n: i64, meter: &Meter) -> Outcome<Self> {
        let n = u64::try_from(n).map_err(|_| Stop::Undefined)?;
        meter.bits(n.saturating_mul(u64::from(n.max(2).ilog2())))?;
        meter.step(n * n / 8 + 1)?;
        Ok(Self::from_bigint((1..=n).fold(BigInt::one(), |f, k| f * k)))
    }

    /// The largest integer not above the value.
    pub(crate) fn floor(&self) -> Self {
        match self {
            Self::Small(n, d) => Self::int(n.div_euclid(*d)),
            Self::Big(b) => Self::from_big(b.floor()),
        }
    }

    /// The real `n`-th root when it is rational.
    pub(crate) fn root(&self, n: u32, meter: &Meter) -> Outcome<Option<Self>> {
        if self.is_negative() {
            return Ok(if n % 2 == 1 { self.neg().root(n, meter)?.map(|r| r.neg()) } else { None });
        }
        let words = self.bits() / 64 + 1;
        meter.step(words * words * 8)?;
        let (p, q) = (self.numer(), self.denom());
        let (rp, rq) = (p.nth_root(n), q.nth_root(n));
        let exact = rp.pow(n) == p && rq.pow(n) == q;
        Ok(exact.then(|| Self::from_big(BigRational::new_raw(rp, rq))))
    }

    /// The value modulo the prime `p`; `None` when `p` divides the denominator.
    pub(crate) fn residue(&self, p: u64) -> Option<u64> {
        let (n, d) = match self {
            Self::Small(n, d) => {
                let modulus = i128::from(p);
                (i128::from(*n).rem_euclid(modulus), i128::from(*d).rem_euclid(modulus))
            }
            Self::Big(b) => {
                let modulus = BigInt::from(p);
                (b.numer().mod_floor(&modulus).to_i128()?, b.denom().mod_floor(&modulus).to_i128()?)
            }
        };
        let (n, d) = (u64::try_from(n).ok()?, u64::try_from(d).ok()?);
        if d == 1 { Some(n) } else { super::modular::div(n, d, p) }
    }

    fn charge(&self, other: &Self, meter: &Meter) -> Outcome<()> {
        let bits = self.bits() + other.bits();
        meter.bits(bits)?;
        let words = bits / 64 + 1;
        meter.step(words * words)
    }
}

impl PartialOrd for Rational {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rational {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Small(a, b), Self::Small(c, d)) => {
                (i128::from(*a) * i128::from(*d)).cmp(&(i128::from(*c) * i128::from(*b)))
            }
            _ => self.to_big().cmp(&other.to_big()),
        }
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    if let (Ok(a), Ok(b)) = (u64::try_from(a), u64::try_from(b)) {
        return u128::from(a.gcd(&b)).max(1);
    }
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

/// Correct to a few units in the last place, without overflow for huge numerators and denominators.
fn big_ratio_to_f64(value: &BigRational) -> f64 {
    let shift = |n: &BigInt| n.bits().saturating_sub(64);
    let (sn, sd) = (shift(value.numer()), shift(value.denom()));
    let n = (value.numer() >> sn).to_f64().unwrap_or(f64::NAN);
    let d = (value.denom() >> sd).to_f64().unwrap_or(f64::NAN);
    let exponent = i128::from(sn) - i128::from(sd);
    let clamped = i32::try_from(exponent.clamp(-3000, 3000)).unwrap_or(0);
    (n / d) * 2f64.powi(clamped / 2) * 2f64.powi(clamped - clamped / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Budget;

    fn meter() -> Meter {
        Meter::new(&Budget::default())
    }

    fn q(n: i64, d: i64) -> Rational {
        Rational::ratio(n.into(), d.into()).unwrap()
    }

    #[test]
    fn lowest_terms_and_sign() {
        assert_eq!(q(6, -4), Rational::Small(-3, 2));
        assert_eq!(Rational::ratio(1, 0), None);
        assert_eq!(q(i64::MIN, 1).neg().neg(), q(i64::MIN, 1));
    }

    #[test]
    fn arithmetic_crosses_the_word_and_comes_back() {
        let m = meter();
        let big = q(i64::MAX, 1).mul(&q(i64::MAX, 1), &m).unwrap();
        assert!(matches!(big, Rational::Big(_)));
        assert_eq!(big.div(&q(i64::MAX, 1), &m).unwrap(), q(i64::MAX, 1));
    }

    #[test]
    fn powers_are_refused_before_they_are_computed() {
        let m = meter();
        assert_eq!(q(7, 1).pow(i64::MAX, &m), Err(Stop::Budget("bits")));
        assert_eq!(Rational::factorial(1_000_000_000, &m), Err(Stop::Budget("bits")));
        assert_eq!(q(2, 3).pow(-3, &m).unwrap(), q(27, 8));
        assert_eq!(q(-1, 1).pow(i64::MAX, &m).unwrap(), q(-1, 1));
        assert_eq!(Rational::ZERO.pow(-1, &m), Err(Stop::Undefined));
    }

    #[test]
    fn roots_only_when_exact() {
        let m = meter();
        assert_eq!(q(-8, 27).root(3, &m).unwrap(), Some(q(-2, 3)));
        assert_eq!(q(2, 1).root(2, &m).unwrap(), None);
    }

    #[test]
    fn decimals_are_exact() {
        let m = meter();
        assert_eq!(Rational::decimal("0125", -3, &m).unwrap(), q(1, 8));
        assert_eq!(Rational::decimal("3", 2, &m).unwrap(), q(300, 1));
    }

    #[test]
    fn huge_ratios_become_doubles() {
        let m = meter();
        let x = q(10, 1).pow(400, &m).unwrap().div(&q(10, 1).pow(399, &m).unwrap(), &m).unwrap();
        assert!((x.to_f64() - 10.0).abs() < 1e-12);
        let y = q(10, 1).pow(400, &m).unwrap().add(&q(1, 3), &m).unwrap();
        assert!(y.to_f64().is_infinite());
    }
}
