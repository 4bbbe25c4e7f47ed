//! Bluesky by a Jetstream: both versions of it, and all that can go wrong with one.

use std::net::TcpStream;
use std::time::Duration;

use tokio_tungstenite::tungstenite::{Message, WebSocket};

use crate::dictionary;
use crate::producing::Producing;
use crate::servers::{Refusal, Server, hold, texts};
use crate::support::broker::{Embedded, wall_ms};
use crate::written::{awaits, keys, written};

/// An event of version 1: a post of this number, written at this time.
pub fn post(number: u32, time_us: i64) -> String {
    let created = jiff::Timestamp::from_microsecond(time_us - 1_000_000).unwrap();
    format!(
        r##"{{"did":"did:plc:a","time_us":{time_us},"kind":"commit","commit":{{"rev":"r","operation":"create",
        "collection":"app.bsky.feed.post","rkey":"{number}","record":{{"$type":"app.bsky.feed.post","text":"hi #Rust {number}",
        "createdAt":"{created}","langs":["en"],"facets":[{{"index":{{"byteStart":3,"byteEnd":8}},"features":[
        {{"$type":"app.bsky.richtext.facet#tag","tag":"Rust"}}]}}]}}}}}}"##
    )
}

/// The same in version 2.
fn post2(number: u32, time_us: i64) -> String {
    let time = jiff::Timestamp::from_microsecond(time_us).unwrap();
    format!(
        r#"{{"$type":"message","payload":{{"$type":"network.bsky.jetstream.subscribeEvents#commit","seq":{number},
        "did":"did:plc:a","time":"{time}","operation":"create","collection":"app.bsky.feed.post","rkey":"{number}",
        "record":{{"text":"hi {number}","createdAt":"{time}"}}}}}}"#
    )
}

pub fn id(number: u32) -> String {
    format!("at://did:plc:a/app.bsky.feed.post/{number}")
}

pub fn now_us() -> i64 {
    wall_ms() * 1000
}

fn never(_: usize, _: &str) -> Option<Refusal> {
    None
}

fn start(broker: &Embedded, server: &Server, more: &[&str]) -> Producing {
    let (brokers, url) = (broker.brokers(), server.url("ws"));
    let arguments = ["bluesky", "--brokers", &brokers, "--topic", "posts", "--url", &url];
    Producing::start(&[arguments.as_slice(), more].concat(), &[])
}

fn cursor(path: &str) -> Option<i64> {
    path.split(['?', '&']).find_map(|part| part.strip_prefix("cursor=")).map(|cursor| cursor.parse().unwrap())
}

