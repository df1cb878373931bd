//! The codes of rules on instances and on the pace of restarts.

use super::{Code, Group, fault, shown, warning};

pub(in crate::diagnostic::codes) const ROLLOUT: Group = Group {
    title: "Rules on instances and restarts",
    are_rules: true,
    codes: CODES,
};

const CODES: &[Code] = &[
    warning(fault(
        "autoscale-idle",
        "`selfHeal.pvcAutoScale` can never make a claim grow",
        "The volume fills up although the document seems to take care of it.",
        "Use a percentage below 100, and a `maxSize` above the size asked for.",
    )),
    shown(
        "\
replicas: 3
strategy:
  maxUnavailable: 3   # wrong: all at once
  maxUnavailable: 1   # right",
        warning(fault(
            "budget-takes-all",
            "`strategy.maxUnavailable` lets all nodes be away at once",
            "Every change that restarts pods is an outage.",
            "Allow fewer than there are replicas: 1, or 25%.",
        )),
    ),
    shown(
        "\
[estimates.fleets.\"hub\"]           # wrong
[estimates.fleets.\"chains/hub\"]    # right: namespace and name",
        warning(fault(
            "estimate-of-no-fleet",
            "cosmos-render.toml estimates a fleet that no document describes",
            "The fleet that was meant is simulated with the numbers of all others. Told of what was \
             given: where that is a part of the tree, fleets of the rest are unknown too.",
            "Mend the name, or take the section out.",
        )),
    ),
    shown(
        "\
terminationGracePeriodSeconds: 5     # wrong
terminationGracePeriodSeconds: 120   # right",
        warning(fault(
            "grace-period-short",
            "`terminationGracePeriodSeconds` is too short for the database to close",
            "A node that is killed while it writes can leave a database that needs a repair, or a new \
             snapshot of the chain: hours of work for each restart.",
            "Give 30 seconds or more, or leave it out for Kubernetes' 30.",
        )),
    ),
    shown(
        "\
# replicas: 3, ordinals.start: 0
instanceOverrides:
  hub-3: {disable: Pod}   # wrong: hub-0 to hub-2 exist
  hub-2: {disable: Pod}   # right",
        warning(fault(
            "override-names-nobody",
            "`instanceOverrides` names an instance that does not exist",
            "What you meant for one node happens to none: one that was to be off stays on.",
            "Mend the name, or take the entry out.",
        )),
    ),
];
