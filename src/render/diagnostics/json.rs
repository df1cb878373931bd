//! Diagnostics for programs, as one JSON object.

use serde::Serialize;
use serde_json::Error;

use super::sorted;
use crate::diagnostic::{Diagnostic, Note, Place, Severity, Span};

/// All that was found.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    api_version: &'static str,
    kind: &'static str,
    format_version: &'static str,
    summary: Summary,
    findings: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Summary {
    errors: usize,
    warnings: usize,
}

#[derive(Serialize)]
struct Finding<'a> {
    level: String,
    code: &'static str,
    message: &'a str,
    help: Option<String>,
    #[serde(flatten)]
    at: Option<At<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<Remark<'a>>,
}

#[derive(Serialize)]
struct Remark<'a> {
    message: &'a str,
    #[serde(flatten)]
    at: Option<At<'a>>,
}

/// A place; lines and columns count from 1, and the end is behind the last character.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct At<'a> {
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<usize>,
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
        format_version: "1.0",
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
