//! Keys and the public files that go with them: both are written, or neither. What holds keys is
//! for its owner's eyes only, never replaces anything, and stays out of Git.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::{aside, refused};
use crate::diagnostic::Diagnostic;

/// Whether a file with keys may lie in the work tree of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InGit {
    /// It may not.
    Refused,
    /// Its owner said that it may.
    Allowed,
}

/// A public file.
#[derive(Debug, Clone, Copy)]
pub struct Public<'a> {
    /// Where it is.
    pub path: &'a str,
    /// What is to be in it.
    pub text: &'a str,
    /// What is in it; nothing where it must not exist.
    pub former: Option<&'a str>,
}

/// Public files that are written aside, and still have to be put in their places.
#[derive(Debug)]
pub struct Staged<'a> {
    files: Vec<(Public<'a>, PathBuf, NamedTempFile)>,
}

/// Tells why a file with keys may not be written here, before any key is made.
///
/// # Errors
/// Where something is there already, where there is no such folder, or where Git would see it.
pub fn may_hold_keys(path: &str, in_git: InGit) -> Result<(), Vec<Diagnostic>> {
    let place = Path::new(path);
    if fs::symlink_metadata(place).is_ok() {
        let message = "something is there already, and keys never replace anything";
        let hint = "name another file; `-` is standard output";
        return Err(vec![
            Diagnostic::error("file-exists", message)
                .hint(hint)
                .at(path, ""),
        ]);
    }
    let folder = fs::canonicalize(folder(place)).map_err(|error| refused(place, &error))?;
    let repository = folder
        .ancestors()
        .find(|above| fs::symlink_metadata(above.join(".git")).is_ok());
    match (repository, in_git) {
        (Some(above), InGit::Refused) => {
            let message = format!(
                "private keys do not belong into Git, and this is in the work tree of {}",
                above.display()
            );
            let hint = "write them elsewhere, or pipe them into `sops`, `kubeseal` or `kubectl`; \
                        --allow-in-git overrides this";
            Err(vec![
                Diagnostic::error("keys-in-git", message)
                    .hint(hint)
                    .at(path, ""),
            ])
        }
        (Some(_), InGit::Allowed) | (None, _) => Ok(()),
    }
}

/// Writes keys into a new file that its owner alone can read.
///
/// # Errors
/// Returns what the system refused: then there is no such file.
pub fn keys(path: &str, text: &str) -> Result<(), Vec<Diagnostic>> {
    let place = Path::new(path);
    let write = || -> io::Result<()> {
        // such files are made with mode 0600
        let mut aside = tempfile::Builder::new()
            .prefix(".cosmos-render-")
            .suffix(".part")
            .tempfile_in(folder(place))?;
        aside.write_all(text.as_bytes())?;
        aside.as_file().sync_all()?;
        aside
            .persist_noclobber(place)
            .map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| refused(place, &error))
}

/// Takes keys back that this run wrote, because what goes with them could not be written.
///
/// # Errors
/// Returns what the system refused.
pub fn withdraw(path: &str) -> Result<(), Vec<Diagnostic>> {
    fs::remove_file(path).map_err(|error| refused(Path::new(path), &error))
}

/// Writes public files aside.
///
/// # Errors
/// Where one is not as it was when it was read, or can't be written; nothing is changed.
pub fn stage<'a>(files: &[Public<'a>]) -> Result<Staged<'a>, Vec<Diagnostic>> {
    let mut staged = Vec::new();
    for file in files {
        let place = Path::new(file.path);
        let target = match file.former {
            Some(_) => fs::canonicalize(place).map_err(|error| refused(place, &error))?,
            None => place.to_owned(),
        };
        is_as_read(*file, &target)?;
        fs::create_dir_all(folder(&target)).map_err(|error| refused(place, &error))?;
        let write = || -> io::Result<NamedTempFile> {
            let mut aside = aside(folder(&target))?;
            if let Ok(former) = fs::metadata(&target) {
                aside.as_file().set_permissions(former.permissions())?;
            }
            aside.write_all(file.text.as_bytes())?;
            aside.as_file().sync_all()?;
            Ok(aside)
        };
        let aside = write().map_err(|error| refused(place, &error))?;
        staged.push((*file, target, aside));
    }
    Ok(Staged { files: staged })
}

