//! Taking a fleet over from an operator: its objects lose their owner, so that they outlive the
//! operator's document, and get the annotation that says whose they are from then on.

use serde_json::{Value, json};

use super::reasons::reason;
use super::turns::{Task, Turn};
use super::{Action, Change, Effect, Impact, Step};
use crate::live::{Live, Object};
use crate::model::{FleetKey, Kind, Notice, names};
use crate::spec::FullNode;

/// The kind whose objects own fleets.
const OWNER: &str = "CosmosFullNode";

/// Returns what takes the fleet over, and what its owner must do before and after: nothing where
/// no operator owns any object of it.
pub(super) fn tasks(fleet: &FullNode, live: &Live<'_>) -> (Vec<Task>, Vec<Notice>) {
    let keys = [Some(&fleet.key), fleet.wishes.renamed_from.as_ref()];
    let mut tasks: Vec<Task> = Vec::new();
    for key in keys.into_iter().flatten() {
        let objects = live.of_fleet(key);
        let owned = objects.filter(|object| !object.is_terminating() && is_owned(object));
        tasks.extend(owned.map(|object| task(object, key)));
    }
    let notices = if tasks.is_empty() {
        Vec::new()
    } else {
        around(fleet, live)
    };
    (tasks, notices)
}

fn is_owned(object: &Object<'_>) -> bool {
    object.meta.owners.iter().any(|owner| owner.kind == OWNER)
}

fn task(object: &Object<'_>, fleet: &FleetKey) -> Task {
    let owners = object.meta.owners.iter();
    let (ours, others): (Vec<_>, Vec<_>) = owners.partition(|owner| owner.kind == OWNER);
    let names = |owners: &[&crate::live::Owner<'_>]| -> Value {
        let name = |owner: &&crate::live::Owner<'_>| format!("{}/{}", owner.kind, owner.name);
        owners.iter().map(name).collect::<Vec<_>>().into()
    };
    let all: Vec<_> = ours.iter().chain(&others).copied().collect();
    let mut changes = vec![Change {
        path: "metadata.ownerReferences".to_owned(),
        from: Some(names(&all)),
        to: (!others.is_empty()).then(|| names(&others)),
        effect: Effect::InPlace,
    }];
    let mark = object.annotation(names::FLEET);
    if mark != Some(fleet.name.as_str()) {
        changes.push(Change {
            path: format!("metadata.annotations[{}]", names::FLEET),
            from: mark.map(|mark| json!(mark)),
            to: Some(json!(fleet.name)),
            effect: Effect::InPlace,
        });
    }
    let message = "it is taken over from the operator, and outlives its document";
    Task {
        turn: Turn::Adopt,
        step: Step {
            action: Action::Patch,
            object: object.key(),
            ordinal: None,
            impact: Impact::None,
            reasons: vec![reason("TakenOver", message)],
            changes,
        },
    }
}

/// What no step can do: the operator stops before, and its document goes after.
fn around(fleet: &FullNode, live: &Live<'_>) -> Vec<Notice> {
    let before = "stop the operator before the first wave (scale its Deployment to 0): while it \
                  runs, it acts on its own and may take back what is taken over";
    let mut notices = vec![Notice::general("StopOperatorFirst", before)];
    let document = live.get(Kind::CosmosFullNode, &fleet.key.namespace, &fleet.key.name);
    if let Some(document) = document {
        let message = "once no object names it as its owner it may be deleted (`kubectl delete \
                       --cascade=orphan`), and not before; while it stays, its status still tells \
                       heights and who is in sync, as long as somebody writes it";
        notices.push(Notice::on(document.key(), "OperatorsDocument", message));
    }
    notices
}
