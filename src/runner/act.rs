//! The first wave of a fleet's plan, done. What it comes to shows in the store at once: the next plan
//! is never made from what was before.

use std::collections::BTreeSet;
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
use crate::model::few::few;
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

/// When a fleet has to be looked at again whose first wave was done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// At once.
    Now,
    /// Once a watch tells of a pod that was sent away.
    Gone,
    /// Once one of these pods, which were only just made, is more than made; and until what.
    Up(BTreeSet<String>, String),
}

/// Returns what the first of a plan's waves, done, has to wait for: nothing more can be done before.
pub(super) fn next(waves: &[Wave]) -> Next {
    let Some((wave, later)) = waves.split_first() else {
        return Next::Now;
    };
    // a wave without a gate goes right over into the next, which may be nothing but a wait
    let wait = later.first().filter(|next| next.steps.is_empty());
    let gate = match wait {
        Some(wait) if wave.gate.is_empty() => &wait.gate,
        Some(_) | None => &wave.gate,
    };
    let awaited = wave.steps.iter().filter(|step| {
        let mut gate = gate.iter();
        gate.any(|gate| gate.condition == Condition::PodReady && gate.object == step.object)
    });
    if awaited.clone().any(|step| step.action == Action::Replace) {
        return Next::Gone;
    }
    let made: BTreeSet<String> = awaited
        .filter(|step| step.action == Action::Create)
        .map(|step| step.object.name.clone())
        .collect();
    if made.is_empty() {
        return Next::Now;
    }
    Next::Up(made, few(gate))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Gate, Impact};

    fn pod(name: &str) -> ObjectKey {
        ObjectKey {
            api_version: "v1".to_owned(),
            kind: Kind::Pod,
            namespace: "a".to_owned(),
            name: name.to_owned(),
        }
    }

    fn wave(steps: &[(Action, &str)], ready: &[&str]) -> Wave {
        let step = |&(action, name): &(Action, &str)| Step {
            action,
            object: pod(name),
            ordinal: None,
            impact: Impact::None,
            reasons: Vec::new(),
            changes: Vec::new(),
        };
        let gate = |name: &&str| Gate {
            condition: Condition::PodReady,
            object: pod(name),
        };
        Wave {
            title: String::new(),
            steps: steps.iter().map(step).collect(),
            gate: ready.iter().map(gate).collect(),
        }
    }

    fn up(pods: &[&str], until: &str) -> Next {
        let pods = pods.iter().map(|&name| name.to_owned()).collect();
        Next::Up(pods, until.to_owned())
    }

    #[test]
    fn what_was_made_is_waited_for_by_its_gate_or_by_the_wait_behind_it() {
        let until = "Pod/hub-0 is ready and in sync";
        let made = [(Action::Create, "hub-0")];
        assert_eq!(next(&[wave(&made, &["hub-0"])]), up(&["hub-0"], until));
        let wait = wave(&[], &["hub-0"]);
        assert_eq!(
            next(&[wave(&made, &[]), wait.clone()]),
            up(&["hub-0"], until)
        );
        // what comes behind it can be done at once
        let restart = wave(&[(Action::Replace, "hub-1")], &["hub-1"]);
        assert_eq!(next(&[wave(&made, &[]), restart.clone(), wait]), Next::Now);
        // somebody else is waited for
        assert_eq!(next(&[wave(&made, &[]), wave(&[], &["hub-2"])]), Next::Now);
        assert_eq!(next(&[restart]), Next::Gone);
        assert_eq!(next(&[wave(&made, &[])]), Next::Now);
        assert_eq!(next(&[]), Next::Now);
    }
}
