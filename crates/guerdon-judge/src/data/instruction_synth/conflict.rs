//! Contradictions between constraints that can be decided by counting.
//!
//! Read are bounds on words, sentences, paragraphs, lines, characters and items (`at most 50 words`, `between 2 and 4
//! sentences`, `3 paragraphs of 40 words`), the case of letters, and quoted words that must or must not occur. All else is
//! left to a judge.

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Characters,
    Words,
    Sentences,
    Paragraphs,
    Lines,
    Items,
}

const UNITS: [(&str, Unit); 8] = [
    ("character", Unit::Characters),
    ("letter", Unit::Characters),
    ("word", Unit::Words),
    ("sentence", Unit::Sentences),
    ("paragraph", Unit::Paragraphs),
    ("line", Unit::Lines),
    ("bullet", Unit::Items),
    ("item", Unit::Items),
];

const NUMBERS: [&str; 13] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
];

/// Words before a number, and what they make of it.
const QUALIFIERS: [(&[&str], Way); 18] = [
    (&["at", "most"], Way::Most),
    (&["no", "more", "than"], Way::Most),
    (&["not", "more", "than"], Way::Most),
    (&["up", "to"], Way::Most),
    (&["maximum", "of"], Way::Most),
    (&["not", "exceed"], Way::Most),
    (&["not", "exceeding"], Way::Most),
    (&["within"], Way::Most),
    (&["no", "less", "than"], Way::Least),
    (&["no", "fewer", "than"], Way::Least),
    (&["at", "least"], Way::Least),
    (&["minimum", "of"], Way::Least),
    (&["fewer", "than"], Way::Below),
    (&["less", "than"], Way::Below),
    (&["under"], Way::Below),
    (&["more", "than"], Way::Above),
    (&["over"], Way::Above),
    (&["above"], Way::Above),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Most,
    Least,
    Below,
    Above,
}

/// A bound on a count, and where in the constraint its words stand.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bound {
    unit: Unit,
    low: f64,
    high: f64,
    from: usize,
    to: usize,
}

/// The first two constraints (the earlier place first) that no text can meet at once.
pub fn conflict(constraints: &[String]) -> Option<(usize, usize)> {
    let read: Vec<Demands> = constraints.iter().map(|text| Demands::of(text)).collect();
    (1..read.len()).find_map(|later| {
        (0..later)
            .find(|earlier| read[*earlier].clashes(&read[later]))
            .map(|earlier| (earlier, later))
    })
}

/// What one constraint demands.
#[derive(Debug, Clone, PartialEq, Default)]
struct Demands {
    bounds: Vec<Bound>,
    upper: bool,
    lower: bool,
    wanted: Vec<String>,
    unwanted: Vec<String>,
}

impl Demands {
    fn of(text: &str) -> Self {
        let lower = text.to_lowercase();
        let words: Vec<&str> = lower
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .take(200)
            .collect();
        let has = |word: &str| words.contains(&word);
        let all = has("all") || has("entirely") || has("only") || has("entire");
        let quoted = quoted(&lower);
        let refuses = ["not", "avoid", "without", "never", "exclude", "no"].iter().any(|w| has(w));
        let asks = ["include", "use", "mention", "contain", "word"].iter().any(|w| has(w));
        let (wanted, unwanted) = match (refuses, asks) {
            (true, _) => (Vec::new(), quoted),
            (false, true) => (quoted, Vec::new()),
            _ => (Vec::new(), Vec::new()),
        };
        Self {
            bounds: totals(&words),
            upper: all
                && !refuses
                && (has("uppercase") || has("capitals") || lower.contains("capital letters")),
            lower: all && !refuses && has("lowercase"),
            wanted,
            unwanted,
        }
    }

    fn clashes(&self, other: &Self) -> bool {
        let cased = (self.upper && other.lower) || (self.lower && other.upper);
        let worded = self.wanted.iter().any(|word| other.unwanted.contains(word))
            || other.wanted.iter().any(|word| self.unwanted.contains(word));
        cased || worded || self.bounds.iter().any(|a| other.bounds.iter().any(|b| apart(a, b)))
    }
}

/// Whether no text can meet both bounds. A paragraph has at least a sentence, a sentence a word, a word a character.
fn apart(a: &Bound, b: &Bound) -> bool {
    let holds = |outer: Unit, inner: Unit| {
        let order = [Unit::Paragraphs, Unit::Sentences, Unit::Words, Unit::Characters];
        let place = |unit| order.iter().position(|other| *other == unit);
        outer != inner && place(outer).zip(place(inner)).is_some_and(|(o, i)| o < i)
    };
    if a.unit == b.unit {
        return a.low > b.high || b.low > a.high;
    }
    (holds(a.unit, b.unit) && a.low > b.high) || (holds(b.unit, a.unit) && b.low > a.high)
}

