//! What is known of each pod of a fleet, gathered while all of that is at hand.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Away, Budget, Companion, LivePod, Member, Members, Part, Serves, State};
use crate::desired::{Desired, Instance, Manifest, Role};
use crate::diff::{Difference, Differences, Standing};
use crate::live::availability::{self, Availability};
use crate::live::facts::Facts;
use crate::live::{Live, Object, lenient, ownership, volumes};
use crate::model::{FleetKey, Kind, ObjectKey, Ordinal, names};
use crate::plan::{self, Observed};
use crate::spec::FullNode;

/// What a fleet's pods are told from.
struct Fleet<'f> {
    key: &'f FleetKey,
    live: &'f Live<'f>,
    facts: &'f Facts,
    observed: Option<&'f Observed>,
    differences: BTreeMap<(Kind, &'f str), &'f Difference<'f, 'f>>,
}

/// Gathers what is known of the pods of a fleet that is planned: those that should be there, and
/// those that are.
#[must_use]
pub fn gather(
    fleet: &FullNode,
    (desired, differences): (&Desired, &Differences<'_, '_>),
    live: &Live<'_>,
    (observed, facts): (&Observed, &Facts),
) -> Members {
    let known = Fleet {
        key: &fleet.key,
        live,
        facts,
        observed: Some(observed),
        differences: differences
            .objects
            .iter()
            .map(|d| ((d.manifest.key.kind, d.manifest.key.name.as_str()), d))
            .collect(),
    };
    let mut members = of_live(&known, Part::Condemned);
    for instance in &desired.instances {
        let part = if instance.has_pod {
            Part::Instance
        } else if facts.snapshot_candidates.contains(&instance.name) {
            Part::SnapshotCandidate
        } else {
            Part::Disabled
        };
        let parts = known.companions(instance);
        let ordinal = Some(instance.ordinal);
        let member = known.member(&instance.name, part, (ordinal, None), parts);
        members.insert(instance.name.clone(), member);
        for name in &instance.additional {
            let main = Some(instance.name.clone());
            let member = known.member(name, Part::Additional, (ordinal, main), Vec::new());
            members.insert(name.clone(), member);
        }
    }
    Members {
        members,
        budget: Some(budget(fleet, desired, observed, live)),
    }
}

/// Gathers what is known of the pods of a fleet that no document describes.
#[must_use]
pub fn of_former(live: &Live<'_>, fleet: &FleetKey, facts: &Facts) -> Members {
    let known = Fleet {
        key: fleet,
        live,
        facts,
        observed: None,
        differences: BTreeMap::new(),
    };
    Members {
        members: of_live(&known, Part::Former),
        budget: None,
    }
}

/// The pods that are there and say that they are the fleet's.
fn of_live(known: &Fleet<'_>, part: Part) -> BTreeMap<String, Member> {
    let pods = known.live.kind_of_fleet(Kind::Pod, known.key);
    pods.map(|pod| {
        let name = pod.meta.name.as_ref();
        let claims = volumes::mounts(pod).into_iter();
        let claims =
            claims.filter_map(|claim| known.companion(Kind::PersistentVolumeClaim, &claim));
        let config = known.companion(Kind::ConfigMap, name);
        let main = pod.label(names::BELONGS_TO).map(str::to_owned);
        let ordinal = ordinal_of(name);
        let member = known.member(name, part, (ordinal, main), claims.chain(config).collect());
        (name.to_owned(), member)
    })
    .collect()
}

/// Returns the number at the end of a name.
fn ordinal_of(name: &str) -> Option<Ordinal> {
    name.rsplit_once('-')?.1.parse().ok()
}

