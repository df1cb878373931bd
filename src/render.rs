//! Results into texts: for people, for machines, and as files to apply. Writes nothing itself and
//! knows nothing of terminals: colour is a [`Style`] that the caller picks.

pub mod diagnostics;
pub mod gitops;
pub mod html;
pub mod json;
pub mod kept;
pub mod manifests;
pub mod markdown;
pub mod saved;
pub mod schema;
pub mod svg;
pub mod text;
pub mod yaml;

mod amounts;
mod diff;
mod risks;
mod style;
mod value;
mod verdict;

use std::collections::BTreeMap;

use crate::model::digest::sha256;

pub use style::Style;

/// File texts by their path below some folder, with `/` between its parts.
pub type Tree = BTreeMap<String, String>;

/// Returns the SHA-256 of a text as 64 hexadecimal digits, as an index of files names it.
#[must_use]
pub fn digest(text: &str) -> String {
    sha256(text.as_bytes())
}

/// Returns a text in which no character commands a terminal: control characters are escaped.
#[must_use]
pub fn visible(text: &str) -> String {
    value::escaped(text)
}
