//! One fleet as its document says it, and the names and labels that the operator derives from it.

use serde_json::{Map, Value, json};

use crate::{Outcome, identity};

/// The shapes that made fleets take in turn.
const SHAPES: [(&str, &str); 5] = [
    ("hub", include_str!("../fleets/hub.yaml")),
    ("lagoon", include_str!("../fleets/lagoon.yaml")),
    ("atoll", include_str!("../fleets/atoll.yaml")),
    ("reef", include_str!("../fleets/reef.yaml")),
    ("kelp", include_str!("../fleets/kelp.yaml")),
];

/// Finds one shape by name, or all.
pub(crate) fn shapes(wanted: Option<&str>) -> Outcome<Vec<usize>> {
    let Some(wanted) = wanted else {
        return Ok((0..SHAPES.len()).collect());
    };
    let found = SHAPES.iter().position(|(name, _)| *name == wanted);
    Ok(vec![
        found.ok_or_else(|| format!("there is no shape `{wanted}`"))?,
    ])
}

/// The document of one of many fleets: a shape under a name of its own.
pub(crate) fn made(shape: usize, index: u32, count: u32, replicas: Option<u32>) -> String {
    let (name, text) = SHAPES[shape];
    let own = if count == 1 {
        name.to_owned()
    } else {
        format!("{name}-{index:04}")
    };
    let mut lines = Vec::new();
    for line in text.lines() {
        lines.push(match (line.trim_start().split_once(": "), replicas) {
            (Some(("replicas", _)), Some(replicas)) => format!("  replicas: {replicas}"),
            (Some(("name" | "app.kubernetes.io/name", value)), _) if value == name => {
                line.replace(name, &own)
            }
            (Some(("- name", value)), _) if value.starts_with(name) => line.replace(name, &own),
            _ if line.trim_start().starts_with(&format!("{name}-3:")) => line.replace(name, &own),
            _ => line.to_owned(),
        });
    }
    lines.join("\n") + "\n"
}

/// A fleet: its document, and what every object of it needs.
pub(crate) struct Fleet {
    /// The document, as the API server stores it.
    pub(crate) document: Value,
    /// metadata.name.
    pub(crate) name: String,
    /// metadata.namespace.
    pub(crate) namespace: String,
    /// The seed of all that looks random.
    pub(crate) seed: u64,
    /// The absolute ordinals.
    pub(crate) ordinals: Vec<u64>,
}

impl Fleet {
    /// Reads a document.
    pub(crate) fn parse(text: &str, seed: u64) -> Outcome<Self> {
        let document: Value = serde_saphyr::from_str(text)?;
        let metadata = document
            .get("metadata")
            .ok_or("a document without metadata")?;
        let text = |key: &str| metadata.get(key).and_then(Value::as_str).map(str::to_owned);
        let name = text("name").ok_or("a fleet without a name")?;
        let namespace = text("namespace").unwrap_or_else(|| "default".to_owned());
        let number = |path: &str| document.pointer(path).and_then(Value::as_u64).unwrap_or(0);
        let start = number("/spec/ordinals/start");
        let ordinals = (start..start + number("/spec/replicas")).collect();
        Ok(Self {
            document,
            name,
            namespace,
            seed,
            ordinals,
        })
    }

    /// A value of the spec.
    pub(crate) fn at(&self, path: &str) -> Option<&Value> {
        self.document
            .get("spec")?
            .pointer(path)
            .filter(|value| !value.is_null())
    }

