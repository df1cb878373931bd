//! One case: the command lines of its `args`, and what they made.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::{fs, str};

use super::Files;

/// What stands for the folder that a case may write to.
const OUT: &str = "{out}";

/// The file that holds what all lines say on standard error. As a line's name it says the same as
/// no name: nothing is printed on standard output.
const STDERR: &str = "stderr.txt";

/// What time it is: ten minutes after the snapshots were captured, 2026-03-02T08:40:00Z.
const NOW: &str = "1772440800";

/// What came of a case.
pub(super) struct Ran {
    /// Everything that was printed and written.
    pub(super) files: Files,
    /// What is wrong whatever is expected.
    pub(super) faults: Vec<String>,
}

/// One command line.
#[derive(Debug, PartialEq)]
struct Line {
    /// The file that standard output is compared with.
    name: Option<String>,
    /// The line as it stands in `args`, without its name.
    text: String,
    /// The arguments.
    args: Vec<String>,
    /// The file that standard input is read from.
    stdin: Option<String>,
}

/// Runs the lines of a case in its folder, one after the other.
pub(super) fn run(fixture: &Path) -> io::Result<Ran> {
    let scratch = tempfile::tempdir()?;
    let out = scratch.path().join("out");
    fs::create_dir(&out)?;
    let out_name = out.to_string_lossy().into_owned();
    let mut ran = Ran {
        files: Files::new(),
        faults: Vec::new(),
    };
    let mut transcript = String::new();
    for line in lines(fixture)? {
        let output = start(fixture, &line, &out_name)?;
        let stdout = String::from_utf8_lossy(&output.stdout).replace(&out_name, OUT);
        let stderr = String::from_utf8_lossy(&output.stderr).replace(&out_name, OUT);
        record(&mut transcript, &line, (&stderr, output.status.code()));
        judge(&mut ran, &line, (stdout, &stderr));
    }
    if !transcript.is_empty() {
        let bytes = transcript.into_bytes();
        ran.files.insert(STDERR.to_owned(), bytes);
    }
    for (path, bytes) in super::read_tree(&out)? {
        ran.files.insert(format!("out/{path}"), bytes);
    }
    Ok(ran)
}

fn judge(ran: &mut Ran, line: &Line, (stdout, stderr): (String, &str)) {
    let text = &line.text;
    if stderr.contains("panicked at") {
        ran.faults.push(format!("`{text}` panics:\n{stderr}"));
    }
    match &line.name {
        _ if stdout.is_empty() => {}
        Some(name) if !ran.files.contains_key(name) => {
            ran.files.insert(name.clone(), stdout.into_bytes());
        }
        Some(name) => ran
            .faults
            .push(format!("two lines of args are called {name}")),
        None => ran.faults.push(format!(
            "`{text}` prints a result: say in args what to call it, as in `plan.txt: {text}`"
        )),
    }
}

/// Adds what a line said on standard error, and its exit code where that is not 0.
fn record(transcript: &mut String, line: &Line, (stderr, code): (&str, Option<i32>)) {
    if stderr.is_empty() && code == Some(0) {
        return;
    }
    let _ = write!(transcript, "$ {}\n{stderr}", line.text);
    if !stderr.is_empty() && !stderr.ends_with('\n') {
        transcript.push('\n');
    }
    let _ = match code {
        Some(code) => writeln!(transcript, "exit code {code}"),
        None => writeln!(transcript, "killed"),
    };
}

fn start(fixture: &Path, line: &Line, out: &str) -> io::Result<Output> {
    let stdin = match &line.stdin {
        Some(file) => Stdio::from(fs::File::open(fixture.join(file))?),
        None => Stdio::null(),
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_cosmos-render"));
    for name in [
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "COLUMNS",
        "RUST_BACKTRACE",
    ] {
        command.env_remove(name);
    }
    // the clock stands: what depends on it must come out the same
    command.env("SOURCE_DATE_EPOCH", NOW);
    command
        .args(line.args.iter().map(|arg| arg.replace(OUT, out)))
        .current_dir(fixture)
        .stdin(stdin)
        .output()
}

/// Returns the lines of a case; where it has no `args`, its plan as text and as JSON.
fn lines(fixture: &Path) -> io::Result<Vec<Line>> {
    let file = fixture.join("args");
    if file.exists() {
        let text = fs::read_to_string(file)?;
        return Ok(text.lines().filter_map(parse).collect());
    }
    let has_snapshot = fixture.join("live").exists();
    let snapshot = if has_snapshot { " --snapshot live" } else { "" };
    let text = format!("plan spec.yaml{snapshot}");
    let lines = [
        format!("plan.txt: {text}"),
        format!("plan.json: {text} -o json"),
    ];
    Ok(lines.iter().filter_map(|line| parse(line)).collect())
}

/// Parses a line: `[NAME:] ARGUMENT... [< FILE]`, words between blanks. Empty lines and those that
/// start with `#` are none.
fn parse(line: &str) -> Option<Line> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (name, text) = match line.split_once(' ') {
        Some((first, rest)) if first.ends_with(':') => {
            let name = first.trim_end_matches(':');
            ((name != STDERR).then(|| name.to_owned()), rest.trim())
        }
        Some(_) | None => (None, line),
    };
    let (command, stdin) = match text.split_once(" < ") {
        Some((command, file)) => (command, Some(file.trim().to_owned())),
        None => (text, None),
    };
    Some(Line {
        name,
        text: text.to_owned(),
        args: command.split_whitespace().map(str::to_owned).collect(),
        stdin,
    })
}
