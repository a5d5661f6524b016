//! Matches of n-grams of every order up to a greatest one.
//!
//! The n-grams that start at a position are the prefixes of one packed number, so one sort serves all orders: with the
//! positions sorted, equal n-grams stand side by side for every n.

#![allow(clippy::cast_possible_truncation, reason = "texts beyond 2³¹ bytes are refused")]

use num_traits::PrimInt;

use super::table::MULTIPLIER;

/// The greatest order.
pub(crate) const ORDERS: usize = 8;

/// Clipped matches per order, from order 1 on.
pub(crate) type Matches = [u64; ORDERS];

/// References whose n-grams are counted or sorted once, for any number of texts that are compared with them.
#[derive(Debug, Default)]
pub(crate) struct Grams {
    order: usize,
    bits: usize,
    /// Up to order 2, with one reference: its n-grams, counted.
    counted: Option<Counted>,
    narrow: Sorted<u64>,
    wide: Sorted<u128>,
}

impl Grams {
    /// Takes references of symbols 1..=`symbols` in the place of the old ones. `None` when an n-gram does not fit 128
    /// bits. `order` must be 1 to [`ORDERS`].
    pub(crate) fn prepare(
        &mut self,
        refs: &[Vec<u32>],
        symbols: usize,
        order: usize,
    ) -> Option<()> {
        // One more symbol, for what stands behind the end of a reference.
        self.bits = (usize::BITS - (symbols + 1).leading_zeros()) as usize;
        self.order = order;
        if let (1 | 2, [reference]) = (order, refs) {
            self.counted.get_or_insert_default().prepare(reference, symbols, order);
            return Some(());
        }
        self.counted = None;
        let end = u32::try_from(symbols + 1).ok()?;
        match self.bits * order {
            0..=64 => self.narrow.prepare(refs, end, self.bits, order),
            65..=128 => self.wide.prepare(refs, end, self.bits, order),
            _ => return None,
        }
        Some(())
    }

    /// Clipped matches of `own`: every n-gram counts as often as in the reference that has it most often. Symbols are
    /// those of the references; 0 matches nothing.
    pub(crate) fn matches(&mut self, own: &[u32]) -> Matches {
        match &mut self.counted {
            Some(counted) => counted.matches(own, self.order),
            None if self.bits * self.order <= 64 => self.narrow.matches(own, self.bits, self.order),
            None => self.wide.matches(own, self.bits, self.order),
        }
    }

    /// Size of the buffers, in bytes.
    pub(crate) fn capacity(&self) -> usize {
        let counted = self.counted.as_ref().map_or(0, Counted::capacity);
        self.narrow.capacity() + self.wide.capacity() + counted
    }
}

/// How often one reference has each symbol and each pair of neighbours.
#[derive(Debug, Default)]
struct Counted {
    single: Vec<u32>,
    /// The pairs in a flat table, 0 in an empty place, and their counts.
    pairs: Vec<u64>,
    counts: Vec<u32>,
    left: Vec<u32>,
}

impl Counted {
    fn prepare(&mut self, reference: &[u32], symbols: usize, order: usize) {
        self.single.clear();
        self.single.resize(symbols + 1, 0);
        reference.iter().for_each(|s| self.single[*s as usize] += 1);
        if order == 1 {
            return;
        }
        let size = (reference.len() * 3).next_power_of_two().max(16);
        self.pairs.clear();
        self.pairs.resize(size, 0);
        self.counts.clear();
        self.counts.resize(size, 0);
        for pair in pairs(reference) {
            let at = self.place(pair);
            self.pairs[at] = pair;
            self.counts[at] += 1;
        }
    }

    fn matches(&mut self, own: &[u32], order: usize) -> Matches {
        let mut matches = [0; ORDERS];
        self.left.clear();
        self.left.extend_from_slice(&self.single);
        matches[0] = own.iter().map(|symbol| take(&mut self.left[*symbol as usize])).sum();
        if order == 2 {
            self.left.clear();
            self.left.extend_from_slice(&self.counts);
            matches[1] = pairs(own)
                .map(|pair| {
                    let at = self.place(pair);
                    take(&mut self.left[at])
                })
                .sum();
        }
        matches
    }

