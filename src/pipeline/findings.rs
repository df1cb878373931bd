//! What a plan or a change does, as findings for code hosts: one for each field and kind of harm, at
//! the line that asks for it. Decides nothing: what is denied, the caller says.

mod cause;

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::model::Source;
use crate::model::{FleetKey, Kind, Notice, ObjectKey, ranges};
use crate::parse::inputs::{Fleet, Inputs};
use crate::plan::{Action, Drift, Impact, Plan, Step};
use crate::review::{Due, FleetReview, Review};

/// Documents and the texts that they were read from.
#[derive(Debug, Clone, Copy)]
pub struct Documents<'a> {
    /// The texts.
    pub sources: &'a [Source],
    /// What they say.
    pub inputs: &'a Inputs,
}

/// A kind of harm that a caller can deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// Data is gone.
    DataLoss,
    /// A node gets another p2p identity.
    IdentityChange,
    /// A node is away, for a while or for good.
    Restart,
}

impl Harm {
    const ALL: [Harm; 3] = [Harm::DataLoss, Harm::IdentityChange, Harm::Restart];

    /// Tells whether a step does this harm. To replace a pod, or to delete it, takes its node away,
    /// whatever else it does.
    #[must_use]
    pub fn is_done_by(self, step: &Step) -> bool {
        match self {
            Harm::Restart => {
                let takes_away = matches!(step.action, Action::Replace | Action::Delete);
                step.impact == Impact::Restart || takes_away && step.object.kind == Kind::Pod
            }
            Harm::IdentityChange => step.impact == Impact::IdentityChange,
            Harm::DataLoss => step.impact == Impact::DataLoss,
        }
    }

    /// Returns the word by which it is denied.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Harm::DataLoss => "data-loss",
            Harm::IdentityChange => "identity-change",
            Harm::Restart => "restart",
        }
    }
}

/// What the caller does not allow.
#[derive(Debug, Clone, Default)]
pub struct Denied {
    /// Harm that no step may do.
    pub harms: BTreeSet<Harm>,
    /// How many restarts are allowed.
    pub max_restarts: Option<usize>,
}

/// Returns what a plan does that somebody should see.
#[must_use]
pub fn of_plan(plan: &Plan, documents: Documents<'_>, denied: &Denied) -> Vec<Diagnostic> {
    let fleets = plan.fleets.iter().map(|fleet| {
        let (key, drift) = (key(&fleet.namespace, &fleet.name), &fleet.drift);
        let written = documents.inputs.fleet(&key);
        let harmful = fleet.steps().map(|step| {
            let causes = match written {
                Some(written) if !is_drift(step, drift) => cause::of_step(step, written),
                Some(_) | None => Vec::new(),
            };
            (step, causes)
        });
        Told {
            stays: names_that_stay(fleet.steps()),
            steps: harmful.collect(),
            blocked: fleet
                .blocked
                .iter()
                .map(|n| (n, cause::of_blocked(n)))
                .collect(),
            documents,
            key,
        }
    });
    findings(&fleets.collect::<Vec<_>>(), plan.summary.restart, denied)
}

/// Returns what a change does that somebody should see: not what is due in any case.
#[must_use]
pub fn of_review(
    review: &Review,
    (base, head): (Documents<'_>, Documents<'_>),
    denied: &Denied,
) -> Vec<Diagnostic> {
    let fleets = review.fleets.iter().map(|fleet| {
        let key = key(&fleet.namespace, &fleet.name);
        let documents = if head.inputs.fleet(&key).is_some() {
            head
        } else {
            base
        };
        let written = documents.inputs.fleet(&key);
        let due = fleet.steps.iter().filter(|due| due.is_to_blame());
        let steps = due.map(|due| (&due.step, causes(due, fleet, written)));
        let blocked = fleet.blocked.iter();
        Told {
            stays: names_that_stay(fleet.steps.iter().map(|due| &due.step)),
            steps: steps.collect(),
            blocked: blocked
                .map(|notice| (notice, changed(notice, fleet)))
                .collect(),
            documents,
            key,
        }
    });
    findings(&fleets.collect::<Vec<_>>(), review.summary.restart, denied)
}

