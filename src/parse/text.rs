//! Source texts before and after reading: which characters they may hold, whether they are JSON
//! or YAML, and the lines that messages quote. Knows nothing of what the documents mean.

use crate::diagnostic::{Diagnostic, Place, Reported, Span};
use crate::model::Source;
use crate::parse::tree::{Mark, Node};
use crate::parse::{json, yaml};

/// The most characters of a line that a message quotes.
pub const WINDOW: usize = 200;

/// Why a text is not read on.
pub(crate) type Refusal = Box<Diagnostic>;

/// How many lines around a value are looked at for a sign that it is a key.
const KEY_LINES: usize = 3;

/// So long, in characters, is a node's private key in base64; within a Secret its whole file is.
const KEY_LENGTH: usize = 80;

/// How many lines a private key in PEM form may have before a quoted one.
const PEM_LINES: usize = 100;

/// What a source may hold at most. The defaults are far above any real specification, and low
/// enough that no text can exhaust the memory or the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The bytes of one document.
    pub document: usize,
    /// The collections inside each other.
    pub depth: usize,
    /// The values that the aliases of one document stand for.
    pub alias_nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document: 16 << 20,
            depth: 64,
            alias_nodes: 10_000,
        }
    }
}

/// Reads all documents of a source, JSON or YAML; empty ones are dropped.
///
/// A source named `*.json` (or `*.json.gz`, `*.json.zst`) is JSON. Any other one that starts with
/// a brace or a bracket is tried as JSON first, as kubectl does, and as YAML (of which JSON is
/// nearly a part) where it is none.
#[must_use]
pub fn documents(source: &Source, limits: &Limits) -> Reported<Vec<Node>> {
    match form(source) {
        Form::Json => json::documents(source, limits),
        Form::Yaml => yaml::documents(source, limits),
        Form::Either => {
            let as_json = json::documents(source, limits);
            if !as_json.has_errors() {
                return as_json;
            }
            let as_yaml = yaml::documents(source, limits);
            if as_yaml.has_errors() && reach(&as_json) >= reach(&as_yaml) {
                return as_json;
            }
            as_yaml
        }
    }
}

/// What the name and the first character say of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The name says JSON.
    Json,
    /// The text can't be JSON.
    Yaml,
    /// The text may be JSON.
    Either,
}

/// Returns what the name and the first character say of a source.
pub(crate) fn form(source: &Source) -> Form {
    let name = source.name.trim_end_matches(".gz").trim_end_matches(".zst");
    let is_named_json = name.rsplit_once('.').is_some_and(|(_, end)| end == "json");
    let text = source.bytes.strip_prefix(BOM).unwrap_or(&source.bytes);
    let first = text.iter().find(|b| !b.is_ascii_whitespace());
    match first {
        _ if is_named_json => Form::Json,
        Some(b'{' | b'[') => Form::Either,
        Some(_) | None => Form::Yaml,
    }
}

const BOM: &[u8] = "\u{FEFF}".as_bytes();

/// Returns how far a reader came before its first error.
fn reach<T>(reported: &Reported<T>) -> Option<(usize, usize)> {
    reported
        .diagnostics
        .iter()
        .filter_map(|d| d.place.as_ref()?.span.as_ref())
        .map(|span| (span.line, span.column))
        .min()
}

/// Returns the text of a source without a byte-order mark.
///
/// # Errors
/// Where it is no UTF-8, or holds a zero byte: then it is no text.
pub(crate) fn decode(source: &Source) -> Result<&str, Refusal> {
    let bytes = source.bytes.as_slice();
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(Diagnostic::error("not-utf8", "this text is UTF-16")
            .hint("save it as UTF-8")
            .at(&source.name, "")
            .into());
    }
    let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
    // `contains` searches many bytes at a time
    if bytes.contains(&0) {
        let at = bytes.iter().position(|&b| b == 0).unwrap_or_default();
        return Err(invalid(
            source,
            &bytes[..at],
            Diagnostic::error("binary", "this is no text: it holds a zero byte")
                .hint("give YAML or JSON, plain or compressed with gzip or zstd"),
        ));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        invalid(
            source,
            &bytes[..error.valid_up_to()],
            Diagnostic::error("not-utf8", "this text is not UTF-8 from here on")
                .hint("save it as UTF-8"),
        )
    })
}

/// Places a message behind the bytes that could be read.
fn invalid(source: &Source, read: &[u8], mut message: Diagnostic) -> Refusal {
    let text = String::from_utf8_lossy(read);
    let line_start = text.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let column = text[line_start..].chars().count() + 1;
    let mark = Mark {
        line: lines(&text).count(),
        column,
        width: 1,
    };
    let mut place = excerpt(source, mark, "");
    if let Some(span) = &mut place.span {
        span.line_text.retain(|c| !c.is_control());
    }
    message.place = Some(place);
    message.into()
}

