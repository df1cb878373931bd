//! Random documents, and what their owners change of them: one wish after the other, each of which
//! leaves a valid document. Knows nothing of clusters.

use serde_json::{Value, json};

use super::Dice;

pub(super) const NAMESPACE: &str = "chains";

/// What an owner writes; the first choice of everything is the plainest.
type Wish = fn(&mut Value, &mut Dice);

/// What owners ask for that matters most: drawn as often as all others together.
const MAIN: &[Wish] = &[
    image,
    replicas,
    budget,
    overrides,
    retention,
    size,
    env,
    additional,
    own,
    snapshot_url,
];

const OTHERS: &[Wish] = &[
    start,
    class,
    sentry,
    min_gas,
    app_overrides,
    seeds,
    peers,
    log_level,
    pruning,
    genesis_url,
    addrbook_url,
    label,
    pod_label,
    toleration,
    sidecar,
    resources,
    probes,
    node_selector,
    grace,
    account,
    external,
    versions,
    self_heal,
    start_args,
    pod_volume,
    data_source,
    service_type,
    init_args,
];

/// Returns a valid document, most of it plain.
pub(super) fn document(name: &str, dice: &mut Dice) -> Value {
    let mut document = json!({
        "apiVersion": "cosmos.strange.love/v1", "kind": "CosmosFullNode",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": dice.pick(&[3, 2, 1, 4, 5, 7]),
            "chain": {
                "chainID": "hub-1", "network": "testnet", "binary": "gaiad",
                "app": {"minGasPrice": "0uhub"}, "config": {},
            },
            "podTemplate": {"image": "r.example.com/gaia:v1"},
            "volumeClaimTemplate": {
                "storageClassName": "fast",
                "resources": {"requests": {"storage": "10Gi"}},
            },
        },
    });
    for _ in 0..dice.below(4) {
        wish(&mut document, dice);
    }
    document
}

/// One more thing that the owner wants.
pub(super) fn wish(document: &mut Value, dice: &mut Dice) {
    let wishes = if dice.flip() { MAIN } else { OTHERS };
    dice.pick(wishes)(document, dice);
}

/// Returns the names of a fleet's instances.
pub(super) fn instances(document: &Value) -> Vec<String> {
    let name = document["metadata"]["name"].as_str().unwrap_or_default();
    ordinals(document).map(|n| format!("{name}-{n}")).collect()
}

/// Returns the ordinals that a document asks for.
pub(super) fn ordinals(document: &Value) -> std::ops::Range<u64> {
    let start = document["spec"]["ordinals"]["start"].as_u64().unwrap_or(0);
    let replicas = document["spec"]["replicas"].as_u64().unwrap_or(0);
    start..start + replicas
}

fn set(document: &mut Value, path: &str, value: Value) {
    let mut at = &mut document["spec"];
    for part in path.split('.') {
        at = &mut at[part];
    }
    *at = value;
}

/// Takes a field out, or sets it.
fn set_or_not(document: &mut Value, path: &str, values: &[Value], dice: &mut Dice) {
    if dice.once_in(4) {
        let (parent, field) = path.rsplit_once('.').unwrap_or(("", path));
        let mut at = &mut document["spec"];
        for part in parent.split('.').filter(|part| !part.is_empty()) {
            at = &mut at[part];
        }
        if let Some(members) = at.as_object_mut() {
            members.remove(field);
        }
    } else {
        set(document, path, dice.pick(values).clone());
    }
}

fn image(document: &mut Value, dice: &mut Dice) {
    let tags = ["v2", "v1", "v3"];
    let image = format!("r.example.com/gaia:{}", dice.pick(&tags));
    if document["spec"]["chain"]["versions"].is_array() && dice.flip() {
        document["spec"]["chain"]["versions"][0]["image"] = json!(image);
    } else {
        set(document, "podTemplate.image", json!(image));
    }
}

fn replicas(document: &mut Value, dice: &mut Dice) {
    let now = document["spec"]["replicas"].as_u64().unwrap_or(0);
    let next = match dice.below(6) {
        0 | 1 => now.saturating_sub(1),
        2 | 3 => now + 1,
        4 => now + 2,
        _ => now / 2,
    };
    set(document, "replicas", json!(next.min(8)));
}

fn budget(document: &mut Value, dice: &mut Dice) {
    let budgets = [
        json!(1),
        json!("50%"),
        json!(2),
        json!(0),
        json!("0%"),
        json!("100%"),
        json!(9),
    ];
    set_or_not(document, "strategy.maxUnavailable", &budgets, dice);
}

fn overrides(document: &mut Value, dice: &mut Dice) {
    let texts = ["[mempool]\nsize = 1\n", "[mempool]\nsize = 2\n"].map(Value::from);
    set_or_not(document, "chain.config.overrides", &texts, dice);
}

fn app_overrides(document: &mut Value, dice: &mut Dice) {
    let texts = ["[api]\nrpc-max-body-bytes = 5\n", "iavl-cache-size = 5\n"].map(Value::from);
    set_or_not(document, "chain.app.overrides", &texts, dice);
}

