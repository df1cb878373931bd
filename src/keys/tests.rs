//! What whole inputs come to, with keys that are made of fixed seeds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::model::{NodeId, Source};

const SPEC: &str = "apiVersion: cosmos.strange.love/v1\nkind: CosmosFullNode\nmetadata: {name: hub, namespace: chains}\nspec:\n  replicas: 2\n  chain: {network: mainnet, chainID: c, binary: b, config: {}, app: {minGasPrice: 0u}}\n  podTemplate: {image: 'i:v1'}\n  volumeClaimTemplate: {storageClassName: s, resources: {requests: {storage: 1Gi}}}\n";

fn source(name: &str, text: &str) -> Source {
    Source {
        name: name.to_owned(),
        bytes: text.as_bytes().to_vec(),
    }
}

fn request(specs: &[(&str, &str)], secrets: &[&str]) -> Request {
    let named = |(name, text): &(&str, &str)| source(name, text);
    Request {
        specs: Sources::new(specs.iter().map(named).collect()),
        snapshot: None,
        secrets: Sources::new(secrets.iter().map(|text| source("secret", text)).collect()),
        fleets: Vec::new(),
        namespace: None,
    }
}

/// Seeds that count up from a number.
fn seeds(mut next: u8) -> impl FnMut() -> Result<Seed, String> {
    move || {
        next += 1;
        Seed::new(|room| {
            room.fill(next);
            Ok(())
        })
    }
}

fn surveyed(request: &Request) -> Survey {
    let found = survey(request);
    assert_eq!(found.diagnostics, []);
    found.value.unwrap()
}

fn initial(request: &Request, form: Form) -> Result<Written, Vec<&'static str>> {
    let mut survey = surveyed(request);
    survey.newness = Newness::Told;
    made(&survey, request, form)
}

fn made(survey: &Survey, request: &Request, form: Form) -> Result<Written, Vec<&'static str>> {
    let how = (form, &Place::BesideSpecs);
    init(survey, request, how, &mut seeds(0))
        .map_err(|faults| faults.iter().map(|fault| fault.code).collect())
}

/// A snapshot with a pod of an instance that mounts an entry of a Secret.
fn pod(instance: &str, secret: &str, entry: &str) -> Sources {
    let items = serde_json::json!([{"key": entry, "path": "node_key.json"}]);
    let pod = serde_json::json!({"apiVersion": "v1", "kind": "Pod",
    "metadata": {"name": instance, "namespace": "chains"},
    "spec": {"volumes": [{"name": "vol-config", "projected": {"sources": [
        {"configMap": {"name": instance}}, {"secret": {"name": secret, "items": items}},
    ]}}]}});
    Sources::new(vec![source("live.json", &pod.to_string())])
}

#[test]
fn what_init_makes_is_whole_and_making_it_again_makes_nothing() {
    let first = initial(&request(&[("fleets/hub.yaml", SPEC)], &[]), Form::Manifest).unwrap();
    assert_eq!(first.done.len(), 2);
    let [file] = first.files.as_slice() else {
        panic!("one file of identities");
    };
    assert_eq!(file.path, "fleets/hub-identities.yaml");
    assert_eq!(file.former, None);
    let specs = [
        ("fleets/hub.yaml", SPEC),
        (file.path.as_str(), file.text.as_str()),
    ];
    for secrets in [&[][..], &[&*first.secrets]] {
        let again = initial(&request(&specs, secrets), Form::Manifest).unwrap();
        assert!(again.files.is_empty() && again.done.is_empty());
        // a Secret that was given is always printed, or `> keys.yaml` would empty it
        assert_eq!(*again.secrets, *secrets.concat());
    }
    let known = surveyed(&request(&specs, &[&*first.secrets]));
    assert_eq!(verify(&known), []);
}

