//! What came of a simulation, as a reviewer reads it: how it ends, then each fleet's waves with how
//! many nodes were in sync meanwhile, what happened that nobody asked for, and what is left.

use std::fmt::Write as _;

use crate::render::style::Tone;
use crate::render::{Style, value};
use crate::timeline::estimates::time;
use crate::timeline::{Course, Entry, Simulation, Span, fold};

use super::page::Page;
use super::{Detail, Look, notices};

/// How many instances have a mark each; of more, each mark stands for several.
const MARKS: usize = 20;
/// So many waves of one kind in a row are told as one.
const ALIKE: usize = 4;

/// Returns what came of a simulation as text, with a line break at the end.
#[must_use]
pub fn simulation(simulation: &Simulation, style: Style, detail: Detail) -> String {
    let mut page = Page::new(Look { style, detail });
    page.line(0, &page.paint(Tone::Title, &summary(simulation)));
    for breach in &simulation.breaches {
        let text = format!(
            "breach after {} in {}: {}",
            time(breach.at),
            breach.fleet,
            value::escaped(&breach.message)
        );
        page.entry((2, 2), &page.paint(Tone::Danger, "x"), &text);
    }
    for fleet in &simulation.fleets {
        page.gap();
        write_fleet(&mut page, fleet, simulation);
    }
    let idle = simulation.faults.iter().filter(|fault| !fault.happened);
    for fault in idle {
        page.gap();
        let text = format!(
            "--fault {} made no difference: nothing came to where it would",
            fault.fault
        );
        page.wrapped(0, &value::escaped(&text));
    }
    page.text
}

/// Returns the line that sums a simulation up.
fn summary(simulation: &Simulation) -> String {
    let end = simulation.end();
    let restarts = match simulation.restarts.len() {
        1 => "1 restart".to_owned(),
        n => format!("{n} restarts"),
    };
    let mut text = format!(
        "Simulation: {end} after {}, {restarts}",
        time(simulation.duration)
    );
    match simulation.breaches.len() {
        0 => {}
        1 => text.push_str(", 1 BREACH"),
        n => {
            let _ = write!(text, ", {n} BREACHES");
        }
    }
    text
}

fn write_fleet(page: &mut Page, fleet: &Course, simulation: &Simulation) {
    let head = format!("Fleet {}", value::escaped(&fleet.fleet));
    let head = page.paint(Tone::Title, &head);
    page.line(0, &format!("{head}   {}", pace(fleet)));
    let entries: Vec<&Entry> = simulation
        .timeline
        .iter()
        .filter(|entry| entry.fleet == fleet.fleet)
        .collect();
    page.gap();
    page.line(2, &row("after", "takes", "in sync", ""));
    match page.look.detail {
        Detail::Every => every_moment(page, fleet, &entries),
        Detail::Summed => waves(page, fleet, &entries),
    }
    if let Some(stuck) = &fleet.stuck {
        page.gap();
        let head = page.paint(Tone::Danger, "x stuck");
        let text = format!("after {}: {}", time(stuck.at), stuck.reason);
        page.entry((2, "x stuck ".len()), &head, &value::escaped(&text));
    }
    page.gap();
    page.wrapped(2, &capacity(fleet));
    page.wrapped(2, &rests_on(fleet));
    for note in &fleet.notes {
        page.wrapped(2, &value::escaped(note));
    }
    for away in fleet.away.iter().filter(|_| fleet.stuck.is_none()) {
        let text = format!("{} is not in sync in the end: {}", away.pod, away.why);
        page.entry(
            (2, 2),
            &page.paint(Tone::Danger, "!"),
            &value::escaped(&text),
        );
    }
    left(page, fleet);
}

fn pace(fleet: &Course) -> String {
    let instances = match fleet.instances {
        1 => "1 instance".to_owned(),
        n => format!("{n} instances"),
    };
    format!(
        "{instances}, of which {} may be away at a time",
        fleet.budget
    )
}

