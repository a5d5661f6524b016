//! Numbers in words: cardinals and ordinals of English up to the billions.

use super::number::Rational;

const UNITS: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const ORDINALS: [(&str, &str); 8] = [
    ("first", "one"),
    ("second", "two"),
    ("third", "three"),
    ("fifth", "five"),
    ("eighth", "eight"),
    ("ninth", "nine"),
    ("twelfth", "twelve"),
    ("fortieth", "forty"),
];

/// One word below one hundred, cardinal or ordinal.
fn small(word: &str) -> Option<i64> {
    let word = ORDINALS.iter().find(|(o, _)| *o == word).map_or(word, |(_, cardinal)| cardinal);
    let plain = |w: &str| {
        let at = |names: &[&str], step: i64| {
            names
                .iter()
                .position(|n| *n == w && !n.is_empty())
                .and_then(|i| i64::try_from(i).ok())
                .map(|i| i * step)
        };
        at(&UNITS, 1).or_else(|| at(&TENS, 10))
    };
    plain(word).or_else(|| plain(word.strip_suffix("th")?)).or_else(|| {
        let stem = word.strip_suffix("ieth")?;
        plain(&format!("{stem}y"))
    })
}

/// A number up to nineteen in one word, or a base written as a word.
pub(crate) fn small_number(text: &str) -> Option<u32> {
    small(&text.trim().to_ascii_lowercase()).and_then(|n| u32::try_from(n).ok())
}

/// The value of a number in words: `twenty-five`, `one hundred and two`, `third`. `None` for other text.
pub(crate) fn number(text: &str) -> Option<Rational> {
    if text.len() > 120 || !text.bytes().all(|b| b.is_ascii_alphabetic() || b == b' ' || b == b'-')
    {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let (mut total, mut group, mut any) = (0i64, 0i64, false);
    for word in lower.split([' ', '-']).filter(|w| !w.is_empty()) {
        match word.strip_suffix("th").unwrap_or(word) {
            "and" if any => continue,
            "hundred" if any && group > 0 => group = group.checked_mul(100)?,
            "thousand" if any => (total, group) = (total.checked_add(group.checked_mul(1000)?)?, 0),
            "million" if any => {
                (total, group) = (total.checked_add(group.checked_mul(1_000_000)?)?, 0);
            }
            "billion" if any => {
                (total, group) = (total.checked_add(group.checked_mul(1_000_000_000)?)?, 0);
            }
            _ => {
                let value = small(word)?;
                // `two three` is not a number.
                let fits = group == 0
                    || (group % 100 == 0 && value < 100)
                    || (group % 10 == 0 && group % 100 >= 20 && value < 10);
                if !fits {
                    return None;
                }
                group += value;
            }
        }
        any = true;
    }
    any.then_some(Rational::int(total.checked_add(group)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_words() {
        let check = |text: &str, n: i64| assert_eq!(number(text), Some(Rational::int(n)), "{text}");
        check("four", 4);
        check("Twenty-five", 25);
        check("one hundred and two", 102);
        check("three thousand four hundred", 3400);
        check("third", 3);
        check("twentieth", 20);
        check("zero", 0);
    }

    #[test]
    fn other_text_is_no_number() {
        for text in ["Evelyn", "", "two three", "and", "hundred", "one or two"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
