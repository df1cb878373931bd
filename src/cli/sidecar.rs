//! The command `sidecar`: the checks that stand beside a node in its pod.

use super::args::SidecarCommand;
use super::terminal::Terminal;
use super::{Exit, Failure};

const CONSEQUENCE: &str = "nothing is checked";

#[cfg(feature = "runner")]
mod beside;

/// Runs a check.
#[cfg(feature = "runner")]
pub(super) fn run(command: &SidecarCommand, terminal: &Terminal) -> Result<Exit, Failure> {
    beside::run(command, terminal)
}

/// Says how to get a program that can.
#[cfg(not(feature = "runner"))]
pub(super) fn run(_: &SidecarCommand, _: &Terminal) -> Result<Exit, Failure> {
    Err(super::live::cannot(CONSEQUENCE))
}
