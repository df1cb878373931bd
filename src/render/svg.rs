//! What came of a simulation, as a picture: for each fleet how many nodes were in sync over time, and
//! below it what each pod went through. No script, no font and no colour is needed to read it: each
//! state has its own pattern, and every bar says what it is.

mod axis;
mod canvas;
mod capacity;
mod lanes;
mod legend;

use crate::timeline::estimates::time;
use crate::timeline::{Course, Simulation};

use axis::Axis;
use canvas::{Canvas, Rect};

/// How wide the picture is.
const WIDTH: i64 = 1000;
/// Where time begins, from the left.
const LEFT: i64 = 170;
/// Where it ends.
const RIGHT: i64 = WIDTH - 30;
/// The distance between a picture's edge and what it shows.
const MARGIN: i64 = 24;
/// The distance between the lines of a text.
const LINE: i64 = 18;

/// The colours, for light and dark surroundings. The picture has its own ground, so that it can be
/// read wherever it is put. (No variables: many programs that show pictures do not know them.)
const STYLE: &str = "\
svg{font:13px system-ui,sans-serif}text{fill:#1c2128}.ground{fill:#ffffff}\
.small{font-size:11px}.head{font-size:15px;font-weight:600}\
text.faint{fill:#5f6773}text.trouble{fill:#b02a2a}\
.rule{stroke:#d5dae1;stroke-width:1}\
.curve{fill:none;stroke:#2f7d5b;stroke-width:2}.area{fill:#2f7d5b;fill-opacity:.15}\
.floor{stroke:#b02a2a;stroke-width:1.5;stroke-dasharray:5 4}\
.in-sync{fill:#2f7d5b}.works{fill:#b7791f}.fails{fill:#b02a2a}\
.edged{stroke:#5f6773;stroke-width:.5}\
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.ground{fill:#161b22}\
text.faint{fill:#9aa4b1}text.trouble{fill:#f07070}.rule{stroke:#343c47}\
.curve{stroke:#56b98a}.area{fill:#56b98a}.floor{stroke:#f07070}\
.in-sync{fill:#56b98a}.works{fill:#e0a94a}.fails{fill:#f07070}.edged{stroke:#9aa4b1}}";

/// Returns what came of a simulation as an SVG.
#[must_use]
pub fn simulation(simulation: &Simulation) -> String {
    let mut body = Canvas::default();
    let mut y = MARGIN + LINE;
    body.text((MARGIN, y), "head", &super::visible(&summary(simulation)));
    for breach in &simulation.breaches {
        y += LINE;
        let text = format!(
            "breach after {} in {}: {}",
            time(breach.at),
            breach.fleet,
            breach.message
        );
        y = body.lines((MARGIN, y), "trouble", &super::visible(&text));
    }
    // a little more than all, so that the end is seen
    let all_time = simulation.duration.max(1) + simulation.duration / 30;
    for fleet in &simulation.fleets {
        y = draw_fleet(&mut body, fleet, (y + 2 * LINE, all_time));
    }
    y = legend::draw(&mut body, y + 2 * LINE);
    let height = y + MARGIN;
    let mut page = Canvas::default();
    let about = (summary(simulation), description(simulation));
    page.svg((WIDTH, height), (&about.0, &about.1), |page| {
        page.style(STYLE);
        legend::patterns(page);
        let ground = Rect {
            x: 0,
            y: 0,
            width: WIDTH,
            height,
        };
        page.rect(ground, "ground", None);
        page.append(&body);
    });
    page.finish()
}

fn summary(simulation: &Simulation) -> String {
    let end = simulation.end();
    let restarts = match simulation.restarts.len() {
        1 => "1 restart".to_owned(),
        n => format!("{n} restarts"),
    };
    format!(
        "Rollout: {end} after {}, {restarts}",
        time(simulation.duration)
    )
}

/// Says the picture in words.
fn description(simulation: &Simulation) -> String {
    let fleets = simulation.fleets.iter().map(|fleet| {
        let stuck = fleet.stuck.as_ref();
        let stuck = stuck.map(|stuck| format!(" It {}.", stuck.reason));
        format!(
            "{}: {} of {} in sync at the least, {} restarts, {}.{}",
            fleet.fleet,
            fleet.min_in_sync,
            fleet.instances,
            fleet.restarts.len(),
            time(fleet.duration),
            stuck.unwrap_or_default()
        )
    });
    super::visible(&fleets.collect::<Vec<_>>().join(" "))
}

/// Draws a fleet from a height on. Returns the height at which it ends.
fn draw_fleet(canvas: &mut Canvas, fleet: &Course, (top, all_time): (i64, i64)) -> i64 {
    let axis = Axis::new(all_time, (LEFT, RIGHT));
    let head = format!(
        "{}: {}, {} may be away at a time",
        fleet.fleet,
        match fleet.instances {
            1 => "1 instance".to_owned(),
            n => format!("{n} instances"),
        },
        fleet.budget
    );
    canvas.text((MARGIN, top), "head", &super::visible(&head));
    let mut y = top;
    if let Some(stuck) = &fleet.stuck {
        y += LINE;
        let text = format!("stuck after {}: {}", time(stuck.at), stuck.reason);
        y = canvas.lines((MARGIN, y), "trouble", &super::visible(&text));
    }
    for away in fleet.away.iter().filter(|_| fleet.stuck.is_none()) {
        y += LINE;
        let text = format!("{} is not in sync in the end: {}", away.pod, away.why);
        y = canvas.lines((MARGIN, y), "trouble", &super::visible(&text));
    }
    y = capacity::draw(canvas, fleet, (&axis, y + LINE));
    y = lanes::draw(canvas, fleet, (&axis, y + LINE / 2));
    axis.draw(canvas, y)
}
