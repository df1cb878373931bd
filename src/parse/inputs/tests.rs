//! What is read from texts, and what is said of them.

use serde_json::Value;

use super::*;
use crate::parse::tree::Key;
use crate::spec::fixtures;

/// A document without real positions: every value stands on the line of its depth.
pub(crate) fn node(value: &Value, line: usize) -> Node {
    let mark = Mark {
        line,
        column: 1,
        width: 1,
    };
    let value = match value {
        Value::Null => Content::Null,
        Value::Bool(value) => Content::Bool(*value),
        Value::Number(number) => Content::Number(number.clone()),
        Value::String(text) => Content::String(text.clone()),
        Value::Array(items) => {
            Content::Sequence(items.iter().map(|item| node(item, line + 1)).collect())
        }
        Value::Object(map) => {
            let entry = |(text, value): (&String, &Value)| {
                let text = text.clone();
                (Key { text, mark }, node(value, line + 1))
            };
            Content::Mapping(map.iter().map(entry).collect())
        }
    };
    Node { value, mark }
}

fn read(texts: &[&str]) -> Reported<Inputs> {
    let sources: Vec<Source> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| Source {
            name: format!("{}.yaml", ["a", "b", "c"][index]),
            bytes: text.as_bytes().to_vec(),
        })
        .collect();
    let documents = texts.iter().enumerate().flat_map(|(index, text)| {
        let values: Vec<Value> = serde_saphyr::from_multiple(text).unwrap();
        values.into_iter().map(move |v| (index, node(&v, 2)))
    });
    inputs(documents.collect(), (&sources, None))
}

/// What is said, one line each and sorted: severity, code, file, path, message, hint.
fn said(read: &Reported<Inputs>) -> Vec<String> {
    let line = |d: &Diagnostic| {
        let place = d.place.as_ref().unwrap();
        let hint = d.hint.as_deref().unwrap_or("-");
        let code = d.code;
        format!(
            "{} {code} {} {}: {} ({hint})",
            d.severity, place.file, place.path, d.message
        )
    };
    let mut lines: Vec<String> = read.diagnostics.iter().map(line).collect();
    lines.sort();
    lines
}

const FLEET: &str = "
apiVersion: cosmos.strange.love/v1
kind: CosmosFullNode
metadata: {name: hub}
spec:
  replicas: 2
  chain: {chainID: a, network: b, binary: c}
  podTemplate: {image: 'x:1'}
  volumeClaimTemplate: {storageClassName: s, resources: {requests: {storage: 1Gi}}}
";

/// Reads the fleet after a replacement and compares all that is said of it.
#[track_caller]
fn check(from: &str, to: &str, expected: &[&str]) {
    assert!(FLEET.contains(from), "{from}");
    let read = read(&[&FLEET.replace(from, to)]);
    check_said(&read, expected);
    let has_error = expected.iter().any(|line| line.starts_with("error"));
    assert_eq!(read.value.fleets.is_empty(), has_error);
}

/// Reads several sources and compares all that is said of them.
#[track_caller]
fn check_all(texts: &[&str], expected: &[&str]) -> Inputs {
    let read = read(texts);
    check_said(&read, expected);
    read.value
}

#[track_caller]
fn check_said(read: &Reported<Inputs>, expected: &[&str]) {
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(said(read), expected);
}

#[test]
fn a_sound_fleet_is_read() {
    check("replicas: 2", "replicas: 2", &[]);
    check("replicas: 2", "replicas: 2.0\n  type: null", &[]);
}

#[test]
fn unknown_fields_come_with_a_guess() {
    check(
        "{image: 'x:1'}",
        "{image: 'x:1', imagePulPolicy: Always, replicas: 1}",
        &[
            "error unknown-field a.yaml spec.podTemplate.imagePulPolicy: unknown field \
             `imagePulPolicy` (did you mean `imagePullPolicy`?)",
            "error unknown-field a.yaml spec.podTemplate.replicas: unknown field `replicas` (a \
             field of that name belongs to spec)",
        ],
    );
}

#[test]
fn wrong_types_come_with_the_right_spelling() {
    check(
        "replicas: 2",
        "replicas: '2'",
        &[
            "error wrong-type a.yaml spec.replicas: expected a whole number, found the text `2` \
           (remove the quotes: 2)",
        ],
    );
    check(
        "image: 'x:1'",
        "image: 'x:1', nodeSelector: {ssd: true}, resources: {requests: {cpu: 0.5}}",
        &[
            "error wrong-type a.yaml spec.podTemplate.nodeSelector.ssd: expected a text, found \
             the boolean true (put quotes around it: without them y, n, yes, no, on, off, true \
             and false are booleans in YAML 1.1)",
            "error wrong-type a.yaml spec.podTemplate.resources.requests.cpu: expected a \
             quantity, found the number 0.5 (put quotes around it: \"0.5\"; a fraction is no \
             whole number)",
        ],
    );
}

