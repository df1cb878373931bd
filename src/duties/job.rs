//! Jobs on a volume that is made from the newest snapshot (`StatefulJob`): what is next. Knows nothing of
//! how it is done.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{known_members, whole_seconds};
use crate::model::duration::Duration;
use crate::model::names::{COMPONENT, CREATED_BY, US};
use crate::spec::document::{JobSpec, JobStatus};

/// What objects are labelled with that are made for a document.
const KIND: &str = "StatefulJob";
/// The volume of the job's pod.
const VOLUME: &str = "snapshot";
/// From one run to the next, where the document does not say.
const DAILY: SignedDuration = SignedDuration::from_hours(24);
/// So many jobs are remembered.
const REMEMBERED: usize = 5;
/// When to look again though nothing is told.
const LATER: SignedDuration = SignedDuration::from_mins(1);
const SOON: SignedDuration = SignedDuration::from_secs(5);

/// The document.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its UID.
    pub uid: &'a str,
    /// Its API group and version.
    pub api_version: &'a str,
    /// Its generation.
    pub generation: i64,
    /// What the owner asks for.
    pub spec: &'a JobSpec,
    /// How the last runs went.
    pub status: &'a JobStatus,
}

/// What is known beside the document.
#[derive(Debug, Clone)]
pub struct World<'a> {
    /// The time.
    pub now: Timestamp,
    /// The job of the document's name.
    pub job: Option<&'a Value>,
    /// The job that was there before, as it was when it went.
    pub gone: Option<&'a Value>,
    /// The claim of the document's name.
    pub claim: Option<&'a Value>,
    /// The snapshots of the namespace; nothing where the cluster knows no snapshots.
    pub snapshots: Option<Vec<&'a Value>>,
}

/// What is to be done, and what the document says then.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// What is to be done first, in this order.
    pub acts: Vec<Act>,
    /// What the document says once it is done.
    pub status: JobStatus,
    /// What is worth an Event: whether it is a warning, its reason, and its text.
    pub event: Option<(bool, &'static str, String)>,
    /// When to look again though nothing is told.
    pub again: SignedDuration,
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// A job or a claim is to be made.
    Create(Value),
    /// A claim is to go, as it is now.
    Delete(Value),
}

/// Returns what is next.
#[must_use]
pub fn next(wish: Wish<'_>, world: &World<'_>) -> Turn {
    let mut turn = Turn {
        acts: Vec::new(),
        status: wish.status.clone(),
        event: None,
        again: LATER,
    };
    turn.status.observed_generation = wish.generation;
    turn.status.status = None;
    if let Err(why) = advance(wish, world, &mut turn) {
        if wish.status.status.as_ref() != Some(&why) {
            turn.event = Some((true, "Error", why.clone()));
        }
        turn.status.status = Some(why);
    }
    turn
}

fn advance(wish: Wish<'_>, world: &World<'_>, turn: &mut Turn) -> Result<(), String> {
    for (object, kind) in [(world.job, "Job"), (world.claim, "PersistentVolumeClaim")] {
        if object.is_some_and(|object| !is_ours(object, wish.uid)) {
            let name = wish.name;
            return Err(format!(
                "there is a {kind} {name} that was not made for this document"
            ));
        }
    }
    if let Some(job) = world.job {
        turn.again = LATER;
        remember(&mut turn.status.job_history, job);
        // the claim is made after the job: it may be missing yet
        let is_over = is_over(job) || is_leaving(job);
        return match world.claim {
            None if !is_over => {
                let claim = claim(wish, newest(wish, world)?)?;
                turn.acts.push(Act::Create(claim));
                Ok(())
            }
            Some(_) | None => Ok(()),
        };
    }
    if let Some(gone) = world.gone.filter(|gone| is_ours(gone, wish.uid)) {
        remember(&mut turn.status.job_history, gone);
    }
    if let Some(claim) = world.claim {
        turn.again = SOON;
        if !is_leaving(claim) {
            turn.acts.push(Act::Delete(claim.clone()));
        }
        return Ok(());
    }
    let due = due(wish, &turn.status)?;
    if let Some(due) = due.filter(|due| *due > world.now) {
        turn.again = world.now.duration_until(due);
        return Ok(());
    }
    let snapshot = newest(wish, world)?;
    let name = snapshot["metadata"]["name"].as_str().unwrap_or_default();
    let (job, claim) = (job(wish)?, claim(wish, snapshot)?);
    // the pod waits for its claim: a job that is refused has no volume made for nothing
    turn.acts.extend([Act::Create(job), Act::Create(claim)]);
    turn.again = SOON;
    let history = &mut turn.status.job_history;
    history.insert(0, json!({"startTime": whole_seconds(world.now)}));
    history.truncate(REMEMBERED);
    turn.event = Some((false, "JobStarted", format!("a job runs on {name}")));
    Ok(())
}