/// Bounds on the whole text. What holds for each part is multiplied by the number of parts, where that is said in the same
/// constraint, and left out where it is not.
fn totals(words: &[&str]) -> Vec<Bound> {
    let mut bounds = bounds(words);
    let each = words.iter().any(|word| ["each", "every", "per"].contains(word));
    if let [parts, inside] = bounds[..] {
        let between = &words[parts.to..inside.from.max(parts.to)];
        let joined = each || between.iter().any(|word| ["of", "with", "containing"].contains(word));
        if joined && parts.unit != inside.unit {
            bounds[1].low *= parts.low;
            bounds[1].high *= parts.high;
        }
        return bounds;
    }
    if each { Vec::new() } else { bounds }
}

fn bounds(words: &[&str]) -> Vec<Bound> {
    let mut all = Vec::new();
    let mut at = 0;
    while at < words.len() {
        match bound(words, at) {
            Some(bound) => {
                at = bound.to;
                all.push(bound);
            }
            None => at += 1,
        }
    }
    all
}

/// The bound whose first number stands at a place.
fn bound(words: &[&str], at: usize) -> Option<Bound> {
    let first = number(words[at])?;
    let second = match (words.get(at + 1), words.get(at + 2)) {
        (Some(&("and" | "to" | "or")), Some(word)) => number(word).map(|second| (second, at + 3)),
        (Some(word), _) => number(word).map(|second| (second, at + 2)),
        _ => None,
    };
    let (end, range) = match second {
        Some((second, end)) => (end, Some((first, second))),
        None => (at + 1, None),
    };
    // One word may stand between the number and the unit: `3 short paragraphs`.
    let (unit, to) =
        (end..(end + 2).min(words.len())).find_map(|k| Some((unit(words[k])?, k + 1)))?;
    if let Some((low, high)) = range {
        return (low <= high).then_some(Bound { unit, low, high, from: at, to });
    }
    let before = &words[..at];
    let way = QUALIFIERS.iter().find(|(phrase, _)| before.ends_with(phrase));
    let from = at - way.map_or(0, |(phrase, _)| phrase.len());
    let (low, high) = match way.map(|(_, way)| *way) {
        None => (first, first),
        Some(Way::Most) => (0.0, first),
        Some(Way::Least) => (first, f64::INFINITY),
        Some(Way::Below) => (0.0, first - 1.0),
        Some(Way::Above) => (first + 1.0, f64::INFINITY),
    };
    Some(Bound { unit, low, high, from, to })
}

fn number(word: &str) -> Option<f64> {
    if let Some(value) = NUMBERS.iter().position(|name| *name == word) {
        return Some(value as f64);
    }
    let plain = word.len() <= 6 && word.bytes().all(|b| b.is_ascii_digit());
    word.parse().ok().filter(|_| plain)
}

fn unit(word: &str) -> Option<Unit> {
    let single = word.strip_suffix('s').unwrap_or(word);
    UNITS.iter().find(|(name, _)| *name == single).map(|(_, unit)| *unit)
}

/// The words in double quotes.
fn quoted(text: &str) -> Vec<String> {
    let plain: String =
        text.chars().map(|c| if matches!(c, '“' | '”') { '"' } else { c }).collect();
    let parts: Vec<&str> = plain.split('"').collect();
    let inside = parts.iter().skip(1).step_by(2).take(parts.len().saturating_sub(1) / 2);
    inside.map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::conflict;

    fn check(constraints: &[&str], expect: Option<(usize, usize)>) {
        let all: Vec<String> = constraints.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(conflict(&all), expect, "{constraints:?}");
    }

    #[test]
    fn planted_conflicts_are_found() {
        check(&["Use at most 50 words.", "Write 3 paragraphs of 40 words."], Some((0, 1)));
        check(&["Be kind.", "At least 10 sentences.", "Fewer than ten sentences."], Some((1, 2)));
        check(&["Between 100 and 200 words.", "No more than 99 words."], Some((0, 1)));
        check(&["Exactly two paragraphs.", "Use 3 short paragraphs."], Some((0, 1)));
        check(&["At most 2 sentences.", "Write three paragraphs."], Some((0, 1)));
        check(&["3 paragraphs, each with at least 30 words", "Under 90 words."], Some((0, 1)));
        check(&["Write in all lowercase letters.", "Use only capital letters."], Some((0, 1)));
        check(&["Include the word \"sun\".", "Do not use the word “sun”."], Some((0, 1)));
    }

    #[test]
    fn what_can_be_met_is_no_conflict() {
        check(&["Use at most 50 words.", "Write 3 paragraphs of at most 40 words."], None);
        check(&["Use at most 150 words.", "Write 3 paragraphs of 40 words."], None);
        check(&["At most 50 words.", "Each paragraph must have at least 20 words."], None);
        check(&["Use up to 5 bullet points.", "At least 3 items."], None);
        check(&["At least 100 words.", "At most 10 sentences."], None);
        check(&["Include the word \"sun\".", "Do not use the word \"moon\"."], None);
        check(&["Mention 3 rivers.", "Mention 4 lakes."], None);
        check(&["", "99999999999 words"], None);
    }
}
