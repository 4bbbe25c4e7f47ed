//! The engine: workers that read, count and publish, and a [`Reader`] through which any thread asks.
//!
//! Idea: [`start`](start::start) brings the workers up; each runs the loop of `worker`, and after every epoch publishes
//! its results (`published`). A reader takes the newest epoch that all workers have published and reads it whole (`reader`);
//! of what other processes own, it asks them (`question`, `gather`).
//! Invariant: no worker serves a read, and no reader holds a worker up.

pub mod commands;
pub mod control;
pub mod decode;
mod error;
pub mod filter;
pub mod flow;
pub mod gather;
mod job;
pub mod keep;
mod leading;
mod outbox;
pub mod owners;
mod panes;
mod progress;
pub mod published;
mod publisher;
pub mod question;
pub mod reader;
mod samples;
mod sharing;
pub mod sheets;
pub mod start;
pub mod tally;
pub mod told;
mod wire;
pub mod worker;

pub use error::EngineError;
pub use job::Input;
pub use published::Cut;
pub use reader::{Bound, CountInfo, Member, NotUpTo, Reader, WindowInfo};
pub use start::{Engine, start};
