//! `tidings top` where the engine speaks TLS.

use rcgen::{BasicConstraints, IsCa};

use crate::certificates::{made_from, params};
use crate::support::process::{run, said};
use crate::{TLS, TOKEN, start, write};

/// What an updates-limited `tidings top` prints of an engine that has no posts yet.
fn shows(arguments: &[&str]) {
    let output = run(&[&["top", "--updates", "1"], arguments].concat());
    assert!(output.status.success(), "{}", said(&output));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("# "), "one ranking");
}

fn fails(arguments: &[&str], parts: &[&str]) {
    let output = run(&[&["top", "--updates", "1"], arguments].concat());
    let said = said(&output);
    assert!(!output.status.success() && said.starts_with("tidings: "), "{said}");
    parts.iter().for_each(|part| assert!(said.contains(part), "no {part:?} in {said}"));
}

/// Most certificates that somebody made by himself say that they are authorities, which no server's should be.
#[test]
fn an_engine_is_trusted_by_its_own_certificate() {
    for is_authority in [false, true] {
        let mut params = params(2100);
        if is_authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let made = made_from(&params);
        let mut files = made.files().to_vec();
        files.push(("token", "a-token-of-some-length-for-this-test"));
        let running = start(&files, &format!("{TLS}\n{TOKEN}"));
        let folder = running.server.folder();
        let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let url = format!("https://{}", running.server.address());
        let (cert, token) = (file("cert.pem"), file("token"));
        shows(&["--url", &url, "--ca-file", &cert, "--token-file", &token]);
        fails(&["--url", &url, "--ca-file", &cert], &["--token-file"]);
        fails(&["--url", &url, "--token-file", &token], &["TLS", "--ca-file"]);
        // Another that somebody made by himself, with the same names.
        write(folder, "other.pem", &made_from(&params).cert);
        fails(&["--url", &url, "--ca-file", &file("other.pem"), "--token-file", &token], &["TLS"]);
        fails(&["--url", &url, "--ca-file", &token], &["--ca-file", "no certificate"]);
        let plain = format!("http://{}", running.server.address());
        fails(&["--url", &plain, "--token-file", &token], &["https://"]);
    }
}
