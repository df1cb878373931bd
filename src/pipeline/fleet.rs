//! One fleet, from its specification to its plan and its manifests.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::delivery::Stage;
use super::heirs::{self, Taken};
use super::{Options, Request, Wanted, delivery, refusals, removed};
use crate::check;
use crate::desired::{self, Desired};
use crate::diagnostic::{Diagnostic, Reported};
use crate::diff::{self, Differences};
use crate::explain::{self, Members};
use crate::live::availability::{self, Availability};
use crate::live::facts::{self, Declared, Facts, Sources};
use crate::live::{Live, progress, status, troubles};
use crate::model::{FleetKey, Kind, Notice, ObjectKey, Source};
use crate::order;
use crate::parse::inputs::Fleet;
use crate::plan::{self, Action, Chain, FleetPlan, Heirs, Observed, Policy, Wave};
use crate::render::gitops::{Delivery, Fleet as Delivered};
use crate::render::kept::{self, Due};
use crate::review::{self, Footprint};
use crate::spec::document::ClaimTemplate;
use crate::spec::named::{self, Leave};
use crate::spec::{self, FullNode};

/// The objects of one fleet, as they would be applied now.
#[derive(Debug)]
pub struct FleetManifests {
    /// The fleet.
    pub fleet: FleetKey,
    /// Its objects, in the order in which they are applied.
    pub objects: Vec<Value>,
    /// What the plan makes anew under names that are still taken, as it is created then.
    pub made_anew: Vec<Value>,
    /// What an applier needs to know beside them, where there is one.
    pub delivery: Option<Delivery>,
    /// Where the rollout stands, where just its next wave is wanted.
    pub stage: Option<Stage>,
}

impl FleetManifests {
    /// Returns a fleet without objects.
    pub(super) fn of(fleet: FleetKey) -> Self {
        Self {
            fleet,
            objects: Vec::new(),
            made_anew: Vec::new(),
            delivery: None,
            stage: None,
        }
    }

    /// Returns the fleet with all that its applier must be told, where there is one.
    #[must_use]
    pub fn delivered<'a>(&'a self, plan: Option<&'a FleetPlan>) -> Option<Delivered<'a>> {
        let delivery = self.delivery.as_ref()?;
        Some(Delivered {
            namespace: &self.fleet.namespace,
            name: &self.fleet.name,
            objects: self.objects.as_slice().into(),
            plan: plan.filter(|_| delivery.is_described),
            delivery,
        })
    }
}

/// What comes of one fleet.
pub(super) struct Planned {
    pub(super) plan: FleetPlan,
    pub(super) manifests: FleetManifests,
    /// What is known of its pods, where that is wanted.
    pub(super) members: Option<Members>,
    /// What it asks for, where that is wanted.
    pub(super) footprint: Option<Footprint>,
    /// Why its applier must not have it yet.
    pub(super) refused: Vec<Diagnostic>,
}

