//! Rules in whole documents: what fires, what is silenced, and that healthy fleets stay silent.

#![expect(clippy::disallowed_methods, reason = "the fixtures lie on the disk")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::diagnostic::Diagnostic;
use crate::disk;
use crate::model::Source;
use crate::pipeline::{Options, Request, lint};
use crate::settings::{Driver, Settings};
use crate::spec::document::Chain;

/// Fixtures that are there for what is wrong with them, and the rules that say so.
const SLIPS: &[(&str, &[&str])] = &[
    ("claim-resynced-smaller", &["storage-shrinks"]),
    ("claim-to-unknown-class", &["storage-class-missing"]),
    ("claim-troubles", &["storage-class-missing"]),
    ("edited-by-hand", &["storage-shrinks"]),
    ("edited-by-hand-and-changed", &["storage-shrinks"]),
    ("shrink-claims", &["storage-shrinks"]),
    ("versions-disorder", &["version-order", "version-twin"]),
];
/// An exception of a base fleet that most fixtures cut to two instances.
const CUT_OFF: &str = "there is no instance `atoll-3`";

/// A chain with an ID.
pub(super) fn chain(id: &str) -> Chain {
    let value = serde_json::json!({
        "chainID": id, "network": "mainnet", "binary": "hubd", "app": {"minGasPrice": "1uatom"},
    });
    serde_json::from_value(value).unwrap()
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.heights.driver = Some(Driver::Scheduled);
    settings
}

fn read(folder: &Path, names: &[&str]) -> Option<Vec<Source>> {
    let paths = names.iter().map(|name| folder.join(name));
    let paths = paths.filter(|path| path.exists());
    let paths: Vec<String> = paths.map(|path| path.display().to_string()).collect();
    let read = disk::read(&paths, &[], &mut std::io::empty(), &disk::Limits::default());
    (!paths.is_empty()).then_some(read.value)
}

/// Returns what is said of a fixture.
fn of_fixture(folder: &Path) -> Vec<Diagnostic> {
    let request = Request {
        specs: read(folder, &["spec.yaml", "specs", "identities.yaml"]).unwrap_or_default(),
        snapshot: read(folder, &["live"]),
        options: Options::default(),
    };
    lint(&request, &[], &settings())
}

#[test]
fn healthy_fleets_have_no_findings() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut count = 0;
    for entry in ignore::Walk::new(&fixtures).filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_case = entry.depth() == 1 && !name.starts_with("bad-");
        let has_specs = ["spec.yaml", "specs"]
            .iter()
            .any(|n| entry.path().join(n).exists());
        if !is_case || !has_specs {
            continue;
        }
        count += 1;
        let told = of_fixture(entry.path()).into_iter();
        for diagnostic in told.filter(|d| d.message != CUT_OFF) {
            let line = format!("{}: {}", diagnostic.code, diagnostic.message);
            found.entry(name.clone()).or_default().insert(line);
        }
    }
    assert!(count > 50, "the fixtures were not found");
    for (name, codes) in SLIPS {
        let found = found.remove(*name).unwrap_or_default();
        let found: BTreeSet<&str> = found.iter().filter_map(|l| l.split(':').next()).collect();
        assert_eq!(found, codes.iter().copied().collect(), "{name}");
    }
    assert!(found.is_empty(), "{found:#?}");
}
