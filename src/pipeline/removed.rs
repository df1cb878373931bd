//! Fleets that go. Those that the snapshot has and the specifications do not were removed from
//! Git, or just not given: nothing of them is deleted. Those whose document says that they are to
//! go are taken down by the plan; what it leaves is told here.

use std::collections::BTreeSet;

use super::heirs::Taken;
use crate::explain::{self, Members};
use crate::live::Live;
use crate::live::facts::{self, Declared, Sources};
use crate::model::{FleetKey, Kind, Notice, ObjectKey, names};
use crate::parse::inputs::Inputs;
use crate::plan::FleetPlan;
use crate::spec::FullNode;
use crate::spec::wishes::{REMOVE_FLEET, RENAMED_FROM};

pub(super) fn fleets(live: &Live<'_>, specs: &Inputs, taken: &Taken) -> Vec<FleetPlan> {
    undescribed(live, specs)
        .filter(|key| live.of_fleet(key).next().is_some())
        .filter(|key| !taken.is_all_of(key, live))
        .map(|key| FleetPlan {
            blocked: vec![notice(live, &key)],
            namespace: key.namespace,
            name: key.name,
            ..FleetPlan::default()
        })
        .collect()
}

/// Returns the fleets that the snapshot has and no document describes.
pub(super) fn undescribed(live: &Live<'_>, specs: &Inputs) -> impl Iterator<Item = FleetKey> {
    let keys = specs.fleets.iter().map(|fleet| fleet.node.key.clone());
    let described: BTreeSet<FleetKey> = keys.collect();
    live.fleets().filter(move |key| !described.contains(key))
}

/// Gathers what is known of the pods of fleets that no document describes.
pub(super) fn members(live: &Live<'_>, specs: &Inputs) -> Vec<Members> {
    undescribed(live, specs)
        .map(|key| {
            let (facts, _) = facts::gather(live, &key, Declared::default(), &Sources::default());
            explain::of_former(live, &key, &facts)
        })
        .collect()
}

fn notice(live: &Live<'_>, key: &FleetKey) -> Notice {
    let objects = live.of_fleet(key).count();
    let document = live.get(Kind::CosmosFullNode, &key.namespace, &key.name);
    let object = ObjectKey {
        api_version: document.map_or_else(
            || "cosmos.strange.love/v1".to_owned(),
            |d| d.api_version.clone().into_owned(),
        ),
        kind: Kind::CosmosFullNode,
        namespace: key.namespace.clone(),
        name: key.name.clone(),
    };
    let message = format!(
        "the snapshot has {objects} objects of fleet {key}, but no document describes it: nothing \
         of it is deleted"
    );
    let mut notice = Notice::on(object, "FleetRemoved", message);
    notice.allow = Some(format!(
        "give its document too; if the fleet is to go, keep the document, annotated with \
         {REMOVE_FLEET}: {}, until nothing is left; if it has another name now, annotate the new \
         document with {RENAMED_FROM}: {}",
        key.name, key.name,
    ));
    notice
}

/// Tells what is left of a fleet that is removed: its keys, which no plan deletes; or nothing, so
/// that its document can go as well.
pub(super) fn rest(live: &Live<'_>, fleet: &FullNode) -> Option<Notice> {
    if !fleet.wishes.is_removed {
        return None;
    }
    let keys = names::key_secret(&fleet.key.name);
    if let Some(secret) = live.get(Kind::Secret, &fleet.key.namespace, &keys) {
        let message = "it holds the fleet's keys, and no plan deletes those: delete it by hand \
                       once nobody needs them";
        return Some(Notice::on(secret.key(), "KeysStay", message));
    }
    let is_gone = live.of_fleet(&fleet.key).next().is_none();
    let message = "nothing of the fleet is left: its document can go";
    is_gone.then(|| Notice::general("FleetGone", message))
}
