//! A fleet for Flux: one Kustomization for each instance and one for all that they share, chained in
//! the order of the plan. An object that moved from one Kustomization to another would be deleted by
//! the one that it leaves, so that what is in which never changes.

mod resource_set;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::parts::{Part, parts};
use super::schedule::Schedule;
use super::{Fleet, annotate, text, without_annotation};
use crate::model::names::{self, FLUX_FORCE, FLUX_PRUNE};
use crate::plan::{Action, FleetPlan};
use crate::render::{Tree, manifests};
use crate::settings::{FluxForm, Settings};

/// What annotations say to kustomize-controller to be heard.
const ENABLED: &str = "enabled";
pub(super) const DISABLED: &str = "disabled";

/// How long a pod takes to start, where the settings do not say, in seconds.
const START: u64 = 600;
/// How long one may take beyond its estimates.
const MARGIN: u64 = 300;
/// What a Kustomization's name may be long: its objects bear it as a label.
const NAME_LIMIT: usize = 63;
/// How much of a digest stands in a path.
const DIGITS: usize = 12;
/// Where the Kustomizations lie, and where what they apply.
const KUSTOMIZATIONS: &str = "kustomizations";
const MANIFESTS: &str = "manifests";

/// Returns the files for Flux: `kustomizations/` (or `resourcesets/`) for whoever applies such objects
/// already, and below `manifests/` what each Kustomization applies. `path` leads from the source's root
/// to these files.
#[must_use]
pub fn tree(fleets: &[Fleet<'_>], settings: &Settings, path: &str) -> Tree {
    let mut tree = Tree::new();
    for fleet in fleets {
        let mut chain = Vec::new();
        for unit in units(fleet) {
            let files = files(&unit, fleet);
            let folder = folder(&unit, fleet, &files);
            let object = kustomization(&unit, fleet, settings, &below(path, &folder));
            chain.push(object);
            let files = files.into_iter();
            tree.extend(files.map(|(name, text)| (format!("{folder}/{name}"), text)));
        }
        if !chain.is_empty() {
            let file = format!("{}.{}.yaml", fleet.namespace, fleet.name);
            let (folder, chain) = match settings.flux.form {
                FluxForm::Kustomizations => (KUSTOMIZATIONS, chain),
                FluxForm::ResourceSet => {
                    let whole = resource_set::of(&chain, &name_of(fleet.namespace, fleet.name));
                    (resource_set::FOLDER, vec![whole])
                }
            };
            let documents = chain.iter().map(manifests::document);
            let texts = documents.flat_map(|text| ["---\n".to_owned(), text]);
            tree.insert(format!("{folder}/{file}"), texts.collect());
        }
    }
    tree
}

/// One Kustomization and what is in it.
struct Unit {
    name: String,
    /// What the folder of its objects is called, but for the digest.
    part: String,
    objects: Vec<Value>,
    depends_on: BTreeSet<String>,
    /// Whether its objects must be ready for it to be.
    waits: bool,
    timeout: u64,
}

fn units(fleet: &Fleet<'_>) -> Vec<Unit> {
    let schedule = fleet.schedule();
    let forced: BTreeSet<&str> = schedule
        .batches
        .iter()
        .flat_map(|batch| &batch.renewed)
        .chain(&schedule.last)
        .map(String::as_str)
        .collect();
    let all = parts(fleet);
    let order = order(&all, &schedule, fleet.plan);
    let base = all.iter().any(|part| part.instance.is_none());
    let base = base.then(|| base_of(fleet));
    all.into_iter()
        .map(|part| {
            let name = match &part.instance {
                Some(instance) => name_of(fleet.namespace, instance),
                None => base_of(fleet),
            };
            let depends_on = match &part.instance {
                Some(instance) => {
                    let awaited = before(instance, &order, fleet);
                    awaited.chain(base.clone()).collect()
                }
                None => BTreeSet::new(),
            };
            let objects: Vec<Value> = part
                .objects
                .into_iter()
                .map(|object| marked(object, fleet, &forced))
                .collect();
            Unit {
                name,
                // a load balancer without an address is no reason to hold pods up, and a status that
                // nobody writes any more would never agree with its document
                waits: part.instance.is_some(),
                timeout: longest(&objects, fleet),
                part: part.instance.unwrap_or_else(|| "base".to_owned()),
                objects,
                depends_on,
            }
        })
        .collect()
}

/// Which instance comes when.
struct Order {
    /// The batch of each instance that is in one.
    batches: BTreeMap<String, usize>,
    /// Instances that come after all batches: new ones.
    last: BTreeSet<String>,
}

fn order(parts: &[Part], schedule: &Schedule, plan: Option<&FleetPlan>) -> Order {
    let places = schedule.places();
    let steps = plan.into_iter().flat_map(FleetPlan::steps);
    let created: BTreeSet<&str> = steps
        .filter(|step| step.action == Action::Create)
        .map(|step| step.object.name.as_str())
        .collect();
    let (mut batches, mut last) = (BTreeMap::new(), BTreeSet::new());
    for part in parts {
        let Some(instance) = &part.instance else {
            continue;
        };
        let pods = || {
            let objects = part.objects.iter();
            let pods = objects.filter(|object| object["kind"] == "Pod");
            pods.map(|pod| text(pod, "/metadata/name"))
        };
        // an additional pod moves with its main pod
        let batch = pods().filter_map(|pod| places.get(pod)).max();
        match batch {
            Some(batch) => {
                batches.insert(instance.clone(), *batch);
            }
            None if pods().any(|pod| created.contains(pod)) => {
                last.insert(instance.clone());
            }
            None => {}
        }
    }
    Order { batches, last }
}

/// Returns the Kustomizations that an instance waits for. Each waits for a whole batch; where one is
/// empty, for the one before.
fn before(instance: &str, order: &Order, fleet: &Fleet<'_>) -> impl Iterator<Item = String> {
    let end = match order.batches.get(instance) {
        Some(batch) => *batch,
        None if order.last.contains(instance) => usize::MAX,
        None => 0,
    };
    let former = order.batches.values().filter(|batch| **batch < end).max();
    let awaited = order
        .batches
        .iter()
        .filter(move |(_, k)| Some(*k) == former);
    awaited.map(|(other, _)| name_of(fleet.namespace, other))
}

/// Marks an object with what Flux may do to it. Only pods that restart may ever be made anew: a claim
/// would be, empty, where its owner asks for less.
fn marked(mut object: Value, fleet: &Fleet<'_>, forced: &BTreeSet<&str>) -> Value {
    without_annotation(&mut object, FLUX_FORCE);
    match text(&object, "/kind") {
        "Pod" if forced.contains(text(&object, "/metadata/name")) => {
            annotate(&mut object, FLUX_FORCE, ENABLED);
        }
        "PersistentVolumeClaim" if fleet.delivery.retains => {
            annotate(&mut object, FLUX_PRUNE, DISABLED);
        }
        "PersistentVolumeClaim" if fleet.plan.is_some() => {
            without_annotation(&mut object, FLUX_PRUNE);
        }
        _ => {}
    }
    object
}

/// Returns how long a Kustomization's pods may take to stop, in seconds.
fn longest(objects: &[Value], fleet: &Fleet<'_>) -> u64 {
    let pods = objects.iter().filter(|object| object["kind"] == "Pod");
    u64::try_from(fleet.longest_grace(pods)).unwrap_or_default()
}

fn files(unit: &Unit, fleet: &Fleet<'_>) -> Tree {
    let mut files: Tree = unit
        .objects
        .iter()
        .map(|object| manifests::file(object, fleet.namespace))
        .collect();
    let resources: Vec<&String> = files.keys().collect();
    let index = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": resources,
    });
    files.insert("kustomization.yaml".to_owned(), manifests::document(&index));
    files
}

