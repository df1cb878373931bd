//! The services: p2p and, for sentries, the signer's for each instance; RPC for all. Knows
//! nothing of addresses that a cloud hands out.

use serde_json::{Map, Value, json};

use crate::desired::fleet::{Fleet, Made, members, plain};
use crate::desired::{Manifest, Role, labels, ports, settle};
use crate::model::{Kind, Ordinal, names};
use crate::spec::document::{ServiceType, StringMap, TrafficPolicy};

/// How many instances are reachable from outside where the owner does not say.
const DEFAULT_EXTERNAL: i32 = 1;

/// Builds all services of a fleet.
pub(crate) fn build(fleet: &Fleet<'_>) -> Vec<Manifest> {
    let mut all: Vec<Manifest> = fleet
        .ordinals()
        .map(|ordinal| p2p(fleet, ordinal))
        .collect();
    if fleet.is_sentry() {
        all.extend(fleet.ordinals().map(|ordinal| privval(fleet, ordinal)));
    }
    all.push(rpc(fleet));
    all
}

/// Tells whether an instance is reachable from outside: the first few are.
fn is_external(fleet: &Fleet<'_>, ordinal: Ordinal) -> bool {
    let external = fleet.spec().service.max_p2p_external_addresses;
    let external = external.unwrap_or(DEFAULT_EXTERNAL).max(0);
    ordinal < fleet.ordinals().start + Ordinal::from(external)
}

fn external_type(fleet: &Fleet<'_>) -> ServiceType {
    let asked = fleet.spec().service.p2p_template.service_type;
    asked.unwrap_or(ServiceType::LoadBalancer)
}

/// Tells whether an instance's p2p service should have a load balancer.
pub(crate) fn is_load_balancer(fleet: &Fleet<'_>, ordinal: Ordinal) -> bool {
    is_external(fleet, ordinal) && external_type(fleet) == ServiceType::LoadBalancer
}

/// Only services that are reachable from outside take the owner's template; the fixed address is
/// for the others.
fn p2p(fleet: &Fleet<'_>, ordinal: Ordinal) -> Manifest {
    let template = &fleet.spec().service.p2p_template;
    let mut made = of_instance(fleet, ordinal, "p2p");
    let mut spec = members([
        ("ports", json!([port("p2p", fleet.p2p_port, "p2p")])),
        (
            "selector",
            json!({names::INSTANCE: fleet.instance(ordinal)}),
        ),
    ]);
    if is_external(fleet, ordinal) {
        labels::add_missing(&mut made.labels, &template.metadata.labels);
        made.annotations.clone_from(&template.metadata.annotations);
        let policy = template.external_traffic_policy;
        spec.insert("type".to_owned(), plain(&external_type(fleet)));
        spec.insert(
            "externalTrafficPolicy".to_owned(),
            plain(&policy.unwrap_or(TrafficPolicy::Local)),
        );
    } else {
        spec.insert("type".to_owned(), json!("ClusterIP"));
        set_cluster_ip(&mut spec, template.cluster_ip.as_deref());
    }
    made.parts.insert("spec".to_owned(), Value::Object(spec));
    fleet.manifest(
        Role::Service,
        fleet.key(Kind::Service, &fleet.p2p_service(ordinal)),
        made,
    )
}

fn privval(fleet: &Fleet<'_>, ordinal: Ordinal) -> Manifest {
    let template = &fleet.spec().service.p2p_template;
    let mut made = of_instance(fleet, ordinal, "cosmos-sentry");
    labels::add_missing(&mut made.labels, &template.metadata.labels);
    made.annotations.clone_from(&template.metadata.annotations);
    let spec = json!({
        "ports": [port("sentry-privval", ports::PRIVVAL, "privval")],
        "selector": {names::INSTANCE: fleet.instance(ordinal)},
        "type": "ClusterIP",
        "publishNotReadyAddresses": true,
    });
    made.parts.insert("spec".to_owned(), spec);
    fleet.manifest(
        Role::Service,
        fleet.key(Kind::Service, &fleet.privval_service(ordinal)),
        made,
    )
}

fn rpc(fleet: &Fleet<'_>) -> Manifest {
    let template = &fleet.spec().service.rpc_template;
    let mut all_labels = labels::with(fleet, &[(names::COMPONENT, "rpc")]);
    labels::add_missing(&mut all_labels, &template.metadata.labels);
    let mut own_ports = vec![
        port("api", ports::API, "api"),
        port("rosetta", ports::ROSETTA, "rosetta"),
        port("grpc", ports::GRPC, "grpc"),
        port("rpc", fleet.rpc_port, "rpc"),
        port("grpc-web", ports::GRPC_WEB, "grpc-web"),
    ];
    if let Value::Array(more) = settle::settled_ports(plain(&template.ports)) {
        own_ports.extend(more);
    }
    let mut spec = members([
        ("ports", Value::Array(own_ports)),
        ("selector", json!({names::NAME: fleet.name})),
        (
            "type",
            plain(&template.service_type.unwrap_or(ServiceType::ClusterIp)),
        ),
    ]);
    if let Some(policy) = template.external_traffic_policy {
        spec.insert("externalTrafficPolicy".to_owned(), plain(&policy));
    }
    set_cluster_ip(&mut spec, template.cluster_ip.as_deref());
    let made = Made {
        ordinal: None,
        labels: labels::normalize_labels(&all_labels),
        annotations: labels::normalize_annotations(&template.metadata.annotations),
        parts: members([("spec", Value::Object(spec))]),
    };
    fleet.manifest(
        Role::Service,
        fleet.key(Kind::Service, &fleet.rpc_service()),
        made,
    )
}

/// The reference cuts no labels on the services of single instances.
fn of_instance(fleet: &Fleet<'_>, ordinal: Ordinal, component: &str) -> Made {
    let instance = fleet.instance(ordinal);
    let fixed = [
        (names::INSTANCE, instance.as_str()),
        (names::COMPONENT, component),
    ];
    Made {
        ordinal: Some(ordinal),
        labels: labels::with(fleet, &fixed),
        annotations: StringMap::new(),
        parts: Map::new(),
    }
}

fn port(name: &str, port: i32, target: &str) -> Value {
    json!({"name": name, "protocol": "TCP", "port": port, "targetPort": target})
}

fn set_cluster_ip(spec: &mut Map<String, Value>, cluster_ip: Option<&str>) {
    if let Some(address) = cluster_ip.filter(|address| !address.is_empty()) {
        spec.insert("clusterIP".to_owned(), json!(address));
    }
}
