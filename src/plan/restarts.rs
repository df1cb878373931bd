//! Which pods restart, and in which batches: those that are away anyway first, then the others
//! within the budget.

mod gone;

use std::collections::{BTreeMap, BTreeSet};

use super::heirs::Heirs;
use super::migrate::{Batches, Move, is_mounted};
use super::{Chain, Change, Effect, Reason, Waiting, budget, halting, reasons, waiting_until};
use crate::desired::{Desired, Manifest, Role};
use crate::diff::{Comparison, Difference, Differences, Standing};
use crate::live::availability::Availability;
use crate::live::{Live, troubles};
use crate::model::{Notice, ObjectKey, Ordinal};
use crate::spec::FullNode;

/// A pod that restarts, and why.
#[derive(Debug, Clone)]
pub(super) struct Due {
    pub(super) object: ObjectKey,
    pub(super) ordinal: Ordinal,
    pub(super) reasons: Vec<Reason>,
    pub(super) changes: Vec<Change>,
    /// The main pod's name (its own, for a main pod).
    pub(super) main: String,
}

/// The restarts of a fleet.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    /// Pods that are away anyway: they go first, and use no budget.
    pub(super) down: Vec<Due>,
    /// Pods that must be ready before the first batch: they are away, nothing restarts them, and
    /// the budget is used up.
    pub(super) first_ready: Vec<ObjectKey>,
    /// The batches of pods that serve, in order.
    pub(super) batches: Vec<Vec<Due>>,
    /// Instances whose claim is made anew, with their pods that are there: those that are away
    /// anyway, and those that serve. The first go in batches as well, since data may go.
    pub(super) moving: Batches,
    /// What waits.
    pub(super) waiting: Vec<Waiting>,
    /// The pods that restart, by name.
    pub(super) due: BTreeSet<String>,
    /// Instances whose claim is not made anew while the budget is used up, by the name of their pod.
    pub(super) put_off: BTreeSet<String>,
    /// What those wait for.
    pub(super) put_off_until: String,
    /// Instances that are away and that this plan does not bring back: they use up the budget.
    pub(super) gone: Vec<String>,
    /// The pods that must halt first, by name.
    pub(super) halting: BTreeSet<String>,
    /// What the owner should know of those.
    pub(super) warnings: Vec<Notice>,
}

/// What decides on restarts.
pub(super) struct Situation<'s> {
    pub(super) fleet: &'s FullNode,
    /// The cluster.
    pub(super) live: &'s Live<'s>,
    /// Ordinals whose claim or config cannot be used: a pod would not come back there.
    pub(super) without_base: &'s BTreeSet<Ordinal>,
    pub(super) desired: &'s Desired,
    pub(super) availability: &'s BTreeMap<String, Availability>,
    /// Pods that were born with their claim and never were in sync (design.md, safety rule 11).
    pub(super) newcomers: &'s BTreeSet<String>,
    /// Instances whose file system waits for a restart to grow, by the name of their pod.
    pub(super) resizes: &'s BTreeSet<String>,
    /// What the fleet takes over from its former name.
    pub(super) heirs: &'s Heirs,
    /// Claims that are made anew.
    pub(super) moves: &'s BTreeMap<Ordinal, Move<'s>>,
    /// What was observed of the chain.
    pub(super) chain: &'s Chain,
    /// Whether what waits for a restart is rolled out now.
    pub(super) refresh: bool,
}

pub(super) fn decide(differences: &Differences<'_, '_>, situation: &Situation<'_>) -> Restarts {
    let mut restarts = Restarts::default();
    let mut units: BTreeMap<Ordinal, Vec<Due>> = BTreeMap::new();
    let pods = differences
        .objects
        .iter()
        .filter(|d| d.manifest.role.is_pod());
    for difference in pods {
        let Standing::Present(comparison) = &difference.standing else {
            continue;
        };
        match judge(difference, comparison, situation) {
            Verdict::Due(due) => units.entry(due.ordinal).or_default().push(due),
            Verdict::Waits(waiting) => restarts.waiting.push(waiting),
            Verdict::HaltsFirst(waiting, notice) => {
                restarts.halting.insert(waiting.object.name.clone());
                restarts.waiting.push(waiting);
                restarts.warnings.extend(notice);
            }
            Verdict::UpToDate => {}
        }
    }
    hold_with_main(&mut units, &mut restarts);
    for due in units.values().flatten() {
        restarts.due.insert(due.object.name.clone());
    }
    let present: BTreeSet<&str> = differences
        .objects
        .iter()
        .filter(|d| d.manifest.role == Role::Pod && matches!(d.standing, Standing::Present(_)))
        .map(|d| d.manifest.key.name.as_str())
        .collect();
    restarts.gone = gone::find(differences, situation);
    batch(units, &present, &mut restarts, situation);
    restarts
}

