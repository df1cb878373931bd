//! Properties over many fleets: sound plans stay clean, and each kind of damage is seen.

use proptest::prelude::*;
use serde_json::json;

use super::fixture::{Shape, World, change, claim, gone, key, pod, ready, step};
use super::rules;
use crate::model::{Kind, Ordinal};
use crate::plan::Action;

fn subset(of: Ordinal) -> impl Strategy<Value = Vec<Ordinal>> {
    let all: Vec<Ordinal> = (0..of).collect();
    let size = 0..=all.len();
    proptest::sample::subsequence(all, size)
}

fn shapes() -> impl Strategy<Value = Shape> {
    let sizes = (1..9_i64, 0..4_i64, 0..4_i64, 1..5_usize, any::<bool>());
    sizes.prop_flat_map(|(kept, removed, added, budget, with_additional)| {
        let of = (subset(kept), subset(kept), subset(kept));
        of.prop_map(move |(missing, down, restarted)| Shape {
            kept,
            removed: if added > 0 { 0 } else { removed },
            added,
            restarted: without(restarted, &missing),
            down: without(down, &missing),
            missing,
            budget,
            with_additional,
        })
    })
}

fn without(all: Vec<Ordinal>, not: &[Ordinal]) -> Vec<Ordinal> {
    all.into_iter().filter(|n| !not.contains(n)).collect()
}

/// One kind of damage: returns the rule that it breaks, or `None` where the plan has nothing to
/// damage in that way.
type Damage = fn(&mut World, &Shape) -> Option<&'static str>;

const DAMAGES: [Damage; 18] = [
    |world, _| {
        let last = *restarts(world).last()?;
        let first = *restarts(world).first()?;
        world.plan.waves[first].gate.pop()?;
        (first < last).then_some(rules::RESTART_GATE)
    },
    |world, shape| {
        let (a, b) = (world.place("restart 0")?, world.place("restart 1")?);
        assert_eq!(world.plan.waves[a].steps[0].action, Action::Replace);
        let further = world.plan.waves[b].clone();
        world.plan.waves[a].steps.extend(further.steps);
        world.plan.waves[a].gate.extend(further.gate);
        world.plan.waves.remove(b);
        // More than the budget, since the first batch was full.
        (shape.budget < 9).then_some(rules::BUDGET)
    },
    |world, _| {
        let to = world.place("away")?;
        let from = world.place("claims")?;
        let steps = world.plan.waves.remove(from).steps;
        world.plan.waves[to].steps.extend(steps);
        Some(rules::CLAIM_IN_USE)
    },
    |world, _| {
        world.place("claims")?;
        world.wave("away").gate.clear();
        Some(rules::CLAIM_IN_USE)
    },
    |world, _| {
        let to = world.place("away")?;
        world.shift("rest", to);
        Some(rules::PODS_GO_FIRST)
    },
    |world, _| {
        world.wave("grow").steps[0].changes[0].to = Some(json!("99Gi"));
        Some(rules::CLAIM_SHRINKS)
    },
    |world, _| {
        world.object(&claim(0))["metadata"]["ownerReferences"][0]["name"] = json!("other");
        Some(rules::FOREIGN)
    },
    |world, _| {
        world.lose(&claim(0));
        Some(rules::FOREIGN)
    },
    |world, _| {
        world.object(&claim(0))["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        Some(rules::TERMINATING)
    },
    |world, _| {
        let first = *restarts(world).first()?;
        world.shift("config", first);
        Some(rules::RESTARTS_AFTER_CONFIG)
    },
    |world, _| {
        let has_pods = world.place("new").is_some() || world.place("missing").is_some();
        let to = world.plan.waves.len() - 1;
        world.shift("access", to);
        has_pods.then_some(rules::CONFIG_BEFORE_POD)
    },
    |world, _| {
        let first = *restarts(world).first()?;
        world.place("new")?;
        world.shift("new", first);
        Some(rules::NEW_LAST)
    },
    |world, _| {
        let last = *restarts(world).last()?;
        world.place("missing")?;
        world.shift("missing", last);
        let moved_past = restarts(world).first()? < &world.place("missing")?;
        moved_past.then_some(rules::MISSING_FIRST)
    },
    |world, _| {
        let first = world.plan.waves[0].steps[0].clone();
        world.plan.waves.last_mut()?.steps.push(first);
        Some(rules::ONE_STEP)
    },
    |world, _| {
        world.plan.waves[0].steps[0].reasons.clear();
        Some(rules::REASON)
    },
    |world, _| {
        let away = step(Action::Delete, pod(0), Some(0));
        world.plan.waves[0].steps.push(away);
        Some(rules::DESIRED_DELETED)
    },
    |world, _| {
        world.plan.waves[0]
            .gate
            .push(ready(key(Kind::Pod, "nobody")));
        world.plan.waves[0].gate.push(gone(claim(0)));
        Some(rules::GATE)
    },
    |world, _| {
        world.place("claims")?;
        world.retain_claims();
        Some(rules::CLAIM_RETAINED)
    },
];

/// Returns the places of the waves that restart pods.
fn restarts(world: &World) -> Vec<usize> {
    let waves = world.plan.waves.iter().enumerate();
    waves
        .filter(|(_, wave)| wave.steps.iter().any(|s| s.action == Action::Replace))
        .map(|(n, _)| n)
        .collect()
}

proptest! {
    #[test]
    fn sound_plans_stay_clean(shape in shapes()) {
        prop_assert_eq!(World::new(&shape).breaches(), vec![]);
    }

    #[test]
    fn every_damage_is_seen(shape in shapes(), which in 0..DAMAGES.len()) {
        let mut world = World::new(&shape);
        if let Some(rule) = DAMAGES[which](&mut world, &shape) {
            let broken = world.broken();
            prop_assert!(broken.contains(&rule), "damage {} wants {}, got {:?}", which, rule, broken);
        }
    }

    #[test]
    fn any_growth_is_fine_and_any_shrinking_is_not(from in 1..5000_u32, to in 1..5000_u32) {
        let mut world = World::new(&Shape { kept: 1, budget: 1, ..Shape::default() });
        let (before, after) = (json!(format!("{from}Gi")), json!(format!("{}Mi", to * 1024)));
        world.wave("grow").steps[0].changes =
            vec![change("spec.resources.requests.storage", before, after)];
        prop_assert_eq!(world.broken().contains(&rules::CLAIM_SHRINKS), to < from);
    }
}
