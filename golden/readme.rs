//! The output that README.md shows: it must be what the program prints.

use std::fs;
use std::io;
use std::path::Path;

/// The case whose plan README.md shows.
pub(super) const CASE: &str = "hub-upgrade";
const START: &str = "<!-- plan-output -->\n```text\n";
const END: &str = "```\n";

/// Returns what is wrong with README.md; `None` where the case does not exist.
pub(super) fn faults(root: &Path, is_bless: bool) -> io::Result<Option<Vec<String>>> {
    let Ok(expected) = fs::read_to_string(root.join("golden").join(CASE).join("plan.txt")) else {
        return Ok(None);
    };
    let path = root.join("README.md");
    let text = fs::read_to_string(&path)?;
    let Some((head, shown, tail)) = split(&text) else {
        let fault = "README.md has no block <!-- plan-output --> with fenced text";
        return Ok(Some(vec![fault.to_owned()]));
    };
    if shown == expected {
        return Ok(Some(Vec::new()));
    }
    if is_bless {
        fs::write(&path, format!("{head}{expected}{tail}"))?;
        return Ok(Some(Vec::new()));
    }
    let fault = format!("README.md does not show golden/{CASE}/plan.txt: run `cargo bless README`");
    Ok(Some(vec![fault]))
}

/// Returns what stands before, in, and after the block.
fn split(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find(START)? + START.len();
    let length = text[start..].find(END)?;
    let end = start + length;
    Some((&text[..start], &text[start..end], &text[end..]))
}
