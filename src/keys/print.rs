//! The Secrets that are printed, and what forbids it: a manifest that would take keys away, a patch
//! for a Secret that is not there.

use super::make::{Batch, give};
use super::secret::{self, Form, Text};
use super::survey::Instance;
use super::verify;
use crate::diagnostic::Diagnostic;
use crate::model::{FleetKey, names};

/// A Secret that was printed, whole or as a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// Whose keys it holds.
    pub fleet: FleetKey,
    /// Whether there is such a Secret already: it was given, or the snapshot holds it.
    pub is_standing: bool,
    /// Whether any of its keys is new.
    pub has_new: bool,
}

/// Writes the Secrets of the batches: those that get new entries, and those that were given, so
/// that what comes out is always what should be there. A manifest without an entry that the
/// cluster's Secret has would take it away when it is applied: it is refused.
pub(super) fn secrets(
    batches: &[Batch<'_>],
    form: Form,
) -> Result<(Text, Vec<Printed>), Vec<Diagnostic>> {
    let is_meant = |batch: &&Batch<'_>| match form {
        Form::Manifest => !batch.entries.is_empty() || batch.fleet.is_secret_given,
        Form::Patch | Form::JsonPatch => !batch.entries.is_empty(),
    };
    let faults = match form {
        Form::Manifest => batches
            .iter()
            .filter(is_meant)
            .filter_map(not_given)
            .collect(),
        Form::Patch | Form::JsonPatch => {
            no_patch(&batches.iter().filter(is_meant).collect::<Vec<_>>())
        }
    };
    let lost = batches.iter().flat_map(lost);
    let faults: Vec<Diagnostic> = faults.into_iter().chain(lost).collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    let texts: Vec<Text> = batches
        .iter()
        .filter(is_meant)
        .map(|batch| match form {
            Form::Manifest => secret::manifest(
                &batch.fleet.frame,
                batch.fleet.secret.as_ref(),
                &batch.entries,
            ),
            Form::Patch => secret::patch(&batch.entries),
            Form::JsonPatch => secret::json_patch(&batch.entries),
        })
        .collect();
    let printed = batches.iter().filter(is_meant).map(|batch| Printed {
        fleet: batch.fleet.key.clone(),
        is_standing: batch.fleet.secret.is_some(),
        has_new: !batch.entries.is_empty(),
    });
    Ok((join(&texts), printed.collect()))
}

/// Returns why there is no patch: it is for one Secret, and for one that there is.
fn no_patch(changed: &[&Batch<'_>]) -> Vec<Diagnostic> {
    if let [_, _, ..] = changed {
        let names: Vec<String> = changed.iter().map(|b| b.fleet.key.to_string()).collect();
        let message = format!(
            "a patch is for one Secret, and these all change: {}",
            names.join(", ")
        );
        let fault = Diagnostic::error("several-patches", message);
        return vec![fault.hint("name one of them with --fleet")];
    }
    let is_new = |batch: &&&Batch<'_>| {
        let fleet = batch.fleet;
        let mut instances = fleet.instances.iter();
        let has_identity = instances.any(|i| i.declared.is_some() || i.mounted.is_some());
        fleet.secret.is_none() && (fleet.knows_secret || !has_identity)
    };
    let fault = |batch: &&Batch<'_>| {
        let message = format!(
            "nothing shows that {} has a Secret {} yet, to which a patch could add keys",
            batch.fleet.key,
            names::key_secret(&batch.fleet.key.name)
        );
        Diagnostic::error("no-secret", message)
            .hint("leave --patch away: then the whole Secret is printed")
    };
    changed.iter().filter(is_new).map(fault).collect()
}

fn join(texts: &[Text]) -> Text {
    const BETWEEN: &str = "---\n";
    let length = texts.iter().map(|text| BETWEEN.len() + text.len()).sum();
    let mut joined = Text::with_capacity(length);
    for (at, text) in texts.iter().enumerate() {
        if at > 0 {
            joined.push_str(BETWEEN);
        }
        joined.push_str(text);
    }
    joined
}

/// Finds instances whose keys the Secret should hold, and does not.
fn without_key<'b>(batch: &'b Batch<'_>) -> impl Iterator<Item = &'b Instance> {
    batch.fleet.instances.iter().filter(|instance| {
        let mut new = batch.entries.iter();
        let is_stored =
            instance.secret.is_some() || new.any(|(entry, _)| entry.as_str() == instance.entry());
        !is_stored && (instance.declared.is_some() || instance.mounted.is_some())
    })
}

/// Tells of keys that a manifest would take away, since the Secret that holds them was not given.
fn not_given(batch: &Batch<'_>) -> Option<Diagnostic> {
    let fleet = batch.fleet;
    if fleet.is_secret_given {
        return None;
    }
    let names: Vec<&str> = without_key(batch).map(|i| i.name.as_str()).collect();
    if names.is_empty() {
        return None;
    }
    let message = format!(
        "Secret {} of {} should hold the keys of {} too, and they were not given: applied without \
         them, it would take them away",
        names::key_secret(&fleet.key.name),
        fleet.key,
        names.join(", ")
    );
    let hint = format!("{}; or add the new keys alone with --patch", give(fleet));
    Some(Diagnostic::error("keys-not-given", message).hint(hint))
}

/// Tells of keys that the Secret, as it was given, does not hold: their pods never start again. A
/// node that still has its ConfigMap's key does, and one that is rotated now gets another.
fn lost(batch: &Batch<'_>) -> Vec<Diagnostic> {
    let fleet = batch.fleet;
    if !fleet.is_secret_given {
        return Vec::new();
    }
    let is_lost = |instance: &&Instance| {
        let mut rotated = batch.changes.rotated.iter();
        instance.config_map.is_none() && !rotated.any(|(name, _)| *name == instance.name)
    };
    let fault = |instance: &Instance| {
        let message = format!(
            "{}/{} has an ID, but Secret {}, as it was given, has no key of it",
            fleet.key.namespace,
            instance.name,
            names::key_secret(&fleet.key.name)
        );
        Diagnostic::error("identity-without-key", message).hint(verify::lost(instance))
    };
    without_key(batch).filter(is_lost).map(fault).collect()
}
