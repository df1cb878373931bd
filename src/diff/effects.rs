//! The one table that says what a change of a field takes to come into force, with its reasons
//! (design.md, "When must a pod restart?"). What an API server, its admission plug-ins and the
//! scheduler fill in never gets here: `defaults` knows it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::defaults::{is_less, same_toleration};
use crate::desired::PodNotes;
use crate::model::names;
use crate::plan::{Change, Effect};

/// What a changed field belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    /// A pod's specification.
    Pod,
    /// A ConfigMap's data: the effect is that on its pod.
    Config,
    /// A claim's specification.
    Claim,
    /// Labels and annotations of any object; services, accounts and roles as a whole.
    Other,
}

/// One row of the table: the first that fits a change decides.
struct Row {
    on: On,
    /// The fields, for people.
    fields: &'static str,
    fits: fn(&Changed<'_>) -> bool,
    /// `None` where both sides mean the same to whoever reads them.
    effect: Option<Effect>,
    why: &'static str,
}

/// A changed field, and what else decides on it.
pub(super) struct Changed<'c> {
    /// Its path in the object; for a ConfigMap: that of the setting in its file.
    pub(super) path: &'c str,
    pub(super) from: Option<&'c Value>,
    pub(super) to: Option<&'c Value>,
    /// Which fields of our containers the owner set.
    pub(super) notes: Option<&'c PodNotes>,
    /// The live containers that run this program, whatever their images are called.
    pub(super) ours: Option<&'c BTreeSet<String>>,
    /// For lists of peers: what moved.
    pub(super) moved: Moved,
}

/// What a change of a list of peers moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    /// It is no such list, or its owner's own peers moved.
    Asked,
    /// Only members that follow from the fleet's own instances.
    Generated,
    /// None: they are in another order, or named twice.
    Nothing,
}

const TABLE: &[Row] = &[
    Row {
        on: On::Other,
        fields: "labels, annotations, services, accounts, roles",
        fits: |_| true,
        effect: Some(Effect::InPlace),
        why: "an API server changes them under a running pod, which never reads them",
    },
    Row {
        on: On::Claim,
        fields: "resources.requests.storage, less than before",
        fits: |c| c.path == STORAGE && is_less(or_null(c.to), or_null(c.from)),
        effect: None,
        why: "claims never shrink; that less is asked for is a warning",
    },
    Row {
        on: On::Claim,
        fields: "resources.requests.storage",
        fits: |c| c.path == STORAGE,
        effect: Some(Effect::InPlace),
        why: "a volume grows in place, where its class lets it",
    },
    Row {
        on: On::Claim,
        fields: "storageClassName, accessModes, volumeMode",
        fits: |c| !matches!(c.path, "spec.dataSource" | "spec.volumeName"),
        effect: Some(Effect::RecreateVolume),
        why: "they are fixed when a volume is made",
    },
    Row {
        on: On::Claim,
        fields: "dataSource, volumeName",
        fits: |_| true,
        effect: None,
        why: "they matter when a volume is made, never after",
    },
    Row {
        on: On::Config,
        fields: "lists of peers, the same members in another order",
        fits: |c| c.moved == Moved::Nothing,
        effect: None,
        why: "a list of peers is a set",
    },
    Row {
        on: On::Config,
        fields: "lists of peers, members that follow from the fleet's own instances",
        fits: |c| c.moved == Moved::Generated,
        effect: Some(Effect::NextRestart),
        why: "scaling moves them; a node that runs finds new peers by itself",
    },
    Row {
        on: On::Config,
        fields: "everything else: what the document asks for, the instance's external address",
        fits: |_| true,
        effect: Some(Effect::Restart),
        why: "a node reads its config when it starts",
    },
    Row {
        on: On::Pod,
        fields: "any field of a container of ours that the owner sets in podTemplate",
        fits: is_set_by_owner,
        effect: Some(Effect::Restart),
        why: "the owner asked for this very field",
    },
    Row {
        on: On::Pod,
        fields: "initContainers[name=snapshot-restore], as a whole",
        fits: |c| own_container(c.path) == Some(("snapshot-restore", "")),
        effect: Some(Effect::NextRestart),
        why: "it comes and goes with snapshotURL, which matters to a new volume only",
    },
    Row {
        on: On::Pod,
        fields: "command and args of containers of ours",
        fits: |c| matches!(own_field(c.path), Some("command" | "args")),
        effect: Some(Effect::NextRestart),
        why: "our scripts, init arguments, and the URLs of genesis, address book and snapshot are \
              read when a pod starts",
    },
    Row {
        on: On::Pod,
        fields: "env[name=COSMOS_RENDER_*] of containers of ours",
        fits: |c| own_container(c.path).is_some_and(|(_, f)| f.contains("[name=COSMOS_RENDER_")),
        effect: Some(Effect::NextRestart),
        why: "they only carry our revision",
    },
    Row {
        on: On::Pod,
        fields: "the image of a helper of ours, from one release or program to another",
        fits: is_helper_release,
        effect: Some(Effect::NextRestart),
        why: "which of them runs is no wish of the owner's",
    },
    Row {
        on: On::Pod,
        fields: "volumes[name=vol-config], the key of another identity",
        fits: is_other_identity,
        effect: Some(Effect::Restart),
        why: "a node reads its key when it starts",
    },
    Row {
        on: On::Pod,
        fields: "volumes[name=vol-config], where the node key comes from",
        fits: is_config_source,
        effect: Some(Effect::NextRestart),
        why: "the files in it are the same",
    },
    Row {
        on: On::Pod,
        fields: "tolerations, where some are added",
        fits: |c| c.path == "spec.tolerations" && only_adds_tolerations(c),
        effect: Some(Effect::InPlace),
        why: "Kubernetes lets a running pod tolerate more",
    },
    Row {
        on: On::Pod,
        fields: "activeDeadlineSeconds",
        fits: |c| c.path == "spec.activeDeadlineSeconds",
        effect: Some(Effect::InPlace),
        why: "Kubernetes lets it change under a running pod",
    },
    Row {
        on: On::Pod,
        fields: "everything else: images, commands, env, resources, probes, volumes, scheduling",
        fits: |_| true,
        effect: Some(Effect::Restart),
        why: "the owner asked for it, and a running pod cannot take it up",
    },
];