#[test]
fn a_secret_is_never_printed_without_what_it_had() {
    let first = initial(&request(&[("hub.yaml", SPEC)], &[]), Form::Manifest).unwrap();
    let larger = SPEC.replace("replicas: 2", "replicas: 3");
    let specs = [
        ("hub.yaml", larger.as_str()),
        ("ids.yaml", first.files[0].text.as_str()),
    ];
    let without = initial(&request(&specs, &[]), Form::Manifest).map(|_| ());
    assert_eq!(without, Err(vec!["keys-not-given"]));
    let whole = initial(&request(&specs, &[&*first.secrets]), Form::Manifest).unwrap();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (former, latter) = (lines(&first.secrets), lines(&whole.secrets));
    assert_eq!(former[..], latter[..former.len()]);
    assert_eq!(latter.len(), former.len() + 1);
    let patch = initial(&request(&specs, &[]), Form::Patch).unwrap();
    assert_eq!(lines(&patch.secrets).len(), 2);
    assert!(!patch.secrets.contains("kind"));
}

#[test]
fn no_second_key_is_made_for_a_pod_that_has_one_in_a_secret_not_given() {
    let mut request = request(&[("hub.yaml", SPEC)], &[]);
    request.snapshot = Some(pod("hub-1", "hub-node-keys", "hub-1"));
    let made = initial(&request, Form::Manifest).map(|_| ());
    assert_eq!(made, Err(vec!["secret-not-given"]));
}

#[test]
fn a_key_in_an_operators_config_map_is_left_to_import() {
    let first = initial(&request(&[("hub.yaml", SPEC)], &[]), Form::Manifest).unwrap();
    let entry = first
        .secrets
        .lines()
        .find(|line| line.contains("hub-1"))
        .unwrap();
    let key = STANDARD.decode(entry.split('"').nth(3).unwrap()).unwrap();
    let config = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
        "name": "hub-1", "namespace": "chains", "annotations": {"cosmos-render/fleet": "hub"},
    }, "data": {"node_key.json": String::from_utf8(key).unwrap()}});
    let mut request = request(&[("hub.yaml", SPEC)], &[]);
    request.snapshot = Some(Sources::new(vec![source("live.json", &config.to_string())]));
    let made = initial(&request, Form::Manifest).unwrap();
    let names: Vec<&str> = made
        .done
        .iter()
        .map(|done| done.instance.as_str())
        .collect();
    assert_eq!((names, made.notes.len()), (vec!["hub-0"], 1));
    let how = (Form::Manifest, &Place::BesideSpecs);
    let taken = import(&surveyed(&request), &request, how, &[]).unwrap();
    assert_eq!(taken.done[0].id, first.done[1].id);
    assert!(
        taken.secrets.contains(entry),
        "the key is another, or was written anew"
    );
}

#[test]
fn an_entry_that_is_nobodys_stays_in_the_secret() {
    let secret = "kind: Secret\nmetadata: {name: hub-node-keys, namespace: chains, labels: {team: a}}\nstringData: {note: mine}\n";
    let made = initial(&request(&[("hub.yaml", SPEC)], &[secret]), Form::Manifest).unwrap();
    assert!(
        made.secrets.contains("\"note\": \"bWluZQ==\""),
        "an entry is lost"
    );
    assert!(made.secrets.contains("team: a"), "a label is lost");
}

#[test]
fn a_key_that_only_the_secret_knows_is_written_down_and_not_made_again() {
    let first = initial(&request(&[("hub.yaml", SPEC)], &[]), Form::Manifest).unwrap();
    let again = initial(
        &request(&[("hub.yaml", SPEC)], &[&first.secrets]),
        Form::Manifest,
    )
    .unwrap();
    assert_eq!(*again.secrets, *first.secrets);
    assert_eq!(again.files, first.files);
    assert!(again.done.iter().all(|done| done.what == What::Declared));
}