#[test]
fn posts_arrive_once_whatever_the_stream_brings_and_a_lost_connection_is_resumed() {
    let broker = Embedded::start(&[("posts", 3)]);
    let now = now_us();
    let server = Server::websocket(never, move |connection, socket| {
        let like = post(90, now).replace("feed.post\",\"rkey", "feed.like\",\"rkey");
        let deleted = post(91, now).replace("create\"", "delete\"");
        let account =
            format!(r#"{{"did":"d","time_us":{now},"kind":"account","account":{{"active":false}}}}"#);
        match connection {
            0 => texts(
                socket,
                &[
                    post(1, now),
                    like,
                    post(2, now + 1_000_000),
                    deleted,
                    "garbage \u{1b}[2J{".to_owned(),
                    account,
                    post(1, now),
                    "x".repeat(3 << 20),
                    post(3, now + 2_000_000),
                ],
            ),
            _ => {
                texts(
                    socket,
                    &[post(2, now + 1_000_000), post(3, now + 2_000_000), post(4, now + 3_000_000)],
                );
                hold(socket);
            }
        }
    });
    let mut producing = start(&broker, &server, &[]);
    producing.says("connected to ws://", 2);
    let records = awaits(&broker.brokers(), "posts", 4);
    let ended = producing.stop();
    let said = ended.well();
    assert_eq!(keys(&records), [1, 2, 3, 4].map(id));
    for record in &records {
        let number: u32 = record.key.as_ref().unwrap().rsplit('/').next().unwrap().parse().unwrap();
        let at = now + i64::from(number - 1) * 1_000_000;
        assert_eq!(record.value, post(number, at));
        assert_eq!(record.time_ms, at / 1000 - 1000);
        assert_eq!(record.headers["source"], "bluesky");
        assert_eq!(record.headers["id"], id(number));
        assert_eq!(record.headers["position"], at.to_string());
        assert!(record.headers["resume"].parse::<i64>().unwrap() <= at);
    }
    let requests = server.requests();
    assert!(requests[0].path.contains("wantedCollections=app.bsky.feed.post"), "{}", requests[0].path);
    assert_eq!(cursor(&requests[0].path), None);
    assert_eq!(cursor(&requests[1].path), Some(now + 2_000_000 - 5_000_000));
    assert!(requests[0].headers["user-agent"].starts_with("tidings/"));
    for part in ["4 posts, ", "3 duplicates", "3 other messages", "2 unreadable", "1 connections lost"] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    assert!(said.contains("again at once") && !said.contains('\u{1b}'), "{said}");
    assert!(said.trim_end().rsplit(' ').next().unwrap().starts_with("posts:0:"), "{said}");
}

#[test]
fn a_new_run_goes_on_where_the_topic_ends_even_after_a_kill() {
    let broker = Embedded::start(&[("posts", 5)]);
    let now = now_us();
    let server = Server::websocket(never, move |connection, socket| {
        let first = connection as u32 * 20;
        let again = first.saturating_sub(10);
        let posts = (again..first + 20).map(|number| post(number, now + i64::from(number) * 100_000));
        texts(socket, &posts.collect::<Vec<_>>());
        hold(socket);
    });
    for run in 1..=3 {
        let producing = start(&broker, &server, &[]);
        awaits(&broker.brokers(), "posts", run * 20);
        match run {
            1 => producing.kill(),
            _ => drop(producing.stop().well().to_owned()),
        }
    }
    let mut expected: Vec<String> = (0..60).map(id).collect();
    expected.sort();
    assert_eq!(keys(&written(&broker.brokers(), "posts")), expected);
    let cursors: Vec<Option<i64>> = server.requests().iter().map(|request| cursor(&request.path)).collect();
    assert_eq!(cursors[0], None);
    for (run, cursor) in cursors.iter().enumerate().skip(1) {
        let newest = now + run as i64 * 2_000_000;
        let cursor = cursor.expect("a cursor");
        assert!(cursor <= newest - 5_000_000 && cursor >= newest - 8_000_000, "run {run}: {cursor} {newest}");
    }
}

#[test]
fn where_to_begin_can_be_said() {
    let broker = Embedded::start(&[("posts", 1)]);
    let server = Server::websocket(never, |_, socket| hold(socket));
    for (from, expected) in
        [("live", None), ("2026-01-01T00:00:00Z", Some(1_767_225_595_000_000)), ("-1h", None)]
    {
        let before = server.requests().len();
        let producing = start(&broker, &server, &["--from", from]);
        let requests = server.awaits(before + 1);
        producing.stop().well();
        let found = cursor(&requests[before].path);
        match from {
            "-1h" => {
                let late = now_us() - 3_605_000_000 - found.unwrap();
                assert!((0..60_000_000).contains(&late), "{late}");
            }
            _ => assert_eq!(found, expected),
        }
    }
}

#[test]
fn another_instance_is_asked_where_one_fails() {
    let broker = Embedded::start(&[("posts", 1)]);
    let failing = Server::websocket(
        |_, _| {
            Some((
                503,
                Vec::new(),
                r#"{"error":"ServiceUnavailable","message":"still \u001b[1m starting"}"#.to_owned(),
            ))
        },
        |_, _| {},
    );
    let serving = Server::websocket(never, |_, socket| {
        texts(socket, &[post(1, now_us())]);
        hold(socket);
    });
    let mut producing = start(&broker, &failing, &["--url", &serving.url("ws")]);
    producing.says(&format!("connected to {}", serving.url("ws")), 1);
    awaits(&broker.brokers(), "posts", 1);
    let ended = producing.stop();
    let said = ended.well();
    assert!(said.contains("503") && said.contains("still") && said.contains("is next at once"), "{said}");
    assert!(!said.contains('\u{1b}'));
}

#[test]
fn patience_is_had_for_as_long_as_the_server_asks() {
    let broker = Embedded::start(&[("posts", 1)]);
    let server = Server::websocket(
        |number, _| match number {
            0 => Some((429, vec![("Retry-After", "1".to_owned())], String::new())),
            1 => Some((503, Vec::new(), String::new())),
            _ => None,
        },
        |_, socket| hold(socket),
    );
    let mut producing = start(&broker, &server, &[]);
    producing.says("again in 1 s", 1);
    producing.says("again in 5 s", 1);
    let requests = server.requests();
    producing.stop().well();
    let waited = requests[1].at - requests[0].at;
    assert!(waited >= Duration::from_secs(1) && waited < Duration::from_secs(4), "{waited:?}");
}

#[test]
fn a_silent_connection_is_asked_and_then_given_up() {
    let broker = Embedded::start(&[("posts", 1)]);
    let server = Server::websocket(never, |number, socket| match number {
        // It does not even answer a ping.
        0 => std::thread::sleep(Duration::from_secs(60)),
        _ => hold(socket),
    });
    let mut producing = start(&broker, &server, &["--silence", "6s"]);
    producing.says("silent for 6s", 1);
    producing.says("connected to ws://", 2);
    // The second one is quiet as well, but answers.
    std::thread::sleep(Duration::from_secs(8));
    assert_eq!(server.requests().len(), 2);
    producing.stop().well();
}

#[test]
fn a_cursor_that_is_too_old_is_told_and_the_newest_is_read() {
    let broker = Embedded::start(&[("posts", 1)]);
    let server = Server::websocket(
        |_, path| {
            cursor(path).map(|_| {
                (
                    400,
                    Vec::new(),
                    r#"{"error":"CursorTooOld","message":"cursor below lookback floor"}"#.to_owned(),
                )
            })
        },
        |_, socket| {
            let now = now_us();
            let info = r#"{"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#info",
                "name":"OutdatedCursor","message":"starting at seq 24647190112"}}"#;
            texts(socket, &[info.to_owned(), post2(1, now), post2(2, now)]);
            let error = r#"{"$type":"error","error":"ConsumerTooSlow","message":"reader below floor rate"}"#;
            texts(socket, &[error.to_owned()]);
            hold(socket);
        },
    );
    let more = ["--api", "v2", "--from", "2026-01-01T00:00:00Z"];
    let mut producing = start(&broker, &server, &more);
    let records = awaits(&broker.brokers(), "posts", 2);
    assert_eq!(keys(&records), [id(1), id(2)]);
    producing.says("ConsumerTooSlow: reader below floor rate", 1);
    producing.says("posts are missing", 2);
    let said = producing.stop().well().to_owned();
    assert!(said.contains("since 2026-01-01T00:00:00Z") && said.contains("OutdatedCursor"), "{said}");
    let path = &server.requests()[0].path;
    assert!(
        path.starts_with("/xrpc/network.bsky.jetstream.subscribeEvents?") && path.contains("kinds=commit"),
        "{path}"
    );
}

