//! When a node counts as ready. Knows nothing of containers.

use serde_json::{Value, json};

use crate::desired::fleet::Fleet;
use crate::desired::ports;
use crate::spec::document::ProbeStrategy;

/// The node container is ready where RPC answers.
pub(crate) fn of_node(fleet: &Fleet<'_>) -> Option<Value> {
    match fleet.spec().pod_template.probes.strategy {
        Some(ProbeStrategy::None) => None,
        Some(ProbeStrategy::Reachable | ProbeStrategy::InSync) | None => {
            Some(probe("/health", fleet.rpc_port, 5))
        }
    }
}

/// The health check is ready where the node has caught up.
pub(crate) fn of_healthcheck(fleet: &Fleet<'_>) -> Option<Value> {
    match fleet.spec().pod_template.probes.strategy {
        Some(ProbeStrategy::None | ProbeStrategy::Reachable) => None,
        Some(ProbeStrategy::InSync) | None => Some(probe("/", ports::HEALTHCHECK, 3)),
    }
}

fn probe(path: &str, port: i32, failures: i32) -> Value {
    json!({
        "httpGet": {"path": path, "port": port, "scheme": "HTTP"},
        "initialDelaySeconds": 1,
        "timeoutSeconds": 10,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": failures,
    })
}
