//! TLS and SASL/SCRAM: what is right works, and for what is wrong the program says what to change.
//!
//! Idea: the broker has a certificate for `localhost` alone, by an authority that the test made. So `127.0.0.1` is a wrong
//! host name on the very same listener, and any other authority a wrong one.
//! Invariant: no secret is in anything that the program prints.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tidings::cluster::ports;

use crate::admin::Admin;
use crate::broker::Broker;
use crate::held::Held;
use crate::load::{Load, settings};
use crate::support::process::Server;
use crate::support::session::{ask_during, recount};

const TOPIC: &str = "secured";
const PASSWORD: &str = "correct-horse-battery";

/// A broker with listeners for TLS and for SCRAM within TLS, beside the plain one.
struct Secured {
    broker: Broker,
    /// The broker's certificate and key, and the authorities.
    keys: TempDir,
    tls: u16,
    scram: u16,
}

impl Secured {
    fn start() -> Secured {
        let keys = TempDir::new().unwrap();
        let [tls, scram] = free_ports();
        authority(keys.path(), "trusted");
        authority(keys.path(), "foreign");
        certificate(keys.path());
        let listeners = format!(
            "listeners=PLAINTEXT://127.0.0.1:%PORT%,CONTROLLER://127.0.0.1:%CONTROLLER_PORT%,SSL://127.0.0.1:{tls},\
             SASL_SSL://127.0.0.1:{scram}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:%PORT%,SSL://localhost:{tls},SASL_SSL://localhost:{scram}\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL\n\
             sasl.enabled.mechanisms=SCRAM-SHA-512\n\
             listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\
             org.apache.kafka.common.security.scram.ScramLoginModule required;\n\
             ssl.keystore.type=PEM\nssl.keystore.location={}\n",
            keys.path().join("broker.pem").display()
        );
        let broker = Broker::start(&listeners);
        add_user(broker.address());
        Admin::of(broker.address()).create(TOPIC, 2, &[]);
        Load::new(broker.address(), TOPIC, 2).send(100);
        Secured { broker, keys, tls, scram }
    }

    /// A configuration by which this broker is read, as somebody who trusts this authority.
    fn settings(&self, brokers: &str, ca: &str, properties: &str) -> String {
        let ca = self.keys.path().join(format!("{ca}.crt"));
        let more = format!("[kafka.properties]\n\"ssl.ca.location\" = \"{}\"\n{properties}", ca.display());
        settings(brokers, &[TOPIC], &more)
    }
}

const TLS: &str = "\"security.protocol\" = \"ssl\"\n";

fn scram(password: &str) -> String {
    format!(
        "\"security.protocol\" = \"sasl_ssl\"\n\"sasl.mechanism\" = \"SCRAM-SHA-512\"\n\
         \"sasl.username\" = \"ada\"\n\"sasl.password\" = \"{password}\"\n"
    )
}

/// What stands in the topic is read and counted through this listener, and so is what comes meanwhile.
fn counts_exactly(secured: &Secured, text: &str, seed: u64) {
    let mut server = Server::run(text).ready();
    let config = server.config();
    let answers = ask_during(&server, &config, seed, |_, _| {
        Load::new(secured.broker.address(), TOPIC, 2).keep_sending(10, Duration::from_secs(2))
    });
    let (ended, _) = server.terminate();
    let log = server.log();
    assert!(ended.success() && !log.contains(PASSWORD), "{ended}: {log}");
    recount(secured.broker.address(), &[TOPIC], &config, &answers);
}

/// The run ends with this code, soon, and says all of this.
fn refused(text: &str, code: i32, says: &[&str]) {
    let begun = Instant::now();
    let mut held = Held::start(text);
    let ended = held.ends_within(Duration::from_secs(20));
    let log = held.log();
    assert_eq!(ended, Some(code), "{log}");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}: {log}", begun.elapsed());
    for part in says {
        assert!(log.contains(part), "{part:?} is not in: {log}");
    }
    assert!(!log.contains(PASSWORD) && !log.contains("wrong-horse"), "a secret is in: {log}");
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn what_is_right_works_and_what_is_wrong_is_named() {
    let secured = Secured::start();
    let (tls, scram_at) = (format!("localhost:{}", secured.tls), format!("localhost:{}", secured.scram));
    counts_exactly(&secured, &secured.settings(&tls, "trusted", TLS), 111);
    counts_exactly(&secured, &secured.settings(&scram_at, "trusted", &scram(PASSWORD)), 112);

    let password = secured.settings(&scram_at, "trusted", &scram("wrong-horse"));
    refused(&password, 78, &[&scram_at, "sasl.password", "credentials"]);
    let foreign = secured.settings(&tls, "foreign", TLS);
    refused(&foreign, 78, &[&tls, "ssl.ca.location", "verif"]);
    let address = format!("127.0.0.1:{}", secured.tls);
    refused(&secured.settings(&address, "trusted", TLS), 78, &[&address, "host name", "ssl.ca.location"]);
    let nowhere = "no-such-host.invalid:9093";
    refused(&secured.settings(nowhere, "trusted", TLS), 74, &[nowhere, "unknown", "--brokers"]);
    refused(&secured.settings(&tls, "missing", TLS), 78, &["ssl.ca.location"]);
    // The system's own authorities, looked for where none is named, do not know ours.
    refused(&settings(&tls, &[TOPIC], &format!("[kafka.properties]\n{TLS}")), 78, &["ssl.ca.location"]);
    // Plain words to a listener for TLS, and the other way round.
    refused(&settings(&tls, &[TOPIC], ""), 74, &[&tls, "security.protocol"]);
    let plain = secured.broker.address();
    refused(&secured.settings(plain, "trusted", TLS), 74, &[plain, "PLAINTEXT", "security.protocol"]);
}

/// Two ports at which nobody listens.
fn free_ports() -> [u16; 2] {
    let port = |address: String| address.parse::<SocketAddr>().unwrap().port();
    ports::free(2).unwrap().into_iter().map(port).collect::<Vec<_>>().try_into().unwrap()
}

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl").current_dir(folder).args(arguments.split(' ')).output();
    let output = output.expect("openssl is needed to make certificates");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// An authority of this name: a key and a certificate signed by itself.
fn authority(folder: &Path, name: &str) {
    openssl(
        folder,
        &format!(
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -keyout {name}.key -out {name}.crt"
        ),
    );
}

/// A certificate for `localhost` by the trusted authority, with its key before it, as Kafka takes them.
fn certificate(folder: &Path) {
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost\n").unwrap();
    openssl(folder, "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout broker.key -out broker.csr");
    openssl(
        folder,
        "x509 -req -in broker.csr -CA trusted.crt -CAkey trusted.key -CAcreateserial -days 2 -extfile names -out broker.crt",
    );
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    fs::write(folder.join("broker.pem"), read("broker.key") + &read("broker.crt") + &read("trusted.crt"))
        .unwrap();
}

/// Tells the broker of a user, by the one tool of Kafka that does.
fn add_user(brokers: &str) {
    let home = std::env::var("TIDINGS_KAFKA_HOME")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/target/kafka").to_owned());
    let credentials = format!("SCRAM-SHA-512=[iterations=4096,password={PASSWORD}]");
    let output = Command::new("java")
        .args(["-XX:TieredStopAtLevel=1", "-cp", &format!("{home}/lib/*"), "kafka.admin.ConfigCommand"])
        .args(["--bootstrap-server", brokers, "--alter", "--add-config", &credentials])
        .args(["--entity-type", "users", "--entity-name", "ada"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
