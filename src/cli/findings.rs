//! Findings as code hosts read them: the forms that `plan`, `diff` and `lint` share, with paths as
//! seen from the current folder.

use crate::diagnostic::Diagnostic;
use crate::disk;
use crate::render::diagnostics::{github, gitlab, sarif};

use super::Failure;

/// Who reads findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host {
    /// Whoever takes SARIF.
    Sarif,
    /// GitHub Actions.
    Github,
    /// GitLab.
    Gitlab,
}

/// Returns findings as a host reads them.
pub(super) fn print(found: &[Diagnostic], host: Host) -> Result<String, Failure> {
    let printed = match host {
        Host::Sarif => sarif::log(found, env!("CARGO_PKG_VERSION")),
        Host::Github => Ok(github::commands(found)),
        Host::Gitlab => gitlab::report(found),
    };
    printed.map_err(|error| formless(&error))
}

/// Says that findings cannot be written, which is a fault of this program.
pub(super) fn formless(error: &serde_json::Error) -> Failure {
    let message = format!("the findings have no form in JSON: {error}");
    Failure {
        diagnostics: vec![Diagnostic::error("internal", message)],
        consequence: "nothing was printed",
    }
}

/// Names files as they are seen from the current folder: a host looks them up from the root of the
/// repository, where it runs this program.
pub(super) fn seen_from_here(found: &mut [Diagnostic]) {
    for place in found.iter_mut().flat_map(places) {
        *place = disk::from_here(place);
    }
}

/// Returns the files that a finding names.
fn places(diagnostic: &mut Diagnostic) -> impl Iterator<Item = &mut String> {
    let notes = diagnostic.notes.iter_mut();
    let notes = notes.filter_map(|note| note.place.as_mut());
    let own = diagnostic.place.iter_mut();
    own.chain(notes).map(|place| &mut place.file)
}
