//! JSON texts of what `kubectl get -o json` prints, into [`Live`], borrowed from those texts.
//! Node keys are cut out here: behind this point nobody can print one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::{node_key, stamps};
use crate::diagnostic::{Diagnostic, Reported};
use crate::live::{Live, Machine, Meta, NodeKey, Object, Owner};
use crate::model::{Kind, names};
use crate::spread;

/// One item of a list may be so large: etcd holds no object above 1.5 MiB, and JSON with
/// indentation takes a few times as much (design.md, safety rule 15).
const MAX_ITEM: usize = 8 << 20;

/// So many Lists may lie inside each other; nobody prints more than two.
const MAX_LISTS: usize = 8;

/// One JSON document of a snapshot.
pub struct Text<'a> {
    /// The name of its source.
    pub source: &'a str,
    /// The JSON.
    pub json: Cow<'a, str>,
}

/// Shows the name and the size: the text may hold private keys.
impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, json } = self;
        write!(f, "Text({source:?}, {} bytes)", json.len())
    }
}

/// Reads all texts of a snapshot. An object that is there twice counts as its newest version.
#[must_use]
pub fn read<'a>(texts: &'a [Text<'a>]) -> Reported<Live<'a>> {
    let mut reader = Reader::default();
    for text in texts {
        reader.document(text);
    }
    reader.live.index();
    Reported {
        value: reader.live,
        diagnostics: reader.diagnostics,
    }
}

#[derive(Default)]
struct Reader<'a> {
    live: Live<'a>,
    diagnostics: Vec<Diagnostic>,
}

/// What a list is, or a single object: as little as tells them apart.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, default)]
    kind: Option<Text1<'a>>,
    #[serde(borrow, default, rename = "apiVersion")]
    api_version: Option<Text1<'a>>,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
}

/// Where an object was found: its text, how many Lists it lies in, and when the innermost that
/// says so was captured.
#[derive(Clone, Copy)]
struct Found<'t> {
    text: &'t Text<'t>,
    depth: usize,
    captured: Option<Timestamp>,
}

/// A string, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text1<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow, default)]
    api_version: Option<Text1<'a>>,
    #[serde(borrow, default)]
    kind: Option<Text1<'a>>,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    metadata: WireMeta<'a>,
    #[serde(borrow, default)]
    spec: Option<&'a RawValue>,
    #[serde(borrow, default)]
    status: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    string_data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    rules: Option<&'a RawValue>,
    #[serde(borrow, default)]
    subjects: Option<&'a RawValue>,
    #[serde(borrow, default)]
    role_ref: Option<&'a RawValue>,
    #[serde(borrow, default)]
    allow_volume_expansion: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reclaim_policy: Option<&'a RawValue>,
    #[serde(borrow, default)]
    volume_binding_mode: Option<&'a RawValue>,
    #[serde(borrow, default)]
    provisioner: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct WireMeta<'a> {
    #[serde(borrow, default)]
    name: Option<Text1<'a>>,
    #[serde(borrow, default)]
    namespace: Option<Text1<'a>>,
    #[serde(borrow, default)]
    uid: Option<Text1<'a>>,
    #[serde(borrow, default)]
    resource_version: Option<Text1<'a>>,
    #[serde(borrow, default)]
    creation_timestamp: Option<Text1<'a>>,
    #[serde(borrow, default)]
    deletion_timestamp: Option<Text1<'a>>,
    #[serde(borrow, default, deserialize_with = "string_map")]
    labels: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "string_map")]
    annotations: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    #[serde(borrow, default)]
    owner_references: Option<Vec<WireOwner<'a>>>,
    #[serde(borrow, default)]
    finalizers: Option<Vec<Text1<'a>>>,
    #[serde(default)]
    generation: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireOwner<'a> {
    #[serde(borrow, default)]
    api_version: Option<Text1<'a>>,
    #[serde(borrow)]
    kind: Text1<'a>,
    #[serde(borrow)]
    name: Text1<'a>,
    #[serde(default)]
    controller: bool,
}

