//! cosmos-render turns `CosmosFullNode` documents and a cluster snapshot into an ordered plan and
//! plain manifests.
//!
//! The modules of this crate are called rooms. Data goes through them once, from left to right:
//!
//! ```text
//! specs ────► parse ──► spec ──► desired ──► diff ──► plan ──► order ──► check ──► render ──► disk
//! snapshot ─► parse ──► live, facts ──┘       │         │
//!                        └────────────────────┴─────────┘
//! ```
//!
//! - `model` and `diagnostic` are the words that all rooms share: names, kinds, quantities; and a
//!   fault or warning with its place and what to do about it.
//! - `parse` makes specifications and snapshots of text. It alone knows YAML and JSON as text, and it
//!   cuts out private keys, so that no other room but `keys` ever holds one.
//! - `settings` is what a tree's `cosmos-render.toml` settles: estimates, prices, levels of lints.
//! - `spec` is a document as its owner wrote it, and `FullNode`, its validated form: nobody behind
//!   `spec::validate` doubts it again.
//! - `live` is the cluster as one snapshot shows it, and the facts: the few observed values (heights,
//!   claim sizes, addresses, node IDs) that shape what should exist.
//! - `desired` builds the objects that should exist from a validated document and the facts.
//! - `diff` tells, field by field, what differs between desired and live, and what each difference
//!   takes to come into force. It has no opinion on what is done about it.
//! - `plan` decides: which action serves each difference, within the owner's budget; what waits, and
//!   on what; what is blocked until its owner allows it. Its types are the words of plans.
//! - `order` layers steps into waves with gates between them.
//! - `check` judges the finished plan against the invariants that safety hangs on, without sharing
//!   code with the rooms that made it. A breach is an internal error, and nothing is put out.
//! - `explain` tells one pod's story from all of these: what it is, what it should be, and why it
//!   waits. It decides nothing.
//! - `review` tells what lies between two plans of one cluster: what a change of the documents does.
//! - `lint` judges documents that can be built and hurt all the same, by rules with codes. It stands
//!   beside the flow, behind `parse`.
//! - `render` makes texts of the results: for people, for machines, and as files to apply.
//! - `pipeline` calls all these in order. The shell calls it, and decides nothing itself.
//! - `simulate` carries plans out on a model of a cluster while time passes, and plans again;
//!   `timeline` is what it tells.
//! - `spread` does work on many things at once, and puts the results into their order.
//! - `keys` makes node keys, takes them over and compares them: the one room that holds any.
//! - `disk` and `cli` are the shell: files, arguments, colours and exit codes.
//! - `duties` decides what a fleet needs beside rollouts: claims that grow, snapshots by the clock.
//! - `apply` does to a cluster what a plan says, one step at a time; `runner` repeats capturing,
//!   planning and applying inside of one. `comet` asks nodes how they are, `sidecar` stands beside one.
//!
//! A wall stands between the core (`parse` to `keys`) and the shell: no room of the core reads a
//! disk, an environment, a clock or a network, or prints, so that the same inputs give the same bytes
//! whatever the order of files. And each room may import only the rooms that it needs. The test
//! `layers` keeps the table of both, and fails where a room reaches through the wall; the lints keep
//! out what has a random order.
//!
//! Faults are values: a room that can find some returns its result beside all of them (`Reported`),
//! not the first. No input makes the program panic.

pub mod apply;
pub mod check;
pub mod cli;
#[cfg(feature = "runner")]
pub mod comet;
pub mod desired;
pub mod diagnostic;
pub mod diff;
pub mod disk;
#[cfg(feature = "runner")]
pub mod duties;
pub mod explain;
pub mod keys;
#[cfg(test)]
mod layers;
pub mod lint;
pub mod live;
pub mod model;
pub mod order;
pub mod parse;
pub mod pipeline;
pub mod plan;
pub mod render;
pub mod review;
#[cfg(feature = "runner")]
pub mod runner;
pub mod settings;
#[cfg(feature = "runner")]
pub mod sidecar;
pub mod simulate;
pub mod spec;
mod spread;
pub mod timeline;
