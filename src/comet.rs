//! What a node says of itself: CometBFT's `/status`, asked for over plain HTTP. Knows nothing of pods.

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::net::TcpStream;

/// An answer is not longer.
const MOST: usize = 1 << 20;

/// What a node said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Where it is.
    Status {
        /// The height of its last block.
        height: u64,
        /// Whether it says that it catches up.
        is_catching_up: bool,
        /// When its last block was made.
        block_time: Option<Timestamp>,
    },
    /// Nothing that could be understood, and why.
    Nothing(String),
}

#[derive(Deserialize)]
struct Reply {
    result: Option<Body>,
}

#[derive(Deserialize)]
struct Body {
    sync_info: SyncInfo,
}

#[derive(Deserialize)]
struct SyncInfo {
    latest_block_height: String,
    #[serde(default)]
    latest_block_time: String,
    catching_up: bool,
}

/// Asks a node how it is.
///
/// # Errors
/// Says why there is no answer.
pub async fn status(host: &str, port: u16) -> Result<Said, String> {
    let body = get(host, port, "/status").await?;
    read(&body).ok_or_else(|| "it answers what no node of CometBFT would".to_owned())
}

/// Asks for a page, and waits for the answer as long as it takes.
///
/// # Errors
/// Says why there is none.
pub async fn get(host: &str, port: u16, page: &str) -> Result<Bytes, String> {
    let told = |error: &dyn std::error::Error| error.to_string();
    let stream = TcpStream::connect((host, port)).await;
    let stream = TokioIo::new(stream.map_err(|error| told(&error))?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream)
        .await
        .map_err(|error| told(&error))?;
    tokio::spawn(connection);
    let host = if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    };
    let request = http::Request::get(page)
        .header("host", host)
        .body(Empty::<Bytes>::new())
        .map_err(|error| told(&error))?;
    let answer = sender
        .send_request(request)
        .await
        .map_err(|error| told(&error))?;
    if !answer.status().is_success() {
        return Err(format!("it answers with {}", answer.status()));
    }
    let body = Limited::new(answer.into_body(), MOST).collect().await;
    Ok(body.map_err(|error| error.to_string())?.to_bytes())
}

/// Reads an answer: with the envelope of JSON-RPC, or without.
fn read(text: &[u8]) -> Option<Said> {
    let reply: Result<Reply, _> = serde_json::from_slice(text);
    let body = reply.ok().and_then(|reply| reply.result);
    let body = body.or_else(|| serde_json::from_slice(text).ok())?;
    let SyncInfo {
        latest_block_height,
        latest_block_time,
        catching_up,
    } = body.sync_info;
    Some(Said::Status {
        height: latest_block_height.parse().ok()?,
        is_catching_up: catching_up,
        block_time: latest_block_time.parse().ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_with_an_envelope_or_without() {
        let inner = r#"{"sync_info":{"latest_block_height":"12","latest_block_time":"2026-01-01T00:00:00.5Z","catching_up":false}}"#;
        let outer = format!(r#"{{"jsonrpc":"2.0","id":-1,"result":{inner}}}"#);
        for text in [inner, &outer] {
            let said = read(text.as_bytes()).unwrap();
            assert!(matches!(
                said,
                Said::Status {
                    height: 12,
                    is_catching_up: false,
                    block_time: Some(_)
                }
            ));
        }
        assert_eq!(read(b"{}"), None);
        assert_eq!(read(b"<html>"), None);
    }
}
