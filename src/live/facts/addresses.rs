//! The addresses by which nodes are reached from outside: what load balancers show, and what configs
//! say where those show nothing now.

use serde::Deserialize;

use super::{ExternalAddress, Facts};
use crate::live::{Live, lenient};
use crate::model::{FleetKey, Kind, names};

/// Gathers the addresses that load balancers show.
pub(super) fn gather(live: &Live<'_>, fleet: &FleetKey, facts: &mut Facts) {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Status {
        #[serde(default)]
        load_balancer: LoadBalancer,
    }
    #[derive(Default, Deserialize)]
    struct LoadBalancer {
        #[serde(default)]
        ingress: Vec<Ingress>,
    }
    #[derive(Default, Deserialize)]
    struct Ingress {
        ip: Option<String>,
        hostname: Option<String>,
    }
    for service in live.kind_of_fleet(Kind::Service, fleet) {
        let spec: ServiceSpec = lenient(service.spec);
        let status: Status = lenient(service.status);
        let first = status.load_balancer.ingress.into_iter().next();
        if let (Some(ingress), "LoadBalancer") = (first, spec.service_type.as_str()) {
            let Ingress { ip, hostname } = ingress;
            let full = |text: &String| !text.is_empty();
            let (ip, hostname) = (ip.filter(full), hostname.filter(full));
            if ip.is_some() || hostname.is_some() {
                let name = service.meta.name.clone().into_owned();
                facts
                    .addresses
                    .insert(name, ExternalAddress { ip, hostname });
            }
        }
    }
}

/// Remembers what an instance's live config says of its address, where its load balancer is there
/// but shows no address now. A service that is gone has given its address back: that is not kept; nor
/// is one that the owner named and does not name any more, which no load balancer has lost.
pub(super) fn former(live: &Live<'_>, fleet: &FleetKey, facts: &mut Facts) {
    for service in live.kind_of_fleet(Kind::Service, fleet) {
        let spec: ServiceSpec = lenient(service.spec);
        let has_address = facts.addresses.contains_key(service.meta.name.as_ref());
        let is_p2p = service.label(names::COMPONENT) == Some("p2p");
        if spec.service_type != "LoadBalancer" || has_address || !is_p2p {
            continue;
        }
        let Some(instance) = service.label(names::INSTANCE) else {
            continue;
        };
        let config = live.get(Kind::ConfigMap, &fleet.namespace, instance);
        let named = config.and_then(|config| config.annotation(names::NAMED_ADDRESS));
        let address = config
            .and_then(|config| config.data.get("config-overlay.toml"))
            .and_then(|text| text.parse::<toml::Table>().ok())
            .and_then(|table| {
                Some(
                    table
                        .get("p2p")?
                        .get("external_address")?
                        .as_str()?
                        .to_owned(),
                )
            })
            .filter(|address| !address.is_empty())
            .filter(|address| {
                named != Some(address) && !is_in_document(live, fleet, instance, address)
            });
        if let Some(address) = address {
            facts.former_addresses.insert(instance.to_owned(), address);
        }
    }
}

/// Tells whether the document in the cluster, which may be older than the one that is given, names an
/// address for an instance.
fn is_in_document(live: &Live<'_>, fleet: &FleetKey, instance: &str, address: &str) -> bool {
    let document = live.get(Kind::CosmosFullNode, &fleet.namespace, &fleet.name);
    document.is_some_and(|document| {
        let spec = document.spec_tree();
        spec["instanceOverrides"][instance]["externalAddress"] == *address
    })
}

/// A service as far as it matters who reaches it.
#[derive(Default, Deserialize)]
struct ServiceSpec {
    #[serde(default, rename = "type")]
    service_type: String,
}
