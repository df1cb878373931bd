//! The arguments of `driver`.

use clap::{Args, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  A schedule at GitHub that takes step after step, and follows the heights of `chain.versions`:
    cosmos-render driver github > .github/workflows/next.yml
    cosmos-render driver access | kubectl apply -f -

  The same from anywhere else, in a clone of the repository:
    cosmos-render driver script > next.sh
    sh next.sh -s fleets -o rendered -t argocd

Declare it in cosmos-render.toml, for `lint`:
  [heights]
  driver = \"scheduled\"

Exit codes:
  0  printed
  1  bad usage";

/// Prints what brings a cluster from one step of its plan to the next by commits: captures a snapshot
/// without secrets, renders the next step from it, commits, waits, and looks again.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct DriverArgs {
    /// What is printed
    #[arg(value_name = "WHAT", help_heading = None::<&str>)]
    pub(in crate::cli) part: DriverPart,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DriverPart {
    /// A shell script, for any scheduler
    Script,
    /// A workflow for GitHub Actions that runs the script
    Github,
    /// What the driver's account may read in the cluster
    Access,
}
