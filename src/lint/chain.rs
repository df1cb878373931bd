//! Rules on the chain that a fleet runs: its network, its sources, its prices and its pruning.

use super::{Findings, finding};
use crate::model::quote::quote;
use crate::parse::inputs::Fleet;
use crate::spec::document::{Chain, Pruning, PruningStrategy};

/// Words that name a kind of network: whoever uses one of them means it.
const NETWORKS: [&str; 4] = ["mainnet", "testnet", "devnet", "localnet"];
/// What the snapshot script unpacks.
const ARCHIVES: [&str; 5] = [".tar", ".tar.gz", ".tar.gzip", ".tar.lz4", ".tar.zst"];
/// What the scripts of genesis and address book unpack.
const FILES: [&str; 6] = [".json", ".json.gz", ".tar", ".tar.gz", ".tar.gzip", ".zip"];
/// The SDK refuses to prune more often, and to keep less.
const LEAST_INTERVAL: u32 = 10;
const LEAST_RECENT: u32 = 2;

pub(super) fn judge(fleet: &Fleet, findings: &mut Findings<'_>) {
    network(fleet, findings);
    sources(fleet, findings);
    gas_price(fleet, findings);
    if let Some(pruning) = &fleet.node.spec.chain.app.pruning {
        prune(fleet, pruning, findings);
    }
}

fn network(fleet: &Fleet, findings: &mut Findings<'_>) {
    let chain = &fleet.node.spec.chain;
    let network = chain.network.to_ascii_lowercase();
    if !NETWORKS.contains(&network.as_str()) {
        return;
    }
    let named = [
        ("the fleet is named", "metadata.name", &fleet.node.key.name),
        ("its chain ID is", "spec.chain.chainID", &chain.chain_id),
    ];
    for (what, path, name) in named {
        let Some(other) = other_network(name, &network) else {
            continue;
        };
        let message = format!("the network is {network}, but {what} {}", quote(name));
        let hint = format!("write `network: {other}`, or another name");
        let found = finding("network-mismatch", "spec.chain.network", message).hint(hint);
        findings.add(
            fleet,
            findings.see(found, (fleet, path), "this speaks of another"),
        );
    }
}

/// Returns the network that a name speaks of where that is not `network`.
fn other_network(name: &str, network: &str) -> Option<&'static str> {
    let words = name.split(['-', '_', '.']);
    let words: Vec<&str> = words
        .map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()))
        .collect();
    let is_named = |network: &str| words.iter().any(|w| w.eq_ignore_ascii_case(network));
    let other = NETWORKS.into_iter().find(|other| is_named(other));
    other.filter(|_| !is_named(network))
}

/// One thing that a new node fetches.
struct Fetched<'a> {
    name: &'static str,
    url: Option<&'a String>,
    has_script: bool,
    endings: &'static [&'static str],
}

fn sources(fleet: &Fleet, findings: &mut Findings<'_>) {
    for fetched in fetched(&fleet.node.spec.chain) {
        let Some(url) = fetched.url else { continue };
        let path = format!("spec.chain.{}URL", fetched.name);
        let script = format!("{}Script", fetched.name);
        if fetched.has_script {
            let message = format!("this URL is never read: `{script}` is given too, and wins");
            let found = finding("source-unused", path, message).hint("take one of the two out");
            let other = format!("spec.chain.{script}");
            findings.add(fleet, findings.see(found, (fleet, &other), "this wins"));
            continue;
        }
        let file = url.split(['?', '#']).next().unwrap_or(url);
        if !fetched.endings.iter().any(|ending| file.ends_with(ending)) {
            let message = "a new node cannot unpack what this URL names, and stops there";
            let known = fetched.endings.join(", ");
            let hint = format!("use one that ends in {known}, or fetch it with a `{script}`");
            findings.add(fleet, finding("url-unsupported", path, message).hint(hint));
        }
    }
}

fn fetched(chain: &Chain) -> [Fetched<'_>; 3] {
    [
        Fetched {
            name: "genesis",
            url: chain.genesis_url.as_ref(),
            has_script: chain.genesis_script.is_some(),
            endings: &FILES,
        },
        Fetched {
            name: "addrbook",
            url: chain.addrbook_url.as_ref(),
            has_script: chain.addrbook_script.is_some(),
            endings: &FILES,
        },
        Fetched {
            name: "snapshot",
            url: chain.snapshot_url.as_ref(),
            has_script: chain.snapshot_script.is_some(),
            endings: &ARCHIVES,
        },
    ]
}

