//! Fleets that have to be looked at again, planned together from what is known now. Asks nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::documents::Document;
use super::shared::Shared;
use super::store::AsSeen;
use crate::apply::Seen;
use crate::diagnostic::Diagnostic;
use crate::model::image::Image;
use crate::model::{FleetKey, ObjectKey, Source};
use crate::pipeline::{self, FleetManifests, Options, Request, Wanted};
use crate::plan::FleetPlan;

/// What a fleet's plan came to.
pub(super) struct Planned {
    pub(super) plan: FleetPlan,
    pub(super) manifests: FleetManifests,
    /// The objects of the plan's steps, as they were when it was made.
    pub(super) seen: BTreeMap<ObjectKey, Seen>,
    /// What it was made from, without private keys.
    pub(super) request: Arc<Request>,
}

/// What came of a fleet: its plan, or why it has none.
pub(super) type Came = Result<Box<Planned>, Vec<Diagnostic>>;

/// How fleets are planned.
#[derive(Debug)]
pub(super) struct How {
    pub(super) refresh: bool,
    /// The image that the checks beside nodes run.
    pub(super) helper_image: Option<Image>,
}

/// Returns what to plan some fleets from: with them come those that take volumes from them, or from
/// which they take some.
pub(super) fn request(
    documents: &BTreeMap<FleetKey, Document>,
    fleets: &BTreeSet<FleetKey>,
    (shared, how): (&Shared, How),
    now: Timestamp,
) -> (Arc<Request>, AsSeen) {
    let mut all = fleets.clone();
    let mut open: Vec<&FleetKey> = fleets.iter().collect();
    while let Some(key) = open.pop() {
        let with = documents
            .get(key)
            .into_iter()
            .flat_map(|document| &document.with);
        for other in with {
            if all.insert(other.clone()) {
                open.push(other);
            }
        }
    }
    let store = shared.store();
    let answers = shared.answers();
    let mut specs: BTreeMap<String, Source> = BTreeMap::new();
    let mut observed = Vec::new();
    for document in all.iter().filter_map(|key| documents.get(key)) {
        let sources = document.sources.iter();
        specs.extend(sources.map(|source| (source.name.clone(), source.clone())));
        let namespace = document.key.namespace.as_str();
        let before = answers.served(namespace).filter_map(|pod| {
            let uid = store.uid_of_pod(namespace, pod);
            let at = answers.served_before(namespace, pod, uid)?;
            let at = at.saturating_sub(SignedDuration::from_secs(1)).ok()?;
            Some((pod.to_owned(), at))
        });
        observed.push(document.observed(&answers.of(&document.key), &before.collect(), now));
    }
    let (snapshot, seen) = store.snapshot(&all, &observed, now);
    drop((store, answers));
    let request = Request {
        specs: specs.into_values().collect(),
        snapshot: Some(vec![snapshot]),
        options: Options {
            keep_going: true,
            refresh: how.refresh,
            helper_image: how.helper_image,
            now: Some(now),
            wanted: Wanted::FirstWave,
            ..Options::default()
        },
    };
    (Arc::new(request), seen)
}

/// Plans. Each fleet that was asked for comes to a plan, or to what is wrong with it.
pub(super) fn plan(
    documents: &BTreeMap<FleetKey, Document>,
    fleets: &BTreeSet<FleetKey>,
    (request, as_seen): &(Arc<Request>, AsSeen),
) -> BTreeMap<FleetKey, Came> {
    let ran = pipeline::run(request);
    let (plans, manifests) = match ran.value {
        Some(outcome) => (outcome.plan.fleets, outcome.manifests),
        None => (Vec::new(), Vec::new()),
    };
    let mut manifests: BTreeMap<FleetKey, FleetManifests> = manifests
        .into_iter()
        .map(|of| (of.fleet.clone(), of))
        .collect();
    let mut came: BTreeMap<FleetKey, Came> = BTreeMap::new();
    for plan in plans {
        let key = plan.key();
        let Some(manifests) = manifests.remove(&key).filter(|_| fleets.contains(&key)) else {
            continue;
        };
        let first = plan.waves.first().into_iter().flat_map(|wave| &wave.steps);
        let seen = first
            .filter_map(|step| Some((step.object.clone(), as_seen.get(&step.object)?.clone())))
            .collect();
        let planned = Planned {
            plan,
            manifests,
            seen,
            request: Arc::clone(request),
        };
        came.insert(key, Ok(Box::new(planned)));
    }
    for key in fleets {
        came.entry(key.clone()).or_insert_with(|| {
            let sources = documents
                .get(key)
                .map_or(&[][..], |document| &document.sources);
            Err(faults_of(key, sources, &ran.diagnostics))
        });
    }
    came
}

/// Returns the faults of one fleet among those of all: those in its documents, and those that name
/// it; all of them where none does.
fn faults_of(key: &FleetKey, sources: &[Source], all: &[Diagnostic]) -> Vec<Diagnostic> {
    let is_its = |fault: &&Diagnostic| {
        let place = fault.place.as_ref();
        place.is_some_and(|place| sources.iter().any(|one| one.name == place.file))
            || fault.message.contains(&key.to_string())
    };
    let its: Vec<Diagnostic> = all.iter().filter(is_its).cloned().collect();
    if its.is_empty() { all.to_vec() } else { its }
}
