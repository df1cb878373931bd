//! What a pod takes up when it restarts, in a reviewer's words: peers and download addresses by
//! name, and what comes from this program alone in one phrase. Knows nothing of steps. A change is
//! summed up only where the change itself tells what it is; all others stay single.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::names;
use crate::plan::{Change, Effect};
use crate::render::value;

use super::peers;

/// How many characters of an address are shown on either side of an arrow.
const URL_WIDTH: usize = 44;

/// Changes, parted by how they are told.
#[derive(Debug, Default)]
pub(in crate::render) struct Topics<'a> {
    /// Those that are written field by field.
    pub(in crate::render) single: Vec<&'a Change>,
    /// What the owner knows by name, a line each.
    pub(in crate::render) named: Vec<String>,
    /// What comes from this program alone, in one phrase.
    pub(in crate::render) own: Option<String>,
}

/// What a change is about.
enum Topic {
    Url(String),
    Script,
    ConfigSource,
    HelperImage,
    HelperCommand,
    Single,
}

/// Parts changes by what they are about. Only what waits for a restart is ever summed up.
pub(in crate::render) fn part<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Topics<'a> {
    let (mut peers, mut others) = (Vec::new(), Vec::new());
    for change in changes {
        let is_summed = change.effect == Effect::NextRestart && peers::is_list(change);
        if is_summed {
            peers.push(change);
        } else {
            others.push(change);
        }
    }
    let mut topics = Topics {
        named: peers::phrases(&peers),
        ..Topics::default()
    };
    let (mut scripts, mut sources, mut images, mut commands) = (0, 0, 0, 0);
    for change in others {
        match topic(change) {
            Topic::Single => topics.single.push(change),
            Topic::Url(phrase) => topics.named.push(phrase),
            Topic::Script => scripts += 1,
            Topic::ConfigSource => sources += 1,
            Topic::HelperImage => images += 1,
            Topic::HelperCommand => commands += 1,
        }
    }
    let phrases = [
        (scripts, "cosmos-render's own init scripts"),
        (sources, "the source of vol-config"),
        (images, "helper images"),
        (commands, "the commands of helpers"),
    ];
    let phrases = phrases.iter().filter(|(count, _)| *count > 0);
    let phrases: Vec<String> = phrases
        .map(|(count, what)| format!("{what} ({})", fields(*count)))
        .collect();
    topics.own = (!phrases.is_empty()).then(|| phrases.join(", "));
    topics
}

/// Returns a count of fields in words.
pub(super) fn fields(count: usize) -> String {
    match count {
        1 => "1 field".to_owned(),
        n => format!("{n} fields"),
    }
}

fn topic(change: &Change) -> Topic {
    if change.effect != Effect::NextRestart {
        return Topic::Single;
    }
    if change.path.starts_with("spec.volumes[name=vol-config]") {
        return Topic::ConfigSource;
    }
    match own_container(&change.path) {
        Some((_, "image")) => Topic::HelperImage,
        Some((name, "command")) if is_check(name) => Topic::HelperCommand,
        Some((_, "command")) => Topic::Script,
        Some((name, "args")) => of_args(name, change),
        Some(("snapshot-restore", "")) => of_whole(change),
        Some(_) | None => Topic::Single,
    }
}

/// Returns a container of the program's own, and which field of it a path names.
fn own_container(path: &str) -> Option<(&str, &str)> {
    let rest = path
        .strip_prefix("spec.initContainers[name=")
        .or_else(|| path.strip_prefix("spec.containers[name="))?;
    let (name, field) = rest.split_once(']')?;
    let is_own = names::OWN_INIT_CONTAINERS.contains(&name) || names::OWN_SIDECARS.contains(&name);
    is_own.then_some((name, field.trim_start_matches('.')))
}

/// The checks run a program, not a script of ours.
fn is_check(name: &str) -> bool {
    name == "version-check" || names::OWN_SIDECARS.contains(&name)
}

fn of_args(name: &str, change: &Change) -> Topic {
    let (from, to) = (words(change.from.as_ref()), words(change.to.as_ref()));
    if let Some(phrase) = url_phrase(name, &from, &to) {
        return Topic::Url(phrase);
    }
    // Both in the program's own form, with other arguments: somebody asked for those.
    let is_ours = |words: &[&str]| words.get(2) == Some(&name);
    if is_ours(&from) && is_ours(&to) && from.get(3..) != to.get(3..) {
        return Topic::Single;
    }
    Topic::Script
}

