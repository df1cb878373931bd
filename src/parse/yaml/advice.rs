//! What to type where a text is no YAML: a look at the line and the one above it tells more than
//! the parser's word for what it expected.

use granit_parser::ErrorKind;

use crate::model::Source;
use crate::parse::text::lines;

/// What to do about a template that was not rendered.
pub(super) const TEMPLATE: &str =
    "this looks like a template: render it first (`helm template . | cosmos-render lint -`)";

/// Returns what to do about an error on a line, counted from 1.
pub(super) fn advice(kind: &ErrorKind, source: &Source, line: usize) -> String {
    let text = String::from_utf8_lossy(&source.bytes);
    let all: Vec<&str> = lines(&text).take(line).collect();
    let here = all.get(line.saturating_sub(1)).copied().unwrap_or_default();
    if here.contains("{{") {
        return TEMPLATE.to_owned();
    }
    let before = all.iter().enumerate().take(line.saturating_sub(1)).rev();
    let mut before = before.filter(|(_, line)| is_content(line));
    let before = before.next().map(|(index, line)| (index + 1, *line));
    let by_lines = || by_lines(here, before, line);
    let by_kind = by_kind(kind).map(str::to_owned);
    by_kind.or_else(by_lines).unwrap_or_else(|| {
        "check the indentation, colons and quotes on this line and the one before".to_owned()
    })
}

/// Returns what two lines tell by themselves.
fn by_lines(here: &str, before: Option<(usize, &str)>, line: usize) -> Option<String> {
    if here.trim_start_matches(' ').starts_with('\t') {
        return None;
    }
    if is_content(here) && !has_key(here) && !here.contains(['"', '\'', '{', '[', '*', '&', '|']) {
        return without_key(here, line);
    }
    if here.matches(": ").count() > 1 && !here.contains(['"', '\'', '{', '[']) {
        return Some("put the text behind the first colon in quotes".to_owned());
    }
    let (number, above) = before?;
    if !has_key(above) && !above.trim_start().starts_with('-') && has_key(here) {
        return without_key(above, number);
    }
    let (deep, high) = (indent(here), indent(above));
    let has_value = |line: &str| {
        let value = line.split_once(": ").map_or("", |(_, value)| value.trim());
        !value.is_empty() && !value.starts_with(['|', '>', '&', '#'])
    };
    if deep > high && has_value(above) && has_key(here) {
        return Some(format!(
            "this line begins further to the right than line {number}, which has a value already: \
             begin both in the same column, or move line {number} too"
        ));
    }
    (deep < high && has_key(here) && has_key(above)).then(|| {
        format!(
            "this line begins in column {}, line {number} in column {}: keys of one mapping begin \
             in the same column",
            deep + 1,
            high + 1
        )
    })
}

/// Says what a line lacks that has no key.
fn without_key(text: &str, line: usize) -> Option<String> {
    let text = text.trim().trim_start_matches("- ");
    let words: Vec<&str> = text.split_whitespace().collect();
    match (words.as_slice(), text.split_once(':')) {
        ([_], Some((key, value))) if is_word(key) && !value.starts_with("//") => Some(format!(
            "write a blank behind the colon in line {line}: `{key}: {value}`"
        )),
        ([key, value], None) if is_word(key) => {
            Some(format!("write a colon in line {line}: `{key}: {value}`"))
        }
        (_, None) => Some(format!(
            "line {line} has no colon: write `key: value`, or begin it with `#` if it is a comment"
        )),
        (_, Some(_)) => None,
    }
}

fn is_word(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    !text.is_empty() && text.chars().all(is_part)
}

fn is_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#') && line != "---"
}

fn has_key(line: &str) -> bool {
    line.contains(": ") || line.trim_end().ends_with(':')
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the parser's list of errors is open; all others are told in its own words"
)]
fn by_kind(kind: &ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => "indent with spaces: YAML allows no tabs there",
        ErrorKind::UnknownAnchor => "define the anchor (`&name`) before its use in this document",
        ErrorKind::UnclosedQuotedScalar | ErrorKind::DocumentIndicatorInQuotedScalar => {
            "close the quotes"
        }
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::MismatchedFlowCollectionEnd { .. }
        | ErrorKind::MisplacedFlowCollectionEnd => "close each bracket with one of its own kind",
        ErrorKind::UnexpectedCharacter { .. } => "put a text that starts with this in quotes",
        ErrorKind::UnknownQuotedScalarEscape => "write a backslash as \\\\ in double quotes",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(above: &str, here: &str, expected: Option<&str>) {
        let found = by_lines(here, Some((1, above)), 2);
        let is_fine = match (&found, expected) {
            (None, None) => true,
            (Some(found), Some(part)) => found.contains(part),
            (Some(_), None) | (None, Some(_)) => false,
        };
        assert!(is_fine, "{found:?}");
    }

    #[test]
    fn two_lines_tell_what_is_missing() {
        check("  a: 1", "    b: 2", Some("same column"));
        check(
            "      a: 1",
            "    b: 2",
            Some("column 5, line 1 in column 7"),
        );
        check("  network devnet", "  b: 2", Some("`network: devnet`"));
        check(
            "  network:devnet",
            "  b: 2",
            Some("blank behind the colon in line 1"),
        );
        check("a: 1", "That is all.", Some("line 2 has no colon"));
        check("  a: 1", "  b: c: d", Some("in quotes"));
    }

    #[test]
    fn what_is_not_clear_is_left_to_the_parser() {
        check("  a: |", "    b: c", None);
        check("  a: 1", "  \tb: 2", None);
        check("  - x", "  b: 2", None);
        check("  a: 1", "  b: \"x", None);
    }
}
