//! Drift: what differs though nobody asked for a change. It was edited by hand, or a rollout never
//! ended. It is corrected like a change; this tells the two apart. Decides nothing.

use super::{Change, Drift, Effect};
use crate::desired::Role;
use crate::diff::{Asked, Comparison, Difference, is_identity, is_observed_setting};
use crate::spec::FullNode;

/// What the changes of its ConfigMap are prefixed with where a pod shows them.
const OF_CONFIG: &str = "ConfigMap.";

/// Returns the drift of an object that is there.
pub(super) fn of(
    difference: &Difference<'_, '_>,
    comparison: &Comparison,
    fleet: &FullNode,
) -> Option<Drift> {
    let by_height = !fleet.spec.chain.versions.is_empty();
    let edited: Vec<Change> = comparison
        .changes
        .iter()
        .filter(|change| is_edit(change, difference) && !is_observed(change, by_height))
        .cloned()
        .collect();
    (!edited.is_empty()).then(|| Drift {
        object: difference.manifest.key.clone(),
        changes: edited,
    })
}

/// What follows from addresses, heights and identities is nobody's edit; nor is the size of a claim, which
/// nobody can make smaller by hand, and which is kept where it is larger.
fn is_observed(change: &Change, by_height: bool) -> bool {
    is_observed_setting(&change.path)
        || (by_height && change.path.ends_with("].image"))
        || change.path == "spec.resources.requests.storage"
        || is_identity(change)
}

/// What a pod's ConfigMap holds is told of the ConfigMap itself.
fn is_edit(change: &Change, difference: &Difference<'_, '_>) -> bool {
    let is_of_config = change.path.starts_with(OF_CONFIG);
    match (difference.asked, difference.manifest.role) {
        (Asked::Anew, _) => false,
        (Asked::AsWritten, _) => !is_of_config,
        // scripts, helper images and the bounds of peer lists are ours, not the operator's
        (Asked::AsDocument, Role::Config | Role::Pod | Role::AdditionalPod) => {
            change.effect != Effect::NextRestart && !is_of_config
        }
        (Asked::AsDocument, Role::Access | Role::Service | Role::Claim) => true,
        (Asked::Likewise, _) => change.effect == Effect::Restart && !is_of_config,
    }
}
