//! Kubernetes quantities, exactly: what `100Gi`, `0.5` or `12e6` amounts to, which of two is
//! more, and how Kubernetes would print it. Knows nothing of what the amount is of.

use std::cmp::Ordering;
use std::fmt;

use crate::model::quote::quote;

/// Quantities are whole numbers of a billionth; what is finer is rounded away from zero.
const NANOS: i128 = 1_000_000_000;
/// Amounts with binary suffixes end at the largest 64-bit number.
const BINARY_CAP: i128 = (i64::MAX as i128) * NANOS;
/// Up to so many digits Kubernetes keeps an amount as a plain number, and its spelling with it.
const PLAIN_DIGITS: usize = 18;

/// An amount. Two of them are equal where they amount to the same, however they are written.
#[derive(Debug, Clone)]
pub struct Amount {
    nanos: i128,
    format: Format,
    /// The owner's spelling, where Kubernetes keeps it.
    verbatim: Option<String>,
}

/// The family of suffixes that an amount is printed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// `m`, `k`, `M`, ...
    Decimal,
    /// `Ki`, `Mi`, ...
    Binary,
    /// `e3`, `e6`, ...
    Exponent,
}

/// The pieces of a quantity's text.
struct Pieces<'a> {
    is_negative: bool,
    /// The digits before the point, without leading zeros; at least `0`.
    whole: &'a str,
    /// The digits behind the point.
    fraction: &'a str,
    suffix: &'a str,
}

impl Amount {
    /// Reads a quantity as Kubernetes does.
    ///
    /// # Errors
    /// Says what is wrong with the text, and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let pieces = split(text)?;
        let (exponent, format) = suffix(pieces.suffix).ok_or_else(|| unknown_suffix(&pieces))?;
        let nanos = match format {
            Format::Binary => Some(binary(&pieces, exponent)),
            Format::Decimal | Format::Exponent => decimal(&pieces, exponent),
        };
        let nanos = nanos.ok_or_else(|| format!("{} is too large an amount", quote(text)))?;
        let is_below_one = nanos > 0 && nanos < NANOS;
        let kept = is_kept(&pieces, exponent, format).then(|| text.to_owned());
        Ok(Self {
            nanos: if pieces.is_negative { -nanos } else { nanos },
            format: if format == Format::Binary && is_below_one {
                Format::Decimal
            } else {
                format
            },
            verbatim: kept,
        })
    }

    /// Returns the amount of a plain number.
    #[must_use]
    pub fn of(number: i64) -> Self {
        Self {
            nanos: i128::from(number) * NANOS,
            format: Format::Decimal,
            verbatim: None,
        }
    }

    /// Returns the spelling that Kubernetes prints: the owner's where it keeps that (decimals
    /// with a power of a thousand and no needless zeros, binary ones with a few low bits), else
    /// the shortest whole number with a suffix that loses nothing.
    #[must_use]
    pub fn canonical(&self) -> String {
        if let Some(text) = &self.verbatim {
            return text.clone();
        }
        if self.nanos == 0 {
            return "0".to_owned();
        }
        let is_small = self.nanos.abs() < 1024 * NANOS;
        match self.format {
            Format::Binary if !is_small && self.nanos % NANOS == 0 => self.print_binary(),
            Format::Binary | Format::Decimal => self.print_decimal(false),
            Format::Exponent => self.print_decimal(true),
        }
    }

    /// Returns the amount as a manifest holds it.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::Value::String(self.canonical())
    }

    /// Returns the least whole number that is no less in size (rounded away from zero).
    #[must_use]
    pub fn ceil(&self) -> i128 {
        round_away(self.nanos, NANOS)
    }

    /// Returns the least number of thousandths that is no less in size (rounded away from zero).
    #[must_use]
    pub fn ceil_millis(&self) -> i128 {
        round_away(self.nanos, NANOS / 1000)
    }

    /// Returns so many percent of the amount, with decimal suffixes: what the reference makes of
    /// a size that the autoscaler asked for is `scaled(102)`. `None` where it is too large.
    #[must_use]
    pub fn scaled(&self, percent: u32) -> Option<Self> {
        let product = self.nanos.checked_mul(i128::from(percent))?;
        Some(Self {
            nanos: round_away(product, 100),
            format: Format::Decimal,
            verbatim: None,
        })
    }

    /// Returns whether it is less than nothing.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.nanos < 0
    }

    /// Returns whether it is nothing.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.nanos == 0
    }

    fn print_binary(&self) -> String {
        let suffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
        let mut number = self.nanos / NANOS;
        let mut power = 0;
        while number % 1024 == 0 && power + 1 < suffixes.len() {
            number /= 1024;
            power += 1;
        }
        format!("{number}{}", suffixes.get(power).unwrap_or(&""))
    }

    fn print_decimal(&self, has_exponent: bool) -> String {
        let suffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
        let mut number = self.nanos;
        let mut power = 0;
        while number % 1000 == 0 && (has_exponent || power + 1 < suffixes.len()) {
            number /= 1000;
            power += 1;
        }
        match power {
            3 => number.to_string(),
            0..3 if has_exponent => format!("{number}e-{}", 9 - power * 3),
            _ if has_exponent => format!("{number}e{}", power * 3 - 9),
            _ => format!("{number}{}", suffixes.get(power).unwrap_or(&"")),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.canonical())
    }
}

