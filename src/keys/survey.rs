//! Who has which identity, and where that is known from: the documents, the Secrets and the
//! ConfigMaps of all fleets beside each other. Makes nothing and writes nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::entries::{config_maps, entry_of, inherited, unclear};
use super::newness::Newness;
use super::pool::{Entry, Holds, Name, Pool, Secret, Sources, Texts};
use crate::desired;
use crate::diagnostic::{Diagnostic, Place, Reported, Severity};
use crate::live::{Live, facts};
use crate::model::{FleetKey, Kind, NodeId, names};
use crate::parse::{self, inputs};

/// What keys are looked for in.
#[derive(Debug, Default)]
pub struct Request {
    /// The specifications, with the node identities.
    pub specs: Sources,
    /// What the cluster holds; `None` where nothing is known of it.
    pub snapshot: Option<Sources>,
    /// Manifests of the fleets' Secrets, decrypted.
    pub secrets: Sources,
    /// The fleets that are meant, as `namespace/name` or `name`; all where there is none.
    pub fleets: Vec<String>,
    /// The namespace of documents that name none: `default` where nobody says.
    pub namespace: Option<String>,
}

impl Request {
    /// Returns the namespace of documents that name none.
    pub(super) fn unnamed(&self) -> &str {
        self.namespace.as_deref().unwrap_or("default")
    }
}

/// All fleets that are meant.
#[derive(Debug)]
pub struct Survey {
    /// The fleets, by namespace and name.
    pub fleets: Vec<Fleet>,
    /// Whether a snapshot was given.
    pub has_snapshot: bool,
    /// Whose word it is that an instance is new of which nothing is known.
    pub newness: Newness,
    /// The same key in two places, and the like: what is wrong whatever is done.
    pub faults: Vec<Diagnostic>,
}

/// The identities of one fleet.
#[derive(Debug)]
pub struct Fleet {
    /// The fleet.
    pub key: FleetKey,
    /// Its instances in their order, then others that have an identity.
    pub instances: Vec<Instance>,
    /// Whether its Secret was given, or the snapshot holds Secrets, so that one that it does not
    /// hold is none.
    pub knows_secret: bool,
    /// The Secret without its entries.
    pub(super) frame: Value,
    /// Its Secret, as it was given or found.
    pub(super) secret: Option<Secret>,
    /// The keys that an operator keeps in ConfigMaps, by instance.
    pub(super) config_maps: BTreeMap<String, Entry>,
    /// The keys that its instances had under another fleet's name, by the name that they have now.
    pub(super) inherited: Inherited,
    /// The name that the fleet had before, as its document says.
    pub(super) former: Option<FleetKey>,
    /// Whether its Secret was given on purpose, and not just found in a snapshot.
    pub(super) is_secret_given: bool,
    /// Whether its document names its namespace.
    pub(super) names_namespace: bool,
    /// The input that its document stands in.
    pub(super) spec_file: String,
    /// The input that its node identities stand in.
    pub(super) identities: Option<usize>,
}

/// Keys by the name that an instance has now, each beside the name that it had before.
pub(super) type Inherited = BTreeMap<String, (String, Entry)>;

/// The identity of one instance.
#[derive(Debug, Clone, Default)]
pub struct Instance {
    /// Its name.
    pub name: String,
    /// Whether the document asks for it (now).
    pub is_asked: bool,
    /// What the node identities say.
    pub declared: Option<NodeId>,
    /// Where they say so.
    pub place: Option<Place>,
    /// The entry of the Secret that its key lies under.
    pub(super) entry: String,
    /// What its entry of the Secret holds.
    pub secret: Option<Holds>,
    /// What its ConfigMap holds.
    pub config_map: Option<Holds>,
    /// Whether the snapshot holds its pod.
    pub has_pod: bool,
    /// The entry of the Secret that its live pod reads its key from.
    pub mounted: Option<String>,
}

impl Instance {
    /// Returns the entry of the Secret that its key lies under.
    #[must_use]
    pub fn entry(&self) -> &str {
        &self.entry
    }

    /// Tells whether its identity was rotated: its key lies under another entry than its name.
    #[must_use]
    pub fn is_rotated(&self) -> bool {
        self.entry != self.name
    }

    /// Returns all IDs that it is known under: one, unless something is wrong.
    #[must_use]
    pub fn ids(&self) -> BTreeSet<&NodeId> {
        let held = [&self.secret, &self.config_map].into_iter().flatten();
        let held = held.filter_map(|holds| match holds {
            Holds::Key(id) => Some(id),
            Holds::Broken(_) => None,
        });
        self.declared.iter().chain(held).collect()
    }
}