/// Finds a character that Kubernetes' YAML reader refuses, or that it reads as a line break while
/// readers of YAML 1.2 take it for a letter. Returns its place and what is wrong with it.
///
/// # Errors
/// The first such character.
pub(crate) fn check_characters(source: &Source, text: &str) -> Result<(), Refusal> {
    let refused = text.char_indices().find(|&(_, c)| {
        !matches!(c, '\n' | '\r' | '\t' | ' '..='~' | '\u{A0}'..='\u{D7FF}'
            | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
            || matches!(c, '\u{2028}' | '\u{2029}')
    });
    let Some((at, found)) = refused else {
        return Ok(());
    };
    let code = u32::from(found);
    let escape = if code < 0x100 {
        format!("\\x{code:02x}")
    } else {
        format!("\\u{code:04x}")
    };
    let message = if matches!(found, '\u{85}' | '\u{2028}' | '\u{2029}') {
        format!("U+{code:04X} breaks a line for some readers of YAML, and for others it does not")
    } else {
        format!("YAML allows no character U+{code:04X} here")
    };
    Err(invalid(
        source,
        &text.as_bytes()[..at],
        Diagnostic::error("character", message).hint(format!(
            "write it as \"{escape}\" in double quotes, or take it out"
        )),
    ))
}

/// Returns where something stands, with the text of its line: at most [`WINDOW`] characters
/// around the mark, and `<redacted>` where the line holds what may be a private key.
#[must_use]
pub fn excerpt(source: &Source, mark: Mark, path: &str) -> Place {
    let text = String::from_utf8_lossy(&source.bytes);
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
    let before = mark.line.saturating_sub(1);
    let near: Vec<&str> = lines(text)
        .skip(before.saturating_sub(PEM_LINES))
        .take(before.min(PEM_LINES) + 1 + KEY_LINES)
        .collect();
    let at = before.min(PEM_LINES);
    let line = near.get(at).copied().unwrap_or_default();
    let (line_text, window) = if is_secret(&near, at) {
        ("<redacted>".to_owned(), mark.column.max(1))
    } else {
        cut(line, mark.column)
    };
    Place {
        file: source.name.clone(),
        span: Some(Span {
            line: mark.line,
            column: mark.column,
            width: mark.width.max(1),
            line_text,
            window,
        }),
        path: path.to_owned(),
    }
}

/// Returns the mark of a position inside a text, whose own first line is at `start`. Only texts
/// whose lines stand in the source as they are have lines to point to; elsewhere the text itself
/// is pointed at.
pub(crate) fn inside(source: &Source, start: Mark, span: &Span) -> Mark {
    let text = String::from_utf8_lossy(&source.bytes);
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
    let line = start.line + span.line - 1;
    let meant = span.line_text.trim_end();
    let found = lines(text).nth(line.saturating_sub(1)).map(str::trim_end);
    let before = found.and_then(|found| indent(found, meant, (start, span)));
    match before {
        None => start,
        Some(before) => Mark {
            line,
            column: before + span.column,
            width: span.width,
        },
    }
}

/// Returns how many characters of a source's line stand before a line of the text: blanks in a
/// block, the key and perhaps a quote elsewhere.
fn indent(found: &str, meant: &str, (start, span): (Mark, &Span)) -> Option<usize> {
    let blanks = found.strip_suffix(meant).filter(|_| !meant.is_empty());
    let is_blank = |blanks: &&str| blanks.chars().all(|c| c == ' ');
    if let Some(blanks) = blanks.filter(is_blank) {
        return Some(blanks.chars().count());
    }
    let value: String = found.chars().skip(start.column - 1).collect();
    let unquoted = value.strip_prefix(['"', '\'']);
    let is_here = |value: &str| span.line == 1 && value.starts_with(meant);
    match unquoted {
        Some(value) if is_here(value) => Some(start.column),
        Some(_) => None,
        None => is_here(&value).then_some(start.column - 1),
    }
}

/// Cuts a line to the window around a column.
fn cut(line: &str, column: usize) -> (String, usize) {
    if line.len() <= WINDOW {
        return (line.to_owned(), 1);
    }
    let skipped = column.saturating_sub(1 + WINDOW / 4);
    let text: String = line.chars().skip(skipped).take(WINDOW).collect();
    (text, skipped + 1)
}

/// Returns the lines of a text; `\n`, `\r\n` and a lone `\r` end one, as in YAML.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\n', '\r']) else {
            rest = None;
            return Some(text);
        };
        let next = if text[end..].starts_with("\r\n") {
            end + 2
        } else {
            end + 1
        };
        rest = Some(&text[next..]);
        Some(&text[..end])
    })
}