impl PartialEq for Amount {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Amount {}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Amount {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

/// Returns a quantity in the spelling that Kubernetes prints; what is no quantity stays as it is.
#[must_use]
pub fn canonical(text: &str) -> String {
    Amount::parse(text).map_or_else(|_| text.to_owned(), |amount| amount.canonical())
}

/// Returns whether a text matches the pattern that the schema has for quantities. The pattern is
/// stricter than Kubernetes' own reader: it wants at least one digit.
#[must_use]
pub fn fits_pattern(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let Some(suffix) = after_number(unsigned) else {
        return false;
    };
    match suffix {
        "" | "n" | "u" | "m" | "k" | "M" | "G" | "T" | "P" | "E" | "Ki" | "Mi" | "Gi" | "Ti"
        | "Pi" | "Ei" => true,
        _ => suffix.strip_prefix(['e', 'E']).is_some_and(|exponent| {
            let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            after_number(unsigned) == Some("")
        }),
    }
}

/// Returns what follows `1`, `1.`, `1.5` or `.5`.
fn after_number(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let has_whole = rest.len() < text.len();
    let Some(behind_point) = rest.strip_prefix('.') else {
        return has_whole.then_some(rest);
    };
    let suffix = behind_point.trim_start_matches(|c: char| c.is_ascii_digit());
    (has_whole || suffix.len() < behind_point.len()).then_some(suffix)
}

fn split(text: &str) -> Result<Pieces<'_>, String> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (digits, rest) = take_digits(unsigned);
    let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), take_digits);
    let letters = suffix.trim_start_matches(|c: char| "eEinumkKMGTP".contains(c));
    let exponent = letters.strip_prefix(['+', '-']).unwrap_or(letters);
    if text.is_empty() || !exponent.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!(
            "{} is no quantity: write a number with an optional suffix, such as `500m`, `2` or \
             `100Gi`",
            quote(text)
        ));
    }
    let significant = digits.trim_start_matches('0');
    Ok(Pieces {
        is_negative: text.starts_with('-'),
        whole: if significant.is_empty() {
            "0"
        } else {
            significant
        },
        fraction,
        suffix,
    })
}

fn take_digits(text: &str) -> (&str, &str) {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    text.split_at(text.len() - rest.len())
}

/// Returns the exponent that a suffix stands for (of two for binary ones, else of ten).
fn suffix(suffix: &str) -> Option<(i32, Format)> {
    let known = match suffix {
        "n" => (-9, Format::Decimal),
        "u" => (-6, Format::Decimal),
        "m" => (-3, Format::Decimal),
        "" => (0, Format::Decimal),
        "k" => (3, Format::Decimal),
        "M" => (6, Format::Decimal),
        "G" => (9, Format::Decimal),
        "T" => (12, Format::Decimal),
        "P" => (15, Format::Decimal),
        "E" => (18, Format::Decimal),
        "Ki" => (10, Format::Binary),
        "Mi" => (20, Format::Binary),
        "Gi" => (30, Format::Binary),
        "Ti" => (40, Format::Binary),
        "Pi" => (50, Format::Binary),
        "Ei" => (60, Format::Binary),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            (exponent, Format::Exponent)
        }
    };
    Some(known)
}

fn unknown_suffix(pieces: &Pieces<'_>) -> String {
    let right = match pieces.suffix {
        "K" => "; did you mean `k` (1000) or `Ki` (1024)?",
        _ => "; the suffixes are n u m k M G T P E, and Ki Mi Gi Ti Pi Ei for powers of 1024",
    };
    format!("{} is no suffix of a quantity{right}", quote(pieces.suffix))
}

/// Returns whether Kubernetes keeps the owner's spelling.
fn is_kept(pieces: &Pieces<'_>, exponent: i32, format: Format) -> bool {
    let (whole, fraction) = (pieces.whole, pieces.fraction);
    let count = whole.len() + fraction.len();
    let Ok(digits_behind) = i32::try_from(fraction.len()) else {
        return false;
    };
    if format == Format::Binary {
        // 2^10 takes three decimal digits; beyond 15 in all Kubernetes counts in big numbers.
        let room = 14 - exponent * 3 / 10;
        let is_plain = usize::try_from(room).is_ok_and(|room| whole.len() <= room);
        let low_bits = whole.parse::<u64>().is_ok_and(|number| number & 7 != 0);
        return is_plain && fraction.is_empty() && low_bits;
    }
    let scale = exponent.saturating_sub(digits_behind);
    let has_needless_zeros =
        whole.starts_with('0') || format!("{whole}{fraction}").ends_with("000");
    count <= PLAIN_DIGITS && scale >= -9 && scale % 3 == 0 && !has_needless_zeros
}