#[test]
fn a_rotated_key_lies_beside_the_former() {
    let first = initial(&request(&[("hub.yaml", SPEC)], &[]), Form::Manifest).unwrap();
    let specs = [
        ("hub.yaml", SPEC),
        ("ids.yaml", first.files[0].text.as_str()),
    ];
    let request_of = |specs: &[(&str, &str)], secret: &str| request(specs, &[secret]);
    let given = request_of(&specs, &first.secrets);
    let names = ["hub-0".to_owned()];
    let how = (Form::Manifest, &mut seeds(9) as Seeds<'_>);
    let rotated = rotate(&surveyed(&given), &given, &names, how).unwrap();
    let former = first.secrets.lines().filter(|line| line.contains("hub-"));
    assert!(
        former.clone().all(|line| rotated.secrets.contains(line)),
        "a former key is lost"
    );
    let id = &rotated.done[0].id;
    assert!(rotated.secrets.contains(&format!("\"hub-0.{id}\": ")));
    let specs = [
        ("hub.yaml", SPEC),
        ("ids.yaml", rotated.files[0].text.as_str()),
    ];
    let known = surveyed(&request_of(&specs, &rotated.secrets));
    assert_eq!(verify(&known), []);
    assert_eq!(known.fleets[0].instances[0].entry(), format!("hub-0.{id}"));
}

#[test]
fn no_key_is_made_for_a_node_that_may_have_one() {
    #[track_caller]
    fn check(spec: &str, snapshot: Option<Sources>, expected: &[&str]) {
        let mut request = request(&[("hub.yaml", spec)], &[]);
        request.snapshot = snapshot;
        let made = made(&surveyed(&request), &request, Form::Manifest);
        assert_eq!(made.map(|_| ()).err().unwrap_or_default(), expected);
    }
    let empty = || {
        Some(Sources::new(vec![source(
            "live.json",
            "{\"kind\":\"List\",\"items\":[]}",
        )]))
    };
    let renamed = SPEC.replace(
        "namespace: chains",
        "namespace: chains, annotations: {cosmos-render/renamed-from: gaia}",
    );
    check(SPEC, None, &["new-identity"]);
    check(SPEC, empty(), &[]);
    check(SPEC, Some(pod("hub-1", "other", "x")), &["new-identity"]);
    check(&renamed, empty(), &["new-identity"]);
    let first = initial(&request(&[("hub.yaml", SPEC)], &[]), Form::Manifest).unwrap();
    let larger = SPEC.replace("replicas: 2", "replicas: 3");
    let specs = [
        ("hub.yaml", larger.as_str()),
        ("ids.yaml", first.files[0].text.as_str()),
    ];
    let more = request(&specs, &[&first.secrets]);
    assert!(
        made(&surveyed(&more), &more, Form::Manifest).is_ok(),
        "a fleet that is known grows"
    );
}

/// A fleet of two whose first node was rotated: identities, Secret, and its new ID.
fn rotated() -> (String, Text, NodeId) {
    let first = initial(&request(&[("hub.yaml", SPEC)], &[]), Form::Manifest).unwrap();
    let specs = [
        ("hub.yaml", SPEC),
        ("ids.yaml", first.files[0].text.as_str()),
    ];
    let given = request(&specs, &[&first.secrets]);
    let how = (Form::Manifest, &mut seeds(9) as Seeds<'_>);
    let mut made = rotate(&surveyed(&given), &given, &["hub-0".to_owned()], how).unwrap();
    let id = made.done[0].id.clone();
    (made.files.remove(0).text, made.secrets, id)
}

#[test]
fn a_rotated_identity_that_nobody_declares_is_the_one_that_the_pod_mounts() {
    let (ids, secret, id) = rotated();
    let mut request = request(&[("hub.yaml", SPEC)], &[&secret]);
    let codes: Vec<&str> = verify(&surveyed(&request)).iter().map(|f| f.code).collect();
    assert!(codes.contains(&"identity-unclear"), "{codes:?}");
    assert_eq!(
        initial(&request, Form::Manifest).map(|_| ()),
        Err(vec!["identity-unclear"])
    );
    request.snapshot = Some(pod("hub-0", "hub-node-keys", &format!("hub-0.{id}")));
    let how = (Form::Manifest, &Place::BesideSpecs);
    let taken = import(&surveyed(&request), &request, how, &[]).unwrap();
    let read = |text: &str| crate::parse::specs(&[source("ids.yaml", text)], None).value;
    let (written, before) = (read(&taken.files[0].text), read(&ids));
    assert_eq!(
        (written.identities, written.rotated),
        (before.identities, before.rotated)
    );
}

#[test]
fn identities_are_in_the_namespace_that_their_fleet_is_in_wherever_that_is() {
    let spec = SPEC.replace(", namespace: chains", "");
    let check = |namespace: Option<&str>, expected: &str| {
        let mut given = request(&[("hub.yaml", &spec)], &[]);
        given.namespace = namespace.map(ToOwned::to_owned);
        let first = initial(&given, Form::Manifest).unwrap();
        let ids = first.files[0].text.replace("# The public node IDs of", "#");
        assert!(!ids.contains("namespace:"), "{ids}");
        let place = format!("namespace: {expected}\n");
        assert!(first.secrets.contains(&place));
        let read = crate::parse::specs(
            &[source("hub.yaml", &spec), source("ids.yaml", &ids)],
            namespace,
        );
        assert_eq!(read.diagnostics, []);
        let keys: Vec<String> = read
            .value
            .identities
            .keys()
            .map(ToString::to_string)
            .collect();
        assert_eq!(keys, [format!("{expected}/hub")]);
        // one replica more is added to the same document
        let more = spec.replace("replicas: 2", "replicas: 3");
        given.specs = Sources::new(vec![source("hub.yaml", &more), source("ids.yaml", &ids)]);
        let second = initial(&given, Form::Patch).unwrap();
        assert_eq!(second.done.len(), 1, "{:?}", second.done);
        assert!(second.files[0].text.starts_with(ids.trim_end()));
    };
    check(None, "default");
    check(Some("cosmos"), "cosmos");
}

#[test]
fn a_renamed_fleet_takes_along_the_key_that_its_nodes_run_with() {
    let (ids, secret, id) = rotated();
    let renamed = SPEC.replace(
        "name: hub, namespace: chains",
        "name: gaia, namespace: chains, annotations: {cosmos-render/renamed-from: hub}",
    );
    let key = secret
        .lines()
        .find(|line| line.contains(id.as_str()))
        .unwrap();
    let key = key.rsplit(": ").next().unwrap();
    let check = |declares: bool, snapshot: Option<Sources>| {
        let mut specs = vec![("gaia.yaml", renamed.as_str())];
        if declares {
            specs.push(("ids.yaml", ids.as_str()));
        }
        let mut given = request(&specs, &[]);
        let mut all = vec![source("secret.yaml", &secret)];
        all.extend(snapshot.iter().flat_map(|s| s.all().to_vec()));
        given.snapshot = Some(Sources::new(all));
        let how = (Form::Manifest, &Place::BesideSpecs);
        let taken = import(&surveyed(&given), &given, how, &[]);
        let taken = taken.map_err(|faults| faults.iter().map(|f| f.code).collect::<Vec<_>>());
        taken.map(|taken| taken.secrets.contains(&format!("\"gaia-0\": {key}")))
    };
    assert_eq!(check(true, None), Ok(true));
    let mounting = pod("hub-0", "hub-node-keys", &format!("hub-0.{id}"));
    assert_eq!(check(false, Some(mounting)), Ok(true));
    assert_eq!(check(false, None), Err(vec!["identity-unclear"]));
}

#[test]
fn a_given_secret_that_lacks_the_key_of_an_id_is_told() {
    let (ids, secret, id) = rotated();
    let specs = [("hub.yaml", SPEC), ("ids.yaml", ids.as_str())];
    let lines = secret.lines().filter(|line| !line.contains(id.as_str()));
    let lacking: String = lines.flat_map(|line| [line, "\n"]).collect();
    let given = request(&specs, &[&lacking]);
    assert_eq!(
        initial(&given, Form::Manifest).map(|_| ()),
        Err(vec!["identity-without-key"])
    );
    // as the hint says: another one, or back to the former
    let how = (Form::Manifest, &mut seeds(20) as Seeds<'_>);
    let again = rotate(&surveyed(&given), &given, &["hub-0".to_owned()], how);
    assert!(again.is_ok(), "what got lost cannot be rotated again");
    let first = initial(&request(&[("hub.yaml", SPEC)], &[]), Form::Manifest).unwrap();
    let ids = first.files[0].text.as_str();
    let back = request(&[("hub.yaml", SPEC), ("ids.yaml", ids)], &[&lacking]);
    assert!(initial(&back, Form::Manifest).is_ok());
}

#[test]
fn a_key_that_lies_in_a_config_map_too_is_not_left_out_of_a_secret_that_was_not_given() {
    let first = initial(&request(&[("hub.yaml", SPEC)], &[]), Form::Manifest).unwrap();
    let larger = SPEC.replace("replicas: 2", "replicas: 3");
    let specs = [
        ("hub.yaml", larger.as_str()),
        ("ids.yaml", first.files[0].text.as_str()),
    ];
    let configs: Vec<serde_json::Value> = ["hub-0", "hub-1"]
        .iter()
        .map(|name| {
            let line = first
                .secrets
                .lines()
                .find(|line| line.contains(name))
                .unwrap();
            let key = STANDARD.decode(line.split('"').nth(3).unwrap()).unwrap();
            serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
                "name": name, "namespace": "chains", "annotations": {"cosmos-render/fleet": "hub"},
            }, "data": {"node_key.json": String::from_utf8(key).unwrap()}})
        })
        .collect();
    let list = serde_json::json!({"kind": "List", "items": configs});
    let mut given = request(&specs, &[]);
    given.snapshot = Some(Sources::new(vec![source("live.json", &list.to_string())]));
    assert_eq!(
        initial(&given, Form::Manifest).map(|_| ()),
        Err(vec!["keys-not-given"])
    );
}

