//! The invariants, judged on what happens in the cluster: what was away, what was deleted, what
//! mounted what. Shares nothing with `plan`, `order` or `check`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::documents::{instances, ordinals};
use super::model::Id;
use super::model::{id, id_of, is_terminating};
use super::world::{Sight, World, instance_of, key, mounts, of_gate};
use crate::model::names;
use crate::model::quantity::Amount;
use crate::plan::{Action, Condition, Reason, Step, Wave};

const FORMER: &str = "cosmos-render/renamed-from";
const CLAIM: &str = "PersistentVolumeClaim";

/// Judges a step that is about to be done.
pub(super) fn before(world: &mut World, step: &Step, manifests: &[&Value]) {
    let id = id_of(step);
    let is_said = |reason: &Reason| !reason.code.is_empty() && !reason.message.is_empty();
    if step.reasons.is_empty() || !step.reasons.iter().all(is_said) {
        world.breach("reason", format!("{id:?} has none"));
    }
    // who does not see that a name is taken may try to make the object: an API server refuses that
    let is_refused = world.sight != Sight::Clear && step.action == Action::Create;
    if world.foreign.contains_key(&id) && !is_refused {
        world.breach("foreign", format!("{:?} {id:?}", step.action));
    }
    let takes = matches!(step.action, Action::Delete | Action::Replace);
    if id.0 == "Pod" && takes {
        budget(world, &id);
        if step.action == Action::Replace {
            needless(world, &id, step);
            lost(world, &id);
        }
        world.taken.insert(id.clone());
    }
    if id.0 == CLAIM && step.action == Action::Delete {
        claim_goes(world, &id);
    }
    if id.0 == "Pod" && matches!(step.action, Action::Create | Action::Replace) {
        config_first(world, &id, manifests);
    }
}

/// Judges a step that was done.
pub(super) fn after(world: &mut World, step: &Step, before: Option<&Value>) {
    let id = id_of(step);
    if id.0 == CLAIM && step.action == Action::Patch {
        let size = |claim: Option<&Value>| {
            let text = &claim?["spec"]["resources"]["requests"]["storage"];
            Amount::parse(text.as_str()?).ok()
        };
        let (from, to) = (size(before), size(world.get(&id)));
        if from.is_some() && from > to {
            world.breach("claim-shrinks", format!("{id:?}: from {from:?} to {to:?}"));
        }
    }
    if id.0 == "Pod" && matches!(step.action, Action::Create | Action::Replace) {
        right(world, &id);
    }
    one_user(world);
}

/// The instance's place in the fleet that a pod is, or was, of: the names of all pods by which the
/// instance serves.
fn places(world: &World, document: &Value) -> Vec<Vec<Id>> {
    let name = document["metadata"]["name"].as_str().unwrap_or_default();
    let annotations = &document["metadata"]["annotations"];
    if annotations["cosmos-render/remove-fleet"].is_string() {
        return Vec::new();
    }
    let former = annotations[FORMER].as_str();
    let candidates = candidates(world, name);
    let of_former = former.map(|former| {
        let documents = world.documents.iter();
        documents
            .clone()
            .find(|d| d["metadata"]["name"] == *former)
            .map(ordinals)
    });
    let mut places = Vec::new();
    for ordinal in ordinals(document) {
        let own = format!("{name}-{ordinal}");
        let disabled = &document["spec"]["instanceOverrides"][&own]["disable"];
        if disabled.is_string() || candidates.contains(&own) {
            continue;
        }
        let mut pods = vec![key("Pod", &own)];
        let kept = of_former.clone().flatten();
        if let Some(former) = former
            && kept.is_none_or(|kept| !kept.contains(&ordinal))
        {
            pods.push(key("Pod", &format!("{former}-{ordinal}")));
        }
        places.push(pods);
    }
    places
}

/// Pods that are away for a scheduled snapshot.
fn candidates(world: &World, fleet: &str) -> BTreeSet<String> {
    let document = world.get(&key("CosmosFullNode", fleet));
    let of = document.map(|document| &document["status"]["scheduledSnapshotStatus"]);
    let all = of.and_then(Value::as_object).into_iter().flatten();
    all.filter_map(|(_, c)| c["podCandidate"].as_str().map(str::to_owned))
        .collect()
}

