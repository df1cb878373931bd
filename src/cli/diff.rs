//! The command `diff`: tells what a change of the documents does.

mod reports;

use std::io;

use crate::diagnostic::{Diagnostic, Reported};
use crate::disk::{self, Found};
use crate::model::Source;
use crate::pipeline::findings as harm;
use crate::pipeline::{self, Request, Reviewed, Sides};
use crate::render::text::{self, Detail};
use crate::render::{Style, html, json, markdown};
use crate::review::Side;

use super::args::DiffFormat;
use super::findings::{self, Host};
use super::resolve::DiffRun;
use super::terminal::{self, Terminal};
use super::{Exit, Failure, input, settings};

/// The folder that revisions are looked up in, and that paths are seen from.
const HERE: &str = ".";
const CONSEQUENCE: &str = "nothing was compared";

/// Compares, and prints the review.
pub(super) fn run(run: &DiffRun, terminal: &Terminal) -> Result<Exit, Failure> {
    let (base, head) = ends(run).map_err(|fault| fail(vec![*fault]))?;
    let mut inputs = run.inputs.clone();
    if let End::Path(path) = &head {
        inputs.specs = vec![path.clone()];
    }
    let told = (terminal, CONSEQUENCE);
    let settings = settings::sound(&inputs.specs, run.config.as_deref(), told)?;
    inputs = inputs.settled(&settings);
    let read_head = match &head {
        End::Path(_) | End::Here => None,
        End::Commit { .. } => Some(read(&head, run)?),
    };
    let (request, mut diagnostics) = match read_head {
        None => input::read(&inputs, terminal, CONSEQUENCE)?,
        Some(specs) => {
            inputs.specs = Vec::new();
            let (request, diagnostics) = input::read(&inputs, terminal, CONSEQUENCE)?;
            (Request { specs, ..request }, diagnostics)
        }
    };
    let sides = Sides {
        specs: read(&base, run)?,
        base: side(&base),
        head: side(&head),
        prices: settings.prices,
    };
    let Reported {
        value,
        diagnostics: said,
    } = pipeline::review(request, sides);
    diagnostics.extend(said);
    let Some(reviewed) = value else {
        return Err(fail(diagnostics));
    };
    terminal.counted(&diagnostics);
    let look = (terminal.out(), terminal.detail_wanted());
    let printed = print(&reviewed, run.format, run, look)?;
    if let Some(folder) = &run.reports {
        reports::write(folder, &reviewed, run)?;
    }
    terminal::result(&printed)?;
    let (exit, lines) = run.policy.judge_change(&reviewed.review);
    for line in lines {
        terminal::line(&line);
    }
    Ok(exit)
}

/// One end of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// A folder or file.
    Path(String),
    /// A commit, and how it was named.
    Commit { name: String, id: String },
    /// The files as they are now.
    Here,
}

/// Finds out what is compared with what. A folder or file of a name goes before a revision.
fn ends(run: &DiffRun) -> Result<(End, End), Box<Diagnostic>> {
    let is_path = |name: &str| disk::find(name) != Found::Nothing;
    let commit = |name: &str| {
        let id = disk::commit_of(HERE, name, None)?;
        let name = name.to_owned();
        Ok::<End, Box<Diagnostic>>(End::Commit { name, id })
    };
    let DiffRun { base, head, .. } = run;
    match head {
        Some(head) if is_path(base) && is_path(head) => {
            Ok((End::Path(base.clone()), End::Path(head.clone())))
        }
        Some(head) => Ok((commit(base)?, commit(head)?)),
        None if is_path(base) => {
            let fault = Diagnostic::error("usage", format!("`{base}` is compared with nothing"));
            Err(Box::new(fault.hint("name the folder to compare it with")))
        }
        None => match disk::revisions(base) {
            None => Ok((commit(base)?, End::Here)),
            Some(named) => {
                let other = named.is_from_merge_base.then_some(named.head.as_str());
                let base = End::Commit {
                    id: disk::commit_of(HERE, &named.base, other)?,
                    name: named.base,
                };
                Ok((base, commit(&named.head)?))
            }
        },
    }
}

/// Reads the documents of one end.
fn read(end: &End, run: &DiffRun) -> Result<Vec<Source>, Failure> {
    let limits = input::limits(run.inputs.max_input);
    let apart = run.inputs.snapshot.as_deref().unwrap_or_default();
    let Reported { value, diagnostics } = match end {
        End::Path(path) => disk::read(std::slice::from_ref(path), apart, &mut io::empty(), &limits),
        End::Here => disk::read(&run.inputs.specs, apart, &mut io::empty(), &limits),
        End::Commit { id, .. } => disk::at_commit((HERE, id), &run.inputs.specs, apart, &limits),
    };
    let has_errors = diagnostics
        .iter()
        .any(|fault| fault.severity == crate::diagnostic::Severity::Error);
    if has_errors {
        return Err(fail(diagnostics));
    }
    Ok(value)
}

fn side(end: &End) -> Side {
    let (name, commit) = match end {
        End::Path(path) => (path.clone(), None),
        End::Commit { name, id } => (name.clone(), Some(id.clone())),
        End::Here => ("the files as they are now".to_owned(), None),
    };
    Side {
        name,
        commit,
        is_planned: true,
    }
}

/// Returns a review in a form; text as it is wanted in the `look`.
fn print(
    reviewed: &Reviewed,
    format: DiffFormat,
    run: &DiffRun,
    look: (Style, Detail),
) -> Result<String, Failure> {
    let review = &reviewed.review;
    match format {
        DiffFormat::Text => Ok(text::review(review, look.0, look.1)),
        DiffFormat::Markdown => Ok(markdown::review(review)),
        DiffFormat::Html => Ok(html::review(review)),
        DiffFormat::Json => written(json::review(review)),
        DiffFormat::Sarif => of_review(reviewed, run, Host::Sarif),
        DiffFormat::Github => of_review(reviewed, run, Host::Github),
        DiffFormat::Gitlab => of_review(reviewed, run, Host::Gitlab),
    }
}

fn written(text: serde_json::Result<String>) -> Result<String, Failure> {
    text.map_err(|error| {
        let message = format!("the review has no form in JSON: {error}");
        fail(vec![Diagnostic::error("internal", message)])
    })
}

/// Returns what a change does as findings.
fn of_review(reviewed: &Reviewed, run: &DiffRun, host: Host) -> Result<String, Failure> {
    let Reviewed { review, .. } = reviewed;
    let mut found = harm::of_review(review, reviewed.documents(), &run.policy.denied());
    findings::seen_from_here(&mut found);
    findings::print(&found, host)
}

fn fail(diagnostics: Vec<Diagnostic>) -> Failure {
    Failure {
        diagnostics,
        consequence: CONSEQUENCE,
    }
}
