//! Numbers of JSON, compared and divided exactly.

use std::cmp::Ordering;

use serde_json::Number;

/// A number as JSON has it: whole within 64 bits, or a double.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Num {
    Whole(i128),
    Float(f64),
}

impl Num {
    pub(super) fn of(number: &Number) -> Self {
        if let Some(n) = number.as_i64() {
            return Self::Whole(n.into());
        }
        match number.as_u64() {
            Some(n) => Self::Whole(n.into()),
            None => Self::Float(number.as_f64().unwrap_or(0.0)),
        }
    }

    /// Whether there is nothing behind the point: `1.0` is an integer.
    pub(super) fn is_integer(self) -> bool {
        match self {
            Self::Whole(_) => true,
            Self::Float(x) => x.fract() == 0.0,
        }
    }

    /// A count: a whole number from 0; the largest stands for those beyond 64 bits.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    pub(super) fn count(self) -> Option<u64> {
        match self {
            Self::Whole(n) => u64::try_from(n).ok(),
            Self::Float(x) => (x >= 0.0 && x.fract() == 0.0).then_some(x as u64),
        }
    }

    pub(super) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a.cmp(&b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(&(b + 0.0)),
            (Self::Whole(a), Self::Float(b)) => whole_to_float(a, b),
            (Self::Float(a), Self::Whole(b)) => whole_to_float(b, a).reverse(),
        }
    }
}

/// The order of a whole number of 65 bits at most and a finite double.
#[allow(clippy::cast_possible_truncation, reason = "the double is below 2^65 there")]
fn whole_to_float(n: i128, x: f64) -> Ordering {
    if x >= 3.7e19 {
        return Ordering::Less;
    }
    if x <= -3.7e19 {
        return Ordering::Greater;
    }
    let floor = x.floor();
    n.cmp(&(floor as i128)).then(if x > floor { Ordering::Less } else { Ordering::Equal })
}

/// The magnitude `digits · 10^exponent` of a decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: u128,
    exponent: i32,
}

impl Decimal {
    /// The shortest decimal number that reads as this one.
    pub(super) fn of(number: Num) -> Self {
        match number {
            Num::Whole(n) => Self { digits: n.unsigned_abs(), exponent: 0 },
            Num::Float(x) => Self::of_float(x),
        }
    }

    fn of_float(x: f64) -> Self {
        let text = format!("{:e}", x.abs());
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}").parse().unwrap_or(0);
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let places = i32::try_from(fraction.len()).unwrap_or(0);
        Self { digits, exponent: exponent - places }
    }

    /// Whether this is a whole multiple of `unit`, which is not 0.
    pub(super) fn is_multiple_of(self, unit: Self) -> bool {
        if self.digits == 0 {
            return true;
        }
        let shift = self.exponent - unit.exponent;
        if shift < 0 {
            // Every factor of ten must come out of the digits.
            return 10_u128
                .checked_pow(shift.unsigned_abs())
                .and_then(|power| unit.digits.checked_mul(power))
                .is_some_and(|divisor| self.digits.is_multiple_of(divisor));
        }
        // Both digit strings are below 2^65, so that a product fits 128 bits once it is reduced.
        let modulus = unit.digits;
        if modulus > u128::from(u64::MAX) {
            return false;
        }
        let step = |rest: u128, _| rest * 10 % modulus;
        (0..shift).fold(self.digits % modulus, step) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::{Decimal, Num};
    use serde_json::Value;
    use std::cmp::Ordering;

    fn num(text: &str) -> Num {
        match serde_json::from_str(text).unwrap() {
            Value::Number(number) => Num::of(&number),
            other => panic!("{other}"),
        }
    }

    fn multiple(value: &str, unit: &str, expect: bool) {
        let got = Decimal::of(num(value)).is_multiple_of(Decimal::of(num(unit)));
        assert_eq!(got, expect, "{value} of {unit}");
    }

    #[test]
    fn multiples_are_decimal() {
        multiple("0.0075", "0.0001", true);
        multiple("0.00751", "0.0001", false);
        multiple("19.99", "0.01", true);
        multiple("4.5", "1.5", true);
        multiple("35", "1.5", false);
        multiple("0", "3", true);
        multiple("-6", "3", true);
        multiple("1e308", "0.5", true);
        multiple("1e-300", "1e300", false);
        multiple("18446744073709551615", "5", true);
        multiple("1e300", "7", false);
    }

    #[test]
    fn order_beyond_the_precision_of_doubles() {
        let check =
            |a: &str, b: &str, expect| assert_eq!(num(a).compare(num(b)), expect, "{a} {b}");
        check("9007199254740993", "9007199254740992.0", Ordering::Greater);
        check("1", "1.5", Ordering::Less);
        check("-1", "-1.5", Ordering::Greater);
        check("1.0", "1", Ordering::Equal);
        check("0.0", "-0.0", Ordering::Equal);
        check("18446744073709551615", "1e20", Ordering::Less);
        check("-1e30", "-9223372036854775808", Ordering::Less);
    }

    #[test]
    fn integers_and_counts() {
        assert!(num("1.0").is_integer() && !num("1.5").is_integer());
        assert_eq!(num("2.0").count(), Some(2));
        assert_eq!(num("-1").count(), None);
        assert_eq!(num("1e300").count(), Some(u64::MAX));
    }
}
