//! X by its API v2: rules, streams of JSON lines, and its ways of saying that something is wrong.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use crate::producing::Producing;
use crate::servers::{Answer, Request, Server};
use crate::support::broker::{Embedded, wall_ms};
use crate::written::{awaits, keys};

/// What must be nowhere but in the header that it is for.
pub const CANARY: &str = "canary-7f3a91d2";
const RULES: &str = "/2/tweets/search/stream/rules";
const STREAM: &str = "/2/tweets/search/stream";

/// A post of this number as the stream has it.
pub fn post(number: u32) -> String {
    let now = jiff::Timestamp::from_millisecond(wall_ms()).unwrap();
    json!({
        "data": { "id": number.to_string(), "text": format!("hi #Rust {number}"), "author_id": "7", "lang": "en",
            "created_at": format!("{now:.3}"), "edit_history_tweet_ids": [number.to_string()],
            "entities": { "hashtags": [{ "start": 3, "end": 8, "tag": "Rust" }] } },
        "includes": { "users": [{ "id": "7", "username": "ann", "name": "Ann" }] },
        "matching_rules": [{ "id": "1", "tag": "tidings" }],
    })
    .to_string()
}

fn lines(answer: &mut Answer, lines: &[String]) {
    for line in lines {
        answer.piece(&format!("{line}\r\n"));
    }
}

/// A server whose rules are kept, and whose streams follow the script, which is told how many came before.
pub fn api(script: impl Fn(usize, &Request, &mut Answer) + Send + Sync + 'static) -> Server {
    let rules = Mutex::new(vec![
        json!({ "id": "1", "value": "owl", "tag": "" }),
        json!({ "id": "2", "value": "old", "tag": "tidings" }),
    ]);
    let streams = Mutex::new(0);
    Server::http(move |_, request, answer| {
        if request.headers.get("authorization") != Some(&format!("Bearer {CANARY}")) {
            let body = format!(
                "{{\"title\":\"Unauthorized\",\"detail\":\"no {:?}\"}}",
                request.headers.get("authorization")
            );
            return answer.whole("401 Unauthorized", &[], body.as_bytes());
        }
        if request.path != RULES {
            let number = {
                let mut streams = streams.lock().unwrap();
                *streams += 1;
                *streams - 1
            };
            return script(number, request, answer);
        }
        let mut rules = rules.lock().unwrap();
        if request.method == "GET" {
            return answer.whole("200 OK", &[], json!({ "data": *rules, "meta": {} }).to_string().as_bytes());
        }
        let change: Value = serde_json::from_str(&request.body).unwrap();
        let (mut added, mut errors) = (Vec::new(), Vec::new());
        for rule in change["add"].as_array().into_iter().flatten() {
            if rule["value"].as_str().unwrap().contains("bad") {
                errors.push(json!({ "title": "UnprocessableEntity", "value": rule["value"], "details": [format!("no, {CANARY}")] }));
                continue;
            }
            let rule =
                json!({ "id": (rules.len() + 10).to_string(), "value": rule["value"], "tag": rule["tag"] });
            rules.push(rule.clone());
            added.push(rule);
        }
        for id in change["delete"]["ids"].as_array().into_iter().flatten() {
            rules.retain(|rule| rule["id"] != *id);
        }
        let mut said = json!({ "data": added, "meta": {} });
        if !errors.is_empty() {
            said["errors"] = errors.into();
        }
        answer.whole("201 Created", &[], said.to_string().as_bytes());
    })
}

fn start(broker: &Embedded, server: &Server, more: &[&str]) -> Producing {
    let (brokers, url) = (broker.brokers(), server.url("http"));
    let arguments = ["x", "--brokers", &brokers, "--topic", "posts", "--url", &url];
    Producing::start(&[arguments.as_slice(), more].concat(), &[("TIDINGS_X_TOKEN", CANARY)])
}

fn streams(server: &Server) -> Vec<Request> {
    server.requests().into_iter().filter(|request| request.path != RULES).collect()
}