    /// A text of the spec.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.at(path)?.as_str().filter(|text| !text.is_empty())
    }

    /// The items of a list of the spec.
    pub(crate) fn list(&self, path: &str) -> &[Value] {
        self.at(path)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    /// The entries of an object of the spec.
    pub(crate) fn map(&self, path: &str) -> Map<String, Value> {
        self.at(path)
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    }

    /// What the document says of one instance alone.
    pub(crate) fn own(&self, instance: &str, key: &str) -> Option<&Value> {
        self.at("/instanceOverrides")?.get(instance)?.get(key)
    }

    /// The name of an instance: of its pod and its ConfigMap.
    pub(crate) fn instance(&self, ordinal: u64) -> String {
        format!("{}-{ordinal}", self.name)
    }

    /// The name of an instance's claim.
    pub(crate) fn claim(&self, ordinal: u64) -> String {
        format!("pvc-{}-{ordinal}", self.name)
    }

    /// Whether these are sentries.
    pub(crate) fn is_sentry(&self) -> bool {
        self.text("/type") == Some("Sentry")
    }

    /// The port in a listen address of the config, or the usual one.
    pub(crate) fn port(&self, path: &str, usual: u32) -> u32 {
        let port = self.text(path).and_then(|address| address.rsplit_once(':'));
        port.and_then(|(_, port)| port.parse().ok())
            .unwrap_or(usual)
    }

    /// The port for peers.
    pub(crate) fn p2p_port(&self) -> u32 {
        self.port("/chain/config/p2pListenAddress", 26656)
    }

    /// The port for remote calls.
    pub(crate) fn rpc_port(&self) -> u32 {
        self.port("/chain/config/rpcListenAddress", 26657)
    }

    /// The service account of the pods.
    pub(crate) fn account(&self) -> String {
        self.text("/serviceAccountName")
            .map_or_else(|| format!("{}-vc-sa", self.name), str::to_owned)
    }

    /// The height that the cluster's nodes have reached.
    pub(crate) fn height(&self) -> u64 {
        21_438_000 + u64::from(identity::number(self.seed, &self.name, 900))
    }

    /// The image of the chain that suits the height.
    pub(crate) fn chain_image(&self, instance: &str) -> String {
        if let Some(image) = self.own(instance, "image").and_then(Value::as_str) {
            return image.to_owned();
        }
        let version = self.list("/chain/versions").iter().rev().find(|version| {
            version.get("height").and_then(Value::as_u64).unwrap_or(0) <= self.height()
        });
        let image = version
            .and_then(|version| version.get("image"))
            .and_then(Value::as_str);
        image
            .or_else(|| self.text("/podTemplate/image"))
            .unwrap_or("")
            .to_owned()
    }

    /// How many instances have an address outside the cluster.
    pub(crate) fn external(&self) -> usize {
        let wanted = self
            .at("/service/maxP2PExternalAddresses")
            .and_then(Value::as_u64);
        let wanted = usize::try_from(wanted.unwrap_or(1)).unwrap_or(usize::MAX);
        wanted.min(self.ordinals.len())
    }

    /// The ingress of the load balancer of the instance at this place, if it has one.
    ///
    /// Test networks get host names, as some clouds give; the others get addresses.
    pub(crate) fn ingress(&self, place: usize) -> Option<Value> {
        if place >= self.external() || self.text("/service/p2pTemplate/type").is_some() {
            return None;
        }
        let key = format!("lb/{}/{}/{place}", self.namespace, self.name);
        let low = identity::number(self.seed, &key, 200) + 20;
        if self.text("/chain/network") == Some("testnet") {
            return Some(json!({"hostname": format!("lb-{low}.lb.example.com")}));
        }
        Some(json!({"ip": format!("203.0.113.{low}"), "ipMode": "VIP"}))
    }

    /// The address at which an instance is reached from outside the cluster.
    pub(crate) fn address(&self, place: usize) -> Option<String> {
        let ingress = self.ingress(place)?;
        let host = ingress
            .get("ip")
            .or_else(|| ingress.get("hostname"))?
            .as_str()?;
        Some(format!("{host}:{}", self.p2p_port()))
    }

    /// The UID of an object of this fleet.
    pub(crate) fn uid(&self, kind: &str, name: &str) -> String {
        identity::uid(self.seed, &format!("{kind}/{}/{name}", self.namespace))
    }

    /// The labels that the operator gives to every object.
    pub(crate) fn labels(&self) -> Map<String, Value> {
        let mut labels = Map::new();
        let image = self.text("/podTemplate/image").unwrap_or("");
        let version = match image.split(':').collect::<Vec<_>>()[..] {
            [_, tag] => tag,
            _ => "latest",
        };
        let kind = if self.is_sentry() {
            "Sentry"
        } else {
            "FullNode"
        };
        for (key, value) in [
            ("app.kubernetes.io/created-by", "cosmos-operator"),
            ("app.kubernetes.io/component", "CosmosFullNode"),
            ("app.kubernetes.io/name", &self.name),
            ("app.kubernetes.io/version", version),
            (
                "cosmos.strange.love/network",
                self.text("/chain/network").unwrap_or(""),
            ),
            ("cosmos.strange.love/type", kind),
        ] {
            labels.insert(key.to_owned(), json!(value));
        }
        if let Some(own) = self
            .document
            .pointer("/metadata/labels")
            .and_then(Value::as_object)
        {
            labels.extend(own.clone());
        }
        labels
    }

    /// Metadata of an object: the operator's labels, its revision, ordinal and owner.
    pub(crate) fn metadata(&self, object: &mut Value, ordinal: u64) {
        let revision = identity::revision(&object.to_string());
        let kind = object["kind"].as_str().unwrap_or("").to_owned();
        let name = object["metadata"]["name"].as_str().unwrap_or("").to_owned();
        let metadata = &mut object["metadata"];
        metadata["namespace"] = json!(self.namespace);
        metadata["labels"]["app.kubernetes.io/revision"] = json!(revision);
        metadata["annotations"]["app.kubernetes.io/ordinal"] = json!(ordinal.to_string());
        metadata["creationTimestamp"] = json!(identity::time(60));
        metadata["uid"] = json!(self.uid(&kind, &name));
        let version = identity::number(self.seed, &format!("{kind}/{name}"), 80_000) + 18_000;
        metadata["resourceVersion"] = json!(version.to_string());
        metadata["ownerReferences"] = json!([{
            "apiVersion": "cosmos.strange.love/v1",
            "blockOwnerDeletion": true,
            "controller": true,
            "kind": "CosmosFullNode",
            "name": self.name,
            "uid": self.uid("CosmosFullNode", &self.name),
        }]);
    }
}
