//! Runs every script with a real shell in a folder of its own, with stand-ins for the programs
//! that the images hold.

#![expect(
    clippy::disallowed_methods,
    reason = "these tests run programs on real files"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::*;
use crate::live::facts::Facts;
use crate::spec::document::{CosmosFullNode, Spec};
use crate::spec::validate;

/// `wget` gives what lies in `web` under the last part of the URL, and fails where nothing does;
/// `cut` in a URL breaks off in the middle.
const WGET: &str = r#"
echo "wget $*" >>"$WORK/log"
for word in "$@"; do url="$word"; done
name="${url##*/}"; name="${name%%\?*}"
case "$1$2" in -O-) out=/dev/stdout ;; *) out="$2" ;; esac
[ -e "$WORK/web/$name" ] || exit 8
case "$url" in *cut*) head -c 700 "$WORK/web/$name" >"$out"; exit 4 ;; esac
cat "$WORK/web/$name" >"$out"
"#;
/// A chain that leaves word of how it was called, and defaults in its home.
const CHAIN: &str = r#"
printf '[%s]' "$@" >>"$WORK/log"; echo >>"$WORK/log"
for word in "$@"; do home="$word"; done
[ ! -e "$home/config/genesis.json" ] || exit 3
mkdir -p "$home/config" "$home/data"
echo default >"$home/config/genesis.json"
"#;
const CONFIG_MERGE_PROGRAM: &str = r#"[ "$1 $2" = "-f toml" ] && cat "$3" "$4""#;
const UNZIP: &str = r#"mkdir -p "$5"; cp "$3" "$5/$UNZIPS_TO""#;

/// Held while a file is written and while a program starts: a program that starts meanwhile would
/// inherit the open file, and the system refuses to run a file that somebody may write ("text file
/// busy").
static STARTS_AND_WRITES: Mutex<()> = Mutex::new(());

/// Runs a program to its end.
fn run(command: &mut Command) -> Output {
    let guard = STARTS_AND_WRITES
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let command = command.stdin(Stdio::null());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = command.spawn().unwrap();
    drop(guard);
    started.wait_with_output().unwrap()
}

/// A container's file system.
struct Container {
    work: PathBuf,
}

struct Ended {
    is_ok: bool,
    output: String,
}

impl Container {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cosmos-render-scripts-{}-{count}", std::process::id());
        let work = std::env::temp_dir().join(name);
        let container = Self { work };
        for folder in [
            "bin",
            "web",
            "op/.tmp",
            "op/.config",
            "op/my chain/config",
            "op/my chain/data",
        ] {
            fs::create_dir_all(container.path(folder)).unwrap();
        }
        for (name, body) in [
            ("wget", WGET),
            ("hubd", CHAIN),
            ("config-merge", CONFIG_MERGE_PROGRAM),
            ("unzip", UNZIP),
            ("lz4", "cat"),
            ("zstd", "cat"),
            ("sleep", r#"echo "sleep $*" >>"$WORK/log""#),
        ] {
            let program = container.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{body}\n"));
            fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        container
    }

    fn path(&self, path: &str) -> PathBuf {
        self.work.join(path)
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let file = self.path(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let guard = STARTS_AND_WRITES
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        fs::write(&file, text).unwrap();
        drop(guard);
        file
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.path(path)).ok()
    }

    fn has(&self, path: &str) -> bool {
        self.path(path).symlink_metadata().is_ok()
    }

    /// Packs files below `web` with the real `tar`.
    fn pack(&self, archive: &str, flags: &str, files: &[(&str, &str)]) {
        for (name, text) in files {
            self.write(&format!("packed/{name}"), text);
        }
        let mut tar = Command::new("tar");
        let made = tar.args([flags, "-f"]).arg(self.path("web").join(archive));
        let made = run(made.arg("-C").arg(self.path("packed")).arg("."));
        assert!(made.status.success());
    }

    fn run(&self, arguments: &[Value]) -> Ended {
        let home = self.path("op");
        let chain = home.join("my chain");
        let path = format!(
            "{}:{}",
            self.path("bin").display(),
            std::env::var("PATH").unwrap()
        );
        let mut shell = Command::new("sh");
        shell.args(arguments.iter().map(|word| word.as_str().unwrap()));
        shell
            .current_dir(&home)
            .env_clear()
            .env("PATH", path)
            .env("WORK", &self.work);
        shell
            .env("HOME", &home)
            .env("CHAIN_HOME", &chain)
            .env("UNZIPS_TO", "addrbook.json");
        shell
            .env("CONFIG_DIR", chain.join("config"))
            .env("DATA_DIR", chain.join("data"));
        shell.env("GENESIS_FILE", chain.join("config/genesis.json"));
        shell.env("ADDRBOOK_FILE", chain.join("config/addrbook.json"));
        let ended = run(&mut shell);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended {
            is_ok: ended.status.success(),
            output: text(&ended.stdout) + &text(&ended.stderr),
        }
    }

    #[track_caller]
    fn check(&self, arguments: &[Value], is_ok: bool) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.is_ok, is_ok, "{}", ended.output);
        ended.output
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.work);
    }
}