fn of_whole(change: &Change) -> Topic {
    let args = |side: &Option<Value>| side.as_ref().and_then(|s| s.get("args").cloned());
    let (from, to) = (args(&change.from), args(&change.to));
    let phrase = url_phrase(
        "snapshot-restore",
        &words(from.as_ref()),
        &words(to.as_ref()),
    );
    phrase.map_or(Topic::Single, Topic::Url)
}

fn url_phrase(name: &str, from: &[&str], to: &[&str]) -> Option<String> {
    let what = match name {
        "snapshot-restore" => "snapshot URL",
        "genesis-init" => "genesis URL",
        "addrbook-init" => "address book URL",
        _ => return None,
    };
    let (from, to) = (urls(from), urls(to));
    if from == to {
        return None;
    }
    let joined = |urls: BTreeSet<&str>| {
        if urls.is_empty() {
            "(none)".to_owned()
        } else {
            urls.into_iter().collect::<Vec<_>>().join(" ")
        }
    };
    let (from, to) = value::cut_pair(&joined(from), &joined(to), URL_WIDTH);
    let phrase = format!("{what}: {from} -> {to}");
    Some(value::escaped(&phrase))
}

fn urls<'a>(words: &[&'a str]) -> BTreeSet<&'a str> {
    let is_url = |word: &&&str| word.contains("://") && !word.contains(char::is_whitespace);
    words.iter().filter(is_url).copied().collect()
}

fn words(value: Option<&Value>) -> Vec<&str> {
    let list = value.and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(path: &str, from: Value, to: Value) -> Change {
        let some = |v: Value| (!v.is_null()).then_some(v);
        Change {
            path: path.to_owned(),
            from: some(from),
            to: some(to),
            effect: Effect::NextRestart,
        }
    }

    /// What is named, what is summed up, and the paths that stay single.
    #[track_caller]
    fn check(changes: &[Change], named: &[&str], own: Option<&str>, single: &[&str]) {
        let topics = part(changes);
        assert_eq!(topics.named, named);
        assert_eq!(topics.own.as_deref(), own);
        let paths: Vec<&str> = topics.single.iter().map(|c| c.path.as_str()).collect();
        assert_eq!(paths, single);
    }

    fn args(name: &str, from: Value, to: Value) -> Change {
        change(&format!("spec.initContainers[name={name}].args"), from, to)
    }

    #[test]
    fn what_comes_from_the_program_alone_is_one_phrase() {
        let changes = [
            args(
                "clean-init",
                json!(["-c", "old"]),
                json!(["-c", "new", "clean-init"]),
            ),
            args(
                "chain-init",
                json!(["-c", "old"]),
                json!(["-c", "new", "chain-init", "hub-0"]),
            ),
            change(
                "spec.volumes[name=vol-config].projected",
                json!(null),
                json!({}),
            ),
            change(
                "spec.containers[name=healthcheck].image",
                json!("a:1"),
                json!("a:2"),
            ),
        ];
        let own = "cosmos-render's own init scripts (2 fields), the source of vol-config (1 field), \
                   helper images (1 field)";
        check(&changes, &[], Some(own), &[]);
    }

    #[test]
    fn another_snapshot_url_is_named_though_the_script_is_another_too() {
        let from = json!(["-c", "old", "-s", "https://a.example/1.tar"]);
        let to = json!(["-c", "new", "snapshot-restore", "https://a.example/2.tar"]);
        let phrase = "snapshot URL: https://a.example/1.tar -> https://a.example/2.tar";
        check(
            &[args("snapshot-restore", from, to.clone())],
            &[phrase],
            None,
            &[],
        );
        let path = "spec.initContainers[name=snapshot-restore]";
        let whole = change(path, json!(null), json!({ "args": to }));
        let phrase = "snapshot URL: (none) -> https://a.example/2.tar";
        check(&[whole], &[phrase], None, &[]);
    }

    #[test]
    fn arguments_that_somebody_asked_for_stay_single() {
        let from = json!(["-c", "script", "chain-init", "--home", "a"]);
        let to = json!(["-c", "script", "chain-init", "--home", "b"]);
        let path = "spec.initContainers[name=chain-init].args";
        check(&[args("chain-init", from, to)], &[], None, &[path]);
    }

    #[test]
    fn what_restarts_is_never_summed_up() {
        let mut forcing = args("clean-init", json!([]), json!(["x"]));
        forcing.effect = Effect::Restart;
        let path = forcing.path.clone();
        check(&[forcing], &[], None, &[&path]);
    }

    #[test]
    fn other_fields_stay_single() {
        let path = "spec.containers[name=node].env[name=COSMOS_RENDER_X]";
        check(&[change(path, json!(null), json!("1"))], &[], None, &[path]);
    }
}
