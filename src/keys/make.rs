//! What `keys init`, `import` and `rotate` come to: the Secrets and the node identities that are
//! to be written, whole. Writes nothing, and knows nothing of where randomness comes from.

use std::collections::BTreeSet;

use super::key::{Key, Seed};
use super::ledger::Changes;
use super::newness;
use super::pool::{Entry, Holds};
use super::survey::{Fleet, Instance, Survey};
use crate::diagnostic::Diagnostic;
use crate::model::{FleetKey, NodeId, names};

/// Where seeds come from; the text says why none could be had.
pub type Seeds<'s> = &'s mut dyn FnMut() -> Result<Seed, String>;

/// What is to be written of one fleet.
#[derive(Debug)]
pub(super) struct Batch<'s> {
    pub(super) fleet: &'s Fleet,
    /// New entries of the Secret.
    pub(super) entries: Vec<(String, Entry)>,
    pub(super) changes: Changes,
    pub(super) done: Vec<Done>,
}

/// What became of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The fleet.
    pub fleet: FleetKey,
    /// The instance.
    pub instance: String,
    /// Its ID.
    pub id: NodeId,
    /// What happened.
    pub what: What,
}

/// What happened to an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A key was made.
    Made,
    /// The key was taken over from somewhere: the words say from where.
    Imported(String),
    /// Its Secret has the key already; its ID was written down.
    Declared,
    /// It had this ID before.
    Rotated(NodeId),
}

/// The batches, and what else is worth a line.
type Made<'s> = Result<(Vec<Batch<'s>>, Vec<String>), Vec<Diagnostic>>;

impl<'s> Batch<'s> {
    fn new(fleet: &'s Fleet) -> Self {
        Self {
            fleet,
            entries: Vec::new(),
            changes: Changes::default(),
            done: Vec::new(),
        }
    }

    fn note(&mut self, instance: &Instance, id: &NodeId, what: What) {
        self.done.push(Done {
            fleet: self.fleet.key.clone(),
            instance: instance.name.clone(),
            id: id.clone(),
            what,
        });
    }

    fn declare(&mut self, instance: &Instance, id: &NodeId) {
        if instance.declared.is_some() {
            return;
        }
        let line = (instance.name.clone(), id.clone());
        if instance.is_rotated() {
            self.changes.rotated.push(line.clone());
        }
        self.changes.added.push(line);
    }

    /// Gives an instance its first key, which lies under its plain name.
    fn first(&mut self, instance: &Instance, key: &Key) {
        self.store(instance.name.clone(), key);
        let line = (instance.name.clone(), key.id.clone());
        self.changes.added.push(line);
        self.note(instance, &key.id, What::Made);
    }

    fn store(&mut self, entry: String, key: &Key) {
        self.entries.push((entry, Entry::new(key.file())));
    }
}

/// Makes a key for every instance that has no identity.
pub(super) fn init<'s>(survey: &'s Survey, seeds: Seeds<'_>) -> Made<'s> {
    let mut notes = Vec::new();
    let mut batches = Vec::new();
    let mut faults = Vec::new();
    for fleet in &survey.fleets {
        let mut batch = Batch::new(fleet);
        let mut doubtful = Vec::new();
        for instance in fleet.instances.iter().filter(|i| i.is_asked) {
            let name = format!("{}/{}", fleet.key.namespace, instance.name);
            match (&instance.secret, &instance.config_map) {
                _ if instance.declared.is_some() => {}
                (Some(Holds::Key(id)), _) => {
                    batch.declare(instance, id);
                    batch.note(instance, id, What::Declared);
                }
                (Some(Holds::Broken(_)), _) => {} // told as a fault
                (None, Some(_)) => notes.push(format!(
                    "{name} has its key in ConfigMap {}: `keys import` takes it over",
                    instance.name
                )),
                (None, None) if fleet.inherited.contains_key(&instance.name) => {
                    notes.push(format!(
                        "{name} takes over from another instance, with its key: `keys import` \
                         takes that over"
                    ));
                }
                (None, None) => match newness::doubt(survey, fleet, instance) {
                    Some(doubt) => doubtful.push((doubt, instance)),
                    None => batch.first(instance, &key(seeds)?),
                },
            }
        }
        faults.extend(newness::faults(fleet, &doubtful));
        batches.push(batch);
    }
    if faults.is_empty() {
        Ok((batches, notes))
    } else {
        Err(faults)
    }
}

fn key(seeds: Seeds<'_>) -> Result<Key, Vec<Diagnostic>> {
    let fault = |why: String| {
        let message = format!("the system gives no randomness to make keys from: {why}");
        vec![Diagnostic::error("no-randomness", message)]
    };
    let seed = seeds().map_err(fault)?;
    Key::new(&seed).ok_or_else(|| fault("a digest had no digits".to_owned()))
}

pub(super) fn give(fleet: &Fleet) -> String {
    format!(
        "give the Secret: kubectl -n {} get secret {} -o yaml | cosmos-render keys ... --secret -",
        fleet.key.namespace,
        names::key_secret(&fleet.key.name)
    )
}

/// A `node_key.json` of an instance.
pub struct Home<'s> {
    /// The instance, as `namespace/name` or `name`.
    pub instance: String,
    /// The text.
    pub source: &'s crate::model::Source,
}