pub(super) fn plan(
    given: &Fleet,
    live: &Live<'_>,
    identities: Declared<'_>,
    (request, taken): (&Request, &Taken),
) -> Reported<Option<Planned>> {
    let (fleet, options) = (&given.node, &request.options);
    let (mut facts, mut notices) = facts::gather(live, &fleet.key, identities, &sources(fleet));
    let errors = identity_errors(given, &request.specs, &mut notices);
    if !errors.is_empty() {
        return Reported {
            value: None,
            diagnostics: errors,
        };
    }
    if options.refresh {
        facts.former_addresses.clear();
    }
    let former = heirs::inherit_facts(&fleet.key, taken, live, &mut facts);
    let mut desired = if fleet.wishes.is_removed {
        Desired::default()
    } else {
        desired::build(fleet, &facts, options.helper_image.as_ref())
    };
    let heirs = heirs::find((fleet, &facts), (taken, &former), live, &mut desired);
    let mut differences = diff::compare(&desired, live, &fleet.key);
    heirs::settle(&mut differences, &fleet.key, &heirs, (taken, live));
    if differences.has_changes_of_others()
        && let Some(before) = asked_before(live, fleet, (&facts, options))
    {
        differences.settle_drift(&before);
    }
    let mut observed = observe(live, fleet, &desired, &facts);
    observed.heirs = heirs;
    let policy = Policy {
        refresh: options.refresh,
        adopt: options.adopt,
    };
    let mut decided = plan::decide(fleet, &desired, &differences, live, (&observed, policy));
    decided.warnings.extend(notices);
    decided
        .warnings
        .extend(warnings(live, fleet, &desired, &observed));
    let waves = order::layer(&mut decided);
    decided.warnings.extend(plan::held(&waves, live));
    let troubles = troubles(live, &fleet.key, (&observed, &facts), &waves);
    decided.warnings.extend(troubles);
    let plan = plan::assemble(&fleet.key, waves, decided);
    let breaches = check::breaches(&plan, Some(fleet), Some(&desired), live);
    if !breaches.is_empty() {
        return Reported {
            value: None,
            diagnostics: breached(&fleet.key, &breaches),
        };
    }
    let known = (&desired, &differences);
    let (manifests, refused) = match hand_over(given, request, (known, &facts, &plan), live) {
        Ok(done) => done,
        Err(fault) => {
            return Reported {
                value: None,
                diagnostics: vec![*fault],
            };
        }
    };
    let footprint = (options.wanted == Wanted::Footprints)
        .then(|| review::footprint(&fleet.key, &desired, &plan, live));
    let members = (options.wanted == Wanted::Members)
        .then(|| explain::gather(fleet, known, live, (&observed, &facts)));
    Reported::clean(Some(Planned {
        plan,
        manifests,
        members,
        footprint,
        refused,
    }))
}

type Compared<'a, 'd, 'l> = (&'a Desired, &'a Differences<'d, 'l>);

/// Returns the objects as whoever applies them gets them, and why he must not have them yet.
fn hand_over(
    given: &Fleet,
    request: &Request,
    ((desired, differences), facts, plan): (Compared<'_, '_, '_>, &Facts, &FleetPlan),
    live: &Live<'_>,
) -> Result<(FleetManifests, Vec<Diagnostic>), Box<Diagnostic>> {
    let key = &given.node.key;
    let (options, handover) = (&request.options, &request.options.handover);
    let mut manifests = FleetManifests::of(key.clone());
    let due = match options.wanted {
        Wanted::Objects => Some(Due::All),
        Wanted::FirstWave => Some(Due::of(plan.waves.first())),
        Wanted::Plan | Wanted::Members | Wanted::Footprints => None,
    };
    if let Some(due) = due {
        manifests.objects = kept::settle(differences, plan, &due);
        manifests.made_anew = kept::made_anew(differences, plan, &due);
    }
    let placed = |mut fault: Diagnostic| {
        fault.place = given.origin.place(&request.specs, "metadata.name");
        fault
    };
    let mut refused = Vec::new();
    if let Some(applier) = handover.applier {
        let asked = (applier, handover.assumed);
        if let Some(fault) = refusals::of_snapshot(live, (key, desired), asked) {
            return Err(Box::new(placed(fault)));
        }
        let asked = (applier, handover.accepts_owner);
        refused = refusals::of_fleet(live, key, (facts, plan), asked);
    }
    if handover.is_next {
        refused.extend(refusals::of_next(live, plan));
    }
    if handover.applier.is_some() || handover.is_next {
        delivery::prepare(&mut manifests, given, (differences, plan), live);
    }
    if handover.is_next {
        delivery::only_next(&mut manifests, (differences, plan));
    }
    Ok((manifests, refused.into_iter().map(placed).collect()))
}

/// Returns what the live document asks for: nothing where the snapshot has no such document, it
/// cannot be built, or its controller has not acted on it yet. In the last case what differs is not
/// what somebody edited, but what was never rolled out.
fn asked_before(
    live: &Live<'_>,
    fleet: &FullNode,
    (facts, options): (&Facts, &Options),
) -> Option<Desired> {
    let document = live
        .get(Kind::CosmosFullNode, &fleet.key.namespace, &fleet.key.name)
        .filter(|object| status::of_document(object).has_acted_on(object.meta.generation))
        .and_then(|object| {
            let document = json!({
                "apiVersion": object.api_version,
                "kind": "CosmosFullNode",
                "metadata": {"name": fleet.key.name, "namespace": fleet.key.namespace},
                "spec": object.spec_tree(),
            });
            serde_json::from_value(document).ok()
        })
        .and_then(|document| spec::validate(document).value);
    document.map(|before| desired::build(&before, facts, options.helper_image.as_ref()))
}

/// What new volumes are made from.
fn sources(fleet: &FullNode) -> Sources<'_> {
    let overrides = fleet.spec.instance_overrides.values();
    let templates: Vec<&ClaimTemplate> = overrides
        .filter_map(|own| own.volume_claim_template.as_ref())
        .chain([&fleet.spec.volume_claim_template])
        .collect();
    let named = |kind: &str| {
        let sources = templates
            .iter()
            .filter_map(|template| template.data_source.as_ref());
        sources
            .filter(|source| source.kind == kind)
            .map(|s| s.name.as_str())
            .collect::<Vec<_>>()
    };
    Sources {
        claims: named("PersistentVolumeClaim"),
        has_snapshots: !named("VolumeSnapshot").is_empty()
            || templates
                .iter()
                .any(|template| template.auto_data_source.is_some()),
        restored: named::named(&fleet.annotations, Leave::Restore)
            .into_iter()
            .map(|entry| entry.claim)
            .collect(),
    }
}

