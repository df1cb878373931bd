//! Inputs of every kind, good and bad.

use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// A folder of its own for each test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cosmos-render-read-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

fn read_with(paths: &[&str], stdin: &[u8], limits: &Limits) -> Reported<Vec<Source>> {
    let paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
    let mut stdin = stdin;
    read(&paths, &[], &mut stdin, limits)
}

/// Reads paths and compares the texts, and the codes of what is found wrong with its places.
#[track_caller]
fn check(paths: &[&str], texts: &[&str], faults: &[(&str, &str)]) {
    let found = read_with(paths, b"in: 1", &Limits::default());
    let got: Vec<_> = found
        .value
        .iter()
        .map(|s| String::from_utf8_lossy(&s.bytes))
        .collect();
    assert_eq!(got, texts);
    let got: Vec<_> = found
        .diagnostics
        .iter()
        .map(|d| (d.code, d.place.as_ref().unwrap().file.as_str()))
        .collect();
    assert_eq!(got, faults, "{:?}", found.diagnostics);
}

#[test]
fn folders_are_walked_in_order_without_hidden_and_ignored_files() {
    let folder = Folder::new();
    for name in [
        "b.yaml",
        "a.yml",
        "c/d.json",
        "c/a.yaml.gz",
        "z.json.zst",
        "notes.txt",
        "x.yaml.bak",
    ] {
        folder.put(name, name);
    }
    folder.put(".hidden.yaml", "hidden");
    folder.put(".git/x.yaml", "git");
    folder.put("secret.yaml", "secret");
    folder.put("c/build/x.yaml", "built");
    folder.put(".gitignore", "secret.yaml\nbuild/\n");
    let want = ["a.yml", "b.yaml", "c/a.yaml.gz", "c/d.json", "z.json.zst"];
    check(&[&folder.path("")], &want, &[]);
    check(&[&folder.path("secret.yaml")], &["secret"], &[]);
}

#[test]
fn a_file_reached_twice_is_read_once() {
    let folder = Folder::new();
    let one = folder.put("a.yaml", "a");
    symlink(&one, folder.path("b.yaml")).unwrap();
    check(
        &[&one, &folder.path(""), &folder.path("./a.yaml"), "-", "-"],
        &["a", "in: 1"],
        &[],
    );
}

#[test]
fn compressed_inputs_are_known_by_their_bytes() {
    let folder = Folder::new();
    let gz = folder.put("a.yaml", [gzip(b"a: 1\n"), gzip(b"b: 2\n")].concat());
    let skipped = [
        &[0x50, 0x2A, 0x4D, 0x18, 2, 0, 0, 0, 7, 7][..],
        &zstd(b"d: 4\n"),
    ]
    .concat();
    let zst = folder.put("b.txt", [zstd(b"c: 3\n"), skipped].concat());
    check(&[&gz, &zst], &["a: 1\nb: 2\n", "c: 3\nd: 4\n"], &[]);
    let found = read_with(&["-"], &gzip(b"x"), &Limits::default());
    assert_eq!(
        (
            found.value[0].name.as_str(),
            found.value[0].bytes.as_slice()
        ),
        ("-", &b"x"[..])
    );
}

