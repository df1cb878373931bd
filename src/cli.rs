//! The command line: what was typed (`args`), what it means (`resolve`), one file for each
//! command, and the exit code. Results go to standard output, all else to standard error; where
//! anything is wrong, standard output stays empty.

mod apply;
mod args;
mod clock;
mod cmp;
mod crd;
mod diff;
mod driver;
mod findings;
mod input;
mod keys;
mod lint;
mod live;
mod plan;
mod policy;
mod render;
mod resolve;
mod roll;
mod run;
mod schema;
mod settings;
mod sidecar;
mod simulate;
mod snapshot;
mod terminal;
mod why;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};
use terminal::Terminal;

/// How a run ended, as scripts see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// Done.
    Done,
    /// Bad input, bad usage, or the system refused something.
    Failed,
    /// Done, and something is to change (only where asked with `--detailed-exitcode`).
    Changed,
    /// Done, and something is denied or blocked.
    Held,
    /// Nothing was put out, since something is blocked.
    Refused,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => ExitCode::SUCCESS,
            Exit::Failed => ExitCode::from(1),
            Exit::Changed => ExitCode::from(2),
            Exit::Held | Exit::Refused => ExitCode::from(3),
        }
    }
}

/// Runs the program with the arguments that it was started with.
#[must_use]
pub fn run() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => dispatch(cli).into(),
        Err(error) => usage(&error).into(),
    }
}

fn dispatch(cli: Cli) -> Exit {
    let Cli { global, command } = cli;
    let terminal = Terminal::new(&global);
    let result = match command {
        Command::Plan(args) => resolve::plan(args).and_then(|run| plan::run(&run, &terminal)),
        Command::Diff(args) => resolve::diff(args).and_then(|run| diff::run(&run, &terminal)),
        Command::Render(args) => resolve::render(args).and_then(|run| render::run(&run, &terminal)),
        Command::Simulate(args) => {
            resolve::simulate(args).and_then(|run| simulate::run(&run, &terminal))
        }
        Command::Why(args) => resolve::why(args).and_then(|run| why::run(&run, &terminal)),
        Command::Apply(args) => apply::run(&args, &terminal),
        Command::Run(args) => run::run(&args, &terminal),
        Command::Sidecar(command) => sidecar::run(&command, &terminal),
        Command::Snapshot(args) => snapshot::run(&args, &terminal),
        Command::Keys(args) => keys::run(args, &terminal),
        Command::Lint(args) => resolve::lint(args).and_then(|run| lint::run(&run, &terminal)),
        Command::Cmp(args) => cmp::run(&args, &terminal),
        Command::Driver(args) => driver::run(&args),
        Command::Roll(args) => roll::run(&args, &terminal),
        Command::Crd(args) => crd::run(&args),
        Command::Schema(args) => schema::run(&args),
    };
    match result {
        Ok(exit) => exit,
        Err(failure) => {
            terminal.failure(&failure);
            Exit::Failed
        }
    }
}

/// Prints help, the version, or what is wrong with the arguments. Wrong usage is an error like any
/// other: code 2 means something else here than clap's habit.
fn usage(error: &clap::Error) -> Exit {
    // Where nobody reads on, there is nobody to tell.
    let _ = error.print();
    if error.use_stderr() {
        Exit::Failed
    } else {
        Exit::Done
    }
}

/// Why a command came to nothing.
#[derive(Debug, Default)]
struct Failure {
    /// What is wrong with the inputs or with what was to be written.
    diagnostics: Vec<crate::diagnostic::Diagnostic>,
    /// What therefore did not happen, such as `nothing was planned`.
    consequence: &'static str,
}
