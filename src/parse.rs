//! Text into specifications and snapshots; the only room that knows the YAML crate.

mod node_key;
pub mod snapshot;
pub mod tree;