/// Returns when the next run is due; nothing where there was none yet.
fn due(wish: Wish<'_>, status: &JobStatus) -> Result<Option<Timestamp>, String> {
    let wrong = |why: String| format!("spec.interval: {why}");
    let interval = match &wish.spec.interval {
        Some(text) => Duration::parse(text).map_err(wrong)?.seconds,
        None => 0,
    };
    let interval = i64::try_from(interval).unwrap_or(i64::MAX);
    let interval = if interval == 0 {
        DAILY
    } else {
        SignedDuration::from_secs(interval)
    };
    let last = status.job_history.first();
    let began = last.and_then(|last| last["startTime"].as_str()?.parse::<Timestamp>().ok());
    let Some(began) = began else {
        return Ok(None);
    };
    let next = began.checked_add(interval);
    Ok(Some(next.unwrap_or(Timestamp::MAX)))
}

/// The newest entry becomes what the job says now; a job that is far younger than it gets one of its own:
/// the status could not be written when it was made. One that has not begun keeps the time at which it was
/// made.
fn remember(history: &mut Vec<Value>, job: &Value) {
    let time = |value: &Value| value.as_str()?.parse::<Timestamp>().ok();
    let made = time(&job["metadata"]["creationTimestamp"]);
    let mut entry = status_of(job);
    let newest = history.first_mut();
    let began = newest.as_ref().and_then(|one| time(&one["startTime"]));
    let is_younger = made
        .zip(began)
        .is_some_and(|(made, began)| made.duration_since(began) > LATER);
    match newest {
        Some(newest) if !is_younger => {
            if entry["startTime"].is_null() {
                entry["startTime"] = newest["startTime"].take();
            }
            *newest = entry;
        }
        Some(_) | None => {
            if entry["startTime"].is_null() {
                entry["startTime"] = json!(made.map(whole_seconds));
            }
            history.insert(0, entry);
            history.truncate(REMEMBERED);
        }
    }
}

/// Returns how a job is, as far as the document has room for it.
fn status_of(job: &Value) -> Value {
    const MEMBERS: [&str; 9] = [
        "active",
        "completedIndexes",
        "completionTime",
        "conditions",
        "failed",
        "ready",
        "startTime",
        "succeeded",
        "uncountedTerminatedPods",
    ];
    const OF_CONDITION: [&str; 6] = [
        "lastProbeTime",
        "lastTransitionTime",
        "message",
        "reason",
        "status",
        "type",
    ];
    let mut status = known_members(&job["status"], &MEMBERS);
    if let Some(Value::Array(conditions)) = status.get_mut("conditions") {
        for condition in conditions {
            *condition = known_members(condition, &OF_CONDITION);
        }
    }
    if let Some(pods) = status.get_mut("uncountedTerminatedPods") {
        *pods = known_members(pods, &["failed", "succeeded"]);
    }
    status
}

fn is_ours(object: &Value, uid: &str) -> bool {
    let metadata = &object["metadata"];
    let owners = metadata["ownerReferences"].as_array();
    let is_owned = owners.is_some_and(|owners| owners.iter().any(|owner| owner["uid"] == uid));
    is_owned || metadata["labels"][COMPONENT] == KIND && owners.is_none_or(Vec::is_empty)
}

