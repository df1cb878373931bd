//! The arguments of `snapshot`.

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  What the cluster of the kubeconfig holds, as a folder to plan with:
    cosmos-render snapshot --out live/
    cosmos-render plan fleets/ --snapshot live/

  What a schedule captures and commits:
    kubectl get pods,pvc,pv,sc,cm,svc,sa,role,rolebinding,cosmosfullnodes -A -o json |
      cosmos-render snapshot --captured-now - > snapshot.json

  One that was captured before, for somebody else to plan with:
    cosmos-render snapshot live.json --out snapshot.json

Exit codes:
  0  printed, or written
  1  bad input or usage, or what no fleet is known without cannot be read; nothing was printed";

/// Captures what a plan reads of a cluster, or takes what kubectl printed, without what must not lie in
/// Git: where a private key was stands the public ID that follows from it, so that a plan is the same.
/// Of ConfigMaps, pods and rights that are no fleet's only that they are there stays; Secrets without
/// node keys, managedFields and copies of what was applied go. To capture takes rights to list, and no
/// others.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct SnapshotArgs {
    /// What `kubectl get ... -o json|yaml` printed: files, folders, or `-` for standard input
    ///
    /// Without any, the cluster itself is captured.
    #[arg(value_name = "PATH", help_heading = None::<&str>)]
    pub(in crate::cli) paths: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) door: DoorArgs,
    /// Capture these namespaces alone
    #[arg(
        short,
        long,
        value_name = "NAMESPACE",
        conflicts_with = "paths",
        help_heading = "Cluster"
    )]
    pub(in crate::cli) namespace: Vec<String>,
    /// Note that it was captured just now, so that `--max-age` can tell
    #[arg(long, help_heading = "Output")]
    pub(in crate::cli) captured_now: bool,
    /// Write it there instead of printing it: a folder where the cluster is captured, else a file
    #[arg(long, value_name = "PATH", help_heading = "Output")]
    pub(in crate::cli) out: Option<String>,
}

/// Which cluster is meant.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cluster")]
pub(in crate::cli) struct DoorArgs {
    /// The context of the kubeconfig [default: inside a cluster, the pod's own account; else the current one]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) context: Option<String>,
    /// The kubeconfig [default: KUBECONFIG, else ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) kubeconfig: Option<String>,
}
