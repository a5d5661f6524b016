//! Arithmetic modulo a prime of 61 bits: the field in which rational expressions are compared at random points.

/// The two largest primes below 2^61 of the form 4n + 1, in which -1 has a square root.
pub(crate) const PRIMES: [u64; 2] = [2_305_843_009_213_693_921, 2_305_843_009_213_693_693];
/// A square root of -1 modulo each of [`PRIMES`].
pub(crate) const ROOTS: [u64; 2] = [583_529_827_753_931_384, 966_685_122_347_009_555];

pub(crate) fn add(a: u64, b: u64, p: u64) -> u64 {
    let sum = a + b;
    if sum >= p { sum - p } else { sum }
}

pub(crate) fn neg(a: u64, p: u64) -> u64 {
    if a == 0 { 0 } else { p - a }
}

pub(crate) fn mul(a: u64, b: u64, p: u64) -> u64 {
    let product = u128::from(a) * u128::from(b) % u128::from(p);
    // A remainder below `p` fits 64 bits.
    u64::try_from(product).unwrap_or(0)
}

pub(crate) fn pow(mut base: u64, mut exponent: u64, p: u64) -> u64 {
    let mut result = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = mul(result, base, p);
        }
        base = mul(base, base, p);
        exponent >>= 1;
    }
    result
}

/// `a / b` in the field; `None` when `b` is zero there.
pub(crate) fn div(a: u64, b: u64, p: u64) -> Option<u64> {
    if b == 0 { None } else { Some(mul(a, pow(b, p - 2, p), p)) }
}

/// A fixed pseudo-random element for a name, so that the same symbol has the same value on both sides.
pub(crate) fn point(name: &str, seed: u64, p: u64) -> u64 {
    let mut hash = seed ^ 0xcbf2_9ce4_8422_2325;
    for byte in name.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    mix(hash) % p
}

/// The finaliser of `SplitMix64`.
pub(crate) fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_laws() {
        for (p, root) in PRIMES.into_iter().zip(ROOTS) {
            assert_eq!(mul(root, root, p), p - 1);
            // Fermat's little theorem fails for nearly every composite.
            assert_eq!((2..40).filter(|a| pow(*a, p - 1, p) != 1).count(), 0);
            let (a, b) = (point("x", 1, p), point("y", 1, p));
            assert_eq!(mul(div(a, b, p).unwrap(), b, p), a);
            assert_eq!(add(a, neg(a, p), p), 0);
            assert_eq!(div(a, 0, p), None);
        }
    }

    #[test]
    fn points_depend_on_name_and_seed() {
        assert_ne!(point("x", 1, PRIMES[0]), point("y", 1, PRIMES[0]));
        assert_ne!(point("x", 1, PRIMES[0]), point("x", 2, PRIMES[0]));
    }
}
