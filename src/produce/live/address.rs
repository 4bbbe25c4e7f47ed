//! Where a source is.
//!
//! Idea: an address is checked when the command line is read, and only the parts of it that are needed are kept.
//! Invariant: it holds no user and no password, so that it can be shown anywhere.

use std::net::IpAddr;
use std::str::FromStr;

use hyper::Uri;

/// An address of a server: `https://host:port/path?query`, or with `http`, `ws` or `wss`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// A name, or an IP address without brackets.
    pub host: String,
    /// Its port, that of the scheme where none is written.
    pub port: u16,
    /// Path and query, `/` at least.
    pub path: String,
    scheme: String,
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let example = "write it as https://host/ or wss://host/path";
        let uri: Uri = text.parse().map_err(|error| format!("{error}; {example}"))?;
        let scheme = uri.scheme_str().map(str::to_ascii_lowercase).unwrap_or_default();
        let (tls, usual) = match scheme.as_str() {
            "https" | "wss" => (true, 443),
            "http" | "ws" => (false, 80),
            _ => return Err(format!("no address of a server; {example}")),
        };
        let authority = uri.authority().ok_or_else(|| format!("no host; {example}"))?;
        if authority.as_str().contains('@') {
            return Err("an address holds no user and no password: a token comes from a file".to_owned());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(format!("no host; {example}"));
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { tls, host, port: authority.port_u16().unwrap_or(usual), path, scheme })
    }
}

impl Address {
    /// The same server with another path and query.
    pub fn at(&self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self.clone() }
    }

    /// The same server with a path, and a query if there is one, that stand below the path which was written.
    pub fn below(&self, path: &str) -> Self {
        let above = self.path.split('?').next().unwrap_or_default();
        self.at(&format!("{}{path}", above.trim_end_matches('/')))
    }

    /// Whether a path was written.
    pub fn has_path(&self) -> bool {
        self.path != "/"
    }

    /// Whether it is this machine, where nobody listens in.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// The value of the header `Host`.
    pub fn host_header(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// Scheme and host, for people.
    pub fn shown(&self) -> String {
        format!("{}://{}", self.scheme, self.host_header())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let address: Address = "wss://jetstream.example/subscribe?a=b".parse().unwrap();
        assert!(address.tls && address.has_path());
        assert_eq!((address.port, address.path.as_str()), (443, "/subscribe?a=b"));
        assert_eq!(address.shown(), "wss://jetstream.example");
        let local: Address = "http://[::1]:8080".parse().unwrap();
        assert_eq!((local.host.as_str(), local.host_header().as_str()), ("::1", "[::1]:8080"));
        assert!(local.is_loopback() && !local.has_path() && !address.is_loopback());
    }

    #[test]
    fn a_path_that_is_written_stands_before_others() {
        let below = |text: &str| text.parse::<Address>().unwrap().below("/api?tag=a").path;
        for plain in ["https://example.org", "https://example.org/", "https://example.org/?b=c"] {
            assert_eq!(below(plain), "/api?tag=a", "{plain}");
        }
        for behind in
            ["https://example.org/proxy", "https://example.org/proxy/", "https://example.org/proxy?b=c"]
        {
            assert_eq!(below(behind), "/proxy/api?tag=a", "{behind}");
        }
    }

    #[test]
    fn what_is_no_address_or_holds_a_secret_is_refused() {
        for wrong in ["", "example.org", "ftp://example.org/", "https://", "/a", "https://u:p@example.org/"] {
            let refused = wrong.parse::<Address>().expect_err(wrong);
            assert!(!refused.contains("u:p"), "{refused}");
        }
    }
}
