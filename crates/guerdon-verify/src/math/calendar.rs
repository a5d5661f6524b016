//! Times of day and dates.

use super::ast::Expr;

/// Minutes since midnight of a time with "am" or "pm"; `None` when it is not one.
pub(crate) fn clock(value: &Expr, meridiem: &str) -> Option<i64> {
    let afternoon = match meridiem {
        "pm" => true,
        "am" => false,
        _ => return None,
    };
    let (hour, minute) = hour_and_minute(value)?;
    if !(1..=12).contains(&hour) {
        return None;
    }
    Some((hour % 12 + if afternoon { 12 } else { 0 }) * 60 + minute)
}

/// Minutes since midnight of a time without "am" or "pm". The hour stands as it is: `4:30` is not `16:30`.
pub(crate) fn bare_clock(value: &Expr) -> Option<i64> {
    let Expr::Ratio(_, true) = value else { return None };
    let (hour, minute) = hour_and_minute(value)?;
    (0..24).contains(&hour).then_some(hour * 60 + minute)
}

fn hour_and_minute(value: &Expr) -> Option<(i64, i64)> {
    let number = |x: &Expr| match x {
        Expr::Num(q) => q.to_i64(),
        _ => None,
    };
    match value {
        Expr::Ratio(parts, true) if parts.len() == 2 => {
            Some((number(&parts[0])?, number(&parts[1])?))
        }
        other => Some((number(other)?, 0)),
    }
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const FULL: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A date: year when given, month, day.
pub(crate) type Date = (Option<u32>, u32, u32);

/// Reads `March 5, 2023`, `5 March 2023`, `March 5`, `2023-03-05`. `None` for other text.
pub(crate) fn date(text: &str) -> Option<Date> {
    if text.len() > 64 {
        return None;
    }
    iso(text.trim()).or_else(|| written(text))
}

fn iso(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || y.len() != 4 || m.len() != 2 || d.len() != 2 {
        return None;
    }
    valid((Some(y.parse().ok()?), m.parse().ok()?, d.parse().ok()?))
}

fn written(text: &str) -> Option<Date> {
    let (mut month, mut day, mut year) = (None, None, None);
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()) {
        let lower = word.to_ascii_lowercase();
        let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        if let Some(at) = month_number(&lower) {
            if month.replace(at).is_some() {
                return None;
            }
        } else if matches!(lower.as_str(), "of" | "the" | "text") {
        } else if !digits.is_empty()
            && matches!(&lower[digits.len()..], "" | "st" | "nd" | "rd" | "th")
        {
            let value: u32 = digits.parse().ok()?;
            let slot = if value > 31 { &mut year } else { &mut day };
            if slot.replace(value).is_some() {
                return None;
            }
        } else {
            return None;
        }
    }
    valid((year, month?, day?))
}

fn month_number(word: &str) -> Option<u32> {
    let at =
        FULL.iter().position(|m| *m == word).or_else(|| MONTHS.iter().position(|m| *m == word))?;
    u32::try_from(at + 1).ok()
}

fn valid(date: Date) -> Option<Date> {
    ((1..=12).contains(&date.1) && (1..=31).contains(&date.2)).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_several_orders() {
        let check = |text: &str, expected: Option<Date>| assert_eq!(date(text), expected, "{text}");
        let day = Some((Some(2023), 3, 5));
        check("March 5, 2023", day);
        check("5 March 2023", day);
        check("2023-03-05", day);
        check("the 5th of March 2023", day);
        check("March 5", Some((None, 3, 5)));
        check("2023-13-05", None);
        check("May", None);
        check("x + 5", None);
    }

    #[test]
    fn noon_and_midnight() {
        let twelve = Expr::int(12);
        assert_eq!(clock(&twelve, "am"), Some(0));
        assert_eq!(clock(&twelve, "pm"), Some(720));
        assert_eq!(clock(&twelve, "km"), None);
    }
}
