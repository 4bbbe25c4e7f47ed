//! What all resources share: the reader, the metrics, and the right to read.
//!
//! Idea: reads walk batches, from next to nothing for the first places to far longer for a thousand terms over many
//! panes, so they run on the runtime's blocking threads: none delays other connections or `/livez`. No more short ones
//! run at once than there are cores, and half as many long ones, since the workers need those too; as long ones have
//! turns of their own, short ones never queue behind them.
//! Invariant: a read that panics is the panic of its request; no request waits for a later epoch once the server is being stopped.
//! In a cluster the part of a question that other processes own is asked of them meanwhile, by a task: whoever is slow there
//! takes nobody's turn here.
//! Cost: handing a read to another thread and back, which is about what a short request itself costs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};

use super::access::Access;
use super::bounds::Bounds;
use super::events::Feeds;
use super::metrics::Metrics;
use super::problem::{Kind, Problem};
use super::pulse::Pulse;
use super::stamp::Stamp;
use crate::cluster::peers::Unanswered;
use crate::engine::gather::Missing;
use crate::engine::question::Question;
use crate::engine::{Bound, Cut, NotUpTo, Reader};

/// How long a read may queue for its turn.
const QUEUED: Duration = Duration::from_secs(5);

/// How long other processes have to answer.
const ANSWERED: Duration = Duration::from_secs(5);

/// How long a read takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// About a millisecond at most.
    Short,
    /// Any time.
    Long,
}

/// What all resources share.
pub struct Api {
    /// The engine's read side.
    pub reader: Reader,
    /// Who may ask.
    pub access: Access,
    /// What is measured.
    pub metrics: Metrics,
    /// Tells of every newer cut.
    pub pulse: Pulse,
    /// The streams.
    pub feeds: Feeds,
    short: Arc<Semaphore>,
    long: Arc<Semaphore>,
    stopping: watch::Receiver<bool>,
}

impl Api {
    /// Over a reader, for those who may ask, with so many streams at most; `stopping` tells when requests must no longer
    /// wait.
    pub fn new(reader: Reader, access: Access, max_streams: usize, stopping: watch::Receiver<bool>) -> Api {
        let metrics = Metrics::new(Some(&reader), &access);
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let (short, long) = (Arc::new(Semaphore::new(cores)), Arc::new(Semaphore::new(cores.div_ceil(2))));
        let (pulse, feeds) = (Pulse::new(&reader), Feeds::new(max_streams));
        Api { reader, access, metrics, pulse, feeds, short, long, stopping }
    }

    /// The newest cut within the bounds.
    ///
    /// # Errors
    /// `starting` while there is none, `not_up_to_bound` with what was reached, `draining`.
    pub async fn cut(&self, bounds: &Bounds) -> Result<Arc<Cut>, Problem> {
        let mut stopping = self.stopping.clone();
        let reached = tokio::select! {
            reached = self.pulse.at_least(&self.reader, &bounds.bound, bounds.wait) => reached,
            _ = stopping.wait_for(|stopping| *stopping) => {
                return Err(Problem::new(Kind::Draining, "the server stops; ask another, or again later").retry_after(1));
            }
        };
        match reached {
            Ok(cut) => Ok(cut),
            Err(NotUpTo(None)) => {
                let detail = "the engine has not finished its first epoch yet";
                Err(Problem::new(Kind::Starting, detail).retry_after(1).reasons(self.reasons()))
            }
            Err(NotUpTo(Some(cut))) => {
                let detail =
                    format!("the bound was not reached within {} ms; see `stamp`", bounds.wait.as_millis());
                Err(Problem::new(Kind::NotUpToBound, detail).retry_after(1).stamp(&self.stamp(&cut)))
            }
        }
    }

