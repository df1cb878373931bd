//! What a kubelet reports of a pod that runs well, and what the operator reports of a fleet.

use serde_json::{Map, Value, json};

use crate::config::Mesh;
use crate::fleet::Fleet;
use crate::identity;

/// The status of a pod that is ready.
pub(crate) fn of_pod(pod: &Value, seed: u64) -> Value {
    let name = pod["metadata"]["name"].as_str().unwrap_or("");
    let at = identity::time(75);
    let condition = |kind: &str| {
        json!({
            "lastProbeTime": null, "lastTransitionTime": at, "observedGeneration": 1,
            "status": "True", "type": kind,
        })
    };
    let kinds = [
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ];
    let address = |key: &str, network: &str| {
        let number = |part: &str| identity::number(seed, &format!("{key}/{part}/{name}"), 250) + 2;
        format!("{network}.{}.{}", number("high"), number("low"))
    };
    let ip = address("pod", "10.42");
    let worker = pod["spec"]["nodeName"].as_str().unwrap_or("");
    let host = format!("172.20.0.{}", identity::number(seed, worker, 250) + 2);
    let mut status = json!({
        "conditions": kinds.map(condition),
        "containerStatuses": containers(&pod["spec"]["containers"], name, false),
        "hostIP": host,
        "hostIPs": [{"ip": host}],
        "observedGeneration": 1,
        "phase": "Running",
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "qosClass": quality(&pod["spec"]),
        "startTime": identity::time(64),
    });
    if pod["spec"]["initContainers"].is_array() {
        status["initContainerStatuses"] = containers(&pod["spec"]["initContainers"], name, true);
    }
    status
}

fn quality(spec: &Value) -> &'static str {
    let asks = |container: &Value| {
        container["resources"]
            .as_object()
            .is_some_and(|resources| !resources.is_empty())
    };
    let any = |list: &str| {
        spec[list]
            .as_array()
            .is_some_and(|all| all.iter().any(asks))
    };
    if any("containers") || any("initContainers") {
        "Burstable"
    } else {
        "BestEffort"
    }
}

fn containers(list: &Value, pod: &str, is_over: bool) -> Value {
    let mut all: Vec<&Value> = list.as_array().into_iter().flatten().collect();
    if !is_over {
        all.sort_by_key(|container| container["name"].as_str());
    }
    let one = |container: &&Value| {
        let name = container["name"].as_str().unwrap_or("");
        let image = container["image"].as_str().unwrap_or("");
        let repository = image
            .rsplit_once(':')
            .map_or(image, |(repository, _)| repository);
        let id = format!(
            "containerd://{}",
            identity::digest(&format!("{pod}/{name}"))
        );
        let state = if is_over {
            json!({"terminated": {
                "containerID": id, "exitCode": 0, "finishedAt": identity::time(68),
                "reason": "Completed", "startedAt": identity::time(67),
            }})
        } else {
            json!({"running": {"startedAt": identity::time(70)}})
        };
        json!({
            "containerID": id, "image": image,
            "imageID": format!("{repository}@sha256:{}", identity::digest(image)),
            "lastState": {}, "name": name, "ready": true, "restartCount": 0,
            "started": !is_over, "state": state,
        })
    };
    all.iter().map(one).collect()
}

/// The status of a fleet whose instances are all in sync.
pub(crate) fn of_fleet(fleet: &Fleet, mesh: &Mesh) -> Value {
    let mut height = Map::new();
    let mut sync = Map::new();
    let mut names = Vec::new();
    for ordinal in &fleet.ordinals {
        names.push(fleet.instance(*ordinal));
        for template in fleet.list("/additionalVersionedPods") {
            let name = template.get("name").and_then(Value::as_str).unwrap_or("");
            names.push(format!("{name}-{ordinal}"));
        }
    }
    let is_off = |name: &String| {
        fleet
            .own(name, "disable")
            .is_some_and(|value| !value.is_null())
    };
    for name in names.into_iter().filter(|name| !is_off(name)) {
        let seen = json!({
            "height": fleet.height(), "inSync": true, "timestamp": identity::time(1800),
        });
        height.insert(name.clone(), json!(fleet.height()));
        sync.insert(name, seen);
    }
    json!({
        "height": height, "observedGeneration": 1, "peers": mesh.status(fleet),
        "phase": "Complete", "selfHealing": {}, "sync": sync,
    })
}
