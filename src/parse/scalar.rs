//! What a scalar means: the rules of Go's `sigs.k8s.io/yaml` (go-yaml v2, YAML 1.1), since that is
//! what a cluster makes of the same text. Knows nothing of documents or positions.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Number;

use crate::parse::tree::Content;

/// The name space of YAML's own tags (`!!int` is `tag:yaml.org,2002:int`).
pub(crate) const YAML_TAGS: &str = "tag:yaml.org,2002:";

/// What a scalar stands for; a text keeps its characters elsewhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer that fits 64 bits with a sign.
    Int(i64),
    /// An integer that fits 64 bits only without a sign.
    Uint(u64),
    /// Any other number; `.inf` and `.nan` too.
    Float(f64),
    /// A text, characters as written.
    Text,
}

/// Why a scalar can't be what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The tag asks for this type and the text is none.
    NotA(&'static str),
    /// JSON has no infinity and no not-a-number.
    NotFinite,
    /// A null, or an integer above the signed 64 bits, as a key: Kubernetes' reader refuses both.
    Key,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::NotA(kind) => write!(f, "the tag asks for {kind}, and this is none"),
            Fault::NotFinite => f.write_str("JSON has no such number"),
            Fault::Key => f.write_str("a key must be a text, a boolean or a usual number"),
        }
    }
}

/// Returns what a plain (not quoted, not tagged) scalar stands for.
///
/// Only the spellings of YAML 1.1 count (`yes`, `Yes`, `YES`; `yEs` is a text). Times and
/// sexagesimals stay texts, as Kubernetes reads them.
#[must_use]
pub fn resolve(plain: &str) -> Scalar {
    let Some(first) = plain.bytes().next() else {
        return Scalar::Null;
    };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => word(plain),
        b'.' => special(plain)
            .or_else(|| float(plain))
            .unwrap_or(Scalar::Text),
        b'+' | b'-' => special(plain).unwrap_or_else(|| number(plain)),
        b'0'..=b'9' => number(plain),
        _ => Scalar::Text,
    }
}

/// Returns what a scalar with a tag stands for, and its text (which `!!binary` changes).
///
/// `name` is the part of a tag of YAML's own name space (`int` of `!!int`), or `None` for any
/// other tag (`!foo`): those make texts.
///
/// # Errors
/// Where the text is not of the type that the tag asks for.
pub fn tagged<'a>(name: Option<&str>, text: Cow<'a, str>) -> Result<(Scalar, Cow<'a, str>), Fault> {
    let scalar = match (name, resolve(&text)) {
        (Some("bool"), found @ Scalar::Bool(_))
        | (Some("null"), found @ Scalar::Null)
        | (Some("int"), found @ (Scalar::Int(_) | Scalar::Uint(_)))
        | (Some("float"), found @ Scalar::Float(_)) => found,
        #[expect(
            clippy::cast_precision_loss,
            reason = "the tag asks for a float, as precise as a float can be"
        )]
        (Some("float"), Scalar::Int(int)) => Scalar::Float(int as f64),
        (Some("bool"), _) => return Err(Fault::NotA("a boolean")),
        (Some("null"), _) => return Err(Fault::NotA("null")),
        (Some("int"), _) => return Err(Fault::NotA("an integer")),
        (Some("float"), _) => return Err(Fault::NotA("a float")),
        (Some("timestamp"), _) if !is_timestamp(&text) => {
            return Err(Fault::NotA("a time stamp"));
        }
        (Some("binary"), _) => return Ok((Scalar::Text, binary(&text)?.into())),
        (Some(_) | None, _) => Scalar::Text,
    };
    Ok((scalar, text))
}

/// Returns the value that a tree holds for a scalar.
///
/// # Errors
/// Where the number is not finite.
pub fn content(scalar: Scalar, text: Cow<'_, str>) -> Result<Content, Fault> {
    Ok(match scalar {
        Scalar::Null => Content::Null,
        Scalar::Bool(value) => Content::Bool(value),
        Scalar::Int(value) => Content::Number(value.into()),
        Scalar::Uint(value) => Content::Number(value.into()),
        Scalar::Float(value) => Content::Number(normal(value)?),
        Scalar::Text => Content::String(text.into_owned()),
    })
}

