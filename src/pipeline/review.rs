//! A change of the documents under one snapshot: the plan of what they were against the plan of what
//! they are to be, and which field brings about which step.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::findings::Documents;
use super::heirs::Taken;
use super::{Request, Wanted, age, fleet, identities, inputs, live, removed, take};
use crate::diagnostic::{Diagnostic, Reported, Severity};
use crate::live::Live;
use crate::model::{FleetKey, Kind, Notice, Source};
use crate::parse;
use crate::parse::inputs::{Fleet, Inputs};
use crate::plan::{self, FleetPlan, Plan, Summary, Wave};
use crate::review::fields::{self, Field};
use crate::review::{
    self, Delta, DocumentChange, Due, FORMAT_VERSION, Fate, FleetReview, Footprint, Review, Side,
};
use crate::settings::Prices;
use crate::spec;
use crate::spread;

/// How many plans of one instance each may be made to find out which field brings about which step.
const MOST_TRIALS: usize = 4_000;

/// The documents as they were, and what both states are called.
#[derive(Debug)]
pub struct Sides {
    /// The documents as they were.
    pub specs: Vec<Source>,
    /// What they are called.
    pub base: Side,
    /// What those of the request are called.
    pub head: Side,
    /// What a month costs.
    pub prices: Option<Prices>,
}

/// A review, and the documents that it is of.
#[derive(Debug)]
pub struct Reviewed {
    /// The review.
    pub review: Review,
    /// The plan of the documents as they are to be.
    pub plan: Plan,
    base: (Vec<Source>, Inputs),
    head: (Vec<Source>, Inputs),
}

impl Reviewed {
    /// Returns the documents as they were, and as they are to be.
    #[must_use]
    pub fn documents(&self) -> (Documents<'_>, Documents<'_>) {
        let of = |(sources, inputs)| Documents { sources, inputs };
        let ((base, were), (head, are)) = (&self.base, &self.head);
        (of((base, were)), of((head, are)))
    }
}

/// Tells what the documents of a request do that those before did not. There is no review where
/// anything of the request is an error; a base that cannot be planned is a warning.
#[must_use]
pub fn review(mut request: Request, sides: Sides) -> Reported<Option<Reviewed>> {
    let mut diagnostics = Vec::new();
    request.options.wanted = Wanted::Footprints;
    let given = request;
    let request = &given;
    let namespace = request.options.namespace.as_deref();
    let specs = take(parse::specs(&request.specs, namespace), &mut diagnostics);
    let before = Request {
        specs: sides.specs,
        snapshot: None,
        options: request.options.clone(),
    };
    let base = parse::specs(&before.specs, namespace);
    if specs.fleets.is_empty() && base.value.fleets.is_empty() {
        diagnostics.extend(super::without_fleets(&specs, request, &diagnostics));
    }
    let sources = request.snapshot.as_deref().unwrap_or_default();
    let texts = take(parse::texts(sources), &mut diagnostics);
    let live = take(live(&texts, request), &mut diagnostics);
    let age = age::judge(&live, &request.options);
    diagnostics.extend(age.error);
    let head = planned(&specs, &live, request);
    let after = take(head, &mut diagnostics);
    if diagnostics.iter().any(|d| d.severity == Severity::Error) {
        return super::nothing(diagnostics);
    }
    let mut warnings: Vec<Notice> = age.warning.clone().into_iter().collect();
    let base_specs = base.value;
    let mut faults = base.diagnostics;
    let former = take(planned(&base_specs, &live, &before), &mut faults);
    let is_planned = !faults.iter().any(|fault| fault.severity == Severity::Error);
    if !is_planned {
        warnings.push(unplanned(&faults));
    }
    let all = (State::of(&base_specs, &former), State::of(&specs, &after));
    let mut fleets = fleets(all, is_planned, &live, request);
    let delta = priced(&mut fleets, sides.prices.as_ref());
    let mut summary = summed(&fleets, Due::is_to_blame);
    summary.blocked = fleets.iter().map(|fleet| fleet.blocked.len()).sum();
    let plans = after.into_values().map(|(plan, _)| plan).collect();
    let given_inputs = inputs::of(request, age.seconds);
    let plan = super::whole(plans, given_inputs.clone(), age.warning);
    let review = Review {
        api_version: "cosmos-render/v1",
        kind: "Review",
        format_version: FORMAT_VERSION,
        base: Side {
            is_planned,
            ..sides.base
        },
        head: Side {
            is_planned: true,
            ..sides.head
        },
        inputs: given_inputs,
        summary,
        pending: summed(&fleets, |due| !due.is_to_blame()),
        delta,
        warnings,
        fleets,
    };
    Reported {
        value: Some(Reviewed {
            review,
            plan,
            base: (before.specs, base_specs),
            head: (given.specs, specs),
        }),
        diagnostics,
    }
}

