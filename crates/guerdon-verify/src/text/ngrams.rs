//! Matches of n-grams of every order up to a greatest one.
//!
//! The n-grams that start at a position are the prefixes of one packed number, so one sort serves all orders: with the
//! positions sorted, equal n-grams stand side by side for every n.

use num_traits::PrimInt;

/// Clipped matches of `hypothesis` for each order 1..=`order`: every n-gram counts as often as in the reference that has
/// it most often. Symbols are numbers of 1..=`symbols`; 0 matches nothing. `None` when an n-gram does not fit 128 bits.
pub(crate) fn matches(
    hypothesis: &[u32],
    references: &[&[u32]],
    symbols: usize,
    order: usize,
) -> Option<Vec<u64>> {
    let bits = (usize::BITS - symbols.leading_zeros()).max(1) as usize;
    match bits * order {
        0..=64 => Some(packed::<u64>(hypothesis, references, bits, order)),
        65..=128 => Some(packed::<u128>(hypothesis, references, bits, order)),
        _ => None,
    }
}

/// Number of n-grams of order `n` among `len` symbols.
pub(crate) fn total(len: usize, n: usize) -> u64 {
    (len + 1).saturating_sub(n) as u64
}

fn packed<K: PrimInt>(hyp: &[u32], refs: &[&[u32]], bits: usize, order: usize) -> Vec<u64> {
    let hyp = keys::<K>(hyp, bits, order);
    let refs: Vec<Vec<K>> = refs.iter().map(|r| keys(r, bits, order)).collect();
    let mask = K::max_value().unsigned_shr(u32::try_from(size_of::<K>() * 8 - bits).unwrap_or(0));
    (1..=order).map(|n| matches_of_order(&hyp, &refs, bits * (order - n), mask)).collect()
}

/// The packed n-grams of all positions, sorted. Behind a symbol 0, and behind the end, all is 0.
fn keys<K: PrimInt>(sequence: &[u32], bits: usize, order: usize) -> Vec<K> {
    let top = bits * (order - 1);
    let mut key = K::zero();
    let mut keys: Vec<K> = sequence
        .iter()
        .rev()
        .filter_map(|&symbol| {
            // With one symbol per key the shift would be as wide as the key.
            let rest = if order == 1 { K::zero() } else { key >> bits };
            key = if symbol == 0 { K::zero() } else { (K::from(symbol)? << top) | rest };
            (symbol != 0).then_some(key)
        })
        .collect();
    keys.sort_unstable();
    keys
}

fn matches_of_order<K: PrimInt>(hyp: &[K], refs: &[Vec<K>], shift: usize, mask: K) -> u64 {
    let mut at = vec![0; refs.len()];
    let mut matches = 0;
    let mut rest = hyp;
    while let Some(first) = rest.first() {
        let gram = *first >> shift;
        let own = rest.iter().take_while(|key| **key >> shift == gram).count();
        rest = &rest[own..];
        if (gram & mask).is_zero() {
            continue;
        }
        let most = refs.iter().zip(&mut at).map(|(r, at)| count(r, at, gram, shift)).max();
        matches += own.min(most.unwrap_or(0)) as u64;
    }
    matches
}

/// How often `gram` stands in `keys`; `at` moves behind it.
fn count<K: PrimInt>(keys: &[K], at: &mut usize, gram: K, shift: usize) -> usize {
    while keys.get(*at).is_some_and(|key| *key >> shift < gram) {
        *at += 1;
    }
    let start = *at;
    while keys.get(*at).is_some_and(|key| *key >> shift == gram) {
        *at += 1;
    }
    *at - start
}

#[cfg(test)]
mod tests {
    use super::matches;

    fn check(hyp: &[u32], refs: &[&[u32]], order: usize, expect: &[u64]) {
        for symbols in [9, 1 << 12, 1 << 25] {
            assert_eq!(matches(hyp, refs, symbols, order).as_deref(), Some(expect));
        }
    }

    #[test]
    fn counts_are_clipped_per_reference() {
        check(&[1, 1, 1, 2], &[&[1, 1, 2]], 3, &[3, 2, 1]);
        check(&[1, 1, 1], &[&[1, 2], &[1, 1]], 2, &[2, 1]);
        check(&[1, 0, 2, 3], &[&[1, 4, 2, 3]], 4, &[3, 1, 0, 0]);
        check(&[], &[&[1]], 1, &[0]);
    }

    #[test]
    fn too_wide_is_told() {
        assert_eq!(matches(&[1], &[&[1]], 1 << 30, 5), None);
    }
}
