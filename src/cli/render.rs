//! The command `render`: writes the manifests.

use crate::disk::write::{self, Options, Written};
use crate::model::Notice;
use crate::pipeline::{FleetManifests, Outcome};
use crate::render::manifests::{self, Fleet, Format};

use super::args::{ObjectFormat, Target};
use super::resolve::RenderRun;
use super::terminal::{self, Terminal};
use super::{Exit, Failure, input, policy};

/// Renders, and prints or writes what came of it.
pub(super) fn run(run: &RenderRun, terminal: &Terminal) -> Result<Exit, Failure> {
    let RenderRun {
        inputs,
        target,
        format,
        out,
        allow_empty,
    } = run;
    let outcome = input::run(inputs, terminal, "nothing was rendered")?.outcome;
    let fleets = match target {
        Target::Manifests => fleets(&outcome),
    };
    match out {
        None => terminal::result(&stream(&fleets, *format))?,
        Some(dir) => {
            let options = Options {
                allow_empty: *allow_empty,
            };
            let written = into_folder(dir, &fleets, (*format, options))?;
            terminal.note(&sum(dir, &written));
        }
    }
    Ok(remark(&outcome, terminal))
}

fn fleets(outcome: &Outcome) -> Vec<Fleet<'_>> {
    outcome.manifests.iter().map(fleet).collect()
}

fn fleet(of: &FleetManifests) -> Fleet<'_> {
    Fleet {
        namespace: &of.fleet.namespace,
        name: &of.fleet.name,
        objects: &of.objects,
    }
}

fn stream(fleets: &[Fleet<'_>], format: ObjectFormat) -> String {
    match format {
        ObjectFormat::Yaml => manifests::stream(fleets),
        ObjectFormat::Json => manifests::list(fleets),
    }
}

fn into_folder(
    dir: &str,
    fleets: &[Fleet<'_>],
    (format, options): (ObjectFormat, Options),
) -> Result<Written, Failure> {
    let format = match format {
        ObjectFormat::Yaml => Format::Yaml,
        ObjectFormat::Json => Format::Json,
    };
    let tree = manifests::tree(fleets, format);
    write::tree(dir, &tree, options).map_err(|diagnostics| {
        let is_halfway = diagnostics.iter().any(|d| d.code == write::NOT_WRITTEN);
        Failure {
            diagnostics,
            consequence: if is_halfway {
                "not everything was written"
            } else {
                "nothing was written"
            },
        }
    })
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
