//! Several processes as one: they find each other, prove that they belong together, and end together.
//!
//! Idea: before the engine starts, every two processes have two connections, one for the dataflow and one for reads and
//! signs of life. Each connection begins with a handshake of our own ([`handshake`]), so that timely is only ever handed
//! sockets whose other end is the process that it should be. What is known of the members at that moment is a [`Mesh`].
//! Invariant: one run of all processes is a generation, with a number of its own; a process is in one generation for
//! life. Whoever loses another process ends too ([`loss`]), and whoever supervises starts all of them anew.
//! What they then say to each other beside the dataflow is the affair of [`peers`].
//! Cost: two connections and, once the dataflow runs, four threads for each other process.

mod bytes;
pub mod door;
mod ending;
mod error;
pub mod fingerprint;
pub mod form;
mod guests;
pub mod handshake;
pub mod heard;
pub mod hello;
pub mod hosts;
mod lobby;
pub mod loss;
mod mesh;
pub mod peers;
pub mod ports;
mod reach;
pub mod secret;
mod socket;
pub mod supervise;

pub use error::ClusterError;
pub use heard::Heard;
pub use mesh::Mesh;
