//! `[cluster]`: several processes as one.
//!
//! Invariant: the index of this process is one of the hosts; processes that can be reached from elsewhere share a
//! secret, since whoever connects to one of them can change its counts.

use std::collections::BTreeSet;

use super::super::model::Cluster;
use super::super::problem::quote;
use super::{Reader, addresses};

/// More processes than anybody connects each to each.
const MOST_PROCESSES: u32 = 1024;

pub(super) fn read(reader: &mut Reader<'_>) -> Cluster {
    let cluster = Cluster {
        hosts: reader.list("cluster.hosts", addresses::process),
        process: reader.number("cluster.process", 0..=MOST_PROCESSES - 1),
        id: reader.parse("cluster.id", id),
        secret_file: reader.path("cluster.secret_file"),
    };
    let (hosts, process) = (&cluster.hosts, cluster.process);
    let mut seen = BTreeSet::new();
    if let Some(twice) = hosts.iter().find(|host| !seen.insert(*host)) {
        reader.refuse(
            "cluster.hosts",
            &format!("{twice:?} is named twice, each process needs an address of its own"),
        );
    }
    if hosts.is_empty() && process > 0 {
        reader.warn("cluster.process", "does nothing without `cluster.hosts`");
    }
    if !hosts.is_empty() && process >= hosts.len() {
        let why = format!("is {process}, but `cluster.hosts` has {}: the first is 0", hosts.len());
        reader.refuse_together("cluster.process", &["cluster.hosts"], &why);
    }
    if let Some(open) = hosts.iter().find(|host| !addresses::is_loopback(host))
        && cluster.secret_file.is_none()
    {
        let why = format!("{open:?} can be reached from other hosts, so `cluster.secret_file` is needed");
        reader.refuse_together("cluster.hosts", &["cluster.secret_file"], &why);
    }
    cluster
}

fn id(text: &str) -> Result<String, String> {
    let valid = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let right = (1..=64).contains(&text.len()) && text.chars().all(valid);
    right.then(|| text.to_owned()).ok_or_else(|| {
        format!("{} is no name, write 1 to 64 ASCII letters, digits, dots, dashes or _", quote(text))
    })
}
