//! What time it is. The core knows no clock: it gets the time as a value.

#![expect(
    clippy::disallowed_methods,
    reason = "the shell reads the clock and the environment, and passes values"
)]

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

use crate::diagnostic::Diagnostic;

/// What stands in for the clock where results must be the same again
/// (<https://reproducible-builds.org/specs/source-date-epoch/>).
const VARIABLE: &str = "SOURCE_DATE_EPOCH";

/// Returns what time it is.
///
/// # Errors
/// Fails where `SOURCE_DATE_EPOCH` is set to what is no time.
pub(super) fn now() -> Result<Timestamp, Box<Diagnostic>> {
    match env::var_os(VARIABLE).filter(|text| !text.is_empty()) {
        Some(text) => parse(&text.to_string_lossy()),
        None => Ok(of_machine()),
    }
}

/// Reads the machine's clock. One that stands before 1970 is as good as none.
fn of_machine() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.map(|since| since.as_secs()).unwrap_or_default();
    let seconds = i64::try_from(seconds).unwrap_or_default();
    Timestamp::from_second(seconds).unwrap_or_default()
}

fn parse(text: &str) -> Result<Timestamp, Box<Diagnostic>> {
    let seconds: Option<i64> = text.parse().ok();
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.ok_or_else(|| {
        let message = format!("{VARIABLE} is `{text}`, which is no time");
        let fault = Diagnostic::error("usage", message);
        Box::new(fault.hint("set it to seconds since 1970 (`date +%s`), or unset it"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let time = parse(text).ok().map(|time| time.to_string());
        assert_eq!(time.as_deref(), expected, "{text}");
    }

    #[test]
    fn a_given_time_is_in_seconds() {
        check("1772440200", Some("2026-03-02T08:30:00Z"));
        for wrong in ["soon", "1.5", "99999999999999999999", "2026-03-02"] {
            check(wrong, None);
        }
    }
}
