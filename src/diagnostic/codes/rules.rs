//! The codes of lint rules: documents that an API server takes, and that hurt all the same.

use super::{Code, Group, fault, shown, warning};

mod chain;
mod cluster;
mod delivery;
mod identity;
mod rollout;

pub(super) use chain::CHAIN;
pub(super) use cluster::CLUSTER;
pub(super) use delivery::DELIVERY_RULES;
pub(super) use identity::IDENTITY;
pub(super) use rollout::ROLLOUT;

pub(super) const ALLOWANCES: Group = Group {
    title: "Rules on silencing rules",
    are_rules: true,
    codes: &[
        fault(
            "allow-unknown",
            "`cosmos-render/lint-allow` names a rule that does not exist",
            "Nothing is silenced, or soon something else is.",
            "Write the name as the message says; faults of form cannot be silenced.",
        ),
        warning(fault(
            "allow-unused",
            "`cosmos-render/lint-allow` silences a rule that has nothing to say",
            "It would hide the next slip of that kind.",
            "Take it out.",
        )),
        shown(
            "\
metadata:
  annotations:
    cosmos-render/lint-allow: \"image-latest\"                            # wrong
    cosmos-render/lint-allow: \"image-latest: the mirror pins the tag\"   # right",
            fault(
                "allow-without-reason",
                "`cosmos-render/lint-allow` silences a rule without saying why",
                "Nobody will know later whether the reason still holds.",
                "Write `rule: reason`, one a line or with `;` between.",
            ),
        ),
    ],
};
