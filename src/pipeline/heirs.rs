//! Which instances take over the volume of one that had another name, as the document says with
//! `renamed-from`; what they find of it in the snapshot, and what a claim must ask for to bind it.
//! The steps are the plan's.

mod notes;
mod search;
mod users;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use self::search::Search;
use self::users::Users;
use crate::desired::{Desired, Role};
use crate::diff::Differences;
use crate::live::facts::{self, Declared, Facts, Sources};
use crate::live::{Live, Object, progress, status};
use crate::model::{FleetKey, Kind, Notice, ObjectKey, Ordinal, names};
use crate::parse::inputs::Inputs;
use crate::plan::Heirs;
use crate::spec::FullNode;

/// What an instance waits for that cannot take over.
const NOT_KNOWN: &str = "what it takes over from the fleet's former name to be known";

/// The ordinals of each fleet that are taken over by another.
#[derive(Debug, Default)]
pub(super) struct Taken<'s> {
    by: Vec<(FleetKey, FleetKey, BTreeSet<Ordinal>)>,
    /// What the owner wrote, with identities of fleets that have no document any more.
    specs: Option<&'s Inputs>,
}

impl<'s> Taken<'s> {
    /// Finds out who takes what from whom: what a fleet asks for that its former name does not ask
    /// for any more.
    pub(super) fn new(specs: &'s Inputs) -> Self {
        let fleets = &specs.fleets;
        let wants = |node: &FullNode| -> BTreeSet<Ordinal> {
            if node.wishes.is_removed {
                return BTreeSet::new();
            }
            let start = Ordinal::from(node.spec.ordinals.start);
            (start..start + Ordinal::from(node.spec.replicas)).collect()
        };
        let by = fleets.iter().filter_map(|fleet| {
            let former = fleet.node.wishes.renamed_from.clone()?;
            let others = fleets
                .iter()
                .filter(|other| other.node.key != fleet.node.key);
            let kept: BTreeSet<Ordinal> = others
                .filter(|other| {
                    let is_rival = other.node.wishes.renamed_from.as_ref() == Some(&former);
                    other.node.key == former || is_rival && other.node.key < fleet.node.key
                })
                .flat_map(|other| wants(&other.node))
                .collect();
            let ordinals = wants(&fleet.node).difference(&kept).copied().collect();
            Some((former, fleet.node.key.clone(), ordinals))
        });
        Self {
            by: by.collect(),
            specs: Some(specs),
        }
    }

    /// Tells whether an object of a fleet goes to another fleet with its instance.
    pub(super) fn has(&self, fleet: &FleetKey, object: &Object<'_>) -> bool {
        let Some(ordinal) = ordinal_of(object, fleet) else {
            return false;
        };
        let mut all = self.by.iter();
        all.any(|(former, _, ordinals)| former == fleet && ordinals.contains(&ordinal))
    }

    /// Tells whether all that matters of a fleet goes to others: its pods and claims.
    pub(super) fn is_all_of(&self, fleet: &FleetKey, live: &Live<'_>) -> bool {
        let is_former = self.by.iter().any(|(former, _, _)| former == fleet);
        let mut instances = live
            .of_fleet(fleet)
            .filter(|o| matches!(o.kind, Kind::Pod | Kind::PersistentVolumeClaim));
        is_former && instances.all(|object| self.has(fleet, object))
    }

    /// Tells whether a document asks for a fleet, be it for no instance at all.
    fn is_asked_for(&self, fleet: &FleetKey) -> bool {
        let mut fleets = self.specs.iter().flat_map(|specs| &specs.fleets);
        fleets.any(|asked| asked.node.key == *fleet && !asked.node.wishes.is_removed)
    }

    /// Tells whether a fleet has pods or claims that others take over, or nothing else is left.
    fn is_left(&self, fleet: &FleetKey, live: &Live<'_>) -> bool {
        let mut instances = live
            .of_fleet(fleet)
            .filter(|o| matches!(o.kind, Kind::Pod | Kind::PersistentVolumeClaim));
        self.is_all_of(fleet, live) || instances.any(|object| self.has(fleet, object))
    }

    fn by(&self, heir: &FleetKey) -> Option<&(FleetKey, FleetKey, BTreeSet<Ordinal>)> {
        self.by.iter().find(|(_, fleet, _)| fleet == heir)
    }
}

/// Returns the ordinal of the instance that an object of a fleet belongs to.
fn ordinal_of(object: &Object<'_>, fleet: &FleetKey) -> Option<Ordinal> {
    let main = object.label(names::BELONGS_TO);
    let instance = main.or_else(|| object.label(names::INSTANCE))?;
    let rest = instance.strip_prefix(fleet.name.as_str())?;
    rest.strip_prefix('-')?.parse().ok()
}

