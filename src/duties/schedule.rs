//! When it is time: crontab schedules as the reference reads them. Knows nothing of what is done then. The
//! one thing here that is not in its arguments is the table of time zones, for schedules that name one.

use cronexpr::{Crontab, FallbackTimezoneOption, MakeTimestamp, ParseOptions};
use jiff::{SignedDuration, Timestamp};

use crate::model::quote::quote;

/// A schedule.
#[derive(Debug, Clone)]
pub enum Schedule {
    /// By the clock.
    Clock(Box<Crontab>),
    /// So long after the time before.
    Every(SignedDuration),
}

/// Shorthands of crontab.
const WORDS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

impl Schedule {
    /// Reads five fields, a word such as `@daily`, or `@every 6h`; in UTC, unless `TZ=` or `CRON_TZ=` with
    /// a time zone stands before.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (zone, rest) = match zone(text.trim()) {
            Some((zone, rest)) => (Some(zone), rest),
            None => (None, text.trim()),
        };
        if let Some(every) = rest.strip_prefix("@every ") {
            return match crate::model::duration::Duration::parse(every) {
                Ok(every) if every.seconds > 0 => {
                    let seconds = i64::try_from(every.seconds).unwrap_or(i64::MAX);
                    Ok(Self::Every(SignedDuration::from_secs(seconds)))
                }
                Ok(_) => Err(wrong(text, "it would never end")),
                Err(why) => Err(wrong(text, &why)),
            };
        }
        let word = WORDS.iter().find(|(word, _)| *word == rest);
        let fields = word.map_or(rest, |(_, fields)| fields);
        if fields.split_whitespace().count() != 5 {
            let expected =
                "expected five fields: minute, hour, day of the month, month, day of the week";
            return Err(wrong(text, expected));
        }
        let line = match zone {
            Some(zone) => format!("{fields} {zone}"),
            None => fields.to_owned(),
        };
        let mut options = ParseOptions::default();
        options.fallback_timezone_option = FallbackTimezoneOption::UTC;
        let parsed = cronexpr::parse_crontab_with(&line, options);
        let parsed = parsed.map_err(|error| wrong(text, &first_line(&error.to_string())))?;
        Ok(Self::Clock(Box::new(parsed)))
    }

    /// Returns the first time after another.
    ///
    /// # Errors
    /// Says that there is none: it asks for a day such as the 30th of February.
    pub fn next(&self, after: Timestamp) -> Result<Timestamp, String> {
        match self {
            Self::Clock(fields) => {
                let next = fields.find_next(MakeTimestamp(after));
                let next = next.map_err(|_| "spec.schedule names no day that ever comes")?;
                Ok(next.timestamp())
            }
            Self::Every(span) => {
                let next = after.checked_add(*span);
                next.map_err(|_| "spec.schedule names no time that ever comes".to_owned())
            }
        }
    }
}

/// Splits a time zone off.
fn zone(text: &str) -> Option<(&str, &str)> {
    let rest = text
        .strip_prefix("TZ=")
        .or_else(|| text.strip_prefix("CRON_TZ="))?;
    let (zone, rest) = rest.split_once(char::is_whitespace)?;
    Some((zone, rest.trim_start()))
}

fn wrong(text: &str, why: &str) -> String {
    format!("spec.schedule: {} is no schedule: {why}", quote(text))
}

/// The library draws where it is wrong over several lines.
fn first_line(text: &str) -> String {
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    let line = last.unwrap_or_default();
    line.trim_start_matches([' ', '^', '|']).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(schedule: &str, after: &str, expected: &str) {
        let next = Schedule::parse(schedule)
            .unwrap()
            .next(after.parse().unwrap());
        assert_eq!(next.unwrap().to_string(), expected, "{schedule}");
    }

    #[track_caller]
    fn check_wrong(schedule: &str, part: &str) {
        let error = Schedule::parse(schedule).unwrap_err();
        assert!(error.contains(part), "{error}");
    }

    #[test]
    fn the_next_time_is_the_first_one_after() {
        check(
            "*/5 * * * *",
            "2026-01-01T12:00:00Z",
            "2026-01-01T12:05:00Z",
        );
        check("0 3 * * *", "2026-01-01T02:59:59Z", "2026-01-01T03:00:00Z");
        check("0 3 * * *", "2026-01-01T03:00:00Z", "2026-01-02T03:00:00Z");
        check(
            "0 0 * * MON",
            "2026-01-01T00:00:00Z",
            "2026-01-05T00:00:00Z",
        );
        check("0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z");
    }

    #[test]
    fn a_day_of_the_month_or_of_the_week_is_enough() {
        check("0 0 13 * 5", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
        check("0 0 13 * 5", "2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z");
    }

    #[test]
    fn words_stand_for_fields() {
        check("@hourly", "2026-01-01T12:10:00Z", "2026-01-01T13:00:00Z");
        check("@daily", "2026-01-01T12:10:00Z", "2026-01-02T00:00:00Z");
        check("@weekly", "2026-01-01T12:10:00Z", "2026-01-04T00:00:00Z");
        check("@every 90m", "2026-01-01T12:10:00Z", "2026-01-01T13:40:00Z");
    }

    #[test]
    fn a_time_zone_may_stand_before() {
        let berlin = "CRON_TZ=Europe/Berlin 0 3 * * *";
        check(berlin, "2026-01-01T00:00:00Z", "2026-01-01T02:00:00Z");
        check(berlin, "2026-07-01T00:00:00Z", "2026-07-01T01:00:00Z");
        check(
            "TZ=UTC @daily",
            "2026-07-01T00:00:00Z",
            "2026-07-02T00:00:00Z",
        );
    }

    #[test]
    fn what_is_no_schedule_is_told() {
        check_wrong("", "five fields");
        check_wrong("* * * *", "five fields");
        check_wrong("* * * * * *", "five fields");
        check_wrong("61 * * * *", "no schedule");
        check_wrong("@sometimes", "five fields");
        check_wrong("@every 0s", "never end");
        check_wrong("@every now and then", "no schedule");
        check_wrong("TZ=Moon/Crater 0 3 * * *", "no schedule");
    }

    #[test]
    fn a_day_that_never_comes_is_told() {
        let never = Schedule::parse("0 0 30 2 *").unwrap();
        assert!(never.next("2026-01-01T00:00:00Z".parse().unwrap()).is_err());
    }
}
