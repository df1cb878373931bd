//! One fault or warning, where it is, and what to do about it; plus a value beside its list of
//! them. Knows nothing of how a message is printed.

use std::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing can be planned from this.
    Error,
    /// Worth knowing; the work goes on.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
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
        }
    }

    /// Returns a warning without a place.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
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
