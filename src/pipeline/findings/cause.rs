//! From what is done to an object back to the field of the document that asks for it, as far as that
//! can be told from the object alone. Where it cannot, the document's name stands for all of it.

use crate::model::{Kind, Notice};
use crate::parse::inputs::Fleet;
use crate::parse::tree::Content;
use crate::plan::{Change, Effect, Step};
use crate::spec::document::Spec;
use crate::spec::named::Leave;
use crate::spec::path;
use crate::spec::wishes::{REMOVE_FLEET, RENAMED_FROM};

/// Where a document stands that no field can be named of.
pub(super) const WHOLE: &str = "metadata.name";
/// The list of a `NodeIdentities` document: paths that begin with it are looked up there.
pub(super) const IDENTITIES: &str = "nodeIDs";

const TEMPLATE: &str = "spec.podTemplate";
const CLAIM: &str = "spec.volumeClaimTemplate";
const REPLICAS: &str = "spec.replicas";
/// The parts of a claim that cannot change.
const IMMUTABLE: [&str; 4] = [
    "storageClassName",
    "volumeMode",
    "accessModes",
    "dataSource",
];
/// The parts of a pod's specification that the template gives as they are.
const ASKED: [&str; 6] = [
    "nodeSelector",
    "affinity",
    "tolerations",
    "priority",
    "priorityClassName",
    "volumes",
];

/// Returns the fields of a fleet's document that ask for a step, the most telling first.
pub(super) fn of_step(step: &Step, fleet: &Fleet) -> Vec<String> {
    let named = step.reasons.iter();
    let mut named = named.filter_map(|reason| of_reason(reason.code, step, fleet));
    if let Some(path) = named.next() {
        return vec![path];
    }
    let mut paths: Vec<String> = Vec::new();
    let (images, others): (Vec<_>, Vec<_>) =
        worst(step).partition(|change| change.path.rsplit('.').next() == Some("image"));
    // with another version comes another halt height: the image is what was meant
    let changes = images.into_iter().chain(others);
    for found in changes.filter_map(|change| of_change(change, step, fleet)) {
        if !paths.contains(&found) {
            paths.push(found);
        }
    }
    if paths.is_empty() {
        paths.push(WHOLE.to_owned());
    }
    paths
}

/// Returns the changes for the sake of which a step is what it is: the rest goes along.
pub(super) fn worst(step: &Step) -> impl Iterator<Item = &Change> {
    let changes = step.changes.iter();
    let worst = changes.clone().map(|change| change.effect).max();
    changes.filter(move |change| Some(change.effect) == worst && change.effect >= Effect::Restart)
}

/// Returns the field that settles what is blocked.
pub(super) fn of_blocked(notice: &Notice) -> String {
    match notice.code.as_str() {
        "ClaimImmutable" => {
            let is_named = |field: &&str| notice.message.contains(&format!("spec.{field} "));
            let field = IMMUTABLE.into_iter().find(is_named);
            path_below(CLAIM, field.unwrap_or_default())
        }
        "StorageClassMissing" => format!("{CLAIM}.storageClassName"),
        "ClaimOfRemovedFleet" => annotation(REMOVE_FLEET),
        "RestoreAcrossDrivers" | "NoSnapshotToRestore" | "ClaimNamedTwice" => {
            annotation(Leave::Restore.annotation())
        }
        code if code.starts_with("Heir") || code.starts_with("Former") => annotation(RENAMED_FROM),
        _ => WHOLE.to_owned(),
    }
}

/// Returns the field that a reason alone tells.
fn of_reason(code: &str, step: &Step, fleet: &Fleet) -> Option<String> {
    let spec = &fleet.node.spec;
    match code {
        "FleetRemoved" => Some(annotation(REMOVE_FLEET)),
        "Renamed" | "FormerName" => Some(annotation(RENAMED_FROM)),
        "ClaimAcknowledged" => Some(annotation(Leave::Delete.annotation())),
        "ClaimRestored" => Some(annotation(Leave::Restore.annotation())),
        "ClaimResynced" => Some(annotation(Leave::Resync.annotation())),
        "ClaimMadeAnew" => {
            let leaves = [Leave::Resync, Leave::Restore].map(Leave::annotation);
            let written = &fleet.node.annotations;
            let found = leaves.into_iter().find(|name| written.contains_key(*name));
            found.map(annotation)
        }
        "IdentityChanged" => Some(path::field(IDENTITIES, instance(step))),
        "InstanceDisabled" => {
            let own = path::field("spec.instanceOverrides", instance(step));
            Some(path::field(&own, "disable"))
        }
        "ScaledDown" => {
            let start = i64::from(spec.ordinals.start);
            let is_below = step.ordinal.is_some_and(|ordinal| ordinal < start);
            Some([REPLICAS, "spec.ordinals.start"][usize::from(is_below)].to_owned())
        }
        "NoLongerDesired" if step.object.kind == Kind::Pod => {
            Some("spec.additionalVersionedPods".to_owned())
        }
        "ServiceAccountChanged" => Some("spec.serviceAccountName".to_owned()),
        _ => None,
    }
}

