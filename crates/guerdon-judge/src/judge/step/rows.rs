//! Rows of step verdicts, and how several become one.

/// One verdict per step: how sure it is that the step is right, 0 to 1.
pub type Row = Vec<f64>;

/// Whether a verdict says "right": evenly split is wrong.
pub fn right(verdict: f64) -> bool {
    verdict > 0.5
}

/// The place of the first step that is not right.
pub fn first_error(row: &[f64]) -> Option<usize> {
    row.iter().position(|verdict| !right(*verdict))
}

/// The row of a first error: right before it, wrong from there on.
pub fn until(error: Option<usize>, steps: usize) -> Row {
    let error = error.unwrap_or(steps);
    (0..steps).map(|step| f64::from(u8::from(step < error))).collect()
}

/// The mean verdict on each step. Rows are equally long.
pub fn mean(rows: &[Row]) -> Row {
    let steps = rows.first().map_or(0, Vec::len);
    let of = |step: usize| rows.iter().map(|row| row[step]).sum::<f64>() / rows.len() as f64;
    (0..steps).map(of).collect()
}

/// Right where more than half of the rows say so.
pub fn step_majority(rows: &[Row]) -> Row {
    let steps = rows.first().map_or(0, Vec::len);
    let votes = |step: usize| rows.iter().filter(|row| right(row[step])).count();
    (0..steps).map(|step| f64::from(u8::from(2 * votes(step) > rows.len()))).collect()
}

/// The first row whose outcome (all steps right, or not) is that of the majority; evenly split is wrong.
pub fn outcome_majority(rows: &[Row]) -> Row {
    let good = |row: &Row| first_error(row).is_none();
    let votes = rows.iter().filter(|row| good(row)).count();
    let outcome = 2 * votes > rows.len();
    rows.iter().find(|row| good(row) == outcome).cloned().unwrap_or_default()
}

/// The most frequent first error, "none" among them; of equally frequent ones the earliest, "none" last.
pub fn plurality(rows: &[Row]) -> Row {
    let steps = rows.first().map_or(0, Vec::len);
    let mut votes = vec![0usize; steps + 1];
    for row in rows {
        votes[first_error(row).unwrap_or(steps)] += 1;
    }
    let most = votes.iter().max().copied().unwrap_or(0);
    let error = votes.iter().position(|count| *count == most).filter(|at| *at < steps);
    until(error, steps)
}

#[cfg(test)]
mod tests {
    use super::{Row, first_error, mean, outcome_majority, plurality, step_majority, until};
    use guerdon_core::seed::stream;
    use rand::RngExt as _;

    fn rows<const N: usize>(texts: [&str; N]) -> Vec<Row> {
        let row = |text: &str| text.chars().map(|c| f64::from(u8::from(c == '+'))).collect();
        texts.iter().map(|text| row(text)).collect()
    }

    #[test]
    fn the_worked_example() {
        let three = rows(["++-", "+--", "+++"]);
        assert_eq!(step_majority(&three), [1.0, 1.0, 0.0]);
        assert_eq!(first_error(&step_majority(&three)), Some(2));
        assert!(first_error(&outcome_majority(&three)).is_some(), "two of three say wrong");
    }

    #[test]
    fn even_ties_count_as_wrong() {
        let two = rows(["++", "+-"]);
        assert_eq!(step_majority(&two), [1.0, 0.0]);
        assert_eq!(outcome_majority(&two), [1.0, 0.0]);
        assert_eq!(plurality(&two), [1.0, 0.0]);
        assert_eq!(mean(&two), [1.0, 0.5]);
        assert_eq!(first_error(&[0.5]), Some(0));
    }

    #[test]
    fn one_row_is_its_own_verdict() {
        let one = rows(["+-+"]);
        assert_eq!(step_majority(&one), one[0]);
        assert_eq!(outcome_majority(&one), one[0]);
        assert_eq!(plurality(&one), until(Some(1), 3));
        assert_eq!(plurality(&rows(["+++"])), [1.0; 3]);
    }

    /// F1 by the rule of `ProcessBench` on simulated verifiers: eight steps, 15 verifiers who flip each verdict on their own,
    /// and in `shared` of the steps all together.
    fn f1(flip: f64, merge: fn(&[Row]) -> Row) -> f64 {
        let mut rng = stream(5, "steps");
        let (mut hits, mut of) = ([0.0; 2], [0.0; 2]);
        for case in 0..2000 {
            let error = (case % 2 == 0).then(|| rng.random_range(0..8));
            let truth = until(error, 8);
            let shared: Vec<bool> = (0..8).map(|_| rng.random_bool(0.05)).collect();
            let mut verdict = |step: usize| {
                let flipped = shared[step] || rng.random_bool(flip);
                if flipped { 1.0 - truth[step] } else { truth[step] }
            };
            let all: Vec<Row> = (0..15).map(|_| (0..8).map(&mut verdict).collect()).collect();
            let side = usize::from(error.is_none());
            of[side] += 1.0;
            hits[side] += f64::from(u8::from(first_error(&merge(&all)) == error));
        }
        let (wrong, good) = (hits[0] / of[0], hits[1] / of[1]);
        2.0 * wrong * good / (wrong + good)
    }

    #[test]
    fn agreement_per_step_gives_the_best_labels() {
        let single: fn(&[Row]) -> Row = |rows| rows[0].clone();
        for flip in [0.1, 0.2] {
            let [one, outcome, plural, majority] =
                [single, outcome_majority, plurality, step_majority].map(|merge| f1(flip, merge));
            assert!(majority >= plural && plural > one, "{flip}: {one} {plural} {majority}");
            assert!(one > outcome, "{flip}: {one} {outcome}");
            assert!((majority - 0.7).abs() < 0.06, "{flip}: {majority}");
        }
    }
}
