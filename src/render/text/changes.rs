//! What changes on an object, field by field, in aligned lines. Knows nothing of steps.

use serde_json::Value;

use crate::plan::{Change, Effect};
use crate::render::diff::{self, Tag};
use crate::render::style::Tone;
use crate::render::{Style, value};

use super::Page;

/// The widest path that others are aligned with.
const PATH_WIDTH: usize = 48;

/// What becomes of the object, which decides what an effect means to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Situation {
    /// It is replaced, and with it comes what waited for a restart.
    Replaced,
    /// It is changed in place.
    Patched,
    /// No wave touches it.
    Later,
}

/// Writes a line for every change, and a line diff for texts of several lines.
pub(super) fn write<'a>(
    page: &mut Page,
    indent: usize,
    changes: impl IntoIterator<Item = &'a Change> + Clone,
    situation: Situation,
) {
    let lengths = changes.clone().into_iter().map(|c| c.path.chars().count());
    let width = lengths.filter(|n| *n <= PATH_WIDTH).max().unwrap_or(0);
    for change in changes {
        if is_text(change.from.as_ref()) || is_text(change.to.as_ref()) {
            write_text(page, indent, change, situation);
        } else {
            write_value(page, indent, change, (width, situation));
        }
    }
}

/// Returns the lines of each change, apart from colours and alignment. Changes that show the same
/// are the same to the reader, who sees long values cut.
pub(super) fn shown(changes: &[Change], situation: Situation) -> Vec<String> {
    let line = |change: &Change| {
        let mut page = Page::new(Style::Plain);
        write(&mut page, 0, [change], situation);
        page.text
    };
    changes.iter().map(line).collect()
}

fn write_value(page: &mut Page, indent: usize, change: &Change, (width, how): (usize, Situation)) {
    let path = value::escaped(&change.path);
    let (tone, mark, values) = match (&change.from, &change.to) {
        (None, None) => (Tone::Changed, "~", String::new()),
        (None, Some(to)) => {
            let to = value::cut(&value::inline(to), value::WIDTH);
            (Tone::Added, "+", to)
        }
        (Some(from), None) => {
            let from = value::cut(&value::inline(from), value::WIDTH);
            (Tone::Removed, "-", from)
        }
        (Some(from), Some(to)) => {
            let (from, to) = (value::inline(from), value::inline(to));
            let (from, to) = value::cut_pair(&from, &to, value::WIDTH);
            (Tone::Changed, "~", format!("{from} -> {to}"))
        }
    };
    let mark = page.paint(tone, mark);
    let remark = remark(page, change.effect, how);
    page.line(indent, &format!("{mark} {path:<width$}  {values}{remark}"));
}

fn write_text(page: &mut Page, indent: usize, change: &Change, how: Situation) {
    let path = value::escaped(&change.path);
    let remark = remark(page, change.effect, how);
    let (from, to) = match (&change.from, &change.to) {
        (None, None) => return,
        (None, Some(to)) => {
            let mark = page.paint(Tone::Added, "+");
            let count = count(to);
            return page.line(indent, &format!("{mark} {path}  ({count}){remark}"));
        }
        (Some(from), None) => {
            let mark = page.paint(Tone::Removed, "-");
            let count = count(from);
            return page.line(indent, &format!("{mark} {path}  ({count}){remark}"));
        }
        (Some(from), Some(to)) => (text_of(from), text_of(to)),
    };
    let mark = page.paint(Tone::Changed, "~");
    page.line(indent, &format!("{mark} {path}{remark}"));
    for line in diff::lines(&from, &to) {
        let (tone, mark) = match line.tag {
            Tag::Added => (Tone::Added, "+ "),
            Tag::Removed => (Tone::Removed, "- "),
            Tag::Kept => (Tone::Faint, ""),
        };
        let text = page.paint(tone, &format!("{mark}{}", line.text));
        page.line(indent + 4, &text);
    }
}

/// Returns what an effect means where that is not plain from the step itself.
fn remark(page: &Page, effect: Effect, situation: Situation) -> String {
    let (tone, text) = match (effect, situation) {
        (Effect::InPlace, _) | (Effect::NextRestart, Situation::Replaced | Situation::Later) => {
            return String::new();
        }
        (Effect::NextRestart, Situation::Patched) => (Tone::Faint, "taken up at the next restart"),
        (Effect::Restart, Situation::Replaced) => (Tone::Interrupted, "forces the restart"),
        (Effect::Restart, Situation::Patched | Situation::Later) => {
            (Tone::Interrupted, "takes a restart")
        }
        (Effect::RecreateVolume, _) => (Tone::Danger, "takes a new volume"),
        (Effect::DataLoss, _) => (Tone::Danger, "LOSES DATA"),
    };
    format!("  {}", page.paint(tone, &format!("# {text}")))
}

fn is_text(value: Option<&Value>) -> bool {
    value
        .and_then(Value::as_str)
        .is_some_and(|text| text.contains('\n'))
}

fn text_of(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => value.to_string(),
    }
}

fn count(value: &Value) -> String {
    match text_of(value).lines().count() {
        1 => "1 line".to_owned(),
        n => format!("{n} lines"),
    }
}
