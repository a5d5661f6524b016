//! What the values of an outcome column mean.

use guerdon_core::MethodError;

use super::columns::Columns;
use crate::Outcome;

/// What one distinct value of the outcome column means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Known(Outcome),
    /// Perhaps the name of a contestant.
    Unknown,
}

const FIRST: [&str; 16] = [
    "first",
    "a",
    "model_a",
    "left",
    "x",
    "model_1",
    "model1",
    "player_a",
    "player_1",
    "player1",
    "a>b",
    "a>>b",
    "model_x",
    "assistant a",
    "white",
    "home",
];
const SECOND: [&str; 16] = [
    "second",
    "b",
    "model_b",
    "right",
    "y",
    "model_2",
    "model2",
    "player_b",
    "player_2",
    "player2",
    "b>a",
    "b>>a",
    "model_y",
    "assistant b",
    "black",
    "away",
];
const TIE: [&str; 15] = [
    "tie",
    "draw",
    "tie (bothbad)",
    "bothbad",
    "both bad",
    "both_bad",
    "both good",
    "both_good",
    "equal",
    "a=b",
    "c",
    "none",
    "neither",
    "both",
    "tied",
];

/// What each of `values` (the distinct ones of the column) means.
///
/// Numbers are read as a whole: with a 2, 1 and 2 are the winner's side and 0 a tie; with −1 or a half, they are the points
/// or the sign of the first. 0 and 1 alone could be either way round, which is an error.
pub(super) fn meanings(values: &[String], columns: &Columns) -> Result<Vec<Meaning>, MethodError> {
    let numbers = Numbers::of(values, columns)?;
    Ok(values
        .iter()
        .map(|value| {
            said(value, columns).or_else(|| numbers.meaning(value)).unwrap_or_else(|| usual(value))
        })
        .collect())
}

/// The meaning that the user gave.
fn said(value: &str, columns: &Columns) -> Option<Meaning> {
    let lists = [
        (&columns.first_wins, Outcome::First),
        (&columns.second_wins, Outcome::Second),
        (&columns.tie, Outcome::Tie),
    ];
    let value = value.trim();
    lists
        .iter()
        .find(|(list, _)| list.iter().any(|v| v.trim().eq_ignore_ascii_case(value)))
        .map(|(_, o)| Meaning::Known(*o))
}

fn usual(value: &str) -> Meaning {
    let value = value.trim().trim_start_matches("[[").trim_end_matches("]]");
    let lists =
        [(&FIRST[..], Outcome::First), (&SECOND[..], Outcome::Second), (&TIE[..], Outcome::Tie)];
    let found = lists.iter().find(|(list, _)| list.iter().any(|v| v.eq_ignore_ascii_case(value)));
    found.map_or(Meaning::Unknown, |(_, outcome)| Meaning::Known(*outcome))
}

/// How numbers are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Numbers {
    /// 1 first, 2 second, 0 tie.
    Side,
    /// 1 first, 0 second, ½ tie.
    Points,
    /// 1 first, −1 second, 0 tie.
    Sign,
    None,
}

impl Numbers {
    fn of(values: &[String], columns: &Columns) -> Result<Self, MethodError> {
        let open = values.iter().filter(|value| said(value, columns).is_none());
        let numbers: Vec<f64> = open.filter_map(|value| value.trim().parse().ok()).collect();
        let has = |x: f64| numbers.contains(&x);
        Ok(match (has(2.0), has(0.5), has(-1.0)) {
            (true, false, false) => Self::Side,
            (false, true, false) => Self::Points,
            (false, false, true) => Self::Sign,
            (false, false, false) if has(1.0) && !has(0.0) => Self::Side,
            (false, false, false) if has(0.0) => {
                return Err(MethodError::domain(
                    "the outcome column holds 0 and 1, which can be read either way: say what they mean with \
                     `first_wins`, `second_wins` and `tie`",
                ));
            }
            _ => Self::None,
        })
    }

    fn meaning(self, value: &str) -> Option<Meaning> {
        let number: f64 = value.trim().parse().ok()?;
        let [first, second, tie] = match self {
            Self::Side => [1.0, 2.0, 0.0],
            Self::Points => [1.0, 0.0, 0.5],
            Self::Sign => [1.0, -1.0, 0.0],
            Self::None => return None,
        };
        let sides = [(first, Outcome::First), (second, Outcome::Second), (tie, Outcome::Tie)];
        sides.iter().find(|(x, _)| *x == number).map(|(_, outcome)| Meaning::Known(*outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::{Meaning, meanings};
    use crate::Outcome::{First, Second, Tie};
    use crate::comparisons::read::Columns;

    fn check(values: &[&str], expected: &[Option<crate::Outcome>]) {
        let values: Vec<String> = values.iter().map(|v| (*v).to_owned()).collect();
        let found = meanings(&values, &Columns::default()).unwrap();
        let expected: Vec<Meaning> =
            expected.iter().map(|o| o.map_or(Meaning::Unknown, Meaning::Known)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn words_and_numbers_are_understood() {
        check(&["Model_A", "TIE", "[[B]]"], &[Some(First), Some(Tie), Some(Second)]);
        check(&["2", "0", "1"], &[Some(Second), Some(Tie), Some(First)]);
        check(&["0", "0.5", "1.0"], &[Some(Second), Some(Tie), Some(First)]);
        check(&["-1", "0", "1"], &[Some(Second), Some(Tie), Some(First)]);
        check(&["gpt-4", "1"], &[None, Some(First)]);
    }
}
