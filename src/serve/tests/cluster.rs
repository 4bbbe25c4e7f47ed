//! Several processes answer as one: whatever is asked of whichever of them, the bytes are those of one process with one
//! worker.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use super::client::{Answer, Client, get, post};
use super::fed::{Fed, Shape};
use super::server::Server;
use super::sse::Events;
use crate::cluster::peers::Unanswered;
use crate::engine::gather::Missing;
use crate::engine::question::{Asked, Series, Top, Tops};

/// Posts in several epochs: event time in milliseconds after noon, and text.
type Epochs = Vec<Vec<(u64, String)>>;

fn epochs() -> impl Strategy<Value = Epochs> {
    let spelling = prop_oneof![
        Just("#Rust"),
        Just("#rust"),
        Just("#RUST"),
        Just("#Go"),
        Just("#\u{e9}t\u{e9}"),
        Just("#\u{c9}t\u{e9}")
    ];
    let token = prop_oneof![3 => spelling.prop_map(str::to_owned), 2 => "#[a-c]{1,2}", 5 => "[a-e]{1,2}"];
    let text = proptest::collection::vec(token, 1..6).prop_map(|tokens| tokens.join(" "));
    let time = prop_oneof![4 => 0u64..90_000, 1 => 0u64..600_000];
    let posts = proptest::collection::vec((time, text), 0..25);
    proptest::collection::vec(posts, 1..4)
}

const fn shape(processes: usize, threads: usize) -> Shape {
    Shape { processes, threads, partitions: 5, max_terms: usize::MAX }
}

fn asked() -> Vec<String> {
    let mut paths = Vec::new();
    for count in ["hashtags", "words", "phrases"] {
        for window in ["1m", "5m", "all"] {
            for k in [1, 3, 1000] {
                paths.push(format!("/v1/counts/{count}/top?window={window}&k={k}"));
            }
            for term in ["rust", "a", "b", "%C3%A9t%C3%A9", "never", "a%20b"] {
                paths.push(format!("/v1/counts/{count}/terms/{term}?window={window}"));
            }
            for (prefix, limit) in [("", 1000), ("", 2), ("a", 3), ("%C3%A9", 1)] {
                paths.push(format!("/v1/counts/{count}/terms?prefix={prefix}&window={window}&limit={limit}"));
            }
        }
        for term in ["rust", "a", "never"] {
            paths.push(format!("/v1/counts/{count}/terms/{term}/series?window=1m"));
        }
    }
    paths
}

fn same(one: &Answer, two: &Answer, what: &str) {
    assert_eq!((one.status, one.text()), (two.status, two.text()), "{what}");
}

/// What `/v1/status` says of the records.
fn of_records(address: SocketAddr) -> Value {
    let mut status = get(address, "/v1/status").json();
    let status_of = status.as_object_mut().expect("an object");
    for of_processes in ["processes", "workers", "members"] {
        status_of.remove(of_processes).expect(of_processes);
    }
    status
}

fn pages(address: SocketAddr, window: &str) -> Vec<Value> {
    let (mut after, mut terms) = (String::new(), Vec::new());
    loop {
        let page = get(address, &format!("/v1/counts/hashtags/terms?window={window}&limit=2{after}")).json();
        terms.extend(page["terms"].as_array().expect("a list").iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}").replace('\u{e9}', "%C3%A9"),
            None => return terms,
        }
    }
}

fn first_event(address: SocketAddr) -> Value {
    let mut events = Events::open(address, "counts=hashtags,words&window=1m&k=5", None);
    let event = events.next().expect("a snapshot");
    assert_eq!(event.name, "snapshot");
    event.data
}

fn compare(one: SocketAddr, other: SocketAddr, process: usize) {
    for path in asked() {
        same(&get(one, &path), &get(other, &path), &format!("process {process}, {path}"));
    }
    let body = br##"{"terms":["#Rust","go","never","a","rust","b","c"],"window":"all"}"##;
    let path = "/v1/counts/hashtags/terms";
    same(&post(one, path, body), &post(other, path, body), &format!("process {process}, many terms"));
    assert_eq!(pages(one, "all"), pages(other, "all"), "process {process}, all pages");
    assert_eq!(of_records(one), of_records(other), "process {process}");
    assert_eq!(first_event(one), first_event(other), "process {process}");
}

