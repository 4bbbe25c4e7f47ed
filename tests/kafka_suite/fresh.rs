//! Bursts, and an hour that was missed: every answer stays exact, memory stays within bounds, answers are soon fresh again.

use std::time::Duration;

use crate::admin::Admin;
use crate::broker::shared;
use crate::load::{Load, settings, until_fresh, until_ready, without_padding};
use crate::oracle::Oracle;
use crate::oracle::history::History;
use crate::support::broker::{read_back_as, wall_ms};
use crate::support::process::Server;
use crate::support::session::{ask_during, recount};

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn a_burst_of_twenty_times_the_rate_is_counted_exactly_and_soon() {
    const TOPIC: &str = "burst";
    let broker = shared();
    Admin::of(broker.address()).create(TOPIC, 4, &[]);
    let mut load = Load::new(broker.address(), TOPIC, 4);
    let mut server = Server::run(&settings(broker.address(), &[TOPIC], "")).ready();
    let (client, config) = (server.client(), server.config());
    let answers = ask_during(&server, &config, 131, |own, answers| {
        load.keep_sending(10, Duration::from_secs(3));
        let written = load.keep_sending(20 * 10, Duration::from_secs(5));
        let took = until_fresh(&client, Duration::from_secs(30));
        println!("fresh {took:?} after the burst, {} posts", load.sent());
        answers.extend(own.ask_everything(&written));
        load.keep_sending(10, Duration::from_secs(2))
    });
    assert!(server.terminate().0.success());
    let (_, records) = recount(broker.address(), &[TOPIC], &config, &answers);
    assert_eq!(records.len() as u64, load.sent());
}

/// As documented, 64 MiB on their way and 64 MiB fetched ahead for each of two workers; 200 MiB for all else.
const BOUND_KIB: u64 = (2 * (64 + 64) + 200) << 10;

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn an_hour_that_was_missed_is_made_up_for_within_bounds() {
    const TOPIC: &str = "an-hour";
    const A_SECOND: i64 = 8;
    let broker = shared();
    Admin::of(broker.address()).create(TOPIC, 4, &[]);
    let mut load = Load::new(broker.address(), TOPIC, 4);
    // Seven hundred megabytes, of which little is terms: if all were held in memory that would be seen.
    load.pad(25_000);
    let begun_ms = wall_ms();
    for second in -3600..0 {
        let time = |n: i64| begun_ms + second * 1000 + n * 1000 / A_SECOND;
        (0..A_SECOND).for_each(|n| load.hand_over_one(time(n)));
        if second % 100 == 0 {
            load.send(0);
        }
    }
    let text = settings(broker.address(), &[TOPIC], "").replace("\"1m/5s\"", "\"1m/5s\", \"1h/1m\"");
    let mut server = Server::run(&text);
    let (client, config) = (server.client(), server.config());
    let mut caught_up = Duration::ZERO;
    let answers = ask_during(&server, &config, 132, |own, answers| {
        caught_up = until_ready(&client, Duration::from_secs(300));
        let fresh = until_fresh(&client, Duration::from_secs(20));
        println!("{} posts of an hour read in {caught_up:?}, fresh {fresh:?} later", load.sent());
        answers.extend(own.ask_everything(&load.send(100)));
        load.pad(0);
        load.keep_sending(10, Duration::from_secs(2))
    });
    let most = server.memory_kib("VmHWM");
    println!("{} MiB at most", most >> 10);
    assert!(most < BOUND_KIB, "{most} KiB, but at most {BOUND_KIB} are documented");
    let behind = answers.iter().filter(|answered| answered.answer.stamp().catching_up).count();
    assert!(behind > 0, "nobody asked while it caught up");
    assert!(server.terminate().0.success());
    let records = read_back_as(broker.address(), &[TOPIC], without_padding);
    assert_eq!(records.len() as u64, load.sent());
    Oracle::new(&config, &records, wall_ms()).check_all(&answers);
    History::new(&answers).check();
}
