//! The arguments of `run`.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};

use super::snapshot::DoorArgs;
use crate::model::duration::Duration;
use crate::model::image::Image;

const EXAMPLES: &str = "\
Examples:
  See what would be done, from anywhere:
    cosmos-render run --dry-run

  Inside a cluster, for documents in two namespaces:
    cosmos-render run -n cosmos -n testnets --listen 0.0.0.0:8080

  For documents that a Git checkout beside it holds:
    cosmos-render run --specs /git/fleets

Exit codes:
  0  stopped by a signal
  1  bad usage, or it could not begin";

/// Watches fleets, plans, and does the next wave of each as soon as the last one's gate is met. Nodes
/// are asked whether they are in sync. One replica acts; where an operator, another runner or an applier
/// acts on a fleet, it stands back. Stops on SIGTERM once what it began is done.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct RunArgs {
    /// Where the documents are: `cluster`, or files and folders
    #[arg(
        long,
        value_name = "SPECS",
        default_value = "cluster",
        help_heading = "Fleets"
    )]
    pub(in crate::cli) specs: Vec<String>,
    /// Look after these namespaces alone
    #[arg(short, long, value_name = "NAMESPACE", help_heading = "Fleets")]
    pub(in crate::cli) namespace: Vec<String>,
    /// Look after documents in the cluster with these labels alone: team=a,network!=test
    #[arg(long, value_name = "LABELS", help_heading = "Fleets")]
    pub(in crate::cli) selector: Option<String>,
    /// Plan, and do nothing
    #[arg(long, help_heading = "Rollout")]
    pub(in crate::cli) dry_run: bool,
    /// Roll out what otherwise waits for the next restart
    #[arg(long, help_heading = "Rollout")]
    pub(in crate::cli) refresh: bool,
    /// The image of this program for the checks beside nodes [default: what the settings above the
    /// documents' files say; else the reference's]
    #[arg(long, value_name = "IMAGE", value_parser = Image::parse, help_heading = "Fleets")]
    pub(in crate::cli) helper_image: Option<Image>,
    /// How often nodes that are in sync are asked how they are
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = Duration::parse, help_heading = "Rollout")]
    pub(in crate::cli) probe_interval: Duration,
    /// How many fleets are acted on at a time
    #[arg(long, value_name = "N", default_value_t = 8, help_heading = "Rollout")]
    pub(in crate::cli) at_once: usize,
    /// How often to see how full claims are, and which nodes lag, where documents ask for it
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = Duration::parse, help_heading = "Duties")]
    pub(in crate::cli) heal_interval: Duration,
    /// How long a claim that grew does not grow again: some clouds let a volume grow every six hours
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = Duration::parse, help_heading = "Duties")]
    pub(in crate::cli) grow_pause: Duration,
    /// How long a pod is away at most for a volume snapshot
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = Duration::parse, help_heading = "Duties")]
    pub(in crate::cli) snapshot_timeout: Duration,
    #[command(flatten)]
    pub(in crate::cli) door: DoorArgs,
    /// The namespace of the Lease that tells who acts [default: the pod's own; else `default`]
    #[arg(long, value_name = "NAMESPACE", help_heading = "Operation")]
    pub(in crate::cli) lease_namespace: Option<String>,
    /// The name of that Lease
    #[arg(
        long,
        value_name = "NAME",
        default_value = "cosmos-render",
        help_heading = "Operation"
    )]
    pub(in crate::cli) lease_name: String,
    /// Act without a Lease: never with more than one replica
    #[arg(long, conflicts_with_all = ["lease_namespace", "lease_name"], help_heading = "Operation")]
    pub(in crate::cli) no_lease: bool,
    /// Where /healthz, /readyz and /metrics are
    #[arg(long, value_name = "ADDRESS", help_heading = "Operation")]
    pub(in crate::cli) listen: Option<SocketAddr>,
    /// How lines are written to standard error
    #[arg(
        long,
        value_name = "FORM",
        default_value = "text",
        help_heading = "Operation"
    )]
    pub(in crate::cli) log: LogForm,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LogForm {
    /// For people
    Text,
    /// For programs, an object a line
    Json,
}