fn retention(document: &mut Value, dice: &mut Dice) {
    let policies = ["Retain", "Delete"].map(Value::from);
    set_or_not(document, "volumeRetentionPolicy", &policies, dice);
}

fn size(document: &mut Value, dice: &mut Dice) {
    let sizes = ["20Gi", "10Gi", "10240Mi", "5Gi", "1Ti"];
    let path = "volumeClaimTemplate.resources.requests.storage";
    set(document, path, json!(dice.pick(&sizes)));
}

fn class(document: &mut Value, dice: &mut Dice) {
    let class = json!(dice.pick(&["slow", "fast", "kept"]));
    set(document, "volumeClaimTemplate.storageClassName", class);
}

fn env(document: &mut Value, dice: &mut Dice) {
    let env = json!([{"name": "A", "value": dice.pick(&["1", "2", "3"])}]);
    let node = json!([{"name": "node", "env": env}]);
    set_or_not(document, "podTemplate.containers", &[node], dice);
}

fn sidecar(document: &mut Value, dice: &mut Dice) {
    let image = dice.pick(&["tool:1", "tool:2"]);
    let more = json!([{"name": "tool", "image": image}]);
    set_or_not(document, "podTemplate.containers", &[more], dice);
}

fn additional(document: &mut Value, dice: &mut Dice) {
    let one = |name: &str, image: &str, same_node: bool| {
        json!({"name": name, "preferSameNode": same_node,
            "containers": [{"name": "scribe", "image": image}]})
    };
    let name = format!(
        "{}-scribe",
        document["metadata"]["name"].as_str().unwrap_or_default()
    );
    let image = *dice.pick(&["scribe:1", "scribe:2"]);
    let mut pods = vec![one(&name, image, dice.flip())];
    if dice.once_in(4) {
        pods.push(one(&format!("{name}-too"), "scribe:1", false));
    }
    set_or_not(document, "additionalVersionedPods", &[json!(pods)], dice);
}

/// Something of one instance alone.
fn own(document: &mut Value, dice: &mut Dice) {
    let mut names = instances(document);
    if let Some(more) = document["metadata"]["name"]
        .as_str()
        .filter(|_| dice.once_in(4))
    {
        names = vec![format!("{more}-scribe-0"), format!("{more}-7")];
    }
    if names.is_empty() {
        return;
    }
    let name = dice.pick(&names).clone();
    let own = [
        json!({"disable": "Pod"}),
        json!({"disable": "All"}),
        json!({"image": "r.example.com/gaia:own"}),
        json!({"externalAddress": "192.0.2.7:26656"}),
        json!({"nodeSelector": {"pool": "a"}}),
        json!({"volumeClaimTemplate": {"storageClassName": "fast",
            "resources": {"requests": {"storage": "30Gi"}}}}),
        json!({"volumeClaimTemplate": {"storageClassName": "slow",
            "resources": {"requests": {"storage": "10Gi"}}}}),
    ];
    if dice.once_in(3) {
        if let Some(spec) = document["spec"].as_object_mut() {
            spec.remove("instanceOverrides");
        }
    } else {
        document["spec"]["instanceOverrides"][name] = dice.pick(&own).clone();
    }
}

fn snapshot_url(document: &mut Value, dice: &mut Dice) {
    let urls = [
        "https://x.example.com/a.tar.lz4",
        "https://x.example.com/b.tar",
    ];
    set_or_not(document, "chain.snapshotURL", &urls.map(Value::from), dice);
}

fn genesis_url(document: &mut Value, dice: &mut Dice) {
    let urls = [
        "https://x.example.com/a.json",
        "https://x.example.com/b.json.gz",
    ];
    set_or_not(document, "chain.genesisURL", &urls.map(Value::from), dice);
}

fn addrbook_url(document: &mut Value, dice: &mut Dice) {
    let urls = ["https://x.example.com/book.json"];
    set_or_not(document, "chain.addrbookURL", &urls.map(Value::from), dice);
}

fn start(document: &mut Value, dice: &mut Dice) {
    let now = ordinals(document).start;
    let next = *dice.pick(&[now + 1, now.saturating_sub(1), 10]);
    set(document, "ordinals.start", json!(next.min(10)));
}

fn sentry(document: &mut Value, dice: &mut Dice) {
    set_or_not(
        document,
        "type",
        &["Sentry", "FullNode"].map(Value::from),
        dice,
    );
}

fn min_gas(document: &mut Value, dice: &mut Dice) {
    set(
        document,
        "chain.app.minGasPrice",
        json!(dice.pick(&["1uhub", "0uhub"])),
    );
}

fn seeds(document: &mut Value, dice: &mut Dice) {
    let seeds = ["a@x.example.com:1", "b@x.example.com:1"].map(Value::from);
    set_or_not(document, "chain.config.seeds", &seeds, dice);
}

