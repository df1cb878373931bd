//! The rooms, called in order: the program's table of contents. Every shell calls this, and
//! nothing else in the core.

mod age;
mod delivery;
pub mod findings;
mod fleet;
mod heirs;
mod inputs;
mod lint;
mod manifests;
mod refusals;
mod removed;
mod review;

use jiff::Timestamp;

use crate::diagnostic::{Diagnostic, Reported, Severity};
use crate::explain::Members;
use crate::live::Live;
use crate::live::facts::Declared;
use crate::model::image::Image;
use crate::model::{Notice, Source};
use crate::parse;
use crate::parse::inputs::Inputs;
use crate::plan::{self, Plan};
use crate::render::gitops::Applier;
use crate::spread;

pub use crate::lint::explain;
pub use crate::lint::may_matter;
pub use crate::parse::redact::Redacted;
pub use crate::parse::settings::settings;
pub use crate::spec::crd::{Custom, definition};
pub use crate::spec::schema::{identities_schema, settings_schema};
pub use delivery::Stage;
pub use fleet::FleetManifests;
pub use lint::{lint, settled_for_nobody};
pub use manifests::Manifests;
pub use refusals::Assumed;
pub use review::{Reviewed, Sides, review};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The specifications.
    pub specs: Vec<Source>,
    /// The snapshot; `None` where there is none, which means an empty cluster.
    pub snapshot: Option<Vec<Source>>,
    /// How.
    pub options: Options,
}

/// How a plan is made.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The namespace of documents that name none; `default` where nothing is said.
    pub namespace: Option<String>,
    /// Whether what waits for the next restart is rolled out now.
    pub refresh: bool,
    /// The image of this program that the checks beside nodes run; the reference's where there is none.
    pub helper_image: Option<Image>,
    /// Whether the fleets are taken over from an operator.
    pub adopt: bool,
    /// Whether the other fleets are planned where one cannot be.
    pub keep_going: bool,
    /// What is wanted of the outcome.
    pub wanted: Wanted,
    /// What time it is; without it nobody knows how old the snapshot is.
    pub now: Option<Timestamp>,
    /// How old the snapshot may be, in seconds.
    pub max_age: Option<i64>,
    /// How the objects come to whoever applies them.
    pub handover: Handover,
}

/// How objects come to whoever applies them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Handover {
    /// Who applies them, where that is somebody who runs by himself and applies all that there is.
    pub applier: Option<Applier>,
    /// Whether just the next wave is wanted.
    pub is_next: bool,
    /// The kinds that the snapshot lacks because there are none.
    pub assumed: Assumed,
    /// Whether an applier may have fleets whose claims somebody owns.
    pub accepts_owner: bool,
}

/// What is wanted of the outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wanted {
    /// The plan and the objects.
    #[default]
    Objects,
    /// The plan, and of each fleet the objects of its first wave's steps. It does not say what it was made
    /// from: nobody keeps it.
    FirstWave,
    /// Just the plan.
    Plan,
    /// The plan, and what is known of each pod.
    Members,
    /// The plan, and what each fleet asks for.
    Footprints,
}

/// What comes of it.
#[derive(Debug)]
pub struct Outcome {
    /// The plan of all fleets.
    pub plan: Plan,
    /// What the documents say.
    pub specs: Inputs,
    /// The objects of all fleets, in the order of the plan's fleets.
    pub manifests: Vec<FleetManifests>,
    /// What is known of the pods of each fleet, where that is wanted.
    pub members: Vec<Members>,
    /// What else is worth a line: what was passed over.
    pub notes: Vec<String>,
    /// Why its applier must not have the objects yet.
    pub refused: Vec<Diagnostic>,
}

/// Reads, builds, compares, decides, orders and checks. There is no outcome where anything is an
/// error.
#[must_use]
pub fn run(request: &Request) -> Reported<Option<Outcome>> {
    let ran = run_each(request, |_, _| ());
    Reported {
        value: ran.value.map(|(outcome, _)| outcome),
        diagnostics: ran.diagnostics,
    }
}