fn row(after: &str, takes: &str, in_sync: &str, marks: &str) -> String {
    format!("{after:<9} {takes:<9} {in_sync:<10} {marks} ")
}

/// Writes one line for each moment.
fn every_moment(page: &mut Page, fleet: &Course, entries: &[&Entry]) {
    for (n, entry) in entries.iter().enumerate() {
        let next = entries.get(n + 1);
        let takes = next
            .map(|next| time(next.at - entry.at))
            .unwrap_or_default();
        let told = if entry.events.is_empty() {
            "it begins".to_owned()
        } else {
            entry.events.join("; ")
        };
        let row = Row::new(fleet, (entry.at, &takes), (Some(entry.in_sync), &told));
        row.write(page);
    }
}

fn of(fleet: &Course, in_sync: usize) -> String {
    format!("{in_sync} of {}", fleet.instances)
}

/// Draws how many are in sync: a mark for each, or for several.
fn marks(fleet: &Course, in_sync: usize) -> String {
    let all = fleet.instances.max(in_sync);
    let width = all.min(MARKS);
    if width == 0 {
        return String::new();
    }
    // who is away is seen, however many there are
    let full = in_sync * width / all;
    format!("{}{}", "#".repeat(full), ".".repeat(width - full))
}

/// Writes one line for each wave, waves of one kind in a row as one, and what happened between.
fn waves(page: &mut Page, fleet: &Course, entries: &[&Entry]) {
    let mut rows: Vec<Row> = Vec::new();
    let moment =
        |entry: &Entry, told: &str| Row::new(fleet, (entry.at, ""), (Some(entry.in_sync), told));
    if let Some(first) = entries.first() {
        let waits = fleet.waves.first();
        if waits.is_none_or(|wave| wave.from > first.at) {
            rows.push(moment(first, "the start"));
        }
    }
    for entry in entries {
        let notable = entry.notable.iter();
        rows.extend(notable.map(|notable| moment(entry, &format!("! {notable}"))));
    }
    let mut at = 0;
    while let Some(rest) = fleet.waves.get(at..).filter(|rest| !rest.is_empty()) {
        let run = run(rest);
        rows.extend(of_run(fleet, run));
        at += run.len();
    }
    if let Some(last) = entries.last().filter(|last| last.at > 0) {
        rows.push(moment(last, "the end"));
    }
    rows.sort_by_key(|row| row.at);
    for row in rows {
        row.write(page);
    }
}

/// Returns the first waves that are told as one.
fn run(waves: &[Span]) -> &[Span] {
    let Some(first) = waves.first() else {
        return waves;
    };
    let alike = waves.iter().take_while(|wave| is_alike(first, wave));
    let alike = alike.count();
    let is_folded = alike >= ALIKE || took(first) == Some(0);
    let count = if is_folded { alike.max(1) } else { 1 };
    waves.get(..count).unwrap_or_default()
}

fn of_run(fleet: &Course, run: &[Span]) -> Option<Row> {
    let (first, last) = (run.first()?, run.last()?);
    let lowest = run.iter().map(|wave| wave.min_in_sync).min();
    // what takes no time takes nobody away
    let lowest = lowest.filter(|_| took(last) != Some(0));
    // whoever plans anew leaves the waves of the plan before
    let is_left = fleet.waves.iter().any(|wave| wave.plan > last.plan);
    let endless = if is_left { "left" } else { "no end" };
    let takes = last.to.map(|to| time(to - first.from));
    let takes = takes.unwrap_or_else(|| endless.to_owned());
    let row = Row::new(fleet, (first.from, &takes), (lowest, &told(run)));
    Some(row)
}

/// One line of a timeline.
struct Row {
    at: i64,
    /// When, how long, and how many are in sync.
    head: String,
    what: String,
}