fn run(epochs: &Epochs) {
    let alone = Fed::of(shape(1, 1));
    let clusters = [shape(2, 1), shape(2, 2), shape(3, 1)].map(Fed::of);
    let server = Server::new(&alone.reader);
    let servers = clusters.each_ref().map(|fed| fed.readers.iter().map(Server::new).collect::<Vec<_>>());
    for (number, posts) in (1000..).zip(epochs) {
        let posts: Vec<(u64, &str)> = posts.iter().map(|(time, text)| (*time, text.as_str())).collect();
        for fed in [&alone].into_iter().chain(&clusters) {
            fed.feed(number, &posts);
        }
        for servers in &servers {
            for (process, other) in servers.iter().enumerate() {
                compare(server.address, other.address, process);
            }
        }
    }
    for fed in &clusters {
        assert!(fed.lost.lock().expect("no panic").is_empty());
    }
}

#[test]
fn every_process_answers_what_one_alone_would() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[5; 32]);
    let config = Config { cases: 4, max_shrink_iters: 0, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    runner
        .run(&epochs(), |epochs| {
            run(&epochs);
            Ok(())
        })
        .expect("the same bytes");
}

#[test]
fn a_status_has_a_row_for_each_process() {
    let fed = Fed::of(shape(3, 2));
    fed.feed(1000, &[(0, "#a")]);
    for (me, reader) in fed.readers.iter().enumerate() {
        let server = Server::new(reader);
        let status = get(server.address, "/v1/status").json();
        assert_eq!((&status["processes"], &status["workers"]), (&3.into(), &6.into()));
        for (process, member) in status["members"].as_array().expect("a list").iter().enumerate() {
            assert_eq!((&member["process"], &member["workers"]), (&process.into(), &2.into()));
            assert_eq!(member["epoch"], 1000);
            let silent = member["silent_ms"].as_u64();
            assert!(if process == me { silent.is_none() } else { silent < Some(8000) }, "{status}");
        }
        let metrics = get(server.address, "/metrics");
        for process in (0..3).filter(|process| *process != me) {
            let line = format!("tidings_peer_silence_seconds{{process=\"{process}\"}} ");
            assert!(metrics.text().contains(&line), "{}", metrics.text());
        }
        assert!(
            metrics.text().contains("tidings_processes 3\n")
                && metrics.text().contains("tidings_workers 6\n")
        );
    }
}

#[test]
fn what_all_have_refused_is_told_by_each() {
    let fed = Fed::of(Shape { max_terms: 4, ..shape(2, 1) });
    for number in 0..4u64 {
        let texts: Vec<String> = (0..10).map(|n| format!("#t{number}x{n}")).collect();
        let posts: Vec<(u64, &str)> = texts.iter().map(|text| (number * 1000, text.as_str())).collect();
        fed.feed(1000 + number, &posts);
    }
    for reader in &fed.readers {
        let server = Server::new(reader);
        let top = get(server.address, "/v1/counts/hashtags/top?window=all").json();
        assert_eq!(top["stamp"]["overflow"], true, "{top}");
    }
}

/// A process that has left is missing from no answer in silence: what it owns is refused, what others own is answered.
#[test]
fn no_answer_is_partial() {
    let fed = Fed::of(shape(2, 1));
    let texts: Vec<String> = (0..20).map(|n| format!("#t{n}")).collect();
    fed.feed(1000, &texts.iter().map(|text| (0, text.as_str())).collect::<Vec<_>>());
    let server = Server::new(&fed.reader);
    assert_eq!(get(server.address, "/v1/counts/hashtags/top?window=all&k=20").json()["distinct"], 20);
    fed.part(1);
    let begun = Instant::now();
    let whole = ["top?window=all", "terms?window=all"];
    for path in whole {
        let answer = get(server.address, &format!("/v1/counts/hashtags/{path}"));
        assert_eq!((answer.status, answer.problem().as_str()), (503, "peer_silent"), "{path}");
        assert!(answer.text().contains("process 1 of the cluster"), "{}", answer.text());
    }
    let mut statuses: Vec<u16> = texts
        .iter()
        .map(|term| {
            let answer = get(server.address, &format!("/v1/counts/hashtags/terms/{}?window=all", &term[1..]));
            assert!(answer.status == 503 || answer.json()["count"] == 1, "{}", answer.text());
            answer.status
        })
        .collect();
    statuses.sort_unstable();
    statuses.dedup();
    assert_eq!(statuses, [200, 503], "each owns some");
    assert!(begun.elapsed() < Duration::from_secs(15), "who is lost is not waited for");
    assert_eq!(get(server.address, "/v1/status").status, 200);
}

