//! The codes of files, folders and the command line.

use super::{Code, Group, fault, warning};

pub(super) const FILES: Group = Group {
    title: "Files and the command line",
    are_rules: false,
    codes: CODES,
};

const CODES: &[Code] = &[
    fault(
        "broken-archive",
        "compressed data is damaged",
        "A part of it would be taken for the whole.",
        "Make the file anew; its copying may have been cut off.",
    ),
    fault(
        "broken-index",
        "the index of a rendered folder cannot be read",
        "It says which files a former run wrote, and so which may be removed.",
        "Restore `.cosmos-render-index` from Git.",
    ),
    warning(fault(
        "empty-folder",
        "a folder holds no YAML or JSON",
        "A wrong path looks like a tree without documents.",
        "Check the path; hidden files and those in a `.gitignore` do not count.",
    )),
    fault(
        "empty-result",
        "a result without any object would replace the files of a former run",
        "An empty input must not empty a folder that appliers follow.",
        "Check the input, or say `--allow-empty`.",
    ),
    fault(
        "identity-disagrees",
        "a declared node ID is not that of the live key",
        "Peers would be told of a node that does not exist.",
        "Write the ID that the message names into NodeIdentities, or import the key.",
    ),
    fault(
        "inflates-too-far",
        "a compressed file inflates to far more than its size",
        "A limit keeps hostile files from filling the memory.",
        "Inflate it yourself if you trust it, and give the result.",
    ),
    fault(
        "input-too-large",
        "all inputs together are larger than allowed",
        "A limit keeps hostile files from filling the memory.",
        "Give fewer inputs, or allow more with `--max-input`.",
    ),
    fault(
        "internal",
        "a fault of this program",
        "Nothing is put out that may be wrong.",
        "Please report it, with the command and what it printed.",
    ),
    fault(
        "internal-breach",
        "the plan breaks one of the invariants that safety hangs on",
        "An independent judge looks at every plan; one that it refuses is a fault of this program.",
        "Please report it, with the inputs if you can. Nothing was put out.",
    ),
    warning(fault(
        "link-loop",
        "a link leads back to a folder around it",
        "It is passed over: all that it leads to is read anyway.",
        "Remove the link.",
    )),
    fault(
        "link-outside",
        "a link in the output folder leads out of it",
        "Writing through it would change files elsewhere.",
        "Remove the link, or choose another folder.",
    ),
    fault(
        "missing-file",
        "there is no such file or folder",
        "Nothing is planned from a part of what was named.",
        "Check the path; `-` is standard input.",
    ),
    fault(
        "no-fleet",
        "there is no CosmosFullNode in what was given",
        "An empty file or a wrong folder must not look like a cluster that is as it should be.",
        "Name the files or folders that hold the documents, or pipe them in with `-`.",
    ),
    fault(
        "not-a-folder",
        "a file stands where a folder is to be written",
        "It is not ours to remove.",
        "Choose another folder, or move the file.",
    ),
    fault(
        "not-ours",
        "a file in the way was not written by a former run",
        "Only files that the index names are overwritten or removed.",
        "Move it, or choose another folder.",
    ),
    fault(
        "not-written",
        "a result could not be written",
        "The disk is full, or its owner does not allow it.",
        "See the message of the system.",
    ),
    fault(
        "path-outside",
        "the index of a rendered folder names a file outside of it",
        "It was edited, or comes from elsewhere: nothing outside is removed.",
        "Restore `.cosmos-render-index` from Git.",
    ),
    fault(
        "several-settings",
        "two files `cosmos-render.toml` would hold",
        "Which of the two holds would be a matter of chance.",
        "Name the one that is meant with `--config`.",
    ),
    fault(
        "toml-syntax",
        "`cosmos-render.toml` is no TOML",
        "Settings that cannot be read must not be taken for none.",
        "Write `name = \"value\"` below a `[section]`.",
    ),
    warning(fault(
        "tree-too-large",
        "the tree is too large to be searched for keys as a whole",
        "A key may lie in the part that was not searched.",
        "Keep what is no source out with a `.gitignore`.",
    )),
    fault(
        "unknown-revision",
        "Git knows no such revision",
        "What a change does can be told only from both of its ends.",
        "Name two folders, or revisions that `git rev-parse` knows; fetch what a shallow clone lacks.",
    ),
    fault(
        "unknown-rule",
        "`cosmos-render.toml` sets a level for what is no rule",
        "The rule that was meant keeps its own level.",
        "Write the name as the message says.",
    ),
    fault(
        "unreadable-file",
        "a file cannot be read",
        "Nothing is planned from a part of what was named.",
        "Check who owns it and what its permissions are.",
    ),
    fault(
        "usage",
        "the arguments do not fit each other",
        "A guess might do something else than was meant.",
        "See `--help`.",
    ),
];
