//! A saved plan, read back, and whether it still holds: whether it was made from the same files with
//! the same flags, and comes out the same. Only its age and the program's version may differ.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::diagnostic::Diagnostic;
use crate::model::Source;
use crate::model::digest::sha256;
use crate::plan::{FORMAT_VERSION, Inputs, Plan};

/// What to do where a plan does not hold.
const AGAIN: &str = "plan again with `plan --out`, and have the new plan reviewed";

/// How many differences between two plans are named.
const NAMED: usize = 3;

/// A plan that was saved.
#[derive(Debug)]
pub struct Saved {
    /// The file that it was read from.
    name: String,
    /// The digest of that file.
    digest: String,
    inputs: SavedInputs,
    /// The whole plan.
    value: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SavedInputs {
    program_version: String,
    specs: BTreeSet<String>,
    snapshot: Option<BTreeSet<String>>,
    digests: BTreeMap<String, String>,
    options: SavedOptions,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SavedOptions {
    adopt: bool,
    refresh: bool,
}

/// Reads a saved plan.
///
/// # Errors
/// Says why a text is no plan that this program can hold anything against.
pub fn read(source: &Source) -> Result<Saved, Diagnostic> {
    let name = source.name.as_str();
    let fault = |message: String, hint: &str| {
        Diagnostic::error("plan-not-readable", message)
            .at(name, "")
            .hint(hint)
    };
    let value: Value = serde_json::from_slice(&source.bytes).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        if error.is_eof() {
            return fault(format!("this plan is cut off at {place}"), AGAIN);
        }
        let message = format!("this is no plan: it is no JSON from {place} on");
        fault(message, "save the plan with `plan --out FILE`")
    })?;
    let said = |name: &str| value[name].as_str().unwrap_or("nothing").to_owned();
    if said("kind") != "Plan" || said("apiVersion") != "cosmos-render/v1" {
        let message = format!(
            "this is no plan: its kind is {} of {}",
            said("kind"),
            said("apiVersion")
        );
        return Err(fault(message, "save the plan with `plan --out FILE`"));
    }
    let version = said("formatVersion");
    let major = |version: &str| {
        version
            .split('.')
            .next()
            .and_then(|n| n.parse::<u32>().ok())
    };
    if major(&version) != major(FORMAT_VERSION) {
        let message =
            format!("this plan has format {version}, and this program reads {FORMAT_VERSION}");
        return Err(fault(
            message,
            "render with the release that made the plan, or plan again",
        ));
    }
    let inputs = SavedInputs::deserialize(&value["inputs"]).map_err(|_| {
        let message = "this plan does not say what it was made from".to_owned();
        fault(message, AGAIN)
    })?;
    Ok(Saved {
        name: name.to_owned(),
        digest: format!("sha256:{}", sha256(&source.bytes)),
        inputs,
        value,
    })
}

impl Saved {
    /// Returns whether the plan takes fleets over from an operator.
    #[must_use]
    pub fn is_adoption(&self) -> bool {
        self.inputs.options.adopt
    }

    /// Returns why the plan does not hold: nothing where `plan`, made just now, is the same.
    #[must_use]
    pub fn faults(&self, plan: &Plan) -> Vec<Diagnostic> {
        let mut faults = self.flags(&plan.inputs);
        faults.extend(self.files(&plan.inputs));
        if faults.is_empty() {
            faults.extend(self.outcome(plan));
        }
        if let Some(last) = faults.last_mut() {
            last.hint.get_or_insert_with(|| AGAIN.to_owned());
        }
        faults
    }

    fn flags(&self, now: &Inputs) -> Vec<Diagnostic> {
        let SavedOptions { adopt: _, refresh } = self.inputs.options;
        let (with, without) = ("with --refresh", "without");
        let (then, now) = match (refresh, now.options.refresh) {
            (true, false) => (with, without),
            (false, true) => (without, with),
            (true, true) | (false, false) => return Vec::new(),
        };
        let message = format!("the plan was made {then}, and this is rendered {now}");
        let fault = Diagnostic::error("plan-flags-differ", message).at(&self.name, "");
        vec![fault.hint("give the flag to both commands, or to none")]
    }

