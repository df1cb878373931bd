//! Which entry of the fleet's Secret each instance reads its key from. A pod that runs tells what
//! was asked of it: nothing moves a node from one identity to another unless its owner names the
//! other one, and its key is seen. Knows nothing of ConfigMaps' keys but whether there are any.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Declared, Found, witnesses};
use crate::live::{Live, NodeKey, Object, lenient};
use crate::model::{FleetKey, Kind, NodeId, Notice, ObjectKey, names};

/// The code of the notice that nobody knows which of its identities an instance has.
pub const IDENTITY_UNCLEAR: &str = "IdentityUnclear";

/// The entries that pods of a fleet mount as their node key, by instance.
pub(super) type Mounted = BTreeMap<String, String>;

/// What is known of the keys of one fleet.
struct Case<'c> {
    live: &'c Live<'c>,
    fleet: &'c FleetKey,
    declared: Declared<'c>,
    mounted: &'c Mounted,
    secret: Option<&'c Object<'c>>,
}

/// What one instance reads, where that is not what a node without a rotation would.
#[derive(Debug, PartialEq, Eq)]
enum Reads {
    /// What the owner declared.
    Asked(String),
    /// What it read before: an entry of a rotation, or else (`None`) its first key. The remark says
    /// why, and what to do.
    Former(Option<String>, Notice),
    /// What the owner declared, of which nobody knows whether it is there.
    Unseen(String, Notice),
    /// Nobody knows what.
    Unclear(Notice),
}

/// Of whom the declared ID, or any, is not the one that it has.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Those that keep what they have though their owner declared another.
    pub(super) held: BTreeSet<String>,
    /// Those of which nobody knows which of their identities they have.
    pub(super) unclear: BTreeSet<String>,
}

