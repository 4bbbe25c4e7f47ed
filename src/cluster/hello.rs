//! What a process says of itself when it meets another.
//!
//! Idea: all that must agree for two processes to work together is said before anything else, so that what does not
//! agree is a sentence in two logs instead of a wrong count.
//! Invariant: the layout is fixed for a protocol number; see [`super::handshake`] for the frame around it. Nothing in it is
//! secret.
//! Cost: some 400 bytes.

use super::bytes::{Bytes, put_text};
use super::fingerprint::{Hash, SECTIONS, Settings};

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The dataflow.
    Data,
    /// Reads, and signs of life.
    Reads,
}

impl Purpose {
    /// Both.
    pub const ALL: [Purpose; 2] = [Purpose::Data, Purpose::Reads];
}

/// What all processes of a cluster must have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The cluster's name.
    pub cluster: String,
    /// How many processes it has.
    pub processes: u32,
    /// Workers in each.
    pub threads: u32,
    /// The program.
    pub build: Hash,
    /// The settings that must be the same.
    pub settings: Settings,
}

/// What a process says of itself on one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Random, and never used again.
    pub nonce: [u8; 32],
    /// What the connection is for.
    pub purpose: Purpose,
    /// The generation that is being formed; 0 where that is not known yet.
    pub generation: u64,
    /// The latest generation of which this process knows.
    pub known: u64,
    /// Random; another one for each start of a process.
    pub instance: u128,
    /// The index of whoever says this.
    pub from: u32,
    /// The index of whom it is said to.
    pub to: u32,
    /// What must agree.
    pub member: Member,
}

impl Hello {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(&self.nonce);
        out.push(match self.purpose {
            Purpose::Data => 1,
            Purpose::Reads => 2,
        });
        out.extend_from_slice(&self.generation.to_be_bytes());
        out.extend_from_slice(&self.known.to_be_bytes());
        out.extend_from_slice(&self.instance.to_be_bytes());
        for number in [self.from, self.to, self.member.processes, self.member.threads] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        put_text(&mut out, &self.member.cluster);
        out.extend_from_slice(&self.member.build);
        self.member.settings.iter().for_each(|hash| out.extend_from_slice(hash));
        out
    }

    /// Reads it; `None` where the bytes are something else.
    pub fn decode(bytes: &[u8]) -> Option<Hello> {
        let mut bytes = Bytes(bytes);
        let nonce = bytes.array()?;
        let purpose = match bytes.u8()? {
            1 => Purpose::Data,
            2 => Purpose::Reads,
            _ => return None,
        };
        let (generation, known, instance) = (bytes.u64()?, bytes.u64()?, bytes.u128()?);
        let (from, to) = (bytes.u32()?, bytes.u32()?);
        let (processes, threads) = (bytes.u32()?, bytes.u32()?);
        let cluster = bytes.text()?.to_owned();
        let build = bytes.array()?;
        let mut settings = Settings::default();
        for hash in &mut settings {
            *hash = bytes.array()?;
        }
        let member = Member { cluster, processes, threads, build, settings };
        let whole = bytes.0.is_empty();
        whole.then_some(Hello { nonce, purpose, generation, known, instance, from, to, member })
    }

    /// Why this process, which says `mine`, cannot work together with one that says this; what to change is part of it.
    pub fn objection(&self, mine: &Hello) -> Option<String> {
        let (they, we) = (&self.member, &mine.member);
        if they.cluster != we.cluster {
            let (them, us) = (&they.cluster, &we.cluster);
            return Some(format!("it belongs to cluster {them:?}, this process to {us:?} (`cluster.id`)"));
        }
        if they.processes != we.processes {
            return Some(format!(
                "it knows of {} processes, this one of {}: `cluster.hosts` must be the same everywhere",
                they.processes, we.processes
            ));
        }
        if self.to != mine.from || self.from == mine.from || self.from >= we.processes {
            return Some(format!(
                "process {} took this one for process {}, but it is {}: `cluster.hosts` must be the same everywhere, \
                 `cluster.process` different",
                self.from, self.to, mine.from
            ));
        }
        if they.build != we.build {
            return Some(
                "it is another build of the program: all processes must run the same binary".to_owned(),
            );
        }
        if they.threads != we.threads {
            return Some(format!(
                "process {} has {} workers, process {} has {}: set `engine.workers` to the same number",
                self.from, they.threads, mine.from, we.threads
            ));
        }
        let differs = |at: &usize| they.settings[*at] != we.settings[*at];
        let different = (0..SECTIONS.len()).filter(differs).map(|at| SECTIONS[at]).collect::<Vec<_>>();
        if !different.is_empty() {
            return Some(format!(
                "the settings of process {} and process {} differ in {}",
                self.from,
                mine.from,
                different.join(", ")
            ));
        }
        (self.purpose != mine.purpose).then(|| "it answered for another purpose".to_owned())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Process `from` of three, as it would greet process `to`.
    pub(in crate::cluster) fn hello(from: u32, to: u32) -> Hello {
        let member = Member {
            cluster: "tidings".to_owned(),
            processes: 3,
            threads: 2,
            build: [7; 32],
            settings: [[9; 32]; SECTIONS.len()],
        };
        let purpose = Purpose::Data;
        Hello {
            nonce: [from as u8; 32],
            purpose,
            generation: 5,
            known: 4,
            instance: from.into(),
            from,
            to,
            member,
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            nonce: [u8; 32], data: bool, generation: u64, known: u64, instance: u128, from: u32, to: u32,
            processes: u32, threads: u32, build: [u8; 32], cluster in "\\PC{0,63}", cut in 0usize..200,
        ) {
            let purpose = if data { Purpose::Data } else { Purpose::Reads };
            let member = Member { cluster, processes, threads, build, settings: [build; SECTIONS.len()] };
            let hello = Hello { nonce, purpose, generation, known, instance, from, to, member };
            let bytes = hello.encode();
            prop_assert_eq!(Hello::decode(&bytes), Some(hello));
            prop_assert_eq!(Hello::decode(&bytes[..bytes.len() - 1 - cut.min(bytes.len() - 1)]), None);
            prop_assert_eq!(Hello::decode(&[&bytes[..], b"x"].concat()), None);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = Hello::decode(&bytes);
        }
    }

    #[test]
    fn each_difference_is_said() {
        let (mine, theirs) = (hello(0, 1), hello(1, 0));
        assert_eq!(theirs.objection(&mine), None);
        let different = |change: fn(&mut Hello)| {
            let mut theirs = theirs.clone();
            change(&mut theirs);
            theirs.objection(&mine).unwrap_or_default()
        };
        for (change, part) in [
            ((|h| h.member.cluster = "other".to_owned()) as fn(&mut Hello), "`cluster.id`"),
            (|h| h.member.processes = 2, "knows of 2 processes, this one of 3"),
            (|h| h.to = 2, "took this one for process 2, but it is 0"),
            (|h| h.from = 0, "`cluster.process` different"),
            (|h| h.from = 9, "`cluster.process` different"),
            (|h| h.member.build[31] = 0, "another build"),
            (|h| h.member.threads = 4, "process 1 has 4 workers, process 0 has 2"),
            (|h| h.member.settings[1][0] = 0, "differ in [posts]"),
            (|h| h.purpose = Purpose::Reads, "another purpose"),
        ] {
            let said = different(change);
            assert!(said.contains(part), "{said}");
        }
    }
}
