//! Two texts of several lines, as the lines that differ.

use similar::{ChangeTag, TextDiff};

use super::value;

/// How wide a line may get.
const WIDTH: usize = 96;

/// One line that differs, or a line beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// What happens to it.
    pub(super) tag: Tag,
    /// The line, escaped and cut.
    pub(super) text: String,
}

/// What happens to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    /// It comes.
    Added,
    /// It goes.
    Removed,
    /// It stays: the nearest TOML table's header, for orientation.
    Kept,
}

/// Returns the lines that differ. Before each run of them stands the header of the TOML table
/// that they are in, where there is one and it is not shown yet.
pub(super) fn lines(from: &str, to: &str) -> Vec<Line> {
    let (from, to) = (with_break(from), with_break(to));
    let diff = TextDiff::from_lines(from.as_str(), to.as_str());
    let mut out = Vec::new();
    let mut header: Option<&str> = None;
    let mut removed: Vec<&str> = Vec::new();
    let mut added: Vec<&str> = Vec::new();
    for change in diff.iter_all_changes() {
        let line = change.value().trim_end_matches(['\n', '\r']);
        match change.tag() {
            ChangeTag::Equal => {
                flush(&mut out, &mut removed, &mut added);
                if is_header(line) {
                    header = Some(line);
                }
            }
            ChangeTag::Delete => {
                out.extend(header.take().map(kept));
                removed.push(line);
            }
            ChangeTag::Insert => {
                out.extend(header.take().map(kept));
                added.push(line);
            }
        }
    }
    flush(&mut out, &mut removed, &mut added);
    if out.is_empty() {
        out.push(kept("(only the line break at the end differs)"));
    }
    out
}

/// Returns a text that ends with a line break, so that a last line without one is no other line.
fn with_break(text: &str) -> String {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("{text}{end}")
}

fn is_header(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('[') && line.ends_with(']')
}

fn kept(text: &str) -> Line {
    Line {
        tag: Tag::Kept,
        text: value::escaped(&value::cut(text.trim(), WIDTH)),
    }
}

/// Moves a run of changed lines to the output: as pairs, cut where each two differ, where as many
/// go as come. Lines are cut before they are escaped, so that no escape is cut in two.
fn flush(out: &mut Vec<Line>, removed: &mut Vec<&str>, added: &mut Vec<&str>) {
    let line = |tag, text: &str| Line {
        tag,
        text: value::escaped(text),
    };
    if removed.len() == added.len() {
        for (from, to) in removed.drain(..).zip(added.drain(..)) {
            let (from, to) = value::cut_pair(from, to, WIDTH);
            out.push(line(Tag::Removed, &from));
            out.push(line(Tag::Added, &to));
        }
        return;
    }
    let cut = |text: &str| value::cut(text, WIDTH);
    out.extend(removed.drain(..).map(|t| line(Tag::Removed, &cut(t))));
    out.extend(added.drain(..).map(|t| line(Tag::Added, &cut(t))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(from: &str, to: &str, expected: &str) {
        let mut out = String::new();
        for line in lines(from, to) {
            let mark = match line.tag {
                Tag::Added => '+',
                Tag::Removed => '-',
                Tag::Kept => ' ',
            };
            out.push(mark);
            out.push_str(&line.text);
            out.push('\n');
        }
        assert_eq!(out, expected);
    }

    #[test]
    fn only_lines_that_differ_are_shown_below_their_table() {
        check(
            "a = 1\n\n[p2p]\nseeds = \"x\"\npex = true\n",
            "a = 1\n\n[p2p]\nseeds = \"y\"\npex = true\n",
            " [p2p]\n-seeds = \"x\"\n+seeds = \"y\"\n",
        );
    }

    #[test]
    fn long_lines_are_cut_where_they_differ() {
        let many = "n@host:26656,".repeat(30);
        let from = format!("peers = \"{many}a{many}\"\n");
        let to = format!("peers = \"{many}b{many}\"\n");
        check(
            &from,
            &to,
            "-…@host:26656,an@host:26656…\n+…@host:26656,bn@host:26656…\n",
        );
    }

    #[test]
    fn a_last_line_without_its_break_is_the_same_line() {
        check("a = 1", "a = 1\nb = 2", "+b = 2\n");
        check("a", "a\n", " (only the line break at the end differs)\n");
    }
}
