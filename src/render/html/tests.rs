//! What a page must hold to whatever it is about.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::model::{Kind, Notice, ObjectKey};
use crate::plan::{Action, Change, Effect, Impact, Inputs, Reason, Step, Summary, Wave};
use crate::render::text::tests::sample;

const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\"'&\u{202e}\u{2066}\u{7}<!--";

fn step(name: &str, changes: Vec<Change>) -> Step {
    Step {
        action: Action::Replace,
        object: ObjectKey {
            api_version: "v1".to_owned(),
            kind: Kind::Pod,
            namespace: "chains".to_owned(),
            name: name.to_owned(),
        },
        ordinal: None,
        impact: Impact::Restart,
        reasons: vec![Reason {
            code: "ImageChanged",
            message: format!("another image is asked for: {HOSTILE}"),
        }],
        changes,
    }
}

fn image(to: &str) -> Change {
    Change {
        path: "spec.containers[name=node].image".to_owned(),
        from: Some(json!("gaia:v1")),
        to: Some(json!(to)),
        effect: Effect::Restart,
    }
}

fn of_waves(waves: Vec<Wave>) -> Plan {
    let restart = waves.iter().map(|wave| wave.steps.len()).sum();
    Plan {
        summary: Summary {
            restart,
            ..Summary::default()
        },
        fleets: vec![FleetPlan {
            namespace: "chains".to_owned(),
            name: "hub".to_owned(),
            waves,
            ..FleetPlan::default()
        }],
        warnings: Vec::new(),
        inputs: Inputs::default(),
        ..sample()
    }
}

fn wave(steps: Vec<Step>) -> Wave {
    Wave {
        title: "Restart".to_owned(),
        steps,
        gate: Vec::new(),
    }
}

/// What stands between the first `from` and the next `to`.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap();
    rest.split_once(to).unwrap().0
}