#[test]
fn values_outside_their_range_are_refused() {
    check(
        "replicas: 2",
        "type: sentry\n  replicas: -1",
        &[
            "error out-of-range a.yaml spec.replicas: -1 is below the minimum of 0 (write 0 or more)",
            "error not-allowed a.yaml spec.type: `sentry` is not one of the allowed values: \
             FullNode, Sentry (did you mean `Sentry`?)",
        ],
    );
    check(
        "storage: 1Gi",
        "storage: 1 GB",
        &[
            "error bad-quantity a.yaml spec.volumeClaimTemplate.resources.requests.storage: `1 GB` \
           is no quantity: write a number with an optional suffix, such as `500m`, `2` or `100Gi` \
           (did you mean `1G`?)",
        ],
    );
}

#[test]
fn pruning_takes_numbers_of_32_bits_without_a_sign() {
    let pruning = |member: &str| {
        format!("binary: c, app: {{minGasPrice: 1a, pruning: {{strategy: custom, {member}}}}}")
    };
    check("binary: c", &pruning("keepEvery: 4294967295"), &[]);
    for (member, value) in [("keepRecent", "-1"), ("minRetainBlocks", "4294967296")] {
        check(
            "binary: c",
            &pruning(&format!("{member}: {value}")),
            &[&format!(
                "error out-of-range a.yaml spec.chain.app.pruning.{member}: {value} does not fit a \
                 number of 32 bits without a sign (the range is 0 to 4294967295)"
            )],
        );
    }
}

#[test]
fn missing_fields_say_what_they_are_for() {
    check(
        "network: b, ",
        "",
        &[
            "error missing-field a.yaml spec.chain.network: missing required field `network` (add \
           `network`: `mainnet`, `testnet`, ...)",
        ],
    );
    check(
        "network: b, ",
        "network: null, logLevel: null, ",
        &[
            "error missing-field a.yaml spec.chain.network: missing required field `network` (add \
           `network`: `mainnet`, `testnet`, ...)",
        ],
    );
}

#[test]
fn the_former_name_of_the_pod_template_is_understood() {
    check(
        "podTemplate:",
        "template:",
        &[
            "warning renamed-field a.yaml spec.template: `template` is called `podTemplate` today \
           (rename it: an API server refuses the former name)",
        ],
    );
}

#[test]
fn the_former_and_the_present_name_do_not_go_together() {
    check(
        "podTemplate:",
        "template: {image: 'x:2'}\n  podTemplate:",
        &[
            "error unknown-field a.yaml spec.template: unknown field `template` (it is the former \
             name of `podTemplate`, which is given too: remove one of them)",
        ],
    );
}

#[test]
fn versions_out_of_order_are_warned_of() {
    let versions = |heights: [u32; 2]| {
        let [a, b] = heights;
        format!("binary: c, versions: [{{height: {a}, image: r:1}}, {{height: {b}, image: r:2}}]")
    };
    check("binary: c", &versions([50, 100]), &[]);
    check(
        "binary: c",
        &versions([100, 50]),
        &[
            "warning version-order a.yaml spec.chain.versions[1].height: height 50 stands after \
             height 100: versions are tried in the order given (sort them by height: above both \
             heights this version would run)",
        ],
    );
}

#[test]
fn ports_of_a_container_differ() {
    check(
        "image: 'x:1'",
        "image: 'x:1', containers: [{name: c, ports: [{containerPort: 1}, {containerPort: 1, \
         protocol: TCP}, {containerPort: 1, protocol: UDP}]}]",
        &[
            "error duplicate-item a.yaml spec.podTemplate.containers[0].ports[1]: the same as \
           spec.podTemplate.containers[0].ports[0]: containerPort 1, protocol TCP (remove one of \
           them)",
        ],
    );
}

#[test]
fn metadata_has_known_fields() {
    check(
        "{name: hub}",
        "{name: hub, uid: a, managedFields: [], finalizers: null}",
        &[],
    );
    check(
        "{name: hub}",
        "{name: hub, annotation: {a: b}, team: me}",
        &[
            "error unknown-field a.yaml metadata.annotation: unknown field `annotation` (did you \
             mean `annotations`?)",
            "error unknown-field a.yaml metadata.team: unknown field `team` (notes of your own \
             belong to `metadata.annotations`)",
        ],
    );
}

