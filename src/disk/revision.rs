//! Documents as a Git revision has them, without a checkout: the `git` that is installed reads them
//! out of its store. Every folder that is handed over is the one that Git is run in: paths are seen
//! from there.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::thread;

use super::{Limits, read};
use crate::diagnostic::{Diagnostic, Reported};
use crate::model::Source;

/// Two revisions to compare, as Git writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revisions {
    /// The first; `HEAD` where it is left out.
    pub base: String,
    /// The second; `HEAD` where it is left out.
    pub head: String,
    /// Whether the first stands for where both began to differ (`A...B`).
    pub is_from_merge_base: bool,
}

/// Reads `A..B` and `A...B`; nothing where the text is one revision.
#[must_use]
pub fn revisions(text: &str) -> Option<Revisions> {
    let (base, head, is_from_merge_base) = if let Some((base, head)) = text.split_once("...") {
        (base, head, true)
    } else {
        let (base, head) = text.split_once("..")?;
        (base, head, false)
    };
    let named = |name: &str| if name.is_empty() { "HEAD" } else { name }.to_owned();
    Some(Revisions {
        base: named(base),
        head: named(head),
        is_from_merge_base,
    })
}

/// Returns the commit that a revision stands for, or where two of them began to differ.
///
/// # Errors
/// Where there is no such revision, no repository, or no `git`.
pub fn commit_of(
    folder: &str,
    revision: &str,
    from_merge_base: Option<&str>,
) -> Result<String, Box<Diagnostic>> {
    let unknown = |name: &str, why: &str| {
        let message = format!("Git knows no revision `{name}` here: {why}");
        let fault = Diagnostic::error("unknown-revision", message);
        Box::new(fault.hint(
            "name two folders, or revisions of the repository that the current folder is in; in a \
             shallow clone fetch them first (`git fetch --unshallow`, or `fetch-depth: 0`)",
        ))
    };
    let resolve = |name: &str| -> Result<String, Box<Diagnostic>> {
        let wanted = format!("{name}^{{commit}}");
        let words = ["rev-parse", "--verify", "--end-of-options", &wanted];
        let commit = git(folder, &words).map_err(|why| unknown(name, &why))?;
        Ok(commit.trim().to_owned())
    };
    let commit = resolve(revision)?;
    let Some(other) = from_merge_base else {
        return Ok(commit);
    };
    let other_commit = resolve(other)?;
    let found = git(folder, &["merge-base", &commit, &other_commit]);
    match found {
        Ok(base) => Ok(base.trim().to_owned()),
        Err(why) => Err(unknown(&format!("{revision}...{other}"), &why)),
    }
}

/// Reads what a commit holds below paths that are seen from the current folder, as a walk of the
/// folders would: hidden files are left out, and so is what is named `apart` as an input of another
/// sort. Links and submodules are not followed.
#[must_use]
pub fn at_commit(
    (folder, commit): (&str, &str),
    paths: &[String],
    apart: &[String],
    limits: &Limits,
) -> Reported<Vec<Source>> {
    match blobs(folder, commit, paths) {
        Ok(found) => read::taken(found.into_iter(), apart, limits),
        Err(why) => {
            let message = format!("Git can't read {commit}: {why}");
            Reported {
                value: Vec::new(),
                diagnostics: vec![Diagnostic::error("unknown-revision", message)],
            }
        }
    }
}

/// Returns the files of a commit below paths, by their names as seen from the current folder.
fn blobs(folder: &str, commit: &str, paths: &[String]) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut words = vec!["ls-tree", "-r", "-z", commit, "--"];
    words.extend(paths.iter().map(String::as_str));
    let listed = git(folder, &words)?;
    let mut names = Vec::new();
    let mut wanted = String::new();
    for entry in listed.split('\0').filter(|entry| !entry.is_empty()) {
        let Some((about, name)) = entry.split_once('\t') else {
            continue;
        };
        let about: Vec<&str> = about.split(' ').collect();
        if let ["100644" | "100755", "blob", id] = about.as_slice() {
            wanted.push_str(id);
            wanted.push('\n');
            names.push(name.to_owned());
        }
    }
    let contents = contents(folder, &wanted, names.len()).map_err(|error| error.to_string())?;
    Ok(names.into_iter().zip(contents).collect())
}

