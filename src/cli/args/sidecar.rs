//! The arguments of `sidecar`. Those of the reference's commands that it stands in for are taken too.

use std::net::SocketAddr;

use clap::{Args, Subcommand};

use crate::model::duration::Duration;

const HEALTH: &str = "\
Pages:
  GET /               200 in sync, 422 behind, 503 where the node does not answer
  GET /disk?dir=PATH  how full the file system of a folder is, in bytes";

const VERSION: &str = "\
Environment:
  HOSTNAME  the pod
  DATA_DIR  the folder of the node's data, with the note of an upgrade that it halted for

Exit codes:
  0  the version is right, or nobody can tell
  1  the version is wrong, or it cannot be found out";

/// What stands beside a node.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SidecarCommand {
    /// Say as a page whether the node is in sync, and how full its disk is
    #[command(after_help = HEALTH)]
    Healthcheck(HealthcheckArgs),
    /// Check that the pod runs the version that its height asks for
    #[command(after_help = VERSION)]
    VersionCheck(VersionCheckArgs),
}

/// Says as a page whether the node is in sync, and how full its disk is.
#[derive(Debug, Args)]
pub(in crate::cli) struct HealthcheckArgs {
    /// Where the node answers
    #[arg(long, value_name = "URL", default_value = "http://localhost:26657")]
    pub(in crate::cli) rpc_host: String,
    /// Where the pages are
    #[arg(
        long,
        visible_alias = "addr",
        value_name = "ADDRESS",
        default_value = "0.0.0.0:1251"
    )]
    pub(in crate::cli) listen: SocketAddr,
    /// How long the node has to answer
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = Duration::parse)]
    pub(in crate::cli) timeout: Duration,
}

/// Checks that the pod runs the version that its height asks for.
#[derive(Debug, Args)]
pub(in crate::cli) struct VersionCheckArgs {
    /// Where the node answers, once it runs
    #[arg(long, value_name = "URL", default_value = "http://localhost:26657")]
    pub(in crate::cli) rpc_host: String,
    /// Go on checking, every half a minute
    #[arg(short, long)]
    pub(in crate::cli) daemon: bool,
    /// Passed over: no database is opened
    #[arg(short, long, value_name = "NAME")]
    pub(in crate::cli) backend: Option<String>,
    /// Pass where it cannot be found out
    #[arg(short = 'c', long = "continue")]
    pub(in crate::cli) goes_on: bool,
}
