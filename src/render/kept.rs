//! What an applier gets to see: a pod that is not due repeats the immutable fields of the live
//! one, so that no applier finds a difference that it would have to replace the pod for.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::desired::Role;
use crate::diff::{Comparison, Difference, Differences, Standing};
use crate::model::quantity::Amount;
use crate::model::{Kind, ObjectKey, names};
use crate::plan::{Action, Change, Effect, FleetPlan, MUST_HALT_FIRST, Wave};

/// What the reference's revision label of a ConfigMap becomes when we write another config.
const WRITTEN_OVER: &str = "changed-by-cosmos-render";

/// Which objects are wanted.
#[derive(Debug)]
pub enum Due<'p> {
    /// All of them.
    All,
    /// Those of some steps.
    Some(BTreeSet<&'p ObjectKey>),
}

impl<'p> Due<'p> {
    /// Returns the objects of a wave's steps; none where there is no wave.
    #[must_use]
    pub fn of(wave: Option<&'p Wave>) -> Self {
        let steps = wave.into_iter().flat_map(|wave| &wave.steps);
        Self::Some(steps.map(|step| &step.object).collect())
    }

    fn has(&self, object: &ObjectKey) -> bool {
        match self {
            Self::All => true,
            Self::Some(objects) => objects.contains(object),
        }
    }
}

/// Returns a fleet's objects in the order in which they are applied: what the plan does not do is
/// not rendered either, but for nodes that must halt first where all is asked for as it should be
/// (`--refresh`): of those it warns. Objects that belong to somebody else are left out.
#[must_use]
pub fn settle(differences: &Differences<'_, '_>, plan: &FleetPlan, due: &Due<'_>) -> Vec<Value> {
    let steps = plan.steps();
    let changed: BTreeSet<(Kind, &str)> = steps
        .filter(|step| match step.action {
            Action::Replace => true,
            // a patch of labels alone leaves a config as it is
            Action::Patch => step
                .changes
                .iter()
                .any(|change| change.path.starts_with("data")),
            Action::Create | Action::Delete => false,
        })
        .map(|step| (step.object.kind, step.object.name.as_str()))
        .collect();
    let warned_of: BTreeSet<&str> = plan
        .warnings
        .iter()
        .filter(|notice| notice.code == MUST_HALT_FIRST)
        .filter_map(|notice| Some(notice.object.as_ref()?.name.as_str()))
        .collect();
    let created = created(plan);
    let without_config = without_config(differences);
    let is_kept = |difference: &Difference<'_, '_>| {
        let key = &difference.manifest.key;
        !changed.contains(&(key.kind, key.name.as_str())) && !warned_of.contains(key.name.as_str())
    };
    differences
        .objects
        .iter()
        .filter(|difference| due.has(&difference.manifest.key))
        .filter(|difference| difference.standing != Standing::Foreign)
        .filter(|difference| !must_not_come_yet(difference, &created))
        .map(|difference| {
            let body = match (&difference.standing, difference.manifest.role) {
                (Standing::Present(comparison), Role::Pod | Role::AdditionalPod)
                    if is_kept(difference) =>
                {
                    let mut body = pod(difference, comparison);
                    if without_config.contains(difference.manifest.key.name.as_str()) {
                        keep_revision(&mut body, difference);
                    }
                    body
                }
                (Standing::Present(comparison), Role::Config) => {
                    config(difference, comparison, is_kept(difference))
                }
                (Standing::Present(_) | Standing::Terminating, Role::Claim) => claim(difference),
                _ => difference.manifest.body.clone(),
            };
            marked(body, difference)
        })
        .collect()
}

/// Marks an object with the hash of what is wanted of it, where that is what is written. One that
/// stays behind keeps the mark that it has: else the rest would look like somebody's edit later.
fn marked(mut body: Value, difference: &Difference<'_, '_>) -> Value {
    let wanted = &difference.manifest.body;
    let parts = ["spec", "data", "rules", "subjects", "roleRef"];
    let is_whole = parts.iter().all(|part| body.get(part) == wanted.get(part));
    let former = difference
        .live
        .and_then(|live| live.annotation(names::ASKED));
    let mark = if is_whole {
        Some(difference.manifest.digest())
    } else {
        former.map(str::to_owned)
    };
    let annotations = body["metadata"]["annotations"].as_object_mut();
    if let (Some(mark), Some(annotations)) = (mark, annotations) {
        annotations.insert(names::ASKED.to_owned(), json!(mark));
    }
    body
}

