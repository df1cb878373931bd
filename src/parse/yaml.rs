//! YAML text into trees: documents, anchors, aliases, merge keys and duplicate keys, as Go's
//! `sigs.k8s.io/yaml` reads them. What a scalar means is `scalar`'s matter.

use std::borrow::Cow;

use granit_parser::{ErrorKind, Parser, ScalarStyle, ScanError, StrInput, Tag};

use crate::diagnostic::{Diagnostic, Reported};
use crate::model::Source;
use crate::parse::scalar::{self, Scalar};
use crate::parse::text::{Limits, Refusal, check_characters, decode, excerpt};
use crate::parse::tree::{Mark, Node};

mod advice;
mod builder;
mod entries;
pub(crate) mod strict;

use builder::Builder;

/// How many faults of one source are told; a text with more is broken as a whole.
const FAULTS: usize = 20;

/// Reads all documents of a YAML text; empty ones are dropped.
///
/// A document that Kubernetes' reader would refuse is an error, as is one with duplicate keys
/// (which that reader would take the last of), beyond the limits, or with a character that readers
/// disagree about. The first error of syntax ends the reading.
#[must_use]
pub fn documents(source: &Source, limits: &Limits) -> Reported<Vec<Node>> {
    let text = match readable(source, limits) {
        Ok(text) => text,
        Err(fault) => {
            return Reported {
                value: Vec::new(),
                diagnostics: vec![*fault],
            };
        }
    };
    let mut builder = Builder::new(source, text, limits);
    for step in events(text, limits) {
        let result = match step {
            Ok((event, span)) => builder.take(event, &span),
            Err(error) => Err(syntax(source, &error, limits)),
        };
        if let Err(fault) = result {
            builder.faults.push(*fault);
            break;
        }
        if builder.faults.len() >= FAULTS {
            break;
        }
    }
    let mut faults = builder.faults;
    faults.iter_mut().for_each(advise_on_templates);
    tell_a_second_document_once(&mut faults);
    Reported {
        value: builder.roots,
        diagnostics: faults,
    }
}

/// Where a line `---` is missing, every key of the second document stands twice.
fn tell_a_second_document_once(faults: &mut Vec<Diagnostic>) {
    let is_twin = |fault: &Diagnostic, keys: &[&str]| {
        let path = fault.place.as_ref().map_or("", |place| place.path.as_str());
        fault.code == "duplicate-key" && keys.contains(&path)
    };
    if faults.iter().any(|fault| is_twin(fault, &["apiVersion"])) {
        faults.retain(|fault| !is_twin(fault, &["kind", "metadata", "spec"]));
    }
}

/// A template's braces are mappings to YAML, which can't be keys.
fn advise_on_templates(fault: &mut Diagnostic) {
    let span = fault.place.as_ref().and_then(|place| place.span.as_ref());
    if fault.code == "key" && span.is_some_and(|span| span.line_text.contains("{{")) {
        fault.hint = Some(advice::TEMPLATE.to_owned());
    }
}

fn readable<'a>(source: &'a Source, limits: &Limits) -> Result<&'a str, Refusal> {
    let text = decode(source)?;
    check_sizes(source, text, limits)?;
    check_characters(source, text)?;
    Ok(text)
}

/// Refuses documents that are too large before anything is parsed: documents end only where a
/// line starts with `---`.
fn check_sizes(source: &Source, text: &str, limits: &Limits) -> Result<(), Refusal> {
    let mut start = 0;
    while start < text.len() {
        let length = text[start..]
            .find("\n---")
            .map_or(text.len() - start, |at| at + 1);
        if length > limits.document {
            let line = text[..start].bytes().filter(|&b| b == b'\n').count() + 1;
            return Err(too_large(source, line, limits));
        }
        start += length;
    }
    Ok(())
}

/// Says that a document starting at a line is too large.
pub(crate) fn too_large(source: &Source, line: usize, limits: &Limits) -> Refusal {
    let mark = Mark {
        line,
        column: 1,
        width: 1,
    };
    let message = format!("this document is larger than {} bytes", limits.document);
    let mut fault = Diagnostic::error("too-large", message)
        .hint("split it with `---` lines, or take out what is no specification");
    fault.place = Some(excerpt(source, mark, ""));
    fault.into()
}

/// Starts to read a text, with the readings that go-yaml shares with libyaml.
pub(crate) fn events<'a>(text: &'a str, limits: &Limits) -> Parser<'a, StrInput<'a>> {
    let options = granit_parser::options! {
        emit_comments: false,
        emit_anchor_events: true,
        block_scalar_eof_without_line_feed: true,
        flow_nesting_limit: limits.depth,
        block_nesting_limit: limits.depth,
    };
    Parser::new_from_str_with_options(text, options)
}

/// Turns the parser's error into a message with its place and what to do.
pub(crate) fn syntax(source: &Source, error: &ScanError, limits: &Limits) -> Refusal {
    let at = error.marker();
    let mark = Mark {
        line: at.line().max(1),
        column: at.col() + 1,
        width: 1,
    };
    let mut fault = if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        too_deep(limits)
    } else {
        Diagnostic::error("yaml-syntax", format!("this is no YAML: {}", error.kind()))
            .hint(advice::advice(error.kind(), source, mark.line))
    };
    fault.place = Some(excerpt(source, mark, ""));
    fault.into()
}

pub(crate) fn too_deep(limits: &Limits) -> Diagnostic {
    let message = format!(
        "more than {} collections are inside each other here",
        limits.depth
    );
    Diagnostic::error("too-deep", message).hint("no object of Kubernetes needs that many")
}

/// Returns the name of a tag of YAML's own name space: `int` of `!!int`.
pub(crate) fn tag_name<'a>(tag: Option<&'a Cow<'_, Tag>>) -> Option<Cow<'a, str>> {
    tag.and_then(|tag| tag.suffix_in_namespace(scalar::YAML_TAGS))
}

/// Returns whether a scalar in the place of a key asks for a merge.
pub(crate) fn is_merge(text: &str, style: ScalarStyle, tag: Option<&Cow<'_, Tag>>) -> bool {
    text == "<<"
        && match tag {
            None => style == ScalarStyle::Plain,
            Some(tag) => {
                tag.original() == "!"
                    || tag.suffix_in_namespace(scalar::YAML_TAGS).as_deref() == Some("merge")
            }
        }
}

/// Resolves a scalar event: plain ones by their looks, tagged ones by their tag.
pub(crate) fn meaning<'a>(
    text: Cow<'a, str>,
    style: ScalarStyle,
    tag: Option<&Cow<'_, Tag>>,
) -> Result<(Scalar, Cow<'a, str>), scalar::Fault> {
    if tag.is_some() {
        return scalar::tagged(tag_name(tag).as_deref(), text);
    }
    match style {
        ScalarStyle::Plain => Ok((scalar::resolve(&text), text)),
        ScalarStyle::SingleQuoted
        | ScalarStyle::DoubleQuoted
        | ScalarStyle::Literal
        | ScalarStyle::Folded => Ok((Scalar::Text, text)),
    }
}

/// Cuts a key for a message.
pub(crate) fn shorten(key: &str) -> Cow<'_, str> {
    match key.char_indices().nth(60) {
        Some((at, _)) => Cow::Owned(format!("{}...", &key[..at])),
        None => Cow::Borrowed(key),
    }
}

#[cfg(test)]
#[path = "yaml/tests.rs"]
mod tests;