/// What is told of one fleet.
struct Told<'a> {
    key: FleetKey,
    documents: Documents<'a>,
    /// What is done, each with the fields of the document that ask for it.
    steps: Vec<(&'a Step, Vec<String>)>,
    blocked: Vec<(&'a Notice, String)>,
    /// Pods that are made, or made again.
    stays: BTreeSet<&'a ObjectKey>,
}

/// What steps have in common to be one finding.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Likeness<'a> {
    harm: Harm,
    is_for_good: bool,
    causes: &'a [String],
    reason: &'a str,
}

fn findings(fleets: &[Told<'_>], restarts: usize, denied: &Denied) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for told in fleets {
        found.extend(told.harmful(denied));
        found.extend(told.blocked());
    }
    if let Some(most) = denied.max_restarts.filter(|most| restarts > *most) {
        found.push(too_many(&found, (restarts, most)));
    }
    found
}

impl Told<'_> {
    fn harmful(&self, denied: &Denied) -> Vec<Diagnostic> {
        let mut groups: BTreeMap<Likeness<'_>, (Vec<&Step>, BTreeSet<&str>)> = BTreeMap::new();
        for (step, causes) in &self.steps {
            let harms = Harm::ALL.into_iter().filter(|harm| harm.is_done_by(step));
            for harm in harms {
                let likeness = Likeness {
                    harm,
                    is_for_good: harm == Harm::Restart && self.is_for_good(step),
                    causes,
                    reason: step.reasons.first().map_or("", |reason| reason.code),
                };
                let (steps, names) = groups.entry(likeness).or_default();
                if names.insert(step.object.name.as_str()) {
                    steps.push(step);
                }
            }
        }
        let groups = groups.into_iter();
        groups
            .map(|(likeness, (steps, _))| self.finding(&likeness, &steps, denied))
            .collect()
    }

    /// Tells whether a node goes and does not come back, under this name or another.
    fn is_for_good(&self, step: &Step) -> bool {
        let moves = ["Renamed", "FormerName"];
        step.action == Action::Delete
            && !self.stays.contains(&step.object)
            && !step
                .reasons
                .iter()
                .any(|reason| moves.contains(&reason.code))
    }

    fn finding(&self, likeness: &Likeness<'_>, steps: &[&Step], denied: &Denied) -> Diagnostic {
        let Likeness {
            harm,
            is_for_good,
            causes,
            reason: _, // the steps have its words
        } = likeness;
        let mut names: Vec<&str> = steps.iter().map(|step| step.object.name.as_str()).collect();
        names.sort_unstable();
        let names = format!("{} in {}", ranges::folded(&names), self.key.namespace);
        let is_one = steps.len() == 1;
        let verb = |one: &'static str, many: &'static str| if is_one { one } else { many };
        let (code, what) = match (harm, is_for_good) {
            (Harm::DataLoss, _) => {
                let verb = verb("loses its data", "lose their data");
                ("data-loss", format!("{names} {verb}"))
            }
            (Harm::IdentityChange, _) => {
                let verb = verb("gets another p2p identity", "get other p2p identities");
                ("identity-change", format!("{names} {verb}"))
            }
            (Harm::Restart, true) => {
                let verb = verb("goes for good", "go for good");
                ("node-stop", format!("{names} {verb}"))
            }
            (Harm::Restart, false) => (
                "node-restart",
                format!("{names} {}", verb("restarts", "restart")),
            ),
        };
        let first = steps.iter().find_map(|step| step.reasons.first());
        let message = match first {
            Some(reason) => format!("{what}: {}", reason.message),
            None => what,
        };
        let mut found = Diagnostic::warning(code, message);
        found.severity = match harm {
            _ if denied.harms.contains(harm) => Severity::Error,
            Harm::DataLoss | Harm::IdentityChange => Severity::Warning,
            Harm::Restart => Severity::Note,
        };
        if denied.harms.contains(harm) {
            found = found.note(format!("denied by --deny {}", harm.name()));
        }
        let (first, more) = causes
            .split_first()
            .map_or((cause::WHOLE, &[][..]), |(first, more)| {
                (first.as_str(), more)
            });
        found.place = self.place(first);
        for path in more {
            found = found.see(self.place(path), format!("{path} asks for it too"));
        }
        found
    }

    /// Returns what is blocked, one for each code and field.
    fn blocked(&self) -> Vec<Diagnostic> {
        let mut groups: BTreeMap<(&str, &str), Vec<&Notice>> = BTreeMap::new();
        for (notice, path) in &self.blocked {
            let group = groups.entry((notice.code.as_str(), path)).or_default();
            group.push(notice);
        }
        let found = groups.into_iter().map(|((_, path), notices)| {
            let objects = notices.iter().filter_map(|notice| notice.object.as_ref());
            let names: Vec<&str> = objects.map(|object| object.name.as_str()).collect();
            let first = notices.first().map_or("", |notice| &notice.message);
            let names = format!("{} in {}", ranges::folded(&names), self.key.namespace);
            let mut found = Diagnostic::error("step-blocked", format!("{names}: {first}"));
            let allow = notices.iter().find_map(|notice| notice.allow.as_deref());
            if let Some(allow) = allow {
                found = found.hint(allow);
            }
            if notices.len() > 1 {
                let more = "the others are as the plan tells";
                found = found.note(format!("these are the words for the first; {more}"));
            }
            found.place = self.place(path);
            found
        });
        found.collect()
    }

    /// Returns where a path of the fleet's document stands. A fleet without a document is told of at
    /// the first file there is.
    fn place(&self, path: &str) -> Option<Place> {
        let Documents { sources, inputs } = self.documents;
        let is_identity = path.starts_with(cause::IDENTITIES);
        if is_identity && let Some(origin) = inputs.identity_origins.get(&self.key) {
            return origin.place(sources, path);
        }
        let path = if is_identity { cause::WHOLE } else { path };
        match inputs.fleet(&self.key) {
            Some(fleet) => fleet.origin.place(sources, path),
            None => sources.first().map(|source| Place {
                file: source.name.clone(),
                span: None,
                path: String::new(),
            }),
        }
    }
}

