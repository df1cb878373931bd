//! One pod's account: what it is, what it should be, what happens to it, and why it waits.

use crate::explain::{
    Budget, Companion, Explanation, LivePod, Member, Part, Planned, Serves, State, Waits,
};
use crate::plan::{Condition, Drift, Effect, Gate, Step};
use crate::render::Style;
use crate::render::style::Tone;
use crate::render::value;

use super::changes::{self, Situation};
use super::page::Page;
use super::{Detail, INDENT, Look, entry, notices, steps, upgrades};
use crate::model::ranges;

/// Returns an explanation as text, with a line break at the end.
#[must_use]
pub fn why(explanation: &Explanation, style: Style, detail: Detail) -> String {
    let Explanation {
        api_version: _,
        kind: _,
        format_version: _,
        member,
        steps,
        waves,
        waiting,
        blocked,
        warnings,
        drift,
        upgrades: versions,
        budget,
    } = explanation;
    let mut page = Page::new(Look { style, detail });
    write_head(&mut page, member);
    write_is(&mut page, member);
    write_should(&mut page, member);
    write_parts(&mut page, &member.parts);
    notices::write(&mut page, (Tone::Danger, "x", "blocked"), blocked);
    notices::write(&mut page, (Tone::Changed, "!", "warning"), warnings);
    upgrades::write(&mut page, versions);
    write_steps(&mut page, (member, steps, *waves));
    write_waiting(&mut page, waiting);
    write_drift(&mut page, drift);
    write_budget(&mut page, budget.as_ref());
    if steps.is_empty() && waiting.is_empty() && blocked.is_empty() {
        write_rest(&mut page, member);
    }
    page.text
}

fn write_head(page: &mut Page, member: &Member) {
    let Member {
        object,
        fleet,
        part,
        ordinal,
        main,
        ..
    } = member;
    let title = value::escaped(&format!("Pod {}/{}", object.namespace, object.name));
    page.line(0, &page.paint(Tone::Title, &title));
    let of_fleet = format!("fleet {fleet}");
    let number = ordinal.map(|n| format!(" {n}")).unwrap_or_default();
    let what = match part {
        Part::Instance => format!("instance{number} of {of_fleet}"),
        Part::Additional => format!(
            "additional pod beside {}, instance{number} of {of_fleet}",
            main.as_deref().unwrap_or("its instance")
        ),
        Part::Disabled => format!(
            "instance{number} of {of_fleet}, which its document disables: its pod is not wanted, \
             its claim stays"
        ),
        Part::SnapshotCandidate => format!(
            "instance{number} of {of_fleet}: its pod is away while a scheduled snapshot is taken"
        ),
        Part::Condemned => format!("a pod of {of_fleet} that its document does not ask for"),
        Part::Foreign => {
            format!("has a name of {of_fleet}, and is not its own: it is left alone")
        }
        Part::Former => format!("a pod of {of_fleet}: no document describes one of that name"),
    };
    page.wrapped(2, &value::escaped(&what));
}

fn heading(page: &mut Page, text: &str) {
    page.gap();
    page.line(2, &page.paint(Tone::Title, text));
}

fn write_is(page: &mut Page, member: &Member) {
    heading(page, "What it is");
    let Some(LivePod {
        image,
        height,
        serves,
        because,
    }) = &member.live
    else {
        return page.line(4, "not there");
    };
    let image = image.as_deref().unwrap_or("an image that is not known");
    let height = height.map(|height| format!(", works on block {height}"));
    let line = format!("runs {image}{}", height.unwrap_or_default());
    page.wrapped(4, &value::escaped(&line));
    let (word, tone) = match serves {
        Serves::Yes => ("serves", Tone::Added),
        Serves::No => ("does not serve", Tone::Danger),
        Serves::Unknown => ("not known to serve or not", Tone::Changed),
    };
    let head = page.paint(tone, &format!("{word}:"));
    page.entry(
        (4, word.chars().count() + 2),
        &head,
        &value::escaped(because),
    );
}

fn write_should(page: &mut Page, member: &Member) {
    heading(page, "What it should be");
    let image = member.image.as_deref();
    let is_there = member.live.is_some();
    let line = match (member.part, image) {
        (_, Some(image)) => format!("runs {image}"),
        (Part::Condemned | Part::Disabled, None) => "not there".to_owned(),
        (Part::SnapshotCandidate, None) => "not there, for now".to_owned(),
        (Part::Foreign | Part::Former | Part::Instance | Part::Additional, None) => {
            "no document says".to_owned()
        }
    };
    page.wrapped(4, &value::escaped(&line));
    let restarts = member.changes.iter().any(|c| c.effect == Effect::Restart);
    let situation = if restarts {
        Situation::Replaced
    } else {
        Situation::Later
    };
    let blocks = changes::blocks(&member.changes, situation, page.look);
    for block in &blocks {
        page.block(4, block);
    }
    if blocks.is_empty() && is_there && image.is_some() && member.part != Part::Foreign {
        page.line(4, "as it is: no field differs");
    }
}

