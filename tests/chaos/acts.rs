//! What is done, and how often.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::broker::Broker;
use crate::fleet::Fleet;
use crate::support::random::Random;

/// Does something every few seconds; returns how often it did what.
pub fn act(
    fleet: &mut Fleet,
    broker: &Broker,
    mut random: Random,
    until: Instant,
) -> BTreeMap<&'static str, u32> {
    let mut done = BTreeMap::new();
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(500 + random.below(6000)));
        let what = match random.below(20) {
            0..8 => {
                // As often as not while a checkpoint is being written: it is every second.
                fleet.kill_one();
                "kill -9"
            }
            8..12 => {
                fleet.terminate_one();
                "SIGTERM"
            }
            12..16 => {
                fleet.hold_one(Duration::from_millis(200 + random.below(5000)));
                "SIGSTOP"
            }
            16 => {
                broker.stop();
                std::thread::sleep(Duration::from_millis(random.below(4000)));
                broker.start_again();
                "broker restart"
            }
            17 => {
                fleet.kill_all();
                "kill -9 of all"
            }
            _ => "nothing",
        };
        println!("{what}, {}", fleet.shown());
        *done.entry(what).or_default() += 1;
        fleet.keep_up();
    }
    done
}