#[test]
fn a_patch_is_for_a_secret_that_is_there() {
    let new = request(&[("hub.yaml", SPEC)], &[]);
    assert_eq!(
        initial(&new, Form::Patch).map(|_| ()),
        Err(vec!["no-secret"])
    );
}

#[test]
fn one_id_in_two_fleets_names_both_places() {
    let first = initial(&request(&[("hub.yaml", SPEC)], &[]), Form::Manifest).unwrap();
    let other = SPEC.replace(
        "name: hub, namespace: chains",
        "name: gaia, namespace: tests",
    );
    let secret = first
        .secrets
        .replace("hub-", "gaia-")
        .replace("chains", "tests");
    let specs = [
        ("hub.yaml", SPEC),
        ("ids.yaml", first.files[0].text.as_str()),
        ("gaia.yaml", other.as_str()),
    ];
    let found = verify(&surveyed(&request(&specs, &[&secret])));
    let twins: Vec<&str> = found
        .iter()
        .filter(|fault| fault.code == "duplicate-node-id")
        .map(|fault| fault.message.as_str())
        .collect();
    assert_eq!(twins.len(), 2, "{found:?}");
    let names_both = |twin: &&str| {
        twin.contains("tests/gaia-0 (Secret gaia-node-keys)")
            && twin.contains("chains/hub-0 (ids.yaml:")
    };
    assert!(twins.iter().any(names_both), "{twins:?}");
}

