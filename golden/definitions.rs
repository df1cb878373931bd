//! The definitions that `deploy/` installs: deploy/crds must hold what `crd` prints of every kind that it
//! knows, and a kustomization that names them all.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::process::{Command, Output};

use crate::{Files, bless, differences, read_tree};

const FOLDER: &str = "deploy/crds";
const LIST: &str = "kustomization.yaml";
const HEAD: &str = "\
# Written by `cargo bless definitions`: every kind that `cosmos-render crd` knows.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
";

/// Returns what is wrong with the folder.
pub(super) fn faults(root: &Path, is_bless: bool) -> io::Result<Vec<String>> {
    let mut files = Files::new();
    let mut list = HEAD.to_owned();
    for kind in kinds()? {
        let name = format!("{}.yaml", kind.to_lowercase());
        let _ = writeln!(list, "  - {name}");
        files.insert(name, crd(&kind)?.stdout);
    }
    files.insert(LIST.to_owned(), list.into_bytes());
    let folder = root.join(FOLDER);
    if is_bless {
        bless(&folder, &files)?;
        return Ok(Vec::new());
    }
    let mut faults = differences(&read_tree(&folder)?, &files);
    if !faults.is_empty() {
        let fault =
            format!("{FOLDER} is not what the program prints: run `cargo bless definitions`");
        faults.push(fault);
    }
    Ok(faults)
}

/// Returns the kinds that the program knows, as it names them where it is asked for another one.
fn kinds() -> io::Result<Vec<String>> {
    let said = String::from_utf8_lossy(&crd("none")?.stderr).into_owned();
    let (_, rest) = said.split_once("[possible values: ").unwrap_or_default();
    let (known, _) = rest.split_once(']').unwrap_or_default();
    if known.is_empty() {
        let why = format!("`crd` names no kinds: {said}");
        return Err(io::Error::other(why));
    }
    Ok(known.split(", ").map(str::to_owned).collect())
}

fn crd(kind: &str) -> io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_cosmos-render"))
        .args(["crd", "--kind", kind])
        .output()
}
