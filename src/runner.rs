//! The loop inside a cluster: watches, plans, does the next wave of each fleet, and looks again. Adds
//! nothing to what is decided: each plan is the one that `plan` would print.

mod act;
mod documents;
mod duties;
mod fleets;
mod job;
mod keys;
mod lag;
mod lease;
mod metrics;
mod others;
mod peers;
mod plan;
mod probe;
mod removal;
mod report;
mod serve;
mod shared;
mod store;
mod watch;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::sync::watch as signal;

use crate::apply::capture;
use crate::apply::resources::Place;
use crate::model::Kind;
use crate::model::image::Image;

pub use documents::{Given, Read, Settled};
pub use duties::Pace;
pub use lease::Wanted as Lease;

use duties::{Duties, Known};
use fleets::Fleets;
use others::Others;
use serve::Beat;
use shared::Shared;

/// How the loop runs.
pub struct Options {
    /// The namespaces that are looked after; all where none is named.
    pub namespaces: Vec<String>,
    /// Labels that the documents in the cluster must have.
    pub selector: Option<String>,
    /// Where documents are read from; `None` for those in the cluster.
    pub folder: Option<Read>,
    /// The image of this program that the checks beside nodes run, whatever the settings of the
    /// documents' folder say.
    pub helper_image: Option<Image>,
    /// Whether nothing is done but plan.
    pub is_dry: bool,
    /// Whether what waits for the next restart is rolled out now.
    pub refresh: bool,
    /// The Lease of who acts; `None` where there is but one replica.
    pub lease: Option<Lease>,
    /// Who this replica is.
    pub identity: String,
    /// Where the pages are.
    pub listen: Option<SocketAddr>,
    /// How often nodes that are in sync are asked.
    pub probe_every: Duration,
    /// How many fleets are acted on at a time.
    pub at_once: usize,
    /// The pace of what is done for fleets beside rollouts.
    pub pace: Pace,
}

/// Runs until `stop` says so.
///
/// # Errors
/// Says why the loop cannot begin.
pub async fn run(
    client: Client,
    options: Options,
    stop: signal::Receiver<bool>,
) -> Result<(), String> {
    let shared = Arc::new(Shared::default());
    let beat = Arc::new(Beat::default());
    beat.beat();
    if let Some(address) = options.listen {
        let listener = serve::open(address).await?;
        tokio::spawn(serve::serve(
            listener,
            Arc::clone(&shared),
            Arc::clone(&beat),
        ));
    }
    let places = places(&client, &options).await?;
    watch_all(&client, &places, &options, &shared);
    tokio::spawn(probe::ask(Arc::clone(&shared), options.probe_every));
    let others = Arc::new(Others::default());
    if !options.is_dry {
        others::expect(&shared);
        let known = (Arc::clone(&others), Arc::clone(&shared));
        let follow = others::follow(client.clone(), options.namespaces.clone(), known);
        tokio::spawn(follow);
    }
    let (held, holds) = signal::channel(options.lease.is_none());
    let (end, ended) = signal::channel(false);
    let lease = options
        .lease
        .clone()
        .filter(|_| !options.is_dry)
        .map(|wanted| {
            let shared = Arc::clone(&shared);
            tokio::spawn(lease::hold(
                client.clone(),
                wanted,
                held,
                ended.clone(),
                shared,
            ))
        });
    let duties = begin_duties(&client, (&options, &holds), (&shared, &others), &places).await?;
    let duties = duties.map(|duties| tokio::spawn(duties.keep(stop.clone())));
    let mut fleets = Fleets::new(client, options, (shared, others), holds);
    fleets.run(stop, &beat).await;
    if let Some(duties) = duties {
        let _ = duties.await;
    }
    // nobody else may begin before all is done that was begun here
    end.send_replace(true);
    if let Some(lease) = lease {
        let _ = lease.await;
    }
    Ok(())
}

/// Begins to watch what duties are about; returns who sees to them.
async fn begin_duties(
    client: &Client,
    (options, holds): (&Options, &signal::Receiver<bool>),
    (shared, others): (&Arc<Shared>, &Arc<Others>),
    places: &[Place],
) -> Result<Option<Duties>, String> {
    if options.is_dry {
        return Ok(None);
    }
    let mut kinds = places.iter().map(|place| place.kind);
    let known = Arc::new(Known::new(kinds.any(|kind| kind == Kind::VolumeSnapshot)));
    duties::follow(client, &options.namespaces, (&known, shared)).await?;
    Ok(Some(Duties {
        client: client.clone(),
        pace: options.pace,
        own: options.lease.clone(),
        shared: Arc::clone(shared),
        others: Arc::clone(others),
        known,
        identity: options.identity.clone(),
        holds: holds.clone(),
    }))
}

/// Finds out what there is to watch.
async fn places(client: &Client, options: &Options) -> Result<Vec<Place>, String> {
    let places = capture::places(client).await?;
    let has_documents = places
        .iter()
        .any(|place| place.kind == Kind::CosmosFullNode);
    if !has_documents && options.folder.is_none() {
        let hint = "`cosmos-render crd | kubectl apply --server-side -f -`";
        return Err(format!(
            "the cluster knows no CosmosFullNode: teach it with {hint}"
        ));
    }
    Ok(places)
}

fn watch_all(client: &Client, places: &[Place], options: &Options, shared: &Arc<Shared>) {
    for place in places {
        let of_documents = options.selector.clone();
        let selector = of_documents.filter(|_| place.kind == Kind::CosmosFullNode);
        for namespace in place.among(&options.namespaces) {
            shared.sync(&watch::name(place, namespace), false);
            let what = watch::What {
                place: place.clone(),
                namespace: namespace.map(str::to_owned),
                selector: selector.clone(),
            };
            tokio::spawn(watch::watch(client.clone(), what, Arc::clone(shared)));
        }
    }
}