fn of_change(change: &Change, step: &Step, fleet: &Fleet) -> Option<String> {
    let spec = &fleet.node.spec;
    match step.object.kind {
        Kind::PersistentVolumeClaim => {
            let field = change.path.strip_prefix("spec.")?;
            Some(path_below(&claim_template(step, spec), field))
        }
        Kind::Pod => of_pod(change, step, fleet),
        Kind::StorageClass
        | Kind::PersistentVolume
        | Kind::VolumeSnapshot
        | Kind::CosmosFullNode
        | Kind::NodeIdentities
        | Kind::Secret
        | Kind::ServiceAccount
        | Kind::Role
        | Kind::RoleBinding
        | Kind::Service
        | Kind::ConfigMap => None,
    }
}

fn of_pod(change: &Change, step: &Step, fleet: &Fleet) -> Option<String> {
    let spec = &fleet.node.spec;
    if let Some(rest) = change.path.strip_prefix("ConfigMap.data[") {
        return of_config(rest, step, spec);
    }
    let rest = change.path.strip_prefix("spec.")?;
    for (list, containers) in [
        ("containers", &spec.pod_template.containers),
        ("initContainers", &spec.pod_template.init_containers),
    ] {
        let inside = rest
            .strip_prefix(list)
            .and_then(|rest| rest.strip_prefix("[name="));
        let Some((name, field)) = inside.and_then(|rest| rest.split_once(']')) else {
            continue;
        };
        let field = field.trim_start_matches('.');
        let index = containers.iter().position(|c| c.name == name);
        if let Some(index) = index.filter(|at| is_written((list, *at), field, fleet)) {
            let own = path::item(&format!("{TEMPLATE}.{list}"), index);
            return Some(path_below(&own, field));
        }
        if let Some(own) = additional(step, list, name, spec) {
            return Some(path_below(&own, field));
        }
        return Some(match field.split(['.', '[']).next() {
            Some("image") => image(change, step, spec),
            Some("resources") => format!("{TEMPLATE}.{field}"),
            Some("command" | "args" | "env") => "spec.chain".to_owned(),
            Some("readinessProbe" | "livenessProbe" | "startupProbe") => {
                format!("{TEMPLATE}.probes")
            }
            Some(_) | None => return None,
        });
    }
    let top = rest.split(['.', '[']).next().unwrap_or(rest);
    // the volumes that hold a node's home and config are ours
    let is_ours = rest.starts_with("volumes[name=vol-");
    (ASKED.contains(&top) && !is_ours).then(|| format!("{TEMPLATE}.{top}"))
}

/// Tells whether the template's container says anything of a field itself: where it adds to one of
/// ours, the rest comes from elsewhere.
fn is_written((list, at): (&str, usize), field: &str, fleet: &Fleet) -> bool {
    let Some(top) = field.split(['.', '[']).next().filter(|top| !top.is_empty()) else {
        return true;
    };
    let spec = fleet.origin.document.get("spec");
    let template = spec.and_then(|spec| spec.get("podTemplate").or_else(|| spec.get("template")));
    let containers = template.and_then(|template| template.get(list));
    match containers.map(|containers| &containers.value) {
        Some(Content::Sequence(items)) => items
            .get(at)
            .is_some_and(|container| container.get(top).is_some()),
        Some(
            Content::Null
            | Content::Bool(_)
            | Content::Number(_)
            | Content::String(_)
            | Content::Mapping(_),
        )
        | None => false,
    }
}

/// Returns the container of a pod beside an instance.
fn additional(step: &Step, list: &str, name: &str, spec: &Spec) -> Option<String> {
    let (pod, _) = step.object.name.rsplit_once('-')?;
    let pods = &spec.additional_versioned_pods;
    let at = pods.iter().position(|additional| additional.name == pod)?;
    let containers = match list {
        "containers" => &pods.get(at)?.spec.containers,
        _ => &pods.get(at)?.spec.init_containers,
    };
    let pod = path::item("spec.additionalVersionedPods", at);
    let index = containers
        .iter()
        .position(|container| container.name == name)?;
    Some(path::item(&path::field(&pod, list), index))
}

