//! The ports of a node. Knows the reference's way to find one in a listen address.

use serde_json::{Value, json};

use crate::desired::fleet::Fleet;

pub(crate) const API: i32 = 1317;
pub(crate) const GRPC: i32 = 9090;
pub(crate) const GRPC_WEB: i32 = 9091;
pub(crate) const PRIVVAL: i32 = 1234;
pub(crate) const PROMETHEUS: i32 = 26660;
pub(crate) const ROSETTA: i32 = 8080;
pub(crate) const P2P: i32 = 26656;
pub(crate) const RPC: i32 = 26657;
pub(crate) const HEALTHCHECK: i32 = 1251;

/// The number after an address' last colon, else `default`.
pub(crate) fn of_address(address: &str, default: i32) -> i32 {
    let text = address.rsplit(':').next().unwrap_or(address);
    text.parse().unwrap_or(default)
}

/// The ports of the node container, in the reference's order.
pub(crate) fn of_node(fleet: &Fleet<'_>) -> Vec<Value> {
    let mut ports = vec![
        ("api", API),
        ("rosetta", ROSETTA),
        ("grpc", GRPC),
        ("prometheus", PROMETHEUS),
        ("p2p", fleet.p2p_port),
        ("rpc", fleet.rpc_port),
        ("grpc-web", GRPC_WEB),
    ];
    if fleet.is_sentry() {
        ports.push(("privval", PRIVVAL));
    }
    ports
        .into_iter()
        .map(|(name, port)| json!({"name": name, "containerPort": port, "protocol": "TCP"}))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::oracle_tests::table;

    #[track_caller]
    fn check(address: &str, expected: i32) {
        assert_eq!(of_address(address, P2P), expected, "{address:?}");
    }

    #[test]
    fn a_port_is_what_follows_the_last_colon() {
        check("tcp://0.0.0.0:1", 1);
        check(":5", 5);
        check("5", 5);
        check("tcp://[::1]:77", 77);
        check("tcp://h:-5", -5);
        check("tcp://h:+5", 5);
        check("tcp://h:70000", 70000);
    }

    #[test]
    fn ports_are_found_as_the_reference_finds_them() {
        for row in table("ports") {
            let address = row["addr"].as_str().unwrap();
            let [p2p, rpc] = [("p2pPort", P2P), ("rpcPort", RPC)].map(|(name, default)| {
                let found = of_address(address, default);
                (i64::from(found), row[name].as_i64().unwrap())
            });
            assert_eq!((p2p.0, rpc.0), (p2p.1, rpc.1), "{address:?}");
        }
    }

    #[test]
    fn what_is_no_number_gives_the_default() {
        for address in [
            "",
            "unix:///a.sock",
            "tcp://h:99999999999",
            "tcp://h:0x10",
            "tcp://h:",
            "tcp://h: 80",
        ] {
            check(address, P2P);
        }
    }
}
