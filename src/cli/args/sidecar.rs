//! The arguments of `sidecar`. Those of the reference's commands that it stands in for are taken too.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

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
    /// Where the pages are; without a host on all addresses
    #[arg(
        long,
        visible_alias = "addr",
        value_name = "ADDRESS",
        default_value = ":1251",
        value_parser = addresses
    )]
    pub(in crate::cli) listen: Addresses,
    /// How long the node has to answer
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = Duration::parse)]
    pub(in crate::cli) timeout: Duration,
    /// Taken for the reference's sake, without effect
    #[arg(long, value_name = "FORMAT", hide = true)]
    pub(in crate::cli) log_format: Option<String>,
}

/// Where to listen: the first that can be had.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Addresses(
    #[cfg_attr(
        not(feature = "runner"),
        expect(dead_code, reason = "what reads it listens")
    )]
    pub(in crate::cli) Vec<SocketAddr>,
);

/// Reads `127.0.0.1:1251`, or `:1251` for all addresses.
fn addresses(text: &str) -> Result<Addresses, String> {
    let wrong = || "expected an address such as 127.0.0.1:1251, or :1251".to_owned();
    if let Some(port) = text.strip_prefix(':') {
        let port: u16 = port.parse().map_err(|_| wrong())?;
        // one of the sixth version takes those of the fourth too, where there is any
        let all = [
            SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)),
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
        ];
        return Ok(Addresses(all.to_vec()));
    }
    let address = text.parse().map_err(|_| wrong())?;
    Ok(Addresses(vec![address]))
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