fn is_leaving(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

fn is_over(job: &Value) -> bool {
    let conditions = job["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|one| {
        matches!(one["type"].as_str(), Some("Complete" | "Failed")) && one["status"] == "True"
    })
}

/// Returns the newest snapshot that fits, and that a volume can be made from.
fn newest<'a>(wish: Wish<'_>, world: &World<'a>) -> Result<&'a Value, String> {
    let Some(snapshots) = &world.snapshots else {
        return Err("the cluster knows no VolumeSnapshots: install their definitions and a CSI driver that takes them".to_owned());
    };
    let selector: &BTreeMap<String, String> = &wish.spec.selector;
    let fits = |one: &&&Value| {
        let labels = &one["metadata"]["labels"];
        selector
            .iter()
            .all(|(key, value)| labels[key] == value.as_str())
    };
    let ready = snapshots
        .iter()
        .filter(fits)
        .filter(|one| one["status"]["readyToUse"] == true && !is_leaving(one));
    let time = |one: &&Value| {
        let text = one["status"]["creationTime"].as_str();
        text.and_then(|text| text.parse::<Timestamp>().ok())
    };
    ready
        .copied()
        .max_by_key(time)
        .ok_or_else(|| "waits for a VolumeSnapshot that fits spec.selector and is ready".to_owned())
}

fn metadata(wish: Wish<'_>) -> Value {
    json!({
        "name": wish.name,
        "namespace": wish.namespace,
        "labels": {COMPONENT: KIND, CREATED_BY: US},
        "ownerReferences": [{
            "apiVersion": wish.api_version,
            "kind": KIND,
            "name": wish.name,
            "uid": wish.uid,
            "controller": true,
        }],
    })
}

fn claim(wish: Wish<'_>, snapshot: &Value) -> Result<Value, String> {
    let name = snapshot["metadata"]["name"].as_str().unwrap_or_default();
    let size = &snapshot["status"]["restoreSize"];
    if size.is_null() {
        return Err(format!(
            "{name} does not say which size it has (status.restoreSize)"
        ));
    }
    let template = &wish.spec.volume_claim_template;
    let mut modes = template.access_modes.clone();
    if modes.is_empty() {
        modes.push("ReadWriteOnce".to_owned());
    }
    Ok(json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata(wish),
        "spec": {
            "accessModes": modes,
            "storageClassName": template.storage_class_name,
            "dataSource": {
                "apiGroup": "snapshot.storage.k8s.io",
                "kind": "VolumeSnapshot",
                "name": name,
            },
            "resources": {"requests": {"storage": size}},
        },
    }))
}

fn job(wish: Wish<'_>) -> Result<Value, String> {
    let mut pod = wish.spec.pod_template.clone();
    if !pod["spec"].is_object() {
        return Err("spec.podTemplate.spec: it says nothing of what is to run".to_owned());
    }
    let spec = &mut pod["spec"];
    if spec["restartPolicy"]
        .as_str()
        .unwrap_or_default()
        .is_empty()
    {
        spec["restartPolicy"] = json!("Never");
    }
    let volume = json!({"name": VOLUME, "persistentVolumeClaim": {"claimName": wish.name}});
    match spec["volumes"].as_array_mut() {
        Some(volumes) => volumes.push(volume),
        None => spec["volumes"] = json!([volume]),
    }
    let asked = &wish.spec.job_template;
    Ok(json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata(wish),
        "spec": {
            "activeDeadlineSeconds": asked.active_deadline_seconds.unwrap_or(86_400),
            "backoffLimit": asked.backoff_limit.unwrap_or(5),
            "ttlSecondsAfterFinished": asked.ttl_seconds_after_finished.unwrap_or(900),
            "template": pod,
        },
    }))
}

#[cfg(test)]
mod tests;
