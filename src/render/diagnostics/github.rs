//! Diagnostics as workflow commands: GitHub Actions shows each at its line of a pull request.

use super::sorted;
use crate::diagnostic::{Diagnostic, Place, Severity};

/// Returns one line for each diagnostic.
#[must_use]
pub fn commands(diagnostics: &[Diagnostic]) -> String {
    sorted(diagnostics).into_iter().map(command).collect()
}

fn command(diagnostic: &Diagnostic) -> String {
    let mut properties: Vec<String> = Vec::new();
    if let Some(Place {
        file,
        span,
        path: _,
    }) = &diagnostic.place
        && file != "-"
    {
        properties.push(format!("file={}", property(file)));
        if let Some(span) = span {
            let end = span.column + span.width;
            properties.push(format!("line={}", span.line));
            properties.push(format!("col={},endColumn={end}", span.column));
        }
    }
    properties.push(format!("title={}", property(diagnostic.code)));
    let mut text = diagnostic.message.clone();
    for note in &diagnostic.notes {
        text.push_str("\nnote: ");
        text.push_str(&note.message);
    }
    if let Some(help) = diagnostic.help() {
        text.push_str("\nhelp: ");
        text.push_str(&help);
    }
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let properties = properties.join(",");
    format!("::{level} {properties}::{}\n", data(&text))
}

/// Escapes a command's text: a line break would end it.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes a property: commas and colons would end it too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(diagnostic: Diagnostic, expected: &str) {
        assert_eq!(commands(&[diagnostic]), expected);
    }

    #[test]
    fn nothing_breaks_out_of_a_command() {
        let found = Diagnostic::error("odd", "100%\r\n::error::x: y").at("a,b:c%.yaml", "p");
        check(
            found.hint("do, it"),
            "::error file=a%2Cb%3Ac%25.yaml,title=odd::100%25%0D%0A::error::x: y%0Ahelp: do, it\n",
        );
        check(
            Diagnostic::warning("odd", "odd").at("-", "").note("so"),
            "::warning title=odd::odd%0Anote: so\n",
        );
    }
}
