//! Rules on what `cosmos-render.toml` settles for fleets that no document describes.

use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes::{self, Level};
use crate::model::likeness::nearest;
use crate::model::quote::quote;
use crate::parse::inputs::Inputs;
use crate::settings::Settings;

const CODE: &str = "estimate-of-no-fleet";

/// Finds estimates of fleets that are not among the documents.
pub(super) fn judge(inputs: &Inputs, settings: &Settings) -> Vec<Diagnostic> {
    let fleets = inputs.fleets.iter();
    let known: Vec<String> = fleets.map(|fleet| fleet.node.key.to_string()).collect();
    let unknown = settings.estimated.iter();
    let unknown = unknown.filter(|(name, _)| !known.contains(name));
    let found = unknown.map(|(name, place)| {
        let message = format!(
            "no document that was given describes a fleet {}",
            quote(name)
        );
        let bare = format!("/{name}");
        let same = known.iter().find(|known| known.ends_with(&bare));
        let near = nearest(name, known.iter().map(String::as_str));
        let hint = match same.map(String::as_str).or(near) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write `namespace/name` of a fleet; this estimate holds for none".to_owned(),
        };
        let mut found = Diagnostic::warning(CODE, message).hint(hint);
        found.place = Some(place.clone());
        found
    });
    found.collect()
}

/// The same for a command that goes on in any case: a warning, or nothing where it is turned off.
#[must_use]
pub fn warnings(inputs: &Inputs, settings: &Settings) -> Vec<Diagnostic> {
    let mut found = judge(inputs, settings);
    let level = |found: &Diagnostic| {
        let (code, _) = codes::find(found.code)?;
        Some(settings.lint.get(code.name).map_or(code.level, super::set))
    };
    found.retain(|found| level(found) != Some(Level::Off));
    found
}
