//! Text into specifications and snapshots; the only room that knows the YAML crate.

pub mod fit;
pub mod inputs;
pub mod locate;
mod node_key;
pub mod snapshot;
pub mod tree;
