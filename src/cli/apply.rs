//! The command `apply`: plans against the cluster, and does what is planned, wave by wave.

use super::args::ApplyArgs;
use super::terminal::Terminal;
use super::{Exit, Failure};

const CONSEQUENCE: &str = "nothing was done";

#[cfg(feature = "runner")]
mod session;

/// Plans, asks, and applies.
#[cfg(feature = "runner")]
pub(super) fn run(args: &ApplyArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    use std::io;

    use crate::disk;

    let limits = disk::Limits::default();
    let read = disk::read(&args.specs, &[], &mut io::stdin().lock(), &limits);
    if read.has_errors() {
        return Err(Failure {
            diagnostics: read.diagnostics,
            consequence: CONSEQUENCE,
        });
    }
    terminal.counted(&read.diagnostics);
    let told = (terminal, CONSEQUENCE);
    let settings = super::settings::sound(&args.specs, args.config.as_deref(), told)?;
    let runtime = super::live::runtime().map_err(|why| Failure {
        diagnostics: vec![super::live::fault(&why)],
        consequence: CONSEQUENCE,
    })?;
    runtime.block_on(session::run(args, (read.value, settings), terminal))
}

/// Says how to get a program that can.
#[cfg(not(feature = "runner"))]
pub(super) fn run(_: &ApplyArgs, _: &Terminal) -> Result<Exit, Failure> {
    Err(super::live::cannot(CONSEQUENCE))
}
