//! From the bytes of a record to the terms that are counted: [`posts`] decodes, [`terms`] takes texts apart.
//!
//! Apart from the rest of tidings because it needs nothing of it: no Kafka, no network, no files, no clock; so that it is
//! built, tested and measured in seconds.

mod lanes;
pub mod posts;
pub mod terms;
