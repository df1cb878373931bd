//! Claims: they grow where their class lets them, never shrink, and are never made anew unless
//! their owner allows it.

mod health;

use serde_json::Value;

pub(super) use health::{is_class_missing, is_lost, of_missing, waits_for_restart};

use super::volumes::Volumes;
use super::{Change, Effect, Waiting};
use crate::diff::{Comparison, Difference};
use crate::live::volumes::{self, Fate};
use crate::live::{Live, Object, lenient};
use crate::model::{Kind, Notice};
use crate::spec::FullNode;
use crate::spec::document::ClaimTemplate;
use crate::spec::named::Leave;

/// What becomes of the differences of one claim.
#[derive(Debug, Default)]
pub(super) struct ClaimVerdict {
    /// What is patched in place.
    pub(super) patches: Vec<Change>,
    /// What is not done until the owner allows it, or the cluster can do it.
    pub(super) blocked: Vec<Notice>,
    /// What cannot be done yet.
    pub(super) waiting: Vec<Waiting>,
    /// What the owner should know.
    pub(super) warnings: Vec<Notice>,
}

pub(super) fn judge(
    difference: &Difference<'_, '_>,
    comparison: &Comparison,
    volumes: &Volumes<'_>,
) -> ClaimVerdict {
    let mut verdict = ClaimVerdict::default();
    let Some(object) = difference.live else {
        return verdict;
    };
    let spec: Value = object.spec_tree();
    let mut fixed = Vec::new();
    for change in &comparison.changes {
        match change.effect {
            Effect::RecreateVolume | Effect::DataLoss => fixed.push(change),
            Effect::InPlace | Effect::NextRestart | Effect::Restart if is_growth(change) => {
                grow(object, change, &spec, (volumes.live, &mut verdict));
            }
            Effect::InPlace | Effect::NextRestart | Effect::Restart => {
                verdict.patches.push(change.clone());
            }
        }
    }
    verdict.blocked.extend(immutable(object, &fixed, volumes));
    verdict
        .warnings
        .extend(not_shrunk(difference, volumes.fleet, object, &spec));
    verdict.warnings.extend(health::judge(object, volumes));
    verdict
}

fn is_growth(change: &Change) -> bool {
    change.path == "spec.resources.requests.storage"
}

/// A claim grows where its class lets it. An API server takes no larger request of a claim that is
/// not bound.
fn grow(
    object: &Object<'_>,
    change: &Change,
    spec: &Value,
    (live, verdict): (&Live<'_>, &mut ClaimVerdict),
) {
    let phase = volumes::phase(object);
    if !is_expandable(spec, live) {
        verdict.blocked.push(not_expandable(object, change, spec));
    } else if phase.is_empty() || phase == "Bound" {
        verdict.patches.push(change.clone());
    } else {
        let on = format!("the claim to be bound (it is {phase}): it cannot grow before");
        let waiting = super::waiting_until(&object.key(), &on, vec![change.clone()]);
        verdict.waiting.push(waiting);
    }
}

/// A class that is not in the snapshot is not known to forbid growth; where there is expressly
/// none, nobody can make the volume larger.
fn is_expandable(spec: &Value, live: &Live<'_>) -> bool {
    let Some(class) = spec["storageClassName"].as_str() else {
        return true;
    };
    let Some(found) = live.get(Kind::StorageClass, "", class) else {
        return !class.is_empty();
    };
    let allowed: Option<bool> = lenient(found.rest.get("allowVolumeExpansion").copied());
    allowed.unwrap_or(false)
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "none".to_owned(),
    }
}

/// What is fixed when a claim is made differs: says what it takes, what that costs, and the line
/// by which the owner allows it.
fn immutable(object: &Object<'_>, changes: &[&Change], volumes: &Volumes<'_>) -> Option<Notice> {
    if changes.is_empty() {
        return None;
    }
    let each = |write: fn(&str, String, String) -> String| {
        let all = changes.iter();
        let all = all.map(|c| write(&c.path, text(c.from.as_ref()), text(c.to.as_ref())));
        all.collect::<Vec<_>>().join(", ")
    };
    let what = each(|path, from, to| format!("{path} ({to} is asked for, {from} is live)"));
    let fate = match volumes::fate(volumes.live, object) {
        Fate::NoVolume => "which has no volume yet",
        Fate::Kept => "and its volume stays behind, unbound (reclaim policy Retain)",
        Fate::Deleted => "and its volume would go with it (reclaim policy Delete)",
        Fate::Unknown => "and its volume, of which the snapshot does not tell, may go with it",
    };
    let message = format!(
        "a claim that exists cannot change {what}: it would have to be made anew, {fate}; that is \
         not done unasked"
    );
    let mut notice = Notice::on(object.key(), "ClaimImmutable", message);
    let back = each(|path, from, _| format!("set {path} back to {from}"));
    let (name, uid) = (&object.meta.name, &object.meta.uid);
    let snapshot = volumes.last_snapshot(object);
    notice.allow = Some(match &snapshot {
        _ if uid.is_empty() => back,
        Some(_) => format!(
            "annotate the document with {} to restore from the last VolumeSnapshot, or with \
             resync-claims to give the data up; or {back}",
            Leave::Restore.line(name, uid)
        ),
        None => format!(
            "annotate the document with {} to give the data up and sync anew; or {back}",
            Leave::Resync.line(name, uid)
        ),
    });
    notice.detail = Some(volumes.of_last_snapshot(object));
    Some(notice)
}

fn not_expandable(object: &Object<'_>, change: &Change, spec: &Value) -> Notice {
    let class = spec["storageClassName"].as_str().unwrap_or_default();
    if class.is_empty() {
        let message = format!(
            "it cannot grow from {} to {}: it has no StorageClass that could",
            text(change.from.as_ref()),
            text(change.to.as_ref()),
        );
        let mut notice = Notice::on(object.key(), "ClaimNotExpandable", message);
        notice.allow = Some(format!("ask for {} again", text(change.from.as_ref())));
        return notice;
    }
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
