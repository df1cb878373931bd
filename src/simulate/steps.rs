//! A plan's steps, done to the model cluster; and what is wrong where one cannot be done, or must
//! not. Knows nothing of how plans are made: what it holds steps against, it reads itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::admission;
use super::fleet::claimed;
use super::log::What;
use super::objects::{Id, foreign_finalizer, id_of, is_leaving, label, put, text};
use super::pod::{Name, Pod, Stage, belongs_to, claims};
use super::world::World;
use crate::model::quantity::Amount;
use crate::model::{FleetKey, Kind, names};
use crate::plan::{Action, Step};

impl World {
    /// Does the steps of a wave side by side; who is away afterwards because of them is held against
    /// the budget.
    pub(super) fn apply(&mut self, fleet: &FleetKey, steps: &[(&Step, Option<&Value>)]) {
        let before = self.census(fleet).available;
        let beside = self.serving_beside(fleet);
        self.record.is_busy |= !steps.is_empty();
        for (step, manifest) in steps {
            self.step(fleet, step, *manifest);
        }
        self.judge_budget(fleet, &before);
        self.judge_budget_beside(fleet, &beside);
    }

    fn step(&mut self, fleet: &FleetKey, step: &Step, manifest: Option<&Value>) {
        let id = id_of(&step.object);
        if step.reasons.is_empty() {
            self.breach(fleet, format!("{} has a step without a reason", label(&id)));
        }
        if !self.may_touch(fleet, step, &id) {
            return;
        }
        let needs = step.action != Action::Delete && !is_without_manifest(step);
        if needs && manifest.is_none() {
            self.breach(fleet, format!("{} has a step and no manifest", label(&id)));
            return;
        }
        match (step.action, manifest) {
            (Action::Create, Some(manifest)) => self.step_create(fleet, &id, manifest),
            (Action::Patch, _) if is_without_manifest(step) => self.step_take(fleet, step, &id),
            (Action::Patch, Some(manifest)) => self.step_patch(fleet, &id, manifest),
            (Action::Replace, Some(manifest)) => self.step_replace(fleet, (step, &id), manifest),
            (Action::Delete, _) => self.step_delete(fleet, &id),
            (Action::Create | Action::Patch | Action::Replace, None) => {}
        }
    }

    /// Returns whether a step may be done at all: its object is there, or is not, and is ours.
    fn may_touch(&mut self, fleet: &FleetKey, step: &Step, id: &Id) -> bool {
        let live = self.objects.get(id);
        let wrong = match (step.action, live) {
            (Action::Create, Some(live)) if !is_leaving(live) => {
                Some("is created though it is there")
            }
            (Action::Create, _) => None,
            (Action::Patch, None) => Some("is changed though it is not there"),
            (Action::Replace, None) => Some("is replaced though it is not there"),
            (Action::Delete, None) => Some("is deleted though it is not there"),
            (Action::Replace, Some(_)) if step.object.kind != Kind::Pod => {
                Some("is replaced though it is no pod")
            }
            (_, Some(live)) if !self.is_ours(fleet, id, live) => {
                Some("is changed or deleted though it is not the fleet's")
            }
            (_, Some(live)) if is_leaving(live) && step.action != Action::Patch => {
                Some("is deleted though it is on its way out")
            }
            (Action::Patch | Action::Replace | Action::Delete, Some(_)) => None,
        };
        match wrong {
            Some(wrong) => {
                self.breach(fleet, format!("{} {wrong}", label(id)));
                false
            }
            None => true,
        }
    }

    fn is_ours(&self, fleet: &FleetKey, id: &Id, live: &Value) -> bool {
        let former = self
            .fleets
            .get(fleet)
            .and_then(|fleet| fleet.former.clone());
        let is_ours = |live: &Value| {
            let name = claimed(live).unwrap_or_default();
            let is_former = former.as_ref().is_some_and(|former| former.name == name);
            // a label holds 63 characters of a long name
            let is_trimmed = name.len() == 63 && fleet.name.get(..31) == name.get(..31);
            name == fleet.name || is_former || is_trimmed
        };
        if id.0 == "PersistentVolume" {
            let promised = &live["spec"]["claimRef"];
            let claim = text(&promised["name"]).to_owned();
            let claim = super::kubelet::claim_id(&fleet.namespace, claim);
            let is_here = promised["namespace"] == fleet.namespace.as_str();
            return is_here && self.objects.get(&claim).is_none_or(is_ours);
        }
        id.1 == fleet.namespace && is_ours(live)
    }

    fn step_create(&mut self, fleet: &FleetKey, id: &Id, manifest: &Value) {
        self.record.created.push(label(id));
        if id.0 == "Pod" {
            self.judge_pod(fleet, manifest);
            self.count_return(fleet, manifest);
        } else {
            self.log.note(fleet, What::Made(id.0.clone()), &id.2);
        }
        if self.objects.get(id).is_some() {
            self.pending.insert(id.clone(), manifest.clone());
        } else {
            self.create(manifest.clone());
        }
    }

