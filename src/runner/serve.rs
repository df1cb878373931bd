//! The runner's own pages: whether it is alive, whether it knows the cluster, and what it counts.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use tokio::net::TcpListener;

use super::shared::Shared;

/// A loop that has not turned for so long is stuck, in seconds.
const STUCK: u64 = 120;
/// Who takes longer to say what he wants is sent away.
const PATIENCE: Duration = Duration::from_secs(10);

/// When the loop turned last, in seconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Beat(AtomicU64);

impl Beat {
    pub(super) fn beat(&self) {
        self.0.store(seconds(), Ordering::Relaxed);
    }

    fn is_alive(&self) -> bool {
        seconds().saturating_sub(self.0.load(Ordering::Relaxed)) < STUCK
    }
}

fn seconds() -> u64 {
    u64::try_from(Timestamp::now().as_second()).unwrap_or_default()
}

/// Opens the port.
///
/// # Errors
/// Says why it cannot be had.
pub(super) async fn open(address: SocketAddr) -> Result<TcpListener, String> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| format!("{address} cannot be listened on: {error}"))
}

/// Answers for as long as the program runs.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>, beat: Arc<Beat>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (shared, beat) = (Arc::clone(&shared), Arc::clone(&beat));
        tokio::spawn(async move {
            let answer = service_fn(move |request: Request<Incoming>| {
                let answer = answer(&request, &shared, &beat);
                async move { Ok::<_, Infallible>(answer) }
            });
            let _ = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE)
                .serve_connection(TokioIo::new(stream), answer)
                .await;
        });
    }
}

fn answer<B>(request: &Request<B>, shared: &Shared, beat: &Beat) -> Response<Full<Bytes>> {
    const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    const TEXT: &str = "text/plain; charset=utf-8";
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let (status, kind, text) = match request.uri().path() {
        _ if !is_read => (
            StatusCode::METHOD_NOT_ALLOWED,
            TEXT,
            "only GET\n".to_owned(),
        ),
        "/healthz" if beat.is_alive() => (StatusCode::OK, TEXT, "ok\n".to_owned()),
        "/healthz" => {
            let text = "the loop is stuck\n".to_owned();
            (StatusCode::SERVICE_UNAVAILABLE, TEXT, text)
        }
        "/readyz" => match shared.unsynced() {
            left if left.is_empty() => (StatusCode::OK, TEXT, "ok\n".to_owned()),
            left => {
                let text = format!("not known yet: {}\n", left.join(", "));
                (StatusCode::SERVICE_UNAVAILABLE, TEXT, text)
            }
        },
        "/metrics" => (StatusCode::OK, METRICS, shared.metrics.text()),
        _ => {
            let text = "there are /healthz, /readyz and /metrics\n".to_owned();
            (StatusCode::NOT_FOUND, TEXT, text)
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let kind = http::HeaderValue::from_static(kind);
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: Method, path: &str, shared: &Shared, expected: u16) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(())
            .unwrap();
        let beat = Beat::default();
        beat.beat();
        assert_eq!(answer(&request, shared, &beat).status(), expected, "{path}");
    }

    #[test]
    fn it_is_ready_once_every_watch_has_told_of_everything() {
        let shared = Shared::default();
        shared.sync("pods", false);
        check(Method::GET, "/readyz", &shared, 503);
        shared.sync("pods", true);
        check(Method::GET, "/readyz", &shared, 200);
        check(Method::GET, "/healthz", &shared, 200);
        check(Method::GET, "/metrics", &shared, 200);
        check(Method::GET, "/", &shared, 404);
        check(Method::POST, "/metrics", &shared, 405);
    }

    #[test]
    fn a_loop_that_does_not_turn_is_not_alive() {
        let request = Request::builder().uri("/healthz").body(()).unwrap();
        let answered = answer(&request, &Shared::default(), &Beat::default());
        assert_eq!(answered.status(), 503);
    }
}