/// Returns the text of a key, as `sigs.k8s.io/yaml` makes one of a scalar.
///
/// # Errors
/// Where its reader refuses the key.
pub fn key(scalar: Scalar, text: Cow<'_, str>) -> Result<Cow<'_, str>, Fault> {
    Ok(match scalar {
        Scalar::Null | Scalar::Uint(_) => return Err(Fault::Key),
        Scalar::Bool(value) => Cow::Borrowed(if value { "true" } else { "false" }),
        Scalar::Int(value) => Cow::Owned(value.to_string()),
        Scalar::Float(value) => Cow::Owned(float_key(value)),
        Scalar::Text => text,
    })
}

/// Returns a float as Go's JSON writes it: without a fraction where it has none and an integer
/// holds its shortest digits (`1e3` is 1000, `1.0` is 1).
///
/// # Errors
/// Where it is not finite.
pub fn normal(value: f64) -> Result<Number, Fault> {
    if value.abs() < 2e19 {
        let shortest = value.to_string();
        if let Ok(int) = shortest.parse::<i64>() {
            return Ok(int.into());
        }
        if let Ok(int) = shortest.parse::<u64>() {
            return Ok(int.into());
        }
    }
    Number::from_f64(value).ok_or(Fault::NotFinite)
}

fn word(plain: &str) -> Scalar {
    match plain {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        _ => Scalar::Text,
    }
}

fn special(plain: &str) -> Option<Scalar> {
    Some(Scalar::Float(match plain {
        ".nan" | ".NaN" | ".NAN" => f64::NAN,
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => f64::INFINITY,
        "-.inf" | "-.Inf" | "-.INF" => f64::NEG_INFINITY,
        _ => return None,
    }))
}

/// Reads what starts with a digit or a sign. Underscores are dropped wherever they stand.
fn number(plain: &str) -> Scalar {
    let clean = if plain.contains('_') {
        Cow::Owned(plain.replace('_', ""))
    } else {
        Cow::Borrowed(plain)
    };
    integer(&clean)
        .or_else(|| float(&clean))
        .or_else(|| signed_binary(&clean))
        .unwrap_or(Scalar::Text)
}

fn integer(clean: &str) -> Option<Scalar> {
    let unsigned = clean.strip_prefix(['+', '-']).unwrap_or(clean);
    let (radix, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &unsigned[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &unsigned[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &unsigned[2..]),
        [b'0', _, ..] => (8, &unsigned[1..]),
        _ => (10, unsigned),
    };
    let magnitude = magnitude(digits, radix)?;
    if clean.starts_with('-') {
        return 0_i64.checked_sub_unsigned(magnitude).map(Scalar::Int);
    }
    match i64::try_from(magnitude) {
        Ok(value) => Some(Scalar::Int(value)),
        Err(_) if clean.starts_with('+') => None,
        Err(_) => Some(Scalar::Uint(magnitude)),
    }
}

/// Go reads a sign after `0b`, and after no other prefix.
fn signed_binary(clean: &str) -> Option<Scalar> {
    let signed = clean.strip_prefix("0b")?;
    let digits = signed.strip_prefix(['+', '-'])?;
    let magnitude = magnitude(digits, 2)?;
    if signed.starts_with('-') {
        return 0_i64.checked_sub_unsigned(magnitude).map(Scalar::Int);
    }
    i64::try_from(magnitude).ok().map(Scalar::Int)
}

fn magnitude(digits: &str, radix: u32) -> Option<u64> {
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// Reads a decimal number of YAML 1.1; one that is too large for a float is a text.
fn float(clean: &str) -> Option<Scalar> {
    let unsigned = clean.strip_prefix(['+', '-']).unwrap_or(clean);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let is_mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && is_digits(fraction),
        Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
        None => !mantissa.is_empty() && is_digits(mantissa),
    };
    let is_exponent = exponent.is_none_or(|text| {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        !digits.is_empty() && is_digits(digits)
    });
    if !is_mantissa || !is_exponent {
        return None;
    }
    let value: f64 = clean.parse().ok()?;
    value.is_finite().then_some(Scalar::Float(value))
}

/// Decodes base64 as Go's does: line breaks are skipped, bytes that are no UTF-8 are replaced.
fn binary(text: &str) -> Result<String, Fault> {
    let packed: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = STANDARD
        .decode(packed)
        .map_err(|_| Fault::NotA("base64 data"))?;
    Ok(replace_invalid(&bytes))
}

/// Replaces every byte that is no UTF-8 by U+FFFD: one a byte, as Go's JSON encoder does.
fn replace_invalid(bytes: &[u8]) -> String {
    bytes
        .utf8_chunks()
        .flat_map(|chunk| {
            let gaps = chunk.invalid().iter().map(|_| '\u{FFFD}');
            chunk.valid().chars().chain(gaps)
        })
        .collect()
}

/// Writes a float as `strconv.FormatFloat(value, 'g', -1, 32)`, which is how `sigs.k8s.io/yaml`
/// makes a key of one: with the precision of 32 bits.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the reader that this repeats rounds to 32 bits"
)]
fn float_key(value: f64) -> String {
    let value = value as f32;
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let shortest = format!("{value:e}");
    let Some((digits, exponent)) = shortest.split_once('e') else {
        return shortest;
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

/// Returns whether Go's reader takes a text for a time: a date, alone or with a time of the day.
fn is_timestamp(text: &str) -> bool {
    let Some((date, time)) = split_date(text) else {
        return false;
    };
    let mut parts = date.splitn(3, '-').map(str::parse::<u32>);
    let (Some(Ok(year)), Some(Ok(month)), Some(Ok(day))) =
        (parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day) && time.is_none_or(|(mark, time)| is_time(mark, time))
}

/// Splits `2001-1-2T3:4:5Z` into `2001-1-2` and `T`, `3:4:5Z`; the date has digits only.
fn split_date(text: &str) -> Option<(&str, Option<(char, &str)>)> {
    let end = text.find(['T', 't', ' ']);
    let date = end.map_or(text, |end| &text[..end]);
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return None;
    };
    let is_short =
        |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let is_year = year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit());
    if !is_year || !is_short(month) || !is_short(day) {
        return None;
    }
    let rest = end.and_then(|end| {
        let mut rest = text[end..].chars();
        rest.next().map(|mark| (mark, rest.as_str()))
    });
    Some((date, rest))
}

