//! Text into specifications and snapshots; the only room that knows the YAML crate.

pub mod fit;
pub mod inputs;
pub mod json;
pub mod locate;
mod node_key;
pub mod scalar;
pub mod snapshot;
pub mod text;
pub mod transcode;
pub mod tree;
pub mod yaml;