fn gas_price(fleet: &Fleet, findings: &mut Findings<'_>) {
    let price = &fleet.node.spec.chain.app.min_gas_price;
    let wrong = price.split([',', ';']).find(|part| !is_price(part.trim()));
    let Some(wrong) = wrong else { return };
    let message = format!("{} is no gas price", quote(wrong));
    let is_bare = wrong.trim().parse::<f64>().is_ok();
    let hint = if is_bare {
        format!("add the denomination: `{}uatom`, say", wrong.trim())
    } else {
        "write an amount and a denomination, such as `0.025uatom`; several with commas".to_owned()
    };
    let path = "spec.chain.app.minGasPrice";
    findings.add(fleet, finding("gas-price", path, message).hint(hint));
}

/// Returns whether a text is an amount and a denomination, as the SDK reads them.
fn is_price(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (amount, denomination) = text.split_at(end.unwrap_or(text.len()));
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, "0"));
    let is_amount = (!whole.is_empty() || amount.starts_with('.'))
        && !fraction.is_empty()
        && !fraction.contains('.');
    let denomination = denomination.trim_start();
    let is_part = |c: char| c.is_ascii_alphanumeric() || "/:._-".contains(c);
    let is_denomination = denomination.starts_with(|c: char| c.is_ascii_alphabetic())
        && (3..=128).contains(&denomination.len())
        && denomination.chars().all(is_part);
    is_amount && is_denomination
}

fn prune(fleet: &Fleet, pruning: &Pruning, findings: &mut Findings<'_>) {
    let Pruning {
        strategy,
        interval,
        keep_every,
        keep_recent,
        min_retain_blocks: _, // holds with every strategy
    } = pruning;
    let at = "spec.chain.app.pruning";
    if *strategy != PruningStrategy::Custom {
        let given = [
            ("interval", interval),
            ("keepEvery", keep_every),
            ("keepRecent", keep_recent),
        ];
        for (name, _) in given.iter().filter(|(_, n)| n.is_some_and(|n| n > 0)) {
            let message = format!("`{name}` has no effect: the strategy is not `custom`");
            let found = finding("pruning-unused", format!("{at}.{name}"), message);
            findings.add(
                fleet,
                found.hint("write `strategy: custom`, or take it out"),
            );
        }
        return;
    }
    let needed = [
        ("interval", interval, LEAST_INTERVAL),
        ("keepRecent", keep_recent, LEAST_RECENT),
    ];
    for (name, number, least) in needed {
        if number.is_some_and(|n| n >= least) {
            continue;
        }
        let found = match number {
            Some(number) => format!("is {number}"),
            None => "is not given".to_owned(),
        };
        let message = format!("custom pruning needs `{name}`, {least} or more; it {found}");
        let found = finding("pruning-incomplete", format!("{at}.{name}"), message);
        let hint = format!("write `{name}: 100`, say, or a named strategy");
        findings.add(fleet, found.hint(hint));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_price(text: &str, expected: bool) {
        assert_eq!(is_price(text), expected, "{text}");
    }

    #[test]
    fn a_price_is_an_amount_and_a_denomination() {
        for good in [
            "0.025uatom",
            "0uosmo",
            ".5stake",
            "1 uatom",
            "0.1ibc/27394F",
        ] {
            check_price(good, true);
        }
        for bad in [
            "",
            "0.025",
            "uatom",
            "0.025 ",
            "1.2.3uatom",
            "1.uatom",
            "1ua",
            "-1uatom",
        ] {
            check_price(bad, false);
        }
    }

    #[track_caller]
    fn check_network(name: &str, network: &str, expected: Option<&str>) {
        assert_eq!(other_network(name, network), expected, "{name}");
    }

    #[test]
    fn a_name_speaks_of_a_network_by_a_whole_word() {
        check_network("hub-testnet", "mainnet", Some("testnet"));
        check_network("hub-Testnet4", "mainnet", Some("testnet"));
        check_network("hub-testnet", "testnet", None);
        check_network("hub", "mainnet", None);
        check_network("attestnet-1", "mainnet", None);
        check_network("mainnet-testnet-bridge", "mainnet", None);
    }
}
