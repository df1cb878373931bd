//! The commands that write: each comes to a text with Secrets, and to files with public identities
//! that belong beside it. Neither is to be written without the other.

use std::collections::BTreeMap;
use std::path::Path;

use super::ledger;
use super::make::{self, Batch, Done, Home, Seeds};
use super::print::{self, Printed};
use super::secret::{Form, Text};
use super::survey::{Request, Survey};
use super::verify;
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::Source;

/// Where node identities go that stand nowhere yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Place {
    /// A file for each fleet beside its document.
    #[default]
    BesideSpecs,
    /// A file for each fleet in this folder.
    Folder(String),
    /// This file.
    File(String),
}

/// Returns where the identities go of fleets that have none yet: what stands there must be read
/// before anything is made, or an instance might get a second identity.
///
/// # Errors
/// Where there is no such place.
pub fn places(survey: &Survey, place: &Place) -> Result<Vec<String>> {
    let fresh = survey.fleets.iter().filter(|f| f.identities.is_none());
    let paths: std::result::Result<Vec<String>, Diagnostic> = fresh
        .map(|fleet| new_path(&fleet.spec_file, &fleet.key.name, place))
        .collect();
    paths.map_err(|fault| vec![fault])
}

/// A file with public identities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it is.
    pub path: String,
    /// What is to be in it.
    pub text: String,
    /// What was in it; nothing where it must not exist yet.
    pub former: Option<String>,
}

/// What a command comes to.
#[derive(Debug)]
pub struct Written {
    /// The Secrets, or a patch; empty where no key is new and no Secret was given.
    pub secrets: Text,
    /// Whose Secrets these are.
    pub printed: Vec<Printed>,
    /// The identities.
    pub files: Vec<File>,
    /// What became of which instance.
    pub done: Vec<Done>,
    /// What else is worth a line.
    pub notes: Vec<String>,
}

type Result<T> = std::result::Result<T, Vec<Diagnostic>>;

/// Makes a key for every instance that has no identity.
///
/// # Errors
/// Tells what is wrong with the identities that there are, and what a Secret would lose.
pub fn init(
    survey: &Survey,
    request: &Request,
    how: (Form, &Place),
    seeds: Seeds<'_>,
) -> Result<Written> {
    refuse(survey)?;
    let (batches, notes) = make::init(survey, seeds)?;
    written(&batches, notes, request, how)
}