fn chain(change: impl FnOnce(&mut Chain)) -> Chain {
    let mut chain = spec().chain;
    change(&mut chain);
    chain
}

fn spec() -> Spec {
    document().spec
}

fn document() -> CosmosFullNode {
    serde_json::from_value(json!({
        "apiVersion": "cosmos.strange.love/v1",
        "kind": "CosmosFullNode",
        "metadata": {"name": "hub"},
        "spec": {
            "replicas": 1,
            "chain": {"chainID": "hub-1", "network": "testnet", "binary": "hubd"},
            "podTemplate": {"image": "hub:1"},
            "volumeClaimTemplate": {
                "storageClassName": "fast",
                "resources": {"requests": {"storage": "1Gi"}},
            },
        },
    }))
    .unwrap()
}

fn url(text: &str) -> String {
    format!("https://example.com/files/{text}")
}

#[test]
fn clean_init_leaves_nothing_behind_and_the_folder_itself() {
    let container = Container::new();
    for file in ["a b", ".hidden", "..odd", "deep/er/file"] {
        container.write(&format!("op/.tmp/{file}"), "x");
    }
    container.check(&clean_init(), true);
    assert_eq!(fs::read_dir(container.path("op/.tmp")).unwrap().count(), 0);
    container.check(&clean_init(), true);
}

#[test]
fn chain_init_hands_every_word_on_whole_and_can_be_repeated() {
    let mut document = document();
    document.spec.chain.additional_init_args =
        vec!["--note".to_owned(), "it's; $HOME *".to_owned()];
    let node = validate(document).value.unwrap();
    let facts = Facts::default();
    let arguments = chain_init(&Fleet::new(&node, &facts), "hub-0");

    let container = Container::new();
    fs::remove_dir(container.path("op/my chain/data")).unwrap();
    container.check(&arguments, true);
    let log = container.read("log").unwrap();
    let words = "[init][--chain-id][hub-1][hub-0][--note][it's; $HOME *][--home]";
    let home = container.path("op");
    let lines = [
        format!("{words}[{}]", home.join("my chain").display()),
        format!("{words}[{}]", home.join(".tmp").display()),
    ];
    assert_eq!(log.lines().collect::<Vec<_>>(), lines);

    container.check(&arguments, true);
    assert_eq!(container.read("log").unwrap().lines().count(), 3);
}

#[test]
fn chain_init_fails_with_the_chain() {
    let node = validate(document()).value.unwrap();
    let facts = Facts::default();
    let container = Container::new();
    container.write("bin/hubd", "#!/bin/sh\nexit 7\n");
    container.check(&chain_init(&Fleet::new(&node, &facts), "hub-0"), false);
}

#[test]
fn the_default_genesis_is_moved_unless_there_is_a_database() {
    let container = Container::new();
    container.write("op/.tmp/config/genesis.json", "default");
    container.write("op/my chain/data/application.db/CURRENT", "x");
    container.check(&genesis_init(&chain(|_| ())), true);
    assert!(!container.has("op/my chain/config/genesis.json"));

    fs::remove_dir_all(container.path("op/my chain/data/application.db")).unwrap();
    container.check(&genesis_init(&chain(|_| ())), true);
    assert_eq!(
        container.read("op/my chain/config/genesis.json").unwrap(),
        "default"
    );
    assert!(!container.has("op/.tmp/config/genesis.json"));
    container.check(&genesis_init(&chain(|_| ())), false);
}