impl<'a> Reader<'a> {
    fn document(&mut self, text: &'a Text<'a>) {
        match serde_json::from_str::<Head<'a>>(&text.json) {
            Err(error) => self.fault(text, "snapshot-not-readable", told(&error)),
            Ok(Head {
                kind,
                api_version,
                items: Some(items),
                metadata,
            }) => {
                let found = self.in_list(text, metadata);
                let item_kind = kind.as_ref().and_then(|k| k.0.strip_suffix("List"));
                self.live.listed.extend(item_kind.and_then(known));
                let of_list = item_kind.filter(|k| !k.is_empty()).map(|kind| {
                    (
                        kind.to_owned(),
                        api_version.map(|v| v.0.into_owned()).unwrap_or_default(),
                    )
                });
                let all = spread::map(&items, |raw| ready(raw.get(), of_list.as_ref()));
                for (raw, ready) in items.into_iter().zip(all) {
                    self.item(found, raw.get(), ready);
                }
            }
            Ok(Head {
                kind: Some(_),
                items: None,
                ..
            }) => {
                let found = Found {
                    text,
                    depth: 0,
                    captured: None,
                };
                self.item(found, &text.json, ready(&text.json, None));
            }
            Ok(Head {
                kind: None,
                items: None,
                ..
            }) => self.fault(
                text,
                "snapshot-not-readable",
                "this is neither a list nor an object of Kubernetes: it has no kind".to_owned(),
            ),
        }
    }

    /// Takes one object up.
    fn item(&mut self, found: Found<'_>, json: &'a str, ready: serde_json::Result<Ready<'a>>) {
        match ready {
            Err(error) => self.fault(found.text, "snapshot-not-readable", told(&error)),
            Ok(Ready::Object(object)) => self.live.insert(Object {
                version: (object.version.0, json.len()),
                captured: found.captured,
                ..*object
            }),
            Ok(Ready::Wire(wire)) => self.wire(found, json, *wire),
        }
    }

    /// Takes up what is no object of a kind that matters.
    fn wire(&mut self, found: Found<'_>, json: &'a str, mut wire: Wire<'a>) {
        let Found { text, depth, .. } = found;
        if let Some(items) = wire.items.take() {
            if depth >= MAX_LISTS {
                let message = format!("more than {MAX_LISTS} Lists inside each other");
                return self.fault(text, "snapshot-not-readable", message);
            }
            // a List among the items of a List, as `kubectl get` of several files prints
            let said = wire.metadata.annotations.get(names::CAPTURED_AT);
            let own = self.moment(text, stamps::said(said.map(AsRef::as_ref)));
            let of_list = wire.kind.as_ref().and_then(|k| k.0.strip_suffix("List"));
            self.live.listed.extend(of_list.and_then(known));
            let found = Found {
                depth: depth + 1,
                captured: own.or(found.captured),
                ..found
            };
            for raw in items {
                self.item(found, raw.get(), ready(raw.get(), None));
            }
            return;
        }
        if json.len() > MAX_ITEM {
            let size = json.len() >> 20;
            let message = format!("an object of {size} MiB: no API server holds one above 8 MiB");
            return self.fault(text, "snapshot-item-too-large", message);
        }
        let name = wire.kind.as_ref().map_or("", |kind| &kind.0);
        if let Some(kind) = known(name) {
            let message = format!("a {kind} without metadata.name");
            return self.fault(text, "snapshot-object-unnamed", message);
        }
        if is_status(&wire) {
            let message = "this is what an API server answers with where a request fails (a \
                           Status), and no snapshot: see its message, and capture again";
            return self.fault(text, "snapshot-not-readable", message.to_owned());
        }
        self.other(wire);
    }

    fn in_list<'t>(&mut self, text: &'t Text<'t>, metadata: Option<&RawValue>) -> Found<'t> {
        Found {
            text,
            depth: 0,
            captured: self.moment(text, stamps::captured(metadata)),
        }
    }

    /// Notes when a List was captured, where it says so.
    fn moment(
        &mut self,
        text: &Text<'_>,
        captured: Result<Option<Timestamp>, ()>,
    ) -> Option<Timestamp> {
        if captured == Err(()) {
            let message = format!("{} of a List is no time", names::CAPTURED_AT);
            let fault = Diagnostic::error("snapshot-time-not-readable", message)
                .at(text.source, "metadata.annotations")
                .hint("write it as 2026-03-02T08:30:00Z (`date -u +%FT%TZ`), or leave it out");
            self.diagnostics.push(fault);
        }
        let captured = captured.ok().flatten();
        self.live.captured = self.live.captured.into_iter().chain(captured).min();
        captured
    }

    /// Keeps the labels of a machine, and heartbeats; anything else is passed over.
    fn other(&mut self, wire: Wire<'a>) {
        let kind = wire.kind.as_ref().map_or("", |kind| &kind.0);
        let is_known = stamps::has_heartbeat(kind);
        let heartbeat = stamps::heartbeat(kind, (wire.spec, wire.status));
        self.live.heartbeat = self.live.heartbeat.max(heartbeat);
        let is = |text: Option<&Text1<'_>>, word: &str| text.is_some_and(|text| text.0 == word);
        let is_machine = is(wire.kind.as_ref(), "Node") && is(wire.api_version.as_ref(), "v1");
        let WireMeta { name, labels, .. } = wire.metadata;
        match name {
            Some(name) if is_machine => {
                self.live.machines.insert(name.0, Machine { labels });
            }
            Some(_) | None if is_known => {}
            Some(_) | None => self.live.passed_over += 1,
        }
    }

    fn fault(&mut self, text: &Text<'_>, code: &'static str, message: String) {
        let fault = Diagnostic::error(code, message)
            .at(text.source, "")
            .hint("a snapshot is what `kubectl get pods,pvc,cm,svc,... -o json` (or yaml) prints");
        self.diagnostics.push(fault);
    }
}

