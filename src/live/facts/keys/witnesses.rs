//! What peers know an instance by: the ID that their live configuration dials it under. The last
//! to remember an identity whose key is not in the snapshot.

use std::collections::BTreeSet;

use crate::live::Live;
use crate::model::{FleetKey, Kind, NodeId};

/// The length of an ID.
const ID_DIGITS: usize = 40;

/// Returns the ID under which the live configuration of its peers names an instance; nothing where
/// none does, or they name several.
pub(super) fn told(live: &Live<'_>, fleet: &FleetKey, instance: &str) -> Option<NodeId> {
    let (name, ordinal) = instance.rsplit_once('-')?;
    let address = format!("@{name}-p2p-{ordinal}.{}.", fleet.namespace);
    let mut found = BTreeSet::new();
    for config in live.kind_of_fleet(Kind::ConfigMap, fleet) {
        let overlay = config.data.get("config-overlay.toml");
        let Some(text) = overlay.filter(|_| config.meta.name != instance) else {
            continue;
        };
        let ids = text.match_indices(&address).filter_map(|(at, _)| {
            let start = at.checked_sub(ID_DIGITS)?;
            NodeId::parse(text.get(start..at)?)
        });
        found.extend(ids);
    }
    let id = found.pop_first()?;
    found.is_empty().then_some(id)
}
