//! The codes of rendering for appliers that run by themselves.

use super::{Code, Group, fault};

pub(super) const DELIVERY: Group = Group {
    title: "Rendering for Argo CD and Flux",
    are_rules: false,
    codes: CODES,
};

const CODES: &[Code] = &[
    fault(
        "by-hand-first",
        "the plan has a step that no applier can do",
        "It would do another one, and a volume may be lost.",
        "Suspend the applier, carry the plan out by hand, and render from a new snapshot.",
    ),
    fault(
        "claims-owned",
        "live claims have an ownerReference",
        "They are deleted with their owner, or with its CRD, whatever Git says.",
        "Take the fleet over first, as `plan --adopt` shows; or say `--accept-owner`.",
    ),
    fault(
        "keys-in-configmaps",
        "node keys lie in ConfigMaps alone",
        "What is rendered never holds a key: a node whose ConfigMap comes from Git has none.",
        "Move them into a Secret with `keys import`.",
    ),
    fault(
        "no-snapshot",
        "nothing tells what the cluster holds",
        "An applier would restart or delete what it must not.",
        "Give a snapshot, or the folder that was rendered before; for new fleets, `--assume-empty all`.",
    ),
    fault(
        "no-source-path",
        "nothing tells where Flux's source has what is rendered",
        "Its Kustomizations would find nothing.",
        "Name the path from the source's root with `--flux-path`, or in cosmos-render.toml.",
    ),
    fault(
        "partial-snapshot",
        "the snapshot lacks a whole kind of a fleet's objects",
        "They are probably there, and would be made again or pruned.",
        "Add that kind to the kubectl command; if there are none, say `--assume-empty KIND`.",
    ),
    fault(
        "too-many-batches",
        "a fleet restarts in more batches than one sync has waves for",
        "An applier could not keep their order.",
        "Raise `strategy.maxUnavailable`, or roll the change out step by step.",
    ),
];
