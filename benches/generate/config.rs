//! ConfigMaps: the config that the operator lays over a chain's own, with peers and node keys.

use serde_json::{Map, Value, json};

use crate::fleet::Fleet;
use crate::{Outcome, Peers, identity, toml_text};

/// Neighbours on either side of an instance whose peers are bounded.
const NEIGHBOURS: usize = 16;

/// What a fleet's instances know of each other, computed once per fleet.
pub(crate) struct Mesh {
    /// Node ID and address inside the cluster, by place.
    peers: Vec<(String, String)>,
    bounded: bool,
}

impl Mesh {
    /// Collects the identities of a fleet.
    pub(crate) fn new(fleet: &Fleet, peers: Peers) -> Self {
        let domain = fleet
            .text("/service/clusterDomain")
            .unwrap_or("cluster.local");
        let port = fleet.p2p_port();
        let bounded = peers == Peers::Bounded && fleet.ordinals.len() > 2 * NEIGHBOURS;
        let peers = fleet.ordinals.iter().map(|ordinal| {
            let (_, id) = node_key(fleet, *ordinal);
            let service = format!("{}-p2p-{ordinal}.{}", fleet.name, fleet.namespace);
            let address = format!("{id}@{service}.svc.{domain}:{port}");
            (id, address)
        });
        Self {
            peers: peers.collect(),
            bounded,
        }
    }

    /// The node IDs and addresses that an instance shall know, in order.
    fn of(&self, place: usize) -> Vec<&(String, String)> {
        let count = self.peers.len();
        let mut known: Vec<_> = if self.bounded {
            (1..=NEIGHBOURS)
                .flat_map(|step| [(place + step) % count, (place + count - step) % count])
                .map(|at| &self.peers[at])
                .collect()
        } else {
            let others = self.peers.iter().enumerate().filter(|(at, _)| *at != place);
            others.map(|(_, peer)| peer).collect()
        };
        known.sort();
        known.dedup();
        known
    }

    /// Peers as the fleet's status lists them.
    pub(crate) fn status(&self, fleet: &Fleet) -> Vec<String> {
        let unknown = format!("0.0.0.0:{}", fleet.p2p_port());
        let addresses = self.peers.iter().enumerate().map(|(place, (id, _))| {
            format!("{id}@{}", fleet.address(place).as_ref().unwrap_or(&unknown))
        });
        let mut addresses: Vec<_> = addresses.collect();
        addresses.sort();
        addresses
    }
}

/// The throw-away key of an instance, and its node ID.
pub(crate) fn node_key(fleet: &Fleet, ordinal: u64) -> (String, String) {
    identity::node_key(
        fleet.seed,
        &format!("{}/{}", fleet.namespace, fleet.instance(ordinal)),
    )
}

/// Builds the ConfigMap of the instance at this place.
pub(crate) fn config_map(fleet: &Fleet, mesh: &Mesh, place: usize) -> Outcome<Value> {
    let ordinal = fleet.ordinals[place];
    let instance = fleet.instance(ordinal);
    let mut labels = fleet.labels();
    labels.insert("app.kubernetes.io/instance".to_owned(), json!(instance));
    let mut object = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": instance, "labels": labels},
        "data": {
            "app-overlay.toml": app(fleet)?,
            "config-overlay.toml": comet(fleet, mesh, place)?,
            "node_key.json": node_key(fleet, ordinal).0,
        },
    });
    fleet.metadata(&mut object, place as u64);
    Ok(object)
}

