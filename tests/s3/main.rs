//! Checkpoints in a bucket: what holds in a folder holds there, on a server that speaks S3.
//!
//! Idea: the suite of folders runs again, with versitygw in the place of the file system. It keeps objects as files, so they
//! can be torn and flipped as those are. What only a network does is done by a proxy between the program and the server.
//! Invariant: as there: every answer is compared with a recount of its own records.
//! Cost: some minutes. `go install github.com/versity/versitygw/cmd/versitygw@v1.8.0` brings the server, and `.ci/run` puts it
//! into `target/s3`; `TIDINGS_S3_SERVER` names another place.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;

#[path = "../checkpoint/damage.rs"]
mod damage;
mod faults;
#[path = "../checkpoint/fence.rs"]
mod fence;
#[path = "../checkpoint/kill.rs"]
mod kill;
mod place;
mod points;
mod proxy;
#[path = "../checkpoint/stage.rs"]
mod stage;
mod store;
