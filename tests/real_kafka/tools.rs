//! The commands around the engine: topics are made and shown, records are shown, and what is not there is said.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::support::broker::read_back;
use crate::support::process::{run, said};
use crate::{create, done, kafka, offsets};

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn topics_are_made_listed_described_and_shown() {
    let kafka = kafka();
    create(&kafka, "shown", 3);
    let again = run(&["topic", "create", "shown", "--brokers", kafka.brokers()]);
    assert!(!again.status.success() && said(&again).contains("shown"), "{}", said(&again));
    let listed = done(&["topic", "list", "--brokers", kafka.brokers()]);
    assert!(listed.lines().any(|line| line.split_whitespace().eq(["shown", "3", "partitions"])), "{listed}");

    let produce = [
        "produce",
        "synthetic",
        "--brokers",
        kafka.brokers(),
        "--topic",
        "shown",
        "--posts",
        "500",
        "--seed",
        "7",
    ];
    let printed = done(&produce);
    let written = offsets(printed.split_whitespace().last().unwrap());
    assert_eq!(written["shown"].values().sum::<i64>(), 500);
    let described = done(&["topic", "describe", "shown", "--brokers", kafka.brokers()]);
    assert!(described.contains("3 partitions, 500 records") && described.contains("for ever"), "{described}");
    for (partition, next) in &written["shown"] {
        let row = described.lines().find(|line| line.starts_with(&format!("{partition} "))).unwrap();
        let columns: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(columns[4..], ["0".to_owned(), next.to_string(), next.to_string()], "{described}");
    }

    let tail = ["tail", "shown", "--brokers", kafka.brokers(), "--from", "earliest"];
    let shown = done(&[tail.as_slice(), &["--max", "500", "--json"]].concat());
    let held: BTreeMap<(i32, i64), Option<String>> = read_back(kafka.brokers(), &["shown"])
        .into_iter()
        .map(|record| {
            (
                (record.partition, record.offset),
                record.value.map(|value| String::from_utf8_lossy(&value).into_owned()),
            )
        })
        .collect();
    let mut told = BTreeMap::new();
    for line in shown.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let place = (line["partition"].as_i64().unwrap() as i32, line["offset"].as_i64().unwrap());
        assert_eq!(line["topic"], "shown");
        told.insert(place, line["value"].as_str().map(str::to_owned));
    }
    assert_eq!(told.len(), 500);
    let differing = told.iter().find(|(place, value)| held[place] != **value);
    assert!(differing.is_none(), "{differing:?}, but {:?}", differing.map(|(place, _)| &held[place]));
    assert_eq!(done(&[tail.as_slice(), &["--max", "7"]].concat()).lines().count(), 7);
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn what_is_not_there_is_said_at_once() {
    let kafka = kafka();
    create(&kafka, "there", 1);
    let output = run(&["run", "--brokers", kafka.brokers(), "--topic", "not-there", "--bind", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(78), "{}", said(&output));
    assert!(said(&output).contains("not-there") && said(&output).contains("there"), "{}", said(&output));
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let begun = Instant::now();
    let output = run(&["run", "--brokers", &gone, "--topic", "there", "--bind", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(74), "{}", said(&output));
    assert!(said(&output).contains(&gone) && begun.elapsed() < Duration::from_secs(15), "{}", said(&output));
}
