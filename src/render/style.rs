//! Which colours mean what, and whether there are any.

use anstyle::{AnsiColor, Style as Paint};

/// Whether a text carries colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// No colours: files, pipes, `NO_COLOR`.
    Plain,
    /// Colours as ANSI sequences.
    Coloured,
}

/// What a run of text means to its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// A heading.
    Title,
    /// Something comes to be.
    Added,
    /// Something is changed in place.
    Changed,
    /// Something is interrupted.
    Interrupted,
    /// Something goes away.
    Removed,
    /// Something is lost for ever.
    Danger,
    /// Beside the point.
    Faint,
}

impl Style {
    /// Returns a text in its tone.
    pub(super) fn paint(self, tone: Tone, text: &str) -> String {
        match self {
            Style::Plain => text.to_owned(),
            Style::Coloured => {
                let paint = paint_of(tone);
                format!("{paint}{text}{paint:#}")
            }
        }
    }
}

fn paint_of(tone: Tone) -> Paint {
    match tone {
        Tone::Title => Paint::new().bold(),
        Tone::Added => AnsiColor::Green.on_default(),
        Tone::Changed => AnsiColor::Yellow.on_default(),
        Tone::Interrupted => AnsiColor::Magenta.on_default(),
        Tone::Removed => AnsiColor::Red.on_default(),
        Tone::Danger => AnsiColor::Red.on_default().bold(),
        Tone::Faint => Paint::new().dimmed(),
    }
}