#[test]
fn all_faults_are_told_and_the_rest_is_read() {
    let folder = Folder::new();
    let good = folder.put("good.yaml", "a: 1");
    let missing = folder.path("missing.yaml");
    let packed = gzip(&b"some text ".repeat(1000));
    let cut = folder.put("cut.yaml.gz", &packed[..packed.len() / 2]);
    let mut broken = zstd(&b"some text ".repeat(1000));
    broken.truncate(broken.len() - 3);
    let broken = folder.put("cut.yaml.zst", broken);
    let noise = folder.put(
        "noise.gz",
        [0x1F, 0x8B, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    );
    let faults = [
        ("missing-file", missing.as_str()),
        ("broken-archive", &cut),
        ("broken-archive", &broken),
        ("broken-archive", &noise),
    ];
    check(
        &[&missing, &cut, &broken, &noise, &good],
        &["a: 1"],
        &faults,
    );
}

#[test]
fn bombs_are_refused_while_they_inflate() {
    let folder = Folder::new();
    let zeros = vec![b' '; 8 << 20];
    let gz = folder.put("a.gz", gzip(&zeros));
    let zst = folder.put("a.zst", zstd(&zeros[..2 << 20]));
    check(
        &[&gz, &zst],
        &[],
        &[("inflates-too-far", &gz), ("inflates-too-far", &zst)],
    );
    let small = folder.put("b.gz", gzip(&zeros[..1 << 20]));
    let found = read_with(&[&small], b"", &Limits::default());
    assert_eq!(found.value[0].bytes.len(), 1 << 20);
}

#[test]
fn the_total_of_all_inputs_is_limited() {
    let folder = Folder::new();
    let (a, b) = (folder.put("a.yaml", "12345"), folder.put("b.yaml", "12345"));
    let c = folder.put("c.yaml", gzip(&[b'x'; 100]));
    let limits = Limits {
        total: 8,
        ..Limits::default()
    };
    let found = read_with(&[&a, &b], b"", &limits);
    assert_eq!(
        (found.value.len(), found.diagnostics[0].code),
        (1, "input-too-large")
    );
    let limits = Limits {
        total: 60,
        ..Limits::default()
    };
    let found = read_with(&[&c, "-"], b"x", &limits);
    assert_eq!(
        (found.value.len(), found.diagnostics[0].code),
        (1, "input-too-large")
    );
}

#[test]
fn links_that_lead_back_or_nowhere_do_no_harm() {
    let folder = Folder::new();
    folder.put("a/b.yaml", "b");
    symlink(folder.path(""), folder.path("a/up")).unwrap();
    symlink("nowhere", folder.path("a/lock")).unwrap();
    symlink("nowhere", folder.path("a/z.yaml")).unwrap();
    symlink("self", folder.path("a/self")).unwrap();
    let found = read_with(&[&folder.path("")], b"", &Limits::default());
    assert_eq!(found.value.len(), 1);
    let codes: Vec<_> = found
        .diagnostics
        .iter()
        .map(|d| (d.severity, d.code))
        .collect();
    assert!(
        codes.contains(&(Severity::Warning, "link-loop")),
        "{codes:?}"
    );
    assert!(
        codes.contains(&(Severity::Error, "missing-file")),
        "{codes:?}"
    );
}

#[test]
fn what_can_not_be_read_is_named() {
    let folder = Folder::new();
    let file = folder.put("a.yaml", "a");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    if File::open(&file).is_ok() {
        eprintln!("skipped: this user may read every file");
    } else {
        check(&[&file], &[], &[("unreadable-file", &file)]);
    }
    let through = format!("{file}/x.yaml");
    let found = read_with(&[&through], b"", &Limits::default());
    assert_eq!(found.diagnostics[0].code, "unreadable-file");
}

#[test]
fn an_empty_file_is_no_fault_and_a_folder_without_inputs_is_a_warning() {
    let folder = Folder::new();
    let empty = folder.put("a.yaml", "");
    check(&[&empty], &[""], &[]);
    let other = Folder::new();
    let path = other.path("");
    check(&[&path], &[], &[("empty-folder", &path)]);
}

#[track_caller]
fn check_apart(folder: &Folder, paths: &[&str], apart: &[&str], texts: &[&str]) {
    let full = |paths: &[&str]| {
        paths
            .iter()
            .map(|path| folder.path(path))
            .collect::<Vec<_>>()
    };
    let found = read(
        &full(paths),
        &full(apart),
        &mut io::empty(),
        &Limits::default(),
    );
    let got = found
        .value
        .iter()
        .map(|s| String::from_utf8_lossy(&s.bytes));
    let mut got: Vec<_> = got.collect();
    got.sort();
    assert_eq!(got, texts);
    assert!(found.diagnostics.is_empty(), "{:?}", found.diagnostics);
}

#[test]
fn what_is_an_input_of_another_sort_is_left_out_of_a_folder() {
    let folder = Folder::new();
    for name in [
        "hub.yaml",
        "live.json",
        "live/pods.yaml",
        "live/more/a.yaml",
    ] {
        folder.put(name, name);
    }
    check_apart(&folder, &[""], &["live.json", "live"], &["hub.yaml"]);
    check_apart(
        &folder,
        &[""],
        &["live/more"],
        &["hub.yaml", "live.json", "live/pods.yaml"],
    );
    // the same folder for both is meant so, and so is a file that is named for both
    check_apart(
        &folder,
        &["live"],
        &["live"],
        &["live/more/a.yaml", "live/pods.yaml"],
    );
    check_apart(
        &folder,
        &["live.json"],
        &["live.json", "live"],
        &["live.json"],
    );
    // specifications below the folder of the snapshot
    check_apart(
        &folder,
        &[""],
        &["hub.yaml"],
        &["live.json", "live/more/a.yaml", "live/pods.yaml"],
    );
}