impl Row {
    fn new(
        fleet: &Course,
        (at, takes): (i64, &str),
        (in_sync, what): (Option<usize>, &str),
    ) -> Self {
        let drawn = marks(fleet, in_sync.unwrap_or_default());
        let head = match in_sync {
            Some(in_sync) => row(&time(at), takes, &of(fleet, in_sync), &drawn),
            None => row(&time(at), takes, "", &" ".repeat(drawn.len())),
        };
        Self {
            at,
            head,
            what: what.to_owned(),
        }
    }

    fn write(&self, page: &mut Page) {
        let column = self.head.len() + 1;
        page.entry((2, column), &self.head, &value::escaped(&self.what));
    }
}

fn took(wave: &Span) -> Option<i64> {
    wave.to.map(|to| to - wave.from)
}

/// Waves that take no time are alike, and so are those that take as long for the same thing.
fn is_alike(first: &Span, other: &Span) -> bool {
    let kind = |wave: &Span| {
        let title = wave.title.chars().filter(|c| !c.is_ascii_digit());
        title.collect::<String>()
    };
    let takes = took(first);
    let is_nothing = takes == Some(0);
    first.plan == other.plan
        && takes.is_some()
        && took(other) == takes
        && (is_nothing || kind(first) == kind(other))
}

/// Says which waves, what they are called, and which pods they are about.
fn told(run: &[Span]) -> String {
    let (Some(first), Some(last)) = (run.first(), run.last()) else {
        return String::new();
    };
    let plan = match first.plan {
        1 => String::new(),
        n => format!("plan {n}, "),
    };
    let total = first.total;
    let pods: Vec<&str> = run
        .iter()
        .flat_map(|w| w.pods.iter().map(String::as_str))
        .collect();
    let pods = if pods.is_empty() {
        String::new()
    } else {
        format!(": {}", fold::names(pods))
    };
    if run.len() == 1 {
        let number = first.number;
        return format!("{plan}wave {number} of {total}, {}{pods}", first.title);
    }
    let numbers = format!("{plan}waves {} to {} of {total}", first.number, last.number);
    if took(first) == Some(0) {
        let titles: Vec<&str> = run.iter().map(|wave| wave.title.as_str()).collect();
        return format!("{numbers}, {}{pods}", titles.join(", "));
    }
    let each = took(first).map(time).unwrap_or_default();
    format!(
        "{numbers}, {} to {}, {each} each{pods}",
        first.title, last.title
    )
}

fn capacity(fleet: &Course) -> String {
    let floor = fleet.instances.saturating_sub(fleet.budget);
    format!(
        "In sync at the least: {} of {}; its budget asks for {floor}.",
        fleet.min_in_sync, fleet.instances
    )
}

fn rests_on(fleet: &Course) -> String {
    let e = &fleet.estimates;
    let all = [
        ("stop", e.stop),
        ("start", e.start),
        ("sync", e.sync),
        ("restore", e.restore),
        ("bind", e.bind),
        ("resize", e.resize),
        ("block", e.block),
    ];
    let all = all.map(|(name, seconds)| format!("{name} {}", time(seconds)));
    format!("Rests on estimates: {}.", all.join(", "))
}

/// Writes what is left in the end.
fn left(page: &mut Page, fleet: &Course) {
    let blocked = (Tone::Danger, "x", "blocked");
    notices::write(page, blocked, &fleet.blocked);
    let mut held: Vec<(&str, Vec<&str>)> = Vec::new();
    for waiting in &fleet.waiting {
        match held.iter_mut().find(|(on, _)| *on == waiting.on) {
            Some((_, objects)) => objects.push(&waiting.object),
            None => held.push((&waiting.on, vec![&waiting.object])),
        }
    }
    if !held.is_empty() {
        page.gap();
    }
    for (on, objects) in held {
        let objects = fold::names(objects);
        let text = value::escaped(&format!("{objects}: for {on}"));
        page.entry(
            (2, "… waiting ".len()),
            &page.paint(Tone::Faint, "… waiting"),
            &text,
        );
    }
    notices::write(page, (Tone::Changed, "!", "warning"), &fleet.warnings);
}
