//! Every other kind of object, and the walk over all objects of one kind.

use serde_json::{Map, Value, json};

use crate::config::Mesh;
use crate::fleet::Fleet;
use crate::{Outcome, Peers, admission, config, identity, pod, status};

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
        Kind::Service => services(fleet, emit)?,
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

fn services(fleet: &Fleet, emit: &mut impl Emit) -> Outcome<()> {
    let mut place = 0;
    for (at, ordinal) in fleet.ordinals.iter().enumerate() {
        emit(p2p_service(fleet, at, *ordinal))?;
        place += 1;
    }
    if fleet.is_sentry() {
        for ordinal in &fleet.ordinals {
            let name = format!("{}-privval-{ordinal}", fleet.name);
            let port = json!({"name": "sentry-privval", "port": 1234, "targetPort": "privval"});
            let instance = fleet.instance(*ordinal);
            let mut object = service(fleet, &name, "cosmos-sentry", Some(&instance), vec![port]);
            object["spec"]["publishNotReadyAddresses"] = json!(true);
            adopt(fleet, &mut object, "/service/p2pTemplate", place);
            emit(object)?;
            place += 1;
        }
    }
    let port = |name: &str, port: u32| json!({"name": name, "port": port, "targetPort": name});
    let ports = vec![
        port("api", 1317),
        port("rosetta", 8080),
        port("grpc", 9090),
        port("rpc", fleet.rpc_port()),
        port("grpc-web", 9091),
    ];
    let mut object = service(fleet, &format!("{}-rpc", fleet.name), "rpc", None, ports);
    adopt(fleet, &mut object, "/service/rpcTemplate", place);
    emit(object)
}

fn p2p_service(fleet: &Fleet, place: usize, ordinal: u64) -> Value {
    let name = format!("{}-p2p-{ordinal}", fleet.name);
    let port = json!({"name": "p2p", "port": fleet.p2p_port(), "targetPort": "p2p"});
    let mut object = service(
        fleet,
        &name,
        "p2p",
        Some(&fleet.instance(ordinal)),
        vec![port],
    );
    if place >= fleet.external() {
        adopt(fleet, &mut object, "/none", place as u64);
        return object;
    }
    let kind = fleet
        .text("/service/p2pTemplate/type")
        .unwrap_or("LoadBalancer");
    let spec = &mut object["spec"];
    spec["type"] = json!(kind);
    let policy = fleet
        .text("/service/p2pTemplate/externalTrafficPolicy")
        .unwrap_or("Local");
    spec["externalTrafficPolicy"] = json!(policy);
    adopt(fleet, &mut object, "/service/p2pTemplate", place as u64);
    let node_port = |key: &str| {
        let key = format!("{key}/{}/{name}", fleet.namespace);
        json!(identity::number(fleet.seed, &key, 2767) + 30_000)
    };
    if kind != "ClusterIP" {
        object["spec"]["ports"][0]["nodePort"] = node_port("p2p");
    }
    if let Some(ingress) = fleet.ingress(place) {
        object["spec"]["allocateLoadBalancerNodePorts"] = json!(true);
        if policy == "Local" {
            object["spec"]["healthCheckNodePort"] = node_port("health");
        }
        object["status"]["loadBalancer"] = json!({"ingress": [ingress]});
    }
    object
}

/// A Service inside the cluster, with what the API server fills in.
fn service(
    fleet: &Fleet,
    name: &str,
    component: &str,
    instance: Option<&str>,
    mut ports: Vec<Value>,
) -> Value {
    let mut labels = fleet.labels();
    labels.insert("app.kubernetes.io/component".to_owned(), json!(component));
    let mut selector = json!({"app.kubernetes.io/name": fleet.name});
    if let Some(instance) = instance {
        labels.insert("app.kubernetes.io/instance".to_owned(), json!(instance));
        selector = json!({"app.kubernetes.io/instance": instance});
    }
    for port in &mut ports {
        port["protocol"] = json!("TCP");
    }
    let number = |part: &str| {
        identity::number(
            fleet.seed,
            &format!("ip/{part}/{}/{name}", fleet.namespace),
            250,
        ) + 2
    };
    let ip = format!("10.43.{}.{}", number("high"), number("low"));
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"labels": labels, "name": name},
        "spec": {
            "clusterIP": ip, "clusterIPs": [ip], "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "ports": ports,
            "selector": selector, "sessionAffinity": "None", "type": "ClusterIP",
        },
        "status": {"loadBalancer": {}},
    })
}

/// Adds a template's labels and annotations, then the operator's metadata.
fn adopt(fleet: &Fleet, object: &mut Value, template: &str, place: u64) {
    for part in ["labels", "annotations"] {
        for (key, value) in fleet.map(&format!("{template}/metadata/{part}")) {
            if object["metadata"][part].get(&key).is_none() {
                object["metadata"][part][key] = value;
            }
        }
    }
    fleet.metadata(object, place);
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
