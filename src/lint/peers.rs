//! Rules on the peers that a document names: CometBFT refuses an address that it cannot read.

use std::ops::Range;

use super::{Findings, finding};
use crate::diagnostic::Diagnostic;
use crate::model::NodeId;
use crate::model::quote::quote;
use crate::parse::inputs::Fleet;

pub(super) fn judge(fleet: &Fleet, findings: &mut Findings<'_>) {
    let comet = &fleet.node.spec.chain.config;
    let peers = comet.peers.as_deref().unwrap_or_default();
    let seeds = comet.seeds.as_deref().unwrap_or_default();
    for (field, text) in [("peers", peers), ("seeds", seeds)] {
        list(fleet, (field, text), address_fault, findings);
    }
    for (field, text) in [
        ("privatePeerIDs", &comet.private_peer_ids),
        ("unconditionalPeerIDs", &comet.unconditional_peer_ids),
    ] {
        list(fleet, (field, text), id_fault, findings);
    }
}

/// What is wrong with an entry, and what to do.
type Fault = Option<(&'static str, String)>;

fn list(
    fleet: &Fleet,
    (field, text): (&str, &str),
    fault: fn(&str) -> Fault,
    findings: &mut Findings<'_>,
) {
    for (entry, range) in entries(text) {
        let Some((what, hint)) = fault(entry) else {
            continue;
        };
        let path = format!("spec.chain.config.{field}");
        let found: Diagnostic = finding("peer-address", path, format!("{} {what}", quote(entry)));
        findings.add(fleet, found.within(text, range).hint(hint));
    }
}

/// Returns the entries of a list with commas, without blanks around them and empty ones, as
/// CometBFT does.
fn entries(text: &str) -> impl Iterator<Item = (&str, Range<usize>)> {
    let mut at = 0;
    text.split(',').filter_map(move |part| {
        let start = at + (part.len() - part.trim_start().len());
        at += part.len() + 1;
        let entry = part.trim();
        (!entry.is_empty()).then(|| (entry, start..start + entry.len()))
    })
}

fn address_fault(entry: &str) -> Fault {
    let Some((id, address)) = entry.split_once('@') else {
        let hint = "write `ID@host:port`: the node's operator knows its ID".to_owned();
        return Some(("names no node ID", hint));
    };
    let id = id.strip_prefix("tcp://").unwrap_or(id);
    if NodeId::parse(id).is_none() {
        return Some(("has an ID that is none", words(id)));
    }
    let host = address.rsplit_once(':');
    let port = host.and_then(|(_, port)| port.parse::<u16>().ok());
    if host.is_none_or(|(host, _)| host.is_empty()) || port.is_none_or(|port| port == 0) {
        let hint = "write `ID@host:port`, most often with port 26656".to_owned();
        return Some(("names no host and port", hint));
    }
    None
}

fn id_fault(entry: &str) -> Fault {
    if NodeId::parse(entry).is_some() {
        return None;
    }
    if entry.contains('@') {
        let hint = "write the ID alone, what stands before the `@`".to_owned();
        return Some(("is an address, not an ID", hint));
    }
    Some(("is no node ID", words(entry)))
}

fn words(id: &str) -> String {
    let length = id.chars().count();
    format!("an ID has 40 hexadecimal digits; this has {length} characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(fault: fn(&str) -> Fault, entry: &str, expected: Option<&str>) {
        assert_eq!(fault(entry).map(|(what, _)| what), expected, "{entry}");
    }

    #[test]
    fn a_peer_is_an_id_and_an_address() {
        let id = "1f".repeat(20);
        let with = |address: &str| format!("{id}@{address}");
        for good in ["h:26656", "203.0.113.7:1", "[2001:db8::1]:26656"] {
            check(address_fault, &with(good), None);
        }
        check(address_fault, "h:26656", Some("names no node ID"));
        check(address_fault, "1f@h:26656", Some("has an ID that is none"));
        for bad in ["h", "h:", ":26656", "h:70000", "h:0", "h:p2p"] {
            check(address_fault, &with(bad), Some("names no host and port"));
        }
        check(id_fault, &id, None);
        check(id_fault, &with("h:1"), Some("is an address, not an ID"));
        check(id_fault, "1f", Some("is no node ID"));
    }

    #[test]
    fn entries_know_where_they_stand() {
        let text = "a, b,,\n c";
        let found: Vec<_> = entries(text).collect();
        assert_eq!(found, [("a", 0..1), ("b", 3..4), ("c", 8..9)]);
    }
}