#[test]
fn a_label_without_a_value_is_an_empty_one() {
    let text = FLEET.replace("{name: hub}", "{name: hub, labels: {a: null, b: c}}");
    let labels = read(&[&text]).value.fleets.remove(0).node.labels;
    let labels: Vec<_> = labels
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    assert_eq!(labels, [("a", ""), ("b", "c")]);
}

#[test]
fn metadata_is_what_kubernetes_takes() {
    check(
        "{name: hub}",
        "{name: Hub, namespace: a.b, labels: {a/b/c: x, d: 'e f'}, annotations: {g: 1}}",
        &[
            "error bad-label a.yaml metadata.labels.d: `e f` is no value of a label: only letters, \
             digits, `-`, `_` and `.`, with a letter or digit at the start and the end (-)",
            "error bad-label a.yaml metadata.labels[\"a/b/c\"]: `a/b/c` is no key: only letters, \
             digits, `-`, `_` and `.`, with a letter or digit at the start and the end, behind an \
             optional prefix and `/` (-)",
            "error bad-name a.yaml metadata.name: `Hub` is no name for an object: only lower-case \
             letters, digits, `-` and `.`, with a letter or digit at the start and the end of each \
             part (-)",
            "error bad-name a.yaml metadata.namespace: `a.b` is no namespace: only lower-case \
             letters, digits and `-`, with a letter or digit at the start and the end (-)",
            "error wrong-type a.yaml metadata.annotations.g: expected a text: put quotes around it \
             (-)",
        ],
    );
}

#[test]
fn faults_of_form_and_meaning_are_told_together() {
    check(
        "replicas: 2",
        "replicas: 2\n  nonsense: 1\n  strategy: {maxUnavailable: 10.5%}\n  \
         additionalVersionedPods: [{name: hub, containers: [{name: x}, {name: x}]}, {name: hub, \
         containers: []}]",
        &[
            "error bad-max-unavailable a.yaml spec.strategy.maxUnavailable: `10.5%` is neither a \
             number from 0 up nor a whole percentage (write 2, or \"25%\")",
            "error duplicate-name a.yaml spec.additionalVersionedPods[0].containers[1].name: `x` \
             is also the name of containers[0] (-)",
            "error duplicate-name a.yaml spec.additionalVersionedPods[1].name: `hub` is also the \
             name of spec.additionalVersionedPods[0] (pods are named after it: give each a name of \
             its own)",
            "error name-clash a.yaml spec.additionalVersionedPods[0].name: `hub` is the name of \
             the fleet: its pods would clash (pods of both are named `<name>-<ordinal>`: choose \
             another name)",
            "error no-container a.yaml spec.additionalVersionedPods[1].containers: a pod needs at \
             least one container (-)",
            "error unknown-field a.yaml spec.nonsense: unknown field `nonsense` (the fields here \
             are additionalVersionedPods, chain, instanceOverrides, ordinals, podTemplate, \
             replicas, selfHeal, service, serviceAccountName, strategy, type, volumeClaimTemplate, \
             volumeRetentionPolicy)",
        ],
    );
}

#[test]
fn other_versions_and_shapes_are_refused() {
    check(
        "love/v1",
        "love/v2",
        &[
            "error unknown-version a.yaml apiVersion: the version `v2` is not known: `v1` is \
             (write `apiVersion: cosmos.strange.love/v1`, or `cosmos-render/v1` for \
             NodeIdentities)",
        ],
    );
    let object = "a document is a mapping that begins with `apiVersion:` and `kind:`";
    let expected = format!("error no-object a.yaml : not a Kubernetes object ({object})");
    check_all(&["- 1\n- 2\n"], &[&expected]);
}

#[test]
fn other_kinds_are_passed_over_and_counted() {
    let other = "kind: ConfigMap\n---\nreplicas: 2\n---\nkind: ConfigMap\n---\n";
    let list = format!(
        "kind: List\nitems:\n- kind: Secret\n- {}",
        FLEET.trim().replace('\n', "\n  ")
    );
    let inputs = check_all(&[other, &list], &[]);
    let counted: Vec<_> = inputs.passed_over.into_iter().collect();
    assert_eq!(
        counted,
        [
            ("ConfigMap".to_owned(), 2),
            ("Secret".to_owned(), 1),
            (NO_KIND.to_owned(), 1)
        ]
    );
    assert_eq!(inputs.fleets.len(), 1);
}

