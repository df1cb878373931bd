//! Spans of time as people write them: `90s`, `5m`, `2h30m`, `7 days`.

use std::fmt;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A span of time in whole seconds, never negative.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("format" = "duration"))]
pub struct Duration {
    /// The whole seconds.
    pub seconds: u64,
}

impl Duration {
    /// Returns a span of so many seconds.
    #[must_use]
    pub fn seconds(seconds: u64) -> Self {
        Self { seconds }
    }

    /// Reads numbers with units, from weeks to seconds; a day has 24 hours. A fraction of a second
    /// is dropped.
    ///
    /// # Errors
    /// Returns what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let span: Span = text
            .trim()
            .parse()
            .map_err(|_| "expected a number with a unit".to_owned())?;
        let day_by_day = SpanRelativeTo::days_are_24_hours();
        let length: SignedDuration = span
            .to_duration(day_by_day)
            .map_err(|_| "a month and a year have no fixed length".to_owned())?;
        let seconds = u64::try_from(length.as_secs());
        let seconds = seconds.map_err(|_| "a span of time is never negative".to_owned())?;
        Ok(Self { seconds })
    }
}

impl TryFrom<String> for Duration {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<Duration> for String {
    fn from(duration: Duration) -> String {
        duration.to_string()
    }
}

impl fmt::Display for Duration {
    /// Writes the two largest units that count: `2h 30m`, `3d 4h`, `45s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
        let first = UNITS.iter().position(|(size, _)| self.seconds >= *size);
        let Some(first) = first else {
            return f.write_str("0s");
        };
        let mut left = self.seconds;
        let parts: Vec<String> = UNITS[first..]
            .iter()
            .take(2)
            .filter_map(|(size, unit)| {
                let count = left / size;
                left %= size;
                (count > 0).then(|| format!("{count}{unit}"))
            })
            .collect();
        f.write_str(&parts.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, seconds: Option<u64>) {
        let parsed = Duration::parse(text).map(|duration| duration.seconds);
        assert_eq!(parsed.ok(), seconds, "{text}");
    }

    #[test]
    fn people_write_numbers_with_units() {
        check("90s", Some(90));
        check("5m", Some(300));
        check("2h30m", Some(9_000));
        check("2h 30m", Some(9_000));
        check("1d", Some(86_400));
        check("1 week", Some(604_800));
        check(" 7 days ", Some(604_800));
        check("1.5h", Some(5_400));
        check("0s", Some(0));
    }

    #[test]
    fn what_is_no_span_is_refused() {
        check("", None);
        check("5", None);
        check("five minutes", None);
        check("-5m", None);
        check("1 month", None);
        check("99999999999999999999h", None);
    }

    #[track_caller]
    fn check_shown(seconds: u64, text: &str) {
        assert_eq!(Duration::seconds(seconds).to_string(), text);
    }

    #[test]
    fn the_two_largest_units_are_shown() {
        check_shown(0, "0s");
        check_shown(59, "59s");
        check_shown(60, "1m");
        check_shown(9_000, "2h 30m");
        check_shown(3_601, "1h");
        check_shown(86_400 * 3 + 3_600 * 4 + 5, "3d 4h");
    }
}
