//! One case: a cluster at rest, in which something breaks, a document changes, and plans are carried
//! out that are stopped, hindered or made of old news; then all is mended, and has to come to rest.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::{Options, Outcome, Request, run};
use super::Dice;
use super::bases::{BASES, base, specs};
use super::documents::wish;
use super::events::{acknowledge, fault, hang, kill};
use super::judge;
use super::world::{Ended, Sight, World};
use crate::model::{Kind, Source};
use crate::plan::{Step, Wave};
use crate::render::{Style, json as json_text, text};

/// So many plans must suffice once nothing is in the way.
const ROUNDS: usize = 8;

/// What a case went through.
#[derive(Debug, Default)]
pub(super) struct Tale {
    /// The documents of the last plan.
    pub(super) specs: Vec<Source>,
    /// The cluster of the last plan.
    pub(super) snapshot: Vec<Source>,
    /// Whether somebody wants to read what happened: to write each plan down takes time.
    pub(super) is_told: bool,
    /// What happened.
    pub(super) lines: Vec<String>,
    /// What must not have happened.
    pub(super) breaches: Vec<String>,
}

/// Plays a case, and leaves what is wrong in the tale.
pub(super) fn play(dice: &mut Dice, tale: &mut Tale) {
    let number = dice.below(BASES);
    let mut world = base(number);
    tale.lines.push(format!("base {number}"));
    if !dice.flip() {
        for _ in 0..=dice.below(2) {
            fault(&mut world, dice);
        }
    }
    change(&mut world, dice);
    for _ in 0..dice.below(3) {
        hindered(&mut world, dice, tale);
    }
    if world.breaches.is_empty() {
        rest(&mut world, dice, tale);
    }
    tale.breaches = std::mem::take(&mut world.breaches);
}

/// The owner asks for something else, or for nothing.
fn change(world: &mut World, dice: &mut Dice) {
    let wishes = match dice.below(10) {
        0..=5 => 1,
        6 => 2,
        7 => 3,
        8 => {
            acknowledge(world, dice);
            dice.below(2)
        }
        _ => 0,
    };
    for _ in 0..wishes {
        let at = dice.below(world.documents.len());
        wish(&mut world.documents[at], dice);
    }
    if dice.flip() {
        deliver(world);
    }
}

/// The documents are in the cluster as well. The API server counts what is asked for anew, so that
/// nobody is taken to have acted on it who did not say so.
fn deliver(world: &mut World) {
    for document in &world.documents {
        let id = super::model::id(document);
        if let Some(live) = world.cluster.objects.get_mut(&id)
            && live["spec"] != document["spec"]
        {
            live["spec"] = document["spec"].clone();
            if let Some(generation) = live["metadata"]["generation"].as_i64() {
                live["metadata"]["generation"] = json!(generation + 1);
            }
        }
    }
}

/// Plans, with what is seen of the cluster; `None` where nothing can be planned.
fn plan(world: &mut World, seen: Source, tale: &mut Tale) -> Option<Outcome> {
    tale.specs = specs(world);
    tale.snapshot = vec![seen];
    let request = Request {
        specs: tale.specs.clone(),
        snapshot: Some(tale.snapshot.clone()),
        options: Options::default(),
    };
    let reported = run(&request);
    for fault in reported
        .diagnostics
        .iter()
        .filter(|d| d.code == "internal-breach")
    {
        world.breach("check", &fault.message);
    }
    if tale.is_told {
        let told = match &reported.value {
            Some(outcome) => text::plan(&outcome.plan, Style::Plain, text::Detail::Every),
            None => format!("refused: {:?}", reported.diagnostics),
        };
        tale.lines.push(told);
    }
    reported.value
}

/// The same inputs, in another order, give the same bytes.
fn same_bytes(world: &mut World, dice: &mut Dice, tale: &Tale) {
    let parts = in_parts(world, dice);
    same_as(world, &tale.specs, parts);
}