/// Returns the size of a decimal amount; `None` where it is too large.
fn decimal(pieces: &Pieces<'_>, exponent: i32) -> Option<i128> {
    let digits = format!("{}{}", pieces.whole, pieces.fraction);
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let behind = i64::try_from(pieces.fraction.len()).ok()?;
    let shift = i64::from(exponent) - behind + 9;
    if shift >= 0 {
        let number: i128 = significant.parse().ok()?;
        return number.checked_mul(10_i128.checked_pow(u32::try_from(shift).ok()?)?);
    }
    let dropped = usize::try_from(-shift).ok()?;
    let kept = significant.len().saturating_sub(dropped);
    let (kept, dropped) = significant.split_at(kept);
    let number: i128 = if kept.is_empty() {
        0
    } else {
        kept.parse().ok()?
    };
    let is_rest = dropped.bytes().any(|b| b != b'0');
    number.checked_add(i128::from(is_rest))
}

/// Returns the size of a binary amount, which never exceeds [`BINARY_CAP`].
fn binary(pieces: &Pieces<'_>, exponent: i32) -> i128 {
    let factor = 1_i128 << exponent;
    let whole = pieces.whole.parse::<i128>().ok();
    let whole = whole.and_then(|number| number.checked_mul(factor * NANOS));
    // Eighteen digits behind the point are finer than a billionth of any suffix can show.
    let fraction = pieces.fraction.trim_end_matches('0');
    let (near, far) = fraction.split_at(fraction.len().min(PLAIN_DIGITS));
    let is_rest = i128::from(!far.is_empty());
    let number = near.parse::<i128>().unwrap_or(0) + is_rest;
    let part = number * factor;
    let places = u32::try_from(near.len()).unwrap_or(0);
    let part = if places <= 9 {
        part * 10_i128.pow(9 - places)
    } else {
        round_away(part, 10_i128.pow(places - 9))
    };
    let sum = whole.and_then(|whole| whole.checked_add(part));
    sum.map_or(BINARY_CAP, |sum| sum.min(BINARY_CAP))
}

