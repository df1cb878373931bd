//! The entries of Secrets and the node keys of ConfigMaps, with their bytes, as far as commands
//! are asked to write them down again. Everything else of a snapshot is read by `parse`, which
//! cuts keys out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use zeroize::{Zeroize as _, Zeroizing};

use super::key;
use super::unquote::unquote;
use crate::model::{NodeId, Source, names};
use crate::parse::node_key::Broken;
use crate::parse::snapshot::Text;

/// Inputs whose bytes are wiped when nobody needs them any more.
#[derive(Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// Takes the inputs over.
    #[must_use]
    pub fn new(sources: Vec<Source>) -> Self {
        Self(sources)
    }

    /// Adds inputs.
    pub fn extend(&mut self, sources: Vec<Source>) {
        self.0.extend(sources);
    }

    /// Returns the inputs.
    #[must_use]
    pub fn all(&self) -> &[Source] {
        &self.0
    }
}

impl Drop for Sources {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|source| source.bytes.zeroize());
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|s| &s.name))
            .finish()
    }
}

/// JSON texts, of which those that were made of YAML are wiped.
pub(super) struct Texts<'a>(pub(super) Vec<Text<'a>>);

impl Drop for Texts<'_> {
    fn drop(&mut self) {
        for text in &mut self.0 {
            if let Cow::Owned(json) = &mut text.json {
                json.zeroize();
            }
        }
    }
}

/// What an entry holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holds {
    /// A sound key with this ID.
    Key(NodeId),
    /// What should be a key and is none.
    Broken(Broken),
}

/// One entry: its bytes as they were, and what they are.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) holds: Holds,
}

impl Entry {
    pub(super) fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        let holds = match key::identify(&bytes) {
            Ok(id) => Holds::Key(id),
            Err(broken) => Holds::Broken(broken),
        };
        Self { bytes, holds }
    }

    pub(super) fn id(&self) -> Option<&NodeId> {
        match &self.holds {
            Holds::Key(id) => Some(id),
            Holds::Broken(_) => None,
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.holds.fmt(f)
    }
}

/// Names an object: its namespace and its name.
pub(super) type Name = (String, String);

/// A Secret as it was found.
#[derive(Debug)]
pub(super) struct Secret {
    /// The input that it was found in.
    pub(super) source: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) kind: Option<String>,
    /// Whether `sops` has encrypted it.
    pub(super) is_encrypted: bool,
    pub(super) entries: BTreeMap<String, Entry>,
}

/// All Secrets and the node keys of all ConfigMaps.
#[derive(Debug, Default)]
pub(super) struct Pool {
    /// Secrets in the order of the inputs: there may be several of one name.
    pub(super) secrets: Vec<(Name, Secret)>,
    /// `node_key.json` of ConfigMaps, several where there are several copies.
    pub(super) config_maps: BTreeMap<Name, Vec<Entry>>,
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    metadata: Meta<'a>,
    #[serde(borrow, default)]
    data: Option<Members<'a>>,
    #[serde(borrow, default, rename = "stringData")]
    string_data: Option<Members<'a>>,
    #[serde(default, rename = "type")]
    of_type: Option<String>,
    #[serde(default)]
    sops: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
struct Meta<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    namespace: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    labels: Option<Members<'a>>,
    #[serde(borrow, default)]
    annotations: Option<Members<'a>>,
}

type Members<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

impl Pool {
    /// Reads all texts. What cannot be read is told by `parse`, which reads the same texts.
    pub(super) fn read(texts: &[Text<'_>], unnamed: &str) -> Self {
        let mut pool = Self::default();
        for text in texts {
            pool.object((&text.json, text.source), unnamed, None, 0);
        }
        pool
    }

    /// Reads an object, or the items of a list; those of a `SecretList` have no kind of their own.
    /// What names no namespace is in the one given.
    fn object(
        &mut self,
        (json, source): (&str, &str),
        unnamed: &str,
        of_list: Option<&str>,
        depth: usize,
    ) {
        const MAX_LISTS: usize = 9;
        let Ok(wire) = serde_json::from_str::<Wire<'_>>(json) else {
            return;
        };
        let kind = wire.kind.as_deref().or(of_list).unwrap_or_default();
        if let Some(items) = &wire.items {
            let of_list = kind.strip_suffix("List").filter(|kind| !kind.is_empty());
            for item in items.iter().filter(|_| depth < MAX_LISTS) {
                self.object((item.get(), source), unnamed, of_list, depth + 1);
            }
            return;
        }
        let namespace = wire.metadata.namespace.as_deref();
        let namespace = namespace.filter(|namespace| !namespace.is_empty());
        let name = (
            namespace.unwrap_or(unnamed).to_owned(),
            wire.metadata.name.clone().into_owned(),
        );
        match kind {
            "Secret" => self.secrets.push((name, secret(&wire, source))),
            "ConfigMap" => {
                let key = wire
                    .data
                    .as_ref()
                    .and_then(|data| data.get("node_key.json"));
                let bytes = key.and_then(|raw| unquote(raw.get()));
                let entry = bytes.map(Entry::new);
                self.config_maps.entry(name).or_default().extend(entry);
            }
            _ => {}
        }
    }
}

fn secret(wire: &Wire<'_>, source: &str) -> Secret {
    let mut entries = BTreeMap::new();
    for (name, raw) in wire.data.iter().flatten() {
        let bytes = unquote(raw.get()).and_then(|text| decode(&text));
        // what is no base64 no API server takes: it stands for itself, and is no key
        let bytes = bytes.or_else(|| unquote(raw.get())).unwrap_or_default();
        entries.insert(name.clone().into_owned(), Entry::new(bytes));
    }
    for (name, raw) in wire.string_data.iter().flatten() {
        let bytes = unquote(raw.get()).unwrap_or_default();
        entries.insert(name.clone().into_owned(), Entry::new(bytes));
    }
    Secret {
        source: source.to_owned(),
        labels: strings(wire.metadata.labels.as_ref()),
        annotations: strings(wire.metadata.annotations.as_ref()),
        kind: wire.of_type.clone(),
        is_encrypted: wire.sops.is_some(),
        entries,
    }
}

/// Reads labels and annotations, without kubectl's copy of the whole Secret.
fn strings(members: Option<&Members<'_>>) -> BTreeMap<String, String> {
    let members = members.into_iter().flatten();
    members
        .filter(|(name, _)| *name != names::LAST_APPLIED)
        .filter_map(|(name, raw)| {
            let value = serde_json::from_str(raw.get()).ok()?;
            Some((name.clone().into_owned(), value))
        })
        .collect()
}

fn decode(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; text.len().div_ceil(4) * 3]);
    let length = STANDARD.decode_slice(text, bytes.as_mut_slice()).ok()?;
    bytes.truncate(length);
    Some(bytes)
}