/// No more instances are away because of the plan than the owner allows, those counted that were
/// known to be away before.
fn budget(world: &mut World, pod: &Id) {
    if !world.serves(pod) || world.sight == Sight::Lie {
        return;
    }
    let mut fault = None;
    for document in &world.documents {
        let places = places(world, document);
        if !places.iter().any(|pods| pods.contains(pod)) {
            continue;
        }
        let all = places.len();
        let allowed = match &document["spec"]["strategy"]["maxUnavailable"] {
            Value::Number(count) => usize::try_from(count.as_u64().unwrap_or(0)).unwrap(),
            Value::String(percent) => {
                all * percent.trim_end_matches('%').parse::<usize>().unwrap() / 100
            }
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => all / 4,
        };
        let allowed = allowed.clamp(1, all.max(1));
        let is_away = |pods: &&Vec<Id>| {
            let goes = pods.contains(pod);
            let counts = pods.iter().any(|pod| {
                world.taken.contains(pod)
                    || world.known_down.contains(pod) && world.served.contains(pod)
            });
            let serves = pods.iter().any(|pod| world.serves(pod));
            goes || counts && !serves
        };
        let away: Vec<&Vec<Id>> = places.iter().filter(is_away).collect();
        if away.len() > allowed {
            fault = Some(format!(
                "{pod:?} goes, then {away:?} are away, {allowed} may be"
            ));
        }
    }
    if let Some(fault) = fault {
        world.breach("budget", fault);
    }
}

/// A pod that serves, and runs what is asked for, does not restart.
fn needless(world: &mut World, pod: &Id, step: &Step) {
    let Some(object) = world.get(pod) else { return };
    let instance = instance_of(object);
    let is_by_height = world
        .document_of(&instance)
        .is_some_and(|d| !d["spec"]["chain"]["versions"].is_null());
    let is_excused = world.excused.contains(&instance) || world.excused.contains(&pod.2);
    if !world.serves(pod) || is_excused || is_by_height {
        return;
    }
    let (was, is) = (world.started.get(pod), world.asked_of(pod));
    // one that restarts in the plan which takes its load balancer away starts with the old address,
    // as with the reference, and once more when that is gone
    if was == Some(&is) && !world.tells_of_none(pod) {
        let why: Vec<&str> = step.reasons.iter().map(|r| r.message.as_str()).collect();
        world.breach("needless-restart", format!("{pod:?}: {why:?}"));
    }
}

/// A pod that serves on a volume that is gone is left alone: no other starts there.
fn lost(world: &mut World, pod: &Id) {
    let Some(object) = world.get(pod).filter(|_| world.serves(pod)) else {
        return;
    };
    let is_lost = |name: &String| {
        let claim = world.get(&key(CLAIM, name));
        claim.is_some_and(|claim| claim["status"]["phase"] == "Lost")
    };
    let claim = mounts(object).into_iter().find(is_lost);
    if let Some(claim) = claim.filter(|_| world.sight == Sight::Clear) {
        world.breach("volume-lost", format!("{pod:?} goes, and {claim} is lost"));
    }
}

/// What a pod reads when it starts is there and right.
fn config_first(world: &mut World, pod: &Id, manifests: &[&Value]) {
    let manifest = manifests.iter().find(|m| id(m) == *pod);
    let Some(manifest) = manifest else { return };
    if manifest["metadata"]["labels"][names::BELONGS_TO].is_string() {
        return;
    }
    let name = key("ConfigMap", &pod.2);
    let wanted = manifests.iter().find(|m| id(m) == name);
    let live = world.get(&name).filter(|config| !is_terminating(config));
    let is_right = match (wanted, live) {
        (Some(wanted), Some(live)) => {
            let texts = wanted["data"].as_object().into_iter().flatten();
            let mut texts = texts.map(|(file, text)| (&live["data"][file], text));
            texts.all(|(is, wanted)| says(is) == says(wanted))
        }
        (None, Some(_)) => true,
        (_, None) => false,
    };
    if !is_right {
        world.breach(
            "config-before-pod",
            format!("{pod:?} starts before its config"),
        );
    }
    let account = manifest["spec"]["serviceAccountName"]
        .as_str()
        .unwrap_or("default");
    let account = key("ServiceAccount", account);
    let is_ours = manifests.iter().any(|m| id(m) == account);
    if is_ours && world.get(&account).is_none() {
        world.breach(
            "config-before-pod",
            format!("{pod:?} starts before {account:?}"),
        );
    }
}