/// What an item comes to by itself.
enum Ready<'a> {
    /// An object of a kind that matters.
    Object(Box<Object<'a>>),
    /// Anything else: a List, another kind, or what is wrong with it.
    Wire(Box<Wire<'a>>),
}

/// Reads an item as far as that takes nothing but itself. One of a `PodList` has no kind of its own:
/// `of_list` gives it.
fn ready<'a>(json: &'a str, of_list: Option<&(String, String)>) -> serde_json::Result<Ready<'a>> {
    let mut wire: Wire<'a> = serde_json::from_str(json)?;
    if wire.kind.is_none()
        && let Some((kind, api_version)) = of_list
    {
        wire.kind = Some(Text1(Cow::Owned(kind.clone())));
        wire.api_version = Some(Text1(Cow::Owned(api_version.clone())));
    }
    let kind = wire.kind.as_ref().and_then(|kind| known(&kind.0));
    let is_object = wire.items.is_none() && json.len() <= MAX_ITEM && wire.metadata.name.is_some();
    Ok(match kind.filter(|_| is_object) {
        Some(kind) => Ready::Object(Box::new(object(kind, wire)?)),
        None => Ready::Wire(Box::new(wire)),
    })
}

/// Says what is wrong with a text. What serde says of a value of a wrong type quotes that value,
/// which may be a key: only where it stands is told.
fn told(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Data => format!(
            "a value that no API server would print there, at line {} column {} of its object",
            error.line(),
            error.column()
        ),
        Category::Io | Category::Syntax | Category::Eof => error.to_string(),
    }
}

pub(super) fn known(kind: &str) -> Option<Kind> {
    Some(match kind {
        "StorageClass" => Kind::StorageClass,
        "PersistentVolume" => Kind::PersistentVolume,
        "VolumeSnapshot" => Kind::VolumeSnapshot,
        "CosmosFullNode" => Kind::CosmosFullNode,
        "Secret" => Kind::Secret,
        "ServiceAccount" => Kind::ServiceAccount,
        "Role" => Kind::Role,
        "RoleBinding" => Kind::RoleBinding,
        "Service" => Kind::Service,
        "ConfigMap" => Kind::ConfigMap,
        "PersistentVolumeClaim" => Kind::PersistentVolumeClaim,
        "Pod" => Kind::Pod,
        _ => return None,
    })
}

