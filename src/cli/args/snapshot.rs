//! The arguments of `snapshot`.

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  What a schedule captures and commits:
    kubectl get pods,pvc,pv,sc,cm,svc,sa,role,rolebinding,cosmosfullnodes -A -o json |
      cosmos-render snapshot --captured-now - > snapshot.json

  One that was captured before, for somebody else to plan with:
    cosmos-render snapshot live.json --out snapshot.json

Exit codes:
  0  printed, or written
  1  bad input or usage; nothing was printed";

/// Prints what kubectl printed, as one List, without what must not lie in Git. Where a private key
/// was stands the public ID that follows from it, so that a plan is the same. Of ConfigMaps, pods and
/// rights that are no fleet's only that they are there stays; Secrets without node keys, managedFields
/// and copies of what was applied go.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct SnapshotArgs {
    /// What `kubectl get ... -o json|yaml` printed: files, folders, or `-` for standard input
    #[arg(value_name = "PATH", required = true, help_heading = None::<&str>)]
    pub(in crate::cli) paths: Vec<String>,
    /// Note that it was captured just now, so that `--max-age` can tell
    #[arg(long, help_heading = "Output")]
    pub(in crate::cli) captured_now: bool,
    /// Write it into this file instead of printing it
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(in crate::cli) out: Option<String>,
}