/// What a file of a config says, however it is written.
fn says(text: &Value) -> Option<toml::Table> {
    text.as_str()?.parse().ok()
}

/// A pod that started has what the document asks for.
fn right(world: &mut World, pod: &Id) {
    let Some(object) = world.get(pod) else { return };
    if object["metadata"]["labels"][names::BELONGS_TO].is_string() {
        return;
    }
    let Some(document) = world.document_of(&pod.2) else {
        world.breach("not-asked-for", format!("{pod:?} is made"));
        return;
    };
    let mut wrong = Vec::new();
    let node = container(object, "node");
    let image = super::asked::image(document, &pod.2);
    if !image.is_null() && node["image"] != image {
        wrong.push(format!("image {} instead of {image}", node["image"]));
    }
    let patch = container(&document["spec"]["podTemplate"], "node");
    for variable in patch["env"].as_array().into_iter().flatten() {
        let env = node["env"].as_array();
        if !env.is_some_and(|env| env.contains(variable)) {
            wrong.push(format!("env {variable} is not there"));
        }
    }
    let config = world.get(&key("ConfigMap", &pod.2));
    let text = |file: &str| {
        let data = config.map(|config| &config["data"][file]);
        data.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let (comet, app) = (text("config-overlay.toml"), text("app-overlay.toml"));
    let chain = &document["spec"]["chain"];
    let expected = [
        (&comet, &chain["config"]["seeds"]),
        (&comet, &chain["config"]["peers"]),
        (&app, &chain["app"]["minGasPrice"]),
        (
            &comet,
            &document["spec"]["instanceOverrides"][&pod.2]["externalAddress"],
        ),
    ];
    for (text, value) in expected {
        if value.as_str().is_some_and(|value| !text.contains(value)) {
            wrong.push(format!("{value} is not in its config"));
        }
    }
    for (text, more) in [
        (&comet, &chain["config"]["overrides"]),
        (&app, &chain["app"]["overrides"]),
    ] {
        let lines = more.as_str().unwrap_or_default().lines();
        for line in lines.filter(|line| !text.contains(line)) {
            wrong.push(format!("{line} is not in its config"));
        }
    }
    if !wrong.is_empty() {
        world.breach("started-wrong", format!("{pod:?}: {wrong:?}"));
    }
}

fn container<'v>(spec: &'v Value, name: &str) -> &'v Value {
    let at = if spec["spec"].is_object() {
        &spec["spec"]
    } else {
        spec
    };
    let mut all = at["containers"].as_array().into_iter().flatten();
    all.find(|c| c["name"] == *name).unwrap_or(&Value::Null)
}