/// Returns the field that gives a node's image: an exception, a version, or the template.
fn image(change: &Change, step: &Step, spec: &Spec) -> String {
    let name = instance(step);
    let own = spec.instance_overrides.get(name);
    if own.is_some_and(|own| !own.image.is_empty()) {
        let own = path::field("spec.instanceOverrides", name);
        return path::field(&own, "image");
    }
    let wanted = change.to.as_ref().and_then(|image| image.as_str());
    let mut versions = spec.chain.versions.iter();
    match versions.rposition(|version| wanted == Some(version.image.as_str())) {
        Some(at) => path::field(&path::item("spec.chain.versions", at), "image"),
        None => format!("{TEMPLATE}.image"),
    }
}

/// Returns the field that a value of a config file comes from.
fn of_config(rest: &str, step: &Step, spec: &Spec) -> Option<String> {
    let (file, value) = rest.split_once("].")?;
    let name = instance(step);
    let own = spec.instance_overrides.get(name);
    let value = value.replace('-', "_");
    let (section, overrides) = match file {
        "config-overlay.toml" => ("config", &spec.chain.config.overrides),
        _ => ("app", &spec.chain.app.overrides),
    };
    let field = match value.as_str() {
        "halt_height" if !spec.chain.versions.is_empty() => {
            return Some("spec.chain.versions".to_owned());
        }
        "p2p.seeds" => "seeds",
        "p2p.persistent_peers" => "peers",
        "p2p.external_address" => {
            own?.external_address.as_ref()?;
            let own = path::field("spec.instanceOverrides", name);
            return Some(path::field(&own, "externalAddress"));
        }
        "minimum_gas_prices" => "minGasPrice",
        value if value.starts_with("pruning") => "pruning",
        _ if overrides.is_some() => "overrides",
        _ => return Some(format!("spec.chain.{section}")),
    };
    Some(format!("spec.chain.{section}.{field}"))
}

/// Returns the template of a claim: the one of its instance, where it has one.
fn claim_template(step: &Step, spec: &Spec) -> String {
    let name = instance(step);
    let own = spec.instance_overrides.get(name);
    match own.and_then(|own| own.volume_claim_template.as_ref()) {
        Some(_) => {
            let own = path::field("spec.instanceOverrides", name);
            path::field(&own, "volumeClaimTemplate")
        }
        None => CLAIM.to_owned(),
    }
}

fn instance(step: &Step) -> &str {
    let name = step.object.name.as_str();
    name.strip_prefix("pvc-").unwrap_or(name)
}

fn path_below(path: &str, field: &str) -> String {
    if field.is_empty() {
        return path.to_owned();
    }
    format!("{path}.{field}")
}

