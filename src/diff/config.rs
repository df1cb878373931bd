//! ConfigMaps: their TOML is compared by what it says, not by how it is written; members of peer
//! lists that scaling brings or takes away are told from what the owner asked for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::effects::{self, Changed, Moved, On};
use super::{Comparison, Differences, Standing};
use crate::desired::{Manifest, Role};
use crate::live::{Live, Object};
use crate::model::{FleetKey, Kind};
use crate::plan::{Change, Effect};

/// What the changes of its ConfigMap are prefixed with where a pod shows them.
pub(super) const OF_POD: &str = "ConfigMap.";

/// Members of these lists are generated from the fleet's own instances, beside the owner's.
const PEER_LISTS: [&str; 6] = [
    "p2p.persistent_peers",
    "p2p.persistent-peers",
    "p2p.private_peer_ids",
    "p2p.private-peer-ids",
    "p2p.unconditional_peer_ids",
    "p2p.unconditional-peer-ids",
];

/// Compares a ConfigMap's data. The effects are those on its pod; the ConfigMap itself is always
/// patched in place.
pub(super) fn changes(
    manifest: &Manifest,
    object: &Object<'_>,
    own_ids: &BTreeSet<String>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    let empty = serde_json::Map::new();
    let wanted = manifest.body["data"].as_object().unwrap_or(&empty);
    for (file, text) in wanted {
        let text = text.as_str().unwrap_or_default();
        let is = object.data.get(file.as_str()).map(AsRef::as_ref);
        match is {
            Some(is) if is == text => {}
            Some(is) => changes.extend(file_changes(file, text, is, own_ids)),
            None => changes.push(Change {
                path: format!("data[{file}]"),
                from: None,
                to: Some(Value::String(text.to_owned())),
                effect: Effect::Restart,
            }),
        }
    }
    for (file, _) in object
        .data
        .iter()
        .filter(|(file, _)| !wanted.contains_key(file.as_ref()))
    {
        changes.push(Change {
            path: format!("data[{file}]"),
            from: Some(Value::String("(its text)".to_owned())),
            to: None,
            effect: Effect::InPlace,
        });
    }
    changes
}

/// The node IDs of all instances that the snapshot knows of.
pub(super) fn own_ids(live: &Live<'_>, fleet: &FleetKey) -> BTreeSet<String> {
    live.kind_of_fleet(Kind::ConfigMap, fleet)
        .flat_map(|config| config.node_keys.values())
        .filter_map(|key| match key {
            crate::live::NodeKey::Id(id) => Some(id.as_str().to_owned()),
            crate::live::NodeKey::Broken => None,
        })
        .collect()
}

fn file_changes(file: &str, wanted: &str, live: &str, own: &BTreeSet<String>) -> Vec<Change> {
    let (Ok(wanted_toml), Ok(live_toml)) =
        (wanted.parse::<toml::Table>(), live.parse::<toml::Table>())
    else {
        let text = |text: &str| Some(Value::String(text.to_owned()));
        let path = format!("data[{file}]");
        return vec![Change {
            path,
            from: text(live),
            to: text(wanted),
            effect: Effect::Restart,
        }];
    };
    let (mut wanted, mut live) = (BTreeMap::new(), BTreeMap::new());
    flatten("", wanted_toml, &mut wanted);
    flatten("", live_toml, &mut live);
    let own = with_ids_of_services(own, &wanted, &live);
    let names: BTreeSet<&String> = wanted.keys().chain(live.keys()).collect();
    names
        .into_iter()
        .filter(|name| wanted.get(*name) != live.get(*name))
        .filter_map(|name| {
            let (to, from) = (wanted.get(name), live.get(name));
            let moved = moved(name, from, to, &own);
            let value = |v: Option<&toml::Value>| v.and_then(|v| serde_json::to_value(v).ok());
            let (from, to) = (value(from), value(to));
            let changed = Changed {
                path: name,
                from: from.as_ref(),
                to: to.as_ref(),
                notes: None,
                ours: None,
                moved,
            };
            let effect = effects::of(On::Config, &changed)?;
            let path = format!("data[{file}].{name}");
            Some(Change {
                path,
                from,
                to,
                effect,
            })
        })
        .collect()
}