/// The instances whose config nobody saw: it is gone, or was not captured.
fn without_config<'d>(differences: &Differences<'d, '_>) -> BTreeSet<&'d str> {
    let missing = differences
        .objects
        .iter()
        .filter(|d| d.manifest.role == Role::Config && d.standing == Standing::Missing);
    missing.map(|d| d.manifest.key.name.as_str()).collect()
}

fn created(plan: &FleetPlan) -> BTreeSet<&ObjectKey> {
    let steps = plan.steps();
    let created = steps.filter(|step| step.action == Action::Create);
    created.map(|step| &step.object).collect()
}

/// A claim that is gone and that no step makes would come back empty; and one on its way out that
/// is made anew would come back as it was. A pod that no step makes lacks what it starts with.
fn must_not_come_yet(difference: &Difference<'_, '_>, created: &BTreeSet<&ObjectKey>) -> bool {
    let is_created = created.contains(&difference.manifest.key);
    match (difference.manifest.role, &difference.standing) {
        (Role::Claim | Role::Pod | Role::AdditionalPod, Standing::Missing)
        | (Role::Pod | Role::AdditionalPod, Standing::Terminating) => !is_created,
        (Role::Claim, Standing::Terminating) => is_created,
        (_, Standing::Foreign | Standing::Present(_))
        | (Role::Access | Role::Service | Role::Config, _) => false,
    }
}

/// Returns the objects that the plan makes anew under names that are still taken: they can be
/// applied only where the plan creates them, once those before them are gone. Until then
/// [`settle`] gives them as they are.
#[must_use]
pub fn made_anew(differences: &Differences<'_, '_>, plan: &FleetPlan, due: &Due<'_>) -> Vec<Value> {
    let created = created(plan);
    let is_taken = |difference: &&Difference<'_, '_>| {
        let key = &difference.manifest.key;
        difference.live.is_some() && created.contains(key) && due.has(key)
    };
    let objects = differences.objects.iter().filter(is_taken);
    objects
        .map(|d| marked(d.manifest.body.clone(), d))
        .collect()
}

fn pod(difference: &Difference<'_, '_>, comparison: &Comparison) -> Value {
    let mut body = difference.manifest.body.clone();
    let Some(live) = difference.live else {
        return body;
    };
    let revision = difference
        .manifest
        .pod
        .as_ref()
        .map(|notes| notes.revision.as_str());
    // an adopted pod carries our revision as an annotation, but not in its environment
    let is_of_revision = revision
        .is_some_and(|revision| live.spec.is_some_and(|spec| spec.get().contains(revision)));
    let differs =
        |change: &Change| change.effect != Effect::InPlace && change.path.starts_with("spec.");
    if !is_of_revision || comparison.changes.iter().any(differs) {
        let mut spec = live.spec_tree();
        without_what_the_cluster_adds(&mut spec, &body["spec"]);
        let tolerates_more =
            |change: &Change| change.path == "spec.tolerations" && change.effect == Effect::InPlace;
        if comparison.changes.iter().any(tolerates_more) {
            spec["tolerations"] = body["spec"]["tolerations"].clone();
        }
        body["spec"] = spec;
    }
    if comparison.is_restart() {
        // it waits with a restart due: it must not claim to be what it is not yet
        keep_revision(&mut body, difference);
    }
    body
}

/// Leaves a pod the revision that it has, if any. One whose config nobody saw gets none either: what
/// it was started with is not known, and once its config is written anew nothing else tells that it
/// has not taken that up (design.md, safety rule 8).
fn keep_revision(body: &mut Value, difference: &Difference<'_, '_>) {
    let live = difference.live;
    let revision = live.and_then(|live| live.annotation(names::REVISION));
    let annotations = body["metadata"]["annotations"].as_object_mut();
    match (revision, annotations) {
        (None, Some(annotations)) => {
            annotations.remove(names::REVISION);
        }
        (Some(revision), Some(annotations)) => {
            annotations.insert(names::REVISION.to_owned(), json!(revision));
        }
        (_, None) => {}
    }
}

