//! What must be the same in all processes of a cluster, as hashes: the program, and the settings section by section.
//!
//! Idea: two builds may lay out the same message differently, and two configurations may count the same post differently;
//! both would give wrong numbers without an error. A hash says so before the first message.
//! Invariant: a setting that a process may have for itself (addresses that it binds, its index, its log, paths of files) is
//! in no hash, and neither is the value of a property that may be a secret; every other one is.
//! Cost: one reading of the program's own file, once.

use std::fs::File;
use std::io::Read;

use ring::digest::{Context, SHA256, digest};

use crate::config::{Checkpoint, Cluster, Config, Engine, Kafka, Property, is_secret};

/// SHA-256.
pub type Hash = [u8; 32];

/// The sections of the configuration that are compared, in the order of their hashes.
pub const SECTIONS: [&str; 6] = ["[kafka]", "[posts]", "[engine]", "[[count]]", "[cluster]", "[checkpoint]"];

/// A hash for each of [`SECTIONS`].
pub type Settings = [Hash; SECTIONS.len()];

/// The hash of the program that runs.
///
/// # Errors
/// Where its own file cannot be read.
pub fn build() -> std::io::Result<Hash> {
    // On Linux this is what runs, also where its file has been replaced since.
    let own = File::open("/proc/self/exe").or_else(|_| File::open(std::env::current_exe()?));
    let (mut own, mut context, mut piece) = (own?, Context::new(&SHA256), vec![0; 1 << 20]);
    loop {
        match own.read(&mut piece)? {
            0 => return Ok(bytes(context.finish())),
            n => context.update(&piece[..n]),
        }
    }
}

/// The hashes of the settings. They are compared between equal builds only, so how Rust prints a value may be used.
pub fn settings(config: &Config) -> Settings {
    let Config { kafka, posts, engine, counts, http: _, cluster, checkpoint, log: _ } = config;
    let Kafka { brokers, topics, start, group_id, on_gap, properties } = kafka;
    let own = |name: &str| name.ends_with(".location") || name.starts_with("client.");
    let shared = properties.iter().filter(|(name, _)| !own(name));
    // A hash of a secret would help whoever guesses it: that there is one has to do. Where a value comes from says nothing.
    let value = |(name, property): (&String, &Property)| match is_secret(name) {
        true => (name.clone(), None),
        false => (name.clone(), Some(property.value.clone())),
    };
    let shared: Vec<(String, Option<String>)> = shared.map(value).collect();
    let Engine { workers: _, epoch, clock, max_terms } = engine;
    let Cluster { hosts, process: _, id, secret_file: _ } = cluster;
    // That one process begins anew and another does not is for the one that leads to see.
    let Checkpoint { dir, interval, fresh: _ } = checkpoint;
    let sections = [
        format!("{:?}", (brokers, topics, start, group_id, on_gap, shared)),
        format!("{posts:?}"),
        format!("{:?}", (epoch, clock, max_terms)),
        format!("{counts:?}"),
        format!("{:?}", (hosts, id)),
        format!("{:?}", (dir, interval)),
    ];
    sections.map(|section| bytes(digest(&SHA256, section.as_bytes())))
}

fn bytes(digest: ring::digest::Digest) -> Hash {
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    fn of(text: &[(&str, &str)]) -> Settings {
        let env = text.iter().map(|(name, value)| (format!("TIDINGS__{name}"), (*value).to_owned()));
        settings(&load(None, env, Vec::new()).expect("it is valid").config)
    }

    #[test]
    fn what_a_process_has_for_itself_is_in_no_hash() {
        let hosts = ("CLUSTER__HOSTS", "localhost:1,localhost:2");
        let other = [
            ("CLUSTER__PROCESS", "1"),
            ("HTTP__BIND", "127.0.0.1:9"),
            ("LOG__LEVEL", "debug"),
            ("ENGINE__WORKERS", "7"),
            ("CLUSTER__SECRET_FILE", "/elsewhere"),
            ("KAFKA__PROPERTIES__CLIENT_ID", "mine"),
        ];
        for own in other {
            assert_eq!(of(&[hosts, own]), of(&[hosts]), "{own:?}");
        }
    }

    #[test]
    fn a_property_counts_by_its_value_wherever_it_comes_from() {
        let level = |level| of(&[("KAFKA__PROPERTIES__ISOLATION_LEVEL", level)])[0];
        assert_ne!(level("read_uncommitted"), level("read_committed"));
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("tidings.toml");
        std::fs::write(&file, "[kafka.properties]\n\"isolation.level\" = \"read_committed\"\n")
            .expect("room");
        let in_file = load(Some(&file), [], Vec::new()).expect("it is valid").config;
        assert_eq!(settings(&in_file)[0], level("read_committed"));
        let password = |password| of(&[("KAFKA__PROPERTIES__SASL_PASSWORD", password)])[0];
        assert_eq!(password("one"), password("another"), "each may have its own");
        assert_ne!(password("one"), of(&[])[0]);
    }

    #[test]
    fn each_section_has_its_hash() {
        let changes = [
            ("KAFKA__TOPICS", "others"),
            ("POSTS__TIME", "post"),
            ("ENGINE__EPOCH", "1s"),
            ("CLUSTER__ID", "other"),
            ("CHECKPOINT__INTERVAL", "1s"),
        ];
        for ((name, value), section) in changes.into_iter().zip([0, 1, 2, 4, 5]) {
            let (changed, usual) = (of(&[(name, value)]), of(&[]));
            let differ: Vec<_> = (0..SECTIONS.len()).filter(|at| changed[*at] != usual[*at]).collect();
            assert_eq!(differ, [section], "{name}");
        }
    }

    #[test]
    fn a_program_has_one_hash() {
        assert_eq!(build().expect("its file can be read"), build().expect("its file can be read"));
    }
}