fn object(kind: Kind, wire: Wire<'_>) -> serde_json::Result<Object<'_>> {
    let Wire {
        api_version,
        kind: _,
        metadata,
        spec,
        status,
        data,
        string_data,
        rules,
        subjects,
        role_ref,
        ..
    } = wire;
    let (data, node_keys) = match (kind, data) {
        (Kind::ConfigMap, Some(raw)) => config_data(raw)?,
        (Kind::Secret, raw) => (BTreeMap::new(), secret_keys(raw, string_data)?),
        _ => Default::default(),
    };
    let rest = [
        ("rules", rules),
        ("subjects", subjects),
        ("roleRef", role_ref),
        ("allowVolumeExpansion", wire.allow_volume_expansion),
        ("reclaimPolicy", wire.reclaim_policy),
        ("volumeBindingMode", wire.volume_binding_mode),
        ("provisioner", wire.provisioner),
    ];
    let is_secret = kind == Kind::Secret;
    let version = metadata
        .resource_version
        .as_ref()
        .and_then(|v| v.0.parse().ok())
        .unwrap_or(0);
    Ok(Object {
        api_version: api_version.map(|v| v.0).unwrap_or_default(),
        kind,
        meta: meta(kind, metadata),
        spec: spec.filter(|_| !is_secret),
        status: status.filter(|_| !is_secret),
        data,
        node_keys,
        rest: rest
            .into_iter()
            .filter_map(|(name, raw)| Some((name, raw?)))
            .collect(),
        version: (version, 0),
        captured: None,
    })
}

/// Tells whether this is an answer of the API server's, and no object.
fn is_status(wire: &Wire<'_>) -> bool {
    let is = |text: Option<&Text1<'_>>, word: &str| text.is_some_and(|text| text.0 == word);
    is(wire.kind.as_ref(), "Status") && is(wire.api_version.as_ref(), "v1")
}

fn meta(kind: Kind, wire: WireMeta<'_>) -> Meta<'_> {
    let owned_by = wire.owner_references.unwrap_or_default();
    Meta {
        name: wire.name.map(|n| n.0).unwrap_or_default(),
        namespace: match wire.namespace {
            Some(namespace) if !namespace.0.is_empty() => namespace.0,
            _ if !kind.is_namespaced() => Cow::Borrowed(""),
            _ => Cow::Borrowed("default"),
        },
        uid: wire.uid.map(|u| u.0).unwrap_or_default(),
        labels: wire.labels,
        annotations: wire.annotations,
        owners: owned_by
            .into_iter()
            .map(|owner| Owner {
                api_version: owner.api_version.map(|v| v.0).unwrap_or_default(),
                kind: owner.kind.0,
                name: owner.name.0,
                is_controller: owner.controller,
            })
            .collect(),
        created: wire.creation_timestamp.map(|t| t.0),
        deleted: wire.deletion_timestamp.map(|t| t.0),
        generation: wire.generation,
        finalizers: wire
            .finalizers
            .unwrap_or_default()
            .into_iter()
            .map(|f| f.0)
            .collect(),
    }
}

type Entries<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;
type NodeKeys<'a> = BTreeMap<Cow<'a, str>, NodeKey>;

/// Splits a ConfigMap's data into what may be seen and what its node key was.
fn config_data(raw: &RawValue) -> serde_json::Result<(Entries<'_>, NodeKeys<'_>)> {
    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
    let mut data: Entries<'_> = string_map(&mut deserializer)?;
    let mut keys = NodeKeys::new();
    data.retain(|name, text| {
        let is_key = node_key::is_key_entry(name, text);
        if is_key {
            keys.insert(name.clone(), node_key::identify(text));
        }
        !is_key
    });
    Ok((data, keys))
}

/// Reads which node keys a Secret holds; everything else in it stays unread. A manifest that was
/// never applied may have them as plain text, which wins as it does at an API server.
fn secret_keys<'a>(
    data: Option<&'a RawValue>,
    plain: Option<&'a RawValue>,
) -> serde_json::Result<NodeKeys<'a>> {
    let entries = |raw: Option<&'a RawValue>| match raw {
        Some(raw) => string_map(&mut serde_json::Deserializer::from_str(raw.get())),
        None => Ok(Entries::new()),
    };
    let mut keys: NodeKeys<'a> = entries(data)?
        .into_iter()
        .filter_map(|(name, text)| Some((name, node_key::identify_base64(&text)?)))
        .collect();
    let plain = entries(plain)?.into_iter();
    keys.extend(
        plain
            .filter(|(_, text)| node_key::is_key_entry("", text))
            .map(|(name, text)| {
                let key = node_key::identify(&text);
                (name, key)
            }),
    );
    Ok(keys)
}

