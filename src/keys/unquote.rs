//! JSON strings into wiped bytes. `serde_json` would leave copies of what it unescapes behind.

use zeroize::Zeroizing;

/// Returns what a JSON string stands for; nothing where it is none.
pub(super) fn unquote(json: &str) -> Option<Zeroizing<Vec<u8>>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    // an escape is never shorter than what it stands for: the room is never moved
    let mut bytes = Zeroizing::new(Vec::with_capacity(inner.len()));
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(rest.get(..at)?.as_bytes());
        let (character, length) = escape(rest.get(at..)?)?;
        let mut utf8 = Zeroizing::new([0; 4]);
        bytes.extend_from_slice(character.encode_utf8(utf8.as_mut_slice()).as_bytes());
        rest = rest.get(at + length..)?;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Some(bytes)
}

/// Returns the character that the escape at the start stands for, and the escape's length.
fn escape(text: &str) -> Option<(char, usize)> {
    let character = match text.as_bytes().get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(text),
        _ => return None,
    };
    Some((character, 2))
}

fn unicode(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(digits, 16).ok()
    };
    let first = unit(0)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 6));
    }
    let second = unit(6)?;
    let (high, low) = (first.checked_sub(0xD800)?, second.checked_sub(0xDC00)?);
    let pair = 0x10000 + (high.min(0x3FF) << 10) + low.min(0x3FF);
    Some((char::from_u32(pair)?, 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str) {
        let expected = serde_json::from_str::<String>(json).unwrap();
        assert_eq!(*unquote(json).unwrap(), expected.into_bytes(), "{json}");
    }

    #[test]
    fn strings_are_read_as_a_reader_of_json_would() {
        check(r#""""#);
        check(r#""plain""#);
        check(r#""{\"priv_key\":{\"value\":\"a\/b==\"}}\n""#);
        check(r#""\b\f\n\r\t\\ ä 😀""#);
        check(r#""\u00e4\u0022\ud83d\ude00x""#);
    }

    #[test]
    fn what_is_no_string_is_nothing() {
        for json in [
            "",
            "1",
            "\"",
            "null",
            r#""\"#,
            r#""\x""#,
            r#""\u12""#,
            r#""\ud800""#,
        ] {
            assert!(unquote(json).is_none(), "{json}");
        }
    }
}
