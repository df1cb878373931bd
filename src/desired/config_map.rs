//! The ConfigMap of an instance: the two overlays, and never a key. Knows nothing of TOML.

use serde_json::{Value, json};

use crate::desired::fleet::{Fleet, Made, members};
use crate::desired::peers::{self, Peers};
use crate::desired::{Manifest, Role, labels, overlay};
use crate::model::{Kind, Ordinal, names};
use crate::spec::document::StringMap;

/// The overlay of `config.toml`, as an entry and as a file.
pub(crate) const COMET_OVERLAY: &str = "config-overlay.toml";
/// The overlay of `app.toml`.
pub(crate) const APP_OVERLAY: &str = "app-overlay.toml";
/// The node's key, as a file.
pub(crate) const NODE_KEY: &str = "node_key.json";

/// Builds the ConfigMap of one instance.
pub(crate) fn build(fleet: &Fleet<'_>, ordinal: Ordinal) -> Manifest {
    let instance = fleet.instance(ordinal);
    let comet = overlay::comet(fleet, ordinal, &peers::of_instance(fleet, ordinal));
    let app = overlay::app(fleet, ordinal);
    let data = json!({
        COMET_OVERLAY: overlay::write(&comet),
        APP_OVERLAY: overlay::write(&app),
    });
    let all_labels = labels::with(fleet, &[(names::INSTANCE, &instance)]);
    let named = peers::named_address(fleet, ordinal).filter(|address| !address.is_empty());
    let named = named.map(|address| (names::NAMED_ADDRESS.to_owned(), address.to_owned()));
    let made = Made {
        ordinal: Some(ordinal),
        labels: labels::normalize_labels(&all_labels),
        annotations: named.into_iter().collect::<StringMap>(),
        parts: members([("data", data)]),
    };
    fleet.manifest(Role::Config, fleet.key(Kind::ConfigMap, &instance), made)
}

/// What the owner asked for of an instance's configuration: all but the generated peers, which
/// change as the fleet is scaled.
pub(crate) fn asked_for(fleet: &Fleet<'_>, ordinal: Ordinal) -> Value {
    let comet = overlay::comet(fleet, ordinal, &Peers::default());
    let app = overlay::app(fleet, ordinal);
    [comet, app]
        .map(|table| overlay::typed(&table.into()))
        .into_iter()
        .collect()
}
