//! The command `render`: writes the manifests.

use std::borrow::Cow;
use std::io;

use serde_json::Value;

use crate::diagnostic::Diagnostic;
use crate::disk;
use crate::disk::write::{self, Options, Written};
use crate::model::Notice;
use crate::pipeline::{self, FleetManifests, Outcome};
use crate::render::Tree;
use crate::render::gitops::{self, Applier, argocd, flux, guards};
use crate::render::manifests::{self, Fleet, Format};
use crate::render::saved::{self, Saved};
use crate::settings::Settings;

use super::args::{ObjectFormat, Target};
use super::resolve::RenderRun;
use super::terminal::{self, Terminal};
use super::{Exit, Failure, input, policy};

const CONSEQUENCE: &str = "nothing was rendered";

/// Renders, and prints or writes what came of it.
pub(super) fn run(run: &RenderRun, terminal: &Terminal) -> Result<Exit, Failure> {
    let RenderRun {
        inputs,
        target,
        format,
        out,
        allow_empty,
        plan,
        config,
        roll_image,
        flux_path,
    } = run;
    let saved = plan.as_deref().map(read_plan).transpose()?;
    let mut settings = settings(&inputs.specs, config.as_deref(), terminal)?;
    if roll_image.is_some() {
        settings.roll.image.clone_from(roll_image);
    }
    let mut inputs = inputs.clone();
    // what takes fleets over is decided when it is planned
    inputs.options.adopt = saved.as_ref().is_some_and(Saved::is_adoption);
    let outcome = input::run(&inputs, terminal, CONSEQUENCE)?.outcome;
    let faults = saved.map(|saved| saved.faults(&outcome.plan));
    refuse(faults.unwrap_or_default())?;
    if !outcome.refused.is_empty() {
        terminal.failure(&Failure {
            diagnostics: outcome.refused,
            consequence: CONSEQUENCE,
        });
        return Ok(Exit::Refused);
    }
    let options = Options {
        allow_empty: *allow_empty,
    };
    match (target, out) {
        (Target::Flux, Some(dir)) => {
            let path = source_path(dir, flux_path.as_deref(), &settings).map_err(refused)?;
            let tree = flux::tree(&delivered(&outcome), &settings, &path);
            into_folder(dir, &tree, options, terminal)?;
        }
        (_, Some(dir)) => {
            let made = made(&outcome, *target, &settings).map_err(refused)?;
            let tree = manifests::tree(&fleets(&made), file_format(*format));
            into_folder(dir, &tree, options, terminal)?;
        }
        (_, None) => {
            let made = made(&outcome, *target, &settings).map_err(refused)?;
            terminal::result(&stream(&fleets(&made), *format))?;
        }
    }
    warn_of_guards(&outcome, inputs.options.applier, &settings, terminal);
    Ok(remark(&outcome, terminal))
}

fn warn_of_guards(
    outcome: &Outcome,
    applier: Option<Applier>,
    settings: &Settings,
    terminal: &Terminal,
) {
    let Some(applier) = applier else {
        return;
    };
    for fleet in delivered(outcome) {
        let name = format!("{}/{}", fleet.namespace, fleet.name);
        for warning in guards::warnings(&fleet, applier, settings) {
            terminal.note(&format!("warning: {}", line(&name, &warning)));
        }
    }
}

/// Reads a saved plan.
fn read_plan(file: &str) -> Result<Saved, Failure> {
    let read = disk::read(
        &[file.to_owned()],
        &[],
        &mut io::empty(),
        &disk::Limits::default(),
    );
    refuse(read.diagnostics)?;
    match read.value.as_slice() {
        [source] if source.name == file => saved::read(source).map_err(refused),
        _ => {
            let fault = Diagnostic::error("plan-not-readable", "--plan names no file");
            let hint = "save the plan with `plan --out FILE`";
            Err(refused(fault.at(file, "").hint(hint)))
        }
    }
}

fn refused(fault: Diagnostic) -> Failure {
    Failure {
        diagnostics: vec![fault],
        consequence: CONSEQUENCE,
    }
}

fn refuse(diagnostics: Vec<Diagnostic>) -> Result<(), Failure> {
    if diagnostics.is_empty() {
        return Ok(());
    }
    Err(Failure {
        diagnostics,
        consequence: CONSEQUENCE,
    })
}

/// Reads the settings.
fn settings(
    specs: &[String],
    config: Option<&str>,
    terminal: &Terminal,
) -> Result<Settings, Failure> {
    let found = disk::settings(specs, config);
    if found.has_errors() {
        refuse(found.diagnostics)?;
    }
    let read = pipeline::settings(found.value.as_ref());
    if read.has_errors() {
        refuse(read.diagnostics)?;
        return Ok(read.value);
    }
    terminal.diagnostics(&read.diagnostics);
    Ok(read.value)
}

/// A fleet's objects as its applier gets them.
struct Made<'a> {
    of: &'a FleetManifests,
    objects: Cow<'a, [Value]>,
}

