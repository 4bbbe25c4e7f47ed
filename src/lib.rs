//! tidings keeps exact, live counts of the words and hashtags in a stream of posts.
//!
//! The way of a post: [`source`] reads records, [`posts`] decodes them, [`terms`] takes them apart, `tidings_dataflows`
//! counts and ranks, [`engine`] runs the workers and publishes their results, [`serve`] answers over HTTP. [`config`] says
//! how, [`cli`] holds a file per command, [`produce`] puts posts into Kafka.

pub mod allocator;
pub mod checkpoint;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod engine;
pub mod open_files;
pub mod outward;
pub mod produce;
pub mod say;
pub mod serve;
pub mod source;
pub mod wall;

pub use tidings_text::{posts, terms};
