//! What is printed or written of one fleet. It is made on the thread that planned the fleet, and its
//! objects are dropped there: those of ten thousand nodes at once would take gigabytes.

use serde_json::Value;

use crate::diagnostic::Diagnostic;
use crate::model::Notice;
use crate::pipeline::FleetManifests;
use crate::plan::FleetPlan;
use crate::render::Tree;
use crate::render::gitops::{Applier, Fleet, argocd, flux, guards};
use crate::render::manifests::{self, Format};
use crate::settings::Settings;

/// What is wanted of each fleet.
pub(super) struct Order<'a> {
    pub(super) applier: Option<Applier>,
    pub(super) form: Form,
    pub(super) settings: &'a Settings,
}

/// The form in which fleets come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// Documents, one after the other.
    Stream(Format),
    /// The objects themselves: they are put in one list with those of other fleets.
    List,
    /// A file for each object.
    Files(Format),
    /// Files for Flux, whose source has them below this path.
    Flux(String),
}

/// What came of a fleet.
pub(super) struct Made {
    pub(super) result: Result<Text, Diagnostic>,
    /// What its applier is not told yet, and should be.
    pub(super) warnings: Vec<Notice>,
}

/// A fleet in the form that was asked for.
pub(super) enum Text {
    Stream(String),
    List(Vec<Value>),
    Files(Tree),
}

/// Makes of a fleet what is wanted, and takes its objects out.
pub(super) fn of(of: &mut FleetManifests, plan: Option<&FleetPlan>, order: &Order<'_>) -> Made {
    let objects = std::mem::take(&mut of.objects);
    let key = (of.fleet.namespace.as_str(), of.fleet.name.as_str());
    let Some(fleet) = of.delivered(plan) else {
        return Made {
            result: Ok(text(key, objects, &order.form)),
            warnings: Vec::new(),
        };
    };
    let fleet = Fleet {
        objects: objects.into(),
        ..fleet
    };
    let applier = order.applier.into_iter();
    let warnings = applier.flat_map(|applier| guards::warnings(&fleet, applier, order.settings));
    let warnings = warnings.collect();
    let result = match (&order.form, order.applier) {
        (Form::Flux(path), _) => {
            let files = flux::tree(std::slice::from_ref(&fleet), order.settings, path);
            Ok(Text::Files(files))
        }
        (form, Some(Applier::ArgoCd)) => {
            argocd::objects(fleet, order.settings).map(|objects| text(key, objects, form))
        }
        (form, Some(Applier::Flux) | None) => {
            let mut objects = fleet.objects.into_owned();
            objects.extend(fleet.delivery.standing.iter().cloned());
            Ok(text(key, objects, form))
        }
    };
    Made { result, warnings }
}

fn text(fleet: (&str, &str), objects: Vec<Value>, form: &Form) -> Text {
    match form {
        Form::Stream(format) => Text::Stream(manifests::stream(&objects, *format)),
        Form::List => Text::List(objects),
        Form::Files(format) => Text::Files(manifests::tree(fleet, &objects, *format)),
        Form::Flux(_) => Text::Files(Tree::new()),
    }
}
