//! One value on one line: escaped so that it can do nothing to a terminal, and cut in the middle
//! where it is long, never so that two different values look the same.

use serde_json::Value;

/// How many characters of a value are shown.
pub(super) const WIDTH: usize = 60;
/// How many equal characters are kept beside a difference.
const CONTEXT: usize = 12;
/// What stands for what was cut out.
const CUT: char = '…';

/// Returns a value for a line of text: a plain word stays bare, all else is as in JSON.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::String(text) if is_word(text) => text.clone(),
        Value::String(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Array(_)
        | Value::Object(_) => escaped(&value.to_string()),
    }
}

/// Returns a text in which every control character is written as an escape.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Returns a text of at most `width` characters: what is longer loses its middle.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.len() <= width {
        return text.to_owned();
    }
    let chars: Vec<char> = text.chars().collect();
    cut_chars(&chars, width)
}

/// Returns two texts of at most `width` characters, cut so that where they differ is seen.
pub(super) fn cut_pair(from: &str, to: &str, width: usize) -> (String, String) {
    let fits = |text: &str| text.len() <= width || text.chars().count() <= width;
    if fits(from) && fits(to) {
        return (from.to_owned(), to.to_owned());
    }
    let pairs = from.char_indices().zip(to.chars());
    let head = pairs.take_while(|((_, a), b)| a == b).last();
    let head = head.map_or(0, |((at, a), _)| at + a.len_utf8());
    let (a, b) = (&from[head..], &to[head..]);
    let pairs = a.chars().rev().zip(b.chars().rev());
    let tail: usize = pairs
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum();
    let before: Vec<char> = from[..head].chars().rev().take(CONTEXT).collect();
    let is_cut_before = before.iter().map(|c| c.len_utf8()).sum::<usize>() < head;
    let window = |rest: &str| {
        let (differing, after) = rest.split_at(rest.len() - tail);
        let mut kept: Vec<char> = is_cut_before.then_some(CUT).into_iter().collect();
        kept.extend(before.iter().rev());
        kept.extend(differing.chars());
        kept.extend(after.chars().take(CONTEXT));
        kept.extend(after.chars().nth(CONTEXT).map(|_| CUT));
        cut_chars(&kept, width)
    };
    (window(a), window(b))
}

fn cut_chars(chars: &[char], width: usize) -> String {
    if chars.len() <= width {
        return chars.iter().collect();
    }
    let tail = (width - 1) / 2;
    let head = width - 1 - tail;
    let mut out: String = chars[..head].iter().collect();
    out.push(CUT);
    out.extend(&chars[chars.len() - tail..]);
    out
}

/// Tells whether a string can stand without quotes and still be told from a number, a boolean,
/// null, a list or an object.
fn is_word(text: &str) -> bool {
    let is_other = serde_json::from_str::<Value>(text).is_ok();
    let is_plain = |c: char| !c.is_whitespace() && !is_hidden(c) && !matches!(c, '"' | '(' | CUT);
    !text.is_empty() && !is_other && text != "->" && text.chars().all(is_plain)
}

/// Tells whether a character acts on a terminal or on the direction of text instead of showing.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: &Value, expected: &str) {
        assert_eq!(inline(value), expected);
    }

    #[test]
    fn words_are_bare_and_what_looks_like_another_type_is_quoted() {
        check(&json!("ghcr.io/gaia:v26.0.0"), "ghcr.io/gaia:v26.0.0");
        check(&json!("5"), "\"5\"");
        check(&json!(5), "5");
        check(&json!("true"), "\"true\"");
        check(&json!(""), "\"\"");
        check(&json!("two words"), "\"two words\"");
        check(&json!({"a": [1]}), "{\"a\":[1]}");
    }

    #[test]
    fn nothing_reaches_the_terminal_as_a_command() {
        check(&json!("a\u{1b}[31mb"), "\"a\\u001b[31mb\"");
        check(&json!("a\u{9b}b"), "\"a\\u{9b}b\"");
        check(&json!("a\u{202e}b"), "\"a\\u{202e}b\"");
    }

    #[test]
    fn a_long_text_loses_its_middle() {
        assert_eq!(cut("abcdefghij", 5), "ab…ij");
        assert_eq!(cut("abcde", 5), "abcde");
    }

    #[test]
    fn two_long_texts_that_differ_in_the_middle_still_look_different() {
        let base = "x".repeat(200);
        let (a, b) = cut_pair(&format!("{base}1{base}"), &format!("{base}2{base}"), 40);
        assert_eq!(a, "…xxxxxxxxxxxx1xxxxxxxxxxxx…");
        assert_eq!(b, "…xxxxxxxxxxxx2xxxxxxxxxxxx…");
    }

    #[test]
    fn texts_are_cut_between_characters_of_any_width() {
        let base = "é…😀".repeat(40);
        let (a, b) = cut_pair(&format!("{base}ü{base}"), &format!("{base}û{base}"), 40);
        assert_eq!(a, "…é…😀é…😀é…😀é…😀üé…😀é…😀é…😀é…😀…");
        assert_eq!(b, a.replace('ü', "û"));
    }

    #[test]
    fn a_text_and_its_own_start_look_different() {
        let base = "x".repeat(200);
        let (a, b) = cut_pair(&base, &format!("{base}{base}"), 40);
        assert_ne!(a, b);
    }
}