    /// Runs a read where it holds nobody up.
    ///
    /// # Errors
    /// Those of the read; `overloaded` where it has no turn in time.
    pub async fn read<T: Send + 'static>(
        &self,
        effort: Effort,
        read: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let turns = if effort == Effort::Short { &self.short } else { &self.long };
        let turn = tokio::time::timeout(QUEUED, Arc::clone(turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            let detail = format!("this read had no turn within {QUEUED:?}; ask for less at once");
            return Err(Problem::new(Kind::Overloaded, detail).retry_after(1));
        };
        let reading = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            read()
        });
        match reading.await {
            Ok(answer) => answer,
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Problem::new(Kind::Draining, "the server stops").retry_after(1)),
            },
        }
    }

    /// The whole cluster's answer to a question, at the epoch of a cut or, where others no longer have that, at a later
    /// one; and what is made of it, which is handed the cut that it is of.
    ///
    /// # Errors
    /// Those of [`read`](Api::read); `peer_silent` and the like where another process's part is missing.
    pub async fn whole<Q: Question, T: Send + 'static>(
        &self,
        effort: Effort,
        cut: Arc<Cut>,
        question: Q,
        make: impl FnOnce(&Arc<Cut>, Q::Part) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let reader = self.reader.clone();
        if reader.is_alone() {
            return self.read(effort, move || make(&cut, reader.own(&cut, &question))).await;
        }
        let (cut, whole) = self.gather(effort, cut, &question).await?;
        match effort {
            Effort::Short => make(&cut, whole),
            Effort::Long => self.read(effort, move || make(&cut, whole)).await,
        }
    }

    async fn gather<Q: Question>(
        &self,
        effort: Effort,
        mut cut: Arc<Cut>,
        question: &Q,
    ) -> Result<(Arc<Cut>, Q::Part), Problem> {
        let (begun, mut again) = (Instant::now(), true);
        loop {
            let within = ANSWERED.saturating_sub(begun.elapsed());
            let others = self.reader.ask(cut.epoch, question, effort == Effort::Long, within);
            let own = async {
                let Some(share) = self.reader.own_share(question) else { return Ok(None) };
                let (reader, cut) = (self.reader.clone(), Arc::clone(&cut));
                self.read(effort, move || Ok(Some(reader.own(&cut, &share)))).await
            };
            let (own, others) = tokio::join!(own, others);
            match others {
                Ok(others) => return Ok((cut, self.reader.join(question, own?, others))),
                Err(Missing::Gone(_)) if std::mem::take(&mut again) => {
                    let newer = Bound { epoch: Some(cut.epoch + 1), ..Bound::default() };
                    cut = self.cut(&Bounds { bound: newer, wait: ANSWERED / 2 }).await?;
                }
                Err(missing) => return Err(missing_part(missing)),
            }
        }
    }

    /// Tells when the server is being stopped.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.clone()
    }

    /// The stamp of a cut as a whole.
    pub fn stamp<'a>(&'a self, cut: &'a Cut) -> Stamp<'a> {
        Stamp::new(cut, self.reader.generation())
    }

    /// Why the engine is not ready, in the words of answers.
    pub fn reasons(&self) -> Vec<&'static str> {
        self.reader.not_ready().into_iter().map(|reason| reason.as_str()).collect()
    }
}

/// Why there is no whole answer.
fn missing_part(missing: Missing) -> Problem {
    let silent = |process: usize, what: &str| {
        let detail =
            format!("process {process} of the cluster {what}, and without its part no answer would be whole");
        Problem::new(Kind::PeerSilent, detail).retry_after(1)
    };
    match missing {
        Missing::Gone(process) => silent(process, "no longer holds the epoch that was asked for"),
        Missing::Unanswered(process, Unanswered::Silent) => silent(process, "does not answer"),
        Missing::Unanswered(process, Unanswered::Lost) => silent(process, "is lost"),
        Missing::Unanswered(process, Unanswered::Busy) => {
            let detail =
                format!("process {process} of the cluster has no turn for this read; ask for less at once");
            Problem::new(Kind::Overloaded, detail).retry_after(1)
        }
        Missing::Unanswered(process, Unanswered::Failed) | Missing::Unfit(process) => {
            let detail = format!("process {process} of the cluster has met a bug, which its log describes");
            Problem::new(Kind::Internal, detail)
        }
    }
}
