//! Pods: is the live one up to date with what its owner asked for? Ours say so themselves, by
//! their revision; of others, every field is compared after Kubernetes' defaults.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Cause, Comparison, defaults, effects, tree};
use crate::desired::{Manifest, PodNotes};
use crate::live::{Live, Object};
use crate::model::{Kind, names};
use crate::plan::Effect;

pub(super) fn compare(manifest: &Manifest, object: &Object<'_>, live: &Live<'_>) -> Comparison {
    let none = PodNotes::default();
    let notes = manifest.pod.as_ref().unwrap_or(&none);
    let rules = defaults::OfPod {
        has_limit_range: object.annotation("kubernetes.io/limit-ranger").is_some(),
    };
    let wanted = &manifest.body["spec"];
    let mut is = object.spec_tree();
    settle_sentry_start(&mut is, wanted, notes);
    let mut changes = Vec::new();
    // what was rendered and is looked at again is the same to the letter
    if is != *wanted {
        let mut wanted = wanted.clone();
        without_our_env(&mut wanted);
        without_our_env(&mut is);
        changes = tree::changes("spec", &wanted, &is, &rules);
    }
    let ours = run_by_us(&is);
    changes.retain_mut(|change| {
        let effect = effects::of_pod(change, notes, &ours);
        change.effect = effect.unwrap_or(change.effect);
        effect.is_some()
    });
    let mut comparison = Comparison {
        changes,
        causes: Vec::new(),
    };
    match object
        .annotation(names::REVISION)
        .map(|live| compare_revision(live, &notes.revision))
    {
        Some(Revision::Same) => trust_revision(&mut comparison),
        Some(Revision::Differs) => {
            if !comparison.is_restart() {
                comparison.causes.push(Cause::RevisionDiffers);
            }
        }
        Some(Revision::OfOtherVersion) | None => config_taken_up(object, live, &mut comparison),
    }
    comparison
}

/// Takes out the variables that only carry our revision: they follow from what is compared.
fn without_our_env(spec: &mut Value) {
    for part in ["initContainers", "containers"] {
        for container in spec[part].as_array_mut().into_iter().flatten() {
            let Some(env) = container.get_mut("env").and_then(Value::as_array_mut) else {
                continue;
            };
            let is_ours = |name: &str| name.starts_with("COSMOS_RENDER_");
            env.retain(|variable| !variable["name"].as_str().is_some_and(is_ours));
        }
    }
}

/// Returns the containers that run this program.
fn run_by_us(spec: &Value) -> BTreeSet<String> {
    let parts = ["initContainers", "containers"];
    let all = parts
        .iter()
        .filter_map(|part| spec[part].as_array())
        .flatten();
    let ours = all.filter(|container| container["command"][0] == names::PROGRAM);
    ours.filter_map(|container| container["name"].as_str().map(str::to_owned))
        .collect()
}

enum Revision {
    Same,
    Differs,
    /// Made by another rule: it says nothing, every field is compared instead.
    OfOtherVersion,
}

fn compare_revision(live: &str, wanted: &str) -> Revision {
    let version = |revision: &str| revision.split_once('-').map(|(v, _)| v.to_owned());
    if live == wanted {
        Revision::Same
    } else if version(live) == version(wanted) {
        Revision::Differs
    } else {
        Revision::OfOtherVersion
    }
}

/// Where the revision matches, what differs is either ours to change at the next restart, or is
/// what Kubernetes lets be edited on a running pod: its images, and tolerations, which it can only
/// get more of. Another identity is asked for beside the document, and is in no revision.
fn trust_revision(comparison: &mut Comparison) {
    comparison.changes.retain(|change| {
        change.effect != Effect::Restart
            || change.path.ends_with("].image")
            || change.path == "spec.tolerations"
            || effects::is_identity(change)
    });
}