#[test]
fn a_fleet_is_written_once() {
    let inputs = check_all(
        &[FLEET, FLEET],
        &[
            "error duplicate-fleet b.yaml metadata.name: the fleet default/hub is also written in \
           a.yaml:4 (remove one of them, or give it another name or namespace)",
        ],
    );
    assert_eq!(inputs.fleets.len(), 1);
    let place = inputs.fleets[0].origin.place(
        &[Source {
            name: "a.yaml".to_owned(),
            bytes: FLEET.as_bytes().to_vec(),
        }],
        "metadata.name",
    );
    let span = place.unwrap().span.unwrap();
    assert_eq!(
        (span.line, span.line_text.as_str()),
        (4, "metadata: {name: hub}")
    );
}

#[test]
fn pods_of_two_fleets_have_different_names() {
    let pod = "additionalVersionedPods: [{name: idx, containers: [{name: x}]}]\n  replicas:";
    let hub = FLEET.replace("replicas:", pod);
    let zone = hub.replace("name: hub", "name: zone");
    let far = zone.replace("replicas: 2", "ordinals: {start: 2}\n  replicas: 2");
    check_all(
        &[&hub, &zone],
        &[
            "error name-clash b.yaml spec.additionalVersionedPods[0].name: pods named \
           `idx-<ordinal>` also belong to the fleet default/hub (a.yaml:6) (choose another name)",
        ],
    );
    check_all(&[&hub, &far], &[]);
}

#[test]
fn node_ids_are_whole_and_unique() {
    let head = "\n\n\n{apiVersion: cosmos-render/v1, kind: NodeIdentities, metadata:";
    let id = "aa2b538be6386acd6abf7a7a691983f4b34f5e73";
    let a = format!("{head} {{name: hub}}, nodeIDs: {{hub-0: {id}, hub-1: abc}}}}");
    let b = format!("{head} {{name: zone}}, nodeIDs: {{zone-0: {id}}}}}");
    let inputs = check_all(
        &[&a, &b, &b],
        &[
            "error bad-node-id a.yaml nodeIDs.hub-1: not a node ID: expected 40 hexadecimal \
             digits, found 3 characters (-)",
            "error duplicate-node-id b.yaml nodeIDs.zone-0: the node ID \
             aa2b538be6386acd6abf7a7a691983f4b34f5e73 is also that of default/hub-0 (a.yaml:4) \
             (each node needs a key of its own)",
            "error duplicate-identities c.yaml metadata.name: the identities of default/zone are \
             also written in b.yaml:4 (put the IDs of a fleet into one document)",
        ],
    );
    assert_eq!(inputs.identities.len(), 2);
}

#[test]
fn what_is_set_survives_reading_and_writing() {
    let container = "{name: c, env: [{name: E, valueFrom: {fieldRef: {fieldPath: a.b}}}], \
                     readinessProbe: {grpc: {port: 1}}, ports: [{containerPort: 2}], \
                     securityContext: {privileged: false, runAsUser: 0}, resources: {}, \
                     volumeMounts: [{name: v, mountPath: /v, readOnly: false}]}";
    let text = FLEET.replace(
        "image: 'x:1'",
        &format!("image: 'x:1', containers: [{container}], volumes: [{{name: v, emptyDir: {{}}}}]"),
    );
    let fleet = &check_all(&[&text], &[]).fleets[0].node.spec.pod_template;
    let container = serde_json::to_value(&fleet.containers[0]).unwrap();
    let expected = serde_json::json!({
        "name": "c",
        "env": [{"name": "E", "valueFrom": {"fieldRef": {"fieldPath": "a.b"}}}],
        "readinessProbe": {"grpc": {"port": 1, "service": ""}},
        "ports": [{"containerPort": 2, "protocol": "TCP"}],
        "securityContext": {"privileged": false, "runAsUser": 0},
        "resources": {},
        "volumeMounts": [{"name": "v", "mountPath": "/v"}],
    });
    assert_eq!(container, expected);
    let volume = serde_json::to_value(&fleet.volumes[0]).unwrap();
    assert_eq!(volume, serde_json::json!({"name": "v", "emptyDir": {}}));
}

/// Returns the texts of all files of a name below a folder beside the repository.
#[expect(
    clippy::disallowed_methods,
    reason = "tests read the disk; the core does not"
)]
fn cases(folder: &str, is_wanted: fn(&str) -> bool) -> Vec<(String, String)> {
    let Some(shared) = fixtures::shared_folder() else {
        return Vec::new();
    };
    let mut folders = vec![shared.join(folder)];
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if is_wanted(path.to_str().unwrap()) {
                let text = std::fs::read_to_string(&path).unwrap();
                texts.push((path.display().to_string(), text));
            }
        }
    }
    texts.sort();
    texts
}