/// Whatever another process asks, it is answered or refused, and the next question is answered as ever.
#[test]
fn questions_that_make_no_sense_are_refused() {
    let fed = Fed::of(shape(2, 1));
    fed.feed(1000, &[(0, "#a #b c d"), (0, "#c #d e f")]);
    let ask = |epoch: u64, asked: Asked| {
        fed.ask_bytes(postcard::to_extend(&(epoch, asked), Vec::new()).expect("plain data"))
    };
    let tops = |count, window, k| Asked::Tops(Tops(vec![Top { count, window, k }]));
    assert!(matches!(ask(1000, tops(0, 2, usize::MAX)), Ok(answer) if answer[0] == 1));
    assert_eq!(ask(999, tops(0, 2, 1)), Ok(vec![0]), "it is gone, or was never there");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let whole = Tops(vec![Top { count: 0, window: 2, k: 1 }]);
    let asked = |epoch| runtime.block_on(fed.reader.ask(epoch, &whole, false, Duration::from_secs(20)));
    assert_eq!(asked(999).err(), Some(Missing::Gone(1)));
    assert_eq!(asked(1000).map(|parts| parts.len()), Ok(1));
    let series = |window| Asked::Series(Series { count: 0, window, term: "a".to_owned() });
    assert!(ask(1000, series(1)).is_ok());
    // Of all time there is no course, and there are three counts of three windows.
    for wrong in
        [series(2), series(usize::MAX), tops(3, 0, 1), tops(0, 3, 1), tops(usize::MAX, usize::MAX, 0)]
    {
        assert_eq!(ask(1000, wrong.clone()), Err(Unanswered::Failed), "{wrong:?}");
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[6; 32]);
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    let bytes = (any::<bool>(), proptest::collection::vec(any::<u8>(), 0..60));
    TestRunner::new_with_rng(config, rng)
        .run(&bytes, |(near, bytes)| {
            // Some begin as a question does.
            let bytes = if near { [&[0xE8, 0x07][..], &bytes].concat() } else { bytes };
            prop_assert!(matches!(fed.ask_bytes(bytes), Ok(_) | Err(Unanswered::Failed)));
            Ok(())
        })
        .expect("it is answered or refused");
    assert!(ask(1000, tops(0, 2, 1)).is_ok());
    assert!(fed.lost.lock().expect("no panic").is_empty());
}

/// Prints what it costs that another process owns half of the terms.
#[test]
#[ignore = "measures: cargo test --lib how_long -- --ignored --nocapture"]
fn how_long_the_first_places_take() {
    let feds = [shape(1, 2), shape(2, 1)].map(Fed::of);
    let texts: Vec<String> = (0..3000).map(|n| format!("#t{} w{} w{}", n % 700, n % 900, n % 1100)).collect();
    let posts: Vec<(u64, &str)> =
        texts.iter().zip(0..).map(|(text, n)| (n % 50_000, text.as_str())).collect();
    feds.iter().for_each(|fed| fed.feed(1000, &posts));
    let servers = feds.each_ref().map(|fed| Server::new(&fed.reader));
    let mut clients = servers.each_ref().map(|server| Client::connect(server.address));
    let paths = ["/v1/counts/hashtags/top?window=1m&k=10", "/v1/counts/words/terms/w1?window=1m"];
    for path in paths {
        let mut took = [Vec::new(), Vec::new()];
        for _ in 0..2000 {
            for (client, took) in clients.iter_mut().zip(&mut took) {
                let begun = Instant::now();
                assert_eq!(client.get(path).status, 200);
                took.push(begun.elapsed());
            }
        }
        took.iter_mut().for_each(|took| took.sort_unstable());
        let at = |took: &[Duration], percent: usize| took[took.len() * percent / 100];
        for (what, took) in ["one process of two workers", "two processes of one"].iter().zip(&took) {
            println!("{path}, {what}: median {:?}, 99 % within {:?}", at(took, 50), at(took, 99));
        }
    }
}
