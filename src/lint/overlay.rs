//! Rules on TOML overrides: they win over all that is generated, so what they set besides is lost.

use std::ops::Range;

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Value};

use super::{Findings, finding};
use crate::diagnostic::Diagnostic;
use crate::parse::inputs::Fleet;
use crate::spec::document::{Comet, NodeType, Spec};

const COMET: &str = "spec.chain.config.overrides";
const APP: &str = "spec.chain.app.overrides";

/// A setting that is generated.
struct Generated {
    /// Its path in the file, in CometBFT's or the SDK's spelling.
    path: &'static str,
    /// What is lost, and what to use instead.
    words: (&'static str, &'static str),
    /// What the document says, where the override may repeat it.
    given: Option<Value>,
}

pub(super) fn judge(fleet: &Fleet, findings: &mut Findings<'_>) {
    let spec = &fleet.node.spec;
    let chain = &spec.chain;
    let comet = chain.config.overrides.as_deref().unwrap_or_default();
    let app = chain.app.overrides.as_deref().unwrap_or_default();
    let of_comet = Settings::read(comet, |key| key.replace('-', "_"));
    let of_app = Settings::read(app, str::to_owned);
    for (at, settings, generated, ports) in [
        (COMET, of_comet, comet_settings(spec), comet_ports(spec)),
        (APP, of_app, app_settings(spec), app_ports()),
    ] {
        for generated in generated {
            let found = settings.get(generated.path);
            let is_same = |value: &Option<Value>| value.is_some() && *value == generated.given;
            if let Some((_, range)) = found.filter(|(value, _)| !is_same(value)) {
                let found = clobbered(at, &generated).within(settings.text, range);
                findings.add(fleet, found);
            }
        }
        for (path, port, hint) in ports {
            let Some((Some(Value::String(address)), range)) = settings.get(path) else {
                continue;
            };
            if let Some(moved) = port_of(&address).filter(|moved| *moved != port) {
                let message = format!("Services and probes go to port {port}, not to {moved}");
                let found = finding("override-moves-port", at, message).hint(hint);
                findings.add(fleet, found.within(settings.text, range));
            }
        }
    }
}

fn clobbered(at: &str, generated: &Generated) -> Diagnostic {
    let (lost, hint) = generated.words;
    let name = generated.path;
    finding(
        "override-clobbers",
        at,
        format!("`{name}` is generated: {lost}"),
    )
    .hint(hint)
}

/// The settings of a TOML text, each with its key's position.
struct Settings<'a> {
    text: &'a str,
    all: Vec<(String, Option<Value>, Range<usize>)>,
}

impl<'a> Settings<'a> {
    fn read(text: &'a str, spelling: fn(&str) -> String) -> Self {
        let mut all = Vec::new();
        if let Ok(table) = DeTable::parse(text) {
            flatten("", table.get_ref(), spelling, &mut all);
        }
        Self { text, all }
    }

    /// Returns a setting's value, where it is a plain one, and the position of its key.
    fn get(&self, path: &str) -> Option<(Option<Value>, Range<usize>)> {
        let found = self.all.iter().find(|(known, ..)| known == path)?;
        Some((found.1.clone(), found.2.clone()))
    }
}

fn flatten(
    path: &str,
    table: &DeTable<'_>,
    spelling: fn(&str) -> String,
    all: &mut Vec<(String, Option<Value>, Range<usize>)>,
) {
    for (key, value) in table {
        let name = spelling(key.get_ref());
        let here = match path {
            "" => name,
            path => format!("{path}.{name}"),
        };
        match value.get_ref() {
            DeValue::Table(table) => flatten(&here, table, spelling, all),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_) => all.push((here, plain(value), key.span())),
        }
    }
}

