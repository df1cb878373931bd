//! What changes on an object, as blocks of aligned lines. Knows nothing of steps: only what becomes
//! of the object, which decides what an effect means to the reader.

use std::fmt::Write as _;

use serde_json::Value;

use crate::plan::{Change, Effect};
use crate::render::diff::{self, Tag};
use crate::render::style::Tone;
use crate::render::value;

use super::topics::{self, Topics};
use super::{Detail, Look, WIDTH};

/// The widest path that others are aligned with.
const PATH_WIDTH: usize = 48;
/// How wide a line of a block may get: what the deepest indent leaves.
const ROOM: usize = WIDTH - 12;
/// The least that is shown of each of two values beside their path; else they stand below it.
const LEAST: usize = 24;
/// The most that is shown of each of two values on a line below their path.
const BELOW: usize = (ROOM - 4 - " -> ".len()) / 2;
/// How many changes of one file are shown before the others are counted, unless asked for all.
const FILE_SHOWN: usize = 8;
/// How many lines of one text's difference are shown before the others are counted.
const LINES_SHOWN: usize = 12;

/// What becomes of the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::render) enum Situation {
    /// It is replaced, and with it comes what waited for a restart.
    Replaced,
    /// It is changed in place.
    Patched,
    /// No wave touches it.
    Later,
}

/// Returns the lines of all changes in blocks, one block for what is told together. Blocks that
/// are equal are the same to the reader, who sees long values cut.
pub(super) fn blocks(changes: &[Change], situation: Situation, look: Look) -> Vec<String> {
    match (look.detail, situation) {
        (Detail::Every, _) => {
            let all: Vec<&Change> = changes.iter().collect();
            singles(&all, situation, look)
        }
        (Detail::Summed, Situation::Replaced) => replaced(changes, look),
        (Detail::Summed, Situation::Patched | Situation::Later) => {
            let Topics { single, named, own } = topics::part(changes);
            let mut blocks = singles(&single, situation, look);
            let remark = remark(look, Effect::NextRestart, situation).1;
            blocks.extend(named.iter().map(|phrase| {
                let mark = look.paint(Tone::Changed, "~");
                format!("{mark} {phrase}{remark}")
            }));
            blocks.extend(own.map(|phrase| {
                let mark = look.paint(Tone::Faint, "~");
                format!("{mark} {phrase}")
            }));
            blocks
        }
    }
}

/// Returns what forces the restart, what the owner knows by name, and a count of all else.
fn replaced(changes: &[Change], look: Look) -> Vec<String> {
    let of = |effect| move |change: &&Change| change.effect == effect;
    let waited: Vec<&Change> = changes.iter().filter(of(Effect::NextRestart)).collect();
    let in_place = changes.iter().filter(of(Effect::InPlace)).count();
    let rides = |c: &Change| matches!(c.effect, Effect::NextRestart | Effect::InPlace);
    let forcing: Vec<&Change> = changes.iter().filter(|c| !rides(c)).collect();
    let mut blocks = singles(&forcing, Situation::Replaced, look);
    let named = topics::part(waited.iter().copied()).named;
    blocks.extend(named.iter().map(|phrase| {
        let mark = look.paint(Tone::Changed, "~");
        format!("{mark} {phrase}  {}", look.paint(Tone::Faint, "# waited"))
    }));
    let counted = match (waited.len(), in_place) {
        (0, 0) => return blocks,
        (0, n) => format!("{} that alone would take no restart", several(n)),
        (n, 0) => format!("{} that waited for a restart", several(n)),
        (n, m) => format!(
            "{} that waited for a restart, and {m} that would take none",
            several(n)
        ),
    };
    let line = format!("also takes up {counted} (-v shows all)");
    blocks.push(look.paint(Tone::Faint, &line));
    blocks
}

fn several(count: usize) -> String {
    match count {
        1 => "1 change".to_owned(),
        n => format!("{n} changes"),
    }
}

/// Returns a block for every change. Runs of changes to one file are cut short, and what is left
/// out is counted, unless every change is asked for.
fn singles(changes: &[&Change], situation: Situation, look: Look) -> Vec<String> {
    let lengths = changes.iter().map(|c| c.path.chars().count());
    let width = lengths.filter(|n| *n <= PATH_WIDTH).max().unwrap_or(0);
    let mut blocks = Vec::new();
    for run in changes.chunk_by(|a, b| file(&a.path).is_some() && file(&a.path) == file(&b.path)) {
        let is_cut = look.detail == Detail::Summed && run.len() > FILE_SHOWN + 1;
        let shown = if is_cut { FILE_SHOWN } else { run.len() };
        let (shown, left) = run.split_at(shown);
        let block = |change: &&Change| single(change, (width, situation), look);
        blocks.extend(shown.iter().map(block));
        if let Some(first) = left.first() {
            let file = value::escaped(file(&first.path).unwrap_or_default());
            let restarts = left.iter().filter(|c| c.effect == Effect::Restart).count();
            let takes = match restarts {
                0 => String::new(),
                n => format!(", {n} of them by a restart"),
            };
            let line = format!("… and {} more in {file}{takes} (-v shows all)", left.len());
            blocks.push(look.paint(Tone::Faint, &line));
        }
    }
    blocks
}