/// Somebody may have written a file since it was read.
fn is_as_read(file: Public<'_>, target: &Path) -> Result<(), Vec<Diagnostic>> {
    let fault = |message: &str| {
        let fault = Diagnostic::error("file-changed", message).at(file.path, "");
        Err(vec![fault.hint("run the command again")])
    };
    match (file.former, fs::read(target)) {
        (Some(former), Ok(bytes)) if bytes == former.as_bytes() => Ok(()),
        (Some(_), Ok(_)) => fault("this file was changed while it was read"),
        (None, Err(error)) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        (None, Ok(_)) => fault("this file is new, and was not there when the others were read"),
        (_, Err(error)) => Err(refused(target, &error)),
    }
}

impl Staged<'_> {
    /// Puts all files in their places.
    ///
    /// # Errors
    /// Returns what the system refused; those that were in place already are as before.
    pub fn finish(self) -> Result<(), Vec<Diagnostic>> {
        let mut done: Vec<(Public<'_>, PathBuf)> = Vec::new();
        for (file, target, aside) in self.files {
            let put = match file.former {
                Some(_) => aside.persist(&target),
                None => aside.persist_noclobber(&target),
            };
            if let Err(error) = put {
                let mut faults = refused(Path::new(file.path), &error.error);
                for (file, target) in done {
                    faults.extend(restore(file, &target).err().into_iter().flatten());
                }
                return Err(faults);
            }
            done.push((file, target));
        }
        Ok(())
    }
}

fn restore(file: Public<'_>, target: &Path) -> Result<(), Vec<Diagnostic>> {
    let restored = match file.former {
        Some(former) => super::replace(target, former),
        None => fs::remove_file(target),
    };
    restored.map_err(|error| refused(target, &error))
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(dir: &tempfile::TempDir, name: &str) -> String {
        dir.path().join(name).display().to_string()
    }

    #[track_caller]
    fn check_refused(result: Result<(), Vec<Diagnostic>>, code: &str) {
        let codes: Vec<&str> = result.unwrap_err().iter().map(|d| d.code).collect();
        assert_eq!(codes, [code]);
    }

    #[test]
    fn keys_are_for_their_owner_alone_and_replace_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = path(&dir, "keys.yaml");
        assert_eq!(may_hold_keys(&file, InGit::Refused), Ok(()));
        keys(&file, "secret").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        check_refused(may_hold_keys(&file, InGit::Refused), "file-exists");
        check_refused(keys(&file, "other"), super::super::NOT_WRITTEN);
        assert_eq!(fs::read_to_string(&file).unwrap(), "secret");
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            1,
            "nothing is left aside"
        );
        check_refused(
            may_hold_keys(&path(&dir, "no/keys.yaml"), InGit::Refused),
            super::super::NOT_WRITTEN,
        );
    }

    #[test]
    fn keys_stay_out_of_work_trees_however_they_are_reached() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("tree/.git")).unwrap();
        fs::create_dir_all(dir.path().join("tree/deep/er")).unwrap();
        fs::create_dir_all(dir.path().join("linked")).unwrap();
        fs::write(dir.path().join("linked/.git"), "gitdir: elsewhere").unwrap();
        let refused = |name: &str| {
            check_refused(
                may_hold_keys(&path(&dir, name), InGit::Refused),
                "keys-in-git",
            );
        };
        refused("tree/keys.yaml");
        refused("tree/deep/er/keys.yaml");
        refused("linked/keys.yaml");
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(dir.path().join("tree/deep"), dir.path().join("way"))
                .unwrap();
            refused("way/keys.yaml");
            refused("way/er/keys.yaml");
        }
        let allowed = may_hold_keys(&path(&dir, "tree/keys.yaml"), InGit::Allowed);
        assert_eq!(allowed, Ok(()));
    }

    #[test]
    fn files_are_put_in_place_together_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (path(&dir, "a"), path(&dir, "b"));
        fs::write(&first, "old").unwrap();
        let public = |path, former| Public {
            path,
            text: "new",
            former,
        };
        let files = [
            public(first.as_str(), Some("old")),
            public(second.as_str(), None),
        ];
        let staged = stage(&files).unwrap();
        fs::write(&second, "somebody else's").unwrap();
        assert!(staged.finish().is_err());
        assert_eq!(fs::read_to_string(&first).unwrap(), "old");
        assert_eq!(fs::read_to_string(&second).unwrap(), "somebody else's");
        check_refused(stage(&files).map(|_| ()), "file-changed");
        fs::remove_file(&second).unwrap();
        stage(&files).unwrap().finish().unwrap();
        assert_eq!(fs::read_to_string(&first).unwrap(), "new");
        check_refused(stage(&files).map(|_| ()), "file-changed");
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            2,
            "nothing is left aside"
        );
    }
}
