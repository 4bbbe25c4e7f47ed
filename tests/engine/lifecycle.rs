//! The process: it stops when told, sleeps when there is nothing to do, and uses all its workers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::oracle::Oracle;
use crate::oracle::answers::{Answer, Asked, Offsets, Question, Status};
use crate::oracle::history::History;
use crate::support::asker::Asker;
use crate::support::broker::{Embedded, Producer, read_back, wall_ms};
use crate::support::hostile::{Hostile, Sent};
use crate::support::process::Server;
use crate::support::session::StopAtEnd;
use crate::support::sse::Events;

#[test]
fn sigterm_under_load_ends_with_0_within_seconds() {
    let broker = Embedded::start(&[("posts", 2)]);
    let producer = Producer::new(&broker.brokers(), "zstd");
    let mut server = Server::run(&format!(
        "[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n[engine]\nworkers = 2\n",
        broker.brokers()
    ))
    .ready();
    let (stop, client, config) = (AtomicBool::new(false), server.client(), server.config());
    std::thread::scope(|scope| {
        let stopping = StopAtEnd(&stop);
        scope.spawn(|| {
            let (mut hostile, mut partition) = (Hostile::new(1), 0);
            while !stop.load(Ordering::Relaxed) {
                for _ in 0..200 {
                    partition = 1 - partition;
                    producer.send("posts", partition, &hostile.next(wall_ms()));
                }
                producer.flush();
            }
        });
        scope.spawn(|| while client.try_get("/v1/counts/words/top?window=all").is_ok() {});
        std::thread::sleep(Duration::from_secs(2));
        let status = Asker::new(server.client(), &config, 0).ask_everything(&Offsets::new()).pop().unwrap();
        assert!(matches!(status.answer, Answer::Status(status) if status.posts > 0), "there was no load");
        let (status, took) = server.terminate();
        drop(stopping);
        assert!(status.success(), "{status}");
        assert!(took < Duration::from_secs(20), "{took:?}");
    });
}

#[test]
fn an_idle_engine_uses_no_processor() {
    let broker = Embedded::start(&[("posts", 4)]);
    let producer = Producer::new(&broker.brokers(), "none");
    let mut hostile = Hostile::new(2);
    (0..200).for_each(|n| producer.send("posts", n % 4, &hostile.next(wall_ms())));
    producer.flush();
    let server = Server::run(&format!(
        "[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n[engine]\nworkers = 2\n",
        broker.brokers()
    ))
    .ready();
    std::thread::sleep(Duration::from_secs(1));
    // Whoever spins does so all the time, and whoever polls wakes up all the time. How much time the same few steps take is up to
    // the machine, many times as much where others use it; `cargo bench --bench live -- idle` measures that.
    let mut used = Vec::new();
    let is_idle = |(cpu, switches): &(u64, u64)| *cpu <= 50 && *switches <= 1000;
    while used.len() < 4 && !used.last().is_some_and(is_idle) {
        let before = server.cpu();
        let switches = server.switches_in(Duration::from_secs(5));
        used.push((server.cpu() - before, switches));
    }
    assert!(used.last().is_some_and(is_idle), "{used:?} hundredths of a second and switches in 5 s each");
}

#[test]
fn more_workers_than_partitions_all_work() {
    let broker = Embedded::start(&[("posts", 1)]);
    let producer = Producer::new(&broker.brokers(), "zstd");
    let mut hostile = Hostile::new(3);
    (0..20000).for_each(|_| producer.send("posts", 0, &hostile.next(wall_ms())));
    let written = producer.flush();
    // Whoever is faster gets more, so on a busy machine one may get little, but not every time.
    let mut all: Vec<Vec<u64>> = Vec::new();
    while all.len() < 4 && !all.last().is_some_and(|used| is_spread(used)) {
        let server = Server::run(&format!(
            "[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n[engine]\nworkers = 3\n",
            broker.brokers()
        ))
        .ready();
        let asked = Asked {
            count: "words".to_owned(),
            window: "all".to_owned(),
            question: Question::Top { k: 10 },
            min_offsets: written.clone(),
        };
        server.client().ask(asked, Duration::from_secs(20));
        let used = server.cpu_of_threads("timely");
        assert_eq!(used.len(), 3, "{used:?}");
        assert!(used.iter().any(|own| *own >= 5000), "too little work to tell: {used:?}");
        all.push(used);
    }
    assert!(all.last().is_some_and(|used| is_spread(used)), "work is not spread: {all:?}");
}