/// A fleet's plan, and what it asks for.
type Plans = BTreeMap<FleetKey, (FleetPlan, Option<Footprint>)>;

/// One of the two states.
#[derive(Clone, Copy)]
struct State<'s> {
    specs: &'s Inputs,
    plans: &'s Plans,
}

impl<'s> State<'s> {
    fn of(specs: &'s Inputs, plans: &'s Plans) -> Self {
        Self { specs, plans }
    }

    fn fleet(&self, key: &FleetKey) -> Option<&'s Fleet> {
        self.specs.fleet(key)
    }

    fn footprint(&self, key: &FleetKey) -> Option<Footprint> {
        self.plans
            .get(key)
            .and_then(|(_, footprint)| footprint.clone())
    }
}

fn planned(specs: &Inputs, live: &Live<'_>, request: &Request) -> Reported<Plans> {
    let mut diagnostics = Vec::new();
    let taken = Taken::new(specs);
    let mut plans = Plans::new();
    let all = spread::map(&specs.fleets, |spec| {
        fleet::plan(spec, live, identities(specs, spec), (request, &taken))
    });
    for (spec, planned) in specs.fleets.iter().zip(all) {
        if let Some(planned) = take(planned, &mut diagnostics) {
            plans.insert(spec.node.key.clone(), (planned.plan, planned.footprint));
        }
    }
    for plan in removed::fleets(live, specs, &taken) {
        let key = plan.key();
        plans.insert(key, (plan, None));
    }
    Reported {
        value: plans,
        diagnostics,
    }
}

fn unplanned(faults: &[Diagnostic]) -> Notice {
    let errors = faults
        .iter()
        .filter(|fault| fault.severity == Severity::Error);
    let first = errors.clone().next().map_or("", |fault| &fault.message);
    let message = format!(
        "the base cannot be planned, so that all that is due counts as the change's: {}{first}",
        match errors.count() {
            1 => String::new(),
            n => format!("{n} errors, the first: "),
        }
    );
    Notice::general("BaseUnplanned", message)
}

fn fleets(
    (base, head): (State<'_>, State<'_>),
    is_planned: bool,
    live: &Live<'_>,
    request: &Request,
) -> Vec<FleetReview> {
    let keys: BTreeSet<&FleetKey> = base.plans.keys().chain(head.plans.keys()).collect();
    let nothing = FleetPlan::default();
    let mut fleets = Vec::new();
    for key in keys {
        let after = head.plans.get(key).map_or(&nothing, |(plan, _)| plan);
        let former = base.plans.get(key).map(|(plan, _)| plan);
        let former = former.filter(|_| is_planned || base.fleet(key).is_some());
        let mut review = review::compare(former, after);
        (review.namespace, review.name) = (key.namespace.clone(), key.name.clone());
        let both = (base.fleet(key), head.fleet(key));
        review.file = file(both.1.or(both.0), request);
        review.delta = Delta {
            before: base.footprint(key),
            after: head.footprint(key),
            cost: None,
        };
        review.document = match both {
            (None, Some(_)) => DocumentChange::Added,
            (Some(_), None) => DocumentChange::Removed,
            (None, None) => DocumentChange::Same,
            (Some(before), Some(now)) => {
                let documents = (&before.document(), &now.document());
                changed((now, documents), head.specs, &mut review, (live, request))
            }
        };
        for due in &mut review.steps {
            due.size = size(due, live);
        }
        if review.is_told() || !review.steps.is_empty() {
            fleets.push(review);
        }
    }
    fleets
}

