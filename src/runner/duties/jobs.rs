//! Jobs on volumes that are made from snapshots: what there is, and what is done about it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use kube::runtime::events::Recorder;
use serde_json::Value;
use tokio::time::Instant;

use super::cluster;
use super::known::Of;
use super::{Duties, Memory, Name};
use crate::apply::Fault;
use crate::duties::job::{Act, Wish, World, next};
use crate::model::Kind;
use crate::spec::document::StatefulJob;

/// Looks at all documents, and does what is next for each.
pub(super) async fn look(
    duties: &Duties,
    recorder: &Recorder,
    memories: &mut BTreeMap<Name, Memory>,
) {
    let all = duties.known.all(Of::StatefulJob);
    let names: BTreeSet<Name> = all.iter().map(super::name_of).collect();
    memories.retain(|name, _| names.contains(name));
    duties.known.forget_gone(|name| names.contains(name));
    for object in &all {
        let memory = memories
            .entry(super::name_of(object))
            .or_insert_with(Memory::new);
        let (namespace, _) = super::name_of(object);
        if memory.not_before <= Instant::now() && duties.may_act(&namespace, "") {
            one(duties, recorder, memory, object).await;
        }
    }
}

async fn one(duties: &Duties, recorder: &Recorder, memory: &mut Memory, object: &Value) {
    let read = super::read(duties, (recorder, memory), object).await;
    let Some::<StatefulJob>(document) = read else {
        return;
    };
    let (namespace, name) = super::name_of(object);
    let job = duties.known.get(Of::Job, &namespace, &name);
    let gone = duties.known.gone(&(namespace.clone(), name.clone()));
    let claim = super::object(duties, Kind::PersistentVolumeClaim, (&namespace, &name));
    let snapshots = duties
        .known
        .has_snapshots
        .then(|| super::snapshots_of(duties, &namespace));
    let world = World {
        now: Timestamp::now(),
        job: job.as_ref(),
        gone: gone.as_ref().filter(|gone| is_last(gone, &document)),
        claim: claim.as_ref(),
        snapshots: snapshots.as_ref().map(|all| all.iter().collect()),
    };
    let metadata = &object["metadata"];
    let wish = Wish {
        name: &name,
        namespace: &namespace,
        uid: metadata["uid"].as_str().unwrap_or_default(),
        api_version: object["apiVersion"].as_str().unwrap_or_default(),
        generation: metadata["generation"].as_i64().unwrap_or_default(),
        spec: &document.spec,
        status: &document.status,
    };
    let turn = next(wish, &world);
    for act in &turn.acts {
        if let Err(fault) = take(duties, act).await {
            return duties.fail(object, memory, (recorder, &fault)).await;
        }
    }
    let status = serde_json::to_value(&turn.status).unwrap_or_default();
    let done = (&status, turn.event);
    duties.done(object, memory, (recorder, done)).await;
}

/// Tells whether the newest job that is remembered is this one, or is older: what a job left behind is no
/// news of the next.
fn is_last(gone: &Value, document: &StatefulJob) -> bool {
    let time = |value: &Value| value.as_str()?.parse::<Timestamp>().ok();
    let made = time(&gone["metadata"]["creationTimestamp"]);
    let last = document.status.job_history.first();
    let began = last.and_then(|last| time(&last["startTime"]));
    // the clock of the API server may be a little behind
    let skew = SignedDuration::from_secs(2);
    made.zip(began)
        .is_none_or(|(made, began)| began.duration_since(made) <= skew)
}

async fn take(duties: &Duties, act: &Act) -> Result<(), Fault> {
    match act {
        Act::Create(object) => {
            let made = cluster::create(&duties.client, object).await?;
            let (kind, name) = (&made["kind"], &made["metadata"]["name"]);
            tracing::info!(kind = %kind, name = %name, "made for a StatefulJob");
            if made["kind"] == Kind::PersistentVolumeClaim.as_str() {
                let mut store = duties.shared.store();
                store.take(Kind::PersistentVolumeClaim, made);
            } else {
                duties.known.take(made);
            }
            Ok(())
        }
        Act::Delete(object) => {
            tracing::info!(name = %object["metadata"]["name"], "deletes the claim of a job that is gone");
            let left = cluster::delete(&duties.client, object).await?;
            let mut store = duties.shared.store();
            match left {
                Some(left) => drop(store.take(Kind::PersistentVolumeClaim, left)),
                None => drop(store.forget(Kind::PersistentVolumeClaim, object)),
            }
            Ok(())
        }
    }
}