fn annotation(name: &str) -> String {
    path::field("metadata.annotations", name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{ObjectKey, Source};
    use crate::parse;
    use crate::plan::{Action, Impact, Reason};

    const DOCUMENT: &str = "\
apiVersion: cosmos.strange.love/v1
kind: CosmosFullNode
metadata: {name: kelp, namespace: chains}
spec:
  replicas: 3
  ordinals: {start: 1}
  chain:
    chainID: kelp-1
    network: devnet
    binary: kelpd
    config: {peers: a, overrides: \"\"}
    app: {minGasPrice: 0ukelp}
    versions:
      - {height: 0, image: kelp:v1}
      - {height: 9, image: kelp:v2}
  podTemplate:
    image: kelp:v0
    containers:
      - {name: node, env: [{name: A, value: b}]}
      - {name: side, image: side:v1}
  additionalVersionedPods:
    - name: scribe
      containers: [{name: scribe, image: scribe:v1}]
  volumeClaimTemplate:
    storageClassName: standard
    resources: {requests: {storage: 1Gi}}
  instanceOverrides:
    kelp-2:
      image: kelp:own
      externalAddress: 192.0.2.1
      volumeClaimTemplate:
        storageClassName: fast
        resources: {requests: {storage: 2Gi}}
";

    fn fleet() -> Fleet {
        let source = Source {
            name: "kelp.yaml".to_owned(),
            bytes: DOCUMENT.as_bytes().to_vec(),
        };
        let mut read = parse::specs(&[source], None);
        assert!(!read.has_errors(), "{:?}", read.diagnostics);
        read.value.fleets.remove(0)
    }

    fn step(kind: Kind, name: &str, reason: &'static str, paths: &[&str]) -> Step {
        let changes = paths.iter().map(|path| Change {
            path: (*path).to_owned(),
            from: None,
            to: Some(json!("kelp:v2")),
            effect: Effect::Restart,
        });
        Step {
            action: Action::Replace,
            object: ObjectKey {
                api_version: "v1".to_owned(),
                kind,
                namespace: "chains".to_owned(),
                name: name.to_owned(),
            },
            ordinal: name.rsplit('-').next().and_then(|end| end.parse().ok()),
            impact: Impact::Restart,
            reasons: vec![Reason {
                code: reason,
                message: String::new(),
            }],
            changes: changes.collect(),
        }
    }

    /// Checks which fields a change of a pod comes of.
    #[track_caller]
    fn check(pod: &str, paths: &[&str], expected: &[&str]) {
        let step = step(Kind::Pod, pod, "SpecChanged", paths);
        assert_eq!(of_step(&step, &fleet()), expected, "{paths:?}");
    }

    #[test]
    fn an_image_is_that_of_an_exception_a_version_or_a_container() {
        let image = "spec.containers[name=node].image";
        check("kelp-1", &[image], &["spec.chain.versions[1].image"]);
        check("kelp-2", &[image], &["spec.instanceOverrides.kelp-2.image"]);
        let side = "spec.containers[name=side].image";
        check("kelp-1", &[side], &["spec.podTemplate.containers[1].image"]);
        let scribe = "spec.containers[name=scribe].image";
        let own = "spec.additionalVersionedPods[0].containers[0].image";
        check("scribe-1", &[scribe], &[own]);
    }

    #[test]
    fn the_image_goes_before_the_halt_height_that_comes_with_it() {
        let both = [
            "ConfigMap.data[app-overlay.toml].halt-height",
            "spec.containers[name=node].image",
        ];
        check(
            "kelp-1",
            &both,
            &["spec.chain.versions[1].image", "spec.chain.versions"],
        );
    }

    #[test]
    fn fields_of_pods_lead_to_the_template() {
        let of = |field: &str| format!("spec.containers[name=node].{field}");
        let env = of("env[name=A].value");
        check(
            "kelp-1",
            &[&env],
            &["spec.podTemplate.containers[0].env[name=A].value"],
        );
        let memory = of("resources.requests.memory");
        check(
            "kelp-1",
            &[&memory],
            &["spec.podTemplate.resources.requests.memory"],
        );
        check(
            "kelp-1",
            &["spec.nodeSelector.disk"],
            &["spec.podTemplate.nodeSelector"],
        );
        check(
            "kelp-1",
            &["spec.volumes[name=own]"],
            &["spec.podTemplate.volumes"],
        );
        check(
            "kelp-1",
            &["spec.volumes[name=vol-config].projected"],
            &[WHOLE],
        );
    }

    #[test]
    fn values_of_configs_lead_to_the_chain() {
        let of = |value: &str| format!("ConfigMap.data[config-overlay.toml].{value}");
        let (peers, size) = (of("p2p.persistent-peers"), of("mempool.size"));
        check("kelp-1", &[&peers], &["spec.chain.config.peers"]);
        check("kelp-1", &[&size], &["spec.chain.config.overrides"]);
        let address = of("p2p.external_address");
        check(
            "kelp-2",
            &[&address],
            &["spec.instanceOverrides.kelp-2.externalAddress"],
        );
        check("kelp-1", &[&address], &[WHOLE]);
        let gas = "ConfigMap.data[app-overlay.toml].minimum-gas-prices";
        check("kelp-1", &[gas], &["spec.chain.app.minGasPrice"]);
    }

    #[track_caller]
    fn check_claim(name: &str, expected: &str) {
        let step = step(
            Kind::PersistentVolumeClaim,
            name,
            "FieldsDiffer",
            &["spec.storageClassName"],
        );
        assert_eq!(of_step(&step, &fleet()), [expected]);
    }

    #[test]
    fn a_claim_has_the_template_of_its_instance() {
        check_claim("pvc-kelp-1", "spec.volumeClaimTemplate.storageClassName");
        let own = "spec.instanceOverrides.kelp-2.volumeClaimTemplate.storageClassName";
        check_claim("pvc-kelp-2", own);
    }

    #[track_caller]
    fn check_reason(pod: &str, code: &'static str, expected: &str) {
        let step = step(Kind::Pod, pod, code, &[]);
        assert_eq!(of_step(&step, &fleet()), [expected], "{code}");
    }

    #[test]
    fn a_reason_can_tell_the_field() {
        check_reason("kelp-5", "ScaledDown", "spec.replicas");
        check_reason("kelp-0", "ScaledDown", "spec.ordinals.start");
        check_reason(
            "kelp-1",
            "InstanceDisabled",
            "spec.instanceOverrides.kelp-1.disable",
        );
        check_reason("kelp-1", "IdentityChanged", "nodeIDs.kelp-1");
        let removed = "metadata.annotations[\"cosmos-render/remove-fleet\"]";
        check_reason("kelp-1", "FleetRemoved", removed);
        check_reason("kelp-1", "ConfigNotTakenUp", WHOLE);
    }
}
