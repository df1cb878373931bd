//! The rule that slashing hangs on: a consensus key is in the hands of one instance at a time.

use std::collections::BTreeMap;

use crate::lint::{Findings, finding};
use crate::parse::inputs::Fleet;
use crate::spec::core::Container;
use crate::spec::core::volume::{KeyToPath, Volume};
use crate::spec::path;

/// The file that CometBFT keeps the key in.
const FILE: &str = "priv_validator_key.json";

/// Where pods get a consensus key.
struct Use {
    path: String,
    /// The Secret that holds the key, where it is known.
    secret: Option<String>,
}

/// Pods of one template: its volumes and containers, with the paths to them.
struct Pods<'a> {
    path: String,
    volumes: &'a [Volume],
    lists: [(&'static str, &'a [Container]); 2],
}

pub(super) fn judge(fleets: &[Fleet], findings: &mut Findings<'_>) {
    let mut holders: BTreeMap<(String, String), (&Fleet, String)> = BTreeMap::new();
    for fleet in fleets {
        let count = running(fleet);
        let Some(used) = uses(fleet).into_iter().next().filter(|_| count > 0) else {
            continue;
        };
        if count > 1 {
            let message = format!("{count} instances would sign with one consensus key");
            let found = finding("consensus-key-shared", &*used.path, message);
            let hint = "set `replicas: 1`, or run sentries with a remote signer (`type: Sentry`) \
                        and no key";
            findings.add(fleet, found.hint(hint));
        }
        let Some(secret) = used.secret else { continue };
        let key = (fleet.node.key.namespace.clone(), secret);
        if let Some((other, there)) = holders.get(&key) {
            let message = format!("{} signs with this consensus key too", other.node.key);
            let found = finding("consensus-key-shared", &*used.path, message);
            let found = found.hint("let one of the two fleets go, or give each its own key");
            let found = findings.see(found, (other, there), "the other fleet gets it here");
            findings.add(fleet, found);
        } else {
            holders.insert(key, (fleet, used.path));
        }
    }
}

/// Returns how many instances of a fleet run.
fn running(fleet: &Fleet) -> usize {
    let spec = &fleet.node.spec;
    let off = spec.instance_overrides.iter();
    let off = off.filter(|(_, exception)| exception.disable.is_some());
    let names = crate::lint::instances::names(fleet, &fleet.node.key.name);
    let off = off.filter(|(name, _)| names.contains(name)).count();
    names.len() - off
}

fn uses(fleet: &Fleet) -> Vec<Use> {
    let spec = &fleet.node.spec;
    let template = &spec.pod_template;
    let own = Pods {
        path: "spec.podTemplate".to_owned(),
        volumes: &template.volumes,
        lists: [
            ("initContainers", &template.init_containers),
            ("containers", &template.containers),
        ],
    };
    let additional = spec.additional_versioned_pods.iter().enumerate();
    let additional = additional.map(|(index, pod)| Pods {
        path: path::item("spec.additionalVersionedPods", index),
        volumes: &pod.spec.volumes,
        lists: [
            ("initContainers", &pod.spec.init_containers),
            ("containers", &pod.spec.containers),
        ],
    });
    [own]
        .into_iter()
        .chain(additional)
        .flat_map(|pods| of_pods(&pods))
        .collect()
}

fn of_pods(pods: &Pods<'_>) -> Vec<Use> {
    let mut uses = Vec::new();
    let volumes = path::field(&pods.path, "volumes");
    for (index, volume) in pods.volumes.iter().enumerate() {
        if sources(volume)
            .iter()
            .any(|(_, items)| items.iter().any(names_key))
        {
            uses.push(Use {
                path: path::item(&volumes, index),
                secret: secret_of(volume),
            });
        }
    }
    for (list, containers) in pods.lists {
        let list = path::field(&pods.path, list);
        for (index, container) in containers.iter().enumerate() {
            let here = path::item(&list, index);
            uses.extend(of_container(container, &here, pods.volumes));
        }
    }
    uses
}

fn of_container(container: &Container, here: &str, volumes: &[Volume]) -> Option<Use> {
    let mounts = container.volume_mounts.iter().enumerate();
    let mut mounts = mounts.filter(|(_, mount)| {
        mount.sub_path.ends_with(FILE) || mount.mount_path.trim_end_matches('/').ends_with(FILE)
    });
    if let Some((index, mount)) = mounts.next() {
        let volume = volumes.iter().find(|volume| volume.name == mount.name);
        return Some(Use {
            path: path::item(&path::field(here, "volumeMounts"), index),
            secret: volume.and_then(secret_of),
        });
    }
    let mut words = container.command.iter().chain(&container.args);
    let copies = words.any(|word| word.lines().any(puts_key));
    copies.then(|| Use {
        path: here.to_owned(),
        secret: None,
    })
}

/// Returns whether a line of a script copies or links a consensus key into a node's configuration.
fn puts_key(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let is_copy = words.any(|word| matches!(word, "cp" | "ln" | "install"));
    let bare = |word: &str| word.trim_matches(['"', '\'', ';']).to_owned();
    let target = line.split_whitespace().last().map(bare).unwrap_or_default();
    let target = target.trim_end_matches('/');
    let into = target
        .strip_suffix(FILE)
        .unwrap_or(target)
        .trim_end_matches('/');
    let is_config = into.ends_with("/config") || into.ends_with("CONFIG_DIR") || into == "config";
    is_copy && line.contains(FILE) && is_config
}

/// Returns the Secrets and ConfigMaps of a volume: the name, and which of their files it has.
fn sources(volume: &Volume) -> Vec<(Option<&str>, &[KeyToPath])> {
    let mut all: Vec<(Option<&str>, &[KeyToPath])> = Vec::new();
    if let Some(secret) = &volume.secret {
        all.push((Some(&secret.secret_name), &secret.items));
    }
    if let Some(config) = &volume.config_map {
        all.push((None, &config.items));
    }
    for source in volume
        .projected
        .iter()
        .flat_map(|projected| &projected.sources)
    {
        let secret = source.secret.as_ref();
        all.extend(secret.map(|secret| (Some(secret.name.as_str()), &secret.items[..])));
        let config = source.config_map.as_ref();
        all.extend(config.map(|config| (None, &config.items[..])));
    }
    all
}

fn secret_of(volume: &Volume) -> Option<String> {
    let sources = sources(volume);
    let named = sources
        .iter()
        .find(|(_, items)| items.iter().any(names_key));
    let (name, _) = named.or(sources.first())?;
    name.map(str::to_owned)
}

fn names_key(item: &KeyToPath) -> bool {
    item.key.ends_with(FILE) || item.path.ends_with(FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: bool) {
        assert_eq!(puts_key(line), expected, "{line}");
    }

    #[test]
    fn a_script_puts_the_key_where_the_node_reads_it() {
        check("cp /key/priv_validator_key.json $CHAIN_HOME/config/", true);
        check("cp /key/priv_validator_key.json \"$CONFIG_DIR\"", true);
        check(
            "ln -sf /key/priv_validator_key.json /h/config/priv_validator_key.json",
            true,
        );
        check("rm -f $CHAIN_HOME/config/priv_validator_key.json", false);
        check("cp $CONFIG_DIR/priv_validator_key.json /backup/", false);
        check("mv config/priv_validator_key.json config/old", false);
        check("cp /key/node_key.json $CONFIG_DIR", false);
    }
}
