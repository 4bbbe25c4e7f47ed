//! A connection whose peer must take what it is sent.
//!
//! Idea: a client that asks and never reads would hold its connection, and the answer, for as long as it likes; hyper has
//! a limit for reading a request, none for writing an answer. So the stream itself fails when a write has made no
//! progress for a while, and also when a client takes so little at a time that for a longer while not all could be
//! written that there was.
//! Invariant: reading is never limited here; progress starts the first time anew, a flush that found everything written
//! the second.
//! Cost: a timer while a write waits.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a peer may take without any progress, and without once having taken all.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Without any progress.
    pub stalled: Duration,
    /// Without once having taken all.
    pub behind: Duration,
}

/// A stream that fails with [`io::ErrorKind::TimedOut`] when a write stalls.
pub struct Unstalled<S> {
    stream: S,
    patience: Patience,
    waiting: Option<Pin<Box<Sleep>>>,
    /// Since when there has always been something that could not be written.
    behind: Option<Instant>,
}

impl<S> Unstalled<S> {
    /// Over a stream.
    pub fn new(stream: S, patience: Patience) -> Unstalled<S> {
        Unstalled { stream, patience, waiting: None, behind: None }
    }

    fn limit<T>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.waiting = None;
            return polled;
        }
        let now = Instant::now();
        let behind = *self.behind.get_or_insert(now);
        let until = (now + self.patience.stalled).min(behind + self.patience.behind);
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep_until(until)));
        waiting.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Unstalled<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Unstalled<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.limit(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.limit(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Whoever writes flushes when nothing is left to be written.
        self.behind = None;
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        self.limit(context, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(context);
        self.limit(context, polled)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::sleep;

    use super::*;

    fn patience(stalled: u64, behind: u64) -> Patience {
        Patience { stalled: Duration::from_millis(stalled), behind: Duration::from_millis(behind) }
    }

    #[tokio::test]
    async fn a_peer_that_never_has_it_all_ends_the_write() {
        let (ours, mut theirs) = duplex(16);
        let mut stream = Unstalled::new(ours, patience(10_000, 200));
        tokio::spawn(async move {
            while theirs.read(&mut [0]).await.is_ok() {
                sleep(Duration::from_millis(20)).await;
            }
        });
        let error = stream.write_all(&[0; 4096]).await.expect_err("it takes too long");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_reads_nothing_ends_the_write() {
        let (ours, _theirs) = duplex(16);
        let mut stream = Unstalled::new(ours, patience(20, 60_000));
        let error = stream.write_all(&[0; 64]).await.expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_reads_slowly_gets_everything() {
        let (ours, mut theirs) = duplex(16);
        // All waits together are longer than one may be, and each is far shorter, on a busy machine too.
        let mut stream = Unstalled::new(ours, patience(2000, 60_000));
        let reader = tokio::spawn(async move {
            let mut read = 0;
            while read < 160 {
                sleep(Duration::from_millis(300)).await;
                read += theirs.read(&mut [0; 16]).await.expect("open");
            }
            read
        });
        stream.write_all(&[0; 160]).await.expect("every wait is short");
        assert_eq!(reader.await.expect("no panic"), 160);
    }
}
