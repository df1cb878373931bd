//! What codes mean, at length: for `lint --explain`, and as a page of documentation.

use std::fmt::Write as _;

use crate::diagnostic::codes::{self, Code, GROUPS, Level};
use crate::model::likeness::nearest;
use crate::model::quote::quote;
use crate::spec::wishes::LINT_ALLOW;

/// Returns what a code means; for one that does not exist, what to write instead.
///
/// # Errors
/// Names the code that was probably meant.
pub fn code(name: &str) -> Result<String, String> {
    let Some((code, is_rule)) = codes::find(name) else {
        let all = GROUPS.iter().flat_map(|group| group.codes);
        return Err(match nearest(name, all.map(|code| code.name)) {
            Some(near) => format!("there is no code {}: did you mean `{near}`?", quote(name)),
            None => format!(
                "there is no code {}: `--explain all` prints all",
                quote(name)
            ),
        });
    };
    let Code {
        name,
        level,
        summary,
        why,
        mend,
        example,
    } = *code;
    let mut text = format!("{name}: {summary}\n\n");
    let parts = [("Why it matters", why), ("How to mend it", mend)];
    for (title, words) in parts {
        let _ = write!(text, "{title}:\n{}\n", indented(&wrapped(words)));
    }
    if !example.is_empty() {
        let _ = write!(text, "Example:\n{}\n", indented(example));
    }
    text.push_str(&if is_rule {
        silence(name, level)
    } else {
        fixed(name, level)
    });
    Ok(text)
}

fn fixed(name: &str, level: Level) -> String {
    if codes::is_of_plans(name) {
        return format!("It is {}; no document silences it.\n", of_plans(level));
    }
    let word = match level {
        Level::Error => "an error",
        Level::Note => "a note",
        Level::Warning | Level::Off => "a warning",
    };
    format!("It is always {word}: no setting changes it.\n")
}

/// Says how much a code of plans weighs.
fn of_plans(level: Level) -> &'static str {
    match level {
        Level::Error => "always an error",
        Level::Note => "a note, and an error where it is denied",
        Level::Warning | Level::Off => "a warning, and an error where it is denied",
    }
}

fn silence(name: &str, level: Level) -> String {
    format!(
        "How to silence it (its level is \"{level}\"):\n  \
         everywhere, in cosmos-render.toml:\n    \
         [lint]\n    \
         {name} = \"off\"      # or \"warn\", \"error\"\n  \
         for one document, with a reason:\n    \
         metadata:\n      \
         annotations:\n        \
         {LINT_ALLOW}: \"{name}: <why it does not matter here>\"\n"
    )
}

/// Returns all codes as one page of Markdown.
#[must_use]
pub fn all() -> String {
    let mut page = HEAD.to_owned();
    for group in GROUPS {
        let _ = write!(page, "\n## {}\n", group.title);
        for code in group.codes {
            page.push_str(&section(code, group.are_rules));
        }
    }
    page
}

const HEAD: &str = "\
# What `cosmos-render lint` says

Rules judge documents that an API server takes. Their levels can be set in `cosmos-render.toml` at \
the root of the tree:

```toml
[lint]
image-latest = \"error\"   # \"off\", \"warn\" or \"error\"
```

A document silences a rule with an annotation, and says why:

```yaml
metadata:
  annotations:
    cosmos-render/lint-allow: |
      image-latest: the mirror pins the tag
      budget-takes-all: a test network
```

Everything else is a fault of form: what cannot be read, what an API server would refuse, or what \
cannot be built. No setting changes those. `cosmos-render lint --explain CODE` prints one entry.
";

fn section(code: &Code, is_rule: bool) -> String {
    let Code {
        name,
        level,
        summary,
        why,
        mend,
        example,
    } = code;
    let level = match (is_rule, level) {
        (false, level) if codes::is_of_plans(name) => format!("{}.", capital(of_plans(*level))),
        (true, level) => format!("Level: `{level}`."),
        (false, Level::Error) => "Always an error.".to_owned(),
        (false, Level::Note) => "Always a note.".to_owned(),
        (false, Level::Warning | Level::Off) => "Always a warning.".to_owned(),
    };
    let mut text = format!(
        "\n### `{name}`\n\n{}. {level}\n\n{why}\n\n",
        capital(summary)
    );
    let _ = writeln!(text, "To mend it: {mend}");
    if !example.is_empty() {
        let _ = write!(text, "\n```yaml\n{example}\n```\n");
    }
    text
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |mut all, line| {
        let _ = writeln!(all, "  {line}");
        all
    })
}

/// Breaks a text into lines that fit a terminal.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 76;
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut();
        match line {
            Some(line) if line.is_empty() => word.clone_into(line),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}
