//! Kubernetes' amounts (`2Ti`, `1500G`, `0.5Gi`, `1e3`, `131425999257600m`) as far as it takes to
//! tell which of two is more. Knows nothing of how they are written back.

use serde_json::Value;

/// An amount in billionths of its unit, rounded up: finer ones do not exist in Kubernetes.
pub(super) type Amount = i128;

/// Reads an amount as JSON has it, a text or a number; `None` where it is none.
pub(super) fn read(value: &Value) -> Option<Amount> {
    match value {
        Value::String(text) => parse(text),
        Value::Number(number) => parse(&number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Reads an amount; `None` where it is none, or beyond all measure.
pub(super) fn parse(text: &str) -> Option<Amount> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let shift = i32::try_from(fraction.len()).ok()?;
    let amount = match unit(suffix)? {
        Unit::Times(factor) => scale(digits.checked_mul(factor)?, 9_i32.checked_sub(shift)?)?,
        Unit::Power(power) => scale(digits, power.checked_add(9)?.checked_sub(shift)?)?,
    };
    Some(sign * amount)
}

enum Unit {
    Times(i128),
    Power(i32),
}

fn unit(suffix: &str) -> Option<Unit> {
    let power = match suffix {
        "Ki" => return Some(Unit::Times(1 << 10)),
        "Mi" => return Some(Unit::Times(1 << 20)),
        "Gi" => return Some(Unit::Times(1 << 30)),
        "Ti" => return Some(Unit::Times(1 << 40)),
        "Pi" => return Some(Unit::Times(1 << 50)),
        "Ei" => return Some(Unit::Times(1 << 60)),
        "n" => -9,
        "u" => -6,
        "m" => -3,
        "" => 0,
        "k" => 3,
        "M" => 6,
        "G" => 9,
        "T" => 12,
        "P" => 15,
        "E" => 18,
        exponent => exponent.strip_prefix(['e', 'E'])?.parse().ok()?,
    };
    Some(Unit::Power(power))
}

/// Multiplies by a power of ten, rounding up.
fn scale(digits: i128, power: i32) -> Option<i128> {
    let factor = 10_i128.checked_pow(power.unsigned_abs());
    if power >= 0 {
        return digits.checked_mul(factor?);
    }
    let Some(factor) = factor else {
        return Some(i128::from(digits > 0));
    };
    Some(digits / factor + i128::from(digits % factor > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BILLION: i128 = 1_000_000_000;

    #[track_caller]
    fn check(text: &str, want: Option<Amount>) {
        assert_eq!(parse(text), want, "{text}");
    }

    #[test]
    fn amounts_are_read_with_every_suffix() {
        check("1", Some(BILLION));
        check("1n", Some(1));
        check("1u", Some(1_000));
        check("1500m", Some(1_500_000_000));
        check("1k", Some(1_000 * BILLION));
        check("2M", Some(2_000_000 * BILLION));
        check("1.5Gi", Some(3 * (1 << 29) * BILLION));
        check("1Ki", Some((1 << 10) * BILLION));
        check("1Mi", Some((1 << 20) * BILLION));
        check("100Gi", parse("102400Mi"));
        check("2Ti", parse("2048Gi"));
        check("1Pi", Some((1 << 50) * BILLION));
        check("1Ei", Some((1 << 60) * BILLION));
        check("8E", parse("8e18"));
        check("1E3", parse("1k"));
        check("1e-3", parse("1m"));
        check("131425999257600m", parse("131425999257.6"));
        check("-1", Some(-BILLION));
        check("+1", Some(BILLION));
        check(".5", parse("500m"));
        check("5.", parse("5"));
        check("0.0000000001", Some(1));
        check("10e-10", Some(1));
        check("1e-60", Some(1));
        check("0e-60", Some(0));
        check("0", Some(0));
    }

    #[test]
    fn texts_that_are_no_amounts_are_refused() {
        for text in [
            "", "Gi", ".", "1.2.3", "1 Gi", "1gi", "1K", "ten", "1e", "1e999", "--1",
        ] {
            check(text, None);
        }
        check(&"9".repeat(60), None);
    }

    #[test]
    fn numbers_count_like_their_text() {
        assert_eq!(read(&serde_json::json!(12)), parse("12"));
        assert_eq!(read(&serde_json::json!(null)), None);
    }
}
