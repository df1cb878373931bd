//! Whether a pod runs the version that its node's height asks for. The height is what the node says; where
//! it says nothing, the highest of what was recorded: in the document, and in the note that the Cosmos SDK
//! leaves where a node halts for an upgrade. Where nobody knows it, all is well: unknown is not zero.

use std::time::Duration;

use kube::core::params::{GetParams, Patch};
use kube::{Client, Error};
use serde_json::{Value, json};
use tokio::sync::watch as signal;
use tokio::time::{sleep, timeout};

use super::Rpc;
use crate::apply::cluster::refusal;
use crate::apply::resources::Place;
use crate::apply::step::as_manager;
use crate::comet::{self, Said};
use crate::desired::versions::reached_at;
use crate::model::{Kind, names};
use crate::spec::document::ChainVersion;

/// How often the node is asked, where the check goes on.
const EVERY: Duration = Duration::from_secs(30);
/// The API server is asked at each so manieth look while the node runs.
const SELDOM: u32 = 10;
/// How long a node has to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The container that runs the node.
const NODE: &str = "node";

/// The pod that is checked, and where its node answers.
pub struct Subject {
    /// The API server.
    pub client: Client,
    /// The pod's namespace.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// Where the node answers.
    pub rpc: Rpc,
    /// Reads the height of the upgrade that the node halted for, where it left a note of one.
    pub noted: Box<dyn Fn() -> Option<u64> + Send + Sync>,
}

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The pod is as it should be; why that is known, or why nobody can tell.
    Well(String),
    /// The pod runs another version than its height asks for.
    Wrong(String),
}

/// What is known of a pod.
#[derive(Debug)]
struct Known {
    fleet: String,
    api_version: String,
    image: Option<String>,
    versions: Vec<ChainVersion>,
    /// Whether the owner chose this instance's image by itself.
    is_chosen: bool,
    /// The height that is recorded.
    recorded: Option<u64>,
    /// Whether anybody wrote of the fleet before.
    has_status: bool,
}

/// Checks a pod before its node starts.
///
/// # Errors
/// Says why it cannot be found out.
pub async fn once(subject: &Subject) -> Result<Verdict, String> {
    let Some(known) = known(subject).await? else {
        return Ok(nothing("there is no CosmosFullNode of its name"));
    };
    check(subject, &known, (subject.noted)()).await
}

/// Checks a pod again and again, until it is told to stop or something is wrong.
///
/// # Errors
/// Says what cannot be found out from the start.
pub async fn again(subject: &Subject, mut stop: signal::Receiver<bool>) -> Result<Verdict, String> {
    let mut seen: Option<u64> = None;
    let mut looks: u32 = 0;
    loop {
        tokio::select! {
            () = sleep(EVERY) => {}
            _ = stop.wait_for(|stop| *stop) => return Ok(nothing("told to stop")),
        }
        let said = timeout(PATIENCE, comet::status(&subject.rpc.host, subject.rpc.port)).await;
        let answered = match said {
            Ok(Ok(Said::Status { height, .. })) if height > 0 => Some(height.saturating_add(1)),
            Ok(Ok(Said::Status { .. } | Said::Nothing(_)) | Err(_)) | Err(_) => None,
        };
        seen = seen.max(answered);
        looks = looks.wrapping_add(1);
        // of a node that runs there is seldom news
        if answered.is_some() && looks % SELDOM != 1 {
            continue;
        }
        let known = match known(subject).await {
            Ok(Some(known)) => known,
            Ok(None) => continue,
            // the API server may be away for a while: the node is not
            Err(why) => {
                tracing::warn!("{why}");
                continue;
            }
        };
        if answered.is_some() {
            let due = |height: Option<u64>| {
                height.map(|height| reached_at(&known.versions, height).map(|one| one.height))
            };
            // one that runs is nobody's to stop; whoever plans must know of the next version
            if due(known.recorded) != due(seen)
                && let Err(why) = record(subject, &known, seen).await
            {
                tracing::warn!("{why}");
            }
            continue;
        }
        let height = seen.max((subject.noted)());
        match check(subject, &known, height).await {
            Ok(Verdict::Well(_)) => {}
            Ok(wrong @ Verdict::Wrong(_)) => return Ok(wrong),
            Err(why) => tracing::warn!("{why}"),
        }
    }
}

