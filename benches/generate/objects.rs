//! Every other kind of object, and the walk over all objects of one kind.

use serde_json::{Map, Value, json};

use crate::config::Mesh;
use crate::fleet::Fleet;
use crate::{Outcome, Peers, admission, config, identity, pod, service, status};

/// Takes each object as soon as it is made.
pub(crate) trait Emit: FnMut(Value) -> Outcome<()> {}
impl<F: FnMut(Value) -> Outcome<()>> Emit for F {}

/// The kinds of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Pod,
    Claim,
    ConfigMap,
    Service,
    ServiceAccount,
    Role,
    RoleBinding,
    Fleet,
    Volume,
    Class,
}

/// The kinds in the order of the usual kubectl call.
pub(crate) const KINDS: [Kind; 10] = [
    Kind::Pod,
    Kind::Claim,
    Kind::ConfigMap,
    Kind::Service,
    Kind::ServiceAccount,
    Kind::Role,
    Kind::RoleBinding,
    Kind::Fleet,
    Kind::Volume,
    Kind::Class,
];

impl Kind {
    /// The name of the resource, as kubectl knows it.
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Pod => "pods",
            Self::Claim => "persistentvolumeclaims",
            Self::ConfigMap => "configmaps",
            Self::Service => "services",
            Self::ServiceAccount => "serviceaccounts",
            Self::Role => "roles",
            Self::RoleBinding => "rolebindings",
            Self::Fleet => "cosmosfullnodes",
            Self::Volume => "persistentvolumes",
            Self::Class => "storageclasses",
        }
    }
}

/// Emits the objects of a kind that belong to no fleet.
pub(crate) fn shared(kind: Kind, seed: u64, emit: &mut impl Emit) -> Outcome<()> {
    if kind != Kind::Class {
        return Ok(());
    }
    for (name, is_default, binding) in [
        ("fast-ssd", false, "WaitForFirstConsumer"),
        ("standard", true, "Immediate"),
    ] {
        let mut metadata = json!({
            "annotations": {}, "creationTimestamp": identity::time(0), "name": name,
            "resourceVersion": "412", "uid": identity::uid(seed, name),
        });
        if is_default {
            metadata["annotations"]["storageclass.kubernetes.io/is-default-class"] = json!("true");
        }
        emit(json!({
            "allowVolumeExpansion": true, "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass", "metadata": metadata, "provisioner": "disk.csi.example.com",
            "reclaimPolicy": "Delete", "volumeBindingMode": binding,
        }))?;
    }
    Ok(())
}

/// Emits a fleet's objects of one kind.
pub(crate) fn of_fleet(
    kind: Kind,
    fleet: &Fleet,
    peers: Peers,
    emit: &mut impl Emit,
) -> Outcome<()> {
    let ordinals = fleet.ordinals.iter().copied();
    let vc_labels = || {
        let mut labels = fleet.labels();
        labels.insert("app.kubernetes.io/component".to_owned(), json!("vc"));
        labels
    };
    let is_own = fleet.text("/serviceAccountName").is_none();
    match kind {
        Kind::Pod => pods(fleet, peers, emit)?,
        Kind::Claim => {
            for ordinal in ordinals.filter(|ordinal| is_kept(fleet, *ordinal)) {
                emit(claim(fleet, ordinal))?;
            }
        }
        Kind::ConfigMap => {
            let mesh = Mesh::new(fleet, peers);
            for place in 0..fleet.ordinals.len() {
                emit(config::config_map(fleet, &mesh, place)?)?;
            }
        }
        Kind::Service => service::all(fleet, emit)?,
        Kind::ServiceAccount if is_own => emit(account(fleet, &vc_labels()))?,
        Kind::Role if is_own => emit(role(fleet, &vc_labels()))?,
        Kind::RoleBinding if is_own => emit(binding(fleet, &vc_labels()))?,
        Kind::ServiceAccount | Kind::Role | Kind::RoleBinding | Kind::Class => {}
        Kind::Fleet => emit(custom_resource(fleet, &Mesh::new(fleet, peers)))?,
        Kind::Volume => {
            for ordinal in ordinals.filter(|ordinal| is_kept(fleet, *ordinal)) {
                emit(volume(fleet, ordinal))?;
            }
        }
    }
    Ok(())
}

fn is_kept(fleet: &Fleet, ordinal: u64) -> bool {
    fleet.own(&fleet.instance(ordinal), "disable") != Some(&json!("All"))
}

fn pods(fleet: &Fleet, peers: Peers, emit: &mut impl Emit) -> Outcome<()> {
    let mesh = Mesh::new(fleet, peers);
    let mut live = |mut object: Value, ordinal: u64, checksum: Value| {
        let known = &mut object["metadata"]["annotations"];
        known["cosmos.strange.love/config-checksum"] = checksum;
        fleet.metadata(&mut object, ordinal);
        admission::admit(&mut object, fleet.seed);
        object["status"] = status::of_pod(&object, fleet.seed);
        emit(object)
    };
    for (place, ordinal) in fleet.ordinals.iter().enumerate() {
        if let Some(object) = pod::main(fleet, *ordinal) {
            let map = config::config_map(fleet, &mesh, place)?;
            let checksum = map["metadata"]["labels"]["app.kubernetes.io/revision"].clone();
            live(object, *ordinal, checksum)?;
        }
        for (at, template) in fleet.list("/additionalVersionedPods").iter().enumerate() {
            if let Some(object) = pod::additional(fleet, *ordinal, template) {
                live(object, ordinal * 100 + at as u64 + 1000, json!(""))?;
            }
        }
    }
    Ok(())
}