/// Nothing that serves goes while those that are gone for good use up the budget.
fn put_off(up: Vec<Vec<Due>>, moving: Vec<(&Move<'_>, Vec<Due>)>, restarts: &mut Restarts) {
    let on = format!(
        "{} to be back: it is away, and the budget is used up",
        restarts.gone.join(", ")
    );
    for (moved, _) in &moving {
        restarts.put_off.insert(moved.instance.name.clone());
    }
    let units = up.into_iter().chain(moving.into_iter().map(|(_, due)| due));
    for due in units.flatten() {
        restarts.due.remove(&due.object.name);
        let waiting = waiting_until(&due.object, &on, due.changes);
        restarts.waiting.push(waiting);
    }
    restarts.put_off_until = on;
}

enum Verdict {
    Due(Due),
    Waits(Waiting),
    HaltsFirst(Waiting, Option<Notice>),
    UpToDate,
}

fn judge(difference: &Difference<'_, '_>, comparison: &Comparison, s: &Situation<'_>) -> Verdict {
    let manifest = difference.manifest;
    let name = manifest.key.name.as_str();
    let mut why = reasons::of_restart(&comparison.changes, &comparison.causes);
    let moved = manifest.ordinal.and_then(|ordinal| s.moves.get(&ordinal));
    let is_main = manifest.role == Role::Pod;
    if moved.is_some_and(|moved| is_main || is_mounted(moved, difference.live)) {
        why.push(reasons::reason(
            "ClaimMadeAnew",
            "its claim is made anew, as an annotation asks",
        ));
    } else if s.resizes.contains(name) {
        why.push(reasons::reason(
            "FileSystemResizePending",
            "its volume has grown, and the file system grows when the pod restarts",
        ));
    }
    if let Some(ended) = difference.live.and_then(troubles::failed) {
        let message = format!("{ended}, and never runs again by itself");
        why.push(reasons::reason("PodFailed", message));
    }
    let rides_along = comparison.has(Effect::NextRestart);
    if s.refresh && rides_along {
        why.push(reasons::reason(
            "Refresh",
            "what waits for a restart is asked to be rolled out",
        ));
    }
    let of_restart = |change: &&Change| change.effect != Effect::InPlace;
    let changes: Vec<Change> = comparison
        .changes
        .iter()
        .filter(of_restart)
        .cloned()
        .collect();
    if why.is_empty() {
        return if rides_along {
            Verdict::Waits(waiting_until(&manifest.key, "its next restart", changes))
        } else {
            Verdict::UpToDate
        };
    }
    if manifest
        .ordinal
        .is_some_and(|ordinal| s.without_base.contains(&ordinal))
    {
        let on = "its claim and its ConfigMap to be usable";
        return Verdict::Waits(waiting_until(&manifest.key, on, changes));
    }
    if let Some(hold) = halting::hold(s, manifest, comparison) {
        let waiting = waiting_until(&manifest.key, &hold.on, changes);
        let notice = hold.notice.filter(|_| manifest.role == Role::Pod);
        let notice = notice.map(|(code, message)| Notice::on(manifest.key.clone(), code, message));
        return Verdict::HaltsFirst(waiting, notice);
    }
    Verdict::Due(Due {
        object: manifest.key.clone(),
        ordinal: manifest.ordinal.unwrap_or_default(),
        reasons: why,
        changes,
        main: main_of(manifest).to_owned(),
    })
}

/// Returns the name of a pod's main pod: its own, for a main pod.
pub(super) fn main_of(manifest: &Manifest) -> &str {
    let main = manifest.pod.as_ref().map(|notes| notes.main.as_str());
    main.filter(|main| !main.is_empty())
        .unwrap_or(&manifest.key.name)
}

/// An additional pod goes in its main pod's turn; where the main pod waits to halt, it waits too.
fn hold_with_main(units: &mut BTreeMap<Ordinal, Vec<Due>>, restarts: &mut Restarts) {
    let held = &restarts.halting;
    for unit in units.values_mut() {
        let (stay, go): (Vec<Due>, Vec<Due>) =
            unit.drain(..).partition(|due| held.contains(&due.main));
        *unit = go;
        for due in stay {
            let on = format!("its main pod {}", due.main);
            restarts
                .waiting
                .push(waiting_until(&due.object, &on, due.changes));
        }
    }
    units.retain(|_, unit| !unit.is_empty());
}

/// Puts the units into batches. Pods that are missing or on their way out come back before any
/// serving pod restarts, so that only those that are `present` can use up the budget, and those that
/// are gone and do not come back.
fn batch(
    mut units: BTreeMap<Ordinal, Vec<Due>>,
    present: &BTreeSet<&str>,
    restarts: &mut Restarts,
    s: &Situation<'_>,
) {
    let moving: Vec<(&Move<'_>, Vec<Due>)> = s
        .moves
        .iter()
        .filter(|(_, moved)| !restarts.halting.contains(&moved.instance.name))
        .map(|(ordinal, moved)| (moved, units.remove(ordinal).unwrap_or_default()))
        .collect();
    let is_down = |main: &str| is_down(main, s);
    // an additional pod that restarts does not bring its main pod back
    let all_due = units.values().flatten();
    let returned = all_due.filter(|due| due.object.name == due.main);
    let mut due_mains: BTreeSet<String> = returned.map(|due| due.main.clone()).collect();
    due_mains.extend(moving.iter().map(|(moved, _)| moved.instance.name.clone()));
    let is_away = |moved: &Move<'_>| {
        let main = moved.instance.name.as_str();
        !present.contains(main) || is_down(main)
    };
    let (moving_down, mut moving_up): (Vec<_>, Vec<_>) =
        moving.into_iter().partition(|(moved, _)| is_away(moved));
    let Sorted {
        down,
        newcomers,
        mut up,
    } = sorted(units, s);
    let counted = s
        .desired
        .instances
        .iter()
        .filter(|instance| instance.has_pod);
    let all_allowed = budget::of(s.fleet.max_unavailable, counted.clone().count());
    let allowed = all_allowed.saturating_sub(restarts.gone.len());
    if allowed == 0 {
        let (up, moving_up) = (std::mem::take(&mut up), std::mem::take(&mut moving_up));
        put_off(up, moving_up, restarts);
    }
    // the others that are away use the budget as well; those that never arrived do not
    let is_left_away = |name: &&String| {
        let stays = !due_mains.contains(*name) && !restarts.gone.contains(name);
        present.contains(name.as_str()) && is_down(name) && stays && !s.newcomers.contains(*name)
    };
    let own = counted.map(|instance| &instance.name).filter(is_left_away);
    let own = own.map(|name| pod_key(&s.fleet.key, name));
    let away: Vec<ObjectKey> = own.chain(s.heirs.away.iter().cloned()).collect();
    let left = allowed.saturating_sub(away.len());
    if !(up.is_empty() && moving_up.is_empty()) && left == 0 {
        restarts.first_ready = away;
    }
    let size = if left == 0 { allowed } else { left };
    restarts.moving = Batches {
        down: in_batches(moving_down, all_allowed),
        up: in_batches(moving_up, size),
    };
    restarts.down = down;
    for units in up.chunks(size.max(1)) {
        restarts
            .batches
            .push(units.iter().flatten().cloned().collect());
    }
    match restarts.batches.last_mut() {
        Some(last) => last.extend(newcomers),
        None => restarts.batches.push(newcomers),
    }
}

/// The units that restart, by what there is to lose.
#[derive(Default)]
struct Sorted {
    down: Vec<Due>,
    newcomers: Vec<Due>,
    up: Vec<Vec<Due>>,
}

fn sorted(units: BTreeMap<Ordinal, Vec<Due>>, s: &Situation<'_>) -> Sorted {
    let mut sorted = Sorted::default();
    for unit in units.into_values() {
        let main = main_name(&unit);
        if s.newcomers.contains(&main) {
            sorted.newcomers.extend(unit);
        } else if is_down(&main, s) {
            sorted.down.extend(unit);
        } else {
            sorted.up.push(unit);
        }
    }
    sorted
}

fn main_name(unit: &[Due]) -> String {
    unit.first().map(|due| due.main.clone()).unwrap_or_default()
}

fn is_down(main: &str, s: &Situation<'_>) -> bool {
    s.availability
        .get(main)
        .is_some_and(Availability::is_known_down)
}

fn in_batches(moving: Vec<(&Move<'_>, Vec<Due>)>, size: usize) -> Vec<BTreeMap<Ordinal, Vec<Due>>> {
    let mut moving = moving.into_iter().peekable();
    let mut batches = Vec::new();
    while moving.peek().is_some() {
        let batch = moving.by_ref().take(size.max(1));
        batches.push(batch.map(|(m, due)| (m.instance.ordinal, due)).collect());
    }
    batches
}

/// Returns the key of a pod of a fleet.
pub(super) fn pod_key(fleet: &crate::model::FleetKey, name: &str) -> ObjectKey {
    ObjectKey {
        api_version: "v1".to_owned(),
        kind: crate::model::Kind::Pod,
        namespace: fleet.namespace.clone(),
        name: name.to_owned(),
    }
}
