//! Lists of peers in the config, as who comes and who goes. The six keys that hold them (three
//! lists, each with dashes and with underscores) mostly say the same, which is said once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::plan::Change;
use crate::render::value;

/// How many names of a list are shown.
const SHOWN: usize = 6;
/// The end of a name inside a cluster.
const IN_CLUSTER: &str = ".svc";
/// How much of a node ID tells it from others.
const ID_SHOWN: usize = 8;
/// How much of an address from outside is shown.
const ADDRESS_SHOWN: usize = 40;

/// Tells whether a change is one of a list of peers.
pub(super) fn is_list(change: &Change) -> bool {
    let is_text = |side: &Option<Value>| side.as_ref().is_none_or(Value::is_string);
    key(change).is_some() && is_text(&change.from) && is_text(&change.to)
}

/// Returns a phrase for every sort of change among these lists of peers.
pub(super) fn phrases(changes: &[&Change]) -> Vec<String> {
    let names = names(changes);
    let mut by_key: BTreeMap<(u8, &str), Delta> = BTreeMap::new();
    for change in changes {
        let Some(key) = key(change) else { continue };
        let delta = delta(change, &names);
        by_key.entry(key).or_default().add(delta);
    }
    let mut phrases: Vec<(Vec<&str>, Delta)> = Vec::new();
    for ((_, title), delta) in by_key {
        match phrases.iter_mut().find(|(_, seen)| seen.is_same(&delta)) {
            Some((titles, _)) => titles.push(title),
            None => phrases.push((vec![title], delta)),
        }
    }
    let phrase = |(titles, delta): &(Vec<&str>, Delta)| {
        let title = match titles.as_slice() {
            ["peers", ..] => "peers".to_owned(),
            titles => titles.join(" and "),
        };
        value::escaped(&format!("{title}: {}", delta.words()))
    };
    phrases.iter().map(phrase).collect()
}

/// Who comes and who goes.
#[derive(Default)]
struct Delta {
    counts: BTreeSet<(usize, usize)>,
    added: BTreeSet<String>,
    removed: BTreeSet<String>,
}

impl Delta {
    fn add(&mut self, other: Delta) {
        self.counts.extend(other.counts);
        self.added.extend(other.added);
        self.removed.extend(other.removed);
    }

    fn is_same(&self, other: &Delta) -> bool {
        (&self.added, &self.removed) == (&other.added, &other.removed)
    }

    fn words(&self) -> String {
        let count = match self.counts.first() {
            Some((from, to)) if self.counts.len() == 1 => format!("{from} -> {to}"),
            Some(_) | None => "changed".to_owned(),
        };
        if self.added.is_empty() && self.removed.is_empty() {
            return format!("{count}, in another order");
        }
        let part = |word: &str, names: &BTreeSet<String>| match names.len() {
            0 => String::new(),
            _ => format!(", {word} {}", listed(names)),
        };
        let added = part("now with", &self.added);
        let removed = part("no longer with", &self.removed);
        format!("{count}{added}{removed}")
    }
}

