//! A token is nowhere but in the header that it is for.

use std::fs;

use crate::mastodon::status;
use crate::producing::Producing;
use crate::servers::Server;
use crate::support::broker::Embedded;
use crate::support::process::{program, said};
use crate::written::{awaits, written};
use crate::x::{CANARY, api, post};

/// What anybody on the machine sees of a process.
fn listed(id: u32) -> String {
    let read = |name: &str| fs::read(format!("/proc/{id}/{name}")).unwrap_or_default();
    String::from_utf8_lossy(&[read("cmdline"), read("comm")].concat()).into_owned()
}

#[test]
fn tokens_are_not_in_logs_errors_process_lists_or_records() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, format!("{CANARY}\n")).unwrap();
    let file = file.to_str().unwrap();
    let everything = [("TIDINGS__LOG__LEVEL", "trace")];
    // A server that says what it was sent, in every way it can.
    let echo = Server::http(|number, request, answer| {
        let sent = &request.headers["authorization"];
        match number {
            0 => answer.whole("503 Service Unavailable", &[("Retry-After", sent)], sent.as_bytes()),
            _ => answer.whole("403 Forbidden", &[("Location", sent)], format!("<{sent}>").as_bytes()),
        }
    });
    let streaming = api(|_, _, answer| {
        answer.stream("application/json");
        answer.piece(&format!("{}\r\n", post(1)));
        answer.hold();
    });
    let mastodon = Server::http(|_, _, answer| {
        answer.stream("text/event-stream");
        answer.piece(&format!("event: update\ndata: {}\n\n", status(1)));
        answer.hold();
    });
    for (source, server) in [("x", &streaming), ("mastodon", &mastodon)] {
        let broker = Embedded::start(&[("posts", 1)]);
        let (brokers, url) = (broker.brokers(), server.url("http"));
        let mut arguments =
            vec![source, "--brokers", &brokers, "--topic", "posts", "--token-file", file, "--url", &url];
        if source == "x" {
            arguments.extend(["--stream", "sample"]);
        }
        let producing = Producing::start(&arguments, &everything);
        let records = awaits(&broker.brokers(), "posts", 1);
        let (listed, ended) = (listed(producing.id()), producing.stop());
        assert!(listed.contains("--token-file") && !listed.contains(CANARY), "{listed}");
        assert!(!ended.well().contains(CANARY), "{}", ended.said);
        assert!(!format!("{records:?}").contains(CANARY));
    }
    for source in ["x", "mastodon"] {
        let broker = Embedded::start(&[("posts", 1)]);
        let (brokers, url) = (broker.brokers(), echo.url("http"));
        let arguments =
            [source, "--brokers", &brokers, "--topic", "posts", "--token-file", file, "--url", &url];
        let ended = Producing::start(&arguments, &everything).ended();
        assert!(!ended.badly(78).contains(CANARY), "{}", ended.said);
        assert!(written(&broker.brokers(), "posts").is_empty());
    }
}

#[test]
fn a_configuration_that_is_printed_holds_no_token() {
    let output = program()
        .args(["run", "--print-config"])
        .env("TIDINGS_X_TOKEN", CANARY)
        .env("TIDINGS_MASTODON_TOKEN", CANARY)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned() + &said(&output);
    assert!(printed.contains("kafka") && !printed.contains(CANARY), "{printed}");
}

#[test]
fn a_file_that_holds_no_token_is_named_and_not_shown() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, format!("Bearer {CANARY}")).unwrap();
    let ended = Producing::start(&["x", "--token-file", file.to_str().unwrap()], &[]).ended();
    let said = ended.badly(78);
    assert!(
        said.contains(file.to_str().unwrap()) && said.contains("no `Bearer`") && !said.contains(CANARY),
        "{said}"
    );
}
