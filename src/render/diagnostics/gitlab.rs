//! Diagnostics as a code-quality report, which GitLab shows at the lines of a merge request.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Error;

use super::{fingerprints, sorted};
use crate::diagnostic::{Diagnostic, Severity};

/// What is named where a diagnostic has no file: GitLab drops a report in which one lacks it.
const NO_FILE: &str = "cosmos-render.toml";

/// What GitLab reads: a list, and nothing around it.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "CodeQualityReport")]
pub struct Report(Vec<Finding>);

/// One finding.
#[derive(Serialize, JsonSchema)]
struct Finding {
    /// What is wrong, and what to do.
    #[schemars(length(min = 1))]
    description: String,
    /// The code.
    #[schemars(regex(pattern = "^[a-z0-9-]+$"))]
    check_name: &'static str,
    /// By what it is known from one run to the next; unique in a report.
    #[schemars(regex(pattern = "^[0-9a-f]{32}$"))]
    fingerprint: String,
    /// How bad it is.
    severity: Weight,
    /// Where it is.
    location: Location,
}

/// GitLab's words; it knows `critical` and `blocker` too.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Weight {
    Info,
    Minor,
    Major,
}

#[derive(Serialize, JsonSchema)]
struct Location {
    /// The file, from the root of the repository.
    #[schemars(regex(pattern = r"^[^/]"))]
    path: String,
    lines: Lines,
}

#[derive(Serialize, JsonSchema)]
struct Lines {
    /// The line, from 1.
    #[schemars(range(min = 1))]
    begin: usize,
}

/// Returns all diagnostics as one report.
///
/// # Errors
/// Where the writer refuses, which is a fault of this program.
pub fn report(diagnostics: &[Diagnostic]) -> Result<String, Error> {
    let all = sorted(diagnostics);
    let prints = fingerprints(&all);
    let findings = all.into_iter().zip(prints).map(finding);
    let report = Report(findings.collect());
    Ok(serde_json::to_string_pretty(&report)? + "\n")
}

fn finding((diagnostic, fingerprint): (&Diagnostic, String)) -> Finding {
    let mut lines = vec![diagnostic.message.clone()];
    let notes = diagnostic.notes.iter();
    lines.extend(notes.map(|note| format!("note: {}", note.message)));
    lines.extend(diagnostic.help().map(|help| format!("help: {help}")));
    let place = diagnostic.place.as_ref();
    let file = place.map_or(NO_FILE, |place| place.file.as_str());
    let span = place.and_then(|place| place.span.as_ref());
    Finding {
        description: lines.join("\n"),
        check_name: diagnostic.code,
        fingerprint,
        severity: match diagnostic.severity {
            Severity::Error => Weight::Major,
            Severity::Warning => Weight::Minor,
            Severity::Note => Weight::Info,
        },
        location: Location {
            path: path(file),
            lines: Lines {
                begin: span.map_or(1, |span| span.line),
            },
        },
    }
}

/// Returns a path as GitLab takes it: without a root, which it would show as it is.
fn path(file: &str) -> String {
    match file.trim_start_matches('/') {
        "" | "-" => "stdin".to_owned(),
        path => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::diagnostic::Span;

    fn at(line: usize, line_text: &str) -> Diagnostic {
        let mut found = Diagnostic::error("odd", "this is odd").at("a.yaml", "spec.x");
        if let Some(place) = &mut found.place {
            place.span = Some(Span {
                line,
                column: 1,
                width: 1,
                line_text: line_text.to_owned(),
                window: 1,
            });
        }
        found
    }

    fn reported(diagnostics: &[Diagnostic]) -> Value {
        serde_json::from_str(&report(diagnostics).unwrap()).unwrap()
    }

    /// Returns the fingerprints of some lines, each a number and a text.
    fn prints(lines: &[(usize, &str)]) -> Vec<Value> {
        let all: Vec<Diagnostic> = lines.iter().map(|(line, text)| at(*line, text)).collect();
        let report = reported(&all);
        let found = report.as_array().unwrap().iter();
        found.map(|one| one["fingerprint"].clone()).collect()
    }

    #[test]
    fn a_finding_has_what_gitlab_asks_for() {
        let note = Diagnostic {
            severity: Severity::Note,
            ..Diagnostic::error("odd", "odd").at("/b.yaml", "")
        };
        let found = reported(&[at(7, "x: 1").hint("do it"), note]);
        let plain = json!({"path": "b.yaml", "lines": {"begin": 1}});
        assert_eq!(found[0]["location"], plain);
        assert_eq!(found[0]["severity"], "info");
        assert_eq!(found[1]["description"], "this is odd\nhelp: do it");
        assert_eq!(found[1]["location"]["lines"]["begin"], 7);
        assert_eq!(found[1]["severity"], "major");
        assert_eq!(found[1]["check_name"], "odd");
    }

    #[test]
    fn a_fingerprint_outlives_other_lines_and_is_no_twins() {
        assert_eq!(prints(&[(7, "x: 1")]), prints(&[(9, "  x: 1")]));
        assert_ne!(prints(&[(7, "x: 1")]), prints(&[(7, "x: 2")]));
        let two = prints(&[(7, "x: 1"), (9, "x: 1")]);
        assert_ne!(two[0], two[1]);
        assert_eq!(two, prints(&[(1, "x: 1"), (2, "x: 1")]));
    }

    #[test]
    fn nothing_found_is_an_empty_list() {
        assert_eq!(report(&[]).unwrap(), "[]\n");
    }
}