/// The reference's pods carry the revision of the ConfigMap that they were started with.
fn config_taken_up(object: &Object<'_>, live: &Live<'_>, comparison: &mut Comparison) {
    let started_with = object
        .annotation(names::CONFIG_CHECKSUM)
        .unwrap_or_default();
    let config = live.get(Kind::ConfigMap, &object.meta.namespace, &object.meta.name);
    let is_now = config.map(|config| config.label(names::REFERENCE_REVISION));
    match is_now {
        _ if object.label(names::BELONGS_TO).is_some() => {}
        // a snapshot without any ConfigMap did not capture them (design.md, safety rule 5)
        None if !live.tells_of(Kind::ConfigMap) => {}
        None => comparison.causes.push(Cause::ConfigUnknown),
        Some(Some(revision)) if !started_with.is_empty() && revision != started_with => {
            comparison.causes.push(Cause::ConfigNotTakenUp);
        }
        // we wrote it anew, and the pod is older than that
        Some(None) if config.is_some_and(|c| c.annotation(names::FLEET).is_some()) => {
            comparison.causes.push(Cause::ConfigNotTakenUp);
        }
        Some(_) => {}
    }
}

/// A sentry's start is a line of shell. The reference writes it in its own words, which mean the
/// same as ours: its pods need no restart for that.
fn settle_sentry_start(live: &mut Value, wanted: &Value, notes: &PodNotes) {
    let Some(reference) = &notes.reference_start else {
        return;
    };
    let start_of = |spec: &Value| {
        let containers = spec["containers"].as_array()?;
        containers
            .iter()
            .position(|container| container["name"] == "node")
    };
    let (Some(live_at), Some(wanted_at)) = (start_of(live), start_of(wanted)) else {
        return;
    };
    let is_reference = {
        let node = &live["containers"][live_at];
        let body = node["args"][1].as_str().unwrap_or_default();
        node["command"] == json!(["sh"])
            && node["args"][0] == "-c"
            && body.trim() == reference.trim()
    };
    if is_reference {
        for field in ["command", "args"] {
            let start = wanted["containers"][wanted_at][field].clone();
            live["containers"][live_at][field] = start;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Change;

    #[track_caller]
    fn check_start(start: &Value, is_the_same: bool) {
        let pod = |start: &Value| {
            json!({"containers": [{"name": "aside"}, {"name": "node",
            "command": start["command"], "args": start["args"]}]})
        };
        let ours = json!({"command": ["sh"], "args": ["-c", "ours"]});
        let notes = PodNotes {
            reference_start: Some("theirs\n".to_owned()),
            ..PodNotes::default()
        };
        let mut live = pod(start);
        settle_sentry_start(&mut live, &pod(&ours), &notes);
        let expected = if is_the_same { pod(&ours) } else { pod(start) };
        assert_eq!(live, expected);
    }

    #[test]
    fn a_sentry_that_starts_in_the_references_words_starts_as_ours_does() {
        check_start(&json!({"command": ["sh"], "args": ["-c", "theirs"]}), true);
        check_start(
            &json!({"command": ["sh"], "args": ["-c", "another"]}),
            false,
        );
        check_start(
            &json!({"command": ["bash"], "args": ["-c", "theirs"]}),
            false,
        );
        check_start(&json!({"command": ["sh"], "args": ["-x", "theirs"]}), false);
    }

    #[track_caller]
    fn check_trust(path: &str, effect: Effect, is_kept: bool) {
        let change = Change {
            path: path.to_owned(),
            from: None,
            to: None,
            effect,
        };
        let mut comparison = Comparison {
            changes: vec![change],
            causes: Vec::new(),
        };
        trust_revision(&mut comparison);
        assert_eq!(comparison.changes.len(), usize::from(is_kept), "{path}");
    }

    #[test]
    fn where_the_revision_matches_only_what_can_be_edited_restarts() {
        let env = "spec.containers[name=node].env[name=A]";
        check_trust(env, Effect::Restart, false);
        check_trust(env, Effect::NextRestart, true);
        check_trust("spec.containers[name=node].image", Effect::Restart, true);
        check_trust("spec.tolerations", Effect::Restart, true);
    }

    #[track_caller]
    fn check_revision(live: &str, expected: &str) {
        let found = match compare_revision(live, "v1-abc") {
            Revision::Same => "same",
            Revision::Differs => "differs",
            Revision::OfOtherVersion => "of another version",
        };
        assert_eq!(found, expected, "{live}");
    }

    #[test]
    fn revisions_of_one_rule_are_compared() {
        check_revision("v1-abc", "same");
        check_revision("v1-abd", "differs");
        check_revision("v2-abc", "of another version");
        check_revision("abc", "of another version");
    }
}
