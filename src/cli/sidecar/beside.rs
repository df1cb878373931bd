//! From the arguments of `sidecar` to the checks: the log, the signals, and which pod this is.

#![expect(
    clippy::disallowed_methods,
    reason = "the shell reads the environment and the disk, and passes values"
)]

use std::env;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;

use crate::apply::cluster::{self, Door};
use crate::cli::args::{HealthcheckArgs, SidecarCommand, VersionCheckArgs};
use crate::cli::terminal::Terminal;
use crate::cli::{Exit, Failure, live};
use crate::diagnostic::Diagnostic;
use crate::sidecar::Rpc;
use crate::sidecar::health::{self, Check};
use crate::sidecar::version::{self, Subject, Verdict};

use super::CONSEQUENCE;

/// The note that the Cosmos SDK leaves where a node halts for an upgrade.
const NOTE: &str = "upgrade-info.json";

pub(super) fn run(command: &SidecarCommand, terminal: &Terminal) -> Result<Exit, Failure> {
    let lines = fmt()
        .with_writer(io::stderr)
        .with_target(false)
        .with_ansi(terminal.is_coloured())
        .with_max_level(LevelFilter::INFO);
    // a second log in one process is none
    let _ = lines.try_init();
    let runtime = live::runtime().map_err(|why| failed(&why))?;
    let ran = runtime.block_on(async {
        let (tell, told) = watch::channel(false);
        tokio::spawn(signals(tell));
        match command {
            SidecarCommand::Healthcheck(args) => healthcheck(args, told).await,
            SidecarCommand::VersionCheck(args) => version_check(args, told).await,
        }
    });
    // a file system that never answers would keep the program for ever
    runtime.shutdown_background();
    ran.map_err(|why| failed(&why))
}

fn failed(why: &str) -> Failure {
    Failure {
        diagnostics: vec![Diagnostic::error("not-checked", why)],
        consequence: CONSEQUENCE,
    }
}

async fn signals(tell: watch::Sender<bool>) {
    if let Ok(mut terminated) = signal(SignalKind::terminate()) {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    tell.send_replace(true);
}

async fn healthcheck(args: &HealthcheckArgs, told: watch::Receiver<bool>) -> Result<Exit, String> {
    let rpc = rpc(&args.rpc_host)?;
    let patience = Duration::from_secs(args.timeout.seconds.max(1));
    health::serve(Check::new(rpc, patience), &args.listen.0, told).await?;
    Ok(Exit::Done)
}

async fn version_check(
    args: &VersionCheckArgs,
    told: watch::Receiver<bool>,
) -> Result<Exit, String> {
    let found = match subject(args).await {
        Ok(subject) if args.daemon => version::again(&subject, told).await,
        Ok(subject) => version::once(&subject).await,
        Err(why) => Err(why),
    };
    match found {
        Ok(Verdict::Well(why)) => {
            tracing::info!("{why}");
            Ok(Exit::Done)
        }
        Err(why) if args.goes_on => {
            tracing::warn!("{why}");
            Ok(Exit::Done)
        }
        Ok(Verdict::Wrong(why)) | Err(why) => Err(why),
    }
}

async fn subject(args: &VersionCheckArgs) -> Result<Subject, String> {
    let pod = env::var("HOSTNAME").map_err(|_| "HOSTNAME does not say which pod this is")?;
    let client = cluster::connect(&Door::default()).await?;
    let note = env::var_os("DATA_DIR").map(|folder| PathBuf::from(folder).join(NOTE));
    let noted = move || {
        let text = fs::read_to_string(note.as_ref()?).ok()?;
        version::noted(&text)
    };
    Ok(Subject {
        namespace: client.default_namespace().to_owned(),
        client,
        pod,
        rpc: rpc(&args.rpc_host)?,
        noted: Box::new(noted),
    })
}

fn rpc(text: &str) -> Result<Rpc, String> {
    Rpc::parse(text).map_err(|why| format!("--rpc-host: {why}"))
}
