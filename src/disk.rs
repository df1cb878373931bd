//! Files, folders and standard input into source texts: the only room that reads the disk.
//! Decides nothing of what the texts mean.

#![expect(
    clippy::disallowed_methods,
    reason = "this room is where the program meets the disk"
)]

mod read;

pub use read::{Limits, read};