/// Does what [`run`] does, and makes something of each fleet's objects as soon as they are known, while
/// other fleets are still planned: all of them at once take much more memory than what is made of them.
/// What comes of it stands beside the outcome, in the order of its `manifests`; `each` may take the
/// objects out of those. A fleet without a document has no plan.
#[must_use]
pub fn run_each<T: Send>(
    request: &Request,
    each: impl Fn(&mut FleetManifests, Option<&plan::FleetPlan>) -> T + Sync + Send,
) -> Reported<Option<(Outcome, Vec<T>)>> {
    let mut diagnostics = Vec::new();
    let specs = take(
        parse::specs(&request.specs, request.options.namespace.as_deref()),
        &mut diagnostics,
    );
    diagnostics.extend(without_fleets(&specs, request, &diagnostics));
    let texts = take(
        parse::texts(request.snapshot.as_deref().unwrap_or_default()),
        &mut diagnostics,
    );
    let live = take(live(&texts, request), &mut diagnostics);
    let age = age::judge(&live, &request.options);
    let is_too_old = age.error.is_some();
    diagnostics.extend(age.error);
    let is_sound = !diagnostics.iter().any(|d| d.severity == Severity::Error);
    if is_too_old || !is_sound && !request.options.keep_going {
        return nothing(diagnostics);
    }
    let mut plans = Vec::new();
    let (mut manifests, mut members, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    let taken = heirs::Taken::new(&specs);
    let all = spread::map(&specs.fleets, |spec| {
        let mut planned = fleet::plan(spec, &live, identities(&specs, spec), (request, &taken));
        let made = planned.value.as_mut();
        let made = made.map(|planned| each(&mut planned.manifests, Some(&planned.plan)));
        (planned, made)
    });
    for (planned, made) in all {
        if let (Some(planned), Some(made)) = (take(planned, &mut diagnostics), made) {
            plans.push(planned.plan);
            manifests.push((planned.manifests, made));
            members.extend(planned.members);
            refused.extend(planned.refused);
        }
    }
    let has_errors = diagnostics.iter().any(|d| d.severity == Severity::Error);
    if has_errors && (plans.is_empty() || !request.options.keep_going) {
        return nothing(diagnostics);
    }
    if request.options.wanted == Wanted::Members {
        members.extend(removed::members(&live, &specs));
    }
    let left = removed::fleets(&live, &specs, &taken);
    if request.options.handover.applier.is_some() || request.options.handover.is_next {
        let plans = (plans.iter().chain(&left), request.options.handover.is_next);
        for mut of in delivery::undocumented(&live, &specs, plans) {
            let made = each(&mut of, None);
            manifests.push((of, made));
        }
        manifests.sort_by(|(a, _), (b, _)| a.fleet.cmp(&b.fleet));
    }
    let (manifests, made) = manifests.into_iter().unzip();
    plans.extend(left);
    plans.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    let outcome = Outcome {
        plan: whole(plans, inputs::of(request, age.seconds), age.warning),
        manifests,
        members,
        notes: notes(&specs, &live),
        refused,
        specs,
    };
    Reported {
        value: Some((outcome, made)),
        diagnostics,
    }
}

/// Says that nothing came of it.
fn nothing<T>(diagnostics: Vec<Diagnostic>) -> Reported<Option<T>> {
    Reported {
        value: None,
        diagnostics,
    }
}

/// Reads the snapshot.
fn live<'t>(texts: &'t [parse::snapshot::Text<'t>], request: &Request) -> Reported<Live<'t>> {
    let mut read = parse::snapshot::read(texts);
    // what a command that failed left behind is no empty cluster
    read.value.is_assumed_empty = request.snapshot.is_none() || read.value.objects.is_empty();
    read
}

/// Returns the node identities that are declared for a fleet.
fn identities<'s>(specs: &'s Inputs, fleet: &parse::inputs::Fleet) -> Declared<'s> {
    Declared {
        ids: specs.identities.get(&fleet.node.key),
        rotated: specs.rotated.get(&fleet.node.key),
    }
}