fn flatten(prefix: &str, table: toml::Table, into: &mut BTreeMap<String, toml::Value>) {
    for (key, value) in table {
        let path = if prefix.is_empty() {
            key
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            // one without entries says nothing
            toml::Value::Table(table) => flatten(&path, table, into),
            leaf @ (toml::Value::String(_)
            | toml::Value::Integer(_)
            | toml::Value::Float(_)
            | toml::Value::Boolean(_)
            | toml::Value::Datetime(_)
            | toml::Value::Array(_)) => {
                into.insert(path, leaf);
            }
        }
    }
}

/// Returns what a change of a setting moves: members of a list of peers that follow from the
/// fleet's own instances are told from those that its owner asked for.
fn moved(
    name: &str,
    from: Option<&toml::Value>,
    to: Option<&toml::Value>,
    own: &BTreeSet<String>,
) -> Moved {
    if !PEER_LISTS.contains(&name) {
        return Moved::Asked;
    }
    let members = |value: Option<&toml::Value>| -> BTreeSet<String> {
        let text = value.and_then(toml::Value::as_str).unwrap_or_default();
        let parts = text.split(',').map(str::trim);
        parts
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (from, to) = (members(from), members(to));
    let moved: Vec<&String> = from.symmetric_difference(&to).collect();
    let is_generated = |member: &str| match member.split_once('@') {
        // a peer is reached by its service; by any other address it is one that the owner named
        Some((id, host)) => own.contains(id) && is_service(host),
        None => own.contains(member),
    };
    match moved.as_slice() {
        [] => Moved::Nothing,
        moved if moved.iter().all(|member| is_generated(member)) => Moved::Generated,
        _ => Moved::Asked,
    }
}

/// Tells whether a host is the p2p service of an instance: `<fleet>-p2p-<n>.<namespace>.svc...`.
fn is_service(host: &str) -> bool {
    let mut labels = host.split('.');
    let service = labels.next().unwrap_or_default();
    service.contains("-p2p-") && labels.nth(1) == Some("svc")
}

/// Adds the IDs of instances that are gone, or not there yet: peers that are reached by the
/// service of an instance (`ID@<fleet>-p2p-<n>.<namespace>.svc...`).
fn with_ids_of_services(
    own: &BTreeSet<String>,
    wanted: &BTreeMap<String, toml::Value>,
    live: &BTreeMap<String, toml::Value>,
) -> BTreeSet<String> {
    let mut ids = own.clone();
    for side in [wanted, live] {
        for list in &PEER_LISTS[..2] {
            let text = side
                .get(*list)
                .and_then(toml::Value::as_str)
                .unwrap_or_default();
            for (id, host) in text
                .split(',')
                .filter_map(|peer| peer.trim().split_once('@'))
            {
                if is_service(host) {
                    ids.insert(id.to_owned());
                }
            }
        }
    }
    ids
}

/// Returns what each pod's ConfigMap means for the pod: the changes that it must restart for, or
/// takes up at its next restart. The number is that of the pod's entry.
pub(super) fn of_pods(differences: &Differences<'_, '_>) -> Vec<(usize, Comparison)> {
    let mut configs = BTreeMap::new();
    for difference in &differences.objects {
        if let (Role::Config, Standing::Present(comparison)) =
            (difference.manifest.role, &difference.standing)
        {
            configs.insert(difference.manifest.key.name.as_str(), &comparison.changes);
        }
    }
    let mut of_pods = Vec::new();
    for (i, difference) in differences.objects.iter().enumerate() {
        let is_pod = difference.manifest.role == Role::Pod;
        let is_ours = difference
            .live
            .is_some_and(|pod| pod.annotation(crate::model::names::REVISION).is_some());
        let Some(changes) = configs.get(difference.manifest.key.name.as_str()) else {
            continue;
        };
        if !is_pod {
            continue;
        }
        // our own pods tell by their revision what config they were started with
        let up_to_date = is_ours
            && difference
                .comparison()
                .is_some_and(|comparison| !comparison.is_restart());
        let changes = changes
            .iter()
            .filter(|change| change.path.starts_with("data") && change.effect != Effect::InPlace)
            .filter(|change| !(up_to_date && change.effect == Effect::Restart))
            .map(|change| Change {
                path: format!("{OF_POD}{}", change.path),
                ..change.clone()
            })
            .collect();
        of_pods.push((
            i,
            Comparison {
                changes,
                causes: Vec::new(),
            },
        ));
    }
    of_pods
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    use super::*;
    use crate::model::Source;
    use crate::parse;

    /// Compares two files of a fleet whose only instance that has a key here is `mine`.
    #[track_caller]
    fn check(wanted: &str, live: &str, expected: &[(&str, Effect)]) {
        let own = BTreeSet::from(["mine".to_owned()]);
        let changes = file_changes("config.toml", wanted, live, &own);
        let found: Vec<(&str, Effect)> = changes
            .iter()
            .map(|change| (change.path.as_str(), change.effect))
            .collect();
        assert_eq!(found, expected);
    }

    const PEERS: &str = "data[config.toml].p2p.persistent_peers";

    #[track_caller]
    fn check_peers(wanted: &str, live: &str, expected: Option<Effect>) {
        let file = |peers: &str| format!("[p2p]\npersistent_peers = \"{peers}\"\n");
        let expected: Vec<_> = expected.map(|effect| (PEERS, effect)).into_iter().collect();
        check(&file(wanted), &file(live), &expected);
    }

    #[test]
    fn the_nodes_whose_keys_lie_in_configs_are_the_fleets_own() {
        // a key made of the bytes 0 to 63, which nobody uses
        let key: Vec<u8> = (0..64).collect();
        let key = json!({"priv_key": {"type": "tendermint/PrivKeyEd25519",
            "value": STANDARD.encode(key)}});
        let config = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "hub-0", "namespace": "chains",
                "annotations": {"cosmos-render/fleet": "hub"}},
            "data": {"node_key.json": key.to_string()}});
        let source = Source {
            name: "live.json".to_owned(),
            bytes: config.to_string().into_bytes(),
        };
        let texts = parse::texts(std::slice::from_ref(&source));
        let live = parse::snapshot::read(&texts.value);
        let fleet = FleetKey {
            namespace: "chains".to_owned(),
            name: "hub".to_owned(),
        };
        let ids: Vec<String> = own_ids(&live.value, &fleet).into_iter().collect();
        assert_eq!(ids, ["72dbb7336c76780023f83da4c355f2eeea85733b"]);
    }

    #[test]
    fn a_table_without_entries_is_none() {
        check("[p2p]\n", "", &[]);
        check("a = 1\n[p2p.more]\n", "a = 1\n", &[]);
        let gone = ("data[config.toml].p2p", Effect::Restart);
        check("[p2p]\n", "p2p = 1\n", &[gone]);
    }

    #[test]
    fn a_list_of_peers_is_a_set() {
        check_peers("a@x:1,b@y:1", "b@y:1, a@x:1,", None);
    }

    #[test]
    fn peers_of_the_fleet_come_and_go_at_the_next_restart() {
        let service = "other@hub-p2p-1.chains.svc.cluster.local:26656";
        check_peers(service, "", Some(Effect::NextRestart));
        check_peers("", service, Some(Effect::NextRestart));
        let both = format!("{service},a@x:1");
        check_peers(&both, service, Some(Effect::Restart));
    }

    #[test]
    fn a_node_of_the_fleet_at_an_address_that_its_owner_named_is_asked_for() {
        for host in [
            "hub-1.example.com:26656",
            "hub-p2p-1.example.com:26656",
            "hub-1.chains.svc.cluster.local:26656",
        ] {
            check_peers(&format!("mine@{host}"), "", Some(Effect::Restart));
        }
    }

    #[test]
    fn ids_of_the_fleets_own_nodes_come_and_go_at_the_next_restart() {
        for list in ["private_peer_ids", "unconditional-peer-ids"] {
            let file = |ids: &str| format!("[p2p]\n{list} = \"{ids}\"\n");
            let path = format!("data[config.toml].p2p.{list}");
            let own = [(path.as_str(), Effect::NextRestart)];
            check(&file("mine"), &file(""), &own);
            let others = [(path.as_str(), Effect::Restart)];
            check(&file("mine,theirs"), &file(""), &others);
        }
    }

    #[test]
    fn a_setting_that_comes_goes_or_differs_restarts() {
        let all = [
            ("data[config.toml].came", Effect::Restart),
            ("data[config.toml].rpc.other", Effect::Restart),
            ("data[config.toml].rpc.went", Effect::Restart),
        ];
        check(
            "came = 1\n[rpc]\nother = 2\nsame = 1",
            "[rpc]\nsame = 1\nwent = 1\nother = 1",
            &all,
        );
    }

    #[test]
    fn a_file_that_is_not_toml_is_compared_as_a_whole() {
        check("a = 1", "a = ", &[("data[config.toml]", Effect::Restart)]);
    }
}