/// Joins what is not empty.
fn joined(parts: &[&str]) -> String {
    parts
        .iter()
        .filter(|part| !part.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join(",")
}

/// Sets a key in both spellings that chains understand.
fn twin(table: &mut Map<String, Value>, key: &str, value: Value) {
    table.insert(key.replace('_', "-"), value.clone());
    table.insert(key.to_owned(), value);
}

fn comet(fleet: &Fleet, mesh: &Mesh, place: usize) -> Outcome<String> {
    let mut document = json!({
        "log_format": "plain", "log_level": "info", "priv_validator_laddr": "",
        "instrumentation": {"prometheus": true, "prometheus_listen_addr": ":26660"},
        "p2p": {
            "laddr": "tcp://0.0.0.0:26656", "max_num_inbound_peers": 20,
            "max_num_outbound_peers": 20,
        },
        "rpc": {"cors_allowed_origins": [], "laddr": "tcp://0.0.0.0:26657"},
        "tx_index": {"indexer": "kv"},
    });
    let mut top = Map::new();
    if fleet.is_sentry() {
        twin(
            &mut top,
            "priv_validator_laddr",
            json!("tcp://0.0.0.0:1234"),
        );
        twin(&mut top, "tx_index", json!({"indexer": "null"}));
    }
    for (path, key) in [
        ("/chain/logLevel", "log_level"),
        ("/chain/logFormat", "log_format"),
    ] {
        if let Some(value) = fleet.at(path) {
            twin(&mut top, key, value.clone());
        }
    }
    let mut rpc = Map::new();
    if let Some(address) = fleet.text("/chain/config/rpcListenAddress") {
        rpc.insert("laddr".to_owned(), json!(address));
    }
    if let Some(origins) = fleet.at("/chain/config/corsAllowedOrigins") {
        twin(&mut rpc, "cors_allowed_origins", origins.clone());
    }
    top.insert("rpc".to_owned(), Value::Object(rpc));
    top.insert("p2p".to_owned(), Value::Object(p2p(fleet, mesh, place)));
    toml_text::merge(&mut document, &Value::Object(top));
    overridden(document, fleet.text("/chain/config/overrides"))
}

fn p2p(fleet: &Fleet, mesh: &Mesh, place: usize) -> Map<String, Value> {
    let own = |key: &str| fleet.text(&format!("/chain/config/{key}")).unwrap_or("");
    let known = mesh.of(place);
    let ids = known
        .iter()
        .map(|(id, _)| id.as_str())
        .collect::<Vec<_>>()
        .join(",");
    let addresses = known
        .iter()
        .map(|(_, at)| at.as_str())
        .collect::<Vec<_>>()
        .join(",");
    let mut p2p = Map::new();
    twin(
        &mut p2p,
        "persistent_peers",
        json!(joined(&[&addresses, own("peers")])),
    );
    p2p.insert("seeds".to_owned(), json!(own("seeds")));
    for (key, more) in [
        ("private_peer_ids", own("privatePeerIDs")),
        ("unconditional_peer_ids", own("unconditionalPeerIDs")),
    ] {
        let ids = joined(&[&ids, more]);
        if !ids.is_empty() {
            twin(&mut p2p, key, json!(ids));
        }
    }
    for (path, key) in [
        ("/chain/config/maxInboundPeers", "max_num_inbound_peers"),
        ("/chain/config/maxOutboundPeers", "max_num_outbound_peers"),
    ] {
        if let Some(value) = fleet.at(path) {
            twin(&mut p2p, key, value.clone());
        }
    }
    let instance = fleet.instance(fleet.ordinals[place]);
    let external = fleet
        .own(&instance, "externalAddress")
        .and_then(Value::as_str);
    if let Some(address) = external.map(str::to_owned).or_else(|| fleet.address(place)) {
        twin(&mut p2p, "external_address", json!(address));
    }
    if let Some(address) = fleet.text("/chain/config/p2pListenAddress") {
        p2p.insert("laddr".to_owned(), json!(address));
    }
    p2p
}

fn app(fleet: &Fleet) -> Outcome<String> {
    let app = |path: &str| fleet.at(&format!("/chain/app/{path}"));
    let is_on = |path: &str| app(path).and_then(Value::as_bool).unwrap_or(false);
    let mut document = json!({
        "minimum-gas-prices": app("minGasPrice").unwrap_or(&json!("")),
        "api": {
            "address": "tcp://0.0.0.0:1317", "enable": true, "swagger": true,
            "enabled-unsafe-cors": is_on("apiEnableUnsafeCORS"),
        },
        "grpc": {"address": "0.0.0.0:9090", "enable": true},
        "grpc-web": {
            "address": "0.0.0.0:9091", "enable": true,
            "enable-unsafe-cors": is_on("grpcWebEnableUnsafeCORS"),
        },
    });
    if let Some(height) = halt_height(fleet).or_else(|| app("haltHeight").cloned()) {
        document["halt-height"] = height;
    }
    if let Some(pruning) = app("pruning") {
        let number = |key: &str| pruning.get(key).and_then(Value::as_u64).unwrap_or(0);
        document["pruning"] = pruning.get("strategy").cloned().unwrap_or(json!(""));
        document["pruning-interval"] = json!(number("interval").to_string());
        document["pruning-keep-every"] = json!(number("keepEvery").to_string());
        document["pruning-keep-recent"] = json!(number("keepRecent").to_string());
        document["min-retain-blocks"] = json!(number("minRetainBlocks"));
    }
    overridden(document, fleet.text("/chain/app/overrides"))
}

/// The height at which an instance stops for its next version; zero for none, nothing where the
/// fleet declares no versions.
fn halt_height(fleet: &Fleet) -> Option<Value> {
    let versions = fleet.list("/chain/versions");
    if versions.is_empty() {
        return None;
    }
    let height = |version: &Value| version.get("height").and_then(Value::as_u64).unwrap_or(0);
    let next = versions
        .iter()
        .find(|version| height(version) > fleet.height());
    let halts = |version: &&Value| version.get("setHaltHeight") == Some(&json!(true));
    Some(json!(next.filter(halts).map_or(0, height)))
}

/// Lays the owner's own TOML over a document and writes it.
fn overridden(mut document: Value, overrides: Option<&str>) -> Outcome<String> {
    if let Some(text) = overrides {
        let own: toml::Table = text.parse()?;
        toml_text::merge(&mut document, &serde_json::to_value(own)?);
    }
    Ok(toml_text::write(&document))
}
