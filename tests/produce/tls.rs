//! TLS towards a source, which is in every build.

use std::net::TcpListener;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};
use tokio_tungstenite::tungstenite::{Message, accept};

use crate::bluesky::{id, now_us, post};
use crate::producing::Producing;
use crate::support::broker::Embedded;
use crate::written::{awaits, keys};

/// A websocket server for `localhost` with a certificate of an authority of its own; its port, and the authority in PEM.
fn server() -> (u16, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tls = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
            std::thread::spawn(move || {
                let Ok(mut socket) = accept(tls) else { return };
                let _ = socket.send(Message::text(post(1, now_us())));
                while socket.read().is_ok() {}
            });
        }
    });
    (port, authority.pem())
}

#[test]
fn a_server_is_trusted_by_its_authority_and_not_without() {
    let broker = Embedded::start(&[("posts", 1)]);
    let (port, authority) = server();
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, authority).unwrap();
    let (brokers, url) = (broker.brokers(), format!("wss://localhost:{port}"));
    let arguments = ["bluesky", "--brokers", &brokers, "--topic", "posts", "--url", &url];
    let mut untrusting = Producing::start(&arguments, &[]);
    untrusting.says("TLS: ", 1);
    let ended = untrusting.stop();
    assert!(ended.well().contains("0 posts, ") && ended.said.contains("UnknownIssuer"), "{}", ended.said);
    let trusting =
        Producing::start(&[arguments.as_slice(), &["--ca-file", file.to_str().unwrap()]].concat(), &[]);
    assert_eq!(keys(&awaits(&broker.brokers(), "posts", 1)), [id(1)]);
    trusting.stop().well();
}
