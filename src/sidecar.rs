//! What stands beside a node in its pod: a check of whether it is well, and one of whether it runs the
//! version that its height asks for. Both stand in for the reference's, with the same words.

pub mod health;
pub mod version;

/// Where a node answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rpc {
    /// The address as it was given.
    pub text: String,
    host: String,
    port: u16,
}

impl Rpc {
    /// Reads `http://localhost:26657`.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "expected an address such as http://localhost:26657".to_owned();
        let uri: http::Uri = text.parse().map_err(|_| wrong())?;
        let host = uri.host().ok_or_else(wrong)?;
        if uri.scheme_str() != Some("http") {
            return Err(wrong());
        }
        Ok(Self {
            text: text.to_owned(),
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(80),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_answers_at_a_host_and_a_port() {
        let found = Rpc::parse("http://localhost:26657").unwrap();
        assert_eq!((found.host.as_str(), found.port), ("localhost", 26657));
        let found = Rpc::parse("http://[::1]:1/").unwrap();
        assert_eq!((found.host.as_str(), found.port), ("::1", 1));
        assert_eq!(Rpc::parse("http://a").unwrap().port, 80);
        for text in ["", "localhost:1", "https://a", "tcp://a:1", "/a"] {
            assert!(Rpc::parse(text).is_err(), "{text}");
        }
    }
}
