//! What a fleet needs beside its rollouts: claims that grow as they fill, nodes that fall behind,
//! snapshots by the clock, jobs on them. Decides, and does nothing: what is known comes in, what is to be
//! done goes out, and what the time is stands among what is known.

pub mod growth;
pub mod job;
pub mod lag;
pub mod schedule;
pub mod snapshots;

/// The component that an object of ours belongs to, and the document that it was made for.
const COMPONENT: &str = "app.kubernetes.io/component";
/// Who made an object.
const CREATED_BY: &str = "app.kubernetes.io/created-by";
/// What we write there.
const OURS: &str = "cosmos-render";