impl Fleet<'_> {
    fn member(
        &self,
        name: &str,
        part: Part,
        (ordinal, main): (Option<Ordinal>, Option<String>),
        parts: Vec<Companion>,
    ) -> Member {
        let difference = self.differences.get(&(Kind::Pod, name));
        let live = self.live.get(Kind::Pod, &self.key.namespace, name);
        let is_foreign = live.is_some_and(|pod| ownership(pod, self.key).is_err());
        let comparison = difference.and_then(|difference| difference.comparison());
        Member {
            object: self.key_of("v1", Kind::Pod, name),
            fleet: self.key.name.clone(),
            part: if is_foreign { Part::Foreign } else { part },
            ordinal,
            main,
            live: live.map(|pod| self.pod(pod)),
            image: difference.and_then(|difference| image_of(difference.manifest)),
            changes: comparison.map(|c| c.changes.clone()).unwrap_or_default(),
            parts,
        }
    }

    fn pod(&self, pod: &Object<'_>) -> LivePod {
        let name = pod.meta.name.as_ref();
        let known = self.observed.and_then(|o| o.availability.get(name));
        let source = || self.source(pod);
        let (serves, because) = match known {
            Some(Availability::Available) => (Serves::Yes, source()),
            Some(Availability::Unavailable(why)) => (Serves::No, why.clone()),
            Some(Availability::Unknown) => {
                let why = "the snapshot has neither its status nor its readiness";
                (Serves::Unknown, why.to_owned())
            }
            None if pod.is_terminating() => (Serves::No, "it is terminating".to_owned()),
            None => (Serves::Unknown, "it is not counted on".to_owned()),
        };
        LivePod {
            image: chain_image(&pod.spec_tree()),
            height: self.facts.heights.get(name).copied(),
            serves,
            because,
        }
    }

    /// Says who told that a pod serves.
    fn source(&self, pod: &Object<'_>) -> String {
        let name = pod.meta.name.as_ref();
        let entry = self.observed.and_then(|o| o.status.sync_of(name));
        match availability::told_at(pod, entry, self.facts.newest) {
            Some(at) if entry.and_then(|e| e.in_sync) == Some(true) => {
                format!("in sync, as its RPC said at {at}")
            }
            Some(at) => format!("its RPC answered at {at}, and no instance is known to be in sync"),
            None => "it is Ready; nothing newer tells whether it is in sync".to_owned(),
        }
    }

    /// What an instance stands on.
    fn companions(&self, instance: &Instance) -> Vec<Companion> {
        let parts = [
            (Kind::PersistentVolumeClaim, &instance.claim),
            (Kind::ConfigMap, &instance.name),
            (Kind::Service, &instance.service),
        ];
        let found = parts.into_iter();
        found
            .filter_map(|(kind, name)| self.companion(kind, name))
            .collect()
    }

    /// Returns how an object stands; nothing where it is neither there nor wanted.
    fn companion(&self, kind: Kind, name: &str) -> Option<Companion> {
        let live = self.live.get(kind, &self.key.namespace, name);
        let difference = self.differences.get(&(kind, name));
        let (state, changes) = match difference.map(|d| &d.standing) {
            Some(Standing::Missing) => (State::Missing, Vec::new()),
            Some(Standing::Terminating) => (State::Terminating, Vec::new()),
            Some(Standing::Foreign) => (State::Foreign, Vec::new()),
            Some(Standing::Present(comparison)) if comparison.changes.is_empty() => {
                (State::UpToDate, Vec::new())
            }
            Some(Standing::Present(comparison)) => (State::Differs, comparison.changes.clone()),
            None if live?.is_terminating() => (State::Terminating, Vec::new()),
            None if ownership(live?, self.key).is_err() => (State::Foreign, Vec::new()),
            None => (State::NotDesired, Vec::new()),
        };
        let is_claim = kind == Kind::PersistentVolumeClaim;
        Some(Companion {
            object: self.key_of("v1", kind, name),
            state,
            detail: live.filter(|_| is_claim).map(claim_detail),
            changes,
        })
    }

    fn key_of(&self, api_version: &str, kind: Kind, name: &str) -> ObjectKey {
        ObjectKey {
            api_version: api_version.to_owned(),
            kind,
            namespace: self.key.namespace.clone(),
            name: name.to_owned(),
        }
    }
}

/// Returns the image of a pod's node; that of its first container where it has none.
fn image_of(manifest: &Manifest) -> Option<String> {
    match manifest.role {
        Role::Pod | Role::AdditionalPod => chain_image(&manifest.body["spec"]),
        Role::Access | Role::Service | Role::Config | Role::Claim => None,
    }
}

fn chain_image(spec: &Value) -> Option<String> {
    let containers = spec["containers"].as_array()?;
    let node = containers.iter().find(|c| c["name"] == "node");
    let image = &node.or(containers.first())?["image"];
    image.as_str().map(str::to_owned)
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClaimSpec {
    #[serde(default)]
    resources: Value,
    volume_name: Option<String>,
    storage_class_name: Option<String>,
}

#[derive(Default, Deserialize)]
struct ClaimStatus {
    #[serde(default)]
    capacity: Value,
}

/// Says how large a claim is, and on which volume.
fn claim_detail(claim: &Object<'_>) -> String {
    let spec: ClaimSpec = lenient(claim.spec);
    let status: ClaimStatus = lenient(claim.status);
    let asked = spec.resources["requests"]["storage"].as_str();
    let there = status.capacity["storage"].as_str();
    let mut said = Vec::new();
    match (asked, there) {
        (Some(asked), Some(there)) if asked == there => said.push(asked.to_owned()),
        (Some(asked), Some(there)) => said.push(format!("{asked} asked for, {there} there")),
        (Some(asked), None) => said.push(format!("{asked} asked for")),
        (None, Some(there)) => said.push(format!("{there} there")),
        (None, None) => {}
    }
    let phase = volumes::phase(claim);
    said.extend(
        spec.storage_class_name
            .map(|class| format!("class {class}")),
    );
    match (phase.as_str(), spec.volume_name) {
        ("", None) => {}
        ("" | "Bound", Some(volume)) => said.push(format!("volume {volume}")),
        (phase, Some(volume)) => said.push(format!("{phase}, volume {volume}")),
        (phase, None) => said.push(phase.to_owned()),
    }
    said.join(", ")
}

/// Returns how many may be away, and who is. What is away because it is not there counts too.
fn budget(fleet: &FullNode, desired: &Desired, observed: &Observed, live: &Live<'_>) -> Budget {
    let counted: Vec<&Instance> = desired.instances.iter().filter(|i| i.has_pod).collect();
    let namespace = fleet.key.namespace.as_str();
    let away = |instance: &&Instance| {
        let name = &instance.name;
        if observed.newcomers.contains(name) {
            return None;
        }
        let is_there = live.get(Kind::Pod, namespace, name).is_some();
        let had_claim = live
            .get(Kind::PersistentVolumeClaim, namespace, &instance.claim)
            .is_some();
        let because = match observed.availability.get(name) {
            Some(Availability::Unavailable(why)) => why.clone(),
            None if !is_there && had_claim => "its pod is not there".to_owned(),
            Some(Availability::Available | Availability::Unknown) | None => return None,
        };
        let name = name.clone();
        Some(Away { name, because })
    };
    Budget {
        allowed: plan::budget::of(fleet.max_unavailable, counted.len()),
        instances: counted.len(),
        away: counted.iter().filter_map(away).collect(),
    }
}
