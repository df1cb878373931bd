//! The word `cluster` where a snapshot is named: it is captured there and then.

use std::io::Read;

use crate::diagnostic::{Diagnostic, Reported};
use crate::disk::{self, Found, Limits};
use crate::model::Source;

#[cfg(not(feature = "runner"))]
use super::Failure;
use super::args::DoorArgs;

/// What stands for the cluster itself; `cluster:CONTEXT` for that of another context.
const CLUSTER: &str = "cluster";

/// Reads what stands for a cluster: files and folders, and the cluster itself, of which what lies in
/// the namespaces of the documents matters; in all, where there are none.
pub(super) fn read(
    paths: &[String],
    apart: &[String],
    (stdin, limits): (&mut dyn Read, &Limits),
    namespaces: &dyn Fn() -> Vec<String>,
) -> Reported<Vec<Source>> {
    let (clusters, files): (Vec<&String>, Vec<&String>) =
        paths.iter().partition(|path| cluster_of(path).is_some());
    let files: Vec<String> = files.into_iter().cloned().collect();
    let mut read = disk::read(&files, apart, stdin, limits);
    for path in clusters {
        if disk::find(path) != Found::Nothing {
            read.diagnostics.push(ambiguous(path));
            continue;
        }
        let door = DoorArgs {
            context: match cluster_of(path) {
                Some(Which::Context(context)) => Some(context.to_owned()),
                Some(Which::Current) | None => None,
            },
            kubeconfig: None,
        };
        match capture(&door, namespaces()) {
            Ok(captured) => {
                read.value.extend(captured.value);
                read.diagnostics.extend(captured.diagnostics);
            }
            Err(faults) => read.diagnostics.extend(faults),
        }
    }
    read
}

/// Who has a folder of that name may mean either, and would plan from what he does not mean.
fn ambiguous(path: &str) -> Diagnostic {
    let message = format!("`{path}` is a path here, and the word for the cluster itself");
    Diagnostic::error("usage", message)
        .hint("write ./cluster for the path, and cluster:CONTEXT for the cluster of a context")
}

/// Which cluster a word stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which<'p> {
    /// That of the current context, or of the pod that this runs in.
    Current,
    /// That of a context.
    Context(&'p str),
}

/// Tells which cluster a path stands for; nothing where it is a path.
fn cluster_of(path: &str) -> Option<Which<'_>> {
    match path.split_once(':') {
        None if path == CLUSTER => Some(Which::Current),
        Some((CLUSTER, context)) if !context.is_empty() => Some(Which::Context(context)),
        None | Some(_) => None,
    }
}

/// Returns the failure of a program that cannot reach clusters, and how to get one that can.
#[cfg(not(feature = "runner"))]
pub(super) fn cannot(consequence: &'static str) -> Failure {
    Failure {
        diagnostics: vec![without_access()],
        consequence,
    }
}

#[cfg(not(feature = "runner"))]
fn without_access() -> Diagnostic {
    let hint = "use the container image, or install it with `cargo install cosmos-render --features \
                runner`";
    Diagnostic::error(
        "no-cluster-access",
        "this program is built without access to clusters",
    )
    .hint(hint)
}

/// What was captured, with what is to be said of it; or why nothing was.
pub(super) type Captured = Result<Reported<Vec<Source>>, Vec<Diagnostic>>;

#[cfg(not(feature = "runner"))]
pub(super) fn capture(_: &DoorArgs, _: Vec<String>) -> Captured {
    Err(vec![without_access()])
}

/// Captures what lies in some namespaces of a cluster, or in all. Where what no fleet is known without
/// cannot be read, there is an error among what is said.
#[cfg(feature = "runner")]
pub(super) fn capture(door: &DoorArgs, namespaces: Vec<String>) -> Captured {
    use crate::apply::capture::{Scope, capture};
    use crate::apply::cluster;

    let now = super::clock::now().map_err(|fault| vec![*fault])?;
    let fault = |why: String| vec![fault(&why)];
    let scope = Scope { namespaces };
    let captured = runtime().map_err(fault)?.block_on(async {
        let client = cluster::connect(&self::door(door)).await?;
        capture(&client, &scope, now).await
    });
    let captured = captured.map_err(fault)?;
    Ok(Reported {
        diagnostics: captured.gaps.iter().map(told).collect(),
        value: captured.sources,
    })
}

/// Says what could not be captured, and what that means.
#[cfg(feature = "runner")]
pub(super) fn told(gap: &crate::apply::capture::Gap) -> Diagnostic {
    let of = match &gap.namespace {
        Some(namespace) => format!("{} of namespace {namespace}", gap.resource),
        None => gap.resource.clone(),
    };
    let message = format!("{of} cannot be read: {}", gap.consequence);
    let found = if gap.is_vital {
        Diagnostic::error("not-captured", message)
    } else {
        Diagnostic::warning("not-captured", message)
    };
    found.note(gap.why.clone())
}

/// Returns which cluster is meant.
#[cfg(feature = "runner")]
pub(super) fn door(args: &DoorArgs) -> crate::apply::cluster::Door {
    crate::apply::cluster::Door {
        context: args.context.clone(),
        kubeconfig: args.kubeconfig.clone(),
    }
}

/// Says that the cluster cannot be reached.
#[cfg(feature = "runner")]
pub(super) fn fault(why: &str) -> Diagnostic {
    Diagnostic::error("no-way-to-cluster", format!("no way to the cluster: {why}"))
        .hint("see that `kubectl get pods` works with the same kubeconfig and context")
}

/// Returns what waits for answers.
#[cfg(feature = "runner")]
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the program cannot wait: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: Option<Which<'_>>) {
        assert_eq!(cluster_of(path), expected, "{path}");
    }

    #[test]
    fn one_word_stands_for_the_cluster() {
        check("cluster", Some(Which::Current));
        check("cluster:east", Some(Which::Context("east")));
        check("cluster:arn:aws:eks", Some(Which::Context("arn:aws:eks")));
        check("cluster:", None);
        check("./cluster", None);
        check("cluster.json", None);
    }
}
