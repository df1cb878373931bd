//! Amounts such as `500m` or `100Gi`: their value, and the spelling that an API server gives them
//! (Kubernetes' canonical form, but for what it leaves as written). Knows nothing of claims.

use std::cmp::Ordering;

/// Parts of one in which amounts are counted: none is finer.
const NANO: i128 = 1_000_000_000;
/// No amount that has to be computed is larger.
const MOST: i128 = i64::MAX as i128 * NANO;

/// An amount in its owner's family of suffixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Amount {
    nanos: i128,
    family: Family,
    /// The text, where an API server leaves it as it is.
    verbatim: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Binary,
    Decimal,
    /// `1e3` or `1E3`, by the letter.
    Exponent(char),
}

struct Digits<'a> {
    is_negative: bool,
    whole: &'a str,
    fraction: &'a str,
}

impl Amount {
    /// Reads an amount; `None` where Kubernetes would refuse it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let split = text
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '+' | '-' | '.')))
            .unwrap_or(text.len());
        let (number, suffix) = text.split_at_checked(split)?;
        let digits = digits(number)?;
        let (family, exponent) = family(suffix)?;
        let nanos = nanos(&digits, family, exponent)?;
        let verbatim = stays(&digits, family, exponent).then(|| text.to_owned());
        Some(Self {
            nanos,
            family,
            verbatim,
        })
    }

    /// Compares the values.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }

    /// Returns so many percent of the amount, spelt with decimal suffixes.
    pub(crate) fn percent(&self, percent: i128) -> Self {
        let product = self.nanos.saturating_mul(percent);
        let rounded_up = product / 100 + i128::from(product % 100 > 0);
        Self {
            nanos: rounded_up,
            family: Family::Decimal,
            verbatim: None,
        }
    }

    /// Spells the amount as an API server would.
    pub(crate) fn text(&self) -> String {
        if let Some(text) = &self.verbatim {
            return text.clone();
        }
        let is_small = self.nanos.abs() < 1024 * NANO;
        if self.family == Family::Binary && !is_small && self.nanos % NANO == 0 {
            return binary_text(self.nanos / NANO);
        }
        decimal_text(self.nanos, self.family)
    }
}

/// Spells an amount as an API server would; what is none is left as it is.
pub(crate) fn canonical(text: &str) -> String {
    Amount::parse(text).map_or_else(|| text.to_owned(), |amount| amount.text())
}

fn digits(number: &str) -> Option<Digits<'_>> {
    let is_negative = number.starts_with('-');
    let unsigned = number.strip_prefix(['+', '-']).unwrap_or(number);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_some = !whole.is_empty() || !fraction.is_empty();
    (is_some && is_number(whole) && is_number(fraction)).then_some(Digits {
        is_negative,
        whole,
        fraction,
    })
}

fn family(suffix: &str) -> Option<(Family, i32)> {
    const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    const DECIMAL: [(&str, i32); 10] = [
        ("n", -9),
        ("u", -6),
        ("m", -3),
        ("", 0),
        ("k", 3),
        ("M", 6),
        ("G", 9),
        ("T", 12),
        ("P", 15),
        ("E", 18),
    ];
    if let Some(place) = BINARY.iter().position(|known| *known == suffix) {
        return Some((Family::Binary, 10 * (i32::try_from(place).ok()? + 1)));
    }
    if let Some((_, exponent)) = DECIMAL.iter().find(|(known, _)| *known == suffix) {
        return Some((Family::Decimal, *exponent));
    }
    let letter = suffix.chars().next().filter(|c| matches!(c, 'e' | 'E'))?;
    let exponent: i32 = suffix.get(1..)?.parse().ok()?;
    Some((Family::Exponent(letter), exponent))
}

