//! What connections to other servers have in common: whom TLS trusts, and bytes that are encrypted or not.
//!
//! Idea: posts are fetched and buckets are kept over the same rustls with ring, which needs a C compiler and nothing else.
//! Invariant: a server is trusted by the authorities of one file, or by those that browsers trust; never by none. One whose very
//! certificate is in the file is trusted too: who made it by himself has nothing else to give, and most such certificates say that
//! they are authorities, which a server's must not be.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// Bytes both ways.
pub trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// What makes TLS of a connection, and trusts the authorities of this PEM file, or those that browsers trust.
///
/// # Errors
/// Why the file cannot be used: it cannot be read, or holds no certificate.
pub fn connector(authorities: Option<&Path>) -> Result<TlsConnector, String> {
    let (mut roots, mut given) = (RootCertStore::empty(), Vec::new());
    match authorities {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let pem = std::fs::read(path).map_err(|error| error.to_string())?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|error| error.to_string())?;
                roots.add(certificate.clone()).map_err(|error| error.to_string())?;
                given.push(certificate);
            }
            if roots.is_empty() {
                return Err("holds no certificate in PEM form".to_owned());
            }
        }
    }
    let provider = Arc::new(ring::default_provider());
    let signed = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let signed = signed.build().map_err(|error| error.to_string())?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has the protocol versions that rustls names safe")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(SignedOrGiven { signed, given }))
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// A connection to a server, by this TLS or in the clear. It waits for as long as the system does.
///
/// # Errors
/// Where there is no such name, nobody listens, or TLS does not come about; then the inner error is that of rustls.
pub async fn connect(host: &str, port: u16, tls: Option<&TlsConnector>) -> io::Result<Box<dyn Bytes>> {
    let tcp = TcpStream::connect((host, port)).await?;
    tcp.set_nodelay(true)?;
    let Some(tls) = tls else { return Ok(Box::new(tcp)) };
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    Ok(Box::new(tls.connect(name, tcp).await?))
}

/// Trusts what authorities have signed, and what was given itself. That a server has the key of its certificate is always verified.
#[derive(Debug)]
struct SignedOrGiven {
    signed: Arc<WebPkiServerVerifier>,
    given: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for SignedOrGiven {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.given.iter().any(|given| given == own) {
            return Ok(ServerCertVerified::assertion());
        }
        self.signed.verify_server_cert(own, others, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signed.supported_verify_schemes()
    }
}
