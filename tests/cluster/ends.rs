//! How a cluster ends: by a signal to any of its processes, by the loss of one, by what one of them cannot go on with.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::group::{Group, Process, settings};
use crate::support::broker::{Embedded, Producer, wall_ms};
use crate::support::hostile::{Hostile, Sent};

#[test]
fn a_signal_to_any_process_stops_all_in_good_order() {
    let broker = Embedded::start(&[("posts", 3)]);
    let producer = Producer::new(&broker.brokers(), "none");
    let mut hostile = Hostile::new(1);
    (0..300).for_each(|n| producer.send("posts", n % 3, &hostile.next(wall_ms())));
    producer.flush();
    for stopped in 0..2 {
        let mut group = Group::start(&settings(&broker.brokers(), 2), 2);
        group.processes[stopped].signal("TERM");
        for process in &mut group.processes {
            let (code, took) = process.ends(Duration::from_secs(20));
            assert_eq!(code, Some(0), "after {took:?}: {}", process.log());
            assert!(!process.log().contains("lost process"), "{}", process.log());
        }
    }
}

#[test]
fn a_lost_process_ends_all_within_a_second_and_is_named() {
    let broker = Embedded::start(&[("posts", 3)]);
    let mut took = Vec::new();
    for lost in [0, 2] {
        let mut group = Group::start(&settings(&broker.brokers(), 1), 3);
        let named = format!("lost process {lost} ({})", group.hosts[lost]);
        group.processes[lost].signal("KILL");
        let begun = Instant::now();
        for (index, process) in group.processes.iter_mut().enumerate().filter(|(index, _)| *index != lost) {
            let (code, _) = process.ends(Duration::from_secs(20));
            took.push(begun.elapsed());
            assert_eq!(code, Some(75), "{index}: {}", process.log());
            let log = process.log();
            let lines: Vec<_> = log.lines().filter(|line| line.contains("tidings: ")).collect();
            assert_eq!(lines.len(), 1, "{log}");
            // Who goes because of the first may be noticed first.
            assert!(lines[0].contains("lost process") && !log.contains("panicked"), "{log}");
        }
        let all: String = group.processes.iter().map(Process::log).collect();
        assert!(all.contains(&named), "{all}");
    }
    // A busy machine may hold up some of them; whoever waits for a limit does so every time.
    assert!(took.iter().all(|took| *took < Duration::from_secs(7)), "{took:?}");
    assert!(took.iter().min() < Some(&Duration::from_secs(1)), "{took:?}");
}

#[test]
fn a_panic_in_a_worker_ends_its_process_and_the_others_name_it() {
    let broker = Embedded::start(&[("posts", 3)]);
    let mut group = Group::new(&settings(&broker.brokers(), 2), 3);
    for index in 0..3 {
        let mut command = group.command(index, &[]);
        if index == 1 {
            command.env("TIDINGS_FAILPOINT", "panic worker.epoch:12");
        }
        group.processes.push(Process::start(command, group.log(index)));
    }
    let named = format!("lost process 1 ({})", group.hosts[1]);
    for (index, process) in group.processes.iter_mut().enumerate() {
        let (code, _) = process.ends(Duration::from_secs(30));
        let log = process.log();
        assert_eq!(code, Some(if index == 1 { 70 } else { 75 }), "{index}: {log}");
        assert_eq!(log.contains("panicked"), index == 1, "{index}: {log}");
        assert_eq!(log.contains("at worker.epoch"), index == 1, "{index}: {log}");
    }
    let all: String = group.processes.iter().map(Process::log).collect();
    assert!(all.contains(&named), "{all}");
}

#[test]
fn what_one_cannot_go_on_with_ends_all_with_its_reason() {
    let broker = Embedded::start(&[("posts", 2)]);
    let producer = Producer::new(&broker.brokers(), "none");
    let mut group =
        Group::start(&format!("{}[posts]\non_bad = \"fail\"\n", settings(&broker.brokers(), 1)), 2);
    // Partition 1 belongs to the worker of process 1.
    producer.send("posts", 1, &Sent { value: Some(b"\xff".to_vec()), timestamp: wall_ms() });
    producer.flush();
    for process in &mut group.processes {
        let (code, _) = process.ends(Duration::from_secs(20));
        assert_eq!(code, Some(65), "{}", process.log());
        assert!(process.log().contains("bad record: posts 1 offset 0"), "{}", process.log());
    }
}

#[test]
fn what_process_0_finds_missing_all_are_told() {
    let broker = Embedded::start(&[("posts", 2)]);
    let text = settings(&broker.brokers(), 1).replace("[kafka]\n", "[kafka]\ntopics = [\"others\"]\n");
    let mut group = Group::new(&text, 2);
    for index in 0..2 {
        let mut process = Process::start(group.command(index, &[]), group.log(index));
        if index == 0 {
            process.says("waiting for the others");
        }
        group.processes.push(process);
    }
    for process in &mut group.processes {
        assert_eq!(process.ends(Duration::from_secs(30)).0, Some(78), "{}", process.log());
        assert!(process.log().contains("there is no topic \"others\""), "{}", process.log());
    }
}

/// A signal after standard input has ended is the first one, and the second ends the process, whatever it waits for.
#[test]
fn signals_are_heard_after_the_end_of_standard_input() {
    let broker = Embedded::start(&[("posts", 2)]);
    let mut group = Group::new(&settings(&broker.brokers(), 1), 2);
    let mut command = group.command(0, &[]);
    command.arg("--until-input-ends").stdin(Stdio::piped());
    group.processes.push(Process::start(command, group.log(0)));
    group.processes.push(Process::start(group.command(1, &[]), group.log(1)));
    group.processes.iter_mut().for_each(Process::ready);
    // Without the other it cannot come to its end.
    group.processes[1].signal("STOP");
    let zero = &mut group.processes[0];
    drop(zero.child.stdin.take());
    zero.says("stopping: closing the epoch");
    zero.signal("TERM");
    std::thread::sleep(Duration::from_millis(500));
    assert!(zero.child.try_wait().unwrap().is_none(), "{}", zero.log());
    zero.signal("INT");
    let (code, took) = zero.ends(Duration::from_secs(15));
    assert_eq!(code, Some(130), "after {took:?}: {}", zero.log());
}

#[test]
#[ignore = "waits for half a minute"]
fn a_stop_beside_a_silent_process_is_no_bug() {
    let broker = Embedded::start(&[("posts", 2)]);
    let mut group = Group::start(&settings(&broker.brokers(), 1), 2);
    group.processes[1].signal("STOP");
    group.processes[0].signal("TERM");
    let (code, took) = group.processes[0].ends(Duration::from_secs(45));
    let log = group.processes[0].log();
    assert_eq!(code, Some(75), "after {took:?}: {log}");
    assert!(log.contains("process 1 has been silent for"), "{log}");
}