/// Takes over keys that instances have.
///
/// # Errors
/// As [`init`].
pub fn import(
    survey: &Survey,
    request: &Request,
    how: (Form, &Place),
    homes: &[Home<'_>],
) -> Result<Written> {
    refuse(survey)?;
    let (batches, notes) = make::import(survey, homes)?;
    unique(survey, &batches)?;
    written(&batches, notes, request, how)
}

/// Gives instances another identity.
///
/// # Errors
/// As [`init`].
pub fn rotate(
    survey: &Survey,
    request: &Request,
    names: &[String],
    (form, seeds): (Form, Seeds<'_>),
) -> Result<Written> {
    refuse(survey)?;
    let (batches, notes) = make::rotate(survey, names, seeds)?;
    written(&batches, notes, request, (form, &Place::BesideSpecs))
}

/// Nothing is made beside identities that are wrong. An ID whose key is missing may be on its way.
fn refuse(survey: &Survey) -> Result<()> {
    let mut faults = verify::verify(survey);
    let is_wrong = |fault: &Diagnostic| {
        fault.severity == Severity::Error && fault.code != "identity-without-key"
    };
    faults.retain(is_wrong);
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

/// A key that is taken over must not be another instance's.
fn unique(survey: &Survey, batches: &[Batch<'_>]) -> Result<()> {
    let mut users: BTreeMap<&str, String> = BTreeMap::new();
    for fleet in &survey.fleets {
        for instance in fleet
            .instances
            .iter()
            .filter(|i| i.is_asked || i.declared.is_some())
        {
            let name = format!("{}/{}", fleet.key.namespace, instance.name);
            users.extend(
                instance
                    .ids()
                    .into_iter()
                    .map(|id| (id.as_str(), name.clone())),
            );
        }
    }
    let mut faults = Vec::new();
    for done in batches.iter().flat_map(|batch| &batch.done) {
        let name = format!("{}/{}", done.fleet.namespace, done.instance);
        let other = users.insert(done.id.as_str(), name.clone());
        if let Some(other) = other.filter(|other| *other != name) {
            let message = format!("the key of {name} is also that of {other}: {}", done.id);
            let fault = Diagnostic::error("duplicate-node-id", message);
            faults.push(fault.hint("each node needs a key of its own"));
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

fn written(
    batches: &[Batch<'_>],
    notes: Vec<String>,
    request: &Request,
    (form, place): (Form, &Place),
) -> Result<Written> {
    let (secrets, printed) = print::secrets(batches, form)?;
    let mut files = BTreeMap::new();
    let mut faults = Vec::new();
    for batch in batches.iter().filter(|batch| !batch.changes.is_empty()) {
        if let Err(fault) = identities(batch, request, place, &mut files) {
            faults.push(fault);
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Written {
        secrets,
        printed,
        files: files.into_values().collect(),
        done: batches
            .iter()
            .flat_map(|batch| batch.done.clone())
            .collect(),
        notes,
    })
}

/// Adds the identities of a fleet to the file that they belong into.
fn identities(
    batch: &Batch<'_>,
    request: &Request,
    place: &Place,
    files: &mut BTreeMap<String, File>,
) -> std::result::Result<(), Diagnostic> {
    let fleet = batch.fleet;
    let owner = ledger::Owner {
        fleet: &fleet.key,
        names_namespace: fleet.names_namespace,
        unnamed: request.unnamed(),
    };
    let standing = fleet.identities.and_then(|at| request.specs.all().get(at));
    let path = match standing {
        Some(source) => source.name.clone(),
        None => new_path(&fleet.spec_file, &fleet.key.name, place)?,
    };
    let known = request
        .specs
        .all()
        .iter()
        .find(|source| source.name == path);
    let file = match files.remove(&path) {
        Some(file) => file,
        None => opened(&path, known)?,
    };
    let text = if standing.is_some() {
        let source = Source {
            name: path.clone(),
            bytes: file.text.into_bytes(),
        };
        ledger::edit(&source, owner, &batch.changes).map_err(|fault| *fault)?
    } else {
        let document = ledger::document(owner, &batch.changes);
        match (file.text.trim_start(), has_ending(&path, "json")) {
            ("", false) => document,
            (text, false) if !text.starts_with(['{', '[']) => ledger::append(&file.text, &document),
            (_, _) => return Err(not_yaml(&path)),
        }
    };
    files.insert(path, File { text, ..file });
    Ok(())
}

fn not_yaml(path: &str) -> Diagnostic {
    Diagnostic::error(
        "identities-not-editable",
        "no document can be added to JSON",
    )
    .hint("name a YAML file with --identities")
    .at(path, "")
}

/// Returns a file as it stands before it is changed.
fn opened(path: &str, known: Option<&Source>) -> std::result::Result<File, Diagnostic> {
    let fault =
        |message: &str| Err(Diagnostic::error("identities-not-editable", message).at(path, ""));
    let Some(source) = known else {
        return Ok(File {
            path: path.to_owned(),
            text: String::new(),
            former: None,
        });
    };
    if path == "-" {
        return fault(
            "the NodeIdentities came from standard input, where nothing can be added: give their file",
        );
    }
    if has_ending(path, "gz") || has_ending(path, "zst") {
        return fault(
            "the NodeIdentities are compressed, and nothing can be added: give them plain",
        );
    }
    match std::str::from_utf8(&source.bytes) {
        Ok(text) => Ok(File {
            path: path.to_owned(),
            text: text.to_owned(),
            former: Some(text.to_owned()),
        }),
        Err(_) => fault("this is no text"),
    }
}

/// Returns where the identities of a fleet go that stand nowhere yet.
fn new_path(
    spec_file: &str,
    fleet: &str,
    place: &Place,
) -> std::result::Result<String, Diagnostic> {
    let name = format!("{fleet}-identities.yaml");
    match place {
        Place::File(path) => Ok(path.clone()),
        Place::Folder(folder) => Ok(format!("{}/{name}", folder.trim_end_matches('/'))),
        Place::BesideSpecs if spec_file == "-" => {
            let message = "the fleets came from standard input: there is no place beside them";
            let fault = Diagnostic::error("no-place", message);
            Err(fault.hint("name a file or a folder with --identities"))
        }
        Place::BesideSpecs => Ok(match spec_file.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/{name}"),
            None => name,
        }),
    }
}

fn has_ending(path: &str, ending: &str) -> bool {
    let extension = Path::new(path).extension();
    extension.is_some_and(|is| is.eq_ignore_ascii_case(ending))
}