/// Reads a map of strings without copying those that have no escapes. `null` is an empty map;
/// kubectl's copy of the last applied object is passed over: it is large, and may hold secrets.
fn string_map<'de, D>(deserializer: D) -> Result<Entries<'de>, D::Error>
where
    D: Deserializer<'de>,
{
    struct Strings;
    impl<'de> Visitor<'de> for Strings {
        type Value = Entries<'de>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map of strings")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(BTreeMap::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut entries = BTreeMap::new();
            while let Some(Text1(key)) = map.next_key()? {
                if key == names::LAST_APPLIED {
                    map.next_value::<IgnoredAny>()?;
                } else if let Some(Text1(value)) = map.next_value::<Option<Text1<'de>>>()? {
                    entries.insert(key, value);
                }
            }
            Ok(entries)
        }
    }
    deserializer.deserialize_any(Strings)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that no output may repeat.
    const KEY: &str = "c2VjcmV0LWJ5dGVzLW9mLWEta2V5";

    #[track_caller]
    fn check(json: &str, expected: &[&str]) {
        let texts = [Text {
            source: "live.json",
            json: Cow::Borrowed(json),
        }];
        let read = read(&texts);
        let codes: Vec<&str> = read.diagnostics.iter().map(|d| d.code).collect();
        assert_eq!(codes, expected, "{json}");
        let all = format!("{:?}{:?}", read.diagnostics, read.value);
        assert!(!all.contains(KEY), "{all}");
    }

    #[test]
    fn a_key_is_in_nothing_that_is_kept_or_told() {
        let config = |data: &str| {
            format!(r#"{{"kind":"ConfigMap","metadata":{{"name":"a"}},"data":{data}}}"#)
        };
        check(
            &config(&format!(
                r#"{{"node_key.json":"{{\"priv_key\":\"{KEY}\"}}"}}"#
            )),
            &[],
        );
        check(
            &config(&format!(r#"{{"other":"\"priv_key\" {KEY}"}}"#)),
            &[],
        );
        check(&config(&format!(r#""{KEY}""#)), &["snapshot-not-readable"]);
        check(
            &config(&format!(r#"{{"a":["{KEY}"]}}"#)),
            &["snapshot-not-readable"],
        );
        let secret = format!(
            r#"{{"kind":"Secret","metadata":{{"name":"a"}},"data":{{"a":"{KEY}"}},"stringData":{{"a":"{KEY}"}}}}"#
        );
        check(&secret, &[]);
    }

    #[test]
    fn an_item_of_a_typed_list_has_the_kind_of_the_list() {
        let json = r#"{"apiVersion":"v1","kind":"PodList","items":[{"metadata":{"name":"a"}}]}"#;
        let texts = [Text {
            source: "live.json",
            json: Cow::Borrowed(json),
        }];
        assert!(read(&texts).value.get(Kind::Pod, "default", "a").is_some());
    }

    #[test]
    fn an_empty_list_of_one_kind_tells_that_there_is_none() {
        let pods = r#"{"apiVersion":"v1","kind":"PodList","items":[]}"#;
        let any = r#"{"apiVersion":"v1","kind":"List","items":[]}"#;
        let nested = format!(r#"{{"apiVersion":"v1","kind":"List","items":[{pods}]}}"#);
        for (json, expected) in [(pods, true), (any, false), (nested.as_str(), true)] {
            let texts = [Text {
                source: "live.json",
                json: Cow::Borrowed(json),
            }];
            let live = read(&texts).value;
            assert_eq!(live.tells_of(Kind::Pod), expected, "{json}");
            assert!(!live.tells_of(Kind::ConfigMap), "{json}");
        }
    }

    #[test]
    fn what_is_no_object_is_a_fault() {
        check("[]", &["snapshot-not-readable"]);
        check("{}", &["snapshot-not-readable"]);
        check(r#"{"kind":"Pod"}"#, &["snapshot-object-unnamed"]);
        let failed = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","code":403}"#;
        check(failed, &["snapshot-not-readable"]);
        check(r#"{"kind":"Deployment"}"#, &[]);
    }
}
