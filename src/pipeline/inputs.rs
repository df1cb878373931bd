//! What a plan was made from, as it says itself: which files with which contents, and which flags.
//! Neither the order of files, nor how a path to them is spelt, nor whether they are compressed
//! makes a difference.

use std::collections::{BTreeMap, BTreeSet};

use super::{Request, Wanted};
use crate::model::Source;
use crate::model::digest::sha256;
use crate::plan;

/// Tells what a request is made of.
pub(super) fn of(request: &Request, snapshot_age: Option<i64>) -> plan::Inputs {
    let Request {
        specs,
        snapshot,
        options,
    } = request;
    plan::Inputs {
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        specs: names(specs),
        snapshot: snapshot.as_deref().map(names),
        digests: match options.wanted {
            Wanted::FirstWave => BTreeMap::new(),
            Wanted::Objects | Wanted::Plan | Wanted::Members | Wanted::Footprints => {
                digests(specs.iter().chain(snapshot.iter().flatten()))
            }
        },
        options: plan::Options {
            adopt: options.adopt,
            keep_going: options.keep_going,
            refresh: options.refresh,
        },
        snapshot_age,
    }
}

fn names(sources: &[Source]) -> Vec<String> {
    let names: BTreeSet<String> = sources.iter().map(|source| plain(&source.name)).collect();
    names.into_iter().collect()
}

/// Returns the digests of what was read, inflated where it was compressed. Two sources of one name
/// (a caller may have that) are told apart by a number.
fn digests<'s>(sources: impl Iterator<Item = &'s Source>) -> BTreeMap<String, String> {
    let mut by_name: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources {
        let digest = format!("sha256:{}", sha256(&source.bytes));
        by_name
            .entry(plain(&source.name))
            .or_default()
            .insert(digest);
    }
    let mut digests = BTreeMap::new();
    for (name, of_name) in by_name {
        for (at, digest) in of_name.into_iter().enumerate() {
            let name = match at {
                0 => name.clone(),
                n => format!("{name} ({})", n + 1),
            };
            digests.insert(name, digest);
        }
    }
    digests
}

/// Returns a path without what means nothing in it: `./fleets//hub.yaml` is `fleets/hub.yaml`.
fn plain(path: &str) -> String {
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Options;

    fn source(name: &str, text: &str) -> Source {
        Source {
            name: name.to_owned(),
            bytes: text.as_bytes().to_vec(),
        }
    }

    fn request(specs: Vec<Source>, snapshot: Option<Vec<Source>>) -> Request {
        Request {
            specs,
            snapshot,
            options: Options::default(),
        }
    }

    #[track_caller]
    fn check(sources: Vec<Source>, expected: &[&str]) {
        let inputs = of(&request(sources, None), None);
        let names: Vec<&str> = inputs.digests.keys().map(String::as_str).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn a_path_has_one_name_however_it_is_spelt() {
        check(vec![source("./a//b.yaml", "")], &["a/b.yaml"]);
        check(vec![source("/a/./b.yaml", "")], &["/a/b.yaml"]);
        check(vec![source("../a.yaml", "")], &["../a.yaml"]);
        check(vec![source("-", "")], &["-"]);
    }

    #[test]
    fn no_content_is_lost_where_names_are_the_same() {
        check(vec![source("a", "1"), source("./a", "2")], &["a", "a (2)"]);
        check(vec![source("a", "1"), source("./a", "1")], &["a"]);
    }

    #[test]
    fn the_order_of_files_makes_no_difference() {
        let (a, b) = (source("a", "1"), source("b", "2"));
        let one = of(&request(vec![a.clone(), b.clone()], None), None);
        assert_eq!(one, of(&request(vec![b, a], None), None));
    }

    #[test]
    fn no_snapshot_is_not_an_empty_one() {
        let with = |snapshot| of(&request(Vec::new(), snapshot), None).snapshot;
        assert_eq!(with(None), None);
        assert_eq!(with(Some(Vec::new())), Some(Vec::new()));
    }
}
