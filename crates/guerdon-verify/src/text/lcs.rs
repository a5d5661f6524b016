//! Longest common subsequences.

/// The most table cells that one comparison may cost.
pub(crate) const MAX_CELLS: usize = 1 << 33;
/// The most cells of a table that is kept for reading back.
const MAX_TABLE: usize = 1 << 24;

/// Length of the longest common subsequence of `a` and `b`, 64 cells at a time; `None` beyond [`MAX_CELLS`]. Symbols of
/// `a` are 1..=`symbols`; others in `b` match nothing.
pub(crate) fn length(a: &[u32], b: &[u32], symbols: usize) -> Option<usize> {
    if a.len().checked_mul(b.len())? > MAX_CELLS {
        return None;
    }
    let words = a.len().div_ceil(64);
    // Where each symbol stands in `a`: only symbols that `b` has get a mask.
    let mut slot = vec![u32::MAX; symbols + 1];
    let mut slots = 0;
    for &symbol in b {
        if symbol != 0 && slot[symbol as usize] == u32::MAX {
            slot[symbol as usize] = slots;
            slots += 1;
        }
    }
    if (slots as usize).checked_mul(words)? > MAX_TABLE {
        return None;
    }
    let mut masks = vec![0_u64; slots as usize * words];
    for (i, &symbol) in a.iter().enumerate() {
        let at = slot[symbol as usize];
        if at != u32::MAX {
            masks[at as usize * words + i / 64] |= 1 << (i % 64);
        }
    }
    let mut row = vec![u64::MAX; words];
    for &symbol in b.iter().filter(|s| **s != 0) {
        let start = slot[symbol as usize] as usize * words;
        advance(&mut row, &masks[start..start + words]);
    }
    let ones: usize = row.iter().map(|word| word.count_ones() as usize).sum();
    Some(words * 64 - ones)
}

/// One row of the table (Hyyrö's bit-parallel recurrence): `V ← (V + (V ∧ M)) ∨ (V ∧ ¬M)`.
fn advance(row: &mut [u64], mask: &[u64]) {
    let mut carry = false;
    for (v, m) in row.iter_mut().zip(mask) {
        let (sum, first) = v.overflowing_add(*v & m);
        let (sum, second) = sum.overflowing_add(u64::from(carry));
        carry = first || second;
        *v = sum | (*v & !m);
    }
}

/// Positions in `a` of one longest common subsequence: the one that ROUGE-1.5.5's backtracking finds. `None` when the
/// table would be too large.
pub(crate) fn positions(a: &[u32], b: &[u32]) -> Option<Vec<usize>> {
    let width = b.len() + 1;
    if (a.len() + 1).checked_mul(width)? > MAX_TABLE {
        return None;
    }
    let mut table = vec![0_u32; (a.len() + 1) * width];
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            table[i * width + j] = if a[i - 1] == b[j - 1] {
                table[(i - 1) * width + j - 1] + 1
            } else {
                table[(i - 1) * width + j].max(table[i * width + j - 1])
            };
        }
    }
    let (mut i, mut j) = (a.len(), b.len());
    let mut found = Vec::new();
    while i > 0 && j > 0 {
        if a[i - 1] == b[j - 1] {
            found.push(i - 1);
            (i, j) = (i - 1, j - 1);
        } else if table[i * width + j - 1] > table[(i - 1) * width + j] {
            j -= 1;
        } else {
            i -= 1;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::{length, positions};

    #[test]
    fn both_ways_agree() {
        let mut state = 1_u32;
        let mut draw = |n: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            1 + (state >> 16) % n
        };
        for size in [0, 1, 5, 63, 64, 65, 200] {
            let a: Vec<u32> = (0..size).map(|_| draw(9)).collect();
            let b: Vec<u32> = (0..size + 3).map(|_| draw(9)).collect();
            assert_eq!(length(&a, &b, 9), positions(&a, &b).map(|p| p.len()));
        }
    }
}
