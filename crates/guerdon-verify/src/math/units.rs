//! Units of measure: which words are units, and what they are worth in base units.

use super::number::Rational;

/// Exponents of metre, kilogram, second, ampere, kelvin, mole, currency, byte, angle.
pub(crate) type Dimension = [i8; 9];

/// A unit that can be converted: its dimension and its size in base units.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unit {
    pub(crate) dimension: Dimension,
    pub(crate) size: Rational,
}

const NONE: Dimension = [0; 9];

const fn dim(at: usize, exponent: i8) -> Dimension {
    let mut d = NONE;
    d[at] = exponent;
    d
}

const LENGTH: Dimension = dim(0, 1);
const AREA: Dimension = dim(0, 2);
const VOLUME: Dimension = dim(0, 3);
const MASS: Dimension = dim(1, 1);
const TIME: Dimension = dim(2, 1);
const CURRENCY: Dimension = dim(6, 1);
const DATA: Dimension = dim(7, 1);
const ANGLE: Dimension = dim(8, 1);
const FREQUENCY: Dimension = dim(2, -1);
const FORCE: Dimension = [1, 1, -2, 0, 0, 0, 0, 0, 0];
const ENERGY: Dimension = [2, 1, -2, 0, 0, 0, 0, 0, 0];
const POWER: Dimension = [2, 1, -3, 0, 0, 0, 0, 0, 0];
const PRESSURE: Dimension = [-1, 1, -2, 0, 0, 0, 0, 0, 0];
const CURRENT: Dimension = dim(3, 1);
const CHARGE: Dimension = [0, 0, 1, 1, 0, 0, 0, 0, 0];
const VOLTAGE: Dimension = [2, 1, -3, -1, 0, 0, 0, 0, 0];
const RESISTANCE: Dimension = [2, 1, -3, -2, 0, 0, 0, 0, 0];
const TEMPERATURE: Dimension = dim(4, 1);
const AMOUNT: Dimension = dim(5, 1);

/// Names, dimension, size as a fraction.
type Row = (&'static [&'static str], Dimension, i64, i64);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    (&["m", "meter", "meters", "metre", "metres"], LENGTH, 1, 1),
    (&["km", "kilometer", "kilometers", "kilometre", "kilometres", "kms"], LENGTH, 1000, 1),
    (&["dm", "decimeter", "decimeters"], LENGTH, 1, 10),
    (&["cm", "centimeter", "centimeters", "centimetre", "centimetres"], LENGTH, 1, 100),
    (&["mm", "millimeter", "millimeters"], LENGTH, 1, 1000),
    (&["\u{3bc}m", "um", "micrometer", "micrometers", "micron", "microns"], LENGTH, 1, 1_000_000),
    (&["nm", "nanometer", "nanometers"], LENGTH, 1, 1_000_000_000),
    (&["inch", "inches"], LENGTH, 254, 10_000),
    (&["ft", "foot", "feet"], LENGTH, 3048, 10_000),
    (&["yd", "yard", "yards"], LENGTH, 9144, 10_000),
    (&["mile", "miles", "mi"], LENGTH, 1_609_344, 1000),
    (&["acre", "acres"], AREA, 40_468_564_224, 10_000_000),
    (&["hectare", "hectares", "ha"], AREA, 10_000, 1),
    (&["L", "l", "liter", "liters", "litre", "litres"], VOLUME, 1, 1000),
    (&["mL", "ml", "milliliter", "milliliters"], VOLUME, 1, 1_000_000),
    (&["gallon", "gallons"], VOLUME, 3_785_411_784, 1_000_000_000_000),
    (&["kg", "kilogram", "kilograms", "kgs"], MASS, 1, 1),
    (&["g", "gram", "grams"], MASS, 1, 1000),
    (&["mg", "milligram", "milligrams"], MASS, 1, 1_000_000),
    (&["t", "ton", "tons", "tonne", "tonnes"], MASS, 1000, 1),
    (&["lb", "lbs", "pound", "pounds"], MASS, 45_359_237, 100_000_000),
    (&["oz", "ounce", "ounces"], MASS, 45_359_237, 1_600_000_000),
    (&["s", "sec", "secs", "second", "seconds"], TIME, 1, 1),
    (&["ms", "millisecond", "milliseconds"], TIME, 1, 1000),
    (&["min", "mins", "minute", "minutes"], TIME, 60, 1),
    (&["h", "hr", "hrs", "hour", "hours"], TIME, 3600, 1),
    (&["day", "days"], TIME, 86_400, 1),
    (&["week", "weeks"], TIME, 604_800, 1),
    (&["$", "dollar", "dollars", "USD", "usd", "bucks"], CURRENCY, 1, 1),
    (&["cent", "cents"], CURRENCY, 1, 100),
    (&["bit", "bits"], DATA, 1, 8),
    (&["byte", "bytes", "B"], DATA, 1, 1),
    (&["deg", "degree", "degrees"], ANGLE, 1, 1),
    (&["Hz", "hertz"], FREQUENCY, 1, 1),
    (&["kHz"], FREQUENCY, 1000, 1),
    (&["MHz"], FREQUENCY, 1_000_000, 1),
    (&["GHz"], FREQUENCY, 1_000_000_000, 1),
    (&["N", "newton", "newtons"], FORCE, 1, 1),
    (&["J", "joule", "joules"], ENERGY, 1, 1),
    (&["kJ"], ENERGY, 1000, 1),
    (&["erg", "ergs"], ENERGY, 1, 10_000_000),
    (&["W", "watt", "watts"], POWER, 1, 1),
    (&["kW"], POWER, 1000, 1),
    (&["Pa", "pascal", "pascals"], PRESSURE, 1, 1),
    (&["A", "amp", "amps", "ampere", "amperes"], CURRENT, 1, 1),
    (&["C", "coulomb", "coulombs"], CHARGE, 1, 1),
    (&["V", "volt", "volts"], VOLTAGE, 1, 1),
    (&["ohm", "ohms", "\u{3a9}"], RESISTANCE, 1, 1),
    (&["K", "kelvin"], TEMPERATURE, 1, 1),
    (&["mol", "mole", "moles"], AMOUNT, 1, 1),
    (&["mph"], [1, 0, -1, 0, 0, 0, 0, 0, 0], 1_609_344, 3_600_000),
    (&["kph", "kmh"], [1, 0, -1, 0, 0, 0, 0, 0, 0], 1000, 3600),
];