#[test]
fn rules_are_brought_about_and_posts_arrive_once() {
    let broker = Embedded::start(&[("posts", 2)]);
    let server = api(|connection, _, answer| {
        answer.stream("application/json");
        match connection {
            0 => {
                lines(
                    answer,
                    &[String::new(), post(1), post(2), String::new(), "{garbage".to_owned(), post(1)],
                );
                // A post may come in any number of pieces.
                let whole = post(3);
                answer.piece(&whole[..40]);
                answer.piece(&format!("{}\r\n", &whole[40..]));
                lines(answer, &[json!({ "data": { "id": "9" } }).to_string(), "x".repeat(2 << 20)]);
                let end = json!({ "errors": [{ "title": "operational-disconnect", "disconnect_type": "UpstreamOperationalDisconnect",
                    "detail": format!("for operational reasons {CANARY}"), "type": "https://api.x.com/2/problems/operational-disconnect" }] });
                lines(answer, &[end.to_string()]);
                answer.hold();
            }
            _ => {
                lines(answer, &[post(3), post(4)]);
                answer.hold();
            }
        }
    });
    let mut producing =
        start(&broker, &server, &["--track", "rust,big data", "--follow", "ann", "--language", "en"]);
    producing.says("connected to http://", 2);
    let records = awaits(&broker.brokers(), "posts", 4);
    let ended = producing.stop();
    let said = ended.well();
    assert_eq!(keys(&records), ["1", "2", "3", "4"]);
    for record in &records {
        assert_eq!((&*record.headers["source"], &record.headers["id"]), ("x", record.key.as_ref().unwrap()));
        assert!((wall_ms() - record.time_ms).abs() < 60_000);
        let value: Value = serde_json::from_str(&record.value).unwrap();
        assert_eq!(value["data"]["id"], *record.key.as_ref().unwrap());
    }
    for part in [
        "1 wanted, 1 added, 1 removed",
        "2 duplicates",
        "3 unreadable",
        "operational-disconnect",
        "again at once",
    ] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    assert!(!said.contains(CANARY), "{said}");
    let changes: Vec<Value> = server
        .requests()
        .iter()
        .filter(|request| request.method == "POST")
        .map(|request| serde_json::from_str(&request.body).unwrap())
        .collect();
    assert_eq!(
        changes,
        [
            json!({ "add": [{ "value": "(rust OR (big data) OR from:ann) lang:en", "tag": "tidings" }] }),
            json!({ "delete": { "ids": ["2"] } })
        ]
    );
    let stream = &streams(&server)[0];
    for field in ["created_at", "lang", "entities", "note_tweet", "expansions=referenced_tweets.id"] {
        assert!(stream.path.starts_with(STREAM) && stream.path.contains(field), "{}", stream.path);
    }
    assert!(!stream.path.contains("backfill"), "{}", stream.path);
}

#[test]
fn what_was_missed_is_asked_for_again_where_that_may_be() {
    let broker = Embedded::start(&[("posts", 1)]);
    let server = api(|connection, _, answer| {
        answer.stream("application/json");
        lines(answer, &[post(1), post(connection as u32 + 2)]);
        if connection > 0 {
            answer.hold();
        }
    });
    let arguments = ["--stream", "sample", "--backfill", "5"];
    let mut first = start(&broker, &server, &arguments);
    first.says("connected to http://", 2);
    assert_eq!(keys(&awaits(&broker.brokers(), "posts", 3)), ["1", "2", "3"]);
    first.stop().well();
    // Another run knows from the topic how long it was away.
    let mut again = start(&broker, &server, &arguments);
    again.says("connected to http://", 1);
    assert_eq!(keys(&awaits(&broker.brokers(), "posts", 4)), ["1", "2", "3", "4"]);
    again.stop().well();
    let paths: Vec<String> = streams(&server).into_iter().map(|request| request.path).collect();
    assert!(paths[0].starts_with("/2/tweets/sample/stream?") && !paths[0].contains("backfill"), "{paths:?}");
    assert!(paths[1..].iter().all(|path| path.ends_with("&backfill_minutes=1")), "{paths:?}");
}

#[test]
fn limits_and_failures_are_waited_for_as_documented() {
    let broker = Embedded::start(&[("posts", 1)]);
    let server = api(|connection, _, answer| {
        match connection {
        0 => answer.whole(
            "429 Too Many Requests",
            &[("x-rate-limit-reset", &(wall_ms() / 1000 + 2).to_string())],
            br#"{"title":"ConnectionException","detail":"at the limit","connection_issue":"TooManyConnections"}"#,
        ),
        1 => answer.whole("503 Service Unavailable", &[], b"<html>down</html>"),
        2 => answer.whole("429 Too Many Requests", &[], b""),
        _ => answer.hold(),
    }
    });
    let mut producing = start(&broker, &server, &["--stream", "sample"]);
    producing.says("ConnectionException; at the limit; again in ", 1);
    producing.says("503 Service Unavailable; again in 5 s", 1);
    producing.says("again in 60 s", 1);
    let requests = streams(&server);
    let waits = [requests[1].at - requests[0].at, requests[2].at - requests[1].at];
    assert!(waits[0] >= Duration::from_millis(900) && waits[0] < Duration::from_secs(5), "{waits:?}");
    assert!(waits[1] >= Duration::from_secs(5) && waits[1] < Duration::from_secs(9), "{waits:?}");
    // Even while it waits it stops at once.
    producing.stop().well();
}