fn peers(document: &mut Value, dice: &mut Dice) {
    let peers = [
        "b7c1d93e5f20486a9c8e7d6b5a4f3e2d1c0b9a88@192.0.2.40:26656",
        "b7c1d93e5f20486a9c8e7d6b5a4f3e2d1c0b9a99@192.0.2.41:26656",
    ];
    set_or_not(
        document,
        "chain.config.peers",
        &peers.map(Value::from),
        dice,
    );
}

fn log_level(document: &mut Value, dice: &mut Dice) {
    set_or_not(
        document,
        "chain.logLevel",
        &["error", "debug"].map(Value::from),
        dice,
    );
}

fn pruning(document: &mut Value, dice: &mut Dice) {
    let ways = ["nothing", "everything"].map(Value::from);
    set_or_not(document, "chain.app.pruning.strategy", &ways[..1], dice);
    if document["spec"]["chain"]["app"]["pruning"]["strategy"].is_null() {
        document["spec"]["chain"]["app"]["pruning"] = json!({"strategy": ways[1]});
    }
}

fn start_args(document: &mut Value, dice: &mut Dice) {
    let args = [json!(["--x"]), json!(["--y", "1"])];
    set_or_not(document, "chain.additionalStartArgs", &args, dice);
}

fn init_args(document: &mut Value, dice: &mut Dice) {
    set_or_not(
        document,
        "chain.additionalInitArgs",
        &[json!(["--z"])],
        dice,
    );
}

fn label(document: &mut Value, dice: &mut Dice) {
    document["metadata"]["labels"] = json!({"team": dice.pick(&["a", "b"])});
}

fn pod_label(document: &mut Value, dice: &mut Dice) {
    let labels = [json!({"mood": "calm"}), json!({"mood": "wild"})];
    set_or_not(document, "podTemplate.metadata.labels", &labels, dice);
}

/// One more each time: to tolerate less takes a restart.
fn toleration(document: &mut Value, dice: &mut Dice) {
    let all = &mut document["spec"]["podTemplate"]["tolerations"];
    if !all.is_array() {
        *all = json!([]);
    }
    let key = format!("pool-{}", dice.below(9));
    if let Some(all) = all
        .as_array_mut()
        .filter(|all| all.iter().all(|t| t["key"] != *key))
    {
        all.push(json!({"key": key, "operator": "Exists"}));
    }
}

fn resources(document: &mut Value, dice: &mut Dice) {
    let cpus = ["1", "2"].map(Value::from);
    set_or_not(document, "podTemplate.resources.requests.cpu", &cpus, dice);
}

fn probes(document: &mut Value, dice: &mut Dice) {
    let ways = ["Reachable", "None", "InSync"].map(Value::from);
    set_or_not(document, "podTemplate.probes.strategy", &ways, dice);
}

fn node_selector(document: &mut Value, dice: &mut Dice) {
    let pools = [json!({"pool": "b"}), json!({"pool": "c"})];
    set_or_not(document, "podTemplate.nodeSelector", &pools, dice);
}

fn grace(document: &mut Value, dice: &mut Dice) {
    let seconds = [json!(77), json!(99)];
    set_or_not(
        document,
        "podTemplate.terminationGracePeriodSeconds",
        &seconds,
        dice,
    );
}

fn account(document: &mut Value, dice: &mut Dice) {
    set_or_not(document, "serviceAccountName", &[json!("mine")], dice);
}

fn external(document: &mut Value, dice: &mut Dice) {
    let counts = [json!(0), json!(2), json!(1)];
    set_or_not(document, "service.maxP2PExternalAddresses", &counts, dice);
}

fn service_type(document: &mut Value, dice: &mut Dice) {
    let types = ["NodePort", "ClusterIP"].map(Value::from);
    let path = dice.pick(&["service.rpcTemplate.type", "service.p2pTemplate.type"]);
    set_or_not(document, path, &types, dice);
}

/// Around the height at which all nodes of a base are, which is 501.
fn versions(document: &mut Value, dice: &mut Dice) {
    let at = *dice.pick(&[5000, 500, 501, 520, 502]);
    let next = *dice.pick(&["v2", "v3"]);
    let versions = json!([
        {"height": 1, "image": "r.example.com/gaia:v1"},
        {"height": at, "image": format!("r.example.com/gaia:{next}"), "setHaltHeight": dice.flip()},
    ]);
    set_or_not(document, "chain.versions", &[versions], dice);
}

fn self_heal(document: &mut Value, dice: &mut Dice) {
    let scale = json!({"pvcAutoScale": {"usedSpacePercentage": 80, "increaseQuantity": "10%"}});
    set_or_not(document, "selfHeal", &[scale], dice);
}

fn pod_volume(document: &mut Value, dice: &mut Dice) {
    let more = json!([{"name": "more", "emptyDir": {}}]);
    set_or_not(document, "podTemplate.volumes", &[more], dice);
}

fn data_source(document: &mut Value, dice: &mut Dice) {
    let auto = json!({"volumeSnapshotSelector": {"of": "hub"}, "matchInstance": dice.flip()});
    set_or_not(
        document,
        "volumeClaimTemplate.autoDataSource",
        &[auto],
        dice,
    );
}
