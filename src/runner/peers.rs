//! The addresses by which others reach a fleet's nodes, read from the config that the nodes have.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

const FILE: &str = "config-overlay.toml";

#[derive(Deserialize)]
struct Config<'c> {
    #[serde(borrow)]
    metadata: Named<'c>,
    #[serde(borrow, default)]
    data: BTreeMap<Cow<'c, str>, Cow<'c, str>>,
}

#[derive(Deserialize)]
struct Named<'c> {
    #[serde(borrow)]
    name: Cow<'c, str>,
}

/// Returns the ID and the address of each node that is reached from outside, sorted.
pub(super) fn of<'c>(configs: impl Iterator<Item = &'c str>) -> Vec<String> {
    let tables: Vec<(Cow<'_, str>, toml::Table)> = configs
        .filter_map(|json| {
            let config: Config<'_> = serde_json::from_str(json).ok()?;
            let table = config.data.get(FILE)?.parse().ok()?;
            Some((config.metadata.name, table))
        })
        .collect();
    let mut ids: BTreeMap<(String, String), String> = BTreeMap::new();
    for (name, table) in &tables {
        let fleet = name.rsplit_once('-').map_or(&**name, |(fleet, _)| fleet);
        let peers = text(table, "persistent_peers").split(',');
        for (id, host) in peers.filter_map(|peer| peer.split_once('@')) {
            let service = host.split('.').next().unwrap_or_default();
            let ordinal = service.strip_prefix(&format!("{fleet}-p2p-"));
            ids.extend(ordinal.map(|at| ((fleet.to_owned(), at.to_owned()), id.to_owned())));
        }
    }
    let outside = tables.iter().filter_map(|(name, table)| {
        let (fleet, ordinal) = name.rsplit_once('-')?;
        let address = Some(text(table, "external_address")).filter(|text| !text.is_empty())?;
        let id = ids.get(&(fleet.to_owned(), ordinal.to_owned()))?;
        Some(format!("{id}@{address}"))
    });
    let mut peers: Vec<String> = outside.collect();
    peers.sort();
    peers
}

fn text<'t>(table: &'t toml::Table, name: &str) -> &'t str {
    let p2p = table.get("p2p").and_then(toml::Value::as_table);
    let value = p2p.and_then(|p2p| p2p.get(name).or_else(|| p2p.get(&name.replace('_', "-"))));
    value.and_then(toml::Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_has_an_address_outside_is_named_by_his_id() {
        let config = |name: &str, outside: &str, peers: &str| {
            let text = format!(
                "[p2p]\nexternal_address = \"{outside}\"\npersistent_peers = \"{peers}\"\n"
            );
            let data = json!({FILE: text, "app-overlay.toml": ""});
            json!({"kind": "ConfigMap", "metadata": {"name": name, "uid": "u"}, "data": data})
                .to_string()
        };
        let all = [
            config(
                "hub-0",
                "1.2.3.4:26656",
                "bb@hub-p2p-1.a.svc.cluster.local:26656",
            ),
            config(
                "hub-1",
                "",
                "aa@hub-p2p-0.a.svc.cluster.local:26656,cc@seed.example:1",
            ),
        ];
        assert_eq!(of(all.iter().map(String::as_str)), ["aa@1.2.3.4:26656"]);
    }
}
