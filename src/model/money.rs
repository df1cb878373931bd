//! Money as people write it: decimals, exactly. A price is a whole number of millionths, so that no
//! sum hangs on how a machine rounds. Knows no currency.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// So many digits may stand behind the point.
const DIGITS: usize = 6;
/// So many may stand before it: more is no price, and sums stay within what numbers hold.
const WHOLE: usize = 9;

/// A price, never negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("format" = "price"))]
pub struct Price {
    /// The millionths.
    pub micros: i64,
}

impl Price {
    /// Reads a decimal: `18`, `0.085`.
    ///
    /// # Errors
    /// Returns what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) {
            return Err("expected digits, with a point between them at most".to_owned());
        }
        if whole.len() > WHOLE || fraction.len() > DIGITS {
            return Err(format!(
                "at most {WHOLE} digits stand before the point, and {DIGITS} behind it"
            ));
        }
        let digits = format!("{whole}{fraction:0<DIGITS$}");
        let micros = digits.parse().map_err(|_| "too many digits".to_owned())?;
        Ok(Self { micros })
    }
}

impl TryFrom<String> for Price {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

/// A sum in hundredths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(into = "String")]
#[schemars(with = "String", extend("pattern" = r"^[+-]?[0-9]+\.[0-9]{2}$"))]
pub struct Money {
    /// The hundredths.
    pub cents: i128,
}

impl From<Money> for String {
    fn from(money: Money) -> String {
        money.to_string()
    }
}

impl fmt::Display for Money {
    /// Writes two digits behind the point; with `{:+}` a sign in any case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.cents {
            cents if cents < 0 => "-",
            _ if f.sign_plus() => "+",
            _ => "",
        };
        let size = self.cents.unsigned_abs();
        write!(f, "{sign}{}.{:02}", size / 100, size % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<i64>) {
        let parsed = Price::parse(text).map(|price| price.micros);
        assert_eq!(parsed.ok(), expected, "{text}");
    }

    #[test]
    fn a_price_is_read_exactly() {
        check("18", Some(18_000_000));
        check("0.1", Some(100_000));
        check("0.000001", Some(1));
        check("007.50", Some(7_500_000));
        check("999999999.999999", Some(999_999_999_999_999));
    }

    #[test]
    fn what_could_be_misread_is_no_price() {
        for wrong in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1,5",
            "1e3",
            "1 EUR",
            "0.0000001",
            "1_000",
            "1000000000",
            "١",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn money_has_two_digits_behind_the_point() {
        let shown = |cents: i128| Money { cents }.to_string();
        assert_eq!(
            [shown(0), shown(5), shown(-1234)],
            ["0.00", "0.05", "-12.34"]
        );
        assert_eq!(
            format!("{:+} {:+}", Money { cents: 5 }, Money { cents: -5 }),
            "+0.05 -0.05"
        );
    }
}