/// Nothing from outside is an element, and nothing acts on the direction of text.
#[track_caller]
fn check_tame(page: &str) {
    let body = between(page, "</style>", "<script>");
    assert!(!body.contains("<img") && !body.contains("<!--"), "{body}");
    assert!(!body.contains("</script"), "{body}");
    let hidden = |c: char| {
        c != '\n'
            && (c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    };
    assert!(!page.contains(hidden));
    assert_eq!(page.matches("<script>").count(), 1);
}

#[test]
fn what_comes_from_outside_is_text_wherever_it_stands() {
    let mut change = image(HOSTILE);
    change.path = format!("spec.{HOSTILE}");
    let lines = Change {
        path: "data[a]".to_owned(),
        from: Some(json!("a\nb\n")),
        to: Some(json!(format!("a\n{HOSTILE}\n"))),
        effect: Effect::InPlace,
    };
    let mut plan = of_waves(vec![wave(vec![step(HOSTILE, vec![change, lines])])]);
    let fleet = &mut plan.fleets[0];
    (fleet.namespace, fleet.name) = (HOSTILE.to_owned(), HOSTILE.to_owned());
    fleet.waves[0].title = HOSTILE.to_owned();
    let mut notice = Notice::general("X", HOSTILE);
    notice.allow = Some(HOSTILE.to_owned());
    notice.detail = Some(HOSTILE.to_owned());
    fleet.warnings = vec![notice.clone()];
    fleet.blocked = vec![notice];
    let page = super::plan(&plan);
    check_tame(&page);
    assert!(page.contains("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"));
    let mut review = crate::render::markdown::tests::sample(1, 1);
    review.base.name = HOSTILE.to_owned();
    review.head.commit = Some(HOSTILE.to_owned());
    review.fleets[0].file = Some(HOSTILE.to_owned());
    review.fleets[0].steps[0].causes = vec![HOSTILE.to_owned()];
    check_tame(&super::review(&review));
}

#[test]
fn a_page_asks_nobody_and_runs_its_own_script_alone() {
    let page = super::plan(&sample());
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\"");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    for (name, opening, closing) in [
        ("style-src", "<style>", "</style>"),
        ("script-src", "<script>", "</script>"),
    ] {
        let text = between(&page, opening, closing);
        let hash = crate::model::digest::sha256_in_base64(text.as_bytes());
        assert!(
            policy.contains(&format!("{name} 'sha256-{hash}'")),
            "{name}"
        );
    }
    for word in [
        "http://",
        "https://",
        "url(",
        "@import",
        " style=\"",
        " src=\"",
    ] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn the_verdict_is_the_first_thing_that_is_read() {
    let page = super::plan(&of_waves(vec![wave(vec![step(
        "hub-0",
        vec![image("gaia:v2")],
    )])]));
    assert_eq!(
        between(&page, "<h1>", "</h1>"),
        "Carrying this plan out restarts 1 node"
    );
    assert_eq!(
        between(&page, "<title>", "</title>"),
        "Carrying this plan out restarts 1 node"
    );
    let mut lossy = of_waves(Vec::new());
    lossy.summary.data_loss = 2;
    let page = super::plan(&lossy);
    assert!(
        page.contains("<h1>Carrying this plan out <strong>loses data</strong> in 2 places</h1>")
    );
}

#[test]
fn a_page_says_where_there_is_nothing_to_do() {
    let page = super::plan(&of_waves(Vec::new()));
    assert!(page.contains("<h1>No changes. The cluster is as the specs ask.</h1>"));
    assert!(page.contains("There is nothing to do."));
    assert!(page.contains("chains/hub"));
    let mut same = crate::render::markdown::tests::sample(0, 1);
    same.summary = Summary::default();
    assert!(super::review(&same).contains("<h1>No changes. Both ask for the same.</h1>"));
}

#[test]
fn what_no_change_brings_about_stands_apart() {
    let mut review = crate::render::markdown::tests::sample(1, 1);
    for (place, due) in (1..).zip(review.fleets[0].steps.iter_mut().skip(1)) {
        due.standing = crate::review::Standing::Pending;
        due.step.ordinal = Some(place);
    }
    review.pending.restart = 9;
    let page = super::review(&review);
    assert!(page.contains("and 9 steps that are due in any case"));
    assert!(page.contains("due whether or not it is merged: 9 restarts"));
    assert_eq!(page.matches("due in any case</li>").count(), 1);
}

#[test]
fn what_is_the_same_is_said_once_and_what_is_not_is_no_further_than_a_fold() {
    let own = |name: &str| Change {
        path: "spec.nodeName".to_owned(),
        from: Some(json!("a")),
        to: Some(json!(name)),
        effect: Effect::InPlace,
    };
    let of = |name: &str| step(name, vec![image("gaia:v2"), own(name)]);
    let together = super::plan(&of_waves(vec![wave(vec![of("hub-0"), of("hub-1")])]));
    assert_eq!(together.matches("<ins>gaia:v2</ins>").count(), 1);
    assert!(together.contains("<summary>Pod/hub-1: 1 field of its own</summary>"));
    let later = super::plan(&of_waves(vec![
        wave(vec![of("hub-0")]),
        wave(vec![of("hub-1")]),
    ]));
    assert!(
        later.contains("<a href=\"#fleet-1-1\">Pod/hub-0 in wave 1</a>"),
        "{later}"
    );
    assert!(later.contains("<summary>1 field of its own</summary>"));
    assert!(later.contains("<ins>hub-1</ins>"));
}

#[test]
fn thousands_of_instances_come_to_a_page_that_a_browser_can_show() {
    let names: Vec<String> = (0..5000).map(|n| format!("hub-{n}")).collect();
    let mut waves = Vec::new();
    for batch in names.chunks(5) {
        let steps = batch.iter().enumerate().map(|(at, name)| Step {
            ordinal: Some(i64::try_from(at).unwrap()),
            ..step(name, vec![image("gaia:v2")])
        });
        waves.push(wave(steps.collect()));
    }
    let page = super::plan(&of_waves(waves));
    assert!(page.len() < 3_000_000, "{}", page.len());
    let is_apart = |c: char| !c.is_alphanumeric() && c != '-';
    let words: BTreeSet<&str> = page.split(is_apart).collect();
    let left_out = names.iter().find(|name| !words.contains(name.as_str()));
    assert_eq!(left_out, None);
}

#[test]
fn what_differs_in_nothing_but_its_wave_is_one_row_of_what_is_risky() {
    let waves = (0..6).map(|n| wave(vec![step(&format!("hub-{n}"), vec![image("gaia:v2")])]));
    let page = super::plan(&of_waves(waves.collect()));
    let table = between(&page, "id=\"risks\"", "</table>");
    assert_eq!(table.matches("<tr").count(), 2, "{table}");
    assert!(table.contains("Pod/hub-0 to hub-5"), "{table}");
    assert!(table.contains("1 to 6 of 6"), "{table}");
}
