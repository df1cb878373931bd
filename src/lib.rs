//! cosmos-render turns `CosmosFullNode` documents and a cluster snapshot into an ordered plan and
//! plain manifests.

pub mod check;
pub mod cli;
pub mod desired;
pub mod diagnostic;
pub mod diff;
pub mod disk;
#[cfg(test)]
mod layers;
pub mod live;
pub mod model;
pub mod order;
pub mod parse;
pub mod pipeline;
pub mod plan;
pub mod render;
pub mod spec;
