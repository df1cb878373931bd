//! A fleet for Argo CD: sync waves, guards against prune, and a hook Job before each batch that is
//! made anew. Argo CD applies plainly: nothing here asks it to replace anything, so that no sync of
//! any kind restarts a pod by itself.

use std::collections::BTreeMap;

use serde_json::Value;

use super::schedule::Schedule;
use super::{Fleet, annotate, members, roll, text, without_annotation};
use crate::diagnostic::Diagnostic;
use crate::model::names::{ARGO_SYNC_OPTIONS, ARGO_SYNC_WAVE};
use crate::settings::{PruneClaims, Settings};

const HOOK: &str = "argocd.argoproj.io/hook";
const HOOK_DELETE_POLICY: &str = "argocd.argoproj.io/hook-delete-policy";

/// The document comes first: pods of the reference's making read it when they start.
const DOCUMENT: i64 = -2;
/// What pods need beside their claims.
const BASE: i64 = -1;
/// Takes away what is made anew in the last wave.
const LAST_HOOK: i64 = 999;
/// A sync does not wait for its last wave: a node that is behind, or a new one that syncs for hours,
/// holds up nothing there. A fixed number, so that it does not change from render to render.
const LAST: i64 = 1000;
/// How many batches there are waves for.
const MOST_BATCHES: usize = 499;

/// Returns a fleet's objects as Argo CD gets them, by wave.
///
/// # Errors
/// Says so where there are more batches than waves.
pub fn objects(mut fleet: Fleet<'_>, settings: &Settings) -> Result<Vec<Value>, Diagnostic> {
    let schedule = fleet.schedule();
    if schedule.batches.len() > MOST_BATCHES {
        return Err(too_many(&fleet, schedule.batches.len()));
    }
    let document = fleet.delivery.document.iter().cloned();
    let access = if fleet.objects.is_empty() || fleet.delivery.is_stepwise {
        Vec::new()
    } else {
        roll::access(&fleet)
    };
    let hooks = hooks(&fleet, &schedule, settings);
    let desired = std::mem::take(&mut fleet.objects).into_owned();
    let standing = fleet.delivery.standing.iter().cloned();
    let (before, mut objects) = (document.chain(access), Vec::new());
    objects.extend(before.chain(desired).chain(standing));
    let waves = waves(&objects, &schedule.places());
    for (object, wave) in objects.iter_mut().zip(&waves) {
        annotate(object, ARGO_SYNC_WAVE, &wave.to_string());
        // what is known of a fleet without a document is what its objects say
        let is_known = fleet.plan.is_some();
        match guard(object, (&fleet, settings)) {
            Some(options) if is_known => annotate(object, ARGO_SYNC_OPTIONS, options),
            Some(_) => {}
            None => without_annotation(object, ARGO_SYNC_OPTIONS),
        }
    }
    let mut objects: Vec<(i64, Value)> = waves.into_iter().zip(objects).chain(hooks).collect();
    objects.sort_by_key(|(wave, _)| *wave);
    Ok(objects.into_iter().map(|(_, object)| object).collect())
}

/// Returns the wave of each object.
fn waves(objects: &[Value], places: &BTreeMap<&str, usize>) -> Vec<i64> {
    let claims = claims(objects, places);
    let wave = |object: &Value| match text(object, "/kind") {
        "CosmosFullNode" => DOCUMENT,
        "Pod" => pod_wave(text(object, "/metadata/name"), places),
        "PersistentVolumeClaim" => {
            let name = text(object, "/metadata/name");
            claims.get(name).copied().unwrap_or(LAST)
        }
        // it may never get an address, and no pod needs one to run
        "Service" if text(object, "/spec/type") == "LoadBalancer" => LAST,
        _ => BASE,
    };
    objects.iter().map(wave).collect()
}

fn pod_wave(pod: &str, places: &BTreeMap<&str, usize>) -> i64 {
    let batch = places.get(pod).and_then(|k| i64::try_from(*k).ok());
    batch.map_or(LAST, |k| 2 * k + 1)
}

/// Returns the wave of each claim: that of the first pod that mounts it. In an earlier one it would
/// wait for ever where it is bound only once a pod needs it.
fn claims<'v>(objects: &'v [Value], places: &BTreeMap<&str, usize>) -> BTreeMap<&'v str, i64> {
    let wave = |pod: &&Value| pod_wave(text(pod, "/metadata/name"), places);
    members::users(objects)
        .into_iter()
        .filter_map(|(claim, pods)| Some((claim, pods.iter().map(wave).min()?)))
        .collect()
}

/// Returns what keeps an object from being pruned, or from being pruned too early. Argo CD reads this
/// from the live object: it must be there long before it is needed. Pods never have any option.
fn guard(object: &Value, (fleet, settings): (&Fleet<'_>, &Settings)) -> Option<&'static str> {
    match text(object, "/kind") {
        "PersistentVolumeClaim" => Some(claim_guard(fleet.delivery.retains, settings)),
        // pods that go still use them until they are gone
        "ServiceAccount" | "Role" | "RoleBinding" | "CosmosFullNode" => Some("PruneLast=true"),
        _ => None,
    }
}

/// Returns the guard of a fleet's claims.
#[must_use]
pub fn claim_guard(retains: bool, settings: &Settings) -> &'static str {
    match settings.argocd.prune_claims {
        _ if retains => "Prune=false,Delete=false",
        PruneClaims::Allow => "PruneLast=true",
        PruneClaims::Confirm => "Prune=confirm,Delete=confirm,PruneLast=true",
    }
}

/// Returns the hook Jobs, each with its wave: an even number, just before that of its pods.
fn hooks(fleet: &Fleet<'_>, schedule: &Schedule, settings: &Settings) -> Vec<(i64, Value)> {
    let image = settings.roll.image.clone();
    let image = image.unwrap_or_else(roll::default_image);
    let batches = schedule.batches.iter().enumerate();
    let batches = batches.map(|(k, batch)| {
        let wave = i64::try_from(2 * k).unwrap_or(LAST_HOOK);
        (wave, k.to_string(), &batch.renewed)
    });
    batches
        .chain([(LAST_HOOK, "last".to_owned(), &schedule.last)])
        .filter(|(_, _, renewed)| !renewed.is_empty())
        .map(|(wave, part, renewed)| {
            let mut job = roll::job(fleet, &part, renewed, &image);
            annotate(&mut job, HOOK, "Sync");
            annotate(&mut job, HOOK_DELETE_POLICY, "BeforeHookCreation");
            annotate(&mut job, ARGO_SYNC_WAVE, &wave.to_string());
            (wave, job)
        })
        .collect()
}

fn too_many(fleet: &Fleet<'_>, batches: usize) -> Diagnostic {
    let message = format!(
        "{}/{} restarts in {batches} batches, and one sync has waves for {MOST_BATCHES}",
        fleet.namespace, fleet.name
    );
    Diagnostic::error("too-many-batches", message).hint(
        "raise spec.strategy.maxUnavailable, or roll the change out step by step with `--rollout \
         steps`",
    )
}

#[cfg(test)]
mod tests;
