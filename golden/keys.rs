//! What no golden file can hold: keys that are made of randomness. Runs the program in folders of
//! its own, judges what it made, and looks for the bytes of every key in all that any command says
//! and writes elsewhere than in the Secret that was asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Where a fleet of two instances stands, and how an operator runs it.
const FIXTURE: &str = "fixtures/keys-import";

/// A folder with a document, and what went wrong in it.
struct Trial {
    folder: tempfile::TempDir,
    faults: Vec<String>,
    /// All that was printed.
    said: Vec<u8>,
}

/// Returns all that is wrong.
pub(super) fn faults(root: &Path) -> io::Result<Vec<String>> {
    let mut faults = Vec::new();
    let first = made(root, &mut faults)?;
    let second = made(root, &mut faults)?;
    if first.iter().any(|id| second.contains(id)) {
        faults.push("two runs made the same key".to_owned());
    }
    half_done(root, &mut faults)?;
    Ok(faults)
}

impl Trial {
    fn new(root: &Path) -> io::Result<Self> {
        let trial = Self {
            folder: tempfile::tempdir()?,
            faults: Vec::new(),
            said: Vec::new(),
        };
        let spec = fs::read(root.join(FIXTURE).join("spec.yaml"))?;
        fs::write(trial.folder.path().join("spec.yaml"), spec)?;
        Ok(trial)
    }

    fn run(&mut self, line: &str, expected: i32) -> io::Result<Output> {
        let output = self.start(line, Stdio::piped())?;
        self.said.extend_from_slice(&output.stderr);
        if output.status.code() != Some(expected) {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            self.faults
                .push(format!("`{line}` does not end with {expected}:\n{said}"));
        }
        Ok(output)
    }

    fn start(&self, line: &str, stdout: Stdio) -> io::Result<Output> {
        Command::new(env!("CARGO_BIN_EXE_cosmos-render"))
            .args(line.split(' '))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()?
            .wait_with_output()
    }

    fn check(&mut self, is_right: bool, what: &str) {
        if !is_right {
            self.faults.push(what.to_owned());
        }
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).unwrap_or_default()
    }

    fn has(&self, file: &str) -> bool {
        self.folder.path().join(file).exists()
    }

    /// Returns the entries of a Secret, by name.
    fn entries(&self, file: &str) -> BTreeMap<String, Vec<u8>> {
        let text = self.text(file);
        let lines = text.lines().skip_while(|line| *line != "data:").skip(1);
        let entry = |line: &str| {
            let (name, value) = line.trim().split_once(": ")?;
            let value = STANDARD.decode(value.trim_matches('"')).ok()?;
            Some((name.trim_matches('"').to_owned(), value))
        };
        lines.map_while(entry).collect()
    }
}

/// Makes keys twice, adds an instance, and uses every command on them. Returns the IDs.
fn made(root: &Path, faults: &mut Vec<String>) -> io::Result<BTreeSet<String>> {
    let mut trial = Trial::new(root)?;
    trial.run(
        "keys init spec.yaml --new-identities --out keys.yaml --identities ids.yaml",
        0,
    )?;
    let keys = trial.entries("keys.yaml");
    let ids = trial.text("ids.yaml");
    trial.check(keys.len() == 2, "not every instance has a key");
    for (instance, file) in &keys {
        let id = pair(file).map(|pair| hex(&Sha256::digest(&pair[32..])[..20]));
        let line = format!("  {instance}: {}\n", id.unwrap_or_default());
        trial.check(ids.contains(&line), "an ID is not that of its key");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(trial.folder.path().join("keys.yaml"))?
            .permissions()
            .mode();
        trial.check(mode & 0o777 == 0o600, "others can read the keys");
    }
    trial.run("keys init spec.yaml ids.yaml --out again.yaml", 0)?;
    trial.check(!trial.has("again.yaml"), "keys were made twice");
    trial.check(trial.text("ids.yaml") == ids, "IDs changed without need");
    let spec = trial
        .text("spec.yaml")
        .replace("replicas: 2", "replicas: 3");
    fs::write(trial.folder.path().join("spec.yaml"), spec)?;
    trial.run("keys init spec.yaml ids.yaml --out less.yaml", 1)?;
    trial.check(
        !trial.has("less.yaml"),
        "a Secret without former keys was written",
    );
    trial.run(
        "keys init spec.yaml --identities ids.yaml --secret keys.yaml --out more.yaml",
        0,
    )?;
    let more = trial.entries("more.yaml");
    let is_kept = keys.iter().all(|(name, file)| more.get(name) == Some(file));
    trial.check(
        is_kept && more.len() == 3,
        "the larger Secret is not the former and one more",
    );
    let longer = trial.text("ids.yaml");
    trial.check(longer.starts_with(&ids), "former IDs were rewritten");
    used(&mut trial, root, &more)?;
    faults.append(&mut trial.faults);
    let ids = longer
        .lines()
        .filter_map(|line| line.strip_prefix("  kelp-"));
    let ids = ids.filter_map(|line| Some(line.split_once(": ")?.1.to_owned()));
    Ok(ids.collect())
}

