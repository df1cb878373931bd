//! Which entry of a Secret the key of an instance lies under, where it was rotated or not; and which
//! keys the instances of a renamed fleet had under their former name.

use std::collections::BTreeMap;

use super::pool::{Entry, Pool, Secret};
use super::survey::{Fleet, Inherited, secret};
use crate::desired;
use crate::diagnostic::Diagnostic;
use crate::live::{Live, NodeKey, facts};
use crate::model::{FleetKey, Kind, names};
use crate::parse::inputs;

/// Finds the keys that the instances of a renamed fleet, or those that come from another one, had
/// under their former name: in its Secret, else in its ConfigMaps. A key that was rotated away is
/// not taken along.
pub(super) fn inherited(
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
pub(super) fn entry_of(
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

pub(super) fn unclear(fleet: &FleetKey, instance: &str) -> Diagnostic {
    let message = format!(
        "Secret {} holds keys of several identities of {}/{instance}, and nothing that was given \
         says which is its own",
        names::key_secret(&fleet.name),
        fleet.namespace
    );
    Diagnostic::error("identity-unclear", message)
        .hint("give the NodeIdentities that `keys rotate` wrote, or a snapshot that holds its pod")
}

/// Takes the node keys of a fleet's ConfigMaps out of the pool, if they are the fleet's own.
pub(super) fn config_maps(
    key: &FleetKey,
    live: &Live<'_>,
    pool: &mut Pool,
) -> BTreeMap<String, Entry> {
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
