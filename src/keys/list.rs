//! The identities of all instances, for people and for programs: who is who, where that is known
//! from, and what is missing. Public, all of it.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::pool::Holds;
use super::survey::{Fleet, Instance, Survey};
use crate::model::names;
use crate::render::{schema, visible};

/// The version of the form of what `keys list -o json` prints.
pub const FORMAT_VERSION: &str = "1.0";

/// What `keys list -o json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "NodeKeyList")]
pub struct Listing {
    /// Always `cosmos-render/v1`.
    #[schemars(extend("const" = "cosmos-render/v1"))]
    api_version: &'static str,
    /// Always `NodeKeyList`.
    #[schemars(extend("const" = "NodeKeyList"))]
    kind: &'static str,
    /// Minor versions add, major ones break.
    #[schemars(regex(pattern = r"^1\.[0-9]+$"))]
    format_version: &'static str,
    /// The fleets, sorted by namespace and name.
    fleets: Vec<FleetListing>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct FleetListing {
    namespace: String,
    name: String,
    /// The name of its Secret.
    secret: String,
    /// Whether the Secret was given, or the snapshot holds any: else keys in it are not known of.
    knows_secret: bool,
    instances: Vec<Row>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    /// Its ID; the one of its NodeIdentities where places disagree (`keys verify` tells).
    node_id: Option<String>,
    /// Where that is known from: `NodeIdentities`, `Secret`, `ConfigMap`.
    known_from: Vec<&'static str>,
    /// What it lacks: `NodeIdentities`, `Key`.
    missing: Vec<&'static str>,
    /// Where what should be its key is none: `Secret`, `ConfigMap`.
    broken: Vec<&'static str>,
    /// Whether its document asks for it.
    is_asked: bool,
    /// Whether it has another ID than its first.
    is_rotated: bool,
}

/// Returns the schema of what `keys list -o json` prints.
#[must_use]
pub fn schema() -> Value {
    schema::of::<Listing>(&format!("node-key-list:{FORMAT_VERSION}"))
}

/// Lists all fleets that are meant.
fn listing(survey: &Survey) -> Listing {
    Listing {
        api_version: "cosmos-render/v1",
        kind: "NodeKeyList",
        format_version: FORMAT_VERSION,
        fleets: survey.fleets.iter().map(of_fleet).collect(),
    }
}

fn of_fleet(fleet: &Fleet) -> FleetListing {
    FleetListing {
        namespace: fleet.key.namespace.clone(),
        name: fleet.key.name.clone(),
        secret: names::key_secret(&fleet.key.name),
        knows_secret: fleet.knows_secret,
        instances: fleet.instances.iter().map(|i| row(fleet, i)).collect(),
    }
}

fn row(fleet: &Fleet, instance: &Instance) -> Row {
    let is_key = |holds: &Option<Holds>| matches!(holds, Some(Holds::Key(_)));
    let sources = [
        ("NodeIdentities", instance.declared.is_some()),
        ("Secret", is_key(&instance.secret)),
        ("ConfigMap", is_key(&instance.config_map)),
    ];
    let has_key = is_key(&instance.secret) || is_key(&instance.config_map);
    let is_broken = |holds: &Option<Holds>| matches!(holds, Some(Holds::Broken(_)));
    let broken = [
        ("Secret", is_broken(&instance.secret)),
        ("ConfigMap", is_broken(&instance.config_map)),
    ];
    let mut missing = Vec::new();
    if instance.declared.is_none() {
        missing.push("NodeIdentities");
    }
    if !has_key && (fleet.knows_secret || instance.declared.is_none()) {
        missing.push("Key");
    }
    let mut held = [&instance.secret, &instance.config_map]
        .into_iter()
        .flatten();
    let id = instance.declared.as_ref().or_else(|| {
        held.find_map(|holds| match holds {
            Holds::Key(id) => Some(id),
            Holds::Broken(_) => None,
        })
    });
    Row {
        name: instance.name.clone(),
        node_id: id.map(ToString::to_string),
        known_from: sources
            .iter()
            .filter(|(_, is)| *is)
            .map(|(name, _)| *name)
            .collect(),
        missing,
        broken: broken
            .iter()
            .filter(|(_, is)| *is)
            .map(|(name, _)| *name)
            .collect(),
        is_asked: instance.is_asked,
        is_rotated: instance.is_rotated(),
    }
}

/// Lists identities for programs.
///
/// # Errors
/// Where a value has no form in JSON, which none of these lacks.
pub fn json(survey: &Survey) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(&listing(survey))?;
    text.push('\n');
    Ok(text)
}

/// Lists identities for people.
#[must_use]
pub fn text(survey: &Survey) -> String {
    let mut text = String::new();
    for (at, fleet) in listing(survey).fleets.iter().enumerate() {
        let gap = if at > 0 { "\n" } else { "" };
        let _ = writeln!(
            text,
            "{gap}Fleet {}/{}, Secret {}",
            fleet.namespace, fleet.name, fleet.secret
        );
        let widest = fleet.instances.iter().map(|row| row.name.len()).max();
        for row in &fleet.instances {
            let _ = writeln!(text, "  {}", line(row, fleet, widest.unwrap_or_default()));
        }
    }
    visible_lines(&text)
}

fn line(row: &Row, fleet: &FleetListing, widest: usize) -> String {
    const ID: usize = 40;
    let id = row.node_id.as_deref().unwrap_or("no ID");
    let name = &row.name;
    let mut words = match row.known_from.as_slice() {
        [] => String::new(),
        known => format!("known from {}", known.join(", ")),
    };
    let mut add = |more: &str| {
        if !words.is_empty() {
            words.push_str("; ");
        }
        words.push_str(more);
    };
    for place in &row.broken {
        add(&format!("BROKEN KEY in the {place}"));
    }
    if row.known_from.is_empty() && row.broken.is_empty() {
        add("no identity (`keys init` makes one)");
    } else if row.broken.is_empty() {
        for missing in &row.missing {
            match *missing {
                "Key" => add("NO KEY in the Secret"),
                _ => add("not in NodeIdentities (`keys import` adds it)"),
            }
        }
    }
    if !fleet.knows_secret && row.known_from == ["NodeIdentities"] {
        add("whether the Secret has its key was not given");
    }
    if row.is_rotated {
        add("rotated");
    }
    if !row.is_asked {
        add("not asked for now");
    }
    format!("{name:<widest$}  {id:<ID$}  {words}")
        .trim_end()
        .to_owned()
}

/// Escapes what would command a terminal, line by line.
fn visible_lines(text: &str) -> String {
    text.lines()
        .flat_map(|line| [visible(line), "\n".to_owned()])
        .collect()
}
