//! A client that speaks TLS, and one that does not, down to the bytes.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// An answer: its status, and all of it as text.
pub struct Answer {
    pub status: u16,
    pub text: String,
}

/// A connection, after the handshake.
pub struct Encrypted(StreamOwned<ClientConnection, TcpStream>);

/// A plain connection on which nothing takes for ever.
pub fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

impl Encrypted {
    /// Connects and shakes hands with a server that has this certificate.
    pub fn connect(address: &str, cert: &str) -> io::Result<Encrypted> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = StreamOwned::new(connection, connect(address));
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Encrypted(stream))
    }

    /// Asks, with further lines of the head, and reads the answer.
    pub fn get(&mut self, path: &str, headers: &str) -> io::Result<Answer> {
        get(&mut self.0, path, headers)
    }

    /// Sends bytes.
    pub fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
        self.0.flush().unwrap();
    }

    /// Reads until the server ends the connection.
    pub fn ends(&mut self) {
        let mut rest = Vec::new();
        // However it ends, it does.
        let _ = self.0.read_to_end(&mut rest);
    }
}

/// Asks on a connection, and reads the answer.
pub fn get(stream: &mut (impl Read + Write), path: &str, headers: &str) -> io::Result<Answer> {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n").as_bytes())?;
    stream.flush()?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length =
        head.split_once("content-length: ").map_or("0", |(_, rest)| rest.split('\r').next().unwrap());
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body)?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Answer { status, text: head + &String::from_utf8_lossy(&body) })
}
