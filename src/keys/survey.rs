//! Who has which identity, and where that is known from: the documents, the Secrets and the
//! ConfigMaps of all fleets beside each other. Makes nothing and writes nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::pool::{Entry, Holds, Name, Pool, Secret, Sources, Texts};
use crate::desired;
use crate::diagnostic::{Diagnostic, Place, Reported, Severity};
use crate::live::{Live, NodeKey, facts};
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
}

/// Whose word it is that an instance is new, and has no identity that its peers know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Newness {
    /// What was given shows it.
    #[default]
    Shown,
    /// The owner says so.
    Told,
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
    let specs = take(parse::specs(request.specs.all(), None), &mut diagnostics);
    let snapshot = request.snapshot.as_ref().map_or(&[][..], Sources::all);
    let mut texts = Texts(take(parse::texts(snapshot), &mut diagnostics));
    let given = take(parse::texts(request.secrets.all()), &mut diagnostics);
    texts.0.extend(given);
    let live = take(parse::snapshot::read(&texts.0), &mut diagnostics);
    let mut pool = Pool::read(&texts.0);
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
        spec_file: spec_file.map(|s| s.name.clone()).unwrap_or_default(),
        identities: specs.identity_origins.get(key).map(|origin| origin.source),
    };
    fleet.instances = instances(&fleet, (spec, specs), live, (request, faults));
    fleet
}