/// Rounds up to whole nanos and holds the result below [`MOST`].
fn nanos(digits: &Digits<'_>, family: Family, exponent: i32) -> Option<i128> {
    let fraction = digits.fraction.get(..digits.fraction.len().min(27))?;
    let fraction_length = i32::try_from(fraction.len()).ok()?;
    let number: i128 = format!("0{}{fraction}", digits.whole)
        .parse()
        .unwrap_or(i128::MAX);
    let (factor, ten) = match family {
        Family::Binary => (1_i128 << exponent, 0),
        Family::Decimal | Family::Exponent(_) => (1, exponent),
    };
    let power = ten.saturating_add(9).saturating_sub(fraction_length);
    let scale = 10_i128.saturating_pow(power.unsigned_abs());
    let product = number.saturating_mul(factor);
    let value = if power >= 0 {
        product.saturating_mul(scale)
    } else {
        product / scale + i128::from(product % scale > 0)
    };
    let is_plain = digits.fraction.is_empty() && family == Family::Decimal && exponent == 0;
    let value = if is_plain { value } else { value.min(MOST) };
    Some(if digits.is_negative { -value } else { value })
}

/// Kubernetes keeps a short number's spelling where a quick look says that it is canonical.
fn stays(digits: &Digits<'_>, family: Family, exponent: i32) -> bool {
    let all = format!("{}{}", digits.whole, digits.fraction);
    if all == "0" && family == Family::Decimal && exponent == 0 {
        return true;
    }
    let Ok(value) = all.parse::<i128>() else {
        return true;
    };
    match family {
        Family::Binary => {
            let room = 15 - i32::try_from(all.len()).unwrap_or(i32::MAX) - exponent * 3 / 10 - 1;
            digits.fraction.is_empty() && room >= 0 && exponent % 10 == 0 && value & 7 != 0
        }
        Family::Decimal | Family::Exponent(_) => {
            let places = i32::try_from(digits.fraction.len()).unwrap_or(i32::MAX);
            let scale = exponent.saturating_sub(places);
            scale >= -9 && scale % 3 == 0 && !all.starts_with('0') && !all.ends_with("000")
        }
    }
}

fn binary_text(value: i128) -> String {
    const SUFFIXES: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let mut value = value;
    let mut place = 0;
    while value != 0 && value % 1024 == 0 && place + 1 < SUFFIXES.len() {
        value /= 1024;
        place += 1;
    }
    format!("{value}{}", SUFFIXES.get(place).unwrap_or(&""))
}

fn decimal_text(nanos: i128, family: Family) -> String {
    const SUFFIXES: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
    let mut value = nanos;
    let mut place = 0;
    while value != 0 && value % 1000 == 0 && place + 1 < SUFFIXES.len() {
        value /= 1000;
        place += 1;
    }
    let suffix = SUFFIXES.get(place).unwrap_or(&"");
    match family {
        _ if value == 0 => "0".to_owned(),
        Family::Exponent(letter) if place != 3 => {
            let exponent = 3 * i32::try_from(place).unwrap_or(0) - 9;
            format!("{value}{letter}{exponent}")
        }
        Family::Binary | Family::Decimal | Family::Exponent(_) => format!("{value}{suffix}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::oracle_tests::table;

    #[test]
    fn amounts_are_spelt_as_an_api_server_spells_them() {
        for row in table("quantity") {
            let text = row["in"].as_str().unwrap();
            let spelt = Amount::parse(text).map(|amount| amount.text());
            match row["json"].as_str() {
                Some(json) if text != "Gi" => assert_eq!(spelt.as_deref(), Some(json), "{text:?}"),
                Some(_) => {}
                None => assert_eq!(spelt, None, "{text:?}"),
            }
        }
    }

    #[test]
    fn absurd_amounts_are_held_within_bounds() {
        for text in [
            "1.5e-2147483648",
            "1e2147483647",
            "-9e99",
            "0.000000000000000000000000001",
        ] {
            let amount = Amount::parse(text).unwrap();
            assert!(!amount.percent(102).text().is_empty(), "{text}");
        }
        let digits = "9".repeat(100);
        assert_eq!(canonical(&digits), digits);
        assert_eq!(canonical("much"), "much");
    }

    #[test]
    fn amounts_compare_by_value() {
        for row in table("quantity_cmp") {
            let (a, b) = (row["a"].as_str().unwrap(), row["b"].as_str().unwrap());
            let order = Amount::parse(a)
                .unwrap()
                .compare(&Amount::parse(b).unwrap());
            assert_eq!(order as i64, row["cmp"].as_i64().unwrap(), "{a} {b}");
        }
    }
}