/// Takes over keys that instances have: from home folders, from an operator's ConfigMaps, from the
/// names that instances had before.
pub(super) fn import<'s>(survey: &'s Survey, homes: &[Home<'_>]) -> Made<'s> {
    let mut notes = Vec::new();
    let mut batches: Vec<Batch<'s>> = survey.fleets.iter().map(Batch::new).collect();
    for home in homes {
        from_home(home, &mut batches)?;
    }
    for batch in &mut batches {
        let stored: BTreeSet<String> = batch.entries.iter().map(|(name, _)| name.clone()).collect();
        for instance in &batch.fleet.instances {
            let name = format!("{}/{}", batch.fleet.key.namespace, instance.name);
            if stored.contains(instance.entry()) {
                continue;
            }
            if let Some(Holds::Key(id)) = &instance.secret {
                if instance.declared.is_none() {
                    batch.declare(instance, id);
                    batch.note(instance, id, What::Declared);
                }
                continue;
            }
            let Some((entry, from)) = known_elsewhere(batch.fleet, instance) else {
                if instance.declared.is_none() && instance.is_asked && homes.is_empty() {
                    notes.push(format!("{name} has no key anywhere: `keys init` makes one"));
                }
                continue;
            };
            let Some(id) = entry.id().cloned() else {
                continue; // told as a fault
            };
            let place = instance.entry().to_owned();
            batch.entries.push((place, entry.clone()));
            batch.declare(instance, &id);
            batch.note(instance, &id, What::Imported(from));
        }
    }
    Ok((batches, notes))
}

/// Returns the key that an instance has outside of the Secret.
fn known_elsewhere<'f>(fleet: &'f Fleet, instance: &Instance) -> Option<(&'f Entry, String)> {
    let config = fleet.config_maps.get(&instance.name);
    // where it was rotated, that is a former one
    if let Some(entry) = config.filter(|_| !instance.is_rotated()) {
        return Some((entry, format!("ConfigMap {}", instance.name)));
    }
    let (before, entry) = fleet.inherited.get(&instance.name)?;
    let declared = instance.declared.as_ref();
    let is_its = declared.is_none_or(|id| entry.id() == Some(id));
    is_its.then(|| (entry, before.clone()))
}

fn from_home(home: &Home<'_>, batches: &mut [Batch<'_>]) -> Result<(), Vec<Diagnostic>> {
    let fault =
        |code, message: String| vec![Diagnostic::error(code, message).at(&home.source.name, "")];
    let mut found = batches.iter_mut().filter_map(|batch| {
        let fleet = batch.fleet;
        let instance = find(fleet, &home.instance)?;
        Some((batch, instance))
    });
    let (Some((batch, instance)), None) = (found.next(), found.next()) else {
        return Err(vec![unknown_instance(&home.instance)]);
    };
    let entry = Entry::new(zeroize::Zeroizing::new(home.source.bytes.clone()));
    let id = match &entry.holds {
        Holds::Key(id) => id.clone(),
        Holds::Broken(why) => {
            let message = format!("this is no node key: {}", why.why());
            return Err(fault("broken-node-key", message));
        }
    };
    if let Some(known) = instance.ids().into_iter().find(|known| **known != id) {
        let message = format!(
            "this is the key of {id}, but {}/{} is {known}",
            batch.fleet.key.namespace, instance.name
        );
        return Err(fault("identity-disagrees", message));
    }
    let is_stored = instance.secret.is_some();
    if !is_stored {
        batch.entries.push((instance.entry().to_owned(), entry));
    }
    batch.declare(instance, &id);
    if !is_stored || instance.declared.is_none() {
        batch.note(instance, &id, What::Imported(home.source.name.clone()));
    }
    Ok(())
}

fn find<'f>(fleet: &'f Fleet, name: &str) -> Option<&'f Instance> {
    let is_meant = |instance: &&Instance| {
        instance.name == name || format!("{}/{}", fleet.key.namespace, instance.name) == name
    };
    fleet.instances.iter().find(is_meant)
}

fn unknown_instance(name: &str) -> Diagnostic {
    let message = format!("no single instance is called `{name}`");
    Diagnostic::error("unknown-instance", message)
        .hint("name it like its pod, as NAMESPACE/INSTANCE where two have one name")
}

/// Gives instances another identity. The former key stays where it is.
pub(super) fn rotate<'s>(survey: &'s Survey, names: &[String], seeds: Seeds<'_>) -> Made<'s> {
    let mut batches: Vec<Batch<'s>> = survey.fleets.iter().map(Batch::new).collect();
    let names: BTreeSet<&String> = names.iter().collect();
    for name in names {
        let mut found = batches.iter_mut().filter_map(|batch| {
            let fleet = batch.fleet;
            let instance = find(fleet, name)?;
            Some((batch, instance))
        });
        let (Some((batch, instance)), None) = (found.next(), found.next()) else {
            return Err(vec![unknown_instance(name)]);
        };
        let is_again = batch.done.iter().any(|done| done.instance == instance.name);
        if is_again {
            continue; // named with its namespace and without
        }
        let Some(former) = &instance.declared else {
            let message =
                format!("{name} has no identity in the NodeIdentities that could be rotated");
            let hint = "`keys import` writes down the one that it has; `keys init` makes a first";
            return Err(vec![Diagnostic::error("no-identity", message).hint(hint)]);
        };
        let key = key(seeds)?;
        let entry = names::rotated_entry(&instance.name, &key.id);
        batch.store(entry, &key);
        let change = (instance.name.clone(), key.id.clone());
        batch.changes.rotated.push(change);
        batch.note(instance, &key.id, What::Rotated(former.clone()));
    }
    Ok((batches, Vec::new()))
}
