//! Files, folders and standard input into source texts, and texts into files: the only room that
//! meets the disk. Decides nothing of what the texts mean.

#![expect(
    clippy::disallowed_methods,
    reason = "this room is where the program meets the disk"
)]

mod read;
mod settings;
mod tree;
pub mod write;

pub use read::{Limits, read};
pub use settings::settings;
pub use tree::{from_here, tree};