    /// Where the pair stands, or the empty place where it belongs.
    fn place(&self, pair: u64) -> usize {
        let shift = 64 - self.pairs.len().trailing_zeros();
        let mut at = (pair.wrapping_mul(MULTIPLIER) >> shift) as usize;
        // One branch for both, since whether a pair is known cannot be foretold.
        while (self.pairs[at] ^ pair) & u64::from(self.pairs[at] != 0).wrapping_neg() != 0 {
            at = (at + 1) & (self.pairs.len() - 1);
        }
        at
    }

    fn capacity(&self) -> usize {
        8 * self.pairs.capacity() + 4 * (self.counts.capacity() + self.left.capacity())
    }
}

/// The pairs of neighbours, each as one number.
fn pairs(sequence: &[u32]) -> impl Iterator<Item = u64> {
    sequence.windows(2).map(|pair| u64::from(pair[0]) << 32 | u64::from(pair[1]))
}

/// Takes one, if there is one left.
fn take(left: &mut u32) -> u64 {
    let had = u64::from(*left > 0);
    *left = left.saturating_sub(1);
    had
}

/// Number of n-grams of order `n` among `len` symbols.
pub(crate) fn total(len: usize, n: usize) -> u64 {
    (len + 1).saturating_sub(n) as u64
}

/// Room to sort in.
#[derive(Debug, Default)]
struct Spare<K> {
    keys: Vec<K>,
    counts: Vec<u32>,
}

/// The n-grams of the references, and room for those of a text.
#[derive(Debug, Default)]
struct Sorted<K> {
    refs: Vec<Vec<K>>,
    own: Vec<K>,
    spare: Spare<K>,
    /// Bits and order that `short` is for.
    of: (usize, usize),
    /// For texts of less than 2¹⁵ symbols: eight numbers of 16 bits are added at a time.
    short: Vec<[i16; ORDERS]>,
}

impl<K: Key> Sorted<K> {
    fn prepare(&mut self, refs: &[Vec<u32>], end: u32, bits: usize, order: usize) {
        if self.of != (bits, order) {
            self.short = endings(K::BITS, bits, order);
            self.of = (bits, order);
        }
        self.refs.resize_with(refs.len(), Vec::new);
        for (keys, reference) in self.refs.iter_mut().zip(refs) {
            fill(keys, reference, end, bits, order);
            K::sort(keys, &mut self.spare, bits * order);
        }
    }

    fn matches(&mut self, own: &[u32], bits: usize, order: usize) -> Matches {
        fill(&mut self.own, own, 0, bits, order);
        K::sort(&mut self.own, &mut self.spare, bits * order);
        match self.refs.as_slice() {
            [reference] if reference.len().max(self.own.len()) < 1 << 15 => {
                walk(&self.own, reference, &self.short)
            }
            [reference] => walk(&self.own, reference, &endings::<u32>(K::BITS, bits, order)),
            refs => of_several(&self.own, refs, bits, order),
        }
    }

    fn capacity(&self) -> usize {
        let refs: usize = self.refs.iter().map(Vec::capacity).sum();
        (refs + self.own.capacity() + self.spare.keys.capacity()) * size_of::<K>()
    }
}

/// The packed n-grams of all positions with a symbol above 0. `end` stands behind the last symbol.
fn fill<K: Key>(keys: &mut Vec<K>, sequence: &[u32], end: u32, bits: usize, order: usize) {
    keys.clear();
    keys.resize(sequence.len(), K::zero());
    let top = bits * (order - 1);
    let mut key = (0..order).fold(K::zero(), |key, _| push(key, end, bits, top));
    let mut len = 0;
    for symbol in sequence.iter().rev() {
        key = push(key, *symbol, bits, top);
        keys[len] = key;
        len += usize::from(*symbol != 0);
    }
    keys.truncate(len);
}

/// The n-gram that starts with `symbol` and goes on with `key`, whose last symbol falls off.
fn push<K: Key>(key: K, symbol: u32, bits: usize, top: usize) -> K {
    // With one symbol per key all of the old one falls off.
    let rest = if top == 0 { K::zero() } else { key >> bits };
    (K::of(symbol) << top) | rest
}

/// Which orders end where so many leading bits are equal: all ones where one ends, else 0.
fn endings<L: PrimInt>(width: usize, bits: usize, order: usize) -> Vec<[L; ORDERS]> {
    let equal = |zeros: usize| zeros.saturating_sub(width - bits * order);
    let ends = |zeros, n| if (n + 1) * bits > equal(zeros) { !L::zero() } else { L::zero() };
    (0..=width).map(|zeros| std::array::from_fn(|n| ends(zeros, n))).collect()
}

