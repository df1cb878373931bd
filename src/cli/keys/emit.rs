//! Puts out what was made: first the public files are written aside, then the Secrets go out, then
//! the files are put in their places. Whatever fails, either both are there, or it is told how to
//! go on from what there is.

use std::io::{self, IsTerminal as _, Write as _};

use crate::diagnostic::Diagnostic;
use crate::disk::write::pair::{self, InGit, Public};
use crate::keys::{Done, Form, Printed, What, Written};

use crate::cli::terminal::Terminal;
use crate::cli::{Exit, Failure};
use crate::model::names;

/// Where Secrets go.
#[derive(Debug)]
pub(super) enum Destination {
    /// Standard output.
    Stdout,
    /// A new file.
    File(String),
}

/// Looks at where Secrets are to go.
pub(super) fn destination(
    out: Option<&str>,
    allow_in_git: bool,
) -> Result<Destination, Vec<Diagnostic>> {
    match out {
        None if io::stdout().is_terminal() => {
            let message = "standard output is a terminal, and private keys would stay on it";
            let hint = "pipe them into `kubectl`, `sops` or `kubeseal`, or name a file with --out; \
                        `--out -` prints them all the same";
            Err(vec![
                Diagnostic::error("keys-on-terminal", message).hint(hint),
            ])
        }
        None | Some("-") => Ok(Destination::Stdout),
        Some(path) => {
            let in_git = if allow_in_git {
                InGit::Allowed
            } else {
                InGit::Refused
            };
            pair::may_hold_keys(path, in_git)?;
            Ok(Destination::File(path.to_owned()))
        }
    }
}

/// Writes Secrets and identities, and says what happened.
pub(super) fn all(
    written: &Written,
    form: Form,
    destination: &Destination,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let files: Vec<Public<'_>> = written
        .files
        .iter()
        .map(|file| Public {
            path: &file.path,
            text: &file.text,
            former: file.former.as_deref(),
        })
        .collect();
    let failed = |diagnostics, consequence| Failure {
        diagnostics,
        consequence,
    };
    let staged = pair::stage(&files).map_err(|faults| failed(faults, "nothing was written"))?;
    if !written.secrets.is_empty() {
        secrets(written, destination)
            .map_err(|faults| failed(faults, "the node IDs were not written either"))?;
    }
    if let Err(mut faults) = staged.finish() {
        let consequence = withdraw(written, destination, &mut faults);
        return Err(failed(faults, consequence));
    }
    tell(written, form, destination, terminal);
    Ok(Exit::Done)
}

fn secrets(written: &Written, destination: &Destination) -> Result<(), Vec<Diagnostic>> {
    match destination {
        Destination::File(path) => pair::keys(path, &written.secrets),
        Destination::Stdout => {
            // a reader who has gone has no keys: other than elsewhere, that is an error here
            print(written.secrets.as_bytes()).map_err(|error| {
                let message = format!("cannot write to standard output: {error}");
                vec![Diagnostic::error("not-written", message)]
            })
        }
    }
}

/// Prints past the stream of the standard library, whose buffer would keep a copy.
#[cfg(unix)]
fn print(bytes: &[u8]) -> io::Result<()> {
    use std::os::fd::AsFd as _;
    let stdout = io::stdout().as_fd().try_clone_to_owned()?;
    std::fs::File::from(stdout).write_all(bytes)
}

#[cfg(not(unix))]
fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Takes back what can be taken back; tells how to go on where that is too late.
fn withdraw(
    written: &Written,
    destination: &Destination,
    faults: &mut Vec<Diagnostic>,
) -> &'static str {
    match destination {
        Destination::File(path) if !written.secrets.is_empty() => match pair::withdraw(path) {
            Ok(()) => "the keys were taken back, and nothing was written",
            Err(more) => {
                faults.extend(more);
                "the keys are in the file all the same: give it with --secret to the next run"
            }
        },
        Destination::Stdout if !written.secrets.is_empty() => {
            "the keys were printed all the same: give that Secret with --secret to the next run, \
             which then writes their IDs"
        }
        Destination::File(_) | Destination::Stdout => "nothing was written",
    }
}

fn tell(written: &Written, form: Form, destination: &Destination, terminal: &Terminal) {
    for done in &written.done {
        terminal.note(&line(done));
    }
    for note in &written.notes {
        terminal.note(&format!("note: {note}"));
    }
    for file in &written.files {
        terminal.note(&format!(
            "wrote {} (public: it belongs into Git)",
            file.path
        ));
    }
    if let (Destination::File(path), false) = (destination, written.secrets.is_empty()) {
        terminal.note(&format!("wrote {path} (PRIVATE KEYS: keep it out of Git)"));
    }
    let is_idle = written.done.is_empty() && written.notes.is_empty();
    if is_idle {
        terminal.note("nothing to do: every instance has its identity");
    }
    if written.secrets.is_empty() {
        terminal.note(&nothing(destination));
    } else if !written.printed.iter().any(|printed| printed.has_new) {
        terminal.note("note: no key is new: the Secret is as it was given");
    }
    if let Some(next) = next(form, written, destination) {
        terminal.note(&next);
    }
}

/// Says that there is no Secret, lest an empty file is taken for one.
fn nothing(destination: &Destination) -> String {
    match destination {
        Destination::File(path) => format!("note: no key is new: {path} was not written"),
        Destination::Stdout => "note: no key is new, and nothing was printed; with --secret the \
                                whole Secret is"
            .to_owned(),
    }
}

fn line(done: &Done) -> String {
    let Done {
        fleet,
        instance,
        id,
        what,
    } = done;
    let name = format!("{}/{instance}", fleet.namespace);
    match what {
        What::Made => format!("made a key for {name}: {id}"),
        What::Imported(from) => format!("took over the key of {name} from {from}: {id}"),
        What::Declared => format!("wrote down the ID of {name}: {id}"),
        What::Rotated(former) => format!("made another key for {name}: {id}, before {former}"),
    }
}

/// Says what must happen to the keys; nothing where none is new.
fn next(form: Form, written: &Written, destination: &Destination) -> Option<String> {
    let file = match destination {
        Destination::File(path) => path.as_str(),
        Destination::Stdout => "FILE",
    };
    let new: Vec<&Printed> = written.printed.iter().filter(|p| p.has_new).collect();
    let first = new.first()?;
    let store = match form {
        Form::Patch | Form::JsonPatch => format!(
            "next: kubectl -n {} patch secret {} --type merge --patch-file {file}",
            first.fleet.namespace,
            names::key_secret(&first.fleet.name)
        ),
        Form::Manifest if new.iter().any(|p| p.is_standing) => format!(
            "next: bring the keys into the cluster: kubectl apply --server-side -f {file} (without \
             --server-side they would be copied into an annotation)"
        ),
        Form::Manifest => format!(
            "next: bring the keys into the cluster: kubectl create -f {file} (it never replaces a \
             Secret that is there)"
        ),
    };
    let is_rotated = |done: &Done| matches!(done.what, What::Rotated(_));
    if written.done.iter().any(is_rotated) {
        return Some(format!(
            "{store}; then plan with a snapshot that shows that Secret: the node restarts with its \
             new identity (--deny identity-change finds it), peers of the fleet learn the new ID at \
             their next restart, and others must be told; the former key stays in the Secret"
        ));
    }
    Some(store)
}
