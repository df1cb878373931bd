//! The two TOML overlays of an instance: what goes over the chain's own `config.toml` and
//! `app.toml`. Knows nothing of ConfigMaps. The defaults are the reference's.

use serde_json::json;
use toml::{Table, Value};

use crate::desired::fleet::{Fleet, plain};
use crate::desired::peers::{self, Peers};
use crate::desired::{ports, versions};
use crate::model::Ordinal;
use crate::spec::document::Pruning;

/// The overlay of CometBFT's `config.toml`, with the given peers beside the owner's own.
pub(crate) fn comet(fleet: &Fleet<'_>, ordinal: Ordinal, peers: &Peers) -> Table {
    let mut table = comet_defaults();
    let mut asked = Table::new();
    let chain = fleet.chain();
    if fleet.is_sentry() {
        let address = format!("tcp://0.0.0.0:{}", ports::PRIVVAL);
        twins(&mut asked, "priv_validator_laddr", address);
        twins(
            &mut asked,
            "tx_index",
            table_of([("indexer", "null".into())]),
        );
    }
    if let Some(level) = text(chain.log_level) {
        twins(&mut asked, "log_level", level);
    }
    if let Some(format) = text(chain.log_format) {
        twins(&mut asked, "log_format", format);
    }
    asked.insert("p2p".to_owned(), Value::Table(p2p(fleet, ordinal, peers)));
    asked.insert("rpc".to_owned(), Value::Table(rpc(fleet)));
    merge(&mut table, asked);
    merge(&mut table, fleet.node.comet_overrides.clone());
    table
}

/// The overlay of the SDK's `app.toml`.
pub(crate) fn app(fleet: &Fleet<'_>, ordinal: Ordinal) -> Table {
    let app = &fleet.chain().app;
    let mut table = app_defaults();
    let mut asked = table_of([
        ("minimum-gas-prices", app.min_gas_price.as_str().into()),
        (
            "api",
            section("enabled-unsafe-cors", app.api_enable_unsafe_cors),
        ),
        (
            "grpc-web",
            section("enable-unsafe-cors", app.grpc_web_enable_unsafe_cors),
        ),
    ]);
    let halt = versions::halt_height(fleet, &fleet.instance(ordinal)).or(app.halt_height);
    if let Some(height) = halt {
        asked.insert("halt-height".to_owned(), height.into());
    }
    if let Some(pruning) = &app.pruning {
        merge(&mut asked, prune(pruning));
    }
    merge(&mut table, asked);
    merge(&mut table, fleet.node.app_overrides.clone());
    table
}

/// Writes a table.
pub(crate) fn write(table: &Table) -> String {
    toml::to_string(table).unwrap_or_default()
}

/// Returns a table as JSON that tells all types apart and rests on no writer's habits.
pub(crate) fn typed(value: &Value) -> serde_json::Value {
    match value {
        Value::Table(table) => table
            .iter()
            .map(|(key, member)| (key.clone(), typed(member)))
            .collect(),
        Value::Array(items) => items.iter().map(typed).collect(),
        Value::String(text) => json!(text),
        Value::Integer(number) => json!(number),
        Value::Boolean(flag) => json!(flag),
        Value::Float(number) => json!({"float": number.to_string()}),
        Value::Datetime(time) => json!({"time": time.to_string()}),
    }
}

/// Merges table into table, at any depth; all else is replaced.
fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            (Some(_) | None, value) => {
                into.insert(key, value);
            }
        }
    }
}

fn p2p(fleet: &Fleet<'_>, ordinal: Ordinal, peers: &Peers) -> Table {
    let comet = &fleet.chain().config;
    let seeds = comet.seeds.as_deref().unwrap_or_default();
    let mut table = table_of([("seeds", seeds.into())]);
    let own_peers = comet.peers.as_deref().unwrap_or_default();
    twins(
        &mut table,
        "persistent_peers",
        listed(&peers.addresses, own_peers),
    );
    let private_ids = listed(&peers.ids, &comet.private_peer_ids);
    let unconditional_ids = listed(&peers.ids, &comet.unconditional_peer_ids);
    for (key, ids) in [
        ("private_peer_ids", private_ids),
        ("unconditional_peer_ids", unconditional_ids),
    ] {
        if !ids.is_empty() {
            twins(&mut table, key, ids);
        }
    }
    for (key, count) in [
        ("max_num_inbound_peers", comet.max_inbound_peers),
        ("max_num_outbound_peers", comet.max_outbound_peers),
    ] {
        if let Some(count) = count {
            twins(&mut table, key, i64::from(count));
        }
    }
    if let Some(address) = peers::external_address(fleet, ordinal) {
        twins(&mut table, "external_address", address);
    }
    if !comet.p2p_listen_address.is_empty() {
        table.insert("laddr".to_owned(), comet.p2p_listen_address.as_str().into());
    }
    table
}

