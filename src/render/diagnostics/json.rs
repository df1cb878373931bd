//! Diagnostics for programs, as one JSON object.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Error;

use super::sorted;
use crate::diagnostic::{Diagnostic, Note, Place, Severity, Span};

/// The version of the form of what is printed here.
pub const FORMAT_VERSION: &str = "1.0";

/// All that was found.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "LintReport")]
pub struct Report<'a> {
    /// Always `cosmos-render/v1`.
    #[schemars(extend("const" = "cosmos-render/v1"))]
    api_version: &'static str,
    /// Always `LintReport`.
    #[schemars(extend("const" = "LintReport"))]
    kind: &'static str,
    /// Minor versions add, major ones break.
    #[schemars(regex(pattern = r"^1\.[0-9]+$"))]
    format_version: &'static str,
    /// How much was found.
    summary: Summary,
    /// What was found, by place.
    findings: Vec<Finding<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct Summary {
    /// How many findings fail the run.
    errors: usize,
    /// How many do not.
    warnings: usize,
}

#[derive(Serialize, JsonSchema)]
struct Finding<'a> {
    /// `error`, `warning` or `note`.
    level: String,
    /// What `lint --explain` knows more of.
    code: &'static str,
    /// What is wrong.
    message: &'a str,
    /// What to do.
    help: Option<String>,
    #[serde(flatten)]
    at: Option<At<'a>>,
    /// What else belongs to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<Remark<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct Remark<'a> {
    /// What is to be known.
    message: &'a str,
    #[serde(flatten)]
    at: Option<At<'a>>,
}

/// A place; lines and columns count from 1, and the end is behind the last character.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct At<'a> {
    /// The file as it was named.
    file: &'a str,
    /// The line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// The column in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    /// The column behind its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<usize>,
    /// The path inside the document.
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'a str,
}

/// Returns all diagnostics, sorted and counted.
///
/// # Errors
/// Where the writer refuses, which is a fault of this program.
pub fn report(diagnostics: &[Diagnostic]) -> Result<String, Error> {
    let all = sorted(diagnostics);
    let of = |severity| all.iter().filter(|d| d.severity == severity).count();
    let report = Report {
        api_version: "cosmos-render/v1",
        kind: "LintReport",
        format_version: FORMAT_VERSION,
        summary: Summary {
            errors: of(Severity::Error),
            warnings: of(Severity::Warning),
        },
        findings: all.into_iter().map(finding).collect(),
    };
    Ok(serde_json::to_string_pretty(&report)? + "\n")
}

fn finding(diagnostic: &Diagnostic) -> Finding<'_> {
    let Diagnostic {
        place,
        severity,
        code,
        message,
        hint: _, // `help` knows more
        notes,
    } = diagnostic;
    Finding {
        level: severity.to_string(),
        code,
        message,
        help: diagnostic.help(),
        at: place.as_ref().map(at),
        notes: notes.iter().map(remark).collect(),
    }
}

fn remark(note: &Note) -> Remark<'_> {
    Remark {
        message: &note.message,
        at: note.place.as_ref().map(at),
    }
}

fn at(place: &Place) -> At<'_> {
    let Place { file, span, path } = place;
    let of = |part: fn(&Span) -> usize| span.as_ref().map(part);
    At {
        file,
        line: of(|span| span.line),
        column: of(|span| span.column),
        end_column: of(|span| span.column + span.width),
        path,
    }
}