impl Made<'_> {
    fn fleet(&self) -> Fleet<'_> {
        Fleet {
            namespace: &self.of.fleet.namespace,
            name: &self.of.fleet.name,
            objects: &self.objects,
        }
    }
}

fn made<'o>(
    outcome: &'o Outcome,
    target: Target,
    settings: &Settings,
) -> Result<Vec<Made<'o>>, Diagnostic> {
    let fleets = outcome.manifests.iter().map(|of| {
        let objects = match (target, deliver(outcome, of)) {
            (Target::ArgoCd, Some(fleet)) => Cow::Owned(argocd::objects(&fleet, settings)?),
            (Target::Manifests | Target::ArgoCd | Target::Flux, _) => {
                Cow::Borrowed(of.objects.as_slice())
            }
        };
        Ok(Made { of, objects })
    });
    fleets.collect()
}

fn fleets<'m>(made: &'m [Made<'_>]) -> Vec<Fleet<'m>> {
    made.iter().map(Made::fleet).collect()
}

fn delivered(outcome: &Outcome) -> Vec<gitops::Fleet<'_>> {
    let fleets = outcome.manifests.iter();
    fleets.filter_map(|of| deliver(outcome, of)).collect()
}

/// Returns a fleet with all that an applier must be told of it.
fn deliver<'o>(outcome: &'o Outcome, of: &'o FleetManifests) -> Option<gitops::Fleet<'o>> {
    let delivery = of.delivery.as_ref()?;
    let (namespace, name) = (of.fleet.namespace.as_str(), of.fleet.name.as_str());
    let mut plans = outcome.plan.fleets.iter().filter(|_| delivery.is_described);
    Some(gitops::Fleet {
        namespace,
        name,
        objects: &of.objects,
        plan: plans.find(|plan| plan.namespace == namespace && plan.name == name),
        delivery,
    })
}

/// Returns where Flux's source has what is written to a folder: the folder itself, where that tells.
fn source_path(dir: &str, named: Option<&str>, settings: &Settings) -> Result<String, Diagnostic> {
    if let Some(path) = named.or(settings.flux.path.as_deref()) {
        return Ok(path.to_owned());
    }
    let is_below = !dir.starts_with('/') && dir.split('/').all(|part| part != "..");
    if is_below {
        return Ok(dir.to_owned());
    }
    let message = format!("nothing tells where Flux's source has the files that go to {dir}");
    let hint = "name the path from the source's root: `--flux-path PATH`, or `path = \"PATH\"` \
                below `[flux]` in cosmos-render.toml";
    Err(Diagnostic::error("no-source-path", message).hint(hint))
}

fn stream(fleets: &[Fleet<'_>], format: ObjectFormat) -> String {
    match format {
        ObjectFormat::Yaml => manifests::stream(fleets),
        ObjectFormat::Json => manifests::list(fleets),
    }
}

fn file_format(format: ObjectFormat) -> Format {
    match format {
        ObjectFormat::Yaml => Format::Yaml,
        ObjectFormat::Json => Format::Json,
    }
}

fn into_folder(
    dir: &str,
    tree: &Tree,
    options: Options,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let written = write::tree(dir, tree, options).map_err(|diagnostics| {
        let is_halfway = diagnostics.iter().any(|d| d.code == write::NOT_WRITTEN);
        Failure {
            diagnostics,
            consequence: if is_halfway {
                "not everything was written"
            } else {
                "nothing was written"
            },
        }
    })?;
    terminal.note(&sum(dir, &written));
    Ok(())
}

fn sum(dir: &str, written: &Written) -> String {
    let Written {
        changed,
        unchanged,
        removed,
    } = written;
    format!(
        "{dir}: {} written, {unchanged} unchanged, {} removed",
        changed.len(),
        removed.len()
    )
}

/// Says what the plan's reader would be told, since nobody may have read the plan.
fn remark(outcome: &Outcome, terminal: &Terminal) -> Exit {
    for Notice { message, .. } in &outcome.plan.warnings {
        terminal.note(&format!("warning: {}", crate::render::visible(message)));
    }
    for fleet in &outcome.plan.fleets {
        let name = format!("{}/{}", fleet.namespace, fleet.name);
        for warning in &fleet.warnings {
            terminal.note(&format!("warning: {}", line(&name, warning)));
        }
        for blocked in &fleet.blocked {
            terminal::line(&format!("blocked: {}", line(&name, blocked)));
        }
    }
    match policy::blocked(&outcome.plan) {
        Some(_) => Exit::Held,
        None => Exit::Done,
    }
}

fn line(fleet: &str, notice: &Notice) -> String {
    let Notice {
        code: _,
        message,
        object,
        allow,
        detail,
    } = notice;
    let about = match object {
        Some(object) => format!("{fleet} {object}"),
        None => fleet.to_owned(),
    };
    let allow = match allow {
        Some(allow) => format!(" (to allow it: {allow})"),
        None => String::new(),
    };
    let detail = match detail {
        Some(detail) => format!("; {detail}"),
        None => String::new(),
    };
    crate::render::visible(&format!("{about}: {message}{detail}{allow}"))
}