/// Words that measure without a fixed size, recognised so that they can be dropped.
const LOOSE: &[&str] = &[
    "units", "unit", "square", "sq", "cubic", "euro", "euros", "month", "months", "year", "years",
    "yr", "people", "students", "times", "ways", "apples", "per", "points", "pts", "rad",
    "radians", "radian",
];

fn row(word: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.0.contains(&word))
}

/// Whether a word of two letters or more, or the content of a text, is a unit.
pub(crate) fn is_unit(word: &str) -> bool {
    row(word).is_some() || LOOSE.contains(&word)
}

/// Reads a unit as it is written: `km/h`, `m/s^2`, `square inches`, `cm^{2}`. `None` when a part is unknown or
/// has no fixed size.
pub(crate) fn parse(text: &str) -> Option<Unit> {
    let mut unit = Unit { dimension: NONE, size: Rational::ONE };
    let (mut sign, mut square, mut known) = (1i8, 1i8, false);
    let mut rest = text;
    while !rest.is_empty() {
        let first = rest.chars().next()?;
        if first == '/' {
            sign = -1;
            rest = &rest[1..];
        } else if first.is_alphabetic() || first == '$' {
            let len = rest.find(|c: char| !c.is_alphabetic() && c != '$').unwrap_or(rest.len());
            let word = &rest[..len];
            rest = &rest[len..];
            match word {
                "square" | "sq" => square = 2,
                "cubic" => square = 3,
                "per" => sign = -1,
                _ => {
                    let (exponent, left) = exponent(rest);
                    rest = left;
                    apply(&mut unit, word, exponent.checked_mul(sign)?.checked_mul(square)?)?;
                    (square, known) = (1, true);
                }
            }
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    known.then_some(unit)
}

/// `^2`, `^{-1}`, `²` after a unit.
fn exponent(text: &str) -> (i8, &str) {
    if let Some(rest) = text.strip_prefix('²') {
        return (2, rest);
    }
    if let Some(rest) = text.strip_prefix('³') {
        return (3, rest);
    }
    let Some(rest) = text.strip_prefix('^') else { return (1, text) };
    let inner = rest.trim_start_matches(['{', '(']);
    let len = inner.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(inner.len());
    inner[..len].parse().map_or((1, rest), |e| (e, inner[len..].trim_start_matches(['}', ')'])))
}

fn apply(unit: &mut Unit, word: &str, exponent: i8) -> Option<()> {
    let (_, dimension, n, d) = row(word)?;
    for (total, part) in unit.dimension.iter_mut().zip(dimension) {
        *total = total.checked_add(part.checked_mul(exponent)?)?;
    }
    let size = Rational::ratio(i128::from(*n), i128::from(*d))?;
    let meter = super::meter::Meter::new(&super::Budget::default());
    unit.size = unit.size.mul(&size.pow(i64::from(exponent), &meter).ok()?, &meter).ok()?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, same_as: &str, factor: (i128, i128)) {
        let (a, b) = (parse(text).unwrap(), parse(same_as).unwrap());
        let meter = crate::math::meter::Meter::new(&crate::math::Budget::default());
        assert_eq!(a.dimension, b.dimension, "{text}");
        assert_eq!(
            Some(a.size.div(&b.size, &meter).unwrap()),
            Rational::ratio(factor.0, factor.1),
            "{text}"
        );
    }

    #[test]
    fn conversions() {
        check("km", "m", (1000, 1));
        check("km/h", "m/s", (5, 18));
        check("square inches", "in^2".replace("in", "inch").as_str(), (1, 1));
        check("cm^{2}", "mm^2", (100, 1));
        check("miles per hour", "mph", (1, 1));
        check("N", "kg m/s^2", (1, 1));
        check("cents", "$", (1, 100));
    }

    #[test]
    fn unknown_units_are_unknown() {
        assert_eq!(parse("bins"), None);
        assert_eq!(parse("square units"), None);
        assert_eq!(parse(""), None);
    }
}