/// Says that too many nodes restart, at the first place that restarts any.
fn too_many(found: &[Diagnostic], (restarts, most): (usize, usize)) -> Diagnostic {
    let message = format!("{restarts} restarts are more than --max-restarts {most}");
    let mut fault = Diagnostic::error("too-many-restarts", message);
    let restarting = found.iter().filter(|one| one.code == "node-restart");
    let mut places = restarting.filter_map(|one| one.place.clone());
    fault.place = places.next();
    for place in places {
        fault = fault.see(Some(place), "this restarts some of them");
    }
    fault
}

fn key(namespace: &str, name: &str) -> FleetKey {
    FleetKey {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

/// Tells whether all that a step changes differs though nobody asked for another value.
fn is_drift(step: &Step, drift: &[Drift]) -> bool {
    let of_object = drift.iter().filter(|drift| drift.object == step.object);
    let drifted: Vec<_> = of_object.flat_map(|drift| &drift.changes).collect();
    let mut causes = cause::worst(step).peekable();
    causes.peek().is_some() && causes.all(|change| drifted.contains(&change))
}

fn names_that_stay<'a>(steps: impl Iterator<Item = &'a Step>) -> BTreeSet<&'a ObjectKey> {
    let made = steps.filter(|step| matches!(step.action, Action::Create | Action::Replace));
    made.map(|step| &step.object).collect()
}

/// Returns the fields that bring a step about: those that were found out, or else what the step
/// itself tells.
fn causes(due: &Due, fleet: &FleetReview, written: Option<&Fleet>) -> Vec<String> {
    let fields = fleet.fields.iter();
    let found = fields.filter(|field| due.causes.contains(&field.path));
    let found: Vec<String> = found.map(|field| field.place.clone()).collect();
    match written {
        _ if !found.is_empty() => found,
        Some(written) => cause::of_step(&due.step, written),
        None => Vec::new(),
    }
}

/// Returns the field of a change that something is blocked by: the first that has to do with it.
fn changed(notice: &Notice, fleet: &FleetReview) -> String {
    let path = cause::of_blocked(notice);
    let mut fields = fleet.fields.iter();
    let below = fields.find(|field| path != cause::WHOLE && field.place.starts_with(&path));
    below.map_or(path, |field| field.place.clone())
}
