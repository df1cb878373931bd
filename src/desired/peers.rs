//! Who an instance is told to call: all others, or in a large fleet a bounded number of
//! neighbours. Knows nothing of TOML.

use std::collections::BTreeSet;

use crate::desired::fleet::Fleet;
use crate::desired::{pod, service};
use crate::live::facts::ExternalAddress;
use crate::model::{Kind, NodeId, Notice, Ordinal};

/// Up to so many instances everybody knows everybody; above, text would grow with the square.
const FULL_MESH: i64 = 32;
/// How far around the ring neighbours are, to both sides: at most 16 of them. The first keeps the
/// ring whole, the others keep it short.
const DISTANCES: [i64; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

/// What an instance is told of the others.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    /// `ID@host:port`, sorted.
    pub(crate) addresses: Vec<String>,
    /// The IDs alone, sorted.
    pub(crate) ids: Vec<String>,
}

/// Collects the peers of one instance; those without a known identity are left out.
pub(crate) fn of_instance(fleet: &Fleet<'_>, ordinal: Ordinal) -> Peers {
    let known = neighbours(fleet.ordinals(), ordinal)
        .into_iter()
        .filter_map(|other| Some((other, node_id(fleet, other)?)));
    let mut peers = Peers::default();
    for (other, id) in known {
        peers.ids.push(id.to_string());
        peers
            .addresses
            .push(format!("{id}@{}", private_address(fleet, other)));
    }
    peers.addresses.sort();
    peers.ids.sort();
    peers
}

/// Names the instances whose identity is not known, or not readable.
pub(crate) fn unknown(fleet: &Fleet<'_>) -> Vec<Notice> {
    let is_unknown = |ordinal: &Ordinal| {
        let is_held = |name: &String| fleet.facts.held_identities.contains(name);
        node_id(fleet, *ordinal).is_none() && !is_held(&fleet.instance(*ordinal))
    };
    fleet
        .ordinals()
        .filter(is_unknown)
        .map(|ordinal| {
            let instance = fleet.instance(ordinal);
            let key = fleet.key(Kind::ConfigMap, &instance);
            if fleet.facts.config_map_keys.contains(&instance) {
                let message = format!(
                    "the node key in ConfigMap {instance} cannot be read, so its peers are not \
                     told of it: restore the key, or take the ConfigMap away for a new one"
                );
                Notice::on(key, "NodeKeyBroken", message)
            } else {
                let message = format!(
                    "the node ID of {instance} is not known yet, so its peers are not told of it: \
                     add it to the fleet's NodeIdentities; a new node starts once Secret {} \
                     has its key under its name",
                    fleet.key_secret()
                );
                Notice::on(key, "IdentityUnknown", message)
            }
        })
        .collect()
}

/// The address that peers outside reach an instance by: the owner's word, else the cloud's.
pub(crate) fn external_address(fleet: &Fleet<'_>, ordinal: Ordinal) -> Option<String> {
    if let Some(address) = named_address(fleet, ordinal) {
        return Some(address.to_owned());
    }
    let Some(ExternalAddress { ip, hostname }) =
        fleet.facts.addresses.get(&fleet.p2p_service(ordinal))
    else {
        return former_address(fleet, ordinal).map(ToOwned::to_owned);
    };
    let given = |host: &&String| !host.is_empty();
    let host = ip
        .as_ref()
        .filter(given)
        .or(hostname.as_ref().filter(given))?;
    let port = fleet.p2p_port;
    if host.contains([':', '%']) {
        return Some(format!("[{host}]:{port}"));
    }
    Some(format!("{host}:{port}"))
}

/// The address that the owner names for an instance.
pub(crate) fn named_address<'f>(fleet: &Fleet<'f>, ordinal: Ordinal) -> Option<&'f str> {
    let owners = fleet.instance_override(&fleet.instance(ordinal));
    owners.and_then(|own| own.external_address.as_deref())
}

/// What an instance was reached by before its load balancer lost its address (design.md, safety
/// rule 9): a lost address is no change.
fn former_address<'a>(fleet: &Fleet<'a>, ordinal: Ordinal) -> Option<&'a str> {
    let former = fleet.facts.former_addresses.get(&fleet.instance(ordinal))?;
    service::is_load_balancer(fleet, ordinal).then_some(former.as_str())
}

/// Warns of load balancers that have lost their address.
pub(crate) fn lost_addresses(fleet: &Fleet<'_>) -> Vec<Notice> {
    fleet
        .ordinals()
        .filter_map(|ordinal| {
            let owners = fleet.instance_override(&fleet.instance(ordinal));
            if owners.is_some_and(|own| own.external_address.is_some()) {
                return None;
            }
            let former = former_address(fleet, ordinal)?;
            let message = format!(
                "its load balancer shows no address: the node keeps {former}, which it had before"
            );
            let key = fleet.key(Kind::Service, &fleet.p2p_service(ordinal));
            Some(Notice::on(key, "AddressLost", message))
        })
        .collect()
}

