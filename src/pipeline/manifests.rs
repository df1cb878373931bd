//! The objects of a fleet, found by the steps that make or change them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::FleetManifests;
use crate::plan::{Action, Step};

/// Objects by kind and name.
type ByName<'m> = BTreeMap<(&'m str, &'m str), &'m Value>;

/// The objects of one fleet.
#[derive(Debug)]
pub struct Manifests<'m> {
    objects: ByName<'m>,
    /// Those that are made under names that were taken before.
    anew: ByName<'m>,
}

impl<'m> Manifests<'m> {
    /// Looks all objects of a fleet over.
    #[must_use]
    pub fn of(fleet: &'m FleetManifests) -> Self {
        Self {
            objects: by_name(&fleet.objects),
            anew: by_name(&fleet.made_anew),
        }
    }

    /// Returns the object as a step wants it.
    #[must_use]
    pub fn wanted(&self, step: &Step) -> Option<&'m Value> {
        let key = (step.object.kind.as_str(), step.object.name.as_str());
        let is_made = step.action == Action::Create;
        let anew = self.anew.get(&key).filter(|_| is_made);
        anew.or_else(|| self.objects.get(&key)).copied()
    }
}

fn by_name(objects: &[Value]) -> ByName<'_> {
    let keyed = objects.iter().filter_map(|object| {
        let key = (
            object["kind"].as_str()?,
            object["metadata"]["name"].as_str()?,
        );
        Some((key, object))
    });
    keyed.collect()
}
