//! The node container: the chain's program and how it is started. Knows nothing of what runs
//! beside it.

use serde_json::{Value, json};

use crate::desired::fleet::{Fleet, HOME, plain};
use crate::desired::{init_containers, ports, probes, scripts, volumes};

/// How long a sentry waits for its signer where the owner does not say, in seconds.
const DEFAULT_SLEEP: i32 = 10;

/// Builds the node container.
pub(crate) fn build(fleet: &Fleet<'_>) -> Value {
    let template = &fleet.spec().pod_template;
    let start = start_command(fleet);
    let mut container = json!({
        "name": "node",
        "workingDir": HOME,
        "env": init_containers::env(fleet),
        "ports": ports::of_node(fleet),
        "resources": plain(&template.resources),
        "volumeMounts": volumes::mounts(fleet),
    });
    if let Some(seconds) = sleep(fleet) {
        container["command"] = json!(["sh"]);
        container["args"] = Value::Array(scripts::sentry_start(seconds, &start));
    } else {
        container["command"] = json!(start.get(..1));
        container["args"] = json!(start.get(1..));
    }
    if let Some(probe) = probes::of_node(fleet) {
        container["readinessProbe"] = probe;
    }
    init_containers::set(&mut container, "image", template.image.as_deref());
    init_containers::set(
        &mut container,
        "imagePullPolicy",
        template.image_pull_policy.as_deref(),
    );
    container
}

/// The script by which the reference starts a sentry, byte by byte; `None` where none does.
pub(crate) fn reference_start(fleet: &Fleet<'_>) -> Option<String> {
    let seconds = sleep(fleet)?;
    Some(format!(
        "sleep {seconds}\n{}",
        start_command(fleet).join(" ")
    ))
}

/// How long the node waits before it starts: only sentries do.
fn sleep(fleet: &Fleet<'_>) -> Option<i32> {
    let seconds = fleet.chain().privval_sleep_seconds.unwrap_or(DEFAULT_SLEEP);
    (fleet.is_sentry() && seconds > 0).then_some(seconds)
}

fn start_command(fleet: &Fleet<'_>) -> Vec<String> {
    let chain = fleet.chain();
    let mut words = vec![
        chain.binary.clone(),
        "start".to_owned(),
        "--home".to_owned(),
        fleet.chain_home.clone(),
    ];
    if chain.skip_invariants {
        words.push("--x-crisis-skip-assert-invariants".to_owned());
    }
    let level = chain.log_level.map(|level| plain(&level));
    let format = chain.log_format.map(|format| plain(&format));
    for (flag, value) in [("--log_level", level), ("--log_format", format)] {
        if let Some(text) = value.as_ref().and_then(Value::as_str) {
            words.extend([flag.to_owned(), text.to_owned()]);
        }
    }
    words.extend(chain.additional_start_args.iter().cloned());
    words
}
