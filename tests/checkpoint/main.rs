//! Checkpoints: the real binary is ended in every way, started again, and compared with the oracle before and after.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/mod.rs"]
mod support;

#[path = "../../fuzz/checks/manifest.rs"]
mod any_manifest;
#[path = "../../fuzz/checks/segment.rs"]
mod any_segment;
mod clock;
mod corpora;
mod damage;
mod failpoints;
mod fence;
mod full;
mod hung;
mod kill;
mod place;
#[path = "../../fuzz/checks/replay.rs"]
mod replay;
mod settings;
mod stage;
mod topic;
