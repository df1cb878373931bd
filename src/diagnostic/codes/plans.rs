//! The codes of what plans and changes do, as `plan` and `diff` tell it to code hosts.

use super::{Code, Group, fault, note, warning};

pub(super) const PLANS: Group = Group {
    title: "What plans and changes do",
    are_rules: false,
    codes: CODES,
};

const CODES: &[Code] = &[
    warning(fault(
        "data-loss",
        "a volume goes, with all that is on it",
        "Nobody brings it back but from a VolumeSnapshot or a backup. With `--deny data-loss` it is \
         an error.",
        "Where it is not meant, take the field back that the message stands at; \
         `volumeRetentionPolicy: Retain` keeps the claims of instances that go.",
    )),
    warning(fault(
        "identity-change",
        "a node gets another p2p identity",
        "Peers that name its former ID no longer find it. With `--deny identity-change` it is an \
         error.",
        "Where it is not meant, put the former ID and its key back.",
    )),
    note(fault(
        "node-restart",
        "a node restarts",
        "It is away for a while; the plan keeps to the fleet's budget. With `--deny restart` it is an \
         error.",
        "Nothing needs to be done where it is meant.",
    )),
    note(fault(
        "node-stop",
        "a node is taken away and does not come back",
        "Whoever talks to it must talk to another. With `--deny restart` it is an error.",
        "Nothing needs to be done where it is meant.",
    )),
    fault(
        "step-blocked",
        "something is not done until its owner allows it",
        "The documents ask for it, and it would hurt: the cluster stays behind until somebody decides.",
        "Write what the message says, or take the change back.",
    ),
    fault(
        "too-many-restarts",
        "more nodes restart than `--max-restarts` allows",
        "Whoever set the limit wants to look at it first.",
        "Make the change in parts, or raise the limit for this one.",
    ),
];
