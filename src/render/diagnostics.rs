//! Diagnostics as a person reads them: what is wrong, where, the line itself with the place
//! underlined, the path in the document, and what to do; sorted by place, counted at the end.

use std::collections::{BTreeMap, BTreeSet};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Note, Place, Severity, Span};
use crate::model::digest::sha256;

use super::{Style, value};

pub mod github;
pub mod gitlab;
pub mod json;
pub mod sarif;

/// Returns all diagnostics, sorted, each followed by an empty line. Empty where there are none.
#[must_use]
pub fn text(diagnostics: &[Diagnostic], style: Style) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    let mut out = String::new();
    for diagnostic in sorted(diagnostics) {
        let text = renderer.render(&groups(diagnostic));
        let places = diagnostic.notes.iter().filter_map(|n| n.place.as_ref());
        let all = diagnostic.place.iter().chain(places);
        out.push_str(&all.fold(text, with_true_column));
        out.push_str("\n\n");
    }
    out
}

/// Returns all diagnostics in their order, each once.
fn sorted(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort();
    sorted.dedup();
    sorted
}

/// Returns what each diagnostic is known by from one run to the next: its code, its file, its place
/// in the document and the text of its line, not the line's number. Those that have all of that in
/// common are numbered.
fn fingerprints(sorted: &[&Diagnostic]) -> Vec<String> {
    let mut seen: BTreeMap<Vec<&str>, usize> = BTreeMap::new();
    let prints = sorted.iter().map(|diagnostic| {
        let mut parts = vec![diagnostic.code];
        match &diagnostic.place {
            None => parts.push(&diagnostic.message),
            Some(Place { file, span, path }) => {
                let line = span.as_ref().map_or("", |span| span.line_text.trim());
                parts.extend([file.as_str(), path, line]);
            }
        }
        let text = parts.join("\0");
        let twins = seen.entry(parts).or_default();
        *twins += 1;
        let digest = sha256(format!("{text}\0{twins}").as_bytes());
        digest.chars().take(32).collect()
    });
    prints.collect()
}

/// Returns the line that counts what was found (`error: 3 errors, 2 warnings in 2 files; nothing
/// was planned`), or `None` where nothing was. `consequence` is its second half, where there are
/// errors.
#[must_use]
pub fn count(diagnostics: &[Diagnostic], consequence: &str) -> Option<String> {
    let all: BTreeSet<&Diagnostic> = diagnostics.iter().collect();
    let of = |severity: Severity| all.iter().filter(|d| d.severity == severity).count();
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    let files: BTreeSet<&str> = all
        .iter()
        .filter_map(|d| d.place.as_ref())
        .map(|place| place.file.as_str())
        .collect();
    let counts = [
        (errors, "error", "errors"),
        (warnings, "warning", "warnings"),
    ];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, one, many)| counted(number, one, many))
        .collect();
    let places = match files.len() {
        0 => String::new(),
        files => format!(" in {}", counted(files, "file", "files")),
    };
    let first = [Severity::Warning, Severity::Error][usize::from(errors > 0)];
    let end = match (errors, consequence) {
        (0, _) | (_, "") => String::new(),
        (_, consequence) => format!("; {consequence}"),
    };
    (!counts.is_empty()).then(|| format!("{first}: {}{places}{end}", counts.join(", ")))
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Returns the diagnostic itself, and one group for each other place that it is about.
fn groups(diagnostic: &Diagnostic) -> Vec<Group<'_>> {
    let Diagnostic {
        place,
        severity,
        code,
        message,
        hint: _, // `help` knows more
        notes,
    } = diagnostic;
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(escaped_lines(message)).id(*code);
    let mut group = Group::with_title(title);
    if let Some(place) = place {
        group = with_place(group, place);
    }
    let (elsewhere, here): (Vec<&Note>, Vec<&Note>) = notes.iter().partition(|n| n.place.is_some());
    for note in here {
        group = group.element(Level::NOTE.message(escaped_lines(&note.message)));
    }
    if let Some(help) = diagnostic.help() {
        group = group.element(Level::HELP.message(escaped_lines(&help)));
    }
    let mut groups = vec![group];
    for note in elsewhere {
        let title = Level::NOTE.secondary_title(escaped_lines(&note.message));
        let group = Group::with_title(title);
        groups.extend(note.place.as_ref().map(|place| with_source(group, place)));
    }
    groups
}

fn with_place<'a>(group: Group<'a>, place: &Place) -> Group<'a> {
    let group = with_source(group, place);
    if place.path.is_empty() {
        return group;
    }
    let path = value::escaped(&place.path);
    group.element(Level::NOTE.with_name(Some("path")).message(path))
}

fn with_source<'a>(group: Group<'a>, place: &Place) -> Group<'a> {
    let Place {
        file,
        span,
        path: _,
    } = place;
    let file = value::escaped(file);
    match span {
        None => group.element(Origin::path(file)),
        Some(span) => group.element(snippet(file, span)),
    }
}

fn snippet<'a>(file: String, span: &Span) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let Span {
        line,
        column,
        width,
        line_text,
        window,
    } = span;
    let start = column.saturating_sub(*window);
    let at = |chars: usize| byte_of(line_text, chars);
    let range = at(start)..at(start + (*width).max(1));
    Snippet::source(visible(line_text))
        .line_start(*line)
        .path(file)
        .annotation(AnnotationKind::Primary.span(range))
}

