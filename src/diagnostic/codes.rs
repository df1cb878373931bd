//! All codes that diagnostics carry: what each means, why it matters and how to mend it. What
//! `lint --explain` prints and docs/lint.md shows comes from here, and a test holds the table
//! against the source. Knows nothing of how a fault is found.

mod commands;
mod delivery;
mod documents;
mod files;
mod plans;
mod rules;
#[cfg(test)]
mod tests;
mod texts;

use std::fmt;

/// How much a code weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It is not told.
    Off,
    /// It is just told.
    Note,
    /// It is told, and the work goes on.
    Warning,
    /// It must be mended.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Off => "off",
            Level::Note => "note",
            Level::Warning => "warn",
            Level::Error => "error",
        })
    }
}

/// One code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The code, in kebab case.
    pub name: &'static str,
    /// How much it weighs where its owner does not say otherwise.
    pub level: Level,
    /// What is wrong, in one line.
    pub summary: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// How to mend it.
    pub mend: &'static str,
    /// Lines that have the fault and lines that have not; empty where words are enough.
    pub example: &'static str,
}

/// A group of codes, as the documentation has them.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// The heading.
    pub title: &'static str,
    /// Whether these are lint rules: their level can be set, and a document can silence them.
    pub are_rules: bool,
    /// The codes, sorted.
    pub codes: &'static [Code],
}

/// All codes.
pub const GROUPS: &[Group] = &[
    rules::CHAIN,
    rules::ROLLOUT,
    rules::IDENTITY,
    rules::CLUSTER,
    rules::DELIVERY_RULES,
    rules::ALLOWANCES,
    documents::FORM,
    documents::MEANING,
    texts::TEXTS,
    texts::SNAPSHOTS,
    files::FILES,
    commands::COMMANDS,
    delivery::DELIVERY,
    plans::PLANS,
];

/// Returns a code by its name, and whether it is a rule.
#[must_use]
pub fn find(name: &str) -> Option<(&'static Code, bool)> {
    let all = GROUPS.iter().flat_map(|group| {
        let are_rules = group.are_rules;
        group.codes.iter().map(move |code| (code, are_rules))
    });
    all.into_iter().find(|(code, _)| code.name == name)
}

/// Returns whether a code tells of what a plan does: its level hangs on what the caller denies.
#[must_use]
pub fn is_of_plans(name: &str) -> bool {
    plans::PLANS.codes.iter().any(|code| code.name == name)
}

/// Returns the names of all rules.
pub fn rules() -> impl Iterator<Item = &'static str> {
    let groups = GROUPS.iter().filter(|group| group.are_rules);
    groups.flat_map(|group| group.codes.iter().map(|code| code.name))
}

/// A fault of a form that no setting changes.
const fn fault(
    name: &'static str,
    summary: &'static str,
    why: &'static str,
    mend: &'static str,
) -> Code {
    Code {
        name,
        level: Level::Error,
        summary,
        why,
        mend,
        example: "",
    }
}

/// The same as a warning.
const fn warning(code: Code) -> Code {
    Code {
        level: Level::Warning,
        ..code
    }
}

/// The same as something that is just told.
const fn note(code: Code) -> Code {
    Code {
        level: Level::Note,
        ..code
    }
}

/// A rule with lines that show it.
const fn shown(example: &'static str, code: Code) -> Code {
    Code { example, ..code }
}
