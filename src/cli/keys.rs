//! The commands `keys init`, `import`, `list`, `rotate` and `verify`: what they read, and in which
//! order what they come to is put out, so that no key is lost and none is left half written.

mod emit;
mod gather;

use crate::diagnostic::{Diagnostic, Severity};
use crate::disk;
use crate::keys::{self, Form, Home, Newness, Place, Seed, Survey};

use super::args::keys::{
    ImportArgs, InitArgs, KeysArgs, KeysCommand, ListArgs, ListFormat, RotateArgs, SecretArgs,
    VerifyArgs,
};
use super::terminal::{self, Terminal};
use super::{Exit, Failure};

use emit::Destination;

/// Runs a command about keys.
pub(super) fn run(args: KeysArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    match args.command {
        KeysCommand::Init(args) => init(args, terminal),
        KeysCommand::Import(args) => import(args, terminal),
        KeysCommand::List(args) => list(args, terminal),
        KeysCommand::Rotate(args) => rotate(args, terminal),
        KeysCommand::Verify(args) => verify(args, terminal),
    }
}

const NOTHING_MADE: &str = "no key was made, and nothing was written";

fn init(args: InitArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let InitArgs {
        writing: args,
        new_identities,
    } = args;
    let (form, destination) = destination(&args.secret)?;
    let place = place(args.identities);
    let mut read = gather::read(&args.specs, args.sources, Some(&place), NOTHING_MADE)?;
    if new_identities {
        read.survey.newness = Newness::Told;
    }
    let place = gather::settled(&place, &read.request);
    let written = keys::init(&read.survey, &read.request, (form, &place), &mut seed);
    let written = written.map_err(|faults| failed(faults, NOTHING_MADE))?;
    emit::all(&written, form, &destination, terminal)
}

fn import(args: ImportArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    const CONSEQUENCE: &str = "nothing was taken over";
    let ImportArgs {
        writing,
        home,
        instance,
    } = args;
    if home.len() != instance.len() {
        let message = "each --home needs the --instance that it belongs to";
        let hint = "write them in turn: --home A --instance hub-0 --home B --instance hub-1";
        let fault = Diagnostic::error("usage", message).hint(hint);
        return Err(failed(vec![fault], CONSEQUENCE));
    }
    let (form, destination) = destination(&writing.secret)?;
    let place = place(writing.identities);
    let read = gather::read(&writing.specs, writing.sources, Some(&place), CONSEQUENCE)?;
    let files = gather::homes(&home, CONSEQUENCE)?;
    let homes: Vec<Home<'_>> = instance
        .into_iter()
        .zip(files.all())
        .map(|(instance, source)| Home { instance, source })
        .collect();
    let place = gather::settled(&place, &read.request);
    let written = keys::import(&read.survey, &read.request, (form, &place), &homes);
    let written = written.map_err(|faults| failed(faults, CONSEQUENCE))?;
    emit::all(&written, form, &destination, terminal)
}

fn rotate(args: RotateArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    const CONSEQUENCE: &str = "nothing was rotated";
    let RotateArgs {
        instances,
        specs,
        sources,
        secret,
    } = args;
    let (form, destination) = destination(&secret)?;
    let place = Place::BesideSpecs;
    let read = gather::read(&specs, sources, Some(&place), CONSEQUENCE)?;
    let written = keys::rotate(&read.survey, &read.request, &instances, (form, &mut seed));
    let written = written.map_err(|faults| failed(faults, CONSEQUENCE))?;
    emit::all(&written, form, &destination, terminal)
}

fn list(args: ListArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    const CONSEQUENCE: &str = "nothing was listed";
    let survey = gather::read(&args.specs, args.sources, None, CONSEQUENCE)?.survey;
    let text = match args.output {
        ListFormat::Text => keys::text(&survey),
        ListFormat::Json => keys::json(&survey).map_err(|error| {
            let message = format!("the list has no form in JSON: {error}");
            failed(vec![Diagnostic::error("internal", message)], CONSEQUENCE)
        })?,
    };
    terminal::result(&text)?;
    let wrong = keys::verify(&survey);
    let count = wrong
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .count();
    if count > 0 {
        let many = if count == 1 { "thing is" } else { "things are" };
        terminal.note(&format!(
            "note: {count} {many} wrong with these: `keys verify` tells"
        ));
    }
    Ok(Exit::Done)
}

fn verify(args: VerifyArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let survey = gather::read(&args.specs, args.sources, None, "nothing was compared")?.survey;
    let faults = keys::verify(&survey);
    for fleet in survey.fleets.iter().filter(|fleet| !fleet.knows_secret) {
        terminal.note(&format!(
            "note: the Secret of {} was not given: which keys it holds was not compared",
            fleet.key
        ));
    }
    if faults.iter().any(|fault| fault.severity == Severity::Error) {
        return Err(failed(faults, "these identities are not in order"));
    }
    terminal.diagnostics(&faults);
    terminal.note(&sum(&survey));
    Ok(Exit::Done)
}

fn sum(survey: &Survey) -> String {
    let instances = survey.fleets.iter().flat_map(|fleet| &fleet.instances);
    let asked = instances.filter(|instance| instance.is_asked);
    let count = asked.clone().count();
    let known = asked.filter(|instance| !instance.ids().is_empty()).count();
    format!("{known} of {count} instances have an identity; nothing is wrong with those")
}

/// Makes a seed of the system's randomness.
fn seed() -> Result<Seed, String> {
    Seed::new(getrandom::fill).map_err(|error| error.to_string())
}

fn failed(diagnostics: Vec<Diagnostic>, consequence: &'static str) -> Failure {
    Failure {
        diagnostics,
        consequence,
    }
}

fn place(identities: Option<String>) -> Place {
    match identities {
        None => Place::BesideSpecs,
        Some(path) if path.ends_with('/') || disk::find(&path) == disk::Found::Folder => {
            Place::Folder(path)
        }
        Some(path) => Place::File(path),
    }
}

/// Looks where the keys are to go, before any is made.
fn destination(args: &SecretArgs) -> Result<(Form, Destination), Failure> {
    let SecretArgs {
        out,
        allow_in_git,
        patch,
    } = args;
    let form = if *patch { Form::Patch } else { Form::Manifest };
    let destination = emit::destination(out.as_deref(), *allow_in_git);
    let destination = destination.map_err(|faults| failed(faults, NOTHING_MADE))?;
    Ok((form, destination))
}
