//! What a comment must hold to whatever it is about.

use super::*;
use crate::model::Kind;
use crate::model::ObjectKey;
use crate::plan::{Action, Impact, Reason, Step, Summary, Wave};
use crate::review::{Due, Side, Standing};

fn due(name: &str, action: Action, impact: Impact) -> Due {
    let object = ObjectKey {
        api_version: "v1".to_owned(),
        kind: Kind::Pod,
        namespace: "chains".to_owned(),
        name: name.to_owned(),
    };
    Due {
        wave: 1,
        standing: Standing::New,
        causes: vec!["spec.podTemplate.image".to_owned()],
        size: None,
        step: Step {
            action,
            object,
            ordinal: None,
            impact,
            reasons: vec![Reason {
                code: "ImageChanged",
                message: "the image differs".to_owned(),
            }],
            changes: Vec::new(),
        },
    }
}

pub(in crate::render) fn sample(fleets: usize, long: usize) -> Review {
    let fleet = |number: usize| {
        // alternating, so that no two rows can be folded into one
        let steps = (0..10).map(|step| {
            let name = format!("{}-{number}-{}", "n".repeat(long), step * 7);
            let mut due = due(&name, Action::Replace, Impact::Restart);
            due.causes = vec![format!("spec.instanceOverrides.{name}")];
            due
        });
        FleetReview {
            namespace: "chains".to_owned(),
            name: format!("fleet-{number}"),
            waves: vec!["restart".to_owned()],
            steps: steps.collect(),
            ..FleetReview::default()
        }
    };
    Review {
        api_version: "cosmos-render/v1",
        kind: "Review",
        format_version: "1.0",
        base: Side::default(),
        head: Side::default(),
        inputs: crate::plan::Inputs::default(),
        summary: Summary {
            restart: fleets * 10,
            ..Summary::default()
        },
        pending: Summary::default(),
        delta: Delta::default(),
        warnings: Vec::new(),
        fleets: (0..fleets).map(fleet).collect(),
    }
}

/// Fences and folds that are opened are closed, and a table has no torn row.
#[track_caller]
fn check_whole(text: &str) {
    let fences = text.lines().filter(|line| line.starts_with("```")).count();
    assert_eq!(fences % 2, 0);
    let opened = text.lines().filter(|line| line.starts_with("<details>"));
    let closed = text.lines().filter(|line| *line == "</details>");
    assert_eq!(opened.count(), closed.count());
    let rows = text.lines().filter(|line| line.starts_with('|'));
    for row in rows {
        let bars = row.replace("\\|", "").matches('|').count();
        assert_eq!(bars, 6, "{row}");
    }
    assert!(text.starts_with(MARKER));
    assert!(text.ends_with('\n') && !text.ends_with("\n\n"));
}

#[test]
fn a_comment_never_outgrows_its_forge_and_is_never_torn() {
    for (fleets, long) in [(1, 3), (40, 3), (100, 3), (300, 3), (300, 200), (2000, 200)] {
        let text = review(&sample(fleets, long));
        assert!(text.len() <= MOST, "{fleets}: {}", text.len());
        check_whole(&text);
        assert!(text.contains(&format!("restarts {} nodes", fleets * 10)));
    }
}

#[test]
fn the_shorter_forms_leave_out_the_least_telling_first() {
    let has = |fleets: usize| {
        let text = review(&sample(fleets, 3));
        ["Every field", "<details>", "| What", "prints all"].map(|part| text.contains(part))
    };
    assert_eq!(has(1), [true, true, true, false]);
    assert_eq!(has(45), [false, true, true, false]);
    assert_eq!(has(60), [false, false, true, true]);
}

#[test]
fn names_from_outside_mean_nothing_in_markdown() {
    let mut hostile = sample(1, 1);
    let evil = "a`|</details>@org #1\u{1b}[31m";
    hostile.fleets[0].steps[0].step.object.name = evil.to_owned();
    hostile.fleets[0].steps[0].causes.clear();
    hostile.fleets[0].steps[0].step.reasons[0].message = format!("<img src=x> {evil} ![](x)");
    hostile.fleets[0].name = "<b>".to_owned();
    let text = review(&hostile);
    check_whole(&text);
    assert!(!text.contains('\u{1b}'));
    let (outside, _) = text.split_once("<details>").unwrap();
    assert!(outside.contains("\\<img src=x\\>"), "{outside}");
    assert!(!outside.replace('\\', "").contains("</details>") || outside.contains("\\</details"));
    assert!(text.contains("<summary>chains/&lt;b&gt;"));
}

#[test]
fn the_worst_stands_first() {
    let mut review = sample(1, 1);
    let mut lost = due("pvc-hub-1", Action::Delete, Impact::DataLoss);
    lost.size = Some("500Gi".to_owned());
    review.fleets[0].steps.push(lost);
    let text = super::review(&review);
    let mut rows = text.lines().filter(|line| line.starts_with("| "));
    assert!(rows.next().is_some_and(|head| head.starts_with("| What")));
    let first = rows.next().unwrap();
    assert!(
        first.contains("**data is lost**") && first.contains("`500Gi`"),
        "{first}"
    );
}

#[test]
fn a_wave_without_steps_has_none() {
    let review = sample(1, 1);
    let waves: Vec<Wave> = review.fleets[0].waves_of_the_change();
    assert_eq!(waves.len(), 1);
    assert_eq!(waves[0].steps.len(), 10);
}
