//! The arguments of `apply`.

use clap::{Args, ValueEnum};

use super::DenyImpact;
use super::snapshot::DoorArgs;
use crate::model::duration::Duration;

const EXAMPLES: &str = "\
Examples:
  Take the next step, after a look at the plan:
    cosmos-render apply fleets/

  Roll everything out, as long as no data is lost:
    cosmos-render apply fleets/ --until done --yes --deny data-loss

Exit codes:
  0  done
  1  bad input or usage, something could not be done or did not come in time, or it was stopped
  3  something is denied (then nothing was done), or blocked (the rest was done)";

/// Plans against the cluster itself, shows the plan, asks, and does its next wave, or one wave after
/// the other until nothing is left. Each waits for its gate. What is stopped in the middle goes on with
/// the next `apply`: each plan starts from what is there.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct ApplyArgs {
    /// CosmosFullNode and NodeIdentities documents: files, folders, or `-` for standard input
    #[arg(value_name = "SPECS", required = true, help_heading = None::<&str>)]
    pub(in crate::cli) specs: Vec<String>,
    /// The namespace of documents that name none [default: default]
    #[arg(short, long, value_name = "NAMESPACE")]
    pub(in crate::cli) namespace: Option<String>,
    /// The settings, where they do not lie above the documents as `cosmos-render.toml`
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) config: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) door: DoorArgs,
    /// How far to go
    #[arg(
        long,
        value_name = "END",
        default_value = "wave",
        help_heading = "Rollout"
    )]
    pub(in crate::cli) until: Until,
    /// Do not ask
    #[arg(short, long, help_heading = "Rollout")]
    pub(in crate::cli) yes: bool,
    /// Give up on a gate after this time
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = Duration::parse, help_heading = "Rollout")]
    pub(in crate::cli) timeout: Duration,
    /// Roll out now what otherwise waits for the next restart
    #[arg(long, help_heading = "Rollout")]
    pub(in crate::cli) refresh: bool,
    /// Take the fleets over from an operator that ran them
    #[arg(long, help_heading = "Rollout")]
    pub(in crate::cli) adopt: bool,
    /// Do nothing where any step has this impact; may be given several times
    #[arg(
        long,
        value_name = "IMPACT",
        value_delimiter = ',',
        help_heading = "Checks"
    )]
    pub(in crate::cli) deny: Vec<DenyImpact>,
    /// Do nothing where more pods would restart
    #[arg(long, value_name = "N", help_heading = "Checks")]
    pub(in crate::cli) max_restarts: Option<usize>,
}

/// How far an `apply` goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Until {
    /// Until the gate of the next wave is met
    Wave,
    /// Until nothing is left to do
    Done,
}
