//! Text into specifications and snapshots; the only room that knows the YAML crate.

pub mod fit;
pub mod inputs;
pub mod json;
pub mod locate;
pub mod node_key;
pub mod redact;
pub mod scalar;
pub mod settings;
pub mod snapshot;
mod stamps;
pub mod text;
pub mod transcode;
pub mod tree;
pub mod yaml;

use crate::diagnostic::Reported;
use crate::model::Source;
use crate::spread;

/// Reads all specifications: the fleets, and the identities of their nodes. Documents that name no
/// namespace are of the one that is given, as with `kubectl apply -n`.
#[must_use]
pub fn specs(sources: &[Source], namespace: Option<&str>) -> Reported<inputs::Inputs> {
    let limits = text::Limits::default();
    let mut documents = Vec::new();
    let mut diagnostics = Vec::new();
    let all = spread::map(sources, |source| text::documents(source, &limits));
    for (i, read) in all.into_iter().enumerate() {
        diagnostics.extend(read.diagnostics);
        documents.extend(read.value.into_iter().map(|document| (i, document)));
    }
    let mut inputs = inputs::inputs(documents, (sources, namespace));
    inputs.diagnostics.extend(diagnostics);
    inputs
}

/// Turns the sources of a snapshot into JSON, without copying those that are JSON already.
#[must_use]
pub fn texts(sources: &[Source]) -> Reported<Vec<snapshot::Text<'_>>> {
    let limits = text::Limits::default();
    let mut texts = Vec::new();
    let mut diagnostics = Vec::new();
    for source in sources {
        let read = transcode::to_json(source, &limits);
        diagnostics.extend(read.diagnostics);
        let documents = read.value.into_iter();
        texts.extend(documents.map(|json| snapshot::Text {
            source: &source.name,
            json,
        }));
    }
    Reported {
        value: texts,
        diagnostics,
    }
}
