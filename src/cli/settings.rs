//! The settings of the tree that a command works on, from the file to their meaning.

use crate::diagnostic::Reported;
use crate::disk;
use crate::pipeline;
use crate::settings::Settings;

/// Reads the settings that are named, or the ones above the specifications. All that is wrong with
/// them is told, and what is right holds.
pub(super) fn read(specs: &[String], config: Option<&str>) -> Reported<Settings> {
    let file = disk::settings(specs, config);
    let mut diagnostics = file.diagnostics;
    let settings = pipeline::settings(file.value.as_ref());
    diagnostics.extend(settings.diagnostics);
    Reported {
        value: settings.value,
        diagnostics,
    }
}
