//! What the commands about keys read.

use std::io;

use crate::diagnostic::{Diagnostic, Reported, Severity};
use crate::disk::{self, Found};
use crate::keys::{self, Place, Request, Sources, Survey};
use crate::model::Source;

use crate::cli::args::keys::SourceArgs;
use crate::cli::{Failure, live};

/// The inputs, and what is known from them.
pub(super) struct Read {
    pub(super) request: Request,
    pub(super) survey: Survey,
}

/// Reads all inputs. Where identities are to be written, those that stand in that place already
/// are read too, whether or not they were named.
pub(super) fn read(
    specs: &[String],
    args: SourceArgs,
    place: Option<&Place>,
    consequence: &'static str,
) -> Result<Read, Failure> {
    let SourceArgs {
        fleet,
        namespace,
        snapshot,
        secret,
    } = args;
    let fail = |diagnostics| Failure {
        diagnostics,
        consequence,
    };
    let stdins = [specs, &snapshot, &secret].into_iter().flatten();
    if stdins.filter(|path| *path == "-").count() > 1 {
        let fault = Diagnostic::error("usage", "standard input can be read only once");
        return Err(fail(vec![
            fault.hint("give `-` once, and files for the rest"),
        ]));
    }
    let mut faults = Vec::new();
    let given = (!snapshot.is_empty()).then(|| of_cluster(&snapshot, &mut faults));
    let mut request = Request {
        specs: sources(specs, &mut faults),
        snapshot: given,
        secrets: sources(&secret, &mut faults),
        fleets: fleet,
        namespace,
    };
    if faults.iter().any(|fault| fault.severity == Severity::Error) {
        return Err(fail(faults));
    }
    let mut survey = surveyed(&request).map_err(fail)?;
    if let Some(place) = place {
        let unread = unread(&survey, place, &request).map_err(fail)?;
        if !unread.is_empty() {
            let mut faults = Vec::new();
            let more = sources(&unread, &mut faults);
            if !faults.is_empty() {
                return Err(fail(faults));
            }
            request.specs.extend(more.all().to_vec());
            survey = surveyed(&request).map_err(fail)?;
        }
    }
    Ok(Read { request, survey })
}

fn sources(paths: &[String], faults: &mut Vec<Diagnostic>) -> Sources {
    let Reported { value, diagnostics } = disk::read(
        paths,
        &[],
        &mut io::stdin().lock(),
        &disk::Limits::default(),
    );
    faults.extend(diagnostics);
    Sources::new(value)
}

fn of_cluster(paths: &[String], faults: &mut Vec<Diagnostic>) -> Sources {
    let (mut stdin, limits) = (io::stdin().lock(), disk::Limits::default());
    let everywhere = Vec::new;
    let Reported { value, diagnostics } =
        live::read(paths, &[], (&mut stdin, &limits), &everywhere);
    faults.extend(diagnostics);
    Sources::new(value)
}

fn surveyed(request: &Request) -> Result<Survey, Vec<Diagnostic>> {
    let Reported { value, diagnostics } = keys::survey(request);
    value.ok_or(diagnostics)
}

/// Returns the files that identities are to be written into, that exist, and that were not read.
fn unread(
    survey: &Survey,
    place: &Place,
    request: &Request,
) -> Result<Vec<String>, Vec<Diagnostic>> {
    let mut paths = keys::places(survey, place)?;
    paths.sort();
    paths.dedup();
    let is_read = |path: &str| {
        let mut sources = request.specs.all().iter();
        sources.any(|source| disk::is_same(&source.name, path))
    };
    paths.retain(|path| disk::find(path) != Found::Nothing && !is_read(path));
    Ok(paths)
}

/// Returns the same place under the name that it was read by.
pub(super) fn settled(place: &Place, request: &Request) -> Place {
    let Place::File(path) = place else {
        return place.clone();
    };
    let mut sources = request.specs.all().iter();
    let read = sources.find(|source| disk::is_same(&source.name, path));
    Place::File(read.map_or_else(|| path.clone(), |source| source.name.clone()))
}

/// Reads the keys of home folders, one each.
pub(super) fn homes(paths: &[String], consequence: &'static str) -> Result<Sources, Failure> {
    let mut keys: Vec<Source> = Vec::new();
    let mut faults = Vec::new();
    for path in paths {
        let file = match disk::find(path) {
            Found::Folder => format!("{}/config/node_key.json", path.trim_end_matches('/')),
            Found::File | Found::Nothing => path.clone(),
        };
        keys.extend(sources(&[file], &mut faults).all().to_vec());
    }
    let keys = Sources::new(keys);
    if faults.is_empty() {
        Ok(keys)
    } else {
        Err(Failure {
            diagnostics: faults,
            consequence,
        })
    }
}
