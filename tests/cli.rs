//! The command line: exit codes, what is said where something is wrong, and `count` on files.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod oracle;
mod support;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

use support::broker::{Embedded, Producer, wall_ms};
use support::hostile::Sent;
use support::process::{Server, Settings, program, run, said};

/// Runs a command that must fail: with this code, and with all of these parts in what it says.
fn fails(arguments: &[&str], code: i32, parts: &[&str]) {
    let output = run(arguments);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    for part in parts {
        assert!(said.contains(part), "{arguments:?} does not say {part:?}: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

/// Both commands refuse it with 78, in the same words.
fn check_fails(text: &str, parts: &[&str]) {
    let settings = Settings::new(text);
    let file = settings.file();
    let refusals = ["check", "run"].map(|command| {
        let arguments = [command, "-c", file.to_str().unwrap()];
        fails(&arguments, 78, parts);
        let said = said(&run(&arguments));
        let refusal = said.split_once("tidings: ").map(|(_, refusal)| refusal.to_owned());
        refusal.unwrap_or_else(|| panic!("{command}: {said}"))
    });
    assert_eq!(refusals[0], refusals[1]);
}

#[test]
fn a_wrong_configuration_is_78_and_says_where_and_what_would_do() {
    check_fails("[kafka]\nbroker = \"localhost:9092\"\n", &["tidings.toml", "broker", "brokers"]);
    check_fails("[kafkaa]\n", &["kafkaa", "kafka"]);
    check_fails("[engine]\nclock = \"sun\"\n", &["clock", "wall", "event"]);
    check_fails("[engine]\nepoch = \"often\"\n", &["epoch", "often"]);
    check_fails("[kafka\n", &["tidings.toml"]);
    check_fails("[[count]]\nname = \"a\"\nof = \"nouns\"\n", &["nouns", "words", "hashtags"]);
    check_fails(
        "[[count]]\nname = \"a\"\nof = \"words\"\n[[count]]\nname = \"a\"\nof = \"hashtags\"\n",
        &["\"a\""],
    );
    fails(&["check", "-c", "/nowhere/tidings.toml"], 78, &["/nowhere/tidings.toml"]);
}

#[test]
fn slides_that_do_not_nest_are_78_and_slides_that_would_do_are_named() {
    let of = |windows: &str| format!("[[count]]\nname = \"a\"\nof = \"words\"\nwindows = [{windows}]\n");
    check_fails(&of("\"1m/2s\", \"5m/5s\""), &["2s", "5s", "would do"]);
    check_fails(&of("\"5m/7s\""), &["7s", "would do"]);
    check_fails(&of("\"5s/5m\""), &["would do"]);
    check_fails(&of("\"5 minutes\""), &["5 minutes"]);
}

#[test]
fn processes_whose_ports_would_meet_are_refused() {
    let settings = Settings::new("[http]\nbind = \"127.0.0.1:28080\"\nhealth_bind = \"127.0.0.1:28082\"\n");
    let file = settings.file();
    let arguments = ["cluster", "-n", "3", "-c", file.to_str().unwrap()];
    fails(&arguments, 78, &["127.0.0.1:28082", "http.health_bind", "3 ports apart"]);
}

#[test]
fn what_a_run_would_refuse_before_it_asks_kafka_check_refuses_too() {
    let properties = |lines: &str| format!("[kafka.properties]\n{lines}\n");
    check_fails(&properties("\"fetch.wait.max\" = 3"), &["`fetch.wait.max`", "CONFIGURATION.md"]);
    check_fails(&properties("\"fetch.wait.max.ms\" = \"soon\""), &["`fetch.wait.max.ms`", "not valid"]);
    let kerberos = "\"security.protocol\" = \"sasl_plaintext\"\n\"sasl.mechanism\" = \"GSSAPI\"";
    check_fails(&properties(kerberos), &["`sasl.mechanism`", "PLAIN"]);
    check_fails("[http]\nbind = \"0.0.0.0:0\"\n", &["0.0.0.0:0", "--allow-anonymous"]);
    let wanted = Settings::new("[http]\nbind = \"0.0.0.0:0\"\n");
    let file = wanted.file();
    assert!(run(&["check", "-c", file.to_str().unwrap(), "--allow-anonymous"]).status.success());
}

#[test]
fn check_reads_the_secret_and_the_token() {
    let secret = |path: &str| format!("[cluster]\nsecret_file = \"{path}\"\n");
    check_fails(&secret("/nowhere/secret"), &["`cluster.secret_file`: /nowhere/secret: cannot be read"]);
    let folder = Settings::new("");
    let path = folder.folder().join("secret");
    let path = path.to_str().unwrap();
    std::fs::write(path, "123456789012345\n").unwrap();
    check_fails(&secret(path), &["`cluster.secret_file`", path, "16 bytes at least", "openssl rand -hex 32"]);
    let hosts = "hosts = [\"localhost:2101\", \"localhost:2102\"]\n";
    check_fails(&format!("{}{hosts}", secret(path)), &["`cluster.secret_file`", "16 bytes at least"]);

    let token = format!("{hosts}[http]\ntoken_file = \"{path}\"\n");
    let short = Settings::new(&format!("[cluster]\n{token}"));
    let checked = run(&["check", "-c", short.file().to_str().unwrap()]);
    assert!(checked.status.success(), "{}", said(&checked));
    assert!(
        said(&checked).contains("warning: the token is so short that it can be guessed"),
        "{}",
        said(&checked)
    );
    std::fs::write(path, "1234567890123456\n").unwrap();
    let long = Settings::new(&format!("{}{token}", secret(path)));
    let checked = run(&["check", "-c", long.file().to_str().unwrap()]);
    assert!(checked.status.success() && !said(&checked).contains("short"), "{}", said(&checked));
}

#[test]
#[cfg(not(feature = "tls"))]
fn what_needs_tls_is_refused_with_the_command_that_builds_it() {
    let scram = "\"security.protocol\" = \"sasl_plaintext\"\n\"sasl.mechanism\" = \"SCRAM-SHA-512\"";
    for (named, lines) in [
        ("`security.protocol`", "\"security.protocol\" = \"ssl\""),
        ("`ssl.ca.location`", "\"ssl.ca.location\" = \"/etc/ssl/ca.pem\""),
        ("`sasl.mechanism`", scram),
    ] {
        let text = format!("[kafka.properties]\n{lines}\n");
        check_fails(&text, &[named, "`cargo run --release --features tls`"]);
    }
}

#[test]
fn buckets_take_a_build_that_knows_them() {
    let text = "[checkpoint]\ndir = \"s3://bucket/prefix\"\n";
    #[cfg(not(feature = "s3"))]
    check_fails(text, &["s3://bucket/prefix", "`cargo run --release --features s3`", "file:///"]);
    #[cfg(feature = "s3")]
    {
        let settings = Settings::new(text);
        assert!(run(&["check", "-c", settings.file().to_str().unwrap()]).status.success());
        check_fails("[checkpoint]\ndir = \"s3://bucket/a//b\"\n", &["s3://bucket/a//b"]);
    }
}

/// What librdkafka alone can tell, without any broker.
#[test]
#[cfg(feature = "tls")]
fn files_that_tls_needs_and_that_are_not_there_are_refused_at_once() {
    let lines = "\"security.protocol\" = \"ssl\"\n\"ssl.ca.location\" = \"/nowhere/ca.pem\"";
    check_fails(&format!("[kafka.properties]\n{lines}\n"), &["ssl.ca.location"]);
}

#[test]
fn a_wrong_command_line_is_2() {
    fails(&[], 2, &["Usage"]);
    fails(&["runn"], 2, &["run"]);
    fails(&["run", "--worker", "2"], 2, &["--workers"]);
    fails(&["count"], 2, &["FILE"]);
    fails(&["count", "x", "--of", "nouns"], 2, &["nouns", "hashtags"]);
    fails(&["count", "x", "--window", "5x"], 2, &["5x"]);
    fails(&["count", "x", "--window", "0s"], 2, &["0s", "1ms"]);
    fails(&["count", "x", "--window", "1m/7s"], 78, &["\"1m/6s\" would do"]);
    fails(&["topic", "create"], 2, &["NAME"]);
    fails(&["produce", "synthetic", "--bad", "2"], 2, &["0 to 1"]);
    fails(&["tail", "posts", "--from", "yesterday"], 2, &["earliest"]);
}

#[test]
fn a_missing_topic_is_78_and_existing_ones_are_named() {
    let broker = Embedded::start(&[("tweets", 2), ("other", 1)]);
    let brokers = broker.brokers();
    let hint = format!("`tidings topic create posts --brokers {brokers} --partitions 4`");
    fails(
        &["run", "--brokers", &brokers, "--topic", "posts", "--bind", "127.0.0.1:0"],
        78,
        &["\"posts\"", "tweets", "other", &hint],
    );
    fails(&["topic", "describe", "posts", "--brokers", &brokers], 78, &["posts", "tweets"]);
    fails(&["tail", "posts", "--brokers", &brokers], 78, &["posts", "tweets"]);
}

#[test]
fn tail_ends_once_nobody_reads_it() {
    let broker = Embedded::start(&[("posts", 1)]);
    let brokers = broker.brokers();
    let mut tail = program();
    tail.args(["tail", "posts", "--brokers", &brokers, "--from", "earliest"]);
    let mut tail = tail.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let producer = Producer::new(&brokers, "none");
    let send = || producer.send("posts", 0, &Sent { value: Some(b"a post".to_vec()), timestamp: wall_ms() });
    send();
    let mut line = String::new();
    // Whoever read it is gone with this line.
    BufReader::new(tail.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("a post"), "{line}");
    // One line may be on its way already: who writes the next finds out.
    let begun = Instant::now();
    let status = loop {
        send();
        producer.flush();
        if let Some(status) = tail.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > Duration::from_secs(40) {
            tail.kill().unwrap();
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(500));
    };
    assert!(status.success(), "{status}");
}

#[test]
fn no_broker_is_74_within_fifteen_seconds() {
    // A port that nobody listens on: it was ours a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    // Here and below with some time more for a busy machine.
    let begun = Instant::now();
    fails(&["run", "--brokers", &address, "--bind", "127.0.0.1:0"], 74, &[&address]);
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    let begun = Instant::now();
    fails(&["topic", "list", "--brokers", &address], 74, &[&address]);
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
}

#[test]
fn a_broker_that_never_answers_is_74_within_fifteen_seconds() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let begun = Instant::now();
    fails(&["run", "--brokers", &address, "--bind", "127.0.0.1:0"], 74, &[&address, "--brokers"]);
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
}

#[test]
fn a_port_in_use_is_74_and_is_found_before_anything_is_read() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let begun = Instant::now();
    fails(&["run", "--brokers", "127.0.0.1:1", "--bind", &address], 74, &[&address, "in use"]);
    fails(&["demo", "--bind", &address], 74, &[&address, "in use"]);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[test]
fn beyond_loopback_nobody_is_served_unless_that_is_said() {
    fails(&["run", "--bind", "0.0.0.0:0"], 78, &["0.0.0.0:0", "--allow-anonymous"]);
    let broker = Embedded::start(&[("posts", 1)]);
    let settings = Settings::new(&format!(
        "[kafka]\nbrokers = \"{}\"\n[http]\nbind = \"0.0.0.0:0\"\n",
        broker.brokers()
    ));
    let file = settings.file();
    let mut server = Server::start(settings, &["run", "-c", file.to_str().unwrap(), "--allow-anonymous"]);
    assert!(server.lives());
}

#[test]
fn check_and_print_config_say_what_would_run() {
    let settings = Settings::new(
        "[kafka]\nbrokers = \"kafka:9092\"\n[kafka.properties]\n\"sasl.password\" = \"open sesame\"\n[engine]\nworkers = 3\n",
    );
    let file = settings.file();
    let output = run(&["check", "-c", file.to_str().unwrap()]);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && printed.contains("kafka:9092") && printed.contains("valid"),
        "{printed}"
    );

    let arguments = ["run", "-c", file.to_str().unwrap(), "--print-config", "--topic", "tweets"];
    let output = program().args(arguments).env("TIDINGS__ENGINE__EPOCH", "100ms").output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    assert!(!printed.contains("sesame") && printed.contains("***"), "{printed}");
    let line = |key: &str| {
        printed.lines().find(|line| line.starts_with(key)).unwrap_or_else(|| panic!("{key}: {printed}"))
    };
    assert!(
        line("brokers").contains("kafka:9092") && line("brokers").contains("tidings.toml:2"),
        "{printed}"
    );
    assert!(line("topics").contains("tweets") && line("topics").contains("--topic"), "{printed}");
    assert!(line("epoch").contains("100ms") && line("epoch").contains("TIDINGS__ENGINE__EPOCH"), "{printed}");
    assert!(line("start").contains("latest") && line("start").contains("default"), "{printed}");
    // What is printed is itself a configuration, but for what it hides.
    let again = Settings::new(&printed);
    assert!(run(&["check", "-c", again.file().to_str().unwrap()]).status.success(), "{printed}");
}
