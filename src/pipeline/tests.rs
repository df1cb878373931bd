//! Properties of the whole core, on fixtures and on random fleets: the order of inputs does not
//! matter, plans that are carried out come to an end, and nothing restarts that need not.

mod cluster;
mod drift;
mod faults;
mod gitops;
mod heights;
mod heirs;
mod interrupted;
mod loops;
mod migrations;
mod random;
mod shuffle;

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Options, Outcome, Request, run};
use crate::disk;
use crate::model::Source;
use cluster::{Cluster, objects_of};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// A fixture: its specifications, and its cluster.
#[derive(Debug, Clone)]
pub(crate) struct Fixture {
    pub(crate) name: String,
    pub(crate) specs: Vec<Source>,
    pub(crate) live: Option<Vec<Source>>,
}

/// Reads a fixture; `None` where it is about faults of the documents.
#[expect(clippy::disallowed_methods, reason = "the fixtures lie on the disk")]
pub(crate) fn fixture(name: &str) -> Option<Fixture> {
    let folder = folder().join(name);
    let specs: Vec<PathBuf> = ["spec.yaml", "specs", "identities.yaml"]
        .iter()
        .map(|part| folder.join(part))
        .filter(|path| path.exists())
        .collect();
    let is_refused = name.starts_with("bad-") || name.ends_with("-disagree");
    if specs.is_empty() || is_refused {
        return None;
    }
    let live = folder.join("live");
    Some(Fixture {
        name: name.to_owned(),
        specs: sources(&specs),
        live: live.exists().then(|| sources(&[live])),
    })
}

fn sources(paths: &[PathBuf]) -> Vec<Source> {
    let paths: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
    let read = disk::read(&paths, &[], &mut std::io::empty(), &disk::Limits::default());
    assert!(read.diagnostics.is_empty(), "{:?}", read.diagnostics);
    read.value
}

/// All fixtures with a cluster.
#[expect(clippy::disallowed_methods, reason = "the fixtures lie on the disk")]
pub(crate) fn with_cluster() -> Vec<Fixture> {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let all = names.iter().filter_map(|name| fixture(name));
    let found: Vec<Fixture> = all.filter(|fixture| fixture.live.is_some()).collect();
    assert!(found.len() > 30, "the fixtures were not found");
    found
}

/// Calls `judge` for each fixture, and tells of all that fail, not of the first alone.
#[track_caller]
pub(crate) fn every(fixtures: &[Fixture], judge: impl Fn(&Fixture) + std::panic::RefUnwindSafe) {
    let failed: Vec<&str> = fixtures
        .iter()
        .filter(|fixture| std::panic::catch_unwind(|| judge(fixture)).is_err())
        .map(|fixture| fixture.name.as_str())
        .collect();
    assert!(failed.is_empty(), "these fail (see above): {failed:?}");
}

impl Fixture {
    fn cluster(&self) -> Cluster {
        Cluster::new(objects_of(self.live.as_ref().unwrap()))
    }

    fn documents(&self) -> Vec<Value> {
        objects_of(&self.specs)
    }
}

/// Documents as a source.
fn source(name: &str, documents: &[Value]) -> Source {
    let texts: Vec<String> = documents.iter().map(Value::to_string).collect();
    Source {
        name: name.to_owned(),
        bytes: format!("---\n{}\n", texts.join("\n---\n")).into_bytes(),
    }
}

#[track_caller]
fn planned(specs: &[Source], cluster: &Cluster, options: Options) -> Outcome {
    let request = Request {
        specs: specs.to_vec(),
        snapshot: Some(vec![cluster.source()]),
        options,
    };
    let reported = run(&request);
    let Some(outcome) = reported.value else {
        panic!("nothing is planned: {:#?}", reported.diagnostics);
    };
    outcome
}

fn manifests(outcome: &Outcome) -> Vec<&Value> {
    outcome.manifests.iter().flat_map(|f| &f.objects).collect()
}

/// Choices in a fixed order: from given bytes, each a choice, then always the first.
#[derive(Debug, Clone)]
struct Dice {
    bytes: Vec<u8>,
    at: usize,
}

impl Dice {
    fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, at: 0 }
    }

    /// A long run of bytes that look random, the same for the same number.
    fn seeded(seed: u64) -> Self {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        };
        Self::new((0..100_000).map(|_| next()).collect())
    }

    fn below(&mut self, end: usize) -> usize {
        let byte = |at: usize| usize::from(self.bytes.get(at).copied().unwrap_or_default());
        let value = byte(self.at)
            + if end > 200 {
                256 * byte(self.at + 1)
            } else {
                0
            };
        self.at += if end > 200 { 2 } else { 1 };
        value % end.max(1)
    }

    fn flip(&mut self) -> bool {
        self.below(2) == 1
    }

    /// Once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) + 1 == times && times > 1
    }

    fn pick<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[self.below(choices.len())]
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}
