//! The command `lint`: finds what is wrong with documents, and with the tree around them.

use crate::diagnostic::{Diagnostic, Severity};
use crate::disk;
use crate::pipeline;
use crate::render::diagnostics::{self, json};

use super::args::LintFormat;
use super::findings::Host;
use super::resolve::{Inputs, LintRun};
use super::terminal::{self, Terminal};
use super::{Exit, Failure, findings, input, settings};

/// What follows findings for people.
const MORE: &str = "`cosmos-render lint --explain CODE` says more about each";

/// Judges and prints what was found, or explains a code.
pub(super) fn run(run: &LintRun, terminal: &Terminal) -> Result<Exit, Failure> {
    match run {
        LintRun::Explain(code) => explain(code),
        LintRun::Judge {
            inputs,
            config,
            format,
            denies_warnings,
        } => {
            let mut found = found(inputs, config.as_deref(), terminal);
            findings::seen_from_here(&mut found);
            let shown = terminal.shown(&found);
            terminal::result(&print(&shown, *format, terminal)?)?;
            let is_bad = |d: &Diagnostic| d.severity == Severity::Error || *denies_warnings;
            Ok([Exit::Done, Exit::Failed][usize::from(found.iter().any(is_bad))])
        }
    }
}

fn explain(code: &str) -> Result<Exit, Failure> {
    let text = match code {
        "all" => Ok(pipeline::explain::all()),
        code => pipeline::explain::code(code),
    };
    let text = text.map_err(|message| Failure {
        diagnostics: vec![Diagnostic::error("usage", message)],
        consequence: "nothing was explained",
    })?;
    terminal::result(&text)?;
    Ok(Exit::Done)
}

/// Reads settings, documents, snapshot and tree, and judges them. Where a file cannot be read,
/// nothing is judged.
fn found(inputs: &Inputs, config: Option<&str>, terminal: &Terminal) -> Vec<Diagnostic> {
    let settings = settings::read(&inputs.specs, config);
    let mut said = settings.diagnostics;
    let read = input::read(inputs, terminal, "nothing was judged");
    let (request, of_inputs) = match read {
        Ok(read) => read,
        Err(failure) => {
            said.extend(failure.diagnostics);
            return said;
        }
    };
    said.extend(of_inputs);
    let tree = disk::tree(&inputs.specs, pipeline::may_matter);
    said.extend(tree.diagnostics);
    said.extend(pipeline::lint(&request, &tree.value, &settings.value));
    said
}

fn print(found: &[Diagnostic], format: LintFormat, terminal: &Terminal) -> Result<String, Failure> {
    match format {
        LintFormat::Text => {
            let mut text = diagnostics::text(found, terminal.out());
            let count = diagnostics::count(found, "");
            text.extend(count.map(|count| format!("{count}\n{MORE}\n")));
            Ok(text)
        }
        LintFormat::Json => json::report(found).map_err(|error| findings::formless(&error)),
        LintFormat::Sarif => findings::print(found, Host::Sarif),
        LintFormat::Github => findings::print(found, Host::Github),
        LintFormat::Gitlab => findings::print(found, Host::Gitlab),
    }
}
