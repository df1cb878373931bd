//! The command `cmp`: what Argo CD calls as a config-management plugin. All or nothing: an empty
//! output is just a warning to Argo CD, and a partial one prunes what is missing.

mod parameters;

#[cfg(test)]
mod deployed;
#[cfg(test)]
mod tests;

use std::env;
use std::io;

use clap::Parser as _;

use crate::diagnostic::Diagnostic;
use crate::disk;

use super::args::cmp::{CmpArgs, CmpCommand};
use super::args::{Cli, Command};
use super::terminal::{self, Terminal};
use super::{Exit, Failure, render, resolve};

const CONSEQUENCE: &str = "nothing was generated";

/// How Argo CD is told of the plugin.
const PLUGIN: &str = include_str!("../../templates/argocd/plugin.yaml");

/// Runs what Argo CD asks for.
pub(super) fn run(args: &CmpArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let text = match args.command {
        CmpCommand::Generate => {
            let given = env::vars_os().filter_map(|(name, value)| {
                Some((name.into_string().ok()?, value.into_string().ok()?))
            });
            return generate(&given.collect(), terminal);
        }
        CmpCommand::Parameters => parameters::announcement(),
        CmpCommand::Discover => discover(),
        CmpCommand::Plugin => PLUGIN.to_owned(),
    };
    terminal::result(&text)?;
    Ok(Exit::Done)
}

/// Renders with the parameters. What is blocked stays as it is in what is rendered: a sync of that
/// is safe, so it is no failure here, and whoever reviews the plan is told.
fn generate(given: &parameters::Given, terminal: &Terminal) -> Result<Exit, Failure> {
    let words = parameters::command_line(given).map_err(failed)?;
    let cli = Cli::try_parse_from(words).map_err(|error| {
        let message = error.to_string();
        let first = message.lines().next().unwrap_or_default();
        failed(vec![Diagnostic::error(
            "usage",
            first.trim_start_matches("error: "),
        )])
    })?;
    let Command::Render(args) = cli.command else {
        return Err(failed(Vec::new()));
    };
    let mut run = resolve::render(args)?;
    // a clock is no part of the checkout: the output would be another one tomorrow
    run.inputs.options.now = None;
    match render::run(&run, terminal)? {
        Exit::Held => Ok(Exit::Done),
        exit @ (Exit::Done | Exit::Failed | Exit::Changed | Exit::Refused) => Ok(exit),
    }
}

fn failed(diagnostics: Vec<Diagnostic>) -> Failure {
    Failure {
        diagnostics,
        consequence: CONSEQUENCE,
    }
}

/// Names the files of the folder that hold documents of ours. Faults are told when they are read to
/// be rendered.
fn discover() -> String {
    let here = [".".to_owned()];
    let read = disk::read(&here, &[], &mut io::empty(), &disk::Limits::default());
    let files = read.value.iter().filter(|source| {
        let text = String::from_utf8_lossy(&source.bytes);
        text.lines().any(is_kind)
    });
    let names = files.map(|source| format!("{}\n", source.name));
    names.collect()
}

/// Tells whether a line says that this is a document of ours, in YAML or in JSON over several lines.
fn is_kind(line: &str) -> bool {
    let bare: String = line
        .chars()
        .filter(|c| !"\"' ,-\t{}".contains(*c))
        .collect();
    bare == "kind:CosmosFullNode" || bare.starts_with("kind:CosmosFullNode#")
}