    /// A pod that a plan stopped and starts again has restarted.
    fn count_return(&mut self, fleet: &FleetKey, manifest: &Value) {
        let name: Name = (
            fleet.namespace.clone(),
            text(&manifest["metadata"]["name"]).to_owned(),
        );
        let instance = self
            .fleets
            .get(fleet)
            .map(|fleet| fleet.instance_of(&name.1));
        let instance = instance.unwrap_or_else(|| name.1.clone());
        if self.stopped.remove(&(fleet.clone(), instance)) {
            self.record.restarts.push((fleet.clone(), name));
        }
    }

    fn step_patch(&mut self, fleet: &FleetKey, id: &Id, manifest: &Value) {
        let Some(live) = self.objects.get(id) else {
            return;
        };
        if id.0 == "PersistentVolumeClaim" {
            let size = |object: &Value| {
                let size = object["spec"]["resources"]["requests"]["storage"].as_str();
                size.and_then(|size| Amount::parse(size).ok())
            };
            if size(live)
                .zip(size(manifest))
                .is_some_and(|(from, to)| to < from)
            {
                self.breach(fleet, format!("{} shrinks", label(id)));
                return;
            }
        }
        let Some(live) = self.objects.get(id) else {
            return;
        };
        let mut object = admission::patched(live, manifest);
        let number = self.number();
        let version = Value::from((900_000 + number).to_string());
        put(&mut object, &["metadata", "resourceVersion"], version);
        self.objects.insert(object);
        self.log.note(fleet, What::Changed(id.0.clone()), &id.2);
        if id.0 == "PersistentVolumeClaim" {
            self.grows(id);
        }
    }

    /// Changes what no manifest holds: volumes, and what is taken over from an operator.
    fn step_take(&mut self, fleet: &FleetKey, step: &Step, id: &Id) {
        let is_volume = step.object.kind == Kind::PersistentVolume;
        let Some(object) = self.objects.get_mut(id) else {
            return;
        };
        if is_volume {
            for change in &step.changes {
                let path: Vec<&str> = change.path.split('.').collect();
                put(object, &path, change.to.clone().unwrap_or_default());
            }
        } else {
            let mark = format!("metadata.annotations[{}]", names::FLEET);
            let marked = step.changes.iter().find(|change| change.path == mark);
            let marked = marked.and_then(|change| change.to.as_ref()?.as_str());
            let name = marked.unwrap_or(&fleet.name).to_owned();
            let before = claimed(object).map(str::to_owned);
            let name = if marked.is_some() {
                name
            } else {
                before.unwrap_or(name)
            };
            admission::release(object, &name);
        }
        self.log.note(fleet, What::Changed(id.0.clone()), &id.2);
    }

    fn step_replace(&mut self, fleet: &FleetKey, (step, id): (&Step, &Id), manifest: &Value) {
        let name: Name = (id.1.clone(), id.2.clone());
        self.judge_pod(fleet, manifest);
        let why = step
            .reasons
            .iter()
            .map(|why| format!("{}: {}", id.2, why.message));
        self.record.reasons.extend(why);
        self.record.restarts.push((fleet.clone(), name.clone()));
        self.log.note(fleet, What::Restarts, &id.2);
        self.pending.insert(id.clone(), manifest.clone());
        self.leave(&name);
    }

    fn step_delete(&mut self, fleet: &FleetKey, id: &Id) {
        self.record.deleted.push(label(id));
        match id.0.as_str() {
            "Pod" => {
                let name: Name = (id.1.clone(), id.2.clone());
                // a pod that never ran does not restart
                let ran = |pod: &&Pod| !matches!(pod.stage, Stage::Waiting(_));
                let pod = self.pods.get(&name).filter(ran);
                let instance = pod.map(|pod| pod.instance.clone());
                self.stopped.extend(instance.map(|of| (fleet.clone(), of)));
                self.log.note(fleet, What::Stops, &id.2);
                self.leave(&name);
            }
            "PersistentVolumeClaim" => {
                self.log.note(fleet, What::Deleted(id.0.clone()), &id.2);
                self.delete_claim(fleet, id);
            }
            _ => {
                self.log.note(fleet, What::Deleted(id.0.clone()), &id.2);
                let object = self.objects.get(id);
                if object.and_then(foreign_finalizer).is_some() {
                    let now = Value::from(self.clock.stamp());
                    self.set(id, &["metadata", "deletionTimestamp"], now);
                } else {
                    self.objects.remove(id);
                }
            }
        }
    }

