//! Whether a node is well, as a page: 200 in sync, 422 behind, 503 where it does not answer; and how full a
//! file system is. Codes, members and paths are the reference's.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::fs::statfs;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch as signal;
use tokio::time::timeout;

use super::Rpc;
use crate::comet::{self, Said};

/// Who takes longer to say what he wants is sent away.
const PATIENCE: Duration = Duration::from_secs(10);

/// How the check runs.
#[derive(Debug)]
pub struct Check {
    /// Where the node answers.
    pub rpc: Rpc,
    /// How long it has for that.
    pub patience: Duration,
    /// The code that was answered last.
    last: AtomicU16,
}

impl Check {
    /// Makes a check of a node.
    #[must_use]
    pub fn new(rpc: Rpc, patience: Duration) -> Self {
        Self {
            rpc,
            patience,
            last: AtomicU16::new(0),
        }
    }
}

/// Answers until it is told to stop, at the first of these addresses that can be had.
///
/// # Errors
/// Says why the port cannot be had.
pub async fn serve(
    check: Check,
    addresses: &[SocketAddr],
    mut stop: signal::Receiver<bool>,
) -> Result<(), String> {
    let listener = TcpListener::bind(addresses).await;
    let listener =
        listener.map_err(|error| format!("{addresses:?} cannot be listened on: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    tracing::info!(%address, rpc = check.rpc.text, "listens");
    let check = Arc::new(check);
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let check = Arc::clone(&check);
        tokio::spawn(async move {
            let answer = service_fn(|request: Request<Incoming>| {
                let check = Arc::clone(&check);
                async move { Ok::<_, Infallible>(answer(&request, &check).await) }
            });
            let _ = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE)
                .serve_connection(TokioIo::new(stream), answer)
                .await;
        });
    }
}

async fn answer<B>(request: &Request<B>, check: &Check) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return page(
            StatusCode::METHOD_NOT_ALLOWED,
            &json!({"error": "only GET"}),
        );
    }
    if request.uri().path() == "/disk" {
        let query = request.uri().query().unwrap_or_default();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let folder = pairs.find(|(name, _)| name == "dir");
        let folder = folder.map(|(_, folder)| folder.into_owned());
        // a file system may take its time, or never answer
        let found = tokio::task::spawn_blocking(move || disk(folder.as_deref()));
        let (status, body) = match timeout(PATIENCE, found).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) | Err(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                json!({"error": "the file system does not answer"}),
            ),
        };
        return page(status, &body);
    }
    let (status, body) = node(check).await;
    if check.last.swap(status.as_u16(), Ordering::Relaxed) != status.as_u16() {
        tracing::info!(code = status.as_u16(), answer = %body, "the node is another than before");
    }
    page(status, &body)
}

/// Asks the node.
async fn node(check: &Check) -> (StatusCode, Value) {
    let Rpc { text, host, port } = &check.rpc;
    let said = timeout(check.patience, comet::status(host, *port)).await;
    let why = match said {
        Ok(Ok(Said::Status { is_catching_up, .. })) => {
            let status = if is_catching_up {
                StatusCode::UNPROCESSABLE_ENTITY
            } else {
                StatusCode::OK
            };
            return (status, json!({"address": text, "in_sync": !is_catching_up}));
        }
        Ok(Ok(Said::Nothing(why)) | Err(why)) => why,
        Err(_) => "it does not answer in time".to_owned(),
    };
    let body = json!({"address": text, "in_sync": false, "error": why});
    (StatusCode::SERVICE_UNAVAILABLE, body)
}

/// Returns how full the file system of a folder is.
fn disk(folder: Option<&str>) -> (StatusCode, Value) {
    let Some(folder) = folder.filter(|folder| !folder.is_empty()) else {
        let body = json!({"dir": "", "error": "query param dir must be specified"});
        return (StatusCode::BAD_REQUEST, body);
    };
    match statfs(Path::new(folder)) {
        Ok(found) => {
            let size = u64::try_from(found.f_bsize).unwrap_or_default();
            let bytes = |blocks: u64| blocks.saturating_mul(size);
            let (all, free) = (bytes(found.f_blocks), bytes(found.f_bfree));
            let body = json!({"dir": folder, "all_bytes": all, "free_bytes": free});
            (StatusCode::OK, body)
        }
        Err(error) => {
            let body = json!({"dir": folder, "error": error.to_string()});
            (StatusCode::INTERNAL_SERVER_ERROR, body)
        }
    }
}

fn page(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(format!("{body}\n"))));
    *response.status_mut() = status;
    let kind = http::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(folder: Option<&str>, code: u16, members: &[&str]) {
        let (status, body) = disk(folder);
        assert_eq!(status, code);
        let found: Vec<&str> = body
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(found, members);
    }

    #[test]
    fn a_folder_tells_how_full_its_file_system_is() {
        check(Some("/"), 200, &["all_bytes", "dir", "free_bytes"]);
        check(Some("/no/such/folder"), 500, &["dir", "error"]);
        check(Some("a\0b"), 500, &["dir", "error"]);
        check(Some(""), 400, &["dir", "error"]);
        check(None, 400, &["dir", "error"]);
    }
}