/// Warns of load balancers that are to go. Their nodes keep the address while it is there, as the
/// reference's do; but once it is gone they restart to tell their peers, which this plan cannot show.
pub(crate) fn leaving_addresses(fleet: &Fleet<'_>) -> Vec<Notice> {
    let is_leaving = |ordinal: &Ordinal| {
        let owners = fleet.instance_override(&fleet.instance(*ordinal));
        let is_told = pod::is_wanted(fleet, &fleet.instance(*ordinal));
        is_told
            && owners.is_none_or(|own| own.external_address.is_none())
            && !service::is_load_balancer(fleet, *ordinal)
    };
    let leaving = fleet.ordinals().filter(is_leaving);
    leaving
        .filter_map(|ordinal| {
            let address = external_address(fleet, ordinal)?;
            let message = format!(
                "its load balancer goes, and the address {address} with it: once it is gone, the \
                 next plan restarts the node, which then no longer tells its peers of it"
            );
            let key = fleet.key(Kind::Service, &fleet.p2p_service(ordinal));
            Some(Notice::on(key, "AddressLeaves", message))
        })
        .collect()
}

fn node_id<'a>(fleet: &Fleet<'a>, ordinal: Ordinal) -> Option<&'a NodeId> {
    fleet.facts.node_ids.get(&fleet.instance(ordinal))
}

fn private_address(fleet: &Fleet<'_>, ordinal: Ordinal) -> String {
    let domain = fleet.spec().service.cluster_domain.as_deref();
    let (service, namespace) = (fleet.p2p_service(ordinal), fleet.namespace());
    let domain = domain.unwrap_or("cluster.local");
    format!("{service}.{namespace}.svc.{domain}:{}", fleet.p2p_port)
}

/// Neighbourhood is mutual, and the whole is connected.
fn neighbours(all: std::ops::Range<Ordinal>, ordinal: Ordinal) -> BTreeSet<Ordinal> {
    let count = all.end - all.start;
    if count <= FULL_MESH {
        return all.filter(|other| *other != ordinal).collect();
    }
    let place = ordinal - all.start;
    let both_ways = DISTANCES
        .into_iter()
        .flat_map(|distance| [distance, -distance]);
    both_ways
        .map(|distance| all.start + (place + distance).rem_euclid(count))
        .filter(|other| *other != ordinal)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_fleet_is_a_full_mesh() {
        assert_eq!(neighbours(5..37, 5), (6..37).collect());
    }

    #[test]
    fn in_a_large_fleet_neighbours_are_few_and_mutual_and_reach_all() {
        for count in [33, 40, 257, 1000] {
            let all = 3..3 + count;
            let of = |ordinal| neighbours(all.clone(), ordinal);
            let mut reached = BTreeSet::from([3]);
            let mut fresh = vec![3];
            while let Some(ordinal) = fresh.pop() {
                assert!(of(ordinal).len() <= 16, "{count}: {ordinal}");
                for other in of(ordinal) {
                    assert!(of(other).contains(&ordinal), "{count}: {ordinal} {other}");
                    if reached.insert(other) {
                        fresh.push(other);
                    }
                }
            }
            assert_eq!(i64::try_from(reached.len()), Ok(count));
        }
    }

    /// Counts who still hears of each other, starting at the first that is left.
    fn reached(count: i64, is_lost: impl Fn(Ordinal) -> bool) -> usize {
        let mut fresh: Vec<Ordinal> = (0..count).filter(|o| !is_lost(*o)).take(1).collect();
        let mut reached: BTreeSet<Ordinal> = fresh.iter().copied().collect();
        while let Some(ordinal) = fresh.pop() {
            for other in neighbours(0..count, ordinal) {
                if !is_lost(other) && reached.insert(other) {
                    fresh.push(other);
                }
            }
        }
        reached.len()
    }

    #[test]
    fn a_large_fleet_stays_whole_when_a_tenth_of_it_is_lost() {
        for count in [33, 100, 2000, 10_000] {
            for seed in 0..5 {
                // Any scatter will do: the fractional parts of multiples of an irrational number.
                let scattered = |ordinal: Ordinal| (ordinal * 7919 + seed * 104_729) * 618_034;
                let is_lost = |ordinal: Ordinal| scattered(ordinal) / 1000 % 1000 < 100;
                let left = (0..count).filter(|ordinal| !is_lost(*ordinal)).count();
                assert_eq!(reached(count, is_lost), left, "{count}, {seed}");
            }
            // A whole stretch of neighbours, as when a zone is lost.
            let is_lost = |ordinal: Ordinal| ordinal < count / 10;
            let left = usize::try_from(count - count / 10).unwrap();
            assert_eq!(reached(count, is_lost), left, "{count}");
        }
    }
}