/// A time after `T` ends with a zone, one after a space has none.
fn is_time(mark: char, text: &str) -> bool {
    let clock = if mark == ' ' {
        text
    } else if let Some(clock) = text.strip_suffix('Z') {
        clock
    } else {
        match text.rfind(['+', '-']) {
            Some(at) if is_zone(&text[at + 1..]) => &text[..at],
            _ => return false,
        }
    };
    let whole = match clock.split_once('.') {
        Some((whole, fraction)) => {
            if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
                return false;
            }
            whole
        }
        None => clock,
    };
    let parts: Vec<&str> = whole.split(':').collect();
    let [hour, minute, second] = parts.as_slice() else {
        return false;
    };
    is_below(hour, 24) && is_below(minute, 60) && is_below(second, 60)
}

fn is_zone(text: &str) -> bool {
    match text.split_once(':') {
        Some((hour, minute)) => {
            hour.len() == 2 && minute.len() == 2 && is_below(hour, 25) && is_below(minute, 61)
        }
        None => false,
    }
}

fn is_below(text: &str, bound: u32) -> bool {
    (1..=2).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_digit())
        && text.parse::<u32>().is_ok_and(|value| value < bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(plain: &str, want: Scalar) {
        assert_eq!(resolve(plain), want, "{plain:?}");
    }

    #[track_caller]
    fn check_tag(tag: &str, text: &str, want: Option<Scalar>) {
        let got = tagged(Some(tag), Cow::Borrowed(text));
        assert_eq!(got.ok().map(|(scalar, _)| scalar), want, "!!{tag} {text:?}");
    }

    #[test]
    fn booleans_are_known_by_exact_spelling() {
        for text in [
            "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE",
        ] {
            check(text, Scalar::Bool(true));
        }
        for text in [
            "n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE",
        ] {
            check(text, Scalar::Bool(false));
        }
        for text in ["tRuE", "yEs", "oN", "nO", "oFF", "ye", "t", "f"] {
            check(text, Scalar::Text);
        }
    }

    #[test]
    fn integers_may_have_prefixes_underscores_and_signs() {
        check("0755", Scalar::Int(493));
        check("0o755", Scalar::Int(493));
        check("0x1_F", Scalar::Int(31));
        check("0X10", Scalar::Int(16));
        check("0b101", Scalar::Int(5));
        check("-0b101", Scalar::Int(-5));
        check("0b-101", Scalar::Int(-5));
        check("1_000", Scalar::Int(1000));
        check("+12", Scalar::Int(12));
        check("08", Scalar::Float(8.0));
        check("-9223372036854775808", Scalar::Int(i64::MIN));
        check("9223372036854775808", Scalar::Uint(1 << 63));
        check("18446744073709551615", Scalar::Uint(u64::MAX));
        check(
            "18446744073709551616",
            Scalar::Float(18_446_744_073_709_551_616.0),
        );
        check(
            "+18446744073709551615",
            Scalar::Float(18_446_744_073_709_551_615.0),
        );
    }

    #[test]
    fn floats_that_no_float_holds_are_texts() {
        check("1e3", Scalar::Float(1000.0));
        check("1.", Scalar::Float(1.0));
        check(".5", Scalar::Float(0.5));
        check("685_230.15", Scalar::Float(685_230.15));
        check("._5", Scalar::Text);
        check("1e1000", Scalar::Text);
        check(".inf", Scalar::Float(f64::INFINITY));
        check(".iNf", Scalar::Text);
    }

    #[test]
    fn times_sexagesimals_and_signs_are_texts() {
        for text in [
            "2001-12-14",
            "1:20",
            "22:22:22",
            "=",
            "<<",
            "-",
            "+",
            ".",
            "0x",
            "0b",
            "1e",
        ] {
            check(text, Scalar::Text);
        }
    }

    #[test]
    fn a_tag_that_the_text_does_not_meet_is_an_error() {
        check_tag("int", "12", Some(Scalar::Int(12)));
        check_tag("int", "1.5", None);
        check_tag("float", "1", Some(Scalar::Float(1.0)));
        check_tag("float", "18446744073709551615", None);
        check_tag("bool", "yes", Some(Scalar::Bool(true)));
        check_tag("bool", "1", None);
        check_tag("null", "", Some(Scalar::Null));
        check_tag("null", "x", None);
        check_tag("str", "12", Some(Scalar::Text));
        check_tag("timestamp", "2001-12-14", Some(Scalar::Text));
        check_tag(
            "timestamp",
            "2001-12-14T21:59:43.10-05:00",
            Some(Scalar::Text),
        );
        check_tag("timestamp", "2001-02-29", None);
        check_tag("binary", "aGk=", Some(Scalar::Text));
        check_tag("binary", "!", None);
    }

    #[test]
    fn keys_are_written_as_go_writes_them() {
        let key_of = |plain| key(resolve(plain), Cow::Borrowed(plain)).map(Cow::into_owned);
        assert_eq!(key_of("yes").as_deref(), Ok("true"));
        assert_eq!(key_of("0x10").as_deref(), Ok("16"));
        assert_eq!(key_of("1.50").as_deref(), Ok("1.5"));
        assert_eq!(key_of("1e30").as_deref(), Ok("1e+30"));
        assert_eq!(key_of(".inf").as_deref(), Ok(".inf"));
        assert_eq!(key_of("~"), Err(Fault::Key));
    }
}