/// Returns whether a line may hold a private key: a node key, a validator key, a PEM block.
fn is_secret(near: &[&str], at: usize) -> bool {
    let names_key = |line: &&str| {
        ["priv_key", "PrivKey", "PRIVATE KEY", "AGE-SECRET-KEY-"]
            .iter()
            .any(|sign| line.contains(sign))
    };
    let Some(line) = near.get(at) else {
        return false;
    };
    if names_key(line) || longest_base64(line) >= KEY_LENGTH {
        return true;
    }
    let around = &near[at.saturating_sub(KEY_LINES)..near.len().min(at + KEY_LINES + 1)];
    if around.iter().any(names_key) && (line.contains("value") || is_base64(line)) {
        return true;
    }
    let marker = near[..at].iter().rev().find(|line| line.contains("-----"));
    marker.is_some_and(|line| line.contains("BEGIN") && line.contains("PRIVATE KEY"))
}

fn is_base64(line: &str) -> bool {
    longest_base64(line) >= 40
}

fn longest_base64(line: &str) -> usize {
    let words = line.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/' | '='));
    words.map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, text: &str) -> Source {
        Source {
            name: name.to_owned(),
            bytes: text.as_bytes().to_vec(),
        }
    }

    #[track_caller]
    fn check_line(text: &str, line: usize, column: usize, want: (&str, usize)) {
        let mark = Mark {
            line,
            column,
            width: 1,
        };
        let span = excerpt(&source("a.yaml", text), mark, "").span.unwrap();
        assert_eq!((span.line_text.as_str(), span.window), want);
    }

    #[test]
    fn a_line_is_quoted_whatever_ends_it() {
        check_line("a: 1\r\nb: 2\r\n", 2, 1, ("b: 2", 1));
        check_line("a: 1\rb: 2", 2, 1, ("b: 2", 1));
        check_line("\u{FEFF}a: 1\n", 1, 1, ("a: 1", 1));
        check_line("a: 1", 7, 1, ("", 1));
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark() {
        let text = format!("{}x{}", "ä".repeat(1000), "ö".repeat(1000));
        let mark = Mark {
            line: 1,
            column: 1001,
            width: 1,
        };
        let span = excerpt(&source("a.yaml", &text), mark, "p").span.unwrap();
        assert_eq!(span.line_text.chars().count(), WINDOW);
        assert_eq!(span.line_text.chars().nth(1001 - span.window), Some('x'));
    }

    #[test]
    fn a_private_key_is_never_quoted() {
        let json = "{\n\"priv_key\": {\n\"type\": \"tendermint/PrivKeyEd25519\",\n\"value\": \"c2VjcmV0\"\n}}";
        check_line(json, 4, 3, ("<redacted>", 3));
        check_line(json, 3, 1, ("<redacted>", 1));
        let pem = "k: |\n  -----BEGIN EC PRIVATE KEY-----\n  c2VjcmV0\n  -----END EC PRIVATE KEY-----\nx: 1\n";
        check_line(pem, 3, 3, ("<redacted>", 3));
        check_line(pem, 5, 1, ("x: 1", 1));
        let line = r#"node_key.json: '{"priv_key":{"type":"tendermint/PrivKeyEd25519","value":"c2VjcmV0"}}'"#;
        check_line(line, 1, 80, ("<redacted>", 80));
    }

    #[test]
    fn base64_as_long_as_a_key_is_never_quoted_whatever_stands_around_it() {
        let key = "A1b2".repeat(22);
        let line = format!("      moniker = \"{key}");
        check_line(&line, 1, 7, ("<redacted>", 7));
        let node_id = format!("  hub-0: {}", "0a1b".repeat(10));
        check_line(&node_id, 1, 3, (&node_id, 1));
    }

    #[track_caller]
    fn check_refused(bytes: &[u8], code: &str, line: usize, column: usize) {
        let source = Source {
            name: "a.yaml".to_owned(),
            bytes: bytes.to_vec(),
        };
        let found = documents(&source, &Limits::default()).diagnostics;
        let span = found[0].place.clone().unwrap().span;
        let span = span.map_or((0, 0), |s| (s.line, s.column));
        assert_eq!((found[0].code, span), (code, (line, column)), "{found:?}");
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_place() {
        check_refused(b"a: 1\nb: \0", "binary", 2, 4);
        check_refused(b"a: 1\nb: \xFFx", "not-utf8", 2, 4);
        check_refused(b"\xFF\xFEa\0:\0", "not-utf8", 0, 0);
        check_refused("a: x\u{7F}\n".as_bytes(), "character", 1, 5);
        check_refused("a: x\u{2028}\n".as_bytes(), "character", 1, 5);
    }

    #[test]
    fn flow_mappings_of_yaml_are_read_though_they_start_with_a_brace() {
        let found = documents(&source("-", "{a: yes, b: [1,]}"), &Limits::default());
        assert_eq!(
            found.value[0].to_json(),
            serde_json::json!({"a": true, "b": [1]})
        );
        let found = documents(&source("a.json", "{a: 1}"), &Limits::default());
        assert!(found.has_errors());
    }
}
