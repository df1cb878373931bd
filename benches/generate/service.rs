//! Services, with what the API server and a load balancer's controller fill in.

use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::objects::Emit;
use crate::{Outcome, identity};

/// Emits the Services of a fleet: one per instance for peers, one per sentry, one for calls.
pub(crate) fn all(fleet: &Fleet, emit: &mut impl Emit) -> Outcome<()> {
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
    let mut ports = vec![
        port("api", 1317),
        port("rosetta", 8080),
        port("grpc", 9090),
        port("rpc", fleet.rpc_port()),
        port("grpc-web", 9091),
    ];
    ports.extend(fleet.list("/service/rpcTemplate/ports").iter().cloned());
    let mut object = service(fleet, &format!("{}-rpc", fleet.name), "rpc", None, ports);
    for field in ["type", "externalTrafficPolicy"] {
        if let Some(value) = fleet.text(&format!("/service/rpcTemplate/{field}")) {
            object["spec"][field] = json!(value);
        }
    }
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
        if let Some(ip) = fleet.text("/service/p2pTemplate/clusterIP") {
            object["spec"]["clusterIP"] = json!(ip);
            object["spec"]["clusterIPs"] = json!([ip]);
        }
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
