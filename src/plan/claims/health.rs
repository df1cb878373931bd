//! How a claim fares: whether it is lost, waits for a class that is not there, or failed to grow;
//! and whether its file system waits for its pod to restart.

use serde::Deserialize;
use serde_json::Value;

use crate::desired::Manifest;
use crate::live::{Live, Object, lenient, volumes as live_volumes};
use crate::model::{Kind, Notice};
use crate::plan::volumes::Volumes;
use crate::spec::named::Leave;

/// The phase of a claim whose volume is gone.
const LOST: &str = "Lost";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    conditions: Vec<Condition>,
    /// By resource; in the words of newer API servers.
    #[serde(default)]
    allocated_resource_statuses: std::collections::BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    #[serde(rename = "type")]
    name: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    last_transition_time: Option<String>,
}

impl Condition {
    fn is(&self, name: &str) -> bool {
        self.name == name && self.status == "True"
    }
}

/// Tells whether a claim's volume is gone: no pod starts on it any more.
pub(in crate::plan) fn is_lost(claim: &Object<'_>) -> bool {
    live_volumes::phase(claim) == LOST
}

/// Warns of what is wrong with a claim that is there.
pub(super) fn judge(claim: &Object<'_>, volumes: &Volumes<'_>) -> Vec<Notice> {
    let mut warnings = Vec::new();
    match live_volumes::phase(claim).as_str() {
        LOST => warnings.push(lost(claim, volumes)),
        "Pending" => {
            let class: Value = claim.spec_tree()["storageClassName"].take();
            warnings.extend(class_missing(claim.key(), &class, volumes.live));
        }
        _ => {}
    }
    warnings.extend(resize_failed(claim));
    warnings.extend(still_pending(claim, volumes));
    warnings
}

/// Warns of a new claim that would stay pending.
pub(in crate::plan) fn of_missing(manifest: &Manifest, live: &Live<'_>) -> Option<Notice> {
    let class = &manifest.body["spec"]["storageClassName"];
    class_missing(manifest.key.clone(), class, live)
}

fn class_missing(claim: crate::model::ObjectKey, class: &Value, live: &Live<'_>) -> Option<Notice> {
    let class = class.as_str()?;
    is_class_missing(live, class).then(|| {
        let message =
            format!("there is no StorageClass {class}: the claim stays pending until there is");
        Notice::on(claim, "StorageClassMissing", message)
    })
}

/// Tells whether a class is known not to be there: others are, or it would only not have been
/// captured.
pub(in crate::plan) fn is_class_missing(live: &Live<'_>, class: &str) -> bool {
    let classes = live.objects.get(&Kind::StorageClass);
    let has_any = classes.is_some_and(|of| !of.is_empty());
    has_any && !class.is_empty() && live.get(Kind::StorageClass, "", class).is_none()
}

fn lost(claim: &Object<'_>, volumes: &Volumes<'_>) -> Notice {
    let (name, uid) = (&claim.meta.name, &claim.meta.uid);
    let leave = match volumes.last_snapshot(claim) {
        Some(_) => Leave::Restore,
        None => Leave::Resync,
    };
    let message = format!(
        "its volume is gone (phase Lost): annotate the document with {} to have it made anew",
        leave.line(name, uid)
    );
    let mut notice = Notice::on(claim.key(), "ClaimLost", message);
    notice.detail = Some(volumes.of_last_snapshot(claim));
    notice
}

fn resize_failed(claim: &Object<'_>) -> Option<Notice> {
    let status: Status = lenient(claim.status);
    let failed = [
        "ControllerResizeError",
        "NodeResizeError",
        "VolumeResizeFailed",
    ];
    let condition = status
        .conditions
        .iter()
        .find(|condition| failed.iter().any(|name| condition.is(name)));
    let word = status.allocated_resource_statuses.get("storage");
    let word = word.filter(|word| word.ends_with("Infeasible") || word.ends_with("Failed"));
    let why = match (condition, word) {
        (Some(condition), _) => format!("{}: {}", condition.name, condition.message),
        (None, Some(word)) => word.clone(),
        (None, None) => return None,
    };
    let message = format!("its volume failed to grow ({why})");
    Some(Notice::on(claim.key(), "VolumeResizeFailed", message))
}

/// Warns where a file system waits though its pod was started since.
fn still_pending(claim: &Object<'_>, volumes: &Volumes<'_>) -> Option<Notice> {
    let instance = claim.meta.name.strip_prefix("pvc-")?;
    let namespace = volumes.fleet.key.namespace.as_str();
    let pod = volumes.live.get(Kind::Pod, namespace, instance)?;
    let is_given_time = waits_for_restart(claim, None) && !waits_for_restart(claim, Some(pod));
    is_given_time.then(|| {
        let message = "its file system still waits to grow, though its pod was started since: it \
                       is given time, and does not restart again for that";
        Notice::on(claim.key(), "FileSystemResizePending", message)
    })
}

/// Returns whether a claim's file system waits for its pod to restart. A pod that was started
/// since is given time: else it would restart again and again.
pub(in crate::plan) fn waits_for_restart(claim: &Object<'_>, pod: Option<&Object<'_>>) -> bool {
    let status: Status = lenient(claim.status);
    let mut all = status.conditions.iter();
    let found = all.find(|condition| condition.is("FileSystemResizePending"));
    let started = pod.and_then(|pod| pod.meta.created.as_deref());
    found.is_some_and(|condition| {
        let since = condition.last_transition_time.as_deref();
        !live_volumes::is_later(started, since)
    })
}