    /// A pod starts with its config, and shares its volume with no other instance.
    fn judge_pod(&mut self, fleet: &FleetKey, manifest: &Value) {
        let name = text(&manifest["metadata"]["name"]).to_owned();
        let main = belongs_to(manifest).unwrap_or(&name).to_owned();
        let config = (
            "ConfigMap".to_owned(),
            fleet.namespace.clone(),
            main.clone(),
        );
        if self.objects.get(&config).is_none_or(is_leaving) {
            self.breach(fleet, format!("Pod/{name} is made before its config"));
        }
        for claim in claims(manifest) {
            let users = self.mounts.get(&(fleet.namespace.clone(), claim.clone()));
            let users: BTreeSet<Name> = users.cloned().unwrap_or_default();
            let other = users.into_iter().find(|user| {
                let pod = self.pods.get(user);
                pod.is_some_and(|pod| pod.main != main && user.1 != name)
            });
            if let Some((_, other)) = other {
                self.breach(
                    fleet,
                    format!("Pod/{name} and Pod/{other} share the claim {claim}"),
                );
            }
        }
    }

    /// Whoever served and was taken away leaves no more away than the budget allows.
    fn judge_budget(&mut self, fleet: &FleetKey, before: &BTreeSet<String>) {
        let census = self.census(fleet);
        let Some(of) = self.fleets.get(fleet) else {
            return;
        };
        let is_taken =
            |name: &&String| of.wanted.contains(*name) && !census.available.contains(*name);
        let taken: Vec<&String> = before.iter().filter(is_taken).collect();
        let away = self.unavailable(fleet, &census);
        if !taken.is_empty() && away.len() > of.budget {
            let message = format!(
                "{} away at a time, {} may be: {}",
                away.len(),
                of.budget,
                crate::timeline::fold::names(away.iter().map(String::as_str))
            );
            self.breach(fleet, message);
        }
    }

    /// Returns the instances whose main pod serves with all pods beside it.
    fn serving_beside(&self, fleet: &FleetKey) -> BTreeSet<String> {
        let available = self.census(fleet).available;
        let away: BTreeSet<&String> = self
            .beside(fleet)
            .filter(|(_, serves)| !serves)
            .map(|(instance, _)| instance)
            .collect();
        let has: BTreeSet<&String> = self.beside(fleet).map(|(instance, _)| instance).collect();
        let with_all = has.into_iter().filter(|name| !away.contains(name));
        with_all
            .filter(|name| available.contains(*name))
            .cloned()
            .collect()
    }

    /// The additional pods of a fleet, but for those that go for good: their instances, and whether
    /// they serve.
    fn beside<'w>(&'w self, fleet: &FleetKey) -> impl Iterator<Item = (&'w String, bool)> {
        let names = self.of_fleet.get(fleet).into_iter().flatten();
        let comes = |name: &Name| self.pending.contains_key(&super::kubelet::pod_id(name));
        let pods = names.filter_map(move |name| {
            let pod = self.pods.get(name)?;
            (!pod.is_leaving || comes(name)).then_some(pod)
        });
        pods.filter(|pod| !pod.is_main)
            .map(|pod| (&pod.instance, pod.is_reachable()))
    }

    /// Additional pods have the same budget, counted by their instances, where these serve.
    fn judge_budget_beside(&mut self, fleet: &FleetKey, before: &BTreeSet<String>) {
        let after = self.serving_beside(fleet);
        let available = self.census(fleet).available;
        let taken = before.iter().filter(|name| !after.contains(*name));
        let taken = taken.filter(|name| available.contains(*name)).count();
        let Some(of) = self.fleets.get(fleet) else {
            return;
        };
        let away: BTreeSet<&String> = self
            .beside(fleet)
            .filter(|(instance, serves)| !serves && available.contains(*instance))
            .map(|(instance, _)| instance)
            .filter(|instance| of.wanted.contains(*instance))
            .collect();
        let budget = of.budget;
        if taken > 0 && away.len() > budget {
            let message = format!(
                "the additional pods of {} instances away at a time, {budget} may be",
                away.len()
            );
            self.breach(fleet, message);
        }
    }

    /// Notes what must never happen.
    pub(super) fn breach(&mut self, fleet: &FleetKey, message: String) {
        let at = self.clock.elapsed();
        self.log.breach(at, fleet, message);
    }

    /// Forgets what a stopped applier would have made later.
    pub(super) fn forget_pending(&mut self, fleet: &FleetKey) {
        let all = std::mem::take(&mut self.pending).into_iter();
        let kept: BTreeMap<Id, Value> = all
            .filter(|(id, _)| self.pod_fleet(id) != Some(fleet))
            .collect();
        self.pending = kept;
    }

    fn pod_fleet(&self, id: &Id) -> Option<&FleetKey> {
        let pod = self.pods.get(&(id.1.clone(), id.2.clone()))?;
        pod.fleet.as_ref()
    }
}

/// Returns whether a step changes what no manifest holds.
fn is_without_manifest(step: &Step) -> bool {
    let mark = format!("metadata.annotations[{}]", names::FLEET);
    let mut paths = step.changes.iter().map(|change| change.path.as_str());
    let is_take_over = !step.changes.is_empty()
        && paths.all(|path| path == "metadata.ownerReferences" || path == mark);
    step.action == Action::Patch && (step.object.kind == Kind::PersistentVolume || is_take_over)
}
