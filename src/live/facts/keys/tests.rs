//! Which key each instance reads and under which ID its peers know it, by what the owner declared,
//! what its pod mounts, what the Secret and the ConfigMap hold, and what peers were told.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use crate::live::facts::{self, Declared, Sources};
use crate::model::{FleetKey, NodeId, Source, digest::sha256, names};
use crate::parse;

fn pair(letter: char) -> [u8; 64] {
    SigningKey::from_bytes(&[letter as u8; 32]).to_keypair_bytes()
}

fn key(letter: char) -> String {
    let value = STANDARD.encode(pair(letter));
    format!(r#"{{"priv_key":{{"type":"tendermint/PrivKeyEd25519","value":"{value}"}}}}"#)
}

fn id(letter: char) -> NodeId {
    NodeId::parse(&sha256(&pair(letter)[32..])[..40]).unwrap()
}

/// The entry of an instance's key: `-` for the first one, else that of a rotation.
fn entry(letter: char) -> String {
    match letter {
        '-' => "hub-0".to_owned(),
        letter => names::rotated_entry("hub-0", &id(letter)),
    }
}

/// What is known of one instance. Each key is a letter.
#[derive(Default)]
struct Known<'k> {
    /// Its ID, in capitals where it was rotated to it.
    declared: Option<char>,
    /// `c` where its pod reads its ConfigMap; else the entry of the Secret that it mounts.
    pod: Option<char>,
    /// The Secret: entries and keys, such as `-a bb`.
    secret: Option<&'k str>,
    /// The key in its ConfigMap; in capitals where we rendered that.
    config: Option<char>,
    /// The ID by which its peer dials it.
    told: Option<char>,
}

impl Known<'_> {
    fn objects(&self) -> Value {
        let meta = |name: &str| json!({"name": name, "namespace": "chains", "annotations": {"cosmos-render/fleet": "hub"}});
        let operators = |name: &str| json!({"name": name, "namespace": "chains", "ownerReferences": [{"apiVersion": "cosmos.strange.love/v1", "kind": "CosmosFullNode", "name": "hub", "uid": "u", "controller": true}]});
        let mut items = vec![json!({"kind": "Pod", "metadata": meta("hub-1"), "spec": {}})];
        if let Some(mounted) = self.pod {
            let sources = match mounted {
                'c' => json!([{"configMap": {"name": "hub-0"}}]),
                letter => {
                    json!([{"secret": {"name": "hub-node-keys", "items": [{"key": entry(letter), "path": "node_key.json"}]}}])
                }
            };
            let spec = json!({"volumes": [{"name": "x", "emptyDir": {}}, {"name": "vol-config", "projected": {"sources": sources}}]});
            items.push(json!({"kind": "Pod", "metadata": meta("hub-0"), "spec": spec}));
        }
        if let Some(entries) = self.secret {
            let entries = entries.split_whitespace().map(|both| {
                let mut letters = both.chars();
                let (name, held) = (letters.next().unwrap(), letters.next().unwrap());
                (entry(name), STANDARD.encode(key(held)))
            });
            let data: BTreeMap<String, String> = entries.collect();
            items.push(json!({"kind": "Secret", "metadata": meta("hub-node-keys"), "data": data}));
        }
        if let Some(letter) = self.config {
            let meta = if letter.is_uppercase() {
                meta("hub-0")
            } else {
                operators("hub-0")
            };
            let data = json!({"node_key.json": key(letter.to_ascii_lowercase())});
            items.push(json!({"kind": "ConfigMap", "metadata": meta, "data": data}));
        }
        if let Some(letter) = self.told {
            let peers = format!(
                "persistent_peers = \"{}@hub-p2p-0.chains.svc.cluster.local:26656\"",
                id(letter)
            );
            let data = json!({"config-overlay.toml": format!("[p2p]\n{peers}\n")});
            items.push(json!({"kind": "ConfigMap", "metadata": meta("hub-1"), "data": data}));
        }
        for item in &mut items {
            item["apiVersion"] = json!("v1");
        }
        json!({"apiVersion": "v1", "kind": "List", "items": items})
    }
}

/// Expects the entry that `hub-0` reads (`-` for its plain one, `c` for its ConfigMap), the ID that
/// its peers are told (`-` for none), and the codes of what is said.
#[track_caller]
fn check(known: &Known<'_>, expected: (char, char, &[&str])) {
    let source = Source {
        name: "live.json".to_owned(),
        bytes: known.objects().to_string().into_bytes(),
    };
    let sources = [source];
    let texts = parse::texts(&sources).value;
    let live = parse::snapshot::read(&texts).value;
    let fleet = FleetKey {
        namespace: "chains".to_owned(),
        name: "hub".to_owned(),
    };
    let ids: BTreeMap<String, NodeId> = known
        .declared
        .map(|letter| ("hub-0".to_owned(), id(letter.to_ascii_lowercase())))
        .into_iter()
        .collect();
    let is_rotated = known.declared.is_some_and(char::is_uppercase);
    let rotated: BTreeSet<String> = is_rotated.then(|| "hub-0".to_owned()).into_iter().collect();
    let declared = Declared {
        ids: Some(&ids),
        rotated: Some(&rotated),
    };
    let (facts, notices) = facts::gather(&live, &fleet, declared, &Sources::default());
    let reads = match facts.key_entries.get("hub-0") {
        Some(read) => ('a'..='z').find(|letter| entry(*letter) == *read).unwrap(),
        None if facts.config_map_keys.contains("hub-0") => 'c',
        None => '-',
    };
    let told = facts.node_ids.get("hub-0");
    let told = told.map_or('-', |told| ('a'..='z').find(|l| id(*l) == *told).unwrap());
    let codes: Vec<&str> = notices.iter().map(|notice| notice.code.as_str()).collect();
    assert_eq!((reads, told, codes.as_slice()), expected);
}

