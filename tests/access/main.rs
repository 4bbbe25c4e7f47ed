//! Who may ask: the real binary with a token, with TLS, with both, and clients that do it wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;

mod certificates;
mod client;
mod mistakes;
mod reload;
mod top;
mod wrong_clients;

use std::fs;
use std::path::Path;

use support::broker::Embedded;
use support::process::{Server, Settings};

/// What a server runs with: the broker must outlive it.
struct Running {
    server: Server,
    _broker: Embedded,
}

/// Starts a server whose folder holds these files and whose `[http]` has these lines; `DIR` in them is the folder.
fn start(files: &[(&str, &str)], http: &str) -> Running {
    let broker = Embedded::start(&[("posts", 1)]);
    let settings = Settings::new("");
    let folder = settings.folder().to_owned();
    files.iter().for_each(|(name, content)| write(&folder, name, content));
    let http = http.replace("DIR", folder.to_str().unwrap());
    let text = format!(
        "[kafka]\nbrokers = \"{}\"\n[engine]\nworkers = 1\n[http]\nbind = \"127.0.0.1:0\"\n{http}\n",
        broker.brokers()
    );
    write(&folder, "tidings.toml", &text);
    let file = settings.file();
    Running { server: Server::start(settings, &["run", "-c", file.to_str().unwrap()]), _broker: broker }
}

fn write(folder: &Path, name: &str, content: &str) {
    fs::write(folder.join(name), content).unwrap();
}

/// `[http]` lines for a certificate in the folder.
const TLS: &str = "tls_cert = \"DIR/cert.pem\"\ntls_key = \"DIR/key.pem\"";
/// `[http]` lines for a token in the folder.
const TOKEN: &str = "token_file = \"DIR/token\"";