/// Carries over what is known of the former instances: an heir starts where its volume stands, not
/// at the first version of the chain. Returns all that is known of the former fleet.
pub(super) fn inherit_facts(
    fleet: &FleetKey,
    taken: &Taken,
    live: &Live<'_>,
    facts: &mut Facts,
) -> Facts {
    let Some((former, _, ordinals)) = taken.by(fleet) else {
        return Facts::default();
    };
    let declared = Declared {
        ids: taken.specs.and_then(|specs| specs.identities.get(former)),
        rotated: taken.specs.and_then(|specs| specs.rotated.get(former)),
    };
    let (theirs, _) = facts::gather(live, former, declared, &Sources::default());
    for ordinal in ordinals {
        let own = format!("{}-{ordinal}", fleet.name);
        let old = format!("{}-{ordinal}", former.name);
        if let Some(height) = theirs.heights.get(&old) {
            facts.heights.entry(own.clone()).or_insert(*height);
        }
        if let Some(pod) = theirs.pods.get(&old) {
            facts.pods.entry(own).or_insert_with(|| pod.clone());
        }
    }
    theirs
}

/// Leaves to the heirs what is theirs: what goes to another fleet with its instance is not
/// deleted here, and a former instance's additional pods, which bear the names of the new one's,
/// are no stranger's.
pub(super) fn settle(
    differences: &mut Differences<'_, '_>,
    fleet: &FleetKey,
    heirs: &Heirs,
    (taken, live): (&Taken, &Live<'_>),
) {
    // what the instances share goes once all have moved
    let is_left = taken.is_left(fleet, live);
    differences.condemned.retain(|object| {
        let is_shared = ordinal_of(object, fleet).is_none();
        !(taken.has(fleet, object) || is_left && is_shared)
    });
    let theirs: BTreeSet<&ObjectKey> = heirs
        .moves
        .values()
        .flat_map(|heirloom| heirloom.pods.iter().chain(&heirloom.going))
        .collect();
    differences
        .foreign
        .retain(|notice| notice.object.as_ref().is_none_or(|o| !theirs.contains(o)));
}

/// Finds what a fleet takes over, and makes its new claims such that they bind the old volumes.
pub(super) fn find(
    (node, facts): (&FullNode, &Facts),
    (taken, former_facts): (&Taken, &Facts),
    live: &Live<'_>,
    desired: &mut Desired,
) -> Heirs {
    let (fleet, versions) = (&node.key, node.spec.chain.versions.as_slice());
    let mut heirs = Heirs::default();
    let Some((former, _, ordinals)) = taken.by(fleet) else {
        return heirs;
    };
    let search = Search {
        live,
        fleet,
        former,
        facts: (facts, former_facts),
        status: status::read(live, former),
        progress: progress::gather(live, former),
        versions,
        node,
        users: Users::default(),
    };
    for instance in &desired.instances {
        let found = if ordinals.contains(&instance.ordinal) {
            search.heirloom(instance, desired)
        } else {
            search
                .not_free(instance)
                .map_or(Ok(None), |notice| Err(Box::new(notice)))
        };
        match found {
            Ok(None) => {}
            Ok(Some(heirloom)) => match search.halt(&heirloom, instance, desired) {
                Some(hold) => {
                    let notice = hold.notice.map(|(code, message)| {
                        let name = heirloom.former.clone();
                        Notice::on(search.pod(name), code, message)
                    });
                    heirs.warnings.extend(notice);
                    heirs.held.insert(instance.ordinal, hold.on);
                }
                None => drop(heirs.moves.insert(instance.ordinal, heirloom)),
            },
            Err(notice) => {
                heirs.held.insert(instance.ordinal, NOT_KNOWN.to_owned());
                heirs.blocked.push(*notice);
            }
        }
    }
    let held = desired.instances.iter().filter(|instance| {
        let ordinal = &instance.ordinal;
        instance.has_pod && ordinals.contains(ordinal) && heirs.held.contains_key(ordinal)
    });
    (heirs.away, heirs.gone) = search.away(held);
    heirs.leftovers = search.leftovers(taken, &heirs);
    heirs.warnings.extend(search.owned(taken));
    bind(desired, &heirs, live);
    heirs
}

/// Makes new claims ask for exactly what the old volumes are: another class or size would not
/// bind. What the document asks for beyond that is a change of a claim that is there, then.
fn bind(desired: &mut Desired, heirs: &Heirs, live: &Live<'_>) {
    let claims = desired
        .manifests
        .iter_mut()
        .filter(|manifest| manifest.role == Role::Claim);
    for manifest in claims {
        let heirloom = manifest.ordinal.and_then(|o| heirs.moves.get(&o));
        let Some(heirloom) = heirloom else { continue };
        let Some(volume) = live.get(Kind::PersistentVolume, "", &heirloom.volume.name) else {
            continue;
        };
        let volume = volume.spec_tree();
        let spec = &mut manifest.body["spec"];
        for field in ["accessModes", "storageClassName", "volumeMode"] {
            if !volume[field].is_null() {
                spec[field] = volume[field].clone();
            }
        }
        let size: &Value = &volume["capacity"]["storage"];
        if size.is_string() {
            spec["resources"]["requests"]["storage"] = size.clone();
        }
        spec["volumeName"] = json!(heirloom.volume.name);
        // its node is no newcomer, though claim and pod are as young as one's
        let former = volume["claimRef"]["uid"].as_str();
        let former = former.unwrap_or(&heirloom.volume.name);
        manifest.body["metadata"]["annotations"][names::REPLACES] = json!(former);
        let spec = &mut manifest.body["spec"];
        if let Some(members) = spec.as_object_mut() {
            members.remove("dataSource");
            members.remove("dataSourceRef");
        }
    }
}