/// Whether no worker has used more than three times the time of another. One that decodes all uses ten times that of one that
/// decodes nothing.
fn is_spread(used: &[u64]) -> bool {
    used.iter().min().zip(used.iter().max()).is_some_and(|(least, most)| least * 3 >= *most)
}

#[test]
fn late_posts_are_counted_as_late_and_correct_the_past() {
    let broker = Embedded::start(&[("posts", 1)]);
    let producer = Producer::new(&broker.brokers(), "none");
    let mut server = Server::run(&format!(
        "[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n[engine]\nworkers = 2\nclock = \"event\"\nepoch = \"20ms\"\n\
         [[count]]\nname = \"tags\"\nof = \"hashtags\"\nwindows = [\"10s/1s\", \"1m/5s\", \"all\"]\n",
        broker.brokers()
    ))
    .ready();
    let (client, config) = (server.client(), server.config());
    let (begin, mut answers) = (1_600_000_000_000, Vec::new());
    let mut send = |tag: &str, second: i64| {
        let value = format!("{{\"id_str\":\"1\",\"text\":\"#{tag}\"}}").into_bytes();
        producer.send("posts", 0, &Sent { value: Some(value), timestamp: begin + second * 1000 });
        let written = producer.flush();
        answers.extend(Asker::new(client.clone(), &config, 0).ask_everything(&written));
        match &answers.last().unwrap().answer {
            Answer::Status(status) => (status.late, status.stamp.clock.map(|clock| clock.0 - begin)),
            _ => unreachable!("the status is asked for last"),
        }
    };
    // The smallest window covers seconds 91 to 100 when the clock stands in second 100.
    assert_eq!(send("a", 100), (0, Some(100_000)));
    assert_eq!(send("a", 91), (0, Some(100_000)));
    assert_eq!(send("b", 90), (1, Some(100_000)));
    assert_eq!(send("b", 60), (2, Some(100_000)));
    assert_eq!(send("B", 10), (3, Some(100_000)));
    assert_eq!(send("a", 101), (3, Some(101_000)));
    assert_eq!(send("c", 1000), (3, Some(1_000_000)));
    assert_eq!(send("a", 102), (4, Some(1_000_000)));
    assert!(server.terminate().0.success());
    let oracle = Oracle::new(&config, &read_back(&broker.brokers(), &["posts"]), wall_ms());
    oracle.check_all(&answers);
    let history = History::new(&answers);
    history.check();
    history.check_late(&oracle, &config);
}

/// However much of the past one epoch has: in its order none of it is late.
#[test]
fn a_backlog_in_its_order_is_not_late() {
    let broker = Embedded::start(&[("posts", 1)]);
    let producer = Producer::new(&broker.brokers(), "none");
    let begin = wall_ms() - 3_600_000;
    let mut send = |second: i64| {
        let value = Some(b"{\"id_str\":\"1\",\"text\":\"#a\"}".to_vec());
        producer.send("posts", 0, &Sent { value, timestamp: begin + second * 1000 });
    };
    (0..3600).for_each(&mut send);
    // These have to be, whether they come in the same epoch or not.
    [10, 20, 3590, 30].into_iter().for_each(&mut send);
    producer.flush();
    let mut server = Server::run(&format!(
        "[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n[engine]\nworkers = 1\n\
         [[count]]\nname = \"tags\"\nof = \"hashtags\"\nwindows = [\"1m\", \"1h\"]\n\
         [[count]]\nname = \"words\"\nof = \"words\"\nwindows = [\"1h\", \"24h\"]\n",
        broker.brokers()
    ))
    .ready();
    let status: Status = server.client().get("/v1/status").json();
    assert_eq!((status.posts, status.late), (3604, 3), "{status:?}");
    // The first window of the first count is not one of the second.
    let first = Events::open(server.address(), "").next().unwrap();
    assert_eq!(first.name, "snapshot");
    assert_eq!(first.data["stamp"]["window"], "1h", "{}", first.data);
    assert!(server.terminate().0.success());
}
