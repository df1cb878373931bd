//! Writing into temporary folders.

use super::*;

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir }
    }

    fn name(&self) -> String {
        self.dir.path().join("out").display().to_string()
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join("out").join(path)
    }

    fn write(&self, files: &[(&str, &str)]) -> Result<Written, Vec<Diagnostic>> {
        tree(&self.name(), &of(files), Options::default())
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn has(&self, path: &str) -> bool {
        fs::symlink_metadata(self.path(path)).is_ok()
    }
}

fn of(files: &[(&str, &str)]) -> Tree {
    let entry = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
    files.iter().map(entry).collect()
}

#[track_caller]
fn check(result: Result<Written, Vec<Diagnostic>>, changed: &[&str], removed: &[&str]) {
    let written = result.unwrap();
    assert_eq!(written.changed, changed);
    assert_eq!(written.removed, removed);
}

#[track_caller]
fn check_refused(result: Result<Written, Vec<Diagnostic>>, codes: &[&str]) {
    let found: Vec<&str> = result.unwrap_err().iter().map(|d| d.code).collect();
    assert_eq!(found, codes);
}

#[test]
fn files_are_written_once_and_only_what_changed_is_written_again() {
    let place = Place::new();
    let files = [("a/x.yaml", "1"), ("b/y.yaml", "2")];
    check(place.write(&files), &["a/x.yaml", "b/y.yaml"], &[]);
    assert_eq!(fs::read_to_string(place.path("a/x.yaml")).unwrap(), "1");
    let before = fs::metadata(place.path(index::NAME))
        .unwrap()
        .modified()
        .unwrap();
    check(place.write(&files), &[], &[]);
    let after = fs::metadata(place.path(index::NAME))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(before, after);
    check(
        place.write(&[("a/x.yaml", "1"), ("b/y.yaml", "3")]),
        &["b/y.yaml"],
        &[],
    );
}

#[test]
fn stale_files_go_even_edited_ones_with_their_empty_folders_and_no_others() {
    let place = Place::new();
    let both = [("a/x", "1"), ("b/y", "2"), ("c/z", "3")];
    check(place.write(&both), &["a/x", "b/y", "c/z"], &[]);
    place.put("b/mine", "mine");
    place.put("c/z", "edited");
    check(place.write(&[("a/x", "1")]), &[], &["b/y", "c/z"]);
    assert!(place.has("b/mine"));
    assert!(!place.has("c"));
}

#[test]
fn a_file_that_no_run_wrote_is_never_overwritten() {
    let place = Place::new();
    place.put("a/x", "mine");
    check_refused(place.write(&[("a/x", "1"), ("b/y", "2")]), &["not-ours"]);
    assert_eq!(fs::read_to_string(place.path("a/x")).unwrap(), "mine");
    assert!(
        !place.has("b"),
        "nothing is written where anything is refused"
    );
}

#[test]
fn an_edited_file_of_ours_is_put_right() {
    let place = Place::new();
    check(place.write(&[("a", "1")]), &["a"], &[]);
    place.put("a", "edited");
    check(place.write(&[("a", "1")]), &["a"], &[]);
}

#[test]
fn nothing_replaces_something_only_where_it_is_asked_for() {
    let place = Place::new();
    check(place.write(&[("a/x", "1")]), &["a/x"], &[]);
    check_refused(place.write(&[]), &["empty-result"]);
    assert!(place.has("a/x"));
    let options = Options { allow_empty: true };
    check(tree(&place.name(), &Tree::new(), options), &[], &["a/x"]);
    assert!(!place.has("a"));
}

#[test]
fn a_run_that_was_broken_off_is_taken_up() {
    let place = Place::new();
    let half = Index::of(&of(&[("a", "1"), ("b", "2")]));
    place.put(index::NAME, &half.text());
    place.put("a", "half");
    check(place.write(&[("a", "1"), ("b", "2")]), &["a", "b"], &[]);
}

