//! The codes of rules on the chain: its versions, its configuration, its images.

use super::{Code, Group, fault, shown, warning};

pub(in crate::diagnostic::codes) const CHAIN: Group = Group {
    title: "Rules on the chain",
    are_rules: true,
    codes: CODES,
};

const CODES: &[Code] = &[
    shown(
        "\
minGasPrice: \"0.025\"        # wrong
minGasPrice: 0.025uatom     # right",
        fault(
            "gas-price",
            "`minGasPrice` is no price: an amount and a denomination",
            "The node refuses to start with it, all nodes at once after the next restart.",
            "Write the amount and the denomination without a space; several with commas.",
        ),
    ),
    shown(
        "\
app:
  haltHeight: 21000000      # no effect
versions:
  - height: 21000000
    image: ghcr.io/example/hub:v2.0.0
    setHaltHeight: true     # right",
        warning(fault(
            "halt-height-unused",
            "`app.haltHeight` has no effect beside `chain.versions`",
            "The versions decide where a node halts; the node runs past the height that you wrote.",
            "Set `setHaltHeight: true` at the version of that height, and take out `haltHeight`.",
        )),
    ),
    shown(
        "\
# cosmos-render.toml
[heights]
driver = \"scheduled\"",
        warning(fault(
            "heights-without-driver",
            "`chain.versions` is given, and nothing is declared to follow the heights",
            "Offline, heights are known from the snapshot alone: an upgrade happens only if \
             something plans again when the chain comes near it. Without that, nodes halt at the \
             upgrade and stay down.",
            "Let something follow them: a runner in the cluster, a schedule that takes snapshots and \
             renders anew (`cosmos-render driver github` prints one, `cosmos-render driver script` \
             what it runs), or an operator that goes on acting; then declare which: `[heights] driver = \"runner\"`, \
             `\"scheduled\"` or `\"operator\"` in cosmos-render.toml, or the annotation \
             `cosmos-render/heights-driver` on the document.",
        )),
    ),
    shown(
        "\
image: ghcr.io/example/hub          # wrong: means latest
image: ghcr.io/example/hub:latest   # wrong
image: ghcr.io/example/hub:v1.2.0   # right",
        warning(fault(
            "image-latest",
            "an image has no tag, or the tag `latest`",
            "What runs then depends on when a machine pulled it: two nodes of a fleet can run two \
             versions of a chain, and a restart can be an upgrade that nobody planned.",
            "Name a version, or a digest.",
        )),
    ),
    shown(
        "\
metadata:
  name: hub-testnet
spec:
  chain:
    network: mainnet   # which of the two?",
        warning(fault(
            "network-mismatch",
            "a name or chain ID speaks of another network than `chain.network`",
            "Labels say one thing and names another: dashboards, alerts and people follow the wrong one.",
            "Make them agree. The name of a fleet is also that of its volumes: to change it, see \
             `cosmos-render/renamed-from`.",
        )),
    ),
    shown(
        "\
overrides: |
  [p2p]
  persistent_peers = \"...\"   # wrong: drops the fleet's own
config:
  peers: \"...\"               # right: added to them",
        warning(fault(
            "override-clobbers",
            "TOML overrides set what is generated from the document",
            "Overrides win: peers of the fleet are forgotten, halt heights of upgrades do not reach \
             the node, and the field in the document says something else than the node does.",
            "Use the field that the message names, and take the line out of the overrides.",
        )),
    ),
    shown(
        "\
app:
  overrides: |
    [grpc]
    address = \"0.0.0.0:9900\"   # Services go on to 9090",
        fault(
            "override-moves-port",
            "TOML overrides move a port that Services and probes do not follow",
            "Nobody reaches the node there; where it is the RPC port, no probe ever passes and a \
             rollout never goes on.",
            "For RPC and p2p set `chain.config.rpcListenAddress` and `p2pListenAddress`; leave the \
             other ports as they are, and map them in a Service of your own.",
        ),
    ),
    shown(
        "\
peers: 203.0.113.7:26656                                            # wrong
peers: 1f0a2b3c4d5e6f708192a3b4c5d6e7f801234567@203.0.113.7:26656   # right",
        fault(
            "peer-address",
            "a peer or seed is not `ID@host:port`, or a peer ID is none",
            "A node refuses to start, or goes on without that peer.",
            "An ID has 40 hexadecimal digits; entries stand with commas between, without blanks.",
        ),
    ),
    shown(
        "\
pruning:
  strategy: custom
  keepRecent: 100
  interval: 10      # without it the node does not start",
        fault(
            "pruning-incomplete",
            "custom pruning without the numbers that it needs",
            "The SDK refuses intervals below 10 and fewer than 2 recent states: the node does not start.",
            "Give `interval` (10 or more) and `keepRecent` (2 or more), or a named strategy.",
        ),
    ),
    warning(fault(
        "pruning-unused",
        "numbers of pruning stand beside a named strategy",
        "Only `custom` looks at them: the volume fills at another pace than the document says.",
        "Write `strategy: custom`, or take the numbers out.",
    )),
    shown(
        "\
snapshotURL: https://snapshots.example.com/hub-18500000.tar.lz4
versions:
  - height: 20000000          # nothing runs the blocks in between
    image: ghcr.io/example/hub:v2.0.0",
        warning(fault(
            "snapshot-before-versions",
            "`snapshotURL` is of a height before the first of `chain.versions`",
            "A new node starts at that height, and no image is given for it: it gets one that cannot \
             run the blocks up to the first version.",
            "Add the version that the snapshot was taken with, with a height at or below the \
             snapshot's, or take a newer snapshot.",
        )),
    ),
    warning(fault(
        "source-unused",
        "a URL stands beside a script for the same thing",
        "The script wins, and the URL is never read.",
        "Take one of the two out.",
    )),
    shown(
        "\
network: \u{201c}mainnet\u{201d}              # wrong
additionalStartArgs: [\u{2013}log_level=debug]   # wrong
network: \"mainnet\"              # right",
        fault(
            "typographic",
            "a value stands in typographic quotes, or begins with a long dash",
            "To YAML they are letters like any other: they become a part of the value. They come from \
             copying out of a chat, a wiki or a word processor.",
            "Write plain quotes (\" or ') and plain dashes (--).",
        ),
    ),
    shown(
        "\
snapshotURL: https://example.com/hub.7z        # wrong
snapshotURL: https://example.com/hub.tar.lz4   # right",
        fault(
            "url-unsupported",
            "a URL does not end in a form that a new node can unpack",
            "The init container stops with an error, and new nodes never start. Running ones do not \
             notice: it shows when a volume is lost.",
            "Use one of the endings that the message lists, or a script \
             (`snapshotScript`, `genesisScript`, `addrbookScript`).",
        ),
    ),
    shown(
        "\
versions:
  - {height: 0,    image: \"ghcr.io/example/hub:v1.0.0\"}
  - {height: 2000, image: \"ghcr.io/example/hub:v3.0.0\"}
  - {height: 1000, image: \"ghcr.io/example/hub:v2.0.0\"}   # wrong: after 2000",
        warning(fault(
            "version-order",
            "`chain.versions` is not sorted by height",
            "Versions are tried in the order given: one out of order takes another's place, and nodes \
             run the older image above both heights.",
            "Sort them by height, the lowest first.",
        )),
    ),
    fault(
        "version-twin",
        "two of `chain.versions` have the same height",
        "The later one always wins; the other never runs.",
        "Take one of them out, or mend its height.",
    ),
    warning(fault(
        "version-unused-image",
        "a version names an image for a container that does not exist",
        "The image is passed over: a sidecar stays on the version that it was on through an upgrade.",
        "Mend the container's name, or take the entry out.",
    )),
];
