//! Who the server is, towards clients that come with TLS: a certificate and its key.
//!
//! Idea: both are read, held against each other and looked at for their time before anybody connects, so that a mistake
//! is said in words at the start and not as an alert at a client.
//! Invariant: an [`Identity`] can be served: the key belongs to the first certificate. An expired one is served too, with
//! a warning, since a reload or a restart with it must not take down what is running.
//! Cost: some milliseconds a reload; a handshake costs about a millisecond of a core.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{Error, InconsistentKeys, ServerConfig};
use webpki::{EndEntityCert, KeyUsage};

use super::AccessError;
use super::files;

const CERT: &str = "http.tls_cert";
const KEY: &str = "http.tls_key";

/// Bytes of a file, at most; chains have some ten thousand.
const LARGEST: usize = 1 << 20;

/// Before a certificate expires by this, it is warned of.
const SOON: Duration = Duration::from_secs(7 * 24 * 3600);

/// A certificate chain with its key, ready for handshakes.
pub struct Identity {
    /// For handshakes.
    pub tls: Arc<ServerConfig>,
    /// When the certificate expires, in Unix seconds; `None` where it does not say.
    pub expires: Option<u64>,
}

impl Identity {
    /// Reads both files, in PEM.
    ///
    /// # Errors
    /// Says which file is wrong, and what it should hold.
    pub fn read(cert: &Path, key: &Path) -> Result<Identity, AccessError> {
        let chain = chain(cert)?;
        let provider = Arc::new(ring::default_provider());
        let expires = chain.first().and_then(expires);
        let key_der = private_key(key)?;
        let signing = provider.key_provider.load_private_key(key_der);
        let signing =
            signing.map_err(|error| AccessError::new(KEY, key, format!("cannot be used: {error}")))?;
        let certified = CertifiedKey::new(chain, signing);
        match certified.keys_match() {
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(Error::InconsistentKeys(_)) => {
                let fault = format!(
                    "does not belong to the first certificate in {}, which must be that of this server",
                    cert.display()
                );
                return Err(AccessError::new(KEY, key, fault));
            }
            Err(error) => {
                return Err(AccessError::new(
                    CERT,
                    cert,
                    format!("its first certificate cannot be used: {error}"),
                ));
            }
        }
        let tls = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let tls = tls.expect("ring has the cipher suites of both versions");
        let mut tls =
            tls.with_no_client_auth().with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Identity { tls: Arc::new(tls), expires })
    }

    /// What is to be said of its time at `now`, in Unix seconds.
    pub fn warning(&self, now: u64) -> Option<String> {
        let expires = self.expires?;
        let at = jiff::Timestamp::from_second(i64::try_from(expires).ok()?).ok()?;
        match expires.checked_sub(now) {
            None => {
                Some(format!("the certificate expired at {at}: clients refuse it; renew it and send SIGHUP"))
            }
            Some(left) if left < SOON.as_secs() => {
                Some(format!("the certificate expires at {at}; renew it and send SIGHUP"))
            }
            Some(_) => None,
        }
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, AccessError> {
    let pem = files::read(CERT, path, LARGEST)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(|error| AccessError::new(CERT, path, format!("is no valid PEM: {error}")))?;
    if chain.is_empty() {
        let fault = "holds no certificate; it must be PEM with BEGIN CERTIFICATE, the server's own first";
        return Err(AccessError::new(CERT, path, fault));
    }
    Ok(chain)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, AccessError> {
    let pem = files::read(KEY, path, LARGEST)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
        let fault = "holds no private key that can be read; it must be PEM with BEGIN PRIVATE KEY (or RSA or EC), \
                     not encrypted";
        AccessError::new(KEY, path, fault)
    })
}

/// When a certificate expires. Verified for a time that no certificate reaches, it is refused with its own end; that
/// check comes before all that would need to know who signed it.
fn expires(certificate: &CertificateDer<'_>) -> Option<u64> {
    let never = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
    let certificate = EndEntityCert::try_from(certificate).ok()?;
    match certificate.verify_for_usage(&[], &[], &[], never, KeyUsage::server_auth(), None, None) {
        Err(webpki::Error::CertExpired { not_after, .. }) => Some(not_after.as_secs()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn made(not_after: (i32, u8, u8)) -> (String, String) {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        (params.not_before, params.not_after) =
            (date_time_ymd(2020, 1, 1), date_time_ymd(not_after.0, not_after.1, not_after.2));
        let key = KeyPair::generate().expect("a key");
        (params.self_signed(&key).expect("signed").pem(), key.serialize_pem())
    }

    fn read(cert: &str, key: &str) -> Result<Identity, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let (cert_path, key_path) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        fs::write(&cert_path, cert).expect("written");
        fs::write(&key_path, key).expect("written");
        let folder = folder.path().display().to_string();
        Identity::read(&cert_path, &key_path).map_err(|error| error.to_string().replace(&folder, ""))
    }

    #[test]
    fn a_certificate_says_when_it_ends() {
        let (cert, key) = made((2024, 1, 1));
        let identity = read(&cert, &key).expect("they fit");
        let end = 1_704_067_200;
        assert_eq!(identity.expires, Some(end));
        assert_eq!(identity.warning(end - 8 * 24 * 3600), None);
        let soon = identity.warning(end - 3600).unwrap_or_default();
        assert!(soon.contains("expires at 2024-01-01T00:00:00Z"), "{soon}");
        let late = identity.warning(end + 1).unwrap_or_default();
        assert!(late.contains("expired at 2024-01-01T00:00:00Z"), "{late}");
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let ((cert, key), (other, other_key)) = (made((2030, 1, 1)), made((2030, 1, 1)));
        assert!(read(&format!("{cert}{other}"), &key).is_ok());
        for (cert, key, parts) in [
            (cert.as_str(), other_key.as_str(), ["`http.tls_key`: /key.pem", "does not belong to the first"]),
            (&format!("{other}{cert}"), &key, ["`http.tls_key`: /key.pem", "must be that of this server"]),
            ("", &key, ["`http.tls_cert`: /cert.pem", "holds no certificate"]),
            (&key, &key, ["`http.tls_cert`: /cert.pem", "holds no certificate"]),
            (&cert, "", ["`http.tls_key`: /key.pem", "holds no private key"]),
            (&cert, &key.replace("PRIVATE", "ENCRYPTED PRIVATE"), ["`http.tls_key`", "not encrypted"]),
            (
                &cert,
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                ["`http.tls_key`", "cannot be used"],
            ),
            (&cert[..100], &key, ["`http.tls_cert`: /cert.pem", "is no valid PEM"]),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                &key,
                ["`http.tls_cert`", "cannot be used"],
            ),
        ] {
            let error = read(cert, key).err().unwrap_or_default();
            assert!(parts.iter().all(|part| error.contains(part)), "{parts:?}: {error}");
        }
    }
}
