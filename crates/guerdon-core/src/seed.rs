//! Randomness that does not depend on threads, batches or platforms.
//!
//! Every random choice draws from a stream named by the run's seed and a label (a method's name in the spec, a group, a
//! sample index). Two streams with different labels are independent; the same label gives the same draws everywhere.

use rand::SeedableRng as _;
pub use rand_chacha::ChaCha8Rng as Stream;

/// The stream for `seed` and `label`.
pub fn stream(seed: u64, label: &str) -> Stream {
    Stream::seed_from_u64(seed ^ fnv1a(label))
}

/// FNV-1a, 64 bits: stable across versions and platforms, unlike the standard library's hasher.
pub fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::{fnv1a, stream};
    use rand::Rng as _;

    #[test]
    fn streams_are_stable_and_apart() {
        assert_eq!(fnv1a("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(stream(7, "x").next_u64(), stream(7, "x").next_u64());
        assert_ne!(stream(7, "x").next_u64(), stream(7, "y").next_u64());
    }
}
