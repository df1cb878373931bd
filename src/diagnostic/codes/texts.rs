//! The codes of texts and of snapshots: what cannot be read at all.

use super::{Code, Group, fault, warning};

pub(super) const TEXTS: Group = Group {
    title: "Texts",
    are_rules: false,
    codes: TEXT_CODES,
};

const TEXT_CODES: &[Code] = &[
    fault(
        "alias",
        "an alias stands inside the value that it names",
        "Such a value would hold itself without end.",
        "Write the value out where the alias stands.",
    ),
    fault(
        "ambiguous",
        "readers of YAML disagree on what this means",
        "The cluster may read another value than your editor shows.",
        "Put the text in quotes, and a space after a colon that ends a key.",
    ),
    fault(
        "anchor",
        "the name of an anchor holds a character that Kubernetes' reader refuses",
        "The cluster refuses the file. Most often it is a text that begins with `&` and lacks quotes.",
        "Put the text in quotes, or name the anchor with letters, digits, `-` and `_`.",
    ),
    fault(
        "binary",
        "the file is no text",
        "It holds a zero byte: an archive, an image or a broken copy.",
        "Give YAML or JSON, plain or compressed with gzip or zstd.",
    ),
    fault(
        "character",
        "a character that YAML does not allow, or that readers take for different things",
        "Most come from copying out of a web page or a word processor, and cannot be seen.",
        "Take it out, or write it as an escape in double quotes.",
    ),
    fault(
        "duplicate-key",
        "a key stands twice in one mapping",
        "The cluster takes the last one and drops the other without a word.",
        "Remove one of the two.",
    ),
    fault(
        "json-syntax",
        "the text is no JSON",
        "Nothing of a file can be trusted that cannot be read to its end. JSON has no comments and no comma before a closing bracket.",
        "Mend the place that is shown, or give the file a name that ends in `.yaml`.",
    ),
    fault(
        "key",
        "a mapping or list stands in the place of a key",
        "Kubernetes knows texts as keys only. Most often it is a template that was not filled in: `{{ .Values.name }}`.",
        "Render templates first, and put a text that begins with a brace in quotes.",
    ),
    fault(
        "merge",
        "a merge key stands before what is no mapping",
        "The cluster refuses the file.",
        "Put an alias of a mapping after `<<:`, or `\"<<\"` in quotes where a key is meant.",
    ),
    warning(fault(
        "merge-replaces",
        "a merge key replaces a key that is written out above it",
        "For Kubernetes' reader `<<` wins over what stands before it, for most other readers it does not.",
        "Put `<<` first in its mapping.",
    )),
    fault(
        "not-utf8",
        "the text is in another encoding than UTF-8",
        "Kubernetes reads UTF-8 alone.",
        "Save the file as UTF-8.",
    ),
    fault(
        "scalar",
        "a value's tag does not fit it, or it is a number that JSON does not have",
        "The cluster reads YAML by way of JSON, which knows no such value.",
        "Take off the tag (`!!int`), or put the value in quotes.",
    ),
    fault(
        "too-deep",
        "too many collections stand inside each other",
        "No object of Kubernetes needs that many, and a limit keeps hostile files from doing harm.",
        "Look for brackets that are opened and never closed.",
    ),
    fault(
        "too-large",
        "a document is larger than any specification",
        "A limit keeps hostile files from filling the memory.",
        "Split it with `---` lines, or take out what is no specification.",
    ),
    fault(
        "too-many-aliases",
        "the aliases of a document stand for too many values",
        "A few lines of aliases can grow to gigabytes.",
        "Write values out, or split the document.",
    ),
    fault(
        "yaml-syntax",
        "the text is no YAML",
        "Nothing of a file can be trusted that cannot be read to its end.",
        "Look at the place that is shown and the line above it: indentation by spaces alone, a colon and a space behind each key, quotes in pairs.",
    ),
    fault(
        "yaml-version",
        "a directive asks for another version of YAML than 1.1",
        "Kubernetes' reader knows no other.",
        "Take out the `%YAML` line.",
    ),
];

pub(super) const SNAPSHOTS: Group = Group {
    title: "Snapshots",
    are_rules: false,
    codes: SNAPSHOT_CODES,
};

const SNAPSHOT_CODES: &[Code] = &[
    fault(
        "snapshot-item-too-large",
        "an object of a snapshot is larger than any API server holds",
        "What is cut together by mistake would be planned upon.",
        "Take the snapshot anew with kubectl.",
    ),
    fault(
        "snapshot-not-readable",
        "a snapshot is not what kubectl prints",
        "A plan from half a cluster would delete or make anew what it does not see.",
        "Take it anew: `kubectl get pods,pvc,cm,svc,... -A -o json`.",
    ),
    fault(
        "snapshot-object-unnamed",
        "an object of a snapshot has no name",
        "No API server prints one without; the file was edited or cut.",
        "Take the snapshot anew with kubectl.",
    ),
];