fn listed(names: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    let shown = shown.join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Returns which list a change is about, with its place in the order of phrases.
fn key(change: &Change) -> Option<(u8, &'static str)> {
    let path = change
        .path
        .strip_prefix("ConfigMap.")
        .unwrap_or(&change.path);
    let key = path.strip_prefix("data[config-overlay.toml].p2p.")?;
    match key.replace('-', "_").as_str() {
        "persistent_peers" => Some((0, "peers")),
        "private_peer_ids" => Some((1, "private peer IDs")),
        "unconditional_peer_ids" => Some((2, "unconditional peer IDs")),
        _ => None,
    }
}

fn entries(side: Option<&Value>) -> Vec<&str> {
    let text = side.and_then(Value::as_str).unwrap_or_default();
    let entries = text.split(',').map(str::trim);
    entries.filter(|entry| !entry.is_empty()).collect()
}

fn delta(change: &Change, names: &BTreeMap<&str, String>) -> Delta {
    let (from, to) = (entries(change.from.as_ref()), entries(change.to.as_ref()));
    let name = |entry: &&str| name(entry, names);
    let only = |a: &[&str], b: &[&str]| -> BTreeSet<String> {
        a.iter().filter(|e| !b.contains(e)).map(name).collect()
    };
    Delta {
        counts: [(from.len(), to.len())].into(),
        added: only(&to, &from),
        removed: only(&from, &to),
    }
}

/// Returns the names of nodes by their IDs, from the lists that hold both.
fn names<'a>(changes: &[&'a Change]) -> BTreeMap<&'a str, String> {
    let sides = changes.iter().flat_map(|c| [&c.from, &c.to]);
    let all = sides.flat_map(|side| entries(side.as_ref()));
    let named = all.filter_map(|entry| entry.split_once('@'));
    named.map(|(id, address)| (id, host(address))).collect()
}

fn name(entry: &str, names: &BTreeMap<&str, String>) -> String {
    if let Some((_, address)) = entry.split_once('@') {
        return host(address);
    }
    match names.get(entry) {
        Some(name) => name.clone(),
        None if entry.chars().count() <= ID_SHOWN => entry.to_owned(),
        None => {
            let start: String = entry.chars().take(ID_SHOWN).collect();
            format!("{start}…")
        }
    }
}

/// Returns a short name of an address: of a Service in the cluster its name, else all of it.
fn host(address: &str) -> String {
    match address.split_once('.') {
        Some((service, rest)) if format!(".{rest}").contains(IN_CLUSTER) => service.to_owned(),
        Some(_) | None => value::cut(address, ADDRESS_SHOWN),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::Effect;

    const A: &str = "aaaaaaaaaaaaaaaa@hub-p2p-1.chains.svc.cluster.local:26656";
    const B: &str = "bbbbbbbbbbbbbbbb@hub-p2p-2.chains.svc.cluster.local:26656";

    fn change(key: &str, from: &str, to: &str) -> Change {
        Change {
            path: format!("ConfigMap.data[config-overlay.toml].p2p.{key}"),
            from: Some(json!(from)),
            to: Some(json!(to)),
            effect: Effect::NextRestart,
        }
    }

    #[track_caller]
    fn check(changes: &[Change], expected: &[&str]) {
        let changes: Vec<&Change> = changes.iter().collect();
        assert!(changes.iter().all(|change| is_list(change)));
        assert_eq!(phrases(&changes), expected);
    }

    #[test]
    fn six_keys_that_say_the_same_are_one_phrase() {
        let both = format!("{A},{B}");
        let (ids, id) = ("aaaaaaaaaaaaaaaa,bbbbbbbbbbbbbbbb", "aaaaaaaaaaaaaaaa");
        let changes = [
            change("persistent-peers", &both, A),
            change("persistent_peers", &both, A),
            change("private-peer-ids", ids, id),
            change("private_peer_ids", ids, id),
            change("unconditional-peer-ids", ids, id),
            change("unconditional_peer_ids", ids, id),
        ];
        check(&changes, &["peers: 2 -> 1, no longer with hub-p2p-2"]);
    }

    #[test]
    fn lists_that_differ_otherwise_are_told_apart() {
        let changes = [
            change("persistent_peers", A, &format!("{A},{B}")),
            change("private_peer_ids", "cccccccccccc", ""),
        ];
        let phrases = [
            "peers: 1 -> 2, now with hub-p2p-2",
            "private peer IDs: 1 -> 0, no longer with cccccccc…",
        ];
        check(&changes, &phrases);
    }

    #[test]
    fn an_order_alone_is_called_so() {
        let (from, to) = (format!("{A},{B}"), format!("{B},{A}"));
        check(
            &[change("persistent_peers", &from, &to)],
            &["peers: 2 -> 2, in another order"],
        );
    }
}
