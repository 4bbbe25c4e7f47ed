//! Binding, before anything else is started.
//!
//! Idea: an address that cannot be had is the commonest mistake of all, so it is found at the start and said with what
//! to do about it.
//! Invariant: a [`Listener`] holds all addresses of the configuration, or there is none.
//! Cost: a socket an address.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};

use super::access::{Access, AccessError};
use crate::config::Http;
use crate::open_files;

/// Bytes that the system holds for a client that does not read, and as many again for its own books. Left alone, it would
/// let them grow to megabytes, and a slow follower of a stream would be shown minutes of the past.
const SEND_BUFFER: u32 = 128 << 10;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// Bound addresses, on which [`super::run`] serves.
#[derive(Debug)]
pub struct Listener {
    pub(super) main: Arc<TcpListener>,
    pub(super) health: Option<Arc<TcpListener>>,
    pub(super) most: usize,
    pub(super) most_streams: usize,
    pub(super) access: Access,
    address: SocketAddr,
    health_address: Option<SocketAddr>,
}

impl Listener {
    /// The address that was bound; where port 0 was asked for, with the port that was found.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The same of the listener for health and metrics, if there is one.
    pub fn health_addr(&self) -> Option<SocketAddr> {
        self.health_address
    }

    /// Who may ask; to be told when its files are to be read anew.
    pub fn access(&self) -> Access {
        self.access.clone()
    }
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A file that says who may ask cannot be used.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// An address cannot be bound.
    #[error("cannot listen on {address}: {error}; {advice}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        error: io::Error,
        /// What to do about it.
        advice: String,
    },
}

/// Reads the files that say who may ask and binds the addresses of the configuration; must be called within a tokio runtime.
///
/// # Errors
/// Names the file that cannot be used or the address that cannot be bound, and what to do.
pub async fn listen(http: &Http) -> Result<Listener, ServeError> {
    let access = Access::load(http)?;
    let (main, address) = bind(http.bind, "`--bind` or `http.bind`").await?;
    let (health, health_address) = match http.health_bind {
        Some(address) => Some(bind(address, "`http.health_bind`").await?).unzip(),
        None => (None, None),
    };
    let (main, health) = (Arc::new(main), health.map(Arc::new));
    let most = open_files::for_clients(http.max_connections);
    let most_streams = http.max_streams.min(most);
    Ok(Listener { main, health, most, most_streams, access, address, health_address })
}

async fn bind(address: SocketAddr, setting: &str) -> Result<(TcpListener, SocketAddr), ServeError> {
    let bound = async {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A port that the process before has just left.
        socket.set_reuseaddr(true)?;
        // Connections have it from their listener.
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    bound.await.map_err(|error: io::Error| {
        let advice = match error.kind() {
            io::ErrorKind::AddrInUse => {
                format!("stop the program that uses it, or choose another with {setting}")
            }
            io::ErrorKind::PermissionDenied => format!("choose a port from 1024 up with {setting}"),
            io::ErrorKind::AddrNotAvailable => {
                format!("this host has no such address, choose one that it has with {setting}")
            }
            _ => format!("choose another with {setting}"),
        };
        ServeError::Listen { address, error, advice }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_in_use_is_named() {
        let (taken, address) =
            bind("127.0.0.1:0".parse().expect("an address"), "it").await.expect("a free port");
        let error = bind(address, "`--bind`").await.expect_err("in use").to_string();
        assert!(error.contains(&address.to_string()) && error.contains("`--bind`"), "{error}");
        drop(taken);
    }

    #[tokio::test]
    async fn an_address_of_another_host_is_refused() {
        let error = bind("192.0.2.1:0".parse().expect("an address"), "`--bind`").await.expect_err("not ours");
        assert!(error.to_string().contains("no such address"), "{error}");
    }
}