/// Returns the file that a path leads into: `data[app.toml]` of `data[app.toml].api.enable`.
fn file(path: &str) -> Option<&str> {
    let key = path.strip_prefix("ConfigMap.").unwrap_or(path);
    let (file, _) = key.strip_prefix("data[")?.split_once("].")?;
    Some(file)
}

fn single(change: &Change, (width, situation): (usize, Situation), look: Look) -> String {
    if is_text(change.from.as_ref()) || is_text(change.to.as_ref()) {
        text(change, situation, look)
    } else {
        one_value(change, (width, situation), look)
    }
}

fn one_value(change: &Change, (width, situation): (usize, Situation), look: Look) -> String {
    let path = value::escaped(&change.path);
    let (remark_width, remark) = remark(look, change.effect, situation);
    let column = width.max(path.chars().count()) + 4;
    let beside = ROOM.saturating_sub(column + remark_width);
    let mark = mark(change, look);
    let values = values(change, beside);
    if values.chars().count() <= beside {
        return format!("{mark} {path:<width$}  {values}{remark}");
    }
    let below = self::values(change, ROOM - 4);
    format!("{mark} {path}{remark}\n    {below}")
}

/// Returns the values of a change for a line of this width. They are cut only as far as both still
/// tell something, so that they can come out wider.
fn values(change: &Change, room: usize) -> String {
    match (&change.from, &change.to) {
        (None, None) => String::new(),
        (None, Some(only)) | (Some(only), None) => {
            let width = room.clamp(LEAST, value::WIDTH);
            value::cut(&value::inline(only), width)
        }
        (Some(from), Some(to)) => {
            let (from, to) = (value::inline(from), value::inline(to));
            let longest = from.chars().count().max(to.chars().count());
            let width = (room.saturating_sub(" -> ".len()) / 2).clamp(LEAST, value::WIDTH);
            // Values that fit a line of their own are better moved there than cut.
            let width = if longest <= BELOW { BELOW } else { width };
            let (from, to) = value::cut_pair(&from, &to, width);
            format!("{from} -> {to}")
        }
    }
}

fn mark(change: &Change, look: Look) -> String {
    match (&change.from, &change.to) {
        (None, Some(_)) => look.paint(Tone::Added, "+"),
        (Some(_), None) => look.paint(Tone::Removed, "-"),
        (None, None) | (Some(_), Some(_)) => look.paint(Tone::Changed, "~"),
    }
}

fn text(change: &Change, situation: Situation, look: Look) -> String {
    let path = value::escaped(&change.path);
    let mark = mark(change, look);
    let remark = remark(look, change.effect, situation).1;
    let (from, to) = match (&change.from, &change.to) {
        (None, None) => return format!("{mark} {path}{remark}"),
        (None, Some(only)) | (Some(only), None) => {
            let count = count(text_of(only).lines().count());
            return format!("{mark} {path}  ({count}){remark}");
        }
        (Some(from), Some(to)) => (text_of(from), text_of(to)),
    };
    let mut block = format!("{mark} {path}{remark}");
    let lines = diff::lines(&from, &to);
    let shown = match look.detail {
        Detail::Summed if lines.len() > LINES_SHOWN + 1 => LINES_SHOWN,
        Detail::Summed | Detail::Every => lines.len(),
    };
    for line in lines.iter().take(shown) {
        let (tone, mark) = match line.tag {
            Tag::Added => (Tone::Added, "+ "),
            Tag::Removed => (Tone::Removed, "- "),
            Tag::Kept => (Tone::Faint, ""),
        };
        let text = look.paint(tone, format!("{mark}{}", line.text).trim_end());
        let _ = write!(block, "\n    {text}");
    }
    if lines.len() > shown {
        let line = format!("… and {} more (-v shows all)", count(lines.len() - shown));
        let _ = write!(block, "\n    {}", look.paint(Tone::Faint, &line));
    }
    block
}

/// Returns what an effect means where that is not plain from the step itself, and how wide it is.
fn remark(look: Look, effect: Effect, situation: Situation) -> (usize, String) {
    let Some((tone, words)) = remark_of(effect, situation) else {
        return (0, String::new());
    };
    let text = format!("# {words}");
    (
        text.chars().count() + 2,
        format!("  {}", look.paint(tone, &text)),
    )
}

/// Returns what an effect means, and in which tone; nothing where that is plain from the step itself.
pub(in crate::render) fn remark_of(
    effect: Effect,
    situation: Situation,
) -> Option<(Tone, &'static str)> {
    match (effect, situation) {
        (Effect::InPlace, _) | (Effect::NextRestart, Situation::Replaced | Situation::Later) => {
            None
        }
        (Effect::NextRestart, Situation::Patched) => {
            Some((Tone::Faint, "taken up at the next restart"))
        }
        (Effect::Restart, Situation::Replaced) => Some((Tone::Interrupted, "forces the restart")),
        (Effect::Restart, Situation::Patched | Situation::Later) => {
            Some((Tone::Interrupted, "takes a restart"))
        }
        (Effect::RecreateVolume, _) => Some((Tone::Danger, "takes a new volume")),
        (Effect::DataLoss, _) => Some((Tone::Danger, "LOSES DATA")),
    }
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

fn count(lines: usize) -> String {
    match lines {
        1 => "1 line".to_owned(),
        n => format!("{n} lines"),
    }
}