fn observe(live: &Live<'_>, fleet: &FullNode, desired: &Desired, facts: &Facts) -> Observed {
    let status = status::read(live, &fleet.key);
    let mains = desired.instances.iter().map(|i| i.name.as_str()).collect();
    let additional = desired.instances.iter().flat_map(|i| i.additional.iter());
    let additional = additional.map(String::as_str).collect();
    let groups = [mains, additional];
    let availability = availability::judge(live, &fleet.key, &status, &groups, facts.newest);
    let namespace = fleet.key.namespace.as_str();
    let newcomers = desired
        .instances
        .iter()
        .filter(|i| {
            availability
                .get(&i.name)
                .is_some_and(Availability::is_known_down)
        })
        .filter(|i| {
            availability::is_newcomer(
                live,
                namespace,
                (&i.name, status.sync_of(&i.name)),
                &i.claim,
            )
        })
        .map(|i| i.name.clone())
        .collect();
    let chain = Chain {
        heights: facts.heights.clone(),
        images: facts
            .pods
            .iter()
            .filter_map(|(name, pod)| Some((name.clone(), pod.images.get("node")?.clone())))
            .collect(),
        nodes: facts.nodes.clone(),
        progress: progress::gather(live, &fleet.key),
    };
    Observed {
        availability,
        status,
        newcomers,
        chain,
        heirs: Heirs::default(),
    }
}

/// An identity that disagrees with a live key is an error, and one that nobody knows: the node would
/// get another ID.
fn identity_errors(spec: &Fleet, sources: &[Source], notices: &mut Vec<Notice>) -> Vec<Diagnostic> {
    let of_code = |code: &str, notices: &mut Vec<Notice>| {
        let (errors, rest) = std::mem::take(notices)
            .into_iter()
            .partition::<Vec<_>, _>(|notice| notice.code == code);
        *notices = rest;
        errors
    };
    let asked = if spec.node.wishes.is_removed {
        Vec::new()
    } else {
        desired::instances(&spec.node)
    };
    let disagreeing = of_code(facts::IDENTITY_DISAGREES, notices)
        .into_iter()
        .map(|notice| {
            Diagnostic::error("identity-disagrees", notice.message)
                .hint("correct the NodeIdentities, or the key that the cluster holds")
        });
    let unclear = of_code(facts::IDENTITY_UNCLEAR, notices)
        .into_iter()
        .filter_map(|notice| {
            let instance = notice.object?.name;
            let message = format!("{instance}: {}", notice.message);
            let fault = Diagnostic::error("identity-unclear", message).hint(
                "give the NodeIdentities that `keys rotate` wrote, or a snapshot that holds its pod",
            );
            asked.contains(&instance).then_some(fault)
        });
    let mut errors: Vec<Diagnostic> = disagreeing.chain(unclear).collect();
    for fault in &mut errors {
        fault.place = spec.origin.place(sources, "metadata.name");
    }
    errors
}

