//! A text that grows line by line, within its width. Knows nothing of plans but how their objects
//! are named.

use crate::model::{ObjectKey, ranges};
use crate::render::style::Tone;

use super::{Detail, Look, WIDTH, entry, short};

/// A text that grows line by line.
pub(super) struct Page {
    pub(super) text: String,
    pub(super) look: Look,
}

impl Page {
    pub(super) fn new(look: Look) -> Self {
        let text = String::new();
        Self { text, look }
    }

    pub(super) fn paint(&self, tone: Tone, text: &str) -> String {
        self.look.paint(tone, text)
    }

    pub(super) fn gap(&mut self) {
        self.text.push('\n');
    }

    pub(super) fn line(&mut self, indent: usize, text: &str) {
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    /// Writes the lines of a block.
    pub(super) fn block(&mut self, indent: usize, block: &str) {
        for line in block.lines() {
            self.line(indent, line);
        }
    }

    /// Writes a text without colours over as many lines as it takes.
    pub(super) fn wrapped(&mut self, indent: usize, text: &str) {
        for row in rows(text, WIDTH - indent) {
            self.line(indent, &row);
        }
    }

    /// Writes a head that may have colours, and beside it a text without, from a column on.
    pub(super) fn entry(&mut self, (indent, column): (usize, usize), head: &str, text: &str) {
        for (index, row) in rows(text, WIDTH - indent - column).iter().enumerate() {
            match index {
                0 => self.line(indent, &format!("{head} {row}")),
                _ => self.line(indent + column, row),
            }
        }
    }

    /// Writes a mark and word, the names of objects, and what becomes of them, over as many lines
    /// as it takes. The head is as wide as [`entry`] makes it, colours aside.
    pub(super) fn names(
        &mut self,
        (indent, head): (usize, &str),
        namespace: &str,
        objects: &[&ObjectKey],
        end: &str,
    ) {
        let column = indent + entry("", "").len() + 1;
        let names = named(objects, namespace, self.look.detail);
        let mut rows: Vec<String> = Vec::new();
        let mut row = String::new();
        for name in names {
            let is_full = column + row.chars().count() + name.chars().count() + 1 > WIDTH;
            if !row.is_empty() && is_full {
                rows.push(std::mem::take(&mut row));
            }
            if !row.is_empty() {
                row.push(' ');
            }
            row.push_str(&name);
        }
        if !end.is_empty() {
            row.push_str("   ");
            row.push_str(end);
        }
        rows.push(row);
        for (index, row) in rows.iter().enumerate() {
            match index {
                0 => self.line(indent, &format!("{head} {row}")),
                _ => self.line(column, row),
            }
        }
    }
}

/// Returns the names with commas, each kind said before the first of its objects. Names that count
/// on are folded, unless all are asked for.
pub(in crate::render) fn named(
    objects: &[&ObjectKey],
    namespace: &str,
    detail: Detail,
) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for of_kind in objects.chunk_by(|a, b| a.kind == b.kind) {
        let short: Vec<String> = of_kind.iter().map(|o| short(o, namespace)).collect();
        let mut pieces = match detail {
            Detail::Summed => ranges::pieces(&short),
            Detail::Every => short,
        };
        if let (Some(first), Some(piece)) = (of_kind.first(), pieces.first_mut()) {
            *piece = format!("{}/{piece}", first.kind);
        }
        names.extend(pieces);
    }
    let last = names.len().saturating_sub(1);
    for name in names.iter_mut().take(last) {
        name.push(',');
    }
    names
}

/// Breaks a text between words. A word that is wider than a line keeps its own.
pub(in crate::render) fn rows(text: &str, width: usize) -> Vec<String> {
    let mut rows = Vec::new();
    let mut row = String::new();
    for word in text.split(' ') {
        let is_full = row.chars().count() + word.chars().count() + 1 > width;
        if !row.is_empty() && is_full {
            rows.push(std::mem::take(&mut row));
        }
        if !row.is_empty() {
            row.push(' ');
        }
        row.push_str(word);
    }
    rows.push(row);
    rows
}
