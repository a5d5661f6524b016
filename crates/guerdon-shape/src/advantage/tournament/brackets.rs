//! Pairing, playing and ranking.

use std::cmp::Ordering;

use super::Scheme;

/// A tournament under way: who met whom with which scores.
pub(super) struct Event<F> {
    play: F,
    /// Sum of the scores and number of matches of each player.
    record: Vec<(f64, f64)>,
}

impl<F: FnMut(usize, usize) -> (f64, f64)> Event<F> {
    pub(super) fn new(n: usize, play: F) -> Self {
        Self { play, record: vec![(0.0, 0.0); n] }
    }

    pub(super) fn ranks(mut self, scheme: Scheme) -> Vec<usize> {
        let n = self.record.len();
        if n < 2 {
            return vec![0; n];
        }
        // What each player reached, compared before the mean scores: greater is better.
        let reached = match scheme {
            Scheme::RoundRobin => self.round_robin(),
            Scheme::Anchor => return places(&self.seeds()),
            Scheme::SeededSingle => self.single(),
            Scheme::Swiss => self.swiss(),
            Scheme::Double => self.double(),
        };
        let means = self.means();
        place(n, |i, j| reached[j].cmp(&reached[i]).then(means[j].total_cmp(&means[i])))
    }

    /// Plays a match; whether the first slot wins.
    fn meet(&mut self, i: usize, j: usize) -> bool {
        let (a, b) = (self.play)(i, j);
        for (player, score) in [(i, a), (j, b)] {
            self.record[player].0 += score;
            self.record[player].1 += 1.0;
        }
        a >= b
    }

    fn means(&self) -> Vec<f64> {
        self.record
            .iter()
            .map(|(sum, count)| if *count > 0.0 { sum / count } else { 0.0 })
            .collect()
    }

    /// Everyone meets player 0; the scores there, and player 0's mean.
    fn seeds(&mut self) -> Vec<f64> {
        for i in 1..self.record.len() {
            self.meet(i, 0);
        }
        self.means()
    }

    fn round_robin(&mut self) -> Vec<usize> {
        let n = self.record.len();
        for i in 0..n {
            for j in i + 1..n {
                self.meet(i, j);
            }
        }
        vec![0; n]
    }

    /// The round in which each player fell; the champion fell in none and reached one more.
    fn single(&mut self) -> Vec<usize> {
        let seeds = self.seeds();
        let n = seeds.len();
        let order = place_order(n, |i, j| seeds[j].total_cmp(&seeds[i]));
        let slots = slots(n.next_power_of_two());
        let mut round: Vec<Option<usize>> =
            slots.into_iter().map(|seed| order.get(seed).copied()).collect();
        let mut reached = vec![0; n];
        while round.len() > 1 {
            round =
                round.chunks(2).map(|pair| self.advance(pair[0], pair[1], &mut reached)).collect();
        }
        reached
    }

    /// The winner of a match; an empty slot is a bye.
    fn advance(
        &mut self,
        a: Option<usize>,
        b: Option<usize>,
        reached: &mut [usize],
    ) -> Option<usize> {
        let winner = match (a, b) {
            (Some(i), Some(j)) => Some(if self.meet(i, j) { i } else { j }),
            (bye, None) | (None, bye) => bye,
        };
        if let Some(i) = winner {
            reached[i] += 1;
        }
        winner
    }

    /// The number of wins after ⌈log₂ n⌉ rounds; a bye is a win.
    fn swiss(&mut self) -> Vec<usize> {
        let n = self.record.len();
        let mut wins = vec![0; n];
        let mut met = vec![false; n * n];
        for _ in 0..n.next_power_of_two().trailing_zeros() {
            let means = self.means();
            let mut waiting =
                place_order(n, |i, j| wins[j].cmp(&wins[i]).then(means[j].total_cmp(&means[i])));
            while let Some(i) = (!waiting.is_empty()).then(|| waiting.remove(0)) {
                if waiting.is_empty() {
                    wins[i] += 1;
                    break;
                }
                let at = waiting.iter().position(|&j| !met[i * n + j]).unwrap_or(0);
                let j = waiting.remove(at);
                (met[i * n + j], met[j * n + i]) = (true, true);
                wins[if self.meet(i, j) { i } else { j }] += 1;
            }
        }
        wins
    }