#[test]
fn what_is_printed_of_an_input_is_its_name_and_its_size() {
    #[track_caller]
    fn check(shown: &str) {
        assert!(
            shown.contains("live.json") && shown.contains("10 bytes"),
            "{shown}"
        );
        // neither as a text nor as a list of numbers
        assert!(
            !shown.contains("c2Vj") && !shown.contains("99, 50"),
            "{shown}"
        );
    }
    let input = source("live.json", "\"c2VjcmV0\"");
    check(&format!("{input:?}"));
    check(&format!(
        "{:?}",
        crate::parse::texts(std::slice::from_ref(&input)).value
    ));
    let request = crate::pipeline::Request {
        specs: Vec::new(),
        snapshot: Some(vec![input]),
        options: crate::pipeline::Options::default(),
    };
    check(&format!("{request:?}"));
}

#[test]
fn nothing_that_is_printed_of_keys_shows_them() {
    let first = initial(&request(&[("hub.yaml", SPEC)], &[]), Form::Manifest).unwrap();
    let request = request(&[("hub.yaml", SPEC)], &[&first.secrets]);
    let survey = surveyed(&request);
    let printed = format!(
        "{request:?}{survey:?}{first:?}{}{}",
        text(&survey),
        json(&survey).unwrap()
    );
    let key = first
        .secrets
        .lines()
        .last()
        .unwrap()
        .split('"')
        .nth(3)
        .unwrap();
    assert!(key.len() > 100);
    assert!(!printed.contains(&key[60..90]));
    assert!(!printed.contains("priv_key"));
}