fn breached(fleet: &FleetKey, breaches: &[check::Breach]) -> Vec<Diagnostic> {
    breaches
        .iter()
        .map(|breach| {
            let message = format!(
                "the plan for {fleet} breaks the rule `{}`: {}",
                breach.rule, breach.message
            );
            Diagnostic::error("internal-breach", message)
                .hint("this is a fault of cosmos-render; nothing was planned; please report it")
        })
        .collect()
}

fn warnings(
    live: &Live<'_>,
    spec: &FullNode,
    desired: &Desired,
    observed: &Observed,
) -> Vec<Notice> {
    let fleet = &spec.key;
    let mut warnings = Vec::new();
    if live.is_assumed_empty {
        let message =
            "no snapshot was given, or one without any object: an empty cluster is assumed";
        warnings.push(Notice::general("AssumedEmpty", message));
    }
    warnings.extend(removed::rest(live, spec));
    warnings.extend(partial_snapshot(live, fleet, desired));
    warnings.extend(owned_claims(live, fleet));
    let mains: BTreeSet<&str> = desired.instances.iter().map(|i| i.name.as_str()).collect();
    let mut known = observed
        .availability
        .iter()
        .filter(|(name, _)| mains.contains(name.as_str()));
    if known.clone().count() > 0 && known.all(|(_, a)| *a == Availability::Unknown) {
        let message = "the snapshot does not tell which nodes serve: all are taken to, restarts \
                       keep to the budget, and each batch waits for the one before";
        warnings.push(Notice::general("StateUnknown", message));
    }
    warnings
}

/// Tells what ails pods. Why one does not start is no news where it is made anew.
fn troubles(
    live: &Live<'_>,
    fleet: &FleetKey,
    (observed, facts): (&Observed, &Facts),
    waves: &[Wave],
) -> Vec<Notice> {
    let steps = waves.iter().flat_map(|wave| &wave.steps);
    let anew: BTreeSet<&ObjectKey> = steps
        .filter(|step| step.action == Action::Replace)
        .map(|step| &step.object)
        .collect();
    let mut notices = troubles::notices(live, fleet, &observed.availability, facts.newest);
    notices.retain(|notice| {
        let is_anew = notice.object.as_ref().is_some_and(|pod| anew.contains(pod));
        notice.code != troubles::NOT_STARTING || !is_anew
    });
    notices
}

/// A kind that is wholly absent while others are there was probably not captured (design.md,
/// safety rule 5).
fn partial_snapshot(live: &Live<'_>, fleet: &FleetKey, desired: &Desired) -> Vec<Notice> {
    refusals::missing(live, fleet, desired)
        .map(|(kind, resource)| {
            let message = format!(
                "the snapshot holds no {kind} at all, though it has other objects of this fleet: \
                 if it was not captured, add {resource} to the kubectl command"
            );
            Notice::general("PartialSnapshot", message)
        })
        .collect()
}

/// Claims with an owner go when the owner goes (design.md, safety rule 6).
fn owned_claims(live: &Live<'_>, fleet: &FleetKey) -> Option<Notice> {
    let owned: Vec<ObjectKey> = live
        .kind_of_fleet(Kind::PersistentVolumeClaim, fleet)
        .filter(|claim| !claim.meta.owners.is_empty())
        .map(crate::live::Object::key)
        .collect();
    let (first, last) = (owned.first()?, owned.last()?);
    let message = format!(
        "{} claims ({} to {}) have an ownerReference: deleting their owner, or its CRD, would \
         delete them; `plan --adopt` takes them over first",
        owned.len(),
        first.name,
        last.name
    );
    Some(Notice::general("ClaimsOwned", message))
}
