//! The whole server on a real socket, over a real dataflow.
//!
//! Idea: requests are sent as bytes over plain TCP, so that also those can be sent that no client library would.
//! Invariant: nothing here depends on the network, on Kafka or on the time of day.

mod access;
mod bounds;
pub mod client;
mod cluster;
mod connections;
mod contract;
mod early;
mod events;
pub mod fed;
mod health;
mod page;
mod panics;
mod reads;
mod refusals;
pub mod server;
mod slow;
mod sse;
mod stopping;
mod turns;
