//! The settings of the tree that a command works on, from the file to their meaning.

use crate::diagnostic::Reported;
use crate::disk;
use crate::pipeline;
use crate::settings::Settings;

use super::Failure;
use super::terminal::Terminal;

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

/// Reads the settings for a command that does nothing where they are wrong. Warnings are printed.
pub(super) fn sound(
    specs: &[String],
    config: Option<&str>,
    (terminal, consequence): (&Terminal, &'static str),
) -> Result<Settings, Failure> {
    let read = read(specs, config);
    if read.has_errors() {
        return Err(Failure {
            diagnostics: read.diagnostics,
            consequence,
        });
    }
    terminal.diagnostics(&read.diagnostics);
    Ok(read.value)
}