/// Takes a fleet's Secret out of the pool. Several copies are joined: whatever one of them holds
/// must not be lost. Two that hold different things under one name are an error.
fn secret(key: &FleetKey, pool: &mut Pool, faults: &mut Vec<Diagnostic>) -> Option<Secret> {
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

/// Takes the node keys of a fleet's ConfigMaps out of the pool, if they are the fleet's own.
fn config_maps(key: &FleetKey, live: &Live<'_>, pool: &mut Pool) -> BTreeMap<String, Entry> {
    let mut found = BTreeMap::new();
    for object in live.kind_of_fleet(Kind::ConfigMap, key) {
        let Some(newest) = object.node_keys.get("node_key.json") else {
            continue;
        };
        let name = (key.namespace.clone(), object.meta.name.clone().into_owned());
        let copies = pool.config_maps.remove(&name).unwrap_or_default();
        let is_newest = |entry: &Entry| match newest {
            NodeKey::Id(id) => entry.id().is_none_or(|known| known == id),
            NodeKey::Broken => entry.id().is_none(),
        };
        let entry = copies.into_iter().find(is_newest);
        found.extend(entry.map(|entry| (name.1, entry)));
    }
    found
}

/// Finds the keys that the instances of a renamed fleet, or those that come from another one, had
/// under their former name: in its Secret, else in its ConfigMaps. A key that was rotated away is
/// not taken along.
fn inherited(
    (spec, specs): (&inputs::Fleet, &inputs::Inputs),
    fleets: &[Fleet],
    (live, pool): (&Live<'_>, &mut Pool),
    faults: &mut Vec<Diagnostic>,
) -> Inherited {
    let mut found = Inherited::new();
    let Some(former) = &spec.node.wishes.renamed_from else {
        return found;
    };
    let (gone_configs, gone_secret);
    let known = fleets.iter().find(|fleet| fleet.key == *former);
    let (configs, secret) = if let Some(fleet) = known {
        (&fleet.config_maps, fleet.secret.as_ref())
    } else {
        gone_configs = config_maps(former, live, pool);
        gone_secret = secret(former, pool, &mut Vec::new());
        (&gone_configs, gone_secret.as_ref())
    };
    for instance in desired::instances(&spec.node) {
        let ordinal = instance.rsplit('-').next().unwrap_or_default();
        let before = format!("{}-{ordinal}", former.name);
        let Some(entry) = entry_of(&before, (former, specs), live, secret) else {
            faults.push(unclear(former, &before));
            continue;
        };
        let stored = secret.and_then(|secret| secret.entries.get(&entry));
        let in_config = configs.get(&before).filter(|_| entry == before);
        if let Some(key) = stored.or(in_config) {
            found.insert(instance, (before, key.clone()));
        }
    }
    found
}

/// Finds the entry of the Secret that an instance's key lies under: by what its owner declared, else
/// by what its pod mounts, else the only one that there is. Nothing where that leaves several.
fn entry_of(
    instance: &str,
    (fleet, specs): (&FleetKey, &inputs::Inputs),
    live: &Live<'_>,
    secret: Option<&Secret>,
) -> Option<String> {
    let declared = specs
        .identities
        .get(fleet)
        .and_then(|ids| ids.get(instance));
    let rotated = specs.rotated.get(fleet);
    let pod = live.get(Kind::Pod, &fleet.namespace, instance);
    let mounted = pod.and_then(|pod| facts::mounted_by(pod, fleet));
    if let Some(id) = declared {
        let entry = names::rotated_entry(instance, id);
        let is_rotated = rotated.is_some_and(|rotated| rotated.contains(instance));
        let is_it = is_rotated || mounted.as_ref() == Some(&entry);
        return Some(if is_it { entry } else { instance.to_owned() });
    }
    if pod.is_some() {
        return Some(mounted.unwrap_or_else(|| instance.to_owned()));
    }
    let stored = secret.into_iter().flat_map(|secret| secret.entries.keys());
    let mut stored = stored.filter(|entry| {
        let of = names::of_rotated(entry).map(|(instance, _)| instance);
        of.unwrap_or(entry.as_str()) == instance
    });
    match (stored.next(), stored.next()) {
        (None, _) => Some(instance.to_owned()),
        (Some(only), None) => Some(only.clone()),
        (Some(_), Some(_)) => None,
    }
}

fn unclear(fleet: &FleetKey, instance: &str) -> Diagnostic {
    let message = format!(
        "Secret {} holds keys of several identities of {}/{instance}, and nothing that was given \
         says which is its own",
        names::key_secret(&fleet.name),
        fleet.namespace
    );
    Diagnostic::error("identity-unclear", message)
        .hint("give the NodeIdentities that `keys rotate` wrote, or a snapshot that holds its pod")
}

fn instances(
    fleet: &Fleet,
    (spec, specs): (&inputs::Fleet, &inputs::Inputs),
    live: &Live<'_>,
    (request, faults): (&Request, &mut Vec<Diagnostic>),
) -> Vec<Instance> {
    let key = &fleet.key;
    let asked = desired::instances(&spec.node);
    let declared = specs.identities.get(key);
    let origin = specs.identity_origins.get(key);
    let mut names = asked.clone();
    let secret = fleet.secret.iter().flat_map(|secret| &secret.entries);
    let held =
        secret.filter(|(name, entry)| entry.id().is_some() && names::of_rotated(name).is_none());
    let others: BTreeSet<&String> = declared
        .into_iter()
        .flat_map(BTreeMap::keys)
        .chain(held.map(|(name, _)| name))
        .chain(fleet.config_maps.keys())
        .collect();
    names.extend(
        others
            .into_iter()
            .filter(|name| !asked.contains(name))
            .cloned(),
    );
    let asked: BTreeSet<&String> = asked.iter().collect();
    names
        .iter()
        .map(|name| {
            let declared = declared.and_then(|ids| ids.get(name).cloned());
            let path = crate::spec::path::field("nodeIDs", name);
            let written = origin.filter(|_| declared.is_some());
            let place = written.and_then(|origin| origin.place(request.specs.all(), &path));
            let is_asked = asked.contains(name);
            let entry = entry_of(name, (key, specs), live, fleet.secret.as_ref());
            if entry.is_none() && is_asked {
                faults.push(unclear(key, name));
            }
            let entry = entry.unwrap_or_else(|| name.clone());
            let stored = fleet.secret.as_ref().and_then(|s| s.entries.get(&entry));
            let in_config = fleet.config_maps.get(name);
            let pod = live.get(Kind::Pod, &key.namespace, name);
            Instance {
                name: name.clone(),
                is_asked,
                declared,
                place,
                secret: stored.map(|entry| entry.holds.clone()),
                config_map: in_config.map(|entry| entry.holds.clone()),
                has_pod: pod.is_some(),
                mounted: pod.and_then(|pod| facts::mounted_by(pod, key)),
                entry,
            }
        })
        .collect()
}
