//! One fault or warning, where it is, and what to do about it; plus a value beside its list of
//! them, and the table of all codes. Knows nothing of how a message is printed.

pub mod codes;

use std::fmt;
use std::ops::Range;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing can be planned from this.
    Error,
    /// Worth knowing; the work goes on.
    Warning,
    /// Just told: nobody need do anything about it.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        })
    }
}

/// Where in the inputs: a file, and as much more as is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The name of the source (see `model::Source`).
    pub file: String,
    /// The position in its text, where there is one.
    pub span: Option<Span>,
    /// The path in the document (`spec.chain.config`), empty where it has none.
    pub path: String,
}

/// A run of characters on one line of a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The line, counted from 1.
    pub line: usize,
    /// The first character on that line, counted from 1.
    pub column: usize,
    /// How many characters are meant, at least 1.
    pub width: usize,
    /// The text of that line (cut to a window of at most 200 characters; `column` then counts
    /// inside the whole line and `window` says where the cut starts). Never a secret.
    pub line_text: String,
    /// The column at which `line_text` starts, counted from 1.
    pub window: usize,
}

impl Span {
    /// Returns where a range of bytes of a text stands, as far as its first line goes.
    #[must_use]
    pub fn of(text: &str, range: Range<usize>) -> Self {
        let start = range.start.min(text.len());
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line_text = text.get(line_start..).unwrap_or_default();
        let line_text = line_text.lines().next().unwrap_or_default();
        let chars = |range: Range<usize>| text.get(range).map_or(0, |part| part.chars().count());
        let end = range
            .end
            .clamp(start, line_start + line_text.len().max(start - line_start));
        Self {
            line: before.matches('\n').count() + 1,
            column: chars(line_start..start) + 1,
            width: chars(start..end).max(1),
            line_text: line_text.to_owned(),
            window: 1,
        }
    }
}

/// One message about the inputs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// Where it is. Sorted by this first, so that output does not depend on the order of work.
    pub place: Option<Place>,
    /// How bad it is.
    pub severity: Severity,
    /// A stable code in kebab case, such as `unknown-field`.
    pub code: &'static str,
    /// What is wrong, in lower case, without a full stop.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// What else is worth knowing, and where the other end of it is.
    pub notes: Vec<Note>,
}

/// What else is worth knowing about a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The note, in lower case, without a full stop.
    pub message: String,
    /// The other place that it is about, where it is about one.
    pub place: Option<Place>,
}

impl Diagnostic {
    /// Returns an error without a place.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            place: None,
            severity: Severity::Error,
            code,
            message: message.into(),
            hint: None,
            notes: Vec::new(),
        }
    }

    /// Returns a warning without a place.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    /// Returns what to do: its own hint, or else what helps with every fault of its code.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let general = || {
            let (code, _) = codes::find(self.code)?;
            let mut letters = code.mend.trim_end_matches('.').chars();
            let first = letters.next().map(|first| first.to_ascii_lowercase());
            Some(first.into_iter().chain(letters).collect())
        };
        self.hint.clone().or_else(general)
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what else is worth knowing.
    #[must_use]
    pub fn note(mut self, message: impl Into<String>) -> Self {
        let message = message.into();
        self.notes.push(Note {
            message,
            place: None,
        });
        self
    }

    /// Adds another place, and what it has to do with this.
    #[must_use]
    pub fn see(mut self, place: Option<Place>, message: impl Into<String>) -> Self {
        let message = message.into();
        self.notes.push(Note { message, place });
        self
    }

    /// Adds a position inside the text that stands at the place's path.
    #[must_use]
    pub fn within(mut self, text: &str, range: Range<usize>) -> Self {
        if let Some(place) = &mut self.place {
            place.span = Some(Span::of(text, range));
        }
        self
    }

    /// Adds a file, and a path in its document where that is not empty.
    #[must_use]
    pub fn at(mut self, file: impl Into<String>, path: impl Into<String>) -> Self {
        self.place = Some(Place {
            file: file.into(),
            span: None,
            path: path.into(),
        });
        self
    }
}

/// A value beside all that was found wrong on the way to it.
#[derive(Debug, Clone)]
pub struct Reported<T> {
    /// The value: usable only where no diagnostic is an error.
    pub value: T,
    /// What was found, in any order.
    pub diagnostics: Vec<Diagnostic>,
}

impl<T> Reported<T> {
    /// Returns a value of which nothing is to be said.
    pub fn clean(value: T) -> Self {
        Self {
            value,
            diagnostics: Vec::new(),
        }
    }

    /// Returns whether any diagnostic is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|d| d.severity == Severity::Error)
    }
}
