//! The arguments of `roll`.

use clap::Args;

use crate::apply::Target;
use crate::model::duration::Duration;

const EXAMPLES: &str = "\
Examples:
  What a hook Job of `render --target argocd` runs inside the cluster:
    cosmos-render roll --namespace cosmos --fleet hub hub-0=5f0c1d hub-1=77e2a9

Exit codes:
  0  all of them are gone, or have their revision
  1  bad usage, a request was refused, a pod is not the fleet's, or did not go in time";

/// Deletes those of the named pods whose revision is another one, and waits until they are gone.
/// Pods that have their revision, and pods that are not there, are left as they are: it is safe to
/// run twice, late, or beside itself.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct RollArgs {
    /// Pods with the revision that each is to have (annotation cosmos-render/revision)
    ///
    /// POD=REVISION@UID: the pod of this UID goes even if it has the revision.
    #[arg(value_name = "POD=REVISION", required = true)]
    pub(in crate::cli) targets: Vec<Target>,
    /// The namespace of the pods
    #[arg(short, long)]
    pub(in crate::cli) namespace: String,
    /// The fleet that the pods must belong to
    #[arg(long)]
    pub(in crate::cli) fleet: String,
    /// Give up after this time
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = Duration::parse)]
    pub(in crate::cli) timeout: Duration,
    /// The context of the kubeconfig [default: inside a cluster, the pod's own account; else the current one]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) context: Option<String>,
}