/// Matches per order of two sorted lists, in one walk through both: where the first n symbols change, an n-gram ends,
/// and with it its two counts. What is behind the end of one list is never in the other. `L` holds the lists' lengths.
fn walk<K: Key, L: PrimInt>(own: &[K], reference: &[K], endings: &[[L; ORDERS]]) -> Matches {
    let none = [L::zero(); ORDERS];
    let (mut matches, mut mine, mut theirs) = (none, none, none);
    let (mut i, mut j) = (0, 0);
    let mut before = K::zero();
    while i < own.len() && j < reference.len() {
        let (a, b) = (own[i], reference[j]);
        let first = a <= b;
        let key = if first { a } else { b };
        i += usize::from(first);
        j += usize::from(!first);
        let ends = &endings[(key ^ before).leading_zeros() as usize];
        before = key;
        let up = if first { L::one() } else { L::zero() };
        let down = L::one() - up;
        for n in 0..ORDERS {
            matches[n] = matches[n] + (mine[n].min(theirs[n]) & ends[n]);
            mine[n] = (mine[n] & !ends[n]) + up;
            theirs[n] = (theirs[n] & !ends[n]) + down;
        }
    }
    // One list is spent: only what the n-grams still open gain from the other matters.
    let (rest, counts) =
        if i < own.len() { (&own[i..], &mut mine) } else { (&reference[j..], &mut theirs) };
    let mut open = [!L::zero(); ORDERS];
    for key in rest {
        let ends = &endings[(*key ^ before).leading_zeros() as usize];
        for n in 0..ORDERS {
            open[n] = open[n] & !ends[n];
            counts[n] = counts[n] + (open[n] & L::one());
        }
        if open[0].is_zero() {
            break;
        }
    }
    std::array::from_fn(|n| (matches[n] + mine[n].min(theirs[n])).to_u64().unwrap_or(0))
}

/// Matches per order of a sorted list with several.
fn of_several<K: Key>(own: &[K], refs: &[Vec<K>], bits: usize, order: usize) -> Matches {
    let mut matches = [0; ORDERS];
    for n in 1..=order {
        matches[n - 1] = matches_of_order(own, refs, bits * (order - n));
    }
    matches
}

fn matches_of_order<K: Key>(own: &[K], refs: &[Vec<K>], shift: usize) -> u64 {
    let mut at = vec![0; refs.len()];
    let mut matches = 0;
    let mut rest = own;
    while let Some(first) = rest.first() {
        let gram = *first >> shift;
        let count = rest.iter().take_while(|key| **key >> shift == gram).count();
        rest = &rest[count..];
        let most = refs.iter().zip(&mut at).map(|(r, at)| times(r, at, gram, shift)).max();
        matches += count.min(most.unwrap_or(0)) as u64;
    }
    matches
}

/// How often `gram` stands in `keys`; `at` moves behind it.
fn times<K: Key>(keys: &[K], at: &mut usize, gram: K, shift: usize) -> usize {
    let rest = &keys[*at..];
    let smaller = rest.iter().take_while(|key| **key >> shift < gram).count();
    let equal = rest[smaller..].iter().take_while(|key| **key >> shift == gram).count();
    *at += smaller + equal;
    equal
}

/// A packed n-gram.
trait Key: PrimInt + Default {
    const BITS: usize;
    fn of(symbol: u32) -> Self;
    /// Sorts numbers of `bits` bits; `spare` is room.
    fn sort(keys: &mut Vec<Self>, spare: &mut Spare<Self>, bits: usize);
}

impl Key for u64 {
    const BITS: usize = 64;

    fn of(symbol: u32) -> Self {
        Self::from(symbol)
    }

    fn sort(keys: &mut Vec<Self>, spare: &mut Spare<Self>, bits: usize) {
        if keys.len() < 64 || keys.len() > u32::MAX as usize {
            return keys.sort_unstable();
        }
        radix_sort(keys, spare, bits);
    }
}

impl Key for u128 {
    const BITS: usize = 128;

    fn of(symbol: u32) -> Self {
        Self::from(symbol)
    }