/// A claim goes only where nothing uses it, and where its owner lets it.
fn claim_goes(world: &mut World, claim: &Id) {
    let users: Vec<String> = world.users(claim).iter().map(|pod| id(pod).2).collect();
    // who sees no pods is warned of that, and cannot know; the API server keeps what is in use
    if !users.is_empty() && world.sight != Sight::WithoutPods {
        world.breach("claim-in-use", format!("{claim:?} goes under {users:?}"));
    }
    let Some(object) = world.get(claim) else {
        return;
    };
    let uid = object["metadata"]["uid"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let entry = format!("{}={uid}", claim.2);
    let is_named = |document: &Value| {
        let annotations = ["restore-claims", "resync-claims", "delete-claims"];
        let texts = annotations
            .map(|a| document["metadata"]["annotations"][format!("cosmos-render/{a}")].as_str());
        let mut entries = texts.into_iter().flatten().flat_map(|text| text.split(','));
        entries.any(|e| e == entry)
    };
    if world.documents.iter().any(is_named) || moves(world, claim, object) {
        return;
    }
    let is_retained = world.retained.contains(&uid);
    let fleet = claim
        .2
        .strip_prefix("pvc-")
        .and_then(|name| name.rsplit_once('-'));
    let (fleet, ordinal) = fleet.unwrap_or_default();
    let ordinal: u64 = ordinal.parse().unwrap_or_default();
    let document = world
        .documents
        .iter()
        .find(|d| d["metadata"]["name"] == *fleet);
    let why = match document {
        None => Some("nobody's document says so"),
        Some(_) if is_retained => Some("it was retained"),
        Some(d) => {
            let policy = d["spec"]["volumeRetentionPolicy"].as_str();
            let goes = !d["metadata"]["annotations"]["cosmos-render/remove-fleet"].is_null();
            let own = format!("{fleet}-{ordinal}");
            let is_off = d["spec"]["instanceOverrides"][&own]["disable"] == "All";
            let is_wanted = ordinals(d).contains(&ordinal) && !goes && !is_off;
            match policy {
                Some("Retain") => Some("claims are retained"),
                None if goes => Some("the document says nothing of the fleet's claims"),
                _ if is_wanted => Some("its instance is asked for"),
                _ => None,
            }
        }
    };
    if let Some(why) = why {
        world.breach("claim-lost", format!("{claim:?} goes, though {why}"));
    }
}

/// Whether a claim goes because its volume goes on under another name.
fn moves(world: &World, claim: &Id, object: &Value) -> bool {
    let name = claim
        .2
        .strip_prefix("pvc-")
        .and_then(|name| name.rsplit_once('-'));
    let (fleet, ordinal) = name.unwrap_or_default();
    let ordinal: u64 = ordinal.parse().unwrap_or_default();
    let mut documents = world.documents.iter();
    let is_heir = documents
        .any(|d| d["metadata"]["annotations"][FORMER] == *fleet && ordinals(d).contains(&ordinal));
    let volume = object["spec"]["volumeName"].as_str().unwrap_or_default();
    let volume = world.get(&key("PersistentVolume", volume));
    let is_kept = volume.is_some_and(|v| v["spec"]["persistentVolumeReclaimPolicy"] == "Retain");
    is_heir && is_kept
}

/// No claim, and no volume, is used by two instances at a time.
fn one_user(world: &mut World) {
    let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for pod in world.cluster.of_kind("Pod") {
        for name in mounts(pod) {
            let claim = world.get(&key(CLAIM, &name));
            let volume = claim.and_then(|claim| claim["spec"]["volumeName"].as_str());
            let users = users.entry(volume.unwrap_or(&name).to_owned());
            users.or_default().insert(instance_of(pod));
        }
    }
    let all = users.into_iter().find(|(_, users)| users.len() > 1);
    if let Some((volume, users)) = all {
        world.breach("two-users", format!("{volume} is used by {users:?}"));
    }
}

/// What a gate waits for can come about.
pub(super) fn gates(world: &mut World, wave: &Wave) {
    for gate in &wave.gate {
        let id = of_gate(gate);
        let live = world.get(&id);
        let is_hopeless = match gate.condition {
            Condition::PodReady => live.is_none_or(is_terminating),
            Condition::Gone => live.is_some_and(|live| !is_terminating(live)),
        };
        // somebody else may have taken it meanwhile
        if is_hopeless && !world.is_broken {
            world.breach(
                "gate",
                format!("{:?} of {id:?} never comes", gate.condition),
            );
        }
    }
}

/// A gate that stays shut has a reason.
pub(super) fn shut_gate(world: &mut World, wave: &Wave) {
    if !world.is_broken {
        let gates: Vec<String> = wave.gate.iter().map(|g| format!("{g:?}")).collect();
        world.breach(
            "gate",
            format!("wave `{}` waits for ever: {gates:?}", wave.title),
        );
    }
}

/// Judges the cluster once nothing is left to do: all that is asked for is there and runs, but for
/// what the plan says that it waits or is blocked.
pub(super) fn at_rest(world: &mut World, left: &BTreeSet<String>, is_refused: bool) {
    let foreign: Vec<(Id, Value)> = world.foreign.clone().into_iter().collect();
    // what controllers write of an object is theirs: claims of others are bound as well
    let settled = |object: &Value| {
        let mut object = object.clone();
        object["status"] = Value::Null;
        object
    };
    for (id, was) in foreign {
        if world.get(&id).map(settled) != Some(settled(&was)) {
            world.breach("foreign", format!("{id:?} is another"));
        }
    }
    if is_refused {
        return;
    }
    let mut missed = Vec::new();
    for document in &world.documents {
        let annotations = &document["metadata"]["annotations"];
        if !annotations["cosmos-render/remove-fleet"].is_null() {
            continue;
        }
        let name = document["metadata"]["name"].as_str().unwrap_or_default();
        let away = candidates(world, name);
        for instance in instances(document) {
            let disabled = document["spec"]["instanceOverrides"][&instance]["disable"].as_str();
            let is_left = left.contains(&instance) || left.contains(&format!("pvc-{instance}"));
            if is_left || away.contains(&instance) {
                continue;
            }
            missed.extend(instance_missed(world, document, &instance, disabled));
            missed.extend(additional_missed(world, document, &instance, left));
        }
    }
    for message in missed {
        world.breach("missed", message);
    }
}

fn instance_missed(
    world: &World,
    document: &Value,
    instance: &str,
    disabled: Option<&str>,
) -> Vec<String> {
    let mut missed = Vec::new();
    let pod = key("Pod", instance);
    match (world.get(&pod), disabled) {
        (None, None) => missed.push(format!("{instance} is not there")),
        // what somebody else runs under that name is his
        (Some(_), Some(_)) if world.foreign.contains_key(&pod) => {}
        (Some(_), Some(_)) => missed.push(format!("{instance} runs, and is disabled")),
        (None, Some(_)) => {}
        (Some(_), None) => {
            let (was, is) = (world.started.get(&pod), world.asked_of(&pod));
            let by_height = !document["spec"]["chain"]["versions"].is_null();
            if !world.is_as_asked(&pod) && !by_height {
                let was = was.cloned().unwrap_or_else(|| json!("nothing known"));
                missed.push(format!(
                    "{instance} did not restart: asked {is}, started with {was}"
                ));
            }
            let tolerated = document["spec"]["podTemplate"]["tolerations"].as_array();
            let has = |toleration: &&Value| {
                let all = world.get(&pod).map(|pod| &pod["spec"]["tolerations"]);
                let all = all.and_then(Value::as_array);
                all.is_some_and(|all| all.contains(*toleration))
            };
            if let Some(lacking) = tolerated.into_iter().flatten().find(|t| !has(t)) {
                missed.push(format!("{instance} does not tolerate {lacking}"));
            }
            if world.tells_of_none(&pod) {
                missed.push(format!("{instance} tells of an address that is gone"));
            }
        }
    }
    if world.get(&key("ConfigMap", instance)).is_none() {
        missed.push(format!("ConfigMap {instance} is not there"));
    }
    let claim = key(CLAIM, &format!("pvc-{instance}"));
    match world.get(&claim) {
        None if disabled != Some("All") => missed.push(format!("{claim:?} is not there")),
        Some(object) if object["status"]["phase"] == "Pending" => {
            missed.push(format!("{claim:?} is not bound"));
        }
        None | Some(_) => {}
    }
    missed
}

fn additional_missed(
    world: &World,
    document: &Value,
    instance: &str,
    left: &BTreeSet<String>,
) -> Vec<String> {
    let mut missed = Vec::new();
    let ordinal = instance
        .rsplit_once('-')
        .map(|(_, n)| n)
        .unwrap_or_default();
    for template in document["spec"]["additionalVersionedPods"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let name = format!(
            "{}-{ordinal}",
            template["name"].as_str().unwrap_or_default()
        );
        let own = &document["spec"]["instanceOverrides"][&name]["disable"];
        let pod = key("Pod", &name);
        if left.contains(&name) {
            continue;
        }
        match (world.get(&pod), own.is_string()) {
            (None, false) => missed.push(format!("{name} is not there")),
            (Some(_), false) => {
                let (was, is) = (world.started.get(&pod), world.asked_of(&pod));
                if was != Some(&is) {
                    missed.push(format!("{name} did not restart: asked {is}, {was:?}"));
                }
            }
            (_, true) => {}
        }
    }
    missed
}
