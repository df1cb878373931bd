//! The volumes of a pod and where they are mounted. Knows nothing of what is in them.

use serde_json::{Map, Value, json};

use crate::desired::config_map::{APP_OVERLAY, COMET_OVERLAY, NODE_KEY};
use crate::desired::fleet::{Fleet, HOME, below};
use crate::model::Ordinal;

/// Both overlays and the node's key.
pub(crate) const CONFIG: &str = "vol-config";

/// Builds the volumes of an instance's pod.
pub(crate) fn build(fleet: &Fleet<'_>, ordinal: Ordinal) -> Value {
    json!([
        {
            "name": "vol-chain-home",
            "persistentVolumeClaim": {"claimName": fleet.claim(ordinal)},
        },
        {"name": "vol-tmp", "emptyDir": {}},
        {"name": CONFIG, "projected": {"sources": config_sources(fleet, ordinal)}},
        {"name": "vol-system-tmp", "emptyDir": {}},
    ])
}

/// What every container of the chain sees.
pub(crate) fn mounts(fleet: &Fleet<'_>) -> Vec<Value> {
    vec![
        json!({"name": "vol-chain-home", "mountPath": fleet.chain_home}),
        json!({"name": "vol-system-tmp", "mountPath": "/tmp"}),
    ]
}

/// What init containers see.
pub(crate) fn init_mounts(fleet: &Fleet<'_>) -> Vec<Value> {
    let mut all = mounts(fleet);
    all.push(json!({"name": "vol-tmp", "mountPath": below(HOME, ".tmp")}));
    all.push(json!({"name": CONFIG, "mountPath": below(HOME, ".config")}));
    all
}

/// What the health check sees.
pub(crate) fn read_only_home(fleet: &Fleet<'_>) -> Value {
    json!({"name": "vol-chain-home", "readOnly": true, "mountPath": fleet.chain_home})
}

/// Folds what the owner merged into a ConfigMap of the name [`CONFIG`], as which the reference has
/// it, into ours: a volume has one source. A source of the owner's own wins.
pub(crate) fn fold_config(spec: &mut Value, instance: &str) {
    let volumes = spec.get_mut("volumes").and_then(Value::as_array_mut);
    let config = volumes.and_then(|all| all.iter_mut().find(|v| v["name"] == CONFIG));
    let Some(config) = config.and_then(Value::as_object_mut) else {
        return;
    };
    let mut owners = match config.remove("configMap") {
        Some(Value::Object(owners)) => owners,
        Some(_) | None => Map::new(),
    };
    if owners.contains_key("name") || owners.contains_key("items") {
        owners.entry("name").or_insert_with(|| json!(instance));
        config.remove("projected");
        config.insert("configMap".to_owned(), Value::Object(owners));
    } else if let Some(mode) = owners.remove("defaultMode")
        && let Some(Value::Object(projected)) = config.get_mut("projected")
    {
        projected.insert("defaultMode".to_owned(), mode);
    }
    if config
        .keys()
        .any(|source| source != "name" && source != "projected")
    {
        config.remove("projected");
    }
}

/// The key comes from the fleet's Secret; an adopted instance keeps the one in its ConfigMap until
/// the Secret is seen to hold it too.
fn config_sources(fleet: &Fleet<'_>, ordinal: Ordinal) -> Value {
    let instance = fleet.instance(ordinal);
    let file = |name: &str| json!({"key": name, "path": name});
    if fleet.facts.config_map_keys.contains(&instance) {
        let files = [file(COMET_OVERLAY), file(APP_OVERLAY), file(NODE_KEY)];
        return json!([{"configMap": {"name": instance, "items": files}}]);
    }
    let files = [file(COMET_OVERLAY), file(APP_OVERLAY)];
    let entry = fleet.facts.key_entries.get(&instance).unwrap_or(&instance);
    let key = json!({"key": entry, "path": NODE_KEY});
    json!([
        {"configMap": {"name": instance, "items": files}},
        {"secret": {"name": fleet.key_secret(), "items": [key]}},
    ])
}
