//! Who ran, is away, and is not brought back by a plan: its place in the budget is taken. Decides
//! nothing about it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Situation, is_down};
use crate::desired::Role;
use crate::diff::{Difference, Differences, Standing};
use crate::live::troubles;
use crate::model::Ordinal;
use crate::plan::claims::is_lost;
use crate::plan::traces::{self, Trace};

/// Returns the instances that ran here, have no pod now, or one that has ended, and get none by this
/// plan: what bears their names, or their claim, is in the way. Nobody but their owner brings them
/// back.
pub(super) fn find(differences: &Differences<'_, '_>, s: &Situation<'_>) -> Vec<String> {
    let of = |role: Role| {
        differences
            .objects
            .iter()
            .filter(move |d| d.manifest.role == role)
    };
    let instances = s.desired.instances.iter();
    let names: BTreeMap<Ordinal, &str> = instances.map(|i| (i.ordinal, i.name.as_str())).collect();
    let claims: BTreeSet<Ordinal> = of(Role::Claim)
        .filter_map(|d| Some((d, d.manifest.ordinal?)))
        .filter(|(d, ordinal)| was_used(d, names.get(ordinal).copied(), s))
        .map(|(_, ordinal)| ordinal)
        .collect();
    // who named a claim knows that there was one
    let named: BTreeSet<Ordinal> = s
        .desired
        .instances
        .iter()
        .filter(|instance| s.desired.renewals.contains_key(&instance.claim))
        .map(|instance| instance.ordinal)
        .collect();
    let ran = |name: &String, ordinal: &Ordinal| {
        let has_claim = claims.contains(ordinal) || named.contains(ordinal);
        has_claim || s.chain.heights.contains_key(name)
    };
    let lost: BTreeSet<Ordinal> = of(Role::Claim)
        .filter(|d| d.live.is_some_and(is_lost))
        .filter_map(|d| d.manifest.ordinal)
        .collect();
    let own = of(Role::Pod)
        .filter(|d| match d.standing {
            Standing::Present(_) => never_serves(d, &lost, s),
            Standing::Missing | Standing::Terminating | Standing::Foreign => true,
        })
        .filter_map(|d| Some((&d.manifest.key.name, d.manifest.ordinal?)))
        .filter(|(name, ordinal)| s.without_base.contains(ordinal) && ran(name, ordinal))
        .map(|(name, _)| name);
    own.chain(&s.heirs.gone).cloned().collect()
}

/// Tells whether an instance used a claim. One that is not ours may have been, as long as nothing says
/// that it was there before its instance.
fn was_used(claim: &Difference<'_, '_>, instance: Option<&str>, s: &Situation<'_>) -> bool {
    match (&claim.standing, claim.live, instance) {
        (Standing::Present(_) | Standing::Terminating, _, _) => true,
        (Standing::Foreign, Some(claim), Some(instance)) => {
            match traces::of(instance, claim, &s.fleet.key, s.live) {
                Trace::Ran | Trace::Unknown => true,
                Trace::None => false,
            }
        }
        (Standing::Foreign | Standing::Missing, _, _) => false,
    }
}

/// Tells whether a pod that is there will never serve again: it has ended, or lost its volume.
fn never_serves(pod: &Difference<'_, '_>, lost: &BTreeSet<Ordinal>, s: &Situation<'_>) -> bool {
    let name = &pod.manifest.key.name;
    let has_lost = pod.manifest.ordinal.is_some_and(|n| lost.contains(&n));
    let is_without = has_lost && is_down(name, s) && !s.newcomers.contains(name);
    is_without || pod.live.is_some_and(|pod| troubles::failed(pod).is_some())
}
