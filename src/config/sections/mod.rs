//! From the settings as they were given to the settings as the program takes them, a file for each table.
//!
//! Idea: a section reads its keys through a [`Reader`], which knows where each value came from and puts the documented
//! default in the place of a wrong one, so that all sections are always read and every mistake is found.
//! Invariant: every documented key is read by exactly one section; a test sets each to nonsense and expects a refusal.

mod addresses;
mod checkpoint;
mod cluster;
mod counts;
mod engine;
mod http;
mod kafka;
mod log;
mod posts;
mod properties;
mod reader;
pub mod secrets;

use super::layers::Settings;
use super::model::Config;
use super::problem::Problems;

pub(super) use reader::Reader;

/// The settings of the program; what is wrong is added to the problems, what is questionable to the warnings.
pub(super) fn read(settings: &mut Settings, problems: &mut Problems, warnings: &mut Vec<String>) -> Config {
    let properties = properties::read(&settings.properties, problems, warnings);
    let counts = counts::read(&mut settings.counts, problems, warnings);
    let mut reader = Reader { values: &mut settings.values, problems, warnings };
    let kafka = kafka::read(&mut reader, properties);
    let posts = posts::read(&mut reader);
    let engine = engine::read(&mut reader);
    let http = http::read(&mut reader);
    let cluster = cluster::read(&mut reader);
    let checkpoint = checkpoint::read(&mut reader);
    let log = log::read(&mut reader);
    if let Some(topic) = &posts.dead_letter_topic
        && kafka.topics.contains(topic)
    {
        let why =
            "is one of `kafka.topics`, so that bad records would come round for ever: name another topic";
        reader.refuse_together("posts.dead_letter_topic", &["kafka.topics"], &format!("{topic:?} {why}"));
    }
    Config { kafka, posts, engine, counts, http, cluster, checkpoint, log }
}