/// Returns the folder of a Kustomization's objects. Its name tells its content and what comes before
/// it: one that is applied with the order of yesterday finds nothing of today.
fn folder(unit: &Unit, fleet: &Fleet<'_>, files: &Tree) -> String {
    let whole = json!([files, unit.depends_on]).to_string();
    let digest = crate::render::digest(&whole);
    format!(
        "{MANIFESTS}/{}/{}/{}-{}",
        fleet.namespace,
        fleet.name,
        unit.part,
        &digest[..DIGITS]
    )
}

fn kustomization(unit: &Unit, fleet: &Fleet<'_>, settings: &Settings, path: &str) -> Value {
    let flux = &settings.flux;
    let estimates = settings
        .estimates
        .of(&format!("{}/{}", fleet.namespace, fleet.name));
    let seconds = |estimate: Option<crate::model::duration::Duration>| estimate.map(|e| e.seconds);
    let start = seconds(estimates.start).unwrap_or(START);
    let sync = seconds(estimates.sync).unwrap_or_default();
    let timeout = unit.timeout + start + sync + MARGIN;
    let mut object = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {
            "name": unit.name,
            "namespace": flux.namespace,
            "labels": {
                "app.kubernetes.io/managed-by": names::US,
            },
        },
        "spec": {
            "interval": "10m",
            "retryInterval": "1m",
            "timeout": format!("{timeout}s"),
            "path": path,
            "prune": true,
            "wait": unit.waits,
            "sourceRef": {"kind": flux.source_kind, "name": flux.source_name},
        },
    });
    if let Some(namespace) = &flux.source_namespace {
        object["spec"]["sourceRef"]["namespace"] = json!(namespace);
    }
    if !unit.depends_on.is_empty() {
        let names = unit.depends_on.iter().map(|name| json!({"name": name}));
        object["spec"]["dependsOn"] = names.collect();
    }
    object
}

fn base_of(fleet: &Fleet<'_>) -> String {
    name_of(fleet.namespace, &format!("{}.base", fleet.name))
}

/// Returns a Kustomization's name. All lie in one namespace, so it tells the fleet's; an instance's
/// name ends in its place, so that none is like that of a base.
fn name_of(namespace: &str, part: &str) -> String {
    let whole = format!("{namespace}.{part}");
    if whole.len() <= NAME_LIMIT {
        return whole;
    }
    let hash = crate::render::digest(&whole);
    let kept: String = whole.chars().take(NAME_LIMIT - DIGITS - 1).collect();
    format!("{}-{}", kept.trim_end_matches(['-', '.']), &hash[..DIGITS])
}

fn below(path: &str, folder: &str) -> String {
    let path = path.trim_start_matches("./").trim_matches('/');
    if path.is_empty() || path == "." {
        format!("./{folder}")
    } else {
        format!("./{path}/{folder}")
    }
}

#[cfg(test)]
mod tests;
