//! A process that is stopped while posts go on coming: what the others hold of them stays within bounds, and all is counted
//! when it goes on.
//!
//! Idea: nothing that is sent to a process that takes nothing is limited by the network, so it has to be limited by whoever
//! reads: an epoch that is not complete anywhere holds the next ones back. With one partition, one process reads everything
//! and hands half of it to the other, which is the one that is stopped.

use std::time::{Duration, Instant};

use crate::admin::Admin;
use crate::broker::shared;
use crate::load::{Load, settings, status, until, until_fresh, until_ready, until_unready, without_padding};
use crate::oracle::Oracle;
use crate::support::asker::Asker;
use crate::support::broker::{read_back_as, wall_ms};
use crate::support::several::{run, stop_all};

/// As documented, 64 MiB on their way and 64 MiB fetched ahead for a worker; as much again for what is copied on the way to the
/// other process and not yet given back.
const BOUND_KIB: u64 = (64 + 64 + 100) << 10;

/// What comes meanwhile, in posts of `PADDING` bytes: several times the bound.
const POSTS: u64 = 24_000;

const PADDING: usize = 25_000;

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn what_others_hold_beside_a_stopped_process_is_bounded() {
    const TOPIC: &str = "silent";
    let broker = shared();
    Admin::of(broker.address()).create(TOPIC, 1, &[]);
    let mut load = Load::new(broker.address(), TOPIC, 1);
    let text = settings(broker.address(), &[TOPIC], "").replace("workers = 2", "workers = 1");
    let mut servers = run(&text, 2);
    let (client, config) = (servers[0].client(), servers[0].config());
    until_ready(&client, Duration::from_secs(60));
    load.pad(PADDING);
    load.send(500);
    until_fresh(&client, Duration::from_secs(30));
    let before = servers[0].memory_kib("VmRSS");

    servers[1].signal("STOP");
    let stopped = Instant::now();
    let mut most = 0;
    for _ in 0..POSTS / 1000 {
        load.send(1000);
        most = most.max(servers[0].memory_kib("VmRSS"));
    }
    let noticed = until_unready(&client, "stalled", Duration::from_secs(20));
    until(Duration::from_secs(45), "half a minute has passed", || {
        most = most.max(servers[0].memory_kib("VmRSS"));
        (stopped.elapsed() > Duration::from_secs(30)).then_some(())
    });
    let written = (POSTS * PADDING as u64) >> 20;
    println!(
        "{written} MiB came beside a stopped process, stalled {noticed:?} after the last: {} MiB before, {} MiB at most",
        before >> 10,
        most >> 10
    );
    assert!(most < before + BOUND_KIB, "{most} KiB, from {before} KiB");

    servers[1].signal("CONT");
    let caught_up = until_ready(&client, Duration::from_secs(240));
    println!("caught up within {caught_up:?}");
    let written = load.send(10);
    let answers: Vec<_> = servers
        .iter()
        .flat_map(|server| Asker::new(server.client(), &config, 141).ask_everything(&written))
        .collect();
    assert_eq!(status(&client)["posts"].as_u64(), Some(load.sent()));
    stop_all(&mut servers);
    let records = read_back_as(broker.address(), &[TOPIC], without_padding);
    Oracle::new(&config, &records, wall_ms()).check_all(&answers);
}