    fn sort(keys: &mut Vec<Self>, _spare: &mut Spare<Self>, _bits: usize) {
        keys.sort_unstable();
    }
}

/// Sorts numbers of `bits` bits by digits of equal width, the last first.
fn radix_sort(keys: &mut Vec<u64>, spare: &mut Spare<u64>, bits: usize) {
    let (passes, width) = digits(keys.len(), bits);
    let mask = (1_u64 << width) - 1;
    spare.keys.clear();
    spare.keys.resize(keys.len(), 0);
    spare.counts.resize(1 << WIDEST, 0);
    for shift in (0..passes).map(|pass| pass * width) {
        let digit = |key: u64| (key >> shift & mask) as usize;
        let counts = &mut spare.counts[..1 << width];
        counts.fill(0);
        keys.iter().for_each(|key| counts[digit(*key)] += 1);
        let mut sum = 0;
        for place in counts.iter_mut() {
            sum += std::mem::replace(place, sum);
        }
        for key in keys.iter() {
            let place = &mut counts[digit(*key)];
            spare.keys[*place as usize] = *key;
            *place += 1;
        }
        std::mem::swap(keys, &mut spare.keys);
    }
}

/// Bits of the widest digit.
const WIDEST: usize = 11;

/// The number and the width of digits that cost least: a pass costs the numbers and half the digit's values.
fn digits(len: usize, bits: usize) -> (usize, usize) {
    let cost = |passes: usize| passes * (2 * len + (1 << bits.div_ceil(passes)) / 2);
    let passes = (bits.div_ceil(WIDEST)..=bits.div_ceil(7)).min_by_key(|passes| cost(*passes));
    let passes = passes.unwrap_or(1).max(1);
    (passes, bits.div_ceil(passes))
}

#[cfg(test)]
mod tests {
    use super::{Grams, Spare, radix_sort};

    fn matches(own: &[u32], refs: &[&[u32]], symbols: usize, order: usize) -> Option<Vec<u64>> {
        let refs: Vec<Vec<u32>> = refs.iter().map(|r| r.to_vec()).collect();
        let mut grams = Grams::default();
        grams.prepare(&refs, symbols, order)?;
        Some(grams.matches(own)[..order].to_vec())
    }

    fn check(own: &[u32], refs: &[&[u32]], order: usize, expect: &[u64]) {
        for symbols in [9, 1 << 12, 1 << 25] {
            assert_eq!(matches(own, refs, symbols, order).as_deref(), Some(expect));
        }
    }

    #[test]
    fn counts_are_clipped_per_reference() {
        check(&[1, 1, 1, 2], &[&[1, 1, 2]], 3, &[3, 2, 1]);
        check(&[1, 1, 1], &[&[1, 2], &[1, 1]], 2, &[2, 1]);
        check(&[1, 0, 2, 3], &[&[1, 4, 2, 3]], 4, &[3, 1, 0, 0]);
        check(&[], &[&[1]], 1, &[0]);
        check(&[0, 0, 1], &[&[]], 2, &[0, 0]);
    }

    #[test]
    fn too_wide_is_told() {
        assert_eq!(matches(&[1], &[&[1]], 1 << 30, 5), None);
    }

    #[test]
    fn equals_counting() {
        let mut state = 3_u64;
        let mut draw = |n: u32| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as u32 % n
        };
        for size in [1, 5, 70, 300] {
            for kinds in [2, 9, 200] {
                let own: Vec<u32> = (0..size).map(|_| draw(kinds + 1)).collect();
                let other: Vec<u32> = (0..size + 9).map(|_| 1 + draw(kinds)).collect();
                let got = matches(&own, &[&other], kinds as usize, 6).unwrap();
                for n in 1..=6 {
                    let mut left: Vec<&[u32]> = other.windows(n).collect();
                    let count = own.windows(n).filter(|gram| {
                        let at = left.iter().position(|other| other == gram);
                        at.map(|at| left.swap_remove(at)).is_some()
                    });
                    assert_eq!(got[n - 1], count.count() as u64, "{size} {kinds} {n}");
                }
            }
        }
    }

    #[test]
    fn radix_sorts() {
        let mut keys: Vec<u64> =
            (1..2000_u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 13).collect();
        let mut expect = keys.clone();
        expect.sort_unstable();
        radix_sort(&mut keys, &mut Spare::default(), 51);
        assert_eq!(keys, expect);
    }
}