fn write_parts(page: &mut Page, parts: &[Companion]) {
    if parts.is_empty() {
        return;
    }
    heading(page, "What it stands on");
    for part in parts {
        let Companion {
            object,
            state,
            detail,
            changes,
        } = part;
        let state = match state {
            State::UpToDate => "as it should be",
            State::Differs => "differs",
            State::Missing => "not there",
            State::Terminating => "on its way out",
            State::Foreign => "somebody else's",
            State::NotDesired => "there, and not asked for",
        };
        let detail = detail.as_ref().map(|detail| format!(" ({detail})"));
        let line = format!("{object}: {state}{}", detail.unwrap_or_default());
        page.wrapped(4, &value::escaped(&line));
        for block in changes::blocks(changes, Situation::Patched, page.look) {
            page.block(INDENT, &block);
        }
    }
}

fn write_steps(page: &mut Page, (member, planned, waves): (&Member, &[Planned], usize)) {
    if planned.is_empty() {
        return;
    }
    heading(page, "What happens to it");
    for one in planned {
        let Planned {
            wave,
            title,
            step,
            after,
            beside,
        } = one;
        let place = format!("in wave {wave} of {waves}: {title}");
        page.wrapped(4, &value::escaped(&place));
        steps::write_one(
            page,
            &member.object.namespace,
            &without_changes(step, member),
        );
        for (condition, names) in gates(after) {
            page.wrapped(
                4 + INDENT,
                &value::escaped(&format!("after {names} {condition}")),
            );
        }
        if !beside.is_empty() {
            let line = format!("beside {}", ranges::folded(beside));
            page.wrapped(4 + INDENT, &value::escaped(&line));
        }
    }
}

/// What differs stands above already.
fn without_changes(step: &Step, member: &Member) -> Step {
    let is_told =
        step.object == member.object || member.parts.iter().any(|part| part.object == step.object);
    Step {
        changes: if is_told {
            Vec::new()
        } else {
            step.changes.clone()
        },
        ..step.clone()
    }
}

/// Returns what must hold before, by condition.
fn gates(after: &[Gate]) -> Vec<(&'static str, String)> {
    let conditions = [
        (
            Condition::PodReady,
            "is ready and in sync",
            "are ready and in sync",
        ),
        (Condition::Gone, "is gone", "are gone"),
    ];
    let of = |(condition, one, many)| {
        let gates = after.iter().filter(|gate| gate.condition == condition);
        let names: Vec<&str> = gates.map(|gate| gate.object.name.as_str()).collect();
        let words = if names.len() == 1 { one } else { many };
        (!names.is_empty()).then(|| (words, ranges::folded(&names)))
    };
    conditions.into_iter().filter_map(of).collect()
}

fn write_waiting(page: &mut Page, waiting: &[Waits]) {
    if waiting.is_empty() {
        return;
    }
    heading(page, "What waits");
    for Waits { object, on } in waiting {
        let head = page.paint(Tone::Faint, &entry("…", "waiting"));
        let column = entry("", "").len() + 1;
        let text = value::escaped(&format!("{object} waits for {on}"));
        page.entry((4, column), &head, &text);
    }
}

fn write_drift(page: &mut Page, drift: &[Drift]) {
    if drift.is_empty() {
        return;
    }
    heading(page, "Drift (it differs though the spec did not change)");
    for Drift { object, changes } in drift {
        page.line(4, &value::escaped(&object.to_string()));
        for block in changes::blocks(changes, Situation::Later, page.look) {
            page.block(INDENT, &block);
        }
    }
}

fn write_budget(page: &mut Page, budget: Option<&Budget>) {
    let Some(Budget {
        allowed,
        instances,
        away,
    }) = budget
    else {
        return;
    };
    heading(page, "Budget of its fleet");
    let line = format!(
        "{allowed} of {instances} may be away at a time, {} away now",
        away.len()
    );
    page.line(4, &line);
    let mut reasons: Vec<&str> = away.iter().map(|one| one.because.as_str()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    for because in reasons {
        let names = away.iter().filter(|one| one.because == because);
        let names: Vec<&str> = names.map(|one| one.name.as_str()).collect();
        let line = format!("{}: {because}", ranges::folded(&names));
        page.wrapped(4, &value::escaped(&line));
    }
}

/// Says that nothing happens, where nothing does.
fn write_rest(page: &mut Page, member: &Member) {
    page.gap();
    let line = match member.part {
        Part::Foreign => "No plan touches it.",
        Part::Former => "Nothing of it is planned.",
        Part::Instance
        | Part::Additional
        | Part::Disabled
        | Part::SnapshotCandidate
        | Part::Condemned => "Nothing happens to it, and it waits for nothing.",
    };
    page.line(2, line);
}
