//! Token and certificate in use, and read anew at SIGHUP.

use std::process::Command;

use crate::certificates::{make, until};
use crate::client::{Encrypted, connect, get};
use crate::{TLS, TOKEN, start, write};

const FIRST: &str = "the-first-token-is-long-enough";
const SECOND: &str = "the-second-token-is-long-enough";

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

#[test]
fn another_token_holds_from_the_next_request_on() {
    let mut running = start(&[("token", &format!("{FIRST}\n"))], TOKEN);
    let server = &mut running.server;
    let (address, folder) = (server.address().to_owned(), server.folder().to_owned());
    let mut open = connect(&address);
    let mut status = |token: &str| get(&mut open, "/v1/counts", &bearer(token)).unwrap().status;
    assert_eq!((status(FIRST), status(SECOND)), (200, 401));
    assert_eq!(get(&mut connect(&address), "/livez", "").unwrap().status, 200);
    assert_eq!(get(&mut connect(&address), "/metrics", "").unwrap().status, 401);

    write(&folder, "token", SECOND);
    assert_eq!(status(FIRST), 200, "nothing changes before the signal");
    server.signal("HUP");
    server.says("the token has been read anew", 1);
    assert_eq!((status(FIRST), status(SECOND)), (401, 200));

    for (broken, times) in [("", 1), ("two words", 2)] {
        write(&folder, "token", broken);
        server.signal("HUP");
        server.says("the token is kept as it was", times);
        assert_eq!((status(FIRST), status(SECOND), status(broken)), (401, 200, 401));
    }
    std::fs::remove_file(folder.join("token")).unwrap();
    server.signal("HUP");
    server.says("there is no such file", 1);
    assert_eq!((status(""), status(SECOND)), (401, 200));
    assert!(!server.log().contains(FIRST) && !server.log().contains(SECOND), "a token is in the log");
    assert!(server.terminate().0.success());
}

#[test]
fn another_certificate_holds_from_the_next_connection_on() {
    let (first, second) = (make(), make());
    let mut running = start(&first.files(), &format!("{TLS}\nhealth_bind = \"127.0.0.1:0\""));
    let server = &mut running.server;
    let (address, folder) = (server.address().to_owned(), server.folder().to_owned());
    let mut open = Encrypted::connect(&address, &first.cert).unwrap();
    assert_eq!(open.get("/v1/counts", "").unwrap().status, 200);
    assert!(Encrypted::connect(&address, &second.cert).is_err(), "the client trusts another one");

    // A certificate whose key has not come yet is not taken.
    write(&folder, "cert.pem", &second.cert);
    server.signal("HUP");
    server.says("the certificate is kept as it was", 1);
    server.says("does not belong to the first certificate", 1);
    assert_eq!(Encrypted::connect(&address, &first.cert).unwrap().get("/livez", "").unwrap().status, 200);

    write(&folder, "key.pem", &second.key);
    server.signal("HUP");
    server.says("the certificate has been read anew", 1);
    assert_eq!(
        Encrypted::connect(&address, &second.cert).unwrap().get("/v1/counts", "").unwrap().status,
        200
    );
    assert!(Encrypted::connect(&address, &first.cert).is_err());
    assert_eq!(open.get("/v1/counts", "").unwrap().status, 200, "an open connection goes on");

    let log = server.log();
    let (_, health) = log.split_once("health and metrics on http://").unwrap();
    let health = health.lines().next().unwrap();
    let metrics = get(&mut connect(health), "/metrics", "").unwrap();
    assert!(
        metrics.text.contains("tidings_tls_certificate_expiry_timestamp_seconds 4102444800"),
        "{}",
        metrics.text
    );
    assert!(server.terminate().0.success());
}

#[test]
fn an_expired_certificate_is_served_with_a_warning() {
    let made = until(2024);
    let mut running = start(&made.files(), TLS);
    running.server.says("the certificate expired at 2024-01-01T00:00:00Z", 1);
    assert!(running.server.lives());
}

#[test]
fn a_token_over_tls() {
    let made = make();
    let [cert, key] = made.files();
    let mut running = start(&[cert, key, ("token", FIRST)], &format!("{TLS}\n{TOKEN}"));
    let address = running.server.address().to_owned();
    let mut client = Encrypted::connect(&address, &made.cert).unwrap();
    assert_eq!(client.get("/v1/counts", "").unwrap().status, 401);
    assert_eq!(client.get("/v1/counts", &bearer(FIRST)).unwrap().status, 200);
    // A stream is encrypted like all else, and ends with the server.
    client.send(format!("GET /v1/events HTTP/1.1\r\nhost: localhost\r\n{}\r\n", bearer(FIRST)).as_bytes());
    assert!(running.server.terminate().0.success());
    client.ends();
}

#[test]
#[ignore = "needs curl and openssl, see .ci/run"]
fn curl_and_openssl_agree() {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", "-subj", "/CN=localhost"])
        .args([
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
        ])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let (cert, key) = (read("cert.pem"), read("key.pem"));
    let running =
        start(&[("cert.pem", &cert), ("key.pem", &key), ("token", FIRST)], &format!("{TLS}\n{TOKEN}"));
    // It ends within the week that is warned of.
    assert!(running.server.log().contains("the certificate expires at"), "{}", running.server.log());
    for version in ["--tlsv1.2 --tls-max 1.2", "--tlsv1.3"] {
        let asked = Command::new("curl")
            .args(version.split(' '))
            .args(["-sS", "--fail", "--cacert"])
            .arg(folder.path().join("cert.pem"))
            .args(["--oauth2-bearer", FIRST, &format!("https://{}/v1/counts", running.server.address())])
            .output()
            .unwrap();
        assert!(asked.status.success(), "{version}: {asked:?}");
        assert!(String::from_utf8_lossy(&asked.stdout).contains("hashtags"), "{asked:?}");
    }
}