/// Compares the image with what the height asks for, and records the height where it is news.
async fn check(subject: &Subject, known: &Known, height: Option<u64>) -> Result<Verdict, String> {
    if known.versions.is_empty() {
        return Ok(nothing("the document declares no versions"));
    }
    let height = height.max(known.recorded);
    record(subject, known, height).await?;
    Ok(judge(known, height))
}

fn judge(known: &Known, height: Option<u64>) -> Verdict {
    let Some(height) = height else {
        return nothing("nobody knows its height yet");
    };
    let Some(image) = &known.image else {
        return nothing("the pod has no container `node`");
    };
    if known.is_chosen {
        return nothing("the document chooses the image of this instance by itself");
    }
    match reached_at(&known.versions, height) {
        None => nothing("its height is below that of every version"),
        Some(version) if version.image == *image => {
            Verdict::Well(format!("{image} is the version for height {height}"))
        }
        // as plans see it: what is newer may have written the data, and nothing older comes unasked
        Some(_) if is_ahead(&known.versions, image, height) => {
            nothing("the pod runs a version above its height")
        }
        Some(version) => Verdict::Wrong(format!(
            "height {height} asks for {}, and the pod runs {image}",
            version.image
        )),
    }
}

/// Tells whether an image is that of a version above a height, and of none that is reached.
fn is_ahead(versions: &[ChainVersion], image: &str, height: u64) -> bool {
    let of_image = versions.iter().filter(|version| version.image == image);
    let heights = of_image.map(|version| u64::try_from(version.height).unwrap_or_default());
    let heights: Vec<u64> = heights.collect();
    !heights.is_empty() && heights.iter().all(|from| *from > height)
}

fn nothing(why: &str) -> Verdict {
    Verdict::Well(format!("nothing to check: {why}"))
}

/// Writes the height down, where it is higher than what is recorded.
async fn record(subject: &Subject, known: &Known, height: Option<u64>) -> Result<(), String> {
    let Some(height) = height.filter(|height| Some(*height) > known.recorded) else {
        return Ok(());
    };
    let mut status = json!({"status": {"height": {&subject.pod: height}}});
    // the definition wants both, and nobody may have written them yet
    if !known.has_status {
        status["status"]["observedGeneration"] = json!(0);
        status["status"]["phase"] = json!("");
    }
    let place = Place::of(Kind::CosmosFullNode, &known.api_version);
    let requests = place.requests(Some(&subject.namespace));
    let patch = Patch::Merge(status);
    let request = requests
        .patch_subresource("status", &known.fleet, &as_manager(), &patch)
        .map_err(|error| refusal(&Error::BuildRequest(error)))?;
    let written = subject.client.request::<Value>(request).await;
    written
        .map(|_| ())
        .map_err(|error| format!("the height cannot be recorded: {}", refusal(&error)))
}

/// Finds out what is known of a pod; nothing where its fleet has no document.
async fn known(subject: &Subject) -> Result<Option<Known>, String> {
    let pod = get(subject, &Place::known(Kind::Pod), &subject.pod).await?;
    let pod = pod.ok_or_else(|| format!("there is no pod {}", subject.pod))?;
    let owners = pod["metadata"]["ownerReferences"].as_array();
    let mut owners = owners.into_iter().flatten();
    let owner = owners.find(|owner| owner["kind"] == Kind::CosmosFullNode.as_str());
    let fleet = owner.and_then(|owner| owner["name"].as_str());
    // a label may hold less than a name
    let metadata = &pod["metadata"];
    let fleet = fleet.or_else(|| metadata["annotations"][names::FLEET].as_str());
    let fleet = fleet.or_else(|| metadata["labels"][names::NAME].as_str());
    let fleet = fleet.unwrap_or_default().to_owned();
    let api_version = owner.and_then(|owner| owner["apiVersion"].as_str());
    let api_version = api_version.unwrap_or(Kind::CosmosFullNode.api_version());
    let place = Place::of(Kind::CosmosFullNode, api_version);
    let Some(document) = get(subject, &place, &fleet).await? else {
        return Ok(None);
    };
    Ok(Some(read(&document, &pod, (fleet, api_version))))
}

