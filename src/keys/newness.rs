//! Whether a node without a known key is new. Another key makes another node of one that runs, and
//! its peers turn it away: that is asked for, never done by itself.

use std::collections::BTreeMap;

use super::make::give;
use super::survey::{Fleet, Instance, Survey};
use crate::diagnostic::Diagnostic;
use crate::model::names;

/// Whose word it is that an instance is new, and has no identity that its peers know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Newness {
    /// What was given shows it.
    #[default]
    Shown,
    /// The owner says so.
    Told,
}

/// Why an instance may have an identity already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doubt {
    /// Its pod reads a key of a Secret that was not given.
    InSecret,
    /// Its pod is there.
    HasPod,
    /// It takes over from another instance.
    TakesOver,
    /// Nothing shows whether it runs.
    NotShown,
}

/// Returns why an instance without a known key may be a node that its peers know. What its owner
/// says settles all but what a Secret surely holds.
pub(super) fn doubt(survey: &Survey, fleet: &Fleet, instance: &Instance) -> Option<Doubt> {
    let mut instances = fleet.instances.iter();
    let is_known = fleet.secret.is_some() || instances.any(|i| i.declared.is_some());
    if instance.mounted.is_some() && !fleet.knows_secret {
        return Some(Doubt::InSecret);
    }
    let doubt = if instance.has_pod {
        Doubt::HasPod
    } else if fleet.former.is_some() {
        Doubt::TakesOver
    } else if !survey.has_snapshot && !is_known {
        Doubt::NotShown
    } else {
        return None;
    };
    match survey.newness {
        Newness::Shown => Some(doubt),
        Newness::Told => None,
    }
}

/// Tells of the instances of a fleet that may not be new.
pub(super) fn faults(fleet: &Fleet, instances: &[(Doubt, &Instance)]) -> Vec<Diagnostic> {
    let mut by_doubt: BTreeMap<Doubt, Vec<&str>> = BTreeMap::new();
    for (doubt, instance) in instances {
        by_doubt.entry(*doubt).or_default().push(&instance.name);
    }
    let all = by_doubt.into_iter();
    all.map(|(doubt, names)| fault(fleet, doubt, &names.join(", ")))
        .collect()
}

fn fault(fleet: &Fleet, doubt: Doubt, instances: &str) -> Diagnostic {
    const SAY: &str = "where it is new, or is to have another identity, say --new-identities";
    let key = &fleet.key;
    let (message, hint) = match doubt {
        Doubt::InSecret => {
            let message = format!(
                "the pod of {instances} of {key} reads its key from Secret {}, which was not given: \
                 another key would give the node another identity",
                names::key_secret(&key.name)
            );
            return Diagnostic::error("secret-not-given", message).hint(give(fleet));
        }
        Doubt::HasPod => (
            format!("{instances} of {key} has a pod, and its key is nowhere in what was given"),
            "add configmaps and secrets to the snapshot, or `keys import` the key from its home",
        ),
        Doubt::TakesOver => (
            format!(
                "{instances} of {key} may take over from another name, whose key was not given"
            ),
            "give the former Secret, or a snapshot with the former ConfigMaps, to `keys import`",
        ),
        Doubt::NotShown => (
            format!("nothing shows whether {key} runs already, with keys that its peers know"),
            "give what the cluster holds with --snapshot: an operator keeps keys in ConfigMaps, and \
             `keys import` takes them over",
        ),
    };
    Diagnostic::error("new-identity", message).hint(format!("{hint}; {SAY}"))
}
