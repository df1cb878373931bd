//! The codes of documents that an API server would refuse, or that cannot be built.

use super::{Code, Group, fault, warning};

pub(super) const FORM: Group = Group {
    title: "The form of documents",
    are_rules: false,
    codes: FORM_CODES,
};

const FORM_CODES: &[Code] = &[
    fault(
        "bad-duration",
        "a span of time has no unit, or is none",
        "Five seconds and five minutes must not be told apart by guessing.",
        "Write a number with a unit: 90s, 5m, 2h30m.",
    ),
    fault(
        "bad-image",
        "the name of an image is none that a registry takes",
        "No pod that is made with it would start.",
        "Write registry, path and tag: `ghcr.io/org/cosmos-render:v0.1.0`.",
    ),
    fault(
        "bad-label",
        "a label or annotation is none that Kubernetes takes",
        "An API server refuses the document.",
        "Keys and values of labels: at most 63 letters, digits, `-`, `_` and `.`; a prefix and `/` may stand before a key.",
    ),
    fault(
        "bad-name",
        "a name is none that Kubernetes takes",
        "An API server refuses the document, and the names of pods and claims are made of it.",
        "Lower-case letters, digits and `-`, with a letter or digit at both ends.",
    ),
    fault(
        "bad-price",
        "a price is no decimal",
        "What is meant must not be guessed: a comma separates thousands for some, and cents for others.",
        "Write digits with a point at most, in quotes: \"18\", \"0.085\".",
    ),
    fault(
        "bad-quantity",
        "a size is no quantity of Kubernetes",
        "An API server refuses the document.",
        "A number and a unit without a space: 500Gi, 2Ti, 250m.",
    ),
    fault(
        "duplicate-item",
        "two items of a list have the same key",
        "An API server refuses the document.",
        "Remove one of them, or give it another name.",
    ),
    fault(
        "missing-field",
        "a required field is missing",
        "An API server refuses the document.",
        "Add the field, or check the indentation of the lines that hold it.",
    ),
    fault(
        "no-object",
        "a document is no object of Kubernetes",
        "What stands there is a text or a list, often the rest of a line that lost its indentation.",
        "A document is a mapping with `apiVersion` and `kind`; `---` stands between two.",
    ),
    fault(
        "not-allowed",
        "a value is none of those that the field takes",
        "An API server refuses the document.",
        "Write one of the values that the message lists, in the same case.",
    ),
    fault(
        "out-of-range",
        "a number is below or above what the field takes",
        "An API server refuses the document.",
        "Write a number inside the range.",
    ),
    warning(fault(
        "renamed-field",
        "a field has its former name",
        "It is read as its present name here, but an API server with the last definition refuses it.",
        "Rename it.",
    )),
    fault(
        "too-short",
        "a text is empty that must not be",
        "An API server refuses the document.",
        "Fill it in, or remove the field.",
    ),
    fault(
        "unknown-field",
        "a field that the kind does not have",
        "An API server drops or refuses it: what you asked for would not happen.",
        "Mend the spelling, or move it to where the message says that it belongs.",
    ),
    fault(
        "unknown-kind",
        "a document's kind is nearly one that is read here",
        "Documents of other kinds are passed over: this one would be left out of every plan.",
        "Write the kind as the message says.",
    ),
    fault(
        "unknown-version",
        "an API version that is not known",
        "Its fields may mean something else.",
        "Write `cosmos.strange.love/v1` (any group will do, the version is `v1`).",
    ),
    fault(
        "unreadable",
        "a document that fits its schema cannot be read",
        "This is a fault of this program.",
        "Please report it, with the document if you can.",
    ),
    fault(
        "wrong-type",
        "a value has another type than the field",
        "An API server refuses the document. YAML reads unquoted numbers as numbers, and yes, no, on, off, y and n as true and false.",
        "Add or remove quotes, or `- `, as the message says.",
    ),
];

pub(super) const MEANING: Group = Group {
    title: "The meaning of documents",
    are_rules: false,
    codes: MEANING_CODES,
};

const MEANING_CODES: &[Code] = &[
    fault(
        "bad-annotation",
        "an annotation of ours is misspelt, or does not name what it is about",
        "What an owner allows there must not be passed over in silence, nor allow more than was meant.",
        "Write it as the message says; `plan` prints the line where one is needed.",
    ),
    fault(
        "bad-max-unavailable",
        "`strategy.maxUnavailable` is neither a number nor a percentage",
        "It says how many nodes may be away at a time.",
        "Write 2, or \"25%\".",
    ),
    fault(
        "bad-node-id",
        "a node ID is none",
        "Peers are told of nodes by their IDs.",
        "Write the 40 hexadecimal digits that `<binary> comet show-node-id` prints.",
    ),
    fault(
        "bad-toml",
        "overrides are no TOML 1.0",
        "A node that cannot read its configuration does not start.",
        "Mend the line that is shown: texts stand in quotes, tables in `[brackets]`.",
    ),
    fault(
        "duplicate-fleet",
        "a fleet is written twice",
        "Which of the two holds would be a matter of chance.",
        "Remove one of them, or give it another name or namespace.",
    ),
    fault(
        "duplicate-identities",
        "the identities of a fleet are written twice",
        "Which of the two holds would be a matter of chance.",
        "Put the IDs of a fleet into one document.",
    ),
    fault(
        "duplicate-name",
        "two containers, volumes or pods have the same name",
        "An API server refuses the pod.",
        "Give each a name of its own.",
    ),
    fault(
        "duplicate-node-id",
        "a node ID is declared twice",
        "Two nodes with one ID push each other out of the network.",
        "Give each node a key of its own.",
    ),
    fault(
        "name-clash",
        "pods of two fleets, or of a fleet and its additional pods, have the same names",
        "Each would replace the other.",
        "Choose another name.",
    ),
    fault(
        "no-container",
        "an additional pod has no container",
        "An API server refuses the pod.",
        "Give it at least one.",
    ),
    fault(
        "no-image",
        "there is no image for the chain",
        "Pods cannot be built.",
        "Give `podTemplate.image`, or `chain.versions`.",
    ),
    fault(
        "no-storage",
        "a claim asks for no storage",
        "An API server refuses the claim.",
        "Add `resources.requests.storage`, such as 100Gi.",
    ),
    fault(
        "too-many-replicas",
        "more replicas than one fleet may have here",
        "It is most often a slip of the pen, and would fill the memory.",
        "If it is none, split the fleet with `ordinals.start`.",
    ),
];