/// Reads everything and lays it beside each other; nothing where the inputs can't be read.
#[must_use]
pub fn survey(request: &Request) -> Reported<Option<Survey>> {
    let mut diagnostics = Vec::new();
    let specs = take(
        parse::specs(request.specs.all(), request.namespace.as_deref()),
        &mut diagnostics,
    );
    let snapshot = request.snapshot.as_ref().map_or(&[][..], Sources::all);
    let mut texts = Texts(take(parse::texts(snapshot), &mut diagnostics));
    let given = take(parse::texts(request.secrets.all()), &mut diagnostics);
    texts.0.extend(given);
    let live = take(parse::snapshot::read(&texts.0), &mut diagnostics);
    let mut pool = Pool::read(&texts.0, request.unnamed());
    let wanted = wanted(&specs, request, &mut diagnostics);
    diagnostics.extend(given_in_vain(request, &specs, &pool));
    if diagnostics.iter().any(|d| d.severity == Severity::Error) {
        return Reported {
            value: None,
            diagnostics,
        };
    }
    let mut faults = Vec::new();
    let mut fleets: Vec<Fleet> = specs
        .fleets
        .iter()
        .map(|spec| fleet((spec, &specs), (&live, &mut pool), request, &mut faults))
        .collect();
    let inherited: Vec<Inherited> = specs
        .fleets
        .iter()
        .map(|spec| inherited((spec, &specs), &fleets, (&live, &mut pool), &mut faults))
        .collect();
    for (fleet, inherited) in fleets.iter_mut().zip(inherited) {
        fleet.inherited = inherited;
    }
    faults.extend(super::verify::twins(&fleets));
    fleets.retain(|fleet| wanted.contains(&fleet.key));
    let survey = Survey {
        fleets,
        has_snapshot: request.snapshot.is_some(),
        newness: Newness::Shown,
        faults,
    };
    Reported {
        value: Some(survey),
        diagnostics,
    }
}

fn take<T>(reported: Reported<T>, diagnostics: &mut Vec<Diagnostic>) -> T {
    diagnostics.extend(reported.diagnostics);
    reported.value
}

/// Returns the fleets that are meant. A name that means none is an error.
fn wanted(
    specs: &inputs::Inputs,
    request: &Request,
    diagnostics: &mut Vec<Diagnostic>,
) -> BTreeSet<FleetKey> {
    let all: Vec<&FleetKey> = specs.fleets.iter().map(|fleet| &fleet.node.key).collect();
    let is_sound = !diagnostics.iter().any(|d| d.severity == Severity::Error);
    if all.is_empty() && is_sound {
        let fault = Diagnostic::error("no-fleet", "there is no CosmosFullNode in what was given");
        let hint = "name the files or folders that hold the documents of the fleets";
        diagnostics.push(fault.hint(hint));
    }
    let mut wanted = BTreeSet::new();
    for name in &request.fleets {
        let is_meant = |key: &&&FleetKey| key.to_string() == *name || key.name == *name;
        let found: Vec<&&FleetKey> = all.iter().filter(is_meant).collect();
        if let [key] = found.as_slice() {
            wanted.insert((**key).clone());
        } else if is_sound && !all.is_empty() {
            let names: Vec<String> = all.iter().map(ToString::to_string).collect();
            let message = match found.len() {
                0 => format!("no document describes a fleet `{name}`"),
                many => format!("{many} fleets are called `{name}`"),
            };
            let hint = format!("the fleets are: {}", names.join(", "));
            diagnostics.push(Diagnostic::error("unknown-fleet", message).hint(hint));
        }
    }
    if request.fleets.is_empty() {
        wanted.extend(all.into_iter().cloned());
    }
    wanted
}

/// Returns what is wrong with manifests of Secrets that were given on purpose: encrypted ones, and
/// those of other names.
fn given_in_vain(request: &Request, specs: &inputs::Inputs, pool: &Pool) -> Vec<Diagnostic> {
    let names: BTreeSet<Name> = specs
        .fleets
        .iter()
        .map(|fleet| secret_name(&fleet.node.key))
        .collect();
    let mut faults = Vec::new();
    for source in request.secrets.all() {
        let mut found = pool
            .secrets
            .iter()
            .filter(|(name, secret)| names.contains(name) && secret.source == source.name);
        let fault = match found.next() {
            Some((_, secret)) if secret.is_encrypted => {
                Diagnostic::error("secret-encrypted", "this Secret is encrypted by sops")
                    .hint("decrypt it on the way: sops -d FILE | cosmos-render keys ... --secret -")
            }
            Some(_) => continue,
            None => {
                let names: Vec<String> = names
                    .iter()
                    .map(|(ns, name)| format!("{ns}/{name}"))
                    .collect();
                Diagnostic::error("no-secret", "this holds no Secret of these fleets' keys").hint(
                    format!(
                        "expected a Secret {}; a SealedSecret can only be opened in its cluster: \
                         kubectl get secret ... -o yaml | cosmos-render keys ... --secret -",
                        names.join(" or ")
                    ),
                )
            }
        };
        faults.push(fault.at(&source.name, ""));
    }
    faults
}

fn secret_name(fleet: &FleetKey) -> Name {
    (fleet.namespace.clone(), names::key_secret(&fleet.name))
}