const STORAGE: &str = "spec.resources.requests.storage";

/// Where helper images come from: moving from one to the other, or to another tag, is ours to
/// decide.
const HELPER_IMAGES: [&str; 3] = ["/infra-toolkit", "/cosmos-operator", "/cosmos-render"];

/// Returns what a change takes; `None` where it is none.
pub(super) fn of(on: On, changed: &Changed<'_>) -> Option<Effect> {
    row(on, changed).and_then(|row| row.effect)
}

/// Returns the table as Markdown: what `README.md` shows.
#[must_use]
pub fn table() -> String {
    let mut text =
        "| of | what changes | what it takes | because |\n|---|---|---|---|\n".to_owned();
    for row in TABLE {
        let takes = match row.effect {
            None => "nothing",
            Some(Effect::InPlace) => "a change in place",
            Some(Effect::NextRestart) => "waits for the next restart",
            Some(Effect::Restart) => "**a restart**",
            Some(Effect::RecreateVolume) => "**a new volume**",
            Some(Effect::DataLoss) => "**a loss of data**",
        };
        let of = match row.on {
            On::Pod => "pods",
            On::Config => "configs",
            On::Claim => "claims",
            On::Other => "everything",
        };
        let (what, why) = (row.fields, row.why);
        text += &["| ", of, " | ", what, " | ", takes, " | ", why, " |\n"].concat();
    }
    text
}

/// Returns what a change of a pod's field takes; `ours` are its containers that run this program.
pub(super) fn of_pod(change: &Change, notes: &PodNotes, ours: &BTreeSet<String>) -> Option<Effect> {
    let changed = Changed {
        ours: Some(ours),
        path: &change.path,
        from: change.from.as_ref(),
        to: change.to.as_ref(),
        notes: Some(notes),
        moved: Moved::Asked,
    };
    of(On::Pod, &changed)
}

fn row(on: On, changed: &Changed<'_>) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.on == on && (row.fits)(changed))
}