/// Takes out what is the cluster's own to fill in: where the pod runs, its token, and what
/// admission adds. Defaults stay; they are no difference to anybody.
pub(super) fn without_what_the_cluster_adds(spec: &mut Value, wanted: &Value) {
    const TOKEN: &str = "kube-api-access-";
    let Some(members) = spec.as_object_mut() else {
        return;
    };
    for field in [
        "nodeName",
        "serviceAccount",
        "priority",
        "preemptionPolicy",
        "imagePullSecrets",
    ] {
        if wanted.get(field).is_none() {
            members.remove(field);
        }
    }
    members.remove("ephemeralContainers");
    let starts = |item: &Value, field: &str, prefix: &str| {
        item[field]
            .as_str()
            .is_some_and(|text| text.starts_with(prefix))
    };
    retain(members.get_mut("volumes"), |volume| {
        !starts(volume, "name", TOKEN)
    });
    retain(members.get_mut("tolerations"), |t| {
        !starts(t, "key", "node.kubernetes.io/")
    });
    for part in ["initContainers", "containers"] {
        let containers = members.get_mut(part).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            retain(container.get_mut("volumeMounts"), |mount| {
                !starts(mount, "name", TOKEN)
            });
        }
    }
    members.retain(|_, value| !matches!(value, Value::Array(items) if items.is_empty()));
}

fn retain(list: Option<&mut Value>, keep: impl Fn(&Value) -> bool) {
    if let Some(items) = list.and_then(Value::as_array_mut) {
        items.retain(keep);
    }
}

/// A claim that is there repeats what cannot change; it only grows. One that is to be made anew
/// stays as it is: what it is to become cannot be applied over it.
fn claim(difference: &Difference<'_, '_>) -> Value {
    let mut body = difference.manifest.body.clone();
    let Some(live) = difference.live else {
        return body;
    };
    let (mark, former) = (names::REPLACES, live.annotation(names::REPLACES));
    let annotations = body["metadata"]["annotations"].as_object_mut();
    // only a claim to come bears the mark before it is there
    let is_made_anew = annotations.is_some_and(|all| match former {
        Some(former) => all
            .insert(mark.to_owned(), json!(former))
            .is_some_and(|v| v != former),
        None => all.remove(mark).is_some(),
    });
    let live = live.spec_tree();
    let fixed = [
        "accessModes",
        "dataSource",
        "dataSourceRef",
        "storageClassName",
        "volumeMode",
        "volumeName",
    ];
    if is_made_anew || is_smaller(&body["spec"], &live) {
        body["spec"]["resources"] = live["resources"].clone();
    }
    let Some(spec) = body["spec"].as_object_mut() else {
        return body;
    };
    for field in fixed {
        match live.get(field) {
            Some(value) => spec.insert(field.to_owned(), value.clone()),
            None => spec.remove(field),
        };
    }
    body
}

/// Tells whether less storage is asked for than the claim asks for now.
fn is_smaller(wanted: &Value, live: &Value) -> bool {
    let size = |spec: &Value| {
        let text = spec["resources"]["requests"]["storage"].as_str()?;
        Amount::parse(text).ok()
    };
    matches!((size(wanted), size(live)), (Some(wanted), Some(live)) if wanted < live)
}

/// The reference's pods tell by this label whether they run the live config. Once we write another
/// config under them, the label must not say that they do: else a rollout that is interrupted
/// after the ConfigMap would never restart them (design.md, safety rule 8).
fn config(difference: &Difference<'_, '_>, comparison: &Comparison, is_kept: bool) -> Value {
    let mut body = difference.manifest.body.clone();
    let Some(live) = difference.live else {
        return body;
    };
    let differs = comparison.has(Effect::Restart) || comparison.has(Effect::NextRestart);
    if is_kept && differs {
        let files = live
            .data
            .iter()
            .map(|(file, text)| (file.to_string(), json!(text)));
        body["data"] = Value::Object(files.collect());
        // it tells of the address in those files
        let named = live.annotation(names::NAMED_ADDRESS);
        if let Some(annotations) = body["metadata"]["annotations"].as_object_mut() {
            annotations.remove(names::NAMED_ADDRESS);
            annotations.extend(named.map(|text| (names::NAMED_ADDRESS.to_owned(), json!(text))));
        }
        return body;
    }
    let label = live.label(names::REFERENCE_REVISION);
    let is_written_over = label.is_some() && comparison.has(Effect::Restart);
    // once there it stays: an applier would take away what it no longer finds
    if is_written_over || label == Some(WRITTEN_OVER) {
        body["metadata"]["labels"][names::REFERENCE_REVISION] = json!(WRITTEN_OVER);
    }
    body
}
