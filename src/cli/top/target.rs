//! The address of an engine.
//!
//! Invariant: it has a host and a port, and a path that ends without a slash, in front of the interface's own paths.

use std::fmt;
use std::str::FromStr;

use hyper::Uri;

/// Where an engine answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Name or address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What `Host` says.
    pub authority: String,
    /// Whether TLS is spoken there.
    pub tls: bool,
    path: String,
}

impl Target {
    /// A path of the interface, as it is asked for there.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.path)
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Target, String> {
        const FORM: &str = "give an address such as http://127.0.0.1:8080";
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = with_scheme.parse().map_err(|error| format!("{error}; {FORM}"))?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(format!("only http and https are spoken here; {FORM}")),
        };
        if uri.query().is_some() {
            return Err(format!("what stands behind the question mark is asked for by other flags; {FORM}"));
        }
        let authority = uri.authority().ok_or_else(|| format!("a host is missing; {FORM}"))?;
        if authority.as_str().contains('@') {
            return Err("names and passwords do not belong in an address; give --token-file".to_owned());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(format!("a host is missing; {FORM}"));
        }
        // An IPv6 address has colons of its own, within its brackets.
        let port = match authority.as_str().rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) {
            Some((_, port)) => port.parse().map_err(|_| format!("{port:?} is no port; {FORM}"))?,
            None if tls => 443,
            None => 80,
        };
        let path = uri.path().trim_end_matches('/').to_owned();
        Ok(Target { host, port, authority: authority.as_str().to_owned(), tls, path })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", if self.tls { "https" } else { "http" }, self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_refused() {
        let target: Target = "http://[::1]:9/a/".parse().expect("valid");
        assert_eq!(
            (target.host.as_str(), target.port, target.path("/v1/events")),
            ("::1", 9, "/a/v1/events".into())
        );
        assert_eq!(target.to_string(), "http://[::1]:9/a");
        let target: Target = "localhost:8080".parse().expect("valid");
        assert_eq!((target.to_string().as_str(), target.path("/x")), ("http://localhost:8080", "/x".into()));
        let target: Target = "https://counts.example/".parse().expect("valid");
        assert_eq!((target.to_string().as_str(), target.port), ("https://counts.example", 443));
        for wrong in ["", "http://", "ftp://a", "http://a/?k=1", "https://u:p@a", "http://a b", "a:99999x"] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }
}
