//! The first wave of a fleet's plan, done. What it comes to shows in the store at once: the next plan
//! is never made from what was before.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Client;
use tokio::sync::watch as signal;
use tokio::time::{Instant, timeout};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::plan::Planned;
use super::shared::Shared;
use crate::apply::step::{self, Due};
use crate::apply::{Fault, Outcome};
use crate::model::{FleetKey, Kind, ObjectKey};
use crate::pipeline::Manifests;
use crate::plan::{Action, Condition, Step, Wave};

/// A request that takes longer may have come to nothing, or not: the next plan tells.
const PATIENCE: Duration = Duration::from_secs(60);

/// Does the steps of the first wave, one after the other, until one cannot be done. Who loses the Lease
/// meanwhile stops.
///
/// # Errors
/// Returns the step that could not be done, and why.
pub(super) async fn wave(
    (client, holds): (&Client, &signal::Receiver<bool>),
    shared: &Arc<Shared>,
    planned: &Planned,
    owner: Option<&OwnerReference>,
) -> Result<(), (ObjectKey, Fault)> {
    let Some(wave) = planned.plan.waves.first() else {
        return Ok(());
    };
    Span::current().record("wave", &wave.title);
    let fleet = planned.plan.key();
    let manifests = Manifests::of(&planned.manifests);
    let began = Instant::now();
    for step in &wave.steps {
        let due = Due {
            step,
            wanted: manifests.wanted(step),
            seen: planned.seen.get(&step.object),
            owner: owner.filter(|_| is_owned(step.object.kind)),
        };
        if !*holds.borrow() {
            return Err((
                step.object.clone(),
                Fault::away("this replica does not act any more"),
            ));
        }
        let span = trace(step);
        let done = timeout(PATIENCE, step::take(client, due).instrument(span.clone())).await;
        let done = done.unwrap_or_else(|_| Err(Fault::away("the API server does not answer")));
        let done = done.map_err(|fault| {
            span.record("otel.status_code", "ERROR");
            span.record("otel.status_description", fault.to_string());
            (step.object.clone(), fault)
        })?;
        span.record("outcome", done.outcome.word());
        tell(&fleet, step, done.outcome);
        shared
            .metrics
            .stepped(step.action.word(), step.object.kind.as_str());
        let mut store = shared.store();
        match done.object {
            Some(object) => {
                store.take(step.object.kind, object);
            }
            None if done.is_gone => store.deleted(&step.object),
            None => store.leaving(&step.object),
        }
    }
    shared.metrics.waved(began.elapsed());
    Ok(())
}

/// Tells whether a wave that was done ends with a wait for a pod which it has only just made, or has
/// sent away: nothing more can be done before a watch tells of that pod.
pub(super) fn awaits_news(wave: &Wave) -> bool {
    let is_new = |step: &&Step| matches!(step.action, Action::Create | Action::Replace);
    let mut new = wave.steps.iter().filter(is_new);
    new.any(|step| {
        let mut gate = wave.gate.iter();
        gate.any(|gate| gate.condition == Condition::PodReady && gate.object == step.object)
    })
}

/// What is not data goes with its document. Claims go by what the document says of them, and never
/// just because nobody owns them any more (design.md, safety rule 6).
fn is_owned(kind: Kind) -> bool {
    match kind {
        Kind::ServiceAccount
        | Kind::Role
        | Kind::RoleBinding
        | Kind::Service
        | Kind::ConfigMap
        | Kind::Pod => true,
        Kind::StorageClass
        | Kind::PersistentVolume
        | Kind::VolumeSnapshot
        | Kind::CosmosFullNode
        | Kind::NodeIdentities
        | Kind::Secret
        | Kind::PersistentVolumeClaim => false,
    }
}

/// Begins what a trace shows of a step.
fn trace(step: &Step) -> Span {
    let reasons = step.reasons.iter().map(|reason| reason.code);
    tracing::debug_span!(
        "step",
        object = %step.object,
        action = step.action.word(),
        reasons = reasons.collect::<Vec<_>>().join(","),
        outcome = Empty,
        otel.status_code = Empty,
        otel.status_description = Empty,
    )
}

/// Writes the line about a step.
fn tell(fleet: &FleetKey, step: &Step, outcome: Outcome) {
    let reasons = step.reasons.iter().map(|reason| reason.code);
    let because = step.reasons.first().map_or("", |reason| &reason.message);
    tracing::info!(
        fleet = %fleet,
        object = %step.object,
        action = step.action.word(),
        outcome = outcome.word(),
        reasons = reasons.collect::<Vec<_>>().join(","),
        because,
        "step done"
    );
}
