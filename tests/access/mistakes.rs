//! Configurations of access that cannot be meant.

use crate::certificates::make;
use crate::support::process::{Settings, run, said};
use crate::write;

/// Checks and runs a configuration with these files and lines in `[http]`: both must refuse it and say all of this.
fn refused(files: &[(&str, &str)], http: &str, parts: &[&str]) {
    let settings = Settings::new("");
    let folder = settings.folder().to_str().unwrap();
    files.iter().for_each(|(name, content)| write(settings.folder(), name, content));
    write(settings.folder(), "tidings.toml", &format!("[http]\n{}\n", http.replace("DIR", folder)));
    for command in ["check", "run"] {
        let output = run(&[command, "-c", settings.file().to_str().unwrap()]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(78), "{command} {http}: {said}");
        assert!(
            parts.iter().all(|part| said.contains(part)) && !said.contains("panicked"),
            "{parts:?}: {said}"
        );
    }
}

#[test]
fn what_cannot_be_used_is_78_and_says_which_file_and_why() {
    let (one, other) = (make(), make());
    let tls = crate::TLS;
    refused(&[], crate::TOKEN, &["`http.token_file`", "/token: there is no such file"]);
    refused(&[("token", "\n")], crate::TOKEN, &["`http.token_file`", "/token: is empty", "openssl rand"]);
    refused(&[], "token_file = \"DIR\"", &["`http.token_file`", "is a folder"]);
    refused(&[], tls, &["`http.tls_cert`", "/cert.pem: there is no such file"]);
    refused(&[("cert.pem", &one.cert)], tls, &["`http.tls_key`", "/key.pem: there is no such file"]);
    refused(
        &[("cert.pem", &one.cert), ("key.pem", &other.key)],
        tls,
        &["`http.tls_key`", "does not belong to"],
    );
    refused(
        &[("cert.pem", &one.key), ("key.pem", &one.key)],
        tls,
        &["`http.tls_cert`", "holds no certificate"],
    );
    refused(
        &[("cert.pem", &one.cert)],
        "tls_cert = \"DIR/cert.pem\"",
        &["`http.tls_cert`", "`http.tls_key`"],
    );
    refused(&[], "cors = [\"*\"]", &["`http.cors`", "`http.token_file`"]);
    refused(&[], "cors = [\"https://Example.org\"]", &["\"https://example.org\""]);
}

#[test]
fn beyond_loopback_a_token_will_do() {
    let settings = Settings::new("");
    write(settings.folder(), "token", "a-token-that-is-long-enough");
    let http = "token_file = \"DIR/token\"\nbind = \"0.0.0.0:0\"\nhealth_bind = \"0.0.0.0:0\"";
    let http = http.replace("DIR", settings.folder().to_str().unwrap());
    // Nobody is at that address: what matters is that it gets so far.
    write(
        settings.folder(),
        "tidings.toml",
        &format!("[kafka]\nbrokers = \"127.0.0.1:1\"\n[http]\n{http}\n"),
    );
    let output = run(&["run", "-c", settings.file().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(74), "{}", said(&output));
    assert!(said(&output).contains("would cross the network in the clear"), "{}", said(&output));
    let anonymous = run(&["run", "--bind", "0.0.0.0:0"]);
    assert_eq!(anonymous.status.code(), Some(78));
    assert!(said(&anonymous).contains("`http.token_file`"), "{}", said(&anonymous));
}