/// Reads objects by their IDs, a line each.
fn contents(folder: &str, ids: &str, count: usize) -> io::Result<Vec<Vec<u8>>> {
    let mut child = command(folder, &["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let (Some(mut asked), Some(told)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    // Git answers while it is still being asked: one of both must not wait for the other.
    let read = thread::scope(|scope| {
        let asking = scope.spawn(move || asked.write_all(ids.as_bytes()));
        let read = bodies(&mut BufReader::new(told), count);
        let asked = asking
            .join()
            .unwrap_or(Err(io::ErrorKind::BrokenPipe.into()));
        read.and_then(|bodies| asked.map(|()| bodies))
    });
    child.wait()?;
    read
}

fn bodies(told: &mut impl BufRead, count: usize) -> io::Result<Vec<Vec<u8>>> {
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "git cat-file broke off");
    let mut bodies = Vec::with_capacity(count);
    for _ in 0..count {
        let mut head = String::new();
        told.read_line(&mut head)?;
        let size = head
            .trim_end()
            .rsplit(' ')
            .next()
            .and_then(|size| size.parse().ok());
        let size: u64 = size.ok_or_else(broken)?;
        let mut body = Vec::new();
        told.take(size).read_to_end(&mut body)?;
        told.read_exact(&mut [0])?;
        bodies.push(body);
    }
    Ok(bodies)
}

/// Runs Git; returns what it prints, or what it says is wrong.
fn git(folder: &str, words: &[&str]) -> Result<String, String> {
    let ended = command(folder, words).stdin(Stdio::null()).output();
    let ended = ended.map_err(|error| format!("`git` can't be run ({error})"))?;
    if ended.status.success() {
        return String::from_utf8(ended.stdout).map_err(|error| error.to_string());
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    let line = said.lines().next().unwrap_or_default();
    Err(line.trim_start_matches("fatal: ").to_owned())
}

/// Git as a reader: it takes no locks, asks nobody, and pages nothing.
fn command(folder: &str, words: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .args(["--no-pager", "-C", folder])
        .args(words)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, &str, bool)>) {
        let expected = expected.map(|(base, head, is_from_merge_base)| Revisions {
            base: base.to_owned(),
            head: head.to_owned(),
            is_from_merge_base,
        });
        assert_eq!(revisions(text), expected);
    }

    #[test]
    fn two_revisions_are_written_as_git_writes_them() {
        check("main", None);
        check("main..topic", Some(("main", "topic", false)));
        check("origin/main...HEAD", Some(("origin/main", "HEAD", true)));
        check("main...", Some(("main", "HEAD", true)));
        check("..topic", Some(("HEAD", "topic", false)));
    }

    #[test]
    fn bodies_are_read_by_their_size() {
        let told = b"1f blob 3\na\nb\n2f blob 0\n\n".to_vec();
        let read = bodies(&mut told.as_slice(), 2).unwrap();
        assert_eq!(read, [b"a\nb".to_vec(), Vec::new()]);
        assert!(bodies(&mut b"1f missing\n".as_slice(), 1).is_err());
        assert!(bodies(&mut b"1f blob 9\nshort".as_slice(), 1).is_err());
    }

    /// Runs Git, as somebody whose settings nobody knows; nothing where there is no Git.
    fn run(folder: &str, words: &[&str]) -> Option<()> {
        let names = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        let words = [names.as_slice(), &["-c", "commit.gpgsign=false"], words].concat();
        let ended = command(folder, &words).stdin(Stdio::null()).output();
        let ended = ended.ok()?;
        assert!(ended.status.success(), "{words:?}: {ended:?}");
        Some(())
    }

    fn write(folder: &str, name: &str, text: &str) {
        let path = std::path::Path::new(folder).join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn a_revision_is_read_as_its_folder_would_be() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().to_str().unwrap();
        if run(folder, &["init", "--quiet", "--initial-branch", "main"]).is_none() {
            return;
        }
        let commit = |message: &str| {
            run(folder, &["add", "--all"]);
            run(folder, &["commit", "--quiet", "--message", message]);
        };
        write(folder, "fleets/hub.yaml", "kind: A\n");
        write(folder, "fleets/.hidden.yaml", "kind: B\n");
        write(folder, "fleets/read.me", "no input\n");
        write(folder, "live.json", "{}\n");
        commit("first");
        run(folder, &["switch", "--quiet", "--create", "topic"]);
        write(folder, "fleets/hub.yaml", "kind: C\n");
        commit("second");
        run(folder, &["switch", "--quiet", "main"]);
        write(folder, "other.yaml", "kind: D\n");
        commit("third");

        let read = |revision: &str, paths: &[&str], apart: &[&str]| {
            let commit = commit_of(folder, revision, None).unwrap();
            let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
            let limits = Limits::default();
            let read = at_commit((folder, &commit), &owned(paths), &owned(apart), &limits);
            assert_eq!(read.diagnostics, []);
            let text = |source: &Source| String::from_utf8(source.bytes.clone()).unwrap();
            let all = read.value.iter();
            all.map(|s| format!("{} {}", s.name, text(s).trim_end()))
                .collect::<Vec<_>>()
        };
        assert_eq!(read("topic", &["fleets"], &[]), ["fleets/hub.yaml kind: C"]);
        assert_eq!(
            read("main", &["."], &["live.json"]),
            ["fleets/hub.yaml kind: A", "other.yaml kind: D"]
        );
        let first = commit_of(folder, "main~1", None).unwrap();
        assert_eq!(commit_of(folder, "main", Some("topic")).unwrap(), first);
        let fault = commit_of(folder, "nosuch", None).unwrap_err();
        assert_eq!(fault.code, "unknown-revision");
        assert!(commit_of(folder, "--all", None).is_err());
    }
}
