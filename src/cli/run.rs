//! The command `run`: the loop inside a cluster.

use super::args::RunArgs;
use super::terminal::Terminal;
use super::{Exit, Failure};

const CONSEQUENCE: &str = "nothing is looked after";

#[cfg(feature = "runner")]
mod start;
#[cfg(feature = "runner")]
mod traces;

/// Runs until it is told to stop.
#[cfg(feature = "runner")]
pub(super) fn run(args: &RunArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    start::run(args, terminal)
}

/// Says how to get a program that can.
#[cfg(not(feature = "runner"))]
pub(super) fn run(_: &RunArgs, _: &Terminal) -> Result<Exit, Failure> {
    Err(super::live::cannot(CONSEQUENCE))
}
