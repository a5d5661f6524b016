//! Round robin: everybody meets everybody.

/// The rounds of a round robin of `n` by the circle method: in each round nobody plays twice, and every pair meets once.
/// With an odd number one contestant is idle in each round.
pub fn rounds(n: usize) -> Vec<Vec<(usize, usize)>> {
    let even = n + n % 2;
    let mut circle: Vec<usize> = (0..even).collect();
    let mut rounds = Vec::with_capacity(even.saturating_sub(1));
    for round in 1..even {
        let half = (0..even / 2).map(|k| (circle[k], circle[even - 1 - k]));
        // Slots alternate, so that nobody is always first.
        let turned = half.map(|(a, b)| if round % 2 == 0 { (b, a) } else { (a, b) });
        rounds.push(turned.filter(|&(a, b)| a < n && b < n).collect());
        circle[1..].rotate_right(1);
    }
    rounds
}

#[cfg(test)]
mod tests {
    use super::rounds;

    #[test]
    fn every_pair_meets_once_and_nobody_plays_twice_a_round() {
        for n in 0..12 {
            let all = rounds(n);
            let mut pairs: Vec<_> =
                all.iter().flatten().map(|&(a, b)| (a.min(b), a.max(b))).collect();
            pairs.sort_unstable();
            let expected: Vec<_> = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b))).collect();
            assert_eq!(pairs, expected);
            for round in &all {
                let mut players: Vec<_> = round.iter().flat_map(|&(a, b)| [a, b]).collect();
                players.sort_unstable();
                assert!(players.windows(2).all(|w| w[0] != w[1]));
            }
        }
    }
}