#[test]
fn an_instance_that_silently_starts_later_is_told_too() {
    let broker = Embedded::start(&[("posts", 1)]);
    let server = Server::websocket(never, |_, socket| {
        texts(socket, &[post(1, now_us())]);
        hold(socket);
    });
    let mut producing = start(&broker, &server, &["--from", "-48h"]);
    producing.says("posts are missing: nothing is kept of what came between", 1);
    awaits(&broker.brokers(), "posts", 1);
    producing.stop().well();
}

#[test]
fn only_the_languages_asked_for_are_sent() {
    let broker = Embedded::start(&[("posts", 1)]);
    let server = Server::websocket(never, |_, socket| {
        let now = now_us();
        let german = post(2, now).replace("\"en\"", "\"de-AT\"");
        let none = post(3, now).replace("\"langs\":[\"en\"],", "");
        // The one that is sent on comes last, so that all have been read once it is there.
        texts(socket, &[post(1, now), none, german]);
        hold(socket);
    });
    let mut producing = start(&broker, &server, &["--language", "DE"]);
    producing.says("connected", 1);
    assert_eq!(keys(&awaits(&broker.brokers(), "posts", 1)), [id(2)]);
    let ended = producing.stop();
    assert!(ended.well().contains("2 in other languages"), "{}", ended.said);
}

fn packed(texts: &[String], socket: &mut WebSocket<TcpStream>) {
    let mut compressor = zstd::bulk::Compressor::with_dictionary(3, &dictionary::bytes()).unwrap();
    for text in texts {
        let frame = compressor.compress(text.as_bytes()).unwrap();
        socket.send(Message::binary(frame)).unwrap();
    }
}

#[test]
fn compressed_messages_are_the_same_posts_in_both_versions() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("dictionary");
    std::fs::write(&file, dictionary::bytes()).unwrap();
    let file = file.to_str().unwrap();
    for (version, more) in
        [(1, vec!["--zstd", "--zstd-dictionary", file]), (2, vec!["--api", "v2", "--zstd"])]
    {
        let broker = Embedded::start(&[("posts", 1)]);
        let now = now_us();
        let of = move |number| if version == 1 { post(number, now) } else { post2(number, now) };
        let server = Server::websocket(never, move |_, socket| {
            packed(&[of(1), "{".to_owned()], socket);
            let _ = socket.send(Message::binary(b"no frame".to_vec()));
            packed(&[of(2)], socket);
            hold(socket);
        });
        let producing = start(&broker, &server, &more);
        let records = awaits(&broker.brokers(), "posts", 2);
        assert_eq!(keys(&records), [id(1), id(2)], "version {version}");
        assert!(records.iter().any(|record| record.value == of(1)));
        let said = producing.stop().well().to_owned();
        assert!(said.contains("2 unreadable"), "{said}");
        let path = &server.requests()[0].path;
        let asked = if version == 1 {
            "compress=true".to_owned()
        } else {
            format!("zstdDictionary={}", dictionary::ID)
        };
        assert!(path.contains(&asked), "{path}");
    }
}

#[test]
fn wrong_flags_say_what_would_do() {
    for (arguments, part) in [
        (vec!["bluesky", "--url", "jetstream.example"], "wss://"),
        (vec!["bluesky", "--zstd"], "--zstd-dictionary"),
        (vec!["bluesky", "--from", "yesterday"], "RFC 3339"),
        (vec!["bluesky", "--silence", "1"], "--silence"),
    ] {
        let ended = Producing::start(&arguments, &[]).ended();
        assert!(ended.badly(2).contains(part), "{arguments:?}: {}", ended.said);
    }
}