/// Settles what each instance with a rotated identity reads.
pub(super) fn settle(
    (live, fleet): (&Live<'_>, &FleetKey),
    declared: Declared<'_>,
    mounted: &Mounted,
    (facts, notices): Found<'_>,
) -> Settled {
    let secret = names::key_secret(&fleet.name);
    let case = Case {
        live,
        fleet,
        declared,
        mounted,
        secret: live.get(Kind::Secret, &fleet.namespace, &secret),
    };
    let mut settled = Settled::default();
    for instance in case.instances() {
        match case.reads(instance) {
            None => {}
            Some(Reads::Asked(entry)) => {
                facts.key_entries.insert(instance.to_owned(), entry);
            }
            Some(Reads::Unseen(entry, notice)) => {
                facts.key_entries.insert(instance.to_owned(), entry);
                notices.extend((!live.is_assumed_empty).then_some(notice));
            }
            Some(Reads::Former(entry, notice)) => {
                if let Some((_, id)) = entry.as_deref().and_then(names::of_rotated) {
                    facts.node_ids.insert(instance.to_owned(), id);
                }
                let entry = entry.map(|entry| (instance.to_owned(), entry));
                facts.key_entries.extend(entry);
                notices.push(notice);
                if case.id(instance).is_some() {
                    settled.held.insert(instance.to_owned());
                }
            }
            Some(Reads::Unclear(notice)) => {
                settled.unclear.insert(instance.to_owned());
                notices.push(notice);
            }
        }
    }
    settled
}

impl Case<'_> {
    /// Returns the instances of which somebody says that they have another key than their first.
    fn instances(&self) -> BTreeSet<&str> {
        let declared = self.declared.rotated.into_iter().flatten();
        let rotated = |entry: &str| names::of_rotated(entry).is_some();
        let mounting = self.mounted.iter().filter(|(_, entry)| rotated(entry));
        let stored = self.secret.into_iter().flat_map(|secret| &secret.node_keys);
        declared
            .map(String::as_str)
            .chain(mounting.map(|(instance, _)| instance.as_str()))
            .chain(stored.filter_map(|(entry, _)| Some(names::of_rotated(entry)?.0)))
            .collect()
    }

    fn id(&self, instance: &str) -> Option<&NodeId> {
        self.declared.ids?.get(instance)
    }

    fn reads(&self, instance: &str) -> Option<Reads> {
        let is_rotated = self.declared.rotated.is_some_and(|r| r.contains(instance));
        let pod = self.live.get(Kind::Pod, &self.fleet.namespace, instance);
        let running = self.mounted.get(instance).map(String::as_str);
        let running = running.filter(|entry| names::of_rotated(entry).is_some());
        match (self.id(instance), pod) {
            (Some(id), Some(_)) if is_rotated => Some(self.rotated(instance, id, running)),
            (Some(id), None) if is_rotated => Some(self.away(instance, id)),
            (Some(id), Some(_)) => self.taken_back(instance, id, running?),
            (Some(_), None) => None,
            (None, Some(_)) => Some(self.kept(instance, running?)),
            (None, None) => self.undeclared(instance),
        }
    }

    /// The owner gave it another identity, and its pod runs.
    fn rotated(&self, instance: &str, id: &NodeId, running: Option<&str>) -> Reads {
        let entry = names::rotated_entry(instance, id);
        if running == Some(&entry) || self.holds(&entry).is_some() {
            return Reads::Asked(entry);
        }
        Reads::Former(running.map(str::to_owned), self.held(instance, id))
    }

    /// The owner gave it another identity, and its pod is away: what it read before is what its
    /// peers know it by, or the only other key that there is.
    fn away(&self, instance: &str, id: &NodeId) -> Reads {
        let entry = names::rotated_entry(instance, id);
        if self.holds(&entry).is_some() {
            return Reads::Asked(entry);
        }
        let stored = self.stored(instance);
        let told = witnesses::told(self.live, self.fleet, instance);
        let known = stored
            .iter()
            .find(|(_, known)| told.as_ref() == Some(known));
        let former = match (known, stored.as_slice()) {
            (Some((former, _)), _) | (None, [(former, _)]) => Some(former),
            (None, _) => None,
        };
        if let Some(former) = former {
            let former = names::of_rotated(former).map(|_| former.clone());
            return Reads::Former(former, self.held(instance, id));
        }
        if stored.is_empty() && self.never_left(instance) {
            return Reads::Former(None, self.held(instance, id));
        }
        let message = format!(
            "its identity was rotated to {id}, but Secret {} is not seen to hold the new key, and \
             nobody knows its former one: it starts only once that Secret has the entry {entry}",
            names::key_secret(&self.fleet.name)
        );
        let notice = Notice::on(self.pod(instance), "RotationUnseen", message);
        Reads::Unseen(entry, notice)
    }

    /// The owner declares its first identity, and its pod runs with that of a rotation.
    fn taken_back(&self, instance: &str, id: &NodeId, running: &str) -> Option<Reads> {
        let (_, runs) = names::of_rotated(running)?;
        if runs == *id {
            return Some(self.kept(instance, running));
        }
        if self.holds(instance) == Some(id) {
            return None;
        }
        Some(Reads::Former(
            Some(running.to_owned()),
            self.held(instance, id),
        ))
    }

    /// Nobody declares the identity of a rotation that its pod runs with.
    fn kept(&self, instance: &str, running: &str) -> Reads {
        let id = names::of_rotated(running).map(|(_, id)| id);
        let id = id.as_ref().map_or("", NodeId::as_str);
        let message = format!(
            "its node runs with the identity {id}, to which it was rotated, and no NodeIdentities \
             document says so: it keeps that one; give that document, with {id} as its ID and its \
             name under `rotated`"
        );
        let notice = Notice::on(self.pod(instance), "IdentityKept", message);
        Reads::Former(Some(running.to_owned()), notice)
    }

    /// Nobody declares anything, its pod is away, and the Secret has several keys of it.
    fn undeclared(&self, instance: &str) -> Option<Reads> {
        let stored = self.stored(instance);
        let told = witnesses::told(self.live, self.fleet, instance);
        let known = stored
            .iter()
            .find(|(_, known)| told.as_ref() == Some(known));
        match known {
            Some((entry, _)) if names::of_rotated(entry).is_some() => {
                Some(self.kept(instance, entry))
            }
            Some(_) => None,
            None => {
                let message = format!(
                    "Secret {} holds keys of several identities of it, its pod is away, and no \
                     NodeIdentities document says which is its own",
                    names::key_secret(&self.fleet.name)
                );
                let notice = Notice::on(self.pod(instance), IDENTITY_UNCLEAR, message);
                Some(Reads::Unclear(notice))
            }
        }
    }

    fn held(&self, instance: &str, id: &NodeId) -> Notice {
        let message = format!(
            "its identity was rotated to {id}, but Secret {} is not seen to hold the new key: it \
             keeps its former one until a snapshot with that Secret shows it",
            names::key_secret(&self.fleet.name)
        );
        Notice::on(self.pod(instance), "RotationHeld", message)
    }

    /// Returns the ID of the key that an entry of the Secret is seen to hold.
    fn holds(&self, entry: &str) -> Option<&NodeId> {
        match self.secret?.node_keys.get(entry)? {
            NodeKey::Id(id) => Some(id),
            NodeKey::Broken => None,
        }
    }

    /// Returns the entries of an instance with sound keys.
    fn stored(&self, instance: &str) -> Vec<(String, NodeId)> {
        let entries = self.secret.into_iter().flat_map(|secret| &secret.node_keys);
        let of_instance = entries.filter(|(entry, _)| {
            let of = names::of_rotated(entry).map(|(instance, _)| instance);
            of.unwrap_or(entry.as_ref()) == instance
        });
        of_instance
            .filter_map(|(entry, key)| match key {
                NodeKey::Id(id) => Some((entry.clone().into_owned(), id.clone())),
                NodeKey::Broken => None,
            })
            .collect()
    }

    /// Tells whether an instance surely has the key of its ConfigMap still: that is an operator's,
    /// or the Secret was seen and has no key of it.
    fn never_left(&self, instance: &str) -> bool {
        let namespace = &self.fleet.namespace;
        let config = self.live.get(Kind::ConfigMap, namespace, instance);
        config.is_some_and(|config| {
            let has_key = config.node_keys.contains_key("node_key.json");
            let is_ours = config.annotation(names::FLEET).is_some();
            has_key && (self.secret.is_some() || !is_ours)
        })
    }

    fn pod(&self, instance: &str) -> ObjectKey {
        ObjectKey {
            api_version: "v1".to_owned(),
            kind: Kind::Pod,
            namespace: self.fleet.namespace.clone(),
            name: instance.to_owned(),
        }
    }
}

