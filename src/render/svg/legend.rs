//! How each state looks, and what it is called. Every state has a pattern of its own beside its
//! colour.

use super::canvas::{Canvas, Rect};
use super::{LINE, MARGIN};
use crate::timeline::State;

/// The states that have a bar, in the order in which a pod goes through them.
const STATES: [State; 7] = [
    State::Stopping,
    State::Waiting,
    State::Starting,
    State::CatchingUp,
    State::InSync,
    State::Halted,
    State::Down,
];

/// Returns the class of a state's bars.
pub(super) fn class(state: State) -> &'static str {
    match state {
        State::Absent => "absent",
        State::Stopping => "edged stopping",
        State::Waiting => "edged waiting",
        State::Starting => "edged starting",
        State::CatchingUp => "edged catching-up",
        State::InSync => "in-sync",
        State::Halted => "edged halted",
        State::Down => "edged down",
    }
}

/// Returns what a state is called.
pub(super) fn word(state: State) -> &'static str {
    match state {
        State::Absent => "absent",
        State::Stopping => "stopping",
        State::Waiting => "waiting",
        State::Starting => "starting",
        State::CatchingUp => "catching up",
        State::InSync => "in sync",
        State::Halted => "halted",
        State::Down => "down",
    }
}

/// The patterns: a name, the class of its colour, and what is drawn in a square of eight.
const PATTERNS: [(&str, &str, &str); 6] = [
    ("stopping", "works", "M0 0h8v3h-8z"),
    ("waiting", "works", "M3 3h2v2h-2z"),
    ("starting", "works", "M0 6L6 0h2v0L0 8zM6 8L8 6v2z"),
    ("catching-up", "works", "M0 0h5v8h-5z"),
    ("halted", "fails", "M0 0h8v2h-8zM0 0h2v8h-2z"),
    ("down", "fails", "M0 0L8 8V6L2 0zM8 0L0 8h2L8 2z"),
];

/// Defines the patterns.
pub(super) fn patterns(canvas: &mut Canvas) {
    canvas.around("defs", &[], |canvas| {
        for (name, colour, path) in PATTERNS {
            let attributes = [
                ("id", name),
                ("width", "8"),
                ("height", "8"),
                ("patternUnits", "userSpaceOnUse"),
            ];
            canvas.around("pattern", &attributes, |canvas| {
                canvas.path(colour, path);
            });
        }
    });
    let fills = PATTERNS.map(|(name, _, _)| format!(".{name}{{fill:url(#{name})}}"));
    canvas.style(&fills.concat());
}

/// Draws the legend from a height on. Returns the height at which it ends.
pub(super) fn draw(canvas: &mut Canvas, y: i64) -> i64 {
    let mut x = MARGIN;
    for state in STATES {
        let rect = Rect {
            x,
            y: y - 11,
            width: 26,
            height: 14,
        };
        canvas.rect(rect, class(state), None);
        canvas.text((x + 32, y), "small", word(state));
        x += 120;
    }
    let floor = format!("M{MARGIN} {}h26", y + LINE - 4);
    canvas.path("floor", &floor);
    let about = "how many its budget keeps in sync";
    canvas.text((MARGIN + 32, y + LINE), "small", about);
    y + LINE
}