/// Splits a path into one of our own containers and the field of it; the field is empty where the
/// whole container comes or goes.
fn own_container(path: &str) -> Option<(&str, &str)> {
    let rest = path
        .strip_prefix("spec.initContainers[name=")
        .or_else(|| path.strip_prefix("spec.containers[name="))?;
    let (name, field) = rest.split_once(']')?;
    let is_own = names::OWN_INIT_CONTAINERS.contains(&name) || names::OWN_SIDECARS.contains(&name);
    is_own.then_some((name, field.trim_start_matches('.')))
}

/// Returns the field at the top of a container of ours.
fn own_field(path: &str) -> Option<&str> {
    let (_, field) = own_container(path)?;
    field.split(['.', '[']).next()
}

fn is_set_by_owner(changed: &Changed<'_>) -> bool {
    let (Some((container, _)), Some(top)) = (own_container(changed.path), own_field(changed.path))
    else {
        return false;
    };
    let patched = changed.notes.and_then(|notes| notes.patched.get(container));
    patched.is_some_and(|fields| top.is_empty() || fields.contains(top))
}

/// `chain-init` runs the chain's image, which the owner chooses. What the others are to run is ours
/// to decide, wherever it comes from; what they run now was, where it goes by a name of a helper's, or
/// where this program is what they were started with.
fn is_helper_release(changed: &Changed<'_>) -> bool {
    let Some((container, "image")) = own_container(changed.path) else {
        return false;
    };
    let is_helper = |image: Option<&Value>| {
        let Some(image) = image.and_then(Value::as_str) else {
            return false;
        };
        let without_digest = image.split('@').next().unwrap_or(image);
        let name = match without_digest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => name,
            _ => without_digest,
        };
        HELPER_IMAGES.iter().any(|helper| name.ends_with(helper))
    };
    let was_helper =
        is_helper(changed.from) || changed.ours.is_some_and(|ours| ours.contains(container));
    container != "chain-init" && was_helper && changed.to.is_some()
}

fn only_adds_tolerations(changed: &Changed<'_>) -> bool {
    let list = |side: Option<&Value>| side.and_then(Value::as_array).cloned().unwrap_or_default();
    let (from, to) = (list(changed.from), list(changed.to));
    let is_system = |t: &Value| {
        t["key"]
            .as_str()
            .is_some_and(|key| key.starts_with("node.kubernetes.io/"))
    };
    from.iter()
        .all(|f| is_system(f) || to.iter().any(|t| same_toleration(f, t)))
}

/// The config volume holds the same files whether the node key comes from the ConfigMap or from a
/// Secret.
fn is_config_source(changed: &Changed<'_>) -> bool {
    let Some(rest) = changed.path.strip_prefix("spec.volumes[name=vol-config]") else {
        return false;
    };
    let source = rest.trim_start_matches('.').split(['.', '[']).next();
    match source.unwrap_or_default() {
        "configMap" | "projected" => true,
        "" => changed.from.is_some() && changed.to.is_some(),
        _ => false,
    }
}

/// A rotated identity lies under an entry of its own, which no pod of the former one reads.
fn is_other_identity(changed: &Changed<'_>) -> bool {
    let from = changed.from.and_then(rotated_entry);
    is_config_source(changed) && changed.to.and_then(rotated_entry) != from
}