/// Every command that meets keys, and the code that it ends with.
const LINES: &[(&str, i32)] = &[
    ("keys list spec.yaml --secret more.yaml", 0),
    (
        "keys list spec.yaml ids.yaml --snapshot operator.json -o json",
        0,
    ),
    ("keys verify spec.yaml ids.yaml --secret more.yaml", 0),
    (
        "keys verify spec.yaml ids.yaml --snapshot operator.json --secret more.yaml -v",
        0,
    ),
    (
        "keys import spec.yaml ids.yaml --snapshot operator.json --secret more.yaml --out -",
        0,
    ),
    (
        "keys import spec.yaml ids.yaml --home home --instance kelp-1 --secret more.yaml --out -",
        1,
    ),
    ("keys verify spec.yaml ids.yaml --secret broken.json", 1),
    ("keys verify spec.yaml ids.yaml --secret wrong-type.json", 1),
    ("keys verify spec.yaml ids.yaml --secret cut-off.json", 1),
    ("keys verify spec.yaml ids.yaml --secret wrong-yaml.yaml", 1),
    ("keys init more.yaml --out -", 1),
    ("plan operator.json", 1),
    ("plan spec.yaml --snapshot operator.json -v", 0),
    ("plan spec.yaml --snapshot operator.json -o json", 0),
    (
        "plan spec.yaml --snapshot broken.json --snapshot wrong-type.json",
        1,
    ),
    ("plan spec.yaml --snapshot wrong-yaml.yaml", 1),
    (
        "plan spec.yaml ids.yaml --snapshot operator.json --snapshot more.yaml",
        0,
    ),
    ("plan more.yaml wrong-yaml.yaml broken.json", 1),
    (
        "render spec.yaml ids.yaml --snapshot operator.json --snapshot more.yaml --out rendered",
        0,
    ),
    ("render spec.yaml --snapshot operator.json -o json", 0),
    ("plan spec.yaml --snapshot operator.json -o yaml", 0),
    (
        "plan spec.yaml --snapshot operator.json --refresh --out saved.json",
        0,
    ),
    ("plan toml.yaml", 1),
    ("lint toml.yaml", 1),
    ("why kelp-0 spec.yaml --snapshot operator.json -v", 0),
    ("why kelp-1 spec.yaml --snapshot operator.json -o json", 0),
    ("why kelp-0 spec.yaml --snapshot broken.json", 0),
    ("simulate spec.yaml --snapshot operator.json --adopt -v", 0),
    ("simulate spec.yaml --snapshot operator.json -o json", 0),
    ("simulate spec.yaml --snapshot operator.json -o svg", 0),
    ("simulate spec.yaml --snapshot wrong-yaml.yaml", 1),
    ("lint . --snapshot operator.json -v", 1),
    ("lint . -o json", 1),
    ("lint . -o sarif", 1),
    ("lint . -o github", 1),
    ("lint more.yaml wrong-yaml.yaml operator.json home", 1),
    ("lint spec.yaml --snapshot wrong-type.json", 1),
    ("keys init spec.yaml --secret cut-off.json --out -", 1),
    ("keys import spec.yaml --snapshot broken.json --out -", 1),
    ("keys list spec.yaml --snapshot wrong-yaml.yaml", 1),
    ("keys list toml.yaml --secret more.yaml", 1),
    (
        "keys rotate kelp-0 --specs spec.yaml --specs ids.yaml --secret more.yaml --out rotated",
        0,
    ),
];

/// Runs every command on the keys, and on broken ones, and looks for them in all that comes out.
fn used(trial: &mut Trial, root: &Path, keys: &BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    let needles: BTreeSet<Vec<u8>> = keys.values().flat_map(|file| needles(file)).collect();
    snapshots(trial, root, keys)?;
    for (line, expected) in LINES {
        let output = trial.run(line, *expected)?;
        // what is asked to print the Secret does so
        if !line.ends_with("--out -") {
            trial.said.extend_from_slice(&output.stdout);
        }
    }
    let mut found = std::mem::take(&mut trial.said);
    for (path, bytes) in super::read_tree(&trial.folder.path().join("rendered"))? {
        found.extend_from_slice(path.as_bytes());
        found.extend_from_slice(&bytes);
    }
    for file in ["ids.yaml", "saved.json"] {
        trial.check(trial.has(file), &format!("there is no {file} to search"));
        found.extend_from_slice(trial.text(file).as_bytes());
    }
    for needle in &needles {
        if found
            .windows(needle.len())
            .any(|part| part == needle.as_slice())
        {
            trial
                .faults
                .push("a key is in what a command says or writes".to_owned());
            return Ok(());
        }
    }
    let more = fs::read(trial.folder.path().join("more.yaml"))?;
    let is_seen = |n: &Vec<u8>| more.windows(n.len()).any(|part| part == n.as_slice());
    trial.check(
        needles.iter().any(is_seen),
        "the search finds no key even in the Secret",
    );
    Ok(())
}

