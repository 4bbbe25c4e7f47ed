//! A topic that is deleted, or deleted and made again, while it is counted: the run ends and says so.
//!
//! Two topics under one name must never be added up, and a run must not look alive while nothing can come any more.

use std::time::Duration;

use crate::admin::Admin;
use crate::broker::shared;
use crate::held::Held;
use crate::load::{Load, settings};

/// How long such a run may go on: metadata are looked at every ten seconds.
const NOTICED: Duration = Duration::from_secs(60);

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn a_deleted_topic_ends_the_run() {
    const TOPIC: &str = "to-be-deleted";
    let broker = shared();
    let admin = Admin::of(broker.address());
    admin.create(TOPIC, 2, &[]);
    admin.create("that-stays", 1, &[]);
    Load::new(broker.address(), TOPIC, 2).send(50);
    let mut held = Held::ready(&settings(broker.address(), &[TOPIC, "that-stays"], ""));
    admin.delete(TOPIC);
    assert_eq!(held.ends_within(NOTICED), Some(65), "{}", held.log());
    let log = held.log();
    assert!(log.contains(TOPIC) && log.contains("deleted"), "{log}");
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn a_topic_made_again_ends_the_run_though_its_offsets_would_do() {
    const TOPIC: &str = "to-be-made-again";
    let broker = shared();
    let admin = Admin::of(broker.address());
    admin.create(TOPIC, 1, &[]);
    Load::new(broker.address(), TOPIC, 1).send(50);
    let mut held = Held::ready(&settings(broker.address(), &[TOPIC], ""));
    // While it is held up it sees nothing of what is between, and the new topic is longer than the old one was.
    held.hold();
    admin.delete(TOPIC);
    // The broker answers as soon as the deletion is settled, and so the name is free.
    admin.create(TOPIC, 1, &[]);
    Load::new(broker.address(), TOPIC, 1).send(200);
    held.release();
    assert_eq!(held.ends_within(NOTICED), Some(65), "{}", held.log());
    let log = held.log();
    assert!(log.contains(TOPIC) && log.contains("anew"), "{log}");
}
