//! Texts that the parser takes and Kubernetes' reader refuses, or takes for something else.

use granit_parser::{Span, YamlVersion};

use crate::diagnostic::Diagnostic;
use crate::parse::text::Refusal;

/// Refuses a key of a block mapping that tabs indent.
pub(crate) fn check_tab(text: &str, span: &Span) -> Result<(), Refusal> {
    let before = span.start.byte_offset().and_then(|at| text.get(..at));
    let indent = before.map_or("", |text| &text[text.trim_end_matches([' ', '\t']).len()..]);
    if !indent.contains('\t') || indent.chars().count() != span.start.col() {
        return Ok(());
    }
    Err(
        Diagnostic::error("yaml-syntax", "this is no YAML: a tab indents this key")
            .hint("indent with spaces: YAML allows no tabs there")
            .into(),
    )
}

/// Refuses `{a:}` and `[?a]`: Kubernetes' reader takes the colon for a part of the text and the
/// question mark for none, and readers of YAML 1.2 the other way round.
pub(crate) fn check_flow(text: &str, scalar: &str, span: &Span) -> Result<(), Refusal> {
    let end = span.end.byte_offset().unwrap_or(text.len());
    let rest = text.as_bytes().get(end..).unwrap_or_default();
    let ends_key = matches!(rest, [b':', b',' | b'[' | b']' | b'{' | b'}', ..]);
    if !ends_key && !scalar.starts_with('?') {
        return Ok(());
    }
    Err(
        Diagnostic::error("ambiguous", "readers of YAML disagree on what this means")
            .hint("put the text in quotes, and a space after a colon that ends a key")
            .into(),
    )
}

/// Refuses documents of another version than Kubernetes' reader knows.
pub(crate) fn check_version(version: Option<YamlVersion>) -> Result<(), Refusal> {
    match version {
        None | Some(YamlVersion { major: 1, minor: 1 }) => Ok(()),
        Some(_) => Err(Diagnostic::error(
            "yaml-version",
            "the reader of Kubernetes knows no YAML but 1.1",
        )
        .hint("take out the %YAML line above this")
        .into()),
    }
}

/// Refuses names of anchors that Kubernetes' reader refuses; they are texts that lack quotes.
pub(crate) fn check_anchor(name: &str) -> Result<(), Refusal> {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if name.bytes().all(is_part) {
        return Ok(());
    }
    Err(Diagnostic::error(
        "anchor",
        "an anchor (`&name`) is made of letters, digits, - and _",
    )
    .hint("put a text that starts with & in quotes")
    .into())
}