#[cfg(unix)]
#[test]
fn links_that_lead_out_of_the_folder_are_refused() {
    let place = Place::new();
    let outside = place.dir.path().join("outside");
    fs::create_dir_all(&outside).unwrap();
    fs::create_dir_all(place.path("")).unwrap();
    std::os::unix::fs::symlink(&outside, place.path("a")).unwrap();
    check_refused(place.write(&[("a/x", "1")]), &["link-outside"]);
    assert!(fs::read_dir(&outside).unwrap().next().is_none());
}

#[cfg(unix)]
#[test]
fn a_stale_file_behind_a_link_that_leads_out_is_not_removed() {
    let place = Place::new();
    check(place.write(&[("a/x", "1"), ("b", "1")]), &["a/x", "b"], &[]);
    let outside = place.dir.path().join("outside");
    fs::rename(place.path("a"), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, place.path("a")).unwrap();
    check_refused(place.write(&[("b", "1")]), &["link-outside"]);
    assert!(fs::metadata(outside.join("x")).is_ok());
}

#[test]
fn an_index_that_was_tampered_with_is_refused() {
    for path in ["../x", "/etc/passwd", "a//b", "", "a/./b", index::NAME] {
        let place = Place::new();
        let entry = serde_json::json!({"path": path, "sha256": ""});
        let text = serde_json::json!({"version": 1, "files": [entry]}).to_string();
        place.put(index::NAME, &text);
        check_refused(place.write(&[("a", "1")]), &["broken-index"]);
    }
    let place = Place::new();
    place.put(index::NAME, "{\"version\": 2, \"files\": []}");
    check_refused(place.write(&[("a", "1")]), &["broken-index"]);
}

#[test]
fn paths_of_a_tree_stay_inside() {
    let place = Place::new();
    check_refused(place.write(&[("../x", "1")]), &["path-outside"]);
}

#[cfg(unix)]
#[test]
fn new_files_have_the_rights_that_any_new_file_has() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    check(place.write(&[("a", "1")]), &["a"], &[]);
    place.put("b", "1");
    let mode = |path: &str| fs::metadata(place.path(path)).unwrap().permissions().mode();
    assert_eq!(mode("a"), mode("b"));
}

#[test]
fn one_file_is_replaced_whole() {
    let place = Place::new();
    fs::create_dir_all(place.path("")).unwrap();
    let name = place.path("plan.txt").display().to_string();
    file(&name, "1").unwrap();
    file(&name, "2").unwrap();
    assert_eq!(fs::read_to_string(&name).unwrap(), "2");
    assert_eq!(fs::read_dir(place.path("")).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_never_replaced_by_one() {
    use std::os::unix::fs::FileTypeExt as _;
    let place = Place::new();
    fs::create_dir_all(place.path("")).unwrap();
    let socket = place.path("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert!(file(&socket.display().to_string(), "1").is_err());
    assert!(fs::metadata(&socket).unwrap().file_type().is_socket());
    check_refused(place.write(&[("socket", "1")]), &["not-ours"]);
    assert!(file(&place.name(), "1").is_err());
    assert!(fs::metadata(place.name()).unwrap().is_dir());
}

#[cfg(unix)]
#[test]
fn a_link_to_a_file_stays_a_link() {
    let place = Place::new();
    place.put("real", "0");
    for target in ["real", "absent"] {
        let link = place.path(&format!("link-{target}"));
        std::os::unix::fs::symlink(place.path(target), &link).unwrap();
        file(&link.display().to_string(), "1").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(place.path(target)).unwrap(), "1");
    }
}

#[test]
fn a_refusal_names_the_file_that_was_asked_for() {
    let place = Place::new();
    let name = place.path("absent/plan.txt").display().to_string();
    let faults = file(&name, "1").unwrap_err();
    assert_eq!(faults[0].place.as_ref().unwrap().file, name);
    let folder = place.path("absent");
    let expected = format!("cannot write: there is no folder {}", folder.display());
    assert_eq!(faults[0].message, expected);
}
