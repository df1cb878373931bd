//! The arguments of `cmp`.

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  What the sidecar of Argo CD's repo-server needs beside this program:
    cosmos-render cmp plugin > plugin.yaml

  What would the plugin make of a folder?
    cd fleets/ && COSMOS_RENDER_SNAPSHOT=../live.json cosmos-render cmp generate

Exit codes:
  0  done; all that there is was printed
  1  bad input or parameters; nothing was printed
  3  Argo CD must not have it yet: something is blocked; nothing was printed";

/// What Argo CD's repo-server calls, in the folder of an Application. Parameters come as
/// `COSMOS_RENDER_NAME`, as `ARGOCD_ENV_COSMOS_RENDER_NAME`, or from the Application's
/// `spec.source.plugin.parameters`, each before the one named first. What is printed depends on the
/// checkout and on them alone.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct CmpArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: CmpCommand,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(in crate::cli) enum CmpCommand {
    /// Print the manifests of the folder, as `render --target argocd` does
    Generate,
    /// Print the parameters that there are, as Argo CD reads them
    Parameters,
    /// Name the documents in the folder; print nothing where there is none
    Discover,
    /// Print the plugin's configuration
    Plugin,
}
