//! The init containers, in the order in which they run. Knows nothing of their scripts' texts.

use serde_json::{Value, json};

use crate::desired::fleet::{Fleet, HOME, below};
use crate::desired::{scripts, sidecars, volumes};

/// The image that the helpers run in, as the reference has it.
const TOOLKIT: &str = "ghcr.io/strangelove-ventures/infra-toolkit:v0.1.6";

/// Builds the init containers of the pod `name`.
pub(crate) fn build(fleet: &Fleet<'_>, name: &str) -> Vec<Value> {
    let chain = fleet.chain();
    let image = fleet.spec().pod_template.image.as_deref();
    let mut all = vec![
        shell(fleet, "clean-init", Some(TOOLKIT), scripts::clean_init()),
        shell(fleet, "chain-init", image, scripts::chain_init(fleet, name)),
        shell(
            fleet,
            "genesis-init",
            Some(TOOLKIT),
            scripts::genesis_init(chain),
        ),
        shell(
            fleet,
            "addrbook-init",
            Some(TOOLKIT),
            scripts::addrbook_init(chain),
        ),
        shell(
            fleet,
            "config-merge",
            Some(TOOLKIT),
            scripts::config_merge(),
        ),
    ];
    if let Some(restore) = scripts::snapshot_restore(chain) {
        all.push(shell(fleet, "snapshot-restore", Some(TOOLKIT), restore));
    }
    all.push(version_check(fleet));
    all
}

/// Where the chain's files are, for scripts.
pub(crate) fn env(fleet: &Fleet<'_>) -> Vec<Value> {
    let home = fleet.chain_home.as_str();
    let config = below(home, "config");
    [
        ("HOME", HOME.to_owned()),
        ("CHAIN_HOME", home.to_owned()),
        ("GENESIS_FILE", below(&config, "genesis.json")),
        ("ADDRBOOK_FILE", below(&config, "addrbook.json")),
        ("CONFIG_DIR", config),
        ("DATA_DIR", below(home, "data")),
    ]
    .into_iter()
    .map(|(name, value)| json!({"name": name, "value": value}))
    .collect()
}

/// Sets what a container may leave out.
pub(crate) fn set(container: &mut Value, member: &str, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        container[member] = json!(value);
    }
}

fn shell(
    fleet: &Fleet<'_>,
    name: &str,
    image: Option<&str>,
    arguments: scripts::Arguments,
) -> Value {
    let mut container = json!({
        "name": name,
        "command": ["sh"],
        "args": Value::Array(arguments),
        "workingDir": HOME,
        "env": env(fleet),
        "volumeMounts": volumes::init_mounts(fleet),
    });
    set(&mut container, "image", image);
    set(
        &mut container,
        "imagePullPolicy",
        fleet.spec().pod_template.image_pull_policy.as_deref(),
    );
    container
}

/// After the restore, so that the height is the restored one.
fn version_check(fleet: &Fleet<'_>) -> Value {
    let mut container = sidecars::version_check(fleet, "version-check", &[]);
    container["volumeMounts"] = Value::Array(volumes::init_mounts(fleet));
    container
}
