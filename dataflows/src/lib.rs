//! Exact counts of terms over windows of event time, and their ranking, as timely and differential dataflows.
//!
//! ```text
//! records == shared out ==> intake: records -> (pane, term) -> n         intake.rs combine.rs filling.rs table.rs index.rs
//!                                                                        ahead.rs  long.rs  outgoing.rs records.rs
//!   == blocks, each for one worker ==>                                   block.rs  rows.rs term.rs
//!   --> admit: each update to the finest tier that still covers it       admit.rs  windows.rs touched.rs quota.rs
//!   --> panes: arrangement (pane, term), whose diff is the count         panes.rs  runs.rs body.rs batcher.rs joined.rs
//!                                                                        merger.rs sum.rs shared.rs
//!         ^--- expire: a pane that died, moved to a coarser tier         expire.rs
//!   --> rank: totals per window, the first K                             rank.rs   ranking.rs totals.rs leaders.rs top.rs
//!   --> spellings: arrangement (term, spelling)                          spellings.rs census.rs
//! rows of an earlier run == blocks, each for one worker ==> admit, spellings    load.rs
//! facts == broadcast ==> clock, one value per epoch for all workers      clock.rs
//! published as `Arc` batches, read by any thread                         pipeline.rs snapshot.rs reads.rs merged.rs
//! ```
//! Words: an *epoch* is the dataflow's time, in milliseconds; *event time* is data, in milliseconds as well; a *pane* is
//! a slide's worth of event time; a *tier* is all panes of one slide; the *clock* is the event time at which windows
//! end. Nothing here knows of Kafka, HTTP, files or the wall clock.

pub mod admit;
pub mod ahead;
pub mod batcher;
pub mod block;
pub mod body;
mod census;
pub mod clock;
pub mod combine;
pub mod expire;
mod filling;
pub mod follow;
mod index;
pub mod intake;
mod joined;
pub mod leaders;
pub mod load;
mod long;
pub mod merged;
pub mod merger;
pub mod outgoing;
pub mod panes;
pub mod pipeline;
pub mod quota;
pub mod rank;
pub mod ranking;
pub mod reads;
pub mod records;
mod rows;
pub mod runs;
pub mod shared;
pub mod snapshot;
pub mod spellings;
mod sum;
mod table;
pub mod term;
pub mod top;
pub mod totals;
pub mod touched;
pub mod windows;
mod wire;
