//! Node keys: makes them, takes them over, and tells who has which identity. The one room that
//! holds private keys, for as long as it takes to write them into the Secret that was asked for.
//!
//! What holds a key is wiped when it is dropped, and is never printed: there is no `Debug`,
//! diagnostic or list that shows more than an ID. What cannot be wiped from here: copies that the
//! YAML reader makes of the texts that it reads, what a growing buffer leaves behind while an input
//! is read, and what the system keeps of pipes, files and swapped memory. Knows nothing of disks
//! and of where randomness comes from.

mod entries;
mod key;
mod ledger;
mod list;
mod make;
mod newness;
mod outputs;
mod pool;
mod print;
mod secret;
mod survey;
#[cfg(test)]
mod tests;
mod unquote;
mod verify;

pub use crate::parse::node_key::Broken;
pub use key::Seed;
pub use list::FORMAT_VERSION as LIST_VERSION;
pub use list::{Listing, json, schema as list_schema, text};
pub use make::{Done, Home, Seeds, What};
pub use newness::Newness;
pub use outputs::{File, Place, Written, import, init, places, rotate};
pub use pool::{Holds, Sources};
pub use print::Printed;
pub use secret::{Form, Text};
pub use survey::{Fleet, Instance, Request, Survey, survey};
pub use verify::verify;
