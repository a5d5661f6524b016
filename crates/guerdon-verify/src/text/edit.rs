//! Levenshtein distance.

/// The most table cells that one comparison may cost.
const MAX_CELLS: usize = 1 << 33;

/// The least number of insertions, deletions and substitutions from `a` to `b`, 64 cells at a time; `None` beyond
/// 2³³ cells. Symbols are 0..=`symbols`; 0 equals nothing.
pub(crate) fn distance(a: &[u32], b: &[u32], symbols: usize) -> Option<usize> {
    let (a, b) = trimmed(a, b);
    if a.is_empty() || b.is_empty() {
        return Some(a.len().max(b.len()));
    }
    if a.len().checked_mul(b.len())? > MAX_CELLS {
        return None;
    }
    let words = a.len().div_ceil(64);
    if (symbols + 1).checked_mul(words)? > 1 << 26 {
        return None;
    }
    let mut masks = vec![0_u64; (symbols + 1) * words];
    for (i, &symbol) in a.iter().enumerate().filter(|(_, s)| **s != 0) {
        masks[symbol as usize * words + i / 64] |= 1 << (i % 64);
    }
    let mut column = Column { up: vec![u64::MAX; words], down: vec![0; words] };
    let last = 1_u64 << ((a.len() - 1) % 64);
    let mut distance = a.len();
    for &symbol in b {
        let mask = &masks[symbol as usize * words..][..words];
        match column.advance(mask, last) {
            1 => distance += 1,
            -1 => distance -= 1,
            _ => {}
        }
    }
    Some(distance)
}

/// Without common ends.
fn trimmed<'a>(a: &'a [u32], b: &'a [u32]) -> (&'a [u32], &'a [u32]) {
    let same = |(x, y): &(&u32, &u32)| x == y && **x != 0;
    let start = a.iter().zip(b).take_while(same).count();
    let (a, b) = (&a[start..], &b[start..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(same).count();
    (&a[..a.len() - end], &b[..b.len() - end])
}

/// A column of the table: where it grows and where it falls from one row to the next.
struct Column {
    up: Vec<u64>,
    down: Vec<u64>,
}

impl Column {
    /// The next column (Myers' bit-vectors, in blocks as Hyyrö has them); returns the change in the last row.
    fn advance(&mut self, mask: &[u64], last: u64) -> i32 {
        let (mut carry_up, mut carry_down) = (1_u64, 0_u64);
        let mut change = 0;
        let words = self.up.len();
        for (w, &m) in mask.iter().enumerate() {
            let (up, down) = (self.up[w], self.down[w]);
            let vertical = m | down;
            let m = m | carry_down;
            let horizontal = ((m & up).wrapping_add(up) ^ up) | m;
            let mut plus = down | !(horizontal | up);
            let mut minus = up & horizontal;
            if w + 1 == words {
                change = i32::from(plus & last != 0) - i32::from(minus & last != 0);
            }
            let (next_up, next_down) = (plus >> 63, minus >> 63);
            plus = (plus << 1) | carry_up;
            minus = (minus << 1) | carry_down;
            (carry_up, carry_down) = (next_up, next_down);
            self.up[w] = minus | !(vertical | plus);
            self.down[w] = plus & vertical;
        }
        change
    }
}

#[cfg(test)]
mod tests {
    use super::distance;

    fn plain(a: &[u32], b: &[u32]) -> usize {
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, x) in a.iter().enumerate() {
            let mut corner = row[0];
            row[0] = i + 1;
            for (j, y) in b.iter().enumerate() {
                let change = corner + usize::from(x != y);
                corner = row[j + 1];
                row[j + 1] = change.min(row[j] + 1).min(corner + 1);
            }
        }
        row[b.len()]
    }

    #[test]
    fn equals_the_table() {
        let mut state = 7_u32;
        let mut draw = |n: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            1 + (state >> 16) % n
        };
        for size in [0, 1, 5, 63, 64, 65, 130, 200] {
            for extra in [0, 7, 90] {
                let a: Vec<u32> = (0..size).map(|_| draw(5)).collect();
                let b: Vec<u32> = (0..size + extra).map(|_| draw(5)).collect();
                assert_eq!(distance(&a, &b, 5), Some(plain(&a, &b)), "{size} {extra}");
            }
        }
    }
}