/// Puts right the column of a line that is shown through a window: the printer counts from the
/// window's start.
fn with_true_column(text: String, place: &Place) -> String {
    let Some(span) = place.span.as_ref() else {
        return text;
    };
    if span.window <= 1 {
        return text;
    }
    let at = |column: usize| format!("{}:{}:{column}", value::escaped(&place.file), span.line);
    let shown = span.column.saturating_sub(span.window) + 1;
    text.replacen(&at(shown), &at(span.column), 1)
}

/// Returns the byte at which the character of this index starts; the end for one beyond it.
fn byte_of(text: &str, chars: usize) -> usize {
    text.char_indices()
        .nth(chars)
        .map_or(text.len(), |(byte, _)| byte)
}

/// Returns a line of the same bytes' positions in which nothing commands a terminal. What prints
/// it replaces control characters itself; line breaks do not belong here.
fn visible(line: &str) -> String {
    line.replace(['\n', '\r'], " ")
}

/// Escapes control characters, but keeps line breaks: a message may quote several lines.
fn escaped_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(value::escaped).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(file: &str, line: usize) -> Diagnostic {
        let mut fault = Diagnostic::error("unknown-field", "unknown field `replica`")
            .at(file, "spec.replica")
            .hint("did you mean `replicas`?");
        if let Some(place) = &mut fault.place {
            place.span = Some(Span {
                line,
                column: 3,
                width: 7,
                line_text: "  replica: 3".to_owned(),
                window: 1,
            });
        }
        fault
    }

    #[track_caller]
    fn check(diagnostics: &[Diagnostic], expected: &str) {
        let text = text(diagnostics, Style::Plain);
        assert_eq!(text, expected, "got:\n{text}");
    }

    #[test]
    fn a_fault_shows_its_line_its_path_and_what_to_do() {
        check(
            &[sample("hub.yaml", 7)],
            "error[unknown-field]: unknown field `replica`\n \
             --> hub.yaml:7:3\n  \
             |\n\
             7 |   replica: 3\n  \
             |   ^^^^^^^\n  \
             |\n  \
             = path: spec.replica\n  \
             = help: did you mean `replicas`?\n\n",
        );
    }

    #[test]
    fn a_fault_without_a_line_still_names_its_file() {
        check(
            &[Diagnostic::warning("odd", "this is odd").at("a.yaml", "spec")],
            "warning[odd]: this is odd\n--> a.yaml\n = path: spec\n\n",
        );
        check(
            &[Diagnostic::error("no", "there is none")],
            "error[no]: there is none\n\n",
        );
    }

    #[test]
    fn a_window_of_a_long_line_keeps_the_true_column() {
        let mut fault = sample("hub.yaml", 7);
        if let Some(span) = fault.place.as_mut().and_then(|place| place.span.as_mut()) {
            span.column = 1003;
            span.window = 1001;
        }
        let text = text(&[fault], Style::Plain);
        assert!(text.contains("--> hub.yaml:7:1003\n"), "{text}");
        assert!(text.contains("\n  |   ^^^^^^^\n"), "{text}");
    }

    #[test]
    fn a_place_outside_its_line_is_no_panic() {
        let mut fault = sample("hub.yaml", 7);
        if let Some(span) = fault.place.as_mut().and_then(|place| place.span.as_mut()) {
            span.column = 99;
            span.line_text = "héé\u{1b}".to_owned();
        }
        let text = text(&[fault], Style::Plain);
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn order_and_count_do_not_depend_on_the_order_found() {
        let (a, b) = (sample("a.yaml", 2), sample("b.yaml", 1));
        let c = sample("a.yaml", 10);
        let one = text(&[a.clone(), b.clone(), c.clone()], Style::Plain);
        let two = text(&[c.clone(), b.clone(), a.clone(), a.clone()], Style::Plain);
        assert_eq!(one, two);
        let place = |name: &str| one.find(name).unwrap();
        assert!(place("a.yaml:2:") < place("a.yaml:10:"));
        assert!(place("a.yaml:10:") < place("b.yaml:1:"));
        assert_eq!(
            count(&[a, b, c], "nothing was planned").as_deref(),
            Some("error: 3 errors in 2 files; nothing was planned")
        );
    }

    #[test]
    fn errors_and_warnings_are_counted_apart() {
        let odd = Diagnostic::warning("odd", "odd");
        let check = |all: &[Diagnostic], expected: Option<&str>| {
            assert_eq!(count(all, "x").as_deref(), expected);
        };
        check(&[], None);
        check(&[odd.clone(), odd.clone()], Some("warning: 1 warning"));
        let both = [odd, sample("a.yaml", 1), sample("a.yaml", 2)];
        check(&both, Some("error: 2 errors, 1 warning in 1 file; x"));
    }

    #[test]
    fn another_place_is_shown_with_its_line() {
        let first = sample("a.yaml", 2);
        let place = sample("b.yaml", 9).place;
        check(
            &[first.note("so it is").see(place, "also here")],
            "error[unknown-field]: unknown field `replica`\n \
             --> a.yaml:2:3\n  \
             |\n\
             2 |   replica: 3\n  \
             |   ^^^^^^^\n  \
             |\n  \
             = path: spec.replica\n  \
             = note: so it is\n  \
             = help: did you mean `replicas`?\n\
             note: also here\n \
             --> b.yaml:9:3\n  \
             |\n\
             9 |   replica: 3\n  \
             |   ^^^^^^^\n\n",
        );
    }
}