#[derive(Default, Deserialize)]
struct PodSpec {
    #[serde(default)]
    volumes: Vec<Volume>,
}

#[derive(Deserialize)]
struct Volume {
    projected: Option<Projected>,
    secret: Option<SecretSource>,
}

#[derive(Deserialize)]
struct Projected {
    #[serde(default)]
    sources: Vec<Source>,
}

#[derive(Deserialize)]
struct Source {
    secret: Option<SecretSource>,
}

#[derive(Deserialize)]
struct SecretSource {
    #[serde(default, alias = "secretName")]
    name: String,
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    key: String,
    #[serde(default)]
    path: String,
}

/// Returns the entries that the pods of a fleet's instances mount from its Secret. Many fleets may
/// share a namespace, so pods are looked up by the names that the fleet has, not searched.
pub(super) fn mounted(live: &Live<'_>, fleet: &FleetKey, declared: Declared<'_>) -> Mounted {
    let of_kind = |kind| live.kind_of_fleet(kind, fleet);
    let live_names = of_kind(Kind::Pod).chain(of_kind(Kind::ConfigMap));
    let live_names = live_names.map(|object| object.meta.name.as_ref());
    let declared = declared.ids.into_iter().flat_map(BTreeMap::keys);
    let names: BTreeSet<&str> = live_names.chain(declared.map(String::as_str)).collect();
    let mounts = |name: &str| mounted_by(live.get(Kind::Pod, &fleet.namespace, name)?, fleet);
    names
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), mounts(name)?)))
        .collect()
}

/// Returns the entry of a fleet's Secret that a pod mounts as its node key.
#[must_use]
pub fn mounted_by(pod: &Object<'_>, fleet: &FleetKey) -> Option<String> {
    let secret = names::key_secret(&fleet.name);
    // most pods of a large cluster are none of this fleet's
    if !pod.spec?.get().contains(&secret) {
        return None;
    }
    let spec: PodSpec = lenient(pod.spec);
    let sources = spec.volumes.into_iter().flat_map(|volume| {
        let projected = volume.projected.into_iter().flat_map(|p| p.sources);
        let secrets = projected.filter_map(|source| source.secret);
        secrets.chain(volume.secret)
    });
    let secrets = sources.filter(|source| source.name == secret);
    let mut items = secrets.flat_map(|source| source.items);
    items
        .find(|item| item.path == "node_key.json")
        .map(|item| item.key)
}
