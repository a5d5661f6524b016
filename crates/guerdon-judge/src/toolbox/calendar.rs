//! Arithmetic with dates of the Gregorian calendar, years 1 to 9999.
//!
//! `2024-02-28 + 2 days` (days, weeks, months, years; also −), `2024-03-01 - 2024-02-28`, `weekday 2024-02-29`.

const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const HELP: &str = "write `2024-02-28 + 2 days` (days, weeks, months or years), `2024-03-01 - 2024-02-28`, or \
    `weekday 2024-02-29`";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Date {
    year: i64,
    month: i64,
    day: i64,
}

/// The answer to a question about dates.
pub(super) fn run(input: &str) -> Result<String, String> {
    let words: Vec<&str> = input.split_whitespace().take(8).collect();
    match words.as_slice() {
        [word, date] | [word, "of", date] if word.eq_ignore_ascii_case("weekday") => {
            let date = Date::parse(date)?;
            Ok(WEEKDAYS[usize::try_from(date.number().rem_euclid(7)).unwrap_or(0)].to_owned())
        }
        [date, sign @ ("+" | "-" | "−"), count, unit] => {
            let count: i64 = count.parse().map_err(|_| format!("{count:?} is no whole number"))?;
            let count = if *sign == "+" { Some(count) } else { count.checked_neg() };
            Ok(Date::parse(date)?.moved(count.ok_or_else(far)?, unit)?.to_string())
        }
        [later, "-" | "−", earlier] => {
            let days = Date::parse(later)?.number() - Date::parse(earlier)?.number();
            Ok(format!("{days} days"))
        }
        _ => Err(HELP.to_owned()),
    }
}

fn far() -> String {
    "the date lies outside the years 1 to 9999".to_owned()
}

fn leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Date {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{:?} is no date such as 2024-02-29", &text[..text.floor_char_boundary(20)]);
        let plain = |part: &str| part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
        let parts: Vec<i64> =
            text.split('-').take(4).filter(|p| plain(p)).filter_map(|p| p.parse().ok()).collect();
        let [year, month, day] = parts[..] else { return Err(wrong()) };
        if text.matches('-').count() != 2 {
            return Err(wrong());
        }
        Self::new(year, month, day).ok_or_else(wrong)
    }

    fn new(year: i64, month: i64, day: i64) -> Option<Self> {
        let sound = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day);
        sound.then_some(Self { year, month, day })
    }

    /// Days since Monday, 1 January of year 1.
    fn number(self) -> i64 {
        let before = self.year - 1;
        let years = 365 * before + before / 4 - before / 100 + before / 400;
        let months: i64 = (1..self.month).map(|month| days_in(self.year, month)).sum();
        years + months + self.day - 1
    }

    fn of_number(number: i64) -> Option<Self> {
        // 146,097 days make 400 years; the estimate is at most one year too early.
        let mut year = number.checked_mul(400)?.checked_div(146_097)?.clamp(1, 9_999);
        let start = |year: i64| Self { year, month: 1, day: 1 }.number();
        while year < 9_999 && start(year + 1) <= number {
            year += 1;
        }
        while year > 1 && start(year) > number {
            year -= 1;
        }
        let mut day = number - start(year) + 1;
        let mut month = 1;
        while month < 12 && day > days_in(year, month) {
            day -= days_in(year, month);
            month += 1;
        }
        Self::new(year, month, day)
    }

    /// So many units later; a day that the month does not have becomes its last.
    fn moved(self, count: i64, unit: &str) -> Result<Self, String> {
        let days = match unit.trim_end_matches('s') {
            "day" => Some(1),
            "week" => Some(7),
            _ => None,
        };
        if let Some(days) = days {
            let number = count.checked_mul(days).and_then(|d| d.checked_add(self.number()));
            return number.and_then(Self::of_number).ok_or_else(far);
        }
        let months = match unit.trim_end_matches('s') {
            "month" => count,
            "year" => count.checked_mul(12).ok_or_else(far)?,
            _ => return Err(HELP.to_owned()),
        };
        let month = (12 * self.year + self.month - 1).checked_add(months).ok_or_else(far)?;
        let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
        Self::new(year, month, self.day.min(days_in(year, month))).ok_or_else(far)
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::{Date, run};

    fn check(input: &str, expect: &str) {
        assert_eq!(run(input).as_deref(), Ok(expect), "{input}");
    }

    #[test]
    fn dates_are_moved_and_subtracted() {
        check("2024-02-28 + 2 days", "2024-03-01");
        check("2023-02-28 + 2 days", "2023-03-02");
        check("2024-01-31 + 1 month", "2024-02-29");
        check("2024-02-29 - 1 year", "2023-02-28");
        check("2024-03-01 - 2 weeks", "2024-02-16");
        check("2000-01-01 - 1900-01-01", "36524 days");
        check("weekday 2024-02-29", "Thursday");
        check("weekday of 1970-01-01", "Thursday");
        check("weekday 0001-01-01", "Monday");
    }

    #[test]
    fn what_is_no_date_is_an_error() {
        for input in [
            "",
            "2023-02-29 + 1 days",
            "2024-13-01 + 1 day",
            "9999-12-31 + 1 day",
            "0001-01-01 - 1 day",
            "2024-01-01 + 9223372036854775807 weeks",
            "2024-01-01 - -9223372036854775808 days",
            "2024-01-01 + 9223372036854775807 years",
            "tomorrow",
            "2024-01-01 + 1 decade",
            "2024-1-1-1 - 2024-01-01",
            "weekday",
        ] {
            assert!(run(input).is_err(), "{input}: {:?}", run(input));
        }
    }

    #[test]
    fn numbers_and_dates_are_one_to_one() {
        for number in (0..3_652_059).step_by(97).chain([3_652_058]) {
            assert_eq!(Date::of_number(number).unwrap().number(), number);
        }
        assert_eq!(Date::of_number(3_652_059), None);
        assert_eq!(Date::of_number(-1), None);
    }
}