/// Returns the entry of a rotated identity that a part of the config volume names.
fn rotated_entry(part: &Value) -> Option<&str> {
    match part {
        Value::String(text) => names::of_rotated(text).map(|_| text.as_str()),
        Value::Array(items) => items.iter().find_map(rotated_entry),
        Value::Object(members) => members.values().find_map(rotated_entry),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Tells whether a change of a pod is that of its node's identity.
#[must_use]
pub fn is_identity(change: &Change) -> bool {
    is_other_identity(&Changed {
        ours: None,
        path: &change.path,
        from: change.from.as_ref(),
        to: change.to.as_ref(),
        notes: None,
        moved: Moved::Asked,
    })
}

fn or_null(value: Option<&Value>) -> &Value {
    value.unwrap_or(&Value::Null)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changed<'c>(path: &'c str, from: &'c Value, to: &'c Value) -> Changed<'c> {
        let some = |value: &'c Value| (!value.is_null()).then_some(value);
        Changed {
            path,
            from: some(from),
            to: some(to),
            notes: None,
            ours: None,
            moved: Moved::Asked,
        }
    }

    #[track_caller]
    fn check(path: &str, (from, to): (Value, Value), expected: Effect) {
        let mut notes = PodNotes::default();
        let patched = [("healthcheck", "resources"), ("genesis-init", "args")];
        for (container, field) in patched {
            let fields = notes.patched.entry(container.to_owned()).or_default();
            fields.insert(field.to_owned());
        }
        let mut changed = changed(path, &from, &to);
        changed.notes = Some(&notes);
        assert_eq!(of(On::Pod, &changed), Some(expected), "{path}");
    }

    #[track_caller]
    fn check_claim(path: &str, [from, to]: [&str; 2], expected: Option<Effect>) {
        let (from, to) = (json!(from), json!(to));
        assert_eq!(
            of(On::Claim, &changed(path, &from, &to)),
            expected,
            "{path}"
        );
    }

    #[test]
    fn a_helper_image_is_told_whatever_the_port_of_its_registry() {
        let path = "spec.initContainers[name=genesis-init].image";
        let images = |from: &str, to: &str| (json!(from), json!(to));
        let (bare, tagged) = ("r:5000/infra-toolkit", "r:5000/infra-toolkit:v1");
        check(path, images(bare, tagged), Effect::NextRestart);
        check(path, images("r:5000/other", tagged), Effect::Restart);
    }

    #[test]
    fn every_row_says_why_and_the_last_of_each_sort_fits_all() {
        for on in [On::Pod, On::Config, On::Claim, On::Other] {
            let rows: Vec<&Row> = TABLE.iter().filter(|row| row.on == on).collect();
            let fits_all = (rows[rows.len() - 1].fits)(&changed("x", &Value::Null, &json!(1)));
            assert!(fits_all, "{on:?}");
            for row in rows {
                assert!(!row.why.is_empty() && !row.fields.is_empty());
            }
        }
    }

    #[test]
    fn the_readme_shows_the_table() {
        let readme = include_str!("../../README.md");
        assert!(readme.contains(&table()), "put this in:\n{}", table());
        assert_eq!(table().lines().count(), 2 + TABLE.len());
    }

    #[test]
    fn a_claim_grows_and_nothing_else() {
        check_claim(STORAGE, ["1Gi", "2Gi"], Some(Effect::InPlace));
        check_claim(STORAGE, ["2Gi", "1Gi"], None);
        for field in ["storageClassName", "accessModes", "volumeMode"] {
            let path = format!("spec.{field}");
            check_claim(&path, ["a", "b"], Some(Effect::RecreateVolume));
        }
        check_claim("spec.dataSource", ["a", "b"], None);
    }

    #[test]
    fn peers_of_the_owners_restart_and_those_of_the_fleet_do_not() {
        let (from, to) = (json!("a"), json!("b"));
        let mut peers = changed("p2p.persistent_peers", &from, &to);
        assert_eq!(of(On::Config, &peers), Some(Effect::Restart));
        peers.moved = Moved::Generated;
        assert_eq!(of(On::Config, &peers), Some(Effect::NextRestart));
        peers.moved = Moved::Nothing;
        assert_eq!(of(On::Config, &peers), None);
    }

    #[test]
    fn what_the_owner_asks_for_restarts() {
        for path in [
            "spec.containers[name=node].image",
            "spec.containers[name=node].env[name=A].value",
            "spec.containers[name=extra]",
            "spec.initContainers[name=mine]",
            "spec.initContainers[name=chain-init].image",
            "spec.volumes[name=data]",
            "spec.nodeSelector",
            "spec.terminationGracePeriodSeconds",
            "spec.containers[name=version-check-interval]",
        ] {
            check(path, (json!("a"), json!("b")), Effect::Restart);
        }
    }

    #[test]
    fn what_is_ours_rides_along() {
        check(
            "spec.initContainers[name=clean-init].args",
            (json!(["a"]), json!(["b"])),
            Effect::NextRestart,
        );
        check(
            "spec.initContainers[name=snapshot-restore]",
            (Value::Null, json!({})),
            Effect::NextRestart,
        );
        check(
            "spec.containers[name=healthcheck].image",
            (
                json!("ghcr.io/strangelove-ventures/cosmos-operator:v1"),
                json!("ghcr.io/strangelove-ventures/cosmos-operator:latest"),
            ),
            Effect::NextRestart,
        );
        check(
            "spec.volumes[name=vol-config].configMap",
            (json!({}), Value::Null),
            Effect::NextRestart,
        );
    }

    #[test]
    fn the_config_volume_may_change_its_source_but_not_come_or_go() {
        let path = "spec.volumes[name=vol-config]";
        let (one, other) = (json!({"configMap": {}}), json!({"projected": {}}));
        check(path, (one.clone(), other), Effect::NextRestart);
        check(path, (Value::Null, one.clone()), Effect::Restart);
        check(path, (one.clone(), Value::Null), Effect::Restart);
        let elsewhere = format!("{path}.hostPath");
        check(&elsewhere, (Value::Null, one), Effect::Restart);
    }

    #[track_caller]
    fn check_identity(path: &str, [from, to]: [&Value; 2], expected: bool) {
        let some = |value: &Value| (!value.is_null()).then(|| value.clone());
        let change = Change {
            path: path.to_owned(),
            from: some(from),
            to: some(to),
            effect: Effect::Restart,
        };
        assert_eq!(is_identity(&change), expected, "{path}: {from} -> {to}");
    }

    #[test]
    fn the_config_volume_tells_of_another_identity_by_the_entry_of_a_rotated_key() {
        let secret = |entry: &str| json!({"sources": [{"secret": {"items": [{"key": entry}]}}]});
        let first = secret("hub-0");
        let rotated = [1, 2].map(|n| secret(&format!("hub-0.{n:0>40}")));
        let path = "spec.volumes[name=vol-config].projected";
        check_identity(path, [&first, &rotated[0]], true);
        check_identity(path, [&rotated[0], &first], true);
        check_identity(path, [&rotated[0], &rotated[1]], true);
        check_identity(path, [&rotated[0], &rotated[0]], false);
        check_identity(path, [&first, &secret("hub-1")], false);
        check_identity(path, [&Value::Null, &rotated[0]], true);
        let entry = json!(format!("hub-0.{:0>40}", 1));
        check_identity(&format!("{path}.sources"), [&json!("hub-0"), &entry], true);
        // elsewhere such a text is something else
        check_identity(
            "spec.volumes[name=mine].projected",
            [&first, &rotated[0]],
            false,
        );
        check_identity(
            "spec.volumes[name=vol-config]",
            [&Value::Null, &rotated[0]],
            false,
        );
    }

    #[test]
    fn what_the_owner_set_on_a_container_of_ours_is_asked_for() {
        check(
            "spec.containers[name=healthcheck].resources.requests.cpu",
            (json!("5m"), json!("9m")),
            Effect::Restart,
        );
        check(
            "spec.initContainers[name=genesis-init].args",
            (json!(["a"]), json!(["b"])),
            Effect::Restart,
        );
    }

    #[test]
    fn a_helper_image_from_elsewhere_was_somebodys_wish() {
        check(
            "spec.containers[name=healthcheck].image",
            (
                json!("registry.example.net/mine:1"),
                json!("ghcr.io/strangelove-ventures/cosmos-operator:latest"),
            ),
            Effect::Restart,
        );
    }

    #[test]
    fn an_image_that_this_program_was_started_from_is_a_helper_whatever_it_is_called() {
        let (from, to) = (json!("r.io/tools/x:1"), json!("r.io/tools/y:2"));
        let path = "spec.containers[name=healthcheck].image";
        let mut changed = changed(path, &from, &to);
        assert_eq!(of(On::Pod, &changed), Some(Effect::Restart));
        let ours = BTreeSet::from(["healthcheck".to_owned()]);
        changed.ours = Some(&ours);
        assert_eq!(of(On::Pod, &changed), Some(Effect::NextRestart));
        changed.path = "spec.containers[name=node].image";
        assert_eq!(of(On::Pod, &changed), Some(Effect::Restart));
    }

    #[test]
    fn a_running_pod_may_tolerate_more_but_not_less() {
        let one = json!({"key": "a", "operator": "Exists"});
        let system = json!({"key": "node.kubernetes.io/not-ready", "operator": "Exists"});
        let two = json!({"key": "b", "operator": "Exists"});
        check(
            "spec.tolerations",
            (json!([one, system]), json!([one, two])),
            Effect::InPlace,
        );
        check(
            "spec.tolerations",
            (json!([one, two]), json!([one])),
            Effect::Restart,
        );
    }
}