fn known(declared: Option<char>, pod: Option<char>, secret: Option<&str>) -> Known<'_> {
    Known {
        declared,
        pod,
        secret,
        ..Known::default()
    }
}

#[test]
fn a_node_that_was_never_rotated_reads_its_first_key() {
    check(&known(Some('a'), Some('-'), Some("-a")), ('-', 'a', &[]));
    check(&known(None, None, Some("-a")), ('-', 'a', &[]));
    let adopted = Known {
        pod: Some('c'),
        config: Some('a'),
        ..Known::default()
    };
    check(&adopted, ('c', 'a', &[]));
}

#[test]
fn a_rotation_takes_place_once_its_key_is_seen() {
    check(&known(Some('B'), Some('-'), Some("-a bb")), ('b', 'b', &[]));
    check(&known(Some('B'), Some('b'), None), ('b', 'b', &[]));
    check(&known(Some('B'), None, Some("-a bb")), ('b', 'b', &[]));
}

#[test]
fn until_then_node_and_peers_keep_the_former_identity() {
    let held: &[&str] = &["RotationHeld"];
    check(&known(Some('B'), Some('-'), Some("-a")), ('-', 'a', held));
    check(
        &known(Some('D'), Some('b'), Some("-a bb")),
        ('b', 'b', held),
    );
    check(&known(Some('D'), Some('b'), None), ('b', 'b', held));
    let adopted = Known {
        config: Some('a'),
        ..known(Some('B'), Some('c'), None)
    };
    check(&adopted, ('c', 'a', held));
}

#[test]
fn peers_are_told_of_the_former_identity_also_where_its_key_was_not_captured() {
    let held: &[&str] = &["RotationHeld"];
    let told = |letter| Known {
        told: Some(letter),
        ..known(Some('B'), Some('-'), None)
    };
    check(&told('a'), ('-', 'a', held));
    // what an earlier plan told them too early is not what the node runs with
    check(&told('b'), ('-', '-', held));
    check(&known(Some('B'), Some('-'), None), ('-', '-', held));
}

#[test]
fn a_node_whose_pod_is_away_is_held_too() {
    let held: &[&str] = &["RotationHeld"];
    check(&known(Some('B'), None, Some("-a")), ('-', 'a', held));
    let told = Known {
        told: Some('b'),
        ..known(Some('D'), None, Some("-a bb"))
    };
    check(&told, ('b', 'b', held));
    let of_operator = |letter, secret| Known {
        config: Some(letter),
        ..known(Some('B'), None, secret)
    };
    check(&of_operator('a', None), ('c', 'a', held));
    check(&of_operator('A', Some("")), ('c', 'a', held));
    // it may have been rotated long ago: its former key would be a step back
    let unseen: &[&str] = &["RotationUnseen"];
    check(&of_operator('A', None), ('b', 'b', unseen));
    check(&known(Some('B'), None, None), ('b', 'b', unseen));
    check(&known(Some('D'), None, Some("-a bb")), ('d', 'd', unseen));
}

#[test]
fn a_rotated_node_stays_so_where_nobody_declares_it() {
    let kept: &[&str] = &["IdentityKept"];
    check(&known(None, Some('b'), Some("-a bb")), ('b', 'b', kept));
    check(&known(None, Some('b'), None), ('b', 'b', kept));
    check(&known(Some('b'), Some('b'), None), ('b', 'b', kept));
    let told = Known {
        told: Some('b'),
        ..known(None, None, Some("-a bb"))
    };
    check(&told, ('b', 'b', kept));
    let told = Known {
        told: Some('a'),
        ..told
    };
    check(&told, ('-', 'a', &[]));
}

#[test]
fn a_node_goes_back_to_its_first_identity_where_its_owner_names_that_and_its_key_is_seen() {
    check(&known(Some('a'), Some('b'), Some("-a bb")), ('-', 'a', &[]));
    let held: &[&str] = &["RotationHeld"];
    check(&known(Some('a'), Some('b'), None), ('b', 'b', held));
    check(&known(Some('a'), Some('b'), Some("bb")), ('b', 'b', held));
}

#[test]
fn nothing_is_guessed_where_a_pod_is_away_and_nobody_declares_its_identity() {
    check(
        &known(None, None, Some("-a bb")),
        ('-', '-', &["IdentityUnclear"]),
    );
}
