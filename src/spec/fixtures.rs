//! What several tests of this crate read: the outputs and facts that lie beside the repository.
//! Where they are absent, such a test says so and passes.

use std::path::PathBuf;

/// Returns the folder beside the repository, where it is there.
#[expect(
    clippy::disallowed_methods,
    reason = "tests read the disk; the core does not"
)]
pub(crate) fn shared_folder() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folder = std::env::var_os("COSMOS_RENDER_SHARED").map_or(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: {} is not there", folder.display());
    None
}

/// Returns the text of a file beside the repository, where it is there.
#[expect(
    clippy::disallowed_methods,
    reason = "tests read the disk; the core does not"
)]
pub(crate) fn shared(path: &str) -> Option<String> {
    let file = shared_folder()?.join(path);
    let text = std::fs::read_to_string(&file);
    Some(text.unwrap_or_else(|e| panic!("{}: {e}", file.display())))
}