/// Divides and rounds away from zero.
fn round_away(number: i128, divisor: i128) -> i128 {
    let quotient = number / divisor;
    match number % divisor {
        0 => quotient,
        rest => quotient + rest.signum(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::spec::core::QUANTITY_PATTERN;
    use crate::spec::fixtures;

    #[track_caller]
    fn check(text: &str, canonical: &str, value: i128, millis: i128) {
        let amount = Amount::parse(text).unwrap();
        assert_eq!(amount.canonical(), canonical, "{text}");
        assert_eq!(amount.to_json(), Value::String(canonical.to_owned()));
        assert_eq!(amount.ceil(), value, "{text}");
        assert_eq!(amount.ceil_millis(), millis, "{text}");
    }

    #[track_caller]
    fn check_error(text: &str, part: &str) {
        let error = Amount::parse(text).unwrap_err();
        assert!(error.contains(part), "{error}");
    }

    #[track_caller]
    fn check_padding(text: &str, padded: &str) {
        let amount = Amount::parse(text).unwrap().scaled(102).unwrap();
        assert_eq!(amount.canonical(), padded);
    }

    #[test]
    fn decimals_are_whole_numbers_with_a_suffix() {
        check("0", "0", 0, 0);
        check("1.0", "1", 1, 1000);
        check("0.5", "500m", 1, 500);
        check("1000M", "1G", 1_000_000_000, 1_000_000_000_000);
        check("1001M", "1001M", 1_001_000_000, 1_001_000_000_000);
        check(
            "2.5E",
            "2500P",
            2_500_000_000_000_000_000,
            2_500_000_000_000_000_000_000,
        );
        check("3.000", "3", 3, 3000);
    }

    #[test]
    fn binary_amounts_stay_exact() {
        check("1024Ki", "1Mi", 1 << 20, (1 << 20) * 1000);
        check("1.5Gi", "1536Mi", 1_610_612_736, 1_610_612_736_000);
        check("0.1Gi", "107374182400m", 107_374_183, 107_374_182_400);
        check("-1.5Gi", "-1536Mi", -1_610_612_736, -1_610_612_736_000);
        check(
            "10Ei",
            "9223372036854775807",
            i128::from(i64::MAX),
            i128::from(i64::MAX) * 1000,
        );
    }

    #[test]
    fn exponents_are_powers_of_a_thousand() {
        check("1.5e12", "1500e9", 1_500_000_000_000, 1_500_000_000_000_000);
        check("1e-3", "1e-3", 1, 1);
        check("1E3", "1E3", 1000, 1_000_000);
    }

    #[test]
    fn what_is_finer_than_a_billionth_is_rounded_up() {
        check("0.1n", "1n", 1, 1);
        check("0.0001m", "100n", 1, 1);
        check(
            "0.0000000000000000000000000000000000000000000001",
            "1n",
            1,
            1,
        );
    }

    #[test]
    fn the_owners_spelling_stays_where_kubernetes_keeps_it() {
        check("+5", "+5", 5, 5000);
        check("00100Gi", "00100Gi", 107_374_182_400, 107_374_182_400_000);
        check("1.", "1.", 1, 1000);
        check("102400Mi", "100Gi", 107_374_182_400, 107_374_182_400_000);
    }

    #[test]
    fn what_is_no_quantity_is_refused_with_advice() {
        check_error("1K", "`Ki` (1024)");
        check_error("100 Gi", "no quantity");
        check_error("", "no quantity");
        check_error("1.2.3", "no quantity");
        check_error("1i", "no suffix");
        check_error("1e", "no suffix");
        check_error("1e40", "too large");
        check_error("9999999999999999999999999999999999999999999", "too large");
    }

    #[test]
    fn autoscaled_sizes_get_two_percent_more() {
        check_padding("10Gi", "10952166604800m");
        check_padding("100Gi", "109521666048");
        check_padding("1501G", "1531020M");
        check_padding("1e12", "1020G");
        check_padding("9Ei", "9407839477591871323140m");
        check_padding("100.5Gi", "110069274378240m");
    }

    #[test]
    fn the_pattern_is_that_of_the_crd() {
        assert!(QUANTITY_PATTERN.contains("[KMGTPE]i"));
        for text in [
            "1", "+1.", ".5", "-1Ki", "1e3", "1E-3", "1e.5", "2E", "0.5m",
        ] {
            assert!(fits_pattern(text), "{text}");
        }
        for text in [
            "", ".", "Gi", "1K", "1 Gi", "1gi", "1e", "1Eii", "ten", "--1",
        ] {
            assert!(!fits_pattern(text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_printed_is_read_as_the_same_amount(
            text in r"[+-]?[0-9]{0,20}\.?[0-9]{0,20}([numkMGTPE]|[KMGTPE]i|[eE]-?[0-9]{1,10})?"
        ) {
            if let Ok(amount) = Amount::parse(&text) {
                proptest::prop_assert_eq!(Amount::parse(&amount.canonical()), Ok(amount));
            }
        }

        #[test]
        fn no_text_is_too_much_to_read(text in ".{0,30}") {
            let is_sound = Amount::parse(&text).is_ok();
            proptest::prop_assert!(is_sound || !fits_pattern(&text) || text.contains(['e', 'E']));
        }
    }

    fn rows(path: &str) -> Vec<Value> {
        let text = fixtures::shared(path);
        text.map_or_else(Vec::new, |text| serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn all_recorded_quantities_come_out_the_same() {
        for row in rows("oracle/tables/quantity.json") {
            let text = row["in"].as_str().unwrap();
            let parsed = Amount::parse(text);
            if row.get("error").is_some() {
                assert!(parsed.is_err(), "{text}");
                continue;
            }
            let amount = parsed.unwrap();
            assert_eq!(amount.canonical(), row["canonical"], "{text}");
            assert_eq!(amount.to_json(), row["json"], "{text}");
            // Where a value exceeds 64 bits the record holds what is left of it.
            if let Ok(value) = i64::try_from(amount.ceil()) {
                assert_eq!(value, row["value"], "{text}");
            }
            if let Ok(millis) = i64::try_from(amount.ceil_millis()) {
                assert_eq!(millis, row["milliValue"], "{text}");
            }
        }
    }

    #[test]
    fn all_recorded_comparisons_come_out_the_same() {
        for row in rows("oracle/tables/quantity_cmp.json") {
            let amount = |key: &str| Amount::parse(row[key].as_str().unwrap()).unwrap();
            let order = amount("a").cmp(&amount("b")) as i64;
            assert_eq!(order, row["cmp"], "{row}");
        }
    }

    #[test]
    fn all_recorded_paddings_come_out_the_same() {
        for row in rows("oracle/tables/autoscale_padding.json") {
            let amount = |key: &str| Amount::parse(row[key].as_str().unwrap()).unwrap();
            let padded = amount("requestedSize").scaled(102).unwrap();
            let template = amount("template");
            let size = if padded > template { padded } else { template };
            assert_eq!(size.canonical(), row["storage"], "{row}");
        }
    }
}
