//! Rules on what must be nobody else's: ordinals, addresses, p2p keys, consensus keys.

mod consensus;

use std::collections::{BTreeMap, BTreeSet};

use super::{Case, Findings, finding, instances};
use crate::live::{Live, NodeKey};
use crate::model::quote::quote;
use crate::model::{FleetKey, Kind, NodeId, names};
use crate::parse::inputs::Fleet;
use crate::spec::path;

pub(super) fn judge(case: &Case<'_>, findings: &mut Findings<'_>) {
    let fleets = &case.inputs.fleets;
    ordinals(fleets, findings);
    addresses(fleets, findings);
    consensus::judge(fleets, findings);
    if let Some(live) = case.live {
        node_ids(fleets, live, findings);
    }
}

/// Parts of one fleet in several namespaces (the same name and chain, and one part that does not
/// begin at nought) that have ordinals in common.
fn ordinals(fleets: &[Fleet], findings: &mut Findings<'_>) {
    for (index, fleet) in fleets.iter().enumerate() {
        let earlier = fleets.iter().take(index);
        let mut earlier = earlier.filter(|other| are_parts(fleet, other));
        let Some(other) = earlier.find(|other| shared(fleet, other).is_some()) else {
            continue;
        };
        let Some((first, last)) = shared(fleet, other) else {
            continue;
        };
        let message = if first == last {
            format!("ordinal {first} also belongs to {}", other.node.key)
        } else {
            format!(
                "ordinals {first} to {last} also belong to {}",
                other.node.key
            )
        };
        let found = finding("ordinals-overlap", "spec.ordinals.start", message);
        let end = other.node.spec.ordinals.start + other.node.spec.replicas;
        let found = found.hint(format!("begin at {end}, or have fewer replicas there"));
        let found = findings.see(found, (other, "metadata.name"), "the other part");
        findings.add(fleet, found);
    }
}

fn are_parts(one: &Fleet, other: &Fleet) -> bool {
    let (a, b) = (&one.node, &other.node);
    let is_split = a.spec.ordinals.start > 0 || b.spec.ordinals.start > 0;
    a.key.name == b.key.name && a.spec.chain.chain_id == b.spec.chain.chain_id && is_split
}

fn shared(one: &Fleet, other: &Fleet) -> Option<(i32, i32)> {
    let range = |fleet: &Fleet| {
        let spec = &fleet.node.spec;
        (spec.ordinals.start, spec.ordinals.start + spec.replicas - 1)
    };
    let (a, b) = (range(one), range(other));
    let both = (a.0.max(b.0), a.1.min(b.1));
    (both.0 <= both.1).then_some(both)
}

fn addresses(fleets: &[Fleet], findings: &mut Findings<'_>) {
    let mut seen: BTreeMap<&str, (&Fleet, String)> = BTreeMap::new();
    for fleet in fleets {
        for (name, exception) in &fleet.node.spec.instance_overrides {
            let address = exception.external_address.as_deref().unwrap_or_default();
            if address.is_empty() || exception.disable.is_some() {
                continue;
            }
            let here = path::field("spec.instanceOverrides", name);
            let here = path::field(&here, "externalAddress");
            if let Some((other, there)) = seen.get(address) {
                let message = format!("another instance has the address {} too", quote(address));
                let found = finding("address-shared", here, message);
                let found = found.hint("give each instance an address or a port of its own");
                let found = findings.see(found, (other, there), "the other instance");
                findings.add(fleet, found);
            } else {
                seen.insert(address, (fleet, here));
            }
        }
    }
}

/// Nodes that run, by their p2p IDs: a namespace and the name of an instance.
type Uses = BTreeMap<NodeId, BTreeSet<(String, String)>>;

fn node_ids(fleets: &[Fleet], live: &Live<'_>, findings: &mut Findings<'_>) {
    let shared = uses(live).into_iter().filter(|(_, nodes)| nodes.len() > 1);
    for (id, nodes) in shared {
        let is_of = |fleet: &&Fleet| {
            let names = instances::names(fleet, &fleet.node.key.name);
            let namespace = &fleet.node.key.namespace;
            nodes
                .iter()
                .any(|(ns, name)| ns == namespace && names.contains(name))
        };
        let Some(fleet) = fleets.iter().find(is_of) else {
            continue;
        };
        let names: Vec<String> = nodes
            .iter()
            .map(|(ns, name)| format!("{ns}/{name}"))
            .collect();
        let message = format!("{} run with one p2p key, that of {id}", names.join(" and "));
        let found = finding("node-id-shared", "metadata.name", message);
        findings.add(
            fleet,
            found.hint("give all but one of them a key of its own"),
        );
    }
}

/// Returns the nodes that run, by their IDs, as live keys tell them.
fn uses(live: &Live<'_>) -> Uses {
    let mut uses = Uses::new();
    for fleet in live.fleets() {
        for (instance, id) in live_ids(live, &fleet) {
            let pod = live.get(Kind::Pod, &fleet.namespace, &instance);
            if pod.is_some_and(|pod| !pod.is_terminating()) {
                let node = (fleet.namespace.clone(), instance);
                uses.entry(id).or_default().insert(node);
            }
        }
    }
    uses
}

fn live_ids(live: &Live<'_>, fleet: &FleetKey) -> Vec<(String, NodeId)> {
    let id_of = |key: Option<&NodeKey>| match key {
        Some(NodeKey::Id(id)) => Some(id.clone()),
        Some(NodeKey::Broken) | None => None,
    };
    let configs = live.kind_of_fleet(Kind::ConfigMap, fleet);
    let of_configs = configs.filter_map(|config| {
        let id = id_of(config.node_keys.get("node_key.json"))?;
        Some((config.meta.name.clone().into_owned(), id))
    });
    let secret = names::key_secret(&fleet.name);
    let secret = live.get(Kind::Secret, &fleet.namespace, &secret);
    let of_secret = secret.into_iter().flat_map(|secret| &secret.node_keys);
    let of_secret = of_secret.filter_map(|(instance, key)| {
        let id = id_of(Some(key))?;
        Some((instance.clone().into_owned(), id))
    });
    of_configs.chain(of_secret).collect()
}