#[test]
fn what_an_api_server_refuses_of_the_references_cases_is_told() {
    let Some(text) = fixtures::shared("oracle/tables/crd_validation.json") else {
        return;
    };
    let table: Vec<Value> = serde_json::from_str(&text).unwrap();
    let specs = cases("oracle/cases", |path| path.ends_with("spec.yaml"));
    for row in table {
        let case = row["case"].as_str().unwrap().trim_start_matches("public-");
        let is_it = |(path, _): &&(String, String)| path.rsplit('/').nth(1) == Some(case);
        // Some rows are about specifications that are not at hand.
        let Some((_, text)) = specs.iter().find(is_it) else {
            continue;
        };
        let said = said(&read(&[text]));
        for violation in row["violations"].as_array().unwrap() {
            let violation = violation.as_str().unwrap();
            let path = violation.split([':', ' ']).next().unwrap();
            let told = format!(" {}: ", path.trim_start_matches('.'));
            let is_told = said.iter().any(|line| line.contains(&told));
            assert!(is_told, "{case}: {violation}\n{said:#?}");
        }
    }
}

/// The cases of the reference whose specification is at fault, and the path of one of its faults.
const FAULTY: [(&str, &str); 11] = [
    ("app-overrides-invalid", "spec.chain.app.overrides"),
    ("comet-overrides-invalid", "spec.chain.config.overrides"),
    (
        "decide-additional-name-clash",
        "spec.additionalVersionedPods[0].name",
    ),
    ("decide-invalid-toml-live", "spec.chain.config.overrides"),
    (
        "decide-maxunavailable-invalid",
        "spec.strategy.maxUnavailable",
    ),
    (
        "decide-pvc-no-requests",
        "spec.volumeClaimTemplate.resources",
    ),
    ("name-odd", "metadata.name"),
    (
        "pod-template-all",
        "spec.podTemplate.resources.requests.cpu",
    ),
    (
        "quantity-invalid",
        "spec.volumeClaimTemplate.resources.requests.storage",
    ),
    ("sample-full", "spec.instanceOverrides.cosmoshub-1.disable"),
    ("yaml11-bool", "spec.podTemplate.nodeSelector.ssd"),
];

#[test]
fn the_references_cases_are_taken_or_refused_alike() {
    for (path, text) in cases("oracle/cases", |path| path.ends_with("spec.yaml")) {
        let case = path.rsplit('/').nth(1).unwrap();
        // The stand-in for the reader of YAML knows no booleans of YAML 1.1.
        let text = text.replace("{ssd: y}", "{ssd: true}");
        let said = said(&read(&[&text]));
        let expected = FAULTY.iter().find(|(name, _)| *name == case);
        match expected {
            None => assert!(said.is_empty(), "{case}: {said:#?}"),
            Some((_, path)) => {
                let at = format!(" {path}: ");
                let is_found = said.iter().any(|line| line.contains(&at));
                assert!(is_found, "{case}: {said:#?}");
            }
        }
    }
}

#[test]
fn the_shared_fleets_are_sound() {
    let wanted = |path: &str| path.contains("/specs/");
    for (path, text) in cases("fleets", wanted) {
        let said = said(&read(&[&text]));
        assert!(said.is_empty(), "{path}: {said:#?}");
    }
}

#[test]
fn documents_that_name_no_namespace_are_of_the_one_that_is_given() {
    #[track_caller]
    fn check(metadata: &str, namespace: Option<&str>, expected: &str) {
        let text = format!(
            "apiVersion: cosmos-render/v1\nkind: NodeIdentities\nmetadata: {metadata}\nnodeIDs: {{}}\n"
        );
        let source = Source {
            name: "ids.yaml".to_owned(),
            bytes: text.into_bytes(),
        };
        let read = crate::parse::specs(&[source], namespace);
        let keys: Vec<String> = read
            .value
            .identities
            .keys()
            .map(ToString::to_string)
            .collect();
        assert_eq!(keys, [expected], "{:?}", read.diagnostics);
    }
    check("{name: hub}", None, "default/hub");
    check("{name: hub}", Some("cosmos"), "cosmos/hub");
    check("{name: hub, namespace: ''}", Some("cosmos"), "cosmos/hub");
    check("{name: hub, namespace: null}", Some("cosmos"), "cosmos/hub");
    check("{name: hub, namespace: sea}", Some("cosmos"), "sea/hub");
}
