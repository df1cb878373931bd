//! Fleets that the snapshot has and the specifications do not: removed from Git, or just not
//! given. Their removal is blocked until it is acknowledged.

use crate::live::Live;
use crate::model::{FleetKey, Kind, Notice, ObjectKey};
use crate::parse::inputs::Inputs;
use crate::plan::FleetPlan;

pub(super) fn fleets(live: &Live<'_>, specs: &Inputs) -> Vec<FleetPlan> {
    live.fleets()
        .filter(|key| !specs.fleets.iter().any(|fleet| fleet.node.key == *key))
        .filter(|key| live.of_fleet(key).next().is_some())
        .map(|key| FleetPlan {
            blocked: vec![notice(live, &key)],
            namespace: key.namespace,
            name: key.name,
            ..FleetPlan::default()
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
    notice.allow = Some(
        "give its document too, or, if the fleet is to go, delete its objects by hand once you \
         are sure of its volumes"
            .to_owned(),
    );
    notice
}
