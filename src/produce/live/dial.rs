//! A connection to a server: name, TCP, TLS.
//!
//! Idea: one way for websockets and for HTTP. The name is looked up for each connection, since servers move; TLS trusts
//! the authorities that browsers trust, or instead of them those of a file.
//! Invariant: a token goes over TLS, or to this machine itself, never in the clear to another. A server that does not
//! answer costs ten seconds a step.

use std::path::Path;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::address::Address;
use super::broken::Broken;
use crate::outward::{Bytes, connector};

const PATIENCE: Duration = Duration::from_secs(10);

/// A connection, encrypted or not.
pub type Wire = Box<dyn Bytes>;

/// Makes connections.
#[derive(Clone)]
pub struct Dialer {
    tls: TlsConnector,
}

/// The file of authorities cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("--ca-file {file}: {why}")]
pub struct AuthorityError {
    file: String,
    why: String,
}

impl Dialer {
    /// A dialer that trusts the authorities of this PEM file, or those that browsers trust.
    ///
    /// # Errors
    /// Where the file cannot be read or holds no certificate.
    pub fn new(authorities: Option<&Path>) -> Result<Self, AuthorityError> {
        let refused = |why| AuthorityError {
            file: authorities.map(|path| path.display().to_string()).unwrap_or_default(),
            why,
        };
        Ok(Self { tls: connector(authorities).map_err(refused)? })
    }

    /// Connects.
    ///
    /// # Errors
    /// `Network`, saying which step failed.
    pub async fn dial(&self, address: &Address) -> Result<Wire, Broken> {
        let fail = |why: String| Broken::Network(why);
        let tcp = timeout(PATIENCE, TcpStream::connect((address.host.as_str(), address.port)))
            .await
            .map_err(|_| fail(format!("no answer within {PATIENCE:?}")))?
            .map_err(|error| fail(error.to_string()))?;
        if !address.tls {
            return Ok(Box::new(tcp));
        }
        let name = ServerName::try_from(address.host.clone())
            .map_err(|_| Broken::Refused(format!("{:?} is no name that TLS knows", address.host)))?;
        let tls = timeout(PATIENCE, self.tls.connect(name, tcp))
            .await
            .map_err(|_| fail(format!("no TLS within {PATIENCE:?}")))?
            .map_err(|error| fail(format!("TLS: {error}")))?;
        Ok(Box::new(tls))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_authorities_that_holds_none_is_named() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, "no certificate").unwrap();
        let refused = Dialer::new(Some(&file)).err().expect("no certificate").to_string();
        assert!(refused.contains("ca.pem") && refused.contains("--ca-file"), "{refused}");
        assert!(Dialer::new(Some(Path::new("/nowhere.pem"))).is_err());
        assert!(Dialer::new(None).is_ok());
    }
}