/// The cluster in two files, in any order.
pub(super) fn in_parts(world: &World, dice: &mut Dice) -> Vec<Source> {
    let whole: Value = serde_json::from_slice(&world.cluster.source().bytes).unwrap();
    let mut objects = whole["items"].as_array().unwrap().clone();
    dice.shuffle(&mut objects);
    let halves = objects.split_off(objects.len() / 2);
    let list = |name: &str, items: &[Value]| Source {
        name: name.to_owned(),
        bytes: json!({"kind": "List", "apiVersion": "v1", "items": items})
            .to_string()
            .into_bytes(),
    };
    vec![list("a.json", &halves), list("b.json", &objects)]
}

/// These files give what the cluster as a whole gives.
pub(super) fn same_as(world: &mut World, specs: &[Source], parts: Vec<Source>) {
    let outputs = |snapshot: Vec<Source>| {
        let request = Request {
            specs: specs.iter().rev().cloned().collect(),
            snapshot: Some(snapshot),
            options: Options::default(),
        };
        let reported = run(&request);
        let Some(mut outcome) = reported.value else {
            return format!("{:#?}", reported.diagnostics);
        };
        outcome.plan.inputs = crate::plan::Inputs::default();
        let objects = outcome.manifests.iter().map(|f| format!("{f:?}"));
        json_text::plan(&outcome.plan).unwrap() + &objects.collect::<Vec<_>>().join("\n")
    };
    if outputs(vec![world.cluster.source()]) != outputs(parts) {
        world.breach("same-bytes", "another order of inputs gives another output");
    }
}

fn carry_out(world: &mut World, outcome: &Outcome, waves: usize) -> Ended {
    let made_anew = outcome.manifests.iter().flat_map(|f| &f.made_anew);
    let objects = outcome.manifests.iter().flat_map(|f| &f.objects);
    let manifests: Vec<&Value> = made_anew.chain(objects).collect();
    for fleet in &outcome.plan.fleets {
        for wave in fleet.waves.iter().take(waves) {
            let steps: Vec<&Step> = wave.steps.iter().collect();
            let ended = world.wave(wave, &steps, &manifests);
            if ended != Ended::Whole || !world.breaches.is_empty() {
                return ended;
            }
        }
    }
    Ended::Whole
}

/// One plan that is not carried out to its end, or is made of what is not so.
fn hindered(world: &mut World, dice: &mut Dice, tale: &mut Tale) {
    if !world.breaches.is_empty() {
        return;
    }
    let way = dice.below(8);
    tale.lines.push(format!("hindered {way}"));
    let (seen, sight) = if way >= 6 {
        blurred(world, dice)
    } else {
        (world.cluster.source(), Sight::Clear)
    };
    world.look(sight);
    let Some(outcome) = plan(world, seen, tale) else {
        return;
    };
    if dice.once_in(8) {
        same_bytes(world, dice, tale);
    }
    let waves: usize = outcome
        .plan
        .fleets
        .iter()
        .map(|f| f.waves.len())
        .max()
        .unwrap_or(0);
    let stop = dice.below(waves + 1);
    match way {
        0 | 1 => {
            carry_out(world, &outcome, stop);
        }
        2 | 3 if carry_out(world, &outcome, stop) == Ended::Whole => {
            half(world, &outcome, stop, dice);
        }
        4 => {
            if carry_out(world, &outcome, stop) == Ended::Whole {
                half(world, &outcome, stop, dice);
            }
            world.is_broken = true;
            let starting: Vec<_> = world.starting.iter().cloned().collect();
            if starting.is_empty() {
                hang(world, dice);
            } else {
                world.stuck.insert(dice.pick(&starting).clone());
            }
        }
        5 => {
            carry_out(world, &outcome, stop);
            match dice.below(3) {
                0 => kill(world, dice),
                1 => fault(world, dice),
                _ => change(world, dice),
            }
            world.is_broken = true;
        }
        6 => {
            world.is_broken = true;
            carry_out(world, &outcome, stop);
        }
        _ => {}
    }
    for _ in 0..dice.below(3) {
        world.pass();
    }
}

