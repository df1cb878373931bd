//! Claims: they grow where their class lets them, never shrink, and are never made anew unless
//! their owner allows it.

use serde_json::Value;

use super::{Change, Effect};
use crate::diff::{Comparison, Difference};
use crate::live::{Live, Object, lenient};
use crate::model::{Kind, Notice};
use crate::spec::FullNode;
use crate::spec::document::ClaimTemplate;

/// What becomes of the differences of one claim.
#[derive(Debug, Default)]
pub(super) struct ClaimVerdict {
    /// What is patched in place.
    pub(super) patches: Vec<Change>,
    /// What is not done until the owner allows it, or the cluster can do it.
    pub(super) blocked: Vec<Notice>,
    /// What the owner should know.
    pub(super) warnings: Vec<Notice>,
}

pub(super) fn judge(
    difference: &Difference<'_, '_>,
    comparison: &Comparison,
    fleet: &FullNode,
    live: &Live<'_>,
) -> ClaimVerdict {
    let mut verdict = ClaimVerdict::default();
    let Some(object) = difference.live else {
        return verdict;
    };
    let spec: Value = object.spec_tree();
    for change in &comparison.changes {
        match change.effect {
            Effect::RecreateVolume | Effect::DataLoss => {
                verdict.blocked.push(immutable(object, change));
            }
            Effect::InPlace | Effect::NextRestart | Effect::Restart => {
                if is_growth(change) && !is_expandable(&spec, live) {
                    verdict.blocked.push(not_expandable(object, change, &spec));
                } else {
                    verdict.patches.push(change.clone());
                }
            }
        }
    }
    verdict
        .warnings
        .extend(not_shrunk(difference, fleet, object, &spec));
    verdict
}

fn is_growth(change: &Change) -> bool {
    change.path == "spec.resources.requests.storage"
}

/// A class that is not in the snapshot is not known to forbid growth.
fn is_expandable(spec: &Value, live: &Live<'_>) -> bool {
    let class = spec["storageClassName"].as_str().unwrap_or_default();
    let Some(class) = live.get(Kind::StorageClass, "", class) else {
        return true;
    };
    let allowed: Option<bool> = lenient(class.rest.get("allowVolumeExpansion").copied());
    allowed.unwrap_or(false)
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "none".to_owned(),
    }
}

fn immutable(object: &Object<'_>, change: &Change) -> Notice {
    let message = format!(
        "{} cannot change on a claim that exists ({} is asked for, {} is live): the volume would \
         have to be made anew and its data restored, which is not done unasked",
        change.path,
        text(change.to.as_ref()),
        text(change.from.as_ref()),
    );
    let mut notice = Notice::on(object.key(), "ClaimImmutable", message);
    notice.allow = Some(format!(
        "set {} back to {}",
        change.path,
        text(change.from.as_ref())
    ));
    notice
}

fn not_expandable(object: &Object<'_>, change: &Change, spec: &Value) -> Notice {
    let class = spec["storageClassName"].as_str().unwrap_or_default();
    let message = format!(
        "it cannot grow from {} to {}: StorageClass {class} does not allow expansion",
        text(change.from.as_ref()),
        text(change.to.as_ref()),
    );
    let mut notice = Notice::on(object.key(), "ClaimNotExpandable", message);
    notice.allow = Some(format!(
        "set allowVolumeExpansion: true on StorageClass {class}"
    ));
    notice
}

/// Warns where less storage is asked for than the claim has: claims never shrink.
fn not_shrunk(
    difference: &Difference<'_, '_>,
    fleet: &FullNode,
    object: &Object<'_>,
    spec: &Value,
) -> Option<Notice> {
    let asked = asked_size(fleet, difference.manifest.ordinal?)?;
    let request = spec["resources"]["requests"]["storage"].as_str()?;
    let amount = |text: &str| crate::model::quantity::Amount::parse(text).ok();
    if amount(&asked)? >= amount(request)? {
        return None;
    }
    let message = format!(
        "{asked} is asked for, but it has {request}, and claims never shrink: it stays as it is"
    );
    Some(Notice::on(object.key(), "ClaimNotShrunk", message))
}

fn asked_size(fleet: &FullNode, ordinal: i64) -> Option<String> {
    let instance = format!("{}-{ordinal}", fleet.key.name);
    let own = fleet.spec.instance_overrides.get(&instance);
    let template: &ClaimTemplate = own
        .and_then(|own| own.volume_claim_template.as_ref())
        .unwrap_or(&fleet.spec.volume_claim_template);
    let size = serde_json::to_value(template.resources.requests.get("storage")?).ok()?;
    Some(text(Some(&size)))
}

/// Returns whether a claim's file system waits for its pod to restart.
pub(super) fn waits_for_restart(object: &Object<'_>) -> bool {
    let status: Value = lenient(object.status);
    let conditions = status["conditions"].as_array();
    conditions.into_iter().flatten().any(|condition| {
        condition["type"] == "FileSystemResizePending" && condition["status"] == "True"
    })
}