    /// The round in which each player lost for the second time.
    fn double(&mut self) -> Vec<usize> {
        let seeds = self.seeds();
        let n = seeds.len();
        let mut upper = place_order(n, |i, j| seeds[j].total_cmp(&seeds[i]));
        let mut lower = Vec::new();
        let mut reached = vec![0; n];
        let mut round = 0;
        while upper.len() > 1 || lower.len() > 1 {
            round += 1;
            let (winners, fallen) = self.fold(&upper);
            let (survivors, out) = self.fold(&lower);
            for i in out {
                reached[i] = round;
            }
            upper = winners;
            lower = survivors;
            lower.extend(fallen);
        }
        self.grand_final(upper[0], lower[0], round, &mut reached);
        reached
    }

    /// One match, and a second one if the player with a loss wins it.
    fn grand_final(&mut self, unbeaten: usize, other: usize, round: usize, reached: &mut [usize]) {
        let champion =
            if self.meet(unbeaten, other) || self.meet(unbeaten, other) { unbeaten } else { other };
        reached[unbeaten] = round + 1;
        reached[other] = round + 1;
        reached[champion] = round + 2;
    }

    /// First against last, second against last but one, ...: winners (the middle one has a bye) and losers, in order.
    fn fold(&mut self, players: &[usize]) -> (Vec<usize>, Vec<usize>) {
        let (mut winners, mut losers) = (Vec::new(), Vec::new());
        for k in 0..players.len().div_ceil(2) {
            let (i, j) = (players[k], players[players.len() - 1 - k]);
            if i == j || self.meet(i, j) {
                winners.push(i);
                losers.extend((i != j).then_some(j));
            } else {
                winners.push(j);
                losers.push(i);
            }
        }
        (winners, losers)
    }
}

/// The seeds (from 0) in the slots of a bracket of `size` (a power of two): the best meet as late as possible.
fn slots(size: usize) -> Vec<usize> {
    let mut slots = vec![0];
    while slots.len() < size {
        let sum = 2 * slots.len() - 1;
        slots = slots.into_iter().flat_map(|seed| [seed, sum - seed]).collect();
    }
    slots
}

/// Players in the order of `better`; equal ones by number.
fn place_order(n: usize, mut better: impl FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| better(i, j));
    order
}

/// The place of each player in that order.
fn place(n: usize, better: impl FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut ranks = vec![0; n];
    for (rank, player) in place_order(n, better).into_iter().enumerate() {
        ranks[player] = rank;
    }
    ranks
}

/// The place of each player by score, greater first.
fn places(scores: &[f64]) -> Vec<usize> {
    place(scores.len(), |i, j| scores[j].total_cmp(&scores[i]))
}

#[cfg(test)]
mod tests {
    use super::{Event, Scheme, slots};

    #[test]
    fn the_best_meet_late() {
        assert_eq!(slots(8), [0, 7, 3, 4, 1, 6, 2, 5]);
        assert_eq!(slots(1), [0]);
    }

    #[test]
    fn matches_of_each_scheme() {
        let scores = [0.4, 0.1, 0.9, 0.3, 0.7, 0.2, 0.8, 0.5];
        let count = |scheme| {
            let mut pairs = Vec::new();
            Event::new(8, |i, j| {
                pairs.push((i, j));
                (scores[i], scores[j])
            })
            .ranks(scheme);
            pairs.len()
        };
        assert_eq!(count(Scheme::SeededSingle), 14);
        assert_eq!(count(Scheme::RoundRobin), 28);
        assert_eq!(count(Scheme::Anchor), 7);
        assert_eq!(count(Scheme::Swiss), 12);
        assert!((21..=23).contains(&count(Scheme::Double)));
    }

    #[test]
    fn swiss_rounds_are_rounds() {
        let mut met = vec![0; 5];
        Event::new(5, |i, j| {
            met[i] += 1;
            met[j] += 1;
            (0.5, 0.5)
        })
        .ranks(Scheme::Swiss);
        assert!(met.iter().all(|m| *m <= 3), "{met:?}");
    }
}