    /// Compares files by what they are for, their names and what they hold. One that has another
    /// name now and holds the same is no difference: commands may be run from another folder. The
    /// plan itself may lie among the files.
    fn files(&self, now: &Inputs) -> Vec<Diagnostic> {
        let sides = [
            ("specifications", Some(&self.inputs.specs), Some(&now.specs)),
            (
                "snapshot",
                self.inputs.snapshot.as_ref(),
                now.snapshot.as_ref(),
            ),
        ];
        let mut faults = Vec::new();
        for (what, then, now_names) in sides {
            match (then, now_names) {
                (None, Some(_)) => faults.push(changed(format!(
                    "the plan was made without a {what}, and there is one now"
                ))),
                (Some(_), None) => faults.push(changed(format!(
                    "the plan was made with a {what}, and none is given now"
                ))),
                (None, None) => {}
                (Some(then), Some(names)) => {
                    let then = self.held(then.iter(), &self.inputs.digests);
                    let names = self.held(names.iter(), &now.digests);
                    faults.extend(differences(what, &then, &names));
                }
            }
        }
        faults
    }

    fn held<'s>(
        &self,
        names: impl Iterator<Item = &'s String>,
        digests: &'s BTreeMap<String, String>,
    ) -> BTreeMap<&'s str, &'s str> {
        let own = self.name.trim_start_matches("./");
        let all = names.filter_map(|name| Some((name.as_str(), digests.get(name)?.as_str())));
        all.filter(|(name, digest)| *name != own && *digest != self.digest)
            .collect()
    }

    /// The same inputs give the same plan: where they do not, the plan was edited, or another
    /// release made it.
    fn outcome(&self, plan: &Plan) -> Option<Diagnostic> {
        let now = serde_json::to_value(plan).unwrap_or_default();
        let mut paths = Vec::new();
        for member in ["summary", "fleets"] {
            differing(&self.value[member], &now[member], member, &mut paths);
        }
        let more = paths.len().checked_sub(NAMED).filter(|more| *more > 0);
        let more = more
            .map(|more| format!(" and {more} more"))
            .unwrap_or_default();
        paths.truncate(NAMED);
        if paths.is_empty() {
            return None;
        }
        let message = format!(
            "the plan comes out differently now: {}{more}",
            paths.join(", ")
        );
        let (made, runs) = (&self.inputs.program_version, &plan.inputs.program_version);
        let hint = if made == runs {
            format!("the inputs are the same, so it was edited after it was made: {AGAIN}")
        } else {
            format!("cosmos-render {made} made it, and this is {runs}: {AGAIN}")
        };
        let fault = Diagnostic::error("plan-differs", message).at(&self.name, "");
        Some(fault.hint(hint))
    }
}

fn changed(message: String) -> Diagnostic {
    Diagnostic::error("plan-inputs-changed", message)
}

type Held<'s> = BTreeMap<&'s str, &'s str>;

fn differences(what: &str, then: &Held<'_>, now: &Held<'_>) -> Vec<Diagnostic> {
    let is_in = |(name, digest): (&&str, &&str), other: &Held<'_>| other.get(*name) == Some(digest);
    let mut vanished: Vec<_> = then.iter().filter(|one| !is_in(*one, now)).collect();
    let mut faults = Vec::new();
    let mut appeared = Vec::new();
    for (name, digest) in now.iter().filter(|one| !is_in(*one, then)) {
        // the same contents under another name
        match vanished
            .iter()
            .position(|(other, of)| *of == digest && !now.contains_key(**other))
        {
            Some(at) => drop(vanished.remove(at)),
            None => appeared.push(*name),
        }
    }
    for name in appeared {
        let message = if then.contains_key(name) {
            vanished.retain(|(other, _)| **other != name);
            format!("this file of the {what} is another than the plan was made from")
        } else {
            format!("this file was not among the {what} when the plan was made")
        };
        faults.push(changed(message).at(name, ""));
    }
    faults.extend(vanished.into_iter().map(|(name, _)| {
        let message =
            format!("this file was among the {what} when the plan was made, and is not now");
        changed(message).at(*name, "")
    }));
    faults.sort();
    faults
}

/// Notes the paths at which two values differ.
fn differing(then: &Value, now: &Value, path: &str, paths: &mut Vec<String>) {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => {
            let names: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
            for name in names {
                let of = |members: &serde_json::Map<String, Value>| members.get(name).cloned();
                let path = format!("{path}.{name}");
                match (of(then), of(now)) {
                    (Some(then), Some(now)) => differing(&then, &now, &path, paths),
                    _ => paths.push(path),
                }
            }
        }
        (Value::Array(then), Value::Array(now)) if then.len() == now.len() => {
            for (at, (then, now)) in then.iter().zip(now).enumerate() {
                differing(then, now, &format!("{path}[{at}]"), paths);
            }
        }
        (then, now) if then == now => {}
        _ => paths.push(path.to_owned()),
    }
}

#[cfg(test)]
mod tests;