/// Returns the namespaces of all fleets that documents describe, in their order.
#[must_use]
pub fn namespaces(specs: &[Source], default: Option<&str>) -> Vec<String> {
    let specs = parse::specs(specs, default).value;
    let keys = specs.fleets.iter().map(|fleet| &fleet.node.key);
    let names: std::collections::BTreeSet<&String> = keys.map(|key| &key.namespace).collect();
    names.into_iter().cloned().collect()
}

/// Takes out of a snapshot what nobody else may read. `captured` is when it was captured, where that
/// is known. There is nothing where anything cannot be read.
#[must_use]
pub fn redacted(snapshot: &[Source], captured: Option<Timestamp>) -> Reported<Option<Redacted>> {
    let mut diagnostics = Vec::new();
    let texts = take(parse::texts(snapshot), &mut diagnostics);
    let mut redacted = take(parse::redact::redact(&texts, captured), &mut diagnostics);
    if diagnostics.iter().any(|d| d.severity == Severity::Error) {
        redacted = None;
    }
    Reported {
        value: redacted,
        diagnostics,
    }
}

/// Nothing to plan is not the same as nothing to do: an empty file, a wrong folder or a build that
/// printed nothing must not look like a cluster that is as it should be.
fn without_fleets(
    specs: &parse::inputs::Inputs,
    request: &Request,
    diagnostics: &[Diagnostic],
) -> Option<Diagnostic> {
    if !specs.fleets.is_empty() || diagnostics.iter().any(|d| d.severity == Severity::Error) {
        return None;
    }
    let names: Vec<&str> = request
        .specs
        .iter()
        .map(|source| source.name.as_str())
        .collect();
    let fault = Diagnostic::error("no-fleet", "there is no CosmosFullNode in what was given")
        .hint("name the files or folders that hold the documents, or pipe them in with `-`");
    let fault = match passed_over(specs) {
        Some(kinds) => fault.note(format!("passed over: {kinds}")),
        None => fault,
    };
    Some(match names.as_slice() {
        [name] => fault.at(*name, ""),
        _ => fault,
    })
}

fn take<T>(reported: Reported<T>, diagnostics: &mut Vec<Diagnostic>) -> T {
    diagnostics.extend(reported.diagnostics);
    reported.value
}

fn whole(fleets: Vec<plan::FleetPlan>, inputs: plan::Inputs, warning: Option<Notice>) -> Plan {
    Plan {
        api_version: "cosmos-render/v1",
        kind: "Plan",
        format_version: plan::FORMAT_VERSION,
        inputs,
        summary: plan::summarise(&fleets),
        warnings: warning.into_iter().collect(),
        fleets,
    }
}

/// Returns the kinds that were passed over, counted.
fn passed_over(specs: &parse::inputs::Inputs) -> Option<String> {
    let kinds = specs.passed_over.iter();
    let kinds = kinds.map(|(kind, count)| match kind.as_str() {
        parse::inputs::NO_KIND => format!("{count} without a kind"),
        kind => format!("{count} {kind}"),
    });
    let kinds: Vec<String> = kinds.collect();
    (!kinds.is_empty()).then(|| kinds.join(", "))
}

fn notes(specs: &parse::inputs::Inputs, live: &Live<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(kinds) = passed_over(specs) {
        notes.push(format!("passed over among the specifications: {kinds}"));
    }
    if live.passed_over > 0 {
        notes.push(format!(
            "passed over in the snapshot: {} objects",
            live.passed_over
        ));
    }
    notes
}

#[cfg(test)]
pub(crate) mod tests;