#[test]
fn a_genesis_is_downloaded_in_every_form_and_whatever_its_query() {
    for (name, flags) in [
        ("genesis.json", ""),
        ("genesis.json.gz", "gz"),
        ("genesis.tar", "-c"),
        ("g.tar.gz", "-cz"),
        ("g.tar.gzip", "-cz"),
    ] {
        let container = Container::new();
        container.write("op/my chain/config/genesis.json", "old");
        match flags {
            "" => drop(container.write(&format!("web/{name}"), "new")),
            "gz" => {
                container.write("web/genesis.json", "new");
                let file = container.path("web/genesis.json");
                assert!(run(Command::new("gzip").arg(file)).status.success());
            }
            flags => container.pack(name, flags, &[("genesis.json", "new")]),
        }
        for query in ["", "?token=a&b=.zip"] {
            let wanted = chain(|c| c.genesis_url = Some(url(&format!("{name}{query}"))));
            container.check(&genesis_init(&wanted), true);
            assert_eq!(
                container.read("op/my chain/config/genesis.json").unwrap(),
                "new",
                "{name}"
            );
        }
    }
}

#[test]
fn a_failed_or_unknown_download_fails_the_container_and_keeps_the_old_file() {
    let container = Container::new();
    container.write("op/my chain/config/genesis.json", "old");
    container.write("web/cut.json", &"x".repeat(2000));
    for name in [
        "absent.json",
        "cut.json",
        "absent.tar.gz",
        "genesis.txt",
        "genesis.json.txt",
    ] {
        let output = container.check(
            &genesis_init(&chain(|c| c.genesis_url = Some(url(name)))),
            false,
        );
        assert!(output.contains(name), "{output}");
        assert_eq!(
            container.read("op/my chain/config/genesis.json").unwrap(),
            "old"
        );
    }
    container.pack("other.tar", "-c", &[("readme", "x")]);
    let output = container.check(
        &genesis_init(&chain(|c| c.genesis_url = Some(url("other.tar")))),
        false,
    );
    assert!(output.contains("holds no genesis.json"), "{output}");
}

#[test]
fn an_address_book_comes_out_of_its_own_zip_and_is_fetched_once() {
    let container = Container::new();
    container.write("web/book.zip", "peers");
    let wanted = chain(|c| c.addrbook_url = Some(url("book.zip")));
    container.check(&addrbook_init(&wanted), true);
    assert_eq!(
        container.read("op/my chain/config/addrbook.json").unwrap(),
        "peers"
    );
    container.check(&addrbook_init(&wanted), true);
    assert_eq!(container.read("log").unwrap().lines().count(), 1);
    container.check(&addrbook_init(&chain(|_| ())), true);
}

#[test]
fn an_owners_script_runs_as_written_and_its_failure_counts() {
    let container = Container::new();
    let good = chain(|c| c.genesis_script = Some("echo \"it's $1\" >\"$GENESIS_FILE\"".to_owned()));
    container.check(&genesis_init(&good), true);
    assert_eq!(
        container.read("op/my chain/config/genesis.json").unwrap(),
        "it's \n"
    );
    let lenient = chain(|c| c.genesis_script = Some("false\ntrue".to_owned()));
    container.check(&genesis_init(&lenient), true);
    let bad = chain(|c| c.addrbook_script = Some("exit 5".to_owned()));
    container.check(&addrbook_init(&bad), false);
    let strict = chain(|c| c.snapshot_script = Some("false\ntrue".to_owned()));
    container.check(&snapshot_restore(&strict).unwrap(), false);
}

