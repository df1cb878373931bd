//! From a document that fits its schema to one that can be built.

use super::{FullNode, MaxUnavailable, document::CosmosFullNode};
use crate::diagnostic::Reported;
use crate::model::FleetKey;

/// Checks what a schema cannot say and parses what is text inside: the diagnostics carry paths in
/// the document and no file; `None` where one of them is an error.
#[must_use]
pub fn validate(document: CosmosFullNode) -> Reported<Option<FullNode>> {
    // PLACEHOLDER: no checks yet
    let metadata = document.metadata;
    Reported::clean(Some(FullNode {
        key: FleetKey {
            namespace: metadata.namespace.unwrap_or_else(|| "default".to_owned()),
            name: metadata.name,
        },
        api_version: document.api_version,
        labels: metadata.labels,
        annotations: metadata.annotations,
        spec: document.spec,
        max_unavailable: MaxUnavailable::Percent(25),
        comet_overrides: toml::Table::new(),
        app_overrides: toml::Table::new(),
    }))
}
