//! One fleet with its facts, and what every builder derives from them: names, ports, the chain's
//! home. Knows nothing of single kinds.

use serde_json::{Map, Value, json};

use crate::desired::{Manifest, Role, labels, ports};
use crate::live::facts::Facts;
use crate::model::image::Image;
use crate::model::{Kind, ObjectKey, Ordinal, names};
use crate::spec::FullNode;
use crate::spec::document::{Chain, InstanceOverride, NodeType, Spec, StringMap};

/// The user's home in every container.
pub(crate) const HOME: &str = "/home/operator";

/// A fleet and the facts, and the names that follow from them.
pub(crate) struct Fleet<'a> {
    pub(crate) node: &'a FullNode,
    pub(crate) facts: &'a Facts,
    /// The image of this program for the checks beside the node; the reference's where there is none.
    pub(crate) helper_image: Option<&'a Image>,
    /// The document's name, cut to what names may hold.
    pub(crate) name: String,
    pub(crate) p2p_port: i32,
    pub(crate) rpc_port: i32,
    /// Where the chain lives in the containers.
    pub(crate) chain_home: String,
}

impl<'a> Fleet<'a> {
    pub(crate) fn new(node: &'a FullNode, facts: &'a Facts) -> Self {
        let comet = &node.spec.chain.config;
        Self {
            node,
            facts,
            helper_image: None,
            name: labels::to_name(&node.key.name),
            p2p_port: ports::of_address(&comet.p2p_listen_address, ports::P2P),
            rpc_port: ports::of_address(&comet.rpc_listen_address, ports::RPC),
            chain_home: chain_home(&node.spec.chain.home_dir),
        }
    }

    pub(crate) fn spec(&self) -> &'a Spec {
        &self.node.spec
    }

    pub(crate) fn chain(&self) -> &'a Chain {
        &self.node.spec.chain
    }

    pub(crate) fn namespace(&self) -> &'a str {
        &self.node.key.namespace
    }

    pub(crate) fn is_sentry(&self) -> bool {
        self.spec().node_type == Some(NodeType::Sentry)
    }

    /// Every ordinal of the fleet, in order.
    pub(crate) fn ordinals(&self) -> std::ops::Range<Ordinal> {
        let start = Ordinal::from(self.spec().ordinals.start);
        start..start + Ordinal::from(self.spec().replicas.max(0))
    }

    /// The name of an instance, which is that of its pod and ConfigMap too.
    pub(crate) fn instance(&self, ordinal: Ordinal) -> String {
        labels::to_name(&format!("{}-{ordinal}", self.name))
    }

    pub(crate) fn claim(&self, ordinal: Ordinal) -> String {
        labels::to_name(&format!("pvc-{}-{ordinal}", self.name))
    }

    pub(crate) fn p2p_service(&self, ordinal: Ordinal) -> String {
        format!("{}-p2p-{ordinal}", self.name)
    }

    pub(crate) fn privval_service(&self, ordinal: Ordinal) -> String {
        format!("{}-privval-{ordinal}", self.name)
    }

    pub(crate) fn rpc_service(&self) -> String {
        format!("{}-rpc", self.name)
    }

    /// The Secret with one node key an instance.
    pub(crate) fn key_secret(&self) -> String {
        names::key_secret(&self.node.key.name)
    }

    pub(crate) fn service_account(&self) -> String {
        match self.spec().service_account_name.as_str() {
            "" => format!("{}-vc-sa", self.node.key.name),
            own => own.to_owned(),
        }
    }

    pub(crate) fn instance_override(&self, name: &str) -> Option<&'a InstanceOverride> {
        self.spec().instance_overrides.get(name)
    }

    /// The key of one of the fleet's objects.
    pub(crate) fn key(&self, kind: Kind, name: &str) -> ObjectKey {
        ObjectKey {
            api_version: kind.api_version().to_owned(),
            kind,
            namespace: self.namespace().to_owned(),
            name: name.to_owned(),
        }
    }

    /// Makes a manifest of an object's own parts: type and metadata are added here.
    pub(crate) fn manifest(&self, role: Role, key: ObjectKey, made: Made) -> Manifest {
        let mut annotations = made.annotations;
        annotations.insert(names::FLEET.to_owned(), self.node.key.name.clone());
        let mut body = made.parts;
        body.insert("apiVersion".to_owned(), json!(key.api_version));
        body.insert("kind".to_owned(), json!(key.kind.as_str()));
        body.insert(
            "metadata".to_owned(),
            json!({
                "name": key.name,
                "namespace": key.namespace,
                "labels": made.labels,
                "annotations": annotations,
            }),
        );
        Manifest {
            key,
            role,
            ordinal: made.ordinal,
            body: Value::Object(body),
            pod: None,
        }
    }
}

/// What a builder makes of an object.
#[derive(Default)]
pub(crate) struct Made {
    pub(crate) ordinal: Option<Ordinal>,
    pub(crate) labels: StringMap,
    pub(crate) annotations: StringMap,
    /// All members beside type and metadata.
    pub(crate) parts: Map<String, Value>,
}

/// Collects named members of an object.
pub(crate) fn members<const N: usize>(parts: [(&str, Value); N]) -> Map<String, Value> {
    parts
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Reads a part of the specification as plain JSON.
pub(crate) fn plain<T: serde::Serialize>(part: &T) -> Value {
    serde_json::to_value(part).unwrap_or(Value::Null)
}

/// Joins the chain's home to the user's and resolves `.` and `..`, as the reference does.
fn chain_home(home_dir: &str) -> String {
    if home_dir.is_empty() {
        return format!("{HOME}/cosmos");
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in HOME.split('/').chain(home_dir.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Joins a name to a folder of [`chain_home`]'s making.
pub(crate) fn below(folder: &str, name: &str) -> String {
    format!("{}/{name}", folder.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::oracle_tests::table;

    #[track_caller]
    fn check(home_dir: &str, expected: &str) {
        assert_eq!(chain_home(home_dir), expected);
    }

    #[test]
    fn the_chains_home_is_below_the_users_unless_it_climbs_out() {
        check("", "/home/operator/cosmos");
        check(".gaia", "/home/operator/.gaia");
        check("/.gaia", "/home/operator/.gaia");
        check("a/../b", "/home/operator/b");
        check("../up", "/home/up");
        check("./x/", "/home/operator/x");
        check("a//b", "/home/operator/a/b");
        check("/", "/home/operator");
        check("../../../..", "/");
    }

    #[test]
    fn folders_are_those_of_the_reference() {
        for row in table("homedir") {
            let text = |member: &str| row[member].as_str().unwrap().to_owned();
            let home = chain_home(&text("homeDir"));
            assert_eq!(home, text("home"));
            assert_eq!(below(&home, "data"), text("data"));
            assert_eq!(below(&home, "config/genesis.json"), text("genesis"));
        }
    }

    #[test]
    fn files_in_the_root_have_one_slash() {
        assert_eq!(below("/", "data"), "/data");
        assert_eq!(below("/home/up", "data"), "/home/up/data");
    }
}
