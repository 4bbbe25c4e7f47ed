//! Who follows: many clients of the same stream, in one thread.
//!
//! Idea: of what comes only the line with the identifier is looked at, so that following costs little.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::http::request;
use super::now_us;

/// Follows with so many clients, and prints a line an event: its epoch, and when it came in Unix microseconds.
pub fn run(address: SocketAddr, clients: usize, time: Duration) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let received = runtime.block_on(async {
        let (until, mut following) = (Instant::now() + time, JoinSet::new());
        for _ in 0..clients {
            let mut stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
            stream
                .write_all(&request("/v1/events?counts=hashtags,words&window=1m&k=20"))
                .await
                .map_err(|error| error.to_string())?;
            following.spawn(follow(stream, until));
        }
        let mut all = Vec::new();
        while let Some(received) = following.join_next().await {
            all.extend(received.map_err(|error| error.to_string())?);
        }
        Ok::<_, String>(all)
    })?;
    let mut text = String::new();
    received.iter().for_each(|(epoch, at)| writeln!(text, "{epoch} {at}").expect("a string"));
    print!("{text}");
    Ok(())
}

async fn follow(mut stream: TcpStream, until: Instant) -> Vec<(u64, i64)> {
    let (mut received, mut buffer) = (Vec::new(), Vec::with_capacity(4096));
    while let Ok(Ok(length @ 1..)) = timeout_at(until, stream.read_buf(&mut buffer)).await {
        let at = now_us();
        debug_assert!(length > 0);
        // What stands before the last line break is whole lines.
        let Some(end) = buffer.iter().rposition(|byte| *byte == b'\n') else { continue };
        for line in buffer[..end].split(|byte| *byte == b'\n') {
            if let Some(id) = line.strip_prefix(b"id: ") {
                let epoch =
                    String::from_utf8_lossy(id).split('-').nth(1).and_then(|epoch| epoch.trim().parse().ok());
                received.extend(epoch.map(|epoch| (epoch, at)));
            }
        }
        buffer.drain(..=end);
    }
    received
}

/// What [`run`] has printed.
pub fn read(text: &str) -> Result<Vec<(u64, i64)>, String> {
    let line =
        |line: &str| Some((line.split(' ').next()?.parse().ok()?, line.split(' ').nth(1)?.parse().ok()?));
    text.lines().map(|text| line(text).ok_or(format!("{text:?}"))).collect()
}
