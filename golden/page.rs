//! The page of documentation that the program writes itself: docs/lint.md must be what
//! `lint --explain all` prints.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

const PAGE: &str = "docs/lint.md";

/// Returns what is wrong with the page.
pub(super) fn faults(root: &Path, is_bless: bool) -> io::Result<Vec<String>> {
    let output = Command::new(env!("CARGO_BIN_EXE_cosmos-render"))
        .args(["lint", "--explain", "all"])
        .output()?;
    let path = root.join(PAGE);
    if fs::read(&path).unwrap_or_default() == output.stdout {
        return Ok(Vec::new());
    }
    if is_bless {
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        fs::write(&path, output.stdout)?;
        return Ok(Vec::new());
    }
    let fault = format!("{PAGE} is not what the program says: run `cargo bless docs`");
    Ok(vec![fault])
}
