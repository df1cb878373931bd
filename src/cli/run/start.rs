//! From the arguments of `run` to the loop: the log, the signals, and who this replica is.

#![expect(
    clippy::disallowed_methods,
    reason = "the shell reads the environment, and passes values"
)]

use std::env;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, Registry, fmt};

use crate::apply::cluster;
use crate::cli::args::{LogForm, RunArgs};
use crate::cli::terminal::Terminal;
use crate::cli::{Exit, Failure, live, settings};
use crate::diagnostic::{Diagnostic, Reported};
use crate::disk;
use crate::runner::{self, Given, Lease, Options, Pace, Read, Settled};

use super::CONSEQUENCE;
use super::traces::Traces;

/// Where a pod finds its own namespace.
const NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";
const CLUSTER: &str = "cluster";

/// Starts the loop, and waits until it has ended.
pub(super) fn run(args: &RunArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let options = options(args).map_err(failed)?;
    let begun = |why: String| failed(live::fault(&why));
    let runtime = live::runtime().map_err(begun)?;
    runtime.block_on(async {
        let traces = log(args.log, terminal, &options.identity);
        let client = cluster::connect(&live::door(&args.door))
            .await
            .map_err(begun)?;
        let (tell, told) = watch::channel(false);
        tokio::spawn(signals(tell));
        let ran = runner::run(client, options, told).await;
        if let Some(traces) = traces {
            traces.end().await;
        }
        ran.map_err(|why| failed(Diagnostic::error("not-running", why)))
    })?;
    Ok(Exit::Done)
}

fn failed(fault: Diagnostic) -> Failure {
    Failure {
        diagnostics: vec![fault],
        consequence: CONSEQUENCE,
    }
}

/// Writes lines to standard error, and sends traces to whoever the environment names. What cannot be
/// traced is worth a line and no more: fleets are looked after all the same.
fn log(form: LogForm, terminal: &Terminal, identity: &str) -> Option<Traces> {
    let (traces, fault) = match Traces::begin(identity) {
        Ok(traces) => (traces, None),
        Err(fault) => (None, Some(fault)),
    };
    let lines = fmt::layer().with_writer(io::stderr).with_target(false);
    let lines = lines.with_ansi(terminal.is_coloured());
    let lines = match form {
        LogForm::Text => lines.boxed(),
        LogForm::Json => lines.json().flatten_event(true).boxed(),
    };
    let registry = Registry::default().with(lines.with_filter(LevelFilter::INFO));
    // a second log in one process is none
    let _ = registry.with(traces.as_ref().map(Traces::layer)).try_init();
    if let Some(fault) = fault {
        tracing::warn!("no traces are sent: {fault}");
    }
    traces
}

/// Waits for a signal to stop.
async fn signals(tell: watch::Sender<bool>) {
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return;
    };
    tokio::select! {
        _ = terminated.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    tracing::info!("told to stop: what has begun is done first");
    tell.send_replace(true);
    // whoever is told twice does not wait
    tokio::select! {
        _ = terminated.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    std::process::exit(130);
}

fn options(args: &RunArgs) -> Result<Options, Diagnostic> {
    let is_cluster = args.specs == [CLUSTER];
    if !is_cluster && args.specs.iter().any(|path| path == CLUSTER) {
        let fault = Diagnostic::error("usage", "documents come from the cluster or from files");
        return Err(fault.hint("give `--specs cluster` alone, or paths alone"));
    }
    if args.selector.is_some() && !is_cluster {
        let fault = Diagnostic::error("usage", "--selector chooses among documents in the cluster");
        return Err(fault.hint("name the files that are meant"));
    }
    let spans = [
        ("--probe-interval", args.probe_interval),
        ("--heal-interval", args.heal_interval),
    ];
    if let Some((flag, _)) = spans.into_iter().find(|(_, span)| span.seconds == 0) {
        let message = format!("{flag} must be a second at the least");
        return Err(Diagnostic::error("usage", message));
    }
    let identity = identity();
    let namespaces = match args.namespace.as_slice() {
        [] => "*".to_owned(),
        named => named.join(","),
    };
    let selector = args.selector.as_deref().unwrap_or_default();
    let lease = (!args.no_lease).then(|| Lease {
        namespace: args.lease_namespace.clone().unwrap_or_else(own_namespace),
        name: args.lease_name.clone(),
        identity: identity.clone(),
        scope: format!("{namespaces} {selector}").trim().to_owned(),
    });
    let paths = args.specs.clone();
    let folder: Read = Arc::new(move || given(&paths));
    Ok(Options {
        namespaces: args.namespace.clone(),
        selector: args.selector.clone(),
        folder: (!is_cluster).then_some(folder),
        helper_image: args.helper_image.clone(),
        is_dry: args.dry_run,
        refresh: args.refresh,
        lease,
        identity,
        listen: args.listen,
        probe_every: Duration::from_secs(args.probe_interval.seconds),
        at_once: args.at_once,
        pace: Pace {
            heal: Duration::from_secs(args.heal_interval.seconds),
            grow: span(args.grow_pause),
            snapshot: span(args.snapshot_timeout),
        },
    })
}

fn span(span: crate::model::duration::Duration) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(span.seconds).unwrap_or(i64::MAX))
}

/// Reads the documents of a folder, and the settings above them.
fn given(paths: &[String]) -> Reported<Given> {
    let read = disk::read(paths, &[], &mut io::empty(), &disk::Limits::default());
    let settings = settings::read(paths, None);
    let settled = Settled {
        helper_image: settings.value.helper_image.clone(),
    };
    let settled = (!settings.has_errors()).then_some(settled);
    Reported {
        value: Given {
            documents: read.value,
            settings: settled,
        },
        diagnostics: read
            .diagnostics
            .into_iter()
            .chain(settings.diagnostics)
            .collect(),
    }
}

/// Returns a name that no other replica has: that of the pod, with a number that a container which
/// started again does not have.
fn identity() -> String {
    let host = env::var("HOSTNAME").unwrap_or_else(|_| "cosmos-render".to_owned());
    let number = getrandom::u32().unwrap_or_else(|_| std::process::id());
    format!("{host}_{number:08x}")
}

fn own_namespace() -> String {
    let limits = disk::Limits::default();
    let read = disk::read(&[NAMESPACE.to_owned()], &[], &mut io::empty(), &limits);
    let text = read
        .value
        .first()
        .map(|source| String::from_utf8_lossy(&source.bytes));
    let text = text.map(|text| text.trim().to_owned());
    text.filter(|text| !text.is_empty())
        .unwrap_or_else(|| "default".to_owned())
}
