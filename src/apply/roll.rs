//! Deletes the pods of a batch that do not have the revision that they are to have, and waits until
//! they are gone, so that an applier can make them anew. Does nothing else, and nothing twice: pods
//! that are as they should be stay, pods that are gone are done.

use std::borrow::Cow;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, PartialObjectMeta, Preconditions};
use kube::core::Resource;
use kube::{Client, Error, ResourceExt};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::Target;
use super::cluster::{may_pass, refusal};
use crate::live;
use crate::model::{FleetKey, Kind, names};
use crate::parse::snapshot::{self, Text};

/// How often a pod that changes all the time is looked at again before it is given up.
const TRIES: usize = 20;

/// What is to be rolled, and how patiently.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// The pods' namespace.
    pub namespace: &'a str,
    /// The fleet that they must belong to.
    pub fleet: &'a str,
    /// The pods.
    pub targets: &'a [Target],
    /// How long to wait in all.
    pub timeout: Duration,
    /// How long to wait between two looks.
    pub pause: Duration,
}

/// What is seen of a pod.
type Seen = PartialObjectMeta<Pod>;

/// Rolls a batch. What is done is said as it happens.
///
/// # Errors
/// Fails with all that is wrong: a pod that is not the fleet's (then nothing is deleted), a request
/// that the API server refuses, a pod that does not go in time, or one that somebody makes anew as it
/// was.
pub async fn roll(
    client: Client,
    batch: &Batch<'_>,
    say: &mut dyn FnMut(&str),
) -> Result<(), Vec<String>> {
    let api: Api<Pod> = Api::namespaced(client, batch.namespace);
    let until = Instant::now() + batch.timeout;
    let (mut due, mut going) = (Vec::new(), Vec::new());
    let mut faults = Vec::new();
    for target in batch.targets {
        match look(&api, target, (batch, until)).await {
            // whatever it is, it is not what comes after it
            Ok(Some(seen)) if is_leaving(&seen) => {
                say(&format!("{}: is on its way out", target.pod));
                going.push((target, uid(&seen)));
            }
            Ok(Some(seen)) if !is_met(target, &seen) => match foreign(&seen, batch) {
                None => due.push(target),
                Some(fault) => faults.push(fault),
            },
            Ok(Some(_)) => say(&format!("{}: is as it should be", target.pod)),
            Ok(None) => say(&format!("{}: is not there", target.pod)),
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    for target in due {
        match take_away(&api, target, (batch, until), say).await {
            Ok(Some(uid)) => going.push((target, uid)),
            Ok(None) => {}
            Err(fault) => faults.push(fault),
        }
    }
    faults.extend(gone(&api, going, (batch, until), say).await);
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

/// Looks at a pod, again and again while the API server does not answer.
async fn look(
    api: &Api<Pod>,
    target: &Target,
    (batch, until): (&Batch<'_>, Instant),
) -> Result<Option<Seen>, String> {
    loop {
        match api.get_metadata_opt(&target.pod).await {
            Ok(seen) => return Ok(seen),
            Err(error) if may_pass(&error) && Instant::now() < until => sleep(batch.pause).await,
            Err(error) => return Err(format!("{}: {}", target.pod, refusal(&error))),
        }
    }
}

fn is_met(target: &Target, seen: &Seen) -> bool {
    target.is_met_by(annotation(seen, names::REVISION), &uid(seen))
}

fn is_leaving(seen: &Seen) -> bool {
    seen.meta().deletion_timestamp.is_some()
}

fn annotation<'s>(seen: &'s Seen, key: &str) -> Option<&'s str> {
    seen.annotations().get(key).map(String::as_str)
}

fn uid(seen: &Seen) -> String {
    seen.uid().unwrap_or_default()
}

/// Says so where a pod is not the fleet's: its name alone does not make it ours.
fn foreign(seen: &Seen, batch: &Batch<'_>) -> Option<String> {
    let name = seen.name_any();
    let json = json!({"apiVersion": "v1", "kind": "Pod", "metadata": seen.meta()}).to_string();
    let texts = [Text {
        source: "the API server",
        json: Cow::Owned(json),
    }];
    let live = snapshot::read(&texts).value;
    let fleet = FleetKey {
        namespace: batch.namespace.to_owned(),
        name: batch.fleet.to_owned(),
    };
    let why = match live.get(Kind::Pod, batch.namespace, &name) {
        Some(pod) => live::ownership(pod, &fleet).err()?.why,
        None => "it cannot be read".to_owned(),
    };
    Some(format!(
        "{name}: it is not of the fleet {}, so it stays: {why}",
        batch.fleet
    ))
}

/// Deletes one pod as it was seen, and no other that came in between; returns the UID of the one that
/// goes.
async fn take_away(
    api: &Api<Pod>,
    target: &Target,
    (batch, until): (&Batch<'_>, Instant),
    say: &mut dyn FnMut(&str),
) -> Result<Option<String>, String> {
    let name = &target.pod;
    for _ in 0..TRIES {
        let Some(seen) = look(api, target, (batch, until)).await? else {
            return Ok(None);
        };
        if is_leaving(&seen) {
            return Ok(Some(uid(&seen)));
        }
        if is_met(target, &seen) {
            return Ok(None);
        }
        if let Some(fault) = foreign(&seen, batch) {
            return Err(fault);
        }
        let was = annotation(&seen, names::REVISION).unwrap_or("none");
        let request = DeleteParams::default().preconditions(Preconditions {
            uid: seen.uid(),
            resource_version: seen.resource_version(),
        });
        match api.delete(name, &request).await {
            Ok(_) => {
                let wanted = &target.revision;
                say(&format!(
                    "{name}: deleted (revision {was}, to become {wanted})"
                ));
                return Ok(Some(uid(&seen)));
            }
            Err(Error::Api(status)) if status.code == 404 => return Ok(None),
            // it changed since it was seen: what it is now decides
            Err(Error::Api(status)) if status.code == 409 => {}
            Err(error) if may_pass(&error) && Instant::now() < until => sleep(batch.pause).await,
            Err(error) => return Err(format!("{name}: {}", refusal(&error))),
        }
    }
    Err(format!(
        "{name}: it changes so fast that it cannot be deleted as it was seen"
    ))
}

/// Waits until pods are gone, or others of the right revision stand in their place.
async fn gone(
    api: &Api<Pod>,
    mut going: Vec<(&Target, String)>,
    (batch, until): (&Batch<'_>, Instant),
    say: &mut dyn FnMut(&str),
) -> Vec<String> {
    let mut faults = Vec::new();
    loop {
        let mut left = Vec::new();
        for (target, gone) in going {
            let name = &target.pod;
            match look(api, target, (batch, until)).await {
                Ok(None) => say(&format!("{name}: is gone")),
                Ok(Some(seen)) if uid(&seen) == gone => left.push((target, gone)),
                Ok(Some(seen)) if is_met(target, &seen) => say(&format!("{name}: is made anew")),
                Ok(Some(_)) => faults.push(format!(
                    "{name}: somebody made it anew as it was; does an operator, or an older sync, \
                     still act on this fleet?"
                )),
                Err(fault) => faults.push(fault),
            }
        }
        if left.is_empty() {
            return faults;
        }
        if Instant::now() >= until {
            let time = crate::model::duration::Duration::seconds(batch.timeout.as_secs());
            let late = left.iter().map(|(target, _)| {
                let name = &target.pod;
                format!("{name}: it is still there after {time}: see its finalizers and its node")
            });
            faults.extend(late);
            return faults;
        }
        going = left;
        sleep(batch.pause).await;
    }
}

#[cfg(test)]
mod tests;