/// Writes snapshots, manifests and a home that hold the keys: whole ones, and such as no command
/// can read.
fn snapshots(trial: &Trial, root: &Path, keys: &BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    let put = |name: &str, text: &str| {
        let path = trial.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        File::create(path)?.write_all(text.as_bytes())
    };
    let text = |file: &[u8]| String::from_utf8_lossy(file).into_owned();
    let key = keys
        .values()
        .next()
        .map(|file| text(file))
        .unwrap_or_default();
    put("home/config/node_key.json", &key)?;
    let mut items = Vec::new();
    for kind in ["configmaps", "pods", "persistentvolumeclaims", "services"] {
        let file = root.join(FIXTURE).join("live").join(format!("{kind}.json"));
        let list: Value = serde_json::from_slice(&fs::read(file)?)?;
        items.extend(list["items"].as_array().cloned().unwrap_or_default());
    }
    let files: Vec<&Vec<u8>> = keys.values().collect();
    let configs = items.iter_mut().filter(|item| item["kind"] == "ConfigMap");
    for (config, file) in configs.zip(files) {
        config["data"]["node_key.json"] = json!(text(file));
        config["data"]["backup.json"] = json!(text(file));
    }
    put(
        "operator.json",
        &json!({"kind": "List", "items": items}).to_string(),
    )?;
    let secret = |data: Value| {
        let meta = json!({"name": "kelp-node-keys", "namespace": "chains"});
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data})
    };
    let whole = STANDARD.encode(&key);
    let half = STANDARD.encode(key.replace("\"}}", "AAAA\"}}"));
    put(
        "broken.json",
        &secret(json!({"kelp-0": half, "kelp-1": key})).to_string(),
    )?;
    let wrong = secret(json!({"kelp-0": {"node_key.json": whole}, "kelp-1": [key]}));
    put("wrong-type.json", &wrong.to_string())?;
    let cut = secret(json!({"kelp-0": whole})).to_string();
    put("cut-off.json", &cut[..cut.len() - 20])?;
    // TOML that cannot be read, beside a key that nothing but its length tells
    let value = pair(key.as_bytes()).map(|pair| STANDARD.encode(pair));
    let value = value.unwrap_or_default();
    let toml = format!("    config:\n      overrides: |\n        x = \"{value}\n");
    let spec = trial.text("spec.yaml");
    put("toml.yaml", &spec.replacen("    config: {}\n", &toml, 1))?;
    let yaml = "kind: Secret\nmetadata: {name: kelp-node-keys, namespace: chains}\ndata:\n";
    put(
        "wrong-yaml.yaml",
        &format!("{yaml}  kelp-0: {whole}\n kelp-1: '{key}\n"),
    )
}

/// Nothing may be half done: where one of two outputs cannot be written, neither is.
fn half_done(root: &Path, faults: &mut Vec<String>) -> io::Result<()> {
    let mut trial = Trial::new(root)?;
    // a stream that cannot be written to
    let closed = Stdio::from(File::open(trial.folder.path().join("spec.yaml"))?);
    let output = trial.start("keys init spec.yaml --new-identities", closed)?;
    trial.check(
        output.status.code() == Some(1),
        "keys that nobody got count as made",
    );
    trial.check(
        !trial.has("ids.yaml"),
        "IDs of keys that nobody got were written",
    );
    trial.run(
        "keys init spec.yaml --new-identities --out keys.yaml --identities spec.yaml/ids.yaml",
        1,
    )?;
    trial.check(
        !trial.has("keys.yaml"),
        "keys were written without their IDs",
    );
    faults.append(&mut trial.faults);
    Ok(())
}

fn pair(file: &[u8]) -> Option<Vec<u8>> {
    let file: Value = serde_json::from_slice(file).ok()?;
    STANDARD.decode(file["priv_key"]["value"].as_str()?).ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// Returns pieces of every form in which a key could come out: as it is, in hexadecimal digits, in
/// base64 at each of its three offsets, in base64 of its base64, and as a list of numbers. Pieces,
/// so that a key that is cut or wrapped is found too.
fn needles(file: &[u8]) -> Vec<Vec<u8>> {
    const PIECE: usize = 16;
    let Some(pair) = pair(file) else {
        return Vec::new();
    };
    let seed = &pair[..32];
    let mut forms = vec![
        seed.to_vec(),
        hex(seed).into_bytes(),
        hex(seed).to_uppercase().into_bytes(),
    ];
    let numbers: Vec<String> = seed.iter().map(u8::to_string).collect();
    forms.extend([", ", ","].map(|between| numbers.join(between).into_bytes()));
    let value = STANDARD.encode(&pair).into_bytes();
    // what follows the seed is public
    let value = value[..40].to_vec();
    for offset in 0..3 {
        for bytes in [seed, value.as_slice()] {
            forms.push(STANDARD.encode(&bytes[offset..]).into_bytes()[..32].to_vec());
        }
    }
    forms.push(value);
    forms
        .iter()
        .flat_map(|form| form.chunks_exact(PIECE).map(<[u8]>::to_vec))
        .collect()
}
