//! The codes of rules on identities: keys, IDs and addresses that must be nobody else's.

use super::{Code, Group, fault, shown};

pub(in crate::diagnostic::codes) const IDENTITY: Group = Group {
    title: "Rules on keys and identities",
    are_rules: true,
    codes: CODES,
};

const CODES: &[Code] = &[
    fault(
        "address-shared",
        "two instances have the same external address",
        "Peers that call one reach the other, find another ID and hang up; both are lost to the network.",
        "Give each instance an address, or a port, of its own.",
    ),
    shown(
        "\
replicas: 2                           # two nodes sign with one key
podTemplate:
  volumes:
    - name: key
      secret:
        secretName: validator-key
        items: [{key: priv_validator_key.json, path: priv_validator_key.json}]",
        fault(
            "consensus-key-shared",
            "more than one instance gets the same consensus key",
            "Two nodes that sign with one key sign twice at one height. The network slashes the \
             validator for it and jails it for ever: nothing brings it back.",
            "Run one instance with the key, or sentries with a remote signer (`type: Sentry`).",
        ),
    ),
    fault(
        "node-id-shared",
        "two nodes in the snapshot have the same p2p key",
        "Two nodes with one ID push each other out of the network. Most often a home folder or a \
         Secret was copied.",
        "Give one of them a key of its own, and restart it.",
    ),
    fault(
        "ordinals-overlap",
        "two fleets of one name and chain have ordinals in common, though one was split off",
        "A fleet is split over two namespaces with `ordinals.start` so that each instance runs in one \
         of them: one that runs in both is there twice, with one key and one name.",
        "Give each part a range of its own: `replicas: 3` with `ordinals.start: 0`, then \
         `ordinals.start: 3`.",
    ),
    fault(
        "private-key",
        "a file of the tree holds a private key in the clear",
        "Who reads the repository, now or in its history, can act as that node, or sign as that \
         validator.",
        "Take the file out, change the key (its history keeps it), and keep keys in Secrets that are \
         sealed: sops, Sealed Secrets, or a store outside of Git.",
    ),
    fault(
        "snapshot-with-keys",
        "a snapshot of a cluster in the tree holds private keys",
        "What kubectl prints of ConfigMaps and Secrets of an operator-run fleet has the keys of its \
         nodes in it: in Git, everybody who reads it has them.",
        "Keep the snapshot out of Git (`.gitignore`), or leave Secrets out and cut the \
         `node_key.json` entries from the ConfigMaps; and change the keys that were pushed.",
    ),
];