fn rpc(fleet: &Fleet<'_>) -> Table {
    let comet = &fleet.chain().config;
    let mut table = Table::new();
    if !comet.rpc_listen_address.is_empty() {
        table.insert("laddr".to_owned(), comet.rpc_listen_address.as_str().into());
    }
    if !comet.cors_allowed_origins.is_empty() {
        twins(
            &mut table,
            "cors_allowed_origins",
            comet.cors_allowed_origins.clone(),
        );
    }
    table
}

/// The SDK wants texts for three of these numbers, and a number for the last.
fn prune(pruning: &Pruning) -> Table {
    let number = |value: Option<u32>| Value::from(value.unwrap_or(0).to_string());
    table_of([
        (
            "pruning",
            text(Some(pruning.strategy)).unwrap_or_default().into(),
        ),
        ("pruning-interval", number(pruning.interval)),
        ("pruning-keep-every", number(pruning.keep_every)),
        ("pruning-keep-recent", number(pruning.keep_recent)),
        (
            "min-retain-blocks",
            i64::from(pruning.min_retain_blocks.unwrap_or(0)).into(),
        ),
    ])
}

fn comet_defaults() -> Table {
    let p2p = table_of([
        ("laddr", "tcp://0.0.0.0:26656".into()),
        ("max_num_inbound_peers", 20.into()),
        ("max_num_outbound_peers", 20.into()),
    ]);
    let rpc = table_of([
        ("laddr", "tcp://0.0.0.0:26657".into()),
        ("cors_allowed_origins", Value::Array(Vec::new())),
    ]);
    let instrumentation = table_of([
        ("prometheus", true.into()),
        ("prometheus_listen_addr", ":26660".into()),
    ]);
    table_of([
        ("log_level", "info".into()),
        ("log_format", "plain".into()),
        ("priv_validator_laddr", "".into()),
        ("p2p", p2p.into()),
        ("rpc", rpc.into()),
        ("tx_index", section("indexer", "kv")),
        ("instrumentation", instrumentation.into()),
    ])
}

fn app_defaults() -> Table {
    let api = table_of([
        ("enable", true.into()),
        ("swagger", true.into()),
        ("address", "tcp://0.0.0.0:1317".into()),
        ("enabled-unsafe-cors", false.into()),
    ]);
    let grpc = table_of([("enable", true.into()), ("address", "0.0.0.0:9090".into())]);
    let grpc_web = table_of([
        ("enable", true.into()),
        ("address", "0.0.0.0:9091".into()),
        ("enable-unsafe-cors", false.into()),
    ]);
    table_of([
        ("api", api.into()),
        ("grpc", grpc.into()),
        ("grpc-web", grpc_web.into()),
    ])
}

/// CometBFT spells its keys with `_`, some SDK tools with `-`: both are written.
fn twins(table: &mut Table, key: &str, value: impl Into<Value>) {
    let value = value.into();
    table.insert(key.replace('_', "-"), value.clone());
    table.insert(key.to_owned(), value);
}

/// Joins generated entries and the owner's own with commas.
fn listed(generated: &[String], own: &str) -> String {
    let generated = generated.iter().map(String::as_str);
    let all: Vec<&str> = generated.chain([own]).filter(|e| !e.is_empty()).collect();
    all.join(",")
}

fn table_of<const N: usize>(entries: [(&str, Value); N]) -> Table {
    entries
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

fn section(key: &str, value: impl Into<Value>) -> Value {
    Value::Table(table_of([(key, value.into())]))
}

/// The spelling of one of the document's enumerations.
fn text<T: serde::Serialize>(value: Option<T>) -> Option<String> {
    plain(&value?).as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::oracle_tests::table;

    #[test]
    fn what_is_written_reads_as_what_the_reference_writes() {
        for row in table("toml_roundtrip") {
            let (text, Some(out)) = (row["in"].as_str().unwrap(), row["out"].as_str()) else {
                continue;
            };
            let read = |text: &str| text.parse::<Table>().map(|t| typed(&t.into()));
            let Ok(parsed) = text.parse::<Table>() else {
                panic!("{text:?} is not read");
            };
            assert_eq!(read(&write(&parsed)), read(out), "{text:?}");
        }
    }

    #[test]
    fn tables_merge_at_any_depth_and_all_else_is_replaced() {
        let table = |text: &str| text.parse::<Table>().unwrap();
        let mut into = table("a = {b = {c = 1, d = 2}}\ne = [1, 2]\nf = {g = 1}");
        merge(
            &mut into,
            table("a = {b = {c = 3}}\ne = [3]\nf = 4\nh = {i = 5}"),
        );
        let expected = table("a = {b = {c = 3, d = 2}}\ne = [3]\nf = 4\nh = {i = 5}");
        assert_eq!(into, expected);
    }
}
