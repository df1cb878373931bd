//! The codes of single commands: node keys, saved plans, simulations.

use super::{Code, Group, fault};

pub(super) const COMMANDS: Group = Group {
    title: "Node keys, saved plans and simulations",
    are_rules: false,
    codes: CODES,
};

const CODES: &[Code] = &[
    fault(
        "broken-node-key",
        "what should be a node key is none",
        "A node would start with another identity, or not at all.",
        "Put the right one there: the node's own `config/node_key.json`, or a backup.",
    ),
    fault(
        "file-changed",
        "a file changed while it was to be written",
        "Somebody else's words would be lost.",
        "Run the command again.",
    ),
    fault(
        "file-exists",
        "a file is there already where keys were to be written",
        "Keys never replace anything: what they replace may be the only copy.",
        "Name another file; `-` is standard output.",
    ),
    fault(
        "identities-not-editable",
        "a NodeIdentities document cannot be added to without writing it anew",
        "Its comments and its form would be lost.",
        "Write one instance a line below `nodeIDs:`, or name another file with `--identities`.",
    ),
    fault(
        "identity-unclear",
        "a Secret holds keys of several identities of an instance, and nothing says which is its own",
        "With the wrong one its peers would take the node for another.",
        "Give the NodeIdentities that `keys rotate` wrote, or a snapshot that holds the instance's pod.",
    ),
    fault(
        "identity-without-key",
        "an instance has an ID, and its Secret no key of it",
        "Peers are told of a node that cannot start.",
        "Put its key into the Secret, or take the line out and run `keys init` again.",
    ),
    fault(
        "key-without-identity",
        "an instance has a key, and no NodeIdentities document names its ID",
        "Its peers are not told of it.",
        "`keys import` writes the ID down.",
    ),
    fault(
        "keys-in-git",
        "private keys would be written into a Git work tree",
        "One commit later everybody who reads the repository has them, for ever.",
        "Write them elsewhere, or pipe them into sops, kubeseal or kubectl.",
    ),
    fault(
        "keys-not-given",
        "the Secret would lose keys that it holds",
        "The nodes that they belong to would get other identities.",
        "Give the Secret with `--secret`, or add the new keys alone with `--patch`.",
    ),
    fault(
        "keys-on-terminal",
        "private keys would be printed on a terminal",
        "They stay in its history, and on the screen.",
        "Pipe them into kubectl, sops or kubeseal, or name a file with `--out`.",
    ),
    fault(
        "new-identity",
        "nothing shows that a node is new, for which a key would be made",
        "A node that runs would get another identity, and its peers would turn it away.",
        "Give what the cluster holds with `--snapshot`, or say `--new-identities`.",
    ),
    fault(
        "no-cluster-access",
        "this program is built without access to clusters",
        "The plain program reads files alone, and stays small.",
        "Use the container image, or install it with `--features runner`.",
    ),
    fault(
        "no-identity",
        "an instance has no identity",
        "There is nothing to verify or to rotate.",
        "`keys import` writes down the one that it has; `keys init` makes a first.",
    ),
    fault(
        "no-place",
        "there is no place for the NodeIdentities",
        "The documents came from standard input: nothing lies beside them.",
        "Name a file or a folder with `--identities`.",
    ),
    fault(
        "no-randomness",
        "the system gives no randomness",
        "Keys that can be guessed are worse than none.",
        "See the message of the system.",
    ),
    fault(
        "no-secret",
        "what was given holds no Secret of the fleets' keys",
        "Keys that exist would be made anew.",
        "Give the Secret as kubectl prints it; a SealedSecret opens in its cluster only.",
    ),
    fault(
        "no-such-pod",
        "neither the documents nor the snapshot have such a pod",
        "There is nothing to tell of it.",
        "Write the name as `kubectl get pods` has it.",
    ),
    fault(
        "plan-differs",
        "a saved plan is not what its inputs come to",
        "It was edited, or made by another version: what was reviewed is not what would happen.",
        "Plan again, and review that.",
    ),
    fault(
        "plan-flags-differ",
        "a saved plan was made with other flags",
        "What was reviewed is not what would happen.",
        "Give the flag to both commands, or to none.",
    ),
    fault(
        "plan-inputs-changed",
        "documents or snapshot changed since the plan was saved",
        "What was reviewed is not what would happen.",
        "Plan again, and review that.",
    ),
    fault(
        "plan-not-readable",
        "a file is no saved plan",
        "Nothing is rendered from half a plan.",
        "Save the plan with `plan --out FILE`.",
    ),
    fault(
        "pod-not-clear",
        "a name is that of several pods",
        "The answer would be about one of them by chance.",
        "Write `NAMESPACE/POD`.",
    ),
    fault(
        "roll-failed",
        "a pod of a batch could not be taken away",
        "Its applier would find the old pod, and could not change it.",
        "See the message; the sync can be started again at any time.",
    ),
    fault(
        "rotated-without-id",
        "an instance is noted as rotated, and has no ID that it could have got",
        "Nobody can tell which key it is to have.",
        "Name its ID among `nodeIDs`, or take it out of `rotated`.",
    ),
    fault(
        "secret-encrypted",
        "a Secret is encrypted",
        "Which keys it holds cannot be seen.",
        "Decrypt it on the way: `sops -d FILE | cosmos-render keys ... --secret -`.",
    ),
    fault(
        "secret-not-given",
        "a running node's key lies in a Secret that was not given",
        "Another key would give the node another identity.",
        "Give the Secret with `--secret`.",
    ),
    fault(
        "secrets-disagree",
        "two copies of a Secret hold different keys",
        "Which of the two holds would be a matter of chance.",
        "Give the one that is right, and not the other.",
    ),
    fault(
        "several-patches",
        "a patch would be for several Secrets",
        "A patch is applied to one object.",
        "Name a fleet with `--fleet`.",
    ),
    fault(
        "snapshot-time-not-readable",
        "the time at which a snapshot was taken is none",
        "How old it is cannot be told.",
        "Write it as 2026-03-02T08:30:00Z, or leave it out.",
    ),
    fault(
        "snapshot-too-old",
        "the snapshot is older than `--max-age` allows",
        "The cluster may have gone on since.",
        "Take it anew.",
    ),
    fault(
        "unknown-fault",
        "`--fault` names what the cluster does not have",
        "Nothing would fail, and the simulation would look better than it is.",
        "Write the name as the message says.",
    ),
    fault(
        "unknown-fleet",
        "there is no such fleet, or several of that name",
        "Nothing, or the wrong one, would be done.",
        "Write one of the names that the message lists.",
    ),
    fault(
        "unknown-instance",
        "no single instance has that name",
        "Nothing, or the wrong one, would be done.",
        "Name it like its pod, as `NAMESPACE/INSTANCE` where two have one name.",
    ),
];