/// The claim template of an instance.
fn template(fleet: &Fleet, ordinal: u64) -> Value {
    let own = fleet.own(&fleet.instance(ordinal), "volumeClaimTemplate");
    own.or_else(|| fleet.at("/volumeClaimTemplate"))
        .cloned()
        .unwrap_or_default()
}

fn modes(template: &Value) -> Value {
    template
        .get("accessModes")
        .cloned()
        .unwrap_or(json!(["ReadWriteOnce"]))
}

fn claim(fleet: &Fleet, ordinal: u64) -> Value {
    let template = template(fleet, ordinal);
    let instance = fleet.instance(ordinal);
    let mut labels = fleet.labels();
    labels.insert("app.kubernetes.io/instance".to_owned(), json!(instance));
    let name = fleet.claim(ordinal);
    let mut object = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"labels": labels, "name": name},
        "spec": {
            "accessModes": modes(&template), "resources": template["resources"],
            "storageClassName": template["storageClassName"],
            "volumeMode": template.get("volumeMode").unwrap_or(&json!("Filesystem")),
        },
    });
    for part in ["labels", "annotations"] {
        let more = template
            .pointer(&format!("/metadata/{part}"))
            .and_then(Value::as_object);
        for (key, value) in more.into_iter().flatten() {
            if object["metadata"][part].get(key).is_none() {
                object["metadata"][part][key.as_str()] = value.clone();
            }
        }
    }
    fleet.metadata(&mut object, ordinal);
    let uid = fleet.uid("PersistentVolumeClaim", &name);
    for (key, value) in [
        ("pv.kubernetes.io/bind-completed", "yes"),
        ("pv.kubernetes.io/bound-by-controller", "yes"),
        (
            "volume.beta.kubernetes.io/storage-provisioner",
            "disk.csi.example.com",
        ),
        (
            "volume.kubernetes.io/selected-node",
            &admission::node(fleet.seed, &instance),
        ),
        (
            "volume.kubernetes.io/storage-provisioner",
            "disk.csi.example.com",
        ),
    ] {
        object["metadata"]["annotations"][key] = json!(value);
    }
    object["metadata"]["finalizers"] = json!(["kubernetes.io/pvc-protection"]);
    object["spec"]["volumeName"] = json!(format!("pvc-{uid}"));
    object["status"] = json!({
        "accessModes": modes(&template), "phase": "Bound",
        "capacity": {"storage": template["resources"]["requests"]["storage"]},
    });
    object
}

fn volume(fleet: &Fleet, ordinal: u64) -> Value {
    let template = template(fleet, ordinal);
    let claim = fleet.claim(ordinal);
    let uid = fleet.uid("PersistentVolumeClaim", &claim);
    let handle = identity::digest(&uid);
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "annotations": {"pv.kubernetes.io/provisioned-by": "disk.csi.example.com"},
            "creationTimestamp": identity::time(62),
            "finalizers": [
                "kubernetes.io/pv-protection",
                "external-attacher/disk-csi-example-com",
            ],
            "name": format!("pvc-{uid}"),
            "resourceVersion": "20417",
            "uid": fleet.uid("PersistentVolume", &claim),
        },
        "spec": {
            "accessModes": modes(&template),
            "capacity": {"storage": template["resources"]["requests"]["storage"]},
            "claimRef": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": claim,
                "namespace": fleet.namespace, "resourceVersion": "20391", "uid": uid,
            },
            "csi": {
                "driver": "disk.csi.example.com", "fsType": "ext4",
                "volumeHandle": format!("vol-{}", &handle[..17]),
            },
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": template["storageClassName"],
            "volumeMode": "Filesystem",
        },
        "status": {"lastPhaseTransitionTime": identity::time(62), "phase": "Bound"},
    })
}

fn account(fleet: &Fleet, labels: &Map<String, Value>) -> Value {
    let mut object = json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"labels": labels, "name": fleet.account()},
    });
    fleet.metadata(&mut object, 0);
    object
}

fn role(fleet: &Fleet, labels: &Map<String, Value>) -> Value {
    let rule = |group: &str, resources: &[&str], verbs: &[&str]| json!({"apiGroups": [group], "resources": resources, "verbs": verbs});
    let mut object = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"labels": labels, "name": format!("{}-vc-r", fleet.name)},
        "rules": [
            rule("", &["namespaces", "pods"], &["get", "list"]),
            rule("cosmos.strange.love", &["cosmosfullnodes"], &["get"]),
            rule("cosmos.strange.love", &["cosmosfullnodes/status"], &["patch"]),
        ],
    });
    fleet.metadata(&mut object, 0);
    object
}

fn binding(fleet: &Fleet, labels: &Map<String, Value>) -> Value {
    let mut object = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"labels": labels, "name": format!("{}-vc-rb", fleet.name)},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io", "kind": "Role",
            "name": format!("{}-vc-r", fleet.name),
        },
        "subjects": [{
            "kind": "ServiceAccount", "name": fleet.account(), "namespace": fleet.namespace,
        }],
    });
    fleet.metadata(&mut object, 0);
    object
}

/// The document as the cluster holds it, with the operator's status.
fn custom_resource(fleet: &Fleet, mesh: &Mesh) -> Value {
    let mut object = fleet.document.clone();
    let applied = {
        let mut applied = object.clone();
        applied["metadata"]["annotations"] = json!({});
        format!("{applied}\n")
    };
    let metadata = &mut object["metadata"];
    metadata["namespace"] = json!(fleet.namespace);
    metadata["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = json!(applied);
    metadata["creationTimestamp"] = json!(identity::time(58));
    metadata["generation"] = json!(1);
    metadata["resourceVersion"] = json!("21933");
    metadata["uid"] = json!(fleet.uid("CosmosFullNode", &fleet.name));
    object["status"] = status::of_fleet(fleet, mesh);
    object
}