fn plain(value: &Spanned<DeValue<'_>>) -> Option<Value> {
    match value.get_ref() {
        DeValue::String(text) => Some(Value::String(text.to_string())),
        DeValue::Integer(number) => {
            let number = i64::from_str_radix(number.as_str(), number.radix());
            number.ok().map(Value::Integer)
        }
        DeValue::Boolean(flag) => Some(Value::Boolean(*flag)),
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

const PEERS_OF_FLEET: &str = "the nodes of the fleet lose each other";
const WRITE_PEERS: &str = "write them to `chain.config.peers`: they are added to the fleet's own";
const WRITE_IDS: &str =
    "write them to `chain.config.privatePeerIDs` or `unconditionalPeerIDs`: they are added";
const SAME: &str = "the field in the document says something else";

fn comet_settings(spec: &Spec) -> Vec<Generated> {
    let comet = &spec.chain.config;
    let mut all = vec![
        generated("p2p.persistent_peers", (PEERS_OF_FLEET, WRITE_PEERS)),
        generated("p2p.private_peer_ids", (PEERS_OF_FLEET, WRITE_IDS)),
        generated("p2p.unconditional_peer_ids", (PEERS_OF_FLEET, WRITE_IDS)),
        generated(
            "p2p.external_address",
            (
                "all nodes would tell peers the same address",
                "write it to `instanceOverrides.<instance>.externalAddress`",
            ),
        ),
    ];
    if spec.replicas > 1 {
        let words = (
            "all nodes would have the same name",
            "take it out: each node has its instance's name",
        );
        all.push(generated("moniker", words));
    }
    if spec.node_type == Some(NodeType::Sentry) {
        let words = (
            "the remote signer calls port 1234",
            "take it out: a sentry listens for its signer anyway",
        );
        all.push(generated("priv_validator_laddr", words));
    }
    all.extend(comet_fields(comet));
    all
}

/// What fields of the document give.
fn comet_fields(comet: &Comet) -> Vec<Generated> {
    let mut all = Vec::new();
    let texts = [
        (
            "p2p.seeds",
            comet.seeds.as_ref(),
            "use `chain.config.seeds` alone",
        ),
        (
            "p2p.laddr",
            Some(&comet.p2p_listen_address),
            "use `chain.config.p2pListenAddress` alone",
        ),
        (
            "rpc.laddr",
            Some(&comet.rpc_listen_address),
            "use `chain.config.rpcListenAddress` alone",
        ),
    ];
    for (path, text, hint) in texts {
        let text = text.filter(|text| !text.is_empty());
        all.extend(text.map(|text| given(path, hint, Value::String(text.clone()))));
    }
    let numbers = [
        (
            "p2p.max_num_inbound_peers",
            comet.max_inbound_peers,
            "use `chain.config.maxInboundPeers` alone",
        ),
        (
            "p2p.max_num_outbound_peers",
            comet.max_outbound_peers,
            "use `chain.config.maxOutboundPeers` alone",
        ),
    ];
    for (path, number, hint) in numbers {
        let number = number.map(|number| Value::Integer(i64::from(number)));
        all.extend(number.map(|number| given(path, hint, number)));
    }
    all
}

fn app_settings(spec: &Spec) -> Vec<Generated> {
    let chain = &spec.chain;
    let price = Value::String(chain.app.min_gas_price.clone());
    let mut all = vec![given(
        "minimum-gas-prices",
        "use `chain.app.minGasPrice` alone",
        price,
    )];
    if !chain.versions.is_empty() {
        let words = (
            "nodes would not halt where an upgrade needs it",
            "set `setHaltHeight` at the version of that height",
        );
        all.push(generated("halt-height", words));
    } else if let Some(height) = chain.app.halt_height {
        let hint = "use `chain.app.haltHeight` alone";
        all.push(given("halt-height", hint, Value::Integer(height)));
    }
    if chain.app.pruning.is_some() {
        for path in [
            "pruning",
            "pruning-interval",
            "pruning-keep-recent",
            "min-retain-blocks",
        ] {
            all.push(generated(path, (SAME, "use `chain.app.pruning` alone")));
        }
    }
    all
}

fn generated(path: &'static str, words: (&'static str, &'static str)) -> Generated {
    Generated {
        path,
        words,
        given: None,
    }
}

fn given(path: &'static str, hint: &'static str, value: Value) -> Generated {
    Generated {
        path,
        words: (SAME, hint),
        given: Some(value),
    }
}

/// Where a port stands, which one Services and probes use, and what to do to move it.
type Port = (&'static str, u16, &'static str);

const MAP_IT: &str = "keep the port, and map it in a Service of your own";

/// Ports that come from listen addresses; those of a document move Services with them, and are
/// looked at with what is generated.
fn comet_ports(spec: &Spec) -> Vec<Port> {
    let comet = &spec.chain.config;
    let mut all = vec![("instrumentation.prometheus_listen_addr", 26660, MAP_IT)];
    if comet.p2p_listen_address.is_empty() {
        let hint = "write it to `chain.config.p2pListenAddress`";
        all.push(("p2p.laddr", 26656, hint));
    }
    if comet.rpc_listen_address.is_empty() {
        let hint = "write it to `chain.config.rpcListenAddress`";
        all.push(("rpc.laddr", 26657, hint));
    }
    all
}

fn app_ports() -> Vec<Port> {
    vec![
        ("api.address", 1317, MAP_IT),
        ("grpc.address", 9090, MAP_IT),
        ("grpc-web.address", 9091, MAP_IT),
    ]
}

fn port_of(address: &str) -> Option<u16> {
    address.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_found_however_they_are_nested_and_spelt() {
        let text = "[p2p]\nmax-num-inbound-peers = 5\n[rpc.tls]\nkey = \"x\"\na.b = true\n";
        let settings = Settings::read(text, |key| key.replace('-', "_"));
        let found = settings.get("p2p.max_num_inbound_peers");
        assert_eq!(found, Some((Some(Value::Integer(5)), 6..27)));
        assert_eq!(
            settings.get("rpc.tls.a.b").unwrap().0,
            Some(Value::Boolean(true))
        );
        assert_eq!(settings.get("p2p"), None);
    }
}
