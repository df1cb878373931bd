//! How full the volumes of a fleet's pods are, asked of the container `healthcheck` of each.

use std::net::IpAddr;
use std::time::Duration;

use form_urlencoded::Serializer;
use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

use crate::comet;
use crate::duties::growth::Usage;
use crate::model::quantity::Amount;

/// Who does not answer in this time does not answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The container that is asked, its port, and the volume that it sees.
const CONTAINER: &str = "healthcheck";
const PORT: u16 = 1251;
const VOLUME: &str = "vol-chain-home";

/// A pod that can be asked, and its claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pod: String,
    claim: String,
    address: IpAddr,
    port: u16,
    folder: String,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    error: String,
    #[serde(default)]
    all_bytes: u64,
    #[serde(default)]
    free_bytes: u64,
}

/// Returns the claim of a pod's data.
pub(super) fn claim_of(pod: &Value) -> Option<&str> {
    let mut volumes = pod["spec"]["volumes"].as_array()?.iter();
    let volume = volumes.find(|volume| volume["name"] == VOLUME)?;
    volume["persistentVolumeClaim"]["claimName"].as_str()
}

impl Asked {
    /// Reads a pod. It need not be ready: a node whose disk is full is not. The address of one that has
    /// ended, or goes, may be another's by now.
    pub(super) fn read(pod: &Value) -> Option<Self> {
        let is_leaving = pod["metadata"]["deletionTimestamp"].is_string();
        if is_leaving || pod["status"]["phase"] != "Running" {
            return None;
        }
        let mut containers = pod["spec"]["containers"].as_array()?.iter();
        let container = containers.find(|one| one["name"] == CONTAINER)?;
        let mut mounts = container["volumeMounts"].as_array()?.iter();
        let mount = mounts.find(|one| one["name"] == VOLUME)?;
        let mut ports = container["ports"].as_array().into_iter().flatten();
        let port = ports.find_map(|one| one["containerPort"].as_u64());
        Some(Self {
            pod: pod["metadata"]["name"].as_str()?.to_owned(),
            claim: claim_of(pod)?.to_owned(),
            address: pod["status"]["podIP"].as_str()?.parse().ok()?,
            port: port.and_then(|port| port.try_into().ok()).unwrap_or(PORT),
            folder: mount["mountPath"].as_str()?.to_owned(),
        })
    }

    async fn ask(&self) -> Result<(u64, u64), String> {
        let query = Serializer::new(String::new())
            .append_pair("dir", &self.folder)
            .finish();
        let page = format!("/disk?{query}");
        let host = self.address.to_string();
        let answer = timeout(PATIENCE, comet::get(&host, self.port, &page)).await;
        let answer = answer.map_err(|_| "it does not answer".to_owned())??;
        let answer: Answer = serde_json::from_slice(&answer)
            .map_err(|_| "it answers what no health check would".to_owned())?;
        if !answer.error.is_empty() {
            return Err(answer.error);
        }
        if answer.all_bytes == 0 {
            return Err("it says that the volume has no bytes at all".to_owned());
        }
        Ok((answer.all_bytes, answer.free_bytes))
    }
}

/// Asks all pods at once. Claims whose capacity nobody knows are left out.
pub(super) async fn ask(
    pods: &[Asked],
    capacity: impl Fn(&str) -> Option<Amount>,
) -> (Vec<Usage>, Vec<String>) {
    let answers = join_all(pods.iter().map(Asked::ask)).await;
    let (mut usages, mut silent) = (Vec::new(), Vec::new());
    for (pod, answer) in pods.iter().zip(answers) {
        match answer {
            Ok((all, free)) => usages.extend(capacity(&pod.claim).map(|capacity| Usage {
                claim: pod.claim.clone(),
                capacity,
                all,
                free,
            })),
            Err(why) => silent.push(format!("{}: {why}", pod.pod)),
        }
    }
    (usages, silent)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_is_asked_where_its_health_check_listens() {
        let pod = json!({
            "metadata": {"name": "hub-0"},
            "spec": {
                "containers": [
                    {"name": "node"},
                    {
                        "name": "healthcheck",
                        "ports": [{"containerPort": 1251}],
                        "volumeMounts": [{"name": "vol-chain-home", "mountPath": "/home/operator/.gaia"}],
                    },
                ],
                "volumes": [{"name": "vol-chain-home", "persistentVolumeClaim": {"claimName": "pvc-hub-0"}}],
            },
            "status": {"podIP": "10.0.0.7", "phase": "Running"},
        });
        let expected = Asked {
            pod: "hub-0".to_owned(),
            claim: "pvc-hub-0".to_owned(),
            address: [10, 0, 0, 7].into(),
            port: 1251,
            folder: "/home/operator/.gaia".to_owned(),
        };
        assert_eq!(Asked::read(&pod), Some(expected));
        let mut unborn = pod.clone();
        unborn["status"] = json!({"phase": "Running"});
        assert_eq!(Asked::read(&unborn), None);
        let mut ended = pod.clone();
        ended["status"]["phase"] = json!("Failed");
        assert_eq!(Asked::read(&ended), None);
    }
}
