//! The shell scripts of our containers: which one runs, and with which words. The scripts are
//! fixed texts; whatever is of the owner's choosing reaches them as an argument, so that nothing
//! has to be quoted. Knows nothing of containers.

use serde_json::{Value, json};

use crate::desired::fleet::Fleet;
use crate::desired::node;
use crate::model::Notice;
use crate::spec::document::Chain;

const CLEAN_INIT: &str = include_str!("../../templates/scripts/clean-init.sh");
const CHAIN_INIT: &str = include_str!("../../templates/scripts/chain-init.sh");
const CONFIG_MERGE: &str = include_str!("../../templates/scripts/config-merge.sh");
/// Starts a sentry's node.
pub(crate) const SENTRY_START: &str = include_str!("../../templates/scripts/sentry-start.sh");
const GENESIS_DEFAULT: &str = concat!(
    include_str!("../../templates/scripts/stop-if-database.sh"),
    include_str!("../../templates/scripts/genesis-default.sh"),
);
const GENESIS_URL: &str = concat!(
    include_str!("../../templates/scripts/stop-if-database.sh"),
    include_str!("../../templates/scripts/genesis-target.sh"),
    include_str!("../../templates/scripts/fetch-file.sh"),
);
const GENESIS_SCRIPT: &str = concat!(
    include_str!("../../templates/scripts/stop-if-database.sh"),
    include_str!("../../templates/scripts/run-script.sh"),
);
const ADDRBOOK_DEFAULT: &str = include_str!("../../templates/scripts/addrbook-default.sh");
const ADDRBOOK_URL: &str = concat!(
    include_str!("../../templates/scripts/stop-if-addrbook.sh"),
    include_str!("../../templates/scripts/addrbook-target.sh"),
    include_str!("../../templates/scripts/fetch-file.sh"),
);
const ADDRBOOK_SCRIPT: &str = concat!(
    include_str!("../../templates/scripts/stop-if-addrbook.sh"),
    include_str!("../../templates/scripts/run-script.sh"),
);
const SNAPSHOT_URL: &str = include_str!("../../templates/scripts/snapshot-url.sh");
const SNAPSHOT_SCRIPT: &str = concat!(
    include_str!("../../templates/scripts/stop-if-database.sh"),
    include_str!("../../templates/scripts/run-strict-script.sh"),
);

/// The arguments of `sh` for one script: its body, its name for messages, and its words.
pub(crate) type Arguments = Vec<Value>;

pub(crate) fn clean_init() -> Arguments {
    arguments(CLEAN_INIT, "clean-init", &[])
}

/// The words of the chain's own `init`; `--home` is added by the script.
pub(crate) fn chain_init(fleet: &Fleet<'_>, moniker: &str) -> Arguments {
    let chain = fleet.chain();
    let mut words: Vec<&str> = vec![
        &chain.binary,
        "init",
        "--chain-id",
        &chain.chain_id,
        moniker,
    ];
    words.extend(chain.additional_init_args.iter().map(String::as_str));
    arguments(CHAIN_INIT, &words.join(" "), &words)
}

pub(crate) fn genesis_init(chain: &Chain) -> Arguments {
    let name = "genesis-init";
    match (&chain.genesis_script, &chain.genesis_url) {
        (Some(script), _) => arguments(GENESIS_SCRIPT, name, &[script]),
        (None, Some(url)) => arguments(GENESIS_URL, name, &[url]),
        (None, None) => arguments(GENESIS_DEFAULT, name, &[]),
    }
}

pub(crate) fn addrbook_init(chain: &Chain) -> Arguments {
    let name = "addrbook-init";
    match (&chain.addrbook_script, &chain.addrbook_url) {
        (Some(script), _) => arguments(ADDRBOOK_SCRIPT, name, &[script]),
        (None, Some(url)) => arguments(ADDRBOOK_URL, name, &[url]),
        (None, None) => arguments(ADDRBOOK_DEFAULT, name, &[]),
    }
}

pub(crate) fn config_merge() -> Arguments {
    arguments(CONFIG_MERGE, "config-merge", &[])
}

/// What restores the chain's data; `None` where the owner asks for nothing.
pub(crate) fn snapshot_restore(chain: &Chain) -> Option<Arguments> {
    let name = "snapshot-restore";
    match (&chain.snapshot_script, &chain.snapshot_url) {
        (Some(script), _) => Some(arguments(SNAPSHOT_SCRIPT, name, &[script])),
        (None, Some(url)) => Some(arguments(SNAPSHOT_URL, name, &[url])),
        (None, None) => None,
    }
}

/// Starts a sentry's node after a while.
pub(crate) fn sentry_start(seconds: i32, command: &[String]) -> Arguments {
    let seconds = seconds.to_string();
    let mut words = vec![seconds.as_str()];
    words.extend(command.iter().map(String::as_str));
    arguments(SENTRY_START, &command.join(" "), &words)
}

/// Warns of arguments that the reference would let a shell take apart, as ours does not.
pub(crate) fn kept_whole(fleet: &Fleet<'_>) -> Vec<Notice> {
    let chain = fleet.chain();
    let start: &[String] = match node::reference_start(fleet) {
        Some(_) => &chain.additional_start_args,
        None => &[],
    };
    let lists = [
        ("additionalInitArgs", &chain.additional_init_args[..]),
        ("additionalStartArgs", start),
    ];
    let means_something = |c: char| c.is_whitespace() || "$`\"'\\;|&<>*?(){}[]~#!".contains(c);
    let mut notices = Vec::new();
    for (list, words) in lists {
        for word in words.iter().filter(|word| word.contains(means_something)) {
            let message = format!(
                "chain.{list}: {word:?} reaches the chain as one argument, as it is written; the \
                 reference operator lets a shell split and expand it: write one entry an argument"
            );
            notices.push(Notice::general("ArgumentKeptWhole", message));
        }
    }
    notices
}

fn arguments(body: &str, name: &str, words: &[&str]) -> Arguments {
    let mut all = vec![json!("-c"), json!(body), json!(name)];
    all.extend(words.iter().map(|word| json!(word)));
    all
}

#[cfg(test)]
mod tests;
