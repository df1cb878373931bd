//! What controllers write of nodes into a document's status: what their RPC says, and how far they
//! are. Written when somebody looks, which comes to the same as now and then.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::fleet;
use super::objects::put;
use super::pod::{Pod, Stage};
use super::world::World;
use crate::model::{FleetKey, Source};

impl World {
    /// Returns the cluster as `kubectl get -o json` prints it now.
    pub(super) fn capture(&mut self) -> Source {
        let now = self.clock.stamp();
        let mut mains: BTreeMap<FleetKey, Vec<(String, Pod)>> = BTreeMap::new();
        for ((namespace, name), pod) in self.pods.iter().filter(|(_, pod)| pod.is_main) {
            let id = ("Pod".to_owned(), namespace.clone(), name.clone());
            let claimed = self.objects.get(&id).and_then(fleet::claimed);
            if let Some(claimed) = claimed {
                let key = FleetKey {
                    namespace: namespace.clone(),
                    name: claimed.to_owned(),
                };
                mains
                    .entry(key)
                    .or_default()
                    .push((name.clone(), pod.clone()));
            }
        }
        let mut written = Vec::new();
        for ((_, namespace, name), document) in self.objects.of_kind("CosmosFullNode") {
            let key = FleetKey {
                namespace: namespace.clone(),
                name: name.clone(),
            };
            let pods = mains.remove(&key).unwrap_or_default();
            let status = &document["status"];
            if status["sync"].is_object() {
                written.push((key.clone(), "sync", self.sync(&pods, &now)));
            }
            let heights = self.heights(&pods, &status["height"]);
            if let Some(heights) = heights.filter(|_| status.is_object()) {
                written.push((key, "height", heights));
            }
        }
        for (key, part, value) in written {
            let id = ("CosmosFullNode".to_owned(), key.namespace, key.name);
            if let Some(document) = self.objects.get_mut(&id) {
                put(document, &["status", part], value);
            }
        }
        self.objects.source()
    }

    /// What RPC says of each pod.
    fn sync(&self, pods: &[(String, Pod)], now: &str) -> Value {
        let entries = pods.iter().map(|(name, pod)| {
            let mut entry = json!({"timestamp": now});
            let answers = matches!(pod.stage, Stage::CatchingUp | Stage::InSync);
            if answers {
                put(&mut entry, &["inSync"], json!(pod.stage == Stage::InSync));
                if let Some(height) = self.committed(pod) {
                    put(&mut entry, &["height"], json!(height));
                }
            } else {
                put(&mut entry, &["error"], json!("connection refused"));
            }
            (name.clone(), entry)
        });
        Value::Object(entries.collect())
    }

    /// Which block each node works on: nothing where nobody writes that.
    fn heights(&self, pods: &[(String, Pod)], before: &Value) -> Option<Value> {
        let is_written = before.is_object();
        let mut heights: Map<String, Value> = before.as_object().cloned().unwrap_or_default();
        let has_versions = pods.iter().any(|(_, pod)| {
            let fleet = pod.fleet.as_ref().and_then(|key| self.fleets.get(key));
            let chain = fleet.and_then(|fleet| fleet.chain.as_ref());
            chain.is_some_and(super::chain::Chain::has_versions)
        });
        if !is_written && !has_versions {
            return None;
        }
        for (name, pod) in pods {
            if let Some(committed) = self.committed(pod) {
                heights.insert(name.clone(), json!(committed.saturating_add(1)));
            }
        }
        Some(Value::Object(heights))
    }

    /// Returns the last block that a pod's node has committed.
    fn committed(&self, pod: &Pod) -> Option<u64> {
        let fleet = pod.fleet.as_ref()?;
        let chain = self.fleets.get(fleet)?.chain.as_ref()?;
        let known = chain.committed(&pod.instance);
        if pod.stage != Stage::InSync || pod.is_leaving {
            return known;
        }
        let image = self.images.get(&(fleet.clone(), pod.instance.clone()));
        let known = known.unwrap_or_default();
        let halt = image.and_then(|image| chain.next_halt(image, known));
        let most = halt.map_or(u64::MAX, |height| height.saturating_sub(1));
        Some(chain.head(self.clock.now()).min(most).max(known))
    }
}
