//! Asking the other processes of the cluster.
//!
//! Idea: a process that is asked asks those who own what it does not, all at once, each for its share at the epoch of the
//! cut, and puts the answers together. Who is asked answers from what it has published at that epoch.
//! Invariant: an answer is whole or it is none; all of its parts are of one epoch. Whoever waits for another process is a
//! task, not a thread.
//! Cost: one step there and back, in which the own share is read too; nothing where there is one process.

use std::io;
use std::net::TcpStream;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::owners::Owners;
use super::published::{Cut, Published};
use super::question::{Asked, Own, Question};
use super::reader::{CountInfo, Reader, state};
use super::told::Told;
use super::wire::{decode, encode};
use crate::cluster::Heard;
use crate::cluster::peers::{Hooks, Peers, Unanswered};

/// Why another process's part is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The process no longer has the epoch.
    Gone(usize),
    /// The process has not answered.
    Unanswered(usize, Unanswered),
    /// The process has answered something else.
    Unfit(usize),
}

/// The other processes, as a reader needs them.
#[derive(Clone)]
pub struct Others {
    /// Who owns what.
    pub owners: Owners,
    /// The connections; `None` in a process alone.
    pub peers: Option<Arc<Peers>>,
}

/// Connects what this process publishes with what the others do: over these connections, one to each of them, it tells,
/// hears, asks and answers. `lost` is told when one of them is lost, and why.
///
/// # Errors
/// Where a socket cannot be set up, or a thread not be started.
pub fn connect(
    published: &Arc<Published>,
    counts: &[CountInfo],
    streams: Vec<Option<TcpStream>>,
    lost: impl Fn(usize, &str) + Send + Sync + 'static,
) -> io::Result<Arc<Peers>> {
    let Owners { me, processes, .. } = published.owners();
    // The connections know what is published, and that knows the connections: neither keeps the other.
    let (hearing, saying) = (Arc::downgrade(published), Arc::downgrade(published));
    let told = move |process, bytes: &[u8]| {
        let told = decode::<Told>(bytes);
        told.is_some_and(|told| hearing.upgrade().is_none_or(|published| published.hear(process, told)))
    };
    let hooks = Hooks {
        told: Box::new(told),
        answer: Arc::new(answer(published, counts)),
        state: Box::new(move || saying.upgrade().map_or(0, |published| state(&published))),
        lost: Box::new(lost),
    };
    let peers = Arc::new(Peers::start(streams, Arc::new(Heard::new(me, processes)), hooks)?);
    let telling = Arc::downgrade(&peers);
    published.tell_by(move |told| {
        if let Some(peers) = telling.upgrade() {
            peers.tell(encode(told));
        }
    });
    Ok(peers)
}

/// Answers what other processes ask about the terms that this one owns; `None` where it makes no sense.
fn answer(
    published: &Arc<Published>,
    counts: &[CountInfo],
) -> impl Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync + 'static {
    let (published, counts) = (Arc::downgrade(published), counts.to_vec());
    move |bytes| {
        let (epoch, asked) = decode::<(u64, Asked)>(bytes)?;
        let published = Weak::upgrade(&published)?;
        let Some(parts) = published.at(epoch) else {
            // The part that there would be: none.
            return Some(encode(&None::<()>));
        };
        let snapshots: Vec<_> = parts.iter().map(|part| Arc::clone(&part.snapshot)).collect();
        let own = Own { snapshots: &snapshots, counts: &counts };
        Some(match asked {
            Asked::Tops(question) => encode(&Some(question.answer(&own)?)),
            Asked::Terms(question) => encode(&Some(question.answer(&own)?)),
            Asked::Series(question) => encode(&Some(question.answer(&own)?)),
            Asked::Page(question) => encode(&Some(question.answer(&own)?)),
        })
    }
}

impl Reader {
    /// Whether there is one process only, which owns everything.
    pub fn is_alone(&self) -> bool {
        self.others().owners.is_alone()
    }

    /// What this process answers to a question about terms of a cut, of those that it owns.
    pub fn own<Q: Question>(&self, cut: &Cut, question: &Q) -> Q::Part {
        let own = Own { snapshots: &cut.snapshots, counts: self.on_sheets() };
        question.answer(&own).expect("whoever asks has looked the count and the window up")
    }

    /// What the other processes answer to their shares of a question, within this time.
    ///
    /// # Errors
    /// The first part that is missing, as soon as it is known to be.
    pub async fn ask<Q: Question>(
        &self,
        epoch: u64,
        question: &Q,
        long: bool,
        within: Duration,
    ) -> Result<Vec<(usize, Q::Part)>, Missing> {
        let Others { owners, peers: Some(peers) } = self.others() else { return Ok(Vec::new()) };
        let others = (0..owners.processes).filter(|process| *process != owners.me);
        let shares = others.filter_map(|process| Some((process, question.share(owners, process)?)));
        let asking = shares.map(|(process, share)| {
            let bytes = encode(&(epoch, share.clone().asked()));
            let reply = peers.ask(process, long, bytes, within);
            async move {
                let bytes = reply.await.map_err(|why| Missing::Unanswered(process, why))?;
                let part = decode::<Option<Q::Part>>(&bytes).ok_or(Missing::Unfit(process))?;
                let part = part.ok_or(Missing::Gone(process))?;
                if share.fits(&part) { Ok((process, part)) } else { Err(Missing::Unfit(process)) }
            }
        });
        futures_util::future::try_join_all(asking).await
    }

    /// Puts the own part, where there is one, and those of the others together.
    pub fn join<Q: Question>(
        &self,
        question: &Q,
        own: Option<Q::Part>,
        mut others: Vec<(usize, Q::Part)>,
    ) -> Q::Part {
        let owners = &self.others().owners;
        others.extend(own.map(|own| (owners.me, own)));
        question.join(owners, others)
    }

    /// The share of a question that this process answers itself.
    pub fn own_share<Q: Question>(&self, question: &Q) -> Option<Q> {
        let owners = &self.others().owners;
        question.share(owners, owners.me)
    }
}