#[test]
fn silence_past_the_keep_alive_is_an_end() {
    let broker = Embedded::start(&[("posts", 1)]);
    let server = api(|connection, _, answer| {
        answer.stream("application/json");
        match connection {
            0 => answer.hold(),
            // Blank lines are enough.
            _ => {
                while answer.piece("\r\n") {
                    std::thread::sleep(Duration::from_millis(300));
                }
            }
        }
    });
    let mut producing = start(&broker, &server, &["--stream", "sample", "--silence", "4s"]);
    producing.says("silent for 4s", 1);
    producing.says("connected to http://", 2);
    std::thread::sleep(Duration::from_secs(6));
    producing.stop().well();
    assert_eq!(streams(&server).len(), 2);
}

#[test]
fn a_refusal_ends_it_with_the_servers_words_but_not_with_the_token() {
    let broker = Embedded::start(&[("posts", 1)]);
    let refusing = Server::http(|_, request, answer| {
        let body = json!({ "title": "Unauthorized", "detail": request.headers["authorization"] });
        answer.whole("401 Unauthorized", &[], body.to_string().as_bytes());
    });
    let ended = start(&broker, &refusing, &["--stream", "sample"]).ended();
    let said = ended.badly(78);
    assert!(
        said.contains("401 Unauthorized") && said.contains("(the token)") && !said.contains(CANARY),
        "{said}"
    );

    let elsewhere = Server::http(|_, _, answer| {
        answer.whole("302 Found", &[("Location", "https://elsewhere.example/")], b"");
    });
    let ended = start(&broker, &elsewhere, &["--stream", "sample"]).ended();
    assert!(ended.badly(78).contains("https://elsewhere.example/"), "{}", ended.said);

    let server = api(|_, _, answer| answer.hold());
    let ended = start(&broker, &server, &["--track", "bad"]).ended();
    let said = ended.badly(78);
    assert!(said.contains("\"bad\"") && said.contains("no, ") && !said.contains(CANARY), "{said}");
}

#[test]
fn rules_can_be_looked_at_added_and_removed() {
    let server = api(|_, _, answer| answer.hold());
    let url = server.url("http");
    let rules = |more: &[&str]| {
        let arguments = [["x", "rules"].as_slice(), more, &["--url", &url]].concat();
        Producing::start(&arguments, &[("TIDINGS_X_TOKEN", CANARY)]).ended()
    };
    assert_eq!(rules(&["list"]).well(), "1\t\towl\n2\ttidings\told\n");
    assert_eq!(rules(&["add", "cat has:images", "--tag", "cats"]).well(), "12\tcats\tcat has:images\n");
    assert_eq!(rules(&["remove", "2"]).well(), "1 rules removed\n");
    assert_eq!(rules(&["list"]).well(), "1\t\towl\n12\tcats\tcat has:images\n");
    assert_eq!(rules(&["remove", "--all"]).well(), "2 rules removed\n");
    assert_eq!(rules(&["list"]).well(), "");
    assert!(rules(&["add", "bad"]).badly(78).contains("\"bad\""));
    let broker = Embedded::start(&[("posts", 1)]);
    assert!(start(&broker, &server, &[]).ended().badly(78).contains("--track"));
}

#[test]
fn wrong_flags_say_what_would_do() {
    let token = [("TIDINGS_X_TOKEN", CANARY)];
    for (arguments, code, part) in [
        (vec!["x", "--language", "en"], 2, "--track"),
        (vec!["x", "--stream", "sample", "--track", "a"], 2, "--stream"),
        (vec!["x", "--locations", "1,2"], 2, "west,south,east,north"),
        (vec!["x", "--backfill", "6"], 2, "--backfill"),
        (vec!["x", "rules", "list", "--url", "http://api.example/"], 78, "https"),
    ] {
        let ended = Producing::start(&arguments, &token).ended();
        assert!(ended.badly(code).contains(part), "{arguments:?}: {}", ended.said);
        assert!(!ended.said.contains(CANARY), "{}", ended.said);
    }
    assert!(Producing::start(&["x"], &[]).ended().badly(78).contains("TIDINGS_X_TOKEN"));
}
