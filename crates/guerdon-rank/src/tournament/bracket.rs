//! Single elimination: seeds, byes, rounds, and the order of those who lost.

/// A match of a bracket, by index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bout {
    /// Round, from 0.
    pub round: usize,
    /// In the first slot.
    pub first: usize,
    /// In the second slot.
    pub second: usize,
    /// Scores of the two.
    pub scores: (f64, f64),
}

/// The seed (from 0) that stands at each place of a full bracket of `size` places (a power of two): the best meet last.
pub fn places(size: usize) -> Vec<usize> {
    let mut places = vec![0];
    while places.len() < size {
        let twice = 2 * places.len();
        places = places.iter().flat_map(|&seed| [seed, twice - 1 - seed]).collect();
    }
    places
}

/// How a bracket went.
#[derive(Debug, Clone, PartialEq)]
pub struct Bracket {
    /// The bouts, in order.
    pub bouts: Vec<Bout>,
    /// For each contestant that took part, the round in which it lost (the number of rounds for the champion).
    pub reached: Vec<(usize, usize)>,
}

/// Plays a bracket of `seeds` (contestants, best seed first). `meet(first, second)` gives the two scores; the greater one
/// wins and the first slot wins ties. Where the field is not a power of two, the best seeds have byes.
pub fn play(seeds: &[usize], mut meet: impl FnMut(usize, usize) -> (f64, f64)) -> Bracket {
    let size = seeds.len().next_power_of_two();
    let mut field: Vec<Option<usize>> =
        places(size).into_iter().map(|place| seeds.get(place).copied()).collect();
    let mut bracket = Bracket { bouts: Vec::new(), reached: Vec::new() };
    let mut round = 0;
    while field.len() > 1 {
        let next = field.chunks(2).map(|pair| match (pair[0], pair[1]) {
            (Some(first), Some(second)) => {
                let scores = meet(first, second);
                bracket.bouts.push(Bout { round, first, second, scores });
                let (winner, loser) =
                    if scores.1 > scores.0 { (second, first) } else { (first, second) };
                bracket.reached.push((loser, round));
                Some(winner)
            }
            (one, other) => one.or(other),
        });
        field = next.collect();
        round += 1;
    }
    bracket.reached.extend(field.into_iter().flatten().map(|champion| (champion, round)));
    bracket
}

impl Bracket {
    /// Contestants from the champion down: by round reached, within a round by mean score over all bouts (those in
    /// `extra`, as (contestant, score), included), then in the order of the seeds.
    pub fn order(&self, seeds: &[usize], extra: &[(usize, f64)]) -> Vec<usize> {
        let n = seeds.iter().max().map_or(0, |most| most + 1);
        let mut sums = vec![(0.0, 0.0); n];
        let scores = self
            .bouts
            .iter()
            .flat_map(|bout| [(bout.first, bout.scores.0), (bout.second, bout.scores.1)]);
        for (i, score) in scores.chain(extra.iter().copied()) {
            sums[i].0 += score;
            sums[i].1 += 1.0;
        }
        let mean = |i: usize| if sums[i].1 > 0.0 { sums[i].0 / sums[i].1 } else { 0.0 };
        let mut reached = vec![0; n];
        self.reached.iter().for_each(|&(i, round)| reached[i] = round);
        let mut order = seeds.to_vec();
        order.sort_by(|&i, &j| reached[j].cmp(&reached[i]).then(mean(j).total_cmp(&mean(i))));
        order
    }
}

#[cfg(test)]
mod tests {
    use super::{places, play};

    #[test]
    fn the_best_meet_last() {
        assert_eq!(places(8), [0, 7, 3, 4, 1, 6, 2, 5]);
        assert_eq!(places(1), [0]);
    }

    #[test]
    fn there_is_one_bout_less_than_contestants() {
        let strength = |i: usize| -(i as f64);
        for n in 0..20 {
            let seeds: Vec<usize> = (0..n).rev().collect();
            let bracket = play(&seeds, |a, b| (strength(a), strength(b)));
            assert_eq!(bracket.bouts.len(), n.saturating_sub(1));
            assert_eq!(bracket.reached.len(), n);
            assert_eq!(bracket.order(&seeds, &[]).first().copied(), (n > 0).then_some(0));
        }
    }

    #[test]
    fn byes_go_to_the_best_seeds() {
        let bracket = play(&[0, 1, 2, 3, 4], |a, b| (-(a as f64), -(b as f64)));
        let first: Vec<_> = bracket
            .bouts
            .iter()
            .filter(|bout| bout.round == 0)
            .map(|b| (b.first, b.second))
            .collect();
        assert_eq!(first, [(3, 4)]);
    }

    #[test]
    fn the_first_slot_wins_ties() {
        assert_eq!(play(&[5, 2], |_, _| (1.0, 1.0)).order(&[5, 2], &[]), [5, 2]);
    }
}