/// Compares a document with what it was, and finds out what comes of each field.
fn changed(
    (now, (before, after)): (&Fleet, (&Value, &Value)),
    specs: &Inputs,
    review: &mut FleetReview,
    (live, request): (&Live<'_>, &Request),
) -> DocumentChange {
    if before == after {
        return DocumentChange::Same;
    }
    let found = fields::fields(before, after);
    attribute((now, after, &found), specs, review, (live, request));
    let told = found.into_iter().map(|field| {
        let place = now.origin.place(&request.specs, &field.change.place);
        let mut change = field.change;
        change.line = place.and_then(|place| Some(place.span?.line));
        change
    });
    review.fields = told.collect();
    DocumentChange::Changed
}

fn file(fleet: Option<&Fleet>, request: &Request) -> Option<String> {
    let place = fleet?.origin.place(&request.specs, "");
    place.map(|place| place.file)
}

/// Finds out which fields bring about which steps: each field is set back alone, and what is not
/// done then comes of it.
fn attribute(
    (now, document, found): (&Fleet, &Value, &[Field]),
    specs: &Inputs,
    review: &mut FleetReview,
    (live, request): (&Live<'_>, &Request),
) {
    let instances = usize::try_from(now.node.spec.replicas).unwrap_or_default();
    let is_worth_it = review.steps.iter().any(Due::is_of_the_change);
    if !is_worth_it || found.len().saturating_mul(instances) > MOST_TRIALS {
        return;
    }
    let taken = Taken::new(specs);
    // by step: the fields without which it is not taken, and those without which it is another
    let mut causes = vec![(Vec::new(), Vec::new()); review.steps.len()];
    for field in found {
        let Some(trial) = trial(now, fields::without(document, field)) else {
            continue;
        };
        let known = identities(specs, now);
        let planned = fleet::plan(&trial, live, known, (request, &taken)).value;
        let Some(planned) = planned else { continue };
        for (due, (needed, shaping)) in review.steps.iter().zip(&mut causes) {
            let path = || field.change.path.clone();
            match review::fate(&due.step, &planned.plan) {
                Fate::Same => {}
                Fate::Other => shaping.push(path()),
                Fate::Gone => needed.push(path()),
            }
        }
    }
    for (due, (needed, shaping)) in review.steps.iter_mut().zip(causes) {
        if due.is_of_the_change() {
            due.causes = if needed.is_empty() { shaping } else { needed };
        }
    }
}

/// Returns a fleet with another document; nothing where that cannot be built.
fn trial(fleet: &Fleet, document: Value) -> Option<Fleet> {
    let read = serde_json::from_value(document).ok()?;
    let node = spec::validate(read).value?;
    (node.key == fleet.node.key).then(|| Fleet {
        node,
        origin: fleet.origin.clone(),
    })
}

/// Returns the size of the claim that a step is about.
fn size(due: &Due, live: &Live<'_>) -> Option<String> {
    let object = &due.step.object;
    if object.kind != Kind::PersistentVolumeClaim {
        return None;
    }
    let claim = live.get(object.kind, &object.namespace, &object.name)?;
    let spec = claim.spec_tree();
    spec["resources"]["requests"]["storage"]
        .as_str()
        .map(ToOwned::to_owned)
}

/// Counts steps of one sort.
fn summed(fleets: &[FleetReview], is_meant: fn(&Due) -> bool) -> Summary {
    let plans: Vec<FleetPlan> = fleets
        .iter()
        .map(|fleet| {
            let steps = fleet.steps.iter().filter(|due| is_meant(due));
            let wave = Wave {
                steps: steps.map(|due| due.step.clone()).collect(),
                ..Wave::default()
            };
            FleetPlan {
                waves: vec![wave],
                ..FleetPlan::default()
            }
        })
        .collect();
    plan::summarise(&plans)
}

/// Says what each fleet asks for costs; returns what all of them ask for, with its cost.
fn priced(fleets: &mut [FleetReview], prices: Option<&Prices>) -> Delta {
    let mut whole = total(fleets);
    let deltas = fleets.iter_mut().map(|fleet| &mut fleet.delta);
    for delta in deltas.chain([&mut whole]) {
        let (before, after) = (delta.before.as_ref(), delta.after.as_ref());
        delta.cost = prices.map(|prices| review::cost(before, after, prices));
    }
    whole
}

fn total(fleets: &[FleetReview]) -> Delta {
    let sum = |side: fn(&Delta) -> Option<&Footprint>| {
        let mut sides = fleets
            .iter()
            .filter_map(|fleet| side(&fleet.delta))
            .peekable();
        sides.peek().is_some().then(|| {
            let mut sum = Footprint::default();
            sides.for_each(|one| sum += one);
            sum
        })
    };
    Delta {
        before: sum(|delta| delta.before.as_ref()),
        after: sum(|delta| delta.after.as_ref()),
        cost: None,
    }
}