#[test]
fn config_merge_puts_the_key_and_both_files_in_place() {
    let container = Container::new();
    container.write("op/.config/node_key.json", "key");
    container.write("op/my chain/config/node_key.json", "of init");
    container.write("op/.config/config-overlay.toml", "b");
    container.write("op/.config/app-overlay.toml", "b");
    container.write("op/.tmp/config/config.toml", "a");
    container.check(&config_merge(), true);
    assert_eq!(
        container.read("op/my chain/config/node_key.json").unwrap(),
        "key"
    );
    assert_eq!(
        container.read("op/my chain/config/config.toml").unwrap(),
        "ab"
    );
    assert!(!container.has("op/my chain/config/app.toml"));
    let key = fs::metadata(container.path("op/my chain/config/node_key.json")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);

    container.write("bin/config-merge", "#!/bin/sh\necho half; exit 1\n");
    container.check(&config_merge(), false);
    assert_eq!(
        container.read("op/my chain/config/config.toml").unwrap(),
        "ab"
    );
}

#[test]
fn a_snapshot_is_restored_once_in_every_form() {
    for (name, flags) in [
        ("s.tar", "-c"),
        ("s.tar.gz", "-cz"),
        ("s.tar.gzip", "-cz"),
        ("s.tar.lz4", "-c"),
        ("s.tar.zst", "-c"),
    ] {
        let container = Container::new();
        container.pack(name, flags, &[("data/application.db/CURRENT", "new")]);
        let wanted = chain(|c| c.snapshot_url = Some(url(&format!("{name}?sig=1"))));
        let restore = snapshot_restore(&wanted).unwrap();
        container.check(&restore, true);
        let current = "op/my chain/data/application.db/CURRENT";
        assert_eq!(container.read(current).unwrap(), "new", "{name}");
        assert!(!container.has("op/my chain/.snapshot-restore"), "{name}");
        container.check(&restore, true);
        assert_eq!(container.read("log").unwrap().lines().count(), 1, "{name}");
    }
}

#[test]
fn a_restore_that_fails_leaves_no_database_that_looks_whole() {
    let container = Container::new();
    let big = "x".repeat(100_000);
    container.pack("cut.tar", "-c", &[("data/application.db/CURRENT", &big)]);
    container.write("op/my chain/data/priv_validator_state.json", "keep");
    for name in ["cut.tar", "absent.tar.lz4", "s.rar"] {
        let wanted = chain(|c| c.snapshot_url = Some(url(name)));
        container.check(&snapshot_restore(&wanted).unwrap(), false);
        assert!(!container.has("op/my chain/data/application.db"), "{name}");
        assert!(!container.has("op/my chain/.snapshot-restore"), "{name}");
    }
    assert!(container.has("op/my chain/data/priv_validator_state.json"));
}

#[test]
fn a_restore_that_was_cut_off_is_begun_anew() {
    let container = Container::new();
    container.write("op/my chain/.snapshot-restore", "");
    container.write("op/my chain/data/half.db/CURRENT", "half");
    container.pack("s.tar", "-c", &[("data/application.db/CURRENT", "new")]);
    let wanted = chain(|c| c.snapshot_url = Some(url("s.tar")));
    container.check(&snapshot_restore(&wanted).unwrap(), true);
    assert!(!container.has("op/my chain/data/half.db"));
    assert!(container.has("op/my chain/data/application.db"));
}

#[test]
fn a_sentry_waits_and_then_becomes_the_node() {
    let container = Container::new();
    container.write("bin/hubd", "#!/bin/sh\necho \"$# $3\"\nexit 9\n");
    fs::set_permissions(
        container.path("bin/hubd"),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    let words = ["hubd", "start", "--note", "a  'b'"].map(str::to_owned);
    let output = container.check(&sentry_start(7, &words), false);
    assert!(output.contains("3 a  'b'"), "{output}");
    assert_eq!(container.read("log").unwrap(), "sleep 7\n");
}

#[test]
fn no_script_holds_what_kubernetes_would_expand() {
    let chain = chain(|c| {
        c.genesis_url = Some(url("a"));
        c.addrbook_url = Some(url("a"));
        c.snapshot_url = Some(url("a"));
    });
    let all = [
        clean_init(),
        genesis_init(&chain),
        addrbook_init(&chain),
        config_merge(),
        snapshot_restore(&chain).unwrap(),
        sentry_start(1, &[]),
        vec![json!(CHAIN_INIT)],
    ];
    for text in all.iter().flatten().filter_map(Value::as_str) {
        assert!(!text.contains("$(") && !text.contains("$$"), "{text}");
    }
}