fn read(document: &Value, pod: &Value, (fleet, api_version): (String, &str)) -> Known {
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    let containers = pod["spec"]["containers"].as_array();
    let mut containers = containers.into_iter().flatten();
    let node = containers.find(|container| container["name"] == NODE);
    let own = &document["spec"]["instanceOverrides"][name]["image"];
    let versions = document["spec"]["chain"]["versions"].clone();
    Known {
        image: node.and_then(|node| node["image"].as_str().map(str::to_owned)),
        versions: serde_json::from_value(versions).unwrap_or_default(),
        is_chosen: own.as_str().is_some_and(|image| !image.is_empty()),
        recorded: document["status"]["height"][name].as_u64(),
        has_status: document["status"]["phase"].is_string(),
        api_version: api_version.to_owned(),
        fleet,
    }
}

async fn get(subject: &Subject, place: &Place, name: &str) -> Result<Option<Value>, String> {
    let requests = place.requests(Some(&subject.namespace));
    let request = requests
        .get(name, &GetParams::default())
        .map_err(|error| refusal(&Error::BuildRequest(error)))?;
    match subject.client.request(request).await {
        Ok(object) => Ok(Some(object)),
        Err(Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(format!("{name} cannot be read: {}", refusal(&error))),
    }
}

/// Reads the note that a node leaves where it halts for an upgrade.
#[must_use]
pub fn noted(text: &str) -> Option<u64> {
    let note: Value = serde_json::from_str(text).ok()?;
    let height = &note["height"];
    let height = height.as_u64().or_else(|| height.as_str()?.parse().ok())?;
    Some(height).filter(|height| *height > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(image: &str, own: &Value) -> Known {
        let document = json!({
            "spec": {
                "chain": {"versions": [
                    {"height": 1, "image": "hub:v1"},
                    {"height": 100, "image": "hub:v2"},
                ]},
                "instanceOverrides": {"hub-0": {"image": own}},
            },
            "status": {"height": {"hub-0": 50}},
        });
        let container = json!({"name": "node", "image": image});
        let pod = json!({
            "metadata": {"name": "hub-0"},
            "spec": {"containers": [{"name": "other"}, container]},
        });
        read(&document, &pod, ("hub".to_owned(), "v1"))
    }

    #[track_caller]
    fn check(image: &str, height: Option<u64>, is_well: bool, part: &str) {
        match (judge(&known(image, &Value::Null), height), is_well) {
            (Verdict::Well(why), true) | (Verdict::Wrong(why), false) => {
                assert!(why.contains(part), "{why}");
            }
            (other, _) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_version_takes_over_at_its_height() {
        check("hub:v1", Some(99), true, "is the version for height 99");
        check("hub:v1", Some(100), false, "height 100 asks for hub:v2");
        check("hub:v2", Some(100), true, "is the version for height 100");
        check("hub:v3", Some(99), false, "height 99 asks for hub:v1");
    }

    #[test]
    fn nothing_older_than_what_runs_is_asked_for() {
        check("hub:v2", Some(99), true, "above its height");
    }

    #[test]
    fn what_nobody_knows_is_not_wrong() {
        check("hub:v1", None, true, "nobody knows");
        check("hub:v9", Some(0), true, "below");
    }

    #[test]
    fn what_the_owner_chooses_for_an_instance_is_not_wrong() {
        let known = known("hub:own", &json!("hub:own"));
        assert!(matches!(judge(&known, Some(100)), Verdict::Well(_)));
        assert_eq!(known.recorded, Some(50));
    }

    #[test]
    fn a_node_that_halted_left_a_note() {
        assert_eq!(noted(r#"{"name":"v2","height":100,"info":""}"#), Some(100));
        assert_eq!(noted(r#"{"name":"v2","height":"100"}"#), Some(100));
        assert_eq!(noted(r#"{"name":"v2","height":0}"#), None);
        assert_eq!(noted(r#"{"name":"v2"}"#), None);
        assert_eq!(noted("{"), None);
    }
}