fn fleet(
    (spec, specs): (&inputs::Fleet, &inputs::Inputs),
    (live, pool): (&Live<'_>, &mut Pool),
    request: &Request,
    faults: &mut Vec<Diagnostic>,
) -> Fleet {
    let key = &spec.node.key;
    let spec_file = request.specs.all().get(spec.origin.source);
    let is_given = |(name, secret): &(Name, Secret)| {
        let mut given = request.secrets.all().iter();
        *name == secret_name(key) && given.any(|source| source.name == secret.source)
    };
    let is_secret_given = pool.secrets.iter().any(is_given);
    let secret = secret(key, pool, faults);
    let mut fleet = Fleet {
        key: key.clone(),
        instances: Vec::new(),
        knows_secret: secret.is_some() || live.kinds().contains(&Kind::Secret),
        frame: desired::secret_frame(&spec.node),
        secret,
        config_maps: config_maps(key, live, pool),
        inherited: Inherited::new(),
        former: spec.node.wishes.renamed_from.clone(),
        is_secret_given,
        names_namespace: spec.origin.names_namespace,
        spec_file: spec_file.map(|s| s.name.clone()).unwrap_or_default(),
        identities: specs.identity_origins.get(key).map(|origin| origin.source),
    };
    fleet.instances = instances(&fleet, (spec, specs), live, (request, faults));
    fleet
}

/// Takes a fleet's Secret out of the pool. Several copies are joined: whatever one of them holds
/// must not be lost. Two that hold different things under one name are an error.
pub(super) fn secret(
    key: &FleetKey,
    pool: &mut Pool,
    faults: &mut Vec<Diagnostic>,
) -> Option<Secret> {
    let name = secret_name(key);
    let all = std::mem::take(&mut pool.secrets);
    let (own, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(found, _)| *found == name);
    pool.secrets = others;
    let mut own = own
        .into_iter()
        .map(|(_, secret)| secret)
        .filter(|s| !s.is_encrypted);
    let mut joined = own.next()?;
    for other in own {
        joined.labels.extend(other.labels);
        joined.annotations.extend(other.annotations);
        for (entry, held) in other.entries {
            let Some(known) = joined.entries.get(&entry) else {
                joined.entries.insert(entry, held);
                continue;
            };
            if known.bytes != held.bytes && (known.id() != held.id() || known.id().is_none()) {
                let message = format!(
                    "two copies of Secret {}/{} hold different things under {entry}: one in {}, \
                     the other in {}",
                    name.0, name.1, joined.source, other.source
                );
                let fault = Diagnostic::error("secrets-disagree", message);
                faults.push(fault.hint("give the one that is right, and not the other"));
            }
        }
    }
    Some(joined)
}

fn instances(
    fleet: &Fleet,
    (spec, specs): (&inputs::Fleet, &inputs::Inputs),
    live: &Live<'_>,
    (request, faults): (&Request, &mut Vec<Diagnostic>),
) -> Vec<Instance> {
    let key = &fleet.key;
    let asked = desired::instances(&spec.node);
    let is_asked: BTreeSet<&String> = asked.iter().collect();
    let declared = specs.identities.get(key);
    let secret = fleet.secret.iter().flat_map(|secret| &secret.entries);
    let held =
        secret.filter(|(name, entry)| entry.id().is_some() && names::of_rotated(name).is_none());
    let others: BTreeSet<&String> = declared
        .into_iter()
        .flat_map(BTreeMap::keys)
        .chain(held.map(|(name, _)| name))
        .chain(fleet.config_maps.keys())
        .filter(|name| !is_asked.contains(*name))
        .collect();
    let mut instances = Vec::new();
    for name in asked.iter().chain(others) {
        let mut instance = instance(fleet, name, (specs, live), request);
        instance.is_asked = is_asked.contains(name);
        if instance.entry.is_empty() {
            instance.entry.clone_from(name);
            faults.extend(instance.is_asked.then(|| unclear(key, name)));
        }
        instances.push(instance);
    }
    instances
}

/// Gathers what is known of one instance. It has no entry where nobody knows which is its own.
fn instance(
    fleet: &Fleet,
    name: &str,
    (specs, live): (&inputs::Inputs, &Live<'_>),
    request: &Request,
) -> Instance {
    let key = &fleet.key;
    let declared = specs.identities.get(key).and_then(|ids| ids.get(name));
    let path = crate::spec::path::field("nodeIDs", name);
    let origin = specs
        .identity_origins
        .get(key)
        .filter(|_| declared.is_some());
    let entry = entry_of(name, (key, specs), live, fleet.secret.as_ref()).unwrap_or_default();
    let place = if entry.is_empty() { name } else { &entry };
    let stored = fleet.secret.as_ref().and_then(|s| s.entries.get(place));
    let pod = live.get(Kind::Pod, &key.namespace, name);
    Instance {
        name: name.to_owned(),
        is_asked: false,
        declared: declared.cloned(),
        place: origin.and_then(|origin| origin.place(request.specs.all(), &path)),
        secret: stored.map(|entry| entry.holds.clone()),
        config_map: fleet.config_maps.get(name).map(|entry| entry.holds.clone()),
        has_pod: pod.is_some(),
        mounted: pod.and_then(|pod| facts::mounted_by(pod, key)),
        entry,
    }
}
