//! Where words go: results to standard output, talk to standard error, in colour where wanted.

use std::io::{self, Write as _};

use anstream::AutoStream;
use clap::ColorChoice;

use crate::diagnostic::{Diagnostic, Severity};
use crate::render::text::Detail;
use crate::render::{Style, diagnostics};

use super::Failure;
use super::args::Global;

/// The two streams, and how much is said.
#[derive(Debug)]
pub(super) struct Terminal {
    out: Style,
    err: Style,
    is_quiet: bool,
    is_verbose: bool,
}

impl Terminal {
    /// Looks at the streams.
    pub(super) fn new(global: &Global) -> Self {
        let Global {
            color,
            quiet,
            verbose,
        } = *global;
        let style = |auto: anstream::ColorChoice| match (color, auto) {
            (ColorChoice::Never, _) | (ColorChoice::Auto, anstream::ColorChoice::Never) => {
                Style::Plain
            }
            (ColorChoice::Always | ColorChoice::Auto, _) => Style::Coloured,
        };
        Self {
            out: style(AutoStream::choice(&io::stdout())),
            err: style(AutoStream::choice(&io::stderr())),
            is_quiet: quiet,
            is_verbose: verbose,
        }
    }

    /// Returns how results are coloured.
    pub(super) fn out(&self) -> Style {
        self.out
    }

    /// Returns whether talk is coloured.
    #[cfg(feature = "runner")]
    pub(super) fn is_coloured(&self) -> bool {
        self.err == Style::Coloured
    }

    /// Returns how much of a result for people is wanted.
    pub(super) fn detail_wanted(&self) -> Detail {
        if self.is_verbose {
            Detail::Every
        } else {
            Detail::Summed
        }
    }

    /// Prints diagnostics: without warnings where quiet.
    pub(super) fn diagnostics(&self, all: &[Diagnostic]) {
        say(&diagnostics::text(&self.shown(all), self.err));
    }

    /// Returns what is shown: no warnings where quiet.
    pub(super) fn shown(&self, all: &[Diagnostic]) -> Vec<Diagnostic> {
        let is_shown = |d: &&Diagnostic| !self.is_quiet || d.severity == Severity::Error;
        all.iter().filter(is_shown).cloned().collect()
    }

    /// Prints diagnostics and the count of the errors among them.
    pub(super) fn failure(&self, failure: &Failure) {
        let Failure {
            diagnostics: all,
            consequence,
        } = failure;
        self.diagnostics(all);
        let shown = self.shown(all);
        if let Some(count) = diagnostics::count(&shown, consequence) {
            say(&format!("{count}\n"));
        }
    }

    /// Prints warnings and their count.
    pub(super) fn counted(&self, all: &[Diagnostic]) {
        self.failure(&Failure {
            diagnostics: all.to_vec(),
            consequence: "",
        });
    }

    /// Prints a line unless quiet.
    pub(super) fn note(&self, text: &str) {
        if !self.is_quiet {
            line(text);
        }
    }

    /// Prints a line where asked for much.
    pub(super) fn detail(&self, text: &str) {
        if self.is_verbose {
            line(text);
        }
    }
}

/// Prints a result. A reader who has gone is no error; a full disk is.
pub(super) fn result(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => {
            let message = format!("cannot write to standard output: {error}");
            Err(Failure {
                diagnostics: vec![Diagnostic::error("not-written", message)],
                consequence: "the result is not whole",
            })
        }
    }
}

/// Prints a line that must be seen.
pub(super) fn line(text: &str) {
    say(&format!("{text}\n"));
}

/// Writes to standard error. There is no other place to tell that this failed.
fn say(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
