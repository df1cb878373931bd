//! The command `render`: writes the manifests.

mod made;

use std::io;

use crate::diagnostic::Diagnostic;
use crate::disk;
use crate::disk::write::{self, Options, Written};
use crate::model::Notice;
use crate::pipeline::Outcome;
use crate::plan::Gate;
use crate::render::Tree;
use crate::render::manifests::{self, Format};
use crate::render::saved::{self, Saved};
use crate::settings::Settings;

use super::args::{ObjectFormat, Target};
use super::resolve::RenderRun;
use super::terminal::{self, Terminal};
use super::{Exit, Failure, input, policy, settings};
use made::{Form, Order, Text};

const CONSEQUENCE: &str = "nothing was rendered";

/// Renders, and prints or writes what came of it.
pub(super) fn run(run: &RenderRun, terminal: &Terminal) -> Result<Exit, Failure> {
    let RenderRun {
        inputs,
        plan,
        config,
        roll_image,
        ..
    } = run;
    let saved = plan.as_deref().map(read_plan).transpose()?;
    let told = (terminal, CONSEQUENCE);
    let mut settings = settings::sound(&inputs.specs, config.as_deref(), told)?;
    if roll_image.is_some() {
        settings.roll.image.clone_from(roll_image);
    }
    let mut inputs = inputs.settled(&settings);
    // what takes fleets over is decided when it is planned
    inputs.options.adopt = saved.as_ref().is_some_and(Saved::is_adoption);
    let order = Order {
        applier: inputs.options.handover.applier,
        form: form(run, &settings).map_err(refused)?,
        settings: &settings,
    };
    let told = (terminal, CONSEQUENCE);
    let planned = input::run_each(&inputs, told, |of, plan| made::of(of, plan, &order))?;
    let outcome = planned.outcome;
    let faults = saved.map(|saved| saved.faults(&outcome.plan));
    refuse(faults.unwrap_or_default())?;
    if !outcome.refused.is_empty() {
        terminal.failure(&Failure {
            diagnostics: outcome.refused,
            consequence: CONSEQUENCE,
        });
        return Ok(Exit::Refused);
    }
    let (mut texts, mut warnings) = (Vec::new(), Vec::new());
    for (of, made) in outcome.manifests.iter().zip(planned.made) {
        texts.push(made.result.map_err(refused)?);
        let of = of.fleet.to_string();
        warnings.extend(made.warnings.iter().map(|warning| line(&of, warning)));
    }
    let exit = hand_over(texts, run, &outcome, terminal)?;
    tell_stages(&outcome, terminal);
    for warning in warnings {
        terminal.note(&format!("warning: {warning}"));
    }
    let remarked = remark(&outcome, terminal);
    forget(outcome);
    Ok(if exit == Exit::Done { remarked } else { exit })
}

/// Prints what was rendered, writes it to a folder, or compares it with what is there.
fn hand_over(
    texts: Vec<Text>,
    run: &RenderRun,
    outcome: &Outcome,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let Some(dir) = &run.out else {
        terminal::result(&printed(texts))?;
        return Ok(Exit::Done);
    };
    let tree = files(texts);
    if run.is_check {
        return check(dir, &tree, outcome, terminal);
    }
    let options = Options {
        allow_empty: run.allow_empty,
    };
    into_folder(dir, &tree, options, terminal)?;
    Ok(Exit::Done)
}

/// Leaves to the system what is not needed any more: the program ends soon, and to take millions of
/// values apart first would take seconds.
fn forget<T>(done: T) {
    std::mem::forget(done);
}

/// Returns the form that each fleet is wanted in.
fn form(run: &RenderRun, settings: &Settings) -> Result<Form, Diagnostic> {
    Ok(match (&run.out, run.target, run.format) {
        (Some(dir), Target::Flux, _) => {
            Form::Flux(source_path(dir, run.flux_path.as_deref(), settings)?)
        }
        (Some(_), Target::Manifests | Target::ArgoCd, format) => Form::Files(file_format(format)),
        (None, _, ObjectFormat::Json) => Form::List,
        (None, _, format @ (ObjectFormat::Yaml | ObjectFormat::JsonLines)) => {
            Form::Stream(file_format(format))
        }
    })
}

/// Returns what all fleets are printed as.
fn printed(texts: Vec<Text>) -> String {
    let (mut stream, mut list) = (String::new(), None);
    for text in texts {
        match text {
            Text::Stream(text) => stream.push_str(&text),
            Text::List(objects) => list.get_or_insert_with(Vec::new).extend(objects),
            Text::Files(_) => {}
        }
    }
    list.map_or(stream, manifests::list)
}

/// Returns the files of all fleets.
fn files(texts: Vec<Text>) -> Tree {
    let files = texts.into_iter().filter_map(|text| match text {
        Text::Files(files) => Some(files),
        Text::Stream(_) | Text::List(_) => None,
    });
    files.flatten().collect()
}

/// Tells whether a folder is what would be written, and whether anything is left to do.
fn check(dir: &str, tree: &Tree, outcome: &Outcome, terminal: &Terminal) -> Result<Exit, Failure> {
    let differing = write::differing(dir, tree).map_err(|diagnostics| Failure {
        diagnostics,
        consequence: "nothing was compared",
    })?;
    for path in &differing {
        terminal.note(&format!("would change: {dir}/{path}"));
    }
    let waves = outcome.plan.fleets.iter().flat_map(|fleet| &fleet.waves);
    let left = waves.filter(|wave| !wave.steps.is_empty()).count();
    if left > 0 {
        terminal.note(&format!("{left} waves are left"));
    }
    Ok(if left == 0 && differing.is_empty() {
        Exit::Done
    } else {
        Exit::Changed
    })
}

/// Says what the next step is, or what it waits for.
fn tell_stages(outcome: &Outcome, terminal: &Terminal) {
    for of in &outcome.manifests {
        let Some(stage) = &of.stage else {
            continue;
        };
        let told = match (&stage.title, stage.awaited.as_slice()) {
            (Some(title), _) => format!("{title} ({} waves are left)", stage.left),
            (None, []) => "nothing is left to do".to_owned(),
            (None, awaited) => {
                let awaited: Vec<String> = awaited.iter().map(Gate::to_string).collect();
                format!("waits until {}", awaited.join(", "))
            }
        };
        terminal.note(&crate::render::visible(&format!("{}: {told}", of.fleet)));
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

fn file_format(format: ObjectFormat) -> Format {
    match format {
        ObjectFormat::Yaml => Format::Yaml,
        ObjectFormat::Json | ObjectFormat::JsonLines => Format::Json,
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