/// Some steps of a wave, in any order; its gate is not waited for.
fn half(world: &mut World, outcome: &Outcome, at: usize, dice: &mut Dice) {
    let made_anew = outcome.manifests.iter().flat_map(|f| &f.made_anew);
    let objects = outcome.manifests.iter().flat_map(|f| &f.objects);
    let manifests: Vec<&Value> = made_anew.chain(objects).collect();
    for fleet in &outcome.plan.fleets {
        let Some(wave) = fleet.waves.get(at) else {
            continue;
        };
        let mut steps: Vec<&Step> = wave.steps.iter().collect();
        dice.shuffle(&mut steps);
        steps.truncate(steps.len() / 2);
        let without_gate = Wave {
            gate: Vec::new(),
            ..wave.clone()
        };
        world.wave(&without_gate, &steps, &manifests);
    }
}

/// The cluster as somebody sees it who does not see well: a kind is missing, or the status is old,
/// or says the contrary.
fn blurred(world: &World, dice: &mut Dice) -> (Source, Sight) {
    let mut seen = world.cluster.clone();
    let kinds = [
        "Pod",
        "PersistentVolumeClaim",
        "ConfigMap",
        "Service",
        "CosmosFullNode",
        "StorageClass",
    ];
    let way = dice.below(4);
    let mut sight = if way == 3 { Sight::Lie } else { Sight::Blurred };
    if way == 0 {
        let kind = *dice.pick(&kinds);
        if kind == "Pod" {
            sight = Sight::WithoutPods;
        }
        seen.objects.retain(|(of, ..), _| of != kind);
    }
    for document in seen.objects.values_mut() {
        if document["kind"] != "CosmosFullNode" {
            continue;
        }
        let Some(sync) = document["status"]["sync"].as_object_mut() else {
            continue;
        };
        for (_, entry) in sync.iter_mut() {
            match way {
                1 => entry["timestamp"] = json!("2020-01-01T00:00:00Z"),
                2 => entry["timestamp"] = json!("soon"),
                3 => entry["inSync"] = json!(dice.flip()),
                // what is left beside a kind that is missing is true: the judge counts who serves
                _ => {}
            }
        }
    }
    (seen.source(), sight)
}

/// Everything is mended: plans are made and carried out until nothing is left.
fn rest(world: &mut World, dice: &mut Dice, tale: &mut Tale) {
    let act = |world: &mut World, outcome: &Outcome| {
        carry_out(world, outcome, usize::MAX);
    };
    rest_by(&act, world, dice, tale);
}

/// The same, where `act` does what a plan says.
pub(super) fn rest_by(
    act: &dyn Fn(&mut World, &Outcome),
    world: &mut World,
    dice: &mut Dice,
    tale: &mut Tale,
) {
    world.heal();
    for round in 0..ROUNDS {
        world.look(Sight::Clear);
        let seen = world.cluster.source();
        let Some(outcome) = plan(world, seen, tale) else {
            judge::at_rest(world, &BTreeSet::new(), true);
            return;
        };
        if round == 0 && dice.once_in(8) {
            same_bytes(world, dice, tale);
        }
        if outcome
            .plan
            .fleets
            .iter()
            .all(|fleet| fleet.waves.is_empty())
        {
            judge::at_rest(world, &left(&outcome), false);
            return;
        }
        act(world, &outcome);
        if !world.breaches.is_empty() {
            return;
        }
        for _ in 0..5 {
            world.pass();
        }
    }
    world.breach(
        "ends",
        format!("there is something to do after {ROUNDS} plans"),
    );
}

/// The pods that a plan leaves alone, and says so.
fn left(outcome: &Outcome) -> BTreeSet<String> {
    let fleets = &outcome.plan.fleets;
    let waiting = fleets.iter().flat_map(|fleet| &fleet.waiting);
    let waiting = waiting
        .filter(|waiting| waiting.on != "its next restart")
        .map(|waiting| &waiting.object);
    let blocked = fleets.iter().flat_map(|fleet| &fleet.blocked);
    let blocked = blocked
        .filter_map(|notice| notice.object.as_ref())
        .filter(|object| matches!(object.kind, Kind::Pod | Kind::ConfigMap));
    waiting
        .chain(blocked)
        .map(|object| object.name.clone())
        .collect()
}
